/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mixed.h - hardware that cannot hold leaves of two sizes at once never has them in a contiguous group's place, not for a moment (G2). */
#ifndef HITLESS_MIXED_H
#define HITLESS_MIXED_H

#include "history.h"

/*
 * mixed_table - whether any leaf that the operation stored to t, a table of level that is linked over base and whose runs are built, came to
 * stand beside items of a group that it lies in, or that lie in the group that it is an item of, and are of another size. For hardware without
 * cap_size_change.
 */
void mixed_table(const struct history *h, const struct touched *t, unsigned level, uint64_t base, bool root);

#endif
