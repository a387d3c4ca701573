-- Alarms: what rules said of the records, and what was done about it. Written by the program that judges, beside the store's own tables.
-- A zone is what one rule file judges.

-- Who judges a zone, until when by this database's clock, and how far it came. `generation` grows with each holder: a transaction of
-- an older one changes nothing. `positions` (how far records were read) and `state` (what is known of them) belong together.
CREATE TABLE IF NOT EXISTS rule_zone (
    zone            VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
    holder          BIGINT NOT NULL,
    generation      BIGINT NOT NULL,
    until_us        BIGINT NOT NULL,
    segments        BIGINT NOT NULL,
    rules           BIGINT NOT NULL,
    positions       LONGBLOB NOT NULL,
    state           LONGBLOB NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What was judged, in order: positions that were read, the time to which it was judged, what came too late. Played again over the
-- records, it gives the same changes.
CREATE TABLE IF NOT EXISTS rule_log (
    zone            VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    segment         BIGINT NOT NULL,
    rules           BIGINT NOT NULL,
    written_us      BIGINT NOT NULL,
    entries         LONGBLOB NOT NULL,
    PRIMARY KEY (zone, segment)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What was known at some times of the past, to judge again from there when records come late.
CREATE TABLE IF NOT EXISTS rule_checkpoint (
    zone            VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    at_ms           BIGINT NOT NULL,
    rules           BIGINT NOT NULL,
    state           LONGBLOB NOT NULL,
    PRIMARY KEY (zone, at_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One alarm, from its beginning to its end. It began at a record, the newest that was judged then, by the rules of that hash. `level` is what it is at now, `worst` what it was at. `historic`: too old to move anything
-- when it was found. `withdrawn_us`: records that came late show that it was none; what it has moved stays moved.
CREATE TABLE IF NOT EXISTS alarm (
    alarm_key       VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
    zone            VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    hazard          TEXT NOT NULL,
    rules           BIGINT NOT NULL,
    device          VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    lane            BIGINT NOT NULL,
    position        BIGINT NOT NULL,
    began_us        BIGINT NOT NULL,
    changed_us      BIGINT NOT NULL,
    ended_us        BIGINT,
    level           TEXT NOT NULL,
    worst           TEXT NOT NULL,
    score           BIGINT NOT NULL,
    words           TEXT NOT NULL,
    changes         BIGINT NOT NULL,
    historic        BIGINT NOT NULL,
    written_us      BIGINT NOT NULL,
    withdrawn_us    BIGINT,
    seen_us         BIGINT,
    seen_by         TEXT,
    INDEX alarm_by_time (zone, began_us)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Each change of an alarm, in order, with the segment of the log that led to it.
CREATE TABLE IF NOT EXISTS alarm_change (
    alarm_key       VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    n               BIGINT NOT NULL,
    at_us           BIGINT NOT NULL,
    level           TEXT NOT NULL,
    score           BIGINT NOT NULL,
    words           TEXT NOT NULL,
    segment         BIGINT NOT NULL,
    written_us      BIGINT NOT NULL,
    PRIMARY KEY (alarm_key, n)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What was decided for each action of an alarm: waiting, begun, done, failed, too old, held back, device, unknown.
CREATE TABLE IF NOT EXISTS alarm_action (
    alarm_key       VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    action          BIGINT NOT NULL,
    zone            VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    what            TEXT NOT NULL,
    state           VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    detail          TEXT NOT NULL,
    at_us           BIGINT NOT NULL,
    decided_us      BIGINT NOT NULL,
    done_us         BIGINT,
    PRIMARY KEY (alarm_key, action),
    INDEX alarm_action_by_time (zone, action, decided_us)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE OR REPLACE VIEW alarms AS
SELECT
    CAST(TIMESTAMPADD(MICROSECOND, began_us, '1970-01-01 00:00:00') AS DATETIME(3)) AS began,
    CAST(TIMESTAMPADD(MICROSECOND, ended_us, '1970-01-01 00:00:00') AS DATETIME(3)) AS ended,
    zone,
    hazard,
    level,
    worst,
    score / 100.0 AS score,
    words,
    historic,
    CAST(TIMESTAMPADD(MICROSECOND, withdrawn_us, '1970-01-01 00:00:00') AS DATETIME(3)) AS withdrawn,
    CAST(TIMESTAMPADD(MICROSECOND, seen_us, '1970-01-01 00:00:00') AS DATETIME(3)) AS seen,
    seen_by,
    alarm_key
FROM alarm;

CREATE OR REPLACE VIEW alarm_actions AS
SELECT
    CAST(TIMESTAMPADD(MICROSECOND, decided_us, '1970-01-01 00:00:00') AS DATETIME(3)) AS decided,
    CAST(TIMESTAMPADD(MICROSECOND, done_us, '1970-01-01 00:00:00') AS DATETIME(3)) AS done,
    zone,
    what,
    state,
    detail,
    alarm_key
FROM alarm_action;
