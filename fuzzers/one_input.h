/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * one_input.h - one input of an external fuzzer: bytes become a domain and operations on it. What libFuzzer and AFL++ share.
 *
 * A finding is printed, its trace is saved as text, and the process aborts, which is what those fuzzers look for.
 */
#ifndef HITLESS_ONE_INPUT_H
#define HITLESS_ONE_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "exec.h"
#include "feedback.h"
#include "op.h"

#define ONE_INPUT_OPS_MAX 4096

/*
 * struct one_input - what all inputs of a process use.
 *
 * @trace: configuration and operations of the input that is running
 * @out:   directory that traces are saved to: the environment's HITLESS_OUT, or "findings"
 * @only:  NULL, or the format of which inputs are run
 * @note:  NULL, or the file that the environment's HITLESS_TRACE names: there the input that is running is as text, before each operation anew,
 *         so that it is known what ended the process when nobody can say it any more. Slow: for one input
 * @count: NULL, or inputs, operations and ns of processor time so far: in the file that the environment's HITLESS_COUNT names, where they are
 *         whatever ends the process
 * @keep:  NULL, or where inputs are written, each behind its length, 32 bits: the file that the environment's HITLESS_KEEP names
 * @counters: NULL, or where the operations of an input are counted (feedback.h); set by the target
 */
struct one_input {
	struct exec exec;
	struct trace trace;
	const char *out, *only, *note;
	uint8_t *counters;
	struct feedback feedback;
	uint64_t *count;
	FILE *keep;
};

/*
 * one_input_init - reserve what inputs need, of this format only or, with NULL, of all; and see to it that planted bugs are noticed (canary.h).
 * Where something fails the process ends with EXIT_TOOL. in must stay where it is.
 */
void one_input_init(struct one_input *in, const char *only);

/*
 * one_input_run - run bytes as trace_bin.h decodes them, at most ONE_INPUT_OPS_MAX operations. Nothing is left of the input before: the
 * arena starts empty each time. Bytes that name a configuration that cannot be run, or another format than in->only, do nothing. Returns only
 * if nothing was found.
 */
void one_input_run(struct one_input *in, const uint8_t *buf, size_t bytes);

/* one_input_configs - the configurations of a built-in format as config_parse reads them, format included: what trace_bin_open asks for. */
const char *const *one_input_configs(const char *format);

#endif
