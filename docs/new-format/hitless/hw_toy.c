/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw_toy.c - what the hardware reads out of one toy entry.
 *
 * Source: docs/new-format.md, "The specification".
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "hw.h"

enum { TOY_GRANULE_LG2 = 12, TOY_INDEX_LG2 = 9, TOY_LEVELS = 3, TOY_LEAF_LEVELS = 2 };

#define TOY_P UINT64_C(1)
#define TOY_T UINT64_C(2)
#define TOY_W UINT64_C(4)
#define TOY_ADDR UINT64_C(0x000000ffffffff00) /* 39:8, bits 43:12 of an address */
#define TOY_RSVD UINT64_C(0x3fffff00000000f8) /* 7:3 and 61:40 */

static struct hw_entry toy_bad(const char *why)
{
	return (struct hw_entry){ .kind = HW_BAD, .why = why };
}

static struct hw_entry toy_decode(const struct hw *hw, unsigned level, uint64_t raw)
{
	uint64_t addr = (raw & TOY_ADDR) << 4;

	if (!(raw & TOY_P))
		return (struct hw_entry){ .kind = HW_EMPTY };
	if (raw & TOY_RSVD)
		return toy_bad("bits 7:3 and 61:40 are reserved");
	if (raw & TOY_T) {
		if (level == 0)
			return toy_bad("T is reserved at level 0");
		if (raw & TOY_W)
			return toy_bad("W is reserved in a pointer");
		return (struct hw_entry){ .kind = HW_TABLE, .level = (uint8_t)(level - 1), .prot = PROT_ACCESS, .pa = addr };
	}
	if (level >= TOY_LEAF_LEVELS)
		return toy_bad("level 2 has no leaves");
	if (addr & ((UINT64_C(1) << hw->item_lg2[level]) - 1))
		return toy_bad("the address of a 2M leaf is a multiple of 2M");
	return (struct hw_entry){
		.kind = HW_LEAF,
		.size_lg2 = hw->item_lg2[level],
		.span_lg2 = hw->item_lg2[level],
		.prot = PROT_R | (raw & TOY_W ? PROT_W : 0),
		.accessed = true,
		.dirty = true,
		.pa = addr,
	};
}

/* The device sets nothing. */
static uint64_t toy_touch(const struct hw *hw, unsigned level, uint64_t raw, bool write)
{
	(void)hw;
	(void)level;
	(void)write;
	return raw;
}

static bool toy_expressible(const struct hw *hw, unsigned prot)
{
	(void)hw;
	return (prot & PROT_R) && !(prot & ~(unsigned)(PROT_R | PROT_W));
}

static void toy_fields(const struct hw *hw, unsigned level, uint64_t raw, char *buf, unsigned buf_bytes)
{
	(void)hw;
	(void)level;
	snprintf(buf, buf_bytes, "P=%u T=%u W=%u rsvd7:3=0x%x ADDR=0x%" PRIx64 " rsvd61:40=0x%x ign=%u", !!(raw & TOY_P), !!(raw & TOY_T),
		 !!(raw & TOY_W), (unsigned)(raw >> 3 & 0x1f), (raw & TOY_ADDR) << 4, (unsigned)(raw >> 40 & 0x3fffff), (unsigned)(raw >> 62));
}

static int toy_init(struct hw *hw, const char **why)
{
	unsigned level;

	if (hw->cfg.levels != TOY_LEVELS || hw->cfg.ias != 39 || hw->cfg.oas != 44 || hw->cfg.tiny) {
		*why = "toy has levels=3 ias=39 oas=44";
		return -EINVAL;
	}
	hw->item_bytes_lg2 = 3;
	hw->top_level = hw->top_level_max = TOY_LEVELS - 1;
	for (level = 0; level < CONFIG_LEVELS_MAX; level++) {
		hw->item_lg2[level] = (uint8_t)(TOY_GRANULE_LG2 + level * TOY_INDEX_LG2);
		hw->index_lg2[level] = TOY_INDEX_LG2;
		hw->table_align_lg2[level] = TOY_INDEX_LG2 + 3;
		hw->oa_step_lg2[level] = hw->item_lg2[level] - 4;
		if (level < TOY_LEAF_LEVELS)
			hw->leaf_sizes |= UINT64_C(1) << hw->item_lg2[level];
	}
	hw->has_low = true;
	hw->iova_low_last = (UINT64_C(1) << hw->cfg.ias) - 1;
	hw->oa_lg2 = hw->cfg.oas;
	hw->oa_carry_lg2 = 64;
	hw->cap_leaf_to_table = true;
	return 0;
}

const struct hw_format hw_format_toy = {
	.name = "toy",
	.document = "docs/new-format.md",
	.init = toy_init,
	.decode = toy_decode,
	.touch = toy_touch,
	.expressible = toy_expressible,
	.fields = toy_fields,
};
