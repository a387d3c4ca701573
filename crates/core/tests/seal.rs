//! The seal against an implementation of Noise that is not ours, and against whoever sits on the line.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use sensock::deframe::PREFACE;
use sensock::error::Peer;
use sensock::seal::{
    Answer, Cover, Credential, Denied, Ephemeral, FIRST_OVERHEAD, First, Key, KeyId, NoEntropy,
    SECOND_OVERHEAD, Seen, TAG,
};

const HELLO: &[u8] = b"\x01 as if this were Hello";
const WELCOME: &[u8] = b"\x02 as if this were Welcome";

fn key(n: u8) -> Key {
    Key::new(std::array::from_fn(|i| n.wrapping_mul(31).wrapping_add(i as u8)))
}

fn credential(n: u8) -> Credential {
    Credential { id: KeyId([n; 8]), key: key(n) }
}

/// A generator that always gives the same: what the salt has to make up for.
fn stuck(bytes: &mut [u8]) -> Result<(), NoEntropy> {
    bytes.fill(7);
    Ok(())
}

fn ephemeral(n: u8, salt: u64) -> Ephemeral {
    Ephemeral::make(&key(n), &mut stuck, &[salt, 0, 0]).unwrap()
}

fn close(cover: &mut Cover, frame: &[u8]) -> Vec<u8> {
    let margins = cover.margins();
    let mut buf = [&vec![0; margins.front], frame, &vec![0; margins.back]].concat();
    let n = cover.close(&mut buf, frame.len()).unwrap();
    assert_eq!(n, buf.len());
    buf
}

fn open(cover: &mut Cover, message: &[u8]) -> Result<Vec<u8>, Denied> {
    let mut message = message.to_vec();
    cover.open(&mut message).map(|o| message[o.frame].to_vec())
}

fn dial(n: u8, salt: u64) -> (Cover, Vec<u8>) {
    let mut device = Cover::dial(credential(n), ephemeral(n, salt));
    let first = close(&mut device, HELLO);
    (device, first)
}

fn take(key: &Key, message: &[u8]) -> Result<(Answer, Vec<u8>), Denied> {
    let mut message = message.to_vec();
    let first = First::read(&message).expect("its clear part is right");
    first.open(key, &mut message).map(|(answer, hello)| (answer, message[hello].to_vec()))
}

/// Both ends, after their handshake.
fn pair() -> (Cover, Cover) {
    let (mut device, first) = dial(1, 1);
    let (answer, hello) = take(&key(1), &first).unwrap();
    assert_eq!(hello, HELLO);
    let mut server = Cover::answer(answer, ephemeral(9, 2));
    let second = close(&mut server, WELCOME);
    assert_eq!(second.len(), WELCOME.len() + SECOND_OVERHEAD);
    let mut message = second.clone();
    let opened = device.open(&mut message).unwrap();
    assert!(opened.proved);
    assert_eq!(&message[opened.frame], WELCOME);
    (device, server)
}

fn snow(n: u8, clear: &[u8]) -> snow::Builder<'static> {
    let prologue: &'static [u8] = [&PREFACE, clear].concat().leak();
    let psk: &'static [u8; 32] = Box::leak(Box::new(*key(n).bytes()));
    snow::Builder::new("Noise_NNpsk0_25519_ChaChaPoly_SHA256".parse().unwrap())
        .prologue(prologue)
        .unwrap()
        .psk(0, psk)
        .unwrap()
}

#[test]
fn another_implementation_answers_our_device() {
    let (mut device, first) = dial(3, 1);
    let mut theirs = snow(3, &first[..10]).build_responder().unwrap();
    let mut buf = [0; 200];
    let n = theirs.read_message(&first[10..], &mut buf).unwrap();
    assert_eq!(&buf[..n], HELLO);
    let n = theirs.write_message(WELCOME, &mut buf[1..]).unwrap();
    buf[0] = 24;
    assert_eq!(open(&mut device, &buf[..1 + n]).unwrap(), WELCOME);
    let mut theirs = theirs.into_transport_mode().unwrap();
    for i in 0..300_u32 {
        let frame = vec![i as u8; i as usize % 90];
        let n = theirs.read_message(&close(&mut device, &frame), &mut buf).unwrap();
        assert_eq!(&buf[..n], frame);
        let n = theirs.write_message(&frame, &mut buf).unwrap();
        assert_eq!(open(&mut device, &buf[..n]).unwrap(), frame);
    }
}

#[test]
fn another_implementation_dials_our_server_and_both_take_a_new_key_on_the_way() {
    let clear: Vec<u8> = [&[24, 1][..], &[4; 8]].concat();
    let mut theirs = snow(4, &clear).build_initiator().unwrap();
    let mut buf = [0; 200];
    let n = theirs.write_message(HELLO, &mut buf).unwrap();
    let first = [&clear, &buf[..n]].concat();
    assert_eq!(first.len(), HELLO.len() + FIRST_OVERHEAD);
    let (answer, hello) = take(&key(4), &first).unwrap();
    assert_eq!(hello, HELLO);
    let mut server = Cover::answer(answer, ephemeral(9, 1));
    let n = theirs.read_message(&close(&mut server, WELCOME)[1..], &mut buf).unwrap();
    assert_eq!(&buf[..n], WELCOME);
    let mut theirs = theirs.into_transport_mode().unwrap();
    for i in 0..(1_u32 << 16) + 10 {
        if i == 1 << 16 {
            theirs.rekey_outgoing();
        }
        let frame = i.to_le_bytes();
        let n = theirs.write_message(&frame, &mut buf).unwrap();
        assert_eq!(open(&mut server, &buf[..n]).unwrap(), frame, "frame {i}");
    }
}

#[test]
fn a_wrong_key_and_an_unknown_id_are_denied_alike() {
    let (_, first) = dial(1, 1);
    assert_eq!(take(&key(2), &first).err(), Some(Denied));
    assert_eq!(take(&Key::unknown(&[5; 32], KeyId([1; 8])), &first).err(), Some(Denied));
    // What nobody has is the same each time, and another one for each id and server.
    let unknown = |server, id| *Key::unknown(&[server; 32], KeyId([id; 8])).bytes();
    assert_eq!(unknown(5, 1), unknown(5, 1));
    assert_ne!(unknown(5, 1), unknown(5, 2));
    assert_ne!(unknown(5, 1), unknown(6, 1));
}

#[test]
fn a_server_without_the_key_is_found_out() {
    let (mut device, first) = dial(1, 1);
    // It cannot open Hello; it makes up an answer under another key.
    let (_, other) = dial(2, 1);
    let (answer, _) = take(&key(2), &other).unwrap();
    let second = close(&mut Cover::answer(answer, ephemeral(9, 1)), WELCOME);
    assert!(take(&key(2), &first).is_err());
    assert_eq!(open(&mut device, &second), Err(Denied));
    assert_eq!(open(&mut device, &second), Err(Denied), "it is over");
    assert!(device.close(&mut [0; 60], 0).is_err());
}

#[test]
fn every_bit_counts() {
    let (_, first) = dial(1, 1);
    for bit in 0..8 * first.len() {
        let mut changed = first.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        match First::read(&changed) {
            // The id is in clear: the server takes the key that is asked for. This one it does not open.
            Ok(f) => assert_eq!(f.open(&key(1), &mut changed.clone()).err(), Some(Denied), "bit {bit}"),
            Err(e) => assert!(matches!(e, Peer::Malformed | Peer::Version) && bit < 16, "bit {bit}: {e}"),
        }
    }
    let (answer, _) = take(&key(1), &first).unwrap();
    let second = close(&mut Cover::answer(answer, ephemeral(9, 1)), WELCOME);
    for bit in 0..8 * second.len() {
        let (mut device, _) = dial(1, 1);
        let mut changed = second.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let opened = device.open(&mut changed);
        assert!(opened.is_err() || opened.is_ok_and(|o| !o.proved && bit < 8), "bit {bit}");
    }
    let sealed = close(&mut pair().0, b"a record");
    for bit in 0..8 * sealed.len() {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(open(&mut pair().1, &changed), Err(Denied), "bit {bit}");
    }
}

#[test]
fn a_cut_message_is_denied() {
    let (device, first) = dial(1, 1);
    drop(device);
    for n in 0..first.len() {
        let cut = &first[..n];
        if First::read(cut).is_ok() {
            assert_eq!(take(&key(1), cut).err(), Some(Denied));
        } else {
            assert!(n < FIRST_OVERHEAD);
        }
    }
    let sealed = close(&mut pair().0, b"a record");
    assert_eq!(sealed.len(), 8 + TAG);
    for n in 0..sealed.len() {
        assert_eq!(open(&mut pair().1, &sealed[..n]), Err(Denied));
    }
}

#[test]
fn a_frame_repeated_left_out_or_out_of_turn_ends_the_connection() {
    let frames = |device: &mut Cover| [b"a", b"b", b"c"].map(|f| close(device, f));
    let (mut device, mut server) = pair();
    let [a, b, c] = frames(&mut device);
    open(&mut server, &a).unwrap();
    assert_eq!(open(&mut server, &a), Err(Denied), "repeated");
    assert_eq!(open(&mut server, &b), Err(Denied), "over is over");
    let (_, mut server) = pair();
    assert_eq!(open(&mut server, &b), Err(Denied), "one left out");
    let (_, mut server) = pair();
    open(&mut server, &a).unwrap();
    assert_eq!(open(&mut server, &c), Err(Denied), "out of turn");
}

#[test]
fn what_is_left_of_a_cover_after_the_handshake_goes_on_where_it_was() {
    let (mut device, mut server) = pair();
    let [a, mut b] = [b"a", b"b"].map(|f| close(&mut device, f));
    open(&mut server, &a).unwrap();
    let mut left = server.into_transport().unwrap();
    assert_eq!(left.open(&mut b), Ok(1));
    let mut down = [b'c'; 1 + TAG];
    assert_eq!(left.close(&mut down, 1), Ok(down.len()));
    assert_eq!(open(&mut device, &down).unwrap(), b"c");
    assert_eq!(left.open(&mut b), Err(Denied), "repeated");
    let (device, first) = dial(1, 1);
    assert!(device.into_transport().is_none(), "the server has not answered");
    let (answer, _) = take(&key(1), &first).unwrap();
    let mut server = Cover::answer(answer, ephemeral(9, 1));
    close(&mut server, WELCOME);
    assert_eq!(open(&mut server, &a), Err(Denied));
    assert!(server.into_transport().is_none(), "over is over");
    assert!(Cover::insecure().into_transport().is_none());
}

#[test]
fn what_one_end_said_is_not_taken_back_from_a_mirror() {
    let (mut device, mut server) = pair();
    let up = close(&mut device, b"up");
    let down = close(&mut server, b"down");
    assert_eq!(open(&mut device, &up), Err(Denied));
    assert_eq!(open(&mut server, &down), Err(Denied));
    // Nor the first message.
    let (mut device, first) = dial(1, 1);
    assert_eq!(open(&mut device, &first), Err(Denied));
}

#[test]
fn a_first_message_comes_once() {
    let (_, first) = dial(1, 1);
    let mut seen = Seen::default();
    assert!(seen.admit(&First::read(&first).unwrap().ephemeral));
    assert!(!seen.admit(&First::read(&first).unwrap().ephemeral), "a replay");
    // Who replays it never comes to a frame: what the server says is of another key each time.
    let (answer, _) = take(&key(1), &first).unwrap();
    let mut server = Cover::answer(answer, ephemeral(9, 3));
    close(&mut server, WELCOME);
    let said_then = close(&mut pair().0, b"pong");
    assert_eq!(open(&mut server, &said_then), Err(Denied));
}

#[test]
fn a_generator_that_repeats_itself_makes_other_keys_at_another_boot() {
    let (_, a) = dial(1, 1);
    let (_, b) = dial(1, 2);
    assert_ne!(First::read(&a).unwrap().ephemeral, First::read(&b).unwrap().ephemeral);
    let failing = &mut |_: &mut [u8]| Err(NoEntropy);
    assert!(Ephemeral::make(&key(1), failing, &[1, 2, 3]).is_err(), "no random bytes, no connection");
}

#[test]
fn a_refused_of_anybody_is_told_from_the_server_s_own() {
    let refused = b"\x03 no";
    let (mut device, first) = dial(1, 1);
    let mut message = refused.to_vec();
    let opened = device.open(&mut message).unwrap();
    assert_eq!((opened.proved, opened.frame), (false, 0..refused.len()));
    // The true answer still counts.
    let (answer, _) = take(&key(1), &first).unwrap();
    let mut second = close(&mut Cover::answer(answer, ephemeral(9, 1)), refused);
    let opened = device.open(&mut second).unwrap();
    assert!(opened.proved);
    assert_eq!(&second[opened.frame], refused);
    // After the handshake nothing goes without.
    let (mut device, _) = pair();
    assert_eq!(open(&mut device, refused), Err(Denied));
}

#[test]
fn an_insecure_cover_is_no_cover() {
    let mut cover = Cover::insecure();
    assert!(!cover.is_secure());
    let frame = close(&mut cover, HELLO);
    assert_eq!(frame, HELLO);
    assert_eq!(open(&mut cover, &frame).unwrap(), HELLO);
}

#[test]
fn nothing_of_the_frames_is_seen_on_the_line() {
    let (mut device, first) = dial(1, 1);
    let (answer, _) = take(&key(1), &first).unwrap();
    let mut server = Cover::answer(answer, ephemeral(9, 1));
    let second = close(&mut server, WELCOME);
    open(&mut device, &second).unwrap();
    let line = [first, second, close(&mut device, HELLO), close(&mut server, WELCOME)].concat();
    for words in [HELLO, WELCOME] {
        assert!(!words.windows(5).any(|w| line.windows(5).any(|l| l == w)));
    }
}
