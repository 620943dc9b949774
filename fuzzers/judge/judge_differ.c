/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_differ.c - the differences, judge by judge.
 *
 * [ARM] DDI 0487L.b, [ARMv7] DDI 0406C.d, [PRIV] RISC-V Privileged 20240411, [APM] AMD 24593 3.42, [SDM] Intel SDM vol. 3, [VTD] D51397
 * 4.1, [AMD] 48882 3.10.
 */
#include "judge_differ.h"

#include <stddef.h>
#include <string.h>

const struct judge_difference judge_differences[] = {
	{ "qemu-arm", "armv8", DIFFER_TRANSLATES, "RES0 bit", -1, 0, DIFFER_WALKER,
	  "[ARM] glossary, RES0: hardware may ignore the bit, software should write 0; which bits: figures of D8.3.1 and D8.3.2" },
	{ "qemu-arm", "armv8", DIFFER_TRANSLATES, "AttrIndx of an attribute", -1, 0, DIFFER_WALKER,
	  "[ARM] D8.6.1: any AttrIndx is legal; MAIR holds 0x00, Device-nGnRnE, where the driver programs nothing" },
	{ "qemu-arm", "armv8", DIFFER_TRANSLATES, "MemAttr[3:0] that the driver", -1, 0, DIFFER_WALKER,
	  "[ARM] D8.6.5, table of MemAttr: these are other memory types, and legal; the driver asks for three" },
	{ "qemu-arm", "armv8", DIFFER_TRANSLATES, "XN[1:0] code the driver", -1, 0, DIFFER_WALKER,
	  "[ARM] D8.4.2.1 (FEAT_XNX): 01 and 11 are legal, one exception level executes; the driver grants both or none" },
	{ "qemu-arm", "armv8", DIFFER_TRANSLATES, "FnXS bit[11]", -1, 0, DIFFER_WALKER,
	  "[ARM] figures of D8.3.1.2: FnXS with FEAT_XS, otherwise RES0, which hardware may ignore" },
	{ "qemu-arm", "armv8", DIFFER_TRANSLATES, "NS bit[5]", -1, 0, DIFFER_WALKER,
	  "[ARM] D8.3.1.2: for Non-secure accesses NS is RES0, which hardware may ignore" },
	{ "qemu-arm", "armv8", DIFFER_TRANSLATES, "NSTable bit[63]", -1, 0, DIFFER_WALKER,
	  "[ARM] D8.3.1.1: for Non-secure accesses NSTable is RES0, which hardware may ignore" },
	{ "qemu-arm", "armv8", DIFFER_TRANSLATES, "SH[1:0] = 01", -1, 0, DIFFER_WALKER,
	  "[ARM] D8.6.2: 01 is reserved, with CONSTRAINED UNPREDICTABLE behaviour: not a fault, but nothing that software may write" },
	{ "qemu-arm", "armv8", DIFFER_TRANSLATES, "nG=0: global", -1, 0, DIFFER_WALKER,
	  "[ARM] D8.3.1.2: nG=0 is legal, and translates; what no invalidation by ASID removes is refused by us, see ARCHITECTURE.md" },
	{ "qemu-arm", "armv8", DIFFER_TRANSLATES, "UXN=0 with AP[1]=0", -1, 0, DIFFER_WALKER,
	  "[ARM] D8.4.1.2: legal, unprivileged execution without read; enum prot cannot say it" },
	{ "qemu-arm", "armv8", DIFFER_TRANSLATES, "DBM bit[51] without", -1, 0, DIFFER_WALKER,
	  "[ARM] D8.5.2.1: with HD=0 the bit does nothing; a driver that has no dirty tracking does not set it" },
	{ "qemu-arm", "armv8", DIFFER_TRANSLATES, "nT bit[16]", -1, 0, DIFFER_WALKER,
	  "[ARM] D8.7.3 R_MRRPW: an access through nT=1 may fault, and need not; without FEAT_BBML1 RES0" },
	{ "qemu-arm", "armv8", DIFFER_TRANSLATES, "UXNTable and PXNTable", -1, 0, DIFFER_WALKER,
	  "[ARM] D8.4.1.2: hierarchical permissions are legal; struct hw_entry cannot say one without the other" },
	{ "qemu-arm", "armv8", DIFFER_TRANSLATES, "APTable[0]", -1, 0, DIFFER_WALKER,
	  "[ARM] D8.4.1.2: legal, takes unprivileged access away below; struct hw_entry cannot say it" },
	{ "qemu-arm", "armv8", DIFFER_TRANSLATES, "Block at a level that has none", -1, 0, DIFFER_JUDGE,
	  "[ARM] D8.2.8 to D8.2.10 with D8.3.1: no Block at that level, the descriptor is reserved: Translation fault. QEMU 7.2 looks at "
	  "the "
	  "level for level 3 alone" },
	{ "qemu-arm", "armv8", DIFFER_TRANSLATES, "Contiguous bit[52]", -1, 0, DIFFER_WALKER,
	  "[ARM] D8.7.1: where the bit has no group it is RES0 or a programming error, which hardware may treat as if it were 0" },
	{ "qemu-arm", "armv8", DIFFER_TRANSLATES, "output address beyond", 0, 0xf300, DIFFER_JUDGE,
	  "[ARM] D8.3.1.2 and pseudocode AArch64.OAOutOfRange: with DS=1 bits[9:8], with FEAT_LPA and 64KB bits[15:12] are address "
	  "whatever the "
	  "output size is, and one beyond it is an Address size fault. QEMU 7.2 looks at them only where IPS says 52 bits" },
	{ "qemu-arm", "armv8", DIFFER_TRANSLATES, "next-level table address beyond", 1, 0xf300, DIFFER_JUDGE,
	  "[ARM] D8.3.1.1 and pseudocode AArch64.OAOutOfRange: as for output addresses" },
	{ "qemu-arm", "armv7s", DIFFER_TRANSLATES, "SBZ bit", -1, 0, DIFFER_WALKER,
	  "[ARMv7] glossary, SBZ: hardware ignores it, software should write 0; figures B3-4 and B3-5" },
	{ "qemu-arm", "armv7s", DIFFER_TRANSLATES, "TEX, C, B code", -1, 0, DIFFER_WALKER,
	  "[ARMv7] table B3-10: these are other memory types, some reserved; the driver asks for three" },
	{ "qemu-arm", "armv7s", DIFFER_TRANSLATES, "bits[1:0] = 11 at the first level", -1, 0, DIFFER_SETUP,
	  "[ARMv7] B3.5.1: with the Large Physical Address Extension, which QEMU's processor has, bit[0] is PXN" },
	{ "qemu-arm", "armv7s", DIFFER_TRANSLATES, "PXN bit[2]", -1, 0, DIFFER_SETUP,
	  "[ARMv7] B3.5.1: with the Large Physical Address Extension bit[2] is PXN" },
	{ "qemu-arm", "armv7s", DIFFER_TRANSLATES, "Extended base address", -1, 0, DIFFER_SETUP,
	  "[ARMv7] B3.5.1: a Supersection's extended base address is implemented together with 40-bit addresses, as in QEMU's processor" },
	{ "qemu-arm", "armv7s", DIFFER_TRANSLATES, "Domain bits[8:5]", -1, 0, DIFFER_SETUP,
	  "[ARMv7] B3.7.3: DACR decides. Here it makes all domains client, because QEMU 7.2 aborts on an AT that ends in a Domain fault" },
	{ "qemu-arm", "armv7s", DIFFER_TRANSLATES, "bit[9] of a", -1, 0, DIFFER_WALKER,
	  "[ARMv7] B3.5.1: IMPLEMENTATION DEFINED; QEMU's processor gives it no meaning" },
	{ "qemu-riscv", NULL, DIFFER_TRANSLATES, "bits 60:54: reserved", -1, 0, DIFFER_JUDGE,
	  "[PRIV] 10.4.1: \"if any of these bits are set, a page-fault exception is raised\". QEMU 7.2 does not look at them on a "
	  "processor with "
	  "Svnapot or Svpbmt" },
	{ "qemu-riscv", NULL, DIFFER_TRANSLATES, "G: global entries", -1, 0, DIFFER_WALKER,
	  "[PRIV] 10.3.1: global entries translate; what no invalidation by PSCID removes is refused by us" },
	{ "qemu-riscv", NULL, DIFFER_TRANSLATES, "A: clear", -1, 0, DIFFER_SETUP,
	  "[PRIV] 10.3.2 step 9: hardware faults or sets the bit. QEMU 7.2 always sets it" },
	{ "qemu-riscv", NULL, DIFFER_TRANSLATES, "D: clear in a writable leaf", -1, 0, DIFFER_SETUP,
	  "[PRIV] 10.3.2 step 9: hardware faults or sets the bit. QEMU 7.2 always sets it" },
	{ "qemu-riscv", NULL, DIFFER_TRANSLATES, "PBMT: reserved without Svpbmt", -1, 0, DIFFER_SETUP,
	  "[PRIV] Svpbmt: QEMU's processor is one that has it" },
	{ "qemu-riscv", NULL, DIFFER_TRANSLATES, "PBMT code the driver", -1, 0, DIFFER_WALKER,
	  "[PRIV] Svpbmt, table of encodings: NC is legal; the driver asks for PMA and IO" },
	{ "qemu-riscv", NULL, DIFFER_TRANSLATES, "N: reserved without Svnapot", -1, 0, DIFFER_SETUP,
	  "[PRIV] Svnapot: QEMU's processor is one that has it" },
	{ "qemu-riscv", NULL, DIFFER_TRANSLATES, "PBMT code 3", -1, 0, DIFFER_JUDGE,
	  "[PRIV] Svpbmt: 3 is reserved, and \"using this reserved value in a leaf PTE raises a page-fault exception\". QEMU 7.2 takes "
	  "it" },
	{ "qemu-riscv", NULL, DIFFER_TRANSLATES, "PPN: wider", -1, 0, DIFFER_SETUP,
	  "[PRIV] 10.4.1: PPN has 44 bits; how many the machine has is its own affair (an access fault). QEMU's has 56" },
	{ "qemu-x86", NULL, DIFFER_TRANSLATES, "PAT = 1", -1, 0, DIFFER_WALKER,
	  "[APM] 5.4.2 and 7.8: legal, chooses another entry of the PAT; the driver asks for two types" },
	{ "qemu-x86", NULL, DIFFER_TRANSLATES, "PCD differs from PWT", -1, 0, DIFFER_WALKER,
	  "[APM] 5.4.2 and 7.8: legal, write-through and uncached-minus; the driver asks for two types" },
	{ "qemu-x86", NULL, DIFFER_TRANSLATES, "A is not preset", -1, 0, DIFFER_SETUP,
	  "[APM] 5.4.2: the processor sets A. ad=0 promises a device that there is nothing to set" },
	{ "qemu-x86", NULL, DIFFER_TRANSLATES, "A = 0 in a pointer", -1, 0, DIFFER_SETUP,
	  "[VTD] 3.10 is about tables that are not snooped; a processor snoops, and sets A" },
	{ "qemu-x86", NULL, DIFFER_TRANSLATES, "D of a writable page", -1, 0, DIFFER_SETUP,
	  "[APM] 5.4.2: the processor sets D. ad=0 promises a device that there is nothing to set" },
	{ "qemu-x86", NULL, DIFFER_TRANSLATES, "bit 8 of PML4E and PML5E", -1, 0, DIFFER_WALKER,
	  "[APM] 5.3.3: must be zero; [SDM] 4.5: ignored, as QEMU has it. Software that serves both writes 0" },
	{ "qemu-x86", NULL, DIFFER_TRANSLATES, "address bits above the physical", -1, 0, DIFFER_SETUP,
	  "[APM] 5.4.1: bits above the width that the processor has are reserved; QEMU's has 52" },
	{ "qemu-vtd", NULL, DIFFER_TRANSLATES, "address bits 51:HAW", -1, 0, DIFFER_SETUP,
	  "[VTD] 9.8: bits from the host's address width on are reserved; QEMU's host is 48 bits wide, the configuration's narrower" },
	{ "qemu-vtd-scalable", NULL, DIFFER_TRANSLATES, "address bits 51:HAW", -1, 0, DIFFER_SETUP,
	  "[VTD] 9.8: bits from the host's address width on are reserved; QEMU's host is 48 bits wide, the configuration's narrower" },
	{ "qemu-vtd-scalable", NULL, DIFFER_TRANSLATES, "SNP is reserved", -1, 0, DIFFER_JUDGE,
	  "[VTD] 9.8: SNP is reserved where ECAP.SC reports no snoop control. QEMU 7.2 reports none, and takes the bit in scalable mode" },
	{ "qemu-amd", NULL, DIFFER_TRANSLATES, "PDE bits 60:52", -1, 0, DIFFER_JUDGE,
	  "[AMD] 2.2.3 and 2.5.3: a reserved bit that is set is an IO_PAGE_FAULT with RZ=1. QEMU 7.2 looks at none" },
	{ "qemu-amd", NULL, DIFFER_TRANSLATES, "PTE bits 58:52", -1, 0, DIFFER_JUDGE,
	  "[AMD] 2.2.3 and 2.5.3: a reserved bit that is set is an IO_PAGE_FAULT with RZ=1. QEMU 7.2 looks at none" },
	{ "qemu-amd", NULL, DIFFER_TRANSLATES, "Next Level 7 with a page size", -1, 0, DIFFER_JUDGE,
	  "[AMD] 2.2.3: the size must be larger than the level's default and smaller than the table's span. QEMU 7.2 takes any" },
	{ "qemu-amd", NULL, DIFFER_TRANSLATES, "Page Address is not aligned", -1, 0, DIFFER_WALKER,
	  "[AMD] 2.2.3: address bits below the page size are to be zero; QEMU drops them" },
	{ "qemu-amd", NULL, DIFFER_TRANSLATES, "page size that the level", -1, 0, DIFFER_SETUP,
	  "[AMD] 2.2.3: sizes beyond the configuration's widths; QEMU has 52 and 64 bits" },
	{ "qemu-amd", NULL, DIFFER_TRANSLATES, "Page Address is wider", -1, 0, DIFFER_SETUP,
	  "[AMD] 2.2.3: how wide an address is says the processor; QEMU takes 52 bits" },
	{ "qemu-amd", NULL, DIFFER_TRANSLATES, NULL, 0, 1, DIFFER_JUDGE,
	  "[AMD] 2.2.3: PR=0 is not present, and the rest is not looked at. QEMU 7.2 takes a leaf for absent only if all of it is zero" },
	{ "qemu-amd", NULL, DIFFER_TRANSLATES, NULL, 1, UINT64_C(0x000ffffffffffe00), DIFFER_JUDGE,
	  "[AMD] 2.2.3: where levels are skipped, the iova bits that they would translate must be zero. QEMU 7.2 does not look at them" },
	{ "qemu-amd", NULL, DIFFER_TRANSLATES, NULL, 1, UINT64_C(3) << 61, DIFFER_JUDGE,
	  "[AMD] 2.2.3: the permissions of all levels are ANDed. So does QEMU 7.2; 11.1 goes by the leaf's" },
};

const unsigned judge_differences_nr = sizeof(judge_differences) / sizeof(judge_differences[0]);

static bool begins(const char *text, const char *with)
{
	return !with || (text && !strncmp(text, with, strlen(with)));
}

int judge_differ_find(const struct judge *j, const struct hw *hw, const struct judge_change *change, const struct judge_ask *due,
		      const struct judge_ask *answer)
{
	enum judge_differ_how how = !due->ok ? DIFFER_TRANSLATES : answer->ok ? DIFFER_OTHERWISE : DIFFER_FAULTS;
	unsigned i;

	for (i = 0; i < judge_differences_nr; i++) {
		const struct judge_difference *d = &judge_differences[i];

		if (strcmp(d->judge, j->ops->name) || !begins(hw->cfg.format, d->format) || d->how != how)
			continue;
		if ((d->table >= 0 && d->table != change->table) || (d->bits && !(d->bits >> change->bit & 1)))
			continue;
		if (d->why ? change->after->end == WALK_BAD && begins(change->after->why, d->why) : how != DIFFER_TRANSLATES || d->bits)
			return (int)i;
	}
	return -1;
}

const char *judge_differ_how_name(enum judge_differ_how how)
{
	static const char *const names[] = { "translates", "faults", "otherwise" };

	return names[how];
}

const char *judge_differ_whose_name(enum judge_differ_whose whose)
{
	static const char *const names[] = { "walker", "setup", "judge" };

	return names[whose];
}
