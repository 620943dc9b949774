/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * account.c - follows every table and every invalidation through the log (G8, and of G4 that a gather covers what went).
 *
 * A table is private from its allocation until a pointer to it is stored into a linked table, and unlinked when that pointer is
 * overwritten. Each such step
 * must be one that the operation may take, so that the set of live tables is exactly what the operations so far predict.
 */
#include <errno.h>
#include <stdlib.h>

#include "account.h"
#include "dirty.h"
#include "walk.h"

/* The call whose log is followed, and what it must come to; NULL while the domain is made. */
struct asked {
	const struct call *call;
	const struct call_expect *want;
};

static struct page *account_page(struct check *c, uint64_t pa)
{
	return &c->pages[(pa - c->view->pa) >> MEM_FRAME_LG2];
}

/* Address of the table that pa lies in. */
static uint64_t account_table(const struct check *c, uint64_t pa)
{
	const struct mem_frame *f = mem_view_frame(c->view, pa);
	uint64_t start = pa & ~layout_mask(MEM_FRAME_LG2);

	return f->state == MEM_FRAME_TAIL ? start - ((uint64_t)f->bytes << MEM_FRAME_LG2) : start;
}

static uint64_t account_span_lg2(const struct check *c, unsigned level)
{
	return c->hw.item_lg2[level] + c->hw.index_lg2[level];
}

/* Whether this call freed the table at pa, which may have been linked before. */
static bool account_was_freed(const struct check *c, uint64_t pa)
{
	const struct mem_frame *f;

	if (!mem_view_has(c->view, pa, 1))
		return false;
	f = mem_view_frame(c->view, pa);
	return f->state == MEM_FRAME_FREED && f->stamp == c->view->op;
}

static struct owed *account_new_owed(struct check *c)
{
	if (c->owed_nr == c->owed_room) {
		c->owed_room = c->owed_room ? 2 * c->owed_room : 64;
		c->owed = realloc(c->owed, c->owed_room * sizeof(*c->owed));
		if (!c->owed)
			abort();
	}
	return &c->owed[c->owed_nr++];
}

/* The leaves of this piece that overlap [iova, last] are going, whole. */
static void account_owe_leaves(struct check *c, const struct imap_piece *piece, uint64_t iova, uint64_t last)
{
	struct owed *o = c->owed_nr ? &c->owed[c->owed_nr - 1] : NULL;

	if (iova < piece->iova)
		iova = piece->iova;
	if (last > piece->last)
		last = piece->last;
	iova = layout_leaf(c->hw.cfg.pgsizes, piece, iova).iova;
	last = layout_leaf(c->hw.cfg.pgsizes, piece, last).last;
	/* Item by item and run by run it is often the same leaf, or the one after it. */
	if (o && !o->table && o->cmds_nr == c->cmds_nr && o->from == c->owed_from && o->piece.iova == piece->iova && o->piece.last == piece->last && iova >= o->iova &&
	    iova <= o->last + 1) {
		o->last = last > o->last ? last : o->last;
		return;
	}
	*account_new_owed(c) = (struct owed){ .iova = iova, .last = last, .piece = *piece, .cmds_nr = c->cmds_nr, .from = c->owed_from };
}

/* What the interval map, still that of before the call, has in [iova, last] is going. */
static void account_owe(struct check *c, uint64_t iova, uint64_t last)
{
	const struct imap_piece *p;
	struct imap_pos pos;

	for (p = imap_from(&c->im, iova, &pos); p && p->iova <= last; p = imap_next(&pos))
		account_owe_leaves(c, p, iova, last);
}

/* The pointer to a table below [iova, last] is going. */
static void account_owe_table(struct check *c, uint64_t iova, uint64_t last)
{
	if (check_is_on(c, CHECK_IOTLB))
		*account_new_owed(c) = (struct owed){
			.table = true, .iova = iova, .last = last, .cmds_nr = c->cmds_nr, .from = c->owed_from
		};
}

/*
 * Whether this call may unlink a table over [iova, last]: an unmap that was asked for all of it and has removed all of it, or a map of a
 * leaf over it when it holds
 * nothing.
 */
static bool account_may_unlink(const struct check *c, const struct call *call, const struct call_expect *want, uint64_t iova, uint64_t last)
{
	if (!call || iova < call->iova || last > call->last)
		return false;
	if (call->kind == CALL_UNMAP)
		return want->done && last <= want->done_last;
	return call->kind == CALL_MAP && !imap_overlaps(&c->im, iova, last);
}

static void account_unlink(struct check *c, const struct asked *by, uint64_t pa);

/* Tables below one that was unlinked go with it. If it has been freed since, memory keeps its bytes until the next operation. */
static void account_unlink_below(struct check *c, const struct asked *by, uint64_t pa, unsigned level)
{
	uint64_t i;

	for (i = 0; i < UINT64_C(1) << c->hw.index_lg2[level]; i++) {
		uint64_t raw = mem_view_load(c->view, pa + (i << c->hw.item_bytes_lg2), c->hw.item_bytes_lg2);
		struct hw_entry e = c->hw.format->decode(&c->hw, level, raw);

		if (e.kind == HW_TABLE && mem_view_has(c->view, e.pa, 1))
			account_unlink(c, by, e.pa);
	}
}

static void account_unlink(struct check *c, const struct asked *by, uint64_t pa)
{
	struct page *page = account_page(c, pa);
	uint64_t last = page->iova + layout_mask((unsigned)account_span_lg2(c, page->level));

	if (page->state != PAGE_LINKED)
		return;
	if (check_is_on(c, CHECK_ACCOUNTING) && !account_may_unlink(c, by->call, by->want, page->iova, last))
		check_report(c, VERDICT_OVER_FREE, 8, page->level + 1u, KIND_TABLE, KIND_NONE, &page->iova,
			     "table at 0x%llx over [0x%llx, 0x%llx] was unlinked by a call that may not do so", (unsigned long long)pa,
			     (unsigned long long)page->iova, (unsigned long long)last);
	page->state = PAGE_UNLINKED;
	page->syncs = c->syncs;
	c->linked_nr--;
	c->unlinked_nr++;
	account_owe_table(c, page->iova, last);
	if (page->children_nr)
		account_unlink_below(c, by, pa, page->level);
	if (account_page(c, page->parent)->state == PAGE_LINKED)
		account_page(c, page->parent)->children_nr--;
}

static void account_items(struct check *c, const struct asked *by, uint64_t table, size_t at, size_t now);

/*
 * An item of the linked table parent (the root: itself) points to pa, a table of level whose first iova is iova. What was stored to it
 * while it was private,
 * by the events of this call before now, takes effect.
 */
static void account_link(struct check *c, const struct asked *by, uint64_t parent, uint64_t pa, unsigned level, uint64_t iova, size_t now)
{
	const char *wrong = walk_table_wrong(&c->hw, c->view, level, pa);
	struct page *page;
	size_t i;

	if (wrong && !account_was_freed(c, pa))
		check_report(c, VERDICT_WALKS_DATA, 1, level + 1u, KIND_TABLE, KIND_BAD, &iova,
			     "table pointer to 0x%llx over iova 0x%llx %s", (unsigned long long)pa, (unsigned long long)iova, wrong);
	page = account_page(c, pa);
	if (page->state != PAGE_PRIVATE)
		check_report(c, VERDICT_WALKS_DATA, 8, level + 1u, KIND_TABLE, KIND_BAD, &iova,
			     "table at 0x%llx is linked at iova 0x%llx and was, level %u, at iova 0x%llx", (unsigned long long)pa,
			     (unsigned long long)iova, page->level, (unsigned long long)page->iova);
	if (!c->hw.cfg.coherent && !page->mapped && check_is_on(c, CHECK_WRITEBACK))
		check_report(c, VERDICT_MISSING_FLUSH, 5, level + 1u, KIND_TABLE, KIND_BAD, &iova,
			     "table at 0x%llx is linked at iova 0x%llx, and was not mapped for a device that does not snoop",
			     (unsigned long long)pa, (unsigned long long)iova);
	page->state = PAGE_LINKED;
	page->level = (uint8_t)level;
	page->iova = iova;
	page->parent = parent;
	c->private_nr--;
	c->linked_nr++;
	if (parent != pa)
		account_page(c, parent)->children_nr++;
	if (page->stamp != c->view->op)
		return;
	for (i = page->events_first; i < now; i = c->chain[i])
		account_items(c, by, pa, i, now);
}

/* What hardware that cannot hold two sizes, or a leaf and a table, at once must never see: a change in one store. */
static void account_live_change(struct check *c, unsigned level, uint64_t iova, const struct hw_entry *old, const struct hw_entry *new)
{
	bool sizes = old->kind == HW_LEAF && new->kind == HW_LEAF && old->size_lg2 != new->size_lg2;
	bool table = (old->kind == HW_LEAF && new->kind == HW_TABLE) || (old->kind == HW_TABLE && new->kind == HW_LEAF);

	if ((sizes && !c->hw.cap_size_change) || (table && !c->hw.cap_leaf_to_table))
		check_report(c, VERDICT_UNDECLARED_BREAK, 2, level, old->kind == HW_LEAF ? KIND_LEAF : KIND_TABLE,
			     new->kind == HW_LEAF ? KIND_LEAF : KIND_TABLE, &iova,
			     "iova 0x%llx: a live %s became a %s in one store, which this hardware needs break-before-make for",
			     (unsigned long long)iova, old->kind == HW_LEAF ? "leaf" : "table",
			     sizes                  ? "leaf of another size"
			     : new->kind == HW_LEAF ? "leaf"
						    : "table");
}

/*
 * An item that is made where something else was broken: hardware that needs break-before-make (DDI 0487 D8.16.1) must have been told to forget
 * what was there, and have done so.
 */
static void account_remade(struct check *c, unsigned level, uint64_t iova, uint64_t last, const struct hw_entry *old, const struct hw_entry *new)
{
	size_t i;

	if (old->kind != HW_EMPTY || (new->kind != HW_LEAF && new->kind != HW_TABLE) || (c->hw.cap_size_change && c->hw.cap_leaf_to_table))
		return;
	/* What an earlier call owes lies elsewhere: nothing may be mapped there until it is synced. */
	for (i = c->owed_first; i < c->owed_nr; i++) {
		const struct owed *o = &c->owed[i];
		bool sizes = !o->table && new->kind == HW_LEAF, same;

		if (o->last < iova || o->iova > last)
			continue;
		same = sizes && layout_leaf(c->hw.cfg.pgsizes, &o->piece, o->iova > iova ? o->iova : iova).size_lg2 == new->size_lg2;
		if (same || (sizes ? c->hw.cap_size_change : c->hw.cap_leaf_to_table || (o->table && new->kind == HW_TABLE)))
			continue;
		check_report(c, VERDICT_UNDECLARED_BREAK, 2, level, o->table ? KIND_TABLE : KIND_LEAF,
			     new->kind == HW_LEAF ? KIND_LEAF : KIND_TABLE, &iova,
			     "iova 0x%llx: a %s was broken and a %s made before the old one was invalidated and gone", (unsigned long long)iova,
			     o->table ? "table" : "leaf", sizes ? "leaf of another size" : new->kind == HW_LEAF ? "leaf" : "table");
	}
}

/* A run of items of a linked table from iova on: what a device may hold of their old values. live: the table was linked when they were stored. */
static void account_leaves(struct check *c, const struct asked *by, const struct page *page, const struct mem_event *ev, uint64_t iova, bool live)
{
	struct hw_entry old = c->hw.format->decode(&c->hw, page->level, ev->old), new = c->hw.format->decode(&c->hw, page->level, ev->new);
	uint64_t last = iova + ((uint64_t)ev->nr << c->hw.item_lg2[page->level]) - 1;

	if (new.kind == HW_BAD)
		check_report(c, VERDICT_RESERVED_BITS, 1, page->level, KIND_NONE, KIND_BAD, &iova,
			     "iova 0x%llx: item 0x%llx was stored at level %u: %s", (unsigned long long)iova, (unsigned long long)ev->new, page->level,
			     new.why);
	if (live) {
		account_live_change(c, page->level, iova, &old, &new);
		account_remade(c, page->level, iova, last, &old, &new);
	}
	if (!check_is_on(c, CHECK_IOTLB))
		return;
	if (old.kind == HW_LEAF) {
		/* An entry whose accessed or dirty bit changes matters only if the device may go on without setting it again. */
		if (((ev->old ^ ev->new) & ~c->hw.ad_mask) || (old.dirty && !new.dirty))
			account_owe(c, iova, last);
	} else if (old.kind == HW_EMPTY && new.kind == HW_LEAF && c->hw.cfg.negcache && by->call && by->call->kind == CALL_MAP) {
		account_owe_leaves(c, &(struct imap_piece){ .iova = by->call->iova, .last = by->call->last, .oa = by->call->oa }, iova,
				   last);
	}
}

/*
 * The slots of table, which is linked, that event at stored to: table pointers that came or went. now: the event that made or found it
 * linked.
 */
static void account_items(struct check *c, const struct asked *by, uint64_t table, size_t at, size_t now)
{
	const struct mem_event *ev = &c->view->events[at];
	const struct page *page = account_page(c, table);
	uint64_t idx = (ev->pa - table) >> c->hw.item_bytes_lg2;
	unsigned i;

	account_leaves(c, by, page, ev, check_item_iova(&c->hw, page->iova, page->level, table == c->root, idx), at == now);
	for (i = 0; i < ev->nr; i++) {
		struct hw_entry old = c->hw.format->decode(&c->hw, page->level, mem_event_old(ev, i));
		struct hw_entry new = c->hw.format->decode(&c->hw, page->level, mem_event_new(ev, i));

		/* The values of a run differ in their addresses alone: if the first is no table, none is. */
		if (old.kind != HW_TABLE && new.kind != HW_TABLE)
			break;
		if (old.kind == HW_TABLE && new.kind == HW_TABLE &&new.pa == old.pa)
			continue;
		if (old.kind == HW_TABLE && mem_view_has(c->view, old.pa, 1))
			account_unlink(c, by, old.pa);
		if (new.kind == HW_TABLE)
			account_link(c, by, table, new.pa, new.level,
				     check_item_iova(&c->hw, page->iova, page->level, table == c->root, idx + i), now);
	}
}

/*
 * When what event at overwrote is out of the reach of a device that does not snoop: the index + 1 of the write-back that completes this, SIZE_MAX
 * if there is none. Write-backs of parts count if each goes on from one end.
 */
static size_t account_from(const struct check *c, size_t at)
{
	const struct mem_event *ev = &c->view->events[at];
	uint64_t first = ev->pa, end = ev->pa + ((uint64_t)ev->nr << ev->bytes_lg2);
	size_t i;

	if (c->hw.cfg.coherent)
		return 0;
	for (i = at + 1; i < c->view->events_nr; i++) {
		const struct mem_event *flush = &c->view->events[i];
		uint64_t flush_end = flush->pa + flush->old;

		if (flush->kind != MEM_FLUSH || flush->pa >= end || flush_end <= first)
			continue;
		if (flush->pa <= first)
			first = flush_end;
		else if (flush_end >= end)
			end = flush->pa;
		if (first >= end)
			return i + 1;
	}
	return SIZE_MAX;
}

/* Event at wrote something back: what was waiting for that has arisen. */
static void account_flush(struct check *c, size_t at)
{
	size_t i;

	for (i = c->owed_first; i < c->owed_nr; i++) {
		if (c->owed[i].from == at + 1) {
			c->owed[i].from = 0;
			c->owed[i].cmds_nr = c->cmds_nr;
		}
	}
}

static void account_top(struct check *c, const struct asked *by, const struct mem_event *ev, size_t at)
{
	uint64_t old = c->root;

	if (ev->old > c->hw.top_level_max || (old != MEM_NONE && ev->old <= c->root_level))
		check_report(c, VERDICT_WALKS_DATA, 8, VERDICT_LEVEL_NONE, KIND_TABLE, KIND_BAD, NULL,
			     "the root was replaced by one of level %llu", (unsigned long long)ev->old);
	/* A root that grew must point to the old one, which keeps all that is below it. */
	if (old != MEM_NONE) {
		account_page(c, old)->state = PAGE_PRIVATE;
		c->linked_nr--;
		c->private_nr++;
	}
	c->root = ev->pa;
	c->root_level = (unsigned)ev->old;
	account_link(c, by, ev->pa, ev->pa, c->root_level, 0, at);
}

/* A store to a linked table: extends *span by its slots. */
static void account_store(struct check *c, const struct asked *by, size_t at, struct call_range *span)
{
	const struct mem_event *ev = &c->view->events[at];
	uint64_t table = account_table(c, ev->pa), idx = (ev->pa - table) >> c->hw.item_bytes_lg2, first, last;
	const struct page *page = account_page(c, table);

	if (page->state != PAGE_LINKED)
		return;
	first = check_item_iova(&c->hw, page->iova, page->level, table == c->root, idx);
	last = check_item_iova(&c->hw, page->iova, page->level, table == c->root, idx + ev->nr - 1) |
	       layout_mask(c->hw.item_lg2[page->level]);
	if (first < span->iova)
		span->iova = first;
	if (last > span->last)
		span->last = last;
	/* A store narrower than an item has no meaning of its own; what it made of the item is looked at when the operation has ended. */
	c->owed_from = account_from(c, at);
	if (ev->bytes_lg2 == c->hw.item_bytes_lg2)
		account_items(c, by, table, at, at);
}

static void account_free(struct check *c, const struct mem_event *ev)
{
	struct page *page = account_page(c, ev->pa);

	if (page->state == PAGE_LINKED)
		check_report(c, VERDICT_USE_AFTER_FREE, 8, page->level + 1u, KIND_TABLE, KIND_NONE, &page->iova,
			     "table at 0x%llx was freed while it is still linked over iova 0x%llx", (unsigned long long)ev->pa,
			     (unsigned long long)page->iova);
	if (page->mapped && check_is_on(c, CHECK_ACCOUNTING))
		check_report(c, VERDICT_LEAK, 8, page->level + 1u, KIND_TABLE, KIND_NONE, NULL,
			     "table at 0x%llx was freed and its DMA mapping was not ended", (unsigned long long)ev->pa);
	if (page->state == PAGE_UNLINKED) {
		if (page->syncs == c->syncs && check_is_on(c, CHECK_IOTLB))
			check_report(c, VERDICT_STALE_WALK_CACHE, 4, page->level + 1u, KIND_TABLE, KIND_NONE, &page->iova,
				     "table at 0x%llx, unlinked from iova 0x%llx, was freed before its invalidation completed",
				     (unsigned long long)ev->pa, (unsigned long long)page->iova);
		c->unlinked_nr--;
	} else {
		c->private_nr--;
	}
	page->state = PAGE_NONE;
}

/* A table came within, or went out of, the reach of a device that does not snoop. */
static void account_dma(struct check *c, const struct mem_event *ev)
{
	struct page *page = account_page(c, ev->pa);
	bool map = ev->kind == MEM_DMA_MAP;

	if (page->mapped == map && check_is_on(c, CHECK_ACCOUNTING))
		check_report(c, VERDICT_LEAK, 8, VERDICT_LEVEL_NONE, KIND_NONE, KIND_TABLE, NULL,
			     "the DMA mapping of the table at 0x%llx was %s twice", (unsigned long long)ev->pa, map ? "made" : "ended");
	page->mapped = map;
}

static void account_invalidate(struct check *c, const struct mem_event *ev)
{
	struct iotlb_cmd *cmd;

	if (!check_is_on(c, CHECK_IOTLB))
		return;
	if (c->cmds_nr == c->cmds_room) {
		c->cmds_room = c->cmds_room ? 2 * c->cmds_room : 64;
		c->cmds = realloc(c->cmds, c->cmds_room * sizeof(*c->cmds));
		if (!c->cmds)
			abort();
	}
	c->cost.commands++;
	cmd = &c->cmds[c->cmds_nr++];
	iotlb_decode(&c->hw, (unsigned)ev->pa, ev->old, ev->new, cmd);
	if (cmd->why || ev->pa != c->hw.cfg.tlb)
		check_report(c, VERDICT_BAD_COMMAND, 4, VERDICT_LEVEL_NONE, KIND_NONE, KIND_NONE, NULL, "command 0x%016llx 0x%016llx: %s",
			     (unsigned long long)ev->old, (unsigned long long)ev->new, cmd->why ? cmd->why : "of another vendor");
}

/*
 * Whether a command since cmds_nr removes this leaf. An Armv8 or RISC-V device may have cached a group item by item (the contiguous bit,
 * DDI 0487 D8.7.1; Svnapot,
 * privileged specification 5.1), so there each item must be gone as well as the whole.
 */
static bool account_leaf_gone(struct check *c, size_t cmds_nr, const struct layout_leaf *leaf, unsigned level)
{
	uint64_t item = layout_mask(c->hw.item_lg2[level]), iova = leaf->iova, last = leaf->last;
	size_t i;

	for (;;) {
		for (i = cmds_nr; i < c->cmds_nr && !iotlb_removes_leaf(&c->cmds[i], iova, last, level); i++)
			;
		if (i == c->cmds_nr)
			return false;
		c->cmds[i].used = true;
		/* First the whole leaf, then its items; a command that covers all of it leaves none of them. */
		if (last == leaf->last && ((iova | item) == last || (c->hw.cfg.tlb != TLB_ARM && c->hw.cfg.tlb != TLB_RISCV) ||
					   (c->cmds[i].iova <= leaf->iova && c->cmds[i].last >= leaf->last)))
			return true;
		iova = iova == leaf->iova && last == leaf->last ? iova : last + 1;
		last = iova | item;
	}
}

/* Whether one command since cmds_nr covers all of [iova, last] for leaves of this level; then nothing there needs looking at one by one. */
static bool account_covered(struct check *c, size_t cmds_nr, uint64_t iova, uint64_t last, unsigned level)
{
	size_t i;

	for (i = cmds_nr; i < c->cmds_nr; i++) {
		struct iotlb_cmd *cmd = &c->cmds[i];

		if (cmd->leaves && !cmd->why && cmd->leaf_levels & 1u << level && cmd->iova <= iova && cmd->last >= last) {
			cmd->used = true;
			return true;
		}
	}
	return false;
}

/* The first leaf in o that a device may still hold; false if there is none. */
static bool account_leaf_left(struct check *c, const struct owed *o, uint64_t *iova, unsigned *level)
{
	struct layout_leaf leaf;

	for (*iova = o->iova;; *iova = leaf.last + 1) {
		uint64_t run_last;

		leaf = layout_leaf(c->hw.cfg.pgsizes, &o->piece, *iova);
		*level = check_level_of(&c->hw, leaf.size_lg2);
		run_last = leaf.iova + (layout_run(c->hw.cfg.pgsizes, &o->piece, &leaf) << leaf.size_lg2) - 1;
		if (account_covered(c, o->cmds_nr, leaf.iova, run_last, *level))
			leaf.last = run_last;
		else if (!account_leaf_gone(c, o->cmds_nr, &leaf, *level))
			return true;
		if (leaf.last >= o->last)
			return false;
	}
}

/* The first address in o whose entry no command since removed; false if there is none. */
static bool account_left(struct check *c, const struct owed *o, uint64_t *iova, unsigned *level)
{
	size_t i;

	if (!o->table)
		return account_leaf_left(c, o, iova, level);
	for (i = o->cmds_nr; i < c->cmds_nr; i++)
		if (iotlb_removes_table(&c->cmds[i], o->iova, o->last)) {
			c->cmds[i].used = true;
			return false;
		}
	*iova = o->iova;
	return true;
}

/* All commands so far have completed: whatever was owed must be gone, unless the device can still fetch it. */
static void account_sync(struct check *c)
{
	unsigned level = VERDICT_LEVEL_NONE;
	size_t i, waiting = 0;
	uint64_t iova;

	for (i = 0; i < c->owed_nr; i++) {
		const struct owed *o = &c->owed[i];

		if (o->from) {
			c->owed[waiting++] = *o;
			continue;
		}

		check_count(c, CHECK_IOTLB, 1);
		if (!account_left(c, o, &iova, &level))
			continue;
		if (o->table)
			check_report(
				c, VERDICT_STALE_WALK_CACHE, 4, VERDICT_LEVEL_NONE, KIND_TABLE, KIND_NONE, &iova,
				"after the sync a device may still hold the pointer to the table that was unlinked from [0x%llx, 0x%llx]",
				(unsigned long long)o->iova, (unsigned long long)o->last);
		check_report(c, VERDICT_STALE_IOTLB, 4, level, KIND_LEAF, KIND_NONE, &iova,
			     "after the sync a device may still hold the old leaf at iova 0x%llx, level %u", (unsigned long long)iova,
			     level);
	}
	for (i = 0; c->held.nr && i < c->cmds_nr; i++)
		dirty_invalidated(c, &c->cmds[i]);
	c->cost.syncs++;
	c->cost.spare_syncs += waiting == c->owed_nr;
	for (i = 0; i < c->cmds_nr; i++)
		c->cost.spare += !c->cmds[i].used;
	for (i = 0; i < waiting; i++)
		c->owed[i].cmds_nr = 0;
	c->owed_nr = waiting;
	c->owed_first = c->cmds_nr = 0;
	c->syncs++;
}

/* Chain the events that store to tables allocated in this call, per table, in order; the tables are private until an event links them. */
static void account_chain(struct check *c)
{
	size_t i, nr = c->view->events_nr;

	if (c->chain_room < nr) {
		c->chain_room = 2 * nr;
		c->chain = realloc(c->chain, c->chain_room * sizeof(*c->chain));
		if (!c->chain)
			abort();
	}
	for (i = 0; i < nr; i++) {
		const struct mem_event *ev = &c->view->events[i];
		struct page *page;

		if (ev->kind == MEM_ALLOC) {
			page = account_page(c, ev->pa);
			*page = (struct page){
				.state = PAGE_PRIVATE,
				.stamp = c->view->op,
				.touched_op = page->touched_op,
				.touched_idx = page->touched_idx,
				.events_first = SIZE_MAX,
				.events_last = SIZE_MAX
			};
			c->private_nr++;
		}
		if (ev->kind != MEM_STORE && ev->kind != MEM_CAS)
			continue;
		page = account_page(c, account_table(c, ev->pa));
		if (page->stamp != c->view->op || page->state != PAGE_PRIVATE)
			continue;
		c->chain[i] = SIZE_MAX;
		if (page->events_last == SIZE_MAX)
			page->events_first = i;
		else
			c->chain[page->events_last] = i;
		page->events_last = i;
	}
}

void account_log(struct check *c, const struct call *call, const struct call_expect *want, struct call_range *span)
{
	const struct asked by = { call, want };
	size_t i;

	c->grown_from = c->root_level;
	c->owed_first = c->owed_nr;
	account_chain(c);
	for (i = 0; i < c->view->events_nr; i++) {
		const struct mem_event *ev = &c->view->events[i];

		switch ((enum mem_event_kind)ev->kind) {
		case MEM_STORE:
		case MEM_CAS:
			account_store(c, &by, i, span);
			break;
		case MEM_FREE:
			account_free(c, ev);
			break;
		case MEM_TOP:
			account_top(c, &by, ev, i);
			break;
		case MEM_INVALIDATE:
			account_invalidate(c, ev);
			break;
		case MEM_SYNC:
			account_sync(c);
			break;
		case MEM_DMA_MAP:
		case MEM_DMA_UNMAP:
			account_dma(c, ev);
			break;
		case MEM_FLUSH:
			account_flush(c, i);
			break;
		case MEM_ALLOC:
		case MEM_FENCE:
		case MEM_ALLOC_FAIL:
		case MEM_DEVICE:
			break;
		}
	}
}

/* Find a table in this state, to name it. */
static uint64_t account_find(const struct check *c, enum page_state state)
{
	uint64_t i;

	for (i = 0; i < c->pages_nr && c->pages[i].state != state; i++)
		;
	return i;
}

/*
 * Tables that this call linked must be needed by a leaf; after -ENOMEM those on the way to the first leaf that was not made may be there
 * too.
 */
static void account_new_tables(struct check *c, const struct call *call, const struct call_result *res)
{
	uint64_t stopped = call->iova + (res->granules << c->granule_lg2);
	size_t i;

	for (i = 0; i < c->view->events_nr; i++) {
		const struct mem_event *ev = &c->view->events[i];
		const struct page *page;
		uint64_t last;

		if (ev->kind != MEM_ALLOC)
			continue;
		page = account_page(c, ev->pa);
		if (page->state != PAGE_LINKED || page->level == c->root_level)
			continue;
		last = page->iova + layout_mask((unsigned)account_span_lg2(c, page->level));
		check_count(c, CHECK_ACCOUNTING, 1);
		if (imap_overlaps(&c->im, page->iova, last) || (res->ret == -ENOMEM && stopped >= page->iova && stopped <= last))
			continue;
		/* Growth puts tables between the old root and the new one. */
		if (page->level > c->grown_from && page->iova == 0)
			continue;
		check_report(c, VERDICT_LEAK, 8, page->level, KIND_NONE, KIND_TABLE, &page->iova,
			     "a table over [0x%llx, 0x%llx] was made that no leaf needs", (unsigned long long)page->iova,
			     (unsigned long long)last);
	}
}

/* Nothing is left that was allocated and not linked, or unlinked and not freed. */
static void account_tables_end(struct check *c, const struct call *call)
{
	uint64_t frame;

	check_count(c, CHECK_ACCOUNTING, 1);
	if (c->private_nr) {
		frame = account_find(c, PAGE_PRIVATE);
		check_report(c, VERDICT_LEAK, 8, VERDICT_LEVEL_NONE, KIND_NONE, KIND_TABLE, NULL,
			     "the table at 0x%llx was allocated, and neither linked nor freed",
			     (unsigned long long)(c->view->pa + (frame << MEM_FRAME_LG2)));
	}
	/* Deferred, what was unlinked stays until the next sync. */
	if (c->unlinked_nr && (!c->defer || (call && call->kind == CALL_SYNC))) {
		frame = account_find(c, PAGE_UNLINKED);
		check_report(c, VERDICT_LEAK, 8, c->pages[frame].level + 1u, KIND_NONE, KIND_TABLE, &c->pages[frame].iova,
			     "the table at 0x%llx was unlinked from iova 0x%llx, but not freed",
			     (unsigned long long)(c->view->pa + (frame << MEM_FRAME_LG2)), (unsigned long long)c->pages[frame].iova);
	}
}

void account_end(struct check *c, const struct call *call, const struct call_result *res)
{
	if (check_is_on(c, CHECK_ACCOUNTING))
		account_tables_end(c, call);
	if (c->owed_nr && !c->defer)
		check_report(c, VERDICT_STALE_IOTLB, 4, VERDICT_LEVEL_NONE, KIND_LEAF, KIND_NONE, &c->owed[0].iova,
			     "the call returned and its gather was synced, but nothing invalidated [0x%llx, 0x%llx] after it had changed in memory",
			     (unsigned long long)c->owed[0].iova, (unsigned long long)c->owed[0].last);
	if (call && call->kind != CALL_TRANSLATE && check_is_on(c, CHECK_ACCOUNTING))
		account_new_tables(c, call, res);
}
