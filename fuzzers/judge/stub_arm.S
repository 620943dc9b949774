/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stub_arm.S - runs at EL2 with its own MMU off and asks the MMU of EL1&0 by AT instructions. Loaded at MAILBOX - 0x10000.
 *
 * Arm ARM DDI 0487L.b: AT in C5.5, PAR_EL1 in D24.2. The mailbox, also in judge_arm.c:
 *
 *   0x00 go     rises by one for each batch       0x40 to 0x88: SCTLR TCR TTBR0 TTBR1 MAIR of EL1, HCR VTCR VTTBR of EL2, DACR32
 *   0x08 done   is what go was, when it is done   0x100 to 0x118: ID_AA64MMFR0, 1, 2 and AA64ISAR0, written once
 *   0x10 nr     of questions                      0x1000: questions of 32 bytes: kind, address, value, answer
 *
 * Kinds: 0 to 7 AT S1E1R S1E1W S1E0R S1E0W S12E1R S12E1W S12E0R S12E0W, 8 stores 8 bytes, 9 stores 4.
 */
	.equ	MAILBOX, 0x42010000

	.text
	.org	0
start:
	msr	daifset, #15
	ldr	x20, =MAILBOX
	adr	x0, start			// vectors: only 0x200, synchronous at EL2, is ever taken
	msr	vbar_el2, x0
	mrs	x0, id_aa64mmfr0_el1
	mrs	x1, id_aa64mmfr1_el1
	mrs	x2, id_aa64mmfr2_el1
	mrs	x3, id_aa64isar0_el1
	stp	x0, x1, [x20, #0x100]
	stp	x2, x3, [x20, #0x110]
	mov	x21, #0
wait:
	ldar	x0, [x20]
	cmp	x0, x21
	b.ne	batch
	yield
	b	wait
batch:
	mov	x21, x0
	ldp	x0, x1, [x20, #0x40]
	msr	sctlr_el1, x0
	msr	tcr_el1, x1
	ldp	x0, x1, [x20, #0x50]
	msr	ttbr0_el1, x0
	msr	ttbr1_el1, x1
	ldp	x0, x1, [x20, #0x60]
	msr	mair_el1, x0
	msr	hcr_el2, x1
	ldp	x0, x1, [x20, #0x70]
	msr	vtcr_el2, x0
	msr	vttbr_el2, x1
	ldr	x0, [x20, #0x80]
	msr	dacr32_el2, x0
	isb
	tlbi	alle1
	dsb	sy
	isb
	ldr	x22, [x20, #0x10]
	add	x23, x20, #0x1000
	b	next

	.org	0x200				// an external abort on a table walk: PAR says translation failed, FST 0b111111
	mov	x4, #0x7f
	msr	par_el1, x4
	mrs	x4, elr_el2
	add	x4, x4, #4
	msr	elr_el2, x4
	eret

	.org	0x280
ask:
	ldp	x0, x1, [x23]
	adr	x2, table
	add	x2, x2, x0, lsl #3
	br	x2
table:
	at	s1e1r, x1
	b	got
	at	s1e1w, x1
	b	got
	at	s1e0r, x1
	b	got
	at	s1e0w, x1
	b	got
	at	s12e1r, x1
	b	got
	at	s12e1w, x1
	b	got
	at	s12e0r, x1
	b	got
	at	s12e0w, x1
	b	got
	b	store8
	nop
	ldr	w3, [x23, #16]
	str	w3, [x1]
	b	stored
store8:
	ldr	x3, [x23, #16]
	str	x3, [x1]
stored:
	dsb	sy
	tlbi	alle1
	dsb	sy
	isb
	b	answered
got:
	isb
	mrs	x3, par_el1
	str	x3, [x23, #24]
answered:
	add	x23, x23, #32
	sub	x22, x22, #1
next:
	cbnz	x22, ask
	add	x0, x20, #8
	stlr	x21, [x0]
	b	wait
	.ltorg
