/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exec.c - runs operations on an engine under the oracle. */
#include "exec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../oracle/dirty.h"
#include "round.h"
#include "twin.h"

const struct exec_options exec_defaults = {
	.arena_bytes = 256u << 20,
	.checks = (1u << CHECK_NR) - 1,
	.observed = true,
};

#define EXEC_SWEEP_EVERY (UINT64_C(1) << 16)

static void exec_report(void *arg, const struct verdict *v)
{
	struct exec *x = arg;
	const struct op *of = x->check.by ? round_op(x, x->check.by) : NULL;

	x->finding(x->finding_arg, v, of ? of : x->op);
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
	if (round_running(x))
		round_found(x, &v);
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
	if (engine_twin(cfg->format) && engine_twin(cfg->format)->resolve(cfg, &why)) {
		snprintf(err, err_bytes, "%s: the native engine cannot run beside it: %s", cfg->format, why);
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

static int exec_init_one(struct exec *x, const struct exec_options *options, exec_finding_fn *finding, void *arg)
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

/* What the second engine does is a finding of the pair. */
static void exec_twin_found(void *arg, const struct verdict *v, const struct op *op)
{
	struct exec *x = arg;

	x->speaker = x->twin;
	x->finding(x->finding_arg, v, op);
}

int exec_init(struct exec *x, const struct exec_options *options, exec_finding_fn *finding, void *arg)
{
	int ret = exec_init_one(x, options, finding, arg);

	if (ret || !options->observed || strcmp(engine_name(), "both"))
		return ret;
	x->twin = malloc(sizeof(*x->twin));
	ret = x->twin ? exec_init_one(x->twin, options, exec_twin_found, x) : -ENOMEM;
	if (ret) {
		free(x->twin);
		x->twin = NULL;
		exec_release(x);
	}
	return ret;
}

void exec_release(struct exec *x)
{
	if (x->twin)
		exec_release(x->twin);
	free(x->twin);
	mem_release(&x->mem);
	free(x->dirty);
	round_release(x);
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

static int exec_open_one(struct exec *x, const struct engine_ops *ops, const struct config *cfg, const char **why)
{
	struct engine_info info;
	int ret;

	*why = "no such format";
	x->cfg = *cfg;
	x->ops = ops;
	x->speaker = x;
	x->ops_nr = x->refused_nr = x->twin_items = 0;
	x->twin_apart = false;
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
		if (info.arm_mair)
			x->check.hw.arm_mair = info.arm_mair;
		x->check.blind |= x->options.blind;
		check_created(&x->check, info.cap_size_change, info.cap_leaf_to_table);
	}
	return 0;
}

static void exec_destroy(struct exec *x)
{
	struct engine *engine = x->engine;

	mem_begin_op(&x->mem, UINT64_MAX, 0);
	x->engine = NULL;
	x->ops->destroy(engine);
	if (x->options.observed)
		check_destroyed(&x->check);
}

int exec_open(struct exec *x, const struct config *cfg, const char **why)
{
	int ret = exec_open_one(x, engine_find(cfg->format), cfg, why);

	if (ret || !x->twin)
		return ret;
	ret = exec_open_one(x->twin, engine_twin(cfg->format), cfg, why);
	if (ret) {
		exec_destroy(x);
		check_release(&x->check);
	}
	return ret;
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

void exec_engine(struct exec *x, const struct call *call, struct gather *g, engine_dirty_fn *fn, void *arg, struct call_result *res)
{
	switch (call->kind) {
	case CALL_MAP:
		res->ret = x->ops->map(x->engine, call->iova, call->last, call->oa, call->prot, g, &res->granules);
		break;
	case CALL_CUT:
		res->ret = x->ops->cut(x->engine, call->iova, g);
		break;
	case CALL_UNMAP:
		res->ret = x->ops->unmap(x->engine, call->iova, call->last, g, &res->granules);
		break;
	case CALL_DIRTY:
		res->ret = x->ops->dirty(x->engine, call->iova, call->last, call->clear, g, fn, arg);
		break;
	case CALL_TRANSLATE:
		res->ret = x->ops->translate(x->engine, call->iova, &res->oa);
		break;
	case CALL_SYNC:
		x->ops->sync(x->engine, g);
		break;
	}
}

/* Hand the call to the engine and, unless invalidation is deferred, settle what it owes. */
static void exec_call(struct exec *x, const struct call *call, struct call_result *res)
{
	x->dirty_nr = 0;
	exec_engine(x, call, &x->gather, exec_dirty, x, res);
	/* What the device does after the last store comes before the sync. */
	while (x->mem.turn_at != UINT64_MAX)
		exec_turn(x);
	if (!x->cfg.defer || x->check.blind)
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

/* Blindly judged: what the engine translates iova to. It stores nothing, so that the log stays the operation's. */
static void exec_probe(struct exec *x, uint64_t iova)
{
	struct call call = { .kind = CALL_TRANSLATE, .iova = iova, .last = iova };
	struct call_result res = { 0 };

	if (!hw_iova_valid(&x->check.hw, iova))
		return;
	x->mem.budget = x->mem.view.steps + check_begin(&x->check, &call);
	exec_call(x, &call, &res);
	check_called(&x->check, &call, &res);
}

static void exec_probe_around(struct exec *x, const struct call *call)
{
	if (call->kind == CALL_SYNC || call->kind == CALL_TRANSLATE || call->last < call->iova)
		return;
	exec_probe(x, call->iova - 1);
	exec_probe(x, call->iova);
	exec_probe(x, call->iova + (call->last - call->iova) / 2);
	exec_probe(x, call->last);
	exec_probe(x, call->last + 1);
}

static void exec_probe_all(struct exec *x)
{
	const struct imap_piece *p;
	struct imap_pos pos;

	for (p = imap_from(&x->check.im, 0, &pos); p; p = imap_next(&pos)) {
		exec_probe(x, p->iova);
		exec_probe(x, p->last);
	}
}

void exec_call_of(const struct exec *x, const struct op *op, struct call *asked, struct call *call)
{
	static const enum call_kind kinds[OP_NR] = {
		[OP_MAP] = CALL_MAP,
		[OP_CUT] = CALL_CUT,
		[OP_UNMAP] = CALL_UNMAP,
		[OP_DIRTY] = CALL_DIRTY,
		[OP_TRANSLATE] = CALL_TRANSLATE,
		[OP_SYNC] = CALL_SYNC,
	};

	*call = (struct call){
		.kind = kinds[op->kind], .iova = op->iova, .last = op->last, .oa = op->oa, .prot = op->prot, .clear = op->clear
	};
	if (call->kind == CALL_CUT || call->kind == CALL_TRANSLATE)
		call->last = call->iova;
	*asked = *call;
	if (x->options.observed)
		call->prot = traits_prot(&x->check.traits, asked->prot);
}

/* Now and then everything is compared. */
static void exec_sweep(struct exec *x)
{
	if (!--x->sweep_at) {
		check_all(&x->check);
		x->sweep_at = EXEC_SWEEP_EVERY;
	}
}

static enum exec_status exec_round(struct exec *x, const struct op *op)
{
	uint64_t root;
	unsigned level;

	if (!round_run(x, op))
		return EXEC_SKIPPED;
	x->ops->root(x->engine, &root, &level);
	check_root(&x->check, root, level);
	check_round(&x->check);
	exec_sweep(x);
	round_forget(x);
	return EXEC_DONE;
}

static enum exec_status exec_one(struct exec *x, const struct op *op)
{
	struct call_result res = { 0 };
	struct call asked, call;
	uint64_t budget, root;
	unsigned root_level;

	x->op = op;
	x->ops_nr++;
	exec_call_of(x, op, &asked, &call);
	if (!x->options.observed)
		return op->kind == OP_SWITCH ? EXEC_DONE : exec_bare(x, &asked);
	if (op->kind == OP_SWITCH)
		return exec_round(x, op);
	if (op->thread && op_may_thread(op->kind)) {
		round_wait(x, op);
		return EXEC_WAITS;
	}
	if (op->kind == OP_READ || op->kind == OP_WRITE) {
		if (x->check.blind)
			return EXEC_SKIPPED;
		mem_begin_op(&x->mem, UINT64_MAX, 0);
		exec_device(x, op->iova, op->kind == OP_WRITE);
		return EXEC_DONE;
	}
	if (!check_may_call(&x->check, &call)) {
		x->why = "touches a range that still waits for a sync";
		return EXEC_SKIPPED;
	}
	budget = check_begin(&x->check, &call);
	mem_begin_op(&x->mem, x->options.checks & 1u << CHECK_PROGRESS ? budget : UINT64_MAX, op->fail);
	x->mem.turn_at = x->check.blind ? UINT64_MAX : exec_next_turn(op, 0);
	exec_call(x, &asked, &res);
	x->ops->root(x->engine, &root, &root_level);
	check_root(&x->check, root, root_level);
	check_called(&x->check, &call, &res);
	if (x->check.blind)
		exec_probe_around(x, &call);
	exec_sweep(x);
	x->ret = res.ret;
	x->refused_nr += res.ret != 0;
	return res.ret ? EXEC_REFUSED : EXEC_DONE;
}

enum exec_status exec_op(struct exec *x, const struct op *op)
{
	enum exec_status status;
	struct op whole, twin;

	if (!x->twin)
		return exec_one(x, op);
	/* How often they allocate and store is the engines' own: neither a failure nor the device can meet both at the same place. */
	if (op->kind == OP_SWITCH)
		return EXEC_DONE;
	/* Nor do writers meet at the same place: one after the other, by themselves. */
	whole = *op;
	whole.fail = 0;
	whole.devices_nr = 0;
	whole.thread = 0;
	x->ret = x->twin->ret = 0;
	if (op->kind == OP_MAP && !check_may_call(&x->twin->check, &(struct call){ .kind = CALL_MAP, .iova = op->iova, .last = op->last }))
		return EXEC_SKIPPED;
	if (!twin_op(x, &whole, &twin))
		return EXEC_SKIPPED;
	status = exec_one(x, &whole);
	if (status == EXEC_SKIPPED)
		return status;
	exec_one(x->twin, &twin);
	x->twin_apart |= (x->ret == -ENOMEM) != (x->twin->ret == -ENOMEM);
	if (!x->twin_apart && (status == EXEC_DONE || x->ret == -EADDRINUSE))
		twin_compare(x, op);
	return status;
}

/* The last sync, and a sweep of everything. */
static void exec_settle(struct exec *x)
{
	struct call sync = { .kind = CALL_SYNC };
	struct call_result res = { 0 };

	x->op = NULL;
	round_forget(x);
	if (x->options.observed)
		check_begin(&x->check, &sync);
	mem_begin_op(&x->mem, UINT64_MAX, 0);
	exec_call(x, &sync, &res);
	if (!x->options.observed)
		return;
	check_called(&x->check, &sync, &res);
	check_all(&x->check);
	if (x->check.blind)
		exec_probe_all(x);
}

void exec_close(struct exec *x)
{
	exec_settle(x);
	if (x->twin) {
		exec_settle(x->twin);
		if (!x->twin_apart)
			twin_compare_all(x);
		exec_destroy(x->twin);
	}
	exec_destroy(x);
	if (x->options.observed)
		check_release(&x->check);
	if (x->twin)
		check_release(&x->twin->check);
}

void exec_abandon(struct exec *x)
{
	if (x->twin)
		exec_abandon(x->twin);
	gather_release(&x->gather);
	round_forget(x);
	if (x->engine)
		x->ops->forget(x->engine);
	x->engine = NULL;
	if (x->options.observed)
		check_release(&x->check);
}
