//! What a server reports, as lines.

use sensock_server::{Event, Why};
use sensock_store::work::Meeting;

use super::time::{Times, lasting};
use super::words::{count, outcome, refusal};
use crate::guests::Guests;

/// A line: who it is about, and what happened.
pub(crate) struct Line {
    pub(crate) who: String,
    pub(crate) what: String,
    /// Whether a person should do something.
    pub(crate) loud: bool,
}

/// What an event says; `None` for stored readings, which come too often for lines.
pub(crate) fn line(event: &Event, guests: &Guests, times: &Times) -> Option<Line> {
    let (who, what, loud) = match event {
        Event::Stored { .. } => return None,
        Event::Connected { device, peer, boot, meeting } => {
            let how = match meeting {
                Meeting::First => "connected for the first time",
                Meeting::Booted | Meeting::Resumed => "connected after a restart",
                Meeting::Rebased => {
                    "came with positions of the past (its memory was restored or replaced): moved above what is stored; \
                     some records may be stored twice"
                }
            };
            (device.to_string(), format!("{how}, boot {boot}, from {peer}"), *meeting == Meeting::Rebased)
        }
        Event::Resumed { device, offline_ms, .. } => {
            let away = match offline_ms {
                0 => String::new(),
                ms => format!(" after {} away", lasting(i64::from(*ms) * 1_000)),
            };
            (device.to_string(), format!("resumed{away}"), false)
        }
        Event::Takeover { device, from, to } => {
            (device.to_string(), format!("a connection from {to} took over from {from}"), false)
        }
        Event::Disconnected { device, reason, .. } => {
            (device.to_string(), format!("disconnected: {reason}"), false)
        }
        Event::Gap(gap) => {
            let many = gap.count.map_or("an unknown number of records".to_owned(), |n| count(n, "record"));
            let lane = gap.lane.lane;
            (
                gap.lane.device.to_string(),
                format!("gap: {many} of lane {lane} lost, {}", crate::why::cause(gap.cause)),
                true,
            )
        }
        Event::Quarantined { lane, reason } => (
            lane.device.to_string(),
            format!("records of lane {} could not become rows and are kept as bytes: {reason}", lane.lane),
            true,
        ),
        Event::Settled(row) => (row.device.to_string(), outcome(row, answer_shape(row.key)), false),
        Event::Applied(row) => match row.refused {
            None => (row.device.to_string(), format!("applied {}", row.name), false),
            Some(code) => (row.device.to_string(), format!("refused {}: {}", row.name, refusal(code)), true),
        },
        Event::Asked(asked) => (
            asked.device().to_string(),
            format!("asked (key {}); this server has no answers, an application gives them", asked.key()),
            false,
        ),
        Event::Asleep { device, until_us } => {
            (device.to_string(), format!("sleeps until {}", times.clock(*until_us)), false)
        }
        Event::Lost { device } => {
            (device.to_string(), "is lost: it did not come back in time".to_owned(), true)
        }
        Event::Refused { peer, device, why, words, .. } => match (device, why) {
            (Some(device), Why::NotAdmitted) => (device.to_string(), guests.how_to_admit(device), true),
            (Some(device), Why::KeyMissing | Why::KeyOfAnother { .. }) => {
                (device.to_string(), words.clone(), true)
            }
            (Some(device), _) => (device.to_string(), format!("refused, {peer}: {words}"), true),
            (None, _) => (peer.clone(), format!("refused: {words}"), true),
        },
        Event::Revoked { device, key, peer, why } => {
            let key = key.map_or_else(String::new, |key| format!(" (key {key})"));
            (device.to_string(), format!("its connection from {peer} was closed{key}: {why}"), true)
        }
        Event::Collision { device, connected, refused } => (
            device.to_string(),
            format!(
                "two boards have this identity: {connected} stays, {refused} was refused; give one another id"
            ),
            true,
        ),
        Event::Foreign { peer, words } => (peer.clone(), (*words).to_owned(), true),
        Event::CatalogContradicts { device, hash } => (
            device.to_string(),
            format!(
                "its catalogue differs from the stored one of the same hash {hash:016x}: change a name in its firmware"
            ),
            true,
        ),
        Event::ClockFault { device } => (
            device.to_string(),
            "its clock contradicts itself: times are less certain from here on".to_owned(),
            true,
        ),
        Event::ClocksDisagree { device, by_us } => {
            let (side, by) = (if *by_us < 0 { "behind" } else { "ahead of" }, lasting(by_us.abs()));
            (
                device.to_string(),
                format!(
                    "this server's clock is {by} {side} the one that measured it before: set both servers by NTP"
                ),
                true,
            )
        }
        Event::ClockStepped { by_us } => {
            let (sign, by) = (if *by_us < 0 { "back" } else { "forward" }, lasting(by_us.abs()));
            ("server".to_owned(), format!("this machine's clock was set {sign} by {by}"), true)
        }
        Event::StoreAway { words } => (
            "store".to_owned(),
            format!("does not answer: {words}; nothing is acknowledged meanwhile, and nothing is lost"),
            true,
        ),
        Event::StoreBack { after_ms } => {
            let after = i64::try_from(*after_ms).unwrap_or(i64::MAX).saturating_mul(1_000);
            ("store".to_owned(), format!("answers again after {}", lasting(after)), false)
        }
        Event::Missed(n) => {
            ("server".to_owned(), format!("{} not shown here; the store has them", count(*n, "event")), false)
        }
        _ => return None,
    };
    Some(Line { who, what, loud })
}

/// The shape of a built-in command's answer; others need their device's catalogue.
fn answer_shape(key: u16) -> Option<sensock::catalog::Shape> {
    let read_now = sensock::catalog::READ_NOW.entry();
    (key == read_now.key).then_some(read_now.answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensock::DeviceId;

    #[test]
    fn a_refused_device_is_told_to_the_operator_with_what_to_do() {
        let path = std::env::temp_dir().join(format!("sensockd-events-{}.txt", std::process::id()));
        std::fs::write(&path, "attic-6\n").unwrap();
        let guests = Guests::new(None, crate::guests::Plain::file(&path).unwrap());
        let refused = |why: Why| Event::Refused {
            peer: "10.0.0.7:4711".to_owned(),
            device: DeviceId::new("attic-7").ok(),
            code: why.code(),
            why,
            words: "as the server says".to_owned(),
        };
        let told = line(&refused(Why::NotAdmitted), &guests, &Times::utc()).unwrap();
        assert!(told.loud && told.what.ends_with("and it may connect"), "{}", told.what);
        // A line in the file would help none of these.
        for why in [Why::KeyMissing, Why::KeyOfAnother { owner: DeviceId::new("attic-6").unwrap() }] {
            let told = line(&refused(why), &guests, &Times::utc()).unwrap();
            assert_eq!(told.what, "as the server says");
        }
        let told = line(&refused(Why::Busy), &guests, &Times::utc()).unwrap();
        assert_eq!(told.what, "refused, 10.0.0.7:4711: as the server says");
        std::fs::remove_file(&path).unwrap();
    }
}
