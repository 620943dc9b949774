/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stub_reset.S - an x86 processor comes out of reset, at the end of the firmware's last 64K, and goes on in protected mode at 0x02000000.
 * AMD64 APM volume 2, 24593, 14.1. The GDT is stub_x86.S's.
 */
	.code16
	.text
	.globl	start
start:
	cli
	lgdtl	%cs:0xffe0
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$0x08, $0x02000000
	.org	0x20
	.word	0x1f
	.long	0x02000800
	.org	0x30
	jmp	start
	.org	0x40
