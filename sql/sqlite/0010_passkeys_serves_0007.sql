-- Passkeys (WebAuthn). user_handle is what authenticators know the account by, the same in all rows of a user. The public key is of
-- the algorithm's own form: src/crypto/webauthn.cpp.
CREATE TABLE passkeys (
    id              BLOB   NOT NULL PRIMARY KEY,
    user_id         BLOB   NOT NULL,
    user_handle     BLOB   NOT NULL,
    credential_id   BLOB   NOT NULL,
    credential_hash BLOB   NOT NULL,
    algorithm       BIGINT NOT NULL,
    public_key      BLOB   NOT NULL,
    name            TEXT   NOT NULL,
    transports      TEXT   NOT NULL,
    aaguid          BLOB   NOT NULL,
    sign_count      BIGINT NOT NULL,
    backup_eligible BIGINT NOT NULL,
    backed_up       BIGINT NOT NULL,
    created_at_us   BIGINT NOT NULL,
    last_used_at_us BIGINT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX passkeys_credential ON passkeys (credential_hash);
CREATE INDEX passkeys_user ON passkeys (user_id, id);

-- The RP ID that the first passkey was made for: all are lost where it changes. One row, whose id is 1.
CREATE TABLE passkey_site (
    id       BIGINT NOT NULL PRIMARY KEY,
    rp_id    TEXT   NOT NULL,
    since_us BIGINT NOT NULL
) WITHOUT ROWID;
