/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_interleave.c - rounds of several writers: that leaving out schedules loses nothing, against every schedule there is; that what was run is run
 * again by its switches; that a random schedule is what it says; that who may not run at the same time does not; and what is found when two do that
 * race.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzzers/interleave.h"
#include "../fuzzers/pct.h"
#include "../fuzzers/round.h"

#define ARRAY_NR(a) (sizeof(a) / sizeof((a)[0]))
#define OUTCOMES_MAX 4096

static struct exec x;
static struct config cfg;

static void found(void *arg, const struct verdict *v, const struct op *op)
{
	(void)arg;
	(void)op;
	fail_msg("a finding on a right engine: %s", v->text);
}

static void open_domain(const char *text)
{
	const struct exec_options options = { .arena_bytes = 4u << 20, .checks = (1u << CHECK_NR) - 1, .observed = true };
	struct trace_error err;
	char line[300];
	const char *why;

	assert_int_equal(config_parse(text, &cfg, &err), 0);
	if (exec_resolve(&cfg, line, sizeof(line)))
		fail_msg("%s: %s", text, line);
	if (!x.mem.view.bytes)
		assert_int_equal(exec_init(&x, &options, found, NULL), 0);
	assert_int_equal(exec_open(&x, &cfg, &why), 0);
}

/* --- what came of a schedule --- */

/*
 * Each writer's events in its own order, and for each that reads, who stored what it read and as which of its events: whatever else there is follows
 * from that. Addresses are left out: they go by who allocates first.
 */
static uint64_t outcome_hash(const struct mem_view *view)
{
	uint64_t hash[MEM_WRITERS_MAX + 1] = { 0 }, all = 0;
	uint64_t waits[MEM_WRITERS_MAX + 1] = { 0 };
	size_t nth[MEM_WRITERS_MAX + 1] = { 0 }, i, k, of;

	for (i = 0; i < view->events_nr; i++) {
		const struct mem_event *ev = &view->events[i];
		uint64_t from = 0;

		/* How often who waits has looked at the lock is no outcome. */
		if (ev->kind == MEM_WORD_LOAD && waits[ev->writer] == ev->pa)
			continue;
		waits[ev->writer] = ev->kind == MEM_WORD_LOAD ? ev->pa : 0;
		for (k = 0; (ev->kind == MEM_LOAD || ev->kind == MEM_CAS) && k < i; k++) {
			const struct mem_event *by = &view->events[k];

			if ((by->kind != MEM_STORE && by->kind != MEM_CAS) || ev->pa < by->pa || ev->pa >= by->pa + ((uint64_t)by->nr << by->bytes_lg2))
				continue;
			for (of = 0, from = by->writer; of < k; of++)
				from += view->events[of].writer == by->writer ? 16 : 0;
		}
		nth[ev->writer]++;
		hash[ev->writer] = (hash[ev->writer] ^ (ev->kind + 32 * from + nth[ev->writer])) * UINT64_C(0x9e3779b97f4a7c15);
		hash[ev->writer] ^= hash[ev->writer] >> 29;
	}
	for (i = 0; i <= MEM_WRITERS_MAX; i++)
		all = (all ^ hash[i]) * UINT64_C(0xd1b54a32d192ed03);
	return all ^ all >> 31;
}

struct outcomes {
	uint64_t at[OUTCOMES_MAX];
	size_t nr;
};

static void outcomes_add(struct outcomes *o, uint64_t hash)
{
	size_t i;

	for (i = 0; i < o->nr && o->at[i] != hash; i++)
		;
	if (i < o->nr)
		return;
	assert_true(o->nr < OUTCOMES_MAX);
	o->at[o->nr++] = hash;
}

static bool outcomes_has(const struct outcomes *o, uint64_t hash)
{
	size_t i;

	for (i = 0; i < o->nr && o->at[i] != hash; i++)
		;
	return i < o->nr;
}

/* --- rounds --- */

/* Lines of a trace up to a "switch", which is left out. */
struct lines {
	const char *config, *text;
};

static struct trace trace_of(const struct lines *l)
{
	struct trace_error err;
	struct trace t;
	char text[2000];

	snprintf(text, sizeof(text), "hitless 1\nformat %s\n%sswitch\n", l->config, l->text);
	if (trace_parse(&t, text, strlen(text), &err))
		fail_msg("%s: line %u: %s", text, err.line, err.text);
	t.nr--;
	return t;
}

/* Everything before the switch. */
static void run_lines(const struct trace *t)
{
	size_t i;

	for (i = 0; i < t->nr; i++)
		exec_op(&x, &t->ops[i]);
}

/* The round under every schedule. */
static uint64_t explore(const struct lines *l, bool plain, struct outcomes *o)
{
	struct trace t = trace_of(l);
	struct interleave it;
	struct op record;
	bool more;

	o->nr = 0;
	interleave_init(&it, plain);
	do {
		record = (struct op){ .kind = OP_SWITCH };
		open_domain(l->config);
		run_lines(&t);
		interleave_begin(&it, &x, &record);
		assert_int_equal(exec_op(&x, &record), EXEC_DONE);
		outcomes_add(o, outcome_hash(&x.mem.view));
		more = interleave_more(&it);
		exec_close(&x);
	} while (more);
	/* Without the reduction every primitive may be a change of writers, and the operation has no room for all. */
	assert_true(plain || !it.cut);
	interleave_release(&it);
	trace_release(&t);
	return it.runs;
}

static const struct lines small[] = {
	{ "vtdss tiny=2 levels=2", "thread 1 map 0x0 -> 0x1000000 +0x1000 rw\nthread 2 map 0x1000 -> 0x2000000 +0x1000 rw\n" },
	{ "vtdss tiny=2 levels=2", "thread 1 map 0x0 -> 0x1000000 +0x1000 rw fail=1\nthread 2 map 0x1000 -> 0x2000000 +0x1000 rw\n" },
	{ "vtdss tiny=2 levels=2",
	  "map 0x2000 -> 0x3000000 +0x1000 rw\nthread 1 unmap 0x2000 +0x1000\nthread 2 map 0x1000 -> 0x2000000 +0x1000 rw\n" },
	{ "vtdss tiny=2 levels=2 coherent=0", "thread 1 map 0x0 -> 0x1000000 +0x1000 rw\nthread 2 translate 0x1000\n" },
	{ "amdv1 tiny=2 levels=1 ias=16",
	  "thread 1 map 0x0 -> 0x1000000 +0x1000 rw\nthread 2 translate 0x4000\n" },
	{ "vtdss tiny=2 levels=2",
	  "map 0x2000 -> 0x3000000 +0x1000 rw\nthread 1 translate 0x0\nthread 2 translate 0x1000\nthread 3 translate 0x2000\n" },
};

static void test_interleave__loses_nothing(void **state)
{
	static struct outcomes all, some;
	uint64_t all_runs, some_runs, several = 0;
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_NR(small); i++) {
		all_runs = explore(&small[i], true, &all);
		some_runs = explore(&small[i], false, &some);
		print_message("%s: %zu outcomes in %llu schedules of %llu\n", small[i].text, all.nr, (unsigned long long)some_runs,
			      (unsigned long long)all_runs);
		for (k = 0; k < all.nr; k++)
			assert_true(outcomes_has(&some, all.at[k]));
		assert_int_equal(some.nr, all.nr);
		assert_true(some_runs < all_runs);
		several += all.nr > 1;
	}
	assert_true(several >= 3);
}

/* Under schedules at random nothing comes out that is not in o. */
static void sample(const struct lines *l, unsigned seeds, const struct outcomes *o)
{
	struct trace t = trace_of(l);
	unsigned seed;

	for (seed = 1; seed <= seeds; seed++) {
		struct op record = { .kind = OP_SWITCH };
		struct rng rng;
		struct pct pct;

		rng_init(&rng, seed);
		pct_init(&pct, &rng);
		open_domain(l->config);
		run_lines(&t);
		round_choose(&x, pct_choose, &pct, &record);
		assert_int_equal(exec_op(&x, &record), EXEC_DONE);
		if (!outcomes_has(o, outcome_hash(&x.mem.view)))
			fail_msg("%sseed %u: not among the outcomes of every schedule", l->text, seed);
		exec_close(&x);
	}
	trace_release(&t);
}

/*
 * Of three that make the same tables, and of roots that grow at the same time, all schedules are too many: what comes out at random must be among
 * what comes out of those that are run.
 */
static void test_interleave__three_writers_and_the_top(void **state)
{
	static const struct lines cases[] = {
		{ "vtdss tiny=2 levels=2", "thread 1 map 0x0 -> 0x1000000 +0x1000 rw\nthread 2 map 0x1000 -> 0x2000000 +0x1000 rw\n"
					   "thread 3 map 0x2000 -> 0x4000000 +0x1000 r\n" },
		{ "amdv1 tiny=2 levels=1 ias=16",
		  "thread 1 map 0x4000 -> 0x1000000 +0x1000 rw\nthread 2 map 0x8000 -> 0x2000000 +0x1000 rw\n" },
	};
	static struct outcomes some;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_NR(cases); i++) {
		uint64_t runs = explore(&cases[i], false, &some);

		print_message("%s: %zu outcomes in %llu schedules\n", cases[i].text, some.nr, (unsigned long long)runs);
		assert_true(some.nr > 3);
		sample(&cases[i], 4000, &some);
	}
}

/* --- schedules --- */

/* What a schedule at random has written down gives the same log when it is run again by that. */
static void test_interleave__runs_again(void **state)
{
	const struct lines *l = &(const struct lines){ "riscv64 tiny=2", "thread 1 map 0x0 -> 0x1000000 +0x3000 rw\n"
									 "thread 2 map 0x8000 -> 0x2000000 +0x6000 rw\nthread 3 translate 0x3000\n" };
	struct trace t = trace_of(l);
	unsigned seed, switched = 0;

	(void)state;
	for (seed = 1; seed <= 300; seed++) {
		struct op record = { .kind = OP_SWITCH };
		uint64_t hash;
		struct rng rng;
		struct pct pct;

		rng_init(&rng, seed);
		pct_init(&pct, &rng);
		open_domain(l->config);
		run_lines(&t);
		round_choose(&x, pct_choose, &pct, &record);
		assert_int_equal(exec_op(&x, &record), EXEC_DONE);
		hash = outcome_hash(&x.mem.view);
		exec_close(&x);
		switched += record.switches_nr > 1;
		open_domain(l->config);
		run_lines(&t);
		assert_int_equal(exec_op(&x, &record), EXEC_DONE);
		assert_true(hash == outcome_hash(&x.mem.view));
		exec_close(&x);
	}
	assert_true(switched > 50);
	trace_release(&t);
}

/* Just before its primitive number 3, writer 1 gives way; when 2 has ended it goes on. */
static void test_interleave__switches_where_it_says(void **state)
{
	struct trace t = trace_of(&small[0]);
	struct op last = { .kind = OP_SWITCH, .switches_nr = 2, .switches = { { 1, 2, 3 }, { 2, 1, 5 } } };
	const struct mem_view *view = &x.mem.view;
	size_t i;

	(void)state;
	open_domain(small[0].config);
	run_lines(&t);
	assert_int_equal(exec_op(&x, &last), EXEC_DONE);
	for (i = 0; i < 3; i++)
		assert_int_equal(view->events[i].writer, 1);
	for (; i < 8; i++)
		assert_int_equal(view->events[i].writer, 2);
	assert_int_equal(view->events[i].writer, 1);
	exec_close(&x);
	trace_release(&t);
}

/* A change point at one of k primitives: each is met about as often as the bound says, and the one that runs first is anyone. */
static void test_interleave__bound(void **state)
{
	const struct lines *l = &small[0];
	struct trace t = trace_of(l);
	unsigned seed, hits = 0, first = 0, rounds = 6000;
	double least;

	(void)state;
	for (seed = 1; seed <= rounds; seed++) {
		struct op record = { .kind = OP_SWITCH };
		struct rng rng;
		struct pct pct;
		unsigned i;

		rng_init(&rng, seed);
		pct_init(&pct, &rng);
		open_domain(l->config);
		run_lines(&t);
		round_choose(&x, pct_choose, &pct, &record);
		exec_op(&x, &record);
		exec_close(&x);
		first += record.switches_nr && record.switches[0].writer == 1 && !record.switches[0].at;
		/* Writer 2 goes on when writer 1 has read that there is no table and allocated one: depth 2. */
		for (i = 0; i < record.switches_nr; i++)
			hits += record.switches[i].writer == 1 && record.switches[i].at == 3;
	}
	least = rounds / pct_bound(2, 14, 2);
	print_message("met %u times in %u rounds, at least %.0f expected; the second began %u times\n", hits, rounds, least, first);
	assert_true(hits >= least * 0.7);
	assert_true(first > rounds * 0.4 && first < rounds * 0.6);
	trace_release(&t);
}

static void test_interleave__rejects_what_is_not_apart(void **state)
{
	static const struct lines cases[] = {
		{ "vtdss tiny=2", "thread 1 map 0x0 -> 0x1000000 +0x2000 rw\nthread 2 map 0x1000 -> 0x2000000 +0x1000 rw\n" },
		{ "vtdss tiny=2", "map 0x0 -> 0x1000000 +0x4000 rw\nthread 1 cut 0x1000\nthread 2 unmap 0x3000 +0x1000\n" },
		{ "vtdss tiny=2", "map 0x0 -> 0x1000000 +0x4000 rw\nthread 1 cut 0x1000\nthread 2 translate 0x3000\n" },
		/* Leaves of one piece that are not next to each other. */
		{ "vtdss tiny=2", "map 0x0 -> 0x1001000 +0x4000 rw\nthread 1 cut 0x1000\nthread 2 translate 0x3000\n" },
		/* The range that was asked for counts, not what there is of it. */
		{ "vtdss tiny=2", "map 0x0 -> 0x1000000 +0x1000 rw\nthread 1 unmap 0x0 +0x10000\nthread 2 map 0x8000 -> 0x2000000 +0x1000 r\n" },
		{ "vtdss tiny=2 defer=1", "map 0x0 -> 0x1000000 +0x1000 rw\nunmap 0x0 +0x1000\nthread 1 map 0x0 -> 0x2000000 +0x1000 r\n" },
	};
	static const struct op last = { .kind = OP_SWITCH };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_NR(cases); i++) {
		struct trace t = trace_of(&cases[i]);

		open_domain(cases[i].config);
		run_lines(&t);
		assert_int_equal(exec_op(&x, &last), EXEC_SKIPPED);
		assert_non_null(x.why);
		exec_close(&x);
		trace_release(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interleave__loses_nothing),
		cmocka_unit_test(test_interleave__three_writers_and_the_top),
		cmocka_unit_test(test_interleave__runs_again),
		cmocka_unit_test(test_interleave__switches_where_it_says),
		cmocka_unit_test(test_interleave__bound),
		cmocka_unit_test(test_interleave__rejects_what_is_not_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
