"""What is measured: kinds of requests, by wrk, and the whole login, by bench-login. Each prepares its rows, names the
command that makes the load, and says by which count in the database its work shows."""
import os
import pathlib
import random
import time
import uuid

from master_key import guess_bucket
from support.otpgate import BINARY

_SCRIPTS = pathlib.Path(__file__).parent / "wrk"
_USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
_KNOWN_USERS = 20000
_HOUR_US = 3_600_000_000


def _now_us():
    return time.time_ns() // 1000


def uuid7():
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    return uuid.UUID(int=value & ~(0xF << 76 | 3 << 62) | 7 << 76 | 2 << 62)


def _add_users(tables, destinations):
    """Who has signed in before."""
    now = _now_us()
    users = [(uuid7().bytes, name, name, 1, now, now) for name in destinations]
    tables.insert("users", ("id", "username", "email", "email_verified", "joined_at_us", "last_login_at_us"), users)
    return [user[0] for user in users]


def _settle_outbox(tables):
    begin = time.monotonic()
    left = unsent = tables.scalar("SELECT COUNT(*) FROM outbox WHERE dead_at_us IS NULL")
    while left > 0 and time.monotonic() - begin < 20:
        time.sleep(0.05)
        left = tables.scalar("SELECT COUNT(*) FROM outbox WHERE dead_at_us IS NULL")
    return {"unsent_at_end": unsent, "unsent_in_the_end": left, "drain_seconds": time.monotonic() - begin}


class Workload:
    path = ""
    script = ""
    client = ""  # address of all requests; else each has one of its own
    counter = "SELECT 0"  # grows by one with each request that did its work; {begin} is an id older than all of ours

    def __init__(self, service, key, begin):
        self.service = service
        self.tables = service.tables
        self.key = key
        self.file = service.folder / "input"
        self._begin = begin

    def port(self):
        return self.service.port

    def worked(self):
        # Without what is older: to count ten million rows takes longer than to measure.
        return self.tables.scalar(self.counter.format(begin=f"x'{self._begin.hex}'"))

    def prepare(self, run, connections, at_most):
        """Whatever `at_most` requests need."""

    def command(self, run, connections, seconds):
        """What prints one line "RESULT {...}", and where it is started."""
        return [
            "wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s", "--timeout", "5s",
            "--script", self.script, f"http://127.0.0.1:{self.port()}", "--", str(run), str(self.file), self.client,
        ], _SCRIPTS

    def settle(self):
        """Waits for work that the requests have left behind; what they cost includes it."""
        return {}


class Echo(Workload):
    name = "echo"
    path = "/api/v1/auth/otp/request"
    script = "request.lua"

    def __init__(self, port, *arguments):
        super().__init__(*arguments)
        self._port = port

    def port(self):
        return self._port


class OtpRequest(Workload):
    name = "otp/request"
    path = "/api/v1/auth/otp/request"
    script = "request.lua"
    counter = "SELECT COUNT(*) FROM otp_requests WHERE id > {begin}"

    def settle(self):
        return _settle_outbox(self.tables)


class VerifyNew(Workload):
    """The first login of an address: the user is created."""

    name = "otp/verify new"
    path = "/api/v1/auth/otp/verify"
    script = "verify.lua"
    counter = "SELECT COUNT(*) FROM sessions WHERE id > {begin}"

    def logins(self, run, count):
        """(address, what the browser keeps of its last login, or nothing)"""
        return [(f"v{random.getrandbits(24):06x}.{run}.{i}@example.com", "") for i in range(count)]

    def prepare(self, run, connections, at_most):
        now = _now_us()
        columns = ("id", "destination", "channel", "purpose", "guess_bucket", "created_at_us", "expires_at_us",
                   "max_attempts")
        rows = []
        with open(self.file, "w", encoding="ascii") as file:
            for destination, device_token in self.logins(run, at_most):
                otp_id = uuid7()
                rows.append(
                    (otp_id.bytes, destination, "email", "login", guess_bucket(destination), now, now + _HOUR_US, 3)
                )
                file.write(f"{otp_id} {self.key.code(otp_id)} {device_token}\n")
        self.tables.insert("otp_requests", columns, rows)


class VerifyKnown(VerifyNew):
    """A later login by a browser that has signed in to the account before: it presents its device token."""

    name = "otp/verify known"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._logins = []

    def logins(self, run, count):
        if not self._logins:
            self._logins = self.add_logins([f"k{random.getrandbits(24):06x}.{i}@example.com" for i in range(_KNOWN_USERS)])
        # Each as seldom as can be: two logins of one user at a time would wait for each other.
        return [self._logins[i % _KNOWN_USERS] for i in range(count)]

    def add_logins(self, addresses):
        now = _now_us()
        devices = [(uuid7(), user) for user in _add_users(self.tables, addresses)]
        columns = ("id", "user_id", "created_at_us", "last_seen_at_us")
        self.tables.insert("devices", columns, [(device.bytes, user, now, now) for device, user in devices])
        return [(address, self.key.device_token(device)) for address, (device, _) in zip(addresses, devices)]


class VerifyElsewhere(VerifyKnown):
    """A later login by a browser that the account does not know: a device is added, and the owner is told by mail."""

    name = "verify elsewhere"

    def add_logins(self, addresses):
        _add_users(self.tables, addresses)
        return [(address, "") for address in addresses]

    def settle(self):
        return _settle_outbox(self.tables)


class Refresh(Workload):
    """A session for each connection, and its rotation."""

    name = "token/refresh"
    path = "/api/v1/auth/token/refresh"
    script = "refresh.lua"
    counter = "SELECT COALESCE(SUM(refresh_counter), 0) FROM sessions WHERE id > {begin}"

    def prepare(self, run, connections, at_most):
        now = _now_us()
        users = _add_users(self.tables, [f"r{run}.{i}@example.com" for i in range(connections + 1)])
        columns = ("id", "user_id", "created_at_us", "last_seen_at_us", "expires_at_us", "authenticated_at_us",
                   "ip_address", "user_agent")
        rows = []
        with open(self.file, "w", encoding="ascii") as file:
            for i, user in enumerate(users):
                session = uuid7()
                client = f"10.200.{i // 250}.{i % 250}"
                rows.append((session.bytes, user, now, now, now + _HOUR_US, now, client, _USER_AGENT))
                file.write(f"{client} {self.key.refresh_token(session)}\n")
        self.tables.insert("sessions", columns, rows)


class WholeLogin(VerifyKnown):
    """A code is asked for, mailed over SMTP and shown, half the time for a new address and half for a user whose browser
    has signed in before. otpgate sends to the load generator, which prints its result and takes mails on until its input
    ends."""

    name = "whole login"
    # Nobody is faster: each message rests 25 ms.
    most_per_connection = 40
    most_per_second = 1500

    def prepare(self, run, connections, at_most):
        # New ones for each run, so that nobody's limits bite.
        logins = self.add_logins([f"k{random.getrandbits(24):06x}.{run}.{i}@example.com" for i in range(at_most // 2 + 1)])
        self.file.write_text("".join(f"{address} {token}\n" for address, token in logins))

    def at_most(self, connections, seconds):
        return min(self.most_per_connection * connections, self.most_per_second) * seconds

    def command(self, run, connections, seconds):
        arguments = (self.port(), self.service.smtp_port, connections, seconds, run, self.file)
        return [str(BINARY.parent / "bench-login"), *map(str, arguments)], None

    def settle(self):
        return _settle_outbox(self.tables)


# The echo comes before every two, because what a shared machine gives changes within seconds.
ROUND = (Echo, OtpRequest, VerifyNew, Echo, VerifyKnown, VerifyElsewhere, Echo, Refresh)
