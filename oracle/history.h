/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * history.h - what every slot of table memory held during one operation: the versions that the log gives it, and what a device that reads one
 * of them must have seen. explore.h has the rules; who walks through the versions is explore.c.
 */
#ifndef HITLESS_HISTORY_H
#define HITLESS_HISTORY_H

#include "check_state.h"

/* A view or a place in the log: 0 is before the operation, event i of the log is i + 1. */
#define HISTORY_NEVER UINT32_MAX

/*
 * With one writer a view is a place: whatever the writer did up to there is seen. So it is with several if the device does not snoop, since a
 * cache has one content at any time, whoever stored it. Several writers of a device that snoops are in no order among each other beyond what
 * one of them has read of another: there a view is a vector, by its number in the history; 0 is that of who has seen nothing.
 */
#define HISTORY_SINGLES_MAX 11

/*
 * struct history_view - what must be seen.
 *
 * @upto:    by writer: everything that it stored up to this place
 * @singles: and these stores, whatever came before them: relaxed ones that another writer has read
 */
struct history_view {
	uint32_t upto[MEM_WRITERS_MAX + 1];
	uint32_t singles_nr, singles[HISTORY_SINGLES_MAX];
};


/*
 * struct version - what a run of slots held from one store to the next.
 *
 * @raw, @step_lg2: slot k of the run holds raw + (k << step_lg2), step_lg2 0: raw
 * @seq:   the store's place in the log; 0: from before the operation
 * @floor: from this view on nothing older can be read
 * @pub:   reading it raises the view to this
 * @uncleared: the bytes that a table held before it was allocated
 * @torn:  some bytes of a store that was not whole
 */
struct version {
	uint64_t raw;
	uint32_t seq, floor, pub;
	uint8_t step_lg2;
	bool uncleared, torn;
};

/* Slots first to first + nr - 1 of a table, which have the same versions, oldest first. */
struct run {
	uint32_t first, nr, versions_at, versions_nr;
};

/*
 * struct touched - a table that the operation stored to, allocated, wrote back or freed, or that leads to one.
 *
 * @pa, @items: where; how many slots it has
 * @nodes_first, @nodes_last: its events, in order
 * @child, @sibling: touched tables that were below it when the operation began
 * @writers: bit n: writer n has stored to it, written it back or allocated it
 * @alloc, @free: when it was allocated and freed, HISTORY_NEVER
 * @alloc_pub: what the zeroes of ALLOC publish
 * @runs_at, @runs_nr: slots that have more than one version, by slot; runs_nr HISTORY_NEVER: not built yet. A new table's runs leave no gap
 */
struct touched {
	uint64_t pa;
	uint32_t items, nodes_first, nodes_last, child, sibling, alloc, free, alloc_pub, runs_at, runs_nr, writers;
};

/* A slot of which the device may still see an older value, since its newest has not been written back. */
struct stale {
	uint64_t pa, raw;
};

struct history_node;
struct history_read;

/*
 * struct history - of the operation whose log is being looked at; reused from one to the next.
 *
 * @build: number of this history; a page that names it has a record in @touched
 * @own: by event, what a store publishes by itself, and what whoever syncs or has ended has seen to; @place: its place in the log, one for all stores of a fill
 * @stale: left by the operations before
 * @sorted, @cover: for building runs
 * @several: views are vectors, by number
 * @views, @views_nr: these
 * @reads, @reads_nr: by item, those of a frame together, what writers had waited for or read of others when they read it: what is stored there later
 *          comes after that
 */
struct history {
	struct check *c;
	uint32_t build;
	struct touched *touched;
	struct history_node *nodes;
	struct run *runs;
	struct version *versions;
	struct stale *stale;
	uint32_t *own, *place, *sorted, *cover;
	size_t touched_nr, touched_room, nodes_nr, nodes_room, runs_nr, runs_room, versions_nr, versions_room, stale_nr, stale_room;
	size_t own_room, place_room, sorted_room, cover_room;
	bool several;
	struct history_view *views;
	size_t views_nr, views_room;
	struct history_read *reads;
	size_t reads_nr, reads_room;
};

void history_release(struct history *h);

/* history_build - read the log of the current operation; c's pages are those of before it. */
void history_build(struct history *h, struct check *c);

/* Whether who has this view has seen the event at place. */
bool history_sees(const struct history *h, uint32_t view, uint32_t place);

/* The view of who has both. */
uint32_t history_join(struct history *h, uint32_t a, uint32_t b);

/* The table at pa if the operation touched it, or NULL. */
struct touched *history_touched(const struct history *h, uint64_t pa);

/* Build the runs of t, a table of level, if they have not been. Runs and versions move when others are built. */
void history_runs(struct history *h, struct touched *t, unsigned level);

/* The run that holds slot of t, whose runs are built, or NULL. */
const struct run *history_run(const struct history *h, const struct touched *t, uint32_t slot);

/* The versions of run that a walk with view may read, of those from before until, which is at least 1: from *lo to *hi, which are indices. */
void history_visible(const struct history *h, const struct run *run, uint32_t view, uint32_t until, uint32_t *lo, uint32_t *hi);

/* history_settle - the operation, whose history was built, has ended: what is not written back stays stale. For a device that does not snoop. */
void history_settle(struct history *h);

#endif
