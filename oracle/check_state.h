/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check_state.h - the oracle's state of one domain, and the words in which a driver tells it what was called and what came back.
 *
 * The ground that predict.c, account.c and sweep.c stand on; check.h is what a driver includes.
 */
#ifndef HITLESS_CHECK_STATE_H
#define HITLESS_CHECK_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "../engine/mem_view.h"
#include "hw.h"
#include "imap.h"
#include "iotlb.h"
#include "layout.h"
#include "verdict.h"

enum check_kind {
	CHECK_TRANSLATION,
	CHECK_INFLIGHT,
	CHECK_LAYOUT,
	CHECK_IOTLB,
	CHECK_WRITEBACK,
	CHECK_DIRTY,
	CHECK_FAILURE,
	CHECK_ACCOUNTING,
	CHECK_PROGRESS,
	CHECK_NR,
};

/* "translation" and so on. */
extern const char *const check_names[CHECK_NR];

enum call_kind { CALL_MAP, CALL_CUT, CALL_UNMAP, CALL_DIRTY, CALL_TRANSLATE, CALL_SYNC };

/* What the engine was asked; fields as in struct engine_ops, but prot is what the engine makes of it (traits_prot). */
struct call {
	enum call_kind kind;
	uint64_t iova, last, oa;
	unsigned prot;
	bool clear;
};

struct call_range {
	uint64_t iova, last;
};

/*
 * struct call_result - what came back.
 *
 * @granules: map, unmap: done, in granules
 * @oa:       translate
 * @dirty, @dirty_nr: dirty: what was reported, in order
 */
struct call_result {
	int ret;
	uint64_t granules, oa;
	const struct call_range *dirty;
	size_t dirty_nr;
};

/*
 * struct call_expect - what must come back, given that no allocation fails.
 *
 * @done_last: map, unmap, if @done: the last address that is mapped or removed
 * @root_level: of the root afterwards
 * @hull:      everything that the call may touch
 */
struct call_expect {
	int ret;
	bool done;
	unsigned root_level;
	uint64_t done_last, oa;
	struct call_range hull;
};

/*
 * struct writer - one of the operations that run at the same time: a round.
 *
 * @id:    as in the log, from 1
 * @call, @want, @res: what was asked, must come back, came back
 * @claim: all that nobody else may touch: the call's range and every piece that it overlaps; last < iova: nothing
 * @span:  what its stores to linked tables translate
 */
struct writer {
	unsigned id;
	struct call call;
	struct call_expect want;
	struct call_result res;
	struct call_range claim, span;
};

/* A table as the log shows it. */
enum page_state { PAGE_NONE, PAGE_PRIVATE, PAGE_LINKED, PAGE_UNLINKED };

/*
 * struct page - what is known of the table that starts at a frame.
 *
 * @level, @iova, @parent: once it has been linked: its level, the first iova that it translates, the table that points to it (the root:
 *                         itself)
 * @stamp:  the operation that allocated it
 * @children_nr: tables that it points to
 * @mapped: within the reach of a device that does not snoop
 * @syncs, @unlinked_op, @unlinked_by: PAGE_UNLINKED: how many syncs there had been when it was unlinked, in which operation and by which writer
 * @touched_build, @touched_idx: history.h: the history that it has a record in, and which
 * @reads_build, @reads_at: history.h: the history that knows reads of its items, and where they are
 * @events_first, @events_last: the stores to it within the operation that allocated it; SIZE_MAX: none
 */
struct page {
	uint8_t state, level;
	bool mapped;
	uint8_t unlinked_by;
	uint32_t stamp, children_nr, touched_build, touched_idx, reads_build, reads_at, unlinked_op;
	uint64_t iova, parent, syncs;
	size_t events_first, events_last;
};

/*
 * struct owed - what a device may still hold until an invalidation removes it.
 *
 * @table:   a pointer to a table that spans [iova, last]; otherwise those leaves of piece that lie in [iova, last]
 * @cmds_nr: how many commands had been issued when it arose; they do not count
 * @from:    0: it has arisen. A device that does not snoop may fetch the old item again until the new one is written back, which the event with
 *           this index, + 1, does; SIZE_MAX: none does
 */
struct owed {
	bool table;
	uint64_t iova, last;
	struct imap_piece piece;
	size_t cmds_nr, from;
};

/*
 * struct owing - what each of several writers owes by itself: what is here of struct check while it is another one's turn, see there. What
 * one writer's stores have left, the commands of another do not remove: nothing orders the two.
 */
struct owing {
	struct owed *owed;
	size_t owed_nr, owed_room, owed_from, owed_first, owed_waiting;
	struct iotlb_cmd *cmds;
	size_t cmds_nr, cmds_room;
	uint64_t syncs;
};

/*
 * struct check_cost - what the device was asked to forget.
 *
 * @commands, @spare: commands; of those, the ones without which everything that had to go had gone too
 * @syncs, @spare_syncs: waits for them; of those, the ones before which nothing had to go
 */
struct check_cost {
	uint64_t commands, spare, syncs, spare_syncs;
};

struct history;

typedef void check_report_fn(void *arg, const struct verdict *v);

/*
 * struct check_walked - an item that a walk in flight may have read, of several versions.
 *
 * @level:   of the table; @level_from: of the one that the walk started in
 * @kind, @kind_before: enum hw_kind of what it read, and of what was there before the operation
 * @version, @versions_nr: which of how many, from 0
 */
struct check_walked {
	uint8_t level, level_from, kind, kind_before;
	uint32_t version, versions_nr;
};

typedef void check_walked_fn(void *arg, const struct check_walked *w);

/*
 * struct check - the oracle of one domain.
 *
 * @im:     what must be mapped. The driver may read it between calls
 * @dirty:  ranges whose leaves are dirty; oa and prot of these pieces mean nothing
 * @written: likewise, leaves that the device has written to since the call began; @held: what it keeps in its IOTLB as dirty, prot is the level
 * @blind:  nothing is read from the tables: results are compared, and what the engine itself translates. Set where the format has no decoder;
 *          a driver may set it before check_created, for comparison
 * @on:     bit n set: enum check_kind n is compared
 * @comparisons: how many each check made; @leaves: leaves compared
 * @cap_size_change, @cap_leaf_to_table: what the engine declares
 * @traits:  where its contract differs; set by the driver before check_created
 * @want:   of the call that has begun, see check_begin
 * @root, @root_level: what the device walks, from the log; @grown_from: the level before this call
 * @linked_nr, @private_nr, @unlinked_nr: tables in each state
 * @syncs:  SYNC events so far
 * @owed:   not yet invalidated; @owed_from: for what is owed now, as in struct owed; @owed_first: the first of this call;
 *          @owed_waiting: those before it have arisen; @cmds: commands since
 *          the last sync
 * @owing, @owing_now: those of the other writers; whose the fields above are now, 0 between operations and if there is one writer
 * @cost:   of the whole domain
 * @by:     the writer whose operation is being looked at, 0: none by itself
 * @writers, @writers_nr: the round that has begun, see check_round_begin
 * @chain:  by event: the next one that stores to the same new table
 * @history: explore.c's, of the operation that is being looked at
 * @walked:  NULL, or told of each choice of a walk in flight; a driver may set it. It takes no part in any check
 */
struct check {
	struct hw hw;
	const struct mem_view *view;
	struct imap im, dirty, written, held;
	unsigned on;
	uint64_t comparisons[CHECK_NR], leaves;
	uint8_t granule_lg2, small_lg2;
	bool cap_size_change, cap_leaf_to_table, defer, blind;
	struct traits traits;
	struct call_expect want;
	uint64_t root;
	unsigned root_level, grown_from;
	struct page *pages;
	uint64_t pages_nr;
	uint64_t linked_nr, private_nr, unlinked_nr;
	uint64_t syncs;
	struct owed *owed;
	size_t owed_nr, owed_room, owed_from, owed_first, owed_waiting;
	struct check_cost cost;
	struct iotlb_cmd *cmds;
	size_t cmds_nr, cmds_room;
	struct owing owing[MEM_WRITERS_MAX + 1];
	unsigned owing_now, by;
	struct writer *writers;
	unsigned writers_nr;
	size_t *chain, chain_room;
	struct history *history;
	check_report_fn *report;
	void *report_arg;
	check_walked_fn *walked;
	void *walked_arg;
};

/*
 * check_init - an oracle for the resolved configuration cfg over what view shows. report(arg, verdict) must not return. Everything is
 * checked. 0, -ENOMEM, or -EINVAL with *why: no hardware can be so configured.
 */
int check_init(struct check *c, const struct config *cfg, const struct mem_view *view, check_report_fn *report, void *arg,
	       const char **why);
void check_state_release(struct check *c); /* for check_release, of check.h, alone */

/* Fill in a verdict and report it; does not return. */
void check_report(struct check *c, enum verdict_class class, unsigned guarantee, unsigned level, enum verdict_kind want,
		  enum verdict_kind seen, const uint64_t *iova, const char *format, ...)
	__attribute__((format(printf, 8, 9), noreturn, cold));

/* Report a verdict that is filled in already; does not return. */
void check_report_verdict(struct check *c, const struct verdict *v) __attribute__((noreturn, cold));

static inline bool check_is_on(const struct check *c, enum check_kind kind)
{
	return c->on & 1u << kind;
}

/* One comparison of this kind is being made; nothing is counted for a check that is off. */
static inline void check_count(struct check *c, enum check_kind kind, uint64_t nr)
{
	if (check_is_on(c, kind))
		c->comparisons[kind] += nr;
}

/* The record of the table that starts at pa, inside the arena. */
static inline struct page *check_page(const struct check *c, uint64_t pa)
{
	return &c->pages[(pa - c->view->pa) >> MEM_FRAME_LG2];
}

/* Address of the table that pa, inside the arena, lies in. */
static inline uint64_t check_table(const struct check *c, uint64_t pa)
{
	const struct mem_frame *f = mem_view_frame(c->view, pa);
	uint64_t start = pa & ~layout_mask(MEM_FRAME_LG2);

	return f->state == MEM_FRAME_TAIL ? start - ((uint64_t)f->bytes << MEM_FRAME_LG2) : start;
}

/* Level whose tables hold leaves of this size. */
static inline unsigned check_level_of(const struct hw *hw, unsigned size_lg2)
{
	unsigned level = hw->top_level_max;

	while (level && size_lg2 < hw->item_lg2[level])
		level--;
	return level;
}

/*
 * Whether an unmap of range that removed all of it frees a table over [iova, last]: one that lies in the range, and, where the engine goes by
 * page sizes, in a block of one of them that does.
 */
static inline bool check_frees_table(const struct check *c, const struct call_range *range, uint64_t iova, uint64_t last)
{
	uint64_t sizes;

	if (c->traits.set & TRAIT_TABLES_BY_SIZE) {
		/* A size beyond the span has no bit in it. */
		sizes = c->hw.cfg.pgsizes & ~(last - iova);
		if (!sizes)
			return false;
		iova &= -(sizes & -sizes);
		last |= (sizes & -sizes) - 1;
	}
	return range->iova <= iova && range->last >= last;
}

/* The iova that item idx of a level-l table at base starts to translate; the root of an upper half is sign extended. */
static inline uint64_t check_item_iova(const struct hw *hw, uint64_t base, unsigned level, bool root, uint64_t idx)
{
	uint64_t iova = base + (idx << hw->item_lg2[level]);

	if (root && hw->has_high && (!hw->has_low || iova > hw->iova_low_last))
		iova |= ~layout_mask(hw->cfg.ias);
	return iova;
}

#endif
