-- taken_by: the audit id of the last call of otp_request or otp_verify that took a place in the bucket. Where many calls change
-- their buckets by one statement, each sees by it whether its own place is among them.
ALTER TABLE rate_limits ADD COLUMN taken_by BINARY(16) NOT NULL DEFAULT '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0';
