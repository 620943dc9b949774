/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prove.h - what a configuration declares that it can change under a running device, against what exploring every walk in flight shows.
 *
 * Each leaf size that the configuration can make is cut, each time alone in a domain of its own: map, cut. A leaf lies in the first place
 * of its size, the second, and the last one of the iova space (or of each half), so that either neighbour in alignment is had, and in a
 * place in the middle within a piece that goes on for a page on either side. Cut points: every smallest page where the leaf has few
 * (prove.c), otherwise the first, the middle and the last, one of each enabled page size from either end and a smallest page to either
 * side of that, and the items of a group. In the last place and the middle one the first, the middle and the last are enough. The memory
 * model is each one that the configuration may have: a proof under one says nothing about the others.
 *
 * Bound: one operation, walks that overlap it, at these cut points.
 */
#ifndef HITLESS_PROVE_H
#define HITLESS_PROVE_H

#include "exec.h"
#include "finding.h"

/* What can be declared: struct engine_info. */
enum prove_cap {
	PROVE_SIZE_CHANGE,   /* an entry of several items became smaller ones, at its level or below */
	PROVE_LEAF_TO_TABLE, /* a leaf became a table */
	PROVE_CAPS_NR,
};

#define PROVE_OPS_MAX 2
#define PROVE_FINDINGS_MAX 8

/*
 * struct prove_cell - cuts that needed a capability.
 *
 * @proved:  changed a live entry this way, by the log, and no walk in flight was disturbed
 * @refuted: led to a finding
 * @refused: answered -EOPNOTSUPP, as they had to
 */
struct prove_cell {
	uint64_t proved, refuted, refused;
};

/* One leaf size. @left_out: cuts that would have made more leaves than the bound of prove.c allows */
struct prove_leaf {
	uint64_t cuts, left_out;
	struct prove_cell cells[PROVE_CAPS_NR];
};

/* A finding, and what led to it under which configuration. */
struct prove_finding {
	struct finding f;
	struct config cfg;
	unsigned ops_nr;
	struct op ops[PROVE_OPS_MAX];
};

enum prove_end { PROVE_RUNNING, PROVE_DONE, PROVE_UNABLE };

/*
 * struct prove - the result; plain data, so that it can lie in memory shared between processes.
 *
 * @end:      PROVE_RUNNING is what a process that died leaves
 * @declared: by the engine
 * @sizes:    bit n set: leaves of 2^n bytes can be made; @leaves: by n
 * @models:   bit n set: run under enum config_model n
 * @domain:   findings when a domain was made, by the capability that they are about; @other: findings that are about none
 * @found:    @findings_nr of them, each with a signature of its own
 * @now, @now_needs: what is running, and bit n set: it needs enum prove_cap n
 * @why:      PROVE_UNABLE: for people
 */
struct prove {
	enum prove_end end;
	bool declared[PROVE_CAPS_NR];
	uint64_t sizes;
	unsigned models, now_size_lg2, now_needs;
	struct prove_leaf leaves[64];
	uint64_t domain[PROVE_CAPS_NR], other;
	uint64_t comparisons[CHECK_NR];
	unsigned findings_nr;
	struct prove_finding findings[PROVE_FINDINGS_MAX], now;
	char why[240];
};

/* prove_config - run all of it for the resolved configuration cfg, in this process. quick: fewer places and cut points, smaller bound. */
void prove_config(struct prove *p, const struct config *cfg, bool quick);

/* prove_died - the process that ran this died of the signal, or by itself (0): that is a finding too. */
void prove_died(struct prove *p, int signal_nr);

#endif
