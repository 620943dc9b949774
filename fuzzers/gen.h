/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gen.h - the built-in generator: which kind of operation comes next. What it looks like is pick.h's choice.
 *
 * Now and then a map or a cut becomes a failure sweep: it is made to fail at its first allocation, then at the next, until it goes through.
 * How far it came is read from the interval map; each try is an operation like any other.
 */
#ifndef HITLESS_GEN_H
#define HITLESS_GEN_H

#include "op.h"
#include "pick.h"
#include "rng.h"

/* Tries after which the operation of a failure sweep may go through. */
#define GEN_SWEEP_TRIES_MAX 64

/*
 * struct gen_sweep - the failure sweep that is running.
 *
 * @op:    what is made to fail; fail is the allocation that the last try failed at, 0 before the first
 * @left:  tries that are left; 0: no sweep is running
 * @rest:  a map that failed goes on behind what it made; otherwise that is unmapped and all of it is mapped again
 * @synced: what the last try and its unmap may owe has been synced; matters under deferred invalidation
 */
struct gen_sweep {
	struct op op;
	unsigned left;
	bool rest, synced;
};

/*
 * struct gen - a run's generator.
 *
 * @weights: how often each kind comes, relative to @weights_sum; 0: absent in this run
 * @spoil, @fail, @devices: of 1024 operations, how many are made invalid, get a failing allocation, and get a device that acts in the middle
 * @sweeps: of 1024 maps and cuts that ought to go through, how many become a failure sweep
 * @pieces_max: above this many live pieces, unmap comes more often
 * @plain:  every map is read-write, to an oa equal to its iova
 */
struct gen {
	struct rng rng;
	struct pick pick;
	uint32_t weights[OP_NR], weights_sum;
	uint32_t spoil, fail, devices, sweeps;
	size_t pieces_max;
	bool plain;
	struct gen_sweep sweep;
};

enum gen_profile {
	GEN_VARIED,  /* weights drawn anew from the seed; some kinds of operation may be absent */
	GEN_DEFAULT, /* the default mix, that rates are quoted for */
	GEN_BASELINE, /* map and unmap, read-write, oa equal to iova as far as oas go, nothing fails: what page tables' own random tests do */
};

/* im and hw are borrowed and may change between operations as the run goes on. The same seed, map and geometry give the same operations. */
void gen_init(struct gen *g, uint64_t seed, enum gen_profile profile, const struct imap *im, const struct hw *hw);

void gen_next(struct gen *g, struct op *op);

#endif
