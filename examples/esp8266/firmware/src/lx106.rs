//! The core's own instructions, as functions of `startup.S`: LLVM's backend has no inline assembly for it.

use critical_section::RawRestoreState;

mod startup {
    unsafe extern "C" {
        pub(super) safe fn lx106_cycles() -> u32;
        pub(super) safe fn lx106_alarm_in(cycles: u32);
        pub(super) safe fn lx106_sleep();
        pub(super) safe fn lx106_pending() -> u32;
        pub(super) fn lx106_enable(interrupts: u32);
        pub(super) safe fn lx106_raise(interrupts: u32);
        pub(super) safe fn lx106_lower(interrupts: u32);
        pub(super) safe fn lx106_mask() -> u32;
        pub(super) fn lx106_unmask(state: u32);
        pub(super) fn lx106_simcall(number: u32, a: u32, b: u32, c: u32) -> u32;
    }
}

/// The cycle counter, which wraps.
pub(crate) fn cycles() -> u32 {
    startup::lx106_cycles()
}

/// Interrupts, as masks: of the timer, and the one that only a program raises.
pub(crate) const TIMER: u32 = 1 << 6;
pub(crate) const SOFTWARE: u32 = 1 << 7;

/// Has [`TIMER`] interrupt after so many cycles, or a little later.
pub(crate) fn alarm_in(cycles: u32) {
    startup::lx106_alarm_in(cycles);
}

/// Halts the core until an interrupt is pending, which is handled before this returns. Call it in a critical section.
pub(crate) fn sleep() {
    startup::lx106_sleep();
}

/// Those that are enabled and pending.
pub(crate) fn pending() -> u32 {
    startup::lx106_pending()
}

/// Lets these interrupt, from now on.
pub(crate) fn enable(interrupts: u32) {
    /// Programs run in user mode, and nothing is masked.
    const RUNNING: u32 = 1 << 5;
    // SAFETY: `interrupt.rs` handles whatever is enabled.
    unsafe { startup::lx106_enable(interrupts) };
    // SAFETY: no critical section is open: this is the start.
    unsafe { startup::lx106_unmask(RUNNING) };
}

/// Makes these pending.
pub(crate) fn raise(interrupts: u32) {
    startup::lx106_raise(interrupts);
}

/// Takes that back.
pub(crate) fn lower(interrupts: u32) {
    startup::lx106_lower(interrupts);
}

/// What QEMU does for a program that asks.
#[derive(Clone, Copy)]
pub(crate) enum Call<'a> {
    /// Ends, with this exit code.
    Exit(u32),
    /// Writes to the console.
    Print(&'a [u8]),
}

/// Asks.
pub(crate) fn call(call: Call<'_>) {
    match call {
        Call::Exit(code) => {
            // SAFETY: 1 ends the machine.
            unsafe { startup::lx106_simcall(1, code, 0, 0) };
        }
        Call::Print(text) => {
            // SAFETY: 4 reads this many bytes from this address and writes them to a file, here 1, the console.
            unsafe { startup::lx106_simcall(4, 1, text.as_ptr() as u32, text.len() as u32) };
        }
    }
}

/// Some bytes of the computer's random numbers; false if it has none.
pub(crate) fn random(into: &mut [u8]) -> bool {
    const NAME: &[u8] = b"/dev/urandom\0";
    // SAFETY: 5 opens the file whose name ends with a zero, to be read; the answer is a descriptor.
    let file = unsafe { startup::lx106_simcall(5, NAME.as_ptr() as u32, 0, 0) };
    if file as i32 <= 0 {
        return false;
    }
    // SAFETY: 3 writes at most this many bytes to this address, which `into` borrows for us alone.
    let read = unsafe { startup::lx106_simcall(3, file, into.as_mut_ptr() as u32, into.len() as u32) };
    // SAFETY: 6 closes it.
    unsafe { startup::lx106_simcall(6, file, 0, 0) };
    read as usize == into.len()
}

/// Interrupts wait.
struct Masked;
critical_section::set_impl!(Masked);

// SAFETY: one core, and between the two calls no interrupt is taken; pairs may be nested, since the state of before comes back.
unsafe impl critical_section::Impl for Masked {
    unsafe fn acquire() -> RawRestoreState {
        startup::lx106_mask()
    }

    unsafe fn release(state: RawRestoreState) {
        // SAFETY: the state comes from `lx106_mask`, as whoever calls `release` promises.
        unsafe { startup::lx106_unmask(state) }
    }
}
