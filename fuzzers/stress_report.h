/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress_report.h - how a stress run is reported: while it runs, when a format is done, and to programs.
 */
#ifndef HITLESS_STRESS_REPORT_H
#define HITLESS_STRESS_REPORT_H

#include <jansson.h>

#include "stress_run.h"

/* struct stress_report - all formats so far. @shown: when a progress line was last printed; @started: when the format's turn began */
struct stress_report {
	const struct stress_plan *plan;
	uint64_t seed;
	uint64_t operations, translations, overlaps, rests;
	double seconds;
	json_t *formats, *findings;
	bool json, terminal;
	const char *format;
	uint64_t started, shown;
};

void stress_report_init(struct stress_report *r, const struct stress_plan *plan, uint64_t seed, bool json);

/* The turn of a format has come. */
void stress_report_begin(struct stress_report *r, const char *format);

/* A line on standard error, once in a while; for stress_run_until. */
stress_progress_fn stress_report_progress;

/* The format is done: print it, or keep it for the end. */
void stress_report_end(struct stress_report *r, const struct stress_run *run);

/* Print the object that --json promises; false if it cannot be written. Gives back what r holds either way. */
bool stress_report_release(struct stress_report *r);

#endif
