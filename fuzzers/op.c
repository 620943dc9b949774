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

bool op_equal(const struct op *a, const struct op *b)
{
	if (a->kind != b->kind)
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
