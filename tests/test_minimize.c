/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_minimize.c - the minimizer against an oracle that is known: a trace leads to the finding if it holds all of a few operations, in
 * order, and to another finding if it lacks the first of them. What is left must be exactly those.
 *
 * The linker puts run_child() of this file in the place of the one that runs traces (tests/CMakeLists.txt).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzzers/minimize.h"
#include "../fuzzers/rng.h"
#include "../fuzzers/run.h"

enum { OPS_MAX = 60, NEEDED_MAX = 4 };

/* Operations are told apart by iova: the first of them has 0x1000, and so on. */
static uint64_t needed[NEEDED_MAX];
static unsigned needed_nr, extra;

int __wrap_run_child(const struct exec_options *options, const struct trace *t, unsigned seconds, bool strict, struct run_result *res);

/* What the last of the operations that are needed has beside itself: action extra of the device, of as many as there were. */
static bool has_extra(const struct op *op)
{
	unsigned i;

	for (i = 0; i < op->devices_nr && op->devices[i].iova != extra; i++)
		;
	return i < op->devices_nr;
}

int __wrap_run_child(const struct exec_options *options, const struct trace *t, unsigned seconds, bool strict, struct run_result *res)
{
	unsigned found = 0, all = needed_nr;
	bool first = false;
	size_t i, at = 0;

	(void)options, (void)seconds, (void)strict;
	memset(res, 0, sizeof(*res));
	for (i = 0; i < t->nr && found < all; i++) {
		first |= t->ops[i].iova == needed[0];
		if (t->ops[i].iova == needed[found] && (found + 1 < all || has_extra(&t->ops[i]))) {
			found++;
			at = i;
		}
	}
	if (!first || found == all) {
		res->end = RUN_FINDING;
		res->finding.op_kind = OP_MAP;
		res->finding.op_idx = at;
		snprintf(res->finding.signature, sizeof(res->finding.signature), first ? "the finding" : "another one");
	}
	return 0;
}

static void test_minimize__leaves_what_is_needed(void **state)
{
	uint64_t seed, dropped = 0;

	(void)state;
	print_message("seeds 1 to 500\n");
	for (seed = 1; seed <= 500; seed++) {
		struct finding *f = calloc(1, sizeof(*f));
		struct trace t;
		struct rng rng;
		unsigned nr, i, k;

		assert_non_null(f);
		rng_init(&rng, seed);
		nr = 1 + rng_below(&rng, OPS_MAX);
		trace_init(&t);
		for (i = 0; i < nr; i++) {
			struct op op = { .kind = OP_MAP, .iova = (i + 1) * UINT64_C(0x1000), .fail = rng_below(&rng, 2), .devices_nr = 3 };

			for (k = 0; k < op.devices_nr; k++)
				op.devices[k].iova = k;
			trace_push(&t, &op);
		}
		extra = rng_below(&rng, 3);
		needed_nr = 0;
		for (i = rng_below(&rng, nr); i < nr && needed_nr < NEEDED_MAX; i += 1 + rng_below(&rng, nr))
			needed[needed_nr++] = t.ops[i].iova;
		strcpy(f->signature, "the finding");
		assert_true(minimize(&exec_defaults, &t, f, 60) > 0);
		if (t.nr != needed_nr || strcmp(f->signature, "the finding"))
			fail_msg("seed %llu: %zu operations are left of %u, %u are needed; %s", (unsigned long long)seed, t.nr, nr,
				 needed_nr, f->signature);
		for (i = 0; i < t.nr; i++) {
			assert_int_equal(t.ops[i].iova, needed[i]);
			assert_int_equal(t.ops[i].fail, 0);
			assert_int_equal(t.ops[i].devices_nr, i + 1 == t.nr);
		}
		assert_int_equal(t.ops[t.nr - 1].devices[0].iova, extra);
		dropped += nr - t.nr;
		trace_release(&t);
		free(f);
	}
	assert_true(dropped > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_minimize__leaves_what_is_needed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
