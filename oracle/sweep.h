/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sweep.h - compares the raw tables with the interval map.
 */
#ifndef HITLESS_SWEEP_H
#define HITLESS_SWEEP_H

#include "check_state.h"

/*
 * sweep - walk everything over [iova, last] (widened to whole leaves; both ends valid iovas) and compare it with the interval map.
 * removed: what an unmap was asked for and has removed: no table inside it may be left; NULL for any other call.
 */
void sweep(struct check *c, const struct call_range *removed, uint64_t iova, uint64_t last);

#endif
