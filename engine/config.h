/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config.h - what is being run: a page-table format and the choices its hardware leaves open.
 *
 * Plain data, shared by the engine, the oracle and the drivers. It is not a decoder and not an encoder: nothing here knows where
 * a bit lies in an entry.
 */
#ifndef HITLESS_CONFIG_H
#define HITLESS_CONFIG_H

#include <stdint.h>

/*
 * What a mapping permits and which memory it is. One word for all formats; each format maps the bits that it can express onto
 * its entries and refuses the rest with EOPNOTSUPP.
 *
 *            PROT_R PROT_W PROT_X      PROT_MMIO           PROT_CACHE          PROT_PRIV
 * amdv1      IR     IW     -           C-bit clear(cbit)   FC=1                -
 * x86_64     P      RW     XD=0        PCD=PWT=1 (UC)      -                   US=0
 * vtdss      R      W      -           -                   SNP=1 (snp)         -
 * riscv64    R      W      X           PBMT=IO (pbmt)      -                   U=0
 * armv8 s1   always AP[2]  UXN/PXN=0   Attr 2 Device       Attr 0 Normal WB    AP[1]=0; x: UXN=1 PXN=0
 * armv8 s2   S2AP0  S2AP1  XN=00       MemAttr 0001        MemAttr 1111        -
 * armv7s     always AP[2]  XN=0        Device              Normal WB WA        AP[1]=0
 * dart       !NO_R  !NO_W  -           -                   NO_CACHE=0 (v2)     -
 *
 * "-" cannot be expressed. With neither MMIO nor CACHE: the format's default type (x86_64 write-back, riscv64 PMA, armv8 and
 * armv7s normal non-cacheable, dart v2 NO_CACHE=1). MMIO and CACHE together cannot be expressed anywhere.
 * The readable bit is needed wherever the entry has no bit to withhold it: x86_64, armv8 stage 1, armv7s; on riscv64 W needs R.
 */
enum prot {
	PROT_R = 1 << 0,
	PROT_W = 1 << 1,
	PROT_X = 1 << 2,
	PROT_MMIO = 1 << 3,
	PROT_CACHE = 1 << 4,
	PROT_PRIV = 1 << 5,
	PROT_ACCESS = PROT_R | PROT_W | PROT_X,
	PROT_TYPE = PROT_MMIO | PROT_CACHE,
	PROT_ALL = PROT_ACCESS | PROT_TYPE | PROT_PRIV,
};

/* MAIR_ELx as the driver programs it, attribute index 0 to 2: Normal write-back, Normal non-cacheable, Device-nGnRE. */
#define CONFIG_ARM_MAIR UINT64_C(0x0444ff)

enum config_model { MODEL_STRONG, MODEL_WEAK, MODEL_INCOHERENT, MODEL_NR };
enum config_tlb { TLB_GENERIC, TLB_AMD, TLB_VTD, TLB_ARM, TLB_RISCV, TLB_ARMV7S, TLB_DART, TLB_NR };
/* Where table pages lie in physical memory: from 1M up, from half of the format's limit, across 2^32, just below the limit. */
enum config_tables { TABLES_LOW, TABLES_HIGH, TABLES_STRADDLE, TABLES_LIMIT, TABLES_NR };

#define CONFIG_UNSET 0xff
#define CONFIG_LEVELS_MAX 6

/*
 * struct config - one configuration of one format.
 *
 * A field holds CONFIG_UNSET (pgsizes: 0) until the engine's ->resolve() has filled it in; after that every field holds the value in force,
 * 0 where the format has no such choice.
 *
 * @format:  name of the format, from the list that the build generates
 * @tiny:    0 (also if it is not given) for the real geometry; 2 to 4: every table index is that many bits wide, and so that a table
 *           holds several of them a
 *           contiguous group is tiny-1 bits wide at level 0 and, where the format also has groups above, 1 bit wide there. Entries keep
 *           their encoding; ias is granule_lg2 + levels * tiny, at most 8 bits above the granule
 * @levels:  tables that a full walk visits. amdv1: those that the top starts with, 1 to 6, growing on demand up to what ias needs
 * @ias:     width of the iova in bits, sign or half bit included
 * @oas:     width of the oa and of table addresses in bits
 * @stage:   armv8: 1 or 2
 * @half:    armv8 stage 1: 0 = TTBR0, the lower half; 1 = TTBR1, iovas whose bits from ias up to 63 are all ones
 * @bbm:     armv8: the SMMU's BBML, 0 to 2
 * @napot:   riscv64: Svnapot
 * @pbmt:    riscv64: Svpbmt
 * @sign:    x86_64, riscv64: iovas are sign extended from bit ias-1 (1) or the upper half does not exist (0)
 * @coherent: the device snoops the CPU caches
 * @ad:      the device sets accessed and dirty in the entry; 0: both are preset where the format has them
 * @cbit:    amdv1: number of the memory encryption bit in an address, 0: none
 * @snp:     vtdss: the SNP bit may be used
 * @lpa:     armv8: LPA2 (4K, 16K granule) or LPA (64K granule): 52-bit addresses
 * @negcache: the IOTLB may cache that a translation is absent
 * @defer:   invalidation waits for an explicit sync
 * @model:   enum config_model: what order of stores the device may see
 * @tlb:     enum config_tlb: whose invalidation commands and rules
 * @tables:  enum config_tables
 * @pgsizes: bit n set: leaves of 2^n bytes may be made. dart: the one bit set chooses the granule, 4K or 16K
 */
struct config {
	char format[16];
	uint8_t tiny, levels, ias, oas;
	uint8_t stage, half, bbm, napot;
	uint8_t pbmt, sign, coherent, ad;
	uint8_t cbit, snp, lpa, negcache;
	uint8_t defer, model, tlb, tables;
	uint64_t pgsizes;
};

/*
 * Where an engine's contract differs from engine.h. The engine declares it, with reasons (struct engine_difference); the oracle expects it.
 *
 * TRAIT_NO_CUT:       cut is refused with -EOPNOTSUPP, whatever its argument
 * TRAIT_ARGUMENTS:    where one of -EINVAL, -ERANGE, -ENXIO, -EOPNOTSUPP is due, any of them may come back, or -EADDRINUSE, or -ENOMEM if memory
 *                     ran out
 * TRAIT_QUIET_UNMAP:  where -ERANGE is due, unmap returns 0 and has removed nothing
 * TRAIT_ZERO_IS_HOLE: translate knows no error but -ENOENT, and returns it for an oa of 0 too
 * TRAIT_TOP_IS_BOUND: to cut, unmap and dirty a range that reaches above a root that can still grow is out of range
 * TRAIT_OWN_SYNC:     a call may wait for invalidations of its own while others are owed; all need be gone only when the gather has been
 *                     synced
 * TRAIT_MAPPING_EINVAL: -EINVAL stands for -ENOMEM where a table could not be mapped for a device that does not snoop
 * TRAIT_PROT:         no prot that has PROT_R or PROT_W is refused; what becomes of it says struct traits
 * TRAIT_SHORT_MAP:    with -EADDRINUSE a map may have made fewer leaves than those before the first conflict
 * TRAIT_WHOLE_LEAVES: unmap stops before a leaf that the range covers only in part
 * TRAIT_TABLES_BY_SIZE: unmap frees a table if a block of an enabled page size that spans it was asked for and removed, and no other
 * TRAIT_BORN_DIRTY:   a leaf with PROT_W is dirty as soon as it is mapped
 * TRAIT_ANY_BYTES:    unmap and dirty take ranges that are not whole pages: a leaf of which a part lies in the range counts as in it, except that
 *                     unmap still removes nothing if it begins inside one
 */
enum trait {
	TRAIT_NO_CUT = 1 << 0,
	TRAIT_ARGUMENTS = 1 << 1,
	TRAIT_QUIET_UNMAP = 1 << 2,
	TRAIT_ZERO_IS_HOLE = 1 << 3,
	TRAIT_TOP_IS_BOUND = 1 << 4,
	TRAIT_OWN_SYNC = 1 << 5,
	TRAIT_MAPPING_EINVAL = 1 << 6,
	TRAIT_PROT = 1 << 7,
	TRAIT_SHORT_MAP = 1 << 8,
	TRAIT_WHOLE_LEAVES = 1 << 9,
	TRAIT_TABLES_BY_SIZE = 1 << 10,
	TRAIT_BORN_DIRTY = 1 << 11,
	TRAIT_ANY_BYTES = 1 << 12,
};

/*
 * struct traits - what an engine does otherwise under one configuration. All zero: nothing.
 *
 * @set:          of enum trait
 * @prot_ignored: TRAIT_PROT: bits that have no effect; @prot_ignored_by_priv, @prot_ignored_by_mmio: bits that have none with PROT_PRIV,
 *                with PROT_MMIO
 * @prot_forced:  bits that every mapping has; @prot_forced_by_write: bits that it has with PROT_W
 */
struct traits {
	uint16_t set;
	uint8_t prot_ignored, prot_forced, prot_forced_by_write, prot_ignored_by_priv, prot_ignored_by_mmio;
};

/* What a mapping that is asked for with prot permits; without PROT_ACCESS if it must be refused. */
static inline unsigned traits_prot(const struct traits *t, unsigned prot)
{
	if (!(t->set & TRAIT_PROT))
		return prot;
	if (!(prot & (PROT_R | PROT_W)))
		return 0;
	prot &= ~(unsigned)(t->prot_ignored | (prot & PROT_PRIV ? t->prot_ignored_by_priv : 0) | (prot & PROT_MMIO ? t->prot_ignored_by_mmio : 0));
	return prot | t->prot_forced | (prot & PROT_W ? t->prot_forced_by_write : 0);
}

/* The widths of contiguous groups in a tiny geometry, base-2 logarithm of items; see @tiny. */
static inline unsigned config_tiny_contig_lg2(unsigned tiny, unsigned level)
{
	return level ? 1 : tiny - 1;
}

#endif
