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

	switch (rng_below(rng, 6)) {
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
	case 3: /* one by one, as an engine that does not fill */
		for (; nr; nr--, pa += UINT64_C(1) << bytes_lg2, val += rng_below(rng, 8) ? UINT64_C(1) << 12 : 0)
			mem_store(&m, pa, bytes_lg2, val, MEM_RELAXED);
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

/* What is between two stores to items that follow each other, and how many events they are. */
enum between { NOTHING, FENCE, LOAD, OTHER_STEP, RELEASE, NARROW, FLUSH };

static void test_mem__stores_in_a_row_are_one_event(void **state)
{
	static const struct {
		enum between between;
		unsigned events;
	} cases[] = { { NOTHING, 1 }, { FENCE, 5 }, { LOAD, 1 }, { OTHER_STEP, 3 }, { RELEASE, 3 }, { NARROW, 3 }, { FLUSH, 5 } };
	unsigned i, k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum between between = cases[i].between;
		unsigned bytes_lg2 = between == NARROW ? 2 : 3;
		uint64_t table, other;

		open_arena(1u << 20);
		table = mem_alloc(&m, 1024, 10);
		other = mem_alloc(&m, 1024, 10);
		assert_int_equal(other, table + 1024);
		mem_begin_op(&m, UINT64_MAX, 0);
		for (k = 0; k < 3; k++) {
			mem_store(&m, table + (k << bytes_lg2), bytes_lg2, 0x10001 + (between == OTHER_STEP ? k * k * 0x3000 : k * 0x1000),
				  between == RELEASE ? MEM_RELEASE : MEM_RELAXED);
			if (between == FENCE && k < 2)
				mem_fence(&m);
			else if (between == FLUSH && k < 2)
				mem_flush(&m, table, 8);
			else if (between == LOAD)
				mem_load(&m, other, 3);
		}
		assert_int_equal(m.view.events_nr, cases[i].events);
		if (between == NOTHING) {
			assert_int_equal(m.view.events[0].nr, 3);
			assert_int_equal(mem_event_new(&m.view.events[0], 2), 0x12001);
			/* The last item of a table and the first of the next, which lies behind it, are not. */
			mem_store(&m, other - 8, 3, 0x20001, MEM_RELAXED);
			mem_store(&m, other, 3, 0x21001, MEM_RELAXED);
			assert_int_equal(m.view.events_nr, 3);
		}
		mem_release(&m);
	}
}

/* The device takes its turn, and is logged. */
static void turn(void *arg)
{
	struct mem *mem = arg;

	mem->turn_at = UINT64_MAX;
	mem_device(mem, mem->view.root, 3, 0, 0x55);
}

/* Ordinary assignments that are announced are logged in their place with what they stored, whatever comes next. */
static void test_mem__plain_stores_are_logged_in_place(void **state)
{
	uint64_t table, at;
	uint64_t *host;

	(void)state;
	open_arena(1u << 20);
	table = mem_alloc(&m, 1024, 10);
	host = mem_host(&m, table);
	mem_begin_op(&m, UINT64_MAX, 0);
	m.view.root = table;
	m.turn = turn;
	m.turn_arg = &m;
	m.turn_at = 0;
	mem_plain_store(&m, table, 3);
	assert_int_equal(host[0], 0x55); /* the device comes before the store, not before its announcement */
	host[0] = 0x10001;
	mem_fence(&m);
	for (at = 1; at < 4; at++) {
		mem_plain_store(&m, table + 8 * at, 3);
		host[at] = 0x20001 + 0x1000 * at;
	}
	/* The same item again, by a primitive: the first value is not lost. */
	mem_store(&m, table + 24, 3, 7, MEM_RELAXED);
	mem_plain_store(&m, table + 32, 3);
	host[4] = 9;
	mem_plain_settle(&m);
	mem_plain_settle(&m);
	assert_int_equal(m.view.events_nr, 6);
	assert_int_equal(m.view.events[0].kind, MEM_DEVICE);
	assert_int_equal(m.view.events[1].old, 0x55);
	assert_int_equal(m.view.events[1].new, 0x10001);
	assert_int_equal(m.view.events[2].kind, MEM_FENCE);
	assert_int_equal(m.view.events[3].nr, 3);
	assert_int_equal(mem_event_new(&m.view.events[3], 2), 0x23001);
	assert_int_equal(m.view.events[4].old, 0x23001);
	assert_int_equal(m.view.events[4].new, 7);
	assert_int_equal(m.view.events[5].new, 9);
	assert_int_equal(m.attempts, 6);
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

/* --- an arena that threads share --- */

static unsigned attempts, syncs, kept;
static uint64_t shared_root;
static bool may_alloc, keep_tables;

static void shared_attempt(void *arg)
{
	(void)arg;
	attempts++;
}

static bool shared_may_alloc(void *arg)
{
	(void)arg;
	return may_alloc;
}

static bool shared_keep(void *arg, uint64_t pa)
{
	(void)arg, (void)pa;
	kept += keep_tables;
	return keep_tables;
}

static void shared_synced(void *arg)
{
	(void)arg;
	syncs++;
}

static void shared_top(void *arg, uint64_t root, unsigned level)
{
	(void)arg;
	shared_root = root | level;
}

/* Every kind of store, eight attempts in all; what it came to is the same with the hook and without. */
static void shared_stores(uint64_t table)
{
	uint64_t old = 5, wrong = 1;

	mem_store(&m, table, 3, 5, MEM_RELAXED);
	mem_store(&m, table + 8, 3, 6, MEM_RELEASE);
	assert_true(mem_cas(&m, table, 3, &old, 7));
	assert_false(mem_cas_weaker(&m, table, 3, &wrong, 8, MEM_RELEASE));
	assert_int_equal(wrong, 7);
	mem_fill(&m, table + 16, 3, 4, 0x1000, 12);
	assert_int_equal(mem_load(&m, table, 3), 7);
	assert_int_equal(mem_load(&m, table + 8, 3), 6);
	assert_int_equal(mem_load(&m, table + 40, 3), 0x4000);
}

static void test_mem__threads_hook_into_a_shared_arena(void **state)
{
	struct mem_threads hooks = { NULL, shared_may_alloc, shared_keep, shared_synced, shared_top };
	unsigned slow;

	(void)state;
	for (slow = 0; slow < 2; slow++) {
		uint64_t table;

		attempts = syncs = kept = 0;
		may_alloc = true;
		keep_tables = false;
		open_arena(1u << 20);
		hooks.attempt = slow ? shared_attempt : NULL;
		mem_observe(&m, false);
		mem_share(&m, &hooks, NULL);
		table = mem_alloc(&m, TABLE_BYTES, 12);
		assert_int_not_equal(table, MEM_NONE);
		shared_stores(table);
		assert_int_equal(attempts, slow ? 8 : 0);
		assert_int_equal(m.view.events_nr, 0);
		mem_sync(&m);
		assert_int_equal(syncs, 1);
		mem_top(&m, table, 2);
		assert_int_equal(shared_root, table | 2);
		may_alloc = false;
		assert_int_equal(mem_alloc(&m, TABLE_BYTES, 12), MEM_NONE);
		assert_false(mem_dma_map(&m, table, TABLE_BYTES));
		/* What is kept stays what it is, until it is freed once more. */
		keep_tables = true;
		mem_free(&m, table);
		assert_int_equal(kept, 1);
		assert_int_equal(mem_load(&m, table, 3), 7);
		assert_int_equal(mem_view_frame(&m.view, table)->state, MEM_FRAME_LIVE);
		keep_tables = false;
		mem_free(&m, table);
		assert_int_equal(mem_view_frame(&m.view, table)->state, MEM_FRAME_FREED);
		mem_share(&m, NULL, NULL);
		mem_release(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mem__log_tells_what_was_there_and_what_is),
		cmocka_unit_test(test_mem__stores_in_a_row_are_one_event),
		cmocka_unit_test(test_mem__plain_stores_are_logged_in_place),
		cmocka_unit_test(test_mem__freed_table_is_not_reused_by_its_operation),
		cmocka_unit_test(test_mem__freed_table_stays_away),
		cmocka_unit_test(test_mem__threads_hook_into_a_shared_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
