"""What is measured, on this machine alone: nginx, one otpgate or two builds of it in turn, its database, and the echo
behind the same nginx."""
import collections
import http.client
import json
import signal
import time

from processes import cpu_seconds, memory_bytes
from support import ports
from support.mariadb import Mariadb
from support.nginx import ROOT, Nginx
from support.otpgate import BINARY, Otpgate
from support.process import Process
from tables import MysqlTables, SqliteTables

# userstat counts rows and statements; it costs each build the same, and less than can be measured. The buffer for sorting
# is that of new indexes alone, which old rows are filled into.
_MARIADB_OPTIONS = (
    "--innodb-buffer-pool-size=1G", "--innodb-log-file-size=512M", "--skip-log-bin", "--userstat=1",
    "--innodb-sort-buffer-size=64M",
)

# The servers differ in the upstream alone.
_UPSTREAM = """\
    upstream {name} {{ server "unix:{socket}"; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        server_name localhost;
        root "{www}";
        include "{locations}";
    }}
"""


def _site(folder, name, socket, port):
    """A server {} that passes everything to the socket; its includes are the shipped ones, with the other upstream."""
    shipped = ROOT / "etc/nginx"
    fastcgi = folder / f"{name}_fastcgi.conf"
    text = (shipped / "otpgate_fastcgi.conf").read_text()
    fastcgi.write_text(text.replace("fastcgi_pass otpgate;", f"fastcgi_pass {name};"))
    locations = folder / f"{name}_locations.conf"
    text = (shipped / "otpgate_locations.conf").read_text()
    locations.write_text(text.replace("include snippets/otpgate_fastcgi.conf;", f'include "{fastcgi}";'))
    return _UPSTREAM.format(name=name, socket=socket, port=port, www=ROOT / "www", locations=locations)


class Service:
    """One build of otpgate, with a port of nginx and tables of its own."""

    def __init__(self, name, folder, binary, database):
        """`database`: (its settings, its tables)"""
        self.name = name
        self.folder = folder
        self.port = ports.free_port()
        self.smtp_port = ports.free_port()
        settings, self.tables = database
        settings = {
            "environment": "production",
            "server.listen": f"unix:{folder}/otpgate.sock",
            "server.trusted_proxies": "127.0.0.1",
            "server.public_url": f"http://localhost:{self.port}",
            "log.level": "info",
            "metrics.allowed_addresses": "192.0.2.1",  # as call() says it is
            "mail.transport": "null",
            **settings,
        }
        self.otpgate = Otpgate(folder, settings, binary=binary)
        self._settings = self.otpgate.settings
        self.socket = self.otpgate.socket
        self.master_key_file = folder / "master.key"

    def pid(self):
        return self.otpgate.process.pid

    def start(self, **changes):
        """Starts it, anew where it runs, with settings that differ (mail__transport="smtp"). Returns after how many
        milliseconds it said that it is ready, and answered 200 to /health/ready."""
        self.stop()
        changes = {name.replace("__", ".", 1): value for name, value in changes.items()}
        self.otpgate.settings = {**self._settings, **changes}
        self.otpgate.write_config()
        log = self.otpgate.process.log
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

    def start_with_mail(self, **changes):
        """With mails by SMTP, to the sink of the load generator."""
        return self.start(mail__transport="smtp", mail__smtp_host="127.0.0.1", mail__smtp_port=self.smtp_port, **changes)

    def stop(self):
        self.otpgate.stop()

    def call(self, method, path, body=None, port=None):
        """One request: status, bytes of headers, and the answer: what its JSON holds, or its text."""
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
        return answer.status, size, json.loads(text) if is_json else text.decode()

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

    def memory_bytes(self):
        return memory_bytes(self.pid(), "VmRSS")

    def peak_memory_bytes(self):
        return memory_bytes(self.pid(), "VmHWM")


class Servers:
    """Use as a context manager. The schemas are there then, and no otpgate runs."""

    def __init__(self, folder, engine, baseline=None):
        """`baseline`: the binary of the other build."""
        self.folder = folder
        self.engine = engine
        self.mariadb = None
        if engine == "mysql":
            self.mariadb = Mariadb(folder / "mariadb", flush_log_at_commit=1, options=_MARIADB_OPTIONS)
        builds = {"otpgate": BINARY, **({"baseline": baseline} if baseline else {})}
        self.services = [
            Service(name, folder / name, binary, self._database(name)) for name, binary in builds.items()
        ]
        self.echo_port = ports.free_port()
        echo_socket = folder / "echo.sock"
        self.echo = Process("bench-echo", [BINARY.parent / "bench-echo", echo_socket], folder / "echo.log")
        sites = [_site(folder, service.name, service.socket, service.port) for service in self.services]
        sites.append(_site(folder, "echo", echo_socket, self.echo_port))
        self.nginx = Nginx(folder / "nginx", self.services[0].socket, port=self.services[0].port,
                           inside="    access_log off;\n" + "".join(sites))

    def _database(self, name):
        if not self.mariadb:
            path = self.folder / f"{name}.db"
            return {"database.url": f"sqlite:{path}"}, SqliteTables(path)
        address, database = self.mariadb.address, f"otpgate_bench_{name}"
        settings = {"database.url": address.url(database), "database.password": address.password}
        return settings, MysqlTables(self.mariadb.root, database)

    def __enter__(self):
        try:
            if self.mariadb:
                self.mariadb.start()
                for service in self.services:
                    self.mariadb.address.recreate(f"otpgate_bench_{service.name}")
            for service in self.services:
                service.otpgate.prepare()
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
        stops = [self.nginx.stop, *(service.stop for service in self.services), self.echo.stop]
        for stop in stops + ([self.mariadb.stop] if self.mariadb else []):
            try:
                stop()
            except RuntimeError as error:
                print(error)

    def give_way_to(self, chosen):
        """The other build rests: not even its housekeeper disturbs."""
        for service in self.services:
            if service.otpgate.process.is_running():
                service.otpgate.process.signal(signal.SIGCONT if service is chosen else signal.SIGSTOP)

    def rest(self, most=120):
        """Until nobody has anything to do: a cleaner looks through all limits when otpgate starts."""
        pids = [process.pid for process in (*(service.otpgate.process for service in self.services),
                                            *([self.mariadb.process] if self.mariadb else [])) if process.is_running()]
        end = time.monotonic() + most
        is_busy = True
        while is_busy and time.monotonic() < end:
            before = cpu_seconds(pids)
            time.sleep(1)
            is_busy = cpu_seconds(pids) - before > 0.1

    def pids(self, service):
        """The processes whose CPU time counts, by name."""
        master = self.nginx.process.pid
        with open(f"/proc/{master}/task/{master}/children", encoding="ascii") as children:
            workers = [int(pid) for pid in children.read().split()]
        return {
            "nginx": workers,
            "otpgate": [service.pid()],
            "echo": [self.echo.pid],
            **({"mariadbd": [self.mariadb.process.pid]} if self.mariadb else {}),
        }
