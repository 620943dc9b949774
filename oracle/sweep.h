/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sweep.h - compares the raw tables with the interval map.
 */
#ifndef HITLESS_SWEEP_H
#define HITLESS_SWEEP_H

#include "check_state.h"

/*
 * sweep - walk everything over [iova, last] (widened to whole leaves; both ends valid iovas of the same or of both parts) and compare it
 * with the interval map. call: an
 * unmap that has just removed this range, so that no table inside it may be left; or NULL.
 */
void sweep(struct check *c, const struct call *call, uint64_t iova, uint64_t last);

#endif
