/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_monitor.c - what a QEMU is asked over its human monitor and its gdb stub.
 *
 * The gdb remote protocol: "Debugging with GDB", appendix E: packets $text#checksum, acknowledged by +; qXfer:features:read for the target
 * descriptions, P to write a register.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge_qemu.h"

#include <poll.h>
#include <unistd.h>

/* The answer to one command that was sent. Events in between are nothing to us. */
static int hmp_answer(struct qemu *q, char **answer)
{
	for (;;) {
		const char *line = qemu_line(q, QEMU_QMP, false);
		json_t *root, *value;
		int ret = 0;

		if (!line)
			return -EIO;
		root = json_loads(line, 0, NULL);
		if (!root)
			return qemu_wrong(q, -EPROTO, "QMP answers no JSON: %.100s", line);
		if (json_object_get(root, "event")) {
			json_decref(root);
			continue;
		}
		value = json_object_get(root, "return");
		if (json_is_string(value))
			*answer = strdup(json_string_value(value));
		else
			ret = qemu_wrong(q, -EPROTO, "QMP answers: %.200s", line);
		json_decref(root);
		return ret;
	}
}

int qemu_hmp_all(struct qemu *q, const char *const *commands, size_t nr, char **answers)
{
	size_t done, i;
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);
	int ret;

	if (!out)
		abort();
	for (i = 0; i < nr; i++)
		fprintf(out, "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"%s\"}}\n", commands[i]);
	fclose(out);
	ret = qemu_send(q, QEMU_QMP, text, bytes);
	free(text);
	for (done = 0; done < nr && !ret; done++)
		ret = hmp_answer(q, &answers[done]);
	if (ret)
		for (i = 0; i + 1 < done; i++)
			free(answers[i]);
	return ret;
}

int qemu_hmp(struct qemu *q, const char *command, char **answer)
{
	return qemu_hmp_all(q, &command, 1, answer);
}

/* One byte from the stub; -1 with q->why. */
static int gdb_byte(struct qemu *q)
{
	struct qemu_input *in = &q->in[QEMU_GDB];
	double deadline = qemu_now() + q->wait_seconds;

	while (in->at == in->nr) {
		struct pollfd fd = { .fd = q->fds[QEMU_GDB], .events = POLLIN };

		if (qemu_drain(q, QEMU_GDB) || qemu_now() > deadline) {
			if (!qemu_alive(q))
				qemu_wrong(q, -EIO, "the gdb stub gives no answer");
			return -1;
		}
		if (in->at == in->nr)
			poll(&fd, 1, 200);
	}
	return (unsigned char)in->bytes[in->at++];
}

int qemu_gdb(struct qemu *q, const char *packet, char *answer, size_t answer_bytes)
{
	unsigned char sum = 0;
	size_t nr = 0;
	const char *p;
	char *text;
	int c, ret;

	for (p = packet; *p; p++)
		sum = (unsigned char)(sum + *p);
	if (asprintf(&text, "$%s#%02x", packet, sum) < 0)
		abort();
	ret = qemu_send(q, QEMU_GDB, text, strlen(text));
	free(text);
	if (ret)
		return ret;
	do {
		c = gdb_byte(q);
		if (c < 0)
			return -EIO;
	} while (c == '+');
	if (c != '$')
		return qemu_wrong(q, -EPROTO, "the gdb stub answers with byte 0x%x", c);
	for (;;) {
		c = gdb_byte(q);
		if (c < 0)
			return -EIO;
		if (c == '#')
			break;
		if (c == '}') {
			c = gdb_byte(q);
			c = c < 0 ? c : c ^ 0x20;
		}
		if (nr + 1 >= answer_bytes)
			return qemu_wrong(q, -EPROTO, "the gdb stub's answer is too long");
		answer[nr++] = (char)c;
	}
	answer[nr] = 0;
	if (gdb_byte(q) < 0 || gdb_byte(q) < 0)
		return -EIO;
	return qemu_send(q, QEMU_GDB, "+", 1);
}

/* A target description as allocated text, its comments blanked: they may hold what looks like a register. */
static char *gdb_description(struct qemu *q, const char *name)
{
	char packet[160], *answer = malloc(1 << 16), *all = NULL, *from, *to;
	size_t bytes = 0;
	FILE *out = open_memstream(&all, &bytes);
	bool more = true;

	if (!answer || !out)
		abort();
	while (more) {
		fflush(out);
		snprintf(packet, sizeof(packet), "qXfer:features:read:%s:%zx,ff0", name, bytes);
		if (qemu_gdb(q, packet, answer, 1 << 16) || (*answer != 'm' && *answer != 'l')) {
			fclose(out);
			free(all);
			free(answer);
			return NULL;
		}
		fputs(answer + 1, out);
		more = *answer == 'm';
	}
	fclose(out);
	free(answer);
	while ((from = strstr(all, "<!--")) && (to = strstr(from, "-->")))
		memset(from, ' ', (size_t)(to - from) + 3);
	return all;
}

/* The value of attribute="..." in the element that starts at at, or NULL. */
static const char *xml_attribute(const char *at, const char *attribute, char *value, size_t bytes)
{
	const char *end = strchr(at, '>'), *found;
	char key[40];
	size_t nr;

	snprintf(key, sizeof(key), " %s=\"", attribute);
	found = strstr(at, key);
	if (!end || !found || found > end)
		return NULL;
	found += strlen(key);
	nr = strcspn(found, "\"");
	if (nr >= bytes)
		return NULL;
	memcpy(value, found, nr);
	value[nr] = 0;
	return value;
}

/* Counts the registers of one description; true with *number if name is among them. */
static bool gdb_find(const char *text, const char *name, unsigned *number, unsigned *next)
{
	char value[80];
	const char *at = text;

	while ((at = strstr(at, "<reg "))) {
		if (xml_attribute(at, "regnum", value, sizeof(value)))
			*next = (unsigned)strtoul(value, NULL, 10);
		if (xml_attribute(at, "name", value, sizeof(value)) && !strcmp(value, name)) {
			*number = *next;
			return true;
		}
		++*next;
		at += 5;
	}
	return false;
}

int qemu_gdb_register(struct qemu *q, const char *name, unsigned *number)
{
	char *target = gdb_description(q, "target.xml"), *part, file[80];
	const char *at = target;
	unsigned next = 0;
	bool found = false;

	while (target && !found && (at = strstr(at, "<xi:include "))) {
		if (!xml_attribute(at, "href", file, sizeof(file)))
			break;
		part = gdb_description(q, file);
		if (!part)
			break;
		found = gdb_find(part, name, number, &next);
		free(part);
		at += 5;
	}
	free(target);
	return found ? 0 : qemu_wrong(q, -ENOENT, "the gdb stub describes no register called %s", name);
}

int qemu_gdb_set(struct qemu *q, unsigned number, uint64_t value)
{
	char packet[64], answer[64];
	int ret;

	snprintf(packet, sizeof(packet), "P%x=%016llx", number, (unsigned long long)__builtin_bswap64(value));
	ret = qemu_gdb(q, packet, answer, sizeof(answer));
	if (ret)
		return ret;
	return strcmp(answer, "OK") ? qemu_wrong(q, -EPROTO, "the gdb stub does not write register %u: '%.40s'", number, answer) : 0;
}
