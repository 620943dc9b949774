/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * brute.h - every walk of one iova that may be in flight during one operation, by trying everything: stores that reach memory one at a time,
 * evictions, and a walk that reads one item at a time, in every interleaving. The slow second opinion on oracle/explore.h, for tests only.
 *
 * It is an operational model, made of what a machine does, and not of the views and floors by which explore.c decides the same:
 *
 *   coherent     the engine executes the log in order. A store reaches memory, for everybody at once, when it has been executed or at any time
 *                later: after the older stores to its item; a release store after all older stores; a relaxed one after those before the last
 *                fence; under model=strong each after all older ones. What one fill (all events of it) or one ALLOC stores is independent of each other. A
 *                compare-exchange is fence, release store, fence. TOP is a release store to a location of its own. What the device sets is a
 *                store that waits for the version that it replaced alone, under model=strong too: the rule there, that a version publishes
 *                all before it, is about a store buffer, and the device has none. FREE is a relaxed store to a location of its own, since it
 *                is judged against what is reachable in its epoch and not from its place in the log on. SYNC waits until everything has
 *                reached memory
 *   incoherent   the engine stores into a cache. At any time any item of memory may become what the cache holds. FLUSH makes that so for the
 *                items that it covers wholly. TOP and FREE reach the device when they are executed. A SYNC waits for nothing
 *
 * Several writers execute the log in its order; or (loose) in any order in which each reads and overwrites what it does in the
 * log. Each has a store buffer of its own: what a store waits for are stores of the same writer, and the
 * older ones to its item, by whomever. Who reads another's store (LOAD, or a word of the engine's own) reads memory: that happens when the store is
 * there. Its own store it may read before. SYNC and DONE wait for the stores of their writer.
 *
 * A walk reads memory, the root first, at any times between two SYNCs. A table allocated by the operation can be read once its zeroes have
 * reached memory; a table that was freed cannot be read from then on. A walk that does so nevertheless is wild.
 */
#ifndef HITLESS_BRUTE_H
#define HITLESS_BRUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../engine/mem_view.h"
#include "../oracle/explore.h"
#include "../oracle/hw.h"

#define BRUTE_OUTCOMES_MAX 64
#define BRUTE_OLDER_MAX 4

/* One item that an earlier operation stored to and did not write back: what memory may hold instead of its bytes, oldest first. */
struct brute_older {
	uint64_t pa;
	unsigned nr;
	uint64_t raw[BRUTE_OLDER_MAX];
};

/*
 * struct brute - one operation.
 *
 * @view:  its log is that of the operation, its bytes are those of afterwards
 * @root, @root_level: what the device walked before the operation; MEM_NONE: nothing
 * @older, @older_nr: for a device that does not snoop
 * @writer: walks end with the SYNCs of this writer alone; 0: with each
 * @used:   and start when its operation is DONE
 * @loose:  see above; for a device that snoops
 * @plain: do not leave out what the walk cannot tell; slower, and the same
 */
struct brute {
	const struct hw *hw;
	const struct mem_view *view;
	uint64_t root;
	unsigned root_level;
	const struct brute_older *older;
	size_t older_nr;
	unsigned writer;
	bool used, loose;
	bool plain;
};

/* One thing that a walk came to. @oa, @prot: of EXPLORE_LEAF, otherwise 0. */
struct brute_outcome {
	enum explore_kind kind;
	unsigned prot;
	uint64_t oa;
};

/*
 * struct brute_set - outcomes, each once, in ascending order.
 *
 * @loops:  a walk read one table at two levels. For these the rules of the design's section 6 are not exact, and need not be, since a tree has
 *          no such walk: of an item that is read twice the second value may be older, and of two items of one fill, under model=strong, the
 *          first to be seen makes the other visible
 * @states: how many states the search has been in
 */
struct brute_set {
	unsigned nr;
	bool loops;
	uint64_t states;
	struct brute_outcome at[BRUTE_OUTCOMES_MAX];
};

/*
 * brute_walk - everything that a walk of iova may come to. *set need not be initialised. Aborts on what it has no room for: more than 64 stores
 * that concern the walk.
 */
void brute_walk(const struct brute *b, uint64_t iova, struct brute_set *set);

/* Add an outcome unless it is there already. */
void brute_add(struct brute_set *set, const struct brute_outcome *o);

/* Whether a holds all outcomes of b. */
bool brute_has(const struct brute_set *a, const struct brute_set *b);

/* Whether a and b hold the same outcomes. */
bool brute_equal(const struct brute_set *a, const struct brute_set *b);

#endif
