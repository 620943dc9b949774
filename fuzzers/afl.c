/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * afl.c - the AFL++ target: persistent mode, test cases in shared memory. With files as arguments it runs each of them once, without AFL++;
 * built by a compiler that is not AFL++'s, it can do only that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "one_input.h"
#include "options.h"

#define AFL_INPUT_MAX (1 << 20) /* as AFL++'s own limit */
#define AFL_INPUTS_PER_PROCESS 100000

static uint8_t counters[FEEDBACK_NR] __attribute__((aligned(8)));

#ifdef __AFL_FUZZ_INIT
__AFL_FUZZ_INIT();

/*
 * The counters of feedback.h as edges of a module of their own, which has none in its code: AFL++'s runtime gives each a place in its map, and
 * afl-fuzz sees them as it sees the others. (AFL++ 4.04c; the modules of the compiler announce themselves in the same way.)
 */
void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop);
void __sanitizer_cov_trace_pc_guard(uint32_t *guard);

static uint32_t places[FEEDBACK_NR];

/* With the modules of the compiler: the runtime sets up its map, whose size must be known then, just after them. */
__attribute__((constructor(2))) static void afl_announce(void)
{
	const char *without = getenv("HITLESS_WITHOUT_FEEDBACK");

	if (!without || !*without)
		__sanitizer_cov_trace_pc_guard_init(places, places + FEEDBACK_NR);
}

/* What an input has done becomes part of the map. */
static void afl_tell(void)
{
	const uint64_t *words = (const uint64_t *)counters;
	unsigned i, k, n;

	for (i = 0; i < FEEDBACK_NR / 8; i++)
		for (k = 8 * i; words[i] && k < 8 * i + 8; k++)
			for (n = counters[k]; n; n--)
				__sanitizer_cov_trace_pc_guard(&places[k]);
	memset(counters, 0, sizeof(counters));
}
#endif

static int afl_file(struct one_input *in, const char *path, uint8_t *buf)
{
	FILE *file = fopen(path, "rb");
	size_t bytes;

	if (!file)
		return complain(EXIT_USAGE, "%s: %s", path, strerror(errno));
	bytes = fread(buf, 1, AFL_INPUT_MAX, file);
	if (ferror(file)) {
		fclose(file);
		return complain(EXIT_USAGE, "%s cannot be read", path);
	}
	fclose(file);
	one_input_run(in, buf, bytes);
	return EXIT_CLEAN;
}

int main(int argc, char **argv)
{
	static uint8_t buf[AFL_INPUT_MAX];
	static struct one_input in;
	int i, ret = EXIT_CLEAN;

	one_input_init(&in, NULL);
	in.counters = counters;
	for (i = 1; i < argc && ret == EXIT_CLEAN; i++)
		ret = afl_file(&in, argv[i], buf);
	if (argc > 1)
		return ret;
#ifdef __AFL_FUZZ_INIT
	__AFL_INIT();
	/* Between inputs this process is stopped. It would stay so for ever if AFL++ was killed: the fork server, its parent, then ends alone. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	{
		const uint8_t *data = __AFL_FUZZ_TESTCASE_BUF;

		while (__AFL_LOOP(AFL_INPUTS_PER_PROCESS)) {
			size_t bytes = (size_t)__AFL_FUZZ_TESTCASE_LEN;

			one_input_run(&in, data, bytes);
			afl_tell();
		}
	}
	return EXIT_CLEAN;
#else
	return complain(EXIT_USAGE, "usage: fuzz_afl FILE...");
#endif
}
