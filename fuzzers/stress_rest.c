/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stress_rest.c - a domain under stress, at rest: translations, and dirty state that no cut may have lost. */
#include "stress_rest.h"

#include <stdio.h>

#include "stress_reader.h"

/*
 * struct rest - the leaf that is being passed through.
 *
 * @start, @end: its pages, the second behind the last
 * @dirty:   an item of it is
 * @written: a page of it was written to; @page: that page
 */
struct rest {
	uint32_t start, end, page;
	bool dirty, written;
};

static void rest_lost_dirty(struct stress_domain *d, const struct rest *r)
{
	struct stress_evidence e = { .v = { .class = VERDICT_LOST_DIRTY, .guarantee = 6, .level = VERDICT_LEVEL_NONE, .has_iova = true } };

	e.v.iova = flat_iova(&d->flat, r->page);
	snprintf(e.v.text, sizeof(e.v.text), "the device wrote to iova 0x%llx, and its leaf is clean", (unsigned long long)e.v.iova);
	stress_domain_claim(d, &e);
}

/* Whether an item through which this page is translated is dirty. w is the walk to its first. */
static bool rest_is_dirty(const struct stress_domain *d, uint64_t iova, const struct walk *w)
{
	const struct walk_step *first = &w->steps[w->nr - 1];
	unsigned item_lg2 = d->oracle.hw.item_lg2[first->level], i;
	bool dirty = first->entry.dirty;

	for (i = 1; item_lg2 < d->flat.page_lg2 && i < 1u << (d->flat.page_lg2 - item_lg2) && !dirty; i++) {
		unsigned level;
		uint64_t root = stress_domain_root(d, &level);
		struct walk other;

		walk(&d->oracle.hw, &d->x.mem.view, root, level, iova + ((uint64_t)i << item_lg2), &other);
		dirty = other.end == WALK_LEAF && other.steps[other.nr - 1].entry.dirty;
	}
	return dirty;
}

/* The page belongs to a leaf that begins here, or to the one that is being passed through. Items of a leaf are dirty together. */
static void rest_dirty(struct stress_domain *d, struct rest *r, uint32_t i, const struct walk *w)
{
	const struct hw_entry *e = &w->steps[w->nr - 1].entry;

	if (i >= r->end) {
		*r = (struct rest){ .start = i, .end = i + 1 };
		if (w->end == WALK_LEAF && e->size_lg2 > d->flat.page_lg2)
			r->end = i + (1u << (e->size_lg2 - d->flat.page_lg2));
	}
	if (w->end == WALK_LEAF)
		r->dirty = r->dirty || rest_is_dirty(d, flat_iova(&d->flat, i), w);
	if (flat_was_written(&d->flat, i)) {
		r->written = true;
		r->page = i;
	}
	if (i + 1 == r->end && r->written && !r->dirty)
		rest_lost_dirty(d, r);
}

uint64_t stress_rest(struct stress_domain *d)
{
	struct rest r = { 0 };
	uint64_t root;
	unsigned level, which;
	uint32_t i;

	root = stress_domain_root(d, &level);
	for (i = 0; i < d->flat.nr && !stress_domain_taken(d); i++) {
		uint64_t iova = flat_iova(&d->flat, i), content = flat_content(&d->flat, i);
		struct walk w;

		walk(&d->oracle.hw, &d->x.mem.view, root, level, iova, &w);
		if (!stress_agrees(&d->flat, iova, &w, &content, 1, &which)) {
			struct stress_evidence e = { 0 };

			stress_accuse(d, iova, &w, &content, 1, false, &e);
			stress_domain_claim(d, &e);
		} else if (d->oracle.hw.has_dirty && w.nr) {
			rest_dirty(d, &r, i, &w);
		}
	}
	return i;
}
