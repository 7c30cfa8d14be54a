-- Passwords, devices, API keys, the verification service, and what codes for other purposes than login need.

ALTER TABLE users
    ADD COLUMN password_hash          VARCHAR(255) NULL,
    ADD COLUMN password_changed_at_us BIGINT       NULL;

-- lane: zeros for strangers, or the known device that asked; the codes of one lane do not touch those of another.
-- redeemed_at_us: when the receipt of a verified code (verification_token, reset_token) was spent.
ALTER TABLE otp_requests
    ADD COLUMN lane           BINARY(16)  NOT NULL DEFAULT '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0',
    ADD COLUMN amr            VARCHAR(16) NOT NULL DEFAULT 'otp',
    ADD COLUMN redeemed_at_us BIGINT      NULL,
    DROP KEY otp_requests_destination,
    ADD KEY otp_requests_destination (destination, purpose, lane, id);

-- code_length, code_alphabet: of the code to derive; 0 for the settings. discard: never sent; the row is there so that a request for an
-- account that does not exist costs the same work.
ALTER TABLE outbox
    ADD COLUMN code_length   BIGINT      NOT NULL DEFAULT 0,
    ADD COLUMN code_alphabet VARCHAR(16) NOT NULL DEFAULT 'digits',
    ADD COLUMN discard       BIGINT      NOT NULL DEFAULT 0;

ALTER TABLE sessions
    ADD COLUMN device_id BINARY(16)  NULL,
    ADD COLUMN amr       VARCHAR(16) NOT NULL DEFAULT 'otp';

CREATE TABLE IF NOT EXISTS devices (
    id              BINARY(16)   NOT NULL PRIMARY KEY,
    user_id         BINARY(16)   NOT NULL,
    install_id      VARCHAR(100) NOT NULL DEFAULT '',
    platform        VARCHAR(32)  NOT NULL DEFAULT '',
    app_version     VARCHAR(32)  NOT NULL DEFAULT '',
    device_name     VARCHAR(100) NOT NULL DEFAULT '',
    created_at_us   BIGINT       NOT NULL,
    last_seen_at_us BIGINT       NOT NULL,
    revoked_at_us   BIGINT       NULL,
    KEY devices_user (user_id, id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- secret_hash: SHA-256 of the secret part, which is random and long enough to need no more.
CREATE TABLE IF NOT EXISTS api_keys (
    id              BINARY(16)   NOT NULL PRIMARY KEY,
    user_id         BINARY(16)   NOT NULL,
    name            VARCHAR(100) NOT NULL,
    prefix          VARCHAR(16)  NOT NULL,
    secret_hash     BINARY(32)   NOT NULL,
    scopes          VARCHAR(255) NOT NULL,
    created_at_us   BIGINT       NOT NULL,
    expires_at_us   BIGINT       NULL,
    last_used_at_us BIGINT       NULL,
    revoked_at_us   BIGINT       NULL,
    UNIQUE KEY api_keys_prefix (prefix),
    KEY api_keys_user (user_id, id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A context of the verification service has a row from its first check on, none before.
CREATE TABLE IF NOT EXISTS verification_attempts (
    id             BINARY(16) NOT NULL PRIMARY KEY,
    attempts       BIGINT     NOT NULL,
    consumed_at_us BIGINT     NULL,
    expires_at_us  BIGINT     NOT NULL,
    KEY verification_attempts_expires (expires_at_us)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who reads the trail by event alone must not read all of it: a rare event of a large table outlasts the answer time-out.
ALTER TABLE audit_events ADD KEY audit_events_event (event, id);
