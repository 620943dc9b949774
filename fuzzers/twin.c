/* SPDX-License-Identifier: GPL-2.0-or-later */
/* twin.c - the tables of two engines, item by item. */
#include "twin.h"

#include <stdio.h>
#include <string.h>

#include "../oracle/layout.h"

/*
 * struct twin - one comparison, of [iova, last].
 *
 * @a, @b: the tables of the chosen engine, and of the native one
 * @leaf_free: the bits in which two leaves may differ that come to the same
 * @alike: the last two leaves that differed and came to the same: others of that level and permissions that differ likewise do, too
 * @free:  by level: the bits in which two pointers to the same table may differ
 */
struct twin {
	struct exec *x;
	const struct hw *hw;
	const struct check *a, *b;
	uint64_t iova, last, leaf_free;
	struct twin_alike {
		unsigned level, prot;
		uint64_t bits;
	} alike;
	uint64_t free[CONFIG_LEVELS_MAX];
};

static bool twin_same_meaning(const struct hw_entry *a, const struct hw_entry *b, bool same_table)
{
	return a->kind == b->kind && a->level == b->level && a->size_lg2 == b->size_lg2 && a->span_lg2 == b->span_lg2 && a->prot == b->prot &&
	       a->accessed == b->accessed && a->dirty == b->dirty && (a->pa == b->pa || !same_table);
}

/* The bits of raw of which the hardware takes no notice, and, for a pointer, those that say where the table lies. */
static uint64_t twin_free_bits(const struct hw *hw, unsigned level, uint64_t raw)
{
	struct hw_entry entry = hw->format->decode(hw, level, raw);
	unsigned bit, nr = 8u << hw->item_bytes_lg2;
	uint64_t bits = 0;

	for (bit = 0; bit < nr; bit++) {
		struct hw_entry other = hw->format->decode(hw, level, raw ^ UINT64_C(1) << bit);

		if (twin_same_meaning(&entry, &other, entry.kind != HW_TABLE))
			bits |= UINT64_C(1) << bit;
	}
	return bits;
}

static enum verdict_kind twin_kind(const struct hw *hw, unsigned level, const struct hw_entry *e)
{
	switch (e->kind) {
	case HW_EMPTY:
		return KIND_HOLE;
	case HW_TABLE:
		return KIND_TABLE;
	case HW_LEAF:
		return e->size_lg2 > hw->item_lg2[level] ? KIND_GROUP : KIND_LEAF;
	default:
		return KIND_BAD;
	}
}

/* Whether nothing is mapped through the table at pa. */
static bool twin_is_empty(const struct hw *hw, const struct mem_view *view, unsigned level, uint64_t pa)
{
	uint64_t i;

	for (i = 0; i < UINT64_C(1) << hw->index_lg2[level]; i++) {
		uint64_t raw = mem_view_load(view, pa + (i << hw->item_bytes_lg2), hw->item_bytes_lg2);
		struct hw_entry entry = hw->format->decode(hw, level, raw);

		if (entry.kind != HW_EMPTY && (entry.kind != HW_TABLE || !twin_is_empty(hw, view, entry.level, entry.pa)))
			return false;
	}
	return true;
}

static void twin_report(struct twin *t, unsigned level, uint64_t iova, uint64_t a, uint64_t b)
{
	struct hw_entry ea = t->hw->format->decode(t->hw, level, a), eb = t->hw->format->decode(t->hw, level, b);
	struct verdict v = {
		.class = VERDICT_ENGINES_DIFFER,
		.guarantee = twin_same_meaning(&ea, &eb, false) ? 1 : 3,
		.level = (uint8_t)level,
		.want = twin_kind(t->hw, level, &eb),
		.seen = twin_kind(t->hw, level, &ea),
		.has_iova = true,
		.iova = iova,
	};
	char fields_a[200] = "", fields_b[200] = "";

	t->hw->format->fields(t->hw, level, a, fields_a, sizeof(fields_a));
	t->hw->format->fields(t->hw, level, b, fields_b, sizeof(fields_b));
	snprintf(v.text, sizeof(v.text), "iova 0x%llx, level %u: %s has 0x%llx (%s), %s has 0x%llx (%s)", (unsigned long long)iova, level,
		 t->x->ops->engine, (unsigned long long)a, fields_a, t->x->twin->ops->engine, (unsigned long long)b, fields_b);
	t->x->finding(t->x->finding_arg, &v, t->x->op);
}

/* Two items of which neither is a table. */
static void twin_leaves(struct twin *t, unsigned level, uint64_t iova, uint64_t a, uint64_t b, const struct hw_entry *ea, const struct hw_entry *eb)
{
	bool same = ea->kind == HW_LEAF && twin_same_meaning(ea, eb, true);
	struct twin_alike alike = { level, ea->prot, a ^ b };

	if (same && t->alike.bits == alike.bits && t->alike.level == level && t->alike.prot == alike.prot)
		return;
	/* What leaf_free may leave is told apart by its own mask. */
	same = ea->kind == HW_LEAF && ea->prot == eb->prot;
	if ((a ^ b) & ~twin_free_bits(t->hw, level, a) & ~(same ? t->leaf_free : 0))
		twin_report(t, level, iova, a, b);
	t->alike = alike;
}

static void twin_table(struct twin *t, unsigned level, uint64_t pa_a, uint64_t pa_b, uint64_t base);

/* One item of each, at the same place, which translates iova onwards. */
static void twin_item(struct twin *t, unsigned level, uint64_t a, uint64_t b, uint64_t iova)
{
	struct hw_entry ea = t->hw->format->decode(t->hw, level, a), eb = t->b->hw.format->decode(&t->b->hw, level, b);

	t->x->twin_items++;
	if (ea.kind == HW_TABLE && eb.kind == HW_TABLE && ea.level == eb.level) {
		if (!t->free[level])
			t->free[level] = twin_free_bits(t->hw, level, a);
		if ((a ^ b) & ~t->free[level])
			twin_report(t, level, iova, a, b);
		twin_table(t, ea.level, ea.pa, eb.pa, iova);
	} else if (ea.kind == HW_TABLE && eb.kind == HW_EMPTY) {
		if (!twin_is_empty(t->hw, t->a->view, ea.level, ea.pa))
			twin_report(t, level, iova, a, b);
	} else if (ea.kind == HW_EMPTY && eb.kind == HW_TABLE) {
		if (!twin_is_empty(t->hw, t->b->view, eb.level, eb.pa))
			twin_report(t, level, iova, a, b);
	} else {
		twin_leaves(t, level, iova, a, b, &ea, &eb);
	}
}

/* The items of two tables of the same level that translate part of the range; base: the first iova of the tables. */
static void twin_table(struct twin *t, unsigned level, uint64_t pa_a, uint64_t pa_b, uint64_t base)
{
	uint64_t span = layout_mask(t->hw->item_lg2[level]), iova = t->iova > base ? t->iova & ~span : base;
	uint64_t table_last = base + layout_mask(t->hw->item_lg2[level] + t->hw->index_lg2[level]), last = t->last < table_last ? t->last : table_last;

	for (;; iova += span + 1) {
		uint64_t at = hw_index(t->hw, level, iova) << t->hw->item_bytes_lg2;
		uint64_t a = mem_view_load(t->a->view, pa_a + at, t->hw->item_bytes_lg2);
		uint64_t b = mem_view_load(t->b->view, pa_b + at, t->hw->item_bytes_lg2);

		/* The same leaf, or nothing in either: the usual case. */
		if (a == b && !t->leaf_free && t->hw->format->decode(t->hw, level, a).kind != HW_TABLE)
			t->x->twin_items++;
		else
			twin_item(t, level, a, b, iova);
		if (last - iova <= span)
			break;
	}
}

/* [iova, last], both of the same part of the iovas. */
static void twin_range(struct exec *x, uint64_t iova, uint64_t last)
{
	struct twin t = { .x = x, .hw = &x->check.hw, .a = &x->check, .b = &x->twin->check, .iova = iova, .last = last };
	unsigned level = t.a->root_level, width = t.hw->item_lg2[level] + t.hw->index_lg2[level];

	/* Each by its own register; and where one has leaves that are dirty from the start, each by its own oracle. */
	t.leaf_free = t.hw->arm_mair != t.b->hw.arm_mair ? t.hw->mair_mask : 0;
	if (t.a->traits.set & TRAIT_BORN_DIRTY)
		t.leaf_free |= t.hw->ad_mask;

	if (level != t.b->root_level) {
		struct verdict v = { .class = VERDICT_ENGINES_DIFFER, .guarantee = 3, .level = (uint8_t)level, .want = KIND_TABLE, .seen = KIND_TABLE };

		snprintf(v.text, sizeof(v.text), "the root of %s is at level %u, that of %s at level %u", x->ops->engine, level,
			 x->twin->ops->engine, t.b->root_level);
		x->finding(x->finding_arg, &v, x->op);
	}
	if (level < t.hw->top_level_max && iova > layout_mask(width))
		return;
	if (level < t.hw->top_level_max && last > layout_mask(width))
		t.last = layout_mask(width);
	twin_table(&t, level, t.a->root, t.b->root, iova & ~layout_mask(width));
}

/* What of [iova, last] can be translated at all. */
static void twin_parts(struct exec *x, uint64_t iova, uint64_t last)
{
	const struct hw *hw = &x->check.hw;

	if (hw->has_low && iova <= hw->iova_low_last)
		twin_range(x, iova, last < hw->iova_low_last ? last : hw->iova_low_last);
	if (hw->has_high && last >= hw->iova_high_first)
		twin_range(x, iova > hw->iova_high_first ? iova : hw->iova_high_first, last);
}

void twin_compare(struct exec *x, const struct op *op)
{
	const struct call_range *hull = &x->check.want.hull;

	if (op->kind == OP_READ || op->kind == OP_WRITE)
		twin_parts(x, op->iova, op->iova);
	else if (op->kind != OP_TRANSLATE && op->kind != OP_SYNC && hull->last >= hull->iova)
		twin_parts(x, hull->iova, hull->last);
}

void twin_compare_all(struct exec *x)
{
	twin_parts(x, 0, UINT64_MAX);
}

/* Whether the range ends inside a leaf. */
static bool twin_ends_inside(const struct exec *x, uint64_t last)
{
	const struct imap_piece *p = imap_find(&x->check.im, last, NULL);

	return p && layout_leaf(x->check.hw.cfg.pgsizes, p, last).last != last;
}

bool twin_op(const struct exec *x, const struct op *op, struct op *twin)
{
	const struct hw *hw = &x->check.hw;

	*twin = *op;
	if (op->kind == OP_CUT)
		return !(x->check.traits.set & TRAIT_NO_CUT);
	if (op->kind == OP_UNMAP)
		return !(x->check.traits.set & TRAIT_WHOLE_LEAVES) || !twin_ends_inside(x, op->last);
	if (op->kind != OP_MAP)
		return true;
	if (x->check.traits.set & TRAIT_SHORT_MAP && imap_overlaps(&x->check.im, op->iova, op->last))
		return false;
	twin->prot = (uint8_t)traits_prot(&x->check.traits, op->prot);
	return !(x->check.traits.set & TRAIT_PROT) || !(twin->prot & PROT_ACCESS) || (twin->prot & ~PROT_ALL) ||
	       hw->format->expressible(hw, twin->prot);
}
