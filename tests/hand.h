/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hand.h - operations made by hand: a domain of a tiny geometry, items of its format, and what walks in flight may come to according to
 * explore_each and to brute_walk. No encoder: items are those that the engine made, with an address put in and held against the decoder.
 */
#ifndef HITLESS_HAND_H
#define HITLESS_HAND_H

#include "../fuzzers/exec.h"
#include "brute.h"

#define HAND_GRANULES_MAX 256
#define HAND_LEAVES_MAX 96

/* One item of a leaf; of a group, each is listed. */
struct hand_leaf {
	unsigned level;
	uint64_t raw;
};

/*
 * struct hand - a configuration, and at times a domain of it.
 *
 * @text:   the configuration
 * @leaves: items of leaves of every size, of several permissions and oas
 * @pointer: an item that points to the table @pointer_pa; 0 if the engine never made one
 * @granules: the iova of each granule
 * @older, @older_nr: see struct brute
 */
struct hand {
	const char *text;
	struct exec x;
	struct config cfg;
	struct hand_leaf leaves[HAND_LEAVES_MAX];
	unsigned leaves_nr;
	uint64_t pointer, pointer_pa;
	uint64_t granules[HAND_GRANULES_MAX];
	unsigned granules_nr;
	struct brute_older older[4];
	size_t older_nr;
};

/* hand_init - learn the items of a configuration. Fails the running test if there is no such configuration, as all of these do. */
void hand_init(struct hand *h, const char *text, exec_finding_fn *finding, void *arg);
void hand_release(struct hand *h);

/* hand_open - an empty domain, the same one each time; ends with exec_abandon(&h->x). */
void hand_open(struct hand *h);

/* Run an operation under the oracle. */
enum exec_status hand_run(struct hand *h, enum op_kind kind, uint64_t iova, uint64_t last, uint64_t oa, unsigned prot);

/* A table of a level as the engine would allocate it, and within the device's reach. */
uint64_t hand_alloc(struct hand *h, unsigned level);
void hand_free(struct hand *h, uint64_t pa);

/* Address of the slot of a table of a level that translates iova. */
uint64_t hand_slot(const struct hand *h, unsigned level, uint64_t table, uint64_t iova);

/* An item at level that points to a table at pa one level below; 0 if the format has no such item. */
uint64_t hand_pointer(const struct hand *h, unsigned level, uint64_t pa);

/*
 * What the walks of each granule may come to, by brute force, and what explore_each says of them. Both have h->granules_nr sets. The log is
 * that of the operation, root and level what the device walked before it.
 */
void hand_brute(struct hand *h, uint64_t root, unsigned level, struct brute_set *sets);
void hand_explore(struct hand *h, struct brute_set *sets);

/* The log, in a form for people. */
void hand_print_log(const struct hand *h);
void hand_print_set(const char *name, const struct brute_set *set);

#endif
