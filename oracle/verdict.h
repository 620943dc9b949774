/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict.h - what a check says when something is wrong: the class of the finding, the guarantee that it breaks, where, and why.
 */
#ifndef HITLESS_VERDICT_H
#define HITLESS_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

enum verdict_class {
	VERDICT_WRONG_OA, /* a walk yields another oa, faults where it must not, or yields one in a hole */
	VERDICT_WRONG_PERMISSION,
	VERDICT_WRONG_ATTRIBUTE, /* memory type or privilege */
	VERDICT_WRONG_TRANSLATE, /* the engine's own translate disagrees */
	VERDICT_FAULT_WINDOW,    /* a walk in flight faults */
	VERDICT_TORN_ENTRY,      /* a walk in flight sees part of a store */
	VERDICT_WALKS_DATA,      /* a table pointer leads to memory that is no table */
	VERDICT_USE_AFTER_FREE,
	VERDICT_DOUBLE_FREE,
	VERDICT_OVER_FREE, /* a table is freed that the operation may not free */
	VERDICT_LEAK,
	VERDICT_WILD_STORE,    /* a store outside every table */
	VERDICT_NOT_OPTIMAL,   /* right translation, other leaf size than the greedy layout's */
	VERDICT_RESERVED_BITS, /* an entry that the specification forbids */
	VERDICT_STALE_IOTLB,
	VERDICT_STALE_WALK_CACHE,
	VERDICT_BAD_COMMAND, /* a malformed invalidation command */
	VERDICT_MISSING_FLUSH,
	VERDICT_LOST_DIRTY,
	VERDICT_PHANTOM_DIRTY,
	VERDICT_WRONG_RETURN,
	VERDICT_CHANGED_ON_ERROR,
	VERDICT_NO_PROGRESS,
	VERDICT_UNDECLARED_BREAK,
	VERDICT_ENGINES_DIFFER, /* two engines that keep all the rules made other tables */
	VERDICT_INVARIANT,
	VERDICT_CRASH,
	VERDICT_NR,
};

/* What an iova or an item is, for signatures. */
enum verdict_kind { KIND_NONE, KIND_HOLE, KIND_LEAF, KIND_GROUP, KIND_TABLE, KIND_BAD, KIND_NR };

#define VERDICT_LEVEL_NONE 0xff

/* An item that a walk in flight read; seq, version and versions_nr as in struct inflight_step. */
struct verdict_step {
	uint8_t level;
	uint64_t pa, raw;
	uint32_t seq, version, versions_nr;
};

#define VERDICT_STEPS_MAX 6

/*
 * struct verdict - one finding, before the operation that caused it is added.
 *
 * @guarantee: 1 to 10: G1 to G10
 * @level:     of the entry, or VERDICT_LEVEL_NONE
 * @want, @seen: what should be there and what is
 * @want_code, @seen_code: what should have been returned and what was, "ENOENT" or "0", in place of the kinds; or NULL
 * @has_iova, @iova: an address whose walk shows it
 * @steps, @steps_nr: the walk in flight that shows it; none: the walk of iova through what is at rest does
 * @root_seq:  place in the log of the root that it started from; 0: from before
 * @since_seq: place in the log of the sync after which it started; 0: none
 * @text:      expected and seen, for people, one line
 * @before, @after: what iova translates to before the operation and after it, if text does not say so; or empty
 */
struct verdict {
	enum verdict_class class;
	uint8_t guarantee, level;
	enum verdict_kind want, seen;
	const char *want_code, *seen_code;
	bool has_iova;
	uint64_t iova;
	unsigned steps_nr;
	uint32_t root_seq, since_seq;
	struct verdict_step steps[VERDICT_STEPS_MAX];
	char text[600], before[100], after[100];
};

/* "wrong-oa" and so on. */
const char *verdict_name(enum verdict_class class);
const char *verdict_kind_name(enum verdict_kind kind);

#endif
