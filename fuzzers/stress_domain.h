/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress_domain.h - what the threads of a stress run share: one domain, which iovas of it are used and by whom, what they must translate
 * to, and the first thing that was found wrong.
 *
 * The lowest of the stress files: it knows neither readers nor writers.
 */
#ifndef HITLESS_STRESS_DOMAIN_H
#define HITLESS_STRESS_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "../oracle/walk.h"
#include "exec.h"
#include "flat.h"
#include "rng.h"
#include "stress_pause.h"

#define STRESS_READERS_MAX 64
#define STRESS_WRITERS_MAX 16
#define STRESS_PAGES_LG2_MAX 16 /* of all islands; what stress_word holds */
#define STRESS_STRIPES_MAX 256
#define STRESS_OPS_MAX 4000 /* of one writer, then the domain is made anew, so that traces stay short */

/* No translation outlives its domain, and an operation changes a page once at most. */
_Static_assert(STRESS_OPS_MAX < FLAT_CHANGES_MAX, "flat_allowed cannot mistake many changes for none");

/*
 * The operation that a writer runs, or ran last, in one word: bit 0 running, 2:1 enum call_kind, 18:3 and 34:19 first and last page of its
 * range (of a cut: of the leaf that it divides), 63:35 its number within the domain, from 1. What is never changed in between is told apart
 * from what changed and changed back by the number.
 */
#define STRESS_RUNNING UINT64_C(1)
#define STRESS_NUMBER_LG2 35

static inline uint64_t stress_word(uint64_t number, unsigned kind, uint32_t first, uint32_t last)
{
	return number << STRESS_NUMBER_LG2 | (uint64_t)last << 19 | (uint64_t)first << 3 | kind << 1;
}

static inline unsigned stress_kind(uint64_t word)
{
	return (word >> 1) & 3;
}

static inline uint32_t stress_first(uint64_t word)
{
	return (word >> 3) & 0xffff;
}

static inline uint32_t stress_last(uint64_t word)
{
	return (word >> 19) & 0xffff;
}

static inline uint32_t stress_number(uint64_t word)
{
	return (uint32_t)(word >> STRESS_NUMBER_LG2);
}

/* Pages [first, last] of one island, which one writer alone maps, cuts and unmaps: the range lock that the engine asks for, never contended. */
struct stress_stripe {
	uint32_t first, last;
	unsigned writer;
};

/*
 * struct stress_evidence - what was found wrong, by whoever was first.
 *
 * @ns:     when, by latency_now
 * @v:      the verdict
 * @has_walk, @walk: the walk that showed it
 * @writer, @number: of the operation that it is about; number 0: of none
 */
struct stress_evidence {
	uint64_t ns;
	struct verdict v;
	bool has_walk;
	struct walk walk;
	unsigned writer;
	uint32_t number;
};

/*
 * struct stress_domain - one domain under stress.
 *
 * @x:       the engine's domain, unobserved, its memory shared
 * @oracle:  hw, capabilities and traits; its interval map is empty: each writer has its own
 * @flat:    what readers compare with
 * @stripes: who changes what; every writer has at least one
 * @prots:   what an entry can say, as handed to the engine
 * @pause:   how windows are widened
 * @touch_nr: the device marks an entry accessed or dirty in one of so many translations
 * @root:    the root that the engine announced, | its level
 * @now:     stress_word of each writer
 * @go:      writers begin, all at once: the first tables are those that they race to install
 * @stop:    threads end
 * @taken:   claimed by the first to find something; evidence is its own then
 */
struct stress_domain {
	struct exec x;
	struct check oracle;
	bool has_oracle;
	struct flat flat;
	struct stress_stripe stripes[STRESS_STRIPES_MAX];
	unsigned stripes_nr, writers_nr;
	uint8_t prots[PROT_ALL + 1];
	unsigned prots_nr;
	enum stress_pause pause;
	uint32_t touch_nr;
	uint64_t root;
	struct {
		uint64_t word;
	} __attribute__((aligned(64))) now[STRESS_WRITERS_MAX];
	bool go, stop, taken;
	struct stress_evidence evidence;
};

/* stress_domain_init - reserve what all domains of a run use. fault: as exec_init's. 0 or -ENOMEM. */
int stress_domain_init(struct stress_domain *d, uint64_t arena_bytes, exec_finding_fn *fault, void *arg);
void stress_domain_release(struct stress_domain *d);

/*
 * stress_domain_open - an empty domain of cfg, for up to writers_nr writers, threads to hook into its memory. Everything that rng decides
 * follows from it. 0, or -errno and *why. pause: PAUSE_NR chooses any.
 */
int stress_domain_open(struct stress_domain *d, const struct config *cfg, unsigned writers_nr, enum stress_pause pause,
		       const struct mem_threads *threads, struct rng *rng, const char **why);

/* stress_domain_close - tear down; no thread may be inside. False if tables are left, *left of them. */
bool stress_domain_close(struct stress_domain *d, uint64_t *left);

/* stress_domain_abandon - forget the domain without touching its tables. */
void stress_domain_abandon(struct stress_domain *d);

/* stress_domain_claim - leave evidence and stop everything; only the first counts. */
void stress_domain_claim(struct stress_domain *d, const struct stress_evidence *e);

static inline bool stress_domain_stops(const struct stress_domain *d)
{
	return __atomic_load_n(&d->stop, __ATOMIC_ACQUIRE);
}

/* Whether something was found. */
static inline bool stress_domain_taken(const struct stress_domain *d)
{
	return __atomic_load_n(&d->taken, __ATOMIC_ACQUIRE);
}

static inline void stress_domain_stop(struct stress_domain *d)
{
	__atomic_store_n(&d->stop, true, __ATOMIC_RELEASE);
}

/* Hook of mem_threads: the engine announces a root. */
void stress_domain_top(struct stress_domain *d, uint64_t root, unsigned level);

/* Where a device's walk starts now. */
static inline uint64_t stress_domain_root(const struct stress_domain *d, unsigned *level)
{
	uint64_t root = __atomic_load_n(&d->root, __ATOMIC_ACQUIRE);

	*level = (unsigned)(root & 0xf);
	return root & ~UINT64_C(0xf);
}

#endif
