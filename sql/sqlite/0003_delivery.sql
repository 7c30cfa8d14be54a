-- Notices beside codes, dead letters, and what may be spent on SMS.

-- kind: code, or a notice: new_sign_in, password_changed, address_changed. The three columns after it are what a notice tells,
-- besides created_at_us; its otp_id is zeros.
-- locale: language tags by comma, the most wanted first: the request's, the account's, those that the client accepts.
-- dead_at_us: when the message was given up; it is kept to be looked at, with available_at_us beyond all time.
-- leased: 1 where available_at_us is the end of a lease, 0 where it is that of a rest after a failure. For people alone.
ALTER TABLE outbox ADD COLUMN kind TEXT NOT NULL DEFAULT 'code';
ALTER TABLE outbox ADD COLUMN ip_address TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN changed_address TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN dead_at_us BIGINT NULL;
ALTER TABLE outbox ADD COLUMN leased BIGINT NOT NULL DEFAULT 1;
DROP INDEX IF EXISTS outbox_available;
CREATE INDEX IF NOT EXISTS outbox_channel_available ON outbox (channel, available_at_us);

-- prefix: a calling code such as +49; day: days since 1970 in UTC.
CREATE TABLE IF NOT EXISTS sms_budgets (
    prefix TEXT   NOT NULL,
    day    BIGINT NOT NULL,
    sent   BIGINT NOT NULL,
    PRIMARY KEY (prefix, day)
) WITHOUT ROWID;
