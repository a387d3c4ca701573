//! A virtio queue of frames: memory that the board and the device behind it share.
//!
//! Each descriptor has one buffer for good. A buffer is the device's from [`Queue::give`] until [`Queue::take`] returns it; what is the device's is
//! not touched here. The layout is that of virtio 1.1, section 2.6.2, for devices with a legacy interface, which QEMU's are unless told.

use core::mem::offset_of;
use core::ptr::NonNull;
use core::sync::atomic::{Ordering, fence};

/// Buffers of a queue.
pub(crate) const DEPTH: usize = 4;
/// What a frame has in front of it: nothing that matters here.
pub(crate) const HEADER: usize = 10;
/// The largest frame, without its check sequence.
pub(crate) const FRAME: usize = 1_514;
/// What the ring of used buffers is aligned to, and the queue as a whole.
pub(crate) const ALIGN: usize = 256;

const DEVICE_WRITES: u16 = 2;
const NO_INTERRUPT: u16 = 1;

#[derive(Clone, Copy)]
#[repr(C)]
struct Descriptor {
    address: u64,
    len: u32,
    flags: u16,
    next: u16,
}

#[repr(C)]
struct Available {
    flags: u16,
    index: u16,
    ring: [u16; DEPTH],
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Element {
    id: u32,
    len: u32,
}

#[repr(C, align(256))]
struct Used {
    flags: u16,
    index: u16,
    ring: [Element; DEPTH],
}

/// What a queue and its device share.
#[repr(C, align(256))]
pub(crate) struct Memory {
    descriptors: [Descriptor; DEPTH],
    available: Available,
    used: Used,
    buffers: [[u8; HEADER + FRAME]; DEPTH],
}

impl Memory {
    pub(crate) const fn new() -> Self {
        Self {
            descriptors: [Descriptor { address: 0, len: 0, flags: 0, next: 0 }; DEPTH],
            available: Available { flags: 0, index: 0, ring: [0; DEPTH] },
            used: Used { flags: 0, index: 0, ring: [Element { id: 0, len: 0 }; DEPTH] },
            buffers: [[0; HEADER + FRAME]; DEPTH],
        }
    }
}

/// One direction.
pub(crate) struct Queue {
    memory: NonNull<Memory>,
    given: u16,
    taken: u16,
}

impl Queue {
    /// A queue in which every buffer is the driver's; `device_writes`: for frames that come.
    pub(crate) fn new(memory: &'static mut Memory, device_writes: bool) -> Self {
        let buffers = memory.buffers.each_ref().map(|buffer| buffer.as_ptr() as u64);
        for (descriptor, address) in memory.descriptors.iter_mut().zip(buffers) {
            let flags = if device_writes { DEVICE_WRITES } else { 0 };
            *descriptor = Descriptor { address, len: (HEADER + FRAME) as u32, flags, next: 0 };
        }
        Self { memory: NonNull::from(memory), given: 0, taken: 0 }
    }

    /// Where the device finds it.
    pub(crate) fn address(&self) -> usize {
        self.memory.as_ptr() as usize
    }

    fn at<T>(&self, offset: usize) -> *mut T {
        self.memory.as_ptr().wrapping_byte_add(offset).cast()
    }

    /// Gives buffer `id`, which is the driver's, to the device, with `len` bytes that count.
    pub(crate) fn give(&mut self, id: usize, len: usize) {
        let id = id % DEPTH;
        let descriptor = offset_of!(Memory, descriptors) + id * size_of::<Descriptor>();
        let ring = offset_of!(Memory, available.ring) + usize::from(self.given) % DEPTH * 2;
        // SAFETY: inside of `Memory`, which lives for ever; the device reads a descriptor only once it is available.
        unsafe { self.at::<u32>(descriptor + offset_of!(Descriptor, len)).write_volatile(len as u32) };
        // SAFETY: as above: the device does not look at this slot before the index says so.
        unsafe { self.at::<u16>(ring).write_volatile(id as u16) };
        fence(Ordering::SeqCst);
        self.given = self.given.wrapping_add(1);
        // SAFETY: the index is the driver's to write.
        unsafe { self.at::<u16>(offset_of!(Memory, available.index)).write_volatile(self.given) };
        fence(Ordering::SeqCst);
    }

    /// The next buffer that the device is done with, and how many bytes it wrote.
    pub(crate) fn take(&mut self) -> Option<(usize, usize)> {
        // SAFETY: inside of `Memory`; the device writes it, hence volatile.
        let done = unsafe { self.at::<u16>(offset_of!(Memory, used.index)).read_volatile() };
        if done == self.taken {
            return None;
        }
        fence(Ordering::SeqCst);
        let ring = offset_of!(Memory, used.ring) + usize::from(self.taken) % DEPTH * size_of::<Element>();
        // SAFETY: inside of `Memory`, and the index says that the device has written this slot.
        let Element { id, len } = unsafe { self.at::<Element>(ring).read_volatile() };
        self.taken = self.taken.wrapping_add(1);
        Some((id as usize % DEPTH, len as usize))
    }

    /// The bytes of buffer `id`.
    ///
    /// # Safety
    /// The buffer is the driver's, and stays so for as long as the slice lives; there is no other slice of it.
    pub(crate) unsafe fn buffer(&mut self, id: usize) -> &mut [u8; HEADER + FRAME] {
        let buffer = self.at(offset_of!(Memory, buffers) + id % DEPTH * (HEADER + FRAME));
        // SAFETY: inside of `Memory`, all bits are valid bytes, and the caller promises that nobody else touches it.
        unsafe { &mut *buffer }
    }

    /// Whether the device interrupts when it is done with a buffer.
    pub(crate) fn interrupts(&mut self, on: bool) {
        let flags = if on { 0 } else { NO_INTERRUPT };
        // SAFETY: the flags are the driver's to write.
        unsafe { self.at::<u16>(offset_of!(Memory, available.flags)).write_volatile(flags) };
        fence(Ordering::SeqCst);
    }
}
