/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enumerate_writers.c - two or three writers at the same time, under every schedule (interleave.h), on a domain of its own each time (G10).
 *
 * A writer has a region, and a role in it, which says what is there before and what it does:
 *
 *   map        one unit of nothing; also with its first and its second allocation failing
 *   map span   as much as the smallest table spans, as one leaf if there is one of that size
 *   remap      likewise, over a table that was left empty
 *   unmap      one unit; unmap span: smallest pages, and the table with them
 *   cut        a leaf of that size in the middle
 *   dirty      clears a unit that was written to
 *   translate  a unit; translate hole
 *
 * The regions lie side by side, each as far from the one before as an item of some level spans, or (one unit each) a unit: so that writers share
 * every table, all but the smallest, and so on; or make the same ones. Where the top grows, the second region lies above it more often than not. Each
 * role of one writer with each of another, and at each distance; three writers: a map, an unmap, an unmap span, a translate and a remap with each other.
 *
 * Of a case with more than CASE_RUNS_MAX schedules (quick: CASE_RUNS_QUICK) the rest is left out, and it counts as cut short.
 */
#include "enumerate_scope.h"
#include "interleave.h"

#include <string.h>

#define CASE_RUNS_MAX 4000
#define CASE_RUNS_QUICK 60
#define CASE_OPS_MAX 8

enum role { ROLE_MAP, ROLE_MAP_FAIL_1, ROLE_MAP_FAIL_2, ROLE_MAP_SPAN, ROLE_REMAP, ROLE_UNMAP, ROLE_UNMAP_SPAN, ROLE_CUT, ROLE_DIRTY, ROLE_TRANSLATE,
	    ROLE_TRANSLATE_HOLE, ROLE_NR };

/*
 * struct round_case - what is there before, and the operations of the round.
 */
struct round_case {
	struct op before[CASE_OPS_MAX], ops[MEM_WRITERS_MAX];
	unsigned before_nr, ops_nr;
};

/* Units that the smallest table spans, at most half of the part. */
static uint64_t writers_span(const struct scope *s, const struct part *part)
{
	unsigned item_lg2 = s->hw.item_lg2[s->hw.top_level_max ? 1 : 0];
	uint64_t units = item_lg2 > s->unit_lg2 ? UINT64_C(1) << (item_lg2 - s->unit_lg2) : 1;

	return units <= part->nr / 2 ? units : part->nr / 2;
}

static bool writers_is_span(enum role role)
{
	return role == ROLE_MAP_SPAN || role == ROLE_REMAP || role == ROLE_UNMAP_SPAN || role == ROLE_CUT;
}

static struct op writers_map(struct scope *s, const struct part *part, uint64_t first, uint64_t nr, bool congruent)
{
	struct range r = { part, first, first + nr - 1, congruent ? s->bits : 0 };
	unsigned prot = (unsigned)(s->turn % s->prots_nr);
	struct op op;

	/* Each map of a case has an oa of its own. */
	s->turn++;
	op = scope_map_op(s, &r, prot);
	op.oa ^= (first & 7) << (s->unit_lg2 + s->bits + 2) & layout_mask(s->hw.oa_lg2);
	return op;
}

/* The role of a writer whose region begins with unit first. False: there is no such thing here. */
static bool writers_role(struct scope *s, struct round_case *rc, enum role role, const struct part *part, uint64_t first, uint64_t span)
{
	struct op op = writers_map(s, part, first, writers_is_span(role) ? span : 1, role != ROLE_UNMAP_SPAN), small;

	switch (role) {
	case ROLE_MAP_FAIL_1:
	case ROLE_MAP_FAIL_2:
		op.fail = role == ROLE_MAP_FAIL_1 ? 1 : 2;
		break;
	case ROLE_REMAP:
		small = writers_map(s, part, first, 1, true);
		rc->before[rc->before_nr++] = small;
		small.kind = OP_UNMAP;
		rc->before[rc->before_nr++] = small;
		break;
	case ROLE_UNMAP:
	case ROLE_UNMAP_SPAN:
	case ROLE_TRANSLATE:
	case ROLE_CUT:
		if (role == ROLE_CUT && (span < 2 || !(s->cfg.pgsizes >> s->unit_lg2 & span) || !s->hw.cap_leaf_to_table))
			return false;
		rc->before[rc->before_nr++] = op;
		op.kind = role == ROLE_CUT ? OP_CUT : role == ROLE_TRANSLATE ? OP_TRANSLATE : OP_UNMAP;
		if (role == ROLE_CUT)
			op.iova = scope_iova(s, part, first + span / 2);
		break;
	case ROLE_DIRTY:
		if (!s->hw.has_dirty || !(op.prot & PROT_W))
			return false;
		rc->before[rc->before_nr++] = op;
		rc->before[rc->before_nr++] = (struct op){ .kind = OP_WRITE, .iova = op.iova };
		op = (struct op){ .kind = OP_DIRTY, .iova = op.iova, .last = op.last, .clear = true };
		break;
	case ROLE_TRANSLATE_HOLE:
		op.kind = OP_TRANSLATE;
		break;
	default:
		break;
	}
	op.thread = (uint8_t)++rc->ops_nr;
	rc->ops[rc->ops_nr - 1] = op;
	return true;
}

/* What is there before, and the round under one schedule. Returns whether there is another. */
static bool writers_run(struct scope *s, const struct round_case *rc, struct interleave *it)
{
	struct op *record;
	bool more;
	unsigned i;

	scope_open(s);
	for (i = 0; i < rc->before_nr; i++)
		scope_op(s, &rc->before[i]);
	for (i = 0; i < rc->ops_nr; i++)
		scope_op(s, &rc->ops[i]);
	/* Where it is run from, so that what it is found under is what is told. */
	record = &s->e->ops[s->e->ops_nr++];
	*record = (struct op){ .kind = OP_SWITCH };
	interleave_begin(it, &s->x, record);
	if (exec_op(&s->x, record) == EXEC_SKIPPED)
		scope_unable(s, s->x.why);
	s->e->counts.interleavings++;
	more = interleave_more(it);
	scope_close(s);
	return more;
}

static void writers_case(struct scope *s, const struct round_case *rc)
{
	uint64_t most = s->quick ? CASE_RUNS_QUICK : CASE_RUNS_MAX;
	struct interleave it;
	bool more = true;

	interleave_init(&it, false);
	while (more && it.runs < most)
		more = writers_run(s, rc, &it);
	s->e->counts.rounds++;
	s->e->counts.rounds_short += more || it.cut;
	interleave_release(&it);
}

/* These roles side by side, distance units apart. */
static void writers_roles(struct scope *s, const struct part *part, const enum role *roles, unsigned nr, uint64_t distance)
{
	uint64_t span = writers_span(s, part), need;
	struct round_case rc;
	unsigned i;

	memset(&rc, 0, sizeof(rc));
	for (i = 0; i < nr; i++) {
		need = writers_is_span(roles[i]) ? span : 1;
		if (need > distance || i * distance + need > part->nr || !writers_role(s, &rc, roles[i], part, i * distance, span))
			return;
	}
	writers_case(s, &rc);
}

static void writers_at(struct scope *s, const struct part *part, uint64_t distance)
{
	static const enum role three[] = { ROLE_MAP, ROLE_UNMAP, ROLE_UNMAP_SPAN, ROLE_TRANSLATE, ROLE_REMAP };
	unsigned a, b, c, nr = sizeof(three) / sizeof(three[0]);

	for (a = 0; a < ROLE_NR; a++)
		for (b = 0; b < ROLE_NR; b++)
			writers_roles(s, part, (enum role[]){ (enum role)a, (enum role)b }, 2, distance);
	for (a = 0; a < nr; a++)
		for (b = 0; b < nr; b++)
			for (c = 0; c < nr; c++)
				writers_roles(s, part, (enum role[]){ three[a], three[b], three[c] }, 3, distance);
}

void enumerate_writers(struct scope *s, const struct part *part)
{
	uint64_t distance, last = 0;
	unsigned level;

	writers_at(s, part, 1);
	for (level = 1; level <= s->hw.top_level_max; level++) {
		distance = s->hw.item_lg2[level] > s->unit_lg2 ? UINT64_C(1) << (s->hw.item_lg2[level] - s->unit_lg2) : 1;
		if (distance <= 1 || distance == last || distance >= part->nr)
			continue;
		writers_at(s, part, distance);
		last = distance;
	}
}
