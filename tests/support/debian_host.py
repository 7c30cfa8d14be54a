"""A Debian host in a folder: its packages are real, and in place of systemd, which does not run in a chroot, this module does
what its units say and what systemctl asks for. Of a unit are read: ListenStream and the rights of a socket, ExecStart, User,
WatchdogSec and StateDirectory of a service, whether it notifies, and what it requires; of tmpfiles.d the folders. Nothing is
confined as the units say.
"""
import configparser
import contextlib
import ctypes
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

from .process import Process

_CLONE_NEWNET = 0x40000000
_CLONE_NEWNS = 0x00020000

# Asks us and waits for the answer: the exit code. Queries of the package system's scripts are answered at once.
_SYSTEMCTL = """\
#!/bin/sh
action= units=
for word; do
    case $word in
        *.service|*.socket) units="$units $word" ;;
        -*|*.target) ;;
        *) [ -n "$action" ] && units="$units $word.service" || action=$word ;;
    esac
done
case $action in
    is-enabled) echo enabled; exit 0 ;;
    daemon-reload|unmask) exit 0 ;;
esac
[ -n "$units" ] || exit 0
question=$(mktemp -u /run/stand-in/XXXXXXXX)
echo "$action$units" >"$question.part"
mv "$question.part" "$question.asked"
while [ ! -e "$question.answer" ]; do sleep 0.05; done
exit "$(cat "$question.answer")"
"""

# nginx's and Apache's units let them go into the background; here they stay.
_IN_FRONT = {
    "/usr/sbin/nginx -g 'daemon on; master_process on;'": "/usr/sbin/nginx -g 'daemon off; master_process on;'",
    "/usr/sbin/apachectl start":
        "/bin/sh -c '. /etc/apache2/envvars && install -d $APACHE_RUN_DIR $APACHE_LOCK_DIR && exec /usr/sbin/apache2 -D FOREGROUND'",
}

_BIND = """\
import os, socket, sys
os.chroot(sys.argv[1])
socket.socket(fileno=int(sys.argv[2])).bind(sys.argv[3])
"""


def leave_the_network():
    """From here on this process and its children have a loopback of their own, where all ports are free, and mounts that nobody
    else sees."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET | _CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def fetched(cache, packages, say):
    """The folder of a Debian 12 with these packages in it, of which nothing was started; fetched once into the cache."""
    system = cache / "system"
    host = DebianHost(system)
    complete = cache / "complete"
    if not complete.exists():
        mirror = subprocess.run(
            ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"],
            capture_output=True, text=True, check=True).stdout.split()[0]
        say(f"fetching Debian 12 and the programs from {mirror}, once")
        shutil.rmtree(system, ignore_errors=True)
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run(["debootstrap", "--variant=minbase", "bookworm", str(system), mirror], check=True, stdout=subprocess.DEVNULL)
        (system / "etc/dpkg/dpkg.cfg.d/quick").write_text("force-unsafe-io\n")
        policy = system / "usr/sbin/policy-rc.d"  # nothing is started by its package
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    # Again where the list has become longer.
    if not complete.exists() or complete.read_text() != " ".join(packages):
        shutil.copy("/etc/resolv.conf", system / "etc/resolv.conf")
        host.run("apt-get", "-qq", "update")
        host.run("apt-get", "-qq", "--yes", "--no-install-recommends", "install", *packages, timeout=3600)
        complete.write_text(" ".join(packages))
    return system


class DebianHost:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.logs = self.root / "var/log/stand-in"
        self._units = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._answer_systemctl)

    def run(self, *command, check=True, timeout=600, env=None):
        """In the host; its output."""
        done = subprocess.run(
            ["chroot", str(self.root), *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=timeout, check=False,
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                 "DEBIAN_FRONTEND": "noninteractive", "TERM": "dumb", **(env or {})},
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}:\n{done.stdout[-4000:]}")
        return done.stdout

    def shell(self, line, **options):
        return self.run("/bin/sh", "-c", line, **options)

    def start(self):
        (self.root / "run/systemd/system").mkdir(parents=True, exist_ok=True)
        (self.root / "run/stand-in").mkdir(exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        systemctl = self.root / "usr/bin/systemctl"  # where apt and dpkg look
        systemctl.write_text(_SYSTEMCTL)
        systemctl.chmod(0o755)
        # There is no /dev/log, and scripts of packages pipe into it.
        (self.root / "usr/bin/logger").write_text("#!/bin/sh\ncat >>/var/log/stand-in/logger\n")
        for path in ("proc", "dev"):
            subprocess.run(["mount", "--rbind", f"/{path}", str(self.root / path)], check=True)
        self._thread.start()
        return self

    def stop(self):
        for name in list(self._units):
            with contextlib.suppress(RuntimeError):
                self._units[name].stop()
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join()
        # Whoever removes the folder afterwards must not find this machine's devices in it.
        for path in ("proc", "dev"):
            if os.path.ismount(self.root / path):
                subprocess.run(["umount", "--lazy", "--recursive", str(self.root / path)], check=True)

    def unit(self, name):
        if name not in self._units:
            for folder in ("etc/systemd/system", "lib/systemd/system"):
                file = self.root / folder / name
                if file.exists() and not file.is_symlink():
                    self._units[name] = (_Socket if name.endswith(".socket") else _Service)(self, name, _read_unit(file))
                    break
            else:
                raise RuntimeError(f"there is no unit {name}")
        return self._units[name]

    def is_enabled(self, name):
        return any((folder / name).is_symlink() for folder in (self.root / "etc/systemd/system").glob("*.wants"))

    def make_folders(self):
        """Those of tmpfiles.d whose owners the host knows, and that are not there."""
        for file in sorted((self.root / "usr/lib/tmpfiles.d").glob("*.conf")):
            for path, mode, user, group in re.findall(r"^d +(/run/\S+) +(\d+) +(\S+) +(\S+)", file.read_text(), re.MULTILINE):
                folder = self.root / path.lstrip("/")
                with contextlib.suppress(RuntimeError):
                    owner = self.id_of("passwd", user), self.id_of("group", group)
                    if not folder.exists():
                        folder.mkdir(parents=True)
                        folder.chmod(int(mode, 8))
                        os.chown(folder, *owner)

    def id_of(self, kind, name):
        """The number of a user ("passwd") or a group of the host."""
        for line in (self.root / "etc" / kind).read_text().splitlines():
            fields = line.split(":")
            if fields[0] == name:
                return int(fields[2])
        raise RuntimeError(f"there is no {name} in {kind}")

    def _answer_systemctl(self):
        while not self._is_over.is_set():
            for asked in sorted((self.root / "run/stand-in").glob("*.asked")):
                action, *units = asked.read_text().split()
                asked.unlink()
                code = 0
                for name in units:
                    try:
                        code |= self.unit(name).do(action)
                    except Exception as error:  # whoever asked is told, as systemctl would
                        (self.logs / "complaints").open("a").write(f"{action} {name}: {error!r}\n")
                        code = 5
                asked.with_suffix(".answer").write_text(f"{code}\n")
            time.sleep(0.02)


def _read_unit(file):
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
    parser.optionxform = str
    parser.read_string(file.read_text())
    return {section: dict(parser.items(section)) for section in parser.sections()}


class _Unit:
    def __init__(self, host, name, text):
        self.host = host
        self.name = name
        self.text = text

    def do(self, action):
        if action == "is-active":
            return 0 if self.is_active() else 3
        getattr(self, action.replace("-", "_"))()
        return 0

    def preset(self):
        """Debian's preset enables whatever a package asks to be enabled."""
        for target in self.text["Install"].get("WantedBy", "").split():
            link = self.host.root / f"etc/systemd/system/{target}.wants" / self.name
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.is_symlink():
                link.symlink_to(f"/lib/systemd/system/{self.name}")

    def disable(self):
        for link in (self.host.root / "etc/systemd/system").glob(f"*.wants/{self.name}"):
            link.unlink()

    def restart(self):
        self.stop()
        self.start()

    def try_restart(self):
        if self.is_active():
            self.restart()


class _Socket(_Unit):
    listener = None

    def is_active(self):
        return self.listener is not None

    def start(self):
        if self.is_active():
            return
        options = self.text["Socket"]
        path = self.host.root / options["ListenStream"].lstrip("/")
        path.parent.mkdir(mode=0o755, exist_ok=True)
        path.unlink(missing_ok=True)
        # Inside, because the path that it was bound to is what the service knows it by.
        self.listener = socket.socket(socket.AF_UNIX)
        descriptor = self.listener.fileno()
        subprocess.run([sys.executable, "-c", _BIND, str(self.host.root), str(descriptor), options["ListenStream"]],
                       check=True, pass_fds=(descriptor,))
        os.chown(path, self.host.id_of("passwd", options["SocketUser"]), self.host.id_of("group", options["SocketGroup"]))
        path.chmod(int(options["SocketMode"], 8))
        self.listener.listen(int(options["Backlog"]))

    def stop(self):
        if self.is_active():
            self.listener.close()
            self.listener = None
            (self.host.root / self.text["Socket"]["ListenStream"].lstrip("/")).unlink(missing_ok=True)


class _Service(_Unit):
    process = None

    def is_active(self):
        return self.process is not None and self.process.is_running()

    def start(self):
        if self.is_active():
            return
        host, service = self.host, self.text["Service"]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
        descriptors = ()
        for required in self.text["Unit"].get("Requires", "").split():
            host.unit(required).start()
            descriptors = (host.unit(required).listener.fileno(),)
        user = service.get("User", "root")
        if state := service.get("StateDirectory"):
            folder = host.root / "var/lib" / state
            folder.mkdir(mode=0o700, exist_ok=True)
            os.chown(folder, host.id_of("passwd", user), host.id_of("group", service["Group"]))
        heard = None
        if service.get("Type") == "notify":
            heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            notify = host.root / "run/systemd/notify"
            notify.unlink(missing_ok=True)
            heard.bind(str(notify))
            notify.chmod(0o666)
            heard.settimeout(0.1)
            environment["NOTIFY_SOCKET"] = "/run/systemd/notify"
            if "WatchdogSec" in service:
                environment["WATCHDOG_USEC"] = f"{int(service['WatchdogSec'])}000000"
        host.make_folders()
        start = service["ExecStart"].lstrip("-")
        start = _IN_FRONT.get(start, start)
        opened = f"LISTEN_FDS=1 LISTEN_PID=$$ exec {start} 3<&{descriptors[0]}" if descriptors else f"exec {start}"
        variables = [f"{name}={value}" for name, value in environment.items()]
        host.logs.mkdir(parents=True, exist_ok=True)
        command = ["chroot", f"--userspec={user}", host.root, "/usr/bin/env", "-i", *variables, "/bin/bash", "-c", opened]
        self.process = Process(self.name, command, host.logs / f"{self.name}.log", pass_fds=descriptors)
        self.process.start()
        end = time.monotonic() + 30
        said = b""
        while heard and b"READY=1" not in said:
            self.process.require_running()
            if time.monotonic() > end:
                raise RuntimeError(f"{self.name} is not ready within 30 s")
            with contextlib.suppress(TimeoutError):
                said = heard.recv(4096)
        if heard:
            heard.close()

    def stop(self):
        if self.process is not None:
            self.process.stop(40)

    def reload(self):
        self.process.signal(1)


def fresh_copy(base, root):
    shutil.rmtree(root, ignore_errors=True)
    # What debootstrap or a test that was killed has left mounted in it is not part of it.
    subprocess.run(["cp", "-a", "--one-file-system", str(base), str(root)], check=True)
