/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_explore.c - what oracle/explore.h says of the walks in flight is held against brute force: on litmus cases, whose outcomes are known,
 * and on every small operation of the engine. test_histories.c does the same with histories at random.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../oracle/account.h"
#include "../oracle/walk.h"
#include "hand.h"

static struct hand h;
static uint64_t compared, in_flight;

static void catch(void *arg, const struct verdict *v, const struct op *op)
{
	(void)arg;
	(void)op;
	fail_msg("%s: %s", h.text, v->text);
}

/* --- litmus cases --- */

/*
 * struct place - where a litmus case happens: two tables of four, the second of them not there yet.
 *
 * @a: maps to leaf 1 through the item @leaf of the table @old, to which the item @old_link of the root points
 * @b: maps to nothing; @link: the empty item of the root for it
 */
struct place {
	uint64_t root, a, leaf, old, old_link, b, link;
};

static struct place at;

/*
 * struct litmus - one case.
 *
 * @make:   the operation
 * @iova:   'a' or 'b'
 * @weak, @strong, @incoherent: what walks of it may come to under each model, in any order; NULL: not tried. F: fault. W: wild. Digits: leaf
 *          1 to 3. Leaves 2 and 1 with another upper half of the item: H, h: that of oa HIGH; S, s: what a fill makes of leaf 2 a step further
 */
struct litmus {
	const char *name;
	void (*make)(void);
	char iova;
	const char *weak, *strong, *incoherent;
};

#define HIGH (UINT64_C(1) << 36)

static uint64_t leaf(unsigned k)
{
	assert_int_equal(h.leaves[k - 1].level, 0);
	return h.leaves[k - 1].raw;
}

static void store(uint64_t pa, uint64_t val)
{
	mem_store(&h.x.mem, pa, 3, val, MEM_RELAXED);
}

static void release(uint64_t pa, uint64_t val)
{
	mem_store(&h.x.mem, pa, 3, val, MEM_RELEASE);
}

static void cas(uint64_t pa, uint64_t val)
{
	uint64_t old = mem_load(&h.x.mem, pa, 3);

	assert_true(mem_cas(&h.x.mem, pa, 3, &old, val));
}

static void flush(uint64_t pa, uint64_t bytes)
{
	mem_flush(&h.x.mem, pa, bytes);
}

static void fence(void)
{
	mem_fence(&h.x.mem);
}

static void sync_walks(void)
{
	mem_sync(&h.x.mem);
}

static void device(uint64_t pa, uint64_t val)
{
	assert_true(mem_device(&h.x.mem, pa, 3, mem_load(&h.x.mem, pa, 3), val));
}

static uint64_t pointer(uint64_t table)
{
	return hand_pointer(&h, 1, table);
}

/* A new table with leaf 2 for b. */
static uint64_t fill_table(void)
{
	uint64_t table = hand_alloc(&h, 0);

	store(hand_slot(&h, 0, table, at.b), leaf(2));
	return table;
}

/* A bit of vtdss items that no device looks at. */
#define IGNORED (UINT64_C(1) << 63)

static void link_relaxed(void)
{
	store(at.link, pointer(fill_table()));
}

static void link_release(void)
{
	release(at.link, pointer(fill_table()));
}

static void link_fenced(void)
{
	uint64_t table = fill_table();

	fence();
	store(at.link, pointer(table));
}

static void link_cas(void)
{
	cas(at.link, pointer(fill_table()));
}

static void link_then_fill(void)
{
	uint64_t table = hand_alloc(&h, 0);

	store(at.link, pointer(table));
	store(hand_slot(&h, 0, table, at.b), leaf(2));
}

static void link_cas_then_fill(void)
{
	uint64_t table = hand_alloc(&h, 0);

	cas(at.link, pointer(table));
	store(hand_slot(&h, 0, table, at.b), leaf(2));
}

static void link_synced(void)
{
	uint64_t table = fill_table();

	sync_walks();
	store(at.link, pointer(table));
}

/* The second link has no order of its own, but it replaces one that has. */
static void link_release_again(void)
{
	uint64_t link = pointer(fill_table());

	release(at.link, link);
	store(at.link, link | IGNORED);
}

static void link_relaxed_again(void)
{
	uint64_t link = pointer(fill_table());

	store(at.link, link);
	store(at.link, link | IGNORED);
}

/* After the fence of a compare-exchange elsewhere. */
static void link_after_cas(void)
{
	uint64_t table = fill_table();

	cas(at.leaf, leaf(3));
	store(at.link, pointer(table));
}

static void link_after_release(void)
{
	uint64_t table = fill_table();

	release(at.leaf, leaf(3));
	store(at.link, pointer(table));
}

static void link_device(void)
{
	uint64_t link = pointer(fill_table());

	release(at.link, link);
	device(at.link, link | IGNORED);
}

static void link_relaxed_device(void)
{
	uint64_t link = pointer(fill_table());

	store(at.link, link);
	device(at.link, link | IGNORED);
}

/* What the device sets is not ordered by the engine's fence. */
static void link_by_device_after_fence(void)
{
	uint64_t table = fill_table();

	fence();
	device(at.link, pointer(table));
}

static void link_after_device(void)
{
	uint64_t link = pointer(fill_table());

	release(at.link, link);
	device(at.link, link | IGNORED);
	store(at.link, link);
}

static const struct litmus linking[] = {
	{ "linked", link_relaxed, 'b', "FW2", "F2", "FW2" },
	{ "linked by a release store", link_release, 'b', "F2", "F2", "FW2" },
	{ "linked after a fence", link_fenced, 'b', "F2", "F2", "FW2" },
	{ "linked by a compare-exchange", link_cas, 'b', "F2", "F2", "FW2" },
	{ "linked, then filled", link_then_fill, 'b', "FW2", "F2", "FW2" },
	{ "linked by a compare-exchange, then filled", link_cas_then_fill, 'b', "F2", "F2", "FW2" },
	{ "linked after a sync", link_synced, 'b', "F2", "F2", "FW2" },
	{ "linked by a release store, then again", link_release_again, 'b', "F2", "F2", "FW2" },
	{ "linked twice", link_relaxed_again, 'b', "FW2", "F2", "FW2" },
	{ "linked after a compare-exchange elsewhere", link_after_cas, 'b', "F2", "F2", "FW2" },
	{ "linked after a release store elsewhere", link_after_release, 'b', "FW2", "F2", "FW2" },
	{ "a link that the device updates", link_device, 'b', "F2", "F2", NULL },
	{ "a relaxed link that the device updates", link_relaxed_device, 'b', "FW2", "F2", NULL },
	{ "a link that the device changes after a fence", link_by_device_after_fence, 'b', "FW2", "FW2", NULL },
	{ "a link that the device updates, then the engine", link_after_device, 'b', "F2", "F2", NULL },
};

static void change_twice(void)
{
	store(at.leaf, leaf(2));
	store(at.leaf, leaf(3));
}

static void break_then_make(void)
{
	store(at.leaf, 0);
	sync_walks();
	store(at.leaf, leaf(2));
}

/* A walk that has read the pointer has ended before the leaf changes. */
static void unlink_sync_reuse(void)
{
	store(at.old_link, 0);
	sync_walks();
	store(at.leaf, leaf(2));
}

static void unlink_reuse(void)
{
	store(at.old_link, 0);
	store(at.leaf, leaf(2));
}

static void unlink_free(void)
{
	store(at.old_link, 0);
	hand_free(&h, at.old);
	sync_walks();
}

static void unlink_sync_free(void)
{
	store(at.old_link, 0);
	flush(at.old_link, 8);
	sync_walks();
	hand_free(&h, at.old);
}

static void unlink_release_free(void)
{
	release(at.old_link, 0);
	flush(at.old_link, 8);
	fence();
	hand_free(&h, at.old);
}

static void unlink_unflushed_free(void)
{
	store(at.old_link, 0);
	sync_walks();
	hand_free(&h, at.old);
}

/* Whoever reads this link does so after the table was freed; but without order it may still hold what it held. */
static void free_then_link(void)
{
	uint64_t table = fill_table(), link = pointer(table);

	flush(table, 32);
	fence();
	hand_free(&h, table);
	store(at.link, link);
}

static void free_then_link_release(void)
{
	uint64_t table = fill_table(), link = pointer(table);

	hand_free(&h, table);
	release(at.link, link);
}

static void free_sync_link(void)
{
	uint64_t table = fill_table(), link = pointer(table);

	hand_free(&h, table);
	sync_walks();
	store(at.link, link);
}

static void link_wild(void)
{
	store(at.link, pointer(at.root + (1u << 20)));
}

static const struct litmus epochs[] = {
	{ "changed twice", change_twice, 'a', "123", "123", "123" },
	{ "break before make", break_then_make, 'a', "1F2", "1F2", "1F2" },
	{ "reused after the sync", unlink_sync_reuse, 'a', "1F", "1F", "1F2" },
	{ "reused without a sync", unlink_reuse, 'a', "1F2", "1F2", "1F2" },
	{ "freed before the sync", unlink_free, 'a', "1FW", "1FW", "1FW" },
	{ "freed after the sync", unlink_sync_free, 'a', "1F", "1F", "1F" },
	{ "freed without a sync", unlink_release_free, 'a', "1FW", "1FW", "1FW" },
	{ "freed after the sync, not written back", unlink_unflushed_free, 'a', "1F", "1F", "1FW" },
	{ "freed, then linked", free_then_link, 'b', "FW2", "FW", "FW" },
	{ "freed, then linked by a release store", free_then_link_release, 'b', "FW", "FW", "FW" },
	{ "freed, then linked after a sync", free_sync_link, 'b', "FW", "FW", "FW" },
	{ "linked to no table", link_wild, 'b', "FW", "FW", "FW" },
};

static void low_then_high(void)
{
	mem_store(&h.x.mem, at.leaf, 2, (uint32_t)leaf(2), MEM_RELAXED);
	mem_store(&h.x.mem, at.leaf + 4, 2, (uint32_t)((leaf(2) | HIGH) >> 32), MEM_RELAXED);
}

static void high_then_low(void)
{
	mem_store(&h.x.mem, at.leaf + 4, 2, (uint32_t)((leaf(2) | HIGH) >> 32), MEM_RELEASE);
	mem_store(&h.x.mem, at.leaf, 2, (uint32_t)leaf(2), MEM_RELEASE);
}

/* Both halves by one fill: from zero, to two values that one step divides. The upper one alone is an empty item. */
static void halves(void)
{
	uint64_t low = (uint32_t)leaf(2);

	store(at.leaf, 0);
	flush(at.leaf, 8);
	sync_walks();
	mem_fill(&h.x.mem, at.leaf, 2, 2, low, 4);
}

/* The old halves do not follow each other by a step, so that the log has two events. */
static void halves_live(void)
{
	mem_fill(&h.x.mem, at.leaf, 2, 2, (uint32_t)leaf(2), 4);
}

static void halves_to_zero(void)
{
	mem_fill(&h.x.mem, at.leaf, 2, 2, 0, 0);
}

static void half_written_back(void)
{
	store(at.leaf, leaf(2));
	flush(at.leaf + 4, 8);
	sync_walks();
	store(at.old_link, 0);
	store(at.leaf, 0);
}

static const struct litmus narrow[] = {
	{ "low half, high half", low_then_high, 'a', "12H", "12H", "12H" },
	{ "high half, low half", high_then_low, 'a', "1hH", "1hH", "1hH" },
	{ "both halves of zero by one fill", halves, 'a', "1F2S", "1F2S", "1F2S" },
	{ "both halves of a leaf by one fill", halves_live, 'a', "12sS", "12sS", "12sS" },
	{ "both halves cleared by one fill", halves_to_zero, 'a', "1F", "1F", "1F" },
	{ "a write-back that does not cover the item", half_written_back, 'a', "12F", "12F", "12F" },
};

static uint64_t new_root(void)
{
	uint64_t root = hand_alloc(&h, 1);

	store(hand_slot(&h, 1, root, at.b), pointer(fill_table()));
	return root;
}

static void top(void)
{
	uint64_t root = new_root();

	mem_top(&h.x.mem, root, 1);
}

static void top_then_change(void)
{
	uint64_t root = hand_alloc(&h, 1);

	mem_top(&h.x.mem, root, 1);
	store(hand_slot(&h, 1, root, at.b), pointer(at.old));
}

static void top_sync_change(void)
{
	uint64_t root = hand_alloc(&h, 1);

	flush(root, 32);
	mem_top(&h.x.mem, root, 1);
	sync_walks();
	store(at.leaf, leaf(3));
}

static void top_free(void)
{
	uint64_t root = hand_alloc(&h, 1);

	flush(root, 32);
	mem_top(&h.x.mem, root, 1);
	sync_walks();
	hand_free(&h, at.root);
}

static void top_free_early(void)
{
	uint64_t root = hand_alloc(&h, 1);

	flush(root, 32);
	mem_top(&h.x.mem, root, 1);
	hand_free(&h, at.root);
	sync_walks();
}

static const struct litmus tops[] = {
	{ "a new root", top, 'b', "F2", "F2", "FW2" },
	{ "a new root without a", top, 'a', "1F", "1F", "1FW" },
	{ "a new root, then changed", top_then_change, 'b', "F1", "F1", "F1W" },
	{ "the old root after the sync", top_sync_change, 'a', "1F", "1F", "1F" },
	{ "the old root is freed after the sync", top_free, 'a', "1F", "1F", "1F" },
	{ "the old root is freed before the sync", top_free_early, 'a', "1FW", "1FW", "1FW" },
};

static void link_flushed(void)
{
	uint64_t table = fill_table();

	flush(table, 32);
	store(at.link, pointer(table));
	flush(at.link, 8);
}

static void link_flushed_late(void)
{
	uint64_t table = fill_table();

	store(at.link, pointer(table));
	flush(table, 32);
	flush(at.link, 8);
}

static void link_flushed_partly(void)
{
	uint64_t table = fill_table();

	flush(hand_slot(&h, 0, table, at.b), 4);
	flush(hand_slot(&h, 0, table, at.b) + 4, 4);
	store(at.link, pointer(table));
	flush(at.link, 8);
}

/* Zeroes reach memory, what is stored later does not. */
static void link_flushed_zero(void)
{
	uint64_t table = hand_alloc(&h, 0);

	flush(table, 32);
	store(hand_slot(&h, 0, table, at.b), leaf(2));
	store(at.link, pointer(table));
	flush(at.link, 8);
	sync_walks();
}

static void unmap_flushed(void)
{
	store(at.leaf, 0);
	flush(at.leaf, 8);
	sync_walks();
	store(at.old_link, pointer(at.old) | IGNORED);
}

static const struct litmus write_backs[] = {
	{ "written back before it is linked", link_flushed, 'b', NULL, NULL, "F2" },
	{ "written back after it is linked", link_flushed_late, 'b', NULL, NULL, "FW2" },
	{ "written back in parts", link_flushed_partly, 'b', NULL, NULL, "FW2" },
	{ "written back before it is filled", link_flushed_zero, 'b', NULL, NULL, "F2" },
	{ "an ignored bit that is not written back", unmap_flushed, 'a', NULL, NULL, "1F" },
};

static void expect(const char *expected, struct brute_set *set)
{
	memset(set, 0, sizeof(*set));
	for (; *expected; expected++) {
		struct brute_outcome o = { .kind = EXPLORE_LEAF, .prot = PROT_R | PROT_W };

		switch (*expected) {
		case 'F':
			o = (struct brute_outcome){ .kind = EXPLORE_FAULT };
			break;
		case 'W':
			o = (struct brute_outcome){ .kind = EXPLORE_WILD };
			break;
		case 'H':
			o.oa = (UINT64_C(2) << 30) + HIGH;
			break;
		case 'h':
			o.oa = (UINT64_C(1) << 30) + HIGH;
			break;
		case 'S':
		case 's':
			o.oa = (*expected == 'S' ? UINT64_C(2) << 30 : UINT64_C(1) << 30) + ((leaf(2) + 16) << 32 & layout_mask(52));
			break;
		default:
			o.oa = (uint64_t)(*expected - '0') << 30;
		}
		brute_add(set, &o);
	}
}

static void open_place(void)
{
	hand_open(&h);
	at = (struct place){ .root = h.x.check.root, .a = 0, .b = h.granules[4] };
	assert_int_equal(hand_run(&h, OP_MAP, 0, h.granules[1] - 1, UINT64_C(1) << 30, PROT_R | PROT_W), EXEC_DONE);
	at.old_link = hand_slot(&h, 1, at.root, at.a);
	at.link = hand_slot(&h, 1, at.root, at.b);
	at.old = h.x.check.hw.format->decode(&h.x.check.hw, 1, mem_load(&h.x.mem, at.old_link, 3)).pa;
	at.leaf = hand_slot(&h, 0, at.old, at.a);
	mem_begin_op(&h.x.mem, UINT64_MAX, 0);
}

static void judge(const char *name, const char *who, const struct brute_set *want, const struct brute_set *got)
{
	compared++;
	if (brute_equal(want, got))
		return;
	print_message("%s, %s: %s\n", h.text, name, who);
	hand_print_log(&h);
	hand_print_set("expected", want);
	hand_print_set("got", got);
	fail();
}

static void try_litmus(const struct litmus *l, const char *expected)
{
	struct brute_set sets[HAND_GRANULES_MAX], want;
	unsigned i = l->iova == 'a' ? 0 : 4;

	if (!expected)
		return;
	open_place();
	l->make();
	expect(expected, &want);
	hand_brute(&h, at.root, 1, sets);
	judge(l->name, "brute force", &want, &sets[i]);
	hand_explore(&h, sets);
	judge(l->name, "explore", &want, &sets[i]);
	exec_abandon(&h.x);
}

static void try_all(const struct litmus *l, size_t nr)
{
	static const char *const models[] = { "vtdss tiny=2 levels=2 model=weak ad=1", "vtdss tiny=2 levels=2 ad=1",
					      "vtdss tiny=2 levels=2 coherent=0" };
	unsigned m;
	size_t i;

	for (m = 0; m < 3; m++) {
		hand_init(&h, models[m], catch, NULL);
		for (i = 0; i < nr; i++)
			try_litmus(&l[i], m == 0 ? l[i].weak : m == 1 ? l[i].strong : l[i].incoherent);
		hand_release(&h);
	}
}

#define TRY(cases) try_all(cases, sizeof(cases) / sizeof((cases)[0]))

static void test_explore__litmus_linking(void **state)
{
	(void)state;
	TRY(linking);
}

static void test_explore__litmus_epochs(void **state)
{
	(void)state;
	TRY(epochs);
}

static void test_explore__litmus_narrow(void **state)
{
	(void)state;
	TRY(narrow);
}

static void test_explore__litmus_top(void **state)
{
	(void)state;
	TRY(tops);
}

static void test_explore__litmus_write_back(void **state)
{
	(void)state;
	TRY(write_backs);
}

/* What one operation did not write back, another may still read in memory. */
static void test_explore__litmus_left_by_an_earlier_operation(void **state)
{
	static const struct {
		const char *name;
		bool rewrite, flush, sync, half;
		const char *expected;
	} cases[] = {
		{ .name = "left", .expected = "123" },
		{ .name = "left over a sync", .sync = true, .expected = "123" },
		{ .name = "written back", .flush = true, .expected = "123" },
		{ .name = "written back, sync", .flush = true, .sync = true, .expected = "123" },
		{ .name = "overwritten", .rewrite = true, .sync = true, .expected = "123F" },
		{ .name = "overwritten and written back", .rewrite = true, .flush = true, .sync = true, .expected = "123F" },
		{ .name = "overwritten in part, by what it held", .half = true, .expected = "123" },
	};
	struct call_range span = { UINT64_MAX, 0 };
	struct brute_set sets[HAND_GRANULES_MAX], want;
	size_t i;

	(void)state;
	hand_init(&h, "vtdss tiny=2 levels=2 coherent=0", catch, NULL);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_place();
		store(at.leaf, leaf(2));
		store(at.leaf, leaf(3));
		hand_explore(&h, sets);
		account_log(&h.x.check, NULL, NULL, &span);
		explore_settle(&h.x.check);
		h.older[0] = (struct brute_older){ .pa = at.leaf, .nr = 2, .raw = { leaf(1), leaf(2) } };
		h.older_nr = 1;
		mem_begin_op(&h.x.mem, UINT64_MAX, 0);
		if (cases[i].rewrite)
			store(at.leaf, 0);
		if (cases[i].half)
			mem_store(&h.x.mem, at.leaf + 4, 2, leaf(3) >> 32, MEM_RELAXED);
		if (cases[i].flush)
			flush(at.leaf, 8);
		if (cases[i].sync)
			sync_walks();
		expect(cases[i].expected, &want);
		hand_brute(&h, at.root, 1, sets);
		judge(cases[i].name, "brute force", &want, &sets[0]);
		hand_explore(&h, sets);
		judge(cases[i].name, "explore", &want, &sets[0]);
		exec_abandon(&h.x);
	}
	hand_release(&h);
}

static uint64_t root_leaf(unsigned k)
{
	unsigned i;

	for (i = 0; i < h.leaves_nr; i++)
		if (h.leaves[i].level == 1 && !k--)
			return h.leaves[i].raw;
	fail();
	return 0;
}

static void high_root_freed(void)
{
	hand_free(&h, at.root);
}

static void high_root_no_table(void)
{
	mem_top(&h.x.mem, at.root + (1u << 20), 1);
}

static void high_root_filled(void)
{
	mem_fill(&h.x.mem, hand_slot(&h, 1, at.root, h.granules[4]), 3, 2, root_leaf(0), h.x.check.hw.oa_step_lg2[1]);
}

/* The root translates both halves, from two of its items each. */
static void test_explore__litmus_upper_half(void **state)
{
	static const struct {
		const char *name;
		void (*make)(void);
	} cases[] = {
		{ "a root over both halves is freed", high_root_freed },
		{ "a root over both halves is no table", high_root_no_table },
		{ "a fill from the lower half to the upper", high_root_filled },
	};
	struct brute_set brute[HAND_GRANULES_MAX], explore[HAND_GRANULES_MAX];
	unsigned i, k;

	(void)state;
	hand_init(&h, "riscv64 tiny=2 levels=2", catch, NULL);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hand_open(&h);
		at.root = h.x.check.root;
		mem_begin_op(&h.x.mem, UINT64_MAX, 0);
		cases[i].make();
		hand_brute(&h, at.root, 1, brute);
		hand_explore(&h, explore);
		for (k = 0; k < h.granules_nr; k++)
			judge(cases[i].name, "explore", &brute[k], &explore[k]);
		exec_abandon(&h.x);
	}
	hand_release(&h);
}

/* --- every small operation of the engine --- */

static void walk_all(struct walk *walks)
{
	unsigned i;

	for (i = 0; i < h.granules_nr; i++)
		walk(&h.x.check.hw, &h.x.mem.view, h.x.check.root, h.x.check.root_level, h.granules[i], &walks[i]);
}

static bool is_walk(const struct brute_outcome *o, const struct walk *w)
{
	if (o->kind == EXPLORE_LEAF)
		return w->end == WALK_LEAF && o->oa == w->oa && o->prot == w->prot;
	return o->kind == EXPLORE_FAULT && w->end == WALK_FAULT;
}

static struct call_range dirty[HAND_GRANULES_MAX];
static size_t dirty_nr;

static void note_dirty(void *arg, uint64_t iova, uint64_t last)
{
	(void)arg;
	assert_true(dirty_nr < HAND_GRANULES_MAX);
	dirty[dirty_nr++] = (struct call_range){ iova, last };
}

static void call_engine(const struct call *call, struct call_result *res)
{
	struct exec *x = &h.x;

	dirty_nr = 0;
	switch (call->kind) {
	case CALL_MAP:
		res->ret = x->ops->map(x->engine, call->iova, call->last, call->oa, call->prot, &x->gather, &res->granules);
		break;
	case CALL_CUT:
		res->ret = x->ops->cut(x->engine, call->iova, &x->gather);
		break;
	case CALL_DIRTY:
		res->ret = x->ops->dirty(x->engine, call->iova, call->last, call->clear, &x->gather, note_dirty, NULL);
		break;
	default:
		res->ret = x->ops->unmap(x->engine, call->iova, call->last, &x->gather, &res->granules);
	}
	x->ops->sync(x->engine, &x->gather);
	res->dirty = dirty;
	res->dirty_nr = dirty_nr;
}

/* One call of the engine: both must agree on what its walks come to, and that each is what there was before or what there is after. */
static void run_call(const struct call *call)
{
	static struct brute_set brute[HAND_GRANULES_MAX], explore[HAND_GRANULES_MAX];
	static struct walk before[HAND_GRANULES_MAX], after[HAND_GRANULES_MAX];
	struct exec *x = &h.x;
	struct call_result res = { 0 };
	uint64_t root = x->check.root;
	unsigned i, k, level = x->check.root_level;

	walk_all(before);
	mem_begin_op(&x->mem, check_begin(&x->check, call), 0);
	call_engine(call, &res);
	hand_brute(&h, root, level, brute);
	hand_explore(&h, explore);
	check_called(&x->check, call, &res);
	walk_all(after);
	for (i = 0; i < h.granules_nr; i++) {
		judge("an operation of the engine", "explore", &brute[i], &explore[i]);
		in_flight += brute[i].nr > 1;
		for (k = 0; k < brute[i].nr; k++) {
			if (is_walk(&brute[i].at[k], &before[i]) || is_walk(&brute[i].at[k], &after[i]))
				continue;
			print_message("%s, iova 0x%llx: neither before nor after\n", h.text, (unsigned long long)h.granules[i]);
			hand_print_log(&h);
			hand_print_set("brute force", &brute[i]);
			fail();
		}
	}
}

/* Map [first, last] in granules, cut at each point in turn, with a device that has written there or not, unmap one half and the other. */
static void run_range(unsigned first, unsigned last, uint64_t oa)
{
	uint64_t unit = UINT64_C(1) << h.x.check.granule_lg2, iova = h.granules[first], end = h.granules[last] + unit - 1;
	unsigned cut;

	for (cut = first + 1; cut <= last; cut++) {
		struct call map = { .kind = CALL_MAP, .iova = iova, .last = end, .oa = oa, .prot = PROT_R | PROT_W };
		struct call split = { .kind = CALL_CUT, .iova = h.granules[cut], .last = h.granules[cut] };
		struct call low = { .kind = CALL_UNMAP, .iova = iova, .last = h.granules[cut] - 1 };
		struct call high = { .kind = CALL_UNMAP, .iova = h.granules[cut], .last = end };
		bool up = (cut + first) & 1;

		run_call(&map);
		if (h.x.check.hw.has_dirty && cut & 1)
			hand_run(&h, OP_WRITE, split.iova, split.last, 0, 0);
		run_call(&split);
		if (h.x.check.hw.has_dirty)
			run_call(&(struct call){ .kind = CALL_DIRTY, .iova = iova, .last = end, .clear = true });
		run_call(up ? &high : &low);
		run_call(up ? &low : &high);
		/* What is left where the cut was refused. */
		if (h.x.check.im.nr)
			run_call(&(struct call){ .kind = CALL_UNMAP, .iova = iova, .last = end });
	}
}

static void run_config(const char *text, unsigned longest)
{
	unsigned first, last, align;
	uint64_t unit, differ;

	hand_init(&h, text, catch, NULL);
	unit = UINT64_C(1) << h.x.check.granule_lg2;
	for (first = 0; first < h.granules_nr; first++) {
		hand_open(&h);
		for (last = first + 1; last < h.granules_nr && last < first + longest; last++) {
			if (h.granules[last] - h.granules[first] != (last - first) * unit)
				break;
			for (align = 0; align < 5; align++) {
				differ = align < 4 ? unit << align : 0;
				run_range(first, last, (UINT64_C(0x155) << 24) + (h.granules[first] & 0xffffff) + differ);
			}
		}
		exec_close(&h.x);
	}
	hand_release(&h);
}

static void test_explore__agrees_on_the_engine(void **state)
{
	static const struct {
		const char *text;
		unsigned longest; /* granules in a range */
	} configs[] = {
		{ "vtdss tiny=2 levels=2 ad=1", 6 },
		{ "vtdss tiny=2 levels=3", 4 },
		{ "amdv1 tiny=2 levels=1 ias=16 ad=1", 6 },
		{ "riscv64 tiny=2 levels=2 ad=1", 6 },
		{ "riscv64 tiny=2 levels=3 napot=0", 4 },
		{ "armv8_4k tiny=2 levels=2 bbm=2 stage=2 ad=1", 6 },
		{ "armv8_4k tiny=2 levels=2 bbm=0", 6 },
		{ "amdv1 tiny=2 levels=1 ias=16 model=weak", 6 },
		{ "vtdss tiny=2 levels=2 coherent=0", 6 },
		{ "vtdss tiny=2 levels=3 coherent=0", 4 },
		{ "x86_64 tiny=2 levels=2 coherent=0", 6 },
	};
	const char *longest = getenv("HITLESS_LONGEST"); /* granules in a range; 64: every one of every domain */
	size_t i;

	(void)state;
	compared = in_flight = 0;
	for (i = 0; i < sizeof(configs) / sizeof(configs[0]); i++)
		run_config(configs[i].text, longest ? (unsigned)strtoul(longest, NULL, 10) : configs[i].longest);
	print_message("%llu sets of outcomes compared, %llu of them of several\n", (unsigned long long)compared,
		      (unsigned long long)in_flight);
	assert_true(in_flight > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_explore__litmus_linking),
		cmocka_unit_test(test_explore__litmus_epochs),
		cmocka_unit_test(test_explore__litmus_narrow),
		cmocka_unit_test(test_explore__litmus_top),
		cmocka_unit_test(test_explore__litmus_write_back),
		cmocka_unit_test(test_explore__litmus_left_by_an_earlier_operation),
		cmocka_unit_test(test_explore__litmus_upper_half),
		cmocka_unit_test(test_explore__agrees_on_the_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
