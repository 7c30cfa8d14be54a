-- Applications that sign their users in here (OpenID Connect): etc/doc/openid.md. Lists of URIs are separated by blanks. Of a secret
-- there is the SHA-256; a public client has none.
CREATE TABLE IF NOT EXISTS oidc_clients (
    id               VARCHAR(64)    NOT NULL PRIMARY KEY,
    title            VARCHAR(100)   NOT NULL,
    secret_hash      BINARY(32)     NULL,
    redirect_uris    TEXT           NOT NULL,
    post_logout_uris TEXT           NOT NULL,
    backchannel_uri  VARCHAR(1000)  NOT NULL,
    needs_pkce       BIGINT         NOT NULL,
    algorithm        VARCHAR(10)    NOT NULL,
    group_names      VARCHAR(1000)  NOT NULL,
    consent          VARCHAR(10)    NOT NULL,
    created_at_us    BIGINT         NOT NULL,
    disabled_at_us   BIGINT         NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A user's sign-in at a client. Codes and tokens are made of the id under a MAC: none is here.
CREATE TABLE IF NOT EXISTS oidc_grants (
    id                  BINARY(16)   NOT NULL PRIMARY KEY,
    client_id           VARCHAR(64)  NOT NULL,
    user_id             BINARY(16)   NOT NULL,
    session_id          BINARY(16)   NOT NULL,
    scopes              VARCHAR(200) NOT NULL,
    nonce               VARCHAR(500) NOT NULL,
    challenge           VARCHAR(43)  NOT NULL,
    redirect_hash       BINARY(32)   NOT NULL,
    amr                 VARCHAR(100) NOT NULL,
    acr                 VARCHAR(100) NOT NULL,
    authenticated_at_us BIGINT       NOT NULL,
    created_at_us       BIGINT       NOT NULL,
    expires_at_us       BIGINT       NOT NULL,
    redeemed_at_us      BIGINT       NULL,
    refresh_counter     BIGINT       NOT NULL,
    rotated_at_us       BIGINT       NOT NULL,
    ended_at_us         BIGINT       NULL,
    KEY oidc_grants_session (session_id, client_id),
    KEY oidc_grants_user (user_id, id),
    KEY oidc_grants_client (client_id, id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What users have allowed clients of which they are asked.
CREATE TABLE IF NOT EXISTS oidc_consents (
    user_id       BINARY(16)   NOT NULL,
    client_id     VARCHAR(64)  NOT NULL,
    scopes        VARCHAR(200) NOT NULL,
    granted_at_us BIGINT       NOT NULL,
    PRIMARY KEY (user_id, client_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Ends of sessions that a client is still to be told of.
CREATE TABLE IF NOT EXISTS oidc_logouts (
    id              BINARY(16)  NOT NULL PRIMARY KEY,
    client_id       VARCHAR(64) NOT NULL,
    user_id         BINARY(16)  NOT NULL,
    session_id      BINARY(16)  NOT NULL,
    attempts        BIGINT      NOT NULL,
    created_at_us   BIGINT      NOT NULL,
    available_at_us BIGINT      NOT NULL,
    KEY oidc_logouts_due (available_at_us)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- As signing_keys: the RSA keys of ID tokens, which versions before this one would not read.
CREATE TABLE IF NOT EXISTS id_token_keys (
    sequence       BIGINT      NOT NULL PRIMARY KEY,
    key_id         VARCHAR(64) NOT NULL,
    sealed_pem     BLOB        NOT NULL,
    created_at_us  BIGINT      NOT NULL,
    active_from_us BIGINT      NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
