/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_trace_bin.c - the binary form: whatever is written reads back, any bytes decode to something reasonable, and pinned bytes keep their
 * meaning. Operations are executed on the interval map alone; the geometries are filled in by hand.
 *
 * Usage: test_trace_bin [SEED].
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

#include "../fuzzers/trace_bin.h"
#include "random_op.h"

#define ARRAY_NR(a) (sizeof(a) / sizeof(*(a)))
#define TOP UINT64_MAX
#define BIT(n) (UINT64_C(1) << (n))

enum { TIMEOUT_S = 300, RANDOM_TRACES_NR = 500, RANDOM_OPS_NR = 64, MIX_OPS_NR = 40000 };

static uint64_t rng = 20240613;

/* x86_64 can say what enum prot describes for it: readable, no cache bit. */
static bool x86_expressible(const struct hw *hw, unsigned prot)
{
	(void)hw;
	return prot & PROT_R && !(prot & ~PROT_ALL) && !(prot & PROT_CACHE);
}

static const struct hw_format x86_like = { .name = "x86_64", .expressible = x86_expressible };

static const struct {
	const char *name;
	struct hw hw;
} geometries[] = {
	{ "sign",
	  { .format = &x86_like,
	    .has_low = true,
	    .has_high = true,
	    .has_dirty = true,
	    .iova_low_last = BIT(47) - 1,
	    .iova_high_first = -BIT(47),
	    .oa_lg2 = 52,
	    .leaf_sizes = BIT(12) | BIT(21) | BIT(30) } },
	{ "one_size",
	  { .has_low = true,
	    .iova_low_last = BIT(39) - 1,
	    .oa_lg2 = 40,
	    .leaf_sizes = BIT(12) | BIT(21) | BIT(30),
	    .cfg.pgsizes = BIT(12) } },
	{ "holes",
	  { .has_low = true,
	    .iova_low_last = BIT(48) - 1,
	    .oa_lg2 = 46,
	    .leaf_sizes = BIT(12) | BIT(21) | BIT(30),
	    .cfg.pgsizes = BIT(12) | BIT(30),
	    .has_dirty = true } },
	{ "every_size", { .has_low = true, .iova_low_last = TOP, .oa_lg2 = 52, .leaf_sizes = BIT(52) - BIT(12), .has_dirty = true } },
	{ "upper", { .has_high = true, .iova_high_first = -BIT(36), .oa_lg2 = 48, .leaf_sizes = BIT(14) | BIT(21) | BIT(25) | BIT(30) } },
	{ "short", { .has_low = true, .iova_low_last = BIT(32) - 1, .oa_lg2 = 32, .leaf_sizes = BIT(12) | BIT(16) | BIT(20) | BIT(24) } },
	{ "tiny",
	  { .has_low = true, .iova_low_last = BIT(20) - 1, .oa_lg2 = 40, .leaf_sizes = BIT(12) | BIT(13) | BIT(14) | BIT(16) | BIT(18) } },
	{ "tiny_sign",
	  { .has_low = true,
	    .has_high = true,
	    .iova_low_last = BIT(15) - 1,
	    .iova_high_first = -BIT(15),
	    .oa_lg2 = 44,
	    .leaf_sizes = BIT(12) | BIT(14),
	    .has_dirty = true } },
	{ "three_roots", { .has_low = true, .iova_low_last = 3 * BIT(36) - 1, .oa_lg2 = 36, .leaf_sizes = BIT(14) } },
	{ "flat",
	  { .has_low = true,
	    .has_high = true,
	    .iova_low_last = BIT(63) - 1,
	    .iova_high_first = BIT(63),
	    .oa_lg2 = 64,
	    .leaf_sizes = BIT(12) | BIT(63) } },
};

/* --- what an operation does to the map: the errors of engine.h, in their order --- */

static int map_error(const struct imap *im, const struct hw *hw, const struct op *op)
{
	uint64_t granule = BIT(pick_granule_lg2(hw)), oa_max = hw->oa_lg2 < 64 ? BIT(hw->oa_lg2) - 1 : TOP;
	bool map = op->kind == OP_MAP, range = map || op->kind == OP_UNMAP || op->kind == OP_DIRTY;
	uint64_t last = range ? op->last : op->iova;

	if (last < op->iova || (map && (!(op->prot & PROT_ACCESS) || op->prot & ~PROT_ALL)))
		return -EINVAL;
	if (!hw_iova_valid(hw, op->iova) || !hw_iova_valid(hw, last))
		return -ERANGE;
	if (hw->has_low && hw->has_high && op->iova <= hw->iova_low_last && last > hw->iova_low_last)
		return -ERANGE;
	if (map && (op->oa > oa_max || oa_max - op->oa < last - op->iova))
		return -ERANGE;
	if (op->kind <= OP_DIRTY && (op->iova % granule || (map && op->oa % granule) || (range && (last + 1) % granule)))
		return -ENXIO;
	if (map && hw->format && !hw->format->expressible(hw, op->prot))
		return -EOPNOTSUPP;
	if (op->kind == OP_DIRTY && !hw->has_dirty)
		return -EOPNOTSUPP;
	if ((op->kind == OP_CUT || op->kind == OP_TRANSLATE) && !imap_find(im, op->iova, NULL))
		return -ENOENT;
	return map && imap_overlaps(im, op->iova, last) ? -EADDRINUSE : 0;
}

static int execute(struct imap *im, const struct hw *hw, const struct op *op)
{
	int ret = op->kind == OP_SYNC ? 0 : map_error(im, hw, op);
	struct imap_piece piece = { .iova = op->iova, .last = op->last, .oa = op->oa, .prot = op->prot };

	if (ret)
		return ret;
	if (op->kind == OP_MAP)
		return imap_insert(im, &piece);
	if (op->kind == OP_CUT)
		return imap_split(im, op->iova);
	if (op->kind == OP_UNMAP && imap_find(im, op->iova, NULL))
		imap_remove(im, op->iova, op->last);
	return 0;
}

static const char *const test_configs[] = { "amdv1 levels=3 ias=40", "amdv1 tiny=2", "amdv1 model=weak defer=yes", NULL };

static const char *const *configs_of(const char *format)
{
	return strcmp(format, "amdv1") ? NULL : test_configs;
}

/* Every op of b, which has been opened, with what executing it gives. NULL-terminated text, to be freed. */
static char *decode_text(struct trace_bin *b, const struct hw *hw)
{
	char *text = NULL, line[OP_TEXT_MAX];
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	struct imap im;
	struct op op;

	assert_non_null(out);
	imap_init(&im);
	while (trace_bin_next(b, &im, hw, &op)) {
		op_print(&op, line);
		fprintf(out, "%s\n", line);
		execute(&im, hw, &op);
	}
	imap_release(&im);
	fclose(out);
	return text;
}

static void expect_same_trace(const struct trace *a, const struct trace *b)
{
	char text_a[CONFIG_TEXT_MAX], text_b[CONFIG_TEXT_MAX];

	config_print(&a->cfg, text_a, sizeof(text_a));
	config_print(&b->cfg, text_b, sizeof(text_b));
	assert_string_equal(text_a, text_b);
	assert_int_equal(a->nr, b->nr);
	for (size_t i = 0; i < a->nr; i++) {
		op_print(&a->ops[i], text_a);
		op_print(&b->ops[i], text_b);
		assert_string_equal(text_a, text_b);
		assert_true(op_equal(&a->ops[i], &b->ops[i]));
	}
}

static void read_back(const uint8_t *buf, size_t bytes, struct trace *t)
{
	const struct hw *hw = &geometries[0].hw;
	struct trace_error err;
	struct trace_bin b;
	struct imap im;
	struct op op;

	imap_init(&im);
	trace_init(t);
	assert_int_equal(trace_bin_strict(buf, bytes, &err), 0);
	trace_bin_open(&b, buf, bytes, configs_of);
	t->cfg = b.cfg;
	while (trace_bin_next(&b, &im, hw, &op))
		trace_push(t, &op);
	imap_release(&im);
}

/* --- tests --- */

static void test_trace_bin__what_is_written_reads_back(void **state)
{
	(void)state;
	for (unsigned n = 0; n < RANDOM_TRACES_NR; n++) {
		struct trace t, again;
		uint8_t *buf;
		size_t bytes;

		trace_init(&t);
		random_config(&rng, trace_formats[n % TRACE_FORMATS_NR], &t.cfg);
		for (unsigned i = 0; i < n % RANDOM_OPS_NR; i++)
			random_trace_push(&rng, &t);
		random_trace_end(&t);
		assert_int_equal(trace_bin_write(&t, &buf, &bytes), 0);
		read_back(buf, bytes, &again);
		expect_same_trace(&t, &again);
		free(buf);
		trace_release(&t);
		trace_release(&again);
	}
}

static void test_trace_bin__text_to_binary_to_text(void **state)
{
	static const char text[] =
		"hitless 1\nformat armv8_4k ias=40 oas=44 stage=2 bbm=2 model=weak tlb=arm\n"
		"map   0x40000000 -> 0xb40c0000000 +0x40000000 rw\ncut   0x40201000 fail=2\ncut   0x40201000 at 3 write 0x40200000\n"
		"unmap [0x2000, 0xfff]\nmap   [0x0, 0xffffffffffffffff] -> 0x1 - mmio bit6 bit7 fail=65535 at 65535 read "
		"0xffffffffffffffff\n"
		"dirty 0x40201000 +0x1000 clear\nwrite 0x40202000\nread  0x1\ntranslate 0xffffffffffffffff\nsync\n"
		"thread 3 cut   0x1 fail=2\nthread 1 translate 0x2\nswitch 1 at 0 to 3, 3 at 65535 to 1\nthread 2 unmap 0x1000 +0x1000\nswitch\n";
	struct trace t, again;
	struct trace_error err;
	char *out = NULL;
	uint8_t *buf;
	size_t bytes;
	FILE *f;

	(void)state;
	assert_int_equal(trace_parse(&t, text, sizeof(text) - 1, &err), 0);
	assert_int_equal(trace_bin_write(&t, &buf, &bytes), 0);
	assert_true(bytes < sizeof(text) / 2);
	read_back(buf, bytes, &again);
	f = open_memstream(&out, &bytes);
	trace_print(&again, f);
	fclose(f);
	assert_string_equal(out, text);
	free(out);
	free(buf);
	trace_release(&t);
	trace_release(&again);
}

static void test_trace_bin__write_rejects_what_has_no_form(void **state)
{
	uint8_t byte = 0, *buf = &byte;
	struct trace t;
	size_t bytes = 1;

	(void)state;
	trace_init(&t);
	strcpy(t.cfg.format, "sparc");
	assert_int_equal(trace_bin_write(&t, &buf, &bytes), -ENOENT);
	assert_null(buf);
	assert_int_equal(bytes, 0);
	strcpy(t.cfg.format, "dart");
	trace_push(&t, &(struct op){ .kind = OP_NR });
	assert_int_equal(trace_bin_write(&t, &buf, &bytes), -EINVAL);
	assert_null(buf);
	trace_release(&t);
}

/* The format byte is permanent. */
static void test_trace_bin__formats_keep_their_number(void **state)
{
	static const char *const names[] = {
		"amdv1", "vtdss", "armv8_4k", "riscv64", "x86_64", "armv8_16k", "armv8_64k", "armv7s", "dart"
	};

	(void)state;
	assert_true(TRACE_FORMATS_NR >= ARRAY_NR(names));
	for (size_t i = 0; i < ARRAY_NR(names); i++)
		assert_string_equal(trace_formats[i], names[i]);
}

static void test_trace_bin__headers(void **state)
{
	static const struct {
		const char *bytes;
		size_t nr;
		const char *config;
		unsigned rest;      /* bytes left for operations */
		const char *reason; /* of trace_bin_strict; NULL: accepted */
	} cases[] = {
		{ "", 0, "amdv1 levels=3 ias=40", 0, "starts with the bytes HTL" },
		{ "HTL\1\0\0", 6, "amdv1 levels=3 ias=40", 0, NULL },
		{ "HTL\1\0\1xy", 8, "amdv1 tiny=2", 2, NULL },
		{ "HTL\1\0\5", 6, "amdv1 defer=yes model=weak", 0, NULL },
		{ "HTL\1\0\xfe", 6, "amdv1 defer=yes model=weak", 0, NULL },
		{ "HTL\1\x09\1", 6, "amdv1 tiny=2", 0, "format number 9; this program knows 0 to 8" },
		{ "HTL\1\x08\1", 6, "dart", 0, NULL },
		{ "HTL\2\0\1z", 7, "amdv1 tiny=2", 1, NULL },
		{ "HTL\3\0\1z", 7, "amdv1 tiny=2", 1, "version 3 of the binary form is not known" },
		{ "HTL\0\0\1z", 7, "amdv1 tiny=2", 1, "version 0 of the binary form is not known" },
		{ "HTL", 3, "amdv1 levels=3 ias=40", 0, "ends within its header" },
		{ "HTL\1", 4, "amdv1 levels=3 ias=40", 0, "ends within its header" },
		{ "HTL\1\4", 5, "x86_64", 0, "ends within its header" },
		{ "\2\0", 2, "armv8_4k", 0, "starts with the bytes HTL" },
		{ "\0\1xyz", 5, "amdv1 tiny=2", 3, "starts with the bytes HTL" },
		{ "HT", 2, "amdv1 levels=3 ias=40", 0, "starts with the bytes HTL" }, /* 'H' is 0 modulo 9, 'T' 0 modulo 3 */
		{ "HTL\1\1\xff\0", 7, "vtdss", 0, NULL },
		{ "HTL\1\1\xff\1\4z", 9, "vtdss levels=4", 1, NULL },
		{ "HTL\1\1\xff\1\xff", 8, "vtdss levels=4", 0, NULL }, /* 255 is wrapped into 1 to 6 */
		{ "HTL\1\1\xff\x08\0", 8, "vtdss stage=0", 0, NULL },
		{ "HTL\1\1\xff\x08\3", 8, "vtdss stage=2", 0, NULL },
		{ "HTL\1\1\xff\x80\x80\x01\x80\x20", 11, "vtdss pgsizes=0x1000", 0, NULL },
		{ "HTL\1\1\xff\x80\x80\x01\xff\x0f", 11, "vtdss", 0, NULL },
		{ "HTL\1\1\xff\x80\x80\x40\3", 10, "vtdss tiny=3", 0, NULL },
		{ "HTL\1\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 16,
		  "vtdss levels=1 ias=12 oas=12 stage=0 half=0 bbm=0 napot=no pbmt=no sign=no coherent=no ad=no cbit=0 snp=no lpa=no "
		  "negcache=no "
		  "defer=no model=strong tlb=generic tables=low tiny=0",
		  0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_NR(cases); i++) {
		const uint8_t *buf = (const uint8_t *)cases[i].bytes;
		struct trace_error err = { .line = 77 };
		char text[CONFIG_TEXT_MAX];
		struct trace_bin b;
		int ret = trace_bin_strict(buf, cases[i].nr, &err);

		assert_int_equal(ret, cases[i].reason ? -EINVAL : 0);
		assert_int_equal(err.line, 0);
		if (cases[i].reason && !strstr(err.text, cases[i].reason))
			fail_msg("case %zu: %s; expected %s", i, err.text, cases[i].reason);
		trace_bin_open(&b, buf, cases[i].nr, configs_of);
		config_print(&b.cfg, text, sizeof(text));
		assert_string_equal(text, cases[i].config);
		assert_int_equal(b.end - b.at, cases[i].rest);
	}
}

static void test_trace_bin__without_configs_or_with_bad_ones(void **state)
{
	static const uint8_t buf[] = { 'H', 'T', 'L', 1, 0, 1 };
	char text[CONFIG_TEXT_MAX];
	struct trace_bin b;

	(void)state;
	trace_bin_open(&b, buf, sizeof(buf), NULL);
	config_print(&b.cfg, text, sizeof(text));
	assert_string_equal(text, "amdv1");
	trace_bin_open(&b, NULL, 0, NULL);
	config_print(&b.cfg, text, sizeof(text));
	assert_string_equal(text, "amdv1");
}

/*
 * Random bytes of every length decode, each op from at least one byte, to what prints and reads back. The literal configuration too is one
 * that the text form takes.
 */
static void test_trace_bin__any_bytes_decode(void **state)
{
	unsigned ops = 0;

	(void)state;
	for (unsigned n = 0; n < 3000; n++) {
		const struct hw *hw = &geometries[n % ARRAY_NR(geometries)].hw;
		size_t bytes = n < 300 ? n : random_below(&rng, 2000), i;
		uint8_t *buf = malloc(bytes);
		struct trace_error err;
		struct trace_bin b;
		char text[400];
		struct config cfg;
		struct imap im;
		struct op op;

		for (i = 0; i < bytes; i++)
			buf[i] = random_u64(&rng) >> 56;
		if (n % 3 == 0 && bytes >= 6)
			memcpy(buf, n % 2 ? "HTL\1\1\xff" : "HTL\1\0\1", 6);
		trace_bin_open(&b, buf, bytes, configs_of);
		config_print(&b.cfg, text, sizeof(text));
		assert_int_equal(config_parse(text, &cfg, &err), 0);
		imap_init(&im);
		for (i = 0; trace_bin_next(&b, &im, hw, &op); i++) {
			struct trace t;
			size_t head = sprintf(text, "hitless 1\nformat x\n");

			op_print(&op, text + head);
			if (trace_parse(&t, text, strlen(text), &err))
				fail_msg("%s: %s", text + head, err.text);
			assert_true(op_equal(&op, &t.ops[0]));
			trace_release(&t);
			execute(&im, hw, &op);
		}
		assert_true(i <= bytes);
		assert_true(b.at == b.end);
		ops += i;
		imap_release(&im);
		free(buf);
	}
	print_message("%u operations\n", ops);
	assert_true(ops > 100000);
}

/* Rounds of whichever bytes, pushed as one_input_run pushes them, are a trace that prints and reads back. */
static void test_trace_bin__any_rounds_read_back(void **state)
{
	unsigned rounds = 0, switches = 0;

	(void)state;
	for (unsigned n = 0; n < 3000; n++) {
		uint8_t buf[300] = { 'H', 'T', 'L', 2, 1, 0 };
		struct trace t, again;
		struct trace_error err;
		struct trace_bin b;
		size_t i, bytes;
		struct imap im;
		struct op op;
		char *text;
		FILE *out;

		/* Cuts of some writer, and switches between some. */
		for (i = 6; i + 7 <= sizeof(buf); i += 5) {
			bool cut = random_below(&rng, 3);

			buf[i] = 0xf8 | OP_SYNC;
			buf[i + 1] = cut ? 1 + random_below(&rng, 3) : 4;
			buf[i + 2] = cut ? 0xf8 | OP_CUT : 1;
			buf[i + 3] = random_below(&rng, 9);
			buf[i + 4] = cut ? 0 : random_below(&rng, 20);
		}
		trace_bin_open(&b, buf, sizeof(buf), configs_of);
		trace_init(&t);
		t.cfg = b.cfg;
		imap_init(&im);
		while (trace_bin_next(&b, &im, &geometries[0].hw, &op))
			trace_push_whole(&t, &op);
		t.nr -= ops_waiting(t.ops, t.nr);
		out = open_memstream(&text, &bytes);
		trace_print(&t, out);
		fclose(out);
		if (trace_parse(&again, text, bytes, &err))
			fail_msg("line %u: %s in\n%s", err.line, err.text, text);
		assert_int_equal(again.nr, t.nr);
		for (i = 0; i < t.nr; i++) {
			assert_true(op_equal(&t.ops[i], &again.ops[i]));
			rounds += t.ops[i].kind == OP_SWITCH;
			switches += t.ops[i].kind == OP_SWITCH ? t.ops[i].switches_nr : 0;
		}
		trace_release(&again);
		trace_release(&t);
		imap_release(&im);
		free(text);
	}
	print_message("%u rounds, %u switches\n", rounds, switches);
	assert_true(rounds > 1000 && switches > 1000);
}

/* The same bytes with the same executions before mean the same. */
static void test_trace_bin__is_deterministic(void **state)
{
	uint8_t buf[2000];

	(void)state;
	for (unsigned n = 0; n < 4 * ARRAY_NR(geometries); n++) {
		const struct hw *hw = &geometries[n % ARRAY_NR(geometries)].hw;
		struct trace_bin b;
		char *first, *second;

		for (size_t i = 0; i < sizeof(buf); i++)
			buf[i] = random_u64(&rng) >> 56;
		trace_bin_open(&b, buf, sizeof(buf), configs_of);
		first = decode_text(&b, hw);
		trace_bin_open(&b, buf, sizeof(buf), configs_of);
		second = decode_text(&b, hw);
		assert_string_equal(first, second);
		free(first);
		free(second);
	}
}

/* How many leaves of the greedy layout lie in a range: one by one, largest first. */
static uint64_t leaves_slowly(const struct hw *hw, uint64_t iova, uint64_t last, uint64_t oa)
{
	uint64_t sizes = hw->cfg.pgsizes & hw->leaf_sizes ? hw->cfg.pgsizes & hw->leaf_sizes : hw->leaf_sizes, nr = 0;

	while (iova <= last) {
		unsigned lg2 = 63;

		while (!(sizes >> lg2 & 1) || (iova | oa) & (BIT(lg2) - 1) || last - iova < BIT(lg2) - 1)
			lg2--;
		nr++;
		oa += BIT(lg2);
		iova += BIT(lg2);
		if (!iova)
			break;
	}
	return nr;
}

static void test_trace_bin__leaves_agree_with_counting(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 20000; n++) {
		const struct hw *hw = &geometries[n % ARRAY_NR(geometries)].hw;
		unsigned lg2 = pick_granule_lg2(hw), align = random_below(&rng, 40);
		uint64_t granules = 1 + random_below(&rng, 1u << random_below(&rng, 13));
		uint64_t iova = random_u64(&rng) << (lg2 + random_below(&rng, 64 - lg2)), last = iova + (granules << lg2) - 1;
		uint64_t oa = ((random_u64(&rng) << align) & ~(BIT(lg2) - 1)) + (random_below(&rng, 4) ? iova : 0);

		if (last < iova)
			continue;
		if (pick_leaves(hw, iova, last, oa) != leaves_slowly(hw, iova, last, oa))
			fail_msg("%s: [0x%" PRIx64 ", 0x%" PRIx64 "] -> 0x%" PRIx64 ": %" PRIu64 ", expected %" PRIu64,
				 geometries[n % ARRAY_NR(geometries)].name, iova, last, oa, pick_leaves(hw, iova, last, oa),
				 leaves_slowly(hw, iova, last, oa));
	}
	assert_int_equal(pick_leaves(&geometries[0].hw, 0x2000, 0xfff, 0), 0);
	assert_int_equal(pick_leaves(&geometries[0].hw, 0, TOP, 0), BIT(34));
	assert_int_equal(pick_leaves(&geometries[9].hw, 0, TOP, 0), 2);
	assert_int_equal(pick_leaves(&geometries[9].hw, 0, TOP, 0x1000), BIT(52));
}

/*
 * These bytes must keep meaning these operations: old inputs and corpora depend on it. Should a change of pick.c be worth it, the failure
 * prints what they mean now.
 */
static const uint8_t pinned[] = {
	0x48, 0x54, 0x4c, 0x01, 0x04, 0xff, 0x03, 0x04, 0x30, 0xf8, 0x80, 0x80, 0x80, 0x80, 0x04, 0xff, 0xff, 0xff, 0xff, 0x03, 0x80,
	0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0x03, 0x00, 0xf9, 0x80, 0xa0, 0x84, 0x80, 0x04, 0x11, 0x02, 0x07, 0x80, 0x80, 0x80, 0x80,
	0x04, 0x00, 0x82, 0xb7, 0x0e, 0xee, 0x7f, 0x1a, 0x50, 0x39, 0xbe, 0x14, 0xf0, 0x7e, 0xc2, 0x34, 0x7f, 0x06, 0x6e, 0xd0, 0x8f,
	0x28, 0x5d, 0xc7, 0x51, 0x24, 0x47, 0xe3, 0x40, 0x43, 0x00, 0x35, 0x02, 0x6b, 0x6e, 0x54, 0x55, 0x94, 0xa0, 0x65, 0x68, 0x46,
	0x5d, 0x64, 0xc4, 0x98, 0x0b, 0xb8, 0xd4, 0x54, 0x4a, 0x5e, 0x87, 0x21, 0xa9, 0x9a, 0x01, 0xad, 0x21, 0x9e, 0xb5, 0x0c, 0x9c,
	0xf6, 0xa1, 0x5e, 0xf6, 0xf1, 0x5a, 0x1d, 0x83, 0x6d, 0x0b, 0xb7, 0xce, 0x09, 0xd6, 0xbb, 0xc0, 0x04, 0xe7, 0xc9, 0x17, 0x5c,
	0x64, 0x3c, 0x7d, 0xec, 0xb0, 0xb5, 0x80, 0xd4, 0xec, 0x37, 0xbc, 0x97, 0x12, 0xdd, 0x2e, 0x6a, 0xae, 0xe4, 0xb9, 0x4b, 0xae,
	0x8d, 0x2f, 0x9f, 0xa2, 0x9c, 0x5a, 0x77, 0x28, 0x4c, 0x9e, 0xf7, 0x52, 0x18, 0x29, 0xcf, 0x10, 0xf0, 0x79, 0xb0, 0x80, 0xe9,
	0xd7, 0x4a, 0x1c, 0x10, 0xfc, 0xf2, 0xab, 0x6a, 0x42, 0x43, 0xd3, 0x36, 0x56, 0xde, 0xbe, 0xf4, 0x4c, 0x1e, 0xd7, 0x96, 0x48,
	0xe8, 0x56, 0xe8, 0xf9, 0x86, 0xa2, 0xf5, 0x8c, 0x95, 0xf0, 0xce, 0x4b, 0x39, 0xc1, 0x9b, 0x5b, 0xff, 0xad, 0x5c, 0x2d, 0xfb,
	0x8b, 0xb8, 0x20, 0xaf, 0xb6, 0x11, 0x9c, 0xba, 0x8f, 0xf8, 0x87, 0x96, 0xae, 0x00, 0x5b, 0x05, 0xf2, 0x80, 0xa6, 0x8c, 0xed,
	0x93, 0xb6, 0x14, 0xb2, 0x8c, 0xb0, 0xd1, 0xb3, 0x58, 0xe6, 0xba, 0xab, 0x25, 0x48, 0x55, 0x65, 0xb9, 0xf4, 0x90, 0x28, 0xd5,
	0x57, 0x06, 0xd7, 0x9a, 0x8a, 0x0e, 0x64, 0x51, 0xe1, 0x5c, 0x70, 0x39, 0x5c, 0x15, 0xf1, 0x73, 0x54, 0x1b, 0x44, 0x38, 0xa2,
	0xd1, 0x5c, 0xf7, 0x63, 0x12, 0xd4, 0xee, 0xb3, 0xc2, 0x24, 0xcb, 0x68, 0x79, 0xbf, 0x00, 0xb3, 0xcf, 0x8e, 0xd1, 0x3a, 0x18,
	0xbf, 0x12, 0x9a, 0x30, 0x97, 0xad, 0x96, 0xb4, 0x42, 0x0a, 0xd6, 0xd1, 0xbd, 0xef, 0x48, 0x50, 0xc3, 0xf4, 0x65,
};

static const char pinned_text[] =
	"map   0x40000000 -> 0x40000000000 +0x40000000 rw\n"
	"cut   0x40011000 fail=2 at 3 write 0x40000000\n"
	"map   0xffff800000000000 -> 0x2000000000000 +0x200000 rw\n"
	"map   0xba5000000 -> 0x2000000201000 +0x350000 rw bit6\n"
	"map   0x80000000 -> 0xffffffffd4000 +0x2c000 rw\n"
	"unmap 0x40000000 +0x11000\n"
	"cut   0xffff800000005000 fail=5\n"
	"dirty 0x80000000 +0xc00000 clear\n"
	"read  0xffff800000002000\n"
	"cut   0xffff80000000d000\n"
	"cut   0x7fff3000 fail=182\n"
	"map   0xffff800040000000 -> 0x4000000000000 +0xffff3000 rx priv\n"
	"cut   0xffff8000eba79000\n"
	"map   0x8002c000 -> 0x2000006c01000 +0x1000 rw\n"
	"map   [0xffff800000200000, 0xfff] -> 0x2000006e00000 rw mmio priv\n"
	"map   0x0 -> 0x4000100000000 +0x40000000 r\n"
	"map   0xffff80013fff3000 -> 0x400017fff3000 +0x40000000 r\n"
	"map   0xffffffb180000000 -> 0x10000000000000 +0x4e80000000 rw\n"
	"map   0x10ff000000 -> 0x2000007000000 +0x200000 rw\n"
	"unmap 0x7fffe000 +0x2000\n"
	"read  0x800031b0\n"
	"map   0x7ffffffff000 -> 0x2000007200000 +0x1000 rw\n"
	"cut   0x7ffeb000\n"
	"unmap 0x0 +0x40000000\n"
	"cut   0xffff800080001000\n"
	"cut   0xffff800042966000\n"
	"map   0xffff80017fff3000 -> 0x40001bfff3000 +0x40001000 r mmio priv\n"
	"sync\n"
	"map   0xffff8001bfff4000 -> 0x20000075f4000 +0x200000 rw\n"
	"cut   0x80015000\n"
	"cut   0xffff8000413f0000\n"
	"map   0x0 -> 0x0 +0x1f5000 rw\n";

static void test_trace_bin__pinned_bytes_keep_their_meaning(void **state)
{
	char config[CONFIG_TEXT_MAX];
	struct trace_bin b;
	char *text;

	(void)state;
	trace_bin_open(&b, pinned, sizeof(pinned), configs_of);
	config_print(&b.cfg, config, sizeof(config));
	assert_string_equal(config, "x86_64 levels=4 ias=48");
	text = decode_text(&b, &geometries[0].hw);
	if (strcmp(text, pinned_text))
		printf("%s", text);
	assert_string_equal(text, pinned_text);
	free(text);
}

struct mix {
	unsigned ops, refused, bad, maps, splits, cuts, unmaps, huge, identity, reused;
	uint64_t map_leaves;
};

static bool oa_in_use(const struct imap *im, const struct op *op)
{
	for (size_t n = 0; n < im->nr && n < 200; n++) {
		const struct imap_piece *piece = imap_nth(im, n);

		if (piece->oa <= op->oa + (op->last - op->iova) && op->oa <= piece->oa + (piece->last - piece->iova))
			return true;
	}
	return false;
}

static void count_op(struct mix *mix, struct imap *im, const struct hw *hw, const struct op *op)
{
	const struct imap_piece *at = imap_find(im, op->iova, NULL);
	bool inside = at && at->iova != op->iova, in_use = op->kind == OP_MAP && op->last >= op->iova && oa_in_use(im, op);
	uint64_t leaves = op->kind == OP_MAP ? pick_leaves(hw, op->iova, op->last, op->oa) : 0;
	int ret = execute(im, hw, op);

	mix->ops++;
	mix->refused += ret != 0;
	mix->bad += ret == -EINVAL || ret == -ERANGE || ret == -ENXIO;
	mix->cuts += op->kind == OP_CUT;
	if (ret)
		return;
	mix->maps += op->kind == OP_MAP;
	mix->splits += op->kind == OP_CUT && inside;
	mix->unmaps += op->kind == OP_UNMAP && at;
	if (op->kind != OP_MAP)
		return;
	mix->map_leaves += leaves;
	mix->huge += leaves > PICK_LEAVES_MAX;
	mix->identity += op->iova == op->oa;
	mix->reused += in_use;
}

static void test_trace_bin__random_bytes_are_mostly_valid(void **state)
{
	(void)state;
	print_message("%-12s %6s %7s %5s %6s %6s %6s %7s %8s %6s\n", "geometry", "pieces", "refused", "bad", "maps", "splits", "unmaps",
		      "leaves/map", "identity", "reused");
	for (unsigned g = 0; g < ARRAY_NR(geometries); g++) {
		const struct hw *hw = &geometries[g].hw;
		bool tiny = hw->has_low && hw->iova_low_last < BIT(24);
		size_t bytes = MIX_OPS_NR * 8;
		uint8_t *buf = malloc(bytes);
		struct mix mix = { 0 };
		struct trace_bin b;
		struct imap im;
		struct op op;

		for (size_t i = 0; i < bytes; i++)
			buf[i] = random_u64(&rng) >> 56;
		imap_init(&im);
		trace_bin_open(&b, buf, bytes, configs_of);
		while (trace_bin_next(&b, &im, hw, &op))
			count_op(&mix, &im, hw, &op);
		print_message("%-12s %6zu %6.1f%% %4.1f%% %5.1f%% %5.1f%% %5.1f%% %7.1f %7.2f%% %5.2f%%\n", geometries[g].name, im.nr,
			      100.0 * mix.refused / mix.ops, 100.0 * mix.bad / mix.ops, 100.0 * mix.maps / mix.ops,
			      100.0 * mix.splits / mix.ops, 100.0 * mix.unmaps / mix.ops, (double)mix.map_leaves / mix.maps,
			      100.0 * mix.identity / mix.maps, 100.0 * mix.reused / mix.maps);
		assert_true(mix.ops > MIX_OPS_NR / 2);
		assert_true(mix.bad * 100 < mix.ops * 8);
		assert_true(mix.refused * 100 < mix.ops * (tiny ? 40 : 20));
		assert_true(mix.maps * 100 > mix.ops * (tiny ? 5 : 20));
		/* Where the next smaller size is far below, most cuts would make too many leaves. */
		assert_true(mix.splits * 200 > mix.ops * (!strcmp(geometries[g].name, "holes") ? 1 : tiny ? 6 : 16));
		assert_true(mix.unmaps * 100 > mix.ops * 6);
		assert_int_equal(mix.huge, 0);
		imap_release(&im);
		free(buf);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trace_bin__formats_keep_their_number),
		cmocka_unit_test(test_trace_bin__headers),
		cmocka_unit_test(test_trace_bin__without_configs_or_with_bad_ones),
		cmocka_unit_test(test_trace_bin__what_is_written_reads_back),
		cmocka_unit_test(test_trace_bin__text_to_binary_to_text),
		cmocka_unit_test(test_trace_bin__write_rejects_what_has_no_form),
		cmocka_unit_test(test_trace_bin__any_bytes_decode),
		cmocka_unit_test(test_trace_bin__any_rounds_read_back),
		cmocka_unit_test(test_trace_bin__is_deterministic),
		cmocka_unit_test(test_trace_bin__pinned_bytes_keep_their_meaning),
		cmocka_unit_test(test_trace_bin__leaves_agree_with_counting),
		cmocka_unit_test(test_trace_bin__random_bytes_are_mostly_valid),
	};

	if (argc > 1)
		rng = strtoull(argv[1], NULL, 0) | 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed %" PRIu64 "\n", rng);
	alarm(TIMEOUT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
