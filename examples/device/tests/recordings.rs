//! Every bundled recording is read whole, and what its README says of it is what the reader finds.

use example_device::replay::{QuantityInfo, Recording, StepBack};
use sensock::{Fault, batch::Cell};
use std::path::Path;

fn open(file: &str) -> Recording {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data").join(file);
    Recording::open(path).unwrap_or_else(|error| panic!("{error}"))
}

fn quantities(recording: &Recording) -> String {
    let one = |q: &QuantityInfo| format!("{} {} {}", q.name, q.unit, q.scale);
    recording.quantities().iter().map(one).collect::<Vec<_>>().join(", ")
}

fn first(recording: &Recording) -> Vec<Option<Cell>> {
    recording.rows().next().map(|row| row.cells.to_vec()).unwrap_or_default()
}

fn values(numbers: &[i32]) -> Vec<Option<Cell>> {
    numbers.iter().map(|number| Some(Cell::Value(*number))).collect()
}

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

#[test]
fn occupancy() {
    let training = open("occupancy/datatraining.txt.gz");
    assert_eq!(training.profile(), Some("occupancy"));
    assert_eq!(
        quantities(&training),
        "temperature Cel -2, humidity %RH -2, light lx -1, co2 ppm -1, humidity-ratio / -6, occupancy / 0"
    );
    assert_eq!(training.rows().len(), 8_143);
    // 23.18, 27.272, 426, 721.25, 0.00479298817650529, 1
    assert_eq!(first(&training), values(&[2318, 2727, 4260, 7212, 4793, 1]));
    let times: Vec<_> = training.rows().take(3).map(|row| row.at_ms).collect();
    assert_eq!(times, [0, 59_000, 120_000]);
    assert_eq!(training.span_ms(), 5 * 24 * HOUR + 15 * HOUR + 42 * MINUTE);
    assert_eq!(training.interval_ms(), Some(MINUTE));
    assert_eq!(training.notes().moved_rows, 0);
    assert_eq!(training.notes().skipped_columns, ["number 1"]);

    let test = open("occupancy/datatest.txt.gz");
    assert_eq!((test.profile(), test.rows().len()), (Some("occupancy"), 2_665));
    assert_eq!(test.notes().skipped_columns, ["no"]);
}

#[test]
fn air_quality() {
    let air = open("air-quality/AirQuality.csv.gz");
    assert_eq!(air.profile(), Some("air-quality"));
    assert_eq!(air.rows().len(), 9_357);
    assert_eq!(air.span_ms(), 9_356 * HOUR);
    assert_eq!(air.notes().moved_rows, 0);
    assert!(quantities(&air).starts_with("co ug/m3 0, co-response  -2, nmhc ug/m3 0, benzene ug/m3 -2"));
    // 2.6 mg/m3, 1360.0, 150, 11.881723488680304, 1045.5, 166.0, ..., 13.599999904633, 48.875000953674, 0.7577538
    let numbers =
        [2_600, 136_000, 150, 1_188, 104_550, 1_660, 105_625, 1_130, 169_200, 126_750, 1_360, 4_888, 7_578];
    assert_eq!(first(&air), values(&numbers));
    // "-200" is no temperature: 366 rows of every sensor, and more of the reference analyser.
    let faults = |name: &str| {
        let column = air.quantities().iter().position(|q| q.name == name).unwrap();
        air.rows().filter(|row| row.cells[column] == Some(Cell::Fault(Fault::NO_VALUE.0))).count()
    };
    assert_eq!(
        ["temperature", "humidity", "co", "nox", "no2", "nmhc"].map(faults),
        [366, 366, 1683, 1639, 1642, 8443]
    );
}

#[test]
fn four_motes() {
    for (file, rows) in [
        ("singlehop-indoor-moteid1-data.txt", 4_417),
        ("singlehop-indoor-moteid2-data.txt", 4_417),
        ("singlehop-outdoor-moteid3-data.txt", 5_039),
        ("singlehop-outdoor-moteid4-data.txt", 5_041),
    ] {
        let mote = open(&format!("suthaharan-wsn/{file}"));
        assert_eq!(mote.profile(), Some("suthaharan"), "{file}");
        assert_eq!(quantities(&mote), "humidity %RH -2, temperature Cel -2", "{file}");
        assert_eq!(mote.rows().len(), rows, "{file}");
        assert!(mote.rows().enumerate().all(|(n, row)| row.at_ms == n as u64 * 5_000), "{file}");
        assert_eq!(mote.notes().rounded_values, 0, "{file}");
    }
    let event = open("suthaharan-wsn/singlehop-indoor-moteid1-data.txt");
    assert_eq!(first(&event), values(&[4_593, 2_797]));
    // The most humid and the warmest reading of the event, and where: readings 2344 to 2460.
    let most = |column: usize| {
        event.rows().enumerate().max_by_key(|(_, row)| match row.cells[column] {
            Some(Cell::Value(value)) => value,
            other => panic!("{other:?}"),
        })
    };
    for (column, value) in [(0, 9_161), (1, 5_656)] {
        let (n, row) = most(column).unwrap();
        assert_eq!(row.cells[column], Some(Cell::Value(value)));
        assert!((2_343..2_460).contains(&n), "{n}");
    }
}

#[test]
fn a_machine_whose_clock_steps_back() {
    let machine = open("nab/machine_temperature_system_failure.csv.gz");
    assert_eq!(machine.profile(), Some("nab machine temperature"));
    assert_eq!(machine.rows().len(), 22_695);
    assert_eq!(first(&machine), values(&[739_673]));
    assert_eq!(machine.interval_ms(), Some(5 * MINUTE));
    let [StepBack { by_ms, .. }] = machine.notes().steps_back[..] else { panic!("{:?}", machine.notes()) };
    assert_eq!((by_ms, machine.notes().moved_rows), (55 * MINUTE, 12));
    let times: Vec<_> = machine.rows().map(|row| row.at_ms).collect();
    assert!(times.is_sorted_by(|a, b| a < b));
}

#[test]
fn water_and_gas_meter() {
    let water = open("ampds-meters/Water_WHW-1.csv.gz");
    assert_eq!(quantities(&water), "water m3 -6, water-mean-rate l/min -3, water-rate l/min -3");
    assert_eq!(water.rows().len(), 99_999);
    assert_eq!(water.rows().nth(1).unwrap().cells, values(&[45_291_311, 3_785, 0]));
    assert_eq!(water.span_ms(), 99_998 * MINUTE);

    let gas = open("ampds-meters/NaturalGas_FRG-4.csv.gz");
    assert_eq!(quantities(&gas), "gas m3 -6, gas-mean-rate m3/h -5, gas-rate m3/h -5");
    assert_eq!((gas.rows().len(), first(&gas)), (99_999, values(&[295_958_832, 0, 0])));
    // The counter never steps back, and nothing is lost by reading it in m3.
    for meter in [water, gas] {
        let counts = meter.rows().map(|row| match row.cells[0] {
            Some(Cell::Value(count)) => count,
            other => panic!("{other:?}"),
        });
        let counts: Vec<_> = counts.collect();
        assert!(counts.is_sorted());
        assert_eq!(meter.notes().rounded_values, 0);
    }
}
