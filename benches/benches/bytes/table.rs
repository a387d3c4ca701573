//! Bytes a reading: the same scaled integers and ticks by every codec, on the bundled recordings and on made-up records.

use std::path::Path;

use benches::peers::{Columns, pco_bytes, zstd_bytes};
use benches::{Device, Row, records};
use example_device::replay::Recording;
use sensock::batch::Cell;
use serde::Serialize;
use serde::ser::SerializeStruct as _;

/// The recordings that are in the repository.
pub const RECORDINGS: [&str; 10] = [
    "occupancy/datatraining.txt.gz",
    "occupancy/datatest.txt.gz",
    "air-quality/AirQuality.csv.gz",
    "suthaharan-wsn/singlehop-indoor-moteid1-data.txt",
    "suthaharan-wsn/singlehop-indoor-moteid2-data.txt",
    "suthaharan-wsn/singlehop-outdoor-moteid3-data.txt",
    "suthaharan-wsn/singlehop-outdoor-moteid4-data.txt",
    "nab/machine_temperature_system_failure.csv.gz",
    "ampds-meters/Water_WHW-1.csv.gz",
    "ampds-meters/NaturalGas_FRG-4.csv.gz",
];

/// What the source of a recording writes where a sensor had no value, in the file's own unit.
const NO_VALUE: i32 = -200;

/// A recording, by column.
pub struct Sheet {
    /// The file, or what it is.
    pub name: String,
    /// Each quantity with the power of ten of its scale.
    pub quantities: Vec<(&'static str, i8)>,
    /// What every codec gets: where a sensor had no value there is the number that the source writes.
    pub columns: Columns,
    /// The same as a device sends it: no value is a fault.
    pub cells: Vec<Vec<Cell>>,
}

/// Sums over batches of one size.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sizes {
    /// How many readings the batches have together.
    pub readings: usize,
    /// Our frames.
    pub sensock: usize,
    /// Our frames, where "no value" is told as a fault.
    pub faults: usize,
    pub postcard: usize,
    pub json: usize,
    pub pco: usize,
    pub zstd: usize,
}

impl Sheet {
    /// A bundled recording.
    pub fn open(file: &str) -> Sheet {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/data");
        let recording = Recording::open(data.join(file)).unwrap();
        let quantities: Vec<_> = recording.quantities().iter().map(|q| (name(&q.name), q.scale)).collect();
        let ticks = recording.rows().map(|row| Row::BOOTED + row.at_ms).collect();
        let cells: Vec<Vec<Cell>> = (0..quantities.len())
            .map(|i| recording.rows().map(|row| row.cells[i].unwrap()).collect())
            .collect();
        let values = cells.iter().zip(&quantities).map(|(cells, (_, scale))| {
            let no_value = NO_VALUE * 10i32.pow((-scale).max(0).unsigned_abs().into());
            cells.iter().map(|cell| if let Cell::Value(v) = cell { *v } else { no_value }).collect()
        });
        let columns = Columns { ticks, values: values.collect() };
        Sheet { name: file.to_owned(), quantities, columns, cells }
    }

    /// The made-up cellar.
    pub fn cellar(count: usize) -> Sheet {
        let columns = Columns::of(&records(count));
        let cells = columns.values.iter().map(|v| v.iter().copied().map(Cell::Value).collect()).collect();
        let quantities = vec![("temperature", -2), ("humidity", -2)];
        Sheet { name: "made-up cellar".to_owned(), quantities, columns, cells }
    }

    /// How many records it has.
    pub fn len(&self) -> usize {
        self.columns.ticks.len()
    }

    /// Bytes of whole batches of so many records; of at most so many batches, spread evenly.
    pub fn sizes(&self, count: usize, most: usize) -> Sizes {
        let batches = self.len() / count;
        let taken = batches.min(most);
        let mut sum = Sizes { readings: taken * count * self.quantities.len(), ..Sizes::default() };
        for batch in 0..taken {
            let from = batch * batches / taken * count;
            let part = self.columns.part(from, count);
            let values = &self.columns.values;
            sum.sensock += self.ours(from, count, |i, row| Cell::Value(values[i][row]));
            sum.faults += self.ours(from, count, |i, row| self.cells[i][row]);
            sum.pco += pco_bytes(&part);
            sum.zstd += zstd_bytes(&part);
            let rows: Vec<Record<'_>> = (from..from + count).map(|row| Record { sheet: self, row }).collect();
            sum.json += serde_json::to_vec(&rows).unwrap().len();
            sum.postcard += postcard::experimental::serialized_size(&rows).unwrap();
        }
        sum
    }

    /// The payload of one frame on a connection that has carried the batch before.
    fn ours(&self, from: usize, count: usize, cell: impl Fn(usize, usize) -> Cell) -> usize {
        let mut device = Device::new(self.quantities.len() as u16);
        let mut out = vec![0; 64 + 8 * count * (self.quantities.len() + 1)];
        let mut frame = |from: usize| {
            let ticks = self.columns.ticks[from..from + count].iter().copied();
            let cell = &cell;
            let column = |i| (from..from + count).map(move |row| cell(i, row));
            device.columns(&mut out, count, ticks, self.quantities.len(), column).unwrap()
        };
        if from >= count {
            frame(from - count);
        }
        frame(from)
    }
}

/// For the life of the program, as serde wants the names of fields.
fn name(of: &str) -> &'static str {
    Box::leak(of.to_owned().into_boxed_str())
}

/// One record, with the quantities' names where a format has them.
struct Record<'a> {
    sheet: &'a Sheet,
    row: usize,
}

impl Serialize for Record<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Columns { ticks, values } = &self.sheet.columns;
        let mut record = serializer.serialize_struct("Record", 1 + values.len())?;
        record.serialize_field("ts", &ticks[self.row])?;
        for ((name, _), values) in self.sheet.quantities.iter().zip(values) {
            record.serialize_field(name, &values[self.row])?;
        }
        record.end()
    }
}
