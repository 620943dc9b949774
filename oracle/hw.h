/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw.h - one hardware format as its vendor documents it: where a walk starts and what one entry means.
 *
 * Each oracle/hw_<format>.c implements this from the specification alone; it must not be written from engine/fmt/.
 */
#ifndef HITLESS_HW_H
#define HITLESS_HW_H

#include <stdbool.h>
#include <stdint.h>

#include "../engine/config.h"

enum hw_kind {
	HW_EMPTY, /* not present, and nothing wrong with it: the walk faults */
	HW_TABLE, /* points to a table */
	HW_LEAF,  /* yields an oa */
	HW_BAD,   /* the walk faults or is unpredictable, and no correct software writes this: reserved bits or codes, a leaf at a level
	             that has none, a misaligned address; .why says which */
};

/*
 * struct hw_entry - one item decoded.
 *
 * @kind:     see above
 * @level:    HW_TABLE: level of the table pointed to (level - 1, or lower where the format can skip levels). Level 0 holds only leaves
 * @size_lg2: HW_LEAF: size of the whole entry, every item of a contiguous or replicated group counted
 * @span_lg2: HW_LEAF: how many low bits of the iova replace those of @pa when this item is used: @size_lg2 for a format whose items
 *            all hold the entry's oa (AMD, NAPOT, Arm short descriptors), the item's own size where each item holds its own (Armv8)
 * @prot:     HW_LEAF: PROT_R, PROT_W, PROT_X, PROT_PRIV, PROT_MMIO, PROT_CACHE as enum prot describes them, as this item alone grants
 *            them. A page that
 *            the device may write because hardware would mark it dirty (Armv8 DBM) has PROT_W. HW_TABLE: the PROT_ACCESS
 *            bits that the pointer leaves standing for everything below it (PROT_ACCESS if it restricts nothing), and PROT_PRIV if all
 *            below is privileged
 * @accessed, @dirty: HW_LEAF: the bits that the device sets; true where preset or where the format has none
 * @pa:       HW_TABLE: address of the table. HW_LEAF: oa of the first byte of the 2^span_lg2 block
 * @why:      HW_BAD: a static string, what is wrong, naming the field as the specification does
 */
struct hw_entry {
	enum hw_kind kind;
	uint8_t level, size_lg2, span_lg2;
	uint8_t prot;
	bool accessed, dirty;
	uint64_t pa;
	const char *why;
};

struct hw;

/*
 * struct hw_format - what one walker file exports, as hw_format_<name>.
 *
 * @name:    the format's name in configurations
 * @document: the specification it was written from: title, revision
 * @init:    fills in every field of @hw below "geometry" for a resolved configuration; 0, or -EINVAL and *why when the hardware cannot be
 *           so configured
 * @decode:  NULL where it is still to be written: then the domain is judged blindly, see struct check. What the item @raw at @level means; @level is at most hw->top_level_max. Never fails. Pure: depends on hw, level and raw alone
 * @touch:   the item as the device leaves it after a translation through this leaf (@write: a DMA write), dirty and accessed set as
 *           hw->cfg.ad
 *           says; @raw itself where nothing changes. Only called for leaves that permit the access
 * @expressible: whether an entry of this configuration can say exactly @prot: at least one of PROT_ACCESS, no bits beyond PROT_ALL. From
 *               the
 *           table above enum prot
 * @fields:  writes the decoded fields of @raw, "name=value name=value", into buf; for reports
 */
struct hw_format {
	const char *name;
	const char *document;
	int (*init)(struct hw *hw, const char **why);
	struct hw_entry (*decode)(const struct hw *hw, unsigned level, uint64_t raw);
	uint64_t (*touch)(const struct hw *hw, unsigned level, uint64_t raw, bool write);
	bool (*expressible)(const struct hw *hw, unsigned prot);
	void (*fields)(const struct hw *hw, unsigned level, uint64_t raw, char *buf, unsigned buf_bytes);
};

/*
 * struct hw - a format under one configuration.
 *
 * geometry, filled in by ->init():
 * @item_bytes_lg2: size of an item, 2 or 3
 * @top_level:      level of the root when the domain is made
 * @top_level_max:  highest level that the root can grow to (== top_level where it cannot grow)
 * @item_lg2[l]:    how much iova one item of a level-l table spans
 * @index_lg2[l]:   items of a level-l table. The root may have fewer or, concatenated, more
 * @table_align_lg2[l]: alignment that the hardware demands of a level-l table's address
 * @iova_low_last:  last iova of the lower part, [0, iova_low_last]; ignored if has_low is false
 * @iova_high_first: first iova of the upper part, [iova_high_first, 2^64-1]; ignored if has_high is false
 * @oa_lg2:         width of an oa in bits, at most 64
 * @leaf_sizes:     bit n set: the hardware can hold a leaf of 2^n bytes
 * @oa_step_lg2[l]: the raw item at level l whose oa is larger by item_lg2[l], everything else equal, is raw + 2^oa_step_lg2, as long as
 * the oa does not carry
 *                  into bit oa_carry_lg2
 * @oa_carry_lg2:   see above; 64 if the oa is one contiguous field
 * @ad_mask:        the bits of an item that hold accessed and dirty state and may differ between the items of one entry
 * @has_dirty:      the device keeps dirty state under this configuration
 * @mair_mask:      the bits of a leaf that choose a memory attribute, of which a register says what it is; 0: there are none
 * @arm_mair:       armv8 stage 1: MAIR_ELx, CONFIG_ARM_MAIR to begin with; to be changed by whoever knows of another before anything is decoded
 * @any_item:       for an access through a contiguous entry the device may use, and mark, any item of it
 * @cap_size_change, @cap_leaf_to_table: a live entry may become smaller ones, a live leaf a table (and back), without break-before-make;
 *                                       what the
 *                  configuration does not allow is refused, what it allows must be used
 */
struct hw {
	const struct hw_format *format;
	struct config cfg;
	/* geometry */
	uint8_t item_bytes_lg2, top_level, top_level_max;
	uint8_t item_lg2[CONFIG_LEVELS_MAX], index_lg2[CONFIG_LEVELS_MAX], table_align_lg2[CONFIG_LEVELS_MAX];
	bool has_low, has_high, has_dirty, any_item, cap_size_change, cap_leaf_to_table;
	uint64_t iova_low_last, iova_high_first;
	uint8_t oa_lg2, oa_carry_lg2;
	uint8_t oa_step_lg2[CONFIG_LEVELS_MAX];
	uint64_t leaf_sizes;
	uint64_t ad_mask;
	uint64_t mair_mask, arm_mair;
};

/*
 * hw_init - choose the walker that cfg names and set it up.
 * Returns 0; -ENOENT: no such format; -EINVAL: *why says what the hardware does not allow.
 */
int hw_init(struct hw *hw, const struct config *cfg, const char **why);

/* The walker of a format that is built in; NULL: there is none of that name. */
const struct hw_format *hw_find(const char *name);

/* "rw- cache priv" into buf; returns buf. */
const char *hw_prot_words(unsigned prot, char *buf, unsigned buf_bytes);

/* The formats built in, NULL at the end. */
extern const struct hw_format *const hw_formats[];

/* Whether an iova is one that the walk does not refuse before it starts. */
static inline bool hw_iova_valid(const struct hw *hw, uint64_t iova)
{
	return (hw->has_low && iova <= hw->iova_low_last) || (hw->has_high && iova >= hw->iova_high_first);
}

/* Which item of a level-l table translates iova, the root's extra or missing items counted. */
static inline uint64_t hw_index(const struct hw *hw, unsigned level, uint64_t iova)
{
	return (iova >> hw->item_lg2[level]) & ((UINT64_C(1) << hw->index_lg2[level]) - 1);
}

#endif
