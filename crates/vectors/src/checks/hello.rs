//! Hello, Welcome, Refused, and a lane's stand: SPEC 4.

use crate::agree::{Agreed, Fields, Refused, same};
use crate::packed::Value;
use sensock::wire::hello::{Account, Grant, Hello, LaneFloor, Refusal, Refused as No, Welcome};
use sensock::{Cause, CommandId, DeviceId, Lane, StoreId, Tag, Tick};

pub(crate) fn read_hello(v: Value<'_>, body: &[u8]) -> Result<Agreed, Refused> {
    let h = Hello::decode(body)?;
    let account = |v, a: &Account| {
        Fields::of(v)
            .number("reset_cause", a.reset_cause)
            .number("dials", a.dial_attempts)
            .number("last_end", a.last_end)
            .number("offline_ms", a.offline_ms)
            .number("high_water", a.outbox_high_water)
            .number("signal", a.signal)
            .number("free_kib", a.free_kib)
            .end()
    };
    Ok(Fields::of(v)
        .check("versions", |v| pair(v, h.versions))
        .number("features", h.features)
        .text("device", h.device.as_str())
        .optional("boot", h.boot.map(u64::from))
        .word("tag", h.tag.0)
        .word("pending_tag", h.pending_tag.0)
        .number("tick", h.tick.0)
        .list("lanes", h.lanes.iter(), |v, lane| stand(Fields::of(v), lane).end().is_ok())
        .number("max_frame", h.max_frame)
        .number("command_slots", h.command_slots)
        .number("last_begun", h.last_begun.0)
        .word("catalogue", h.catalog)
        .number("settings", h.settings)
        .word("store", h.store.0)
        .inside("account", |v| account(v, &h.account))
        .end())
}

pub(crate) fn write_hello(v: Value<'_>, out: &mut [u8]) -> Option<usize> {
    let a = v.at("account");
    let hello = Hello {
        versions: (v.at("versions").item(0).int(), v.at("versions").item(1).int()),
        features: v.at("features").int(),
        device: DeviceId::new(v.at("device").text()).ok()?,
        boot: v.at("boot").some().map(Value::int),
        tag: Tag(v.at("tag").word()),
        pending_tag: Tag(v.at("pending_tag").word()),
        tick: Tick(v.at("tick").number()),
        lanes: [0, 1, 2].map(|i| read_stand(v.at("lanes").item(i))),
        max_frame: v.at("max_frame").int(),
        command_slots: v.at("command_slots").int(),
        last_begun: CommandId(v.at("last_begun").int()),
        catalog: v.at("catalogue").word(),
        settings: v.at("settings").int(),
        store: StoreId(v.at("store").word()),
        account: Account {
            reset_cause: a.at("reset_cause").int(),
            dial_attempts: a.at("dials").int(),
            last_end: a.at("last_end").int(),
            offline_ms: a.at("offline_ms").int(),
            outbox_high_water: a.at("high_water").int(),
            signal: a.at("signal").int(),
            free_kib: a.at("free_kib").int(),
        },
    };
    hello.encode(out).ok()
}

/// Where a lane stands (SPEC 4.4).
pub(crate) fn stand<'a>(fields: Fields<'a>, lane: &LaneFloor) -> Fields<'a> {
    fields
        .position("floor", lane.floor)
        .position("acked", lane.acked)
        .number("cause", lane.cause as u8)
        .span("span", lane.span)
}

pub(crate) fn read_stand(v: Value<'_>) -> LaneFloor {
    LaneFloor {
        floor: v.at("floor").position(),
        acked: v.at("acked").position(),
        cause: Cause::from_number(v.at("cause").int()),
        span: v.at("span").span(),
    }
}

pub(crate) fn read_welcome(v: Value<'_>, body: &[u8]) -> Result<Agreed, Refused> {
    let w = Welcome::decode(body)?;
    let lanes = Lane::ALL.into_iter().map(|lane| (w.marks[lane.index()], w.credit[lane.index()]));
    Ok(Fields::of(v)
        .number("version", w.version)
        .number("features", w.features)
        .number("shift", w.boot_shift)
        .word("tag", w.tag.0)
        .list("lanes", lanes, |v, (mark, grant)| {
            let fields = Fields::of(v).position("mark", mark);
            fields.number("records", grant.records).number("bytes", grant.bytes).end().is_ok()
        })
        .flag("want_catalogue", w.want_catalog)
        .number("max_frame", w.max_frame)
        .number("ping_interval_ms", w.ping_interval_ms)
        .number("pending", w.pending)
        .word("store", w.store.0)
        .word("nonce", w.nonce)
        .end())
}

pub(crate) fn write_welcome(v: Value<'_>, out: &mut [u8]) -> Option<usize> {
    let lane = |i: usize| v.at("lanes").item(i);
    let grant = |i| Grant { records: lane(i).at("records").int(), bytes: lane(i).at("bytes").int() };
    let welcome = Welcome {
        version: v.at("version").int(),
        features: v.at("features").int(),
        boot_shift: v.at("shift").int(),
        tag: Tag(v.at("tag").word()),
        marks: [0, 1, 2].map(|i| lane(i).at("mark").position()),
        credit: [0, 1, 2].map(grant),
        want_catalog: v.at("want_catalogue").flag(),
        max_frame: v.at("max_frame").int(),
        ping_interval_ms: v.at("ping_interval_ms").int(),
        pending: v.at("pending").int(),
        store: StoreId(v.at("store").word()),
        nonce: v.at("nonce").word(),
    };
    welcome.encode(out).ok()
}

pub(crate) fn read_refused(v: Value<'_>, body: &[u8]) -> Result<Agreed, Refused> {
    let no = No::decode(body)?;
    let fields = Fields::of(v).number("code", no.code as u8).number("backoff_ms", no.backoff_ms);
    Ok(fields.check("versions", |v| pair(v, no.versions)).shown("text", no.text).end())
}

pub(crate) fn write_refused(v: Value<'_>, out: &mut [u8]) -> Option<usize> {
    let refused = No {
        code: Refusal::from_number(v.at("code").int()),
        backoff_ms: v.at("backoff_ms").int(),
        versions: (v.at("versions").item(0).int(), v.at("versions").item(1).int()),
        text: v.at("text").text().into(),
    };
    refused.encode(out).ok()
}

fn pair(v: Value<'_>, (first, last): (u8, u8)) -> bool {
    same(v, [first, last].into_iter(), |v, found| v.number() == u64::from(found))
}
