/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_table_programs.c - programs about tables and what points to them, issued by hand in place of an engine's operation: the wrong ones are
 * reported with the right class, and the right one beside each is not. Those about a leaf alone are in test_programs.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "program.h"

#define AT UINT64_C(0x40000000)
#define OA UINT64_C(0x180000000)
#define SIZE_4K UINT64_C(0x1000)
#define SIZE_2M UINT64_C(0x200000)
#define SIZE_1G UINT64_C(0x40000000)

static struct exec *const x = &program.x;

/* An item like step's, which is of a leaf or a pointer, with another address. */
static uint64_t like(const struct walk_step *step, uint64_t pa)
{
	return step->raw - step->entry.pa + pa;
}

static void release(uint64_t pa, uint64_t raw)
{
	mem_store(&x->mem, pa, 3, raw, MEM_RELEASE);
}

static void replace(uint64_t pa, uint64_t raw)
{
	uint64_t old = mem_load(&x->mem, pa, 3);

	assert_true(mem_cas(&x->mem, pa, 3, &old, raw));
}

static void begin(enum call_kind kind, uint64_t iova, uint64_t bytes, uint64_t oa)
{
	struct call_result res = { .granules = kind == CALL_MAP || kind == CALL_UNMAP ? bytes >> 12 : 0 };

	program_begin((struct call){ .kind = kind, .iova = iova, .last = iova + bytes - 1, .oa = oa, .prot = PROGRAM_RW }, res);
}

/* --- a pointer beside the operation is not what it was, for a moment --- */

static struct walk_step neighbour;

/* What the operation itself does is right: it unmaps a page, and there are others in the table. */
static void begin_beside(void)
{
	program_map(AT, AT + SIZE_4K - 1, OA, PROGRAM_RW);
	program_map(AT + 2 * SIZE_4K, AT + 3 * SIZE_4K - 1, OA + 2 * SIZE_4K, PROGRAM_RW);
	program_map(AT + SIZE_2M, AT + SIZE_2M + SIZE_4K - 1, OA + 4 * SIZE_4K, PROGRAM_RW);
	neighbour = program_pointer(AT + SIZE_2M);
	begin(CALL_UNMAP, AT, SIZE_4K, 0);
}

static void unmap_beside(void)
{
	program_store(program_leaf(AT).pa, 0);
	program_invalidate(AT, AT + SIZE_4K - 1, 0, 12);
}

static void pointer_read_only(void)
{
	begin_beside();
	program_store(neighbour.pa, neighbour.raw & ~UINT64_C(2));
	program_store(neighbour.pa, neighbour.raw);
	unmap_beside();
}

/* Bit 55 is ignored. */
static void pointer_marked(void)
{
	begin_beside();
	program_store(neighbour.pa, neighbour.raw | UINT64_C(1) << 55);
	program_store(neighbour.pa, neighbour.raw);
	unmap_beside();
}

/* The half that holds IR and IW. */
static void pointer_half_zero(void)
{
	begin_beside();
	mem_store(&x->mem, neighbour.pa + 4, 2, 0, MEM_RELAXED);
	mem_store(&x->mem, neighbour.pa + 4, 2, neighbour.raw >> 32, MEM_RELAXED);
	unmap_beside();
}

static void pointer_half_again(void)
{
	begin_beside();
	mem_store(&x->mem, neighbour.pa + 4, 2, neighbour.raw >> 32, MEM_RELAXED);
	unmap_beside();
}

/* --- a cut of 1G, of which 2M are a leaf for a moment before they are pages --- */

static void cut_in_two_steps(void)
{
	uint64_t oa = OA & ~(SIZE_1G - 1), other = AT + 4 * SIZE_1G, pages, table, iova = AT + SIZE_4K;
	struct walk_step leaf_1g, leaf_2m, leaf_4k, pointer_1g, pointer_2m;

	program_map(AT, AT + SIZE_1G - 1, oa, PROGRAM_RW);
	program_map(other, other + SIZE_2M - 1, UINT64_C(64) << 30, PROGRAM_RW);
	program_map(other + SIZE_2M, other + SIZE_2M + SIZE_4K - 1, UINT64_C(65) << 30, PROGRAM_RW);
	leaf_1g = program_leaf(AT);
	leaf_2m = program_leaf(other);
	leaf_4k = program_leaf(other + SIZE_2M);
	pointer_1g = program_pointer(other);
	pointer_2m = program_pointer(other + SIZE_2M);
	program_begin((struct call){ .kind = CALL_CUT, .iova = iova, .last = iova }, (struct call_result){ 0 });
	table = program_table(1);
	pages = program_table(0);
	mem_fill(&x->mem, table, 3, 512, like(&leaf_2m, oa), 21);
	replace(leaf_1g.pa, like(&pointer_1g, table));
	mem_fill(&x->mem, pages, 3, 512, like(&leaf_4k, oa), 12);
	replace(table, like(&pointer_2m, pages));
}

static void cut_forgets_the_first_leaf(void)
{
	cut_in_two_steps();
	program_invalidate(AT, AT + SIZE_1G - 1, 2, 30);
}

static void cut_forgets_both_leaves(void)
{
	cut_in_two_steps();
	gather_leaf(&x->gather, AT, AT + SIZE_1G - 1, 1, 21);
	program_invalidate(AT, AT + SIZE_1G - 1, 2, 30);
}

/* --- maps into a new table --- */

static void map_leaf_rewritten(void)
{
	uint64_t iova = AT + SIZE_2M, table, raw;
	struct walk_step leaf, pointer;

	program_map(AT, AT + SIZE_4K - 1, OA, PROGRAM_RW);
	leaf = program_leaf(AT);
	pointer = program_pointer(AT);
	begin(CALL_MAP, iova, SIZE_4K, OA + SIZE_4K);
	table = program_table(0);
	raw = like(&leaf, OA + SIZE_4K);
	program_store(table, raw | UINT64_C(1) << 54);
	program_store(table, raw);
	replace(pointer.pa + 8, like(&pointer, table));
}

static void map_linked_in_halves(bool high_first)
{
	uint64_t iova = AT + SIZE_2M, table, raw, halves[2];
	struct walk_step leaf, pointer;
	unsigned i;

	program_map(AT, AT + SIZE_4K - 1, OA, PROGRAM_RW);
	leaf = program_leaf(AT);
	pointer = program_pointer(AT);
	begin(CALL_MAP, iova, SIZE_4K, OA + SIZE_4K);
	table = program_table(0);
	program_store(table, like(&leaf, OA + SIZE_4K));
	raw = like(&pointer, table);
	halves[0] = (uint32_t)raw;
	halves[1] = raw >> 32;
	for (i = 0; i < 2; i++)
		mem_store(&x->mem, pointer.pa + 8 + 4 * (i ^ high_first), 2, halves[i ^ high_first], MEM_RELEASE);
}

static void map_linked_high_half_first(void)
{
	map_linked_in_halves(true);
}

static void map_linked_low_half_first(void)
{
	map_linked_in_halves(false);
}

/* Sixteen pages become one group. */
static void map_folded(bool linked)
{
	uint64_t iova = AT + SIZE_2M, table, i;
	struct walk_step leaf, pointer;

	program_map(AT, AT + SIZE_4K - 1, OA, PROGRAM_RW);
	leaf = program_leaf(AT);
	pointer = program_pointer(AT);
	begin(CALL_MAP, iova, 16 * SIZE_4K, OA + 16 * SIZE_4K);
	table = program_table(0);
	if (linked)
		release(pointer.pa + 8, like(&pointer, table));
	for (i = 0; i < 16; i++)
		program_store(table + 8 * i, like(&leaf, OA + (16 + i) * SIZE_4K));
	for (i = 0; i < 16; i++)
		program_store(table + 8 * i, like(&leaf, OA + (16 + i) * SIZE_4K) | UINT64_C(1) << 52);
	if (linked) {
		program_invalidate(iova, iova + 16 * SIZE_4K - 1, 0, 12);
		return;
	}
	mem_fence(&x->mem);
	release(pointer.pa + 8, like(&pointer, table));
}

static void map_folded_before_it_is_linked(void)
{
	map_folded(false);
}

static void map_folded_after_it_is_linked(void)
{
	map_folded(true);
}

/* --- tables go --- */

static void begin_unmap_pages(void)
{
	/* The oa is no multiple of 2M. */
	program_map(AT, AT + SIZE_2M - 1, OA + SIZE_4K, PROGRAM_RW);
}

static void unmap_dma_ended(bool early)
{
	struct walk_step pointer;

	begin_unmap_pages();
	pointer = program_pointer(AT);
	begin(CALL_UNMAP, AT, SIZE_2M, 0);
	program_store(pointer.pa, 0);
	program_flush(pointer.pa, 8);
	if (early)
		mem_dma_unmap(&x->mem, pointer.entry.pa, SIZE_4K);
	program_invalidate_pointers(AT, AT + SIZE_2M - 1, 1);
	if (!early)
		mem_dma_unmap(&x->mem, pointer.entry.pa, SIZE_4K);
	mem_free(&x->mem, pointer.entry.pa);
}

static void unmap_dma_ended_before_the_sync(void)
{
	unmap_dma_ended(true);
}

static void unmap_dma_ended_after_the_sync(void)
{
	unmap_dma_ended(false);
}

static void unmap_dma_ended_of_a_linked_table(void)
{
	program_map(AT, AT + 2 * SIZE_4K - 1, OA, PROGRAM_RW);
	begin(CALL_UNMAP, AT, SIZE_4K, 0);
	mem_dma_unmap(&x->mem, program_pointer(AT).entry.pa, SIZE_4K);
	program_store(program_leaf(AT).pa, 0);
	program_flush(program_leaf(AT + SIZE_4K).pa - 8, 8);
	program_invalidate(AT, AT + SIZE_4K - 1, 0, 12);
}

static void unlink_1g(uint64_t *table)
{
	struct walk w;

	program_map(AT, AT + SIZE_1G - 1, OA + SIZE_4K, PROGRAM_RW);
	program_look(AT, &w);
	*table = w.steps[w.nr - 3].entry.pa;
	begin(CALL_UNMAP, AT, SIZE_1G, 0);
	program_store(w.steps[w.nr - 3].pa, 0);
}

/* Free the tables below one, and then that. */
static void take_apart(uint64_t table)
{
	uint64_t i;

	for (i = 0; i < 512; i++) {
		struct hw_entry e = x->check.hw.format->decode(&x->check.hw, 1, mem_load(&x->mem, table + 8 * i, 3));

		assert_int_equal(e.kind, HW_TABLE);
		program_store(table + 8 * i, 0);
		mem_free(&x->mem, e.pa);
	}
	mem_free(&x->mem, table);
}

static void unmap_apart_after_the_sync(void)
{
	uint64_t table;

	unlink_1g(&table);
	x->gather.table_levels |= 1u << 1;
	program_invalidate_pointers(AT, AT + SIZE_1G - 1, 2);
	take_apart(table);
}

static void unmap_apart_before_the_sync(void)
{
	uint64_t table;

	unlink_1g(&table);
	take_apart(table);
	x->gather.table_levels |= 1u << 1;
	program_invalidate_pointers(AT, AT + SIZE_1G - 1, 2);
}

/* defer=1: the sync comes later, the write-back may not. */
static void unmap_deferred(bool flushed)
{
	struct walk_step pointer;

	begin_unmap_pages();
	pointer = program_pointer(AT);
	begin(CALL_UNMAP, AT, SIZE_2M, 0);
	program_store(pointer.pa, 0);
	if (flushed)
		program_flush(pointer.pa, 8);
}

static void unmap_deferred_flushed(void)
{
	unmap_deferred(true);
}

static void unmap_deferred_not_flushed(void)
{
	unmap_deferred(false);
}

/* --- other entries in the place of a pointer --- */

/* A leaf over a table that holds nothing, of which the device may remember every hole. */
static void map_over_empty(bool holes)
{
	struct walk_step leaf_2m, pointer;

	program_map(AT + SIZE_1G, AT + SIZE_1G + SIZE_2M - 1, OA + SIZE_1G, PROGRAM_RW);
	program_map(AT, AT + SIZE_4K - 1, OA, PROGRAM_RW);
	leaf_2m = program_leaf(AT + SIZE_1G);
	pointer = program_pointer(AT);
	program_unmap(AT, AT + SIZE_4K - 1);
	begin(CALL_MAP, AT, SIZE_2M, OA);
	program_store(pointer.pa, like(&leaf_2m, OA));
	/* As inv_generic.c says: the levels of leaves, 8: pointers. */
	mem_invalidate(&x->mem, TLB_GENERIC, AT | 1 << 8 | (holes ? 3 : 0), AT + SIZE_2M - 1);
	mem_sync(&x->mem);
	mem_free(&x->mem, pointer.entry.pa);
}

static void map_over_empty_holes_kept(void)
{
	map_over_empty(false);
}

static void map_over_empty_holes_gone(void)
{
	map_over_empty(true);
}

/* A table whose pointer has the rights of its first leaf is given those of its second. */
static void map_upgrades_pointer(bool invalidated)
{
	struct walk_step leaf, pointer;

	program_map(AT, AT + SIZE_4K - 1, OA, PROT_R);
	leaf = program_leaf(AT);
	pointer = program_pointer(AT);
	begin(CALL_UNMAP, 0, SIZE_4K, 0);
	program.res.granules = 0;
	program_store(pointer.pa, pointer.raw & ~UINT64_C(2));
	program_invalidate_pointers(AT, AT + SIZE_2M - 1, 1);
	program_end();
	program_expect("a pointer becomes read-only as its leaf is", VERDICT_NR);

	begin(CALL_MAP, AT + SIZE_4K, SIZE_4K, OA + SIZE_4K);
	program_store(pointer.pa, pointer.raw);
	if (invalidated)
		program_invalidate_pointers(AT, AT + SIZE_2M - 1, 1);
	else
		mem_sync(&x->mem);
	release(leaf.pa + 8, like(&leaf, OA + SIZE_4K) | 2);
}

static void map_upgrades_pointer_cached(void)
{
	map_upgrades_pointer(false);
}

static void map_upgrades_pointer_forgotten(void)
{
	map_upgrades_pointer(true);
}

/* amdv1: a group of 64K is cut in two of 32K. For a moment one item is that of a group of 128K, which reaches over the neighbour. */
static void cut_group(bool wide)
{
	struct walk_step leaf;
	uint64_t raw, i;

	program_map(AT, AT + 16 * SIZE_4K - 1, OA, PROGRAM_RW);
	program_map(AT + 16 * SIZE_4K, AT + 17 * SIZE_4K - 1, OA + UINT64_C(0x300000), PROGRAM_RW);
	leaf = program_leaf(AT);
	raw = leaf.raw & ~UINT64_C(0xfffffffff000);
	program_begin((struct call){ .kind = CALL_CUT, .iova = AT + 8 * SIZE_4K, .last = AT + 8 * SIZE_4K }, (struct call_result){ 0 });
	/* The size is in the address, as hw_amdv1.c says. */
	assert_int_equal(x->check.hw.format->decode(&x->check.hw, 0, raw | OA | 0xf000).size_lg2, 17);
	assert_int_equal(x->check.hw.format->decode(&x->check.hw, 0, raw | OA | 0x3000).size_lg2, 15);
	for (i = 0; i < 16; i++) {
		if (i == 3 && wide)
			program_store(leaf.pa + 8 * i, raw | OA | 0xf000);
		program_store(leaf.pa + 8 * i, raw | (OA + i / 8 * 0x8000) | 0x3000);
	}
	program_invalidate(AT, AT + 16 * SIZE_4K - 1, 0, 16);
}

static void cut_group_in_halves(void)
{
	cut_group(false);
}

static void cut_group_too_wide(void)
{
	cut_group(true);
}

/* --- the root --- */

/* Grow by a level and map what the old root does not span; the old root goes into slot. */
static void map_grows(uint64_t slot)
{
	uint64_t iova = UINT64_C(1) << 39, root, tables[3], old_root;
	const uint64_t level_step = UINT64_C(1) << 9;
	struct walk w;

	program_map(AT, AT + SIZE_4K - 1, OA, PROGRAM_RW);
	program_look(AT, &w);
	assert_int_equal(w.nr, 3);
	old_root = x->mem.view.root;
	begin(CALL_MAP, iova, SIZE_4K, OA + SIZE_4K);
	root = program_table(3);
	tables[2] = program_table(2);
	tables[1] = program_table(1);
	tables[0] = program_table(0);
	program_store(tables[0], like(&w.steps[2], OA + SIZE_4K));
	program_store(tables[1], like(&w.steps[1], tables[0]));
	program_store(tables[2], like(&w.steps[0], tables[1]));
	/* A pointer of amdv1 says at which level its table lies. */
	program_store(root + 8, like(&w.steps[0], tables[2]) + level_step);
	program_store(root + 8 * slot, like(&w.steps[0], old_root) + level_step);
	mem_top(&x->mem, root, 3);
}

static void map_grows_over_the_old_root(void)
{
	map_grows(0);
}

static void map_grows_beside_the_old_root(void)
{
	map_grows(2);
}

/*
 * struct table_program - run makes the domain's mappings, and then one operation by hand up to where the call returns.
 *
 * @class: VERDICT_NR: nothing is wrong with it
 */
struct table_program {
	const char *name, *config;
	void (*run)(void);
	enum verdict_class class;
};

static const struct table_program programs[] = {
	{ "a neighbour's pointer is read-only for a moment", "vtdss", pointer_read_only, VERDICT_WRONG_PERMISSION },
	{ "a neighbour's pointer has an ignored bit for a moment", "vtdss", pointer_marked, VERDICT_NR },
	{ "half of a neighbour's pointer is zero for a moment", "amdv1", pointer_half_zero, VERDICT_TORN_ENTRY },
	{ "half of a neighbour's pointer is stored again", "amdv1", pointer_half_again, VERDICT_NR },
	{ "a leaf of 2M that there was for a moment is not invalidated", "armv8_4k stage=2 bbm=2 pgsizes=0x40201000",
	  cut_forgets_the_first_leaf, VERDICT_STALE_IOTLB },
	{ "a leaf of 2M that there was for a moment is invalidated", "armv8_4k stage=2 bbm=2 pgsizes=0x40201000", cut_forgets_both_leaves,
	  VERDICT_NR },
	{ "a leaf rewritten in a private table", "vtdss", map_leaf_rewritten, VERDICT_NR },
	{ "a table linked by the high half, then the low one", "vtdss tables=high", map_linked_high_half_first, VERDICT_NR },
	{ "a table linked by the low half, then the high one", "vtdss tables=high", map_linked_low_half_first, VERDICT_TORN_ENTRY },
	{ "pages folded into a group in a private table", "armv8_4k bbm=0", map_folded_before_it_is_linked, VERDICT_NR },
	{ "pages folded into a group in a linked table", "armv8_4k bbm=0", map_folded_after_it_is_linked, VERDICT_UNDECLARED_BREAK },
	{ "pages folded into a group, which may be", "armv8_4k bbm=2", map_folded_after_it_is_linked, VERDICT_NR },
	{ "the DMA mapping of a linked table is ended", "vtdss coherent=0", unmap_dma_ended_of_a_linked_table, VERDICT_USE_AFTER_FREE },
	{ "the DMA mapping is ended before the sync", "vtdss coherent=0", unmap_dma_ended_before_the_sync, VERDICT_STALE_WALK_CACHE },
	{ "the DMA mapping is ended after the sync", "vtdss coherent=0", unmap_dma_ended_after_the_sync, VERDICT_NR },
	{ "tables unlinked, synced, taken apart", "vtdss", unmap_apart_after_the_sync, VERDICT_NR },
	{ "tables unlinked, taken apart, synced", "vtdss", unmap_apart_before_the_sync, VERDICT_USE_AFTER_FREE },
	{ "deferred, a pointer cleared and not written back", "vtdss coherent=0 defer=1", unmap_deferred_not_flushed,
	  VERDICT_MISSING_FLUSH },
	{ "deferred, a pointer cleared and written back", "vtdss coherent=0 defer=1", unmap_deferred_flushed, VERDICT_NR },
	{ "a leaf over an empty table, holes not invalidated", "vtdss tlb=generic negcache=1", map_over_empty_holes_kept,
	  VERDICT_STALE_IOTLB },
	{ "a leaf over an empty table, holes invalidated", "vtdss tlb=generic negcache=1", map_over_empty_holes_gone, VERDICT_NR },
	{ "a pointer upgraded, the old one not invalidated", "vtdss", map_upgrades_pointer_cached, VERDICT_STALE_WALK_CACHE },
	{ "a pointer upgraded, the old one invalidated", "vtdss", map_upgrades_pointer_forgotten, VERDICT_NR },
	{ "an item of a group twice as wide for a moment", "amdv1", cut_group_too_wide, VERDICT_WRONG_OA },
	{ "a group cut item by item", "amdv1", cut_group_in_halves, VERDICT_NR },
	{ "the old root is linked into the wrong slot", "amdv1", map_grows_beside_the_old_root, VERDICT_WRONG_OA },
	{ "the old root is linked into the first slot", "amdv1", map_grows_over_the_old_root, VERDICT_NR },
};

static void test_table_programs__operations(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		const struct table_program *p = &programs[i];

		program_open(p->config);
		p->run();
		program_end();
		program_expect(p->name, p->class);
		exec_abandon(x);
	}
}

/* --- a domain is made, a domain is torn down --- */

static void created(void)
{
	check_created(&x->check, x->check.hw.cap_size_change, x->check.hw.cap_leaf_to_table);
}

/* What the device finds in a new root, if it may reach it at all, are zeroes that were written back. */
static void test_table_programs__creation(void **state)
{
	static const struct {
		const char *name;
		bool mapped, flushed;
		enum verdict_class class;
	} roots[] = {
		{ "a root mapped and written back", true, true, VERDICT_NR },
		{ "a root not written back", true, false, VERDICT_MISSING_FLUSH },
		{ "a root not mapped for the device", false, true, VERDICT_MISSING_FLUSH },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		const char *why = "";
		uint64_t root;

		/* For the configuration; then again, without the engine. */
		program_open("vtdss coherent=0");
		exec_abandon(x);
		mem_reset(&x->mem, x->mem.view.pa);
		mem_observe(&x->mem, true);
		assert_int_equal(check_init(&x->check, &x->cfg, &x->mem.view, x->check.report, x->check.report_arg, &why), 0);
		root = mem_alloc(&x->mem, SIZE_4K, 12);
		if (roots[i].mapped)
			mem_dma_map(&x->mem, root, SIZE_4K);
		if (roots[i].flushed)
			program_flush(root, SIZE_4K);
		mem_top(&x->mem, root, x->check.hw.top_level_max);
		program_try(created);
		program_expect(roots[i].name, roots[i].class);
		exec_abandon(x);
	}
}

static void destroyed(void)
{
	check_destroyed(&x->check);
}

static void test_table_programs__teardown(void **state)
{
	static const struct {
		const char *name;
		bool unmapped, freed;
		enum verdict_class class;
	} roots[] = {
		{ "a root that the device can no more reach, freed", true, true, VERDICT_NR },
		{ "a root that the device can still reach, freed", false, true, VERDICT_LEAK },
		{ "a root not freed", true, false, VERDICT_LEAK },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		program_open("vtdss coherent=0");
		mem_begin_op(&x->mem, UINT64_MAX, 0);
		if (roots[i].unmapped)
			mem_dma_unmap(&x->mem, x->mem.view.root, SIZE_4K);
		if (roots[i].freed)
			mem_free(&x->mem, x->mem.view.root);
		program_try(destroyed);
		program_expect(roots[i].name, roots[i].class);
		exec_abandon(x);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_programs__operations),
		cmocka_unit_test(test_table_programs__creation),
		cmocka_unit_test(test_table_programs__teardown),
	};

	return cmocka_run_group_tests(tests, program_set_up, program_tear_down);
}
