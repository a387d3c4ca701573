//! What happens while the devices measure: links break, an operator sends commands and settings.

use std::time::Duration;

use catalog::{INTERVAL, RELAY};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use sensock::Position;
use sensock_server::{Outcome, Server};
use tokio::time::{Instant, sleep, sleep_until};

use super::board::Running;
use super::fleet::PLAY;
use super::screen::Screen;
use super::way::State;
use crate::show::time::now_us;

/// How often a link is cut, beside the three that are away or silent for longer.
const CUTS: u32 = 24;
/// The same cuts each time.
const SEED: u64 = 20_261_121;
/// The device whose network goes away for longer, from when to when.
const AWAY: (&str, f64, f64) = ("office", 9.0, 15.5);
/// The device whose network swallows everything for a while.
const SILENT: (&str, f64, f64) = ("gas", 17.0, 21.0);
/// The device with too little memory for it.
const SHED: (&str, f64, f64) = ("shed", 23.0, 28.0);
/// How long a command may wait.
const TTL: Duration = Duration::from_secs(60);

/// What was done, for the verification.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Links that were cut.
    pub(crate) cuts: u64,
    /// Commands that were sent, and settings.
    pub(crate) commands: u64,
    pub(crate) settings: u64,
    /// When the network of which device was away, in us since 1970.
    pub(crate) away: (&'static str, i64, i64),
}

/// Plays it all; returns when the devices have measured for long enough.
pub(crate) async fn play(fleet: &[Running], server: &Server, screen: &Screen) -> Done {
    let began = Instant::now();
    let (cuts, (commands, settings), away, _silent, _shed) = tokio::join!(
        cut(fleet, began, screen),
        operate(server, began, screen),
        take_away(fleet, AWAY, State::Closed, began, screen),
        take_away(fleet, SILENT, State::Silent, began, screen),
        take_away(fleet, SHED, State::Closed, began, screen),
    );
    sleep_until(began + PLAY).await;
    Done { cuts: cuts + 3, commands, settings, away: (AWAY.0, away.0, away.1) }
}

/// Cuts links, now this one, now that one.
async fn cut(fleet: &[Running], began: Instant, screen: &Screen) -> u64 {
    let mut random = StdRng::seed_from_u64(SEED);
    let pause = (PLAY - Duration::from_secs(5)) / CUTS;
    let mut cuts = 0;
    sleep_until(began + Duration::from_secs(3)).await;
    for _ in 0..CUTS {
        let whole: Vec<&Running> =
            fleet.iter().filter(|r| r.way.state() == State::Open && r.device.is_connected()).collect();
        if let Some(running) = whole.choose(&mut random) {
            running.way.cut();
            cuts += 1;
            screen.say(running.board.name, &format!("its link is cut ({cuts} of {CUTS})"));
        }
        sleep(pause.mul_f64(random.random_range(0.6..1.4))).await;
    }
    cuts
}

/// Takes a device's network away for a while; returns when that was.
async fn take_away(
    fleet: &[Running],
    (name, from, to): (&str, f64, f64),
    state: State,
    began: Instant,
    screen: &Screen,
) -> (i64, i64) {
    let Some(running) = fleet.iter().find(|r| r.board.name == name) else { return (0, 0) };
    sleep_until(began + Duration::from_secs_f64(from)).await;
    let from_us = now_us();
    running.way.set(state);
    screen.say(
        name,
        match state {
            State::Silent => "its network swallows everything from now on; the connection looks alive",
            _ => "its network goes away for some seconds; it goes on measuring",
        },
    );
    sleep_until(began + Duration::from_secs_f64(to)).await;
    if state == State::Silent {
        running.way.cut();
    }
    running.way.set(State::Open);
    screen.say(name, "its network is back");
    (from_us, now_us())
}

/// Sends commands and settings; returns how many.
async fn operate(server: &Server, began: Instant, screen: &Screen) -> (u64, u64) {
    let at = |seconds: f64| sleep_until(began + Duration::from_secs_f64(seconds));
    let mut answers = tokio::task::JoinSet::new();
    let (mut commands, mut settings) = (0, 0);
    at(5.0).await;
    screen.say("operator", "machine shall measure twice as often: setting interval-s = 150");
    match server.device("machine").set(&INTERVAL, 150).issuer("demo").await {
        Ok(_) => settings += 1,
        Err(error) => screen.say("operator", &format!("not stored: {error}")),
    }
    for (seconds, device, on) in [
        (7.0, "water", Some(true)),
        (11.0, "office", Some(true)),
        (13.0, "mote-1", None),
        (18.5, "gas", Some(false)),
        (24.0, "street", None),
    ] {
        at(seconds).await;
        let handle = server.device(device);
        let what = on.map_or("read now".to_owned(), |on| format!("relay = {on}"));
        screen.say("operator", &format!("command to {device}: {what}"));
        commands += 1;
        let screen = screen.clone();
        answers.spawn(async move {
            let sent = Instant::now();
            let said = match on {
                Some(on) => match handle.command(&RELAY, on, TTL).issuer("demo").await {
                    Ok(ticket) => ticket.outcome().await.to_string(),
                    Err(error) => error.to_string(),
                },
                None => match handle.read_now().issuer("demo").await {
                    Ok(ticket) => match ticket.outcome().await {
                        Outcome::Done(position) => format!("done: record {}", Position(position)),
                        other => other.to_string(),
                    },
                    Err(error) => error.to_string(),
                },
            };
            screen.say(
                "operator",
                &format!("answer of {device} after {} ms: {what} is {said}", sent.elapsed().as_millis()),
            );
        });
    }
    while answers.join_next().await.is_some() {}
    (commands, settings)
}
