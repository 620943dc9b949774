/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_text.c - the libFuzzer target for what people write: traces as text, configurations, options, known findings; and for the files of binary
 * traces. Any bytes are accepted or refused with a reason; what is accepted means the same when it is printed and read again, in text and in binary.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "known.h"
#include "options.h"
#include "trace_bin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARGS_MAX 32

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "hitless: fuzz_text: %s\n", what);
	abort();
}

static void same(const struct trace *a, const struct trace *b)
{
	size_t i;

	must(!memcmp(&a->cfg, &b->cfg, sizeof(a->cfg)), "another configuration was read back");
	must(a->nr == b->nr, "another number of operations was read back");
	for (i = 0; i < a->nr; i++)
		must(op_equal(&a->ops[i], &b->ops[i]) && a->ops[i].thread == b->ops[i].thread, "another operation was read back");
}

/* A literal trace needs no interval map to be read. */
static void read_binary(const struct trace *t)
{
	struct hw hw = { .has_low = true, .iova_low_last = UINT64_MAX, .oa_lg2 = 52, .leaf_sizes = 1 << 12 };
	struct trace again;
	struct trace_bin b;
	struct imap im;
	struct op op;
	uint8_t *buf;
	size_t bytes;

	if (trace_bin_write(t, &buf, &bytes))
		return; /* a format of no number */
	imap_init(&im);
	trace_init(&again);
	trace_bin_open(&b, buf, bytes, NULL);
	again.cfg = b.cfg;
	while (trace_bin_next(&b, &im, &hw, &op))
		trace_push(&again, &op);
	same(t, &again);
	trace_release(&again);
	imap_release(&im);
	free(buf);
}

static void read_trace(const char *text, size_t bytes)
{
	struct trace t, again;
	struct trace_error err = { .line = 0 };
	char *printed = NULL;
	size_t printed_bytes;
	FILE *out;

	if (trace_parse(&t, text, bytes, &err)) {
		must(err.text[0] && !strchr(err.text, '\n'), "refused without a reason of one line");
		return;
	}
	out = open_memstream(&printed, &printed_bytes);
	must(out, "out of memory");
	trace_print(&t, out);
	fclose(out);
	must(!trace_parse(&again, printed, printed_bytes, &err), "what it printed is refused");
	same(&t, &again);
	read_binary(&t);
	trace_release(&again);
	trace_release(&t);
	free(printed);
}

static void read_config(const char *text)
{
	struct config cfg, again;
	struct trace_error err;
	char line[CONFIG_TEXT_MAX];

	if (config_parse(text, &cfg, &err))
		return;
	config_print(&cfg, line, sizeof(line));
	must(!config_parse(line, &again, &err), "the configuration that it printed is refused");
	must(!memcmp(&cfg, &again, sizeof(cfg)), "another configuration was read back");
}

/* Words as on a command line. What is wrong is said on standard error, which the fuzzer may close (-close_fd_mask=2). */
static void read_options(char *text)
{
	char *argv[ARGS_MAX + 1] = { (char[]){ "fuzz" } }, *at = NULL, *word;
	struct options o;
	int argc = 1, status;

	for (word = strtok_r(text, " \n", &at); word && argc < ARGS_MAX; word = strtok_r(NULL, " \n", &at))
		argv[argc++] = word;
	status = options_parse(argc, argv, ~0u, "help\n", &o);
	must(status == -1 || status == EXIT_CLEAN || status == EXIT_USAGE, "options: an exit status of no meaning");
}

static void read_known(char *text, size_t bytes)
{
	FILE *in = bytes ? fmemopen(text, bytes, "r") : NULL;
	struct known k = { 0 };
	int status;

	if (!in)
		return;
	status = known_read(&k, in, "known");
	must(status == -1 || status == EXIT_USAGE, "known findings: an exit status of no meaning");
	known_has(&k, "wrong-oa G1 amdv1 cut L1 leaf>hole");
	known_release(&k);
	fclose(in);
}

/* What a file that claims to be one must keep to; targets take any bytes for operations. */
static void read_binary_file(const uint8_t *data, size_t size)
{
	struct trace_error err = { .text = "" };

	if (trace_bin_strict(data, size, &err))
		must(err.text[0] && !strchr(err.text, '\n'), "refused without a reason of one line");
	else
		must(trace_bin_has_magic(data, size), "accepted as what it does not claim to be");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The first byte says what the rest is. */
	char *text = malloc(size + 1), what = size ? (char)data[0] : 0;

	must(text, "out of memory");
	memcpy(text, data, size);
	text[size] = '\0';
	if (what == 'c')
		read_config(text + 1);
	else if (what == 'o')
		read_options(text + 1);
	else if (what == 'k')
		read_known(text + 1, size - 1);
	else if (trace_bin_has_magic(data, size))
		read_binary_file(data, size);
	else
		read_trace(text, size);
	free(text);
	return 0;
}
