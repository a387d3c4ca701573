//! Every mode in a small form: what is stored is exactly what was acknowledged, and nothing fails. No figure is judged.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use sensock_load::modes::{fleet, idle, scale, storm};
use sensock_load::served::Storage;
use sensock_load::server::Programs;
use sensock_testkit::{binary, mariadb, require};

/// Servers and fleets of several tests at once would only be slower.
static ONE: Mutex<()> = Mutex::new(());

fn programs(suite: &str) -> Result<(Programs, MutexGuard<'static, ()>)> {
    let alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let sensockd = binary::path("example-server", "sensockd")?;
    let mut programs = Programs::find(Some(&sensockd))?;
    programs.load = Path::new(env!("CARGO_BIN_EXE_sensock-load")).to_owned();
    if programs.mosquitto.is_none() {
        require::skip_or_fail("mosquitto", suite, "mosquitto is not installed (Debian package mosquitto)");
    }
    Ok((programs, alone))
}

fn small(store: Storage) -> fleet::Options {
    fleet::Options { connections: 20, batch: 1, rate: None, seconds: 0.3, rounds: 1, store, alone: false }
}

#[test]
fn a_saturated_fleet_is_stored_record_by_record() {
    let (programs, _alone) = programs("the fleet beside mosquitto").unwrap();
    let rounds = fleet::measure(&programs, &small(Storage::Sqlite)).unwrap();
    assert_eq!(rounds[0].len(), if programs.mosquitto.is_some() { 6 } else { 3 });
    for (protocol, measured) in &rounds[0] {
        assert!(measured.records > 0 && measured.cpu_per_record() > 0.0, "{protocol:?}");
        assert!(measured.answered >= measured.records, "{protocol:?}");
    }
}

#[test]
fn batches_and_a_pace_are_stored_too() {
    let (programs, _alone) = programs("batches").unwrap();
    let options = fleet::Options { batch: 64, connections: 2, rate: Some(6_400.0), ..small(Storage::Sqlite) };
    let rounds = fleet::measure(&programs, &options).unwrap();
    assert!(rounds[0].values().all(|measured| measured.records % 64 == 0 && measured.records > 0));
    let alone = fleet::Options { alone: true, ..small(Storage::Memory) };
    fleet::measure(&programs, &alone).unwrap();
}

#[test]
fn a_fleet_is_stored_in_mariadb() {
    if mariadb::available_or_skip("a fleet over MariaDB").is_none() {
        return;
    }
    let (programs, _alone) = programs("a fleet over MariaDB").unwrap();
    let options = fleet::Options { alone: true, ..small(Storage::Mariadb) };
    assert!(fleet::measure(&programs, &options).unwrap()[0].values().all(|m| m.records > 0));
}

#[test]
fn idle_storm_and_scale_run_to_their_end_and_promise_nothing_when_small() {
    let (programs, _alone) = programs("idle connections beside mosquitto").unwrap();
    let store = Storage::Sqlite;
    let options = idle::Options { connections: 100, seconds: 0.2, store };
    assert!(idle::run(&programs, &options).unwrap().is_empty());
    let options = storm::Options { connections: 100, dials: vec![10, 100], rounds: 1, store };
    assert!(storm::run(&programs, &options).unwrap().is_empty());
    let options = scale::Options {
        devices: vec![10, 40],
        rate: 400.0,
        seconds: 0.3,
        rounds: 1,
        insecure: false,
        store,
    };
    assert!(scale::run(&programs, &options).unwrap().is_empty());
}
