/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * canary.h - planted bugs that must be noticed: whether a campaign checks at all what it says it checks.
 *
 * For each check there is a bug that this check alone can see: an engine that lies, a log with something missing. Before a campaign begins, each is
 * run through the very executor of the campaign, with its options, on a domain of its own. One that goes unnoticed means that the campaign's silence
 * would mean nothing.
 */
#ifndef HITLESS_CANARY_H
#define HITLESS_CANARY_H

#include "exec.h"

/*
 * struct canary_result - what came of it.
 *
 * @noticed: checks (bit n: enum check_kind n) that noticed their canary
 * @missed:  checks that are on, whose canary did what it does and went unnoticed
 */
struct canary_result {
	unsigned noticed, missed;
};

/*
 * canary_run - in a child process: what comes of each canary under these options and *cfg, which must have been resolved. Neither noticed nor missed:
 * checks that are off, and bugs that this configuration has no place for. Where the child crashes nothing more is known: then the engine itself
 * is at fault, and what comes after finds it. 0, or -errno if no child could be made.
 */
int canary_run(const struct exec_options *options, const struct config *cfg, struct canary_result *res);

/* canary_must - canary_run, which must notice all that show. Adds to *noticed. Returns -1 to go on, or EXIT_TOOL after a message. */
int canary_must(const struct exec_options *options, const struct config *cfg, unsigned *noticed);

#endif
