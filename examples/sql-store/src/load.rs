//! All that a connection needs to know of its device; for many devices in about as many statements as for one.

use std::collections::HashMap;

use sensock::{DeviceId, Lane, Position};
use sensock_store::Resume;
use sqlx::Error;

use crate::error::Fail;
use crate::session::{Arg, Query, Row, Session};
use crate::tables::{BOOT, COMMAND, DEVICE, SETTING};
use crate::{commands, lanes, links, series};

/// Devices whose queries share a statement.
pub(crate) const TOGETHER: usize = 8;
/// For how many devices there are statements.
const SIZES: [usize; 2] = [1, TOGETHER];

/// Reads it for each device, by some eight short queries, each along an index.
pub(crate) async fn resumes(session: &mut Session<'_>, devices: &[DeviceId]) -> Result<Vec<Resume>, Fail> {
    let mut found = Vec::with_capacity(devices.len());
    for some in devices.chunks(TOGETHER) {
        found.extend(together(session, some).await?);
    }
    Ok(found)
}

async fn together(session: &mut Session<'_>, devices: &[DeviceId]) -> Result<Vec<Resume>, Fail> {
    let mut found = vec![Resume::default(); devices.len()];
    let alone = |select: &str, order: &str| each(devices, select, order, |_| Vec::new());
    let commands = |which: &str| {
        let columns = COMMAND.columns.join(", ");
        alone(&format!("SELECT {columns} FROM command WHERE device = ? AND {which}"), "2")
    };
    let queries = [
        alone(
            "SELECT l.device, l.lane, m.mark, l.ended FROM lane l JOIN mark m ON m.lane_id = l.id WHERE l.device = ?",
            "1",
        ),
        alone(&format!("SELECT {} FROM device WHERE device = ?", DEVICE.columns.join(", ")), "1"),
        // Those of boots that are too old are left out below.
        alone(
            "SELECT device, boot, tick, lo_us, hi_us, server, id FROM anchor WHERE device = ? \
             ORDER BY boot DESC, tick DESC, id DESC LIMIT 256",
            "2, 3, 7",
        ),
        commands("open = 0 ORDER BY id DESC LIMIT 64"),
        commands("open = 1"),
        alone(
            "SELECT device, hash, bytes, id FROM catalog WHERE device = ? ORDER BY id DESC LIMIT 4",
            "4 DESC",
        ),
        alone(&format!("SELECT {} FROM setting WHERE device = ?", SETTING.columns.join(", ")), "2"),
    ];
    let [lanes, of_devices, anchors, settled, open, catalogs, settings] =
        ask(session, devices, queries).await?;
    for (i, row) in lanes {
        if let Some(lane) = Lane::from_number(row.small(1)?) {
            found[i].marks[lane.index()] = Position(row.bits(2)?);
            found[i].ended[lane.index()] = Position(row.bits(3)?);
        }
    }
    for (i, row) in of_devices {
        found[i].device = Some(links::device_row(&row)?);
    }
    for (i, row) in settled.into_iter().chain(open) {
        found[i].commands.push(commands::command(&row, &devices[i])?);
    }
    found.iter_mut().for_each(|r| r.commands.sort_unstable_by_key(|c| c.id));
    for (i, row) in catalogs {
        found[i].catalogs.push(series::catalog_row(&row, &devices[i])?);
    }
    for (i, row) in settings {
        found[i].settings.push(commands::setting(&row, &devices[i])?);
    }

    let sql = format!(
        "SELECT {} FROM boot WHERE device = ? AND boot >= {} ORDER BY boot DESC LIMIT 64",
        BOOT.columns.join(", "),
        links::BOOT_BEFORE
    );
    let lowest: Vec<u32> = found.iter().map(|r| lanes::lowest_boot(&r.marks)).collect();
    let boots = each(devices, &sql, "2", |i| vec![Arg::Text(&devices[i]), lowest[i].into()]);
    let [boots] = ask(session, devices, [boots]).await?;
    for (i, row) in boots {
        found[i].boots.push(links::boot_row(&row, &devices[i])?);
    }
    for (i, row) in anchors {
        let anchor = links::anchor_row(&row, &devices[i])?;
        if found[i].boots.first().is_none_or(|oldest| anchor.boot >= oldest.boot) {
            found[i].anchors.push(anchor);
        }
    }
    Ok(found)
}

/// A query that runs `select` for each device; its rows come in the order of `order` (numbers of columns). The first column is the device, as
/// is the first argument; `more` gives those that follow.
pub(crate) fn each<'a>(
    devices: &'a [DeviceId],
    select: &str,
    order: &str,
    more: impl Fn(usize) -> Vec<Arg<'a>>,
) -> Query<'a> {
    // Filled up with a name that no device has, so that few prepared statements serve every number: each takes some 4 KiB a device.
    let n = SIZES.into_iter().find(|&size| devices.len() <= size).unwrap_or(devices.len());
    let one = format!("SELECT * FROM ({select}) d");
    let sql = format!("{} ORDER BY {order}", vec![one; n].join(" UNION ALL "));
    let mut args = Vec::new();
    for i in 0..n {
        args.push(devices.get(i).map_or(Arg::Text(""), |device| Arg::Text(device)));
        args.extend(more(i.min(devices.len() - 1)));
    }
    Query { sql, args }
}

/// Asks what [`each`] made, in as few messages as the database allows; of each query the rows, each with its device's place.
pub(crate) async fn ask<const N: usize>(
    session: &mut Session<'_>,
    devices: &[DeviceId],
    queries: [Query<'_>; N],
) -> Result<[Vec<(usize, Row)>; N], Error> {
    let places: HashMap<&str, usize> = devices.iter().enumerate().map(|(i, d)| (d.as_str(), i)).collect();
    let mut found = [const { Vec::new() }; N];
    for (found, rows) in found.iter_mut().zip(session.queries(&queries).await?) {
        for row in rows {
            if let Some(&i) = places.get(row.text(0)?.as_str()) {
                found.push((i, row));
            }
        }
    }
    Ok(found)
}
