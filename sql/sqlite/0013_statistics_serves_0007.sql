-- How often each event happened, for statistics. hour, day: since 1970 in UTC. An hour that was counted has a row with the event '',
-- which holds the number of all its events; a day is the sum of its hours so far. Of nobody in particular, so they stay when the trail
-- is deleted.
CREATE TABLE hourly_counts (
    hour  BIGINT NOT NULL,
    event TEXT   NOT NULL,
    times BIGINT NOT NULL,
    PRIMARY KEY (hour, event)
) WITHOUT ROWID;

CREATE TABLE daily_counts (
    day   BIGINT NOT NULL,
    event TEXT   NOT NULL,
    times BIGINT NOT NULL,
    PRIMARY KEY (day, event)
) WITHOUT ROWID;

-- send_limit: what may be asked for by this key, such as 200/1h,1000/1d, in place of its user's limit; NULL: that one.
ALTER TABLE api_keys ADD COLUMN send_limit TEXT NULL;
