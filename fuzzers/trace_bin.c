/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_bin.c - the compact form of a trace; see trace_bin.h for its layout. Which addresses a relative operation takes is in pick.c.
 */
#include "trace_bin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_key.h"
#include "scan.h"

#define CONFIG_LITERAL 255
#define OP_LITERAL 0xf8
#define OP_SPOILED 0xf0
#define DEVICES_MASK 7
#define EXTRA_CLEAR (1 << 3)
#define EXTRA_FAIL (1 << 4)
#define SYNC_SWITCH 4 /* what follows a literal sync of version 2; 1 to 3: a writer of a round */

static const uint8_t magic[] = { 'H', 'T', 'L' };

const char *const trace_formats[TRACE_FORMATS_NR] = {
	"amdv1", "vtdss", "armv8_4k", "riscv64", "x86_64", "armv8_16k", "armv8_64k", "armv7s", "dart",
};

_Static_assert(OP_SYNC == 7, "a literal operation has three bits for its kind; a switch is one of the syncs");
_Static_assert(MEM_WRITERS_MAX == 3, "the layout names three writers");
_Static_assert(CONFIG_KEYS_NR <= 64, "one bit for each key");

/* How often each kind comes in random bytes, out of 16. A literal or spoiled operation is about 1 in 32. */
static const uint8_t relative_kinds[16] = {
	OP_MAP, OP_MAP, OP_MAP, OP_MAP,   OP_CUT,  OP_CUT,   OP_UNMAP,     OP_DIRTY,
	OP_MAP, OP_CUT, OP_CUT, OP_UNMAP, OP_READ, OP_WRITE, OP_TRANSLATE, OP_SYNC,
};

/* --- reading --- */

static uint8_t get_byte(struct trace_bin *b)
{
	return b->at < b->end ? *b->at++ : 0;
}

static uint64_t get_number(struct trace_bin *b)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = get_byte(b);

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
	}
	return value;
}

static uint32_t draw_bytes(void *source, uint32_t bound)
{
	struct trace_bin *b = source;
	uint32_t value = 0, bytes = bound <= 1 ? 0 : bound <= 0x100 ? 1 : bound <= 0x10000 ? 2 : 4;

	for (uint32_t i = 0; i < bytes; i++)
		value |= (uint32_t)get_byte(b) << 8 * i;
	return bytes ? value % bound : 0;
}

static void get_config_key(struct trace_bin *b, const struct config_key *key)
{
	uint64_t value = key->kind == CONFIG_BITMAP ? get_number(b) : get_byte(b);

	if (key->kind == CONFIG_BITMAP)
		value &= -(UINT64_C(1) << key->min);
	else if (!config_fits(key, value))
		value = key->min + value % (key->max - key->min + 1);
	config_set(&b->cfg, key, value);
}

static void get_config(struct trace_bin *b, trace_configs_fn *configs)
{
	const char *format = trace_formats[get_byte(b) % TRACE_FORMATS_NR];
	uint8_t index = get_byte(b);
	const char *const *list = configs && index != CONFIG_LITERAL ? configs(format) : NULL;
	struct trace_error err;
	uint64_t keys;
	unsigned nr = 0;

	while (list && list[nr])
		nr++;
	if (nr && !config_parse(list[index % nr], &b->cfg, &err))
		return;
	config_unset(&b->cfg);
	snprintf(b->cfg.format, sizeof(b->cfg.format), "%s", format);
	keys = index == CONFIG_LITERAL ? get_number(b) : 0;
	for (unsigned i = 0; i < CONFIG_KEYS_NR; i++) {
		if (keys >> i & 1)
			get_config_key(b, &config_keys[i]);
	}
}

void trace_bin_open(struct trace_bin *b, const uint8_t *buf, size_t bytes, trace_configs_fn *configs)
{
	memset(b, 0, sizeof(*b));
	b->at = buf;
	b->end = bytes ? buf + bytes : buf;
	b->version = 1;
	if (trace_bin_has_magic(buf, bytes)) {
		b->at += sizeof(magic);
		b->version = get_byte(b);
	}
	if (b->version != 1)
		b->version = TRACE_BIN_VERSION;
	get_config(b, configs);
}

static void get_extras(struct trace_bin *b, struct op *op)
{
	uint8_t extras = get_byte(b);

	op->devices_nr = (extras & DEVICES_MASK) % (OP_DEVICES_MAX + 1);
	op->clear = op->kind == OP_DIRTY && extras & EXTRA_CLEAR;
	if (extras & EXTRA_FAIL)
		op->fail = get_number(b);
	for (unsigned i = 0; i < op->devices_nr; i++) {
		uint64_t at = get_number(b);

		op->devices[i].at = at >> 1;
		op->devices[i].write = at & 1;
		op->devices[i].iova = get_number(b);
	}
}

static void get_literal(struct trace_bin *b, enum op_kind kind, struct op *op)
{
	memset(op, 0, sizeof(*op));
	op->kind = kind;
	if (kind != OP_SYNC)
		op->iova = get_number(b);
	if (kind == OP_MAP || kind == OP_UNMAP || kind == OP_DIRTY)
		op->last = op->iova + get_number(b);
	if (kind == OP_MAP) {
		op->oa = get_number(b);
		op->prot = get_byte(b);
	}
	if (kind <= OP_DIRTY)
		get_extras(b, op);
}

static void get_relative(struct trace_bin *b, uint8_t first, struct op *op)
{
	enum op_kind kind = relative_kinds[first & 15];
	unsigned how = first >> 4;

	if (kind == OP_DIRTY && !b->pick.hw->has_dirty)
		kind = OP_CUT;
	pick_op(&b->pick, kind, op);
	if (how == 15 && first < OP_SPOILED + 4)
		pick_spoil(&b->pick, op);
	else if (how == 15)
		how = 14;
	if (how == 12 || how == 14)
		pick_fail(&b->pick, op);
	if (how == 13 || how == 14)
		pick_devices(&b->pick, op);
}

static void get_switches(struct trace_bin *b, struct op *op)
{
	unsigned nr = get_byte(b) % (OP_SWITCHES_MAX + 1), i;

	memset(op, 0, sizeof(*op));
	op->kind = OP_SWITCH;
	for (; nr; nr--) {
		uint8_t who = get_byte(b) % (MEM_WRITERS_MAX * MEM_WRITERS_MAX);
		struct op_switch s = { .writer = who % MEM_WRITERS_MAX + 1, .to = who / MEM_WRITERS_MAX + 1, .at = get_number(b) };

		for (i = 0; i < op->switches_nr && (op->switches[i].writer != s.writer || op->switches[i].at != s.at); i++)
			;
		if (i == op->switches_nr)
			op->switches[op->switches_nr++] = s;
	}
}

static void get_op(struct trace_bin *b, uint8_t first, struct op *op)
{
	if (first >= OP_LITERAL)
		get_literal(b, first & 7, op);
	else
		get_relative(b, first, op);
}

/* A literal sync of version 2. */
static void get_round(struct trace_bin *b, struct op *op)
{
	uint8_t what = get_byte(b) % (SYNC_SWITCH + 1);

	if (what == SYNC_SWITCH) {
		get_switches(b, op);
		return;
	}
	get_op(b, what ? get_byte(b) : OP_LITERAL | OP_SYNC, op);
	if (!op_may_thread(op->kind))
		return;
	op->thread = what;
	op->devices_nr = 0;
	memset(op->devices, 0, sizeof(op->devices));
}

bool trace_bin_next(struct trace_bin *b, const struct imap *im, const struct hw *hw, struct op *op)
{
	uint8_t first;

	if (b->at == b->end)
		return false;
	if (!b->started)
		pick_init(&b->pick, draw_bytes, b, im, hw);
	b->started = true;
	b->pick.source = b;
	b->pick.im = im;
	b->pick.hw = hw;
	first = get_byte(b);
	if (first == (OP_LITERAL | OP_SYNC) && b->version > 1)
		get_round(b, op);
	else
		get_op(b, first, op);
	return true;
}

bool trace_bin_has_magic(const uint8_t *buf, size_t bytes)
{
	return bytes >= sizeof(magic) && !memcmp(buf, magic, sizeof(magic));
}

int trace_bin_strict(const uint8_t *buf, size_t bytes, struct trace_error *err)
{
	err->line = 0;
	if (!trace_bin_has_magic(buf, bytes))
		return refuse(err, "a binary trace starts with the bytes HTL");
	if (bytes < sizeof(magic) + 3)
		return refuse(err, "the binary trace ends within its header");
	if (buf[3] < 1 || buf[3] > TRACE_BIN_VERSION)
		return refuse(err, "version %u of the binary form is not known; this program reads versions 1 and %d", buf[3], TRACE_BIN_VERSION);
	if (buf[4] >= TRACE_FORMATS_NR)
		return refuse(err, "the binary trace is for format number %u; this program knows 0 to %d", buf[4], TRACE_FORMATS_NR - 1);
	return 0;
}

/* --- writing --- */

struct sink {
	uint8_t *buf;
	size_t nr, room;
};

static void put_byte(struct sink *s, uint8_t byte)
{
	if (s->nr == s->room) {
		s->room = s->room ? 2 * s->room : 256;
		s->buf = realloc(s->buf, s->room);
		if (!s->buf) {
			fprintf(stderr, "hitless: out of memory for a trace of %zu bytes\n", s->room);
			exit(3);
		}
	}
	s->buf[s->nr++] = byte;
}

static void put_number(struct sink *s, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		put_byte(s, (uint8_t)value | 0x80);
	put_byte(s, value);
}

static void put_config(struct sink *s, unsigned format, const struct config *cfg)
{
	uint64_t keys = 0;

	for (unsigned i = 0; i < CONFIG_KEYS_NR; i++)
		keys |= (uint64_t)config_is_set(cfg, &config_keys[i]) << i;
	put_byte(s, format);
	put_byte(s, CONFIG_LITERAL);
	put_number(s, keys);
	for (unsigned i = 0; i < CONFIG_KEYS_NR; i++) {
		if (!config_is_set(cfg, &config_keys[i]))
			continue;
		if (config_keys[i].kind == CONFIG_BITMAP)
			put_number(s, config_get(cfg, &config_keys[i]));
		else
			put_byte(s, config_get(cfg, &config_keys[i]));
	}
}

static void put_extras(struct sink *s, const struct op *op)
{
	unsigned nr = op->thread ? 0 : op->devices_nr < OP_DEVICES_MAX ? op->devices_nr : OP_DEVICES_MAX;

	put_byte(s, nr | (op->kind == OP_DIRTY && op->clear ? EXTRA_CLEAR : 0) | (op->fail ? EXTRA_FAIL : 0));
	if (op->fail)
		put_number(s, op->fail);
	for (unsigned i = 0; i < nr; i++) {
		put_number(s, (uint64_t)op->devices[i].at << 1 | op->devices[i].write);
		put_number(s, op->devices[i].iova);
	}
}

static void put_switches(struct sink *s, const struct op *op)
{
	put_byte(s, OP_LITERAL | OP_SYNC);
	put_byte(s, SYNC_SWITCH);
	put_byte(s, op->switches_nr);
	for (unsigned i = 0; i < op->switches_nr && i < OP_SWITCHES_MAX; i++) {
		put_byte(s, op->switches[i].writer - 1 + MEM_WRITERS_MAX * (op->switches[i].to - 1));
		put_number(s, op->switches[i].at);
	}
}

static void put_op(struct sink *s, const struct op *op, uint8_t version)
{
	if (op->kind == OP_SWITCH) {
		put_switches(s, op);
		return;
	}
	if (op->thread && op_may_thread(op->kind)) {
		put_byte(s, OP_LITERAL | OP_SYNC);
		put_byte(s, op->thread);
	}
	put_byte(s, OP_LITERAL | op->kind);
	if (op->kind == OP_SYNC && version > 1)
		put_byte(s, 0);
	if (op->kind != OP_SYNC)
		put_number(s, op->iova);
	if (op->kind == OP_MAP || op->kind == OP_UNMAP || op->kind == OP_DIRTY)
		put_number(s, op->last - op->iova);
	if (op->kind == OP_MAP) {
		put_number(s, op->oa);
		put_byte(s, op->prot);
	}
	if (op->kind <= OP_DIRTY)
		put_extras(s, op);
}

int trace_bin_write(const struct trace *t, uint8_t **buf, size_t *bytes)
{
	struct sink s = { 0 };
	unsigned format = 0;
	uint8_t version = 1;

	*buf = NULL;
	*bytes = 0;
	while (format < TRACE_FORMATS_NR && strcmp(trace_formats[format], t->cfg.format))
		format++;
	if (format == TRACE_FORMATS_NR)
		return -ENOENT;
	for (size_t i = 0; i < t->nr; i++) {
		if (t->ops[i].kind >= OP_NR)
			return -EINVAL;
		if (t->ops[i].kind == OP_SWITCH || (t->ops[i].thread && op_may_thread(t->ops[i].kind)))
			version = TRACE_BIN_VERSION;
	}
	for (size_t i = 0; i < sizeof(magic); i++)
		put_byte(&s, magic[i]);
	put_byte(&s, version);
	put_config(&s, format, &t->cfg);
	for (size_t i = 0; i < t->nr; i++)
		put_op(&s, &t->ops[i], version);
	*buf = s.buf;
	*bytes = s.nr;
	return 0;
}
