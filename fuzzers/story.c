/* SPDX-License-Identifier: GPL-2.0-or-later */
/* story.c - the log of an operation in words. */
#include "story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../oracle/iotlb.h"
#include "config_key.h"
#include "say.h"

/* --- where tables are --- */

static size_t story_frame(const struct story *s, uint64_t pa)
{
	return (pa - s->view->pa) >> MEM_FRAME_LG2;
}

uint64_t story_table(const struct story *s, uint64_t pa)
{
	const struct mem_frame *f = mem_view_frame(s->view, pa);
	uint64_t start = pa & ~layout_mask(MEM_FRAME_LG2);

	return f->state == MEM_FRAME_TAIL ? start - ((uint64_t)f->bytes << MEM_FRAME_LG2) : start;
}

/* Level and first iova of a table; false if it was never linked. */
static bool story_where(const struct story *s, uint64_t table, struct story_place *place)
{
	const struct page *page = &s->c->pages[story_frame(s, table)];

	*place = s->places[story_frame(s, table)];
	if (!place->fresh)
		*place = (struct story_place){ .known = true, .level = page->level, .iova = page->iova };
	return place->known;
}

static uint64_t story_iova(const struct story *s, const struct story_place *place, uint64_t table, uint64_t pa)
{
	uint64_t idx = (pa - table) >> s->hw->item_bytes_lg2;

	return check_item_iova(s->hw, place->iova, place->level, table == s->view->root || table == s->c->root, idx);
}

/* The table at pa is at this level and starts with this iova. Returns whether that is news. */
static bool story_learn(struct story *s, uint64_t pa, unsigned level, uint64_t iova)
{
	struct story_place *place;

	if (!mem_view_has(s->view, pa, 1) || level > s->hw->top_level_max)
		return false;
	place = &s->places[story_frame(s, pa)];
	if (!place->fresh || place->known)
		return false;
	place->known = true;
	place->level = (uint8_t)level;
	place->iova = iova;
	return true;
}

/* What a store says about the tables that it links. Returns whether that is news. */
static bool story_learn_links(struct story *s, const struct mem_event *ev)
{
	uint64_t table = story_table(s, ev->pa);
	struct story_place place;
	bool news = false;
	unsigned i;

	if (1u << ev->bytes_lg2 != s->item_bytes || !story_where(s, table, &place))
		return false;
	for (i = 0; i < ev->nr; i++) {
		struct hw_entry e = s->hw->format->decode(s->hw, place.level, mem_event_new(ev, i));

		/* The values of a fill differ in their addresses alone. */
		if (e.kind != HW_TABLE)
			break;
		news |= story_learn(s, e.pa, e.level, story_iova(s, &place, table, ev->pa + (uint64_t)i * s->item_bytes));
	}
	return news;
}

/* A table may be linked long after it was filled: look until nothing new is learned. */
static void story_learn_all(struct story *s)
{
	bool news = true;
	size_t i;

	while (news) {
		news = false;
		for (i = 0; i < s->view->events_nr; i++) {
			const struct mem_event *ev = &s->view->events[i];

			if (ev->kind == MEM_TOP)
				news |= story_learn(s, ev->pa, (unsigned)ev->old, 0);
			else if (ev->kind == MEM_STORE || ev->kind == MEM_CAS)
				news |= story_learn_links(s, ev);
		}
	}
}

void story_init(struct story *s, const struct check *c)
{
	size_t i;

	*s = (struct story){ .c = c, .view = c->view, .hw = &c->hw, .item_bytes = 1u << c->hw.item_bytes_lg2 };
	s->places = calloc(c->pages_nr, sizeof(*s->places));
	if (!s->places)
		abort();
	for (i = 0; i < s->view->events_nr; i++)
		if (s->view->events[i].kind == MEM_ALLOC)
			s->places[story_frame(s, s->view->events[i].pa)].fresh = true;
	story_learn_all(s);
}

void story_release(struct story *s)
{
	free(s->places);
	s->places = NULL;
}

/* --- what items are --- */

void story_size(unsigned size_lg2, char *buf, size_t room)
{
	static const char units[] = " KMGTPE";

	say(buf, room, "%u%c", 1u << size_lg2 % 10, units[size_lg2 / 10]);
}

void story_prot(const struct hw *hw, const struct hw_entry *e, char *buf, size_t room)
{
	bool keeps = e->kind == HW_LEAF && hw->ad_mask;

	say(buf, room, "%c%c%c%s%s%s%s%s", e->prot & PROT_R ? 'r' : '-', e->prot & PROT_W ? 'w' : '-', e->prot & PROT_X ? 'x' : '-',
	    e->prot & PROT_MMIO ? " mmio" : "", e->prot & PROT_CACHE ? " cache" : "", e->prot & PROT_PRIV ? " priv" : "",
	    keeps && e->accessed ? " A" : "", keeps && e->dirty ? " D" : "");
}

/* Items from raw to raw_last, which differ in their addresses alone. */
static void story_entries(const struct hw *hw, unsigned level, uint64_t raw, uint64_t raw_last, char *buf, size_t room)
{
	struct hw_entry e = hw->format->decode(hw, level, raw), last = hw->format->decode(hw, level, raw_last);

	switch (e.kind) {
	case HW_EMPTY:
		say(buf, room, "empty");
		break;
	case HW_BAD:
		say(buf, room, "forbidden: %s", e.why);
		break;
	case HW_TABLE:
		say(buf, room, "table 0x%llx", (unsigned long long)e.pa);
		break;
	case HW_LEAF:
		story_size(e.size_lg2, buf, room);
		say(buf, room, " %s, oa 0x%llx", e.size_lg2 > hw->item_lg2[level] ? "group" : "leaf", (unsigned long long)e.pa);
		break;
	}
	if (last.pa != e.pa && (e.kind == HW_TABLE || e.kind == HW_LEAF))
		say(buf, room, " to 0x%llx", (unsigned long long)last.pa);
	if (e.kind == HW_LEAF) {
		say(buf, room, " ");
		story_prot(hw, &e, buf, room);
	}
}

void story_entry(const struct hw *hw, unsigned level, uint64_t raw, char *buf, size_t room)
{
	story_entries(hw, level, raw, raw, buf, room);
}

/* --- what an item held --- */

bool story_stores(const struct story *s, size_t idx, uint64_t pa)
{
	const struct mem_event *ev = &s->view->events[idx];

	if (ev->kind != MEM_STORE && ev->kind != MEM_CAS && ev->kind != MEM_DEVICE)
		return false;
	return ev->pa < pa + s->item_bytes && pa < ev->pa + ((uint64_t)ev->nr << ev->bytes_lg2);
}

/* What the item at pa, which held raw after ev, held before. */
static uint64_t story_undo(const struct story *s, const struct mem_event *ev, uint64_t pa, uint64_t raw)
{
	unsigned bits = 8u << ev->bytes_lg2, i, shift;
	uint64_t part = pa;

	for (; part < pa + s->item_bytes; part += 1u << ev->bytes_lg2) {
		if (part < ev->pa || part >= ev->pa + ((uint64_t)ev->nr << ev->bytes_lg2))
			continue;
		i = (unsigned)((part - ev->pa) >> ev->bytes_lg2);
		shift = (unsigned)(part - pa) * 8;
		raw &= ~(layout_mask(bits) << shift);
		raw |= (mem_event_old(ev, i) & layout_mask(bits)) << shift;
	}
	return raw;
}

uint64_t story_item(const struct story *s, uint64_t pa, size_t nr)
{
	uint64_t raw = mem_view_load(s->view, pa, s->hw->item_bytes_lg2);
	size_t i;

	for (i = s->view->events_nr; i-- > nr;)
		if (story_stores(s, i, pa))
			raw = story_undo(s, &s->view->events[i], pa, raw);
	return raw;
}

/* --- events --- */

bool story_joined(const struct story *s, size_t idx)
{
	const struct mem_event *ev = &s->view->events[idx];

	return idx < s->view->events_nr && ev->kind == MEM_STORE && ev->order == MEM_JOINED;
}

void story_kind(const struct story *s, size_t idx, char *buf, size_t room)
{
	static const char *const names[] = {
		[MEM_CAS] = "compare-exchange",   [MEM_FENCE] = "fence", [MEM_FLUSH] = "write-back", [MEM_ALLOC] = "alloc",
		[MEM_ALLOC_FAIL] = "alloc fails", [MEM_FREE] = "free",   [MEM_DMA_MAP] = "dma map",  [MEM_DMA_UNMAP] = "dma unmap",
		[MEM_INVALIDATE] = "invalidate",  [MEM_SYNC] = "sync",   [MEM_TOP] = "root",         [MEM_DEVICE] = "device",
		[MEM_LOAD] = "load",              [MEM_WORD_LOAD] = "acquire", [MEM_WORD_STORE] = "release",  [MEM_DONE] = "has ended",
	};
	static const char *const orders[] = { [MEM_RELAXED] = "relaxed", [MEM_RELEASE] = "release", [MEM_JOINED] = "goes on" };
	const struct mem_event *ev = &s->view->events[idx];

	if (ev->kind == MEM_LOAD && ev->order == MEM_RELEASE)
		say(buf, room, "exchange fails");
	else if (ev->kind == MEM_STORE)
		say(buf, room, "%s, %s", ev->nr > 1 || ev->order == MEM_JOINED || story_joined(s, idx + 1) ? "fill" : "store",
		    orders[ev->order]);
	else
		say(buf, room, "%s", names[ev->kind]);
}

/* "level 1 0x103018 x 4 [0x2c000, 0x3bfff]": nr items from pa on. */
static void story_slots(const struct story *s, uint64_t pa, uint64_t nr, char *buf, size_t room)
{
	bool known = mem_view_has(s->view, pa, 1);
	uint64_t table = known ? story_table(s, pa) : pa, iova, last;
	struct story_place place;

	if (known)
		known = story_where(s, table, &place);
	if (known)
		say(buf, room, "level %u 0x%llx", place.level, (unsigned long long)pa);
	else
		say(buf, room, "unlinked 0x%llx", (unsigned long long)pa);
	if (nr > 1)
		say(buf, room, " x %llu", (unsigned long long)nr);
	if (!known)
		return;
	iova = story_iova(s, &place, table, pa);
	last = story_iova(s, &place, table, pa + (nr - 1) * s->item_bytes) | layout_mask(s->hw->item_lg2[place.level]);
	say(buf, room, " [0x%llx, 0x%llx]", (unsigned long long)iova, (unsigned long long)last);
}

/* "level 1 table 0x103000 [0x0, 0x3fffffff]". */
static void story_whole(const struct story *s, uint64_t pa, char *buf, size_t room)
{
	struct story_place place;

	if (!mem_view_has(s->view, pa, 1) || !story_where(s, pa, &place)) {
		say(buf, room, "table 0x%llx", (unsigned long long)pa);
		return;
	}
	say(buf, room, "level %u table 0x%llx [0x%llx, ", place.level, (unsigned long long)pa,
	    (unsigned long long)story_iova(s, &place, pa, pa));
	say(buf, room, "0x%llx]",
	    (unsigned long long)(story_iova(s, &place, pa, pa + (layout_mask(s->hw->index_lg2[place.level]) << s->hw->item_bytes_lg2)) |
				 layout_mask(s->hw->item_lg2[place.level])));
}

/* Items pa to pa + (nr - 1) * item_bytes held old to old_last, and then new to new_last. */
static void story_change(const struct story *s, uint64_t pa, uint64_t nr, const uint64_t old[2], const uint64_t new[2], char *buf,
			 size_t room)
{
	char was[STORY_LINE_MAX / 4] = "", is[STORY_LINE_MAX / 4] = "";
	struct story_place place;

	story_slots(s, pa, nr, buf, room);
	if (!story_where(s, story_table(s, pa), &place)) {
		say(buf, room, ": 0x%llx -> 0x%llx", (unsigned long long)old[0], (unsigned long long)new[0]);
		return;
	}
	story_entries(s->hw, place.level, old[0], old[1], was, sizeof(was));
	story_entries(s->hw, place.level, new[0], new[1], is, sizeof(is));
	say(buf, room, ": %s -> %s", was, is);
	/* What the words do not tell apart. */
	if (!strcmp(was, is))
		say(buf, room, " (0x%llx -> 0x%llx)", (unsigned long long)old[0], (unsigned long long)new[0]);
}

/* Stores of whole items, or of a part of one. */
static void story_store(const struct story *s, size_t idx, size_t nr, char *buf, size_t room)
{
	const struct mem_event *ev = &s->view->events[idx], *last = ev + nr - 1;
	uint64_t old[2] = { mem_event_old(ev, 0), mem_event_old(last, last->nr - 1u) };
	uint64_t new[2] = { mem_event_new(ev, 0), mem_event_new(last, last->nr - 1u) };
	uint64_t offset = ev->pa & (s->item_bytes - 1), bytes = (uint64_t)ev->nr << ev->bytes_lg2;

	if (1u << ev->bytes_lg2 == s->item_bytes) {
		story_change(s, ev->pa, nr > 1 ? nr : ev->nr, old, new, buf, room);
	} else {
		old[0] = old[1] = story_item(s, ev->pa - offset, idx);
		new[0] = new[1] = story_item(s, ev->pa - offset, idx + 1);
		say(buf, room, "bytes %u to %u of ", (unsigned)offset, (unsigned)(offset + bytes) - 1);
		story_change(s, ev->pa - offset, (offset + bytes + s->item_bytes - 1) / s->item_bytes, old, new, buf, room);
	}
	if (nr > 1)
		say(buf, room, ",%s up to #%zu", ev->order == MEM_JOINED ? "" : " one by one", idx + nr);
}

/* Whether next goes on where item leaves off, with equal attributes. */
static bool story_follows(const struct hw *hw, unsigned level, uint64_t item, uint64_t next)
{
	struct hw_entry a = hw->format->decode(hw, level, item), b = hw->format->decode(hw, level, next);
	uint64_t step = b.pa - a.pa;

	if (a.kind != b.kind || a.kind == HW_TABLE || a.kind == HW_BAD)
		return false;
	return a.kind == HW_EMPTY || (a.size_lg2 == b.size_lg2 && a.prot == b.prot && a.accessed == b.accessed && a.dirty == b.dirty &&
				      (!step || step == UINT64_C(1) << a.span_lg2));
}

size_t story_alike(const struct story *s, size_t idx)
{
	const struct mem_event *ev = &s->view->events[idx], *next;
	struct story_place place;
	size_t nr = 1;

	if (ev->kind != MEM_STORE && ev->kind != MEM_CAS && ev->kind != MEM_DEVICE)
		return 1;
	if (ev->nr > 1 || 1u << ev->bytes_lg2 != s->item_bytes || !story_where(s, story_table(s, ev->pa), &place))
		return 1;
	for (; idx + nr < s->view->events_nr; nr++, ev = next) {
		next = ev + 1;
		if (next->kind != ev->kind || next->writer != ev->writer || next->order != ev->order || next->nr > 1 || next->bytes_lg2 != ev->bytes_lg2 ||
		    next->pa != ev->pa + s->item_bytes || story_table(s, next->pa) != story_table(s, ev->pa) ||
		    !story_follows(s->hw, place.level, ev->old, next->old) || !story_follows(s->hw, place.level, ev->new, next->new))
			break;
	}
	return nr;
}

static void story_levels(unsigned levels, char *buf, size_t room)
{
	unsigned level;

	if (levels == 0xff)
		return;
	say(buf, room, " of level");
	for (level = 0; level < 8; level++)
		if (levels >> level & 1)
			say(buf, room, " %u", level);
}

/* What a command is sure to remove. */
static void story_invalidate(const struct story *s, const struct mem_event *ev, char *buf, size_t room)
{
	struct iotlb_cmd cmd;
	unsigned i;

	for (i = 0; i < CONFIG_KEYS_NR; i++)
		if (!strcmp(config_keys[i].name, "tlb") && ev->pa < TLB_NR)
			say(buf, room, "%s ", config_keys[i].names[ev->pa]);
	say(buf, room, "0x%llx 0x%llx: ", (unsigned long long)ev->old, (unsigned long long)ev->new);
	iotlb_decode(s->hw, (unsigned)ev->pa, ev->old, ev->new, &cmd);
	if (cmd.why || (!cmd.leaves && !cmd.tables)) {
		say(buf, room, "removes nothing%s%s", cmd.why ? ": " : "", cmd.why ? cmd.why : "");
		return;
	}
	say(buf, room, "removes ");
	if (cmd.leaves) {
		say(buf, room, "leaves");
		story_levels(cmd.leaf_levels, buf, room);
	}
	say(buf, room, "%s%s %s [0x%llx, 0x%llx]", cmd.leaves && cmd.tables ? " and " : "", cmd.tables ? "table pointers" : "",
	    cmd.inside ? "inside" : "that touch", (unsigned long long)cmd.iova, (unsigned long long)cmd.last);
}

/* What a writer read; one of several. */
static void story_load(const struct story *s, const struct mem_event *ev, char *buf, size_t room)
{
	struct story_place place;

	story_slots(s, ev->pa, 1, buf, room);
	say(buf, room, ": ");
	if (1u << ev->bytes_lg2 == s->item_bytes && story_where(s, story_table(s, ev->pa), &place))
		story_entry(s->hw, place.level, ev->new, buf, room);
	else
		say(buf, room, "0x%llx", (unsigned long long)ev->new);
}

void story_event(const struct story *s, size_t idx, size_t nr, char *buf, size_t room)
{
	const struct mem_event *ev = &s->view->events[idx];
	char number[24], kind[32] = "";

	snprintf(number, sizeof(number), "#%zu", idx + 1);
	if (ev->writer)
		say(buf, room, "writer %u ", ev->writer);
	story_kind(s, idx, kind, sizeof(kind));
	say(buf, room, "%6s  %-16s  ", number, kind);
	switch ((enum mem_event_kind)ev->kind) {
	case MEM_STORE:
	case MEM_CAS:
	case MEM_DEVICE:
		story_store(s, idx, nr, buf, room);
		break;
	case MEM_FLUSH:
		story_slots(s, ev->pa, (ev->old + s->item_bytes - 1) / s->item_bytes, buf, room);
		break;
	case MEM_ALLOC:
	case MEM_FREE:
	case MEM_DMA_MAP:
	case MEM_DMA_UNMAP:
		story_whole(s, ev->pa, buf, room);
		say(buf, room, ", %llu bytes%s", (unsigned long long)ev->old, ev->kind == MEM_ALLOC ? " of zeroes" : "");
		break;
	case MEM_ALLOC_FAIL:
		say(buf, room, "%llu bytes", (unsigned long long)ev->old);
		break;
	case MEM_INVALIDATE:
		story_invalidate(s, ev, buf, room);
		break;
	case MEM_TOP:
		story_whole(s, ev->pa, buf, room);
		break;
	case MEM_LOAD:
		story_load(s, ev, buf, room);
		break;
	case MEM_WORD_LOAD:
	case MEM_WORD_STORE:
		say(buf, room, "a word outside of table memory%s", ev->old ? ", a lock" : "");
		break;
	case MEM_FENCE:
	case MEM_SYNC:
	case MEM_DONE:
		while (buf[0] && buf[strlen(buf) - 1] == ' ')
			buf[strlen(buf) - 1] = '\0';
		break;
	}
}
