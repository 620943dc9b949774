/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verdict.c - the names of finding classes. */
#include "verdict.h"

static const char *const verdict_names[VERDICT_NR] = {
	[VERDICT_WRONG_OA] = "wrong-oa",
	[VERDICT_WRONG_PERMISSION] = "wrong-permission",
	[VERDICT_WRONG_ATTRIBUTE] = "wrong-attribute",
	[VERDICT_WRONG_TRANSLATE] = "wrong-translate",
	[VERDICT_FAULT_WINDOW] = "fault-window",
	[VERDICT_TORN_ENTRY] = "torn-entry",
	[VERDICT_WALKS_DATA] = "walks-data",
	[VERDICT_USE_AFTER_FREE] = "use-after-free",
	[VERDICT_DOUBLE_FREE] = "double-free",
	[VERDICT_OVER_FREE] = "over-free",
	[VERDICT_LEAK] = "leak",
	[VERDICT_WILD_STORE] = "wild-store",
	[VERDICT_NOT_OPTIMAL] = "not-optimal",
	[VERDICT_RESERVED_BITS] = "reserved-bits",
	[VERDICT_STALE_IOTLB] = "stale-iotlb",
	[VERDICT_STALE_WALK_CACHE] = "stale-walk-cache",
	[VERDICT_BAD_COMMAND] = "bad-command",
	[VERDICT_MISSING_FLUSH] = "missing-flush",
	[VERDICT_LOST_DIRTY] = "lost-dirty",
	[VERDICT_PHANTOM_DIRTY] = "phantom-dirty",
	[VERDICT_WRONG_RETURN] = "wrong-return",
	[VERDICT_CHANGED_ON_ERROR] = "changed-on-error",
	[VERDICT_NO_PROGRESS] = "no-progress",
	[VERDICT_UNDECLARED_BREAK] = "undeclared-break",
	[VERDICT_ENGINES_DIFFER] = "engines-differ",
	[VERDICT_INVARIANT] = "invariant",
	[VERDICT_CRASH] = "crash",
};

static const char *const verdict_kind_names[KIND_NR] = {
	[KIND_NONE] = "-", [KIND_HOLE] = "hole", [KIND_LEAF] = "leaf", [KIND_GROUP] = "group", [KIND_TABLE] = "table", [KIND_BAD] = "bad",
};

const char *verdict_name(enum verdict_class class)
{
	return verdict_names[class];
}

const char *verdict_kind_name(enum verdict_kind kind)
{
	return verdict_kind_names[kind];
}
