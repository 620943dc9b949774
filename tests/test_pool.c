/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_pool.c - what a campaign keeps to be mutated: what brought something new and nothing else, and never more than there is room for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzzers/pool.h"

static struct pool pool;
static struct op ops[POOL_OPS_MAX + 1];
static struct config cfg;

/* A trace that comes to counter idx so many times; whether it is kept. */
static bool kept(unsigned idx, uint8_t times, size_t nr)
{
	uint64_t before = pool.kept_nr;

	pool_begin(&pool);
	pool.counters[idx] = times;
	pool_end(&pool, &cfg, 0, ops, nr);
	return pool.kept_nr != before;
}

static void test_pool__keeps_what_is_more_than_ever(void **state)
{
	static const struct {
		unsigned idx;
		uint8_t times;
		bool news;
	} traces[] = {
		{ 5, 0, false }, { 5, 1, true },  { 5, 1, false }, { 5, 3, true },   { 5, 2, false }, { 5, 4, true },    { 5, 7, false },
		{ 5, 255, true }, { 5, 8, false }, { 6, 1, true },  { FEEDBACK_NR - 1, 128, true }, { FEEDBACK_NR - 1, 255, false },
	};
	size_t i;

	(void)state;
	memset(&pool, 0, sizeof(pool));
	for (i = 0; i < sizeof(traces) / sizeof(traces[0]); i++)
		assert_int_equal(kept(traces[i].idx, traces[i].times, 1), traces[i].news);
}

static void test_pool__rejects_what_it_has_no_room_for(void **state)
{
	(void)state;
	memset(&pool, 0, sizeof(pool));
	assert_false(kept(1, 1, 0));
	assert_false(kept(1, 1, POOL_OPS_MAX + 1));
	assert_true(kept(1, 1, POOL_OPS_MAX));
}

static void test_pool__lets_the_oldest_go(void **state)
{
	enum { MORE = 10 };
	bool picked[POOL_TRACES_MAX + MORE] = { false };
	const struct pool_trace *t;
	struct rng rng;
	unsigned i, nr = 0;

	(void)state;
	memset(&pool, 0, sizeof(pool));
	rng_init(&rng, 1);
	assert_null(pool_pick(&pool, &rng));
	for (i = 0; i < POOL_TRACES_MAX + MORE; i++) {
		ops[0].iova = i;
		assert_true(kept(i, 1, 1));
		t = pool_pick(&pool, &rng);
		assert_true(t && t->nr == 1 && t->ops[0].iova <= i);
	}
	for (i = 0; i < 100 * POOL_TRACES_MAX; i++)
		picked[pool_pick(&pool, &rng)->ops[0].iova] = true;
	for (i = 0; i < POOL_TRACES_MAX + MORE; i++) {
		nr += picked[i];
		assert_true(i >= MORE || !picked[i]);
	}
	assert_int_equal(nr, POOL_TRACES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pool__keeps_what_is_more_than_ever),
		cmocka_unit_test(test_pool__rejects_what_it_has_no_room_for),
		cmocka_unit_test(test_pool__lets_the_oldest_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
