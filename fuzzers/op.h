/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * op.h - one operation, and a trace: a configuration and the operations that run on it.
 *
 * One record serves the generator, fuzz input, replay file, regression corpus, unit table and minimizer. trace_text.c has its text form,
 * which is the reference; trace_bin.c the compact one.
 */
#ifndef HITLESS_OP_H
#define HITLESS_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../engine/config.h"
#include "../engine/mem_view.h"

enum op_kind { OP_MAP, OP_CUT, OP_UNMAP, OP_DIRTY, OP_READ, OP_WRITE, OP_TRANSLATE, OP_SYNC, OP_SWITCH, OP_NR };

#define OP_DEVICES_MAX 4

/* The device reads or writes iova just before attempt at (from 0) to store. */
struct op_device {
	uint16_t at;
	bool write;
	uint64_t iova;
};

#define OP_SWITCHES_MAX 16

/*
 * Just before writer executes its primitive number at (from 0; a number that it does not reach: when its operation has ended), writer to
 * goes on instead.
 */
struct op_switch {
	uint8_t writer, to;
	uint16_t at;
};

/*
 * struct op - one operation.
 *
 * Several writers: operations with a thread number wait for the OP_SWITCH behind them, and then run at the same time, as its switches say:
 * a round. It starts with the lowest number; where nothing else is said a writer runs until its operation ends or it waits for a lock, and
 * then the next higher number goes on that has not ended, after the highest the lowest.
 *
 * @kind: enum op_kind
 * @thread: map cut unmap dirty translate: the writer of a round, 1 to MEM_WRITERS_MAX; 0: on its own
 * @prot: map: enum prot; may hold bits that are unknown, to test their rejection
 * @clear: dirty: clear what is reported
 * @fail: which allocation fails, from 1; 0: none
 * @iova: all but sync
 * @last: map, unmap, dirty: inclusive; may lie below iova, to test its rejection
 * @oa:   map
 * @devices: not in a round
 * @switches: OP_SWITCH; no two of the same writer at the same number
 */
struct op {
	uint8_t kind, prot;
	bool clear;
	union {
		uint8_t devices_nr, switches_nr;
	};
	uint16_t fail;
	uint8_t thread;
	uint64_t iova, last, oa;
	union {
		struct op_device devices[OP_DEVICES_MAX];
		struct op_switch switches[OP_SWITCHES_MAX];
	};
};

/* Whether an operation of this kind may be one of a round. */
static inline bool op_may_thread(unsigned kind)
{
	return kind <= OP_DIRTY || kind == OP_TRANSLATE;
}

/* The name that the text form uses. */
const char *op_name(enum op_kind kind);

/*
 * Whether a and b ask for the same; fields that the kind does not use are not looked at: fail and devices belong to map, cut, unmap,
 * dirty.
 */
bool op_equal(const struct op *a, const struct op *b);

/* A configuration and the operations on it. ops is owned; trace_release frees it. */
struct trace {
	struct config cfg;
	struct op *ops;
	size_t nr, room;
};

/* An empty trace, no format named, every field of its configuration CONFIG_UNSET. */
void trace_init(struct trace *t);

/* Frees the operations; t is as after trace_init. */
void trace_release(struct trace *t);

/* Adds a copy of *op. Running out of host memory ends the process. */
void trace_push(struct trace *t, const struct op *op);

/*
 * Rounds in a list of operations. ops_waiting - how many of the nr operations at the end have a thread number and wait for their switch: each has
 * another one. ops_round - how many the round has that ends with the last of them, its switch included; 0: that is no switch, or none waited.
 * ops_whole - whether each operation that waits has its switch, each switch somebody who waits, and no number comes twice.
 */
size_t ops_waiting(const struct op *ops, size_t nr);
size_t ops_round(const struct op *ops, size_t nr);
bool ops_whole(const struct op *ops, size_t nr);

/*
 * trace_push_whole - trace_push, but so that the rounds stay whole whatever comes, as the text form wants them: what waited in vain goes, of a
 * switch line the switches of or to a writer that the round has not, and a switch line that nobody waits for; then false is returned. The
 * operation to run is the one in t.
 */
bool trace_push_whole(struct trace *t, const struct op *op);

/*
 * struct trace_error - why a trace was not accepted; one line for people.
 *
 * @line: from 1; 0 if it is not about a line
 */
struct trace_error {
	unsigned line;
	char text[200];
};

/* No format named, every field CONFIG_UNSET (pgsizes: 0). */
void config_unset(struct config *cfg);

/*
 * config_parse - read "armv8_4k stage=2 ias=40 ..." (without the word "format") into *cfg; keys not given are CONFIG_UNSET. Numbers are decimal or
 * 0x hexadecimal; model, tlb and tables take their names (strong weak incoherent; generic amd vtd arm riscv armv7s dart; low high straddle limit);
 * sign coherent ad napot pbmt snp lpa negcache defer take 0 1 no yes. Only the syntax, the names of keys and whether a value fits its field are
 * checked here; the engine's ->resolve() checks the rest. 0, or -EINVAL with *err filled in (unknown key, twice given, no number...).
 */
int config_parse(const char *text, struct config *cfg, struct trace_error *err);

/*
 * The text of cfg, fields that are CONFIG_UNSET left out, into buf; always terminated. Parses back to the same. CONFIG_TEXT_MAX bytes
 * hold any.
 */
#define CONFIG_TEXT_MAX 320
void config_print(const struct config *cfg, char *buf, size_t buf_bytes);

#define TRACE_VERSION 1
#define TRACE_OPS_MAX (UINT32_C(1) << 24)
#define TRACE_LINE_MAX 4096

/*
 * trace_parse - read the text form, bytes long, need not be terminated. 0, err->line being that of the format; or -EINVAL with the line and the
 * reason: unknown version, operation or field, a number that is none or too large, a NUL byte, a line over 4096 characters, more than
 * TRACE_OPS_MAX operations, a missing format line. What *t held is forgotten, not freed; on error *t is as after trace_init.
 */
int trace_parse(struct trace *t, const char *text, size_t bytes, struct trace_error *err);

/* The text form of t: version, configuration, operations. What t says reads back the same; fields that a kind does not use are lost. */
void trace_print(const struct trace *t, FILE *out);

/*
 * op_print - one line without newline into buf, at least OP_TEXT_MAX bytes. Ranges as iova, oa and +LENGTH; as [iova, last] where LENGTH
 * has no number.
 */
#define OP_TEXT_MAX 512
void op_print(const struct op *op, char *buf);

#endif
