//! A door for C and Python to the checks of the specification's byte vectors: a test outside of Rust reads the JSON files, packs what they say
//! (the form is in `sensock-vectors`, `pack.rs`), and is told what the library reads and writes otherwise.

use core::slice;

/// Checks vectors in the packed form with memory of the caller's. Writes to `counts`: vectors read, written, cut short, and failed checks.
/// Returns 0 if nothing failed, 1 if something did, 2 for a NULL pointer.
///
/// # Safety
/// `packed` are `length` bytes, `scratch` are `room` bytes that nobody else uses, `counts` has room for four numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_check_vectors(
    packed: *const u8,
    length: usize,
    scratch: *mut u8,
    room: usize,
    counts: *mut u32,
) -> i32 {
    if packed.is_null() || scratch.is_null() || counts.is_null() {
        return 2;
    }
    // SAFETY: none is NULL, and the caller vouches for the lengths.
    let (packed, scratch) =
        unsafe { (slice::from_raw_parts(packed, length), slice::from_raw_parts_mut(scratch, room)) };
    let count = sensock_vectors::run_packed(packed, scratch, &mut |_| {});
    // SAFETY: as above; bytes of C may lie anywhere.
    unsafe {
        counts.cast::<[u32; 4]>().write_unaligned([count.vectors, count.written, count.cut, count.failed])
    };
    i32::from(count.failed > 0)
}
