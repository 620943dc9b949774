/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress_reader.c - the device of a stress run: threads that walk the raw table bytes and ask the flat oracle what they may have seen.
 */
#include <sched.h>

#include "stress.h"

#define STRESS_SECTION_NR 8 /* translations in one read section */

/* A page to look at: of the operation that runs, its ends above all, or any. */
static uint32_t stress_pick_page(struct stress_reader *r, uint64_t op)
{
	uint32_t first = stress_first(op), last = stress_last(op);

	switch (rng_below(&r->rng, 8)) {
	case 0:
		return first;
	case 1:
		return last;
	case 2:
	case 3:
	case 4:
		return first + rng_below(&r->rng, last - first + 1);
	default:
		return rng_below(&r->rng, r->s->flat.nr);
	}
}

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

void stress_missed(struct stress *s, const struct stress_miss *miss)
{
	if (!__atomic_exchange_n(&s->missed, true, __ATOMIC_ACQ_REL))
		s->miss = *miss;
	__atomic_store_n(&s->stop, true, __ATOMIC_RELEASE);
}

static void stress_count(struct stress_counts *c, const struct stress_miss *m, uint32_t page, unsigned which)
{
	uint64_t during = m->op2 & STRESS_RUNNING || m->op2 != m->op1 ? m->op2 : m->op1;

	c->translations++;
	if (!(m->op1 & STRESS_RUNNING) && m->op1 == m->op2)
		return;
	c->overlaps++;
	if ((m->op1 & STRESS_RUNNING) && m->op1 != m->op2 && (page < stress_first(during) || page > stress_last(during)))
		during = m->op1;
	if (page < stress_first(during) || page > stress_last(during))
		return;
	c->hits++;
	c->cut_hits += stress_kind(during) == CALL_CUT && stress_first(during) != stress_last(during);
	if (m->allowed_nr == 2 && m->allowed[0] != m->allowed[1]) {
		c->before += !which;
		c->after += which;
	}
}

/* What the device sets in the entry that it used. */
static void stress_touch(struct stress_reader *r, const struct hw *hw, const struct walk *w)
{
	const struct walk_step *step = &w->steps[w->nr - 1];
	bool write = (w->prot & PROT_W) && rng_below(&r->rng, 2);
	uint64_t raw = step->raw;

	if (write || (w->prot & PROT_R))
		raw = hw->format->touch(hw, step->level, step->raw, write);
	if (raw != step->raw)
		r->counts.touches += mem_device(&r->s->x.mem, step->pa, hw->item_bytes_lg2, step->raw, raw);
}

static void stress_translate(struct stress_reader *r)
{
	struct stress *s = r->s;
	const struct hw *hw = &s->oracle.hw;
	struct stress_miss m;
	uint64_t first, root;
	unsigned level, which = 0;
	uint32_t page;
	bool agrees;

	m.op1 = __atomic_load_n(&s->op, __ATOMIC_ACQUIRE);
	page = stress_pick_page(r, m.op1);
	m.iova = stress_page_iova(s, page) + (rng_next(&r->rng) & layout_mask(s->flat.page_lg2));
	first = flat_first(&s->flat, page);
	s->x.ops->root(s->x.engine, &root, &level);
	walk(hw, &s->x.mem.view, root, level, m.iova, &m.walk);
	m.allowed_nr = flat_allowed(&s->flat, page, first, m.allowed);
	m.op2 = __atomic_load_n(&s->op, __ATOMIC_ACQUIRE);
	if (!m.allowed_nr) {
		r->counts.unclear++;
		return;
	}
	agrees = stress_agrees(&s->flat, m.iova, &m.walk, m.allowed, m.allowed_nr, &which);
	stress_count(&r->counts, &m, page, which);
	if (!agrees)
		stress_missed(s, &m);
	else if (hw->cfg.ad && m.walk.end == WALK_LEAF && !rng_below(&r->rng, 4))
		stress_touch(r, hw, &m.walk);
}

static void *stress_reader(void *arg)
{
	struct stress_reader *r = arg;
	struct stress *s = r->s;
	unsigned i;

	urcu_memb_register_thread();
	while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
		bool open;

		grace_enter(&s->grace);
		open = __atomic_load_n(&s->open, __ATOMIC_ACQUIRE);
		for (i = 0; open && i < STRESS_SECTION_NR; i++)
			stress_translate(r);
		grace_leave(&s->grace);
		if (!open || __atomic_load_n(&s->waiting, __ATOMIC_RELAXED))
			sched_yield();
	}
	urcu_memb_unregister_thread();
	return NULL;
}

void stress_stop_readers(struct stress *s)
{
	unsigned i;

	__atomic_store_n(&s->stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < s->readers_nr; i++) {
		const uint64_t *from = (const uint64_t *)&s->readers[i].counts;
		uint64_t *to = (uint64_t *)&s->counts;
		size_t k;

		pthread_join(s->readers[i].thread, NULL);
		for (k = 0; k < sizeof(s->counts) / sizeof(*to); k++)
			to[k] += from[k];
	}
	s->readers_nr = 0;
}

bool stress_start_readers(struct stress *s, unsigned nr)
{
	for (s->readers_nr = 0; s->readers_nr < nr; s->readers_nr++) {
		struct stress_reader *r = &s->readers[s->readers_nr];
		sigset_t all, before;
		int ret;

		*r = (struct stress_reader){ .s = s };
		rng_init(&r->rng, rng_next(&s->rng));
		/* Signals are for the writer's thread. */
		sigfillset(&all);
		pthread_sigmask(SIG_BLOCK, &all, &before);
		ret = pthread_create(&r->thread, NULL, stress_reader, r);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
		if (ret)
			return false;
	}
	return true;
}
