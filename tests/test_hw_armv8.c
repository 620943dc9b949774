/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_hw_armv8.c - the VMSAv8-64 walker against descriptors put together by hand from Arm ARM DDI 0487L.b, D8.2 to D8.7.
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

extern const struct hw_format hw_format_armv8_4k, hw_format_armv8_16k, hw_format_armv8_64k;

#define F4K (&hw_format_armv8_4k)
#define F16K (&hw_format_armv8_16k)
#define F64K (&hw_format_armv8_64k)

enum { R = PROT_R, W = PROT_W, X = PROT_X, IO = PROT_MMIO, C = PROT_CACHE, P = PROT_PRIV };

/* The configurations that the vectors name: stage, input, output size, levels and the switches. */
struct test_config {
	const struct hw_format *format;
	uint8_t stage, ias, oas, levels, lpa, ad, half, tiny;
};

static int try_init(struct hw *hw, const struct test_config *t, const char **why)
{
	memset(hw, 0, sizeof(*hw));
	hw->format = t->format;
	strcpy(hw->cfg.format, t->format->name);
	hw->cfg.stage = t->stage;
	hw->cfg.ias = t->ias;
	hw->cfg.oas = t->oas;
	hw->cfg.levels = t->levels;
	hw->cfg.lpa = t->lpa;
	hw->cfg.ad = t->ad;
	hw->cfg.half = t->half;
	hw->cfg.tiny = t->tiny;
	hw->cfg.coherent = 1;
	hw->cfg.model = MODEL_WEAK;
	hw->cfg.tlb = TLB_ARM;
	return t->format->init(hw, why);
}

static void must_init(struct hw *hw, const struct test_config *t)
{
	const char *why = NULL;

	if (try_init(hw, t, &why))
		fail_msg("%s stage %u ias %u: init refuses: %s", t->format->name, t->stage, t->ias, why);
}

static const struct test_config s1_4k = { F4K, 1, 48, 48, 4, 0, 0, 0, 0 }, s1_4k_ad = { F4K, 1, 48, 48, 4, 0, 1, 0, 0 };
static const struct test_config s2_4k = { F4K, 2, 40, 40, 3, 0, 0, 0, 0 }, s2_4k_ad = { F4K, 2, 40, 40, 3, 0, 1, 0, 0 };
static const struct test_config s1_4k_52 = { F4K, 1, 52, 52, 5, 1, 0, 0, 0 }, s1_16k_52 = { F16K, 1, 52, 52, 4, 1, 0, 0, 0 };
static const struct test_config s1_64k_52 = { F64K, 1, 52, 52, 3, 1, 0, 0, 0 }, s1_16k = { F16K, 1, 48, 48, 4, 0, 0, 0, 0 };
static const struct test_config s1_64k = { F64K, 1, 48, 48, 3, 0, 0, 0, 0 }, s1_4k_32 = { F4K, 1, 32, 32, 3, 0, 0, 0, 0 };
static const struct test_config s1_4k_tiny = { F4K, 1, 20, 48, 4, 0, 0, 0, 2 }, s1_64k_tiny = { F64K, 1, 22, 48, 2, 0, 0, 0, 3 };

/* D8.3.1.2: what a valid leaf means. size and span are logarithms. */
static const struct leaf_vector {
	const struct test_config *config;
	unsigned level;
	uint64_t raw, pa;
	uint8_t size, span, prot;
	bool accessed, dirty;
} leaves[] = {
	/* stage 1: AttrIndx 0 1 2, AP[2:1], UXN (54), PXN (53); SH=3, AF, nG */
	{ &s1_4k, 0, 0x0060000040201f43, 0x40201000, 12, 12, R | W | C, true, true },
	{ &s1_4k, 0, 0x0060000040201f47, 0x40201000, 12, 12, R | W, true, true },
	{ &s1_4k, 0, 0x0060000040201f4b, 0x40201000, 12, 12, R | W | IO, true, true },
	{ &s1_4k, 0, 0x0060fffffffffec3, 0xfffffffff000, 12, 12, R | C, true, true },
	{ &s1_4k, 0, 0x0060000000000c03, 0, 12, 12, R | W | C | P, true, true },
	{ &s1_4k, 0, 0x0060000000000c83, 0, 12, 12, R | C | P, true, true },
	{ &s1_4k, 0, 0x0000000000000c43, 0, 12, 12, R | W | X | C, true, true },
	{ &s1_4k, 0, 0x0020000000000c43, 0, 12, 12, R | W | X | C, true, true },
	{ &s1_4k, 0, 0x0040000000000cc3, 0, 12, 12, R | X | C, true, true },
	{ &s1_4k, 0, 0x0040000000000c03, 0, 12, 12, R | W | X | C | P, true, true },
	{ &s1_4k, 0, 0xffe0000000000c43, 0, 12, 12, R | W | C, true, true },
	/* Blocks and groups */
	{ &s1_4k, 1, 0x0060000040200f41, 0x40200000, 21, 21, R | W | C, true, true },
	{ &s1_4k, 2, 0x0060123440000f41, 0x123440000000, 30, 30, R | W | C, true, true },
	{ &s1_4k, 0, 0x0070000040203f43, 0x40203000, 16, 12, R | W | C, true, true },
	{ &s1_4k, 1, 0x0070000040600f41, 0x40600000, 25, 21, R | W | C, true, true },
	{ &s1_4k, 2, 0x00700000c0000f41, 0xc0000000, 34, 30, R | W | C, true, true },
	{ &s1_16k, 0, 0x0060000040204f43, 0x40204000, 14, 14, R | W | C, true, true },
	{ &s1_16k, 0, 0x0070000040204f43, 0x40204000, 21, 14, R | W | C, true, true },
	{ &s1_16k, 1, 0x0060000042000f41, 0x42000000, 25, 25, R | W | C, true, true },
	{ &s1_16k, 1, 0x0070000042000f41, 0x42000000, 30, 25, R | W | C, true, true },
	{ &s1_64k, 0, 0x0060000040210f43, 0x40210000, 16, 16, R | W | C, true, true },
	{ &s1_64k, 0, 0x0070000040210f43, 0x40210000, 21, 16, R | W | C, true, true },
	{ &s1_64k, 1, 0x0060000060000f41, 0x60000000, 29, 29, R | W | C, true, true },
	{ &s1_64k, 1, 0x0070000060000f41, 0x60000000, 34, 29, R | W | C, true, true },
	/* 52 bits: DS=1 has OA[49:48] in place and OA[51:50] in bits[9:8]; 64KB OA[51:48] in bits[15:12] */
	{ &s1_4k_52, 0, 0x0062000040201d43, 0x6000040201000, 12, 12, R | W | C, true, true },
	{ &s1_4k_52, 0, 0x0063ffffffffff43, 0xffffffffff000, 12, 12, R | W | C, true, true },
	{ &s1_4k_52, 3, 0x0060008000000e41, 0x8008000000000, 39, 39, R | W | C, true, true },
	{ &s1_16k_52, 2, 0x0060001000000d41, 0x4001000000000, 36, 36, R | W | C, true, true },
	{ &s1_64k_52, 0, 0x006000004021ff43, 0xf000040210000, 16, 16, R | W | C, true, true },
	{ &s1_64k_52, 1, 0x006000006000af41, 0xa000060000000, 29, 29, R | W | C, true, true },
	{ &s1_64k_52, 2, 0x0060040000005f41, 0x5040000000000, 42, 42, R | W | C, true, true },
	/* stage 2: MemAttr bits[5:2], S2AP bits[7:6], XN bits[54:53] */
	{ &s2_4k, 0, 0x00400000402017ff, 0x40201000, 12, 12, R | W | C, true, true },
	{ &s2_4k, 0, 0x00400000402017d7, 0x40201000, 12, 12, R | W, true, true },
	{ &s2_4k, 0, 0x00400000402016c7, 0x40201000, 12, 12, R | W | IO, true, true },
	{ &s2_4k, 0, 0x004000004020177f, 0x40201000, 12, 12, R | C, true, true },
	{ &s2_4k, 0, 0x00400000402017bf, 0x40201000, 12, 12, W | C, true, true },
	{ &s2_4k, 0, 0x000000004020173f, 0x40201000, 12, 12, X | C, true, true },
	{ &s2_4k, 1, 0x00000000402007fd, 0x40200000, 21, 21, R | W | X | C, true, true },
	{ &s2_4k, 2, 0x00500000c00007fd, 0xc0000000, 34, 30, R | W | C, true, true },
	{ &s2_4k, 0, 0x7fc00000000007ff, 0, 12, 12, R | W | C, true, true },
	/* hardware update: AF, and DBM (51) with AP[2] or S2AP[1] */
	{ &s1_4k_ad, 0, 0x0060000040201b43, 0x40201000, 12, 12, R | W | C, false, true },
	{ &s1_4k_ad, 0, 0x0060000040201fc3, 0x40201000, 12, 12, R | C, true, false },
	{ &s1_4k_ad, 0, 0x0068000040201fc3, 0x40201000, 12, 12, R | W | C, true, false },
	{ &s1_4k_ad, 0, 0x0068000040201bc3, 0x40201000, 12, 12, R | W | C, false, false },
	{ &s1_4k_ad, 0, 0x0068000040201f43, 0x40201000, 12, 12, R | W | C, true, true },
	{ &s2_4k_ad, 0, 0x004800004020177f, 0x40201000, 12, 12, R | W | C, true, false },
	{ &s2_4k_ad, 0, 0x00480000402013ff, 0x40201000, 12, 12, R | W | C, false, true },
	{ &s2_4k_ad, 0, 0x004800004020173f, 0x40201000, 12, 12, W | C, true, false },
	/* tiny, index 2 bits: 4K 16K 64K blocks, groups of 2; the address reaches below the real block's and below nT */
	{ &s1_4k_tiny, 1, 0x0060000040204f41, 0x40204000, 14, 14, R | W | C, true, true },
	{ &s1_4k_tiny, 2, 0x0060000040210f41, 0x40210000, 16, 16, R | W | C, true, true },
	{ &s1_4k_tiny, 0, 0x0070000040201f43, 0x40201000, 13, 12, R | W | C, true, true },
	{ &s1_4k_tiny, 1, 0x0070000040204f41, 0x40204000, 15, 14, R | W | C, true, true },
	{ &s1_4k_tiny, 2, 0x0070000040210f41, 0x40210000, 17, 16, R | W | C, true, true },
	{ &s1_64k_tiny, 0, 0x0070000040210f43, 0x40210000, 18, 16, R | W | C, true, true },
	{ &s1_64k_tiny, 1, 0x0070000040280f41, 0x40280000, 20, 19, R | W | C, true, true },
};

static void test_hw_armv8__decodes_leaves(void **state)
{
	const struct leaf_vector *v;
	struct hw_entry e;
	struct hw hw;

	(void)state;
	for (v = leaves; v < leaves + sizeof(leaves) / sizeof(*leaves); v++) {
		must_init(&hw, v->config);
		e = hw.format->decode(&hw, v->level, v->raw);
		if (e.kind != HW_LEAF)
			fail_msg("leaf %zd: kind %d, %s", v - leaves, e.kind, e.why ? e.why : "");
		if (e.pa != v->pa || e.size_lg2 != v->size || e.span_lg2 != v->span || e.prot != v->prot)
			fail_msg("leaf %zd: pa %#llx size %u span %u prot %#x", v - leaves, (unsigned long long)e.pa, e.size_lg2,
				 e.span_lg2, e.prot);
		assert_int_equal(e.accessed, v->accessed);
		assert_int_equal(e.dirty, v->dirty);
		assert_true(hw.leaf_sizes >> e.size_lg2 & 1);
	}
}

/* D8.3.1.1, tables D8-50 and D8-51. */
static const struct table_vector {
	const struct test_config *config;
	unsigned level;
	uint64_t raw, pa;
	uint8_t prot;
} tables[] = {
	{ &s1_4k, 3, 0x0000800000001003, 0x800000001000, R | W | X },
	{ &s1_4k, 1, 0x07f8000000001fff, 0x1000, R | W | X },
	{ &s1_4k, 2, 0x4000000000001003, 0x1000, R | X },
	{ &s1_4k, 2, 0x1800000000001003, 0x1000, R | W },
	{ &s1_4k, 2, 0x5800000000001003, 0x1000, R },
	{ &s1_16k, 1, 0x0000000000004003, 0x4000, R | W | X },
	{ &s1_64k, 2, 0x0000000000010003, 0x10000, R | W | X },
	{ &s1_4k_52, 4, 0x0003000000001303, 0xf000000001000, R | W | X },
	{ &s1_16k_52, 3, 0x0001000000004203, 0x9000000004000, R | W | X },
	{ &s1_64k_52, 2, 0x000000000001c303, 0xc000000010000, R | W | X },
	{ &s2_4k, 2, 0x07f80000ffff1fff, 0xffff1000, R | W | X },
	{ &s1_4k_tiny, 3, 0x0000000000001003, 0x1000, R | W | X },
};

static void test_hw_armv8__decodes_tables(void **state)
{
	const struct table_vector *v;
	struct hw_entry e;
	struct hw hw;

	(void)state;
	for (v = tables; v < tables + sizeof(tables) / sizeof(*tables); v++) {
		must_init(&hw, v->config);
		e = hw.format->decode(&hw, v->level, v->raw);
		if (e.kind != HW_TABLE)
			fail_msg("table %zd: kind %d, %s", v - tables, e.kind, e.why ? e.why : "");
		assert_int_equal(e.level, v->level - 1);
		assert_int_equal(e.pa, v->pa);
		assert_int_equal(e.prot, v->prot);
	}
}

static void test_hw_armv8__empty_ignores_the_other_bits(void **state)
{
	static const struct test_config *configs[] = { &s1_4k, &s2_4k_ad, &s1_16k_52, &s1_64k_tiny };
	struct hw hw;
	unsigned i, level;

	(void)state;
	for (i = 0; i < 4; i++) {
		must_init(&hw, configs[i]);
		for (level = 0; level <= hw.top_level; level++) {
			assert_int_equal(hw.format->decode(&hw, level, 0).kind, HW_EMPTY);
			assert_int_equal(hw.format->decode(&hw, level, ~UINT64_C(1)).kind, HW_EMPTY);
		}
	}
}

/* A good descriptor with one thing wrong, and a word that the explanation has. */
static const struct bad_vector {
	const struct test_config *config;
	unsigned level;
	uint64_t raw;
	const char *why;
} bads[] = {
	{ &s1_4k, 0, 0x0060000040201f41, "01 at level 3" },
	{ &s1_4k, 3, 0x0060000000000f41, "Block at a level" },
	{ &s1_4k_52, 4, 0x0060000000000d41, "Block at a level" },
	{ &s1_16k, 2, 0x0060000000000f41, "Block at a level" },
	{ &s1_16k_52, 3, 0x0060000000000d41, "Block at a level" },
	{ &s1_64k, 2, 0x0060000000000f41, "Block at a level" },
	{ &s1_4k_tiny, 3, 0x0060000000000f41, "Block at a level" },
	/* addresses and what surrounds them */
	{ &s1_4k, 0, 0x0064000040201f43, "bits[50:48]" },
	{ &s1_4k, 0, 0x0061000040201f43, "bits[50:48]" },
	{ &s1_4k_52, 0, 0x0064000040201d43, "bit[50]" },
	{ &s1_64k_52, 0, 0x0061000040210f43, "bits[50:48]" },
	{ &s1_4k, 1, 0x0060000040220f41, "between" },
	{ &s1_4k, 1, 0x0060000040201f41, "between" },
	{ &s1_4k, 1, 0x0060000040210f41, "nT" },
	{ &s1_16k, 0, 0x0060000040205f43, "between" },
	{ &s1_64k, 0, 0x0060000040218f43, "between" },
	{ &s1_64k_52, 1, 0x0060000060020f41, "between" },
	{ &s1_64k_52, 1, 0x0060000060010f41, "nT" },
	{ &s1_4k_tiny, 1, 0x0060000040201f41, "between" },
	{ &s1_64k_tiny, 1, 0x0060000040290f41, "nT" },
	{ &s1_4k, 2, 0x0004000000001003, "bits[50:48]" },
	{ &s1_16k, 2, 0x0000000000005003, "between" },
	{ &s1_64k, 1, 0x0000000000011003, "between" },
	{ &s2_4k, 0, 0x00400100000007ff, "Address size" },
	{ &s2_4k, 1, 0x0000010000000003, "Address size" },
	{ &s1_4k_32, 0, 0x0060000100000f43, "Address size" },
	/* Contiguous */
	{ &s1_4k_52, 3, 0x0070000000000c41, "Contiguous bit[52], RES0" },
	{ &s1_16k_52, 2, 0x0070000000000c41, "Contiguous bit[52], RES0" },
	{ &s1_64k_52, 2, 0x0070000000000f41, "Contiguous bit[52], RES0" },
	{ &s1_4k_32, 2, 0x0070000000000f41, "exceeds the input" },
	/* stage 1 attributes */
	{ &s1_4k, 0, 0x0060000040201f4f, "AttrIndx" },
	{ &s1_4k, 0, 0x0060000040201f5f, "AttrIndx" },
	{ &s1_4k, 0, 0x0060000040201f63, "NS bit[5]" },
	{ &s1_4k, 0, 0x0060000040201d43, "SH" },
	{ &s1_64k_52, 0, 0x0060000040210d43, "SH" },
	{ &s1_4k, 0, 0x0060000040201b43, "AF=0" },
	{ &s1_4k, 0, 0x0068000040201f43, "DBM" },
	{ &s1_4k, 0, 0x0020000040201f03, "UXN=0 with AP[1]=0" },
	{ &s1_4k, 1, 0x8000000000001003, "NSTable" },
	{ &s1_4k, 1, 0x2000000000001003, "APTable[0]" },
	{ &s1_4k, 1, 0x1000000000001003, "UXNTable" },
	{ &s1_4k, 1, 0x0800000000001003, "UXNTable" },
	/* stage 2 attributes */
	{ &s2_4k, 0, 0x00400000402017c3, "MemAttr" },
	{ &s2_4k, 0, 0x00400000402017eb, "MemAttr" },
	{ &s2_4k, 0, 0x0040000040201fff, "FnXS" },
	{ &s2_4k, 0, 0x80400000402017ff, "bit[63]" },
	{ &s2_4k, 0, 0x00200000402017ff, "XN[1:0]" },
	{ &s2_4k, 0, 0x00600000402017ff, "XN[1:0]" },
	{ &s2_4k, 0, 0x00400000402015ff, "SH" },
	{ &s2_4k, 0, 0x00400000402013ff, "AF=0" },
	{ &s2_4k, 0, 0x00480000402017ff, "DBM" },
	{ &s2_4k, 1, 0x8000000000001003, "bits[63:59]" },
	{ &s2_4k, 1, 0x0800000000001003, "bits[63:59]" },
};

static void test_hw_armv8__rejects_reserved_fields(void **state)
{
	const struct bad_vector *v;
	struct hw_entry e;
	struct hw hw;

	(void)state;
	for (v = bads; v < bads + sizeof(bads) / sizeof(*bads); v++) {
		must_init(&hw, v->config);
		e = hw.format->decode(&hw, v->level, v->raw);
		if (e.kind != HW_BAD || !strstr(e.why, v->why))
			fail_msg("bad %zd: kind %d, %s, not %s", v - bads, e.kind, e.why ? e.why : "", v->why);
	}
}

static void test_hw_armv8__touch_sets_af_and_dirty(void **state)
{
	static const struct {
		const struct test_config *config;
		uint64_t raw, read, write;
	} vectors[] = {
		{ &s1_4k, 0x0060000040201f43, 0x0060000040201f43, 0x0060000040201f43 },
		{ &s1_4k_ad, 0x0068000040201bc3, 0x0068000040201fc3, 0x0068000040201f43 },
		{ &s1_4k_ad, 0x0068000040201fc3, 0x0068000040201fc3, 0x0068000040201f43 },
		{ &s1_4k_ad, 0x0060000040201b43, 0x0060000040201f43, 0x0060000040201f43 },
		{ &s1_4k_ad, 0x0068000040201f43, 0x0068000040201f43, 0x0068000040201f43 },
		{ &s2_4k_ad, 0x004800004020137f, 0x004800004020177f, 0x00480000402017ff },
		{ &s2_4k_ad, 0x00400000402013ff, 0x00400000402017ff, 0x00400000402017ff },
	};
	struct hw hw;
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		must_init(&hw, vectors[i].config);
		assert_int_equal(hw.format->touch(&hw, 0, vectors[i].raw, false), vectors[i].read);
		assert_int_equal(hw.format->touch(&hw, 0, vectors[i].raw, true), vectors[i].write);
		assert_int_equal((vectors[i].raw ^ vectors[i].write) & ~hw.ad_mask, 0);
	}
}

static void test_hw_armv8__expressible_follows_the_stage(void **state)
{
	static const struct {
		uint8_t prot;
		bool stage1, stage2;
	} vectors[] = {
		{ R, true, true },
		{ R | W, true, true },
		{ R | X | C, true, true },
		{ R | W | X | IO, true, true },
		{ R | P, true, false },
		{ R | W | X | C | P, true, false },
		{ W, false, true },
		{ X, false, true },
		{ W | X | C, false, true },
		{ C, false, false },
		{ 0, false, false },
		{ P, false, false },
		{ R | IO | C, false, false },
	};
	struct hw s1, s2;
	unsigned i;

	(void)state;
	must_init(&s1, &s1_4k);
	must_init(&s2, &s2_4k);
	for (i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		assert_int_equal(s1.format->expressible(&s1, vectors[i].prot), vectors[i].stage1);
		assert_int_equal(s2.format->expressible(&s2, vectors[i].prot), vectors[i].stage2);
	}
}

#define BIT(n) (UINT64_C(1) << (n))

/* D8.2.2, D8.2.8 to D8.2.10: levels after concatenation, item and index of the root, and the leaf sizes. */
static const struct geometry_vector {
	struct test_config config;
	uint8_t root_item, root_index, root_align;
	uint64_t sizes;
} geometries[] = {
	{ { F4K, 1, 48, 48, 4, 0, 0, 0, 0 }, 39, 9, 12, BIT(12) | BIT(16) | BIT(21) | BIT(25) | BIT(30) | BIT(34) },
	{ { F4K, 1, 40, 48, 4, 0, 0, 0, 0 }, 39, 1, 6, BIT(12) | BIT(16) | BIT(21) | BIT(25) | BIT(30) | BIT(34) },
	{ { F4K, 1, 39, 40, 3, 0, 0, 1, 0 }, 30, 9, 12, BIT(12) | BIT(16) | BIT(21) | BIT(25) | BIT(30) | BIT(34) },
	{ { F4K, 1, 32, 32, 3, 0, 0, 0, 0 }, 30, 2, 6, BIT(12) | BIT(16) | BIT(21) | BIT(25) | BIT(30) },
	{ { F4K, 1, 16, 48, 1, 0, 0, 0, 0 }, 12, 4, 7, BIT(12) | BIT(16) },
	{ { F4K, 1, 52, 52, 5, 1, 0, 0, 0 }, 48, 4, 7, BIT(12) | BIT(16) | BIT(21) | BIT(25) | BIT(30) | BIT(34) | BIT(39) },
	{ { F4K, 1, 48, 32, 4, 1, 0, 0, 0 }, 39, 9, 12, BIT(12) | BIT(16) | BIT(21) | BIT(25) | BIT(30) },
	{ { F4K, 2, 40, 40, 3, 0, 0, 0, 0 }, 30, 10, 13, BIT(12) | BIT(16) | BIT(21) | BIT(25) | BIT(30) | BIT(34) },
	{ { F4K, 2, 43, 44, 3, 0, 0, 0, 0 }, 30, 13, 16, BIT(12) | BIT(16) | BIT(21) | BIT(25) | BIT(30) | BIT(34) },
	/* concatenation where it is not needed may be left out */
	{ { F4K, 2, 40, 44, 4, 0, 0, 0, 0 }, 39, 1, 6, BIT(12) | BIT(16) | BIT(21) | BIT(25) | BIT(30) | BIT(34) },
	{ { F4K, 2, 32, 36, 3, 0, 0, 0, 0 }, 30, 2, 6, BIT(12) | BIT(16) | BIT(21) | BIT(25) | BIT(30) },
	{ { F16K, 2, 40, 42, 3, 0, 0, 0, 0 }, 36, 4, 7, BIT(14) | BIT(21) | BIT(25) | BIT(30) },
	{ { F64K, 2, 44, 44, 3, 0, 0, 0, 0 }, 42, 2, 6, BIT(16) | BIT(21) | BIT(29) | BIT(34) },
	{ { F4K, 2, 44, 44, 4, 0, 0, 0, 0 }, 39, 5, 8, BIT(12) | BIT(16) | BIT(21) | BIT(25) | BIT(30) | BIT(34) },
	{ { F4K, 2, 32, 36, 2, 0, 0, 0, 0 }, 21, 11, 14, BIT(12) | BIT(16) | BIT(21) | BIT(25) },
	{ { F4K, 2, 25, 36, 1, 0, 0, 0, 0 }, 12, 13, 16, BIT(12) | BIT(16) },
	{ { F4K, 2, 52, 52, 4, 1, 0, 0, 0 }, 39, 13, 16, BIT(12) | BIT(16) | BIT(21) | BIT(25) | BIT(30) | BIT(34) | BIT(39) },
	{ { F16K, 1, 48, 48, 4, 0, 0, 0, 0 }, 47, 1, 6, BIT(14) | BIT(21) | BIT(25) | BIT(30) },
	{ { F16K, 1, 47, 48, 3, 0, 0, 0, 0 }, 36, 11, 14, BIT(14) | BIT(21) | BIT(25) | BIT(30) },
	{ { F16K, 2, 48, 48, 3, 0, 0, 0, 0 }, 36, 12, 15, BIT(14) | BIT(21) | BIT(25) | BIT(30) },
	{ { F16K, 2, 40, 40, 2, 0, 0, 0, 0 }, 25, 15, 18, BIT(14) | BIT(21) | BIT(25) | BIT(30) },
	{ { F16K, 1, 52, 52, 4, 1, 0, 0, 0 }, 47, 5, 8, BIT(14) | BIT(21) | BIT(25) | BIT(30) | BIT(36) },
	{ { F64K, 1, 48, 48, 3, 0, 0, 0, 0 }, 42, 6, 9, BIT(16) | BIT(21) | BIT(29) | BIT(34) },
	{ { F64K, 1, 52, 52, 3, 1, 0, 0, 0 }, 42, 10, 13, BIT(16) | BIT(21) | BIT(29) | BIT(34) | BIT(42) },
	{ { F64K, 2, 46, 48, 2, 0, 0, 0, 0 }, 29, 17, 20, BIT(16) | BIT(21) | BIT(29) | BIT(34) },
	{ { F64K, 1, 17, 48, 1, 0, 0, 0, 0 }, 16, 1, 6, BIT(16) },
	{ { F4K, 1, 20, 48, 4, 0, 0, 0, 2 }, 18, 2, 6, BIT(12) | BIT(13) | BIT(14) | BIT(15) | BIT(16) | BIT(17) },
	{ { F4K, 2, 20, 52, 4, 1, 0, 0, 2 }, 18, 2, 6, BIT(12) | BIT(13) | BIT(14) | BIT(15) | BIT(16) | BIT(17) | BIT(18) },
	{ { F16K, 1, 20, 48, 2, 0, 0, 1, 3 }, 17, 3, 6, BIT(14) | BIT(16) | BIT(17) | BIT(18) },
	{ { F64K, 2, 24, 48, 2, 0, 0, 0, 4 }, 20, 4, 7, BIT(16) | BIT(19) | BIT(20) | BIT(21) },
};

static void test_hw_armv8__geometry(void **state)
{
	const struct geometry_vector *v;
	struct hw hw;
	unsigned top;

	(void)state;
	for (v = geometries; v < geometries + sizeof(geometries) / sizeof(*geometries); v++) {
		must_init(&hw, &v->config);
		top = hw.top_level;
		if (hw.item_lg2[top] != v->root_item || hw.index_lg2[top] != v->root_index || hw.table_align_lg2[top] != v->root_align)
			fail_msg("geometry %zd: item %u index %u align %u", v - geometries, hw.item_lg2[top], hw.index_lg2[top],
				 hw.table_align_lg2[top]);
		if (hw.leaf_sizes != v->sizes)
			fail_msg("geometry %zd: sizes %#llx", v - geometries, (unsigned long long)hw.leaf_sizes);
		assert_int_equal(top, v->config.levels - 1);
		assert_int_equal(hw.top_level_max, top);
		assert_int_equal(hw.item_bytes_lg2, 3);
		assert_int_equal(hw.oa_lg2, v->config.oas);
		assert_int_equal(hw.has_dirty, v->config.ad);
		assert_true(hw.has_low != hw.has_high);
		if (v->config.half)
			assert_int_equal(hw.iova_high_first, UINT64_MAX << v->config.ias);
		else
			assert_int_equal(hw.iova_low_last, BIT(v->config.ias) - 1);
	}
}

/* What an attribute index means is MAIR's to say. */
static void test_hw_armv8__memory_attributes_are_mair_s(void **state)
{
	static const struct {
		uint64_t mair;
		int prot[4]; /* by index; -1: not one that is used */
	} cases[] = {
		{ CONFIG_ARM_MAIR, { R | W | C, R | W, R | W | IO, -1 } },
		{ UINT64_C(0xf404ff44), { R | W, R | W | C, R | W | IO, -1 } },
		{ UINT64_C(0xff000000), { -1, -1, -1, R | W | C } },
	};
	unsigned i, idx;
	struct hw hw;

	(void)state;
	must_init(&hw, &s1_4k);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hw.arm_mair = cases[i].mair;
		for (idx = 0; idx < 4; idx++) {
			struct hw_entry e = hw.format->decode(&hw, 0, 0x0060000040201f43 | idx << 2);

			assert_int_equal(e.kind, cases[i].prot[idx] < 0 ? HW_BAD : HW_LEAF);
			if (e.kind == HW_LEAF)
				assert_int_equal(e.prot, cases[i].prot[idx]);
		}
	}
}

/* oa_step_lg2 and oa_carry_lg2 are what the fill of consecutive items may rely on. */
static void test_hw_armv8__next_item_is_one_step_on(void **state)
{
	const struct leaf_vector *v;
	struct hw_entry a, b;
	struct hw hw;

	(void)state;
	for (v = leaves; v < leaves + sizeof(leaves) / sizeof(*leaves); v++) {
		must_init(&hw, v->config);
		a = hw.format->decode(&hw, v->level, v->raw);
		if (hw.oa_carry_lg2 < 64 && (a.pa >> hw.oa_carry_lg2) != ((a.pa + BIT(hw.item_lg2[v->level])) >> hw.oa_carry_lg2))
			continue;
		if ((a.pa + BIT(hw.item_lg2[v->level])) >> hw.oa_lg2)
			continue;
		b = hw.format->decode(&hw, v->level, v->raw + BIT(hw.oa_step_lg2[v->level]));
		assert_int_equal(b.kind, HW_LEAF);
		assert_int_equal(b.pa, a.pa + BIT(hw.item_lg2[v->level]));
	}
	must_init(&hw, &s1_4k_52);
	assert_int_equal(hw.oa_carry_lg2, 50);
	must_init(&hw, &s1_64k_52);
	assert_int_equal(hw.oa_carry_lg2, 48);
	must_init(&hw, &s1_64k);
	assert_int_equal(hw.oa_carry_lg2, 64);
}

static void test_hw_armv8__init_rejects_what_hardware_has_not(void **state)
{
	static const struct test_config configs[] = {
		{ F4K, 0, 48, 48, 4, 0, 0, 0, 0 },           { F4K, 3, 48, 48, 4, 0, 0, 0, 0 }, { F4K, 2, 48, 48, 4, 0, 0, 1, 0 },
		{ F4K, 1, 48, 48, 3, 0, 0, 0, 0 },           { F4K, 2, 40, 40, 4, 0, 0, 0, 0 }, { F4K, 1, 49, 48, 5, 0, 0, 0, 0 },
		{ F4K, 1, 53, 52, 5, 1, 0, 0, 0 },           { F4K, 1, 15, 48, 1, 0, 0, 0, 0 }, { F64K, 1, 16, 48, 0, 0, 0, 0, 0 },
		{ F4K, 1, 48, 52, 4, 0, 0, 0, 0 },           { F4K, 1, 48, 47, 4, 0, 0, 0, 0 }, { F4K, 1, 48, 56, 4, 1, 0, 0, 0 },
		{ F4K, 1, 48, 48, 4, 2, 0, 0, 0 },           { F4K, 1, 48, 48, 4, 0, 2, 0, 0 }, { F4K, 1, 48, 48, 4, 0, 0, 2, 0 },
		{ F4K, 1, 20, 48, 4, 0, 0, 0, 1 },           { F4K, 1, 32, 48, 4, 0, 0, 0, 5 }, { F4K, 1, 21, 48, 4, 0, 0, 0, 2 },
		{ F4K, 1, 22, 48, 5, 0, 0, 0, 2 },           { F4K, 1, 12, 48, 0, 0, 0, 0, 2 }, { F16K, 2, 48, 48, 4, 0, 0, 0, 0 },
		{ F4K, 1, CONFIG_UNSET, 48, 4, 0, 0, 0, 0 }, { F4K, 2, 40, 42, 4, 0, 0, 0, 0 }, { F16K, 2, 40, 40, 3, 0, 0, 0, 0 },
		{ F64K, 2, 44, 42, 3, 0, 0, 0, 0 },          { F4K, 2, 44, 44, 3, 0, 0, 0, 0 },
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

static void test_hw_armv8__init_rejects_ad_without_coherence(void **state)
{
	const char *why = NULL;
	struct hw hw;

	(void)state;
	must_init(&hw, &s1_4k_ad);
	hw.cfg.coherent = 0;
	assert_int_equal(hw.format->init(&hw, &why), -EINVAL);
	assert_non_null(why);
}

/* Any bits: decode ends, every BAD says why, every leaf has a size that the geometry lists and lies inside the output size. */
static void test_hw_armv8__decode_is_total(void **state)
{
	static const struct test_config *configs[] = { &s1_4k,     &s1_4k_ad, &s2_4k,  &s2_4k_ad, &s1_4k_52,   &s1_16k_52,
						       &s1_64k_52, &s1_16k,   &s1_64k, &s1_4k_32, &s1_4k_tiny, &s1_64k_tiny };
	uint64_t seed = 0x9e3779b97f4a7c15, raw;
	unsigned i, n, level, kinds[4] = { 0 };
	struct hw_entry e;
	char text[512];
	struct hw hw;

	(void)state;
	print_message("seed %#llx\n", (unsigned long long)seed);
	for (i = 0; i < sizeof(configs) / sizeof(*configs); i++) {
		must_init(&hw, configs[i]);
		for (n = 0; n < 200000; n++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			raw = seed;
			level = n % (hw.top_level + 1);
			/* half of them near good leaves, so that every kind occurs */
			if (n & 64)
				raw = leaves[seed % (sizeof(leaves) / sizeof(*leaves))].raw ^ UINT64_C(1) << (seed >> 58);
			e = hw.format->decode(&hw, level, raw);
			kinds[e.kind]++;
			assert_true((e.kind == HW_BAD) == (e.why != NULL));
			if (e.kind == HW_LEAF)
				assert_true((hw.leaf_sizes >> e.size_lg2 & 1) && !(e.pa >> hw.oa_lg2) && !(e.pa & (BIT(e.span_lg2) - 1)));
			if (e.kind == HW_TABLE)
				assert_true(level && e.level == level - 1);
			if (n % 16 == 0) {
				memset(text, 'x', sizeof(text));
				hw.format->fields(&hw, level, raw, text, 1 + n % sizeof(text));
				assert_non_null(memchr(text, 0, 1 + n % sizeof(text)));
			}
		}
	}
	for (i = 0; i < 4; i++)
		assert_true(kinds[i] > 1000);
}

static void test_hw_armv8__fields_name_the_specification(void **state)
{
	char text[256];
	struct hw hw;

	(void)state;
	must_init(&hw, &s1_4k);
	hw.format->fields(&hw, 0, 0x0060000040201f43, text, sizeof(text));
	assert_string_equal(text, "type=page address=0x40201000 AttrIndx=0 NS=0 AP=1 SH=3 AF=1 nG=1 DBM=0 Contiguous=0 PXN=1 UXN=1 sw=0");
	hw.format->fields(&hw, 1, 0x4000000040201003, text, sizeof(text));
	assert_string_equal(text, "type=table address=0x40201000 NSTable=0 APTable=2 UXNTable=0 PXNTable=0");
	must_init(&hw, &s2_4k);
	hw.format->fields(&hw, 1, 0x00400000402007fd, text, sizeof(text));
	assert_string_equal(text, "type=block address=0x40200000 MemAttr=15 S2AP=3 SH=3 AF=1 FnXS=0 DBM=0 Contiguous=0 XN=2 sw=0 nT=0");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hw_armv8__decodes_leaves),
		cmocka_unit_test(test_hw_armv8__decodes_tables),
		cmocka_unit_test(test_hw_armv8__empty_ignores_the_other_bits),
		cmocka_unit_test(test_hw_armv8__rejects_reserved_fields),
		cmocka_unit_test(test_hw_armv8__touch_sets_af_and_dirty),
		cmocka_unit_test(test_hw_armv8__expressible_follows_the_stage),
		cmocka_unit_test(test_hw_armv8__geometry),
		cmocka_unit_test(test_hw_armv8__memory_attributes_are_mair_s),
		cmocka_unit_test(test_hw_armv8__next_item_is_one_step_on),
		cmocka_unit_test(test_hw_armv8__init_rejects_what_hardware_has_not),
		cmocka_unit_test(test_hw_armv8__init_rejects_ad_without_coherence),
		cmocka_unit_test(test_hw_armv8__decode_is_total),
		cmocka_unit_test(test_hw_armv8__fields_name_the_specification),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
