-- Tables have singular names and belong to the program; views have plural names and belong to people.
-- Times are microseconds since 1970 UTC. Tags, hashes and random ids are 64 bits, kept as signed integers.
-- A position is boot * 2^32 + n.

-- `latest_us`: the latest time that was written, where no lane says a later one.
CREATE TABLE IF NOT EXISTS store (
    one             BIGINT PRIMARY KEY CHECK (one = 1),
    id              BIGINT NOT NULL,
    created_us      BIGINT NOT NULL,
    latest_us       BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What a device last proved to be. `superseded`: tags of earlier boots, hexadecimal, the newest first.
CREATE TABLE IF NOT EXISTS device (
    device          VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
    boot            BIGINT NOT NULL,
    tag             BIGINT NOT NULL,
    superseded      VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    catalog         BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS lane (
    id              BIGINT AUTO_INCREMENT PRIMARY KEY,
    device          VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    lane            INT NOT NULL,
    ended           BIGINT NOT NULL DEFAULT 0,
    UNIQUE (device, lane)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The only authority on what is stored of a lane: never derived from records, never purged.
CREATE TABLE IF NOT EXISTS mark (
    lane_id         BIGINT PRIMARY KEY,
    mark            BIGINT NOT NULL DEFAULT 0,
    written_us      BIGINT,
    sheet           BIGINT NOT NULL DEFAULT 0
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What a device said of itself: canonical bytes, and the firmware's name out of them.
CREATE TABLE IF NOT EXISTS catalog (
    id              BIGINT AUTO_INCREMENT PRIMARY KEY,
    device          VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    hash            BIGINT NOT NULL,
    firmware        TEXT NOT NULL,
    bytes           MEDIUMBLOB NOT NULL,
    UNIQUE (device, hash)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One quantity of one catalogue: another name, unit or scale is another row. "quantity 7", without a unit, is one whose catalogue is
-- not stored yet. value = raw * multiplier / divisor.
CREATE TABLE IF NOT EXISTS series (
    id              BIGINT AUTO_INCREMENT PRIMARY KEY,
    device          VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    catalog         BIGINT NOT NULL,
    quantity        INT NOT NULL,
    name            VARCHAR(96) NOT NULL,
    unit            VARCHAR(96) NOT NULL,
    scale           INT NOT NULL,
    multiplier      DOUBLE NOT NULL,
    divisor         DOUBLE NOT NULL,
    UNIQUE (device, catalog, quantity)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The only large table, a row a record, in the order in which it is written and read. `readings`: a JSON list of [series, raw], or
-- [series, raw, fault] where there is no value. `sheet` is 0: only SQLite needs more than one.
CREATE TABLE IF NOT EXISTS record (
    sheet           BIGINT NOT NULL,
    lane_id         BIGINT NOT NULL,
    position        BIGINT NOT NULL,
    tick            BIGINT NOT NULL,
    not_before_us   BIGINT,
    not_after_us    BIGINT NOT NULL,
    readings        TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    PRIMARY KEY (lane_id, position)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- All sheets.
CREATE TABLE IF NOT EXISTS sheet (
    id              BIGINT PRIMARY KEY
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One for every 256 positions of a lane: where a stretch of time begins and ends.
CREATE TABLE IF NOT EXISTS signpost (
    lane_id         BIGINT NOT NULL,
    position        BIGINT NOT NULL,
    sheet           BIGINT NOT NULL,
    not_before_us   BIGINT,
    not_after_us    BIGINT NOT NULL,
    PRIMARY KEY (lane_id, position)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The newest reading of a series lies less than 256 positions above this: a hint that costs a write every 256 positions.
CREATE TABLE IF NOT EXISTS newest (
    lane_id         BIGINT NOT NULL,
    series_id       BIGINT NOT NULL,
    position        BIGINT NOT NULL,
    PRIMARY KEY (lane_id, series_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Positions that will never be stored. `records` is how many, NULL if nobody can know.
CREATE TABLE IF NOT EXISTS gap (
    lane_id         BIGINT NOT NULL,
    first_position  BIGINT NOT NULL,
    last_position   BIGINT NOT NULL,
    cause           VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    records         BIGINT,
    not_before_us   BIGINT,
    not_after_us    BIGINT,
    written_us      BIGINT NOT NULL,
    detail          TEXT NOT NULL,
    PRIMARY KEY (lane_id, first_position)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS boot (
    device              VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    boot                BIGINT NOT NULL,
    tag                 BIGINT NOT NULL,
    catalog             BIGINT NOT NULL,
    firmware            TEXT NOT NULL,
    seen_us             BIGINT NOT NULL,
    started_not_before_us BIGINT,
    started_not_after_us  BIGINT,
    last_tick           BIGINT NOT NULL,
    rebased_by          BIGINT NOT NULL,
    reset_cause         INT NOT NULL,
    dial_attempts       INT NOT NULL,
    last_end            INT NOT NULL,
    offline_ms          BIGINT NOT NULL,
    outbox_high_water   INT NOT NULL,
    minus_dbm           INT NOT NULL,
    free_kib            INT NOT NULL,
    PRIMARY KEY (device, boot)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What ties ticks of a boot to wall time.
CREATE TABLE IF NOT EXISTS anchor (
    id              BIGINT AUTO_INCREMENT PRIMARY KEY,
    device          VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    boot            BIGINT NOT NULL,
    tick            BIGINT NOT NULL,
    lo_us           BIGINT NOT NULL,
    hi_us           BIGINT NOT NULL,
    server          BIGINT NOT NULL,
    INDEX anchor_of_device (device, boot, tick)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS connection (
    id                  BIGINT PRIMARY KEY,
    device              VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    boot                BIGINT NOT NULL,
    server              BIGINT NOT NULL,
    peer                TEXT NOT NULL,
    from_us             BIGINT NOT NULL,
    to_us               BIGINT,
    reason              TEXT NOT NULL,
    asleep_until_us     BIGINT,
    records             BIGINT NOT NULL,
    bytes               BIGINT NOT NULL,
    reset_cause         INT NOT NULL,
    dial_attempts       INT NOT NULL,
    last_end            INT NOT NULL,
    offline_ms          BIGINT NOT NULL,
    outbox_high_water   INT NOT NULL,
    minus_dbm           INT NOT NULL,
    free_kib            INT NOT NULL,
    INDEX connection_of_device (device, from_us)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- `state`: queued, sent (detail: boot), done, refused (detail: code), expired, undeliverable, unknown.
CREATE TABLE IF NOT EXISTS command (
    device          VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    id              BIGINT NOT NULL,
    number          INT NOT NULL,
    name            VARCHAR(96) NOT NULL,
    policy          INT NOT NULL,
    body            MEDIUMBLOB NOT NULL,
    issuer          TEXT NOT NULL,
    idempotency_key TEXT,
    keep_all        INT NOT NULL,
    created_us      BIGINT NOT NULL,
    deadline_us     BIGINT NOT NULL,
    state           VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    detail          BIGINT,
    open            INT NOT NULL,
    answer          MEDIUMBLOB NOT NULL,
    settled_us      BIGINT,
    PRIMARY KEY (device, id),
    INDEX command_open (device, open, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS setting (
    device          VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    number          INT NOT NULL,
    name            VARCHAR(96) NOT NULL,
    revision        BIGINT NOT NULL,
    body            MEDIUMBLOB NOT NULL,
    issuer          TEXT NOT NULL,
    set_us          BIGINT NOT NULL,
    applied_us      BIGINT,
    refused         INT,
    PRIMARY KEY (device, number)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Records that could not become rows: their bytes as they came. A gap with cause `rejected` covers them.
CREATE TABLE IF NOT EXISTS quarantine (
    id              BIGINT AUTO_INCREMENT PRIMARY KEY,
    lane_id         BIGINT NOT NULL,
    first_position  BIGINT NOT NULL,
    last_position   BIGINT NOT NULL,
    reason          TEXT NOT NULL,
    raw             MEDIUMBLOB NOT NULL,
    written_us      BIGINT NOT NULL,
    INDEX quarantine_of_lane (lane_id, first_position)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A row a reading.
CREATE OR REPLACE VIEW reading AS
SELECT
    r.lane_id,
    r.position,
    v.series_id,
    v.raw,
    v.fault,
    r.tick,
    r.not_before_us,
    r.not_after_us
FROM record r
JOIN JSON_TABLE(r.readings, '$[*]' COLUMNS (
    series_id BIGINT PATH '$[0]', raw INT PATH '$[1]', fault SMALLINT PATH '$[2]')) v;

-- For people. `time` is the middle of what is certain, `plus_minus` the seconds to either side. With quality 'upper bound' nothing
-- bounds the time from below: it was then, or earlier. `value` is NULL where the device gave a fault instead.
CREATE OR REPLACE VIEW readings AS
SELECT
    CAST(TIMESTAMPADD(MICROSECOND,
        CASE WHEN r.not_before_us IS NULL THEN r.not_after_us
             ELSE r.not_before_us + (r.not_after_us - r.not_before_us) DIV 2 END,
        '1970-01-01 00:00:00') AS DATETIME(3)) AS time,
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
        WHEN r.fault IS NOT NULL THEN CONCAT('fault ', r.fault)
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

CREATE OR REPLACE VIEW gaps AS
SELECT
    l.device,
    CASE l.lane WHEN 0 THEN 'alarm' WHEN 1 THEN 'control' ELSE 'readings' END AS lane,
    g.cause,
    g.records,
    CAST(TIMESTAMPADD(MICROSECOND, g.not_before_us, '1970-01-01 00:00:00') AS DATETIME(3)) AS not_before,
    CAST(TIMESTAMPADD(MICROSECOND, g.not_after_us, '1970-01-01 00:00:00') AS DATETIME(3)) AS not_after,
    CAST(TIMESTAMPADD(MICROSECOND, g.written_us, '1970-01-01 00:00:00') AS DATETIME(3)) AS written,
    g.detail,
    g.first_position,
    g.last_position
FROM gap g
JOIN lane l ON l.id = g.lane_id;

CREATE OR REPLACE VIEW commands AS
SELECT
    CAST(TIMESTAMPADD(MICROSECOND, created_us, '1970-01-01 00:00:00') AS DATETIME(3)) AS time,
    device,
    id,
    name,
    state,
    detail,
    issuer,
    CAST(TIMESTAMPADD(MICROSECOND, deadline_us, '1970-01-01 00:00:00') AS DATETIME(3)) AS deadline,
    CAST(TIMESTAMPADD(MICROSECOND, settled_us, '1970-01-01 00:00:00') AS DATETIME(3)) AS settled,
    hex(body) AS body,
    hex(answer) AS answer
FROM command;

CREATE OR REPLACE VIEW connections AS
SELECT
    CAST(TIMESTAMPADD(MICROSECOND, from_us, '1970-01-01 00:00:00') AS DATETIME(3)) AS begun,
    CAST(TIMESTAMPADD(MICROSECOND, to_us, '1970-01-01 00:00:00') AS DATETIME(3)) AS ended,
    (to_us - from_us) / 1e6 AS seconds,
    device,
    boot,
    peer,
    reason,
    CAST(TIMESTAMPADD(MICROSECOND, asleep_until_us, '1970-01-01 00:00:00') AS DATETIME(3)) AS asleep_until,
    records,
    bytes,
    dial_attempts,
    offline_ms / 1e3 AS offline_seconds,
    outbox_high_water AS outbox_percent,
    CASE WHEN minus_dbm > 0 THEN -minus_dbm END AS dbm,
    free_kib
FROM connection;

CREATE OR REPLACE VIEW boots AS
SELECT
    CAST(TIMESTAMPADD(MICROSECOND, seen_us, '1970-01-01 00:00:00') AS DATETIME(3)) AS seen,
    device,
    boot,
    firmware,
    CAST(TIMESTAMPADD(MICROSECOND, started_not_before_us, '1970-01-01 00:00:00') AS DATETIME(3)) AS started_not_before,
    CAST(TIMESTAMPADD(MICROSECOND, started_not_after_us, '1970-01-01 00:00:00') AS DATETIME(3)) AS started_not_after,
    last_tick / 1e3 AS uptime_seconds,
    reset_cause,
    dial_attempts,
    offline_ms / 1e3 AS offline_seconds,
    outbox_high_water AS outbox_percent,
    CASE WHEN minus_dbm > 0 THEN -minus_dbm END AS dbm,
    free_kib,
    rebased_by
FROM boot;
