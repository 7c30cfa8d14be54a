"""A private nginx around the files that are shipped in etc/nginx."""
import getpass
import pathlib
import subprocess

from . import ports
from .process import Process

ROOT = pathlib.Path(__file__).resolve().parents[2]
WWW = ROOT / "build/www"  # what `make docs` makes of www/

_FRAME = """\
{user}
daemon off;
worker_processes 2;
pid "{folder}/nginx.pid";
error_log "{folder}/error.log" info;
events {{ worker_connections 2048; }}
http {{
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    log_format tests '$remote_addr "$request" $status $request_time $request_id';
    access_log "{folder}/access.log" tests;
    client_body_temp_path "{folder}/body";
    proxy_temp_path "{folder}/proxy";
    fastcgi_temp_path "{folder}/fastcgi";
    uwsgi_temp_path "{folder}/uwsgi";
    scgi_temp_path "{folder}/scgi";
{inside}
}}
"""

_SITE = """\
    upstream otpgate {{ server "unix:{socket}"; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        server_name localhost;
        root "{www}";
        include snippets/otpgate_locations.conf;
    }}
"""


class Nginx:
    def __init__(self, folder, socket, *, port=None, www=WWW, inside=None):
        """`inside`: what stands in http {} in place of a plain site on `port`."""
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.port = port or ports.free_port()
        self.url = f"http://localhost:{self.port}"
        (self.folder / "snippets").symlink_to(ROOT / "etc/nginx")
        (self.folder / "fastcgi_params").symlink_to("/etc/nginx/fastcgi_params")
        self.config = self.folder / "nginx.conf"
        self.config.write_text(
            _FRAME.format(
                # Root's workers would be "nobody", who may read neither the socket nor the checkout.
                user="user root;" if getpass.getuser() == "root" else "",
                folder=self.folder,
                inside=inside or _SITE.format(socket=socket, port=self.port, www=www),
            )
        )
        arguments = ["-e", f"{self.folder}/error.log", "-p", f"{self.folder}/", "-c", str(self.config)]
        self._check_command = ["/usr/sbin/nginx", "-t", *arguments]
        self.process = Process("nginx", ["/usr/sbin/nginx", *arguments], self.folder / "output.log")

    def check(self):
        """nginx -t: its complaints, none when the configuration is right. A warning is a complaint too."""
        done = subprocess.run(self._check_command, capture_output=True, text=True, check=False)
        return [
            line
            for line in done.stderr.splitlines()
            if "syntax is ok" not in line and "test is successful" not in line
        ]

    def start(self):
        self.process.start()

        def ready():
            self.process.require_running()
            return ports.is_open(self.port)

        ports.wait_until(ready, 15, "nginx listens")
        return self

    def stop(self):
        self.process.stop()

    def access_log(self):
        return (self.folder / "access.log").read_text(errors="replace")
