/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inflight.h - what a walk in flight may come to: the translation before the operation or the one after it. Walks are found by explore.c.
 */
#ifndef HITLESS_INFLIGHT_H
#define HITLESS_INFLIGHT_H

#include "explore.h"

/* Why memory is not a table that a walk may read. */
enum inflight_wild { INFLIGHT_NO_TABLE, INFLIGHT_FREED, INFLIGHT_UNCLEARED };

/*
 * struct inflight_seen - how walks of [iova, last] end.
 *
 * @level:    of the item that decides, or of the table that is none
 * @size_lg2: of the leaf
 * @why:      EXPLORE_BAD, EXPLORE_WILD: a static string
 */
struct inflight_seen {
	enum explore_kind kind;
	enum inflight_wild wild;
	uint8_t level, size_lg2;
	uint64_t iova, last, oa;
	unsigned prot;
	const char *why;
};

/*
 * struct inflight_step - an item that the walk read.
 *
 * @torn: some bytes of a store that was not whole
 * @old:  a device that snoops could not have read it any more
 * @seq:  place in the log of the store that made it; 0: from before
 * @version, @versions_nr: which of how many values of this operation
 */
struct inflight_step {
	uint8_t level;
	bool torn, old;
	uint64_t pa, raw;
	uint32_t seq, version, versions_nr;
};

/*
 * struct inflight_path - the walk.
 *
 * @root_seq:  place in the log of the root; 0: from before
 * @since_seq: of the sync after which it started; 0: none; the number of events: it started when the operation had ended
 */
struct inflight_path {
	uint32_t root_seq, since_seq;
	unsigned nr;
	struct inflight_step steps[CONFIG_LEVELS_MAX];
};

/*
 * struct inflight - the judge.
 *
 * @changes: [first, last] is what the operation maps or removes; elsewhere before and after are the same
 * @after:   only the translation after it is right: the walk starts when the operation has ended
 * @ended:   likewise, in leaves of the right size; what a device that does not snoop may read once all is said and done
 * @around:  [around_first, around_last] is one piece of the interval map before the operation (@mapped), or lies in a hole
 */
struct inflight {
	struct check *c;
	const struct call *call;
	bool changes, cut, after, ended, mapped;
	uint64_t first, last;
	uint64_t around_first, around_last;
	struct imap_piece piece;
};

void inflight_init(struct inflight *j, struct check *c, const struct call *call, const struct call_expect *want);

/* inflight_judge - report the first address of seen's range where it is neither of what it may be; path leads there. */
void inflight_judge(struct inflight *j, const struct inflight_path *path, const struct inflight_seen *seen);

#endif
