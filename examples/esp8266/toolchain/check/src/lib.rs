//! What goes wrong first when the toolchain for LX106 does: literals, calls far and near, tables, memory functions, wide arithmetic.
#![no_std]

use core::hint::black_box;
use core::panic::PanicInfo;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// Mixes words with constants that only a literal can hold; the answer depends on each step.
#[unsafe(no_mangle)]
pub extern "C" fn lx106_check_mix(seed: u32, rounds: u32) -> u64 {
    let mut state = [u64::from(seed), 0x9E37_79B9_7F4A_7C15, 0, 0];
    for round in 0..black_box(rounds) {
        let [a, b, c, d] = state;
        state = [step(a ^ d, round), b.rotate_left(round % 64) / (c | 1), STEPS[(a % 4) as usize](b), d.wrapping_add(c)];
    }
    let copied = black_box(state);
    copied.iter().fold(0, |sum, word| sum.rotate_left(7) ^ word)
}

/// Divides 64 bits by 64 bits, rounding down; 0 for a division by 0.
#[unsafe(no_mangle)]
pub extern "C" fn lx106_check_divide(a: u64, b: u64) -> u64 {
    a.checked_div(b).unwrap_or(0)
}

static STEPS: [fn(u64) -> u64; 4] = [multiplied, shifted, |word| word.swap_bytes(), |word| !word];

#[inline(never)]
fn step(word: u64, round: u32) -> u64 {
    shifted(multiplied(word)).wrapping_add(u64::from(round) << 17)
}

#[inline(never)]
fn multiplied(word: u64) -> u64 {
    word.wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

#[inline(never)]
fn shifted(word: u64) -> u64 {
    word ^ (word >> 29)
}
