/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_twin.c - two engines' tables compared: where the tables lie and what the hardware does not look at is no difference, every other bit
 * of every item is. The second engine here is a second domain of the native one, so that this needs no other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzzers/exec.h"
#include "../fuzzers/twin.h"
#include "../oracle/walk.h"

static struct exec pair[2];
static sigjmp_buf caught;
static struct verdict seen;

static void catch (void *arg, const struct verdict *v, const struct op *op)
{
	(void)arg;
	(void)op;
	seen = *v;
	siglongjmp(caught, 1);
}

static int set_up(void **state)
{
	struct exec_options options = exec_defaults;

	(void)state;
	options.arena_bytes = 16u << 20;
	return exec_init(&pair[0], &options, catch, NULL) || exec_init(&pair[1], &options, catch, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	exec_release(&pair[0]);
	exec_release(&pair[1]);
	return 0;
}

/* What comparing over op finds; VERDICT_NR: nothing. */
static enum verdict_class compare(const struct op *op)
{
	seen.class = VERDICT_NR;
	pair[0].twin = &pair[1];
	if (!sigsetjmp(caught, 0))
		twin_compare(&pair[0], op);
	pair[0].twin = NULL;
	return seen.class;
}

static void run(unsigned i, const struct op *op)
{
	if (sigsetjmp(caught, 0))
		fail_msg("%s: %s", pair[i].cfg.format, seen.text);
	assert_int_equal(exec_op(&pair[i], op), EXEC_DONE);
}

/* Other operations before, so that the second domain's tables lie elsewhere; then the same on both. */
static void open_pair(const struct engine_ops *ops, struct op *map)
{
	struct config cfg;
	const char *why = "";
	char err[200];
	struct op first;
	unsigned i;

	config_unset(&cfg);
	snprintf(cfg.format, sizeof(cfg.format), "%s", ops->name);
	assert_int_equal(exec_resolve(&cfg, err, sizeof(err)), 0);
	for (i = 0; i < 2; i++)
		if (sigsetjmp(caught, 0) || exec_open(&pair[i], &cfg, &why))
			fail_msg("%s: %s", ops->name, why);
	*map = (struct op){ .kind = OP_MAP, .prot = PROT_R | PROT_W };
	map->iova = pair[0].check.hw.has_low ? UINT64_C(1) << 25 : pair[0].check.hw.iova_high_first + (1u << 25);
	map->last = map->iova + (UINT64_C(3) << pair[0].check.small_lg2) - 1;
	map->oa = UINT64_C(0x4321) << pair[0].check.small_lg2;
	first = *map;
	first.iova += UINT64_C(1) << 24;
	first.last += UINT64_C(1) << 24;
	run(1, &first);
	first.kind = OP_UNMAP;
	run(0, map);
	run(1, map);
	run(1, &first);
}

/* Every bit of the item that a walk uses at step, changed in the one domain alone. Returns how many were found, and how many were not. */
static void flip_bits(const struct op *op, unsigned step, unsigned *found, unsigned *passed)
{
	const struct check *c = &pair[1].check;
	const struct walk_step *s;
	unsigned bit;
	struct walk w;

	walk(&c->hw, c->view, c->root, c->root_level, op->iova, &w);
	s = &w.steps[step];
	for (bit = 0; bit < 8u << c->hw.item_bytes_lg2; bit++) {
		uint64_t raw = s->raw ^ UINT64_C(1) << bit;
		struct hw_entry was = s->entry, is = c->hw.format->decode(&c->hw, s->level, raw);

		/* A pointer to elsewhere is not followed by accident. */
		if (was.kind == HW_TABLE && is.kind == HW_TABLE && (is.pa != was.pa || is.level != was.level))
			continue;
		mem_raw_store(&pair[1].mem, s->pa, c->hw.item_bytes_lg2, raw, __ATOMIC_RELAXED);
		if (compare(op) == VERDICT_ENGINES_DIFFER) {
			(*found)++;
		} else {
			(*passed)++;
			/* What is passed over means the same to the hardware. */
			assert_int_equal(is.kind, was.kind);
			assert_int_equal(is.prot, was.prot);
			assert_true(is.pa == was.pa && is.size_lg2 == was.size_lg2 && is.dirty == was.dirty && is.accessed == was.accessed);
		}
		mem_raw_store(&pair[1].mem, s->pa, c->hw.item_bytes_lg2, s->raw, __ATOMIC_RELAXED);
	}
}

static void test_twin__finds_every_bit_that_matters(void **state)
{
	const struct engine_ops *const *f;
	unsigned found = 0, passed = 0, formats = 0, step;
	struct walk w;

	(void)state;
	for (f = engine_formats(); *f; f++, formats++) {
		const struct check *c = &pair[1].check;
		unsigned here = found;
		struct op map;

		open_pair(*f, &map);
		assert_int_equal(compare(&map), VERDICT_NR);
		assert_true(pair[0].twin_items >= 3);
		walk(&c->hw, c->view, c->root, c->root_level, map.iova, &w);
		assert_int_equal(w.end, WALK_LEAF);
		for (step = 0; step < w.nr; step++)
			flip_bits(&map, step, &found, &passed);
		assert_true(found - here >= 20);
		exec_abandon(&pair[0]);
		exec_abandon(&pair[1]);
	}
	print_message("%u formats, %u changed bits found, %u that the hardware does not look at\n", formats, found, passed);
	assert_true(formats && passed);
}

/* A leaf, and a table, where the other has none. */
static void test_twin__finds_what_only_one_has(void **state)
{
	const struct engine_ops *const *f;
	struct op map, more;

	(void)state;
	for (f = engine_formats(); *f; f++) {
		open_pair(*f, &map);
		more = map;
		more.iova = map.last + 1;
		more.last = more.iova + (UINT64_C(1) << pair[0].check.small_lg2) - 1;
		more.oa += UINT64_C(0x100) << pair[0].check.small_lg2;
		run(0, &more);
		assert_int_equal(compare(&more), VERDICT_ENGINES_DIFFER);
		assert_int_equal(seen.seen, KIND_LEAF);
		assert_int_equal(seen.want, KIND_HOLE);
		run(1, &more);
		assert_int_equal(compare(&more), VERDICT_NR);
		exec_abandon(&pair[0]);
		exec_abandon(&pair[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_twin__finds_every_bit_that_matters),
		cmocka_unit_test(test_twin__finds_what_only_one_has),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
