-- The time zones that people read times in.

-- Of the browser or program that signed in last, as the IANA names it; empty where that is not known.
ALTER TABLE users ADD COLUMN time_zone VARCHAR(64) NOT NULL DEFAULT '';
-- Of whom a notice goes to.
ALTER TABLE outbox ADD COLUMN time_zone VARCHAR(64) NOT NULL DEFAULT '';
