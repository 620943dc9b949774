/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress_writer.h - a thread that maps, cuts and unmaps in its own stripes, checks what comes back, and tells the flat oracle, in this
 * order: announce what may change, run, settle what has changed.
 */
#ifndef HITLESS_STRESS_WRITER_H
#define HITLESS_STRESS_WRITER_H

#include <setjmp.h>

#include "latency.h"
#include "stress_domain.h"
#include "stress_op.h"
#include "stress_reclaim.h"

/* One operation in a writer's log. @begin, @end: latency_now; end 0: it has not returned. */
struct stress_entry {
	struct op op;
	uint64_t begin, end, granules;
	int ret;
};

/*
 * struct stress_deeds - what a writer did.
 *
 * @kinds:  by enum call_kind
 * @splits: cuts that changed a leaf
 * @refused, @failed: calls refused as they had to be; calls that ended for want of memory, as they had to
 * @growths: roots that it announced
 * @lost:   tables that it made and took back in a map that did not fail: another writer had installed one in the same place
 */
struct stress_deeds {
	uint64_t kinds[CALL_SYNC + 1], splits, refused, failed, growths, lost;
};

/*
 * struct stress_writer - one of them, for one domain.
 *
 * @oracle: d's, with what this writer has mapped
 * @ops_nr: operations that it is to do; @log_nr: that have begun
 * @allocs, @fail_at: allocations of this operation, and the one that fails
 * @unmade: tables that this operation freed without having waited
 * @synced, @graced: see stress_reclaim_table
 * @latency: of calls, their sync included
 * @end:    where it goes with a finding
 */
struct stress_writer {
	struct stress_domain *d;
	struct stress_reclaim *reclaim;
	unsigned idx, ops_nr;
	struct check oracle;
	struct stress_gen gen;
	struct stress_pauser pauser;
	struct gather gather;
	struct stress_entry *log;
	uint32_t log_nr, allocs, fail_at, unmade;
	bool synced, graced;
	struct stress_deeds deeds;
	struct latency latency;
	sigjmp_buf end;
	char stack[65536]; /* for signals */
};

/* Prepare w, whose log has room, for the open domain. */
void stress_writer_init(struct stress_writer *w, struct stress_domain *d, struct stress_reclaim *reclaim, unsigned idx, unsigned ops_nr,
			uint64_t seed);
void stress_writer_release(struct stress_writer *w);

/* The thread's main function: ops_nr operations, or until the domain stops. */
void *stress_writer_main(void *writer);

/* The hooks for stress_domain_open; with pauses or without. */
const struct mem_threads *stress_writer_hooks(enum stress_pause pause);

/* In a writer's thread: the operation that it runs is the cause of v; does not return. In any other: returns. */
void stress_writer_caught(const struct verdict *v);

#endif
