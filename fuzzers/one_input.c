/* SPDX-License-Identifier: GPL-2.0-or-later */
/* one_input.c - one input of an external fuzzer, run to its end or to its finding. */
#include "one_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
static void one_input_found(void *arg, const struct verdict *v, const struct op *op)
{
	struct one_input *in = arg;
	struct finding f;
	char path[4096];
	int ret;

	finding_make(&f, &in->exec, v, op);
	fprintf(stderr, "\n%s", f.report);
	ret = finding_save(&f, &in->trace, in->out, path, sizeof(path));
	if (ret)
		fprintf(stderr, "hitless: the trace could not be saved in %s: %s\n", in->out, strerror(-ret));
	else
		fprintf(stderr, "replay with: hitless replay %s\n", path);
	abort();
}

void one_input_init(struct one_input *in)
{
	struct exec_options options = exec_defaults;

	options.arena_bytes = ONE_INPUT_ARENA;
	in->out = getenv("HITLESS_OUT");
	if (!in->out || !*in->out)
		in->out = "findings";
	trace_init(&in->trace);
	if (exec_init(&in->exec, &options, one_input_found, in))
		exit(complain(EXIT_TOOL, "out of memory"));
}

/* Literal operations may ask for anything; what would take minutes is left out. */
static bool one_input_too_large(const struct one_input *in, const struct op *op)
{
	return op->kind == OP_MAP && op->last > op->iova && pick_leaves(&in->exec.check.hw, op->iova, op->last, op->oa) > PICK_LEAVES_MAX;
}

void one_input_run(struct one_input *in, const uint8_t *buf, size_t bytes)
{
	struct trace_bin b;
	const char *why;
	char err[240];
	struct op op;

	in->trace.nr = 0;
	trace_bin_open(&b, buf, bytes, one_input_configs);
	in->trace.cfg = b.cfg;
	if (exec_resolve(&in->trace.cfg, err, sizeof(err)) || exec_open(&in->exec, &in->trace.cfg, &why))
		return;
	while (in->trace.nr < ONE_INPUT_OPS_MAX && trace_bin_next(&b, &in->exec.check.im, &in->exec.check.hw, &op)) {
		if (one_input_too_large(in, &op))
			continue;
		if (!trace_push_whole(&in->trace, &op))
			continue;
		/* A round that may not run, as none may whose writers touch the same, is none. */
		if (exec_op(&in->exec, &op) == EXEC_SKIPPED && op.kind == OP_SWITCH)
			in->trace.nr -= 1 + ops_waiting(in->trace.ops, in->trace.nr - 1);
	}
	exec_close(&in->exec);
}
