/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_explore_random.c - explore_each against brute force, on histories at random: a few primitives on the tables of a tiny domain, with values
 * that an engine would store and with others, in no order that makes sense.
 *
 * HITLESS_HISTORIES is how many histories each configuration gets, HITLESS_SEED the first seed. What disagrees is shrunk before it is printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzzers/rng.h"
#include "../oracle/account.h"
#include "hand.h"

#define HISTORIES 600 /* of each configuration, if nothing else is asked for */
#define TABLES_MAX 64
#define PRIMS_MAX 128
#define ACTIONS_MAX 7

/*
 * struct prim - one primitive with its arguments, so that a history can be run again, whole or in part.
 *
 * @kind: MEM_STORE with nr > 1 or step_lg2: a fill
 * @level: MEM_ALLOC, MEM_TOP
 */
struct prim {
	enum mem_event_kind kind;
	enum mem_order order;
	unsigned bytes_lg2, nr, step_lg2, level;
	uint64_t pa, val;
};

struct table {
	uint64_t pa;
	unsigned level;
	bool live;
};

/*
 * struct history - one history being made: @prims on @tables.
 *
 * @seed:   of the tables that there are before
 * @focus:  the iova that most stores are about
 * @early:  for a device that does not snoop: stores of an operation before, and write-backs of some
 */
static struct history {
	struct hand h;
	struct rng rng;
	uint64_t seed, focus;
	struct table tables[TABLES_MAX];
	unsigned tables_nr;
	struct prim prims[PRIMS_MAX], early[8];
	unsigned prims_nr, early_nr;
	struct brute_set brute[HAND_GRANULES_MAX], explore[HAND_GRANULES_MAX];
} run;

static uint64_t compared, several, loops, states;
static sigjmp_buf wild;
static bool shrinking;

static void catch(void *arg, const struct verdict *v, const struct op *op)
{
	(void)arg;
	(void)op;
	if (shrinking)
		siglongjmp(wild, 1);
	fail_msg("%s, seed %llu: %s", run.h.text, (unsigned long long)run.seed, v->text);
}

static const struct hw *hw(void)
{
	return &run.h.x.check.hw;
}

static unsigned below(unsigned bound)
{
	return rng_below(&run.rng, bound);
}

/* --- running primitives --- */

static void run_prim(const struct prim *p)
{
	struct mem *m = &run.h.x.mem;
	uint64_t old;

	switch (p->kind) {
	case MEM_STORE:
		if (p->nr > 1)
			mem_fill(m, p->pa, p->bytes_lg2, p->nr, p->val, p->step_lg2);
		else
			mem_store(m, p->pa, p->bytes_lg2, p->val, p->order);
		break;
	case MEM_CAS:
		old = mem_load(m, p->pa, p->bytes_lg2);
		mem_cas(m, p->pa, p->bytes_lg2, &old, p->val);
		break;
	case MEM_DEVICE:
		mem_device(m, p->pa, p->bytes_lg2, mem_load(m, p->pa, p->bytes_lg2), p->val);
		break;
	case MEM_FENCE:
		mem_fence(m);
		break;
	case MEM_FLUSH:
		mem_flush(m, p->pa, p->val);
		break;
	case MEM_SYNC:
		mem_sync(m);
		break;
	case MEM_ALLOC:
		hand_alloc(&run.h, p->level);
		break;
	case MEM_FREE:
		hand_free(&run.h, p->pa);
		break;
	case MEM_TOP:
		mem_top(m, p->pa, p->level);
		break;
	default:
		fail();
	}
}

/* --- what there is before --- */

static void find_tables(uint64_t pa, unsigned level)
{
	uint64_t i;

	if (run.tables_nr == TABLES_MAX)
		return;
	run.tables[run.tables_nr++] = (struct table){ pa, level, true };
	for (i = 0; level && i < UINT64_C(1) << hw()->index_lg2[level]; i++) {
		uint64_t raw = mem_view_load(&run.h.x.mem.view, pa + (i << hw()->item_bytes_lg2), hw()->item_bytes_lg2);
		struct hw_entry e = hw()->format->decode(hw(), level, raw);

		if (e.kind == HW_TABLE)
			find_tables(e.pa, e.level);
	}
}

/* A few mappings by the engine, some of them taken away again, so that there are empty tables. */
static void make_tables(void)
{
	struct rng rng;
	unsigned i, nr, span = 6;

	rng_init(&rng, run.seed);
	nr = 1 + rng_below(&rng, 4);
	hand_open(&run.h);
	for (i = 0; i < nr; i++) {
		unsigned first = rng_below(&rng, run.h.granules_nr), last = first + rng_below(&rng, span);
		uint64_t iova = run.h.granules[first], oa = (UINT64_C(0x14) + i) << 24;

		while (last >= run.h.granules_nr || run.h.granules[last] - iova != (uint64_t)(last - first) << run.h.x.check.granule_lg2)
			last--;
		if (rng_below(&rng, 2))
			oa += iova & 0xffffff;
		hand_run(&run.h, OP_MAP, iova, run.h.granules[last] + (UINT64_C(1) << run.h.x.check.granule_lg2) - 1, oa,
			 rng_below(&rng, 2) ? PROT_R : PROT_R | PROT_W);
		if (!rng_below(&rng, 3))
			hand_run(&run.h, OP_UNMAP, iova, iova + (UINT64_C(1) << run.h.x.check.granule_lg2) - 1, 0, 0);
	}
	run.tables_nr = 0;
	find_tables(run.h.x.check.root, run.h.x.check.root_level);
}

/* The operation before becomes what brute force is told: what memory may hold of each item beside its bytes. */
static void note_older(const struct prim *p)
{
	struct brute_older *o = run.h.older;
	size_t i, item = (size_t)1 << hw()->item_bytes_lg2;

	for (i = 0; i < run.h.older_nr && o[i].pa != (p->pa & ~(item - 1)); i++)
		;
	if (p->kind == MEM_FLUSH) {
		if (i < run.h.older_nr && p->pa == o[i].pa && p->val >= item)
			o[i] = o[--run.h.older_nr];
		return;
	}
	if (i == run.h.older_nr)
		o[run.h.older_nr++] = (struct brute_older){ .pa = p->pa };
	o[i].raw[o[i].nr++] = mem_load(&run.h.x.mem, p->pa, p->bytes_lg2);
}

/* Up to here both sides look at what an engine left, and at what the operation before did not write back. */
static void make_before(void)
{
	struct call_range span = { UINT64_MAX, 0 };
	unsigned i;

	make_tables();
	if (!run.early_nr)
		return;
	mem_begin_op(&run.h.x.mem, UINT64_MAX, 0);
	for (i = 0; i < run.early_nr; i++) {
		note_older(&run.early[i]);
		run_prim(&run.early[i]);
	}
	/* Once: explore_settle goes by the last time that the log was looked at. */
	hand_explore(&run.h, run.explore);
	account_log(&run.h.x.check, NULL, NULL, &span);
	explore_settle(&run.h.x.check);
}

/* --- values and places at random --- */

static struct table *random_table(void)
{
	unsigned i = below(run.tables_nr), k;

	/* New ones are at the end; they are more interesting. */
	if (below(3) == 0)
		i = run.tables_nr - 1;
	for (k = 0; k < run.tables_nr; k++, i = (i + 1) % run.tables_nr)
		if (run.tables[i].live)
			return &run.tables[i];
	return NULL;
}

/* A live table of a level, or NULL. */
static struct table *random_table_of(unsigned level)
{
	unsigned i = below(run.tables_nr), k;

	for (k = 0; k < run.tables_nr; k++, i = (i + 1) % run.tables_nr)
		if (run.tables[i].live && run.tables[i].level == level)
			return &run.tables[i];
	return NULL;
}

static uint64_t random_slot(const struct table *t)
{
	uint64_t iova = below(4) ? run.focus : run.h.granules[below(run.h.granules_nr)];

	return hand_slot(&run.h, t->level, t->pa, iova);
}

static uint64_t random_leaf(unsigned level)
{
	unsigned i = below(run.h.leaves_nr), k;

	for (k = 0; k < run.h.leaves_nr; k++, i = (i + 1) % run.h.leaves_nr)
		if (run.h.leaves[i].level == level)
			break;
	return run.h.leaves[i].raw;
}

static uint64_t random_pointer(unsigned level)
{
	const struct table *t = level ? random_table_of(level - 1) : NULL;

	/* Now and then to a table of any level, freed ones too, or to what is none. */
	switch (below(12)) {
	case 0:
		return hand_pointer(&run.h, level ? level : 1, run.tables[below(run.tables_nr)].pa);
	case 1:
		return hand_pointer(&run.h, level ? level : 1, run.h.x.mem.view.pa + ((uint64_t)below(4) << 19));
	default:
		return t ? hand_pointer(&run.h, level, t->pa) : 0;
	}
}

static uint64_t random_value(unsigned level)
{
	const struct table *t;

	switch (below(10)) {
	case 0:
	case 1:
		return 0;
	case 2:
	case 3:
	case 4:
		return random_leaf(level);
	case 5:
	case 6:
	case 7:
		return random_pointer(level);
	case 8:
		t = random_table();
		return t ? mem_load(&run.h.x.mem, random_slot(t), hw()->item_bytes_lg2) : 0;
	default:
		return below(4) ? random_leaf(below(2)) ^ UINT64_C(1) << below(8u << hw()->item_bytes_lg2) : rng_next(&run.rng);
	}
}

/* --- actions at random --- */

static void add(struct prim p)
{
	if (run.prims_nr == PRIMS_MAX)
		return;
	run.prims[run.prims_nr++] = p;
	run_prim(&p);
}

static void add_store(uint64_t pa, uint64_t val, enum mem_order order)
{
	add((struct prim){ .kind = MEM_STORE, .bytes_lg2 = hw()->item_bytes_lg2, .nr = 1, .pa = pa, .val = val, .order = order });
}

static void add_flush(uint64_t pa, uint64_t bytes)
{
	add((struct prim){ .kind = MEM_FLUSH, .pa = pa, .val = bytes });
}

/* Store val in a slot in one way or another. */
static void add_change(uint64_t pa, uint64_t val)
{
	unsigned way = below(12);

	if (way < 9)
		add_store(pa, val, way < 6 ? MEM_RELAXED : MEM_RELEASE);
	else
		add((struct prim){ .kind = way == 11 && hw()->cfg.coherent ? MEM_DEVICE : MEM_CAS,
				   .bytes_lg2 = hw()->item_bytes_lg2,
				   .pa = pa,
				   .val = val });
	if (hw()->cfg.coherent || below(2))
		return;
	/* One in four misses a byte. */
	add_flush(pa + !below(8), (UINT64_C(1) << hw()->item_bytes_lg2) - !below(8));
}

static void act_store(void)
{
	const struct table *t = random_table();

	if (t)
		add_change(random_slot(t), random_value(t->level));
}

/* Several items, or both halves of one. */
static void act_fill(void)
{
	const struct table *t = random_table();
	struct prim p = { .kind = MEM_STORE, .bytes_lg2 = hw()->item_bytes_lg2, .order = MEM_RELAXED };
	uint64_t idx, room;

	if (!t)
		return;
	p.pa = random_slot(t);
	idx = (p.pa - t->pa) >> p.bytes_lg2;
	room = (UINT64_C(1) << hw()->index_lg2[t->level]) - idx;
	p.nr = 2 + below(2);
	p.nr = p.nr > room ? (unsigned)room : p.nr;
	if (below(3)) {
		p.val = random_leaf(t->level);
		p.step_lg2 = hw()->oa_step_lg2[t->level];
	}
	if (below(3) == 0 && p.bytes_lg2 == 3) {
		p.bytes_lg2 = 2;
		p.nr = 2 * p.nr - below(2) * (p.nr > 1);
		p.val = below(2) ? 0 : (uint32_t)random_value(t->level);
		p.step_lg2 = below(2) ? 0 : 1 + below(12);
	}
	add(p);
}

static void act_half(void)
{
	const struct table *t = random_table();
	uint64_t val, high = below(2);

	if (!t || hw()->item_bytes_lg2 != 3)
		return;
	val = random_value(t->level);
	add((struct prim){ .kind = MEM_STORE,
			   .order = below(3) ? MEM_RELAXED : MEM_RELEASE,
			   .bytes_lg2 = 2,
			   .nr = 1,
			   .pa = random_slot(t) + 4 * high,
			   .val = (uint32_t)(val >> 32 * high) });
}

static void act_flush(void)
{
	const struct table *t = random_table();
	uint64_t item = UINT64_C(1) << hw()->item_bytes_lg2;

	if (!t)
		return;
	switch (below(4)) {
	case 0:
		add_flush(t->pa, item << hw()->index_lg2[t->level]);
		break;
	case 1:
		add_flush(random_slot(t) + item / 2 * below(2), item / 2 * (1 + below(2)));
		break;
	case 2:
		add_flush(random_slot(t), item / 2 * (1 + below(6)));
		break;
	default:
		add_flush(random_slot(t), item);
	}
	/* So that whatever was not written back is seen. */
	if (below(2))
		add((struct prim){ .kind = MEM_SYNC });
}

static void act_device(void)
{
	const struct table *t = random_table();
	uint64_t pa, raw;
	struct hw_entry e;

	if (!t || !hw()->cfg.coherent)
		return;
	pa = random_slot(t);
	raw = mem_load(&run.h.x.mem, pa, hw()->item_bytes_lg2);
	e = hw()->format->decode(hw(), t->level, raw);
	raw = e.kind == HW_LEAF && below(2) ? hw()->format->touch(hw(), t->level, raw, below(2)) : random_value(t->level);
	add((struct prim){ .kind = MEM_DEVICE, .bytes_lg2 = hw()->item_bytes_lg2, .pa = pa, .val = raw });
}

static const struct table *add_table(unsigned level)
{
	struct prim p = { .kind = MEM_ALLOC, .level = level };

	if (run.tables_nr == TABLES_MAX || run.prims_nr == PRIMS_MAX)
		return NULL;
	run.prims[run.prims_nr++] = p;
	run.tables[run.tables_nr] = (struct table){ hand_alloc(&run.h, level), level, true };
	return &run.tables[run.tables_nr++];
}

static void fill_table(const struct table *t)
{
	unsigned i, nr = below(3);

	for (i = 0; i < nr; i++)
		add_store(random_slot(t), random_value(t->level), below(4) ? MEM_RELAXED : MEM_RELEASE);
	if (below(3))
		add_flush(t->pa, UINT64_C(1) << (hw()->item_bytes_lg2 + hw()->index_lg2[t->level]));
	if (!below(3))
		add((struct prim){ .kind = MEM_FENCE });
}

/* A new table, filled before or after it is linked, or neither. */
static void act_table(void)
{
	unsigned level = below(hw()->top_level_max ? hw()->top_level_max : 1);
	const struct table *t = add_table(level), *parent;

	if (!t)
		return;
	if (below(4))
		fill_table(t);
	parent = random_table_of(level + 1);
	if (parent && below(4))
		add_change(random_slot(parent), hand_pointer(&run.h, level + 1, t->pa));
	if (!below(4))
		fill_table(t);
}

static void act_free(void)
{
	struct table *t = random_table();

	if (!t)
		return;
	/* Not without having been taken out, more often than not. */
	if (below(3)) {
		const struct table *parent = random_table_of(t->level + 1);

		if (parent)
			add_change(random_slot(parent), 0);
		if (below(2))
			add((struct prim){ .kind = MEM_SYNC });
	}
	t->live = false;
	add((struct prim){ .kind = MEM_FREE, .pa = t->pa });
}

static void act_top(void)
{
	unsigned level = run.h.x.mem.view.root_level, i;
	const struct table *t;
	uint64_t root = run.h.x.mem.view.root;
	bool live = mem_view_frame(&run.h.x.mem.view, root)->state == MEM_FRAME_LIVE;

	if (level < hw()->top_level_max && below(3))
		level++;
	t = add_table(level);
	if (!t)
		return;
	for (i = 0; i < 2; i++) {
		uint64_t pa = hand_slot(&run.h, level, t->pa, i ? run.focus : 0), val;

		if (level > run.h.x.mem.view.root_level)
			val = hand_pointer(&run.h, level, root);
		else if (live && below(2))
			val = mem_load(&run.h.x.mem, pa - t->pa + root, hw()->item_bytes_lg2);
		else
			val = random_value(level);
		add_store(pa, val, MEM_RELAXED);
	}
	if (below(4))
		add_flush(t->pa, UINT64_C(1) << (hw()->item_bytes_lg2 + hw()->index_lg2[level]));
	add((struct prim){ .kind = MEM_TOP, .pa = t->pa, .level = level });
}

static void act(void)
{
	unsigned what = below(32);

	if (what < 10)
		act_store();
	else if (what < 13)
		act_fill();
	else if (what < 15)
		act_half();
	else if (what < 17)
		add((struct prim){ .kind = MEM_FENCE });
	else if (what < 19)
		add((struct prim){ .kind = MEM_SYNC });
	else if (what < 22)
		act_flush();
	else if (what < 24)
		act_device();
	else if (what < 29)
		act_table();
	else if (what < 31)
		act_free();
	else
		act_top();
}

/* Leaves of one size in place of each other and of nothing: what the accounting has nothing to say of. */
static void make_early(void)
{
	const struct table *t = random_table_of(0);
	unsigned i, nr = below(4);

	for (i = 0; t && i < nr; i++) {
		struct prim p = { .kind = MEM_STORE, .bytes_lg2 = hw()->item_bytes_lg2, .nr = 1, .pa = random_slot(t) };
		struct hw_entry e = hw()->format->decode(hw(), 0, mem_load(&run.h.x.mem, p.pa, p.bytes_lg2));

		if (e.kind == HW_LEAF && e.size_lg2 != hw()->item_lg2[0])
			continue;
		p.val = below(3) ? run.h.leaves[below(3)].raw : 0;
		run.early[run.early_nr++] = p;
		/* Now and then a byte of it is missed. */
		if (!below(3))
			run.early[run.early_nr++] = (struct prim){ .kind = MEM_FLUSH,
								   .pa = p.pa + !below(4),
								   .val = (UINT64_C(1) << p.bytes_lg2) - !below(4) };
	}
}

/* --- comparing --- */

/*
 * The sets of every granule, those of walks in circles left out, see struct brute_set. False if they differ; then *at is the first granule.
 */
static bool compare(uint64_t root, unsigned level, unsigned *at)
{
	unsigned i;

	hand_brute(&run.h, root, level, run.brute);
	hand_explore(&run.h, run.explore);
	for (i = 0; i < run.h.granules_nr; i++) {
		struct brute_set *b = &run.brute[i], *e = &run.explore[i];

		*at = i;
		if (b->loops) {
			loops++;
			continue;
		}
		compared++;
		several += b->nr > 1;
		states += b->states;
		if (!brute_equal(b, e))
			return false;
	}
	return true;
}

/* The history again. Whether the sets differ. */
static bool run_again(unsigned *at)
{
	volatile bool differs = false;
	unsigned i;

	shrinking = true;
	if (!sigsetjmp(wild, 0)) {
		uint64_t root;
		unsigned level;

		make_before();
		root = run.h.x.check.root;
		level = run.h.x.check.root_level;
		mem_begin_op(&run.h.x.mem, UINT64_MAX, 0);
		for (i = 0; i < run.prims_nr; i++)
			run_prim(&run.prims[i]);
		differs = !compare(root, level, at);
	}
	shrinking = false;
	return differs;
}

/* Leave out primitives for as long as the sets still differ, and print what remains. */
static void shrink(void)
{
	unsigned i, at, nr;
	struct prim whole[PRIMS_MAX];

	for (i = run.prims_nr; i--;) {
		memcpy(whole, run.prims, sizeof(whole));
		nr = run.prims_nr;
		memmove(&run.prims[i], &run.prims[i + 1], (nr - i - 1) * sizeof(whole[0]));
		run.prims_nr = nr - 1;
		if (!run_again(&at)) {
			memcpy(run.prims, whole, sizeof(whole));
			run.prims_nr = nr;
		}
		exec_abandon(&run.h.x);
	}
	nr = run.early_nr;
	run.early_nr = 0;
	if (nr && !run_again(&at))
		run.early_nr = nr;
	if (nr)
		exec_abandon(&run.h.x);
	if (!run_again(&at))
		fail_msg("%s, seed %llu: not the same a second time", run.h.text, (unsigned long long)run.seed);
	print_message("%s, seed %llu, iova 0x%llx, root 0x%llx\n", run.h.text, (unsigned long long)run.seed,
		      (unsigned long long)run.h.granules[at], (unsigned long long)run.h.x.check.root);
	for (i = 0; i < run.early_nr; i++)
		print_message("  by an operation before: %s pa=0x%llx 0x%llx\n", run.early[i].kind == MEM_FLUSH ? "FLUSH" : "STORE",
			      (unsigned long long)run.early[i].pa, (unsigned long long)run.early[i].val);
	hand_print_log(&run.h);
	hand_print_set("brute force", &run.brute[at]);
	hand_print_set("explore", &run.explore[at]);
	exec_abandon(&run.h.x);
}

/* Everything that a seed says of a history but its actions. */
static void start_history(uint64_t seed)
{
	run.seed = seed;
	rng_init(&run.rng, ~seed);
	run.early_nr = run.prims_nr = 0;
	run.focus = run.h.granules[below(run.h.granules_nr)];
	if (!hw()->cfg.coherent && !below(3)) {
		make_tables();
		make_early();
		exec_abandon(&run.h.x);
	}
	make_before();
}

/* One history. Whether both sides agree. */
static bool one_history(uint64_t seed)
{
	unsigned actions, at, level;
	uint64_t root;
	bool same;

	start_history(seed);
	root = run.h.x.check.root;
	level = run.h.x.check.root_level;
	mem_begin_op(&run.h.x.mem, UINT64_MAX, 0);
	for (actions = 1 + below(ACTIONS_MAX); actions; actions--)
		act();
	same = compare(root, level, &at);
	exec_abandon(&run.h.x);
	return same;
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static void run_config(const char *text)
{
	uint64_t seed = from_environment("HITLESS_SEED", 1), end = seed + from_environment("HITLESS_HISTORIES", HISTORIES), differ = 0;

	print_message("%s: seed %llu\n", text, (unsigned long long)seed);
	compared = several = loops = states = 0;
	hand_init(&run.h, text, catch, NULL);
	for (; seed < end; seed++) {
		if (one_history(seed))
			continue;
		if (differ++ < 3)
			shrink();
	}
	hand_release(&run.h);
	print_message("%s: %llu sets of outcomes compared, %llu of several, %llu left out, %llu states\n", text,
		      (unsigned long long)compared, (unsigned long long)several, (unsigned long long)loops, (unsigned long long)states);
	assert_true(several > 0);
	if (differ)
		fail_msg("%llu histories on which explore and brute force disagree", (unsigned long long)differ);
}

static void test_explore_random__agrees_if_strong(void **state)
{
	(void)state;
	run_config("vtdss tiny=2 levels=2 ad=1");
	run_config("vtdss tiny=2 levels=3");
	run_config("amdv1 tiny=2 levels=1 ias=16 ad=1");
}

static void test_explore_random__agrees_if_weak(void **state)
{
	(void)state;
	run_config("vtdss tiny=2 levels=2 model=weak");
	run_config("riscv64 tiny=2 levels=2 ad=1");
	run_config("riscv64 tiny=2 levels=3 napot=0");
	run_config("armv8_4k tiny=2 levels=2 bbm=2 stage=2 ad=1");
	run_config("armv8_4k tiny=2 levels=2 half=1 bbm=0");
	run_config("armv7s tiny=2");
	run_config("amdv1 tiny=2 levels=1 ias=16 model=weak");
}

static void test_explore_random__agrees_if_incoherent(void **state)
{
	(void)state;
	run_config("vtdss tiny=2 levels=2 coherent=0");
	run_config("vtdss tiny=2 levels=3 coherent=0");
	run_config("x86_64 tiny=2 levels=2 coherent=0");
	run_config("armv8_4k tiny=2 levels=2 bbm=2 stage=2 coherent=0");
	run_config("armv7s tiny=2 coherent=0");
}

/* Brute force itself leaves out stores that a walk cannot tell. On short histories it need not, and must come to the same. */
static void run_plain(const char *text)
{
	struct brute b = { .hw = hw(), .view = &run.h.x.mem.view, .older = run.h.older };
	struct brute_set quick, plain;
	uint64_t seed, nr = 0;
	unsigned i;

	hand_init(&run.h, text, catch, NULL);
	for (seed = 1; seed < 400; seed++) {
		size_t stores = 0, k;

		start_history(seed);
		b.root = run.h.x.check.root;
		b.root_level = run.h.x.check.root_level;
		b.older_nr = run.h.older_nr;
		mem_begin_op(&run.h.x.mem, UINT64_MAX, 0);
		act();
		act();
		for (k = 0; k < b.view->events_nr; k++)
			stores += b.view->events[k].kind == MEM_ALLOC ? 4 : b.view->events[k].nr;
		for (i = 0; stores < 12 && i < run.h.granules_nr; i += 3, nr++) {
			b.plain = false;
			brute_walk(&b, run.h.granules[i], &quick);
			b.plain = true;
			brute_walk(&b, run.h.granules[i], &plain);
			if (!brute_equal(&quick, &plain))
				fail_msg("%s, seed %llu: brute force leaves out too much", text, (unsigned long long)seed);
		}
		exec_abandon(&run.h.x);
	}
	hand_release(&run.h);
	assert_true(nr > 100);
}

static void test_explore_random__brute_force_leaves_out_nothing(void **state)
{
	(void)state;
	run_plain("vtdss tiny=2 levels=2 ad=1");
	run_plain("vtdss tiny=2 levels=2 model=weak");
	run_plain("vtdss tiny=2 levels=2 coherent=0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_explore_random__brute_force_leaves_out_nothing),
		cmocka_unit_test(test_explore_random__agrees_if_strong),
		cmocka_unit_test(test_explore_random__agrees_if_weak),
		cmocka_unit_test(test_explore_random__agrees_if_incoherent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
