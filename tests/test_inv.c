/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_inv.c - gathers and the exact commands that each vendor's encoder makes of them, worked out by hand from the layouts in
 * inv_<vendor>.c; then every hull of a small domain, for what must hold of all of them: nothing owed is left out, and little else is taken
 * along.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../engine/inv.h"

#define TOP UINT64_MAX
#define L(lg2) (UINT64_C(1) << (lg2))
#define K4 L(12)
#define K16 L(14)
#define K64 L(16)
#define M1 L(20)
#define M2 L(21)
#define G1 L(30)
#define COMMANDS_MAX 32

struct command {
	uint64_t low, high;
};

/*
 * @granule_lg2: 0 is 12
 * @commands:    expected, the first @nr
 */
struct row {
	const char *name, *format;
	uint8_t tlb, stage, ias, lpa, granule_lg2;
	uint64_t iova, last, leaf_sizes;
	uint8_t levels, table_levels;
	unsigned nr;
	struct command commands[COMMANDS_MAX];
};

static struct mem mem;

static void fault(void *arg, enum mem_fault why, uint64_t pa, const char *text)
{
	(void)arg;
	fprintf(stderr, "fault %d at %#llx: %s\n", why, (unsigned long long)pa, text);
	abort();
}

static int setup(void **state)
{
	(void)state;
	if (mem_init(&mem, M1, M1, fault, NULL))
		return -1;
	mem_observe(&mem, true);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mem_release(&mem);
	return 0;
}

/* Item spans of a real table: 9 bits a level with 4K granules, 11 with 16K, 13 with 64K; armv7s 4K under 1M. */
static struct inv_geometry geometry(const struct row *r)
{
	struct inv_geometry geo = { .granule_lg2 = r->granule_lg2 ? r->granule_lg2 : 12, .top_level = 3 };
	unsigned level;

	for (level = 0; level < CONFIG_LEVELS_MAX; level++)
		geo.item_lg2[level] = r->tlb == TLB_ARMV7S && level ? 20 : geo.granule_lg2 + level * (geo.granule_lg2 - 3);
	return geo;
}

/* The log then holds the commands for r. */
static void issue(const struct row *r)
{
	struct config cfg = { .tlb = r->tlb, .stage = r->stage, .ias = r->ias, .lpa = r->lpa };
	struct inv_geometry geo = geometry(r);
	struct gather g = { .owed = true,
			    .iova = r->iova,
			    .last = r->last,
			    .leaf_sizes = r->leaf_sizes,
			    .levels = r->levels,
			    .tables = r->table_levels,
			    .table_levels = r->table_levels };

	snprintf(cfg.format, sizeof(cfg.format), "%s", r->format);
	mem_begin_op(&mem, UINT64_MAX, 0);
	inv_issue(&mem, &cfg, &geo, &g);
}

static void check_rows(const struct row *rows, size_t nr)
{
	const struct mem_event *ev;
	const struct row *r;
	size_t i;

	for (r = rows; r < rows + nr; r++) {
		issue(r);
		ev = mem.view.events;
		for (i = 0; i < mem.view.events_nr; i++) {
			if (i >= r->nr || ev[i].old != r->commands[i].low || ev[i].new != r->commands[i].high)
				print_error("%s: command %zu is %#llx %#llx\n", r->name, i, (unsigned long long)ev[i].old,
					    (unsigned long long)ev[i].new);
			assert_int_equal(ev[i].kind, MEM_INVALIDATE);
			assert_int_equal(ev[i].pa, r->tlb);
			assert_true(i < r->nr);
			assert_int_equal(ev[i].old, r->commands[i].low);
			assert_int_equal(ev[i].new, r->commands[i].high);
		}
		if (i != r->nr)
			print_error("%s: %zu commands\n", r->name, i);
		assert_int_equal(i, r->nr);
	}
}

#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

static void test_inv__generic(void **state)
{
	static const struct row rows[] = {
		{ "page 0", "vtdss", TLB_GENERIC, .ias = 48, .iova = 0, .last = 0xfff, .leaf_sizes = K4, .levels = 1, .nr = 1,
		  .commands = { { 0x1, 0xfff } } },
		{ "last page of 2^64", "amdv1", TLB_GENERIC, .ias = 64, .iova = TOP - 0xfff, .last = TOP, .leaf_sizes = K4, .levels = 1,
		  .nr = 1, .commands = { { 0xfffffffffffff001, TOP } } },
		{ "whole space", "amdv1", TLB_GENERIC, .ias = 64, .iova = 0, .last = TOP, .leaf_sizes = L(51), .levels = 1 << 4,
		  .table_levels = 1 << 5, .nr = 1, .commands = { { 0x110, TOP } } },
		{ "unaligned hull, two levels, tables", "vtdss", TLB_GENERIC, .ias = 48, .iova = 0x1ff000, .last = 0x3fffff,
		  .leaf_sizes = K4 | M2, .levels = 3, .table_levels = 2, .nr = 1, .commands = { { 0x1ff103, 0x3fffff } } },
		{ "16K granule rounds outwards", "armv8_16k", TLB_GENERIC, .ias = 48, .granule_lg2 = 14, .iova = 0x5000, .last = 0x5fff,
		  .leaf_sizes = K16, .levels = 1, .nr = 1, .commands = { { 0x4001, 0x7fff } } },
	};

	(void)state;
	CHECK(rows);
}

static void test_inv__amd(void **state)
{
	/* opcode 3 in 63:60, domain 1 in 47:32 */
	const uint64_t low = 0x3000000100000000;
	const struct row rows[] = {
		{ "page 0", "amdv1", TLB_AMD, .ias = 57, .iova = 0, .last = 0xfff, .leaf_sizes = K4, .levels = 1, .nr = 1,
		  .commands = { { low, 0 } } },
		{ "guest page", "x86_64", TLB_AMD, .ias = 48, .iova = 0x5000, .last = 0x5fff, .leaf_sizes = K4, .levels = 1, .nr = 1,
		  .commands = { { low, 0x5004 } } },
		{ "last page of 2^64", "amdv1", TLB_AMD, .ias = 64, .iova = TOP - 0xfff, .last = TOP, .leaf_sizes = K4, .levels = 1,
		  .nr = 1, .commands = { { low, 0xfffffffffffff000 } } },
		{ "8K at 0: bit 12 is the zero", "amdv1", TLB_AMD, .ias = 57, .iova = 0, .last = 0x1fff, .leaf_sizes = L(13), .levels = 1,
		  .nr = 1, .commands = { { low, 0x0001 } } },
		{ "16K: bit 12 is one", "amdv1", TLB_AMD, .ias = 57, .iova = 0xc000, .last = 0xffff, .leaf_sizes = K16, .levels = 1,
		  .nr = 1, .commands = { { low, 0xd001 } } },
		{ "2M with its table", "amdv1", TLB_AMD, .ias = 57, .iova = 0x40200000, .last = 0x403fffff, .leaf_sizes = K4, .levels = 1,
		  .table_levels = 2, .nr = 1, .commands = { { low, 0x402ff003 } } },
		{ "2^51 still has a code", "amdv1", TLB_AMD, .ias = 64, .iova = L(51), .last = L(52) - 1, .leaf_sizes = L(51),
		  .levels = 1 << 4, .nr = 1, .commands = { { low, 0x000bfffffffff001 } } },
		{ "2^52 does not", "amdv1", TLB_AMD, .ias = 64, .iova = 0, .last = L(52) - 1, .leaf_sizes = L(51), .levels = 1 << 4,
		  .nr = 1, .commands = { { low, 0x7ffffffffffff001 } } },
		{ "whole space", "amdv1", TLB_AMD, .ias = 64, .iova = 0, .last = TOP, .leaf_sizes = K4, .levels = 1, .table_levels = 2,
		  .nr = 1, .commands = { { low, 0x7ffffffffffff003 } } },
		{ "whole domain", "amdv1", TLB_AMD, .ias = 39, .iova = 0, .last = L(39) - 1, .leaf_sizes = G1, .levels = 1 << 2, .nr = 1,
		  .commands = { { low, 0x7ffffffffffff001 } } },
		{ "two pages across 1G are two commands", "amdv1", TLB_AMD, .ias = 57, .iova = 0x3ffff000, .last = 0x40000fff,
		  .leaf_sizes = K4, .levels = 1, .nr = 2, .commands = { { low, 0x3ffff000 }, { low, 0x40000000 } } },
		{ "4K to 3M: split at 2M, 2M below and 1M above", "amdv1", TLB_AMD, .ias = 57, .iova = 0x1000, .last = 0x2fffff,
		  .leaf_sizes = K4, .levels = 1, .nr = 2, .commands = { { low, 0x000ff001 }, { low, 0x0027f001 } } },
		{ "a region is never smaller than a leaf", "amdv1", TLB_AMD, .ias = 57, .iova = 0x201000, .last = 0x201fff,
		  .leaf_sizes = M2, .levels = 2, .nr = 1, .commands = { { low, 0x002ff001 } } },
		{ "upper half, guest", "x86_64", TLB_AMD, .ias = 48, .iova = 0xffff800000000000, .last = 0xffff8000001fffff,
		  .leaf_sizes = M2, .levels = 2, .nr = 1, .commands = { { low, 0xffff8000000ff005 } } },
		{ "hull across the sign hole", "x86_64", TLB_AMD, .ias = 48, .iova = 0x7ffffffff000, .last = 0xffff800000000fff,
		  .leaf_sizes = K4, .levels = 1, .nr = 1, .commands = { { low, 0x7ffffffffffff005 } } },
	};

	(void)state;
	CHECK(rows);
}

static void test_inv__vtd(void **state)
{
	/* second stage: type 2, DW, DR, domain 1 in 31:16; page granularity 0x30, domain 0x20 */
	const uint64_t page = 0x100f2, domain = 0x100e2, ih = 0x40;
	struct row rows[] = {
		{ "page 0", "vtdss", TLB_VTD, .ias = 48, .iova = 0, .last = 0xfff, .leaf_sizes = K4, .levels = 1, .nr = 1,
		  .commands = { { page, ih } } },
		{ "page with table", "vtdss", TLB_VTD, .ias = 48, .iova = 0x40200000, .last = 0x403fffff, .leaf_sizes = K4, .levels = 1,
		  .table_levels = 2, .nr = 1, .commands = { { page, 0x40200009 } } },
		{ "1G", "vtdss", TLB_VTD, .ias = 48, .iova = G1, .last = 2 * G1 - 1, .leaf_sizes = G1, .levels = 4, .nr = 1,
		  .commands = { { page, 0x40000052 } } },
		{ "unaligned", "vtdss", TLB_VTD, .ias = 48, .iova = 0x1fe000, .last = 0x200fff, .leaf_sizes = K4, .levels = 1, .nr = 2,
		  .commands = { { page, 0x1fe041 }, { page, 0x200040 } } },
		{ "AM of the largest leaf", "vtdss", TLB_VTD, .ias = 48, .iova = 0x1ff000, .last = 0x3fffff, .leaf_sizes = K4 | M2,
		  .levels = 3, .nr = 1, .commands = { { page, 0x00004a } } },
		{ "2G is two times AM 18", "vtdss", TLB_VTD, .ias = 48, .iova = 0, .last = 2 * G1 - 1, .leaf_sizes = G1, .levels = 4,
		  .nr = 2, .commands = { { page, 0x52 }, { page, 0x40000052 } } },
		{ "33G is the domain", "vtdss", TLB_VTD, .ias = 48, .iova = 0, .last = 33 * G1 - 1, .leaf_sizes = G1, .levels = 4, .nr = 1,
		  .commands = { { domain, 0 } } },
		{ "whole space", "vtdss", TLB_VTD, .ias = 30, .iova = 0, .last = G1 - 1, .leaf_sizes = M2, .levels = 2, .nr = 1,
		  .commands = { { domain, 0 } } },
		/* first stage: type 6, domain 1, PASID 0; 8:6 reserved */
		{ "first stage, last page of 2^64", "x86_64", TLB_VTD, .ias = 48, .iova = TOP - 0xfff, .last = TOP, .leaf_sizes = K4,
		  .levels = 1, .nr = 1, .commands = { { 0x10036, 0xfffffffffffff040 } } },
		{ "first stage, 2M with table", "x86_64", TLB_VTD, .ias = 48, .iova = 0x40200000, .last = 0x403fffff, .leaf_sizes = K4,
		  .levels = 1, .table_levels = 2, .nr = 1, .commands = { { 0x10036, 0x40200009 } } },
		{ "first stage, upper half", "x86_64", TLB_VTD, .ias = 48, .iova = 0xffff800000000000, .last = TOP, .leaf_sizes = G1,
		  .levels = 4, .nr = 1, .commands = { { 0x10026, 0 } } },
	};

	(void)state;
	CHECK(rows);
}

static void test_inv__arm_stage1(void **state)
{
	/* ASID 1, VMID 1, CMD_TLBI_NH_VA; high: TG 4K 0x400, TTL 3 0x300, 2 0x200, 1 0x100, Leaf 1 */
	const uint64_t va = 0x0001000100000012, all = 0x0001000100000011;
	const struct row rows[] = {
		{ "page 0", "armv8_4k", TLB_ARM, .stage = 1, .ias = 48, .iova = 0, .last = 0xfff, .leaf_sizes = K4, .levels = 1, .nr = 1,
		  .commands = { { va, 0x701 } } },
		{ "last page of 2^64", "armv8_4k", TLB_ARM, .stage = 1, .ias = 48, .iova = TOP - 0xfff, .last = TOP, .leaf_sizes = K4,
		  .levels = 1, .nr = 1, .commands = { { va, 0xfffffffffffff701 } } },
		{ "whole half", "armv8_4k", TLB_ARM, .stage = 1, .ias = 48, .iova = 0xffff000000000000, .last = TOP, .leaf_sizes = G1,
		  .levels = 4, .nr = 1, .commands = { { all, 0 } } },
		{ "2M block: SCALE 9, TTL 2", "armv8_4k", TLB_ARM, .stage = 1, .ias = 48, .iova = 0x40200000, .last = 0x403fffff,
		  .leaf_sizes = M2, .levels = 2, .nr = 1, .commands = { { va | 9 << 20, 0x40200601 } } },
		{ "3 x 1G: NUM 2, SCALE 18, TTL 1", "armv8_4k", TLB_ARM, .stage = 1, .ias = 48, .iova = G1, .last = 4 * G1 - 1,
		  .leaf_sizes = G1, .levels = 4, .nr = 1, .commands = { { va | 18 << 20 | 2 << 12, 0x40000501 } } },
		{ "512G has no TTL", "armv8_4k", TLB_ARM, .stage = 1, .ias = 52, .lpa = 1, .iova = L(39), .last = L(40) - 1,
		  .leaf_sizes = L(39), .levels = 8, .nr = 1, .commands = { { va | 27 << 20, 0x8000000401 } } },
		{ "table: Leaf 0, TTL 0", "armv8_4k", TLB_ARM, .stage = 1, .ias = 48, .iova = 0x40200000, .last = 0x403fffff,
		  .leaf_sizes = K4, .levels = 1, .table_levels = 2, .nr = 1, .commands = { { va | 9 << 20, 0x40200400 } } },
		{ "two levels: no TTL, one page apart with TG 0", "armv8_4k", TLB_ARM, .stage = 1, .ias = 48, .iova = 0x1ff000,
		  .last = 0x3fffff, .leaf_sizes = K4 | M2, .levels = 3, .nr = 2,
		  .commands = { { va, 0x1ff001 }, { va | 9 << 20, 0x200401 } } },
		{ "33 pages, TTL 3", "armv8_4k", TLB_ARM, .stage = 1, .ias = 48, .iova = 0x1000, .last = 0x21fff, .leaf_sizes = K4,
		  .levels = 1, .nr = 2, .commands = { { va, 0x1701 }, { va | 5 << 20, 0x2701 } } },
		{ "64 and 31 pages: lowest bits first", "armv8_4k", TLB_ARM, .stage = 1, .ias = 48, .iova = 0, .last = 95 * K4 - 1,
		  .leaf_sizes = K4, .levels = 1, .nr = 2, .commands = { { va | 30 << 12, 0x701 }, { va | 6 << 20, 31 * K4 | 0x701 } } },
		{ "level 1, but the end is off the block: no TTL", "armv8_4k", TLB_ARM, .stage = 1, .ias = 48, .iova = M2,
		  .last = M2 + 0x2fff, .leaf_sizes = M2, .levels = 2, .nr = 1, .commands = { { va | 2 << 12, 0x200401 } } },
		{ "tiny: a level 1 leaf of 16K is not aligned for TTL 2", "armv8_4k", TLB_ARM, .stage = 1, .ias = 18, .iova = 0x4000,
		  .last = 0x7fff, .leaf_sizes = K16, .levels = 2, .nr = 1, .commands = { { va | 2 << 20, 0x4401 } } },
	};

	(void)state;
	CHECK(rows);
}

static void test_inv__arm_stage2_and_granules(void **state)
{
	/* VMID 1, CMD_TLBI_S2_IPA; TG 16K 0x800, 64K 0xc00 */
	const uint64_t ipa = 0x000000010000002a, all = 0x0000000100000028;
	const struct row rows[] = {
		{ "page 0", "armv8_4k", TLB_ARM, .stage = 2, .ias = 40, .iova = 0, .last = 0xfff, .leaf_sizes = K4, .levels = 1, .nr = 1,
		  .commands = { { ipa, 0x701 } } },
		{ "whole space", "armv8_4k", TLB_ARM, .stage = 2, .ias = 40, .iova = 0, .last = L(40) - 1, .leaf_sizes = G1, .levels = 4,
		  .table_levels = 8, .nr = 1, .commands = { { all, 0 } } },
		{ "16K page with table", "armv8_16k", TLB_ARM, .stage = 2, .ias = 40, .granule_lg2 = 14, .iova = 0x8000, .last = 0xbfff,
		  .leaf_sizes = K16, .levels = 1, .table_levels = 2, .nr = 1, .commands = { { ipa, 0x8000 } } },
		{ "16K, 32M block: SCALE 11", "armv8_16k", TLB_ARM, .stage = 2, .ias = 40, .granule_lg2 = 14, .iova = L(25),
		  .last = L(26) - 1, .leaf_sizes = L(25), .levels = 2, .nr = 1, .commands = { { ipa | 11 << 20, 0x2000a01 } } },
		{ "16K, 64G block with LPA2: TTL 1", "armv8_16k", TLB_ARM, .stage = 2, .ias = 48, .lpa = 1, .granule_lg2 = 14,
		  .iova = L(36), .last = L(37) - 1, .leaf_sizes = L(36), .levels = 4, .nr = 1,
		  .commands = { { ipa | 22 << 20, 0x1000000901 } } },
		{ "16K, level 1 without LPA2: TTL reserved", "armv8_16k", TLB_ARM, .stage = 2, .ias = 48, .granule_lg2 = 14, .iova = L(36),
		  .last = L(37) - 1, .leaf_sizes = L(36), .levels = 4, .nr = 1, .commands = { { ipa | 22 << 20, 0x1000000801 } } },
		{ "64K, contiguous 2M", "armv8_64k", TLB_ARM, .stage = 2, .ias = 48, .granule_lg2 = 16, .iova = M2, .last = 2 * M2 - 1,
		  .leaf_sizes = M2, .levels = 1, .nr = 1, .commands = { { ipa | 5 << 20, 0x200f01 } } },
		{ "64K, 512M with page: 2^13 + 1 granules", "armv8_64k", TLB_ARM, .stage = 2, .ias = 48, .granule_lg2 = 16,
		  .iova = L(29) - K64, .last = L(30) - 1, .leaf_sizes = K64 | L(29), .levels = 3, .nr = 2,
		  .commands = { { ipa, 0x1fff0001 }, { ipa | 13 << 20, 0x20000c01 } } },
		{ "2^51 in 4K granules needs SCALE 39", "armv8_4k", TLB_ARM, .stage = 2, .ias = 52, .lpa = 1, .iova = 0, .last = L(51) - 1,
		  .leaf_sizes = G1, .levels = 4, .nr = 1, .commands = { { ipa | 39 << 20, 0x501 } } },
		{ "2^47 in 4K granules: SCALE 31 is the limit", "armv8_4k", TLB_ARM, .stage = 2, .ias = 48, .iova = 0, .last = L(47) - 1,
		  .leaf_sizes = G1, .levels = 4, .nr = 1, .commands = { { ipa | UINT64_C(31) << 20 | 15 << 12, 0x501 } } },
	};

	(void)state;
	CHECK(rows);
}

static void test_inv__riscv(void **state)
{
	/* IOTINVAL, AV, PSCID 1, PSCV; NL bit 34; high: address bits two lower, S bit 9 */
	const uint64_t va = 0x100001401, va_nl = 0x500001401, all = 0x100001001;
	const struct row rows[] = {
		{ "page 0", "riscv64", TLB_RISCV, .ias = 39, .iova = 0, .last = 0xfff, .leaf_sizes = K4, .levels = 1, .nr = 1,
		  .commands = { { va, 0 } } },
		{ "last page of 2^64", "riscv64", TLB_RISCV, .ias = 39, .iova = TOP - 0xfff, .last = TOP, .leaf_sizes = K4, .levels = 1,
		  .nr = 1, .commands = { { va, 0x3ffffffffffffc00 } } },
		{ "8K: all zeros and S", "riscv64", TLB_RISCV, .ias = 39, .iova = 0, .last = 0x1fff, .leaf_sizes = K4, .levels = 1, .nr = 1,
		  .commands = { { va, 0x200 } } },
		{ "64K: X = 3", "riscv64", TLB_RISCV, .ias = 39, .iova = 0x10000, .last = 0x1ffff, .leaf_sizes = K64, .levels = 1, .nr = 1,
		  .commands = { { va, 0x17000 >> 2 | 0x200 } } },
		{ "2M with table", "riscv64", TLB_RISCV, .ias = 39, .iova = 0x40200000, .last = 0x403fffff, .leaf_sizes = K4, .levels = 1,
		  .table_levels = 2, .nr = 1, .commands = { { va_nl, 0x402ff000 >> 2 | 0x200 } } },
		{ "page under a 2M leaf", "riscv64", TLB_RISCV, .ias = 39, .iova = 0x1ff000, .last = 0x3fffff, .leaf_sizes = K4 | M2,
		  .levels = 3, .nr = 2, .commands = { { va, 0x1ff000 >> 2 }, { va, 0x2ff000 >> 2 | 0x200 } } },
		{ "upper half", "riscv64", TLB_RISCV, .ias = 39, .iova = 0xffffffc000000000, .last = TOP, .leaf_sizes = G1, .levels = 4,
		  .nr = 1, .commands = { { va, 0x3ffffff7fffffc00 | 0x200 } } },
		{ "whole space", "riscv64", TLB_RISCV, .ias = 39, .iova = 0, .last = TOP, .leaf_sizes = G1, .levels = 4, .table_levels = 4,
		  .nr = 1, .commands = { { all, 0 } } },
		{ "all but the first page: one range as large as the domain", "riscv64", TLB_RISCV, .ias = 20, .iova = 0x1000,
		  .last = 0xfffff, .leaf_sizes = K4, .levels = 1, .nr = 1, .commands = { { all, 0 } } },
		{ "hull across the sign hole", "riscv64", TLB_RISCV, .ias = 39, .iova = 0x3ffffff000, .last = 0xffffffc000000fff,
		  .leaf_sizes = K4, .levels = 1, .nr = 1, .commands = { { all, 0 } } },
	};

	(void)state;
	CHECK(rows);
}

static void test_inv__armv7s_and_dart(void **state)
{
	const struct row rows[] = {
		{ "page 0", "armv7s", TLB_ARMV7S, .ias = 32, .iova = 0, .last = 0xfff, .leaf_sizes = K4, .levels = 1, .nr = 1,
		  .commands = { { 1, 1 } } },
		{ "last page of 2^32", "armv7s", TLB_ARMV7S, .ias = 32, .iova = 0xfffff000, .last = 0xffffffff, .leaf_sizes = K4,
		  .levels = 1, .nr = 1, .commands = { { 1, 0xfffff001 } } },
		{ "16M: one address", "armv7s", TLB_ARMV7S, .ias = 32, .iova = L(24), .last = L(25) - 1, .leaf_sizes = L(24), .levels = 2,
		  .nr = 1, .commands = { { 1, 0x1000001 } } },
		{ "64K and 4K: steps of 4K", "armv7s", TLB_ARMV7S, .ias = 32, .iova = 0xf000, .last = 0x10fff, .leaf_sizes = K4 | K64,
		  .levels = 1, .nr = 2, .commands = { { 1, 0xf001 }, { 1, 0x10001 } } },
		{ "hull off the step", "armv7s", TLB_ARMV7S, .ias = 32, .iova = 0x1f000, .last = 0x20fff, .leaf_sizes = K64, .levels = 1,
		  .nr = 2, .commands = { { 1, 0x10001 }, { 1, 0x20001 } } },
		{ "an empty table: 1M", "armv7s", TLB_ARMV7S, .ias = 32, .iova = 0x300000, .last = 0x3fffff, .table_levels = 2, .nr = 1,
		  .commands = { { 1, 0x300001 } } },
		{ "1M leaves, and a table among them", "armv7s", TLB_ARMV7S, .ias = 32, .iova = 0x300000, .last = 0x5fffff,
		  .leaf_sizes = M1, .levels = 2, .table_levels = 2, .nr = 3,
		  .commands = { { 1, 0x300001 }, { 1, 0x400001 }, { 1, 0x500001 } } },
		{ "33 pages: the whole ASID", "armv7s", TLB_ARMV7S, .ias = 32, .iova = 0x1000, .last = 0x21fff, .leaf_sizes = K4,
		  .levels = 1, .nr = 1, .commands = { { 2, 1 } } },
		{ "whole space", "armv7s", TLB_ARMV7S, .ias = 32, .iova = 0, .last = 0xffffffff, .leaf_sizes = L(24), .levels = 2, .nr = 1,
		  .commands = { { 2, 1 } } },
		{ "dart page", "dart", TLB_DART, .ias = 32, .granule_lg2 = 14, .iova = 0x4000, .last = 0x7fff, .leaf_sizes = K16,
		  .levels = 1, .nr = 1, .commands = { { 1, 0 } } },
		{ "dart whole space", "dart", TLB_DART, .ias = 32, .granule_lg2 = 14, .iova = 0, .last = 0xffffffff, .leaf_sizes = K16,
		  .levels = 1, .nr = 1, .commands = { { 1, 0 } } },
	};

	(void)state;
	CHECK(rows);
}

/* The pages that one logged command covers in a domain of 4K pages that starts at 0; a whole-domain command covers domain_pages. */
static uint64_t covered(const struct mem_event *ev, uint64_t domain_pages, uint64_t *first)
{
	uint64_t page;

	*first = 0;
	switch (ev->pa) {
	case TLB_AMD:
		page = ev->new >> 12;
		if (!(ev->new & 1))
			break;
		if (page == 0x7ffffffffffff)
			return domain_pages;
		*first = page & (page + 1);
		return (page ^ (page + 1)) + 1;
	case TLB_VTD:
		if (!(ev->old & 1 << 4))
			return domain_pages;
		*first = ev->new >> 12;
		return UINT64_C(1) << (ev->new & 0x3f);
	case TLB_RISCV:
		page = ev->new >> 10;
		if (!(ev->old & 1 << 10))
			return domain_pages;
		if (!(ev->new & 1 << 9))
			break;
		*first = page & (page + 1);
		return (page ^ (page + 1)) + 1;
	default:
		page = ev->new >> 12;
		if ((ev->old & 0xff) == 0x11)
			return domain_pages;
		*first = page;
		return ev->new & 3 << 10 ? ((ev->old >> 12 & 0x1f) + 1) << (ev->old >> 20 & 0x3f) : 1;
	}
	*first = page;
	return 1;
}

/* Every hull of a domain of 256 pages: each page in it is covered, and arm covers none besides, the others less than as many again. */
static void test_inv__every_hull_is_covered(void **state)
{
	static const uint8_t tlbs[] = { TLB_AMD, TLB_VTD, TLB_RISCV, TLB_ARM };
	const uint64_t pages = 256;
	uint64_t from, to, first, nr, all, next;
	struct row r = { .format = "vtdss", .stage = 1, .ias = 20, .leaf_sizes = K4, .levels = 1 };
	uint8_t hit[2 * 256];
	size_t t, i;

	(void)state;
	for (t = 0; t < sizeof(tlbs); t++) {
		for (from = 0; from < pages; from++) {
			for (to = from; to < pages; to++) {
				r.tlb = tlbs[t];
				r.iova = from * K4;
				r.last = to * K4 + K4 - 1;
				issue(&r);
				memset(hit, 0, sizeof(hit));
				all = 0;
				for (i = 0; i < mem.view.events_nr; i++) {
					nr = covered(&mem.view.events[i], pages, &first);
					assert_true(first + nr <= pages);
					memset(hit + first, 1, nr);
					all += nr;
				}
				for (next = from; next <= to; next++)
					assert_true(hit[next]);
				assert_true(i <= (r.tlb == TLB_ARM ? 8 : 2));
				assert_true(r.tlb == TLB_ARM ? all == to - from + 1 : all < 2 * (to - from + 1));
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inv__generic),
		cmocka_unit_test(test_inv__amd),
		cmocka_unit_test(test_inv__vtd),
		cmocka_unit_test(test_inv__arm_stage1),
		cmocka_unit_test(test_inv__arm_stage2_and_granules),
		cmocka_unit_test(test_inv__riscv),
		cmocka_unit_test(test_inv__armv7s_and_dart),
		cmocka_unit_test(test_inv__every_hull_is_covered),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
