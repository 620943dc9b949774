/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run.c - runs a trace to its end or to its finding. */
#include "run.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* The run in this process that a finding ends. */
static struct {
	sigjmp_buf end;
	struct exec *x;
	struct run_result *res;
} run_now;

void run_caught(void *arg, const struct verdict *v, const struct op *op)
{
	(void)arg;
	finding_make(&run_now.res->finding, run_now.x, v, op);
	run_now.res->end = RUN_FINDING;
	siglongjmp(run_now.end, 1);
}

static void run_ops(struct exec *x, const struct trace *t, bool strict, uint32_t *allocs, struct run_result *res)
{
	enum exec_status status;
	size_t i;

	for (i = 0; i < t->nr; i++) {
		res->operations = i;
		status = exec_op(x, &t->ops[i]);
		if (allocs)
			allocs[i] = status == EXEC_SKIPPED || t->ops[i].thread || t->ops[i].kind == OP_SWITCH ? 0 : x->mem.allocs;
		if (status == EXEC_SKIPPED && strict) {
			snprintf(res->why, sizeof(res->why), "operation %zu %s", i + 1, x->why);
			res->end = RUN_REFUSED;
			exec_abandon(x);
			return;
		}
	}
	res->operations = t->nr;
	exec_close(x);
}

static void run_strict(struct exec *x, const struct trace *t, bool strict, uint32_t *allocs, struct run_result *res)
{
	const char *why = "";

	memset(res, 0, offsetof(struct run_result, operations) + sizeof(res->operations));
	res->end = RUN_CLEAN;
	run_now.x = x;
	run_now.res = res;
	if (!sigsetjmp(run_now.end, 0)) {
		if (exec_open(x, &t->cfg, &why)) {
			res->end = RUN_REFUSED;
			snprintf(res->why, sizeof(res->why), "%s", why);
			return;
		}
		run_ops(x, t, strict, allocs, res);
	} else {
		exec_abandon(x);
	}
	res->leaves = x->check.leaves;
	memcpy(res->comparisons, x->check.comparisons, sizeof(res->comparisons));
}

void run_here(struct exec *x, const struct trace *t, uint32_t *allocs, struct run_result *res)
{
	run_strict(x, t, false, allocs, res);
}

void run_guard(void)
{
	struct rlimit none = { 0, 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &none);
	/* They are the parent's, which a terminal or timeout(1) sends them to as well; it ends its children by SIGKILL. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
}

/* In the child: run, leave the result in shared memory. */
static void run_in_child(const struct exec_options *options, const struct trace *t, unsigned seconds, bool strict, struct run_result *res)
{
	struct rlimit cpu = { seconds, seconds + 1 };
	struct exec x;

	run_guard();
	setrlimit(RLIMIT_CPU, &cpu);
	if (exec_init(&x, options, run_caught, NULL))
		_exit(RUN_NO_MEMORY);
	run_strict(&x, t, strict, NULL, res);
	_exit(0);
}

int run_child(const struct exec_options *options, const struct trace *t, unsigned seconds, bool strict, struct run_result *res)
{
	struct run_result *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status, ret = 0;
	pid_t pid;

	if (shared == MAP_FAILED)
		return -ENOMEM;
	fflush(NULL);
	pid = fork();
	if (!pid)
		run_in_child(options, t, seconds, strict, shared);
	if (pid < 0) {
		ret = -errno;
		munmap(shared, sizeof(*shared));
		return ret;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == RUN_NO_MEMORY) {
		ret = -ENOMEM;
	} else if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		size_t at = shared->operations < t->nr ? shared->operations : t->nr ? t->nr - 1 : 0;

		finding_crash(&shared->finding, t->cfg.format, t->nr ? t->ops[at].kind : (unsigned)OP_NR, at,
			      WIFSIGNALED(status) ? WTERMSIG(status) : 0);
		shared->end = RUN_FINDING;
	}
	*res = *shared;
	munmap(shared, sizeof(*shared));
	return ret;
}
