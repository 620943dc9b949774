/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gen.c - the built-in generator. */
#include "gen.h"

#include <string.h>

static uint32_t gen_draw(void *source, uint32_t bound)
{
	return rng_below(source, bound);
}

/* The kinds in the default mix, of 1024. */
static const uint32_t gen_default[OP_NR] = {
	[OP_MAP] = 410, [OP_CUT] = 325,  [OP_UNMAP] = 180,    [OP_DIRTY] = 20,
	[OP_READ] = 15, [OP_WRITE] = 30, [OP_TRANSLATE] = 35, [OP_SYNC] = 4,
};

/* In the default mix an operation has at most this many leaves; varied runs go up to PICK_LEAVES_MAX. */
#define GEN_DEFAULT_LEAVES_MAX 2048

static void gen_baseline(struct gen *g)
{
	memset(g->weights, 0, sizeof(g->weights));
	g->weights[OP_MAP] = g->weights[OP_UNMAP] = 512;
	g->spoil = g->fail = g->devices = g->sweeps = 0;
	g->plain = true;
}

void gen_init(struct gen *g, uint64_t seed, enum gen_profile profile, const struct imap *im, const struct hw *hw)
{
	unsigned kind;

	memset(g, 0, sizeof(*g));
	rng_init(&g->rng, seed);
	pick_init(&g->pick, gen_draw, &g->rng, im, hw);
	memcpy(g->weights, gen_default, sizeof(g->weights));
	g->spoil = 24;
	g->fail = 16;
	g->devices = 32;
	g->sweeps = 4;
	/* As many pieces as a quarter of a usual arena has room for if each needs a table of its own. */
	g->pieces_max = ((size_t)64 << 20) >> (hw->index_lg2[0] + hw->item_bytes_lg2);
	if (profile == GEN_DEFAULT)
		g->pick.leaves_max = GEN_DEFAULT_LEAVES_MAX;
	if (profile == GEN_VARIED) {
		for (kind = 0; kind < OP_NR; kind++) {
			/* An eighth of the runs do without a kind; map is what all others need. */
			g->weights[kind] = g->weights[kind] * (1 + rng_below(&g->rng, 16)) / 4;
			if (kind != OP_MAP && kind != OP_SYNC && !rng_below(&g->rng, 8))
				g->weights[kind] = 0;
		}
		g->spoil = rng_below(&g->rng, 4) ? 24 : rng_below(&g->rng, 128);
		g->fail = rng_below(&g->rng, 4) ? 16 : rng_below(&g->rng, 256);
		g->devices = rng_below(&g->rng, 2) ? 64 : rng_below(&g->rng, 512);
		g->sweeps = rng_below(&g->rng, 4) ? 16 : rng_below(&g->rng, 256);
		g->pieces_max = (size_t)4 << rng_below(&g->rng, 9);
	}
	if (profile == GEN_BASELINE)
		gen_baseline(g);
	/* Where nothing live may change every cut inside a leaf is refused: some are enough. */
	if (!hw->cap_leaf_to_table)
		g->weights[OP_CUT] = (g->weights[OP_CUT] + 7) / 8;
	/* A device that keeps no dirty state refuses to report it: rarely worth asking. */
	if (!hw->has_dirty) {
		g->weights[OP_DIRTY] = (g->weights[OP_DIRTY] + 7) / 8;
	} else if (profile == GEN_VARIED) {
		g->weights[OP_DIRTY] *= 3;
		g->weights[OP_WRITE] *= 3;
	}
	/* Where the device sets nothing in an entry, nobody can tell what it did. */
	if (!hw->cfg.ad)
		g->devices = 0;
	if (hw->cfg.defer)
		g->weights[OP_SYNC] = 128;
	for (kind = 0; kind < OP_NR; kind++)
		g->weights_sum += g->weights[kind];
}

/* Whether nothing but a lack of memory is in the way of the operation, and it may need some. */
static bool gen_sweep_pays(const struct gen *g, const struct op *op)
{
	const struct hw *hw = g->pick.hw;
	const struct imap_piece *p;

	if (op->kind == OP_CUT) {
		p = imap_find(g->pick.im, op->iova, NULL);
		return p && p->iova != op->iova && hw->cap_leaf_to_table;
	}
	if (op->kind != OP_MAP || op->last < op->iova || !hw_iova_valid(hw, op->iova) || !hw_iova_valid(hw, op->last))
		return false;
	return !imap_overlaps(g->pick.im, op->iova, op->last) && (!hw->format || hw->format->expressible(hw, op->prot));
}

static void gen_sweep_start(struct gen *g, const struct op *op)
{
	const struct hw *hw = g->pick.hw;

	g->sweep.op = *op;
	g->sweep.op.fail = 0;
	g->sweep.left = GEN_SWEEP_TRIES_MAX;
	/* Roots that a growth could not complete are all given back: going on where it failed would be trying the same again. */
	g->sweep.rest = hw->top_level == hw->top_level_max && rng_below(&g->rng, 2);
	g->sweep.synced = false;
}

/*
 * Whether the last try went through, or none was needed. Of a map that did not, *last is the end of what it made: whole leaves; the iova
 * before its own if it made nothing.
 */
static bool gen_sweep_done(const struct gen *g, uint64_t *last)
{
	const struct op *op = &g->sweep.op;
	const struct imap_piece *p = imap_find(g->pick.im, op->iova, NULL);

	*last = op->iova - 1;
	if (op->kind == OP_CUT)
		return !p || p->iova == op->iova;
	if (p)
		*last = p->last;
	return p && p->last >= op->last;
}

/*
 * The allocation to fail at next. A map that failed keeps the tables that it has linked. So where it goes on behind what it made, the first
 * one that it still needs is the one that it could not get; next to fail is that one's DMA mapping, if it has one, or the second table.
 */
static uint16_t gen_sweep_ordinal(const struct gen *g)
{
	unsigned fail = g->sweep.op.fail;

	return (uint16_t)(g->sweep.rest && g->sweep.op.kind == OP_MAP && fail == (g->pick.hw->cfg.coherent ? 2 : 3) ? 2 : fail + 1);
}

/* The next operation of the failure sweep; false: it is over. */
static bool gen_sweep_next(struct gen *g, struct op *op)
{
	struct gen_sweep *s = &g->sweep;
	uint64_t last;

	if (!s->left || gen_sweep_done(g, &last)) {
		s->left = 0;
		return false;
	}
	if (s->op.kind == OP_MAP && last != s->op.iova - 1) {
		if (!s->rest) {
			*op = (struct op){ .kind = OP_UNMAP, .iova = s->op.iova, .last = last };
			return true;
		}
		s->op.oa += last + 1 - s->op.iova;
		s->op.iova = last + 1;
	}
	/* What waits for a sync may not be mapped or cut. */
	if (g->pick.hw->cfg.defer && !s->synced) {
		*op = (struct op){ .kind = OP_SYNC };
		s->synced = true;
		return true;
	}
	s->synced = false;
	/* The last of too many tries may go through. */
	s->op.fail = --s->left ? gen_sweep_ordinal(g) : 0;
	*op = s->op;
	return true;
}

/* An operation that has to do with none before it; it may start a failure sweep. */
static void gen_fresh(struct gen *g, struct op *op)
{
	uint32_t at = rng_below(&g->rng, g->weights_sum);
	unsigned kind = 0;

	while (at >= g->weights[kind])
		at -= g->weights[kind++];
	if (g->pick.im->nr > g->pieces_max && g->weights[OP_UNMAP] && rng_below(&g->rng, 2))
		kind = OP_UNMAP;
	pick_op(&g->pick, (enum op_kind)kind, op);
	if (g->plain && kind == OP_MAP) {
		op->oa = op->iova & ((UINT64_C(2) << (g->pick.hw->oa_lg2 - 1)) - 1);
		op->prot = PROT_R | PROT_W;
	}
	if (rng_below(&g->rng, 1024) < g->sweeps && gen_sweep_pays(g, op)) {
		gen_sweep_start(g, op);
		gen_sweep_next(g, op);
		return;
	}
	if (rng_below(&g->rng, 1024) < g->spoil)
		pick_spoil(&g->pick, op);
	/* Growth allocates several tables at once, and happens seldom. */
	if (rng_below(&g->rng, 1024) < (op->kind == OP_MAP && g->pick.hw->top_level < g->pick.hw->top_level_max ? 4 * g->fail : g->fail))
		pick_fail(&g->pick, op);
}

void gen_next(struct gen *g, struct op *op)
{
	if (!gen_sweep_next(g, op))
		gen_fresh(g, op);
	if (g->devices && rng_below(&g->rng, 1024) < g->devices)
		pick_devices(&g->pick, op);
}
