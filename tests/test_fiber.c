/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_fiber.c - a stack that an engine writes beyond ends the process before anything else is written over. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../fuzzers/fiber.h"
#include "../fuzzers/run.h"

#define BESIDE_BYTES ((size_t)8 << 20)
#define STACK_BYTES_MAX ((size_t)2 << 20)

/* Bytes that have been written, in a page that the parent sees; which way. */
static volatile size_t *written;
static int step;

__attribute__((no_sanitize("address"))) static void write_beyond(void *arg)
{
	volatile char *at = __builtin_frame_address(0);

	(void)arg;
	for (; *written < BESIDE_BYTES; at += step, ++*written)
		/* What is on the stack stays as it is. */
		*at = *at;
}

static void test_fiber__has_a_guard(int way)
{
	/* What is mapped next comes below this, or in a gap: the stack is likely to have it for a neighbour. */
	char *beside = mmap(NULL, BESIDE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct fiber f = { .stack = NULL };
	int status;
	pid_t pid;

	assert_ptr_not_equal(beside, MAP_FAILED);
	written = mmap(NULL, sizeof(*written), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(written, MAP_FAILED);
	step = way;
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		run_guard();
		signal(SIGSEGV, SIG_DFL);
		fiber_start(&f, write_beyond, NULL);
		fiber_enter(&f);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
	assert_true(*written < STACK_BYTES_MAX);
	munmap((void *)(uintptr_t)written, sizeof(*written));
	munmap(beside, BESIDE_BYTES);
}

static void test_fiber__has_a_guard_below(void **state)
{
	(void)state;
	test_fiber__has_a_guard(-1);
}

static void test_fiber__has_a_guard_above(void **state)
{
	(void)state;
	test_fiber__has_a_guard(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fiber__has_a_guard_below),
		cmocka_unit_test(test_fiber__has_a_guard_above),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
