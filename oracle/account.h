/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * account.h - follows tables and invalidations through the log.
 */
#ifndef HITLESS_ACCOUNT_H
#define HITLESS_ACCOUNT_H

#include "check_state.h"

/*
 * account_log - follow the log of call, which must come to want (both NULL while the domain is made), the interval map being that of before
 * it. Extends *span by every slot of a linked table that was stored to.
 */
void account_log(struct check *c, const struct call *call, const struct call_expect *want, struct call_range *span);

/*
 * account_end - the interval map has moved on: whether the tables that there are now are those that must be. call and res as for
 * account_log.
 */
void account_end(struct check *c, const struct call *call, const struct call_result *res);

/*
 * account_round - likewise for the round that c->writers says, whose log is that of all writers: each step must be one that the writer who took
 * it may take. A table that lost a race to be installed was never linked, and is freed by whoever made it. Extends the span of each writer.
 * account_round_end is account_end for it.
 */
void account_round(struct check *c);
void account_round_end(struct check *c);

/* account_teardown - follow the log of the domain's end: tables are freed, which the device walks no more. */
void account_teardown(struct check *c);

#endif
