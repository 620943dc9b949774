/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_run.h - one format before its judge: tables, single bits, planted errors.
 */
#ifndef HITLESS_JUDGE_RUN_H
#define HITLESS_JUDGE_RUN_H

#include <stdio.h>

#include "judge_differ.h"
#include "judge_table.h"

#define JUDGE_CONFIGS_MAX 32
#define JUDGE_PLANTS_MAX 8
#define JUDGE_DIFFERENCES_MAX 160
#define JUDGE_LEFT_OUT_MAX 8
#define JUDGE_REPORTS_MAX 40

/* What a run is to do. */
struct judge_plan {
	const char *format;
	struct config configs[JUDGE_CONFIGS_MAX];
	unsigned configs_nr;
	uint64_t seed, translations;
	double seconds; /* 0: no limit */
	bool quick;
	FILE *progress; /* NULL: none */
};

/*
 * struct judge_result - what came of it.
 *
 * @tables, @configs: judged; @left_out: configurations that the judge turned out not to have, @why_left_out
 * @translations: questions about the tables that were answered by an oa (@oas) or a fault (@faults); @permissions: that an access is
 *                allowed, but not to where. @kinds: both, by kind
 * @leaves:       leaves that the judge listed, all compared; not counted in the above
 * @sizes, @sizes_due: bit n: leaves of 2^n bytes were judged, are enabled in some configuration; @prots: bit n: leaves of enum prot n
 * were judged
 * @unanswered:   questions that the judge could not answer
 * @agreed, @disagreed: of all these together
 * @changes:  questions about entries with one bit changed; @changes_agreed, @changes_listed (by difference: @listed), @changes_wrong;
 *            @changes_untold: could not be asked
 * @updates:    items in which the judge has set accessed or dirty; @updates_wrong: of these and of those that it should have
 * @planted, @caught: encoding errors, by name
 * @found:    the engine's own checks found something, @finding
 * @reports:  what was wrong, for people
 */
struct judge_result {
	uint64_t tables, translations, permissions, kinds[JUDGE_KINDS_NR], oas, faults, leaves, unanswered, agreed, disagreed;
	uint64_t sizes, sizes_due, prots;
	unsigned configs, left_out;
	char why_left_out[JUDGE_LEFT_OUT_MAX][200];
	uint64_t changes, changes_agreed, changes_listed, changes_wrong, changes_untold, listed[JUDGE_DIFFERENCES_MAX];
	uint64_t updates, updates_wrong;
	unsigned planted_nr;
	struct {
		const char *name;
		uint64_t tables, wrong;
	} planted[JUDGE_PLANTS_MAX];
	bool found;
	char finding[1100];
	char reports[JUDGE_REPORTS_MAX][400];
	unsigned reports_nr, reports_changes;
	double seconds;
};

/* judge_run - 0; -errno with j->why: the judge is at fault. */
int judge_run(struct judge *j, const struct judge_plan *plan, struct judge_result *res);

/* Add a report, about a table or a changed bit; the same text is kept once. Those about tables come first. */
void judge_report(struct judge_result *res, bool change, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* judge_questions - questions about random iovas of the table, of every kind that the judge takes. Returns how many; at most most. */
size_t judge_questions(struct judge_table *t, struct judge_ask *asks, size_t most, unsigned iovas);

/* judge_all - every leaf that the judge lists, and their number. 0 or -errno. */
int judge_all(struct judge_table *t, struct judge_result *res);

/* judge_touched - what the judge has made of the tables by answering these questions. */
void judge_touched(struct judge_table *t, const struct judge_ask *asks, size_t nr, struct judge_result *res);

/* judge_changes - each bit of the entries on the way to a mapped iova, one after the other. 0 or -errno. */
int judge_changes(struct judge_table *t, struct judge_result *res);

/* judge_plants - the encoding errors of the format, each until it is caught. 0 or -errno. */
int judge_plants(struct judge_table *t, const struct judge_plan *plan, struct judge_result *res);

#endif
