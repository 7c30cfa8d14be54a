"""What a service that has run for long has in its tables: codes, sessions, audit events, devices, users and limits, as many
of each as wanted, made by the database itself. Old ones lie within what is retained, so that the cleaner leaves them; those
beyond are what it is there for. Limits end in the future, because a limit that has ended is cleaned at any age."""
import concurrent.futures
import functools
import time
import zlib

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS

# Table: (how old at most what is kept is, how old what is not kept is, columns). In the expressions {id} is a UUIDv7 of
# the row's time, {us} its time, {owner} the place of its user, {user} that user's id, {random} 16 bytes unlike those before.
_ADDRESS = "LOWER(CONCAT(HEX(CRC32({owner})), '.', {owner}, '@old.example.com'))"
_AGENT = "'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'"
_CLIENT = "CONCAT('10.', seq % 250, '.', seq % 241, '.', seq % 239)"
_TABLES = {
    "users": (700 * _DAY_MS, None, {
        "id": "{user}", "username": _ADDRESS, "email": _ADDRESS, "email_verified": "1", "joined_at_us": "{us}",
        "last_login_at_us": "{us}"}),
    "devices": (170 * _DAY_MS, 200 * _DAY_MS, {
        "id": "{id}", "user_id": "{user}", "platform": "'web'", "device_name": "'Firefox on Linux'",
        "created_at_us": "{us}", "last_seen_at_us": "{us}"}),
    "sessions": (29 * _DAY_MS, 40 * _DAY_MS, {
        "id": "{id}", "user_id": "{user}", "created_at_us": "{us}", "last_seen_at_us": "{us}",
        "expires_at_us": "{us} + 604800000000", "authenticated_at_us": "{us}", "ip_address": _CLIENT, "user_agent": _AGENT,
        "platform": "'web'", "device_name": "'Firefox on Linux'"}),
    "otp_requests": (22 * _HOUR_MS, 3 * _DAY_MS, {
        "id": "{id}", "destination": _ADDRESS, "channel": "'email'", "purpose": "'login'", "guess_bucket": "{random}",
        "created_at_us": "{us}", "expires_at_us": "{us} + 600000000", "max_attempts": "3",
        "consumed_at_us": "{us} + 30000000"}),
    "audit_events": (360 * _DAY_MS, 400 * _DAY_MS, {
        "id": "{id}", "event": "CASE seq % 1000 WHEN 0 THEN 'LOGIN_FAILED' ELSE 'OTP_VERIFIED' END", "user_id": "{user}", "destination": _ADDRESS, "ip_address": _CLIENT,
        "user_agent": _AGENT, "request_id": "CONCAT('old', seq)", "created_at_us": "{us}"}),
    "rate_limits": (0, None, {
        "bucket": "{random}", "expires_at_us": "{now_us} + 14400000000 + seq % 20000 * 3600000",
        "hits": "UNHEX(CONCAT('000', HEX({now_us} - 3600000000 - seq % 1000)))"}),
}
CLEANED = tuple(table for table, (_, beyond, _) in _TABLES.items() if beyond)

_UUID_LOW = 0x7000_8000_0000_0000  # version and variant; 32 random bits lie in the middle of the rest
_RANDOM = "UNHEX(CONCAT(LPAD(HEX(CRC32(seq)), 8, '0'), LPAD(HEX(seq), 24, '0')))"


def _uuid(milliseconds, place):
    return f"UNHEX(CONCAT('0', HEX({milliseconds}), HEX({_UUID_LOW} + CRC32({place}) * 65536), '0000'))"


def _statement(table, count, beyond, now, of):
    """(INSERT INTO ..., SELECT ... without its FROM). The rows are made in the order of their time, as they came; `of` so
    many users, one after the other."""
    oldest, too_old, columns = _TABLES[table]
    owner = "seq" if of == count else f"(1 + (seq - 1) % {of})"

    def times(age, span, place="seq", most=count):
        return f"{now - age} + {place} * {max(span // (most + 1), 1)}"

    # An hour is left, so that nothing becomes too old while it is measured.
    ms = times(too_old + _HOUR_MS, _HOUR_MS) if beyond else times(oldest + _HOUR_MS, oldest)
    users = _TABLES["users"][0]
    values = ", ".join(
        expression.format(id=_uuid(ms, "seq"), us=f"({ms}) * 1000", owner=owner,
                          user=_uuid(times(users + _HOUR_MS, users, owner, of), owner), random=_RANDOM,
                          now_us=now * 1000)
        for expression in columns.values())
    return f"INSERT INTO {table} ({', '.join(columns)})", f"SELECT {values}"


def _fill_mysql(tables, count, beyond, now, of, table):
    insert, select = _statement(table, count, beyond, now, of)
    # Into an empty table, so asked, InnoDB sorts and writes whole pages.
    tables.sql("SET unique_checks = 0, foreign_key_checks = 0;"
               f" {insert} {select} FROM seq_1_to_{count}; ANALYZE TABLE {table}")


def _fill_sqlite(tables, count, beyond, now, of, table):
    insert, select = _statement(table, count, beyond, now, of)
    connection = tables.connect()
    try:
        for name, arguments, function in (
                ("CONCAT", -1, lambda *parts: "".join(map(str, parts))),
                ("CRC32", 1, lambda n: zlib.crc32(str(n).encode())),
                ("HEX", 1, lambda n: f"{n:X}"), ("LPAD", 3, lambda text, width, fill: text.rjust(width, fill)),
                ("UNHEX", 1, bytes.fromhex)):
            connection.create_function(name, arguments, function, deterministic=True)
        with connection:
            connection.execute(f"{insert} WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n"
                               f" WHERE seq < {count}) {select} FROM n")
    finally:
        connection.close()


def fill(servers, service, count, chosen=tuple(_TABLES), beyond=False, users=None, now=None):
    """`users`: of whom the rows are, if those are not as many, as they were filled at `now`. Returns how long it took, in
    seconds."""
    begin = time.monotonic()
    now = now or int(time.time() * 1000)  # one for all, because ids of users follow from it
    fill_one = functools.partial(_fill_mysql if servers.mariadb else _fill_sqlite, service.tables, count, beyond, now,
                                 users or count)
    # As many at a time as the machine has cores; SQLite has one writer.
    with concurrent.futures.ThreadPoolExecutor(2 if servers.mariadb else 1) as pool:
        try:
            for _ in pool.map(fill_one, chosen):
                pass
        except BaseException:
            # Whoever interrupts it would wait for all the rows, and the data is thrown away in any case.
            if servers.mariadb:
                servers.mariadb.kill()
            raise
    return time.monotonic() - begin


def settle(servers):
    """Waits until what was written is on the disk and tidied up, so that this is not measured."""
    if not servers.mariadb:
        return
    sql = servers.mariadb.root.sql
    # By itself it takes its time: 200 pages a second.
    sql("SET GLOBAL innodb_io_capacity_max = 40000; SET GLOBAL innodb_io_capacity = 20000;"
        " SET GLOBAL innodb_max_dirty_pages_pct = 0")
    end = time.monotonic() + 300
    while int(sql("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'")[0][1]) > 200 and time.monotonic() < end:
        time.sleep(0.5)
    servers.rest()
    sql("SET GLOBAL innodb_max_dirty_pages_pct = 90; SET GLOBAL innodb_io_capacity = 200;"
        " SET GLOBAL innodb_io_capacity_max = 2000")


def left_beyond(service, table, bound_ms):
    """How many rows of the table are older than the moment."""
    return service.tables.scalar(f"SELECT COUNT(*) FROM {table} WHERE id < x'{bound_ms:012x}{'0' * 20}'")
