/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_trace_text.c - the text form of traces: what each line means and prints as, and what is refused, on which line and why.
 *
 * Usage: test_trace_text [SEED].
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../fuzzers/op.h"
#include "random_op.h"

#define ARRAY_NR(a) (sizeof(a) / sizeof(*(a)))
#define HEAD "hitless 1\nformat amdv1\n"
#define TOP UINT64_MAX

enum { TIMEOUT_S = 120, RANDOM_TRACES_NR = 300, RANDOM_OPS_NR = 64, NOISE_NR = 20000 };

static uint64_t rng = 20240612;

static int parse(struct trace *t, const char *text, struct trace_error *err)
{
	return trace_parse(t, text, strlen(text), err);
}

static void parse_or_fail(struct trace *t, const char *text)
{
	struct trace_error err;

	if (parse(t, text, &err))
		fail_msg("line %u: %s\n%s", err.line, err.text, text);
}

/* The text of t, to be freed. */
static char *text_of(const struct trace *t)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	assert_non_null(out);
	trace_print(t, out);
	fclose(out);
	return text;
}

static void test_trace_text__ops(void **state)
{
	static const struct {
		const char *text, *printed; /* printed NULL: as text */
		struct op op;
	} cases[] = {
		{ "map   0x1000 -> 0x5000 +0x2000 rw", NULL, { .kind = OP_MAP, .iova = 0x1000, .last = 0x2fff, .oa = 0x5000, .prot = 3 } },
		{ "map [0x1000, 0x2fff] -> 0x5000 rw",
		  "map   0x1000 -> 0x5000 +0x2000 rw",
		  { .kind = OP_MAP, .iova = 0x1000, .last = 0x2fff, .oa = 0x5000, .prot = 3 } },
		{ "\tmap\t[4096,12287]\t->\t0X5000\twr\t",
		  "map   0x1000 -> 0x5000 +0x2000 rw",
		  { .kind = OP_MAP, .iova = 0x1000, .last = 0x2fff, .oa = 0x5000, .prot = 3 } },
		{ "map [ 0x1000 , 0x2fff ] -> 0x5000 w",
		  "map   0x1000 -> 0x5000 +0x2000 w",
		  { .kind = OP_MAP, .iova = 0x1000, .last = 0x2fff, .oa = 0x5000, .prot = 2 } },
		{ "map   [0x2000, 0xfff] -> 0x5000 x", NULL, { .kind = OP_MAP, .iova = 0x2000, .last = 0xfff, .oa = 0x5000, .prot = 4 } },
		{ "map   [0x0, 0xffffffffffffffff] -> 0x0 rwx", NULL, { .kind = OP_MAP, .last = TOP, .prot = 7 } },
		{ "map   [0x1, 0x0] -> 0x0 rwx", NULL, { .kind = OP_MAP, .iova = 1, .prot = 7 } },
		{ "map   0x1 -> 0xffffffffffffffff +0xffffffffffffffff r",
		  NULL,
		  { .kind = OP_MAP, .iova = 1, .last = TOP, .oa = TOP, .prot = 1 } },
		{ "map   0x0 -> 0x0 +0x1 -", NULL, { .kind = OP_MAP } },
		{ "map   0x0 -> 0x0 +0x1 - mmio", NULL, { .kind = OP_MAP, .prot = PROT_MMIO } },
		{ "map 0 -> 0 +1 xwr bit7 priv mmio bit6 cache",
		  "map   0x0 -> 0x0 +0x1 rwx mmio cache priv bit6 bit7",
		  { .kind = OP_MAP, .prot = 0xff } },
		{ "map   0x0 -> 0x0 +0x1 r cache fail=3", NULL, { .kind = OP_MAP, .prot = 0x11, .fail = 3 } },
		{ "map   0x0 -> 0x0 +0x1 r fail=65535 at 65535 read 0x7",
		  NULL,
		  { .kind = OP_MAP, .prot = 1, .fail = 65535, .devices_nr = 1, .devices = { { 65535, false, 7 } } } },
		{ "cut   0x40201000", NULL, { .kind = OP_CUT, .iova = 0x40201000 } },
		{ "cut 18446744073709551615", "cut   0xffffffffffffffff", { .kind = OP_CUT, .iova = TOP } },
		{ "cut 010", "cut   0xa", { .kind = OP_CUT, .iova = 10 } },
		{ "cut 0x00000000000000000000001", "cut   0x1", { .kind = OP_CUT, .iova = 1 } },
		{ "cut 0xABCDEFabcdef", "cut   0xabcdefabcdef", { .kind = OP_CUT, .iova = 0xabcdefabcdef } },
		{ "cut   0x5 fail=2", NULL, { .kind = OP_CUT, .iova = 5, .fail = 2 } },
		{ "cut 5 at 0 write 9 fail=0x2",
		  "cut   0x5 fail=2 at 0 write 0x9",
		  { .kind = OP_CUT, .iova = 5, .fail = 2, .devices_nr = 1, .devices = { { 0, true, 9 } } } },
		{ "cut   0x5 at 3 write 0x6 at 1 read 0x7 at 3 write 0x6 at 9 read 0x0",
		  NULL,
		  { .kind = OP_CUT,
		    .iova = 5,
		    .devices_nr = 4,
		    .devices = { { 3, true, 6 }, { 1, false, 7 }, { 3, true, 6 }, { 9, false, 0 } } } },
		{ "cut 1#comment", "cut   0x1", { .kind = OP_CUT, .iova = 1 } },
		{ "cut 1 # fail=9 \xc3\xa9", "cut   0x1", { .kind = OP_CUT, .iova = 1 } },
		{ "unmap 0x40000000 +0x201000", NULL, { .kind = OP_UNMAP, .iova = 0x40000000, .last = 0x40200fff } },
		{ "unmap [0x0, 0xffffffffffffffff]", NULL, { .kind = OP_UNMAP, .last = TOP } },
		{ "unmap 0xffffffffffffffff +0x1", NULL, { .kind = OP_UNMAP, .iova = TOP, .last = TOP } },
		{ "unmap 0x0 +0x1000 fail=1", NULL, { .kind = OP_UNMAP, .last = 0xfff, .fail = 1 } },
		{ "dirty 0x1 +0x1000", NULL, { .kind = OP_DIRTY, .iova = 1, .last = 0x1000 } },
		{ "dirty 0x1 +0x1000 clear", NULL, { .kind = OP_DIRTY, .iova = 1, .last = 0x1000, .clear = true } },
		{ "dirty [0x2, 0x1] fail=4 clear at 0 write 1",
		  "dirty [0x2, 0x1] clear fail=4 at 0 write 0x1",
		  { .kind = OP_DIRTY, .iova = 2, .last = 1, .clear = true, .fail = 4, .devices_nr = 1, .devices = { { 0, true, 1 } } } },
		{ "read  0x1", NULL, { .kind = OP_READ, .iova = 1 } },
		{ "write 0x40202000", NULL, { .kind = OP_WRITE, .iova = 0x40202000 } },
		{ "translate 0xffffffffffffffff", NULL, { .kind = OP_TRANSLATE, .iova = TOP } },
		{ "sync", NULL, { .kind = OP_SYNC } },
		{ "  sync  # now", "sync", { .kind = OP_SYNC } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_NR(cases); i++) {
		char text[400], printed[OP_TEXT_MAX];
		struct trace t;

		snprintf(text, sizeof(text), HEAD "%s", cases[i].text);
		parse_or_fail(&t, text);
		assert_int_equal(t.nr, 1);
		op_print(&t.ops[0], printed);
		assert_string_equal(printed, cases[i].printed ? cases[i].printed : cases[i].text);
		if (!op_equal(&t.ops[0], &cases[i].op))
			fail_msg("\"%s\" is not the operation expected", cases[i].text);
		assert_int_equal(t.ops[0].kind, cases[i].op.kind);
		trace_release(&t);
	}
}

static void test_trace_text__equal_looks_at_what_the_kind_uses(void **state)
{
	static const struct op base = {
		.prot = 3,
		.clear = true,
		.devices_nr = 1,
		.fail = 2,
		.iova = 4096,
		.last = 8191,
		.oa = 4096,
		.devices = { { 1, true, 7 } },
	};
	/* kinds that see the change, one bit each */
	enum {
		MAP = 1 << OP_MAP,
		CUT = 1 << OP_CUT,
		UNMAP = 1 << OP_UNMAP,
		DIRTY = 1 << OP_DIRTY,
		SWITCH = 1 << OP_SWITCH,
		FOUR = 15,
		POINTS = FOUR | 0x70,
		THREADS = FOUR | 1 << OP_TRANSLATE,
	};
	static const struct {
		size_t offset;
		unsigned seen_by;
	} cases[] = {
		{ offsetof(struct op, prot), MAP },
		{ offsetof(struct op, clear), DIRTY },
		{ offsetof(struct op, fail), FOUR },
		{ offsetof(struct op, iova), POINTS },
		{ offsetof(struct op, last), MAP | UNMAP | DIRTY },
		{ offsetof(struct op, oa), MAP },
		{ offsetof(struct op, thread), THREADS },
		{ offsetof(struct op, devices_nr), FOUR | SWITCH },
		/* The same bytes as the first switch. */
		{ offsetof(struct op, devices[0].at), FOUR | SWITCH },
		{ offsetof(struct op, devices[0].write), FOUR | SWITCH },
		{ offsetof(struct op, switches[0].to), FOUR | SWITCH },
		{ offsetof(struct op, devices[0].iova), FOUR },
		{ offsetof(struct op, devices[1].iova), 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_NR(cases); i++) {
		for (unsigned kind = 0; kind < OP_NR; kind++) {
			struct op a = base, b;

			a.kind = kind;
			b = a;
			assert_true(op_equal(&a, &b));
			((char *)&b)[cases[i].offset] ^= 1;
			assert_int_equal(op_equal(&a, &b), !(cases[i].seen_by >> kind & 1));
			b = a;
			b.kind = (kind + 1) % OP_NR;
			assert_false(op_equal(&a, &b));
		}
	}
}

static void test_trace_text__names(void **state)
{
	static const char *const names[OP_NR] = { "map", "cut", "unmap", "dirty", "read", "write", "translate", "sync", "switch" };

	(void)state;
	for (unsigned kind = 0; kind < OP_NR; kind++)
		assert_string_equal(op_name(kind), names[kind]);
	assert_string_equal(op_name(OP_NR), "unknown");
}

static void test_trace_text__files(void **state)
{
	static const struct {
		const char *text, *printed;
	} cases[] = {
		{ "hitless 1\nformat amdv1", "hitless 1\nformat amdv1\n" },
		{ "hitless 1\nformat amdv1\n", "hitless 1\nformat amdv1\n" },
		{ "hitless 1\r\nformat amdv1 ias=40\r\nsync\r\n\r\ncut 1\r", "hitless 1\nformat amdv1 ias=40\nsync\ncut   0x1\n" },
		{ "hitless 1\nformat amdv1\nthread 2 cut 1\nthread 1 map 0 -> 0 +1 r fail=3 # waits\nswitch 1 at 3 to 2,2 at 0x10 to 1 # both\n"
		  "thread 3 translate 7\nswitch\n",
		  "hitless 1\nformat amdv1\nthread 2 cut   0x1\nthread 1 map   0x0 -> 0x0 +0x1 r fail=3\nswitch 1 at 3 to 2, 2 at 16 to 1\n"
		  "thread 3 translate 0x7\nswitch\n" },
		{ "# a story\n\n \t\nhitless 0x1 # v\n#\n\nformat  amdv1 # f=1\n\n#x\nsync\n\n", "hitless 1\nformat amdv1\nsync\n" },
		{ "hitless 1\nformat armv8_4k stage=2 ias=40 oas=44 bbm=2 model=weak tlb=arm\n"
		  "map   0x40000000 -> 0x0b40c0000000 +0x40000000 rw\ncut   0x40201000 fail=2                # the second allocation "
		  "fails\n"
		  "cut   0x40201000 at 3 write 0x40200000 # the device writes just before the fourth store\nunmap 0x40000000 +0x201000\n"
		  "dirty 0x40201000 +0x1000 clear\nwrite 0x40202000                       # also: read, translate, sync\n",
		  "hitless 1\nformat armv8_4k ias=40 oas=44 stage=2 bbm=2 model=weak tlb=arm\n"
		  "map   0x40000000 -> 0xb40c0000000 +0x40000000 rw\ncut   0x40201000 fail=2\ncut   0x40201000 at 3 write 0x40200000\n"
		  "unmap 0x40000000 +0x201000\ndirty 0x40201000 +0x1000 clear\nwrite 0x40202000\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_NR(cases); i++) {
		struct trace t;
		char *text;

		parse_or_fail(&t, cases[i].text);
		text = text_of(&t);
		assert_string_equal(text, cases[i].printed);
		free(text);
		trace_release(&t);
		assert_int_equal(t.nr, 0);
		assert_null(t.ops);
	}
}

static void test_trace_text__rejects_bad_files(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *reason;
	} cases[] = {
		{ "", 0, "the trace is empty; it starts with \"hitless 1\"" },
		{ "\n", 1, "the trace is empty" },
		{ "\n# nothing\n\n", 3, "the trace is empty" },
		{ "sync\n", 1, "\"sync\": a trace starts with \"hitless 1\"" },
		{ "\n\nHitless 1\n", 3, "a trace starts with" },
		{ "hitless\n", 1, "the line ends: the version of the trace is expected" },
		{ "hitless one\n", 1, "\"one\": the version of the trace is expected, a number" },
		{ "hitless 0\n", 1, "version 0 is not known; this program reads version 1" },
		{ "#\nhitless 2\nnonsense\n", 2, "version 2 is not known" },
		{ "hitless 18446744073709551617\n", 1, "does not fit 64 bits" },
		{ "hitless 1.0\n", 1, "\"1.0\": the version" },
		{ "hitless 1 2\n", 1, "\"2\": nothing more follows the version" },
		{ "hitless 1\n", 1, "ends without a line \"format" },
		{ "hitless 1\n# format amdv1\n", 2, "ends without a line \"format" },
		{ "hitless 1\n\nsync\nformat amdv1\n", 3, "\"sync\": the second line is the configuration" },
		{ "hitless 1\nhitless 1\n", 2, "the second line is the configuration" },
		{ "hitless 1\nformat\n", 2, "the name of the format is missing" },
		{ "hitless 1\nformat # amdv1\n", 2, "the name of the format is missing" },
		{ "hitless 1\nformat ias=40\n", 2, "the name of a format is expected" },
		{ "hitless 1\n#\nformat amdv1 ias=99\n", 3, "ias takes 12 to 64, not \"99\"" },
		{ "hitless 1\nformat amdv1 speed=9\n", 2, "\"speed=9\": there is no such key" },
		{ "hitless 1\nformat amdv1 ias=40 ias=40\n", 2, "ias is given twice" },
		{ HEAD "format amdv1\n", 3, "\"format\": no operation has this name" },
		{ HEAD "sync\n\n# x\nhitless 1\n", 6, "\"hitless\": no operation has this name" },
		{ "\xef\xbb\xbfhitless 1\n", 1, "\"???hitless\": a trace starts with" },
		{ "hitless 1\rformat amdv1\r", 1, "\"1?format\": the version" },
		{ "hitless 1\nformat amdv1\nswitch\n", 3, "no operation with a thread number comes before this switch" },
		{ "hitless 1\nformat amdv1\nthread 1 cut 1\n", 3, "the trace ends with operations that have a thread number" },
		{ "hitless 1\nformat amdv1\nthread 1 cut 1\nsync\n", 4, "come before this, and no switch line" },
		{ "hitless 1\nformat amdv1\nthread 1 cut 1\nthread 1 cut 2\nswitch\n", 4, "there is a thread 1 in this round already" },
		{ "hitless 1\nformat amdv1\nthread 1 cut 1\nswitch 1 at 3 to 2\n", 4, "there is no thread 2 in this round" },
		{ "hitless 1\nformat amdv1\nthread 1 cut 1\nswitch 2 at 3 to 1\n", 4, "there is no thread 2 in this round" },
		{ "hitless 1\nformat amdv1\nthread 0 cut 1\n", 3, "writers are numbered from 1" },
		{ "hitless 1\nformat amdv1\nthread 4 cut 1\n", 3, "the number of a writer is at most 3" },
		{ "hitless 1\nformat amdv1\nthread 1 write 1\n", 3, "\"write\": is no operation of a round" },
		{ "hitless 1\nformat amdv1\nthread 1 cut 1 at 3 write 0\n", 3, "the device does not act within an operation of a round" },
		{ "hitless 1\nformat amdv1\nthread 1 cut 1\nswitch 1 at 3 to 1, 1 at 3 to 1\n", 4, "two switches at primitive 3 of writer 1" },
		{ "hitless 1\nformat amdv1\nthread 1 cut 1\nswitch 1 at 3 1\n", 4, "\"1\": \"to\" is expected here" },
		{ "hitless 1\nformat amdv1\nthread 1 cut 1\nswitch 1 at 65536 to 1\n", 4, "the number of a primitive is at most 65535" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_NR(cases); i++) {
		struct trace_error err = { .line = 77 };
		struct trace t;

		if (!parse(&t, cases[i].text, &err))
			fail_msg("accepted: %s", cases[i].text);
		if (err.line != cases[i].line || !strstr(err.text, cases[i].reason))
			fail_msg("line %u: %s; expected line %u: %s; of\n%s", err.line, err.text, cases[i].line, cases[i].reason,
				 cases[i].text);
		assert_null(t.ops);
		assert_int_equal(t.nr, 0);
	}
}

static void test_trace_text__rejects_bad_ops(void **state)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		/* names */
		{ "foo", "\"foo\": no operation has this name; there are map cut unmap dirty" },
		{ "Map 1 -> 2 +3 r", "no operation has this name" },
		{ "ma 1", "no operation" },
		{ "maps 1", "no operation" },
		{ "unknown 1", "no operation" },
		{ "thread 1", "no operation" },
		{ "cut,1", "\",\": an iova is expected" },
		{ "[", "\"[\": no operation" },
		{ "+1", "no operation" },
		{ "a_word_that_is_much_longer_than_forty_characters_is_shortened", "\"a_word_that_is_much_longer_than_forty...\": no" },
		{ "\x01\x7f\xff", "\"???\": no operation" },
		/* numbers */
		{ "cut", "the line ends: an iova is expected" },
		{ "cut x", "\"x\": an iova is expected, a number, decimal or 0x hexadecimal" },
		{ "cut 0x", "an iova is expected" },
		{ "cut 0xg", "an iova is expected" },
		{ "cut 12a", "an iova is expected" },
		{ "cut -1", "an iova is expected" },
		{ "cut +1", "an iova is expected" },
		{ "cut 1e3", "an iova is expected" },
		{ "cut 1_000", "an iova is expected" },
		{ "cut 0b1", "an iova is expected" },
		{ "cut 0x1h", "an iova is expected" },
		{ "cut 18446744073709551616", "\"18446744073709551616\": an iova does not fit 64 bits" },
		{ "cut 0x10000000000000000", "does not fit 64 bits" },
		{ "cut 99999999999999999999999999999999999999999999", "does not fit 64 bits" },
		{ "cut 18446744073709551616x", "an iova is expected" },
		{ "cut 1\r2", "\"1?2\": an iova" },
		{ "cut 1\v", "\"1?\": an iova" },
		{ "cut \xc2\xa0"
		  "1",
		  "an iova is expected" },
		/* points */
		{ "cut 1 2", "\"2\": cut takes no such word here" },
		{ "cut 1 +0x1000", "cut takes no such word here" },
		{ "cut 1 clear", "cut takes no such word here" },
		{ "cut 1 rw", "cut takes no such word here" },
		{ "cut [1, 2]", "\"[\": an iova is expected" },
		{ "read", "the line ends: an iova is expected" },
		{ "read 1 2", "\"2\": read takes nothing more" },
		{ "read 1 fail=1", "read takes nothing more" },
		{ "write 1 at 0 read 1", "write takes nothing more" },
		{ "write +1", "an iova is expected" },
		{ "translate", "an iova is expected" },
		{ "translate 1 -> 2", "\"->\": translate takes nothing more" },
		{ "sync 1", "\"1\": sync takes nothing more" },
		{ "sync fail=1", "sync takes nothing more" },
		/* ranges */
		{ "unmap", "an iova is expected" },
		{ "unmap 1", "the line ends: +LENGTH is expected" },
		{ "unmap 1 2", "\"2\": +LENGTH is expected" },
		{ "unmap 1 + 2", "\"+\": +LENGTH is expected" },
		{ "unmap 1 +x", "a length is expected" },
		{ "unmap 1 +-1", "a length is expected" },
		{ "unmap 1 +0", "\"+0\": a length is at least 1" },
		{ "unmap 0 +0x10000000000000000", "a length does not fit 64 bits" },
		{ "unmap 1 +0xffffffffffffffff1", "a length does not fit 64 bits" },
		{ "unmap 2 +0xffffffffffffffff", "\"+0xffffffffffffffff\": the range passes the end of the 64-bit space" },
		{ "unmap 0xffffffffffffffff +2", "the range passes the end" },
		{ "unmap [1, 2] +3", "\"+3\": unmap takes no such word" },
		{ "unmap [1 2]", "\"2\": \",\" is expected here" },
		{ "unmap [1]", "\"]\": \",\" is expected here" },
		{ "unmap [1,]", "\"]\": the last iova is expected" },
		{ "unmap [,2]", "\",\": an iova is expected" },
		{ "unmap []", "\"]\": an iova is expected" },
		{ "unmap [1, 2", "the line ends: \"]\" is expected" },
		{ "unmap [1, 2, 3]", "\",\": \"]\" is expected" },
		{ "unmap [1, +2]", "\"+2\": the last iova is expected" },
		{ "unmap [1, 0x10000000000000000]", "the last iova does not fit 64 bits" },
		{ "unmap [", "an iova is expected" },
		{ "unmap [1", "\",\" is expected" },
		{ "unmap 1 +2 clear", "\"clear\": unmap takes no such word" },
		{ "unmap 1 +2 rw", "unmap takes no such word" },
		{ "dirty 1", "+LENGTH is expected" },
		{ "dirty 1 clear", "\"clear\": +LENGTH is expected" },
		{ "dirty 1 +2 clear clear", "\"clear\": dirty takes no such word" },
		{ "dirty 1 +2 clean", "\"clean\": dirty takes no such word" },
		{ "dirty 1 +2 Clear", "dirty takes no such word" },
		/* map */
		{ "map", "an iova is expected" },
		{ "map 1", "the line ends: \"->\" is expected" },
		{ "map 1 2", "\"2\": \"->\" is expected" },
		{ "map 1 +2 -> 3 rw", "\"+2\": \"->\" is expected" },
		{ "map 1->2 +3 rw", "\"1->2\": an iova is expected" },
		{ "map 1 ->2 +3 rw", "\"->2\": \"->\" is expected" },
		{ "map 1 -> ", "the line ends: an oa is expected" },
		{ "map 1 -> +2", "\"+2\": an oa is expected" },
		{ "map 1 -> x", "\"x\": an oa is expected" },
		{ "map 1 -> 0x10000000000000000 +1 r", "an oa does not fit 64 bits" },
		{ "map 1 -> 2", "+LENGTH is expected" },
		{ "map 1 -> 2 rw", "\"rw\": +LENGTH is expected" },
		{ "map 1 -> 2 +0 rw", "a length is at least 1" },
		{ "map 1 -> 2 +0xffffffffffffffff0 rw", "a length does not fit" },
		{ "map 1 -> 2 +0xffffffffffffffff rw", NULL },
		{ "map 1 -> 2 +3", "the line ends: an access is expected, letters of r w x, or -" },
		{ "map [1, 2] -> 2 +3 rw", "\"+3\": an access is expected" },
		{ "map [1, 2] -> 2", "an access is expected" },
		{ "map [1, 2] rw", "\"rw\": \"->\" is expected" },
		{ "map 1 -> 2 +3 mmio", "\"mmio\": an access is expected" },
		{ "map 1 -> 2 +3 RW", "\"RW\": an access is expected" },
		{ "map 1 -> 2 +3 rwa", "\"rwa\": an access is expected" },
		{ "map 1 -> 2 +3 r-", "\"r-\": an access is expected" },
		{ "map 1 -> 2 +3 --", "\"--\": an access is expected" },
		{ "map 1 -> 2 +3 rr", "\"rr\": r is given twice" },
		{ "map 1 -> 2 +3 rwxw", "\"rwxw\": w is given twice" },
		{ "map 1 -> 2 +3 r w", "\"w\": map takes no such word" },
		{ "map 1 -> 2 +3 rw mmio mmio", "\"mmio\": given twice" },
		{ "map 1 -> 2 +3 rw bit5", "\"bit5\": map takes no such word" },
		{ "map 1 -> 2 +3 rw bit8", "\"bit8\": map takes no such word" },
		{ "map 1 -> 2 +3 rw private", "\"private\": map takes no such word" },
		{ "map 1 -> 2 +3 rw fail=1 mmio", "\"mmio\": map takes no such word" },
		{ "map 1 -> 2 +3 rw clear", "\"clear\": map takes no such word" },
		/* extras */
		{ "cut 1 fail", "\"fail\": cut takes no such word" },
		{ "cut 1 fail=", "\"fail=\": fail= takes 1 to 65535" },
		{ "cut 1 fail=0", "\"fail=0\": fail= takes 1 to 65535, the number of the allocation" },
		{ "cut 1 fail=65536", "fail= takes 1 to 65535" },
		{ "cut 1 fail=18446744073709551617", "fail= takes 1 to 65535" },
		{ "cut 1 fail=x", "fail= takes 1 to 65535" },
		{ "cut 1 fail= 1", "fail= takes 1 to 65535" },
		{ "cut 1 fail=1 fail=1", "\"fail=1\": fail= is given twice" },
		{ "cut 1 Fail=1", "\"Fail=1\": cut takes no such word" },
		{ "cut 1 at", "the line ends: the number of a store is expected" },
		{ "cut 1 at x", "\"x\": the number of a store is expected" },
		{ "cut 1 at 65536 read 1", "\"65536\": the number of a store is at most 65535" },
		{ "cut 1 at 1", "the line ends: after \"at N\" the device either reads or writes" },
		{ "cut 1 at 1 sync", "\"sync\": after \"at N\" the device" },
		{ "cut 1 at 1 read", "the line ends: an iova is expected" },
		{ "cut 1 at 1 read x", "\"x\": an iova is expected" },
		{ "cut 1 at 1 read at 2 read 1", "\"at\": an iova is expected" },
		{ "cut 1 at 1 write 0x10000000000000000", "an iova does not fit 64 bits" },
		{ "cut 1 at 1 read 1 at 2 read 1 at 3 read 1 at 4 read 1 at 5 read 1", "at most 4 times \"at\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_NR(cases); i++) {
		struct trace_error err = { .line = 77 };
		char text[400];
		struct trace t;
		int ret;

		snprintf(text, sizeof(text), HEAD "\nsync # fine\n%s\nnonsense", cases[i].text);
		ret = parse(&t, text, &err);
		assert_int_equal(ret, -EINVAL);
		if (!cases[i].reason) {
			assert_int_equal(err.line, 6);
			continue;
		}
		if (err.line != 5 || !strstr(err.text, cases[i].reason))
			fail_msg("\"%s\": line %u: %s; expected line 5: %s", cases[i].text, err.line, err.text, cases[i].reason);
		assert_true(strlen(err.text) + 1 < sizeof(err.text));
		for (const char *c = err.text; *c; c++)
			assert_in_range(*c, ' ', '~');
	}
}

static void test_trace_text__rejects_nul_and_long_lines(void **state)
{
	static const char with_nul[] = HEAD "sync\ncut 0\0x\n", nul_in_comment[] = HEAD "sync # \0\n";
	static char text[TRACE_LINE_MAX + 100];
	struct trace_error err;
	struct trace t;
	size_t bytes;

	(void)state;
	assert_int_equal(trace_parse(&t, with_nul, sizeof(with_nul) - 1, &err), -EINVAL);
	assert_int_equal(err.line, 4);
	assert_non_null(strstr(err.text, "NUL byte"));
	assert_int_equal(trace_parse(&t, nul_in_comment, sizeof(nul_in_comment) - 1, &err), -EINVAL);
	assert_int_equal(err.line, 3);

	/* A line of exactly the most, then one more; its end, CR LF, does not count. */
	for (unsigned more = 0; more < 2; more++) {
		bytes = sprintf(text, HEAD "sync");
		memset(text + bytes, more ? ' ' : '#', TRACE_LINE_MAX - 4 + more);
		bytes += TRACE_LINE_MAX - 4 + more;
		bytes += sprintf(text + bytes, "\r\nsync\r\n");
		assert_int_equal(trace_parse(&t, text, bytes, &err), more ? -EINVAL : 0);
		assert_int_equal(t.nr, more ? 0 : 2);
		trace_release(&t);
	}
	assert_int_equal(err.line, 3);
	assert_non_null(strstr(err.text, "the line has 4097 characters, at most 4096"));

	/* Nothing beyond the bytes given is read. */
	assert_int_equal(trace_parse(&t, HEAD "syncXYZ", strlen(HEAD "sync"), &err), 0);
	assert_int_equal(t.nr, 1);
	trace_release(&t);
	assert_int_equal(trace_parse(&t, NULL, 0, &err), -EINVAL);
}

static void test_trace_text__longest_op_fits(void **state)
{
	struct op op = {
		.kind = OP_MAP, .prot = 0xff, .devices_nr = OP_DEVICES_MAX, .fail = UINT16_MAX, .iova = TOP, .last = TOP - 1, .oa = TOP
	};
	char buf[OP_TEXT_MAX];

	(void)state;
	for (unsigned i = 0; i < OP_DEVICES_MAX; i++)
		op.devices[i] = (struct op_device){ .at = UINT16_MAX, .write = true, .iova = TOP };
	op_print(&op, buf);
	assert_true(strlen(buf) + 1 < sizeof(buf));
	assert_non_null(
		strstr(buf, "at 65535 write 0xffffffffffffffff at 65535 write 0xffffffffffffffff at 65535 write 0xffffffffffffffff at"));
}

static void test_trace_text__random_round_trip(void **state)
{
	(void)state;
	for (unsigned n = 0; n < RANDOM_TRACES_NR; n++) {
		struct trace t, again;
		char *text, *again_text;

		trace_init(&t);
		random_config(&rng, "riscv64", &t.cfg);
		for (unsigned i = 0; i < RANDOM_OPS_NR; i++)
			random_trace_push(&rng, &t);
		random_trace_end(&t);
		text = text_of(&t);
		parse_or_fail(&again, text);
		assert_int_equal(again.nr, t.nr);
		for (size_t i = 0; i < t.nr; i++) {
			assert_true(op_equal(&t.ops[i], &again.ops[i]));
			assert_int_equal(t.ops[i].last, again.ops[i].last);
		}
		again_text = text_of(&again);
		assert_string_equal(text, again_text);
		free(text);
		free(again_text);
		trace_release(&t);
		trace_release(&again);
	}
}

/* Damaged text is accepted or refused with a line that exists; what is accepted prints and reads back. */
static void test_trace_text__noise_is_refused_or_reads_back(void **state)
{
	static const char good[] =
		"hitless 1\nformat riscv64 levels=3 tlb=riscv pgsizes=0x201000\nmap [0x1000, 0x2fff] -> 0x5000 rw cache fail=2\n"
		"cut 0x2000 at 3 write 0x1000 at 4 read 7\nunmap 0x1000 +0x1000\ndirty 0x1000 +0x1000 clear\nread 1\ntranslate 2\nsync\n";
	static const char letters[] = "0123456789xfrw-+>,[]=# \t\n\r\0at", lines = 10;
	unsigned accepted = 0;

	(void)state;
	for (unsigned n = 0; n < NOISE_NR; n++) {
		struct trace_error err = { .line = 77 };
		char text[sizeof(good)], *printed;
		struct trace t;

		memcpy(text, good, sizeof(good));
		for (unsigned i = 0; i < 1 + n % 3; i++)
			text[random_below(&rng, sizeof(good) - 1)] = letters[random_below(&rng, sizeof(letters) - 1)];
		if (trace_parse(&t, text, sizeof(text) - 1 - random_below(&rng, n % 8 ? 1 : sizeof(text)), &err)) {
			assert_in_range(err.line, 0, lines + 3);
			assert_true(err.text[0]);
			continue;
		}
		accepted++;
		printed = text_of(&t);
		trace_release(&t);
		parse_or_fail(&t, printed);
		free(printed);
		trace_release(&t);
	}
	print_message("%u of %d accepted\n", accepted, NOISE_NR);
	assert_in_range(accepted, NOISE_NR / 100, NOISE_NR - NOISE_NR / 100);
}

static void test_trace_text__push_grows(void **state)
{
	struct trace t;

	(void)state;
	trace_init(&t);
	assert_int_equal(t.cfg.levels, CONFIG_UNSET);
	assert_int_equal(t.cfg.pgsizes, 0);
	for (uint64_t i = 0; i < 1000; i++)
		trace_push(&t, &(struct op){ .kind = OP_CUT, .iova = i });
	assert_int_equal(t.nr, 1000);
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(t.ops[i].iova, i);
	trace_release(&t);
	trace_release(&t);
	assert_int_equal(t.nr, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trace_text__ops),
		cmocka_unit_test(test_trace_text__equal_looks_at_what_the_kind_uses),
		cmocka_unit_test(test_trace_text__names),
		cmocka_unit_test(test_trace_text__files),
		cmocka_unit_test(test_trace_text__rejects_bad_files),
		cmocka_unit_test(test_trace_text__rejects_bad_ops),
		cmocka_unit_test(test_trace_text__rejects_nul_and_long_lines),
		cmocka_unit_test(test_trace_text__longest_op_fits),
		cmocka_unit_test(test_trace_text__random_round_trip),
		cmocka_unit_test(test_trace_text__noise_is_refused_or_reads_back),
		cmocka_unit_test(test_trace_text__push_grows),
	};

	if (argc > 1)
		rng = strtoull(argv[1], NULL, 0) | 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed %" PRIu64 "\n", rng);
	alarm(TIMEOUT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
