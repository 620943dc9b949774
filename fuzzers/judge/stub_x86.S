/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stub_x86.S - makes single accesses through a table that maps it by one item of the root alone. Loaded at 0x02000000, and seen there and
 * at the same offset of whatever that item maps.
 *
 * AMD64 APM volume 2, 24593: long mode in 14.6, page faults in 8.2.15; Intel SDM volume 3: SMAP in 4.6. The mailbox, also in judge_x86.c:
 *
 *   0x00 go     rises by one for each batch       0x40 cr4   0x48 the stub's own root   0x50 the root to use
 *   0x08 done   is what go was, when it is done   0x58 where the item maps 0            0x60 IDTR   0x70 GDTR, there
 *   0x10 nr     of questions                      0x1000: questions of 32 bytes: kind, address, value, answer
 *
 * Kinds: bit 0: or with zero, so that nothing changes, instead of a load; bit 1: with AC clear, so that what is a user's is refused (SMAP).
 * answer: 0; or what a fault pushed, with bit 63 set. value: what was loaded.
 */
	.equ	BASE, 0x02000000
	.equ	MAILBOX, 0x02010000
	.equ	STACK, 0x0200f000

	.text
	.globl	start
	.code32
start:
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$MAILBOX, %ebx
	movl	0x40(%ebx), %eax
	movl	%eax, %cr4
	movl	0x48(%ebx), %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx		# EFER: LME, NXE
	rdmsr
	orl	$0x900, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$0x80010001, %eax		# PG, WP, PE
	movl	%eax, %cr0
	ljmpl	$0x18, $long_mode

	.code64
long_mode:
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$MAILBOX, %ebx
	xorl	%r12d, %r12d
wait:
	movq	(%rbx), %rax
	cmpq	%r12, %rax
	jne	batch
	pause
	jmp	wait
batch:
	movq	%rax, %r12
	movq	0x58(%rbx), %r15
	leaq	moved(%r15), %rax
	jmp	*%rax
moved:
	leaq	MAILBOX(%r15), %rbx
	leaq	STACK(%r15), %rsp
	lgdt	0x70(%rbx)
	lidt	0x60(%rbx)
	movq	0x10(%rbx), %r8
	leaq	0x1000(%rbx), %r9
	movq	0x50(%rbx), %rax
	movq	%rax, %cr3
	jmp	next
ask:
	movq	(%r9), %rcx
	movq	8(%r9), %rdi
	leaq	got(%rip), %r14
	xorl	%edx, %edx
	xorl	%eax, %eax
	stac
	testb	$2, %cl
	jz	privileged
	clac
privileged:
	testb	$1, %cl
	jnz	write
	movl	(%rdi), %eax
	jmp	got
write:
	lock
	orl	$0, (%rdi)
got:
	leaq	STACK(%r15), %rsp
	stac
	movq	%rax, 16(%r9)
	movq	%rdx, 24(%r9)
	addq	$32, %r9
	decq	%r8
next:
	testq	%r8, %r8
	jnz	ask
	movq	0x48(%rbx), %rax
	movq	%rax, %cr3
	movq	%r12, 8(%rbx)
	jmp	wait

	.org	0x200				# #PF and #GP alike
	popq	%rdx
	btsq	$63, %rdx
	jmp	*%r14

	.org	0x800				# GDT: none, code of 32 bits, data, code of 64 bits
	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
	.quad	0x00af9b000000ffff
	.org	0x820
