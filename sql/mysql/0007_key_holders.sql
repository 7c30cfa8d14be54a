-- Which master keys each process knows, so that no key is used before all know it. A row is renewed every minute.
CREATE TABLE IF NOT EXISTS key_holders (
    id           BINARY(16)   NOT NULL PRIMARY KEY,
    host         VARCHAR(255) NOT NULL,
    fingerprints VARCHAR(1000) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    seen_at_us   BIGINT       NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
