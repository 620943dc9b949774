/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_hw_toy.c - the toy decoder against items worked out by hand from the specification.
 *
 * Not a test of the walk or of the engine.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "../oracle/hw.h"

extern const struct hw_format hw_format_toy;

static struct hw toy_hw(void)
{
	struct hw hw = { .format = &hw_format_toy, .cfg = { .format = "toy", .levels = 3, .ias = 39, .oas = 44, .coherent = 1 } };
	const char *why = "";

	if (hw.format->init(&hw, &why))
		fail_msg("%s", why);
	return hw;
}

/* One item and what it means: raw as the specification draws it, field by field; for HW_BAD at least one item for each reserved bit. */
static const struct vector {
	const char *what;
	unsigned level;
	uint64_t raw;
	enum hw_kind kind;
	unsigned size_lg2, prot;
	uint64_t pa;
} vectors[] = {
	{ "a zeroed item", 0, 0, HW_EMPTY, 0, 0, 0 },
	{ "P=0: nothing else counts", 1, 0xfffffffffffffffe, HW_EMPTY, 0, 0, 0 },
	{ "4K, read", 0, 0x0000000001234501, HW_LEAF, 12, PROT_R, 0x12345000 },
	{ "4K, read and write", 0, 0x0000000001234505, HW_LEAF, 12, PROT_R | PROT_W, 0x12345000 },
	{ "4K at the top of 44 bits", 0, 0x000000ffffffff01, HW_LEAF, 12, PROT_R, 0xffffffff000 },
	{ "63:62 are ignored", 0, 0xc000000001234505, HW_LEAF, 12, PROT_R | PROT_W, 0x12345000 },
	{ "2M", 1, 0x0000000001220005, HW_LEAF, 21, PROT_R | PROT_W, 0x12200000 },
	{ "2M, misaligned", 1, 0x0000000001220105, HW_BAD, 0, 0, 0 },
	{ "a leaf at level 2", 2, 0x0000000004000001, HW_BAD, 0, 0, 0 },
	{ "a pointer at level 2", 2, 0x0000000001234503, HW_TABLE, 0, 0, 0x12345000 },
	{ "a pointer at level 1, software bits", 1, 0xc000000001234503, HW_TABLE, 0, 0, 0x12345000 },
	{ "a pointer with W", 1, 0x0000000001234507, HW_BAD, 0, 0, 0 },
	{ "a pointer at level 0", 0, 0x0000000001234503, HW_BAD, 0, 0, 0 },
	{ "bit 3", 0, 0x0000000001234509, HW_BAD, 0, 0, 0 },
	{ "bit 7", 0, 0x0000000001234581, HW_BAD, 0, 0, 0 },
	{ "bit 40", 0, 0x0000010001234501, HW_BAD, 0, 0, 0 },
	{ "bit 61", 1, 0x2000000001234503, HW_BAD, 0, 0, 0 },
};

static void test_hw_toy__decodes(void **state)
{
	struct hw hw = toy_hw();
	unsigned i;

	(void)state;
	if (!hw.format->decode) {
		print_message("hw_toy.c has no decoder yet\n");
		skip();
	}
	/* A decoder is there: a zeroed item alone says nothing of it. */
	assert_true(sizeof(vectors) / sizeof(vectors[0]) > 8);
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct vector *v = &vectors[i];
		struct hw_entry e = hw.format->decode(&hw, v->level, v->raw);

		if (e.kind != v->kind || (e.kind == HW_LEAF && (e.size_lg2 != v->size_lg2 || e.prot != v->prot)) || e.pa != v->pa)
			fail_msg("%s: kind %u, size 2^%u, prot %x, pa 0x%llx, %s", v->what, e.kind, e.size_lg2, e.prot,
				 (unsigned long long)e.pa, e.why ? e.why : "");
	}
}

static void test_hw_toy__geometry(void **state)
{
	struct hw hw = toy_hw();
	unsigned top = hw.top_level;

	(void)state;
	assert_int_equal(hw.item_lg2[0], 12);
	assert_true(hw.item_lg2[top] + hw.index_lg2[top] >= hw.cfg.ias);
	assert_true(hw.leaf_sizes & UINT64_C(1) << 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hw_toy__decodes),
		cmocka_unit_test(test_hw_toy__geometry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
