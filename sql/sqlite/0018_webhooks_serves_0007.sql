-- Who is told of events over HTTP: etc/doc/webhooks.md. Names of events are separated by commas; none are all. Secrets are sealed.
CREATE TABLE webhooks (
    id                   BLOB   NOT NULL PRIMARY KEY,
    url                  TEXT   NOT NULL,
    events               TEXT   NOT NULL,
    secret               BLOB   NOT NULL,
    previous_secret      BLOB   NULL,
    previous_until_us    BIGINT NULL,
    created_at_us        BIGINT NOT NULL,
    disabled_at_us       BIGINT NULL,
    failing_since_us     BIGINT NULL,
    failures             BIGINT NOT NULL,
    next_at_us           BIGINT NOT NULL,
    last_fault           TEXT   NOT NULL,
    last_delivered_at_us BIGINT NULL
) WITHOUT ROWID;

-- What has happened, until it has become a delivery to each that waits for it. In the transaction of what it tells.
CREATE TABLE webhook_events (
    id            BLOB   NOT NULL PRIMARY KEY,
    event         TEXT   NOT NULL,
    user_id       BLOB   NULL,
    session_id    BLOB   NULL,
    details       TEXT   NOT NULL,
    created_at_us BIGINT NOT NULL
) WITHOUT ROWID;

-- What is still to be told to whom, and what was given up.
CREATE TABLE webhook_deliveries (
    event_id        BLOB   NOT NULL,
    webhook_id      BLOB   NOT NULL,
    event           TEXT   NOT NULL,
    user_id         BLOB   NULL,
    session_id      BLOB   NULL,
    details         TEXT   NOT NULL,
    created_at_us   BIGINT NOT NULL,
    attempts        BIGINT NOT NULL,
    available_at_us BIGINT NOT NULL,
    dead_at_us      BIGINT NULL,
    PRIMARY KEY (event_id, webhook_id)
) WITHOUT ROWID;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, available_at_us);
