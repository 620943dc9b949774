/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fiber.c - functions that run by turns, on ucontext. AddressSanitizer is told of each change of stacks, or it takes one for an overflow
 * (sanitizer/common_interface_defs.h: __sanitizer_start_switch_fiber).
 */
#include "fiber.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#ifdef FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#else
#define __asan_unpoison_memory_region(p, bytes) ((void)(p), (void)(bytes))
#define __sanitizer_start_switch_fiber(fake, stack, bytes) ((void)(fake), (void)(stack), (void)(bytes))
#define __sanitizer_finish_switch_fiber(fake, stack, bytes) ((void)(fake), (void)(stack), (void)(bytes))
#endif

/*
 * An engine's recursion is a few tables deep; sanitizers multiply what each call takes. There are guards on both sides: deep recursion goes down, but
 * what is written behind an array goes up, and beside the stack may lie what a finding is reported in.
 */
#define FIBER_STACK_BYTES ((size_t)1 << 20)
#define FIBER_GUARD_BYTES ((size_t)1 << 16)
#define FIBER_ALL_BYTES (FIBER_STACK_BYTES + 2 * FIBER_GUARD_BYTES)

static void *fiber_stack(void)
{
	char *p = mmap(NULL, FIBER_ALL_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED || mprotect(p + FIBER_GUARD_BYTES, FIBER_STACK_BYTES, PROT_READ | PROT_WRITE)) {
		fprintf(stderr, "hitless: no memory for the stack of a writer\n");
		exit(3);
	}
	return p + FIBER_GUARD_BYTES;
}

/* makecontext hands on ints alone: a pointer goes in two halves. */
static void fiber_main(unsigned high, unsigned low)
{
	struct fiber *f = (struct fiber *)((uintptr_t)((uint64_t)high << 32 | low));

	__sanitizer_finish_switch_fiber(NULL, &f->back_stack, &f->back_bytes);
	f->fn(f->arg);
	f->done = true;
	/* No stack of this fiber is needed any more. */
	__sanitizer_start_switch_fiber(NULL, f->back_stack, f->back_bytes);
	swapcontext(&f->here, &f->back);
	abort();
}

void fiber_start(struct fiber *f, fiber_fn *fn, void *arg)
{
	uint64_t self = (uintptr_t)f;

	/* One that was left for good has left its frames' red zones behind. */
	if (!f->stack)
		f->stack = fiber_stack();
	else if (!f->done)
		__asan_unpoison_memory_region(f->stack, FIBER_STACK_BYTES);
	f->fn = fn;
	f->arg = arg;
	f->done = false;
	f->fake = NULL;
	getcontext(&f->here);
	f->here.uc_stack.ss_sp = f->stack;
	f->here.uc_stack.ss_size = FIBER_STACK_BYTES;
	f->here.uc_link = NULL;
	makecontext(&f->here, (void (*)(void))fiber_main, 2, (unsigned)(self >> 32), (unsigned)self);
}

void fiber_enter(struct fiber *f)
{
	void *fake = NULL;

	__sanitizer_start_switch_fiber(&fake, f->stack, FIBER_STACK_BYTES);
	swapcontext(&f->back, &f->here);
	__sanitizer_finish_switch_fiber(fake, NULL, NULL);
}

void fiber_leave(struct fiber *f)
{
	__sanitizer_start_switch_fiber(&f->fake, f->back_stack, f->back_bytes);
	swapcontext(&f->here, &f->back);
	__sanitizer_finish_switch_fiber(f->fake, &f->back_stack, &f->back_bytes);
}

void fiber_release(struct fiber *f)
{
	if (f->stack)
		munmap((char *)f->stack - FIBER_GUARD_BYTES, FIBER_ALL_BYTES);
	f->stack = NULL;
}
