/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress_reader.c - the device of a stress run: threads that walk the raw table bytes and ask the flat oracle what they may have seen.
 *
 * A read section is what hardware calls a walk in flight: a table that it may be in must stay what it is until the section ends.
 */
#include "stress_reader.h"

#include <stdio.h>
#include <string.h>

#define READER_TRIES 4       /* to set accessed or dirty before the translation is given up */
#define READER_NEAR_PAGES 1024 /* two tables of 512 items */

static inline void reader_count(uint64_t *n, uint64_t more)
{
	__atomic_store_n(n, *n + more, __ATOMIC_RELAXED);
}

/* One of the operation that some writer runs, its ends above all, near it, where tables are shared with it, or any. */
uint32_t stress_pick(struct stress_reader *r)
{
	uint64_t word = __atomic_load_n(&r->d->now[rng_below(&r->rng, r->d->writers_nr)].word, __ATOMIC_RELAXED);
	uint32_t first = stress_first(word), last = stress_last(word), nr = r->d->flat.nr, draw = (uint32_t)(rng_next(&r->rng) >> 32), page;

	switch (draw & 7) {
	case 0:
		return first;
	case 1:
		return last;
	case 2:
	case 3:
	case 4:
		return first + (uint32_t)((uint64_t)(draw >> 3) * (last - first + 1) >> 29);
	case 5:
		page = (draw & 8 ? first : last) + READER_NEAR_PAGES / 2 - (draw >> 4) % READER_NEAR_PAGES;
		return page < nr ? page : first;
	default:
		return (uint32_t)((uint64_t)(draw >> 3) * nr >> 29);
	}
}

/* --- what is wrong --- */

bool stress_agrees(const struct flat *f, uint64_t iova, const struct walk *w, const uint64_t *allowed, unsigned nr, unsigned *which)
{
	uint64_t offset = iova & layout_mask(f->page_lg2);

	if (w->end == WALK_BAD || w->end == WALK_WILD)
		return false;
	for (*which = 0; *which < nr; ++*which) {
		uint64_t content = allowed[*which];

		if (content ? w->end == WALK_LEAF && w->prot == flat_prot(content) && w->oa == flat_oa(f, content) + offset
			    : w->end == WALK_FAULT)
			return true;
	}
	return false;
}

/* A walk that ended in a leaf: what is wrong with it, oa first. Where two answers were allowed, it is compared with the one that has its oa. */
static enum verdict_class reader_classify_leaf(const struct flat *f, uint64_t iova, const struct walk *w, const uint64_t *allowed, unsigned nr)
{
	unsigned i;

	for (i = 0; i < nr; i++)
		if (allowed[i] && w->oa == flat_oa(f, allowed[i]) + (iova & layout_mask(f->page_lg2)))
			return (w->prot ^ flat_prot(allowed[i])) & PROT_ACCESS ? VERDICT_WRONG_PERMISSION : VERDICT_WRONG_ATTRIBUTE;
	return VERDICT_WRONG_OA;
}

static void reader_print(const struct flat *f, uint64_t iova, const uint64_t *allowed, unsigned nr, char *buf, size_t room)
{
	char words[48];
	size_t at = 0;
	unsigned i;

	buf[0] = '\0';
	for (i = 0; i < nr && at < room; i++) {
		const char *or = i ? " or " : ", expected ";

		if (allowed[i])
			at += (size_t)snprintf(buf + at, room - at, "%soa 0x%llx %s", or,
					       (unsigned long long)(flat_oa(f, allowed[i]) + (iova & layout_mask(f->page_lg2))),
					       hw_prot_words(flat_prot(allowed[i]), words, sizeof(words)));
		else
			at += (size_t)snprintf(buf + at, room - at, "%sa fault", or);
	}
}

void stress_accuse(const struct stress_domain *d, uint64_t iova, const struct walk *w, const uint64_t *allowed, unsigned nr, bool in_flight,
		   struct stress_evidence *e)
{
	static const char *const ends[] = { "a leaf", "a fault", "a forbidden entry", "no table" };
	struct verdict *v = &e->v;
	char want[200], words[48], seen[160];

	*v = (struct verdict){ .guarantee = in_flight ? 2 : 1, .level = VERDICT_LEVEL_NONE, .has_iova = true, .iova = iova };
	if (w->nr)
		v->level = w->steps[w->nr - 1].level;
	v->want = (nr && allowed[0]) || (nr > 1 && allowed[1]) ? KIND_LEAF : KIND_HOLE;
	v->seen = w->end == WALK_LEAF ? KIND_LEAF : w->end == WALK_FAULT ? KIND_HOLE : KIND_BAD;
	if (w->end == WALK_WILD)
		v->class = strstr(w->why, "freed") ? VERDICT_USE_AFTER_FREE : VERDICT_WALKS_DATA;
	else if (w->end == WALK_BAD)
		v->class = VERDICT_RESERVED_BITS;
	else if (w->end == WALK_FAULT)
		v->class = in_flight ? VERDICT_FAULT_WINDOW : VERDICT_WRONG_OA;
	else
		v->class = reader_classify_leaf(&d->flat, iova, w, allowed, nr);
	reader_print(&d->flat, iova, allowed, nr, want, sizeof(want));
	if (w->end == WALK_LEAF)
		snprintf(seen, sizeof(seen), "oa 0x%llx %s", (unsigned long long)w->oa, hw_prot_words(w->prot, words, sizeof(words)));
	else
		snprintf(seen, sizeof(seen), "%s%s%s", ends[w->end], w->why ? ": " : "", w->why ? w->why : "");
	snprintf(v->text, sizeof(v->text), "a device translating iova 0x%llx %s saw %s%s", (unsigned long long)iova,
		 in_flight ? "during the operation" : "at rest", seen, want);
	e->has_walk = true;
	e->walk = *w;
}

/* --- one translation --- */

/*
 * struct translation - one of them.
 *
 * @op1, @op2: stress_word of the page's writer before and after it
 * @first, @allowed, @allowed_nr: of the flat oracle
 * @write: a DMA write that found or left its entry dirty
 */
struct translation {
	uint64_t iova, op1, op2, first, allowed[2];
	uint32_t page;
	unsigned allowed_nr, which, writer;
	bool write;
	struct walk walk;
};

static bool reader_overlaps(const struct translation *t)
{
	return (t->op1 & STRESS_RUNNING) || t->op1 != t->op2;
}

/* The operation that overlaps it, of two the one whose range it is in. */
static uint64_t reader_during(const struct translation *t)
{
	if (!(t->op2 & STRESS_RUNNING) && t->op1 == t->op2)
		return t->op1;
	if ((t->op1 & STRESS_RUNNING) && t->page >= stress_first(t->op1) && t->page <= stress_last(t->op1))
		return t->op1;
	return t->op2;
}

/* What was seen of the operation that it overlaps. */
static void reader_count_overlap(struct stress_counts *c, const struct stress_domain *d, const struct translation *t)
{
	uint64_t during = reader_during(t);
	uint32_t first = stress_first(during), last = stress_last(during);

	reader_count(&c->overlaps, 1);
	if (t->page < first || t->page > last)
		return;
	reader_count(&c->hits, 1);
	if (t->allowed_nr == 2 && t->allowed[0] != t->allowed[1])
		reader_count(t->allowed[0] ? &c->unmap[t->which] : &c->map[t->which], 1);
	/* A cut's range is the old leaf. */
	if (stress_kind(during) == CALL_CUT && first != last && t->walk.end == WALK_LEAF) {
		uint64_t bytes = (uint64_t)(last - first + 1) << d->flat.page_lg2;

		reader_count(&c->cut[UINT64_C(1) << t->walk.steps[t->walk.nr - 1].entry.size_lg2 < bytes], 1);
	}
}

/*
 * The device reads or writes, and marks the entry that it used, if that still is what it read; else it walks again from the table on. Not
 * every translation does, so that there are clean entries to be found.
 */
static void reader_access(struct stress_reader *r, struct translation *t)
{
	const struct hw *hw = &r->d->oracle.hw;
	const struct mem_view *view = &r->d->x.mem.view;
	bool write = rng_next(&r->rng) & 1;
	unsigned tries;

	for (tries = 0; tries < READER_TRIES && t->walk.end == WALK_LEAF && (t->walk.prot & (write ? PROT_W : PROT_R)); tries++) {
		const struct walk_step *step = &t->walk.steps[t->walk.nr - 1];
		uint64_t marked = hw->format->touch(hw, step->level, step->raw, write);

		if (marked == step->raw || mem_device(&r->d->x.mem, step->pa, hw->item_bytes_lg2, step->raw, marked)) {
			reader_count(&r->counts.touches, marked != step->raw);
			reader_count(&r->counts.writes, write);
			t->write = write;
			return;
		}
		if (t->walk.nr == 1)
			return;
		walk_resume(hw, view, t->iova, &t->walk, t->walk.nr - 1);
	}
}

/* A walk that takes its time: it holds on to a pointer while tables change, and goes on from there. */
static void reader_slow(struct stress_reader *r, struct translation *t)
{
	stress_pause_now(&r->pauser);
	walk_resume(&r->d->oracle.hw, &r->d->x.mem.view, t->iova, &t->walk, 1 + rng_below(&r->rng, t->walk.nr - 1));
	reader_count(&r->counts.slow, 1);
}

static __attribute__((noinline, cold)) void reader_found(struct stress_reader *r, const struct translation *t, bool stale)
{
	struct stress_evidence e = { .writer = t->writer };
	bool in_flight = reader_overlaps(t) || t->allowed_nr != 1;

	stress_accuse(r->d, t->iova, &t->walk, t->allowed, t->allowed_nr, in_flight, &e);
	if (in_flight)
		e.number = stress_number(reader_during(t));
	if (stale) {
		e.v.class = VERDICT_USE_AFTER_FREE;
		e.v.guarantee = 8;
		snprintf(e.v.text, sizeof(e.v.text), "a table was freed while a walk of iova 0x%llx was in it", (unsigned long long)t->iova);
	}
	stress_domain_claim(r->d, &e);
}

void stress_translate(struct stress_reader *r)
{
	struct stress_domain *d = r->d;
	const struct hw *hw = &d->oracle.hw;
	const struct mem_view *view = &d->x.mem.view;
	struct translation t;
	uint64_t root;
	unsigned level;
	bool stale;

	t.page = stress_pick(r);
	t.writer = (unsigned)d->flat.pages[t.page].writer;
	t.iova = flat_iova(&d->flat, t.page) + (rng_next(&r->rng) & layout_mask(d->flat.page_lg2));
	t.write = false;
	t.op1 = __atomic_load_n(&d->now[t.writer].word, __ATOMIC_ACQUIRE);
	t.first = flat_first(&d->flat, t.page);
	root = stress_domain_root(d, &level);
	walk(hw, view, root, level, t.iova, &t.walk);
	if (d->pause != PAUSE_NONE && t.walk.nr > 1 && !(t.iova >> 3 & 31))
		reader_slow(r, &t);
	if (hw->cfg.ad && t.walk.end == WALK_LEAF && !(rng_next(&r->rng) % d->touch_nr))
		reader_access(r, &t);
	stale = walk_is_stale(hw, view, t.iova, &t.walk);
	t.allowed_nr = flat_allowed(&d->flat, t.page, t.first, t.allowed);
	t.op2 = __atomic_load_n(&d->now[t.writer].word, __ATOMIC_ACQUIRE);
	reader_count(&r->counts.translations, 1);
	if (stale || t.walk.end == WALK_BAD || t.walk.end == WALK_WILD) {
		reader_found(r, &t, stale);
		return;
	}
	if (!t.allowed_nr) {
		reader_count(&r->counts.unclear, 1);
		return;
	}
	if (!stress_agrees(&d->flat, t.iova, &t.walk, t.allowed, t.allowed_nr, &t.which)) {
		reader_found(r, &t, false);
		return;
	}
	if (t.write && t.allowed_nr == 1)
		flat_wrote(&d->flat, t.page, t.first);
	if (reader_overlaps(&t))
		reader_count_overlap(&r->counts, d, &t);
}

void stress_section(struct stress_reader *r)
{
	uint64_t start = latency_now();
	unsigned i;

	grace_enter(r->grace);
	stress_translate(r);
	/* One translation in a section is timed. */
	latency_add(&r->latency, latency_now() - start);
	for (i = 1; i < STRESS_SECTION_NR && !stress_domain_stops(r->d); i++)
		stress_translate(r);
	grace_leave(r->grace);
}

void *stress_reader_main(void *arg)
{
	struct stress_reader *r = arg;

	grace_register(r->grace);
	while (!stress_domain_stops(r->d))
		stress_section(r);
	grace_unregister(r->grace);
	return NULL;
}
