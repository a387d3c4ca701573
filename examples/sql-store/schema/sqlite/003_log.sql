-- What was known after some segments of the log: it is played from there, and what lies before the oldest that is needed is deleted.
-- `positions` and `state` are what `rule_zone` had then.
CREATE TABLE rule_log_checkpoint (
    zone            TEXT NOT NULL,
    segment         INTEGER NOT NULL,
    rules           INTEGER NOT NULL,
    written_us      INTEGER NOT NULL,
    positions       BLOB NOT NULL,
    state           BLOB NOT NULL,
    PRIMARY KEY (zone, segment)
) STRICT, WITHOUT ROWID;
