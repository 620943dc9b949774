/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay.c - `hitless replay` runs traces again; `hitless convert` turns one form into the other. Neither prints anything that differs
 * from run to run.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failures.h"
#include "options.h"
#include "result_json.h"
#include "run.h"
#include "trace_bin.h"
#include "trace_file.h"

/* Processor time that a replay may use. */
#define REPLAY_SECONDS 600

/* What came of a file, for --json. comparisons: of all checks. */
static json_t *replay_json(const char *path, const struct trace *t, const struct run_result *res, uint64_t comparisons)
{
	static const char *const ends[] = { [RUN_CLEAN] = "clean", [RUN_FINDING] = "finding", [RUN_REFUSED] = "refused" };
	json_t *file = json_pack("{s:s, s:s, s:I, s:I, s:I}", "file", path, "result", ends[res->end], "operations", (json_int_t)t->nr, "leaves",
				 (json_int_t)res->leaves, "comparisons", (json_int_t)comparisons);

	json_object_set_new(file, "finding", res->end == RUN_FINDING ? json_finding_object(&res->finding) : json_null());
	return file;
}

/* Run one file, and with --failures sweep it. Adds what came of it to files, if that is not NULL. Returns its exit status. */
static int replay_file(const char *path, const struct options *o, struct failures *failures, json_t *files)
{
	struct run_result *res = malloc(sizeof(*res));
	uint64_t comparisons = 0;
	struct trace t;
	int status, ret;
	unsigned i;

	if (!res)
		return complain(EXIT_TOOL, "out of memory");
	status = trace_load(path, &o->exec, &t);
	if (status) {
		free(res);
		return status;
	}
	ret = run_child(&o->exec, &t, REPLAY_SECONDS, true, res);
	for (i = 0; !ret && i < CHECK_NR; i++)
		comparisons += res->comparisons[i];
	if (!ret && files)
		json_array_append_new(files, replay_json(path, &t, res, comparisons));
	if (ret) {
		status = complain(EXIT_TOOL, "%s: cannot be run in a child process: %s", path, strerror(-ret));
	} else if (res->end == RUN_REFUSED) {
		status = complain(EXIT_USAGE, "%s: %s", path, res->why);
	} else if (res->end == RUN_FINDING) {
		printf("%s: %s", path, res->finding.report);
		status = EXIT_FINDING;
	} else if (!comparisons) {
		status = complain(EXIT_TOOL, "%s: nothing was compared", path);
	} else if (o->failures) {
		status = failures_sweep(path, &t, o, failures);
	} else {
		printf("%s: nothing found: %zu operations, %" PRIu64 " leaves, %" PRIu64 " comparisons\n", path, t.nr, res->leaves,
		       comparisons);
	}
	trace_release(&t);
	free(res);
	return status;
}

static const char replay_help[] =
	"usage: hitless replay [--failures] FILE...\n"
	"\n"
	"Runs each trace, text or binary, under every check and says what comes of it.\n"
	"\n"
	"      --failures       then twice for each allocation, and each DMA mapping of a table, that an operation makes: that one\n"
	"                       fails, and the rest of the trace runs on what is left; or the operation is tried again before the\n"
	"                       rest. What is found is printed with the operation and its fail=N, minimized and saved\n"
	"      --out DIR        --failures: where traces of findings go (default findings)\n"
	"      --without C,..   leave out checks\n"
	"      --engine NAME, --hostile, --all-arguments  as for fuzz\n"
	"      --arena MIB      size of simulated table memory\n"
	"      --json           one object on standard output, the text on standard error\n"
	"\n"
	"Exit status: 0 nothing found, 1 a finding, 2 a file that is no trace or may not be run, 3 the tool itself is at fault, or no file\n"
	"had anything to fail. The worst of all files counts.\n"
	"\n"
	"examples: hitless replay corpus/seeds/*.trace\n"
	"          hitless replay --failures corpus/seeds/*.trace\n";

/* What the sweeps of all files came to. Returns the exit status that the command would have without it, or 3 if nothing has failed. */
static int replay_failures_end(const struct failures *f, int worst)
{
	if (f->failed)
		printf("all: %" PRIu64 " failures in %" PRIu64 " of %" PRIu64 " operations, %" PRIu64 " runs, %" PRIu64
		       " of them with a finding, %" PRIu64 " leaves, %" PRIu64 " comparisons\n",
		       f->failed, f->operations, f->operations_of, f->runs, f->found, f->leaves, f->comparisons);
	else if (worst == EXIT_CLEAN)
		return complain(EXIT_TOOL, "no allocation was made to fail");
	return worst;
}

static json_t *replay_failures_json(const struct failures *f)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "failed", (json_int_t)f->failed, "operations", (json_int_t)f->operations,
			 "operations_of", (json_int_t)f->operations_of, "runs", (json_int_t)f->runs, "found", (json_int_t)f->found, "leaves",
			 (json_int_t)f->leaves, "comparisons", (json_int_t)f->comparisons);
}

int cmd_replay(int argc, char **argv)
{
	struct options o;
	unsigned mask = OPTION_FAILURES | OPTION_OUT | OPTION_WITHOUT | OPTION_ENGINE | OPTION_ARENA | OPTION_JSON;
	int i, status = options_parse(argc, argv, mask, replay_help, &o), worst = EXIT_CLEAN;
	static struct failures failures;
	json_t *files = NULL;
	FILE *out = NULL;

	if (status >= 0)
		return status;
	if (!o.files_nr)
		return complain(EXIT_USAGE, "replay takes at least one FILE");
	if (o.out && !o.failures)
		return complain(EXIT_USAGE, "replay saves nothing: --out goes with --failures");
	status = options_out(&o);
	if (status >= 0)
		return status;
	if (o.json) {
		out = json_begin();
		if (!out)
			return EXIT_TOOL;
		files = json_array();
	}
	for (i = 0; i < o.files_nr; i++) {
		status = replay_file(o.files[i], &o, &failures, files);
		fflush(stdout);
		if (status > worst)
			worst = status;
	}
	if (o.failures)
		worst = replay_failures_end(&failures, worst);
	if (!files)
		return worst;
	return json_end(out, json_pack("{s:o, s:o}", "files", files, "failures", o.failures ? replay_failures_json(&failures) : json_null()),
			"replay", worst);
}

static const char convert_help[] = "usage: hitless convert FILE -o OUT\n"
				   "\n"
				   "Writes a text trace in the binary form, or a binary one as text.\n"
				   "\n"
				   "  -o, --out OUT    the file to write\n"
				   "      --arena MIB  size of simulated table memory\n"
				   "      --json       one object on standard output\n"
				   "\n"
				   "example: hitless convert corpus/seeds/amdv1-cut-middle.trace -o input.bin\n";

static int convert_json(const struct options *o, const char *form, size_t operations, size_t bytes)
{
	FILE *out = json_begin();

	if (!out)
		return EXIT_TOOL;
	return json_end(out, json_pack("{s:s, s:s, s:s, s:I, s:I}", "file", o->files[0], "out", o->out, "form", form, "operations",
				       (json_int_t)operations, "bytes", (json_int_t)bytes),
			"convert", EXIT_CLEAN);
}

int cmd_convert(int argc, char **argv)
{
	struct options o;
	struct trace t;
	uint8_t *bin = NULL;
	char *text = NULL;
	char magic[4] = "";
	size_t bytes;
	FILE *in, *out;
	int status = options_parse(argc, argv, OPTION_OUT | OPTION_ARENA | OPTION_JSON, convert_help, &o);

	if (status >= 0)
		return status;
	if (o.files_nr != 1 || !o.out)
		return complain(EXIT_USAGE, "convert takes one FILE and -o OUT");
	status = options_out_file(&o);
	if (status >= 0)
		return status;
	status = trace_load(o.files[0], &o.exec, &t);
	if (status)
		return status;
	in = fopen(o.files[0], "rb");
	bytes = in ? fread(magic, 1, sizeof(magic), in) : 0;
	if (in)
		fclose(in);
	if (trace_bin_has_magic((const uint8_t *)magic, bytes)) {
		out = open_memstream(&text, &bytes);
		if (!out)
			abort();
		trace_print(&t, out);
		fclose(out);
	} else {
		status = trace_bin_write(&t, &bin, &bytes);
	}
	if (!status)
		status = save_file(o.out, text ? text : (const char *)bin, bytes);
	if (status)
		status = complain(EXIT_USAGE, "%s: %s", o.out, strerror(-status));
	else if (o.json)
		status = convert_json(&o, text ? "text" : "binary", t.nr, bytes);
	trace_release(&t);
	free(text);
	free(bin);
	return status;
}
