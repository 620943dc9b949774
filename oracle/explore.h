/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explore.h - every walk that may have been in flight during one operation, decided from the event log without threads (G2; G5 for a device
 * that does not snoop the caches).
 *
 * The rules. A location has the value that it held when the operation began, and one version for each store since; its place in the log is a
 * store's sequence number. SYNC ends every walk: the log is cut into epochs there, and a walk belongs to one. A walk has a view, a lower bound
 * on what it must already see, at first the SYNC before its epoch. Reading a location it may get any version, of those from before the epoch's
 * end, that is not older than the location's floor:
 *
 *   coherent     the newest store up to the view. Reading a version raises the view to what that version publishes: itself if it is a release
 *                store, the last fence before it if it is relaxed (model strong: always itself), and at least what the version that it replaced
 *                published, by whichever of engine and device that was written. What the device stores publishes that alone
 *   incoherent   the newest store older than the last FLUSH, of those up to the view, that covers the location. Reading a version raises the
 *                view to it. Versions that mean the same are one, the oldest
 *
 * A table that the operation allocates holds its old bytes first, which nothing may read, then a zero in every slot, stored relaxed by ALLOC.
 * MEM_TOP is a release store to a location of its own. Bound: a walk overlaps one operation.
 *
 * Several writers. The log is one interleaving of what they did, in which each read what was stored last; other interleavings are other logs. The
 * stores to one location are in the order of the log. For a device that does not snoop nothing else changes: there is one cache. For one that
 * does, a view is a set of stores that are in memory. A store comes into memory after those of its own writer that it waits for (as above), and
 * after what its writer had read of others before it (LOAD, and words of the engine's own), since who reads another's store reads memory; with
 * each of these, what that one came after. So the view of a walk is raised by all of this.
 *
 * A walk over the range of one writer ends with that writer's SYNC, and with nobody else's: each waits for its own commands. When its operation
 * has ended (DONE) its caller lets the device use the range: walks that start from then on see what the writer has stored or read, and come to
 * the translation after. A walk over what is nobody's ends with any SYNC, and translates as ever.
 */
#ifndef HITLESS_EXPLORE_H
#define HITLESS_EXPLORE_H

#include "check_state.h"

enum explore_kind {
	EXPLORE_FAULT, /* an item that is not present, or an iova that the root does not span */
	EXPLORE_LEAF,
	EXPLORE_BAD,  /* an item that the specification forbids */
	EXPLORE_WILD, /* memory that is no table, freed, or not yet cleared */
};

/* What walks of [iova, last] may have come to: EXPLORE_LEAF: iova translates to oa, and so on upwards, with prot (enum prot). */
struct explore_seen {
	enum explore_kind kind;
	uint64_t iova, last, oa;
	unsigned prot;
};

typedef void explore_seen_fn(void *arg, const struct explore_seen *seen);

/*
 * explore_log - compare every walk in flight with the translation before call and the one after it, the interval map and the accounting being
 * those of before. A walk that reads nothing but what is at rest afterwards is left to the sweep. call came to want.
 */
void explore_log(struct check *c, const struct call *call, const struct call_expect *want);

/* explore_round - likewise for the round that c->writers says. */
void explore_round(struct check *c);

/* explore_settle - the accounting has moved on: what is not written back stays visible to a device that does not snoop. */
void explore_settle(struct check *c);

/* Gives back what exploring c has used. */
void explore_release(struct check *c);

/* explore_each - tell fn of everything that a walk over [iova, last] may have come to, at rest or not; compare nothing. For tests. */
void explore_each(struct check *c, uint64_t iova, uint64_t last, explore_seen_fn *fn, void *arg);

/*
 * Likewise of the round that c->writers says, for the walks over the range of one writer: of those that start when its operation has ended (used),
 * or that start at any time.
 */
void explore_each_of(struct check *c, unsigned writer, bool used, uint64_t iova, uint64_t last, explore_seen_fn *fn, void *arg);

#endif
