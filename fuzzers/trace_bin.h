/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_bin.h - the compact form of a trace, and what a fuzzer's input means. Any bytes decode to a configuration and operations that are
 * mostly valid; the text form, not this one, is what a regression is kept in.
 *
 *   magic    "HTL", a version byte                 left out: as if it were there, version 1
 *   format   a byte: index into trace_formats, modulo their number
 *   config   a byte: 0 to 254: index into the format's list of configurations, modulo their number;
 *            255: a number whose bit n says that config_keys[n] follows; a byte each, a bitmap as a number
 *   operations, each a byte b, then
 *     b >= 0xf8  literal, kind b & 7. The fields that the kind has, in this order: iova, last - iova, oa: numbers; prot: a byte;
 *                extras (map cut unmap dirty): a byte: how many devices (bits 0 to 2, modulo 5), clear (3), fail follows (4); fail: a
 *                number;
 *                for each device at * 2 + write and iova: numbers
 *     b < 0xf0   relative: kind from b & 15, picked (pick.h) with draws from the bytes that follow; if b >> 4 is 12 or 14, then a fail;
 *                if it is 13 or 14, then devices
 *     otherwise  relative: kind from b & 15; 0xf0 to 0xf3: then spoiled; 0xf4 to 0xf7: then a fail, then devices
 *
 * In version 2 a literal sync is followed by a byte, modulo 5: 0: a sync it is; 1 to 3: the operation that comes now is by this writer of a
 * round, if its kind may be and it is no literal sync, and has no device; 4: a switch: a byte, how many, modulo 17; for each a byte, modulo
 * 9, (writer - 1) + 3 * (to - 1), and at: a number. A second switch of a writer at one number is none.
 *
 * A number is LEB128, of which 64 bits count. A draw with a bound up to 2^8 takes a byte, up to 2^16 two, else four, low byte first,
 * modulo the bound. Bytes past the end are 0; an operation that starts there is none. What a relative operation is depends on the interval
 * map, the configuration and the bytes before it. Literal operations take part in none of this: they are what they say, valid or not.
 */
#ifndef HITLESS_TRACE_BIN_H
#define HITLESS_TRACE_BIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../oracle/hw.h"
#include "../oracle/imap.h"
#include "op.h"
#include "pick.h"

/* The newest one. Version 1 has no rounds; a trace without any is still written in it. */
#define TRACE_BIN_VERSION 2
#define TRACE_FORMATS_NR 9

/* Names by the format byte. Only ever appended to. */
extern const char *const trace_formats[TRACE_FORMATS_NR];

/*
 * The list of configurations of a format, as config_parse reads them, the format's name included, NULL at the end; or NULL if there is no
 * such format. one_input_configs makes it from engine_ops.configs.
 */
typedef const char *const *trace_configs_fn(const char *format);

/*
 * struct trace_bin - reading a buffer.
 *
 * @cfg: filled in by trace_bin_open; not resolved
 */
struct trace_bin {
	const uint8_t *at, *end;
	struct config cfg;
	struct pick pick;
	bool started;
	uint8_t version;
};

/*
 * trace_bin_open - start reading bytes at buf, which is borrowed. Never fails: b->cfg is a configuration that config_parse would take, but
 * the engine may refuse it, or not have its format. configs may be NULL: the format's defaults are used for every index.
 */
void trace_bin_open(struct trace_bin *b, const uint8_t *buf, size_t bytes, trace_configs_fn *configs);

/*
 * trace_bin_next - the next operation. im and hw are those of the run so far: every operation before this one has been executed. hw is
 * the same each time. False at the end.
 */
bool trace_bin_next(struct trace_bin *b, const struct imap *im, const struct hw *hw, struct op *op);

/* Whether these bytes claim to be the binary form. */
bool trace_bin_has_magic(const uint8_t *buf, size_t bytes);

/* For a file that is to mean what it says: 0, or -EINVAL: no magic, unknown version or format, no configuration. err->line is 0. */
int trace_bin_strict(const uint8_t *buf, size_t bytes, struct trace_error *err);

/*
 * trace_bin_write - the binary form of t, all literal, so that it needs no interval map to read. *buf is to be freed by the caller.
 * 0; -ENOENT: the format is not in trace_formats; -EINVAL: an operation of no kind. *buf is NULL then.
 */
int trace_bin_write(const struct trace *t, uint8_t **buf, size_t *bytes);

#endif
