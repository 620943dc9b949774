/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_trait_programs.c - what an engine that declares to differ may do, and what it may not do all the same: operations issued by hand on a
 * domain to which a trait was given.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "program.h"

#define AT UINT64_C(0x40000000)
#define OA UINT64_C(0x180000000)
#define PAGE UINT64_C(0x1000)
#define SPAN UINT64_C(0x200000)
#define VTD_DIRTY (UINT64_C(3) << 8) /* accessed and dirty in a second-stage entry */

static void open_with(const char *config, unsigned traits)
{
	program_open(config);
	program.x.check.traits.set = (uint16_t)traits;
}

static void expect(const char *name, enum verdict_class class)
{
	program_end();
	program_expect(name, class);
	exec_abandon(&program.x);
}

/* The third of four pages is mapped already. */
static void test_trait_programs__short_map(void **state)
{
	static const struct {
		const char *name;
		unsigned trait;
		uint64_t granules;
		enum verdict_class class;
	} cases[] = {
		{ "nothing, undeclared", 0, 0, VERDICT_WRONG_RETURN },
		{ "nothing", TRAIT_SHORT_MAP, 0, VERDICT_NR },
		{ "one", TRAIT_SHORT_MAP, 1, VERDICT_NR },
		{ "all that there is room for", TRAIT_SHORT_MAP, 2, VERDICT_NR },
		{ "one too many", TRAIT_SHORT_MAP, 3, VERDICT_WRONG_RETURN },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct walk_step leaf;
		unsigned k;

		open_with("vtdss", cases[i].trait);
		program_map(AT + 2 * PAGE, AT + 3 * PAGE - 1, OA, PROGRAM_RW);
		leaf = program_leaf(AT + 2 * PAGE);
		program_begin((struct call){ .kind = CALL_MAP, .iova = AT, .last = AT + 4 * PAGE - 1, .oa = OA + SPAN, .prot = PROGRAM_RW },
			      (struct call_result){ .ret = -EADDRINUSE, .granules = cases[i].granules });
		for (k = 0; k < cases[i].granules && k < 2; k++)
			program_store(leaf.pa - 16 + 8 * k, leaf.raw + SPAN + k * PAGE);
		expect(cases[i].name, cases[i].class);
	}
}

/* A leaf of 2M, of which a page is to be unmapped. */
static void test_trait_programs__whole_leaves(void **state)
{
	static const struct {
		const char *name;
		unsigned trait;
		uint64_t granules;
		enum verdict_class class;
	} cases[] = {
		{ "goes", 0, 512, VERDICT_NR },
		{ "stays, undeclared", 0, 0, VERDICT_WRONG_RETURN },
		{ "stays", TRAIT_WHOLE_LEAVES, 0, VERDICT_NR },
		{ "goes, though declared", TRAIT_WHOLE_LEAVES, 512, VERDICT_WRONG_RETURN },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_with("vtdss", cases[i].trait);
		program_map(AT, AT + SPAN - 1, OA, PROGRAM_RW);
		program_begin((struct call){ .kind = CALL_UNMAP, .iova = AT, .last = AT + PAGE - 1 },
			      (struct call_result){ .granules = cases[i].granules });
		if (cases[i].granules) {
			program_store(program_leaf(AT).pa, 0);
			program_invalidate(AT, AT + SPAN - 1, 1, 21);
		}
		expect(cases[i].name, cases[i].class);
	}
}

/* The 512 pages of a table are unmapped at once, and it stays or goes. */
static void test_trait_programs__tables_by_size(void **state)
{
	static const struct {
		const char *name, *config;
		unsigned trait;
		bool frees;
		enum verdict_class class;
	} cases[] = {
		{ "goes", "vtdss pgsizes=0x1000", 0, true, VERDICT_NR },
		{ "stays, undeclared", "vtdss pgsizes=0x1000", 0, false, VERDICT_LEAK },
		{ "stays", "vtdss pgsizes=0x1000", TRAIT_TABLES_BY_SIZE, false, VERDICT_NR },
		{ "goes, though there is no such page", "vtdss pgsizes=0x1000", TRAIT_TABLES_BY_SIZE, true, VERDICT_OVER_FREE },
		{ "goes, as there is such a page", "vtdss pgsizes=0x201000", TRAIT_TABLES_BY_SIZE, true, VERDICT_NR },
		{ "stays, though there is such a page", "vtdss pgsizes=0x201000", TRAIT_TABLES_BY_SIZE, false, VERDICT_LEAK },
		{ "goes, and the page is larger than the range", "vtdss pgsizes=0x40001000", TRAIT_TABLES_BY_SIZE, true,
		  VERDICT_OVER_FREE },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct walk_step leaf, pointer;

		open_with(cases[i].config, cases[i].trait);
		/* Out of step by a page, so that it is pages in any case. */
		program_map(AT, AT + SPAN - 1, OA + PAGE, PROGRAM_RW);
		leaf = program_leaf(AT);
		pointer = program_pointer(AT);
		program_begin((struct call){ .kind = CALL_UNMAP, .iova = AT, .last = AT + SPAN - 1 },
			      (struct call_result){ .granules = 512 });
		if (cases[i].frees) {
			program_store(pointer.pa, 0);
			program_invalidate_pointers(AT, AT + SPAN - 1, 1);
			mem_free(&program.x.mem, leaf.pa);
		} else {
			mem_fill(&program.x.mem, leaf.pa, 3, 512, 0, 0);
			program_invalidate(AT, AT + SPAN - 1, 0, 12);
		}
		expect(cases[i].name, cases[i].class);
	}
}

/* A page is mapped, beside one that the engine made, with its dirty bit set or not. */
static void test_trait_programs__born_dirty(void **state)
{
	static const struct {
		const char *name;
		unsigned trait, prot;
		bool dirty;
		enum verdict_class class;
	} cases[] = {
		{ "clean", 0, PROGRAM_RW, false, VERDICT_NR },
		{ "dirty, undeclared", 0, PROGRAM_RW, true, VERDICT_PHANTOM_DIRTY },
		{ "dirty", TRAIT_BORN_DIRTY, PROGRAM_RW, true, VERDICT_NR },
		{ "clean, though declared", TRAIT_BORN_DIRTY, PROGRAM_RW, false, VERDICT_LOST_DIRTY },
		{ "read-only and dirty", TRAIT_BORN_DIRTY, PROT_R, true, VERDICT_PHANTOM_DIRTY },
		{ "read-only and clean", TRAIT_BORN_DIRTY, PROT_R, false, VERDICT_NR },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct walk_step leaf;

		program_open("vtdss ad=1");
		program_map(AT, AT + PAGE - 1, OA, cases[i].prot);
		program.x.check.traits.set = (uint16_t)cases[i].trait;
		leaf = program_leaf(AT);
		program_begin(
			(struct call){
				.kind = CALL_MAP, .iova = AT + PAGE, .last = AT + 2 * PAGE - 1, .oa = OA + SPAN, .prot = cases[i].prot },
			(struct call_result){ .granules = 1 });
		program_store(leaf.pa + 8, (leaf.raw + SPAN) | (cases[i].dirty ? VTD_DIRTY : 0));
		expect(cases[i].name, cases[i].class);
	}
}

/* Four pages are unmapped in one run of stores, and then invalidated one by one, each with a sync of its own. */
static void test_trait_programs__own_sync_in_parts(void **state)
{
	static const struct {
		const char *name;
		unsigned trait;
		int order[4];
		enum verdict_class class;
	} cases[] = {
		{ "undeclared", 0, { 0, 1, 2, 3 }, VERDICT_STALE_IOTLB },
		{ "forwards", TRAIT_OWN_SYNC, { 0, 1, 2, 3 }, VERDICT_NR },
		{ "backwards", TRAIT_OWN_SYNC, { 3, 2, 1, 0 }, VERDICT_NR },
		{ "from the middle", TRAIT_OWN_SYNC, { 2, 0, 3, 1 }, VERDICT_NR },
		{ "without the first", TRAIT_OWN_SYNC, { 3, 2, 1, -1 }, VERDICT_STALE_IOTLB },
		{ "without one in the middle", TRAIT_OWN_SYNC, { 0, 3, 1, -1 }, VERDICT_STALE_IOTLB },
		{ "without the last", TRAIT_OWN_SYNC, { 1, 0, 2, -1 }, VERDICT_STALE_IOTLB },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned k;

		open_with("vtdss tlb=generic", cases[i].trait);
		program_map(AT, AT + 4 * PAGE - 1, OA, PROGRAM_RW);
		program_begin((struct call){ .kind = CALL_UNMAP, .iova = AT, .last = AT + 4 * PAGE - 1 },
			      (struct call_result){ .granules = 4 });
		mem_fill(&program.x.mem, program_leaf(AT).pa, 3, 4, 0, 0);
		for (k = 0; k < 4 && cases[i].order[k] >= 0; k++) {
			uint64_t iova = AT + (uint64_t)cases[i].order[k] * PAGE;

			program_invalidate(iova, iova + PAGE - 1, 0, 12);
		}
		expect(cases[i].name, cases[i].class);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trait_programs__short_map),         cmocka_unit_test(test_trait_programs__whole_leaves),
		cmocka_unit_test(test_trait_programs__tables_by_size),    cmocka_unit_test(test_trait_programs__born_dirty),
		cmocka_unit_test(test_trait_programs__own_sync_in_parts),
	};

	return cmocka_run_group_tests(tests, program_set_up, program_tear_down);
}
