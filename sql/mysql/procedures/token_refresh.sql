-- POST /api/v1/auth/token/refresh, many at once in one round trip and one transaction: the refresh token with counter c becomes
-- c + 1. Called by store/mysql_session_store.cpp; store/sqlite_session_store.cpp says the same of one token in single statements.
--
-- p_calls: the tokens, one after another, as store/packed_call.h packs them; no two of one session, which the caller sees to.
-- Answers a row for each, with its place in p_calls.
CREATE PROCEDURE token_refresh(IN p_calls LONGBLOB)
BEGIN
    DECLARE v_reused BIGINT;
    DECLARE v_told BIGINT;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        RESIGNAL;
    END;

    -- A table of this connection alone. Whoever changes a column changes the name too: a connection may have the older table.
    CREATE TEMPORARY TABLE IF NOT EXISTS token_refresh_calls_4 (
        n                   BIGINT       NOT NULL PRIMARY KEY,
        session_id          BINARY(16)   NOT NULL,
        counter             BIGINT       NOT NULL,
        now_us              BIGINT       NOT NULL,
        expires_at_us       BIGINT       NOT NULL,
        grace_since_us      BIGINT       NOT NULL,
        audit_id            BINARY(16)   NOT NULL,
        ip_address          VARCHAR(45)  NOT NULL,
        user_agent          VARCHAR(255) NOT NULL,
        request_id          VARCHAR(64)  NOT NULL,
        -- Of the session, where there is one that is alive.
        user_id             BINARY(16)   NULL,
        authenticated_at_us BIGINT       NULL,
        amr                 VARCHAR(16)  NULL,
        refresh_counter     BIGINT       NULL,
        rotated_at_us       BIGINT       NULL,
        is_same_client      BIGINT       NULL,
        outcome             VARCHAR(20)  NULL
    ) ENGINE=MEMORY DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
    DELETE FROM token_refresh_calls_4;
    CALL grouped_calls_part(p_calls, 428);

    START TRANSACTION;
    INSERT INTO token_refresh_calls_4 (n, session_id, counter, now_us, expires_at_us, grace_since_us, audit_id, ip_address,
        user_agent, request_id, user_id, authenticated_at_us, amr, refresh_counter, rotated_at_us, is_same_client)
    SELECT c.n, c.session_id, c.counter, c.now_us, c.expires_at_us, c.grace_since_us, c.audit_id, c.ip_address, c.user_agent,
           c.request_id, IF(s.revoked_at_us IS NULL AND s.expires_at_us > c.now_us, s.user_id, NULL), s.authenticated_at_us,
           s.amr, s.refresh_counter, s.rotated_at_us, s.ip_address = c.ip_address AND s.user_agent = c.user_agent
    FROM (SELECT n,
                 SUBSTRING(packed, 1, 16) AS session_id,
                 CONV(HEX(SUBSTRING(packed, 17, 8)), 16, 10) AS counter,
                 CONV(HEX(SUBSTRING(packed, 25, 8)), 16, 10) AS now_us,
                 CONV(HEX(SUBSTRING(packed, 33, 8)), 16, 10) AS expires_at_us,
                 CONV(HEX(SUBSTRING(packed, 41, 8)), 16, 10) AS grace_since_us,
                 SUBSTRING(packed, 49, 16) AS audit_id,
                 CONVERT(SUBSTRING_INDEX(SUBSTRING(packed, 65, 45), '\0', 1) USING utf8mb4) COLLATE utf8mb4_bin AS ip_address,
                 CONVERT(SUBSTRING_INDEX(SUBSTRING(packed, 110, 255), '\0', 1) USING utf8mb4) COLLATE utf8mb4_bin AS user_agent,
                 SUBSTRING_INDEX(SUBSTRING(packed, 365, 64), '\0', 1) AS request_id
          FROM grouped_calls_4 WHERE packed IS NOT NULL) c
    LEFT JOIN sessions s ON s.id = c.session_id
    FOR UPDATE;
    -- A token ahead of the row: the database was restored from an older copy. Nobody stole anything, but nothing is proved.
    UPDATE token_refresh_calls_4 c
    SET c.outcome = CASE WHEN COALESCE((SELECT u.status FROM users u WHERE u.id = c.user_id), '') <> 'active' THEN 'ended'
                         WHEN c.refresh_counter = c.counter THEN 'rotated'
                         WHEN c.refresh_counter = c.counter + 1 AND c.rotated_at_us > c.grace_since_us THEN 'repeated'
                         WHEN c.refresh_counter < c.counter THEN 'ended'
                         ELSE 'reused' END;
    UPDATE token_refresh_calls_4 c STRAIGHT_JOIN sessions s ON s.id = c.session_id
    SET s.refresh_counter = s.refresh_counter + 1, s.rotated_at_us = c.now_us, s.last_seen_at_us = c.now_us,
        s.expires_at_us = c.expires_at_us, s.ip_address = c.ip_address, s.user_agent = c.user_agent
    WHERE c.outcome = 'rotated';

    SELECT SUM(outcome = 'reused'), SUM(outcome = 'reused' OR (outcome = 'rotated' AND NOT is_same_client))
    INTO v_reused, v_told FROM token_refresh_calls_4;
    IF v_reused > 0 THEN
        UPDATE token_refresh_calls_4 c STRAIGHT_JOIN sessions s ON s.id = c.session_id
        SET s.revoked_at_us = c.now_us, s.revoked_reason = 'token_reused' WHERE c.outcome = 'reused';
    END IF;
    IF v_told > 0 THEN
        -- A refresh leaves a trace only where it comes from elsewhere than the last one: thousands from one browser would say
        -- nothing, and cost a row each.
        INSERT INTO audit_events (id, event, user_id, ip_address, user_agent, request_id, created_at_us)
        SELECT audit_id, IF(outcome = 'reused', 'TOKEN_REUSED', 'TOKEN_REFRESHED'), user_id, ip_address, user_agent, request_id,
               now_us
        FROM token_refresh_calls_4 WHERE outcome = 'reused' OR (outcome = 'rotated' AND NOT is_same_client);
    END IF;

    -- Before the end, so that an error always means that nothing was done.
    SELECT n, outcome, user_id, authenticated_at_us, amr FROM token_refresh_calls_4;
    COMMIT;
END
