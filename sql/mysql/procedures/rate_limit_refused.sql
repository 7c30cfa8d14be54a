-- Writes the audit event of a refusal, at most one a minute a bucket: a flood of refused requests must not fill the disk.
-- Runs inside the caller's transaction.
CREATE PROCEDURE rate_limit_refused(
    IN p_bucket BINARY(16),
    IN p_now_us BIGINT,
    IN p_audit_id BINARY(16),
    IN p_event VARCHAR(32),
    IN p_destination VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_ip_address VARCHAR(45),
    IN p_user_agent VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_request_id VARCHAR(64)
)
BEGIN
    UPDATE rate_limits SET refused_at_us = p_now_us
    WHERE bucket = p_bucket AND refused_at_us <= p_now_us - 60000000;
    IF ROW_COUNT() > 0 THEN
        INSERT INTO audit_events (id, event, destination, ip_address, user_agent, request_id, created_at_us)
        VALUES (p_audit_id, p_event, p_destination, p_ip_address, p_user_agent, p_request_id, p_now_us);
    END IF;
END
