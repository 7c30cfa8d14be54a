"""An installation on a Galera cluster: one otpgate a node, each with its own node first, and nginx before all of them."""
import email
import json
import pathlib
import shutil

import requests

from . import fastcgi, ports
from .mailbox import Mailbox
from .nginx import WWW, Nginx
from .otpgate import Otpgate

_SETTINGS = {
    "server.trusted_proxies": "127.0.0.1",
    "limits.request_per_client": "0",
    "limits.guesses_per_destination": "0",
    "metrics.allowed_addresses": "127.0.0.1",
    # Of what collides, all has to come to its end however busy this machine is; who loses a node is found out sooner.
    "database.answer_timeout": "5s",
}

_ALL = """\
    upstream otpgate {{ {servers} }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        server_name localhost;
        root "{www}";
        include snippets/otpgate_locations.conf;
    }}
"""


class Answer:
    """Of an otpgate that was asked directly, over FastCGI."""

    def __init__(self, raw):
        head, _, body = raw.partition(b"\r\n\r\n")
        message = email.message_from_bytes(head)
        self.status_code = int(message.get("Status", "200").split()[0])
        self.headers = message
        self.text = body.decode()

    def json(self):
        return json.loads(self.text)


class GaleraSite:
    """Use start() and stop(). `at` of a request: the number of the otpgate, or None for whichever nginx chooses."""

    def __init__(self, folder, cluster, database, *, several_hosts=True, **settings):
        self.folder = pathlib.Path(folder)
        self.cluster = cluster
        self.database = database
        self.settings = {**_SETTINGS, **settings}
        self.several_hosts = several_hosts
        self.mailbox = Mailbox(self.folder / "mail")
        self.processes = []
        self.web = None

    def _url(self, number):
        node = self.cluster.nodes[number]
        return self.cluster.url(self.database, number) if self.several_hosts else node.address.tcp_url(self.database)

    def start(self):
        self.cluster.recreate(self.database)
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o755)
        port = ports.free_port()
        for number, node in enumerate(self.cluster.nodes):
            self.processes.append(Otpgate(self.folder / f"otpgate{number}", {
                "server.socket_mode": "0666",
                "server.public_url": f"http://localhost:{port}",
                "keys.master_file": self.folder / "master.key",
                "mail.directory": self.mailbox.directory,
                "database.url": self._url(number),
                "database.password": node.address.password,
                **self.settings,
            }))
        self.processes[0].prepare()
        for process in self.processes:
            process.start()
        servers = " ".join(f'server "unix:{process.socket}" max_fails=0;' for process in self.processes)
        inside = _ALL.format(servers=servers, port=port, www=WWW)
        self.web = Nginx(self.folder / "nginx", None, port=port, inside=inside)
        self.web.start()
        return self

    def stop(self):
        if self.web:
            self.web.stop()
        for process in self.processes:
            process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def request(self, method, path, *, at=None, body=None, token=None, client_ip="192.0.2.1", timeout=20,
                agent="tests"):
        variables = {"HTTP_X_FORWARDED_FOR": client_ip, "HTTP_USER_AGENT": agent}
        if token:
            variables["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        if at is None:
            headers = {name[5:].replace("_", "-"): value for name, value in variables.items()}
            return requests.request(method, self.web.url + path, json=body, headers=headers, timeout=timeout)
        content = json.dumps(body).encode() if body is not None else b""
        raw = fastcgi.exchange(self.processes[at].socket, fastcgi.request(method, path, content, **variables), timeout)
        if raw is None:
            raise ConnectionError(f"otpgate {at} gave no answer")
        return Answer(raw)

    def post(self, path, body=None, **options):
        return self.request("POST", path, body=body, **options)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def sql(self, statement):
        return self.cluster.sql(statement, self.database)

