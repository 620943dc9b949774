/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mutate.h - changes traces in their own terms: one mutator for libFuzzer, AFL++ and hitless fuzz.
 *
 * An input is read as what it means and written back literally. So an operation that nothing happened to stays what it was, wherever one is put in
 * or taken out before it; a relative one would choose anew with every such change, and the rest of the input would be another. What no longer fits
 * where it stands (a cut of what is not mapped any more) is moved to where it does, with as little as possible changed (fit.h). Rounds of several
 * writers stay whole; one that may not run any more becomes single operations.
 *
 * All of it depends on the input and the seed, on nothing else.
 */
#ifndef HITLESS_MUTATE_H
#define HITLESS_MUTATE_H

#include <stddef.h>
#include <stdint.h>

#include "fit.h"
#include "gen.h"
#include "op.h"
#include "rng.h"
#include "trace_bin.h"

/* Operations of an input that are looked at; the rest is cut off. */
#define MUTATE_OPS_MAX 512

/*
 * struct mutate_item - an operation on its way.
 *
 * @how:  what it came to before (enum guess_how); of one that is new: GUESS_DONE
 * @edit: enum fit_edit: what is still to be done when its turn comes
 */
struct mutate_item {
	struct op op;
	uint8_t how, edit;
};

struct mutate_items {
	struct mutate_item *at;
	size_t nr, room;
};

/*
 * struct mutator - one of a process.
 *
 * @configs: lists the configurations of a format
 * @only:    NULL, or the format that every input is to have
 * @cfg:     of the input, not resolved, which is shorter to write; @resolved
 * @items, @others: operations of the input, and of the one that it is crossed with
 * @gen:     makes new operations, each time with a mix of its own, as in a domain of hitless fuzz
 * @to:      the result
 * @rounds:  set by mutator_init: operations may become rounds. Whoever has an engine that knows none clears it
 */
struct mutator {
	trace_configs_fn *configs;
	const char *only;
	struct rng rng;
	struct guess guess;
	struct fit fit;
	struct gen gen;
	struct config cfg, resolved;
	struct mutate_items items, others;
	struct trace to;
	bool rounds;
};

/* configs may be NULL: configurations stay what they are. configs and only are borrowed. mutator_release frees what was used; m may be used no more. */
void mutator_init(struct mutator *m, trace_configs_fn *configs, const char *only);
void mutator_release(struct mutator *m);

/*
 * mutate_trace - change m->items one to a few times, and what does not fit then, into m->to. m->cfg and m->resolved must be those of the items, and
 * may become others.
 */
void mutate_trace(struct mutator *m);

/*
 * mutate - buf, bytes long, becomes a neighbour of itself in the binary form, of at most max bytes, max being the room at buf. Returns its length;
 * 0 if max has no room for a trace.
 */
size_t mutate(struct mutator *m, uint8_t *buf, size_t bytes, size_t max, uint64_t seed);

/* mutate_cross - out, with room for max bytes, becomes one that has something of a, whose configuration it has, and of b. Returns its length, or 0. */
size_t mutate_cross(struct mutator *m, const uint8_t *a, size_t a_bytes, const uint8_t *b, size_t b_bytes, uint8_t *out, size_t max,
		    uint64_t seed);

/* mutate_read - what buf means: into m->cfg, m->resolved and *items. False: its configuration cannot be run; then there are no items. */
bool mutate_read(struct mutator *m, const uint8_t *buf, size_t bytes, struct mutate_items *items);

/* mutate_take - likewise, of operations that are no bytes. cfg may be resolved. */
bool mutate_take(struct mutator *m, const struct config *cfg, const struct op *ops, size_t nr, struct mutate_items *items);

/*
 * mutate_write - m->to in the binary form, in at most max bytes, operations left out from the end if they are too many. Returns the length, or 0.
 */
size_t mutate_write(struct mutator *m, uint8_t *buf, size_t max);

#endif
