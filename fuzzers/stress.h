/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress.h - one format under stress: one thread changes a table while others translate through its bytes as a device would.
 *
 * stress_writer.c changes, stress_reader.c translates, stress.c is the command and says what was found. Only these three include this.
 */
#ifndef HITLESS_STRESS_H
#define HITLESS_STRESS_H

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "../oracle/walk.h"
#include "exec.h"
#include "finding.h"
#include "flat.h"
#include "grace.h"
#include "op.h"
#include "rng.h"

#define STRESS_DOMAIN_OPS 4000  /* then the domain is made anew, so that a trace stays short */
#define STRESS_PAGES_LG2_MAX 16 /* of the window; what stress_word holds */
#define STRESS_READERS_MAX 64

/* No translation outlives its domain, and an operation changes a page once at most. */
_Static_assert(STRESS_DOMAIN_OPS < FLAT_CHANGES_MAX, "flat_allowed cannot mistake many changes for none");

/*
 * The operation that runs, or ran last, in one word: bit 0 running, 2:1 enum call_kind, 18:3 and 34:19 first and last page of its range,
 * 63:35 its number. What is
 * never changed in between is told apart from what changed and changed back by the number.
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

/*
 * struct stress_counts - what a reader saw.
 *
 * @overlaps: translations during which an operation ran, at least in part
 * @hits:     of these, those inside the operation's range; @cut_hits: inside the leaf that a cut works on
 * @before, @after: of these, those where the two differ, by what was seen
 * @unclear:  several changes of the page overlapped it: not judged
 * @touches:  accessed or dirty set
 */
struct stress_counts {
	uint64_t translations, overlaps, hits, cut_hits, before, after, unclear, touches;
};

/* A translation that gave what it must not. op1, op2: the operation's word before and after it. */
struct stress_miss {
	uint64_t iova, op1, op2, allowed[2];
	unsigned allowed_nr;
	struct walk walk;
};

struct stress;

struct stress_reader {
	struct stress *s;
	pthread_t thread;
	struct rng rng;
	struct stress_counts counts;
};

/*
 * struct stress - one format under stress.
 *
 * @x:      the engine's domain, unobserved
 * @oracle: hw and im are what check_predict looks at
 * @flat:   what readers compare with
 * @open:   readers may walk; what they look at changes hands only with it off and after a grace period
 * @waiting: for a grace period: readers give up the processor
 * @op:     see stress_word
 * @stop:   readers end
 * @missed: claimed by the first reader to find something; @miss is its own then
 * @oa_slot: stretches of the oa space used so far
 * @opened: number of the domain's first operation; @number: of the running one
 * @block_iova, @block_last: the block that is being emptied, to be mapped at once; @cuts_left: that are to be made in it, 0: it is not
 *                           mapped yet
 * @prots, @prots_nr: what an entry can say
 * @text: the configuration as it was given
 * @kinds, @splits, @refused: operations by enum call_kind; cuts that changed a leaf; calls refused as they had to be
 * @rests: pages compared at rest; @stalls: how often the writer was stopped on purpose
 * @end:   where the writer goes with a finding
 * @found, @finding, @path: what was found, and the file that its trace is in
 * @abandoned: another run that ended with a finding
 */
struct stress {
	struct exec x;
	struct check oracle;
	struct flat flat;
	struct grace grace;
	struct trace trace;
	struct config cfg;
	const char *text;
	struct rng rng;
	bool open, waiting, stop, missed;
	uint64_t op;
	struct stress_miss miss;
	struct stress_reader readers[STRESS_READERS_MAX];
	unsigned readers_nr;
	uint64_t opened, number, oa_slot;
	uint64_t block_iova, block_last;
	unsigned cuts_left;
	unsigned window_lg2;
	uint8_t prots[PROT_ALL + 1];
	unsigned prots_nr;
	uint64_t kinds[CALL_SYNC + 1], splits, refused, rests, stalls;
	double until, seconds;
	sigjmp_buf end;
	bool found;
	struct finding finding;
	char path[4096];
	struct stress_counts counts;
	struct stress *abandoned;
};

double stress_now(void);

static inline uint64_t stress_page_iova(const struct stress *s, uint32_t page)
{
	return s->flat.iova + ((uint64_t)page << s->flat.page_lg2);
}

/* --- stress_reader.c --- */

/* Start nr readers; they wait for s->open. False if a thread cannot be made: those that were are running. */
bool stress_start_readers(struct stress *s, unsigned nr);

/* End them and add up what they counted. */
void stress_stop_readers(struct stress *s);

/* Whether a translation of iova gave one of the nr contents allowed; *which: which. */
bool stress_agrees(const struct flat *f, uint64_t iova, const struct walk *w, const uint64_t *allowed, unsigned nr, unsigned *which);

/* Leave a miss for stress_conclude and stop everything; only the first one counts. */
void stress_missed(struct stress *s, const struct stress_miss *miss);

/* --- stress_writer.c --- */

/* Make domains and change them until s->until, an interrupt or a finding. */
void stress_write(struct stress *s);

/* --- stress.c --- */

/* Set by SIGINT and SIGTERM. */
extern volatile sig_atomic_t stress_interrupted;

/* Note a finding at the operation of that index in the trace; beyond it: of the domain. */
void stress_finding(struct stress *s, const struct verdict *v, size_t op_idx);

#endif
