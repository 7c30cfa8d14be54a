-- What an account opens by besides its codes.

-- A sum: 1 where one of its passkeys has verified its user. Beside the user, so that a sign-in reads it with him; written by whoever
-- adds, uses or removes a factor, in that transaction (src/store/factors.h).
ALTER TABLE users ADD COLUMN factors BIGINT NOT NULL DEFAULT 0;
UPDATE users SET factors = 1 WHERE factors = 0 AND id IN (SELECT user_id FROM passkeys WHERE verifies_user = 1);
