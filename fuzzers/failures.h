/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * failures.h - the failure sweep of a trace (G7): each allocation and each DMA mapping that each of its operations makes fails in turn.
 *
 * What a campaign's generator does of this by itself is in gen.c.
 */
#ifndef HITLESS_FAILURES_H
#define HITLESS_FAILURES_H

#include "finding.h"
#include "options.h"

#define FAILURES_SIGNATURES_MAX 64

/*
 * struct failures - what the sweeps of one command have come to; begins as zeros.
 *
 * @operations: that were made to fail, each at every allocation; of @operations_of in the traces
 * @failed:     allocations and DMA mappings that were made to fail
 * @runs:       runs of a whole trace; some are without a failure, to find out how many allocations there are
 * @found:      runs that ended in a finding
 * @signatures: the first @signatures_nr different ones of them
 */
struct failures {
	uint64_t operations, operations_of, failed, runs, found, leaves, comparisons;
	char signatures[FAILURES_SIGNATURES_MAX][FINDING_SIGNATURE_MAX];
	unsigned signatures_nr;
};

/*
 * failures_sweep - for each operation of t, and for each N up to the number of allocations that it attempts, two runs with fail=N on that
 * operation in place of what it has. In one the rest of t follows on whatever the failure left. In the other the operation is tried again,
 * after an unmap of what a map may have left, so that the rest finds what it is about. t, read from path, must run clean as it is.
 *
 * Each run that ends in a finding, a crash or a hang is printed with operation and N; the first of its signature whole, minimized and saved
 * in o->out. The runs share a process until one of them ends that way. Adds to *sum. Returns the exit status.
 */
int failures_sweep(const char *path, const struct trace *t, const struct options *o, struct failures *sum);

#endif
