/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jobs.h - a list of jobs, each run in a child process of its own, so that a crash or a hang of one is its result and nothing else's.
 */
#ifndef HITLESS_JOBS_H
#define HITLESS_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * struct job - one of them.
 *
 * @shared: memory that the child fills in and the parent reads; zeroed before the child starts
 * @done:   the child has ended; @died: by a signal, this one (0: by itself, with a status other than 0), or -1: as it should
 * @seconds: that it took
 */
struct job {
	void *shared;
	pid_t pid;
	bool done;
	int died;
	double started, seconds;
};

/*
 * struct jobs - the list and what is done with each. The functions are given the index of the job.
 *
 * @shared_bytes: of each job's shared memory
 * @cpu_seconds:  processor time that a child may use
 * @run:   in the child
 * @ended: in the parent, when the child has ended: -1 to go on, or an exit status that ends everything
 * @print: in the parent, in the order of the list; may be NULL
 */
struct jobs {
	struct job *list;
	unsigned nr;
	size_t shared_bytes;
	unsigned cpu_seconds;
	void (*run)(void *arg, unsigned i);
	int (*ended)(void *arg, unsigned i);
	void (*print)(void *arg, unsigned i);
	void *arg;
};

/* jobs_init - nr jobs; the caller then fills in the rest. Running out of host memory ends the process. */
void jobs_init(struct jobs *jobs, unsigned nr);

/* jobs_run - run all of them, at_a_time children at once. Returns -1, or the exit status of a fault; then no child is left. */
int jobs_run(struct jobs *jobs, unsigned at_a_time);

/* Gives back what the jobs shared. */
void jobs_release(struct jobs *jobs);

/* Seconds of a clock that only goes forward. */
double jobs_now(void);

#endif
