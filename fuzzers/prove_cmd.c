/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prove_cmd.c - hitless formats --prove: every configuration, each in a child process, and what it declares beside what was shown. */
#include "prove_cmd.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobs.h"
#include "minimize.h"
#include "prove.h"

#define TASK_CPU_SECONDS 600
#define MINIMIZE_SECONDS 10

static const char *const bound =
	"one operation, and walks that overlap it; cuts at the first, middle and last page, around each page size from "
	"either end and at the items of a group, or at every page of a small leaf";

static const char *const cap_names[PROVE_CAPS_NR] = { "live size change", "live leaf to table" };
static const char *const cap_keys[PROVE_CAPS_NR] = { "size_change", "leaf_to_table" };
static const char *const model_names[MODEL_NR] = { "strong", "weak", "incoherent" };

/*
 * What became of a capability.
 *
 * PROVED, REFUTED, IDLE: declared; IDLE: no cut needed it
 * REFUSED, UNUSED: not declared; what would have needed it was refused, or there was nothing
 */
enum prove_verdict { VERDICT_CAP_PROVED, VERDICT_CAP_REFUTED, VERDICT_CAP_IDLE, VERDICT_CAP_REFUSED, VERDICT_CAP_UNUSED, VERDICT_CAP_NR };

static const char *const verdict_keys[VERDICT_CAP_NR] = { "proved", "refuted", "nothing to prove it on", "refused", "unused" };

/* One configuration. @paths: of its findings */
struct task {
	const char *format, *text;
	struct config cfg;
	const struct prove *p;
	char paths[PROVE_FINDINGS_MAX][512];
};

struct tasks {
	const struct options *o;
	struct task *list;
	unsigned nr;
	struct jobs jobs;
	uint64_t cuts, compared;
	unsigned verdicts[PROVE_CAPS_NR][VERDICT_CAP_NR], declared[PROVE_CAPS_NR], findings;
};

/* --- running --- */

static int task_add(struct tasks *tasks, const char *format, const char *text)
{
	struct task *t;
	char err[240];

	tasks->list = realloc(tasks->list, (tasks->nr + 1) * sizeof(*tasks->list));
	if (!tasks->list)
		abort();
	t = &tasks->list[tasks->nr++];
	memset(t, 0, sizeof(*t));
	t->format = format;
	t->text = tasks->o->config ? tasks->o->config : text;
	return options_config(tasks->o, format, text, &t->cfg, err, sizeof(err)) ? complain(EXIT_USAGE, "%s", err) : -1;
}

static int tasks_plan(struct tasks *tasks)
{
	static const char *const given[] = { "", NULL };
	const struct options *o = tasks->o;
	const char *const *texts;
	unsigned i;
	int ret = -1;

	for (i = 0; engine_formats()[i]; i++) {
		const struct engine_ops *ops = engine_formats()[i];

		if (!options_want(o, ops->name))
			continue;
		for (texts = o->config ? given : ops->configs; *texts && ret < 0; texts++)
			ret = task_add(tasks, ops->name, *texts);
	}
	return ret;
}

/* In the child. */
static void task_run(void *arg, unsigned i)
{
	struct tasks *tasks = arg;

	prove_config(tasks->jobs.list[i].shared, &tasks->list[i].cfg, tasks->o->quick);
}

/* Check that the trace leads there by itself, and put it on disk. */
static int task_save(struct tasks *tasks, struct prove_finding *found, char *path, size_t path_bytes)
{
	const char *dir = tasks->o->out ? tasks->o->out : "findings";
	struct trace trace;
	unsigned i;
	int ret;

	trace_init(&trace);
	trace.cfg = found->cfg;
	for (i = 0; i < found->ops_nr; i++)
		trace_push(&trace, &found->ops[i]);
	minimize(&tasks->o->exec, &trace, &found->f, MINIMIZE_SECONDS);
	ret = finding_save(&found->f, &trace, dir, path, path_bytes);
	trace_release(&trace);
	return ret ? complain(EXIT_TOOL, "cannot write the trace to %s: %s", dir, strerror(-ret)) : -1;
}

static enum prove_verdict cap_verdict(const struct prove *p, unsigned cap, struct prove_cell *sum)
{
	unsigned i;

	*sum = (struct prove_cell){ .refuted = p->domain[cap] };
	for (i = 0; i < 64; i++) {
		sum->proved += p->leaves[i].cells[cap].proved;
		sum->refuted += p->leaves[i].cells[cap].refuted;
		sum->refused += p->leaves[i].cells[cap].refused;
	}
	if (sum->refuted)
		return VERDICT_CAP_REFUTED;
	if (p->declared[cap])
		return sum->proved ? VERDICT_CAP_PROVED : VERDICT_CAP_IDLE;
	return sum->refused ? VERDICT_CAP_REFUSED : VERDICT_CAP_UNUSED;
}

/* The child has ended. */
static int task_ended(void *arg, unsigned i)
{
	struct tasks *tasks = arg;
	struct task *t = &tasks->list[i];
	struct prove *p = tasks->jobs.list[i].shared;
	struct prove_cell sum;
	unsigned k;
	int ret = -1;

	t->p = p;
	if (p->end == PROVE_UNABLE)
		return complain(EXIT_TOOL, "%s %s: %s", t->format, t->text, p->why);
	if (p->end == PROVE_RUNNING)
		prove_died(p, tasks->jobs.list[i].died > 0 ? tasks->jobs.list[i].died : 0);
	for (k = 0; k < p->findings_nr && ret < 0; k++)
		ret = task_save(tasks, &p->findings[k], t->paths[k], sizeof(t->paths[k]));
	tasks->findings += p->findings_nr;
	for (k = 0; k < PROVE_CAPS_NR; k++) {
		tasks->verdicts[k][cap_verdict(p, k, &sum)]++;
		tasks->declared[k] += p->declared[k];
	}
	for (k = 0; k < 64; k++)
		tasks->cuts += p->leaves[k].cuts;
	for (k = 0; k < CHECK_NR; k++)
		tasks->compared += p->comparisons[k];
	return ret;
}

/* --- for people --- */

static void size_text(unsigned lg2, char *buf, size_t bytes)
{
	snprintf(buf, bytes, "%u%c", 1u << lg2 % 10, " KMGTPE"[lg2 / 10]);
}

/* Counts of one capability: "-" where it is not what a cut of this size needs. */
static void cell_print(const struct prove_cell *c)
{
	if (c->proved || c->refuted || c->refused)
		printf("  %8llu %8llu %8llu", (unsigned long long)c->proved, (unsigned long long)c->refuted,
		       (unsigned long long)c->refused);
	else
		printf("  %8s %8s %8s", "-", "-", "-");
}

/* The matrix: a line for each leaf size that can be cut. */
static void leaves_print(const struct prove *p)
{
	unsigned lg2, k, first = p->sizes ? (unsigned)__builtin_ctzll(p->sizes) : 0;
	char size[16];

	if (!(p->sizes & ~(UINT64_C(1) << first))) {
		printf("    %s\n", p->sizes ? "there are no leaves but the smallest" : "nothing was cut");
		return;
	}
	printf("    %6s %8s  %-26s  %s\n", "leaf", "cuts", cap_names[0], cap_names[1]);
	printf("    %6s %8s  %8s %8s %8s  %8s %8s %8s\n", "", "", "proved", "refuted", "refused", "proved", "refuted", "refused");
	for (lg2 = first + 1; lg2 < 64; lg2++) {
		const struct prove_leaf *leaf = &p->leaves[lg2];

		if (!(p->sizes >> lg2 & 1))
			continue;
		size_text(lg2, size, sizeof(size));
		printf("    %6s %8llu", size, (unsigned long long)leaf->cuts);
		for (k = 0; k < PROVE_CAPS_NR; k++)
			cell_print(&leaf->cells[k]);
		if (leaf->left_out)
			printf("  left out: %llu cuts that make too many leaves", (unsigned long long)leaf->left_out);
		putchar('\n');
	}
}

static bool cuts_left_out(const struct prove *p)
{
	unsigned i;

	for (i = 0; i < 64; i++)
		if (p->leaves[i].left_out)
			return true;
	return false;
}

static void cap_print(const struct prove *p, unsigned cap)
{
	struct prove_cell sum;
	enum prove_verdict v = cap_verdict(p, cap, &sum);

	printf("    %s: ", cap_names[cap]);
	switch (v) {
	case VERDICT_CAP_PROVED:
		printf("declared, proved on %llu cuts\n", (unsigned long long)sum.proved);
		break;
	case VERDICT_CAP_REFUTED:
		printf("%sdeclared, REFUTED: %llu findings\n", p->declared[cap] ? "" : "not ", (unsigned long long)sum.refuted);
		break;
	case VERDICT_CAP_IDLE:
		printf("declared, nothing to prove it on%s\n", cuts_left_out(p) ? ": see what was left out" : ": no cut needs it");
		break;
	case VERDICT_CAP_REFUSED:
		printf("not declared, %llu cuts refused as they must be\n", (unsigned long long)sum.refused);
		break;
	default:
		printf("not declared, and no cut needs it\n");
		break;
	}
}

static void task_print(void *arg, unsigned i)
{
	const struct tasks *tasks = arg;
	const struct task *t = &tasks->list[i];
	const struct prove *p = t->p;
	unsigned k;

	printf("%s %s\n    models", t->format, *t->text ? t->text : "(default)");
	for (k = 0; k < MODEL_NR; k++)
		if (p->models >> k & 1)
			printf(" %s", model_names[k]);
	printf("; %.1f s\n", tasks->jobs.list[i].seconds);
	leaves_print(p);
	for (k = 0; k < PROVE_CAPS_NR; k++)
		cap_print(p, k);
	if (p->other)
		printf("    findings that are about neither: %llu\n", (unsigned long long)p->other);
	for (k = 0; k < p->findings_nr; k++)
		printf("\nFINDING %s\nhitless replay %s\n\n", p->findings[k].f.report, t->paths[k]);
	fflush(stdout);
}

/* --- for programs --- */

static json_t *cell_json(const struct prove_cell *c)
{
	return json_pack("{sI sI sI}", "proved", (json_int_t)c->proved, "refuted", (json_int_t)c->refuted, "refused",
			 (json_int_t)c->refused);
}

static json_t *cap_json(const struct prove *p, unsigned cap)
{
	struct prove_cell sum;
	enum prove_verdict v = cap_verdict(p, cap, &sum);
	json_t *one = cell_json(&sum);

	json_object_set_new(one, "declared", json_boolean(p->declared[cap]));
	json_object_set_new(one, "verdict", json_string(verdict_keys[v]));
	return one;
}

static json_t *task_json(const struct task *t, double seconds)
{
	json_t *leaves = json_array(), *models = json_array(), *one;
	const struct prove *p = t->p;
	char resolved[CONFIG_TEXT_MAX];
	unsigned lg2, k;

	for (k = 0; k < MODEL_NR; k++)
		if (p->models >> k & 1)
			json_array_append_new(models, json_string(model_names[k]));
	for (lg2 = 0; lg2 < 64; lg2++) {
		const struct prove_leaf *leaf = &p->leaves[lg2];

		if (!(p->sizes >> lg2 & 1))
			continue;
		one = json_pack("{sI sI sI}", "bytes", (json_int_t)1 << lg2, "cuts", (json_int_t)leaf->cuts, "left_out",
				(json_int_t)leaf->left_out);
		for (k = 0; k < PROVE_CAPS_NR; k++)
			json_object_set_new(one, cap_keys[k], cell_json(&leaf->cells[k]));
		json_array_append_new(leaves, one);
	}
	config_print(&t->cfg, resolved, sizeof(resolved));
	one = json_pack("{ss ss ss so sf so sI}", "format", t->format, "text", t->text, "resolved", resolved, "models", models, "seconds",
			seconds, "leaves", leaves, "other_findings", (json_int_t)p->other);
	for (k = 0; k < PROVE_CAPS_NR; k++)
		json_object_set_new(one, cap_keys[k], cap_json(p, k));
	return one;
}

static json_t *finding_json(const struct task *t, unsigned k)
{
	const struct finding *f = &t->p->findings[k].f;
	char guarantee[8], replay[600];

	snprintf(guarantee, sizeof(guarantee), "G%u", f->v.guarantee);
	snprintf(replay, sizeof(replay), "hitless replay %s", t->paths[k]);
	return json_pack("{ss ss ss ss ss ss ss}", "class", verdict_name(f->v.class), "guarantee", guarantee, "format", t->format, "op",
			 f->op_kind < OP_NR ? op_name((enum op_kind)f->op_kind) : "domain", "signature", f->signature, "trace", t->paths[k],
			 "replay", replay);
}

static void tasks_json(const struct tasks *tasks, double seconds)
{
	json_t *configurations = json_array(), *findings = json_array(), *root;
	unsigned i, k;

	for (i = 0; i < tasks->nr; i++) {
		json_array_append_new(configurations, task_json(&tasks->list[i], tasks->jobs.list[i].seconds));
		for (k = 0; k < tasks->list[i].p->findings_nr; k++)
			json_array_append_new(findings, finding_json(&tasks->list[i], k));
	}
	root = json_pack("{ss ss sb sI sf sI sI so so}", "version", HITLESS_VERSION, "bound", bound, "quick", tasks->o->quick, "jobs",
			 (json_int_t)(tasks->o->jobs ? tasks->o->jobs : 1), "seconds", seconds, "cuts", (json_int_t)tasks->cuts,
			 "comparisons", (json_int_t)tasks->compared, "configurations", configurations, "findings", findings);
	json_dumpf(root, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(root);
}

/* --- the whole --- */

static int tasks_report(const struct tasks *tasks, double seconds)
{
	unsigned k;

	if (tasks->o->json)
		tasks_json(tasks, seconds);
	for (k = 0; k < PROVE_CAPS_NR && !tasks->o->json; k++) {
		const unsigned *v = tasks->verdicts[k];

		printf("%s: declared by %u configurations, not by %u; proved for %u, nothing to prove it on for %u, cuts refused by %u, "
		       "refuted for %u\n",
		       cap_names[k], tasks->declared[k], tasks->nr - tasks->declared[k], v[VERDICT_CAP_PROVED], v[VERDICT_CAP_IDLE],
		       v[VERDICT_CAP_REFUSED], v[VERDICT_CAP_REFUTED]);
	}
	if (!tasks->o->json)
		printf("bound: %s\n%u configurations%s: %llu cuts, %llu comparisons in %.1f s; %u findings\n", bound, tasks->nr,
		       tasks->o->quick ? ", quickly" : "", (unsigned long long)tasks->cuts, (unsigned long long)tasks->compared, seconds,
		       tasks->findings);
	if (tasks->findings)
		return EXIT_FINDING;
	return tasks->compared ? EXIT_CLEAN : complain(EXIT_TOOL, "nothing was compared");
}

int prove_formats(const struct options *o)
{
	struct tasks tasks = { .o = o };
	double start = jobs_now();
	int ret = options_out(o);

	if (ret >= 0)
		return ret;
	ret = tasks_plan(&tasks);
	jobs_init(&tasks.jobs, tasks.nr);
	tasks.jobs.shared_bytes = sizeof(struct prove);
	tasks.jobs.cpu_seconds = TASK_CPU_SECONDS;
	tasks.jobs.run = task_run;
	tasks.jobs.ended = task_ended;
	tasks.jobs.print = o->json ? NULL : task_print;
	tasks.jobs.arg = &tasks;
	if (ret < 0)
		ret = jobs_run(&tasks.jobs, o->jobs ? o->jobs : 1);
	if (ret < 0)
		ret = tasks_report(&tasks, jobs_now() - start);
	jobs_release(&tasks.jobs);
	free(tasks.list);
	return ret;
}
