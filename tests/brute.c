/* SPDX-License-Identifier: GPL-2.0-or-later */
/* brute.c - a depth-first search with a memory over everything that may happen while one iova is walked; see brute.h for what may happen. */
#include "brute.h"

#include <stdlib.h>
#include <string.h>

#define BRUTE_TOP UINT64_MAX /* the item that TOP stores to */
#define BRUTE_FREED 1        /* FREE stores to the item at this distance from the table */

/*
 * struct store - one store to (a part of) one item.
 *
 * @event: place in the log; SIZE_MAX: by an earlier operation, and before all others
 * @group: that of the first event of the fill that it belongs to
 * @item:  address of the item, BRUTE_TOP, or a table and BRUTE_FREED
 * @mask, @val, @old: the bits of the item that it changes, to what, from what. TOP: @val is the place of the event
 * @clears: the zero of ALLOC
 * @at_once: reaches memory when it is executed
 * @bit:   its place in the sets of stores, or 0 if no walk of this iova can tell
 * @before: those that must be in memory before it
 */
struct store {
	size_t event, group;
	uint64_t item, mask, val, old;
	unsigned writer;
	bool clears, at_once;
	uint64_t bit, before;
};

/*
 * struct state - everything between two steps.
 *
 * @pc:       by writer, its next event; those before it have been executed
 * @executed: stores that have been executed
 * @memory:   stores that have reached memory
 * @started:  a walk is in flight; the next item that it reads is in @table
 * @allowed, @priv: what the pointers so far leave
 * @read, @read_nr: tables that it has read
 */
struct state {
	uint64_t executed, memory, table;
	uint64_t read[CONFIG_LEVELS_MAX];
	uint16_t pc[MEM_WRITERS_MAX + 1];
	uint8_t started, level, allowed, priv, read_nr;
};

struct search {
	const struct brute *b;
	const struct hw *hw;
	const struct mem_view *view;
	uint64_t iova;
	struct brute_set *set;
	struct store *stores;
	size_t stores_nr, stores_room;
	unsigned bits_nr;
	/* Tables at levels that a walk may read, for reach(). */
	struct {
		uint64_t table;
		unsigned level;
	} *reached;
	size_t reached_nr, reached_room;
};

/* The states that have been visited; kept from search to search, with a stamp, since clearing it would take most of the time. */
static struct {
	struct state *states;
	uint32_t *stamps, stamp;
	size_t room, nr;
} seen;

/* --- outcomes --- */

static int brute_compare(const struct brute_outcome *a, const struct brute_outcome *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->oa != b->oa)
		return a->oa < b->oa ? -1 : 1;
	return a->prot == b->prot ? 0 : a->prot < b->prot ? -1 : 1;
}

void brute_add(struct brute_set *set, const struct brute_outcome *o)
{
	unsigned i = set->nr;

	while (i && brute_compare(&set->at[i - 1], o) > 0)
		i--;
	if (i && !brute_compare(&set->at[i - 1], o))
		return;
	if (set->nr == BRUTE_OUTCOMES_MAX)
		abort();
	memmove(&set->at[i + 1], &set->at[i], (set->nr - i) * sizeof(*o));
	set->at[i] = *o;
	set->nr++;
}

bool brute_has(const struct brute_set *a, const struct brute_set *b)
{
	unsigned i, k;

	for (i = 0; i < b->nr; i++) {
		for (k = 0; k < a->nr && brute_compare(&a->at[k], &b->at[i]); k++)
			;
		if (k == a->nr)
			return false;
	}
	return true;
}

bool brute_equal(const struct brute_set *a, const struct brute_set *b)
{
	unsigned i;

	for (i = 0; i < a->nr && i < b->nr; i++)
		if (brute_compare(&a->at[i], &b->at[i]))
			return false;
	return a->nr == b->nr;
}

static void end(struct search *s, enum explore_kind kind, uint64_t oa, unsigned prot)
{
	brute_add(s->set, &(struct brute_outcome){ .kind = kind, .oa = oa, .prot = prot });
}

/* --- the log, as stores --- */

static uint64_t low_mask(unsigned n)
{
	return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

/* The event that begins the fill of which the one at is a part; at itself if it is all. */
static size_t group_of(const struct search *s, size_t at)
{
	while (at != SIZE_MAX && s->view->events[at].kind == MEM_STORE && s->view->events[at].order == MEM_JOINED)
		do
			at--;
		while (s->view->events[at].kind != MEM_STORE);
	return at;
}

static void add_store(struct search *s, const struct store *st)
{
	if (s->stores_nr == s->stores_room) {
		s->stores_room = s->stores_room ? 2 * s->stores_room : 64;
		s->stores = realloc(s->stores, s->stores_room * sizeof(*s->stores));
		if (!s->stores)
			abort();
	}
	s->stores[s->stores_nr] = *st;
	s->stores[s->stores_nr].writer = st->event == SIZE_MAX ? 0 : s->view->events[st->event].writer;
	s->stores[s->stores_nr++].group = group_of(s, st->event);
}

/* A store of 2^bytes_lg2 bytes, not more than an item, at pa. */
static void add_part(struct search *s, size_t event, uint64_t pa, unsigned bytes_lg2, uint64_t old, uint64_t val)
{
	uint64_t item = pa & ~low_mask(s->hw->item_bytes_lg2), part = low_mask(8u << bytes_lg2);
	unsigned shift = (unsigned)(pa - item) * 8;

	if (bytes_lg2 > s->hw->item_bytes_lg2)
		abort();
	val = (val & part) << shift;
	old = (old & part) << shift;
	add_store(s, &(struct store){ .event = event, .item = item, .mask = part << shift, .val = val, .old = old });
}

static void add_event(struct search *s, size_t at)
{
	const struct mem_event *ev = &s->view->events[at];
	struct store zero = { .event = at, .mask = UINT64_MAX, .clears = true };
	bool at_once = !s->hw->cfg.coherent;
	uint64_t i;

	switch ((enum mem_event_kind)ev->kind) {
	case MEM_STORE:
	case MEM_CAS:
	case MEM_DEVICE:
		for (i = 0; i < ev->nr; i++)
			add_part(s, at, ev->pa + (i << ev->bytes_lg2), ev->bytes_lg2, mem_event_old(ev, (unsigned)i),
				 mem_event_new(ev, (unsigned)i));
		break;
	case MEM_ALLOC:
		for (i = 0; i < ev->old >> s->hw->item_bytes_lg2; i++) {
			zero.item = ev->pa + (i << s->hw->item_bytes_lg2);
			add_store(s, &zero);
		}
		break;
	case MEM_TOP:
		add_store(s, &(struct store){ .event = at, .item = BRUTE_TOP, .mask = UINT64_MAX, .val = at, .at_once = at_once });
		break;
	case MEM_FREE:
		add_store(s, &(struct store){ .event = at, .item = ev->pa + BRUTE_FREED, .at_once = at_once });
		break;
	case MEM_WORD_STORE:
		add_store(s, &(struct store){ .event = at, .item = ev->pa, .mask = UINT64_MAX, .val = at, .at_once = at_once });
		break;
	case MEM_FENCE:
	case MEM_FLUSH:
	case MEM_ALLOC_FAIL:
	case MEM_DMA_MAP:
	case MEM_DMA_UNMAP:
	case MEM_INVALIDATE:
	case MEM_SYNC:
	case MEM_LOAD:
	case MEM_WORD_LOAD:
	case MEM_DONE:
		break;
	}
}

static const struct brute_older *older_of(const struct search *s, uint64_t item)
{
	size_t i;

	for (i = 0; i < s->b->older_nr; i++)
		if (s->b->older[i].pa == item)
			return &s->b->older[i];
	return NULL;
}

/* What the engine left in an item before the operation: its bytes, all that was stored since undone. */
static uint64_t engine_before(const struct search *s, uint64_t item)
{
	uint64_t raw = mem_view_load(s->view, item, s->hw->item_bytes_lg2);
	size_t i;

	for (i = s->stores_nr; i--;)
		if (s->stores[i].item == item && s->stores[i].event != SIZE_MAX)
			raw = (raw & ~s->stores[i].mask) | s->stores[i].old;
	return raw;
}

/* What memory held at first. */
static uint64_t memory_before(const struct search *s, uint64_t item)
{
	const struct brute_older *o = older_of(s, item);

	return o ? o->raw[0] : engine_before(s, item);
}

/* What an earlier operation stored and did not write back comes as stores that have been executed. */
static void add_older(struct search *s)
{
	size_t i;
	unsigned k;

	for (i = 0; i < s->b->older_nr; i++) {
		const struct brute_older *o = &s->b->older[i];

		for (k = 1; k < o->nr; k++)
			add_store(s, &(struct store){ .event = SIZE_MAX, .item = o->pa, .mask = UINT64_MAX, .val = o->raw[k] });
		add_store(s, &(struct store){ .event = SIZE_MAX, .item = o->pa, .mask = UINT64_MAX });
	}
}

/* --- which tables there are --- */

/* The event of a kind that is about the table at pa, or SIZE_MAX. */
static size_t event_of(const struct search *s, enum mem_event_kind kind, uint64_t pa)
{
	size_t i;

	for (i = 0; i < s->view->events_nr; i++)
		if (s->view->events[i].kind == kind && s->view->events[i].pa == pa)
			return i;
	return SIZE_MAX;
}

/* Whether there is, at some time of the operation, a table of this level at pa. */
static bool is_table(const struct search *s, unsigned level, uint64_t pa)
{
	uint64_t bytes = UINT64_C(1) << (s->hw->index_lg2[level] + s->hw->item_bytes_lg2);
	const struct mem_frame *f;

	if (!mem_view_has(s->view, pa, bytes) || pa & low_mask(s->hw->table_align_lg2[level]) || pa & low_mask(MEM_FRAME_LG2))
		return false;
	f = mem_view_frame(s->view, pa);
	if (f->state != MEM_FRAME_LIVE && (f->state != MEM_FRAME_FREED || event_of(s, MEM_FREE, pa) == SIZE_MAX))
		return false;
	return f->bytes >= bytes;
}

static uint64_t item_of(const struct search *s, unsigned level, uint64_t table)
{
	return table + (hw_index(s->hw, level, s->iova) << s->hw->item_bytes_lg2);
}

/* Whether iova is one that a table of this level translates when it is the root, or when a pointer has skipped the levels above it. */
static bool spans(const struct search *s, unsigned from_level, unsigned level)
{
	uint64_t above = from_level > s->hw->top_level_max ? UINT64_MAX : low_mask(s->hw->item_lg2[from_level]);

	return !(s->iova & above & ~low_mask(s->hw->item_lg2[level] + s->hw->index_lg2[level]));
}

static bool root_spans(const struct search *s, unsigned level)
{
	return level >= s->hw->top_level_max || spans(s, s->hw->top_level_max + 1, level);
}

/* --- what the walk can tell: the items that it may read --- */

static void reach(struct search *s, unsigned level, uint64_t table);

/* Every value that the item may ever hold, and a few that it may not; where they point. */
static void reach_values(struct search *s, unsigned level, uint64_t item)
{
	uint64_t *vals = malloc(sizeof(*vals));
	size_t nr = 1, i, k, j, now;

	if (!vals)
		abort();
	vals[0] = memory_before(s, item);
	for (i = 0; i < s->stores_nr; i++) {
		if (s->stores[i].item != item)
			continue;
		vals = realloc(vals, 2 * nr * sizeof(*vals));
		if (!vals)
			abort();
		for (k = 0, now = nr; k < now; k++) {
			uint64_t val = (vals[k] & ~s->stores[i].mask) | s->stores[i].val;

			for (j = 0; j < nr && vals[j] != val; j++)
				;
			if (j == nr)
				vals[nr++] = val;
		}
	}
	for (k = 0; k < nr; k++) {
		struct hw_entry e = s->hw->format->decode(s->hw, level, vals[k]);

		if (e.kind == HW_TABLE)
			reach(s, e.level, e.pa);
	}
	free(vals);
}

static uint64_t new_bit(struct search *s)
{
	if (s->bits_nr == 64)
		abort();
	return UINT64_C(1) << s->bits_nr++;
}

static void reach(struct search *s, unsigned level, uint64_t table)
{
	uint64_t item = item_of(s, level, table);
	size_t i;

	if (!is_table(s, level, table))
		return;
	for (i = 0; i < s->reached_nr; i++)
		if (s->reached[i].table == table && s->reached[i].level == level)
			return;
	if (s->reached_nr == s->reached_room) {
		s->reached_room = s->reached_room ? 2 * s->reached_room : 16;
		s->reached = realloc(s->reached, s->reached_room * sizeof(*s->reached));
		if (!s->reached)
			abort();
	}
	s->reached[s->reached_nr].table = table;
	s->reached[s->reached_nr++].level = level;
	for (i = 0; i < s->stores_nr; i++)
		if ((s->stores[i].item == item || s->stores[i].item == table + BRUTE_FREED) && !s->stores[i].bit)
			s->stores[i].bit = new_bit(s);
	reach_values(s, level, item);
}

/* The item that an event reads, if it does. */
static bool reads(const struct search *s, size_t at, uint64_t *item)
{
	const struct mem_event *ev = &s->view->events[at];

	*item = ev->kind == MEM_WORD_LOAD ? ev->pa : ev->pa & ~low_mask(s->hw->item_bytes_lg2);
	return ev->kind == MEM_LOAD || ev->kind == MEM_WORD_LOAD;
}

/* What another writer reads or overwrites it has an order with, whether a walk can tell or not. */
static void find_shared_bits(struct search *s)
{
	uint64_t item;
	size_t i, k;

	for (i = 0; i < s->stores_nr; i++) {
		bool shared = false;

		for (k = 0; k < s->view->events_nr; k++)
			shared |= reads(s, k, &item) && item == s->stores[i].item && s->view->events[k].writer != s->stores[i].writer;
		for (k = 0; k < s->stores_nr; k++)
			shared |= s->stores[k].item == s->stores[i].item && s->stores[k].writer != s->stores[i].writer;
		if (shared && !s->stores[i].bit && s->stores[i].event != SIZE_MAX)
			s->stores[i].bit = new_bit(s);
	}
}

/* Give a bit to each store that the walk can tell, or to all. The others need no place: they can go to memory as soon as they may. */
static void find_bits(struct search *s)
{
	size_t i;

	for (i = 0; i < s->stores_nr; i++)
		if (s->stores[i].item == BRUTE_TOP || s->b->plain)
			s->stores[i].bit = new_bit(s);
	if (s->b->plain)
		return;
	find_shared_bits(s);
	if (s->b->root != MEM_NONE)
		reach(s, s->b->root_level, s->b->root);
	for (i = 0; i < s->view->events_nr; i++)
		if (s->view->events[i].kind == MEM_TOP)
			reach(s, (unsigned)s->view->events[i].old, s->view->events[i].pa);
}

/* --- the order in which stores reach memory --- */

static uint64_t bits_of_item(const struct search *s, uint64_t item)
{
	uint64_t bits = 0;
	size_t i;

	for (i = 0; i < s->stores_nr; i++)
		if (s->stores[i].item == item)
			bits |= s->stores[i].bit;
	return bits;
}

static uint64_t bits_of_event(const struct search *s, size_t at)
{
	uint64_t bits = 0;
	size_t i;

	for (i = 0; i < s->stores_nr; i++)
		if (s->stores[i].event == at)
			bits |= s->stores[i].bit;
	return bits;
}

/* Of all events of the fill that the event at group begins. */
static uint64_t bits_of_group(const struct search *s, size_t group)
{
	uint64_t bits = 0;
	size_t i;

	for (i = 0; i < s->stores_nr; i++)
		if (s->stores[i].group == group)
			bits |= s->stores[i].bit;
	return bits;
}

/* Coherent: what each store waits for. A store without a bit waits for nothing that those after it do not wait for as well. */
static void find_order(struct search *s)
{
	uint64_t any = 0, all[MEM_WRITERS_MAX + 1] = { 0 }, fenced[MEM_WRITERS_MAX + 1] = { 0 }; /* stores before this event: of all, of its writer; before its last fence */
	size_t at, i;

	for (at = 0; at < s->view->events_nr; at++) {
		const struct mem_event *ev = &s->view->events[at];
		unsigned w = ev->writer;
		bool release = ev->kind == MEM_CAS || ev->kind == MEM_TOP || ev->kind == MEM_WORD_STORE || (ev->kind == MEM_STORE && ev->order == MEM_RELEASE);

		for (i = 0; i < s->stores_nr; i++) {
			struct store *st = &s->stores[i];
			uint64_t older;

			if (st->event != at)
				continue;
			older = all[w] & ~bits_of_group(s, st->group);
			st->before = any & ~bits_of_group(s, st->group) & bits_of_item(s, st->item);
			/* The device does not go through the engine's store buffer. */
			if (ev->kind == MEM_DEVICE)
				continue;
			if (release || s->hw->cfg.model == MODEL_STRONG)
				st->before |= older;
			else
				st->before |= fenced[w];
		}
		any |= bits_of_event(s, at);
		all[w] |= bits_of_event(s, at);
		if (ev->kind == MEM_FENCE || ev->kind == MEM_CAS || ev->kind == MEM_SYNC || ev->kind == MEM_DONE)
			fenced[w] = all[w];
	}
}

/* --- states --- */

static uint64_t state_hash(const struct state *st)
{
	uint64_t words[sizeof(*st) / 8], h = 0;
	size_t i;

	memcpy(words, st, sizeof(words));
	for (i = 0; i < sizeof(words) / 8; i++)
		h = (h ^ words[i] ^ h >> 29) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

static void seen_grow(void)
{
	struct state *states = seen.states;
	uint32_t *stamps = seen.stamps;
	size_t i, k, room = seen.room;

	seen.room = room ? 2 * room : 1 << 12;
	seen.states = calloc(seen.room, sizeof(*seen.states));
	seen.stamps = calloc(seen.room, sizeof(*seen.stamps));
	if (!seen.states || !seen.stamps)
		abort();
	for (i = 0; i < room; i++) {
		if (stamps[i] != seen.stamp)
			continue;
		k = state_hash(&states[i]) & (seen.room - 1);
		while (seen.stamps[k] == seen.stamp)
			k = (k + 1) & (seen.room - 1);
		seen.states[k] = states[i];
		seen.stamps[k] = seen.stamp;
	}
	free(states);
	free(stamps);
}

/* Whether the state is new; then it is remembered. */
static bool seen_add(const struct state *st)
{
	size_t k;

	if (2 * seen.nr >= seen.room)
		seen_grow();
	for (k = state_hash(st) & (seen.room - 1); seen.stamps[k] == seen.stamp; k = (k + 1) & (seen.room - 1))
		if (!memcmp(&seen.states[k], st, sizeof(*st)))
			return false;
	seen.states[k] = *st;
	seen.stamps[k] = seen.stamp;
	seen.nr++;
	return true;
}

static void seen_clear(void)
{
	seen.nr = 0;
	if (!++seen.stamp) {
		memset(seen.stamps, 0, seen.room * sizeof(*seen.stamps));
		seen.stamp = 1;
	}
}

static void visit(struct search *s, const struct state *st);

/* Whatever is true of a state in which no walk is in flight. */
static void stop_walk(struct state *st)
{
	st->started = st->level = st->allowed = st->priv = st->read_nr = 0;
	st->table = 0;
	memset(st->read, 0, sizeof(st->read));
}

/* --- what the engine and memory may do next --- */

/* Whether what the next event waits for is in memory. */
static bool may_execute(const struct search *s, const struct state *st, size_t at)
{
	const struct mem_event *ev = &s->view->events[at];
	const struct store *last = NULL;
	uint64_t item, wait = 0;
	size_t i;

	if (!s->hw->cfg.coherent)
		return true;
	for (i = 0; (ev->kind == MEM_SYNC || ev->kind == MEM_DONE) && i < s->stores_nr; i++)
		wait |= s->stores[i].writer == ev->writer || s->stores[i].event == SIZE_MAX ? s->stores[i].bit & st->executed : 0;
	for (i = 0; reads(s, at, &item) && i < s->stores_nr; i++)
		if (s->stores[i].item == item && s->stores[i].event != SIZE_MAX && s->stores[i].event < at)
			last = &s->stores[i];
	if (last && last->writer != ev->writer)
		wait |= last->bit;
	return !(wait & ~st->memory);
}

/* The next event of a writer from at on. */
static uint16_t next_of(const struct search *s, unsigned writer, size_t at)
{
	while (at < s->view->events_nr && s->view->events[at].writer != writer)
		at++;
	return (uint16_t)at;
}

/* What event at does beside storing; its writer goes on to the next. */
static void step_past(struct search *s, const struct state *st, size_t at)
{
	const struct mem_event *ev = &s->view->events[at];
	uint64_t bytes = UINT64_C(1) << s->hw->item_bytes_lg2;
	struct state next = *st;
	size_t i;

	if (!may_execute(s, st, at))
		return;
	if (ev->kind == MEM_SYNC && (!s->b->writer || ev->writer == s->b->writer))
		stop_walk(&next);
	for (i = 0; ev->kind == MEM_FLUSH && !s->hw->cfg.coherent && i < s->stores_nr; i++) {
		const struct store *store = &s->stores[i];

		if (store->item != BRUTE_TOP && store->item >= ev->pa && store->item - ev->pa + bytes <= ev->old)
			next.memory |= store->bit & st->executed;
	}
	next.pc[ev->writer] = next_of(s, ev->writer, at + 1);
	visit(s, &next);
}

/*
 * Event at is executed. What it stores becomes something that may reach memory at once; in a cache one store comes first, of all that the fill
 * stores.
 */
static void step_event(struct search *s, const struct state *st, size_t at)
{
	struct state next = *st;
	uint64_t left;
	size_t i;

	if (s->hw->cfg.coherent)
		next.executed |= bits_of_event(s, at);
	left = bits_of_group(s, at) & ~next.executed;
	if (!left || s->hw->cfg.coherent) {
		step_past(s, &next, at);
		return;
	}
	for (i = 0; i < s->stores_nr; i++) {
		const struct store *store = &s->stores[i];

		next = *st;
		next.executed |= store->bit;
		next.memory |= store->at_once ? store->bit : 0;
		if (store->bit & left)
			visit(s, &next);
	}
}

/* Whether event b, which comes later, reads an item that event a stores to. */
static bool is_read_by(const struct search *s, size_t a, size_t b)
{
	uint64_t item;
	size_t i;

	for (i = 0; reads(s, b, &item) && i < s->stores_nr; i++)
		if (s->stores[i].event == a && s->stores[i].item == item)
			return true;
	return false;
}

/* An engine executes its next event; which one: that of the log's order, or (loose) each that reads of no other's before that has been executed. */
static void step_engine(struct search *s, const struct state *st)
{
	size_t at, k, first = s->view->events_nr;
	unsigned w;

	for (w = 0; w <= MEM_WRITERS_MAX; w++)
		if (st->pc[w] < first)
			first = st->pc[w];
	for (w = 0; w <= MEM_WRITERS_MAX; w++) {
		at = st->pc[w];
		if (at == s->view->events_nr || (at != first && !s->b->loose))
			continue;
		for (k = first; k < at; k++)
			if (k >= st->pc[s->view->events[k].writer] && is_read_by(s, k, at))
				break;
		if (k == at)
			step_event(s, st, at);
	}
}

/* Whether somebody is still to read what was there before the store, as the log says. */
static bool is_read_before(const struct search *s, const struct state *st, const struct store *store)
{
	uint64_t item;
	size_t i;

	if (!s->b->loose || store->event == SIZE_MAX)
		return false;
	for (i = 0; i < store->event; i++)
		if (i >= st->pc[s->view->events[i].writer] && reads(s, i, &item) && item == store->item)
			return true;
	return false;
}

/* Coherent: one store that has been executed reaches memory. Otherwise one item is evicted. */
static void step_memory(struct search *s, const struct state *st)
{
	size_t i;

	for (i = 0; i < s->stores_nr; i++) {
		const struct store *store = &s->stores[i];
		struct state next = *st;

		if (!(store->bit & st->executed & ~st->memory))
			continue;
		if (!s->hw->cfg.coherent) {
			next.memory |= bits_of_item(s, store->item) & st->executed;
		} else {
			if (store->before & ~st->memory || is_read_before(s, st, store))
				continue;
			next.memory |= store->bit;
		}
		visit(s, &next);
	}
}

/* --- what the walk may do next --- */

/* Reads an item of memory; false if it is not, or not yet, or no more an item of a table. */
static bool read_item(const struct search *s, const struct state *st, uint64_t table, uint64_t item, uint64_t *raw)
{
	size_t i;

	*raw = memory_before(s, item);
	for (i = 0; i < s->stores_nr; i++) {
		const struct store *store = &s->stores[i];

		if (store->item == table + BRUTE_FREED && store->bit & st->memory)
			return false;
		if (store->item != item)
			continue;
		if (store->bit & st->memory)
			*raw = (*raw & ~store->mask) | store->val;
		else if (store->clears)
			return false;
	}
	return true;
}

/* Whether the operation of the writer has ended. */
static bool is_done(const struct search *s, const struct state *st)
{
	size_t i;

	for (i = 0; i < st->pc[s->b->writer]; i++)
		if (s->view->events[i].kind == MEM_DONE && s->view->events[i].writer == s->b->writer)
			return true;
	return false;
}

static void step_start(struct search *s, const struct state *st)
{
	uint64_t root = s->b->root;
	unsigned level = s->b->root_level;
	struct state next = *st;
	size_t i;

	for (i = 0; i < s->stores_nr; i++) {
		if (s->stores[i].item != BRUTE_TOP || !(s->stores[i].bit & st->memory))
			continue;
		root = s->view->events[s->stores[i].val].pa;
		level = (unsigned)s->view->events[s->stores[i].val].old;
	}
	if (root == MEM_NONE || (s->b->used && !is_done(s, st)))
		return;
	if (!root_spans(s, level)) {
		end(s, EXPLORE_FAULT, 0, 0);
		return;
	}
	next.started = true;
	next.table = root;
	next.level = (uint8_t)level;
	next.allowed = PROT_ACCESS;
	visit(s, &next);
}

static void step_walk(struct search *s, const struct state *st)
{
	struct state next = *st;
	struct hw_entry e;
	uint64_t item, raw;
	unsigned i;

	if (!st->started) {
		step_start(s, st);
		return;
	}
	item = item_of(s, st->level, st->table);
	if (!is_table(s, st->level, st->table) || !read_item(s, st, st->table, item, &raw)) {
		end(s, EXPLORE_WILD, 0, 0);
		return;
	}
	for (i = 0; i < st->read_nr; i++)
		if (st->read[i] == st->table)
			s->set->loops = true;
	e = s->hw->format->decode(s->hw, st->level, raw);
	switch (e.kind) {
	case HW_EMPTY:
		end(s, EXPLORE_FAULT, 0, 0);
		return;
	case HW_BAD:
		end(s, EXPLORE_BAD, 0, 0);
		return;
	case HW_LEAF:
		end(s, EXPLORE_LEAF, e.pa | (s->iova & low_mask(e.span_lg2)),
		    (e.prot & (st->allowed | (PROT_ALL & ~PROT_ACCESS))) | st->priv);
		return;
	case HW_TABLE:
		break;
	}
	if (!spans(s, st->level, e.level)) {
		end(s, EXPLORE_FAULT, 0, 0);
		return;
	}
	next.table = e.pa;
	next.level = e.level;
	next.allowed &= e.prot;
	next.priv |= e.prot & PROT_PRIV;
	next.read[next.read_nr++] = st->table;
	visit(s, &next);
}

static void visit(struct search *s, const struct state *st)
{
	if (!seen_add(st))
		return;
	s->set->states++;
	step_walk(s, st);
	step_memory(s, st);
	step_engine(s, st);
}

/* From each state that memory may be in at first: every item that was not written back holds any of its versions. */
static void visit_first(struct search *s, size_t older, const struct state *st)
{
	struct state next = *st;
	size_t i;

	if (older == s->b->older_nr) {
		visit(s, st);
		return;
	}
	visit_first(s, older + 1, &next);
	for (i = 0; i < s->stores_nr; i++) {
		if (s->stores[i].event != SIZE_MAX || s->stores[i].item != s->b->older[older].pa || !s->stores[i].bit)
			continue;
		next.memory |= s->stores[i].bit;
		visit_first(s, older + 1, &next);
	}
}

void brute_walk(const struct brute *b, uint64_t iova, struct brute_set *set)
{
	struct search s = { .b = b, .hw = b->hw, .view = b->view, .iova = iova, .set = set };
	struct state first;
	size_t i;

	set->nr = 0;
	set->states = 0;
	set->loops = false;
	if (!hw_iova_valid(b->hw, iova)) {
		end(&s, EXPLORE_FAULT, 0, 0);
		return;
	}
	add_older(&s);
	for (i = 0; i < b->view->events_nr; i++)
		add_event(&s, i);
	/* The last of the older versions is what the engine sees. */
	for (i = 0; i < s.stores_nr; i++)
		if (s.stores[i].event == SIZE_MAX &&
		    (i + 1 == s.stores_nr || s.stores[i + 1].event != SIZE_MAX || s.stores[i + 1].item != s.stores[i].item))
			s.stores[i].val = engine_before(&s, s.stores[i].item);
	find_bits(&s);
	if (b->hw->cfg.coherent)
		find_order(&s);
	/* Padding is compared too. */
	memset(&first, 0, sizeof(first));
	first.executed = bits_of_event(&s, SIZE_MAX);
	for (i = 0; i <= MEM_WRITERS_MAX; i++)
		first.pc[i] = next_of(&s, (unsigned)i, 0);
	seen_clear();
	visit_first(&s, 0, &first);
	free(s.stores);
	free(s.reached);
}
