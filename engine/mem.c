/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mem.c - simulated physical memory: the arena, its allocator and the observed half of the primitives.
 *
 * Freed tables are poisoned and go to the end of a queue of their size, so that a stale pointer finds poison for as long as possible.
 * Nothing here depends on host addresses: a run is reproducible bit by bit.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define MEM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEM_ASAN 1
#endif
#endif
#ifdef MEM_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum {
	MEM_POISON = 0xa5,
	MEM_CLASSES_NR = 12,    /* tables of 1 to 2048 frames */
	MEM_QUARANTINE_NR = 32, /* freed tables of a size that are kept back while there is fresh memory */
};

/* Freed tables of one size, oldest first, linked through mem.next. */
struct mem_class {
	uint32_t head, tail, nr;
};

static void *mem_reserve(uint64_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int mem_init(struct mem *m, uint64_t pa, uint64_t bytes, mem_fault_fn *fault, void *fault_arg)
{
	uint64_t frames = bytes >> MEM_FRAME_LG2;

	memset(m, 0, sizeof(*m));
	m->view.pa = pa;
	m->view.bytes_nr = bytes;
	m->view.bytes = mem_reserve(bytes);
	m->view.frames = mem_reserve(frames * sizeof(*m->view.frames));
	m->next = mem_reserve(frames * sizeof(*m->next));
	m->room_class = mem_reserve(frames);
	/* Every item of the arena may be stored to twice by one operation; what stores more makes no progress. */
	m->events_room = (1u << 20) + bytes / 4;
	m->view.events = mem_reserve(m->events_room * sizeof(*m->view.events));
	m->classes = calloc(MEM_CLASSES_NR, sizeof(*m->classes));
	m->budget = m->turn_at = UINT64_MAX;
	m->view.root = MEM_NONE;
	m->fault = fault;
	m->fault_arg = fault_arg;
	if (m->view.bytes && m->view.frames && m->next && m->room_class && m->view.events && m->classes)
		return 0;
	mem_release(m);
	return -ENOMEM;
}

void mem_release(struct mem *m)
{
	uint64_t frames = m->view.bytes_nr >> MEM_FRAME_LG2;

	if (m->view.bytes) {
		ASAN_UNPOISON_MEMORY_REGION(m->view.bytes, m->view.bytes_nr);
		munmap(m->view.bytes, m->view.bytes_nr);
	}
	if (m->view.frames)
		munmap(m->view.frames, frames * sizeof(*m->view.frames));
	if (m->next)
		munmap(m->next, frames * sizeof(*m->next));
	if (m->room_class)
		munmap(m->room_class, frames);
	if (m->view.events)
		munmap(m->view.events, m->events_room * sizeof(*m->view.events));
	free(m->classes);
	memset(m, 0, sizeof(*m));
}

void mem_reset(struct mem *m, uint64_t pa)
{
	ASAN_UNPOISON_MEMORY_REGION(m->view.bytes, m->bump);
	memset(m->view.frames, 0, (m->bump >> MEM_FRAME_LG2) * sizeof(*m->view.frames));
	memset(m->classes, 0, MEM_CLASSES_NR * sizeof(*m->classes));
	m->view.events_nr = 0;
	m->view.pa = pa;
	m->view.op = 0;
	m->view.live_nr = 0;
	m->view.root = MEM_NONE;
	/* The first frame stays unused, so that the first table is not aligned to the arena. */
	m->bump = UINT64_C(1) << MEM_FRAME_LG2;
	m->live_first = m->live_bytes = 0;
	mem_begin_op(m, UINT64_MAX, 0);
}

/* A freed table keeps its bytes until the operation that freed it has been looked at. */
static void mem_poison(struct mem *m, uint64_t pa, uint64_t bytes)
{
	memset(mem_host(m, pa), MEM_POISON, bytes);
	ASAN_POISON_MEMORY_REGION(mem_host(m, pa), bytes);
}

void mem_begin_op(struct mem *m, uint64_t budget, uint32_t fail_at)
{
	size_t i;

	for (i = 0; i < m->view.events_nr; i++)
		if (m->view.events[i].kind == MEM_FREE)
			mem_poison(m, m->view.events[i].pa, m->view.events[i].old);
	m->view.op++;
	m->view.events_nr = 0;
	m->plain = false;
	m->view.steps = 0;
	m->allocs = 0;
	m->attempts = 0;
	m->turn_at = UINT64_MAX;
	m->fail_at = fail_at;
	m->budget = budget;
	m->writer = (struct mem_writer){ 0 };
}

void mem_writer_begin(struct mem_writer *w, unsigned id, uint64_t budget, uint32_t fail_at)
{
	*w = (struct mem_writer){ .id = id, .switch_at = UINT64_MAX, .budget = budget, .fail_at = fail_at };
}

void mem_writer_change(struct mem *m, struct mem_writer *from, const struct mem_writer *to)
{
	if (from) {
		*from = m->writer;
		from->steps = m->view.steps;
		from->budget = m->budget;
		from->attempts = m->attempts;
		from->fail_at = m->fail_at;
		from->allocs = m->allocs;
	}
	m->live_bytes = 0;
	if (!to) {
		m->writer = (struct mem_writer){ 0 };
		return;
	}
	m->writer = *to;
	m->view.steps = to->steps;
	m->budget = to->budget;
	m->attempts = to->attempts;
	m->fail_at = to->fail_at;
	m->allocs = to->allocs;
}

void mem_observe(struct mem *m, bool on)
{
	m->observed = on;
	m->slow = on || (m->threads && m->threads->attempt);
}

void mem_share(struct mem *m, const struct mem_threads *threads, void *arg)
{
	m->threads = threads;
	m->threads_arg = arg;
	mem_observe(m, m->observed);
}

/*
 * The step from one old value to the next as a power of two: 0 for none, 64 if they do not belong together. No address in an entry begins below
 * bit 10 in any format; a smaller step, or one from zero, is something else than the next address.
 */
static unsigned mem_step_lg2(uint64_t from, uint64_t to)
{
	uint64_t step = to - from;

	if (!step)
		return 0;
	return !from || step & (step - 1) || step < 1 << 10 ? 64 : (unsigned)__builtin_ctzll(step);
}

/*
 * Make a relaxed store of 8 bytes part of the event before it, if that is one to the items just before it in the same table whose values, old and
 * new, go on. With nothing between the two, nothing tells in which order they came: a walk reads one item of a table. An engine that stores item by
 * item is looked at as fast as one that fills. Not for halves of items, which are 4 bytes.
 */
static bool mem_extend(struct mem *m, uint64_t pa, uint64_t old, uint64_t val)
{
	struct mem_event *last = m->view.events_nr ? &m->view.events[m->view.events_nr - 1] : NULL;
	unsigned step_lg2, old_step_lg2;

	if (!last || last->pa + ((uint64_t)last->nr << 3) != pa || last->pa < m->live_first || last->nr == UINT16_MAX ||
	    last->kind != MEM_STORE || last->order == MEM_RELEASE || last->bytes_lg2 != 3 || last->writer != m->writer.id)
		return false;
	if (last->nr == 1) {
		step_lg2 = mem_step_lg2(last->new, val);
		old_step_lg2 = mem_step_lg2(last->old, old);
		if (step_lg2 == 64 || old_step_lg2 == 64)
			return false;
		last->step_lg2 = (uint8_t)step_lg2;
		last->old_step_lg2 = (uint8_t)old_step_lg2;
	} else if (val != mem_event_new(last, last->nr) || old != mem_event_old(last, last->nr)) {
		return false;
	}
	last->nr++;
	return true;
}

void mem_plain_settle(struct mem *m)
{
	struct mem_event *ev;

	if (!m->plain)
		return;
	m->plain = false;
	ev = &m->view.events[--m->view.events_nr];
	ev->new = mem_view_load(&m->view, ev->pa, ev->bytes_lg2);
	if (ev->bytes_lg2 != 3 || !mem_extend(m, ev->pa, ev->old, ev->new))
		m->view.events_nr++;
}

void mem_fail(struct mem *m, enum mem_fault fault, uint64_t pa, const char *text)
{
	mem_plain_settle(m);
	m->fault(m->fault_arg, fault, pa, text);
	abort();
}

static void mem_log(struct mem *m, const struct mem_event *ev)
{
	if (m->plain)
		mem_plain_settle(m);
	if (m->view.events_nr == m->events_room)
		mem_fail(m, MEM_FAULT_LOG_FULL, MEM_NONE, "event log full");
	m->view.events[m->view.events_nr] = *ev;
	m->view.events[m->view.events_nr++].writer = (uint8_t)m->writer.id;
}

/* The primitive that comes now; of several writers another one may go first. */
static inline void mem_point(struct mem *m)
{
	if (__builtin_expect(!m->writer.id, 1))
		return;
	if (m->writer.points == m->writer.switch_at)
		m->change(m->change_arg, false);
	m->writer.points++;
}

void mem_observed_event(struct mem *m, enum mem_event_kind kind, uint64_t pa, uint64_t old, uint64_t val)
{
	mem_point(m);
	mem_log(m, &(struct mem_event){ .kind = kind, .nr = 1, .pa = pa, .old = old, .new = val });
}

void mem_observed_top(struct mem *m, uint64_t root, unsigned level)
{
	mem_point(m);
	m->view.root = root;
	m->view.root_level = level;
	mem_log(m, &(struct mem_event){ .kind = MEM_TOP, .nr = 1, .pa = root, .old = level });
}

void mem_observed_word(struct mem *m, enum mem_event_kind kind, const void *word, bool changes)
{
	mem_observed_event(m, kind, (uintptr_t)word, changes, 0);
}

void mem_observed_wait(struct mem *m, const void *word)
{
	if (++m->view.steps > m->budget)
		mem_fail(m, MEM_FAULT_BUDGET, MEM_NONE, "step budget used up while waiting for a lock");
	m->change(m->change_arg, true);
	mem_log(m, &(struct mem_event){ .kind = MEM_WORD_LOAD, .nr = 1, .pa = (uintptr_t)word, .old = 1 });
}

static void mem_lock_arena(struct mem *m)
{
	while (__atomic_exchange_n(&m->lock, 1, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&m->lock, __ATOMIC_RELAXED))
			;
}

static void mem_unlock_arena(struct mem *m)
{
	__atomic_store_n(&m->lock, 0, __ATOMIC_RELEASE);
}

static unsigned mem_class_of(uint64_t bytes)
{
	unsigned lg2 = 0;

	while ((UINT64_C(1) << (MEM_FRAME_LG2 + lg2)) < bytes)
		lg2++;
	return lg2;
}

/* Never-used memory at the end of the arena, aligned as asked and not by habit to more; false if there is none left. */
static bool mem_take_fresh(struct mem *m, uint64_t room, unsigned align_lg2, uint32_t *frame)
{
	uint64_t align = UINT64_C(1) << (align_lg2 > MEM_FRAME_LG2 ? align_lg2 : MEM_FRAME_LG2), at = (m->bump + align - 1) & ~(align - 1);

	if (at > m->view.bytes_nr || m->view.bytes_nr - at < room)
		return false;
	*frame = (uint32_t)(at >> MEM_FRAME_LG2);
	m->bump = at + room;
	return true;
}

/* The table of this class that was freed longest ago; not one freed by the operation that is running, nor one that is aligned to less. */
static bool mem_take_freed(struct mem *m, struct mem_class *c, unsigned align_lg2, uint32_t *frame)
{
	uint64_t pa = m->view.pa + ((uint64_t)c->head << MEM_FRAME_LG2);

	if (!c->nr || (m->view.frames[c->head].stamp == m->view.op && !m->threads) || (pa & ((UINT64_C(1) << align_lg2) - 1)))
		return false;
	*frame = c->head;
	c->head = m->next[c->head];
	c->nr--;
	return true;
}

static bool mem_take(struct mem *m, unsigned class, unsigned align_lg2, uint32_t *frame)
{
	struct mem_class *c = &m->classes[class];
	uint64_t room = UINT64_C(1) << (MEM_FRAME_LG2 + class);

	if (c->nr > MEM_QUARANTINE_NR && mem_take_freed(m, c, align_lg2, frame))
		return true;
	return mem_take_fresh(m, room, align_lg2, frame) || mem_take_freed(m, c, align_lg2, frame);
}

/* Whether this allocation or DMA mapping is not the one to fail. */
static bool mem_may_alloc(struct mem *m)
{
	return m->threads ? m->threads->may_alloc(m->threads_arg) : ++m->allocs != m->fail_at;
}

uint64_t mem_alloc(struct mem *m, uint32_t bytes, unsigned align_lg2)
{
	unsigned class = mem_class_of(bytes);
	uint32_t frame, tail;
	uint64_t pa;
	bool ok;

	mem_point(m);
	mem_lock_arena(m);
	ok = mem_may_alloc(m) && mem_take(m, class, align_lg2, &frame);
	if (ok) {
		struct mem_frame *f = &m->view.frames[frame];

		f->state = MEM_FRAME_LIVE;
		f->bytes = bytes;
		f->gen++;
		f->stamp = m->view.op;
		for (tail = 1; tail < (bytes + (1u << MEM_FRAME_LG2) - 1) >> MEM_FRAME_LG2; tail++) {
			f[tail].state = MEM_FRAME_TAIL;
			f[tail].bytes = tail;
		}
		m->room_class[frame] = class;
		m->view.live_nr++;
	}
	mem_unlock_arena(m);
	if (!ok) {
		if (m->observed)
			mem_log(m, &(struct mem_event){ .kind = MEM_ALLOC_FAIL, .nr = 1, .pa = MEM_NONE, .old = bytes });
		return MEM_NONE;
	}
	pa = m->view.pa + ((uint64_t)frame << MEM_FRAME_LG2);
	ASAN_UNPOISON_MEMORY_REGION(mem_host(m, pa), bytes);
	memset(mem_host(m, pa), 0, bytes);
	if (m->observed)
		mem_log(m, &(struct mem_event){ .kind = MEM_ALLOC, .nr = 1, .pa = pa, .old = bytes });
	return pa;
}

bool mem_dma_map(struct mem *m, uint64_t pa, uint32_t bytes)
{
	bool ok;

	mem_point(m);
	mem_lock_arena(m);
	ok = mem_may_alloc(m);
	mem_unlock_arena(m);
	if (m->observed)
		mem_log(m, &(struct mem_event){
				   .kind = ok ? MEM_DMA_MAP : MEM_ALLOC_FAIL, .nr = 1, .pa = ok ? pa : MEM_NONE, .old = bytes });
	return ok;
}

void mem_dma_unmap(struct mem *m, uint64_t pa, uint32_t bytes)
{
	if (m->observed)
		mem_observed_event(m, MEM_DMA_UNMAP, pa, bytes, 0);
}

void mem_free(struct mem *m, uint64_t pa)
{
	uint32_t frame = (uint32_t)((pa - m->view.pa) >> MEM_FRAME_LG2);
	struct mem_frame *f = &m->view.frames[frame];
	struct mem_class *c;

	mem_point(m);
	if (!mem_view_has(&m->view, pa, 1) || (pa & ((1u << MEM_FRAME_LG2) - 1)))
		mem_fail(m, MEM_FAULT_DOUBLE_FREE, pa, "free of an address that is no table");
	if (f->state != MEM_FRAME_LIVE)
		mem_fail(m, MEM_FAULT_DOUBLE_FREE, pa,
			 f->state == MEM_FRAME_FREED ? "table freed twice" : "free of an address that is no table");
	if (m->threads && m->threads->keep(m->threads_arg, pa))
		return;
	if (m->observed)
		mem_log(m, &(struct mem_event){ .kind = MEM_FREE, .nr = 1, .pa = pa, .old = f->bytes });
	else
		mem_poison(m, pa, f->bytes);
	mem_lock_arena(m);
	f->state = MEM_FRAME_FREED;
	f->stamp = m->view.op;
	m->live_bytes = 0;
	m->view.live_nr--;
	/* The queue is the class of the room that was taken: alignment may have made it larger than the table. */
	c = &m->classes[m->room_class[frame]];
	if (c->nr++)
		m->next[c->tail] = frame;
	else
		c->head = frame;
	c->tail = frame;
	mem_unlock_arena(m);
}

/* Slow half of mem_check: find the table that holds [pa, pa + bytes) and remember its extent, or fail. */
static __attribute__((noinline)) void mem_check_frame(struct mem *m, uint64_t pa, unsigned bytes, unsigned align, enum mem_fault wild)
{
	const struct mem_frame *f;
	uint64_t at = pa - m->view.pa;

	mem_point(m);
	if (!mem_view_has(&m->view, pa, bytes) || (pa & (align - 1)))
		mem_fail(m, wild, pa, "outside every table, or misaligned");
	f = mem_view_frame(&m->view, pa);
	at &= ~((UINT64_C(1) << MEM_FRAME_LG2) - 1);
	if (f->state == MEM_FRAME_TAIL) {
		at -= (uint64_t)f->bytes << MEM_FRAME_LG2;
		f -= f->bytes;
	}
	if (f->state == MEM_FRAME_FREED)
		mem_fail(m, MEM_FAULT_USE_AFTER_FREE, pa, "in a freed table");
	if (f->state != MEM_FRAME_LIVE || pa - m->view.pa - at + bytes > f->bytes)
		mem_fail(m, wild, pa, "outside every table");
	m->live_first = m->view.pa + at;
	m->live_bytes = m->writer.id ? 0 : f->bytes;
}

/* Count nr steps and make sure that [pa, pa + bytes) is aligned and lies in a live table. */
static void mem_check(struct mem *m, uint64_t pa, unsigned bytes, unsigned align, unsigned nr, enum mem_fault wild)
{
	if (m->plain)
		mem_plain_settle(m);
	m->view.steps += nr;
	if (m->view.steps > m->budget)
		mem_fail(m, MEM_FAULT_BUDGET, pa, "step budget used up");
	if (pa - m->live_first >= m->live_bytes || pa - m->live_first + bytes > m->live_bytes || (pa & (align - 1)))
		mem_check_frame(m, pa, bytes, align, wild);
}

/* The attempt that comes now; the device goes first if it is its turn. */
static inline void mem_attempt(struct mem *m)
{
	if (__builtin_expect(m->attempts == m->turn_at, 0))
		m->turn(m->turn_arg);
	m->attempts++;
}

/* Not observed, but with something to do before each store: the long way of an arena that threads share. */
static __attribute__((noinline, cold)) void mem_shared_fill(struct mem *m, uint64_t pa, unsigned bytes_lg2, unsigned nr, uint64_t val,
							    uint64_t step, int order)
{
	for (; nr; nr--, pa += 1u << bytes_lg2, val += step) {
		m->threads->attempt(m->threads_arg);
		mem_raw_store(m, pa, bytes_lg2, val, order);
	}
}

static __attribute__((noinline, cold)) bool mem_shared_cas(struct mem *m, uint64_t pa, unsigned bytes_lg2, uint64_t *old, uint64_t val)
{
	m->threads->attempt(m->threads_arg);
	return mem_raw_cas(m, pa, bytes_lg2, old, val);
}

uint64_t mem_observed_load(struct mem *m, uint64_t pa, unsigned bytes_lg2)
{
	uint64_t val;

	mem_check(m, pa, 1u << bytes_lg2, 1u << bytes_lg2, 1, MEM_FAULT_WILD_LOAD);
	val = mem_view_load(&m->view, pa, bytes_lg2);
	if (m->writer.id)
		mem_log(m, &(struct mem_event){ .kind = MEM_LOAD, .bytes_lg2 = (uint8_t)bytes_lg2, .nr = 1, .pa = pa, .new = val });
	return val;
}

void mem_observed_store(struct mem *m, uint64_t pa, unsigned bytes_lg2, uint64_t val, enum mem_order order)
{
	uint64_t old;

	if (__builtin_expect(!m->observed, 0)) {
		mem_shared_fill(m, pa, bytes_lg2, 1, val, 0, order == MEM_RELEASE ? __ATOMIC_RELEASE : __ATOMIC_RELAXED);
		return;
	}
	mem_check(m, pa, 1u << bytes_lg2, 1u << bytes_lg2, 1, MEM_FAULT_WILD_STORE);
	mem_attempt(m);
	old = mem_view_load(&m->view, pa, bytes_lg2);
	mem_raw_store(m, pa, bytes_lg2, val, __ATOMIC_RELEASE);
	if (order != MEM_RELAXED || bytes_lg2 != 3 || !mem_extend(m, pa, old, val))
		mem_log(m, &(struct mem_event){
				   .kind = MEM_STORE, .order = order, .bytes_lg2 = bytes_lg2, .nr = 1, .pa = pa, .old = old, .new = val });
}

static bool mem_cas_logged(struct mem *m, uint64_t pa, unsigned bytes_lg2, uint64_t *old, uint64_t val, enum mem_event_kind kind,
			   enum mem_order order)
{
	struct mem_event ev = { .kind = kind, .order = order, .bytes_lg2 = bytes_lg2, .nr = 1, .pa = pa, .old = *old, .new = val };

	if (__builtin_expect(!m->observed, 0))
		return mem_shared_cas(m, pa, bytes_lg2, old, val);
	mem_check(m, pa, 1u << bytes_lg2, 1u << bytes_lg2, 1, MEM_FAULT_WILD_STORE);
	mem_attempt(m);
	if (!mem_raw_cas(m, pa, bytes_lg2, old, val)) {
		if (m->writer.id)
			mem_log(m, &(struct mem_event){
					   .kind = MEM_LOAD, .order = MEM_RELEASE, .bytes_lg2 = (uint8_t)bytes_lg2, .nr = 1, .pa = pa, .new = *old });
		return false;
	}
	mem_log(m, &ev);
	return true;
}

bool mem_observed_cas(struct mem *m, uint64_t pa, unsigned bytes_lg2, uint64_t *old, uint64_t val)
{
	return mem_cas_logged(m, pa, bytes_lg2, old, val, MEM_CAS, MEM_RELEASE);
}

bool mem_observed_cas_weaker(struct mem *m, uint64_t pa, unsigned bytes_lg2, uint64_t *old, uint64_t val, enum mem_order order)
{
	return mem_cas_logged(m, pa, bytes_lg2, old, val, MEM_STORE, order);
}

void mem_plain_store(struct mem *m, uint64_t pa, unsigned bytes_lg2)
{
	struct mem_event ev = { .kind = MEM_STORE, .order = MEM_RELAXED, .bytes_lg2 = bytes_lg2, .nr = 1, .pa = pa };

	mem_check(m, pa, 1u << bytes_lg2, 1u << bytes_lg2, 1, MEM_FAULT_WILD_STORE);
	mem_attempt(m);
	ev.old = ev.new = mem_view_load(&m->view, pa, bytes_lg2);
	mem_log(m, &ev);
	m->plain = true;
}

/*
 * Store items of one size as long as what they held goes on by old_step; nr at least 1, at most 65,535. Returns how many were stored.
 * Inlined with a constant size.
 */
static inline __attribute__((always_inline)) unsigned mem_fill_run(void *host, const unsigned bytes_lg2, unsigned nr, uint64_t val,
								   uint64_t step, uint64_t old, uint64_t old_step)
{
	uint32_t *host32 = host;
	uint64_t *host64 = host;
	unsigned i;

	for (i = 0; i < nr; i++, val += step, old += old_step) {
		if (bytes_lg2 == 2) {
			if (host32[i] != (uint32_t)old)
				break;
			__atomic_store_n(&host32[i], (uint32_t)val, __ATOMIC_RELAXED);
		} else {
			if (host64[i] != old)
				break;
			__atomic_store_n(&host64[i], val, __ATOMIC_RELAXED);
		}
	}
	return i;
}

void mem_observed_fill(struct mem *m, uint64_t pa, unsigned bytes_lg2, unsigned nr, uint64_t val, unsigned step_lg2)
{
	uint64_t step = step_lg2 ? UINT64_C(1) << step_lg2 : 0, item = UINT64_C(1) << bytes_lg2;
	uint8_t order = MEM_RELAXED;

	if (__builtin_expect(!m->observed, 0)) {
		mem_shared_fill(m, pa, bytes_lg2, nr, val, step, __ATOMIC_RELAXED);
		return;
	}
	mem_check(m, pa, nr << bytes_lg2, 1u << bytes_lg2, nr, MEM_FAULT_WILD_STORE);
	/* One event for each run of items whose old values follow each other by one step. */
	while (nr) {
		struct mem_event ev = {
			.kind = MEM_STORE, .order = order, .bytes_lg2 = (uint8_t)bytes_lg2, .step_lg2 = (uint8_t)step_lg2, .pa = pa, .new = val
		};
		unsigned run = nr < UINT16_MAX ? nr : UINT16_MAX, old_step_lg2 = 64;
		uint64_t old_step;

		if (m->attempts == m->turn_at)
			m->turn(m->turn_arg);
		if (run > m->turn_at - m->attempts)
			run = (unsigned)(m->turn_at - m->attempts);
		ev.old = mem_view_load(&m->view, pa, bytes_lg2);
		if (run > 1)
			old_step_lg2 = mem_step_lg2(ev.old, mem_view_load(&m->view, pa + item, bytes_lg2));
		if (old_step_lg2 == 64) {
			old_step_lg2 = 0;
			run = 1;
		}
		old_step = old_step_lg2 ? UINT64_C(1) << old_step_lg2 : 0;
		if (bytes_lg2 == 2)
			run = mem_fill_run(mem_host(m, pa), 2, run, val, step, ev.old, old_step);
		else
			run = mem_fill_run(mem_host(m, pa), 3, run, val, step, ev.old, old_step);
		ev.old_step_lg2 = (uint8_t)(run > 1 ? old_step_lg2 : 0);
		ev.nr = (uint16_t)run;
		mem_log(m, &ev);
		order = MEM_JOINED;
		m->attempts += run;
		nr -= run;
		pa += run * item;
		val += run * step;
	}
}

bool mem_device(struct mem *m, uint64_t pa, unsigned bytes_lg2, uint64_t old, uint64_t val)
{
	uint64_t expected = old;

	mem_plain_settle(m);
	if (!mem_raw_cas(m, pa, bytes_lg2, &expected, val))
		return false;
	if (m->observed)
		mem_log(m, &(struct mem_event){ .kind = MEM_DEVICE, .bytes_lg2 = bytes_lg2, .nr = 1, .pa = pa, .old = old, .new = val });
	return true;
}
