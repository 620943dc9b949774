/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jobs.c - a list of jobs, each run in a child process of its own. */
#include "jobs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "options.h"
#include "run.h"

double jobs_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

void jobs_init(struct jobs *jobs, unsigned nr)
{
	memset(jobs, 0, sizeof(*jobs));
	jobs->list = calloc(nr ? nr : 1, sizeof(*jobs->list));
	if (!jobs->list)
		abort();
	jobs->nr = nr;
}

static int jobs_start(struct jobs *jobs, unsigned i)
{
	struct rlimit cpu = { jobs->cpu_seconds, jobs->cpu_seconds + 1 };
	struct job *job = &jobs->list[i];

	job->shared = mmap(NULL, jobs->shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (job->shared == MAP_FAILED) {
		job->shared = NULL;
		return complain(EXIT_TOOL, "out of memory");
	}
	job->started = jobs_now();
	fflush(NULL);
	job->pid = fork();
	if (job->pid < 0)
		return complain(EXIT_TOOL, "cannot make a process: %s", strerror(errno));
	if (!job->pid) {
		run_guard();
		setrlimit(RLIMIT_CPU, &cpu);
		jobs->run(jobs->arg, i);
		_exit(0);
	}
	return -1;
}

/* The job whose child this is, or NULL. */
static struct job *jobs_of(struct jobs *jobs, pid_t pid)
{
	unsigned i;

	for (i = 0; i < jobs->nr; i++)
		if (jobs->list[i].pid == pid)
			return &jobs->list[i];
	return NULL;
}

/* One child has ended. */
static int jobs_wait(struct jobs *jobs)
{
	struct job *job = NULL;
	int status;
	pid_t pid;

	while (!job) {
		pid = waitpid(-1, &status, 0);
		if (pid < 0 && errno != EINTR)
			return complain(EXIT_TOOL, "lost a process: %s", strerror(errno));
		job = pid > 0 ? jobs_of(jobs, pid) : NULL;
	}
	job->done = true;
	job->seconds = jobs_now() - job->started;
	job->died = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) ? 0 : -1;
	return jobs->ended(jobs->arg, (unsigned)(job - jobs->list));
}

int jobs_run(struct jobs *jobs, unsigned at_a_time)
{
	unsigned next = 0, ended = 0, printed = 0, i;
	int ret = -1;

	while (ret < 0 && ended < jobs->nr) {
		if (next < jobs->nr && next - ended < at_a_time) {
			ret = jobs_start(jobs, next++);
			continue;
		}
		ret = jobs_wait(jobs);
		ended++;
		/* In the order of the list, whoever was first. */
		for (; jobs->print && printed < jobs->nr && jobs->list[printed].done; printed++)
			jobs->print(jobs->arg, printed);
	}
	/* After a fault, end what still runs. */
	for (i = 0; i < jobs->nr && ret >= 0; i++)
		if (jobs->list[i].pid > 0 && !jobs->list[i].done)
			kill(jobs->list[i].pid, SIGKILL);
	return ret;
}

void jobs_release(struct jobs *jobs)
{
	unsigned i;

	for (i = 0; i < jobs->nr; i++)
		if (jobs->list[i].shared)
			munmap(jobs->list[i].shared, jobs->shared_bytes);
	free(jobs->list);
}
