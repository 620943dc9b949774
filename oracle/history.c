/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * history.c - the versions of every slot during one operation.
 *
 * A log event covers a run of slots. Slots that the same events cover have their versions in common, so a table's history is a few runs however
 * many slots were filled.
 */
#include "history.h"

#include <stdlib.h>

/* One event of a table, or (event == HISTORY_NEVER) a stale value. */
struct history_node {
	uint32_t event, next, first, last;
	uint64_t stale;
};

#define HISTORY_GROW(array, nr, room, want)                                    \
	do {                                                                   \
		if ((nr) + (want) > (room)) {                                  \
			(room) = 2 * ((nr) + (want)) + 64;                     \
			(array) = realloc((array), (room) * sizeof(*(array))); \
			if (!(array))                                          \
				abort();                                       \
		}                                                              \
	} while (0)

void history_release(struct history *h)
{
	free(h->touched);
	free(h->nodes);
	free(h->runs);
	free(h->versions);
	free(h->stale);
	free(h->own);
	free(h->place);
	free(h->sorted);
	free(h->cover);
	free(h->views);
	free(h->reads);
	memset(h, 0, sizeof(*h));
}

/* --- views --- */

static bool history_view_sees(const struct history *h, const struct history_view *v, uint32_t place)
{
	uint32_t i;

	if (!place || place > h->c->view->events_nr)
		return !place;
	if (v->upto[h->c->view->events[place - 1].writer] >= place)
		return true;
	for (i = 0; i < v->singles_nr && v->singles[i] != place; i++)
		;
	return i < v->singles_nr;
}

bool history_sees(const struct history *h, uint32_t view, uint32_t place)
{
	return h->several ? history_view_sees(h, &h->views[view], place) : place <= view;
}

/*
 * A store by itself. An engine whose writers read more relaxed stores of each other than there is room for has the rest taken for not seen: more
 * walks, not fewer.
 */
static void history_view_single(const struct history *h, struct history_view *v, uint32_t place)
{
	if (!history_view_sees(h, v, place) && v->singles_nr < HISTORY_SINGLES_MAX)
		v->singles[v->singles_nr++] = place;
}

static void history_view_join(const struct history *h, struct history_view *v, const struct history_view *from)
{
	uint32_t i, nr = v->singles_nr;

	for (i = 0; i <= MEM_WRITERS_MAX; i++)
		if (from->upto[i] > v->upto[i])
			v->upto[i] = from->upto[i];
	v->singles_nr = 0;
	for (i = 0; i < nr; i++)
		history_view_single(h, v, v->singles[i]);
	for (i = 0; i < from->singles_nr; i++)
		history_view_single(h, v, from->singles[i]);
}

/* The number of a view. */
static uint32_t history_view_add(struct history *h, const struct history_view *v)
{
	HISTORY_GROW(h->views, h->views_nr, h->views_room, 1);
	h->views[h->views_nr] = *v;
	return (uint32_t)h->views_nr++;
}

uint32_t history_join(struct history *h, uint32_t a, uint32_t b)
{
	struct history_view v;

	if (!h->several)
		return a > b ? a : b;
	v = h->views[a];
	history_view_join(h, &v, &h->views[b]);
	if (!memcmp(&v.upto, &h->views[a].upto, sizeof(v.upto)) && v.singles_nr == h->views[a].singles_nr)
		return a;
	return history_view_add(h, &v);
}

struct touched *history_touched(const struct history *h, uint64_t pa)
{
	const struct page *page;

	if (!mem_view_has(h->c->view, pa, 1))
		return NULL;
	page = check_page(h->c, pa);
	return page->touched_build == h->build ? &h->touched[page->touched_idx] : NULL;
}

/* The record of the table at pa, made if there is none, and of those that led to it when the operation began. Returns its index. */
static uint32_t history_touch(struct history *h, uint64_t pa)
{
	struct page *page = check_page(h->c, pa);
	uint32_t idx, above;

	if (page->touched_build == h->build)
		return page->touched_idx;
	HISTORY_GROW(h->touched, h->touched_nr, h->touched_room, 1);
	idx = (uint32_t)h->touched_nr++;
	page->touched_build = h->build;
	page->touched_idx = idx;
	h->touched[idx] = (struct touched){ .pa = pa,
					    .items = mem_view_frame(h->c->view, pa)->bytes >> h->c->hw.item_bytes_lg2,
					    .nodes_first = HISTORY_NEVER,
					    .nodes_last = HISTORY_NEVER,
					    .child = HISTORY_NEVER,
					    .sibling = HISTORY_NEVER,
					    .alloc = HISTORY_NEVER,
					    .free = HISTORY_NEVER,
					    .runs_nr = HISTORY_NEVER };
	if (page->state == PAGE_LINKED && page->parent != pa) {
		above = history_touch(h, page->parent);
		h->touched[idx].sibling = h->touched[above].child;
		h->touched[above].child = idx;
	}
	return idx;
}

static struct touched *history_record(struct history *h, uint64_t pa)
{
	uint32_t idx = history_touch(h, pa);

	return &h->touched[idx];
}

/* Add bytes from pa on, as far as they lie in its table. Returns how many those are. */
static uint64_t history_add(struct history *h, uint32_t event, uint64_t pa, uint64_t bytes, uint64_t stale)
{
	uint64_t table = check_table(h->c, pa);
	struct touched *t = history_record(h, table);
	unsigned item_lg2 = h->c->hw.item_bytes_lg2;
	uint64_t end = table + ((uint64_t)t->items << item_lg2);
	struct history_node *n;
	uint32_t idx;

	/* No table: on to the next frame. */
	if (end <= pa)
		return (pa | layout_mask(MEM_FRAME_LG2)) + 1 - pa;
	bytes = bytes < end - pa ? bytes : end - pa;
	HISTORY_GROW(h->nodes, h->nodes_nr, h->nodes_room, 1);
	idx = (uint32_t)h->nodes_nr++;
	n = &h->nodes[idx];
	*n = (struct history_node){ .event = event,
				    .next = HISTORY_NEVER,
				    .first = (uint32_t)((pa - table) >> item_lg2),
				    .last = (uint32_t)((pa + bytes - 1 - table) >> item_lg2),
				    .stale = stale };
	if (t->nodes_last == HISTORY_NEVER)
		t->nodes_first = idx;
	else
		h->nodes[t->nodes_last].next = idx;
	t->nodes_last = idx;
	if (event != HISTORY_NEVER)
		t->writers |= 1u << h->c->view->events[event].writer;
	return bytes;
}

/* Whole items that were written back. */
static void history_add_flush(struct history *h, uint32_t event, const struct mem_event *ev)
{
	uint64_t mask = layout_mask(h->c->hw.item_bytes_lg2), pa = (ev->pa + mask) & ~mask, end = (ev->pa + ev->old) & ~mask;

	/* More than was changed may be written back, beyond the arena as well. */
	if (pa < h->c->view->pa)
		pa = h->c->view->pa;
	while (pa < end && mem_view_has(h->c->view, pa, 1))
		pa += history_add(h, event, pa, end - pa, 0);
}

/* --- several writers --- */

/* A word of the engine's own that writers share: what came before it was stored to last, and what those knew who have read it. */
struct history_word {
	uint64_t word;
	struct history_view released, read;
};

#define HISTORY_WORDS_MAX 16

/* By writer, what was in memory when it last read an item; 0: nothing, or it has not. */
struct history_read {
	uint32_t view[MEM_WRITERS_MAX + 1];
};

/*
 * struct history_order - what is in memory once a store is there, while the log is read.
 *
 * @fenced:     what a store waits for because of the last barrier
 * @acquired: what the writer has read of others, which was in memory by then
 * @behind:   what was in memory before its stores: what came before those of others that it has overwritten, or before others read the item
 * @known, @known_as: what the writer has read, or waited for by a SYNC, and so is in memory; its number, 0: nothing
 */
struct history_order {
	struct history_view fenced[MEM_WRITERS_MAX + 1], acquired[MEM_WRITERS_MAX + 1], behind[MEM_WRITERS_MAX + 1], known[MEM_WRITERS_MAX + 1];
	uint32_t known_as[MEM_WRITERS_MAX + 1];
	struct history_word words[HISTORY_WORDS_MAX];
	unsigned words_nr;
};

/* Whether event i stores one item, and not as one of several that are in no order. */
static bool history_is_single(const struct mem_view *view, size_t i)
{
	const struct mem_event *ev = &view->events[i];

	return ev->nr == 1 && ev->kind != MEM_ALLOC && !(ev->kind == MEM_STORE && ev->order == MEM_JOINED) &&
	       !(i + 1 < view->events_nr && ev[1].kind == MEM_STORE && ev[1].order == MEM_JOINED);
}

/*
 * The item at pa is read or overwritten by the writer of an event: if another one stored to it last, *seen is joined by that store, which is in
 * memory or will be before, and what came before it. Of a fill or an ALLOC it is this item alone: then by what the event waited for.
 */
static void history_last(const struct history *h, unsigned writer, uint64_t pa, struct history_view *seen)
{
	const struct touched *t = history_touched(h, check_table(h->c, pa));
	struct history_view before = { .singles_nr = 0 };
	uint32_t idx, slot, place = 0;
	unsigned last = writer;

	if (!t || !(t->writers & ~(1u << writer)))
		return;
	slot = (uint32_t)((pa - t->pa) >> h->c->hw.item_bytes_lg2);
	if (t->alloc != HISTORY_NEVER) {
		last = h->c->view->events[t->alloc - 1].writer;
		before = h->views[t->alloc_pub];
	}
	for (idx = t->nodes_first; idx != HISTORY_NEVER; idx = h->nodes[idx].next) {
		const struct history_node *n = &h->nodes[idx];

		/* What came before the table was allocated was not about this table. */
		if (n->event == HISTORY_NEVER || slot < n->first || slot > n->last || (t->alloc != HISTORY_NEVER && n->event < t->alloc))
			continue;
		last = h->c->view->events[n->event].writer;
		history_view_join(h, &before, &h->views[h->own[n->event]]);
		place = history_is_single(h->c->view, n->event) ? h->place[n->event] : 0;
	}
	/* What it stored itself it may have read out of its own store buffer. */
	if (last == writer)
		return;
	history_view_join(h, seen, &before);
	if (place)
		history_view_single(h, seen, place);
}

static struct history_word *history_word(struct history_order *o, uint64_t word)
{
	unsigned i;

	for (i = 0; i < o->words_nr && o->words[i].word != word; i++)
		;
	if (i == HISTORY_WORDS_MAX)
		abort();
	if (i == o->words_nr)
		o->words[o->words_nr++] = (struct history_word){ .word = word };
	return &o->words[i];
}

/* Everything that writer has stored up to place, and what that came after. */
static struct history_view history_all(const struct history *h, const struct history_order *o, unsigned writer, uint32_t place)
{
	struct history_view v = o->acquired[writer];

	history_view_join(h, &v, &o->behind[writer]);
	if (place > v.upto[writer])
		v.upto[writer] = place;
	return v;
}

/* What a store of event i publishes: all before it, and itself if it is one item; or (relaxed) what came before the last barrier. */
static uint32_t history_publish(struct history *h, const struct history_order *o, size_t i, bool all)
{
	unsigned w = h->c->view->events[i].writer;
	struct history_view v = o->fenced[w];

	if (all)
		v = history_all(h, o, w, history_is_single(h->c->view, i) ? h->place[i] : h->place[i] - 1);
	history_view_join(h, &v, &o->acquired[w]);
	return history_view_add(h, &v);
}

/* What the writer knows to be in memory has grown by view. */
static void history_know(struct history *h, struct history_order *o, unsigned writer, const struct history_view *view)
{
	struct history_view known = o->known[writer];

	history_view_join(h, &known, view);
	if (!memcmp(&known.upto, &o->known[writer].upto, sizeof(known.upto)) && known.singles_nr == o->known[writer].singles_nr)
		return;
	o->known[writer] = known;
	o->known_as[writer] = history_view_add(h, &known);
}

/* What is known of reads of the item at pa, NULL: nothing in all its frame. */
static struct history_read *history_reads(const struct history *h, uint64_t pa)
{
	const struct page *page = mem_view_has(h->c->view, pa, 1) ? check_page(h->c, pa) : NULL;

	if (!page || page->reads_build != h->build)
		return NULL;
	return &h->reads[page->reads_at + ((pa & layout_mask(MEM_FRAME_LG2)) >> h->c->hw.item_bytes_lg2)];
}

static void history_read(struct history *h, struct history_order *o, unsigned writer, uint64_t pa)
{
	uint32_t items = 1u << (MEM_FRAME_LG2 - h->c->hw.item_bytes_lg2);

	history_last(h, writer, pa, &o->acquired[writer]);
	history_know(h, o, writer, &o->acquired[writer]);
	if (!o->known_as[writer] || !mem_view_has(h->c->view, pa, 1))
		return;
	if (!history_reads(h, pa)) {
		HISTORY_GROW(h->reads, h->reads_nr, h->reads_room, items);
		memset(&h->reads[h->reads_nr], 0, items * sizeof(*h->reads));
		check_page(h->c, pa)->reads_build = h->build;
		check_page(h->c, pa)->reads_at = (uint32_t)h->reads_nr;
		h->reads_nr += items;
	}
	/* It knows no less than when it read it before. */
	history_reads(h, pa)->view[writer] = o->known_as[writer];
}

/* Event i stores to what others had read before: it comes after what they knew then. */
static void history_after_reads(struct history *h, struct history_order *o, size_t i)
{
	const struct mem_event *ev = &h->c->view->events[i];
	uint64_t item = UINT64_C(1) << h->c->hw.item_bytes_lg2, pa = ev->pa & ~(item - 1), end = ev->pa + ((uint64_t)ev->nr << ev->bytes_lg2);
	unsigned w;

	for (; pa < end; pa += item) {
		const struct history_read *r = history_reads(h, pa);

		for (w = 0; r && w <= MEM_WRITERS_MAX; w++) {
			if (w == ev->writer || !r->view[w])
				continue;
			h->own[i] = history_join(h, h->own[i], r->view[w]);
			history_view_join(h, &o->behind[ev->writer], &h->views[r->view[w]]);
		}
	}
}

/* Each item of event i that another writer stored to last is behind what this one stores from now on. */
static void history_overwrite(struct history *h, struct history_order *o, size_t i)
{
	const struct mem_event *ev = &h->c->view->events[i];
	const struct touched *t = history_touched(h, check_table(h->c, ev->pa));
	uint64_t item = UINT64_C(1) << h->c->hw.item_bytes_lg2, pa = ev->pa & ~(item - 1);

	/* Most tables are one writer's alone. */
	if (!t || !(t->writers & ~(1u << ev->writer)))
		return;
	for (; pa < ev->pa + ((uint64_t)ev->nr << ev->bytes_lg2); pa += item)
		history_last(h, ev->writer, pa, &o->behind[ev->writer]);
}

/* What event i publishes, of several writers of a device that snoops; its place is known. */
static void history_order(struct history *h, struct history_order *o, size_t i)
{
	const struct mem_event *ev = &h->c->view->events[i];
	unsigned w = ev->writer;
	bool strong = h->c->hw.cfg.model == MODEL_STRONG;
	struct history_word *word;
	struct history_view all;

	switch ((enum mem_event_kind)ev->kind) {
	case MEM_LOAD:
		history_read(h, o, w, ev->pa);
		break;
	case MEM_CAS:
		history_read(h, o, w, ev->pa);
		h->own[i] = history_publish(h, o, i, true);
		history_after_reads(h, o, i);
		o->fenced[w] = h->views[h->own[i]];
		break;
	case MEM_STORE:
		h->own[i] = history_publish(h, o, i, strong || ev->order == MEM_RELEASE);
		history_after_reads(h, o, i);
		history_overwrite(h, o, i);
		break;
	case MEM_ALLOC:
	case MEM_FREE:
		h->own[i] = history_publish(h, o, i, strong);
		break;
	case MEM_TOP:
		h->own[i] = history_publish(h, o, i, true);
		break;
	case MEM_FENCE:
	case MEM_SYNC:
	case MEM_DONE:
		o->fenced[w] = history_all(h, o, w, h->place[i]);
		h->own[i] = history_view_add(h, &o->fenced[w]);
		if (ev->kind != MEM_FENCE)
			history_know(h, o, w, &o->fenced[w]);
		break;
	case MEM_WORD_LOAD:
		word = history_word(o, ev->pa);
		history_view_join(h, &o->acquired[w], &word->released);
		history_know(h, o, w, &o->acquired[w]);
		history_view_join(h, &word->read, &o->known[w]);
		break;
	case MEM_WORD_STORE:
		word = history_word(o, ev->pa);
		history_view_join(h, &o->behind[w], &word->released);
		history_view_join(h, &o->behind[w], &word->read);
		all = history_all(h, o, w, h->place[i]);
		history_view_join(h, &word->released, &all);
		break;
	case MEM_DEVICE:
	case MEM_FLUSH:
	case MEM_ALLOC_FAIL:
	case MEM_DMA_MAP:
	case MEM_DMA_UNMAP:
	case MEM_INVALIDATE:
		break;
	}
}

/* Whether there are several writers, and a view therefore is more than a place. */
static void history_start(struct history *h)
{
	static const struct history_view nothing;

	h->several = h->c->writers_nr && h->c->hw.cfg.model != MODEL_INCOHERENT;
	h->views_nr = h->reads_nr = 0;
	if (h->several)
		history_view_add(h, &nothing);
}

void history_build(struct history *h, struct check *c)
{
	bool ordered = c->hw.cfg.model != MODEL_WEAK, incoherent = c->hw.cfg.model == MODEL_INCOHERENT;
	struct history_order order;
	uint32_t fence = 0, joined = 0, seq;
	size_t i;

	h->c = c;
	h->build++;
	h->touched_nr = h->nodes_nr = h->runs_nr = h->versions_nr = 0;
	HISTORY_GROW(h->own, 0, h->own_room, c->view->events_nr);
	HISTORY_GROW(h->place, 0, h->place_room, c->view->events_nr);
	history_start(h);
	if (h->several)
		memset(&order, 0, sizeof(order));
	for (i = 0; i < h->stale_nr; i++)
		history_add(h, HISTORY_NEVER, h->stale[i].pa, 1u << c->hw.item_bytes_lg2, h->stale[i].raw);
	for (i = 0; i < c->view->events_nr; i++) {
		const struct mem_event *ev = &c->view->events[i];
		struct touched *t;

		seq = ev->kind == MEM_STORE && ev->order == MEM_JOINED ? joined : (uint32_t)i + 1;
		h->place[i] = seq;
		h->own[i] = ordered ? seq : fence;
		if (h->several)
			history_order(h, &order, i);
		switch ((enum mem_event_kind)ev->kind) {
		case MEM_CAS:
			fence = seq;
			if (!h->several)
				h->own[i] = seq;
			history_add(h, (uint32_t)i, ev->pa, 1u << ev->bytes_lg2, 0);
			break;
		case MEM_STORE:
			if (ev->order == MEM_RELEASE && !h->several)
				h->own[i] = seq;
			joined = seq;
			history_add(h, (uint32_t)i, ev->pa, (uint64_t)ev->nr << ev->bytes_lg2, 0);
			break;
		case MEM_DEVICE:
			/* The device publishes nothing of its own. */
			h->own[i] = 0;
			history_add(h, (uint32_t)i, ev->pa, 1u << ev->bytes_lg2, 0);
			break;
		case MEM_ALLOC:
			t = history_record(h, ev->pa);
			t->alloc = seq;
			t->writers |= 1u << ev->writer;
			t->alloc_pub = h->own[i];
			break;
		case MEM_FREE:
			history_record(h, ev->pa)->free = seq;
			break;
		case MEM_FLUSH:
			if (incoherent)
				history_add_flush(h, (uint32_t)i, ev);
			break;
		case MEM_FENCE:
		case MEM_SYNC:
		case MEM_TOP:
			fence = ev->kind == MEM_TOP ? fence : seq;
			break;
		case MEM_ALLOC_FAIL:
		case MEM_DMA_MAP:
		case MEM_DMA_UNMAP:
		case MEM_INVALIDATE:
		case MEM_LOAD:
		case MEM_WORD_LOAD:
		case MEM_WORD_STORE:
		case MEM_DONE:
			break;
		}
	}
}

/* --- runs --- */

/* Whether two values mean the same to the device. Both are of a run with the same step, so their first items decide. */
static bool history_alike(const struct check *c, unsigned level, const struct version *a, const struct version *b)
{
	struct hw_entry ea, eb;

	if (a->uncleared || b->uncleared || a->step_lg2 != b->step_lg2)
		return false;
	ea = c->hw.format->decode(&c->hw, level, a->raw);
	eb = c->hw.format->decode(&c->hw, level, b->raw);
	return ea.kind == eb.kind && ea.kind != HW_BAD && ea.level == eb.level && ea.size_lg2 == eb.size_lg2 &&
	       ea.span_lg2 == eb.span_lg2 && ea.prot == eb.prot && ea.pa == eb.pa;
}

/* The value that event ev stored to, or (old) found in, the item at pa; ev stores whole items. */
static uint64_t history_value(const struct mem_event *ev, uint64_t pa, bool old)
{
	unsigned i = (unsigned)((pa - ev->pa) >> ev->bytes_lg2);

	return old ? mem_event_old(ev, i) : mem_event_new(ev, i);
}

static const struct mem_event *history_event(const struct history *h, const struct history_node *n)
{
	return n->event == HISTORY_NEVER ? NULL : &h->c->view->events[n->event];
}

static bool history_stores(const struct history *h, const struct history_node *n)
{
	const struct mem_event *ev = history_event(h, n);

	return ev && ev->kind != MEM_FLUSH;
}

/* The run's slots held this since the store by event (HISTORY_NEVER: from before); its floor is known unless it waits for a write-back. */
static void history_push(struct history *h, struct run *run, uint64_t raw, unsigned step_lg2, uint32_t event)
{
	bool incoherent = h->c->hw.cfg.model == MODEL_INCOHERENT;
	struct version v = { .raw = raw, .step_lg2 = (uint8_t)step_lg2 };

	HISTORY_GROW(h->versions, h->versions_nr, h->versions_room, 1);
	if (event != HISTORY_NEVER) {
		v.seq = h->place[event];
		v.pub = h->own[event];
		v.floor = incoherent ? HISTORY_NEVER : v.seq;
	} else if (run->versions_nr) {
		v.floor = HISTORY_NEVER;
	}
	if (run->versions_nr)
		v.pub = history_join(h, v.pub, h->versions[h->versions_nr - 1].pub);
	h->versions[h->versions_nr++] = v;
	run->versions_nr++;
}

/* All versions so far have been written back by the event at seq: what is older than the newest cannot be read after that. */
static void history_written_back(struct history *h, const struct run *run, uint32_t seq)
{
	uint32_t i;

	for (i = run->versions_nr; i && h->versions[run->versions_at + i - 1].floor == HISTORY_NEVER; i--)
		h->versions[run->versions_at + i - 1].floor = seq;
}

/* What earlier operations left to be seen comes first. Returns how many of the nodes that is. */
static uint32_t history_stale(struct history *h, struct run *run, const uint32_t *cover, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr && h->nodes[cover[i]].event == HISTORY_NEVER; i++)
		history_push(h, run, h->nodes[cover[i]].stale, 0, HISTORY_NEVER);
	return i;
}

/* What the run held before its first store: of a new table the bytes that were there, then zeroes. */
static void history_first(struct history *h, const struct touched *t, struct run *run, const uint32_t *cover, uint32_t nr)
{
	uint64_t pa = t->pa + ((uint64_t)run->first << h->c->hw.item_bytes_lg2);
	uint32_t i;

	if (t->alloc != HISTORY_NEVER) {
		history_push(h, run, 0, 0, HISTORY_NEVER);
		h->versions[run->versions_at].uncleared = true;
		history_push(h, run, 0, 0, t->alloc - 1);
		return;
	}
	i = history_stale(h, run, cover, nr);
	while (i < nr && !history_stores(h, &h->nodes[cover[i]]))
		i++;
	if (i < nr) {
		const struct mem_event *ev = history_event(h, &h->nodes[cover[i]]);

		history_push(h, run, history_value(ev, pa, true), ev->old_step_lg2, HISTORY_NEVER);
	} else {
		history_push(h, run, mem_view_load(h->c->view, pa, h->c->hw.item_bytes_lg2), 0, HISTORY_NEVER);
	}
}

/* Versions that mean the same are one, the oldest, for a device that does not snoop. */
static void history_merge(struct history *h, struct run *run, unsigned level)
{
	struct version *v = &h->versions[run->versions_at];
	uint32_t i, nr = 1;

	for (i = 1; i < run->versions_nr; i++)
		if (!history_alike(h->c, level, &v[nr - 1], &v[i]))
			v[nr++] = v[i];
	run->versions_nr = nr;
	h->versions_nr = run->versions_at + nr;
}

/* --- stores narrower than an item --- */

static bool history_narrow(const struct history *h, const struct history_node *n)
{
	return history_stores(h, n) && history_event(h, n)->bytes_lg2 < h->c->hw.item_bytes_lg2;
}

/* Put the part of the item at pa that ev stored to, its item i, into raw: the new value or the old. */
static uint64_t history_part(const struct mem_event *ev, uint64_t pa, unsigned i, uint64_t raw, bool old)
{
	unsigned bits = 8u << ev->bytes_lg2, shift = (unsigned)(ev->pa + ((uint64_t)i << ev->bytes_lg2) - pa) * 8;
	uint64_t mask = layout_mask(bits) << shift, part = old ? mem_event_old(ev, i) : mem_event_new(ev, i);

	return (raw & ~mask) | (part << shift & mask);
}

/* The parts of ev that lie in the item at pa: *first to *last. */
static void history_parts(const struct history *h, const struct mem_event *ev, uint64_t pa, unsigned *first, unsigned *last)
{
	uint64_t end = pa + (1u << h->c->hw.item_bytes_lg2), ev_end = ev->pa + ((uint64_t)ev->nr << ev->bytes_lg2);

	*first = ev->pa < pa ? (unsigned)((pa - ev->pa) >> ev->bytes_lg2) : 0;
	*last = (unsigned)(((end < ev_end ? end : ev_end) - ev->pa) >> ev->bytes_lg2) - 1;
}

/*
 * Node at of those that cover the slot at pa stored to a part of it, maybe together with the nodes after it: those of one fill, whose parts come
 * in any order; with two of them, either first. Returns the last of these nodes. *raw becomes what the slot holds then.
 */
static uint32_t history_torn_fill(struct history *h, struct run *run, uint64_t pa, const uint32_t *cover, uint32_t nr, uint32_t at,
				  uint64_t *raw)
{
	uint32_t event = h->nodes[cover[at]].event, last = at, i;
	uint64_t before = *raw;
	unsigned k, from, to, parts = 0;

	while (last + 1 < nr && history_narrow(h, &h->nodes[cover[last + 1]]) &&
	       h->place[h->nodes[cover[last + 1]].event] == h->place[event])
		last++;
	for (i = at; i <= last; i++) {
		const struct mem_event *ev = history_event(h, &h->nodes[cover[i]]);

		history_parts(h, ev, pa, &from, &to);
		for (k = from; k <= to; k++, parts++) {
			history_push(h, run, history_part(ev, pa, k, before, false), 0, event);
			h->versions[h->versions_nr - 1].torn = true;
			h->versions[h->versions_nr - 1].floor = HISTORY_NEVER;
			*raw = history_part(ev, pa, k, *raw, false);
		}
	}
	/* A part that came alone is the whole of it. */
	if (parts == 1) {
		run->versions_nr--;
		h->versions_nr--;
	}
	history_push(h, run, *raw, 0, event);
	h->versions[h->versions_nr - 1].torn = true;
	return last;
}

/* The run is one slot, part of which was stored to: each part is a version of its own. */
static void history_torn(struct history *h, const struct touched *t, struct run *run, const uint32_t *cover, uint32_t nr)
{
	uint64_t pa = t->pa + ((uint64_t)run->first << h->c->hw.item_bytes_lg2),
		 raw = mem_view_load(h->c->view, pa, h->c->hw.item_bytes_lg2);
	unsigned k, first, last;
	uint32_t i;

	/* From what is there now back to what was there before. */
	for (i = nr; i--;) {
		const struct mem_event *ev = history_event(h, &h->nodes[cover[i]]);

		if (!history_stores(h, &h->nodes[cover[i]]))
			continue;
		if (!history_narrow(h, &h->nodes[cover[i]])) {
			raw = history_value(ev, pa, true);
			continue;
		}
		history_parts(h, ev, pa, &first, &last);
		for (k = first; k <= last; k++)
			raw = history_part(ev, pa, k, raw, true);
	}
	if (t->alloc != HISTORY_NEVER) {
		history_first(h, t, run, cover, 0);
	} else {
		history_stale(h, run, cover, nr);
		history_push(h, run, raw, 0, HISTORY_NEVER);
	}
	for (i = 0; i < nr; i++) {
		const struct history_node *n = &h->nodes[cover[i]];
		const struct mem_event *ev = history_event(h, n);

		if (!ev)
			continue;
		if (ev->kind == MEM_FLUSH) {
			history_written_back(h, run, n->event + 1);
		} else if (!history_narrow(h, n)) {
			raw = history_value(ev, pa, false);
			history_push(h, run, raw, 0, n->event);
		} else {
			i = history_torn_fill(h, run, pa, cover, nr, i, &raw);
		}
	}
}

/* --- from events to runs --- */

/* Slots first to last, which exactly these events cover. */
static void history_emit(struct history *h, const struct touched *t, unsigned level, uint32_t first, uint32_t last, const uint32_t *cover,
			 uint32_t nr)
{
	struct run run = { .first = first, .nr = last - first + 1, .versions_at = (uint32_t)h->versions_nr };
	bool narrow = false, changes = t->alloc != HISTORY_NEVER;
	uint32_t i;

	for (i = 0; i < nr; i++) {
		const struct history_node *n = &h->nodes[cover[i]];

		changes |= n->event == HISTORY_NEVER || history_stores(h, n);
		narrow |= history_narrow(h, n);
	}
	/* What was written back and not stored to is as it was. */
	if (!changes)
		return;
	if (narrow && first != last) {
		for (; first <= last; first++)
			history_emit(h, t, level, first, first, cover, nr);
		return;
	}
	if (narrow) {
		history_torn(h, t, &run, cover, nr);
	} else {
		uint64_t pa = t->pa + ((uint64_t)first << h->c->hw.item_bytes_lg2);

		history_first(h, t, &run, cover, nr);
		for (i = 0; i < nr; i++) {
			const struct mem_event *ev = history_event(h, &h->nodes[cover[i]]);

			if (ev && ev->kind == MEM_FLUSH)
				history_written_back(h, &run, h->nodes[cover[i]].event + 1);
			else if (ev)
				history_push(h, &run, history_value(ev, pa, false), ev->step_lg2, h->nodes[cover[i]].event);
		}
	}
	if (h->c->hw.cfg.model == MODEL_INCOHERENT)
		history_merge(h, &run, level);
	HISTORY_GROW(h->runs, h->runs_nr, h->runs_room, 1);
	h->runs[h->runs_nr++] = run;
}

/* The table's nodes by their first slot; those of the same first slot, and so those of one slot, in the order of the log. Returns how many. */
static uint32_t history_sort(struct history *h, const struct touched *t)
{
	uint32_t idx, nr = 0, i;

	for (idx = t->nodes_first; idx != HISTORY_NEVER; idx = h->nodes[idx].next) {
		/* What came before the table was allocated was not about this table. */
		if (t->alloc != HISTORY_NEVER && (h->nodes[idx].event == HISTORY_NEVER || h->nodes[idx].event + 1 < t->alloc))
			continue;
		HISTORY_GROW(h->sorted, nr, h->sorted_room, 1);
		for (i = nr++; i && h->nodes[h->sorted[i - 1]].first > h->nodes[idx].first; i--)
			h->sorted[i] = h->sorted[i - 1];
		h->sorted[i] = idx;
	}
	return nr;
}

/* Among the events that cover the current slot, in the order of the log, make room for one more. */
static uint32_t history_cover(struct history *h, uint32_t nr, uint32_t node)
{
	uint32_t i;

	HISTORY_GROW(h->cover, nr, h->cover_room, 1);
	for (i = nr; i && h->cover[i - 1] > node; i--)
		h->cover[i] = h->cover[i - 1];
	h->cover[i] = node;
	return nr + 1;
}

/* Take out the events that end with slot last. Returns how many are left. */
static uint32_t history_uncover(struct history *h, uint32_t nr, uint32_t last)
{
	uint32_t i, left = 0;

	for (i = 0; i < nr; i++)
		if (h->nodes[h->cover[i]].last != last)
			h->cover[left++] = h->cover[i];
	return left;
}

void history_runs(struct history *h, struct touched *t, unsigned level)
{
	uint32_t nr, i = 0, covers = 0, at = 0, last, k;
	bool fresh = t->alloc != HISTORY_NEVER;

	if (t->runs_nr != HISTORY_NEVER)
		return;
	t->runs_at = (uint32_t)h->runs_nr;
	nr = history_sort(h, t);
	while (i < nr || covers) {
		if (!covers) {
			if (fresh && h->nodes[h->sorted[i]].first > at)
				history_emit(h, t, level, at, h->nodes[h->sorted[i]].first - 1, NULL, 0);
			at = h->nodes[h->sorted[i]].first;
		}
		for (; i < nr && h->nodes[h->sorted[i]].first == at; i++)
			covers = history_cover(h, covers, h->sorted[i]);
		last = i < nr ? h->nodes[h->sorted[i]].first - 1 : t->items - 1;
		for (k = 0; k < covers; k++)
			if (h->nodes[h->cover[k]].last < last)
				last = h->nodes[h->cover[k]].last;
		history_emit(h, t, level, at, last, h->cover, covers);
		covers = history_uncover(h, covers, last);
		at = last + 1;
	}
	if (fresh && at < t->items)
		history_emit(h, t, level, at, t->items - 1, NULL, 0);
	t->runs_nr = (uint32_t)(h->runs_nr - t->runs_at);
}

const struct run *history_run(const struct history *h, const struct touched *t, uint32_t slot)
{
	uint32_t lo = 0, hi = t->runs_nr;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		const struct run *run = &h->runs[t->runs_at + mid];

		if (slot < run->first)
			hi = mid;
		else if (slot - run->first >= run->nr)
			lo = mid + 1;
		else
			return run;
	}
	return NULL;
}

void history_visible(const struct history *h, const struct run *run, uint32_t view, uint32_t until, uint32_t *lo, uint32_t *hi)
{
	const struct version *v = &h->versions[run->versions_at];
	uint32_t i = run->versions_nr - 1;

	while (v[i].seq >= until)
		i--;
	*hi = run->versions_at + i;
	while (i && !history_sees(h, view, v[i].floor))
		i--;
	*lo = run->versions_at + i;
}

/* Older values of the run's slots that the device may still see. */
static void history_keep(struct history *h, const struct touched *t, const struct run *run)
{
	uint32_t lo, hi, slot, i;

	history_visible(h, run, HISTORY_NEVER - 1, HISTORY_NEVER, &lo, &hi);
	for (slot = 0; lo < hi && slot < run->nr; slot++) {
		for (i = lo; i < hi; i++) {
			const struct version *v = &h->versions[i];

			if (v->uncleared)
				continue;
			HISTORY_GROW(h->stale, h->stale_nr, h->stale_room, 1);
			h->stale[h->stale_nr++] = (struct stale){
				.pa = t->pa + ((uint64_t)(run->first + slot) << h->c->hw.item_bytes_lg2),
				.raw = v->step_lg2 ? v->raw + ((uint64_t)slot << v->step_lg2) : v->raw,
			};
		}
	}
}

void history_settle(struct history *h)
{
	size_t i;
	uint32_t k;

	h->stale_nr = 0;
	for (i = 0; i < h->touched_nr; i++) {
		struct touched *t = &h->touched[i];

		if (t->free != HISTORY_NEVER)
			continue;
		history_runs(h, t, check_page(h->c, t->pa)->level);
		for (k = 0; k < t->runs_nr; k++)
			history_keep(h, t, &h->runs[t->runs_at + k]);
	}
}
