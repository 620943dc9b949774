/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_judge.c - what the outside judges stand on: their children, what is read of their answers, and when two answers are the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../fuzzers/judge/judge_differ.h"
#include "../fuzzers/judge/judge_dma.h"
#include "../fuzzers/judge/judge_table.h"

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
}

static void test_judge__ram_lies_in_regions(void **state)
{
	static const struct qemu_region regions[] = { { 0, 0x10000, 0 }, { UINT64_C(1) << 32, 0x20000, 0x10000 } };
	struct qemu_ram ram;
	uint8_t *low, *high;

	(void)state;
	assert_int_equal(qemu_ram_init(&ram, regions, 2), 0);
	low = qemu_ram_at(&ram, 0xfff8, 8);
	high = qemu_ram_at(&ram, UINT64_C(1) << 32, 8);
	assert_non_null(low);
	assert_ptr_equal(high, low + 8);
	assert_null(qemu_ram_at(&ram, 0xfffc, 8));
	assert_null(qemu_ram_at(&ram, 0x10000, 1));
	assert_null(qemu_ram_at(&ram, (UINT64_C(1) << 32) + 0x20000, 1));
	assert_null(qemu_ram_at(&ram, UINT64_MAX, 1));
	qemu_ram_release(&ram);
}

static void test_judge__words_of_the_window_say_where_they_are(void **state)
{
	struct judge j = { .ops = &judge_arm };
	uint64_t at, oa, nr = 0;

	(void)state;
	for (at = 0; at < JUDGE_WINDOW_BYTES; at += 4 * 1021, nr++) {
		assert_true(judge_window_oa(&j, judge_word(judge_arm.window + at), &oa));
		assert_int_equal(oa, judge_arm.window + at);
	}
	assert_true(nr > 10000);
	assert_false(judge_window_oa(&j, 0, &oa));
	assert_false(judge_window_oa(&j, UINT32_MAX, &oa));
	assert_false(judge_window_oa(&j, judge_word(judge_arm.window + JUDGE_WINDOW_BYTES), &oa));
	assert_false(judge_window_oa(&j, judge_word(judge_arm.window - 4), &oa));
}

/* What was read where an access should have led into the window, or elsewhere. */
static void test_judge__landing_elsewhere_is_no_agreement(void **state)
{
	struct judge j = { .ops = &judge_arm };
	struct judge_ask due = { .ok = true, .has_oa = true, .oa = judge_arm.window + 0x1000, .type = JUDGE_TYPE_UNSEEN }, seen = due;

	(void)state;
	seen.oa_due = due.oa;
	judge_landed(&j, &seen, judge_word(due.oa));
	assert_true(judge_agrees(&due, &seen));
	judge_landed(&j, &seen, judge_word(due.oa + 4));
	assert_false(judge_agrees(&due, &seen));
	judge_landed(&j, &seen, 0);
	assert_false(judge_agrees(&due, &seen));
	/* Outside the window nothing can be told, unless it landed in it. */
	due.oa = seen.oa_due = UINT64_C(0x1234567000);
	judge_landed(&j, &seen, 0);
	assert_false(seen.has_oa);
	assert_true(judge_agrees(&due, &seen));
	judge_landed(&j, &seen, judge_word(judge_arm.window));
	assert_false(judge_agrees(&due, &seen));
}

static void test_judge__agreement(void **state)
{
	static const struct {
		struct judge_ask due, seen;
		bool agrees;
	} cases[] = {
		{ { .ok = false }, { .ok = false }, true },
		{ { .ok = false }, { .ok = true, .type = JUDGE_TYPE_UNSEEN }, false },
		{ { .ok = true }, { .ok = false }, false },
		{ { .ok = true, .oa = 5 }, { .ok = true, .has_oa = true, .oa = 5, .type = JUDGE_TYPE_UNSEEN }, true },
		{ { .ok = true, .oa = 5 }, { .ok = true, .has_oa = true, .oa = 6, .type = JUDGE_TYPE_UNSEEN }, false },
		{ { .ok = true, .oa = 5 }, { .ok = true, .has_oa = false, .oa = 6, .type = JUDGE_TYPE_UNSEEN }, true },
		{ { .ok = true, .type = PROT_MMIO }, { .ok = true, .type = PROT_MMIO }, true },
		{ { .ok = true, .type = PROT_MMIO }, { .ok = true, .type = PROT_CACHE }, false },
		{ { .ok = true, .type = 0 }, { .ok = true, .type = PROT_TYPE }, false },
		{ { .ok = true, .type = PROT_MMIO }, { .ok = true, .type = JUDGE_TYPE_UNSEEN }, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (judge_agrees(&cases[i].due, &cases[i].seen) != cases[i].agrees)
			fail_msg("case %zu", i);
}

static void test_judge__address_rejects_what_it_does_not_know(void **state)
{
	static const struct {
		const char *text;
		int ret;
		bool ok;
		uint64_t oa;
	} cases[] = {
		{ "gpa: 0x1234567000\r\n", 0, true, UINT64_C(0x1234567000) },
		{ "gpa: 0\r\n", 0, true, 0 },
		{ "Unmapped\r\n", 0, false, 0 },
		{ "", -EPROTO, false, 0 },
		{ "Unmapped here\r\n", -EPROTO, false, 0 },
		{ "gpa: 0x12 and more\r\n", -EPROTO, false, 0 },
		{ "No CPU available\r\n", -EPROTO, false, 0 },
	};
	struct judge j = { .ops = &judge_x86 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct judge_ask ask = { 0 };

		if (judge_address(&j, &ask, cases[i].text) != cases[i].ret)
			fail_msg("'%s'", cases[i].text);
		if (!cases[i].ret && (!ask.answered || ask.ok != cases[i].ok || (ask.ok && ask.oa != cases[i].oa)))
			fail_msg("'%s'", cases[i].text);
	}
}

static void test_judge__trace_rejects_what_it_does_not_know(void **state)
{
	static const struct {
		const char *line;
		bool known;
	} cases[] = {
		{ "Invalid read at addr 0x123400012344, size 4, region '(null)', reason: rejected", true },
		{ "Invalid access to non-RAM device at addr 0x412308, size 4, region '(null)'", true },
		{ "intel-hda: intel_hda_corb_run: [rp 0x11] verb 0xf2000040", true },
		{ "vtd_dmar_translate dev 00:03.00 iova 0x200000 -> gpa 0x8000000 mask 0x1fffff", true },
		{ "vtd_dmar_fault sid 0x18 fault 6 addr 0x40000000 write 1", true },
		{ "qemu-system-x86_64: New fault is not recorded due to compression of faults", true },
		{ "vtd_dmar_fault sid 0x18 fault 6 address 0x40000000 write 1", false },
		{ "vtd_dmar_fault sid 0x18 fault 6 addr 0x40000000 write 2", false },
		{ "vtd_dmar_translate dev 00:03.00 iova 0x200000 -> gpa 0x8000000", false },
		{ "Invalid read at address 0x40000000", false },
		{ "something new", false },
		{ "", false },
	};
	struct dma_seen seen = { .read_at = UINT64_MAX };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (dma_see(&seen, cases[i].line) != cases[i].known)
			fail_msg("'%s'", cases[i].line);
	assert_int_equal(seen.read_at, UINT64_C(0x123400012344));
	assert_int_equal(seen.verb, 0xf2000040);
	assert_int_equal(seen.translated, 1);
	assert_int_equal(seen.gpa, 0x8000000);
	assert_int_equal(seen.mask, 0x1fffff);
	assert_int_equal(seen.fault_write, 1);
	assert_int_equal(seen.fault_read, 0);
}

/* A difference explains what it is about and nothing beside it. */
static void test_judge__differences_are_narrow(void **state)
{
	struct judge j = { .ops = &judge_riscv };
	struct hw hw = { .cfg = { .format = "riscv64" } };
	struct walk bad = { .end = WALK_BAD, .why = "bits 60:54: reserved" }, other = { .end = WALK_BAD, .why = "W without R: reserved" };
	struct judge_change change = { .level = 0, .bit = 54, .after = &bad };
	struct judge_ask fault = { .ok = false }, ok = { .ok = true };

	(void)state;
	assert_true(judge_differ_find(&j, &hw, &change, &fault, &ok) >= 0);
	/* The other way round, another reason, another judge, a plain fault. */
	assert_int_equal(judge_differ_find(&j, &hw, &change, &ok, &fault), -1);
	change.after = &other;
	assert_int_equal(judge_differ_find(&j, &hw, &change, &fault, &ok), -1);
	change.after = &bad;
	j.ops = &judge_x86;
	assert_int_equal(judge_differ_find(&j, &hw, &change, &fault, &ok), -1);
	j.ops = &judge_riscv;
	change.after = &(struct walk){ .end = WALK_FAULT };
	assert_int_equal(judge_differ_find(&j, &hw, &change, &fault, &ok), -1);
}

static void test_judge__every_difference_names_who_decides(void **state)
{
	unsigned i, k;

	(void)state;
	assert_true(judge_differences_nr > 20);
	for (i = 0; i < judge_differences_nr; i++) {
		const struct judge_difference *d = &judge_differences[i];

		for (k = 0; judges[k] && strcmp(judges[k]->name, d->judge); k++)
			;
		if (!judges[k] || *d->reason != '[' || (!d->why && !d->bits))
			fail_msg("difference %u: %s %s", i, d->judge, d->reason);
	}
}

static const char *const silent[] = { "sh", "-c", "exec sleep 100", "sh", NULL };

static void test_judge__dead_child_is_told(void **state)
{
	static const char *const argv[] = { "sh", "-c", "echo last words >&2; exit 5", "sh", NULL };
	struct qemu q;

	(void)state;
	assert_int_not_equal(qemu_start(&q, "/bin/sh", argv, 1u << QEMU_QMP, NULL, -1), 0);
	assert_non_null(strstr(q.why, "status 5: last words"));
	assert_int_equal(q.pid, 0);
}

static void test_judge__silent_child_is_not_waited_for_long(void **state)
{
	struct qemu q;
	double start = qemu_now();

	(void)state;
	assert_int_equal(qemu_start(&q, "/bin/sh", silent, 1u << QEMU_QTEST | 1u << QEMU_GDB, NULL, -1), 0);
	q.wait_seconds = 0.3;
	assert_null(qemu_line(&q, QEMU_QTEST, false));
	assert_non_null(strstr(q.why, "no answer"));
	assert_int_not_equal(qemu_gdb(&q, "?", (char[8]){ 0 }, 8), 0);
	qemu_stop(&q);
	assert_true(qemu_now() - start < 20);
}

/* Whether a process is gone, or only its exit status is left. */
static bool gone(pid_t pid)
{
	char path[40], line[200] = "";
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	in = fopen(path, "r");
	if (!in)
		return true;
	if (!fgets(line, sizeof(line), in))
		*line = 0;
	fclose(in);
	return !*line || strstr(line, ") Z ") || strstr(line, ") X ");
}

static void test_judge__child_ends_with_its_parent(void **state)
{
	pid_t parent, child = 0;
	int ends[2], tries;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	parent = fork();
	if (!parent) {
		struct qemu q;

		if (qemu_start(&q, "/bin/sh", silent, 1u << QEMU_QTEST, NULL, -1) || write(ends[1], &q.pid, sizeof(q.pid)) != sizeof(q.pid))
			_exit(1);
		for (;;)
			pause();
	}
	assert_true(parent > 0);
	assert_int_equal(read(ends[0], &child, sizeof(child)), sizeof(child));
	assert_true(child > 1);
	assert_false(gone(child));
	kill(parent, SIGKILL);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	for (tries = 0; tries < 500 && !gone(child); tries++)
		nap();
	assert_true(gone(child));
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge__ram_lies_in_regions),
		cmocka_unit_test(test_judge__words_of_the_window_say_where_they_are),
		cmocka_unit_test(test_judge__landing_elsewhere_is_no_agreement),
		cmocka_unit_test(test_judge__agreement),
		cmocka_unit_test(test_judge__address_rejects_what_it_does_not_know),
		cmocka_unit_test(test_judge__trace_rejects_what_it_does_not_know),
		cmocka_unit_test(test_judge__differences_are_narrow),
		cmocka_unit_test(test_judge__every_difference_names_who_decides),
		cmocka_unit_test(test_judge__dead_child_is_told),
		cmocka_unit_test(test_judge__silent_child_is_not_waited_for_long),
		cmocka_unit_test(test_judge__child_ends_with_its_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
