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

#ifdef __AFL_FUZZ_INIT
__AFL_FUZZ_INIT();
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

	one_input_init(&in);
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
		}
	}
	return EXIT_CLEAN;
#else
	return complain(EXIT_USAGE, "usage: fuzz_afl FILE...");
#endif
}
