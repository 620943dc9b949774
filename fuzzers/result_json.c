/* SPDX-License-Identifier: GPL-2.0-or-later */
/* result_json.c - one JSON object in place of text. */
#include "result_json.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

FILE *json_begin(void)
{
	int fd;
	FILE *out;

	fflush(stdout);
	fd = dup(STDOUT_FILENO);
	out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!out || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
		complain(EXIT_TOOL, "standard output: %s", strerror(errno));
		return NULL;
	}
	return out;
}

int json_end(FILE *out, json_t *o, const char *command, int status)
{
	fflush(stdout);
	json_object_set_new(o, "version", json_string(HITLESS_VERSION));
	json_object_set_new(o, "command", json_string(command));
	if (json_dumpf(o, out, JSON_INDENT(2) | JSON_SORT_KEYS) || fputc('\n', out) == EOF || fclose(out))
		status = complain(EXIT_TOOL, "cannot write to standard output");
	json_decref(o);
	return status;
}

json_t *json_finding_object(const struct finding *f)
{
	char guarantee[8];
	json_t *o;

	snprintf(guarantee, sizeof(guarantee), "G%u", f->v.guarantee);
	o = json_pack("{s:s, s:s, s:s, s:s}", "class", verdict_name(f->v.class), "guarantee", guarantee, "signature", f->signature, "report",
		      f->report);
	json_object_set_new(o, "operation", f->op_kind == OP_NR ? json_null() : json_integer((json_int_t)f->op_idx + 1));
	return o;
}
