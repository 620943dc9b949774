/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pick.h - choices that make an operation interesting: addresses that collide with live pieces, lengths and oas that decide the layout.
 *
 * The random generator (entropy from a PRNG) and the binary form (entropy from the input) make the same choices here. What is picked
 * depends on the interval map, the configuration, and the entropy and operations so far, on nothing else. Which kind of operation comes
 * next is not decided here.
 */
#ifndef HITLESS_PICK_H
#define HITLESS_PICK_H

#include <stdint.h>

#include "../oracle/hw.h"
#include "../oracle/imap.h"
#include "op.h"

#define PICK_RECENT_NR 8
#define PICK_OA_CLASSES 4

/* Leaves that one operation should touch at most. */
#define PICK_LEAVES_MAX 65536

/*
 * struct pick - where choices come from and what they depend on.
 *
 * @draw:   a number from 0 to bound-1; bound is at least 1
 * @source: passed to @draw
 * @im:     what is mapped now. May be replaced between operations
 * @hw:     geometry; hw->cfg.pgsizes are the enabled page sizes (0: all of hw->leaf_sizes); hw->format may be NULL
 * @leaves_max: cap on the leaves of one operation
 * @next_oa: for each class of lengths, where the next fresh oa comes from; starts over when the class's part of the space is used up
 * @recent: iovas that the last operations named
 */
struct pick {
	uint32_t (*draw)(void *source, uint32_t bound);
	void *source;
	const struct imap *im;
	const struct hw *hw;
	uint64_t leaves_max;
	uint64_t next_oa[PICK_OA_CLASSES];
	uint64_t recent[PICK_RECENT_NR];
	unsigned recent_idx;
};

/* A pick without memory; source, im and hw are borrowed. */
void pick_init(struct pick *p, uint32_t (*draw)(void *, uint32_t), void *source, const struct imap *im, const struct hw *hw);

/* The smallest page that is enabled, log2. */
unsigned pick_granule_lg2(const struct hw *hw);

/* An enabled page size, log2, that fits the aperture; small ones more often. */
unsigned pick_page_lg2(struct pick *p);

/* A live piece; NULL if there is none. */
const struct imap_piece *pick_piece(struct pick *p);

/* An aligned iova inside the piece, but not its start unless it has no other: near an end, at a page boundary, or inside a large leaf. */
uint64_t pick_inside(struct pick *p, const struct imap_piece *piece);

/*
 * Any aligned iova worth trying: start, end, middle, inside of a live piece or a granule off; 0, the last page, both sides of the
 * sign-extension hole; near one used before. May lie in a hole of the map or outside the aperture.
 */
uint64_t pick_iova(struct pick *p);

/*
 * A length in bytes: the page size given, once or several times, sometimes some granules more or less; a multiple of the smallest page.
 * At most p->leaves_max pages of that size.
 */
uint64_t pick_length(struct pick *p, unsigned page_lg2);

/*
 * An oa for [iova, last], which should come out in pages of 2^page_lg2 bytes: mostly fresh and congruent to iova modulo that or the
 * largest page that fits; rarely off by a granule, the top of the oa space, 0 or iova itself. The oa of last may pass the end of the space.
 */
uint64_t pick_oa(struct pick *p, uint64_t iova, uint64_t last, unsigned page_lg2);

/* Any mix of permissions and memory types; rarely one that the format cannot express, if it says which (hw->format->expressible). */
unsigned pick_prot(struct pick *p);

/* Fill in *op, an operation of this kind that should mostly be accepted; no fail, no devices. Moves next_oa and recent along. */
void pick_op(struct pick *p, enum op_kind kind, struct op *op);

/* pick_seen - op comes from elsewhere and takes part: its oa is not given out for the time being, its iovas are among the recent ones. */
void pick_seen(struct pick *p, const struct op *op);

/* Add to an operation: a failing allocation; one or more actions of the device. Nothing on kinds that take none. */
void pick_fail(struct pick *p, struct op *op);
void pick_devices(struct pick *p, struct op *op);

/* Make an operation one that must probably be refused: misaligned, reversed, out of range, with bad permissions. */
void pick_spoil(struct pick *p, struct op *op);

/* How many leaves the greedy layout of [iova, last] to oa has. */
uint64_t pick_leaves(const struct hw *hw, uint64_t iova, uint64_t last, uint64_t oa);

/* Whether op is a map of more than PICK_LEAVES_MAX leaves: it would take minutes, and whoever runs what comes from elsewhere leaves it out. */
bool pick_is_huge(const struct hw *hw, const struct op *op);

#endif
