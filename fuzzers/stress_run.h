/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress_run.h - one format under stress: domain after domain, each with its threads.
 */
#ifndef HITLESS_STRESS_RUN_H
#define HITLESS_STRESS_RUN_H

#include <pthread.h>
#include <signal.h>

#include "stress_finding.h"
#include "stress_reader.h"
#include "stress_reclaim.h"

#define STRESS_CONFIGS_MAX 32

/*
 * struct stress_plan - what the command line chose.
 *
 * @reclaim: RECLAIM_NR: each domain has one or the other
 * @pause:   PAUSE_NR: likewise
 * @hang_seconds: a thread that was told to end as long ago does not
 * @exec:    for replays of a finding
 */
struct stress_plan {
	unsigned readers_nr, writers_nr, hang_seconds;
	enum grace_flavour flavour;
	enum stress_reclaim_mode reclaim;
	enum stress_pause pause;
	struct exec_options exec;
	const char *out;
};

/* One of the format's configurations. @divides: it can divide a live leaf; @domains: that it has had; @overlaps: translations that overlapped an operation */
struct stress_config {
	struct config cfg;
	bool divides;
	uint64_t domains, overlaps;
};

/*
 * struct stress_totals - what all domains of a format came to.
 *
 * @rests: pages compared at rest
 * @most, @deferred, @waits, @throttled: as in struct stress_reclaim
 */
struct stress_totals {
	struct stress_counts counts;
	struct stress_deeds deeds;
	struct latency translations, operations;
	uint64_t domains, rests, most, deferred, waits, throttled;
	double seconds;
};

/*
 * struct stress_run - one format.
 *
 * @total:  of the domains that have ended
 * @found:  if not NULL, the finding that ended it
 * @hung:   a thread did not end: the process must not go on; @running: which threads have not been joined
 * @main:   the thread that makes domains; @end: where it goes when the engine fails while it makes or tears one down
 */
struct stress_run {
	const struct stress_plan *plan;
	struct stress_config configs[STRESS_CONFIGS_MAX];
	unsigned configs_nr;
	struct stress_domain d;
	struct grace grace;
	struct stress_reclaim reclaim;
	struct stress_reader *readers;
	struct stress_writer *writers;
	pthread_t *threads;
	unsigned writers_started, readers_started;
	struct rng rng;
	struct stress_totals total;
	struct stress_found *found;
	bool hung, running[STRESS_READERS_MAX + STRESS_WRITERS_MAX];
	sigjmp_buf end;
};

/* Called often while threads run. waiting: tables that wait for a grace period. */
typedef void stress_progress_fn(void *arg, const struct stress_run *run, uint64_t waiting);

/* stress_run_init - nothing runs yet; plan, configs and the seed are taken. 0, or -ENOMEM. */
int stress_run_init(struct stress_run *run, const struct stress_plan *plan, uint64_t seed);
void stress_run_release(struct stress_run *run);

/*
 * stress_run_until - until then (latency_now), *interrupted or a finding, which is in run->found. 0, or -errno: no thread could be
 * made; what had been started has ended.
 */
int stress_run_until(struct stress_run *run, uint64_t until, const volatile sig_atomic_t *interrupted, stress_progress_fn *progress, void *arg);

/* stress_run_sum - the totals, with what the threads that are running have done so far. */
void stress_run_sum(const struct stress_run *run, struct stress_totals *sum);

#endif
