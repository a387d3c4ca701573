//! Whole frames: what the header says decides who reads them. SPEC 1.5 and 8 to 12.

use super::{data, hello};
use crate::Set;
use crate::agree::{Agreed, Fields, Read, Refused};
use crate::packed::Value;
use sensock::catalog::Policy;
use sensock::wire::alive::{self, Bye, Lasts, Sleep};
use sensock::wire::call::{Answer, Ask, Call, SettingValue};
use sensock::wire::cursor::Writer;
use sensock::wire::flow::{self, Boots, CatalogPart, OldBoot};
use sensock::wire::header::{Header, Kind, laned, plain};
use sensock::wire::hello::{End, Grant};
use sensock::{CommandId, Lane, Position, Tick};

/// Kinds as the vectors spell them.
const KINDS: [(&str, Kind); 18] = [
    ("Hello", Kind::Hello),
    ("Welcome", Kind::Welcome),
    ("Refused", Kind::Refused),
    ("Ping", Kind::Ping),
    ("Pong", Kind::Pong),
    ("Data", Kind::Data),
    ("Ack", Kind::Ack),
    ("Credit", Kind::Credit),
    ("Rewind", Kind::Rewind),
    ("Floor", Kind::Floor),
    ("Boots", Kind::Boots),
    ("Catalog", Kind::Catalog),
    ("Call", Kind::Call),
    ("Setting", Kind::Setting),
    ("Ask", Kind::Ask),
    ("Answer", Kind::Answer),
    ("Sleep", Kind::Sleep),
    ("Bye", Kind::Bye),
];

pub(crate) fn read_header(vector: Value<'_>, bytes: &[u8]) -> Read {
    let Some(first) = bytes.first() else { return Err(Refused("malformed")) };
    let header = Header::parse(*first)?;
    let name = KINDS.iter().find(|(_, kind)| Some(*kind) == header.kind).map_or("none", |(name, _)| name);
    Ok(Fields::of_vector(vector).text("kind", name).number("lane", header.lane).end())
}

pub(crate) fn write_header(vector: Value<'_>, out: &mut [u8]) -> Option<usize> {
    let name = vector.at("kind").text();
    let (_, kind) = KINDS.iter().find(|(known, _)| *known == name)?;
    *out.first_mut()? = match vector.at("lane").int::<u8>() {
        0 => plain(*kind),
        lane => laned(*kind, Lane::from_number(lane)?),
    };
    Some(1)
}

pub(crate) fn read(vector: Value<'_>, frame: &[u8], set: Set<'_>) -> Read {
    let Some((first, body)) = frame.split_first() else { return Err(Refused("malformed")) };
    let header = Header::parse(*first)?;
    let fields = || Fields::of_vector(vector);
    let Some(kind) = header.kind else { return Ok(fields().flag("skipped", true).end()) };
    let Some(lane) = Lane::from_number(header.lane) else { return Err(Refused("no such lane")) };
    let inside = |name, agrees: &dyn Fn(Value<'_>) -> Agreed| fields().inside(name, agrees).end();
    let whole = |name, agreed: Agreed| fields().inside(name, |_| agreed).end();
    let meaning = |name| vector.at(name);
    Ok(match kind {
        Kind::Hello => whole("hello", hello::read_hello(meaning("hello"), body)?),
        Kind::Welcome => whole("welcome", hello::read_welcome(meaning("welcome"), body)?),
        Kind::Refused => whole("refused", hello::read_refused(meaning("refused"), body)?),
        Kind::Data => data::read(vector, lane, body, set)?,
        Kind::Ping => {
            let id = alive::read_ping(body)?;
            inside("ping", &|v| Fields::of(v).number("id", id).end())
        }
        Kind::Pong => {
            let (id, tick) = alive::read_pong(body)?;
            inside("pong", &|v| {
                Fields::of(v).check("id", |v| v.text().parse() == Ok(id)).number("tick", tick.0).end()
            })
        }
        Kind::Ack => {
            let last = vector.at("last").some().unwrap_or_else(|| vector.at("ack").at("last")).position();
            let mark = flow::read_ack(last, body)?;
            inside("ack", &|v| on(v, lane).position("last", last).position("mark", mark).end())
        }
        Kind::Credit => {
            let grant = flow::read_credit(body)?;
            inside("credit", &|v| {
                on(v, lane).number("records", grant.records).number("bytes", grant.bytes).end()
            })
        }
        Kind::Rewind => {
            let expected = flow::read_rewind(body)?;
            inside("rewind", &|v| on(v, lane).position("expected", expected).end())
        }
        Kind::Floor => {
            let floor = flow::read_floor(body)?;
            inside("floor", &|v| hello::stand(on(v, lane), &floor).end())
        }
        Kind::Boots => {
            let boots = Boots::decode(body)?;
            let old = |v, boot: &OldBoot| {
                let fields = Fields::of(v).number("boot", boot.boot).word("catalogue", boot.catalog);
                fields.number("last_tick", boot.last_tick.0).end().is_ok()
            };
            let fields = fields().list("boots", boots.as_slice().iter(), old);
            match boots.moved().len() {
                0 => fields.end(),
                moved => fields.number("moved", moved as u64).end(),
            }
        }
        Kind::Catalog => {
            let part = CatalogPart::decode(body)?;
            inside("catalog", &|v| {
                let fields = Fields::of(v).word("hash", part.hash).number("total", part.total);
                fields.number("offset", part.offset).bytes("bytes", part.bytes).end()
            })
        }
        Kind::Call => {
            let call = Call::decode(body)?;
            inside("call", &|v| {
                let fields = Fields::of(v).number("id", call.id.0).number("key", call.key);
                let fields = fields.number("policy", call.policy as u8);
                fields.optional("not_after", call.not_after.map(|t| t.0)).bytes("body", call.body).end()
            })
        }
        Kind::Setting => {
            let setting = SettingValue::decode(body)?;
            inside("setting", &|v| {
                let fields = Fields::of(v).number("key", setting.key).number("revision", setting.revision);
                fields.bytes("body", setting.body).end()
            })
        }
        Kind::Ask => {
            let ask = Ask::decode(body)?;
            inside("ask", &|v| {
                Fields::of(v).number("id", ask.id).number("key", ask.key).bytes("body", ask.body).end()
            })
        }
        Kind::Answer => {
            let answer = Answer::decode(body)?;
            let (code, body) = answer.result.map_or_else(|code| (code, &[][..]), |body| (0, body));
            inside("answer", &|v| {
                Fields::of(v).number("id", answer.id).number("code", code).bytes("body", body).end()
            })
        }
        Kind::Sleep => {
            let sleep = Sleep::decode(body)?;
            inside("sleep", &|v| {
                let fields = Fields::of(v).number("for_ms", sleep.for_ms).flag("ends_boot", sleep.ends_boot);
                fields.list("lasts", sleep.lasts.iter(), same_last).end()
            })
        }
        Kind::Bye => {
            let bye = Bye::decode(body)?;
            inside("bye", &|v| {
                let fields =
                    Fields::of(v).number("reason", bye.reason as u8).number("retry_ms", bye.retry_ms);
                let fields = fields.flag("ends_boot", bye.ends_boot).shown("text", bye.text);
                fields.list("lasts", bye.lasts.iter(), same_last).end()
            })
        }
        _ => return Err(Refused("a reserved kind")),
    })
}

fn on(v: Value<'_>, lane: Lane) -> Fields<'_> {
    Fields::of(v).number("lane", lane as u8)
}

pub(crate) fn write(vector: Value<'_>, set: Set<'_>, out: &mut [u8]) -> Option<usize> {
    let message = |name| vector.at(name).some();
    if let Some(v) = message("hello") {
        hello::write_hello(v, out)
    } else if let Some(v) = message("welcome") {
        hello::write_welcome(v, out)
    } else if let Some(v) = message("refused") {
        hello::write_refused(v, out)
    } else if message("data").is_some() {
        data::write(vector, set, out)
    } else {
        write_short(vector, out).or_else(|| write_call(vector, out))
    }
}

/// What keeps a connection going: SPEC 8 to 11.
fn write_short(vector: Value<'_>, out: &mut [u8]) -> Option<usize> {
    let message = |name| vector.at(name).some();
    let lane = |v: Value<'_>| Lane::from_number(v.at("lane").int());
    let position = |v: Value<'_>, name| v.at(name).position();
    if let Some(v) = message("ping") {
        alive::ping(v.at("id").int(), out).ok()
    } else if let Some(v) = message("pong") {
        alive::pong(v.at("id").text().parse().ok()?, Tick(v.at("tick").number()), out).ok()
    } else if let Some(v) = message("ack") {
        flow::ack(lane(v)?, position(v, "last"), position(v, "mark"), out).ok()
    } else if let Some(v) = message("credit") {
        let grant = Grant { records: v.at("records").int(), bytes: v.at("bytes").int() };
        flow::credit(lane(v)?, grant, out).ok()
    } else if let Some(v) = message("rewind") {
        flow::rewind(lane(v)?, position(v, "expected"), out).ok()
    } else if let Some(v) = message("floor") {
        flow::floor(lane(v)?, &hello::read_stand(v), out).ok()
    } else if let Some(v) = message("boots") {
        let mut boots = Boots::default();
        let mut old = v.items().map(|v| OldBoot {
            boot: v.at("boot").int(),
            catalog: v.at("catalogue").word(),
            last_tick: Tick(v.at("last_tick").number()),
        });
        if !old.all(|boot| boots.push(boot)) {
            return None;
        }
        let last = message("moved").map(|v| usize::from(v.int::<u16>()).wrapping_sub(1));
        if let Some(last) = last.and_then(|i| boots.as_slice().get(i).copied()) {
            boots.moved_up_to(last.boot);
        }
        boots.encode(out).ok()
    } else if let Some(v) = message("sleep") {
        let sleep = Sleep {
            for_ms: v.at("for_ms").int(),
            ends_boot: v.at("ends_boot").flag(),
            lasts: lasts(v.at("lasts")),
        };
        sleep.encode(out).ok()
    } else {
        let v = message("bye")?;
        let bye = Bye {
            reason: End::from_number(v.at("reason").int()),
            retry_ms: v.at("retry_ms").int(),
            ends_boot: v.at("ends_boot").flag(),
            lasts: lasts(v.at("lasts")),
            text: v.at("text").text().into(),
        };
        bye.encode(out).ok()
    }
}

/// Catalogues in pieces, commands, settings and asks: SPEC 5.4 and 12.
fn write_call(vector: Value<'_>, out: &mut [u8]) -> Option<usize> {
    let message = |name| vector.at(name).some();
    if let Some(v) = message("catalog") {
        let mut w = Writer::new(out);
        CatalogPart::head(v.at("hash").word(), v.at("total").int(), v.at("offset").int(), &mut w);
        w.bytes(v.at("bytes").bytes());
        w.finish().ok()
    } else if let Some(v) = message("call") {
        let call = Call {
            id: CommandId(v.at("id").int()),
            key: v.at("key").int(),
            policy: if v.at("policy").number() == 0 { Policy::Once } else { Policy::Idempotent },
            not_after: v.at("not_after").some().map(|t| Tick(t.number())),
            body: v.at("body").bytes(),
        };
        call.encode(out).ok()
    } else if let Some(v) = message("setting") {
        let (key, revision) = (v.at("key").int(), v.at("revision").int());
        SettingValue { key, revision, body: v.at("body").bytes() }.encode(out).ok()
    } else if let Some(v) = message("ask") {
        Ask { id: v.at("id").int(), key: v.at("key").int(), body: v.at("body").bytes() }.encode(out).ok()
    } else {
        let v = message("answer")?;
        let code = v.at("code").int::<u8>();
        let result = if code == 0 { Ok(v.at("body").bytes()) } else { Err(code) };
        Answer { id: v.at("id").int(), result }.encode(out).ok()
    }
}

fn same_last(v: Value<'_>, found: &Position) -> bool {
    v.position() == *found
}

fn lasts(v: Value<'_>) -> Lasts {
    [0, 1, 2].map(|i| v.item(i).some().map_or(Position::NONE, Value::position))
}
