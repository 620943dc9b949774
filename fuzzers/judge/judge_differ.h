/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_differ.h - where a judge and our walker rightly differ once a single bit is wrong, and the sentence that decides it.
 *
 * No table that the engine makes comes under any of these: they are about entries that no correct software writes.
 */
#ifndef HITLESS_JUDGE_DIFFER_H
#define HITLESS_JUDGE_DIFFER_H

#include "../../oracle/walk.h"
#include "judge.h"

/* What the judge does where our walker has the entry for bad, or other than our walker. */
enum judge_differ_how {
	DIFFER_TRANSLATES, /* our walker says that software must not write this; the judge translates */
	DIFFER_FAULTS,     /* our walker translates, the judge faults */
	DIFFER_OTHERWISE,  /* both translate, to different things */
};

enum judge_differ_whose {
	DIFFER_WALKER, /* our walker is stricter than hardware need be: it says what software may write */
	DIFFER_SETUP,  /* the judge's machine has a feature that ours is taken not to have, or the other way round */
	DIFFER_JUDGE,  /* the judge departs from the specification */
};

/*
 * struct judge_difference - one of them.
 *
 * @judge:  its name; @format: how the format's name begins; NULL: any
 * @why:    what our walker says of the entry begins so; for the other two ways NULL
 * @table:  1: the changed entry was a table pointer, 0: a leaf, -1: either
 * @bits:   of the item, one of which was changed; 0: any
 * @reason: who decides it, for people
 */
struct judge_difference {
	const char *judge, *format;
	enum judge_differ_how how;
	const char *why;
	int table;
	uint64_t bits;
	enum judge_differ_whose whose;
	const char *reason;
};

extern const struct judge_difference judge_differences[];
extern const unsigned judge_differences_nr;

/* One changed bit: of which entry, and what the walk came to. */
struct judge_change {
	unsigned level, bit;
	bool table;
	const struct walk *after;
};

/* judge_differ_find - the index of the difference that explains due and answer, or -1. */
int judge_differ_find(const struct judge *j, const struct hw *hw, const struct judge_change *change, const struct judge_ask *due,
		      const struct judge_ask *answer);

/* "translates" and so on; "walker" and so on. */
const char *judge_differ_how_name(enum judge_differ_how how);
const char *judge_differ_whose_name(enum judge_differ_whose whose);

#endif
