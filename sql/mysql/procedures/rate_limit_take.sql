-- Takes one place in a bucket's sliding windows (domain/limits.h). The upsert is the check and the count in one: it changes
-- no row exactly when a window is full, however many ask at once. The caller has worked the rule out (store/bucket_rule.h):
-- p_hit is now, packed; a window is full while the hit at its place is younger than its since. A place beyond the kept hits
-- reads as '', which is older than anything. `hits` is assigned first: MySQL evaluates the assignments in order, so what
-- follows sees whether this hit went in. p_keep of 0 is no limit.
CREATE PROCEDURE rate_limit_take(
    IN p_bucket BINARY(16),
    IN p_hit BINARY(8),
    IN p_keep BIGINT,
    IN p_expires_at_us BIGINT,
    IN p_place_1 BIGINT, IN p_since_1 BINARY(8),
    IN p_place_2 BIGINT, IN p_since_2 BINARY(8),
    OUT p_accepted BIGINT,
    OUT p_hits VARBINARY(8000)
)
take: BEGIN
    SET p_accepted = 1, p_hits = '';
    IF p_keep = 0 THEN
        LEAVE take;
    END IF;
    INSERT INTO rate_limits (bucket, expires_at_us, hits) VALUES (p_bucket, p_expires_at_us, p_hit)
    ON DUPLICATE KEY UPDATE
        hits = IF(SUBSTRING(hits, p_place_1, 8) <= p_since_1 AND SUBSTRING(hits, p_place_2, 8) <= p_since_2,
                  LEFT(CONCAT(p_hit, hits), p_keep), hits),
        expires_at_us = IF(LEFT(hits, 8) = p_hit, p_expires_at_us, expires_at_us);
    SET p_accepted = ROW_COUNT() > 0;
    SELECT hits INTO p_hits FROM rate_limits WHERE bucket = p_bucket;
END
