//! What an outbox finds in flash, and what a device carries through a sleep: any bytes.

use core::convert::Infallible;
use core::task::{Context, Poll, Waker};

use embedded_storage_async::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};
use futures_util::FutureExt as _;
use sensock::catalog::{Catalog, Quantity};
use sensock::device::{self, Carry, Share as _};
use sensock::{Lane, Position, Tick};
use sensock_device::flash::{Acceptance, Flash, FlashError};
use sensock_device::{Boot, Buffers, Clock, Key, Node, Outbox};
use sequential_storage::cache::Cache;
use sequential_storage::map::{MapConfig, MapStorage};
use sequential_storage::queue::{QueueConfig, QueueStorage};

use super::input::Input;

const PAGE: usize = 512;
const PAGES: usize = 10;
const SIZE: u32 = (PAGE * PAGES) as u32;
/// As the outbox divides a flash: its state, then alarms, control and readings.
const PARTS: [core::ops::Range<u32>; 4] = [0..1_024, 1_024..2_048, 2_048..3_072, 3_072..SIZE];
const VALUE: Quantity<f32> = Quantity::new(1, "temperature", "Cel").scale(-2);
const CATALOG: Catalog<'static> = Catalog::new("fuzzed 1", &[VALUE.entry()], &[], &[]);

/// A chip of ten small pages that never waits.
struct Chip(Vec<u8>);

impl ErrorType for Chip {
    type Error = Infallible;
}

impl ReadNorFlash for Chip {
    const READ_SIZE: usize = 1;

    async fn read(&mut self, offset: u32, out: &mut [u8]) -> Result<(), Infallible> {
        out.copy_from_slice(&self.0[offset as usize..][..out.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.len()
    }
}

impl NorFlash for Chip {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = PAGE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Infallible> {
        assert!((from as usize).is_multiple_of(PAGE) && (to as usize).is_multiple_of(PAGE) && from < to);
        self.0[from as usize..to as usize].fill(0xff);
        Ok(())
    }

    async fn write(&mut self, offset: u32, data: &[u8]) -> Result<(), Infallible> {
        assert!(offset.is_multiple_of(4) && data.len().is_multiple_of(4));
        self.0[offset as usize..][..data.len()].iter_mut().zip(data).for_each(|(old, new)| *old &= new);
        Ok(())
    }
}

impl MultiwriteNorFlash for Chip {}

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Tick {
        Tick(1_000)
    }

    async fn wait_until(&self, _: Tick) {}
}

/// Any bytes in flash, as raw pages or as whole entries with their checksums: the outbox begins with a boot that is above all it found, or says that
/// this is no outbox. Behind whole entries, what it persists then is there at the next start. Where bits are cleared that should be erased nobody can
/// vouch for what is written over them: there a boot's number may be used again, which the server notices by its tag.
///
/// # Panics
/// If not.
pub fn flash_log(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut chip = Chip(vec![0xff; PAGE * PAGES]);
    let mut whole = false;
    if input.flag() {
        let image = input.rest();
        let len = image.len().min(chip.0.len());
        chip.0[..len].copy_from_slice(&image[..len]);
    } else {
        for _ in 0..input.below(12) {
            entry(&mut chip, &mut input);
        }
        let spoilt = input.below(4);
        whole = spoilt == 0;
        for _ in 0..spoilt {
            let at = input.number() as usize % chip.0.len();
            chip.0[at] ^= input.byte();
        }
    }
    let (mut before, mut persisted) = (0, false);
    for _ in 0..2 {
        let mut flash = Flash::new(chip, 0..SIZE).unwrap();
        let recovering = flash.recover(&CATALOG, Acceptance::WhenPersisted);
        let boot = match recovering.now_or_never().expect("a chip that never waits") {
            Ok(boot) => boot,
            Err(FlashError::Damaged) => return,
            Err(error) => panic!("{error}"),
        };
        let Boot::Flash(recovered) = &boot else { panic!("flash gives a boot of flash") };
        let number = recovered.boot();
        assert!(number > before || number == u32::MAX || !whole, "boot {number} after {before}");
        for lowest in recovered.lowest().into_iter().flatten() {
            assert!(lowest.boot() < number || number == u32::MAX, "{lowest} lies in flash at boot {number}");
        }
        let found = recovered.lowest()[Lane::Readings.index()].is_some();
        assert!(found || !(whole && persisted), "what was persisted is lost");
        (chip, persisted) = live(flash, boot);
        before = number;
    }
}

/// One thing that an earlier boot, or another program, left.
fn entry(chip: &mut Chip, input: &mut Input<'_>) {
    let part = input.below(PARTS.len());
    let range = PARTS[part].clone();
    let mut bytes = vec![];
    if input.flag() {
        // The head of a group, or of a state of version 1.
        let position = input.position(Position::new(3, 5));
        match part {
            0 => bytes.extend([&[1], &position.boot().to_le_bytes()[..]].concat()),
            _ => {
                bytes.extend(position.boot().to_le_bytes());
                bytes.extend(position.n().to_le_bytes());
                bytes.extend(&input.number().to_le_bytes()[..6]);
            }
        }
    }
    bytes.extend(input.bytes(120));
    let mut buffer = [0; 512];
    if part == 0 {
        let mut map =
            MapStorage::<u8, _, _>::new(chip, MapConfig::try_new(range).unwrap(), Cache::new_uncached());
        let stored = map.store_item_generic::<&[u8]>(&mut buffer, &1, &&bytes[..]).now_or_never();
        let _too_long = stored.expect("a chip that never waits");
    } else {
        let mut queue = QueueStorage::new(chip, QueueConfig::try_new(range).unwrap(), Cache::new_uncached());
        let pushed = queue.push(&bytes, true).now_or_never();
        let _too_long = pushed.expect("a chip that never waits");
    }
}

/// A short boot in which an alarm and two readings are recorded; whether the readings were persisted.
fn live(mut flash: Flash<Chip>, boot: Boot) -> (Chip, bool) {
    let (outbox, mut buffers) = (Outbox::<2048>::new(), Buffers::<512>::new());
    let node = Node { id: "fuzzed", key: Key::Insecure, catalog: &CATALOG, boot };
    let (device, _runner) = outbox.start(&node, &Stopped, &mut buffers);
    let mut last = Position::NONE;
    for n in 0..2 {
        last = device.record(&[VALUE.is(n as f32)]).unwrap();
    }
    device.alarm(&[VALUE.is(9.0)]).unwrap();
    {
        let mut running = core::pin::pin!(flash.run(device));
        match running.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => {}
            Poll::Ready(error) => assert_eq!(error, FlashError::Damaged),
        }
    }
    let persisted = device.persisted(Lane::Readings, last).now_or_never().is_some();
    (flash.free(), persisted)
}

/// What survived a sleep: any bytes are a carry that comes back as it was, or none; one with a right checksum starts an outbox.
///
/// # Panics
/// If not.
pub fn carry(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let seal = input.flag();
    let mut kept = [0; Carry::LEN];
    let rest = input.rest();
    let len = rest.len().min(kept.len());
    kept[..len].copy_from_slice(&rest[..len]);
    if seal {
        let (body, crc) = kept.split_at_mut(Carry::LEN - 4);
        body[0] = 1;
        crc.copy_from_slice(&sensock::deframe::crc32(body).to_le_bytes());
    }
    let Some(found) = Carry::from_bytes(&kept) else { return };
    assert_eq!(Carry::from_bytes(&found.to_bytes()), Some(found));
    for carry in [found, found.unfinished()] {
        let outbox = core::cell::RefCell::new(device::Outbox::<1024>::new());
        let again = outbox.with(|outbox| {
            outbox.woke(&carry);
            let _position = outbox.record(Lane::Readings, Tick(5), &[VALUE.is(1.0)]);
            outbox.carry()
        });
        assert_eq!(Carry::from_bytes(&again.to_bytes()), Some(again));
    }
}
