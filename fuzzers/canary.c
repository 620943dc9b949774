/* SPDX-License-Identifier: GPL-2.0-or-later */
/* canary.c - planted bugs that must be noticed; see canary.h. */
#include "canary.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "options.h"
#include "run.h"

#define CANARY_ARENA (UINT64_C(64) << 20)
#define CANARY_OPS 8
#define CANARY_SECONDS 20

/* More steps than any operation here may take. */
#define CANARY_ENDLESS (1u << 24)

/* The one that is running: the engine as it is, and whether the bug had a place to show. */
static struct {
	struct exec x;
	const struct engine_ops *right;
	struct engine_ops ops;
	sigjmp_buf end;
	bool shown;
} canary_now;

/* --- engines that lie --- */

static int canary_translate(struct engine *e, uint64_t iova, uint64_t *oa)
{
	int ret = canary_now.right->translate(e, iova, oa);

	*oa ^= UINT64_C(1) << canary_now.x.check.small_lg2;
	canary_now.shown |= !ret;
	return ret;
}

/* The first page by itself, so that what might be one large leaf is many. */
static int canary_map_pieces(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g, uint64_t *granules)
{
	uint64_t page = UINT64_C(1) << canary_now.x.check.small_lg2, rest = 0;
	int ret;

	if (last - iova < page)
		return canary_now.right->map(e, iova, last, oa, prot, g, granules);
	ret = canary_now.right->map(e, iova, iova + page - 1, oa, prot, g, granules);
	if (!ret)
		ret = canary_now.right->map(e, iova + page, last, oa + page, prot, g, &rest);
	*granules += rest;
	/* The range is a power of two, and aligned to itself. */
	canary_now.shown |= !ret && (canary_now.x.cfg.pgsizes & (2 * (last - iova) + 1)) > page;
	return ret;
}

static int canary_map_refused(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g, uint64_t *granules)
{
	int ret = canary_now.right->map(e, iova, last, oa, prot, g, granules);

	canary_now.shown |= ret;
	return ret ? -ENOENT : 0;
}

static void canary_deaf(void *arg, uint64_t iova, uint64_t last)
{
	(void)arg;
	(void)iova;
	(void)last;
	canary_now.shown = true;
}

static int canary_dirty(struct engine *e, uint64_t iova, uint64_t last, bool clear, struct gather *g, engine_dirty_fn *fn, void *arg)
{
	(void)fn;
	(void)arg;
	return canary_now.right->dirty(e, iova, last, clear, g, canary_deaf, NULL);
}

/* Never ends, as far as anybody can tell. */
static int canary_endless(struct engine *e, uint64_t iova, uint64_t *oa)
{
	unsigned level, i;
	uint64_t root;

	canary_now.shown = true;
	canary_now.right->root(e, &root, &level);
	for (i = 0; i < CANARY_ENDLESS; i++)
		mem_load(&canary_now.x.mem, root, canary_now.x.check.hw.item_bytes_lg2);
	return canary_now.right->translate(e, iova, oa);
}

/* --- logs with something missing; asked for the root is whoever has just called the engine, before the oracle looks at the log --- */

static void canary_leave_out(enum mem_event_kind kind)
{
	struct mem_view *view = &canary_now.x.mem.view;
	size_t i, nr = 0;

	for (i = 0; i < view->events_nr; i++)
		if (view->events[i].kind != kind)
			view->events[nr++] = view->events[i];
	canary_now.shown |= nr < view->events_nr;
	view->events_nr = nr;
}

static void canary_no_invalidation(const struct engine *e, uint64_t *pa, unsigned *level)
{
	canary_now.right->root(e, pa, level);
	canary_leave_out(MEM_INVALIDATE);
}

static void canary_no_write_back(const struct engine *e, uint64_t *pa, unsigned *level)
{
	canary_now.right->root(e, pa, level);
	canary_leave_out(MEM_FLUSH);
}

static void canary_no_free(const struct engine *e, uint64_t *pa, unsigned *level)
{
	canary_now.right->root(e, pa, level);
	canary_leave_out(MEM_FREE);
}

/* A device that walks a table while it is freed: as if nobody had waited for it. */
static void canary_no_sync(const struct engine *e, uint64_t *pa, unsigned *level)
{
	const struct mem_view *view = &canary_now.x.mem.view;
	bool frees = false;
	size_t i;

	canary_now.right->root(e, pa, level);
	for (i = 0; i < view->events_nr; i++)
		frees |= view->events[i].kind == MEM_FREE;
	if (frees)
		canary_leave_out(MEM_SYNC);
}

/* --- which check is to notice which --- */

static void canary_plant(struct engine_ops *ops, enum check_kind check)
{
	switch (check) {
	case CHECK_TRANSLATION:
		ops->translate = canary_translate;
		break;
	case CHECK_INFLIGHT:
		ops->root = canary_no_sync;
		break;
	case CHECK_LAYOUT:
		ops->map = canary_map_pieces;
		break;
	case CHECK_IOTLB:
		ops->root = canary_no_invalidation;
		break;
	case CHECK_WRITEBACK:
		ops->root = canary_no_write_back;
		break;
	case CHECK_DIRTY:
		ops->dirty = canary_dirty;
		break;
	case CHECK_FAILURE:
		ops->map = canary_map_refused;
		break;
	case CHECK_ACCOUNTING:
		ops->root = canary_no_free;
		break;
	case CHECK_PROGRESS:
		ops->translate = canary_endless;
		break;
	case CHECK_NR:
		break;
	}
}

/* What a judge that reads no tables can see. */
#define CANARY_BLIND (1u << CHECK_TRANSLATION | 1u << CHECK_FAILURE | 1u << CHECK_PROGRESS)

/* A large piece, and a small one whose table goes with it. */
static void canary_ops(struct op *op)
{
	const struct hw *hw = &canary_now.x.check.hw;
	uint64_t small = UINT64_C(1) << canary_now.x.check.small_lg2, first = hw->has_low ? 0 : hw->iova_high_first;
	uint64_t large = UINT64_C(1) << (hw->top_level_max ? hw->item_lg2[1] : hw->item_lg2[0] + 2), oa = UINT64_C(1) << (hw->oa_lg2 - 1);
	uint64_t beside;

	large = large > small ? large : small;
	beside = first + 2 * large;
	op[0] = (struct op){ .kind = OP_MAP, .iova = first, .last = first + large - 1, .oa = oa, .prot = PROT_R | PROT_W };
	op[1] = (struct op){ .kind = OP_MAP, .iova = beside, .last = beside + small - 1, .oa = oa + 4 * large, .prot = PROT_R | PROT_W };
	op[2] = (struct op){ .kind = OP_MAP, .iova = first, .last = first + small - 1, .oa = oa, .prot = PROT_R | PROT_W };
	op[3] = (struct op){ .kind = OP_TRANSLATE, .iova = first, .last = first };
	op[4] = (struct op){ .kind = OP_WRITE, .iova = first, .last = first };
	op[5] = (struct op){ .kind = OP_DIRTY, .iova = first, .last = first + large - 1 };
	op[6] = (struct op){ .kind = OP_UNMAP, .iova = beside, .last = beside + large - 1 };
	op[7] = (struct op){ .kind = OP_UNMAP, .iova = first, .last = first + large - 1 };
}

static void canary_caught(void *arg, const struct verdict *v, const struct op *op)
{
	(void)arg;
	(void)v;
	(void)op;
	siglongjmp(canary_now.end, 1);
}

static void canary_one(const struct config *cfg, enum check_kind check, struct canary_result *res)
{
	struct exec *x = &canary_now.x;
	struct op op[CANARY_OPS];
	const char *why;
	unsigned i;

	canary_now.shown = false;
	if (exec_open(x, cfg, &why))
		return;
	if (x->check.blind && !(CANARY_BLIND >> check & 1)) {
		exec_abandon(x);
		return;
	}
	canary_now.right = x->ops;
	canary_now.ops = *x->ops;
	canary_plant(&canary_now.ops, check);
	x->ops = &canary_now.ops;
	if (sigsetjmp(canary_now.end, 0)) {
		res->noticed |= 1u << check;
	} else {
		canary_ops(op);
		for (i = 0; i < CANARY_OPS; i++)
			exec_op(x, &op[i]);
		if (canary_now.shown)
			res->missed |= 1u << check;
	}
	exec_abandon(x);
}

static void canary_all(const struct exec_options *options, const struct config *cfg, struct canary_result *res)
{
	struct exec_options alone = *options;
	unsigned check;

	alone.arena_bytes = CANARY_ARENA;
	if (exec_init(&canary_now.x, &alone, canary_caught, NULL))
		_exit(EXIT_TOOL);
	for (check = 0; check < CHECK_NR; check++) {
		/* The others might see it too, and sooner. */
		canary_now.x.options.checks = options->checks & 1u << check;
		if (canary_now.x.options.checks)
			canary_one(cfg, (enum check_kind)check, res);
	}
}

int canary_run(const struct exec_options *options, const struct config *cfg, struct canary_result *res)
{
	struct canary_result *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ret = 0;
	pid_t pid;

	if (shared == MAP_FAILED)
		return -ENOMEM;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		struct rlimit cpu = { CANARY_SECONDS, CANARY_SECONDS + 1 };

		run_guard();
		setrlimit(RLIMIT_CPU, &cpu);
		canary_all(options, cfg, shared);
		_exit(EXIT_CLEAN);
	}
	if (pid < 0)
		ret = -errno;
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	*res = *shared;
	munmap(shared, sizeof(*shared));
	return ret;
}

int canary_must(const struct exec_options *options, const struct config *cfg, unsigned *noticed)
{
	struct canary_result res;
	int ret = canary_run(options, cfg, &res);

	if (ret)
		return complain(EXIT_TOOL, "no process for the canaries: %s", strerror(-ret));
	*noticed |= res.noticed;
	if (!res.missed)
		return -1;
	return complain(EXIT_TOOL, "%s: a planted bug goes unnoticed by the check %s: that it reports nothing would mean nothing", cfg->format,
			check_names[__builtin_ctz(res.missed)]);
}
