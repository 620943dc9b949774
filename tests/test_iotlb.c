/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_iotlb.c - the command decoder against 128-bit commands assembled by hand from the vendors' figures.
 *
 * Each vector is one command and what it covers; the geometry that the decoder needs is filled in here, without any walker.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "../oracle/iotlb.h"

#define ARRAY_NR(a) (sizeof(a) / sizeof(*(a)))
#define ALL UINT64_MAX

enum { L = 1, T = 2, IN = 4 }; /* leaves, tables, inside */

/*
 * struct vector - one command.
 * @why: part of the reason for which it is refused; NULL: it is not, and the rest is what it removes
 */
struct vector {
	uint64_t low, high;
	const char *why;
	unsigned what;
	uint64_t iova, last;
	unsigned levels;
};

static const struct hw_format fmt_x86 = { .name = "x86_64" }, fmt_amd = { .name = "amdv1" }, fmt_vtdss = { .name = "vtdss" };
static const struct hw_format fmt_arm = { .name = "armv8" }, fmt_other = { .name = "other" };

static struct hw geometry(const struct hw_format *format, unsigned granule_lg2, unsigned index_lg2, unsigned levels)
{
	struct hw hw = { .format = format, .top_level = levels - 1, .top_level_max = levels - 1, .has_low = true };
	unsigned l;

	for (l = 0; l < levels; l++) {
		hw.item_lg2[l] = granule_lg2 + l * index_lg2;
		hw.index_lg2[l] = index_lg2;
	}
	hw.iova_low_last = granule_lg2 + levels * index_lg2 > 63 ? ALL : (1ull << (granule_lg2 + levels * index_lg2)) - 1;
	return hw;
}

static struct hw arm(unsigned granule_lg2, unsigned stage)
{
	struct hw hw = geometry(&fmt_arm, granule_lg2, granule_lg2 - 3, granule_lg2 == 12 ? 4 : 3);

	hw.cfg.stage = stage;
	return hw;
}

static void check(const struct hw *hw, unsigned vendor, const struct vector *t, unsigned nr)
{
	unsigned i;

	for (i = 0; i < nr; i++) {
		struct iotlb_cmd c;

		memset(&c, 0xa5, sizeof(c));
		iotlb_decode(hw, vendor, t[i].low, t[i].high, &c);
		if (!!t[i].why != !!c.why || (c.why && !strstr(c.why, t[i].why)))
			print_error("vector %u: why is %s\n", i, c.why ? c.why : "NULL");
		assert_int_equal(!!t[i].why, !!c.why);
		if (t[i].why) {
			assert_non_null(strstr(c.why, t[i].why));
			assert_false(iotlb_removes_leaf(&c, 0, ALL, 0) || iotlb_removes_table(&c, 0, ALL));
			continue;
		}
		if (c.iova != t[i].iova || c.last != t[i].last || c.leaf_levels != t[i].levels)
			print_error("vector %u: [%llx, %llx] levels %x\n", i, (unsigned long long)c.iova, (unsigned long long)c.last,
				    c.leaf_levels);
		assert_int_equal((c.leaves ? L : 0) | (c.tables ? T : 0) | (c.inside ? IN : 0), t[i].what);
		assert_int_equal(c.iova, t[i].iova);
		assert_int_equal(c.last, t[i].last);
		assert_int_equal(c.leaf_levels, t[i].levels);
	}
}

/* Flip each bit of mask in a good command: every one must be refused for the reason given. */
static void check_reserved(const struct hw *hw, unsigned vendor, uint64_t low, uint64_t high, uint64_t low_mask, uint64_t high_mask,
			   const char *why)
{
	struct iotlb_cmd c;
	unsigned bit;

	iotlb_decode(hw, vendor, low, high, &c);
	assert_null(c.why);
	for (bit = 0; bit < 128; bit++) {
		uint64_t l = bit < 64 ? 1ull << bit : 0, h = bit < 64 ? 0 : 1ull << (bit - 64);

		if (!(l & low_mask) && !(h & high_mask))
			continue;
		iotlb_decode(hw, vendor, low ^ l, high ^ h, &c);
		if (!c.why || !strstr(c.why, why))
			print_error("bit %u: why is %s\n", bit, c.why ? c.why : "NULL");
		assert_non_null(c.why);
		assert_non_null(strstr(c.why, why));
	}
}

static void test_iotlb__generic(void **state)
{
	static const struct vector t[] = {
		{ 0x40000000 | 0x1, 0x40000fff, NULL, L | IN, 0x40000000, 0x40000fff, 0x01 },
		{ 0x40000000 | 0x103, 0x401fffff, NULL, L | T | IN, 0x40000000, 0x401fffff, 0x03 },
		{ 0x100, ALL, NULL, T | IN, 0, ALL, 0 },
		{ 0xfffffffffffff000 | 0xff, ALL, NULL, L | IN, 0xfffffffffffff000, ALL, 0xff },
		{ 0x2000 | 0x1, 0x1fff, "last below iova", 0, 0, 0, 0 },
	};
	struct hw hw = geometry(&fmt_other, 12, 9, 3);

	(void)state;
	check(&hw, TLB_GENERIC, t, ARRAY_NR(t));
	check_reserved(&hw, TLB_GENERIC, 0x1ff, ALL, 0xe00, 0, "reserved");
}

#define AMD_LOW (3ull << 60 | 1ull << 32)

static void test_iotlb__amd(void **state)
{
	static const struct vector t[] = {
		{ AMD_LOW, 0x12345000, NULL, L | IN, 0x12345000, 0x12345fff, 0xff },
		{ AMD_LOW, 0x12345000 | 2, NULL, L | T | IN, 0x12345000, 0x12345fff, 0xff },
		/* S: lowest zero bit 12: 8K; 14: 32K; 20: 2M */
		{ AMD_LOW, 0x12344000 | 1, NULL, L | IN, 0x12344000, 0x12345fff, 0xff },
		{ AMD_LOW, 0x12342000 | 3, NULL, L | T | IN, 0x12342000, 0x12343fff, 0xff },
		{ AMD_LOW, 0x12343000 | 1, NULL, L | IN, 0x12340000, 0x12347fff, 0xff },
		{ AMD_LOW, 0x402ff000 | 1, NULL, L | IN, 0x40200000, 0x403fffff, 0xff },
		{ AMD_LOW, 0x0017fffffffff000 | 1, NULL, L | IN, 0x0010000000000000, 0x001fffffffffffff, 0xff },
		{ AMD_LOW, 0x7ffffffffffff000 | 3, NULL, L | T | IN, 0, ALL, 0xff },
		{ AMD_LOW, 0xfffffffffffff000 | 1, "no zero bit", 0, 0, 0, 0 },
		{ AMD_LOW, 0x000ffffffffff000 | 1, "table 14", 0, 0, 0, 0 },
		{ AMD_LOW, 0x3ffffffffffff000 | 1, "table 14", 0, 0, 0, 0 },
		{ 3ull << 60 | 2ull << 32, 0, "another domain", 0, 0, 0, 0 },
		{ 2ull << 60 | 1ull << 32, 0, "opcode", 0, 0, 0, 0 },
		{ AMD_LOW, 4, "GN: 1", 0, 0, 0, 0 },
		{ AMD_LOW | 1, 0, "PASID: reserved", 0, 0, 0, 0 },
	};
	struct hw hw = geometry(&fmt_amd, 12, 9, 6);

	(void)state;
	check(&hw, TLB_AMD, t, ARRAY_NR(t));
	check_reserved(&hw, TLB_AMD, AMD_LOW, 0x1000, 0xfffull << 48 | 0xfffull << 20, 0xff8, "reserved bits");
}

static void test_iotlb__amd_guest(void **state)
{
	static const struct vector t[] = {
		{ AMD_LOW, 0x12345000 | 4, NULL, L | IN, 0x12345000, 0x12345fff, 0xff },
		{ AMD_LOW, 0xffff800000000000 | 7, NULL, L | T | IN, 0xffff800000000000, 0xffff800000001fff, 0xff },
		{ AMD_LOW, 0x12345000, "GN: 0", 0, 0, 0, 0 },
		{ AMD_LOW | 1, 4, "PASID: another", 0, 0, 0, 0 },
	};
	struct hw hw = geometry(&fmt_x86, 12, 9, 4);

	(void)state;
	check(&hw, TLB_AMD, t, ARRAY_NR(t));
}

#define IOTLB_INV(g) (2 | (uint64_t)(g) << 4 | 1 << 16)
#define PIOTLB_INV(g) (6 | (uint64_t)(g) << 4 | 1 << 16)

static void test_iotlb__vtd_second_stage(void **state)
{
	static const struct vector t[] = {
		{ IOTLB_INV(1), 0, NULL, L | T, 0, ALL, 0xff },
		{ 2 | 1 << 4 | 7 << 16, 0, NULL, L | T, 0, ALL, 0xff }, /* DID is ignored */
		{ IOTLB_INV(2), 0x12345000 | 0x7f, NULL, L | T, 0, ALL, 0xff },
		{ IOTLB_INV(2) | 0xc0, 0, NULL, L | T, 0, ALL, 0xff }, /* DW, DR */
		{ IOTLB_INV(3), 0x12345000, NULL, L | T, 0x12345000, 0x12345fff, 0x01 },
		{ IOTLB_INV(3), 0x12345000 | 0x40, NULL, L, 0x12345000, 0x12345fff, 0x01 },
		{ IOTLB_INV(3), 0x12345000 | 8, NULL, L | T, 0x12300000, 0x123fffff, 0x01 },
		{ IOTLB_INV(3), 0x40200000 | 9, NULL, L | T, 0x40200000, 0x403fffff, 0x03 },
		{ IOTLB_INV(3), 0x40345000 | 9, NULL, L | T, 0x40200000, 0x403fffff, 0x03 }, /* masked bits */
		{ IOTLB_INV(3), 0x40000000 | 18, NULL, L | T, 0x40000000, 0x7fffffff, 0x07 },
		{ IOTLB_INV(3), 19, "AM", 0, 0, 0, 0 },
		{ IOTLB_INV(3), 51, "AM", 0, 0, 0, 0 },
		{ IOTLB_INV(0), 0, "G=00b", 0, 0, 0, 0 },
		{ 2 | 2 << 4 | 2 << 16, 0, "another domain", 0, 0, 0, 0 },
		{ 2 | 3 << 4, 0, "another domain", 0, 0, 0, 0 },
		{ 5 | 2 << 4 | 1 << 16, 0, "Type", 0, 0, 0, 0 },
		{ IOTLB_INV(2) | 1 << 9, 0, "Type", 0, 0, 0, 0 },
		{ PIOTLB_INV(2), 0, "first-stage", 0, 0, 0, 0 },
	};
	struct hw hw = geometry(&fmt_vtdss, 12, 9, 4);

	(void)state;
	check(&hw, TLB_VTD, t, ARRAY_NR(t));
	check_reserved(&hw, TLB_VTD, IOTLB_INV(3), 0x1000, 0xffffffffull << 32 | 0xf100, 0xf80, "RsvdZ");
}

static void test_iotlb__vtd_first_stage(void **state)
{
	static const struct vector t[] = {
		{ PIOTLB_INV(2), 0, NULL, L | T, 0, ALL, 0xff },
		{ PIOTLB_INV(3), 0xffffffffffe00000 | 9, NULL, L | T, 0xffffffffffe00000, ALL, 0x03 },
		{ PIOTLB_INV(3), 0x7000 | 0x40, NULL, L, 0x7000, 0x7fff, 0x01 },
		{ PIOTLB_INV(0), 0, "reserved", 0, 0, 0, 0 },
		{ PIOTLB_INV(1), 0, "reserved", 0, 0, 0, 0 },
		{ PIOTLB_INV(3) | 1ull << 32, 0, "PASID", 0, 0, 0, 0 },
		{ 6 | 3 << 4 | 9 << 16, 0, "another domain", 0, 0, 0, 0 },
		/* table 23: a second-stage descriptor takes the whole domain's first-stage entries */
		{ IOTLB_INV(2), 0, NULL, L | T, 0, ALL, 0xff },
		{ IOTLB_INV(3), 0x7000, NULL, L | T, 0, ALL, 0xff },
	};
	struct hw hw = geometry(&fmt_x86, 12, 9, 4);

	(void)state;
	check(&hw, TLB_VTD, t, ARRAY_NR(t));
	check_reserved(&hw, TLB_VTD, PIOTLB_INV(3), 0x1000, 0xfffull << 52 | 0xf1c0, 0xf80, "RsvdZ");
}

/* SMMUv3: low and high half of the address commands; tg, ttl as encoded */
#define S1(op) ((uint64_t)(op) | 1ull << 32 | 1ull << 48)
#define S2(op) ((uint64_t)(op) | 1ull << 32)
#define RANGE(num, scale) ((uint64_t)(num) << 12 | (uint64_t)(scale) << 20)
#define VA(addr, leaf, ttl, tg) ((uint64_t)(addr) | (leaf) | (ttl) << 8 | (tg) << 10)

static void test_iotlb__arm_whole(void **state)
{
	static const struct vector t1[] = {
		{ S1(0x11), 0, NULL, L | T, 0, ALL, 0xff },
		{ S2(0x28), 0, NULL, L | T, 0, ALL, 0xff },
		{ S2(0x11), 0, "ASID", 0, 0, 0, 0 },
		{ 0x11 | 2ull << 32 | 1ull << 48, 0, "VMID", 0, 0, 0, 0 },
		{ S1(0x28), 0, "RES0", 0, 0, 0, 0 },
		{ S1(0x10), 0, "opcode", 0, 0, 0, 0 },
		{ S2(0x2a), 0, "stage 2 command", 0, 0, 0, 0 },
	};
	static const struct vector t2[] = {
		{ S2(0x28), 0, NULL, L | T, 0, ALL, 0xff },
		{ S1(0x11), 0, "stage 1 command", 0, 0, 0, 0 },
		{ S1(0x12), 0, "stage 1 command", 0, 0, 0, 0 },
		{ 0x28, 0, "VMID", 0, 0, 0, 0 },
		{ S1(0x2a), 0, "RES0", 0, 0, 0, 0 },
	};
	struct hw s1 = arm(12, 1), s2 = arm(12, 2);

	(void)state;
	check(&s1, TLB_ARM, t1, ARRAY_NR(t1));
	check(&s2, TLB_ARM, t2, ARRAY_NR(t2));
	check_reserved(&s1, TLB_ARM, S1(0x11), 0, 0xffffff00, ALL, "RES0");
	check_reserved(&s2, TLB_ARM, S2(0x28), 0, 0xffffff00, ALL, "RES0");
}

static void test_iotlb__arm_one_address(void **state)
{
	static const struct vector t1[] = {
		{ S1(0x12), VA(0x12345000, 0, 0, 0), NULL, L | T, 0x12345000, 0x12345fff, 0xff },
		{ S1(0x12), VA(0x12345000, 1, 0, 0), NULL, L, 0x12345000, 0x12345fff, 0xff },
		{ S1(0x12), VA(0xffffff8000000000, 1, 0, 0), NULL, L, 0xffffff8000000000, 0xffffff8000000fff, 0xff },
		{ S1(0x12) | RANGE(1, 0), VA(0x12345000, 1, 0, 0), "TG=0", 0, 0, 0, 0 },
		{ S1(0x12) | RANGE(0, 1), VA(0x12345000, 1, 0, 0), "TG=0", 0, 0, 0, 0 },
		{ S1(0x12), VA(0x12345000, 1, 3, 0), "TG=0", 0, 0, 0, 0 },
	};
	static const struct vector t2[] = {
		{ S2(0x2a), VA(0xffffffffff000, 1, 0, 0), NULL, L, 0xffffffffff000, 0xfffffffffffff, 0xff },
		{ S2(0x2a), VA(1ull << 56, 1, 0, 0), "63:56", 0, 0, 0, 0 },
	};
	struct hw s1 = arm(12, 1), s2 = arm(12, 2);

	(void)state;
	check(&s1, TLB_ARM, t1, ARRAY_NR(t1));
	check(&s2, TLB_ARM, t2, ARRAY_NR(t2));
	check_reserved(&s1, TLB_ARM, S1(0x12), 0x1000, 0xfc0e0f00, 0xfe, "RES0");
	check_reserved(&s2, TLB_ARM, S2(0x2a), 0x1000, 0xfc0e0f00, 0xffull << 56 | 0xfe, "RES0");
}

static void test_iotlb__arm_range_and_level(void **state)
{
	static const struct vector t[] = {
		/* (NUM+1) * 2^SCALE granules */
		{ S1(0x12) | RANGE(1, 0), VA(0x12345000, 1, 0, 1), NULL, L, 0x12345000, 0x12346fff, 0xff },
		{ S1(0x12) | RANGE(0, 1), VA(0x12345000, 0, 0, 1), NULL, L | T, 0x12345000, 0x12346fff, 0xff },
		{ S1(0x12) | RANGE(31, 4), VA(0x40000000, 1, 0, 1), NULL, L, 0x40000000, 0x401fffff, 0xff },
		{ S1(0x12) | RANGE(2, 9), VA(0x40000000, 1, 2, 1), NULL, L, 0x40000000, 0x405fffff, 0x02 },
		/* TTL 3, 2, 1 are our 0, 1, 2; pointers at the leaf's own level stay, and the interface cannot tell them apart */
		{ S1(0x12), VA(0x12345000, 0, 3, 1), NULL, L | T, 0x12345000, 0x12345fff, 0x01 },
		{ S1(0x12), VA(0x40200000, 0, 2, 1), NULL, L, 0x40200000, 0x40200fff, 0x02 },
		{ S1(0x12), VA(0x40000000, 1, 1, 1), NULL, L, 0x40000000, 0x40000fff, 0x04 },
		/* no wrap, and no way from the lower into the upper half */
		{ S1(0x12) | RANGE(31, 31), VA(0x7fff800000000000, 1, 0, 1), NULL, L, 0x7fff800000000000, 0x7fffffffffffffff, 0xff },
		{ S1(0x12) | RANGE(1, 0), VA(0xfffffffffffff000, 1, 0, 1), NULL, L, 0xfffffffffffff000, ALL, 0xff },
		/* refused */
		{ S1(0x12), VA(0x12345000, 1, 0, 1), "NUM=0", 0, 0, 0, 0 },
		{ S1(0x12) | RANGE(0, 32), VA(0, 1, 0, 1), "SCALE", 0, 0, 0, 0 },
		{ S1(0x12), VA(0x12345000, 1, 3, 2), "TG", 0, 0, 0, 0 },
		{ S1(0x12), VA(0x12345000, 1, 3, 3), "TG", 0, 0, 0, 0 },
		{ S1(0x12), VA(0x40201000, 1, 2, 1), "not aligned", 0, 0, 0, 0 },
		{ S1(0x12), VA(0x40200000, 1, 1, 1), "not aligned", 0, 0, 0, 0 },
		{ S1(0x12), VA(0x12345000, 1, 3, 1) | 0x80, "RES0", 0, 0, 0, 0 }, /* TTL128 */
	};
	struct hw hw = arm(12, 1);

	(void)state;
	check(&hw, TLB_ARM, t, ARRAY_NR(t));
}

static void test_iotlb__arm_other_granules(void **state)
{
	static const struct vector t16[] = {
		{ S2(0x2a), VA(0x12344000, 1, 3, 2), NULL, L, 0x12344000, 0x12347fff, 0x01 },
		{ S2(0x2a) | RANGE(1, 0), VA(0x12344000, 1, 0, 2), NULL, L, 0x12344000, 0x1234bfff, 0xff },
		{ S2(0x2a), VA(0x42000000, 1, 2, 2), NULL, L, 0x42000000, 0x42003fff, 0x02 },
		{ S2(0x2a), VA(0x12345000, 1, 3, 2), "not aligned", 0, 0, 0, 0 },
		{ S2(0x2a) | RANGE(1, 0), VA(0x12346000, 1, 0, 2), "not aligned", 0, 0, 0, 0 },
		{ S2(0x2a), VA(0x12344000, 1, 3, 1), "TG", 0, 0, 0, 0 },
		{ S2(0x2a), VA(0x1000000000, 1, 1, 2), "TTL", 0, 0, 0, 0 },
	};
	static const struct vector t16_lpa[] = {
		{ S2(0x2a), VA(0x1000000000, 1, 1, 2), NULL, L, 0x1000000000, 0x1000003fff, 0x04 },
	};
	static const struct vector t64[] = {
		{ S2(0x2a), VA(0x12340000, 1, 3, 3), NULL, L, 0x12340000, 0x1234ffff, 0x01 },
		{ S2(0x2a), VA(0x12344000, 1, 3, 3), "not aligned", 0, 0, 0, 0 },
		{ S2(0x2a), VA(0x40000000000, 1, 1, 3), NULL, L, 0x40000000000, 0x4000000ffff, 0x04 },
	};
	struct hw hw = arm(14, 2);

	(void)state;
	check(&hw, TLB_ARM, t16, ARRAY_NR(t16));
	hw.cfg.lpa = 1;
	check(&hw, TLB_ARM, t16_lpa, ARRAY_NR(t16_lpa));
	hw = arm(16, 2);
	check(&hw, TLB_ARM, t64, ARRAY_NR(t64));
	hw = geometry(&fmt_arm, 12, 2, 2); /* a root at level 1: TTL 1 names nothing */
	hw.cfg.stage = 2;
	check(&hw, TLB_ARM, &(struct vector){ S2(0x2a), VA(0x10000, 1, 1, 1), "above the root", 0, 0, 0, 0 }, 1);
	check(&hw, TLB_ARM, &(struct vector){ S2(0x2a), VA(0x4000, 1, 2, 1), NULL, L, 0x4000, 0x4fff, 0x02 }, 1);
}

/* IOTINVAL.VMA with PSCV=1 PSCID=1 */
#define VMA (1 | 1ull << 12 | 1ull << 32)
#define AV (1ull << 10)
#define NL (1ull << 34)
#define ADDR(a) ((uint64_t)(a) >> 12 << 10)
#define S (1ull << 9)

static void test_iotlb__riscv(void **state)
{
	static const struct vector t[] = {
		{ VMA, 0, NULL, L | T, 0, ALL, 0xff },
		{ 1, 0, NULL, L | T, 0, ALL, 0xff },                       /* every host address space */
		{ 1 | 7 << 12, 0, NULL, L | T, 0, ALL, 0xff },             /* PSCID is ignored */
		{ VMA | NL, S | ADDR(0x1000), NULL, L | T, 0, ALL, 0xff }, /* so are NL, S, ADDR */
		{ VMA | 5ull << 44, 0, NULL, L | T, 0, ALL, 0xff },        /* and GSCID */
		{ VMA | AV, ADDR(0x12345000), NULL, L, 0x12345000, 0x12345fff, 0xff },
		{ VMA | AV | NL, ADDR(0x12345000), NULL, L | T, 0x12345000, 0x12345fff, 0xff },
		{ VMA | AV, ADDR(0xffffffffffe00000), NULL, L, 0xffffffffffe00000, 0xffffffffffe00fff, 0xff },
		/* NAPOT: the first zero at bit 0: 8K; 3: 64K; 8: 2M; 51: everything */
		{ VMA | AV, S | ADDR(0x12344000), NULL, L, 0x12344000, 0x12345fff, 0xff },
		{ VMA | AV | NL, S | ADDR(0x12347000), NULL, L | T, 0x12340000, 0x1234ffff, 0xff },
		{ VMA | AV, S | ADDR(0x402ff000), NULL, L, 0x40200000, 0x403fffff, 0xff },
		{ VMA | AV, S | ADDR(0x7ffffffffffff000), NULL, L, 0, ALL, 0xff },
		{ VMA | AV, S | ADDR(0xfffffffffffff000), "all ones", 0, 0, 0, 0 },
		{ VMA | AV, ADDR(0x4000000000), "valid iova", 0, 0, 0, 0 },
		{ VMA | AV, S | ADDR(0x8000000000), "valid iova", 0, 0, 0, 0 },
		{ VMA | 1ull << 33, 0, "GV", 0, 0, 0, 0 },
		{ 1 | 2ull << 12 | 1ull << 32, 0, "another domain", 0, 0, 0, 0 },
		{ VMA | 1 << 7, 0, "func3", 0, 0, 0, 0 },
		{ VMA + 1, 0, "opcode", 0, 0, 0, 0 },
	};
	struct hw hw = geometry(&fmt_other, 12, 9, 3);

	(void)state;
	hw.has_high = true;
	hw.iova_low_last = 0x3fffffffff;
	hw.iova_high_first = 0xffffffc000000000;
	check(&hw, TLB_RISCV, t, ARRAY_NR(t));
	check_reserved(&hw, TLB_RISCV, VMA | AV, ADDR(0x1000), 1 << 11 | 0x1ffull << 35 | 0xfull << 60, 0x1ff | 3ull << 62,
		       "reserved bits");
}

static void test_iotlb__armv7s(void **state)
{
	static const struct vector t[] = {
		{ 1, 0x12345001, NULL, L | T, 0x12345000, 0x12345fff, 0xff },
		{ 1, 0xfffff001, NULL, L | T, 0xfffff000, 0xffffffff, 0xff },
		{ 2, 0x1, NULL, L | T, 0, ALL, 0xff },
		{ 1, 0x12345002, "ASID", 0, 0, 0, 0 },
		{ 2, 0, "ASID", 0, 0, 0, 0 },
		{ 0, 0x12345001, "neither", 0, 0, 0, 0 },
		{ 3, 0x12345001, "neither", 0, 0, 0, 0 },
	};
	struct hw hw = geometry(&fmt_other, 12, 8, 2);

	(void)state;
	check(&hw, TLB_ARMV7S, t, ARRAY_NR(t));
	check_reserved(&hw, TLB_ARMV7S, 1, 0x12345001, 0, 0xffffffffull << 32 | 0xf00, "reserved");
	check_reserved(&hw, TLB_ARMV7S, 2, 0x1, 0, 0xffffffffull << 32 | 0xffffff00, "reserved");
}

static void test_iotlb__dart(void **state)
{
	static const struct vector t[] = {
		{ 1, 0, NULL, L | T, 0, ALL, 0xff },
		{ 0xffff, 0, NULL, L | T, 0, ALL, 0xff },
		{ 0, 0, "another stream", 0, 0, 0, 0 },
		{ 2, 0, "another stream", 0, 0, 0, 0 },
	};
	struct hw hw = geometry(&fmt_other, 14, 11, 2);

	(void)state;
	check(&hw, TLB_DART, t, ARRAY_NR(t));
	check_reserved(&hw, TLB_DART, 1, 0, ~0xffffull, ALL, "16 streams");
}

static void test_iotlb__decode_rejects_unknown_vendor(void **state)
{
	struct hw hw = geometry(&fmt_other, 12, 9, 3);

	(void)state;
	check(&hw, TLB_NR, &(struct vector){ 0, 0, "vendor", 0, 0, 0, 0 }, 1);
}

static void test_iotlb__removes_overlapping_or_inside(void **state)
{
	/* a command over [0x40200000, 0x403fffff] */
	static const struct {
		uint64_t iova, last;
		bool overlaps, inside;
	} t[] = {
		{ 0x40200000, 0x40200fff, true, true },
		{ 0x403ff000, 0x403fffff, true, true },
		{ 0x40200000, 0x403fffff, true, true },
		{ 0x40000000, 0x7fffffff, true, false },
		{ 0x401ff000, 0x401fffff, false, false },
		{ 0x40400000, 0x40400fff, false, false },
		{ 0, ALL, true, false },
	};
	struct iotlb_cmd c = { .leaves = true, .tables = true, .iova = 0x40200000, .last = 0x403fffff, .leaf_levels = 0x05 };
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_NR(t); i++) {
		c.inside = false;
		assert_int_equal(iotlb_removes_leaf(&c, t[i].iova, t[i].last, 0), t[i].overlaps);
		assert_int_equal(iotlb_removes_leaf(&c, t[i].iova, t[i].last, 2), t[i].overlaps);
		assert_int_equal(iotlb_removes_table(&c, t[i].iova, t[i].last), t[i].overlaps);
		assert_false(iotlb_removes_leaf(&c, t[i].iova, t[i].last, 1));
		c.inside = true;
		assert_int_equal(iotlb_removes_leaf(&c, t[i].iova, t[i].last, 0), t[i].inside);
		assert_int_equal(iotlb_removes_table(&c, t[i].iova, t[i].last), t[i].inside);
	}
	c.leaves = false;
	assert_false(iotlb_removes_leaf(&c, 0x40200000, 0x40200fff, 0));
	assert_true(iotlb_removes_table(&c, 0x40200000, 0x40200fff));
	c.leaves = true;
	c.tables = false;
	assert_true(iotlb_removes_leaf(&c, 0x40200000, 0x40200fff, 0));
	assert_false(iotlb_removes_table(&c, 0x40200000, 0x40200fff));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_iotlb__generic),
		cmocka_unit_test(test_iotlb__amd),
		cmocka_unit_test(test_iotlb__amd_guest),
		cmocka_unit_test(test_iotlb__vtd_second_stage),
		cmocka_unit_test(test_iotlb__vtd_first_stage),
		cmocka_unit_test(test_iotlb__arm_whole),
		cmocka_unit_test(test_iotlb__arm_one_address),
		cmocka_unit_test(test_iotlb__arm_range_and_level),
		cmocka_unit_test(test_iotlb__arm_other_granules),
		cmocka_unit_test(test_iotlb__riscv),
		cmocka_unit_test(test_iotlb__armv7s),
		cmocka_unit_test(test_iotlb__dart),
		cmocka_unit_test(test_iotlb__decode_rejects_unknown_vendor),
		cmocka_unit_test(test_iotlb__removes_overlapping_or_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
