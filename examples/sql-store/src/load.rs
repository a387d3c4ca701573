//! All that a connection needs to know of its device; for many devices in about as many statements as for one.

use std::collections::HashMap;

use sensock::{DeviceId, Lane, Position};
use sensock_store::Resume;
use sqlx::{AssertSqlSafe, Error};

use crate::error::Fail;
use crate::session::{Arg, Row, Session};
use crate::tables::{BOOT, COMMAND, DEVICE, SETTING};
use crate::{commands, lanes, links, series};

/// Devices whose queries share a statement.
pub(crate) const TOGETHER: usize = 16;
/// For how many devices there are statements.
const SIZES: [usize; 3] = [1, 4, TOGETHER];

/// Reads it for each device, by some nine short queries, each along an index.
pub(crate) async fn resumes(session: &mut Session<'_>, devices: &[DeviceId]) -> Result<Vec<Resume>, Fail> {
    let mut found = Vec::with_capacity(devices.len());
    for some in devices.chunks(TOGETHER) {
        found.extend(together(session, some).await?);
    }
    Ok(found)
}

async fn together(session: &mut Session<'_>, devices: &[DeviceId]) -> Result<Vec<Resume>, Fail> {
    let mut found = vec![Resume::default(); devices.len()];
    let alone = |_: usize| Vec::new();

    let sql = "SELECT l.device, l.lane, m.mark, l.ended FROM lane l JOIN mark m ON m.lane_id = l.id WHERE l.device = ?";
    for (i, row) in each(session, devices, sql, "1", alone).await? {
        if let Some(lane) = Lane::from_number(row.small(1)?) {
            found[i].marks[lane.index()] = Position(row.bits(2)?);
            found[i].ended[lane.index()] = Position(row.bits(3)?);
        }
    }

    let sql = format!("SELECT {} FROM device WHERE device = ?", DEVICE.columns.join(", "));
    for (i, row) in each(session, devices, &sql, "1", alone).await? {
        found[i].device = Some(links::device_row(&row)?);
    }

    let sql = format!(
        "SELECT {} FROM boot WHERE device = ? AND boot >= {} ORDER BY boot DESC LIMIT 64",
        BOOT.columns.join(", "),
        links::BOOT_BEFORE
    );
    let lowest: Vec<u32> = found.iter().map(|r| lanes::lowest_boot(&r.marks)).collect();
    let more = |i: usize| vec![Arg::Text(&devices[i]), lowest[i].into()];
    for (i, row) in each(session, devices, &sql, "2", more).await? {
        found[i].boots.push(links::boot_row(&row, &devices[i])?);
    }

    let sql = "SELECT device, boot, tick, lo_us, hi_us, server, id FROM anchor WHERE device = ? AND boot >= ? \
               ORDER BY boot DESC, tick DESC, id DESC LIMIT 256";
    let from: Vec<u32> = found.iter().map(|r| r.boots.first().map_or(0, |b| b.boot)).collect();
    for (i, row) in each(session, devices, sql, "2, 3, 7", |i| vec![from[i].into()]).await? {
        found[i].anchors.push(links::anchor_row(&row, &devices[i])?);
    }

    let columns = COMMAND.columns.join(", ");
    for which in ["open = 0 ORDER BY id DESC LIMIT 64", "open = 1"] {
        let sql = format!("SELECT {columns} FROM command WHERE device = ? AND {which}");
        for (i, row) in each(session, devices, &sql, "2", alone).await? {
            found[i].commands.push(commands::command(&row, &devices[i])?);
        }
    }
    found.iter_mut().for_each(|r| r.commands.sort_unstable_by_key(|c| c.id));

    let sql = "SELECT device, hash, bytes, id FROM catalog WHERE device = ? ORDER BY id DESC LIMIT 4";
    for (i, row) in each(session, devices, sql, "4 DESC", alone).await? {
        found[i].catalogs.push(series::catalog_row(&row, &devices[i])?);
    }

    let sql = format!("SELECT {} FROM setting WHERE device = ?", SETTING.columns.join(", "));
    for (i, row) in each(session, devices, &sql, "2", alone).await? {
        found[i].settings.push(commands::setting(&row, &devices[i])?);
    }
    Ok(found)
}

/// Runs `select` for each device in one statement; returns its rows in the order of `order` (numbers of columns), each with its device's
/// place. The first column is the device, as is the first argument; `more` gives those that follow.
pub(crate) async fn each<'a>(
    session: &mut Session<'_>,
    devices: &'a [DeviceId],
    select: &str,
    order: &str,
    more: impl Fn(usize) -> Vec<Arg<'a>>,
) -> Result<Vec<(usize, Row)>, Error> {
    // Filled up with a name that no device has, so that few prepared statements serve every number: each takes some 4 KiB a device.
    let n = SIZES.into_iter().find(|&size| devices.len() <= size).unwrap_or(devices.len());
    let one = format!("SELECT * FROM ({select}) d");
    let sql = format!("{} ORDER BY {order}", vec![one; n].join(" UNION ALL "));
    let mut args = Vec::new();
    for i in 0..n {
        args.push(devices.get(i).map_or(Arg::Text(""), |device| Arg::Text(device)));
        args.extend(more(i.min(devices.len() - 1)));
    }
    let places: HashMap<&str, usize> = devices.iter().enumerate().map(|(i, d)| (d.as_str(), i)).collect();
    let mut found = Vec::new();
    for row in session.rows(AssertSqlSafe(sql), &args).await? {
        if let Some(&i) = places.get(row.text(0)?.as_str()) {
            found.push((i, row));
        }
    }
    Ok(found)
}
