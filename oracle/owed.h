/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * owed.h - what stores to live tables leave in a device's IOTLB and walk caches until a command is sure to have removed it.
 */
#ifndef HITLESS_OWED_H
#define HITLESS_OWED_H

#include "check_state.h"

/*
 * owed_since - when what event at of the log overwrote is out of the reach of the device: 0, at once, if it snoops; else the index + 1 of the
 * write-back that completes this, SIZE_MAX if there is none. Write-backs of parts count if each goes on from one end.
 */
size_t owed_since(const struct check *c, size_t at);

/* The leaves of piece that overlap [iova, last] are going, whole, as of c->owed_from. */
void owed_leaves(struct check *c, const struct imap_piece *piece, uint64_t iova, uint64_t last);

/* Likewise what the interval map has in [iova, last]. */
void owed_mapped(struct check *c, uint64_t iova, uint64_t last);

/* Likewise the pointer to a table below [iova, last]. */
void owed_table(struct check *c, uint64_t iova, uint64_t last);

/* Event at of the log wrote something back: what this call owes and was waiting for that has arisen. */
void owed_written_back(struct check *c, size_t at);

/* A command was issued; a malformed one is reported. */
void owed_command(struct check *c, const struct mem_event *ev);

/* All commands so far have completed: whatever was owed must be gone, unless the device can still fetch it (or TRAIT_OWN_SYNC). */
void owed_sync(struct check *c);

/*
 * The call has ended, and its gather was synced unless that is deferred: nothing may be owed. settled: it was the sync of all that was
 * deferred.
 */
void owed_end(struct check *c, bool settled);

/*
 * A round begins: from now on each writer owes by itself. owed_change - it is this writer's turn. owed_round_end - the round is over: what is
 * deferred is owed by nobody in particular any more.
 */
void owed_round(struct check *c);
void owed_change(struct check *c, unsigned writer);
void owed_round_end(struct check *c);

#endif
