/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_memory.h - stands in for the kernel's headers of memory: every access to table memory goes through mem.
 *
 * A host pointer into the arena is what the kernel calls a virtual address of a table; physical addresses are the arena's. An access
 * through READ_ONCE, WRITE_ONCE and the like to the arena is a load or store of table memory and is logged, one to anywhere else is an
 * ordinary one. What the kernel's code does to table memory without these is seen where the compiler announces it (LINUX_PLAIN, see
 * linux_plain.c), and not elsewhere: tests/test_shadow.c compares memory with the log.
 */
#ifndef HITLESS_KERNEL_MEMORY_H
#define HITLESS_KERNEL_MEMORY_H

#include "../mem.h"
#include "kernel_base.h"

/* The memory of the domain that is being called. Set by the adapter on the way in. */
extern struct mem *linux_mem;
/* The memory encryption bit of table and page addresses, as a mask; 0: none. */
extern u64 linux_cbit;

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define GFP_KERNEL 0u
#define __GFP_HIGHMEM 2u
#define GFP_DMA 4u
#define GFP_DMA32 8u
#define __GFP_ZERO 16u
#define NUMA_NO_NODE (-1)

/* --- addresses --- */

static inline u64 linux_offset(const volatile void *virt)
{
	return (u64)((uintptr_t)virt - (uintptr_t)linux_mem->view.bytes);
}

static inline bool linux_is_table(const volatile void *virt)
{
	return linux_offset(virt) < linux_mem->view.bytes_nr;
}

static inline phys_addr_t linux_pa(const volatile void *virt)
{
	return linux_mem->view.pa + linux_offset(virt);
}

static inline phys_addr_t virt_to_phys(const volatile void *virt)
{
	if (unlikely(!linux_is_table(virt)))
		mem_fail(linux_mem, MEM_FAULT_INVARIANT, MEM_NONE, "virt_to_phys of memory that is no table");
	return linux_pa(virt);
}

/* Where there is no memory: an address that no access gets past unnoticed, and that keeps what it was made of. */
#define LINUX_NOWHERE (UINT64_C(1) << 63)

/*
 * A table pointer that leads out of memory is found here: the kernel would read from an address that does not exist. Code whose every access
 * is announced may hold one that it does not follow.
 */
static inline void *phys_to_virt(phys_addr_t pa)
{
	if (unlikely(!mem_view_has(&linux_mem->view, pa, 1))) {
#ifdef LINUX_PLAIN
		return (void *)(uintptr_t)(LINUX_NOWHERE | pa);
#else
		mem_fail(linux_mem, MEM_FAULT_WILD_LOAD, pa, "outside every table");
#endif
	}
	return linux_mem->view.bytes + (pa - linux_mem->view.pa);
}

#define __va(pa) phys_to_virt(pa)
#define __pa(virt) virt_to_phys(virt)
#define __sme_set(x) ((x) | linux_cbit)
#define __sme_clr(x) ((x) & ~linux_cbit)

/* --- loads and stores --- */

void linux_bad_access(const volatile void *virt) __attribute__((noreturn, cold));

static __always_inline u64 linux_read(const volatile void *p, size_t bytes)
{
	if (linux_is_table(p)) {
		if (bytes != 4 && bytes != 8)
			linux_bad_access(p);
		return mem_load(linux_mem, linux_pa(p), bytes == 4 ? 2 : 3);
	}
	switch (bytes) {
	case 1:
		return *(const volatile u8 *)p;
	case 2:
		return *(const volatile u16 *)p;
	case 4:
		return *(const volatile u32 *)p;
	default:
		return *(const volatile u64 *)p;
	}
}

static __always_inline void linux_write(volatile void *p, size_t bytes, u64 val, enum mem_order order)
{
	if (linux_is_table(p)) {
		if (bytes != 4 && bytes != 8)
			linux_bad_access(p);
		mem_store(linux_mem, linux_pa(p), bytes == 4 ? 2 : 3, val, order);
		return;
	}
	switch (bytes) {
	case 1:
		__atomic_store_n((volatile u8 *)p, (u8)val, __ATOMIC_RELEASE);
		break;
	case 2:
		__atomic_store_n((volatile u16 *)p, (u16)val, __ATOMIC_RELEASE);
		break;
	case 4:
		__atomic_store_n((volatile u32 *)p, (u32)val, __ATOMIC_RELEASE);
		break;
	default:
		__atomic_store_n((volatile u64 *)p, val, __ATOMIC_RELEASE);
	}
}

/* What a compare-exchange that succeeds is besides: a barrier on both sides, a release, or nothing. */
enum linux_cas_order { LINUX_FULL, LINUX_RELEASE, LINUX_RELAXED };

/* Replace *old by val at p; *old is what is there if that fails. */
static __always_inline bool linux_cas(volatile void *p, size_t bytes, u64 *old, u64 val, enum linux_cas_order how)
{
	u64 was = *old;

	if (linux_is_table(p)) {
		uint64_t seen = was;
		bool ok;

		if (bytes != 4 && bytes != 8)
			linux_bad_access(p);
		ok = how == LINUX_FULL ? mem_cas(linux_mem, linux_pa(p), bytes == 4 ? 2 : 3, &seen, val)
				       : mem_cas_weaker(linux_mem, linux_pa(p), bytes == 4 ? 2 : 3, &seen, val,
							how == LINUX_RELEASE ? MEM_RELEASE : MEM_RELAXED);
		*old = seen;
		return ok;
	}
	if (bytes == 4) {
		u32 seen = (u32)was;
		bool ok = __atomic_compare_exchange_n((volatile u32 *)p, &seen, (u32)val, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);

		*old = seen;
		return ok;
	}
	return __atomic_compare_exchange_n((volatile u64 *)p, old, val, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/*
 * Between an access of these and one that the compiler announces nothing else may be announced: there they are called, not inlined. They are
 * linux_plain.c's.
 */
#ifdef LINUX_PLAIN
u64 linux_plain_read(const volatile void *p, size_t bytes);
void linux_plain_write(volatile void *p, size_t bytes, u64 val, enum mem_order order);
bool linux_plain_cas(volatile void *p, size_t bytes, u64 *old, u64 val, enum linux_cas_order how);
void linux_plain_fence(void);
#define linux_read linux_plain_read
#define linux_write linux_plain_write
#define linux_cas linux_plain_cas
#define linux_fence linux_plain_fence
#else
#define linux_fence() mem_fence(linux_mem)
#endif

#define READ_ONCE(x) ((typeof(x))linux_read(&(x), sizeof(x)))
#define WRITE_ONCE(x, val) linux_write(&(x), sizeof(x), (u64)(typeof(x))(val), MEM_RELAXED)
#define smp_load_acquire(p) READ_ONCE(*(p))
#define smp_store_release(p, val) linux_write((p), sizeof(*(p)), (u64)(typeof(*(p)))(val), MEM_RELEASE)

#define LINUX_TRY_CMPXCHG(p, oldp, val, how)                                     \
	({                                                                       \
		__auto_type oldp_ = (oldp);                                      \
		u64 old_ = *oldp_;                                               \
		bool ok_ = linux_cas((p), sizeof(*(p)), &old_, (u64)(val), how); \
		*oldp_ = (typeof(*oldp_))old_;                                   \
		ok_;                                                             \
	})
#define try_cmpxchg(p, oldp, val) LINUX_TRY_CMPXCHG(p, oldp, val, LINUX_FULL)
#define try_cmpxchg64(p, oldp, val) LINUX_TRY_CMPXCHG(p, oldp, val, LINUX_FULL)
#define try_cmpxchg_release(p, oldp, val) LINUX_TRY_CMPXCHG(p, oldp, val, LINUX_RELEASE)
#define try_cmpxchg64_release(p, oldp, val) LINUX_TRY_CMPXCHG(p, oldp, val, LINUX_RELEASE)
#define try_cmpxchg_relaxed(p, oldp, val) LINUX_TRY_CMPXCHG(p, oldp, val, LINUX_RELAXED)
#define try_cmpxchg64_relaxed(p, oldp, val) LINUX_TRY_CMPXCHG(p, oldp, val, LINUX_RELAXED)
#define LINUX_CMPXCHG(p, old, val, how)                                \
	({                                                             \
		u64 seen_ = (u64)(old);                                \
		linux_cas((p), sizeof(*(p)), &seen_, (u64)(val), how); \
		(typeof(*(p)))seen_;                                   \
	})
#define cmpxchg(p, old, val) LINUX_CMPXCHG(p, old, val, LINUX_FULL)
#define cmpxchg64(p, old, val) LINUX_CMPXCHG(p, old, val, LINUX_FULL)
#define cmpxchg64_release(p, old, val) LINUX_CMPXCHG(p, old, val, LINUX_RELEASE)
#define cmpxchg_relaxed(p, old, val) LINUX_CMPXCHG(p, old, val, LINUX_RELAXED)
#define cmpxchg64_relaxed(p, old, val) LINUX_CMPXCHG(p, old, val, LINUX_RELAXED)

/* Atomic, and ordered with nothing. */
static inline void set_bit(unsigned nr, volatile unsigned long *word)
{
	u64 old = linux_read(word, sizeof(*word));

	while (!linux_cas(word, sizeof(*word), &old, old | BIT_ULL(nr), LINUX_RELAXED))
		;
}

static inline void memset64(u64 *p, u64 val, size_t nr)
{
	if (linux_is_table(p)) {
		mem_fill(linux_mem, linux_pa(p), 3, (unsigned)nr, val, 0);
		return;
	}
	for (; nr; nr--)
		*p++ = val;
}

static inline void memset32(u32 *p, u32 val, size_t nr)
{
	if (linux_is_table(p)) {
		mem_fill(linux_mem, linux_pa(p), 2, (unsigned)nr, val, 0);
		return;
	}
	for (; nr; nr--)
		*p++ = val;
}

#define smp_mb() linux_fence()
#define smp_wmb() linux_fence()
#define smp_rmb() linux_fence()
#define mb() linux_fence()
#define wmb() linux_fence()
#define dma_wmb() linux_fence()

/* --- pages: what the kernel keeps beside a page lies beside the arena --- */

struct folio;
struct device {
	int unused;
};

struct folio *virt_to_folio(const void *virt);
#define dev_to_node(dev) ((void)(dev), NUMA_NO_NODE)

/* --- devices that do not snoop the caches --- */

enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE };

/* Writes back the bytes that were asked for, never the rest of a cache line: what is not asked for is not relied on. */
static inline void clflush_cache_range(void *virt, unsigned int bytes)
{
	if (bytes)
		mem_flush(linux_mem, virt_to_phys(virt), bytes);
}

static inline void dma_sync_single_for_device(struct device *dev, dma_addr_t pa, size_t bytes, enum dma_data_direction direction)
{
	(void)dev;
	(void)direction;
	if (bytes)
		mem_flush(linux_mem, pa, bytes);
}

/* Makes a table reachable and writes it back; in linux_pages.c. 0: it cannot be, which is no table's address. */
dma_addr_t dma_map_single(struct device *dev, void *virt, size_t bytes, enum dma_data_direction direction);
void dma_unmap_single(struct device *dev, dma_addr_t pa, size_t bytes, enum dma_data_direction direction);
#define dma_mapping_error(dev, pa) ((void)(dev), !(pa))

/* --- the kernel's other allocators: of whole pages, of tables of one size (linux_pages.c), of memory for everything else (linux_host.c) --- */

typedef unsigned int slab_flags_t;
struct kmem_cache;

#define SLAB_CACHE_DMA 1u
#define SLAB_CACHE_DMA32 2u
#define kmemleak_ignore(ptr) ((void)(ptr))

unsigned int get_order(unsigned long bytes);
unsigned long __get_free_pages(gfp_t gfp, unsigned int order);
void free_pages(unsigned long virt, unsigned int order);
struct kmem_cache *kmem_cache_create(const char *name, unsigned int bytes, unsigned int align, slab_flags_t flags, void (*ctor)(void *));
void kmem_cache_destroy(struct kmem_cache *cache);
void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp);
void kmem_cache_free(struct kmem_cache *cache, void *table);

/* Not table memory, and never refused: what becomes of a domain that cannot be made is not looked at. */
void *linux_kmalloc(size_t bytes, bool zeroed);
void kfree(const void *ptr);
#define kmalloc_obj(obj) ((typeof(obj) *)linux_kmalloc(sizeof(obj), false))
#define kzalloc_obj(obj) ((typeof(obj) *)linux_kmalloc(sizeof(obj), true))

#endif
