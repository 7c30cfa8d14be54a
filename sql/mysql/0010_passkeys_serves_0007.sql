-- Passkeys (WebAuthn). user_handle is what authenticators know the account by, the same in all rows of a user. The public key is of
-- the algorithm's own form: src/crypto/webauthn.cpp.
CREATE TABLE IF NOT EXISTS passkeys (
    id              BINARY(16)      NOT NULL PRIMARY KEY,
    user_id         BINARY(16)      NOT NULL,
    user_handle     BINARY(16)      NOT NULL,
    credential_id   VARBINARY(1023) NOT NULL,
    credential_hash BINARY(32)      NOT NULL,
    algorithm       BIGINT          NOT NULL,
    public_key      VARBINARY(512)  NOT NULL,
    name            VARCHAR(100)    NOT NULL,
    transports      VARCHAR(100)    NOT NULL,
    aaguid          BINARY(16)      NOT NULL,
    sign_count      BIGINT          NOT NULL,
    backup_eligible BIGINT          NOT NULL,
    backed_up       BIGINT          NOT NULL,
    created_at_us   BIGINT          NOT NULL,
    last_used_at_us BIGINT          NULL,
    UNIQUE KEY passkeys_credential (credential_hash),
    KEY passkeys_user (user_id, id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The RP ID that the first passkey was made for: all are lost where it changes. One row, whose id is 1.
CREATE TABLE IF NOT EXISTS passkey_site (
    id       BIGINT       NOT NULL PRIMARY KEY,
    rp_id    VARCHAR(253) NOT NULL,
    since_us BIGINT       NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
