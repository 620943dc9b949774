/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gen_round.h - operations for several writers at the same time: on ranges that are apart, as whoever calls an engine must see to, and as close
 * together as can be, so that they share tables. Who runs when is pct.h's.
 */
#ifndef HITLESS_GEN_ROUND_H
#define HITLESS_GEN_ROUND_H

#include "gen.h"

/* gen_round - fill in ops, which has room for MEM_WRITERS_MAX, thread numbers and all. Returns how many, 2 or more; 0: nothing was found to go together. */
unsigned gen_round(struct gen *g, struct op *ops);

#endif
