-- Tables have singular names and belong to the program; views have plural names and belong to people.
-- Times are microseconds since 1970 UTC. Tags, hashes and random ids are 64 bits, kept as signed integers.
-- A position is boot * 2^32 + n.

-- `latest_us`: the latest time that was written, where no lane says a later one.
CREATE TABLE store (
    one             INTEGER PRIMARY KEY CHECK (one = 1),
    id              INTEGER NOT NULL,
    created_us      INTEGER NOT NULL,
    latest_us       INTEGER NOT NULL
) STRICT;

-- What a device last proved to be. `superseded`: tags of earlier boots, hexadecimal, the newest first.
CREATE TABLE device (
    device          TEXT PRIMARY KEY,
    boot            INTEGER NOT NULL,
    tag             INTEGER NOT NULL,
    superseded      TEXT NOT NULL,
    catalog         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE lane (
    id              INTEGER PRIMARY KEY,
    device          TEXT NOT NULL,
    lane            INTEGER NOT NULL,
    ended           INTEGER NOT NULL DEFAULT 0,
    UNIQUE (device, lane)
) STRICT;

-- The only authority on what is stored of a lane: never derived from records, never purged. `sheet`: where its newest record lies. A
-- table of its own because it changes with every record: a page holds the marks of some 150 lanes.
CREATE TABLE mark (
    lane_id         INTEGER PRIMARY KEY,
    mark            INTEGER NOT NULL DEFAULT 0,
    written_us      INTEGER,
    sheet           INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What a device said of itself: canonical bytes, and the firmware's name out of them.
CREATE TABLE catalog (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    device          TEXT NOT NULL,
    hash            INTEGER NOT NULL,
    firmware        TEXT NOT NULL,
    bytes           BLOB NOT NULL,
    UNIQUE (device, hash)
) STRICT;

-- One quantity of one catalogue: another name, unit or scale is another row. "quantity 7", without a unit, is one whose catalogue is
-- not stored yet. value = raw * multiplier / divisor.
CREATE TABLE series (
    id              INTEGER PRIMARY KEY,
    device          TEXT NOT NULL,
    catalog         INTEGER NOT NULL,
    quantity        INTEGER NOT NULL,
    name            TEXT NOT NULL,
    unit            TEXT NOT NULL,
    scale           INTEGER NOT NULL,
    multiplier      REAL NOT NULL,
    divisor         REAL NOT NULL,
    UNIQUE (device, catalog, quantity)
) STRICT;

-- The only large table, a row a record. `readings`: a JSON list of [series, raw], or [series, raw, fault] where there is no value. A lane's
-- rows lie in order within a sheet, and its later rows never in an earlier sheet. The rows of one transaction stand together on few pages
-- of the newest sheet, however many devices they came from, and a lane is found again by looking into one sheet after the other.
CREATE TABLE record (
    sheet           INTEGER NOT NULL,
    lane_id         INTEGER NOT NULL,
    position        INTEGER NOT NULL,
    tick            INTEGER NOT NULL,
    not_before_us   INTEGER,
    not_after_us    INTEGER NOT NULL,
    readings        TEXT NOT NULL,
    PRIMARY KEY (sheet, lane_id, position)
) STRICT, WITHOUT ROWID;

-- All sheets, the last of which may still be empty. A new one is begun when the newest holds 64 records or more. Old ones are merged: one
-- that is no longer there is the last one before it.
CREATE TABLE sheet (
    id              INTEGER PRIMARY KEY,
    merged          INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Where to look: the lane's records from `position` on lie in this sheet or later ones, those before it in this sheet or earlier ones.
-- One for every 256 positions of a lane, or every 2,048 sheets.
CREATE TABLE signpost (
    lane_id         INTEGER NOT NULL,
    position        INTEGER NOT NULL,
    sheet           INTEGER NOT NULL,
    not_before_us   INTEGER,
    not_after_us    INTEGER NOT NULL,
    PRIMARY KEY (lane_id, position)
) STRICT, WITHOUT ROWID;

-- The newest reading of a series lies less than 256 positions above this: a hint that costs a write every 256 positions.
CREATE TABLE newest (
    lane_id         INTEGER NOT NULL,
    series_id       INTEGER NOT NULL,
    position        INTEGER NOT NULL,
    PRIMARY KEY (lane_id, series_id)
) STRICT, WITHOUT ROWID;

-- Positions that will never be stored. `records` is how many, NULL if nobody can know.
CREATE TABLE gap (
    lane_id         INTEGER NOT NULL,
    first_position  INTEGER NOT NULL,
    last_position   INTEGER NOT NULL,
    cause           TEXT NOT NULL,
    records         INTEGER,
    not_before_us   INTEGER,
    not_after_us    INTEGER,
    written_us      INTEGER NOT NULL,
    detail          TEXT NOT NULL,
    PRIMARY KEY (lane_id, first_position)
) STRICT, WITHOUT ROWID;

CREATE TABLE boot (
    device              TEXT NOT NULL,
    boot                INTEGER NOT NULL,
    tag                 INTEGER NOT NULL,
    catalog             INTEGER NOT NULL,
    firmware            TEXT NOT NULL,
    seen_us             INTEGER NOT NULL,
    started_not_before_us INTEGER,
    started_not_after_us  INTEGER,
    last_tick           INTEGER NOT NULL,
    rebased_by          INTEGER NOT NULL,
    reset_cause         INTEGER NOT NULL,
    dial_attempts       INTEGER NOT NULL,
    last_end            INTEGER NOT NULL,
    offline_ms          INTEGER NOT NULL,
    outbox_high_water   INTEGER NOT NULL,
    minus_dbm           INTEGER NOT NULL,
    free_kib            INTEGER NOT NULL,
    PRIMARY KEY (device, boot)
) STRICT, WITHOUT ROWID;

-- What ties ticks of a boot to wall time.
CREATE TABLE anchor (
    id              INTEGER PRIMARY KEY,
    device          TEXT NOT NULL,
    boot            INTEGER NOT NULL,
    tick            INTEGER NOT NULL,
    lo_us           INTEGER NOT NULL,
    hi_us           INTEGER NOT NULL,
    server          INTEGER NOT NULL
) STRICT;
CREATE INDEX anchor_of_device ON anchor (device, boot, tick);

CREATE TABLE connection (
    id                  INTEGER PRIMARY KEY,
    device              TEXT NOT NULL,
    boot                INTEGER NOT NULL,
    server              INTEGER NOT NULL,
    peer                TEXT NOT NULL,
    from_us             INTEGER NOT NULL,
    to_us               INTEGER,
    reason              TEXT NOT NULL,
    asleep_until_us     INTEGER,
    records             INTEGER NOT NULL,
    bytes               INTEGER NOT NULL,
    reset_cause         INTEGER NOT NULL,
    dial_attempts       INTEGER NOT NULL,
    last_end            INTEGER NOT NULL,
    offline_ms          INTEGER NOT NULL,
    outbox_high_water   INTEGER NOT NULL,
    minus_dbm           INTEGER NOT NULL,
    free_kib            INTEGER NOT NULL
) STRICT;
CREATE INDEX connection_of_device ON connection (device, from_us);

-- `state`: queued, sent (detail: boot), done, refused (detail: code), expired, undeliverable, unknown.
CREATE TABLE command (
    device          TEXT NOT NULL,
    id              INTEGER NOT NULL,
    number          INTEGER NOT NULL,
    name            TEXT NOT NULL,
    policy          INTEGER NOT NULL,
    body            BLOB NOT NULL,
    issuer          TEXT NOT NULL,
    idempotency_key TEXT,
    keep_all        INTEGER NOT NULL,
    created_us      INTEGER NOT NULL,
    deadline_us     INTEGER NOT NULL,
    state           TEXT NOT NULL,
    detail          INTEGER,
    open            INTEGER NOT NULL,
    answer          BLOB NOT NULL,
    settled_us      INTEGER,
    PRIMARY KEY (device, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX command_open ON command (device, open, id);

CREATE TABLE setting (
    device          TEXT NOT NULL,
    number          INTEGER NOT NULL,
    name            TEXT NOT NULL,
    revision        INTEGER NOT NULL,
    body            BLOB NOT NULL,
    issuer          TEXT NOT NULL,
    set_us          INTEGER NOT NULL,
    applied_us      INTEGER,
    refused         INTEGER,
    PRIMARY KEY (device, number)
) STRICT, WITHOUT ROWID;

-- Records that could not become rows: their bytes as they came. A gap with cause `rejected` covers them.
CREATE TABLE quarantine (
    id              INTEGER PRIMARY KEY,
    lane_id         INTEGER NOT NULL,
    first_position  INTEGER NOT NULL,
    last_position   INTEGER NOT NULL,
    reason          TEXT NOT NULL,
    raw             BLOB NOT NULL,
    written_us      INTEGER NOT NULL
) STRICT;
CREATE INDEX quarantine_of_lane ON quarantine (lane_id, first_position);

-- A row a reading.
CREATE VIEW reading AS
SELECT
    r.lane_id,
    r.position,
    v.value ->> 0 AS series_id,
    v.value ->> 1 AS raw,
    v.value ->> 2 AS fault,
    r.tick,
    r.not_before_us,
    r.not_after_us
FROM sheet h
JOIN record r ON r.sheet = h.id
JOIN json_each(r.readings) v;

-- For people. `time` is the middle of what is certain, `plus_minus` the seconds to either side. With quality 'upper bound' nothing
-- bounds the time from below: it was then, or earlier. `value` is NULL where the device gave a fault instead.
CREATE VIEW readings AS
SELECT
    strftime('%Y-%m-%d %H:%M:%f',
        CASE WHEN r.not_before_us IS NULL THEN r.not_after_us
             ELSE r.not_before_us + (r.not_after_us - r.not_before_us) / 2 END / 1e6, 'unixepoch') AS time,
    l.device,
    s.name AS quantity,
    s.unit,
    CASE WHEN r.fault IS NULL THEN r.raw * s.multiplier / s.divisor END AS value,
    (r.not_after_us - r.not_before_us) / 2e6 AS plus_minus,
    CASE
        WHEN r.fault = 1 THEN 'fault: no value'
        WHEN r.fault = 2 THEN 'fault: not a number'
        WHEN r.fault = 3 THEN 'fault: below range'
        WHEN r.fault = 4 THEN 'fault: above range'
        WHEN r.fault IS NOT NULL THEN 'fault ' || r.fault
        WHEN r.not_before_us IS NULL THEN 'upper bound'
        ELSE 'ok'
    END AS quality,
    CASE l.lane WHEN 0 THEN 'alarm' WHEN 1 THEN 'control' ELSE 'readings' END AS lane,
    r.position >> 32 AS boot,
    r.position & 4294967295 AS n,
    r.not_before_us,
    r.not_after_us
FROM reading r
JOIN lane l ON l.id = r.lane_id
JOIN series s ON s.id = r.series_id;

CREATE VIEW gaps AS
SELECT
    l.device,
    CASE l.lane WHEN 0 THEN 'alarm' WHEN 1 THEN 'control' ELSE 'readings' END AS lane,
    g.cause,
    g.records,
    strftime('%Y-%m-%d %H:%M:%f', g.not_before_us / 1e6, 'unixepoch') AS not_before,
    strftime('%Y-%m-%d %H:%M:%f', g.not_after_us / 1e6, 'unixepoch') AS not_after,
    strftime('%Y-%m-%d %H:%M:%f', g.written_us / 1e6, 'unixepoch') AS written,
    g.detail,
    g.first_position,
    g.last_position
FROM gap g
JOIN lane l ON l.id = g.lane_id;

CREATE VIEW commands AS
SELECT
    strftime('%Y-%m-%d %H:%M:%f', created_us / 1e6, 'unixepoch') AS time,
    device,
    id,
    name,
    state,
    detail,
    issuer,
    strftime('%Y-%m-%d %H:%M:%f', deadline_us / 1e6, 'unixepoch') AS deadline,
    strftime('%Y-%m-%d %H:%M:%f', settled_us / 1e6, 'unixepoch') AS settled,
    hex(body) AS body,
    hex(answer) AS answer
FROM command;

CREATE VIEW connections AS
SELECT
    strftime('%Y-%m-%d %H:%M:%f', from_us / 1e6, 'unixepoch') AS begun,
    strftime('%Y-%m-%d %H:%M:%f', to_us / 1e6, 'unixepoch') AS ended,
    (to_us - from_us) / 1e6 AS seconds,
    device,
    boot,
    peer,
    reason,
    strftime('%Y-%m-%d %H:%M:%f', asleep_until_us / 1e6, 'unixepoch') AS asleep_until,
    records,
    bytes,
    dial_attempts,
    offline_ms / 1e3 AS offline_seconds,
    outbox_high_water AS outbox_percent,
    CASE WHEN minus_dbm > 0 THEN -minus_dbm END AS dbm,
    free_kib
FROM connection;

CREATE VIEW boots AS
SELECT
    strftime('%Y-%m-%d %H:%M:%f', seen_us / 1e6, 'unixepoch') AS seen,
    device,
    boot,
    firmware,
    strftime('%Y-%m-%d %H:%M:%f', started_not_before_us / 1e6, 'unixepoch') AS started_not_before,
    strftime('%Y-%m-%d %H:%M:%f', started_not_after_us / 1e6, 'unixepoch') AS started_not_after,
    last_tick / 1e3 AS uptime_seconds,
    reset_cause,
    dial_attempts,
    offline_ms / 1e3 AS offline_seconds,
    outbox_high_water AS outbox_percent,
    CASE WHEN minus_dbm > 0 THEN -minus_dbm END AS dbm,
    free_kib,
    rebased_by
FROM boot;

-- What a full database looks like, so that a question about one device goes from sheet to sheet instead of through all rows.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('sheet', NULL, '10000'),
    ('record', 'record', '5000000 512 5 1'),
    ('lane', 'sqlite_autoindex_lane_1', '300 3 1'),
    ('series', 'sqlite_autoindex_series_1', '1000 10 5 1');
ANALYZE sqlite_schema;
