/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stub_riscv.S - runs in M-mode and makes single accesses as S or U, by mstatus.MPRV. Loaded at the start of RAM.
 *
 * RISC-V Privileged Architecture 20240411: mstatus in 3.1.6, SFENCE.VMA in 10.2.1. The mailbox, also in judge_riscv.c:
 *
 *   0x00 go     rises by one for each batch       0x40 satp   0x48, 0x50 mstatus for an access as S and as U   0x58 menvcfg
 *   0x08 done   is what go was, when it is done   0x1000: questions of 32 bytes: kind, address, value, answer
 *   0x10 nr     of questions
 *
 * Kinds: 0 load as S, 1 AMO as S (or with zero, so that nothing changes), 2 and 3 likewise as U, 5 and 7 store zero as S and U. answer:
 * 0, or mcause; value: what was loaded.
 */
	.equ	MAILBOX, 0x82010000
	.equ	MPRV, 1 << 17

	.option	norvc
	.option	norelax
	.text
	.globl	start
start:
	li	s0, MAILBOX
	la	t0, trap
	csrw	mtvec, t0
	csrw	mie, zero
	li	s1, 0
wait:
	ld	t0, 0(s0)
	bne	t0, s1, batch
	j	wait
batch:
	fence
	mv	s1, t0
	ld	t0, 0x58(s0)
	csrw	0x30a, t0			# menvcfg; a trap is passed over
	ld	t0, 0x40(s0)
	csrw	satp, t0
	sfence.vma
	ld	s2, 0x48(s0)
	ld	s3, 0x50(s0)
	ld	s4, 0x10(s0)
	li	s5, 0x1000
	add	s5, s5, s0
	li	s6, MPRV
	j	next
ask:
	ld	t0, 0(s5)
	ld	t1, 8(s5)
	li	t2, 0
	li	a0, 0				# no trap
	andi	t3, t0, 2
	mv	t4, s2
	beqz	t3, as
	mv	t4, s3
as:
	csrw	mstatus, t4
	andi	t3, t0, 1
	bnez	t3, write
	csrs	mstatus, s6
	lwu	t2, 0(t1)
	csrc	mstatus, s6
	j	got
write:
	andi	t3, t0, 4
	bnez	t3, store
	csrs	mstatus, s6
	amoor.w	t2, zero, (t1)
	csrc	mstatus, s6
	j	got
store:
	csrs	mstatus, s6
	sw	zero, 0(t1)
	csrc	mstatus, s6
got:
	slli	t2, t2, 32
	srli	t2, t2, 32
	sd	t2, 16(s5)
	sd	a0, 24(s5)
	addi	s5, s5, 32
	addi	s4, s4, -1
next:
	bnez	s4, ask
	fence
	sd	s1, 8(s0)
	j	wait

	.balign	4
trap:
	csrc	mstatus, s6			# MPP is M now; stay so
	csrr	a0, mcause
	csrr	t5, mepc
	addi	t5, t5, 4
	csrw	mepc, t5
	mret
