"""SMTP servers to send to: one that works in every security mode, one that fails as often as it is told, and one that accepts
and then says nothing."""
import asyncio
import contextlib
import dataclasses
import random
import socket
import ssl
import struct
import threading
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

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
    """security: none, starttls (required) or tls. With a user, AUTH is required. utf8: whether it offers SMTPUTF8."""

    def __init__(self, security="none", authority=None, user=None, password=None, port=None, utf8=True):
        super().__init__()
        self.port = port or ports.free_port()
        self.security = security
        self._handler = _Handler()
        options = {"hostname": "127.0.0.1", "port": self.port, "server_hostname": "localhost",
                   "enable_SMTPUTF8": utf8}
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


class OldSmtpServer(Inbox):
    """Knows HELO and no extension, and listens on ::1."""

    def __init__(self):
        super().__init__()
        self.port = ports.free_port()
        self._handler = _Handler()
        self._controller = _OldController(self._handler, hostname="::1", port=self.port, server_hostname="localhost")

    def start(self):
        self._controller.start()
        return self

    def stop(self):
        with contextlib.suppress(AssertionError):
            self._controller.stop()

    def messages(self):
        return [received.message for received in self._handler.received]


class _OldController(Controller):
    def factory(self):
        return _OldSession(self.handler, **self.SMTP_kwargs)


class _OldSession(SMTP):
    async def smtp_EHLO(self, hostname):
        await self.push("500 5.5.1 what?")


class MoodySmtpServer(Inbox):
    """Fails by chance, from a seed: refuses connections, resets them, keeps silent for longer than anybody waits, and answers
    451; always before it has accepted the message. `share` of the connections and of the commands meet with it."""

    MOODS = ("refuse", "reset", "stall", "451")
    STALL_SECONDS = 2.5

    def __init__(self, share, seed, port=None):
        super().__init__()
        self.port = port or ports.free_port()
        self.share = share
        self._random = random.Random(seed)
        self.met = dict.fromkeys(self.MOODS, 0)
        self.arrived = []  # (when, recipient, Message-ID)
        self._controller = _MoodyController(self, hostname="127.0.0.1", port=self.port, server_hostname="localhost")

    def start(self):
        self._controller.start()
        return self

    def stop(self):
        with contextlib.suppress(AssertionError):
            self._controller.stop()

    def mood(self, *possible):
        if self._random.random() >= self.share:
            return None
        mood = self._random.choice(possible)
        self.met[mood] += 1
        return mood

    async def answer(self, server, otherwise):
        """What a command is answered, if it is; the connection may be gone afterwards."""
        mood = self.mood("reset", "stall", "451")
        if mood == "reset":
            server.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            server.transport.abort()
        if mood == "stall":
            await asyncio.sleep(self.STALL_SECONDS)
        return "451 4.3.0 not now" if mood else otherwise

    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        answer = await self.answer(server, "250 OK")
        if answer == "250 OK":
            envelope.mail_from = address
        return answer

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        answer = await self.answer(server, "250 OK")
        if answer == "250 OK":
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        answer = await self.answer(server, "250 OK")
        if answer == "250 OK":
            message = parse(envelope.content)
            self.arrived.append((time.time(), envelope.rcpt_tos[0], str(message["Message-ID"])))
        return answer


class _MoodyController(Controller):
    def factory(self):
        return _MoodySession(self.handler, **self.SMTP_kwargs)


class _MoodySession(SMTP):
    def connection_made(self, transport):
        if self.event_handler.mood("refuse"):
            transport.write(b"421 4.3.2 too busy\r\n")
            transport.close()
            return
        super().connection_made(transport)


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
