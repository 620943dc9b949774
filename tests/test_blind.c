/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_blind.c - a domain that is judged without its tables being read: silent about an engine that does right, and it finds what shows in
 * results and in the engine's own translate. That it finds nothing else is no merit and is not tested.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzzers/exec.h"
#include "../fuzzers/gen.h"

#define SEED UINT64_C(0xb11d)
#define DOMAIN_OPS 1500

static struct exec x;
static struct engine_ops wrong;
static const struct engine_ops *right;
static sigjmp_buf caught;
static struct verdict seen;
static enum gen_profile profile = GEN_VARIED;

static void catch (void *arg, const struct verdict *v, const struct op *op)
{
	(void)arg;
	(void)op;
	seen = *v;
	siglongjmp(caught, 1);
}

static int set_up(void **state)
{
	struct exec_options options = exec_defaults;

	(void)state;
	options.blind = true;
	return exec_init(&x, &options, catch, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	exec_release(&x);
	return 0;
}

/* One domain of random operations. Returns the class of what is found; VERDICT_NR: nothing. */
static enum verdict_class run_domain(const struct engine_ops *ops, const char *config, uint64_t seed, uint64_t *compared)
{
	char text[400], err[300];
	struct trace_error error;
	const char *why = "";
	struct config cfg;
	struct gen gen;
	struct op op;
	unsigned i;

	snprintf(text, sizeof(text), "%s %s", ops->name, config);
	assert_int_equal(config_parse(text, &cfg, &error), 0);
	assert_int_equal(exec_resolve(&cfg, err, sizeof(err)), 0);
	seen.class = VERDICT_NR;
	if (sigsetjmp(caught, 0)) {
		exec_abandon(&x);
		return seen.class;
	}
	assert_int_equal(exec_open(&x, &cfg, &why), 0);
	x.ops = ops;
	gen_init(&gen, seed, profile, &x.check.im, &x.check.hw);
	for (i = 0; i < DOMAIN_OPS; i++) {
		gen_next(&gen, &op);
		exec_op(&x, &op);
	}
	*compared += x.check.leaves;
	exec_close(&x);
	return VERDICT_NR;
}

static void test_blind__is_silent_about_what_is_right(void **state)
{
	uint64_t compared = 0;
	unsigned i, k;

	(void)state;
	print_message("seed 0x%llx\n", (unsigned long long)SEED);
	for (i = 0; engine_formats()[i]; i++) {
		for (k = 0; engine_formats()[i]->configs[k]; k++) {
			uint64_t before = compared;

			if (run_domain(engine_formats()[i], engine_formats()[i]->configs[k], SEED + k, &compared) != VERDICT_NR)
				fail_msg("%s %s: %s", engine_formats()[i]->name, engine_formats()[i]->configs[k], seen.text);
			assert_true(compared - before > 1000);
		}
	}
	print_message("%llu addresses translated\n", (unsigned long long)compared);
}

/* --- engines that do wrong --- */

static int wrong_translate(struct engine *e, uint64_t iova, uint64_t *oa)
{
	int ret = right->translate(e, iova, oa);

	/* In the second half of a megabyte. */
	*oa ^= iova >> 19 & 1 ? 1u << 20 : 0;
	return ret;
}

static int wrong_map(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g, uint64_t *granules)
{
	int ret = right->map(e, iova, last, oa, prot, g, granules);

	*granules += !ret && last - iova > 0xffff;
	return ret;
}

/* Leaves the last page alone and says that it did not. */
static int wrong_unmap(struct engine *e, uint64_t iova, uint64_t last, struct gather *g, uint64_t *granules)
{
	uint64_t small = x.cfg.pgsizes & -x.cfg.pgsizes;
	int ret;

	if (last < iova || last - iova < 2 * small || (last + 1) & (small - 1))
		return right->unmap(e, iova, last, g, granules);
	ret = right->unmap(e, iova, last - small, g, granules);
	if (!ret && *granules == (last - iova - small + 1) / (UINT64_C(1) << x.check.granule_lg2))
		*granules += small >> x.check.granule_lg2;
	return ret;
}

static int wrong_refused(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g, uint64_t *granules)
{
	(void)e;
	(void)iova;
	(void)last;
	(void)oa;
	(void)prot;
	(void)g;
	*granules = 0;
	return -ENOMEM;
}

static int wrong_hole(struct engine *e, uint64_t iova, uint64_t *oa)
{
	(void)e;
	(void)iova;
	(void)oa;
	return -ENOENT;
}

static int wrong_everywhere(struct engine *e, uint64_t iova, uint64_t *oa)
{
	int ret = right->translate(e, iova, oa);

	if (ret == -ENOENT)
		*oa = iova;
	return ret == -ENOENT ? 0 : ret;
}

static void wrong_destroy(struct engine *e)
{
	mem_alloc(&x.mem, 4096, 12);
	right->destroy(e);
}

static void test_blind__finds_what_shows(void **state)
{
	static const struct {
		const char *what;
		struct engine_ops ops;
		enum verdict_class class;
	} cases[] = {
		{ "translate", { .translate = wrong_translate }, VERDICT_WRONG_TRANSLATE },
		{ "map", { .map = wrong_map }, VERDICT_WRONG_RETURN },
		{ "unmap", { .unmap = wrong_unmap }, VERDICT_WRONG_TRANSLATE },
		{ "destroy", { .destroy = wrong_destroy }, VERDICT_LEAK },
	};
	uint64_t compared = 0;
	unsigned i, k;

	(void)state;
	for (i = 0; engine_formats()[i]; i++) {
		right = engine_formats()[i];
		for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
			enum verdict_class class;

			wrong = *right;
			if (cases[k].ops.translate)
				wrong.translate = cases[k].ops.translate;
			if (cases[k].ops.map)
				wrong.map = cases[k].ops.map;
			if (cases[k].ops.unmap)
				wrong.unmap = cases[k].ops.unmap;
			if (cases[k].ops.destroy)
				wrong.destroy = cases[k].ops.destroy;
			class = run_domain(&wrong, "", SEED, &compared);
			if (class != cases[k].class)
				fail_msg("%s, a wrong %s: %s instead of %s", right->name, cases[k].what,
					 class == VERDICT_NR ? "nothing found" : verdict_name(class), verdict_name(cases[k].class));
		}
	}
}

/* As hitless fuzz --baseline compares and generates. */
static void test_blind__baseline_finds_what_shows(void **state)
{
	static const struct engine_ops cases[] = {
		{ .translate = wrong_translate }, { .translate = wrong_hole }, { .translate = wrong_everywhere },
		{ .map = wrong_refused },         { .unmap = wrong_unmap },
	};
	uint64_t compared = 0;
	unsigned i, k;

	(void)state;
	x.options.checks = 1u << CHECK_TRANSLATION | 1u << CHECK_FAILURE;
	profile = GEN_BASELINE;
	for (i = 0; engine_formats()[i]; i++) {
		right = engine_formats()[i];
		assert_int_equal(run_domain(right, "", SEED, &compared), VERDICT_NR);
		for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
			wrong = *right;
			if (cases[k].translate)
				wrong.translate = cases[k].translate;
			if (cases[k].map)
				wrong.map = cases[k].map;
			if (cases[k].unmap)
				wrong.unmap = cases[k].unmap;
			if (run_domain(&wrong, "", SEED, &compared) == VERDICT_NR)
				fail_msg("%s: number %u goes unnoticed", right->name, k);
		}
	}
	x.options.checks = exec_defaults.checks;
	profile = GEN_VARIED;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blind__is_silent_about_what_is_right),
		cmocka_unit_test(test_blind__finds_what_shows),
		cmocka_unit_test(test_blind__baseline_finds_what_shows),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
