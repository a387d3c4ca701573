//! What a key costs on each core: instructions and stack from the dial to the first sealed frame, with a key pair that was made before.
//!
//! Counted without a network: the server is in the same program, and only the device's part is measured.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use sensock::seal::{Cover, Credential, Ephemeral, NoEntropy};
use sensock_boards::board::{Board, Options};
use sensock_boards::images::image_or_skip;
use sensock_boards::machine::Machine;
use sensock_testkit::require::announce;
use std::time::Duration;

/// A second each; the rest is for a busy computer.
const PATIENCE: Duration = Duration::from_secs(60);
/// For the ESP8266's core: the most that a dial may take, and that a key may add to the stack.
const INSTRUCTIONS: u64 = 18_000_000;
const STACK: u32 = 2_560;

/// The most that a key may add to what a device keeps in memory all the time.
const MEMORY: usize = 1_024;
/// Constants of what seals, which the ESP8266 keeps in memory too: as `cargo xtask size` records them.
const CONSTANTS: usize = 576;

/// A line of the image.
#[derive(Clone, Copy)]
struct Cost {
    instructions: u64,
    stack: u32,
}

/// No chip has larger ones than the computer that runs the tests: they are bytes and numbers, and one function.
#[test]
fn what_a_key_keeps_in_memory_is_small() {
    let kept =
        size_of::<Credential>() + size_of::<Random>() + size_of::<Option<Ephemeral>>() + size_of::<u64>();
    // Buffers of 320 rather than 288 bytes: to read, to write, to encode.
    let all = kept + size_of::<Cover>() + 3 * 32;
    announce(&format!("a key keeps {all} bytes in memory, and {CONSTANTS} of constants"));
    assert!(all + CONSTANTS <= MEMORY, "{all} bytes, and {CONSTANTS} of constants");
}

type Random = fn(&mut [u8]) -> Result<(), NoEntropy>;

#[test]
fn a_handshake_is_cheap_enough_for_every_board() {
    for board in Board::ALL {
        let Some(image) = image_or_skip(board, "handshake", "what a handshake costs on boards") else {
            return;
        };
        // An instruction is a nanosecond of the machine's time.
        let options = Options { shift: Some(0), ..Options::default() };
        let mut machine = Machine::start(board, &image, &options).unwrap();
        let mut cost = |name: &str| -> Cost {
            let line = machine.console().wait_for(name, PATIENCE).unwrap();
            let number = |name: &str| -> u32 {
                line.split(' ').find_map(|word| word.strip_prefix(name)?.parse().ok()).unwrap()
            };
            Cost { instructions: u64::from(number("us=")) * 1_000, stack: number("stack=") }
        };
        let (insecure, sealed) = (cost("insecure "), cost("sealed "));
        let (pair, cover) = (cost("pair "), cost("cover "));
        assert!(machine.wait(PATIENCE).unwrap().success(), "{}: {:?}", board.id(), machine.console().rest());
        let more = sealed.stack.saturating_sub(insecure.stack);
        announce(&format!(
            "{}: from the dial to the first frame {} thousand instructions sealed, {} insecure; the key pair before takes {}; the stack goes {} bytes deep \
             with a key and {} without, of which sealing and opening alone take {}, the pair {}",
            board.id(),
            sealed.instructions / 1_000,
            insecure.instructions / 1_000,
            pair.instructions / 1_000,
            sealed.stack,
            insecure.stack,
            cover.stack,
            pair.stack,
        ));
        assert!(pair.instructions > 100_000, "{}: no key pair is made of so little", board.id());
        assert!(sealed.instructions > insecure.instructions + 100_000, "{}: nothing was sealed", board.id());
        if board == Board::Lx106 {
            assert!(sealed.instructions <= INSTRUCTIONS, "{} instructions", sealed.instructions);
            assert!(more <= STACK, "a key adds {more} bytes to the stack");
        }
    }
}
