/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tamper.c - whatever an engine logs is there for a reason. An engine that does everything right has its log tampered with before
 * the oracle sees it: events of one kind are left out, or come at another time, and that must be reported; with the log as it is nothing
 * may be.
 *
 * Every configuration of every format, each once more as if its device cached what is not there.
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

#define CLASS(name) (UINT64_C(1) << VERDICT_##name)

static struct exec x;
static sigjmp_buf caught;
static struct verdict seen;

static void catch (void *arg, const struct verdict *v, const struct op *op)
{
	(void)arg;
	(void)op;
	seen = *v;
	siglongjmp(caught, 1);
}

/* --- what is done to a log; each returns whether it has changed anything --- */

static bool is_kind(const struct mem_event *ev, enum mem_event_kind kind)
{
	return ev->kind == kind;
}

static bool leave_out(struct mem_view *view, enum mem_event_kind kind)
{
	size_t i, nr = 0;
	bool changed;

	for (i = 0; i < view->events_nr; i++)
		if (!is_kind(&view->events[i], kind))
			view->events[nr++] = view->events[i];
	changed = nr < view->events_nr;
	view->events_nr = nr;
	return changed;
}

/* Events of this kind come first, or (last) behind all others. */
static bool move(struct mem_view *view, enum mem_event_kind kind, bool last)
{
	struct mem_event *old = malloc((view->events_nr + 1) * sizeof(*old));
	size_t i, nr = 0;
	unsigned pass;
	bool changed;

	assert_non_null(old);
	memcpy(old, view->events, view->events_nr * sizeof(*old));
	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < view->events_nr; i++)
			if (is_kind(&old[i], kind) == (pass == (last ? 1 : 0)))
				view->events[nr++] = old[i];
	changed = memcmp(old, view->events, nr * sizeof(*old));
	free(old);
	return changed;
}

static bool invalidations_gone(struct mem_view *view)
{
	return leave_out(view, MEM_INVALIDATE);
}

static bool invalidations_first(struct mem_view *view)
{
	return move(view, MEM_INVALIDATE, false);
}

static bool syncs_gone(struct mem_view *view)
{
	return leave_out(view, MEM_SYNC) && leave_out(view, MEM_INVALIDATE);
}

static bool has(const struct mem_view *view, enum mem_event_kind kind)
{
	size_t i;

	for (i = 0; i < view->events_nr && !is_kind(&view->events[i], kind); i++)
		;
	return i < view->events_nr;
}

static bool syncs_last(struct mem_view *view)
{
	return move(view, MEM_SYNC, true) && has(view, MEM_FREE);
}

static bool frees_gone(struct mem_view *view)
{
	return leave_out(view, MEM_FREE);
}

/* Commands that keep the walk caches; where there is a table whose pointer is gone, that is too little. */
static bool leaves_alone(struct mem_view *view)
{
	size_t i;
	bool changed = true;

	for (i = 0; i < view->events_nr; i++) {
		struct mem_event *ev = &view->events[i], old = *ev;

		if (ev->kind != MEM_INVALIDATE)
			continue;
		switch (ev->pa) {
		case TLB_GENERIC:
			ev->old &= ~(UINT64_C(1) << 8);
			break;
		case TLB_AMD: /* PDE */
			ev->new &= ~UINT64_C(2);
			break;
		case TLB_VTD: /* IH, where G says that pages are named */
			ev->new |= (ev->old >> 4 & 3) == 3 && (ev->old & 15) == 2 ? 1 << 6 : 0;
			break;
		case TLB_ARM: /* Leaf, of TLBI_NH_VA and TLBI_S2_IPA */
			ev->new |= (ev->old & 0xff) == 0x12 || (ev->old & 0xff) == 0x2a;
			break;
		case TLB_RISCV: /* NL, where AV says that an address is named */
			ev->old &= ev->old >> 10 & 1 ? ~(UINT64_C(1) << 34) : ~UINT64_C(0);
			break;
		}
		changed = changed && memcmp(&old, ev, sizeof(old));
	}
	return changed && has(view, MEM_INVALIDATE) && has(view, MEM_FREE);
}

static bool mappings_gone(struct mem_view *view)
{
	return leave_out(view, MEM_DMA_MAP);
}

static bool unmappings_gone(struct mem_view *view)
{
	return leave_out(view, MEM_DMA_UNMAP);
}

static bool write_backs_gone(struct mem_view *view)
{
	return leave_out(view, MEM_FLUSH);
}

static bool write_backs_first(struct mem_view *view)
{
	return move(view, MEM_FLUSH, false);
}

static bool write_backs_last(struct mem_view *view)
{
	return move(view, MEM_FLUSH, true) && has(view, MEM_INVALIDATE);
}

/*
 * struct tamper - one way to falsify a log.
 *
 * @off:     checks that are off, since they would see it another way and sooner
 * @classes: of the findings that it may lead to
 * @done:    how often it changed a log
 */
struct tamper {
	const char *name;
	bool (*falsify)(struct mem_view *view);
	unsigned off;
	uint64_t classes;
	unsigned done;
};

static struct tamper tampers[] = {
	{ "as it is", NULL, 0, 0, 0 },
	{ "no invalidation", invalidations_gone, 0, CLASS(STALE_IOTLB) | CLASS(STALE_WALK_CACHE), 0 },
	{ "invalidations before the stores", invalidations_first, 0, CLASS(STALE_IOTLB) | CLASS(STALE_WALK_CACHE), 0 },
	{ "neither invalidation nor sync", syncs_gone, 1u << CHECK_INFLIGHT,
	  CLASS(STALE_IOTLB) | CLASS(STALE_WALK_CACHE) | CLASS(USE_AFTER_FREE), 0 },
	{ "tables freed before the sync", syncs_last, 1u << CHECK_INFLIGHT, CLASS(STALE_WALK_CACHE) | CLASS(USE_AFTER_FREE), 0 },
	{ "tables not freed", frees_gone, 1u << CHECK_INFLIGHT, CLASS(LEAK), 0 },
	{ "table pointers not invalidated", leaves_alone, 0, CLASS(STALE_WALK_CACHE), 0 },
	{ "tables not mapped for the device", mappings_gone, 0, CLASS(MISSING_FLUSH), 0 },
	{ "tables freed while mapped for it", unmappings_gone, 0, CLASS(LEAK), 0 },
	{ "no write-back", write_backs_gone, 0, CLASS(MISSING_FLUSH), 0 },
	{ "write-backs before the stores", write_backs_first, 0, CLASS(MISSING_FLUSH), 0 },
	{ "write-backs after the invalidation", write_backs_last, 1u << CHECK_INFLIGHT, CLASS(STALE_IOTLB) | CLASS(STALE_WALK_CACHE), 0 },
};

/* --- the engine --- */

static const struct engine_ops *right;
static struct engine_ops ops;
static struct tamper *armed;
static bool changed;

/* Asked after each operation, and so the place to tamper with its log. */
static void tampered_root(const struct engine *e, uint64_t *pa, unsigned *level)
{
	right->root(e, pa, level);
	if (armed && armed->falsify)
		changed = armed->falsify(&x.mem.view);
}

enum { OPS_NR = 9 };

/* Pieces of large pages and of small ones, whose tables come and go. */
static void make_ops(struct op *op)
{
	const struct hw *hw = &x.check.hw;
	uint64_t small = UINT64_C(1) << x.check.small_lg2, first = hw->has_low ? 0 : hw->iova_high_first;
	uint64_t large = UINT64_C(1) << (hw->top_level_max ? hw->item_lg2[1] : hw->item_lg2[0] + 2), oa = UINT64_C(1) << (hw->oa_lg2 - 1);
	uint64_t beside;

	large = large > small ? large : small;
	beside = first + 4 * large;
	op[0] = (struct op){ .kind = OP_MAP, .iova = first, .last = first + 2 * large - 1, .oa = oa, .prot = PROT_R | PROT_W };
	op[1] = (struct op){ .kind = OP_WRITE, .iova = first, .last = first };
	op[2] = (struct op){ .kind = OP_CUT, .iova = first + small, .last = first + small };
	op[3] = (struct op){ .kind = OP_MAP, .iova = beside, .last = beside + small - 1, .oa = oa + 8 * large, .prot = PROT_R };
	op[4] = (struct op){ .kind = OP_UNMAP, .iova = beside, .last = beside + large - 1 };
	op[5] = (struct op){ .kind = OP_UNMAP, .iova = first, .last = first + small - 1 };
	op[6] = (struct op){ .kind = OP_MAP, .iova = first, .last = first + small - 1, .oa = oa + 9 * large, .prot = PROT_R | PROT_W };
	op[7] = (struct op){ .kind = OP_DIRTY, .iova = first, .last = first + 2 * large - 1, .clear = true };
	op[8] = (struct op){ .kind = OP_UNMAP, .iova = first, .last = first + 2 * large - 1 };
}

/* Operations before at, and that one with its log tampered with. */
static void try_at(const struct config *cfg, const char *text, struct tamper *t, unsigned at)
{
	struct op op[OPS_NR];
	const char *why = "";
	unsigned i;

	assert_int_equal(exec_open(&x, cfg, &why), 0);
	right = x.ops;
	ops = *right;
	ops.root = tampered_root;
	x.ops = &ops;
	seen.class = VERDICT_NR;
	changed = false;
	if (!sigsetjmp(caught, 0)) {
		make_ops(op);
		for (i = 0; i <= at; i++) {
			armed = i == at ? t : NULL;
			if (armed)
				x.check.on &= ~armed->off;
			exec_op(&x, &op[i]);
		}
	}
	t->done += changed;
	if (changed ? seen.class == VERDICT_NR || !(t->classes >> seen.class & 1) : seen.class != VERDICT_NR)
		fail_msg("%s negcache=%u, operation %u, %s: got %s: %s", text, cfg->negcache, at, t->name,
			 seen.class < VERDICT_NR ? verdict_name(seen.class) : "nothing", seen.class < VERDICT_NR ? seen.text : "");
	exec_abandon(&x);
}

static void try_config(const struct config *cfg, const char *text)
{
	unsigned i, at;

	for (i = 0; i < sizeof(tampers) / sizeof(tampers[0]); i++)
		for (at = tampers[i].falsify ? 0 : OPS_NR - 1; at < OPS_NR; at++)
			try_at(cfg, text, &tampers[i], at);
}

static void test_tamper__a_falsified_log_is_reported(void **state)
{
	unsigned f, c;
	size_t i;

	(void)state;
	for (f = 0; engine_formats()[f]; f++) {
		const struct engine_ops *format = engine_formats()[f];

		for (c = 0; format->configs[c]; c++) {
			struct trace_error err;
			struct config cfg;
			char text[300];

			snprintf(text, sizeof(text), "%s %s", format->name, format->configs[c]);
			assert_int_equal(config_parse(text, &cfg, &err), 0);
			assert_int_equal(exec_resolve(&cfg, text, sizeof(text)), 0);
			snprintf(text, sizeof(text), "%s %s", format->name, format->configs[c]);
			cfg.defer = 0;
			for (cfg.negcache = 0; cfg.negcache < 2; cfg.negcache++)
				try_config(&cfg, text);
		}
	}
	for (i = 1; i < sizeof(tampers) / sizeof(tampers[0]); i++) {
		print_message("%s: %u logs\n", tampers[i].name, tampers[i].done);
		assert_true(tampers[i].done > 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_tamper__a_falsified_log_is_reported) };
	struct exec_options options = exec_defaults;
	int failed;

	options.arena_bytes = 16u << 20;
	if (exec_init(&x, &options, catch, NULL))
		return 3;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	exec_release(&x);
	return failed;
}
