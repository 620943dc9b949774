/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * op.c - operations and traces as data. Their text is in trace_text.c, their bytes in trace_bin.c, what they do in exec.c.
 */
#include "op.h"

#include <stdlib.h>
#include <string.h>

static const char *const op_names[OP_NR] = {
	[OP_MAP] = "map",   [OP_CUT] = "cut",     [OP_UNMAP] = "unmap",         [OP_DIRTY] = "dirty",
	[OP_READ] = "read", [OP_WRITE] = "write", [OP_TRANSLATE] = "translate", [OP_SYNC] = "sync",
	[OP_SWITCH] = "switch",
};

const char *op_name(enum op_kind kind)
{
	return (unsigned)kind < OP_NR ? op_names[kind] : "unknown";
}

static bool op_extras_equal(const struct op *a, const struct op *b)
{
	if (a->fail != b->fail || a->devices_nr != b->devices_nr)
		return false;
	for (unsigned i = 0; i < a->devices_nr; i++) {
		const struct op_device *da = &a->devices[i], *db = &b->devices[i];

		if (da->at != db->at || da->write != db->write || da->iova != db->iova)
			return false;
	}
	return true;
}

static bool op_switches_equal(const struct op *a, const struct op *b)
{
	if (a->switches_nr != b->switches_nr)
		return false;
	for (unsigned i = 0; i < a->switches_nr; i++) {
		const struct op_switch *sa = &a->switches[i], *sb = &b->switches[i];

		if (sa->writer != sb->writer || sa->to != sb->to || sa->at != sb->at)
			return false;
	}
	return true;
}

bool op_equal(const struct op *a, const struct op *b)
{
	if (a->kind != b->kind || (op_may_thread(a->kind) && a->thread != b->thread))
		return false;
	switch (a->kind) {
	case OP_MAP:
		return a->iova == b->iova && a->last == b->last && a->oa == b->oa && a->prot == b->prot && op_extras_equal(a, b);
	case OP_CUT:
		return a->iova == b->iova && op_extras_equal(a, b);
	case OP_UNMAP:
		return a->iova == b->iova && a->last == b->last && op_extras_equal(a, b);
	case OP_DIRTY:
		return a->iova == b->iova && a->last == b->last && a->clear == b->clear && op_extras_equal(a, b);
	case OP_SYNC:
		return true;
	case OP_SWITCH:
		return op_switches_equal(a, b);
	default:
		return a->iova == b->iova;
	}
}

void trace_init(struct trace *t)
{
	memset(t, 0, sizeof(*t));
	config_unset(&t->cfg);
}

void trace_release(struct trace *t)
{
	free(t->ops);
	trace_init(t);
}

void trace_push(struct trace *t, const struct op *op)
{
	if (t->nr == t->room) {
		size_t room = t->room ? 2 * t->room : 16;
		struct op *ops = realloc(t->ops, room * sizeof(*ops));

		if (!ops) {
			fprintf(stderr, "hitless: out of memory for %zu operations\n", room);
			exit(3);
		}
		t->ops = ops;
		t->room = room;
	}
	t->ops[t->nr++] = *op;
}

size_t ops_waiting(const struct op *ops, size_t nr)
{
	unsigned seen = 0;
	size_t n;

	for (n = 0; n < nr; n++) {
		const struct op *op = &ops[nr - 1 - n];

		if (!op->thread || !op_may_thread(op->kind) || seen >> op->thread & 1)
			break;
		seen |= 1u << op->thread;
	}
	return n;
}

size_t ops_round(const struct op *ops, size_t nr)
{
	size_t waiting;

	if (!nr || ops[nr - 1].kind != OP_SWITCH)
		return 0;
	waiting = ops_waiting(ops, nr - 1);
	return waiting ? waiting + 1 : 0;
}

bool ops_whole(const struct op *ops, size_t nr)
{
	size_t waiting;

	while (nr) {
		waiting = ops_round(ops, nr);
		if (!waiting && (ops[nr - 1].kind == OP_SWITCH || ops_waiting(ops, nr)))
			return false;
		nr -= waiting ? waiting : 1;
	}
	return true;
}

/* The last of t, a switch behind waiting operations: switches of or to a writer that none of them has go. */
static void trace_switch_among(struct trace *t, size_t waiting)
{
	struct op *op = &t->ops[t->nr - 1];
	unsigned writers = 0, nr = 0, k;
	size_t i;

	for (i = t->nr - 1 - waiting; i < t->nr - 1; i++)
		writers |= 1u << t->ops[i].thread;
	for (k = 0; k < op->switches_nr; k++)
		if (writers >> op->switches[k].writer & 1 && writers >> op->switches[k].to & 1)
			op->switches[nr++] = op->switches[k];
	op->switches_nr = (uint8_t)nr;
}

bool trace_push_whole(struct trace *t, const struct op *op)
{
	size_t waiting = ops_waiting(t->ops, t->nr), i;
	bool threads = op->thread && op_may_thread(op->kind), again = !threads && op->kind != OP_SWITCH;

	if (op->kind == OP_SWITCH && !waiting)
		return false;
	for (i = t->nr - waiting; i < t->nr; i++)
		again |= threads && t->ops[i].thread == op->thread;
	if (again)
		t->nr -= waiting;
	trace_push(t, op);
	if (op->kind == OP_SWITCH)
		trace_switch_among(t, waiting);
	return true;
}
