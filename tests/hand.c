/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hand.c - operations made by hand; see hand.h. */
#include "hand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../oracle/walk.h"

/* --- a configuration and its items --- */

static void learn_leaf(struct hand *h, uint64_t iova, unsigned size_lg2, uint64_t oa, unsigned prot)
{
	uint64_t last = iova + (UINT64_C(1) << size_lg2) - 1, at;
	struct walk w;

	if (hand_run(h, OP_MAP, iova, last, oa, prot) != EXEC_DONE)
		return;
	for (at = iova; at - iova <= last - iova; at += UINT64_C(1) << h->x.check.hw.item_lg2[w.steps[w.nr - 1].level]) {
		walk(&h->x.check.hw, &h->x.mem.view, h->x.check.root, h->x.check.root_level, at, &w);
		assert_int_equal(w.end, WALK_LEAF);
		if (h->leaves_nr < HAND_LEAVES_MAX)
			h->leaves[h->leaves_nr++] = (struct hand_leaf){ w.steps[w.nr - 1].level, w.steps[w.nr - 1].raw };
	}
	if (w.nr > 1) {
		h->pointer = w.steps[w.nr - 2].raw;
		h->pointer_pa = w.steps[w.nr - 2].entry.pa;
	}
	hand_run(h, OP_UNMAP, iova, last, 0, 0);
}

static void learn_granules(struct hand *h)
{
	const struct hw *hw = &h->x.check.hw;
	uint64_t unit = UINT64_C(1) << h->x.check.granule_lg2, iova;

	for (iova = 0; hw->has_low && iova <= hw->iova_low_last; iova += unit)
		h->granules[h->granules_nr++] = iova;
	for (iova = hw->iova_high_first; hw->has_high && iova; iova += unit)
		h->granules[h->granules_nr++] = iova;
}

void hand_init(struct hand *h, const char *text, exec_finding_fn *finding, void *arg)
{
	const struct exec_options options = { .arena_bytes = 4u << 20, .checks = (1u << CHECK_NR) - 1, .observed = true };
	static const unsigned prots[] = { PROT_R | PROT_W, PROT_R };
	struct trace_error err;
	char line[300];
	unsigned size_lg2, i, k;

	memset(h, 0, sizeof(*h));
	h->text = text;
	assert_int_equal(config_parse(text, &h->cfg, &err), 0);
	if (exec_resolve(&h->cfg, line, sizeof(line)))
		fail_msg("%s: %s", text, line);
	assert_int_equal(exec_init(&h->x, &options, finding, arg), 0);
	hand_open(h);
	learn_granules(h);
	for (size_lg2 = 0; size_lg2 < 64; size_lg2++)
		for (i = 0; i < 2 && h->cfg.pgsizes >> size_lg2 & 1; i++)
			for (k = 1; k < 4; k++)
				learn_leaf(h, h->granules[h->granules_nr / 2] & -(UINT64_C(1) << size_lg2), size_lg2, (uint64_t)k << 30,
					   prots[i]);
	exec_close(&h->x);
	assert_true(h->leaves_nr > 0);
}

void hand_release(struct hand *h)
{
	exec_release(&h->x);
}

void hand_open(struct hand *h)
{
	const char *why = "";

	h->older_nr = 0;
	if (exec_open(&h->x, &h->cfg, &why))
		fail_msg("%s: %s", h->text, why);
}

enum exec_status hand_run(struct hand *h, enum op_kind kind, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot)
{
	return exec_op(&h->x, &(struct op){ .kind = kind, .iova = iova, .last = last, .oa = oa, .prot = (uint8_t)prot });
}

uint64_t hand_alloc(struct hand *h, unsigned level)
{
	const struct hw *hw = &h->x.check.hw;
	uint32_t bytes = 1u << (hw->index_lg2[level] + hw->item_bytes_lg2);
	uint64_t pa = mem_alloc(&h->x.mem, bytes, hw->table_align_lg2[level]);

	assert_true(pa != MEM_NONE);
	if (!hw->cfg.coherent)
		mem_dma_map(&h->x.mem, pa, bytes);
	return pa;
}

void hand_free(struct hand *h, uint64_t pa)
{
	if (!h->cfg.coherent)
		mem_dma_unmap(&h->x.mem, pa, mem_view_frame(&h->x.mem.view, pa)->bytes);
	mem_free(&h->x.mem, pa);
}

uint64_t hand_slot(const struct hand *h, unsigned level, uint64_t table, uint64_t iova)
{
	return table + (hw_index(&h->x.check.hw, level, iova) << h->x.check.hw.item_bytes_lg2);
}

uint64_t hand_pointer(const struct hand *h, unsigned level, uint64_t pa)
{
	const struct hw *hw = &h->x.check.hw;
	unsigned shift, next;

	/* Addresses lie where they are, or at 53:10 (riscv64); amdv1 has the level of the table in 11:9. */
	for (shift = 0; h->pointer && shift <= 2; shift += 2) {
		uint64_t raw = h->pointer + (pa >> shift) - (h->pointer_pa >> shift);

		for (next = 0; next < 9; next++) {
			uint64_t item = next ? (raw & ~UINT64_C(0xe00)) | (next - 1) << 9 : raw;
			struct hw_entry e = hw->format->decode(hw, level, item);

			if (e.kind == HW_TABLE && e.pa == pa && e.level + 1u == level)
				return item;
		}
	}
	return 0;
}

/* --- what walks may come to --- */

void hand_brute(struct hand *h, uint64_t root, unsigned level, struct brute_set *sets)
{
	struct brute b = {
		.hw = &h->x.check.hw, .view = &h->x.mem.view, .root = root, .root_level = level, .older = h->older, .older_nr = h->older_nr
	};
	unsigned i;

	for (i = 0; i < h->granules_nr; i++)
		brute_walk(&b, h->granules[i], &sets[i]);
}

struct hand_seen {
	struct hand *h;
	struct brute_set *sets;
};

static void hand_seen_one(void *arg, const struct explore_seen *seen)
{
	const struct hand_seen *to = arg;
	unsigned i;

	assert_true(seen->iova <= seen->last);
	for (i = 0; i < to->h->granules_nr; i++) {
		uint64_t iova = to->h->granules[i];
		struct brute_outcome o = { .kind = seen->kind };

		if (iova < seen->iova || iova > seen->last)
			continue;
		if (o.kind == EXPLORE_LEAF) {
			o.oa = seen->oa + (iova - seen->iova);
			o.prot = seen->prot;
		}
		brute_add(&to->sets[i], &o);
	}
}

void hand_explore(struct hand *h, struct brute_set *sets)
{
	struct hand_seen to = { h, sets };

	memset(sets, 0, h->granules_nr * sizeof(*sets));
	explore_each(&h->x.check, 0, UINT64_MAX, hand_seen_one, &to);
}

/* --- printing --- */

static void hand_print_event(const struct mem_event *ev)
{
	static const char *const names[] = {
		[MEM_STORE] = "STORE",         [MEM_CAS] = "CAS",
		[MEM_FENCE] = "FENCE",         [MEM_FLUSH] = "FLUSH",
		[MEM_ALLOC] = "ALLOC",         [MEM_ALLOC_FAIL] = "ALLOC_FAIL",
		[MEM_FREE] = "FREE",           [MEM_DMA_MAP] = "DMA_MAP",
		[MEM_DMA_UNMAP] = "DMA_UNMAP", [MEM_INVALIDATE] = "INVALIDATE",
		[MEM_SYNC] = "SYNC",           [MEM_TOP] = "TOP",
		[MEM_DEVICE] = "DEVICE",       [MEM_LOAD] = "LOAD",
		[MEM_WORD_LOAD] = "WORD_LOAD", [MEM_WORD_STORE] = "WORD_STORE",
		[MEM_DONE] = "DONE",
	};

	switch (ev->kind) {
	case MEM_STORE:
	case MEM_CAS:
	case MEM_DEVICE:
		print_message("  %s pa=0x%llx bytes=%u nr=%u old=0x%llx(step %u) new=0x%llx(step %u)%s\n", names[ev->kind],
			      (unsigned long long)ev->pa, 1u << ev->bytes_lg2, ev->nr, (unsigned long long)ev->old, ev->old_step_lg2,
			      (unsigned long long)ev->new, ev->step_lg2, ev->order == MEM_RELEASE ? " release" : ev->order == MEM_JOINED ? " joined" : "");
		break;
	case MEM_FENCE:
	case MEM_SYNC:
		print_message("  %s\n", names[ev->kind]);
		break;
	default:
		print_message("  %s pa=0x%llx %llu\n", names[ev->kind], (unsigned long long)ev->pa, (unsigned long long)ev->old);
	}
}

void hand_print_log(const struct hand *h)
{
	size_t i;

	for (i = 0; i < h->x.mem.view.events_nr; i++)
		hand_print_event(&h->x.mem.view.events[i]);
}

void hand_print_set(const char *name, const struct brute_set *set)
{
	static const char *const kinds[] = {
		[EXPLORE_FAULT] = "fault", [EXPLORE_LEAF] = "leaf", [EXPLORE_BAD] = "bad", [EXPLORE_WILD] = "wild"
	};
	unsigned i;

	print_message("  %s:", name);
	for (i = 0; i < set->nr; i++) {
		if (set->at[i].kind == EXPLORE_LEAF)
			print_message(" 0x%llx/%x", (unsigned long long)set->at[i].oa, set->at[i].prot);
		else
			print_message(" %s", kinds[set->at[i].kind]);
	}
	print_message("\n");
}
