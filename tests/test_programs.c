/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_programs.c - small programs of stores, write-backs and invalidations, issued by hand in place of an engine's operation: the wrong ones are
 * reported with the right class, and the right one beside each is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../oracle/dirty.h"
#include "program.h"

#define AT UINT64_C(0x40000000)
#define OA UINT64_C(0x180000000)

static struct exec *const x = &program.x;

/* The item that translates AT: its address, and what it holds. */
static uint64_t leaf_pa, leaf_raw;

static void flush(uint64_t items)
{
	program_flush(leaf_pa, items << x->check.hw.item_bytes_lg2);
}

/* Invalidate the leaf of 2^size_lg2 bytes at AT, and wait. */
static void invalidate(unsigned size_lg2)
{
	program_invalidate(AT, AT + layout_mask(size_lg2), 0, size_lg2);
}

/* --- unmap of 4K; a device that does not snoop --- */

static void unmap_in_order(void)
{
	program_store(leaf_pa, 0);
	flush(1);
	invalidate(12);
}

static void unmap_flushed_late(void)
{
	program_store(leaf_pa, 0);
	invalidate(12);
	flush(1);
}

/* Far more than the device needs, pages that are no table among it. */
static void unmap_all_flushed(void)
{
	program_store(leaf_pa, 0);
	program_flush(x->mem.view.pa, x->mem.view.bytes_nr);
	invalidate(12);
}

static void unmap_never_flushed(void)
{
	program_store(leaf_pa, 0);
	invalidate(12);
}

static void unmap_flushed_in_parts(void)
{
	program_store(leaf_pa, 0);
	program_flush(leaf_pa, 4);
	program_flush(leaf_pa + 4, 4);
	invalidate(12);
}

static void unmap_flushed_beside(void)
{
	program_store(leaf_pa, 0);
	program_flush(leaf_pa + 8, 8);
	invalidate(12);
}

/* --- unmap of 4K or 64K; a device that snoops --- */

/* Not present first, then the rest. */
static void unmap_low_half_first(void)
{
	mem_store(&x->mem, leaf_pa, 2, 0, MEM_RELAXED);
	mem_store(&x->mem, leaf_pa + 4, 2, 0, MEM_RELAXED);
	invalidate(12);
}

static void unmap_halves_not_invalidated(void)
{
	mem_store(&x->mem, leaf_pa, 2, 0, MEM_RELAXED);
	mem_store(&x->mem, leaf_pa + 4, 2, 0, MEM_RELAXED);
}

static void unmap_high_half_first(void)
{
	mem_store(&x->mem, leaf_pa + 4, 2, 0, MEM_RELAXED);
	mem_store(&x->mem, leaf_pa, 2, 0, MEM_RELAXED);
	invalidate(12);
}

/* Both at once, in no order. */
static void unmap_halves(void)
{
	mem_fill(&x->mem, leaf_pa, 2, 2, 0, 0);
	invalidate(12);
}

static void unmap_not_invalidated(void)
{
	program_store(leaf_pa, 0);
}

static void unmap_group(void)
{
	mem_fill(&x->mem, leaf_pa, 3, 16, 0, 0);
	invalidate(16);
}

/* A leaf of one item takes the place of the group's first, while the others still say that they are a group. */
static void unmap_group_mixed(void)
{
	program_store(leaf_pa, 0);
	invalidate(16);
	program_store(leaf_pa, leaf_raw & ~(UINT64_C(1) << 52));
	mem_fill(&x->mem, leaf_pa, 3, 16, 0, 0);
	invalidate(16);
}

/* The whole group is broken, and a smaller leaf made before that is known to the device. */
static void unmap_group_remade(void)
{
	mem_fill(&x->mem, leaf_pa, 3, 16, 0, 0);
	program_store(leaf_pa, leaf_raw & ~(UINT64_C(1) << 52));
	program_store(leaf_pa, 0);
	invalidate(16);
}

static void unmap_group_made_after(void)
{
	mem_fill(&x->mem, leaf_pa, 3, 16, 0, 0);
	invalidate(16);
	program_store(leaf_pa, leaf_raw & ~(UINT64_C(1) << 52));
	program_store(leaf_pa, 0);
	invalidate(16);
}

/*
 * struct unmap - one operation, issued by hand: unmap [AT, AT + bytes - 1], which was mapped rw.
 *
 * @class: VERDICT_NR: nothing is wrong with it
 */
struct unmap {
	const char *name, *config;
	uint64_t bytes;
	void (*run)(void);
	enum verdict_class class;
};

static const struct unmap unmaps[] = {
	{ "in order", "vtdss coherent=0", 0x1000, unmap_in_order, VERDICT_NR },
	{ "in order, snooped", "vtdss", 0x1000, unmap_in_order, VERDICT_NR },
	{ "written back after the invalidation", "vtdss coherent=0", 0x1000, unmap_flushed_late, VERDICT_STALE_IOTLB },
	{ "the same, snooped", "vtdss", 0x1000, unmap_flushed_late, VERDICT_NR },
	{ "everything written back", "vtdss coherent=0", 0x1000, unmap_all_flushed, VERDICT_NR },
	{ "never written back", "vtdss coherent=0", 0x1000, unmap_never_flushed, VERDICT_MISSING_FLUSH },
	{ "written back beside it", "vtdss coherent=0", 0x1000, unmap_flushed_beside, VERDICT_MISSING_FLUSH },
	/* Halves of an item are no promise that the whole item is in memory at any one time. */
	{ "written back in halves", "vtdss coherent=0", 0x1000, unmap_flushed_in_parts, VERDICT_MISSING_FLUSH },
	{ "the half with the valid bits first", "vtdss", 0x1000, unmap_low_half_first, VERDICT_NR },
	{ "the other half first", "vtdss", 0x1000, unmap_high_half_first, VERDICT_TORN_ENTRY },
	{ "halves in any order", "vtdss", 0x1000, unmap_halves, VERDICT_TORN_ENTRY },
	/* What the first half made of the old leaf is gone with the second; the old leaf is not. */
	{ "in halves, not invalidated", "vtdss", 0x1000, unmap_halves_not_invalidated, VERDICT_STALE_IOTLB },
	{ "not invalidated", "vtdss", 0x1000, unmap_not_invalidated, VERDICT_STALE_IOTLB },
	{ "a group", "armv8_4k bbm=0", 0x10000, unmap_group, VERDICT_NR },
	{ "a group mixed with a page", "armv8_4k bbm=0", 0x10000, unmap_group_mixed, VERDICT_UNDECLARED_BREAK },
	{ "a group mixed with a page, which may be", "armv8_4k bbm=2", 0x10000, unmap_group_mixed, VERDICT_NR },
	{ "a page made before the invalidation", "armv8_4k bbm=0", 0x10000, unmap_group_remade, VERDICT_UNDECLARED_BREAK },
	{ "a page made before it, which may be", "armv8_4k bbm=2", 0x10000, unmap_group_remade, VERDICT_NR },
	{ "a page made after the invalidation", "armv8_4k bbm=0", 0x10000, unmap_group_made_after, VERDICT_NR },
};

static void open_mapped(const char *config, uint64_t bytes)
{
	struct walk_step leaf;

	program_open(config);
	program_map(AT, AT + bytes - 1, OA, PROGRAM_RW);
	leaf = program_leaf(AT);
	leaf_pa = leaf.pa;
	leaf_raw = leaf.raw;
}

static void test_programs__unmaps(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(unmaps) / sizeof(unmaps[0]); i++) {
		const struct unmap *p = &unmaps[i];

		open_mapped(p->config, p->bytes);
		program_begin((struct call){ .kind = CALL_UNMAP, .iova = AT, .last = AT + p->bytes - 1 },
			      (struct call_result){ .granules = p->bytes >> 12 });
		p->run();
		/* The table keeps its place: that is not what is tested here. */
		x->check.on &= ~(1u << CHECK_ACCOUNTING);
		program_end();
		program_expect(p->name, p->class);
		exec_abandon(x);
	}
}

/* A clearing dirty that wipes out what the device wrote meanwhile, and does not report it. */
static void test_programs__dirty_wiped_out(void **state)
{
	struct call_range leaf = { AT, AT + 0xfff };
	unsigned reported;

	(void)state;
	for (reported = 0; reported < 2; reported++) {
		struct device_access access;

		open_mapped("vtdss ad=1", 0x1000);
		program_begin((struct call){ .kind = CALL_DIRTY, .iova = AT, .last = AT + 0xfff, .clear = true },
			      (struct call_result){ .dirty = &leaf, .dirty_nr = reported });
		dirty_access(&x->check, AT + 0x123, true, &access);
		assert_true(access.ok && access.new != access.old);
		assert_true(mem_device(&x->mem, access.pa, 3, access.old, access.new));
		program_store(leaf_pa, leaf_raw);
		invalidate(12);
		program_end();
		program_expect("dirty", reported ? VERDICT_NR : VERDICT_LOST_DIRTY);
		exec_abandon(x);
	}
}

/* While the device holds an entry as dirty it sets nothing; once that is invalidated it does again. */
static void test_programs__held_dirty_sets_nothing(void **state)
{
	struct op clear = { .kind = OP_DIRTY, .iova = AT, .last = AT + 0xfff, .clear = true };
	struct device_access access;

	(void)state;
	open_mapped("vtdss ad=1", 0x1000);
	assert_int_equal(exec_op(x, &(struct op){ .kind = OP_WRITE, .iova = AT }), EXEC_DONE);
	dirty_access(&x->check, AT, true, &access);
	assert_true(access.ok && access.new == access.old);
	assert_int_equal(exec_op(x, &clear), EXEC_DONE);
	dirty_access(&x->check, AT, true, &access);
	assert_true(access.ok && access.new != access.old);
	exec_abandon(x);
}

/* The hardware ignores the bit, and so does every check. */
static void test_programs__dirty_sets_an_ignored_bit(void **state)
{
	(void)state;
	open_mapped("vtdss ad=1", 0x1000);
	program_begin((struct call){ .kind = CALL_DIRTY, .iova = AT, .last = AT + 0xfff, .clear = true }, (struct call_result){ 0 });
	program_store(leaf_pa, leaf_raw | UINT64_C(1) << 60);
	program_end();
	program_expect("an ignored bit", VERDICT_NR);
	exec_abandon(x);
}

static void root_of_another_level(void)
{
	check_root(&x->check, x->mem.view.root, x->mem.view.root_level + 1);
}

static void test_programs__root_unknown_to_the_device(void **state)
{
	uint64_t pa;
	unsigned level;

	(void)state;
	open_mapped("amdv1", 0x1000);
	x->ops->root(x->engine, &pa, &level);
	check_root(&x->check, pa, level);
	program_expect("the same root", VERDICT_NR);
	program_try(root_of_another_level);
	program_expect("another level", VERDICT_FAULT_WINDOW);
	exec_abandon(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs__unmaps),
		cmocka_unit_test(test_programs__dirty_wiped_out),
		cmocka_unit_test(test_programs__dirty_sets_an_ignored_bit),
		cmocka_unit_test(test_programs__held_dirty_sets_nothing),
		cmocka_unit_test(test_programs__root_unknown_to_the_device),
	};

	return cmocka_run_group_tests(tests, program_set_up, program_tear_down);
}
