/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * campaign.h - a campaign of `hitless fuzz`: its workers, what they found, and how it is reported.
 */
#ifndef HITLESS_CAMPAIGN_H
#define HITLESS_CAMPAIGN_H

#include <stdio.h>
#include <sys/types.h>

#include "canary.h"
#include "known.h"
#include "options.h"
#include "worker.h"

#define CAMPAIGN_FINDINGS_MAX 256

/*
 * A finding of this campaign, minimized, with the file that holds its trace. @known: it is written up already; @processor_seconds: of the
 * campaign until then, the workers that had ended included.
 */
struct campaign_finding {
	struct finding finding;
	bool known;
	uint64_t times;
	size_t ops_nr;
	double processor_seconds;
	char path[1024];
};

/*
 * struct campaign - the parent's view.
 *
 * @findings_nr, @new_nr: signatures that were found; of those, the ones that were not known
 * @repeats: findings beyond CAMPAIGN_FINDINGS_MAX signatures, which their workers saved
 * @workers: shared with the processes pids; pid 0: none running
 * @seen, @seen_at: operations that a worker had begun when it was last looked at, and when that was
 * @canaries: of all configurations, before the campaign began
 * @stuck:  it was killed because that did not change
 */
struct campaign {
	struct canary_result canaries;
	const struct options *o;
	struct plan plan;
	struct worker **workers;
	pid_t *pids;
	uint64_t *seen;
	double *seen_at;
	bool *stuck;
	struct campaign_finding *findings;
	unsigned findings_nr, new_nr;
	struct known known;
	uint64_t repeats;
	bool tool_fault;
	double started, seconds;
};

/* Everything that all workers did on one format, or, with format_idx == formats_nr, on all. */
void campaign_sum(const struct campaign *c, unsigned format_idx, struct worker_stats *sum);

/* The summary for people, and for programs. */
void campaign_print(const struct campaign *c, FILE *out);
void campaign_json(const struct campaign *c, FILE *out);

/* The operation from which the finding came, "hitless replay PATH". */
void campaign_print_finding(const struct campaign_finding *f, FILE *out);

#endif
