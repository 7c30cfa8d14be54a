-- Whether a passkey has verified its user, by PIN or biometric: then it protects the account (src/domain/step_up.h). Of those that are
-- there it is not known yet; each says so when it is used.
ALTER TABLE passkeys ADD COLUMN verifies_user BIGINT NOT NULL DEFAULT 0;
