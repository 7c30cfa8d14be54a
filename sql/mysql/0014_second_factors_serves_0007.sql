-- What an account opens by besides its codes.

-- A sum: 1 where one of its passkeys has verified its user, 2 where it has an authenticator app, 4 where it
-- has recovery codes. Beside the user, so that a sign-in reads it with him; written by whoever
-- adds, uses or removes a factor, in that transaction (src/store/factors.h).
ALTER TABLE users ADD COLUMN factors BIGINT NOT NULL DEFAULT 0;
UPDATE users SET factors = 1 WHERE factors = 0 AND id IN (SELECT user_id FROM passkeys WHERE verifies_user = 1);

-- Authenticator apps (TOTP, RFC 6238). The secret is sealed under the master key, with the row's id; last_step is the number of the last
-- step of 30 seconds whose code was taken.
CREATE TABLE IF NOT EXISTS totps (
    id              BINARY(16)     NOT NULL PRIMARY KEY,
    user_id         BINARY(16)     NOT NULL,
    secret          VARBINARY(100) NOT NULL,
    name            VARCHAR(100)   NOT NULL,
    last_step       BIGINT         NOT NULL,
    created_at_us   BIGINT         NOT NULL,
    last_used_at_us BIGINT         NULL,
    KEY totps_user (user_id, id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Recovery codes, for a factor that is lost; they count once one of their set was typed back (confirmed). The number is a code's own first
-- character, so that a guess is compared with one hash.
CREATE TABLE IF NOT EXISTS recovery_codes (
    id            BINARY(16)   NOT NULL PRIMARY KEY,
    user_id       BINARY(16)   NOT NULL,
    number        BIGINT       NOT NULL,
    hash          VARCHAR(255) NOT NULL,
    confirmed     BIGINT       NOT NULL,
    created_at_us BIGINT       NOT NULL,
    used_at_us    BIGINT       NULL,
    KEY recovery_codes_user (user_id, number)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
