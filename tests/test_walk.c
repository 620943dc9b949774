/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_walk.c - where a single walk may go: which memory passes for a table of each level of each format, and which addresses a root that
 * has not grown translates. What an entry means is for the tests of the formats' walkers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzzers/exec.h"
#include "../oracle/walk.h"

static struct exec x;

static void catch (void *arg, const struct verdict *v, const struct op *op)
{
	(void)arg;
	(void)op;
	fail_msg("%s: %s", x.cfg.format, v->text);
}

static void open_domain(const char *text)
{
	struct trace_error err;
	struct config cfg;
	const char *why = "";
	char line[300];

	assert_int_equal(config_parse(text, &cfg, &err), 0);
	assert_int_equal(exec_resolve(&cfg, line, sizeof(line)), 0);
	assert_int_equal(exec_open(&x, &cfg, &why), 0);
}

static void expect_wrong(unsigned level, uint64_t pa, const char *words)
{
	const char *wrong = walk_table_wrong(&x.check.hw, &x.mem.view, level, pa);

	if (!wrong != !words || (words && !strstr(wrong, words)))
		fail_msg("%s, level %u: '%s', not '%s'", x.cfg.format, level, wrong ? wrong : "right", words ? words : "right");
}

/* A table of so many bytes, not aligned to more than a frame if that is less than 2^than_lg2. */
static uint64_t misaligned(uint32_t bytes, unsigned than_lg2)
{
	uint64_t pa = mem_alloc(&x.mem, bytes, MEM_FRAME_LG2);

	while (!(pa & ((UINT64_C(1) << than_lg2) - 1))) {
		mem_alloc(&x.mem, 1u << MEM_FRAME_LG2, MEM_FRAME_LG2);
		pa = mem_alloc(&x.mem, bytes, MEM_FRAME_LG2);
	}
	return pa;
}

static void check_tables_of(unsigned level)
{
	const struct hw *hw = &x.check.hw;
	uint32_t bytes = (1u << hw->index_lg2[level]) << hw->item_bytes_lg2;
	unsigned align_lg2 = hw->table_align_lg2[level];
	uint64_t pa = mem_alloc(&x.mem, bytes, align_lg2), small = mem_alloc(&x.mem, bytes / 2, align_lg2);

	expect_wrong(level, pa, NULL);
	expect_wrong(level, small, "too small");
	if (align_lg2 > MEM_FRAME_LG2)
		expect_wrong(level, misaligned(bytes, align_lg2), "misaligned");
	if (bytes >> align_lg2 > 1)
		expect_wrong(level, pa + (UINT64_C(1) << align_lg2), "no table");
	expect_wrong(level, x.mem.view.pa + x.mem.view.bytes_nr, "outside");
	expect_wrong(level, (x.mem.view.pa + x.mem.view.bytes_nr / 2) & -(UINT64_C(1) << align_lg2), "no table");
	mem_free(&x.mem, pa);
	expect_wrong(level, pa, "freed");
}

static void test_walk__what_passes_for_a_table(void **state)
{
	unsigned f, c, level;

	(void)state;
	for (f = 0; engine_formats()[f]; f++) {
		const struct engine_ops *ops = engine_formats()[f];

		for (c = 0; ops->configs[c]; c++) {
			char text[300];

			snprintf(text, sizeof(text), "%s %s", ops->name, ops->configs[c]);
			open_domain(text);
			for (level = 0; level <= x.check.hw.top_level_max; level++)
				check_tables_of(level);
			exec_abandon(&x);
		}
	}
}

static void test_walk__ends_with_the_root(void **state)
{
	struct op map = { .kind = OP_MAP, .iova = 0x1000, .last = 0x1fff, .oa = 0x5000, .prot = PROT_R };
	struct walk w;
	unsigned bit;

	(void)state;
	open_domain("amdv1 levels=1");
	assert_int_equal(exec_op(&x, &map), EXEC_DONE);
	assert_int_equal(x.check.root_level, 0);
	for (bit = 21; bit < 64; bit++) {
		walk(&x.check.hw, &x.mem.view, x.check.root, x.check.root_level, 0x1000 | UINT64_C(1) << bit, &w);
		assert_int_equal(w.end, WALK_FAULT);
	}
	walk(&x.check.hw, &x.mem.view, x.check.root, x.check.root_level, 0x1fff, &w);
	assert_int_equal(w.end, WALK_LEAF);
	assert_int_equal(w.oa, 0x5fff);
	exec_close(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk__what_passes_for_a_table),
		cmocka_unit_test(test_walk__ends_with_the_root),
	};
	int failed;

	if (exec_init(&x, &exec_defaults, catch, NULL))
		return 3;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	exec_release(&x);
	return failed;
}
