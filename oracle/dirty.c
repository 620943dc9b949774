/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dirty.c - what the device reads and writes, and what of it must be reported.
 *
 * A write belongs to the leaf that the device's walk used. So one that comes through the old entry of a cut, by whichever of its items, makes all
 * of that entry dirty and with it every leaf that the cut makes of it; one that comes through a new leaf makes that leaf dirty and no other.
 */
#include "dirty.h"

#include "walk.h"

/* Add [iova, last] to a set of ranges. */
static void dirty_add(struct imap *set, uint64_t iova, uint64_t last, unsigned level)
{
	imap_remove(set, iova, last);
	imap_insert(set, &(struct imap_piece){ .iova = iova, .last = last, .prot = (uint8_t)level });
}

/*
 * The item that the device uses of the entry that the walk ended with. Where it may be any, it is another one than the address would have, unless
 * that is none of the entry's just now: an engine that looks at one item alone must not get away with it.
 */
static void dirty_item(const struct check *c, const struct walk_step *s, uint64_t *pa, uint64_t *raw)
{
	unsigned items_lg2 = s->entry.size_lg2 - c->hw.item_lg2[s->level];
	uint64_t mask = layout_mask(items_lg2), idx = s->pa >> c->hw.item_bytes_lg2 & mask, other, at;
	struct hw_entry e;

	*pa = s->pa;
	*raw = s->raw;
	if (!items_lg2 || !c->hw.any_item)
		return;
	at = s->pa + ((((idx * 5 + 1) & mask) - idx) << c->hw.item_bytes_lg2);
	other = mem_view_load(c->view, at, c->hw.item_bytes_lg2);
	e = c->hw.format->decode(&c->hw, s->level, other);
	if (e.kind != HW_LEAF || e.size_lg2 != s->entry.size_lg2 || e.prot != s->entry.prot)
		return;
	*pa = at;
	*raw = other;
}

void dirty_access(struct check *c, uint64_t iova, bool write, struct device_access *access)
{
	const struct walk_step *s;
	uint64_t first, last, raw;
	struct walk w;

	*access = (struct device_access){ 0 };
	if (c->view->root == MEM_NONE)
		return;
	walk(&c->hw, c->view, c->view->root, c->view->root_level, iova, &w);
	access->ok = w.end == WALK_LEAF && (w.prot & (write ? PROT_W : PROT_R));
	if (!access->ok)
		return;
	s = &w.steps[w.nr - 1];
	dirty_item(c, s, &access->pa, &raw);
	access->old = access->new = raw;
	/* An entry that is held as dirty sets nothing. */
	if (write && c->hw.has_dirty && imap_find(&c->held, iova, NULL))
		return;
	access->new = c->hw.format->touch(&c->hw, s->level, raw, write);
	if (!write || !c->hw.has_dirty)
		return;
	first = iova & ~layout_mask(s->entry.size_lg2);
	last = iova | layout_mask(s->entry.size_lg2);
	dirty_add(&c->written, first, last, s->level);
	dirty_add(&c->held, first, last, s->level);
}

void dirty_begin(struct check *c)
{
	if (c->written.nr)
		imap_remove(&c->written, 0, UINT64_MAX);
}

void dirty_written(struct check *c)
{
	const struct imap_piece *p;
	struct imap_pos pos;

	if (!c->written.nr)
		return;
	for (p = imap_from(&c->written, 0, &pos); p; p = imap_next(&pos))
		dirty_add(&c->dirty, p->iova, p->last, p->prot);
}

void dirty_invalidated(struct check *c, const struct iotlb_cmd *cmd)
{
	const struct imap_piece *p = c->held.nr ? imap_from(&c->held, cmd->iova, NULL) : NULL;

	while (p && p->iova <= cmd->last) {
		struct imap_piece entry = *p;

		if (iotlb_removes_leaf(cmd, entry.iova, entry.last, entry.prot))
			imap_remove(&c->held, entry.iova, entry.last);
		p = entry.last < cmd->last ? imap_from(&c->held, entry.last + 1, NULL) : NULL;
	}
}

/* --- the report --- */

static unsigned dirty_level(const struct check *c, const struct layout_leaf *leaf)
{
	return check_level_of(&c->hw, leaf->size_lg2);
}

/* Whether any item of the leaf is dirty in memory. */
static bool dirty_at_rest(const struct check *c, const struct layout_leaf *leaf)
{
	uint64_t item = layout_mask(c->hw.item_lg2[dirty_level(c, leaf)]), iova = leaf->iova;
	struct walk w;

	for (;; iova = (iova | item) + 1) {
		walk(&c->hw, c->view, c->view->root, c->view->root_level, iova, &w);
		if (w.end == WALK_LEAF && w.steps[w.nr - 1].entry.dirty)
			return true;
		if ((iova | item) >= leaf->last)
			return false;
	}
}

/* The first leaf at or after *iova that is in set and starts by last. */
static bool dirty_next(const struct check *c, const struct imap *set, uint64_t *iova, uint64_t last, struct layout_leaf *leaf)
{
	const struct imap_piece *d = imap_from(set, *iova, NULL), *p;

	if (!d)
		return false;
	if (d->iova > *iova)
		*iova = d->iova;
	p = *iova <= last ? imap_find(&c->im, *iova, NULL) : NULL;
	if (!p)
		return false;
	*leaf = layout_leaf(c->hw.cfg.pgsizes, p, *iova);
	return true;
}

/* Each report is one whole leaf, in ascending order, that was written to. */
static void dirty_no_phantoms(struct check *c, const struct call *call, const struct call_result *res)
{
	size_t i;

	for (i = 0; i < res->dirty_nr; i++) {
		const struct call_range *r = &res->dirty[i];
		const struct imap_piece *p = imap_find(&c->im, r->iova, NULL);
		struct layout_leaf leaf = { 0 };

		if (p)
			leaf = layout_leaf(c->hw.cfg.pgsizes, p, r->iova);
		check_count(c, CHECK_DIRTY, 1);
		if (p && leaf.iova == r->iova && leaf.last == r->last && r->last >= call->iova && r->iova <= call->last &&
		    (!i || r->iova > res->dirty[i - 1].last) &&
		    (imap_overlaps(&c->dirty, r->iova, r->last) || imap_overlaps(&c->written, r->iova, r->last)))
			continue;
		check_report(c, VERDICT_PHANTOM_DIRTY, 6, p ? dirty_level(c, &leaf) : VERDICT_LEVEL_NONE, p ? KIND_LEAF : KIND_HOLE,
			     KIND_LEAF, &r->iova, "[0x%llx, 0x%llx] is reported dirty and is no leaf of the range that was written to",
			     (unsigned long long)r->iova, (unsigned long long)r->last);
	}
}

static bool dirty_was_reported(const struct call_result *res, uint64_t iova)
{
	size_t lo = 0, hi = res->dirty_nr;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (res->dirty[mid].last < iova)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < res->dirty_nr && res->dirty[lo].iova <= iova;
}

/* Each leaf of the range that had been written to before the call is reported. */
static void dirty_none_lost(struct check *c, const struct call *call, const struct call_result *res)
{
	const struct imap_piece *p = imap_find(&c->im, call->iova, NULL);
	uint64_t at = p ? layout_leaf(c->hw.cfg.pgsizes, p, call->iova).iova : call->iova;
	struct layout_leaf leaf;

	for (; dirty_next(c, &c->dirty, &at, call->last, &leaf); at = leaf.last + 1) {
		check_count(c, CHECK_DIRTY, 1);
		if (!dirty_was_reported(res, leaf.iova))
			check_report(c, VERDICT_LOST_DIRTY, 6, dirty_level(c, &leaf), KIND_LEAF, KIND_LEAF, &leaf.iova,
				     "the leaf [0x%llx, 0x%llx] was written to and is not reported", (unsigned long long)leaf.iova,
				     (unsigned long long)leaf.last);
		if (leaf.last >= call->last)
			return;
	}
}

/*
 * A write that came during the call is covered if the call reports its leaf, cleared or not; what stands in memory then decides whether the next
 * one reports it again. Otherwise the leaf is still dirty.
 */
static void dirty_during(struct check *c, const struct call_result *res)
{
	struct layout_leaf leaf;
	uint64_t at;

	for (at = 0; dirty_next(c, &c->written, &at, UINT64_MAX, &leaf); at = leaf.last + 1) {
		bool rest = dirty_at_rest(c, &leaf);

		check_count(c, CHECK_DIRTY, 1);
		if (!rest && !dirty_was_reported(res, leaf.iova))
			check_report(
				c, VERDICT_LOST_DIRTY, 6, dirty_level(c, &leaf), KIND_LEAF, KIND_LEAF, &leaf.iova,
				"the leaf [0x%llx, 0x%llx] was written to during the call, which neither reports it nor leaves it dirty",
				(unsigned long long)leaf.iova, (unsigned long long)leaf.last);
		if (!rest)
			imap_remove(&c->written, leaf.iova, leaf.last);
		if (leaf.last == UINT64_MAX)
			return;
	}
}

void dirty_report(struct check *c, const struct call *call, const struct call_result *res)
{
	size_t i;

	if (check_is_on(c, CHECK_DIRTY)) {
		dirty_no_phantoms(c, call, res);
		dirty_none_lost(c, call, res);
	}
	if (!call->clear)
		return;
	if (check_is_on(c, CHECK_DIRTY))
		dirty_during(c, res);
	for (i = 0; i < res->dirty_nr; i++)
		imap_remove(&c->dirty, res->dirty[i].iova, res->dirty[i].last);
}
