//! OpenCores' Ethernet controller, as QEMU's boards with Xtensa cores have it (`open_eth`), as a driver for embassy-net.
//!
//! It reads and writes frames in memory, where descriptors say: a flag in each says whose the frame is, the controller's or ours.

use core::cell::UnsafeCell;
use core::task::Context;

use embassy_executor::Spawner;
use embassy_net::{Config, Runner, Stack, StackResources};
use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, RxToken, TxToken};
use embassy_sync::waitqueue::AtomicWaker;
use static_cell::StaticCell;

use crate::console;
use crate::register::Register;

/// The largest frame without its check sequence, and that.
const FRAME: usize = 1_514;
const CHECK: usize = 4;
/// A locally administered address: the network of each emulated board is its own.
const ADDRESS: [u8; 6] = [0x02, 0, 0, 0, 0, 0x20];

/// The core's interrupt that the controller raises, as a mask.
pub(crate) const INTERRUPT: u32 = 1 << 1;

const fn register(offset: usize) -> Register {
    // SAFETY: the board has the controller's registers at 0x7d030000. Addresses that are written there are those of `BUFFERS`, which
    // belong to the controller while it has them.
    unsafe { Register::at(0x7d03_0000 + offset) }
}

const MODE: Register = register(0x00);
const SOURCE: Register = register(0x04);
const MASK: Register = register(0x08);
const TX_DESCRIPTORS: Register = register(0x20);
const ADDRESS_LOW: Register = register(0x40);
const ADDRESS_HIGH: Register = register(0x44);

/// MODE: short frames are filled up, checks computed, both directions at once, sender and receiver on.
const RUN: u32 = 1 << 15 | 1 << 13 | 1 << 10 | 1 << 1 | 1;
const RESET: u32 = 1 << 11;
/// SOURCE and MASK: a frame has come; one was lost for want of a descriptor.
const RECEIVED: u32 = 1 << 2 | 1 << 4;
/// In a descriptor: it is the controller's.
const THEIRS: u32 = 1 << 15;
/// In a descriptor: RECEIVED is set when it has been used.
const TOLD: u32 = 1 << 14;
const LAST: u32 = 1 << 13;
/// In a descriptor for sending: fill up and add the check.
const COMPLETE: u32 = 1 << 12 | 1 << 11;
/// In a descriptor of a received frame: what makes it unusable (overrun, invalid symbol, dribble, too long, too short, check, late).
const BAD: u32 = 0x7f;

const RX: usize = 4;

/// Memory of one frame. The controller writes whole words.
#[repr(C, align(4))]
struct Buffer(UnsafeCell<[u8; 1_536]>);

// SAFETY: one core, and who may touch a buffer is settled by its descriptor's flag and by `OpenEth`, of which there is one.
unsafe impl Sync for Buffer {}

impl Buffer {
    const NEW: Self = Self(UnsafeCell::new([0; 1_536]));

    fn address(&self) -> u32 {
        self.0.get() as u32
    }
}

/// In a static, since the compiler for this core fails for large stack frames.
static RECEIVING: [Buffer; RX] = [Buffer::NEW; RX];
static SENDING: Buffer = Buffer::NEW;

static WAKER: AtomicWaker = AtomicWaker::new();

/// The interrupt: a frame has come. From here on the driver reads until there is nothing, and asks to be told again.
pub(crate) fn arrived() {
    MASK.write(0);
    WAKER.wake();
}

/// Brings the network up, its address from DHCP, and spawns what drives it.
pub fn start(spawner: Spawner) -> Stack<'static> {
    // DHCP, one connection, and one that is just ending.
    static RESOURCES: StaticCell<StackResources<3>> = StaticCell::new();
    let resources = RESOURCES.init(StackResources::new());
    let (stack, runner) =
        embassy_net::new(OpenEth::start(), Config::dhcpv4(Default::default()), resources, console::seed());
    match drive(runner) {
        Ok(task) => spawner.spawn(task),
        Err(_) => console::fail("the network was started before"),
    }
    stack
}

#[embassy_executor::task]
async fn drive(mut runner: Runner<'static, OpenEth>) -> ! {
    runner.run().await
}

/// A descriptor: flags and length, then an address.
#[derive(Clone, Copy)]
struct Descriptor {
    status: Register,
    address: Register,
}

/// The one for sending, which is the first.
const TX: Descriptor = descriptor(0);

const fn descriptor(n: usize) -> Descriptor {
    Descriptor { status: register(0x400 + 8 * n), address: register(0x404 + 8 * n) }
}

/// The controller.
struct OpenEth {
    /// The buffer that the next frame comes into.
    next: usize,
}

impl OpenEth {
    fn start() -> Self {
        MODE.write(RESET);
        MODE.write(0);
        TX_DESCRIPTORS.write(1);
        TX.status.write(0);
        for n in 0..RX {
            give(n);
        }
        let [a, b, c, d, e, f] = ADDRESS;
        ADDRESS_LOW.write(u32::from_be_bytes([c, d, e, f]));
        ADDRESS_HIGH.write(u32::from_be_bytes([0, 0, a, b]));
        SOURCE.write(!0);
        MASK.write(0);
        MODE.write(RUN);
        Self { next: 0 }
    }

    /// The next buffer that holds a sound frame, and the frame's length.
    fn take(&mut self) -> Option<(usize, usize)> {
        loop {
            let n = self.next;
            let status = descriptor(1 + n).status.read();
            if status & THEIRS != 0 {
                return None;
            }
            self.next = (n + 1) % RX;
            let len = (status >> 16) as usize;
            if status & BAD == 0 && (CHECK..=FRAME + CHECK).contains(&len) {
                return Some((n, len - CHECK));
            }
            give(n);
        }
    }
}

/// Gives a buffer to the controller.
fn give(n: usize) {
    let receive = descriptor(1 + n);
    // `n` is below RX in both callers.
    receive.address.write(RECEIVING[n].address());
    receive.status.write(THEIRS | TOLD | if n == RX - 1 { LAST } else { 0 });
}

impl Driver for OpenEth {
    type RxToken<'a> = Received;
    type TxToken<'a> = Room;

    fn receive(&mut self, cx: &mut Context<'_>) -> Option<(Received, Room)> {
        if !can_send() {
            cx.waker().wake_by_ref();
            return None;
        }
        let mut taken = self.take();
        if taken.is_none() {
            WAKER.register(cx.waker());
            SOURCE.write(RECEIVED);
            MASK.write(RECEIVED);
            // One that came before the flags were taken back is no news for the interrupt.
            taken = self.take();
        }
        let (n, len) = taken?;
        Some((Received { n, len }, Room))
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Room> {
        if can_send() {
            return Some(Room);
        }
        // It is sent within microseconds: ask again soon.
        cx.waker().wake_by_ref();
        None
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> LinkState {
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = FRAME;
        capabilities.max_burst_size = Some(1);
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(ADDRESS)
    }
}

fn can_send() -> bool {
    TX.status.read() & THEIRS == 0
}

/// A frame that came; its buffer is the controller's again when this is gone.
struct Received {
    n: usize,
    len: usize,
}

impl RxToken for Received {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, read: F) -> R {
        // SAFETY: the descriptor said that the buffer is ours, `take` hands each out once, and `drop` gives it back after this.
        let frame = unsafe { &mut *RECEIVING[self.n].0.get() };
        read(&mut frame[..self.len])
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        give(self.n);
    }
}

/// Room for a frame to send.
struct Room;

impl TxToken for Room {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        // SAFETY: the controller is not sending, or there would be no `Room`, and the stack asks for one at a time.
        let frame = unsafe { &mut *SENDING.0.get() };
        // The stack keeps to `max_transmission_unit`.
        let result = write(&mut frame[..len]);
        TX.address.write(SENDING.address());
        TX.status.write((len as u32) << 16 | THEIRS | LAST | COMPLETE);
        result
    }
}
