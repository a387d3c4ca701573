//! A rule that compares with past years, as a file states it.

use super::*;

/// The small file with the temperature compared with past years, as these lines say.
fn seasonal(lines: &str) -> String {
    with("above = { warning = 54, critical = 65 }", "above = { warning = 4, critical = 6 }")
        .replace("name = \"temperature\"", &format!("name = \"temperature\"\nsignal = \"season\"\n{lines}"))
}

#[test]
fn a_season_is_read_and_told_in_words() {
    let signal = |text: &str| loaded("zone.toml", text).zone.table.table().rules[0].signal;
    let least = seasonal("least = 0.5\nneeded = 2");
    let months = Season { cells: Slots::Months, first: 0, least: 50, needed: 2, days: 7 };
    assert_eq!(signal(&least), Signal::Season(months));
    let hours = seasonal("slots = \"months and hours\"\nleast = 0.5\nneeded = 3\ndays = 20");
    let by_hours = Season { cells: Slots::MonthsAndHours, needed: 3, days: 20, ..months };
    assert_eq!(signal(&hours), Signal::Season(by_hours));
    let mut out = Vec::new();
    crate::rules::check::write(&loaded("zone.toml", &least), &mut out).unwrap();
    let said = String::from_utf8(out).unwrap();
    let words = "distance of temperature of cellar-3 from the same month of past years, in mean deviations of at least 0.5 °C; \
                 known after 2 years with readings of 7 days each";
    assert!(said.contains(words) && said.contains("from 4 deviations"), "{said}");
    // Baselines stand side by side.
    let more = "[[rule]]\nname = \"year\"\nquantity = \"temperature\"\nsignal = \"season\"\nleast = 0.5\nneeded = 2\n\
                above = { warning = 4, critical = 6 }\n[[hazard]]";
    let two = loaded("zone.toml", &least.replace("[[hazard]]", more));
    let table = two.zone.table.table();
    assert_eq!(table.rules[1].signal, Signal::Season(Season { first: 14, ..months }));
    assert_eq!((table.slots(), two.zone.look_back_ms() / 86_400_000), (28, 3_288));
    assert_eq!(loaded("zone.toml", SMALL).zone.look_back_ms() / 86_400_000, 7);
}

#[test]
fn a_season_that_cannot_be_one_names_line_and_what_there_is() {
    for (lines, expected) in [
        (
            "least = 0.5",
            "line 7: this rule lacks `needed`: expected how many past years a month must have, as in 2",
        ),
        ("least = 0.5\nneeded = 0", "line 11: `needed` is 0: expected a whole number from 1 to 50"),
        ("least = 0.5\nneeded = 2\ndays = 31", "line 12: `days` is 31: expected a whole number from 2 to 28"),
        ("least = 0.5\nneeded = 2\ndasy = 9", "line 12: a rule has no key `dasy`: did you mean `days`?"),
        (
            "slots = \"month\"\nleast = 0.5\nneeded = 2",
            "line 10: `slots` is \"month\": did you mean \"months\"?",
        ),
        (
            "slots = \"hours\"\nleast = 0.5\nneeded = 2",
            "line 10: `slots` is \"hours\": expected \"months\" or \"months and hours\"",
        ),
        (
            "least = 0.5\nneeded = 2\nmemory = 64",
            "line 12: `memory` is not for the signal \"season\", which takes `slots`, `least`, `needed`, `days`",
        ),
    ] {
        assert_eq!(said(&seasonal(lines)), format!("zone.toml, {expected}"));
    }
    let daily = seasonal("slots = \"months\"\nleast = 0.5\nneeded = 2").replace("\"season\"", "\"daily\"");
    assert_eq!(
        said(&daily),
        "zone.toml, line 10: what repeats by the year has a signal of its own: write `signal = \"season\"` for `slots = \"months\"`"
    );
}
