/* SPDX-License-Identifier: GPL-2.0-or-later */
/* failures.c - the failure sweep of a trace: child processes run its variants, the parent reports what they end in. */
#include "failures.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "minimize.h"
#include "run.h"

/* Processor time that one run may use. */
#define FAILURES_RUN_SECONDS 60
#define FAILURES_MINIMIZE_SECONDS 10

enum failures_end {
	FAILURES_RUNNING, /* the child is in a run: if it is no more, the run has ended it */
	FAILURES_FOUND,   /* the run has ended in a finding */
	FAILURES_DONE,
	FAILURES_UNABLE,
};

/* Operations that a run has beyond those of the trace, at most: unmap, sync, the operation again. */
#define FAILURES_MORE_OPS 3

/*
 * struct failures_job - shared between parent and child.
 *
 * @op_idx:   the operation that is made to fail now, of @nr
 * @ordinal:  its allocation that fails; 0: none, where it had a fail= of its own, to count them
 * @retry:    it is tried again
 * @ordinals: how many allocations it has
 * @sum:      of all runs that have ended
 * @allocs:   by operation: attempted in the trace as it is, and from @nr on in the run that ended last
 */
struct failures_job {
	enum failures_end end;
	size_t op_idx, nr;
	uint32_t ordinal, ordinals;
	bool retry;
	struct failures sum;
	struct run_result res;
	uint32_t allocs[];
};

static size_t failures_job_bytes(size_t nr)
{
	return sizeof(struct failures_job) + (2 * nr + FAILURES_MORE_OPS) * sizeof(uint32_t);
}

/* The trace of the run that the job has come to, in place of what v holds. */
static void failures_variant(const struct failures_job *j, const struct trace *t, struct trace *v)
{
	struct op op = t->ops[j->op_idx];
	size_t i;

	v->cfg = t->cfg;
	v->nr = 0;
	for (i = 0; i < t->nr; i++)
		trace_push(v, &t->ops[i]);
	v->ops[j->op_idx].fail = (uint16_t)j->ordinal;
	if (!j->retry)
		return;
	v->nr = j->op_idx + 1;
	if (op.kind == OP_MAP)
		trace_push(v, &(struct op){ .kind = OP_UNMAP, .iova = op.iova, .last = op.last });
	if (t->cfg.defer)
		trace_push(v, &(struct op){ .kind = OP_SYNC });
	op.fail = 0;
	trace_push(v, &op);
	for (i = j->op_idx + 1; i < t->nr; i++)
		trace_push(v, &t->ops[i]);
}

static void failures_advance(struct failures_job *j)
{
	j->retry = j->ordinal && !j->retry;
	j->ordinal += !j->retry;
}

/* --- the child --- */

/* From now on this much more processor time. */
static void failures_limit(void)
{
	struct rlimit cpu;
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	if (getrlimit(RLIMIT_CPU, &cpu))
		return;
	cpu.rlim_cur = (rlim_t)ts.tv_sec + FAILURES_RUN_SECONDS;
	if (cpu.rlim_cur > cpu.rlim_max)
		cpu.rlim_cur = cpu.rlim_max;
	setrlimit(RLIMIT_CPU, &cpu);
}

/* One run. A finding ends the process: what it left of the domain is not worth relying on. */
static void failures_run(struct failures_job *j, struct exec *x, const struct trace *t, struct trace *v)
{
	uint32_t *allocs = j->allocs + j->nr;
	unsigned i;

	failures_limit();
	failures_variant(j, t, v);
	run_here(x, v, allocs, &j->res);
	j->sum.runs++;
	j->sum.failed += j->ordinal && !j->retry && (j->res.end != RUN_CLEAN || allocs[j->op_idx] >= j->ordinal);
	j->sum.leaves += j->res.leaves;
	for (i = 0; i < CHECK_NR; i++)
		j->sum.comparisons += j->res.comparisons[i];
	if (j->res.end == RUN_CLEAN)
		return;
	j->end = j->res.end == RUN_FINDING ? FAILURES_FOUND : FAILURES_UNABLE;
	_exit(0);
}

/* Every allocation of the operation, from where an earlier process has come to. */
static void failures_operation(struct failures_job *j, struct exec *x, const struct trace *t, struct trace *v)
{
	const struct op *op = &t->ops[j->op_idx];

	if (!j->ordinal) {
		j->ordinals = op->kind <= OP_DIRTY ? j->allocs[j->op_idx] : 0;
		if (j->ordinals && op->fail) {
			failures_run(j, x, t, v);
			j->ordinals = j->allocs[j->nr + j->op_idx];
		}
		if (j->ordinals > UINT16_MAX)
			j->ordinals = UINT16_MAX;
		j->ordinal = 1;
		j->sum.operations += j->ordinals != 0;
	}
	for (; j->ordinal <= j->ordinals; failures_advance(j))
		failures_run(j, x, t, v);
}

static void failures_in_child(struct failures_job *j, const struct exec_options *options, const struct trace *t)
{
	struct trace v;
	struct exec x;

	run_guard();
	if (exec_init(&x, options, run_caught, NULL)) {
		j->end = FAILURES_UNABLE;
		_exit(0);
	}
	run_here(&x, t, j->allocs, &j->res);
	trace_init(&v);
	for (; j->op_idx < j->nr; j->op_idx++, j->ordinal = 0)
		failures_operation(j, &x, t, &v);
	j->end = FAILURES_DONE;
	_exit(0);
}

/* --- the parent --- */

/* The process that was to make the run is no more. */
static void failures_crashed(struct failures_job *j, const struct trace *t, int signal_nr)
{
	struct trace v;
	size_t at;

	trace_init(&v);
	failures_variant(j, t, &v);
	at = j->res.operations < v.nr ? j->res.operations : v.nr - 1;
	finding_crash(&j->res.finding, t->cfg.format, v.ops[at].kind, at, signal_nr);
	trace_release(&v);
	j->sum.runs++;
	j->sum.failed += j->ordinal && !j->retry;
}

/* Run on from where the job has come to. -1, or the exit status if no process could do so. */
static int failures_child(const char *path, struct failures_job *j, const struct exec_options *options, const struct trace *t)
{
	int status;
	pid_t pid;

	j->end = FAILURES_RUNNING;
	fflush(NULL);
	pid = fork();
	if (!pid)
		failures_in_child(j, options, t);
	if (pid < 0)
		return complain(EXIT_TOOL, "%s: no child process: %s", path, strerror(errno));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (j->end == FAILURES_UNABLE)
		return complain(EXIT_TOOL, "%s: a run of the failure sweep could not be made", path);
	if (j->end == FAILURES_RUNNING)
		failures_crashed(j, t, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	return -1;
}

/* Whether the signature has not been seen before; more than there is room for count as seen. */
static bool failures_is_new(struct failures *sum, const char *signature)
{
	unsigned i;

	for (i = 0; i < sum->signatures_nr; i++)
		if (!strcmp(sum->signatures[i], signature))
			return false;
	if (sum->signatures_nr == FAILURES_SIGNATURES_MAX)
		return false;
	memcpy(sum->signatures[sum->signatures_nr++], signature, FINDING_SIGNATURE_MAX);
	return true;
}

/* Shrink the run that was found and put it on disk. */
static int failures_save(const struct failures_job *j, const struct trace *t, const struct options *o)
{
	const char *dir = o->out ? o->out : "findings";
	struct finding f = j->res.finding;
	struct trace small;
	char path[4096];
	int ret;

	trace_init(&small);
	failures_variant(j, t, &small);
	if (!minimize(&o->exec, &small, &f, FAILURES_MINIMIZE_SECONDS))
		complain(0, "did not come again when the operations were replayed");
	ret = finding_save(&f, &small, dir, path, sizeof(path));
	if (!ret)
		printf("%zu operations; again with: hitless replay %s\n", small.nr, path);
	trace_release(&small);
	return ret ? complain(EXIT_TOOL, "cannot write the trace to %s: %s", dir, strerror(-ret)) : -1;
}

/* A run has ended in a finding. -1, or the exit status if it could not be saved. */
static int failures_found(const char *path, const struct failures_job *j, const struct trace *t, const struct options *o,
			  struct failures *sum)
{
	const struct finding *f = &j->res.finding;
	bool new = failures_is_new(sum, f->signature);
	char line[OP_TEXT_MAX];
	struct op op = t->ops[j->op_idx];

	op.fail = (uint16_t)j->ordinal;
	op_print(&op, line);
	printf("%s: with operation %zu, %s%s: %s%s", path, j->op_idx + 1, line, j->retry ? ", and tried again" : "",
	       new ? f->report : f->signature, new ? "" : ", once more\n");
	return new ? failures_save(j, t, o) : -1;
}

static void failures_add(struct failures *sum, const struct failures *s)
{
	sum->operations += s->operations;
	sum->operations_of += s->operations_of;
	sum->failed += s->failed;
	sum->runs += s->runs;
	sum->found += s->found;
	sum->leaves += s->leaves;
	sum->comparisons += s->comparisons;
}

int failures_sweep(const char *path, const struct trace *t, const struct options *o, struct failures *sum)
{
	struct failures_job *j = mmap(NULL, failures_job_bytes(t->nr), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = -1;

	if (j == MAP_FAILED)
		return complain(EXIT_TOOL, "%s: out of memory", path);
	j->nr = t->nr;
	while (status < 0 && (status = failures_child(path, j, &o->exec, t)) < 0 && j->end != FAILURES_DONE) {
		j->sum.found++;
		status = failures_found(path, j, t, o, sum);
		/* Tried again it would end in the same before that. */
		if (j->ordinal && !j->retry && j->res.finding.op_idx <= j->op_idx)
			failures_advance(j);
		failures_advance(j);
	}
	j->sum.operations_of = t->nr;
	failures_add(sum, &j->sum);
	if (status < 0 && !j->sum.failed)
		printf("%s: nothing was made to fail: no operation allocates\n", path);
	else if (status < 0)
		printf("%s: %s: %" PRIu64 " failures in %" PRIu64 " of %zu operations, %" PRIu64 " leaves, %" PRIu64 " comparisons\n", path,
		       j->sum.found ? "findings" : "nothing found", j->sum.failed, j->sum.operations, t->nr, j->sum.leaves,
		       j->sum.comparisons);
	if (status < 0)
		status = j->sum.found ? EXIT_FINDING : EXIT_CLEAN;
	munmap(j, failures_job_bytes(t->nr));
	return status;
}
