/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress_remains.h - what there is of a run whose process has ended.
 *
 * The engine may have written over any of it, so nothing is believed: no pointer is followed, numbers are held to their bounds, an operation
 * that no writer can have logged is left out.
 */
#ifndef HITLESS_STRESS_REMAINS_H
#define HITLESS_STRESS_REMAINS_H

#include "stress_run.h"

/*
 * struct stress_death - how the process ended.
 *
 * @began:     when it began, by latency_now
 * @signal_nr: of this signal; 0: by itself
 * @early:     before it came to the end of its run
 * @stuck:     it was ended because it did not go on
 */
struct stress_death {
	uint64_t began;
	int signal_nr;
	bool early, stuck;
};

/*
 * stress_remains - fill in the figures of left, a copy of run from before it began, with what run has come to. If that ended with a finding,
 * or the process with anything but the end of its run, left->found is the finding, concluded (stress_finding.h).
 */
void stress_remains(struct stress_run *left, const struct stress_run *run, const struct stress_death *death);

#endif
