/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_engines.c - hitless bench engines: what the same call costs on the native engine and on another. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "options.h"

/* Cuts are left out: not every engine has them. */
static const enum bench_op ops_shown[] = { BENCH_MAP, BENCH_UNMAP, BENCH_TRANSLATE };
static const char *const op_titles[] = { "map", "unmap", "translate" };

#define SHOWN_NR (sizeof(ops_shown) / sizeof(ops_shown[0]))

/*
 * struct engines - one format on two engines; checked and raw by the engine's place in names.
 */
struct engines {
	const char *names[2];
	struct bench_raw raw;
	struct bench_checked checked[2];
};

/* The mix without cuts, under every check. Twice each, in turn, the better one counts: this is one long run, not many rounds. */
static int engines_checked(const struct options *o, const struct config *cfg, uint64_t ops, struct engines *e)
{
	struct bench_checked n;
	unsigned i;

	for (i = 0; i < 4; i++) {
		if (engine_choose(e->names[i % 2]) || bench_checked(cfg, &o->exec, o->has_seed ? o->seed : 1, ops, false, &n))
			return complain(EXIT_TOOL, "%s: the domain cannot be made", cfg->format);
		if (i < 2 || bench_per_second(&n) > bench_per_second(&e->checked[i % 2]))
			e->checked[i % 2] = n;
	}
	return -1;
}

static void engines_print(const char *format, const struct engines *e)
{
	unsigned i, k;

	for (i = 0; i < e->raw.nr; i++) {
		const struct bench_row *row = &e->raw.rows[i];
		char size[24];

		if (!row->calls)
			continue;
		bench_size_text(row->size_lg2, row->leaves_nr, size);
		printf("%-10s %-10s", format, size);
		for (k = 0; k < SHOWN_NR; k++)
			printf(" %9.1f %9.1f %5.2f", row->ns[0][ops_shown[k]], row->ns[1][ops_shown[k]],
			       bench_ratio(row->ns[0][ops_shown[k]], row->ns[1][ops_shown[k]]));
		putchar('\n');
	}
	printf("%-10s checked, without cuts: %.0f operations a second on %s, %.0f on %s: %.2f times; %.0f and %.0f leaves an operation\n", format,
	       bench_per_second(&e->checked[0]), e->names[0], bench_per_second(&e->checked[1]), e->names[1], bench_ratio(bench_per_second(&e->checked[0]), bench_per_second(&e->checked[1])),
	       bench_ratio((double)e->checked[0].leaves, (double)e->checked[0].operations),
	       bench_ratio((double)e->checked[1].leaves, (double)e->checked[1].operations));
	fflush(stdout);
}

static json_t *engines_json(const char *format, const struct engines *e)
{
	json_t *rows = json_array();
	unsigned i, k;

	for (i = 0; i < e->raw.nr; i++) {
		const struct bench_row *row = &e->raw.rows[i];
		json_t *one = json_pack("{sI sI}", "leaf_bytes", (json_int_t)1 << row->size_lg2, "leaves", (json_int_t)row->leaves_nr);

		for (k = 0; k < SHOWN_NR; k++) {
			double native = row->ns[0][ops_shown[k]], other = row->ns[1][ops_shown[k]];

			json_object_set_new(one, op_titles[k], json_pack("{sf sf sf}", "native_ns", native, "other_ns", other, "ratio",
									 bench_ratio(native, other)));
		}
		if (row->calls)
			json_array_append(rows, one);
		json_decref(one);
	}
	return json_pack("{ss ss so sf sf}", "name", format, "other", e->names[1], "raw", rows, "native_checked_per_second",
			 bench_per_second(&e->checked[0]), "other_checked_per_second", bench_per_second(&e->checked[1]));
}

static int engines_format(const struct options *o, const char *format, double seconds, uint64_t ops, struct engines *e)
{
	struct config cfg;
	char err[300];
	int ret;

	if (options_config(o, format, "", &cfg, err, sizeof(err)))
		return complain(EXIT_USAGE, "%s", err);
	if (bench_engines(&cfg, &o->exec, e->names, seconds, &e->raw))
		return complain(EXIT_TOOL, "%s: a raw operation failed", format);
	ret = engines_checked(o, &cfg, ops, e);
	return ret < 0 && engine_choose("both") ? EXIT_TOOL : ret;
}

int bench_engines_run(const struct options *o, double seconds, uint64_t ops, struct json_t *json)
{
	const char *before = engine_name();
	json_t *list = json_array();
	struct engines e;
	unsigned i, k;
	int ret = -1;

	if (engine_choose("both")) {
		json_decref(list);
		return complain(EXIT_USAGE, "bench engines: no second engine is built in; see scripts/linux --help");
	}
	if (!json) {
		printf("engines: ns per call of the native engine, of the other, and native / other\n%-10s %-10s", "format", "size");
		for (k = 0; k < SHOWN_NR; k++)
			printf(" %9s %9s %5s", op_titles[k], "other", "x");
		putchar('\n');
	}
	for (i = 0; engine_formats()[i] && ret < 0; i++) {
		const struct engine_ops *ops_of = engine_formats()[i];

		if (!options_want(o, ops_of->name))
			continue;
		memset(&e, 0, sizeof(e));
		e.names[0] = "native";
		e.names[1] = ops_of->engine;
		ret = engines_format(o, ops_of->name, seconds, ops, &e);
		if (ret < 0 && json)
			json_array_append_new(list, engines_json(ops_of->name, &e));
		else if (ret < 0)
			engines_print(ops_of->name, &e);
	}
	if (json)
		json_object_set(json, "engines", list);
	json_decref(list);
	engine_choose(before);
	return ret;
}
