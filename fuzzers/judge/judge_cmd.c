/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge_cmd.c - hitless judge: each format before the judge that knows it, each in a child process. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "../jobs.h"
#include "../options.h"
#include "judge_run.h"

enum { TASKS_MAX = 32, REFUSED_MAX = 24, TASK_CPU_SECONDS = 7200, TRANSLATIONS = 1000000, TRANSLATIONS_QUICK = 20000 };

static const char help[] =
	"usage: hitless judge [--format FORMAT]... [--config TEXT] [--translations N] [--seconds N] [--seed N] [--jobs N] [--quick] "
	"[--json]\n"
	"\n"
	"Lets the MMUs and IOMMUs of QEMU translate through the raw bytes of tables that the engine has made by random operations, and "
	"compares\n"
	"oa, permissions and memory type, as far as the judge sees them, with our walker and with what the engine was asked for. Then "
	"entries\n"
	"with one bit changed, and encoding errors that the judge must notice. docs/judges.md says what each judge does not see.\n"
	"\n"
	"A judge whose QEMU is not installed is skipped, by name. HITLESS_QEMU names a folder of other binaries than those in PATH.\n"
	"\n"
	"  --format FORMAT   only this one; may be given several times\n"
	"  --config TEXT     this configuration instead of those that are tested, as 'stage=2 ias=40'\n"
	"  --translations N  ask until so many were answered, of each format; default 1000000, with --quick 20000\n"
	"  --seconds N       or for so long, of each format\n"
	"  --seed N          of tables and questions; default a random one, printed\n"
	"  --jobs N          formats at a time; default 1\n"
	"  --quick           fewer tables of each configuration\n"
	"  --json            one object on standard output\n"
	"\n"
	"Exit status: 0 all agree and every planted error was caught, 1 a disagreement, 2 bad usage, 3 the tool or a judge is at fault, "
	"or\n"
	"nothing was compared.\n"
	"\n"
	"example: hitless judge --format riscv64 --quick\n";

/*
 * struct task - a format and its judge.
 *
 * @skipped: the judge is not installed
 * @refused, @refused_nr: configurations that the judge cannot have, and why; tiny ones not counted
 */
struct task {
	const struct judge_ops *ops;
	struct judge_plan plan;
	bool skipped;
	struct {
		const char *config, *why;
	} refused[REFUSED_MAX];
	unsigned refused_nr;
};

/* What a child leaves behind. @ret: of judge_run. */
struct outcome {
	struct judge_result res;
	char version[120], path[512], why[400];
	int ret;
	bool ended;
};

struct tasks {
	const struct options *o;
	struct task list[TASKS_MAX];
	unsigned nr, job_of[TASKS_MAX], jobs_nr;
	struct jobs jobs;
};

static bool judge_knows(const struct judge_ops *ops, const char *format)
{
	unsigned i;

	for (i = 0; ops->formats[i]; i++)
		if (!strcmp(ops->formats[i], format))
			return true;
	return false;
}

/* Add a configuration if the judge takes it. Returns -1, or the exit status. */
static int task_config(struct task *task, const struct options *o, const char *text, bool must)
{
	struct judge_plan *plan = &task->plan;
	const char *why = "";
	struct config cfg;
	char err[240];

	if (options_config(o, plan->format, text, &cfg, err, sizeof(err)))
		return must ? complain(EXIT_USAGE, "%s", err) : complain(EXIT_TOOL, "%s", err);
	if (!task->ops->takes(&cfg, &why)) {
		if (must)
			return complain(EXIT_USAGE, "%s %s: %s by %s", plan->format, o->config, why, task->ops->name);
		if (!cfg.tiny && task->refused_nr < REFUSED_MAX) {
			task->refused[task->refused_nr].config = text;
			task->refused[task->refused_nr++].why = why;
		}
		return -1;
	}
	if (plan->configs_nr == JUDGE_CONFIGS_MAX)
		return complain(EXIT_TOOL, "more than %d configurations", JUDGE_CONFIGS_MAX);
	plan->configs[plan->configs_nr++] = cfg;
	return -1;
}

/* The judge's own configurations begin with the name of their format. */
static int task_own_configs(struct task *task, const struct options *o)
{
	size_t nr = strlen(task->plan.format);
	unsigned i;
	int ret = -1;

	for (i = 0; task->ops->configs && task->ops->configs[i] && ret < 0; i++)
		if (!strncmp(task->ops->configs[i], task->plan.format, nr) && task->ops->configs[i][nr] == ' ')
			ret = task_config(task, o, task->ops->configs[i] + nr + 1, false);
	return ret;
}

static int task_add(struct tasks *tasks, const struct judge_ops *ops, const struct engine_ops *engine, uint64_t seed)
{
	const struct options *o = tasks->o;
	struct task *task = &tasks->list[tasks->nr];
	char path[512];
	unsigned i;
	int ret = -1;

	if (tasks->nr == TASKS_MAX)
		return complain(EXIT_TOOL, "more than %d formats and judges", TASKS_MAX);
	task->ops = ops;
	task->plan = (struct judge_plan){ .format = engine->name, .seed = seed, .quick = o->quick, .seconds = o->seconds };
	task->plan.translations = o->translations  ? o->translations
				  : o->seconds > 0 ? UINT64_MAX
				  : o->quick       ? TRANSLATIONS_QUICK
						   : TRANSLATIONS;
	task->plan.progress = !o->json && o->jobs < 2 && isatty(2) ? stderr : NULL;
	task->skipped = !qemu_find(ops->binary, path, sizeof(path));
	if (o->config)
		ret = task_config(task, o, "", true);
	for (i = 0; !o->config && engine->configs[i] && ret < 0; i++)
		ret = task_config(task, o, engine->configs[i], false);
	if (!o->config && ret < 0)
		ret = task_own_configs(task, o);
	if (ret < 0 && !task->skipped)
		tasks->job_of[tasks->jobs_nr++] = tasks->nr;
	tasks->nr += ret < 0;
	return ret;
}

static int tasks_plan(struct tasks *tasks, uint64_t seed)
{
	unsigned i, k, known;
	int ret = -1;

	for (i = 0; engine_formats()[i] && ret < 0; i++) {
		const struct engine_ops *engine = engine_formats()[i];

		if (!options_want(tasks->o, engine->name))
			continue;
		known = 0;
		for (k = 0; judges[k] && ret < 0; k++) {
			if (!judge_knows(judges[k], engine->name))
				continue;
			known++;
			ret = task_add(tasks, judges[k], engine, seed);
		}
		if (!known && tasks->o->formats_nr)
			return complain(EXIT_USAGE, "%s: there is no judge for this format", engine->name);
	}
	return ret;
}

/* In the child. */
static void task_run(void *arg, unsigned i)
{
	struct tasks *tasks = arg;
	struct task *task = &tasks->list[tasks->job_of[i]];
	struct outcome *out = tasks->jobs.list[i].shared;
	struct judge j;

	if (!judge_init(&j, task->ops)) {
		snprintf(out->why, sizeof(out->why), "%s is gone", task->ops->binary);
		out->ret = -ENOENT;
	} else {
		out->ret = judge_run(&j, &task->plan, &out->res);
		memcpy(out->version, j.version, sizeof(out->version));
		memcpy(out->path, j.path, sizeof(out->path));
		memcpy(out->why, j.why, sizeof(out->why));
		judge_release(&j);
	}
	out->ended = true;
}

static int task_ended(void *arg, unsigned i)
{
	struct tasks *tasks = arg;
	struct outcome *out = tasks->jobs.list[i].shared;
	const struct task *task = &tasks->list[tasks->job_of[i]];

	if (!out->ended)
		return complain(EXIT_TOOL, "%s: the process that judges it died", task->plan.format);
	if (out->ret)
		return complain(EXIT_TOOL, "%s: %s", task->plan.format, *out->why ? out->why : strerror(-out->ret));
	return -1;
}

static unsigned planted_caught(const struct judge_result *res)
{
	unsigned i, caught = 0;

	for (i = 0; i < res->planted_nr; i++)
		caught += res->planted[i].wrong != 0;
	return caught;
}

static void task_print(void *arg, unsigned i)
{
	struct tasks *tasks = arg;
	const struct outcome *out = tasks->jobs.list[i].shared;
	const struct task *task = &tasks->list[tasks->job_of[i]];
	const struct judge_result *res = &out->res;
	unsigned k;

	double seconds = res->seconds > 0 ? res->seconds : 1e-9;

	printf("%s by %s %s: %u configurations (%u left out), %.1f s\n", task->plan.format, task->ops->name, out->version, res->configs,
	       res->left_out, res->seconds);
	printf("  %" PRIu64 " tables (%.0f a minute), %" PRIu64 " translations (%.0f a second), %" PRIu64 " permissions alone, %" PRIu64
	       " listed leaves: %" PRIu64 " agreed, %" PRIu64 " disagreed, %" PRIu64 " questions the judge cannot tell\n",
	       res->tables, (double)res->tables * 60 / seconds, res->translations, (double)res->translations / seconds, res->permissions,
	       res->leaves, res->agreed, res->disagreed, res->unanswered);
	printf("  %d of %d leaf sizes, %d kinds of permission; %" PRIu64 " items marked accessed or dirty, %" PRIu64 " of them wrongly\n",
	       __builtin_popcountll(res->sizes & res->sizes_due), __builtin_popcountll(res->sizes_due), __builtin_popcountll(res->prots),
	       res->updates, res->updates_wrong);
	printf("  %" PRIu64 " questions about changed bits: %" PRIu64 " agreed, %" PRIu64 " listed, %" PRIu64
	       " disagreed; planted errors: %u of %u caught\n",
	       res->changes, res->changes_agreed, res->changes_listed, res->changes_wrong, planted_caught(res), res->planted_nr);
	for (k = 0; k < res->left_out && k < JUDGE_LEFT_OUT_MAX; k++)
		printf("  left out: %s\n", res->why_left_out[k]);
	for (k = 0; k < task->refused_nr; k++)
		printf("  not judged: %s %s: %s\n", task->plan.format, task->refused[k].config, task->refused[k].why);
	for (k = 0; k < res->planted_nr; k++)
		if (!res->planted[k].wrong)
			printf("  NOT CAUGHT in %" PRIu64 " tables: %s\n", res->planted[k].tables, res->planted[k].name);
	for (k = 0; k < res->reports_nr; k++)
		printf("  DISAGREEMENT %s\n", res->reports[k]);
	if (res->found)
		printf("  FINDING %s\n", res->finding);
	fflush(stdout);
}

/* Every difference that may be met, with how often it was. */
static json_t *json_listed(const struct task *task, const struct judge_result *res)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < judge_differences_nr; i++) {
		const struct judge_difference *d = &judge_differences[i];

		if (strcmp(d->judge, task->ops->name) || (d->format && strncmp(task->plan.format, d->format, strlen(d->format))))
			continue;
		json_array_append_new(list, json_pack("{ss ss ss ss sI}", "judge", judge_differ_how_name(d->how), "walker",
						      d->why ? d->why : "", "whose", judge_differ_whose_name(d->whose), "reason", d->reason,
						      "seen", (json_int_t)res->listed[i]));
	}
	return list;
}

static json_t *json_refused(const struct task *task, const struct judge_result *res)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < task->refused_nr; i++)
		json_array_append_new(list, json_pack("{ss ss}", "config", task->refused[i].config, "why", task->refused[i].why));
	for (i = 0; res && i < res->left_out && i < JUDGE_LEFT_OUT_MAX; i++)
		json_array_append_new(list, json_pack("{ss ss}", "config", "", "why", res->why_left_out[i]));
	return list;
}

static json_t *json_planted(const struct judge_result *res)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < res->planted_nr; i++)
		json_array_append_new(list, json_pack("{ss sI sI sb}", "error", res->planted[i].name, "tables",
						      (json_int_t)res->planted[i].tables, "wrong_answers",
						      (json_int_t)res->planted[i].wrong, "caught", res->planted[i].wrong != 0));
	return list;
}

static json_t *json_task(const struct task *task, const struct outcome *out)
{
	static const char *const kinds[] = { "read", "write", "read_user", "write_user", "address" };
	const struct judge_result *res = out ? &out->res : NULL;
	json_t *one = json_pack("{ss ss sb}", "format", task->plan.format, "judge", task->ops->name, "skipped", task->skipped), *asked,
	       *reports;
	unsigned i;

	if (!res) {
		json_object_set_new(one, "not_installed", json_string(task->ops->binary));
		return one;
	}
	json_object_set_new(one, "not_judged", json_refused(task, res));
	asked = json_object();
	reports = json_array();
	for (i = 0; i < JUDGE_POKE; i++)
		json_object_set_new(asked, kinds[i], json_integer((json_int_t)res->kinds[i]));
	for (i = 0; i < res->reports_nr; i++)
		json_array_append_new(reports, json_string(res->reports[i]));
	if (res->found)
		json_array_append_new(reports, json_string(res->finding));
	json_object_update_new(
		one, json_pack("{ss si si sI sI sI so sI sI sI si si si sI sI sI sI sI sI sI sI sI sI si si so so so sf}", "version",
			       out->version, "configurations", res->configs, "left_out", res->left_out, "tables", (json_int_t)res->tables,
			       "translations", (json_int_t)res->translations, "permissions", (json_int_t)res->permissions, "asked", asked,
			       "with_oa", (json_int_t)res->oas, "faults", (json_int_t)res->faults, "leaves_listed", (json_int_t)res->leaves,
			       "leaf_sizes", __builtin_popcountll(res->sizes & res->sizes_due), "leaf_sizes_enabled",
			       __builtin_popcountll(res->sizes_due), "permission_kinds", __builtin_popcountll(res->prots), "unanswered",
			       (json_int_t)res->unanswered, "agreed", (json_int_t)res->agreed, "disagreements", (json_int_t)res->disagreed,
			       "updates", (json_int_t)res->updates, "updates_disagreements", (json_int_t)res->updates_wrong, "changes",
			       (json_int_t)res->changes, "changes_agreed", (json_int_t)res->changes_agreed, "changes_listed",
			       (json_int_t)res->changes_listed, "changes_untold", (json_int_t)res->changes_untold, "changes_disagreements",
			       (json_int_t)res->changes_wrong, "planted", (int)res->planted_nr, "planted_caught", (int)planted_caught(res),
			       "planted_errors", json_planted(res), "differences", json_listed(task, res), "reports", reports, "seconds",
			       res->seconds));
	return one;
}

static const struct outcome *tasks_outcome(const struct tasks *tasks, unsigned task)
{
	unsigned i;

	for (i = 0; i < tasks->jobs_nr; i++)
		if (tasks->job_of[i] == task)
			return tasks->jobs.list[i].shared;
	return NULL;
}

/* The summary and the exit status. */
static int tasks_report(const struct tasks *tasks, uint64_t seed, double seconds)
{
	uint64_t compared = 0, wrong = 0, missed = 0, idle = 0;
	json_t *list = json_array(), *root;
	unsigned i;

	for (i = 0; i < tasks->nr; i++) {
		const struct task *task = &tasks->list[i];
		const struct outcome *out = tasks_outcome(tasks, i);

		json_array_append_new(list, json_task(task, out));
		if (!out) {
			if (!tasks->o->json)
				printf("%s: skipped: %s needs %s, which is not installed\n", task->plan.format, task->ops->name,
				       task->ops->binary);
			continue;
		}
		compared += out->res.translations + out->res.permissions + out->res.leaves;
		wrong += out->res.disagreed + out->res.changes_wrong + out->res.updates_wrong + out->res.found;
		missed += out->res.planted_nr - planted_caught(&out->res);
		idle += !out->res.translations || !out->res.planted_nr;
	}
	if (tasks->o->json) {
		root = json_pack("{ss sI si sb sf so}", "version", HITLESS_VERSION, "seed", (json_int_t)seed, "jobs",
				 (int)(tasks->o->jobs ? tasks->o->jobs : 1), "quick", tasks->o->quick, "seconds", seconds, "judged", list);
		json_dumpf(root, stdout, JSON_INDENT(1));
		putchar('\n');
		json_decref(root);
	} else {
		json_decref(list);
		printf("%" PRIu64 " answers compared, %" PRIu64 " disagreements, %" PRIu64 " planted errors missed; seed %" PRIu64 "\n",
		       compared, wrong, missed, seed);
	}
	if (wrong || missed)
		return EXIT_FINDING;
	if (compared && idle)
		return complain(EXIT_TOOL, "nothing was compared, or planted, for one of the formats");
	if (!compared)
		return complain(EXIT_TOOL, tasks->jobs_nr ? "nothing was compared" : "no judge is installed, nothing was compared");
	return EXIT_CLEAN;
}

int cmd_judge(int argc, char **argv)
{
	unsigned mask = OPTION_FORMAT | OPTION_SEED | OPTION_SECONDS | OPTION_JOBS | OPTION_JSON | OPTION_QUICK | OPTION_TRANSLATIONS;
	static struct tasks tasks;
	struct options o;
	double start = jobs_now();
	int ret = options_parse(argc, argv, mask, help, &o);
	uint64_t seed;

	if (ret >= 0)
		return ret;
	if (o.files_nr)
		return complain(EXIT_USAGE, "judge takes no file: %s", o.files[0]);
	seed = o.seed;
	if (!o.has_seed && getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return complain(EXIT_TOOL, "no random seed: %s", strerror(errno));
	seed &= INT64_MAX; /* JSON's integers are signed */
	tasks.o = &o;
	ret = tasks_plan(&tasks, seed);
	if (ret >= 0)
		return ret;
	if (!o.json)
		printf("seed %" PRIu64 "\n", seed);
	jobs_init(&tasks.jobs, tasks.jobs_nr);
	tasks.jobs.shared_bytes = sizeof(struct outcome);
	tasks.jobs.cpu_seconds = TASK_CPU_SECONDS;
	tasks.jobs.run = task_run;
	tasks.jobs.ended = task_ended;
	tasks.jobs.print = o.json ? NULL : task_print;
	tasks.jobs.arg = &tasks;
	ret = jobs_run(&tasks.jobs, o.jobs ? o.jobs : 1);
	if (ret < 0)
		ret = tasks_report(&tasks, seed, jobs_now() - start);
	jobs_release(&tasks.jobs);
	return ret;
}
