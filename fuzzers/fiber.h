/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fiber.h - functions that run by turns in one thread, each on a stack of its own.
 *
 * Nothing here knows what they do. Whoever leaves a fiber's stack for good (a jump out of it) must not do so: fiber_leave first.
 */
#ifndef HITLESS_FIBER_H
#define HITLESS_FIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <ucontext.h>

typedef void fiber_fn(void *arg);

/*
 * struct fiber - one of them; all zeroes before the first fiber_start.
 *
 * @done:  fn has returned
 * @stack: kept from one start to the next
 * @fake:  AddressSanitizer's
 */
struct fiber {
	ucontext_t here, back;
	void *stack, *fake;
	const void *back_stack;
	size_t back_bytes;
	fiber_fn *fn;
	void *arg;
	bool done;
};

/* fiber_start - fn(arg) is to run on f, from the next fiber_enter on. Whatever f ran before is forgotten. Running out of host memory ends the process. */
void fiber_start(struct fiber *f, fiber_fn *fn, void *arg);

/* fiber_enter - from outside of all fibers: run f until it leaves or its function returns. */
void fiber_enter(struct fiber *f);

/* fiber_leave - from inside of f: go on where fiber_enter was called; returns with the next fiber_enter. */
void fiber_leave(struct fiber *f);

/* Gives back the stack. */
void fiber_release(struct fiber *f);

#endif
