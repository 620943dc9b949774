/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_round.c - check_round on rounds that are made by hand, primitive by primitive: what one writer may not leave to another, beside the same done
 * right. Calls of the real engine are used where they do what is wanted; who syncs what is then up to the test.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hand.h"

#define A 1
#define B 2

static struct hand h;
static struct mem_writer turns[3];
static struct writer writers[2];
static struct gather gathers[3];
static sigjmp_buf end;
static enum verdict_class verdict;
static unsigned by;

static void caught(void *arg, const struct verdict *v, const struct op *op)
{
	(void)arg;
	(void)op;
	verdict = v->class;
	by = h.x.check.by;
	siglongjmp(end, 1);
}

static uint64_t unit(unsigned n)
{
	return h.granules[n];
}

static void open_domain(const char *text)
{
	static const char *now;

	/* Items are learned once for each configuration. */
	if (now != text) {
		if (now)
			hand_release(&h);
		hand_init(&h, text, caught, NULL);
		now = text;
	}
	hand_open(&h);
}

static struct call call_of(enum call_kind kind, unsigned first, unsigned last, uint64_t oa)
{
	return (struct call){ .kind = kind, .iova = unit(first), .last = unit(last + 1) - 1, .oa = oa, .prot = PROT_R | PROT_W };
}

/* Both calls begin. */
static void begin(const struct call *a, const struct call *b, unsigned fail_b)
{
	uint64_t budgets[2];

	memset(writers, 0, sizeof(writers));
	writers[0] = (struct writer){ .id = A, .call = *a };
	writers[1] = (struct writer){ .id = B, .call = *b };
	assert_null(check_round_begin(&h.x.check, writers, 2, budgets));
	mem_begin_op(&h.x.mem, UINT64_MAX, 0);
	mem_writer_begin(&turns[A], A, UINT64_MAX, 0);
	mem_writer_begin(&turns[B], B, UINT64_MAX, fail_b);
	gather_init(&gathers[A]);
	gather_init(&gathers[B]);
}

static struct mem *turn(unsigned writer)
{
	static unsigned last;

	mem_writer_change(&h.x.mem, h.x.mem.writer.id ? &turns[last] : NULL, &turns[writer]);
	last = writer;
	return &h.x.mem;
}

static void unmap(unsigned writer)
{
	struct writer *w = &writers[writer - 1];

	turn(writer);
	w->res.ret = h.x.ops->unmap(h.x.engine, w->call.iova, w->call.last, &gathers[writer], &w->res.granules);
}

static void map(unsigned writer)
{
	struct writer *w = &writers[writer - 1];

	turn(writer);
	w->res.ret = h.x.ops->map(h.x.engine, w->call.iova, w->call.last, w->call.oa, w->call.prot, &gathers[writer], &w->res.granules);
}

/* The writer syncs g and, if it has nothing more to do, has ended. */
static void sync_gather(unsigned writer, struct gather *g, bool done)
{
	turn(writer);
	h.x.ops->sync(h.x.engine, g);
	if (done)
		mem_done(&h.x.mem);
}

/* What the check says; VERDICT_NR: nothing. */
static enum verdict_class judge(void)
{
	mem_writer_change(&h.x.mem, NULL, NULL);
	verdict = VERDICT_NR;
	by = 0;
	if (!sigsetjmp(end, 0))
		check_round(&h.x.check);
	gather_release(&gathers[A]);
	gather_release(&gathers[B]);
	exec_abandon(&h.x);
	return verdict;
}

/* Two units of one table, an oa each. */
static void two_pieces(const char *text)
{
	struct call a = call_of(CALL_UNMAP, 1, 1, 0), b = call_of(CALL_UNMAP, 2, 2, 0);

	open_domain(text);
	hand_run(&h, OP_MAP, unit(0), unit(1) - 1, UINT64_C(0x1c) << 24, PROT_R);
	hand_run(&h, OP_MAP, unit(1), unit(2) - 1, UINT64_C(0x14) << 24, PROT_R);
	hand_run(&h, OP_MAP, unit(2), unit(3) - 1, UINT64_C(0x18) << 24, PROT_R);
	begin(&a, &b, 0);
}

static void test_round__commands_are_a_writers_own(void **state)
{
	static const char text[] = "vtdss tiny=2 levels=2";

	(void)state;
	two_pieces(text);
	unmap(A);
	unmap(B);
	sync_gather(A, &gathers[A], true);
	sync_gather(B, &gathers[B], true);
	assert_int_equal(judge(), VERDICT_NR);

	/* B invalidates for both, and A waits without having asked for anything. */
	two_pieces(text);
	unmap(A);
	unmap(B);
	gather_join(&gathers[B], &gathers[A]);
	sync_gather(B, &gathers[B], true);
	mem_sync(turn(A));
	mem_done(turn(A));
	assert_int_equal(judge(), VERDICT_STALE_IOTLB);
	assert_int_equal(by, A);
}

/* A whole table, which goes with its last leaf, and a unit elsewhere. */
static void a_table(void)
{
	struct call a = call_of(CALL_UNMAP, 4, 7, 0), b = call_of(CALL_UNMAP, 1, 1, 0);
	unsigned i;

	open_domain("vtdss tiny=2 levels=2");
	hand_run(&h, OP_MAP, unit(1), unit(2) - 1, UINT64_C(0x14) << 24, PROT_R);
	for (i = 4; i < 8; i++)
		hand_run(&h, OP_MAP, unit(i), unit(i + 1) - 1, (UINT64_C(0x18) + 4 * i) << 24, PROT_R);
	begin(&a, &b, 0);
	unmap(A);
	unmap(B);
	assert_int_equal(gathers[A].free_nr, 1);
}

/* B frees the table that A has unlinked after its own sync; A invalidates all that it owes, but later. */
static void free_early(void)
{
	a_table();
	sync_gather(B, &gathers[B], false);
	hand_free(&h, gathers[A].free[0].pa);
	mem_done(turn(B));
	gathers[A].free_nr = 0;
	sync_gather(A, &gathers[A], true);
}

static void test_round__a_table_is_freed_after_the_sync_of_who_unlinked_it(void **state)
{
	(void)state;
	a_table();
	sync_gather(A, &gathers[A], true);
	sync_gather(B, &gathers[B], true);
	assert_int_equal(judge(), VERDICT_NR);

	/* A walk to A's range that B's sync has not ended reads it. */
	free_early();
	assert_int_equal(judge(), VERDICT_USE_AFTER_FREE);
	assert_int_equal(by, A);
	free_early();
	h.x.check.on &= ~(1u << CHECK_INFLIGHT);
	assert_int_equal(judge(), VERDICT_STALE_WALK_CACHE);
	assert_int_equal(by, B);
}

/* B links a table, and A maps into it and has ended before B writes the pointer back; or (flush) A does so itself. */
static enum verdict_class mapped_below_a_link(bool flush)
{
	struct call a = call_of(CALL_MAP, 5, 5, UINT64_C(0x14) << 24), b = call_of(CALL_MAP, 6, 6, UINT64_C(0x18) << 24);
	unsigned item_lg2, i;
	uint64_t table, link, slot, old = 0, leaf[2] = { 0, 0 };

	open_domain("vtdss tiny=2 levels=2 coherent=0");
	item_lg2 = h.x.check.hw.item_bytes_lg2;
	/* What the two leaves look like, from the engine. */
	for (i = 0; i < 2; i++) {
		const struct call *c = i ? &b : &a;

		hand_run(&h, OP_MAP, c->iova, c->last, c->oa, PROT_R | PROT_W);
		slot = hand_slot(&h, 1, h.x.check.root, c->iova);
		table = h.x.check.hw.format->decode(&h.x.check.hw, 1, mem_load(&h.x.mem, slot, item_lg2)).pa;
		leaf[i] = mem_load(&h.x.mem, hand_slot(&h, 0, table, c->iova), item_lg2);
		hand_run(&h, OP_UNMAP, unit(4), unit(8) - 1, 0, 0);
	}
	/* A table that an unmap has left would do as well; here there is none. */
	exec_abandon(&h.x);
	hand_open(&h);
	begin(&a, &b, 0);
	turn(B);
	table = hand_alloc(&h, 0);
	mem_flush(&h.x.mem, table, UINT64_C(1) << (item_lg2 + h.x.check.hw.index_lg2[0]));
	link = hand_slot(&h, 1, h.x.check.root, b.iova);
	mem_cas(&h.x.mem, link, item_lg2, &old, hand_pointer(&h, 1, table));
	turn(A);
	mem_load(&h.x.mem, link, item_lg2);
	if (flush)
		mem_flush(&h.x.mem, link, UINT64_C(1) << item_lg2);
	slot = hand_slot(&h, 0, table, a.iova);
	mem_store(&h.x.mem, slot, item_lg2, leaf[0], MEM_RELAXED);
	mem_flush(&h.x.mem, slot, UINT64_C(1) << item_lg2);
	mem_done(&h.x.mem);
	turn(B);
	mem_flush(&h.x.mem, link, UINT64_C(1) << item_lg2);
	slot = hand_slot(&h, 0, table, b.iova);
	mem_store(&h.x.mem, slot, item_lg2, leaf[1], MEM_RELAXED);
	mem_flush(&h.x.mem, slot, UINT64_C(1) << item_lg2);
	mem_done(&h.x.mem);
	writers[0].res.granules = writers[1].res.granules = 1;
	return judge();
}

static void test_round__what_a_writer_relies_on_is_written_back(void **state)
{
	(void)state;
	assert_int_equal(mapped_below_a_link(true), VERDICT_NR);
	assert_int_equal(mapped_below_a_link(false), VERDICT_MISSING_FLUSH);
	assert_int_equal(by, A);
}

static void test_round__memory_runs_out_for_one_alone(void **state)
{
	struct call a = call_of(CALL_MAP, 1, 1, UINT64_C(0x14) << 24), b = call_of(CALL_MAP, 9, 9, UINT64_C(0x18) << 24);

	(void)state;
	open_domain("vtdss tiny=2 levels=2");
	begin(&a, &b, 1);
	map(A);
	mem_done(turn(A));
	map(B);
	mem_done(turn(B));
	assert_int_equal(writers[1].res.ret, -ENOMEM);
	assert_int_equal(judge(), VERDICT_NR);

	/* A has done nothing, and says that it was for want of memory, too. */
	open_domain("vtdss tiny=2 levels=2");
	begin(&a, &b, 1);
	writers[0].res.ret = -ENOMEM;
	mem_done(turn(A));
	map(B);
	mem_done(turn(B));
	assert_int_equal(judge(), VERDICT_WRONG_RETURN);
	assert_int_equal(by, A);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round__commands_are_a_writers_own),
		cmocka_unit_test(test_round__a_table_is_freed_after_the_sync_of_who_unlinked_it),
		cmocka_unit_test(test_round__what_a_writer_relies_on_is_written_back),
		cmocka_unit_test(test_round__memory_runs_out_for_one_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
