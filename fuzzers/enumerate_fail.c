/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enumerate_fail.c - every allocation of a map and of a cut fails, one at a time (G7).
 *
 * maps   ranges of units (of the first 64, those of the last 64 that reach the end, and each range that is one leaf) with each alignment
 *        of the oa that gives them other leaves, on an empty domain: the first allocation fails, on another empty domain the second, and
 *        so on until there is none to fail. Then a map of what is missing, unmap.
 * cuts   the same ranges: map, cut with the first allocation failing, the second and so on, until the cut succeeds; unmap. Each cut point
 *        inside a leaf if the oa is congruent to the iova throughout, otherwise the first, the middle and the last of them.
 * pairs  in the first 8 units: for each two ranges, the map of the second over or beside the first as above: once as it is, once after the
 *        first was unmapped leaf by leaf, so that its tables stand empty.
 *
 * A mapping of a table for a device that does not snoop is an allocation. quick: 16 units instead of 64; pairs in 4 units.
 */
#include "enumerate_scope.h"

#define RANGE_UNITS 64
#define RANGE_UNITS_QUICK 16
#define PAIR_UNITS 8
#define PAIR_UNITS_QUICK 4
#define FAILURES_MAX 2000

/* Whether an allocation of the last operation failed. */
static bool fail_failed(const struct scope *s)
{
	const struct mem_view *view = &s->x.mem.view;
	size_t i;

	for (i = 0; i < view->events_nr; i++)
		if (view->events[i].kind == MEM_ALLOC_FAIL)
			return true;
	return false;
}

/* Run op with allocation number nr failing. Returns whether there was one to fail. */
static bool fail_op(struct scope *s, struct op op, unsigned nr)
{
	bool failed;

	op.fail = (uint16_t)nr;
	scope_op(s, &op);
	failed = fail_failed(s);
	s->e->counts.failures += failed;
	if (nr == FAILURES_MAX)
		scope_unable(s, "an operation of a tiny geometry allocates more often than that");
	return failed;
}

/* What a map of op left out, mapped by another one. */
static void fail_again(struct scope *s, struct op op)
{
	const struct imap_piece *p = imap_find(&s->x.check.im, op.iova, NULL);

	if (p && p->last >= op.last)
		return;
	if (p) {
		op.oa += p->last + 1 - op.iova;
		op.iova = p->last + 1;
	}
	scope_op(s, &op);
}

/* Unmap op's range leaf by leaf, asking for one unit each time, so that no table goes. */
static void fail_empty(struct scope *s, const struct op *op)
{
	const struct imap_piece *p;

	while ((p = imap_find(&s->x.check.im, op->last, NULL)))
		scope_unmap(s, p->iova, p->iova + layout_mask(s->unit_lg2));
}

/* Map op with each allocation failing in turn, each time on a domain of its own; after first, which is unmapped again if empty. */
static void fail_map(struct scope *s, const struct op *first, bool empty, const struct op *op)
{
	bool failed = true;
	unsigned nr;

	for (nr = 1; failed; nr++) {
		scope_open(s);
		scope_script(s);
		if (first)
			scope_op(s, first);
		if (empty)
			fail_empty(s, first);
		failed = fail_op(s, *op, nr);
		if (failed)
			fail_again(s, *op);
		scope_rest(s);
		scope_close(s);
	}
}

static void fail_cut(struct scope *s, const struct op *map, uint64_t at)
{
	unsigned nr = 1;

	scope_script(s);
	scope_op(s, map);
	while (fail_op(s, (struct op){ .kind = OP_CUT, .iova = at }, nr))
		nr++;
	scope_rest(s);
}

/* The cut points of a range, on one domain. */
static void fail_cuts(struct scope *s, const struct range *r, const struct op *map)
{
	struct imap_piece piece = { .iova = map->iova, .last = map->last, .oa = map->oa };
	uint64_t unit, middle = r->first + (r->last - r->first) / 2 + 1;

	scope_open(s);
	for (unit = r->first + 1; unit <= r->last; unit++) {
		uint64_t iova = scope_iova(s, r->part, unit);

		if (layout_leaf(s->cfg.pgsizes, &piece, iova).iova == iova)
			continue;
		if (r->align == s->bits || unit == r->first + 1 || unit == middle || unit == r->last)
			fail_cut(s, map, iova);
	}
	scope_close(s);
}

/* Whether a range is among those whose allocations fail. */
static bool fail_want(const struct scope *s, const struct range *r)
{
	uint64_t units = s->quick ? RANGE_UNITS_QUICK : RANGE_UNITS, nr = r->last - r->first + 1;

	if (r->last < units || (r->last == r->part->nr - 1 && nr <= units))
		return true;
	return !(nr & (nr - 1)) && !(r->first & (nr - 1)) && s->cfg.pgsizes & nr << s->unit_lg2;
}

static void fail_ranges(struct scope *s, const struct part *part)
{
	struct range r = { .part = part };

	for (r.first = 0; r.first < part->nr; r.first++) {
		for (r.last = r.first; r.last < part->nr; r.last++) {
			for (r.align = 0; r.align <= s->bits && fail_want(s, &r); r.align++) {
				struct op map = scope_map_op(s, &r, (unsigned)s->turn);

				if (!scope_align_counts(s, r.align))
					continue;
				fail_map(s, NULL, false, &map);
				fail_cuts(s, &r, &map);
			}
		}
	}
}

static void fail_pair(struct scope *s, const struct range *a, const struct range *b)
{
	struct op first = scope_map_op(s, a, (unsigned)s->turn), second = scope_map_op(s, b, (unsigned)s->turn + 1);

	/* An oa that the first does not have. */
	second.oa ^= UINT64_C(1) << (s->unit_lg2 + s->bits);
	fail_map(s, &first, false, &second);
	fail_map(s, &first, true, &second);
}

static void fail_pairs(struct scope *s, const struct part *part)
{
	uint64_t most = s->quick ? PAIR_UNITS_QUICK : PAIR_UNITS, nr = part->nr < most ? part->nr : most;
	struct range a = { .part = part, .align = s->bits }, b = a;

	for (a.first = 0; a.first < nr; a.first++)
		for (a.last = a.first; a.last < nr; a.last++)
			for (b.first = 0; b.first < nr; b.first++)
				for (b.last = b.first; b.last < nr; b.last++)
					fail_pair(s, &a, &b);
}

void enumerate_failures(struct scope *s, const struct part *part)
{
	fail_ranges(s, part);
	fail_pairs(s, part);
}
