/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress_pause.h - stops a thread where it stands, so that others see what lasts nanoseconds otherwise.
 *
 * Between two stores of a writer and between two loads of a slow reader. Seeded like everything else; gaps between pauses are one, or spread
 * evenly over powers of two, so that both two stores that follow each other and the 512 of a fill are torn apart often.
 */
#ifndef HITLESS_STRESS_PAUSE_H
#define HITLESS_STRESS_PAUSE_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "rng.h"

enum stress_pause { PAUSE_NONE, PAUSE_SPIN, PAUSE_YIELD, PAUSE_SLEEP, PAUSE_MIXED, PAUSE_NR };

extern const char *const stress_pause_names[PAUSE_NR];

#define PAUSE_SPIN_LG2_MAX 11
#define PAUSE_SLEEP_NS 20000
#define PAUSE_GAP_LG2_MAX 12
#define PAUSE_TURNS_MAX 6 /* in one operation */

/* A thread's own. @left: attempts until the next one; @turns: pauses that this operation may still make. */
struct stress_pauser {
	enum stress_pause kind;
	struct rng rng;
	uint32_t left, turns;
};

static inline void stress_pause_next(struct stress_pauser *p)
{
	p->left = rng_below(&p->rng, 4) ? 1 + rng_below(&p->rng, 1u << (1 + rng_below(&p->rng, PAUSE_GAP_LG2_MAX))) : 1;
}

static inline void stress_pause_init(struct stress_pauser *p, enum stress_pause kind, uint64_t seed)
{
	*p = (struct stress_pauser){ .kind = kind };
	rng_init(&p->rng, seed);
}

/* An operation begins. */
static inline void stress_pause_begin(struct stress_pauser *p)
{
	p->turns = 1 + rng_below(&p->rng, PAUSE_TURNS_MAX);
	stress_pause_next(p);
}

/* Stop now, for a time that depends on the kind. */
static inline void stress_pause_now(struct stress_pauser *p)
{
	enum stress_pause kind = p->kind == PAUSE_MIXED ? PAUSE_SPIN + rng_below(&p->rng, 3) : p->kind;
	struct timespec nap = { .tv_nsec = 1 + rng_below(&p->rng, PAUSE_SLEEP_NS) };
	volatile uint32_t turns;

	if (kind == PAUSE_YIELD)
		sched_yield();
	else if (kind == PAUSE_SLEEP)
		nanosleep(&nap, NULL);
	else if (kind == PAUSE_SPIN)
		for (turns = rng_below(&p->rng, 1u << (1 + rng_below(&p->rng, PAUSE_SPIN_LG2_MAX))); turns; turns--)
			;
}

/* All stores are done: stop more often, since what they came to is not to be seen for long. */
static inline void stress_pause_done(struct stress_pauser *p)
{
	if (p->kind != PAUSE_NONE && !rng_below(&p->rng, 4))
		stress_pause_now(p);
}

/* An attempt to store: stop before some of them. */
static inline void stress_pause_attempt(struct stress_pauser *p)
{
	if (!p->turns || --p->left)
		return;
	p->turns--;
	stress_pause_next(p);
	stress_pause_now(p);
}

#endif
