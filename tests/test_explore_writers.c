/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_explore_writers.c - explore_each_of against brute force with a store buffer for each writer: histories at random of two writers on the tables
 * of a tiny domain, for the walks that each of them may disturb, for those that start when one has ended, and for those that any SYNC ends.
 *
 * The log is one order of what the writers did. Whatever a walk may come to in that order must be explored; and what is explored must be what a walk may
 * come to in that order, or in another one in which each writer reads and overwrites the same. Mostly the two are one.
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
#include "hand.h"

#define HISTORIES 400 /* of each configuration, if nothing else is asked for */
#define TABLES_MAX 16
#define PRIMS_MAX 32
#define WRITERS 2
#define WORDS 2

struct prim {
	unsigned writer;
	enum mem_event_kind kind;
	enum mem_order order;
	unsigned level, word;
	uint64_t pa, val;
};

static struct {
	struct hand h;
	struct rng rng;
	uint64_t seed, focus;
	uint64_t tables[TABLES_MAX];
	unsigned levels[TABLES_MAX], tables_nr, shared_nr;
	struct prim prims[PRIMS_MAX];
	unsigned prims_nr;
	bool done[WRITERS + 1];
	struct mem_writer writers[WRITERS + 1];
	struct writer claims[WRITERS];
} run;

static uint64_t words[WORDS];
static uint64_t compared, several, loops, acquired, wider;
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

static void run_prim(const struct prim *p)
{
	struct mem *m = &run.h.x.mem;
	unsigned item_lg2 = hw()->item_bytes_lg2;
	uint64_t old;

	mem_writer_change(m, NULL, &run.writers[p->writer]);
	switch (p->kind) {
	case MEM_STORE:
		mem_store(m, p->pa, item_lg2, p->val, p->order);
		break;
	case MEM_CAS:
		old = mem_load(m, p->pa, item_lg2);
		mem_cas(m, p->pa, item_lg2, &old, p->val);
		break;
	case MEM_LOAD:
		mem_load(m, p->pa, item_lg2);
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
	case MEM_WORD_LOAD:
		mem_word_load(m, &words[p->word]);
		break;
	case MEM_WORD_STORE:
		mem_word_store(m, &words[p->word], 1);
		break;
	case MEM_DONE:
		mem_done(m);
		break;
	default:
		fail();
	}
	mem_writer_change(m, &run.writers[p->writer], NULL);
}

/* --- what there is before --- */

static void find_tables(uint64_t pa, unsigned level)
{
	uint64_t i;

	if (run.tables_nr == TABLES_MAX)
		return;
	run.levels[run.tables_nr] = level;
	run.tables[run.tables_nr++] = pa;
	for (i = 0; level && i < UINT64_C(1) << hw()->index_lg2[level]; i++) {
		uint64_t raw = mem_view_load(&run.h.x.mem.view, pa + (i << hw()->item_bytes_lg2), hw()->item_bytes_lg2);
		struct hw_entry e = hw()->format->decode(hw(), level, raw);

		if (e.kind == HW_TABLE)
			find_tables(e.pa, e.level);
	}
}

/* A mapping or two by the engine, and then the round begins. */
static void make_before(void)
{
	struct rng rng;
	unsigned i, nr;

	rng_init(&rng, run.seed);
	hand_open(&run.h);
	nr = 1 + rng_below(&rng, 2);
	for (i = 0; i < nr; i++) {
		uint64_t iova = run.h.granules[rng_below(&rng, run.h.granules_nr)];

		hand_run(&run.h, OP_MAP, iova, iova + (UINT64_C(1) << run.h.x.check.granule_lg2) - 1, (UINT64_C(0x14) + i) << 24, PROT_R | PROT_W);
	}
	run.tables_nr = 0;
	find_tables(run.h.x.check.root, run.h.x.check.root_level);
	mem_begin_op(&run.h.x.mem, UINT64_MAX, 0);
	for (i = 0; i < WRITERS; i++) {
		mem_writer_begin(&run.writers[i + 1], i + 1, UINT64_MAX, 0);
		run.claims[i] = (struct writer){ .id = i + 1 };
	}
	run.h.x.check.writers = run.claims;
	run.h.x.check.writers_nr = WRITERS;
}

/* --- actions at random --- */

static unsigned writer_now;

static void add(struct prim p)
{
	p.writer = writer_now;
	if (run.prims_nr == PRIMS_MAX || run.done[writer_now])
		return;
	run.prims[run.prims_nr++] = p;
	run_prim(&p);
	run.done[writer_now] = p.kind == MEM_DONE;
}

static uint64_t slot_of(unsigned table)
{
	uint64_t iova = below(4) ? run.focus : run.h.granules[below(run.h.granules_nr)];

	return hand_slot(&run.h, run.levels[table], run.tables[table], iova);
}

static uint64_t value_for(unsigned level)
{
	unsigned i, k;

	if (level && below(3)) {
		for (i = below(run.tables_nr), k = 0; k < run.tables_nr; k++, i = (i + 1) % run.tables_nr)
			if (run.levels[i] + 1 == level)
				return hand_pointer(&run.h, level, run.tables[i]);
	}
	if (!below(4))
		return 0;
	for (i = below(run.h.leaves_nr), k = 0; k < run.h.leaves_nr; k++, i = (i + 1) % run.h.leaves_nr)
		if (run.h.leaves[i].level == level)
			break;
	return run.h.leaves[i].raw;
}

/* Reading an item of a table's zeroes that another writer made is no single store: what it means is left open, on the safe side. */
static bool zero_of_another(uint64_t pa)
{
	const struct mem_view *view = &run.h.x.mem.view;
	uint64_t table = check_table(&run.h.x.check, pa);
	bool other = false;
	size_t i;

	for (i = 0; i < view->events_nr; i++) {
		const struct mem_event *ev = &view->events[i];

		if (ev->kind == MEM_ALLOC && ev->pa == table)
			other = ev->writer != writer_now;
		else if ((ev->kind == MEM_STORE || ev->kind == MEM_CAS) && ev->pa == pa)
			other = false;
	}
	return other;
}

static void act(void)
{
	unsigned t = below(run.tables_nr), what = below(24);
	uint64_t pa = slot_of(t), item = UINT64_C(1) << hw()->item_bytes_lg2;
	unsigned level = run.levels[t];

	if (what < 8) {
		add((struct prim){ .kind = MEM_STORE, .order = below(2) ? MEM_RELEASE : MEM_RELAXED, .pa = pa, .val = value_for(level) });
		if (!hw()->cfg.coherent && below(2))
			add((struct prim){ .kind = MEM_FLUSH, .pa = pa, .val = item });
	} else if (what < 12) {
		if (!zero_of_another(pa))
			add((struct prim){ .kind = MEM_LOAD, .pa = pa });
	} else if (what < 15) {
		if (!zero_of_another(pa))
			add((struct prim){ .kind = MEM_CAS, .pa = pa, .val = value_for(level) });
	} else if (what < 17) {
		add((struct prim){ .kind = MEM_FENCE });
	} else if (what < 18) {
		add((struct prim){ .kind = MEM_SYNC });
	} else if (what < 20) {
		add((struct prim){ .kind = below(2) ? MEM_WORD_LOAD : MEM_WORD_STORE, .word = below(WORDS) });
	} else if (what < 22) {
		if (run.tables_nr < TABLES_MAX && run.prims_nr < PRIMS_MAX && !run.done[writer_now] && hw()->top_level_max) {
			uint64_t before = run.h.x.mem.view.events_nr;

			add((struct prim){ .kind = MEM_ALLOC, .level = 0 });
			run.levels[run.tables_nr] = 0;
			run.tables[run.tables_nr++] = run.h.x.mem.view.events[before].pa;
		}
	} else if (what < 23) {
		add((struct prim){ .kind = MEM_FLUSH, .pa = run.tables[t], .val = item << hw()->index_lg2[level] });
	} else {
		add((struct prim){ .kind = MEM_DONE });
	}
}

/* --- comparing --- */

struct seen {
	struct brute_set *sets;
};

static void seen_one(void *arg, const struct explore_seen *seen)
{
	const struct seen *to = arg;
	unsigned i;

	for (i = 0; i < run.h.granules_nr; i++) {
		struct brute_outcome o = { .kind = seen->kind };
		uint64_t iova = run.h.granules[i];

		if (iova < seen->iova || iova > seen->last)
			continue;
		if (o.kind == EXPLORE_LEAF) {
			o.oa = seen->oa + (iova - seen->iova);
			o.prot = seen->prot;
		}
		brute_add(&to->sets[i], &o);
	}
}

/* The walks that end with the SYNCs of writer (0: of each), or (used) start when it has ended. False if they differ; then at iova *at. */
static bool compare_one(unsigned writer, bool used, uint64_t root, unsigned level, uint64_t *at, bool print)
{
	static struct brute_set brute, loose, explore[HAND_GRANULES_MAX];
	struct brute b = {
		.hw = hw(), .view = &run.h.x.mem.view, .root = root, .root_level = level, .writer = writer, .used = used
	};
	struct seen to = { explore };
	unsigned i;

	if (used && !run.done[writer])
		return true;
	memset(explore, 0, sizeof(explore));
	explore_each_of(&run.h.x.check, writer, used, 0, UINT64_MAX, seen_one, &to);
	for (i = 0; i < run.h.granules_nr; i++) {
		b.loose = false;
		brute_walk(&b, run.h.granules[i], &brute);
		*at = run.h.granules[i];
		if (brute.loops) {
			loops++;
			continue;
		}
		compared++;
		several += brute.nr > 1;
		if (brute_equal(&brute, &explore[i]))
			continue;
		b.loose = hw()->cfg.coherent;
		brute_walk(&b, run.h.granules[i], &loose);
		wider++;
		if (brute_has(&explore[i], &brute) && brute_has(&loose, &explore[i]))
			continue;
		if (print) {
			print_message("  walks of iova 0x%llx that end with SYNCs of writer %u, %s\n", (unsigned long long)*at, writer,
				      used ? "and start when it has ended" : "any start");
			hand_print_set("brute force", &brute);
			hand_print_set("in any order", &loose);
			hand_print_set("explore", &explore[i]);
		}
		return false;
	}
	return true;
}

static bool compare(uint64_t root, unsigned level, bool print)
{
	unsigned writer;
	uint64_t at;

	for (writer = 0; writer <= WRITERS; writer++)
		if (!compare_one(writer, false, root, level, &at, print) || (writer && !compare_one(writer, true, root, level, &at, print)))
			return false;
	return true;
}

/* The history again. Whether the sets differ. */
static bool run_again(bool print)
{
	volatile bool differs = false;
	unsigned i;

	memset(run.done, 0, sizeof(run.done));
	shrinking = true;
	if (!sigsetjmp(wild, 0)) {
		make_before();
		for (i = 0; i < run.prims_nr; i++) {
			run_prim(&run.prims[i]);
			run.done[run.prims[i].writer] |= run.prims[i].kind == MEM_DONE;
		}
		differs = !compare(run.h.x.check.root, run.h.x.check.root_level, print);
	}
	shrinking = false;
	return differs;
}

static void print_log(void)
{
	const struct mem_view *view = &run.h.x.mem.view;
	size_t i;

	for (i = 0; i < view->events_nr; i++)
		print_message("  %zu: writer %u kind %u order %u pa 0x%llx old 0x%llx new 0x%llx\n", i + 1, view->events[i].writer,
			      view->events[i].kind, view->events[i].order, (unsigned long long)view->events[i].pa,
			      (unsigned long long)view->events[i].old, (unsigned long long)view->events[i].new);
}

static void shrink(void)
{
	struct prim whole[PRIMS_MAX];
	unsigned i, nr;

	for (i = run.prims_nr; i--;) {
		memcpy(whole, run.prims, sizeof(whole));
		nr = run.prims_nr;
		memmove(&run.prims[i], &run.prims[i + 1], (nr - i - 1) * sizeof(whole[0]));
		run.prims_nr = nr - 1;
		if (!run_again(false)) {
			memcpy(run.prims, whole, sizeof(whole));
			run.prims_nr = nr;
		}
		exec_abandon(&run.h.x);
	}
	print_message("%s, seed %llu\n", run.h.text, (unsigned long long)run.seed);
	run_again(true);
	print_log();
	exec_abandon(&run.h.x);
}

/* Whether a writer has read what another one stored. */
static bool has_acquired(void)
{
	const struct mem_view *view = &run.h.x.mem.view;
	size_t i, k;

	for (i = 0; i < view->events_nr; i++)
		for (k = 0; k < i && (view->events[i].kind == MEM_LOAD || view->events[i].kind == MEM_WORD_LOAD); k++)
			if (view->events[k].pa == view->events[i].pa && view->events[k].writer != view->events[i].writer)
				return true;
	return false;
}

static bool one_history(uint64_t seed)
{
	unsigned actions;
	bool same;

	run.seed = seed;
	rng_init(&run.rng, ~seed);
	run.prims_nr = 0;
	memset(run.done, 0, sizeof(run.done));
	run.focus = run.h.granules[below(run.h.granules_nr)];
	make_before();
	for (actions = 2 + below(8); actions; actions--) {
		writer_now = 1 + below(WRITERS);
		act();
	}
	same = compare(run.h.x.check.root, run.h.x.check.root_level, false);
	acquired += has_acquired();
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
	compared = several = loops = acquired = wider = 0;
	hand_init(&run.h, text, catch, NULL);
	for (; seed < end; seed++) {
		if (one_history(seed))
			continue;
		if (differ++ < 3)
			shrink();
	}
	hand_release(&run.h);
	print_message("%s: %llu sets of outcomes compared, %llu of several, %llu left out, %llu of another order; in %llu histories one writer read of the other\n", text,
		      (unsigned long long)compared, (unsigned long long)several, (unsigned long long)loops, (unsigned long long)wider,
		      (unsigned long long)acquired);
	assert_true(several > 0 && acquired > 0 && wider < several / 20);
	if (differ)
		fail_msg("%llu histories on which explore and brute force disagree", (unsigned long long)differ);
}

static void test_explore_writers__agrees_if_strong(void **state)
{
	(void)state;
	run_config("vtdss tiny=2 levels=2");
	run_config("amdv1 tiny=2 levels=2 ias=16");
}

static void test_explore_writers__agrees_if_weak(void **state)
{
	(void)state;
	run_config("vtdss tiny=2 levels=2 model=weak");
	run_config("riscv64 tiny=2 levels=2 napot=0");
	run_config("armv8_4k tiny=2 levels=2 bbm=2 stage=2");
	run_config("armv7s tiny=2");
}

static void test_explore_writers__agrees_if_incoherent(void **state)
{
	(void)state;
	run_config("vtdss tiny=2 levels=2 coherent=0");
	run_config("armv7s tiny=2 coherent=0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_explore_writers__agrees_if_strong),
		cmocka_unit_test(test_explore_writers__agrees_if_weak),
		cmocka_unit_test(test_explore_writers__agrees_if_incoherent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
