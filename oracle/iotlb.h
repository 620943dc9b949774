/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iotlb.h - decodes a vendor's raw invalidation commands: what each is sure to remove from an IOTLB and from the walk caches, and no more.
 *
 * Written from the vendors' specifications, not from engine/inv_*.c.
 */
#ifndef HITLESS_IOTLB_H
#define HITLESS_IOTLB_H

#include <stdbool.h>
#include <stdint.h>

#include "hw.h"

/*
 * struct iotlb_cmd - what one command removes.
 *
 * @why:    NULL, or a static string: the command is malformed, and removes nothing
 * @leaves: it removes leaf entries, @tables: cached table pointers
 * @iova, @last: the addresses it covers
 * @inside: only entries that lie wholly inside the range; otherwise every entry that overlaps it
 * @leaf_levels: bit n set: leaf entries of level n; ~0: any
 * @used:   something that had to go went by it; the accounting's, false after decoding
 */
struct iotlb_cmd {
	const char *why;
	bool leaves, tables, inside;
	uint64_t iova, last;
	uint8_t leaf_levels;
	bool used;
};

/* Decode the raw command (low, high half) that vendor, an enum config_tlb, would execute for the domain that hw describes. */
void iotlb_decode(const struct hw *hw, unsigned vendor, uint64_t low, uint64_t high, struct iotlb_cmd *cmd);

/* Whether the entry of a leaf [iova, last] at level is sure to be gone after cmd; for a contiguous entry the whole of it. */
bool iotlb_removes_leaf(const struct iotlb_cmd *cmd, uint64_t iova, uint64_t last, unsigned level);

/* Whether a cached pointer to a table that spans [iova, last] is sure to be gone after cmd. */
bool iotlb_removes_table(const struct iotlb_cmd *cmd, uint64_t iova, uint64_t last);

#endif
