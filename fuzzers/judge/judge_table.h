/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_table.h - random tables for a judge: made by the engine under all checks, put into the judge's RAM, and asked about.
 */
#ifndef HITLESS_JUDGE_TABLE_H
#define HITLESS_JUDGE_TABLE_H

#include <setjmp.h>

#include "../../oracle/walk.h"
#include "../exec.h"
#include "../rng.h"
#include "judge.h"

/*
 * struct judge_table - the table that is judged.
 *
 * @x:       the domain that made it
 * @domain:  what the judge walks
 * @rng:     of what is asked, from the table's seed
 * @copied:  bytes at the front of the judge's arena that have been written by any table
 * @guest, @frames: the judge's arena, in which every frame may be a table: what our walker goes by once single bits are changed
 * @room_iova, @room_last: what may not be asked; @has_room
 * @caught, @found, @verdict: a finding of the engine's own checks ends the table
 */
struct judge_table {
	struct exec x;
	struct judge *j;
	struct judge_domain domain;
	struct config cfg;
	struct rng rng;
	uint64_t seed, copied;
	struct mem_view guest;
	struct mem_frame *frames;
	bool has_room, open;
	uint64_t room_iova, room_last;
	sigjmp_buf caught;
	bool found;
	struct verdict verdict;
};

/* judge_table_init - what all tables use. 0 or -ENOMEM. The judge is borrowed. */
int judge_table_init(struct judge_table *t, struct judge *j);
void judge_table_release(struct judge_table *t);

/*
 * judge_table_make - a random table of the configuration, by ops_nr operations from the seed; in the judge's RAM. 0; -errno with j->why:
 * the judge is at fault; 1: the engine's checks found something, t->verdict. Ends with judge_table_end.
 */
int judge_table_make(struct judge_table *t, const struct config *cfg, uint64_t seed, unsigned ops_nr);
void judge_table_end(struct judge_table *t);

/* judge_table_copy - its bytes into the judge's RAM, again. 0 or -errno with j->why. */
int judge_table_copy(struct judge_table *t);

/* judge_table_iova - an iova that is worth asking about: inside and at the edges of leaves and pieces, in holes, outside. */
uint64_t judge_table_iova(struct judge_table *t);

/* judge_table_mapped - an iova of a piece; false: nothing is mapped. */
bool judge_table_mapped(struct judge_table *t, uint64_t *iova);

/*
 * judge_expect - what our walker makes of a question, as an answer: answered, ok, has_oa, oa and type. view: the domain's memory, or
 * t->guest. w: the walk itself.
 */
void judge_expect(const struct judge_table *t, const struct mem_view *view, const struct judge_ask *ask, struct judge_ask *due,
		  struct walk *w);

/* Whether an answer is the one that is due; where the judge does not see something, that does not count. */
bool judge_agrees(const struct judge_ask *due, const struct judge_ask *answer);

/* Whether walker and interval map agree about iova. */
bool judge_asked_for(const struct judge_table *t, uint64_t iova, const struct walk *w);

#endif
