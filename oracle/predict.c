/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * predict.c - what a call must return, from the interval map and the configuration alone. It looks at no table.
 */
#include <errno.h>

#include "check.h"
#include "dirty.h"

/* 0, -EINVAL, -ERANGE: the order of engine.h. */
static int predict_range(const struct hw *hw, uint64_t iova, uint64_t last)
{
	if (last < iova)
		return -EINVAL;
	if (!hw_iova_valid(hw, iova) || !hw_iova_valid(hw, last))
		return -ERANGE;
	/* From the lower part into the upper one a range crosses the hole. */
	if (hw->has_low && hw->has_high && iova <= hw->iova_low_last && last >= hw->iova_high_first)
		return -ERANGE;
	return 0;
}

static bool predict_aligned(const struct check *c, uint64_t iova, uint64_t last, uint64_t oa)
{
	return !((iova | (last + 1) | oa) & layout_mask(c->small_lg2));
}

/* Likewise for unmap and dirty, whose range may be any bytes to some. */
static bool predict_whole(const struct check *c, const struct call *call)
{
	return c->traits.set & TRAIT_ANY_BYTES || predict_aligned(c, call->iova, call->last, 0);
}

/* A root that can grow does so until it spans the whole range and its tables are high enough for the first leaf. */
static unsigned predict_root(const struct check *c, const struct call *call)
{
	struct layout_leaf first = layout_find(c->hw.cfg.pgsizes, call->iova, call->last, call->oa, call->iova);
	unsigned level = c->root_level;

	while (level < c->hw.top_level_max &&
	       (first.size_lg2 >= c->hw.item_lg2[level + 1] || call->last > layout_mask(c->hw.item_lg2[level + 1])))
		level++;
	return level;
}

/* Whether last lies above the root as it is, and that is out of range to this engine. */
static bool predict_above_top(const struct check *c, uint64_t last)
{
	return c->traits.set & TRAIT_TOP_IS_BOUND && c->root_level < c->hw.top_level_max &&
	       last > layout_mask(c->hw.item_lg2[c->root_level] + c->hw.index_lg2[c->root_level]);
}

static void predict_map(const struct check *c, const struct call *call, struct call_expect *want)
{
	uint64_t oa_last = layout_mask(c->hw.oa_lg2);
	const struct imap_piece *p;
	struct layout_leaf leaf;

	want->ret = predict_range(&c->hw, call->iova, call->last);
	if (want->ret == -EINVAL || !(call->prot & PROT_ACCESS) || (call->prot & ~(unsigned)PROT_ALL))
		want->ret = -EINVAL;
	else if (want->ret || call->oa > oa_last || call->last - call->iova > oa_last - call->oa)
		want->ret = -ERANGE;
	else if (!predict_aligned(c, call->iova, call->last, call->oa))
		want->ret = -ENXIO;
	else if (!(c->traits.set & TRAIT_PROT) && !c->hw.format->expressible(&c->hw, call->prot))
		want->ret = -EOPNOTSUPP;
	if (want->ret)
		return;
	want->done = true;
	want->done_last = call->last;
	want->root_level = predict_root(c, call);
	p = imap_from(&c->im, call->iova, NULL);
	if (!p || p->iova > call->last)
		return;
	/* The first leaf that would overlap is not made, nor any after it. */
	want->ret = -EADDRINUSE;
	leaf = layout_find(c->hw.cfg.pgsizes, call->iova, call->last, call->oa, p->iova > call->iova ? p->iova : call->iova);
	want->done = leaf.iova > call->iova;
	want->done_last = leaf.iova - 1;
}

/* Whether every item of the leaf can be a leaf, or leaves, of its own after a cut at iova. */
static bool predict_cut_keeps_level(const struct check *c, const struct imap_piece *p, const struct layout_leaf *leaf, unsigned level,
				    uint64_t iova)
{
	unsigned item_lg2 = c->hw.item_lg2[level];
	uint64_t at = leaf->iova;

	for (;;) {
		bool left = at < iova;
		struct layout_leaf new = layout_find(c->hw.cfg.pgsizes, left ? p->iova : iova, left ? iova - 1 : p->last,
						     left ? p->oa : p->oa + (iova - p->iova), at);

		if (new.size_lg2 < item_lg2)
			return false;
		if (new.last >= leaf->last)
			return true;
		at = new.last + 1;
	}
}

static void predict_cut(const struct check *c, const struct call *call, struct call_expect *want)
{
	const struct imap_piece *p;
	struct layout_leaf leaf;
	unsigned level;

	want->ret = predict_range(&c->hw, call->iova, call->iova);
	if (!want->ret && (call->iova & layout_mask(c->small_lg2)))
		want->ret = -ENXIO;
	if (!want->ret && predict_above_top(c, call->iova))
		want->ret = -ERANGE;
	if (c->traits.set & TRAIT_NO_CUT)
		want->ret = -EOPNOTSUPP;
	if (want->ret)
		return;
	p = imap_find(&c->im, call->iova, NULL);
	if (!p) {
		want->ret = -ENOENT;
		return;
	}
	leaf = layout_leaf(c->hw.cfg.pgsizes, p, call->iova);
	want->hull = (struct call_range){ leaf.iova, leaf.last };
	if (leaf.iova == call->iova)
		return;
	level = check_level_of(&c->hw, leaf.size_lg2);
	if (leaf.size_lg2 > c->hw.item_lg2[level] && !c->cap_size_change)
		want->ret = -EOPNOTSUPP;
	else if (!c->cap_leaf_to_table && !predict_cut_keeps_level(c, p, &leaf, level, call->iova))
		want->ret = -EOPNOTSUPP;
}

static void predict_unmap(const struct check *c, const struct call *call, struct call_expect *want)
{
	const struct imap_piece *p;
	struct imap_pos pos;
	struct layout_leaf leaf;

	want->ret = predict_range(&c->hw, call->iova, call->last);
	if (!want->ret && !predict_whole(c, call))
		want->ret = -ENXIO;
	if (!want->ret && predict_above_top(c, call->last))
		want->ret = -ERANGE;
	if (want->ret == -ERANGE && c->traits.set & TRAIT_QUIET_UNMAP) {
		want->ret = predict_whole(c, call) ? 0 : -ENXIO;
		want->hull = (struct call_range){ 1, 0 };
		return;
	}
	if (want->ret)
		return;
	p = imap_find(&c->im, call->iova, &pos);
	if (!p || layout_leaf(c->hw.cfg.pgsizes, p, call->iova).iova != call->iova)
		return;
	want->done = true;
	while (p->last < call->last) {
		want->done_last = p->last;
		p = imap_next(&pos);
		if (!p || p->iova != want->done_last + 1)
			return;
	}
	/* The last leaf goes whole, or stays whole. */
	leaf = layout_leaf(c->hw.cfg.pgsizes, p, call->last);
	if (c->traits.set & TRAIT_WHOLE_LEAVES && leaf.last > call->last) {
		want->done = leaf.iova > call->iova;
		want->done_last = leaf.iova - 1;
		return;
	}
	want->done_last = leaf.last;
	if (leaf.last > want->hull.last)
		want->hull.last = leaf.last;
}

static void predict_dirty(const struct check *c, const struct call *call, struct call_expect *want)
{
	want->ret = predict_range(&c->hw, call->iova, call->last);
	if (!want->ret && !predict_whole(c, call))
		want->ret = -ENXIO;
	if (!want->ret && !c->hw.has_dirty)
		want->ret = -EOPNOTSUPP;
	if (!want->ret && predict_above_top(c, call->last))
		want->ret = -ERANGE;
}

static void predict_translate(const struct check *c, const struct call *call, struct call_expect *want)
{
	const struct imap_piece *p;

	want->ret = predict_range(&c->hw, call->iova, call->iova);
	if (want->ret && c->traits.set & TRAIT_ZERO_IS_HOLE)
		want->ret = -ENOENT;
	if (want->ret)
		return;
	p = imap_find(&c->im, call->iova, NULL);
	if (p)
		want->oa = p->oa + (call->iova - p->iova);
	if (!p || (c->traits.set & TRAIT_ZERO_IS_HOLE && !want->oa))
		want->ret = -ENOENT;
}

void check_predict(const struct check *c, const struct call *call, struct call_expect *want)
{
	*want = (struct call_expect){ .hull = { call->iova, call->last }, .root_level = c->root_level };
	switch (call->kind) {
	case CALL_MAP:
		predict_map(c, call, want);
		break;
	case CALL_CUT:
		want->hull.last = call->iova;
		predict_cut(c, call, want);
		break;
	case CALL_UNMAP:
		predict_unmap(c, call, want);
		break;
	case CALL_DIRTY:
		predict_dirty(c, call, want);
		break;
	case CALL_TRANSLATE:
		want->hull.last = call->iova;
		predict_translate(c, call, want);
		break;
	case CALL_SYNC:
		break;
	}
}

static uint64_t predict_budget(const struct check *c, const struct call *call, const struct call_expect *want)
{
	uint64_t items = 0, known = c->blind ? c->view->live_nr : c->linked_nr;
	struct call_range hull = want->hull;
	unsigned level;

	if (hull.last < hull.iova)
		hull.last = hull.iova;
	for (level = 0; level <= c->hw.top_level_max; level++) {
		unsigned table_lg2 = c->hw.item_lg2[level] + c->hw.index_lg2[level];
		uint64_t tables = table_lg2 >= 64 ? 1 : (hull.last >> table_lg2) - (hull.iova >> table_lg2) + 1;

		if (tables > UINT64_C(1) << 40)
			tables = UINT64_C(1) << 40;
		/* Only a map or a cut can add tables to those that there are. */
		if (call->kind != CALL_MAP && call->kind != CALL_CUT && tables > known)
			tables = known;
		items += tables << c->hw.index_lg2[level];
	}
	return 64 + 16 * items;
}

uint64_t check_begin(struct check *c, const struct call *call)
{
	dirty_begin(c);
	check_predict(c, call, &c->want);
	return predict_budget(c, call, &c->want);
}

/* --- several writers --- */

/* What the caller must hold a lock over: the range, every piece that it overlaps, and so every leaf that goes or is cut with it. */
static struct call_range predict_claim(const struct check *c, const struct writer *w)
{
	struct call_range claim = w->want.hull;
	const struct imap_piece *p;

	/* A call that is refused for its arguments touches nothing. */
	if (w->want.ret && w->want.ret != -EADDRINUSE && w->want.ret != -ENOENT && w->want.ret != -EOPNOTSUPP)
		return (struct call_range){ 1, 0 };
	if (claim.last < claim.iova)
		return (struct call_range){ 1, 0 };
	p = imap_find(&c->im, claim.iova, NULL);
	if (p)
		claim.iova = p->iova;
	p = imap_find(&c->im, claim.last, NULL);
	if (p)
		claim.last = p->last;
	return claim;
}

static bool predict_apart(const struct call_range *a, const struct call_range *b)
{
	return a->last < a->iova || b->last < b->iova || a->last < b->iova || b->last < a->iova;
}

const char *check_round_begin(struct check *c, struct writer *writers, unsigned nr, uint64_t *budgets)
{
	unsigned i, k;

	dirty_begin(c);
	for (i = 0; i < nr; i++) {
		struct writer *w = &writers[i];

		if (!check_may_call(c, &w->call))
			return "touches a range that still waits for a sync";
		check_predict(c, &w->call, &w->want);
		w->claim = predict_claim(c, w);
		w->span = (struct call_range){ UINT64_MAX, 0 };
		budgets[i] = predict_budget(c, &w->call, &w->want);
		for (k = 0; k < i; k++)
			if (!predict_apart(&w->claim, &writers[k].claim))
				return "has two writers touch the same range or the same piece";
	}
	c->writers = writers;
	c->writers_nr = nr;
	return NULL;
}
