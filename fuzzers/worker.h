/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worker.h - a campaign's worker process: runs one random domain after the other, in memory that it shares with its parent, so that nothing
 * is lost when it dies.
 */
#ifndef HITLESS_WORKER_H
#define HITLESS_WORKER_H

#include "exec.h"
#include "finding.h"
#include "gen.h"
#include "pool.h"

#define WORKER_FORMATS_MAX 16
#define WORKER_OPS_MAX (1u << 14) /* operations of one domain */

/* How a worker ends. */
enum { WORKER_DONE = 0, WORKER_FOUND = 10, WORKER_FAULT = 11 };

/* One configuration of a campaign, resolved. */
struct plan_config {
	struct config cfg;
	unsigned format_idx;
};

/*
 * struct plan - what a campaign runs; made before the workers are.
 *
 * @real, @tiny: configurations of each geometry
 * @profile: of the generator
 * @vary: combine configurations with choices that do not belong to a format
 * @rounds: let several writers run at the same time in some of the domains
 * @mutate: some of the domains are earlier ones, changed: see pool.h
 * @dir: where a worker saves what it finds
 */
struct plan {
	uint64_t seed;
	unsigned jobs;
	struct exec_options exec;
	enum gen_profile profile;
	bool vary, rounds, mutate;
	const char *dir;
	const char *formats[WORKER_FORMATS_MAX];
	unsigned formats_nr;
	struct plan_config *real, *tiny;
	unsigned real_nr, tiny_nr;
};

/* Rounds of several writers. @switches: written down; @points: primitives, @longest: of one round; @most: writers */
struct worker_rounds {
	uint64_t nr, operations, switches, points, longest, most;
};

/*
 * What was done on one format. @mutated: of the domains, those that were earlier ones, changed; @turns: how often the device set something in the middle of an operation; @cost: of invalidation;
 * @twin_items: items of two engines that were compared with each other.
 */
struct worker_stats {
	uint64_t domains, mutated, operations, refused, skipped, leaves, stores, ns;
	uint64_t splits, maps_done, unmaps, unmaps_partial, no_memory, turns, twin_items;
	struct worker_rounds rounds;
	struct check_cost cost;
	uint64_t comparisons[CHECK_NR];
};

/*
 * struct worker - shared with the parent.
 *
 * @ops_left: operations that this job may still run
 * @domain: number of its current domain; the next worker of the job goes on after it
 * @stop:  set by the parent: end after this operation
 * @config, @ops_nr, @ops: the current domain
 * @found: finding is filled in
 * @pool:  if plan.mutate, of this job and no other
 */
struct worker {
	uint64_t ops_left, domain;
	int stop;
	struct plan_config config;
	uint64_t ops_nr;
	bool found;
	struct pool *pool;
	struct finding finding;
	struct worker_stats stats[WORKER_FORMATS_MAX];
	struct op ops[WORKER_OPS_MAX];
};

/* worker_main - in the child: run until told to stop, until ops_left is used up, or to a finding. Does not return. */
void worker_main(const struct plan *plan, struct worker *w) __attribute__((noreturn));

#endif
