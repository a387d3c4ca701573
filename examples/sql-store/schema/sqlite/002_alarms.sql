-- Alarms: what rules said of the records, and what was done about it. Written by the program that judges, beside the store's own tables.
-- A zone is what one rule file judges.

-- Who judges a zone, until when by this database's clock, and how far it came. `generation` grows with each holder: a transaction of
-- an older one changes nothing. `positions` (how far records were read) and `state` (what is known of them) belong together.
CREATE TABLE rule_zone (
    zone            TEXT PRIMARY KEY,
    holder          INTEGER NOT NULL,
    generation      INTEGER NOT NULL,
    until_us        INTEGER NOT NULL,
    segments        INTEGER NOT NULL,
    rules           INTEGER NOT NULL,
    positions       BLOB NOT NULL,
    state           BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What was judged, in order: positions that were read, the time to which it was judged, what came too late. Played again over the
-- records, it gives the same changes.
CREATE TABLE rule_log (
    zone            TEXT NOT NULL,
    segment         INTEGER NOT NULL,
    rules           INTEGER NOT NULL,
    written_us      INTEGER NOT NULL,
    entries         BLOB NOT NULL,
    PRIMARY KEY (zone, segment)
) STRICT, WITHOUT ROWID;

-- What was known at some times of the past, to judge again from there when records come late.
CREATE TABLE rule_checkpoint (
    zone            TEXT NOT NULL,
    at_ms           INTEGER NOT NULL,
    rules           INTEGER NOT NULL,
    state           BLOB NOT NULL,
    PRIMARY KEY (zone, at_ms)
) STRICT, WITHOUT ROWID;

-- One alarm, from its beginning to its end. It began at a record, the newest that was judged then, by the rules of that hash. `level` is what it is at now, `worst` what it was at. `historic`: too old to move anything
-- when it was found. `withdrawn_us`: records that came late show that it was none; what it has moved stays moved.
CREATE TABLE alarm (
    alarm_key       TEXT PRIMARY KEY,
    zone            TEXT NOT NULL,
    hazard          TEXT NOT NULL,
    rules           INTEGER NOT NULL,
    device          TEXT NOT NULL,
    lane            INTEGER NOT NULL,
    position        INTEGER NOT NULL,
    began_us        INTEGER NOT NULL,
    changed_us      INTEGER NOT NULL,
    ended_us        INTEGER,
    level           TEXT NOT NULL,
    worst           TEXT NOT NULL,
    score           INTEGER NOT NULL,
    words           TEXT NOT NULL,
    changes         INTEGER NOT NULL,
    historic        INTEGER NOT NULL,
    written_us      INTEGER NOT NULL,
    withdrawn_us    INTEGER,
    seen_us         INTEGER,
    seen_by         TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX alarm_by_time ON alarm (zone, began_us);

-- Each change of an alarm, in order, with the segment of the log that led to it.
CREATE TABLE alarm_change (
    alarm_key       TEXT NOT NULL,
    n               INTEGER NOT NULL,
    at_us           INTEGER NOT NULL,
    level           TEXT NOT NULL,
    score           INTEGER NOT NULL,
    words           TEXT NOT NULL,
    segment         INTEGER NOT NULL,
    written_us      INTEGER NOT NULL,
    PRIMARY KEY (alarm_key, n)
) STRICT, WITHOUT ROWID;

-- What was decided for each action of an alarm: waiting, begun, done, failed, too old, held back, device, unknown.
CREATE TABLE alarm_action (
    alarm_key       TEXT NOT NULL,
    action          INTEGER NOT NULL,
    zone            TEXT NOT NULL,
    what            TEXT NOT NULL,
    state           TEXT NOT NULL,
    detail          TEXT NOT NULL,
    at_us           INTEGER NOT NULL,
    decided_us      INTEGER NOT NULL,
    done_us         INTEGER,
    PRIMARY KEY (alarm_key, action)
) STRICT, WITHOUT ROWID;
CREATE INDEX alarm_action_by_time ON alarm_action (zone, action, decided_us);

CREATE VIEW alarms AS
SELECT
    strftime('%Y-%m-%d %H:%M:%f', began_us / 1e6, 'unixepoch') AS began,
    strftime('%Y-%m-%d %H:%M:%f', ended_us / 1e6, 'unixepoch') AS ended,
    zone,
    hazard,
    level,
    worst,
    score / 100.0 AS score,
    words,
    historic,
    strftime('%Y-%m-%d %H:%M:%f', withdrawn_us / 1e6, 'unixepoch') AS withdrawn,
    strftime('%Y-%m-%d %H:%M:%f', seen_us / 1e6, 'unixepoch') AS seen,
    seen_by,
    alarm_key
FROM alarm;

CREATE VIEW alarm_actions AS
SELECT
    strftime('%Y-%m-%d %H:%M:%f', decided_us / 1e6, 'unixepoch') AS decided,
    strftime('%Y-%m-%d %H:%M:%f', done_us / 1e6, 'unixepoch') AS done,
    zone,
    what,
    state,
    detail,
    alarm_key
FROM alarm_action;
