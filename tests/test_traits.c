/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_traits.c - what an engine declares otherwise is what the oracle then expects, and nothing else changes.
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

static struct exec x;

static void found(void *arg, const struct verdict *v, const struct op *op)
{
	(void)arg;
	(void)op;
	print_error("%s\n", v->text);
	exit(1);
}

static void open_domain(const struct engine_ops *ops, const char *config)
{
	struct trace_error error;
	const char *why = "";
	struct config cfg;
	char text[400], err[300];

	snprintf(text, sizeof(text), "%s %s", ops->name, config);
	assert_int_equal(config_parse(text, &cfg, &error), 0);
	if (exec_resolve(&cfg, err, sizeof(err)) || exec_open(&x, &cfg, &why))
		fail_msg("%s: %s%s", text, err, why);
}

static void test_traits__prot(void **state)
{
	static const struct {
		struct traits traits;
		unsigned asked, gives;
	} cases[] = {
		{ { 0 }, PROT_R | PROT_PRIV, PROT_R | PROT_PRIV },
		{ { 0, PROT_PRIV, PROT_X, PROT_R, 0, 0 }, PROT_W | PROT_PRIV, PROT_W | PROT_PRIV }, /* masks without TRAIT_PROT mean nothing */
		{ { TRAIT_PROT, PROT_X | PROT_PRIV | PROT_CACHE, PROT_CACHE, 0, 0, 0 }, PROT_R | PROT_X | PROT_PRIV, PROT_R | PROT_CACHE },
		{ { TRAIT_PROT, PROT_TYPE, PROT_R | PROT_X, 0, 0, 0 }, PROT_W | PROT_MMIO, PROT_R | PROT_W | PROT_X },
		{ { TRAIT_PROT, 0, 0, PROT_R, 0, 0 }, PROT_W, PROT_R | PROT_W },
		{ { TRAIT_PROT, 0, 0, PROT_R, 0, 0 }, PROT_R, PROT_R },
		{ { TRAIT_PROT, 0, PROT_R, 0, 0, 0 }, PROT_X, 0 }, /* neither r nor w: to be refused */
		{ { TRAIT_PROT, 0, 0, 0, 0, 0 }, PROT_R | PROT_ALL << 1, PROT_R | PROT_ALL << 1 },
		{ { TRAIT_PROT, 0, 0, 0, PROT_X, PROT_CACHE }, PROT_R | PROT_X | PROT_CACHE, PROT_R | PROT_X | PROT_CACHE },
		{ { TRAIT_PROT, 0, 0, 0, PROT_X, PROT_CACHE }, PROT_R | PROT_X | PROT_CACHE | PROT_PRIV, PROT_R | PROT_CACHE | PROT_PRIV },
		{ { TRAIT_PROT, 0, 0, 0, PROT_X, PROT_CACHE }, PROT_R | PROT_X | PROT_TYPE, PROT_R | PROT_X | PROT_MMIO },
		{ { TRAIT_PROT, PROT_PRIV, 0, 0, PROT_X, 0 }, PROT_R | PROT_X | PROT_PRIV, PROT_R },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(traits_prot(&cases[i].traits, cases[i].asked), cases[i].gives);
}

/* amdv1 with three levels, which reach 512G: nothing is mapped but one page whose oa is 0. */
static void test_traits__change_one_answer(void **state)
{
	static const struct {
		unsigned trait;
		struct call call;
		int without, with;
	} cases[] = {
		{ TRAIT_NO_CUT, { .kind = CALL_CUT, .iova = 0x1000, .last = 0x1000 }, -ENOENT, -EOPNOTSUPP },
		{ TRAIT_NO_CUT, { .kind = CALL_TRANSLATE, .iova = 0x1000, .last = 0x1000 }, -ENOENT, -ENOENT },
		{ TRAIT_QUIET_UNMAP, { .kind = CALL_UNMAP, .iova = 1ull << 60, .last = (1ull << 60) + 0xfff }, -ERANGE, 0 },
		{ TRAIT_QUIET_UNMAP, { .kind = CALL_UNMAP, .iova = 1ull << 60, .last = (1ull << 60) + 0xff }, -ERANGE, -ENXIO },
		{ TRAIT_QUIET_UNMAP, { .kind = CALL_UNMAP, .iova = 0x1000, .last = 0x10ff }, -ENXIO, -ENXIO },
		{ TRAIT_ANY_BYTES, { .kind = CALL_UNMAP, .iova = 0x1000, .last = 0x10ff }, -ENXIO, 0 },
		{ TRAIT_ANY_BYTES, { .kind = CALL_DIRTY, .iova = 0x1010, .last = 0x10ff }, -ENXIO, 0 },
		{ TRAIT_ANY_BYTES, { .kind = CALL_MAP, .iova = 0x1000, .last = 0x10ff, .prot = PROT_R }, -ENXIO, -ENXIO },
		{ TRAIT_ZERO_IS_HOLE, { .kind = CALL_TRANSLATE, .iova = 0x200000, .last = 0x200000 }, 0, -ENOENT },
		{ TRAIT_ZERO_IS_HOLE, { .kind = CALL_TRANSLATE, .iova = 0x200001, .last = 0x200001 }, 0, 0 },
		{ TRAIT_ZERO_IS_HOLE, { .kind = CALL_TRANSLATE, .iova = 1ull << 60, .last = 1ull << 60 }, -ERANGE, -ENOENT },
		{ TRAIT_TOP_IS_BOUND, { .kind = CALL_DIRTY, .iova = 0, .last = (1ull << 39) - 1 }, 0, 0 },
		{ TRAIT_TOP_IS_BOUND, { .kind = CALL_DIRTY, .iova = 0, .last = (1ull << 40) - 1 }, 0, -ERANGE },
		{ TRAIT_TOP_IS_BOUND, { .kind = CALL_CUT, .iova = 1ull << 40, .last = 1ull << 40 }, -ENOENT, -ERANGE },
		{ TRAIT_TOP_IS_BOUND, { .kind = CALL_UNMAP, .iova = 0, .last = (1ull << 40) - 1 }, 0, -ERANGE },
		{ TRAIT_PROT, { .kind = CALL_MAP, .iova = 0x1000, .last = 0x1fff, .prot = PROT_R | PROT_MMIO | PROT_CACHE }, -EOPNOTSUPP, 0 },
		{ TRAIT_PROT, { .kind = CALL_MAP, .iova = 0x1000, .last = 0x1fff, .prot = 0 }, -EINVAL, -EINVAL },
	};
	const struct op page = { .kind = OP_MAP, .iova = 0x200000, .last = 0x200fff, .prot = PROT_R };
	struct call_expect want;
	size_t i;

	(void)state;
	assert_int_equal(engine_choose("native"), 0);
	open_domain(engine_find("amdv1"), "levels=3 ias=48 oas=40 ad=1");
	assert_int_equal(exec_op(&x, &page), EXEC_DONE);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		x.check.traits.set = 0;
		check_predict(&x.check, &cases[i].call, &want);
		if (want.ret != cases[i].without)
			fail_msg("case %zu without the trait: %d, expected %d", i, want.ret, cases[i].without);
		x.check.traits.set = (uint16_t)cases[i].trait;
		check_predict(&x.check, &cases[i].call, &want);
		if (want.ret != cases[i].with)
			fail_msg("case %zu with the trait: %d, expected %d", i, want.ret, cases[i].with);
	}
	x.check.traits.set = 0;
	exec_close(&x);
}

/* Whoever departs from engine.h says why; ours does not depart. */
static void test_traits__have_reasons(void **state)
{
	const struct engine_ops *const *f;
	const struct engine_difference *d;
	struct engine_info info;
	unsigned formats_nr = 0, i;

	(void)state;
	for (i = 0; engines[i].name; i++) {
		assert_int_equal(engine_choose(engines[i].name), 0);
		for (f = engine_formats(); *f; f++, formats_nr++) {
			open_domain(*f, "");
			x.ops->info(x.engine, &info);
			exec_close(&x);
			assert_int_equal(!info.traits.set, !(*f)->differences);
			assert_int_equal(info.traits.set && !strcmp(engines[i].name, "native"), 0);
			for (d = (*f)->differences; d && d->op; d++)
				assert_true(*d->op && *d->what && *d->reason);
		}
	}
	assert_true(formats_nr > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_traits__prot),
		cmocka_unit_test(test_traits__change_one_answer),
		cmocka_unit_test(test_traits__have_reasons),
	};

	if (exec_init(&x, &exec_defaults, found, NULL))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
