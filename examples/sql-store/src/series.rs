//! Catalogues and the series they describe: which row stands for a quantity.

use std::collections::HashMap;
use std::sync::Arc;

use sensock::catalog::CatalogView;
use sensock_store::{Batch, CatalogRow, LaneId};

use crate::error::Fail;
use crate::session::{Arg, Row, Session};
use crate::tables::{CATALOG, SERIES, SERIES_UNNAMED};
use crate::transaction::SqlTx;

/// The quantities of a catalogue, and the series that each is stored under.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quantities(Arc<[(u16, i64)]>);

impl Quantities {
    pub(crate) fn series(&self, quantity: u16) -> Option<i64> {
        self.0.iter().find(|(q, _)| *q == quantity).map(|(_, series)| *series)
    }
}

/// What a reading needs to be understood.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) catalog: u64,
    pub(crate) quantity: u16,
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) scale: i8,
}

/// The value in the quantity's unit, by the one formula that the views use too: exact powers of ten, rounded once.
pub(crate) fn value(raw: i32, scale: i8) -> f64 {
    let (multiplier, divisor) = factors(scale);
    f64::from(raw) * multiplier / divisor
}

fn factors(scale: i8) -> (f64, f64) {
    let power = 10f64.powi(i32::from(scale.unsigned_abs()));
    if scale < 0 { (1.0, power) } else { (power, 1.0) }
}

/// All series of a device, by id.
pub(crate) async fn of_device(
    session: &mut Session<'_>,
    device: &str,
) -> Result<HashMap<i64, Series>, sqlx::Error> {
    let sql = "SELECT id, catalog, quantity, name, unit, scale FROM series WHERE device = ?";
    let rows = session.rows(sql, &[Arg::Text(device)]).await?;
    rows.iter()
        .map(|row| {
            let series = Series {
                catalog: row.bits(1)?,
                quantity: row.small(2)?,
                name: row.text(3)?,
                unit: row.text(4)?,
                scale: row.small(5)?,
            };
            Ok((row.int(0)?, series))
        })
        .collect()
}

/// A catalogue's row: device, hash, bytes.
pub(crate) fn catalog_row(row: &Row, device: &sensock::DeviceId) -> Result<CatalogRow, sqlx::Error> {
    Ok(CatalogRow { device: *device, hash: row.bits(1)?, bytes: row.bytes(2)? })
}

impl SqlTx {
    pub(crate) async fn write_catalogs(&mut self, batch: &Batch) -> Result<(), Fail> {
        let (mut catalogs, mut series) = (Vec::new(), Vec::new());
        for row in &batch.catalogs {
            // Bytes that are no catalogue are kept all the same: they are what the device said.
            let view = CatalogView::new(&row.bytes).ok();
            catalogs.extend([
                Arg::Text(&row.device),
                row.hash.into(),
                view.map_or("", |v| v.firmware()).into(),
                Arg::Bytes(&row.bytes),
            ]);
            for entry in view.iter().flat_map(|v| v.quantities()) {
                let (multiplier, divisor) = factors(entry.scale);
                series.extend([
                    Arg::Text(&row.device),
                    row.hash.into(),
                    entry.id.into(),
                    entry.name.into(),
                    entry.unit.into(),
                    Arg::Int(entry.scale.into()),
                    multiplier.into(),
                    divisor.into(),
                ]);
            }
        }
        let shared = self.handle.shared.clone();
        let mut session = self.begun.session()?;
        shared.insert(&mut session, &CATALOG, &catalogs).await?;
        shared.insert(&mut session, &SERIES, &series).await
    }

    /// Quantities and series ids of a catalogue.
    pub(crate) async fn series(&mut self, lane: &LaneId, catalog: u64) -> Result<Quantities, Fail> {
        let key = (lane.device, catalog);
        if let Some(known) = self.series.get(&key).cloned().or_else(|| self.handle.shared.series.find(&key)) {
            return Ok(known);
        }
        self.read_series(lane, catalog).await
    }

    /// A quantity that no stored catalogue lists: kept under its number until the catalogue comes.
    pub(crate) async fn unnamed(
        &mut self,
        lane: &LaneId,
        catalog: u64,
        quantity: u16,
    ) -> Result<Quantities, Fail> {
        let name = format!("quantity {quantity}");
        let row = [
            Arg::Text(&lane.device),
            catalog.into(),
            quantity.into(),
            Arg::Text(&name),
            Arg::Text(""),
            Arg::Int(0),
            Arg::Real(1.0),
            Arg::Real(1.0),
        ];
        let shared = self.handle.shared.clone();
        shared.insert(&mut self.begun.session()?, &SERIES_UNNAMED, &row).await?;
        self.read_series(lane, catalog).await
    }

    async fn read_series(&mut self, lane: &LaneId, catalog: u64) -> Result<Quantities, Fail> {
        let sql = "SELECT quantity, id FROM series WHERE device = ? AND catalog = ?";
        let rows = self.begun.session()?.rows(sql, &[Arg::Text(&lane.device), catalog.into()]).await?;
        let found: Result<Arc<[_]>, sqlx::Error> =
            rows.iter().map(|row| Ok((row.small(0)?, row.int(1)?))).collect();
        let found = Quantities(found?);
        self.series.insert((lane.device, catalog), found.clone());
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn a_value_is_the_nearest_number_to_its_decimal() {
        assert_eq!(value(2345, -2), 23.45);
        assert_eq!(value(-1, -9), -1e-9);
        assert_eq!(value(7, 3), 7_000.0);
        assert_eq!(value(i32::MAX, -3), 2_147_483.647);
        assert_eq!(value(i32::MIN, 0), -2_147_483_648.0);
    }
}
