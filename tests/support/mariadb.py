"""A private MariaDB in a folder of its own; never the system's."""
import dataclasses
import getpass
import os
import pathlib
import shutil
import signal
import subprocess
import urllib.parse

from . import ports
from .process import Process

USER = "otpgate"
PASSWORD = "for-tests-only"
# What the user may do: everything with the databases of the tests, nothing else.
GRANTS = "".join(
    f"CREATE USER IF NOT EXISTS '{USER}'@'{host}' IDENTIFIED BY '{PASSWORD}';"
    f"GRANT ALL ON `otpgate\\_%`.* TO '{USER}'@'{host}';"
    for host in ("localhost", "%")
)


@dataclasses.dataclass(frozen=True)
class MysqlAddress:
    """Where a MySQL or MariaDB answers, and as whom."""

    port: int
    socket: str
    user: str = USER
    password: str = PASSWORD

    @classmethod
    def from_environment(cls):
        """The server that tests/run started, or None."""
        url = os.environ.get("OTPGATE_TEST_MYSQL_URL")
        if not url:
            return None
        parts = urllib.parse.urlsplit(url)
        return cls(
            parts.port,
            urllib.parse.parse_qs(parts.query)["socket"][0],
            parts.username,
            os.environ["OTPGATE_TEST_MYSQL_PASSWORD"],
        )

    def url(self, database):
        return f"mysql://{self.user}@127.0.0.1:{self.port}/{database}?socket={self.socket}"

    def tcp_url(self, database):
        return f"mysql://{self.user}@127.0.0.1:{self.port}/{database}"

    def sql(self, statements, database=None):
        """Runs statements and returns the rows, as lists of text."""
        return _client(self.socket, self.user, statements, database, self.password)

    def recreate(self, database):
        self.sql(f"DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database} CHARACTER SET utf8mb4")

    def drop(self, database):
        self.sql(f"DROP DATABASE IF EXISTS {database}")


def _client(socket, user, statements, database=None, password=""):
    done = subprocess.run(
        ["mariadb", "--no-defaults", f"--socket={socket}", f"--user={user}", "--batch", "--skip-column-names"]
        + ([database] if database else []),
        input=statements,
        env={**os.environ, "MYSQL_PWD": password},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{statements[:200]}: {done.stderr.strip()}")
    return [line.split("\t") for line in done.stdout.splitlines()]


class Server:
    """What may happen to one that runs as self.process."""

    def stop(self):
        self.process.stop(60)

    def kill(self):
        self.process.kill()

    def pause(self):
        """Connections are still accepted by the kernel, and nothing is answered."""
        self.process.signal(signal.SIGSTOP)

    def resume(self):
        self.process.signal(signal.SIGCONT)


class Mariadb(Server):
    """start(), stop(), kill(), pause() and resume() as often as wanted: the data stays. The address does not change."""

    # Set up once and copied, because the set-up takes seconds and outage tests want servers of their own. The variable
    # says where the set-up is to all processes of a run.
    _TEMPLATE = "OTPGATE_TEST_MARIADB_TEMPLATE"

    def __init__(self, folder, *, flush_log_at_commit=0, options=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket = str(self.folder / "mysql.sock")
        self.port = ports.free_port()
        self.address = MysqlAddress(self.port, self.socket)
        # Who may look into the server's own books.
        self.root = MysqlAddress(self.port, self.socket, "root", "")
        self.process = Process(
            "mariadbd",
            [
                "mariadbd",
                "--no-defaults",
                f"--user={getpass.getuser()}",
                f"--datadir={self.folder}/data",
                f"--socket={self.socket}",
                f"--pid-file={self.folder}/mariadb.pid",
                # Its own: a server that starts removes what others have there.
                f"--tmpdir={self.folder}",
                "--bind-address=127.0.0.1",
                f"--port={self.port}",
                "--skip-name-resolve",
                "--performance-schema=OFF",
                "--innodb-buffer-pool-size=64M",
                "--innodb-log-file-size=32M",
                "--max-connections=500",
                f"--innodb-flush-log-at-trx-commit={flush_log_at_commit}",
                *options,
            ],
            self.folder / "mariadb.log",
        )

    def _set_up(self):
        data = self.folder / "data"
        if data.exists():
            return
        template = os.environ.get(Mariadb._TEMPLATE)
        if template and os.path.exists(template):
            shutil.copytree(template, data)
            return
        self._install(data)
        shutil.copytree(data, self.folder / "template")
        os.environ[Mariadb._TEMPLATE] = str(self.folder / "template")

    @staticmethod
    def _install(data):
        done = subprocess.run(
            [
                "mariadb-install-db",
                "--no-defaults",
                f"--user={getpass.getuser()}",
                f"--datadir={data}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
                # Otherwise it insists on looking up this machine's name, which need not be in any hosts file.
                "--force",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"mariadb-install-db: {done.stdout}{done.stderr}")

    def start(self):
        self._set_up()
        self.process.start()
        ports.wait_until(self._answers, 60, "MariaDB answers")
        return self

    def _answers(self):
        self.process.require_running()
        try:
            _client(self.socket, "root", GRANTS)
            return True
        except RuntimeError:
            return False
