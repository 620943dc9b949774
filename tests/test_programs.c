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

#include "../fuzzers/exec.h"
#include "../oracle/dirty.h"
#include "../oracle/walk.h"

#define AT UINT64_C(0x40000000)
#define OA UINT64_C(0x180000000)

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

/* The item that translates AT: its address, and what it holds. */
static uint64_t leaf_pa, leaf_raw;

static void store(uint64_t pa, uint64_t raw)
{
	mem_store(&x.mem, pa, x.check.hw.item_bytes_lg2, raw, MEM_RELAXED);
}

static void flush(uint64_t items)
{
	mem_flush(&x.mem, leaf_pa, items << x.check.hw.item_bytes_lg2);
}

/* Invalidate the leaf of 2^size_lg2 bytes at AT, and wait. */
static void invalidate(unsigned size_lg2)
{
	gather_leaf(&x.gather, AT, AT + layout_mask(size_lg2), 0, size_lg2);
	x.ops->sync(x.engine, &x.gather);
}

/* --- unmap of 4K; a device that does not snoop --- */

static void unmap_in_order(void)
{
	store(leaf_pa, 0);
	flush(1);
	invalidate(12);
}

static void unmap_flushed_late(void)
{
	store(leaf_pa, 0);
	invalidate(12);
	flush(1);
}

static void unmap_never_flushed(void)
{
	store(leaf_pa, 0);
	invalidate(12);
}

static void unmap_flushed_in_parts(void)
{
	store(leaf_pa, 0);
	mem_flush(&x.mem, leaf_pa, 4);
	mem_flush(&x.mem, leaf_pa + 4, 4);
	invalidate(12);
}

static void unmap_flushed_beside(void)
{
	store(leaf_pa, 0);
	mem_flush(&x.mem, leaf_pa + 8, 8);
	invalidate(12);
}

/* --- unmap of 4K or 64K; a device that snoops --- */

/* Not present first, then the rest. */
static void unmap_low_half_first(void)
{
	mem_store(&x.mem, leaf_pa, 2, 0, MEM_RELAXED);
	mem_store(&x.mem, leaf_pa + 4, 2, 0, MEM_RELAXED);
	invalidate(12);
}

static void unmap_high_half_first(void)
{
	mem_store(&x.mem, leaf_pa + 4, 2, 0, MEM_RELAXED);
	mem_store(&x.mem, leaf_pa, 2, 0, MEM_RELAXED);
	invalidate(12);
}

/* Both at once, in no order. */
static void unmap_halves(void)
{
	mem_fill(&x.mem, leaf_pa, 2, 2, 0, 0);
	invalidate(12);
}

static void unmap_not_invalidated(void)
{
	store(leaf_pa, 0);
}

static void unmap_group(void)
{
	mem_fill(&x.mem, leaf_pa, 3, 16, 0, 0);
	invalidate(16);
}

/* A leaf of one item takes the place of the group's first, while the others still say that they are a group. */
static void unmap_group_mixed(void)
{
	store(leaf_pa, 0);
	invalidate(16);
	store(leaf_pa, leaf_raw & ~(UINT64_C(1) << 52));
	mem_fill(&x.mem, leaf_pa, 3, 16, 0, 0);
	invalidate(16);
}

/* The whole group is broken, and a smaller leaf made before that is known to the device. */
static void unmap_group_remade(void)
{
	mem_fill(&x.mem, leaf_pa, 3, 16, 0, 0);
	store(leaf_pa, leaf_raw & ~(UINT64_C(1) << 52));
	store(leaf_pa, 0);
	invalidate(16);
}

static void unmap_group_made_after(void)
{
	mem_fill(&x.mem, leaf_pa, 3, 16, 0, 0);
	invalidate(16);
	store(leaf_pa, leaf_raw & ~(UINT64_C(1) << 52));
	store(leaf_pa, 0);
	invalidate(16);
}

/*
 * struct program - one operation, issued by hand: unmap [AT, AT + bytes - 1], which was mapped rw.
 *
 * @class: VERDICT_NR: nothing is wrong with it
 */
struct program {
	const char *name, *config;
	uint64_t bytes;
	void (*run)(void);
	enum verdict_class class;
};

static const struct program programs[] = {
	{ "in order", "vtdss coherent=0", 0x1000, unmap_in_order, VERDICT_NR },
	{ "in order, snooped", "vtdss", 0x1000, unmap_in_order, VERDICT_NR },
	{ "written back after the invalidation", "vtdss coherent=0", 0x1000, unmap_flushed_late, VERDICT_STALE_IOTLB },
	{ "the same, snooped", "vtdss", 0x1000, unmap_flushed_late, VERDICT_NR },
	{ "never written back", "vtdss coherent=0", 0x1000, unmap_never_flushed, VERDICT_MISSING_FLUSH },
	{ "written back beside it", "vtdss coherent=0", 0x1000, unmap_flushed_beside, VERDICT_MISSING_FLUSH },
	/* Halves of an item are no promise that the whole item is in memory at any one time. */
	{ "written back in halves", "vtdss coherent=0", 0x1000, unmap_flushed_in_parts, VERDICT_MISSING_FLUSH },
	{ "the half with the valid bits first", "vtdss", 0x1000, unmap_low_half_first, VERDICT_NR },
	{ "the other half first", "vtdss", 0x1000, unmap_high_half_first, VERDICT_TORN_ENTRY },
	{ "halves in any order", "vtdss", 0x1000, unmap_halves, VERDICT_TORN_ENTRY },
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
	struct op map = { .kind = OP_MAP, .iova = AT, .last = AT + bytes - 1, .oa = OA, .prot = PROT_R | PROT_W };
	struct trace_error err;
	struct config cfg;
	const char *why = "";
	char line[300];
	struct walk w;

	assert_int_equal(config_parse(config, &cfg, &err), 0);
	assert_int_equal(exec_resolve(&cfg, line, sizeof(line)), 0);
	assert_int_equal(exec_open(&x, &cfg, &why), 0);
	assert_int_equal(exec_op(&x, &map), EXEC_DONE);
	walk(&x.check.hw, &x.mem.view, x.check.root, x.check.root_level, AT, &w);
	assert_int_equal(w.end, WALK_LEAF);
	leaf_pa = w.steps[w.nr - 1].pa;
	leaf_raw = w.steps[w.nr - 1].raw;
	seen.class = VERDICT_NR;
}

static void expect(const char *name, enum verdict_class class)
{
	if (seen.class != class)
		fail_msg("%s: expected %s, got %s: %s", name, class < VERDICT_NR ? verdict_name(class) : "nothing",
			 seen.class < VERDICT_NR ? verdict_name(seen.class) : "nothing", seen.text);
}

static void test_programs__unmaps(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		const struct program *volatile p = &programs[i];
		struct call call = { .kind = CALL_UNMAP, .iova = AT, .last = AT + p->bytes - 1 };
		struct call_result res = { .granules = p->bytes >> 12 };

		open_mapped(p->config, p->bytes);
		mem_begin_op(&x.mem, check_begin(&x.check, &call), 0);
		p->run();
		/* The table keeps its place: that is not what is tested here. */
		x.check.on &= ~(1u << CHECK_ACCOUNTING);
		if (!sigsetjmp(caught, 0))
			check_called(&x.check, &call, &res);
		expect(p->name, p->class);
		exec_abandon(&x);
	}
}

/* A clearing dirty that wipes out what the device wrote meanwhile, and does not report it. */
static void test_programs__dirty_wiped_out(void **state)
{
	struct call call = { .kind = CALL_DIRTY, .iova = AT, .last = AT + 0xfff, .clear = true };
	struct call_range leaf = { AT, AT + 0xfff };
	volatile unsigned reported;

	(void)state;
	for (reported = 0; reported < 2; reported++) {
		struct call_result res = { .dirty = &leaf, .dirty_nr = reported };
		struct device_access access;

		open_mapped("vtdss ad=1", 0x1000);
		mem_begin_op(&x.mem, check_begin(&x.check, &call), 0);
		dirty_access(&x.check, AT + 0x123, true, &access);
		assert_true(access.ok && access.new != access.old);
		assert_true(mem_device(&x.mem, access.pa, 3, access.old, access.new));
		store(leaf_pa, leaf_raw);
		invalidate(12);
		if (!sigsetjmp(caught, 0))
			check_called(&x.check, &call, &res);
		expect("dirty", reported ? VERDICT_NR : VERDICT_LOST_DIRTY);
		exec_abandon(&x);
	}
}

/* While the device holds an entry as dirty it sets nothing; once that is invalidated it does again. */
static void test_programs__held_dirty_sets_nothing(void **state)
{
	struct op clear = { .kind = OP_DIRTY, .iova = AT, .last = AT + 0xfff, .clear = true };
	struct device_access access;

	(void)state;
	open_mapped("vtdss ad=1", 0x1000);
	assert_int_equal(exec_op(&x, &(struct op){ .kind = OP_WRITE, .iova = AT }), EXEC_DONE);
	dirty_access(&x.check, AT, true, &access);
	assert_true(access.ok && access.new == access.old);
	assert_int_equal(exec_op(&x, &clear), EXEC_DONE);
	dirty_access(&x.check, AT, true, &access);
	assert_true(access.ok && access.new != access.old);
	exec_abandon(&x);
}

static void test_programs__root_unknown_to_the_device(void **state)
{
	uint64_t pa;
	unsigned level;

	(void)state;
	open_mapped("amdv1", 0x1000);
	x.ops->root(x.engine, &pa, &level);
	check_root(&x.check, pa, level);
	expect("the same root", VERDICT_NR);
	if (!sigsetjmp(caught, 0))
		check_root(&x.check, pa, level + 1);
	expect("another level", VERDICT_FAULT_WINDOW);
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
		cmocka_unit_test(test_programs__unmaps),
		cmocka_unit_test(test_programs__dirty_wiped_out),
		cmocka_unit_test(test_programs__held_dirty_sets_nothing),
		cmocka_unit_test(test_programs__root_unknown_to_the_device),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
