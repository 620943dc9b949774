/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_hw_amdv1.c - the AMD host page table decoder against vectors worked out by hand from 48882 section 2.2.3.
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

extern const struct hw_format hw_format_amdv1;

enum { FULL, FULL_AD, CBIT47, OAS40, IAS48, IAS40, TINY2, TINY4, CFG_NR };

static const struct config configs[CFG_NR] = {
	[FULL] = { .format = "amdv1", .levels = 3, .ias = 64, .oas = 52 },
	[FULL_AD] = { .format = "amdv1", .levels = 6, .ias = 64, .oas = 52, .ad = 1 },
	[CBIT47] = { .format = "amdv1", .levels = 4, .ias = 64, .oas = 47, .cbit = 47 },
	[OAS40] = { .format = "amdv1", .levels = 4, .ias = 64, .oas = 40 },
	[IAS48] = { .format = "amdv1", .levels = 1, .ias = 48, .oas = 52 },
	[IAS40] = { .format = "amdv1", .levels = 4, .ias = 40, .oas = 52 },
	[TINY2] = { .format = "amdv1", .levels = 2, .ias = 20, .oas = 52, .tiny = 2 },
	[TINY4] = { .format = "amdv1", .levels = 1, .ias = 20, .oas = 52, .tiny = 4 },
};

static struct hw hw_of(unsigned which)
{
	struct hw hw = { .format = &hw_format_amdv1, .cfg = configs[which] };
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

/* 0x6... IR IW, 0x1... FC, 0x...001 PR, 0x...e00 Next Level 7. */
static const struct leaf_vector leaves[] = {
	{ "4K rw", FULL, 0, 0x6000000012345001, 12, PROT_R | PROT_W, true, true, 0x12345000 },
	{ "4K r", FULL, 0, 0x2000000012345001, 12, PROT_R, true, true, 0x12345000 },
	{ "4K w, forced coherent", FULL, 0, 0x5000000012345001, 12, PROT_W | PROT_CACHE, true, true, 0x12345000 },
	{ "4K without permissions is present", FULL, 0, 0x0000000012345001, 12, 0, true, true, 0x12345000 },
	{ "4K at the top of memory", FULL, 0, 0x600ffffffffff001, 12, PROT_R | PROT_W, true, true, 0x000ffffffffff000 },
	{ "4K at 0", FULL, 0, 0x6000000000000001, 12, PROT_R | PROT_W, true, true, 0 },
	{ "ignored bits 4:1, 8:7, 63 and U", FULL, 0, 0xe80000001234519f, 12, PROT_R | PROT_W, true, true, 0x12345000 },
	{ "2M by default", FULL, 1, 0x6000000012200001, 21, PROT_R | PROT_W, true, true, 0x12200000 },
	{ "1G by default", FULL, 2, 0x60000000c0000001, 30, PROT_R | PROT_W, true, true, 0xc0000000 },
	{ "512G by default", FULL, 3, 0x6000008000000001, 39, PROT_R | PROT_W, true, true, 0x8000000000 },
	{ "256T by default", FULL, 4, 0x6001000000000001, 48, PROT_R | PROT_W, true, true, 0x1000000000000 },
	{ "8K: bit 12 is 0", FULL, 0, 0x6000000012344e01, 13, PROT_R | PROT_W, true, true, 0x12344000 },
	{ "16K: bits 13:12 are 01", FULL, 0, 0x6000000012345e01, 14, PROT_R | PROT_W, true, true, 0x12344000 },
	{ "64K: bits 15:12 are 0111", FULL, 0, 0x6000000012347e01, 16, PROT_R | PROT_W, true, true, 0x12340000 },
	{ "1M, the largest at level 1", FULL, 0, 0x600000001237fe01, 20, PROT_R | PROT_W, true, true, 0x12300000 },
	{ "4M, the smallest at level 2", FULL, 1, 0x60000000125ffe01, 22, PROT_R | PROT_W, true, true, 0x12400000 },
	{ "32M", FULL, 1, 0x6000000012fffe01, 25, PROT_R | PROT_W, true, true, 0x12000000 },
	{ "512M, the largest at level 2", FULL, 1, 0x600000002ffffe01, 29, PROT_R | PROT_W, true, true, 0x20000000 },
	{ "4G", FULL, 2, 0x600000127ffffe01, 32, PROT_R | PROT_W, true, true, 0x1200000000 },
	{ "2^51", FULL, 4, 0x600bfffffffffe01, 51, PROT_R | PROT_W, true, true, 0x8000000000000 },
	{ "A=0 D=0", FULL_AD, 0, 0x6000000012345001, 12, PROT_R | PROT_W, false, false, 0x12345000 },
	{ "A=1 D=0", FULL_AD, 0, 0x6000000012345021, 12, PROT_R | PROT_W, true, false, 0x12345000 },
	{ "A=1 D=1", FULL_AD, 0, 0x6000000012345061, 12, PROT_R | PROT_W, true, true, 0x12345000 },
	{ "encrypted memory", CBIT47, 0, 0x6000800012345001, 12, PROT_R | PROT_W, true, true, 0x12345000 },
	{ "C=0 is MMIO", CBIT47, 0, 0x6000000012345001, 12, PROT_R | PROT_W | PROT_MMIO, true, true, 0x12345000 },
	{ "encrypted 64K", CBIT47, 0, 0x6000800012347e01, 16, PROT_R | PROT_W, true, true, 0x12340000 },
	{ "encrypted 2^47: all of memory", CBIT47, 3, 0x6000bffffffffe01, 47, PROT_R | PROT_W, true, true, 0 },
	{ "MMIO 2M", CBIT47, 1, 0x6000000012200001, 21, PROT_R | PROT_W | PROT_MMIO, true, true, 0x12200000 },
	{ "2^40 in 40 bits of oa", OAS40, 3, 0x6000007ffffffe01, 40, PROT_R | PROT_W, true, true, 0 },
	{ "tiny 4K", TINY2, 0, 0x6000000012345001, 12, PROT_R | PROT_W, true, true, 0x12345000 },
	{ "tiny 8K", TINY2, 0, 0x6000000012344e01, 13, PROT_R | PROT_W, true, true, 0x12344000 },
	{ "tiny level 2 by default: 16K", TINY2, 1, 0x6000000012344001, 14, PROT_R | PROT_W, true, true, 0x12344000 },
	{ "tiny level 2: 32K", TINY2, 1, 0x6000000012343e01, 15, PROT_R | PROT_W, true, true, 0x12340000 },
	{ "tiny top level by default: 256K", TINY2, 3, 0x6000000012340001, 18, PROT_R | PROT_W, true, true, 0x12340000 },
	{ "tiny top level: 512K", TINY2, 3, 0x600000001233fe01, 19, PROT_R | PROT_W, true, true, 0x12300000 },
	{ "tiny 4-bit, 32K at level 1", TINY4, 0, 0x6000000012343e01, 15, PROT_R | PROT_W, true, true, 0x12340000 },
	{ "tiny 4-bit, 64K by default at level 2", TINY4, 1, 0x6000000012340001, 16, PROT_R | PROT_W, true, true, 0x12340000 },
};

static void test_hw_amdv1__decodes_leaves(void **state)
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
	unsigned to, prot;
	uint64_t pa;
};

static const struct table_vector tables[] = {
	{ "level 2 to 1", FULL, 1, 0x6000000012345201, 0, PROT_ACCESS, 0x12345000 },
	{ "level 3 to 2", FULL, 2, 0x6000000012345401, 1, PROT_ACCESS, 0x12345000 },
	{ "level 6 to 5", FULL, 5, 0x6000000012345a01, 4, PROT_ACCESS, 0x12345000 },
	{ "level 3 to 1, level 2 skipped", FULL, 2, 0x6000000012345201, 0, PROT_ACCESS, 0x12345000 },
	{ "level 6 to 1", FULL, 5, 0x6000000012345201, 0, PROT_ACCESS, 0x12345000 },
	{ "read only below", FULL, 1, 0x2000000012345201, 0, PROT_R | PROT_X, 0x12345000 },
	{ "write only below", FULL, 1, 0x4000000012345201, 0, PROT_W | PROT_X, 0x12345000 },
	{ "nothing below", FULL, 1, 0x0000000012345201, 0, PROT_X, 0x12345000 },
	{ "A and ignored bits 8:6, 4:1, 63", FULL_AD, 1, 0xe0000000123453ff, 0, PROT_ACCESS, 0x12345000 },
	{ "encrypted", CBIT47, 1, 0x6000800012345201, 0, PROT_ACCESS, 0x12345000 },
	{ "top of memory", FULL, 1, 0x600ffffffffff201, 0, PROT_ACCESS, 0x000ffffffffff000 },
	{ "tiny", TINY2, 3, 0x6000000012345601, 2, PROT_ACCESS, 0x12345000 },
};

static void test_hw_amdv1__decodes_tables(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		const struct table_vector *v = &tables[i];
		struct hw hw = hw_of(v->cfg);
		struct hw_entry e = hw.format->decode(&hw, v->level, v->raw);

		if (e.kind != HW_TABLE || e.level != v->to || e.prot != v->prot || e.pa != v->pa)
			fail_msg("%s: kind %u level %u prot %x pa %llx %s", v->what, e.kind, e.level, e.prot, (unsigned long long)e.pa,
				 e.why ? e.why : "");
	}
}

static void test_hw_amdv1__pr_clear_is_empty(void **state)
{
	static const uint64_t raws[] = { 0, 2, 0x6000000012345000, ~UINT64_C(1), 0x07f0000000000e00 };
	struct hw hw = hw_of(FULL);
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
	{ FULL, 0, 0x6010000012345001, "58:52" },
	{ FULL, 0, 0x6400000012345001, "58:52" },
	{ FULL, 1, 0x6010000012200001, "58:52" },
	{ FULL, 0, 0x6200000012347e01, "58:52" },
	{ FULL, 1, 0x6010000012345201, "60:52" },
	{ FULL, 1, 0x6400000012345201, "60:52" },
	{ FULL, 1, 0x6800000012345201, "60:52" },
	{ FULL, 1, 0x7000000012345201, "60:52" },
	/* Next Level equal to or above the table's */
	{ FULL, 0, 0x6000000012345201, "not below" },
	{ FULL, 1, 0x6000000012345401, "not below" },
	{ FULL, 1, 0x6000000012345c01, "not below" },
	{ FULL, 5, 0x6000000012345c01, "not below" },
	/* sizes: the default one, smaller, the table's span, more */
	{ FULL, 1, 0x60000000122ffe01, "not larger" },
	{ FULL, 1, 0x6000000012347e01, "not larger" },
	{ FULL, 2, 0x600000001ffffe01, "not larger" },
	{ FULL, 0, 0x60000000122ffe01, "not smaller" },
	{ FULL, 0, 0x60000000125ffe01, "not smaller" },
	{ FULL, 4, 0x6007fffffffffe01, "do not have" },
	{ FULL, 4, 0x600ffffffffffe01, "do not have" },
	{ FULL, 5, 0x6000000000000001, "do not have" },
	{ FULL, 5, 0x600bfffffffffe01, "not larger" },
	{ OAS40, 4, 0x6000000000000001, "do not have" },
	/* 1s up to bit 39: 2^41, more than the oa or the iova has */
	{ OAS40, 3, 0x600000fffffffe01, "do not have" },
	{ IAS40, 3, 0x600000fffffffe01, "do not have" },
	/* alignment of a default size */
	{ FULL, 1, 0x6000000012201001, "aligned" },
	{ FULL, 2, 0x60000000c0200001, "aligned" },
	/* width */
	{ OAS40, 0, 0x6000010012345001, "wider" },
	{ OAS40, 1, 0x6008000012345201, "wider" },
	{ CBIT47, 0, 0x6001800012345001, "wider" },
	{ CBIT47, 1, 0x6001800012345201, "wider" },
	{ CBIT47, 1, 0x6000000012345201, "encryption" },
	/* tiny */
	{ TINY2, 0, 0x6000000012345e01, "not smaller" },
	{ TINY2, 1, 0x6000000012344e01, "not larger" },
	{ TINY2, 3, 0x600000001237fe01, "not smaller" },
	{ TINY2, 1, 0x6000000012341001, "aligned" },
};

static void test_hw_amdv1__rejects_what_the_specification_reserves(void **state)
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

static void test_hw_amdv1__every_size_round_trips(void **state)
{
	struct hw hw = hw_of(FULL);
	unsigned size_lg2, level;

	(void)state;
	for (size_lg2 = 12; size_lg2 <= 51; size_lg2++) {
		/* by hand: 1s from bit 12 to size_lg2 - 2 */
		uint64_t ones = size_lg2 == 12 ? 0 : ((UINT64_C(1) << (size_lg2 - 1)) - 1) & ~UINT64_C(0xfff);
		bool is_default = (size_lg2 - 12) % 9 == 0;
		uint64_t raw = 0x6000000000000001 | (is_default ? 0 : ones | 0xe00);
		struct hw_entry e;

		level = (size_lg2 - 12) / 9;
		e = hw.format->decode(&hw, level, raw);
		assert_int_equal(e.kind, HW_LEAF);
		assert_int_equal(e.size_lg2, size_lg2);
		assert_int_equal(e.pa, 0);
	}
}

static void test_hw_amdv1__touch_sets_accessed_and_dirty(void **state)
{
	struct hw ad = hw_of(FULL_AD), no = hw_of(FULL);

	(void)state;
	assert_int_equal(ad.format->touch(&ad, 0, 0x6000000012345001, false), 0x6000000012345021);
	assert_int_equal(ad.format->touch(&ad, 0, 0x6000000012345001, true), 0x6000000012345061);
	assert_int_equal(ad.format->touch(&ad, 0, 0x6000000012345061, false), 0x6000000012345061);
	assert_int_equal(ad.format->touch(&ad, 1, 0x60000000125ffe01, true), 0x60000000125ffe61);
	assert_int_equal(no.format->touch(&no, 0, 0x6000000012345001, true), 0x6000000012345001);
	assert_int_equal(ad.ad_mask, 0x60);
	assert_int_equal(no.ad_mask, 0);
	assert_true(ad.has_dirty);
	assert_false(no.has_dirty);
}

static void test_hw_amdv1__expressible_follows_the_table(void **state)
{
	struct hw plain = hw_of(FULL), cbit = hw_of(CBIT47);
	unsigned prot;

	(void)state;
	for (prot = 0; prot <= PROT_ALL; prot++) {
		bool want = (prot & (PROT_R | PROT_W)) && !(prot & (PROT_X | PROT_PRIV)) && (prot & PROT_TYPE) != PROT_TYPE;

		if (!(prot & PROT_ACCESS))
			continue;
		assert_int_equal(cbit.format->expressible(&cbit, prot), want);
		assert_int_equal(plain.format->expressible(&plain, prot), want && !(prot & PROT_MMIO));
	}
}

static void test_hw_amdv1__geometry(void **state)
{
	static const struct {
		unsigned cfg, top, top_max, index_lg2, item_top;
		uint64_t last, leaf_sizes;
	} rows[] = {
		{ FULL, 2, 5, 9, 57, UINT64_MAX, 0x000ffffffffff000 },
		{ FULL_AD, 5, 5, 9, 57, UINT64_MAX, 0x000ffffffffff000 },
		{ CBIT47, 3, 5, 9, 57, UINT64_MAX, 0x0000fffffffff000 },
		{ OAS40, 3, 5, 9, 57, UINT64_MAX, 0x000001fffffff000 },
		{ IAS48, 0, 3, 9, 39, 0x0000ffffffffffff, 0x0000fffffffff000 },
		{ IAS40, 3, 3, 9, 39, 0x000000ffffffffff, 0x000001fffffff000 },
		{ TINY2, 1, 3, 2, 18, 0xfffff, 0xff000 },
		{ TINY4, 0, 1, 4, 16, 0xfffff, 0xff000 },
	};
	unsigned i, l;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hw hw = hw_of(rows[i].cfg);

		assert_int_equal(hw.item_bytes_lg2, 3);
		assert_int_equal(hw.top_level, rows[i].top);
		assert_int_equal(hw.top_level_max, rows[i].top_max);
		assert_int_equal(hw.item_lg2[hw.top_level_max], rows[i].item_top);
		assert_true(hw.has_low);
		assert_false(hw.has_high);
		assert_int_equal(hw.iova_low_last, rows[i].last);
		assert_int_equal(hw.leaf_sizes, rows[i].leaf_sizes);
		assert_int_equal(hw.oa_lg2, hw.cfg.oas);
		assert_int_equal(hw.oa_carry_lg2, 64);
		for (l = 0; l <= hw.top_level_max; l++) {
			assert_int_equal(hw.item_lg2[l], 12 + l * rows[i].index_lg2);
			assert_int_equal(hw.index_lg2[l], rows[i].index_lg2);
			assert_int_equal(hw.table_align_lg2[l], 12);
		}
	}
}

static void test_hw_amdv1__oa_step_moves_the_oa_by_an_item(void **state)
{
	struct hw hw = hw_of(FULL);
	unsigned l;

	(void)state;
	for (l = 0; l < 4; l++) {
		uint64_t raw = 0x6000000000000001;
		struct hw_entry e = hw.format->decode(&hw, l, raw + (UINT64_C(1) << hw.oa_step_lg2[l]));

		assert_int_equal(e.kind, HW_LEAF);
		assert_int_equal(e.pa, UINT64_C(1) << hw.item_lg2[l]);
	}
}

static void test_hw_amdv1__init_rejects_impossible_configurations(void **state)
{
	static const struct config rows[] = {
		{ .levels = 0, .ias = 64, .oas = 52 },
		{ .levels = 7, .ias = 64, .oas = 52 },
		{ .levels = 5, .ias = 48, .oas = 52 },
		{ .levels = 3, .ias = 65, .oas = 52 },
		{ .levels = 1, .ias = 20, .oas = 52 },
		{ .levels = 3, .ias = 64, .oas = 53 },
		{ .levels = 3, .ias = 64, .oas = 31 },
		{ .levels = 3, .ias = 64, .oas = 48, .cbit = 47 },
		{ .levels = 3, .ias = 64, .oas = 52, .cbit = 52 },
		{ .levels = 3, .ias = 64, .oas = 52, .ad = 2 },
		{ .levels = 1, .ias = 20, .oas = 52, .tiny = 1 },
		{ .levels = 1, .ias = 20, .oas = 52, .tiny = 5 },
		{ .levels = 1, .ias = 22, .oas = 52, .tiny = 2 },
		{ .levels = 1, .ias = 17, .oas = 52, .tiny = 2 },
		{ .levels = 5, .ias = 20, .oas = 52, .tiny = 2 },
		{ .levels = 1, .ias = 12, .oas = 52, .tiny = 2 },
	};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hw hw = { .format = &hw_format_amdv1, .cfg = rows[i] };
		const char *why = NULL;

		if (hw.format->init(&hw, &why) != -EINVAL || !why)
			fail_msg("row %u was accepted", i);
	}
}

static void test_hw_amdv1__fields_name_every_bit(void **state)
{
	struct hw hw = hw_of(CBIT47);
	char buf[256];

	(void)state;
	hw.format->fields(&hw, 0, 0x7000800012347e61, buf, sizeof(buf));
	assert_string_equal(buf, "PR=1 A=1 D=1 NextLevel=7 Address=0x12347000 C=1 rsvd58:52=0x0 U=0 FC=1 IR=1 IW=1 ign63=0");
	hw.format->fields(&hw, 0, ~UINT64_C(0), buf, 8);
	assert_string_equal(buf, "PR=1 A=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hw_amdv1__decodes_leaves),
		cmocka_unit_test(test_hw_amdv1__decodes_tables),
		cmocka_unit_test(test_hw_amdv1__pr_clear_is_empty),
		cmocka_unit_test(test_hw_amdv1__rejects_what_the_specification_reserves),
		cmocka_unit_test(test_hw_amdv1__every_size_round_trips),
		cmocka_unit_test(test_hw_amdv1__touch_sets_accessed_and_dirty),
		cmocka_unit_test(test_hw_amdv1__expressible_follows_the_table),
		cmocka_unit_test(test_hw_amdv1__geometry),
		cmocka_unit_test(test_hw_amdv1__oa_step_moves_the_oa_by_an_item),
		cmocka_unit_test(test_hw_amdv1__init_rejects_impossible_configurations),
		cmocka_unit_test(test_hw_amdv1__fields_name_every_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
