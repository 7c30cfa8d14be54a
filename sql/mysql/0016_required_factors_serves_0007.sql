-- Who must have a second factor (mfa.required): when a sign-in without one first told the account so. Written once and never moved: what
-- time is left is counted from it (src/domain/sign_in_rule.h).
ALTER TABLE users ADD COLUMN factor_wanted_since_us BIGINT NULL;

-- When its owner said that the second step is not to be asked for on it for a while (mfa.trusted_device_days); nothing where he did not,
-- or where something has happened since that ends it (src/store/factors.h).
ALTER TABLE devices ADD COLUMN trusted_since_us BIGINT NULL;

-- Of the notice of a recovery code that was used: how many are left, where they are few.
ALTER TABLE outbox ADD COLUMN codes_left BIGINT NULL;
