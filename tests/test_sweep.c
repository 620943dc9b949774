/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_sweep.c - the sweep's short cut rests on one property of every format: the item whose oa is one item's span further is the raw item plus a
 * step. Here it is held against the decoder, for every configuration, every level that holds leaves and every memory type, up to the carry.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../fuzzers/exec.h"
#include "../oracle/walk.h"

static struct exec x;
static uint64_t compared;

static void catch(void *arg, const struct verdict *v, const struct op *op)
{
	(void)arg;
	(void)op;
	fail_msg("%s: %s", x.cfg.format, v->text);
}

/* The item of a leaf that was mapped, and those that follow it by one step each. */
static void follow_steps(uint64_t iova)
{
	const struct hw *hw = &x.check.hw;
	const struct walk_step *s;
	struct walk w;
	uint64_t i, span;

	walk(hw, &x.mem.view, x.check.root, x.check.root_level, iova, &w);
	assert_int_equal(w.end, WALK_LEAF);
	s = &w.steps[w.nr - 1];
	span = UINT64_C(1) << hw->item_lg2[s->level];
	if (s->entry.size_lg2 != hw->item_lg2[s->level])
		return;
	for (i = 1; i < 64; i++) {
		struct hw_entry e = hw->format->decode(hw, s->level, s->raw + (i << hw->oa_step_lg2[s->level]));

		if (hw->oa_carry_lg2 < 64 && (s->entry.pa + i * span) >> hw->oa_carry_lg2 != s->entry.pa >> hw->oa_carry_lg2)
			break;
		if ((s->entry.pa + i * span) >> hw->oa_lg2)
			break;
		if (e.kind != HW_LEAF || e.pa != s->entry.pa + i * span || e.prot != s->entry.prot || e.size_lg2 != s->entry.size_lg2 ||
		    e.dirty != s->entry.dirty || e.accessed != s->entry.accessed)
			fail_msg("%s level %u: item 0x%llx and %llu steps: oa 0x%llx, expected 0x%llx", hw->format->name, s->level,
				 (unsigned long long)s->raw, (unsigned long long)i, (unsigned long long)e.pa,
				 (unsigned long long)(s->entry.pa + i * span));
		compared++;
	}
}

/* One leaf of each size and with each memory type that the configuration has, at several oas. */
static void follow_config(const struct config *cfg)
{
	static const unsigned prots[] = { PROT_R, PROT_R | PROT_W, PROT_R | PROT_X, PROT_R | PROT_CACHE, PROT_R | PROT_W | PROT_MMIO, PROT_R | PROT_PRIV };
	const char *why = "";
	unsigned size_lg2, i, k;

	assert_int_equal(exec_open(&x, cfg, &why), 0);
	for (size_lg2 = 0; size_lg2 < cfg->oas; size_lg2++) {
		for (i = 0; cfg->pgsizes >> size_lg2 & 1 && i < sizeof(prots) / sizeof(prots[0]) * 3; i++) {
			uint64_t iova = x.check.hw.has_low ? 0 : x.check.hw.iova_high_first, last = iova + (UINT64_C(1) << size_lg2) - 1;
			uint64_t oas[] = { 0, UINT64_C(1) << (cfg->oas - 1), (UINT64_C(1) << (cfg->oas - 1)) - (UINT64_C(1) << size_lg2) };
			struct op map = { .kind = OP_MAP, .iova = iova, .last = last, .oa = oas[i % 3], .prot = (uint8_t)prots[i / 3] };
			struct op unmap = { .kind = OP_UNMAP, .iova = iova, .last = last };

			k = exec_op(&x, &map);
			if (k == EXEC_DONE) {
				follow_steps(iova);
				exec_op(&x, &unmap);
				if (cfg->defer)
					exec_op(&x, &(struct op){ .kind = OP_SYNC });
			}
		}
	}
	exec_close(&x);
}

static void test_sweep__neighbours_differ_by_one_step(void **state)
{
	unsigned f, c;

	(void)state;
	for (f = 0; engine_formats()[f]; f++) {
		const struct engine_ops *ops = engine_formats()[f];

		for (c = 0; ops->configs[c]; c++) {
			struct trace_error err;
			struct config cfg;
			char text[300];

			snprintf(text, sizeof(text), "%s %s", ops->name, ops->configs[c]);
			assert_int_equal(config_parse(text, &cfg, &err), 0);
			assert_int_equal(exec_resolve(&cfg, text, sizeof(text)), 0);
			follow_config(&cfg);
		}
	}
	print_message("%llu items compared\n", (unsigned long long)compared);
	assert_true(compared > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_sweep__neighbours_differ_by_one_step) };
	int failed;

	if (exec_init(&x, &exec_defaults, catch, NULL))
		return 3;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	exec_release(&x);
	return failed;
}
