-- POST /api/v1/auth/token/refresh in one round trip: the refresh token with counter c becomes c + 1.
-- Called by store/mysql_session_store.cpp; store/sqlite_session_store.cpp says the same in single statements.
CREATE PROCEDURE token_refresh(
    IN p_session_id BINARY(16),
    IN p_counter BIGINT,
    IN p_now_us BIGINT,
    IN p_expires_at_us BIGINT,
    IN p_grace_since_us BIGINT,
    IN p_audit_id BINARY(16),
    IN p_ip_address VARCHAR(45) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_user_agent VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_request_id VARCHAR(64)
)
refresh: BEGIN
    DECLARE v_rotated BIGINT;
    DECLARE v_user_id BINARY(16);
    DECLARE v_authenticated_at_us BIGINT;
    DECLARE v_amr VARCHAR(16);
    DECLARE v_counter BIGINT;
    DECLARE v_rotated_at_us BIGINT;
    DECLARE v_is_alive BIGINT;
    DECLARE v_is_same_client BIGINT;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        RESIGNAL;
    END;

    START TRANSACTION;
    UPDATE sessions SET refresh_counter = refresh_counter + 1, rotated_at_us = p_now_us, last_seen_at_us = p_now_us,
                        expires_at_us = p_expires_at_us
    WHERE id = p_session_id AND refresh_counter = p_counter AND revoked_at_us IS NULL AND expires_at_us > p_now_us;
    SET v_rotated = ROW_COUNT();
    SELECT s.user_id, s.authenticated_at_us, s.amr, s.refresh_counter, s.rotated_at_us,
           s.revoked_at_us IS NULL AND s.expires_at_us > p_now_us AND u.status = 'active',
           s.ip_address = p_ip_address AND s.user_agent = p_user_agent
    INTO v_user_id, v_authenticated_at_us, v_amr, v_counter, v_rotated_at_us, v_is_alive, v_is_same_client
    FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = p_session_id;

    IF v_user_id IS NULL OR v_is_alive = 0 THEN
        ROLLBACK;
        SELECT 'ended' AS outcome;
        LEAVE refresh;
    END IF;

    IF v_rotated = 1 THEN
        -- A refresh leaves a trace only where it comes from elsewhere than the last one: thousands from one browser would
        -- say nothing, and cost a row each.
        IF v_is_same_client = 0 THEN
            UPDATE sessions SET ip_address = p_ip_address, user_agent = p_user_agent WHERE id = p_session_id;
            INSERT INTO audit_events (id, event, user_id, ip_address, user_agent, request_id, created_at_us)
            VALUES (p_audit_id, 'TOKEN_REFRESHED', v_user_id, p_ip_address, p_user_agent, p_request_id, p_now_us);
        END IF;
        COMMIT;
        SELECT 'rotated' AS outcome, v_user_id AS user_id, v_authenticated_at_us AS authenticated_at_us,
               v_amr AS amr;
        LEAVE refresh;
    END IF;

    IF v_counter = p_counter + 1 AND v_rotated_at_us > p_grace_since_us THEN
        ROLLBACK;
        SELECT 'repeated' AS outcome, v_user_id AS user_id, v_authenticated_at_us AS authenticated_at_us,
               v_amr AS amr;
        LEAVE refresh;
    END IF;
    IF v_counter < p_counter THEN
        -- Ahead of the row: the database was restored from an older copy. Nobody stole anything, but nothing is proved.
        ROLLBACK;
        SELECT 'ended' AS outcome;
        LEAVE refresh;
    END IF;

    UPDATE sessions SET revoked_at_us = p_now_us, revoked_reason = 'token_reused'
    WHERE id = p_session_id AND revoked_at_us IS NULL;
    IF ROW_COUNT() > 0 THEN
        INSERT INTO audit_events (id, event, user_id, ip_address, user_agent, request_id, created_at_us)
        VALUES (p_audit_id, 'TOKEN_REUSED', v_user_id, p_ip_address, p_user_agent, p_request_id, p_now_us);
    END IF;
    COMMIT;
    SELECT 'reused' AS outcome;
END
