/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_stress.c - what the threads of a stress run notice, one wrong at a time: tables that are tampered with at rest, and an engine that
 * lies, crashes or hangs under them. And what becomes of a run whose threads cannot be made.
 *
 * The linker puts engine_find() and pthread_create() of this file in the place of the real ones (tests/CMakeLists.txt).
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../fuzzers/stress_rest.h"
#include "../fuzzers/stress_run.h"

#define SEED 20
#define TRANSLATIONS 20000 /* enough to come to every page of a small domain */

/* --- stand-ins --- */

static int (*real_map)(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g, uint64_t *granules);
static enum { ENGINE_RIGHT, ENGINE_LIES, ENGINE_CRASHES, ENGINE_HANGS } engine_now;
static unsigned engine_calls;
static pid_t engine_pid;
static bool engine_go;
static int threads_left = -1; /* that can be made; -1: any number */

const struct engine_ops *__real_engine_find(const char *name);
const struct engine_ops *__wrap_engine_find(const char *name);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*body)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*body)(void *), void *arg);

static int wrong_map(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g, uint64_t *granules)
{
	int ret = real_map(e, iova, last, oa, prot, g, granules);

	if (engine_now == ENGINE_RIGHT || __atomic_add_fetch(&engine_calls, 1, __ATOMIC_RELAXED) % 20)
		return ret;
	if (engine_now == ENGINE_CRASHES)
		raise(SIGSEGV);
	/* Not in a child that replays it: there only processor time is limited, and this takes none. */
	while (engine_now == ENGINE_HANGS && getpid() == engine_pid && !__atomic_load_n(&engine_go, __ATOMIC_RELAXED))
		usleep(1000);
	return -EINVAL;
}

const struct engine_ops *__wrap_engine_find(const char *name)
{
	static struct engine_ops wrong;
	const struct engine_ops *real = __real_engine_find(name);

	if (!real)
		return NULL;
	real_map = real->map;
	wrong = *real;
	wrong.map = wrong_map;
	return &wrong;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*body)(void *), void *arg)
{
	if (!threads_left)
		return EAGAIN;
	threads_left -= threads_left > 0;
	return __real_pthread_create(thread, attr, body, arg);
}

/* --- one domain, without threads --- */

static struct stress_domain d;
static struct stress_writer writer;
static struct stress_reader reader;
static struct stress_reclaim reclaim;
static struct grace grace;

static void unwanted(void *arg, const struct verdict *v, const struct op *op)
{
	(void)arg, (void)op;
	fail_msg("%s", v->text);
}

/* A domain in which one writer has done something, and a reader that may look at it. */
static void open_domain(const char *text, unsigned ops_nr)
{
	struct trace_error err;
	struct config cfg;
	const char *why = "";
	char line[240];
	struct rng rng;

	assert_int_equal(config_parse(text, &cfg, &err), 0);
	assert_int_equal(exec_resolve(&cfg, line, sizeof(line)), 0);
	assert_int_equal(stress_domain_init(&d, 16 << 20, unwanted, NULL), 0);
	rng_init(&rng, SEED);
	assert_int_equal(stress_domain_open(&d, &cfg, 1, PAUSE_NONE, stress_writer_hooks(PAUSE_NONE), &rng, &why), 0);
	d.touch_nr = 1;
	grace = (struct grace){ .flavour = GRACE_MEMB };
	assert_int_equal(stress_reclaim_init(&reclaim, &d.x.mem, &grace), 0);
	writer.log = calloc(STRESS_OPS_MAX, sizeof(*writer.log));
	assert_non_null(writer.log);
	stress_writer_init(&writer, &d, &reclaim, 0, ops_nr, SEED);
	d.go = true;
	stress_writer_main(&writer);
	assert_false(d.taken);
	stress_reclaim_drain(&reclaim);
	grace_register(&grace);
	reader = (struct stress_reader){ .d = &d, .grace = &grace };
	rng_init(&reader.rng, SEED);
	stress_pause_init(&reader.pauser, PAUSE_NONE, 0);
}

static void close_domain(void)
{
	grace_unregister(&grace);
	stress_writer_release(&writer);
	free(writer.log);
	stress_domain_abandon(&d);
	stress_reclaim_release(&reclaim);
	stress_domain_release(&d);
}

static void look(void)
{
	unsigned i;

	for (i = 0; i < TRANSLATIONS && !d.taken; i++)
		stress_translate(&reader);
}

/* The walk of a page that is mapped. */
static uint32_t mapped_page(struct walk *w)
{
	uint64_t root;
	unsigned level;
	uint32_t i;

	for (i = 0; i < d.flat.nr && !flat_content(&d.flat, i); i++)
		;
	assert_true(i < d.flat.nr);
	root = stress_domain_root(&d, &level);
	walk(&d.oracle.hw, &d.x.mem.view, root, level, flat_iova(&d.flat, i), w);
	assert_int_equal(w->end, WALK_LEAF);
	return i;
}

static void test_stress__is_silent_on_what_is_right(void **state)
{
	(void)state;
	open_domain("vtdss tiny=4 ad=1", 300);
	look();
	assert_false(d.taken);
	assert_int_equal(reader.counts.translations, TRANSLATIONS);
	assert_true(reader.counts.touches > 0 && reader.counts.writes > 0);
	assert_int_equal(stress_rest(&d), d.flat.nr);
	assert_false(d.taken);
	close_domain();
}

/* Another oa, no leaf, a leaf that cannot be, a table that is none: in an item that translates a page. */
static void test_stress__sees_wrong_items(void **state)
{
	static const struct {
		uint64_t flip;
		bool clear;
		enum verdict_class class;
	} cases[] = {
		{ UINT64_C(1) << 30, false, VERDICT_WRONG_OA },
		{ 2, false, VERDICT_WRONG_PERMISSION }, /* W, or without R and W nothing */
		{ 0, true, VERDICT_WRONG_OA },
	};
	unsigned i, found = 0;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct walk_step *s;
		struct walk w;

		open_domain("vtdss tiny=4", 300);
		mapped_page(&w);
		s = &w.steps[w.nr - 1];
		if (s->entry.prot & PROT_R || cases[i].flip != 2) {
			mem_raw_store(&d.x.mem, s->pa, 3, cases[i].clear ? 0 : s->raw ^ cases[i].flip, __ATOMIC_RELAXED);
			look();
			assert_true(d.taken);
			assert_int_equal(d.evidence.v.class, cases[i].class);
			assert_int_equal(d.evidence.v.guarantee, 1);
			assert_true(d.evidence.has_walk);
			found++;
		}
		close_domain();
	}
	assert_true(found >= 2);
}

/* At rest alone it is noticed, too. */
static void test_stress__compares_at_rest(void **state)
{
	struct walk w;

	(void)state;
	open_domain("vtdss tiny=4", 300);
	mapped_page(&w);
	mem_raw_store(&d.x.mem, w.steps[w.nr - 1].pa, 3, 0, __ATOMIC_RELAXED);
	stress_rest(&d);
	assert_true(d.taken);
	close_domain();
}

/* A table is freed behind the engine's back: poisoned, and its frame says so. */
static void test_stress__sees_a_freed_table(void **state)
{
	struct walk w;

	(void)state;
	open_domain("vtdss tiny=4", 300);
	mapped_page(&w);
	assert_true(w.nr > 1);
	mem_free(&d.x.mem, w.steps[w.nr - 2].entry.pa);
	look();
	assert_true(d.taken);
	assert_int_equal(d.evidence.v.class, VERDICT_USE_AFTER_FREE);
	close_domain();
}

/* Freed and used again, with the same in it: only its generation tells. */
static void test_stress__sees_a_table_that_was_freed_meanwhile(void **state)
{
	const struct mem_view *view = &d.x.mem.view;
	struct walk w;
	uint64_t iova;
	unsigned i;

	(void)state;
	open_domain("vtdss tiny=4", 300);
	iova = flat_iova(&d.flat, mapped_page(&w));
	for (i = 0; i < w.nr; i++) {
		const struct walk_step *step = &w.steps[i];
		uint64_t table = step->pa - (hw_index(&d.oracle.hw, step->level, iova) << d.oracle.hw.item_bytes_lg2);
		struct mem_frame *f = &d.x.mem.view.frames[(table - view->pa) >> MEM_FRAME_LG2];

		assert_false(walk_is_stale(&d.oracle.hw, view, iova, &w));
		f->gen++;
		assert_true(walk_is_stale(&d.oracle.hw, view, iova, &w));
		f->gen--;
	}
	assert_false(walk_is_stale(&d.oracle.hw, view, iova, &w));
	close_domain();
}

/* What the device has written to must be dirty at the end. */
static void test_stress__sees_lost_dirty_state(void **state)
{
	unsigned lost = 0;
	uint32_t i;

	(void)state;
	open_domain("vtdss tiny=4 ad=1", 300);
	look();
	assert_false(d.taken);
	for (i = 0; i < d.flat.nr && !d.taken; i++) {
		uint64_t root, clean;
		unsigned level;
		struct walk w;

		root = stress_domain_root(&d, &level);
		walk(&d.oracle.hw, &d.x.mem.view, root, level, flat_iova(&d.flat, i), &w);
		if (!flat_was_written(&d.flat, i) || !w.steps[w.nr - 1].entry.dirty)
			continue;
		clean = w.steps[w.nr - 1].raw & ~d.oracle.hw.ad_mask;
		mem_raw_store(&d.x.mem, w.steps[w.nr - 1].pa, 3, clean, __ATOMIC_RELAXED);
		lost++;
		break;
	}
	assert_int_equal(lost, 1);
	stress_rest(&d);
	assert_true(d.taken);
	assert_int_equal(d.evidence.v.class, VERDICT_LOST_DIRTY);
	close_domain();
}

/* --- with threads --- */

static struct stress_run *run;
static struct stress_plan plan;
static char out[] = "test_stress.XXXXXX";

static int run_set_up(void **state)
{
	struct trace_error err;
	char line[240];

	(void)state;
	engine_calls = 0;
	engine_pid = getpid();
	engine_go = false;
	run = calloc(1, sizeof(*run));
	plan = (struct stress_plan){ .readers_nr = 2,
				     .writers_nr = 3,
				     .reclaim = RECLAIM_NR,
				     .pause = PAUSE_NR,
				     .hang_seconds = 60,
				     .exec = exec_defaults,
				     .out = out };
	if (!run || stress_run_init(run, &plan, SEED) || config_parse("riscv64 tiny=3 ad=1", &run->configs[0].cfg, &err) ||
	    exec_resolve(&run->configs[0].cfg, line, sizeof(line)))
		return -1;
	run->configs[0].divides = true;
	run->configs_nr = 1;
	return 0;
}

/* What has hung is not lost, and no leak. */
struct stress_run *hung;

static int run_tear_down(void **state)
{
	(void)state;
	engine_now = ENGINE_RIGHT;
	threads_left = -1;
	/* One that has hung still has threads, and tables that wait for liburcu: the command ends with it. */
	if (run->hung) {
		hung = run;
		return 0;
	}
	stress_run_release(run);
	free(run);
	return 0;
}

static int go(double seconds)
{
	static const volatile sig_atomic_t interrupted;

	return stress_run_until(run, latency_now() + (uint64_t)(seconds * 1e9), &interrupted, NULL, NULL);
}

static void clean_up(const struct stress_found *found)
{
	assert_true(found->path[0] && found->log[0]);
	assert_int_equal(unlink(found->path), 0);
	assert_int_equal(unlink(found->log), 0);
}

static void test_stress_run__counts_overlaps(void **state)
{
	unsigned flavour;

	(void)state;
	for (flavour = 0; flavour < GRACE_NR; flavour++) {
		plan.flavour = (enum grace_flavour)flavour;
		assert_int_equal(go(1), 0);
		assert_null(run->found);
		assert_true(run->total.counts.overlaps > 0 && run->total.counts.hits > 0);
		assert_true(run->total.deeds.splits > 0 && run->total.rests > 0);
		assert_true(run->total.deferred + run->total.waits > 0);
		assert_int_equal(run->configs[0].overlaps, run->total.counts.overlaps);
	}
}

static void expect(unsigned engine, enum verdict_class class)
{
	engine_now = engine;
	assert_int_equal(go(20), 0);
	assert_non_null(run->found);
	assert_int_equal(run->found->finding.v.class, class);
	assert_int_equal(run->found->finding.op_kind, OP_MAP);
}

static void test_stress_run__notices_a_wrong_return(void **state)
{
	(void)state;
	expect(ENGINE_LIES, VERDICT_WRONG_RETURN);
	/* The stand-in lies to the replay as well. */
	assert_true(run->found->replays);
	assert_true(run->found->ops_nr <= 40);
	clean_up(run->found);
}

static void test_stress_run__survives_a_crash(void **state)
{
	(void)state;
	expect(ENGINE_CRASHES, VERDICT_CRASH);
	clean_up(run->found);
}

static void test_stress_run__does_not_wait_for_ever(void **state)
{
	unsigned i;

	(void)state;
	plan.hang_seconds = 3;
	expect(ENGINE_HANGS, VERDICT_NO_PROGRESS);
	assert_true(run->hung);
	clean_up(run->found);
	/* The threads come back, and then there is nothing that their memory is still needed for. */
	__atomic_store_n(&engine_go, true, __ATOMIC_RELAXED);
	for (i = 0; i < STRESS_READERS_MAX + STRESS_WRITERS_MAX; i++)
		if (run->running[i])
			assert_int_equal(pthread_join(run->threads[i], NULL), 0);
	for (i = 0; i < run->d.writers_nr; i++)
		stress_writer_release(&run->writers[i]);
	stress_domain_abandon(&run->d);
}

/* No readers, some readers, no writers, some writers. */
static void test_stress_run__ends_when_no_thread_can_be_made(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		threads_left = i;
		assert_int_equal(go(1), -EAGAIN);
		assert_null(run->found);
	}
	threads_left = -1;
	assert_int_equal(go(0.2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stress__is_silent_on_what_is_right),
		cmocka_unit_test(test_stress__sees_wrong_items),
		cmocka_unit_test(test_stress__compares_at_rest),
		cmocka_unit_test(test_stress__sees_a_freed_table),
		cmocka_unit_test(test_stress__sees_a_table_that_was_freed_meanwhile),
		cmocka_unit_test(test_stress__sees_lost_dirty_state),
		cmocka_unit_test_setup_teardown(test_stress_run__counts_overlaps, run_set_up, run_tear_down),
		cmocka_unit_test_setup_teardown(test_stress_run__notices_a_wrong_return, run_set_up, run_tear_down),
		cmocka_unit_test_setup_teardown(test_stress_run__survives_a_crash, run_set_up, run_tear_down),
		cmocka_unit_test_setup_teardown(test_stress_run__does_not_wait_for_ever, run_set_up, run_tear_down),
		cmocka_unit_test_setup_teardown(test_stress_run__ends_when_no_thread_can_be_made, run_set_up, run_tear_down),
	};
	int ret;

	printf("seed %d\n", SEED);
	if (!mkdtemp(out))
		return 1;
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(out);
	return ret;
}
