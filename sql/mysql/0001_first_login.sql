-- Codes, users, sessions, limits, audit trail, outbox and signing keys: what the first login needs.
-- Times are microseconds since 1970 in UTC, given by otpgate, never by the database. Ids are UUIDv7, so that rows arrive in
-- the order of their primary key and old ones are deleted by a range of it.

CREATE TABLE IF NOT EXISTS users (
    id               BINARY(16)   NOT NULL PRIMARY KEY,
    username         VARCHAR(254) NOT NULL,
    email            VARCHAR(254) NULL,
    phone_number     VARCHAR(16)  NULL,
    email_verified   BIGINT       NOT NULL DEFAULT 0,
    phone_verified   BIGINT       NOT NULL DEFAULT 0,
    first_name       VARCHAR(150) NOT NULL DEFAULT '',
    last_name        VARCHAR(150) NOT NULL DEFAULT '',
    locale           VARCHAR(35)  NOT NULL DEFAULT '',
    role             VARCHAR(16)  NOT NULL DEFAULT 'user',
    status           VARCHAR(16)  NOT NULL DEFAULT 'active',
    joined_at_us     BIGINT       NOT NULL,
    last_login_at_us BIGINT       NULL,
    UNIQUE KEY users_email (email),
    UNIQUE KEY users_phone_number (phone_number)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- No code and no hash of one: the code follows from the id and the master key.
CREATE TABLE IF NOT EXISTS otp_requests (
    id             BINARY(16)   NOT NULL PRIMARY KEY,
    destination    VARCHAR(254) NOT NULL,
    channel        VARCHAR(8)   NOT NULL,
    purpose        VARCHAR(16)  NOT NULL,
    guess_bucket   BINARY(16)   NOT NULL,
    created_at_us  BIGINT       NOT NULL,
    expires_at_us  BIGINT       NOT NULL,
    attempts       BIGINT       NOT NULL DEFAULT 0,
    max_attempts   BIGINT       NOT NULL,
    consumed_at_us BIGINT       NULL,
    KEY otp_requests_destination (destination, purpose, id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS sessions (
    id                  BINARY(16)   NOT NULL PRIMARY KEY,
    user_id             BINARY(16)   NOT NULL,
    created_at_us       BIGINT       NOT NULL,
    last_seen_at_us     BIGINT       NOT NULL,
    expires_at_us       BIGINT       NOT NULL,
    authenticated_at_us BIGINT       NOT NULL,
    refresh_counter     BIGINT       NOT NULL DEFAULT 0,
    rotated_at_us       BIGINT       NOT NULL DEFAULT 0,
    revoked_at_us       BIGINT       NULL,
    revoked_reason      VARCHAR(32)  NULL,
    ip_address          VARCHAR(45)  NOT NULL,
    user_agent          VARCHAR(255) NOT NULL,
    install_id          VARCHAR(100) NOT NULL DEFAULT '',
    platform            VARCHAR(32)  NOT NULL DEFAULT '',
    app_version         VARCHAR(32)  NOT NULL DEFAULT '',
    device_name         VARCHAR(100) NOT NULL DEFAULT '',
    KEY sessions_user (user_id, id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- hits: the last times that something was accepted, newest first, 8 bytes big-endian each.
CREATE TABLE IF NOT EXISTS rate_limits (
    bucket        BINARY(16)      NOT NULL PRIMARY KEY,
    expires_at_us BIGINT          NOT NULL,
    refused_at_us BIGINT          NOT NULL DEFAULT 0,
    hits          VARBINARY(8000) NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS audit_events (
    id            BINARY(16)   NOT NULL PRIMARY KEY,
    event         VARCHAR(32)  NOT NULL,
    user_id       BINARY(16)   NULL,
    destination   VARCHAR(254) NULL,
    ip_address    VARCHAR(45)  NULL,
    user_agent    VARCHAR(255) NULL,
    request_id    VARCHAR(64)  NULL,
    metadata      TEXT         NULL,
    created_at_us BIGINT       NOT NULL,
    KEY audit_events_user (user_id, id),
    KEY audit_events_destination (destination, id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- available_at_us is at once the lease of whoever is sending the row and the rest it takes after a failure.
CREATE TABLE IF NOT EXISTS outbox (
    id              BINARY(16)   NOT NULL PRIMARY KEY,
    otp_id          BINARY(16)   NOT NULL,
    channel         VARCHAR(8)   NOT NULL,
    purpose         VARCHAR(16)  NOT NULL,
    destination     VARCHAR(254) NOT NULL,
    locale          VARCHAR(35)  NOT NULL,
    request_id      VARCHAR(64)  NOT NULL,
    attempts        BIGINT       NOT NULL DEFAULT 0,
    last_error      VARCHAR(200) NULL,
    created_at_us   BIGINT       NOT NULL,
    expires_at_us   BIGINT       NOT NULL,
    available_at_us BIGINT       NOT NULL,
    KEY outbox_available (available_at_us)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The private keys of access tokens, sealed under the master key.
CREATE TABLE IF NOT EXISTS signing_keys (
    sequence       BIGINT      NOT NULL PRIMARY KEY,
    key_id         VARCHAR(64) NOT NULL,
    sealed_pem     BLOB        NOT NULL,
    created_at_us  BIGINT      NOT NULL,
    active_from_us BIGINT      NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
