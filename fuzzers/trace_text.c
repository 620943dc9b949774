/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_text.c - the text form of a trace, which is the reference. Lines end in LF or CR LF; "#" starts a comment; blank lines do not
 * count.
 *
 *   hitless 1                                     the version; first
 *   format NAME KEY=VALUE...                      the configuration; second
 *   map   IOVA -> OA +LENGTH PROT EXTRA...        or: map [IOVA, LAST] -> OA PROT EXTRA...
 *   cut   IOVA EXTRA...
 *   unmap IOVA +LENGTH EXTRA...                   or: unmap [IOVA, LAST] EXTRA...
 *   dirty IOVA +LENGTH [clear] EXTRA...           likewise
 *   read, write, translate IOVA
 *   sync
 *   thread N map ...                              map cut unmap dirty translate: writer N of a round, 1 to 3; no "at"
 *   switch N at M to K, ...                       ends a round and runs it: just before writer N's primitive number M (from 0; one that
 *                                                 it does not reach: when it has ended) writer K goes on. May say nothing: one by one
 *
 * PROT is letters of r w x, or "-" for none of them; then any of the words mmio cache priv bit6 bit7. EXTRA is fail=N, once: the N-th
 * allocation fails; or "at N read IOVA", "at N write IOVA", up to OP_DEVICES_MAX times: the device acts before attempt N (from 0) to store.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "op.h"
#include "scan.h"

static const char *const prot_words[8] = {
	[3] = "mmio", [4] = "cache", [5] = "priv", [6] = "bit6", [7] = "bit7",
};

/* --- reading --- */

static int parse_number(const struct word *w, const char *what, uint64_t max, uint64_t *value, struct trace_error *err)
{
	bool overflow;

	if (!word_number(w, value, &overflow)) {
		if (overflow)
			return refuse_word(err, w, "%s does not fit 64 bits", what);
		return refuse_word(err, w, "%s is expected, a number, decimal or 0x hexadecimal", what);
	}
	if (*value > max)
		return refuse_word(err, w, "%s is at most %" PRIu64, what, max);
	return 0;
}

static int next_number(const char **text, const char *what, uint64_t max, uint64_t *value, struct trace_error *err)
{
	struct word w;

	scan_word(text, &w);
	return parse_number(&w, what, max, value, err);
}

static int next_is(const char **text, const char *name, struct trace_error *err)
{
	struct word w;

	scan_word(text, &w);
	return word_is(&w, name) ? 0 : refuse_word(err, &w, "\"%s\" is expected here", name);
}

/* "IOVA" or "[IOVA, LAST]"; *has_last says which. */
static int parse_start(const char **text, struct op *op, bool *has_last, struct trace_error *err)
{
	struct word w;
	int ret;

	scan_word(text, &w);
	*has_last = word_is(&w, "[");
	if (!*has_last)
		return parse_number(&w, "an iova", UINT64_MAX, &op->iova, err);
	ret = next_number(text, "an iova", UINT64_MAX, &op->iova, err);
	if (!ret)
		ret = next_is(text, ",", err);
	if (!ret)
		ret = next_number(text, "the last iova", UINT64_MAX, &op->last, err);
	return ret ? ret : next_is(text, "]", err);
}

static int parse_length(const char **text, struct op *op, struct trace_error *err)
{
	struct word w, number;
	uint64_t length;
	int ret;

	scan_word(text, &w);
	if (w.nr < 2 || *w.at != '+')
		return refuse_word(err, &w, "+LENGTH is expected here");
	number = (struct word){ .at = w.at + 1, .nr = w.nr - 1 };
	ret = parse_number(&number, "a length", UINT64_MAX, &length, err);
	if (ret)
		return ret;
	if (!length)
		return refuse_word(err, &w, "a length is at least 1; a range that ends before it starts is written [IOVA, LAST]");
	if (__builtin_add_overflow(op->iova, length - 1, &op->last))
		return refuse_word(err, &w, "the range passes the end of the 64-bit space; one that wraps is written [IOVA, LAST]");
	return 0;
}

static int parse_range(const char **text, struct op *op, struct trace_error *err)
{
	bool has_last;
	int ret = parse_start(text, op, &has_last, err);

	return ret || has_last ? ret : parse_length(text, op, err);
}

static int parse_access(const char **text, struct op *op, struct trace_error *err)
{
	static const char letters[] = "rwx";
	struct word w;

	scan_word(text, &w);
	if (word_is(&w, "-"))
		return 0;
	if (!w.nr)
		return refuse_word(err, &w, "an access is expected, letters of r w x, or - for none");
	for (size_t i = 0; i < w.nr; i++) {
		const char *letter = strchr(letters, w.at[i]);

		if (!letter)
			return refuse_word(err, &w, "an access is expected, letters of r w x, or - for none");
		if (op->prot & 1 << (letter - letters))
			return refuse_word(err, &w, "%c is given twice", *letter);
		op->prot |= 1 << (letter - letters);
	}
	return 0;
}

static int parse_prot(const char **text, struct op *op, struct trace_error *err)
{
	int ret = parse_access(text, op, err);

	while (!ret) {
		const char *rest = *text;
		unsigned bit = 3;
		struct word w;

		scan_word(&rest, &w);
		while (bit < 8 && !word_is(&w, prot_words[bit]))
			bit++;
		if (bit == 8)
			break;
		if (op->prot & 1 << bit)
			return refuse_word(err, &w, "given twice");
		op->prot |= 1 << bit;
		*text = rest;
	}
	return ret;
}

static int parse_map(const char **text, struct op *op, struct trace_error *err)
{
	bool has_last;
	int ret = parse_start(text, op, &has_last, err);

	if (!ret)
		ret = next_is(text, "->", err);
	if (!ret)
		ret = next_number(text, "an oa", UINT64_MAX, &op->oa, err);
	if (!ret && !has_last)
		ret = parse_length(text, op, err);
	return ret ? ret : parse_prot(text, op, err);
}

static int parse_fail(const struct word *w, struct op *op, struct trace_error *err)
{
	struct word number = { .at = w->at + 5, .nr = w->nr - 5 };
	uint64_t fail;
	bool overflow;

	if (op->fail)
		return refuse_word(err, w, "fail= is given twice");
	if (!word_number(&number, &fail, &overflow) || fail < 1 || fail > UINT16_MAX)
		return refuse_word(err, w, "fail= takes 1 to %u, the number of the allocation", UINT16_MAX);
	op->fail = fail;
	return 0;
}

static int parse_device(const char **text, struct op *op, struct trace_error *err)
{
	struct op_device *dev = &op->devices[op->devices_nr];
	uint64_t at;
	struct word w;
	int ret;

	if (op->devices_nr == OP_DEVICES_MAX)
		return refuse(err, "an operation takes at most %d times \"at\"", OP_DEVICES_MAX);
	ret = next_number(text, "the number of a store", UINT16_MAX, &at, err);
	if (ret)
		return ret;
	scan_word(text, &w);
	if (!word_is(&w, "read") && !word_is(&w, "write"))
		return refuse_word(err, &w, "after \"at N\" the device either reads or writes: \"read IOVA\" or \"write IOVA\"");
	dev->at = at;
	dev->write = word_is(&w, "write");
	op->devices_nr++;
	return next_number(text, "an iova", UINT64_MAX, &dev->iova, err);
}

static int parse_extras(const char **text, struct op *op, struct trace_error *err)
{
	struct word w;
	int ret = 0;

	while (!ret && scan_word(text, &w)) {
		if (op->kind > OP_DIRTY)
			ret = refuse_word(err, &w, "%s takes nothing more", op_name(op->kind));
		else if (op->kind == OP_DIRTY && !op->clear && word_is(&w, "clear"))
			op->clear = true;
		else if (w.nr >= 5 && !memcmp(w.at, "fail=", 5))
			ret = parse_fail(&w, op, err);
		else if (word_is(&w, "at") && op->thread)
			ret = refuse_word(err, &w, "the device does not act within an operation of a round");
		else if (word_is(&w, "at"))
			ret = parse_device(text, op, err);
		else
			ret = refuse_word(err, &w, "%s takes no such word here", op_name(op->kind));
	}
	return ret;
}

/* A writer's number. */
static int next_writer(const char **text, uint8_t *writer, struct trace_error *err)
{
	uint64_t number;
	int ret = next_number(text, "the number of a writer", MEM_WRITERS_MAX, &number, err);

	*writer = (uint8_t)number;
	return ret || number ? ret : refuse(err, "writers are numbered from 1");
}

/* "N at M to K", one or more, a comma between two; nothing at all is fine. */
static int parse_switches(const char **text, struct op *op, struct trace_error *err)
{
	const char *rest = *text;
	struct word w;
	int ret;

	if (!scan_word(&rest, &w))
		return 0;
	for (;;) {
		struct op_switch *s = &op->switches[op->switches_nr];
		uint64_t at;

		if (op->switches_nr == OP_SWITCHES_MAX)
			return refuse(err, "a round takes at most %d switches", OP_SWITCHES_MAX);
		ret = next_writer(text, &s->writer, err);
		if (!ret)
			ret = next_is(text, "at", err);
		if (!ret)
			ret = next_number(text, "the number of a primitive", UINT16_MAX, &at, err);
		if (!ret)
			ret = next_is(text, "to", err);
		if (!ret)
			ret = next_writer(text, &s->to, err);
		if (ret)
			return ret;
		s->at = (uint16_t)at;
		for (unsigned i = 0; i < op->switches_nr; i++)
			if (op->switches[i].writer == s->writer && op->switches[i].at == s->at)
				return refuse(err, "two switches at primitive %u of writer %u", s->at, s->writer);
		op->switches_nr++;
		if (!scan_word(text, &w))
			return 0;
		if (!word_is(&w, ","))
			return refuse_word(err, &w, "a comma is expected between switches");
	}
}

static int parse_op(const char *text, struct op *op, struct trace_error *err)
{
	struct word w;
	int ret = 0;

	memset(op, 0, sizeof(*op));
	scan_word(&text, &w);
	if (word_is(&w, "thread")) {
		ret = next_writer(&text, &op->thread, err);
		if (ret)
			return ret;
		scan_word(&text, &w);
	}
	while (op->kind < OP_NR && !word_is(&w, op_name(op->kind)))
		op->kind++;
	if (op->thread && op->kind < OP_NR && !op_may_thread(op->kind))
		return refuse_word(err, &w, "is no operation of a round; map cut unmap dirty translate are");
	switch (op->kind) {
	case OP_MAP:
		ret = parse_map(&text, op, err);
		break;
	case OP_UNMAP:
	case OP_DIRTY:
		ret = parse_range(&text, op, err);
		break;
	case OP_CUT:
	case OP_READ:
	case OP_WRITE:
	case OP_TRANSLATE:
		ret = next_number(&text, "an iova", UINT64_MAX, &op->iova, err);
		break;
	case OP_SYNC:
		break;
	case OP_SWITCH:
		ret = parse_switches(&text, op, err);
		break;
	default:
		return refuse_word(err, &w, "no operation has this name; there are map cut unmap dirty read write translate sync thread switch");
	}
	return ret ? ret : parse_extras(&text, op, err);
}

static int parse_version(const char *text, struct trace_error *err)
{
	uint64_t version;
	struct word w;
	int ret;

	scan_word(&text, &w);
	if (!word_is(&w, "hitless"))
		return refuse_word(err, &w, "a trace starts with \"hitless %d\"", TRACE_VERSION);
	ret = next_number(&text, "the version of the trace", UINT64_MAX, &version, err);
	if (ret)
		return ret;
	if (version != TRACE_VERSION)
		return refuse(err, "version %" PRIu64 " is not known; this program reads version %d", version, TRACE_VERSION);
	return scan_word(&text, &w) ? refuse_word(err, &w, "nothing more follows the version") : 0;
}

static int parse_format(const char *text, struct config *cfg, struct trace_error *err)
{
	struct word w;

	scan_word(&text, &w);
	if (!word_is(&w, "format"))
		return refuse_word(err, &w, "the second line is the configuration: \"format NAME KEY=VALUE...\"");
	return config_parse(text, cfg, err);
}

/* Copy one line without its end and its comment to buf. 0, or -EINVAL. */
static int copy_line(const char *text, size_t bytes, char *buf, struct trace_error *err)
{
	if (bytes && text[bytes - 1] == '\r')
		bytes--;
	if (memchr(text, 0, bytes))
		return refuse(err, "there is a NUL byte in the line: this is no text");
	if (bytes > TRACE_LINE_MAX)
		return refuse(err, "the line has %zu characters, at most %d are read", bytes, TRACE_LINE_MAX);
	memcpy(buf, text, bytes);
	buf[bytes] = 0;
	buf[strcspn(buf, "#")] = 0;
	return 0;
}

/* Whether op may follow what there is: rounds must be whole. */
static int check_round_line(const struct trace *t, const struct op *op, struct trace_error *err)
{
	size_t waiting = ops_waiting(t->ops, t->nr), i, k;
	bool threads = op->thread;

	for (i = t->nr - waiting; threads && i < t->nr; i++)
		if (t->ops[i].thread == op->thread)
			return refuse(err, "there is a thread %u in this round already; a round ends with a switch line", op->thread);
	if (op->kind != OP_SWITCH)
		return waiting && !threads ? refuse(err, "operations with a thread number come before this, and no switch line") : 0;
	if (!waiting)
		return refuse(err, "no operation with a thread number comes before this switch");
	for (k = 0; k < op->switches_nr; k++) {
		unsigned writer = 0, to = 0;

		for (i = t->nr - waiting; i < t->nr; i++) {
			writer |= t->ops[i].thread == op->switches[k].writer;
			to |= t->ops[i].thread == op->switches[k].to;
		}
		if (!writer || !to)
			return refuse(err, "there is no thread %u in this round", writer ? op->switches[k].to : op->switches[k].writer);
	}
	return 0;
}

/* lines: how many have been read that are neither blank nor a comment alone. */
static int parse_line(struct trace *t, const char *line, unsigned *lines, struct trace_error *err)
{
	struct op op;
	int ret;

	if (!line[strspn(line, " \t")])
		return 0;
	if (*lines < 2)
		return (*lines)++ ? parse_format(line, &t->cfg, err) : parse_version(line, err);
	ret = parse_op(line, &op, err);
	if (!ret)
		ret = check_round_line(t, &op, err);
	if (!ret && t->nr == TRACE_OPS_MAX)
		ret = refuse(err, "a trace has at most %u operations", TRACE_OPS_MAX);
	if (!ret)
		trace_push(t, &op);
	return ret;
}

int trace_parse(struct trace *t, const char *text, size_t bytes, struct trace_error *err)
{
	unsigned line = 0, lines = 0, format = 0;
	char buf[TRACE_LINE_MAX + 1];
	size_t at = 0, nr;
	int ret = 0;

	trace_init(t);
	for (; !ret && at < bytes; at += nr + 1) {
		const char *eol = memchr(text + at, '\n', bytes - at);

		line++;
		nr = eol ? (size_t)(eol - text) - at : bytes - at;
		ret = copy_line(text + at, nr, buf, err);
		if (!ret)
			ret = parse_line(t, buf, &lines, err);
		if (!format && lines == 2)
			format = line;
	}
	if (!ret && lines == 0)
		ret = refuse(err, "the trace is empty; it starts with \"hitless %d\"", TRACE_VERSION);
	else if (!ret && lines == 1)
		ret = refuse(err, "the trace ends without a line \"format NAME KEY=VALUE...\"");
	else if (!ret && ops_waiting(t->ops, t->nr))
		ret = refuse(err, "the trace ends with operations that have a thread number, and no switch line");
	if (ret) {
		err->line = line;
		trace_release(t);
	} else {
		err->line = format;
	}
	return ret;
}

/* --- writing --- */

struct line {
	char *buf;
	size_t at;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *l, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	l->at += vsnprintf(l->buf + l->at, OP_TEXT_MAX - l->at, format, args);
	va_end(args);
}

static void put_prot(struct line *l, unsigned prot)
{
	put(l, " %s%s%s%s", prot & PROT_R ? "r" : "", prot & PROT_W ? "w" : "", prot & PROT_X ? "x" : "", prot & PROT_ACCESS ? "" : "-");
	for (unsigned bit = 3; bit < 8; bit++) {
		if (prot & 1 << bit)
			put(l, " %s", prot_words[bit]);
	}
}

static void put_extras(struct line *l, const struct op *op)
{
	if (op->kind == OP_DIRTY && op->clear)
		put(l, " clear");
	if (op->fail)
		put(l, " fail=%u", op->fail);
	for (unsigned i = 0; !op->thread && i < op->devices_nr && i < OP_DEVICES_MAX; i++) {
		const struct op_device *dev = &op->devices[i];

		put(l, " at %u %s 0x%" PRIx64, dev->at, dev->write ? "write" : "read", dev->iova);
	}
}

static void put_switches(struct line *l, const struct op *op)
{
	put(l, "switch");
	for (unsigned i = 0; i < op->switches_nr && i < OP_SWITCHES_MAX; i++)
		put(l, "%s %u at %u to %u", i ? "," : "", op->switches[i].writer, op->switches[i].at, op->switches[i].to);
}

/*
 * The longest is a map in brackets with every prot word and extra, each number at its widest: fewer than 260 characters; or a switch with all
 * that it may have, fewer than 290.
 */
void op_print(const struct op *op, char *buf)
{
	bool ranged = op->kind == OP_MAP || op->kind == OP_UNMAP || op->kind == OP_DIRTY;
	bool plus = op->last >= op->iova && op->last - op->iova != UINT64_MAX;
	struct line l = { .buf = buf };

	if (op->kind == OP_SYNC) {
		put(&l, "sync");
		return;
	}
	if (op->kind == OP_SWITCH) {
		put_switches(&l, op);
		return;
	}
	if (op->thread && op_may_thread(op->kind))
		put(&l, "thread %u ", op->thread);
	put(&l, "%-5s ", op_name(op->kind));
	if (!ranged || plus)
		put(&l, "0x%" PRIx64, op->iova);
	else
		put(&l, "[0x%" PRIx64 ", 0x%" PRIx64 "]", op->iova, op->last);
	if (op->kind == OP_MAP)
		put(&l, " -> 0x%" PRIx64, op->oa);
	if (ranged && plus)
		put(&l, " +0x%" PRIx64, op->last - op->iova + 1);
	if (op->kind == OP_MAP)
		put_prot(&l, op->prot);
	if (op->kind <= OP_DIRTY)
		put_extras(&l, op);
}

void trace_print(const struct trace *t, FILE *out)
{
	char text[CONFIG_TEXT_MAX > OP_TEXT_MAX ? CONFIG_TEXT_MAX : OP_TEXT_MAX];

	config_print(&t->cfg, text, sizeof(text));
	fprintf(out, "hitless %d\nformat %s\n", TRACE_VERSION, text);
	for (size_t i = 0; i < t->nr; i++) {
		op_print(&t->ops[i], text);
		fprintf(out, "%s\n", text);
	}
}
