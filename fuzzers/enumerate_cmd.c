/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enumerate_cmd.c - hitless enumerate: every tiny configuration, each in a child process, and what came of it. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "enumerate.h"
#include "minimize.h"
#include "options.h"

#define TASKS_MAX 256
#define TASK_CPU_SECONDS 1800
#define MINIMIZE_SECONDS 20

static const char help[] =
	"usage: hitless enumerate [--format FORMAT]... [--config TEXT] [--quick] [--jobs N] [--without CHECK,...] [--out DIR] [--json]\n"
	"\n"
	"Small scope, completely: runs every case of every tiny configuration instead of drawing some. A unit is the smallest enabled "
	"page;\n"
	"a tiny domain has at most 256.\n"
	"\n"
	"  ranges  each range of units, with each alignment of the oa to the iova (congruent modulo 2^k units and no more, for every k; "
	"and\n"
	"          congruent throughout), on an empty domain: map, cut, unmap left of the cut or right of it in turn, unmap the rest. "
	"Congruent\n"
	"          throughout: once for each cut point inside a leaf. Otherwise the same for ranges in the first half of the units, and "
	"one\n"
	"          cut point for the rest, as for alignments that lie between the same two page sizes. Then cuts that change nothing: at "
	"each leaf start and\n"
	"          beside the range.\n"
	"  pairs   in the first 16 units (and the last 16 of an upper half): for each two ranges, map both, over or beside each other; "
	"for\n"
	"          each third range, unmap it, with a cut before it if it starts inside a leaf. And each two alignments of the pair.\n"
	"  hole    each range from the lower half into the upper one, which must be refused.\n"
	"\n"
	"  --format FORMAT   only this one; may be given several times\n"
	"  --config TEXT     this configuration instead of the format's tiny ones, as 'tiny=3 levels=2'\n"
	"  --quick           ranges in the first 64 units and, of the last 64, those that reach the end; pairs in 8 units\n"
	"  --jobs N          configurations at a time; default 1\n"
	"  --without CHECK   leave checks out\n"
	"  --out DIR         where the trace of a finding goes; default findings\n"
	"  --json            one object on standard output\n"
	"\n"
	"Exit status: 0 nothing found, 1 a finding, 2 bad usage, 3 the tool itself is at fault or nothing was compared.\n";

/*
 * struct task - one configuration.
 *
 * @e: shared with the child
 * @path: of the trace of the finding
 */
struct task {
	const char *text;
	struct config cfg;
	struct enumerate *e;
	pid_t pid;
	bool done;
	double started, seconds;
	char path[512];
};

struct tasks {
	struct task *list;
	unsigned nr, next, running;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* Add the configuration if it is a tiny one. Returns -1, or the exit status. */
static int task_add(struct tasks *tasks, const struct options *o, const char *format, const char *text)
{
	struct task *t = &tasks->list[tasks->nr];
	char err[240];

	if (tasks->nr == TASKS_MAX)
		return complain(EXIT_TOOL, "more than %d tiny configurations", TASKS_MAX);
	memset(t, 0, sizeof(*t));
	t->text = text;
	if (options_config(o, format, text, &t->cfg, err, sizeof(err)))
		return complain(EXIT_USAGE, "%s", err);
	if (!t->cfg.tiny)
		return o->config ? complain(EXIT_USAGE, "%s %s: only a tiny geometry can be enumerated; add tiny=2, 3 or 4", format,
					    o->config)
				 : -1;
	tasks->nr++;
	return -1;
}

static int tasks_plan(struct tasks *tasks, const struct options *o)
{
	unsigned i, k;
	int ret = -1;

	for (i = 0; engine_formats()[i] && ret < 0; i++) {
		const struct engine_ops *ops = engine_formats()[i];

		if (!options_want(o, ops->name))
			continue;
		if (o->config)
			ret = task_add(tasks, o, ops->name, "");
		for (k = 0; !o->config && ops->configs[k] && ret < 0; k++)
			ret = task_add(tasks, o, ops->name, ops->configs[k]);
		if (o->config && ret < 0)
			tasks->list[tasks->nr - 1].text = o->config;
	}
	return ret;
}

static int task_start(struct task *t, const struct options *o)
{
	struct rlimit cpu = { TASK_CPU_SECONDS, TASK_CPU_SECONDS + 1 };

	t->e = mmap(NULL, sizeof(*t->e), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t->e == MAP_FAILED)
		return complain(EXIT_TOOL, "out of memory");
	t->started = now();
	fflush(NULL);
	t->pid = fork();
	if (t->pid < 0)
		return complain(EXIT_TOOL, "cannot make a process: %s", strerror(errno));
	if (!t->pid) {
		run_guard();
		setrlimit(RLIMIT_CPU, &cpu);
		enumerate_config(t->e, &t->cfg, &o->exec, o->quick);
		_exit(0);
	}
	return -1;
}

/* Shrink the trace of the finding and put it on disk. */
static int task_save(struct task *t, const struct options *o)
{
	struct trace trace;
	size_t i;
	int ret;

	trace_init(&trace);
	trace.cfg = t->cfg;
	/* The script by itself, if that is enough. */
	for (i = t->e->script_at; i < t->e->ops_nr; i++)
		trace_push(&trace, &t->e->ops[i]);
	if (!minimize(&o->exec, &trace, &t->e->finding, MINIMIZE_SECONDS)) {
		trace.nr = 0;
		for (i = 0; i < t->e->ops_nr; i++)
			trace_push(&trace, &t->e->ops[i]);
		minimize(&o->exec, &trace, &t->e->finding, MINIMIZE_SECONDS);
	}
	ret = finding_save(&t->e->finding, &trace, o->out ? o->out : "findings", t->path, sizeof(t->path));
	trace_release(&trace);
	return ret ? complain(EXIT_TOOL, "cannot write the trace to %s: %s", o->out ? o->out : "findings", strerror(-ret)) : -1;
}

/* One child has ended. */
static int tasks_wait(struct tasks *tasks, const struct options *o)
{
	struct task *t = tasks->list;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, 0)) < 0 && errno == EINTR)
		;
	if (pid < 0)
		return complain(EXIT_TOOL, "lost a process: %s", strerror(errno));
	while (t->pid != pid)
		if (++t == tasks->list + tasks->nr)
			return -1;
	tasks->running--;
	t->done = true;
	t->seconds = now() - t->started;
	if (t->e->end == ENUMERATE_RUNNING) {
		size_t at = t->e->ops_nr ? t->e->ops_nr - 1 : 0;

		finding_crash(&t->e->finding, t->cfg.format, t->e->ops_nr ? t->e->ops[at].kind : (unsigned)OP_NR, at,
			      WIFSIGNALED(status) ? WTERMSIG(status) : 0);
		t->e->end = ENUMERATE_FINDING;
	}
	if (t->e->end == ENUMERATE_UNABLE)
		return complain(EXIT_TOOL, "%s %s: %s", t->cfg.format, t->text, t->e->why);
	return t->e->end == ENUMERATE_FINDING ? task_save(t, o) : -1;
}

static void task_print(const struct task *t)
{
	const struct enumerate_counts *n = &t->e->counts;
	uint64_t compared = 0;
	const char *line = t->e->finding.report;
	unsigned i;

	for (i = 0; i < CHECK_NR; i++)
		compared += n->comparisons[i];
	printf("%s %s: %llu units, %llu ranges x alignments, %llu pairs, %llu domains, %llu operations (%llu maps, %llu cuts, %llu of them "
	       "splits, %llu unmaps, "
	       "%llu refused), %llu comparisons, %.1f s\n",
	       t->cfg.format, t->text, (unsigned long long)n->units, (unsigned long long)n->ranges, (unsigned long long)n->pairs,
	       (unsigned long long)n->domains, (unsigned long long)n->operations, (unsigned long long)n->maps, (unsigned long long)n->cuts,
	       (unsigned long long)n->splits, (unsigned long long)n->unmaps, (unsigned long long)n->refused, (unsigned long long)compared,
	       t->seconds);
	if (t->e->end == ENUMERATE_FINDING)
		printf("\nFINDING %s\nhitless replay %s\n\n", line, t->path);
	fflush(stdout);
}

static int tasks_run(struct tasks *tasks, const struct options *o)
{
	unsigned jobs = o->jobs ? o->jobs : 1, printed = 0;
	int ret = -1;

	while (ret < 0 && (tasks->next < tasks->nr || tasks->running)) {
		if (tasks->next < tasks->nr && tasks->running < jobs) {
			ret = task_start(&tasks->list[tasks->next++], o);
			tasks->running++;
			continue;
		}
		ret = tasks_wait(tasks, o);
		/* In the order of the plan, whoever was first. */
		for (; !o->json && printed < tasks->nr && tasks->list[printed].done; printed++)
			task_print(&tasks->list[printed]);
	}
	return ret;
}

static json_t *json_counts(const struct enumerate_counts *n)
{
	json_t *checks = json_object();
	unsigned i;

	for (i = 0; i < CHECK_NR; i++)
		json_object_set_new(checks, check_names[i], json_integer((json_int_t)n->comparisons[i]));
	return json_pack("{sI sI sI sI sI sI sI sI sI sI sI sI so}", "units", (json_int_t)n->units, "ranges", (json_int_t)n->ranges,
			 "alignments", (json_int_t)n->alignments, "pairs", (json_int_t)n->pairs, "domains", (json_int_t)n->domains,
			 "operations", (json_int_t)n->operations, "maps", (json_int_t)n->maps, "cuts", (json_int_t)n->cuts, "splits",
			 (json_int_t)n->splits, "unmaps", (json_int_t)n->unmaps, "refused", (json_int_t)n->refused, "leaves",
			 (json_int_t)n->leaves, "comparisons", checks);
}

static json_t *json_finding(const struct task *t)
{
	const struct finding *f = &t->e->finding;
	char guarantee[8], replay[600];

	snprintf(guarantee, sizeof(guarantee), "G%u", f->v.guarantee);
	snprintf(replay, sizeof(replay), "hitless replay %s", t->path);
	return json_pack("{ss ss ss ss ss ss ss}", "class", verdict_name(f->v.class), "guarantee", guarantee, "format", t->cfg.format, "op",
			 f->op_kind < OP_NR ? op_name((enum op_kind)f->op_kind) : "domain", "signature", f->signature, "trace", t->path,
			 "replay", replay);
}

static void counts_add(struct enumerate_counts *sum, const struct enumerate_counts *n)
{
	unsigned i;

	sum->ranges += n->ranges;
	sum->pairs += n->pairs;
	sum->domains += n->domains;
	sum->operations += n->operations;
	sum->maps += n->maps;
	sum->cuts += n->cuts;
	sum->splits += n->splits;
	sum->unmaps += n->unmaps;
	sum->refused += n->refused;
	sum->leaves += n->leaves;
	for (i = 0; i < CHECK_NR; i++)
		sum->comparisons[i] += n->comparisons[i];
}

static void print_json(const struct tasks *tasks, const struct options *o, const struct enumerate_counts *sum, double seconds)
{
	json_t *configurations = json_array(), *findings = json_array(), *root = json_counts(sum);
	char resolved[CONFIG_TEXT_MAX];
	unsigned i;

	for (i = 0; i < tasks->nr; i++) {
		const struct task *t = &tasks->list[i];
		json_t *one = json_counts(&t->e->counts);

		config_print(&t->cfg, resolved, sizeof(resolved));
		json_object_set_new(one, "format", json_string(t->cfg.format));
		json_object_set_new(one, "text", json_string(t->text));
		json_object_set_new(one, "resolved", json_string(resolved));
		json_object_set_new(one, "seconds", json_real(t->seconds));
		json_array_append_new(configurations, one);
		if (t->e->end == ENUMERATE_FINDING)
			json_array_append_new(findings, json_finding(t));
	}
	json_object_del(root, "units");
	json_object_del(root, "alignments");
	json_object_set_new(root, "version", json_string(HITLESS_VERSION));
	json_object_set_new(root, "quick", json_boolean(o->quick));
	json_object_set_new(root, "jobs", json_integer(o->jobs ? o->jobs : 1));
	json_object_set_new(root, "seconds", json_real(seconds));
	json_object_set_new(root, "configurations", configurations);
	json_object_set_new(root, "findings", findings);
	json_dumpf(root, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(root);
}

/* The summary, and whether anything was compared. */
static int tasks_report(const struct tasks *tasks, const struct options *o, double seconds)
{
	struct enumerate_counts sum = { 0 };
	uint64_t compared = 0;
	unsigned i, found = 0, idle = 0, k;

	for (i = 0; i < tasks->nr; i++) {
		const struct enumerate *e = tasks->list[i].e;
		uint64_t here = 0;

		for (k = 0; k < CHECK_NR; k++)
			here += e->counts.comparisons[k];
		counts_add(&sum, &e->counts);
		found += e->end == ENUMERATE_FINDING;
		idle += !here && e->end == ENUMERATE_CLEAN;
		compared += here;
	}
	if (o->json)
		print_json(tasks, o, &sum, seconds);
	else
		printf("%u tiny configurations%s: %llu ranges x alignments, %llu pairs, %llu operations, %llu splits, %llu comparisons in "
		       "%.1f s; %u found something\n",
		       tasks->nr, o->quick ? ", quickly" : "", (unsigned long long)sum.ranges, (unsigned long long)sum.pairs,
		       (unsigned long long)sum.operations, (unsigned long long)sum.splits, (unsigned long long)compared, seconds, found);
	if (found)
		return EXIT_FINDING;
	if (idle || !compared)
		return complain(EXIT_TOOL, "nothing was compared");
	return EXIT_CLEAN;
}

int cmd_enumerate(int argc, char **argv)
{
	unsigned mask = OPTION_FORMAT | OPTION_QUICK | OPTION_JOBS | OPTION_WITHOUT | OPTION_OUT | OPTION_JSON;
	struct tasks tasks = { 0 };
	struct options o;
	double start = now();
	int ret = options_parse(argc, argv, mask, help, &o);
	unsigned i;

	if (ret >= 0)
		return ret;
	if (o.files_nr)
		return complain(EXIT_USAGE, "enumerate takes no file: %s", o.files[0]);
	tasks.list = calloc(TASKS_MAX, sizeof(*tasks.list));
	if (!tasks.list)
		return complain(EXIT_TOOL, "out of memory");
	ret = tasks_plan(&tasks, &o);
	if (ret < 0)
		ret = tasks_run(&tasks, &o);
	/* After a fault of the tool, end what still runs. */
	for (i = 0; i < tasks.nr && ret >= 0; i++)
		if (tasks.list[i].pid > 0 && !tasks.list[i].done)
			kill(tasks.list[i].pid, SIGKILL);
	if (ret < 0)
		ret = tasks_report(&tasks, &o, now() - start);
	for (i = 0; i < tasks.nr; i++)
		if (tasks.list[i].e && tasks.list[i].e != MAP_FAILED)
			munmap(tasks.list[i].e, sizeof(*tasks.list[i].e));
	free(tasks.list);
	return ret;
}
