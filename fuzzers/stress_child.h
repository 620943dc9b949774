/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress_child.h - a format's run in a process of its own, so that no state in which the engine leaves that process is the end of a finding.
 */
#ifndef HITLESS_STRESS_CHILD_H
#define HITLESS_STRESS_CHILD_H

#include "stress_run.h"

/*
 * struct stress_child - one run.
 *
 * @run:  shared with the child, whose it is from its start on
 * @left: what there is of it when the child has ended
 */
struct stress_child {
	struct stress_run *run, *left;
};

/* stress_child_init - nothing runs yet; the caller fills in run->configs. 0 or -ENOMEM; to be released either way. No other thread may run. */
int stress_child_init(struct stress_child *c, const struct stress_plan *plan, uint64_t seed);
void stress_child_release(struct stress_child *c);

/*
 * stress_child_run - run until then, *interrupted or a finding, in a child that ends with this process. progress is called there.
 *
 * Returns -1: c->left holds the figures, c->left->found a finding that has been concluded. One is also that the child died, once it had called
 * the engine, of any signal but those that this process passes on as *interrupted, ended by itself, or did not go on for three times
 * plan->hang_seconds. Or an exit status after a message: no child, or it died before it had called the engine.
 */
int stress_child_run(struct stress_child *c, uint64_t until, const volatile sig_atomic_t *interrupted, stress_progress_fn *progress,
		     void *arg);

#endif
