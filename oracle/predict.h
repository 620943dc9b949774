/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * predict.h - what a call must return and may cost, from the interval map and the configuration alone.
 */
#ifndef HITLESS_PREDICT_H
#define HITLESS_PREDICT_H

#include "check_state.h"

/*
 * check_begin - call is about to be made: what it must return is worked out, and kept for check_called. Returns how many steps it may use (G9): 64 + 16 x the items of the
 * tables that its span overlaps.
 */
uint64_t check_begin(struct check *c, const struct call *call);

/*
 * check_round_begin - the calls of nr writers, whose id and call are filled in, are about to be made at the same time. Works out what each must
 * return, and claims, and keeps writers, which must stay, for check_round. *budgets[i] is the steps of writer i. Returns NULL, or why they may
 * not run at the same time: two of them touch one piece or one range, or under deferred invalidation one touches what waits for a sync.
 */
const char *check_round_begin(struct check *c, struct writer *writers, unsigned nr, uint64_t *budgets);

/* check_predict - what call must return now. Pure. */
void check_predict(const struct check *c, const struct call *call, struct call_expect *want);

#endif
