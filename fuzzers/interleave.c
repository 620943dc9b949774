/* SPDX-License-Identifier: GPL-2.0-or-later */
/* interleave.c - every schedule of a round. */
#include "interleave.h"

#include <stdlib.h>
#include <string.h>

void interleave_init(struct interleave *it, bool plain)
{
	memset(it, 0, sizeof(*it));
	it->plain = plain;
}

void interleave_release(struct interleave *it)
{
	free(it->steps);
	free(it->touched);
	it->steps = NULL;
	it->touched = NULL;
}

static struct interleave_step *interleave_step(struct interleave *it)
{
	if (it->at == it->steps_room) {
		it->steps_room = it->steps_room ? 2 * it->steps_room : 64;
		it->steps = realloc(it->steps, it->steps_room * sizeof(*it->steps));
		if (!it->steps)
			abort();
	}
	return &it->steps[it->at++];
}

/* Who waits for a lock may go on when one has been released since. */
static void interleave_wake(struct interleave *it)
{
	size_t i, first = it->at ? it->steps[it->at - 1].first : 0;

	for (i = first; i < it->view->events_nr; i++)
		if (it->view->events[i].kind == MEM_WORD_STORE)
			it->waits = 0;
}

static unsigned interleave_choose(void *arg, unsigned writer, uint64_t points, enum round_why why, unsigned runnable, uint64_t *switch_at)
{
	struct interleave *it = arg;
	unsigned usual = round_next(writer, why, runnable), enabled;
	struct interleave_step *step;

	*switch_at = UINT64_MAX;
	if (it->at && it->steps[it->at - 1].writer != writer && why == ROUND_POINT)
		it->lost = true;
	if (it->lost)
		return usual;
	interleave_wake(it);
	if (why == ROUND_WAITS)
		it->waits |= 1u << writer;
	enabled = runnable & ~it->waits;
	/* Who waits goes to sleep, and the next one on: nothing to choose. */
	if (why == ROUND_WAITS || !enabled)
		enabled = 1u << usual;
	if (!(enabled >> usual & 1))
		usual = (unsigned)__builtin_ctz(enabled);
	step = interleave_step(it);
	if (it->at > it->prefix) {
		*step = (struct interleave_step){ .writer = (uint8_t)usual, .enabled = (uint8_t)enabled };
		step->todo = it->plain ? (uint8_t)enabled : (uint8_t)(1u << usual);
		step->done = (uint8_t)(1u << usual);
	}
	step->first = it->view->events_nr;
	it->steps_nr = it->at;
	*switch_at = step->writer == writer && why == ROUND_POINT ? points + 1 : round_points(it->round, step->writer) + 1;
	return step->writer;
}

void interleave_begin(struct interleave *it, struct exec *x, struct op *record)
{
	it->view = &x->mem.view;
	it->at = 0;
	it->waits = 0;
	it->lost = false;
	it->runs++;
	round_choose(x, interleave_choose, it, record);
	it->round = x->round;
}

/* --- what concerns what --- */

static bool interleave_stores(const struct mem_event *ev)
{
	return ev->kind == MEM_STORE || ev->kind == MEM_CAS;
}

/* The bytes of table memory that an event is about; false: none. */
static bool interleave_bytes(const struct mem_event *ev, uint64_t *first, uint64_t *end)
{
	*first = ev->pa;
	switch ((enum mem_event_kind)ev->kind) {
	case MEM_STORE:
	case MEM_CAS:
	case MEM_LOAD:
		*end = ev->pa + ((uint64_t)ev->nr << ev->bytes_lg2);
		return true;
	case MEM_FLUSH:
	case MEM_FREE:
		*end = ev->pa + ev->old;
		return true;
	default:
		return false;
	}
}

static bool interleave_ends_walks(const struct mem_event *ev)
{
	return ev->kind == MEM_SYNC || ev->kind == MEM_DONE;
}

/* Whether what walks to the range of writer may come to goes by when event i is. */
static bool interleave_shows(const struct interleave *it, size_t i, unsigned writer)
{
	const struct mem_event *ev = &it->view->events[i];

	return ev->kind == MEM_TOP || ((interleave_stores(ev) || ev->kind == MEM_FLUSH) && it->touched[i] >> writer & 1);
}

static bool interleave_concern(const struct interleave *it, size_t i, size_t j)
{
	const struct mem_event *a = &it->view->events[i], *b = &it->view->events[j];
	bool word_a = a->kind == MEM_WORD_LOAD || a->kind == MEM_WORD_STORE, word_b = b->kind == MEM_WORD_LOAD || b->kind == MEM_WORD_STORE;
	uint64_t a_first, a_end, b_first, b_end;

	if (word_a && word_b)
		return a->pa == b->pa && (a->kind == MEM_WORD_STORE || b->kind == MEM_WORD_STORE || a->old || b->old);
	if (interleave_ends_walks(a) || interleave_ends_walks(b))
		return (interleave_ends_walks(a) && interleave_shows(it, j, a->writer)) ||
		       (interleave_ends_walks(b) && interleave_shows(it, i, b->writer));
	if (!interleave_bytes(a, &a_first, &a_end) || !interleave_bytes(b, &b_first, &b_end) || a_end <= b_first || b_end <= a_first)
		return false;
	return interleave_stores(a) || interleave_stores(b) || a->kind == MEM_FREE || b->kind == MEM_FREE;
}

/* Which writers touch what each event is about. */
static void interleave_touch(struct interleave *it)
{
	size_t nr = it->view->events_nr, i, j;

	if (it->touched_room < nr) {
		it->touched_room = 2 * nr;
		it->touched = realloc(it->touched, it->touched_room);
		if (!it->touched)
			abort();
	}
	for (i = 0; i < nr; i++) {
		uint64_t first, end, first_j, end_j;

		it->touched[i] = 0;
		if (!interleave_bytes(&it->view->events[i], &first, &end))
			continue;
		for (j = 0; j < nr; j++)
			if (interleave_bytes(&it->view->events[j], &first_j, &end_j) && first_j < end && first < end_j)
				it->touched[i] |= (uint8_t)(1u << it->view->events[j].writer);
	}
}

static size_t interleave_end(const struct interleave *it, size_t i)
{
	return i + 1 < it->steps_nr ? it->steps[i + 1].first : it->view->events_nr;
}

static bool interleave_dependent(const struct interleave *it, size_t i, size_t j)
{
	size_t a, b;

	for (a = it->steps[i].first; a < interleave_end(it, i); a++)
		for (b = it->steps[j].first; b < interleave_end(it, j); b++)
			if (interleave_concern(it, a, b))
				return true;
	return false;
}

/*
 * For each step the last one before it that concerns it, is another writer's, and that nothing its own writer has done before depends on: its
 * writer is to be tried there. after: by writer, up to which step what a writer has done so far depends on.
 */
static void interleave_look_back(struct interleave *it)
{
	size_t after[MEM_WRITERS_MAX + 1][MEM_WRITERS_MAX + 1] = { 0 }, i, j;
	unsigned w;

	interleave_touch(it);
	for (j = 0; j < it->steps_nr; j++) {
		struct interleave_step *step = &it->steps[j];
		size_t *mine = after[step->writer];
		bool tried = false;

		memset(step->after, 0, sizeof(step->after));
		for (i = j; i--;) {
			struct interleave_step *other = &it->steps[i];

			if (other->writer == step->writer || i < mine[other->writer] || !interleave_dependent(it, i, j))
				continue;
			if (!tried)
				other->todo |= other->enabled >> step->writer & 1 ? (uint8_t)(1u << step->writer) : other->enabled;
			tried = true;
			/* From now on what this one depended on, too. */
			for (w = 1; w <= MEM_WRITERS_MAX; w++)
				if (other->after[w] > step->after[w])
					step->after[w] = (uint16_t)other->after[w];
		}
		for (w = 1; w <= MEM_WRITERS_MAX; w++)
			if (step->after[w] > mine[w])
				mine[w] = step->after[w];
		mine[step->writer] = j + 1;
		for (w = 1; w <= MEM_WRITERS_MAX; w++)
			step->after[w] = (uint16_t)mine[w];
	}
}

bool interleave_more(struct interleave *it)
{
	struct interleave_step *step;
	unsigned left;

	it->cut += it->lost;
	if (!it->plain && !it->lost)
		interleave_look_back(it);
	for (; it->steps_nr; it->steps_nr--) {
		step = &it->steps[it->steps_nr - 1];
		left = step->todo & (unsigned)~step->done;
		if (!left)
			continue;
		step->writer = (uint8_t)__builtin_ctz(left);
		step->done |= (uint8_t)(1u << step->writer);
		it->prefix = it->steps_nr;
		return true;
	}
	return false;
}
