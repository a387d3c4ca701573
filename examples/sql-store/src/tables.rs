//! The tables that are written to: columns in the order in which rows give their arguments.

use crate::dialect::Table;

/// What a connection or a boot says of its device.
macro_rules! with_account {
    ($($column:literal),*) => {
        &[$($column,)* "reset_cause", "dial_attempts", "last_end", "offline_ms", "outbox_high_water", "minus_dbm", "free_kib"]
    };
}

pub(crate) static LANE_NEW: Table = Table {
    name: "lane",
    columns: &["device", "lane"],
    key: &["device", "lane"],
    replace: &[],
    ..Table::PLAIN
};

pub(crate) static MARK_NEW: Table =
    Table { name: "mark", columns: &["lane_id"], key: &["lane_id"], replace: &[], ..Table::PLAIN };

pub(crate) static MARK: Table = Table {
    name: "mark",
    columns: &["lane_id", "mark", "written_us", "sheet"],
    key: &["lane_id"],
    replace: &["mark", "written_us", "sheet"],
    overwrite: true,
};

pub(crate) static LANE_ENDED: Table = Table {
    name: "lane",
    columns: &["id", "device", "lane", "ended"],
    key: &["id"],
    replace: &["ended"],
    ..Table::PLAIN
};

pub(crate) static RECORD: Table = Table {
    name: "record",
    columns: &["sheet", "lane_id", "position", "tick", "not_before_us", "not_after_us", "readings"],
    key: &[],
    replace: &[],
    ..Table::PLAIN
};

pub(crate) static SHEET: Table =
    Table { name: "sheet", columns: &["id"], key: &["id"], replace: &[], ..Table::PLAIN };

pub(crate) static SIGNPOST: Table = Table {
    name: "signpost",
    columns: &["lane_id", "position", "sheet", "not_before_us", "not_after_us"],
    key: &["lane_id", "position"],
    replace: &[],
    ..Table::PLAIN
};

pub(crate) static NEWEST: Table = Table {
    name: "newest",
    columns: &["lane_id", "series_id", "position"],
    key: &["lane_id", "series_id"],
    replace: &["position"],
    ..Table::PLAIN
};

pub(crate) static CATALOG: Table = Table {
    name: "catalog",
    columns: &["device", "hash", "firmware", "bytes"],
    key: &["device", "hash"],
    replace: &[],
    ..Table::PLAIN
};

const SERIES_COLUMNS: Table = Table {
    name: "series",
    columns: &["device", "catalog", "quantity", "name", "unit", "scale", "multiplier", "divisor"],
    key: &["device", "catalog", "quantity"],
    replace: &["name", "unit", "scale", "multiplier", "divisor"],
    ..Table::PLAIN
};

pub(crate) static SERIES: Table = SERIES_COLUMNS;

/// As [`SERIES`], but a row that is there stays.
pub(crate) static SERIES_UNNAMED: Table = Table { replace: &[], ..SERIES_COLUMNS };

pub(crate) static GAP: Table = Table {
    name: "gap",
    columns: &[
        "lane_id",
        "first_position",
        "last_position",
        "cause",
        "records",
        "not_before_us",
        "not_after_us",
        "written_us",
        "detail",
    ],
    key: &[],
    replace: &[],
    ..Table::PLAIN
};

pub(crate) static QUARANTINE: Table = Table {
    name: "quarantine",
    columns: &["lane_id", "first_position", "last_position", "reason", "raw", "written_us"],
    key: &[],
    replace: &[],
    ..Table::PLAIN
};

pub(crate) static DEVICE: Table = Table {
    name: "device",
    columns: &["device", "boot", "tag", "superseded", "catalog"],
    key: &["device"],
    replace: &["boot", "tag", "superseded", "catalog"],
    ..Table::PLAIN
};

pub(crate) static BOOT: Table = Table {
    name: "boot",
    columns: with_account!(
        "device",
        "boot",
        "tag",
        "catalog",
        "firmware",
        "seen_us",
        "started_not_before_us",
        "started_not_after_us",
        "last_tick",
        "rebased_by"
    ),
    key: &["device", "boot"],
    replace: with_account!(
        "tag",
        "catalog",
        "firmware",
        "seen_us",
        "started_not_before_us",
        "started_not_after_us",
        "last_tick",
        "rebased_by"
    ),
    ..Table::PLAIN
};

pub(crate) static ANCHOR: Table = Table {
    name: "anchor",
    columns: &["device", "boot", "tick", "lo_us", "hi_us", "server"],
    key: &[],
    replace: &[],
    ..Table::PLAIN
};

pub(crate) static CONNECTION: Table = Table {
    name: "connection",
    columns: with_account!(
        "id",
        "device",
        "boot",
        "server",
        "peer",
        "from_us",
        "to_us",
        "reason",
        "asleep_until_us",
        "records",
        "bytes"
    ),
    key: &["id"],
    replace: with_account!(
        "device",
        "boot",
        "server",
        "peer",
        "from_us",
        "to_us",
        "reason",
        "asleep_until_us",
        "records",
        "bytes"
    ),
    ..Table::PLAIN
};

pub(crate) static COMMAND: Table = Table {
    name: "command",
    columns: &[
        "device",
        "id",
        "number",
        "name",
        "policy",
        "body",
        "issuer",
        "idempotency_key",
        "keep_all",
        "created_us",
        "deadline_us",
        "state",
        "detail",
        "open",
        "answer",
        "settled_us",
    ],
    key: &["device", "id"],
    replace: &[
        "number",
        "name",
        "policy",
        "body",
        "issuer",
        "idempotency_key",
        "keep_all",
        "created_us",
        "deadline_us",
        "state",
        "detail",
        "open",
        "answer",
        "settled_us",
    ],
    ..Table::PLAIN
};

pub(crate) static SETTING: Table = Table {
    name: "setting",
    columns: &["device", "number", "name", "revision", "body", "issuer", "set_us", "applied_us", "refused"],
    key: &["device", "number"],
    replace: &["name", "revision", "body", "issuer", "set_us", "applied_us", "refused"],
    ..Table::PLAIN
};
