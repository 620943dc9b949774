/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * schedule.c - a walk in flight that goes wrong.
 *
 * A place in the log is that of an event and a moment: 0 is before the operation, event i is i + 1.
 */
#include "schedule.h"

#include <stdio.h>

#include "../oracle/walk.h"
#include "say.h"

#define SCHEDULE_NEVER SIZE_MAX

/*
 * struct schedule - the walk among the events.
 *
 * @from:  by step, the place of the store that made it; 0: none. A verdict has one place for all stores of a fill
 * @seen:  by step, the newest place that the walk has seen when it reads it
 * @after: by step, the first store that would have given another value; SCHEDULE_NEVER: none
 * @free:  the place where the table that the walk ends in was freed; SCHEDULE_NEVER: it was not
 */
struct schedule {
	const struct story *s;
	const struct verdict *v;
	size_t from[VERDICT_STEPS_MAX], seen[VERDICT_STEPS_MAX], after[VERDICT_STEPS_MAX], free;
	struct hw_entry last;
};

/* The place where the table at pa was allocated or freed; SCHEDULE_NEVER: not in this operation. */
static size_t schedule_find(const struct story *s, enum mem_event_kind kind, uint64_t pa)
{
	size_t i;

	for (i = 0; i < s->view->events_nr; i++)
		if (s->view->events[i].kind == kind && s->view->events[i].pa == pa)
			return i + 1;
	return SCHEDULE_NEVER;
}

/* Whether the step read what its table held before it was allocated. */
static bool schedule_uncleared(const struct story *s, const struct verdict_step *step)
{
	return !step->seq && schedule_find(s, MEM_ALLOC, story_table(s, step->pa)) != SCHEDULE_NEVER;
}

/* The store that made what the step read; 0: none. */
static size_t schedule_from(const struct story *s, const struct verdict_step *step)
{
	size_t i = step->seq;

	if (!i || s->view->events[i - 1].kind != MEM_STORE)
		return i;
	while (!story_stores(s, i - 1, step->pa) && story_joined(s, i))
		i++;
	return i;
}

/* The first store since the one at from that gave the item of the step another value. */
static size_t schedule_after(const struct story *s, const struct verdict_step *step, size_t from)
{
	size_t i;

	if (schedule_uncleared(s, step))
		return schedule_find(s, MEM_ALLOC, story_table(s, step->pa));
	for (i = from; i < s->view->events_nr; i++)
		if (story_stores(s, i, step->pa) && story_item(s, step->pa, i + 1) != step->raw)
			return i + 1;
	return SCHEDULE_NEVER;
}

static void schedule_init(struct schedule *d, const struct story *s, const struct verdict *v)
{
	const struct verdict_step *last = &v->steps[v->steps_nr - 1];
	size_t seen = v->since_seq > v->root_seq ? v->since_seq : v->root_seq;
	unsigned i;

	*d = (struct schedule){ .s = s, .v = v, .free = SCHEDULE_NEVER };
	for (i = 0; i < v->steps_nr; i++) {
		d->from[i] = schedule_from(s, &v->steps[i]);
		seen = d->from[i] > seen ? d->from[i] : seen;
		d->seen[i] = seen;
		d->after[i] = schedule_after(s, &v->steps[i], d->from[i]);
	}
	if (!schedule_uncleared(s, last))
		d->last = s->hw->format->decode(s->hw, last->level, last->raw);
	if (d->last.kind == HW_TABLE)
		d->free = schedule_find(s, MEM_FREE, d->last.pa);
}

/* --- the items --- */

/* "version 2 of 3, stored by #12 (compare-exchange)" */
static void schedule_version(const struct story *s, const struct verdict_step *step, char *buf, size_t room)
{
	size_t from = schedule_from(s, step);
	const struct mem_event *ev = from ? &s->view->events[from - 1] : NULL;
	char kind[32] = "";

	say(buf, room, "    version %u of %u, ", step->version + 1, step->versions_nr);
	if (!ev) {
		if (schedule_uncleared(s, step))
			say(buf, room, "from before the table was allocated\n");
		else if (story_item(s, step->pa, 0) != step->raw)
			say(buf, room, "from an earlier operation, whose store was not written back\n");
		else
			say(buf, room, "from before the operation\n");
		return;
	}
	if (ev->kind == MEM_ALLOC) {
		say(buf, room, "zeroed when the table was allocated, #%zu\n", from);
		return;
	}
	story_kind(s, from - 1, kind, sizeof(kind));
	say(buf, room, "%s by #%zu (%s)%s\n", ev->kind == MEM_DEVICE ? "set" : "stored", from, kind,
	    1u << ev->bytes_lg2 < s->item_bytes ? ", which stores a part of the item" : "");
}

static void schedule_other(const struct story *s, const struct verdict_step *step, const char *when, uint64_t raw, char *buf, size_t room)
{
	if (raw == step->raw && !schedule_uncleared(s, step))
		return;
	say(buf, room, "    %s 0x%llx: ", when, (unsigned long long)raw);
	story_entry(s->hw, step->level, raw, buf, room);
	say(buf, room, "\n");
}

static void schedule_step(const struct story *s, const struct verdict_step *step, char *buf, size_t room)
{
	bool uncleared = schedule_uncleared(s, step);
	char fields[400] = "";

	say(buf, room, "  level %u, item at 0x%llx", step->level, (unsigned long long)step->pa);
	if (uncleared) {
		say(buf, room, ": whatever this memory held\n");
	} else {
		say(buf, room, " = 0x%llx: ", (unsigned long long)step->raw);
		story_entry(s->hw, step->level, step->raw, buf, room);
		s->hw->format->fields(s->hw, step->level, step->raw, fields, sizeof(fields));
		say(buf, room, "%s\n    %s\n", step->versions_nr > 1 ? "" : ", unchanged", fields);
	}
	if (step->versions_nr <= 1)
		return;
	schedule_version(s, step, buf, room);
	if (!uncleared)
		schedule_other(s, step, "before the operation", story_item(s, step->pa, 0), buf, room);
	schedule_other(s, step, "after the operation ", story_item(s, step->pa, s->view->events_nr), buf, room);
}

/* --- the events --- */

/* How much an event says about the walk. */
enum schedule_weight { SCHEDULE_DECIDES, SCHEDULE_TOUCHES, SCHEDULE_ORDERS, SCHEDULE_OTHER };

static bool schedule_flushes(const struct mem_event *ev, uint64_t pa, unsigned bytes)
{
	return ev->kind == MEM_FLUSH && ev->pa < pa + bytes && pa < ev->pa + ev->old;
}

/* Whether event idx is about a table that the walk reads or ends in. */
static bool schedule_about_table(const struct schedule *d, const struct mem_event *ev)
{
	unsigned i;

	for (i = 0; i < d->v->steps_nr; i++)
		if (d->v->steps[i].versions_nr > 1 && story_table(d->s, d->v->steps[i].pa) == ev->pa)
			return true;
	return d->last.kind == HW_TABLE && d->last.pa == ev->pa;
}

static enum schedule_weight schedule_weigh(const struct schedule *d, size_t idx)
{
	const struct mem_event *ev = &d->s->view->events[idx];
	enum schedule_weight weight = SCHEDULE_OTHER;
	unsigned i;

	switch ((enum mem_event_kind)ev->kind) {
	case MEM_TOP:
		return SCHEDULE_DECIDES;
	case MEM_SYNC:
		return idx + 1 == d->v->since_seq ? SCHEDULE_DECIDES : SCHEDULE_ORDERS;
	case MEM_ALLOC:
	case MEM_FREE:
		return schedule_about_table(d, ev) ? SCHEDULE_DECIDES : SCHEDULE_OTHER;
	case MEM_DMA_MAP:
	case MEM_DMA_UNMAP:
		return schedule_about_table(d, ev) ? SCHEDULE_TOUCHES : SCHEDULE_OTHER;
	case MEM_FENCE:
		return SCHEDULE_ORDERS;
	case MEM_DONE:
		return SCHEDULE_ORDERS;
	case MEM_ALLOC_FAIL:
	case MEM_INVALIDATE:
	case MEM_LOAD:
	case MEM_WORD_LOAD:
	case MEM_WORD_STORE:
		return SCHEDULE_OTHER;
	case MEM_STORE:
	case MEM_CAS:
	case MEM_DEVICE:
	case MEM_FLUSH:
		break;
	}
	for (i = 0; i < d->v->steps_nr; i++) {
		const struct verdict_step *step = &d->v->steps[i];

		if (idx + 1 == d->from[i] || idx + 1 == d->after[i])
			return SCHEDULE_DECIDES;
		if (schedule_flushes(ev, step->pa, d->s->item_bytes) || story_stores(d->s, idx, step->pa))
			weight = SCHEDULE_TOUCHES;
	}
	return weight;
}

/* Why the walk may still read what the step read, now that it has seen everything up to seen. */
static void schedule_why(const struct schedule *d, unsigned i, char *buf, size_t room)
{
	const struct mem_view *view = d->s->view;
	const struct verdict_step *step = &d->v->steps[i];
	size_t after = d->after[i], k;

	if (d->from[i])
		say(buf, room, ", of #%zu", d->from[i]);
	if (after == SCHEDULE_NEVER)
		return;
	if (after > d->seen[i]) {
		say(buf, room, ", before #%zu", after);
		return;
	}
	if (d->s->hw->cfg.model != MODEL_INCOHERENT) {
		say(buf, room, "; #%zu came before #%zu, but nothing orders the two", after, d->seen[i]);
		return;
	}
	for (k = after; k < view->events_nr && !schedule_flushes(&view->events[k], step->pa, d->s->item_bytes); k++)
		;
	if (k == view->events_nr)
		say(buf, room, "; #%zu is not written back", after);
	else
		say(buf, room, "; #%zu is written back by #%zu, too late", after, k + 1);
}

/* The root that the walk starts from, if the operation changed it. */
static void schedule_start(const struct schedule *d, char *buf, size_t room)
{
	size_t i;

	for (i = 0; i < d->s->view->events_nr && d->s->view->events[i].kind != MEM_TOP; i++)
		;
	if (i == d->s->view->events_nr)
		return;
	say(buf, room, "  %6s  %-16s  at the root ", ">>>", "the walk starts");
	if (d->v->root_seq)
		say(buf, room, "of #%u\n", d->v->root_seq);
	else
		say(buf, room, "from before\n");
}

static void schedule_read(const struct schedule *d, unsigned i, char *buf, size_t room)
{
	const struct verdict_step *step = &d->v->steps[i];

	say(buf, room, "  %6s  %-16s  level %u 0x%llx: ", ">>>", "the walk reads", step->level, (unsigned long long)step->pa);
	if (schedule_uncleared(d->s, step))
		say(buf, room, "whatever is there");
	else
		story_entry(d->s->hw, step->level, step->raw, buf, room);
	schedule_why(d, i, buf, room);
	say(buf, room, "\n");
}

/* Where the last pointer leads, if that is no table. */
static void schedule_wild(const struct schedule *d, char *buf, size_t room)
{
	const char *wrong;

	if (d->last.kind != HW_TABLE)
		return;
	wrong = walk_table_wrong(d->s->hw, d->s->view, d->last.level, d->last.pa);
	if (d->free != SCHEDULE_NEVER)
		say(buf, room, "  %6s  %-16s  level %u table 0x%llx, freed by #%zu\n", ">>>", "the walk goes to", d->last.level,
		    (unsigned long long)d->last.pa, d->free);
	else if (wrong)
		say(buf, room, "  %6s  %-16s  0x%llx: the pointer %s\n", ">>>", "the walk goes to", (unsigned long long)d->last.pa, wrong);
	else
		say(buf, room, "  %6s  %-16s  level %u table 0x%llx, which does not span the address\n", ">>>", "the walk goes to",
		    d->last.level, (unsigned long long)d->last.pa);
}

/* Where in the log the walk starts (0), reads item k (k + 1), follows the last pointer (steps_nr + 1). */
static size_t schedule_place(const struct schedule *d, unsigned turn)
{
	size_t last = d->seen[d->v->steps_nr - 1];

	if (!turn)
		return d->v->since_seq > d->v->root_seq ? d->v->since_seq : d->v->root_seq;
	if (turn <= d->v->steps_nr)
		return d->seen[turn - 1];
	return d->free != SCHEDULE_NEVER && d->free > last ? d->free : last;
}

/* What the walk does before place, and has not done yet. */
static void schedule_until(const struct schedule *d, unsigned *turn, size_t place, char *buf, size_t room)
{
	for (; *turn <= d->v->steps_nr + 1 && schedule_place(d, *turn) < place; ++*turn) {
		if (!*turn)
			schedule_start(d, buf, room);
		else if (*turn > d->v->steps_nr)
			schedule_wild(d, buf, room);
		else if (d->v->steps[*turn - 1].versions_nr > 1)
			schedule_read(d, *turn - 1, buf, room);
	}
}

/* Whether event idx is less than reach away from where the walk ends. */
static bool schedule_near(const struct schedule *d, size_t idx, size_t reach)
{
	size_t end = d->seen[d->v->steps_nr - 1];

	return (idx > end ? idx - end : end - idx) < reach;
}

/* How many events of this weight are near. */
static size_t schedule_count(const struct schedule *d, enum schedule_weight weight, size_t reach)
{
	size_t i, nr = 0;

	for (i = 0; i < d->s->view->events_nr; i++)
		nr += schedule_near(d, i, reach) && schedule_weigh(d, i) == weight;
	return nr;
}

static void schedule_events(const struct schedule *d, char *buf, size_t room)
{
	size_t nr = d->s->view->events_nr, reach[SCHEDULE_OTHER] = { nr + 1, nr + 1, nr + 1 }, left = SCHEDULE_EVENTS_MAX, hidden = 0, i,
	       count;
	enum schedule_weight weight;
	unsigned turn = 0;

	say(buf, room, "the schedule: of %zu events those that this walk can notice; hitless show --stores prints all\n", nr);
	/* What weighs more has a place before what weighs less, and what is near before what is far. */
	for (weight = SCHEDULE_DECIDES; weight < SCHEDULE_OTHER; weight++) {
		hidden += schedule_count(d, weight, nr + 1);
		while ((count = schedule_count(d, weight, reach[weight])) > left)
			reach[weight] /= 2;
		hidden -= count;
		left -= count;
	}
	for (i = 0; i < nr; i++) {
		weight = schedule_weigh(d, i);
		if (weight == SCHEDULE_OTHER || !schedule_near(d, i, reach[weight]))
			continue;
		schedule_until(d, &turn, i + 1, buf, room);
		say(buf, room, "  ");
		story_event(d->s, i, 1, buf, room);
		say(buf, room, "\n");
	}
	if (hidden)
		say(buf, room, "  %zu more are left out\n", hidden);
	schedule_until(d, &turn, nr, buf, room);
	if (d->v->since_seq == nr)
		say(buf, room, "          the operation has ended\n");
	schedule_until(d, &turn, SCHEDULE_NEVER, buf, room);
}

void schedule_print(const struct story *s, const struct verdict *v, char *buf, size_t room)
{
	struct schedule d;
	unsigned i;

	schedule_init(&d, s, v);
	say(buf, room, "the walk in flight that shows it\n");
	for (i = 0; i < v->steps_nr; i++)
		schedule_step(s, &v->steps[i], buf, room);
	schedule_events(&d, buf, room);
}
