/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guess.h - what operations will come to, from the oracle's own prediction, without an engine and without tables.
 *
 * Who changes operations uses it to see what is mapped where they stand. It errs in one thing: it takes every allocation to succeed, so that after
 * an operation that is made to fail more may be mapped here than in a run.
 */
#ifndef HITLESS_GUESS_H
#define HITLESS_GUESS_H

#include "../oracle/check.h"
#include "op.h"

enum guess_how {
	GUESS_DONE,
	GUESS_REFUSED,  /* with an error that depends on what is mapped, or on what the hardware may do live: -ENOENT -EADDRINUSE, a cut's -EOPNOTSUPP */
	GUESS_ARGUMENT, /* with one that no state of the domain changes: -EINVAL -ERANGE -ENXIO, a map's or dirty's -EOPNOTSUPP */
	GUESS_FORBIDDEN, /* it may not run here: what it touches waits for a sync, or two writers of the round touch the same */
	GUESS_WAITS,     /* one of a round, for its switch */
	GUESS_HUGE,      /* a map of more leaves than drivers of outside fuzzers run: they leave it out */
};

/*
 * struct guess - one domain.
 *
 * @check: its interval map and geometry; no table of it is ever looked at
 * @owed:  under deferred invalidation, what waits for a sync
 * @round, @round_nr: operations that wait for a switch
 */
struct guess {
	struct check check;
	struct mem_view view;
	struct call_range *owed;
	size_t owed_nr, owed_room;
	struct op round[MEM_WRITERS_MAX];
	unsigned round_nr;
	bool open;
};

/* All zero is a guess that is not open. */

/* guess_open - an empty domain of a resolved configuration; one that was open is closed. 0 or -errno: it cannot be run. */
int guess_open(struct guess *g, const struct config *cfg);
void guess_close(struct guess *g);

/* guess_look - what op would come to now. GUESS_FORBIDDEN of a switch: see above; without anybody who waits too. */
enum guess_how guess_look(struct guess *g, const struct op *op);

/* guess_op - likewise, and it has happened. */
enum guess_how guess_op(struct guess *g, const struct op *op);

/* How a call that returned ret went: GUESS_DONE, GUESS_REFUSED (-ENOMEM too), GUESS_ARGUMENT. */
enum guess_how guess_of(unsigned op_kind, int ret);

#endif
