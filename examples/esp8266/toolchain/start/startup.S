/* The first instructions, the exception vectors, and what needs instructions that no compiler emits.

   The program provides
     void program(void)                                          which does not return
     void fault(uint32_t cause, uint32_t at, uint32_t address)   after an exception: EXCCAUSE, EPC1, EXCVADDR; does not return
   and may provide
     void interrupted(void)                                      in each interrupt, on the stack of what it interrupts, with all others masked

   Assemble with -mtext-section-literals: the first instructions lie far from where literals are collected.

   In a program without that, interrupts only end a sleep (lx106_sleep_at_most): the vector disables them and returns. At the start
   all are masked, and none is enabled. Functions follow the call0 ABI: arguments and result in a2.., a12..a15 are kept. */

    .section .reset, "ax"
    .global _reset
_reset:                         /* QEMU's machine `sim` begins here; others jump to _start themselves */
    j       1f
    .align  4
    .literal_position
1:  movi    a0, _start
    jx      a0

/* VECBASE points here; the offsets are LX106's. */
    .section .vectors, "ax"
    .global _vecbase
_vecbase:
    .org    0x10                /* debug */
    j       _fault
    .org    0x20                /* not maskable */
    j       _fault
    .org    0x30                /* exception in kernel mode */
    j       _fault
    .org    0x50                /* exception in user mode, interrupts of level 1 among them */
    j       _user
    .org    0x70                /* exception inside an exception */
    j       _fault
    .org    0x80

    .section .iram.text, "ax"
    .literal_position
_fault:
    movi    a1, _stack_top
    rsr     a2, exccause
    rsr     a3, epc1
    rsr     a4, excvaddr
    movi    a0, fault
    jx      a0

_user:
    wsr     a2, excsave1
    rsr     a2, exccause
    bnei    a2, 4, _fault       /* 4: an interrupt of level 1 */
    addi    a1, a1, -64
    s32i    a3, a1, 4
    .weak   interrupted
    movi    a3, interrupted
    bnez    a3, 1f
    movi    a2, 0
    wsr     a2, intenable
    rsync
    l32i    a3, a1, 4
    addi    a1, a1, 64
    rsr     a2, excsave1
    rfe
1:  rsr     a2, excsave1        /* what a called function may change */
    s32i    a2, a1, 0
    s32i    a0, a1, 8
    s32i    a4, a1, 12
    s32i    a5, a1, 16
    s32i    a6, a1, 20
    s32i    a7, a1, 24
    s32i    a8, a1, 28
    s32i    a9, a1, 32
    s32i    a10, a1, 36
    s32i    a11, a1, 40
    rsr     a2, sar
    s32i    a2, a1, 44
    rsr     a2, epc1
    s32i    a2, a1, 48
    callx0  a3                  /* PS.EXCM is set until rfe: no other interrupt of this level comes in between */
    l32i    a2, a1, 48
    wsr     a2, epc1
    l32i    a2, a1, 44
    wsr     a2, sar
    l32i    a11, a1, 40
    l32i    a10, a1, 36
    l32i    a9, a1, 32
    l32i    a8, a1, 28
    l32i    a7, a1, 24
    l32i    a6, a1, 20
    l32i    a5, a1, 16
    l32i    a4, a1, 12
    l32i    a0, a1, 8
    l32i    a3, a1, 4
    l32i    a2, a1, 0
    addi    a1, a1, 64
    rfe

    .global _start
_start:
    movi    a0, 0
    movi    a2, 0x2f            /* PS: user mode, interrupts of level 1 to 15 wait */
    wsr     a2, ps
    rsync
    movi    a2, _vecbase
    wsr     a2, vecbase
    movi    a2, 0
    wsr     a2, litbase         /* l32r counts from the instruction */
    isync
    movi    a1, _stack_top
    movi    a2, _bss_start
    movi    a3, _bss_end
    movi    a4, 0
2:  bgeu    a2, a3, 3f
    s32i    a4, a2, 0
    addi    a2, a2, 4
    j       2b
3:  movi    a0, program
    jx      a0

    .text
/* uint32_t lx106_cycles(void): cycles since reset, wraps */
    .align  4
    .global lx106_cycles
lx106_cycles:
    rsr     a2, ccount
    ret

/* uint32_t lx106_mask(void): interrupts wait from now on; the answer is the state before, for lx106_unmask */
    .align  4
    .global lx106_mask
lx106_mask:
    rsil    a2, 15
    ret

/* void lx106_unmask(uint32_t state) */
    .align  4
    .global lx106_unmask
lx106_unmask:
    wsr     a2, ps
    rsync
    ret

/* uint32_t lx106_pending(void): the interrupts, a mask, that are enabled and wait */
    .align  4
    .global lx106_pending
lx106_pending:
    rsr     a2, interrupt
    rsr     a3, intenable
    and     a2, a2, a3
    ret

/* void lx106_enable(uint32_t interrupts): these, a mask, and no others */
    .align  4
    .global lx106_enable
lx106_enable:
    wsr     a2, intenable
    rsync
    ret

/* void lx106_raise(uint32_t interrupts) and lower: of these, a mask, those that only a program raises */
    .align  4
    .global lx106_raise
lx106_raise:
    wsr     a2, intset
    rsync
    ret

    .align  4
    .global lx106_lower
lx106_lower:
    wsr     a2, intclear
    rsync
    ret

/* void lx106_alarm_in(uint32_t cycles): the timer's interrupt after that many cycles, or a little later; takes a pending one back.
   The timer compares for equality, so a moment that passed while it was written is asked for again, further away. */
    .align  4
    .global lx106_alarm_in
lx106_alarm_in:
    rsr     a3, ccount
    add     a4, a3, a2
    wsr     a4, ccompare0
    rsync
    rsr     a4, ccount
    sub     a4, a4, a3
    bltu    a4, a2, 1f
    addi    a2, a2, 64
    add     a2, a2, a2
    j       lx106_alarm_in
1:  ret

/* void lx106_sleep(void): call it with interrupts masked. Halts until one is pending that is enabled, and handles it; afterwards they are
   masked again. What was pending before ends the sleep at once. */
    .align  4
    .global lx106_sleep
lx106_sleep:
    waiti   0
    rsil    a2, 15
    ret

/* uint32_t lx106_simcall(uint32_t number, uint32_t a, uint32_t b, uint32_t c): QEMU's semihosting */
    .align  4
    .global lx106_simcall
lx106_simcall:
    simcall
    ret

/* void abort(void): where a trap of compiled code leads; QEMU ends with 134 */
    .align  4
    .global abort
abort:
    movi    a2, 1
    movi    a3, 134
    simcall
    j       abort

/* void lx106_sleep_at_most(uint32_t cycles, uint32_t interrupts): halts until that many cycles have gone by or one of these interrupts
   (a mask; the timer's bit 6 is added) is pending. Masked until the instruction that halts: what came before it ends the sleep at once. */
    .align  4
    .global lx106_sleep_at_most
lx106_sleep_at_most:
    rsil    a4, 15
1:  rsr     a5, ccount
    add     a6, a5, a2
    wsr     a6, ccompare0       /* takes a pending interrupt of the timer back */
    rsync
    rsr     a6, ccount
    sub     a6, a6, a5
    bltu    a6, a2, 2f          /* else it passed while it was written, and would not come for a whole round of the counter */
    addi    a2, a2, 64
    add     a2, a2, a2
    j       1b
2:  movi    a5, 0x40
    or      a5, a5, a3
    wsr     a5, intenable
    rsync
    waiti   0
    rsil    a5, 15
    ret

    .section .note.GNU-stack, "", @progbits
