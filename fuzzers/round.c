/* SPDX-License-Identifier: GPL-2.0-or-later */
/* round.c - runs operations of several writers at the same time, as fibers. */
#include "round.h"

#include <stdlib.h>
#include <string.h>

static struct round *round_of(struct exec *x)
{
	if (!x->round)
		x->round = calloc(1, sizeof(*x->round));
	if (!x->round)
		abort();
	return x->round;
}

void round_choose(struct exec *x, round_choose_fn *fn, void *arg, struct op *record)
{
	struct round *r = round_of(x);

	r->choose = fn;
	r->choose_arg = arg;
	r->record = record;
}

void round_wait(struct exec *x, const struct op *op)
{
	struct round *r = round_of(x);
	unsigned at, i;

	for (at = 0; at < r->nr && r->w[at].op.thread < op->thread; at++)
		;
	/* A second one of the same number is another round's, and so is what waited. */
	if (at < r->nr && r->w[at].op.thread == op->thread)
		at = r->nr = 0;
	/* Those behind it move up by one, with their stacks, which are all alike. */
	for (i = r->nr; i > at; i--) {
		r->w[i].op = r->w[i - 1].op;
		r->w[i].op_idx = r->w[i - 1].op_idx;
	}
	r->w[at].op = *op;
	r->w[at].op_idx = x->ops_nr - 1;
	r->nr++;
}

void round_forget(struct exec *x)
{
	struct round *r = x->round;
	unsigned i;

	if (!r)
		return;
	for (i = 0; i < MEM_WRITERS_MAX; i++)
		gather_release(&r->w[i].gather);
	r->nr = 0;
	r->now = NULL;
	r->found = false;
}

void round_release(struct exec *x)
{
	unsigned i;

	if (!x->round)
		return;
	round_forget(x);
	for (i = 0; i < MEM_WRITERS_MAX; i++) {
		fiber_release(&x->round->w[i].fiber);
		free(x->round->w[i].dirty);
	}
	free(x->round);
	x->round = NULL;
}

bool round_running(const struct exec *x)
{
	return x->round && x->round->now;
}

const struct op *round_op(const struct exec *x, unsigned writer)
{
	unsigned i;

	for (i = 0; x->round && i < x->round->nr; i++)
		if (x->round->w[i].op.thread == writer)
			return &x->round->w[i].op;
	return NULL;
}

uint64_t round_points(const struct round *r, unsigned writer)
{
	unsigned i;

	for (i = 0; i < r->nr && r->w[i].op.thread != writer; i++)
		;
	return i < r->nr ? r->w[i].mem.points : 0;
}

/* --- in a writer --- */

static void round_dirty(void *arg, uint64_t iova, uint64_t last)
{
	struct round_writer *w = arg;

	if (w->dirty_nr == w->dirty_room) {
		w->dirty_room = w->dirty_room ? 2 * w->dirty_room : 64;
		w->dirty = realloc(w->dirty, w->dirty_room * sizeof(*w->dirty));
		if (!w->dirty)
			abort();
	}
	w->dirty[w->dirty_nr++] = (struct call_range){ iova, last };
}

static void round_main(void *arg)
{
	struct round_writer *w = arg;
	struct exec *x = w->x;

	exec_engine(x, &w->asked, &w->gather, round_dirty, w, &w->res);
	if (!x->cfg.defer)
		x->ops->sync(x->engine, &w->gather);
	w->res.dirty = w->dirty;
	w->res.dirty_nr = w->dirty_nr;
	mem_done(&x->mem);
}

void round_found(struct exec *x, const struct verdict *v)
{
	struct round *r = x->round;

	r->found = true;
	r->verdict = *v;
	fiber_leave(&r->now->fiber);
	abort();
}

/* --- who goes on --- */

unsigned round_next(unsigned writer, enum round_why why, unsigned runnable)
{
	unsigned i, next = writer;

	if (why == ROUND_POINT)
		return writer;
	for (i = 0; i < MEM_WRITERS_MAX; i++) {
		next = next % MEM_WRITERS_MAX + 1;
		if (runnable >> next & 1)
			return next;
	}
	return writer;
}

static unsigned round_runnable(const struct round *r)
{
	unsigned i, mask = 0;

	for (i = 0; i < r->nr; i++)
		mask |= r->w[i].fiber.done ? 0 : 1u << r->w[i].op.thread;
	return mask;
}

/* The first switch of writer at or after points that was not taken yet, as an index; switches_nr: none. */
static unsigned round_switch(const struct round *r, unsigned writer, uint64_t points)
{
	const struct op *op = r->op;
	unsigned i, best = op->switches_nr;

	for (i = 0; i < op->switches_nr; i++)
		if (op->switches[i].writer == writer && op->switches[i].at >= points && !(r->taken >> i & 1) &&
		    (best == op->switches_nr || op->switches[i].at < op->switches[best].at))
			best = i;
	return best;
}

/* As the operation's switches say. */
static unsigned round_fixed(struct round *r, unsigned writer, uint64_t points, enum round_why why, unsigned runnable, uint64_t *switch_at)
{
	unsigned next = round_next(writer, why, runnable), s = round_switch(r, writer, points), i;

	if (s < r->op->switches_nr && (why == ROUND_ENDED || (why == ROUND_POINT && r->op->switches[s].at == points))) {
		r->taken |= 1u << s;
		if (runnable >> r->op->switches[s].to & 1)
			next = r->op->switches[s].to;
	}
	for (i = 0; i < r->nr && r->w[i].op.thread != next; i++)
		;
	s = round_switch(r, next, next == writer ? points : r->w[i].mem.points);
	*switch_at = s < r->op->switches_nr ? r->op->switches[s].at : UINT64_MAX;
	return next;
}

/* Another one than usual goes on: so it must be when this is run again. False if there is no room to say so. */
static bool round_note(struct op *record, unsigned writer, uint64_t points, unsigned to)
{
	if (record->switches_nr == OP_SWITCHES_MAX || points > UINT16_MAX)
		return false;
	record->switches[record->switches_nr++] = (struct op_switch){ .writer = (uint8_t)writer, .to = (uint8_t)to, .at = (uint16_t)points };
	return true;
}

static struct round_writer *round_ask(struct round *r, unsigned writer, uint64_t points, enum round_why why, uint64_t *switch_at)
{
	unsigned runnable = round_runnable(r), usual = round_next(writer, why, runnable), next = usual, i;

	if (!r->choose) {
		next = round_fixed(r, writer, points, why, runnable, switch_at);
	} else {
		next = r->choose(r->choose_arg, writer, points, why, runnable, switch_at);
		if (next != usual && (why == ROUND_WAITS || !round_note(r->record, writer, points, next)))
			next = usual;
	}
	for (i = 0; r->w[i].op.thread != next; i++)
		;
	return &r->w[i];
}

/* mem's hook, in the writer that runs. */
static void round_change(void *arg, bool yields)
{
	struct exec *x = arg;
	struct round *r = x->round;
	struct round_writer *now = r->now;
	uint64_t switch_at = UINT64_MAX;

	r->next = round_ask(r, now->op.thread, x->mem.writer.points, yields ? ROUND_WAITS : ROUND_POINT, &switch_at);
	if (r->next == now) {
		x->mem.writer.switch_at = switch_at;
		return;
	}
	r->next->mem.switch_at = switch_at;
	fiber_leave(&now->fiber);
}

/* --- the round --- */

/* The calls, as engine and oracle get them. */
static void round_calls(struct exec *x, struct round *r)
{
	unsigned i;

	for (i = 0; i < r->nr; i++) {
		struct round_writer *w = &r->w[i];

		w->x = x;
		w->dirty_nr = 0;
		w->res = (struct call_result){ 0 };
		exec_call_of(x, &w->op, &w->asked, &r->writers[i].call);
		r->writers[i].id = w->op.thread;
	}
}

static void round_start(struct exec *x, struct round *r, const uint64_t *budgets)
{
	bool limit = x->options.checks & 1u << CHECK_PROGRESS;
	unsigned i;

	mem_begin_op(&x->mem, UINT64_MAX, 0);
	x->mem.change = round_change;
	x->mem.change_arg = x;
	for (i = 0; i < r->nr; i++) {
		struct round_writer *w = &r->w[i];

		fiber_start(&w->fiber, round_main, w);
		mem_writer_begin(&w->mem, w->op.thread, limit ? budgets[i] : UINT64_MAX, w->op.fail);
	}
	r->taken = 0;
	r->next = &r->w[0];
	/* Whoever begins is asked first. */
	r->next->mem.switch_at = 0;
}

/* Run writers by turns until all have ended, or one has found something. */
static void round_turns(struct exec *x, struct round *r)
{
	while (round_runnable(r) && !r->found) {
		struct round_writer *w = r->now = r->next;

		mem_writer_change(&x->mem, NULL, &w->mem);
		fiber_enter(&w->fiber);
		mem_writer_change(&x->mem, &w->mem, NULL);
		if (r->found)
			return;
		r->now = NULL;
		if (!w->fiber.done)
			continue;
		w->points = w->mem.points;
		if (round_runnable(r)) {
			uint64_t switch_at = UINT64_MAX;

			r->next = round_ask(r, w->op.thread, w->points, ROUND_ENDED, &switch_at);
			r->next->mem.switch_at = switch_at;
		}
	}
}

bool round_run(struct exec *x, const struct op *op)
{
	struct round *r = round_of(x);
	uint64_t budgets[MEM_WRITERS_MAX];
	unsigned i;

	x->why = "is a switch, and no thread waits for it";
	/* Another engine's locks and shared words do not let writers change. */
	if (strcmp(x->ops->engine, "native")) {
		x->why = "ends a round, and only the native engine runs several writers";
	} else if (r->nr) {
		round_calls(x, r);
		x->why = check_round_begin(&x->check, r->writers, r->nr, budgets);
	}
	if (x->why) {
		r->nr = 0;
		r->choose = NULL;
		return false;
	}
	r->op = op;
	r->ran_nr = r->nr;
	round_start(x, r, budgets);
	round_turns(x, r);
	r->choose = NULL;
	if (r->found) {
		struct round_writer *w = r->now;

		r->now = NULL;
		x->finding(x->finding_arg, &r->verdict, &w->op);
		abort();
	}
	for (i = 0; i < r->nr; i++) {
		r->writers[i].res = r->w[i].res;
		gather_join(&x->gather, &r->w[i].gather);
	}
	return true;
}
