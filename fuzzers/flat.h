/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flat.h - the oracle that readers may ask while writers change it: a word for each page of the iovas under test. It knows no tables.
 *
 * A word is what the page translates to, and how often that has changed:
 *
 *   0       mapped; if 0, bits 50:1 are 0
 *   6:1     enum prot
 *   50:7    number of the output page
 *   63:51   generation, odd while an operation that changes the page is running: then the word holds what was, next what will be
 *
 * A page has one writer. It goes through flat_begin for every page that an operation may change, flat_publish, the operation, flat_end for
 * the same pages. A cut changes no page, and announces none: whatever differs while one is running is wrong. A reader takes flat_first,
 * translates, and asks flat_allowed: as with a sequence lock, but a reader that overlaps a change is told both answers instead of being sent
 * round again, and nobody waits. FLAT_CHANGES_MAX changes of one page while one translation is under way would go unnoticed.
 */
#ifndef HITLESS_FLAT_H
#define HITLESS_FLAT_H

#include <stdbool.h>
#include <stdint.h>

#define FLAT_MAPPED UINT64_C(1)
#define FLAT_PROT_LG2 1
#define FLAT_PAGE_LG2 7
#define FLAT_PAGE_BITS 44
#define FLAT_GEN_LG2 51
#define FLAT_GEN (UINT64_C(1) << FLAT_GEN_LG2)
#define FLAT_CONTENT (FLAT_GEN - 1)
#define FLAT_CHANGES_MAX (1 << (63 - FLAT_GEN_LG2))
#define FLAT_ISLANDS_MAX 4

_Static_assert(FLAT_PAGE_LG2 + FLAT_PAGE_BITS == FLAT_GEN_LG2, "an oa of 56 bits, in pages of 4K, fits");

/*
 * struct flat_page - one page.
 *
 * @now, @next: see above
 * @written: now as it was, with FLAT_MAPPED, when the device last wrote to the page for certain; 0: it has not
 * @writer:  whose page it is
 */
struct flat_page {
	uint64_t now, next, written, writer;
};

/*
 * struct flat - islands of 2^island_lg2 pages each, of 2^page_lg2 bytes (at least 4K), anywhere in the space of iovas.
 *
 * @iovas: where each island begins
 * @nr:    pages in all
 */
struct flat {
	unsigned page_lg2, island_lg2;
	uint64_t iovas[FLAT_ISLANDS_MAX];
	uint32_t nr;
	struct flat_page *pages;
};

static inline uint64_t flat_iova(const struct flat *f, uint32_t i)
{
	return f->iovas[i >> f->island_lg2] + ((uint64_t)(i & ((1u << f->island_lg2) - 1)) << f->page_lg2);
}

/* What a page that translates to oa with prot holds; the low bits of oa are not looked at. */
static inline uint64_t flat_mapped(const struct flat *f, uint64_t oa, unsigned prot)
{
	return FLAT_MAPPED | (uint64_t)prot << FLAT_PROT_LG2 | (oa >> f->page_lg2) << FLAT_PAGE_LG2;
}

static inline uint64_t flat_oa(const struct flat *f, uint64_t content)
{
	return content >> FLAT_PAGE_LG2 << f->page_lg2;
}

static inline unsigned flat_prot(uint64_t content)
{
	return (content >> FLAT_PROT_LG2) & 0x3f;
}

/* Writer: the content of a page at rest. */
static inline uint64_t flat_content(const struct flat *f, uint32_t i)
{
	return __atomic_load_n(&f->pages[i].now, __ATOMIC_RELAXED) & FLAT_CONTENT;
}

/* Writer: the operation to come may change page i to after. */
static inline void flat_begin(struct flat *f, uint32_t i, uint64_t after)
{
	struct flat_page *p = &f->pages[i];

	/* A release: who reads it finds the generation at least as new as when it was stored. */
	__atomic_store_n(&p->next, after, __ATOMIC_RELEASE);
	__atomic_store_n(&p->now, __atomic_load_n(&p->now, __ATOMIC_RELAXED) + FLAT_GEN, __ATOMIC_RELEASE);
}

/* Writer: whoever sees a store of the operation sees that the pages are changing. */
static inline void flat_publish(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Writer: the operation is over and page i has changed as announced, or it has not; a translation that starts after reading this must agree. */
static inline void flat_end(struct flat *f, uint32_t i, bool changed)
{
	struct flat_page *p = &f->pages[i];
	uint64_t word = __atomic_load_n(&p->now, __ATOMIC_RELAXED);

	if (changed)
		word = (word & ~FLAT_CONTENT) | p->next;
	__atomic_store_n(&p->now, word + FLAT_GEN, __ATOMIC_RELEASE);
}

/* Reader: before the translation. */
static inline uint64_t flat_first(const struct flat *f, uint32_t i)
{
	return __atomic_load_n(&f->pages[i].now, __ATOMIC_ACQUIRE);
}

/*
 * flat_allowed - after the translation: what it may have given, first being flat_first's word.
 * Returns how many contents are in allowed: 1; 2: a change overlapped, allowed[0] is before it and allowed[1] after; 0: several changes
 * overlapped, which leaves nothing to say.
 */
static inline unsigned flat_allowed(const struct flat *f, uint32_t i, uint64_t first, uint64_t allowed[2])
{
	const struct flat_page *p = &f->pages[i];
	uint64_t second, next, changes;

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	second = __atomic_load_n(&p->now, __ATOMIC_ACQUIRE);
	allowed[0] = first & FLAT_CONTENT;
	if (first == second && !(first & FLAT_GEN))
		return 1;
	changes = ((second >> FLAT_GEN_LG2) - (first >> FLAT_GEN_LG2)) & (UINT64_MAX >> FLAT_GEN_LG2);
	if (second & FLAT_GEN) {
		/* A change was under way when the translation ended. */
		if (changes > 1)
			return 0;
		next = __atomic_load_n(&p->next, __ATOMIC_ACQUIRE);
		if (__atomic_load_n(&p->now, __ATOMIC_RELAXED) != second)
			return 0;
		allowed[1] = next;
		return 2;
	}
	allowed[1] = second & FLAT_CONTENT;
	return changes <= 2 - (first >> FLAT_GEN_LG2 & 1) ? 2 : 0;
}

/*
 * Reader: the device has written to page i since flat_first returned first, an even generation, and flat_allowed answered 1 afterwards: the
 * write was to what is mapped there.
 */
static inline void flat_wrote(struct flat *f, uint32_t i, uint64_t first)
{
	__atomic_store_n(&f->pages[i].written, first | FLAT_MAPPED, __ATOMIC_RELAXED);
}

/* At rest: whether what page i translates to has been written to since it was mapped. */
static inline bool flat_was_written(const struct flat *f, uint32_t i)
{
	const struct flat_page *p = &f->pages[i];

	return (p->now & FLAT_MAPPED) && p->written == p->now;
}

#endif
