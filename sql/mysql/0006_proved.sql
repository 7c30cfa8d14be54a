-- What is not proved is not trusted.

-- registration: the form that waits for the code (domain/pending_registration.h); empty while its password is being hashed, NULL
-- where the code is for nothing of the kind.
ALTER TABLE otp_requests ADD COLUMN registration VARBINARY(2000) NULL;

-- moved_at_us: when the audit trail was last told that the session is refreshed from elsewhere, which ip_address and user_agent are.
ALTER TABLE sessions ADD COLUMN moved_at_us BIGINT NOT NULL DEFAULT 0;

-- What hashes of another kind or cost than our own cost: 'pbkdf2_sha256$600000'. Every wrong password costs as much.
CREATE TABLE IF NOT EXISTS password_costs (
    cost VARCHAR(64) NOT NULL PRIMARY KEY
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Accounts that a form made, and whose address nobody has ever proved: anybody may have filled it in, with a password of his own.
-- From now on a form makes none before that.
DELETE FROM users WHERE email_verified = 0 AND phone_verified = 0 AND last_login_at_us IS NULL AND role = 'user'
    AND status = 'active' AND id IN (SELECT user_id FROM audit_events WHERE event = 'USER_REGISTERED' AND user_id IS NOT NULL);
