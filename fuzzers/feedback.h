/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * feedback.h - what an operation did to the tables, as counters for a coverage-guided fuzzer: beside the edges of the program, which it has soon
 * seen all of.
 *
 * A counter stands for one kind of transition: operation; level; what the entry was and became (nothing, table, leaf, contiguous group, dirty or not);
 * how it was stored, and whether it was written back; or for one kind of choice of a walk in flight: level, what it read, which version of how
 * many; or for what an operation returned. Different ones may share a counter; that costs a little guidance and nothing else.
 */
#ifndef HITLESS_FEEDBACK_H
#define HITLESS_FEEDBACK_H

#include "exec.h"

#define FEEDBACK_NR 8192 /* counters; a power of two */

/*
 * struct feedback - of one exec.
 *
 * @counters: FEEDBACK_NR of them, which whoever owns them clears; each stays at 255
 * @format:   of the domain: a part of what a counter stands for
 * @op_kind:  of the operation that is running
 */
struct feedback {
	uint8_t *counters;
	uint32_t format;
	unsigned op_kind;
};

/* feedback_open - x has been opened: walks in flight are counted from now on. f and counters must stay. */
void feedback_open(struct feedback *f, struct exec *x, uint8_t *counters);

/* feedback_begin - op is about to run. feedback_op - it has run, and its log is still there. */
void feedback_begin(struct feedback *f, const struct op *op);
void feedback_op(struct feedback *f, const struct exec *x, const struct op *op, enum exec_status status);

#endif
