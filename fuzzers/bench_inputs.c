/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_inputs.c - hitless bench: the inputs of outside fuzzers, run by the plain executor, and mutated. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "finding.h"
#include "gen.h"
#include "mutate.h"
#include "one_input.h"

#define MUTATED_MAX 4096
#define KEPT_MAX (1 << 20) /* as AFL++'s own limit */

struct input {
	uint8_t *bytes;
	size_t nr;
};

/* An input of the format's n-th configuration. */
static int inputs_make(struct exec *x, const char *format, uint64_t seed, unsigned n, struct input *in)
{
	const char *const *list = one_input_configs(format);
	struct trace_error err;
	struct config cfg;
	struct trace t;
	struct gen g;
	struct op op;
	const char *why;
	char line[240];
	unsigned nr = 0, i;
	int ret;

	while (list && list[nr])
		nr++;
	trace_init(&t);
	if (!nr || config_parse(list[n % nr], &t.cfg, &err))
		return -EINVAL;
	cfg = t.cfg;
	if (exec_resolve(&cfg, line, sizeof(line)) || exec_open(x, &cfg, &why))
		return -EINVAL;
	gen_init(&g, seed * BENCH_INPUTS_NR + n, GEN_DEFAULT, &x->check.im, &x->check.hw);
	for (i = 0; i < BENCH_INPUT_OPS; i++) {
		gen_next(&g, &op);
		trace_push(&t, &op);
		exec_op(x, &op);
	}
	exec_close(x);
	ret = trace_bin_write(&t, &in->bytes, &in->nr);
	trace_release(&t);
	return ret;
}

static int inputs_save(const char *out, const char *format, unsigned n, const struct input *in)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/%s-%u", out, format, n) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return save_file(path, (const char *)in->bytes, in->nr);
}

static void inputs_time(struct one_input *one, const struct input *in, double seconds, struct bench_inputs *n)
{
	uint64_t start = bench_now();
	unsigned i;

	for (n->ns = bench_cpu(); (double)(bench_now() - start) < seconds * 1e9;)
		for (i = 0; i < BENCH_INPUTS_NR; i++, n->inputs++) {
			one_input_run(one, in[i].bytes, in[i].nr);
			n->operations += one->trace.nr;
		}
	n->ns = bench_cpu() - n->ns;
}

static void inputs_time_mutating(const struct input *in, double seconds, struct bench_inputs *n)
{
	static uint8_t buf[MUTATED_MAX];
	uint64_t start = bench_now();
	struct mutator m;
	unsigned i;

	mutator_init(&m, one_input_configs, NULL);
	for (n->mutate_ns = bench_cpu(); (double)(bench_now() - start) < seconds * 1e9;)
		for (i = 0; i < BENCH_INPUTS_NR; i++, n->mutations++) {
			memcpy(buf, in[i].bytes, in[i].nr);
			mutate(&m, buf, in[i].nr, sizeof(buf), n->mutations);
		}
	n->mutate_ns = bench_cpu() - n->mutate_ns;
	mutator_release(&m);
}

/* The next one of the file into buf, with room for room bytes. 0, -ENODATA at the end, or another -errno. */
static int inputs_next(FILE *file, uint8_t *buf, size_t room, uint32_t *nr)
{
	if (fread(nr, sizeof(*nr), 1, file) != 1)
		return ferror(file) ? -EIO : -ENODATA;
	if (*nr > room)
		return -EINVAL;
	/* The fuzzer was killed in the middle of the last one. */
	return !*nr || fread(buf, *nr, 1, file) == 1 ? 0 : -ENODATA;
}

int bench_inputs_kept(const char *path, struct bench_inputs *n)
{
	static uint8_t buf[KEPT_MAX];
	static struct one_input one;
	FILE *file = fopen(path, "rb");
	uint32_t nr;
	int ret;

	memset(n, 0, sizeof(*n));
	if (!file)
		return -errno;
	/* A directory can be opened, but not read. */
	if (fgetc(file) == EOF && ferror(file)) {
		ret = -errno;
		fclose(file);
		return ret;
	}
	rewind(file);
	one_input_init(&one, NULL);
	for (n->ns = bench_cpu(); !(ret = inputs_next(file, buf, sizeof(buf), &nr)); n->inputs++) {
		one_input_run(&one, buf, nr);
		n->operations += one.trace.nr;
	}
	n->ns = bench_cpu() - n->ns;
	fclose(file);
	return ret == -ENODATA && n->inputs ? 0 : ret;
}

int bench_inputs(const char *format, uint64_t seed, double seconds, const char *out, struct bench_inputs *n)
{
	static struct one_input one;
	struct input in[BENCH_INPUTS_NR] = { 0 };
	int ret = 0;
	unsigned i;

	memset(n, 0, sizeof(*n));
	if (!one.out)
		one_input_init(&one, NULL);
	for (i = 0; i < BENCH_INPUTS_NR && !ret; i++)
		ret = inputs_make(&one.exec, format, seed, i, &in[i]);
	for (i = 0; out && i < BENCH_INPUTS_NR && !ret; i++)
		ret = inputs_save(out, format, i, &in[i]);
	if (!ret) {
		inputs_time(&one, in, seconds, n);
		inputs_time_mutating(in, seconds, n);
	}
	for (i = 0; i < BENCH_INPUTS_NR; i++)
		free(in[i].bytes);
	return ret;
}
