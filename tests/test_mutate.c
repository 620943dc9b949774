/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_mutate.c - the mutator: what it makes runs, nearly all of it does something, it leaves alone what it did not mean to change, and the same
 * seed makes the same.
 *
 * Usage: test_mutate [SEED].
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
#include "../fuzzers/mutate.h"
#include "../fuzzers/one_input.h"

enum { BYTES_MAX = 4096, CHAINS_NR = 12, GENERATIONS_NR = 40, START_BYTES = 200 };

static uint64_t first_seed = 1;
static struct exec x;

static void found(void *arg, const struct verdict *v, const struct op *op)
{
	(void)arg, (void)op;
	fail_msg("found in the engine: %s", v->text);
}

/* How the operations of inputs went. */
struct tally {
	uint64_t done, refused, argument, skipped, rounds, apart;
};

static double valid(const struct tally *t)
{
	uint64_t all = t->done + t->refused + t->argument + t->skipped;

	return all ? (double)(t->done + t->refused) / (double)all : 0;
}

/* Run an input as the fuzz targets do. */
static void run(const uint8_t *buf, size_t bytes, struct tally *t)
{
	enum exec_status status;
	struct trace_bin b;
	struct config cfg;
	const char *why;
	char err[240];
	struct op op;

	trace_bin_open(&b, buf, bytes, one_input_configs);
	cfg = b.cfg;
	assert_int_equal(exec_resolve(&cfg, err, sizeof(err)), 0);
	assert_int_equal(exec_open(&x, &cfg, &why), 0);
	while (trace_bin_next(&b, &x.check.im, &x.check.hw, &op)) {
		if (pick_is_huge(&x.check.hw, &op)) {
			t->skipped++;
			continue;
		}
		status = exec_op(&x, &op);
		if (status == EXEC_WAITS)
			continue;
		if (op.kind == OP_SWITCH) {
			t->rounds += status == EXEC_DONE;
			t->apart += status != EXEC_DONE;
		}
		if (status == EXEC_SKIPPED)
			t->skipped++;
		else if (status == EXEC_DONE)
			t->done++;
		else if (guess_of(op.kind, x.ret) == GUESS_REFUSED)
			t->refused++;
		else
			t->argument++;
	}
	exec_close(&x);
}

static size_t random_bytes(uint64_t seed, unsigned format, uint8_t *buf)
{
	struct rng rng;
	size_t i;

	rng_init(&rng, seed);
	buf[0] = (uint8_t)format;
	for (i = 1; i < START_BYTES; i++)
		buf[i] = (uint8_t)rng_next(&rng);
	/* From the list. */
	buf[1] &= 0x3f;
	return START_BYTES;
}

/* At least 95 of 100 operations of mutated inputs are accepted, or refused for what is mapped and not for what they ask. */
static void test_mutate__makes_operations_that_count(void **state)
{
	static uint8_t buf[BYTES_MAX];
	struct mutator m;
	unsigned f, chain, i;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)first_seed);
	for (f = 0; f < TRACE_FORMATS_NR; f++) {
		struct tally t = { 0 };

		if (!engine_find(trace_formats[f]))
			continue;
		mutator_init(&m, one_input_configs, trace_formats[f]);
		for (chain = 0; chain < CHAINS_NR; chain++) {
			size_t bytes = random_bytes(first_seed + chain, f, buf);

			for (i = 0; i < GENERATIONS_NR; i++) {
				bytes = mutate(&m, buf, bytes, sizeof(buf), (first_seed * CHAINS_NR + chain) * GENERATIONS_NR + i);
				assert_true(bytes > 5 && bytes <= sizeof(buf));
				run(buf, bytes, &t);
			}
		}
		mutator_release(&m);
		print_message("%-10s %.2f%% count: %llu accepted, %llu refused, %llu arguments, %llu not run; %llu rounds, %llu apart\n", trace_formats[f],
			      100 * valid(&t), (unsigned long long)t.done, (unsigned long long)t.refused, (unsigned long long)t.argument,
			      (unsigned long long)t.skipped, (unsigned long long)t.rounds, (unsigned long long)t.apart);
		assert_true(t.done > 1000);
		assert_true(t.rounds > 10 && t.apart * 10 <= t.rounds);
		assert_true(valid(&t) >= 0.95);
		/* Refusals are there, and are few. */
		assert_true(t.refused > 0 && t.done > 2 * t.refused);
	}
}

static void test_mutate__same_seed_same_result(void **state)
{
	static uint8_t start[BYTES_MAX], a[BYTES_MAX], b[BYTES_MAX];
	unsigned f, i, different = 0, nr = 0;
	struct mutator m, other;
	size_t bytes, a_bytes, b_bytes;

	(void)state;
	mutator_init(&m, one_input_configs, NULL);
	mutator_init(&other, one_input_configs, NULL);
	for (f = 0; f < TRACE_FORMATS_NR; f++) {
		bytes = random_bytes(first_seed, f, start);
		for (i = 0; i < 20; i++) {
			memcpy(a, start, bytes);
			memcpy(b, start, bytes);
			a_bytes = mutate(&m, a, bytes, sizeof(a), i);
			/* What one mutator did before does not matter. */
			if (i % 3 == 0)
				mutate(&other, (uint8_t[16]){ 3, 1, 2 }, 3, 16, 99);
			b_bytes = mutate(&other, b, bytes, sizeof(b), i);
			assert_int_equal(a_bytes, b_bytes);
			assert_memory_equal(a, b, a_bytes);
			b_bytes = mutate(&other, memcpy(b, start, bytes), bytes, sizeof(b), i + 1000);
			different += a_bytes != b_bytes || memcmp(a, b, a_bytes);
			nr++;
		}
	}
	assert_true(different > nr * 9 / 10);
	mutator_release(&m);
	mutator_release(&other);
}

/* How many operations of a are in b, in order: the longest such subsequence. */
static size_t common(const struct op *a, size_t a_nr, const struct op *b, size_t b_nr)
{
	static uint16_t row[MUTATE_OPS_MAX + 1];
	size_t i, k;

	memset(row, 0, sizeof(row));
	for (i = 0; i < a_nr; i++) {
		uint16_t diagonal = 0, up;

		for (k = 0; k < b_nr; k++, diagonal = up) {
			up = row[k + 1];
			if (op_equal(&a[i], &b[k]))
				row[k + 1] = diagonal + 1;
			else if (row[k] > up)
				row[k + 1] = row[k];
		}
	}
	return row[b_nr];
}

static size_t ops_of(const struct mutate_items *items, struct op *ops)
{
	size_t i;

	for (i = 0; i < items->nr; i++)
		ops[i] = items->at[i].op;
	return items->nr;
}

/* Four of five operations come through a mutation as they were, and what was written reads back the same. */
static void test_mutate__leaves_the_rest_alone(void **state)
{
	static struct op was[MUTATE_OPS_MAX], is[MUTATE_OPS_MAX];
	static uint8_t buf[BYTES_MAX];
	size_t bytes, was_nr, is_nr, all = 0, kept = 0, i;
	struct mutator m;
	struct config cfg;
	uint64_t seed;

	(void)state;
	mutator_init(&m, one_input_configs, NULL);
	for (seed = first_seed; seed < first_seed + 300; seed++) {
		bytes = random_bytes(seed, (unsigned)(seed % TRACE_FORMATS_NR), buf);
		/* Once, so that operations that must be refused are few. */
		bytes = mutate(&m, buf, bytes, sizeof(buf), seed);
		assert_true(mutate_read(&m, buf, bytes, &m.items));
		was_nr = ops_of(&m.items, was);
		cfg = m.resolved;
		bytes = mutate(&m, buf, bytes, sizeof(buf), seed + 1);
		is_nr = m.to.nr;
		memcpy(is, m.to.ops, is_nr * sizeof(*is));
		assert_true(ops_whole(is, is_nr));
		assert_true(mutate_read(&m, buf, bytes, &m.items));
		assert_int_equal(m.items.nr, is_nr);
		for (i = 0; i < is_nr; i++)
			assert_true(op_equal(&is[i], &m.items.at[i].op) && is[i].thread == m.items.at[i].op.thread);
		/* With another configuration everything may have to move; with fewer operations there are fewer to be kept. */
		if (memcmp(&cfg, &m.resolved, sizeof(cfg)) || is_nr < was_nr)
			continue;
		all += was_nr;
		kept += common(was, was_nr, is, is_nr);
	}
	mutator_release(&m);
	print_message("%zu of %zu operations kept\n", kept, all);
	assert_true(all > 2000);
	assert_true(kept * 5 >= all * 4);
}

/* A child of two has operations of both, the configuration of the first, and runs. */
static void test_mutate_cross__takes_of_both(void **state)
{
	static uint8_t a[BYTES_MAX], b[BYTES_MAX], out[BYTES_MAX];
	static struct op of_a[MUTATE_OPS_MAX], of_b[MUTATE_OPS_MAX];
	unsigned both = 0, nr = 0;
	struct tally t = { 0 };
	struct mutator m;
	uint64_t seed;

	(void)state;
	mutator_init(&m, one_input_configs, NULL);
	for (seed = first_seed; seed < first_seed + 200; seed++) {
		unsigned f = (unsigned)(seed % TRACE_FORMATS_NR);
		size_t a_bytes = random_bytes(seed, f, a), b_bytes = random_bytes(seed + 1000, f, b), out_bytes, a_nr, b_nr;

		b[1] = a[1];
		assert_true(mutate_read(&m, a, a_bytes, &m.items));
		a_nr = ops_of(&m.items, of_a);
		assert_true(mutate_read(&m, b, b_bytes, &m.items));
		b_nr = ops_of(&m.items, of_b);
		out_bytes = mutate_cross(&m, a, a_bytes, b, b_bytes, out, sizeof(out), seed);
		assert_true(out_bytes > 0);
		run(out, out_bytes, &t);
		both += common(of_a, a_nr, m.to.ops, m.to.nr) && common(of_b, b_nr, m.to.ops, m.to.nr);
		nr++;
	}
	mutator_release(&m);
	print_message("%u of %u have operations of both as they were\n", both, nr);
	assert_true(both * 2 > nr);
	assert_true(valid(&t) >= 0.95);
}

/* Short buffers, empty inputs, garbage: always a trace within the bounds. */
static void test_mutate__keeps_within_bounds(void **state)
{
	struct rng rng;
	struct mutator m;
	unsigned i;

	(void)state;
	rng_init(&rng, first_seed);
	mutator_init(&m, one_input_configs, NULL);
	for (i = 0; i < 2000; i++) {
		size_t max = rng_below(&rng, 300), bytes = max ? rng_below(&rng, (uint32_t)max + 1) : 0, k, made;
		uint8_t *buf = malloc(max + 1); /* of its own, so that the sanitizer watches its end */

		assert_non_null(buf);
		for (k = 0; k < bytes; k++)
			buf[k] = (uint8_t)rng_next(&rng);
		made = mutate(&m, buf, bytes, max, i);
		assert_true(made <= max);
		assert_true(made || max < 128);
		if (made)
			assert_true(mutate_read(&m, buf, made, &m.items));
		free(buf);
	}
	mutator_release(&m);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutate__makes_operations_that_count), cmocka_unit_test(test_mutate__same_seed_same_result),
		cmocka_unit_test(test_mutate__leaves_the_rest_alone),       cmocka_unit_test(test_mutate_cross__takes_of_both),
		cmocka_unit_test(test_mutate__keeps_within_bounds),
	};
	struct exec_options options = exec_defaults;

	if (argc > 1)
		first_seed = strtoull(argv[1], NULL, 0);
	options.arena_bytes = UINT64_C(64) << 20;
	if (exec_init(&x, &options, found, NULL))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
