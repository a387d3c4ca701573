//! Whole frames: what the header says decides who reads them. SPEC 1.5 and 8 to 12.

use sensock::catalog::Policy;
use sensock::wire::alive::{self, Bye, Lasts, Sleep};
use sensock::wire::call::{Answer, Ask, Call, SettingValue};
use sensock::wire::cursor::Writer;
use sensock::wire::flow::{self, Boots, CatalogPart, OldBoot};
use sensock::wire::header::{Header, Kind, laned, plain};
use sensock::wire::hello::{End, Grant};
use sensock::{CommandId, Lane, Position, Tick};
use serde_json::{Value, json};

use crate::json::{Refused, Vector, hex, int, lane, position, read_position, read_word, unhex, word};
use crate::{data, hello};

pub(crate) fn decode_header(v: &Vector) -> Result<Value, Refused> {
    let header = Header::parse(v.bytes("hex").first().copied().ok_or(Refused("malformed"))?)?;
    Ok(json!({ "kind": format!("{:?}", header.kind.unwrap()), "lane": header.lane }))
}

pub(crate) fn encode_header(v: &Vector) -> Vec<u8> {
    let kind = (1..=18).map(|n| Header::parse(n).unwrap().kind.unwrap());
    let kind = kind.into_iter().find(|k| v.0["kind"] == format!("{k:?}")).unwrap();
    vec![match v.number("lane") {
        0 => plain(kind),
        _ => laned(kind, lane(&v.0["lane"])),
    }]
}

pub(crate) fn decode(v: &Vector, file: &str) -> Result<Value, Refused> {
    let frame = v.bytes("hex");
    let (first, body) = frame.split_first().ok_or(Refused("malformed"))?;
    let header = Header::parse(*first)?;
    let Some(kind) = header.kind else { return Ok(json!({ "skipped": true })) };
    let on = Lane::from_number(header.lane).unwrap();
    Ok(match kind {
        Kind::Hello => hello::decode_hello(body)?,
        Kind::Welcome => hello::decode_welcome(body)?,
        Kind::Refused => hello::decode_refused(body)?,
        Kind::Data => data::decode(on, body, v, file)?,
        Kind::Ping => json!({ "ping": { "id": alive::read_ping(body)? } }),
        Kind::Pong => {
            let (id, tick) = alive::read_pong(body)?;
            json!({ "pong": { "id": id.to_string(), "tick": tick.0 } })
        }
        Kind::Ack => {
            let last = v.0.get("last").unwrap_or_else(|| &v.0["ack"]["last"]);
            let mark = flow::read_ack(read_position(last), body)?;
            json!({ "ack": { "lane": on as u8, "last": last, "mark": position(mark) } })
        }
        Kind::Credit => {
            let grant = flow::read_credit(body)?;
            json!({ "credit": { "lane": on as u8, "records": grant.records, "bytes": grant.bytes } })
        }
        Kind::Rewind => {
            json!({ "rewind": { "lane": on as u8, "expected": position(flow::read_rewind(body)?) } })
        }
        Kind::Floor => {
            let mut stand = hello::stand(&flow::read_floor(body)?);
            stand["lane"] = (on as u8).into();
            json!({ "floor": stand })
        }
        Kind::Boots => {
            let old = |b: &OldBoot| json!({ "boot": b.boot, "catalogue": word(b.catalog), "last_tick": b.last_tick.0 });
            json!({ "boots": Boots::decode(body)?.as_slice().iter().map(old).collect::<Vec<_>>() })
        }
        Kind::Catalog => {
            let p = CatalogPart::decode(body)?;
            json!({ "catalog": { "hash": word(p.hash), "total": p.total, "offset": p.offset, "bytes": hex(p.bytes) } })
        }
        Kind::Call => {
            let c = Call::decode(body)?;
            json!({ "call": { "id": c.id.0, "key": c.key, "policy": c.policy as u8,
                              "not_after": c.not_after.map(|t| t.0), "body": hex(c.body) } })
        }
        Kind::Setting => {
            let s = SettingValue::decode(body)?;
            json!({ "setting": { "key": s.key, "revision": s.revision, "body": hex(s.body) } })
        }
        Kind::Ask => {
            let a = Ask::decode(body)?;
            json!({ "ask": { "id": a.id, "key": a.key, "body": hex(a.body) } })
        }
        Kind::Answer => {
            let a = Answer::decode(body)?;
            let (code, body) = a.result.map_or_else(|code| (code, &[][..]), |body| (0, body));
            json!({ "answer": { "id": a.id, "code": code, "body": hex(body) } })
        }
        Kind::Sleep => {
            let s = Sleep::decode(body)?;
            json!({ "sleep": { "for_ms": s.for_ms, "ends_boot": s.ends_boot, "lasts": s.lasts.map(position) } })
        }
        Kind::Bye => {
            let b = Bye::decode(body)?;
            json!({ "bye": { "reason": b.reason as u8, "retry_ms": b.retry_ms, "ends_boot": b.ends_boot,
                             "lasts": b.lasts.map(position), "text": b.text } })
        }
        other => panic!("{other:?} is reserved"),
    })
}

pub(crate) fn encode(v: &Vector, file: &str) -> Vec<u8> {
    let mut out = [0; 2048];
    let meaning = v.meaning();
    let (message, f) = meaning.as_object().unwrap().iter().next().unwrap();
    let body = f.get("body").map(|b| unhex(b.as_str().unwrap())).unwrap_or_default();
    let n = match message.as_str() {
        "hello" => hello::encode_hello(f, &mut out),
        "welcome" => hello::encode_welcome(f, &mut out),
        "refused" => hello::encode_refused(f, &mut out),
        "data" => data::encode(v, file, &mut out),
        "ping" => alive::ping(int(&f["id"]), &mut out).unwrap(),
        "pong" => {
            let id = f["id"].as_str().unwrap().parse().unwrap();
            alive::pong(id, Tick(int(&f["tick"])), &mut out).unwrap()
        }
        "ack" => {
            let (last, mark) = (read_position(&f["last"]), read_position(&f["mark"]));
            flow::ack(lane(&f["lane"]), last, mark, &mut out).unwrap()
        }
        "credit" => {
            let grant = Grant { records: int(&f["records"]), bytes: int(&f["bytes"]) };
            flow::credit(lane(&f["lane"]), grant, &mut out).unwrap()
        }
        "rewind" => flow::rewind(lane(&f["lane"]), read_position(&f["expected"]), &mut out).unwrap(),
        "floor" => flow::floor(lane(&f["lane"]), &hello::read_stand(f), &mut out).unwrap(),
        "boots" => {
            let mut boots = Boots::default();
            for b in f.as_array().unwrap() {
                assert!(boots.push(OldBoot {
                    boot: int(&b["boot"]),
                    catalog: read_word(&b["catalogue"]),
                    last_tick: Tick(int(&b["last_tick"])),
                }));
            }
            boots.encode(&mut out).unwrap()
        }
        "catalog" => {
            let bytes = unhex(f["bytes"].as_str().unwrap());
            let mut w = Writer::new(&mut out);
            CatalogPart::head(read_word(&f["hash"]), int(&f["total"]), int(&f["offset"]), &mut w);
            w.bytes(&bytes);
            w.len()
        }
        "call" => Call {
            id: CommandId(int(&f["id"])),
            key: int(&f["key"]),
            policy: if f["policy"] == 0 { Policy::Once } else { Policy::Idempotent },
            not_after: f["not_after"].as_u64().map(Tick),
            body: &body,
        }
        .encode(&mut out)
        .unwrap(),
        "setting" => SettingValue { key: int(&f["key"]), revision: int(&f["revision"]), body: &body }
            .encode(&mut out)
            .unwrap(),
        "ask" => Ask { id: int(&f["id"]), key: int(&f["key"]), body: &body }.encode(&mut out).unwrap(),
        "answer" => {
            let code = int::<u8>(&f["code"]);
            let result = if code == 0 { Ok(&body[..]) } else { Err(code) };
            Answer { id: int(&f["id"]), result }.encode(&mut out).unwrap()
        }
        "sleep" => {
            Sleep { for_ms: int(&f["for_ms"]), ends_boot: f["ends_boot"] == true, lasts: lasts(&f["lasts"]) }
                .encode(&mut out)
                .unwrap()
        }
        "bye" => Bye {
            reason: End::from_number(int(&f["reason"])),
            retry_ms: int(&f["retry_ms"]),
            ends_boot: f["ends_boot"] == true,
            lasts: lasts(&f["lasts"]),
            text: f["text"].as_str().unwrap(),
        }
        .encode(&mut out)
        .unwrap(),
        other => panic!("no such message: {other}"),
    };
    out[..n].to_vec()
}

fn lasts(v: &Value) -> Lasts {
    [0, 1, 2].map(|i| if v[i].is_null() { Position::NONE } else { read_position(&v[i]) })
}
