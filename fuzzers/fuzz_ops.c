/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_ops.c - the libFuzzer target. Built without libFuzzer it is only an object with its entry point. */
#include "one_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct one_input in;

	if (!in.out)
		one_input_init(&in);
	one_input_run(&in, data, size);
	return 0;
}
