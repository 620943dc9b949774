/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_hw_x86_64.c - the long-mode (AMD v2, VT-d first stage) decoder against vectors worked out by hand from the AMD64 APM
 * volume 2 section 5.3 and from VT-d D51397 revision 4.1 section 9.7.
 *
 * Not a test of the walk or of the engine.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../oracle/hw.h"

extern const struct hw_format hw_format_x86_64;

enum { PLAIN, AD, FIVE, INCOHERENT, TINY2, TINY4, CFG_NR };

static const struct config configs[CFG_NR] = {
	[PLAIN] = { .format = "x86_64", .levels = 4, .ias = 48, .oas = 46, .coherent = 1 },
	[AD] = { .format = "x86_64", .levels = 4, .ias = 48, .oas = 52, .sign = 1, .ad = 1, .coherent = 1 },
	[FIVE] = { .format = "x86_64", .levels = 5, .ias = 57, .oas = 52, .sign = 1, .coherent = 1 },
	[INCOHERENT] = { .format = "x86_64", .levels = 4, .ias = 48, .oas = 52 },
	[TINY2] = { .format = "x86_64", .levels = 4, .ias = 20, .oas = 46, .tiny = 2, .coherent = 1, .sign = 1 },
	[TINY4] = { .format = "x86_64", .levels = 2, .ias = 20, .oas = 46, .tiny = 4, .coherent = 1 },
};

static struct hw hw_of(unsigned which)
{
	struct hw hw = { .format = &hw_format_x86_64, .cfg = configs[which] };
	const char *why = NULL;

	assert_int_equal(hw.format->init(&hw, &why), 0);
	return hw;
}

struct leaf_vector {
	const char *what;
	unsigned cfg, level;
	uint64_t raw;
	unsigned size_lg2, prot;
	bool accessed, dirty;
	uint64_t pa;
};

/* Low byte 0x67: D A US RW P. 0x7f also PCD PWT. 0x80 PS. Bit 63 XD. */
static const struct leaf_vector leaves[] = {
	{ "4K rwx", PLAIN, 0, 0x0000000012345067, 12, PROT_ACCESS, true, true, 0x12345000 },
	{ "4K rw", PLAIN, 0, 0x8000000012345067, 12, PROT_R | PROT_W, true, true, 0x12345000 },
	{ "4K rx", PLAIN, 0, 0x0000000012345065, 12, PROT_R | PROT_X, true, true, 0x12345000 },
	{ "4K r, D need not be preset", PLAIN, 0, 0x8000000012345025, 12, PROT_R, true, true, 0x12345000 },
	{ "4K rw privileged", PLAIN, 0, 0x8000000012345063, 12, PROT_R | PROT_W | PROT_PRIV, true, true, 0x12345000 },
	{ "4K rw uncached", PLAIN, 0, 0x800000001234507f, 12, PROT_R | PROT_W | PROT_MMIO, true, true, 0x12345000 },
	{ "4K at 0", PLAIN, 0, 0x8000000000000067, 12, PROT_R | PROT_W, true, true, 0 },
	{ "4K at the top of 46 bits", PLAIN, 0, 0x80003ffffffff067, 12, PROT_R | PROT_W, true, true, 0x3ffffffff000 },
	{ "4K at the top of 52 bits", FIVE, 0, 0x800ffffffffff067, 12, PROT_R | PROT_W, true, true, 0xffffffffff000 },
	{ "G, 11:9 and 62:52 ignored", PLAIN, 0, 0xfff0000012345f67, 12, PROT_R | PROT_W, true, true, 0x12345000 },
	{ "2M", PLAIN, 1, 0x80000000122000e7, 21, PROT_R | PROT_W, true, true, 0x12200000 },
	{ "2M uncached", PLAIN, 1, 0x80000000122000ff, 21, PROT_R | PROT_W | PROT_MMIO, true, true, 0x12200000 },
	{ "1G", PLAIN, 2, 0x00000000c00000e7, 30, PROT_ACCESS, true, true, 0xc0000000 },
	{ "A=0 D=0", AD, 0, 0x8000000012345007, 12, PROT_R | PROT_W, false, false, 0x12345000 },
	{ "A=1 D=0", AD, 0, 0x8000000012345027, 12, PROT_R | PROT_W, true, false, 0x12345000 },
	{ "A=1 D=1", AD, 1, 0x80000000122000e7, 21, PROT_R | PROT_W, true, true, 0x12200000 },
	{ "tiny 4K", TINY2, 0, 0x8000000012345067, 12, PROT_R | PROT_W, true, true, 0x12345000 },
	{ "tiny 16K", TINY2, 1, 0x80000000123440e7, 14, PROT_R | PROT_W, true, true, 0x12344000 },
	{ "tiny 64K", TINY2, 2, 0x80000000123400e7, 16, PROT_R | PROT_W, true, true, 0x12340000 },
	{ "tiny 4-bit 64K", TINY4, 1, 0x80000000123400e7, 16, PROT_R | PROT_W, true, true, 0x12340000 },
};

static void test_hw_x86_64__decodes_leaves(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
		const struct leaf_vector *v = &leaves[i];
		struct hw hw = hw_of(v->cfg);
		struct hw_entry e = hw.format->decode(&hw, v->level, v->raw);

		if (e.kind != HW_LEAF)
			fail_msg("%s: kind %u, %s", v->what, e.kind, e.why ? e.why : "-");
		if (e.size_lg2 != v->size_lg2 || e.span_lg2 != v->size_lg2 || e.prot != v->prot || e.accessed != v->accessed ||
		    e.dirty != v->dirty || e.pa != v->pa)
			fail_msg("%s: size %u span %u prot %x A %u D %u pa %llx", v->what, e.size_lg2, e.span_lg2, e.prot, e.accessed,
				 e.dirty, (unsigned long long)e.pa);
		assert_true(hw.leaf_sizes >> e.size_lg2 & 1);
	}
}

struct table_vector {
	const char *what;
	unsigned cfg, level;
	uint64_t raw;
	unsigned prot;
	uint64_t pa;
};

static const struct table_vector tables[] = {
	{ "PDE", PLAIN, 1, 0x0000000012345027, PROT_ACCESS, 0x12345000 },
	{ "PDPE", PLAIN, 2, 0x0000000012345027, PROT_ACCESS, 0x12345000 },
	{ "PML4E", PLAIN, 3, 0x0000000012345027, PROT_ACCESS, 0x12345000 },
	{ "PML5E", FIVE, 4, 0x000ffffffffff027, PROT_ACCESS, 0xffffffffff000 },
	{ "RW=0", PLAIN, 1, 0x0000000012345025, PROT_R | PROT_X, 0x12345000 },
	{ "XD=1", PLAIN, 2, 0x8000000012345027, PROT_R | PROT_W, 0x12345000 },
	{ "US=0 makes all below privileged", PLAIN, 3, 0x0000000012345023, PROT_ACCESS | PROT_PRIV, 0x12345000 },
	{ "A=0, snooped", PLAIN, 1, 0x0000000012345007, PROT_ACCESS, 0x12345000 },
	{ "A=1, not snooped", INCOHERENT, 1, 0x0000000012345027, PROT_ACCESS, 0x12345000 },
	{ "PCD, PWT, 6, 8, 11:9, 62:52 of a PDE", PLAIN, 1, 0x7ff0000012345f7f, PROT_ACCESS, 0x12345000 },
	{ "PCD, PWT, 6, 11:9, 62:52 of a PML4E", PLAIN, 3, 0x7ff0000012345e7f, PROT_ACCESS, 0x12345000 },
	{ "tiny", TINY2, 3, 0x0000000012345027, PROT_ACCESS, 0x12345000 },
};

static void test_hw_x86_64__decodes_tables(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		const struct table_vector *v = &tables[i];
		struct hw hw = hw_of(v->cfg);
		struct hw_entry e = hw.format->decode(&hw, v->level, v->raw);

		if (e.kind != HW_TABLE || e.level != v->level - 1 || e.prot != v->prot || e.pa != v->pa)
			fail_msg("%s: kind %u level %u prot %x pa %llx %s", v->what, e.kind, e.level, e.prot, (unsigned long long)e.pa,
				 e.why ? e.why : "");
	}
}

static void test_hw_x86_64__p_clear_is_empty(void **state)
{
	static const uint64_t raws[] = { 0, 2, 0x12345066, 0x12200080, ~UINT64_C(1) };
	struct hw hw = hw_of(FIVE);
	unsigned i, level;

	(void)state;
	for (i = 0; i < sizeof(raws) / sizeof(raws[0]); i++)
		for (level = 0; level <= hw.top_level_max; level++)
			assert_int_equal(hw.format->decode(&hw, level, raws[i]).kind, HW_EMPTY);
}

struct bad_vector {
	unsigned cfg, level;
	uint64_t raw;
	const char *why; /* part of it */
};

static const struct bad_vector bads[] = {
	/* 51:oas */
	{ PLAIN, 0, 0x8000400012345067, "physical address width" },
	{ PLAIN, 0, 0x8008000012345067, "physical address width" },
	{ PLAIN, 1, 0x0000400012345027, "physical address width" },
	{ PLAIN, 2, 0x00004000c00000e7, "physical address width" },
	{ PLAIN, 3, 0x0008000012345027, "physical address width" },
	/* 7 and 8 of PML4E and PML5E */
	{ PLAIN, 3, 0x00000000123450a7, "PS" },
	{ FIVE, 4, 0x00000000123450a7, "PS" },
	{ TINY2, 3, 0x00000000123400e7, "PS" },
	{ PLAIN, 3, 0x0000000012345127, "bit 8" },
	{ FIVE, 4, 0x0000000012345127, "bit 8" },
	/* 20:13 and 29:13 */
	{ PLAIN, 1, 0x80000000122020e7, "below the page size" },
	{ PLAIN, 1, 0x80000000123000e7, "below the page size" },
	{ PLAIN, 2, 0x80000000c00020e7, "below the page size" },
	{ PLAIN, 2, 0x80000000e00000e7, "below the page size" },
	{ TINY2, 1, 0x80000000123460e7, "below the page size" },
	{ TINY2, 2, 0x80000000123440e7, "below the page size" },
	/* memory types */
	{ PLAIN, 0, 0x80000000123450e7, "PAT" },
	{ PLAIN, 1, 0x80000000122010e7, "PAT" },
	{ PLAIN, 2, 0x80000000c00010e7, "PAT" },
	{ TINY2, 1, 0x80000000123450e7, "PAT" },
	{ PLAIN, 0, 0x800000001234506f, "PCD" },
	{ PLAIN, 0, 0x8000000012345077, "PCD" },
	{ PLAIN, 1, 0x80000000122000f7, "PCD" },
	{ PLAIN, 0, 0x80000000123450ff, "PAT" },
	/* presets */
	{ PLAIN, 0, 0x8000000012345047, "A is not preset" },
	{ PLAIN, 0, 0x8000000012345005, "A is not preset" },
	{ PLAIN, 0, 0x8000000012345027, "D of a writable" },
	{ INCOHERENT, 1, 0x80000000122000a7, "D of a writable" },
	{ INCOHERENT, 1, 0x0000000012345007, "A = 0" },
	{ INCOHERENT, 3, 0x0000000012345007, "A = 0" },
};

static void test_hw_x86_64__rejects_reserved_bits_and_foreign_types(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		struct hw hw = hw_of(bads[i].cfg);
		struct hw_entry e = hw.format->decode(&hw, bads[i].level, bads[i].raw);

		if (e.kind != HW_BAD)
			fail_msg("%#llx at level %u: kind %u", (unsigned long long)bads[i].raw, bads[i].level, e.kind);
		if (!strstr(e.why, bads[i].why))
			fail_msg("%#llx at level %u: %s", (unsigned long long)bads[i].raw, bads[i].level, e.why);
	}
}

static void test_hw_x86_64__touch_sets_accessed_and_dirty(void **state)
{
	struct hw ad = hw_of(AD), no = hw_of(PLAIN);

	(void)state;
	assert_int_equal(ad.format->touch(&ad, 0, 0x8000000012345007, false), 0x8000000012345027);
	assert_int_equal(ad.format->touch(&ad, 0, 0x8000000012345007, true), 0x8000000012345067);
	assert_int_equal(ad.format->touch(&ad, 1, 0x80000000122000e7, false), 0x80000000122000e7);
	assert_int_equal(no.format->touch(&no, 0, 0x8000000012345067, true), 0x8000000012345067);
	assert_int_equal(ad.ad_mask, 0x60);
	assert_int_equal(no.ad_mask, 0);
	assert_true(ad.has_dirty);
	assert_false(no.has_dirty);
}

static void test_hw_x86_64__expressible_follows_the_table(void **state)
{
	struct hw hw = hw_of(PLAIN);
	unsigned prot;

	(void)state;
	for (prot = 0; prot <= PROT_ALL; prot++)
		if (prot & PROT_ACCESS)
			assert_int_equal(hw.format->expressible(&hw, prot), (prot & PROT_R) && !(prot & PROT_CACHE));
}

static void test_hw_x86_64__geometry(void **state)
{
	static const struct {
		unsigned cfg, top, index_lg2;
		bool high;
		uint64_t last, first, leaf_sizes;
	} rows[] = {
		{ PLAIN, 3, 9, false, 0x00007fffffffffff, 0, 0x40201000 },
		{ AD, 3, 9, true, 0x00007fffffffffff, 0xffff800000000000, 0x40201000 },
		{ FIVE, 4, 9, true, 0x00ffffffffffffff, 0xff00000000000000, 0x40201000 },
		{ TINY2, 3, 2, true, 0x7ffff, 0xfffffffffff80000, 0x15000 },
		{ TINY4, 1, 4, false, 0x7ffff, 0, 0x11000 },
	};
	unsigned i, l;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hw hw = hw_of(rows[i].cfg);

		assert_int_equal(hw.item_bytes_lg2, 3);
		assert_int_equal(hw.top_level, rows[i].top);
		assert_int_equal(hw.top_level_max, rows[i].top);
		assert_true(hw.has_low);
		assert_int_equal(hw.has_high, rows[i].high);
		assert_int_equal(hw.iova_low_last, rows[i].last);
		assert_int_equal(hw.iova_high_first, rows[i].first);
		assert_int_equal(hw.leaf_sizes, rows[i].leaf_sizes);
		assert_int_equal(hw.oa_lg2, hw.cfg.oas);
		assert_int_equal(hw.oa_carry_lg2, 64);
		for (l = 0; l <= hw.top_level_max; l++) {
			assert_int_equal(hw.item_lg2[l], 12 + l * rows[i].index_lg2);
			assert_int_equal(hw.index_lg2[l], rows[i].index_lg2);
			assert_int_equal(hw.table_align_lg2[l], 12);
			assert_int_equal(hw.oa_step_lg2[l], hw.item_lg2[l]);
		}
	}
}

static void test_hw_x86_64__only_canonical_iovas_are_valid(void **state)
{
	static const struct {
		unsigned cfg;
		uint64_t iova;
		bool valid;
	} rows[] = {
		{ AD, 0, true },
		{ AD, 0x00007fffffffffff, true },
		{ AD, 0x0000800000000000, false },
		{ AD, 0xffff7fffffffffff, false },
		{ AD, 0xffff800000000000, true },
		{ AD, UINT64_MAX, true },
		{ PLAIN, 0x00007fffffffffff, true },
		{ PLAIN, 0x0000800000000000, false },
		{ PLAIN, UINT64_MAX, false },
		{ TINY2, 0x7ffff, true },
		{ TINY2, 0x80000, false },
		{ TINY2, 0xfffffffffff80000, true },
	};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hw hw = hw_of(rows[i].cfg);

		assert_int_equal(hw_iova_valid(&hw, rows[i].iova), rows[i].valid);
	}
}

static void test_hw_x86_64__init_rejects_impossible_configurations(void **state)
{
	static const struct config rows[] = {
		{ .levels = 3, .ias = 39, .oas = 46 },
		{ .levels = 6, .ias = 66, .oas = 46 },
		{ .levels = 4, .ias = 47, .oas = 46 },
		{ .levels = 4, .ias = 57, .oas = 46 },
		{ .levels = 5, .ias = 48, .oas = 46 },
		{ .levels = 4, .ias = 48, .oas = 53 },
		{ .levels = 4, .ias = 48, .oas = 31 },
		{ .levels = 4, .ias = 48, .oas = 46, .sign = 2 },
		{ .levels = 4, .ias = 48, .oas = 46, .ad = 2, .coherent = 1 },
		{ .levels = 4, .ias = 48, .oas = 46, .ad = 1 },
		{ .levels = 4, .ias = 16, .oas = 46, .tiny = 1 },
		{ .levels = 1, .ias = 17, .oas = 46, .tiny = 5 },
		{ .levels = 3, .ias = 20, .oas = 46, .tiny = 2 },
		{ .levels = 3, .ias = 21, .oas = 46, .tiny = 3 },
		{ .levels = 0, .ias = 12, .oas = 46, .tiny = 2 },
	};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hw hw = { .format = &hw_format_x86_64, .cfg = rows[i] };
		const char *why = NULL;

		if (hw.format->init(&hw, &why) != -EINVAL || !why)
			fail_msg("row %u was accepted", i);
	}
}

static void test_hw_x86_64__fields_name_every_bit(void **state)
{
	struct hw hw = hw_of(PLAIN);
	char buf[256];

	(void)state;
	hw.format->fields(&hw, 1, 0x80000000122010e7, buf, sizeof(buf));
	assert_string_equal(buf, "P=1 RW=1 US=1 PWT=0 PCD=0 A=1 D=1 PS=1 G=0 avl11:9=0 ADDR=0x12200000 PAT12=1 avl62:52=0x0 XD=1");
	hw.format->fields(&hw, 0, 0x12345067, buf, sizeof(buf));
	assert_string_equal(buf, "P=1 RW=1 US=1 PWT=0 PCD=0 A=1 D=1 PAT=0 G=0 avl11:9=0 ADDR=0x12345000 PAT12=0 avl62:52=0x0 XD=0");
	hw.format->fields(&hw, 1, ~UINT64_C(0), buf, 6);
	assert_string_equal(buf, "P=1 R");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hw_x86_64__decodes_leaves),
		cmocka_unit_test(test_hw_x86_64__decodes_tables),
		cmocka_unit_test(test_hw_x86_64__p_clear_is_empty),
		cmocka_unit_test(test_hw_x86_64__rejects_reserved_bits_and_foreign_types),
		cmocka_unit_test(test_hw_x86_64__touch_sets_accessed_and_dirty),
		cmocka_unit_test(test_hw_x86_64__expressible_follows_the_table),
		cmocka_unit_test(test_hw_x86_64__geometry),
		cmocka_unit_test(test_hw_x86_64__only_canonical_iovas_are_valid),
		cmocka_unit_test(test_hw_x86_64__init_rejects_impossible_configurations),
		cmocka_unit_test(test_hw_x86_64__fields_name_every_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
