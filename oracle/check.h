/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check.h - what must be true after an operation, and the only place that compares.
 *
 * The driver tells what it called and what came back; the log and the bytes tell what the engine did. The check predicts the result from
 * the interval
 * map alone, follows every table through the log, and walks the raw bytes of everything that was touched. What does not agree is reported
 * as a verdict;
 * the report does not return.
 *
 * predict.c computes what a call must return, account.c follows tables and invalidations through the log, sweep.c walks the bytes; all
 * stand on check_state.
 */
#ifndef HITLESS_CHECK_H
#define HITLESS_CHECK_H

#include "check_state.h"
#include "predict.h"

/* check_release - gives back what check_init and the checks have used. */
void check_release(struct check *c);

/*
 * check_created - the domain was made; the log holds what that took. The engine declares these capabilities: not more than the hardware
 * has, nor less, since a cut that is refused without need is a mapping that cannot be divided.
 */
void check_created(struct check *c, bool cap_size_change, bool cap_leaf_to_table);

/* check_may_call - under deferred invalidation, whether the call keeps its hands off ranges that wait for a sync. */
bool check_may_call(const struct check *c, const struct call *call);

/*
 * check_called - call, for which check_begin was called, has returned res (and, unless invalidation is deferred, its gather has been
 * synced); the log holds both. Compares everything and moves the interval map on.
 */
void check_called(struct check *c, const struct call *call, const struct call_result *res);

/*
 * check_round - the calls of the round that check_round_begin was given have returned, the res of each writer is filled in, and the log holds
 * what all of them did. Their ranges being disjoint, each must have come to what it would have by itself.
 */
void check_round(struct check *c);

/*
 * check_root - the call has returned, and the engine goes on from the root at pa, of level. So must the device: what is mapped through a root
 * that it does not know faults.
 */
void check_root(struct check *c, uint64_t pa, unsigned level);

/* check_device - the device read or wrote iova between calls; the log holds its updates. ok: a walk allowed it. */
void check_device(struct check *c, uint64_t iova, bool write, bool ok);

/* check_all - walk every table of the domain and compare all of the interval map. */
void check_all(struct check *c);

/* check_destroyed - the domain was torn down: no table may be left. */
void check_destroyed(struct check *c);

#endif
