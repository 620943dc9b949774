/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explore.c - every walk that may have been in flight during one operation.
 *
 * One pass goes down from the roots through the tables that the operation touched, and branches only where a slot has several visible versions.
 * What every walk reads unchanged needs no look: it gives the translation before. What reads only what is at rest afterwards is the sweep's.
 */
#include "explore.h"

#include <stdlib.h>

#include "history.h"
#include "inflight.h"
#include "mixed.h"
#include "walk.h"

/*
 * struct explore - one pass.
 *
 * @view, @until: of the epoch: what its walks see from the start, and the place in the log that they cannot see
 * @since: the place where it starts
 * @first, @last: what is translated; the rest is another pass's
 * @each:   report everything, prune nothing
 * @judge:  what a walk may come to
 * @path:   the items on the way, the last one decides
 */
struct explore {
	struct check *c;
	struct history *h;
	uint32_t view, until, since;
	uint64_t first, last;
	explore_seen_fn *each;
	void *each_arg;
	uint64_t each_first, each_last;
	struct inflight judge;
	struct inflight_path path;
};

/*
 * struct state - a walk on its way.
 *
 * @view:    what it must already see
 * @allowed: PROT_ACCESS bits that the tables so far leave standing, and PROT_PRIV if they make all below privileged
 * @rest:    it has read nothing but what is at rest when the operation has ended
 * @first:   it has read nothing but what was at rest when the operation began
 * @whole:   nothing below may be taken for unchanged: this is no place where the table was before
 */
struct state {
	uint32_t view;
	uint8_t allowed;
	bool rest, first, whole;
};

static void explore_table(struct explore *x, struct state s, unsigned level, uint64_t pa, uint64_t base, bool root);

static void explore_tell(struct explore *x, enum explore_kind kind, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot)
{
	struct explore_seen seen = { .kind = kind, .iova = iova, .last = last, .oa = oa, .prot = prot };

	if (last < x->each_first || iova > x->each_last)
		return;
	if (iova < x->each_first) {
		seen.oa += x->each_first - iova;
		seen.iova = x->each_first;
	}
	if (last > x->each_last)
		seen.last = x->each_last;
	x->each(x->each_arg, &seen);
}

/*
 * Walks of [iova, last] end like this. Those that read what was at rest before give the translation before, since that has been compared; those
 * that read what is at rest afterwards will be. But a table that was there before may be freed under a walk.
 */
static void explore_end(struct explore *x, const struct state *s, struct inflight_seen *seen)
{
	if (x->each) {
		explore_tell(x, seen->kind, seen->iova, seen->last, seen->oa, seen->prot);
		return;
	}
	if (s->rest || (s->first && seen->kind != EXPLORE_WILD) || seen->last < x->first || seen->iova > x->last)
		return;
	if (seen->iova < x->first) {
		seen->oa += x->first - seen->iova;
		seen->iova = x->first;
	}
	if (seen->last > x->last)
		seen->last = x->last;
	inflight_judge(&x->judge, &x->path, seen);
}

/* Walks through slots first to first + nr - 1 of the table over base read memory that is no table that they may read. */
static void explore_wild(struct explore *x, const struct state *s, unsigned level, uint64_t base, bool root, uint64_t first, uint64_t nr,
			 enum inflight_wild wild, const char *why)
{
	const struct hw *hw = &x->c->hw;
	struct inflight_seen seen = { .kind = EXPLORE_WILD, .level = (uint8_t)level, .wild = wild, .why = why };
	/* A root may lie on both sides of the hole between the halves. */
	uint64_t i, n = root && hw->has_low && hw->has_high ? 1 : nr;

	for (i = 0; i < nr; i += n) {
		seen.iova = check_item_iova(hw, base, level, root, first + i);
		seen.last = seen.iova + (n - 1) * (layout_mask(hw->item_lg2[level]) + 1) + layout_mask(hw->item_lg2[level]);
		explore_end(x, s, &seen);
	}
}

/* --- items --- */

/* How many items from i on translate to oas that follow each other, e being the first of them. */
static uint64_t explore_linear(const struct hw *hw, unsigned level, const struct hw_entry *e, uint64_t iova, unsigned step_lg2,
			       uint64_t left)
{
	unsigned item_lg2 = hw->item_lg2[level];
	uint64_t nr = 1, room;

	if (!step_lg2 && e->span_lg2 > item_lg2)
		nr = ((layout_mask(e->span_lg2) - (iova & layout_mask(e->span_lg2))) >> item_lg2) + 1;
	else if (step_lg2 && step_lg2 == hw->oa_step_lg2[level] && e->span_lg2 == item_lg2)
		nr = left;
	/* What follows the last oa is another piece, and what carries out of the oa's field another oa. */
	room = (layout_mask(hw->oa_lg2) - e->pa) >> item_lg2;
	if (hw->oa_carry_lg2 < 64 && (~e->pa & layout_mask(hw->oa_carry_lg2)) >> item_lg2 < room)
		room = (~e->pa & layout_mask(hw->oa_carry_lg2)) >> item_lg2;
	if (nr - 1 > room)
		nr = room + 1;
	return nr < left ? nr : left;
}

static void explore_pointer(struct explore *x, struct state s, unsigned level, uint64_t iova, const struct hw_entry *e)
{
	const struct hw *hw = &x->c->hw;
	uint64_t last = iova + layout_mask(hw->item_lg2[level]);
	uint64_t child_last = iova + layout_mask(hw->item_lg2[e->level] + hw->index_lg2[e->level]);

	if (child_last < last) {
		struct inflight_seen hole = { .kind = EXPLORE_FAULT, .level = (uint8_t)level, .iova = child_last + 1, .last = last };

		explore_end(x, &s, &hole);
	}
	s.allowed &= e->prot | (uint8_t)~PROT_ACCESS;
	s.allowed |= e->prot & PROT_PRIV;
	explore_table(x, s, e->level, e->pa, iova, false);
}

/* Items first to first + nr - 1 of a table over base, which hold raw, raw + step ... */
static void explore_items(struct explore *x, const struct state *s, unsigned level, uint64_t base, bool root, uint64_t first, uint64_t nr,
			  uint64_t raw, unsigned step_lg2)
{
	const struct hw *hw = &x->c->hw;
	struct inflight_step *step = &x->path.steps[x->path.nr - 1];
	uint64_t i, n = 0;

	for (i = 0; i < nr; i += n) {
		uint64_t iova = check_item_iova(hw, base, level, root, first + i), item = step_lg2 ? raw + (i << step_lg2) : raw;
		struct hw_entry e;
		struct inflight_seen seen = { .level = (uint8_t)level, .iova = iova, .kind = EXPLORE_FAULT };

		item &= layout_mask(8u << hw->item_bytes_lg2);
		e = hw->format->decode(hw, level, item);
		/* The values of a run differ in their addresses alone: if the first is no table, none is. */
		if ((s->rest || s->first) && !x->each && e.kind != HW_TABLE)
			return;
		step->pa += n << hw->item_bytes_lg2;
		step->raw = item;
		n = 1;
		switch (e.kind) {
		case HW_TABLE:
			explore_pointer(x, *s, level, iova, &e);
			continue;
		case HW_LEAF:
			seen.kind = EXPLORE_LEAF;
			seen.oa = e.pa | (iova & layout_mask(e.span_lg2));
			seen.prot = (e.prot & (s->allowed | (uint8_t)~PROT_ACCESS)) | (s->allowed & PROT_PRIV);
			seen.size_lg2 = e.size_lg2;
			n = explore_linear(hw, level, &e, iova, step_lg2, nr - i);
			break;
		case HW_BAD:
			seen.kind = EXPLORE_BAD;
			seen.why = e.why;
			break;
		case HW_EMPTY:
			n = step_lg2 ? 1 : nr - i;
			break;
		}
		/* A root may lie on both sides of the hole between the halves. */
		if (root && hw->has_low && hw->has_high)
			n = 1;
		seen.last = iova + (n - 1) * (layout_mask(hw->item_lg2[level]) + 1) + layout_mask(hw->item_lg2[level]);
		/* One hit on an item of a contiguous entry fills the IOTLB with the whole of it. */
		if (seen.kind == EXPLORE_LEAF && seen.size_lg2 > hw->item_lg2[level] && !x->each) {
			seen.oa -= iova & layout_mask(seen.size_lg2);
			seen.iova &= ~layout_mask(seen.size_lg2);
			seen.last |= layout_mask(seen.size_lg2);
		}
		explore_end(x, s, &seen);
	}
}

/* What a walk that comes with s may read in the slots of run. */
static void explore_run(struct explore *x, const struct state *s, unsigned level, uint64_t pa, uint64_t base, bool root,
			const struct run *run)
{
	const struct hw *hw = &x->c->hw;
	uint32_t lo, hi, i, newest = run->versions_at + run->versions_nr - 1;
	struct run r = *run;
	struct hw_entry before, e;

	/* A table of another level may have more slots than this one's. */
	if (r.first >= UINT64_C(1) << hw->index_lg2[level])
		return;
	if (r.nr > (UINT64_C(1) << hw->index_lg2[level]) - r.first)
		r.nr = (uint32_t)(UINT64_C(1) << hw->index_lg2[level]) - r.first;
	history_visible(x->h, &r, s->view, x->until, &lo, &hi);
	if (x->judge.ended)
		check_count(x->c, CHECK_WRITEBACK, 1);
	for (i = r.versions_at; i < newest && !x->h->versions[i + 1].seq; i++)
		;
	before = hw->format->decode(hw, level, x->h->versions[i].raw & layout_mask(8u << hw->item_bytes_lg2));
	for (i = lo; i <= hi; i++) {
		const struct version v = x->h->versions[i];
		struct state next = *s;

		next.view = history_join(x->h, s->view, v.pub);
		next.rest = s->rest && i == newest;
		/* A pointer that leaves other permissions standing changes everything below it. */
		e = hw->format->decode(hw, level, v.raw & layout_mask(8u << hw->item_bytes_lg2));
		next.whole |= e.kind == HW_TABLE && (before.kind != HW_TABLE || e.prot != before.prot);
		next.first = s->first && !v.seq && !v.uncleared && (i == newest || x->h->versions[i + 1].seq);
		x->path.steps[x->path.nr++] = (struct inflight_step){ .level = (uint8_t)level,
								      .torn = v.torn,
								      .old = !x->h->several && i < hi && x->h->versions[i + 1].seq <= s->view,
								      .pa = pa + ((uint64_t)r.first << hw->item_bytes_lg2),
								      .raw = v.raw,
								      .seq = v.seq,
								      .version = i - r.versions_at,
								      .versions_nr = r.versions_nr };
		if (v.uncleared)
			explore_wild(x, &next, level, base, root, r.first, r.nr, INFLIGHT_UNCLEARED, "was not cleared yet");
		else
			explore_items(x, &next, level, base, root, r.first, r.nr, v.raw, v.step_lg2);
		x->path.nr--;
	}
}

/* Slots that hold what they did: a run of one version. */
static void explore_same(struct explore *x, const struct state *s, unsigned level, uint64_t pa, uint64_t base, bool root, uint64_t slot)
{
	const struct hw *hw = &x->c->hw;
	uint64_t at = pa + (slot << hw->item_bytes_lg2), raw = mem_view_load(x->c->view, at, hw->item_bytes_lg2);

	x->path.steps[x->path.nr++] = (struct inflight_step){ .level = (uint8_t)level, .pa = at, .raw = raw, .versions_nr = 1 };
	explore_items(x, s, level, base, root, slot, 1, raw, 0);
	x->path.nr--;
}

/* --- tables --- */

/* Whether the table was at this place when the operation began, so that what is untouched in it gives the translation before. */
static bool explore_at_home(const struct explore *x, unsigned level, uint64_t pa, uint64_t base)
{
	const struct page *page = check_page(x->c, pa);

	return page->state == PAGE_LINKED && page->level == level && page->iova == base;
}

static void explore_whole(struct explore *x, const struct state *s, const struct touched *t, unsigned level, uint64_t pa, uint64_t base,
			  bool root)
{
	uint64_t slot, slots = UINT64_C(1) << x->c->hw.index_lg2[level];

	for (slot = 0; slot < slots; slot++) {
		const struct run *run = t ? history_run(x->h, t, (uint32_t)slot) : NULL;

		if (run) {
			struct run one = *run;

			explore_run(x, s, level, pa, base, root, &one);
			slot = (uint64_t)one.first + one.nr - 1;
		} else {
			explore_same(x, s, level, pa, base, root, slot);
		}
	}
}

/* A touched table at its place: its runs, and the touched tables below slots that are as they were. */
static void explore_changed(struct explore *x, const struct state *s, const struct touched *t, unsigned level, uint64_t base, bool root)
{
	const struct hw *hw = &x->c->hw;
	uint32_t i, child, runs_at = t->runs_at, runs_nr = t->runs_nr;
	uint64_t pa = t->pa;

	for (i = 0; i < runs_nr; i++)
		explore_run(x, s, level, pa, base, root, &x->h->runs[runs_at + i]);
	for (child = t->child; child != HISTORY_NEVER; child = x->h->touched[child].sibling) {
		uint64_t below = x->h->touched[child].pa;
		uint64_t slot = hw_index(hw, level, check_page(x->c, below)->iova);

		if (!history_run(x->h, t, (uint32_t)slot))
			explore_same(x, s, level, pa, base, root, slot);
	}
}

/*
 * Why a walk that comes with s may not read the table; NULL if it may. *before_free: it was freed while the walk was in flight, which may have
 * read it before that.
 */
static const char *explore_wrong(const struct explore *x, const struct state *s, const struct touched *t, unsigned level, uint64_t pa,
				 bool *before_free)
{
	*before_free = false;
	if (!t || t->free == HISTORY_NEVER)
		return walk_table_wrong(&x->c->hw, x->c->view, level, pa);
	if (t->free > x->until)
		return NULL;
	if (!mem_view_has(x->c->view, pa, (UINT64_C(1) << x->c->hw.index_lg2[level]) << x->c->hw.item_bytes_lg2))
		return "points outside table memory";
	*before_free = !history_sees(x->h, s->view, t->free);
	return "was freed";
}

static void explore_table(struct explore *x, struct state s, unsigned level, uint64_t pa, uint64_t base, bool root)
{
	const struct hw *hw = &x->c->hw;
	struct touched *t = history_touched(x->h, pa);
	bool before_free;
	const char *wrong;

	if (!root && (base > x->last || base + layout_mask(hw->item_lg2[level] + hw->index_lg2[level]) < x->first))
		return;
	wrong = explore_wrong(x, &s, t, level, pa, &before_free);
	if (wrong) {
		const struct mem_frame *f = mem_view_has(x->c->view, pa, 1) ? mem_view_frame(x->c->view, pa) : NULL;

		explore_wild(x, &s, level, base, root, 0, UINT64_C(1) << hw->index_lg2[level],
			     f && f->state == MEM_FRAME_FREED ? INFLIGHT_FREED : INFLIGHT_NO_TABLE, wrong);
		if (!before_free)
			return;
	}
	/* When the operation has ended the translation before is not good enough. */
	s.whole |= x->judge.after && !s.rest;
	if (!t && !x->each && (s.rest || (!s.whole && explore_at_home(x, level, pa, base))))
		return;
	if (t)
		history_runs(x->h, t, level);
	if (t && !x->each && mixed_possible(hw))
		mixed_table(x->h, t, level, base, root, x->h->several ? 0 : s.view);
	if (x->each || s.whole || !t || (t->alloc == HISTORY_NEVER && !explore_at_home(x, level, pa, base))) {
		s.whole = true;
		explore_whole(x, &s, t, level, pa, base, root);
	} else {
		explore_changed(x, &s, t, level, base, root);
	}
}

/* What a walk has seen that starts at the root of the place seq of the log. */
static uint32_t explore_root_view(struct explore *x, uint32_t seq)
{
	if (!x->h->several)
		return seq > x->view ? seq : x->view;
	return seq ? history_join(x->h, x->view, x->h->own[seq - 1]) : x->view;
}

/* A walk starts at a root: the one at the place seq of the log, or (0) the one from before. */
static void explore_root(struct explore *x, uint64_t pa, unsigned level, uint32_t seq, bool newest)
{
	const struct hw *hw = &x->c->hw;
	uint64_t top_last = layout_mask(hw->item_lg2[level] + hw->index_lg2[level]);
	struct state s = {
		.view = explore_root_view(x, seq), .allowed = PROT_ACCESS, .rest = newest, .first = !seq && !x->judge.after
	};

	x->path.nr = 0;
	x->path.root_seq = seq;
	x->path.since_seq = x->since;
	explore_table(x, s, level, pa, 0, true);
	if (x->each && level < hw->top_level_max)
		explore_tell(x, EXPLORE_FAULT, top_last + 1, UINT64_MAX, 0, 0);
}

/* Every walk of the epoch. */
static void explore_epoch(struct explore *x)
{
	const struct mem_view *view = x->c->view;
	uint64_t pa = x->c->root;
	unsigned level = x->c->root_level;
	uint32_t seq = 0;
	size_t i, until = x->until == HISTORY_NEVER ? view->events_nr : x->until - 1;

	for (i = 0; i < until; i++) {
		if (view->events[i].kind != MEM_TOP)
			continue;
		if (!history_sees(x->h, x->view, (uint32_t)i + 1) && pa != MEM_NONE)
			explore_root(x, pa, level, seq, false);
		pa = view->events[i].pa;
		level = (unsigned)view->events[i].old;
		seq = (uint32_t)i + 1;
	}
	if (pa != MEM_NONE)
		explore_root(x, pa, level, seq, pa == view->root);
}

/* Whether anything happened in the epoch of events first to last - 1 that a walk could notice. */
static bool explore_active(const struct explore *x, size_t first, size_t last)
{
	bool incoherent = x->c->hw.cfg.model == MODEL_INCOHERENT;

	if (incoherent && (first || x->h->stale_nr))
		return true;
	for (; first < last; first++) {
		switch ((enum mem_event_kind)x->c->view->events[first].kind) {
		case MEM_STORE:
		case MEM_CAS:
		case MEM_DEVICE:
		case MEM_TOP:
			return true;
		default:
			break;
		}
	}
	return false;
}

static void explore_epochs(struct explore *x)
{
	const struct mem_view *view = x->c->view;
	size_t first = 0, i;

	for (i = 0; i <= view->events_nr; i++) {
		if (i < view->events_nr && view->events[i].kind != MEM_SYNC)
			continue;
		x->view = x->since = (uint32_t)first;
		x->until = i < view->events_nr ? (uint32_t)i + 1 : HISTORY_NEVER;
		if (x->each || explore_active(x, first, i))
			explore_epoch(x);
		first = i + 1;
	}
}

static struct history *explore_history(struct check *c)
{
	if (!c->history)
		c->history = calloc(1, sizeof(*c->history));
	if (!c->history)
		abort();
	return c->history;
}

/*
 * Whether every walk in flight reads at most one item that the operation stored to, and that at most once: then it reads nothing but what was at
 * rest before or what is afterwards. So it is where items that are no table pointers changed in tables that were there before. A shorter way to
 * what the exploration would find, for the device that snoops; most operations are like this.
 */
static bool explore_trivial(const struct check *c)
{
	const struct hw *hw = &c->hw;
	uint64_t end = 0;
	size_t i;

	if (hw->cfg.model == MODEL_INCOHERENT || mixed_possible(hw))
		return false;
	for (i = 0; i < c->view->events_nr; i++) {
		const struct mem_event *ev = &c->view->events[i];
		const struct page *page;

		if (ev->kind == MEM_FENCE || ev->kind == MEM_INVALIDATE || ev->kind == MEM_SYNC || ev->kind == MEM_ALLOC_FAIL)
			continue;
		/* In ascending order no slot comes twice. */
		if ((ev->kind != MEM_STORE && ev->kind != MEM_CAS) || ev->pa < end || ev->bytes_lg2 != hw->item_bytes_lg2)
			return false;
		end = ev->pa + ((uint64_t)ev->nr << ev->bytes_lg2);
		page = check_page(c, check_table(c, ev->pa));
		if (page->state != PAGE_LINKED || hw->format->decode(hw, page->level, ev->old).kind == HW_TABLE ||
		    hw->format->decode(hw, page->level, ev->new).kind == HW_TABLE)
			return false;
	}
	return true;
}

static void explore_ended(struct explore *x)
{
	x->view = HISTORY_NEVER - 1;
	x->since = (uint32_t)x->c->view->events_nr;
	x->until = HISTORY_NEVER;
	x->judge.ended = x->judge.after = true;
	explore_epoch(x);
}

void explore_log(struct check *c, const struct call *call, const struct call_expect *want)
{
	struct explore x = { .c = c, .h = explore_history(c), .last = UINT64_MAX };

	if (!c->view->events_nr)
		return;
	if (explore_trivial(c)) {
		check_count(c, CHECK_INFLIGHT, 1);
		return;
	}
	history_build(x.h, c);
	inflight_init(&x.judge, c, call, want);
	if (check_is_on(c, CHECK_INFLIGHT))
		explore_epochs(&x);
	/* What a device that does not snoop may read once all is said and done. */
	if (c->hw.cfg.model == MODEL_INCOHERENT && check_is_on(c, CHECK_WRITEBACK))
		explore_ended(&x);
}

void explore_settle(struct check *c)
{
	if (c->history && c->view->events_nr && c->hw.cfg.model == MODEL_INCOHERENT)
		history_settle(c->history);
}

void explore_release(struct check *c)
{
	if (c->history)
		history_release(c->history);
	free(c->history);
	c->history = NULL;
}

void explore_each(struct check *c, uint64_t iova, uint64_t last, explore_seen_fn *fn, void *arg)
{
	struct explore x = {
		.c = c, .h = explore_history(c), .last = UINT64_MAX, .each = fn, .each_arg = arg, .each_first = iova, .each_last = last
	};

	history_build(x.h, c);
	explore_epochs(&x);
}

/* --- several writers --- */

/* Where the epoch of writer (0: of whatever is nobody's) that begins after event from - 1 ends: at the next SYNC of that writer, of any writer. */
static size_t explore_next_sync(const struct check *c, unsigned writer, size_t from)
{
	while (from < c->view->events_nr &&
	       (c->view->events[from].kind != MEM_SYNC || (writer && c->view->events[from].writer != writer)))
		from++;
	return from;
}

/* Walks that start when event i, a SYNC or the DONE of a writer, has been; SIZE_MAX: when the operation begins. */
static void explore_since(struct explore *x, size_t i, size_t until, uint32_t ended)
{
	x->since = i == SIZE_MAX ? 0 : (uint32_t)i + 1;
	/* Where any SYNC ends walks, those before this one have, too. */
	if (x->h->several)
		x->view = i == SIZE_MAX ? 0 : history_join(x->h, ended, x->h->own[i]);
	else
		x->view = x->since;
	x->until = until == x->c->view->events_nr ? HISTORY_NEVER : (uint32_t)until + 1;
	explore_epoch(x);
}

/*
 * Every walk over the range of one writer. Its own SYNCs end walks there; whether another writer's do nobody promised. used: those that start
 * when its operation has ended, and may come to nothing but what is translated after that; otherwise those that start at any time.
 */
static void explore_writer(struct explore *x, unsigned writer, bool used)
{
	size_t i, from = SIZE_MAX;
	uint32_t ended = 0;

	for (i = 0; used && i < x->c->view->events_nr; i++)
		if (x->c->view->events[i].kind == MEM_DONE && x->c->view->events[i].writer == writer)
			explore_since(x, i, x->c->view->events_nr, 0);
	while (!used) {
		i = explore_next_sync(x->c, writer, from + 1);
		explore_since(x, from, i, ended);
		ended = writer ? 0 : x->view;
		if (i == x->c->view->events_nr)
			break;
		from = i;
	}
}

static void explore_claim(struct explore *x, const struct writer *w)
{
	struct check *c = x->c;

	c->by = w->id;
	x->first = w->claim.iova;
	x->last = w->claim.last;
	inflight_init(&x->judge, c, &w->call, &w->want);
	if (check_is_on(c, CHECK_INFLIGHT)) {
		explore_writer(x, w->id, false);
		x->judge.after = true;
		explore_writer(x, w->id, true);
	}
	if (c->hw.cfg.model == MODEL_INCOHERENT && check_is_on(c, CHECK_WRITEBACK))
		explore_ended(x);
	c->by = 0;
}

/* What is nobody's, from first to last, stays as it is all the time. */
static void explore_unclaimed(struct explore *x, uint64_t first, uint64_t last)
{
	const struct call none = { .kind = CALL_SYNC };
	const struct call_expect want = { 0 };

	x->first = first;
	x->last = last;
	inflight_init(&x->judge, x->c, &none, &want);
	if (check_is_on(x->c, CHECK_INFLIGHT))
		explore_writer(x, 0, false);
	if (x->c->hw.cfg.model == MODEL_INCOHERENT && check_is_on(x->c, CHECK_WRITEBACK))
		explore_ended(x);
}

/* The next claim that begins at iova or above, or NULL. */
static const struct writer *explore_next_claim(const struct check *c, uint64_t iova)
{
	const struct writer *next = NULL;
	unsigned i;

	for (i = 0; i < c->writers_nr; i++) {
		const struct writer *w = &c->writers[i];

		if (w->claim.last >= w->claim.iova && w->claim.iova >= iova && (!next || w->claim.iova < next->claim.iova))
			next = w;
	}
	return next;
}

void explore_round(struct check *c)
{
	struct explore x = { .c = c, .h = explore_history(c) };
	const struct writer *w;
	uint64_t at = 0;

	history_build(x.h, c);
	while ((w = explore_next_claim(c, at))) {
		if (w->claim.iova > at)
			explore_unclaimed(&x, at, w->claim.iova - 1);
		explore_claim(&x, w);
		if (w->claim.last == UINT64_MAX)
			return;
		at = w->claim.last + 1;
	}
	explore_unclaimed(&x, at, UINT64_MAX);
}

void explore_each_of(struct check *c, unsigned writer, bool used, uint64_t iova, uint64_t last, explore_seen_fn *fn, void *arg)
{
	struct explore x = {
		.c = c, .h = explore_history(c), .last = UINT64_MAX, .each = fn, .each_arg = arg, .each_first = iova, .each_last = last
	};

	history_build(x.h, c);
	explore_writer(&x, writer, used);
}
