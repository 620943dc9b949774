/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress_finding.h - what becomes of evidence when all threads have stopped: a report, the log of every writer, and an attempt to have the
 * same without threads.
 */
#ifndef HITLESS_STRESS_FINDING_H
#define HITLESS_STRESS_FINDING_H

#include "finding.h"
#include "stress_writer.h"

/*
 * struct stress_found - one finding.
 *
 * @finding: what the threads saw
 * @path:    its trace: minimal if @replays, else all writers' operations in the order in which they began. Empty: it could not be saved
 * @log:     the file with every writer's log
 * @replays: a replay finds something, again and again: @replay; its signature may be another one, since a replay sees more
 * @ops_nr:  operations of the trace
 */
struct stress_found {
	struct finding finding, replay;
	bool replays;
	size_t ops_nr;
	char path[4096], log[4096];
};

/*
 * stress_conclude - make a finding of d's evidence, save it in the directory out, and try to reproduce it, for some seconds; all threads have
 * ended. What came of it is said on standard error. exec: for the replays.
 */
void stress_conclude(struct stress_domain *d, const struct stress_writer *writers, const struct exec_options *exec, const char *out,
		     struct stress_found *found);

#endif
