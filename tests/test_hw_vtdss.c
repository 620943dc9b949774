/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_hw_vtdss.c - the VT-d second-stage decoder against vectors worked out by hand from D51397 revision 4.1 section 9.8.
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

extern const struct hw_format hw_format_vtdss;

enum { PLAIN, SNP_AD, FIVE, THREE, NARROW, TINY2, TINY4, CFG_NR };

static const struct config configs[CFG_NR] = {
	[PLAIN] = { .format = "vtdss", .levels = 4, .ias = 48, .oas = 46, .coherent = 1 },
	[SNP_AD] = { .format = "vtdss", .levels = 4, .ias = 48, .oas = 52, .snp = 1, .ad = 1, .coherent = 1 },
	[FIVE] = { .format = "vtdss", .levels = 5, .ias = 57, .oas = 52 },
	[THREE] = { .format = "vtdss", .levels = 3, .ias = 39, .oas = 39 },
	[NARROW] = { .format = "vtdss", .levels = 4, .ias = 46, .oas = 46 },
	[TINY2] = { .format = "vtdss", .levels = 4, .ias = 20, .oas = 46, .tiny = 2, .coherent = 1 },
	[TINY4] = { .format = "vtdss", .levels = 2, .ias = 20, .oas = 46, .tiny = 4, .snp = 1, .coherent = 1 },
};

static struct hw hw_of(unsigned which)
{
	struct hw hw = { .format = &hw_format_vtdss, .cfg = configs[which] };
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

static const struct leaf_vector leaves[] = {
	{ "4K rw", PLAIN, 0, 0x0000000012345003, 12, PROT_R | PROT_W, true, true, 0x12345000 },
	{ "4K r", PLAIN, 0, 0x0000000012345001, 12, PROT_R, true, true, 0x12345000 },
	{ "4K w", PLAIN, 0, 0x0000000012345002, 12, PROT_W, true, true, 0x12345000 },
	{ "4K at 0", PLAIN, 0, 0x0000000000000003, 12, PROT_R | PROT_W, true, true, 0 },
	{ "4K at the top of 46 bits", PLAIN, 0, 0x00003ffffffff003, 12, PROT_R | PROT_W, true, true, 0x3ffffffff000 },
	{ "4K at the top of 52 bits", FIVE, 0, 0x000ffffffffff003, 12, PROT_R | PROT_W, true, true, 0xffffffffff000 },
	{ "X, EMT, IPAT, 7, A, D, 10 ignored", PLAIN, 0, 0x00000000123457ff, 12, PROT_R | PROT_W, true, true, 0x12345000 },
	{ "61:52 and 63 ignored", PLAIN, 0, 0xbff0000012345003, 12, PROT_R | PROT_W, true, true, 0x12345000 },
	{ "2M", PLAIN, 1, 0x0000000012200083, 21, PROT_R | PROT_W, true, true, 0x12200000 },
	{ "1G", PLAIN, 2, 0x00000000c0000083, 30, PROT_R | PROT_W, true, true, 0xc0000000 },
	{ "1G r", PLAIN, 2, 0x00000000c0000081, 30, PROT_R, true, true, 0xc0000000 },
	{ "1G in three levels", THREE, 2, 0x00000000c0000083, 30, PROT_R | PROT_W, true, true, 0xc0000000 },
	{ "snooped 4K", SNP_AD, 0, 0x0000000012345803, 12, PROT_R | PROT_W | PROT_CACHE, false, false, 0x12345000 },
	{ "snooped 2M, A", SNP_AD, 1, 0x0000000012200983, 21, PROT_R | PROT_W | PROT_CACHE, true, false, 0x12200000 },
	{ "1G, A and D", SNP_AD, 2, 0x00000000c0000383, 30, PROT_R | PROT_W, true, true, 0xc0000000 },
	{ "4K, D alone", SNP_AD, 0, 0x0000000012345203, 12, PROT_R | PROT_W, false, true, 0x12345000 },
	{ "tiny 4K", TINY2, 0, 0x0000000012345003, 12, PROT_R | PROT_W, true, true, 0x12345000 },
	{ "tiny 16K", TINY2, 1, 0x0000000012344083, 14, PROT_R | PROT_W, true, true, 0x12344000 },
	{ "tiny 64K", TINY2, 2, 0x0000000012340083, 16, PROT_R | PROT_W, true, true, 0x12340000 },
	{ "tiny 4-bit 64K, snooped", TINY4, 1, 0x0000000012340883, 16, PROT_R | PROT_W | PROT_CACHE, true, true, 0x12340000 },
};

static void test_hw_vtdss__decodes_leaves(void **state)
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
	{ "PDE", PLAIN, 1, 0x0000000012345003, PROT_ACCESS, 0x12345000 },
	{ "PDPE", PLAIN, 2, 0x0000000012345003, PROT_ACCESS, 0x12345000 },
	{ "PML4E", PLAIN, 3, 0x0000000012345003, PROT_ACCESS, 0x12345000 },
	{ "PML5E", FIVE, 4, 0x000ffffffffff003, PROT_ACCESS, 0xffffffffff000 },
	{ "read only below", PLAIN, 1, 0x0000000012345001, PROT_R | PROT_X, 0x12345000 },
	{ "write only below", PLAIN, 3, 0x0000000012345002, PROT_W | PROT_X, 0x12345000 },
	{ "X, 6:3, A, 10:9, 61:52, 63 ignored", SNP_AD, 3, 0xbff000001234577f, PROT_ACCESS, 0x12345000 },
	{ "tiny", TINY2, 3, 0x0000000012345003, PROT_ACCESS, 0x12345000 },
	{ "tiny, the PDE of a two-level table", TINY4, 1, 0x0000000012345003, PROT_ACCESS, 0x12345000 },
};

static void test_hw_vtdss__decodes_tables(void **state)
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

static void test_hw_vtdss__neither_read_nor_write_is_empty(void **state)
{
	static const uint64_t raws[] = { 0, 4, 0x12345000, 0x12345080, ~UINT64_C(3) };
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
	/* 62 in every entry */
	{ PLAIN, 0, 0x4000000012345003, "bit 62" },
	{ PLAIN, 1, 0x4000000012345003, "bit 62" },
	{ PLAIN, 1, 0x4000000012200083, "bit 62" },
	{ FIVE, 4, 0x4000000012345003, "bit 62" },
	/* 51:HAW */
	{ PLAIN, 0, 0x0000400012345003, "51:HAW" },
	{ PLAIN, 0, 0x0008000012345003, "51:HAW" },
	{ PLAIN, 1, 0x0000400012345003, "51:HAW" },
	{ PLAIN, 2, 0x00004000c0000083, "51:HAW" },
	{ PLAIN, 3, 0x0008000012345003, "51:HAW" },
	{ THREE, 0, 0x0000008012345003, "51:HAW" },
	/* 11 */
	{ PLAIN, 0, 0x0000000012345803, "SNP" },
	{ PLAIN, 1, 0x0000000012200883, "SNP" },
	{ PLAIN, 2, 0x00000000c0000883, "SNP" },
	{ SNP_AD, 1, 0x0000000012345803, "bit 11" },
	{ SNP_AD, 2, 0x0000000012345803, "bit 11" },
	{ SNP_AD, 3, 0x0000000012345803, "bit 11" },
	{ PLAIN, 1, 0x0000000012345803, "bit 11" },
	/* 7 above the SS-PDPE */
	{ PLAIN, 3, 0x0000000012345083, "bit 7" },
	{ FIVE, 4, 0x0000000012345083, "bit 7" },
	{ TINY2, 3, 0x0000000012340083, "bit 7" },
	/* 20:12 and 29:12 */
	{ PLAIN, 1, 0x0000000012201083, "below the page size" },
	{ PLAIN, 1, 0x0000000012300083, "below the page size" },
	{ PLAIN, 2, 0x00000000c0001083, "below the page size" },
	{ PLAIN, 2, 0x00000000e0000083, "below the page size" },
	{ TINY2, 1, 0x0000000012345083, "below the page size" },
	{ TINY2, 2, 0x0000000012344083, "below the page size" },
};

static void test_hw_vtdss__rejects_reserved_bits(void **state)
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

static void test_hw_vtdss__touch_sets_accessed_and_dirty(void **state)
{
	struct hw ad = hw_of(SNP_AD), no = hw_of(PLAIN);

	(void)state;
	assert_int_equal(ad.format->touch(&ad, 0, 0x12345003, false), 0x12345103);
	assert_int_equal(ad.format->touch(&ad, 0, 0x12345003, true), 0x12345303);
	assert_int_equal(ad.format->touch(&ad, 1, 0x12200383, false), 0x12200383);
	assert_int_equal(no.format->touch(&no, 0, 0x12345003, true), 0x12345003);
	assert_int_equal(ad.ad_mask, 0x300);
	assert_int_equal(no.ad_mask, 0);
	assert_true(ad.has_dirty);
	assert_false(no.has_dirty);
}

static void test_hw_vtdss__expressible_follows_the_table(void **state)
{
	struct hw plain = hw_of(PLAIN), snp = hw_of(SNP_AD);
	unsigned prot;

	(void)state;
	for (prot = 0; prot <= PROT_ALL; prot++) {
		bool want = (prot & (PROT_R | PROT_W)) && !(prot & (PROT_X | PROT_PRIV | PROT_MMIO));

		if (!(prot & PROT_ACCESS))
			continue;
		assert_int_equal(snp.format->expressible(&snp, prot), want);
		assert_int_equal(plain.format->expressible(&plain, prot), want && !(prot & PROT_CACHE));
	}
}

static void test_hw_vtdss__geometry(void **state)
{
	static const struct {
		unsigned cfg, top, index_lg2;
		uint64_t last, leaf_sizes;
	} rows[] = {
		{ PLAIN, 3, 9, 0x0000ffffffffffff, 0x40201000 },
		{ FIVE, 4, 9, 0x01ffffffffffffff, 0x40201000 },
		{ THREE, 2, 9, 0x0000007fffffffff, 0x40201000 },
		{ NARROW, 3, 9, 0x00003fffffffffff, 0x40201000 },
		{ TINY2, 3, 2, 0xfffff, 0x15000 },
		{ TINY4, 1, 4, 0xfffff, 0x11000 },
	};
	unsigned i, l;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hw hw = hw_of(rows[i].cfg);

		assert_int_equal(hw.item_bytes_lg2, 3);
		assert_int_equal(hw.top_level, rows[i].top);
		assert_int_equal(hw.top_level_max, rows[i].top);
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
			assert_int_equal(hw.oa_step_lg2[l], hw.item_lg2[l]);
		}
	}
}

static void test_hw_vtdss__init_rejects_impossible_configurations(void **state)
{
	static const struct config rows[] = {
		{ .levels = 2, .ias = 30, .oas = 46 },
		{ .levels = 6, .ias = 64, .oas = 46 },
		{ .levels = 4, .ias = 39, .oas = 46 },
		{ .levels = 4, .ias = 49, .oas = 46 },
		{ .levels = 3, .ias = 48, .oas = 46 },
		{ .levels = 4, .ias = 48, .oas = 53 },
		{ .levels = 4, .ias = 48, .oas = 31 },
		{ .levels = 4, .ias = 48, .oas = 46, .snp = 2 },
		{ .levels = 4, .ias = 48, .oas = 46, .ad = 2, .coherent = 1 },
		{ .levels = 4, .ias = 48, .oas = 46, .ad = 1 },
		{ .levels = 4, .ias = 20, .oas = 46, .tiny = 1 },
		{ .levels = 2, .ias = 22, .oas = 46, .tiny = 5 },
		{ .levels = 3, .ias = 20, .oas = 46, .tiny = 2 },
		{ .levels = 3, .ias = 21, .oas = 46, .tiny = 3 },
		{ .levels = 0, .ias = 12, .oas = 46, .tiny = 2 },
	};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hw hw = { .format = &hw_format_vtdss, .cfg = rows[i] };
		const char *why = NULL;

		if (hw.format->init(&hw, &why) != -EINVAL || !why)
			fail_msg("row %u was accepted", i);
	}
}

static void test_hw_vtdss__fields_name_every_bit(void **state)
{
	struct hw hw = hw_of(PLAIN);
	char buf[256];

	(void)state;
	hw.format->fields(&hw, 1, 0x0000000012200b83, buf, sizeof(buf));
	assert_string_equal(buf, "R=1 W=1 X=0 EMT=0 IPAT=0 PS=1 A=1 D=1 SNP=1 ADDR=0x12200000 ign61:52=0x0 rsvd62=0 ign63=0");
	hw.format->fields(&hw, 1, ~UINT64_C(0), buf, 6);
	assert_string_equal(buf, "R=1 W");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hw_vtdss__decodes_leaves),
		cmocka_unit_test(test_hw_vtdss__decodes_tables),
		cmocka_unit_test(test_hw_vtdss__neither_read_nor_write_is_empty),
		cmocka_unit_test(test_hw_vtdss__rejects_reserved_bits),
		cmocka_unit_test(test_hw_vtdss__touch_sets_accessed_and_dirty),
		cmocka_unit_test(test_hw_vtdss__expressible_follows_the_table),
		cmocka_unit_test(test_hw_vtdss__geometry),
		cmocka_unit_test(test_hw_vtdss__init_rejects_impossible_configurations),
		cmocka_unit_test(test_hw_vtdss__fields_name_every_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
