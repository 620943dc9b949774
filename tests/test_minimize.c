/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_minimize.c - the minimizer against an oracle that is known: a trace leads to the finding if it holds all of a few operations, in
 * order, and to another finding if it lacks the first of them. What is left must be exactly those. Then values: a trace leads to the finding if
 * they are large enough, and what is left must be exactly that large.
 *
 * The linker puts run_child() of this file in the place of the one that runs traces (tests/CMakeLists.txt).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzzers/exec.h"
#include "../fuzzers/minimize.h"
#include "../fuzzers/rng.h"
#include "../fuzzers/run.h"

enum { OPS_MAX = 60, NEEDED_MAX = 4 };

/* Operations are told apart by iova: the first of them has 0x1000, and so on. */
static uint64_t needed[NEEDED_MAX];
static unsigned needed_nr, extra;

int __wrap_run_child(const struct exec_options *options, const struct trace *t, unsigned seconds, bool strict, struct run_result *res);

/* What the last of the operations that are needed has beside itself: action extra of the device, of as many as there were. */
static bool has_extra(const struct op *op)
{
	unsigned i;

	for (i = 0; i < op->devices_nr && op->devices[i].iova != extra; i++)
		;
	return i < op->devices_nr;
}

/* What values it takes, where that is asked; or a domain of five levels and no operation; or a moment that depends on the other operations. */
static bool asked_for_values, asked_for_domain, asked_for_moment, of_device;

enum { LEAST_GRANULES = 3, LEAST_FAIL = 5, LEAST_AT = 2 };

/* A map that may be written, of three granules; a cut in it past its start, whose fifth allocation fails; the device at the third store; bbm=2. */
static void values_run(const struct trace *t, struct run_result *res)
{
	const struct op *map = NULL, *op;
	size_t i;

	for (i = 0; i < t->nr; i++) {
		op = &t->ops[i];
		if (op->kind == OP_MAP && op->prot & PROT_W && op->last > op->iova && op->last - op->iova + 1 >= LEAST_GRANULES * 0x1000)
			map = op;
		if (op->kind == OP_CUT && map && op->iova > map->iova && op->iova <= map->last && op->fail >= LEAST_FAIL && op->devices_nr &&
		    op->devices[0].at >= LEAST_AT && t->cfg.bbm == 2) {
			res->end = RUN_FINDING;
			res->finding.op_kind = OP_CUT;
			res->finding.op_idx = i;
			strcpy(res->finding.signature, "the finding");
			return;
		}
	}
}

/* The last operation, with the device or the failure just as late as there are operations before it. */
static void moment_run(const struct trace *t, struct run_result *res)
{
	const struct op *last = t->nr ? &t->ops[t->nr - 1] : NULL;

	if (last && last->kind == OP_UNMAP && (of_device ? last->devices_nr && last->devices[0].at == t->nr - 1 : last->fail == t->nr - 1)) {
		res->end = RUN_FINDING;
		res->finding.op_kind = OP_UNMAP;
		res->finding.op_idx = t->nr - 1;
		strcpy(res->finding.signature, "the finding");
	}
}

int __wrap_run_child(const struct exec_options *options, const struct trace *t, unsigned seconds, bool strict, struct run_result *res)
{
	unsigned found = 0, all = needed_nr;
	bool first = false;
	size_t i, at = 0;

	(void)options, (void)seconds, (void)strict;
	memset(res, 0, sizeof(*res));
	if (asked_for_domain) {
		res->end = t->cfg.levels == 5 ? RUN_FINDING : RUN_CLEAN;
		res->finding.op_kind = OP_NR;
		strcpy(res->finding.signature, "the finding");
		return 0;
	}
	if (asked_for_values) {
		values_run(t, res);
		return 0;
	}
	if (asked_for_moment) {
		moment_run(t, res);
		return 0;
	}
	for (i = 0; i < t->nr && found < all; i++) {
		first |= t->ops[i].iova == needed[0];
		if (t->ops[i].iova == needed[found] && (found + 1 < all || has_extra(&t->ops[i]))) {
			found++;
			at = i;
		}
	}
	if (!first || found == all) {
		res->end = RUN_FINDING;
		res->finding.op_kind = OP_MAP;
		res->finding.op_idx = at;
		snprintf(res->finding.signature, sizeof(res->finding.signature), first ? "the finding" : "another one");
	}
	return 0;
}

static void test_minimize__leaves_what_is_needed(void **state)
{
	uint64_t seed, dropped = 0;

	(void)state;
	print_message("seeds 1 to 500\n");
	for (seed = 1; seed <= 500; seed++) {
		struct finding *f = calloc(1, sizeof(*f));
		struct trace t;
		struct rng rng;
		unsigned nr, i, k;

		assert_non_null(f);
		rng_init(&rng, seed);
		nr = 1 + rng_below(&rng, OPS_MAX);
		trace_init(&t);
		for (i = 0; i < nr; i++) {
			struct op op = { .kind = OP_MAP, .iova = (i + 1) * UINT64_C(0x1000), .fail = rng_below(&rng, 2), .devices_nr = 3 };

			for (k = 0; k < op.devices_nr; k++)
				op.devices[k].iova = k;
			trace_push(&t, &op);
		}
		extra = rng_below(&rng, 3);
		needed_nr = 0;
		for (i = rng_below(&rng, nr); i < nr && needed_nr < NEEDED_MAX; i += 1 + rng_below(&rng, nr))
			needed[needed_nr++] = t.ops[i].iova;
		strcpy(f->signature, "the finding");
		assert_true(minimize(&exec_defaults, &t, f, 60) > 0);
		if (t.nr != needed_nr || strcmp(f->signature, "the finding"))
			fail_msg("seed %llu: %zu operations are left of %u, %u are needed; %s", (unsigned long long)seed, t.nr, nr,
				 needed_nr, f->signature);
		for (i = 0; i < t.nr; i++) {
			assert_int_equal(t.ops[i].iova, needed[i]);
			assert_int_equal(t.ops[i].fail, 0);
			assert_int_equal(t.ops[i].devices_nr, i + 1 == t.nr);
		}
		assert_int_equal(t.ops[t.nr - 1].devices[0].iova, extra);
		dropped += nr - t.nr;
		trace_release(&t);
		free(f);
	}
	assert_true(dropped > 1000);
}

/* Random maps and cuts until they lead to the finding. */
static void values_trace(uint64_t seed, struct trace *t)
{
	static const char *const configs[] = { "armv8_4k stage=2 ias=40 bbm=2 negcache=yes", "armv8_4k bbm=2 ad=1 tables=high",
					       "armv8_4k bbm=2 pgsizes=0x1000" };
	struct run_result *res = calloc(1, sizeof(*res));
	struct trace_error err;
	struct rng rng;
	char line[240];

	assert_non_null(res);
	rng_init(&rng, seed);
	trace_init(t);
	assert_int_equal(config_parse(configs[rng_below(&rng, 3)], &t->cfg, &err), 0);
	assert_int_equal(exec_resolve(&t->cfg, line, sizeof(line)), 0);
	while (res->end != RUN_FINDING) {
		struct op op = { .kind = OP_MAP, .iova = (uint64_t)rng_below(&rng, 1 << 20) << 12, .oa = (uint64_t)rng_below(&rng, 1 << 20) << 12 };

		op.last = op.iova + ((1 + rng_below(&rng, 600)) << 12) - 1;
		op.prot = (uint8_t)(PROT_R | rng_below(&rng, PROT_ALL + 1));
		trace_push(t, &op);
		op.kind = OP_CUT;
		op.iova += (uint64_t)rng_below(&rng, 600) << 12;
		op.fail = (uint16_t)rng_below(&rng, 300);
		op.devices_nr = 1 + rng_below(&rng, 2);
		op.devices[0] = op.devices[1] = (struct op_device){ .at = (uint16_t)rng_below(&rng, 300), .write = true, .iova = op.iova + 123 };
		trace_push(t, &op);
		values_run(t, res);
	}
	free(res);
}

static void test_minimize__leaves_the_least_values(void **state)
{
	struct finding *f = calloc(1, sizeof(*f));
	uint64_t seed;

	(void)state;
	assert_non_null(f);
	asked_for_values = true;
	print_message("seeds 1 to 100\n");
	for (seed = 1; seed <= 100; seed++) {
		char config[CONFIG_TEXT_MAX], first[OP_TEXT_MAX], second[OP_TEXT_MAX];
		struct config brief;
		struct trace t;
		struct op was[2];

		values_trace(seed, &t);
		strcpy(f->signature, "the finding");
		assert_true(minimize(&exec_defaults, &t, f, 60) > 0);
		assert_int_equal(t.nr, 2);
		op_print(&t.ops[0], first);
		op_print(&t.ops[1], second);
		brief = t.cfg;
		exec_brief(&brief);
		config_print(&brief, config, sizeof(config));
		if (strcmp(config, "armv8_4k bbm=2") || strcmp(first, "map   0x0 -> 0x1000 +0x3000 w") ||
		    strcmp(second, "cut   0x1000 fail=5 at 2 read 0x1000"))
			fail_msg("seed %llu leaves %s: %s; %s", (unsigned long long)seed, config, first, second);
		/* There is nothing left to be done. */
		memcpy(was, t.ops, sizeof(was));
		brief = t.cfg;
		assert_true(minimize(&exec_defaults, &t, f, 60) > 0);
		assert_int_equal(t.nr, 2);
		assert_memory_equal(was, t.ops, sizeof(was));
		assert_memory_equal(&brief, &t.cfg, sizeof(brief));
		trace_release(&t);
	}
	asked_for_values = false;
	free(f);
}

/* As where making the domain ends the process: there is no operation, nor a list of them. */
static void test_minimize__takes_a_trace_without_operations(void **state)
{
	struct finding *f = calloc(1, sizeof(*f));
	char line[240], config[CONFIG_TEXT_MAX];
	struct trace_error err;
	struct trace t;

	(void)state;
	assert_non_null(f);
	asked_for_domain = true;
	trace_init(&t);
	assert_int_equal(config_parse("vtdss levels=5 ad=yes snp=yes tables=high", &t.cfg, &err), 0);
	assert_int_equal(exec_resolve(&t.cfg, line, sizeof(line)), 0);
	strcpy(f->signature, "the finding");
	assert_true(minimize(&exec_defaults, &t, f, 60) > 0);
	assert_int_equal(t.nr, 0);
	exec_brief(&t.cfg);
	config_print(&t.cfg, config, sizeof(config));
	assert_string_equal(config, "vtdss levels=5");
	trace_release(&t);
	asked_for_domain = false;
	free(f);
}

/* No operation can go unless the last one's moment moves with it. */
static void test_minimize__moves_a_moment(void **state)
{
	struct finding *f = calloc(1, sizeof(*f));
	struct trace_error err;
	struct trace t;
	unsigned i;
	char line[240];

	(void)state;
	assert_non_null(f);
	asked_for_moment = true;
	for (of_device = true;; of_device = false) {
		struct op op = { .kind = OP_MAP, .last = 0xfff, .prot = PROT_R };

		trace_init(&t);
		assert_int_equal(config_parse("vtdss", &t.cfg, &err), 0);
		assert_int_equal(exec_resolve(&t.cfg, line, sizeof(line)), 0);
		for (i = 0; i < 7; i++)
			trace_push(&t, &op);
		op.kind = OP_UNMAP;
		op.devices_nr = of_device;
		op.devices[0].at = 7;
		op.fail = of_device ? 0 : 7;
		trace_push(&t, &op);
		strcpy(f->signature, "the finding");
		assert_true(minimize(&exec_defaults, &t, f, 60) > 0);
		assert_int_equal(t.nr, 1);
		assert_int_equal(t.ops[0].fail, 0);
		assert_int_equal(t.ops[0].devices_nr, of_device);
		assert_true(!of_device || !t.ops[0].devices[0].at);
		trace_release(&t);
		if (!of_device)
			break;
	}
	asked_for_moment = false;
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_minimize__leaves_what_is_needed),
		cmocka_unit_test(test_minimize__leaves_the_least_values),
		cmocka_unit_test(test_minimize__takes_a_trace_without_operations),
		cmocka_unit_test(test_minimize__moves_a_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
