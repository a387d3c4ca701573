//! What a person sees when a recording is not as it should be, and how defects are dealt with.

use super::*;
use proptest::prelude::*;
use sensock::{Catalog, Fault, batch::Cell};

fn said(name: &str, text: &str) -> String {
    Recording::read(name, text.as_bytes()).unwrap_err().to_string()
}

fn read(text: &str) -> Recording {
    Recording::read("test.csv", text.as_bytes()).unwrap()
}

fn times(recording: &Recording) -> Vec<u64> {
    recording.rows().map(|row| row.at_ms).collect()
}

fn column(recording: &Recording, column: usize) -> Vec<Option<Cell>> {
    recording.rows().map(|row| row.cells[column]).collect()
}

fn value(number: i32) -> Option<Cell> {
    Some(Cell::Value(number))
}

fn fault(fault: Fault) -> Option<Cell> {
    Some(Cell::Fault(fault.0))
}

const OCCUPANCY: &str =
    "\"date\",\"Temperature\",\"Humidity\",\"Light\",\"CO2\",\"HumidityRatio\",\"Occupancy\"\n";

#[test]
fn a_file_that_is_not_there() {
    let error = Recording::open("no-such-folder/office.csv").unwrap_err().to_string();
    assert!(error.starts_with("no-such-folder/office.csv: cannot be read ("), "{error}");
    assert!(error.ends_with("); expected a recording there, check the path and the permissions"), "{error}");
}

#[test]
fn an_empty_file() {
    let expected = "a.csv: the file is empty; expected a header such as \"time,temperature\" and a line for each record \
                    below it";
    for text in ["", "\n \n\r\n", ",,\n", "\u{feff}"] {
        assert_eq!(said("a.csv", text), expected, "{text:?}");
    }
}

#[test]
fn a_header_without_rows() {
    let expected =
        "a.csv, line 1: there is a header, but no row with a value below it; expected at least one";
    for text in ["time,temperature\n", "time,temperature\n\n,\n", OCCUPANCY] {
        assert_eq!(said("a.csv", text), expected, "{text:?}");
    }
    let blank = format!("{OCCUPANCY}\"1\",\"2015-02-04 17:51:00\",,,,,,\n");
    assert_eq!(said("a.csv", &blank), expected);
}

#[test]
fn a_name_that_promises_gzip() {
    let expected =
        "a.csv.gz: the name ends in .gz, but the content is not gzip; compress it, or take .gz off the name";
    assert_eq!(said("a.csv.gz", "time,t\n1,2\n"), expected);
}

#[test]
fn gzip_that_breaks_off() {
    let whole = include_bytes!("../../../data/occupancy/datatest.txt.gz");
    let error = Recording::read("a.gz", &whole[..whole.len() / 2]).unwrap_err().to_string();
    assert!(error.starts_with("a.gz: the gzip data is damaged or cut off ("), "{error}");
    assert!(error.ends_with("); copy the file again"), "{error}");
}

#[test]
fn bytes_that_are_not_text() {
    let error = Recording::read("a.csv", b"time,t\n1,2\n2,\xb0\n").unwrap_err().to_string();
    assert_eq!(error, "a.csv, line 3: found bytes that are not UTF-8 text; save the file as UTF-8");
}

#[test]
fn a_known_recording_with_columns_missing() {
    let text = "date,Temperature,Humidity,Light,HumidityRatio\n2015-02-04 17:51:00,1,2,3,4\n";
    assert_eq!(
        said("office.csv", text),
        "office.csv, line 1: this looks like the occupancy recording, but the header has no \"CO2\", \"Occupancy\"; \
         found \"date\", \"Temperature\", \"Humidity\", \"Light\", \"HumidityRatio\""
    );
    assert_eq!(
        said("Water_2.csv", "\n\nunix_ts,counter,avg_rate\n1,2,3\n"),
        "Water_2.csv, line 3: this looks like the ampds water meter recording, but the header has no \"inst_rate\"; \
         found \"unix_ts\", \"counter\", \"avg_rate\""
    );
}

#[test]
fn no_header_at_all() {
    let wanted =
        "expected a header that names a time and at least one quantity, such as \"time,temperature\"";
    assert_eq!(
        said("a.csv", "2015-02-04 17:51:00,23.1\n"),
        format!("a.csv, line 1: found a row of data, {wanted}")
    );
    assert_eq!(
        said("a.csv", "\n17,23.1\n18,23.2\n"),
        format!("a.csv, line 2: found a row of data, {wanted}")
    );
    assert_eq!(said("a.csv", "dear diary\n"), format!("a.csv, line 1: found \"dear diary\", {wanted}"));
}

#[test]
fn nothing_but_text_beside_the_time() {
    assert_eq!(
        said("a.csv", "time,weather\n1,fair\n2,rain\n"),
        "a.csv, line 1: no column beside the time \"time\" begins with a number; expected at least one such as 23.45"
    );
}

#[test]
fn a_row_that_is_too_short_or_too_long() {
    assert_eq!(
        said("a.csv", "time,t,h\n1,2,3\n2,3\n"),
        "a.csv, line 3: found 2 fields, expected 3 as in the header"
    );
    assert_eq!(
        said("a.csv", "time,t,h\n1,2,3\n\n2,3,4,5\n"),
        "a.csv, line 4: found 4 fields, expected 3 as in the header"
    );
    assert_eq!(read("time,t,h\n1,2,3,,\n").rows().len(), 1);
}

#[test]
fn a_quote_without_its_end() {
    assert_eq!(
        said("a.csv", "time,t\n1,\"2\n"),
        "a.csv, line 2: found an opening quote without its end on the same line; close it with \""
    );
}

#[test]
fn a_number_that_is_none() {
    let wanted = "expected a number such as 23.45, or an empty field where nothing was measured";
    let row = "\"1\",\"2015-02-04 17:51:00\",23.18,27.272,426,721.25,0.0047,1\n";
    let bad = "\"2\",\"2015-02-04 17:51:59\",23.15,27 %,429.5,714,0.0047,1\n";
    assert_eq!(
        said("office.csv", &format!("{OCCUPANCY}{row}{bad}")),
        format!("office.csv, line 3, column \"Humidity\": found \"27 %\", {wanted}")
    );
    assert_eq!(
        said("a.csv", "when;t\n1;2.5\n2;2,5\n"),
        format!("a.csv, line 3, column \"t\": found \"2,5\", {wanted}")
    );
}

#[test]
fn a_number_that_a_reading_has_no_room_for() {
    let row = "\"1\",\"2015-02-04 17:51:00\",21474836.48,27.272,426,721.25,0.0047,1\n";
    assert_eq!(
        said("office.csv", &format!("{OCCUPANCY}{row}")),
        "office.csv, line 2, column \"Temperature\": found \"21474836.48\", expected a number between -21474836.47 and \
         21474836.47, the most that a reading holds"
    );
    assert_eq!(
        said("a.csv", "time,n\n1,2147483648\n"),
        "a.csv, line 2, column \"n\": found \"2147483648\", expected a number between -2147483647 and 2147483647, the \
         most that a reading holds"
    );
}

#[test]
fn a_time_in_no_known_form() {
    let stamps = "a time such as 2015-02-04 17:51:00, 2015-02-04T17:51:00Z or seconds such as 1333263600";
    assert_eq!(
        said("a.csv", "when,t\n04.02.2015 17:51,2\n"),
        format!("a.csv, line 2, column \"when\": found \"04.02.2015 17:51\", expected {stamps}")
    );
    let air = "Date,Time,T\n2004-03-10,18.00.00,2\n";
    assert_eq!(
        said("a.csv", air),
        "a.csv, line 2, column \"Time\": found \"18.00.00\", expected a time of day such as 18:00:00"
    );
    assert_eq!(
        said("a.csv", "Date,Time,T\n10/03/2004,18:00,2\n"),
        "a.csv, line 2, column \"Date\": found \"10/03/2004\", expected a date such as 2004-03-10"
    );
    assert_eq!(
        said("m.txt", "Reading#\tMote ID\tHumidity\tTemprature\tLabel\n1.5\t3\t35.3\t33.25\t0\n"),
        "m.txt, line 2, column \"Reading#\": found \"1.5\", expected a reading number such as 17"
    );
}

#[test]
fn a_clock_that_steps_back_never_takes_the_ticks_along() {
    let recording = read("time,t\n100,1\n200,2\n150,3\n200,4\n200.001,5\n300,6\n");
    assert_eq!(times(&recording), [0, 100_000, 100_001, 100_002, 100_003, 200_000]);
    assert_eq!(recording.notes().steps_back, [StepBack { line: 4, by_ms: 50_000 }]);
    assert_eq!(recording.notes().moved_rows, 3);
    assert_eq!(
        recording.notes().to_string(),
        "line 4: the clock steps back by 50 s\n\
         3 rows are not later than the row before and got the next millisecond\n"
    );
}

#[test]
fn a_recording_knows_when_it_began_if_its_rows_are_timed() {
    assert_eq!(read("time,a\n1970-01-02 00:00:00,1\n").began_ms(), Some(86_400_000));
    assert_eq!(read("time,a\n1333263600,\n1333263660,1\n").began_ms(), Some(1_333_263_660_000));
    assert_eq!(
        read("Reading#\tMote ID\tHumidity\tTemperature\tLabel\n7\t1\t45.9\t27.9\t0\n").began_ms(),
        None
    );
}

#[test]
fn an_unknown_file_is_read_by_what_its_cells_look_like() {
    let recording =
        read("at,t,site,t,count\n2020-01-01 00:00:00,1.50,roof,-0.125,7\n2020-01-01 00:00:01,,roof,NaN,8\n");
    assert_eq!(recording.profile(), None);
    let found: Vec<_> =
        recording.quantities().iter().map(|q| (q.name.as_str(), q.unit.as_str(), q.scale)).collect();
    assert_eq!(found, [("t", "", -1), ("t-2", "", -3), ("count", "", 0)]);
    assert_eq!(column(&recording, 0), [value(15), None]);
    assert_eq!(column(&recording, 1), [value(-125), fault(Fault::NOT_A_NUMBER)]);
    let ids = |row: Row<'_>| row.readings().map(|reading| reading.quantity).collect::<Vec<_>>();
    assert_eq!(recording.rows().map(ids).collect::<Vec<_>>(), [vec![1, 2, 3], vec![2, 3]]);
    assert_eq!(recording.interval_ms(), Some(1000));
    assert_eq!(recording.notes().skipped_columns, ["site"]);
}

#[test]
fn decimals_give_way_where_a_large_number_needs_the_room() {
    let recording = read("time,n\n1,0.123456789\n2,300000.5\n");
    assert_eq!(recording.quantities()[0].scale, -3);
    assert_eq!(column(&recording, 0), [value(123), value(300_000_500)]);
    assert_eq!(recording.notes().rounded_values, 1);
}

#[test]
fn what_arithmetic_could_not_say_is_a_fault() {
    let recording = read("time,t\n1,0.5\n2,-inf\n3,Infinity\n4,NAN\n");
    let faults = [Fault::TOO_LOW, Fault::TOO_HIGH, Fault::NOT_A_NUMBER].map(fault);
    assert_eq!(column(&recording, 0)[1..], faults);
    assert_eq!(recording.notes().faults, 3);
}

#[test]
fn a_wide_file_with_long_names_still_makes_a_catalogue() {
    let name = "é".repeat(40);
    let header = vec![name.as_str(); 20].join(",");
    let recording = read(&format!("time,{header}\n1{}\n", ",1".repeat(20)));
    let entries = recording.entries();
    let catalog = Catalog::new("test 1", &entries, &[], &[]);
    assert_eq!(catalog.quantities.len(), 16);
    assert_eq!((entries[0].id, entries[0].name), (1, "é".repeat(24).as_str()));
    assert_eq!((entries[15].id, entries[15].name), (16, format!("{}-16", "é".repeat(22)).as_str()));
    assert_eq!(recording.notes().skipped_columns.len(), 4);
}

#[test]
fn rows_with_a_time_alone_are_left_out() {
    let recording = read("time,t\n10,\n20,1\n30,\n40,2\n");
    assert_eq!(times(&recording), [0, 20_000]);
    assert_eq!(recording.notes().empty_rows, 2);
}

proptest! {
    #[test]
    fn any_bytes_are_a_recording_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Recording::read("a.csv", &bytes);
    }

    /// Whatever the clock does, ticks grow and no row is lost.
    #[test]
    fn ticks_always_grow(stamps in prop::collection::vec(0u32..50, 1..60)) {
        let rows: String = stamps.iter().enumerate().map(|(n, stamp)| format!("{stamp},{n}\n")).collect();
        let recording = read(&format!("time,n\n{rows}"));
        let times = times(&recording);
        prop_assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
        let values: Vec<_> = (0..stamps.len()).map(|n| value(n as i32)).collect();
        prop_assert_eq!(column(&recording, 0), values);
        let back = stamps.windows(2).filter(|pair| pair[1] < pair[0]).count();
        prop_assert_eq!(recording.notes().steps_back.len(), back);
    }

    /// What is written at a scale is read back to the digit.
    #[test]
    fn values_come_back_to_the_digit(values in prop::collection::vec(any::<i32>(), 1..20)) {
        let rows: String = values.iter().enumerate().map(|(n, value)| {
            let (sign, size) = (if *value < 0 { "-" } else { "" }, value.unsigned_abs());
            format!("{n},{sign}{}.{:02}\n", size / 100, size % 100)
        }).collect();
        let recording = read(&format!("time,n\n{rows}"));
        let step = 10i64.pow((2 + recording.quantities()[0].scale) as u32);
        let read: Vec<_> = column(&recording, 0).into_iter().map(|cell| match cell {
            Some(Cell::Value(value)) => i64::from(value) * step,
            other => panic!("{other:?}"),
        }).collect();
        prop_assert_eq!(read, values.into_iter().map(i64::from).collect::<Vec<_>>());
    }
}
