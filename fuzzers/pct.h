/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pct.h - random schedules with a bound: priorities with change points (Burckhardt, Kothari, Musuvathi, Nagarakatte, "A randomized scheduler with
 * probabilistic guarantees of finding bugs", ASPLOS 2010).
 *
 * Each writer has a priority, drawn; the highest one runs. At d - 1 primitives, drawn from the first K, the one that runs falls below all others.
 * A race that d ordering constraints bring about in a round of n writers and at most K primitives is met with a probability of at least
 * 1 / (n K^(d-1)). How long a round will be nobody knows before, so K is drawn too, a power of two from 2^PCT_SCALE_MIN on, one of
 * PCT_SCALES_NR; and so is d, from 1 to PCT_DEPTH_MAX. That leaves at least 1 / (PCT_SCALES_NR PCT_DEPTH_MAX n K^(d-1)), K being the first of
 * these at or above the length of the round.
 */
#ifndef HITLESS_PCT_H
#define HITLESS_PCT_H

#include "rng.h"
#include "round.h"

#define PCT_DEPTH_MAX 4
#define PCT_SCALE_MIN 4
#define PCT_SCALES_NR 8

/*
 * struct pct - one schedule.
 *
 * @priority: by writer, the highest runs; @lowest: of all so far
 * @steps, @points: primitives so far, of all and of each writer
 * @change: where the next changes are, in steps, ascending; @changes_nr, @at: how many, the next one
 */
struct pct {
	int priority[MEM_WRITERS_MAX + 1], lowest;
	uint64_t steps, points[MEM_WRITERS_MAX + 1];
	uint64_t change[PCT_DEPTH_MAX];
	unsigned changes_nr, at;
};

/* pct_init - draw one. pct_choose is a round_choose_fn for it. */
void pct_init(struct pct *p, struct rng *rng);
unsigned pct_choose(void *arg, unsigned writer, uint64_t points, enum round_why why, unsigned runnable, uint64_t *switch_at);

/* pct_bound - one in how many rounds of so many writers and primitives meets a race of this depth, at least; infinity beyond the largest K. */
double pct_bound(unsigned writers, uint64_t points, unsigned depth);

#endif
