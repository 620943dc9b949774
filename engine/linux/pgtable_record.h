/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pgtable_record.h - which leaves a caller has made: what the kernel's own callers know, and its io-pgtable takes for granted.
 *
 * A caller of map_pages and unmap_pages must not map what is mapped, nor unmap what is not or a part of a leaf: the code warns, or does
 * not notice. It looks at no table.
 */
#ifndef HITLESS_PGTABLE_RECORD_H
#define HITLESS_PGTABLE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* [iova, last] holds leaves of 2^size_lg2 bytes, one beside the other. */
struct pgtable_run {
	uint64_t iova, last;
	unsigned size_lg2;
};

/* Runs in ascending order that do not overlap. All zero to begin with. */
struct pgtable_record {
	struct pgtable_run *runs;
	size_t nr, room;
};

void pgtable_record_release(struct pgtable_record *r);

/* Leaves of 2^size_lg2 bytes were made in [iova, last], over whatever there was. */
void pgtable_record_add(struct pgtable_record *r, uint64_t iova, uint64_t last, unsigned size_lg2);

/* [iova, last] is empty now. */
void pgtable_record_remove(struct pgtable_record *r, uint64_t iova, uint64_t last);

/* The first run that ends at or after iova, or NULL. The next call that changes the record ends it. */
const struct pgtable_run *pgtable_record_from(const struct pgtable_record *r, uint64_t iova);

/*
 * pgtable_record_extent - how far from iova on, at most to last, whole leaves follow each other. False: not one does, since nothing is mapped at
 * iova, or a leaf that begins before it or ends after last.
 */
bool pgtable_record_extent(const struct pgtable_record *r, uint64_t iova, uint64_t last, uint64_t *end);

#endif
