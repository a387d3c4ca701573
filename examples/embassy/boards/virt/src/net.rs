//! virtio-net behind memory-mapped registers, as a driver for embassy-net.
//!
//! It interrupts when a frame has come, or when a buffer for sending is free again and someone waits for it.

use core::task::Context;

use embassy_executor::Spawner;
use embassy_net::{Config, Runner, Stack, StackResources};
use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, RxToken, TxToken};
use embassy_sync::waitqueue::AtomicWaker;
use static_cell::{ConstStaticCell, StaticCell};

use crate::register::Register;
use crate::virtio::{ALIGN, DEPTH, FRAME, HEADER, Memory, Queue};
use crate::{console, interrupt};

/// A locally administered address: the network of each emulated board is its own.
const ADDRESS: [u8; 6] = [0x02, 0, 0, 0, 0, 0x20];
/// How many places `virt` has for virtio devices; the interrupt of each is its number, from 1.
const SLOTS: u32 = 8;

const MAGIC: usize = 0x00;
const VERSION: usize = 0x04;
const KIND: usize = 0x08;
const FEATURES: usize = 0x20;
const PAGE_SIZE: usize = 0x28;
const QUEUE_SELECT: usize = 0x30;
const QUEUE_DEPTH: usize = 0x38;
const QUEUE_ALIGN: usize = 0x3c;
const QUEUE_PAGE: usize = 0x40;
const NOTIFY: usize = 0x50;
const INTERRUPT_STATUS: usize = 0x60;
const INTERRUPT_DONE: usize = 0x64;
const STATUS: usize = 0x70;

const NETWORK: u32 = 1;
/// A frame may follow its header in the same buffer.
const ANY_LAYOUT: u32 = 1 << 27;
/// The queues.
const RECEIVE: u32 = 0;
const SEND: u32 = 1;

static WAKER: AtomicWaker = AtomicWaker::new();

/// A register of the device in a slot.
const fn register(slot: u32, offset: usize) -> Register {
    // SAFETY: `virt` has its virtio devices there, 4 KiB each; the memory that they touch is that of the queues, which is behind `Queue`.
    unsafe { Register::at(0x1000_0000 + slot as usize * 0x1000 + offset) }
}

/// The interrupt of the device in a slot.
pub(crate) fn interrupted(slot: u32) {
    register(slot, INTERRUPT_DONE).write(register(slot, INTERRUPT_STATUS).read());
    WAKER.wake();
}

/// Brings the network up, its address from DHCP, and spawns what drives it.
pub fn start(spawner: Spawner) -> Stack<'static> {
    // DHCP, one connection, and one that is just ending.
    static RESOURCES: StaticCell<StackResources<3>> = StaticCell::new();
    let resources = RESOURCES.init(StackResources::new());
    let Some(net) = (1..=SLOTS).find_map(VirtioNet::start) else {
        console::fail("there is no virtio-net with a legacy interface");
    };
    let (stack, runner) =
        embassy_net::new(net, Config::dhcpv4(Default::default()), resources, console::seed());
    match drive(runner) {
        Ok(task) => spawner.spawn(task),
        Err(_) => console::fail("the network was started before"),
    }
    stack
}

#[embassy_executor::task]
async fn drive(mut runner: Runner<'static, VirtioNet>) -> ! {
    runner.run().await
}

/// The device.
struct VirtioNet {
    slot: u32,
    receive: Queue,
    send: Queue,
    /// Which buffers for sending are the driver's.
    free: [bool; DEPTH],
}

impl VirtioNet {
    /// Starts the device in this slot, if it is a network.
    fn start(slot: u32) -> Option<Self> {
        static MEMORY: [ConstStaticCell<Memory>; 2] = [const { ConstStaticCell::new(Memory::new()) }; 2];
        let set = |offset, value| register(slot, offset).write(value);
        let is = |offset, value| register(slot, offset).read() == value;
        // "virt", and the version before 1.0.
        if !(is(MAGIC, 0x7472_6976) && is(VERSION, 1) && is(KIND, NETWORK)) {
            return None;
        }
        let [receive, send] = MEMORY.each_ref().map(ConstStaticCell::take);
        let mut net = Self {
            slot,
            receive: Queue::new(receive, true),
            send: Queue::new(send, false),
            free: [true; DEPTH],
        };
        // Reset; noticed, with a driver.
        set(STATUS, 0);
        set(STATUS, 1 | 2);
        set(FEATURES, ANY_LAYOUT);
        set(PAGE_SIZE, ALIGN as u32);
        for (number, queue) in [(RECEIVE, &net.receive), (SEND, &net.send)] {
            set(QUEUE_SELECT, number);
            set(QUEUE_DEPTH, DEPTH as u32);
            set(QUEUE_ALIGN, ALIGN as u32);
            set(QUEUE_PAGE, (queue.address() / ALIGN) as u32);
        }
        net.send.interrupts(false);
        (0..DEPTH).for_each(|id| net.receive.give(id, HEADER + FRAME));
        // The driver is ready.
        set(STATUS, 1 | 2 | 4);
        set(NOTIFY, RECEIVE);
        interrupt::enable(slot);
        Some(net)
    }

    /// A buffer to send from.
    fn room(&mut self) -> Option<usize> {
        while let Some((id, _)) = self.send.take() {
            self.free[id] = true;
        }
        self.free.iter().position(|free| *free)
    }

    /// The same; if there is none, an interrupt says when there is.
    fn room_or_wake(&mut self, cx: &mut Context<'_>) -> Option<usize> {
        let mut room = self.room();
        if room.is_none() {
            WAKER.register(cx.waker());
            self.send.interrupts(true);
            room = self.room();
        }
        if room.is_some() {
            self.send.interrupts(false);
        }
        room
    }
}

impl Driver for VirtioNet {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Room<'a>;

    fn receive(&mut self, cx: &mut Context<'_>) -> Option<(Received<'_>, Room<'_>)> {
        let id = self.room_or_wake(cx)?;
        let mut taken = self.receive.take();
        if taken.is_none() {
            WAKER.register(cx.waker());
            // One that came in between is no news for the waker.
            taken = self.receive.take();
        }
        let (came, len) = taken?;
        let Self { slot, receive, send, free } = self;
        let received = Received { slot: *slot, queue: receive, id: came, len };
        Some((received, Room { slot: *slot, queue: send, id, free }))
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Room<'_>> {
        let id = self.room_or_wake(cx)?;
        Some(Room { slot: self.slot, queue: &mut self.send, id, free: &mut self.free })
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> LinkState {
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = FRAME;
        capabilities.max_burst_size = Some(DEPTH);
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(ADDRESS)
    }
}

/// A frame that came; its buffer goes back to the device afterwards, read or not.
struct Received<'a> {
    slot: u32,
    queue: &'a mut Queue,
    id: usize,
    len: usize,
}

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, read: F) -> R {
        // SAFETY: the queue handed this buffer out, and it is given back when `self` is dropped, after this.
        let buffer = unsafe { self.queue.buffer(self.id) };
        let end = self.len.clamp(HEADER, HEADER + FRAME);
        read(&mut buffer[HEADER..end])
    }
}

impl Drop for Received<'_> {
    fn drop(&mut self) {
        self.queue.give(self.id, HEADER + FRAME);
        register(self.slot, NOTIFY).write(RECEIVE);
    }
}

/// Room for a frame to send.
struct Room<'a> {
    slot: u32,
    queue: &'a mut Queue,
    id: usize,
    free: &'a mut [bool; DEPTH],
}

impl TxToken for Room<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        // SAFETY: `free` says that this buffer is the driver's; it is given away below, when the slice is gone.
        let buffer = unsafe { self.queue.buffer(self.id) };
        buffer[..HEADER].fill(0);
        // The stack keeps to `max_transmission_unit`.
        let result = write(&mut buffer[HEADER..HEADER + len]);
        self.free[self.id] = false;
        self.queue.give(self.id, HEADER + len);
        register(self.slot, NOTIFY).write(SEND);
        result
    }
}
