-- POST /api/v1/auth/otp/request in one round trip: limits, voiding of older codes, code, outbox and audit rows, all or none.
-- Called by store/mysql_otp_store.cpp; store/sqlite_otp_store.cpp says the same in single statements.
CREATE PROCEDURE otp_request(
    IN p_id BINARY(16),
    IN p_destination VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_channel VARCHAR(8),
    IN p_purpose VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_locale VARCHAR(35) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_now_us BIGINT,
    IN p_expires_at_us BIGINT,
    IN p_max_attempts BIGINT,
    IN p_oldest_live_id BINARY(16),
    IN p_guess_bucket BINARY(16),
    IN p_client_bucket BINARY(16),
    IN p_client_count_1 BIGINT, IN p_client_window_1_us BIGINT,
    IN p_client_count_2 BIGINT, IN p_client_window_2_us BIGINT,
    IN p_destination_bucket BINARY(16),
    IN p_destination_count_1 BIGINT, IN p_destination_window_1_us BIGINT,
    IN p_destination_count_2 BIGINT, IN p_destination_window_2_us BIGINT,
    IN p_outbox_id BINARY(16),
    IN p_available_at_us BIGINT,
    IN p_audit_id BINARY(16),
    IN p_ip_address VARCHAR(45),
    IN p_user_agent VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_request_id VARCHAR(64)
)
request: BEGIN
    DECLARE v_accepted BIGINT;
    DECLARE v_hits VARBINARY(8000);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        RESIGNAL;
    END;

    START TRANSACTION;
    CALL rate_limit_take(p_client_bucket, p_now_us, p_client_count_1, p_client_window_1_us,
                         p_client_count_2, p_client_window_2_us, v_accepted, v_hits);
    IF v_accepted = 0 THEN
        CALL rate_limit_refused(p_client_bucket, p_now_us, p_audit_id, 'OTP_RATE_LIMITED', p_destination,
                                p_ip_address, p_user_agent, p_request_id);
        COMMIT;
        SELECT 'client_limited' AS outcome, v_hits AS hits;
        LEAVE request;
    END IF;

    CALL rate_limit_take(p_destination_bucket, p_now_us, p_destination_count_1, p_destination_window_1_us,
                         p_destination_count_2, p_destination_window_2_us, v_accepted, v_hits);
    IF v_accepted = 0 THEN
        -- What is refused is counted nowhere: give the client's place back.
        ROLLBACK;
        START TRANSACTION;
        CALL rate_limit_refused(p_destination_bucket, p_now_us, p_audit_id, 'OTP_RATE_LIMITED', p_destination,
                                p_ip_address, p_user_agent, p_request_id);
        COMMIT;
        SELECT 'destination_limited' AS outcome, v_hits AS hits;
        LEAVE request;
    END IF;

    UPDATE otp_requests SET expires_at_us = p_now_us
    WHERE destination = p_destination AND purpose = p_purpose AND id >= p_oldest_live_id
      AND consumed_at_us IS NULL AND expires_at_us > p_now_us;
    INSERT INTO otp_requests (id, destination, channel, purpose, guess_bucket, created_at_us, expires_at_us, max_attempts)
    VALUES (p_id, p_destination, p_channel, p_purpose, p_guess_bucket, p_now_us, p_expires_at_us, p_max_attempts);
    INSERT INTO outbox (id, otp_id, channel, purpose, destination, locale, request_id, created_at_us, expires_at_us,
                        available_at_us)
    VALUES (p_outbox_id, p_id, p_channel, p_purpose, p_destination, p_locale, p_request_id, p_now_us, p_expires_at_us,
            p_available_at_us);
    INSERT INTO audit_events (id, event, destination, ip_address, user_agent, request_id, created_at_us)
    VALUES (p_audit_id, 'OTP_REQUESTED', p_destination, p_ip_address, p_user_agent, p_request_id, p_now_us);
    COMMIT;
    SELECT 'accepted' AS outcome, v_hits AS hits;
END
