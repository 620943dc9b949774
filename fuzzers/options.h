/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options.h - the command line: one parser for what the commands have in common.
 */
#ifndef HITLESS_OPTIONS_H
#define HITLESS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "exec.h"

/* Exit status. */
enum { EXIT_CLEAN = 0, EXIT_FINDING = 1, EXIT_USAGE = 2, EXIT_TOOL = 3 };

/* Which options a command takes, beside --help. */
enum {
	OPTION_FORMAT = 1 << 0, /* --format NAME, may be given several times; --config TEXT */
	OPTION_SEED = 1 << 1,
	OPTION_OPS = 1 << 2,
	OPTION_SECONDS = 1 << 3,
	OPTION_JOBS = 1 << 4,
	OPTION_JSON = 1 << 5,
	OPTION_UNTIL = 1 << 6,   /* --until-finding */
	OPTION_OUT = 1 << 7,     /* --out DIR, or -o FILE */
	OPTION_MODEL = 1 << 8,   /* --model, --tlb */
	OPTION_WITHOUT = 1 << 9, /* --without CHECK[,CHECK...] */
	OPTION_STORES = 1 << 10, /* --stores, --op N */
	OPTION_QUICK = 1 << 11,
	OPTION_FAILURES = 1 << 12,
	OPTION_ENGINE = 1 << 13,
	OPTION_ARENA = 1 << 14,
	OPTION_THREADS = 1 << 15, /* --readers, --writers, --flavour, --reclaim, --pause */
	OPTION_PART = 1 << 16,
	OPTION_PROVE = 1 << 17,
	OPTION_KNOWN = 1 << 18,
	OPTION_TRANSLATIONS = 1 << 19,
	OPTION_MUTATE = 1 << 20,
	OPTION_BASELINE = 1 << 21,
};

#define OPTION_FORMATS_MAX 16

struct options {
	const char *formats[OPTION_FORMATS_MAX]; /* unset: every format */
	unsigned formats_nr;
	const char *config; /* configuration text after the format; unset: the format's list */
	bool has_seed, baseline, json, until_finding, quick, failures, stores, prove, mutate;
	uint64_t seed, ops, op, translations; /* op, translations 0: unset */
	double seconds;
	unsigned jobs, readers, writers;
	const char *out, *part, *known, *flavour, *reclaim, *pause;
	int model, tlb; /* -1: unset */
	struct exec_options exec;
	char **files;
	int files_nr;
};

/*
 * options_parse - read argv[1..] of a command that takes the options in mask. help is printed for --help. Returns -1 to go on, or the exit
 * status to leave with; what was wrong has been said in one line on standard error.
 */
int options_parse(int argc, char **argv, unsigned mask, const char *help, struct options *o);

/* Whether the format of that name is wanted. */
bool options_want(const struct options *o, const char *format);

/*
 * options_config - the configuration of a format from this text, with --config, --model and --tlb laid over it, resolved. 0, or -EINVAL
 * and a line in err.
 */
int options_config(const struct options *o, const char *format, const char *text, struct config *cfg, char *err, size_t err_bytes);

/*
 * options_choice - *value is the index of text among nr names; it stays as it is if there is none. Returns -1, or the exit status after a
 * message.
 */
int options_choice(const char *name, const char *text, const char *const *names, unsigned nr, int *value);

/* options_directory - make the directory path, unless it is there. Returns -1, or the exit status after a message: none, or not writable. */
int options_directory(const char *path);

/*
 * options_out - make the directory of --out, if that was given, so that a finding does not come to light only to have no place to go.
 * Returns -1, or the exit status after a message.
 */
int options_out(const struct options *o);

/*
 * options_out_file - look whether the file of --out, which was given, can be written, before there is anything to write. Returns -1, or the
 * exit status after a message: what is there must be a regular file, since save_file renames over it; a device or a link would be gone.
 */
int options_out_file(const struct options *o);

/* One line on standard error, "hitless: ...". Returns status. */
int complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The commands; argv[0] is the command's name. Each returns the exit status. */
int cmd_fuzz(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_minimize(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_convert(int argc, char **argv);
int cmd_formats(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_stress(int argc, char **argv);
int cmd_enumerate(int argc, char **argv);
int cmd_judge(int argc, char **argv);

#endif
