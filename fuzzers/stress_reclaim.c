/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stress_reclaim.c - tables go back to the allocator after a grace period: by call_rcu or by synchronize_rcu. */
#include "stress_reclaim.h"

#include <errno.h>
#include <stdlib.h>

const char *const grace_names[GRACE_NR] = { [GRACE_MEMB] = "memb", [GRACE_QSBR] = "qsbr" };
const char *const stress_reclaim_names[RECLAIM_NR] = { [RECLAIM_CALL] = "call", [RECLAIM_SYNC] = "sync" };

/* A table that waits. */
struct reclaim_table {
	struct rcu_head head;
	struct stress_reclaim *r;
	uint64_t pa;
};

int stress_reclaim_init(struct stress_reclaim *r, struct mem *mem, struct grace *grace)
{
	*r = (struct stress_reclaim){ .mem = mem, .grace = grace };
	r->dying = calloc(mem->view.bytes_nr >> MEM_FRAME_LG2, sizeof(*r->dying));
	return r->dying ? 0 : -ENOMEM;
}

void stress_reclaim_release(struct stress_reclaim *r)
{
	free(r->dying);
}

static bool *reclaim_dying(const struct stress_reclaim *r, uint64_t pa)
{
	return &r->dying[(pa - r->mem->view.pa) >> MEM_FRAME_LG2];
}

/* In liburcu's thread. */
static void reclaim_run(struct rcu_head *head)
{
	struct reclaim_table *t = (struct reclaim_table *)(void *)head;
	struct stress_reclaim *r;

	grace_ran(head);
	r = t->r;
	grace_readers_ended(r->grace);
	__atomic_store_n(reclaim_dying(r, t->pa), false, __ATOMIC_RELAXED);
	mem_free(r->mem, t->pa);
	free(t);
	__atomic_fetch_sub(&r->waiting, 1, __ATOMIC_RELEASE);
	grace_done(r->grace);
}

static void reclaim_defer(struct stress_reclaim *r, uint64_t pa)
{
	struct reclaim_table *t = malloc(sizeof(*t));
	uint64_t waiting, most;

	if (!t)
		abort();
	*t = (struct reclaim_table){ .r = r, .pa = pa };
	__atomic_fetch_add(&r->deferred, 1, __ATOMIC_RELAXED);
	waiting = __atomic_add_fetch(&r->waiting, 1, __ATOMIC_RELAXED);
	most = __atomic_load_n(&r->most, __ATOMIC_RELAXED);
	while (most < waiting && !__atomic_compare_exchange_n(&r->most, &most, waiting, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	if (waiting > RECLAIM_WAITING_MAX) {
		__atomic_fetch_add(&r->throttled, 1, __ATOMIC_RELAXED);
		grace_barrier(r->grace);
	}
	grace_defer(r->grace, &t->head, reclaim_run);
}

bool stress_reclaim_table(struct stress_reclaim *r, uint64_t pa, bool synced, bool *graced)
{
	bool defer = synced && r->mode == RECLAIM_CALL;

	/* While it waits it is live to those that walk through it, so that a second free has to be noticed here. */
	if (defer ? __atomic_exchange_n(reclaim_dying(r, pa), true, __ATOMIC_RELAXED) : __atomic_load_n(reclaim_dying(r, pa), __ATOMIC_RELAXED))
		mem_fail(r->mem, MEM_FAULT_DOUBLE_FREE, pa, "table freed twice");
	if (defer) {
		reclaim_defer(r, pa);
	} else if (synced && !*graced) {
		__atomic_fetch_add(&r->waits, 1, __ATOMIC_RELAXED);
		grace_wait(r->grace);
		*graced = true;
	}
	return defer;
}

void stress_reclaim_drain(struct stress_reclaim *r)
{
	if (__atomic_load_n(&r->waiting, __ATOMIC_ACQUIRE))
		grace_barrier(r->grace);
}
