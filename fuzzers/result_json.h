/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * result_json.h - --json of the commands that run a trace: one object on standard output, and what they print for people on standard error.
 * docs/schema/ says what is in it.
 */
#ifndef HITLESS_RESULT_JSON_H
#define HITLESS_RESULT_JSON_H

#include <jansson.h>

#include "finding.h"

/*
 * json_begin - from now on standard output, of this process and its children, goes where standard error does. Returns the stream that
 * standard output was, for json_end; NULL, after a message, if that cannot be done.
 */
FILE *json_begin(void);

/*
 * json_end - print o with "version" and "command" added, and release it. Returns status, or EXIT_TOOL after a message if it could not be
 * written.
 */
int json_end(FILE *out, json_t *o, const char *command, int status);

/* json_finding_object - class, guarantee, signature, operation (from 1; null if none caused it) and report. */
json_t *json_finding_object(const struct finding *f);

#endif
