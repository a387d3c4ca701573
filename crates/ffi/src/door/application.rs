//! What an application does with a device: records, answers, questions, and how it stands.

use core::ffi::c_char;

use super::{number_of, of, on, told};
use crate::device::Device;
use crate::memory;
use crate::text;
use crate::types::*;

/// Records readings of one instant: 1 to 16, each of another quantity. Never waits and needs no connection. If the lane is full its
/// policy decides what is lost, and the server is told. `lane` is `sensock_lane`; readings go to SENSOCK_LANE_READINGS.
///
/// # Safety
/// `device` is NULL or of `sensock_init`; `readings` are `count`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_record(
    device: *mut Device,
    now: u32,
    lane: u8,
    readings: *const ReadingIn,
    count: usize,
) -> Error {
    // SAFETY: the caller's promise.
    let given = unsafe { memory::readings(readings, count) };
    // SAFETY: the caller's promise.
    unsafe { on(device, |d| d.record(number_of(lane)?, now, given?)) }
}

/// What happens when a lane is full (`sensock_policy_kind`), and after how long its records are given up (0: never). Before its first record.
///
/// # Safety
/// `device` is NULL or of `sensock_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_policy(
    device: *mut Device,
    lane: u8,
    policy: u8,
    keep_for_ms: u32,
) -> Error {
    // SAFETY: the caller's promise.
    unsafe { on(device, |d| d.policy(number_of(lane)?, policy, keep_for_ms)) }
}

/// What the operator shall know of this board; said at the next connection.
///
/// # Safety
/// `device` is NULL or of `sensock_init`, `account` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_account_for(device: *mut Device, account: *const Account) -> Error {
    // SAFETY: the caller's promise.
    let account = unsafe { memory::array(account, 1) };
    // SAFETY: the caller's promise.
    unsafe { on(device, |d| account?.first().map(|a| d.account = *a).ok_or(Error::Null)) }
}

/// Answers a command with values of the types that the catalogue states.
///
/// # Safety
/// `device` is NULL or of `sensock_init`; `values` are `count`, and their texts as long as they say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_reply(
    device: *mut Device,
    id: u32,
    values: *const Value,
    count: usize,
) -> Error {
    // SAFETY: the caller's promise.
    let given = unsafe { memory::given(values, count) };
    // SAFETY: the caller's promise.
    unsafe { on(device, |d| given.and_then(|(all, n)| d.reply(id, all.get(..n).unwrap_or_default()))) }
}

/// Refuses a command with a code: 16 to 255 are yours, 0 reads as 1.
///
/// # Safety
/// `device` is NULL or of `sensock_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_refuse(device: *mut Device, id: u32, code: u8) -> Error {
    // SAFETY: the caller's promise.
    unsafe { on(device, |d| d.refuse(id, code)) }
}

/// Refuses the setting that was told last, instead of applying it: right after the poll that told it. 16 to 255 are your codes.
///
/// # Safety
/// `device` is NULL or of `sensock_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_refuse_setting(device: *mut Device, revision: u32, code: u8) -> Error {
    // SAFETY: the caller's promise.
    unsafe {
        on(device, |d| match &mut d.news.setting {
            Some((open, refused)) if *open == revision => {
                *refused = Some(code.max(1));
                Ok(())
            }
            _ => Err(Error::State),
        })
    }
}

/// Puts a question to the server, one at a time and only while connected; `id` is its number. An event brings the answer, or says that none
/// came within `within_ms`.
///
/// # Safety
/// `device` is NULL or of `sensock_init`; `values` are `count`; `id` is NULL or a place.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_ask(
    device: *mut Device,
    now: u32,
    key: u16,
    values: *const Value,
    count: usize,
    within_ms: u32,
    id: *mut u32,
) -> Error {
    // SAFETY: the caller's promise.
    let given = unsafe { memory::given(values, count) };
    let mut asked = 0;
    let ask = |d: &mut Device| {
        let (all, n) = given?;
        d.ask(now, key, all.get(..n).unwrap_or_default(), within_ms).map(|id| asked = id.into())
    };
    // SAFETY: the caller's promise.
    let error = unsafe { on(device, ask) };
    // SAFETY: the caller's promise. Whoever does not want to know passes NULL.
    let _unwanted = unsafe { memory::write(id, asked) };
    error
}

/// Writes what memory that survives has to keep: SENSOCK_CARRY_BYTES, with a checksum. `ends_boot` says that power goes down now: no record is
/// taken any more. Without it the boot goes on, as after `sensock_init` and on SENSOCK_EVENT_KEEP: should it end without another word, what
/// was not acknowledged by then is said to be lost.
///
/// # Safety
/// `device` is NULL or of `sensock_init`; `bytes` has room for SENSOCK_CARRY_BYTES.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_carry(device: *mut Device, ends_boot: bool, bytes: *mut u8) -> Error {
    let at = bytes.cast::<[u8; SENSOCK_CARRY_BYTES]>();
    // SAFETY: the caller's promise.
    unsafe { on(device, |d| memory::write(at, d.carry(ends_boot))) }
}

/// What `sensock_carry` gave after SENSOCK_EVENT_KEEP lies in memory that survives: the command that waits for it may run.
///
/// # Safety
/// `device` is NULL or of `sensock_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_kept(device: *mut Device) -> Error {
    // SAFETY: the caller's promise.
    unsafe { told(device, |d| d.kept()) }
}

/// Whether all records are stored, or explained by a gap. It needs no connection.
///
/// # Safety
/// `device` is NULL or of `sensock_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_is_drained(device: *mut Device) -> bool {
    // SAFETY: the caller's promise.
    unsafe { of(device, false, |d| d.is_drained()) }
}

/// How the device is doing, in numbers.
///
/// # Safety
/// `device` is NULL or of `sensock_init`; `status` is a place.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_status_of(device: *mut Device, status: *mut Status) -> Error {
    // SAFETY: the caller's promise.
    unsafe { on(device, |d| memory::write(status, d.status())) }
}

/// How the device is doing, in words: "stored 118, waiting 3, link up". Writes at most `length` bytes, the last of them a NUL; 64 are enough.
///
/// # Safety
/// `device` is NULL or of `sensock_init`; `text` has room for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_status_text(device: *mut Device, text: *mut c_char, length: usize) -> Error {
    // SAFETY: the caller's promise; every byte is written before it is read.
    let out = unsafe {
        if let (false, 1..) = (text.is_null(), length) {
            text.write_bytes(0, length);
        }
        memory::array_mut(text.cast::<u8>(), length)
    };
    // SAFETY: the caller's promise.
    unsafe { on(device, |d| out.map(|out| text::status(&d.status(), d.why_down(), out))) }
}
