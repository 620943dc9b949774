/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace_file.c - reads a trace from a file, text or binary. */
#include "trace_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "one_input.h"
#include "options.h"
#include "run.h"
#include "trace_bin.h"

/* Larger files are refused unread. */
#define TRACE_FILE_BYTES_MAX (UINT64_C(1) << 31)
/* Operations that a binary trace may have; it needs at least a byte each. */
#define TRACE_FILE_BIN_OPS_MAX (1u << 18)

/* The whole file at path. Returns 0 or the exit status, having complained. */
static int file_read(const char *path, char **bytes, size_t *nr)
{
	FILE *in = fopen(path, "rb");
	struct stat st;
	int status = 0;

	*bytes = NULL;
	*nr = 0;
	if (!in)
		return complain(EXIT_USAGE, "%s: %s", path, strerror(errno));
	if (fstat(fileno(in), &st) || !S_ISREG(st.st_mode))
		status = complain(EXIT_USAGE, "%s: is no regular file", path);
	else if ((uint64_t)st.st_size > TRACE_FILE_BYTES_MAX)
		status = complain(EXIT_USAGE, "%s: is larger than 2 GiB", path);
	if (!status) {
		*nr = (size_t)st.st_size;
		*bytes = malloc(*nr + 1);
		if (!*bytes)
			status = complain(EXIT_TOOL, "%s: out of memory", path);
		else if (fread(*bytes, 1, *nr, in) != *nr)
			status = complain(EXIT_USAGE, "%s: cannot be read: %s", path, strerror(errno));
	}
	fclose(in);
	if (status)
		free(*bytes);
	return status;
}

/* What the child that decodes a binary trace has come to. */
struct decoded {
	uint64_t nr;
	struct op ops[TRACE_FILE_BIN_OPS_MAX];
};

static void decode_ended(void *arg, const struct verdict *v, const struct op *op)
{
	(void)arg;
	(void)v;
	(void)op;
	_exit(0);
}

/* Decoding needs the interval map, so the operations are run; whatever that leads to, those decoded so far are there. */
static void decode_in_child(struct trace_bin *b, const struct config *cfg, const struct exec_options *options, struct decoded *d)
{
	static struct exec x;
	const char *why;

	run_guard();
	if (exec_init(&x, options, decode_ended, NULL))
		_exit(RUN_NO_MEMORY);
	if (exec_open(&x, cfg, &why))
		_exit(0); /* a trace without operations; whoever runs it says why */
	while (d->nr < TRACE_FILE_BIN_OPS_MAX && trace_bin_next(b, &x.check.im, &x.check.hw, &d->ops[d->nr])) {
		const struct op *op = &d->ops[d->nr++];

		/* A round that may not run, as none may of operations at random that touch the same, is none. */
		if (exec_op(&x, op) == EXEC_SKIPPED && op->kind == OP_SWITCH)
			d->nr -= 1 + ops_waiting(d->ops, d->nr - 1);
	}
	_exit(0);
}

static int trace_load_bin(const char *path, const char *bytes, size_t nr, const struct exec_options *options, struct trace *t)
{
	struct decoded *d = mmap(NULL, sizeof(*d), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct trace_error err;
	struct trace_bin b;
	char text[300];
	int status = 0;
	uint64_t i;
	pid_t pid;

	if (d == MAP_FAILED)
		return complain(EXIT_TOOL, "%s: out of memory", path);
	if (trace_bin_strict((const uint8_t *)bytes, nr, &err)) {
		munmap(d, sizeof(*d));
		return complain(EXIT_USAGE, "%s: %s", path, err.text);
	}
	trace_bin_open(&b, (const uint8_t *)bytes, nr, one_input_configs);
	t->cfg = b.cfg;
	if (exec_resolve(&t->cfg, text, sizeof(text))) {
		munmap(d, sizeof(*d));
		return complain(EXIT_USAGE, "%s: %s", path, text);
	}
	fflush(NULL);
	pid = fork();
	if (!pid)
		decode_in_child(&b, &t->cfg, options, d);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == RUN_NO_MEMORY) {
		munmap(d, sizeof(*d));
		return complain(EXIT_TOOL, "%s: no memory for the arena", path);
	}
	for (i = 0; i < d->nr; i++)
		trace_push_whole(t, &d->ops[i]);
	t->nr -= ops_waiting(t->ops, t->nr);
	munmap(d, sizeof(*d));
	return pid < 0 ? complain(EXIT_TOOL, "%s: no child process: %s", path, strerror(errno)) : 0;
}

static int trace_load_text(const char *path, const char *bytes, size_t nr, struct trace *t)
{
	struct trace_error err;
	char text[300];

	if (trace_parse(t, bytes, nr, &err)) {
		if (err.line)
			return complain(EXIT_USAGE, "%s:%u: %s", path, err.line, err.text);
		return complain(EXIT_USAGE, "%s: %s", path, err.text);
	}
	if (exec_resolve(&t->cfg, text, sizeof(text))) {
		trace_release(t);
		return complain(EXIT_USAGE, "%s:%u: %s", path, err.line, text);
	}
	return 0;
}

int trace_load(const char *path, const struct exec_options *options, struct trace *t)
{
	char *bytes;
	size_t nr;
	int status = file_read(path, &bytes, &nr);

	if (status)
		return status;
	trace_init(t);
	if (trace_bin_has_magic((const uint8_t *)bytes, nr))
		status = trace_load_bin(path, bytes, nr, options, t);
	else
		status = trace_load_text(path, bytes, nr, t);
	free(bytes);
	return status;
}
