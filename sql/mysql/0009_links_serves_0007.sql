-- Wrong guesses in a row.

-- failures: of a bucket of guesses at sign-in codes: how many were wrong since the last right one, however long ago. See
-- domain/short_codes.h.
ALTER TABLE rate_limits ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;
