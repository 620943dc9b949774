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
		g->pieces_max = (size_t)4 << rng_below(&g->rng, 9);
	}
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

void gen_next(struct gen *g, struct op *op)
{
	uint32_t at = rng_below(&g->rng, g->weights_sum);
	unsigned kind = 0;

	while (at >= g->weights[kind])
		at -= g->weights[kind++];
	if (g->pick.im->nr > g->pieces_max && g->weights[OP_UNMAP] && rng_below(&g->rng, 2))
		kind = OP_UNMAP;
	pick_op(&g->pick, (enum op_kind)kind, op);
	if (rng_below(&g->rng, 1024) < g->spoil)
		pick_spoil(&g->pick, op);
	/* Growth allocates several tables at once, and happens seldom. */
	if (rng_below(&g->rng, 1024) < (op->kind == OP_MAP && g->pick.hw->top_level < g->pick.hw->top_level_max ? 4 * g->fail : g->fail))
		pick_fail(&g->pick, op);
	if (g->devices && rng_below(&g->rng, 1024) < g->devices)
		pick_devices(&g->pick, op);
}
