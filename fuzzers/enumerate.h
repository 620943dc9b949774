/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enumerate.h - small scope, completely: every case of a tiny configuration instead of a sample of them.
 *
 * What is enumerated, over units of the smallest enabled page (n of them in the domain, or in each half of a sign-extended one):
 *
 * ranges   for each range of units and each alignment of the oa (congruent to the iova modulo 2^k units and no more, for each k that fits
 *          the domain, and congruent throughout), on a domain of its own: map, cut, unmap what is left of the cut or right of it in turn,
 *          unmap the rest; once for each cut point inside a leaf, if the oa is congruent throughout. With other alignments that is done
 *          for the ranges in the first half of the units, and of alignments between which no page size lies for the largest; all others
 *          get one of the cut points. Then map once more and cut where nothing may change: at each leaf start, below and above the range;
 *          unmap from a leaf start on, and the rest.
 * pairs    in the first 16 units, and the last 16 of an upper half: for each range a and each range b: map a, map b over or beside it; for
 *          each range u: the same, unmap u and what is left; and where u starts inside a leaf, the same with a cut before it. And each
 *          alignment of a with each of b, without u.
 * hole     every range that starts in the lower half and ends in the upper one is refused.
 * devices  where the device keeps dirty state, see enumerate_device.c
 * failures see enumerate_fail.c
 * writers  see enumerate_writers.c
 *
 * Permissions and attributes take turns, so that each that the format can express is used. Where the device keeps dirty state, in every
 * fourth script of ranges it writes before the cut, and a clearing dirty follows the cut.
 */
#ifndef HITLESS_ENUMERATE_H
#define HITLESS_ENUMERATE_H

#include "exec.h"
#include "finding.h"

#define ENUMERATE_OPS_MAX 8192

enum enumerate_part {
	ENUMERATE_RANGES = 1 << 0,
	ENUMERATE_PAIRS = 1 << 1,
	ENUMERATE_HOLE = 1 << 2,
	ENUMERATE_DEVICES = 1 << 3,
	ENUMERATE_FAILURES = 1 << 4,
	ENUMERATE_WRITERS = 1 << 5,
	ENUMERATE_ALL = (1 << 6) - 1,
};

/*
 * struct enumerate_counts - how much of it there was.
 *
 * @splits:   cuts inside a leaf that were made; @refused: of all operations
 * @rounds: cases of several writers; @rounds_short: of those, the ones that had more schedules than were run; @interleavings: schedules
 * @actions:  cases in which the device acted within an operation, once or twice; @failures: in which an allocation failed
 */
struct enumerate_counts {
	uint64_t units, ranges, alignments, pairs, domains, operations;
	uint64_t maps, cuts, splits, unmaps, refused, leaves;
	uint64_t actions, failures;
	uint64_t rounds, rounds_short, interleavings;
	uint64_t comparisons[CHECK_NR];
};

enum enumerate_end { ENUMERATE_RUNNING, ENUMERATE_CLEAN, ENUMERATE_FINDING, ENUMERATE_UNABLE };

/*
 * struct enumerate - the result; plain data, so that it can lie in memory shared between processes.
 *
 * @end:     ENUMERATE_RUNNING is what a process that died leaves
 * @finding: ENUMERATE_FINDING
 * @why:     ENUMERATE_UNABLE: for people
 * @ops, @ops_nr: the operations of the domain so far; @script_at: where the script that is running began
 */
struct enumerate {
	enum enumerate_end end;
	struct enumerate_counts counts;
	struct finding finding;
	char why[240];
	size_t ops_nr, script_at;
	struct op ops[ENUMERATE_OPS_MAX];
};

/* enumerate_parts - those of parts that there is something to enumerate of under the resolved configuration cfg. */
unsigned enumerate_parts(const struct config *cfg, unsigned parts);

/*
 * enumerate_config - enumerate parts of the resolved configuration cfg, which must be a tiny one, in this process. quick: ranges only in
 * the first 64 units and of the last 64 those that reach the end; pairs in 8 units; devices and failures as their files say. Of options
 * only the checks are used. Returns how many comparisons were made.
 */
uint64_t enumerate_config(struct enumerate *e, const struct config *cfg, const struct exec_options *options, unsigned parts, bool quick);

#endif
