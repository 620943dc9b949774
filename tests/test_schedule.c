/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_schedule.c - the report of a walk in flight that goes wrong: operations are played by hand, with one thing wrong in each, and the
 * lines that tell of it must come in this order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzzers/exec.h"
#include "../fuzzers/finding.h"
#include "../fuzzers/schedule.h"
#include "../oracle/walk.h"

#define AT UINT64_C(0x40000000)
#define OA UINT64_C(0x80000000)
#define LARGE UINT64_C(0x200000)
#define ELSEWHERE UINT64_C(0x123456000)

/* vtdss: a table pointer and a small leaf that may be read and written, a large one. */
#define POINTER(pa) ((pa) | 3)
#define SMALL(oa) ((oa) | 3)
#define BIG(oa) ((oa) | 0x83)

static struct exec x;
static sigjmp_buf caught;
static struct finding found;
static struct op op;

static void catch (void *arg, const struct verdict *v, const struct op *at)
{
	(void)arg;
	finding_make(&found, &x, v, at);
	siglongjmp(caught, 1);
}

/* A domain with [AT, AT + bytes) mapped, and the page after it elsewhere. */
static void open_domain(const char *text, uint64_t bytes)
{
	struct op beyond = { .kind = OP_MAP, .iova = AT + bytes, .last = AT + bytes + 0xfff, .oa = ELSEWHERE, .prot = PROT_R | PROT_W };
	struct op map = { .kind = OP_MAP, .iova = AT, .last = AT + bytes - 1, .oa = OA, .prot = PROT_R | PROT_W };
	struct trace_error err;
	struct config cfg;
	const char *why = "";
	char line[300];

	assert_int_equal(config_parse(text, &cfg, &err), 0);
	assert_int_equal(exec_resolve(&cfg, line, sizeof(line)), 0);
	assert_int_equal(exec_open(&x, &cfg, &why), 0);
	assert_int_equal(exec_op(&x, &map), EXEC_DONE);
	assert_int_equal(exec_op(&x, &beyond), EXEC_DONE);
}

/* The item that decides what AT translates to, or the one up levels above it. */
static uint64_t item_of(uint64_t iova, unsigned up)
{
	struct walk w;

	walk(&x.check.hw, &x.mem.view, x.check.root, x.check.root_level, iova, &w);
	return w.steps[w.nr - 1 - up].pa;
}

/* --- what is played --- */

static void link_table(uint64_t pa, uint64_t table, enum mem_order order)
{
	mem_store(&x.mem, pa, 3, POINTER(table), order);
}

/* The table is linked, and then filled. */
static void play_link_before_fill(void)
{
	uint64_t pa = item_of(AT, 0), table = mem_alloc(&x.mem, 4096, 12), old = BIG(OA);

	assert_true(mem_cas(&x.mem, pa, 3, &old, POINTER(table)));
	mem_fill(&x.mem, table, 3, 512, SMALL(OA), 12);
	mem_sync(&x.mem);
}

/* Filled, and then linked by a store that does not order the two. */
static void play_relaxed_link(void)
{
	uint64_t pa = item_of(AT, 0), table = mem_alloc(&x.mem, 4096, 12);

	mem_fill(&x.mem, table, 3, 512, SMALL(OA), 12);
	link_table(pa, table, MEM_RELAXED);
	mem_sync(&x.mem);
}

/* The table is written back after the pointer to it. */
static void play_late_flush(void)
{
	uint64_t pa = item_of(AT, 0), table = mem_alloc(&x.mem, 4096, 12);

	mem_fill(&x.mem, table, 3, 512, SMALL(OA), 12);
	mem_flush(&x.mem, pa, 8);
	link_table(pa, table, MEM_RELEASE);
	mem_flush(&x.mem, table, 4096);
	mem_flush(&x.mem, pa, 8);
	mem_sync(&x.mem);
}

/* The pointer is not written back at all. */
static void play_no_flush(void)
{
	uint64_t pa = item_of(AT, 0), table = mem_alloc(&x.mem, 4096, 12);

	mem_fill(&x.mem, table, 3, 512, SMALL(OA), 12);
	mem_flush(&x.mem, table, 4096);
	link_table(pa, table, MEM_RELEASE);
	mem_sync(&x.mem);
}

/* A table is freed while walks may still be on their way to it. */
static void play_early_free(void)
{
	uint64_t pa = item_of(AT, 1), table = x.check.hw.format->decode(&x.check.hw, 1, mem_load(&x.mem, pa, 3)).pa;

	mem_store(&x.mem, pa, 3, 0, MEM_RELAXED);
	mem_free(&x.mem, table);
	mem_sync(&x.mem);
}

/* The pointer is stored in two halves, the upper one last. */
static void play_halves(void)
{
	uint64_t pa = item_of(AT, 0), table = mem_alloc(&x.mem, 4096, 12), item = POINTER(table) | UINT64_C(1) << 52;

	mem_fill(&x.mem, table, 3, 512, SMALL(OA), 12);
	mem_store(&x.mem, pa, 2, 0, MEM_RELEASE);
	mem_store(&x.mem, pa + 4, 2, item >> 32, MEM_RELEASE);
	mem_store(&x.mem, pa, 2, (uint32_t)item, MEM_RELEASE);
	mem_sync(&x.mem);
}

/* The item goes to and fro many times, through another leaf; and then there are fences. */
static void play_long(void)
{
	uint64_t pa = item_of(AT, 0), table = mem_alloc(&x.mem, 4096, 12);
	unsigned i;

	mem_fill(&x.mem, table, 3, 512, SMALL(OA), 12);
	for (i = 0; i < 100; i++) {
		mem_fence(&x.mem);
		mem_store(&x.mem, pa, 3, BIG(OA + (i & 1) * LARGE), MEM_RELEASE);
	}
	link_table(pa, table, MEM_RELEASE);
	mem_sync(&x.mem);
}

/* A fill, two events since the items held what they held, gives the first what it held; the second goes wrong for a moment. */
static void play_second_item(void)
{
	uint64_t pa = item_of(AT, 0);

	mem_fill(&x.mem, pa, 3, 2, SMALL(OA), 12);
	mem_store(&x.mem, pa + 8, 3, SMALL(ELSEWHERE), MEM_RELAXED);
	mem_sync(&x.mem);
}

/* The top of an amdv1 domain grows: the device walks from it before it leads to what was there. */
static void play_early_root(void)
{
	uint64_t old = x.check.root, top = mem_alloc(&x.mem, 4096, 12);

	mem_top(&x.mem, top, 3);
	mem_store(&x.mem, top, 3, old | 1 | 3 << 9 | UINT64_C(3) << 61, MEM_RELAXED);
	mem_sync(&x.mem);
}

/* --- what is said about it --- */

#define LINES_MAX 14

static const struct tale {
	const char *name, *config;
	uint64_t bytes;
	enum op_kind kind;
	uint64_t iova;
	void (*play)(void);
	const char *lines[LINES_MAX]; /* in this order */
} tales[] = {
	{ "linked before filled",
	  "vtdss",
	  LARGE,
	  OP_CUT,
	  AT + LARGE / 2,
	  play_link_before_fill,
	  { "fault-window G2 vtdss cut L0 leaf>hole\nat operation 3: cut   0x40100000\niova 0x40000000: a walk in flight may see a fault\n",
	    "  before: oa 0x80000000 rw-, in a leaf of 2M\n  after:  oa 0x80000000 rw-, in a leaf of 4K\n", "table 0x102000, unchanged\n",
	    "  level 1, item at 0x103000 = 0x105003: table 0x105000\n    R=1 W=1 X=0 ",
	    "    version 2 of 2, stored by #2 (compare-exchange)\n    before the operation 0x80000083: 2M leaf, oa 0x80000000 rw-\n",
	    "  level 0, item at 0x105000 = 0x0: empty\n", "    version 2 of 3, zeroed when the table was allocated, #1\n",
	    "    after the operation  0x80000003: 4K leaf, oa 0x80000000 rw-\n", "the schedule: of 4 events",
	    "      #1  alloc             level 0 table 0x105000 [0x40000000, 0x401fffff], 4096 bytes of zeroes\n"
	    "      #2  compare-exchange  level 1 0x103000 [0x40000000, 0x401fffff]: 2M leaf, oa 0x80000000 rw- -> table 0x105000\n",
	    "     >>>  the walk reads    level 1 0x103000: table 0x105000, of #2\n"
	    "     >>>  the walk reads    level 0 0x105000: empty, of #1, before #3\n",
	    "      #3  fill, relaxed     level 0 0x105000 x 512 [0x40000000, 0x401fffff]: "
	    "empty -> 4K leaf, oa 0x80000000 to 0x801ff000 rw-\n",
	    "      #4  sync\n" } },
	{ "relaxed link",
	  "vtdss model=weak",
	  LARGE,
	  OP_CUT,
	  AT + LARGE / 2,
	  play_relaxed_link,
	  { "walks-data G2 vtdss cut L0 leaf>bad\n", "version 2 of 2, stored by #3 (store, relaxed)\n",
	    "  level 0, item at 0x105000: whatever this memory held\n    version 1 of 3, from before the table was allocated\n",
	    "#3  store, relaxed ", ">>>  the walk reads    level 1 0x103000: table 0x105000, of #3\n",
	    ">>>  the walk reads    level 0 0x105000: whatever is there; #1 came before #3, but nothing orders the two\n", "#4  sync\n" } },
	{ "written back too late",
	  "vtdss model=incoherent",
	  LARGE,
	  OP_CUT,
	  AT + LARGE / 2,
	  play_late_flush,
	  { "missing-flush G5 vtdss cut ", "#4  store, release ", ">>>  the walk reads    level 1 0x103000: table 0x105000, of #4\n",
	    "whatever is there; #1 is written back by #5, too late\n",
	    "#5  write-back        level 0 0x105000 x 512 [0x40000000, 0x401fffff]\n",
	    "#6  write-back        level 1 0x103000 [0x40000000, 0x401fffff]\n" } },
	{ "never written back",
	  "vtdss model=incoherent",
	  LARGE,
	  OP_CUT,
	  AT + LARGE / 2,
	  play_no_flush,
	  { "missing-flush G5 vtdss cut ",
	    "the operation has ended, and a device that does not snoop may still see oa 0x80000000 rw-, in a leaf of 2M\n",
	    "version 1 of 2, from before the operation\n    after the operation  0x105003: table 0x105000\n", "#4  store, release ",
	    "#5  sync\n", "the operation has ended\n",
	    ">>>  the walk reads    level 1 0x103000: 2M leaf, oa 0x80000000 rw-; #4 is not written back\n" } },
	{ "freed too early",
	  "vtdss",
	  0x1000,
	  OP_UNMAP,
	  AT,
	  play_early_free,
	  { "use-after-free G8 vtdss unmap L0 leaf>bad\n", "  after:  a fault\n",
	    ">>>  the walk reads    level 1 0x103000: table 0x104000, before #1\n",
	    "#1  store, relaxed    level 1 0x103000 [0x40000000, 0x401fffff]: table 0x104000 -> empty\n",
	    "#2  free              level 0 table 0x104000 [0x40000000, 0x401fffff], 4096 bytes\n",
	    ">>>  the walk goes to  level 0 table 0x104000, freed by #2\n", "#3  sync\n" } },
	{ "stored in halves",
	  "vtdss",
	  LARGE,
	  OP_CUT,
	  AT + LARGE / 2,
	  play_halves,
	  { "torn-entry G2 vtdss cut L1 leaf>hole\n",
	    "version 2 of 4, stored by #3 (store, release), which stores a part of the item\n"
	    "    before the operation 0x80000083: 2M leaf, oa 0x80000000 rw-\n    after the operation  0x10000000105003: table 0x105000\n",
	    "#3  store, release    bytes 0 to 3 of level 1 0x103000 [0x40000000, 0x401fffff]: 2M leaf, oa 0x80000000 rw- -> empty\n",
	    ">>>  the walk reads    level 1 0x103000: empty, of #3, before #4\n",
	    "#4  store, release    bytes 4 to 7 of level 1 0x103000 [0x40000000, 0x401fffff]: empty -> empty (0x0 -> "
	    "0x10000000000000)\n" } },
	{ "long",
	  "vtdss",
	  LARGE,
	  OP_CUT,
	  AT + LARGE / 2,
	  play_long,
	  { "wrong-oa G2 vtdss cut L1 leaf>leaf\n", "the schedule: of 204 events",
	    "level 1 0x103000: 2M leaf, oa 0x80200000 rw-, of #6, before #8\n", " more are left out\n" } },
	{ "the second of two",
	  "vtdss",
	  0x1000,
	  OP_UNMAP,
	  AT + 0x10000,
	  play_second_item,
	  { "wrong-oa G2 vtdss unmap L0 leaf>leaf\n", "iova 0x40001000: a walk in flight may see oa 0x80001000 rw-, in a leaf of 4K\n",
	    "  before and after: oa 0x123456000 rw-, in a leaf of 4K\n",
	    "  level 0, item at 0x104008 = 0x80001003: 4K leaf, oa 0x80001000 rw-\n",
	    "    version 2 of 3, stored by #2 (fill, goes on)\n    before the operation 0x123456003: 4K leaf, oa 0x123456000 rw-\n",
	    "      #2  fill, goes on     level 0 0x104008 [0x40001000, 0x40001fff]: 4K leaf, oa 0x123456000 rw- -> 4K leaf, oa 0x80001000 "
	    "rw-\n"
	    "     >>>  the walk reads    level 0 0x104008: 4K leaf, oa 0x80001000 rw-, of #2, before #3\n" } },
	{ "a root that leads nowhere",
	  "amdv1 levels=3",
	  0x1000,
	  OP_MAP,
	  UINT64_C(1) << 40,
	  play_early_root,
	  { "fault-window G2 amdv1 map ", "#2  root              level 3 table 0x104000 [0x0, 0xffffffffffff]\n",
	    ">>>  the walk starts   at the root of #2\n     >>>  the walk reads    level 3 0x104000: empty, of #1, before #3\n" } },
};

/* Play it to its finding, which the domain does not outlive. */
static void play(const struct tale *t)
{
	uint64_t last = t->kind == OP_CUT ? t->iova : t->iova + 0xfff;
	struct call call = { .kind = t->kind == OP_CUT     ? CALL_CUT
				     : t->kind == OP_UNMAP ? CALL_UNMAP
							   : CALL_MAP,
			     .iova = t->iova,
			     .last = last,
			     .oa = OA,
			     .prot = PROT_R };
	struct call_result res = { .granules = t->kind == OP_CUT || t->iova == AT + 0x10000 ? 0 : 1 };

	found.report[0] = '\0';
	open_domain(t->config, t->bytes);
	op = (struct op){ .kind = t->kind, .iova = t->iova, .last = last, .oa = OA, .prot = PROT_R };
	x.op = &op;
	x.ops_nr++;
	mem_begin_op(&x.mem, check_begin(&x.check, &call), 0);
	if (!sigsetjmp(caught, 0)) {
		t->play();
		check_called(&x.check, &call, &res);
	}
	exec_abandon(&x);
}

static void test_schedule__tells_what_went_wrong(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(tales) / sizeof(tales[0]); i++) {
		const struct tale *t = &tales[i];
		const char *at = found.report, *next;

		play(t);
		for (k = 0; k < LINES_MAX && t->lines[k]; k++, at = next) {
			next = strstr(at, t->lines[k]);
			if (!next) {
				fputs(found.report, stdout);
				fail_msg("%s: not in the report, or not in this place: %s", t->name, t->lines[k]);
			}
			next += strlen(t->lines[k]);
		}
	}
}

/* However much an operation does, its report is short, and fits where it is kept. */
static void test_schedule__stays_short(void **state)
{
	size_t i, lines;
	const char *at;

	(void)state;
	for (i = 0; i < sizeof(tales) / sizeof(tales[0]); i++) {
		play(&tales[i]);
		at = strstr(found.report, "the schedule: ");
		assert_non_null(at);
		for (lines = 0; (at = strchr(at, '\n')); at++)
			lines++;
		assert_in_range(lines, 2, 40);
		assert_in_range(strlen(found.report), 1, FINDING_REPORT_MAX - 2);
	}
}

/* A trace file holds the report as comments, and can be read again. */
static void test_schedule__is_kept_in_the_trace(void **state)
{
	struct trace_error err;
	struct trace t, again;
	size_t bytes;
	char *text;

	(void)state;
	play(&tales[0]);
	trace_init(&t);
	t.cfg = x.cfg;
	trace_push(&t, &op);
	text = finding_trace_text(&found, &t, &bytes);
	assert_non_null(strstr(text, "\n#      >>>  the walk reads    level 0 0x105000: empty, of #1, before #3\n"));
	assert_int_equal(trace_parse(&again, text, bytes, &err), 0);
	assert_int_equal(again.nr, 1);
	trace_release(&again);
	trace_release(&t);
	free(text);
}

static int set_up(void **state)
{
	(void)state;
	return exec_init(&x, &exec_defaults, catch, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	exec_release(&x);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schedule__tells_what_went_wrong),
		cmocka_unit_test(test_schedule__stays_short),
		cmocka_unit_test(test_schedule__is_kept_in_the_trace),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
