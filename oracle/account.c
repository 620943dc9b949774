/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * account.c - follows every table through the log (G8). What its stores leave in the device's caches is kept by owed.c.
 *
 * A table is private from its allocation until a pointer to it is stored into a linked table, and unlinked when that pointer is
 * overwritten. Each such step must be one that the operation may take, so that the set of live tables is exactly what the operations so far
 * predict.
 */
#include <errno.h>
#include <stdlib.h>

#include "account.h"
#include "owed.h"
#include "walk.h"

/* The call whose log is followed, and what it must come to; NULL while the domain is made. */
struct asked {
	const struct call *call;
	const struct call_expect *want;
};

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

/*
 * Whether this call may unlink a table over [iova, last]: an unmap that was asked for all of it and has removed all of it, or a map of a
 * leaf over it when it holds nothing.
 */
static bool account_may_unlink(const struct check *c, const struct call *call, const struct call_expect *want, uint64_t iova, uint64_t last)
{
	struct call_range removed;

	if (!call || iova < call->iova || last > call->last)
		return false;
	removed = (struct call_range){ call->iova, want->done_last < call->last ? want->done_last : call->last };
	if (call->kind == CALL_UNMAP)
		return want->done && check_frees_table(c, &removed, iova, last);
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
	struct page *page = check_page(c, pa);
	uint64_t last = page->iova + layout_mask((unsigned)account_span_lg2(c, page->level));

	if (page->state != PAGE_LINKED)
		return;
	if (check_is_on(c, CHECK_ACCOUNTING) && !account_may_unlink(c, by->call, by->want, page->iova, last))
		check_report(c, VERDICT_OVER_FREE, 8, page->level + 1u, KIND_TABLE, KIND_NONE, &page->iova,
			     "table at 0x%llx over [0x%llx, 0x%llx] was unlinked by a call that may not do so", (unsigned long long)pa,
			     (unsigned long long)page->iova, (unsigned long long)last);
	page->state = PAGE_UNLINKED;
	page->syncs = c->syncs;
	page->unlinked_op = c->view->op;
	page->unlinked_by = (uint8_t)c->by;
	c->linked_nr--;
	c->unlinked_nr++;
	owed_table(c, page->iova, last);
	if (page->children_nr)
		account_unlink_below(c, by, pa, page->level);
	if (check_page(c, page->parent)->state == PAGE_LINKED)
		check_page(c, page->parent)->children_nr--;
}

static void account_event(struct check *c, const struct asked *by, uint64_t table, size_t at, size_t now);

/*
 * An item of the linked table parent (the root: itself) points to pa, a table of level whose first iova is iova. What was stored to it
 * while it was private, by the events of this call before now, takes effect.
 */
static void account_link(struct check *c, const struct asked *by, uint64_t parent, uint64_t pa, unsigned level, uint64_t iova, size_t now)
{
	const char *wrong = walk_table_wrong(&c->hw, c->view, level, pa);
	struct page *page;
	size_t i;

	if (wrong && !account_was_freed(c, pa))
		check_report(c, VERDICT_WALKS_DATA, 1, level + 1u, KIND_TABLE, KIND_BAD, &iova,
			     "table pointer to 0x%llx over iova 0x%llx %s", (unsigned long long)pa, (unsigned long long)iova, wrong);
	page = check_page(c, pa);
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
		check_page(c, parent)->children_nr++;
	if (page->stamp != c->view->op)
		return;
	for (i = page->events_first; i < now; i = c->chain[i])
		account_event(c, by, pa, i, now);
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
static void account_remade(struct check *c, unsigned level, uint64_t iova, uint64_t last, const struct hw_entry *old,
			   const struct hw_entry *new)
{
	size_t i;

	if (old->kind != HW_EMPTY || (new->kind != HW_LEAF &&new->kind != HW_TABLE) || (c->hw.cap_size_change && c->hw.cap_leaf_to_table))
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
			     "iova 0x%llx: a %s was broken and a %s made before the old one was invalidated and gone",
			     (unsigned long long)iova, o->table ? "table" : "leaf",
			     sizes                  ? "leaf of another size"
			     : new->kind == HW_LEAF ? "leaf"
						    : "table");
	}
}

/* Whether two leaves translate alike. */
static bool account_alike(const struct hw_entry *a, const struct hw_entry *b)
{
	return a->kind == b->kind && a->size_lg2 == b->size_lg2 && a->prot == b->prot && a->pa == b->pa;
}

/* The pointer at iova of a table changed in what it permits. */
static void account_pointer(struct check *c, const struct page *page, uint64_t iova)
{
	owed_table(c, iova, iova + layout_mask(c->hw.item_lg2[page->level]));
}

/* A run of items of a linked table from iova on: what a device may hold of their old values. live: the table was linked when they were stored. */
static void account_leaves(struct check *c, const struct asked *by, const struct page *page, const struct mem_event *ev, uint64_t iova,
			   bool live)
{
	struct hw_entry old = c->hw.format->decode(&c->hw, page->level, ev->old), new = c->hw.format->decode(&c->hw, page->level, ev->new);
	uint64_t last = iova + ((uint64_t)ev->nr << c->hw.item_lg2[page->level]) - 1;
	const struct imap_piece *p;

	if (new.kind == HW_BAD)
		check_report(c, VERDICT_RESERVED_BITS, 1, page->level, KIND_NONE, KIND_BAD, &iova,
			     "iova 0x%llx: item 0x%llx was stored at level %u: %s", (unsigned long long)iova, (unsigned long long)ev->new,
			     page->level, new.why);
	if (live) {
		account_live_change(c, page->level, iova, &old, &new);
		account_remade(c, page->level, iova, last, &old, &new);
	}
	if (!check_is_on(c, CHECK_IOTLB))
		return;
	if (live && old.kind == HW_LEAF) {
		/* An entry whose accessed or dirty bit changes matters only if the device may go on without setting it again. */
		if (account_alike(&old, &new) && (!old.dirty || new.dirty))
			return;
		owed_mapped(c, iova, last);
		/* A leaf that this call made itself, and took back: a walk may have read it all the same. */
		p = imap_find(&c->im, iova, NULL);
		if (!p || layout_leaf(c->hw.cfg.pgsizes, p, iova).size_lg2 != old.size_lg2 ||
		    (old.pa | (iova & layout_mask(old.span_lg2))) != p->oa + (iova - p->iova))
			owed_leaves(
				c,
				&(struct imap_piece){ .iova = iova & ~layout_mask(old.size_lg2),
						      .last = last | layout_mask(old.size_lg2),
						      .oa = (old.pa | (iova & layout_mask(old.span_lg2))) & ~layout_mask(old.size_lg2) },
				iova, last);
	} else if (old.kind != HW_LEAF && new.kind == HW_LEAF && c->hw.cfg.negcache && by->call && by->call->kind == CALL_MAP) {
		owed_leaves(c, &(struct imap_piece){ .iova = by->call->iova, .last = by->call->last, .oa = by->call->oa }, iova, last);
	}
}

/*
 * The slots of table, which is linked, that event at stored to, as ev says: table pointers that came or went. now: the event that made or
 * found it linked.
 */
static void account_items(struct check *c, const struct asked *by, uint64_t table, const struct mem_event *ev, size_t at, size_t now)
{
	const struct page *page = check_page(c, table);
	uint64_t idx = (ev->pa - table) >> c->hw.item_bytes_lg2;
	unsigned i;

	account_leaves(c, by, page, ev, check_item_iova(&c->hw, page->iova, page->level, table == c->root, idx), at == now);
	for (i = 0; i < ev->nr; i++) {
		struct hw_entry old = c->hw.format->decode(&c->hw, page->level, mem_event_old(ev, i));
		struct hw_entry new = c->hw.format->decode(&c->hw, page->level, mem_event_new(ev, i));

		/* The values of a run differ in their addresses alone: if the first is no table, none is. */
		if (old.kind != HW_TABLE && new.kind != HW_TABLE)
			break;
		if (old.kind == HW_TABLE && new.kind == HW_TABLE && new.pa == old.pa) {
			/* What a walk cache keeps of a pointer is what the pointer permits, too. */
			if (new.prot != old.prot && at == now)
				account_pointer(c, page, check_item_iova(&c->hw, page->iova, page->level, table == c->root, idx + i));
			continue;
		}
		if (old.kind == HW_TABLE && mem_view_has(c->view, old.pa, 1))
			account_unlink(c, by, old.pa);
		if (new.kind == HW_TABLE)
			account_link(c, by, table, new.pa, new.level,
				     check_item_iova(&c->hw, page->iova, page->level, table == c->root, idx + i), now);
	}
}

/* Take back what event ev stored to the item at pa: raw was in it after that. */
static uint64_t account_undo(const struct check *c, const struct mem_event *ev, uint64_t pa, uint64_t raw)
{
	uint64_t item = UINT64_C(1) << c->hw.item_bytes_lg2, at = ev->pa < pa ? pa : ev->pa;
	uint64_t end = ev->pa + ((uint64_t)ev->nr << ev->bytes_lg2);

	if (ev->kind != MEM_STORE && ev->kind != MEM_CAS && ev->kind != MEM_DEVICE)
		return raw;
	for (; at < end && at < pa + item; at += UINT64_C(1) << ev->bytes_lg2) {
		unsigned shift = (unsigned)(at - pa) * 8;
		uint64_t mask = layout_mask(8u << ev->bytes_lg2) << shift;

		raw = (raw & ~mask) | (mem_event_old(ev, (unsigned)((at - ev->pa) >> ev->bytes_lg2)) << shift & mask);
	}
	return raw;
}

/* Event at, which stored to parts of items, as what it made of each of them. */
static void account_narrow(struct check *c, const struct asked *by, uint64_t table, size_t at, size_t now)
{
	const struct mem_event *ev = &c->view->events[at];
	uint64_t item = UINT64_C(1) << c->hw.item_bytes_lg2, pa = ev->pa & ~(item - 1), end = ev->pa + ((uint64_t)ev->nr << ev->bytes_lg2);
	size_t i;

	for (; pa < end; pa += item) {
		struct mem_event whole = { .kind = MEM_STORE, .bytes_lg2 = c->hw.item_bytes_lg2, .nr = 1, .pa = pa };

		whole.new = mem_view_load(c->view, pa, c->hw.item_bytes_lg2);
		for (i = c->view->events_nr; --i > at;)
			whole.new = account_undo(c, &c->view->events[i], pa, whole.new);
		whole.old = account_undo(c, ev, pa, whole.new);
		account_items(c, by, table, &whole, at, now);
	}
}

/* The slots of table, which is linked, that event at stored to; see account_items. */
static void account_event(struct check *c, const struct asked *by, uint64_t table, size_t at, size_t now)
{
	const struct mem_event *ev = &c->view->events[at];

	if (ev->bytes_lg2 < c->hw.item_bytes_lg2)
		account_narrow(c, by, table, at, now);
	else
		account_items(c, by, table, ev, at, now);
}

static void account_top(struct check *c, const struct asked *by, const struct mem_event *ev, size_t at)
{
	uint64_t old = c->root;

	if (ev->old > c->hw.top_level_max || (old != MEM_NONE && ev->old <= c->root_level))
		check_report(c, VERDICT_WALKS_DATA, 8, VERDICT_LEVEL_NONE, KIND_TABLE, KIND_BAD, NULL,
			     "the root was replaced by one of level %llu", (unsigned long long)ev->old);
	/* A root that grew must point to the old one, which keeps all that is below it. */
	if (old != MEM_NONE) {
		check_page(c, old)->state = PAGE_PRIVATE;
		/* One that came in this very round: its stores have taken effect already. */
		check_page(c, old)->events_first = SIZE_MAX;
		c->linked_nr--;
		c->private_nr++;
	}
	c->root = ev->pa;
	c->root_level = (unsigned)ev->old;
	account_link(c, by, ev->pa, ev->pa, c->root_level, 0, at);
}

/* A store to a table that was unlinked whole: what it takes out went with it, and so did what a device held of that. */
static void account_dismantle(struct check *c, const struct asked *by, const struct page *page, const struct mem_event *ev)
{
	uint64_t syncs = c->syncs;
	size_t owed_nr = c->owed_nr;
	unsigned i;

	c->syncs = page->syncs;
	for (i = 0; i < ev->nr && ev->bytes_lg2 == c->hw.item_bytes_lg2; i++) {
		struct hw_entry old = c->hw.format->decode(&c->hw, page->level, mem_event_old(ev, i));

		if (old.kind != HW_TABLE)
			break;
		if (mem_view_has(c->view, old.pa, 1))
			account_unlink(c, by, old.pa);
	}
	c->syncs = syncs;
	if (page->syncs < syncs)
		c->owed_nr = owed_nr;
}

/* A store to a linked table: extends *span by its slots. */
static void account_store(struct check *c, const struct asked *by, size_t at, struct call_range *span)
{
	const struct mem_event *ev = &c->view->events[at];
	uint64_t table = check_table(c, ev->pa), idx = (ev->pa - table) >> c->hw.item_bytes_lg2, first, last;
	uint64_t last_idx = (ev->pa + ((uint64_t)ev->nr << ev->bytes_lg2) - 1 - table) >> c->hw.item_bytes_lg2;
	const struct page *page = check_page(c, table);

	if (page->state == PAGE_UNLINKED)
		account_dismantle(c, by, page, ev);
	if (page->state != PAGE_LINKED)
		return;
	first = check_item_iova(&c->hw, page->iova, page->level, table == c->root, idx);
	last = check_item_iova(&c->hw, page->iova, page->level, table == c->root, last_idx) | layout_mask(c->hw.item_lg2[page->level]);
	if (first < span->iova)
		span->iova = first;
	if (last > span->last)
		span->last = last;
	c->owed_from = owed_since(c, at);
	account_event(c, by, table, at, at);
}

/* Whether what the device may hold of an unlinked table is not known to be gone: who unlinked it has not synced since. */
static bool account_unsynced(const struct check *c, const struct page *page)
{
	return page->syncs == c->syncs || (page->unlinked_op == c->view->op && page->unlinked_by != c->by);
}

static void account_free(struct check *c, const struct mem_event *ev)
{
	struct page *page = check_page(c, ev->pa);

	if (page->state == PAGE_LINKED)
		check_report(c, VERDICT_USE_AFTER_FREE, 8, page->level + 1u, KIND_TABLE, KIND_NONE, &page->iova,
			     "table at 0x%llx was freed while it is still linked over iova 0x%llx", (unsigned long long)ev->pa,
			     (unsigned long long)page->iova);
	if (page->mapped && check_is_on(c, CHECK_ACCOUNTING))
		check_report(c, VERDICT_LEAK, 8, page->level + 1u, KIND_TABLE, KIND_NONE, NULL,
			     "table at 0x%llx was freed and its DMA mapping was not ended", (unsigned long long)ev->pa);
	if (page->state == PAGE_UNLINKED) {
		if (account_unsynced(c, page) && check_is_on(c, CHECK_IOTLB))
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
	struct page *page = check_page(c, ev->pa);
	bool map = ev->kind == MEM_DMA_MAP;

	if (page->mapped == map && check_is_on(c, CHECK_ACCOUNTING))
		check_report(c, VERDICT_LEAK, 8, VERDICT_LEVEL_NONE, KIND_NONE, KIND_TABLE, NULL,
			     "the DMA mapping of the table at 0x%llx was %s twice", (unsigned long long)ev->pa, map ? "made" : "ended");
	if (!map && page->state == PAGE_LINKED && check_is_on(c, CHECK_WRITEBACK))
		check_report(c, VERDICT_USE_AFTER_FREE, 8, page->level + 1u, KIND_TABLE, KIND_NONE, &page->iova,
			     "the DMA mapping of the table at 0x%llx was ended while it is linked", (unsigned long long)ev->pa);
	if (!map && page->state == PAGE_UNLINKED && account_unsynced(c, page) && check_is_on(c, CHECK_IOTLB))
		check_report(c, VERDICT_STALE_WALK_CACHE, 5, page->level + 1u, KIND_TABLE, KIND_NONE, &page->iova,
			     "the DMA mapping of the table at 0x%llx, unlinked from iova 0x%llx, was ended before its invalidation completed",
			     (unsigned long long)ev->pa, (unsigned long long)page->iova);
	page->mapped = map;
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
			page = check_page(c, ev->pa);
			*page = (struct page){ .state = PAGE_PRIVATE,
					       .stamp = c->view->op,
					       .touched_build = page->touched_build,
					       .touched_idx = page->touched_idx,
					       .events_first = SIZE_MAX,
					       .events_last = SIZE_MAX };
			c->private_nr++;
		}
		if (ev->kind != MEM_STORE && ev->kind != MEM_CAS)
			continue;
		page = check_page(c, check_table(c, ev->pa));
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

/* Event i of the log. */
static void account_follow(struct check *c, const struct asked *by, size_t i, struct call_range *span)
{
	const struct mem_event *ev = &c->view->events[i];

	switch ((enum mem_event_kind)ev->kind) {
	case MEM_STORE:
	case MEM_CAS:
		account_store(c, by, i, span);
		break;
	case MEM_FREE:
		account_free(c, ev);
		break;
	case MEM_TOP:
		account_top(c, by, ev, i);
		/* Whatever the new root translates. */
		span->iova = 0;
		span->last = layout_mask((unsigned)account_span_lg2(c, c->root_level));
		if (span->last > c->hw.iova_low_last)
			span->last = c->hw.iova_low_last;
		break;
	case MEM_INVALIDATE:
		owed_command(c, ev);
		break;
	case MEM_SYNC:
		owed_sync(c);
		break;
	case MEM_DMA_MAP:
	case MEM_DMA_UNMAP:
		account_dma(c, ev);
		break;
	case MEM_FLUSH:
		owed_written_back(c, i);
		break;
	case MEM_ALLOC:
	case MEM_FENCE:
	case MEM_ALLOC_FAIL:
	case MEM_DEVICE:
	case MEM_LOAD:
	case MEM_WORD_LOAD:
	case MEM_WORD_STORE:
	case MEM_DONE:
		break;
	}
}

void account_log(struct check *c, const struct call *call, const struct call_expect *want, struct call_range *span)
{
	const struct asked by = { call, want };
	size_t i;

	c->grown_from = c->root_level;
	c->owed_first = c->owed_nr;
	account_chain(c);
	for (i = 0; i < c->view->events_nr; i++)
		account_follow(c, &by, i, span);
}

/* What a writer wrote back may have been stored by another one. */
static void account_round_flush(struct check *c, size_t i)
{
	unsigned k;

	for (k = 0; k < c->writers_nr; k++) {
		owed_change(c, c->writers[k].id);
		owed_written_back(c, i);
	}
}

void account_round(struct check *c)
{
	size_t i;
	unsigned k;

	c->grown_from = c->root_level;
	owed_round(c);
	account_chain(c);
	for (i = 0; i < c->view->events_nr; i++) {
		const struct mem_event *ev = &c->view->events[i];
		struct writer *w = c->writers;
		struct asked by;

		while (w->id != ev->writer)
			w++;
		by = (struct asked){ &w->call, &w->want };
		c->by = w->id;
		if (ev->kind == MEM_FLUSH)
			account_round_flush(c, i);
		owed_change(c, w->id);
		if (ev->kind != MEM_FLUSH)
			account_follow(c, &by, i, &w->span);
	}
	for (k = 0; k < c->writers_nr; k++) {
		owed_change(c, c->by = c->writers[k].id);
		owed_end(c, false);
	}
	c->by = 0;
	owed_round_end(c);
}

/* Find a table in this state, to name it. */
static uint64_t account_find(const struct check *c, enum page_state state)
{
	uint64_t i;

	for (i = 0; i < c->pages_nr && c->pages[i].state != state; i++)
		;
	return i;
}

/* Whether a call that ran out of memory came as far as [iova, last], and not further. */
static bool account_stopped(const struct check *c, const struct call *call, const struct call_result *res, uint64_t iova, uint64_t last)
{
	uint64_t stopped = call->iova + (res->granules << c->granule_lg2);

	return res->ret == -ENOMEM && stopped >= iova && stopped <= last;
}

static bool account_round_stopped(const struct check *c, uint64_t iova, uint64_t last)
{
	unsigned i;

	for (i = 0; i < c->writers_nr; i++)
		if (account_stopped(c, &c->writers[i].call, &c->writers[i].res, iova, last))
			return true;
	return false;
}

/*
 * Tables that this call linked must be needed by a leaf; after -ENOMEM those on the way to the first leaf that was not made may be there
 * too. call NULL: of a round.
 */
static void account_new_tables(struct check *c, const struct call *call, const struct call_result *res)
{
	size_t i;

	for (i = 0; i < c->view->events_nr; i++) {
		const struct mem_event *ev = &c->view->events[i];
		const struct page *page;
		uint64_t last;

		if (ev->kind != MEM_ALLOC)
			continue;
		page = check_page(c, ev->pa);
		if (page->state != PAGE_LINKED || page->level == c->root_level)
			continue;
		last = page->iova + layout_mask((unsigned)account_span_lg2(c, page->level));
		check_count(c, CHECK_ACCOUNTING, 1);
		if (imap_overlaps(&c->im, page->iova, last) ||
		    (call ? account_stopped(c, call, res, page->iova, last) : account_round_stopped(c, page->iova, last)))
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
	owed_end(c, call && call->kind == CALL_SYNC);
	if (call && call->kind != CALL_TRANSLATE && check_is_on(c, CHECK_ACCOUNTING))
		account_new_tables(c, call, res);
}

void account_round_end(struct check *c)
{
	if (!check_is_on(c, CHECK_ACCOUNTING))
		return;
	account_tables_end(c, NULL);
	account_new_tables(c, NULL, NULL);
}

void account_teardown(struct check *c)
{
	size_t i;

	for (i = 0; i < c->view->events_nr; i++) {
		const struct mem_event *ev = &c->view->events[i];

		if (ev->kind == MEM_DMA_UNMAP)
			check_page(c, ev->pa)->mapped = false;
		if (ev->kind == MEM_FREE && check_page(c, ev->pa)->mapped && check_is_on(c, CHECK_ACCOUNTING))
			check_report(c, VERDICT_LEAK, 8, VERDICT_LEVEL_NONE, KIND_TABLE, KIND_NONE, NULL,
				     "table at 0x%llx was freed at teardown and its DMA mapping was not ended", (unsigned long long)ev->pa);
	}
}
