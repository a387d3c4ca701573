//! Sealed connections: bytes in the place of a handshake's messages, and frames that somebody changes, leaves out, repeats or reorders.

use std::collections::VecDeque;

use sensock::deframe::{Length, PREFACE, PREFIX_MAX, prefixed};
use sensock::seal::{Cover, Credential, Ephemeral, First, Key, KeyId, NoEntropy, Seen};
use sensock::wire::header::{Kind, plain};

use super::input::Input;

/// The longest frame here.
const FRAME: usize = 300;

fn credential() -> Credential {
    Credential { id: KeyId([7; 8]), key: Key::new([0x42; 32]) }
}

/// The key pairs that are used here. They are always the same, so that a fuzzer comes to know what was made with them, and says it again.
const PAIRS: [u64; 5] = [1, 2, 3, 4, 5];

/// A key pair of its own for each number.
fn pair(number: u64) -> Ephemeral {
    let mut random = |bytes: &mut [u8]| -> Result<(), NoEntropy> {
        bytes.fill(number as u8);
        Ok(())
    };
    Ephemeral::make(&credential().key, &mut random, &[number, 0, 0]).expect("there are bytes")
}

fn device(number: u64) -> Cover {
    Cover::dial(credential(), pair(number))
}

/// A device after its Hello, and the message that this was.
fn dialled(number: u64, hello: &[u8]) -> (Cover, Vec<u8>) {
    let mut device = device(number);
    let first = closed(&mut device, hello).expect("Hello is the first frame");
    (device, first)
}

/// Closes a frame, in as much room as the cover asks for.
fn closed(cover: &mut Cover, frame: &[u8]) -> Option<Vec<u8>> {
    let around = cover.margins();
    let mut buf = vec![0; around.front + frame.len() + around.back];
    buf[around.front..around.front + frame.len()].copy_from_slice(frame);
    let n = cover.close(&mut buf, frame.len()).ok()?;
    assert_eq!(n, buf.len(), "a cover uses the room that it asked for");
    Some(buf)
}

/// Opens a message; the frame, and whether the peer proved itself.
fn opened(cover: &mut Cover, mut message: Vec<u8>) -> Option<(Vec<u8>, bool)> {
    let opened = cover.open(&mut message).ok()?;
    Some((message[opened.frame].to_vec(), opened.proved))
}

/// What a server does with a first message: the cover for the answer, and the Hello.
fn answered(seen: &mut Seen, message: &mut [u8], number: u64) -> Option<(Cover, Vec<u8>)> {
    let first = First::read(message).ok()?;
    let unknown = Key::unknown(&[9; 32], first.id);
    let credential = credential();
    let key = if first.id == credential.id { &credential.key } else { &unknown };
    let (answer, hello) = first.open(key, message).ok()?;
    let hello = message[hello].to_vec();
    seen.admit(&first.ephemeral).then(|| (Cover::answer(answer, pair(number)), hello))
}

/// Who is over says nothing and hears nothing any more.
fn is_over(cover: &mut Cover, message: &[u8]) {
    assert!(opened(cover, message.to_vec()).is_none(), "a connection that is over heard something");
    assert!(closed(cover, &[1]).is_none(), "a connection that is over said something");
}

/// Nothing but the message that the peer made is taken for it, once, and by the right end.
///
/// # Panics
/// If something else is.
pub fn seal_handshake(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (mode, hello) = (input.below(6), input.bytes(120));
    let mut seen = Seen::default();
    let (mut cover, first) = dialled(1, hello);
    match mode {
        // Anything at all, in the place of either message.
        0 => {
            let message = input.rest();
            if let Some((_, said)) = answered(&mut seen, &mut message.to_vec(), 2) {
                let made = PAIRS.into_iter().any(|n| dialled(n, &said).1 == message);
                assert!(made, "made of nothing");
            }
        }
        1 => {
            let message = input.rest();
            let known = |n, frame: &[u8]| {
                let (mut server, _) = answered(&mut Seen::default(), &mut first.clone(), n)?;
                closed(&mut server, frame)
            };
            match opened(&mut cover, message.to_vec()) {
                Some((frame, true)) => {
                    let made = PAIRS.into_iter().any(|n| known(n, &frame).as_deref() == Some(message));
                    assert!(made, "believed a stranger");
                }
                _ => not_believed(dialled(1, hello).0, message),
            }
        }
        // The message itself, changed; and again.
        2 => {
            let mut changed = first.clone();
            while !input.is_empty() {
                input.spoil(&mut changed);
            }
            let taken = answered(&mut seen, &mut changed.clone(), 2);
            assert_eq!(taken.is_some(), changed == first, "a first message is taken as it was made, or not");
            assert!(taken.is_none_or(|(_, said)| said == hello));
            let again = answered(&mut seen, &mut changed, 3).is_some();
            assert!(!again, "a first message came again");
        }
        3 => {
            let (mut server, _) = answered(&mut seen, &mut first.clone(), 2).expect("as it was made");
            let welcome = input.bytes(120);
            let second = closed(&mut server, welcome).expect("Welcome is the second frame");
            let mut changed = second.clone();
            while !input.is_empty() {
                input.spoil(&mut changed);
            }
            if changed == second {
                assert_eq!(opened(&mut cover, changed), Some((welcome.to_vec(), true)));
            } else {
                not_believed(cover, &changed);
            }
        }
        // What one end said, said back to it; and what was meant for another dial.
        4 => {
            is_over_after(cover, &first);
            let (mut server, _) = answered(&mut seen, &mut first.clone(), 2).expect("as it was made");
            let second = closed(&mut server, &[2, 1]).expect("Welcome is the second frame");
            is_over_after(server, &second);
            is_over_after(dialled(4, hello).0, &second);
        }
        // A device that was spoken to before it said anything.
        _ => is_over_after(device(5), input.rest()),
    }
}

/// A device that dialled takes a Refused of anybody, as one that nobody proved, and nothing else.
fn not_believed(mut dialled: Cover, message: &[u8]) {
    let refused = message.first() == Some(&plain(Kind::Refused));
    match opened(&mut dialled, message.to_vec()) {
        Some((frame, proved)) => assert!(refused && !proved && frame == message, "believed a stranger"),
        None => {
            assert!(!refused);
            is_over(&mut dialled, message);
        }
    }
}

fn is_over_after(mut cover: Cover, message: &[u8]) {
    assert!(opened(&mut cover, message.to_vec()).is_none(), "taken for a message of the peer");
    is_over(&mut cover, message);
}

/// One direction of a sealed connection: what was said, what is under way, and what was heard.
struct Way {
    said: Vec<Vec<u8>>,
    under_way: VecDeque<Vec<u8>>,
    heard: usize,
    deframer: Length,
    buf: Vec<u8>,
    broken: bool,
}

impl Way {
    fn new() -> Self {
        let mut deframer = Length::new();
        let _preface = deframer.feed(&PREFACE, &mut []);
        let (said, under_way) = (Vec::new(), VecDeque::new());
        Way { said, under_way, heard: 0, deframer, buf: vec![0; 2 * FRAME], broken: false }
    }

    fn say(&mut self, from: &mut Cover, frame: &[u8]) {
        if let Some(message) = closed(from, frame) {
            self.said.push(frame.to_vec());
            let mut framed = [&[0; PREFIX_MAX], &message[..]].concat();
            let skipped = prefixed(&mut framed, message.len());
            self.under_way.push_back(framed.split_off(skipped));
        }
    }

    /// What is under way arrives, in chunks.
    fn arrive(&mut self, to: &mut Cover, chunk: usize) {
        let stream: Vec<u8> = self.under_way.drain(..).flatten().collect();
        for mut part in stream.chunks(chunk) {
            while !part.is_empty() && !self.broken {
                let Ok((used, message)) = self.deframer.feed(part, &mut self.buf) else {
                    self.broken = true;
                    break;
                };
                part = &part[used..];
                let Some(len) = message else { continue };
                match opened(to, self.buf[..len].to_vec()) {
                    Some((frame, proved)) => {
                        assert!(proved, "opened without proof");
                        assert_eq!(
                            Some(&frame),
                            self.said.get(self.heard),
                            "not what was said, or not in order"
                        );
                        self.heard += 1;
                    }
                    None => {
                        self.broken = true;
                        is_over(to, &self.buf[..len]);
                    }
                }
            }
        }
    }
}

/// Frames over a sealed connection, with somebody on the line: what is heard is the beginning of what was said, to the byte and in order.
///
/// # Panics
/// If it is not, or if everything was left alone and something is missing.
pub fn sealed_frames(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut device = device(1);
    let mut first = closed(&mut device, &[1]).expect("Hello is the first frame");
    let (mut server, _) = answered(&mut Seen::default(), &mut first, 2).expect("as it was made");
    let second = closed(&mut server, &[2]).expect("Welcome is the second frame");
    assert_eq!(opened(&mut device, second), Some((vec![2], true)));

    let mut ways = [Way::new(), Way::new()];
    let mut touched = [false; 2];
    // A few hundred operations say all that there is to say.
    for _ in 0..400 {
        if input.is_empty() {
            break;
        }
        let which = input.below(2);
        let (from, to) = if which == 0 { (&mut device, &mut server) } else { (&mut server, &mut device) };
        let operation = input.below(10);
        let way = &mut ways[which];
        let at = input.below(8).min(way.under_way.len().saturating_sub(1));
        match operation {
            0..=2 => way.say(from, input.bytes(FRAME)),
            3..=4 => way.arrive(to, 1 + input.below(64)),
            _ if way.under_way.is_empty() => continue,
            5 => drop(way.under_way.remove(at)),
            6 => input.spoil(&mut way.under_way[at]),
            7 => way.under_way.swap(0, at),
            8 => {
                let copy = way.under_way[at].clone();
                way.under_way.push_back(copy);
            }
            _ => {
                let copy = way.under_way[at].clone();
                ways[1 - which].under_way.push_back(copy);
                touched[1 - which] = true;
            }
        }
        touched[which] |= (5..=8).contains(&operation);
    }
    ways[0].arrive(&mut server, 17);
    ways[1].arrive(&mut device, 17);
    // An end that heard what it cannot open says nothing more either.
    if touched == [false; 2] {
        for way in &ways {
            assert_eq!(
                (way.heard, way.broken),
                (way.said.len(), false),
                "left alone, and something is missing"
            );
        }
    }
}
