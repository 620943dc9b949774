/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_config_text.c - configurations as text: what is read, what it prints as, what is refused and why.
 *
 * Usage: test_config_text [SEED].
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

#include "../fuzzers/config_key.h"
#include "../fuzzers/op.h"
#include "random_op.h"

#define ARRAY_NR(a) (sizeof(a) / sizeof(*(a)))

enum { TIMEOUT_S = 60, RANDOM_NR = 20000 };

static uint64_t rng = 20240611;

static void expect_same(const struct config *a, const struct config *b)
{
	assert_string_equal(a->format, b->format);
	for (unsigned i = 0; i < CONFIG_KEYS_NR; i++) {
		if (config_get(a, &config_keys[i]) != config_get(b, &config_keys[i]))
			fail_msg("%s differs", config_keys[i].name);
	}
}

/* Every byte of struct config up to the last field is the format's or one key's. */
static void test_config_text__keys_cover_every_field(void **state)
{
	unsigned char owner[sizeof(struct config)] = { 0 };

	(void)state;
	memset(owner, 'f', sizeof(((struct config *)0)->format));
	for (unsigned i = 0; i < CONFIG_KEYS_NR; i++) {
		const struct config_key *key = &config_keys[i];

		for (unsigned n = 0; n < (key->kind == CONFIG_BITMAP ? 8 : 1); n++) {
			assert_int_equal(owner[key->offset + n], 0);
			owner[key->offset + n] = 'k';
		}
	}
	for (size_t n = 0; n <= offsetof(struct config, tables); n++)
		assert_int_not_equal(owner[n], 0);
	assert_int_equal(owner[sizeof(owner) - 1], 'k');
}

static void test_config_text__prints(void **state)
{
	static const struct {
		const char *text, *printed;
	} cases[] = {
		{ "amdv1", "amdv1" },
		{ "  amdv1\t ", "amdv1" },
		{ "armv8_4k stage=2 ias=40 oas=44 bbm=2 model=weak tlb=arm", "armv8_4k ias=40 oas=44 stage=2 bbm=2 model=weak tlb=arm" },
		{ "a1_ tiny=2", "a1_ tiny=2" },
		{ "abcdefghijklmno", "abcdefghijklmno" },
		{ "x sign=1 coherent=0 ad=yes napot=no pbmt=1 snp=0 lpa=yes negcache=no defer=1",
		  "x napot=no pbmt=yes sign=yes coherent=no ad=yes snp=no lpa=yes negcache=no defer=yes" },
		{ "x sign=0x1", "x sign=yes" },
		{ "x stage=0 cbit=0 tiny=0 half=0 bbm=0", "x stage=0 half=0 bbm=0 cbit=0 tiny=0" },
		{ "x pgsizes=2101248", "x pgsizes=0x201000" },
		{ "x pgsizes=0xFFFFFFFFFFFFF000", "x pgsizes=0xfffffffffffff000" },
		{ "x pgsizes=0x1000", "x pgsizes=0x1000" },
		{ "x ias=0x40 oas=0012 levels=6 cbit=63", "x levels=6 ias=64 oas=12 cbit=63" },
		{ "x model=strong tlb=generic tables=low", "x model=strong tlb=generic tables=low" },
		{ "x model=incoherent tlb=dart tables=limit", "x model=incoherent tlb=dart tables=limit" },
		{ "x tlb=amd", "x tlb=amd" },
		{ "x tlb=vtd", "x tlb=vtd" },
		{ "x tlb=riscv", "x tlb=riscv" },
		{ "x tlb=armv7s", "x tlb=armv7s" },
		{ "x tables=high", "x tables=high" },
		{ "x tables=straddle", "x tables=straddle" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_NR(cases); i++) {
		char buf[CONFIG_TEXT_MAX];
		struct trace_error err;
		struct config cfg, again;

		if (config_parse(cases[i].text, &cfg, &err))
			fail_msg("\"%s\": %s", cases[i].text, err.text);
		config_print(&cfg, buf, sizeof(buf));
		assert_string_equal(buf, cases[i].printed);
		assert_int_equal(config_parse(buf, &again, &err), 0);
		expect_same(&cfg, &again);
	}
}

static void test_config_text__leaves_the_rest_unset(void **state)
{
	struct trace_error err;
	struct config cfg;

	(void)state;
	assert_int_equal(config_parse("vtdss levels=4", &cfg, &err), 0);
	assert_string_equal(cfg.format, "vtdss");
	assert_int_equal(cfg.levels, 4);
	assert_int_equal(cfg.pgsizes, 0);
	for (unsigned i = 1; i < CONFIG_KEYS_NR; i++)
		assert_false(config_is_set(&cfg, &config_keys[i]));
	assert_int_equal(cfg.tiny, CONFIG_UNSET);
	assert_int_equal(cfg.tlb, CONFIG_UNSET);
}

static void test_config_text__rejects_bad_input(void **state)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{ "", "name of the format is missing" },
		{ " \t ", "name of the format is missing" },
		{ "AMDV1", "\"AMDV1\": the name of a format is expected" },
		{ "stage=2", "the name of a format is expected" },
		{ "amd-v1", "the name of a format is expected" },
		{ "[", "the name of a format is expected" },
		{ "caf\xc3\xa9", "\"caf??\": the name of a format" },
		{ "abcdefghijklmnop", "at most 15 characters" },
		{ "x foo=1", "\"foo=1\": there is no such key" },
		{ "x Stage=1", "no such key" },
		{ "x =1", "no such key" },
		{ "x stag=1", "no such key" },
		{ "x stagee=1", "no such key" },
		{ "x stage", "\"stage\": not of the form key=value" },
		{ "x stage = 2", "\"stage\": not of the form" },
		{ "x stage=", "stage takes 1 to 2" },
		{ "x stage=3", "stage takes 1 to 2, or 0 where there is no choice, not \"3\"" },
		{ "x stage=one", "not \"one\"" },
		{ "x stage=-1", "not \"-1\"" },
		{ "x stage=+1", "not \"+1\"" },
		{ "x stage=1.0", "not \"1.0\"" },
		{ "x stage=0x", "not \"0x\"" },
		{ "x stage=1=1", "not \"1=1\"" },
		{ "x stage=1,ias=40", "\",\": not of the form key=value" },
		{ "x stage=1 stage=1", "stage is given twice" },
		{ "x stage=1 ias=40 stage=2", "stage is given twice" },
		{ "x pgsizes=0x1000 pgsizes=0x1000", "pgsizes is given twice" },
		{ "x levels=0", "levels takes 1 to 6, not \"0\"" },
		{ "x levels=7", "levels takes 1 to 6" },
		{ "x ias=11", "ias takes 12 to 64" },
		{ "x ias=65", "ias takes 12 to 64" },
		{ "x ias=255", "ias takes 12 to 64" },
		{ "x ias=256", "ias takes 12 to 64" },
		{ "x ias=296", "ias takes 12 to 64" },                  /* 40 modulo 256 */
		{ "x ias=18446744073709551656", "ias takes 12 to 64" }, /* 40 modulo 2^64 */
		{ "x oas=0", "oas takes 12 to 64" },
		{ "x half=2", "half takes 0 to 1" },
		{ "x bbm=3", "bbm takes 0 to 2" },
		{ "x cbit=11", "cbit takes 12 to 63, or 0" },
		{ "x cbit=64", "cbit takes 12 to 63" },
		{ "x tiny=1", "tiny takes 2 to 4, or 0" },
		{ "x tiny=5", "tiny takes 2 to 4" },
		{ "x sign=2", "sign takes yes or no, not \"2\"" },
		{ "x ad=true", "ad takes yes or no" },
		{ "x defer=Yes", "defer takes yes or no" },
		{ "x napot=", "napot takes yes or no, not \"\"" },
		{ "x pbmt=ye", "pbmt takes yes" },
		{ "x coherent=255", "coherent takes yes" },
		{ "x snp=yess", "snp takes yes" },
		{ "x lpa=-", "lpa takes yes" },
		{ "x negcache=256", "negcache takes yes" },
		{ "x pgsizes=0", "pgsizes takes a bitmap" },
		{ "x pgsizes=0x800", "pgsizes takes a bitmap of page sizes of 2^12" },
		{ "x pgsizes=0x1800", "pgsizes takes" },
		{ "x pgsizes=4K", "pgsizes takes" },
		{ "x pgsizes=0x10000000000001000", "pgsizes takes" },
		{ "x model=tso", "model takes one of strong weak incoherent, not \"tso\"" },
		{ "x model=0", "model takes one of" },
		{ "x tlb=intel", "tlb takes one of generic amd vtd arm riscv armv7s dart, not" },
		{ "x tlb=ar", "tlb takes" },
		{ "x tables=middle", "tables takes one of low high straddle limit" },
		{ "x tables=", "tables takes" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_NR(cases); i++) {
		struct trace_error err = { .line = 77 };
		struct config cfg;

		if (!config_parse(cases[i].text, &cfg, &err))
			fail_msg("\"%s\" was accepted", cases[i].text);
		assert_int_equal(err.line, 0);
		if (!strstr(err.text, cases[i].reason))
			fail_msg("\"%s\": \"%s\", expected \"%s\"", cases[i].text, err.text, cases[i].reason);
	}
}

static void test_config_text__random_round_trip(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RANDOM_NR; i++) {
		char buf[CONFIG_TEXT_MAX], again_buf[CONFIG_TEXT_MAX];
		struct config cfg, again;
		struct trace_error err;

		random_config(&rng, "format_123456_x", &cfg);
		config_print(&cfg, buf, sizeof(buf));
		if (config_parse(buf, &again, &err))
			fail_msg("\"%s\": %s", buf, err.text);
		expect_same(&cfg, &again);
		config_print(&again, again_buf, sizeof(again_buf));
		assert_string_equal(buf, again_buf);
	}
}

/* The longest text fits CONFIG_TEXT_MAX; a buffer that is too small is cut off and terminated. */
static void test_config_text__print_stays_in_its_buffer(void **state)
{
	char buf[CONFIG_TEXT_MAX], small[CONFIG_TEXT_MAX + 8];
	struct config cfg;

	(void)state;
	memset(&cfg, 254, sizeof(cfg));
	cfg.model = MODEL_INCOHERENT;
	cfg.tlb = TLB_GENERIC;
	cfg.tables = TABLES_STRADDLE;
	config_print(&cfg, buf, sizeof(buf));
	assert_true(strlen(buf) + 1 < sizeof(buf));
	for (size_t n = 1; n < sizeof(buf); n++) {
		memset(small, 'Z', sizeof(small));
		config_print(&cfg, small, n);
		assert_true(strlen(small) < n);
		assert_memory_equal(small, buf, strlen(small));
		assert_int_equal(small[n], 'Z');
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config_text__keys_cover_every_field), cmocka_unit_test(test_config_text__prints),
		cmocka_unit_test(test_config_text__leaves_the_rest_unset),  cmocka_unit_test(test_config_text__rejects_bad_input),
		cmocka_unit_test(test_config_text__random_round_trip),      cmocka_unit_test(test_config_text__print_stays_in_its_buffer),
	};

	if (argc > 1)
		rng = strtoull(argv[1], NULL, 0) | 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed %" PRIu64 "\n", rng);
	alarm(TIMEOUT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
