/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_deeds.c - an engine that does something else than it is asked to, on the way that operations take: each deed is reported with the
 * right class, and the one beside it, which differs in the point at issue, is not.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzzers/exec.h"
#include "../oracle/dirty.h"
#include "../oracle/walk.h"

#define AT UINT64_C(0x40000000)
#define OA UINT64_C(0x80000000)
#define SMALL UINT64_C(0x1000)
#define GROUP UINT64_C(0x10000)
#define LARGE UINT64_C(0x200000)
#define RW (PROT_R | PROT_W)

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

static const struct engine_ops *right;
static struct engine_ops ops;

static void open_domain(const char *text)
{
	struct trace_error err;
	struct config cfg;
	const char *why = "";
	char line[300];

	assert_int_equal(config_parse(text, &cfg, &err), 0);
	assert_int_equal(exec_resolve(&cfg, line, sizeof(line)), 0);
	assert_int_equal(exec_open(&x, &cfg, &why), 0);
	right = x.ops;
	ops = *right;
	x.ops = &ops;
	seen.class = VERDICT_NR;
}

static enum exec_status run(enum op_kind kind, uint64_t iova, uint64_t bytes)
{
	return exec_op(&x, &(struct op){ .kind = kind, .iova = iova, .last = iova + bytes - 1, .oa = OA + (iova - AT), .prot = RW });
}

static void expect(const char *name, enum verdict_class class)
{
	if (seen.class != class)
		fail_msg("%s: expected %s, got %s: %s", name, class < VERDICT_NR ? verdict_name(class) : "nothing",
			 seen.class < VERDICT_NR ? verdict_name(seen.class) : "nothing", seen.class < VERDICT_NR ? seen.text : "");
}

static struct walk walk_of(uint64_t iova)
{
	struct walk w;

	walk(&x.check.hw, &x.mem.view, x.check.root, x.check.root_level, iova, &w);
	return w;
}

/* The item that decides what iova translates to. */
static uint64_t item_of(uint64_t iova, uint64_t *raw)
{
	struct walk w = walk_of(iova);

	*raw = w.steps[w.nr - 1].raw;
	return w.steps[w.nr - 1].pa;
}

/* A damage that no store of an engine would make, and no log shows. */
static void damage(uint64_t iova, uint64_t set, uint64_t clear)
{
	uint64_t raw, pa = item_of(iova, &raw);

	mem_raw_store(&x.mem, pa, x.check.hw.item_bytes_lg2, (raw & ~clear) | set, __ATOMIC_RELAXED);
}

/* --- what is done in place of an unmap --- */

/* All that the table holds, and so the table. */
static int unmap_table(struct engine *e, uint64_t iova, uint64_t last, struct gather *g, uint64_t *granules)
{
	int ret = right->unmap(e, iova, last | (LARGE - 1), g, granules);

	*granules = 1;
	return ret;
}

/* Goes on behind the hole. */
static int unmap_far(struct engine *e, uint64_t iova, uint64_t last, struct gather *g, uint64_t *granules)
{
	uint64_t more;

	right->unmap(e, iova, last, g, granules);
	return right->unmap(e, AT + 2 * LARGE, last, g, &more);
}

/* Leaves the table where it is. */
static int unmap_pages_alone(struct engine *e, uint64_t iova, uint64_t last, struct gather *g, uint64_t *granules)
{
	uint64_t raw, pa = item_of(iova, &raw);

	(void)e;
	*granules = (last - iova) / SMALL + 1;
	mem_fill(&x.mem, pa, 3, (unsigned)*granules, 0, 0);
	gather_leaf(g, iova, last, 0, 12);
	return 0;
}

/* The leaf forbids writes for a while, and then is gone. */
static int unmap_in_steps(struct engine *e, uint64_t iova, uint64_t last, struct gather *g, uint64_t *granules)
{
	uint64_t raw, pa = item_of(iova, &raw);

	mem_store(&x.mem, pa, 3, raw & ~UINT64_C(2), MEM_RELAXED);
	return right->unmap(e, iova, last, g, granules);
}

/* Pages in another order than that of their addresses, the last two of three invalidated or not. */
static int unmap_in_disorder(struct engine *e, uint64_t iova, uint64_t last, struct gather *g, uint64_t *granules)
{
	static const unsigned order[] = { 0, 2, 1 };
	uint64_t raw;
	unsigned i;

	(void)e;
	for (i = 0; i < 3; i++)
		mem_store(&x.mem, item_of(iova + order[i] * SMALL, &raw), 3, 0, MEM_RELAXED);
	gather_leaf(g, iova, last, 0, 12);
	*granules = 3;
	return 0;
}

static int unmap_less_invalidated(struct engine *e, uint64_t iova, uint64_t last, struct gather *g, uint64_t *granules)
{
	return unmap_in_disorder(e, iova, last - SMALL, g, granules);
}

/* A group goes, and one of its items is invalidated. */
static int unmap_item_invalidated(struct engine *e, uint64_t iova, uint64_t last, struct gather *g, uint64_t *granules)
{
	int ret = unmap_pages_alone(e, iova, last, g, granules);

	gather_init(g);
	gather_leaf(g, iova, iova + SMALL - 1, 0, 12);
	return ret;
}

/* Two pages go in one fill, and are written back together or with the invalidation between the two. */
static int unmap_written_back(struct engine *e, uint64_t iova, uint64_t last, struct gather *g, uint64_t *granules)
{
	uint64_t raw, pa = item_of(iova, &raw);

	unmap_pages_alone(e, iova, last, g, granules);
	mem_flush(&x.mem, pa, 16);
	return 0;
}

static int unmap_written_back_in_parts(struct engine *e, uint64_t iova, uint64_t last, struct gather *g, uint64_t *granules)
{
	uint64_t raw, pa = item_of(iova, &raw);

	unmap_pages_alone(e, iova, last, g, granules);
	mem_flush(&x.mem, pa, 8);
	right->sync(e, g);
	mem_flush(&x.mem, pa + 8, 8);
	return 0;
}

/* --- in place of a cut of [AT, AT + LARGE) or [AT, AT + GROUP) at AT + SMALL, in pages --- */

static int cut_result;

/* Of armv8: a page as the first of what raw, a block or an item of a group, translates. */
static uint64_t page_of(uint64_t raw)
{
	return (raw | 2) & ~(UINT64_C(1) << 52);
}

static int cut_block_at_once(struct engine *e, uint64_t iova, struct gather *g)
{
	uint64_t raw, pa = item_of(AT, &raw), table = mem_alloc(&x.mem, 4096, 12);

	(void)e, (void)iova;
	mem_fill(&x.mem, table, 3, 512, page_of(raw), 12);
	assert_true(mem_cas(&x.mem, pa, 3, &raw, table | 3));
	gather_leaf(g, AT, AT + LARGE - 1, 1, 21);
	return cut_result;
}

static int cut_group_at_once(struct engine *e, uint64_t iova, struct gather *g)
{
	uint64_t raw, pa = item_of(AT, &raw);

	(void)e, (void)iova;
	mem_fill(&x.mem, pa, 3, 16, page_of(raw), 12);
	gather_leaf(g, AT, AT + GROUP - 1, 0, 16);
	return cut_result;
}

/* --- in place of a map: of [AT + SMALL, AT + 2 * SMALL) when there is a page at AT; of anything --- */

static int map_twice(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g, uint64_t *granules)
{
	uint64_t raw, none, pa = item_of(iova, &none);

	(void)e, (void)last, (void)prot, (void)g;
	item_of(AT, &raw);
	mem_store(&x.mem, pa, 3, raw + (oa - OA), MEM_RELEASE);
	mem_store(&x.mem, pa, 3, 0, MEM_RELAXED);
	mem_store(&x.mem, pa, 3, raw + (oa - OA), MEM_RELEASE);
	*granules = 1;
	return 0;
}

static int map_twice_and_invalidate(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g,
				    uint64_t *granules)
{
	gather_leaf(g, iova, last, 0, 12);
	return map_twice(e, iova, last, oa, prot, g, granules);
}

/* All but the last page, which is reported too. */
static int map_short(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g, uint64_t *granules)
{
	int ret = right->map(e, iova, last - SMALL, oa, prot, g, granules);

	*granules += 1;
	return ret;
}

/* More than was asked for. */
static int map_large(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g, uint64_t *granules)
{
	int ret = right->map(e, iova, last | (LARGE - 1), oa, prot, g, granules);

	*granules = 1;
	return ret;
}

/* Page by page, where a large one fits. */
static int map_small(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g, uint64_t *granules)
{
	uint64_t at, one;

	for (at = iova; at <= last; at += SMALL)
		assert_int_equal(right->map(e, at, at + SMALL - 1, oa + (at - iova), prot, g, &one), 0);
	*granules = (last - iova) / SMALL + 1;
	return 0;
}

/* --- in place of a report of what is dirty --- */

static int report_nothing(struct engine *e, uint64_t iova, uint64_t last, bool clear, struct gather *g, engine_dirty_fn *fn, void *arg)
{
	(void)e, (void)iova, (void)last, (void)clear, (void)g, (void)fn, (void)arg;
	return 0;
}

/* As good as never: far more steps than a cut can need. */
static int never_ends(struct engine *e, uint64_t iova, struct gather *g)
{
	unsigned steps;

	(void)e, (void)iova, (void)g;
	for (steps = 0; steps < 1u << 24; steps++)
		mem_load(&x.mem, x.check.root, 3);
	return 0;
}

/*
 * struct deed - an operation that is done in another way.
 *
 * @mapped: first bytes at AT, then, unless 0, as many again at AT + beside
 * @written: the device has written to AT before
 * @off:    checks that are off, since they would see it another way and sooner
 * @class:  VERDICT_NR: nothing is wrong with it
 * @map ... @result: what is done instead; NULL: what is right. @result is for a cut
 */
struct deed {
	const char *name, *config;
	uint64_t mapped, beside;
	bool written;
	struct op op;
	unsigned off;
	enum verdict_class class;
	int (*map)(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g, uint64_t *granules);
	int (*cut)(struct engine *e, uint64_t iova, struct gather *g);
	int (*unmap)(struct engine *e, uint64_t iova, uint64_t last, struct gather *g, uint64_t *granules);
	int (*dirty)(struct engine *e, uint64_t iova, uint64_t last, bool clear, struct gather *g, engine_dirty_fn *fn, void *arg);
	int result;
};

#define FLIGHT (1u << CHECK_INFLIGHT)
#define PAGES "vtdss pgsizes=0x1000"
#define UNMAP(bytes)                                                 \
	{                                                            \
		.kind = OP_UNMAP, .iova = AT, .last = AT + (bytes)-1 \
	}
#define CUT                                                            \
	{                                                              \
		.kind = OP_CUT, .iova = AT + SMALL, .last = AT + SMALL \
	}
#define MAP(at, bytes)                                                                                        \
	{                                                                                                     \
		.kind = OP_MAP, .iova = AT + (at), .last = AT + (at) + (bytes)-1, .oa = OA + (at), .prot = RW \
	}
#define REPORT                                                       \
	{                                                            \
		.kind = OP_DIRTY, .iova = AT, .last = AT + SMALL - 1 \
	}

static const struct deed deeds[] = {
	{ "a table goes with all that it holds", PAGES, LARGE, 0, false, UNMAP(SMALL), FLIGHT, VERDICT_OVER_FREE, .unmap = unmap_table },
	{ "a page of it goes", PAGES, LARGE, 0, false, UNMAP(SMALL), FLIGHT, VERDICT_NR, .unmap = NULL },
	{ "a table behind the hole goes", PAGES, LARGE, 2 * LARGE, false, UNMAP(3 * LARGE), FLIGHT, VERDICT_OVER_FREE, .unmap = unmap_far },
	{ "a table before the hole goes", PAGES, LARGE, 2 * LARGE, false, UNMAP(3 * LARGE), FLIGHT, VERDICT_NR, .unmap = NULL },
	{ "an empty table stays", PAGES, LARGE, 0, false, UNMAP(LARGE), 0, VERDICT_LEAK, .unmap = unmap_pages_alone },
	{ "a table of which half is empty stays", PAGES, LARGE, 0, false, UNMAP(LARGE / 2), 0, VERDICT_NR, .unmap = unmap_pages_alone },
	{ "a page forbids writes for a while", "vtdss", SMALL, 0, false, UNMAP(SMALL), 0, VERDICT_WRONG_PERMISSION,
	  .unmap = unmap_in_steps },
	{ "three pages, all invalidated", "vtdss", 3 * SMALL, 0, false, UNMAP(3 * SMALL), 0, VERDICT_NR, .unmap = unmap_in_disorder },
	{ "three pages, two invalidated", "vtdss", 3 * SMALL, 0, false, UNMAP(3 * SMALL), 0, VERDICT_STALE_IOTLB,
	  .unmap = unmap_less_invalidated },
	{ "a group, invalidated", "armv8_4k", GROUP, 0, false, UNMAP(GROUP), 0, VERDICT_NR, .unmap = unmap_pages_alone },
	{ "a group, an item invalidated", "armv8_4k", GROUP, 0, false, UNMAP(GROUP), 0, VERDICT_STALE_IOTLB,
	  .unmap = unmap_item_invalidated },
	{ "a group, an item invalidated", "riscv64", GROUP, 0, false, UNMAP(GROUP), 0, VERDICT_STALE_IOTLB,
	  .unmap = unmap_item_invalidated },
	{ "two pages, written back", "vtdss coherent=0", 2 * SMALL, 0, false, UNMAP(2 * SMALL), 0, VERDICT_NR,
	  .unmap = unmap_written_back },
	{ "two pages, one written back late", "vtdss coherent=0", 2 * SMALL, 0, false, UNMAP(2 * SMALL), 0, VERDICT_STALE_IOTLB,
	  .unmap = unmap_written_back_in_parts },
	{ "a block becomes a table in one store", "armv8_4k bbm=0 pgsizes=0x201000", LARGE, 0, false, CUT, 0, VERDICT_UNDECLARED_BREAK,
	  .cut = cut_block_at_once, .result = -EOPNOTSUPP },
	{ "a block becomes a table, which it may", "armv8_4k bbm=2 pgsizes=0x201000", LARGE, 0, false, CUT, 0, VERDICT_NR,
	  .cut = cut_block_at_once },
	{ "a group becomes pages in one go", "armv8_4k bbm=0 pgsizes=0x11000", GROUP, 0, false, CUT, 0, VERDICT_UNDECLARED_BREAK,
	  .cut = cut_group_at_once, .result = -EOPNOTSUPP },
	{ "a group becomes pages, which it may", "armv8_4k bbm=2 pgsizes=0x11000", GROUP, 0, false, CUT, 0, VERDICT_NR,
	  .cut = cut_group_at_once },
	{ "a page is made twice", "vtdss", SMALL, 0, false, MAP(SMALL, SMALL), 0, VERDICT_STALE_IOTLB, .map = map_twice },
	{ "a page is made twice, and invalidated", "vtdss", SMALL, 0, false, MAP(SMALL, SMALL), 0, VERDICT_NR,
	  .map = map_twice_and_invalidate },
	{ "up to a page that is there", "vtdss", SMALL, 0, false, MAP(-SMALL, 2 * SMALL), 0, VERDICT_NR, .map = NULL },
	{ "the last of several pages is not made", "vtdss", 0, 0, false, MAP(SMALL, 4 * SMALL), 0, VERDICT_WRONG_OA, .map = map_short },
	{ "a large page in place of a small one", "vtdss", 0, 0, false, MAP(0, SMALL), FLIGHT | 1u << CHECK_LAYOUT, VERDICT_WRONG_OA,
	  .map = map_large },
	{ "a small page in its own place", "vtdss", 0, 0, false, MAP(0, SMALL), FLIGHT | 1u << CHECK_LAYOUT, VERDICT_NR, .map = NULL },
	{ "small pages in place of a large one", "vtdss", 0, 0, false, MAP(0, LARGE), 0, VERDICT_NOT_OPTIMAL, .map = map_small },
	{ "small pages up to a large one, and more", "vtdss", 0, 0, false, MAP(LARGE - 2 * SMALL, LARGE + 2 * SMALL), 0,
	  VERDICT_NOT_OPTIMAL, .map = map_small },
	{ "pages up to a group, and more", "armv8_4k", 0, 0, false, MAP(GROUP - 2 * SMALL, GROUP + 2 * SMALL), 0, VERDICT_NOT_OPTIMAL,
	  .map = map_small },
	{ "small pages where no large one fits", "vtdss", 0, 0, false, MAP(SMALL, LARGE), 0, VERDICT_NR, .map = map_small },
	{ "a page that is dirty is not reported", "vtdss ad=1", SMALL, 0, true, REPORT, 0, VERDICT_LOST_DIRTY, .dirty = report_nothing },
	{ "a page that is clean is not reported", "vtdss ad=1", SMALL, 0, false, REPORT, 0, VERDICT_NR, .dirty = report_nothing },
	{ "a cut that does not end", "vtdss", LARGE, 0, false, CUT, 0, VERDICT_NO_PROGRESS, .cut = never_ends },
};

static void test_deeds__others_than_asked_for(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		const struct deed *volatile d = &deeds[i];

		open_domain(d->config);
		if (d->mapped)
			assert_int_equal(run(OP_MAP, AT, d->mapped), EXEC_DONE);
		if (d->beside)
			assert_int_equal(run(OP_MAP, AT + d->beside, d->mapped), EXEC_DONE);
		if (d->written)
			assert_int_equal(run(OP_WRITE, AT, 1), EXEC_DONE);
		cut_result = d->result;
		ops.map = d->map ? d->map : right->map;
		ops.cut = d->cut ? d->cut : right->cut;
		ops.unmap = d->unmap ? d->unmap : right->unmap;
		ops.dirty = d->dirty ? d->dirty : right->dirty;
		x.check.on &= ~d->off;
		if (!sigsetjmp(caught, 0))
			exec_op(&x, &d->op);
		expect(d->name, d->class);
		exec_abandon(&x);
	}
}

/* --- what a device sees, between operations and during one --- */

static void test_deeds__device_that_is_refused(void **state)
{
	static const struct {
		const char *name;
		uint64_t clear;
		enum op_kind kind;
		enum verdict_class class;
	} accesses[] = {
		{ "a read", 0, OP_READ, VERDICT_NR },
		{ "a write", 0, OP_WRITE, VERDICT_NR },
		{ "a read of a leaf that is gone", 3, OP_READ, VERDICT_WRONG_PERMISSION },
		{ "a write to a leaf that forbids it", 2, OP_WRITE, VERDICT_WRONG_PERMISSION },
		{ "a read of a leaf that forbids writes alone", 2, OP_READ, VERDICT_NR },
	};
	volatile size_t i;

	(void)state;
	for (i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
		open_domain("vtdss");
		assert_int_equal(run(OP_MAP, AT, SMALL), EXEC_DONE);
		damage(AT, 0, accesses[i].clear);
		if (!sigsetjmp(caught, 0))
			run(accesses[i].kind, AT, 1);
		expect(accesses[i].name, accesses[i].class);
		exec_abandon(&x);
	}
}

/* A table above the leaf that forbids writes counts for the device as well. */
static void test_deeds__device_obeys_tables(void **state)
{
	struct device_access access;
	struct walk w;

	(void)state;
	open_domain("vtdss");
	assert_int_equal(run(OP_MAP, AT, SMALL), EXEC_DONE);
	w = walk_of(AT);
	mem_raw_store(&x.mem, w.steps[w.nr - 2].pa, 3, w.steps[w.nr - 2].raw & ~UINT64_C(2), __ATOMIC_RELAXED);
	dirty_access(&x.check, AT, false, &access);
	assert_true(access.ok);
	dirty_access(&x.check, AT, true, &access);
	assert_false(access.ok);
	exec_abandon(&x);
}

/* Behind a pointer that skips a level only what has zeroes there is reached, by a walk and by the sweep. */
static void test_deeds__skipped_level(void **state)
{
	struct walk w;

	(void)state;
	open_domain("amdv1 levels=3");
	assert_int_equal(run(OP_MAP, AT, SMALL), EXEC_DONE);
	assert_int_equal(run(OP_MAP, AT + LARGE, SMALL), EXEC_DONE);
	w = walk_of(AT);
	assert_int_equal(w.nr, 3);
	mem_raw_store(&x.mem, w.steps[0].pa, 3, w.steps[1].raw, __ATOMIC_RELAXED);
	assert_int_equal(walk_of(AT).end, WALK_LEAF);
	assert_int_equal(walk_of(AT + LARGE).end, WALK_FAULT);
	if (!sigsetjmp(caught, 0))
		check_all(&x.check);
	expect("a page that is out of reach", VERDICT_WRONG_OA);
	assert_int_equal(seen.iova, AT + LARGE);
	exec_abandon(&x);
}

/* What the device does before the first store of an operation, and behind the last, leaves its marks. */
static void test_deeds__device_acts_during_an_operation(void **state)
{
	struct op cut = { .kind = OP_CUT, .iova = AT + SMALL, .devices_nr = 1, .devices = { { .write = true, .iova = AT } } };
	static const unsigned turns[] = { 0, 1, 1000 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		open_domain("vtdss ad=1");
		assert_int_equal(run(OP_MAP, AT, LARGE), EXEC_DONE);
		cut.devices[0].at = turns[i];
		assert_int_equal(exec_op(&x, &cut), EXEC_DONE);
		assert_true(imap_overlaps(&x.check.dirty, AT, AT + SMALL - 1));
		exec_abandon(&x);
	}
}

/* While an entry is held as dirty the device marks nothing, even where memory says that it is clean. */
static void test_deeds__device_marks_once(void **state)
{
	struct device_access access;

	(void)state;
	open_domain("vtdss ad=1");
	assert_int_equal(run(OP_MAP, AT, SMALL), EXEC_DONE);
	assert_int_equal(run(OP_WRITE, AT, 1), EXEC_DONE);
	damage(AT, 0, UINT64_C(1) << 9);
	dirty_access(&x.check, AT, true, &access);
	assert_true(access.ok && access.old == access.new);
	exec_abandon(&x);
}

/* Where any item of a group may be marked, it is not always the one that the address leads to. */
static void test_deeds__device_marks_any_item(void **state)
{
	static const char *const configs[] = { "riscv64 ad=1", "amdv1 ad=1" };
	struct device_access access;
	unsigned elsewhere = 0, i, k;
	uint64_t raw, at;

	(void)state;
	for (i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		open_domain(configs[i]);
		assert_int_equal(run(OP_MAP, AT, GROUP), EXEC_DONE);
		for (k = 0; k < 16; k++) {
			at = item_of(AT + k * SMALL, &raw);
			dirty_access(&x.check, AT + k * SMALL, false, &access);
			assert_true(access.ok);
			if (!x.check.hw.any_item)
				assert_int_equal(access.pa, at);
			elsewhere += access.pa != at;
		}
		exec_abandon(&x);
	}
	assert_int_not_equal(elsewhere, 0);
}

/* --- the domain as a whole --- */

/* Deferred, a range waits for its sync: neither map nor cut may touch it. */
static void test_deeds__range_waits_for_its_sync(void **state)
{
	(void)state;
	open_domain("vtdss defer=1");
	assert_int_equal(run(OP_MAP, AT, 2 * SMALL), EXEC_DONE);
	assert_int_equal(run(OP_UNMAP, AT, SMALL), EXEC_DONE);
	assert_int_equal(run(OP_MAP, AT, SMALL), EXEC_SKIPPED);
	assert_int_equal(run(OP_CUT, AT, 1), EXEC_SKIPPED);
	assert_int_equal(run(OP_MAP, AT + 2 * SMALL, SMALL), EXEC_DONE);
	assert_int_equal(run(OP_SYNC, 0, 1), EXEC_DONE);
	assert_int_equal(run(OP_MAP, AT, SMALL), EXEC_DONE);
	exec_close(&x);
}

/* Damage that no operation comes near is seen when the domain ends. */
static void test_deeds__last_look(void **state)
{
	(void)state;
	open_domain("vtdss");
	assert_int_equal(run(OP_MAP, AT, SMALL), EXEC_DONE);
	damage(AT, 0, 3);
	assert_int_equal(run(OP_MAP, 2 * AT, SMALL), EXEC_DONE);
	if (!sigsetjmp(caught, 0))
		exec_close(&x);
	expect("a leaf that is gone", VERDICT_WRONG_OA);
	exec_abandon(&x);
}

static void test_deeds__tables_left_after_the_end(void **state)
{
	(void)state;
	open_domain("vtdss");
	if (!sigsetjmp(caught, 0))
		check_destroyed(&x.check);
	expect("the root", VERDICT_LEAK);
	exec_abandon(&x);
}

static int set_up(void **state)
{
	(void)state;
	return exec_init(&x, &exec_defaults, catch, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	exec_release(&x);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deeds__others_than_asked_for),
		cmocka_unit_test(test_deeds__device_that_is_refused),
		cmocka_unit_test(test_deeds__device_obeys_tables),
		cmocka_unit_test(test_deeds__skipped_level),
		cmocka_unit_test(test_deeds__device_acts_during_an_operation),
		cmocka_unit_test(test_deeds__device_marks_once),
		cmocka_unit_test(test_deeds__device_marks_any_item),
		cmocka_unit_test(test_deeds__range_waits_for_its_sync),
		cmocka_unit_test(test_deeds__last_look),
		cmocka_unit_test(test_deeds__tables_left_after_the_end),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
