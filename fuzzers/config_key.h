/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_key.h - the fields of struct config as a table: name, place and range. It drives the text and the binary form of a configuration.
 *
 * Which values make sense together, and for which format, is the engine's ->resolve() to say, not this table's.
 */
#ifndef HITLESS_CONFIG_KEY_H
#define HITLESS_CONFIG_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../engine/config.h"

enum config_key_kind {
	CONFIG_NUMBER, /* min to max */
	CONFIG_SWITCH, /* no yes, read as 0 1 too */
	CONFIG_CHOICE, /* names[0] to names[max] */
	CONFIG_BITMAP, /* 64 bits, none below min, at least one */
};

/*
 * struct config_key - one field.
 *
 * @offset: of the field in struct config: a byte, or for CONFIG_BITMAP eight
 * @zero:   0 is accepted too: what ->resolve() writes where the format has no such choice
 */
struct config_key {
	const char *name;
	size_t offset;
	enum config_key_kind kind;
	uint8_t min, max;
	bool zero;
	const char *const *names;
};

#define CONFIG_KEYS_NR 21

/* In the order in which they print. The binary form numbers them, so a new key goes to the end. */
extern const struct config_key config_keys[CONFIG_KEYS_NR];

/* The field of cfg, CONFIG_UNSET or a bitmap of 0 if it is not set. */
uint64_t config_get(const struct config *cfg, const struct config_key *key);
void config_set(struct config *cfg, const struct config_key *key, uint64_t value);
bool config_is_set(const struct config *cfg, const struct config_key *key);

/* Whether the field may hold value. CONFIG_UNSET is no value. */
bool config_fits(const struct config_key *key, uint64_t value);

#endif
