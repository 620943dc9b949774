/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_ops.c - the libFuzzer target: an input is a trace, changed by mutate.c, and what it does to the tables counts as coverage.
 *
 * Built once for all formats, and once for each, which FUZZ_FORMAT then names: it makes no other's inputs, and ignores those it is given.
 */
#include <stdlib.h>
#include <string.h>

#include "mutate.h"
#include "one_input.h"
#include "options.h"

#ifndef FUZZ_FORMAT
#define FUZZ_FORMAT NULL
#endif

/* Of so many mutations one is of bytes: what only they lead to is the reader's. */
#define FUZZ_OPS_BYTES 16

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_bytes, const uint8_t *b, size_t b_bytes, uint8_t *out, size_t max, unsigned seed);

/* libFuzzer looks at and clears whatever lies in this section. */
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t counters[FEEDBACK_NR];

static struct one_input the_input;

/* For measuring what something is worth: HITLESS_WITHOUT_FEEDBACK, HITLESS_WITHOUT_MUTATOR in the environment. */
static bool without(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

/* fuzzer::FuzzerDriver(int *, char ***, int (*)(const uint8_t *, size_t)): there if what this is linked with is libFuzzer. */
extern void libfuzzer_driver(void) __asm__("_ZN6fuzzer12FuzzerDriverEPiPPPcPFiPKhmE") __attribute__((weak));

/*
 * libFuzzer's choice of inputs by entropy keeps a list of features for each input, of which a trace has thousands: half of the processor time. And
 * with how often each edge was taken being a feature, too, nearly every second input has a new one and is kept, whatever it is worth. Both are off
 * unless the command line has them on (-entropic=1, -use_counters=1).
 */
static void libfuzzer_arguments(int *argc, char ***argv)
{
	static char entropic[] = "-entropic=0", times[] = "-use_counters=0";
	char **with = calloc((size_t)*argc + 3, sizeof(*with));
	int i;

	if (!with)
		exit(complain(EXIT_TOOL, "out of memory"));
	with[0] = (*argv)[0];
	with[1] = entropic;
	with[2] = times;
	for (i = 1; i < *argc; i++)
		with[i + 2] = (*argv)[i];
	*argv = with;
	*argc += 2;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	/* Other engines have arguments of their own: AFL++'s driver takes a lone -N for a number. */
	if (libfuzzer_driver)
		libfuzzer_arguments(argc, argv);
	one_input_init(&the_input, FUZZ_FORMAT);
	the_input.counters = without("HITLESS_WITHOUT_FEEDBACK") ? NULL : counters;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	one_input_run(&the_input, data, size);
	return 0;
}

static struct mutator *the_mutator(void)
{
	static struct mutator m;

	if (!m.configs)
		mutator_init(&m, one_input_configs, FUZZ_FORMAT);
	return &m;
}

static bool bytes_only(void)
{
	static int only = -1;

	if (only < 0)
		only = without("HITLESS_WITHOUT_MUTATOR");
	return only;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	size_t made = bytes_only() || seed % FUZZ_OPS_BYTES == 0 ? 0 : mutate(the_mutator(), data, size, max, seed);
	return made ? made : LLVMFuzzerMutate(data, size, max);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_bytes, const uint8_t *b, size_t b_bytes, uint8_t *out, size_t max, unsigned seed)
{
	/* libFuzzer's own change of bytes crosses over, too. */
	if (bytes_only())
		return 0;
	return mutate_cross(the_mutator(), a, a_bytes, b, b_bytes, out, max, seed);
}
