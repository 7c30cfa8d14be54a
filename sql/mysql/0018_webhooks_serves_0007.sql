-- Who is told of events over HTTP: etc/doc/webhooks.md. Names of events are separated by commas; none are all. Secrets are sealed.
CREATE TABLE IF NOT EXISTS webhooks (
    id                   BINARY(16)     NOT NULL PRIMARY KEY,
    url                  VARCHAR(1000)  NOT NULL,
    events               VARCHAR(1000)  NOT NULL,
    secret               VARBINARY(200) NOT NULL,
    previous_secret      VARBINARY(200) NULL,
    previous_until_us    BIGINT         NULL,
    created_at_us        BIGINT         NOT NULL,
    disabled_at_us       BIGINT         NULL,
    failing_since_us     BIGINT         NULL,
    failures             BIGINT         NOT NULL,
    next_at_us           BIGINT         NOT NULL,
    last_fault           VARCHAR(200)   NOT NULL,
    last_delivered_at_us BIGINT         NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What has happened, until it has become a delivery to each that waits for it. In the transaction of what it tells.
CREATE TABLE IF NOT EXISTS webhook_events (
    id            BINARY(16)   NOT NULL PRIMARY KEY,
    event         VARCHAR(40)  NOT NULL,
    user_id       BINARY(16)   NULL,
    session_id    BINARY(16)   NULL,
    details       VARCHAR(200) NOT NULL,
    created_at_us BIGINT       NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What is still to be told to whom, and what was given up.
CREATE TABLE IF NOT EXISTS webhook_deliveries (
    event_id        BINARY(16)   NOT NULL,
    webhook_id      BINARY(16)   NOT NULL,
    event           VARCHAR(40)  NOT NULL,
    user_id         BINARY(16)   NULL,
    session_id      BINARY(16)   NULL,
    details         VARCHAR(200) NOT NULL,
    created_at_us   BIGINT       NOT NULL,
    attempts        BIGINT       NOT NULL,
    available_at_us BIGINT       NOT NULL,
    dead_at_us      BIGINT       NULL,
    PRIMARY KEY (event_id, webhook_id),
    KEY webhook_deliveries_due (webhook_id, available_at_us)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
