/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guess.c - what operations will come to, without an engine; see guess.h. */
#include "guess.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pick.h"

/* Predicting reports nothing. */
static void guess_report(void *arg, const struct verdict *v)
{
	(void)arg;
	(void)v;
	abort();
}

void guess_close(struct guess *g)
{
	if (g->open)
		check_release(&g->check);
	free(g->owed);
	memset(g, 0, sizeof(*g));
}

int guess_open(struct guess *g, const struct config *cfg)
{
	const char *why;
	int ret;

	guess_close(g);
	g->view.bytes_nr = UINT64_C(1) << MEM_FRAME_LG2;
	ret = check_init(&g->check, cfg, &g->view, guess_report, NULL, &why);
	if (ret)
		return ret;
	g->open = true;
	g->check.root_level = g->check.hw.top_level;
	g->check.cap_size_change = g->check.hw.cap_size_change;
	g->check.cap_leaf_to_table = g->check.hw.cap_leaf_to_table;
	return 0;
}

static struct call guess_call(const struct op *op)
{
	static const enum call_kind kinds[OP_NR] = {
		[OP_MAP] = CALL_MAP,     [OP_CUT] = CALL_CUT,             [OP_UNMAP] = CALL_UNMAP,
		[OP_DIRTY] = CALL_DIRTY, [OP_TRANSLATE] = CALL_TRANSLATE, [OP_SYNC] = CALL_SYNC,
	};
	struct call call = {
		.kind = kinds[op->kind], .iova = op->iova, .last = op->last, .oa = op->oa, .prot = op->prot, .clear = op->clear
	};

	if (call.kind == CALL_CUT || call.kind == CALL_TRANSLATE)
		call.last = call.iova;
	return call;
}

enum guess_how guess_of(unsigned op_kind, int ret)
{
	if (!ret)
		return GUESS_DONE;
	if (ret == -ENOENT || ret == -EADDRINUSE || ret == -ENOMEM || (ret == -EOPNOTSUPP && op_kind == OP_CUT))
		return GUESS_REFUSED;
	return GUESS_ARGUMENT;
}

static bool guess_waits(const struct guess *g, const struct call *call)
{
	size_t i;

	for (i = 0; (call->kind == CALL_MAP || call->kind == CALL_CUT) && i < g->owed_nr; i++)
		if (g->owed[i].iova <= call->last && g->owed[i].last >= call->iova)
			return true;
	return false;
}

static enum guess_how guess_round(struct guess *g, struct writer *writers)
{
	uint64_t budgets[MEM_WRITERS_MAX];
	unsigned i;

	if (!g->round_nr)
		return GUESS_FORBIDDEN;
	for (i = 0; i < g->round_nr; i++) {
		writers[i] = (struct writer){ .id = i + 1, .call = guess_call(&g->round[i]) };
		if (guess_waits(g, &writers[i].call))
			return GUESS_FORBIDDEN;
	}
	return check_round_begin(&g->check, writers, g->round_nr, budgets) ? GUESS_FORBIDDEN : GUESS_DONE;
}

enum guess_how guess_look(struct guess *g, const struct op *op)
{
	struct writer writers[MEM_WRITERS_MAX];
	struct call call;

	if (op->kind == OP_SWITCH)
		return guess_round(g, writers);
	/* The device's own accesses are never refused; where nothing is mapped they fault. */
	if (op->kind == OP_READ || op->kind == OP_WRITE)
		return imap_find(&g->check.im, op->iova, NULL) ? GUESS_DONE : GUESS_REFUSED;
	if (pick_is_huge(&g->check.hw, op))
		return GUESS_HUGE;
	call = guess_call(op);
	if (guess_waits(g, &call))
		return GUESS_FORBIDDEN;
	check_begin(&g->check, &call);
	return guess_of(op->kind, g->check.want.ret);
}

static void guess_owe(struct guess *g, uint64_t iova, uint64_t last)
{
	if (g->owed_nr == g->owed_room) {
		g->owed_room = g->owed_room ? 2 * g->owed_room : 16;
		g->owed = realloc(g->owed, g->owed_room * sizeof(*g->owed));
		if (!g->owed)
			abort();
	}
	g->owed[g->owed_nr++] = (struct call_range){ iova, last };
}

static void guess_apply(struct guess *g, const struct call *call, const struct call_expect *want)
{
	struct imap *im = &g->check.im;
	struct imap_piece piece = { .iova = call->iova, .last = want->done_last, .oa = call->oa, .prot = (uint8_t)call->prot };

	if (call->kind == CALL_MAP && want->done)
		imap_insert(im, &piece);
	if (call->kind == CALL_CUT && !want->ret)
		imap_split(im, call->iova);
	if (call->kind == CALL_UNMAP && want->done)
		imap_remove(im, call->iova, want->done_last);
	if (call->kind == CALL_MAP && want->root_level > g->check.root_level)
		g->check.root_level = want->root_level;
	if (call->kind == CALL_SYNC)
		g->owed_nr = 0;
	if (!g->check.defer || want->ret)
		return;
	if (call->kind == CALL_CUT && want->hull.iova != call->iova)
		guess_owe(g, want->hull.iova, want->hull.last);
	else if ((call->kind == CALL_UNMAP && want->done) || (call->kind == CALL_DIRTY && call->clear))
		guess_owe(g, want->hull.iova, want->hull.last);
}

enum guess_how guess_op(struct guess *g, const struct op *op)
{
	struct writer writers[MEM_WRITERS_MAX];
	enum guess_how how;
	struct call call;
	unsigned i;

	if (op->kind == OP_SWITCH) {
		how = guess_round(g, writers);
		for (i = 0; how == GUESS_DONE && i < g->round_nr; i++)
			guess_apply(g, &writers[i].call, &writers[i].want);
		g->round_nr = 0;
		return how;
	}
	if (op->thread && op_may_thread(op->kind)) {
		for (i = 0; i < g->round_nr && g->round[i].thread != op->thread; i++)
			;
		/* A second one of the same number: the others have waited in vain. */
		if (i < g->round_nr || i == MEM_WRITERS_MAX)
			g->round_nr = 0;
		g->round[g->round_nr++] = *op;
		return GUESS_WAITS;
	}
	g->round_nr = 0;
	how = guess_look(g, op);
	if (op->kind == OP_READ || op->kind == OP_WRITE || how == GUESS_FORBIDDEN || how == GUESS_HUGE)
		return how;
	call = guess_call(op);
	guess_apply(g, &call, &g->check.want);
	return how;
}
