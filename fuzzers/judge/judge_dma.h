/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_dma.h - a QEMU that is driven over qtest, with an IOMMU and a device that does DMA on command: Intel's HD Audio controller.
 *
 * A read: the controller is told that its command ring (CORB) lies at the iova, and fetches a command; it prints what it has fetched,
 * and QEMU prints the physical address where that is no RAM. A write: its response ring (RIRB) lies at the iova, and a command that it
 * fetches from where nothing is mapped, zero, is answered by zeros. High Definition Audio Specification, revision 1.0a, 3.3.18 to 3.3.30.
 */
#ifndef HITLESS_JUDGE_DMA_H
#define HITLESS_JUDGE_DMA_H

#include <stdio.h>

#include "judge.h"

#define DMA_DEVFN 0x18 /* device 3, function 0 */
#define DMA_LOW_BYTES (UINT64_C(2) << 30)
/* Where the IOMMU's own tables lie, two megabytes: no single bit of an address in the window leads here. */
#define DMA_OWN UINT64_C(0x06000000)

/*
 * struct dma_seen - what a question made QEMU print.
 *
 * @read_at:  physical address of a read that met no memory, or the iova if it was refused; UINT64_MAX: it met memory
 * @verb:     what was read
 * @refused_read, @refused_write: accesses, to RAM alone, that met none or were refused; of the fetch, of the response
 * @fault_read, @fault_write: vtd_dmar_fault; @translated: vtd_dmar_translate, @gpa, @mask: the last one
 * @cached:   amdvi_cache_update: an entry that allows anything at all
 */
struct dma_seen {
	uint64_t read_at, gpa, mask;
	uint32_t verb;
	unsigned verbs, refused_read, refused_write, fault_read, fault_write, translated, cached, responses;
};

/*
 * struct dma - the machine.
 *
 * @flush:  writes the qtest command that empties the IOTLB, with its newline
 * @hole:   an iova that nothing is mapped at; @has_hole
 * @iova_last: what lies above is not asked about
 * @answer: fills in ask from what was seen. iova and oa_due of the question are those of the access that was made
 */
struct dma {
	struct qemu q;
	void (*flush)(struct dma *d, FILE *out);
	uint64_t hole, iova_last;
	bool has_hole;
	int (*answer)(struct judge *j, const struct dma_seen *seen, struct judge_ask *ask);
};

/*
 * dma_start - with the first of these IOMMUs ("intel-iommu,...") that this QEMU knows, and traces; both lists end with NULL. 0 or -errno
 * with j->why. d is at the front of the judge's state.
 */
int dma_start(struct judge *j, struct dma *d, const char *const *iommus, const char *const *traces);
void dma_stop(struct dma *d);

/* dma_command - a qtest command; *value: what it answers, may be NULL. 0 or -errno with j->why. */
int dma_command(struct judge *j, struct dma *d, uint64_t *value, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Answer a batch. JUDGE_READ, JUDGE_WRITE, JUDGE_POKE. */
int dma_ask(struct judge *j, struct judge_ask *asks, size_t nr);

uint64_t dma_arena(const struct config *cfg);

/*
 * dma_see - a line that QEMU printed about a question, into what was seen of it. False: the line is none that is known, and so may be an
 * answer that nobody understood.
 */
bool dma_see(struct dma_seen *seen, const char *line);

/* A word of 8 bytes of guest RAM. */
void dma_store(struct judge *j, uint64_t pa, uint64_t value);

/* Whether a write that should have gone to oa, in the window, went there. */
bool dma_landed(struct judge *j, uint64_t oa);

/* Whether pa lies in the window. */
bool dma_in_window(const struct judge *j, uint64_t pa);

#endif
