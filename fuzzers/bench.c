/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench.c - hitless bench: the command, and how its figures are printed. */
#include "bench.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

#define CHECKED_OPS UINT64_C(1000000)
#define CHECKED_OPS_QUICK UINT64_C(100000)
#define RAW_SECONDS 0.05
#define RAW_SECONDS_QUICK 0.005
#define SCALES_MAX 8

static const char help[] =
	"usage: hitless bench [raw] [checked] [proof] [writers] [readers] [scale[=PIECES]]... [engines] [--format FORMAT]... [--config TEXT] [--quick] "
	"[--seconds S] [--ops N] [--seed S] [--json]\n"
	"\n"
	"  raw      ns per map, unmap, cut and translate on the bare engine: one leaf of each size, and 256 smallest "
	"pages in one call; without an observer and with\n"
	"           the log, and the ratio. Each call with its sync; the shortest of many rounds. A cut is one smallest "
	"page after the middle of a\n"
	"           leaf; of smallest pages it is at a leaf start and stores nothing\n"
	"  checked  checked operations per second of one job: the default mix, all checks, the domain made anew every "
	"2,048 operations; and the\n"
	"           mix that it had. A run to warm up, one that is timed and the same again to count\n"
	"  proof    ns per map, unmap and cut of one leaf on the bare engine and with every check, and the ratio; then the "
			   "default mix with no check,\n"
			   "           with each alone (what it adds) and with all; what checks share counts for each, so that the sum is "
			   "more than the whole\n"
			   "  scale    small checked operations (translate, cut, two unmaps, map, each of some smallest pages) at random "
	"places among a thousand and a\n"
	"           million live pieces (--quick: 100,000), sweeps not included: ns per operation, their ratio, host "
	"bytes of the interval\n"
	"           map per piece, ns per piece of a full sweep. scripts/bench-instructions counts its instructions\n"
	"  writers  interleavings per second: two maps side by side that make the same tables, on a domain of its own each time, under a random\n"
	"           schedule and all checks; and how many schedules that round has\n"
	"\n"
	"  readers  a reader of hitless stress on tables at rest: ns per bare walk, per walk in read sections and per judged translation, "
	"and the ratios\n"
	"           of the bare walk to these; then translations per second beside one writer; for each flavour of liburcu\n"
	"  inputs   inputs of outside fuzzers, of 32 operations, per second of processor time: run by the plain executor, and mutated. --out DIR keeps them;\n"
	"           scripts/bench-fuzzers has fuzzers run the same. inputs=FILE: those that an outside fuzzer ran, as HITLESS_KEEP=FILE in its\n"
	"           environment has them written, each once; 32 operations count as one\n"
	"  engines  where another engine is built in (scripts/linux): ns per call of the native one and of the other, round by round\n"
	"           in turn, without an observer, each call with its sync, and the ratio; then the checked mix on each, without cuts\n"
	"\n"
	"Without a part: all but inputs and engines. raw, checked, proof, writers and readers run every format, scale vtdss, unless --format says which.\n"
	"\n"
	"  --config TEXT   this configuration instead of the format's default (armv8: bbm=2)\n"
	"  --quick         checked: 100,000 operations; raw: a tenth of the rounds\n"
	"  --seconds S     raw: of rounds for each size, with and without log; default 0.05\n"
	"  --ops N         checked: operations; default 1,000,000\n"
	"  --seed S        checked and scale; default 1\n"
	"  --out DIR       inputs: keep them there\n"
	"  --arena MIB     size of simulated table memory\n"
	"  --json          one object on standard output\n"
	"\n"
	"No figure makes it fail. Measure release builds: scripts/build release.\n"
	"\n"
	"example: hitless bench checked --format vtdss\n";

struct parts {
	bool raw, checked, proof, writers, readers, inputs, engines;
	const char *kept;
	uint64_t scales[SCALES_MAX];
	unsigned scales_nr;
};

static const char *const op_titles[BENCH_OPS_NR] = { "map", "unmap", "cut", "translate" };

/* Which parts are wanted. Returns -1, or the exit status. */
static int parse_parts(const struct options *o, struct parts *p)
{
	uint64_t many = o->quick ? 100000 : 1000000;
	char *end;
	int i;

	for (i = 0; i < o->files_nr; i++) {
		const char *word = o->files[i];

		if (!strcmp(word, "raw")) {
			p->raw = true;
		} else if (!strcmp(word, "checked")) {
			p->checked = true;
		} else if (!strcmp(word, "proof")) {
			p->proof = true;
		} else if (!strcmp(word, "writers")) {
			p->writers = true;
		} else if (!strcmp(word, "readers")) {
			p->readers = true;
		} else if (!strcmp(word, "inputs")) {
			p->inputs = true;
		} else if (!strncmp(word, "inputs=", 7) && word[7]) {
			p->kept = word + 7;
		} else if (!strcmp(word, "engines")) {
			p->engines = true;
		} else if (!strncmp(word, "scale=", 6) && word[6] >= '1' && word[6] <= '9' && p->scales_nr < SCALES_MAX) {
			p->scales[p->scales_nr++] = strtoull(word + 6, &end, 10);
			if (*end || p->scales[p->scales_nr - 1] > 100000000)
				return complain(EXIT_USAGE, "bench: scale takes 1 to 100000000, not '%s'", word + 6);
		} else if (strcmp(word, "scale")) {
			return complain(EXIT_USAGE, "bench measures raw, checked, proof, writers, readers, scale, scale=PIECES, inputs, inputs=FILE and engines, not '%s'", word);
		}
		if (!strcmp(word, "scale") && p->scales_nr + 2 <= SCALES_MAX) {
			p->scales[p->scales_nr++] = 1000;
			p->scales[p->scales_nr++] = many;
		}
	}
	if (!o->files_nr)
		*p = (struct parts){ .raw = true, .checked = true, .proof = true, .writers = true, .readers = true, .scales = { 1000, many }, .scales_nr = 2 };
	return -1;
}

/* The configuration that rates are quoted for. */
static int bench_config(const struct options *o, const char *format, struct config *cfg)
{
	char err[240];

	if (options_config(o, format, !o->config && !strncmp(format, "armv8", 5) ? "bbm=2" : "", cfg, err, sizeof(err)))
		return complain(EXIT_USAGE, "%s", err);
	return -1;
}

void bench_size_text(unsigned lg2, unsigned leaves, char buf[24])
{
	static const char units[] = " KMGT";
	int at = leaves > 1 ? snprintf(buf, 24, "%u x ", leaves) : 0;

	snprintf(buf + at, 24 - (size_t)at, "%u%c", 1u << lg2 % 10, units[lg2 / 10]);
}

double bench_ratio(double a, double b)
{
	return b > 0 ? a / b : 0;
}

/* --- raw --- */

static void print_raw(const char *format, const struct bench_raw *raw)
{
	unsigned i, k;
	char size[24];

	for (i = 0; i < raw->nr; i++) {
		const struct bench_row *row = &raw->rows[i];

		if (!row->calls)
			continue;
		bench_size_text(row->size_lg2, row->leaves_nr, size);
		printf("%-10s %-10s", format, size);
		for (k = 0; k < BENCH_OPS_NR; k++) {
			if (row->ns[0][k] > 0)
				printf(" %9.1f %9.1f %5.2f", row->ns[0][k], row->ns[1][k], bench_ratio(row->ns[1][k], row->ns[0][k]));
			else
				printf(" %9s %9s %5s", "-", "-", "-");
		}
		putchar('\n');
	}
	fflush(stdout);
}

static json_t *json_raw(const struct bench_raw *raw)
{
	json_t *rows = json_array();
	unsigned i, k;

	for (i = 0; i < raw->nr; i++) {
		const struct bench_row *row = &raw->rows[i];
		json_t *one;

		if (!row->calls)
			continue;
		one = json_pack("{sI sI sI}", "leaf_bytes", (json_int_t)1 << row->size_lg2, "leaves", (json_int_t)row->leaves_nr, "calls",
				(json_int_t)row->calls);
		for (k = 0; k < BENCH_OPS_NR; k++)
			json_object_set_new(one, op_titles[k],
					    row->ns[0][k] > 0 ? json_pack("{sf sf sf}", "ns", row->ns[0][k], "observed_ns", row->ns[1][k],
									  "ratio", bench_ratio(row->ns[1][k], row->ns[0][k]))
							      : json_null());
		json_array_append_new(rows, one);
	}
	return rows;
}

static int run_raw(const struct options *o, const struct config *cfg, json_t *json)
{
	double seconds = o->seconds > 0 ? o->seconds : o->quick ? RAW_SECONDS_QUICK : RAW_SECONDS;
	struct bench_raw raw;

	if (bench_raw(cfg, &o->exec, seconds, &raw))
		return complain(EXIT_TOOL, "%s: a raw operation failed", cfg->format);
	if (json)
		json_object_set_new(json, "raw", json_raw(&raw));
	else
		print_raw(cfg->format, &raw);
	return -1;
}

/* --- checked --- */

static double percent(uint64_t part, const struct bench_checked *n)
{
	return 100.0 * (double)part / (double)n->operations;
}

double bench_per_second(const struct bench_checked *n)
{
	return (double)n->operations * 1e9 / (double)n->ns;
}

static void print_checked(const char *format, const struct bench_checked *n)
{
	printf("%-10s %9.0f %7.0f %7.0f %8.1f %8.1f %9.2f  %5.1f %5.1f %5.1f (%4.1f) %5.1f\n", format, bench_per_second(n),
	       (double)n->ns / (double)n->operations, (double)n->cpu_ns / (double)n->operations, (double)n->leaves / (double)n->operations,
	       (double)n->stores / (double)n->operations, bench_ratio((double)n->cpu_ns, (double)n->stores), percent(n->splits, n),
	       percent(n->maps, n), percent(n->unmaps, n), 100 * bench_ratio((double)n->partial, (double)n->unmaps), percent(n->refused, n));
	fflush(stdout);
}

static json_t *json_checked(const struct bench_checked *n)
{
	json_t *mix = json_pack("{sf sf sf sf sf sf}", "splits", percent(n->splits, n), "maps", percent(n->maps, n), "unmaps",
				percent(n->unmaps, n), "unmaps_partial", percent(n->partial, n), "refused", percent(n->refused, n),
				"skipped", percent(n->skipped, n));
	json_t *checks = json_object();
	unsigned i;

	for (i = 0; i < CHECK_NR; i++)
		json_object_set_new(checks, check_names[i], json_integer((json_int_t)n->comparisons[i]));
	return json_pack("{sI sf sf sf sf sf sI sf so so}", "operations", (json_int_t)n->operations, "seconds", (double)n->ns * 1e-9,
			 "operations_per_second", bench_per_second(n), "ns_per_operation", (double)n->ns / (double)n->operations,
			 "cpu_ns_per_operation", (double)n->cpu_ns / (double)n->operations, "leaves_per_operation",
			 (double)n->leaves / (double)n->operations, "stores", (json_int_t)n->stores, "ns_per_store",
			 bench_ratio((double)n->cpu_ns, (double)n->stores), "mix_percent", mix, "comparisons", checks);
}

static int run_checked(const struct options *o, const struct config *cfg, json_t *json)
{
	uint64_t ops = o->ops ? o->ops : o->quick ? CHECKED_OPS_QUICK : CHECKED_OPS;
	struct bench_checked n;

	if (bench_checked(cfg, &o->exec, o->has_seed ? o->seed : 1, ops, true, &n))
		return complain(EXIT_TOOL, "%s: the domain cannot be made", cfg->format);
	if (json)
		json_object_set_new(json, "checked", json_checked(&n));
	else
		print_checked(cfg->format, &n);
	return -1;
}

/* --- proof --- */

static const enum bench_op proof_ops[] = { BENCH_MAP, BENCH_UNMAP, BENCH_CUT };

static void print_proof(const char *format, const struct bench_proof *proof, const double checks[BENCH_CHECKS_NR])
{
	unsigned i, k;
	char size[24];

	for (i = 0; i < proof->nr; i++) {
		const struct bench_proof_row *row = &proof->rows[i];

		bench_size_text(row->size_lg2, 1, size);
		printf("%-10s %-10s", format, size);
		for (k = 0; k < sizeof(proof_ops) / sizeof(proof_ops[0]); k++) {
			const double bare = row->ns[0][proof_ops[k]], checked = row->ns[1][proof_ops[k]];

			if (bare > 0 && checked > 0)
				printf(" %9.0f %9.0f %6.2f", bare, checked, checked / bare);
			else
				printf(" %9s %9s %6s", "-", "-", "-");
		}
		putchar('\n');
	}
	printf("%-10s the default mix: %.0f ns of processor time an operation, %.0f with no check; each alone:", format, checks[BENCH_CHECKS_ALL],
	       checks[BENCH_CHECKS_NONE]);
	for (i = 0; i < CHECK_NR; i++)
		printf("%s %s %+.0f", i ? "," : "", check_names[i], checks[i] - checks[BENCH_CHECKS_NONE]);
	printf("\n");
	fflush(stdout);
}

static json_t *json_proof(const struct bench_proof *proof, const double checks[BENCH_CHECKS_NR])
{
	json_t *rows = json_array(), *alone = json_object();
	unsigned i, k;

	for (i = 0; i < proof->nr; i++) {
		const struct bench_proof_row *row = &proof->rows[i];
		json_t *one = json_pack("{sI}", "leaf_bytes", (json_int_t)1 << row->size_lg2);

		for (k = 0; k < sizeof(proof_ops) / sizeof(proof_ops[0]); k++) {
			const double bare = row->ns[0][proof_ops[k]], checked = row->ns[1][proof_ops[k]];

			json_object_set_new(one, op_titles[proof_ops[k]],
					    bare > 0 && checked > 0
						    ? json_pack("{sf sf sf}", "ns", bare, "checked_ns", checked, "ratio", checked / bare)
						    : json_null());
		}
		json_array_append_new(rows, one);
	}
	for (i = 0; i < CHECK_NR; i++)
		json_object_set_new(alone, check_names[i], json_real(checks[i]));
	return json_pack("{so sf sf so}", "rows", rows, "cpu_ns_per_operation", checks[BENCH_CHECKS_ALL], "cpu_ns_without_checks",
			 checks[BENCH_CHECKS_NONE], "cpu_ns_with_one_check", alone);
}

static int run_proof(const struct options *o, const struct config *cfg, json_t *json)
{
	double seconds = o->seconds > 0 ? o->seconds : o->quick ? RAW_SECONDS_QUICK : RAW_SECONDS, checks[BENCH_CHECKS_NR];
	uint64_t ops = o->ops ? o->ops : CHECKED_OPS_QUICK;
	struct bench_proof proof;

	if (bench_proof(cfg, &o->exec, seconds, &proof) || bench_checks(cfg, &o->exec, o->has_seed ? o->seed : 1, ops, checks))
		return complain(EXIT_TOOL, "%s: the domain cannot be made", cfg->format);
	if (json)
		json_object_set_new(json, "proof", json_proof(&proof, checks));
	else
		print_proof(cfg->format, &proof, checks);
	return -1;
}

/* --- writers --- */

static int run_writers(const struct options *o, const struct config *cfg, json_t *json)
{
	double seconds = o->seconds > 0 ? o->seconds : o->quick ? RAW_SECONDS_QUICK : 10 * RAW_SECONDS;
	struct bench_writers n;

	if (bench_writers(cfg, &o->exec, o->has_seed ? o->seed : 1, seconds, &n))
		return complain(EXIT_TOOL, "%s: the domain cannot be made", cfg->format);
	if (json) {
		json_object_set_new(json, "writers", json_pack("{sI sf sf sI}", "rounds", (json_int_t)n.rounds, "interleavings_per_second",
							       bench_ratio((double)n.rounds * 1e9, (double)n.ns), "primitives_per_round",
							       bench_ratio((double)n.primitives, (double)n.rounds), "schedules", (json_int_t)n.schedules));
		return -1;
	}
	printf("%-10s %15.0f %18.1f %10llu\n", cfg->format, bench_ratio((double)n.rounds * 1e9, (double)n.ns),
	       bench_ratio((double)n.primitives, (double)n.rounds), (unsigned long long)n.schedules);
	fflush(stdout);
	return -1;
}

/* --- inputs --- */

static int run_inputs(const struct options *o, const struct config *cfg, json_t *json)
{
	double seconds = o->seconds > 0 ? o->seconds : o->quick ? RAW_SECONDS_QUICK : 10 * RAW_SECONDS;
	struct bench_inputs n;

	if (bench_inputs(cfg->format, o->has_seed ? o->seed : 1, seconds, o->out, &n))
		return complain(EXIT_TOOL, "%s: the inputs cannot be made%s%s", cfg->format, o->out ? " or written to " : "", o->out ? o->out : "");
	if (json) {
		json_object_set_new(json, "inputs", json_pack("{sf sf sf}", "inputs_per_second", bench_ratio((double)n.inputs * 1e9, (double)n.ns),
							      "operations_per_second", bench_ratio((double)n.operations * 1e9, (double)n.ns),
							      "mutations_per_second", bench_ratio((double)n.mutations * 1e9, (double)n.mutate_ns)));
		return -1;
	}
	printf("%-10s %10.0f %13.0f %12.0f\n", cfg->format, bench_ratio((double)n.inputs * 1e9, (double)n.ns), bench_ratio((double)n.operations * 1e9, (double)n.ns),
	       bench_ratio((double)n.mutations * 1e9, (double)n.mutate_ns));
	fflush(stdout);
	return -1;
}

/* Inputs that were kept, of whatever formats. json: the root object, or NULL to print. */
static int run_kept(const char *path, json_t *json)
{
	struct bench_inputs n;
	int ret = bench_inputs_kept(path, &n);
	double operations;

	if (ret)
		return complain(EXIT_USAGE, "%s: %s", path, ret == -EINVAL || ret == -ENODATA ? "holds no inputs as HITLESS_KEEP writes them" : strerror(-ret));
	operations = bench_ratio((double)n.operations * 1e9, (double)n.ns);
	if (json) {
		json_object_set_new(json, "kept", json_pack("{sI sf sf}", "inputs", (json_int_t)n.inputs, "inputs_per_second", operations / BENCH_INPUT_OPS,
							    "operations_per_second", operations));
		return -1;
	}
	printf("inputs that were kept, run by the plain executor\n%10s %10s %13s\n%10llu %10.0f %13.0f\n", "inputs", "inputs/s", "operations/s",
	       (unsigned long long)n.inputs, operations / BENCH_INPUT_OPS, operations);
	return -1;
}

/* --- readers --- */

static int run_readers(const struct options *o, const struct config *cfg, json_t *json)
{
	double seconds = o->seconds > 0 ? o->seconds : o->quick ? RAW_SECONDS_QUICK : RAW_SECONDS;
	struct bench_readers n;
	unsigned i;

	if (bench_readers(cfg, o->has_seed ? o->seed : 1, seconds, &n))
		return complain(EXIT_TOOL, "%s: the tables cannot be made", cfg->format);
	if (json)
		json_object_set_new(json, "readers", json_pack("{sI}", "pages", (json_int_t)n.pages));
	else
		printf("%-10s", cfg->format);
	for (i = 0; i < GRACE_NR; i++) {
		const double *ns = n.ns[i], inside = bench_ratio(ns[0], ns[BENCH_READERS_INSIDE]), judged = bench_ratio(ns[0], ns[BENCH_READERS_JUDGED]);

		if (json)
			json_object_set_new(json_object_get(json, "readers"), grace_names[i],
					    json_pack("{sf sf sf sf sf sf sf}", "bare_ns", ns[0], "inside_ns", ns[BENCH_READERS_INSIDE], "judged_ns",
						      ns[BENCH_READERS_JUDGED], "inside_ratio", inside, "judged_ratio", judged, "busy_per_second", n.busy[i],
						      "busy_operations_per_second", n.busy_operations[i]));
		else
			printf("  %s %6.1f %6.1f %5.2f %6.1f %5.2f %5.1f", grace_names[i], ns[0], ns[BENCH_READERS_INSIDE], inside,
			       ns[BENCH_READERS_JUDGED], judged, n.busy[i] * 1e-6);
	}
	if (!json)
		putchar('\n');
	fflush(stdout);
	return -1;
}

/* --- scale --- */

static double ns_per_op(const struct bench_scale *s)
{
	return bench_ratio((double)s->ns, (double)s->operations);
}

static int run_scale(const struct options *o, const struct config *cfg, const struct parts *p, json_t *json)
{
	struct bench_scale n[SCALES_MAX];
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < p->scales_nr; i++) {
		if (bench_scale(cfg, &o->exec, o->has_seed ? o->seed : 1, p->scales[i], &n[i])) {
			json_decref(list);
			return complain(EXIT_TOOL, "%s: %llu pieces do not fit the arena", cfg->format, (unsigned long long)p->scales[i]);
		}
		json_array_append_new(list, json_pack("{sI sI sf sf sf sf sf}", "pieces", (json_int_t)n[i].pieces, "operations",
						      (json_int_t)n[i].operations, "ns_per_operation", ns_per_op(&n[i]),
						      "cpu_ns_per_operation", bench_ratio((double)n[i].cpu_ns, (double)n[i].operations), "ratio",
						      bench_ratio(ns_per_op(&n[i]), ns_per_op(&n[0])), "bytes_per_piece",
						      bench_ratio((double)n[i].bytes, (double)n[i].pieces), "sweep_ns_per_piece",
						      bench_ratio((double)n[i].sweep_ns, (double)n[i].pieces)));
		if (!json)
			printf("%-10s %8llu pieces: %6.0f ns per operation (%.2f times the first), %5.1f bytes per piece, a sweep takes "
			       "%.1f ns per piece\n",
			       cfg->format, (unsigned long long)n[i].pieces, ns_per_op(&n[i]), bench_ratio(ns_per_op(&n[i]), ns_per_op(&n[0])),
			       bench_ratio((double)n[i].bytes, (double)n[i].pieces), bench_ratio((double)n[i].sweep_ns, (double)n[i].pieces));
	}
	if (json)
		json_object_set_new(json, "scale", list);
	else
		json_decref(list);
	return -1;
}

static int run_engines(const struct options *o, json_t *json)
{
	double seconds = o->seconds > 0 ? o->seconds : o->quick ? RAW_SECONDS_QUICK : RAW_SECONDS;

	return bench_engines_run(o, seconds, o->ops ? o->ops : CHECKED_OPS_QUICK, json);
}

/* --- the command --- */

typedef int run_part(const struct options *o, const struct config *cfg, const struct parts *p, json_t *json);

static int part_raw(const struct options *o, const struct config *cfg, const struct parts *p, json_t *json)
{
	return p->raw ? run_raw(o, cfg, json) : -1;
}

static int part_checked(const struct options *o, const struct config *cfg, const struct parts *p, json_t *json)
{
	return p->checked ? run_checked(o, cfg, json) : -1;
}

static int part_proof(const struct options *o, const struct config *cfg, const struct parts *p, json_t *json)
{
	return p->proof ? run_proof(o, cfg, json) : -1;
}

static int part_writers(const struct options *o, const struct config *cfg, const struct parts *p, json_t *json)
{
	return p->writers ? run_writers(o, cfg, json) : -1;
}

static int part_readers(const struct options *o, const struct config *cfg, const struct parts *p, json_t *json)
{
	return p->readers ? run_readers(o, cfg, json) : -1;
}

static int part_inputs(const struct options *o, const struct config *cfg, const struct parts *p, json_t *json)
{
	return p->inputs ? run_inputs(o, cfg, json) : -1;
}

/* One part for every format that is wanted; entries: an object for each format, by its index in engine_formats(), or NULL. */
static int for_formats(const struct options *o, const struct parts *p, run_part *run, bool one, json_t *entries)
{
	const char *only = one && !o->formats_nr ? engine_find("vtdss") ? "vtdss" : engine_formats()[0]->name : NULL;
	struct config cfg;
	int ret = -1;
	unsigned i;

	for (i = 0; engine_formats()[i] && ret < 0; i++) {
		const char *name = engine_formats()[i]->name;

		if (!options_want(o, name) || (only && strcmp(only, name)))
			continue;
		ret = bench_config(o, name, &cfg);
		if (ret < 0)
			ret = run(o, &cfg, p, entries ? json_array_get(entries, i) : NULL);
	}
	return ret;
}

static void print_raw_title(void)
{
	unsigned i;

	printf("raw: ns per call without an observer, with the log, and how many times that is\n%-10s %-10s", "format", "size");
	for (i = 0; i < BENCH_OPS_NR; i++)
		printf(" %9s %9s %5s", op_titles[i], "log", "x");
	putchar('\n');
}

static int run_text(const struct options *o, const struct parts *p)
{
	unsigned i;
	int ret = -1;

	if (p->raw) {
		print_raw_title();
		ret = for_formats(o, p, part_raw, false, NULL);
	}
	if (p->checked && ret < 0) {
		printf("%schecked: one job, the default mix, all checks; the mix in percent of all operations\n"
		       "%-10s %9s %7s %7s %8s %8s %9s  %5s %5s %6s %6s %5s\n",
		       p->raw ? "\n" : "", "format", "op/s", "ns/op", "cpu ns", "leaf/op", "store/op", "ns/store", "split", "map", "unmap",
		       "(part)", "refused");
		ret = for_formats(o, p, part_checked, false, NULL);
	}
	if (p->proof && ret < 0) {
		printf("%sproof: ns per call of the bare engine, with every check, and how many times that is\n%-10s %-10s",
		       p->raw || p->checked ? "\n" : "", "format", "size");
		for (i = 0; i < sizeof(proof_ops) / sizeof(proof_ops[0]); i++)
			printf(" %9s %9s %6s", op_titles[proof_ops[i]], "checked", "x");
		putchar('\n');
		ret = for_formats(o, p, part_proof, false, NULL);
	}
	if (p->writers && ret < 0) {
		printf("%swriters: rounds of two maps that make the same tables\n%-10s %15s %18s %10s\n",
		       p->raw || p->checked || p->proof ? "\n" : "", "format", "interleavings/s", "primitives a round", "schedules");
		ret = for_formats(o, p, part_writers, false, NULL);
	}
	if (p->readers && ret < 0) {
		printf("%sreaders: ns per translation: the walk alone, in read sections, and judged, each with its ratio; M/s beside a writer; by flavour\n",
		       p->raw || p->checked || p->proof || p->writers ? "\n" : "");
		ret = for_formats(o, p, part_readers, false, NULL);
	}
	if (p->scales_nr && ret < 0) {
		printf("%sscale: small checked operations at random places\n", p->raw || p->checked || p->proof || p->writers || p->readers ? "\n" : "");
		ret = for_formats(o, p, run_scale, true, NULL);
	}
	if (p->inputs && ret < 0) {
		printf("inputs: of 32 operations, run by the plain executor and mutated\n%-10s %10s %13s %12s\n", "format", "inputs/s", "operations/s",
		       "mutations/s");
		ret = for_formats(o, p, part_inputs, false, NULL);
	}
	if (p->kept && ret < 0)
		ret = run_kept(p->kept, NULL);
	if (p->engines && ret < 0)
		ret = run_engines(o, NULL);
	return ret;
}

static int run_json(const struct options *o, const struct parts *p)
{
	json_t *root, *entries = json_array(), *formats = json_array();
	struct config cfg;
	char text[CONFIG_TEXT_MAX];
	unsigned i;
	int ret = -1;

	for (i = 0; engine_formats()[i] && ret < 0; i++) {
		json_array_append_new(entries, json_object());
		if (!options_want(o, engine_formats()[i]->name))
			continue;
		ret = bench_config(o, engine_formats()[i]->name, &cfg);
		if (ret >= 0)
			break;
		config_print(&cfg, text, sizeof(text));
		json_object_set_new(json_array_get(entries, i), "name", json_string(engine_formats()[i]->name));
		json_object_set_new(json_array_get(entries, i), "config", json_string(text));
		json_array_append(formats, json_array_get(entries, i));
	}
	if (ret < 0)
		ret = for_formats(o, p, part_raw, false, entries);
	if (ret < 0)
		ret = for_formats(o, p, part_checked, false, entries);
	if (ret < 0)
		ret = for_formats(o, p, part_proof, false, entries);
	if (ret < 0)
		ret = for_formats(o, p, part_writers, false, entries);
	if (ret < 0)
		ret = for_formats(o, p, part_readers, false, entries);
	if (ret < 0)
		ret = for_formats(o, p, part_inputs, false, entries);
	if (ret < 0 && p->scales_nr)
		ret = for_formats(o, p, run_scale, true, entries);
	root = json_pack("{ss sI sb so}", "version", HITLESS_VERSION, "seed", (json_int_t)(o->has_seed ? o->seed : 1), "quick", o->quick,
			 "formats", formats);
	if (p->kept && ret < 0)
		ret = run_kept(p->kept, root);
	if (p->engines && ret < 0)
		ret = run_engines(o, root);
	if (ret < 0) {
		json_dumpf(root, stdout, JSON_INDENT(1));
		putchar('\n');
	}
	json_decref(root);
	json_decref(entries);
	return ret;
}

int cmd_bench(int argc, char **argv)
{
	unsigned mask = OPTION_FORMAT | OPTION_QUICK | OPTION_SECONDS | OPTION_OPS | OPTION_SEED | OPTION_JSON | OPTION_ARENA | OPTION_OUT;
	struct parts parts = { 0 };
	struct options o;
	int ret = options_parse(argc, argv, mask, help, &o);

	if (ret < 0)
		ret = parse_parts(&o, &parts);
	if (ret < 0)
		ret = options_out(&o);
	if (ret < 0)
		ret = o.json ? run_json(&o, &parts) : run_text(&o, &parts);
	return ret < 0 ? EXIT_CLEAN : ret;
}
