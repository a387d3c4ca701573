//! Hello, Welcome, Refused, and a lane's stand: SPEC 4.

use sensock::wire::hello::{Account, Grant, Hello, LaneFloor, Refusal, Refused as No, Welcome};
use sensock::{Cause, CommandId, DeviceId, Lane, StoreId, Tag, Tick};
use serde_json::{Value, json};

use crate::json::{Refused, int, position, read_position, read_span, read_word, word};

pub(crate) fn decode_hello(body: &[u8]) -> Result<Value, Refused> {
    let h = Hello::decode(body)?;
    let lanes: Vec<Value> = h.lanes.iter().map(stand).collect();
    let a = h.account;
    Ok(json!({ "hello": {
        "versions": [h.versions.0, h.versions.1], "features": h.features, "device": h.device.as_str(),
        "boot": h.boot, "tag": word(h.tag.0), "pending_tag": word(h.pending_tag.0), "tick": h.tick.0,
        "lanes": lanes, "max_frame": h.max_frame, "command_slots": h.command_slots,
        "last_begun": h.last_begun.0, "catalogue": word(h.catalog), "settings": h.settings,
        "store": word(h.store.0),
        "account": { "reset_cause": a.reset_cause, "dials": a.dial_attempts, "last_end": a.last_end,
                     "offline_ms": a.offline_ms, "high_water": a.outbox_high_water, "signal": a.signal,
                     "free_kib": a.free_kib },
    }}))
}

pub(crate) fn encode_hello(v: &Value, out: &mut [u8]) -> usize {
    let a = &v["account"];
    Hello {
        versions: (int(&v["versions"][0]), int(&v["versions"][1])),
        features: int(&v["features"]),
        device: DeviceId::new(v["device"].as_str().unwrap()).unwrap(),
        boot: (!v["boot"].is_null()).then(|| int(&v["boot"])),
        tag: Tag(read_word(&v["tag"])),
        pending_tag: Tag(read_word(&v["pending_tag"])),
        tick: Tick(int(&v["tick"])),
        lanes: [0, 1, 2].map(|i| read_stand(&v["lanes"][i])),
        max_frame: int(&v["max_frame"]),
        command_slots: int(&v["command_slots"]),
        last_begun: CommandId(int(&v["last_begun"])),
        catalog: read_word(&v["catalogue"]),
        settings: int(&v["settings"]),
        store: StoreId(read_word(&v["store"])),
        account: Account {
            reset_cause: int(&a["reset_cause"]),
            dial_attempts: int(&a["dials"]),
            last_end: int(&a["last_end"]),
            offline_ms: int(&a["offline_ms"]),
            outbox_high_water: int(&a["high_water"]),
            signal: int(&a["signal"]),
            free_kib: int(&a["free_kib"]),
        },
    }
    .encode(out)
    .unwrap()
}

/// Where a lane stands (SPEC 4.4).
pub(crate) fn stand(f: &LaneFloor) -> Value {
    json!({ "floor": position(f.floor), "acked": position(f.acked), "cause": f.cause as u8,
            "span": f.span.map(|(a, b)| [a.0, b.0]) })
}

pub(crate) fn read_stand(v: &Value) -> LaneFloor {
    LaneFloor {
        floor: read_position(&v["floor"]),
        acked: read_position(&v["acked"]),
        cause: Cause::from_number(int(&v["cause"])),
        span: read_span(&v["span"]),
    }
}

pub(crate) fn decode_welcome(body: &[u8]) -> Result<Value, Refused> {
    let w = Welcome::decode(body)?;
    let lanes: Vec<Value> = Lane::ALL
        .map(|l| {
            let grant = w.credit[l.index()];
            json!({ "mark": position(w.marks[l.index()]), "records": grant.records, "bytes": grant.bytes })
        })
        .into();
    Ok(json!({ "welcome": {
        "version": w.version, "features": w.features, "shift": w.boot_shift, "tag": word(w.tag.0), "lanes": lanes,
        "want_catalogue": w.want_catalog, "max_frame": w.max_frame, "ping_interval_ms": w.ping_interval_ms,
        "pending": w.pending, "store": word(w.store.0), "nonce": word(w.nonce),
    }}))
}

pub(crate) fn encode_welcome(v: &Value, out: &mut [u8]) -> usize {
    let lane = |i: usize| &v["lanes"][i];
    Welcome {
        version: int(&v["version"]),
        features: int(&v["features"]),
        boot_shift: int(&v["shift"]),
        tag: Tag(read_word(&v["tag"])),
        marks: [0, 1, 2].map(|i| read_position(&lane(i)["mark"])),
        credit: [0, 1, 2].map(|i| Grant { records: int(&lane(i)["records"]), bytes: int(&lane(i)["bytes"]) }),
        want_catalog: v["want_catalogue"].as_bool().unwrap(),
        max_frame: int(&v["max_frame"]),
        ping_interval_ms: int(&v["ping_interval_ms"]),
        pending: int(&v["pending"]),
        store: StoreId(read_word(&v["store"])),
        nonce: read_word(&v["nonce"]),
    }
    .encode(out)
    .unwrap()
}

pub(crate) fn decode_refused(body: &[u8]) -> Result<Value, Refused> {
    let r = No::decode(body)?;
    Ok(json!({ "refused": { "code": r.code as u8, "backoff_ms": r.backoff_ms,
                            "versions": [r.versions.0, r.versions.1], "text": r.text } }))
}

pub(crate) fn encode_refused(v: &Value, out: &mut [u8]) -> usize {
    No {
        code: Refusal::from_number(int(&v["code"])),
        backoff_ms: int(&v["backoff_ms"]),
        versions: (int(&v["versions"][0]), int(&v["versions"][1])),
        text: v["text"].as_str().unwrap(),
    }
    .encode(out)
    .unwrap()
}
