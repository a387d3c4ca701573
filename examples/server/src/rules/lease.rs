//! Who judges a zone: one row, with a generation that grows with each holder.
//!
//! Time is the database's, so that servers whose clocks differ agree. A server that was set aside and comes back finds another
//! generation, and its transaction changes nothing.

use anyhow::Result;
use sensock_sql::{Arg, OwnTx, SqlError, SqlStore};

/// How long a lease lasts without being renewed: the longest that a zone waits for another server.
pub(crate) const LEASE_US: i64 = 10_000_000;

/// A lease that is held, and what its last holder left.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) zone: &'static str,
    holder: i64,
    generation: i64,
}

/// What the last holder left.
#[derive(Clone, Debug, Default)]
pub(crate) struct Left {
    /// How many segments the log has.
    pub(crate) segments: i64,
    /// Which rules it is of; 0 if there is nothing.
    pub(crate) rules: u64,
    pub(crate) positions: Vec<u8>,
    pub(crate) state: Vec<u8>,
}

impl Lease {
    /// Takes the lease, if nobody else holds it.
    pub(crate) async fn take(
        store: &SqlStore,
        zone: &'static str,
        holder: u64,
    ) -> Result<Option<(Lease, Left)>, SqlError> {
        let holder = holder.cast_signed();
        let mut tx = store.begin_own().await?;
        let now = tx.now_us().await?;
        let until = Arg::Int(now.saturating_add(LEASE_US));
        let find = "SELECT generation, segments, rules, positions, state, holder, until_us FROM rule_zone WHERE zone = ?";
        let Some(row) = tx.rows(find, &[zone.into()]).await?.into_iter().next() else {
            let insert = "INSERT INTO rule_zone (zone, holder, generation, until_us, segments, rules, positions, state) \
                          VALUES (?, ?, 1, ?, 0, 0, ?, ?)";
            let empty = Arg::Bytes(b"");
            tx.execute(insert, &[zone.into(), holder.into(), until, empty, empty]).await?;
            tx.commit().await?;
            return Ok(Some((Lease { zone, holder, generation: 1 }, Left::default())));
        };
        let generation = row.int(0)?;
        if row.int(5)? != holder && row.int(6)? > now {
            return Ok(None);
        }
        let update =
            "UPDATE rule_zone SET holder = ?, generation = ?, until_us = ? WHERE zone = ? AND generation = ?";
        let next = generation.saturating_add(1);
        let args = [holder.into(), next.into(), until, zone.into(), generation.into()];
        if tx.execute(update, &args).await? != 1 {
            return Ok(None);
        }
        // Read once more, now that nobody else writes: the last holder may have.
        let Some(row) = tx.rows(find, &[zone.into()]).await?.into_iter().next() else { return Ok(None) };
        let left = Left {
            segments: row.int(1)?,
            rules: row.int(2)?.cast_unsigned(),
            positions: row.bytes(3)?,
            state: row.bytes(4)?,
        };
        tx.commit().await?;
        Ok(Some((Lease { zone, holder, generation: next }, left)))
    }

    /// Renews it within a transaction, which must be dropped if this says that another server holds it now.
    pub(crate) async fn renew(&self, tx: &mut OwnTx) -> Result<bool, SqlError> {
        let until = tx.now_us().await?.saturating_add(LEASE_US);
        self.until(tx, until).await
    }

    /// Gives it back, so that another server need not wait.
    pub(crate) async fn give_back(&self, store: &SqlStore) -> Result<(), SqlError> {
        let mut tx = store.begin_own().await?;
        // Whoever holds it now does not mind.
        let _held = self.until(&mut tx, 0).await?;
        tx.commit().await
    }

    async fn until(&self, tx: &mut OwnTx, until_us: i64) -> Result<bool, SqlError> {
        let update = "UPDATE rule_zone SET until_us = ? WHERE zone = ? AND generation = ? AND holder = ?";
        let args = [until_us.into(), self.zone.into(), self.generation.into(), self.holder.into()];
        Ok(tx.execute(update, &args).await? == 1)
    }
}
