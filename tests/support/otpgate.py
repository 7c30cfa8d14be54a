"""The service itself: its settings file, its subcommands, its process."""
import contextlib
import getpass
import os
import pathlib
import shutil
import signal
import subprocess

from . import ports
from .process import Process

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("OTPGATE_TEST_BIN", ROOT / "build/bin/release")) / "otpgate"


def settings_text(settings):
    """{"environment": "development", "otp.length": 6} as a settings file."""
    sections = {}
    for key, value in settings.items():
        section, _, name = key.rpartition(".")
        sections.setdefault(section, []).append(f"{name} = {value}")
    lines = sections.pop("", [])
    for section, entries in sections.items():
        lines += ["", f"[{section}]", *entries]
    return "\n".join(lines) + "\n"


def environment(extra=None):
    """Ours without OTPGATE_*: that would be settings. `extra` is added."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTPGATE_")}
    return {**kept, **(extra or {})}


class Program:
    """start(), stop() and kill() as often as wanted, of self.process, which says that it is ready."""

    def start(self):
        already = len(self.process.log_text())
        self.process.start()

        def ready():
            self.process.require_running()
            return "ready" in self.process.log_text()[already:]

        ports.wait_until(ready, 20, f"{self.process.name} is ready")
        return self

    def stop(self):
        return self.process.stop()

    def kill(self):
        """As a crash: SIGKILL, nothing is cleaned up."""
        self.process.kill()

    def log(self):
        return self.process.log_text()


class Otpgate(Program):
    # Who runs the subcommands: a command to put before them.
    as_user = ()

    def __init__(self, folder, settings, env=None, binary=BINARY):
        """`binary`: another build than the one under test, to compare with."""
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.binary = binary
        self.socket = self.folder / "otpgate.sock"
        self.config = self.folder / "otpgate.conf"
        self.settings = {
            "environment": "development",
            "server.listen": f"unix:{self.socket}",
            "keys.master_file": self.folder / "master.key",
            "database.url": f"sqlite:{self.folder}/otpgate.db",
            "mail.transport": "file",
            "mail.directory": self.folder / "mail",
            **settings,
        }
        self.env = environment(env)
        self.process = Process("otpgate", [binary, "serve", "--config", self.config], self.folder / "otpgate.log", self.env)
        self.write_config()

    def write_config(self):
        self.config.write_text(settings_text(self.settings))

    def run(self, *arguments, timeout=60, shown=""):
        """A subcommand to its end, with our settings; `shown` is its standard input."""
        return subprocess.run(
            [*self.as_user, self.binary, *arguments, "--config", self.config],
            input=shown,
            capture_output=True,
            text=True,
            env=self.env,
            timeout=timeout,
            check=False,
        )

    def prepare(self):
        """The master key and the schema."""
        for arguments in (["keys", "init", "--if-missing"], ["migrate"]):
            done = self.run(*arguments)
            if done.returncode != 0:
                raise RuntimeError(f"otpgate {' '.join(arguments)}: exit {done.returncode}: {done.stderr}{done.stdout}")
        return self

    def take_key_of(self, other):
        """Its master key, for whoever our files belong to."""
        key = shutil.copy(other.folder / "master.key", self.folder / "master.key")
        owner = self.folder.stat()
        os.chown(key, owner.st_uid, owner.st_gid)

    def deliverer(self, name="deliver", env=None):
        """`otpgate deliver` with our settings, as a process of its own."""
        return Deliverer(self, name, env)

    def restart(self):
        self.stop()
        return self.start()

    def reload(self, expected="settings read anew"):
        """SIGHUP, with the settings as they stand in the file; what is logged until `expected` is."""
        already = len(self.process.log_text())
        self.process.signal(signal.SIGHUP)
        ports.wait_until(lambda: expected in self.process.log_text()[already:], 30, expected)
        return self.process.log_text()[already:]

    def rss_bytes(self):
        return self.process.rss_bytes()


class SpawnedOtpgate(Otpgate):
    """Apache's mod_fcgid starts the processes when it needs them, as its own user; what we start is `otpgate deliver` beside them.
    `server_log` is where they write."""

    def __init__(self, folder, settings, env, server_log):
        super().__init__(folder, settings, env)
        self.server_log = pathlib.Path(server_log)
        if getpass.getuser() == "root":
            self.as_user = ("setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups")
            shutil.chown(self.folder, "www-data", "www-data")
        self.process = Process("otpgate deliver", [*self.as_user, self.binary, "deliver", "--config", self.config],
                               self.folder / "otpgate.log", self.env)

    def pids(self):
        found = subprocess.run(["pgrep", "-f", f"{self.binary} serve --config {self.config}"], capture_output=True, text=True, check=False)
        return [int(pid) for pid in found.stdout.split()]

    def stop(self):
        self.end_served(signal.SIGTERM)
        return super().stop()

    def kill(self):
        self.end_served(signal.SIGKILL)
        super().kill()

    def reload(self, expected="settings read anew"):
        self.end_served(signal.SIGTERM)  # the next ones read them
        return super().reload(expected)

    def log(self):
        served = self.server_log.read_text(errors="replace") if self.server_log.exists() else ""
        return self.process.log_text() + served

    def end_served(self, number):
        """Sends this signal to those that Apache has started, and waits for their end."""
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        ports.wait_until(lambda: not self.pids(), 30, "the processes that Apache started have ended")


class Deliverer(Program):

    def __init__(self, otpgate, name, env=None):
        self.process = Process(
            f"otpgate {name}", [otpgate.binary, "deliver", "--config", otpgate.config], otpgate.folder / f"{name}.log",
            {**otpgate.env, **(env or {})},
        )
