/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_base.h - stands in for the kernel's basic headers: types, bits, arithmetic, lists, errors, warnings.
 *
 * Written from what the kernel's page-table code calls, not from the kernel's headers: names and meanings are its, the text is ours.
 * Nothing here touches table memory. A file of the kernel that needs a name which is missing fails to compile and says which.
 */
#ifndef HITLESS_KERNEL_BASE_H
#define HITLESS_KERNEL_BASE_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef long long s64;
typedef u64 phys_addr_t;
typedef u64 dma_addr_t;
typedef unsigned int gfp_t;
typedef unsigned long pgoff_t;
typedef struct {
	int counter;
} atomic_t;

#define U8_MAX UINT8_MAX
#define U16_MAX UINT16_MAX
#define U32_MAX UINT32_MAX
#define U64_MAX (~0ULL)

/* --- what the compiler is told --- */

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define __maybe_unused __attribute__((unused))
#define __cleanup(fn) __attribute__((__cleanup__(fn)))
#define __must_check
#define __user
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define static_assert(expr, ...) _Static_assert(expr, #expr)
#define BUILD_BUG_ON(cond) _Static_assert(!(cond), #cond)
/* Such a call is to be removed as unreachable; without optimisation it is there, and must not be reached. */
#define BUILD_BUG() linux_unreachable(__func__)
#define fallthrough __attribute__((__fallthrough__))

#define __stringify_1(...) #__VA_ARGS__
#define __stringify(...) __stringify_1(__VA_ARGS__)
#define __CONCAT_2(a, b) a##b
#define CONCATENATE(a, b) __CONCAT_2(a, b)

/* 1 where the option is defined as 1, else 0; also in #if. */
#define LINUX_ON_1 unused,
#define LINUX_ON_SECOND(first, second, ...) second
#define LINUX_ON_PICK(maybe_comma) LINUX_ON_SECOND(maybe_comma 1, 0, 0)
#define LINUX_ON_JOIN(value) LINUX_ON_PICK(LINUX_ON_##value)
#define IS_ENABLED(option) LINUX_ON_JOIN(option)

#define EXPORT_SYMBOL(name)
#define EXPORT_SYMBOL_GPL(name)
#define EXPORT_SYMBOL_NS_GPL(name, ns)
#define MODULE_LICENSE(text) struct linux_module
#define MODULE_DESCRIPTION(text) struct linux_module
#define MODULE_IMPORT_NS(text) struct linux_module

/* --- warnings --- */

/*
 * The kernel's code says that something must not be: reported as a broken invariant. With linux_warn_goes_on it was handed what its callers
 * must not pass, and says so: it goes on, as in the kernel, and what it does then counts.
 */
extern bool linux_warn_goes_on;
void linux_warn(const char *what, const char *file, int line) __attribute__((cold));
void linux_unreachable(const char *where) __attribute__((noreturn, cold));

#define WARN_ON(cond)                                           \
	({                                                      \
		bool warn_ = !!(cond);                          \
		if (unlikely(warn_))                            \
			linux_warn(#cond, __FILE__, __LINE__);  \
		warn_;                                          \
	})
#define WARN_ON_ONCE(cond) WARN_ON(cond)
#define WARN_ONCE(cond, ...) WARN_ON(cond)
#define WARN(cond, ...) WARN_ON(cond)
#define BUG_ON(cond) ((void)WARN_ON(cond))
#define pr_err(...) ((void)0)
#define pr_err_ratelimited(...) ((void)0)
#define dev_err(dev, ...) ((void)(dev))

/* --- bits --- */

#define BITS_PER_LONG 64
#define BITS_PER_LONG_LONG 64
#define BIT(nr) (1UL << (nr))
#define BIT_ULL(nr) (1ULL << (nr))
#define GENMASK(high, low) ((~0UL >> (63 - (high))) & (~0UL << (low)))
#define GENMASK_ULL(high, low) ((~0ULL >> (63 - (high))) & (~0ULL << (low)))

#define __bf_shf(mask) __builtin_ctzll(mask)
#define FIELD_PREP(mask, val) (((u64)(val) << __bf_shf(mask)) & (u64)(mask))
#define FIELD_GET(mask, reg) (((u64)(reg) & (u64)(mask)) >> __bf_shf(mask))

static inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

static inline int fls(unsigned int x)
{
	return fls64(x);
}

static inline unsigned long __ffs64(u64 x)
{
	return (unsigned long)__builtin_ctzll(x);
}

static inline unsigned long __ffs(unsigned long x)
{
	return (unsigned long)__builtin_ctzl(x);
}

static inline unsigned long __fls(unsigned long x)
{
	return 63 - (unsigned long)__builtin_clzl(x);
}

static inline int ffs64(u64 x)
{
	return __builtin_ffsll((long long)x);
}

static inline unsigned long ffz(unsigned long x)
{
	return __ffs(~x);
}

#define ilog2(n) (63 - __builtin_clzll(n))

/* --- arithmetic --- */

#define min(a, b)                                                      \
	({                                                             \
		__auto_type min_a_ = (a);                              \
		__auto_type min_b_ = (b);                              \
		(u64) min_a_ < (u64)min_b_ ? min_a_ : min_b_;          \
	})
#define max(a, b)                                                      \
	({                                                             \
		__auto_type max_a_ = (a);                              \
		__auto_type max_b_ = (b);                              \
		(u64) max_a_ > (u64)max_b_ ? max_a_ : max_b_;          \
	})
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define max_t(type, a, b) ((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define check_add_overflow(a, b, sum) __builtin_add_overflow(a, b, sum)
#define check_sub_overflow(a, b, difference) __builtin_sub_overflow(a, b, difference)

#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define upper_32_bits(n) ((u32)((u64)(n) >> 32))

#define SZ_4K 0x1000
#define SZ_16K 0x4000
#define SZ_64K 0x10000
#define SZ_1M 0x100000
#define SZ_2M 0x200000
#define SZ_16M 0x1000000
#define SZ_32M 0x2000000
#define SZ_512M 0x20000000
#define SZ_1G 0x40000000
#define SZ_512G 0x8000000000ULL

/* --- structures --- */

#undef offsetof
#define offsetof(type, member) __builtin_offsetof(type, member)
#define container_of(ptr, type, member) ((type *)((char *)(uintptr_t)(ptr) - offsetof(type, member)))
#define container_of_const(ptr, type, member) container_of(ptr, type, member)
/* Everything of *obj behind the member. */
#define memset_after(obj, value, member)                                                                       \
	memset((char *)(obj) + offsetof(typeof(*(obj)), member) + sizeof((obj)->member), value,                \
	       sizeof(*(obj)) - offsetof(typeof(*(obj)), member) - sizeof((obj)->member))

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name) { &(name), &(name) }

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list->prev = list;
}

static inline bool list_empty(const struct list_head *list)
{
	return list->next == list;
}

static inline void list_add_tail(struct list_head *item, struct list_head *list)
{
	item->next = list;
	item->prev = list->prev;
	list->prev->next = item;
	list->prev = item;
}

/* What is on the list goes before what is on onto; the list is then to be made anew. */
static inline void list_splice(const struct list_head *list, struct list_head *onto)
{
	if (list_empty(list))
		return;
	list->prev->next = onto->next;
	onto->next->prev = list->prev;
	list->next->prev = onto;
	onto->next = list->next;
}

#define list_for_each_entry(pos, list, member)                                                            \
	for (pos = container_of((list)->next, typeof(*pos), member); &pos->member != (list);              \
	     pos = container_of(pos->member.next, typeof(*pos), member))

/* --- errors in pointers --- */

#define LINUX_ERRNO_MAX 4095

static inline void *ERR_PTR(long error)
{
	return (void *)error;
}

static inline long PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
	return (unsigned long)ptr >= (unsigned long)-LINUX_ERRNO_MAX;
}

/* --- locks: a bit to spin on --- */

typedef struct {
	int held;
} spinlock_t;

static inline void linux_spin_lock(spinlock_t *lock)
{
	while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
		;
}

static inline void spin_unlock(spinlock_t *lock)
{
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

#define spin_lock(lock) linux_spin_lock(lock)
#define spin_lock_irqsave(lock, flags) ((void)((flags) = 0), linux_spin_lock(lock))
#define spin_unlock_irqrestore(lock, flags) ((void)(flags), spin_unlock(lock))

#endif
