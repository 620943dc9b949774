/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hitless.c - the command: finds the sub-command and hands over. */
#include <stdio.h>
#include <string.h>

#include "options.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} commands[] = {
	{ "fuzz", cmd_fuzz, "run a campaign of random operations on every format" },
	{ "replay", cmd_replay, "run traces again" },
	{ "minimize", cmd_minimize, "shrink a trace to the operations that its finding needs" },
	{ "show", cmd_show, "print the decoded tables after each operation of a trace" },
	{ "convert", cmd_convert, "turn a text trace into a binary one and back" },
	{ "stress", cmd_stress, "threads change the tables while others translate" },
	{ "enumerate", cmd_enumerate, "run every small case of the tiny geometries" },
	{ "judge", cmd_judge, "let QEMU translate through the tables, and compare" },
	{ "formats", cmd_formats, "list formats and configurations" },
	{ "bench", cmd_bench, "measure" },
};

/* With the kernel's page tables in it this is a work under the kernel's licence. */
#ifdef HITLESS_LINUX
#define LICENCE " (with code of the Linux kernel: GPL-2.0-only)"
#else
#define LICENCE ""
#endif

#define COMMANDS_NR (sizeof(commands) / sizeof(commands[0]))

static int usage(FILE *out, int status)
{
	size_t i;

	fputs("usage: hitless COMMAND [OPTION...] [FILE...]\n\n"
	      "Fuzzes and stress-tests IOMMU page tables: drives map, cut and unmap into a page-table engine and compares every result "
	      "with what must be true.\n\n",
	      out);
	for (i = 0; i < COMMANDS_NR; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].what);
	fputs("\nhitless COMMAND --help tells more. Exit status: 0 nothing found, 1 a finding, 2 bad usage or input, 3 the tool itself is "
	      "at fault.\n"
	      "\n"
	      "examples: hitless fuzz --seconds 60\n"
	      "          hitless replay corpus/seeds/*.trace\n",
	      out);
	return status;
}

/* What was printed must have arrived. A finding's status stays: its trace is on disk. */
static int printed(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	complain(EXIT_TOOL, "cannot write to standard output");
	return status > EXIT_CLEAN ? status : EXIT_TOOL;
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2)
		return usage(stderr, EXIT_USAGE);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return printed(usage(stdout, EXIT_CLEAN));
	if (!strcmp(argv[1], "--version")) {
		puts("hitless " HITLESS_VERSION LICENCE);
		return printed(EXIT_CLEAN);
	}
	for (i = 0; i < COMMANDS_NR; i++)
		if (!strcmp(argv[1], commands[i].name))
			return printed(commands[i].run(argc - 1, argv + 1));
	return complain(EXIT_USAGE, "unknown command '%s'; hitless --help lists them", argv[1]);
}
