/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * imap.h - the flat interval map: what every iova must translate to.
 *
 * A set of disjoint pieces ordered by iova, in a B+ tree that also counts, so that the n-th piece is found as fast as one by address.
 * Adjacent pieces are never merged: a piece is what one map made, divided by later cuts and unmaps, and its layout follows from it.
 */
#ifndef HITLESS_IMAP_H
#define HITLESS_IMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* [iova, last] translates to [oa, oa + (last - iova)] with prot. last >= iova; all of 2^64 may be used. */
struct imap_piece {
	uint64_t iova, last, oa;
	uint8_t prot;
};

struct imap_node;

/*
 * struct imap - the map.
 *
 * @nr:    pieces in it
 * @bytes: host memory that its nodes use
 */
struct imap {
	struct imap_node *root;
	unsigned height;
	size_t nr, bytes;
};

/* A place in the map: valid until the next insert, split or remove. */
struct imap_pos {
	struct imap_node *node;
	unsigned slot;
};

void imap_init(struct imap *im);
void imap_release(struct imap *im);

/* The piece that holds iova, or NULL. *pos (may be NULL) is set if there is one. */
const struct imap_piece *imap_find(const struct imap *im, uint64_t iova, struct imap_pos *pos);

/* The first piece whose last >= iova, so the one that holds iova or the next above it; NULL if there is none. */
const struct imap_piece *imap_from(const struct imap *im, uint64_t iova, struct imap_pos *pos);

/* The piece after *pos, which moves there; NULL at the end. */
const struct imap_piece *imap_next(struct imap_pos *pos);

/* The piece with exactly n pieces before it, n < im->nr. */
const struct imap_piece *imap_nth(const struct imap *im, size_t n);

/* Whether anything in [iova, last] is mapped. */
bool imap_overlaps(const struct imap *im, uint64_t iova, uint64_t last);

/* Add a piece. 0; -EADDRINUSE if it overlaps one (nothing changed). Running out of host memory ends the process. */
int imap_insert(struct imap *im, const struct imap_piece *piece);

/* Make iova the start of a piece. 0, also if it already is; -ENOENT in a hole. */
int imap_split(struct imap *im, uint64_t iova);

/* Remove [iova, last]; pieces that reach beyond it keep the rest, with their oa moved along. Holes in the range are no error. */
void imap_remove(struct imap *im, uint64_t iova, uint64_t last);

/* Check the structure, every node of it. NULL; or a word for what does not hold. For tests. */
const char *imap_check(const struct imap *im);

#endif
