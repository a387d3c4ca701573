//! Data frames: SPEC 7.

use sensock::wire::cursor::{Reader, Writer};
use sensock::wire::data::{self, Data, Item, LaneContext, Outcome, ShapeIds};
use sensock::{Cause, CommandId, Lane, Position, Tick};
use serde_json::{Value, json};

use crate::json::{Refused, Vector, hex, int, lane, position, read_position, read_span, unhex, vectors};

/// What both ends remember of the lane before this vector: what the vectors that it names as `after` left.
fn context(v: &Vector, file: &str) -> LaneContext {
    let Some(after) = v.text("after") else { return LaneContext::default() };
    let before = vectors(file).into_iter().find(|b| b.text("name") == Some(after)).unwrap();
    let mut context = context(&before, file);
    let frame = before.bytes("hex");
    read(Lane::from_number(frame[0] >> 5).unwrap(), &frame[1..], &before, &mut context).map(|_| ()).unwrap();
    context
}

fn read<'a>(lane: Lane, body: &'a [u8], v: &Vector, context: &mut LaneContext) -> Result<Data<'a>, Refused> {
    let expected = v.0.get("expected").or_else(|| v.0.get("data").map(|d| &d["first"])).unwrap();
    let first = read_position(expected);
    let mut r = Reader::new(body);
    assert!(
        Data::read_n(&mut r)? == first.n() || v.text("error").is_none(),
        "the server expects another position"
    );
    Ok(Data::check(lane, first, r.rest(), context)?)
}

pub(crate) fn decode(lane: Lane, body: &[u8], v: &Vector, file: &str) -> Result<Value, Refused> {
    let data = read(lane, body, v, &mut context(v, file))?;
    let items: Vec<Value> = data.items().zip(kinds(v)).map(|(i, kind)| item(i, kind)).collect();
    assert_eq!(data.items().count(), items.len());
    Ok(json!({ "data": { "lane": lane as u8, "first": position(data.first), "next": position(data.next),
                         "records": data.records, "items": items } }))
}

/// A reserved item keeps its kind in its bytes only; the vector says it.
fn kinds(v: &Vector) -> impl Iterator<Item = u64> + '_ {
    let items = v.0.get("data").map(|d| d["items"].as_array().unwrap());
    let kind = |i: &Value| i["reserved"]["kind"].as_u64().unwrap_or_default();
    items.into_iter().flatten().map(kind).chain(std::iter::repeat(0))
}

fn item(item: Item<'_>, kind: u64) -> Value {
    let span = |s: Option<(Tick, Tick)>| s.map(|(a, b)| [a.0, b.0]);
    match item {
        Item::Run(run) => {
            let superseded = run.superseded.map(|(n, since)| json!({ "count": n, "since": since.0 }));
            json!({ "run": { "first": position(run.first), "tick": run.tick.0, "count": run.count,
                             "quantities": run.shape.as_slice(), "superseded": superseded,
                             "columns": hex(run.columns()) } })
        }
        Item::Gap { first, last, cause, span: s } => {
            json!({ "gap": { "first": position(first), "last": position(last), "cause": cause as u8,
                             "span": span(s) } })
        }
        Item::Boot { after, boot, complete } => {
            json!({ "boot": { "after": position(after), "boot": boot, "complete": complete } })
        }
        Item::Reply { position: p, command, outcome, body } => {
            let (name, code) = match outcome {
                Outcome::Done => ("done", 0),
                Outcome::Expired => ("expired", 0),
                Outcome::Unknown => ("unknown", 0),
                Outcome::Refused(code) => ("refused", code),
            };
            json!({ "reply": { "position": position(p), "command": command.0, "outcome": name, "code": code,
                               "body": hex(body) } })
        }
        Item::Applied { position: p, revision, refused } => {
            json!({ "applied": { "position": position(p), "revision": revision, "code": refused.unwrap_or(0) } })
        }
        Item::Unknown { first, count, bytes } => {
            json!({ "reserved": { "kind": kind, "first": position(first), "count": count, "bytes": hex(bytes) } })
        }
    }
}

pub(crate) fn encode(v: &Vector, file: &str, out: &mut [u8]) -> usize {
    let frame = &v.0["data"];
    let mut context = context(v, file);
    let mut w = Writer::new(out);
    let mut next = read_position(&frame["first"]);
    data::begin(&mut w, lane(&frame["lane"]), next);
    let items = frame["items"].as_array().unwrap();
    for (i, item) in items.iter().enumerate() {
        let (kind, fields) = item.as_object().unwrap().iter().next().unwrap();
        let count = write(&mut w, &mut context, kind, fields, next, i + 1 == items.len());
        next = match kind.as_str() {
            "boot" => Position::boot_start(int(&fields["boot"])),
            _ => next.plus(count),
        };
    }
    assert_eq!(position(next), frame["next"]);
    w.len()
}

/// Writes one item; returns how many positions it takes.
fn write(
    w: &mut Writer<'_>,
    context: &mut LaneContext,
    kind: &str,
    v: &Value,
    next: Position,
    last: bool,
) -> u64 {
    match kind {
        "run" => {
            let mut shape = ShapeIds::default();
            v["quantities"].as_array().unwrap().iter().for_each(|id| assert!(shape.push(int(id))));
            let s = &v["superseded"];
            let superseded = (!s.is_null()).then(|| (int(&s["count"]), Tick(int(&s["since"]))));
            let columns = unhex(v["columns"].as_str().unwrap());
            let followed = (!last).then_some(columns.len());
            let (count, tick) = (int::<u64>(&v["count"]), Tick(int(&v["tick"])));
            data::run_head(w, context, count as usize, tick, &shape, superseded, followed);
            w.bytes(&columns);
            count
        }
        "gap" => {
            let count = read_position(&v["last"]).0 - read_position(&v["first"]).0 + 1;
            let cause = Cause::from_number(int(&v["cause"]));
            data::gap(w, count.try_into().unwrap(), cause, read_span(&v["span"]));
            count
        }
        "boot" => {
            let ahead = int::<u32>(&v["boot"]) - next.boot();
            data::boot(w, context, ahead, v["complete"].as_bool().unwrap());
            0
        }
        "reply" => {
            let outcome = match v["outcome"].as_str().unwrap() {
                "done" => Outcome::Done,
                "expired" => Outcome::Expired,
                "unknown" => Outcome::Unknown,
                "refused" => Outcome::Refused(int(&v["code"])),
                other => panic!("no such outcome: {other}"),
            };
            let body = unhex(v["body"].as_str().unwrap());
            data::reply(w, CommandId(int(&v["command"])), outcome, &body);
            1
        }
        "applied" => {
            let code = int::<u8>(&v["code"]);
            data::applied(w, int(&v["revision"]), (code > 0).then_some(code));
            1
        }
        "reserved" => {
            w.u8(int(&v["kind"]));
            w.varint(int(&v["count"]));
            w.block(&unhex(v["bytes"].as_str().unwrap()));
            int(&v["count"])
        }
        other => panic!("no such item: {other}"),
    }
}
