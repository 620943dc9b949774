/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dirty.h - the device's reads and writes, and whether every write comes to be reported (G6).
 *
 * The device is the worst that the rules allow: once a write has found or made a leaf dirty it keeps an IOTLB entry that says so, and sets
 * nothing for further writes until that entry is invalidated.
 */
#ifndef HITLESS_DIRTY_H
#define HITLESS_DIRTY_H

#include "check_state.h"

/*
 * struct device_access - what the device does for one read or write.
 *
 * @ok:   a walk allows it
 * @pa, @old, @new: the item that it used, and what it sets in there; old == new: nothing
 */
struct device_access {
	bool ok;
	uint64_t pa, old, new;
};

/*
 * dirty_access - the device reads or writes iova now, between two calls or in the middle of one. The caller stores *access->new where it
 * differs, before anything else happens.
 */
void dirty_access(struct check *c, uint64_t iova, bool write, struct device_access *access);

/* dirty_begin - a call begins: what the device writes from now on counts as during the call. */
void dirty_begin(struct check *c);

/* dirty_written - the call has ended: what was written to during it is dirty. The interval map is that of before. */
void dirty_written(struct check *c);

/* dirty_report - what dirty reported is what it had to; with clear, the rest is clean. Before dirty_written. */
void dirty_report(struct check *c, const struct call *call, const struct call_result *res);

/* dirty_invalidated - this command has completed: dirty IOTLB entries that it removes are gone. */
void dirty_invalidated(struct check *c, const struct iotlb_cmd *cmd);

#endif
