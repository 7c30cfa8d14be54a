"""A private Galera cluster of MariaDB nodes on loopback, in a folder of its own; never the system's."""
import getpass
import pathlib
import re
import shutil
import signal
import subprocess

from . import ports
from .mariadb import GRANTS, Mariadb, MysqlAddress, Server, _client
from .process import Process

# An rsync that root starts as a server gives its rights away and then cannot read what it is to copy.
OWNER = "mysql" if getpass.getuser() == "root" else getpass.getuser()
PROVIDER = "/usr/lib/galera/libgalera_smm.so"
# Shorter than the defaults (5 s and more), so that the cluster's own freeze does not make up most of a test; etc/doc/galera.md
# says the defaults. A node that falls silent is suspected after 1 s and thrown out after 2 s.
EVS = ("evs.keepalive_period=PT0.2S;evs.suspect_timeout=PT1S;evs.inactive_check_period=PT0.2S;"
       "evs.inactive_timeout=PT2S;evs.install_timeout=PT2S")


class Node(Server):
    """start(), stop(), kill(), pause() and resume() as often as wanted: the data stays, and so do the ports."""

    def __init__(self, folder, number, group_port, members):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.number = number
        self.socket = str(self.folder / "mysql.sock")
        self.port = ports.free_port()
        self.group_port = group_port
        self.members = members
        self.address = MysqlAddress(self.port, self.socket)
        self.root = MysqlAddress(self.port, self.socket, "root", "")
        self.process = Process(f"node {number}", [], self.folder / "mariadb.log")

    def _command(self, first):
        peers = "" if first else ",".join(f"127.0.0.1:{port}" for port in self.members)
        options = (f"gmcast.listen_addr=tcp://127.0.0.1:{self.group_port};ist.recv_addr=127.0.0.1:{ports.free_port()};"
                   f"gcache.size=64M;pc.recovery=FALSE;{EVS}")
        return [
            "mariadbd", "--no-defaults", f"--user={OWNER}", f"--datadir={self.folder}/data",
            f"--socket={self.socket}", f"--pid-file={self.folder}/mariadb.pid", f"--tmpdir={self.folder}",
            "--bind-address=127.0.0.1",
            f"--port={self.port}", "--skip-name-resolve", "--performance-schema=OFF", "--innodb-buffer-pool-size=64M",
            "--innodb-log-file-size=32M", "--max-connections=500", "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2",
            # The other nodes hold what a node that dies has not written yet.
            "--innodb-flush-log-at-trx-commit=0",
            "--wsrep-on=ON", f"--wsrep-provider={PROVIDER}", f"--wsrep-cluster-address=gcomm://{peers}",
            "--wsrep-cluster-name=otpgate-tests", f"--wsrep-node-name=node{self.number}",
            f"--wsrep-node-address=127.0.0.1:{self.group_port}", "--wsrep-sst-method=rsync",
            f"--wsrep-sst-receive-address=127.0.0.1:{ports.free_port()}", "--wsrep-slave-threads=2",
            f"--wsrep-provider-options={options}",
        ]

    def start(self, *, first=False, wait=True):
        self.process.command = self._command(first)
        if not first and (self.folder / "data/grastate.dat").exists():
            self.process.command += self._position()
        for path in (self.folder, *self.folder.rglob("*")):
            shutil.chown(path, OWNER)
        self.process.start()
        if wait:
            self.wait()
        return self

    def _position(self):
        """Where a node stopped that was killed, as Debian's service asks before it starts one: so it is given what it missed,
        and not everything."""
        done = subprocess.run([*self._command(False), "--wsrep-recover"], capture_output=True, text=True, check=False,
                              timeout=60)
        found = re.findall(r"Recovered position: (\S+)", done.stderr + done.stdout)
        return [f"--wsrep-start-position={found[-1]}"] if found else []

    def wait(self, timeout=90):
        ports.wait_until(self.is_synced, timeout, f"node {self.number} is synced", interval=0.1)

    def is_synced(self):
        self.process.require_running()
        try:
            return self.root.sql("SHOW STATUS LIKE 'wsrep_local_state_comment'") == [["wsrep_local_state_comment", "Synced"]]
        except RuntimeError:
            return False

    def status(self, name):
        return int(self.root.sql(f"SHOW STATUS LIKE '{name}'")[0][1])

    def desync(self):
        """It takes connections and answers every statement with an error, as a node does that has lost the others."""
        self.root.sql("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'")
        ports.wait_until(lambda: self.root.sql("SHOW STATUS LIKE 'wsrep_ready'")[0][1] == "OFF", 20, "the node is alone")

    def sync(self):
        self.root.sql("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'")


class Galera:
    """Three nodes. Use as a context manager."""

    def __init__(self, folder, nodes=3):
        self.folder = pathlib.Path(folder)
        group_ports = [ports.free_port() for _ in range(nodes)]
        self.nodes = [Node(self.folder / f"node{n}", n, group_ports[n], group_ports) for n in range(nodes)]

    def start(self):
        self.folder.chmod(0o755)
        Mariadb._install(self.nodes[0].folder / "data")
        for node in self.nodes[1:]:
            shutil.copytree(self.nodes[0].folder / "data", node.folder / "data")
        self.nodes[0].start(first=True)
        _client(self.nodes[0].socket, "root", GRANTS)
        for node in self.nodes[1:]:
            node.start()
        return self

    def stop(self):
        for node in reversed(self.nodes):
            if node.process.is_running():
                node.process.signal(signal.SIGCONT)
                node.process.kill()

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    def heal(self):
        """All nodes up and in step."""
        for node in self.nodes:
            if node.process.is_running():
                node.process.signal(signal.SIGCONT)
        if not any(node.process.is_running() for node in self.nodes):
            raise RuntimeError("no node is left")
        for node in self.nodes:
            if not node.process.is_running():
                node.start()
            node.wait()

    def restart(self, number):
        """An orderly restart of one node, till it is in step with the others."""
        self.nodes[number].stop()
        self.nodes[number].start()

    def url(self, database, first=0):
        """All nodes, beginning with `first`."""
        user = self.nodes[0].address.user
        hosts = [f"127.0.0.1:{node.port}" for node in self.nodes[first:] + self.nodes[:first]]
        return f"mysql://{user}@{','.join(hosts)}/{database}"

    def recreate(self, database):
        self.nodes[0].address.recreate(database)

    def sql(self, statement, database=None):
        """Over the first node that is in step."""
        for node in self.nodes:
            if node.process.is_running() and node.is_synced():
                return node.address.sql("SET SESSION wsrep_sync_wait = 15; " + statement, database)
        raise RuntimeError("no node is in step")
