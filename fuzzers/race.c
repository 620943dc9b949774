/* SPDX-License-Identifier: GPL-2.0-or-later */
/* race.c - a round for people. */
#include "race.h"

#include <stdlib.h>

#include "say.h"

/* The bytes of tables that an event reads, stores to, writes back, makes or frees; false: none. */
static bool race_bytes(const struct mem_event *ev, uint64_t *first, uint64_t *end)
{
	*first = ev->pa;
	switch ((enum mem_event_kind)ev->kind) {
	case MEM_STORE:
	case MEM_CAS:
	case MEM_LOAD:
	case MEM_DEVICE:
		*end = ev->pa + ((uint64_t)ev->nr << ev->bytes_lg2);
		return true;
	case MEM_FLUSH:
	case MEM_ALLOC:
	case MEM_FREE:
		*end = ev->pa + ev->old;
		return true;
	default:
		return false;
	}
}

static bool race_changes(const struct mem_event *ev)
{
	return ev->kind != MEM_LOAD && ev->kind != MEM_WORD_LOAD && ev->kind != MEM_FLUSH;
}

/* Whether event i is about what another writer has to do with, too, and one of them changes it; or says when something is over. */
static bool race_shared(const struct story *s, size_t i)
{
	const struct mem_event *ev = &s->view->events[i];
	uint64_t first, end, other_first, other_end;
	bool bytes = race_bytes(ev, &first, &end), word = ev->kind == MEM_WORD_LOAD || ev->kind == MEM_WORD_STORE;
	size_t k;

	if (ev->kind == MEM_TOP || ev->kind == MEM_SYNC || ev->kind == MEM_DONE || ev->kind == MEM_ALLOC_FAIL || ev->kind == MEM_FREE)
		return true;
	for (k = 0; k < s->view->events_nr; k++) {
		const struct mem_event *other = &s->view->events[k];

		if (other->writer == ev->writer || (!race_changes(ev) && !race_changes(other)))
			continue;
		if (word && other->pa == ev->pa && (other->kind == MEM_WORD_LOAD || other->kind == MEM_WORD_STORE))
			return true;
		if (bytes && race_bytes(other, &other_first, &other_end) && first < other_end && other_first < end)
			return true;
	}
	return false;
}

void race_print(const struct story *s, char *buf, size_t room)
{
	bool *shared = calloc(s->view->events_nr + 1, sizeof(*shared));
	size_t i, nr = 0, skip;
	unsigned writer = 0;

	if (!shared)
		abort();
	for (i = 0; i < s->view->events_nr; i++)
		nr += shared[i] = race_shared(s, i);
	skip = nr > RACE_EVENTS_MAX ? nr - RACE_EVENTS_MAX : 0;
	say(buf, room, "the round as it ran: of %zu events those about what the writers share; hitless show --stores prints all\n",
	    s->view->events_nr);
	if (skip)
		say(buf, room, "  %zu earlier ones are left out\n", skip);
	for (i = 0; i < s->view->events_nr; i++) {
		bool left_out = skip && shared[i];

		skip -= left_out;
		if (skip || left_out)
			continue;
		if (s->view->events[i].writer != writer)
			say(buf, room, "  >>> writer %u %s\n", s->view->events[i].writer, i ? "goes on" : "begins");
		writer = s->view->events[i].writer;
		if (!shared[i])
			continue;
		say(buf, room, "  ");
		story_event(s, i, 1, buf, room);
		say(buf, room, "\n");
	}
	free(shared);
}
