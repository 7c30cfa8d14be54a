"""A private lighttpd around the files that are shipped in etc/lighttpd."""
import pathlib
import subprocess

from . import ports
from .process import Process

ROOT = pathlib.Path(__file__).resolve().parents[2]
WWW = ROOT / "build/www"

_SITE = """\
server.port = {port}
server.bind = "127.0.0.1"
server.document-root = "{www}"
server.pid-file = "{folder}/lighttpd.pid"
server.errorlog = "{folder}/error.log"
server.upload-dirs = ( "{folder}" )
server.modules = ( "mod_accesslog" )
server.modules += ( "mod_fastcgi", "mod_setenv", "mod_redirect" )
accesslog.filename = "{folder}/access.log"
include_shell "/usr/share/lighttpd/create-mime.conf.pl"
var.otpgate_socket = "{socket}"
var.otpgate_errors = "{root}/etc/lighttpd/errors"
include "otpgate_locations.conf"
"""


class Lighttpd:
    def __init__(self, folder, socket, *, port=None, www=WWW, inside=None):
        """`inside`: the whole configuration in place of a plain site on `port`."""
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.port = port or ports.free_port()
        self.url = f"http://localhost:{self.port}"
        (self.folder / "otpgate_locations.conf").symlink_to(ROOT / "etc/lighttpd/otpgate_locations.conf")
        self.config = self.folder / "lighttpd.conf"
        self.config.write_text(inside or _SITE.format(folder=self.folder, socket=socket, port=self.port, www=www, root=ROOT))
        self._check_command = ["/usr/sbin/lighttpd", "-tt", "-f", str(self.config)]
        self.process = Process("lighttpd", ["/usr/sbin/lighttpd", "-D", "-f", self.config], self.folder / "output.log")

    def check(self):
        """lighttpd -tt: its complaints, none when the configuration is right."""
        done = subprocess.run(self._check_command, capture_output=True, text=True, check=False)
        return [*done.stderr.splitlines(), *(["not zero"] if done.returncode else [])]

    def start(self):
        self.process.start()

        def ready():
            self.process.require_running()
            return ports.is_open(self.port)

        ports.wait_until(ready, 15, "lighttpd listens")
        return self

    def stop(self):
        self.process.stop()

    @staticmethod
    def refused(answer):
        """Whether it has answered by itself: what it cannot read, or may not take, or has nobody for. It knows no request id, and has a
        page of its own where it does not know yet whose request it is."""
        return answer.status_code in (400, 411, 413, 431, 501, 503) and "x-request-id" not in {name.lower() for name in answer.headers}

    def access_log(self):
        return (self.folder / "access.log").read_text(errors="replace")
