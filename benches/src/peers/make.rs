//! Cases out of functions.

use std::fmt::Debug;
use std::hint::black_box;

use bytes::BytesMut;

use crate::case::Case;

/// A codec that writes into a slice and reads from one.
pub(super) fn slices<M: Clone + PartialEq + Debug + 'static>(
    name: &'static str,
    room: usize,
    messages: Vec<M>,
    put: impl Fn(&M, &mut [u8]) -> usize + 'static,
    take: impl Fn(&[u8]) -> M + 'static,
) -> Case {
    let mut out = vec![0; room];
    let frames = messages.iter().map(|m| {
        let len = put(m, &mut out);
        assert_eq!(take(&out[..len]), *m, "{name}");
        out[..len].to_vec()
    });
    let (stream, ends) = joined(frames);
    let (bytes, records) = (stream.len(), messages.len());
    let encode = move || {
        for m in &messages {
            black_box(put(black_box(m), &mut out));
            black_box(&out);
        }
    };
    let decode = move || {
        let mut from = 0;
        for end in &ends {
            black_box(take(black_box(&stream[from..*end])));
            from = *end;
        }
    };
    tried(Case { name, bytes, records, encode: Box::new(encode), decode: Box::new(decode) })
}

/// A codec that appends to a vector, which is emptied and kept.
pub(super) fn vectors<M: Clone + PartialEq + Debug + 'static>(
    name: &'static str,
    room: usize,
    messages: Vec<M>,
    put: impl Fn(&M, &mut Vec<u8>) + Copy + 'static,
    take: impl Fn(&[u8]) -> M + 'static,
) -> Case {
    let put_into = move |m: &M, out: &mut [u8]| {
        let mut vector = Vec::new();
        put(m, &mut vector);
        out[..vector.len()].copy_from_slice(&vector);
        vector.len()
    };
    let decode = slices(name, room, messages.clone(), put_into, take);
    let mut out = Vec::with_capacity(room);
    let encode = move || {
        for m in &messages {
            out.clear();
            put(black_box(m), &mut out);
            black_box(&out);
        }
    };
    Case { encode: Box::new(encode), ..decode }
}

/// A codec that appends to a buffer and splits frames off one.
pub(super) fn streams<M: Clone + PartialEq + Debug + 'static>(
    name: &'static str,
    messages: Vec<M>,
    mut put: impl FnMut(&M, &mut BytesMut) + 'static,
    mut take: impl FnMut(&mut BytesMut) -> M + 'static,
) -> Case {
    let mut stream = BytesMut::new();
    messages.iter().for_each(|m| put(m, &mut stream));
    let (stream, records) = (stream.freeze(), messages.len());
    let mut source = BytesMut::from(&stream[..]);
    messages.iter().for_each(|m| assert_eq!(take(&mut source), *m, "{name}"));
    let bytes = stream.len();
    let mut out = BytesMut::with_capacity(256);
    let encode = move || {
        for m in &messages {
            out.clear();
            put(black_box(m), &mut out);
            black_box(&out);
        }
    };
    let decode = move || {
        let mut source = BytesMut::from(black_box(&stream[..]));
        for _ in 0..records {
            black_box(take(&mut source));
        }
    };
    tried(Case { name, bytes, records, encode: Box::new(encode), decode: Box::new(decode) })
}

/// Runs it once, so that what allocates at the first call has done so.
pub(super) fn tried(mut case: Case) -> Case {
    (case.encode)();
    (case.decode)();
    case
}

/// Frames end to end, and where each ends.
pub(super) fn joined(frames: impl Iterator<Item = Vec<u8>>) -> (Vec<u8>, Vec<usize>) {
    let (mut stream, mut ends) = (Vec::new(), Vec::new());
    for frame in frames {
        stream.extend_from_slice(&frame);
        ends.push(stream.len());
    }
    (stream, ends)
}

/// A codec that gives what it has written as a value of its own.
pub(super) fn owned<M: PartialEq + Debug + 'static, B: 'static>(
    name: &'static str,
    message: M,
    mut put: impl FnMut(&M) -> B + 'static,
    size: impl Fn(&B) -> usize,
    mut take: impl FnMut(&B) -> M + 'static,
) -> Case {
    let written = put(&message);
    let bytes = size(&written);
    assert_eq!(take(&written), message, "{name}");
    let encode = move || {
        black_box(put(black_box(&message)));
    };
    let decode = move || {
        black_box(take(black_box(&written)));
    };
    tried(Case { name, bytes, records: 1, encode: Box::new(encode), decode: Box::new(decode) })
}
