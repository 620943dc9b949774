/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec.h - runs operations on an engine under the oracle: one domain at a time.
 *
 * Whatever is found ends the domain: the hook that is given a verdict does not return to the operation.
 */
#ifndef HITLESS_EXEC_H
#define HITLESS_EXEC_H

#include <stdint.h>

#include "../engine/engine.h"
#include "../oracle/check.h"
#include "op.h"

/*
 * Told about a finding; must not return. The exec is as the failing operation left it; op is NULL while the domain is made, swept or torn
 * down.
 */
typedef void exec_finding_fn(void *arg, const struct verdict *v, const struct op *op);

struct exec_options {
	uint64_t arena_bytes; /* a multiple of 1M */
	uint64_t arena_pa;    /* where it lies, whatever the configuration's tables= says; a multiple of 1M. 0: as that says */
	unsigned checks;      /* bit n: enum check_kind n is compared */
	bool blind;           /* read nothing from the tables: judge by results and by what the engine translates */
	bool observed;        /* false: the bare engine, no oracle; for measuring */
};

extern const struct exec_options exec_defaults;

/*
 * struct exec - one domain under test.
 *
 * @sweep_at: operations between two sweeps of everything
 * @op:    the operation that is running; of a round, the switch
 * @round: see round.h; NULL: there has been none
 * @why:   EXEC_SKIPPED: for people, "operation N ..."
 * @ops_nr, @refused_nr: operations so far, and those that the engine refused, as it had to
 * @ret:   what the last call returned
 * @twin:  with two engines, the domain of the second; @twin_items: items of the two that were compared; @twin_apart: one of them ran out of
 *         memory, so that there is nothing to compare any more
 * @speaker: whose finding it is: of this domain or of @twin
 */
struct exec {
	struct exec_options options;
	const struct engine_ops *ops;
	struct engine *engine;
	struct mem mem;
	struct check check;
	struct gather gather;
	struct config cfg;
	const struct op *op;
	uint64_t ops_nr, refused_nr, sweep_at;
	struct call_range *dirty;
	size_t dirty_nr, dirty_room;
	exec_finding_fn *finding;
	void *finding_arg;
	struct round *round;
	const char *why;
	int ret;
	struct exec *twin;
	const struct exec *speaker;
	uint64_t twin_items;
	bool twin_apart;
};

/* exec_resolve - complete *cfg for the engine's format of that name. 0, or -EINVAL and a line for people in err. */
int exec_resolve(struct config *cfg, char *err, size_t err_bytes);

/* exec_init - reserve what all domains use. exec_release gives it back. Returns 0 or -ENOMEM. */
int exec_init(struct exec *x, const struct exec_options *options, exec_finding_fn *finding, void *arg);
void exec_release(struct exec *x);

/*
 * exec_open - make an empty domain. 0; -ENOENT, -EINVAL with *why: engine and walker disagree about the configuration; -ENOMEM: the arena
 * is too small.
 */
int exec_open(struct exec *x, const struct config *cfg, const char **why);

/* How an operation went, for statistics. */
enum exec_status {
	EXEC_DONE,
	EXEC_REFUSED, /* the engine answered with the error that it had to */
	EXEC_SKIPPED, /* not run: under deferred invalidation it may not be, or not by several writers */
	EXEC_WAITS,   /* one of a round, for its switch */
};

enum exec_status exec_op(struct exec *x, const struct op *op);

/*
 * exec_engine - hand the call to the engine: the bare call, as one of several writers may make it too. Dirty leaves go to fn. exec_call_of - what
 * op, which is one of the engine's, asks of the engine, and what the oracle is told of that.
 */
void exec_engine(struct exec *x, const struct call *call, struct gather *g, engine_dirty_fn *fn, void *arg, struct call_result *res);
void exec_call_of(const struct exec *x, const struct op *op, struct call *asked, struct call *call);

/* exec_close - sweep everything, tear the domain down, check that nothing is left. */
void exec_close(struct exec *x);

/* exec_abandon - after a finding: forget the domain without touching its tables. */
void exec_abandon(struct exec *x);

#endif
