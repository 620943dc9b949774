/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_imap.c - the interval map against tables of expected results, and against an array with one cell for each granule.
 *
 * Usage: test_imap [SEED]. The same seed gives the same operations.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../oracle/imap.h"

#define TOP UINT64_MAX
#define ARRAY_NR(a) (sizeof(a) / sizeof(*(a)))

enum { TIMEOUT_S = 120 };

static uint64_t seed = 20240607;
static size_t compared_nr; /* pieces and queries; none is a failure */

static bool same_piece(const struct imap_piece *a, const struct imap_piece *b)
{
	if (!a || !b)
		return a == b;
	return a->iova == b->iova && a->last == b->last && a->oa == b->oa && a->prot == b->prot;
}

static const char *show(const struct imap_piece *piece)
{
	static char text[4][100];
	static unsigned next;
	char *out = text[next++ % ARRAY_NR(text)];

	if (!piece)
		return "nothing";
	snprintf(out, sizeof(text[0]), "[%#" PRIx64 ", %#" PRIx64 "] -> %#" PRIx64 " %u", piece->iova, piece->last, piece->oa, piece->prot);
	return out;
}

static void expect_piece(const struct imap_piece *got, const struct imap_piece *want, const char *where, uint64_t at)
{
	compared_nr++;
	if (!same_piece(got, want))
		fail_msg("%s, at %#" PRIx64 ": %s, expected %s", where, at, show(got), show(want));
}

static void expect_sound(const struct imap *im, const char *where)
{
	const char *wrong = imap_check(im);

	if (wrong)
		fail_msg("%s: broken structure: %s", where, wrong);
}

/* By the links and by number. */
static void expect_content(const struct imap *im, const struct imap_piece *want, size_t nr, const char *where)
{
	struct imap_pos pos;
	const struct imap_piece *got = imap_from(im, 0, &pos);

	if (im->nr != nr)
		fail_msg("%s: %zu pieces, expected %zu", where, im->nr, nr);
	for (size_t n = 0; n < nr; n++) {
		expect_piece(got, &want[n], where, n);
		expect_piece(imap_nth(im, n), &want[n], where, n);
		got = imap_next(&pos);
	}
	expect_piece(got, NULL, where, nr);
}

/* Tables: changes */

enum op { OP_END, OP_INSERT, OP_SPLIT, OP_REMOVE };

struct step {
	enum op op;
	uint64_t iova, last, oa;
	uint8_t prot;
	int ret;
};

#define INSERT(iova, last, oa, prot)               \
	{                                          \
		OP_INSERT, iova, last, oa, prot, 0 \
	}
#define REFUSED(iova, last)                              \
	{                                                \
		OP_INSERT, iova, last, 0, 7, -EADDRINUSE \
	}
#define SPLIT(iova)                        \
	{                                  \
		OP_SPLIT, iova, 0, 0, 0, 0 \
	}
#define NO_SPLIT(iova)                           \
	{                                        \
		OP_SPLIT, iova, 0, 0, 0, -ENOENT \
	}
#define REMOVE(iova, last)                     \
	{                                      \
		OP_REMOVE, iova, last, 0, 0, 0 \
	}

static const struct change_case {
	const char *name;
	struct step step[8];
	struct imap_piece want[8];
	size_t nr;
} change_cases[] = {
	{ "empty", { { 0 } }, { { 0 } }, 0 },
	{ "split of nothing", { NO_SPLIT(0), NO_SPLIT(TOP) }, { { 0 } }, 0 },
	{ "remove from nothing", { REMOVE(0, TOP) }, { { 0 } }, 0 },
	{ "one at 0", { INSERT(0, 0, 7, 1) }, { { 0, 0, 7, 1 } }, 1 },
	{ "one at the top", { INSERT(TOP, TOP, 7, 1) }, { { TOP, TOP, 7, 1 } }, 1 },
	{ "all of it", { INSERT(0, TOP, 5, 3) }, { { 0, TOP, 5, 3 } }, 1 },
	{ "both ends", { INSERT(TOP, TOP, 7, 1), INSERT(0, 0, 8, 2) }, { { 0, 0, 8, 2 }, { TOP, TOP, 7, 1 } }, 2 },
	{ "adjacent alike pieces stay two",
	  { INSERT(16, 31, 116, 1), INSERT(0, 15, 100, 1), INSERT(32, 47, 132, 1) },
	  { { 0, 15, 100, 1 }, { 16, 31, 116, 1 }, { 32, 47, 132, 1 } },
	  3 },
	{ "overlap below, same, above, inside, around",
	  { INSERT(16, 31, 100, 1), REFUSED(0, 16), REFUSED(16, 31), REFUSED(31, 40), REFUSED(20, 21), REFUSED(0, TOP) },
	  { { 16, 31, 100, 1 } },
	  1 },
	{ "overlap with the second of two",
	  { INSERT(16, 31, 100, 1), INSERT(64, 79, 200, 1), REFUSED(32, 64), INSERT(32, 63, 300, 2) },
	  { { 16, 31, 100, 1 }, { 32, 63, 300, 2 }, { 64, 79, 200, 1 } },
	  3 },
	{ "overlap at the top",
	  { INSERT(TOP, TOP, 7, 1), REFUSED(16, TOP), INSERT(0, TOP - 1, 9, 3) },
	  { { 0, TOP - 1, 9, 3 }, { TOP, TOP, 7, 1 } },
	  2 },
	{ "split inside", { INSERT(16, 31, 100, 1), SPLIT(20) }, { { 16, 19, 100, 1 }, { 20, 31, 104, 1 } }, 2 },
	{ "split at a start", { INSERT(16, 31, 100, 1), SPLIT(16), SPLIT(20), SPLIT(20) }, { { 16, 19, 100, 1 }, { 20, 31, 104, 1 } }, 2 },
	{ "split at the last address", { INSERT(16, 31, 100, 1), SPLIT(31) }, { { 16, 30, 100, 1 }, { 31, 31, 115, 1 } }, 2 },
	{ "split in holes",
	  { INSERT(16, 31, 100, 1), INSERT(64, 79, 0, 1), NO_SPLIT(15), NO_SPLIT(32), NO_SPLIT(80), NO_SPLIT(TOP) },
	  { { 16, 31, 100, 1 }, { 64, 79, 0, 1 } },
	  2 },
	{ "split all of it at both ends",
	  { INSERT(0, TOP, 5, 3), SPLIT(TOP), SPLIT(1), SPLIT(0) },
	  { { 0, 0, 5, 3 }, { 1, TOP - 1, 6, 3 }, { TOP, TOP, 4, 3 } },
	  3 },
	{ "remove exactly",
	  { INSERT(0, 15, 100, 1), INSERT(16, 31, 200, 1), INSERT(32, 47, 300, 1), REMOVE(16, 31) },
	  { { 0, 15, 100, 1 }, { 32, 47, 300, 1 } },
	  2 },
	{ "remove the last one", { INSERT(16, 31, 100, 1), REMOVE(16, 31) }, { { 0 } }, 0 },
	{ "remove and reuse", { INSERT(16, 31, 100, 1), REMOVE(16, 31), INSERT(10, 20, 9, 2) }, { { 10, 20, 9, 2 } }, 1 },
	{ "remove the front", { INSERT(16, 31, 100, 1), REMOVE(0, 19) }, { { 20, 31, 104, 1 } }, 1 },
	{ "remove the back", { INSERT(16, 31, 100, 1), REMOVE(20, TOP) }, { { 16, 19, 100, 1 } }, 1 },
	{ "remove the middle", { INSERT(16, 31, 100, 1), REMOVE(20, 23) }, { { 16, 19, 100, 1 }, { 24, 31, 108, 1 } }, 2 },
	{ "remove holes only", { INSERT(16, 31, 100, 1), REMOVE(0, 15), REMOVE(32, TOP) }, { { 16, 31, 100, 1 } }, 1 },
	{ "remove many, partial at both ends",
	  { INSERT(0, 15, 100, 1), INSERT(16, 31, 200, 1), INSERT(64, 79, 300, 1), INSERT(80, 95, 400, 2), REMOVE(8, 87) },
	  { { 0, 7, 100, 1 }, { 88, 95, 408, 2 } },
	  2 },
	{ "remove all of it", { INSERT(0, TOP, 5, 3), SPLIT(TOP), REMOVE(0, TOP) }, { { 0 } }, 0 },
	{ "remove all but the ends", { INSERT(0, TOP, 5, 3), REMOVE(1, TOP - 1) }, { { 0, 0, 5, 3 }, { TOP, TOP, 4, 3 } }, 2 },
	{ "remove the top address", { INSERT(0, TOP, 5, 3), REMOVE(TOP, TOP) }, { { 0, TOP - 1, 5, 3 } }, 1 },
	{ "remove address 0", { INSERT(0, TOP, 5, 3), REMOVE(0, 0) }, { { 1, TOP, 6, 3 } }, 1 },
	{ "oa wraps like any sum", { INSERT(0, 15, TOP - 3, 1), SPLIT(8) }, { { 0, 7, TOP - 3, 1 }, { 8, 15, 4, 1 } }, 2 },
};

static int run_step(struct imap *im, const struct step *step)
{
	struct imap_piece piece = { step->iova, step->last, step->oa, step->prot };

	switch (step->op) {
	case OP_INSERT:
		return imap_insert(im, &piece);
	case OP_SPLIT:
		return imap_split(im, step->iova);
	case OP_REMOVE:
		imap_remove(im, step->iova, step->last);
		return 0;
	case OP_END:
		break;
	}
	return 0;
}

static void test_imap__changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_NR(change_cases); i++) {
		const struct change_case *c = &change_cases[i];
		struct imap im;

		imap_init(&im);
		for (const struct step *step = c->step; step < c->step + ARRAY_NR(c->step) && step->op != OP_END; step++) {
			int ret = run_step(&im, step);

			if (ret != step->ret)
				fail_msg("%s: step %zu returned %d, expected %d", c->name, (size_t)(step - c->step), ret, step->ret);
			expect_sound(&im, c->name);
		}
		expect_content(&im, c->want, c->nr, c->name);
		imap_release(&im);
		assert_int_equal(im.bytes, 0);
	}
}

/* Tables: queries */

enum { A, B, C, D, NONE };

static const struct imap_piece query_map[] = {
	[A] = { 0, 0, 50, 1 },
	[B] = { 16, 31, 100, 2 },
	[C] = { 32, 47, 200, 3 },
	[D] = { TOP - 1, TOP, 300, 4 },
};

static const struct imap_piece *query_piece(unsigned which)
{
	return which == NONE ? NULL : &query_map[which];
}

static const struct {
	uint64_t iova;
	unsigned find, from;
} find_cases[] = {
	{ 0, A, A },  { 1, NONE, B },  { 15, NONE, B },      { 16, B, B },      { 31, B, B },  { 32, C, C },
	{ 47, C, C }, { 48, NONE, D }, { TOP - 2, NONE, D }, { TOP - 1, D, D }, { TOP, D, D },
};

static const struct {
	uint64_t iova, last;
	bool overlaps;
} overlap_cases[] = {
	{ 0, 0, true },   { 1, 15, false },       { 1, 16, true },       { 31, 31, true },   { 20, 21, true }, { 15, 48, true },
	{ 47, 60, true }, { 48, TOP - 2, false }, { 48, TOP - 1, true }, { TOP, TOP, true }, { 0, TOP, true },
};

static void query_map_init(struct imap *im)
{
	imap_init(im);
	for (size_t n = 0; n < ARRAY_NR(query_map); n++)
		assert_int_equal(imap_insert(im, &query_map[n]), 0);
}

static void test_imap__find_and_from(void **state)
{
	struct imap im;

	(void)state;
	query_map_init(&im);
	for (size_t i = 0; i < ARRAY_NR(find_cases); i++) {
		uint64_t iova = find_cases[i].iova;
		const struct imap_piece *found = query_piece(find_cases[i].find), *from = query_piece(find_cases[i].from);
		struct imap_pos pos;

		expect_piece(imap_find(&im, iova, NULL), found, "find", iova);
		if (imap_find(&im, iova, &pos))
			expect_piece(imap_next(&pos), found == &query_map[D] ? NULL : found + 1, "after find", iova);
		expect_piece(imap_from(&im, iova, NULL), from, "from", iova);
		if (imap_from(&im, iova, &pos))
			expect_piece(imap_next(&pos), from == &query_map[D] ? NULL : from + 1, "after from", iova);
	}
	imap_remove(&im, TOP - 1, TOP);
	expect_piece(imap_from(&im, 48, NULL), NULL, "from above all", 48);
	expect_piece(imap_find(&im, TOP, NULL), NULL, "find above all", TOP);
	imap_release(&im);
}

static void test_imap__overlaps(void **state)
{
	struct imap im;

	(void)state;
	query_map_init(&im);
	for (size_t i = 0; i < ARRAY_NR(overlap_cases); i++) {
		compared_nr++;
		if (imap_overlaps(&im, overlap_cases[i].iova, overlap_cases[i].last) != overlap_cases[i].overlaps)
			fail_msg("overlaps, case %zu", i);
	}
	imap_release(&im);
	assert_false(imap_overlaps(&im, 0, TOP));
}

static void test_imap__nth(void **state)
{
	struct imap im;

	(void)state;
	query_map_init(&im);
	expect_content(&im, query_map, ARRAY_NR(query_map), "nth");
	imap_release(&im);
}

static void test_imap__empty_finds_nothing(void **state)
{
	struct imap im;
	struct imap_pos pos;

	(void)state;
	imap_init(&im);
	assert_int_equal(im.bytes, 0);
	assert_null(imap_find(&im, 0, &pos));
	assert_null(imap_from(&im, TOP, &pos));
	assert_false(imap_overlaps(&im, 0, TOP));
	imap_release(&im);
	imap_release(&im);
}

/* Random operations */

static uint64_t rng_state;

static uint64_t rng(void)
{
	uint64_t x = rng_state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static uint64_t rng_below(uint64_t n)
{
	return rng() % n;
}

/* One granule: what it translates to, and whether a piece begins there. */
struct cell {
	uint64_t oa;
	uint8_t prot;
	bool mapped, begins;
};

/* The obvious version. Granule i is [base + (i << shift), base + (i << shift) + 2^shift - 1]. */
struct flat {
	uint64_t base;
	unsigned shift, nr;
	struct cell cell[65536];
};

static uint64_t flat_iova(const struct flat *flat, unsigned i)
{
	return flat->base + ((uint64_t)i << flat->shift);
}

static uint64_t flat_last(const struct flat *flat, unsigned i)
{
	return flat_iova(flat, i) + (((uint64_t)1 << flat->shift) - 1);
}

static bool flat_overlaps(const struct flat *flat, unsigned i, unsigned j)
{
	for (; i <= j; i++)
		if (flat->cell[i].mapped)
			return true;
	return false;
}

static int flat_insert(struct flat *flat, unsigned i, unsigned j, uint64_t oa, uint8_t prot)
{
	if (flat_overlaps(flat, i, j))
		return -EADDRINUSE;
	for (unsigned k = i; k <= j; k++)
		flat->cell[k] = (struct cell){ oa + ((uint64_t)(k - i) << flat->shift), prot, true, k == i };
	return 0;
}

static int flat_split(struct flat *flat, unsigned i)
{
	if (!flat->cell[i].mapped)
		return -ENOENT;
	flat->cell[i].begins = true;
	return 0;
}

static void flat_remove(struct flat *flat, unsigned i, unsigned j)
{
	if (j + 1 < flat->nr && flat->cell[j + 1].mapped)
		flat->cell[j + 1].begins = true;
	for (; i <= j; i++)
		flat->cell[i] = (struct cell){ 0 };
}

/* The piece that begins at granule i; the granule after it by *next. */
static struct imap_piece flat_piece(const struct flat *flat, unsigned i, unsigned *next)
{
	unsigned j = i + 1;

	while (j < flat->nr && flat->cell[j].mapped && !flat->cell[j].begins)
		j++;
	*next = j;
	return (struct imap_piece){ flat_iova(flat, i), flat_last(flat, j - 1), flat->cell[i].oa, flat->cell[i].prot };
}

/* The first piece that ends at or above granule i. False if there is none. */
static bool flat_from(const struct flat *flat, unsigned i, struct imap_piece *piece)
{
	unsigned next;

	while (i < flat->nr && !flat->cell[i].mapped)
		i++;
	if (i == flat->nr)
		return false;
	while (!flat->cell[i].begins)
		i--;
	*piece = flat_piece(flat, i, &next);
	return true;
}

static void compare_all(const struct imap *im, const struct flat *flat)
{
	struct imap_pos pos;
	const struct imap_piece *got = imap_from(im, 0, &pos);
	size_t n = 0;

	expect_sound(im, "random");
	for (unsigned i = 0; i < flat->nr;) {
		struct imap_piece want;

		if (!flat->cell[i].mapped) {
			i++;
			continue;
		}
		want = flat_piece(flat, i, &i);
		expect_piece(got, &want, "next", n);
		expect_piece(imap_nth(im, n), &want, "nth", n);
		got = imap_next(&pos);
		n++;
	}
	if (im->nr != n || (n && got))
		fail_msg("%zu pieces, expected %zu", im->nr, n);
}

/* The queries about the address within granule i at random, and about [i, j]. */
static void compare_at(const struct imap *im, const struct flat *flat, unsigned i, unsigned j)
{
	uint64_t iova = flat_iova(flat, i) + rng_below((uint64_t)1 << flat->shift);
	struct imap_piece piece, *want = flat_from(flat, i, &piece) ? &piece : NULL;

	expect_piece(imap_from(im, iova, NULL), want, "from", iova);
	expect_piece(imap_find(im, iova, NULL), flat->cell[i].mapped ? want : NULL, "find", iova);
	compared_nr++;
	if (imap_overlaps(im, iova, flat_last(flat, j)) != (want && want->iova <= flat_last(flat, j)))
		fail_msg("overlaps [%#" PRIx64 ", %#" PRIx64 "]", iova, flat_last(flat, j));
}

/* Mostly few granules; at times any number. */
static unsigned random_length(const struct flat *flat, unsigned i, bool any)
{
	unsigned most = flat->nr - i, nr = 1 + rng_below(any ? most : 1 + rng_below(8));

	return nr < most ? nr : most;
}

struct random_case {
	uint64_t base;
	unsigned shift, nr, ops, check_every;
};

/* The map fills up and empties in turns, so that nodes are split, merged and levelled out at every height. */
static void random_step(struct imap *im, struct flat *flat, bool filling, bool any)
{
	unsigned i = rng_below(flat->nr), j = i + random_length(flat, i, any) - 1, kind = rng_below(16);
	uint64_t iova = flat_iova(flat, i), last = flat_last(flat, j);
	int ret = 0, want = 0;

	if (kind < (filling ? 8 : 2)) {
		struct imap_piece piece = { iova, last, rng(), rng() };

		want = flat_insert(flat, i, j, piece.oa, piece.prot);
		ret = imap_insert(im, &piece);
	} else if (kind < (filling ? 14 : 4)) {
		want = flat_split(flat, i);
		ret = imap_split(im, iova);
	} else {
		flat_remove(flat, i, j);
		imap_remove(im, iova, last);
	}
	compared_nr++;
	if (ret != want)
		fail_msg("kind %u at [%#" PRIx64 ", %#" PRIx64 "] returned %d, expected %d", kind, iova, last, ret, want);
	compare_at(im, flat, i, j);
	if (i)
		compare_at(im, flat, i - 1, j);
	if (j + 1 < flat->nr)
		compare_at(im, flat, j + 1, j + 1);
	compare_at(im, flat, rng_below(flat->nr), flat->nr - 1);
}

static void run_random(const struct random_case *c)
{
	static struct flat flat;
	struct imap im;
	size_t most = 0;

	memset(&flat, 0, sizeof(flat));
	flat.base = c->base;
	flat.shift = c->shift;
	flat.nr = c->nr;
	imap_init(&im);
	for (unsigned op = 0; op < c->ops; op++) {
		random_step(&im, &flat, op / (4 * c->nr) % 2 == 0, rng_below(c->nr) < 4);
		if (op % c->check_every == 0)
			compare_all(&im, &flat);
		if (most < im.nr)
			most = im.nr;
	}
	compare_all(&im, &flat);
	print_message("%u granules of 2^%u at %#" PRIx64 ": %u operations, up to %zu pieces\n", c->nr, c->shift, c->base, c->ops, most);
	if (most < c->nr / 4)
		fail_msg("only %zu pieces", most);
	imap_release(&im);
}

static void test_imap__agrees_with_flat_array_256(void **state)
{
	static const struct random_case cases[] = {
		{ 0, 0, 256, 60000, 1 },
		{ TOP - 255, 0, 256, 60000, 1 },
		{ 0, 56, 256, 60000, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_NR(cases); i++)
		run_random(&cases[i]);
}

static void test_imap__agrees_with_flat_array_65536(void **state)
{
	static const struct random_case cases[] = {
		{ 0, 0, 65536, 600000, 4001 },
		{ 0, 48, 65536, 600000, 4001 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_NR(cases); i++)
		run_random(&cases[i]);
}

/* Size */

enum { MANY_LG2 = 20, MANY = 1 << MANY_LG2 };

/* A permutation of the numbers below MANY, another one for each round. */
static uint64_t shuffled(uint64_t n, unsigned round)
{
	for (unsigned i = 0; i < 3; i++) {
		n = (n * (0x2545f491 + 2 * round) + seed) % MANY;
		n ^= n >> MANY_LG2 / 2;
	}
	return n;
}

static struct imap_piece numbered(uint64_t n)
{
	return (struct imap_piece){ n << 12, (n << 12) + 0xfff, n << 13, 1 };
}

static void fill(struct imap *im, unsigned round)
{
	imap_init(im);
	for (uint64_t n = 0; n < MANY; n++) {
		struct imap_piece piece = numbered(shuffled(n, round));

		if (imap_insert(im, &piece))
			fail_msg("insert %" PRIu64, n);
	}
	expect_sound(im, "filled");
	assert_int_equal(im->nr, MANY);
}

static void expect_bytes(const struct imap *im, double most, const char *when)
{
	double per_piece = (double)im->bytes / im->nr;

	print_message("%s: %zu pieces, height %u, %.1f bytes a piece\n", when, im->nr, im->height, per_piece);
	if (per_piece > most)
		fail_msg("%s: more than %.0f bytes a piece", when, most);
}

static void test_imap__grows_and_drains(void **state)
{
	struct imap im;

	(void)state;
	fill(&im, 1);
	expect_bytes(&im, 60, "random inserts");
	for (uint64_t n = 0; n < MANY; n += 1009) {
		struct imap_piece want = numbered(n);

		expect_piece(imap_find(&im, want.iova + 5, NULL), &want, "find", want.iova);
		expect_piece(imap_nth(&im, n), &want, "nth", n);
	}
	for (uint64_t n = 0; n < MANY; n++) {
		struct imap_piece piece = numbered(shuffled(n, 2));

		imap_remove(&im, piece.iova, piece.last);
		if (n == MANY * 3 / 4)
			expect_bytes(&im, 96, "a quarter left");
		if (n % (MANY / 16) == 0)
			expect_sound(&im, "draining");
	}
	assert_int_equal(im.nr, 0);
	assert_int_equal(im.bytes, 0);
	imap_release(&im);
}

static void test_imap__removes_a_million_at_once(void **state)
{
	struct imap im;
	const struct imap_piece top = numbered(MANY - 1), ends[] = { { 0, 9, 0, 1 }, { top.last - 9, top.last, top.oa + 4086, 1 } };

	(void)state;
	fill(&im, 3);
	imap_remove(&im, 10, ends[1].iova - 1);
	expect_sound(&im, "removed");
	expect_content(&im, ends, 2, "removed");
	imap_remove(&im, 0, TOP);
	assert_int_equal(im.bytes, 0);
	imap_release(&im);
}

static void test_imap__stays_small_in_a_long_campaign(void **state)
{
	struct imap im;

	(void)state;
	rng_state = seed;
	imap_init(&im);
	for (unsigned op = 0; op < 3 * MANY; op++) {
		struct imap_piece piece = numbered(rng_below(MANY / 4));

		if (imap_insert(&im, &piece))
			imap_remove(&im, piece.iova, piece.last);
	}
	expect_sound(&im, "campaign");
	expect_bytes(&im, 64, "random inserts and removes");
	imap_release(&im);
}

static void test_imap__runs_leave_full_nodes(void **state)
{
	struct imap im;

	(void)state;
	for (int down = 0; down < 2; down++) {
		imap_init(&im);
		for (unsigned n = 0; n < MANY / 4; n++) {
			struct imap_piece piece = numbered(down ? MANY - n : n);

			assert_int_equal(imap_insert(&im, &piece), 0);
		}
		expect_sound(&im, "run");
		expect_bytes(&im, 56, down ? "a run downwards" : "a run upwards");
		imap_release(&im);
	}
	imap_init(&im);
	assert_int_equal(imap_insert(&im, &(struct imap_piece){ 0, TOP, 0, 1 }), 0);
	for (uint64_t n = 1; n < MANY / 4; n++)
		assert_int_equal(imap_split(&im, n << 12), 0);
	expect_sound(&im, "run");
	expect_bytes(&im, 56, "a run of splits");
	imap_release(&im);
}

/* Last: everything above must have compared something. */
static void test_imap__compared_something(void **state)
{
	(void)state;
	print_message("%zu comparisons\n", compared_nr);
	assert_true(compared_nr > 1000000);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_imap__changes),
		cmocka_unit_test(test_imap__find_and_from),
		cmocka_unit_test(test_imap__overlaps),
		cmocka_unit_test(test_imap__nth),
		cmocka_unit_test(test_imap__empty_finds_nothing),
		cmocka_unit_test(test_imap__agrees_with_flat_array_256),
		cmocka_unit_test(test_imap__agrees_with_flat_array_65536),
		cmocka_unit_test(test_imap__grows_and_drains),
		cmocka_unit_test(test_imap__removes_a_million_at_once),
		cmocka_unit_test(test_imap__stays_small_in_a_long_campaign),
		cmocka_unit_test(test_imap__runs_leave_full_nodes),
		cmocka_unit_test(test_imap__compared_something),
	};

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	rng_state = seed;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed %" PRIu64 "\n", seed);
	alarm(TIMEOUT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
