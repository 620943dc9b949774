/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_mem.c - the log tells what happened to table memory, and a freed table stays away for as long as it can. All that the oracle knows
 * of an operation beside the bytes that it leaves comes from here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../engine/mem.h"
#include "../fuzzers/rng.h"

#define TABLE_BYTES 512

static struct mem m;

static void fault(void *arg, enum mem_fault kind, uint64_t pa, const char *text)
{
	(void)arg;
	fail_msg("fault %d at 0x%llx: %s", kind, (unsigned long long)pa, text);
}

static void open_arena(uint64_t bytes)
{
	assert_int_equal(mem_init(&m, 0, bytes, fault, NULL), 0);
	mem_reset(&m, UINT64_C(1) << 20);
	mem_observe(&m, true);
	mem_begin_op(&m, UINT64_MAX, 0);
}

/* --- the log --- */

/* Few values, and often such that follow each other by a step. */
static uint64_t random_value(struct rng *rng)
{
	return (uint64_t)rng_below(rng, 4) << (12 * rng_below(rng, 3)) | rng_below(rng, 2);
}

static void random_primitive(struct rng *rng, uint64_t table, unsigned bytes_lg2)
{
	unsigned items = TABLE_BYTES >> bytes_lg2, first = rng_below(rng, items), nr = 1 + rng_below(rng, items - first);
	uint64_t pa = table + ((uint64_t)first << bytes_lg2), val = random_value(rng), old;

	switch (rng_below(rng, 5)) {
	case 0:
		mem_store(&m, pa, bytes_lg2, val, rng_below(rng, 2) ? MEM_RELEASE : MEM_RELAXED);
		break;
	case 1:
		old = rng_below(rng, 2) ? mem_load(&m, pa, bytes_lg2) : random_value(rng);
		mem_cas(&m, pa, bytes_lg2, &old, val);
		break;
	case 2:
		mem_device(&m, pa, bytes_lg2, mem_load(&m, pa, bytes_lg2), val);
		break;
	default:
		mem_fill(&m, pa, bytes_lg2, nr, val, rng_below(rng, 2) ? 12 : 0);
		break;
	}
}

/* Put each value of an event in its place in a copy of the table: those that were stored, or those that were there before. */
static void apply(const struct mem_event *ev, uint64_t table, uint8_t *copy, bool old)
{
	unsigned i;

	for (i = 0; i < ev->nr; i++) {
		uint64_t val = old ? mem_event_old(ev, i) : mem_event_new(ev, i);

		memcpy(copy + (ev->pa - table) + ((uint64_t)i << ev->bytes_lg2), &val, (size_t)1 << ev->bytes_lg2);
	}
}

static void test_mem__log_tells_what_was_there_and_what_is(void **state)
{
	uint64_t seed, events = 0;

	(void)state;
	print_message("seeds 1 to 2000\n");
	open_arena(1u << 20);
	for (seed = 1; seed <= 2000; seed++) {
		uint8_t before[TABLE_BYTES], copy[TABLE_BYTES];
		uint64_t table;
		struct rng rng;
		unsigned nr;
		size_t i;

		rng_init(&rng, seed);
		table = mem_alloc(&m, TABLE_BYTES, 12);
		for (nr = rng_below(&rng, 6); nr; nr--)
			random_primitive(&rng, table, 2 + seed % 2);
		mem_begin_op(&m, UINT64_MAX, 0);
		memcpy(before, mem_host(&m, table), TABLE_BYTES);
		for (nr = 1 + rng_below(&rng, 6); nr; nr--)
			random_primitive(&rng, table, 2 + seed % 2);
		memcpy(copy, before, TABLE_BYTES);
		for (i = 0; i < m.view.events_nr; i++)
			apply(&m.view.events[i], table, copy, false);
		if (memcmp(copy, mem_host(&m, table), TABLE_BYTES))
			fail_msg("seed %llu: what the log says was stored is not what is there", (unsigned long long)seed);
		for (i = m.view.events_nr; i--; events++)
			apply(&m.view.events[i], table, copy, true);
		if (memcmp(copy, before, TABLE_BYTES))
			fail_msg("seed %llu: what the log says was overwritten is not what was there", (unsigned long long)seed);
		mem_free(&m, table);
		mem_begin_op(&m, UINT64_MAX, 0);
	}
	assert_true(events > 5000);
	mem_release(&m);
}

/* --- tables --- */

static void test_mem__freed_table_is_not_reused_by_its_operation(void **state)
{
	uint64_t table, other, nr;

	(void)state;
	open_arena(8 * 4096);
	table = mem_alloc(&m, TABLE_BYTES, 12);
	mem_begin_op(&m, UINT64_MAX, 0);
	mem_free(&m, table);
	/* Neither while there is fresh memory nor when there is none. */
	for (nr = 0; (other = mem_alloc(&m, TABLE_BYTES, 12)) != MEM_NONE; nr++)
		assert_int_not_equal(other, table);
	assert_int_not_equal(nr, 0);
	mem_begin_op(&m, UINT64_MAX, 0);
	assert_int_equal(mem_alloc(&m, TABLE_BYTES, 12), table);
	mem_release(&m);
}

/* While there is fresh memory a freed table stays away for many operations. */
static void test_mem__freed_table_stays_away(void **state)
{
	uint64_t table, i;

	(void)state;
	open_arena(1u << 20);
	table = mem_alloc(&m, TABLE_BYTES, 12);
	mem_begin_op(&m, UINT64_MAX, 0);
	mem_free(&m, table);
	for (i = 0; i < 16; i++) {
		uint64_t other;

		mem_begin_op(&m, UINT64_MAX, 0);
		other = mem_alloc(&m, TABLE_BYTES, 12);
		assert_int_not_equal(other, MEM_NONE);
		assert_int_not_equal(other, table);
		mem_free(&m, other);
	}
	mem_release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mem__log_tells_what_was_there_and_what_is),
		cmocka_unit_test(test_mem__freed_table_is_not_reused_by_its_operation),
		cmocka_unit_test(test_mem__freed_table_stays_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
