-- A guess at a code in one round trip. The caller has judged the guess already (the code follows from the id);
-- p_right tells it. The attempt is counted first, and the outcome is let out only while attempts and budget remain.
-- Called by store/mysql_otp_store.cpp; store/sqlite_otp_store.cpp says the same in single statements.
--
-- p_purpose: what the code must be for, or NULL for any; one for a change of address is left to AccountTable::changeAddress.
-- p_device_id: the known device that the client says it is, or NULL. p_notice_*: the message to who signs in by a device that
-- is new to the account, or NULL; domain/notice.cpp says too whom it goes to.
CREATE PROCEDURE otp_verify(
    IN p_id BINARY(16),
    IN p_purpose VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_right BIGINT,
    IN p_now_us BIGINT,
    IN p_hit BINARY(8),
    IN p_keep BIGINT,
    IN p_limit_expires_at_us BIGINT,
    IN p_place_1 BIGINT, IN p_since_1 BINARY(8),
    IN p_place_2 BIGINT, IN p_since_2 BINARY(8),
    IN p_may_register BIGINT,
    IN p_new_user_id BINARY(16),
    IN p_new_user_locale VARCHAR(35) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_session_id BINARY(16),
    IN p_session_expires_at_us BIGINT,
    IN p_device_id BINARY(16),
    IN p_new_device_id BINARY(16),
    IN p_install_id VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_platform VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_app_version VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_device_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_otp_audit_id BINARY(16),
    IN p_user_audit_id BINARY(16),
    IN p_login_audit_id BINARY(16),
    IN p_notice_id BINARY(16),
    IN p_notice_by_sms BIGINT,
    IN p_notice_device VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_notice_expires_at_us BIGINT,
    IN p_notice_available_at_us BIGINT,
    IN p_ip_address VARCHAR(45),
    IN p_user_agent VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_request_id VARCHAR(64)
)
verify: BEGIN
    DECLARE v_destination VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
    DECLARE v_channel VARCHAR(8);
    DECLARE v_purpose VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
    DECLARE v_amr VARCHAR(16);
    DECLARE v_bucket BINARY(16);
    DECLARE v_attempts BIGINT;
    DECLARE v_max_attempts BIGINT;
    DECLARE v_expires_at_us BIGINT;
    DECLARE v_consumed_at_us BIGINT;
    DECLARE v_counted BIGINT;
    DECLARE v_accepted BIGINT DEFAULT 1;
    DECLARE v_hits VARBINARY(8000) DEFAULT '';
    DECLARE v_is_new BIGINT DEFAULT 0;
    DECLARE v_device_id BINARY(16);
    DECLARE v_user_id BINARY(16);
    DECLARE v_status VARCHAR(16);
    DECLARE v_last_login_at_us BIGINT;
    DECLARE v_notice_channel VARCHAR(8);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        RESIGNAL;
    END;

    START TRANSACTION;
    UPDATE otp_requests
    SET attempts = attempts + 1, consumed_at_us = IF(p_right = 1, p_now_us, NULL)
    WHERE id = p_id AND consumed_at_us IS NULL AND expires_at_us > p_now_us AND attempts < max_attempts
      AND (p_purpose IS NULL OR purpose = p_purpose) AND purpose <> 'change';
    SET v_counted = ROW_COUNT();
    SELECT destination, channel, purpose, amr, guess_bucket, attempts, max_attempts, expires_at_us, consumed_at_us
    INTO v_destination, v_channel, v_purpose, v_amr, v_bucket, v_attempts, v_max_attempts, v_expires_at_us, v_consumed_at_us
    FROM otp_requests WHERE id = p_id;

    IF v_counted = 0 THEN
        ROLLBACK;
        SELECT CASE WHEN v_destination IS NULL OR v_purpose <> p_purpose THEN 'unknown'
                    WHEN v_purpose = 'change' THEN 'owner_needed'
                    WHEN v_consumed_at_us IS NOT NULL THEN 'used'
                    WHEN v_expires_at_us <= p_now_us THEN 'expired'
                    ELSE 'attempts_exhausted' END AS outcome, 0 AS attempts_left, '' AS hits, v_purpose AS purpose,
               v_channel AS channel;
        LEAVE verify;
    END IF;

    IF p_right = 0 THEN
        CALL rate_limit_take(v_bucket, p_hit, p_keep, p_limit_expires_at_us, p_place_1, p_since_1, p_place_2, p_since_2,
                             v_accepted, v_hits);
    ELSEIF p_keep > 0 THEN
        -- A right guess is not counted, but a spent budget refuses it like any other: who has it learns nothing more.
        SELECT hits, SUBSTRING(hits, p_place_1, 8) <= p_since_1 AND SUBSTRING(hits, p_place_2, 8) <= p_since_2
        INTO v_hits, v_accepted FROM rate_limits WHERE bucket = v_bucket FOR UPDATE;
    END IF;
    IF v_accepted = 0 THEN
        -- Not compared, so not an attempt either, and the code is not consumed.
        ROLLBACK;
        START TRANSACTION;
        CALL rate_limit_refused(v_bucket, p_now_us, p_otp_audit_id, 'OTP_LOCKED', v_destination,
                                p_ip_address, p_user_agent, p_request_id);
        COMMIT;
        SELECT 'budget_exhausted' AS outcome, 0 AS attempts_left, v_hits AS hits, v_purpose AS purpose, v_channel AS channel;
        LEAVE verify;
    END IF;

    IF p_right = 0 THEN
        INSERT INTO audit_events (id, event, destination, ip_address, user_agent, request_id, created_at_us)
        VALUES (p_otp_audit_id, 'OTP_FAILED', v_destination, p_ip_address, p_user_agent, p_request_id, p_now_us);
        COMMIT;
        SELECT 'wrong_code' AS outcome, v_max_attempts - v_attempts AS attempts_left, '' AS hits, v_purpose AS purpose,
               v_channel AS channel;
        LEAVE verify;
    END IF;

    IF v_purpose <> 'login' THEN
        -- The address is proved, whoever asked for the code.
        IF v_channel = 'email' THEN
            SELECT id INTO v_user_id FROM users WHERE email = v_destination;
            UPDATE users SET email_verified = 1 WHERE id = v_user_id AND email_verified = 0;
        ELSE
            SELECT id INTO v_user_id FROM users WHERE phone_number = v_destination;
            UPDATE users SET phone_verified = 1 WHERE id = v_user_id AND phone_verified = 0;
        END IF;
        INSERT INTO audit_events (id, event, user_id, destination, ip_address, user_agent, request_id, created_at_us)
        VALUES (p_otp_audit_id, 'OTP_VERIFIED', v_user_id, v_destination, p_ip_address, p_user_agent, p_request_id, p_now_us);
        COMMIT;
        SELECT 'verified' AS outcome, 0 AS attempts_left, '' AS hits, v_purpose AS purpose, v_channel AS channel,
               v_destination AS destination;
        LEAVE verify;
    END IF;

    -- Who is not there is made by an upsert, because another code for the same address may be creating the user at this moment.
    IF v_channel = 'email' THEN
        SELECT id, status, last_login_at_us INTO v_user_id, v_status, v_last_login_at_us FROM users
        WHERE email = v_destination;
        IF v_user_id IS NOT NULL THEN
            UPDATE users SET email_verified = 1, last_login_at_us = p_now_us WHERE id = v_user_id AND status = 'active';
            IF ROW_COUNT() = 0 THEN
                -- Disabled or deleted, perhaps since it was read.
                UPDATE users SET email_verified = 1 WHERE id = v_user_id;
                SET v_user_id = NULL;
                SELECT id, status INTO v_user_id, v_status FROM users WHERE email = v_destination FOR UPDATE;
            END IF;
        ELSEIF p_may_register THEN
            INSERT INTO users (id, username, email, email_verified, locale, joined_at_us, last_login_at_us)
            VALUES (p_new_user_id, v_destination, v_destination, 1, p_new_user_locale, p_now_us, p_now_us)
            ON DUPLICATE KEY UPDATE email_verified = 1,
                                    last_login_at_us = IF(status = 'active', p_now_us, last_login_at_us);
            SET v_is_new = ROW_COUNT() = 1, v_user_id = p_new_user_id, v_status = 'active';
            IF NOT v_is_new THEN
                SELECT id, status INTO v_user_id, v_status FROM users WHERE email = v_destination;
            END IF;
        END IF;
    ELSE
        SELECT id, status, last_login_at_us INTO v_user_id, v_status, v_last_login_at_us FROM users
        WHERE phone_number = v_destination;
        IF v_user_id IS NOT NULL THEN
            UPDATE users SET phone_verified = 1, last_login_at_us = p_now_us WHERE id = v_user_id AND status = 'active';
            IF ROW_COUNT() = 0 THEN
                -- Disabled or deleted, perhaps since it was read.
                UPDATE users SET phone_verified = 1 WHERE id = v_user_id;
                SET v_user_id = NULL;
                SELECT id, status INTO v_user_id, v_status FROM users WHERE phone_number = v_destination FOR UPDATE;
            END IF;
        ELSEIF p_may_register THEN
            INSERT INTO users (id, username, phone_number, phone_verified, locale, joined_at_us, last_login_at_us)
            VALUES (p_new_user_id, v_destination, v_destination, 1, p_new_user_locale, p_now_us, p_now_us)
            ON DUPLICATE KEY UPDATE phone_verified = 1,
                                    last_login_at_us = IF(status = 'active', p_now_us, last_login_at_us);
            SET v_is_new = ROW_COUNT() = 1, v_user_id = p_new_user_id, v_status = 'active';
            IF NOT v_is_new THEN
                SELECT id, status INTO v_user_id, v_status FROM users WHERE phone_number = v_destination;
            END IF;
        END IF;
    END IF;

    INSERT INTO audit_events (id, event, user_id, destination, ip_address, user_agent, request_id, created_at_us)
    VALUES (p_otp_audit_id, 'OTP_VERIFIED', v_user_id, v_destination, p_ip_address, p_user_agent, p_request_id, p_now_us);
    IF v_is_new THEN
        INSERT INTO audit_events (id, event, user_id, destination, ip_address, user_agent, request_id, created_at_us)
        VALUES (p_user_audit_id, 'USER_REGISTERED', v_user_id, v_destination, p_ip_address, p_user_agent, p_request_id,
                p_now_us);
    END IF;
    INSERT INTO audit_events (id, event, user_id, destination, ip_address, user_agent, request_id, created_at_us)
    VALUES (p_login_audit_id, IF(v_status = 'active', 'LOGIN_SUCCEEDED', 'LOGIN_FAILED'), v_user_id, v_destination,
            p_ip_address, p_user_agent, p_request_id, p_now_us);
    IF v_user_id IS NULL OR v_status <> 'active' THEN
        COMMIT;
        SELECT IF(v_user_id IS NULL, 'unknown', 'account_disabled') AS outcome, 0 AS attempts_left, '' AS hits,
               v_purpose AS purpose, v_channel AS channel;
        LEAVE verify;
    END IF;

    -- The device that proves itself stays the same one; so does an installation that names itself; else it is a new one.
    SELECT id INTO v_device_id FROM devices
    WHERE user_id = v_user_id AND revoked_at_us IS NULL
      AND (id = p_device_id OR (p_install_id <> '' AND install_id = p_install_id))
    ORDER BY CASE WHEN id = p_device_id THEN 0 ELSE 1 END, id DESC LIMIT 1;
    IF v_device_id IS NULL THEN
        SET v_device_id = p_new_device_id;
        INSERT INTO devices (id, user_id, install_id, platform, app_version, device_name, created_at_us, last_seen_at_us)
        VALUES (v_device_id, v_user_id, p_install_id, p_platform, p_app_version, p_device_name, p_now_us, p_now_us);
        IF p_notice_id IS NOT NULL AND v_last_login_at_us IS NOT NULL THEN
            SELECT CASE WHEN email IS NOT NULL AND (email_verified = 1 OR phone_number IS NULL) THEN 'email'
                        WHEN p_notice_by_sms = 1 AND phone_number IS NOT NULL THEN 'sms' END
            INTO v_notice_channel FROM users WHERE id = v_user_id;
            INSERT INTO outbox (id, kind, otp_id, channel, purpose, destination, locale, request_id, created_at_us, expires_at_us,
                                available_at_us, ip_address, device)
            SELECT p_notice_id, 'new_sign_in', '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0', v_notice_channel, 'login',
                   IF(v_notice_channel = 'email', email, phone_number), locale, p_request_id, p_now_us, p_notice_expires_at_us,
                   p_notice_available_at_us, p_ip_address, p_notice_device
            FROM users WHERE id = v_user_id AND v_notice_channel IS NOT NULL;
        END IF;
    ELSE
        UPDATE devices SET last_seen_at_us = p_now_us, platform = p_platform, app_version = p_app_version,
                           device_name = p_device_name WHERE id = v_device_id;
    END IF;
    INSERT INTO sessions (id, user_id, device_id, amr, created_at_us, last_seen_at_us, expires_at_us, authenticated_at_us,
                          ip_address, user_agent, install_id, platform, app_version, device_name)
    VALUES (p_session_id, v_user_id, v_device_id, v_amr, p_now_us, p_now_us, p_session_expires_at_us, p_now_us,
            p_ip_address, p_user_agent, p_install_id, p_platform, p_app_version, p_device_name);
    COMMIT;
    SELECT 'verified' AS outcome, 0 AS attempts_left, '' AS hits, v_purpose AS purpose, v_channel AS channel,
           v_destination AS destination, v_is_new AS is_new_user, v_device_id AS device_id, v_amr AS amr,
           v_notice_channel AS notice_channel, id, username, email, phone_number, email_verified, phone_verified, first_name, last_name, locale, role, status,
           joined_at_us, last_login_at_us, password_hash
    FROM users WHERE id = v_user_id;
END
