/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_walk.c - the libFuzzer target for the walkers: arbitrary bytes as tables of any format and configuration. A walk ends, reads inside tables
 * alone (the arena is an allocation of its own, which AddressSanitizer watches), and decodes an item the same each time.
 *
 *   format, configuration: a byte each, as in trace_bin.h; a byte: level of the root; a byte: which frames hold tables of which size
 *   eight bytes of iova for each of eight walks; the rest is the bytes of the tables, over and over
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../oracle/layout.h"
#include "../oracle/walk.h"
#include "exec.h"
#include "one_input.h"
#include "rng.h"
#include "trace_bin.h"

#define ARENA_BYTES (UINT64_C(256) << MEM_FRAME_LG2) /* several of the largest tables */
#define FRAMES (ARENA_BYTES >> MEM_FRAME_LG2)
#define WALKS 8
#define HEADER (4 + 8 * WALKS)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "hitless: fuzz_walk: %s\n", what);
	abort();
}

/* What is so of every item of every format. */
static void look_at_item(const struct hw *hw, unsigned level, uint64_t raw)
{
	struct hw_entry e = hw->format->decode(hw, level, raw), again = hw->format->decode(hw, level, raw), touched;
	uint64_t new;
	char fields[400];

	must(e.kind == again.kind && e.pa == again.pa && e.prot == again.prot && e.size_lg2 == again.size_lg2, "decoded in two ways");
	hw->format->fields(hw, level, raw, fields, sizeof(fields));
	must(memchr(fields, '\0', sizeof(fields)), "fields without an end");
	if (e.kind == HW_TABLE)
		must(e.level < level, "a table pointer that does not lead down");
	if (e.kind == HW_BAD)
		must(e.why && e.why[0], "a forbidden entry without a reason");
	if (e.kind != HW_LEAF || !(e.prot & PROT_W))
		return;
	must(e.span_lg2 <= e.size_lg2 && e.size_lg2 < 64, "a leaf of no size");
	must(!(e.pa & layout_mask(e.span_lg2)), "a leaf whose oa is not aligned");
	new = hw->format->touch(hw, level, raw, true);
	touched = hw->format->decode(hw, level, new);
	must(touched.kind == HW_LEAF && touched.pa == e.pa && touched.size_lg2 == e.size_lg2, "another leaf after the device has marked it");
	must(hw->format->touch(hw, level, new, true) == new, "marked twice");
}

static void fill_frames(struct mem_view *v, uint8_t seed)
{
	struct rng rng;
	uint32_t i = 0, k, nr;

	rng_init(&rng, seed);
	while (i < FRAMES) {
		uint32_t state = rng_below(&rng, 8) ? MEM_FRAME_LIVE : rng_below(&rng, 2) ? MEM_FRAME_FREED : MEM_FRAME_NEVER;

		nr = 1u << rng_below(&rng, 8);
		if (nr > FRAMES - i)
			nr = 1;
		v->frames[i] = (struct mem_frame){ .state = state, .bytes = nr << MEM_FRAME_LG2, .gen = 1 };
		for (k = 1; k < nr; k++)
			v->frames[i + k] = (struct mem_frame){ .state = state == MEM_FRAME_LIVE ? MEM_FRAME_TAIL : state, .bytes = k, .gen = 1 };
		i += nr;
	}
}

/* Table bytes: those of the input, over and over; its pointers lead anywhere, and many into the arena, which begins at 0. */
static void fill_bytes(struct mem_view *v, const uint8_t *data, size_t size)
{
	uint64_t nr = size < v->bytes_nr ? size : v->bytes_nr, more;

	if (!nr) {
		memset(v->bytes, 0, v->bytes_nr);
		return;
	}
	memcpy(v->bytes, data, nr);
	for (; nr < v->bytes_nr; nr += more) {
		more = nr < v->bytes_nr - nr ? nr : v->bytes_nr - nr;
		memcpy(v->bytes + nr, v->bytes, more);
	}
}

static void walk_all(const struct hw *hw, const struct mem_view *v, unsigned level, const uint8_t *iovas)
{
	struct walk w;
	uint64_t iova, frame, i;
	unsigned k;

	for (i = 0; i < WALKS; i++) {
		memcpy(&iova, iovas + 8 * i, sizeof(iova));
		frame = iova >> 56;
		/* Half of them where a walk can begin. */
		if (i & 1)
			iova = hw->has_low ? iova & hw->iova_low_last : iova | hw->iova_high_first;
		walk(hw, v, v->pa + ((frame % FRAMES) << MEM_FRAME_LG2), level, iova, &w);
		must(w.nr <= CONFIG_LEVELS_MAX, "a walk of too many levels");
		must(w.end != WALK_LEAF || w.nr, "a leaf out of nothing");
		must((w.end != WALK_BAD && w.end != WALK_WILD) || w.why, "a walk that went wrong without a reason");
		for (k = 0; k < w.nr; k++) {
			must(!k || w.steps[k].level < w.steps[k - 1].level, "a walk that does not go down");
			must(mem_view_has(v, w.steps[k].pa, 1u << hw->item_bytes_lg2), "a walk outside table memory");
			look_at_item(hw, w.steps[k].level, w.steps[k].raw);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mem_frame frames[FRAMES];
	static struct mem_view v = { .bytes_nr = ARENA_BYTES, .frames = frames };
	struct trace_bin b;
	const char *why;
	char err[240];
	struct hw hw;
	uint64_t raw, i;
	unsigned level;

	if (size < HEADER)
		return 0;
	if (!v.bytes)
		v.bytes = malloc(ARENA_BYTES);
	must(v.bytes, "out of memory");
	trace_bin_open(&b, data, 2, one_input_configs);
	if (exec_resolve(&b.cfg, err, sizeof(err)) || hw_init(&hw, &b.cfg, &why) || !hw.format->decode)
		return 0;
	fill_frames(&v, data[3]);
	fill_bytes(&v, data + HEADER, size - HEADER);
	level = data[2] % (hw.top_level_max + 1u);
	for (i = 0; i + 8 <= size - HEADER; i += 8) {
		memcpy(&raw, data + HEADER + i, sizeof(raw));
		look_at_item(&hw, level, raw & layout_mask(8u << hw.item_bytes_lg2));
	}
	walk_all(&hw, &v, level, data + 4);
	return 0;
}
