/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench.h - what an operation costs: of the bare engine, of the engine with its log, under the whole oracle, and as the domain grows.
 *
 * Times are of CLOCK_MONOTONIC; nothing passes or fails by them.
 */
#ifndef HITLESS_BENCH_H
#define HITLESS_BENCH_H

#include "exec.h"
#include "grace.h"

#define BENCH_ROWS_MAX 10

enum bench_op { BENCH_MAP, BENCH_UNMAP, BENCH_CUT, BENCH_TRANSLATE, BENCH_OPS_NR };

/*
 * struct bench_row - one size: one leaf of 2^size_lg2 bytes, or leaves_nr of them in one call.
 *
 * @calls: calls in one round
 * @ns: per call, the shortest round: [0] without an observer, [1] with the log
 */
struct bench_row {
	unsigned size_lg2, leaves_nr, calls;
	double ns[2][BENCH_OPS_NR];
};

struct bench_raw {
	struct bench_row rows[BENCH_ROWS_MAX];
	unsigned nr;
};

/*
 * bench_raw - the bare engine. Each figure is the shortest of as many rounds as fit seconds. A call is the engine's operation and its sync.
 * A cut is one smallest page after the middle of a leaf; where the leaf is a smallest page, or with several leaves, it is at a leaf start
 * and stores nothing. 0 or -errno.
 */
int bench_raw(const struct config *cfg, const struct exec_options *options, double seconds, struct bench_raw *raw);

/*
 * bench_engines - two engines in turn, round by round, none observed: ns[0] is of names[0], ns[1] of names[1], both as engine_choose knows
 * them; names[1] stays chosen. Otherwise as bench_raw.
 */
int bench_engines(const struct config *cfg, const struct exec_options *options, const char *const names[2], double seconds, struct bench_raw *raw);

/*
 * struct bench_checked - the default mix under the oracle.
 *
 * @ns, @cpu_ns: of all operations, generating them included: as the clock on the wall has it, and as the processor, which does not count
 *               other programs
 * @splits: cuts that stored, @maps: that succeeded, @unmaps: that removed something, @partial: of those, the ones that left part of a piece
 * @stores: items stored, as logged
 */
struct bench_checked {
	uint64_t operations, ns, cpu_ns, leaves, stores, splits, maps, unmaps, partial, refused, skipped;
	uint64_t comparisons[CHECK_NR];
};

/*
 * bench_checked - ops operations of the default mix, the domain made anew every 2,048; without cuts, if they are not asked for. Runs twice:
 * once to time it, once to count. 0 or -errno.
 */
int bench_checked(const struct config *cfg, const struct exec_options *options, uint64_t seed, uint64_t ops, bool cuts,
		  struct bench_checked *checked);

/*
 * struct bench_proof_row - one leaf of 2^size_lg2 bytes in each call; a cut is one smallest page (2^granule_lg2) after its middle.
 *
 * @ns: per call, the shortest round, 0 where it cannot be done: [0] the bare engine, [1] with every check
 */
struct bench_proof_row {
	unsigned size_lg2, granule_lg2, calls;
	double ns[2][BENCH_OPS_NR];
};

struct bench_proof {
	struct bench_proof_row rows[BENCH_ROWS_MAX];
	unsigned nr;
};

/* bench_proof - the same calls on the bare engine and under the oracle, for as many rounds as fit seconds each. 0 or -errno. */
int bench_proof(const struct config *cfg, const struct exec_options *options, double seconds, struct bench_proof *proof);

/*
 * bench_checks - the default mix with one check at a time, then with all and with none. cpu_ns: processor time of an operation. What several
 * checks share is in each of them that is on alone.
 */
#define BENCH_CHECKS_ALL CHECK_NR
#define BENCH_CHECKS_NONE (CHECK_NR + 1)
#define BENCH_CHECKS_NR (CHECK_NR + 2)
int bench_checks(const struct config *cfg, const struct exec_options *options, uint64_t seed, uint64_t ops, double cpu_ns[BENCH_CHECKS_NR]);

/*
 * struct bench_scale - small checked operations at random places among many live pieces.
 *
 * @pieces: live when it began; fewer than asked for where the format has no room
 * @ns, @cpu_ns: of the operations, sweeps not included
 * @sweep_ns: of one sweep of everything
 * @bytes:  of the interval map
 */
struct bench_scale {
	uint64_t pieces, operations, ns, cpu_ns, sweep_ns, bytes;
};

int bench_scale(const struct config *cfg, const struct exec_options *options, uint64_t seed, uint64_t pieces, struct bench_scale *scale);

/*
 * struct bench_writers - rounds of two maps that make the same tables, each on a domain of its own, under all checks.
 *
 * @rounds, @ns, @primitives: under random schedules, in how long, with how many primitives in all
 * @schedules: how many this round has, but for those that differ in the order of what does not concern each other
 */
struct bench_writers {
	uint64_t rounds, ns, primitives, schedules;
};

int bench_writers(const struct config *cfg, const struct exec_options *options, uint64_t seed, double seconds, struct bench_writers *n);

/*
 * struct bench_readers - a reader of hitless stress, on tables at rest.
 *
 * @pages: that it translates
 * @ns:    of one translation, by enum grace_flavour and by what is done: the walk alone, in read sections, judged in read sections too
 * @busy, @busy_operations: translations and operations per second of one reader beside one writer that does not pause
 */
enum { BENCH_READERS_BARE, BENCH_READERS_INSIDE, BENCH_READERS_JUDGED, BENCH_READERS_NR };
struct bench_readers {
	uint32_t pages;
	double ns[GRACE_NR][BENCH_READERS_NR];
	double busy[GRACE_NR], busy_operations[GRACE_NR];
};

/* bench_readers - the tables are what a writer leaves that seed determines. As many rounds as fit seconds, for each flavour. 0 or not. */
int bench_readers(const struct config *cfg, uint64_t seed, double seconds, struct bench_readers *readers);

/*
 * struct bench_inputs - what an outside fuzzer's inputs cost the plain executor, without instrumentation, a process or coverage.
 *
 * @inputs, @operations, @ns: inputs run, one after the other, each in a domain of its own; ns of processor time, which does not count other programs
 * @mutations, @mutate_ns:    the same inputs mutated
 */
struct bench_inputs {
	uint64_t inputs, operations, ns, mutations, mutate_ns;
};

/*
 * bench_inputs - BENCH_INPUTS_NR inputs of BENCH_INPUT_OPS operations of the default mix, on the configurations that the format lists, in turn,
 * for seconds each. out: NULL, or a directory that they are written to as files. 0 or -errno.
 */
#define BENCH_INPUTS_NR 64
#define BENCH_INPUT_OPS 32
int bench_inputs(const char *format, uint64_t seed, double seconds, const char *out, struct bench_inputs *n);

/* bench_inputs_kept - those of a file that HITLESS_KEEP has made (one_input.h), each once, in their order; none mutated. 0 or -errno. */
int bench_inputs_kept(const char *path, struct bench_inputs *n);

/* hitless bench engines: every format that another engine has too. json: the root object, or NULL to print. -1, or the exit status. */
struct options;
struct json_t;
int bench_engines_run(const struct options *o, double seconds, uint64_t ops, struct json_t *json);

/* How figures are shown: "4K" or "256 x 4K"; a / b, or 0; operations a second. */
void bench_size_text(unsigned lg2, unsigned leaves, char buf[24]);
double bench_ratio(double a, double b);
double bench_per_second(const struct bench_checked *n);

/* CLOCK_MONOTONIC in nanoseconds; the processor time of this process. */
uint64_t bench_now(void);
uint64_t bench_cpu(void);

/* The hook for an exec that is only measured: a finding is printed and ends the process with status 1. */
void bench_found(void *arg, const struct verdict *v, const struct op *op);

#endif
