/* SPDX-License-Identifier: GPL-2.0-or-later */
/* minimizer.h - what the passes of the minimizer share: minimize.c leaves out operations, minimize_values.c makes simpler what is left. */
#ifndef HITLESS_MINIMIZER_H
#define HITLESS_MINIMIZER_H

#include "run.h"

/*
 * struct minimizer - one trace on its way.
 *
 * @t, @f:  the shortest so far, and what it leads to
 * @until:  as minimize_now counts
 * @runs:   candidates that have been run
 * @run_seconds: of processor time, that one may use
 * @leaves: that a map of a candidate with other values may have
 * @moving: a candidate that leads elsewhere is tried again with its moments moved
 */
struct minimizer {
	const struct exec_options *options;
	struct trace *t;
	struct finding *f;
	double until;
	unsigned runs, run_seconds;
	uint64_t leaves;
	bool moving;
};

/* Seconds, by a clock that only goes forward. */
double minimize_now(void);

/*
 * Whether a trace of these operations leads to the same finding; if so it becomes the trace, cut off behind the operation that shows it. While
 * moments are moved, ops has them moved afterwards.
 */
bool minimize_try(struct minimizer *m, struct op *ops, size_t nr);

/* Likewise to a finding of this signature. */
bool minimize_try_for(struct minimizer *m, const struct op *ops, size_t nr, const char *signature);

/* minimize_values - simpler values in the operations and the configuration. Every change is towards less. Returns whether there was any. */
bool minimize_values(struct minimizer *m, struct op *scratch);

#endif
