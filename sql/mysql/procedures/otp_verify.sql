-- Guesses at codes, many at once in one round trip and one transaction. The caller has judged each already (the code follows from
-- the id); is_right tells it. The attempt is counted first, and the outcome is let out only while attempts and budget remain.
-- Called by store/mysql_otp_store.cpp; store/sqlite_otp_store.cpp says the same of one guess in single statements.
--
-- p_calls: the guesses, one after another, as store/packed_call.h packs them; no two at one code, which the caller sees to.
-- Answers a row for each, with its place in p_calls. Of several that count against one budget only the first is carried out: the
-- others have no row, and come again.
--
-- wanted_purpose: what the code must be for, or nothing for any; one for a change of address is left to
-- AccountTable::changeAddress. shown_device_id: the known device that the client says it is, or zeros. notice_*: the message to
-- who signs in by a device that is new to the account, with zeros for its id where there is to be none; domain/notice.cpp says
-- too whom it goes to. The budget is taken as otp_request.sql takes its limits.
CREATE PROCEDURE otp_verify(IN p_calls LONGBLOB)
BEGIN
    DECLARE v_zeros BINARY(16) DEFAULT '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0';
    DECLARE v_wrong BIGINT;
    DECLARE v_right BIGINT;
    DECLARE v_exhausted BIGINT;
    DECLARE v_logins BIGINT;
    DECLARE v_new_devices BIGINT;
    DECLARE v_known_devices BIGINT;
    DECLARE v_notices BIGINT;
    DECLARE v_locked BIGINT;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        RESIGNAL;
    END;

    -- A table of this connection alone. Whoever changes a column changes the name too: a connection may have the older table.
    CREATE TEMPORARY TABLE IF NOT EXISTS otp_verify_calls_4 (
        n                      BIGINT       NOT NULL PRIMARY KEY,
        otp_id                 BINARY(16)   NOT NULL,
        is_right               BIGINT       NOT NULL,
        now_us                 BIGINT       NOT NULL,
        hit                    BINARY(8)    NOT NULL,
        keep                   BIGINT       NOT NULL,
        bucket_expires_at_us   BIGINT       NOT NULL,
        place_1                BIGINT       NOT NULL,
        since_1                BINARY(8)    NOT NULL,
        place_2                BIGINT       NOT NULL,
        since_2                BINARY(8)    NOT NULL,
        may_register           BIGINT       NOT NULL,
        new_user_id            BINARY(16)   NOT NULL,
        new_user_locale        VARCHAR(35)  NOT NULL,
        session_id             BINARY(16)   NOT NULL,
        session_expires_at_us  BIGINT       NOT NULL,
        shown_device_id        BINARY(16)   NOT NULL,
        new_device_id          BINARY(16)   NOT NULL,
        install_id             VARCHAR(100) NOT NULL,
        platform               VARCHAR(32)  NOT NULL,
        app_version            VARCHAR(32)  NOT NULL,
        device_name            VARCHAR(100) NOT NULL,
        otp_audit_id           BINARY(16)   NOT NULL,
        user_audit_id          BINARY(16)   NOT NULL,
        login_audit_id         BINARY(16)   NOT NULL,
        notice_id              BINARY(16)   NULL,
        notice_by_sms          BIGINT       NOT NULL,
        notice_device          VARCHAR(255) NOT NULL,
        notice_expires_at_us   BIGINT       NOT NULL,
        notice_available_at_us BIGINT       NOT NULL,
        ip_address             VARCHAR(45)  NOT NULL,
        user_agent             VARCHAR(255) NOT NULL,
        request_id             VARCHAR(64)  NOT NULL,
        -- Of the code, where there is one with this id; attempts with this one.
        destination            VARCHAR(254) NULL,
        channel                VARCHAR(8)   NULL,
        purpose                VARCHAR(16)  NULL,
        amr                    VARCHAR(16)  NULL,
        attempts               BIGINT       NULL,
        max_attempts           BIGINT       NULL,
        guess_bucket           BINARY(16)   NULL UNIQUE, -- where the guess counts
        -- Of the user that the address belongs to.
        user_id                BINARY(16)   NULL,
        status                 VARCHAR(16)  NULL,
        last_login_at_us       BIGINT       NULL,
        is_new                 BIGINT       NOT NULL DEFAULT 0,
        device_id              BINARY(16)   NULL,
        notice_channel         VARCHAR(8)   NULL,
        outcome                VARCHAR(20)  NULL
    ) ENGINE=MEMORY DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
    DELETE FROM otp_verify_calls_4;
    CALL grouped_calls_part(p_calls, 1161);

    START TRANSACTION;
    INSERT INTO otp_verify_calls_4 (n, otp_id, is_right, now_us, hit, keep, bucket_expires_at_us, place_1, since_1, place_2,
        since_2, may_register, new_user_id, new_user_locale, session_id, session_expires_at_us, shown_device_id, new_device_id,
        install_id, platform, app_version, device_name, otp_audit_id, user_audit_id, login_audit_id, notice_id, notice_by_sms,
        notice_device, notice_expires_at_us, notice_available_at_us, ip_address, user_agent, request_id, destination, channel,
        purpose, amr, attempts, max_attempts, guess_bucket, outcome)
    SELECT c.n, c.otp_id, c.is_right, c.now_us, c.hit, c.keep, c.bucket_expires_at_us, c.place_1, c.since_1, c.place_2,
           c.since_2, c.may_register, c.new_user_id, c.new_user_locale, c.session_id, c.session_expires_at_us, c.shown_device_id,
           c.new_device_id, c.install_id, c.platform, c.app_version, c.device_name, c.otp_audit_id, c.user_audit_id,
           c.login_audit_id, NULLIF(c.notice_id, v_zeros), c.notice_by_sms, c.notice_device, c.notice_expires_at_us,
           c.notice_available_at_us, c.ip_address, c.user_agent, c.request_id,
           o.destination, o.channel, o.purpose, o.amr, o.attempts + 1, o.max_attempts,
           IF((c.wanted_purpose = '' OR o.purpose = c.wanted_purpose) AND o.purpose <> 'change' AND o.consumed_at_us IS NULL
              AND o.expires_at_us > c.now_us AND o.attempts < o.max_attempts, o.guess_bucket, NULL),
           CASE WHEN o.id IS NULL OR (c.wanted_purpose <> '' AND o.purpose <> c.wanted_purpose) THEN 'unknown'
                WHEN o.purpose = 'change' THEN 'owner_needed'
                WHEN o.consumed_at_us IS NOT NULL THEN 'used'
                WHEN o.expires_at_us <= c.now_us THEN 'expired'
                WHEN o.attempts >= o.max_attempts THEN 'attempts_exhausted' END
    FROM (SELECT n,
                 SUBSTRING(packed, 1, 16) AS otp_id,
                 CONVERT(SUBSTRING_INDEX(SUBSTRING(packed, 17, 16), '\0', 1) USING utf8mb4)
                     COLLATE utf8mb4_bin AS wanted_purpose,
                 SUBSTRING(packed, 33, 1) = '1' AS is_right,
                 SUBSTRING(packed, 34, 8) AS hit,
                 CONV(HEX(SUBSTRING(packed, 34, 8)), 16, 10) AS now_us,
                 CONV(HEX(SUBSTRING(packed, 42, 8)), 16, 10) AS keep,
                 CONV(HEX(SUBSTRING(packed, 50, 8)), 16, 10) AS bucket_expires_at_us,
                 CONV(HEX(SUBSTRING(packed, 58, 8)), 16, 10) AS place_1,
                 SUBSTRING(packed, 66, 8) AS since_1,
                 CONV(HEX(SUBSTRING(packed, 74, 8)), 16, 10) AS place_2,
                 SUBSTRING(packed, 82, 8) AS since_2,
                 SUBSTRING(packed, 90, 1) = '1' AS may_register,
                 SUBSTRING(packed, 91, 16) AS new_user_id,
                 SUBSTRING_INDEX(SUBSTRING(packed, 107, 35), '\0', 1) AS new_user_locale,
                 SUBSTRING(packed, 142, 16) AS session_id,
                 CONV(HEX(SUBSTRING(packed, 158, 8)), 16, 10) AS session_expires_at_us,
                 SUBSTRING(packed, 166, 16) AS shown_device_id,
                 SUBSTRING(packed, 182, 16) AS new_device_id,
                 SUBSTRING_INDEX(SUBSTRING(packed, 198, 100), '\0', 1) AS install_id,
                 SUBSTRING_INDEX(SUBSTRING(packed, 298, 32), '\0', 1) AS platform,
                 SUBSTRING_INDEX(SUBSTRING(packed, 330, 32), '\0', 1) AS app_version,
                 SUBSTRING_INDEX(SUBSTRING(packed, 362, 100), '\0', 1) AS device_name,
                 SUBSTRING(packed, 462, 16) AS otp_audit_id,
                 SUBSTRING(packed, 478, 16) AS user_audit_id,
                 SUBSTRING(packed, 494, 16) AS login_audit_id,
                 SUBSTRING(packed, 510, 16) AS notice_id,
                 SUBSTRING(packed, 526, 1) = '1' AS notice_by_sms,
                 SUBSTRING_INDEX(SUBSTRING(packed, 527, 255), '\0', 1) AS notice_device,
                 CONV(HEX(SUBSTRING(packed, 782, 8)), 16, 10) AS notice_expires_at_us,
                 CONV(HEX(SUBSTRING(packed, 790, 8)), 16, 10) AS notice_available_at_us,
                 SUBSTRING_INDEX(SUBSTRING(packed, 798, 45), '\0', 1) AS ip_address,
                 SUBSTRING_INDEX(SUBSTRING(packed, 843, 255), '\0', 1) AS user_agent,
                 SUBSTRING_INDEX(SUBSTRING(packed, 1098, 64), '\0', 1) AS request_id
          FROM grouped_calls_4 WHERE packed IS NOT NULL) c
    LEFT JOIN otp_requests o ON o.id = c.otp_id
    ORDER BY c.n
    FOR UPDATE
    ON DUPLICATE KEY UPDATE otp_verify_calls_4.n = otp_verify_calls_4.n;

    -- A wrong guess takes a place in its budget. A right one is not counted, but a spent budget refuses it like any other: who has
    -- it learns nothing more. What is refused is not compared, so not an attempt either, and the code is not consumed.
    SELECT SUM(NOT is_right), SUM(is_right) INTO v_wrong, v_right
    FROM otp_verify_calls_4 WHERE outcome IS NULL AND keep > 0;
    IF v_wrong > 0 THEN
        INSERT INTO rate_limits (bucket, expires_at_us, hits, taken_by)
        SELECT c.guess_bucket, c.bucket_expires_at_us, c.hit, c.otp_audit_id
        FROM otp_verify_calls_4 c WHERE c.outcome IS NULL AND c.keep > 0 AND NOT c.is_right ORDER BY c.guess_bucket
        ON DUPLICATE KEY UPDATE
            taken_by = IF(SUBSTRING(hits, c.place_1, 8) <= c.since_1 AND SUBSTRING(hits, c.place_2, 8) <= c.since_2,
                          c.otp_audit_id, taken_by),
            hits = IF(taken_by = c.otp_audit_id, LEFT(CONCAT(c.hit, hits), c.keep), hits),
            expires_at_us = IF(taken_by = c.otp_audit_id, c.bucket_expires_at_us, rate_limits.expires_at_us);
    END IF;
    IF v_right > 0 THEN
        SELECT COUNT(*) INTO v_locked FROM otp_verify_calls_4 c STRAIGHT_JOIN rate_limits r ON r.bucket = c.guess_bucket
        WHERE c.outcome IS NULL AND c.keep > 0 AND c.is_right FOR UPDATE;
    END IF;
    IF v_wrong > 0 OR v_locked > 0 THEN
        UPDATE otp_verify_calls_4 c JOIN rate_limits r ON r.bucket = c.guess_bucket
        SET c.outcome = 'budget_exhausted'
        WHERE c.outcome IS NULL AND c.keep > 0
          AND IF(c.is_right, SUBSTRING(r.hits, c.place_1, 8) > c.since_1 OR SUBSTRING(r.hits, c.place_2, 8) > c.since_2,
                 r.taken_by <> c.otp_audit_id);
    END IF;
    UPDATE otp_verify_calls_4 c STRAIGHT_JOIN otp_requests o ON o.id = c.otp_id
    SET o.attempts = o.attempts + 1, o.consumed_at_us = IF(c.is_right, c.now_us, NULL)
    WHERE c.outcome IS NULL;

    SELECT SUM(COALESCE(outcome = 'budget_exhausted', 0)), SUM(outcome IS NULL AND is_right),
           SUM(outcome IS NULL AND is_right AND purpose = 'login')
    INTO v_exhausted, v_right, v_logins FROM otp_verify_calls_4;
    IF v_exhausted > 0 THEN
        -- At most one event a minute a bucket.
        INSERT INTO audit_events (id, event, destination, ip_address, user_agent, request_id, created_at_us)
        SELECT c.otp_audit_id, 'OTP_LOCKED', c.destination, c.ip_address, c.user_agent, c.request_id, c.now_us
        FROM otp_verify_calls_4 c JOIN rate_limits r ON r.bucket = c.guess_bucket
        WHERE c.outcome = 'budget_exhausted' AND r.refused_at_us <= c.now_us - 60000000;
        UPDATE otp_verify_calls_4 c STRAIGHT_JOIN rate_limits r ON r.bucket = c.guess_bucket
        SET r.refused_at_us = c.now_us
        WHERE c.outcome = 'budget_exhausted' AND r.refused_at_us <= c.now_us - 60000000;
    END IF;

    IF v_right > 0 THEN
        -- Not by a join: what a join of an UPDATE reads is locked.
        UPDATE otp_verify_calls_4 c
        SET c.user_id = CASE c.channel WHEN 'email' THEN (SELECT u.id FROM users u WHERE u.email = c.destination)
                                       ELSE (SELECT u.id FROM users u WHERE u.phone_number = c.destination) END,
            c.last_login_at_us = (SELECT u.last_login_at_us FROM users u WHERE u.id = c.user_id)
        WHERE c.outcome IS NULL AND c.is_right;
        -- The address is proved, whoever asked for the code.
        IF EXISTS (SELECT 1 FROM otp_verify_calls_4 WHERE outcome IS NULL AND is_right AND user_id IS NOT NULL) THEN
            IF @grouped_calls THEN
                -- Who holds a user's row for long (an import, somebody at a console) must not hold up everyone's login: the group
                -- fails at once, and each waits for its own row, by a call of its own.
                SELECT COUNT(*) INTO v_locked FROM otp_verify_calls_4 c STRAIGHT_JOIN users u ON u.id = c.user_id
                WHERE c.outcome IS NULL AND c.is_right FOR UPDATE SKIP LOCKED;
                IF v_locked < (SELECT COUNT(user_id) FROM otp_verify_calls_4 WHERE outcome IS NULL AND is_right) THEN
                    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'otp_verify: the row of a user is locked';
                END IF;
            END IF;
            UPDATE otp_verify_calls_4 c STRAIGHT_JOIN users u
                ON u.id = c.user_id AND (u.email = c.destination OR u.phone_number = c.destination)
            SET u.email_verified = IF(c.channel = 'email', 1, u.email_verified),
                u.phone_verified = IF(c.channel = 'sms', 1, u.phone_verified),
                u.last_login_at_us = IF(c.purpose = 'login' AND u.status = 'active', c.now_us, u.last_login_at_us)
            WHERE c.outcome IS NULL AND c.is_right;
        END IF;
    END IF;
    IF v_logins > 0 THEN
        -- By an upsert, because another code for the same address may be creating the user at this moment.
        INSERT INTO users (id, username, email, phone_number, email_verified, phone_verified, locale, joined_at_us,
                           last_login_at_us)
        SELECT c.new_user_id, c.destination, IF(c.channel = 'email', c.destination, NULL),
               IF(c.channel = 'sms', c.destination, NULL), c.channel = 'email', c.channel = 'sms', c.new_user_locale, c.now_us,
               c.now_us
        FROM otp_verify_calls_4 c
        WHERE c.outcome IS NULL AND c.is_right AND c.purpose = 'login' AND c.user_id IS NULL AND c.may_register
        ORDER BY c.destination
        ON DUPLICATE KEY UPDATE
            email_verified = IF(c.channel = 'email', 1, users.email_verified),
            phone_verified = IF(c.channel = 'sms', 1, users.phone_verified),
            last_login_at_us = IF(users.status = 'active', c.now_us, users.last_login_at_us);
        -- Once more, now that they are locked: disabled or deleted, perhaps since they were read.
        UPDATE otp_verify_calls_4 c
            LEFT JOIN users e ON c.channel = 'email' AND e.email = c.destination
            LEFT JOIN users p ON c.channel = 'sms' AND p.phone_number = c.destination
        SET c.user_id = COALESCE(e.id, p.id), c.status = COALESCE(e.status, p.status),
            c.is_new = COALESCE(COALESCE(e.id, p.id) = c.new_user_id, 0)
        WHERE c.outcome IS NULL AND c.is_right AND c.purpose = 'login';
    END IF;

    INSERT INTO audit_events (id, event, user_id, destination, ip_address, user_agent, request_id, created_at_us)
    SELECT CASE events.about WHEN 'code' THEN c.otp_audit_id WHEN 'user' THEN c.user_audit_id ELSE c.login_audit_id END,
           CASE events.about WHEN 'code' THEN IF(c.is_right, 'OTP_VERIFIED', 'OTP_FAILED')
                          WHEN 'user' THEN 'USER_REGISTERED'
                          ELSE IF(c.status = 'active', 'LOGIN_SUCCEEDED', 'LOGIN_FAILED') END,
           c.user_id, c.destination, c.ip_address, c.user_agent, c.request_id, c.now_us
    FROM otp_verify_calls_4 c JOIN (SELECT 'code' AS about UNION ALL SELECT 'user' UNION ALL SELECT 'login') events
        ON events.about = 'code' OR (c.is_right AND c.purpose = 'login' AND (events.about = 'login' OR c.is_new))
    WHERE c.outcome IS NULL;
    UPDATE otp_verify_calls_4
    SET outcome = CASE WHEN NOT is_right THEN 'wrong_code'
                       WHEN purpose <> 'login' THEN 'verified'
                       WHEN user_id IS NULL THEN 'unknown'
                       WHEN status <> 'active' THEN 'account_disabled'
                       ELSE 'verified' END
    WHERE outcome IS NULL;

    IF v_logins > 0 THEN
        -- The device that proves itself stays the same one; so does an installation that names itself; else it is a new one.
        UPDATE otp_verify_calls_4 c
        SET c.device_id = (SELECT d.id FROM devices d
                           WHERE d.user_id = c.user_id AND d.revoked_at_us IS NULL
                             AND (d.id = c.shown_device_id OR (c.install_id <> '' AND d.install_id = c.install_id))
                           ORDER BY CASE WHEN d.id = c.shown_device_id THEN 0 ELSE 1 END, d.id DESC LIMIT 1)
        WHERE c.outcome = 'verified' AND c.purpose = 'login';
        SELECT SUM(device_id IS NULL), SUM(device_id IS NOT NULL),
               SUM(device_id IS NULL AND notice_id IS NOT NULL AND last_login_at_us IS NOT NULL)
        INTO v_new_devices, v_known_devices, v_notices
        FROM otp_verify_calls_4 WHERE outcome = 'verified' AND purpose = 'login';
        IF v_notices > 0 THEN
            UPDATE otp_verify_calls_4 c JOIN users u ON u.id = c.user_id
            SET c.notice_channel =
                CASE WHEN u.email IS NOT NULL AND (u.email_verified = 1 OR u.phone_number IS NULL) THEN 'email'
                     WHEN c.notice_by_sms = 1 AND u.phone_number IS NOT NULL THEN 'sms' END
            WHERE c.outcome = 'verified' AND c.purpose = 'login' AND c.device_id IS NULL AND c.notice_id IS NOT NULL
              AND c.last_login_at_us IS NOT NULL;
            INSERT INTO outbox (id, kind, otp_id, channel, purpose, destination, locale, request_id, created_at_us,
                                expires_at_us, available_at_us, ip_address, device)
            SELECT c.notice_id, 'new_sign_in', v_zeros, c.notice_channel, 'login',
                   IF(c.notice_channel = 'email', u.email, u.phone_number), u.locale, c.request_id, c.now_us,
                   c.notice_expires_at_us, c.notice_available_at_us, c.ip_address, c.notice_device
            FROM otp_verify_calls_4 c JOIN users u ON u.id = c.user_id WHERE c.notice_channel IS NOT NULL;
        END IF;
        IF v_known_devices > 0 THEN
            UPDATE otp_verify_calls_4 c STRAIGHT_JOIN devices d ON d.id = c.device_id
            SET d.last_seen_at_us = c.now_us, d.platform = c.platform, d.app_version = c.app_version,
                d.device_name = c.device_name;
        END IF;
        IF v_new_devices > 0 THEN
            INSERT INTO devices (id, user_id, install_id, platform, app_version, device_name, created_at_us, last_seen_at_us)
            SELECT new_device_id, user_id, install_id, platform, app_version, device_name, now_us, now_us
            FROM otp_verify_calls_4 WHERE outcome = 'verified' AND purpose = 'login' AND device_id IS NULL;
        END IF;
        INSERT INTO sessions (id, user_id, device_id, amr, created_at_us, last_seen_at_us, expires_at_us,
                              authenticated_at_us, ip_address, user_agent, install_id, platform, app_version, device_name)
        SELECT session_id, user_id, COALESCE(device_id, new_device_id), amr, now_us, now_us, session_expires_at_us, now_us,
               ip_address, user_agent, install_id, platform, app_version, device_name
        FROM otp_verify_calls_4 WHERE outcome = 'verified' AND purpose = 'login';
    END IF;

    -- Before the end, so that an error always means that nothing was done.
    SELECT c.n, c.outcome, IF(c.outcome = 'wrong_code', c.max_attempts - c.attempts, 0) AS attempts_left,
           IF(c.outcome = 'budget_exhausted', r.hits, '') AS hits, c.purpose, c.channel, c.destination, c.is_new,
           COALESCE(c.device_id, c.new_device_id) AS device_id, c.amr, c.notice_channel,
           u.id, u.username, u.email, u.phone_number, u.email_verified, u.phone_verified, u.first_name, u.last_name, u.locale,
           u.role, u.status, u.joined_at_us, u.last_login_at_us, u.password_hash
    FROM otp_verify_calls_4 c
    LEFT JOIN rate_limits r ON r.bucket = c.guess_bucket
    LEFT JOIN users u ON u.id = c.user_id;
    COMMIT;
END
