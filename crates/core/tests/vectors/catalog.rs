//! Catalogues and bodies: SPEC 5.2, 5.3 and 5.5.

use sensock::catalog::{
    AskEntry, Catalog, CatalogView, CommandEntry, Policy, QuantityEntry, SettingEntry, Shape, Value as Body,
    Values, fnv1a,
};
use sensock::wire::cursor::Writer;
use serde_json::{Value, json};

use crate::json::{Refused, Vector, hex, int, unhex, word};

pub(crate) fn decode(v: &Vector) -> Result<Value, Refused> {
    let bytes = v.bytes("hex");
    let view = CatalogView::new(&bytes).map_err(|bad| bad.0)?;
    let quantities: Vec<Value> = view
        .quantities()
        .map(|q| {
            json!({ "id": q.id, "name": q.name, "unit": q.unit, "scale": q.scale, "low": q.low, "high": q.high,
                    "interval_ms": q.interval_ms })
        })
        .collect();
    let commands: Vec<Value> = view
        .commands()
        .map(|c| {
            json!({ "key": c.key, "name": c.name, "policy": c.policy as u8, "request": shape(c.request),
                    "answer": shape(c.answer) })
        })
        .collect();
    let settings: Vec<Value> =
        view.settings().map(|s| json!({ "key": s.key, "name": s.name, "shape": shape(s.shape) })).collect();
    let asks: Vec<Value> = view
        .asks()
        .map(|a| json!({ "key": a.key, "name": a.name, "request": shape(a.request), "answer": shape(a.answer) }))
        .collect();
    Ok(json!({
        "catalogue": { "firmware": view.firmware(), "quantities": quantities, "commands": commands,
                       "settings": settings, "asks": asks },
        "hash": word(fnv1a(&bytes)),
    }))
}

pub(crate) fn encode(v: &Vector) -> Vec<u8> {
    let c = &v.0["catalogue"];
    let list = |key: &str| c[key].as_array().unwrap().clone();
    let (quantities, commands, settings, asks) =
        (list("quantities"), list("commands"), list("settings"), list("asks"));
    let name = |e: &Value| Box::leak(e["name"].as_str().unwrap().to_owned().into_boxed_str()) as &str;
    let quantities: Vec<_> = quantities
        .iter()
        .map(|q| QuantityEntry {
            id: int(&q["id"]),
            name: name(q),
            unit: q["unit"].as_str().unwrap(),
            scale: q["scale"].as_i64().unwrap().try_into().unwrap(),
            low: q["low"].as_i64().unwrap().try_into().unwrap(),
            high: q["high"].as_i64().unwrap().try_into().unwrap(),
            interval_ms: int(&q["interval_ms"]),
        })
        .collect();
    let commands: Vec<_> = commands
        .iter()
        .map(|c| CommandEntry {
            key: int(&c["key"]),
            name: name(c),
            policy: if c["policy"] == 0 { Policy::Once } else { Policy::Idempotent },
            request: read_shape(&c["request"]),
            answer: read_shape(&c["answer"]),
        })
        .collect();
    let settings: Vec<_> = settings
        .iter()
        .map(|s| SettingEntry { key: int(&s["key"]), name: name(s), shape: read_shape(&s["shape"]) })
        .collect();
    let asks: Vec<_> = asks
        .iter()
        .map(|a| AskEntry {
            key: int(&a["key"]),
            name: name(a),
            request: read_shape(&a["request"]),
            answer: read_shape(&a["answer"]),
        })
        .collect();
    let catalog =
        Catalog::new(c["firmware"].as_str().unwrap(), &quantities, &commands, &settings).asks(&asks);
    assert_eq!(word(catalog.hash()), v.0["hash"]);
    let mut bytes = vec![0; catalog.len()];
    assert_eq!(catalog.copy_at(0, &mut bytes), bytes.len());
    bytes
}

pub(crate) fn decode_body(v: &Vector) -> Result<Value, Refused> {
    let (bytes, shape) = (v.bytes("hex"), read_shape(&v.0["shape"]));
    let Some(body) = Values::decode(shape, &bytes) else { return Err(Refused("malformed")) };
    let values: Vec<Value> = body
        .iter()
        .map(|value| match value {
            Body::Bool(b) => b.into(),
            Body::Signed(n) => n.to_string().into(),
            Body::Unsigned(n) => n.to_string().into(),
            Body::F32(x) => x.into(),
            Body::Text(s) => s.into(),
            Body::Bytes(b) => hex(b).into(),
        })
        .collect();
    Ok(json!({ "shape": v.0["shape"], "values": values }))
}

pub(crate) fn encode_body(v: &Vector) -> Vec<u8> {
    let mut buf = [0; 128];
    let mut w = Writer::new(&mut buf);
    let (shape, values) = (v.0["shape"].as_array().unwrap(), v.0["values"].as_array().unwrap());
    assert_eq!(shape.len(), values.len());
    for (kind, value) in shape.iter().zip(values) {
        let text = || value.as_str().unwrap();
        match kind.as_str().unwrap() {
            "bool" => w.u8(u8::from(value.as_bool().unwrap())),
            "i32" | "i64" => w.zigzag(text().parse().unwrap()),
            "u32" | "u64" => w.varint(text().parse().unwrap()),
            "f32" => w.bytes(&(value.as_f64().unwrap() as f32).to_le_bytes()),
            "text" => w.block(text().as_bytes()),
            "bytes" => w.block(&unhex(text())),
            other => panic!("no such scalar: {other}"),
        }
    }
    let n = w.finish().unwrap();
    // What a person types means the same bytes.
    let typed: Vec<String> =
        values.iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect();
    let mut from_text = [0; 128];
    let m = Values::encode_text(read_shape(&v.0["shape"]), &typed.join(","), &mut from_text).unwrap();
    assert_eq!(buf[..n], from_text[..m]);
    buf[..n].to_vec()
}

fn shape(s: Shape) -> Value {
    s.scalars().map(|k| Value::from(k.name())).collect()
}

fn read_shape(v: &Value) -> Shape {
    const NAMES: [&str; 8] = ["bool", "i32", "u32", "i64", "u64", "f32", "text", "bytes"];
    let number = |name: &Value| NAMES.iter().position(|n| name == n).unwrap() as u8 + 1;
    let numbers: Vec<u8> = v.as_array().unwrap().iter().map(number).collect();
    Shape::from_numbers(&numbers).unwrap()
}
