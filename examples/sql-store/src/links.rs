//! What a person asks at 3 a.m.: devices, their boots, clocks and connections.

use std::collections::BTreeMap;

use sensock::wire::hello::Account;
use sensock::{DeviceId, Lane, Position, Tag, Tick};
use sensock_store::{AnchorRow, Batch, BootRow, ConnectionRow, DeviceRow, LaneId, Span};
use sqlx::{AssertSqlSafe, Error};

use crate::error::Fail;
use crate::session::{Arg, Row, Session};
use crate::tables::{ANCHOR, BOOT, CONNECTION, DEVICE};
use crate::transaction::SqlTx;
use crate::{lanes, load};

/// Reads all devices.
pub(crate) async fn devices(session: &mut Session<'_>) -> Result<Vec<DeviceRow>, Error> {
    let sql = format!("SELECT {} FROM device ORDER BY device", DEVICE.columns.join(", "));
    session.rows(AssertSqlSafe(sql), &[]).await?.iter().map(device_row).collect()
}

/// A device's row, in the order of the table's columns.
pub(crate) fn device_row(row: &Row) -> Result<DeviceRow, Error> {
    let tags = row.text(3)?;
    let superseded = tags.split_whitespace().map(|t| u64::from_str_radix(t, 16).map(Tag));
    Ok(DeviceRow {
        device: device(row, 0)?,
        boot: row.small(1)?,
        tag: Tag(row.bits(2)?),
        superseded: superseded.collect::<Result<_, _>>().map_err(|e| Error::Decode(e.into()))?,
        catalog: row.bits(4)?,
    })
}

/// The device named in this column.
pub(crate) fn device(row: &Row, column: usize) -> Result<DeviceId, Error> {
    DeviceId::new(&row.text(column)?).map_err(|error| Error::Decode(error.into()))
}

/// The boot before one; takes the device and the one as arguments.
pub(crate) const BOOT_BEFORE: &str =
    "(SELECT COALESCE(MAX(b.boot), 0) FROM boot b WHERE b.device = ? AND b.boot < ?)";

/// Reads all boots of a device, in order.
pub(crate) async fn boots(session: &mut Session<'_>, device: &DeviceId) -> Result<Vec<BootRow>, Error> {
    let sql = format!("SELECT {} FROM boot WHERE device = ? ORDER BY boot", BOOT.columns.join(", "));
    let rows = session.rows(AssertSqlSafe(sql), &[Arg::Text(device)]).await?;
    rows.iter().map(|row| boot_row(row, device)).collect()
}

/// A boot's row, in the order of the table's columns.
pub(crate) fn boot_row(row: &Row, device: &DeviceId) -> Result<BootRow, Error> {
    Ok(BootRow {
        device: *device,
        boot: row.small(1)?,
        tag: Tag(row.bits(2)?),
        catalog: row.bits(3)?,
        firmware: row.text(4)?,
        seen_us: row.int(5)?,
        started: (row.maybe_int(6)?, row.maybe_int(7)?),
        last_tick: Tick(row.bits(8)?),
        rebased_by: row.small(9)?,
        account: account(row, 10)?,
    })
}

/// An anchor's row: device, boot, tick, bounds, server.
pub(crate) fn anchor_row(row: &Row, device: &DeviceId) -> Result<AnchorRow, Error> {
    Ok(AnchorRow {
        device: *device,
        boot: row.small(1)?,
        tick: Tick(row.bits(2)?),
        lo_us: row.int(3)?,
        hi_us: row.int(4)?,
        server: row.bits(5)?,
    })
}

/// Reads connections that touch the span, in order of time.
pub(crate) async fn connections(
    session: &mut Session<'_>,
    device: &DeviceId,
    span: Span,
) -> Result<Vec<ConnectionRow>, Error> {
    let sql = format!(
        "SELECT {} FROM connection WHERE device = ? AND from_us <= ? AND (to_us IS NULL OR to_us >= ?) \
         ORDER BY from_us, id",
        CONNECTION.columns.join(", ")
    );
    let args = [Arg::Text(device), span.to_us.into(), span.from_us.into()];
    let rows = session.rows(AssertSqlSafe(sql), &args).await?;
    rows.iter()
        .map(|row| {
            Ok(ConnectionRow {
                id: row.bits(0)?,
                device: *device,
                boot: row.small(2)?,
                server: row.bits(3)?,
                peer: row.text(4)?,
                from_us: row.int(5)?,
                to_us: row.maybe_int(6)?,
                reason: row.text(7)?,
                asleep_until_us: row.maybe_int(8)?,
                records: row.bits(9)?,
                bytes: row.bits(10)?,
                account: account(row, 11)?,
            })
        })
        .collect()
}

fn account(row: &Row, at: usize) -> Result<Account, Error> {
    Ok(Account {
        reset_cause: row.small(at)?,
        dial_attempts: row.small(at + 1)?,
        last_end: row.small(at + 2)?,
        offline_ms: row.small(at + 3)?,
        outbox_high_water: row.small(at + 4)?,
        signal: row.small(at + 5)?,
        free_kib: row.small(at + 6)?,
    })
}

fn account_args(account: &Account) -> [Arg<'static>; 7] {
    [
        account.reset_cause.into(),
        account.dial_attempts.into(),
        account.last_end.into(),
        account.offline_ms.into(),
        account.outbox_high_water.into(),
        account.signal.into(),
        account.free_kib.into(),
    ]
}

impl SqlTx {
    pub(crate) async fn write_links(&mut self, batch: &Batch) -> Result<(), Fail> {
        let shared = self.handle.shared.clone();
        let mut session = self.begun.session()?;
        let tags: Vec<String> = batch.devices.iter().map(|d| hex(&d.superseded)).collect();
        let mut args = Vec::new();
        for (row, tags) in batch.devices.iter().zip(&tags) {
            args.extend([
                Arg::Text(&row.device),
                row.boot.into(),
                row.tag.0.into(),
                Arg::Text(tags),
                row.catalog.into(),
            ]);
        }
        shared.insert(&mut session, &DEVICE, &args).await?;
        args.clear();
        for row in &batch.boots {
            args.extend([
                Arg::Text(&row.device),
                row.boot.into(),
                row.tag.0.into(),
                row.catalog.into(),
                Arg::Text(&row.firmware),
                row.seen_us.into(),
                row.started.0.into(),
                row.started.1.into(),
                row.last_tick.0.into(),
                row.rebased_by.into(),
            ]);
            args.extend(account_args(&row.account));
        }
        shared.insert(&mut session, &BOOT, &args).await?;
        args.clear();
        for row in &batch.anchors {
            args.extend([
                Arg::Text(&row.device),
                row.boot.into(),
                row.tick.0.into(),
                row.lo_us.into(),
                row.hi_us.into(),
                row.server.into(),
            ]);
        }
        shared.insert(&mut session, &ANCHOR, &args).await?;
        args.clear();
        for row in &batch.connections {
            args.extend([
                row.id.into(),
                Arg::Text(&row.device),
                row.boot.into(),
                row.server.into(),
                Arg::Text(&row.peer),
                row.from_us.into(),
                row.to_us.into(),
                Arg::Text(&row.reason),
                row.asleep_until_us.into(),
                row.records.into(),
                row.bytes.into(),
            ]);
            args.extend(account_args(&row.account));
        }
        shared.insert(&mut session, &CONNECTION, &args).await
    }

    /// Anchors of boots below all marks have no use any more, but for those of the newest such boot. Done once a Hello, which holds all lanes of
    /// its device.
    pub(crate) async fn prune_anchors(&mut self, batch: &Batch) -> Result<(), Fail> {
        let mut lowest = BTreeMap::new();
        for row in &batch.boots {
            if let Some(boot) = self.lowest_boot(&row.device) {
                lowest.insert(row.device, boot);
            }
        }
        let (devices, lowest): (Vec<DeviceId>, Vec<u32>) = lowest.into_iter().unzip();
        let mut session = self.begun.session()?;
        for (some, lowest) in devices.chunks(load::TOGETHER).zip(lowest.chunks(load::TOGETHER)) {
            let sql = "SELECT device, MIN(boot), MAX(boot) FROM anchor WHERE device = ? AND boot < ? GROUP BY device";
            let query = load::each(some, sql, "1", |i| vec![lowest[i].into()]);
            let [rows] = load::ask(&mut session, some, [query]).await?;
            for (i, row) in rows {
                let (oldest, newest) = (row.int(1)?, row.int(2)?);
                if oldest < newest {
                    let sql = "DELETE FROM anchor WHERE device = ? AND boot < ?";
                    session.write(sql, &[Arg::Text(&some[i]), newest.into()]).await?;
                }
            }
        }
        Ok(())
    }

    /// The lowest boot that any lane of a device still waits in, as this transaction leaves it; `None` if it does not hold them all.
    fn lowest_boot(&mut self, device: &DeviceId) -> Option<u32> {
        let mut marks = [Position::NONE; Lane::COUNT];
        for lane in Lane::ALL {
            let place = self.lanes.place(&LaneId { device: *device, lane })?;
            marks[lane.index()] = self.lanes.at(place).mark;
        }
        Some(lanes::lowest_boot(&marks))
    }
}

fn hex(tags: &[Tag]) -> String {
    tags.iter().map(|t| format!("{:x}", t.0)).collect::<Vec<_>>().join(" ")
}
