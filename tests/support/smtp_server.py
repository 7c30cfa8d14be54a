"""SMTP servers to send to: one that works in every security mode, and one that accepts and then says nothing."""
import contextlib
import dataclasses
import socket
import ssl
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from . import ports
from .mailbox import Inbox, parse


@dataclasses.dataclass(frozen=True)
class Received:
    """One accepted message: its envelope, how it came, and its content."""

    sender: str
    recipients: tuple
    tls: bool
    user: str
    content: bytes

    @property
    def message(self):
        return parse(self.content)


class _Handler:
    def __init__(self):
        self.received = []
        self.refuse_with = None

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if self.refuse_with:
            return self.refuse_with
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.received.append(
            Received(
                envelope.mail_from,
                tuple(envelope.rcpt_tos),
                # `ssl` is set after STARTTLS; under implicit TLS the transport knows.
                bool(session.ssl) or server.transport.get_extra_info("ssl_object") is not None,
                session.auth_data.decode() if session.auth_data else "",
                envelope.content,
            )
        )
        return "250 OK"


class SmtpServer(Inbox):
    """security: none, starttls (required) or tls. With a user, AUTH is required."""

    def __init__(self, security="none", authority=None, user=None, password=None, port=None):
        super().__init__()
        self.port = port or ports.free_port()
        self.security = security
        self._handler = _Handler()
        options = {"hostname": "127.0.0.1", "port": self.port, "server_hostname": "localhost"}
        if security != "none":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(authority.certificate_file, authority.key_file)
            if security == "tls":
                options["ssl_context"] = context
            else:
                options.update(tls_context=context, require_starttls=True)
        if user is not None:

            def authenticate(server, session, envelope, mechanism, data):
                right = isinstance(data, LoginPassword) and (data.login, data.password) == (user.encode(), password.encode())
                return AuthResult(success=right, handled=False, auth_data=data.login if right else None)

            # Under implicit TLS aiosmtpd does not see that the connection is encrypted.
            options.update(authenticator=authenticate, auth_required=True, auth_require_tls=security == "starttls")
        self._controller = Controller(self._handler, **options)

    def start(self):
        self._controller.start()
        return self

    def stop(self):
        with contextlib.suppress(AssertionError):  # "not started": nothing to stop
            self._controller.stop()

    def refuse_recipients(self, answer):
        """For example "550 no such user"; None accepts again."""
        self._handler.refuse_with = answer

    @property
    def received(self):
        return list(self._handler.received)

    def messages(self):
        return [received.message for received in self._handler.received]


class StallingServer:
    """Accepts connections and never greets: where a sender hangs in the middle of sending."""

    def __init__(self, port=None):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", port or 0))
        self._listener.listen(16)
        self.port = self._listener.getsockname()[1]
        self._connections = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                self._connections.append(self._listener.accept()[0])
            except OSError:
                return

    def wait_for_connection(self, timeout=10):
        ports.wait_until(lambda: self._connections, timeout, "a connection to the SMTP server")

    def stop(self):
        # shutdown() wakes the thread in accept(); close() alone would not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            connection.close()
