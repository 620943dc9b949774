/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_canary.c - a campaign that checks nothing does not begin. Canaries are noticed in every configuration, each check has its own, and when the
 * oracle looks away that is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzzers/canary.h"
#include "../fuzzers/options.h"

void __real_check_device(struct check *c, uint64_t iova, bool write, bool ok);
void __wrap_check_device(struct check *c, uint64_t iova, bool write, bool ok);
void __real_check_called(struct check *c, const struct call *call, const struct call_result *res);
void __wrap_check_called(struct check *c, const struct call *call, const struct call_result *res);

static bool looks_away, translates_wrongly;
static struct engine_ops wrong;

const struct engine_ops *__real_engine_find(const char *name);
const struct engine_ops *__wrap_engine_find(const char *name);

static int wrong_translate(struct engine *e, uint64_t iova, uint64_t *oa)
{
	int ret = __real_engine_find(wrong.name)->translate(e, iova, oa);

	*oa += 1;
	return ret;
}

const struct engine_ops *__wrap_engine_find(const char *name)
{
	if (!translates_wrongly)
		return __real_engine_find(name);
	wrong = *__real_engine_find(name);
	wrong.translate = wrong_translate;
	return &wrong;
}

void __wrap_check_called(struct check *c, const struct call *call, const struct call_result *res)
{
	if (!looks_away)
		__real_check_called(c, call, res);
}

void __wrap_check_device(struct check *c, uint64_t iova, bool write, bool ok)
{
	if (!looks_away)
		__real_check_device(c, iova, write, ok);
}

/* The checks whose bugs have a place in this configuration, of those that can be told without running it. */
static unsigned have_a_place(const struct config *cfg)
{
	unsigned checks = 1u << CHECK_TRANSLATION | 1u << CHECK_IOTLB | 1u << CHECK_FAILURE | 1u << CHECK_PROGRESS;
	const char *why;
	struct hw hw;

	assert_int_equal(hw_init(&hw, cfg, &why), 0);
	/* The smallest pages lie in tables that can go. */
	if (hw.item_lg2[hw.top_level_max] > (unsigned)__builtin_ctzll(hw.cfg.pgsizes))
		checks |= 1u << CHECK_INFLIGHT | 1u << CHECK_ACCOUNTING;
	if (!cfg->coherent)
		checks |= 1u << CHECK_WRITEBACK;
	if (hw.has_dirty)
		checks |= 1u << CHECK_DIRTY;
	return checks;
}

/* Every configuration of every format. Returns how many there were. */
static unsigned run_all(const struct exec_options *options, struct canary_result *all)
{
	struct canary_result res;
	unsigned f, c, nr = 0;
	struct config cfg;
	char text[300];

	memset(all, 0, sizeof(*all));
	for (f = 0; engine_formats()[f]; f++) {
		for (c = 0; engine_formats()[f]->configs[c]; c++) {
			struct trace_error err;

			snprintf(text, sizeof(text), "%s %s", engine_formats()[f]->name, engine_formats()[f]->configs[c]);
			assert_int_equal(config_parse(text, &cfg, &err), 0);
			assert_int_equal(exec_resolve(&cfg, text, sizeof(text)), 0);
			assert_int_equal(canary_run(options, &cfg, &res), 0);
			assert_int_equal(res.faulty, translates_wrongly);
			if (!looks_away && !translates_wrongly && (res.missed || have_a_place(&cfg) & options->checks & ~res.noticed))
				fail_msg("%s %s: noticed 0x%x, missed 0x%x", engine_formats()[f]->name, engine_formats()[f]->configs[c],
					 res.noticed, res.missed);
			all->noticed |= res.noticed;
			all->missed |= res.missed;
			nr++;
		}
	}
	return nr;
}

static void test_canary__every_check_notices_its_own(void **state)
{
	struct canary_result all;
	unsigned nr = run_all(&exec_defaults, &all);

	(void)state;
	print_message("%u configurations\n", nr);
	assert_true(nr > 9);
	assert_int_equal(all.noticed, (1u << CHECK_NR) - 1);
}

static void test_canary__of_a_check_that_is_off_nothing_is_said(void **state)
{
	struct exec_options options = exec_defaults;
	struct canary_result all;
	unsigned check;

	(void)state;
	options.checks = 0;
	run_all(&options, &all);
	assert_int_equal(all.noticed | all.missed, 0);
	for (check = 0; check < CHECK_NR; check++) {
		options.checks = 1u << check;
		run_all(&options, &all);
		assert_int_equal(all.noticed, options.checks);
	}
}

static void default_config(struct config *cfg)
{
	char err[240];

	config_unset(cfg);
	snprintf(cfg->format, sizeof(cfg->format), "%s", engine_formats()[0]->name);
	assert_int_equal(exec_resolve(cfg, err, sizeof(err)), 0);
}

static void test_canary__one_that_goes_unnoticed_ends_the_campaign(void **state)
{
	struct canary_result all, sum = { 0 };
	struct config cfg;

	(void)state;
	looks_away = true;
	run_all(&exec_defaults, &all);
	/* Progress is watched while the engine runs. */
	assert_int_equal(all.noticed, 1u << CHECK_PROGRESS);
	assert_int_equal(all.missed, ((1u << CHECK_NR) - 1) & ~all.noticed);
	default_config(&cfg);
	assert_int_equal(canary_must(&exec_defaults, &cfg, &sum), EXIT_TOOL);
	looks_away = false;
	assert_int_equal(canary_must(&exec_defaults, &cfg, &sum), -1);
	assert_true(sum.noticed & 1u << CHECK_TRANSLATION);
}

/* An engine that does wrong by itself is the campaign's to find: it must begin. */
static void test_canary__a_faulty_engine_is_no_reason_not_to_begin(void **state)
{
	struct canary_result all, sum = { 0 };
	struct config cfg;

	(void)state;
	translates_wrongly = true;
	run_all(&exec_defaults, &all);
	assert_int_equal(all.noticed | all.missed, 0);
	default_config(&cfg);
	assert_int_equal(canary_must(&exec_defaults, &cfg, &sum), -1);
	assert_true(sum.faulty);
	translates_wrongly = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canary__every_check_notices_its_own),
		cmocka_unit_test(test_canary__of_a_check_that_is_off_nothing_is_said),
		cmocka_unit_test(test_canary__a_faulty_engine_is_no_reason_not_to_begin),
		cmocka_unit_test(test_canary__one_that_goes_unnoticed_ends_the_campaign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
