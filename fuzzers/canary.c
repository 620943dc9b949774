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

#define CANARY_OPS 9
#define CANARY_SECONDS 20

/* More steps than any operation here may take. */
#define CANARY_ENDLESS (1u << 24)

#define CLASS(name) (UINT64_C(1) << VERDICT_##name)

/*
 * struct canary - a planted bug.
 *
 * @check:   that is to notice it
 * @classes: of the finding that it must lead to
 * @lies:    what takes the place of the engine's own; the rest is NULL
 */
struct canary {
	enum check_kind check;
	uint64_t classes;
	struct engine_ops lies;
};

/* The one that is running: the engine as it is, its operations, and whether it had a place to show. */
static struct {
	struct exec x;
	const struct canary *canary;
	struct op ops_run[CANARY_OPS];
	const struct engine_ops *right;
	struct engine_ops ops;
	sigjmp_buf end;
	bool shown, noticed;
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
static int canary_map_pieces(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g,
			     uint64_t *granules)
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

static int canary_map_refused(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g,
			      uint64_t *granules)
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

/* The obvious way to cut: the device finds nothing there for a while. */
static int canary_cut_breaks(struct engine *e, uint64_t iova, struct gather *g)
{
	const struct hw *hw = &canary_now.x.check.hw;
	const struct op *map = &canary_now.ops_run[0];
	uint64_t granules, before = iova - map->iova;

	if (!hw->cap_leaf_to_table || !hw->cap_size_change)
		return canary_now.right->cut(e, iova, g);
	canary_now.shown = true;
	canary_now.right->unmap(e, map->iova, map->last, g, &granules);
	if (canary_now.right->map(e, map->iova, iova - 1, map->oa, map->prot, g, &granules))
		return -ENOMEM;
	return canary_now.right->map(e, iova, map->last, map->oa + before, map->prot, g, &granules);
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

static const struct canary canaries[] = {
	{ CHECK_TRANSLATION, CLASS(WRONG_TRANSLATE), { .translate = canary_translate } },
	{ CHECK_INFLIGHT, CLASS(FAULT_WINDOW), { .cut = canary_cut_breaks } },
	{ CHECK_INFLIGHT, CLASS(USE_AFTER_FREE), { .root = canary_no_sync } },
	{ CHECK_LAYOUT, CLASS(NOT_OPTIMAL), { .map = canary_map_pieces } },
	{ CHECK_IOTLB, CLASS(STALE_IOTLB) | CLASS(STALE_WALK_CACHE), { .root = canary_no_invalidation } },
	{ CHECK_WRITEBACK, CLASS(MISSING_FLUSH), { .root = canary_no_write_back } },
	{ CHECK_DIRTY, CLASS(LOST_DIRTY), { .dirty = canary_dirty } },
	{ CHECK_FAILURE, CLASS(WRONG_RETURN), { .map = canary_map_refused } },
	{ CHECK_ACCOUNTING, CLASS(LEAK), { .root = canary_no_free } },
	{ CHECK_PROGRESS, CLASS(NO_PROGRESS), { .translate = canary_endless } },
};

/* The engine, with what the bug puts in the place of its own. */
static void canary_plant(const struct engine_ops *lies)
{
	canary_now.right = canary_now.x.ops;
	canary_now.ops = *canary_now.right;
	if (lies->translate)
		canary_now.ops.translate = lies->translate;
	if (lies->map)
		canary_now.ops.map = lies->map;
	if (lies->cut)
		canary_now.ops.cut = lies->cut;
	if (lies->dirty)
		canary_now.ops.dirty = lies->dirty;
	if (lies->root)
		canary_now.ops.root = lies->root;
	canary_now.x.ops = &canary_now.ops;
}

/* What a judge that reads no tables can see. */
#define CANARY_BLIND (1u << CHECK_TRANSLATION | 1u << CHECK_FAILURE | 1u << CHECK_PROGRESS)

/* What a table of the smallest pages spans; where that is everything, some of them. */
static uint64_t canary_span(void)
{
	const struct hw *hw = &canary_now.x.check.hw;
	unsigned level = 0, small_lg2 = canary_now.x.check.small_lg2;

	while (level < hw->top_level_max && hw->item_lg2[level + 1] <= small_lg2)
		level++;
	return UINT64_C(1) << (level < hw->top_level_max ? hw->item_lg2[level + 1] : small_lg2 + 2);
}

/* A large piece, and beside it a table full of the smallest pages, that goes when they do. */
static void canary_ops(struct op *op)
{
	const struct hw *hw = &canary_now.x.check.hw;
	uint64_t small = UINT64_C(1) << canary_now.x.check.small_lg2, large = canary_span(), oa = UINT64_C(1) << (hw->oa_lg2 - 1);
	uint64_t first = hw->has_low ? 0 : hw->iova_high_first, beside = first + large;

	op[0] = (struct op){ .kind = OP_MAP, .iova = first, .last = first + large - 1, .oa = oa, .prot = PROT_R | PROT_W };
	op[1] = (struct op){
		.kind = OP_MAP, .iova = beside, .last = beside + large - 1, .oa = oa + 4 * large + small, .prot = PROT_R | PROT_W
	};
	op[2] = (struct op){ .kind = OP_MAP, .iova = first, .last = first + small - 1, .oa = oa, .prot = PROT_R | PROT_W };
	op[3] = (struct op){ .kind = OP_TRANSLATE, .iova = first, .last = first };
	op[4] = (struct op){ .kind = OP_WRITE, .iova = first, .last = first };
	op[5] = (struct op){ .kind = OP_DIRTY, .iova = first, .last = first + large - 1 };
	op[6] = (struct op){ .kind = OP_UNMAP, .iova = beside, .last = beside + large - 1 };
	op[7] = (struct op){ .kind = OP_CUT, .iova = first + small, .last = first + small };
	op[8] = (struct op){ .kind = OP_UNMAP, .iova = first, .last = first + large - 1 };
}

static void canary_caught(void *arg, const struct verdict *v, const struct op *op)
{
	(void)arg;
	(void)op;
	canary_now.noticed = canary_now.canary->classes >> v->class & 1;
	siglongjmp(canary_now.end, 1);
}

/* Run the operations. Returns whether something was found. */
static bool canary_fly(struct exec *x)
{
	unsigned i;

	canary_ops(canary_now.ops_run);
	if (sigsetjmp(canary_now.end, 0))
		return true;
	for (i = 0; i < CANARY_OPS; i++)
		exec_op(x, &canary_now.ops_run[i]);
	return false;
}

/* Without a planted bug. */
static bool canary_faulty(const struct config *cfg)
{
	static const struct canary none;
	const char *why;
	bool found;

	canary_now.canary = &none;
	if (exec_open(&canary_now.x, cfg, &why))
		_exit(EXIT_TOOL);
	found = canary_fly(&canary_now.x);
	exec_abandon(&canary_now.x);
	return found;
}

static void canary_one(const struct config *cfg, const struct canary *canary, struct canary_result *res)
{
	struct exec *x = &canary_now.x;
	unsigned bit = 1u << canary->check;
	const char *why;

	canary_now.canary = canary;
	canary_now.shown = canary_now.noticed = false;
	if (exec_open(x, cfg, &why))
		_exit(EXIT_TOOL);
	if (!x->check.blind || CANARY_BLIND & bit) {
		canary_plant(&canary->lies);
		canary_fly(x);
		if (canary_now.noticed)
			res->noticed |= bit;
		else if (canary_now.shown)
			res->missed |= bit;
	}
	exec_abandon(x);
}

static void canary_all(const struct exec_options *options, const struct config *cfg, struct canary_result *res)
{
	struct config now = *cfg;
	unsigned i;

	/* What waits for a sync may not be mapped again. */
	now.defer = 0;
	if (exec_init(&canary_now.x, options, canary_caught, NULL))
		_exit(EXIT_TOOL);
	/* One engine alone, or the two would be compared. */
	canary_now.x.twin = NULL;
	res->faulty = canary_faulty(&now);
	for (i = 0; !res->faulty && i < sizeof(canaries) / sizeof(canaries[0]); i++) {
		if (!(options->checks >> canaries[i].check & 1))
			continue;
		/* The others might see it too, and sooner; but one that does not end must end in any case. */
		canary_now.x.options.checks = 1u << canaries[i].check | 1u << CHECK_PROGRESS;
		canary_one(&now, &canaries[i], res);
	}
}

int canary_run(const struct exec_options *options, const struct config *cfg, struct canary_result *res)
{
	struct canary_result *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ret = 0, status = 0;
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
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	*res = *shared;
	res->faulty |= WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) != EXIT_CLEAN && WEXITSTATUS(status) != EXIT_TOOL);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_TOOL)
		ret = -ENOMEM;
	munmap(shared, sizeof(*shared));
	return ret;
}

int canary_must(const struct exec_options *options, const struct config *cfg, struct canary_result *sum)
{
	char text[CONFIG_TEXT_MAX], names[128] = "";
	struct canary_result res;
	struct config brief = *cfg;
	unsigned check;
	int ret;

	if (sum->faulty)
		return -1;
	ret = canary_run(options, cfg, &res);
	if (ret)
		return complain(EXIT_TOOL, "the planted bugs cannot be tried: %s", strerror(-ret));
	sum->noticed |= res.noticed;
	sum->missed |= res.missed;
	sum->faulty |= res.faulty;
	if (!res.faulty && !(res.noticed & 1u << CHECK_TRANSLATION))
		res.missed |= options->checks & 1u << CHECK_TRANSLATION;
	if (!res.missed)
		return -1;
	for (check = 0; check < CHECK_NR; check++)
		if (res.missed >> check & 1)
			snprintf(names + strlen(names), sizeof(names) - strlen(names), " %s", check_names[check]);
	exec_brief(&brief);
	config_print(&brief, text, sizeof(text));
	return complain(EXIT_TOOL, "planted bugs go unnoticed in %s, by:%s; that nothing is reported would mean nothing", text, names);
}
