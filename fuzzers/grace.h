/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grace.h - read sections and grace periods of two flavours of liburcu, chosen at run time, and told to ThreadSanitizer.
 *
 * memb: a read section costs a counter, a grace period waits for those that are in one. qsbr: a read section costs nothing, a grace period
 * waits until every thread has said that it is in none. ThreadSanitizer does not see what orders a read section before the end of a grace
 * period: sys_membarrier, and barriers in code that is not instrumented. So that order is announced here. With _LGPL_SOURCE the read side
 * would be inlined and its plain counters be reported as races; then it is called instead.
 */
#ifndef HITLESS_GRACE_H
#define HITLESS_GRACE_H

#if defined(__SANITIZE_THREAD__)
#define GRACE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GRACE_TSAN 1
#endif
#endif

#ifdef GRACE_TSAN
#include <sanitizer/tsan_interface.h>
#else
#define __tsan_acquire(tag) ((void)(tag))
#define __tsan_release(tag) ((void)(tag))
#define _LGPL_SOURCE
#endif
#include <urcu/urcu-memb.h>
#include <urcu/urcu-qsbr.h>

/* <urcu/call-rcu.h> declares these for the flavour that is included first, and for no other. */
void urcu_qsbr_call_rcu(struct rcu_head *head, void (*run)(struct rcu_head *head));
void urcu_qsbr_barrier(void);

enum grace_flavour { GRACE_MEMB, GRACE_QSBR, GRACE_NR };

extern const char *const grace_names[GRACE_NR];

/* One per set of readers. Of @ended and @ran only the address means something. */
struct grace {
	enum grace_flavour flavour;
	char ended, ran;
};

/* A thread that enters read sections, or defers. From here to grace_unregister it must not wait for anything outside of grace_offline. */
static inline void grace_register(const struct grace *g)
{
	if (g->flavour == GRACE_MEMB)
		urcu_memb_register_thread();
	else
		urcu_qsbr_register_thread();
}

static inline void grace_unregister(const struct grace *g)
{
	if (g->flavour == GRACE_MEMB)
		urcu_memb_unregister_thread();
	else
		urcu_qsbr_unregister_thread();
}

/* The thread enters no read section until grace_online, and no grace period waits for it. */
static inline void grace_offline(const struct grace *g)
{
	if (g->flavour == GRACE_QSBR)
		urcu_qsbr_thread_offline();
}

static inline void grace_online(const struct grace *g)
{
	if (g->flavour == GRACE_QSBR)
		urcu_qsbr_thread_online();
}

static inline void grace_enter(const struct grace *g)
{
	if (g->flavour == GRACE_MEMB)
		urcu_memb_read_lock();
}

static inline void grace_leave(struct grace *g)
{
	__tsan_release(&g->ended);
	if (g->flavour == GRACE_MEMB)
		urcu_memb_read_unlock();
	else
		urcu_qsbr_quiescent_state();
}

/* Every read section that began before this call has ended when it returns. Not from within one; offline. */
static inline void grace_wait(struct grace *g)
{
	if (g->flavour == GRACE_MEMB)
		urcu_memb_synchronize_rcu();
	else
		urcu_qsbr_synchronize_rcu();
	__tsan_acquire(&g->ended);
}

/*
 * Have run(head) called, in a thread of liburcu, when every read section that began before has ended; it begins with grace_ran,
 * before it reads what lies around head, then grace_readers_ended, and ends with grace_done. The calling thread is registered, and offline.
 */
static inline void grace_defer(struct grace *g, struct rcu_head *head, void (*run)(struct rcu_head *head))
{
	__tsan_release(head);
	if (g->flavour == GRACE_MEMB) {
		urcu_memb_call_rcu(head, run);
		return;
	}
	urcu_qsbr_thread_online();
	urcu_qsbr_call_rcu(head, run);
	urcu_qsbr_thread_offline();
}

static inline void grace_ran(struct rcu_head *head)
{
	__tsan_acquire(head);
}

static inline void grace_readers_ended(struct grace *g)
{
	__tsan_acquire(&g->ended);
}

static inline void grace_done(struct grace *g)
{
	__tsan_release(&g->ran);
}

/* Everything deferred before this call has run when it returns. Offline. */
static inline void grace_barrier(struct grace *g)
{
	if (g->flavour == GRACE_MEMB)
		urcu_memb_barrier();
	else
		urcu_qsbr_barrier();
	__tsan_acquire(&g->ran);
}

#endif
