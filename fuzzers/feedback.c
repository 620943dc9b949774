/* SPDX-License-Identifier: GPL-2.0-or-later */
/* feedback.c - what an operation did to the tables, as counters; see feedback.h. */
#include "feedback.h"

/* Of an operation: so many events are looked at, and so many after a store for its write-back. */
#define EVENTS_MAX 256
#define FLUSH_WITHIN 8

enum { FEEDBACK_TRANSITION, FEEDBACK_WALK, FEEDBACK_RESULT };

static void feedback_hit(const struct feedback *f, uint64_t what)
{
	uint64_t hash = (what * 16 + f->format) * UINT64_C(0x9e3779b97f4a7c15);
	uint8_t *counter = &f->counters[hash >> 51 & (FEEDBACK_NR - 1)];

	*counter += *counter != UINT8_MAX;
}

/* 0 to 7: what an item is. */
static unsigned feedback_kind(const struct hw *hw, const struct hw_entry *e, unsigned level)
{
	if (e->kind != HW_LEAF)
		return e->kind == HW_EMPTY ? 0 : e->kind == HW_TABLE ? 1 : 2;
	return 4 + 2 * (e->size_lg2 > hw->item_lg2[level]) + e->dirty;
}

static unsigned feedback_decode(const struct hw *hw, unsigned level, uint64_t raw)
{
	struct hw_entry e = hw->format->decode(hw, level, raw & layout_mask(8u << hw->item_bytes_lg2));

	return feedback_kind(hw, &e, level);
}

/* 0: it need not be; 1: what event i stored is written back; 2: not soon. */
static unsigned feedback_flush(const struct check *c, size_t i)
{
	const struct mem_event *store = &c->view->events[i], *ev;
	size_t k;

	if (c->hw.cfg.coherent)
		return 0;
	for (k = i + 1; k < c->view->events_nr && k <= i + FLUSH_WITHIN; k++) {
		ev = &c->view->events[k];
		if (ev->kind == MEM_FLUSH && ev->pa <= store->pa && store->pa - ev->pa < ev->old)
			return 1;
	}
	return 2;
}

static void feedback_event(const struct feedback *f, const struct check *c, size_t i)
{
	const struct mem_event *ev = &c->view->events[i];
	unsigned level, was, is, how;
	const struct page *page;

	if (!mem_view_has(c->view, ev->pa, 1) || ev->bytes_lg2 != c->hw.item_bytes_lg2)
		return;
	page = check_page(c, check_table(c, ev->pa));
	level = page->level <= c->hw.top_level_max ? page->level : 0;
	was = feedback_decode(&c->hw, level, ev->old);
	is = feedback_decode(&c->hw, level, ev->new);
	how = ev->kind == MEM_CAS ? 3 : ev->kind == MEM_DEVICE ? 4 : ev->order;
	how += 8 * (feedback_flush(c, i) + 4 * (ev->nr > 1));
	feedback_hit(f, FEEDBACK_TRANSITION + 4 * (f->op_kind + 16 * (level + 8 * (was + 8 * (is + 8ull * how)))));
}

static void feedback_walked(void *arg, const struct check_walked *w)
{
	const struct feedback *f = arg;

	uint32_t version = w->version < 3 ? w->version : 3, versions_nr = w->versions_nr < 3 ? w->versions_nr : 3;
	uint32_t which = version + 4 * (versions_nr + 4 * w->level_from);

	feedback_hit(f, FEEDBACK_WALK + 4 * (f->op_kind + 16 * (w->level + 8 * (w->kind + 8 * (w->kind_before + 8ull * which)))));
}

void feedback_open(struct feedback *f, struct exec *x, uint8_t *counters)
{
	const char *name = x->cfg.format;

	f->counters = counters;
	for (f->format = 0; *name; name++)
		f->format = f->format * 31 + (uint8_t)*name;
	f->format &= 15;
	f->op_kind = OP_NR;
	x->check.walked = feedback_walked;
	x->check.walked_arg = f;
}

void feedback_begin(struct feedback *f, const struct op *op)
{
	f->op_kind = op->kind;
}

void feedback_op(struct feedback *f, const struct exec *x, const struct op *op, enum exec_status status)
{
	const struct check *c = &x->check;
	size_t i;

	if (status == EXEC_SKIPPED || status == EXEC_WAITS || c->blind)
		return;
	if (op->kind != OP_READ && op->kind != OP_WRITE && op->kind != OP_SWITCH)
		feedback_hit(f, FEEDBACK_RESULT + 4 * (op->kind + 16ull * (unsigned)-x->ret));
	for (i = 0; i < c->view->events_nr && i < EVENTS_MAX; i++)
		if (c->view->events[i].kind == MEM_STORE || c->view->events[i].kind == MEM_CAS || c->view->events[i].kind == MEM_DEVICE)
			feedback_event(f, c, i);
}
