//! Deframers: any bytes in any chunks.

use sensock::deframe::cobs::{Decoder, Encoder, LineFault, encoded_max};
use sensock::deframe::{Foreign, Length, PREFACE};
use sensock::error::Peer;

use super::input::Input;

/// A stream (with its preface, without, or a serial line) in chunks gives the same frames, and the same end, as in one piece.
///
/// # Panics
/// If the chunks matter, or a frame is longer than the buffer.
pub fn deframe(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (mode, size) = (input.below(4), 1 + usize::from(input.byte()) * 2);
    let chunks: Vec<usize> = (0..4).map(|_| 1 + input.below(64)).collect();
    let rest = input.rest();
    match mode {
        0 => same(&[&PREFACE, rest].concat(), size, &chunks, length),
        1 => same(rest, size, &chunks, length),
        2 => same(rest, size, &chunks, cobs),
        _ => line(rest, &chunks),
    }
    assert!(Foreign::guess(rest).words().len() > 20);
}

/// Frames, and what ended them.
type Outcome<E> = (Vec<Vec<u8>>, Option<E>);

fn same<E: PartialEq + std::fmt::Debug>(
    bytes: &[u8],
    size: usize,
    chunks: &[usize],
    read: impl Fn(&mut dyn Iterator<Item = &[u8]>, usize) -> Outcome<E>,
) {
    let whole = read(&mut std::iter::once(bytes), size);
    assert_eq!(read(&mut cut(bytes, chunks).into_iter(), size), whole, "the chunks matter");
    assert!(whole.0.iter().all(|f| f.len() <= size && !f.is_empty()));
    assert!(whole.0.iter().map(Vec::len).sum::<usize>() <= bytes.len());
}

fn cut<'a>(mut bytes: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut chunks = vec![];
    for size in sizes.iter().cycle() {
        if bytes.is_empty() {
            break;
        }
        let (head, rest) = bytes.split_at((*size).min(bytes.len()));
        chunks.push(head);
        bytes = rest;
    }
    chunks
}

fn length(chunks: &mut dyn Iterator<Item = &[u8]>, size: usize) -> Outcome<Peer> {
    let (mut deframer, mut buf, mut frames) = (Length::new(), vec![0; size], vec![]);
    for mut part in chunks {
        while !part.is_empty() {
            let (used, frame) = match deframer.feed(part, &mut buf) {
                Ok(done) => done,
                Err(e) => return (frames, Some(e)),
            };
            assert!(used > 0, "no progress");
            part = &part[used..];
            frames.extend(frame.map(|n| buf[..n].to_vec()));
        }
    }
    (frames, None)
}

fn cobs(chunks: &mut dyn Iterator<Item = &[u8]>, size: usize) -> Outcome<LineFault> {
    let (mut decoder, mut buf, mut frames) = (Decoder::new(), vec![0; size], vec![]);
    for mut part in chunks {
        while !part.is_empty() {
            let (used, frame) = match decoder.feed(part, &mut buf) {
                Ok(done) => done,
                Err(e) => return (frames, Some(e)),
            };
            assert!(used > 0, "no progress");
            part = &part[used..];
            frames.extend(frame.map(|range| buf[range].to_vec()));
        }
    }
    (frames, None)
}

/// The bytes as frames over a line, one bit of which may be turned: all frames come, or a fault is reported.
fn line(bytes: &[u8], sizes: &[usize]) {
    let frames = cut(bytes, sizes);
    let (mut encoder, mut line) = (Encoder::new(), vec![]);
    for frame in &frames {
        let mut out = vec![0; encoded_max(frame.len())];
        let n = encoder.encode(frame, &mut out).expect("as much room as it may take");
        assert!(out[..n - 1].iter().all(|b| *b != 0));
        line.extend_from_slice(&out[..n]);
    }
    let (found, fault) = cobs(&mut cut(&line, sizes).into_iter(), 70);
    assert_eq!((found, fault), (frames.iter().map(|f| f.to_vec()).collect(), None));
    let (Some(flip), false) = (bytes.first(), line.is_empty()) else { return };
    let at = usize::from(*flip) * 31 % line.len();
    line[at] ^= 1 << (flip % 8);
    let (found, fault) = cobs(&mut cut(&line, sizes).into_iter(), 70);
    assert!(fault.is_some() || found.len() < frames.len(), "a garbled line passed as a whole one");
}
