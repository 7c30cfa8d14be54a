-- Which master keys each process knows, so that no key is used before all know it. A row is renewed every minute.
CREATE TABLE key_holders (
    id           BLOB    NOT NULL PRIMARY KEY,
    host         TEXT    NOT NULL,
    fingerprints TEXT    NOT NULL,
    seen_at_us   INTEGER NOT NULL
) WITHOUT ROWID;
