"""What is measured, on this machine alone: nginx, otpgate, its database, and the echo behind the same nginx."""
import collections
import http.client
import json
import os
import sqlite3
import time

from support import ports
from support.mariadb import Mariadb
from support.nginx import ROOT, Nginx
from support.otpgate import BINARY, Otpgate
from support.process import Process

DATABASE = "otpgate_bench"

# The echo's server differs from otpgate's in the upstream alone.
_SITES = """\
    access_log off;
    upstream otpgate {{ server "unix:{otpgate_socket}"; }}
    upstream echo {{ server "unix:{echo_socket}"; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        server_name localhost;
        root "{www}";
        include snippets/otpgate_locations.conf;
    }}
    server {{
        listen 127.0.0.1:{echo_port} backlog=4096;
        server_name localhost;
        root "{www}";
        include "{echo_locations}";
    }}
"""


class MysqlTables:
    """The database as the benchmark sees it: counts rows and writes many."""

    def __init__(self, address):
        self._address = address

    def scalar(self, query):
        return int(self._address.sql(query, DATABASE)[0][0])

    def insert(self, table, columns, rows):
        def literal(value):
            if isinstance(value, bytes):
                return f"x'{value.hex()}'"
            return str(value) if isinstance(value, int) else f"'{value}'"

        for first in range(0, len(rows), 2000):
            values = ",".join("(" + ",".join(map(literal, row)) + ")" for row in rows[first:first + 2000])
            self._address.sql(f"INSERT INTO {table} ({', '.join(columns)}) VALUES {values}", DATABASE)


class SqliteTables:
    def __init__(self, path):
        self._path = path

    def _connect(self):
        return sqlite3.connect(self._path, timeout=30)

    def scalar(self, query):
        connection = self._connect()
        try:
            return connection.execute(query).fetchone()[0]
        finally:
            connection.close()

    def insert(self, table, columns, rows):
        marks = ", ".join("?" * len(columns))
        connection = self._connect()
        try:
            with connection:
                connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
        finally:
            connection.close()


class Servers:
    """Use as a context manager."""

    def __init__(self, folder, engine):
        self.folder = folder
        self.engine = engine
        otpgate_socket = folder / "otpgate.sock"
        echo_socket = folder / "echo.sock"
        self.echo_port = ports.free_port()
        self.port = ports.free_port()
        self.mariadb = None
        settings = {
            "environment": "production",
            "server.listen": f"unix:{otpgate_socket}",
            "server.trusted_proxies": "127.0.0.1",
            "server.public_url": f"http://localhost:{self.port}",
            "log.level": "info",
            "mail.transport": "null",
        }
        if engine == "mysql":
            self.mariadb = Mariadb(
                folder / "mariadb",
                flush_log_at_commit=1,
                options=("--innodb-buffer-pool-size=1G", "--innodb-log-file-size=512M", "--skip-log-bin"),
            )
            address = self.mariadb.address
            settings["database.url"] = address.url(DATABASE)
            settings["database.password"] = address.password
            self.tables = MysqlTables(address)
        else:
            settings["database.url"] = f"sqlite:{folder}/otpgate.db"
            self.tables = SqliteTables(folder / "otpgate.db")
        self.otpgate = Otpgate(folder, settings)
        self.master_key_file = folder / "master.key"
        self.echo = Process("bench-echo", [BINARY.parent / "bench-echo", echo_socket], folder / "echo.log")
        locations = folder / "echo_locations.conf"
        self.nginx = Nginx(
            folder / "nginx",
            otpgate_socket,
            port=self.port,
            inside=_SITES.format(
                otpgate_socket=otpgate_socket,
                echo_socket=echo_socket,
                port=self.port,
                echo_port=self.echo_port,
                www=ROOT / "www",
                echo_locations=locations,
            ),
        )
        shipped = ROOT / "etc/nginx"
        fastcgi = folder / "echo_fastcgi.conf"
        fastcgi.write_text(
            (shipped / "otpgate_fastcgi.conf").read_text().replace("fastcgi_pass otpgate;", "fastcgi_pass echo;")
        )
        locations.write_text(
            (shipped / "otpgate_locations.conf")
            .read_text()
            .replace("include snippets/otpgate_fastcgi.conf;", f'include "{fastcgi}";')
        )

    def __enter__(self):
        try:
            if self.mariadb:
                self.mariadb.start()
                self.mariadb.address.recreate(DATABASE)
            self.otpgate.prepare()
            self.echo.start()
            self.nginx.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        # Each is told to stop, whatever becomes of the others.
        for stop in (self.nginx.stop, self.otpgate.stop, self.echo.stop, self.mariadb.stop if self.mariadb else None):
            try:
                if stop:
                    stop()
            except RuntimeError as error:
                print(error)

    def pids(self):
        """The processes whose CPU time counts, by name."""
        master = self.nginx.process.pid
        with open(f"/proc/{master}/task/{master}/children", encoding="ascii") as children:
            workers = [int(pid) for pid in children.read().split()]
        return {
            "nginx": workers,
            "otpgate": [self.otpgate.process.pid],
            "echo": [self.echo.pid],
            **({"mariadbd": [self.mariadb.process.pid]} if self.mariadb else {}),
        }

    def start_otpgate(self):
        """Starts it and returns after how many milliseconds it said so, and answered 200 to /health/ready."""
        log = self.folder / "otpgate.log"
        already = log.stat().st_size if log.exists() else 0
        said = answered = None
        begin = time.monotonic()
        self.otpgate.process.start()
        while said is None or answered is None:
            self.otpgate.process.require_running()
            if said is None and log.exists() and b" ready " in log.read_bytes()[already:]:
                said = time.monotonic() - begin
            if answered is None and self.call("GET", "/health/ready")[0] == 200:
                answered = time.monotonic() - begin
            if time.monotonic() - begin > 20:
                raise RuntimeError("otpgate is not ready within 20 s")
            time.sleep(0.0005)
        return said * 1000, answered * 1000

    def call(self, method, path, body=None, port=None):
        """One request: status, bytes of headers, and the JSON of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=10)
        headers = {"Content-Type": "application/json", "X-Forwarded-For": "192.0.2.1"}
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        size = sum(len(name) + len(value) + 4 for name, value in answer.getheaders())
        is_json = "json" in answer.headers.get("Content-Type", "")
        return answer.status, size, json.loads(text) if is_json else None

    def complaints(self):
        """What otpgate's log says about answers that were errors, each kind once, with its number."""
        kinds = collections.Counter()
        for line in self.otpgate.log().splitlines():
            if " info request " not in line:
                if " info " not in line:
                    kinds[line.partition(" ")[2]] += 1
            elif " code=" in line:
                status = line.partition(" status=")[2].split()[0]
                kinds[f"answered {status}: code={line.partition(' code=')[2]}"] += 1
        return "\n".join(f"{count} x {kind}" for kind, count in kinds.most_common(10))

    def peak_memory_bytes(self):
        with open(f"/proc/{self.otpgate.process.pid}/status", encoding="ascii") as status:
            line = next(line for line in status if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024


_TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids):
    """User and system time of processes, with all their threads."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            # The name of the program, in parentheses, may hold spaces.
            fields = stat.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICK


def machine_busy_seconds():
    """CPU time of everything on this machine, since its start."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICK
