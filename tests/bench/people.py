"""What administrators ask, of a service with many users and ten times as many events: how long each question takes, and what
those who log in meanwhile notice of it."""
import http.client
import itertools
import json
import statistics
import threading
import time
import urllib.parse
import uuid

import old_rows
from measure import Failed, measure

TARGET_MS = 100
P99_TARGET = 1.1  # of logins while administrators ask, beside those while nobody does
_LOGIN_CONNECTIONS = 8
_QUESTIONS_A_SECOND = 10  # a support desk of some: each screen is two or three of them
_EVENTS_A_USER = 10
_DEAD_LETTERS_OF_USERS = 20  # one in so many
_REPEATS = 20
_HOUR = 3600
_KINDS_OF_EVENTS = 20
_ADMIN = "/api/v1/admin"


def _fill_counts(service):
    """As if the housekeeper had counted a year, so that it has nothing to do meanwhile but the hour that runs."""
    hour = int(time.time()) // _HOUR
    for table, unit, periods in (("hourly_counts", "hour", 365 * 24), ("daily_counts", "day", 365)):
        now = hour - 1 if unit == "hour" else hour // 24
        rows = [(now - period, "" if kind == 0 else f"EVENT_{kind}", 1 + (period * kind) % 1000)
                for period in range(periods) for kind in range(_KINDS_OF_EVENTS + 1)]
        service.tables.insert(table, (unit, "event", "times"), rows)


def _fill_outbox(service, users):
    now = int(time.time() * 1_000_000)
    rows = []
    for number in range(users // _DEAD_LETTERS_OF_USERS):
        made = now - (number + 1) * 1_000_000
        key = uuid.UUID(int=((made // 1000) << 80) | (7 << 76) | (2 << 62) | number).bytes
        rows.append((key, key, "email", "login", f"dead{number}@old.example.com", "", "old", 1, "550 5.1.1 no such user",
                     made, made + 600_000_000, 9_223_372_036_854_775_807, "code", made, 0))
    columns = ("id", "otp_id", "channel", "purpose", "destination", "locale", "request_id", "attempts", "last_error",
               "created_at_us", "expires_at_us", "available_at_us", "kind", "dead_at_us", "leased")
    service.tables.insert("outbox", columns, rows)


def _fill_events_sqlite(service, users):
    """The same as old_rows makes, which has to call Python for each function that SQLite lacks: too often here."""
    span = 360 * 24 * _HOUR * 1_000_000
    begin = int(time.time() * 1_000_000) - span
    connection = service.tables.connect()
    people = connection.execute("SELECT id, email FROM users ORDER BY id").fetchall()
    count = len(people) * _EVENTS_A_USER
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

    def rows():
        step = span // (count + 2)
        for number in range(count):
            made = begin + number * step
            key = ((made // 1000) << 80 | 7 << 76 | 2 << 62 | number).to_bytes(16, "big")
            user, email = people[number % users]
            yield (key, "OTP_VERIFIED" if number % 1000 else "LOGIN_FAILED", user, email, f"10.{number % 250}.0.1", agent,
                   f"old{number}", made)

    # Made at once they take a tenth of the time.
    indexes = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'audit_events'"
                                 " AND sql IS NOT NULL").fetchall()
    connection.execute("PRAGMA cache_size = -500000")
    with connection:
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.executemany("INSERT INTO audit_events (id, event, user_id, destination, ip_address, user_agent,"
                               " request_id, created_at_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows())
        for _, sql in indexes:
            connection.execute(sql)
    connection.close()


def fill(servers, service, users):
    begin = time.monotonic()
    now = int(time.time() * 1000)
    old_rows.fill(servers, service, users, ("users", "devices", "sessions"), now=now)
    if servers.mariadb:
        old_rows.fill(servers, service, users * _EVENTS_A_USER, ("audit_events",), users=users, now=now)
    else:
        _fill_events_sqlite(service, users)
    _fill_counts(service)
    _fill_outbox(service, users)
    old_rows.settle(servers)
    return time.monotonic() - begin


class _Administrator:
    def __init__(self, service, key):
        self._connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
        address = "admin@example.com"
        self._token = None
        for _ in range(2):  # the first makes the account
            asked = self.ask("POST", "/api/v1/auth/otp/request", {"destination": address})[1]
            guess = {"otp_id": asked["otp_id"], "otp": key.code(uuid.UUID(asked["otp_id"]))}
            tokens = self.ask("POST", "/api/v1/auth/otp/verify", guess)[1]
            done = service.otpgate.run("user", "make-admin", address)
            if done.returncode != 0:
                raise Failed(done.stderr)
        self._token = tokens["access"]

    def ask(self, method, path, body=None):
        """(milliseconds, what the answer says)"""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        begin = time.monotonic()
        self._connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        took = (time.monotonic() - begin) * 1000
        if answer.status >= 300:
            raise Failed(f"{method} {path}: {answer.status} {text[:300]}")
        return took, json.loads(text) if text else None


def _questions(admin, users):
    """(name, method, path) with a {} for each of some users, of whom as many are shown as there are repeats."""
    page = admin.ask("GET", f"{_ADMIN}/users?limit=200")[1]
    some = [user for user in page["users"] if user["email"].endswith("@old.example.com")][:_REPEATS]
    middle = admin.ask("GET", f"{_ADMIN}/users?search=8&limit=200")[1]
    cursor = middle["next_cursor"]
    some += [user for user in middle["users"]][:_REPEATS]
    quoted = urllib.parse.quote
    ids = [user["id"] for user in some]
    emails = [user["email"] for user in some]
    yield "users, the newest", "GET", [f"{_ADMIN}/users"]
    yield "users by a whole address", "GET", [f"{_ADMIN}/users?search={quoted(each)}" for each in emails]
    yield "users by four characters", "GET", [f"{_ADMIN}/users?search={quoted(each[:4])}" for each in emails]
    yield "users by one character, the second page", "GET", [f"{_ADMIN}/users?search=8&cursor={cursor}"]
    yield "users by an id", "GET", [f"{_ADMIN}/users?search={each[:13]}" for each in ids]
    yield "one user", "GET", [f"{_ADMIN}/users/{each}" for each in ids]
    yield "one user's export", "GET", [f"{_ADMIN}/users/{each}/export" for each in ids]
    yield "events, the newest", "GET", [f"{_ADMIN}/events"]
    yield "events of a user", "GET", [f"{_ADMIN}/events?user={each}" for each in ids]
    yield "events about an address", "GET", [f"{_ADMIN}/events?destination={quoted(each)}" for each in emails]
    yield "events of a rare kind", "GET", [f"{_ADMIN}/events?event=LOGIN_FAILED"]
    yield "events of a kind that there is none of", "GET", [f"{_ADMIN}/events?event=USER_DELETED"]
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 100 * 24 * _HOUR))
    yield "events of a day", "GET", [f"{_ADMIN}/events?from_date={day}&to_date={day}&event=LOGIN_FAILED"]
    yield "messages", "GET", [f"{_ADMIN}/messages"]
    yield "dead letters", "GET", [f"{_ADMIN}/messages?state=dead"]
    yield "statistics of a year by day", "GET", [f"{_ADMIN}/statistics?from_date=" + time.strftime(
        "%Y-%m-%d", time.gmtime(time.time() - 364 * 24 * _HOUR))]
    yield "statistics of a month by hour", "GET", [f"{_ADMIN}/statistics?by=hour&from_date=" + time.strftime(
        "%Y-%m-%d", time.gmtime(time.time() - 30 * 24 * _HOUR))]
    yield "health", "GET", [f"{_ADMIN}/health"]
    yield "disable", "POST", [f"{_ADMIN}/users/{each}/disable" for each in ids]
    yield "enable", "POST", [f"{_ADMIN}/users/{each}/enable" for each in ids]
    yield "end all sessions", "DELETE", [f"{_ADMIN}/users/{each}/sessions" for each in ids]
    yield "clear the limits", "DELETE", [f"{_ADMIN}/users/{each}/limits" for each in ids]
    yield "delete", "DELETE", [f"{_ADMIN}/users/{each}" for each in ids]


class _Desk:
    """Administrators who ask one question after another, in a thread of their own, while `with` lasts."""

    def __init__(self, admin, paths):
        self._admin, self._paths = admin, itertools.cycle(paths)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._failure = None
        self.asked = 0

    def _ask(self):
        try:
            while not self._over.wait(1 / _QUESTIONS_A_SECOND):
                self._admin.ask("GET", next(self._paths))
                self.asked += 1
        except (Failed, OSError) as failure:
            self._failure = failure

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        if self._failure:
            raise self._failure


def _logins_beside(servers, admin, paths, login, rounds, seconds):
    """p99 of whole logins in milliseconds: [(while nobody asks, while administrators do)]"""
    pairs = []
    for number in range(rounds):
        found = {}
        # Whichever came first in the last round comes second in this one.
        for is_asked in (False, True) if number % 2 == 0 else (True, False):
            run = 2 * number + is_asked + 1
            at_most = login.at_most(_LOGIN_CONNECTIONS, seconds)
            if is_asked:
                with _Desk(admin, paths):
                    result = measure(servers, login, _LOGIN_CONNECTIONS, seconds, run, at_most)
            else:
                result = measure(servers, login, _LOGIN_CONNECTIONS, seconds, run, at_most)
            found[is_asked] = result["p99_us"] / 1000
            print(".", end="", flush=True)
        pairs.append((found[False], found[True]))
    print()
    return pairs


def measure_people(servers, key, users, login, rounds, seconds):
    """A line for each question: the median and the longest of some; and what _logins_beside() says."""
    service = servers.services[0]
    service.stop()
    filled_in = fill(servers, service, users)
    print(f"{users} users, {users * _EVENTS_A_USER} events: filled in {filled_in:.0f} s", flush=True)
    service.start_with_mail()
    admin = _Administrator(service, key)
    lines = []
    questions = list(_questions(admin, users))
    asked = [paths[number % len(paths)] for number in range(_REPEATS) for _, method, paths in questions if method == "GET"]
    pairs = _logins_beside(servers, admin, asked, login, rounds, seconds)
    for name, method, paths in questions:
        times = [admin.ask(method, paths[number % len(paths)])[0]
                 for number in range(max(_REPEATS, len(paths)) if method == "GET" else len(paths))]
        lines.append({"question": name, "median_ms": statistics.median(times), "most_ms": max(times),
                      "first_ms": times[0], "users": users})
        print(".", end="", flush=True)
    print()
    return lines, pairs


def print_people(lines, pairs):
    print(f"\n{'':45}{'median':>10}{'longest':>10}{'first':>10}  ms")
    for line in lines:
        mark = "" if line["most_ms"] < TARGET_MS else f"  more than {TARGET_MS}"
        print(f"{line['question']:45}{line['median_ms']:10.1f}{line['most_ms']:10.1f}{line['first_ms']:10.1f}{mark}")
    ratio = statistics.median(asked / alone for alone, asked in pairs)
    print(f"\np99 of whole logins at {_LOGIN_CONNECTIONS} connections while {_QUESTIONS_A_SECOND} questions a second are asked, beside"
          f" that while none are: {ratio:.2f} ({'met' if ratio <= P99_TARGET else 'NOT MET'}: {P99_TARGET}), median of {len(pairs)}: "
          + ", ".join(f"{alone:.1f} and {asked:.1f} ms" for alone, asked in pairs))
