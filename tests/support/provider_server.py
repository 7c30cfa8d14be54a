"""What the local SMS providers have in common: HTTPS, a script of answers, and a look at what came."""
import contextlib
import http.server
import ssl
import threading

from . import ports
from .mailbox import Inbox


class ProviderHandler(http.server.BaseHTTPRequestHandler):
    """A subclass answers; self.server.provider is the ProviderServer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *arguments):
        pass

    def content(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def stall(self):
        """Nothing at all, until the server stops."""
        self.server.provider.stopping.wait()
        self.close_connection = True


class _HttpsServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port, handler, context, provider):
        super().__init__(("127.0.0.1", port), handler)
        self.context = context
        self.provider = provider

    def finish_request(self, request, client_address):
        # Here and not around the listening socket, so that a client that fails in its handshake stops nobody else.
        with contextlib.suppress(OSError):
            with self.context.wrap_socket(request, server_side=True) as connection:
                super().finish_request(connection, client_address)


class ProviderServer(Inbox):
    """Its certificate is the authority's for localhost. What a request is answered with can be scripted."""

    def __init__(self, authority, handler, port=None):
        super().__init__()
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._script = []
        self._messages = []
        self._answers = []
        self._connections = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(authority.certificate_file, authority.key_file)
        self._server = _HttpsServer(port or 0, handler, context, self)
        self.port = self._server.server_address[1]
        self.url = f"https://localhost:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        self.stopping.set()
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()

    def answer_with(self, *answers):
        """For the next requests, one each; after them they get what they deserve again."""
        with self._lock:
            self._script.extend(answers)

    def messages(self):
        """The accepted messages so far, oldest first."""
        with self._lock:
            return list(self._messages)

    def messages_for(self, number):
        return [message for message in self.messages() if message.recipient == number]

    def wait_for(self, number, timeout=10):
        """The newest code sent to the number that was not returned yet."""
        return self.wait_for_message(number, timeout).code

    @property
    def answers(self):
        """What each request so far was answered with."""
        with self._lock:
            return list(self._answers)

    @property
    def connections(self):
        """How many connections carried requests so far."""
        with self._lock:
            return len(set(self._connections))

    def wait_for_requests(self, count, timeout=10):
        ports.wait_until(lambda: len(self.answers) >= count, timeout, f"{count} requests to the provider")

    def next_answer(self):
        with self._lock:
            return self._script.pop(0) if self._script else None

    def note(self, connection, answer):
        with self._lock:
            self._answers.append(answer)
            self._connections.append(connection)

    def keep(self, message):
        """An accepted message."""
        with self._lock:
            self._messages.append(message)
