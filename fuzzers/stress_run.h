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
 * @seed:    for the reports of findings
 * @reclaim: RECLAIM_NR: each domain has one or the other
 * @pause:   PAUSE_NR: likewise
 * @hang_seconds: a thread that was told to end as long ago does not
 * @exec:    for replays of a finding
 */
struct stress_plan {
	uint64_t seed;
	unsigned readers_nr, writers_nr, hang_seconds;
	enum grace_flavour flavour;
	enum stress_reclaim_mode reclaim;
	enum stress_pause pause;
	struct exec_options exec;
	const char *out;
};

/*
 * One of the format's configurations. @usable: a domain of it can be made; @divides: it can divide a live leaf; @domains: that it has had;
 * @overlaps: translations that overlapped an operation
 */
struct stress_config {
	struct config cfg;
	bool usable, divides;
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

/* How far a run has come; numbers that a stray store does not make. */
enum stress_stage {
	STRESS_MADE = 0x6d414445,   /* no domain has been made */
	STRESS_ENGINE = 0x656e4749, /* it has: whatever ends the process counts as its doing */
	STRESS_ENDED = 0x454e4465,  /* stress_run_until has returned */
};

/*
 * struct stress_run - one format. It lies, with readers, writers and logs, in memory that is shared between processes (stress_share): what it
 * came to is there when the process that ran it is not.
 *
 * @config: index of the configuration of the domain
 * @logs:   STRESS_OPS_MAX entries for each writer
 * @total:  of the domains that have ended
 * @found:  if not NULL, the finding that ended it
 * @interrupted: set from outside: end soon
 * @ret, @why: what stress_run_until returned
 * @hung:   a thread did not end: the process must not go on
 * @main:   the thread that makes domains; @end: where it goes when the engine fails while it makes or tears one down
 */
struct stress_run {
	const struct stress_plan *plan;
	struct stress_config configs[STRESS_CONFIGS_MAX];
	unsigned configs_nr, config;
	struct stress_domain d;
	struct grace grace;
	struct stress_reclaim reclaim;
	struct stress_reader *readers;
	struct stress_writer *writers;
	struct stress_entry *logs;
	pthread_t *threads;
	unsigned writers_started, readers_started;
	struct rng rng;
	struct stress_totals total;
	struct stress_found *found;
	enum stress_stage stage;
	volatile sig_atomic_t interrupted;
	int ret;
	char why[240];
	bool hung;
	sigjmp_buf end;
};

/* Called often while threads run. waiting: tables that wait for a grace period. */
typedef void stress_progress_fn(void *arg, const struct stress_run *run, uint64_t waiting);

/* stress_share - so many bytes, zero, that child processes to come share; NULL: out of memory. stress_unshare gives them back. */
void *stress_share(size_t bytes);
void stress_unshare(void *p, size_t bytes);

/* stress_run_init - nothing runs yet; plan, configs and the seed are taken. run is zero. 0, or -ENOMEM. */
int stress_run_init(struct stress_run *run, const struct stress_plan *plan, uint64_t seed);
void stress_run_release(struct stress_run *run);

/*
 * stress_run_until - until then (latency_now), run->interrupted or a finding, which is claimed in run->d, or until run->hung. The process must
 * not go on after the latter two. 0; -ENOENT: no configuration is usable, run->why says why not; another -errno: no thread could be made,
 * and what had been started has ended.
 */
int stress_run_until(struct stress_run *run, uint64_t until, stress_progress_fn *progress, void *arg);

/* stress_run_account - no thread is in the domain any more: add what it came to to the totals. */
void stress_run_account(struct stress_run *run);

/* stress_run_sum - the totals, with what the threads that are running have done so far. */
void stress_run_sum(const struct stress_run *run, struct stress_totals *sum);

#endif
