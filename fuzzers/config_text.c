/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_text.c - a configuration as text. It checks each field alone; what goes together is the engine's ->resolve() to say.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config_key.h"
#include "op.h"
#include "scan.h"

static const char *const model_names[] = { "strong", "weak", "incoherent" };
static const char *const tlb_names[] = { "generic", "amd", "vtd", "arm", "riscv", "armv7s", "dart" };
static const char *const tables_names[] = { "low", "high", "straddle", "limit" };

_Static_assert(sizeof(model_names) / sizeof(model_names[0]) == MODEL_NR, "one name per enum config_model");
_Static_assert(sizeof(tlb_names) / sizeof(tlb_names[0]) == TLB_NR, "one name per enum config_tlb");
_Static_assert(sizeof(tables_names) / sizeof(tables_names[0]) == TABLES_NR, "one name per enum config_tables");

#define FIELD(f) .name = #f, .offset = offsetof(struct config, f)

const struct config_key config_keys[CONFIG_KEYS_NR] = {
	{ FIELD(levels), .kind = CONFIG_NUMBER, .min = 1, .max = CONFIG_LEVELS_MAX },
	{ FIELD(ias), .kind = CONFIG_NUMBER, .min = 12, .max = 64 },
	{ FIELD(oas), .kind = CONFIG_NUMBER, .min = 12, .max = 64 },
	{ FIELD(stage), .kind = CONFIG_NUMBER, .min = 1, .max = 2, .zero = true },
	{ FIELD(half), .kind = CONFIG_NUMBER, .min = 0, .max = 1 },
	{ FIELD(bbm), .kind = CONFIG_NUMBER, .min = 0, .max = 2 },
	{ FIELD(napot), .kind = CONFIG_SWITCH, .max = 1 },
	{ FIELD(pbmt), .kind = CONFIG_SWITCH, .max = 1 },
	{ FIELD(sign), .kind = CONFIG_SWITCH, .max = 1 },
	{ FIELD(coherent), .kind = CONFIG_SWITCH, .max = 1 },
	{ FIELD(ad), .kind = CONFIG_SWITCH, .max = 1 },
	{ FIELD(cbit), .kind = CONFIG_NUMBER, .min = 12, .max = 63, .zero = true },
	{ FIELD(snp), .kind = CONFIG_SWITCH, .max = 1 },
	{ FIELD(lpa), .kind = CONFIG_SWITCH, .max = 1 },
	{ FIELD(pgsizes), .kind = CONFIG_BITMAP, .min = 12, .max = 63 },
	{ FIELD(negcache), .kind = CONFIG_SWITCH, .max = 1 },
	{ FIELD(defer), .kind = CONFIG_SWITCH, .max = 1 },
	{ FIELD(model), .kind = CONFIG_CHOICE, .max = MODEL_NR - 1, .names = model_names },
	{ FIELD(tlb), .kind = CONFIG_CHOICE, .max = TLB_NR - 1, .names = tlb_names },
	{ FIELD(tables), .kind = CONFIG_CHOICE, .max = TABLES_NR - 1, .names = tables_names },
	{ FIELD(tiny), .kind = CONFIG_NUMBER, .min = 2, .max = 4, .zero = true },
};

uint64_t config_get(const struct config *cfg, const struct config_key *key)
{
	const char *field = (const char *)cfg + key->offset;
	uint64_t bitmap;

	if (key->kind != CONFIG_BITMAP)
		return *(const uint8_t *)field;
	memcpy(&bitmap, field, sizeof(bitmap));
	return bitmap;
}

void config_set(struct config *cfg, const struct config_key *key, uint64_t value)
{
	char *field = (char *)cfg + key->offset;

	if (key->kind == CONFIG_BITMAP)
		memcpy(field, &value, sizeof(value));
	else
		*(uint8_t *)field = value;
}

static uint64_t config_unset_value(const struct config_key *key)
{
	return key->kind == CONFIG_BITMAP ? 0 : CONFIG_UNSET;
}

bool config_is_set(const struct config *cfg, const struct config_key *key)
{
	return config_get(cfg, key) != config_unset_value(key);
}

bool config_fits(const struct config_key *key, uint64_t value)
{
	if (key->kind == CONFIG_BITMAP)
		return value && !(value & ((UINT64_C(1) << key->min) - 1));
	return (value >= key->min && value <= key->max) || (key->zero && !value);
}

void config_unset(struct config *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	for (unsigned i = 0; i < CONFIG_KEYS_NR; i++)
		config_set(cfg, &config_keys[i], config_unset_value(&config_keys[i]));
}

static int refuse_value(struct trace_error *err, const struct config_key *key, const struct word *value)
{
	char names[80] = "";
	int shown = value->nr > 24 ? 24 : (int)value->nr;

	switch (key->kind) {
	case CONFIG_NUMBER:
		return refuse(err, "%s takes %u to %u%s, not \"%.*s\"", key->name, key->min, key->max,
			      key->zero ? ", or 0 where there is no choice" : "", shown, value->at);
	case CONFIG_SWITCH:
		return refuse(err, "%s takes yes or no, not \"%.*s\"", key->name, shown, value->at);
	case CONFIG_BITMAP:
		return refuse(err, "%s takes a bitmap of page sizes of 2^%u bytes and more, as 0x201000, not \"%.*s\"", key->name, key->min,
			      shown, value->at);
	case CONFIG_CHOICE:
		break;
	}
	for (unsigned i = 0; i <= key->max; i++) {
		strcat(names, i ? " " : "");
		strcat(names, key->names[i]);
	}
	return refuse(err, "%s takes one of %s, not \"%.*s\"", key->name, names, shown, value->at);
}

static int parse_value(struct config *cfg, const struct config_key *key, const struct word *w, struct trace_error *err)
{
	bool found = false, overflow;
	uint64_t value;

	if (key->kind == CONFIG_CHOICE) {
		for (value = 0; value <= key->max && !found; value += !found)
			found = word_is(w, key->names[value]);
	} else if (key->kind == CONFIG_SWITCH && (word_is(w, "yes") || word_is(w, "no"))) {
		found = true;
		value = word_is(w, "yes");
	} else {
		found = word_number(w, &value, &overflow) && config_fits(key, value);
	}
	if (!found)
		return refuse_value(err, key, w);
	config_set(cfg, key, value);
	return 0;
}

static int parse_key(struct config *cfg, const struct word *w, uint32_t *seen, struct trace_error *err)
{
	const char *equals = memchr(w->at, '=', w->nr);
	struct word name, value;

	if (!equals)
		return refuse_word(err, w, "not of the form key=value");
	name = (struct word){ .at = w->at, .nr = equals - w->at };
	value = (struct word){ .at = equals + 1, .nr = w->nr - name.nr - 1 };
	for (unsigned i = 0; i < CONFIG_KEYS_NR; i++) {
		if (!word_is(&name, config_keys[i].name))
			continue;
		if (*seen & UINT32_C(1) << i)
			return refuse(err, "%s is given twice", config_keys[i].name);
		*seen |= UINT32_C(1) << i;
		return parse_value(cfg, &config_keys[i], &value, err);
	}
	return refuse_word(err, w, "there is no such key");
}

static int parse_format(struct config *cfg, const struct word *w, struct trace_error *err)
{
	if (!w->nr)
		return refuse(err, "the name of the format is missing");
	if (strspn(w->at, "abcdefghijklmnopqrstuvwxyz0123456789_") < w->nr)
		return refuse_word(err, w, "the name of a format is expected: a to z, 0 to 9 and _");
	if (w->nr >= sizeof(cfg->format))
		return refuse_word(err, w, "the name of a format has at most %zu characters", sizeof(cfg->format) - 1);
	memcpy(cfg->format, w->at, w->nr);
	return 0;
}

int config_parse(const char *text, struct config *cfg, struct trace_error *err)
{
	uint32_t seen = 0;
	struct word w;
	int ret;

	config_unset(cfg);
	err->line = 0;
	scan_word(&text, &w);
	ret = parse_format(cfg, &w, err);
	while (!ret && scan_word(&text, &w))
		ret = parse_key(cfg, &w, &seen, err);
	return ret;
}

void config_print(const struct config *cfg, char *buf, size_t buf_bytes)
{
	size_t at = snprintf(buf, buf_bytes, "%.*s", (int)sizeof(cfg->format), cfg->format);

	for (unsigned i = 0; i < CONFIG_KEYS_NR; i++) {
		const struct config_key *key = &config_keys[i];
		uint64_t value = config_get(cfg, key);
		const char *name = NULL;

		if (!config_is_set(cfg, key) || at >= buf_bytes)
			continue;
		if (key->kind == CONFIG_SWITCH && value <= 1)
			name = value ? "yes" : "no";
		else if (key->kind == CONFIG_CHOICE && value <= key->max)
			name = key->names[value];
		if (name)
			at += snprintf(buf + at, buf_bytes - at, " %s=%s", key->name, name);
		else
			at += snprintf(buf + at, buf_bytes - at, key->kind == CONFIG_BITMAP ? " %s=0x%" PRIx64 : " %s=%" PRIu64, key->name,
				       value);
	}
}
