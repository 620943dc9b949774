/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_gen.c - the built-in generator: its failure sweeps reach every allocation of the operation that they are about and come to an end,
 * and the default mix is what rates are quoted for.
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
#include "../fuzzers/gen.h"

#define SEED UINT64_C(0x5eed)
#define SWEEP_OPS 1500
#define MIX_OPS 65536
#define MIX_DOMAIN_OPS 2048 /* as the benchmark's */

static struct exec x;

static void found(void *arg, const struct verdict *v, const struct op *op)
{
	static struct finding f;

	(void)arg;
	finding_make(&f, &x, v, op);
	print_error("%s", f.report);
	exit(1);
}

static void open_domain(const char *format, const char *config, unsigned defer)
{
	char text[400], err[300];
	struct trace_error error;
	struct config cfg;
	const char *why = "";

	snprintf(text, sizeof(text), "%s %s", format, config);
	assert_int_equal(config_parse(text, &cfg, &error), 0);
	if (defer)
		cfg.defer = 1;
	if (exec_resolve(&cfg, err, sizeof(err)))
		fail_msg("%s: %s", text, err);
	if (exec_open(&x, &cfg, &why))
		fail_msg("%s: %s", text, why);
}

/* Events of one kind in the log of the operation that has just run. */
static unsigned events_of(enum mem_event_kind kind)
{
	unsigned nr = 0;
	size_t i;

	for (i = 0; i < x.mem.view.events_nr; i++)
		nr += x.mem.view.events[i].kind == kind;
	return nr;
}

/* What the tries of one sweep have come to. */
struct tries {
	unsigned nr, failed, allocated, mapped;
};

static struct {
	unsigned sweeps, maps_rest, failed, mappings_failed;
} seen;

/* The sweep's operation has gone through. */
static void sweep_ended(const struct gen_sweep *s, const struct op *op, const struct tries *t)
{
	bool coherent = x.cfg.coherent;

	seen.sweeps++;
	seen.failed += t->failed;
	assert_int_equal(t->nr, t->failed + 1);
	if (op->kind == OP_MAP && s->rest) {
		/* Each table was made once, after it could not be had once and, where that is needed, could not be mapped once. */
		assert_int_equal(t->failed, coherent ? t->allocated : 2 * t->mapped);
		seen.maps_rest++;
		seen.mappings_failed += coherent ? 0 : t->mapped;
		return;
	}
	assert_int_equal(op->fail, t->failed + 1);
	if (op->kind == OP_CUT)
		assert_int_equal(t->failed, events_of(MEM_ALLOC) + events_of(MEM_DMA_MAP));
}

static void run_domain(uint64_t seed)
{
	struct tries t = { 0 };
	enum exec_status status;
	struct gen gen;
	struct op op;
	unsigned i;

	gen_init(&gen, seed, GEN_VARIED, &x.check.im, &x.check.hw);
	gen.sweeps = 512;
	for (i = 0; i < SWEEP_OPS; i++) {
		gen_next(&gen, &op);
		status = exec_op(&x, &op);
		if (!gen.sweep.left || op.kind != gen.sweep.op.kind)
			continue;
		/* A try: nothing else may be in its way. */
		assert_int_not_equal(status, EXEC_SKIPPED);
		if (op.fail == 1)
			memset(&t, 0, sizeof(t));
		assert_true(++t.nr <= GEN_SWEEP_TRIES_MAX);
		assert_int_equal(status == EXEC_REFUSED, events_of(MEM_ALLOC_FAIL));
		t.failed += status == EXEC_REFUSED;
		t.allocated += events_of(MEM_ALLOC);
		t.mapped += events_of(MEM_DMA_MAP);
		if (status == EXEC_DONE)
			sweep_ended(&gen.sweep, &op, &t);
	}
	exec_close(&x);
}

static void test_gen__sweeps_fail_every_allocation_once(void **state)
{
	unsigned i, k, defer;

	(void)state;
	print_message("seed 0x%llx\n", (unsigned long long)SEED);
	for (i = 0; engine_formats()[i]; i++) {
		for (k = 0; engine_formats()[i]->configs[k]; k++) {
			for (defer = 0; defer < 2; defer++) {
				open_domain(engine_formats()[i]->name, engine_formats()[i]->configs[k], defer);
				run_domain(SEED + 2 * k + defer);
			}
		}
	}
	print_message("%u sweeps, %u of maps that went on behind what they had made; %u failures, %u of DMA mappings\n", seen.sweeps,
		      seen.maps_rest, seen.failed, seen.mappings_failed);
	assert_true(seen.maps_rest > 0 && seen.mappings_failed > 0 && seen.failed > seen.sweeps / 4);
}

struct mix {
	unsigned splits, maps, unmaps, refused, failed;
};

static void run_mix(const char *format, uint64_t seed, struct mix *m)
{
	enum exec_status status;
	struct gen gen;
	struct op op;
	unsigned i;

	open_domain(format, "", 0);
	gen_init(&gen, seed, GEN_DEFAULT, &x.check.im, &x.check.hw);
	for (i = 0; i < MIX_DOMAIN_OPS; i++) {
		gen_next(&gen, &op);
		status = exec_op(&x, &op);
		m->refused += status == EXEC_REFUSED;
		m->failed += events_of(MEM_ALLOC_FAIL);
		m->splits += status == EXEC_DONE && op.kind == OP_CUT && x.mem.view.events_nr;
		m->maps += status == EXEC_DONE && op.kind == OP_MAP;
		m->unmaps += op.kind == OP_UNMAP && x.mem.view.events_nr;
	}
	exec_close(&x);
}

static void test_gen__default_mix_keeps_its_bounds(void **state)
{
	static const char *const formats[] = { "amdv1", "vtdss", "riscv64", "x86_64" };
	unsigned i, k;

	(void)state;
	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct mix m = { 0 };

		if (!engine_find(formats[i]))
			continue;
		for (k = 0; k < MIX_OPS; k += MIX_DOMAIN_OPS)
			run_mix(formats[i], SEED + k, &m);
		print_message("%s: of %u operations %u splits, %u maps, %u unmaps, %u refused, %u for want of memory\n", formats[i],
			      MIX_OPS, m.splits, m.maps, m.unmaps, m.refused, m.failed);
		assert_true(m.splits >= MIX_OPS / 4 && m.maps >= MIX_OPS * 35 / 100 && m.unmaps >= MIX_OPS * 15 / 100);
		assert_true(m.refused <= MIX_OPS / 10 && m.failed > 0);
	}
}

/* Nothing but what a page table's own random test does; half of it goes through. */
static void test_gen__baseline_is_map_and_unmap(void **state)
{
	unsigned i, k, done, kinds[OP_NR];
	struct gen gen;
	struct op op;

	(void)state;
	for (i = 0; engine_formats()[i]; i++) {
		done = 0;
		memset(kinds, 0, sizeof(kinds));
		open_domain(engine_formats()[i]->name, engine_formats()[i]->configs[0], 0);
		gen_init(&gen, SEED, GEN_BASELINE, &x.check.im, &x.check.hw);
		for (k = 0; k < MIX_DOMAIN_OPS; k++) {
			gen_next(&gen, &op);
			kinds[op.kind]++;
			assert_true(op.kind == OP_MAP || op.kind == OP_UNMAP);
			assert_true(!op.fail && !op.devices_nr && !op.thread);
			if (op.kind == OP_MAP) {
				assert_int_equal(op.prot, PROT_R | PROT_W);
				assert_int_equal((op.oa ^ op.iova) & ((UINT64_C(2) << (x.check.hw.oa_lg2 - 1)) - 1), 0);
			}
			done += exec_op(&x, &op) == EXEC_DONE;
		}
		exec_close(&x);
		assert_true(kinds[OP_MAP] > MIX_DOMAIN_OPS / 4 && kinds[OP_UNMAP] > MIX_DOMAIN_OPS / 4 && done > MIX_DOMAIN_OPS / 2);
	}
}

static int set_up(void **state)
{
	(void)state;
	return exec_init(&x, &exec_defaults, found, NULL);
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
		cmocka_unit_test(test_gen__sweeps_fail_every_allocation_once),
		cmocka_unit_test(test_gen__default_mix_keeps_its_bounds),
		cmocka_unit_test(test_gen__baseline_is_map_and_unmap),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
