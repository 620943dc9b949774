/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_flat.c - the flat oracle tells a reader the translations that it may have seen, and no others, wherever a change falls between the two
 * looks that the reader takes; and the histogram of latencies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzzers/flat.h"
#include "../fuzzers/latency.h"
#include "../fuzzers/rng.h"

static struct flat_page pages[8];
static struct flat flat = { .page_lg2 = 12, .island_lg2 = 2, .iovas = { 0x10000, UINT64_MAX - 0x3fff }, .nr = 8, .pages = pages };

static int set_up(void **state)
{
	(void)state;
	memset(pages, 0, sizeof(pages));
	return 0;
}

/* Nine steps of two changes, to a and on to b, between any two of which a reader may look: what it may have seen. */
static void test_flat__tells_before_and_after(void **state)
{
	uint64_t a = flat_mapped(&flat, 0x123456000, 3), b = 0, allowed[2];
	unsigned first_at, second_at, at, nr;

	(void)state;
	for (first_at = 0; first_at <= 4; first_at++) {
		for (second_at = first_at; second_at <= 4; second_at++) {
			const uint64_t stable[] = { 0, 0, a, a, b };
			uint64_t first = 0;
			unsigned low = first_at / 2, high = (second_at + 1) / 2;

			set_up(NULL);
			for (at = 0; at <= second_at; at++) {
				if (at == 1)
					flat_begin(&flat, 1, a);
				if (at == 2)
					flat_end(&flat, 1, true);
				if (at == 3)
					flat_begin(&flat, 1, b);
				if (at == 4)
					flat_end(&flat, 1, true);
				if (at == first_at)
					first = flat_first(&flat, 1);
			}
			nr = flat_allowed(&flat, 1, first, allowed);
			/* low and high: how many changes may, and how many can, have been seen. */
			assert_int_equal(nr, high - low > 1 ? 0 : high - low + 1);
			if (nr)
				assert_int_equal(allowed[0], stable[2 * low]);
			if (nr == 2)
				assert_int_equal(allowed[1], stable[2 * high]);
		}
	}
}

static void test_flat__takes_back_what_did_not_happen(void **state)
{
	uint64_t a = flat_mapped(&flat, 0x1000, 1), first, allowed[2];

	(void)state;
	first = flat_first(&flat, 2);
	flat_begin(&flat, 2, a);
	flat_end(&flat, 2, false);
	assert_int_equal(flat_content(&flat, 2), 0);
	assert_int_equal(flat_allowed(&flat, 2, first, allowed), 2);
	assert_int_equal(allowed[0], 0);
	assert_int_equal(allowed[1], 0);
	assert_int_equal(flat_allowed(&flat, 2, flat_first(&flat, 2), allowed), 1);
}

static void test_flat__keeps_what_it_is_told(void **state)
{
	struct rng rng;
	unsigned i;

	(void)state;
	rng_init(&rng, 1);
	for (i = 0; i < 1000; i++) {
		uint64_t oa = rng_next(&rng) & ((UINT64_C(1) << 56) - 1) & ~UINT64_C(0xfff);
		unsigned prot = rng_below(&rng, 64);

		assert_int_equal(flat_oa(&flat, flat_mapped(&flat, oa, prot)), oa);
		assert_int_equal(flat_prot(flat_mapped(&flat, oa, prot)), prot);
	}
	assert_int_equal(flat_iova(&flat, 3), 0x13000);
	assert_int_equal(flat_iova(&flat, 4), UINT64_MAX - 0x3fff);
	assert_int_equal(flat_iova(&flat, 7), UINT64_MAX - 0xfff);
}

/* A write counts for the mapping that it was to, and for no later one. */
static void test_flat__forgets_writes_to_what_was_there(void **state)
{
	uint64_t first;

	(void)state;
	assert_false(flat_was_written(&flat, 0));
	flat_begin(&flat, 0, flat_mapped(&flat, 0x5000, 3));
	flat_end(&flat, 0, true);
	assert_false(flat_was_written(&flat, 0));
	first = flat_first(&flat, 0);
	flat_wrote(&flat, 0, first);
	assert_true(flat_was_written(&flat, 0));
	flat_begin(&flat, 0, 0);
	flat_end(&flat, 0, true);
	assert_false(flat_was_written(&flat, 0));
	flat_begin(&flat, 0, flat_mapped(&flat, 0x5000, 3));
	flat_end(&flat, 0, true);
	assert_false(flat_was_written(&flat, 0));
}

static void test_latency__percentiles_are_right_to_a_fifth(void **state)
{
	static struct latency l, sum;
	struct rng rng;
	uint64_t ns;
	unsigned i;

	(void)state;
	rng_init(&rng, 2);
	for (i = 0; i < 100000; i++) {
		ns = rng_next(&rng) >> rng_below(&rng, 64);
		assert_true(latency_limit(latency_step(ns)) >= ns);
		assert_true((double)latency_limit(latency_step(ns)) <= (double)ns * 1.25);
	}
	assert_int_equal(latency_percentile(&l, 50), 0);
	for (ns = 1; ns <= 1000; ns++)
		latency_add(&l, ns);
	latency_sum(&sum, &l);
	latency_sum(&sum, &l);
	assert_in_range(latency_percentile(&sum, 50), 500, 625);
	assert_in_range(latency_percentile(&sum, 99), 990, 1238);
	assert_in_range(latency_percentile(&sum, 100), 1000, 1250);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_flat__tells_before_and_after, set_up),
		cmocka_unit_test_setup(test_flat__takes_back_what_did_not_happen, set_up),
		cmocka_unit_test_setup(test_flat__keeps_what_it_is_told, set_up),
		cmocka_unit_test_setup(test_flat__forgets_writes_to_what_was_there, set_up),
		cmocka_unit_test(test_latency__percentiles_are_right_to_a_fifth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
