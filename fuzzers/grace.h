/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grace.h - read sections and grace periods of liburcu's memb flavour, told to ThreadSanitizer.
 *
 * ThreadSanitizer does not see what orders a read section before the end of a grace period: liburcu orders them by sys_membarrier and by
 * barriers in code that is not instrumented. So that order is announced here. With _LGPL_SOURCE the read side would be inlined and its
 * plain counters be reported as races; it is called instead.
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
#define _LGPL_SOURCE
#endif
#include <urcu/urcu-memb.h>

/* One per set of readers; only its address means something. */
struct grace {
	char tag;
};

/* The thread has been registered with urcu_memb_register_thread(). */
static inline void grace_enter(struct grace *g)
{
	(void)g;
	urcu_memb_read_lock();
}

static inline void grace_leave(struct grace *g)
{
#ifdef GRACE_TSAN
	__tsan_release(&g->tag);
#endif
	(void)g;
	urcu_memb_read_unlock();
}

/* Every read section that began before this call has ended when it returns. Not from within one. */
static inline void grace_wait(struct grace *g)
{
	urcu_memb_synchronize_rcu();
#ifdef GRACE_TSAN
	__tsan_acquire(&g->tag);
#endif
	(void)g;
}

#endif
