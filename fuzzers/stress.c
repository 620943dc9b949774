/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress.c - hitless stress: some threads change a table while others translate through its bytes as a device would, all at full speed.
 *
 * The second opinion on G2 and G10: the proof in oracle/ decides every interleaving of a model of memory, this tries some on a real machine.
 *
 * Not compared here: layout, invalidation commands, dirty reports.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "options.h"
#include "stress_child.h"
#include "stress_report.h"

#define STRESS_SECONDS 10.0
#define STRESS_HANG_SECONDS 20

static volatile sig_atomic_t stress_interrupted;

static void stress_interrupt(int signal_nr)
{
	(void)signal_nr;
	stress_interrupted = 1;
}

/* SIGINT and SIGTERM end with the summary; a second one ends at once. */
static void stress_catch_signals(void)
{
	struct sigaction action = { .sa_handler = stress_interrupt, .sa_flags = SA_RESETHAND };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* --- configurations --- */

/* Whether there is a decoder that readers can walk with. */
static bool stress_has_walker(const char *format)
{
	unsigned i;

	for (i = 0; hw_formats[i]; i++)
		if (!strcmp(hw_formats[i]->name, format))
			return hw_formats[i]->decode;
	return false;
}

/* What --config says, or all of the format's list. Returns EXIT_CLEAN, or another status after a message. */
static int stress_configure(struct stress_run *run, const struct options *o, const struct engine_ops *ops)
{
	static const char *const given[] = { "", NULL };
	const char *const *list = o->config ? given : ops->configs;
	char err[240] = "no configuration";
	unsigned i;

	if (!stress_has_walker(ops->name))
		return complain(EXIT_USAGE, "%s: its tables cannot be walked before its decoder is written", ops->name);
	for (i = 0; list[i] && run->configs_nr < STRESS_CONFIGS_MAX; i++) {
		struct stress_config *c = &run->configs[run->configs_nr];

		if (options_config(o, ops->name, list[i], &c->cfg, err, sizeof(err)))
			continue;
		/* Here every operation is followed by a sync. */
		c->cfg.defer = 0;
		run->configs_nr++;
	}
	return run->configs_nr ? EXIT_CLEAN : complain(EXIT_USAGE, "%s", err);
}

/* --- the command --- */

static const char stress_help[] =
	"usage: hitless stress [options]\n"
	"\n"
	"Writers map, cut and unmap at random, each in iovas of its own, in tables that they share, while readers translate through the\n"
	"bytes of the same tables, as a device does, and compare each translation with what it may give before or after the operation that\n"
	"it overlaps. Tables are freed by liburcu, after their invalidation. Each format has its turn, domain after domain: another\n"
	"configuration, tiny or full, other iovas.\n"
	"\n"
	"  --format NAME    only this one; may be given several times\n"
	"  --config TEXT    configuration, as after \"format NAME\" in a trace; default: all that the format lists\n"
	"  --seconds S      for all formats together; default 10\n"
	"  --readers N      threads that translate, up to 64; default 2\n"
	"  --writers N      threads that change the tables, up to 16; default 2\n"
	"  --flavour F      of liburcu: memb or qsbr; default memb\n"
	"  --reclaim R      tables are freed by call (call_rcu) or sync (synchronize_rcu); default: a domain has the one or the other\n"
	"  --pause P        between stores, and between the loads of some walks: none, spin, yield, sleep, mixed; default: by domain\n"
	"  --seed N         default: from the clock. A seed repeats configurations, iovas and each writer's choices; how threads\n"
	"                   interleave it does not repeat\n"
	"  --until-finding  end with the first format that has one\n"
	"  --engine E       native, or another that is built in; --hostile, --all-arguments as for fuzz\n"
	"  --model M, --tlb T  in the configuration\n"
	"  --out DIR        where a finding's trace and log go; default: findings\n"
	"  --json           one object on standard output\n"
	"\n"
	"A finding stops all threads. Every writer's operations are written to a log, and are run again one by one with every walk in flight\n"
	"explored (hitless replay): if that finds something, the trace is minimized and finds it every time. If not, the trace has all\n"
	"operations, and only threads may show what went wrong.\n"
	"\n"
	"Each format runs in a process of its own. Whatever ends that once the engine has been called is a finding, with the operations that\n"
	"the writers had begun: a signal, also one that was sent from outside, as for want of memory; an exit; no progress for a minute.\n"
	"\n"
	"overlaps: translations during which the writer of that iova ran an operation; in range: in what the operation works on. before and\n"
	"after: which version was seen where they differ; for cut, the old leaf or what it became. unclear: too many changes at once; such a\n"
	"translation only may not leave the tables. How long operations take includes the pauses.\n"
	"\n"
	"Exit status: 0 nothing found, 1 a finding, 2 bad usage, 3 a format where no translation overlapped an operation, no thread or\n"
	"process could be made, or another fault of the tool.\n"
	"\n"
	"example: hitless stress --format vtdss --writers 3 --seconds 60\n";

/* Run one format until then. Returns an exit status. */
static int stress_format(struct stress_child *child, const struct options *o, const struct engine_ops *ops, uint64_t until,
			 struct stress_report *report)
{
	const struct stress_run *left = child->left;
	int ret = stress_configure(child->run, o, ops);

	if (ret)
		return ret;
	stress_report_begin(report, ops->name);
	ret = stress_child_run(child, until, &stress_interrupted, stress_report_progress, report);
	if (ret >= 0)
		return ret;
	if (!left->found && left->ret == -ENOENT)
		return complain(EXIT_USAGE, "%s: %s", ops->name, left->why);
	stress_report_end(report, left);
	if (left->found)
		return EXIT_FINDING;
	if (left->ret)
		return complain(EXIT_TOOL, "no thread can be made: %s", strerror(-left->ret));
	if (left->hung)
		return complain(EXIT_TOOL, "%s: a reader does not end", ops->name);
	if (!left->total.counts.overlaps && !stress_interrupted)
		return complain(EXIT_TOOL, "%s: no translation overlapped an operation, so nothing was tested", ops->name);
	return EXIT_CLEAN;
}

/* One that was named is tried even where it cannot be walked, to be told so. */
static bool stress_wants(const struct options *o, const char *format)
{
	return options_want(o, format) && (o->formats_nr || stress_has_walker(format));
}

static int stress_formats(const struct options *o, const struct stress_plan *plan, struct stress_report *report)
{
	unsigned i, nr = 0, turn = 0;
	uint64_t start = latency_now();
	int status = EXIT_CLEAN;

	for (i = 0; engine_formats()[i]; i++)
		nr += stress_wants(o, engine_formats()[i]->name);
	for (i = 0; engine_formats()[i] && !stress_interrupted; i++) {
		struct stress_child child;
		uint64_t until;
		int ret;

		if (!stress_wants(o, engine_formats()[i]->name))
			continue;
		until = start + (uint64_t)(o->seconds * 1e9 * ++turn / nr);
		ret = stress_child_init(&child, plan, o->seed + i) ? complain(EXIT_TOOL, "out of memory")
								   : stress_format(&child, o, engine_formats()[i], until, report);
		if (status == EXIT_CLEAN || ret == EXIT_FINDING)
			status = ret;
		stress_child_release(&child);
		if (ret == EXIT_USAGE || (ret == EXIT_FINDING && o->until_finding))
			break;
	}
	return status;
}

/* Returns -1, or an exit status after a message. */
static int stress_make_plan(const struct options *o, struct stress_plan *plan)
{
	int flavour = GRACE_MEMB, reclaim = RECLAIM_NR, pause = PAUSE_NR, ret = -1;

	if (o->flavour)
		ret = options_choice("flavour", o->flavour, grace_names, GRACE_NR, &flavour);
	if (ret < 0 && o->reclaim)
		ret = options_choice("way to reclaim", o->reclaim, stress_reclaim_names, RECLAIM_NR, &reclaim);
	if (ret < 0 && o->pause)
		ret = options_choice("pause", o->pause, stress_pause_names, PAUSE_NR, &pause);
	if (ret >= 0)
		return ret;
	*plan = (struct stress_plan){ .seed = o->seed,
				      .readers_nr = o->readers ? o->readers : 2,
				      .writers_nr = o->writers ? o->writers : 2,
				      .flavour = (enum grace_flavour)flavour,
				      .reclaim = (enum stress_reclaim_mode)reclaim,
				      .pause = (enum stress_pause)pause,
				      .hang_seconds = STRESS_HANG_SECONDS,
				      .exec = o->exec,
				      .out = o->out ? o->out : "findings" };
	if (plan->readers_nr > STRESS_READERS_MAX)
		return complain(EXIT_USAGE, "--readers takes 1 to %u, not %u", STRESS_READERS_MAX, plan->readers_nr);
	if (plan->writers_nr > STRESS_WRITERS_MAX)
		return complain(EXIT_USAGE, "--writers takes 1 to %u, not %u", STRESS_WRITERS_MAX, plan->writers_nr);
	return -1;
}

int cmd_stress(int argc, char **argv)
{
	struct stress_report report;
	struct stress_plan plan;
	struct options o;
	int ret = options_parse(argc, argv,
				OPTION_FORMAT | OPTION_SEED | OPTION_SECONDS | OPTION_JSON | OPTION_OUT | OPTION_MODEL | OPTION_THREADS |
					OPTION_ENGINE | OPTION_UNTIL,
				stress_help, &o);

	if (ret >= 0)
		return ret;
	if (o.files_nr)
		return complain(EXIT_USAGE, "stress takes no file");
	ret = options_out(&o);
	if (ret >= 0)
		return ret;
	o.seconds = o.seconds > 0 ? o.seconds : STRESS_SECONDS;
	if (!o.has_seed)
		o.seed = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32;
	ret = stress_make_plan(&o, &plan);
	if (ret >= 0)
		return ret;
	stress_report_init(&report, &plan, o.seed, o.json);
	stress_catch_signals();
	ret = stress_formats(&o, &plan, &report);
	report.json &= ret != EXIT_USAGE;
	if (!stress_report_release(&report))
		return complain(EXIT_TOOL, "cannot write to standard output");
	return ret;
}
