//! `sensockd rules replay`: the log of a zone is played over what is stored, and has to lead to what was said while it was live.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use anyhow::{Result, ensure};
use sensock::DeviceId;
use sensock_sql::{Arg, SqlStore};
use sensock_store::{Cursor, History as _};

use super::alarms::trail::{self, Played};
use super::judge::brain::text_key;
use super::judge::intake::heard;
use super::judge::log::Replay;
use super::zone::Zone;
use crate::show::time::Times;
use crate::show::words::count;

/// Records and gaps that are read at once.
const PAGE: usize = 10_000;

/// One change of an alarm: its key, when, to which level.
type Change = (String, i64, String);
/// What was said with it: score and words.
type Words = (i64, String);

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The segment behind which it was played; 0 is the beginning.
    pub(crate) after: i64,
    pub(crate) segments: usize,
    /// Changes of alarms, as they were said.
    pub(crate) same: usize,
    /// What was said and is not played, or in other words.
    pub(crate) unplayed: BTreeSet<Change>,
    /// What is played and was not said.
    pub(crate) unsaid: BTreeSet<Change>,
}

impl Outcome {
    /// Whether what is played is what was said.
    pub(crate) fn holds(&self) -> bool {
        self.unplayed.is_empty() && self.unsaid.is_empty()
    }

    /// Writes it for a person.
    pub(crate) fn write(&self, zone: &Zone, times: &Times, out: &mut impl Write) -> io::Result<()> {
        let from = match self.after {
            0 => "the beginning".to_owned(),
            segment => format!("segment {segment}"),
        };
        let played = count(self.segments as u64, "segment");
        writeln!(
            out,
            "zone {}: {played} played from {from} on, {} as they were said",
            zone.name,
            count(self.same as u64, "change")
        )?;
        for (what, changes) in
            [("said, and not played", &self.unplayed), ("played, and not said", &self.unsaid)]
        {
            for (key, at_us, level) in changes {
                writeln!(out, "  {what}: {} {level} ({key})", times.stamp(*at_us))?;
            }
        }
        Ok(())
    }
}

/// Plays the log from the newest checkpoint at or before `from_us` on, or all that is kept of it. All records of the zone's devices are in
/// memory meanwhile.
///
/// # Errors
/// The log of that time, or all of it, is not kept; the store's.
pub(crate) async fn replay(store: &SqlStore, zone: &'static Zone, from_us: Option<i64>) -> Result<Outcome> {
    // In this order, as a server may go on writing: whatever this much of the log refers to is stored.
    let (last, said) = said(store, zone).await?;
    ensure!(
        last > 0,
        "zone {} has no log by these rules in this store: no server has judged by them",
        zone.name
    );
    let at_us = match from_us {
        Some(from_us) => from_us,
        None => trail::oldest_us(store, zone).await?,
    };
    let Played { after, segments } = trail::play(store, zone, recorded(store, zone).await?, at_us).await?;
    let mut outcome = Outcome { after, ..Outcome::default() };
    let mut played: BTreeMap<Change, BTreeSet<Words>> = BTreeMap::new();
    for (_, changes) in segments.into_iter().filter(|(segment, _)| *segment <= last) {
        outcome.segments += 1;
        for change in changes {
            let one = (text_key(zone, &change.key), change.at_us, change.to.word().to_owned());
            if !said.contains_key(&one) {
                outcome.unsaid.insert(one.clone());
            }
            // Judged again it may be put in other words; what was said first stays.
            played.entry(one).or_default().insert((i64::from(change.score), change.words));
        }
    }
    for (one, (_, words)) in said.into_iter().filter(|(_, (segment, _))| *segment > after) {
        match played.get(&one) {
            Some(all) if all.contains(&words) => outcome.same += 1,
            _ => drop(outcome.unplayed.insert(one)),
        }
    }
    Ok(outcome)
}

/// The last segment of the log, and what was said up to it, each with its segment.
async fn said(store: &SqlStore, zone: &Zone) -> Result<(i64, BTreeMap<Change, (i64, Words)>)> {
    let mut tx = store.read_own().await?;
    let find = "SELECT MAX(segment) FROM rule_log WHERE zone = ?";
    let rows = tx.rows(find, &[Arg::Text(&zone.name)]).await?;
    let last = rows.first().map_or(Ok(None), |row| row.maybe_int(0))?.unwrap_or(0);
    let find = "SELECT c.alarm_key, c.at_us, c.level, c.segment, c.score, c.words FROM alarm_change c \
                JOIN alarm a ON a.alarm_key = c.alarm_key WHERE a.zone = ? AND a.rules = ? AND c.segment <= ?";
    let mut said = BTreeMap::new();
    for row in tx.rows(find, &[Arg::Text(&zone.name), zone.table.hash().into(), last.into()]).await? {
        let one = (row.text(0)?, row.int(1)?, row.text(2)?);
        said.insert(one, (row.int(3)?, (row.int(4)?, row.text(5)?)));
    }
    tx.commit().await?;
    Ok((last, said))
}

/// A replay that heard everything that is stored of the zone's devices.
async fn recorded(store: &SqlStore, zone: &'static Zone) -> Result<Replay> {
    let devices: Vec<DeviceId> = zone.devices.iter().filter_map(|name| DeviceId::new(name).ok()).collect();
    let (mut items, mut cursor) = (Vec::new(), Cursor::default());
    loop {
        let page = store.feed_of(&devices, &cursor, PAGE).await?;
        items.extend(page.items.iter().filter_map(|item| heard(zone, item)));
        cursor = page.cursor;
        if !page.more {
            return Ok(Replay::new(zone, items));
        }
    }
}
