//! Catalogues and bodies: SPEC 5.2, 5.3 and 5.5.

use crate::agree::{Fields, Read, Refused, same};
use crate::packed::Value;
use sensock::catalog::{
    AskEntry, Catalog, CatalogView, CommandEntry, Policy, QuantityEntry, Scalar, SettingEntry, Shape,
    Value as Body, Values, fnv1a,
};
use sensock::wire::cursor::Writer;

/// The most entries of one kind that a catalogue of the vectors has.
const ENTRIES: usize = 6;

pub(crate) fn read(vector: Value<'_>, bytes: &[u8]) -> Read {
    let view = CatalogView::new(bytes).map_err(|bad| Refused::from(bad.0))?;
    let quantity = |v, q: QuantityEntry<'_>| {
        let fields = Fields::of(v).number("id", q.id).text("name", q.name).text("unit", q.unit);
        let fields = fields.signed("scale", q.scale).signed("low", q.low).signed("high", q.high);
        fields.number("interval_ms", q.interval_ms).end().is_ok()
    };
    let command = |v, c: CommandEntry<'_>| {
        let fields = Fields::of(v).number("key", c.key).text("name", c.name).number("policy", c.policy as u8);
        fields.check("request", shaped(c.request)).check("answer", shaped(c.answer)).end().is_ok()
    };
    let setting = |v, s: SettingEntry<'_>| {
        let fields = Fields::of(v).number("key", s.key).text("name", s.name);
        fields.check("shape", shaped(s.shape)).end().is_ok()
    };
    let ask = |v, a: AskEntry<'_>| {
        let fields = Fields::of(v).number("key", a.key).text("name", a.name);
        fields.check("request", shaped(a.request)).check("answer", shaped(a.answer)).end().is_ok()
    };
    let catalogue = |v| {
        Fields::of(v)
            .text("firmware", view.firmware())
            .list("quantities", view.quantities(), quantity)
            .list("commands", view.commands(), command)
            .list("settings", view.settings(), setting)
            .list("asks", view.asks(), ask)
            .end()
    };
    Ok(Fields::of_vector(vector).inside("catalogue", catalogue).word("hash", fnv1a(bytes)).end())
}

/// Compares piece by piece, as a device sends it.
pub(crate) fn write(vector: Value<'_>, expected: &[u8]) -> Option<bool> {
    let c = vector.at("catalogue");
    let mut quantities =
        [QuantityEntry { id: 0, name: "", unit: "", scale: 0, low: 0, high: 0, interval_ms: 0 }; ENTRIES];
    let quantities = filled(&mut quantities, c.at("quantities"), |q| {
        Some(QuantityEntry {
            id: q.at("id").int(),
            name: q.at("name").text(),
            unit: q.at("unit").text(),
            scale: i8::try_from(q.at("scale").signed()).ok()?,
            low: i32::try_from(q.at("low").signed()).ok()?,
            high: i32::try_from(q.at("high").signed()).ok()?,
            interval_ms: q.at("interval_ms").int(),
        })
    })?;
    let empty =
        CommandEntry { key: 0, name: "", policy: Policy::Once, request: Shape::UNIT, answer: Shape::UNIT };
    let mut commands = [empty; ENTRIES];
    let commands = filled(&mut commands, c.at("commands"), |c| {
        Some(CommandEntry {
            key: c.at("key").int(),
            name: c.at("name").text(),
            policy: if c.at("policy").number() == 0 { Policy::Once } else { Policy::Idempotent },
            request: shape(c.at("request"))?,
            answer: shape(c.at("answer"))?,
        })
    })?;
    let mut settings = [SettingEntry { key: 0, name: "", shape: Shape::UNIT }; ENTRIES];
    let settings = filled(&mut settings, c.at("settings"), |s| {
        Some(SettingEntry { key: s.at("key").int(), name: s.at("name").text(), shape: shape(s.at("shape"))? })
    })?;
    let mut asks = [AskEntry { key: 0, name: "", request: Shape::UNIT, answer: Shape::UNIT }; ENTRIES];
    let asks = filled(&mut asks, c.at("asks"), |a| {
        Some(AskEntry {
            key: a.at("key").int(),
            name: a.at("name").text(),
            request: shape(a.at("request"))?,
            answer: shape(a.at("answer"))?,
        })
    })?;
    let catalog = Catalog::new(c.at("firmware").text(), quantities, commands, settings).asks(asks);
    let mut agrees = catalog.hash() == vector.at("hash").word() && catalog.len() == expected.len();
    let mut offset = 0;
    for piece in expected.chunks(7) {
        let mut out = [0; 7];
        let n = catalog.copy_at(offset, &mut out);
        agrees &= out.get(..n) == Some(piece);
        offset += n;
    }
    Some(agrees)
}

/// As many of `slots` as the list has items; `None` if one is not what it should be, or there are too many.
fn filled<'s, 'a, T>(
    slots: &'s mut [T],
    list: Value<'a>,
    entry: impl Fn(Value<'a>) -> Option<T>,
) -> Option<&'s [T]> {
    let mut n = 0;
    for item in list.items() {
        *slots.get_mut(n)? = entry(item)?;
        n += 1;
    }
    slots.get(..n)
}

pub(crate) fn read_body(vector: Value<'_>, bytes: &[u8]) -> Read {
    let Some(shape) = shape(vector.at("shape")) else { return Err(Refused("no such shape")) };
    let Some(body) = Values::decode(shape, bytes) else { return Err(Refused("malformed")) };
    let value = |v: Value<'_>, found| match found {
        Body::Bool(b) => v.flag() == b && !v.is_null(),
        Body::Signed(n) => v.text().parse() == Ok(n),
        Body::Unsigned(n) => v.text().parse() == Ok(n),
        Body::F32(x) => v.fraction().to_bits() == x.to_bits(),
        Body::Text(s) => v.text() == s,
        Body::Bytes(b) => hex_of(v.text()).eq(b.iter().copied()),
    };
    let fields = Fields::of_vector(vector).check("shape", |v| !v.is_null());
    Ok(fields.list("values", body.iter(), value).end())
}

pub(crate) fn write_body(vector: Value<'_>, out: &mut [u8]) -> Option<usize> {
    let (shape, mut values) = (shape(vector.at("shape"))?, vector.at("values").items());
    let mut w = Writer::new(out);
    for scalar in shape.scalars() {
        let v = values.next()?;
        match scalar {
            Scalar::Bool => w.u8(u8::from(v.flag())),
            Scalar::I32 | Scalar::I64 => w.zigzag(v.text().parse().ok()?),
            Scalar::U32 | Scalar::U64 => w.varint(v.text().parse().ok()?),
            Scalar::F32 => w.bytes(&v.fraction().to_bits().to_le_bytes()),
            Scalar::Text => w.block(v.text().as_bytes()),
            Scalar::Bytes => {
                w.varint(hex_of(v.text()).count() as u64);
                hex_of(v.text()).for_each(|byte| w.u8(byte));
            }
        }
    }
    let n = w.finish().ok()?;
    values.next().is_none().then_some(n)
}

fn shaped(found: Shape) -> impl Fn(Value<'_>) -> bool {
    move |v| same(v, found.scalars(), |v, scalar| v.text() == scalar.name())
}

fn shape(list: Value<'_>) -> Option<Shape> {
    let (mut numbers, mut n) = ([0; 4], 0);
    for name in list.items() {
        let known = (1..=8).find(|n| Scalar::from_number(*n).is_some_and(|s| s.name() == name.text()));
        *numbers.get_mut(n)? = known?;
        n += 1;
    }
    Shape::from_numbers(numbers.get(..n)?)
}

fn hex_of(text: &str) -> impl Iterator<Item = u8> {
    text.as_bytes().chunks(2).map(|pair| {
        pair.iter().fold(0, |byte, digit| byte << 4 | char::from(*digit).to_digit(16).unwrap_or(0) as u8)
    })
}
