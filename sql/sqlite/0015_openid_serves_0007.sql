-- Applications that sign their users in here (OpenID Connect): etc/doc/openid.md. Lists of URIs are separated by blanks. Of a secret
-- there is the SHA-256; a public client has none.
CREATE TABLE oidc_clients (
    id                  TEXT   NOT NULL PRIMARY KEY,
    title               TEXT   NOT NULL,
    secret_hash         BLOB   NULL,
    redirect_uris       TEXT   NOT NULL,
    post_logout_uris    TEXT   NOT NULL,
    backchannel_uri     TEXT   NOT NULL,
    needs_pkce          BIGINT NOT NULL,
    algorithm           TEXT   NOT NULL,
    group_names         TEXT   NOT NULL,
    consent             TEXT   NOT NULL,
    created_at_us       BIGINT NOT NULL,
    disabled_at_us      BIGINT NULL
) WITHOUT ROWID;

-- A user's sign-in at a client. Codes and tokens are made of the id under a MAC: none is here.
CREATE TABLE oidc_grants (
    id                  BLOB   NOT NULL PRIMARY KEY,
    client_id           TEXT   NOT NULL,
    user_id             BLOB   NOT NULL,
    session_id          BLOB   NOT NULL,
    scopes              TEXT   NOT NULL,
    nonce               TEXT   NOT NULL,
    challenge           TEXT   NOT NULL,
    redirect_hash       BLOB   NOT NULL,
    amr                 TEXT   NOT NULL,
    acr                 TEXT   NOT NULL,
    authenticated_at_us BIGINT NOT NULL,
    created_at_us       BIGINT NOT NULL,
    expires_at_us       BIGINT NOT NULL,
    redeemed_at_us      BIGINT NULL,
    refresh_counter     BIGINT NOT NULL,
    rotated_at_us       BIGINT NOT NULL,
    ended_at_us         BIGINT NULL
) WITHOUT ROWID;
CREATE INDEX oidc_grants_session ON oidc_grants (session_id, client_id);
CREATE INDEX oidc_grants_user ON oidc_grants (user_id, id);
CREATE INDEX oidc_grants_client ON oidc_grants (client_id, id);

-- What users have allowed clients of which they are asked.
CREATE TABLE oidc_consents (
    user_id             BLOB   NOT NULL,
    client_id           TEXT   NOT NULL,
    scopes              TEXT   NOT NULL,
    granted_at_us       BIGINT NOT NULL,
    PRIMARY KEY (user_id, client_id)
) WITHOUT ROWID;

-- Ends of sessions that a client is still to be told of.
CREATE TABLE oidc_logouts (
    id                  BLOB   NOT NULL PRIMARY KEY,
    client_id           TEXT   NOT NULL,
    user_id             BLOB   NOT NULL,
    session_id          BLOB   NOT NULL,
    attempts            BIGINT NOT NULL,
    created_at_us       BIGINT NOT NULL,
    available_at_us     BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX oidc_logouts_due ON oidc_logouts (available_at_us);

-- As signing_keys: the RSA keys of ID tokens, which versions before this one would not read.
CREATE TABLE id_token_keys (
    sequence            BIGINT NOT NULL PRIMARY KEY,
    key_id              TEXT   NOT NULL,
    sealed_pem          BLOB   NOT NULL,
    created_at_us       BIGINT NOT NULL,
    active_from_us      BIGINT NOT NULL
) WITHOUT ROWID;
