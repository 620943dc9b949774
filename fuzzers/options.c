/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options.c - the command line: getopt_long reads it, the messages are ours, one line each.
 */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_key.h"
#include "op.h"

#define JOBS_MAX 256
#define ARENA_MIB_MAX 4096
#define SECONDS_MAX 1e9

/* Long options and the bit of the mask that allows each; --help goes with every command. */
enum option_id {
	ID_HELP = 256,
	ID_FORMAT,
	ID_CONFIG,
	ID_SEED,
	ID_OPS,
	ID_SECONDS,
	ID_JOBS,
	ID_JSON,
	ID_UNTIL,
	ID_OUT,
	ID_MODEL,
	ID_TLB,
	ID_WITHOUT,
	ID_QUICK,
	ID_FAILURES,
	ID_ENGINE,
	ID_HOSTILE,
	ID_ALL_ARGUMENTS,
	ID_ARENA,
	ID_READERS,
	ID_WRITERS,
	ID_FLAVOUR,
	ID_RECLAIM,
	ID_PAUSE,
	ID_STORES,
	ID_OP,
	ID_PART,
	ID_PROVE,
	ID_KNOWN,
	ID_TRANSLATIONS,
	ID_MUTATE,
	ID_BASELINE,
	ID_END,
};

static const unsigned option_bits[ID_END - ID_HELP] = {
	[ID_HELP - ID_HELP] = ~0u,
	[ID_FORMAT - ID_HELP] = OPTION_FORMAT,
	[ID_CONFIG - ID_HELP] = OPTION_FORMAT,
	[ID_SEED - ID_HELP] = OPTION_SEED,
	[ID_OPS - ID_HELP] = OPTION_OPS,
	[ID_SECONDS - ID_HELP] = OPTION_SECONDS,
	[ID_JOBS - ID_HELP] = OPTION_JOBS,
	[ID_JSON - ID_HELP] = OPTION_JSON,
	[ID_UNTIL - ID_HELP] = OPTION_UNTIL,
	[ID_OUT - ID_HELP] = OPTION_OUT,
	[ID_MODEL - ID_HELP] = OPTION_MODEL,
	[ID_TLB - ID_HELP] = OPTION_MODEL,
	[ID_WITHOUT - ID_HELP] = OPTION_WITHOUT,
	[ID_QUICK - ID_HELP] = OPTION_QUICK,
	[ID_FAILURES - ID_HELP] = OPTION_FAILURES,
	[ID_ENGINE - ID_HELP] = OPTION_ENGINE,
	[ID_HOSTILE - ID_HELP] = OPTION_ENGINE,
	[ID_ALL_ARGUMENTS - ID_HELP] = OPTION_ENGINE,
	[ID_ARENA - ID_HELP] = OPTION_ARENA,
	[ID_READERS - ID_HELP] = OPTION_THREADS,
	[ID_WRITERS - ID_HELP] = OPTION_THREADS,
	[ID_FLAVOUR - ID_HELP] = OPTION_THREADS,
	[ID_RECLAIM - ID_HELP] = OPTION_THREADS,
	[ID_PAUSE - ID_HELP] = OPTION_THREADS,
	[ID_STORES - ID_HELP] = OPTION_STORES,
	[ID_OP - ID_HELP] = OPTION_STORES,
	[ID_PART - ID_HELP] = OPTION_PART,
	[ID_PROVE - ID_HELP] = OPTION_PROVE,
	[ID_KNOWN - ID_HELP] = OPTION_KNOWN,
	[ID_TRANSLATIONS - ID_HELP] = OPTION_TRANSLATIONS,
	[ID_MUTATE - ID_HELP] = OPTION_MUTATE,
	[ID_BASELINE - ID_HELP] = OPTION_BASELINE,
};

static const struct option long_options[] = {
	{ "help", no_argument, NULL, ID_HELP },
	{ "format", required_argument, NULL, ID_FORMAT },
	{ "config", required_argument, NULL, ID_CONFIG },
	{ "seed", required_argument, NULL, ID_SEED },
	{ "ops", required_argument, NULL, ID_OPS },
	{ "seconds", required_argument, NULL, ID_SECONDS },
	{ "jobs", required_argument, NULL, ID_JOBS },
	{ "json", no_argument, NULL, ID_JSON },
	{ "until-finding", no_argument, NULL, ID_UNTIL },
	{ "out", required_argument, NULL, ID_OUT },
	{ "model", required_argument, NULL, ID_MODEL },
	{ "tlb", required_argument, NULL, ID_TLB },
	{ "without", required_argument, NULL, ID_WITHOUT },
	{ "quick", no_argument, NULL, ID_QUICK },
	{ "failures", no_argument, NULL, ID_FAILURES },
	{ "engine", required_argument, NULL, ID_ENGINE },
	{ "hostile", no_argument, NULL, ID_HOSTILE },
	{ "all-arguments", no_argument, NULL, ID_ALL_ARGUMENTS },
	{ "arena", required_argument, NULL, ID_ARENA },
	{ "readers", required_argument, NULL, ID_READERS },
	{ "writers", required_argument, NULL, ID_WRITERS },
	{ "flavour", required_argument, NULL, ID_FLAVOUR },
	{ "reclaim", required_argument, NULL, ID_RECLAIM },
	{ "pause", required_argument, NULL, ID_PAUSE },
	{ "stores", no_argument, NULL, ID_STORES },
	{ "op", required_argument, NULL, ID_OP },
	{ "part", required_argument, NULL, ID_PART },
	{ "prove", no_argument, NULL, ID_PROVE },
	{ "known", required_argument, NULL, ID_KNOWN },
	{ "translations", required_argument, NULL, ID_TRANSLATIONS },
	{ "mutate", no_argument, NULL, ID_MUTATE },
	{ "baseline", no_argument, NULL, ID_BASELINE },
	{ NULL, 0, NULL, 0 },
};

int complain(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fflush(stdout);
	fputs("hitless: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return status;
}

/* Decimal or 0x hexadecimal, nothing around it, min to max. Returns -1, or the exit status after a message. */
static int parse_number(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	char *end;

	if (!*digits || strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits))
		return complain(EXIT_USAGE, "--%s takes a number, not '%s'", name, text);
	errno = 0;
	*value = strtoull(digits, &end, hex ? 16 : 10);
	if (errno == ERANGE || *value < min || *value > max)
		return complain(EXIT_USAGE, "--%s takes %llu to %llu, not %s", name, (unsigned long long)min, (unsigned long long)max,
				text);
	return -1;
}

static int parse_small(const char *name, const char *text, unsigned min, unsigned max, unsigned *value)
{
	uint64_t number = 0;
	int ret = parse_number(name, text, min, max, &number);

	*value = (unsigned)number;
	return ret;
}

static int parse_seconds(const char *text, double *value)
{
	size_t digits = strspn(text, "0123456789"), more = text[digits] == '.' ? strspn(text + digits + 1, "0123456789") : 0;

	if (!(digits + more) || text[digits + (text[digits] == '.') + more])
		return complain(EXIT_USAGE, "--seconds takes a number, as 60 or 0.5, not '%s'", text);
	*value = strtod(text, NULL);
	if (!(*value > 0) || *value > SECONDS_MAX)
		return complain(EXIT_USAGE, "--seconds takes more than 0 and at most %.0f, not %s", SECONDS_MAX, text);
	return -1;
}

/* MiB, or with M or G after the number. */
static int parse_arena(const char *text, uint64_t *bytes)
{
	char number[24];
	size_t nr = strlen(text);
	char unit = nr ? (char)toupper((unsigned char)text[nr - 1]) : 0;
	uint64_t mib = 0;
	int ret;

	nr -= unit == 'M' || unit == 'G';
	if (nr >= sizeof(number))
		return complain(EXIT_USAGE, "--arena takes 1 to %u MiB, not %s", ARENA_MIB_MAX, text);
	memcpy(number, text, nr);
	number[nr] = 0;
	ret = parse_number("arena", number, 1, unit == 'G' ? ARENA_MIB_MAX / 1024 : ARENA_MIB_MAX, &mib);
	*bytes = mib << (unit == 'G' ? 30 : 20);
	return ret;
}

/* Appends " name" to a list that is printed in a message; what does not fit is left out. */
static void list_add(char *list, size_t bytes, const char *name)
{
	size_t at = strlen(list);

	snprintf(list + at, bytes - at, " %s", name);
}

static int parse_format(const char *name, struct options *o)
{
	char list[256] = "";
	unsigned i;

	if (engine_find(name)) {
		for (i = 0; i < o->formats_nr; i++)
			if (!strcmp(o->formats[i], name))
				return -1;
		if (o->formats_nr == OPTION_FORMATS_MAX)
			return complain(EXIT_USAGE, "--format may be given %u times", OPTION_FORMATS_MAX);
		o->formats[o->formats_nr++] = name;
		return -1;
	}
	for (i = 0; engine_formats()[i]; i++)
		list_add(list, sizeof(list), engine_formats()[i]->name);
	return complain(EXIT_USAGE, "unknown format '%s'; there are:%s", name, list);
}

static const struct config_key *choice_key(const char *name)
{
	unsigned i;

	for (i = 0; i < CONFIG_KEYS_NR; i++)
		if (!strcmp(config_keys[i].name, name))
			return &config_keys[i];
	return NULL;
}

int options_choice(const char *name, const char *text, const char *const *names, unsigned nr, int *value)
{
	char list[128] = "";
	unsigned i;

	for (i = 0; i < nr; i++) {
		if (!strcmp(names[i], text)) {
			*value = (int)i;
			return -1;
		}
		list_add(list, sizeof(list), names[i]);
	}
	return complain(EXIT_USAGE, "unknown %s '%s'; there are:%s", name, text, list);
}

/* The index of text among the names of a configuration key: model or tlb. */
static int parse_choice(const char *name, const char *text, int *value)
{
	const struct config_key *key = choice_key(name);

	return options_choice(name, text, key->names, key->max + 1u, value);
}

static int parse_without(const char *text, unsigned *checks)
{
	char list[160] = "";
	unsigned i;

	for (;;) {
		size_t nr = strcspn(text, ",");

		for (i = 0; i < CHECK_NR; i++)
			if (strlen(check_names[i]) == nr && !memcmp(check_names[i], text, nr))
				break;
		if (i == CHECK_NR)
			break;
		*checks &= ~(1u << i);
		if (!text[nr])
			return -1;
		text += nr + 1;
	}
	for (i = 0; i < CHECK_NR; i++)
		list_add(list, sizeof(list), check_names[i]);
	return complain(EXIT_USAGE, "unknown check '%.*s'; there are:%s", (int)strcspn(text, ","), text, list);
}

/* Only the syntax: which values go together depends on the format. */
static int parse_config(const char *text, struct options *o)
{
	struct trace_error err;
	struct config cfg;
	char *line;
	int ret;

	if (asprintf(&line, "any %s", text) < 0)
		return complain(EXIT_TOOL, "out of memory");
	ret = config_parse(line, &cfg, &err);
	free(line);
	o->config = text;
	return ret ? complain(EXIT_USAGE, "--config: %s", err.text) : -1;
}

static int parse_engine(const char *name)
{
	char list[200] = "";
	unsigned i;

	if (!engine_choose(name))
		return -1;
	for (i = 0; engines[i].name; i++)
		list_add(list, sizeof(list), engines[i].name);
	return complain(EXIT_USAGE, "engine '%s' is not built in; there is:%s", name, list);
}

static int parse_out(const char *text, struct options *o)
{
	if (!*text)
		return complain(EXIT_USAGE, "--out takes the name of a file or directory");
	o->out = text;
	return -1;
}

static int parse_option(int id, const char *arg, struct options *o)
{
	switch (id) {
	case ID_FORMAT:
		return parse_format(arg, o);
	case ID_CONFIG:
		return parse_config(arg, o);
	case ID_SEED:
		o->has_seed = true;
		return parse_number("seed", arg, 0, UINT64_MAX, &o->seed);
	case ID_OPS:
		return parse_number("ops", arg, 1, UINT64_MAX, &o->ops);
	case ID_OP:
		return parse_number("op", arg, 1, UINT64_MAX, &o->op);
	case ID_TRANSLATIONS:
		return parse_number("translations", arg, 1, UINT64_MAX, &o->translations);
	case ID_SECONDS:
		return parse_seconds(arg, &o->seconds);
	case ID_JOBS:
		return parse_small("jobs", arg, 1, JOBS_MAX, &o->jobs);
	case ID_READERS:
		return parse_small("readers", arg, 1, JOBS_MAX, &o->readers);
	case ID_WRITERS:
		return parse_small("writers", arg, 1, JOBS_MAX, &o->writers);
	case ID_FLAVOUR:
		o->flavour = arg;
		return -1;
	case ID_RECLAIM:
		o->reclaim = arg;
		return -1;
	case ID_PAUSE:
		o->pause = arg;
		return -1;
	case ID_OUT:
		return parse_out(arg, o);
	case ID_MODEL:
		return parse_choice("model", arg, &o->model);
	case ID_TLB:
		return parse_choice("tlb", arg, &o->tlb);
	case ID_WITHOUT:
		return parse_without(arg, &o->exec.checks);
	case ID_ENGINE:
		return parse_engine(arg);
	case ID_ARENA:
		return parse_arena(arg, &o->exec.arena_bytes);
	case ID_KNOWN:
		o->known = arg;
		return -1;
	case ID_PART:
		o->part = arg;
		return -1;
	}
	o->json |= id == ID_JSON;
	o->until_finding |= id == ID_UNTIL;
	o->mutate |= id == ID_MUTATE;
	o->quick |= id == ID_QUICK;
	o->prove |= id == ID_PROVE;
	o->baseline |= id == ID_BASELINE;
	o->failures |= id == ID_FAILURES;
	engine_hostile |= id == ID_HOSTILE;
	engine_all_arguments |= id == ID_ALL_ARGUMENTS;
	o->stores |= id == ID_STORES;
	return -1;
}

/* What getopt_long answered with '?' or ':'. */
static int refuse_option(char **argv, int answer)
{
	if (answer == ':') {
		if (optopt >= ID_HELP)
			return complain(EXIT_USAGE, "--%s needs an argument", long_options[optopt - ID_HELP].name);
		return complain(EXIT_USAGE, "-%c needs an argument", optopt);
	}
	if (optopt >= ID_HELP)
		return complain(EXIT_USAGE, "--%s takes no argument", long_options[optopt - ID_HELP].name);
	if (optopt)
		return complain(EXIT_USAGE, "%s: unknown option '-%c'; try hitless %s --help", argv[0], optopt, argv[0]);
	return complain(EXIT_USAGE, "%s: unknown option '%s'; try hitless %s --help", argv[0], argv[optind - 1], argv[0]);
}

int options_parse(int argc, char **argv, unsigned mask, const char *help, struct options *o)
{
	int id, ret;

	*o = (struct options){ .model = -1, .tlb = -1, .exec = exec_defaults };
	opterr = 0;
	optind = 0;
	while ((id = getopt_long(argc, argv, ":ho:", long_options, NULL)) != -1) {
		if (id == '?' || id == ':')
			return refuse_option(argv, id);
		id = id == 'h' ? ID_HELP : id == 'o' ? ID_OUT : id;
		if (id == ID_HELP) {
			fputs(help, stdout);
			return fflush(stdout) ? complain(EXIT_TOOL, "cannot write to standard output") : EXIT_CLEAN;
		}
		if (!(option_bits[id - ID_HELP] & mask))
			return complain(EXIT_USAGE, "%s takes no --%s", argv[0], long_options[id - ID_HELP].name);
		ret = parse_option(id, optarg, o);
		if (ret >= 0)
			return ret;
	}
	o->files = argv + optind;
	o->files_nr = argc - optind;
	return -1;
}

bool options_want(const struct options *o, const char *format)
{
	unsigned i;

	for (i = 0; i < o->formats_nr; i++)
		if (!strcmp(o->formats[i], format))
			return true;
	return !o->formats_nr;
}

/* Read "format text" into cfg; err is for people. */
static int read_config(const char *format, const char *text, struct config *cfg, char *err, size_t err_bytes)
{
	struct trace_error error;
	char *line;
	int ret;

	if (asprintf(&line, "%s %s", format, text) < 0)
		abort();
	ret = config_parse(line, cfg, &error);
	free(line);
	if (ret)
		snprintf(err, err_bytes, "%s: %s", format, error.text);
	return ret;
}

int options_config(const struct options *o, const char *format, const char *text, struct config *cfg, char *err, size_t err_bytes)
{
	struct config over;
	unsigned i;

	if (read_config(format, text, cfg, err, err_bytes) || read_config(format, o->config ? o->config : "", &over, err, err_bytes))
		return -EINVAL;
	for (i = 0; i < CONFIG_KEYS_NR; i++)
		if (config_is_set(&over, &config_keys[i]))
			config_set(cfg, &config_keys[i], config_get(&over, &config_keys[i]));
	if (o->model >= 0)
		cfg->model = (uint8_t)o->model;
	if (o->tlb >= 0)
		cfg->tlb = (uint8_t)o->tlb;
	return exec_resolve(cfg, err, err_bytes);
}

/* Whether files can be made in the directory that is there. -1, or the exit status after a message. */
static int directory_takes(const char *path)
{
	struct stat st;

	if (!stat(path, &st) && !S_ISDIR(st.st_mode))
		return complain(EXIT_USAGE, "%s: is no directory", path);
	if (access(path, W_OK | X_OK))
		return complain(EXIT_USAGE, "%s: %s", path, strerror(errno));
	return -1;
}

int options_directory(const char *path)
{
	if (mkdir(path, 0755) && errno != EEXIST)
		return complain(EXIT_USAGE, "%s: %s", path, strerror(errno));
	return directory_takes(path);
}

int options_out(const struct options *o)
{
	return o->out ? options_directory(o->out) : -1;
}

int options_out_file(const struct options *o)
{
	char copy[4096];
	struct stat st;

	if (snprintf(copy, sizeof(copy), "%s", o->out) >= (int)sizeof(copy))
		return complain(EXIT_USAGE, "--out: %s", strerror(ENAMETOOLONG));
	if (!lstat(o->out, &st) && !S_ISREG(st.st_mode))
		return complain(EXIT_USAGE, "%s: is no regular file", o->out);
	return directory_takes(dirname(copy));
}
