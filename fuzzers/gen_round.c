/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gen_round.c - operations for several writers at the same time. */
#include "gen_round.h"

#include "../oracle/layout.h"

#define GEN_ROUND_TRIES 12
#define GEN_ROUND_LEAVES_MAX 32
#define GEN_ROUND_REMOVED_MAX 1024

/* What else a writer does beside mapping, of 16; a map is what races most: it makes tables. */
static const uint8_t round_kinds[16] = {
	OP_MAP, OP_MAP, OP_MAP, OP_MAP,   OP_MAP,   OP_MAP,   OP_UNMAP, OP_UNMAP,
	OP_UNMAP, OP_CUT, OP_CUT, OP_CUT, OP_DIRTY, OP_TRANSLATE, OP_TRANSLATE, OP_MAP,
};

/* What nobody else may touch meanwhile: the range and the pieces that it overlaps. */
static struct op round_claim(const struct gen *g, const struct op *op)
{
	bool point = op->kind == OP_CUT || op->kind == OP_TRANSLATE;
	struct op claim = { .iova = op->iova, .last = point ? op->iova : op->last };
	const struct imap_piece *p = imap_find(g->pick.im, claim.iova, NULL);

	if (p)
		claim.iova = p->iova;
	p = imap_find(g->pick.im, claim.last, NULL);
	if (p)
		claim.last = p->last;
	return claim;
}

static bool round_apart(const struct gen *g, const struct op *ops, unsigned nr, const struct op *op)
{
	struct op claim = round_claim(g, op), other;
	unsigned i;

	if (claim.last < claim.iova || !hw_iova_valid(g->pick.hw, op->iova))
		return false;
	for (i = 0; i < nr; i++) {
		other = round_claim(g, &ops[i]);
		if (claim.iova <= other.last && other.iova <= claim.last)
			return false;
	}
	return true;
}

/* A map beside the range of an operation: right behind it or before it, or one, two... items of some level further. */
static void round_map_beside(struct gen *g, const struct op *beside, struct op *op)
{
	struct pick *p = &g->pick;
	const struct hw *hw = p->hw;
	struct op claim = round_claim(g, beside);
	unsigned page_lg2 = pick_page_lg2(p);
	uint64_t length = pick_length(p, page_lg2), gap = 0;

	if (!rng_below(&g->rng, 3))
		gap = (uint64_t)(1 + rng_below(&g->rng, 3)) << hw->item_lg2[rng_below(&g->rng, hw->top_level_max + 1u)];
	gap &= ~((UINT64_C(1) << pick_granule_lg2(hw)) - 1);
	*op = (struct op){ .kind = OP_MAP };
	if (rng_below(&g->rng, 2)) {
		op->iova = claim.last + 1 + gap;
		op->last = op->iova + length - 1;
	} else {
		op->last = claim.iova - 1 - gap;
		op->iova = op->last - (length - 1);
	}
	op->oa = pick_oa(p, op->iova, op->last, page_lg2);
	op->prot = (uint8_t)pick_prot(p);
}

/* A map across the edge of two tables: it has got somewhere by the time that it needs the second one, which whoever is beside it may need as well. */
static void round_map_across(struct gen *g, struct op *op)
{
	struct pick *p = &g->pick;
	const struct hw *hw = p->hw;
	unsigned page_lg2 = pick_page_lg2(p), level = 1 + rng_below(&g->rng, hw->top_level_max);
	uint64_t page = UINT64_C(1) << page_lg2, edge = op->iova & ~layout_mask(hw->item_lg2[level]);
	uint64_t before = page * (1 + rng_below(&g->rng, 2)), behind = page * (1 + rng_below(&g->rng, 2));

	if (edge < before || page_lg2 >= hw->item_lg2[level])
		return;
	op->iova = edge - before;
	op->last = edge + behind - 1;
	op->oa = pick_oa(p, op->iova, op->last, page_lg2);
}

/* A range of a piece that is near one of the operations. */
static void round_near(struct gen *g, enum op_kind kind, const struct op *beside, struct op *op)
{
	struct op claim = round_claim(g, beside);
	const struct imap_piece *p = rng_below(&g->rng, 2) ? imap_from(g->pick.im, claim.last + 1, NULL) : NULL;

	pick_op(&g->pick, kind, op);
	if (!p || p->iova <= claim.last)
		return;
	op->iova = p->iova;
	op->last = p->last;
	if (kind == OP_CUT)
		op->iova = pick_inside(&g->pick, p);
}

/* How many leaves the pieces have that the operation overlaps; of a cut, those that it may make. */
static uint64_t round_leaves(const struct gen *g, const struct op *op)
{
	const struct hw *hw = g->pick.hw;
	uint64_t sizes = hw->cfg.pgsizes ? hw->cfg.pgsizes : hw->leaf_sizes, nr = 0;
	struct op claim = round_claim(g, op);
	const struct imap_piece *p;
	struct layout_leaf leaf;
	struct imap_pos pos;

	if (op->kind == OP_MAP)
		return pick_leaves(hw, op->iova, op->last, op->oa);
	if (op->kind == OP_TRANSLATE)
		return 1;
	p = imap_from(g->pick.im, claim.iova, &pos);
	if (op->kind == OP_CUT && p && p->iova <= op->iova) {
		leaf = layout_leaf(sizes, p, op->iova);
		return leaf.iova == op->iova ? 1
					     : pick_leaves(hw, leaf.iova, op->iova - 1, p->oa + (leaf.iova - p->iova)) +
						       pick_leaves(hw, op->iova, leaf.last, p->oa + (op->iova - p->iova));
	}
	for (; p && p->iova <= claim.last && nr <= GEN_ROUND_REMOVED_MAX; p = imap_next(&pos))
		nr += pick_leaves(hw, p->iova, p->last, p->oa);
	return nr;
}

/* Many leaves are many primitives, among which a race is hard to meet. */
static bool round_small(const struct gen *g, const struct op *op)
{
	return round_leaves(g, op) <= (op->kind == OP_MAP ? GEN_ROUND_LEAVES_MAX : GEN_ROUND_REMOVED_MAX);
}

static void round_pick(struct gen *g, enum op_kind kind, struct op *op)
{
	pick_op(&g->pick, kind, op);
	if (kind == OP_MAP && g->pick.hw->top_level_max && !rng_below(&g->rng, 3))
		round_map_across(g, op);
}

unsigned gen_round(struct gen *g, struct op *ops)
{
	unsigned want = 2 + !rng_below(&g->rng, 3), nr = 0, tries;

	for (tries = 0; nr < want && tries < GEN_ROUND_TRIES; tries++) {
		enum op_kind kind = (enum op_kind)round_kinds[rng_below(&g->rng, 16)];
		struct op op;

		if (kind == OP_DIRTY && !g->pick.hw->has_dirty)
			kind = OP_UNMAP;
		if (kind == OP_CUT && !g->pick.hw->cap_leaf_to_table)
			kind = OP_MAP;
		if (!nr || !rng_below(&g->rng, 4))
			round_pick(g, kind, &op);
		else if (kind == OP_MAP)
			round_map_beside(g, &ops[rng_below(&g->rng, nr)], &op);
		else
			round_near(g, kind, &ops[rng_below(&g->rng, nr)], &op);
		if (op.last < op.iova && op.kind != OP_CUT && op.kind != OP_TRANSLATE)
			continue;
		if (!round_small(g, &op) || !round_apart(g, ops, nr, &op))
			continue;
		if (!rng_below(&g->rng, 12))
			pick_fail(&g->pick, &op);
		op.thread = (uint8_t)++nr;
		ops[nr - 1] = op;
	}
	return nr < 2 ? 0 : nr;
}
