/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mem.h - simulated physical memory: the primitives through which engine code, and nothing else, touches table memory.
 *
 * With no observer attached a primitive costs an ordinary atomic access. With one attached each appends to the operation's log
 * (mem_view.h) and is checked: an access outside a live table, a second free and an operation that uses up its step budget go to the
 * fault hook, which does not return.
 */
#ifndef HITLESS_MEM_H
#define HITLESS_MEM_H

#include <stdbool.h>
#include <stdint.h>

#include "mem_view.h"

enum mem_fault {
	MEM_FAULT_WILD_LOAD,      /* a load outside a live table */
	MEM_FAULT_WILD_STORE,     /* a store outside a live table, or misaligned */
	MEM_FAULT_USE_AFTER_FREE, /* an access to a freed table */
	MEM_FAULT_DOUBLE_FREE,
	MEM_FAULT_BUDGET,    /* more steps than the operation may use */
	MEM_FAULT_INVARIANT, /* an engine invariant does not hold; text says which */
	MEM_FAULT_LOG_FULL,  /* the operation stores more than twice what the arena holds: it makes no progress */
};

/* What is done about a fault at pa (MEM_NONE where there is no address). Must not return: if it does, the process ends. */
typedef void mem_fault_fn(void *arg, enum mem_fault fault, uint64_t pa, const char *text);

/* The device's turn: called before an attempt to store takes effect. Must move mem->turn_at on. */
typedef void mem_turn_fn(void *arg);

/*
 * With several writers: the one that runs is about to execute its primitive number mem->writer.points, which is mem->writer.switch_at, or
 * (yields) waits for another writer. Others may run before this returns.
 */
typedef void mem_switch_fn(void *arg, bool yields);

struct mem_class; /* the free tables of one size */

/*
 * struct mem_writer - of several writers that run by turns, what each has of its own.
 *
 * @id:        from 1; 0: there is only one
 * @points:    primitives that it has executed or begun; a fill is one
 * @switch_at: mem->change is called before this one, from 0; UINT64_MAX: never
 * @steps, @budget, @attempts, @fail_at, @allocs: see struct mem
 */
struct mem_writer {
	unsigned id;
	uint64_t points, switch_at;
	uint64_t steps, budget, attempts;
	uint32_t fail_at, allocs;
};

/*
 * struct mem_threads - for an arena that several threads use at once, without an observer: what else is to happen. All are called in the
 * thread that the primitive is called in, with threads_arg.
 *
 * @attempt:   before each attempt to store takes effect; NULL: nothing, and stores are as fast as on an arena of one thread
 * @may_alloc: whether this allocation or DMA mapping may succeed
 * @keep:      the table at pa is being freed; true: its memory must stay as it is, mem_free will be called for it again
 * @synced:    every invalidation so far has completed
 * @top:       the device walks from this root on
 */
struct mem_threads {
	void (*attempt)(void *arg);
	bool (*may_alloc)(void *arg);
	bool (*keep)(void *arg, uint64_t pa);
	void (*synced)(void *arg);
	void (*top)(void *arg, uint64_t root, unsigned level);
};

/*
 * struct mem - an arena of table pages.
 *
 * @view:     what observers read; first, so that an observer is handed &mem->view
 * @observed: log and check; changed only between operations
 * @slow:     stores go the long way: observed, or with something to do before each
 * @threads:  NULL, or the hooks of the threads that share it
 * @fail_at:  the n-th allocation or DMA mapping of this operation fails, from 1; 0: none
 * @allocs:   allocations and DMA mappings attempted in this operation
 * @attempts: attempts to store in this operation, one for each item of a fill; those that fail count
 * @turn_at:  @turn is called before attempt number turn_at, from 0; UINT64_MAX: never
 * @budget:   steps that this operation may use
 * @live_first, @live_bytes: the live table that was checked last
 * @plain:    the store of the last event is under way, see mem_plain_store
 * @writer:   the one of several that runs; its counts are in the fields above while it does. Then no live table is remembered, so that every
 *            access takes the long way, where writers change
 * @bump:     bytes of the arena that have ever been used
 * @classes:  queues of freed tables by size, linked through @next, by frame; @room_class: the size that a table's room was taken from
 */
struct mem {
	struct mem_view view;
	bool observed, slow, plain;
	uint32_t fail_at, allocs;
	uint64_t budget, attempts, turn_at;
	size_t events_room;
	uint64_t live_first, live_bytes;
	struct mem_writer writer;
	uint64_t bump;
	struct mem_class *classes;
	uint32_t *next;
	uint8_t *room_class;
	int lock;
	mem_fault_fn *fault;
	void *fault_arg;
	mem_turn_fn *turn;
	void *turn_arg;
	mem_switch_fn *change;
	void *change_arg;
	const struct mem_threads *threads;
	void *threads_arg;
};

/*
 * mem_init - an empty arena of bytes (a multiple of 1M) whose first byte has the physical address pa (a multiple of 1M).
 * The host pages are reserved, not committed. fault is called with fault_arg. Returns 0 or -ENOMEM.
 */
int mem_init(struct mem *m, uint64_t pa, uint64_t bytes, mem_fault_fn *fault, void *fault_arg);
void mem_release(struct mem *m);

/* Make the arena empty again at physical address pa, all contents forgotten; log and observer stay as they are. */
void mem_reset(struct mem *m, uint64_t pa);

/*
 * mem_begin_op - the next operation starts: empties the log, restarts step and allocation counts.
 * @budget:  steps it may use; UINT64_MAX for no limit
 * @fail_at: which allocation or DMA mapping fails, from 1; 0 none
 * The device has no turn unless turn_at is set after this.
 */
void mem_begin_op(struct mem *m, uint64_t budget, uint32_t fail_at);

/*
 * mem_writer_begin - a writer for the current operation, which becomes one of several; budget and fail_at as for mem_begin_op. id from 1 to
 * MEM_WRITERS_MAX.
 */
void mem_writer_begin(struct mem_writer *w, unsigned id, uint64_t budget, uint32_t fail_at);

/* mem_writer_change - to runs from now on (NULL: nobody, until the next one), and from (or NULL) keeps what it has counted. Observed only. */
void mem_writer_change(struct mem *m, struct mem_writer *from, const struct mem_writer *to);

/* Attach (true) or detach the observer. Between operations only. */
void mem_observe(struct mem *m, bool on);

/*
 * mem_share - several threads use the arena from now on; NULL: no more. It must not be observed. Operations have no beginning then: no budget,
 * nothing fails but by @may_alloc, and a table that was freed may be used again at once.
 */
void mem_share(struct mem *m, const struct mem_threads *threads, void *arg);

/*
 * mem_alloc - a zeroed table of bytes (a power of two, up to 2M: concatenated root tables), aligned to 1 << align_lg2.
 * Returns its physical address, or MEM_NONE when the arena is exhausted or this allocation is to fail.
 */
uint64_t mem_alloc(struct mem *m, uint32_t bytes, unsigned align_lg2);

/*
 * mem_free - the table at pa, as mem_alloc returned it, is no longer reachable. It is poisoned, with an observer when the next operation
 * begins, so that the observer can still read what it held; and it is kept back before it is used again, at least until then.
 */
void mem_free(struct mem *m, uint64_t pa);

/*
 * mem_dma_map - make the table at pa, of bytes, reachable for a device that does not snoop the caches. False if it cannot be: counted and made
 * to fail like an allocation. Nothing is written back by this. mem_dma_unmap ends it, before the table is freed.
 */
bool mem_dma_map(struct mem *m, uint64_t pa, uint32_t bytes);
void mem_dma_unmap(struct mem *m, uint64_t pa, uint32_t bytes);

void mem_fail(struct mem *m, enum mem_fault fault, uint64_t pa, const char *text) __attribute__((noreturn, cold));

/* The observed halves; engine code calls the inline functions below. */
uint64_t mem_observed_load(struct mem *m, uint64_t pa, unsigned bytes_lg2);
void mem_observed_store(struct mem *m, uint64_t pa, unsigned bytes_lg2, uint64_t val, enum mem_order order);
bool mem_observed_cas(struct mem *m, uint64_t pa, unsigned bytes_lg2, uint64_t *old, uint64_t val);
bool mem_observed_cas_weaker(struct mem *m, uint64_t pa, unsigned bytes_lg2, uint64_t *old, uint64_t val, enum mem_order order);
void mem_observed_fill(struct mem *m, uint64_t pa, unsigned bytes_lg2, unsigned nr, uint64_t val, unsigned step_lg2);
void mem_observed_event(struct mem *m, enum mem_event_kind kind, uint64_t pa, uint64_t old, uint64_t val);
void mem_observed_top(struct mem *m, uint64_t root, unsigned level);
void mem_observed_word(struct mem *m, enum mem_event_kind kind, const void *word, bool changes);
void mem_observed_wait(struct mem *m, const void *word);

static inline void *mem_host(const struct mem *m, uint64_t pa)
{
	return m->view.bytes + (pa - m->view.pa);
}

static inline void mem_raw_store(const struct mem *m, uint64_t pa, unsigned bytes_lg2, uint64_t val, int order)
{
	if (bytes_lg2 == 2)
		__atomic_store_n((uint32_t *)mem_host(m, pa), (uint32_t)val, order);
	else
		__atomic_store_n((uint64_t *)mem_host(m, pa), val, order);
}

static inline bool mem_raw_cas(const struct mem *m, uint64_t pa, unsigned bytes_lg2, uint64_t *old, uint64_t val)
{
	uint32_t old32 = (uint32_t)*old;
	bool ok;

	if (bytes_lg2 == 3)
		return __atomic_compare_exchange_n((uint64_t *)mem_host(m, pa), old, val, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
	ok = __atomic_compare_exchange_n((uint32_t *)mem_host(m, pa), &old32, (uint32_t)val, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
	*old = old32;
	return ok;
}

/* The item of 1 << bytes_lg2 bytes (4 or 8) at pa; acquire, so that a table is read after the pointer to it. */
static inline uint64_t mem_load(struct mem *m, uint64_t pa, unsigned bytes_lg2)
{
	if (__builtin_expect(m->observed, 0)) {
		/* The usual case of an observed load: again in the table that was checked last, aligned, within the budget. */
		if (pa - m->live_first >= m->live_bytes || (pa & ((1u << bytes_lg2) - 1)) || m->view.steps >= m->budget)
			return mem_observed_load(m, pa, bytes_lg2);
		m->view.steps++;
	}
	if (bytes_lg2 == 2)
		return __atomic_load_n((const uint32_t *)mem_host(m, pa), __ATOMIC_ACQUIRE);
	return __atomic_load_n((const uint64_t *)mem_host(m, pa), __ATOMIC_ACQUIRE);
}

/* Store one item; MEM_RELAXED or MEM_RELEASE. */
static inline void mem_store(struct mem *m, uint64_t pa, unsigned bytes_lg2, uint64_t val, enum mem_order order)
{
	if (__builtin_expect(m->slow, 0))
		mem_observed_store(m, pa, bytes_lg2, val, order);
	else
		mem_raw_store(m, pa, bytes_lg2, val, order == MEM_RELEASE ? __ATOMIC_RELEASE : __ATOMIC_RELAXED);
}

/* Replace *old by val if the item still holds *old; a full barrier when it succeeds. Otherwise *old is what it holds. */
static inline bool mem_cas(struct mem *m, uint64_t pa, unsigned bytes_lg2, uint64_t *old, uint64_t val)
{
	if (__builtin_expect(m->slow, 0))
		return mem_observed_cas(m, pa, bytes_lg2, old, val);
	return mem_raw_cas(m, pa, bytes_lg2, old, val);
}

/* Likewise, but only a release, or nothing at all, when it succeeds; logged as a store. */
static inline bool mem_cas_weaker(struct mem *m, uint64_t pa, unsigned bytes_lg2, uint64_t *old, uint64_t val, enum mem_order order)
{
	if (__builtin_expect(m->slow, 0))
		return mem_observed_cas_weaker(m, pa, bytes_lg2, old, val, order);
	return mem_raw_cas(m, pa, bytes_lg2, old, val);
}

/*
 * mem_plain_store - the caller is about to store to the item at pa with an ordinary assignment, as code does that knows nothing of mem. It is
 * logged as a relaxed store in this place of the log, the device having its turn now; its value is read from memory when the next thing is
 * logged, before anything else can change it. With an observer only.
 */
void mem_plain_store(struct mem *m, uint64_t pa, unsigned bytes_lg2);

/* mem_plain_settle - the last such store has been made. Called by mem itself, and by whoever made plain stores when it returns. */
void mem_plain_settle(struct mem *m);

/*
 * Store nr items from pa on: val, val + 2^step_lg2, val + 2 * 2^step_lg2 ... (step_lg2 0: val in each). Each item is stored whole; their
 * order is not promised.
 */
static inline void mem_fill(struct mem *m, uint64_t pa, unsigned bytes_lg2, unsigned nr, uint64_t val, unsigned step_lg2)
{
	uint64_t step = step_lg2 ? UINT64_C(1) << step_lg2 : 0;

	if (__builtin_expect(m->slow, 0)) {
		mem_observed_fill(m, pa, bytes_lg2, nr, val, step_lg2);
		return;
	}
	for (; nr; nr--, pa += 1u << bytes_lg2, val += step)
		mem_raw_store(m, pa, bytes_lg2, val, __ATOMIC_RELAXED);
}

static inline void mem_fence(struct mem *m)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__builtin_expect(m->observed, 0))
		mem_observed_event(m, MEM_FENCE, MEM_NONE, 0, 0);
}

/* Write [pa, pa + bytes) back to memory, barrier included, for a device that does not snoop. */
static inline void mem_flush(struct mem *m, uint64_t pa, uint64_t bytes)
{
	if (__builtin_expect(m->observed, 0))
		mem_observed_event(m, MEM_FLUSH, pa, bytes, 0);
}

/* Issue one raw command of the vendor (enum config_tlb). */
static inline void mem_invalidate(struct mem *m, unsigned vendor, uint64_t low, uint64_t high)
{
	if (__builtin_expect(m->observed, 0))
		mem_observed_event(m, MEM_INVALIDATE, vendor, low, high);
}

/* Wait until every command so far has completed. */
static inline void mem_sync(struct mem *m)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__builtin_expect(m->observed, 0))
		mem_observed_event(m, MEM_SYNC, MEM_NONE, 0, 0);
	else if (m->threads)
		m->threads->synced(m->threads_arg);
}

/* The device walks from this root on; a release. */
static inline void mem_top(struct mem *m, uint64_t root, unsigned level)
{
	if (__builtin_expect(m->observed, 0))
		mem_observed_top(m, root, level);
	else if (m->threads)
		m->threads->top(m->threads_arg, root, level);
}

/* The writer's operation has ended and been synced, see MEM_DONE. For whoever called it. */
static inline void mem_done(struct mem *m)
{
	if (__builtin_expect(m->observed, 0))
		mem_observed_event(m, MEM_DONE, MEM_NONE, 0, 0);
}

/*
 * Words that writers share outside of table memory, and a lock, false at first: acquire and release. They are here so that several writers
 * that run by turns may change at each, and do where one waits for another.
 */
static inline uint64_t mem_word_load(struct mem *m, const uint64_t *word)
{
	if (__builtin_expect(m->writer.id, 0))
		mem_observed_word(m, MEM_WORD_LOAD, word, false);
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void mem_word_store(struct mem *m, uint64_t *word, uint64_t val)
{
	if (__builtin_expect(m->writer.id, 0))
		mem_observed_word(m, MEM_WORD_STORE, word, false);
	__atomic_store_n(word, val, __ATOMIC_RELEASE);
}

static inline void mem_lock(struct mem *m, bool *lock)
{
	if (__builtin_expect(m->writer.id, 0))
		mem_observed_word(m, MEM_WORD_LOAD, lock, true);
	while (__atomic_exchange_n(lock, true, __ATOMIC_ACQUIRE))
		if (__builtin_expect(m->writer.id, 0))
			mem_observed_wait(m, lock);
}

static inline void mem_unlock(struct mem *m, bool *lock)
{
	if (__builtin_expect(m->writer.id, 0))
		mem_observed_word(m, MEM_WORD_STORE, lock, false);
	__atomic_store_n(lock, false, __ATOMIC_RELEASE);
}

/*
 * The device's side: replace old by val in the item at pa if it still holds old, as the hardware's accessed and dirty update does.
 * Returns whether it did.
 */
bool mem_device(struct mem *m, uint64_t pa, unsigned bytes_lg2, uint64_t old, uint64_t val);

#endif
