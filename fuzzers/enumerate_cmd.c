/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enumerate_cmd.c - hitless enumerate: every tiny configuration, each in a child process, and what came of it. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enumerate.h"
#include "jobs.h"
#include "minimize.h"
#include "options.h"

#define TASKS_MAX 256
#define TASK_CPU_SECONDS 1800
#define MINIMIZE_SECONDS 20

static const char help[] =
	"usage: hitless enumerate [--format FORMAT]... [--config TEXT] [--part PART,...] [--quick] [--jobs N]\n"
	"                         [--without CHECK,...] [--out DIR] [--json]\n"
	"\n"
	"Small scope, completely: runs every case of every tiny configuration instead of drawing some. A unit is the\n"
	"smallest enabled page; a tiny domain has at most 256. Behind each script what is left is unmapped, and at the\n"
	"end of a domain everything is compared once more.\n"
	"\n"
	"  ranges    each range of units, with each alignment of the oa to the iova (congruent modulo 2^k units and no\n"
	"            more, for every k; and congruent throughout), on an empty domain: map, cut, unmap left of the cut or\n"
	"            right of it in turn, unmap the rest. Congruent throughout: once for each cut point inside a leaf.\n"
	"            Otherwise the same for ranges in the first half of the units, and one cut point for the rest, as for\n"
	"            alignments that lie between the same two page sizes. Then cuts that change nothing: at each leaf\n"
	"            start and beside the range.\n"
	"  pairs     in the first 16 units (and the last 16 of an upper half): for each two ranges, map both, over or\n"
	"            beside each other; for each third range, unmap it, with a cut before it if it starts inside a leaf.\n"
	"            And each two alignments of the pair.\n"
	"  hole      each range from the lower half into the upper one, which must be refused.\n"
	"  devices   where the device sets dirty (ad=1): for each leaf size, a piece that is one such leaf and a piece\n"
	"            with a unit more on either side; for each cut point inside the leaf: the cut, of an entry that is\n"
	"            clean and of one that is dirty; the unmap of what is left or right of a cut there; a clearing dirty\n"
	"            of all, of left, of right or of the unit there; and for each piece a map beside it. In each of these\n"
	"            the device acts once: at each place from before the first attempt to store to after the last one;\n"
	"            reading and writing; at the start of the old entry, just below the cut, at the cut, at the end of\n"
	"            the old entry (for unmap, dirty and map: the ends of the operation's range and of its neighbour).\n"
	"            Two actions, at each two places, at start and end of the entry: for cuts of leaves of up to 16 units\n"
	"            at the first, the middle and the last point. Each time then a clearing dirty over everything, in\n"
	"            windows of all, half, a fifth or an eighth, a write, a clearing dirty.\n"
	"  failures  ranges of units (of the first 64, those of the last 64 that reach the end, each that is one leaf),\n"
	"            with each alignment that gives them other leaves: a map on an empty domain with the first allocation\n"
	"            failing, on another with the second, and so on until none is left to fail, then a map of what is\n"
	"            missing; and its cuts (each point inside a leaf if the oa is congruent throughout, else the first,\n"
	"            the middle and the last) with each allocation failing in turn. In the first 8 units, for each two\n"
	"            ranges, the map of the second likewise, over or beside the first, and over its empty tables.\n"
	"  writers   two or three writers at the same time, each in a region of its own, as close as a unit or as far as an\n"
	"            item of some level spans: map a unit (also with an allocation failing), as much as a table spans, the\n"
	"            same over an empty table; unmap a unit, or a table's span; cut; clear dirty; translate. Each with each,\n"
	"            under every schedule but for those that differ in the order of primitives alone that do not concern\n"
	"            each other. There is no bound on how often writers change; of a round with more than 4,000 schedules\n"
	"            (--quick: 60) the rest is left out, and it is counted as cut short.\n"
	"\n"
	"  --format FORMAT   only this one; may be given several times\n"
	"  --config TEXT     this configuration instead of the format's tiny ones, as 'tiny=3 levels=2'\n"
	"  --part PART,...   only these of the above\n"
	"  --quick           less: ranges in the first 64 units and, of the last 64, those that reach the end; pairs in 8\n"
	"                    units; devices: in leaves of more than 16 units the first, second, middle and last cut\n"
	"                    point, two actions (writes) in leaves of up to 8 units; failures: 16 units instead of 64,\n"
	"                    pairs in 4\n"
	"  --jobs N          configurations at a time; default 1\n"
	"  --without CHECK   leave checks out\n"
	"  --out DIR         where the trace of a finding goes; default findings\n"
	"  --json            one object on standard output\n"
	"\n"
	"Exit status: 0 nothing found, 1 a finding, 2 bad usage, 3 the tool itself is at fault or nothing was compared.\n"
	"\n"
	"example: hitless enumerate --format riscv64 --part ranges,pairs --quick\n";

static const char *const part_names[] = { "ranges", "pairs", "hole", "devices", "failures", "writers" };

#define PARTS_NR (sizeof(part_names) / sizeof(part_names[0]))

/*
 * struct task - one configuration.
 *
 * @parts: of it that are enumerated
 * @e:     shared with the child
 * @path:  of the trace of the finding
 */
struct task {
	const char *text;
	struct config cfg;
	unsigned parts;
	const struct enumerate *e;
	double seconds;
	char path[512];
};

struct tasks {
	const struct options *o;
	unsigned parts;
	struct task *list;
	unsigned nr;
	struct jobs jobs;
};

/* Add the configuration if it is a tiny one and has something to enumerate. Returns -1, or the exit status. */
static int task_add(struct tasks *tasks, const char *format, const char *text)
{
	struct task *t = &tasks->list[tasks->nr];
	char err[240];

	if (tasks->nr == TASKS_MAX)
		return complain(EXIT_TOOL, "more than %d tiny configurations", TASKS_MAX);
	memset(t, 0, sizeof(*t));
	t->text = *text ? text : tasks->o->config;
	if (options_config(tasks->o, format, text, &t->cfg, err, sizeof(err)))
		return complain(EXIT_USAGE, "%s", err);
	if (!t->cfg.tiny)
		return tasks->o->config ? complain(EXIT_USAGE, "%s %s: only a tiny geometry can be enumerated; add tiny=2, 3 or 4", format,
						   tasks->o->config)
					: -1;
	t->parts = enumerate_parts(&t->cfg, tasks->parts);
	tasks->nr += t->parts != 0;
	return -1;
}

static int tasks_plan(struct tasks *tasks)
{
	const struct options *o = tasks->o;
	unsigned i, k;
	int ret = -1;

	for (i = 0; engine_formats()[i] && ret < 0; i++) {
		const struct engine_ops *ops = engine_formats()[i];

		if (!options_want(o, ops->name))
			continue;
		if (o->config)
			ret = task_add(tasks, ops->name, "");
		for (k = 0; !o->config && ops->configs[k] && ret < 0; k++)
			ret = task_add(tasks, ops->name, ops->configs[k]);
	}
	if (ret < 0 && !tasks->nr)
		return complain(EXIT_USAGE, "no configuration has anything of that part to enumerate");
	return ret;
}

/* In the child. */
static void task_run(void *arg, unsigned i)
{
	struct tasks *tasks = arg;
	struct task *t = &tasks->list[i];

	enumerate_config(tasks->jobs.list[i].shared, &t->cfg, &tasks->o->exec, t->parts, tasks->o->quick);
}

/* Shrink the trace of the finding and put it on disk. */
static int task_save(struct task *t, struct enumerate *e, const struct options *o)
{
	struct trace trace;
	size_t i;
	int ret;

	trace_init(&trace);
	trace.cfg = t->cfg;
	/* The script by itself, if that is enough. */
	for (i = e->script_at; i < e->ops_nr; i++)
		trace_push(&trace, &e->ops[i]);
	if (!minimize(&o->exec, &trace, &e->finding, MINIMIZE_SECONDS)) {
		trace.nr = 0;
		for (i = 0; i < e->ops_nr; i++)
			trace_push(&trace, &e->ops[i]);
		minimize(&o->exec, &trace, &e->finding, MINIMIZE_SECONDS);
	}
	ret = finding_save(&e->finding, &trace, o->out ? o->out : "findings", t->path, sizeof(t->path));
	trace_release(&trace);
	return ret ? complain(EXIT_TOOL, "cannot write the trace to %s: %s", o->out ? o->out : "findings", strerror(-ret)) : -1;
}

/* The child has ended. */
static int task_ended(void *arg, unsigned i)
{
	struct tasks *tasks = arg;
	struct job *job = &tasks->jobs.list[i];
	struct enumerate *e = job->shared;
	struct task *t = &tasks->list[i];

	t->e = e;
	t->seconds = job->seconds;
	if (e->end == ENUMERATE_RUNNING) {
		size_t at = e->ops_nr ? e->ops_nr - 1 : 0;

		finding_crash(&e->finding, t->cfg.format, e->ops_nr ? e->ops[at].kind : (unsigned)OP_NR, at, job->died > 0 ? job->died : 0);
		e->end = ENUMERATE_FINDING;
	}
	if (e->end == ENUMERATE_UNABLE)
		return complain(EXIT_TOOL, "%s %s: %s", t->cfg.format, t->text, e->why);
	return e->end == ENUMERATE_FINDING ? task_save(t, e, tasks->o) : -1;
}

static uint64_t counts_compared(const struct enumerate_counts *n)
{
	uint64_t compared = 0;
	unsigned i;

	for (i = 0; i < CHECK_NR; i++)
		compared += n->comparisons[i];
	return compared;
}

static void task_print(void *arg, unsigned i)
{
	const struct tasks *tasks = arg;
	const struct task *t = &tasks->list[i];
	const struct enumerate_counts *n = &t->e->counts;

	printf("%s %s: %llu units, %llu ranges x alignments, %llu pairs, %llu device actions, %llu failed allocations, %llu interleavings of %llu rounds (%llu of them cut short), %llu domains, "
	       "%llu operations "
	       "(%llu maps, %llu cuts, %llu of them splits, %llu unmaps, %llu refused), %llu comparisons, %.1f s\n",
	       t->cfg.format, t->text, (unsigned long long)n->units, (unsigned long long)n->ranges, (unsigned long long)n->pairs,
	       (unsigned long long)n->actions, (unsigned long long)n->failures, (unsigned long long)n->interleavings,
	       (unsigned long long)n->rounds, (unsigned long long)n->rounds_short, (unsigned long long)n->domains,
	       (unsigned long long)n->operations, (unsigned long long)n->maps, (unsigned long long)n->cuts, (unsigned long long)n->splits,
	       (unsigned long long)n->unmaps, (unsigned long long)n->refused, (unsigned long long)counts_compared(n), t->seconds);
	if (t->e->end == ENUMERATE_FINDING)
		printf("\nFINDING %s\nhitless replay %s\n\n", t->e->finding.report, t->path);
	fflush(stdout);
}

static json_t *json_counts(const struct enumerate_counts *n)
{
	json_t *checks = json_object();
	unsigned i;

	for (i = 0; i < CHECK_NR; i++)
		json_object_set_new(checks, check_names[i], json_integer((json_int_t)n->comparisons[i]));
	return json_pack("{sI sI sI sI sI sI sI sI sI sI sI sI sI sI sI sI sI so}", "units", (json_int_t)n->units, "ranges", (json_int_t)n->ranges,
			 "alignments", (json_int_t)n->alignments, "pairs", (json_int_t)n->pairs, "actions", (json_int_t)n->actions,
			 "failures", (json_int_t)n->failures, "interleavings", (json_int_t)n->interleavings, "rounds", (json_int_t)n->rounds,
			 "rounds_cut_short", (json_int_t)n->rounds_short, "domains", (json_int_t)n->domains, "operations", (json_int_t)n->operations,
			 "maps", (json_int_t)n->maps, "cuts", (json_int_t)n->cuts, "splits", (json_int_t)n->splits, "unmaps",
			 (json_int_t)n->unmaps, "refused", (json_int_t)n->refused, "leaves", (json_int_t)n->leaves, "comparisons", checks);
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
	sum->actions += n->actions;
	sum->failures += n->failures;
	sum->interleavings += n->interleavings;
	sum->rounds += n->rounds;
	sum->rounds_short += n->rounds_short;
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

static void print_json(const struct tasks *tasks, const struct enumerate_counts *sum, double seconds)
{
	json_t *configurations = json_array(), *findings = json_array(), *root = json_counts(sum), *parts = json_array();
	char resolved[CONFIG_TEXT_MAX];
	unsigned i;

	for (i = 0; i < PARTS_NR; i++)
		if (tasks->parts >> i & 1)
			json_array_append_new(parts, json_string(part_names[i]));
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
	json_object_set_new(root, "parts", parts);
	json_object_set_new(root, "quick", json_boolean(tasks->o->quick));
	json_object_set_new(root, "jobs", json_integer(tasks->o->jobs ? tasks->o->jobs : 1));
	json_object_set_new(root, "seconds", json_real(seconds));
	json_object_set_new(root, "configurations", configurations);
	json_object_set_new(root, "findings", findings);
	json_dumpf(root, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(root);
}

/* Whether a part of the task ran no case at all. */
static bool task_idle(const struct task *t)
{
	const struct enumerate_counts *n = &t->e->counts;

	return !counts_compared(n) || (t->parts & ENUMERATE_DEVICES && !n->actions) || (t->parts & ENUMERATE_FAILURES && !n->failures) ||
	       (t->parts & ENUMERATE_WRITERS && !n->interleavings);
}

/* The summary, and whether anything was compared. */
static int tasks_report(const struct tasks *tasks, double seconds)
{
	struct enumerate_counts sum = { 0 };
	unsigned i, found = 0, idle = 0;

	for (i = 0; i < tasks->nr; i++) {
		const struct task *t = &tasks->list[i];

		counts_add(&sum, &t->e->counts);
		found += t->e->end == ENUMERATE_FINDING;
		idle += t->e->end == ENUMERATE_CLEAN && task_idle(t);
	}
	if (tasks->o->json)
		print_json(tasks, &sum, seconds);
	else
		printf("%u tiny configurations%s: %llu ranges x alignments, %llu pairs, %llu device actions, %llu failed allocations, %llu "
		       "interleavings of %llu rounds (%llu of them cut short), %llu operations, %llu splits, %llu comparisons in %.1f s; %u found something\n",
		       tasks->nr, tasks->o->quick ? ", quickly" : "", (unsigned long long)sum.ranges, (unsigned long long)sum.pairs,
		       (unsigned long long)sum.actions, (unsigned long long)sum.failures, (unsigned long long)sum.interleavings,
		       (unsigned long long)sum.rounds, (unsigned long long)sum.rounds_short, (unsigned long long)sum.operations,
		       (unsigned long long)sum.splits, (unsigned long long)counts_compared(&sum), seconds, found);
	if (found)
		return EXIT_FINDING;
	return idle ? complain(EXIT_TOOL, "nothing was compared") : EXIT_CLEAN;
}

/* Which parts are wanted. Returns -1, or the exit status after a message. */
static int parse_parts(const char *text, unsigned *parts)
{
	unsigned i;

	*parts = text ? 0 : ENUMERATE_ALL;
	while (text) {
		size_t nr = strcspn(text, ",");

		for (i = 0; i < PARTS_NR; i++)
			if (strlen(part_names[i]) == nr && !memcmp(part_names[i], text, nr))
				break;
		if (i == PARTS_NR)
			return complain(EXIT_USAGE, "unknown part '%.*s'; there are: ranges pairs hole devices failures writers", (int)nr, text);
		*parts |= 1u << i;
		text = text[nr] ? text + nr + 1 : NULL;
	}
	return -1;
}

int cmd_enumerate(int argc, char **argv)
{
	unsigned mask = OPTION_FORMAT | OPTION_QUICK | OPTION_JOBS | OPTION_WITHOUT | OPTION_OUT | OPTION_JSON | OPTION_PART;
	struct tasks tasks = { 0 };
	struct options o;
	double start = jobs_now();
	int ret = options_parse(argc, argv, mask, help, &o);

	if (ret >= 0)
		return ret;
	if (o.files_nr)
		return complain(EXIT_USAGE, "enumerate takes no file: %s", o.files[0]);
	ret = parse_parts(o.part, &tasks.parts);
	if (ret < 0)
		ret = options_out(&o);
	if (ret >= 0)
		return ret;
	tasks.o = &o;
	tasks.list = calloc(TASKS_MAX, sizeof(*tasks.list));
	if (!tasks.list)
		return complain(EXIT_TOOL, "out of memory");
	ret = tasks_plan(&tasks);
	jobs_init(&tasks.jobs, tasks.nr);
	tasks.jobs.shared_bytes = sizeof(struct enumerate);
	tasks.jobs.cpu_seconds = TASK_CPU_SECONDS;
	tasks.jobs.run = task_run;
	tasks.jobs.ended = task_ended;
	tasks.jobs.print = o.json ? NULL : task_print;
	tasks.jobs.arg = &tasks;
	if (ret < 0)
		ret = jobs_run(&tasks.jobs, o.jobs ? o.jobs : 1);
	if (ret < 0)
		ret = tasks_report(&tasks, jobs_now() - start);
	jobs_release(&tasks.jobs);
	free(tasks.list);
	return ret;
}
