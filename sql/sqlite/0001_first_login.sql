-- Codes, users, sessions, limits, audit trail, outbox and signing keys: what the first login needs.
-- Times are microseconds since 1970 in UTC, given by otpgate, never by the database. Ids are UUIDv7, so that rows arrive in
-- the order of their primary key and old ones are deleted by a range of it. Without a rowid the table is its primary key: one
-- tree less to write.

CREATE TABLE IF NOT EXISTS users (
    id               BLOB   NOT NULL PRIMARY KEY,
    username         TEXT   NOT NULL,
    email            TEXT   NULL,
    phone_number     TEXT   NULL,
    email_verified   BIGINT NOT NULL DEFAULT 0,
    phone_verified   BIGINT NOT NULL DEFAULT 0,
    first_name       TEXT   NOT NULL DEFAULT '',
    last_name        TEXT   NOT NULL DEFAULT '',
    locale           TEXT   NOT NULL DEFAULT '',
    role             TEXT   NOT NULL DEFAULT 'user',
    status           TEXT   NOT NULL DEFAULT 'active',
    joined_at_us     BIGINT NOT NULL,
    last_login_at_us BIGINT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS users_email ON users (email);
CREATE UNIQUE INDEX IF NOT EXISTS users_phone_number ON users (phone_number);

-- No code and no hash of one: the code follows from the id and the master key.
CREATE TABLE IF NOT EXISTS otp_requests (
    id             BLOB   NOT NULL PRIMARY KEY,
    destination    TEXT   NOT NULL,
    channel        TEXT   NOT NULL,
    purpose        TEXT   NOT NULL,
    guess_bucket   BLOB   NOT NULL,
    created_at_us  BIGINT NOT NULL,
    expires_at_us  BIGINT NOT NULL,
    attempts       BIGINT NOT NULL DEFAULT 0,
    max_attempts   BIGINT NOT NULL,
    consumed_at_us BIGINT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS otp_requests_destination ON otp_requests (destination, purpose, id);

CREATE TABLE IF NOT EXISTS sessions (
    id                  BLOB   NOT NULL PRIMARY KEY,
    user_id             BLOB   NOT NULL,
    created_at_us       BIGINT NOT NULL,
    last_seen_at_us     BIGINT NOT NULL,
    expires_at_us       BIGINT NOT NULL,
    authenticated_at_us BIGINT NOT NULL,
    refresh_counter     BIGINT NOT NULL DEFAULT 0,
    rotated_at_us       BIGINT NOT NULL DEFAULT 0,
    revoked_at_us       BIGINT NULL,
    revoked_reason      TEXT   NULL,
    ip_address          TEXT   NOT NULL,
    user_agent          TEXT   NOT NULL,
    install_id          TEXT   NOT NULL DEFAULT '',
    platform            TEXT   NOT NULL DEFAULT '',
    app_version         TEXT   NOT NULL DEFAULT '',
    device_name         TEXT   NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_user ON sessions (user_id, id);

-- hits: the last times that something was accepted, newest first, 8 bytes big-endian each.
CREATE TABLE IF NOT EXISTS rate_limits (
    bucket        BLOB   NOT NULL PRIMARY KEY,
    expires_at_us BIGINT NOT NULL,
    refused_at_us BIGINT NOT NULL DEFAULT 0,
    hits          BLOB   NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS audit_events (
    id            BLOB   NOT NULL PRIMARY KEY,
    event         TEXT   NOT NULL,
    user_id       BLOB   NULL,
    destination   TEXT   NULL,
    ip_address    TEXT   NULL,
    user_agent    TEXT   NULL,
    request_id    TEXT   NULL,
    metadata      TEXT   NULL,
    created_at_us BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS audit_events_user ON audit_events (user_id, id);
CREATE INDEX IF NOT EXISTS audit_events_destination ON audit_events (destination, id);

-- available_at_us is at once the lease of whoever is sending the row and the rest it takes after a failure.
CREATE TABLE IF NOT EXISTS outbox (
    id              BLOB   NOT NULL PRIMARY KEY,
    otp_id          BLOB   NOT NULL,
    channel         TEXT   NOT NULL,
    purpose         TEXT   NOT NULL,
    destination     TEXT   NOT NULL,
    locale          TEXT   NOT NULL,
    request_id      TEXT   NOT NULL,
    attempts        BIGINT NOT NULL DEFAULT 0,
    last_error      TEXT   NULL,
    created_at_us   BIGINT NOT NULL,
    expires_at_us   BIGINT NOT NULL,
    available_at_us BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS outbox_available ON outbox (available_at_us);

-- The private keys of access tokens, sealed under the master key.
CREATE TABLE IF NOT EXISTS signing_keys (
    sequence       BIGINT NOT NULL PRIMARY KEY,
    key_id         TEXT   NOT NULL,
    sealed_pem     BLOB   NOT NULL,
    created_at_us  BIGINT NOT NULL,
    active_from_us BIGINT NOT NULL
);
