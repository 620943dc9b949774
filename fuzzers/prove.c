/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prove.c - cuts of every leaf size that a configuration can make; see prove.h. The command is in prove_cmd.c. */
#include "prove.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../oracle/walk.h"

#define ARENA_BYTES (UINT64_C(64) << 20)
#define POINTS_MAX 4096
#define PLACES_MAX 4

/*
 * struct prove_bounds - how far it goes.
 *
 * @every:  a leaf of so few smallest pages is cut at each
 * @items:  so many items of a group from either end are cut points
 * @places: of a leaf
 * @leaves: a cut that makes more leaves than this is left out
 */
struct prove_bounds {
	unsigned every, items, places;
	uint64_t leaves;
};

static const struct prove_bounds prove_bounds = { 1024, 256, 4, UINT64_C(1) << 22 };
static const struct prove_bounds prove_bounds_quick = { 16, 2, 3, UINT64_C(1) << 12 };

/* Where a leaf lies: the piece around it, and whether all cut points are tried. */
struct prove_place {
	uint64_t leaf_iova, oa, iova, last;
	bool all;
};

/*
 * struct prover - one configuration under one memory model.
 *
 * @unit_lg2: the smallest enabled page
 * @turn:     counts cuts; permissions and oas take turns by it
 */
struct prover {
	struct prove *p;
	struct exec x;
	struct config cfg;
	struct hw hw;
	const struct prove_bounds *bounds;
	unsigned unit_lg2, prots_nr;
	uint8_t prots[PROT_ALL + 1];
	uint64_t turn;
	sigjmp_buf end;
};

static uint64_t prove_unit(const struct prover *r)
{
	return UINT64_C(1) << r->unit_lg2;
}

/* --- findings --- */

/* Keep the first finding of each signature. */
static void prove_keep(struct prove *p)
{
	unsigned i;

	for (i = 0; i < p->findings_nr; i++)
		if (!strcmp(p->findings[i].f.signature, p->now.f.signature))
			return;
	if (p->findings_nr < PROVE_FINDINGS_MAX)
		p->findings[p->findings_nr++] = p->now;
}

/* A finding in a cut is about what the cut needs. */
static void prove_refuted(struct prove *p)
{
	unsigned cap;

	for (cap = 0; cap < PROVE_CAPS_NR; cap++)
		p->leaves[p->now_size_lg2].cells[cap].refuted += p->now_needs >> cap & 1;
	p->other += !p->now_needs;
}

static void prove_caught(void *arg, const struct verdict *v, const struct op *op)
{
	struct prover *r = arg;

	/* Before the cut it is about no capability; what the end of the domain shows is the cut's. */
	if (r->p->now.ops_nr < PROVE_OPS_MAX)
		r->p->now_needs = 0;
	finding_make(&r->p->now.f, &r->x, v, op);
	siglongjmp(r->end, 1);
}

void prove_died(struct prove *p, int signal_nr)
{
	unsigned nr = p->now.ops_nr;

	finding_crash(&p->now.f, p->now.cfg.format, nr ? p->now.ops[nr - 1].kind : (unsigned)OP_NR, nr ? nr - 1 : 0, signal_nr);
	prove_refuted(p);
	prove_keep(p);
}

/* --- one cut --- */

/* How the layout changes at the leaf: the part of it on at's side of the cut. */
static struct layout_leaf prove_new_leaf(const struct prover *r, const struct prove_place *place, uint64_t cut, uint64_t at)
{
	bool left = at < cut;

	return layout_find(r->cfg.pgsizes, left ? place->iova : cut, left ? cut - 1 : place->last,
			   place->oa + ((left ? place->iova : cut) - place->leaf_iova), at);
}

/* How many leaves the cut makes of the old one; where those are more than the bound, any number above it. */
static uint64_t prove_cost(const struct prover *r, const struct prove_place *place, uint64_t leaf_last, uint64_t cut)
{
	uint64_t at = place->leaf_iova, nr = 0;

	while (nr <= r->bounds->leaves) {
		bool left = at < cut;
		struct layout_leaf leaf = prove_new_leaf(r, place, cut, at);
		struct imap_piece piece = { .iova = left ? place->iova : cut,
					    .last = left ? cut - 1 : place->last,
					    .oa = place->oa + ((left ? place->iova : cut) - place->leaf_iova) };
		uint64_t run = layout_run(r->cfg.pgsizes, &piece, &leaf), end = leaf.iova + (run << leaf.size_lg2) - 1;

		nr += run;
		if (end >= leaf_last)
			break;
		at = end + 1;
	}
	return nr;
}

/* Bit n set: a cut there needs enum prove_cap n, by the layout alone. */
static unsigned prove_needs(const struct prover *r, const struct prove_place *place, unsigned size_lg2, uint64_t cut)
{
	unsigned item_lg2 = r->hw.item_lg2[check_level_of(&r->hw, size_lg2)], needs = 0;
	uint64_t last = place->leaf_iova | layout_mask(size_lg2), at = place->leaf_iova;

	if (size_lg2 > item_lg2)
		needs |= 1u << PROVE_SIZE_CHANGE;
	for (;;) {
		struct layout_leaf leaf = prove_new_leaf(r, place, cut, at);

		if (leaf.size_lg2 < item_lg2)
			needs |= 1u << PROVE_LEAF_TO_TABLE;
		at |= layout_mask(leaf.size_lg2 < item_lg2 ? item_lg2 : leaf.size_lg2);
		if (at >= last)
			return needs;
		at++;
	}
}

/* Bit n set: the last operation, by its log, did enum prove_cap n to the entry whose nr items begin at pa in a table of level. */
static unsigned prove_did(const struct prover *r, unsigned level, uint64_t pa, unsigned nr)
{
	const struct mem_view *view = &r->x.mem.view;
	uint64_t bytes = (uint64_t)nr << r->hw.item_bytes_lg2;
	unsigned did = 0;
	size_t i;

	for (i = 0; i < view->events_nr; i++) {
		const struct mem_event *ev = &view->events[i];
		struct hw_entry old, new;

		if ((ev->kind != MEM_STORE && ev->kind != MEM_CAS) || ev->pa - pa >= bytes)
			continue;
		old = r->hw.format->decode(&r->hw, level, ev->old);
		new = r->hw.format->decode(&r->hw, level, ev->new);
		if (old.kind != HW_LEAF || (new.kind != HW_TABLE &&new.kind != HW_LEAF))
			continue;
		if (new.kind == HW_TABLE)
			did |= 1u << PROVE_LEAF_TO_TABLE;
		if (nr > 1 && (new.kind == HW_TABLE || new.size_lg2 < old.size_lg2))
			did |= 1u << PROVE_SIZE_CHANGE;
	}
	return did;
}

static enum exec_status prove_op(struct prover *r, const struct op *op)
{
	r->p->now.ops[r->p->now.ops_nr++] = *op;
	return exec_op(&r->x, op);
}

static void prove_count(struct prover *r)
{
	unsigned i;

	for (i = 0; i < CHECK_NR; i++)
		r->p->comparisons[i] += r->x.check.comparisons[i];
}

/* Map the piece, cut it. A finding leaves through r->end. */
static void prove_run(struct prover *r, const struct prove_place *place, unsigned size_lg2, uint64_t cut, unsigned needs)
{
	struct prove_cell *cells = r->p->leaves[size_lg2].cells;
	unsigned did, cap, level = check_level_of(&r->hw, size_lg2), declared = 0;
	enum exec_status status;
	const char *why = "";
	struct walk w;

	if (exec_open(&r->x, &r->cfg, &why)) {
		snprintf(r->p->why, sizeof(r->p->why), "%s", why);
		r->p->end = PROVE_UNABLE;
		return;
	}
	prove_op(r, &(struct op){ .kind = OP_MAP,
				  .iova = place->iova,
				  .last = place->last,
				  .oa = place->oa - (place->leaf_iova - place->iova),
				  .prot = r->prots[r->turn % r->prots_nr] });
	walk(&r->hw, &r->x.mem.view, r->x.mem.view.root, r->x.mem.view.root_level, place->leaf_iova, &w);
	status = prove_op(r, &(struct op){ .kind = OP_CUT, .iova = cut });
	did = status == EXEC_DONE && w.nr ? prove_did(r, level, w.steps[w.nr - 1].pa, 1u << (size_lg2 - r->hw.item_lg2[level])) : 0;
	exec_close(&r->x);
	prove_count(r);
	for (cap = 0; cap < PROVE_CAPS_NR; cap++)
		declared |= (unsigned)r->p->declared[cap] << cap;
	for (cap = 0; cap < PROVE_CAPS_NR; cap++) {
		cells[cap].proved += did >> cap & 1;
		cells[cap].refused += status == EXEC_REFUSED && (needs & ~declared) >> cap & 1;
	}
}

static void prove_cut(struct prover *r, const struct prove_place *place, unsigned size_lg2, uint64_t cut)
{
	struct prove *p = r->p;

	if (prove_cost(r, place, place->leaf_iova | layout_mask(size_lg2), cut) > r->bounds->leaves) {
		p->leaves[size_lg2].left_out++;
		return;
	}
	r->turn++;
	p->leaves[size_lg2].cuts++;
	p->now.cfg = r->cfg;
	p->now.ops_nr = 0;
	p->now_size_lg2 = size_lg2;
	p->now_needs = prove_needs(r, place, size_lg2, cut);
	if (!sigsetjmp(r->end, 0)) {
		prove_run(r, place, size_lg2, cut, p->now_needs);
	} else {
		prove_count(r);
		exec_abandon(&r->x);
		prove_refuted(p);
		prove_keep(p);
	}
}

/* --- places and cut points --- */

static int prove_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* A cut point, offset smallest pages into the leaf, and the one that mirrors it; those that are none are left out. */
static void prove_point(const struct prover *r, unsigned size_lg2, uint64_t offset, uint64_t *points, unsigned *nr)
{
	uint64_t units = UINT64_C(1) << (size_lg2 - r->unit_lg2);

	if (!offset || offset >= units || *nr + 2 > POINTS_MAX)
		return;
	points[(*nr)++] = offset;
	points[(*nr)++] = units - offset;
}

/* The cut points inside a leaf of this size, ascending, in smallest pages from its start. Returns how many. */
static unsigned prove_points(const struct prover *r, unsigned size_lg2, bool all, uint64_t *points)
{
	unsigned item_lg2 = r->hw.item_lg2[check_level_of(&r->hw, size_lg2)], nr = 0, lg2, i, kept = 0;
	uint64_t units = UINT64_C(1) << (size_lg2 - r->unit_lg2), unit, step;

	prove_point(r, size_lg2, 1, points, &nr);
	prove_point(r, size_lg2, units / 2, points, &nr);
	for (unit = 1; all && units <= r->bounds->every && unit <= units / 2; unit++)
		prove_point(r, size_lg2, unit, points, &nr);
	for (lg2 = r->unit_lg2; all && lg2 < size_lg2; lg2++) {
		if (!(r->cfg.pgsizes >> lg2 & 1))
			continue;
		unit = UINT64_C(1) << (lg2 - r->unit_lg2);
		prove_point(r, size_lg2, unit - 1, points, &nr);
		prove_point(r, size_lg2, unit, points, &nr);
		prove_point(r, size_lg2, unit + 1, points, &nr);
	}
	/* The items of a group. */
	step = item_lg2 > r->unit_lg2 ? UINT64_C(1) << (item_lg2 - r->unit_lg2) : 1;
	for (i = 1; all && item_lg2 < size_lg2 && i <= r->bounds->items && i * step < units; i++)
		prove_point(r, size_lg2, i * step, points, &nr);
	qsort(points, nr, sizeof(*points), prove_compare);
	for (i = 0; i < nr; i++)
		if (!kept || points[kept - 1] != points[i])
			points[kept++] = points[i];
	return kept;
}

/* The places of a leaf of this size in [iova, last]: the first, the second; one in the middle, within a larger piece; the last. */
static unsigned prove_places(const struct prover *r, unsigned size_lg2, uint64_t iova, uint64_t last, struct prove_place *places)
{
	uint64_t nr = ((last - iova) >> size_lg2) + 1, slots[] = { 0, 1, nr / 2, nr - 1 }, unit = prove_unit(r),
		 mask = layout_mask(size_lg2);
	uint64_t oa_mask = layout_mask(r->hw.oa_lg2);
	unsigned i, k, made = 0;

	for (i = 0; i < r->bounds->places; i++) {
		struct prove_place *place = &places[made];

		for (k = 0; k < i && slots[k] != slots[i]; k++)
			;
		if (slots[i] >= nr || (k < i && i != 2))
			continue;
		place->leaf_iova = place->iova = iova + (slots[i] << size_lg2);
		place->last = place->iova | mask;
		place->oa = (i & 1 ? UINT64_C(0x5555555555555555) : UINT64_C(0xaaaaaaaaaaaaaaaa)) & oa_mask & ~mask;
		place->all = i < 2;
		if (i == 2) {
			if (place->iova > iova && place->oa)
				place->iova -= unit;
			if (place->last < last && (place->oa | mask) < oa_mask)
				place->last += unit;
		}
		made++;
	}
	return made;
}

static void prove_leaf_size(struct prover *r, unsigned size_lg2, uint64_t iova, uint64_t last)
{
	struct prove_place places[PLACES_MAX];
	uint64_t points[POINTS_MAX];
	unsigned places_nr, points_nr, i, k;

	places_nr = prove_places(r, size_lg2, iova, last, places);
	for (i = 0; i < places_nr; i++) {
		points_nr = prove_points(r, size_lg2, places[i].all, points);
		for (k = 0; k < points_nr && r->p->end == PROVE_RUNNING; k++)
			prove_cut(r, &places[i], size_lg2, places[i].leaf_iova + (points[k] << r->unit_lg2));
	}
}

/* --- the whole --- */

/* What the engine declares. False if that alone is a finding. */
static bool prove_declares(struct prover *r)
{
	struct prove *p = r->p;
	const char *why = "";
	bool size_change, leaf_to_table;

	p->now.cfg = r->cfg;
	p->now.ops_nr = p->now_needs = 0;
	if (!sigsetjmp(r->end, 0)) {
		if (exec_open(&r->x, &r->cfg, &why)) {
			snprintf(p->why, sizeof(p->why), "%s", why);
			p->end = PROVE_UNABLE;
			return false;
		}
		p->declared[PROVE_SIZE_CHANGE] = r->x.check.cap_size_change;
		p->declared[PROVE_LEAF_TO_TABLE] = r->x.check.cap_leaf_to_table;
		exec_close(&r->x);
		return true;
	}
	p->declared[PROVE_SIZE_CHANGE] = r->x.check.cap_size_change;
	p->declared[PROVE_LEAF_TO_TABLE] = r->x.check.cap_leaf_to_table;
	size_change = p->declared[PROVE_SIZE_CHANGE] != r->hw.cap_size_change;
	leaf_to_table = p->declared[PROVE_LEAF_TO_TABLE] != r->hw.cap_leaf_to_table;
	p->domain[PROVE_SIZE_CHANGE] += size_change;
	p->domain[PROVE_LEAF_TO_TABLE] += leaf_to_table;
	p->other += !size_change && !leaf_to_table;
	exec_abandon(&r->x);
	prove_keep(p);
	return false;
}

/* One half of the iova space, or all of it. */
static void prove_part(struct prover *r, uint64_t iova, uint64_t last)
{
	unsigned size_lg2;

	for (size_lg2 = r->unit_lg2; size_lg2 < 64; size_lg2++) {
		if (!(r->cfg.pgsizes >> size_lg2 & 1) || size_lg2 > r->hw.oa_lg2 || last - iova < layout_mask(size_lg2))
			continue;
		r->p->sizes |= UINT64_C(1) << size_lg2;
		/* The smallest page cannot be cut. */
		if (size_lg2 > r->unit_lg2)
			prove_leaf_size(r, size_lg2, iova, last);
	}
}

static void prove_model(struct prover *r)
{
	const char *why = "";
	unsigned prot;

	if (hw_init(&r->hw, &r->cfg, &why)) {
		snprintf(r->p->why, sizeof(r->p->why), "%s", why);
		r->p->end = PROVE_UNABLE;
		return;
	}
	r->unit_lg2 = (unsigned)__builtin_ctzll(r->cfg.pgsizes);
	r->prots_nr = 0;
	for (prot = 0; prot <= PROT_ALL; prot++)
		if (prot & PROT_ACCESS && r->hw.format->expressible(&r->hw, prot))
			r->prots[r->prots_nr++] = (uint8_t)prot;
	r->p->models |= 1u << r->cfg.model;
	if (!prove_declares(r))
		return;
	if (r->hw.has_low)
		prove_part(r, 0, r->hw.iova_low_last);
	if (r->hw.has_high)
		prove_part(r, r->hw.iova_high_first, UINT64_MAX);
}

/* The configuration under another memory model. False if its device cannot be such a one. */
static bool prove_variant(struct config *cfg, enum config_model model)
{
	struct config other = *cfg;
	char err[240];

	other.model = (uint8_t)model;
	other.coherent = model != MODEL_INCOHERENT;
	if (exec_resolve(&other, err, sizeof(err))) {
		/* A device that does not snoop may be another vendor's. */
		other.tlb = CONFIG_UNSET;
		if (model != MODEL_INCOHERENT || exec_resolve(&other, err, sizeof(err)))
			return false;
	}
	*cfg = other;
	return true;
}

void prove_config(struct prove *p, const struct config *cfg, bool quick)
{
	struct exec_options exec = { .arena_bytes = ARENA_BYTES, .checks = exec_defaults.checks, .observed = true };
	struct prover *r = calloc(1, sizeof(*r));
	unsigned model;

	p->end = PROVE_UNABLE;
	snprintf(p->why, sizeof(p->why), "out of memory");
	if (!r || exec_init(&r->x, &exec, prove_caught, r)) {
		free(r);
		return;
	}
	p->end = PROVE_RUNNING;
	r->p = p;
	r->bounds = quick ? &prove_bounds_quick : &prove_bounds;
	for (model = 0; model < MODEL_NR && p->end == PROVE_RUNNING; model++) {
		r->cfg = *cfg;
		if (model == cfg->model || (cfg->coherent && prove_variant(&r->cfg, (enum config_model)model)))
			prove_model(r);
	}
	if (p->end == PROVE_RUNNING)
		p->end = PROVE_DONE;
	exec_release(&r->x);
	free(r);
}
