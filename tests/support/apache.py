"""A private Apache around the files that are shipped in etc/apache."""
import getpass
import pathlib
import re
import shlex
import shutil
import subprocess

from . import ports
from .process import Process

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = pathlib.Path("/usr/lib/apache2/modules")

# What Debian's apache2 has enabled from the start as far as it matters here, and what the shipped file asks for.
_LOADED = ("mpm_event authn_core authz_core alias dir mime setenvif reqtimeout socache_shmcb ssl "
           "proxy proxy_fcgi headers unique_id").split()

_FRAME = """\
ServerRoot "{folder}"
DefaultRuntimeDir "{folder}"
Mutex file:{folder}
PidFile "{folder}/apache.pid"
ErrorLog "{folder}/error.log"
LogFormat "%a \\"%r\\" %>s %{{UNIQUE_ID}}e" tests
CustomLog "{folder}/access.log" tests
{user}
{modules}
# As Debian's mpm_event.conf.
StartServers 2
MinSpareThreads 25
MaxSpareThreads 75
ThreadLimit 64
ThreadsPerChild 25
MaxRequestWorkers 150
MaxConnectionsPerChild 0
TypesConfig /etc/mime.types
ServerName localhost
{inside}
"""

_SITE = """\
{threads}
Define OTPGATE_SOCKET {socket}
Define OTPGATE_WWW {www}
Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
    ServerName localhost
    Include otpgate_locations.conf
</VirtualHost>
"""


_SPAWNING_SITE = """\
LoadModule fcgid_module {modules}/mod_fcgid.so
FcgidIPCDir {folder}
FcgidProcessTableFile {folder}/table
{threads}
Define OTPGATE_FCGI {script}
Define OTPGATE_WWW {www}
Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
    ServerName localhost
    Include otpgate_locations.conf
</VirtualHost>
"""


def fcgi_script(folder, binary, config, env=()):
    """The shipped otpgate.fcgi in `folder`, for this binary and these settings. `env`: [(name, value)]"""
    text, count = re.subn(r"^exec /usr/local/bin/otpgate serve$", f"exec {binary} serve --config {config}",
                          (ROOT / "etc/apache/otpgate.fcgi").read_text(), flags=re.MULTILINE)
    assert count == 1
    said = "".join(f"export {name}={shlex.quote(str(value))}\n" for name, value in env)
    script = folder / "otpgate.fcgi"
    script.write_text(text.replace("export ", f"{said}export ", 1))
    script.chmod(0o755)
    return script


def shipped_threads():
    """What the site file says of them, for all of Apache."""
    text = (ROOT / "etc/apache/otpgate.conf").read_text()
    return re.search(r"^<IfModule mpm_event_module>$.*?^</IfModule>$", text, re.MULTILINE | re.DOTALL).group()


class Apache:
    def __init__(self, folder, socket, *, port=None, inside=None):
        """`inside`: what stands in place of a plain site on `port`. The socket must be open to the user www-data."""
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.port = port or ports.free_port()
        self.url = f"http://localhost:{self.port}"
        as_root = getpass.getuser() == "root"
        # Apache refuses to serve as root, and another user may not be allowed to read the checkout.
        self.www = self.folder / "www"
        shutil.copytree(ROOT / "build/www", self.www)
        if as_root:
            self.folder.chmod(0o755)
        for file in (ROOT / "etc/apache").glob("otpgate_*"):
            (self.folder / file.name).symlink_to(file)
        self.config = self.folder / "apache.conf"
        self.config.write_text(
            _FRAME.format(
                folder=self.folder,
                user="User www-data\nGroup www-data" if as_root else "",
                modules="\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in _LOADED),
                inside=inside or _SITE.format(threads=shipped_threads(), socket=socket, www=self.www, port=self.port),
            )
        )
        arguments = ["-d", self.folder, "-f", self.config]
        self._check_command = ["/usr/sbin/apache2", "-t", *map(str, arguments)]
        self.process = Process("apache2", ["/usr/sbin/apache2", "-D", "FOREGROUND", *arguments], self.folder / "output.log")

    @classmethod
    def spawning(cls, folder, binary, config, env=()):
        """With mod_fcgid, which starts this otpgate."""
        folder, port = pathlib.Path(folder), ports.free_port()
        own = folder.parent / "fcgi"
        own.mkdir()
        apache = cls(folder, None, port=port, inside=_SPAWNING_SITE.format(
            modules=MODULES, folder=folder, threads=shipped_threads(), script=fcgi_script(own, binary, config, env), www=folder / "www", port=port))
        if getpass.getuser() == "root":
            shutil.chown(folder, "www-data", "www-data")
        return apache

    def check(self):
        """apache2 -t: its complaints, none when the configuration is right."""
        done = subprocess.run(self._check_command, capture_output=True, text=True, check=False)
        return [line for line in done.stderr.splitlines() if line != "Syntax OK"]

    def start(self):
        self.process.start()

        def ready():
            self.process.require_running()
            return ports.is_open(self.port)

        ports.wait_until(ready, 15, "Apache listens")
        return self

    def stop(self):
        self.process.stop()

    def access_log(self):
        return (self.folder / "access.log").read_text(errors="replace")
