//! The doors that users come in by: a store of one's own, an alarm that becomes a command, a question that is answered. It has to compile; the
//! store keeps only what its owner wants.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use catalog::{RELAY, SETPOINT, TEMPERATURE};
use common::*;
use sensock_server::*;

async fn react(server: &Server, mut events: Events) -> Result<(), CommandError> {
    while let Some(event) = events.next().await {
        let Event::Stored { rows } = event else { continue };
        if rows.iter().any(|r| r.quantity == TEMPERATURE.entry().id && r.value > 40.0) {
            let ticket = server.device("fan-1").command(&RELAY, true, Duration::from_secs(5)).await?;
            assert_eq!(within(ticket.outcome()).await, Outcome::Done(true));
            return Ok(());
        }
    }
    Ok(())
}

/// In a request handler: the caller keeps `id` and may come back for the outcome tomorrow.
async fn switch(server: &Server, to: bool) -> Result<(u64, String), Box<dyn std::error::Error>> {
    let ticket = server.device("fan-1").command(&RELAY, to, Duration::from_secs(3_600)).await?;
    let id = ticket.id;
    let words = match tokio::time::timeout(Duration::from_secs(2), ticket.outcome()).await {
        Ok(Outcome::Done(now)) => format!("relay is {now}"),
        Ok(Outcome::Unknown) => "the board lost power before it could say; ask it for its state".to_owned(),
        Ok(other) => format!("not switched: {other:?}"),
        Err(_) => "asleep; it will run within the hour or expire".to_owned(),
    };
    Ok((id, words))
}

async fn answer(mut events: Events) {
    while let Some(event) = events.next().await {
        if let Event::Asked(ask) = event {
            let _unknown = ask.with(&SETPOINT, |zone| Ok(if zone == 3 { 18.5 } else { 21.0 }));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_hot_cellar_switches_the_fan_on() {
    let store = MemoryStore::default();
    let (server, events) = server(&store).await;
    tokio::spawn(answer(server.events()));
    let (cellar, fan) = (Board::new("cellar-3", Some(1)), Board::new("fan-1", Some(1)));
    let (asleep, words) = switch(&server, false).await.unwrap();
    assert_eq!((asleep, words.as_str()), (1, "asleep; it will run within the hour or expire"));
    let _links = [cellar.connect(&server, "192.0.2.1:1"), fan.connect(&server, "192.0.2.2:1")];
    cellar.record(45.0, 20.0);
    react(&server, events).await.unwrap();
    assert_eq!(switch(&server, false).await.unwrap().1, "relay is false");
}
