/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_hw_armv7s.c - the Short-descriptor walker against descriptors put together by hand from Arm ARM DDI 0406C.d, B3.5, B3.7, B3.8.
 *
 * It does not compare with the engine's encoder; the numbers here are the specification's.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../oracle/hw.h"

extern const struct hw_format hw_format_armv7s;

enum { R = PROT_R, W = PROT_W, X = PROT_X, IO = PROT_MMIO, C = PROT_CACHE, P = PROT_PRIV };

static int try_init(struct hw *hw, const struct config *cfg, const char **why)
{
	memset(hw, 0, sizeof(*hw));
	hw->format = &hw_format_armv7s;
	hw->cfg = *cfg;
	return hw->format->init(hw, why);
}

static void must_init(struct hw *hw, unsigned tiny)
{
	struct config cfg = { .format = "armv7s",
			      .tiny = tiny,
			      .levels = 2,
			      .ias = tiny ? 20 + tiny : 32,
			      .oas = 32,
			      .coherent = 1,
			      .model = MODEL_WEAK,
			      .tlb = TLB_ARMV7S };
	const char *why = NULL;

	if (try_init(hw, &cfg, &why))
		fail_msg("tiny %u: init refuses: %s", tiny, why);
}

static const struct leaf_vector {
	uint8_t tiny, level;
	uint32_t raw, pa;
	uint8_t size, prot;
} leaves[] = {
	/* Section: TEX[14:12] C[3] B[2], AP[2] [15] AP[1:0] [11:10], XN[4], NS[19] nG[17] S[16] */
	{ 0, 1, 0x12301c0e, 0x12300000, 20, R | W | X | C },
	{ 0, 1, 0x12301c1e, 0x12300000, 20, R | W | C },
	{ 0, 1, 0xfff09c1e, 0xfff00000, 20, R | C },
	{ 0, 1, 0x1230141e, 0x12300000, 20, R | W | C | P },
	{ 0, 1, 0x1230940e, 0x12300000, 20, R | X | C | P },
	{ 0, 1, 0x12301c12, 0x12300000, 20, R | W },
	{ 0, 1, 0x12300c16, 0x12300000, 20, R | W | IO },
	{ 0, 1, 0x123b1c1e, 0x12300000, 20, R | W | C },
	/* Supersection: bit[18] */
	{ 0, 1, 0x12041c1e, 0x12000000, 24, R | W | C },
	{ 0, 1, 0xff0f0c16, 0xff000000, 24, R | W | IO },
	/* Small page: TEX[8:6] C[3] B[2], AP[2] [9] AP[1:0] [5:4], XN[0], nG[11] S[10] */
	{ 0, 0, 0x1234507e, 0x12345000, 12, R | W | X | C },
	{ 0, 0, 0xfffff07f, 0xfffff000, 12, R | W | C },
	{ 0, 0, 0x1234527f, 0x12345000, 12, R | C },
	{ 0, 0, 0x1234505f, 0x12345000, 12, R | W | C | P },
	{ 0, 0, 0x12345073, 0x12345000, 12, R | W },
	{ 0, 0, 0x12345037, 0x12345000, 12, R | W | IO },
	{ 0, 0, 0x12345c7f, 0x12345000, 12, R | W | C },
	/* Large page: XN[15] TEX[14:12], the rest like a Small page */
	{ 0, 0, 0x1234103d, 0x12340000, 16, R | W | X | C },
	{ 0, 0, 0x1234903d, 0x12340000, 16, R | W | C },
	{ 0, 0, 0x1234923d, 0x12340000, 16, R | C },
	{ 0, 0, 0x1234901d, 0x12340000, 16, R | W | C | P },
	{ 0, 0, 0xffff9031, 0xffff0000, 16, R | W },
	{ 0, 0, 0x12348c35, 0x12340000, 16, R | W | IO },
	/* tiny: Small 2^(20-N), Large 2^19, Section 2^20, Supersection 2^21 */
	{ 2, 0, 0x1234007f, 0x12340000, 18, R | W | C },
	{ 3, 0, 0x1236007f, 0x12360000, 17, R | W | C },
	{ 4, 0, 0x1235007f, 0x12350000, 16, R | W | C },
	{ 3, 0, 0x1238903d, 0x12380000, 19, R | W | C },
	{ 4, 0, 0x1238903d, 0x12380000, 19, R | W | C },
	{ 3, 1, 0x12301c1e, 0x12300000, 20, R | W | C },
	{ 3, 1, 0x12241c1e, 0x12200000, 21, R | W | C },
	{ 3, 1, 0xffe41c1e, 0xffe00000, 21, R | W | C },
};

static void test_hw_armv7s__decodes_leaves(void **state)
{
	const struct leaf_vector *v;
	struct hw_entry e;
	struct hw hw;

	(void)state;
	for (v = leaves; v < leaves + sizeof(leaves) / sizeof(*leaves); v++) {
		must_init(&hw, v->tiny);
		e = hw.format->decode(&hw, v->level, v->raw);
		if (e.kind != HW_LEAF)
			fail_msg("leaf %zd: kind %d, %s", v - leaves, e.kind, e.why ? e.why : "");
		if (e.pa != v->pa || e.size_lg2 != v->size || e.span_lg2 != v->size || e.prot != v->prot)
			fail_msg("leaf %zd: pa %#llx size %u span %u prot %#x", v - leaves, (unsigned long long)e.pa, e.size_lg2,
				 e.span_lg2, e.prot);
		assert_true(e.accessed && e.dirty);
		assert_true(hw.leaf_sizes >> e.size_lg2 & 1);
		assert_int_equal(hw.format->touch(&hw, v->level, v->raw, true), v->raw);
	}
}

static void test_hw_armv7s__decodes_tables_and_empty(void **state)
{
	static const uint32_t tables[][2] = { { 0x12345401, 0x12345400 }, { 0xfffffc09, 0xfffffc00 }, { 0x00000c01, 0xc00 } };
	struct hw_entry e;
	struct hw hw;
	unsigned i;

	(void)state;
	must_init(&hw, 0);
	for (i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		e = hw.format->decode(&hw, 1, tables[i][0]);
		assert_int_equal(e.kind, HW_TABLE);
		assert_int_equal(e.level, 0);
		assert_int_equal(e.pa, tables[i][1]);
		assert_int_equal(e.prot, PROT_ACCESS);
	}
	assert_int_equal(hw.format->decode(&hw, 1, 0xfffffffc).kind, HW_EMPTY);
	assert_int_equal(hw.format->decode(&hw, 0, 0xfffffffc).kind, HW_EMPTY);
	assert_int_equal(hw.format->decode(&hw, 0, 0).kind, HW_EMPTY);
}

static const struct bad_vector {
	uint8_t tiny, level;
	uint32_t raw;
	const char *why;
} bads[] = {
	{ 0, 1, 0x12345601, "bit[9] of a Page table" },
	{ 0, 1, 0x12345421, "Domain" },
	{ 0, 1, 0x12345411, "SBZ bit[4]" },
	{ 0, 1, 0x12345405, "PXN bit[2]" },
	{ 0, 1, 0x12301c1f, "11 at the first level" },
	{ 0, 1, 0x12301e1e, "bit[9] of a Section" },
	{ 0, 1, 0x12301c3e, "Domain" },
	{ 0, 1, 0x1230181e, "AP[0]=0" },
	{ 0, 1, 0x12300c1e, "TEX, C, B" },
	{ 0, 1, 0x12300c12, "TEX, C, B" },
	{ 0, 1, 0x12305c16, "TEX, C, B" },
	{ 0, 1, 0x12141c1e, "PA[35:32]" },
	{ 0, 1, 0x12041c3e, "PA[39:36]" },
	{ 0, 0, 0x1234506f, "AP[0]=0" },
	{ 0, 0, 0x1234503f, "TEX, C, B" },
	{ 0, 0, 0x123490fd, "SBZ bits[8:6]" },
	{ 0, 0, 0x1234907d, "SBZ bits[8:6]" },
	{ 0, 0, 0x1234902d, "AP[0]=0" },
	{ 3, 0, 0x1235007f, "Small page base address, misaligned" },
	{ 3, 0, 0x1236107f, "Small page base address, misaligned" },
	{ 3, 0, 0x1234903d, "Large page base address, misaligned" },
	{ 3, 1, 0x12341c1e, "Supersection base address, misaligned" },
	{ 3, 1, 0x12241c3e, "PA[39:36]" },
};

static void test_hw_armv7s__rejects_reserved_fields(void **state)
{
	const struct bad_vector *v;
	struct hw_entry e;
	struct hw hw;

	(void)state;
	for (v = bads; v < bads + sizeof(bads) / sizeof(*bads); v++) {
		must_init(&hw, v->tiny);
		e = hw.format->decode(&hw, v->level, v->raw);
		if (e.kind != HW_BAD || !strstr(e.why, v->why))
			fail_msg("bad %zd: kind %d, %s, not %s", v - bads, e.kind, e.why ? e.why : "", v->why);
	}
}

static void test_hw_armv7s__expressible_needs_read(void **state)
{
	static const struct {
		uint8_t prot;
		bool ok;
	} vectors[] = {
		{ R, true },  { R | W | X | C | P, true }, { R | IO, true }, { W, false },
		{ X, false }, { W | X | C, false },        { C | P, false }, { R | IO | C, false },
	};
	struct hw hw;
	unsigned i;

	(void)state;
	must_init(&hw, 0);
	for (i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
		assert_int_equal(hw.format->expressible(&hw, vectors[i].prot), vectors[i].ok);
}

static void test_hw_armv7s__geometry(void **state)
{
	struct hw hw;
	unsigned n;

	(void)state;
	must_init(&hw, 0);
	assert_int_equal(hw.item_bytes_lg2, 2);
	assert_int_equal(hw.top_level, 1);
	assert_int_equal(hw.top_level_max, 1);
	assert_int_equal(hw.item_lg2[0], 12);
	assert_int_equal(hw.index_lg2[0], 8);
	assert_int_equal(hw.table_align_lg2[0], 10);
	assert_int_equal(hw.item_lg2[1], 20);
	assert_int_equal(hw.index_lg2[1], 12);
	assert_int_equal(hw.table_align_lg2[1], 14);
	assert_int_equal(hw.leaf_sizes, 1 << 12 | 1 << 16 | 1 << 20 | 1 << 24);
	assert_int_equal(hw.iova_low_last, 0xffffffff);
	assert_true(hw.has_low && !hw.has_high && !hw.has_dirty);
	assert_int_equal(hw.oa_lg2, 32);
	assert_int_equal(hw.oa_carry_lg2, 64);
	assert_int_equal(hw.oa_step_lg2[0], 12);
	assert_int_equal(hw.oa_step_lg2[1], 20);
	assert_int_equal(hw.ad_mask, 0);
	for (n = 2; n <= 4; n++) {
		must_init(&hw, n);
		assert_int_equal(hw.item_lg2[0], 20 - n);
		assert_int_equal(hw.index_lg2[0], n);
		assert_int_equal(hw.item_lg2[1], 20);
		assert_int_equal(hw.index_lg2[1], n);
		assert_int_equal(hw.leaf_sizes, 1 << (20 - n) | 1 << 19 | 1 << 20 | 1 << 21);
		assert_int_equal(hw.iova_low_last, (1 << (20 + n)) - 1);
	}
}

static void test_hw_armv7s__init_rejects_what_hardware_has_not(void **state)
{
	static const struct config configs[] = {
		{ .levels = 1, .ias = 32, .oas = 32 },
		{ .levels = 3, .ias = 32, .oas = 32 },
		{ .levels = 2, .ias = 31, .oas = 32 },
		{ .levels = 2, .ias = 32, .oas = 40 },
		{ .levels = 2, .ias = 32, .oas = 31 },
		{ .levels = 2, .ias = 32, .oas = 32, .ad = 1, .coherent = 1 },
		{ .levels = 2, .ias = 32, .oas = 32, .half = 1 },
		{ .levels = 2, .ias = 32, .oas = 32, .tiny = 2 },
		{ .levels = 2, .ias = 21, .oas = 32, .tiny = 1 },
		{ .levels = 2, .ias = 25, .oas = 32, .tiny = 5 },
		{ .levels = 2, .ias = CONFIG_UNSET, .oas = 32 },
	};
	const char *why;
	struct hw hw;
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(configs) / sizeof(*configs); i++) {
		why = NULL;
		if (try_init(&hw, &configs[i], &why) != -EINVAL)
			fail_msg("config %u is accepted", i);
		assert_non_null(why);
	}
}

/* Any bits: decode ends, every BAD says why, every leaf has a size that the geometry lists and is aligned to it. */
static void test_hw_armv7s__decode_is_total(void **state)
{
	unsigned tiny, n, kinds[4] = { 0 };
	uint32_t seed = 0x9e3779b9, raw;
	struct hw_entry e;
	char text[256];
	struct hw hw;

	(void)state;
	print_message("seed %#x\n", seed);
	for (tiny = 0; tiny <= 4; tiny += tiny ? 1 : 2) {
		must_init(&hw, tiny);
		for (n = 0; n < 400000; n++) {
			seed ^= seed << 13;
			seed ^= seed >> 17;
			seed ^= seed << 5;
			raw = n & 64 ? leaves[seed % (sizeof(leaves) / sizeof(*leaves))].raw ^ 1u << (seed >> 27) : seed;
			e = hw.format->decode(&hw, n & 1, raw);
			kinds[e.kind]++;
			assert_true((e.kind == HW_BAD) == (e.why != NULL));
			if (e.kind == HW_LEAF)
				assert_true((hw.leaf_sizes >> e.size_lg2 & 1) && !(e.pa & ((UINT64_C(1) << e.span_lg2) - 1)) &&
					    !(e.pa >> 32));
			if (n % 16 == 0) {
				memset(text, 'x', sizeof(text));
				hw.format->fields(&hw, n / 16 & 1, raw, text, 1 + n % sizeof(text));
				assert_non_null(memchr(text, 0, 1 + n % sizeof(text)));
			}
		}
	}
	for (n = 0; n < 4; n++)
		assert_true(kinds[n] > 100);
}

static void test_hw_armv7s__fields_name_the_specification(void **state)
{
	char text[256];
	struct hw hw;

	(void)state;
	must_init(&hw, 0);
	hw.format->fields(&hw, 0, 0x1234527f, text, sizeof(text));
	assert_string_equal(text, "type=small address=0x12345000 TEX=1 C=1 B=1 AP=7 XN=1 S=0 nG=0");
	hw.format->fields(&hw, 0, 0x1234903d, text, sizeof(text));
	assert_string_equal(text, "type=large address=0x12340000 TEX=1 C=1 B=1 AP=3 XN=1 S=0 nG=0");
	hw.format->fields(&hw, 1, 0x12341c1e, text, sizeof(text));
	assert_string_equal(text, "type=supersection address=0x12300000 Domain=0 TEX=1 C=1 B=1 AP=3 XN=1 PXN=0 S=0 nG=0 NS=0");
	hw.format->fields(&hw, 1, 0x12345401, text, sizeof(text));
	assert_string_equal(text, "type=table address=0x12345400 Domain=0 NS=0 PXN=0");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hw_armv7s__decodes_leaves),
		cmocka_unit_test(test_hw_armv7s__decodes_tables_and_empty),
		cmocka_unit_test(test_hw_armv7s__rejects_reserved_fields),
		cmocka_unit_test(test_hw_armv7s__expressible_needs_read),
		cmocka_unit_test(test_hw_armv7s__geometry),
		cmocka_unit_test(test_hw_armv7s__init_rejects_what_hardware_has_not),
		cmocka_unit_test(test_hw_armv7s__decode_is_total),
		cmocka_unit_test(test_hw_armv7s__fields_name_the_specification),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
