//! Numbers, units and states as people say them.

use sensock::catalog::{READ_NOW, Shape, Shaped as _, Values};
use sensock::{CommandId, Fault, Position};
use sensock_store::{CommandRow, CommandState, NamedReading};

/// `1 record`, `12,345 records`.
pub(crate) fn count(n: u64, what: &str) -> String {
    let plural = match what.strip_suffix('y') {
        Some(stem) if n != 1 && !stem.ends_with(['a', 'e', 'o']) => format!("{stem}ies"),
        _ if n == 1 => what.to_owned(),
        _ => format!("{what}s"),
    };
    format!("{} {plural}", thousands(n))
}

/// `12,345`.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A unit as it is displayed: SenML's `Cel` is °C.
pub(crate) fn unit(senml: &str) -> &str {
    match senml {
        "Cel" => "°C",
        "%RH" => "%",
        "m3" => "m³",
        "m3/h" => "m³/h",
        "ug/m3" => "µg/m³",
        "m/s2" => "m/s²",
        "/" => "",
        other => other,
    }
}

/// A scaled integer as a decimal, with all of its digits: 2345 at scale -2 is `23.45`.
pub(crate) fn decimal(raw: i32, scale: i8) -> String {
    let digits = raw.unsigned_abs().to_string();
    let sign = if raw < 0 { "-" } else { "" };
    if scale >= 0 {
        let zeros = if raw == 0 { 0 } else { scale as usize };
        return format!("{sign}{digits}{}", "0".repeat(zeros));
    }
    let places = usize::from(scale.unsigned_abs());
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, part) = padded.split_at(padded.len() - places);
    format!("{sign}{whole}.{part}")
}

/// `23.45 °C`, or why there is no value.
pub(crate) fn value(raw: i32, scale: i8, senml: &str, fault: Option<Fault>) -> String {
    match fault {
        Some(fault) => fault.words().to_owned(),
        None if unit(senml).is_empty() => decimal(raw, scale),
        None => format!("{} {}", decimal(raw, scale), unit(senml)),
    }
}

/// `temperature 23.45 °C`.
pub(crate) fn reading(r: &NamedReading) -> String {
    format!("{} {}", r.name, value(r.row.raw, r.scale, &r.unit, r.row.fault))
}

/// A body by its shape, or its bytes if the two do not fit.
pub(crate) fn body(shape: Option<Shape>, bytes: &[u8]) -> String {
    match shape.and_then(|s| Values::decode(s, bytes)) {
        Some(values) => values.to_string(),
        None => bytes.iter().map(|b| format!("{b:02x}")).collect(),
    }
}

/// What became of a command, as a sentence.
pub(crate) fn outcome(row: &CommandRow, answer: Option<Shape>) -> String {
    let CommandId(id) = row.id;
    let what = format!("command {id} ({})", row.name);
    match row.state {
        CommandState::Queued => format!("{what} waits until {} connects", row.device),
        CommandState::Sent(_) => format!("{what} was sent to {}; its answer is not here yet", row.device),
        CommandState::Done if row.key == READ_NOW.key() => match u64::decode(&row.answer) {
            Some(position) => format!("{what} is done; the reading is record {}", Position(position)),
            None => format!("{what} is done"),
        },
        CommandState::Done => match body(answer, &row.answer) {
            empty if empty.is_empty() => format!("{what} is done"),
            said => format!("{what} is done; the answer is {said}"),
        },
        CommandState::Refused(code) => format!("{what} was refused by {}: {}", row.device, refusal(code)),
        CommandState::Expired => {
            format!("{what} expired before {} could begin it; it did not run", row.device)
        }
        CommandState::Undeliverable => {
            format!(
                "{what} was not delivered: cancelled, replaced by a newer one, or too large for the device"
            )
        }
        CommandState::Unknown => format!(
            "{what} may have run or not: {} lost power or its memory in between; ask it for its state",
            row.device
        ),
    }
}

/// A refusal code of a device.
pub(crate) fn refusal(code: u8) -> String {
    use sensock::limits::{REFUSED, REFUSED_BUSY, REFUSED_SHAPE, REFUSED_UNKNOWN};
    match code {
        REFUSED_BUSY => "it has no room for another answer, try again".to_owned(),
        REFUSED_UNKNOWN => "its firmware has nobody who answers to it".to_owned(),
        REFUSED_SHAPE => "the value is not of the shape that its catalogue states".to_owned(),
        REFUSED => "its firmware said no".to_owned(),
        other => format!("its firmware gave code {other}"),
    }
}

/// The name that was probably meant, if one is close enough.
pub(crate) fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |s: &str| s.to_lowercase().replace(['_', ' '], "-");
    let wrong = plain(wrong);
    let limit = (wrong.chars().count() / 3).max(2);
    let scored = names.into_iter().map(|name| (distance(&wrong, &plain(name)), name));
    scored.filter(|(d, _)| *d <= limit).min_by_key(|(d, _)| *d).map(|(_, name)| name)
}

/// Letters to add, take away, replace or swap with a neighbour, to get from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_all_digits() {
        let said = [(2345, -2), (-5, -2), (0, -2), (7, 0), (7, 3), (0, 3), (i32::MIN, -9), (739_673, -4)]
            .map(|(raw, scale)| decimal(raw, scale));
        assert_eq!(said, ["23.45", "-0.05", "0.00", "7", "7000", "0", "-2.147483648", "73.9673"]);
        assert_eq!(value(2345, -2, "Cel", None), "23.45 °C");
        assert_eq!(value(1, 0, "/", None), "1");
        assert_eq!(value(0, -2, "Cel", Some(Fault::NO_VALUE)), "no value");
    }

    #[test]
    fn counts_are_said_with_their_noun() {
        assert_eq!(count(1, "record"), "1 record");
        assert_eq!(count(1_234_567, "record"), "1,234,567 records");
        assert_eq!(count(0, "reply"), "0 replies");
        assert_eq!(count(2, "day"), "2 days");
    }

    #[test]
    fn the_nearest_name_is_offered_only_if_it_is_near() {
        let names = ["listen", "store", "devices", "ping-interval"];
        assert_eq!(nearest("lisetn", names), Some("listen"));
        assert_eq!(nearest("ping_interval", names), Some("ping-interval"));
        assert_eq!(nearest("device", names), Some("devices"));
        assert_eq!(nearest("password", names), None);
    }
}
