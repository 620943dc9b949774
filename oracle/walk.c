/* SPDX-License-Identifier: GPL-2.0-or-later */
/* walk.c - one translation through the raw table bytes. */
#include "walk.h"

#include "layout.h"

const char *walk_table_wrong(const struct hw *hw, const struct mem_view *view, unsigned level, uint64_t pa)
{
	uint32_t bytes = (1u << hw->index_lg2[level]) << hw->item_bytes_lg2;
	const struct mem_frame *f;

	if (!mem_view_has(view, pa, bytes))
		return "points outside table memory";
	if (pa & layout_mask(hw->table_align_lg2[level]))
		return "points to a misaligned table";
	f = mem_view_frame(view, pa);
	if (f->state == MEM_FRAME_FREED)
		return "points to a freed table";
	if (f->state != MEM_FRAME_LIVE || (pa & layout_mask(MEM_FRAME_LG2)))
		return "points to memory that is no table";
	return f->bytes < bytes ? "points to a table that is too small" : NULL;
}

/* From the table at this level on, after the w->nr steps that there are. */
static void walk_on(const struct hw *hw, const struct mem_view *view, uint64_t table, unsigned level, uint64_t iova, struct walk *w)
{
	uint8_t allowed = PROT_ACCESS, priv = 0;
	unsigned i;

	for (i = 0; i < w->nr; i++) {
		allowed &= w->steps[i].entry.prot;
		priv |= w->steps[i].entry.prot & PROT_PRIV;
	}
	w->end = WALK_FAULT;
	for (;;) {
		struct walk_step *s = &w->steps[w->nr];

		w->why = walk_table_wrong(hw, view, level, table);
		if (w->why) {
			w->end = WALK_WILD;
			return;
		}
		s->level = (uint8_t)level;
		s->gen = mem_view_frame(view, table)->gen;
		s->pa = table + (hw_index(hw, level, iova) << hw->item_bytes_lg2);
		s->raw = mem_view_load(view, s->pa, hw->item_bytes_lg2);
		s->entry = hw->format->decode(hw, level, s->raw);
		w->nr++;
		if (s->entry.kind != HW_TABLE)
			break;
		/* Where levels are skipped, their part of the iova must be zero. */
		if (iova & layout_mask(hw->item_lg2[level]) & ~layout_mask(hw->item_lg2[s->entry.level] + hw->index_lg2[s->entry.level]))
			return;
		allowed &= s->entry.prot;
		priv |= s->entry.prot & PROT_PRIV;
		table = s->entry.pa;
		level = s->entry.level;
	}
	if (w->steps[w->nr - 1].entry.kind == HW_LEAF) {
		const struct hw_entry *e = &w->steps[w->nr - 1].entry;

		w->end = WALK_LEAF;
		w->prot = (e->prot & (allowed | (uint8_t)~PROT_ACCESS)) | priv;
		w->oa = e->pa | (iova & layout_mask(e->span_lg2));
	} else if (w->steps[w->nr - 1].entry.kind == HW_BAD) {
		w->end = WALK_BAD;
		w->why = w->steps[w->nr - 1].entry.why;
	}
}

void walk(const struct hw *hw, const struct mem_view *view, uint64_t root, unsigned level, uint64_t iova, struct walk *w)
{
	w->nr = 0;
	w->end = WALK_FAULT;
	w->why = NULL;
	/* A root that has not grown to its full height spans less than the format's iovas. */
	if (!hw_iova_valid(hw, iova) || (level < hw->top_level_max && iova > layout_mask(hw->item_lg2[level] + hw->index_lg2[level])))
		return;
	walk_on(hw, view, root, level, iova, w);
}

void walk_resume(const struct hw *hw, const struct mem_view *view, uint64_t iova, struct walk *w, unsigned keep)
{
	const struct hw_entry *pointer = &w->steps[keep - 1].entry;

	w->nr = keep;
	walk_on(hw, view, pointer->pa, pointer->level, iova, w);
}

bool walk_is_stale(const struct hw *hw, const struct mem_view *view, uint64_t iova, const struct walk *w)
{
	unsigned i;

	for (i = 0; i < w->nr; i++) {
		const struct walk_step *s = &w->steps[i];
		const struct mem_frame *f = mem_view_frame(view, s->pa - (hw_index(hw, s->level, iova) << hw->item_bytes_lg2));

		if (f->state != MEM_FRAME_LIVE || f->gen != s->gen)
			return true;
	}
	return false;
}
