/* SPDX-License-Identifier: GPL-2.0-or-later */
/* program.c - operations of full-size domains, issued by hand; see program.h. */
#include "program.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct program program;

static void program_catch(void *arg, const struct verdict *v, const struct op *op)
{
	(void)arg;
	(void)op;
	if (!program.trying)
		fail_msg("found before anything was tried: %s", v->text);
	program.seen = *v;
	siglongjmp(program.caught, 1);
}

int program_set_up(void **state)
{
	(void)state;
	return exec_init(&program.x, &exec_defaults, program_catch, NULL);
}

int program_tear_down(void **state)
{
	(void)state;
	exec_release(&program.x);
	return 0;
}

void program_open(const char *config)
{
	struct trace_error err;
	struct config cfg;
	const char *why = "";
	char line[300];

	assert_int_equal(config_parse(config, &cfg, &err), 0);
	if (exec_resolve(&cfg, line, sizeof(line)))
		fail_msg("%s: %s", config, line);
	program.seen.class = VERDICT_NR;
	program.seen.text[0] = 0;
	if (exec_open(&program.x, &cfg, &why))
		fail_msg("%s: %s", config, why);
}

static void program_op(enum op_kind kind, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot)
{
	struct op op = { .kind = kind, .iova = iova, .last = last, .oa = oa, .prot = (uint8_t)prot };

	assert_int_equal(exec_op(&program.x, &op), EXEC_DONE);
}

void program_map(uint64_t iova, uint64_t last, uint64_t oa, unsigned prot)
{
	program_op(OP_MAP, iova, last, oa, prot);
}

void program_unmap(uint64_t iova, uint64_t last)
{
	program_op(OP_UNMAP, iova, last, 0, 0);
}

void program_look(uint64_t iova, struct walk *w)
{
	const struct check *c = &program.x.check;

	walk(&c->hw, c->view, c->root, c->root_level, iova, w);
	assert_int_equal(w->end, WALK_LEAF);
}

struct walk_step program_leaf(uint64_t iova)
{
	struct walk w;

	program_look(iova, &w);
	return w.steps[w.nr - 1];
}

struct walk_step program_pointer(uint64_t iova)
{
	struct walk w;

	program_look(iova, &w);
	assert_true(w.nr > 1);
	return w.steps[w.nr - 2];
}

void program_begin(struct call call, struct call_result res)
{
	program.call = call;
	program.res = res;
	mem_begin_op(&program.x.mem, check_begin(&program.x.check, &program.call), 0);
}

void program_try(void (*fn)(void))
{
	program.trying = true;
	if (!sigsetjmp(program.caught, 0))
		fn();
	program.trying = false;
}

static void program_called(void)
{
	check_called(&program.x.check, &program.call, &program.res);
}

void program_end(void)
{
	program_try(program_called);
}

void program_expect(const char *name, enum verdict_class class)
{
	const struct verdict *seen = &program.seen;

	if (seen->class != class)
		fail_msg("%s: expected %s, got %s: %s", name, class < VERDICT_NR ? verdict_name(class) : "nothing",
			 seen->class < VERDICT_NR ? verdict_name(seen->class) : "nothing", seen->text);
}

uint64_t program_table(unsigned level)
{
	const struct hw *hw = &program.x.check.hw;
	uint32_t bytes = 1u << (hw->index_lg2[level] + hw->item_bytes_lg2);
	uint64_t pa = mem_alloc(&program.x.mem, bytes, hw->table_align_lg2[level]);

	assert_true(pa != MEM_NONE);
	if (!hw->cfg.coherent)
		mem_dma_map(&program.x.mem, pa, bytes);
	return pa;
}

void program_store(uint64_t pa, uint64_t raw)
{
	mem_store(&program.x.mem, pa, program.x.check.hw.item_bytes_lg2, raw, MEM_RELAXED);
}

void program_flush(uint64_t pa, uint64_t bytes)
{
	mem_flush(&program.x.mem, pa, bytes);
}

void program_invalidate(uint64_t iova, uint64_t last, unsigned level, unsigned size_lg2)
{
	gather_leaf(&program.x.gather, iova, last, level, size_lg2);
	program.x.ops->sync(program.x.engine, &program.x.gather);
}

void program_invalidate_pointers(uint64_t iova, uint64_t last, unsigned level)
{
	/* Such a pointer is gathered with a table to free; here the table is the program's. */
	gather_leaf(&program.x.gather, iova, last, 0, program.x.check.granule_lg2);
	program.x.gather.tables = true;
	program.x.gather.table_levels |= (uint8_t)(1u << level);
	program.x.ops->sync(program.x.engine, &program.x.gather);
}
