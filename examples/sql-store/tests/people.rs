//! A person opens the database with tools of their own.

mod common;

use sensock::{Cause, Fault, Position};
use sensock_store::Batch;
use sensock_store::conformance::fixture::*;

/// 2023-11-14 22:13:20 UTC.
const AT: i64 = NOON;

#[tokio::test]
async fn readings_have_time_quantity_unit_value_and_how_sure_that_is() {
    for database in common::databases("the SQL store's views") {
        let store = database.store().await;
        let lane = readings_lane("cellar");
        let p = |n| Position::new(3, n);
        let mut rows = vec![
            reading(lane, p(0), 2345),
            reading(lane, p(1), -50),
            reading(lane, p(2), 0),
            reading(lane, p(3), 7),
        ];
        rows[1].quantity = HUMIDITY;
        rows[2].fault = Some(Fault::NO_VALUE);
        rows[3].not_before_us = None;
        (rows[0].not_before_us, rows[0].not_after_us) = (Some(AT), AT + 3_000_000);
        write_readings(&store, rows).await;
        let query = "SELECT time, device, quantity, unit, value, plus_minus, quality, lane, boot, n FROM readings ORDER BY n";
        let zeros = if database.is_sqlite() { "" } else { "000" };
        let null = "NULL";
        let expected = [
            "2023-11-14 22:13:21.500|cellar|temperature|Cel|23.45|1.5|ok|readings|3|0".to_owned(),
            format!("2023-11-14 22:13:20.995|cellar|humidity|%RH|-5|0.005{zeros}|ok|readings|3|1"),
            format!(
                "2023-11-14 22:13:21.995|cellar|temperature|Cel|{null}|0.005{zeros}|fault: no value|readings|3|2"
            ),
            format!("2023-11-14 22:13:23.000|cellar|temperature|Cel|0.07|{null}|upper bound|readings|3|3"),
        ];
        let got = database.sql(query).await;
        assert_eq!(numbers(&got), numbers(&expected));
        let warm = "SELECT COUNT(*) FROM readings WHERE quantity = 'temperature' AND value > 20 AND time >= '2023-11-14'";
        assert_eq!(database.sql(warm).await, ["1"]);
    }
}

/// The same, however many zeros a tool prints after a decimal point.
fn numbers(rows: &[String]) -> Vec<Vec<String>> {
    let plain = |cell: &str| cell.parse::<f64>().map_or_else(|_| cell.to_owned(), |n| n.to_string());
    rows.iter().map(|row| row.split('|').map(plain).collect()).collect()
}

#[tokio::test]
async fn the_night_can_be_read_back_in_plain_words() {
    for database in common::databases("the SQL store's views") {
        let store = database.store().await;
        let lane = readings_lane("cellar");
        let mut lost = gap(lane, Position::new(1, 0), 3);
        (lost.cause, lost.count) = (Cause::Power, None);
        let mut link = connection(lane.device, 9);
        (link.to_us, link.reason) = (Some(AT + 90_000_000), "nothing came for 25 s".to_owned());
        link.account.signal = 71;
        let mut sent = command(lane.device, 4);
        sent.state = sensock_store::CommandState::Refused(3);
        write(
            &store,
            Batch {
                marks: vec![(lane, Position::new(1, 9))],
                gaps: vec![lost],
                connections: vec![link],
                commands: vec![sent],
                boots: vec![boot(lane.device, 1)],
                ..Batch::default()
            },
        )
        .await;
        let gaps = database.sql("SELECT device, lane, cause, records, written FROM gaps").await;
        assert_eq!(gaps, ["cellar|readings|power|NULL|2023-11-14 22:13:22.000"]);
        let links = database.sql("SELECT begun, ended, device, reason, dbm FROM connections").await;
        assert_eq!(
            links,
            ["2023-11-14 22:13:20.000|2023-11-14 22:14:50.000|cellar|nothing came for 25 s|-71"]
        );
        let commands = database.sql("SELECT time, device, id, name, state, detail, body FROM commands").await;
        assert_eq!(commands, ["2023-11-14 22:13:20.000|cellar|4|relay|refused|3|01"]);
        let boots = database.sql("SELECT seen, device, boot, firmware FROM boots").await;
        assert_eq!(boots, ["2023-11-14 22:13:20.000|cellar|1|suite 1"]);
    }
}
