/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gen.h - the built-in generator: which kind of operation comes next. What it looks like is pick.h's choice.
 */
#ifndef HITLESS_GEN_H
#define HITLESS_GEN_H

#include "op.h"
#include "pick.h"
#include "rng.h"

/*
 * struct gen - a run's generator.
 *
 * @weights: how often each kind comes, relative to @weights_sum; 0: absent in this run
 * @spoil, @fail, @devices: of 1024 operations, how many are made invalid, get a failing allocation, and get a device that acts in the middle
 * @pieces_max: above this many live pieces, unmap comes more often
 */
struct gen {
	struct rng rng;
	struct pick pick;
	uint32_t weights[OP_NR], weights_sum;
	uint32_t spoil, fail, devices;
	size_t pieces_max;
};

enum gen_profile {
	GEN_VARIED,  /* weights drawn anew from the seed; some kinds of operation may be absent */
	GEN_DEFAULT, /* the default mix, that rates are quoted for */
};

/* im and hw are borrowed and may change between operations as the run goes on. The same seed, map and geometry give the same operations. */
void gen_init(struct gen *g, uint64_t seed, enum gen_profile profile, const struct imap *im, const struct hw *hw);

void gen_next(struct gen *g, struct op *op);

#endif
