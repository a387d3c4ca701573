//! JSON to the form that `src/packed.rs` reads: what the build script and the tests share.
//!
//! | tag | what follows |
//! |---|---|
//! | 0 null, 1 false, 2 true | nothing |
//! | 3, 4, 5, 6 a number | 1, 2 (signed), 4 (signed) or 8 bytes, the least significant first |
//! | 7 a fraction | the four bytes of an `f32` |
//! | 8 text, 9 bytes | length in two bytes, the bytes |
//! | 10 list | length in two bytes, its values |
//! | 11 object | length in two bytes, for each field the two bytes of `key::number`, and its value |

use crate::key;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

/// Texts of these fields are bytes in hexadecimal digits.
const HEX: [&str; 5] = ["hex", "body", "bytes", "columns", "frames"];

/// A file of vectors, by its name without `.json`.
pub(crate) type Files = BTreeMap<String, Value>;

/// All files of the folder.
pub(crate) fn read(folder: &Path) -> Result<Files, Box<dyn Error>> {
    let mut files = Files::new();
    for entry in std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_suffix(".json"))
        else {
            continue;
        };
        let text = std::fs::read_to_string(&path)?;
        files.insert(
            name.into(),
            serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?,
        );
    }
    Ok(files)
}

/// An object with `file` and `vectors` for each file, one after the other.
pub(crate) fn pack(files: &Files) -> Result<Vec<u8>, String> {
    let (mut keys, mut out) = (BTreeMap::new(), vec![]);
    for (file, vectors) in files {
        let fields =
            [("file".to_owned(), Value::from(file.as_str())), ("vectors".to_owned(), vectors.clone())];
        value(&Value::Object(Map::from_iter(fields)), false, &mut keys, &mut out)?;
    }
    Ok(out)
}

fn value(v: &Value, hex: bool, keys: &mut BTreeMap<u16, String>, out: &mut Vec<u8>) -> Result<(), String> {
    match v {
        Value::Null => out.push(0),
        Value::Bool(false) => out.push(1),
        Value::Bool(true) => out.push(2),
        Value::Number(n) => number(n, out)?,
        Value::String(text) if hex => block(9, &unhex(text)?, out)?,
        Value::String(text) => block(8, text.as_bytes(), out)?,
        Value::Array(items) => {
            let mut body = vec![];
            items.iter().try_for_each(|item| value(item, hex, keys, &mut body))?;
            block(10, &body, out)?;
        }
        Value::Object(fields) => {
            let mut body = vec![];
            // No check reads a vector's section.
            for (name, field) in fields.iter().filter(|(name, _)| *name != "spec") {
                let number = key::number(name);
                let before = keys.entry(number).or_insert_with(|| name.clone());
                if before != name {
                    return Err(format!("the fields `{name}` and `{before}` have one number: rename one"));
                }
                body.extend(number.to_le_bytes());
                value(field, HEX.contains(&name.as_str()), keys, &mut body)?;
            }
            block(11, &body, out)?;
        }
    }
    Ok(())
}

fn number(n: &serde_json::Number, out: &mut Vec<u8>) -> Result<(), String> {
    if let Some(byte) = n.as_u64().and_then(|n| u8::try_from(n).ok()) {
        out.extend([3, byte]);
    } else if let Some(short) = n.as_i64().and_then(|n| i16::try_from(n).ok()) {
        out.push(4);
        out.extend(short.to_le_bytes());
    } else if let Some(middle) = n.as_i64().and_then(|n| i32::try_from(n).ok()) {
        out.push(5);
        out.extend(middle.to_le_bytes());
    } else if let Some(long) = n.as_u64() {
        out.push(6);
        out.extend(long.to_le_bytes());
    } else if let Some(fraction) = n.as_f64() {
        out.push(7);
        out.extend((fraction as f32).to_le_bytes());
    } else {
        return Err(format!("no form for the number {n}"));
    }
    Ok(())
}

fn block(tag: u8, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let len = u16::try_from(bytes.len()).map_err(|_| "a text, a list or a file of more than 65535 bytes")?;
    out.push(tag);
    out.extend(len.to_le_bytes());
    out.extend(bytes);
    Ok(())
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    match digits {
        Some(digits) if digits.len().is_multiple_of(2) => {
            Ok(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
        }
        _ => Err(format!("these are not whole bytes in hexadecimal digits: {text}")),
    }
}
