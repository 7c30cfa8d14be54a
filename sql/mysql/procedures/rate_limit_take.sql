-- Takes one place in a bucket's sliding windows (domain/limits.h). The upsert is the check and the count in one: it changes
-- no row exactly when a window is full, however many ask at once. `hits` is assigned last because MySQL evaluates the
-- assignments in order and the condition reads it. A count of 0 is a window that is not there.
CREATE PROCEDURE rate_limit_take(
    IN p_bucket BINARY(16),
    IN p_now_us BIGINT,
    IN p_count_1 BIGINT, IN p_window_1_us BIGINT,
    IN p_count_2 BIGINT, IN p_window_2_us BIGINT,
    OUT p_accepted BIGINT,
    OUT p_hits VARBINARY(8000)
)
take: BEGIN
    DECLARE v_hit BINARY(8);
    DECLARE v_since_1 BINARY(8);
    DECLARE v_since_2 BINARY(8);
    DECLARE v_keep BIGINT;
    DECLARE v_expires_at_us BIGINT;

    SET p_accepted = 1;
    SET p_hits = '';
    IF p_count_1 = 0 THEN
        LEAVE take;
    END IF;

    SET v_hit = UNHEX(LPAD(HEX(p_now_us), 16, '0'));
    SET v_since_1 = UNHEX(LPAD(HEX(GREATEST(p_now_us - p_window_1_us, 0)), 16, '0'));
    SET v_since_2 = UNHEX(LPAD(HEX(GREATEST(p_now_us - p_window_2_us, 0)), 16, '0'));
    SET v_keep = 8 * GREATEST(p_count_1, p_count_2);
    SET v_expires_at_us = p_now_us + GREATEST(p_window_1_us, p_window_2_us);

    INSERT INTO rate_limits (bucket, expires_at_us, hits) VALUES (p_bucket, v_expires_at_us, v_hit)
    ON DUPLICATE KEY UPDATE
        expires_at_us = IF(
            (LENGTH(hits) < 8 * p_count_1 OR SUBSTRING(hits, 8 * p_count_1 - 7, 8) <= v_since_1)
            AND (p_count_2 = 0 OR LENGTH(hits) < 8 * p_count_2 OR SUBSTRING(hits, 8 * p_count_2 - 7, 8) <= v_since_2),
            v_expires_at_us, expires_at_us),
        hits = IF(
            (LENGTH(hits) < 8 * p_count_1 OR SUBSTRING(hits, 8 * p_count_1 - 7, 8) <= v_since_1)
            AND (p_count_2 = 0 OR LENGTH(hits) < 8 * p_count_2 OR SUBSTRING(hits, 8 * p_count_2 - 7, 8) <= v_since_2),
            LEFT(CONCAT(v_hit, hits), v_keep), hits);
    SET p_accepted = ROW_COUNT() > 0;
    SELECT hits INTO p_hits FROM rate_limits WHERE bucket = p_bucket;
END
