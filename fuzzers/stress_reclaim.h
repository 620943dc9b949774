/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress_reclaim.h - gives a table back to the allocator when no walk can be in it any more.
 *
 * On hardware that is when the invalidation has completed, which waits for walks in flight. Here it is a grace period, that a table is owed
 * if the writer that frees it has waited for invalidations since its call began. One that is freed without that was never within the
 * device's reach, or it is freed too early: it is poisoned at once, and a walk that is in it sees that.
 */
#ifndef HITLESS_STRESS_RECLAIM_H
#define HITLESS_STRESS_RECLAIM_H

#include <stdbool.h>
#include <stdint.h>

#include "../engine/mem.h"
#include "grace.h"

enum stress_reclaim_mode {
	RECLAIM_CALL, /* call_rcu: the table waits, the writer goes on */
	RECLAIM_SYNC, /* synchronize_rcu: the writer waits */
	RECLAIM_NR,
};

extern const char *const stress_reclaim_names[RECLAIM_NR];

/* call_rcu knows no back-pressure: with more tables than this waiting, a writer waits for all of them. */
#define RECLAIM_WAITING_MAX 512

/*
 * struct stress_reclaim - of one arena.
 *
 * @dying:    by frame: a table that waits starts there
 * @waiting, @most: tables that wait, and the most that ever did
 * @deferred, @waits, @throttled: tables that went through call_rcu, calls of synchronize_rcu, writers that were held up
 */
struct stress_reclaim {
	struct mem *mem;
	struct grace *grace;
	enum stress_reclaim_mode mode;
	bool *dying;
	uint64_t waiting, most, deferred, waits, throttled;
};

/* Tables of mem. 0 or -ENOMEM. */
int stress_reclaim_init(struct stress_reclaim *r, struct mem *mem, struct grace *grace);
void stress_reclaim_release(struct stress_reclaim *r);

/*
 * stress_reclaim_table - the table at pa is freed by a writer that has waited for invalidations, *synced, and for a grace period after that,
 * *graced, which is kept up. True: it waits, and mem_free is called for it later. The thread is registered with grace, and offline.
 */
bool stress_reclaim_table(struct stress_reclaim *r, uint64_t pa, bool synced, bool *graced);

/* Until nothing waits. */
void stress_reclaim_drain(struct stress_reclaim *r);

#endif
