/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enumerate.c - small scope, completely; see enumerate.h for what that is. The command is in enumerate_cmd.c. */
#include "enumerate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enumerate_scope.h"

#define QUICK_UNITS 64
#define PAIR_UNITS 16
#define PAIR_UNITS_QUICK 8
#define ARENA_BYTES (UINT64_C(4) << 20)

/* Whether every cut point gets its script: elsewhere nothing would happen that does not happen there. */
static bool ranges_cuts_all(const struct scope *s, const struct range *r)
{
	if (r->align == s->bits)
		return true;
	return scope_align_counts(s, r->align) && r->last < r->part->nr / 2;
}

/* --- ranges --- */

/* Map, cut at iova, inside a leaf, unmap one side of it, unmap the rest. */
static void ranges_cut(struct scope *s, const struct op *map, uint64_t iova)
{
	bool dirty = s->hw.has_dirty && !(s->turn & 3) && map->prot & PROT_W;

	scope_op(s, map);
	if (dirty)
		scope_op(s, &(struct op){ .kind = OP_WRITE, .iova = s->turn & 4 ? iova : map->iova });
	scope_cut(s, iova);
	if (dirty)
		scope_op(s, &(struct op){ .kind = OP_DIRTY, .iova = map->iova, .last = map->last, .clear = true });
	if (s->turn & 1)
		scope_unmap(s, map->iova, iova - 1);
	else
		scope_unmap(s, iova, map->last);
	scope_rest(s);
}

/* Cuts that change nothing: at every leaf start, and in the holes beside the range. Then unmap from one of the leaf starts on. */
static void ranges_no_cut(struct scope *s, const struct op *map)
{
	uint64_t unit = UINT64_C(1) << s->unit_lg2, iova, from = map->iova;

	scope_op(s, map);
	scope_cut(s, map->iova - unit);
	scope_cut(s, map->last + 1);
	for (iova = map->iova;; iova += unit) {
		if (!scope_inside_leaf(s, iova)) {
			scope_cut(s, iova);
			if (iova - map->iova <= (map->last - map->iova) / 2)
				from = iova;
		}
		if (map->last - iova < unit)
			break;
	}
	scope_unmap(s, from, map->last);
	scope_rest(s);
}

static void ranges_one(struct scope *s, const struct range *r)
{
	struct op map = scope_map_op(s, r, (unsigned)s->turn);
	struct imap_piece piece = { .iova = map.iova, .last = map.last, .oa = map.oa };
	uint64_t unit, inside = 0, nr = 0;
	bool all = ranges_cuts_all(s, r);

	s->e->counts.ranges++;
	scope_open(s);
	for (unit = r->first + 1; unit <= r->last; unit++) {
		uint64_t iova = scope_iova(s, r->part, unit);

		if (layout_leaf(s->cfg.pgsizes, &piece, iova).iova == iova)
			continue;
		nr++;
		/* One of them, drawn so that each is as likely as the others. */
		if (s->turn * 2654435761u % nr == 0)
			inside = iova;
		if (!all)
			continue;
		scope_script(s);
		map = scope_map_op(s, r, (unsigned)s->turn);
		ranges_cut(s, &map, iova);
	}
	if (nr && !all) {
		scope_script(s);
		ranges_cut(s, &map, inside);
	}
	scope_script(s);
	ranges_no_cut(s, &map);
	scope_close(s);
}

static void ranges_part(struct scope *s, const struct part *part)
{
	struct range r = { .part = part };

	for (r.first = 0; r.first < part->nr; r.first++) {
		for (r.last = r.first; r.last < part->nr; r.last++) {
			if (s->quick && r.last >= QUICK_UNITS && (r.last != part->nr - 1 || part->nr - r.first > QUICK_UNITS))
				continue;
			for (r.align = 0; r.align <= s->bits; r.align++)
				ranges_one(s, &r);
		}
	}
}

/* --- pairs --- */

/* Map a, map b; then, if u is not NULL, unmap u, where it starts inside a leaf with a cut before it or without. */
static void pairs_script(struct scope *s, const struct range *a, const struct range *b, const struct range *u, bool cut)
{
	struct op map_a, map_b;

	scope_script(s);
	map_a = scope_map_op(s, a, (unsigned)s->turn);
	/* b lies elsewhere in the oa, so that a mix-up shows. */
	s->turn++;
	map_b = scope_map_op(s, b, (unsigned)s->turn);
	s->turn--;
	scope_op(s, &map_a);
	scope_op(s, &map_b);
	if (u) {
		uint64_t iova = scope_iova(s, u->part, u->first), last = scope_iova(s, u->part, u->last + 1) - 1;
		bool inside = scope_inside_leaf(s, iova);

		if (cut && inside)
			scope_cut(s, iova);
		if (!cut || inside)
			scope_unmap(s, iova, last);
	}
	scope_rest(s);
}

/* The next range of nr units from base on; false after the last. Starts with first = last = base. */
static bool pairs_next(struct range *r, uint64_t base, uint64_t nr)
{
	if (++r->last < base + nr)
		return true;
	r->last = ++r->first;
	return r->first < base + nr;
}

static void pairs_one(struct scope *s, struct range *a, struct range *b, uint64_t base, uint64_t nr)
{
	struct range u = { a->part, base, base, 0 };
	unsigned bits = 63 - (unsigned)__builtin_clzll(nr), i, k;

	s->e->counts.pairs++;
	a->align = b->align = s->bits;
	scope_open(s);
	do {
		pairs_script(s, a, b, &u, false);
		pairs_script(s, a, b, &u, true);
	} while (pairs_next(&u, base, nr));
	scope_close(s);
	scope_open(s);
	for (i = 0; i <= bits; i++) {
		for (k = 0; k <= bits; k++) {
			a->align = i < bits ? i : s->bits;
			b->align = k < bits ? k : s->bits;
			pairs_script(s, a, b, NULL, false);
		}
	}
	scope_close(s);
}

static void pairs_part(struct scope *s, const struct part *part)
{
	uint64_t nr = s->quick ? PAIR_UNITS_QUICK : PAIR_UNITS, base;

	if (nr > part->nr)
		nr = part->nr;
	base = part->iova ? part->nr - nr : 0;
	struct range a = { part, base, base, 0 }, b;

	do {
		b = (struct range){ part, base, base, 0 };
		do {
			pairs_one(s, &a, &b, base, nr);
		} while (pairs_next(&b, base, nr));
	} while (pairs_next(&a, base, nr));
}

/* --- the whole --- */

/* A range from the lower half into the upper one touches the hole between them. */
static void scope_hole(struct scope *s)
{
	const struct part *low = &s->parts[0], *high = &s->parts[1];
	uint64_t from, to;

	for (from = 0; from < low->nr; from++) {
		scope_open(s);
		for (to = 0; to < high->nr; to++) {
			struct op op = { .kind = OP_MAP,
					 .iova = scope_iova(s, low, from),
					 .last = scope_iova(s, high, to + 1) - 1,
					 .prot = s->prots[0] };

			scope_script(s);
			op.oa = op.iova & layout_mask(s->hw.oa_lg2);
			scope_op(s, &op);
			op.kind = OP_UNMAP;
			scope_op(s, &op);
		}
		scope_close(s);
	}
}

/* What there is under this hardware; see enumerate.h. */
static unsigned scope_has(const struct hw *hw)
{
	unsigned parts = ENUMERATE_ALL;

	if (!hw->has_low || !hw->has_high)
		parts &= ~(unsigned)ENUMERATE_HOLE;
	if (!hw->has_dirty)
		parts &= ~(unsigned)ENUMERATE_DEVICES;
	return parts;
}

unsigned enumerate_parts(const struct config *cfg, unsigned parts)
{
	const char *why = "";
	struct hw hw;

	return hw_init(&hw, cfg, &why) ? parts : parts & scope_has(&hw);
}

static void scope_run(struct scope *s, unsigned parts)
{
	unsigned i;

	scope_measure(s);
	parts &= scope_has(&s->hw);
	for (i = 0; i < s->parts_nr; i++) {
		if (parts & ENUMERATE_PAIRS)
			pairs_part(s, &s->parts[i]);
		if (parts & ENUMERATE_RANGES)
			ranges_part(s, &s->parts[i]);
		if (parts & ENUMERATE_DEVICES)
			enumerate_devices(s, &s->parts[i]);
		if (parts & ENUMERATE_FAILURES)
			enumerate_failures(s, &s->parts[i]);
		if (parts & ENUMERATE_WRITERS)
			enumerate_writers(s, &s->parts[i]);
	}
	if (parts & ENUMERATE_HOLE)
		scope_hole(s);
	s->e->end = ENUMERATE_CLEAN;
}

uint64_t enumerate_config(struct enumerate *e, const struct config *cfg, const struct exec_options *options, unsigned parts, bool quick)
{
	struct exec_options exec = { .arena_bytes = ARENA_BYTES, .checks = options->checks, .observed = true };
	struct scope *s = calloc(1, sizeof(*s));
	uint64_t compared = 0;
	unsigned i;

	memset(&e->counts, 0, sizeof(e->counts));
	e->end = ENUMERATE_UNABLE;
	e->ops_nr = e->script_at = 0;
	snprintf(e->why, sizeof(e->why), "out of memory");
	if (!s || exec_init(&s->x, &exec, scope_caught, s)) {
		free(s);
		return 0;
	}
	s->e = e;
	s->cfg = *cfg;
	s->quick = quick;
	e->end = ENUMERATE_RUNNING;
	if (!sigsetjmp(s->end, 0)) {
		scope_run(s, parts);
	} else if (e->end == ENUMERATE_FINDING) {
		scope_count(s);
		exec_abandon(&s->x);
	}
	exec_release(&s->x);
	free(s);
	for (i = 0; i < CHECK_NR; i++)
		compared += e->counts.comparisons[i];
	return compared;
}
