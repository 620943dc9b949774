/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * layout.h - the greedy largest-page layout of a piece: which leaf holds an address.
 *
 * Naturally aligned blocks of powers of two either nest or are disjoint. So the greedy leaf that holds an address is simply the largest
 * enabled block around it that fits into the piece and whose iova and oa are both aligned; no walk from the piece's start is needed.
 */
#ifndef HITLESS_LAYOUT_H
#define HITLESS_LAYOUT_H

#include <stdint.h>

#include "imap.h"

struct layout_leaf {
	uint64_t iova, last;
	unsigned size_lg2;
};

static inline uint64_t layout_mask(unsigned n)
{
	return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

/*
 * layout_find - the leaf that holds iova in a piece that starts at piece_iova, ends at piece_last and maps to oa, with pgsizes enabled.
 * The piece consists of smallest pages.
 */
static inline struct layout_leaf layout_find(uint64_t pgsizes, uint64_t piece_iova, uint64_t piece_last, uint64_t oa, uint64_t iova)
{
	uint64_t differ = piece_iova ^ oa;
	/* No block can be larger than iova and oa are congruent (xor and difference have the same lowest bit), or than the piece. */
	unsigned most = differ ? (unsigned)__builtin_ctzll(differ) : 63;
	uint64_t len_less_1 = piece_last - piece_iova;
	unsigned fit = len_less_1 == UINT64_MAX ? 63 : 63 - (unsigned)__builtin_clzll(len_less_1 + 1);
	uint64_t sizes;

	if (fit < most)
		most = fit;
	for (sizes = pgsizes & layout_mask(most + 1); sizes;) {
		unsigned size_lg2 = 63 - (unsigned)__builtin_clzll(sizes);
		uint64_t start = iova & ~layout_mask(size_lg2), last = iova | layout_mask(size_lg2);

		if (start >= piece_iova && last <= piece_last)
			return (struct layout_leaf){ start, last, size_lg2 };
		sizes &= ~(UINT64_C(1) << size_lg2);
	}
	/* Unreachable for a piece of whole smallest pages. */
	return (struct layout_leaf){ iova, iova, 0 };
}

static inline struct layout_leaf layout_leaf(uint64_t pgsizes, const struct imap_piece *p, uint64_t iova)
{
	return layout_find(pgsizes, p->iova, p->last, p->oa, iova);
}

/*
 * layout_run - how many leaves of leaf's size follow each other from leaf on, itself counted, before the piece ends or a larger leaf comes.
 * A lower bound: never more than there are.
 */
static inline uint64_t layout_run(uint64_t pgsizes, const struct imap_piece *p, const struct layout_leaf *leaf)
{
	uint64_t left_less_1 = p->last - leaf->iova;
	uint64_t nr = (left_less_1 >> leaf->size_lg2) + ((left_less_1 & layout_mask(leaf->size_lg2)) == layout_mask(leaf->size_lg2));
	uint64_t larger = pgsizes & ~layout_mask(leaf->size_lg2 + 1);

	if (larger && !((p->iova ^ p->oa) & ((larger & -larger) - 1))) {
		/* The next address where a larger leaf could start. */
		uint64_t ahead = ((larger & -larger) - (leaf->iova & ((larger & -larger) - 1))) >> leaf->size_lg2;

		if (ahead < nr)
			nr = ahead;
	}
	return nr;
}

#endif
