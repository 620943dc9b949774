/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress_reader.h - the device of a stress run: a thread that walks the raw table bytes and asks the flat oracle what it may have seen.
 */
#ifndef HITLESS_STRESS_READER_H
#define HITLESS_STRESS_READER_H

#include "grace.h"
#include "latency.h"
#include "stress_domain.h"

/* Which of two versions a reader saw that overlapped an operation. */
enum { SEEN_BEFORE, SEEN_AFTER, SEEN_NR };

/*
 * struct stress_counts - what a reader saw.
 *
 * @overlaps: translations during which an operation ran, at least in part, of the writer whose page it was
 * @hits:     of these, those inside the operation's range
 * @map, @unmap: of these, those where before and after differ, by which was seen
 * @cut:      likewise inside the leaf that a cut divides: the leaf as it was, or what the cut made of it
 * @unclear:  several changes of the page overlapped it: the table's soundness was judged, the oa was not
 * @slow:     walks that paused between two tables
 * @touches:  accessed or dirty set; @writes: of these, and of those that found it set, DMA writes
 */
struct stress_counts {
	uint64_t translations, overlaps, hits;
	uint64_t map[SEEN_NR], unmap[SEEN_NR], cut[SEEN_NR];
	uint64_t unclear, slow, touches, writes;
};

#define STRESS_COUNTS_NR (sizeof(struct stress_counts) / sizeof(uint64_t))

/* @latency: of some translations */
struct stress_reader {
	struct stress_domain *d;
	struct grace *grace;
	struct rng rng;
	struct stress_pauser pauser;
	struct stress_counts counts;
	struct latency latency;
};

#define STRESS_SECTION_NR 32 /* translations in one read section */

/* The thread's main function: until the domain stops. */
void *stress_reader_main(void *reader);

/* stress_pick - the page that is translated next. */
uint32_t stress_pick(struct stress_reader *r);

/* stress_translate - one translation, judged. The calling thread is in a read section. */
void stress_translate(struct stress_reader *r);

/* stress_section - a read section of STRESS_SECTION_NR of them. The calling thread is registered with r->grace. */
void stress_section(struct stress_reader *r);

/* How a walk compares with the nr contents that are allowed; *which: the one that it agrees with. A walk that ended in no man's land never does. */
bool stress_agrees(const struct flat *f, uint64_t iova, const struct walk *w, const uint64_t *allowed, unsigned nr, unsigned *which);

/* What a walk is evidence of: translating iova, w is not one of the nr allowed contents. in_flight: a change overlapped it. */
void stress_accuse(const struct stress_domain *d, uint64_t iova, const struct walk *w, const uint64_t *allowed, unsigned nr, bool in_flight,
		   struct stress_evidence *e);

#endif
