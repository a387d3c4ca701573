//! Packs slices of the bundled recordings: a list of bytes that a chip has room for.

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

/// The values of a record by quantity, in scaled units.
type Row = Vec<Option<i32>>;

fn main() -> Result<(), Box<dyn Error>> {
    let recordings = Recordings(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../examples/data"));
    println!("cargo::rerun-if-changed={}", recordings.0.display());
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    for (name, rows) in [
        ("fire", fire(&recordings)?),
        ("rain", rain(&recordings)?),
        ("storm", storm(&recordings)?),
        ("ground", ground(&recordings)?),
        ("sensor", sensor(&recordings)?),
        ("every", every(&recordings)?),
    ] {
        std::fs::write(out.join(name), packed(&rows)?)?;
    }
    Ok(())
}

/// A mote to which something hot was brought, fifteen times as hot; the air of an office; a battery that dies in the end.
fn fire(recordings: &Recordings) -> Result<Vec<Row>, Box<dyn Error>> {
    let heat = recordings.fields("suthaharan-wsn/singlehop-outdoor-moteid4-data.txt", 3)?;
    let humidity = recordings.fields("suthaharan-wsn/singlehop-outdoor-moteid4-data.txt", 2)?;
    let co2 = recordings.fields("occupancy/datatest.txt.gz", 5)?;
    let rows = (2_200..2_700).map(|i| {
        let temperature = 22.0 + (heat[i] - heat[2_200]) * 15.0;
        let battery = 2_900 - (i as i32 - 2_550).max(0) * 4;
        vec![at(temperature, 100.0), at(humidity[i], 10.0), at(co2[i - 2_200], 1.0), Some(battery)]
    });
    Ok(rows.collect())
}

/// A water meter as a rain gauge that runs over, and a river that stands where a machine is cold.
fn rain(recordings: &Recordings) -> Result<Vec<Row>, Box<dyn Error>> {
    let water = recordings.fields("ampds-meters/Water_WHW-1.csv.gz", 1)?;
    let machine = recordings.fields("nab/machine_temperature_system_failure.csv.gz", 1)?;
    let rows = (0..900).map(|i| {
        vec![at((water[i] * 8.0).round() % 4_096.0, 1.0), at(3_500.0 - machine[3_200 + i] * 20.0, 1.0)]
    });
    Ok(rows.collect())
}

/// A machine that fails, as a barometer that falls and the wind that follows.
fn storm(recordings: &Recordings) -> Result<Vec<Row>, Box<dyn Error>> {
    let machine = recordings.fields("nab/machine_temperature_system_failure.csv.gz", 1)?;
    let rows = (3_700..4_200)
        .map(|i| vec![at(40.0 - machine[i - 6] * 0.3, 10.0), at(950.0 + machine[i] * 0.6, 10.0)]);
    Ok(rows.collect())
}

/// The humidity at a mote as if it were the ground.
fn ground(recordings: &Recordings) -> Result<Vec<Row>, Box<dyn Error>> {
    let humidity = recordings.fields("suthaharan-wsn/singlehop-outdoor-moteid4-data.txt", 2)?;
    Ok((700..2_700).map(|i| vec![at(humidity[i], 100.0)]).collect())
}

/// An office whose sensor says at times that it cannot say anything, and whose battery runs out.
fn sensor(recordings: &Recordings) -> Result<Vec<Row>, Box<dyn Error>> {
    let office = recordings.fields("occupancy/datatest.txt.gz", 2)?;
    let rows = (0..700).map(|i| {
        let temperature = if i % 37 == 36 { None } else { at(office[i], 100.0) };
        vec![Some(2_800 - i as i32), temperature]
    });
    Ok(rows.collect())
}

/// Carbon monoxide, temperature and humidity beside a road, by the hour; some hours have no value.
fn every(recordings: &Recordings) -> Result<Vec<Row>, Box<dyn Error>> {
    let columns = [2, 12, 13].map(|field| recordings.fields("air-quality/AirQuality.csv.gz", field));
    let [co, temperature, humidity] = columns;
    let (co, temperature, humidity) = (co?, temperature?, humidity?);
    let value = |of: &[f64], i: usize| (of[i] > -200.0).then(|| (of[i] * 10.0).round() as i32);
    Ok((0..900).map(|i| vec![value(&co, i), value(&temperature, i), value(&humidity, i)]).collect())
}

fn at(value: f64, scale: f64) -> Option<i32> {
    Some((value * scale).round() as i32)
}

/// Where they lie.
struct Recordings(PathBuf);

impl Recordings {
    /// One field of all lines that have a number there. The files separate fields by commas or white space.
    fn fields(&self, file: &str, field: usize) -> Result<Vec<f64>, Box<dyn Error>> {
        let path = self.0.join(file);
        let opened =
            BufReader::new(File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?);
        let mut text = Vec::new();
        if file.ends_with(".gz") {
            GzDecoder::new(opened).read_to_end(&mut text)?;
        } else {
            { opened }.read_to_end(&mut text)?;
        }
        let text = String::from_utf8_lossy(&text);
        let of = |line: &str| {
            let field = if file.ends_with(".txt") {
                line.split_whitespace().nth(field)
            } else {
                // Nothing between two commas is no value, which the recordings say as -200 elsewhere.
                line.split(',').nth(field).map(|field| if field.is_empty() { "-200" } else { field })
            };
            field?.parse::<f64>().ok()
        };
        Ok(text.lines().filter_map(of).collect())
    }
}

/// How many columns, then value by value: 0 for none, or one more than the zigzag of the difference from the column's last value, as varint.
fn packed(rows: &[Row]) -> Result<Vec<u8>, Box<dyn Error>> {
    let columns = rows.first().map_or(0, Vec::len);
    let mut bytes = vec![u8::try_from(columns)?];
    let mut before = vec![0; columns];
    for row in rows {
        for (value, before) in row.iter().zip(&mut before) {
            let mut rest = match value {
                None => 0,
                Some(value) => {
                    let difference = i64::from(*value) - i64::from(std::mem::replace(before, *value));
                    ((difference << 1) ^ (difference >> 63)) as u64 + 1
                }
            };
            while rest >= 128 {
                bytes.push(rest as u8 | 128);
                rest >>= 7;
            }
            bytes.push(rest as u8);
        }
    }
    Ok(bytes)
}
