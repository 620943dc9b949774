/* SPDX-License-Identifier: GPL-2.0-or-later */
/* one_input.c - one input of an external fuzzer, run to its end or to its finding. */
#include "one_input.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "canary.h"
#include "finding.h"
#include "options.h"
#include "trace_bin.h"

/* Small, so that exhaustion is within an input's reach and a reset is cheap. */
#define ONE_INPUT_ARENA (UINT64_C(64) << 20)
#define CONFIGS_MAX 32

const char *const *one_input_configs(const char *format)
{
	static char lines[TRACE_FORMATS_NR][CONFIGS_MAX][CONFIG_TEXT_MAX];
	static const char *lists[TRACE_FORMATS_NR][CONFIGS_MAX + 1];
	const struct engine_ops *ops = engine_find(format);
	unsigned f = 0, i;

	while (f < TRACE_FORMATS_NR && strcmp(trace_formats[f], format))
		f++;
	if (!ops || f == TRACE_FORMATS_NR)
		return NULL;
	/* Engines list what follows the format's name. */
	for (i = 0; !lists[f][0] && ops->configs[i] && i < CONFIGS_MAX; i++)
		snprintf(lines[f][i], CONFIG_TEXT_MAX, "%s %s", format, ops->configs[i]);
	while (i--)
		lists[f][i] = lines[f][i];
	return lists[f];
}

/* The report, the trace, and the end of the process. */
static void one_input_end(const struct one_input *in, const struct finding *f)
{
	static char path[4096];
	int ret;

	fprintf(stderr, "\n%s", f->report);
	ret = finding_save(f, &in->trace, in->out, path, sizeof(path));
	if (ret)
		fprintf(stderr, "hitless: the trace could not be saved in %s: %s\n", in->out, strerror(-ret));
	else
		fprintf(stderr, "replay with: hitless replay %s\n", path);
	abort();
}

static void one_input_found(void *arg, const struct verdict *v, const struct op *op)
{
	struct one_input *in = arg;
	struct finding f;

	finding_make(&f, &in->exec, v, op);
	one_input_end(in, &f);
}

/*
 * The engine may have destroyed the stack, which libFuzzer's handlers and those of a sanitizer's runtime walk to print it: they end there, and the
 * input is lost. So this one comes first, on a stack of its own. Not before the address sanitizer's, which knows more.
 */
#if defined(__SANITIZE_ADDRESS__)
#define ONE_INPUT_CATCHES 0
#elif defined(__has_feature)
#define ONE_INPUT_CATCHES !__has_feature(address_sanitizer)
#else
#define ONE_INPUT_CATCHES 1
#endif

static const struct one_input *one_input_runs;

static void one_input_crashed(int signal_nr)
{
	static struct finding f;
	const struct one_input *in = one_input_runs;
	size_t nr = in ? in->trace.nr : 0;

	/* While there is no input, it is the target's. */
	if (!in) {
		raise(signal_nr);
		return;
	}
	finding_crash(&f, in->trace.cfg.format, nr ? in->trace.ops[nr - 1].kind : (unsigned)OP_NR, nr ? nr - 1 : 0, signal_nr);
	one_input_end(in, &f);
}

static void one_input_catch(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL };
	static uint8_t elsewhere[64 << 10];
	stack_t stack = { .ss_sp = elsewhere, .ss_size = sizeof(elsewhere) };
	struct sigaction action = { .sa_handler = one_input_crashed, .sa_flags = SA_ONSTACK | SA_RESETHAND };
	unsigned i;

	sigemptyset(&action.sa_mask);
	sigaltstack(&stack, NULL);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

/* Three numbers in a file, shared with whoever opens it. */
static uint64_t *one_input_count(const char *path)
{
	uint64_t *count;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || ftruncate(fd, 3 * sizeof(*count)))
		exit(complain(EXIT_USAGE, "HITLESS_COUNT: %s: %s", path, strerror(errno)));
	count = mmap(NULL, 3 * sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (count == MAP_FAILED)
		exit(complain(EXIT_USAGE, "HITLESS_COUNT: %s: %s", path, strerror(errno)));
	return count;
}

/* Before the first input: afterwards nobody would ask why nothing is ever found. */
static void one_input_canaries(const struct exec_options *options, const char *only)
{
	const struct engine_ops *const *f;
	struct canary_result sum = { 0 };
	unsigned i;
	struct trace_error err;
	struct config cfg;
	char why[240];

	for (f = engine_formats(); *f; f++) {
		const char *const *configs = one_input_configs((*f)->name);

		for (i = 0; configs && configs[i] && (!only || !strcmp(only, (*f)->name)); i++)
			if (!config_parse(configs[i], &cfg, &err) && !exec_resolve(&cfg, why, sizeof(why)) && canary_must(options, &cfg, &sum) >= 0)
				exit(EXIT_TOOL);
	}
}

static void one_input_keep(struct one_input *in, const uint8_t *buf, size_t bytes)
{
	uint32_t nr = (uint32_t)bytes;

	/* Whole: AFL++ kills this process and goes on with another one, which writes behind it. */
	if (fwrite(&nr, sizeof(nr), 1, in->keep) != 1 || (nr && fwrite(buf, nr, 1, in->keep) != 1) || fflush(in->keep))
		exit(complain(EXIT_TOOL, "HITLESS_KEEP: %s", strerror(errno)));
}

/* What the environment says; a copy, since it lies on the stack. */
static const char *one_input_setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);
	char *copy;

	if (!value || !*value)
		return otherwise;
	copy = strdup(value);
	if (!copy)
		exit(complain(EXIT_TOOL, "out of memory"));
	return copy;
}

void one_input_init(struct one_input *in, const char *only)
{
	struct exec_options options = exec_defaults;
	const char *keep = getenv("HITLESS_KEEP");

	in->only = only;
	options.arena_bytes = ONE_INPUT_ARENA;
	in->out = one_input_setting("HITLESS_OUT", NULL);
	/* Rather now than when there is something to save. Without the setting nothing is made before there is. */
	if (in->out && options_directory(in->out) >= 0)
		exit(EXIT_USAGE);
	in->out = in->out ? in->out : "findings";
	in->note = one_input_setting("HITLESS_TRACE", NULL);
	if (getenv("HITLESS_COUNT"))
		in->count = one_input_count(getenv("HITLESS_COUNT"));
	one_input_canaries(&options, only);
	in->keep = keep ? fopen(keep, "wb") : NULL;
	if (keep && !in->keep)
		exit(complain(EXIT_USAGE, "HITLESS_KEEP: %s: %s", keep, strerror(errno)));
	trace_init(&in->trace);
	if (exec_init(&in->exec, &options, one_input_found, in))
		exit(complain(EXIT_TOOL, "out of memory"));
	if (ONE_INPUT_CATCHES)
		one_input_catch();
}

/* The trace as it will be when the last of it is run. */
static void one_input_note(const struct one_input *in)
{
	FILE *out = fopen(in->note, "w");

	if (!out)
		exit(complain(EXIT_USAGE, "HITLESS_TRACE: %s: %s", in->note, strerror(errno)));
	finding_print_trace(&in->trace, out);
	if (fclose(out))
		exit(complain(EXIT_USAGE, "HITLESS_TRACE: %s: %s", in->note, strerror(errno)));
}

/* Run op, which is the last of the trace; false: it may not be run. */
static bool one_input_op(struct one_input *in, const struct op *op)
{
	enum exec_status status;

	if (in->note)
		one_input_note(in);
	if (in->counters)
		feedback_begin(&in->feedback, op);
	status = exec_op(&in->exec, op);
	if (in->counters)
		feedback_op(&in->feedback, &in->exec, op, status);
	return status != EXEC_SKIPPED;
}

static void one_input_counted(struct one_input *in)
{
	static uint64_t before;
	struct timespec ts;
	uint64_t now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	now = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	in->count[0]++;
	in->count[1] += in->trace.nr;
	in->count[2] += now - before;
	before = now;
}

void one_input_run(struct one_input *in, const uint8_t *buf, size_t bytes)
{
	struct trace_bin b;
	const char *why;
	char err[240];
	struct op op;

	in->trace.nr = 0;
	if (in->keep)
		one_input_keep(in, buf, bytes);
	trace_bin_open(&b, buf, bytes, one_input_configs);
	in->trace.cfg = b.cfg;
	if (in->only && strcmp(in->only, b.cfg.format))
		return;
	if (exec_resolve(&in->trace.cfg, err, sizeof(err)))
		return;
	if (in->note)
		one_input_note(in);
	one_input_runs = in;
	if (exec_open(&in->exec, &in->trace.cfg, &why)) {
		one_input_runs = NULL;
		return;
	}
	if (in->counters)
		feedback_open(&in->feedback, &in->exec, in->counters);
	while (in->trace.nr < ONE_INPUT_OPS_MAX && trace_bin_next(&b, &in->exec.check.im, &in->exec.check.hw, &op)) {
		if (pick_is_huge(&in->exec.check.hw, &op))
			continue;
		if (!trace_push_whole(&in->trace, &op))
			continue;
		/* A round that may not run, as none may whose writers touch the same, is none. */
		if (!one_input_op(in, &in->trace.ops[in->trace.nr - 1]) && op.kind == OP_SWITCH)
			in->trace.nr -= 1 + ops_waiting(in->trace.ops, in->trace.nr - 1);
	}
	exec_close(&in->exec);
	one_input_runs = NULL;
	if (in->count)
		one_input_counted(in);
}
