/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_check.c - the checks can fail: table memory is damaged behind the engine's back in many ways, or the answer of a call falsified, and
 * each must be reported with the right class.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzzers/exec.h"
#include "../oracle/walk.h"

static struct exec x;
static sigjmp_buf caught;
static struct verdict seen;

static void catch (void *arg, const struct verdict *v, const struct op *op)
{
	(void)arg;
	(void)op;
	seen = *v;
	siglongjmp(caught, 1);
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

static enum exec_status run(enum op_kind kind, uint64_t iova, uint64_t bytes, uint64_t oa, unsigned prot)
{
	struct op op = { .kind = kind, .iova = iova, .last = iova + bytes - 1, .oa = oa, .prot = (uint8_t)prot };

	return exec_op(&x, &op);
}

#define AT UINT64_C(0x40000000)
#define OA UINT64_C(0x80000000)

/* How an item of the walk of AT is damaged: depth 0 is the leaf, 1 the table item above it. */
struct damage {
	const char *name, *config;
	uint64_t bytes; /* mapped at AT */
	unsigned depth;
	uint64_t set, clear;
	enum verdict_class class;
};

static const struct damage damages[] = {
	{ "leaf gone", "vtdss", 0x1000, 0, 0, ~0ull, VERDICT_WRONG_OA },
	{ "oa bit", "vtdss", 0x1000, 0, 0x10000, 0, VERDICT_WRONG_OA },
	{ "write lost", "vtdss", 0x1000, 0, 0, 2, VERDICT_WRONG_PERMISSION },
	{ "table forbids write", "vtdss", 0x1000, 1, 0, 2, VERDICT_WRONG_PERMISSION },
	{ "attribute", "vtdss snp=1", 0x1000, 0, 1 << 11, 0, VERDICT_WRONG_ATTRIBUTE },
	{ "snoop where reserved", "vtdss", 0x1000, 0, 1 << 11, 0, VERDICT_RESERVED_BITS },
	{ "table elsewhere", "vtdss", 0x1000, 1, UINT64_C(1) << 40, 0, VERDICT_WALKS_DATA },
	{ "dirty from nowhere", "vtdss ad=1", 0x1000, 0, 1 << 9, 0, VERDICT_PHANTOM_DIRTY },
	{ "large leaf shifted", "vtdss", 0x200000, 0, 0x200000, 0, VERDICT_WRONG_OA },
	{ "large leaf misaligned", "vtdss", 0x200000, 0, 0x1000, 0, VERDICT_RESERVED_BITS },
	{ "group item gone", "amdv1", 0x8000, 0, 0, ~0ull, VERDICT_WRONG_OA },
	{ "group item forbids read", "amdv1", 0x8000, 0, 0, UINT64_C(1) << 61, VERDICT_WRONG_PERMISSION },
	{ "napot code", "riscv64", 0x10000, 0, 1 << 10, 0, VERDICT_RESERVED_BITS },
	{ "contiguous bit lost", "armv8_4k", 0x10000, 0, 0, UINT64_C(1) << 52, VERDICT_NOT_OPTIMAL },
	{ "executable", "armv8_4k", 0x1000, 0, 0, UINT64_C(3) << 53, VERDICT_WRONG_PERMISSION },
	{ "privileged", "x86_64", 0x1000, 0, 0, 4, VERDICT_WRONG_ATTRIBUTE },
	{ "privileged table", "x86_64", 0x1000, 1, 0, 4, VERDICT_WRONG_ATTRIBUTE },
};

static void test_check__reports_damage_by_its_class(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		const struct damage *volatile d = &damages[i];
		struct walk w;
		uint64_t pa, raw;

		seen.class = VERDICT_NR;
		open_domain(d->config);
		assert_int_equal(run(OP_MAP, AT, d->bytes, OA, PROT_R | PROT_W), EXEC_DONE);
		walk(&x.check.hw, &x.mem.view, x.check.root, x.check.root_level, AT, &w);
		assert_int_equal(w.end, WALK_LEAF);
		pa = w.steps[w.nr - 1 - d->depth].pa;
		raw = w.steps[w.nr - 1 - d->depth].raw;
		mem_raw_store(&x.mem, pa, x.check.hw.item_bytes_lg2, (raw & ~d->clear) | d->set, __ATOMIC_RELAXED);
		if (!sigsetjmp(caught, 0))
			check_all(&x.check);
		if (seen.class != d->class)
			fail_msg("%s: expected %s, got %s: %s", d->name, verdict_name(d->class),
				 seen.class < VERDICT_NR ? verdict_name(seen.class) : "nothing", seen.text);
		exec_abandon(&x);
	}
}

/* A falsified answer to a call that is otherwise right. */
struct lie {
	const char *name;
	struct call call;
	struct call_result res;
	enum verdict_class class;
};

static const struct lie lies[] = {
	{ "short map",
	  { .kind = CALL_MAP, .iova = 0x1000, .last = 0x2fff, .oa = 0x5000, .prot = PROT_R },
	  { .granules = 1 },
	  VERDICT_WRONG_RETURN },
	{ "error invented",
	  { .kind = CALL_MAP, .iova = 0x1000, .last = 0x2fff, .oa = 0x5000, .prot = PROT_R },
	  { .ret = -17 },
	  VERDICT_WRONG_RETURN },
	{ "no memory invented", { .kind = CALL_CUT, .iova = AT + 0x1000, .last = AT + 0x1000 }, { .ret = -12 }, VERDICT_WRONG_RETURN },
	{ "hole translated", { .kind = CALL_TRANSLATE, .iova = 0x1000, .last = 0x1000 }, { .oa = 0x1000 }, VERDICT_WRONG_TRANSLATE },
	{ "translated elsewhere", { .kind = CALL_TRANSLATE, .iova = AT, .last = AT }, { .oa = OA + 1 }, VERDICT_WRONG_TRANSLATE },
	{ "unmap too long", { .kind = CALL_UNMAP, .iova = AT, .last = AT + 0xfff }, { .granules = 513 }, VERDICT_WRONG_RETURN },
	{ "unmap without effect", { .kind = CALL_UNMAP, .iova = AT, .last = AT + 0xfff }, { .granules = 512 }, VERDICT_WRONG_OA },
	{ "map without effect",
	  { .kind = CALL_MAP, .iova = 0x1000, .last = 0x1fff, .oa = 0x5000, .prot = PROT_R },
	  { .granules = 1 },
	  VERDICT_WRONG_OA },
	{ "cut without effect", { .kind = CALL_CUT, .iova = AT + 0x1000, .last = AT + 0x1000 }, { 0 }, VERDICT_NOT_OPTIMAL },
	{ "dirty invented",
	  { .kind = CALL_DIRTY, .iova = AT, .last = AT + 0x1fffff },
	  { .dirty = &(const struct call_range){ AT, AT + 0x1fffff }, .dirty_nr = 1 },
	  VERDICT_PHANTOM_DIRTY },
};

static void test_check__reports_false_answers(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		const struct lie *volatile l = &lies[i];

		seen.class = VERDICT_NR;
		open_domain("vtdss ad=1");
		assert_int_equal(run(OP_MAP, AT, 0x200000, OA, PROT_R | PROT_W), EXEC_DONE);
		mem_begin_op(&x.mem, check_begin(&x.check, &l->call), 0);
		if (!sigsetjmp(caught, 0))
			check_called(&x.check, &l->call, &l->res);
		if (seen.class != l->class)
			fail_msg("%s: expected %s, got %s: %s", l->name, verdict_name(l->class),
				 seen.class < VERDICT_NR ? verdict_name(seen.class) : "nothing", seen.text);
		exec_abandon(&x);
	}
}

/* --- what a call that ran out of memory may leave behind --- */

static struct walk walk_of(uint64_t iova)
{
	struct walk w;

	walk(&x.check.hw, &x.mem.view, x.check.root, x.check.root_level, iova, &w);
	return w;
}

static uint64_t new_table(void)
{
	uint64_t table = mem_alloc(&x.mem, 4096, 12);

	assert_int_not_equal(table, MEM_NONE);
	assert_true(mem_dma_map(&x.mem, table, 4096));
	mem_flush(&x.mem, table, 4096);
	return table;
}

static void free_table(uint64_t table)
{
	mem_dma_unmap(&x.mem, table, 4096);
	mem_free(&x.mem, table);
}

static void leave_table(void)
{
	new_table();
}

static void leave_mapping(void)
{
	mem_free(&x.mem, new_table());
}

static void end_mapping_alone(void)
{
	mem_dma_unmap(&x.mem, new_table(), 4096);
}

static void free_unmapped(void)
{
	free_table(mem_alloc(&x.mem, 4096, 12));
}

static void change_leaf(void)
{
	struct walk w = walk_of(AT);

	mem_store(&x.mem, w.steps[w.nr - 1].pa, 3, w.steps[w.nr - 1].raw & ~UINT64_C(2), MEM_RELAXED);
}

static void remove_leaf(void)
{
	struct walk w = walk_of(AT);

	mem_store(&x.mem, w.steps[w.nr - 1].pa, 3, 0, MEM_RELAXED);
}

static void remove_and_restore_leaf(void)
{
	struct walk w = walk_of(AT);

	mem_store(&x.mem, w.steps[w.nr - 1].pa, 3, 0, MEM_RELAXED);
	mem_store(&x.mem, w.steps[w.nr - 1].pa, 3, w.steps[w.nr - 1].raw, MEM_RELAXED);
}

/* An item of the root where nothing is mapped and nothing was asked for. */
#define ELSEWHERE (x.check.root + 8 * 5)

static void link_table_elsewhere(void)
{
	mem_store(&x.mem, ELSEWHERE, 3, new_table() | 3, MEM_RELEASE);
	mem_flush(&x.mem, ELSEWHERE, 8);
}

static void free_linked_table(void)
{
	uint64_t table = new_table();

	mem_store(&x.mem, ELSEWHERE, 3, table | 3, MEM_RELEASE);
	free_table(table);
}

static void map_first_page(void)
{
	uint64_t granules;

	assert_int_equal(x.ops->map(x.engine, 0x1000, 0x1fff, 0x5000, PROT_R, &x.gather, &granules), 0);
}

enum { CUT, MAP, LARGE_MAP, UNMAP, DIRTY, TRANSLATE };

static const struct call leaving_calls[] = {
	[CUT] = { .kind = CALL_CUT, .iova = AT + 0x1000, .last = AT + 0x1000 },
	[MAP] = { .kind = CALL_MAP, .iova = 0x1000, .last = 0x2fff, .oa = 0x5000, .prot = PROT_R },
	[LARGE_MAP] = { .kind = CALL_MAP, .iova = 0x400000, .last = 0x9fffff, .oa = 0x400000, .prot = PROT_R },
	[UNMAP] = { .kind = CALL_UNMAP, .iova = AT, .last = AT + 0x1fffff },
	[DIRTY] = { .kind = CALL_DIRTY, .iova = AT, .last = AT + 0x1fffff },
	[TRANSLATE] = { .kind = CALL_TRANSLATE, .iova = AT, .last = AT },
};

/*
 * A call that has done something that it must not and returned -ENOMEM.
 *
 * @call:  of leaving_calls
 * @leave: what it did
 * @fails: after that an allocation has failed, as it says
 * @class: VERDICT_NR: legal
 */
struct leaving {
	const char *name;
	unsigned call;
	void (*leave)(void);
	bool fails;
	uint64_t granules;
	enum verdict_class class;
};

static const struct leaving leavings[] = {
	{ "cut: nothing", CUT, NULL, true, 0, VERDICT_NR },
	{ "cut: no allocation failed", CUT, NULL, false, 0, VERDICT_WRONG_RETURN },
	{ "cut: a table", CUT, leave_table, true, 0, VERDICT_LEAK },
	{ "cut: a DMA mapping", CUT, leave_mapping, true, 0, VERDICT_LEAK },
	{ "cut: a table whose DMA mapping is ended", CUT, end_mapping_alone, true, 0, VERDICT_LEAK },
	{ "cut: the end of a DMA mapping that was not made", CUT, free_unmapped, true, 0, VERDICT_LEAK },
	{ "cut: the leaf read-only", CUT, change_leaf, true, 0, VERDICT_CHANGED_ON_ERROR },
	{ "cut: the leaf gone", CUT, remove_leaf, true, 0, VERDICT_CHANGED_ON_ERROR },
	{ "cut: the leaf gone for a while", CUT, remove_and_restore_leaf, true, 0, VERDICT_FAULT_WINDOW },
	{ "map: nothing", MAP, NULL, true, 0, VERDICT_NR },
	{ "map: no allocation failed", MAP, NULL, false, 0, VERDICT_WRONG_RETURN },
	{ "map: a page, as it says", MAP, map_first_page, true, 1, VERDICT_NR },
	{ "map: a page that it keeps quiet about", MAP, map_first_page, true, 0, VERDICT_WRONG_OA },
	{ "map: not the page that it reports", MAP, NULL, true, 1, VERDICT_WRONG_OA },
	{ "map: all of it, and yet no memory", MAP, map_first_page, true, 2, VERDICT_WRONG_RETURN },
	{ "map: more than was asked for", MAP, NULL, true, 3, VERDICT_WRONG_RETURN },
	{ "map: part of a leaf", LARGE_MAP, NULL, true, 0x201, VERDICT_WRONG_RETURN },
	{ "map: a table", MAP, leave_table, true, 0, VERDICT_LEAK },
	{ "map: a DMA mapping", MAP, leave_mapping, true, 0, VERDICT_LEAK },
	{ "map: a table elsewhere", MAP, link_table_elsewhere, true, 0, VERDICT_LEAK },
	{ "map: a table that is linked and freed", MAP, free_linked_table, true, 0, VERDICT_USE_AFTER_FREE },
	{ "unmap", UNMAP, NULL, true, 0, VERDICT_WRONG_RETURN },
	{ "dirty", DIRTY, NULL, true, 0, VERDICT_WRONG_RETURN },
	{ "translate", TRANSLATE, NULL, true, 0, VERDICT_WRONG_TRANSLATE },
};

static void test_check__reports_what_a_failed_call_left(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(leavings) / sizeof(leavings[0]); i++) {
		const struct leaving *volatile l = &leavings[i];
		const struct call *call = &leaving_calls[l->call];
		const struct call_result res = { .ret = -ENOMEM, .granules = l->granules };

		seen.class = VERDICT_NR;
		open_domain("vtdss coherent=no");
		assert_int_equal(run(OP_MAP, AT, 0x200000, OA, PROT_R | PROT_W), EXEC_DONE);
		mem_begin_op(&x.mem, check_begin(&x.check, call), 0);
		if (l->leave)
			l->leave();
		x.mem.fail_at = l->fails ? x.mem.allocs + 1 : 0;
		if (l->fails)
			assert_int_equal(mem_alloc(&x.mem, 4096, 12), MEM_NONE);
		if (!sigsetjmp(caught, 0))
			check_called(&x.check, call, &res);
		if (seen.class != l->class)
			fail_msg("%s: expected %s, got %s: %s", l->name, l->class < VERDICT_NR ? verdict_name(l->class) : "nothing",
				 seen.class < VERDICT_NR ? verdict_name(seen.class) : "nothing", seen.text);
		exec_abandon(&x);
	}
}

/* A device write that goes unreported is lost; a report clears it. */
static void test_check__keeps_dirty_until_it_is_cleared(void **state)
{
	struct op clear = { .kind = OP_DIRTY, .iova = AT, .last = AT + 0x1fffff, .clear = true };
	struct walk w;

	(void)state;
	open_domain("vtdss ad=1");
	assert_int_equal(run(OP_MAP, AT, 0x200000, OA, PROT_R | PROT_W), EXEC_DONE);
	assert_int_equal(run(OP_WRITE, AT + 0x1234, 1, 0, 0), EXEC_DONE);
	assert_int_equal(run(OP_CUT, AT + 0x100000, 1, 0, 0), EXEC_DONE);
	assert_true(imap_overlaps(&x.check.dirty, AT + 0x100000, AT + 0x100fff));
	assert_int_equal(exec_op(&x, &clear), EXEC_DONE);
	assert_int_equal(x.dirty_nr, 512);
	assert_int_equal(x.check.dirty.nr, 0);
	assert_int_equal(run(OP_WRITE, AT + 0x1234, 1, 0, 0), EXEC_DONE);
	walk(&x.check.hw, &x.mem.view, x.check.root, x.check.root_level, AT + 0x1234, &w);
	mem_raw_store(&x.mem, w.steps[w.nr - 1].pa, 3, w.steps[w.nr - 1].raw & ~(1ull << 9), __ATOMIC_RELAXED);
	seen.class = VERDICT_NR;
	if (!sigsetjmp(caught, 0))
		check_all(&x.check);
	assert_int_equal(seen.class, VERDICT_LOST_DIRTY);
	exec_abandon(&x);
}

static void test_check__memory_faults_become_findings(void **state)
{
	(void)state;
	open_domain("vtdss");
	seen.class = VERDICT_NR;
	if (!sigsetjmp(caught, 0))
		mem_store(&x.mem, x.mem.view.pa + (64 << 20), 3, 1, MEM_RELAXED);
	assert_int_equal(seen.class, VERDICT_WILD_STORE);
	if (!sigsetjmp(caught, 0))
		mem_free(&x.mem, x.check.root + 0x1000);
	assert_int_equal(seen.class, VERDICT_DOUBLE_FREE);
	mem_begin_op(&x.mem, 3, 0);
	if (!sigsetjmp(caught, 0))
		for (;;)
			mem_load(&x.mem, x.check.root, 3);
	assert_int_equal(seen.class, VERDICT_NO_PROGRESS);
	mem_begin_op(&x.mem, UINT64_MAX, 0);
	mem_free(&x.mem, x.check.root);
	if (!sigsetjmp(caught, 0))
		mem_load(&x.mem, x.check.root, 3);
	assert_int_equal(seen.class, VERDICT_USE_AFTER_FREE);
	exec_abandon(&x);
}

static int set_up(void **state)
{
	(void)state;
	return exec_init(&x, &exec_defaults, catch, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	exec_release(&x);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check__reports_damage_by_its_class),
		cmocka_unit_test(test_check__reports_false_answers),
		cmocka_unit_test(test_check__reports_what_a_failed_call_left),
		cmocka_unit_test(test_check__keeps_dirty_until_it_is_cleared),
		cmocka_unit_test(test_check__memory_faults_become_findings),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
