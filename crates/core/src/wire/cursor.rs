//! Reading and writing bytes within bounds. SPEC 1.4: canonical varints, little-endian fixed fields.

use crate::Tick;
use crate::error::Peer;
use crate::limits::SMALL;

/// Reads fields off the front of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader over a frame's body.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything was read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Ends the frame: anything left over is malformed.
    pub fn end(self) -> Result<(), Peer> {
        if self.rest.is_empty() { Ok(()) } else { Err(Peer::Malformed) }
    }

    /// One byte.
    #[inline]
    pub fn u8(&mut self) -> Result<u8, Peer> {
        let (first, rest) = self.rest.split_first().ok_or(Peer::Malformed)?;
        self.rest = rest;
        Ok(*first)
    }

    /// The next `n` bytes.
    pub fn bytes(&mut self, n: usize) -> Result<&'a [u8], Peer> {
        if n > self.rest.len() {
            return Err(Peer::Malformed);
        }
        let (head, rest) = self.rest.split_at(n);
        self.rest = rest;
        Ok(head)
    }

    /// A fixed little-endian u64.
    pub fn u64_fixed(&mut self) -> Result<u64, Peer> {
        let mut b = [0; 8];
        b.copy_from_slice(self.bytes(8)?);
        Ok(u64::from_le_bytes(b))
    }

    /// A canonical varint of up to 64 bits.
    pub fn varint(&mut self) -> Result<u64, Peer> {
        let mut value = 0u64;
        for (i, b) in self.rest.iter().take(10).enumerate() {
            if i == 9 && *b > 1 || i > 0 && *b == 0 {
                break;
            }
            value |= u64::from(b & 0x7f) << (7 * i);
            if *b < 0x80 {
                self.rest = self.rest.get(i + 1..).unwrap_or_default();
                return Ok(value);
            }
        }
        Err(Peer::Malformed)
    }

    /// As [`Reader::varint`], with two bytes or one read in place: for the few places that every record passes.
    #[inline(always)]
    pub(crate) fn short_varint(&mut self) -> Result<u64, Peer> {
        let (value, rest) = match self.rest {
            [one @ 0x80..=0xff, two @ 1..0x80, rest @ ..] => {
                (u64::from(one & 0x7f) | u64::from(*two) << 7, rest)
            }
            [one @ ..0x80, rest @ ..] => (u64::from(*one), rest),
            longer => {
                let mut reader = Reader::new(longer);
                (reader.varint()?, reader.rest)
            }
        };
        self.rest = rest;
        Ok(value)
    }

    /// A varint that must fit 32 bits.
    pub fn var32(&mut self) -> Result<u32, Peer> {
        u32::try_from(self.varint()?).map_err(|_| Peer::Malformed)
    }

    /// A varint that must fit 16 bits.
    pub fn var16(&mut self) -> Result<u16, Peer> {
        u16::try_from(self.varint()?).map_err(|_| Peer::Malformed)
    }

    /// A zigzag varint.
    pub fn zigzag(&mut self) -> Result<i64, Peer> {
        Ok(unzigzag(self.varint()?))
    }

    /// A zigzag varint that must fit 32 bits.
    pub fn zigzag32(&mut self) -> Result<i32, Peer> {
        i32::try_from(self.zigzag()?).map_err(|_| Peer::Malformed)
    }

    /// A byte that is 0 or 1.
    pub fn flag(&mut self) -> Result<bool, Peer> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Peer::Malformed),
        }
    }

    /// A varint distance from an earlier tick.
    pub fn after(&mut self, earlier: Tick) -> Result<Tick, Peer> {
        earlier.0.checked_add(self.varint()?).map(Tick).ok_or(Peer::Malformed)
    }

    /// The ticks that a gap covers, if bit 7 of its cause says that they follow (SPEC 4.4).
    pub fn span(&mut self, cause: u8) -> Result<Option<(Tick, Tick)>, Peer> {
        if cause & 0x80 == 0 {
            return Ok(None);
        }
        let first = Tick(self.varint()?);
        Ok(Some((first, self.after(first)?)))
    }

    /// A varint length of at most `max`, and that many bytes.
    pub fn block(&mut self, max: usize) -> Result<&'a [u8], Peer> {
        let n = self.varint()?;
        if n > max as u64 {
            return Err(Peer::Limit);
        }
        self.bytes(n as usize)
    }

    /// A block that must be UTF-8.
    pub fn text(&mut self, max: usize) -> Result<&'a str, Peer> {
        core::str::from_utf8(self.block(max)?).map_err(|_| Peer::Malformed)
    }
}

/// Reads all fields of a message, and says once, at the end, whether they were there: what cannot be read is zero or empty, and so is all
/// that follows it. The first thing that is wrong counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    reader: Reader<'a>,
    wrong: Option<Peer>,
}

impl<'a> Fields<'a> {
    /// The fields of a frame's body.
    pub(crate) const fn new(body: &'a [u8]) -> Self {
        Self { reader: Reader::new(body), wrong: None }
    }

    /// Something is wrong; nothing more is read.
    #[inline(never)]
    pub(crate) fn fail(&mut self, why: Peer) {
        self.wrong = self.wrong.or(Some(why));
        self.reader = Reader::new(&[]);
    }

    /// Demands what must hold.
    pub(crate) fn require(&mut self, holds: bool, otherwise: Peer) {
        if !holds {
            self.fail(otherwise);
        }
    }

    /// Whether everything was read, or something was wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.reader.is_empty()
    }

    /// All fields were there so far.
    ///
    /// # Errors
    /// The first thing that was wrong.
    pub(crate) fn so_far(&self) -> Result<(), Peer> {
        self.wrong.map_or(Ok(()), Err)
    }

    /// All fields were there, and nothing follows.
    ///
    /// # Errors
    /// The first thing that was wrong.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn end(&mut self) -> Result<(), Peer> {
        self.require(self.reader.is_empty(), Peer::Malformed);
        self.so_far()
    }

    /// What follows, as it is.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        let rest = self.reader.rest();
        self.reader = Reader::new(&[]);
        rest
    }

    fn or_fail<T: Default>(&mut self, read: Result<T, Peer>) -> T {
        read.unwrap_or_else(|why| {
            self.fail(why);
            T::default()
        })
    }

    /// One byte.
    #[inline(never)]
    pub(crate) fn u8(&mut self) -> u8 {
        let read = self.reader.u8();
        self.or_fail(read)
    }

    /// A canonical varint of up to 64 bits.
    #[inline(never)]
    pub(crate) fn varint(&mut self) -> u64 {
        let read = self.reader.varint();
        self.or_fail(read)
    }

    /// A varint that must fit 32 bits.
    #[inline(never)]
    pub(crate) fn var32(&mut self) -> u32 {
        let wide = self.varint();
        self.require(wide >> 32 == 0, Peer::Malformed);
        wide as u32
    }

    /// A varint that must fit 16 bits.
    #[inline(never)]
    pub(crate) fn var16(&mut self) -> u16 {
        let wide = self.varint();
        self.require(wide >> 16 == 0, Peer::Malformed);
        wide as u16
    }

    /// A fixed little-endian u64.
    #[inline(never)]
    pub(crate) fn u64_fixed(&mut self) -> u64 {
        let read = self.reader.u64_fixed();
        self.or_fail(read)
    }

    /// A byte that is 0 or 1.
    pub(crate) fn flag(&mut self) -> bool {
        let byte = self.u8();
        self.require(byte <= 1, Peer::Malformed);
        byte == 1
    }

    /// A varint distance from an earlier tick.
    pub(crate) fn after(&mut self, earlier: Tick) -> Tick {
        match earlier.0.checked_add(self.varint()) {
            Some(tick) => Tick(tick),
            None => {
                self.fail(Peer::Malformed);
                earlier
            }
        }
    }

    /// The ticks that a gap covers, if bit 7 of its cause says that they follow (SPEC 4.4).
    pub(crate) fn span(&mut self, cause: u8) -> Option<(Tick, Tick)> {
        if cause & 0x80 == 0 {
            return None;
        }
        let first = Tick(self.varint());
        Some((first, self.after(first)))
    }

    /// A varint length of at most `max`, and that many bytes.
    pub(crate) fn block(&mut self, max: usize) -> &'a [u8] {
        let read = self.reader.block(max);
        self.or_fail(read)
    }
}

/// Nothing more fits the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

impl From<NoRoom> for crate::error::Misuse {
    fn from(_: NoRoom) -> Self {
        crate::error::Misuse::Buffer
    }
}

/// Writes fields into a caller's buffer. What does not fit is not written; [`Writer::finish`] says so once, at the end.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
    full: bool,
}

impl<'a> Writer<'a> {
    /// A writer at the start of `out`.
    pub fn new(out: &'a mut [u8]) -> Self {
        Self { out, len: 0, full: false }
    }

    /// Bytes written.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many bytes were written, if all of them fitted.
    ///
    /// # Errors
    /// [`NoRoom`]: something did not.
    pub fn finish(&self) -> Result<usize, NoRoom> {
        if self.full { Err(NoRoom) } else { Ok(self.len) }
    }

    /// Bytes that still fit.
    pub fn room(&self) -> usize {
        self.out.len() - self.len
    }

    /// The part that is still free, to be followed by [`Writer::advance`].
    #[inline]
    pub fn free(&mut self) -> &mut [u8] {
        &mut self.out[self.len..]
    }

    /// Takes `n` bytes of [`Writer::free`] as written (no more than there are).
    #[inline]
    pub fn advance(&mut self, n: usize) {
        self.len = (self.len + n).min(self.out.len());
    }

    /// Takes the `n` bytes that stand at `at`, in [`Writer::free`] or before it, as the next ones (no more than there are).
    pub(crate) fn pull(&mut self, at: usize, n: usize) {
        for from in at..(at + n).min(self.out.len()) {
            // One by one: for this place alone a chip would link what moves overlapping bytes.
            let byte = self.out[from];
            self.u8(byte);
        }
    }

    /// A gap's cause, and in its bit 7 whether the ticks that it covers follow (SPEC 4.4).
    pub fn span(&mut self, cause: u8, span: Option<(Tick, Tick)>) {
        let Some((first, last)) = span else { return self.u8(cause) };
        self.u8(cause | 0x80);
        self.varint(first.0);
        self.varint(last.since(first));
    }

    /// Forgets what was written after `len`, and what did not fit there.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
        self.full = false;
    }

    /// One byte.
    #[inline(never)]
    pub fn u8(&mut self, v: u8) {
        match self.out.get_mut(self.len) {
            Some(slot) => {
                *slot = v;
                self.len += 1;
            }
            None => self.full = true,
        }
    }

    /// Bytes as they are.
    #[inline(never)]
    pub fn bytes(&mut self, b: &[u8]) {
        match self.out.get_mut(self.len..self.len + b.len()) {
            Some(slot) => {
                slot.copy_from_slice(b);
                self.len += b.len();
            }
            None => self.full = true,
        }
    }

    /// A fixed little-endian u64.
    #[inline(never)]
    pub fn u64_fixed(&mut self, v: u64) {
        self.bytes(&v.to_le_bytes());
    }

    /// A canonical varint.
    #[inline(never)]
    pub fn varint(&mut self, mut v: u64) {
        let (mut len, mut more) = (self.len, true);
        while more {
            let Some(slot) = self.out.get_mut(len) else { return self.full = true };
            more = v >= 0x80;
            *slot = v as u8 & 0x7f | u8::from(more) << 7;
            v >>= 7;
            len += 1;
        }
        self.len = len;
    }

    /// A varint of up to 32 bits.
    #[cfg_attr(not(target_pointer_width = "32"), inline)]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub fn var32(&mut self, v: u32) {
        self.varint(v.into());
    }

    /// A byte and a varint, in place where that has two bytes: for the few places that every record passes.
    #[inline(always)]
    pub(crate) fn tagged(&mut self, tag: u8, v: u64) {
        match self.out.get_mut(self.len..self.len + 3) {
            Some(slot) if !SMALL && (0x80..0x4000).contains(&v) => {
                slot.copy_from_slice(&[tag, v as u8 | 0x80, (v >> 7) as u8]);
                self.len += 3;
            }
            _ => {
                self.u8(tag);
                self.varint(v);
            }
        }
    }

    /// A zigzag varint.
    pub fn zigzag(&mut self, v: i64) {
        self.varint(zigzag(v));
    }

    /// A varint length and the bytes.
    pub fn block(&mut self, b: &[u8]) {
        self.varint(b.len() as u64);
        self.bytes(b);
    }
}

/// Small magnitudes to small unsigned numbers: 0, -1, 1, -2 ... to 0, 1, 2, 3 ...
#[inline]
pub const fn zigzag(v: i64) -> u64 {
    ((v << 1) ^ (v >> 63)) as u64
}

/// The inverse of [`zigzag`].
#[inline]
pub const fn unzigzag(v: u64) -> i64 {
    (v >> 1) as i64 ^ -((v & 1) as i64)
}

/// How many bytes [`Writer::varint`] takes.
pub const fn varint_len(v: u64) -> usize {
    let bits = 64 - (v | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_are_canonical_and_round_trip() {
        for v in [0, 1, 127, 128, 300, 16_383, 16_384, u32::MAX as u64, u64::MAX] {
            let mut buf = [0; 10];
            let mut w = Writer::new(&mut buf);
            w.varint(v);
            assert!(w.finish().is_ok());
            let n = w.len();
            assert_eq!(n, varint_len(v));
            let mut r = Reader::new(&buf[..n]);
            assert_eq!(r.varint(), Ok(v));
            assert!(r.is_empty());
        }
        assert_eq!(Reader::new(&[0x80, 0]).varint(), Err(Peer::Malformed), "padded");
        assert_eq!(Reader::new(&[0xff; 10]).varint(), Err(Peer::Malformed), "too large");
        assert_eq!(Reader::new(&[0x80]).varint(), Err(Peer::Malformed), "cut short");
        for v in [0, 1, -1, i64::MAX, i64::MIN] {
            assert_eq!(unzigzag(zigzag(v)), v);
        }
    }
}
