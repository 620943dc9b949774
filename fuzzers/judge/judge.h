/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge.h - an outside judge: an MMU or IOMMU that nobody here wrote translates through the tables that we build.
 *
 * A judge gets a guest's RAM that holds the tables, and questions: what does this access to this iova come to? It must agree with our
 * walker and with what the engine was asked for. What a judge cannot see is listed in docs/judges.md.
 */
#ifndef HITLESS_JUDGE_H
#define HITLESS_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../engine/config.h"
#include "../../oracle/walk.h"
#include "judge_qemu.h"

/* Tables lie in an arena of this size; single bits of addresses in it never lead to what else a judge has in its guest's RAM. */
#define JUDGE_ARENA_BYTES (UINT64_C(32) << 20)

/*
 * A window of guest RAM whose words say where they are: oas that lie in it are judged by what is read there. A word of 4 bytes at pa holds
 * judge_word(pa).
 */
#define JUDGE_WINDOW_BYTES (UINT64_C(64) << 20)

static inline uint32_t judge_word(uint64_t pa)
{
	return UINT32_C(0xf0000000) | (uint32_t)(pa >> 2 & 0x0fffffff);
}

/*
 * JUDGE_READ, JUDGE_WRITE: an access with privilege, which may also touch what is not privileged; ..._USER: without.
 * JUDGE_ADDRESS: where iova leads, whatever the permissions.
 * JUDGE_POKE: not a question: before those that follow the item at iova, a physical address, becomes value, and nothing is cached.
 */
enum judge_kind { JUDGE_READ, JUDGE_WRITE, JUDGE_READ_USER, JUDGE_WRITE_USER, JUDGE_ADDRESS, JUDGE_POKE, JUDGE_KINDS_NR };

#define JUDGE_TYPE_UNSEEN 0xff

/*
 * struct judge_ask - a question and its answer.
 *
 * @kind:   enum judge_kind
 * @iova:   aligned to 8 bytes, unless the kind is JUDGE_ADDRESS
 * @value:  JUDGE_POKE
 * @oa_due: where iova should lead, UINT64_MAX: nowhere or not known. Some judges may not touch what lies there; they leave the question
 *          unanswered
 * @answered: false: the judge cannot tell
 * @ok:     the access is allowed
 * @has_oa: and leads to @oa
 * @type:   of enum prot's PROT_TYPE; JUDGE_TYPE_UNSEEN: the judge does not say
 */
struct judge_ask {
	uint8_t kind;
	uint64_t iova, value, oa_due, oa_near;
	bool clean, answered, ok, has_oa;
	uint8_t type;
	uint64_t oa;
};

/* What a judge is to walk: a configuration, its geometry and the root. */
struct judge_domain {
	const struct hw *hw;
	uint64_t root;
	unsigned level;
};

struct judge;

/* A leaf as a judge lists it: prot of its item alone, without types. */
struct judge_leaf {
	uint64_t iova, oa;
	uint8_t prot;
};

/*
 * struct judge_ops - one kind of judge.
 *
 * @name:    "qemu-arm"; @binary: what must be installed
 * @formats: that it judges, NULL at the end
 * @configs: configurations to judge beside those that the formats list, NULL at the end
 * @kinds:   bit n: it answers questions of kind n
 * @iovas:   how many it is asked about for each table: what an answer costs differs a hundredfold
 * @marks:   whether it sets accessed and dirty in the tables, where the configuration wants that (ad=1); NULL: it does not
 * @zeroes:  its writes leave zeros where they are allowed, also where they should not be
 * @bytes:   of its own state
 * @takes:   whether it can judge the configuration; *why if not
 * @arena:   physical address of the table arena for the configuration
 * @window:  physical address of the window, a multiple of its size; 0: none
 * @start:   start it for tables like cfg's, or again for other ones. @load: tables are in RAM, walk this domain from now on. @ask: answer.
 *           0, or -errno with j->why
 * @spares:  whether changing this bit of an item at this level, which makes our walk end as it does, would end the judge, so that it is not
 *           asked about; NULL: none would
 * @stop:    end it; may be called at any time
 * @leaves:  every leaf of the table, in an array that is allocated; NULL: it lists none. Of oas @leaves_oa_lg2 bits are listed
 * @room:    whether items of the root may be overwritten in guest RAM: fills in the first and last iova that no question may name; NULL:
 *           none
 */
struct judge_ops {
	const char *name, *binary;
	const char *const *formats;
	const char *const *configs;
	unsigned kinds, iovas;
	bool zeroes;
	bool (*marks)(struct judge *j);
	size_t bytes;
	bool (*takes)(const struct config *cfg, const char **why);
	uint64_t (*arena)(const struct config *cfg);
	uint64_t window;
	int (*start)(struct judge *j, const struct config *cfg);
	int (*load)(struct judge *j, const struct judge_domain *d);
	int (*ask)(struct judge *j, struct judge_ask *asks, size_t nr);
	bool (*spares)(const struct config *cfg, unsigned level, unsigned bit, const struct walk *after);
	void (*stop)(struct judge *j);
	unsigned leaves_oa_lg2;
	int (*leaves)(struct judge *j, struct judge_leaf **list, size_t *nr);
	bool (*room)(struct judge *j, uint64_t *iova, uint64_t *last);
};

/*
 * struct judge - one at work.
 *
 * @path:    of its binary
 * @version: as it names itself
 * @ram:     of its guest, once it has been started
 * @state:   its own, zeroed before the first start
 * @asked:   questions that were handed to it
 */
struct judge {
	const struct judge_ops *ops;
	char path[512], version[120], why[400];
	struct qemu_ram ram;
	void *state;
	uint64_t asked;
};

/* The judges, NULL at the end. */
extern const struct judge_ops *const judges[];

extern const struct judge_ops judge_arm, judge_riscv, judge_x86, judge_vtd, judge_vtd_scalable, judge_amd;

/* judge_init - false: its binary is not installed. */
bool judge_init(struct judge *j, const struct judge_ops *ops);
void judge_release(struct judge *j);

/* judge_ram - RAM of these regions, with the window filled in. Does nothing if it is there. 0 or -errno with j->why. */
int judge_ram(struct judge *j, const struct qemu_region *regions, unsigned nr);

/* Fill in the window's words at [pa, pa + bytes), both multiples of 4. */
void judge_fill_window(struct judge *j, uint64_t pa, uint64_t bytes);

/* Passes on what went wrong with a QEMU. Returns ret. */
int judge_wrong(struct judge *j, const struct qemu *q, int ret);

/* Fills in what a question tells the judge in advance: oa_due, oa_near, and clean if it is ok. w is our walk of its iova. */
void judge_hint(struct judge_ask *ask, const struct walk *w, bool ok);

/* JUDGE_POKE, by ourselves: store an item of 2^bytes_lg2 bytes. 0 or -EFAULT with j->why. */
int judge_poke(struct judge *j, uint64_t pa, uint64_t value, unsigned bytes_lg2);

/*
 * judge_segments - hand over the questions between one poke and the next to ask_some; the pokes are done by ourselves. For judges that keep
 * nothing from one call of ask_some to the next.
 */
int judge_segments(struct judge *j, struct judge_ask *asks, size_t nr, unsigned item_bytes_lg2,
		   int (*ask_some)(struct judge *j, struct judge_ask *asks, size_t nr));

/* What reading word says about where it lies, into a question whose access was allowed. */
void judge_landed(const struct judge *j, struct judge_ask *ask, uint32_t word);

/*
 * judge_addresses - answer the JUDGE_ADDRESS among the questions by gva2gpa of the human monitor of a QEMU whose processor has been
 * stopped with the table in place. 0 or -errno with j->why.
 */
int judge_addresses(struct judge *j, struct qemu *q, struct judge_ask *asks, size_t nr);

/* judge_address - what gva2gpa has answered, into the question. 0, or -EPROTO with j->why: it is not understood. */
int judge_address(struct judge *j, struct judge_ask *ask, const char *text);

/* Where the window holds word; false: nowhere. */
bool judge_window_oa(const struct judge *j, uint32_t word, uint64_t *oa);

#endif
