/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress_op.h - what a stress writer does next: maps, cuts and unmaps at random, inside its own stripes.
 */
#ifndef HITLESS_STRESS_OP_H
#define HITLESS_STRESS_OP_H

#include "op.h"
#include "stress_domain.h"

/*
 * struct stress_gen - a writer's choices.
 *
 * @im:     what the writer has mapped
 * @divides: cuts may change something; otherwise they are rare
 * @mine, @mine_nr: its stripes, as indices
 * @oas_nr: stretches of the oa space that it has used
 * @block_iova, @block_last: the block that is being emptied, to be mapped at once; equal: there is none
 * @cuts_left: that are to be made in it; 0: it is not mapped yet
 */
struct stress_gen {
	const struct stress_domain *d;
	const struct imap *im;
	bool divides;
	unsigned writer;
	struct rng rng;
	uint16_t mine[STRESS_STRIPES_MAX];
	unsigned mine_nr;
	uint64_t oas_nr;
	uint64_t block_iova, block_last;
	unsigned cuts_left;
};

/* d is open; d and im are borrowed. */
void stress_gen_init(struct stress_gen *g, const struct stress_domain *d, unsigned writer, const struct imap *im, uint64_t seed);

/* stress_gen_next - fill in *op, all of it inside one stripe. */
void stress_gen_next(struct stress_gen *g, struct op *op);

#endif
