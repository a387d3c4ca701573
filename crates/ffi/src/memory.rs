//! C's memory and texts: the checks that make references of pointers. With `door` the only file with unsafe code.
#![allow(unsafe_code)]

use core::ffi::{c_char, c_void};
use core::mem::{align_of, size_of};

use sensock::catalog::{AskEntry, CommandEntry, Policy, QuantityEntry, SettingEntry};
use sensock::limits::{BODY_MAX, NAME_MAX};
use sensock::seal::{Credential, NoEntropy};

use crate::seal::{self, Source};
use crate::setup::{self, Entries};
use crate::types::*;
use crate::values::Given;

/// Hands out parts of the caller's memory, one after the other; or, without memory, counts how much there would have to be.
pub(crate) struct Arena {
    /// `None` counts only.
    base: Option<*mut u8>,
    used: usize,
    len: usize,
}

impl Arena {
    /// Counts.
    pub(crate) fn counting() -> Self {
        Arena { base: None, used: 0, len: usize::MAX }
    }

    /// # Safety
    /// `memory` is valid for reads and writes of `len` bytes for as long as anything that is handed out is used, and nobody else uses it.
    pub(crate) unsafe fn over(memory: *mut c_void, len: usize) -> Self {
        let base = memory.cast::<u8>();
        // Parts are aligned relative to the first aligned byte.
        let skip = base.align_offset(ALIGN).min(len);
        Arena { base: Some(base.wrapping_add(skip)), used: 0, len: len - skip }
    }

    /// Room for `count` values, each set to `fill`; empty while counting.
    pub(crate) fn slice<T: Copy>(&mut self, count: usize, fill: T) -> Result<&'static mut [T], Error> {
        const { assert!(align_of::<T>() <= ALIGN) };
        let Some(at) = self.take::<T>(count)? else { return Ok(&mut []) };
        // SAFETY: `take` gave room for `count` aligned values that was never given out before, inside of memory that `over`'s caller
        // vouched for; each is written before the slice is made.
        unsafe {
            for i in 0..count {
                at.add(i).write(fill);
            }
            Ok(core::slice::from_raw_parts_mut(at, count))
        }
    }

    /// Room for one value; `None` while counting.
    pub(crate) fn put<T>(&mut self, value: impl FnOnce() -> T) -> Result<Option<&'static mut T>, Error> {
        const { assert!(align_of::<T>() <= ALIGN) };
        let Some(at) = self.take::<T>(1)? else { return Ok(None) };
        // SAFETY: as in `slice`.
        unsafe {
            at.write(value());
            Ok(Some(&mut *at))
        }
    }

    /// How many bytes were handed out; what the first of them lacks in alignment included.
    pub(crate) fn needed(&self) -> usize {
        self.used.saturating_add(ALIGN - 1)
    }

    fn take<T>(&mut self, count: usize) -> Result<Option<*mut T>, Error> {
        let at = self.used.checked_next_multiple_of(align_of::<T>()).ok_or(Error::Memory)?;
        let bytes = size_of::<T>().checked_mul(count).ok_or(Error::Memory)?;
        let end = at.checked_add(bytes).ok_or(Error::Memory)?;
        if end > self.len {
            return Err(Error::Memory);
        }
        self.used = end;
        Ok(self.base.map(|base| base.wrapping_add(at).cast()))
    }
}

/// Parts are aligned to this.
const ALIGN: usize = 8;

/// A text of at most 48 bytes that lives as long as the device; NULL is the empty text.
///
/// # Safety
/// NULL, or a pointer to bytes that end with a NUL or are 49 at least, and are never changed or freed.
pub(crate) unsafe fn text(at: *const c_char) -> Result<&'static str, Error> {
    // SAFETY: the caller's promise.
    unsafe { up_to(at, NAME_MAX, Error::Name) }
}

/// A key line; NULL is none.
///
/// # Safety
/// NULL, or a pointer to bytes that end with a NUL or are 93 at least.
pub(crate) unsafe fn key(at: *const c_char) -> Result<Credential, Error> {
    // SAFETY: the caller's promise; the text is not kept.
    seal::credential(unsafe { up_to(at, SENSOCK_KEY_LINE, Error::KeyForm)? })
}

/// Random bytes of C's.
pub(crate) fn fill(source: Source, bytes: &mut [u8]) -> Result<(), NoEntropy> {
    // SAFETY: whoever gave the function promised that it writes to these bytes and to no others.
    if unsafe { (source.0)(bytes.as_mut_ptr(), bytes.len()) } { Ok(()) } else { Err(NoEntropy) }
}

/// A text of at most `most` bytes; NULL is the empty one.
///
/// # Safety
/// NULL, or a pointer to bytes that end with a NUL or are `most` + 1 at least, and are not changed while the text is used.
unsafe fn up_to(at: *const c_char, most: usize, long: Error) -> Result<&'static str, Error> {
    if at.is_null() {
        return Ok("");
    }
    let at = at.cast::<u8>();
    // SAFETY: no byte behind the NUL, and none behind the last that may be, is read.
    let len = (0..=most).find(|i| unsafe { at.add(*i).read() } == 0).ok_or(long)?;
    // SAFETY: these bytes were just read, and the caller vouches for their life.
    let bytes = unsafe { core::slice::from_raw_parts(at, len) };
    core::str::from_utf8(bytes).map_err(|_| long)
}

/// An array that C passes with its count. NULL is none.
///
/// # Safety
/// NULL, or `count` initialised values that stay as they are during the call.
pub(crate) unsafe fn array<'a, T>(at: *const T, count: usize) -> Result<&'a [T], Error> {
    if count == 0 {
        return Ok(&[]);
    }
    if at.is_null() || !at.is_aligned() {
        return Err(Error::Null);
    }
    if count > isize::MAX as usize / size_of::<T>().max(1) {
        return Err(Error::Memory);
    }
    // SAFETY: not NULL, aligned, not too long; the caller vouches for the rest.
    Ok(unsafe { core::slice::from_raw_parts(at, count) })
}

/// As [`array`], to be written to.
///
/// # Safety
/// NULL, or `count` initialised values that nobody else uses during the call.
pub(crate) unsafe fn array_mut<'a, T>(at: *mut T, count: usize) -> Result<&'a mut [T], Error> {
    // SAFETY: the caller's promise; what is checked is the same.
    unsafe {
        array(at, count)?;
        match count {
            0 => Ok(&mut []),
            _ => Ok(core::slice::from_raw_parts_mut(at, count)),
        }
    }
}

/// A place that a call writes its result to.
///
/// # Safety
/// NULL, or a place for a `T` that nobody else uses during the call; what is there is not read.
pub(crate) unsafe fn write<T>(at: *mut T, value: T) -> Result<(), Error> {
    if at.is_null() || !at.is_aligned() {
        return Err(Error::Null);
    }
    // SAFETY: not NULL and aligned; the caller vouches that it may be written.
    unsafe { at.write(value) };
    Ok(())
}

/// The values of a body that C gives.
///
/// # Safety
/// As [`array`], and the texts and bytes among them are as long as they say.
pub(crate) unsafe fn given<'a>(
    values: *const Value,
    count: usize,
) -> Result<([Given<'a>; SENSOCK_VALUES], usize), Error> {
    if count > SENSOCK_VALUES {
        return Err(Error::Values);
    }
    // SAFETY: the caller's promise.
    let values: &'a [Value] = unsafe { array(values, count)? };
    let mut out = [Given::Integer(0); SENSOCK_VALUES];
    for (slot, value) in out.iter_mut().zip(values) {
        *slot = match value.kind {
            k if k == Type::F32 as u8 => Given::Real(value.real),
            k if k == Type::U64 as u8 => Given::Unsigned(value.integer as u64),
            k if (Type::Bool as u8..=Type::I64 as u8).contains(&k) => Given::Integer(value.integer),
            k if k == Type::Text as u8 || k == Type::Bytes as u8 => {
                if value.length > BODY_MAX {
                    return Err(Error::Values);
                }
                // SAFETY: the caller's promise.
                Given::Bytes(unsafe { array(value.bytes, value.length)? })
            }
            _ => return Err(Error::Number),
        };
    }
    Ok((out, count))
}

/// The readings of a record.
///
/// # Safety
/// As [`array`].
pub(crate) unsafe fn readings<'a>(at: *const ReadingIn, count: usize) -> Result<&'a [ReadingIn], Error> {
    if count > sensock::limits::READINGS_PER_RECORD {
        return Err(Error::Readings);
    }
    // SAFETY: the caller's promise.
    unsafe { array(at, count) }
}

/// The four lists of a configuration.
pub(crate) struct Lists<'a> {
    quantities: &'a [QuantityInfo],
    commands: &'a [CommandInfo],
    settings: &'a [SettingInfo],
    asks: &'a [AskInfo],
}

impl<'a> Lists<'a> {
    /// # Safety
    /// The lists are as long as the configuration says, stay as they are during the call, and their texts are such as [`text`] wants.
    pub(crate) unsafe fn of(config: &Config) -> Result<Lists<'a>, Error> {
        // SAFETY: the caller's promise.
        unsafe {
            Ok(Lists {
                quantities: array(config.quantities, setup::count(config.quantity_count)?)?,
                commands: array(config.commands, setup::count(config.command_count)?)?,
                settings: array(config.settings, setup::count(config.setting_count)?)?,
                asks: array(config.asks, setup::count(config.ask_count)?)?,
            })
        }
    }

    /// How many entries each list has.
    pub(crate) fn counts(&self) -> [usize; 4] {
        [self.quantities.len(), self.commands.len(), self.settings.len(), self.asks.len()]
    }
}

impl Entries for Lists<'_> {
    fn quantity(&self, at: usize) -> Result<QuantityEntry<'static>, Error> {
        let q = self.quantities.get(at).ok_or(Error::Catalog)?;
        // SAFETY: `of`'s caller vouched for the texts.
        let (name, unit) = unsafe { (text(q.name)?, text(q.unit)?) };
        let (id, scale, low, high, interval_ms) = (q.id, q.scale, q.low, q.high, q.interval_ms);
        setup::quantity(QuantityEntry { id, name, unit, scale, low, high, interval_ms })
    }

    fn command(&self, at: usize) -> Result<CommandEntry<'static>, Error> {
        let c = self.commands.get(at).ok_or(Error::Catalog)?;
        let policy = if c.idempotent { Policy::Idempotent } else { Policy::Once };
        let (request, answer) = (setup::shape(&c.request)?, setup::shape(&c.answer)?);
        // SAFETY: `of`'s caller vouched for the texts.
        let name = unsafe { text(c.name)? };
        Ok(CommandEntry { key: setup::key(c.key)?, name, policy, request, answer })
    }

    fn setting(&self, at: usize) -> Result<SettingEntry<'static>, Error> {
        let s = self.settings.get(at).ok_or(Error::Catalog)?;
        // SAFETY: `of`'s caller vouched for the texts.
        let name = unsafe { text(s.name)? };
        Ok(SettingEntry { key: setup::key(s.key)?, name, shape: setup::shape(&s.types)? })
    }

    fn ask(&self, at: usize) -> Result<AskEntry<'static>, Error> {
        let a = self.asks.get(at).ok_or(Error::Catalog)?;
        let (request, answer) = (setup::shape(&a.request)?, setup::shape(&a.answer)?);
        // SAFETY: `of`'s caller vouched for the texts.
        let name = unsafe { text(a.name)? };
        Ok(AskEntry { key: setup::key(a.key)?, name, request, answer })
    }
}
