"""A mail server that takes access tokens only, as Google and Microsoft describe XOAUTH2: strict about every byte of it."""
import base64
import json
import socket
import ssl
import threading

from .mailbox import Inbox, parse

_REFUSAL = {"status": "401", "schemes": "bearer", "scope": "https://mail.example.com/"}


class XOAuth2Server(Inbox):
    """TLS from the first byte. `token` is what it takes at the moment; a test may change it at any time."""

    def __init__(self, authority, user, token):
        super().__init__()
        self.user, self.token = user, token
        self.attempts = []  # the SASL strings, decoded
        self.mistakes = []  # what no client that follows the description would do
        self.contents = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(authority.certificate_file, authority.key_file)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._is_over = False
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        self._is_over = True
        # shutdown() wakes the thread in accept(); close() alone would not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def messages(self):
        return [parse(content) for content in self.contents]

    def _accept(self):
        while not self._is_over:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(connection, server_side=True) as encrypted:
                    encrypted.settimeout(10)
                    _Conversation(self, encrypted).run()
            except OSError:
                pass  # the client went away, or did not like our certificate


class _Conversation:
    def __init__(self, server, connection):
        self.server = server
        self.file = connection.makefile("rwb")
        self.is_in = False

    def say(self, line):
        self.file.write(line.encode() + b"\r\n")
        self.file.flush()

    def hear(self):
        line = self.file.readline()
        if line and not line.endswith(b"\r\n"):
            self.server.mistakes.append(f"a line without CRLF: {line!r}")
        return line[:-2].decode()

    def run(self):
        self.say("220 xoauth2.example.com ESMTP")
        while line := self.hear():
            word = line.split(" ")[0]
            if word == "EHLO":
                self.say("250-xoauth2.example.com\r\n250 AUTH XOAUTH2")
            elif word == "AUTH":
                self.log_in(line)
            elif word == "QUIT":
                return self.say("221 bye")
            elif not self.is_in:
                self.server.mistakes.append(f"without a login: {line}")
                self.say("530 5.7.0 Authentication Required")
            elif word == "DATA":
                self.say("354 go on")
                self.take_message()
            elif word in ("MAIL", "RCPT", "RSET"):
                self.say("250 ok")
            else:
                self.server.mistakes.append(f"unknown: {line}")
                self.say("500 what?")

    def log_in(self, line):
        words = line.split(" ")
        if words[:2] != ["AUTH", "XOAUTH2"] or len(words) != 3:
            self.server.mistakes.append(f"not XOAUTH2: {line}")
            return self.say("504 5.7.4 Unrecognized authentication type")
        response = base64.b64decode(words[2], validate=True).decode()
        self.server.attempts.append(response)
        if response == f"user={self.server.user}\x01auth=Bearer {self.server.token}\x01\x01":
            self.is_in = True
            return self.say("235 2.7.0 Accepted")
        self.say("334 " + base64.b64encode(json.dumps(_REFUSAL).encode()).decode())
        # "The client sends an empty response to the challenge", and only then comes the error.
        answer = self.hear()
        if answer != "":
            self.server.mistakes.append(f"an answer to the error: {answer}")
        return self.say("535 5.7.8 Username and Password not accepted")

    def take_message(self):
        content = []
        while (line := self.file.readline()) != b".\r\n":
            if not line:
                return
            content.append(line[1:] if line.startswith(b".") else line)
        self.server.contents.append(b"".join(content))
        self.say("250 2.0.0 OK")
