/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exec.c - runs operations on an engine under the oracle. */
#include "exec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../oracle/dirty.h"

const struct exec_options exec_defaults = {
	.arena_bytes = 256u << 20,
	.checks = (1u << CHECK_NR) - 1,
	.observed = true,
};

#define EXEC_SWEEP_EVERY (UINT64_C(1) << 16)

static void exec_report(void *arg, const struct verdict *v)
{
	struct exec *x = arg;

	x->finding(x->finding_arg, v, x->op);
}

/* Memory was misused: what the primitive saw, as a finding. */
static void exec_fault(void *arg, enum mem_fault fault, uint64_t pa, const char *text)
{
	static const struct {
		enum verdict_class class;
		uint8_t guarantee;
		const char *what;
	} faults[] = {
		[MEM_FAULT_WILD_LOAD] = { VERDICT_CRASH, 9, "the engine loaded from" },
		[MEM_FAULT_WILD_STORE] = { VERDICT_WILD_STORE, 8, "the engine stored to" },
		[MEM_FAULT_USE_AFTER_FREE] = { VERDICT_USE_AFTER_FREE, 8, "the engine accessed" },
		[MEM_FAULT_DOUBLE_FREE] = { VERDICT_DOUBLE_FREE, 8, "the engine freed" },
		[MEM_FAULT_BUDGET] = { VERDICT_NO_PROGRESS, 9, "last access to" },
		[MEM_FAULT_INVARIANT] = { VERDICT_INVARIANT, 9, "engine invariant" },
		[MEM_FAULT_LOG_FULL] = { VERDICT_NO_PROGRESS, 9, "last access to" },
	};
	struct exec *x = arg;
	struct verdict v = { .class = faults[fault].class, .guarantee = faults[fault].guarantee, .level = VERDICT_LEVEL_NONE };

	if (fault == MEM_FAULT_INVARIANT)
		snprintf(v.text, sizeof(v.text), "engine invariant does not hold: %s", text);
	else
		snprintf(v.text, sizeof(v.text), "%s 0x%llx: %s", faults[fault].what, (unsigned long long)pa, text);
	x->finding(x->finding_arg, &v, x->op);
}

int exec_resolve(struct config *cfg, char *err, size_t err_bytes)
{
	const struct engine_ops *ops = engine_find(cfg->format);
	const char *why = "";
	struct hw hw;

	if (!ops) {
		snprintf(err, err_bytes, "unknown format '%s'", cfg->format);
		return -EINVAL;
	}
	if (cfg->tiny == CONFIG_UNSET)
		cfg->tiny = 0;
	if (ops->resolve(cfg, &why)) {
		snprintf(err, err_bytes, "%s: %s", cfg->format, why);
		return -EINVAL;
	}
	if (hw_init(&hw, cfg, &why)) {
		snprintf(err, err_bytes, "%s: the hardware does not allow this: %s", cfg->format, why);
		return -EINVAL;
	}
	return 0;
}

/* The device reads or writes iova now. Returns whether a walk allowed it. */
static bool exec_access(struct exec *x, uint64_t iova, bool write)
{
	struct device_access access;

	dirty_access(&x->check, iova, write, &access);
	if (access.new != access.old)
		mem_device(&x->mem, access.pa, x->check.hw.item_bytes_lg2, access.old, access.new);
	return access.ok;
}

/* The next attempt to store from at on before which the device has something to do. */
static uint64_t exec_next_turn(const struct op *op, uint64_t at)
{
	uint64_t next = UINT64_MAX;
	unsigned i;

	for (i = 0; i < op->devices_nr; i++)
		if (op->devices[i].at >= at && op->devices[i].at < next)
			next = op->devices[i].at;
	return next;
}

/* It is the device's turn: everything that it does before this attempt to store. */
static void exec_turn(void *arg)
{
	struct exec *x = arg;
	unsigned i;

	for (i = 0; i < x->op->devices_nr; i++)
		if (x->op->devices[i].at == x->mem.turn_at)
			exec_access(x, x->op->devices[i].iova, x->op->devices[i].write);
	x->mem.turn_at = exec_next_turn(x->op, x->mem.turn_at + 1);
}

int exec_init(struct exec *x, const struct exec_options *options, exec_finding_fn *finding, void *arg)
{
	memset(x, 0, sizeof(*x));
	x->options = *options;
	x->finding = finding;
	x->finding_arg = arg;
	if (mem_init(&x->mem, UINT64_C(1) << 20, options->arena_bytes, exec_fault, x))
		return -ENOMEM;
	x->mem.turn = exec_turn;
	x->mem.turn_arg = x;
	return 0;
}

void exec_release(struct exec *x)
{
	mem_release(&x->mem);
	free(x->dirty);
}

/* Where the configuration wants table pages to lie. */
static uint64_t exec_arena_pa(const struct exec *x, const struct config *cfg)
{
	uint64_t bytes = x->options.arena_bytes, end = UINT64_C(1) << cfg->oas;

	if (x->options.arena_pa)
		return x->options.arena_pa;
	switch ((enum config_tables)cfg->tables) {
	case TABLES_HIGH:
		return end / 2;
	case TABLES_STRADDLE:
		return (UINT64_C(1) << 32) - (1u << 20);
	case TABLES_LIMIT:
		return end - bytes;
	default:
		return UINT64_C(1) << 20;
	}
}

int exec_open(struct exec *x, const struct config *cfg, const char **why)
{
	struct engine_info info;
	int ret;

	*why = "no such format";
	x->cfg = *cfg;
	x->ops = engine_find(cfg->format);
	x->ops_nr = x->refused_nr = 0;
	x->sweep_at = EXEC_SWEEP_EVERY;
	x->op = NULL;
	x->engine = NULL;
	if (!x->ops)
		return -ENOENT;
	mem_reset(&x->mem, exec_arena_pa(x, cfg));
	gather_init(&x->gather);
	mem_observe(&x->mem, x->options.observed);
	if (x->options.observed) {
		ret = check_init(&x->check, cfg, &x->mem.view, exec_report, x, why);
		if (ret)
			return ret;
		x->check.on = x->options.checks;
	}
	*why = "the domain cannot be made: the arena is too small";
	ret = x->ops->create(&x->engine, &x->mem, cfg);
	if (ret) {
		if (ret != -ENOMEM)
			*why = "the engine makes no domain of this configuration";
		if (x->options.observed)
			check_release(&x->check);
		return ret;
	}
	if (x->options.observed) {
		x->ops->info(x->engine, &info);
		x->check.traits = info.traits;
		check_created(&x->check, info.cap_size_change, info.cap_leaf_to_table);
	}
	return 0;
}

static void exec_dirty(void *arg, uint64_t iova, uint64_t last)
{
	struct exec *x = arg;

	if (x->dirty_nr == x->dirty_room) {
		x->dirty_room = x->dirty_room ? 2 * x->dirty_room : 64;
		x->dirty = realloc(x->dirty, x->dirty_room * sizeof(*x->dirty));
		if (!x->dirty)
			abort();
	}
	x->dirty[x->dirty_nr++] = (struct call_range){ iova, last };
}

/* Hand the call to the engine and, unless invalidation is deferred, settle what it owes. */
static void exec_call(struct exec *x, const struct call *call, struct call_result *res)
{
	x->dirty_nr = 0;
	switch (call->kind) {
	case CALL_MAP:
		res->ret = x->ops->map(x->engine, call->iova, call->last, call->oa, call->prot, &x->gather, &res->granules);
		break;
	case CALL_CUT:
		res->ret = x->ops->cut(x->engine, call->iova, &x->gather);
		break;
	case CALL_UNMAP:
		res->ret = x->ops->unmap(x->engine, call->iova, call->last, &x->gather, &res->granules);
		break;
	case CALL_DIRTY:
		res->ret = x->ops->dirty(x->engine, call->iova, call->last, call->clear, &x->gather, exec_dirty, x);
		break;
	case CALL_TRANSLATE:
		res->ret = x->ops->translate(x->engine, call->iova, &res->oa);
		break;
	case CALL_SYNC:
		x->ops->sync(x->engine, &x->gather);
		break;
	}
	/* What the device does after the last store comes before the sync. */
	while (x->mem.turn_at != UINT64_MAX)
		exec_turn(x);
	if (!x->cfg.defer)
		x->ops->sync(x->engine, &x->gather);
	res->dirty = x->dirty;
	res->dirty_nr = x->dirty_nr;
}

/* The device accesses iova between two calls. */
static void exec_device(struct exec *x, uint64_t iova, bool write)
{
	dirty_begin(&x->check);
	check_device(&x->check, iova, write, exec_access(x, iova, write));
}

static enum exec_status exec_bare(struct exec *x, const struct call *call)
{
	struct call_result res = { 0 };

	mem_begin_op(&x->mem, UINT64_MAX, 0);
	exec_call(x, call, &res);
	return res.ret ? EXEC_REFUSED : EXEC_DONE;
}

enum exec_status exec_op(struct exec *x, const struct op *op)
{
	static const enum call_kind kinds[OP_NR] = {
		[OP_MAP] = CALL_MAP,
		[OP_CUT] = CALL_CUT,
		[OP_UNMAP] = CALL_UNMAP,
		[OP_DIRTY] = CALL_DIRTY,
		[OP_TRANSLATE] = CALL_TRANSLATE,
		[OP_SYNC] = CALL_SYNC,
	};
	struct call call = {
		.kind = kinds[op->kind], .iova = op->iova, .last = op->last, .oa = op->oa, .prot = op->prot, .clear = op->clear
	};
	struct call_result res = { 0 };
	struct call asked;
	uint64_t budget, root;
	unsigned root_level;

	x->op = op;
	x->ops_nr++;
	if (!x->options.observed)
		return exec_bare(x, &call);
	if (op->kind == OP_READ || op->kind == OP_WRITE) {
		mem_begin_op(&x->mem, UINT64_MAX, 0);
		exec_device(x, op->iova, op->kind == OP_WRITE);
		return EXEC_DONE;
	}
	if (call.kind == CALL_CUT || call.kind == CALL_TRANSLATE)
		call.last = call.iova;
	asked = call;
	call.prot = traits_prot(&x->check.traits, asked.prot);
	if (!check_may_call(&x->check, &call))
		return EXEC_SKIPPED;
	budget = check_begin(&x->check, &call);
	mem_begin_op(&x->mem, x->options.checks & 1u << CHECK_PROGRESS ? budget : UINT64_MAX, op->fail);
	x->mem.turn_at = exec_next_turn(op, 0);
	exec_call(x, &asked, &res);
	x->ops->root(x->engine, &root, &root_level);
	check_root(&x->check, root, root_level);
	check_called(&x->check, &call, &res);
	if (!--x->sweep_at) {
		check_all(&x->check);
		x->sweep_at = EXEC_SWEEP_EVERY;
	}
	x->refused_nr += res.ret != 0;
	return res.ret ? EXEC_REFUSED : EXEC_DONE;
}

void exec_close(struct exec *x)
{
	struct call sync = { .kind = CALL_SYNC };
	struct call_result res = { 0 };

	x->op = NULL;
	if (x->options.observed)
		check_begin(&x->check, &sync);
	mem_begin_op(&x->mem, UINT64_MAX, 0);
	exec_call(x, &sync, &res);
	if (!x->options.observed) {
		x->ops->destroy(x->engine);
		return;
	}
	check_called(&x->check, &sync, &res);
	check_all(&x->check);
	mem_begin_op(&x->mem, UINT64_MAX, 0);
	x->ops->destroy(x->engine);
	check_destroyed(&x->check);
	check_release(&x->check);
}

void exec_abandon(struct exec *x)
{
	gather_release(&x->gather);
	if (x->engine)
		x->ops->forget(x->engine);
	x->engine = NULL;
	if (x->options.observed)
		check_release(&x->check);
}
