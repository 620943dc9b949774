/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interleave.h - every schedule of a round, but for those that differ in the order of primitives alone that do not concern each other.
 *
 * A round is run again and again, each time under a schedule that has not been, until there is none left: dynamic partial order reduction
 * (Flanagan and Godefroid, POPL 2005), without sleep sets. Two primitives of different writers concern each other if they touch the same item of a
 * table or the same word of the engine's own, and one of them changes it; if one frees the table that the other one touches; or if one ends walks
 * (SYNC, DONE) and the other one changes the root, or stores to or writes back an item that the first one's writer has touched: what walks to its
 * range may come to goes by that order. There is no bound on how often writers change, but for the switches that an operation has room for.
 *
 * A writer that waits for a lock goes on when another one has released one; who goes on meanwhile is the next by its number.
 */
#ifndef HITLESS_INTERLEAVE_H
#define HITLESS_INTERLEAVE_H

#include "round.h"

/*
 * struct interleave_step - a primitive of the schedule that is running.
 *
 * @writer:   who executes it
 * @enabled, @todo, @done: bit n: writer n could have; is still to be tried here; has been
 * @after:    by writer: the steps before this one that it depends on, itself included
 * @first:    its first event in the log
 */
struct interleave_step {
	uint8_t writer, enabled, todo, done;
	uint16_t after[MEM_WRITERS_MAX + 1];
	size_t first;
};

/*
 * struct interleave - all schedules of one round.
 *
 * @plain:  leave out nothing; for tests, since their number explodes
 * @runs:   schedules so far
 * @cut:    of those, the ones that needed more switches than an operation has room for, and were not run to the end as they should have been
 * @steps, @steps_nr, @at: of the schedule that is running; those before @prefix are given
 * @touched: by event: bit n: writer n touches the bytes that it is about, in this schedule
 * @waits:  bit n: writer n waits for a lock
 * @lost:   the schedule is not followed any more, see @cut
 * @view, @round: of the exec that runs it
 */
struct interleave {
	bool plain;
	uint64_t runs, cut;
	struct interleave_step *steps;
	size_t steps_nr, steps_room, at, prefix;
	uint8_t *touched;
	size_t touched_room;
	unsigned waits;
	bool lost;
	const struct mem_view *view;
	const struct round *round;
};

/* interleave_init - nothing has been run yet. interleave_release gives back what it used. */
void interleave_init(struct interleave *it, bool plain);
void interleave_release(struct interleave *it);

/* interleave_begin - the round is about to be run by x as *record, a switch operation without switches: under the next schedule. */
void interleave_begin(struct interleave *it, struct exec *x, struct op *record);

/* interleave_more - it has been run; the log of it is still there. Whether there is another schedule. */
bool interleave_more(struct interleave *it);

#endif
