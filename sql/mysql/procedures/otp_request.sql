-- A request for a code in one round trip: account, known device, limits, voiding of older codes, code, outbox and audit rows,
-- all or none. Called by store/mysql_otp_store.cpp; store/sqlite_otp_store.cpp says the same in single statements.
--
-- p_account_rule: 'any' (register, verify), 'active_or_new' (login that may register), 'active' (login, reset). What the rule
-- does not let through is refused by name where p_reveal is 1; else everything is written as usual and the message is never
-- sent. p_lane: zeros, or the device that the client says it is; it counts only while the row devices says the same. Of purpose
-- change it is the user who asks: nobody else can redeem the code, and nobody else's requests touch it. p_languages: what the
-- client accepts; the message has them after p_locale and the account's. The two limits are rate_limit_take.sql written out,
-- because a CALL inside a CALL costs as much as what it does.
CREATE PROCEDURE otp_request(
    IN p_id BINARY(16),
    IN p_destination VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_channel VARCHAR(8),
    IN p_purpose VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_amr VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_locale VARCHAR(35) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_languages VARCHAR(70) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_account_rule VARCHAR(16),
    IN p_reveal BIGINT,
    IN p_repeat BIGINT,
    IN p_now_us BIGINT,
    IN p_expires_at_us BIGINT,
    IN p_max_attempts BIGINT,
    IN p_oldest_live_id BINARY(16),
    IN p_guess_bucket BINARY(16),
    IN p_hit BINARY(8),
    IN p_client_bucket BINARY(16),
    IN p_client_keep BIGINT,
    IN p_client_expires_at_us BIGINT,
    IN p_client_place_1 BIGINT, IN p_client_since_1 BINARY(8),
    IN p_client_place_2 BIGINT, IN p_client_since_2 BINARY(8),
    IN p_destination_bucket BINARY(16),
    IN p_destination_keep BIGINT,
    IN p_destination_expires_at_us BIGINT,
    IN p_destination_place_1 BIGINT, IN p_destination_since_1 BINARY(8),
    IN p_destination_place_2 BIGINT, IN p_destination_since_2 BINARY(8),
    IN p_lane BINARY(16),
    IN p_device_guess_bucket BINARY(16),
    IN p_device_bucket BINARY(16),
    IN p_outbox_id BINARY(16),
    IN p_available_at_us BIGINT,
    IN p_audit_id BINARY(16),
    IN p_ip_address VARCHAR(45),
    IN p_user_agent VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_request_id VARCHAR(64)
)
request: BEGIN
    DECLARE v_strangers BINARY(16) DEFAULT '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0';
    DECLARE v_lane BINARY(16);
    DECLARE v_guess_bucket BINARY(16);
    DECLARE v_bucket BINARY(16);
    DECLARE v_user_id BINARY(16);
    DECLARE v_status VARCHAR(16);
    DECLARE v_locale VARCHAR(35) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
    DECLARE v_languages VARCHAR(142) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
    DECLARE v_known_device BINARY(16);
    DECLARE v_discard BIGINT;
    DECLARE v_changed BIGINT DEFAULT 1;
    DECLARE v_hits VARBINARY(8000) DEFAULT '';
    DECLARE v_id BINARY(16);
    DECLARE v_expires_at_us BIGINT;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        RESIGNAL;
    END;

    START TRANSACTION;
    IF p_channel = 'email' THEN
        SELECT id, status, locale INTO v_user_id, v_status, v_locale FROM users WHERE email = p_destination;
    ELSE
        SELECT id, status, locale INTO v_user_id, v_status, v_locale FROM users WHERE phone_number = p_destination;
    END IF;
    IF p_lane <> v_strangers AND v_user_id IS NOT NULL THEN
        SELECT id INTO v_known_device FROM devices
        WHERE id = p_lane AND user_id = v_user_id AND revoked_at_us IS NULL;
    END IF;
    SET v_discard = p_account_rule <> 'any' AND NOT COALESCE(v_status = 'active', p_account_rule = 'active_or_new');

    IF v_known_device IS NULL THEN
        SET v_lane = IF(p_purpose = 'change', p_lane, v_strangers), v_guess_bucket = p_guess_bucket,
            v_bucket = p_destination_bucket;
        IF p_client_keep > 0 THEN
            INSERT INTO rate_limits (bucket, expires_at_us, hits) VALUES (p_client_bucket, p_client_expires_at_us, p_hit)
            ON DUPLICATE KEY UPDATE
                hits = IF(SUBSTRING(hits, p_client_place_1, 8) <= p_client_since_1
                          AND SUBSTRING(hits, p_client_place_2, 8) <= p_client_since_2,
                          LEFT(CONCAT(p_hit, hits), p_client_keep), hits),
                expires_at_us = IF(LEFT(hits, 8) = p_hit, p_client_expires_at_us, expires_at_us);
            SET v_changed = ROW_COUNT();
        END IF;
        IF v_changed = 0 THEN
            SELECT hits INTO v_hits FROM rate_limits WHERE bucket = p_client_bucket;
            CALL rate_limit_refused(p_client_bucket, p_now_us, p_audit_id, 'OTP_RATE_LIMITED', p_destination,
                                    p_ip_address, p_user_agent, p_request_id);
            COMMIT;
            SELECT 'client_limited' AS outcome, v_hits AS hits;
            LEAVE request;
        END IF;
    ELSE
        -- Neither what strangers ask for this address nor what others do behind the same client address counts here.
        SET v_lane = v_known_device, v_guess_bucket = p_device_guess_bucket, v_bucket = p_device_bucket;
    END IF;

    SET v_changed = 1;
    IF p_destination_keep > 0 THEN
        INSERT INTO rate_limits (bucket, expires_at_us, hits) VALUES (v_bucket, p_destination_expires_at_us, p_hit)
        ON DUPLICATE KEY UPDATE
            hits = IF(SUBSTRING(hits, p_destination_place_1, 8) <= p_destination_since_1
                      AND SUBSTRING(hits, p_destination_place_2, 8) <= p_destination_since_2,
                      LEFT(CONCAT(p_hit, hits), p_destination_keep), hits),
            expires_at_us = IF(LEFT(hits, 8) = p_hit, p_destination_expires_at_us, expires_at_us);
        SET v_changed = ROW_COUNT(), v_hits = p_hit;
        -- 1 is a new row, which holds this hit and no other.
        IF v_changed <> 1 THEN
            SELECT hits INTO v_hits FROM rate_limits WHERE bucket = v_bucket;
        END IF;
    END IF;
    IF v_changed = 0 THEN
        -- What is refused is counted nowhere: give the client's place back.
        ROLLBACK;
        START TRANSACTION;
        CALL rate_limit_refused(v_bucket, p_now_us, p_audit_id, 'OTP_RATE_LIMITED', p_destination,
                                p_ip_address, p_user_agent, p_request_id);
        COMMIT;
        SELECT 'destination_limited' AS outcome, v_hits AS hits;
        LEAVE request;
    END IF;
    IF v_discard AND p_reveal THEN
        -- Counted, so that a list of addresses cannot be tried at will.
        COMMIT;
        SELECT IF(v_user_id IS NULL, 'user_not_found', 'account_disabled') AS outcome, v_hits AS hits;
        LEAVE request;
    END IF;

    IF p_repeat THEN
        SELECT id, expires_at_us INTO v_id, v_expires_at_us FROM otp_requests
        WHERE destination = p_destination AND purpose = p_purpose AND lane = v_lane AND id >= p_oldest_live_id
          AND consumed_at_us IS NULL AND expires_at_us > p_now_us AND attempts < max_attempts AND amr = p_amr
        ORDER BY id DESC LIMIT 1;
    END IF;
    IF v_id IS NULL THEN
        SET v_id = p_id, v_expires_at_us = p_expires_at_us;
        -- Where this is the first hit of a bucket that outlives a code, there is no code to void.
        IF LENGTH(v_hits) <> 8 OR p_destination_expires_at_us < p_expires_at_us OR p_destination_keep = 8 THEN
            UPDATE otp_requests SET expires_at_us = p_now_us
            WHERE destination = p_destination AND purpose = p_purpose AND lane = v_lane AND id >= p_oldest_live_id
              AND consumed_at_us IS NULL AND expires_at_us > p_now_us;
        END IF;
        INSERT INTO otp_requests (id, destination, channel, purpose, lane, amr, guess_bucket, created_at_us, expires_at_us,
                                  max_attempts)
        VALUES (v_id, p_destination, p_channel, p_purpose, v_lane, p_amr, v_guess_bucket, p_now_us, v_expires_at_us,
                p_max_attempts);
    END IF;
    SET v_languages = CONCAT_WS(',', NULLIF(p_locale, ''), NULLIF(v_locale, ''), NULLIF(p_languages, ''));
    INSERT INTO outbox (id, otp_id, channel, purpose, destination, locale, request_id, created_at_us, expires_at_us,
                        available_at_us, discard)
    VALUES (p_outbox_id, v_id, p_channel, p_purpose, p_destination, v_languages, p_request_id, p_now_us, v_expires_at_us,
            p_available_at_us, v_discard);
    INSERT INTO audit_events (id, event, user_id, destination, ip_address, user_agent, request_id, created_at_us)
    VALUES (p_audit_id, 'OTP_REQUESTED', IF(p_purpose = 'change', p_lane, v_user_id), p_destination, p_ip_address,
            p_user_agent, p_request_id, p_now_us);
    COMMIT;
    SELECT 'accepted' AS outcome, v_hits AS hits, v_id AS otp_id, v_expires_at_us AS expires_at_us, v_discard AS discard,
           v_languages AS languages;
END
