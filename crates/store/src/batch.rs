//! Everything that one transaction writes.

use sensock::Position;

use crate::rows::*;

/// Rows of every kind that belong into one transaction. A store writes all of it, then the marks.
///
/// Readings are sorted by lane and position; the other lists are in no order. "Upsert" lists replace the row with the same key and hold
/// a key at most once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// New marks: set, whatever was there (rule A holds the lock and has compared). A lane without a row gets one.
    pub marks: Vec<(LaneId, Position)>,
    /// The device ended its boot in order with this as the lane's last position: upsert, beside the mark.
    /// [`Position::NONE`] takes it back: the device is there again.
    pub ended: Vec<(LaneId, Position)>,
    /// Insert.
    pub readings: Vec<ReadingRow>,
    /// Insert.
    pub gaps: Vec<GapRow>,
    /// Insert.
    pub quarantine: Vec<QuarantineRow>,
    /// Upsert by device.
    pub devices: Vec<DeviceRow>,
    /// Upsert by (device, boot).
    pub boots: Vec<BootRow>,
    /// Insert unless (device, hash) is there.
    pub catalogs: Vec<CatalogRow>,
    /// Insert; those of boots below all marks of the device may be pruned, but for the newest.
    pub anchors: Vec<AnchorRow>,
    /// Upsert by connection id.
    pub connections: Vec<ConnectionRow>,
    /// Upsert by (device, id).
    pub commands: Vec<CommandRow>,
    /// Upsert by (device, key).
    pub settings: Vec<SettingRow>,
}

impl Batch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
            && self.ended.is_empty()
            && self.readings.is_empty()
            && self.gaps.is_empty()
            && self.quarantine.is_empty()
            && self.devices.is_empty()
            && self.boots.is_empty()
            && self.catalogs.is_empty()
            && self.anchors.is_empty()
            && self.connections.is_empty()
            && self.commands.is_empty()
            && self.settings.is_empty()
    }
    /// Adds the rows of another batch behind those of this one.
    pub fn append(&mut self, other: &Batch) {
        self.marks.extend_from_slice(&other.marks);
        self.ended.extend_from_slice(&other.ended);
        self.readings.extend_from_slice(&other.readings);
        self.gaps.extend_from_slice(&other.gaps);
        self.quarantine.extend_from_slice(&other.quarantine);
        self.devices.extend_from_slice(&other.devices);
        self.boots.extend_from_slice(&other.boots);
        self.catalogs.extend_from_slice(&other.catalogs);
        self.anchors.extend_from_slice(&other.anchors);
        self.connections.extend_from_slice(&other.connections);
        self.commands.extend_from_slice(&other.commands);
        self.settings.extend_from_slice(&other.settings);
    }
}
