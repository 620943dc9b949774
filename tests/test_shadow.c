/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_shadow.c - the event log is complete: replayed into a shadow copy, it gives the bytes of table memory, after every operation.
 *
 * An engine of ours can touch table memory in no other way than through mem. One that was not written for us can, with a plain assignment
 * or a memset that nobody has put a stand-in for; then every check that reads the log would be blind there. The argument names the
 * engine, native if there is none; 77 if it is not built in.
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
#include "../fuzzers/finding.h"
#include "../fuzzers/gen.h"

enum {
	SEED = 0x5eed,
	ARENA_BYTES = 8 << 20,
	OPS_NR = 300,
	POISON = 0xa5, /* what a freed table holds once the next operation has begun */
	EXIT_SKIPPED = 77,
};

static const char *engine = "native";
static struct exec x;
static uint8_t *shadow;
static uint64_t events_nr, compared_bytes;

static void found(void *arg, const struct verdict *v, const struct op *op)
{
	static struct finding f;

	(void)arg;
	finding_make(&f, &x, v, op);
	print_error("%s", f.report);
	exit(1);
}

static uint8_t *shadow_at(uint64_t pa)
{
	assert_true(mem_view_has(&x.mem.view, pa, 1));
	return shadow + (pa - x.mem.view.pa);
}

static void shadow_item(uint64_t pa, unsigned bytes_lg2, uint64_t val)
{
	uint32_t val32 = (uint32_t)val;

	if (bytes_lg2 == 2)
		memcpy(shadow_at(pa), &val32, 4);
	else
		memcpy(shadow_at(pa), &val, 8);
}

/* What the log says has happened. */
static void shadow_replay(void)
{
	const struct mem_view *v = &x.mem.view;
	unsigned item;
	size_t i;

	for (i = 0; i < v->events_nr; i++) {
		const struct mem_event *ev = &v->events[i];

		if (ev->kind == MEM_ALLOC)
			memset(shadow_at(ev->pa), 0, ev->old);
		if (ev->kind != MEM_STORE && ev->kind != MEM_CAS && ev->kind != MEM_DEVICE)
			continue;
		for (item = 0; item < ev->nr; item++)
			shadow_item(ev->pa + ((uint64_t)item << ev->bytes_lg2), ev->bytes_lg2, mem_event_new(ev, item));
	}
	events_nr += v->events_nr;
}

/* The next operation begins: what the last one freed is poisoned. */
static void shadow_poison(void)
{
	const struct mem_view *v = &x.mem.view;
	size_t i;

	for (i = 0; i < v->events_nr; i++)
		if (v->events[i].kind == MEM_FREE)
			memset(shadow_at(v->events[i].pa), POISON, v->events[i].old);
}

/* The first byte of a table, live or freed within this operation, where memory and shadow differ; MEM_NONE: nowhere. */
static uint64_t shadow_differs(void)
{
	const struct mem_view *v = &x.mem.view;
	uint64_t frame, byte;

	for (frame = 0; frame < x.mem.bump >> MEM_FRAME_LG2; frame++) {
		const struct mem_frame *f = &v->frames[frame];
		uint64_t at = frame << MEM_FRAME_LG2;

		/* Under the address sanitizer a table that was freed before is out of bounds. */
		if (f->state != MEM_FRAME_LIVE && (f->state != MEM_FRAME_FREED || f->stamp != v->op))
			continue;
		compared_bytes += f->bytes;
		if (!memcmp(v->bytes + at, shadow + at, f->bytes))
			continue;
		for (byte = at; v->bytes[byte] == shadow[byte]; byte++)
			;
		return v->pa + byte;
	}
	return MEM_NONE;
}

static void run_config(const char *format, const char *config)
{
	struct trace_error error;
	const char *why = "";
	struct config cfg;
	char text[400], err[300];
	struct gen gen;
	struct op op;
	unsigned i;

	snprintf(text, sizeof(text), "%s %s", format, config);
	assert_int_equal(config_parse(text, &cfg, &error), 0);
	if (exec_resolve(&cfg, err, sizeof(err)) || exec_open(&x, &cfg, &why))
		fail_msg("%s: %s%s", text, err, why);
	memset(shadow, 0, ARENA_BYTES);
	shadow_replay();
	assert_int_equal(shadow_differs(), MEM_NONE);
	gen_init(&gen, SEED, GEN_VARIED, &x.check.im, &x.check.hw);
	for (i = 0; i < OPS_NR; i++) {
		gen_next(&gen, &op);
		/* One that is not run leaves the log as it was: poisoning twice is no harm. */
		shadow_poison();
		if (exec_op(&x, &op) == EXEC_SKIPPED)
			continue;
		shadow_replay();
		if (shadow_differs() != MEM_NONE)
			fail_msg("%s: operation %u changed table memory at 0x%llx and did not log it", text, i + 1,
				 (unsigned long long)shadow_differs());
	}
	exec_close(&x);
}

static void test_shadow__log_gives_memory(void **state)
{
	const struct engine_ops *const *f;
	const char *const *config;
	unsigned configs_nr = 0;

	(void)state;
	for (f = engine_formats(); *f; f++)
		for (config = (*f)->configs; *config; config++, configs_nr++)
			run_config((*f)->name, *config);
	print_message("%s: %u configurations, %llu events, %llu MiB compared\n", engine, configs_nr, (unsigned long long)events_nr,
		      (unsigned long long)compared_bytes >> 20);
	assert_true(events_nr > 10000);
	assert_true(compared_bytes > 1 << 20);
}

/* A store behind the log's back is seen. */
static void test_shadow__finds_unlogged_store(void **state)
{
	const struct engine_ops *f = *engine_formats();
	const char *why = "";
	struct config cfg;
	char err[300];
	uint8_t *byte;

	(void)state;
	memset(&cfg, CONFIG_UNSET, sizeof(cfg));
	cfg.pgsizes = 0;
	snprintf(cfg.format, sizeof(cfg.format), "%s", f->name);
	assert_int_equal(exec_resolve(&cfg, err, sizeof(err)), 0);
	assert_int_equal(exec_open(&x, &cfg, &why), 0);
	memset(shadow, 0, ARENA_BYTES);
	shadow_replay();
	assert_int_equal(shadow_differs(), MEM_NONE);
	byte = x.mem.view.bytes + (x.mem.view.root - x.mem.view.pa) + 17;
	*byte ^= 1;
	assert_int_equal(shadow_differs(), x.mem.view.root + 17);
	*byte ^= 1;
	exec_close(&x);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shadow__log_gives_memory),
		cmocka_unit_test(test_shadow__finds_unlogged_store),
	};
	struct exec_options options = exec_defaults;

	printf("seed 0x%x\n", SEED);
	if (argc > 1)
		engine = argv[1];
	if (engine_choose(engine)) {
		printf("skipped: the engine %s is not built in; scripts/linux builds one that has it\n", engine);
		return EXIT_SKIPPED;
	}
	options.arena_bytes = ARENA_BYTES;
	/* The kernel is known to be wrong there in one build (docs/findings); here it is about the log alone. */
	options.checks &= ~(1u << CHECK_IOTLB);
	shadow = malloc(ARENA_BYTES);
	if (!shadow || exec_init(&x, &options, found, NULL))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
