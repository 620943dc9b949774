/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * round.h - a round: operations of several writers that run at the same time (G10), as fibers that change at the primitives of mem and nowhere
 * else. Who runs when is the schedule, which is part of the trace.
 *
 * So a race between writers is found by a run that can be run again, and not by luck. The writers execute one interleaving, in which each reads
 * what was stored last; what the device may see of it meanwhile is the oracle's (explore.h).
 */
#ifndef HITLESS_ROUND_H
#define HITLESS_ROUND_H

#include "exec.h"
#include "fiber.h"

/* Why somebody is asked who goes on: the writer has come to its switch_at, waits for a lock, has ended. */
enum round_why { ROUND_POINT, ROUND_WAITS, ROUND_ENDED };

/*
 * Who goes on. writer is at its primitive number points; bit n of runnable: writer n has not ended. Returns one of these; if that is another
 * one than round_next says, and why is not ROUND_WAITS, the switch is written down (see round_choose). *switch_at: at which primitive of the
 * one that goes on to ask again; UINT64_MAX: never.
 */
typedef unsigned round_choose_fn(void *arg, unsigned writer, uint64_t points, enum round_why why, unsigned runnable, uint64_t *switch_at);

/* The one that goes on unless something else is said: writer itself at a point, otherwise the next higher number, after the highest the lowest. */
unsigned round_next(unsigned writer, enum round_why why, unsigned runnable);

/*
 * struct round_writer - one of them.
 *
 * @asked: the call as the engine gets it
 * @points: primitives that it has executed, valid when the round has ended
 */
struct round_writer {
	struct exec *x;
	struct op op;
	size_t op_idx;
	struct fiber fiber;
	struct mem_writer mem;
	struct gather gather;
	struct call asked;
	struct call_result res;
	struct call_range *dirty;
	size_t dirty_nr, dirty_room;
	uint64_t points;
};

/*
 * struct round - of one exec.
 *
 * @w, @nr:  those that wait for the switch, or run, by their numbers; @ran_nr: those of the last round, which are still there
 * @writers: what the oracle is told
 * @now:     the one that runs; NULL: none
 * @next:    the one that is to run
 * @taken:   bit n: switch n of the operation has been taken
 * @choose, @choose_arg, @record: see round_choose
 * @found, @verdict: what a primitive found while a writer, @now, ran
 */
struct round {
	struct round_writer w[MEM_WRITERS_MAX];
	struct writer writers[MEM_WRITERS_MAX];
	unsigned nr, ran_nr;
	struct round_writer *now, *next;
	const struct op *op;
	uint32_t taken;
	round_choose_fn *choose;
	void *choose_arg;
	struct op *record;
	bool found;
	struct verdict verdict;
};

/*
 * round_choose - the next switch operation asks fn who goes on, instead of its own switches, and writes into *record, which is that operation,
 * what it takes to run the same again, as it comes. It then has room for no more switches than OP_SWITCHES_MAX: what would need more does not
 * switch.
 */
void round_choose(struct exec *x, round_choose_fn *fn, void *arg, struct op *record);

/* How many primitives a writer that does not run has executed or, if it was stopped before one, how many before that. */
uint64_t round_points(const struct round *r, unsigned writer);

/* --- for exec.c --- */

/* round_wait - op, which has a thread number, waits for its switch. */
void round_wait(struct exec *x, const struct op *op);

/*
 * round_run - run those that wait as op, a switch, says, under the oracle. False, and *x->why, if they may not run at the same time or there are
 * none: then none has.
 */
bool round_run(struct exec *x, const struct op *op);

/* Whether a writer runs. round_found: it has found v; does not return, and the finding is reported from outside. */
bool round_running(const struct exec *x);
void round_found(struct exec *x, const struct verdict *v) __attribute__((noreturn));

/* The operation of a writer; NULL if there is none of that number. */
const struct op *round_op(const struct exec *x, unsigned writer);

/* Nobody waits any more. */
void round_forget(struct exec *x);
void round_release(struct exec *x);

#endif
