/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inv_block.h - naturally aligned power-of-two blocks of iova, the only ranges that amd, vtd and riscv commands can name.
 *
 * Shared by the encoders below inv_issue() and by nothing else. It is not an encoder: bit positions are in inv_<vendor>.c.
 */
#ifndef HITLESS_INV_BLOCK_H
#define HITLESS_INV_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"

/* A gather that needs more commands than this is answered with one for the whole domain. */
#define INV_COMMANDS_MAX 32

#define INV_PAGE_LG2 12 /* the smallest block of all three vendors */
#define INV_PAGE_MASK (~UINT64_C(0xfff))

/* [iova, iova + 2^lg2 - 1]; iova is a multiple of 2^lg2, lg2 is 12 to 63. */
struct inv_block {
	uint64_t iova;
	unsigned lg2;
};

/* Base-2 logarithm of the largest power of two in bits, which is not 0. */
static inline unsigned inv_top_bit(uint64_t bits)
{
	return 63 - (unsigned)__builtin_clzll(bits);
}

/* Whether [iova, last] is as wide as all that cfg can translate, or wider: a hull may span the sign-extension hole. */
static inline bool inv_whole(const struct config *cfg, uint64_t iova, uint64_t last)
{
	return cfg->ias >= 64 ? last - iova == UINT64_MAX : last - iova >= (UINT64_C(1) << cfg->ias) - 1;
}

/* The smallest block of at least 2^min_lg2 bytes that holds [iova, last]; lg2 may come out as 64. */
static inline struct inv_block inv_enclose(uint64_t iova, uint64_t last, unsigned min_lg2)
{
	struct inv_block b = { .lg2 = min_lg2 };

	if (iova != last && inv_top_bit(iova ^ last) + 1 > min_lg2)
		b.lg2 = inv_top_bit(iova ^ last) + 1;
	if (b.lg2 < 64)
		b.iova = iova & ~((UINT64_C(1) << b.lg2) - 1);
	return b;
}

/*
 * inv_cover - the blocks, each at least 2^min_lg2 bytes (12 or more), that cover [iova, last].
 *
 * One block that holds a hull across a large boundary may be vastly larger than the hull, so the hull is split there, which leaves each
 * part less than doubled (unless min_lg2 enlarges it). An entry or item that lies inside the hull lies inside one of the blocks: it is
 * naturally aligned too, and so crosses the boundary only if it is the whole hull.
 *
 * Returns how many of b were filled in, 1 or 2; 0: a block would be as large as the whole domain.
 */
static inline unsigned inv_cover(const struct config *cfg, uint64_t iova, uint64_t last, unsigned min_lg2, struct inv_block b[2])
{
	struct inv_block whole = inv_enclose(iova, last, min_lg2);
	uint64_t mid;

	if (inv_whole(cfg, iova, last))
		return 0;
	if (iova != last && whole.lg2 > min_lg2) {
		mid = last & ~((UINT64_C(1) << (whole.lg2 - 1)) - 1);
		b[0] = inv_enclose(iova, mid - 1, min_lg2);
		b[1] = inv_enclose(mid, last, min_lg2);
		if (b[0].lg2 + 1 < whole.lg2 || b[1].lg2 + 1 < whole.lg2)
			return b[0].lg2 < cfg->ias && b[1].lg2 < cfg->ias ? 2 : 0;
	}
	b[0] = whole;
	return whole.lg2 < cfg->ias ? 1 : 0;
}

/*
 * The size of a block of 8K or more in the low bits of its address: bits 12 up to lg2 - 2 are ones, bit lg2 - 1, the lowest zero, says
 * where they end. AMD and RISC-V both have it from the invalidation requests of PCIe address translation services.
 */
static inline uint64_t inv_block_napot(const struct inv_block *b)
{
	return b->iova | (((UINT64_C(1) << (b->lg2 - 1)) - 1) & INV_PAGE_MASK);
}

#endif
