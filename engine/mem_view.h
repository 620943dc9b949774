/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mem_view.h - simulated physical memory as an observer sees it: the bytes, the pages and the event log, all read-only.
 *
 * This is the only thing beside config.h that the oracle includes from the engine.
 */
#ifndef HITLESS_MEM_VIEW_H
#define HITLESS_MEM_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Page state is kept per frame of 1K, the smallest table of any format. */
#define MEM_FRAME_LG2 10
#define MEM_NONE UINT64_MAX /* no such physical address */
#define MEM_WRITERS_MAX 3   /* writers at the same time; numbered from 1 */

enum mem_event_kind {
	MEM_STORE, /* pa, bytes_lg2, nr items, old, new, step: plain store or fill */
	MEM_CAS,   /* pa, bytes_lg2, old, new: successful compare-exchange: fence, release store, fence */
	MEM_FENCE,
	MEM_FLUSH,      /* pa, old = bytes: written back to memory when the event is logged */
	MEM_ALLOC,      /* pa, old = bytes: a zeroed table */
	MEM_ALLOC_FAIL, /* old = bytes: the allocator, or the mapping for a device that does not snoop, answered that there is none */
	MEM_FREE,       /* pa, old = bytes */
	MEM_DMA_MAP,    /* pa, old = bytes: a table was made reachable for a device that does not snoop */
	MEM_DMA_UNMAP,  /* pa, old = bytes */
	MEM_INVALIDATE, /* pa = enum config_tlb that encoded it; old, new = low and high half of the raw command. Its submission carries a
	                   barrier: it comes after every store before it */
	MEM_SYNC,       /* every invalidation so far has completed and walks in flight have ended */
	MEM_TOP,        /* pa = root table, old = level of the root: what the device walks from now on; a release */
	MEM_DEVICE,     /* pa, bytes_lg2, old, new: accessed or dirty set by the device */
	/* With several writers alone: */
	MEM_LOAD,       /* pa, bytes_lg2, new: what was read; acquire. order = MEM_RELEASE: by a compare-exchange that failed */
	MEM_WORD_LOAD,  /* pa names a word of the engine's own, outside of table memory: it was read, acquire; old = 1: and changed,
	                   as the word of a lock that is taken */
	MEM_WORD_STORE, /* likewise stored to, release */
	MEM_DONE,       /* the writer's operation has returned, and what it owed has been synced unless that is deferred: whoever called it may
	                use the result, and sees to it that the device comes after that. A barrier */
};

/* MEM_JOINED: relaxed, and of the same fill as the store before it, so that the two are in no order. */
enum mem_order { MEM_RELAXED, MEM_RELEASE, MEM_JOINED };

/*
 * struct mem_event - one thing that happened to table memory.
 *
 * @step_lg2: a fill of nr items stores new, new + 2^step_lg2, new + 2 * 2^step_lg2 ...; 0: the same value in each. The stores of one fill
 *            are unordered among themselves. A fill over values that do not follow each other by a step is several events (MEM_JOINED)
 * @old_step_lg2: the items held old, old + 2^old_step_lg2, ... before; 0: the same value each
 * @nr:       items stored, at least 1
 * @writer:   which of several it was, from 1; 0: there is only one
 */
struct mem_event {
	uint8_t kind, order, bytes_lg2, step_lg2;
	uint8_t old_step_lg2, writer;
	uint16_t nr;
	uint64_t pa, old, new;
};

static inline uint64_t mem_event_new(const struct mem_event *ev, unsigned i)
{
	return ev->step_lg2 ? ev->new + ((uint64_t)i << ev->step_lg2) : ev->new;
}

static inline uint64_t mem_event_old(const struct mem_event *ev, unsigned i)
{
	return ev->old_step_lg2 ? ev->old + ((uint64_t)i << ev->old_step_lg2) : ev->old;
}

enum mem_frame_state { MEM_FRAME_NEVER, MEM_FRAME_LIVE, MEM_FRAME_TAIL, MEM_FRAME_FREED };

/*
 * struct mem_frame - what the allocator knows of one frame.
 *
 * @bytes: size of the table that starts here; for a tail frame, how many frames back it starts
 * @gen:   how often this frame has been allocated
 * @stamp: the operation that last allocated or freed it
 */
struct mem_frame {
	uint32_t state, bytes, gen, stamp;
};

/*
 * struct mem_view - everything an observer may read.
 *
 * @bytes:   host address of the arena
 * @pa:      physical address of its first byte
 * @bytes_nr: its size
 * @frames:  one per frame of the arena
 * @events:  the log of the current operation, oldest first
 * @op:      number of the current operation; the log is emptied when it changes
 * @steps:   loads, stores and other primitives that the operation has used
 * @live_nr: tables allocated and not freed
 * @root, @root_level: what the device walks now; MEM_NONE: nothing yet
 */
struct mem_view {
	uint8_t *bytes;
	uint64_t pa, bytes_nr;
	struct mem_frame *frames;
	struct mem_event *events;
	size_t events_nr;
	uint32_t op;
	uint64_t steps;
	uint64_t live_nr;
	uint64_t root;
	unsigned root_level;
};

/* Whether [pa, pa + bytes) lies inside the arena. */
static inline bool mem_view_has(const struct mem_view *v, uint64_t pa, uint64_t bytes)
{
	return pa - v->pa < v->bytes_nr && v->bytes_nr - (pa - v->pa) >= bytes;
}

/* The frame that holds pa, which must lie inside the arena. */
static inline const struct mem_frame *mem_view_frame(const struct mem_view *v, uint64_t pa)
{
	return &v->frames[(pa - v->pa) >> MEM_FRAME_LG2];
}

/*
 * The item of 4 (bytes_lg2 = 2) or 8 (3) bytes at pa, which must lie inside the arena; acquire, so that a table is read after the pointer
 * to it.
 */
static inline uint64_t mem_view_load(const struct mem_view *v, uint64_t pa, unsigned bytes_lg2)
{
	const uint8_t *p = v->bytes + (pa - v->pa);

	if (bytes_lg2 == 2)
		return __atomic_load_n((const uint32_t *)p, __ATOMIC_ACQUIRE);
	return __atomic_load_n((const uint64_t *)p, __ATOMIC_ACQUIRE);
}

#endif
