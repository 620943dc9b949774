/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stress_child.c - makes the process that a format runs in, waits for it, and concludes from what it left. */
#include "stress_child.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "options.h"
#include "run.h"
#include "stress_remains.h"

#define CHILD_NAP_NS 5000000 /* between two looks at the child */
#define CHILD_HANGS 3        /* so many times what a thread may take to end */

int stress_child_init(struct stress_child *c, const struct stress_plan *plan, uint64_t seed)
{
	int ret;

	*c = (struct stress_child){ .run = stress_share(sizeof(*c->run)), .left = calloc(1, sizeof(*c->left)) };
	if (!c->run || !c->left)
		return -ENOMEM;
	ret = stress_run_init(c->run, plan, seed);
	*c->left = *c->run;
	return ret;
}

/* The pointers are those from before anybody could write over them. */
void stress_child_release(struct stress_child *c)
{
	if (c->left)
		stress_run_release(c->left);
	free(c->left);
	stress_unshare(c->run, sizeof(*c->run));
}

/*
 * Until it has ended. Whether it goes on is told by its domains, and counted in looks, since time also passes while both are stopped. Returns
 * false if it is lost.
 */
static bool child_wait(struct stress_run *run, pid_t pid, unsigned hang_seconds, const volatile sig_atomic_t *interrupted, int *status,
		       bool *stuck)
{
	uint64_t looks = 0, most = (uint64_t)hang_seconds * CHILD_HANGS * (1000000000 / CHILD_NAP_NS), domains = 0;
	struct timespec nap = { .tv_nsec = CHILD_NAP_NS };
	pid_t ended;

	for (*stuck = false; !(ended = waitpid(pid, status, WNOHANG)); nanosleep(&nap, NULL)) {
		if (*interrupted)
			run->interrupted = 1;
		if (domains != run->total.domains)
			looks = 0;
		domains = run->total.domains;
		if (++looks <= most)
			continue;
		*stuck = true;
		kill(pid, SIGKILL);
	}
	return ended == pid;
}

int stress_child_run(struct stress_child *c, uint64_t until, const volatile sig_atomic_t *interrupted, stress_progress_fn *progress,
		     void *arg)
{
	struct stress_death death = { .began = latency_now() };
	struct stress_run *run = c->run;
	int status;
	pid_t pid;

	*c->left = *run;
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return complain(EXIT_TOOL, "cannot make a process: %s", strerror(errno));
	if (!pid) {
		run_guard();
		stress_run_until(run, until, progress, arg);
		_exit(0);
	}
	if (!child_wait(run, pid, c->left->plan->hang_seconds, interrupted, &status, &death.stuck))
		return complain(EXIT_TOOL, "lost a process: %s", strerror(errno));
	death.signal_nr = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	death.early = status || run->stage != STRESS_ENDED;
	if (run->stage == STRESS_MADE)
		return complain(EXIT_TOOL, "a process died before it had called the engine: %s",
				death.signal_nr ? strsignal(death.signal_nr) : "it ended itself");
	stress_remains(c->left, run, &death);
	return -1;
}
