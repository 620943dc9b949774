/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * canary.h - planted bugs that must be noticed: whether a campaign checks at all what it says it checks.
 *
 * For each check there is a bug that this check is there for: an engine that lies, a log with something missing. Before a campaign begins, each is run
 * through the campaign's executor, under its options but with that check alone, on a domain of its own for each configuration as it is listed. One that
 * goes unnoticed, or is taken for something else, means that silence about its kind would mean nothing.
 */
#ifndef HITLESS_CANARY_H
#define HITLESS_CANARY_H

#include "exec.h"

/*
 * struct canary_result - what came of them.
 *
 * @noticed: checks (bit n: enum check_kind n) that noticed a bug of theirs
 * @missed:  checks that are on, and did not notice one that did what it does. Neither: checks that are off, and bugs that the configuration has no
 *           place for
 * @faulty:  the engine does wrong without a planted bug, or the process died; nothing more is known: what comes after finds that
 */
struct canary_result {
	unsigned noticed, missed;
	bool faulty;
};

/* canary_run - in a child process: all of them under these options and *cfg, which must have been resolved. 0, or -errno if it could not be run. */
int canary_run(const struct exec_options *options, const struct config *cfg, struct canary_result *res);

/*
 * canary_must - canary_run, which must notice every bug that shows, and a wrong translation in any case. Adds to *sum; does nothing once an engine was faulty. Returns
 * -1 to go on, or EXIT_TOOL after a message.
 */
int canary_must(const struct exec_options *options, const struct config *cfg, struct canary_result *sum);

#endif
