//! How far the stack goes: what a program that measures itself asks.

use core::hint::black_box;

use app::handshake::Stack;

unsafe extern "C" {
    /// Where the stack begins, at its upper end: of the linker's script.
    static _stack_start: u32;
    /// Where statics end.
    static __sheap: u32;
}

/// What unused stack is filled with.
const PAINT: u32 = 0x5a5a_a5a5;
/// Bytes below a caller's frame that are left alone: the frames of who paints.
const OWN: usize = 256;
/// As far down as anybody looks.
const LOOKED_AT: usize = 32 * 1024;

/// The only stack of this board.
#[derive(Debug, Default)]
pub struct Painted {
    /// The frame of who painted.
    from: usize,
}

impl Painted {
    /// Where the stack begins, and where the part of it that is looked at ends.
    fn ends() -> (usize, usize) {
        let (top, end) = (&raw const _stack_start as usize, &raw const __sheap as usize);
        (top, end.max(top - LOOKED_AT).next_multiple_of(4))
    }
}

impl Stack for Painted {
    #[inline(never)]
    fn paint(&mut self) {
        let here = black_box(0_u32);
        self.from = &raw const here as usize;
        let last = (self.from - OWN) & !3;
        for at in (Self::ends().1..last).step_by(4) {
            // SAFETY: below every frame that there is, above the end of statics: nobody's memory until a function is called.
            unsafe { (at as *mut u32).write_volatile(PAINT) };
        }
    }

    #[inline(never)]
    fn depth(&mut self) -> u32 {
        let (top, end) = Self::ends();
        // SAFETY: memory of the stack, of which any bits are a number.
        let is_painted = |at: &usize| unsafe { (*at as *const u32).read_volatile() } == PAINT;
        let deepest = (end..top).step_by(4).find(|at| !is_painted(at)).unwrap_or(top);
        self.from.saturating_sub(deepest) as u32
    }
}
