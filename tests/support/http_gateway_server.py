"""A local SMS gateway of no make: it writes down what it is asked, and answers what it is told."""
import dataclasses

from .provider_server import ProviderHandler, ProviderServer


@dataclasses.dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict  # names in lower case
    body: str


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    body: str = ""
    headers: tuple = ()
    stalls: bool = False  # more was to follow


TAKEN = Answer(200, "OK: 17")


class _Handler(ProviderHandler):
    server_version = "Gateway"

    def _serve(self):
        gateway = self.server.provider
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, self.content().decode())
        gateway.keep(request)
        answer = gateway.next_answer() or TAKEN
        if callable(answer):
            answer = answer(request)
        gateway.note(self.client_address, answer)
        content = answer.body.encode()
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) + answer.stalls))
        self.end_headers()
        self.wfile.write(content)
        if answer.stalls:
            self.wfile.flush()
            self.stall()

    do_GET = do_POST = do_PUT = _serve


class GatewayServer(ProviderServer):
    """For `sms.http_url`; messages() are the requests. A scripted answer is an Answer, or a function that makes one of the
    request."""

    def __init__(self, authority):
        super().__init__(authority, _Handler)
