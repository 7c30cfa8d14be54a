-- Requests for codes, many at once in one round trip and one transaction: account, known device, limits, voiding of older codes,
-- code, outbox and audit rows. Each request is carried out as if it came alone; no two of them share a bucket, which the caller
-- sees to. Called by store/mysql_otp_store.cpp; store/sqlite_otp_store.cpp says the same of one request in single statements.
--
-- p_calls: the requests, one after another, as store/packed_call.h packs them. Answers a row for each, with its place in p_calls.
--
-- account_rule: 'any' (register, verify), 'active_or_new' (login that may register), 'active' (login, reset). What the rule does
-- not let through is refused by name where `reveal` is set; else everything is written as usual and the message is never sent.
-- lane: zeros, or the device that the client says it is; it counts only while the row devices says the same. Of purpose change
-- it is the user who asks: nobody else can redeem the code, and nobody else's requests touch it. languages: what the client
-- accepts; the message has them after locale and the account's.
--
-- A limit (domain/limits.h) is taken by an upsert that is check and count in one, however many ask at once. The caller has worked
-- the rule out (store/bucket_rule.h): hit is now, packed; a window is full while the hit at its place is younger than its since; a
-- place beyond the kept hits reads as '', which is older than anything; keep of 0 is no limit. A call that finds its audit id in
-- taken_by afterwards has got its place.
CREATE PROCEDURE otp_request(IN p_calls LONGBLOB)
BEGIN
    DECLARE v_strangers BINARY(16) DEFAULT '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0';
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        RESIGNAL;
    END;

    -- A table of this connection alone. Whoever changes a column changes the name too: a connection may have the older table.
    CREATE TEMPORARY TABLE IF NOT EXISTS otp_request_calls_4 (
        n                    BIGINT       NOT NULL PRIMARY KEY,
        id                   BINARY(16)   NOT NULL,
        destination          VARCHAR(254) NOT NULL,
        channel              VARCHAR(8)   NOT NULL,
        purpose              VARCHAR(16)  NOT NULL,
        lane                 BINARY(16)   NOT NULL,
        amr                  VARCHAR(16)  NOT NULL,
        languages            VARCHAR(142) NOT NULL,
        now_us               BIGINT       NOT NULL,
        hit                  BINARY(8)    NOT NULL,
        expires_at_us        BIGINT       NOT NULL,
        max_attempts         BIGINT       NOT NULL,
        resend               BIGINT       NOT NULL,
        oldest_live_id       BINARY(16)   NOT NULL,
        guess_bucket         BINARY(16)   NOT NULL,
        client_bucket        BINARY(16)   NOT NULL,
        client_keep          BIGINT       NOT NULL,
        client_expires_at_us BIGINT       NOT NULL,
        client_place_1       BIGINT       NOT NULL,
        client_since_1       BINARY(8)    NOT NULL,
        client_place_2       BIGINT       NOT NULL,
        client_since_2       BINARY(8)    NOT NULL,
        bucket               BINARY(16)   NOT NULL,
        keep                 BIGINT       NOT NULL,
        bucket_expires_at_us BIGINT       NOT NULL,
        place_1              BIGINT       NOT NULL,
        since_1              BINARY(8)    NOT NULL,
        place_2              BIGINT       NOT NULL,
        since_2              BINARY(8)    NOT NULL,
        outbox_id            BINARY(16)   NOT NULL,
        available_at_us      BIGINT       NOT NULL,
        discard              BIGINT       NOT NULL,
        audit_id             BINARY(16)   NOT NULL,
        user_id              BINARY(16)   NULL,
        ip_address           VARCHAR(45)  NOT NULL,
        user_agent           VARCHAR(255) NOT NULL,
        request_id           VARCHAR(64)  NOT NULL,
        refused_by_name      VARCHAR(20)  NULL,
        otp_id               BINARY(16)   NULL, -- of the code that is sent again
        outcome              VARCHAR(20)  NULL
    ) ENGINE=MEMORY DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
    DELETE FROM otp_request_calls_4;
    CALL grouped_calls_part(p_calls, 1069);

    START TRANSACTION;
    INSERT INTO otp_request_calls_4
    SELECT c.n, c.id, c.destination, c.channel, c.purpose,
           COALESCE(d.id, IF(c.purpose = 'change', c.lane, v_strangers)),
           c.amr, CONCAT_WS(',', NULLIF(c.locale, ''), NULLIF(COALESCE(e.locale, p.locale), ''), NULLIF(c.languages, '')),
           c.now_us, c.hit, c.expires_at_us, c.max_attempts, c.resend, c.oldest_live_id,
           IF(d.id IS NULL, c.guess_bucket, c.device_guess_bucket),
           -- Neither what strangers ask for an address nor what others do behind the same client address counts for a known device.
           c.client_bucket, IF(d.id IS NULL, c.client_keep, 0), c.client_expires_at_us,
           c.client_place_1, c.client_since_1, c.client_place_2, c.client_since_2,
           IF(d.id IS NULL, c.destination_bucket, c.device_bucket), c.keep, c.bucket_expires_at_us,
           c.place_1, c.since_1, c.place_2, c.since_2,
           c.outbox_id, c.available_at_us,
           c.account_rule <> 'any' AND NOT COALESCE(e.status = 'active', p.status = 'active', c.account_rule = 'active_or_new'),
           c.audit_id, IF(c.purpose = 'change', c.lane, COALESCE(e.id, p.id)), c.ip_address, c.user_agent, c.request_id,
           IF(NOT c.reveal OR c.account_rule = 'any'
              OR COALESCE(e.status = 'active', p.status = 'active', c.account_rule = 'active_or_new'), NULL,
              IF(COALESCE(e.id, p.id) IS NULL, 'user_not_found', 'account_disabled')),
           NULL, NULL
    FROM (SELECT n,
                 SUBSTRING(packed, 1, 16) AS id,
                 CONVERT(SUBSTRING_INDEX(SUBSTRING(packed, 17, 254), '\0', 1) USING utf8mb4)
                     COLLATE utf8mb4_bin AS destination,
                 SUBSTRING_INDEX(SUBSTRING(packed, 271, 8), '\0', 1) AS channel,
                 SUBSTRING_INDEX(SUBSTRING(packed, 279, 16), '\0', 1) AS purpose,
                 SUBSTRING_INDEX(SUBSTRING(packed, 295, 16), '\0', 1) AS amr,
                 SUBSTRING_INDEX(SUBSTRING(packed, 311, 35), '\0', 1) AS locale,
                 SUBSTRING_INDEX(SUBSTRING(packed, 346, 70), '\0', 1) AS languages,
                 SUBSTRING_INDEX(SUBSTRING(packed, 416, 16), '\0', 1) AS account_rule,
                 SUBSTRING(packed, 432, 1) = '1' AS reveal,
                 SUBSTRING(packed, 433, 1) = '1' AS resend,
                 SUBSTRING(packed, 434, 8) AS hit,
                 CONV(HEX(SUBSTRING(packed, 434, 8)), 16, 10) AS now_us,
                 CONV(HEX(SUBSTRING(packed, 442, 8)), 16, 10) AS expires_at_us,
                 CONV(HEX(SUBSTRING(packed, 450, 8)), 16, 10) AS max_attempts,
                 SUBSTRING(packed, 458, 16) AS oldest_live_id,
                 SUBSTRING(packed, 474, 16) AS guess_bucket,
                 SUBSTRING(packed, 490, 16) AS client_bucket,
                 CONV(HEX(SUBSTRING(packed, 506, 8)), 16, 10) AS client_keep,
                 CONV(HEX(SUBSTRING(packed, 514, 8)), 16, 10) AS client_expires_at_us,
                 CONV(HEX(SUBSTRING(packed, 522, 8)), 16, 10) AS client_place_1,
                 SUBSTRING(packed, 530, 8) AS client_since_1,
                 CONV(HEX(SUBSTRING(packed, 538, 8)), 16, 10) AS client_place_2,
                 SUBSTRING(packed, 546, 8) AS client_since_2,
                 SUBSTRING(packed, 554, 16) AS destination_bucket,
                 CONV(HEX(SUBSTRING(packed, 570, 8)), 16, 10) AS keep,
                 CONV(HEX(SUBSTRING(packed, 578, 8)), 16, 10) AS bucket_expires_at_us,
                 CONV(HEX(SUBSTRING(packed, 586, 8)), 16, 10) AS place_1,
                 SUBSTRING(packed, 594, 8) AS since_1,
                 CONV(HEX(SUBSTRING(packed, 602, 8)), 16, 10) AS place_2,
                 SUBSTRING(packed, 610, 8) AS since_2,
                 SUBSTRING(packed, 618, 16) AS lane,
                 SUBSTRING(packed, 634, 16) AS device_guess_bucket,
                 SUBSTRING(packed, 650, 16) AS device_bucket,
                 SUBSTRING(packed, 666, 16) AS outbox_id,
                 CONV(HEX(SUBSTRING(packed, 682, 8)), 16, 10) AS available_at_us,
                 SUBSTRING(packed, 690, 16) AS audit_id,
                 SUBSTRING_INDEX(SUBSTRING(packed, 706, 45), '\0', 1) AS ip_address,
                 SUBSTRING_INDEX(SUBSTRING(packed, 751, 255), '\0', 1) AS user_agent,
                 SUBSTRING_INDEX(SUBSTRING(packed, 1006, 64), '\0', 1) AS request_id
          FROM grouped_calls_4 WHERE packed IS NOT NULL) c
    LEFT JOIN users e ON c.channel = 'email' AND e.email = c.destination
    LEFT JOIN users p ON c.channel = 'sms' AND p.phone_number = c.destination
    LEFT JOIN devices d ON d.id = c.lane AND d.user_id = COALESCE(e.id, p.id) AND d.revoked_at_us IS NULL;

    -- The assignments are evaluated in their order. Everyone takes the buckets in one order, for they are locked from here on.
    INSERT INTO rate_limits (bucket, expires_at_us, hits, taken_by)
    SELECT c.client_bucket, c.client_expires_at_us, c.hit, c.audit_id
    FROM otp_request_calls_4 c WHERE c.client_keep > 0 ORDER BY c.client_bucket
    ON DUPLICATE KEY UPDATE
        taken_by = IF(SUBSTRING(hits, c.client_place_1, 8) <= c.client_since_1
                      AND SUBSTRING(hits, c.client_place_2, 8) <= c.client_since_2, c.audit_id, taken_by),
        hits = IF(taken_by = c.audit_id, LEFT(CONCAT(c.hit, hits), c.client_keep), hits),
        expires_at_us = IF(taken_by = c.audit_id, c.client_expires_at_us, rate_limits.expires_at_us);
    UPDATE otp_request_calls_4 c JOIN rate_limits r ON r.bucket = c.client_bucket
    SET c.outcome = 'client_limited' WHERE c.client_keep > 0 AND r.taken_by <> c.audit_id;

    INSERT INTO rate_limits (bucket, expires_at_us, hits, taken_by)
    SELECT c.bucket, c.bucket_expires_at_us, c.hit, c.audit_id
    FROM otp_request_calls_4 c WHERE c.keep > 0 AND c.outcome IS NULL ORDER BY c.bucket
    ON DUPLICATE KEY UPDATE
        taken_by = IF(SUBSTRING(hits, c.place_1, 8) <= c.since_1 AND SUBSTRING(hits, c.place_2, 8) <= c.since_2,
                      c.audit_id, taken_by),
        hits = IF(taken_by = c.audit_id, LEFT(CONCAT(c.hit, hits), c.keep), hits),
        expires_at_us = IF(taken_by = c.audit_id, c.bucket_expires_at_us, rate_limits.expires_at_us);
    -- Who is refused by name is counted, so that a list of addresses cannot be tried at will.
    UPDATE otp_request_calls_4 c LEFT JOIN rate_limits r ON c.keep > 0 AND r.bucket = c.bucket
    SET c.outcome = IF(r.taken_by <> c.audit_id, 'destination_limited', COALESCE(c.refused_by_name, 'accepted'))
    WHERE c.outcome IS NULL;

    IF EXISTS (SELECT 1 FROM otp_request_calls_4 WHERE outcome IN ('client_limited', 'destination_limited')) THEN
        -- What is refused is counted nowhere: give the client's place back. The oldest time that made room for it was out of all
        -- windows, or the place would not have been free.
        UPDATE otp_request_calls_4 c JOIN rate_limits r ON r.bucket = c.client_bucket
        SET r.hits = SUBSTRING(r.hits, 9) WHERE c.outcome = 'destination_limited' AND c.client_keep > 0;
        -- At most one event a minute a bucket: a flood of refused requests must not fill the disk.
        INSERT INTO audit_events (id, event, destination, ip_address, user_agent, request_id, created_at_us)
        SELECT c.audit_id, 'OTP_RATE_LIMITED', c.destination, c.ip_address, c.user_agent, c.request_id, c.now_us
        FROM otp_request_calls_4 c JOIN rate_limits r
            ON r.bucket = IF(c.outcome = 'client_limited', c.client_bucket, c.bucket)
        WHERE c.outcome IN ('client_limited', 'destination_limited') AND r.refused_at_us <= c.now_us - 60000000;
        UPDATE otp_request_calls_4 c JOIN rate_limits r
            ON r.bucket = IF(c.outcome = 'client_limited', c.client_bucket, c.bucket)
        SET r.refused_at_us = c.now_us
        WHERE c.outcome IN ('client_limited', 'destination_limited') AND r.refused_at_us <= c.now_us - 60000000;
    END IF;

    IF EXISTS (SELECT 1 FROM otp_request_calls_4 WHERE resend AND outcome = 'accepted') THEN
        UPDATE otp_request_calls_4 c
        SET c.otp_id = (SELECT MAX(o.id) FROM otp_requests o
                        WHERE o.destination = c.destination AND o.purpose = c.purpose AND o.lane = c.lane
                          AND o.id >= c.oldest_live_id AND o.consumed_at_us IS NULL AND o.expires_at_us > c.now_us
                          AND o.attempts < o.max_attempts AND o.amr = c.amr)
        WHERE c.resend AND c.outcome = 'accepted';
        UPDATE otp_request_calls_4 c
        SET c.expires_at_us = (SELECT o.expires_at_us FROM otp_requests o WHERE o.id = c.otp_id) WHERE c.otp_id IS NOT NULL;
    END IF;
    IF EXISTS (SELECT 1 FROM otp_request_calls_4 c
                   STRAIGHT_JOIN otp_requests o FORCE INDEX (otp_requests_destination)
                       ON o.destination = c.destination AND o.purpose = c.purpose AND o.lane = c.lane AND o.id >= c.oldest_live_id
               WHERE c.outcome = 'accepted' AND c.otp_id IS NULL AND o.consumed_at_us IS NULL
                 AND o.expires_at_us > c.now_us) THEN
        UPDATE otp_request_calls_4 c
            STRAIGHT_JOIN otp_requests o FORCE INDEX (otp_requests_destination)
                ON o.destination = c.destination AND o.purpose = c.purpose AND o.lane = c.lane AND o.id >= c.oldest_live_id
        SET o.expires_at_us = c.now_us
        WHERE c.outcome = 'accepted' AND c.otp_id IS NULL AND o.consumed_at_us IS NULL AND o.expires_at_us > c.now_us;
    END IF;
    INSERT INTO otp_requests (id, destination, channel, purpose, lane, amr, guess_bucket, created_at_us, expires_at_us,
                              max_attempts)
    SELECT id, destination, channel, purpose, lane, amr, guess_bucket, now_us, expires_at_us, max_attempts
    FROM otp_request_calls_4 WHERE outcome = 'accepted' AND otp_id IS NULL;
    INSERT INTO outbox (id, otp_id, channel, purpose, destination, locale, request_id, created_at_us, expires_at_us,
                        available_at_us, discard)
    SELECT outbox_id, COALESCE(otp_id, id), channel, purpose, destination, languages, request_id, now_us, expires_at_us,
           available_at_us, discard
    FROM otp_request_calls_4 WHERE outcome = 'accepted';
    INSERT INTO audit_events (id, event, user_id, destination, ip_address, user_agent, request_id, created_at_us)
    SELECT audit_id, 'OTP_REQUESTED', user_id, destination, ip_address, user_agent, request_id, now_us
    FROM otp_request_calls_4 WHERE outcome = 'accepted';

    -- Before the end, so that an error always means that nothing was done.
    SELECT c.n, c.outcome, COALESCE(r.hits, '') AS hits, COALESCE(c.otp_id, c.id) AS otp_id, c.expires_at_us, c.discard,
           c.languages
    FROM otp_request_calls_4 c LEFT JOIN rate_limits r
        ON r.bucket = IF(c.outcome = 'client_limited', c.client_bucket, c.bucket);
    COMMIT;
END
