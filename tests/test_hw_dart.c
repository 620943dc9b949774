/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_hw_dart.c - the DART walker against entries assembled by hand from the published reverse-engineering notes of Asahi Linux.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "../oracle/hw.h"

extern const struct hw_format hw_format_dart;

#define RW (PROT_R | PROT_W)
#define END UINT64_C(0x000fff0000000000)
#define VALID UINT64_C(1)

static struct config v1(unsigned granule_lg2, unsigned roots_lg2)
{
	return (struct config){ .format = "dart",
				.levels = 2,
				.ias = granule_lg2 + 2 * (granule_lg2 - 3) + roots_lg2,
				.oas = 36,
				.tlb = TLB_DART,
				.pgsizes = UINT64_C(1) << granule_lg2 };
}

static struct config v2(void)
{
	struct config cfg = v1(14, 0);

	cfg.oas = 42;
	return cfg;
}

static int init(struct hw *hw, struct config cfg, const char **why)
{
	memset(hw, 0xa5, sizeof(*hw));
	hw->format = &hw_format_dart;
	hw->cfg = cfg;
	*why = NULL;
	return hw_format_dart.init(hw, why);
}

static struct hw setup(struct config cfg)
{
	struct hw hw;
	const char *why;

	assert_int_equal(init(&hw, cfg, &why), 0);
	return hw;
}

static void test_hw_dart__geometry(void **state)
{
	unsigned granule_lg2, roots_lg2, l;

	(void)state;
	for (granule_lg2 = 12; granule_lg2 <= 14; granule_lg2 += 2) {
		for (roots_lg2 = 0; roots_lg2 <= 2; roots_lg2++) {
			struct hw hw = setup(v1(granule_lg2, roots_lg2));
			unsigned ias = (granule_lg2 == 12 ? 30 : 36) + roots_lg2;

			assert_int_equal(hw.item_bytes_lg2, 3);
			assert_int_equal(hw.top_level, 1);
			assert_int_equal(hw.top_level_max, 1);
			assert_int_equal(hw.index_lg2[0], granule_lg2 - 3);
			assert_int_equal(hw.index_lg2[1], granule_lg2 - 3 + roots_lg2);
			assert_int_equal(hw.item_lg2[0], granule_lg2);
			assert_int_equal(hw.item_lg2[1], 2 * granule_lg2 - 3);
			for (l = 0; l < 2; l++)
				assert_int_equal(hw.table_align_lg2[l], granule_lg2);
			assert_true(hw.has_low && !hw.has_high && !hw.has_dirty);
			assert_int_equal(hw.iova_low_last, (1ull << ias) - 1);
			assert_int_equal(hw.oa_lg2, 36);
			assert_int_equal(hw.oa_carry_lg2, 64);
			assert_int_equal(hw.leaf_sizes, 1ull << granule_lg2);
			assert_int_equal(hw.ad_mask, 0);
			assert_int_equal(hw_index(&hw, 1, hw.iova_low_last), (1u << (granule_lg2 - 3 + roots_lg2)) - 1);
		}
	}
}

static void test_hw_dart__geometry_tiny(void **state)
{
	static const struct {
		unsigned index_lg2, roots_lg2;
	} t[] = { { 2, 0 }, { 2, 2 }, { 3, 2 }, { 4, 0 } };
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct config cfg = v1(12, 0);
		struct hw hw;

		cfg.tiny = t[i].index_lg2;
		cfg.ias = 12 + 2 * t[i].index_lg2 + t[i].roots_lg2;
		hw = setup(cfg);
		assert_int_equal(hw.index_lg2[0], t[i].index_lg2);
		assert_int_equal(hw.index_lg2[1], t[i].index_lg2 + t[i].roots_lg2);
		assert_int_equal(hw.item_lg2[1], 12 + t[i].index_lg2);
		assert_int_equal(hw.iova_low_last, (1ull << cfg.ias) - 1);
	}
}

static void test_hw_dart__decodes_leaves(void **state)
{
	static const struct {
		unsigned which; /* 0: v1 4K, 1: v1 16K, 2: v2 16K */
		uint64_t raw, pa;
		unsigned prot;
	} t[] = {
		{ 0, END | 0x123456000 | VALID, 0x123456000, RW },
		{ 0, END | 0x123456000 | 1 << 7 | VALID, 0x123456000, PROT_R },
		{ 0, END | 0x123456000 | 1 << 8 | VALID, 0x123456000, PROT_W },
		{ 0, END | 0xffffff000 | 3 << 7 | VALID, 0xffffff000, 0 },
		{ 0, END | 0x1000 | 2 | VALID, 0x1000, RW },
		{ 0, 0x1000 | 2 | VALID, 0x1000, RW },
		{ 1, END | 0x123454000 | VALID, 0x123454000, RW },
		{ 2, END | 0x12345400 | VALID, 0x123454000, RW | PROT_CACHE },
		{ 2, END | 0x12345400 | 2 | VALID, 0x123454000, RW },
		{ 2, END | 0x12345400 | 2 | 4 | VALID, 0x123454000, PROT_R },
		{ 2, END | 0x12345400 | 8 | VALID, 0x123454000, PROT_W | PROT_CACHE },
		{ 2, END | 0x3ffffffc00 | VALID, 0x3ffffffc000, RW | PROT_CACHE },
		{ 2, END | VALID, 0, RW | PROT_CACHE },
	};
	struct hw hw[3] = { setup(v1(12, 0)), setup(v1(14, 0)), setup(v2()) };
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		const struct hw *h = &hw[t[i].which];
		struct hw_entry e = hw_format_dart.decode(h, 0, t[i].raw);

		if (e.kind != HW_LEAF)
			print_error("vector %u: %s\n", i, e.why ? e.why : "-");
		assert_int_equal(e.kind, HW_LEAF);
		assert_int_equal(e.pa, t[i].pa);
		assert_int_equal(e.prot, t[i].prot);
		assert_int_equal(e.size_lg2, h->item_lg2[0]);
		assert_int_equal(e.span_lg2, h->item_lg2[0]);
		assert_true(e.accessed && e.dirty);
		assert_int_equal(hw_format_dart.touch(h, 0, t[i].raw, true), t[i].raw);
	}
}

static void test_hw_dart__decodes_tables_and_empty(void **state)
{
	struct hw one = setup(v1(12, 2)), two = setup(v2());
	struct hw_entry e;

	(void)state;
	e = hw_format_dart.decode(&one, 1, 0x345678000 | VALID);
	assert_int_equal(e.kind, HW_TABLE);
	assert_int_equal(e.level, 0);
	assert_int_equal(e.pa, 0x345678000);
	assert_int_equal(e.prot, PROT_ACCESS);
	e = hw_format_dart.decode(&two, 1, 0x3456400 | VALID);
	assert_int_equal(e.kind, HW_TABLE);
	assert_int_equal(e.pa, 0x34564000);
	assert_int_equal(hw_format_dart.decode(&one, 0, 0).kind, HW_EMPTY);
	assert_int_equal(hw_format_dart.decode(&one, 1, ~VALID).kind, HW_EMPTY);
}

/* Each bit alone: whether the walker takes it in a leaf and in a table pointer. */
static void test_hw_dart__decode_rejects_unknown_bits(void **state)
{
	static const struct {
		unsigned which;
		uint64_t leaf, table; /* bits that may be set beside VALID */
	} t[] = {
		{ 0, 0xffffff000 | 0x182, 0xffffff000 },
		{ 1, 0xfffffc000 | 0x182, 0xfffffc000 },
		{ 2, 0x3ffffffc00 | 0xe, 0x3ffffffc00 },
	};
	struct hw hw[3] = { setup(v1(12, 0)), setup(v1(14, 0)), setup(v2()) };
	unsigned i, bit;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		for (bit = 1; bit < 64; bit++) {
			uint64_t raw = 1ull << bit | VALID;
			struct hw_entry e;

			e = hw_format_dart.decode(&hw[t[i].which], 0, raw ^ END);
			assert_int_equal(e.kind, t[i].leaf >> bit & 1 ? HW_LEAF : HW_BAD);
			assert_int_equal(!e.why, e.kind == HW_LEAF);
			e = hw_format_dart.decode(&hw[t[i].which], 1, raw);
			assert_int_equal(e.kind, t[i].table >> bit & 1 ? HW_TABLE : HW_BAD);
			assert_int_equal(!e.why, e.kind == HW_TABLE);
		}
	}
}

static void test_hw_dart__decode_rejects_sub_page_range(void **state)
{
	struct hw one = setup(v1(12, 0)), two = setup(v2());
	struct hw_entry e;

	(void)state;
	e = hw_format_dart.decode(&one, 0, 0x4000 | VALID);
	assert_int_equal(e.kind, HW_BAD);
	assert_non_null(strstr(e.why, "sub-page range"));
	e = hw_format_dart.decode(&one, 0, END | 1ull << 52 | 0x4000 | VALID);
	assert_non_null(strstr(e.why, "sub-page range"));
	/* the bit that would disable the range on v1 is NO_CACHE on v2 */
	e = hw_format_dart.decode(&two, 0, 0x400 | 2 | VALID);
	assert_int_equal(e.kind, HW_BAD);
	assert_non_null(strstr(e.why, "sub-page range"));
}

static void test_hw_dart__steps_through_addresses(void **state)
{
	struct hw hw[3] = { setup(v1(12, 0)), setup(v1(14, 0)), setup(v2()) };
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++) {
		uint64_t raw = END | VALID;
		struct hw_entry e = hw_format_dart.decode(&hw[i], 0, raw + (1ull << hw[i].oa_step_lg2[0]));

		assert_int_equal(e.kind, HW_LEAF);
		assert_int_equal(e.pa, 1ull << hw[i].item_lg2[0]);
	}
}

static void test_hw_dart__expressible(void **state)
{
	struct hw one = setup(v1(14, 0)), two = setup(v2());
	unsigned prot;

	(void)state;
	for (prot = 0; prot <= PROT_ALL; prot++) {
		bool want = (prot & RW) && !(prot & (PROT_X | PROT_MMIO | PROT_PRIV));

		assert_int_equal(hw_format_dart.expressible(&two, prot), want);
		assert_int_equal(hw_format_dart.expressible(&one, prot), want && !(prot & PROT_CACHE));
	}
}

static void test_hw_dart__init_rejects_configurations(void **state)
{
	struct hw hw;
	const char *why;
	unsigned i;

	(void)state;
	for (i = 0; i < 15; i++) {
		struct config cfg = v1(12, 0);

		switch (i) {
		case 0:
			cfg.levels = 3;
			break;
		case 1:
			cfg.oas = 40;
			break;
		case 2:
			cfg.oas = 42;
			break; /* 4K granule */
		case 3:
			cfg.ias = 29;
			break;
		case 4:
			cfg.ias = 33;
			break;
		case 5:
			cfg.ad = 1;
			break;
		case 6:
			cfg.pgsizes = 1 << 12 | 1 << 14;
			break;
		case 7:
			cfg.pgsizes = 0;
			break;
		case 8:
			cfg.pgsizes = 1 << 16;
			break;
		case 9:
			cfg.sign = 1;
			break;
		case 10:
			cfg.stage = 1;
			break;
		case 11:
			cfg.tiny = 1;
			cfg.ias = 14;
			break;
		case 12:
			cfg.tiny = 4;
			cfg.ias = 21;
			break;
		case 13:
			cfg.tiny = 3;
			break;
		case 14:
			cfg.tlb = TLB_ARM;
			break;
		}
		assert_int_equal(init(&hw, cfg, &why), -EINVAL);
		assert_non_null(why);
	}
}

static void test_hw_dart__fields_names_bits(void **state)
{
	struct hw one = setup(v1(12, 0)), two = setup(v2());
	char buf[256];

	(void)state;
	hw_format_dart.fields(&one, 0, END | 0x5000 | 1 << 7 | VALID, buf, sizeof(buf));
	assert_string_equal(buf, "VALID=1 SP_DIS=0 NO_WRITE=1 NO_READ=0 address=0x5000 SP_START=0x0 SP_END=0xfff rest=0x0");
	hw_format_dart.fields(&two, 0, END | 0x400 | 2 | VALID, buf, sizeof(buf));
	assert_string_equal(buf, "VALID=1 NO_CACHE=1 NO_WRITE=0 NO_READ=0 address=0x4000 SP_START=0x0 SP_END=0xfff rest=0x0");
	hw_format_dart.fields(&one, 1, 0x5000 | 1 << 7 | VALID, buf, sizeof(buf));
	assert_string_equal(buf, "VALID=1 address=0x5000 rest=0x80");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hw_dart__geometry),
		cmocka_unit_test(test_hw_dart__geometry_tiny),
		cmocka_unit_test(test_hw_dart__decodes_leaves),
		cmocka_unit_test(test_hw_dart__decodes_tables_and_empty),
		cmocka_unit_test(test_hw_dart__decode_rejects_unknown_bits),
		cmocka_unit_test(test_hw_dart__decode_rejects_sub_page_range),
		cmocka_unit_test(test_hw_dart__steps_through_addresses),
		cmocka_unit_test(test_hw_dart__expressible),
		cmocka_unit_test(test_hw_dart__init_rejects_configurations),
		cmocka_unit_test(test_hw_dart__fields_names_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
