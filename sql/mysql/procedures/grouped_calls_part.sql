-- Cuts the calls of a group apart, for the procedures that take them: into grouped_calls_4, a table of this connection alone, with
-- NULL where there is no call. p_width: bytes of a call, as the caller takes it apart.
CREATE PROCEDURE grouped_calls_part(IN p_calls LONGBLOB, IN p_width BIGINT)
BEGIN
    IF LENGTH(p_calls) MOD p_width <> 0 OR LENGTH(p_calls) > 32 * p_width THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'grouped calls are not what this version of the procedure takes';
    END IF;
    -- Whoever changes a column changes the name too: a connection may have the older table.
    CREATE TEMPORARY TABLE IF NOT EXISTS grouped_calls_4 (n BIGINT NOT NULL PRIMARY KEY, packed VARBINARY(1200) NULL)
        ENGINE=MEMORY
        SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL
        SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9 UNION ALL SELECT 10 UNION ALL SELECT 11 UNION ALL
        SELECT 12 UNION ALL SELECT 13 UNION ALL SELECT 14 UNION ALL SELECT 15 UNION ALL SELECT 16 UNION ALL SELECT 17 UNION ALL
        SELECT 18 UNION ALL SELECT 19 UNION ALL SELECT 20 UNION ALL SELECT 21 UNION ALL SELECT 22 UNION ALL SELECT 23 UNION ALL
        SELECT 24 UNION ALL SELECT 25 UNION ALL SELECT 26 UNION ALL SELECT 27 UNION ALL SELECT 28 UNION ALL SELECT 29 UNION ALL
        SELECT 30 UNION ALL SELECT 31;
    -- A statement that names a variable of the procedure is written anew with its value each time; not so with one of the session.
    -- It is copied whole at each reading, so it is read for the calls that there are.
    SET @otp_calls = p_calls, @otp_width = p_width, @otp_count = LENGTH(p_calls) DIV p_width;
    UPDATE grouped_calls_4 SET packed = IF(n < @otp_count, SUBSTRING(@otp_calls, n * @otp_width + 1, @otp_width), NULL);
END
