//! The LAN9118, an Ethernet controller behind two FIFOs, as a driver for embassy-net.
//!
//! It interrupts when a frame has come; the driver then reads frames until there is none, and only then asks to be interrupted again.

use core::task::Context;

use embassy_executor::Spawner;
use embassy_net::{Config, Runner, Stack, StackResources};
use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, RxToken, TxToken};
use embassy_sync::waitqueue::AtomicWaker;
use static_cell::StaticCell;

use crate::console;
use crate::interrupt::{self, Interrupt};
use crate::register::Register;

/// The largest frame without its check sequence, and that.
const FRAME: usize = 1_514;
const CHECK: usize = 4;
/// A locally administered address: the network of each emulated board is its own.
const ADDRESS: [u8; 6] = [0x02, 0, 0, 0, 0, 0x10];

const fn register(offset: usize) -> Register {
    // SAFETY: AN385 has the controller's registers at 0x40200000, and it has no DMA.
    unsafe { Register::at(0x4020_0000 + offset) }
}

const RX_DATA: Register = register(0x00);
const TX_DATA: Register = register(0x20);
const RX_STATUS: Register = register(0x40);
const TX_STATUS: Register = register(0x48);
const INTERRUPT_CONFIG: Register = register(0x54);
const INTERRUPT_STATUS: Register = register(0x58);
const INTERRUPT_ENABLE: Register = register(0x5c);
const BYTE_TEST: Register = register(0x64);
const FIFO_LEVELS: Register = register(0x68);
const TX_CONFIG: Register = register(0x70);
const HARDWARE_CONFIG: Register = register(0x74);
const RX_FIFO: Register = register(0x7c);
const TX_FIFO: Register = register(0x80);
const MAC_COMMAND: Register = register(0xa4);
const MAC_DATA: Register = register(0xa8);

/// Registers behind MAC_COMMAND.
const MAC_CONTROL: u32 = 1;
const MAC_ADDRESS_HIGH: u32 = 2;
const MAC_ADDRESS_LOW: u32 = 3;

const BUSY: u32 = 1 << 31;
const READ: u32 = 1 << 30;
/// Interrupt: more frames have come than the level says, which is none.
const FRAME_CAME: u32 = 1 << 3;
const RX_ERROR: u32 = 1 << 15;

static WAKER: AtomicWaker = AtomicWaker::new();

/// The interrupt. What is pending stays so until the driver has read it; it is masked until then.
pub(crate) fn arrived() {
    INTERRUPT_ENABLE.write(0);
    WAKER.wake();
}

/// Brings the network up, its address from DHCP, and spawns what drives it.
pub fn start(spawner: Spawner) -> Stack<'static> {
    // DHCP, one connection, and one that is just ending.
    static RESOURCES: StaticCell<StackResources<3>> = StaticCell::new();
    let resources = RESOURCES.init(StackResources::new());
    let (stack, runner) =
        embassy_net::new(Lan9118::start(), Config::dhcpv4(Default::default()), resources, console::seed());
    match drive(runner) {
        Ok(task) => spawner.spawn(task),
        Err(_) => console::fail("the network was started before"),
    }
    stack
}

#[embassy_executor::task]
async fn drive(mut runner: Runner<'static, Lan9118>) -> ! {
    runner.run().await
}

/// The controller.
struct Lan9118 {
    rx: [u8; FRAME],
    tx: [u8; FRAME],
}

impl Lan9118 {
    fn start() -> Self {
        if BYTE_TEST.read() != 0x8765_4321 {
            console::fail("there is no LAN9118");
        }
        HARDWARE_CONFIG.write(1);
        while HARDWARE_CONFIG.read() & 1 != 0 {}
        // 5 KiB of the FIFOs are for sending.
        HARDWARE_CONFIG.write(5 << 16);
        let [a, b, c, d, e, f] = ADDRESS;
        mac_write(MAC_ADDRESS_HIGH, u32::from_le_bytes([e, f, 0, 0]));
        mac_write(MAC_ADDRESS_LOW, u32::from_le_bytes([a, b, c, d]));
        // Sender and receiver on.
        mac_write(MAC_CONTROL, mac_read(MAC_CONTROL) | 1 << 3 | 1 << 2);
        TX_CONFIG.write(1 << 1);
        FIFO_LEVELS.write(0);
        INTERRUPT_STATUS.write(!0);
        // Enabled, active high, push-pull.
        INTERRUPT_CONFIG.write(1 << 8 | 1 << 4 | 1);
        interrupt::enable(Interrupt::Ethernet);
        Self { rx: [0; FRAME], tx: [0; FRAME] }
    }

    /// Reads the next whole frame out of the FIFO; how long it is.
    fn take(&mut self) -> Option<usize> {
        while RX_FIFO.read() >> 16 & 0xff != 0 {
            let status = RX_STATUS.read();
            let len = (status >> 16 & 0x3fff) as usize;
            let words = len.div_ceil(4);
            let mut room = self.rx.chunks_mut(4);
            for _ in 0..words {
                let word = RX_DATA.read().to_le_bytes();
                if let Some(room) = room.next() {
                    room.copy_from_slice(&word[..room.len()]);
                }
            }
            if status & RX_ERROR == 0 && (CHECK..=FRAME + CHECK).contains(&len) {
                return Some(len - CHECK);
            }
        }
        None
    }
}

fn mac_write(register: u32, value: u32) {
    MAC_DATA.write(value);
    MAC_COMMAND.write(BUSY | register);
    while MAC_COMMAND.read() & BUSY != 0 {}
}

fn mac_read(register: u32) -> u32 {
    MAC_COMMAND.write(BUSY | READ | register);
    while MAC_COMMAND.read() & BUSY != 0 {}
    MAC_DATA.read()
}

impl Driver for Lan9118 {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Room<'a>;

    fn receive(&mut self, cx: &mut Context<'_>) -> Option<(Received<'_>, Room<'_>)> {
        let mut taken = self.take();
        if taken.is_none() {
            WAKER.register(cx.waker());
            INTERRUPT_STATUS.write(FRAME_CAME);
            INTERRUPT_ENABLE.write(FRAME_CAME);
            // One that came in between is no news for the interrupt.
            taken = self.take();
        }
        let frame = self.rx.get_mut(..taken?)?;
        Some((Received(frame), Room(&mut self.tx)))
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Room<'_>> {
        let free = TX_FIFO.read() & 0xffff;
        if (free as usize) < FRAME + 2 * CHECK {
            // It empties within microseconds: ask again soon.
            cx.waker().wake_by_ref();
            return None;
        }
        Some(Room(&mut self.tx))
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

/// A frame that came.
struct Received<'a>(&'a mut [u8]);

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, read: F) -> R {
        read(self.0)
    }
}

/// Room for a frame to send.
struct Room<'a>(&'a mut [u8; FRAME]);

impl TxToken for Room<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        // The stack keeps to `max_transmission_unit`.
        let frame = &mut self.0[..len];
        let result = write(frame);
        // First and last segment of a frame, its length; then the length again.
        TX_DATA.write(1 << 13 | 1 << 12 | len as u32);
        TX_DATA.write(len as u32);
        for bytes in frame.chunks(4) {
            let mut word = [0; 4];
            word[..bytes.len()].copy_from_slice(bytes);
            TX_DATA.write(u32::from_le_bytes(word));
        }
        // Nobody asks how it went: what is lost is sent again by those who wait for an answer.
        while TX_FIFO.read() >> 16 & 0xff != 0 {
            TX_STATUS.read();
        }
        result
    }
}
