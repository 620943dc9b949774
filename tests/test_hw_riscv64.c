/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_hw_riscv64.c - the RISC-V walker against entries assembled by hand from the figures of the privileged specification 20240411.
 *
 * It does not compare with the engine; the vectors are the second opinion.
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

extern const struct hw_format hw_format_riscv64;

#define ALL_SIZES (UINT64_C(1) << 12 | UINT64_C(1) << 21 | UINT64_C(1) << 30)
#define RW (PROT_R | PROT_W)

/* PTE bits, spelled out again */
#define V UINT64_C(0x01)
#define R UINT64_C(0x02)
#define W UINT64_C(0x04)
#define X UINT64_C(0x08)
#define U UINT64_C(0x10)
#define G UINT64_C(0x20)
#define A UINT64_C(0x40)
#define D UINT64_C(0x80)
#define N (UINT64_C(1) << 63)
#define NC (UINT64_C(1) << 61)
#define IO (UINT64_C(2) << 61)
#define PPN(pa) ((uint64_t)(pa) >> 12 << 10)

static struct config sv39(void)
{
	return (struct config){ .format = "riscv64",
				.levels = 3,
				.ias = 39,
				.oas = 56,
				.napot = 1,
				.pbmt = 1,
				.sign = 1,
				.coherent = 1,
				.ad = 1,
				.tlb = TLB_RISCV,
				.pgsizes = ALL_SIZES | 1 << 16 };
}

static struct config tiny(unsigned index_lg2, unsigned levels)
{
	struct config cfg = sv39();

	cfg.tiny = index_lg2;
	cfg.levels = levels;
	cfg.ias = 12 + levels * index_lg2;
	cfg.pgsizes = 1 << 12;
	return cfg;
}

static int init(struct hw *hw, struct config cfg, const char **why)
{
	memset(hw, 0xa5, sizeof(*hw));
	hw->format = &hw_format_riscv64;
	hw->cfg = cfg;
	*why = NULL;
	return hw_format_riscv64.init(hw, why);
}

static struct hw setup(struct config cfg)
{
	struct hw hw;
	const char *why;

	assert_int_equal(init(&hw, cfg, &why), 0);
	assert_null(why);
	return hw;
}

static struct hw_entry decode(const struct hw *hw, unsigned level, uint64_t raw)
{
	return hw_format_riscv64.decode(hw, level, raw);
}

static void test_hw_riscv64__geometry(void **state)
{
	static const struct {
		unsigned levels, ias;
		uint64_t low_last, high_first, sizes;
	} t[] = {
		{ 3, 39, 0x3fffffffff, 0xffffffc000000000, 1ull << 12 | 1 << 16 | 1 << 21 | 1 << 30 },
		{ 4, 48, 0x7fffffffffff, 0xffff800000000000, 1ull << 12 | 1 << 16 | 1 << 21 | 1 << 30 | 1ull << 39 },
		{ 5, 57, 0xffffffffffffff, 0xff00000000000000, 1ull << 12 | 1 << 16 | 1 << 21 | 1 << 30 | 1ull << 39 | 1ull << 48 },
	};
	unsigned i, l;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct config cfg = sv39();
		struct hw hw;

		cfg.levels = t[i].levels;
		cfg.ias = t[i].ias;
		hw = setup(cfg);
		assert_int_equal(hw.item_bytes_lg2, 3);
		assert_int_equal(hw.top_level, t[i].levels - 1);
		assert_int_equal(hw.top_level_max, t[i].levels - 1);
		assert_int_equal(hw.leaf_sizes, t[i].sizes);
		assert_true(hw.has_low && hw.has_high && hw.has_dirty);
		assert_int_equal(hw.iova_low_last, t[i].low_last);
		assert_int_equal(hw.iova_high_first, t[i].high_first);
		assert_int_equal(hw.ad_mask, 0xc0);
		assert_int_equal(hw.oa_lg2, 56);
		assert_int_equal(hw.oa_carry_lg2, 64);
		for (l = 0; l < t[i].levels; l++) {
			assert_int_equal(hw.item_lg2[l], 12 + 9 * l);
			assert_int_equal(hw.index_lg2[l], 9);
			assert_int_equal(hw.table_align_lg2[l], 12);
			assert_int_equal(hw.oa_step_lg2[l], 10 + 9 * l);
		}
		assert_false(hw_iova_valid(&hw, t[i].low_last + 1));
		assert_true(hw_iova_valid(&hw, UINT64_MAX));
		assert_int_equal(hw_index(&hw, hw.top_level, UINT64_MAX), 511);
	}
}

static void test_hw_riscv64__geometry_tiny(void **state)
{
	struct hw hw = setup(tiny(2, 4));

	(void)state;
	assert_int_equal(hw.leaf_sizes, 1 << 12 | 1 << 13 | 1 << 14 | 1 << 16 | 1 << 18);
	assert_int_equal(hw.iova_low_last, 0x7ffff);
	assert_int_equal(hw.iova_high_first, ~0x7ffffull);
	assert_int_equal(hw.index_lg2[3], 2);
	assert_int_equal(hw.item_lg2[3], 18);
	assert_int_equal(hw_index(&hw, 3, 0x40000), 1);
	hw = setup(tiny(4, 2));
	assert_int_equal(hw.leaf_sizes, 1 << 12 | 1 << 15 | 1 << 16);
	assert_int_equal(hw.item_lg2[1], 16);
}

static void test_hw_riscv64__leaf_sizes_fit_oas(void **state)
{
	struct config cfg = sv39();
	struct hw hw;

	(void)state;
	cfg.levels = 5;
	cfg.ias = 57;
	cfg.oas = 40;
	hw = setup(cfg);
	assert_false(hw.leaf_sizes >> 40);
	assert_int_equal(decode(&hw, 4, V | R | U | A).kind, HW_BAD);
	assert_int_equal(decode(&hw, 3, V | R | U | A).kind, HW_LEAF);
}

static void test_hw_riscv64__decodes_leaves(void **state)
{
	static const struct {
		unsigned level;
		uint64_t raw, pa;
		unsigned size_lg2, prot;
		bool accessed, dirty;
	} t[] = {
		{ 0, 0x4d2000 | V | R | W | U, 0x1348000, 12, RW, false, false },
		{ 0, PPN(0x12345678000) | V | R | U | A, 0x12345678000, 12, PROT_R, true, false },
		{ 0, PPN(0x12345678000) | V | R | W | X | U | A | D, 0x12345678000, 12, RW | PROT_X, true, true },
		{ 0, PPN(0x1000) | V | X | U, 0x1000, 12, PROT_X, false, false },
		{ 0, PPN(0x1000) | V | R | X, 0x1000, 12, PROT_R | PROT_X | PROT_PRIV, false, false },
		{ 0, PPN(0x1000) | V | R | U | 0x300, 0x1000, 12, PROT_R, false, false },
		{ 0, PPN(0x1000) | V | R | U | IO, 0x1000, 12, PROT_R | PROT_MMIO, false, false },
		{ 0, V | R | U, 0, 12, PROT_R, false, false },
		{ 0, PPN(0xfffffffffff000) | V | R | U, 0xfffffffffff000, 12, PROT_R, false, false },
		{ 1, PPN(0x40000000) | V | R | W | U, 0x40000000, 21, RW, false, false },
		{ 1, PPN(0x40200000) | V | R | W | U, 0x40200000, 21, RW, false, false },
		{ 2, PPN(0x140000000) | V | R | W | U, 0x140000000, 30, RW, false, false },
		{ 0, N | PPN(0x78000) | V | R | W | U, 0x70000, 16, RW, false, false },
		{ 0, N | PPN(0x8000) | V | R | U | IO | D, 0, 16, PROT_R | PROT_MMIO, false, true },
	};
	struct hw hw = setup(sv39());
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct hw_entry e = decode(&hw, t[i].level, t[i].raw);

		if (e.kind != HW_LEAF)
			print_error("vector %u: %s\n", i, e.why ? e.why : "not a leaf");
		assert_int_equal(e.kind, HW_LEAF);
		assert_int_equal(e.pa, t[i].pa);
		assert_int_equal(e.size_lg2, t[i].size_lg2);
		assert_int_equal(e.span_lg2, t[i].size_lg2);
		assert_int_equal(e.prot, t[i].prot);
		assert_int_equal(e.accessed, t[i].accessed);
		assert_int_equal(e.dirty, t[i].dirty);
		assert_null(e.why);
	}
}

static void test_hw_riscv64__decodes_tables_and_empty(void **state)
{
	struct hw hw = setup(sv39());
	struct hw_entry e;

	(void)state;
	e = decode(&hw, 2, PPN(0x123456000) | V | 0x300);
	assert_int_equal(e.kind, HW_TABLE);
	assert_int_equal(e.level, 1);
	assert_int_equal(e.pa, 0x123456000);
	assert_int_equal(e.prot, PROT_ACCESS);
	assert_int_equal(decode(&hw, 1, V | PPN(0x1000)).level, 0);
	assert_int_equal(decode(&hw, 0, 0).kind, HW_EMPTY);
	assert_int_equal(decode(&hw, 2, ~V).kind, HW_EMPTY);
}

struct bad {
	unsigned level;
	uint64_t raw;
	const char *names; /* what .why must name */
};

static void check_bad(const struct hw *hw, const struct bad *t, unsigned nr)
{
	unsigned i;

	for (i = 0; i < nr; i++) {
		struct hw_entry e = decode(hw, t[i].level, t[i].raw);

		if (e.kind != HW_BAD || !e.why || !strstr(e.why, t[i].names))
			print_error("vector %u: kind %d why %s\n", i, e.kind, e.why ? e.why : "-");
		assert_int_equal(e.kind, HW_BAD);
		assert_non_null(e.why);
		assert_non_null(strstr(e.why, t[i].names));
	}
}

static void test_hw_riscv64__decode_rejects_reserved(void **state)
{
	static const struct bad t[] = {
		{ 0, V | W | U, "W without R" },
		{ 0, V | W | X | U, "W without R" },
		{ 0, V | R | U | G, "G" },
		{ 0, V | R | U | 3ull << 61, "PBMT code 3" },
		{ 0, V | R | U | NC, "PBMT code the driver never programs" },
		{ 0, V | PPN(0x1000), "non-leaf PTE at level 0" },
		{ 1, V | PPN(0x1000) | D, "D" },
		{ 1, V | PPN(0x1000) | A, "A" },
		{ 1, V | PPN(0x1000) | U, "U" },
		{ 1, V | PPN(0x1000) | G, "G" },
		{ 1, V | PPN(0x1000) | NC, "PBMT" },
		{ 2, V | PPN(0x1000) | IO, "PBMT" },
		{ 2, V | PPN(0x1000) | N, "N" },
		{ 1, V | R | U | PPN(0x1000), "misaligned" },
		{ 1, V | R | U | PPN(0x300000), "misaligned" },
		{ 2, V | R | U | PPN(0x200000), "misaligned" },
		{ 1, V | R | U | N | PPN(0x8000), "above level 0" },
		{ 2, V | R | U | N, "above level 0" },
		{ 0, V | R | U | N | PPN(0x70000), "NAPOT code" },
		{ 0, V | R | U | N | PPN(0x71000), "NAPOT code" },
		{ 0, V | R | U | N | PPN(0x72000), "NAPOT code" },
		{ 0, V | R | U | N | PPN(0x74000), "NAPOT code" },
		{ 0, V | R | U | N | PPN(0x79000), "NAPOT code" },
		{ 0, V | R | U | N | PPN(0x7c000), "NAPOT code" },
	};
	struct hw hw = setup(sv39());
	unsigned bit;

	(void)state;
	check_bad(&hw, t, sizeof(t) / sizeof(*t));
	for (bit = 54; bit <= 60; bit++) {
		const struct bad r[] = { { 0, V | R | U | 1ull << bit, "60:54" }, { 1, V | 1ull << bit, "60:54" } };

		check_bad(&hw, r, 2);
	}
}

static void test_hw_riscv64__decode_rejects_absent_extensions(void **state)
{
	static const struct bad t[] = {
		{ 0, V | R | U | N | PPN(0x8000), "without Svnapot" },
		{ 0, V | R | U | NC, "without Svpbmt" },
		{ 0, V | R | U | IO, "without Svpbmt" },
		{ 0, V | R | U | NC | IO, "without Svpbmt" },
		{ 0, V | R | U | PPN(1ull << 40), "PPN" },
		{ 1, V | PPN(1ull << 40), "PPN" },
	};
	struct config cfg = sv39();
	struct hw hw;

	(void)state;
	cfg.napot = cfg.pbmt = 0;
	cfg.oas = 40;
	cfg.pgsizes = ALL_SIZES;
	hw = setup(cfg);
	check_bad(&hw, t, sizeof(t) / sizeof(*t));
	assert_int_equal(decode(&hw, 0, V | R | U | PPN(0xfffffff000)).kind, HW_LEAF);
}

static void test_hw_riscv64__preset_accessed_and_dirty(void **state)
{
	static const struct bad t[] = {
		{ 0, V | R | U, "A:" },
		{ 0, V | R | U | D, "A:" },
		{ 0, V | R | W | U | A, "D:" },
	};
	struct config cfg = sv39();
	struct hw hw;
	struct hw_entry e;

	(void)state;
	cfg.ad = 0;
	hw = setup(cfg);
	assert_false(hw.has_dirty);
	assert_int_equal(hw.ad_mask, 0);
	check_bad(&hw, t, sizeof(t) / sizeof(*t));
	e = decode(&hw, 0, V | R | U | A);
	assert_true(e.kind == HW_LEAF && e.accessed && e.dirty);
	e = decode(&hw, 0, V | R | U | A | D);
	assert_true(e.kind == HW_LEAF && e.accessed && e.dirty);
	e = decode(&hw, 0, V | R | W | U | A | D);
	assert_true(e.kind == HW_LEAF && e.accessed && e.dirty);
	assert_int_equal(hw_format_riscv64.touch(&hw, 0, V | R | U | A, false), V | R | U | A);
}

static void test_hw_riscv64__touch(void **state)
{
	struct hw hw = setup(sv39());

	(void)state;
	assert_int_equal(hw_format_riscv64.touch(&hw, 0, V | R | W | U, false), V | R | W | U | A);
	assert_int_equal(hw_format_riscv64.touch(&hw, 1, V | R | W | U, true), V | R | W | U | A | D);
	assert_int_equal(hw_format_riscv64.touch(&hw, 0, N | V | R | W | U | A | D, true), N | V | R | W | U | A | D);
}

static void test_hw_riscv64__tiny_napot_codes(void **state)
{
	/* groups of 2^(index_lg2 - 1) items: the one code is 1 followed by zeroes */
	static const struct {
		unsigned index_lg2, levels, good, size_lg2;
	} t[] = { { 2, 4, 1, 13 }, { 3, 2, 2, 14 }, { 4, 2, 4, 15 } };
	unsigned i, code;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct hw hw = setup(tiny(t[i].index_lg2, t[i].levels));

		for (code = 0; code < 1u << (t[i].index_lg2 - 1); code++) {
			struct hw_entry e = decode(&hw, 0, N | PPN(0x10000 | code << 12) | V | R | U);

			assert_int_equal(e.kind, code == t[i].good ? HW_LEAF : HW_BAD);
			if (e.kind != HW_LEAF)
				continue;
			assert_int_equal(e.size_lg2, t[i].size_lg2);
			assert_int_equal(e.span_lg2, t[i].size_lg2);
			assert_int_equal(e.pa, 0x10000);
		}
	}
}

static void test_hw_riscv64__tiny_superpages(void **state)
{
	struct hw hw = setup(tiny(2, 3));

	(void)state;
	assert_int_equal(decode(&hw, 1, PPN(0x4000) | V | R | U).kind, HW_LEAF);
	assert_int_equal(decode(&hw, 1, PPN(0x4000) | V | R | U).size_lg2, 14);
	assert_int_equal(decode(&hw, 1, PPN(0x2000) | V | R | U).kind, HW_BAD);
	assert_int_equal(decode(&hw, 2, PPN(0x10000) | V | R | U).size_lg2, 16);
	assert_int_equal(decode(&hw, 2, PPN(0x4000) | V | R | U).kind, HW_BAD);
}

static void test_hw_riscv64__steps_through_addresses(void **state)
{
	struct hw hw = setup(sv39());
	unsigned l;

	(void)state;
	for (l = 0; l < 3; l++) {
		uint64_t raw = PPN(0x40000000) | V | R | U;
		uint64_t pa = decode(&hw, l, raw).pa;

		assert_int_equal(decode(&hw, l, raw + (1ull << hw.oa_step_lg2[l])).pa, pa + (1ull << hw.item_lg2[l]));
	}
}

static void test_hw_riscv64__expressible(void **state)
{
	struct config cfg = sv39();
	struct hw with = setup(cfg), without;
	unsigned prot;

	(void)state;
	cfg.pbmt = 0;
	without = setup(cfg);
	for (prot = 0; prot <= PROT_ALL; prot++) {
		bool wx = (prot & PROT_W) && !(prot & PROT_R);
		bool want = (prot & PROT_ACCESS) && !wx && !(prot & PROT_CACHE);

		assert_int_equal(hw_format_riscv64.expressible(&with, prot), want);
		assert_int_equal(hw_format_riscv64.expressible(&without, prot), want && !(prot & PROT_MMIO));
	}
}

static void test_hw_riscv64__init_rejects_configurations(void **state)
{
	struct hw hw;
	const char *why;
	unsigned i;

	(void)state;
	for (i = 0; i < 19; i++) {
		struct config cfg = i < 17 ? sv39() : tiny(3, 2);

		switch (i) {
		case 0:
			cfg.levels = 2;
			cfg.ias = 30;
			break;
		case 1:
			cfg.levels = 6;
			cfg.ias = 66;
			break;
		case 2:
			cfg.ias = 40;
			break;
		case 3:
			cfg.oas = 57;
			break;
		case 4:
			cfg.oas = 12;
			break;
		case 5:
			cfg.sign = 0;
			break;
		case 6:
			cfg.coherent = 0;
			break;
		case 7:
			cfg.ad = 2;
			break;
		case 8:
			cfg.pgsizes = 0;
			break;
		case 9:
			cfg.pgsizes |= 1ull << 39;
			break;
		case 10:
			cfg.napot = 0;
			break; /* and pgsizes still has 64K */
		case 11:
			cfg.stage = 1;
			break;
		case 12:
			cfg.tiny = 1;
			break;
		case 13:
			cfg.tiny = 5;
			break;
		case 14:
			cfg.tlb = TLB_AMD;
			break;
		case 15:
			cfg.bbm = 2;
			break;
		case 16:
			cfg.snp = 1;
			break;
		case 17:
			cfg.levels = 3;
			cfg.ias = 21;
			break;
		case 18:
			cfg.levels = 1;
			cfg.ias = 15;
			break;
		}
		assert_int_equal(init(&hw, cfg, &why), -EINVAL);
		assert_non_null(why);
	}
}

static void test_hw_riscv64__fields_names_bits(void **state)
{
	struct hw hw = setup(sv39());
	char buf[256], small[8];

	(void)state;
	hw_format_riscv64.fields(&hw, 0, N | IO | PPN(0x78000) | V | R | D, buf, sizeof(buf));
	assert_string_equal(buf, "V=1 R=1 W=0 X=0 U=0 G=0 A=0 D=1 RSW=0 PPN=0x78 reserved=0x0 PBMT=2 N=1");
	hw_format_riscv64.fields(&hw, 0, V, small, sizeof(small));
	assert_int_equal(strlen(small), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hw_riscv64__geometry),
		cmocka_unit_test(test_hw_riscv64__geometry_tiny),
		cmocka_unit_test(test_hw_riscv64__leaf_sizes_fit_oas),
		cmocka_unit_test(test_hw_riscv64__decodes_leaves),
		cmocka_unit_test(test_hw_riscv64__decodes_tables_and_empty),
		cmocka_unit_test(test_hw_riscv64__decode_rejects_reserved),
		cmocka_unit_test(test_hw_riscv64__decode_rejects_absent_extensions),
		cmocka_unit_test(test_hw_riscv64__preset_accessed_and_dirty),
		cmocka_unit_test(test_hw_riscv64__touch),
		cmocka_unit_test(test_hw_riscv64__tiny_napot_codes),
		cmocka_unit_test(test_hw_riscv64__tiny_superpages),
		cmocka_unit_test(test_hw_riscv64__steps_through_addresses),
		cmocka_unit_test(test_hw_riscv64__expressible),
		cmocka_unit_test(test_hw_riscv64__init_rejects_configurations),
		cmocka_unit_test(test_hw_riscv64__fields_names_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
