//! What a file becomes, and what is said of one that is wrong.

mod season;

use proptest::prelude::*;
use sensock::catalog::Shaped as _;
use sensock_rules::ready::{earthquake, fire, rain, sensor, storm};
use sensock_rules::*;

use super::{Catalogue, Catalogues, Listed, Loaded, load, parse};
use crate::rules::zone::{What, When};

/// A file that is shipped.
pub(crate) fn shipped(file: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules").join(file);
    std::fs::read_to_string(path).unwrap()
}

/// A text that is well.
pub(crate) fn loaded(file: &str, text: &str) -> Loaded {
    parse(&[(file, text)], &Catalogues::default()).unwrap_or_else(|errors| panic!("{errors}")).remove(0)
}

fn said(text: &str) -> String {
    parse(&[("zone.toml", text)], &Catalogues::default()).unwrap_err().to_string()
}

fn hash(grid_ms: u32, origin_s: i64, rules: &[Rule<'_>], hazards: &[Hazard<'_>]) -> u64 {
    Compiled::new(Table { grid_ms, calendar: Calendar { origin_s, ..Calendar::UTC }, rules, hazards })
        .unwrap()
        .hash()
}

#[test]
fn a_ready_made_file_is_the_table_that_firmware_carries() {
    let hash_of = |file| loaded(file, &shipped(file)).zone.table.hash();
    let room = fire::Sensor { device: 0, battery: 4, temperature: 1, humidity: 2, co2: 3, interval_s: 10 };
    let cells = fire::cells(0);
    assert_eq!(hash_of("fire.toml"), hash(1_000, 0, &fire::rules(room, 0), &[Hazard::new("fire", &cells)]));

    let gauge =
        rain::Gauge { device: 0, rain: 1, modulus: 4_096, water: 2, levels: (2_000, 3_000), interval_s: 60 };
    let (rains, floods) = (rain::rain_cells(0), rain::flood_cells(0));
    let hazards = [Hazard::new("heavy rain", &rains), Hazard::new("flood", &floods)];
    assert_eq!(hash_of("flood.toml"), hash(1_000, 0, &rain::rules(gauge), &hazards));

    let station = storm::Station { device: 0, gust: 1, pressure: 2, interval_s: 600 };
    let cells = storm::cells(0);
    assert_eq!(
        hash_of("storm.toml"),
        hash(1_000, 0, &storm::rules(station), &[Hazard::new("storm", &cells)])
    );

    let ground = [earthquake::shaking(0, 1, 20)];
    // 2026-01-01.
    assert_eq!(hash_of("earthquake.toml"), hash(50, 1_767_225_600, &ground, &[earthquake::HAZARD]));

    let rules = [sensor::battery(0, 1, 60), sensor::silence("cellar", 0, 2, (-4_000, 12_500), 60)];
    let cells = sensor::cells(0, 1);
    assert_eq!(hash_of("sensor.toml"), hash(1_000, 0, &rules, &[Hazard::new("dying sensor", &cells)]));
}

#[test]
fn every_file_that_is_shipped_is_well() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 7, "{files:?}");
    let loaded = load(&files, &Catalogues::default()).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(loaded.iter().all(|loaded| !loaded.zone.table.table().hazards.is_empty()));
}

#[test]
fn the_guide_s_file_is_well() {
    let page = include_str!("../../../../../crates/core/src/guide/_14_rules.rs");
    let (_, file) = page.split_once("```toml").unwrap();
    let (file, _) = file.split_once("```").unwrap();
    let text: String = file.lines().map(|line| line.trim_start_matches("//!").to_owned() + "\n").collect();
    assert_eq!(loaded("guide.toml", &text).rules.len(), 2);
}

const SMALL: &str = r#"
devices = ["cellar-3"]
[quantity.temperature]
id = 1
unit = "°C"
scale = -2
[[rule]]
name = "temperature"
quantity = "temperature"
above = { warning = 54, critical = 65 }
[[hazard]]
name = "fire"
cells = [{ rule = "temperature", at = "warning", weight = 0.6 }]
"#;

/// The small file with a part replaced.
fn with(part: &str, other: &str) -> String {
    assert!(SMALL.contains(part), "{part}");
    SMALL.replace(part, other)
}

#[test]
fn a_name_that_does_not_exist_names_line_and_nearest() {
    let text = with("rule = \"temperature\"", "rule = \"tempertaure\"");
    assert_eq!(
        said(&text),
        "zone.toml, line 13: `tempertaure` is no rule of this file: did you mean `temperature`?"
    );
    let text = with("above =", "abvoe =");
    assert_eq!(
        said(&text),
        "zone.toml, line 7: this rule lacks `above` or `below`: expected { warning = …, critical = … } under one of them\n\
         zone.toml, line 10: a rule has no key `abvoe`: did you mean `above`?"
    );
    let text = with("quantity = \"temperature\"", "quantity = \"temp\"");
    assert_eq!(
        said(&text),
        "zone.toml, line 9: `quantity` is \"temp\": expected a quantity of this file: temperature"
    );
    let text = with("name = \"temperature\"", "name = \"temperature\"\nsignal = \"rat\"");
    assert_eq!(said(&text), "zone.toml, line 9: `signal` is \"rat\": did you mean \"rate\"?");
    let text = with("at = \"warning\"", "at = \"red\"");
    assert_eq!(said(&text), "zone.toml, line 13: `at` is \"red\": expected \"warning\" or \"critical\"");
}

#[test]
fn an_amount_that_does_not_fit_says_why() {
    assert_eq!(
        said(&with("warning = 54,", "warning = 54.001,")),
        "zone.toml, line 10: `warning` is 54.001: its quantity counts in steps of 0.01 °C"
    );
    assert_eq!(
        said(&with("warning = 54,", "warning = \"54 K\",")),
        "zone.toml, line 10: `warning` is \"54 K\": expected an amount, as in \"20 °C\" or 20"
    );
    assert_eq!(
        said(&with("warning = 54,", "warning = 70,")),
        "zone.toml, line 10: what is bad `above` a threshold gets worse above it: `critical` must not lie below `warning`"
    );
    assert_eq!(
        said(&with("name = \"temperature\"", "name = \"temperature\"\nhold = \"1500 ms\"")),
        "zone.toml, line 9: `hold` is \"1500 ms\": expected a whole number of steps of the grid, which are 1.0 s long"
    );
    assert_eq!(
        said(&with("weight = 0.6", "weight = 0.4")),
        "zone.toml, line 11: all cells together weigh 0.40, less than the 0.50 of a warning: it could never be raised"
    );
    assert_eq!(
        said(&with("name = \"temperature\"", "name = \"temperature\"\nmemory = 100")),
        "zone.toml, line 9: `memory` is not for the signal \"value\", which takes nothing more"
    );
    assert!(said(&with("warning = 54,", "warning = 1e300,")).ends_with("that is more than a value can hold"));
}

#[test]
fn every_mistake_is_told_at_once() {
    let text = with("scale = -2", "scale = -22").replace("0.6", "6").replace("devices", "device");
    let lines: Vec<String> =
        said(&text).lines().map(|line| line.split(':').next().unwrap().to_owned()).collect();
    assert_eq!(lines, ["zone.toml, line 1", "zone.toml, line 2", "zone.toml, line 6", "zone.toml, line 13"]);
    assert!(said("devices = [").starts_with("zone.toml, line 1: "));
}

#[test]
fn what_vetoes_stands_above() {
    let veto = |name| {
        with("name = \"temperature\"", &format!("name = \"temperature\"\nunless = {{ rule = \"{name}\" }}"))
    };
    assert!(said(&veto("temperature")).contains("line 9: `temperature` cannot veto itself"));
    let below = veto("battery")
        + "[[rule]]\nname = \"battery\"\nquantity = \"temperature\"\nbelow = { warning = 2, critical = 1 }\n";
    assert!(said(&below).contains("line 9: `battery` stands below: move it above this rule"));
}

const FAN: &str = "
[[action]]
hazard = \"fire\"
when = \"critical\"
command = { device = \"fan-1\", name = \"relay\", value = true }
";

#[test]
fn a_command_has_one_owner() {
    let cleared = FAN.replace("critical", "cleared").replace("true", "false");
    let both = loaded("zone.toml", &format!("{SMALL}{FAN}{cleared}"));
    let command =
        |value: &str| What::Command { device: "fan-1".into(), name: "relay".into(), value: value.into() };
    let actions: Vec<_> = both.zone.actions.iter().map(|action| (action.when, action.what.clone())).collect();
    assert_eq!(actions, [(When::Critical, command("true")), (When::Cleared, command("false"))]);
    assert_eq!(both.zone.actions[0].max_age.as_secs(), 60);

    assert_eq!(
        said(&format!("{SMALL}{FAN}{FAN}")),
        "zone.toml, line 20: the command `relay` of fan-1 is given at `critical` already (line 15): take one away"
    );
    let smoke = SMALL.replace("\"fire\"", "\"smoke\"") + &FAN.replace("\"fire\"", "\"smoke\"");
    let files = [("zone.toml", &*format!("{SMALL}{FAN}")), ("attic.toml", &smoke)];
    assert_eq!(
        parse(&files, &Catalogues::default()).unwrap_err().to_string(),
        "attic.toml, line 15: the command `relay` of fan-1 belongs to `smoke` here, but to `fire` already \
         (zone.toml, line 15): one owner moves it, so take one away"
    );
    let owned = with("name = \"fire\"", "name = \"fire\"\nowner = \"device\"") + FAN;
    assert!(said(&owned).contains("`fire` is owned by the device, which acts on it"));
}

#[test]
fn a_loop_is_refused_with_its_way() {
    let drives = |quantity: &str| format!("{SMALL}{FAN}drives = \"{quantity}\"\n");
    assert_eq!(
        said(&drives("temperature")),
        "zone.toml, line 19: a loop: `fire` acts, `relay` of fan-1 drives temperature, which decides `fire`: \
         it would answer to itself. Judge it by another quantity, or take the action away"
    );
    assert!(said(&drives("cellar-3/temperature")).contains("a loop"));
    assert_eq!(
        said(&drives("temprature")),
        "zone.toml, line 19: no hazard is judged by `temprature`: did you mean `temperature`?"
    );
    assert!(said(&drives("attic-6/temperature")).contains("take `drives` away"));
    // Over two files: the fan moves the draught, the draught closes the flap, the flap moves the temperature.
    let draught = SMALL.replace("temperature", "draught").replace("fire", "draught");
    let flap = FAN.replace("fan-1", "flap-1").replace("fire", "draught") + "drives = [\"temperature\"]\n";
    let (one, two) = (drives("draught"), draught + &flap);
    let errors = parse(&[("zone.toml", &one), ("air.toml", &two)], &Catalogues::default()).unwrap_err();
    assert_eq!(errors.0.len(), 2, "{errors}");
    assert!(
        errors.0[0].what.contains("which decides `draught`, which moves what decides `fire`"),
        "{errors}"
    );
    let open = parse(
        &[("zone.toml", &one), ("air.toml", &two.replace("[\"temperature\"]", "[\"draught\"]"))],
        &Catalogues::default(),
    );
    assert!(open.unwrap_err().to_string().starts_with("air.toml, line 19: a loop: `draught` acts"));
}

#[test]
fn ids_and_scales_may_come_from_the_catalogue() {
    let listed =
        Listed { id: 7, name: "temperature".into(), unit: "Cel".into(), scale: -1, interval_ms: 10_000 };
    let catalogue = Catalogue { quantities: vec![listed], ..Catalogue::default() };
    let catalogues =
        Catalogues { of: [("cellar-3".to_owned(), catalogue)].into(), devices: vec!["cellar-3".to_owned()] };
    let text = with("id = 1\nunit = \"°C\"\nscale = -2\n", "");
    let rule = parse(&[("zone.toml", &text)], &catalogues).unwrap()[0].zone.table.table().rules[0];
    assert_eq!((rule.quantity, rule.unit, rule.scale, rule.interval), (7, "°C", -1, 10));
    assert_eq!(rule.levels, Levels::above(540, 650));
    let errors = parse(&[("zone.toml", SMALL)], &catalogues).unwrap_err().to_string();
    assert!(
        errors.contains("line 3: `id` of `temperature` is 1, but the catalogue of cellar-3 says 7"),
        "{errors}"
    );
    assert!(
        said(&text).contains(
            "line 3: this quantity lacks `id`: expected the one of cellar-3's catalogue, or --store"
        )
    );
    let errors =
        parse(&[("zone.toml", &text.replace("cellar", "celar"))], &catalogues).unwrap_err().to_string();
    assert!(errors.contains("the store knows no device celar-3, whose catalogue would say"), "{errors}");
    assert!(errors.ends_with("did you mean cellar-3?"), "{errors}");
    let text = text.replace("temperature", "temprature");
    let errors = parse(&[("zone.toml", &text)], &catalogues).unwrap_err().to_string();
    assert!(
        errors.contains("the catalogue of cellar-3 has no `temprature`: did you mean `temperature`?"),
        "{errors}"
    );
}

#[test]
fn a_command_that_its_device_does_not_take_is_told() {
    let commands = vec![("relay".to_owned(), bool::SHAPE)];
    let catalogue = Catalogue { commands, ..Catalogue::default() };
    let catalogues = Catalogues { of: [("fan-1".to_owned(), catalogue)].into(), ..Catalogues::default() };
    let said = |action: &str| match parse(&[("zone.toml", &*format!("{SMALL}{action}"))], &catalogues) {
        Ok(_) => String::new(),
        Err(errors) => errors.to_string(),
    };
    assert_eq!(said(FAN), "");
    assert_eq!(
        said(&FAN.replace("relay", "relya")),
        "zone.toml, line 18: fan-1 has no command `relya`: did you mean `relay`?"
    );
    let value = said(&FAN.replace("true", "\"open\""));
    assert!(value.starts_with("zone.toml, line 18: `relay` of fan-1 wants bool, not \"open\""), "{value}");
    let setting = said(&FAN.replace("command =", "setting ="));
    assert_eq!(setting, "zone.toml, line 18: fan-1 has no setting `relay`: its catalogue lists none");
}

#[test]
fn a_quantity_that_two_rules_judge_is_told_once() {
    let again =
        "[[rule]]\nname = \"again\"\nquantity = \"temperature\"\nbelow = { warning = 2, critical = 1 }\n";
    let text = with("scale = -2", "scale = -2\nevery = \"10\"") + again;
    assert_eq!(
        said(&text),
        "zone.toml, line 7: `every` is \"10\": expected a time, as in \"250 ms\", \"10 s\", \"1 min\", \"6 h\" or \"2 d\""
    );
}

#[test]
fn summer_time_is_listed_as_steps() {
    let zone = "time-zone = \"+01:00\"\nsummer-time = { offset = \"+02:00\", from = \"last Sunday of March at 01:00 UTC\", \
                to = \"last Sunday of October at 01:00 UTC\" }\norigin = \"2026-01-01\"\n";
    let calendar = loaded("zone.toml", &format!("{zone}{SMALL}")).zone.table.table().calendar;
    assert_eq!((calendar.origin_s, calendar.offset_s), (1_767_225_600, 3_600));
    let first =
        calendar.changes.iter().take(2).map(|(at, offset)| (i64::from(at.0) + calendar.origin_s, *offset));
    assert_eq!(first.collect::<Vec<_>>(), [(1_774_746_000, 7_200), (1_792_890_000, 3_600)]);
    assert!(said(&format!("grid = \"50 ms\"\n{SMALL}")).contains("counts 6.8 years"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Any text is zones or mistakes with their lines: nothing panics, and lines exist.
    #[test]
    fn any_text(text in "\\PC{0,200}") {
        check_said(&text);
    }

    /// A shipped file with a piece replaced by another one's piece, cut anywhere.
    #[test]
    fn any_broken_file(which in 0usize..6, other in 0usize..6, at in 0.0f64..1.0, from in 0.0f64..1.0, cut in 0usize..40, taken in 0usize..40) {
        let files = ["fire.toml", "flood.toml", "storm.toml", "earthquake.toml", "sensor.toml", "motes.toml"];
        let pick = |file: usize| shipped(files[file]).chars().collect::<Vec<char>>();
        let (text, other) = (pick(which), pick(other));
        let place = |of: &[char], at: f64| (of.len() as f64 * at) as usize;
        let (at, from) = (place(&text, at), place(&other, from));
        let mut broken: String = text[..at].iter().collect();
        broken.extend(&other[from..(from + taken).min(other.len())]);
        broken.extend(&text[(at + cut).min(text.len())..]);
        check_said(&broken);
    }
}

fn check_said(text: &str) {
    let read = parse(&[("some.toml", text)], &Catalogues::default());
    if let Err(errors) = read {
        assert!(!errors.0.is_empty(), "refused without a word: {text:?}");
        let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
        for error in errors.0 {
            assert!(
                error.line.is_some_and(|line| (1..=lines).contains(&line)) && error.what.len() > 5,
                "{error}"
            );
        }
    }
}

#[test]
fn what_is_wrong_with_a_webhook_is_told_without_its_secrets() {
    let hook = |lines: &str| SMALL.to_owned() + "[[action]]\nhazard = \"fire\"\nwhen = \"warning\"\n" + lines;
    let text = hook("webhook = \"https://example.org/s3cret\"\nca = \"cellar-ca.pem\"\n");
    let what = What::Webhook { url: "https://example.org/s3cret".into(), ca: Some("cellar-ca.pem".into()) };
    assert_eq!(loaded("zone.toml", &text).zone.actions[0].what, what);
    for (lines, expected) in [
        (
            "webhook = \"htps://example.org/s3cret\"",
            "17: `webhook`: it begins neither with https:// nor with http://",
        ),
        (
            "webhook = \"https://me:s3cret@example.org\"",
            "17: `webhook`: a user and a password cannot stand before the host",
        ),
        (
            "webhook = \"http://example.org/s3cret\"\nca = \"a.pem\"",
            "18: `ca` is for a webhook that begins with https://",
        ),
        (
            "webhook = \"https://example.org/s3cret\"\nca = \"\"",
            "18: `ca` is \"\": expected the path of a PEM file",
        ),
        (
            "webhook = \"https://example.org/s3cret\"\ncaa = \"\"",
            "18: a action has no key `caa`: did you mean `ca`?",
        ),
        ("program = [\"/bin/true\"]\nca = \"a.pem\"", "18: `ca` is for a webhook, not for a program"),
    ] {
        let said = said(&hook(lines));
        assert!(
            said.starts_with(&format!("zone.toml, line {expected}")) && !said.contains("s3cret"),
            "{said}"
        );
    }
}
