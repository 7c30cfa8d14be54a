"""A whole installation: web server, otpgate, database, mailbox."""
import contextlib
import itertools
import os
import pathlib
import sqlite3

import requests

from . import first_state, openapi, ports
from .apache import Apache
from .lighttpd import Lighttpd
from .mailbox import Mailbox
from .nginx import Nginx
from .otpgate import BINARY, Otpgate, SpawnedOtpgate
from .sms_folder import SmsFolder

_numbers = itertools.count(1)

WEB_SERVERS = {"nginx": Nginx, "apache": Apache, "lighttpd": Lighttpd}
FCGID = "mod_fcgid"  # Apache, which starts otpgate
# Where a test does not care: `tests/run e2e --behind NAME`.
USUAL = os.environ.get("OTPGATE_TEST_WEB", "nginx")
# For tests that put another web server before it, or a process beside it: what mod_fcgid starts has no socket of its own.
WITH_SOCKET = "nginx" if USUAL == FCGID else USUAL


class Site:
    """Use as a context manager, or start() and stop(). `mysql` is the MysqlAddress to make a database at, for engine mysql.

    `settings` are settings by their dotted names and win over what the site chooses itself.
    """

    def __init__(self, folder, *, engine="sqlite", web=USUAL, mysql=None, settings=None, env=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        # Apache answers as www-data, who must reach the socket.
        self.folder.chmod(0o755)
        self.engine = engine
        self.mysql = mysql
        self.database = None
        # The web server is what knows its port, and public_url needs it.
        socket = self.folder / "otpgate.sock"
        if web == FCGID:
            self.web = Apache.spawning(self.folder / "apache", BINARY, self.folder / "otpgate.conf", (env or {}).items())
        else:
            self.web = WEB_SERVERS[web](self.folder / web, socket)
        self.url = self.web.url
        chosen = {
            "server.listen": f"unix:{socket}",
            "server.socket_mode": "0666",
            "server.public_url": self.url,
            "mail.directory": self.folder / "mail",
            "sms.directory": self.folder / "sms",
        }
        if engine == "mysql":
            self.database = f"otpgate_e2e_{os.getpid()}_{next(_numbers)}"
            chosen["database.url"] = mysql.url(self.database)
            chosen["database.password"] = mysql.password
        chosen.update(settings or {})
        if web == FCGID:
            self.otpgate = SpawnedOtpgate(self.folder, chosen, env, self.web.folder / "error.log")
        else:
            self.otpgate = Otpgate(self.folder, chosen, env)
        self.settings = self.otpgate.settings
        self.mailbox = Mailbox(self.settings["mail.directory"])
        self.phones = SmsFolder(self.settings["sms.directory"])  # with sms.transport = file

    def start(self):
        try:
            if self.database:
                self.mysql.recreate(self.database)
            first_state.give(self.otpgate, self.mysql, self.database)
            self.otpgate.start()
            self.web.start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        """Stops what runs. otpgate must have survived and must stop with exit code 0, unless the test ended it."""
        self.web.stop()
        self.otpgate.stop()
        if self.database:
            try:
                self.mysql.drop(self.database)
            except RuntimeError:
                pass  # the test has ended its MariaDB

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    def request(self, method, path, *, json=None, data=None, headers=None, token=None, client_ip=None, timeout=15,
                documented=True):
        """One request through the web server; never an exception for its status.

        The answer is held to the API's document, unless `documented` is False: for what is sent to no route of ours.
        """
        headers = dict(headers or {})
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if client_ip is not None:
            headers["X-Forwarded-For"] = client_ip
        with requests.Session() as session:
            session.trust_env = False  # which looks for a proxy and a .netrc at each request
            answer = session.request(
                method, self.url + path, json=json, data=data, headers=headers, timeout=timeout, allow_redirects=False
            )
        if documented and not self.refused_by_lighttpd(answer):
            openapi.check(method, path, answer)
        return answer

    def wait_until_reached(self):
        """After a start of otpgate: lighttpd leaves out for a second whom it found closed."""
        ports.wait_until(lambda: self.get("/health/live").status_code == 200, 5, "the web server reaches otpgate again")

    def refused_by_lighttpd(self, answer):
        return isinstance(self.web, Lighttpd) and self.web.refused(answer)

    def post(self, path, json=None, **options):
        return self.request("POST", path, json=json, **options)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def sql(self, statement):
        """The rows of a statement, as lists of text: what no route shows."""
        if self.engine == "mysql":
            return self.mysql.sql(statement, self.database)
        with contextlib.closing(sqlite3.connect(self.folder / "otpgate.db", timeout=10)) as connection, connection:
            return [[str(value) for value in row] for row in connection.execute(statement)]

    def request_code(self, address, **options):
        """Asks for a login code: (otp_id, code as it was mailed)."""
        answer = self.post("/api/v1/auth/otp/request", {"destination": address}, **options)
        assert answer.status_code == 202, answer.text
        return answer.json()["otp_id"], self.mailbox.wait_for(address)

    def verify(self, otp_id, code, *, client_ip=None, **fields):
        return self.post("/api/v1/auth/otp/verify", {"otp_id": otp_id, "otp": code, **fields}, client_ip=client_ip)

    def login(self, address, **fields):
        """A whole login: the body of its 200."""
        answer = self.verify(*self.request_code(address), **fields)
        assert answer.status_code == 200, answer.text
        return answer.json()
