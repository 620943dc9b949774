/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pgtable_record.c - an array of runs of leaves in ascending order. */
#include "pgtable_record.h"

#include <stdlib.h>
#include <string.h>

void pgtable_record_release(struct pgtable_record *r)
{
	free(r->runs);
	*r = (struct pgtable_record){ 0 };
}

/* Index of the first run that ends at or after iova. */
static size_t record_find(const struct pgtable_record *r, uint64_t iova)
{
	size_t lo = 0, hi = r->nr;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (r->runs[mid].last < iova)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void record_insert(struct pgtable_record *r, size_t at, struct pgtable_run run)
{
	if (r->nr == r->room) {
		r->room = r->room ? 2 * r->room : 64;
		r->runs = realloc(r->runs, r->room * sizeof(*r->runs));
		if (!r->runs)
			abort();
	}
	memmove(&r->runs[at + 1], &r->runs[at], (r->nr - at) * sizeof(*r->runs));
	r->runs[at] = run;
	r->nr++;
}

void pgtable_record_remove(struct pgtable_record *r, uint64_t iova, uint64_t last)
{
	size_t first = record_find(r, iova), end;
	struct pgtable_run *run;

	if (first == r->nr)
		return;
	run = &r->runs[first];
	/* One run may reach beyond both ends. */
	if (run->iova < iova && run->last > last) {
		record_insert(r, first + 1, (struct pgtable_run){ last + 1, run->last, run->size_lg2 });
		r->runs[first].last = iova - 1;
		return;
	}
	if (run->iova < iova) {
		run->last = iova - 1;
		first++;
	}
	for (end = first; end < r->nr && r->runs[end].last <= last; end++)
		;
	if (end < r->nr && r->runs[end].iova <= last)
		r->runs[end].iova = last + 1;
	memmove(&r->runs[first], &r->runs[end], (r->nr - end) * sizeof(*r->runs));
	r->nr -= end - first;
}

void pgtable_record_add(struct pgtable_record *r, uint64_t iova, uint64_t last, unsigned size_lg2)
{
	struct pgtable_run *before;
	size_t at;

	if (r->nr)
		pgtable_record_remove(r, iova, last);
	at = record_find(r, iova);
	before = at ? &r->runs[at - 1] : NULL;
	if (before && before->last + 1 == iova && before->size_lg2 == size_lg2)
		before->last = last;
	else
		record_insert(r, at, (struct pgtable_run){ iova, last, size_lg2 });
}

const struct pgtable_run *pgtable_record_from(const struct pgtable_record *r, uint64_t iova)
{
	size_t at = record_find(r, iova);

	return at < r->nr ? &r->runs[at] : NULL;
}

bool pgtable_record_extent(const struct pgtable_record *r, uint64_t iova, uint64_t last, uint64_t *end)
{
	size_t at = record_find(r, iova);
	uint64_t next = iova, leaf;

	/* From one run to the next that begins where it ends. */
	for (; at < r->nr && r->runs[at].iova <= next; at++) {
		const struct pgtable_run *run = &r->runs[at];

		leaf = UINT64_C(1) << run->size_lg2;
		if (next & (leaf - 1))
			break;
		if (run->last > last) {
			next += (last - next + 1) & ~(leaf - 1);
			break;
		}
		next = run->last + 1;
		if (run->last == last)
			break;
	}
	*end = next - 1;
	return next != iova;
}
