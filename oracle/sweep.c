/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sweep.c - walks the raw tables over a range and compares every item with the interval map (G1, G3, G6).
 *
 * Every item is compared by decoding it. Where neighbours must be leaves of one run, their raw items follow each other by a known step
 * (hw.h, oa_step_lg2); an item that equals its predecessor plus the step needs no decoding. sweep_leaf is the obvious version, and what
 * decides whenever the short cut does not hold.
 */
#include "sweep.h"

#include <stdio.h>

#include "walk.h"

/*
 * struct sweep - one walk over [iova, last].
 *
 * @p, @pos:  the first piece that ends at or after the current address; NULL when there is none
 * @removed:  see sweep.h
 * @leaf_dirty: whether an item of the current leaf was dirty so far
 */
struct sweep {
	struct check *c;
	uint64_t iova, last;
	const struct imap_piece *p;
	struct imap_pos pos;
	const struct call_range *removed;
	bool leaf_dirty;
};

static void sweep_to(struct sweep *s, uint64_t iova)
{
	while (s->p && s->p->last < iova)
		s->p = imap_next(&s->pos);
}

/* [iova, last] is a hole in the tables. */
static void sweep_hole(struct sweep *s, unsigned level, uint64_t iova, uint64_t last)
{
	uint64_t at;

	sweep_to(s, iova);
	if (!s->p || s->p->iova > last || !check_is_on(s->c, CHECK_TRANSLATION))
		return;
	at = s->p->iova > iova ? s->p->iova : iova;
	check_report(s->c, VERDICT_WRONG_OA, 1, level, KIND_LEAF, KIND_HOLE, &at, "iova 0x%llx: expected oa 0x%llx, the walk faults",
		     (unsigned long long)at, (unsigned long long)(s->p->oa + (at - s->p->iova)));
}

static void sweep_prot(struct sweep *s, unsigned level, uint64_t iova, unsigned seen, enum verdict_kind kind)
{
	unsigned differ = seen ^ s->p->prot;
	enum verdict_class class = differ & PROT_ACCESS ? VERDICT_WRONG_PERMISSION : VERDICT_WRONG_ATTRIBUTE;
	char want[32], got[32];

	if (!differ)
		return;
	check_report(s->c, class, 1, level, kind, kind, &iova, "iova 0x%llx: expected %s, the walk gives %s", (unsigned long long)iova,
		     hw_prot_words(s->p->prot, want, sizeof(want)), hw_prot_words(seen, got, sizeof(got)));
}

/* The last item of a leaf has been seen: its dirty state is the OR over all of them. */
static void sweep_dirty(struct sweep *s, unsigned level, const struct layout_leaf *leaf, enum verdict_kind kind)
{
	struct check *c = s->c;
	bool want;

	if (!c->hw.has_dirty || !check_is_on(c, CHECK_DIRTY))
		return;
	check_count(c, CHECK_DIRTY, 1);
	want = imap_overlaps(&c->dirty, leaf->iova, leaf->last);
	if (want != s->leaf_dirty)
		check_report(c, want ? VERDICT_LOST_DIRTY : VERDICT_PHANTOM_DIRTY, 6, level, kind, kind, &leaf->iova,
			     "leaf [0x%llx, 0x%llx] should be %s and is %s", (unsigned long long)leaf->iova, (unsigned long long)leaf->last,
			     want ? "dirty" : "clean", s->leaf_dirty ? "dirty" : "clean");
}

/* A leaf that reaches beyond its piece must translate the rest as the pieces there say; then only its size is wrong. */
static void sweep_beyond(struct sweep *s, unsigned level, uint64_t iova, const struct hw_entry *e, enum verdict_kind kind)
{
	uint64_t first = iova & ~layout_mask(e->size_lg2), last = iova | layout_mask(e->size_lg2), at = first;
	const struct imap_piece *p;

	if (first >= s->p->iova && last <= s->p->last)
		return;
	for (;; at = p->last + 1) {
		p = imap_find(&s->c->im, at, NULL);
		if (!p || p->oa - p->iova != s->p->oa - s->p->iova || p->prot != s->p->prot)
			check_report(s->c, VERDICT_WRONG_OA, 1, level, kind, kind, &at,
				     "iova 0x%llx: a leaf of 2^%u bytes at 0x%llx translates what it must not", (unsigned long long)at,
				     e->size_lg2, (unsigned long long)first);
		if (p->last >= last)
			return;
	}
}

/* One item that is a leaf, at iova; e->prot already restricted by the tables above it. Returns the leaf that belongs there. */
static struct layout_leaf sweep_leaf(struct sweep *s, unsigned level, uint64_t iova, const struct hw_entry *e, unsigned prot)
{
	struct check *c = s->c;
	enum verdict_kind kind = e->size_lg2 > c->hw.item_lg2[level] ? KIND_GROUP : KIND_LEAF;
	uint64_t oa = e->pa | (iova & layout_mask(e->span_lg2)), want_oa;
	struct layout_leaf leaf;

	sweep_to(s, iova);
	if (!s->p || s->p->iova > iova)
		check_report(c, VERDICT_WRONG_OA, 1, level, KIND_HOLE, kind, &iova,
			     "iova 0x%llx: expected a fault, the walk gives oa 0x%llx", (unsigned long long)iova, (unsigned long long)oa);
	want_oa = s->p->oa + (iova - s->p->iova);
	leaf = layout_leaf(c->hw.cfg.pgsizes, s->p, iova);
	c->leaves += iova == leaf.iova;
	if (check_is_on(c, CHECK_TRANSLATION)) {
		check_count(c, CHECK_TRANSLATION, 1);
		if (oa != want_oa)
			check_report(c, VERDICT_WRONG_OA, 1, level, kind, kind, &iova,
				     "iova 0x%llx: expected oa 0x%llx, the walk gives 0x%llx", (unsigned long long)iova,
				     (unsigned long long)want_oa, (unsigned long long)oa);
		sweep_prot(s, level, iova, prot, kind);
		sweep_beyond(s, level, iova, e, kind);
	}
	if (check_is_on(c, CHECK_LAYOUT)) {
		check_count(c, CHECK_LAYOUT, 1);
		if (e->size_lg2 != leaf.size_lg2)
			check_report(c, VERDICT_NOT_OPTIMAL, 3, level, kind, kind, &iova,
				     "iova 0x%llx: expected a leaf of 2^%u bytes, found one of 2^%u", (unsigned long long)iova,
				     leaf.size_lg2, e->size_lg2);
	}
	s->leaf_dirty = iova == leaf.iova ? e->dirty : s->leaf_dirty || e->dirty;
	if ((iova | layout_mask(c->hw.item_lg2[level])) >= leaf.last)
		sweep_dirty(s, level, &leaf, kind);
	return leaf;
}

/*
 * How many items from pa on, at most nr, hold raw, raw + step, raw + 2 step ... Eight at a time: a domain between operations has no other
 * writer.
 */
static uint64_t sweep_equal(const struct check *c, uint64_t pa, uint64_t nr, uint64_t raw, uint64_t step)
{
	const uint8_t *at = c->view->bytes + (pa - c->view->pa);
	const uint64_t *items = (const uint64_t *)(const void *)at;
	uint64_t i = 0;

	for (; c->hw.item_bytes_lg2 == 3 && i + 8 <= nr; i += 8) {
		uint64_t differ = 0;
		unsigned k;

		for (k = 0; k < 8; k++)
			differ |= items[i + k] ^ (raw + k * step);
		if (differ)
			break;
		raw += 8 * step;
	}
	for (; i < nr && mem_view_load(c->view, pa + (i << c->hw.item_bytes_lg2), c->hw.item_bytes_lg2) == raw; i++)
		raw += step;
	return i;
}

/*
 * The item at pa was a right and clean leaf. How many items after it, at most room, must be what it is but for the oa, and are: the rest of
 * its group, or leaves of one item that follow in the same piece. They need no decoding.
 */
static uint64_t sweep_run(struct sweep *s, unsigned level, uint64_t iova, uint64_t pa, uint64_t raw, const struct hw_entry *e,
			  const struct layout_leaf *leaf, uint64_t room)
{
	struct check *c = s->c;
	const struct hw *hw = &c->hw;
	uint64_t nr, oa_room, step = UINT64_C(1) << hw->oa_step_lg2[level];
	unsigned item_lg2 = hw->item_lg2[level];

	if (leaf->size_lg2 > item_lg2) {
		nr = (leaf->last - iova) >> item_lg2;
		/* Where every item holds the entry's oa they are all the same. */
		if (e->span_lg2 == e->size_lg2)
			step = 0;
	} else {
		nr = layout_run(hw->cfg.pgsizes, s->p, leaf) - 1;
	}
	nr = nr < room ? nr : room;
	if (hw->oa_carry_lg2 < 64) {
		oa_room = (layout_mask(hw->oa_carry_lg2) - (e->pa & layout_mask(hw->oa_carry_lg2))) >> item_lg2;
		nr = nr < oa_room ? nr : oa_room;
	}
	if (!nr ||
	    (hw->has_dirty && (e->dirty || s->leaf_dirty || imap_overlaps(&c->dirty, leaf->iova, iova + ((nr + 1) << item_lg2) - 1))))
		return 0;
	nr = sweep_equal(c, pa + (UINT64_C(1) << hw->item_bytes_lg2), nr, raw + step, step);
	c->leaves += leaf->size_lg2 > item_lg2 ? 0 : nr;
	check_count(c, CHECK_TRANSLATION, nr);
	check_count(c, CHECK_LAYOUT, nr);
	if (hw->has_dirty)
		check_count(c, CHECK_DIRTY, nr);
	return nr;
}

static void sweep_table(struct sweep *s, unsigned level, uint64_t table, uint64_t base, bool root, uint64_t first_idx, uint64_t last_idx,
			uint8_t allowed);

/* Whether the table was the root until another writer made the top grow: an unmap that had begun before that leaves it, as roots stay. */
static bool sweep_was_root(const struct check *c, unsigned level, uint64_t iova)
{
	return c->root_level > c->grown_from && level == c->grown_from && !iova;
}

/* An item over [iova, last] that points to a table. */
static void sweep_child(struct sweep *s, unsigned level, uint64_t iova, const struct hw_entry *e, uint8_t allowed)
{
	struct check *c = s->c;
	const char *wrong = walk_table_wrong(&c->hw, c->view, e->level, e->pa);
	unsigned span_lg2 = c->hw.item_lg2[e->level] + c->hw.index_lg2[e->level], item_lg2 = c->hw.item_lg2[level];
	uint64_t last = iova + layout_mask(item_lg2), child_last = iova + layout_mask(span_lg2), from, to;

	if (wrong)
		check_report(c, VERDICT_WALKS_DATA, 1, level, KIND_TABLE, KIND_BAD, &iova, "iova 0x%llx: table pointer to 0x%llx %s",
			     (unsigned long long)iova, (unsigned long long)e->pa, wrong);
	if (s->removed && check_frees_table(c, s->removed, iova, last) && !sweep_was_root(c, e->level, iova) &&
	    check_is_on(c, CHECK_ACCOUNTING))
		check_report(c, VERDICT_LEAK, 8, level, KIND_HOLE, KIND_TABLE, &iova,
			     "unmap removed all of [0x%llx, 0x%llx] and left the empty table at 0x%llx", (unsigned long long)iova,
			     (unsigned long long)last, (unsigned long long)e->pa);
	from = s->iova > iova ? s->iova : iova;
	to = s->last < last ? s->last : last;
	/* A pointer that skips levels translates only where the skipped bits of the iova are zero. */
	if (to > child_last) {
		sweep_hole(s, level, from > child_last ? from : child_last + 1, to);
		to = child_last;
	}
	if (from <= to)
		sweep_table(s, e->level, e->pa, iova, false, hw_index(&c->hw, e->level, from), hw_index(&c->hw, e->level, to),
			    (allowed & (e->prot | (uint8_t)~PROT_ACCESS)) | (e->prot & PROT_PRIV));
}

/*
 * Items first_idx to last_idx of a table whose first item translates base. allowed: PROT_ACCESS bits that the tables above leave
 * standing, and PROT_PRIV if they make everything privileged.
 */
static void sweep_table(struct sweep *s, unsigned level, uint64_t table, uint64_t base, bool root, uint64_t first_idx, uint64_t last_idx,
			uint8_t allowed)
{
	struct check *c = s->c;
	const struct hw *hw = &c->hw;
	uint64_t idx;

	for (idx = first_idx; idx <= last_idx; idx++) {
		uint64_t iova = check_item_iova(hw, base, level, root, idx), pa = table + (idx << hw->item_bytes_lg2);
		uint64_t raw = mem_view_load(c->view, pa, hw->item_bytes_lg2);
		struct hw_entry e = hw->format->decode(hw, level, raw);
		struct layout_leaf leaf;
		uint64_t zeroes;
		unsigned prot;

		switch (e.kind) {
		case HW_EMPTY:
			/* Zeroes are empty in every format (check_init makes sure). */
			zeroes = raw ? 0 : sweep_equal(c, pa, last_idx - idx + 1, 0, 0) - 1;
			idx += zeroes;
			sweep_hole(s, level, iova, check_item_iova(hw, base, level, root, idx) + layout_mask(hw->item_lg2[level]));
			break;
		case HW_TABLE:
			sweep_child(s, level, iova, &e, allowed);
			break;
		case HW_LEAF:
			prot = (e.prot & (allowed | (uint8_t)~PROT_ACCESS)) | (allowed & PROT_PRIV);
			leaf = sweep_leaf(s, level, iova, &e, prot);
			idx += sweep_run(s, level, iova, pa, raw, &e, &leaf, last_idx - idx);
			break;
		case HW_BAD:
			check_report(c, VERDICT_RESERVED_BITS, 1, level, KIND_NONE, KIND_BAD, &iova,
				     "iova 0x%llx: item 0x%llx at level %u: %s", (unsigned long long)iova, (unsigned long long)raw, level,
				     e.why);
		}
	}
}

/* Extend [iova, last] to whole leaves at both ends. */
static void sweep_widen(struct sweep *s)
{
	const struct imap_piece *p = imap_find(&s->c->im, s->iova, NULL);
	struct layout_leaf leaf;

	if (p)
		s->iova = layout_leaf(s->c->hw.cfg.pgsizes, p, s->iova).iova;
	p = imap_find(&s->c->im, s->last, NULL);
	if (p) {
		leaf = layout_leaf(s->c->hw.cfg.pgsizes, p, s->last);
		s->last = leaf.last;
	}
}

void sweep(struct check *c, const struct call_range *removed, uint64_t iova, uint64_t last)
{
	struct sweep s = { .c = c, .iova = iova, .last = last, .removed = removed };
	const struct hw *hw = &c->hw;
	uint64_t top_last = layout_mask(hw->item_lg2[c->root_level] + hw->index_lg2[c->root_level]);

	sweep_widen(&s);
	s.p = imap_from(&c->im, s.iova, &s.pos);
	/* A root that has not grown spans less than the format's iovas: above it, nothing can be mapped. */
	if (c->root_level < hw->top_level_max && s.last > top_last) {
		if (s.iova > top_last) {
			sweep_hole(&s, c->root_level, s.iova, s.last);
			return;
		}
		s.last = top_last;
	}
	sweep_table(&s, c->root_level, c->root, 0, true, hw_index(hw, c->root_level, s.iova), hw_index(hw, c->root_level, s.last),
		    PROT_ACCESS);
}
