-- What an account opens by besides its codes.

-- A sum: 1 where one of its passkeys has verified its user, 2 where it has an authenticator app, 4 where it
-- has recovery codes. Beside the user, so that a sign-in reads it with him; written by whoever
-- adds, uses or removes a factor, in that transaction (src/store/factors.h).
ALTER TABLE users ADD COLUMN factors BIGINT NOT NULL DEFAULT 0;
UPDATE users SET factors = 1 WHERE factors = 0 AND id IN (SELECT user_id FROM passkeys WHERE verifies_user = 1);

-- Authenticator apps (TOTP, RFC 6238). The secret is sealed under the master key, with the row's id; last_step is the number of the last
-- step of 30 seconds whose code was taken.
CREATE TABLE totps (
    id              BLOB   NOT NULL PRIMARY KEY,
    user_id         BLOB   NOT NULL,
    secret          BLOB   NOT NULL,
    name            TEXT   NOT NULL,
    last_step       BIGINT NOT NULL,
    created_at_us   BIGINT NOT NULL,
    last_used_at_us BIGINT NULL
) WITHOUT ROWID;
CREATE INDEX totps_user ON totps (user_id, id);

-- Recovery codes, for a factor that is lost; they count once one of their set was typed back (confirmed). The number is a code's own first
-- character, so that a guess is compared with one hash.
CREATE TABLE recovery_codes (
    id            BLOB   NOT NULL PRIMARY KEY,
    user_id       BLOB   NOT NULL,
    number        BIGINT NOT NULL,
    hash          TEXT   NOT NULL,
    confirmed     BIGINT NOT NULL,
    created_at_us BIGINT NOT NULL,
    used_at_us    BIGINT NULL
) WITHOUT ROWID;
CREATE INDEX recovery_codes_user ON recovery_codes (user_id, number);
