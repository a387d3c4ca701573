-- What was known after some segments of the log: it is played from there, and what lies before the oldest that is needed is deleted.
-- `positions` and `state` are what `rule_zone` had then.
CREATE TABLE IF NOT EXISTS rule_log_checkpoint (
    zone            VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    segment         BIGINT NOT NULL,
    rules           BIGINT NOT NULL,
    written_us      BIGINT NOT NULL,
    positions       LONGBLOB NOT NULL,
    state           LONGBLOB NOT NULL,
    PRIMARY KEY (zone, segment)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
