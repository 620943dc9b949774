/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_pgtable_record.c - the record of leaves that the io-pgtable adapter keeps, against an array with an element for each smallest page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../engine/linux/pgtable_record.h"
#include "../fuzzers/rng.h"

enum {
	SEED = 0x5eed,
	PAGES = 96,
	DOMAINS_NR = 300,
	OPS_NR = 200,
	PAGE_LG2 = 12,
};

/* The obvious version: which leaf size holds each page, 0: none; and, for the end of the iovas too, where page 0 lies. */
static unsigned pages[PAGES];
static uint64_t base;

static uint64_t iova_of(unsigned page)
{
	return base + ((uint64_t)page << PAGE_LG2);
}

static unsigned leaf_pages(unsigned page)
{
	return 1u << (pages[page] - PAGE_LG2);
}

/* Whole leaves from first on that end by last. */
static unsigned obvious_extent(unsigned first, unsigned last)
{
	unsigned at = first;

	while (at <= last && pages[at] && !(at & (leaf_pages(at) - 1)) && at + leaf_pages(at) - 1 <= last)
		at += leaf_pages(at);
	return at - first;
}

static void compare(const struct pgtable_record *r, struct rng *rng)
{
	unsigned first = (unsigned)rng_below(rng, PAGES), last = first + (unsigned)rng_below(rng, PAGES - first), page;
	unsigned extent = obvious_extent(first, last);
	const struct pgtable_run *run;
	uint64_t end;

	if (pgtable_record_extent(r, iova_of(first), iova_of(last + 1) - 1, &end) != (extent > 0))
		fail_msg("pages %u to %u: expected %u whole ones", first, last, extent);
	if (extent)
		assert_int_equal(end, iova_of(first + extent) - 1);
	for (page = first; page < PAGES && !pages[page]; page++)
		;
	run = pgtable_record_from(r, iova_of(first));
	assert_int_equal(run != NULL, page < PAGES);
	if (!run)
		return;
	assert_int_equal(run->size_lg2, pages[page]);
	assert_true(run->iova <= iova_of(page) && run->last >= iova_of(page + 1) - 1);
	for (page = 0; page < PAGES; page++)
		if (iova_of(page) >= run->iova && iova_of(page) <= run->last)
			assert_int_equal(pages[page], run->size_lg2);
}

/* Leaves of 1, 4 or 16 pages are added where there are none in part, or whole leaves removed. */
static void change(struct pgtable_record *r, struct rng *rng)
{
	unsigned lg2 = 2 * (unsigned)rng_below(rng, 3), nr = 1 + (unsigned)rng_below(rng, 5), page;
	unsigned first = (unsigned)rng_below(rng, PAGES) & ~((1u << lg2) - 1), end = first + (nr << lg2);

	bool add = rng_below(rng, 2);

	if (end > PAGES)
		end = PAGES;
	while (pages[first] && first & (leaf_pages(first) - 1))
		first--, add = false;
	while (end < PAGES && pages[end] && end & (leaf_pages(end) - 1))
		end++, add = false;
	if (add) {
		pgtable_record_add(r, iova_of(first), iova_of(end) - 1, PAGE_LG2 + lg2);
		for (page = first; page < end; page++)
			pages[page] = PAGE_LG2 + lg2;
	} else {
		pgtable_record_remove(r, iova_of(first), iova_of(end) - 1);
		memset(&pages[first], 0, (end - first) * sizeof(pages[0]));
	}
}

static void test_pgtable_record__is_the_obvious_one(void **state)
{
	static const uint64_t bases[] = { 0, UINT64_C(0x123456000000), -((uint64_t)PAGES << PAGE_LG2) };
	uint64_t compared = 0;
	unsigned i, k;

	(void)state;
	for (i = 0; i < DOMAINS_NR; i++) {
		struct pgtable_record r = { 0 };
		struct rng rng;

		rng_init(&rng, SEED + i);
		memset(pages, 0, sizeof(pages));
		base = bases[i % 3];
		for (k = 0; k < OPS_NR; k++, compared++) {
			change(&r, &rng);
			compare(&r, &rng);
		}
		pgtable_record_release(&r);
	}
	assert_true(compared == DOMAINS_NR * OPS_NR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pgtable_record__is_the_obvious_one),
	};

	printf("seed 0x%x\n", SEED);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
