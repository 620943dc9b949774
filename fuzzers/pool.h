/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pool.h - what a worker of `hitless fuzz --mutate` keeps: the beginnings of traces that did something to the tables more often than any before
 * them (feedback.h). Their number and length are bounded; where there is no more room the oldest goes.
 *
 * It lies in memory that workers of one job inherit from each other, so that a finding, which ends a worker, does not lose it.
 */
#ifndef HITLESS_POOL_H
#define HITLESS_POOL_H

#include "feedback.h"
#include "op.h"
#include "rng.h"

#define POOL_TRACES_MAX 256
#define POOL_OPS_MAX 256 /* operations of a trace; what comes after them is not looked at */

/*
 * struct pool_trace - one that is kept.
 *
 * @cfg:    resolved
 * @format: whatever the worker knows its format by
 */
struct pool_trace {
	struct config cfg;
	unsigned format;
	size_t nr;
	struct op ops[POOL_OPS_MAX];
};

/*
 * struct pool - all zero is an empty one.
 *
 * @counters: of the trace that is running
 * @most:     for each counter 1 + the power of two that it has come to, 0: it was never anything but 0
 * @kept_nr:  traces so far; those that went are among them
 */
struct pool {
	uint8_t counters[FEEDBACK_NR], most[FEEDBACK_NR];
	uint64_t kept_nr;
	struct pool_trace traces[POOL_TRACES_MAX];
};

/* pool_begin - a trace begins: its counters are 0. */
void pool_begin(struct pool *p);

/* pool_end - the first nr operations at ops have been counted: they are kept if a counter is, as a power of two, higher than it ever was. */
void pool_end(struct pool *p, const struct config *cfg, unsigned format, const struct op *ops, size_t nr);

/* pool_pick - one of those that are there; NULL if there is none. */
const struct pool_trace *pool_pick(const struct pool *p, struct rng *rng);

#endif
