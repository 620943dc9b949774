/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * latency.h - how long things took, as a histogram with four steps to each power of two: a percentile is right to a fifth. One thread adds,
 * others may read meanwhile.
 */
#ifndef HITLESS_LATENCY_H
#define HITLESS_LATENCY_H

#include <stdint.h>
#include <time.h>

#define LATENCY_STEPS_LG2 2
#define LATENCY_STEPS_NR (64 << LATENCY_STEPS_LG2)

struct latency {
	uint64_t nr[LATENCY_STEPS_NR];
};

/* CLOCK_MONOTONIC in nanoseconds. */
static inline uint64_t latency_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static inline unsigned latency_step(uint64_t ns)
{
	unsigned lg2 = 63 - (unsigned)__builtin_clzll(ns | 1), fine = 1u << LATENCY_STEPS_LG2;

	return lg2 < LATENCY_STEPS_LG2 ? (unsigned)ns
				       : (lg2 - LATENCY_STEPS_LG2 + 1) * fine + ((unsigned)(ns >> (lg2 - LATENCY_STEPS_LG2)) & (fine - 1));
}

/* The longest time that counts for this step, in nanoseconds. */
static inline uint64_t latency_limit(unsigned step)
{
	unsigned fine = 1u << LATENCY_STEPS_LG2, shift = step / fine ? step / fine - 1 : 0;

	return step < fine ? step : (((uint64_t)(step % fine + fine + 1)) << shift) - 1;
}

static inline void latency_add(struct latency *l, uint64_t ns)
{
	uint64_t *nr = &l->nr[latency_step(ns)];

	__atomic_store_n(nr, *nr + 1, __ATOMIC_RELAXED);
}

static inline void latency_sum(struct latency *to, const struct latency *from)
{
	unsigned i;

	for (i = 0; i < LATENCY_STEPS_NR; i++)
		to->nr[i] += __atomic_load_n(&from->nr[i], __ATOMIC_RELAXED);
}

/* In nanoseconds: so many percent took at most that long; 0 if nothing was timed. */
static inline uint64_t latency_percentile(const struct latency *l, double percent)
{
	uint64_t all = 0, below = 0, nr[LATENCY_STEPS_NR];
	unsigned i;

	for (i = 0; i < LATENCY_STEPS_NR; i++)
		all += nr[i] = l->nr[i];
	for (i = 0; all && i < LATENCY_STEPS_NR; i++) {
		below += nr[i];
		if ((double)below >= (double)all * percent / 100)
			return latency_limit(i);
	}
	return 0;
}

#endif
