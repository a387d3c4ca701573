//! Recordings that are known: which column is which quantity, in which unit, at which scale.
//!
//! Units are SenML's (RFC 8428, RFC 8798). An empty unit says that the source does not state one. Litres a minute and
//! cubic metres an hour have no SenML unit that is a power of ten away, so they stay. Scales follow what a sensor
//! resolves, not the digits that averaging left behind.

/// A kind of recording.
#[derive(Debug)]
pub(super) struct Profile {
    pub(super) name: &'static str,
    /// A part of the file's name, where the header alone does not tell.
    file: Option<&'static str>,
    pub(super) time: TimeColumns,
    pub(super) columns: &'static [Known],
    /// Columns that no other recording has: with one of them there, a missing column is an error.
    marks: &'static [&'static str],
    /// The number that stands for "no value".
    pub(super) no_value: Option<i64>,
}

/// Where a row's time is.
#[derive(Debug)]
pub(super) enum TimeColumns {
    /// One column holds it all.
    Stamp(&'static str),
    /// A date and a time of day.
    DateAndClock(&'static str, &'static str),
    /// No time, but a reading number at a fixed pace.
    Counted { column: &'static str, step_ms: i64 },
}

/// A column and the quantity it holds.
#[derive(Debug)]
pub(super) struct Known {
    /// The name in the header, in every spelling that occurs.
    pub(super) header: &'static [&'static str],
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) scale: i8,
    /// From the file's unit to `unit`, as a power of ten.
    pub(super) shift: i8,
}

/// What a header turns out to be.
#[derive(Debug)]
pub(super) enum Match {
    Whole(&'static Profile),
    Part { profile: &'static Profile, missing: Vec<&'static str> },
    None,
}

/// Compares a header with every known recording.
pub(super) fn recognise(file: &str, names: &[String]) -> Match {
    let file = file.to_ascii_lowercase();
    let mut part = Match::None;
    for profile in PROFILES {
        if profile.file.is_some_and(|word| !file.contains(word)) {
            continue;
        }
        let missing = profile.missing(names);
        if missing.is_empty() {
            return Match::Whole(profile);
        }
        if profile.marks.iter().any(|mark| position(names, mark).is_some()) {
            part = Match::Part { profile, missing };
        }
    }
    part
}

/// Where a column is, whatever its case, blanks and punctuation.
pub(super) fn position(names: &[String], wanted: &str) -> Option<usize> {
    let wanted = plain(wanted);
    names.iter().position(|name| plain(name) == wanted)
}

impl Profile {
    fn missing(&self, names: &[String]) -> Vec<&'static str> {
        let mut missing: Vec<_> = match self.time {
            TimeColumns::Stamp(column) | TimeColumns::Counted { column, .. } => vec![column],
            TimeColumns::DateAndClock(date, clock) => vec![date, clock],
        };
        missing.retain(|column| position(names, column).is_none());
        let absent = self.columns.iter().filter(|column| column.position(names).is_none());
        missing.extend(absent.filter_map(|column| column.header.first()));
        missing
    }
}

impl Known {
    pub(super) fn position(&self, names: &[String]) -> Option<usize> {
        self.header.iter().find_map(|spelling| position(names, spelling))
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

const fn known(
    header: &'static [&'static str],
    name: &'static str,
    unit: &'static str,
    scale: i8,
    shift: i8,
) -> Known {
    Known { header, name, unit, scale, shift }
}

const PROFILES: &[Profile] = &[
    Profile {
        name: "occupancy",
        file: None,
        time: TimeColumns::Stamp("date"),
        columns: &[
            known(&["Temperature"], "temperature", "Cel", -2, 0),
            known(&["Humidity"], "humidity", "%RH", -2, 0),
            known(&["Light"], "light", "lx", -1, 0),
            known(&["CO2"], "co2", "ppm", -1, 0),
            known(&["HumidityRatio"], "humidity-ratio", "/", -6, 0),
            known(&["Occupancy"], "occupancy", "/", 0, 0),
        ],
        marks: &["HumidityRatio"],
        no_value: None,
    },
    Profile {
        name: "air-quality",
        file: None,
        time: TimeColumns::DateAndClock("Date", "Time"),
        columns: &[
            known(&["CO(GT)"], "co", "ug/m3", 0, 3),
            known(&["PT08.S1(CO)"], "co-response", "", -2, 0),
            known(&["NMHC(GT)"], "nmhc", "ug/m3", 0, 0),
            known(&["C6H6(GT)"], "benzene", "ug/m3", -2, 0),
            known(&["PT08.S2(NMHC)"], "nmhc-response", "", -2, 0),
            known(&["NOx(GT)"], "nox", "ppb", -1, 0),
            known(&["PT08.S3(NOx)"], "nox-response", "", -2, 0),
            known(&["NO2(GT)"], "no2", "ug/m3", -1, 0),
            known(&["PT08.S4(NO2)"], "no2-response", "", -2, 0),
            known(&["PT08.S5(O3)"], "o3-response", "", -2, 0),
            known(&["T"], "temperature", "Cel", -2, 0),
            known(&["RH"], "humidity", "%RH", -2, 0),
            known(&["AH"], "absolute-humidity", "", -4, 0),
        ],
        marks: &["PT08.S1(CO)", "NMHC(GT)", "C6H6(GT)", "PT08.S5(O3)"],
        no_value: Some(-200),
    },
    Profile {
        name: "suthaharan",
        file: None,
        time: TimeColumns::Counted { column: "Reading#", step_ms: 5_000 },
        columns: &[
            known(&["Humidity"], "humidity", "%RH", -2, 0),
            known(&["Temperature", "Temprature", "Tepmrature"], "temperature", "Cel", -2, 0),
        ],
        marks: &["Mote ID"],
        no_value: None,
    },
    Profile {
        name: "nab machine temperature",
        file: Some("machine_temperature"),
        time: TimeColumns::Stamp("timestamp"),
        columns: &[known(&["value"], "temperature", "", -4, 0)],
        marks: &["timestamp", "value"],
        no_value: None,
    },
    Profile {
        name: "ampds water meter",
        file: Some("water"),
        time: TimeColumns::Stamp("unix_ts"),
        columns: &[
            known(&["counter"], "water", "m3", -6, -3),
            known(&["avg_rate"], "water-mean-rate", "l/min", -3, 0),
            known(&["inst_rate"], "water-rate", "l/min", -3, 0),
        ],
        marks: &["avg_rate", "inst_rate"],
        no_value: None,
    },
    Profile {
        name: "ampds gas meter",
        file: Some("gas"),
        time: TimeColumns::Stamp("unix_ts"),
        columns: &[
            known(&["counter"], "gas", "m3", -6, -3),
            known(&["avg_rate"], "gas-mean-rate", "m3/h", -5, -3),
            known(&["inst_rate"], "gas-rate", "m3/h", -5, -3),
        ],
        marks: &["avg_rate", "inst_rate"],
        no_value: None,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_scales_are_powers_that_a_reading_can_hold() {
        for profile in PROFILES {
            for (n, column) in profile.columns.iter().enumerate() {
                assert!((-9..=0).contains(&column.scale), "{} {}", profile.name, column.name);
                assert!(profile.columns.iter().skip(n + 1).all(|other| other.name != column.name));
            }
        }
    }

    #[test]
    fn a_file_of_ones_own_with_common_names_is_not_taken_for_a_known_one() {
        let names = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        for header in ["date,Temperature,Humidity,Light,CO2", "timestamp,value", "Date,Time,T,RH"] {
            assert!(matches!(recognise("mine.csv", &names(header)), Match::None), "{header}");
        }
    }
}
