/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stress_op.c - the operations of a stress writer. */
#include "stress_op.h"

#include <string.h>

#include "../oracle/layout.h"

#define GEN_PIECES_MAX 48 /* above this many, unmap comes more often */

/* A stripe in addresses. */
struct gen_range {
	uint64_t iova, last;
};

static uint64_t gen_mask(const struct stress_gen *g)
{
	return layout_mask(g->d->flat.page_lg2);
}

static struct gen_range gen_stripe(const struct stress_gen *g, unsigned i)
{
	const struct stress_stripe *s = &g->d->stripes[g->mine[i]];

	return (struct gen_range){ flat_iova(&g->d->flat, s->first), flat_iova(&g->d->flat, s->last) | gen_mask(g) };
}

static struct gen_range gen_any_stripe(struct stress_gen *g)
{
	return gen_stripe(g, rng_below(&g->rng, g->mine_nr));
}

/* The stripe that iova, which is mapped, lies in. */
static struct gen_range gen_stripe_of(const struct stress_gen *g, uint64_t iova)
{
	struct gen_range r = gen_stripe(g, 0);
	unsigned i;

	for (i = 0; i < g->mine_nr; i++) {
		r = gen_stripe(g, i);
		if (iova >= r.iova && iova <= r.last)
			break;
	}
	return r;
}

static uint32_t gen_pages(const struct stress_gen *g, uint64_t iova, uint64_t last)
{
	return (uint32_t)((last - iova) >> g->d->flat.page_lg2) + 1;
}

static uint64_t gen_page_in(struct stress_gen *g, uint64_t iova, uint64_t last)
{
	return iova + ((uint64_t)rng_below(&g->rng, gen_pages(g, iova, last)) << g->d->flat.page_lg2);
}

/* A page size that is enabled, not below the unit, and fits into an island. */
static unsigned gen_size(struct stress_gen *g)
{
	const struct flat *f = &g->d->flat;
	uint64_t sizes = g->d->x.cfg.pgsizes & layout_mask(f->page_lg2 + f->island_lg2 + 1) & ~layout_mask(f->page_lg2);
	unsigned n = rng_below(&g->rng, (uint32_t)__builtin_popcountll(sizes));

	while (n--)
		sizes &= sizes - 1;
	return (unsigned)__builtin_ctzll(sizes);
}

static const struct imap_piece *gen_piece(struct stress_gen *g)
{
	return g->im->nr ? imap_nth(g->im, rng_below(&g->rng, (uint32_t)g->im->nr)) : NULL;
}

static unsigned gen_prot(struct stress_gen *g)
{
	return g->d->prots[rng_below(&g->rng, g->d->prots_nr)];
}

/* The first hole of a stripe from a random page on; false if there is none. */
static bool gen_hole(struct stress_gen *g, const struct gen_range *in, uint64_t *first, uint64_t *last)
{
	const struct imap_piece *p;
	unsigned tries;

	*first = gen_page_in(g, in->iova, in->last);
	for (tries = 0; tries < 2; tries++) {
		while ((p = imap_find(g->im, *first, NULL)) && p->last < in->last)
			*first = p->last + 1;
		if (!p) {
			p = imap_from(g->im, *first, NULL);
			*last = p && p->iova <= in->last ? p->iova - 1 : in->last;
			return true;
		}
		*first = in->iova;
	}
	return false;
}

/*
 * Half of a stretch of the oa space twice as long as an island, a new one each time and no other writer's; rarely congruent to less than
 * the island. So an old translation does not look right by chance.
 */
static uint64_t gen_oa(struct stress_gen *g, uint64_t iova)
{
	const struct flat *f = &g->d->flat;
	unsigned lg2 = f->page_lg2 + f->island_lg2;
	uint64_t oa, stretch = g->oas_nr++ * g->d->writers_nr + g->writer;

	oa = (lg2 + 1 < g->d->x.cfg.oas ? stretch << (lg2 + 1) & layout_mask(g->d->x.cfg.oas) : 0) + (iova & layout_mask(lg2));
	if (!rng_below(&g->rng, 8) && lg2 < g->d->x.cfg.oas)
		oa = (oa & ~layout_mask(lg2)) + (uint64_t)(rng_below(&g->rng, 1u << f->island_lg2)) * (gen_mask(g) + 1);
	return oa;
}

static bool gen_map(struct stress_gen *g, struct op *op)
{
	struct gen_range in = gen_any_stripe(g);
	unsigned size_lg2 = gen_size(g);
	uint64_t first, last, start, length;

	if (!gen_hole(g, &in, &first, &last))
		return false;
	start = (first + layout_mask(size_lg2)) & ~layout_mask(size_lg2);
	if (start < first || start > last || !rng_below(&g->rng, 4))
		start = first;
	length = (UINT64_C(1) << size_lg2) * (1 + rng_below(&g->rng, 3));
	if (!rng_below(&g->rng, 4))
		length += (gen_mask(g) + 1) * rng_below(&g->rng, 8);
	op->iova = start;
	op->last = length - 1 > last - start ? last : start + length - 1;
	/* Now and then into what follows the hole. */
	if (!rng_below(&g->rng, 32) && in.last - start >= length - 1)
		op->last = start + length - 1;
	op->oa = gen_oa(g, start);
	op->prot = gen_prot(g);
	op->kind = OP_MAP;
	return true;
}

static bool gen_cut(struct stress_gen *g, struct op *op)
{
	const struct imap_piece *p = gen_piece(g);
	unsigned tries = 4;

	if (!p)
		return false;
	op->kind = OP_CUT;
	do {
		op->iova = gen_page_in(g, p->iova, p->last);
		/* Half of them where a larger leaf may end. */
		if (rng_below(&g->rng, 2)) {
			uint64_t at = op->iova & ~layout_mask(gen_size(g));

			op->iova = at > p->iova ? at : op->iova;
		}
		if (layout_leaf(g->d->x.cfg.pgsizes, p, op->iova).iova != op->iova)
			break;
		p = gen_piece(g);
	} while (--tries);
	if (!rng_below(&g->rng, 32)) {
		struct gen_range in = gen_any_stripe(g);

		op->iova = gen_page_in(g, in.iova, in.last);
	}
	op->last = op->iova;
	return true;
}

static bool gen_unmap(struct stress_gen *g, struct op *op, bool wide)
{
	const struct imap_piece *p = gen_piece(g);
	struct gen_range in;

	if (!p)
		return false;
	op->kind = OP_UNMAP;
	op->iova = p->iova;
	if (!rng_below(&g->rng, 4)) {
		op->iova = gen_page_in(g, p->iova, p->last);
		if (rng_below(&g->rng, 8))
			op->iova = layout_leaf(g->d->x.cfg.pgsizes, p, op->iova).iova;
	}
	in = gen_stripe_of(g, op->iova);
	op->last = p->last;
	if (wide || !rng_below(&g->rng, 4))
		op->last = gen_page_in(g, op->iova, in.last) + gen_mask(g);
	else if (!rng_below(&g->rng, 3))
		op->last = layout_leaf(g->d->x.cfg.pgsizes, p, op->iova).last;
	return true;
}

/* A block of some page size inside one stripe. */
static void gen_choose_block(struct stress_gen *g)
{
	struct gen_range in = gen_any_stripe(g);
	unsigned one = gen_size(g), other = gen_size(g), lg2 = one > other ? one : other;
	uint64_t first;

	for (;; lg2--) {
		first = (in.iova + layout_mask(lg2)) & ~layout_mask(lg2);
		if (first >= in.iova && first <= in.last && in.last - first >= layout_mask(lg2))
			break;
	}
	first += (uint64_t)rng_below(&g->rng, (uint32_t)((in.last - first - layout_mask(lg2)) >> lg2) + 1) << lg2;
	g->block_iova = first;
	g->block_last = first + layout_mask(lg2);
}

/* A page of the block, inside a leaf if some tries find one. */
static uint64_t gen_block_cut(struct stress_gen *g)
{
	const struct imap_piece *p;
	unsigned tries = 4;
	uint64_t iova;

	do {
		iova = gen_page_in(g, g->block_iova, g->block_last);
		p = imap_find(g->im, iova, NULL);
	} while (p && layout_leaf(g->d->x.cfg.pgsizes, p, iova).iova == iova && --tries);
	/* Only leaves that are too small are left. */
	if (!tries)
		g->cuts_left = 0;
	return iova;
}

/* What random operations rarely leave behind, a large leaf to cut: choose a block, empty it, map it, cut it a few times. */
static void gen_block(struct stress_gen *g, struct op *op)
{
	const struct imap_piece *p;

	if (g->cuts_left) {
		g->cuts_left--;
		op->kind = OP_CUT;
		op->iova = op->last = gen_block_cut(g);
		if (!g->cuts_left)
			g->block_last = g->block_iova;
		return;
	}
	if (g->block_last == g->block_iova)
		gen_choose_block(g);
	p = imap_from(g->im, g->block_iova, NULL);
	op->last = g->block_last;
	if (p && p->iova <= g->block_last) {
		op->kind = OP_UNMAP;
		op->iova = p->iova > g->block_iova ? p->iova : layout_leaf(g->d->x.cfg.pgsizes, p, g->block_iova).iova;
		return;
	}
	op->kind = OP_MAP;
	op->iova = g->block_iova;
	op->oa = gen_oa(g, op->iova);
	op->prot = gen_prot(g);
	g->cuts_left = g->divides ? 1 + rng_below(&g->rng, 4) : !rng_below(&g->rng, 8);
	if (!g->cuts_left)
		g->block_last = g->block_iova;
}

void stress_gen_init(struct stress_gen *g, const struct stress_domain *d, unsigned writer, const struct imap *im, uint64_t seed)
{
	unsigned i;

	memset(g, 0, sizeof(*g));
	g->d = d;
	g->im = im;
	g->divides = (d->oracle.cap_size_change || d->oracle.cap_leaf_to_table) && !(d->oracle.traits.set & TRAIT_NO_CUT);
	g->writer = writer;
	rng_init(&g->rng, seed);
	for (i = 0; i < d->stripes_nr; i++)
		if (d->stripes[i].writer == writer)
			g->mine[g->mine_nr++] = (uint16_t)i;
}

void stress_gen_next(struct stress_gen *g, struct op *op)
{
	unsigned kind = rng_below(&g->rng, 16);
	bool many = g->im->nr > GEN_PIECES_MAX, made = true;

	memset(op, 0, sizeof(*op));
	if (rng_below(&g->rng, 4))
		gen_block(g, op);
	else if (kind < 3 || (many && kind < 8))
		made = gen_unmap(g, op, many);
	else if (kind < 8 || (!g->divides && rng_below(&g->rng, 8)))
		made = gen_map(g, op);
	else
		made = gen_cut(g, op);
	/* Nothing is mapped, or all of the stripe is. */
	if (!made && !gen_map(g, op))
		gen_unmap(g, op, true);
	if (op->kind != OP_UNMAP && !rng_below(&g->rng, 64))
		op->fail = (uint16_t)(1 + rng_below(&g->rng, 3));
}
