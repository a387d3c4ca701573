//! Frames of a live connection: repeated, out of order, cut, changed, sent back.
//!
//! Each time the connection ends, nothing of the forged frame is stored, and the next connection stores everything once.

use catalog::TEMPERATURE;
use sensock_device::{Device, Ended, Runner, TokioClock};
use sensock_server::{End, Event, Events, History as _, MemoryStore, Server, Span};

use crate::common::sealed::*;
use crate::common::{until, within};
use crate::mallory::{Out, Way, between, pass};

/// The number of the frame that attacks meet. Before it: first message, proof, perhaps a frame of no meaning, and records; after it, more.
const MET: usize = 4;

struct Scene {
    store: MemoryStore,
    server: Server,
    events: Events,
    device: Device<'static>,
    runner: Runner<'static, TokioClock>,
    made: usize,
}

impl Scene {
    async fn new() -> Self {
        let store = MemoryStore::default();
        let (server, events) = server(&store).await;
        let (device, runner) = board("cellar-3", sealed(1));
        let mut scene = Scene { store, server, events, device, runner, made: 0 };
        // The catalogue is stored from here on.
        scene.record();
        let io = between(&scene.server, "10.0.0.1:1", |way, _, frame| pass(way, frame));
        let (ended, ()) = tokio::join!(dial(&mut scene.runner, io), drained(&scene.device));
        assert_eq!(ended, Ended::Closed);
        scene
    }

    fn record(&mut self) {
        self.device.record(&[TEMPERATURE.is(self.made as f32)]).unwrap();
        self.made += 1;
    }

    /// Five records go over a line with Mallory on it: three at once, and four a second apart.
    async fn attacked(
        &mut self,
        mallory: impl FnMut(Way, usize, Vec<u8>) -> Vec<Out> + Send + 'static,
    ) -> Ended {
        for _ in 0..3 {
            self.record();
        }
        let io = between(&self.server, "10.0.0.1:1", mallory);
        let later = async {
            for n in 1..=4 {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                self.device.record(&[TEMPERATURE.is((self.made + n - 1) as f32)]).unwrap();
            }
        };
        let (ended, ()) = tokio::join!(within(dial(&mut self.runner, io)), later);
        self.made += 4;
        ended
    }

    async fn disconnected(&mut self) -> (End, String) {
        let end = until(&mut self.events, |e| match e {
            Event::Disconnected { end, reason, .. } if !reason.contains("goodbye") => Some((end, reason)),
            _ => None,
        });
        within(end).await
    }

    /// A line without anybody on it; then all is stored once, and nothing is missing.
    async fn ends_well(mut self) {
        let io = between(&self.server, "10.0.0.1:1", |way, _, frame| pass(way, frame));
        let (ended, ()) = tokio::join!(dial(&mut self.runner, io), drained(&self.device));
        assert_eq!(ended, Ended::Closed);
        let all: Vec<f64> = (0..self.made).map(|n| n as f64).collect();
        assert_eq!(rows(&self.store, "cellar-3").await, all);
        assert!(self.store.gaps(&name("cellar-3"), Span::ALL).await.unwrap().is_empty());
    }
}

async fn drained(device: &Device<'static>) {
    within(device.drain()).await;
    device.close();
}

#[tokio::test(start_paused = true)]
async fn replayed_frame() {
    let mut scene = Scene::new().await;
    let ended = scene.attacked(|way, n, frame| {
        let again = (way, n) == (Way::Up, MET);
        let mut outs = pass(way, frame.clone());
        if again {
            outs.extend(pass(way, frame));
        }
        outs
    });
    assert_eq!(ended.await, Ended::Transport);
    let (end, reason) = scene.disconnected().await;
    assert!(end == End::Protocol && reason.contains("could not be opened"), "{end:?} {reason}");
    scene.ends_well().await;
}

#[tokio::test(start_paused = true)]
async fn reordered_frame() {
    let mut scene = Scene::new().await;
    let mut held = None;
    let ended = scene.attacked(move |way, n, frame| match (way, n) {
        (Way::Up, MET) => {
            held = Some(frame);
            Vec::new()
        }
        (Way::Up, _) => {
            let mut outs = pass(way, frame);
            outs.extend(held.take().into_iter().flat_map(|f| pass(way, f)));
            outs
        }
        _ => pass(way, frame),
    });
    assert_eq!(ended.await, Ended::Transport);
    let (end, reason) = scene.disconnected().await;
    assert!(end == End::Protocol && reason.contains("could not be opened"), "{end:?} {reason}");
    scene.ends_well().await;
}

/// Who cuts the stream cannot make it look like an end in order: neither within a frame nor between two.
#[tokio::test(start_paused = true)]
async fn truncated_stream() {
    for whole in [true, false] {
        let mut scene = Scene::new().await;
        let ended = scene.attacked(move |way, n, frame| match (way, n) {
            (Way::Up, MET) if whole => vec![Out::Frame(way, frame), Out::Cut],
            (Way::Up, MET) => {
                let half = crate::common::framed(&frame);
                vec![Out::Raw(way, half[..half.len() / 2].to_vec()), Out::Cut]
            }
            _ => pass(way, frame),
        });
        assert_eq!(ended.await, Ended::Transport);
        let (end, reason) = scene.disconnected().await;
        assert_eq!((end, reason.as_str()), (End::Transport, "the device closed the transport"));
        scene.ends_well().await;
    }
}

/// One bit of each byte, of a first message, of a proof, and of a frame of records: a connection each.
#[tokio::test(start_paused = true)]
async fn bit_flip_in_every_byte_of_a_frame() {
    let mut scene = Scene::new().await;
    let flip = |met: usize, at: usize| {
        let (tell, told) = std::sync::mpsc::channel();
        let mallory = move |way, n, mut frame: Vec<u8>| {
            if (way, n) == (Way::Up, met) {
                tell.send(frame.len()).unwrap();
                // Past its end: frames are not all of one length.
                let Some(byte) = frame.get_mut(at) else { return vec![Out::Cut] };
                *byte ^= 1 << (at % 8);
            }
            pass(way, frame)
        };
        (mallory, told)
    };
    // An address for each: who changes frames on the way gets the device's address turned away, as he could cut its line.
    let mut peers = (0_u32..).map(|n| format!("10.1.{}.{}:1", n / 250, n % 250));
    for met in [0, 1, 2] {
        let mut at = 0;
        loop {
            let before = rows(&scene.store, "cellar-3").await.len();
            scene.record();
            let (mallory, told) = flip(met, at);
            let io = between(&scene.server, &peers.next().unwrap(), mallory);
            let ended = within(dial(&mut scene.runner, io)).await;
            let len = told.try_recv().unwrap();
            assert!(ended != Ended::Closed, "frame {met}, byte {at} of {len}: {ended:?}");
            assert_eq!(rows(&scene.store, "cellar-3").await.len(), before, "frame {met}, byte {at} of {len}");
            at += 1;
            if at >= len {
                break;
            }
        }
    }
    scene.ends_well().await;
}

#[tokio::test(start_paused = true)]
async fn reflection_to_the_device() {
    let mut scene = Scene::new().await;
    // What it said comes back to it as if the server said it.
    let ended = scene.attacked(|way, n, frame| match (way, n) {
        (Way::Up, MET) => pass(Way::Down, frame),
        _ => pass(way, frame),
    });
    assert_eq!(ended.await, Ended::Forged);
    scene.ends_well().await;
    // So does its first message.
    let (_device, mut runner) = board("cellar-3", sealed(1));
    let (outside, _held) = tokio::io::duplex(4_096);
    let io = crate::mallory::bridge(outside, |_, _, frame| pass(Way::Down, frame));
    assert_eq!(within(dial(&mut runner, io)).await, Ended::Forged);
}

#[tokio::test(start_paused = true)]
async fn reflection_to_the_server() {
    let mut scene = Scene::new().await;
    let ended = scene.attacked(|way, n, frame| match (way, n) {
        (Way::Down, 2) => pass(Way::Up, frame),
        _ => pass(way, frame),
    });
    assert_eq!(ended.await, Ended::Transport);
    let (end, reason) = scene.disconnected().await;
    assert!(end == End::Protocol && reason.contains("could not be opened"), "{end:?} {reason}");
    scene.ends_well().await;
}
