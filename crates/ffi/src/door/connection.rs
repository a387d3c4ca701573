//! What moves a connection: bytes, events, deadlines, and its end.

use super::{code, of, on, told};
use crate::device::Device;
use crate::memory;
use crate::types::*;

/// A transport is open: a TCP connection, a serial line. What was under way on another one is sent again. SENSOCK_ERROR_NO_RANDOM if a device
/// with a key gets no random bytes: close the transport, wait `sensock_backoff_ms`, dial again.
///
/// # Safety
/// `device` is NULL or of `sensock_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_connected(device: *mut Device, now: u32) -> Error {
    // SAFETY: the caller's promise.
    unsafe { on(device, |d| d.connected(now)) }
}

/// The transport is closed or failed. Harmless if it was known.
///
/// # Safety
/// `device` is NULL or of `sensock_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_lost(device: *mut Device, now: u32) -> Error {
    // SAFETY: the caller's promise.
    unsafe { told(device, |d| d.lost(now)) }
}

/// Bytes came. `used` says how many were taken: if not all, poll until SENSOCK_EVENT_NONE and give it the rest, unless the connection
/// ended. Any chunks will do.
///
/// # Safety
/// `device` is NULL or of `sensock_init`; `bytes` are `length`; `used` is NULL or a place.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_receive(
    device: *mut Device,
    now: u32,
    bytes: *const u8,
    length: usize,
    used: *mut usize,
) -> Error {
    // SAFETY: the caller's promise.
    let bytes = unsafe { memory::array(bytes, length) };
    let mut taken = 0;
    // SAFETY: the caller's promise.
    let error = unsafe { on(device, |d| d.receive(now, bytes?).map(|n| taken = n)) };
    // SAFETY: the caller's promise.
    match unsafe { memory::write(used, taken) } {
        Err(null) if error == Error::None => null,
        _ => error,
    }
}

/// What is to be written to the transport now: `*length` bytes at `*bytes`, none if nothing is. Write as many as the transport takes, and
/// say how many with `sensock_transmitted`. The bytes are valid until the next call.
///
/// # Safety
/// `device` is NULL or of `sensock_init`; `bytes` and `length` are places.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_transmit(
    device: *mut Device,
    now: u32,
    bytes: *mut *const u8,
    length: *mut usize,
) -> Error {
    let mut due: (*const u8, usize) = (core::ptr::null(), 0);
    let fill = |d: &mut Device| {
        let all = d.transmit(now);
        due = (all.as_ptr(), all.len());
        Ok(())
    };
    // SAFETY: the caller's promise.
    let error = unsafe { on(device, fill) };
    // SAFETY: the caller's promise.
    let told = unsafe { memory::write(bytes, due.0).and(memory::write(length, due.1)) };
    if error == Error::None { code(told) } else { error }
}

/// So many of the bytes that `sensock_transmit` gave were written.
///
/// # Safety
/// `device` is NULL or of `sensock_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_transmitted(device: *mut Device, length: usize) -> Error {
    // SAFETY: the caller's promise.
    unsafe { on(device, |d| d.transmitted(length)) }
}

/// Tells what happened since: call it until it says SENSOCK_EVENT_NONE.
///
/// # Safety
/// `device` is NULL or of `sensock_init`; `event` is a place.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_poll(device: *mut Device, now: u32, event: *mut Event) -> Error {
    let mut told = Event::NONE;
    // SAFETY: the caller's promise. The place is tried first, so that no event is lost for the lack of one.
    unsafe {
        if let Err(null) = memory::write(event, told) {
            return null;
        }
        let error = on(device, |d| {
            told = d.poll(now);
            Ok(())
        });
        let _written = memory::write(event, told);
        error
    }
}

/// Says that the device will be silent for so long, once everything is sent and what the server has for it was dealt with. Go on with
/// transmit, receive and poll until SENSOCK_EVENT_SLEPT; commands and settings may still come. If `ends_boot`, the server then knows that nothing
/// more comes of this boot: keep `sensock_carry` after that event, power down, and begin the next boot with it. SENSOCK_ERROR_STATE if there is
/// no session; a device may sleep without a word, too.
///
/// # Safety
/// `device` is NULL or of `sensock_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_sleep(device: *mut Device, now: u32, for_ms: u32, ends_boot: bool) -> Error {
    // SAFETY: the caller's promise.
    unsafe { on(device, |d| d.fall_asleep(now, for_ms, ends_boot)) }
}

/// Ends the connection in order: go on with `sensock_transmit` and `sensock_poll` until SENSOCK_EVENT_ENDED.
///
/// # Safety
/// `device` is NULL or of `sensock_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_close(device: *mut Device) -> Error {
    // SAFETY: the caller's promise.
    unsafe { told(device, |d| d.session.close(sensock::wire::hello::End::Closed, d.ended)) }
}

/// Whether nothing is left to do: connected, all records stored, and all that the server had waiting is received and answered. A device
/// that sleeps sleeps now.
///
/// # Safety
/// `device` is NULL or of `sensock_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_is_settled(device: *mut Device) -> bool {
    // SAFETY: the caller's promise.
    unsafe { of(device, false, |d| d.is_settled()) }
}

/// In how many ms something is due even if nothing comes: call transmit and poll then. SENSOCK_FOREVER if nothing is.
///
/// # Safety
/// `device` is NULL or of `sensock_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_wait_ms(device: *mut Device, now: u32) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { of(device, SENSOCK_FOREVER, |d| d.wait_ms(now)) }
}

/// How many ms to wait before the next dial: longer after each failure, never shorter than the server asked. Call it once after each
/// connection or failed dial. A device with a key makes the key pair of its next connection here, while nobody waits for it: on an ESP8266 that
/// takes some 200 ms. `entropy` is any number that differs from board to board, or 0.
///
/// # Safety
/// `device` is NULL or of `sensock_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_backoff_ms(device: *mut Device, now: u32, entropy: u32) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { of(device, 1_000, |d| d.backoff_ms(now, entropy)) }
}
