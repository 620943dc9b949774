/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fit.h - one operation of a trace that is being changed, where it stands: changed itself, or made to fit what is mapped there now.
 *
 * Which operations a trace has, and in which order, is mutate.c's.
 */
#ifndef HITLESS_FIT_H
#define HITLESS_FIT_H

#include "guess.h"
#include "pick.h"
#include "rng.h"

/*
 * What is changed of an operation. FIT_MOVE: an end of its range, or the place, goes by a granule, to the next boundary of a page size, or to
 * what is live nearby; FIT_TARGET: it is put on a live piece, at the same distance from its start if that lies inside; FIT_EXTRAS: a failing
 * allocation or an action of the device comes, goes or moves; FIT_SPOIL: what must be refused.
 */
enum fit_edit { FIT_KEEP, FIT_FRESH, FIT_MOVE, FIT_TARGET, FIT_EXTRAS, FIT_MEANING, FIT_SWITCHES, FIT_SPOIL, FIT_NR };

/*
 * struct fit - what both need; everything is borrowed.
 *
 * @pick: draws from @rng and looks at the map of @guess
 */
struct fit {
	struct rng *rng;
	struct guess *guess;
	struct pick pick;
};

/* fit_open - guess has been opened: nothing is mapped yet. */
void fit_open(struct fit *f, struct rng *rng, struct guess *guess);

/* fit_edit - change op. What comes of it need not fit. An operation of a round stays one. */
void fit_edit(struct fit *f, enum fit_edit edit, struct op *op);

/*
 * fit_op - make op one that ought to be accepted where it stands, changing as little as will do: aligned, inside the aperture, a map over a hole,
 * others on what is mapped. False: it must not run before a sync; then it is otherwise as it should be.
 */
bool fit_op(struct fit *f, struct op *op);

#endif
