//! The functions of `sensock.h`: each checks its pointers, calls one method, and returns a code. No logic lives here.
#![allow(unsafe_code)]

mod application;
mod connection;

use core::ffi::{c_char, c_void};
use core::mem::MaybeUninit;

use sensock::DeviceId;
use sensock::device::Carry;

use crate::device::{Device, MARK};
use crate::memory::{self, Arena, Lists};
use crate::seal::Source;
use crate::setup::{self, Setup};
use crate::text;
use crate::types::*;

pub use application::*;
pub use connection::*;

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
    let proof = match config.security {
        SENSOCK_INSECURE if config.key.is_null() => None,
        SENSOCK_SEALED => {
            // SAFETY: the caller's promise.
            let credential = unsafe { memory::key(config.key)? };
            Some((credential, Source(config.random.ok_or(Error::NoRandom)?)))
        }
        _ => return Err(Error::Security),
    };
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
        proof,
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
