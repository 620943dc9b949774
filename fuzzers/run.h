/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run.h - runs a trace to its end or to its finding: in this process, or in a child so that a crash or a hang is a finding too.
 */
#ifndef HITLESS_RUN_H
#define HITLESS_RUN_H

#include "exec.h"
#include "finding.h"

/* Exit status of a child that had no memory to begin with: no finding. Sanitizers end with 1, or a signal. */
#define RUN_NO_MEMORY 101

enum run_end {
	RUN_CLEAN,
	RUN_FINDING,
	RUN_REFUSED, /* the configuration cannot be run, or an operation may not be run where it stands */
};

/*
 * struct run_result - how it ended.
 *
 * @finding: RUN_FINDING
 * @why:     RUN_REFUSED: for people
 * @leaves, @comparisons: what was compared
 */
struct run_result {
	enum run_end end;
	struct finding finding;
	char why[240];
	uint64_t operations, leaves, comparisons[CHECK_NR];
};

/*
 * run_here - run t in this process. t->cfg must have been resolved. The exec must have been initialised with run_caught as its hook, and
 * arg NULL. An operation that deferred invalidation forbids is left out.
 * allocs: NULL, or how many allocations and DMA mappings each operation that has returned attempted, t->nr numbers.
 */
void run_here(struct exec *x, const struct trace *t, uint32_t *allocs, struct run_result *res);
void run_caught(void *arg, const struct verdict *v, const struct op *op);

/*
 * run_child - run t in a child process that may use up to seconds of processor time. Returns 0, or -errno if no child could be made; -ENOMEM also if it
 * had no memory to begin with.
 * strict: an operation that deferred invalidation forbids refuses the trace instead of being left out.
 */
int run_child(const struct exec_options *options, const struct trace *t, unsigned seconds, bool strict, struct run_result *res);

/* run_guard - in a child process: end with the parent, have no core dump, catch nothing. */
void run_guard(void);

#endif
