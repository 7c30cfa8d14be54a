"""A server that webhooks lead to: what it was sent, and checked as the documentation says."""
import http.server
import importlib.util
import json
import pathlib
import re
import threading
import time

_DOC = pathlib.Path(__file__).resolve().parents[2] / "etc/doc/webhooks.md"


def _documented_check():
    (text,) = [block for block in re.findall(r"^```python\n(.*?)^```$", _DOC.read_text(), re.MULTILINE | re.DOTALL)]
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_webhook", None))
    exec(compile(text, str(_DOC), "exec"), module.__dict__)
    return module.check


check = _documented_check()


class WebhookReceiver:
    """On a loopback port, again on the same one after stop() and start(). `status`: what it answers."""

    def __init__(self):
        self.seen = []  # (headers, body)
        self.status = 204
        self.port = 0
        self.start()

    def start(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.seen.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/events"

    def events(self):
        """What it was told, the first of each id: [(type, data)]."""
        told = {headers["webhook-id"]: json.loads(body) for headers, body in self.seen}
        return [(event["type"], event["data"]) for event in told.values()]

    def wait_for(self, *types, timeout=15):
        """Until each of these has come, as often as it is named; what it was told."""
        end = time.monotonic() + timeout
        while True:
            come = [kind for kind, _ in self.events()]
            if all(come.count(kind) >= types.count(kind) for kind in types):
                return self.events()
            assert time.monotonic() < end, f"{types} awaited, come are {come}"
            time.sleep(0.05)
