/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pct.c - random schedules with priorities and change points. */
#include "pct.h"

#include <math.h>
#include <string.h>

void pct_init(struct pct *p, struct rng *rng)
{
	uint32_t most = 1u << (PCT_SCALE_MIN + rng_below(rng, PCT_SCALES_NR));
	unsigned i, k;

	memset(p, 0, sizeof(*p));
	for (i = 1; i <= MEM_WRITERS_MAX; i++)
		p->priority[i] = (int)i;
	for (i = MEM_WRITERS_MAX; i > 1; i--) {
		unsigned other = 1 + rng_below(rng, i);
		int priority = p->priority[i];

		p->priority[i] = p->priority[other];
		p->priority[other] = priority;
	}
	p->changes_nr = rng_below(rng, PCT_DEPTH_MAX);
	for (i = 0; i < p->changes_nr; i++) {
		uint64_t change = 1 + rng_below(rng, most);

		for (k = i; k && p->change[k - 1] > change; k--)
			p->change[k] = p->change[k - 1];
		p->change[k] = change;
	}
}

static unsigned pct_highest(const struct pct *p, unsigned runnable)
{
	unsigned i, best = 0;

	for (i = 1; i <= MEM_WRITERS_MAX; i++)
		if (runnable >> i & 1 && (!best || p->priority[i] > p->priority[best]))
			best = i;
	return best;
}

unsigned pct_choose(void *arg, unsigned writer, uint64_t points, enum round_why why, unsigned runnable, uint64_t *switch_at)
{
	struct pct *p = arg;
	unsigned next;

	p->steps += points - p->points[writer];
	p->points[writer] = points;
	if (why == ROUND_WAITS)
		p->priority[writer] = --p->lowest;
	for (; p->at < p->changes_nr && p->change[p->at] <= p->steps; p->at++)
		p->priority[writer] = --p->lowest;
	next = pct_highest(p, runnable);
	/* Who goes on after a wait is not ours to say: that one is the highest now. */
	if (why == ROUND_WAITS) {
		unsigned usual = round_next(writer, why, runnable);
		int priority = p->priority[next];

		p->priority[next] = p->priority[usual];
		p->priority[usual] = priority;
		next = usual;
	}
	if (p->at < p->changes_nr)
		*switch_at = p->points[next] + (p->change[p->at] - p->steps);
	return next;
}

double pct_bound(unsigned writers, uint64_t points, unsigned depth)
{
	double most = 1u << PCT_SCALE_MIN, last = most * (1u << (PCT_SCALES_NR - 1));

	while (most < (double)points)
		most *= 2;
	return most > last || depth > PCT_DEPTH_MAX ? INFINITY : (double)PCT_SCALES_NR * PCT_DEPTH_MAX * writers * pow(most, depth - 1);
}
