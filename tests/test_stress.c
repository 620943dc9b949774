/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_stress.c - what the threads of a stress run notice, one wrong at a time: tables that are tampered with at rest, and an engine that
 * lies, crashes, hangs or takes the process with it. And what becomes of a run whose threads cannot be made.
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
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../fuzzers/stress_child.h"
#include "../fuzzers/stress_rest.h"
#include "../fuzzers/trace_file.h"

#define SEED 20
#define TRANSLATIONS 20000 /* enough to come to every page of a small domain */

/* --- stand-ins --- */

static struct engine_ops real;
static struct stress_child child;
static enum {
	ENGINE_RIGHT,
	ENGINE_LIES,
	ENGINE_CRASHES,
	ENGINE_HANGS,  /* in a thread */
	ENGINE_STAYS,  /* in the process's main thread, when the domain is torn down */
	ENGINE_ABORTS, /* here and below the process ends */
	ENGINE_KILLS,
	ENGINE_EXITS,
	ENGINE_SMASHES, /* all of the thread's stack from here up, and what lies behind it */
	ENGINE_WRECKS,  /* all that the processes share */
	ENGINE_OPENS_NOT,
} engine_now;
static unsigned engine_calls, engine_seed;
static int threads_left = -1; /* that can be made; -1: any number */
static bool threads_made;     /* by this process */

const struct engine_ops *__real_engine_find(const char *name);
const struct engine_ops *__wrap_engine_find(const char *name);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*body)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*body)(void *), void *arg);

/* Write over whatever is there. */
static void scribble(void *p, size_t bytes, struct rng *rng)
{
	volatile unsigned char *to = p;
	size_t i;

	for (i = 0; i < bytes; i++)
		to[i] = (unsigned char)rng_next(rng);
}

/* Some of it each time, or all, so that each part is once the one that is wrong. */
static void wreck(void)
{
	const struct stress_run *left = child.left;
	struct stress_run *run = child.run;
	struct stress_evidence *e = &run->d.evidence;
	struct rng rng;
	unsigned i;

	rng_init(&rng, engine_seed);
	for (i = 0; i < STRESS_OPS_MAX; i += 1 + rng_below(&rng, 40))
		scribble(&left->logs[i], sizeof(*left->logs), &rng);
	if (engine_seed & 1)
		scribble(left->writers, left->plan->writers_nr * sizeof(*left->writers), &rng);
	if (engine_seed & 2)
		scribble(left->readers, left->plan->readers_nr * sizeof(*left->readers), &rng);
	if (engine_seed & 4)
		scribble(e, sizeof(*e), &rng);
	if (engine_seed & 8)
		scribble(run, sizeof(*run), &rng);
	/* Evidence that looks as if it were some. */
	run->d.taken = engine_seed & 16;
	e->ns = latency_now();
	if (engine_seed & 32) {
		e->v.class = VERDICT_WRONG_OA;
		e->v.guarantee = 1;
		e->v.want = e->v.seen = KIND_HOLE;
		e->v.level = 0;
	}
	raise(SIGKILL);
}

/* The 20th map and others after it. What ends the process does so only where there are threads, and not in a replay. */
static int wrong_map(struct engine *e, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot, struct gather *g, uint64_t *granules)
{
	int ret = real.map(e, iova, last, oa, prot, g, granules);
	bool thread = gettid() != getpid();

	if (engine_now == ENGINE_RIGHT || __atomic_add_fetch(&engine_calls, 1, __ATOMIC_RELAXED) % 20)
		return ret;
	if (engine_now == ENGINE_LIES)
		return -EINVAL;
	if (engine_now == ENGINE_CRASHES)
		raise(SIGSEGV);
	while (engine_now == ENGINE_HANGS && thread)
		usleep(1000);
	if (engine_now == ENGINE_ABORTS && thread)
		abort();
	if (engine_now == ENGINE_KILLS && thread)
		raise(SIGKILL);
	if (engine_now == ENGINE_EXITS && thread)
		_exit(0);
	if (engine_now == ENGINE_SMASHES && thread)
		memset(__builtin_frame_address(0), 0x5a, 1 << 24);
	if (engine_now == ENGINE_WRECKS && thread)
		wreck();
	return ret;
}

static int wrong_create(struct engine **e, struct mem *mem, const struct config *cfg)
{
	if (engine_now == ENGINE_OPENS_NOT)
		raise(SIGSEGV);
	return real.create(e, mem, cfg);
}

static void wrong_destroy(struct engine *e)
{
	/* Not in a replay: there only processor time is limited, and this takes none. */
	while (engine_now == ENGINE_STAYS && threads_made)
		usleep(1000);
	real.destroy(e);
}

const struct engine_ops *__wrap_engine_find(const char *name)
{
	static struct engine_ops wrong;
	const struct engine_ops *found = __real_engine_find(name);

	if (!found)
		return NULL;
	real = wrong = *found;
	wrong.map = wrong_map;
	wrong.create = wrong_create;
	wrong.destroy = wrong_destroy;
	return &wrong;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*body)(void *), void *arg)
{
	if (!threads_left)
		return EAGAIN;
	threads_left -= threads_left > 0;
	threads_made = true;
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

static struct stress_plan plan;
static char out[] = "test_stress.XXXXXX";

static int run_set_up(void **state)
{
	struct stress_config *c;
	struct trace_error err;
	char line[240];

	(void)state;
	engine_calls = 0;
	plan = (struct stress_plan){ .seed = SEED,
				     .readers_nr = 2,
				     .writers_nr = 3,
				     .reclaim = RECLAIM_NR,
				     .pause = PAUSE_NR,
				     .hang_seconds = 60,
				     .exec = exec_defaults,
				     .out = out };
	if (stress_child_init(&child, &plan, SEED))
		return -1;
	c = &child.run->configs[0];
	child.run->configs_nr = 1;
	return config_parse("riscv64 tiny=3 ad=1", &c->cfg, &err) || exec_resolve(&c->cfg, line, sizeof(line)) ? -1 : 0;
}

static int run_tear_down(void **state)
{
	(void)state;
	engine_now = ENGINE_RIGHT;
	threads_left = -1;
	stress_child_release(&child);
	return 0;
}

/* In this process: only for what finds nothing. */
static int go_here(double seconds)
{
	int ret = stress_run_until(child.run, latency_now() + (uint64_t)(seconds * 1e9), NULL, NULL);

	assert_false(stress_domain_taken(&child.run->d));
	*child.left = *child.run;
	return ret;
}

static int go(double seconds)
{
	static const volatile sig_atomic_t interrupted;

	/* cmocka's handlers would bring a child back into the test. */
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	signal(SIGILL, SIG_DFL);
	signal(SIGFPE, SIG_DFL);
	return stress_child_run(&child, latency_now() + (uint64_t)(seconds * 1e9), &interrupted, NULL, NULL);
}

static void clean_up(const struct stress_found *found)
{
	assert_true(found->path[0] && found->log[0]);
	assert_int_equal(unlink(found->path), 0);
	assert_int_equal(unlink(found->log), 0);
}

static void test_stress_run__counts_overlaps(void **state)
{
	const struct stress_run *run = child.run;
	unsigned flavour;

	(void)state;
	for (flavour = 0; flavour < GRACE_NR; flavour++) {
		plan.flavour = (enum grace_flavour)flavour;
		assert_int_equal(go_here(1), 0);
		assert_true(run->total.counts.overlaps > 0 && run->total.counts.hits > 0);
		assert_true(run->total.deeds.splits > 0 && run->total.rests > 0);
		assert_true(run->total.deferred + run->total.waits > 0);
		assert_int_equal(run->configs[0].overlaps, run->total.counts.overlaps);
	}
}

/* No readers, some readers, no writers, some writers. */
static void test_stress_run__ends_when_no_thread_can_be_made(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		threads_left = i;
		assert_int_equal(go_here(1), -EAGAIN);
	}
	threads_left = -1;
	assert_int_equal(go_here(0.2), 0);
}

static void test_stress_child__counts_the_same(void **state)
{
	const struct stress_run *left = child.left;

	(void)state;
	assert_int_equal(go(1), -1);
	assert_null(left->found);
	assert_int_equal(left->ret, 0);
	assert_true(left->total.domains > 0 && left->total.counts.overlaps > 0 && left->total.deeds.splits > 0 && left->total.rests > 0);
	assert_int_equal(left->configs[0].overlaps, left->total.counts.overlaps);
	assert_int_equal(left->configs[0].domains, left->total.domains);
	assert_true(left->total.seconds > 0.9 && left->total.seconds < 60);
}

static const struct stress_found *expect(unsigned engine, enum verdict_class class)
{
	engine_now = engine;
	assert_int_equal(go(20), -1);
	assert_non_null(child.left->found);
	assert_int_equal(child.left->found->finding.v.class, class);
	return child.left->found;
}

/* What is on disk is a trace with as many operations, all of a kind that writers generate. Returns how many are maps. */
static size_t saved_maps(const struct stress_found *found)
{
	struct trace t;
	size_t i, maps = 0;
	struct stat st;

	assert_true(found->path[0] && found->log[0]);
	assert_int_equal(trace_load(found->path, &exec_defaults, &t), 0);
	assert_int_equal(t.nr, found->ops_nr);
	for (i = 0; i < t.nr; i++) {
		assert_true(t.ops[i].kind <= OP_UNMAP && !t.ops[i].devices_nr && !t.ops[i].thread);
		maps += t.ops[i].kind == OP_MAP;
	}
	trace_release(&t);
	assert_int_equal(stat(found->log, &st), 0);
	assert_true(st.st_size > 0);
	return maps;
}

static void test_stress_child__notices_a_wrong_return(void **state)
{
	const struct stress_found *found = expect(ENGINE_LIES, VERDICT_WRONG_RETURN);

	(void)state;
	assert_int_equal(found->finding.op_kind, OP_MAP);
	assert_non_null(strstr(found->finding.signature, "0>EINVAL"));
	/* The stand-in lies to the replay as well. */
	assert_true(found->replays);
	assert_true(found->ops_nr <= 40);
	clean_up(found);
}

static void test_stress_child__survives_a_crash(void **state)
{
	const struct stress_found *found = expect(ENGINE_CRASHES, VERDICT_CRASH);

	(void)state;
	assert_int_equal(found->finding.op_kind, OP_MAP);
	clean_up(found);
}

static void test_stress_child__does_not_wait_for_ever(void **state)
{
	static const unsigned engines[] = { ENGINE_HANGS, ENGINE_STAYS };
	unsigned i;

	for (i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
		const struct stress_found *found;

		assert_int_equal(run_set_up(state), 0);
		plan.hang_seconds = 1;
		found = expect(engines[i], VERDICT_NO_PROGRESS);
		assert_true(child.left->hung);
		assert_int_equal(found->finding.op_kind, engines[i] == ENGINE_HANGS ? (unsigned)OP_MAP : (unsigned)OP_NR);
		clean_up(found);
		run_tear_down(state);
	}
}

/* The process is gone, and what its writers did is not. */
static void test_stress_child__outlives_the_process(void **state)
{
	static const struct {
		unsigned engine;
		const char *text;
	} cases[] = {
		{ ENGINE_ABORTS, "signal 6: " },
		{ ENGINE_KILLS, "signal 9: " },
		{ ENGINE_EXITS, "ended itself" },
		{ ENGINE_SMASHES, "" },
	};
	unsigned i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct stress_found *found;

		assert_int_equal(run_set_up(state), 0);
		found = expect(cases[i].engine, VERDICT_CRASH);
		assert_non_null(strstr(found->finding.v.text, cases[i].text));
		assert_false(found->replays);
		assert_true(found->finding.op_kind < OP_NR);
		assert_true(saved_maps(found) >= 10);
		assert_true(child.left->total.deeds.kinds[CALL_MAP] >= 10);
		clean_up(found);
		run_tear_down(state);
	}
}

/* Nothing of what is shared can be believed: there is a finding all the same, and what is saved can be read. */
static void test_stress_child__believes_nothing(void **state)
{
	const struct stress_found *found;
	unsigned left_out = 0;

	for (engine_seed = 0; engine_seed < 64; engine_seed++) {
		assert_int_equal(run_set_up(state), 0);
		engine_now = ENGINE_WRECKS;
		assert_int_equal(go(20), -1);
		found = child.left->found;
		assert_non_null(found);
		assert_true(found->finding.v.class < VERDICT_NR);
		left_out += !!strstr(found->finding.v.text, "have been written over");
		saved_maps(found);
		clean_up(found);
		run_tear_down(state);
	}
	assert_true(left_out > 32);
}

/* The engine was at it, if only to make the first domain. */
static void test_stress_child__has_a_finding_without_operations(void **state)
{
	const struct stress_found *found = expect(ENGINE_OPENS_NOT, VERDICT_CRASH);

	(void)state;
	assert_int_equal(found->finding.op_kind, OP_NR);
	assert_int_equal(saved_maps(found), 0);
	assert_non_null(strstr(found->finding.v.text, "--seed 0x14"));
	clean_up(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: these make processes, before any liburcu thread is there. */
		cmocka_unit_test_setup_teardown(test_stress_child__counts_the_same, run_set_up, run_tear_down),
		cmocka_unit_test_setup_teardown(test_stress_child__notices_a_wrong_return, run_set_up, run_tear_down),
		cmocka_unit_test_setup_teardown(test_stress_child__survives_a_crash, run_set_up, run_tear_down),
		cmocka_unit_test(test_stress_child__does_not_wait_for_ever),
		cmocka_unit_test(test_stress_child__outlives_the_process),
		cmocka_unit_test(test_stress_child__believes_nothing),
		cmocka_unit_test_setup_teardown(test_stress_child__has_a_finding_without_operations, run_set_up, run_tear_down),
		cmocka_unit_test(test_stress__is_silent_on_what_is_right),
		cmocka_unit_test(test_stress__sees_wrong_items),
		cmocka_unit_test(test_stress__compares_at_rest),
		cmocka_unit_test(test_stress__sees_a_freed_table),
		cmocka_unit_test(test_stress__sees_a_table_that_was_freed_meanwhile),
		cmocka_unit_test(test_stress__sees_lost_dirty_state),
		cmocka_unit_test_setup_teardown(test_stress_run__counts_overlaps, run_set_up, run_tear_down),
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
