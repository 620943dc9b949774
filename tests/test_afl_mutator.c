/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_afl_mutator.c - trimming as afl-fuzz calls it: it ends, whatever the target says; what comes out is never longer than what it replaces, is a
 * trace with its rounds whole, and keeps what the target wants kept.
 *
 * Usage: test_afl_mutator [SEED].
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzzers/mutate.h"
#include "../fuzzers/one_input.h"

enum { BYTES_MAX = 1 << 16, TRACES_NR = 60, OPS_NR = 40 };

void *afl_custom_init(void *afl, unsigned int seed);
size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t bytes, uint8_t **out, uint8_t *add, size_t add_bytes, size_t max);
int32_t afl_custom_init_trim(void *data, uint8_t *buf, size_t bytes);
size_t afl_custom_trim(void *data, uint8_t **out);
int32_t afl_custom_post_trim(void *data, uint8_t success);
void afl_custom_deinit(void *data);

static uint64_t first_seed = 1;

/* What a target does: whether an input counts as much as the one that is being trimmed. */
typedef bool target_fn(const struct trace *t, const struct trace *whole);

/* The operations that bytes mean; they must be a trace of whole rounds. */
static void decode(struct mutator *m, const uint8_t *buf, size_t bytes, struct trace *t)
{
	size_t i;

	assert_true(mutate_read(m, buf, bytes, &m->items));
	t->cfg = m->cfg;
	t->nr = 0;
	for (i = 0; i < m->items.nr; i++)
		trace_push(t, &m->items.at[i].op);
	assert_true(ops_whole(t->ops, t->nr));
}

/*
 * What afl-fuzz 4.04c does with a new input (src/afl-fuzz-mutators.c, trim_case_custom): as many tries as there are steps, each answered; what
 * comes out empty is not run. Returns the length that the input then has; *tries: how often the target ran.
 */
static size_t trim(void *data, struct mutator *m, uint8_t *buf, size_t bytes, target_fn *target, unsigned *tries)
{
	int32_t steps = afl_custom_init_trim(data, buf, bytes), step = 0, next;
	struct trace whole, t;

	trace_init(&whole);
	trace_init(&t);
	decode(m, buf, bytes, &whole);
	assert_true(steps >= 0);
	for (*tries = 0; step < steps; step = next) {
		uint8_t *out = NULL;
		size_t nr = afl_custom_trim(data, &out);
		bool good = false;

		assert_non_null(out);
		assert_true(!nr || nr < bytes);
		if (nr) {
			decode(m, out, nr, &t);
			assert_true(t.nr > 0 && t.nr <= whole.nr);
			good = target(&t, &whole);
			++*tries;
		}
		if (good) {
			memcpy(buf, out, nr);
			bytes = nr;
		}
		next = afl_custom_post_trim(data, good);
		assert_true(next > step && next <= steps);
	}
	trace_release(&whole);
	trace_release(&t);
	return bytes;
}

static bool takes_all(const struct trace *t, const struct trace *whole)
{
	(void)t, (void)whole;
	return true;
}

static bool takes_none(const struct trace *t, const struct trace *whole)
{
	(void)t, (void)whole;
	return false;
}

/* The last operation, and the last round, are still there. */
static bool keeps_the_end(const struct trace *t, const struct trace *whole)
{
	size_t nr = ops_round(whole->ops, whole->nr), i;

	nr = nr ? nr : 1;
	if (t->nr < nr)
		return false;
	for (i = 1; i <= nr; i++)
		if (!op_equal(&t->ops[t->nr - i], &whole->ops[whole->nr - i]))
			return false;
	return true;
}

/* A literal trace of several mutations, rounds in it, or, relative, one of few bytes. */
static size_t an_input(struct mutator *m, uint64_t seed, bool relative, uint8_t *buf)
{
	struct rng rng;
	size_t bytes = 2 + OPS_NR, i;

	rng_init(&rng, seed);
	buf[0] = (uint8_t)(seed % TRACE_FORMATS_NR);
	for (i = 1; i < bytes; i++)
		buf[i] = (uint8_t)(rng_next(&rng) % 0xc0);
	for (i = 0; !relative && i < 12; i++)
		bytes = mutate(m, buf, bytes, BYTES_MAX, seed * 100 + i);
	return bytes;
}

static void trim_all(target_fn *target, bool relative, size_t *before, size_t *after, unsigned *tries_nr)
{
	static uint8_t buf[BYTES_MAX];
	void *data = afl_custom_init(NULL, (unsigned)first_seed);
	struct mutator m;
	struct trace t;
	uint64_t seed;
	size_t bytes;
	unsigned tries;

	assert_non_null(data);
	mutator_init(&m, one_input_configs, NULL);
	trace_init(&t);
	*before = *after = *tries_nr = 0;
	for (seed = first_seed; seed < first_seed + TRACES_NR; seed++) {
		bytes = an_input(&m, seed, relative, buf);
		*before += bytes;
		bytes = trim(data, &m, buf, bytes, target, &tries);
		*after += bytes;
		*tries_nr += tries;
		decode(&m, buf, bytes, &t);
		if (target == takes_all && !relative)
			assert_true(t.nr == 1 || t.nr == ops_round(t.ops, t.nr));
	}
	trace_release(&t);
	mutator_release(&m);
	afl_custom_deinit(data);
	print_message("%u tries, %zu bytes of %zu left\n", *tries_nr, *after, *before);
}

/* What the target always likes comes down to one operation or round. */
static void test_afl_trim__takes_away_what_may_go(void **state)
{
	size_t before, after;
	unsigned tries;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)first_seed);
	trim_all(takes_all, false, &before, &after, &tries);
	assert_true(tries >= TRACES_NR && after * 4 < before);
}

static void test_afl_trim__keeps_what_must_stay(void **state)
{
	size_t before, after;
	unsigned tries;

	(void)state;
	trim_all(takes_none, false, &before, &after, &tries);
	assert_true(tries > TRACES_NR && after == before);
	trim_all(keeps_the_end, false, &before, &after, &tries);
	assert_true(tries > TRACES_NR && after < before);
}

/* Bytes that mean relative operations are shorter than these written literally: afl-fuzz copies the result to where the input was. */
static void test_afl_trim__never_grows_an_input(void **state)
{
	size_t before, after;
	unsigned tries;

	(void)state;
	trim_all(takes_all, true, &before, &after, &tries);
	assert_true(after <= before);
}

/* What cannot be run is not trimmed. */
static void test_afl_trim__leaves_garbage_alone(void **state)
{
	void *data = afl_custom_init(NULL, 1);
	uint8_t empty[1] = { 0 };

	(void)state;
	assert_non_null(data);
	assert_int_equal(afl_custom_init_trim(data, empty, 0), 0);
	afl_custom_deinit(data);
}

/* Rather none than one that makes nothing. */
static void test_afl_mutator__refuses_an_unknown_format(void **state)
{
	void *data;

	(void)state;
	setenv("HITLESS_FORMAT", "nope", 1);
	assert_null(afl_custom_init(NULL, 1));
	setenv("HITLESS_FORMAT", "vtdss", 1);
	data = afl_custom_init(NULL, 1);
	assert_non_null(data);
	afl_custom_deinit(data);
	unsetenv("HITLESS_FORMAT");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_afl_trim__takes_away_what_may_go),
		cmocka_unit_test(test_afl_trim__keeps_what_must_stay),
		cmocka_unit_test(test_afl_trim__never_grows_an_input),
		cmocka_unit_test(test_afl_trim__leaves_garbage_alone),
		cmocka_unit_test(test_afl_mutator__refuses_an_unknown_format),
	};

	if (argc > 1)
		first_seed = strtoull(argv[1], NULL, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
