//! The functions of `sensock.h`: each checks its pointers, calls one method, and returns a code. No logic lives here.
#![allow(unsafe_code)]

use core::ffi::{c_char, c_void};
use core::mem::MaybeUninit;

use sensock::DeviceId;
use sensock::device::Carry;

use crate::device::{Device, MARK};
use crate::memory::{self, Arena, Lists};
use crate::setup::{self, Setup};
use crate::text;
use crate::types::*;

/// The version of this library, such as "0.1.0".
#[unsafe(no_mangle)]
pub extern "C" fn sensock_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// What a person reads of an error code; never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn sensock_error_text(error: i32) -> *const c_char {
    text::error(error).as_ptr()
}

/// How many bytes of memory a device of this configuration needs, however they are aligned; 0 if the configuration is no good.
///
/// # Safety
/// `config` is NULL or as `sensock_init` wants it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_size(config: *const Config) -> usize {
    let mut arena = Arena::counting();
    // SAFETY: the caller's promise.
    match unsafe { with_setup(config, |setup| setup.lay_out(&mut arena).map(|_| ())) } {
        Ok(()) => arena.needed(),
        Err(_) => 0,
    }
}

/// Makes a device in the memory that is given, and begins a boot. `now` is a millisecond counter, such as `millis()`, that may wrap; all
/// other calls take the same counter, and one of them must come at least every 24 days.
///
/// The memory must stay in place as long as the device is used, and be used by nothing else. To end a device, just stop using it.
///
/// # Safety
/// `memory` has `length` bytes, `config` and all that it points to are valid, `device` is a place for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_init(
    memory: *mut c_void,
    length: usize,
    config: *const Config,
    now: u32,
    device: *mut *mut Device,
) -> Error {
    // SAFETY: the caller's promise.
    if let Err(error) = unsafe { memory::write(device, core::ptr::null_mut()) } {
        return error;
    }
    if memory.is_null() {
        return Error::Null;
    }
    // SAFETY: not NULL; the caller vouches for its length and its life.
    let mut arena = unsafe { Arena::over(memory, length) };
    let mut made: Option<&'static mut Device> = None;
    let begin = |setup: &Setup<'_>| {
        let (place, parts): (&'static mut MaybeUninit<Device>, _) =
            setup.lay_out(&mut arena)?.ok_or(Error::Memory)?;
        made = Some(place.write(Device::start(setup, parts, now)?));
        Ok(())
    };
    // SAFETY: the caller's promise.
    let begun = unsafe { with_setup(config, begin) };
    match (begun, made) {
        // SAFETY: the caller's promise.
        (Ok(()), Some(made)) => code(unsafe { memory::write(device, made) }),
        (Err(error), _) => error,
        _ => Error::Memory,
    }
}

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

/// A transport is open: a TCP connection, a serial line. What was under way on another one is sent again.
///
/// # Safety
/// `device` is NULL or of `sensock_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_connected(device: *mut Device, now: u32) -> Error {
    // SAFETY: the caller's promise.
    unsafe { told(device, |d| d.connected(now)) }
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

/// Writes what a deep sleep, or SENSOCK_EVENT_KEEP, has to keep: SENSOCK_CARRY_BYTES, with a checksum.
///
/// # Safety
/// `device` is NULL or of `sensock_init`; `bytes` has room for SENSOCK_CARRY_BYTES.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_carry(device: *mut Device, bytes: *mut u8) -> Error {
    let at = bytes.cast::<[u8; SENSOCK_CARRY_BYTES]>();
    // SAFETY: the caller's promise.
    unsafe { on(device, |d| memory::write(at, d.carry())) }
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
/// connection or failed dial. `entropy` is any number that differs from board to board, or 0.
///
/// # Safety
/// `device` is NULL or of `sensock_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sensock_backoff_ms(device: *mut Device, now: u32, entropy: u32) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { of(device, 1_000, |d| d.backoff_ms(now, entropy)) }
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

/// Runs `f` on a device, if it is one.
///
/// # Safety
/// `device` is NULL, or of `sensock_init`, and nobody else uses it meanwhile.
unsafe fn on<R>(device: *mut Device, f: impl FnOnce(&mut Device) -> Result<R, Error>) -> Error {
    if device.is_null() || !device.is_aligned() {
        return Error::Null;
    }
    // SAFETY: not NULL and aligned; the caller vouches that it came from `sensock_init`. The mark catches most who err.
    let marked = unsafe { (&raw const (*device).mark).read() } == MARK;
    if !marked {
        return Error::Device;
    }
    // SAFETY: it is a device, and the caller vouches that there is no other reference to it.
    code(f(unsafe { &mut *device }))
}

/// As [`on`], for what cannot go wrong.
///
/// # Safety
/// As [`on`].
unsafe fn told(device: *mut Device, f: impl FnOnce(&mut Device)) -> Error {
    // SAFETY: the caller's promise.
    unsafe {
        on(device, |d| {
            f(d);
            Ok(())
        })
    }
}

/// As [`on`], for what is asked of a device; `none` if it is none.
///
/// # Safety
/// As [`on`].
unsafe fn of<R>(device: *mut Device, mut none: R, f: impl FnOnce(&mut Device) -> R) -> R {
    // SAFETY: the caller's promise.
    let _no_device = unsafe { told(device, |d| none = f(d)) };
    none
}

/// Checks a configuration's pointers and lists, and runs `f` with it.
///
/// # Safety
/// As `sensock_init`.
unsafe fn with_setup(
    config: *const Config,
    f: impl FnOnce(&Setup<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    // SAFETY: the caller's promise.
    let config = unsafe { memory::array(config, 1)? }.first().ok_or(Error::Null)?;
    if config.abi != SENSOCK_ABI {
        return Err(Error::Abi);
    }
    if config.security != SENSOCK_INSECURE {
        return Err(Error::Security);
    }
    // SAFETY: the caller's promise.
    let (id, firmware, lists) =
        unsafe { (memory::text(config.id)?, memory::text(config.firmware)?, Lists::of(config)?) };
    let carry = match config.carry.is_null() {
        true => None,
        false => {
            // SAFETY: not NULL; the caller vouches for its length. An array of bytes needs no alignment.
            let bytes = unsafe { config.carry.cast::<[u8; SENSOCK_CARRY_BYTES]>().read() };
            Carry::from_bytes(&bytes)
        }
    };
    f(&Setup {
        id: DeviceId::new(id).map_err(|_| Error::Id)?,
        firmware,
        outbox_bytes: setup::outbox_bytes(config.outbox_bytes)?,
        frame_bytes: setup::frame_bytes(config.frame_bytes)?,
        boot: config.boot,
        carry,
        keeps: config.keeps,
        settings_again: config.settings_again,
        counts: lists.counts(),
        entries: &lists,
    })
}

fn number_of(lane: u8) -> Result<sensock::Lane, Error> {
    sensock::Lane::from_number(lane).ok_or(Error::Number)
}

fn code<R>(result: Result<R, Error>) -> Error {
    result.map_or_else(|error| error, |_| Error::None)
}
