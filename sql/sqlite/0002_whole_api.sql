-- Passwords, devices, API keys, the verification service, and what codes for other purposes than login need.

ALTER TABLE users ADD COLUMN password_hash TEXT NULL;
ALTER TABLE users ADD COLUMN password_changed_at_us BIGINT NULL;

-- lane: zeros for strangers, or the known device that asked; the codes of one lane do not touch those of another.
-- redeemed_at_us: when the receipt of a verified code (verification_token, reset_token) was spent.
ALTER TABLE otp_requests ADD COLUMN lane BLOB NOT NULL DEFAULT X'00000000000000000000000000000000';
ALTER TABLE otp_requests ADD COLUMN amr TEXT NOT NULL DEFAULT 'otp';
ALTER TABLE otp_requests ADD COLUMN redeemed_at_us BIGINT NULL;
DROP INDEX otp_requests_destination;
CREATE INDEX otp_requests_destination ON otp_requests (destination, purpose, lane, id);

-- code_length, code_alphabet: of the code to derive; 0 for the settings. discard: never sent; the row is there so that a request for an
-- account that does not exist costs the same work.
ALTER TABLE outbox ADD COLUMN code_length BIGINT NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN code_alphabet TEXT NOT NULL DEFAULT 'digits';
ALTER TABLE outbox ADD COLUMN discard BIGINT NOT NULL DEFAULT 0;

ALTER TABLE sessions ADD COLUMN device_id BLOB NULL;
ALTER TABLE sessions ADD COLUMN amr TEXT NOT NULL DEFAULT 'otp';

CREATE TABLE IF NOT EXISTS devices (
    id              BLOB   NOT NULL PRIMARY KEY,
    user_id         BLOB   NOT NULL,
    install_id      TEXT   NOT NULL DEFAULT '',
    platform        TEXT   NOT NULL DEFAULT '',
    app_version     TEXT   NOT NULL DEFAULT '',
    device_name     TEXT   NOT NULL DEFAULT '',
    created_at_us   BIGINT NOT NULL,
    last_seen_at_us BIGINT NOT NULL,
    revoked_at_us   BIGINT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS devices_user ON devices (user_id, id);

-- secret_hash: SHA-256 of the secret part, which is random and long enough to need no more.
CREATE TABLE IF NOT EXISTS api_keys (
    id              BLOB   NOT NULL PRIMARY KEY,
    user_id         BLOB   NOT NULL,
    name            TEXT   NOT NULL,
    prefix          TEXT   NOT NULL,
    secret_hash     BLOB   NOT NULL,
    scopes          TEXT   NOT NULL,
    created_at_us   BIGINT NOT NULL,
    expires_at_us   BIGINT NULL,
    last_used_at_us BIGINT NULL,
    revoked_at_us   BIGINT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS api_keys_prefix ON api_keys (prefix);
CREATE INDEX IF NOT EXISTS api_keys_user ON api_keys (user_id, id);

-- A context of the verification service has a row from its first check on, none before.
CREATE TABLE IF NOT EXISTS verification_attempts (
    id             BLOB   NOT NULL PRIMARY KEY,
    attempts       BIGINT NOT NULL,
    consumed_at_us BIGINT NULL,
    expires_at_us  BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS verification_attempts_expires ON verification_attempts (expires_at_us);

-- Who reads the trail by event alone must not read all of it: a rare event of a large table outlasts the answer time-out.
CREATE INDEX IF NOT EXISTS audit_events_event ON audit_events (event, id);
