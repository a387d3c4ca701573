//! The outbox that outlives every connection, and its start.

use core::cell::RefCell;

use critical_section::Mutex;
use sensock::device::{self, OutboxMut, Session};
use sensock::{DeviceId, limits};

use crate::clock::ClockFor;
use crate::desk::Desk;
use crate::device::Device;
use crate::node::{Boot, Node, StartError};
use crate::runner::Runner;
use crate::shared::{Lock, Shared};

/// Where records wait until they are stored: `N` bytes, in a static, sized by you.
///
/// A record of two readings takes about 10 bytes; an eighth each is set aside for alarms and for answers to commands. 1,024 bytes at least.
/// Beside them there are some 2.5 KiB for commands, settings and questions under way.
pub struct Outbox<const N: usize> {
    inner: Mutex<RefCell<Inner<N>>>,
}

struct Inner<const N: usize> {
    outbox: device::Outbox<N>,
    desk: Late,
}

/// A desk that is made when it is first needed. Until then all of an outbox is zeros, which a firmware does not have to keep in its flash.
#[repr(u8)]
#[allow(clippy::large_enum_variant, reason = "it is in a static, and soon made")]
enum Late {
    // The first, so zero: `repr` forbids the compiler to choose another number.
    Not,
    Made(Desk),
}

impl Late {
    fn desk(&mut self) -> &mut Desk {
        if let Late::Not = self {
            *self = Late::Made(Desk::new());
        }
        match self {
            Late::Made(desk) => desk,
            Late::Not => unreachable!("it has just been made"),
        }
    }
}

impl<const N: usize> Default for Outbox<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Outbox<N> {
    /// An empty outbox.
    pub const fn new() -> Self {
        Self { inner: Mutex::new(RefCell::new(Inner { outbox: device::Outbox::new(), desk: Late::Not })) }
    }

    /// Starts the device: once, before the first record.
    ///
    /// `clock` is a reference to a [`Clock`](crate::Clock) (or `EmbassyClock` itself). The [`Device`] is for any number of tasks, the [`Runner`] for the one
    /// that has the network.
    ///
    /// # Panics
    /// On what [`Outbox::try_start`] refuses: a second start, a bad id, a catalogue beyond the limits. These are mistakes in the program, and
    /// show at its first boot.
    pub fn start<'a, const B: usize, C: ClockFor<'a>>(
        &'a self,
        node: &Node<'a>,
        clock: C,
        buffers: &'a mut Buffers<B>,
    ) -> (Device<'a>, Runner<'a, C::Clock>) {
        match self.try_start(node, clock, buffers) {
            Ok(started) => started,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`Outbox::start`], with an error value: for names that come from a configuration.
    ///
    /// # Errors
    /// [`StartError`]; nothing was started.
    pub fn try_start<'a, const B: usize, C: ClockFor<'a>>(
        &'a self,
        node: &Node<'a>,
        clock: C,
        buffers: &'a mut Buffers<B>,
    ) -> Result<(Device<'a>, Runner<'a, C::Clock>), StartError> {
        let id = DeviceId::new(node.id)?;
        if node.catalog.settings.len() > crate::MAX_SETTINGS {
            return Err(StartError::TooManySettings);
        }
        if node.catalog.len() > limits::CATALOG_MAX {
            return Err(StartError::CatalogTooLong);
        }
        let overhead = node.key.overhead();
        if overhead > 0 && B < SEALED_MIN {
            return Err(StartError::Buffers);
        }
        let clock = clock.clock();
        let shared = Shared::new(self, clock, node.catalog);
        shared.with(|outbox, desk| {
            if core::mem::replace(&mut desk.started, true) {
                return Err(StartError::Twice);
            }
            outbox.limit_commands(crate::desk::CALLS as u8);
            match &node.boot {
                Boot::Unknown => outbox.start(None),
                Boot::Number(n) => outbox.start(Some(*n)),
                Boot::Woke(carry) => outbox.woke(carry),
                #[cfg(feature = "flash")]
                Boot::Flash(recovered) => recovered.start(outbox, desk),
            }
            Ok(())
        })?;
        let Buffers { rx, tx, scratch, chunk, said } = buffers;
        let session_node = device::Node { id, catalog: node.catalog, max_frame: (B - overhead) as u16 };
        // `Buffers` is at least as large as a session wants.
        let Ok(session) = Session::new(session_node, scratch) else { return Err(StartError::Twice) };
        let runner = Runner::new(shared, clock, session, node.key, (rx, tx, chunk, said));
        Ok((Device::new(shared), runner))
    }
}

impl<const N: usize> Lock for Outbox<N> {
    fn locked(&self, f: &mut dyn FnMut(&mut OutboxMut<'_>, &mut Desk)) {
        critical_section::with(|cs| {
            let inner = &mut *self.inner.borrow_ref_mut(cs);
            f(&mut inner.outbox.as_mut(), inner.desk.desk());
        });
    }
}

impl<const N: usize> core::fmt::Debug for Outbox<N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Outbox").field("bytes", &N).finish_non_exhaustive()
    }
}

/// What a connection works in: `N` bytes are the largest frame either way. 288 (320 with a key) to 16,383; 512 is plenty for sensors.
///
/// Takes three times `N`, and some 300 bytes.
#[derive(Debug)]
pub struct Buffers<const N: usize> {
    rx: [u8; N],
    tx: [u8; N],
    scratch: [u8; N],
    chunk: [u8; CHUNK],
    said: [u8; limits::TEXT_MAX],
}

/// With a key: a frame of 256 bytes, what the first message adds to it, its length and the preface.
pub(crate) const SEALED_MIN: usize = 320;

/// How many bytes are read at once.
const CHUNK: usize = 128;

impl<const N: usize> Buffers<N> {
    /// Empty buffers.
    pub const fn new() -> Self {
        const {
            // A frame of 256 bytes, its length and the preface.
            assert!(N >= 288 && N <= limits::FRAME_HARD_MAX, "buffers hold 288 to 16383 bytes");
        };
        Self { rx: [0; N], tx: [0; N], scratch: [0; N], chunk: [0; CHUNK], said: [0; limits::TEXT_MAX] }
    }
}

impl<const N: usize> Default for Buffers<N> {
    fn default() -> Self {
        Self::new()
    }
}
