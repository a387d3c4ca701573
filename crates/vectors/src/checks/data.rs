//! Data frames: SPEC 7.

use crate::Set;
use crate::agree::{Agreed, Fields, Refused};
use crate::packed::Value;
use sensock::wire::cursor::{Reader, Writer};
use sensock::wire::data::{self, Data, Item, LaneContext, Outcome, ShapeIds};
use sensock::{Cause, CommandId, Lane, Position, Tick};

pub(crate) fn read(vector: Value<'_>, lane: Lane, body: &[u8], set: Set<'_>) -> Result<Agreed, Refused> {
    let mut before = context(vector, set);
    let found = check(vector, lane, body, &mut before)?;
    let items = |v: Value<'_>| {
        let mut expected = v.items();
        found.items().all(|it| expected.next().is_some_and(|v| item(v, &it).is_ok()))
            && expected.next().is_none()
    };
    let data = |v| {
        Fields::of(v)
            .number("lane", lane as u8)
            .position("first", found.first)
            .position("next", found.next)
            .number("records", found.records)
            .check("items", items)
            .end()
    };
    Ok(Fields::of_vector(vector).inside("data", data).end())
}

/// What both ends remember of the lane before this vector: what the vectors that it names as `after` left.
fn context(vector: Value<'_>, set: Set<'_>) -> LaneContext {
    let Some(after) = vector.at("after").some() else { return LaneContext::default() };
    let Some(before) = set.vectors.items().find(|b| b.at("name").text() == after.text()) else {
        return LaneContext::default();
    };
    let mut context = context(before, set);
    if let Some((header, body)) = before.at("hex").bytes().split_first()
        && let Some(lane) = Lane::from_number(header >> 5)
    {
        // If it is refused the context stays as it was, and both vectors are reported.
        let _reported = check(before, lane, body, &mut context);
    }
    context
}

fn check<'b>(
    vector: Value<'_>,
    lane: Lane,
    body: &'b [u8],
    context: &mut LaneContext,
) -> Result<Data<'b>, Refused> {
    let expected = vector.at("expected").some().unwrap_or_else(|| vector.at("data").at("first"));
    let first = expected.position();
    let mut r = Reader::new(body);
    if Data::read_n(&mut r)? != first.n() && vector.at("error").is_null() {
        return Err(Refused("another position than the server expects"));
    }
    Ok(Data::check(lane, first, r.rest(), context)?)
}

fn item(v: Value<'_>, found: &Item<'_>) -> Agreed {
    let (name, fields) = match found {
        Item::Run(_) => ("run", Fields::of(v.at("run"))),
        Item::Gap { .. } => ("gap", Fields::of(v.at("gap"))),
        Item::Boot { .. } => ("boot", Fields::of(v.at("boot"))),
        Item::Reply { .. } => ("reply", Fields::of(v.at("reply"))),
        Item::Applied { .. } => ("applied", Fields::of(v.at("applied"))),
        Item::Unknown { .. } => ("reserved", Fields::of(v.at("reserved"))),
    };
    let agreed = match found {
        Item::Run(run) => fields
            .position("first", run.first)
            .number("tick", run.tick.0)
            .number("count", run.count as u64)
            .list("quantities", run.shape.as_slice().iter(), |v, id| v.number() == u64::from(*id))
            .inside("superseded", |v| match run.superseded {
                None if v.is_null() => Ok(()),
                None => Err("superseded"),
                Some((n, since)) => Fields::of(v).number("count", n).number("since", since.0).end(),
            })
            .bytes("columns", run.columns()),
        Item::Gap { first, last, cause, span } => fields
            .position("first", *first)
            .position("last", *last)
            .number("cause", *cause as u8)
            .span("span", *span),
        Item::Boot { after, boot, complete } => {
            fields.position("after", *after).number("boot", *boot).flag("complete", *complete)
        }
        Item::Reply { position, command, outcome, body } => {
            let (name, code) = match outcome {
                Outcome::Done => ("done", 0),
                Outcome::Expired => ("expired", 0),
                Outcome::Unknown => ("unknown", 0),
                Outcome::Refused(code) => ("refused", *code),
            };
            let fields = fields.position("position", *position).number("command", command.0);
            fields.text("outcome", name).number("code", code).bytes("body", body)
        }
        Item::Applied { position, revision, refused } => fields
            .position("position", *position)
            .number("revision", *revision)
            .number("code", refused.unwrap_or(0)),
        // The bytes alone know its kind: writing it checks that.
        Item::Unknown { first, count, bytes } => fields
            .check("kind", |_| true)
            .position("first", *first)
            .number("count", *count)
            .bytes("bytes", bytes),
    };
    Fields::of(v).inside(name, |_| agreed.end()).end()
}

pub(crate) fn write(vector: Value<'_>, set: Set<'_>, out: &mut [u8]) -> Option<usize> {
    let frame = vector.at("data");
    let mut context = context(vector, set);
    let mut w = Writer::new(out);
    let mut next = frame.at("first").position();
    data::begin(&mut w, Lane::from_number(frame.at("lane").int())?, next);
    let mut items = frame.at("items").items().peekable();
    while let Some(item) = items.next() {
        let last = items.peek().is_none();
        next = match item.at("boot").some() {
            Some(boot) => {
                let ahead = boot.at("boot").int::<u32>().checked_sub(next.boot())?;
                data::boot(&mut w, &mut context, ahead, boot.at("complete").flag());
                Position::boot_start(boot.at("boot").int())
            }
            None => next.plus(write_item(&mut w, &mut context, item, last)?),
        };
    }
    (next == frame.at("next").position()).then(|| w.finish().ok())?
}

/// Writes an item other than a boot's; returns how many positions it takes.
fn write_item(w: &mut Writer<'_>, context: &mut LaneContext, item: Value<'_>, last: bool) -> Option<u64> {
    if let Some(v) = item.at("run").some() {
        let mut shape = ShapeIds::default();
        v.at("quantities").items().all(|id| shape.push(id.int())).then_some(())?;
        let superseded = v.at("superseded").some();
        let superseded = superseded.map(|s| (s.at("count").int(), Tick(s.at("since").number())));
        let columns = v.at("columns").bytes();
        let followed = (!last).then_some(columns.len());
        let (count, tick) = (v.at("count").number(), Tick(v.at("tick").number()));
        data::run_head(w, context, count as usize, tick, &shape, superseded, followed);
        w.bytes(columns);
        Some(count)
    } else if let Some(v) = item.at("gap").some() {
        let count = v.at("last").position().0.checked_sub(v.at("first").position().0)? + 1;
        let cause = Cause::from_number(v.at("cause").int());
        data::gap(w, u32::try_from(count).ok()?, cause, v.at("span").span());
        Some(count)
    } else if let Some(v) = item.at("reply").some() {
        let outcome = match v.at("outcome").text() {
            "done" => Outcome::Done,
            "expired" => Outcome::Expired,
            "unknown" => Outcome::Unknown,
            "refused" => Outcome::Refused(v.at("code").int()),
            _ => return None,
        };
        data::reply(w, CommandId(v.at("command").int()), outcome, v.at("body").bytes());
        Some(1)
    } else if let Some(v) = item.at("applied").some() {
        let code = v.at("code").int::<u8>();
        data::applied(w, v.at("revision").int(), (code > 0).then_some(code));
        Some(1)
    } else {
        let v = item.at("reserved").some()?;
        w.u8(v.at("kind").int());
        w.varint(v.at("count").number());
        w.block(v.at("bytes").bytes());
        Some(v.at("count").number())
    }
}
