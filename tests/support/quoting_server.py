"""Providers that repeat every word that they were told: a mail server, and answers for the SMS gateways."""
import base64
import binascii
import socketserver
import threading

from .mailbox import Inbox, code_in, holds_code, parse

USER, PASSWORD = "mailer", "hidden-Mail:passw0rd"


def words_of(login):
    """What is in a line of AUTH."""
    try:
        return base64.b64decode(login, validate=True).decode().replace("\0", " ").strip()
    except (binascii.Error, UnicodeDecodeError):
        return ""


class _Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.said = []
        self.reply(220, "quoting.example ESMTP")
        while line := self.rfile.readline():
            line = line.decode().strip()
            verb = line.split(" ")[0].upper()
            self.hear(line)
            if verb == "QUIT":
                self.reply(221, "bye")
                return
            self.answer(verb)

    def answer(self, verb):
        server = self.server
        if verb == "EHLO":
            self.reply(250, "quoting.example", "AUTH PLAIN LOGIN")
        elif verb == "AUTH":
            self.judge("AUTH", 235)
        elif verb in ("MAIL", "RCPT"):
            self.judge(verb, 250)
        elif verb == "DATA":
            if self.judge(verb, 354):
                self.read_message()
                self.judge(".", 250)
        else:
            self.quote(250)

    def judge(self, step, good):
        """Whether the command was taken."""
        refusal = self.server.refusals.get(step)
        if refusal and step == "." and self.server.codes:
            # The same in other groupings, and a line for each half.
            code = self.server.codes[-1]
            self.said += [f"{code[:3]} {code[3:]}", "-".join(code), code]
        self.quote(refusal or good)
        return not refusal

    def hear(self, line):
        self.said.append(line)
        self.said += [words for word in line.split(" ") if (words := words_of(word))]

    def read_message(self):
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
            self.said.append(line.decode().strip())
        self.server.take(parse(b"".join(lines)))

    def quote(self, code):
        """What was said last comes first, as far as a reply may be long; a line of each word at the end."""
        words = " ".join(reversed(self.said)).split()
        lines = [" ".join(words[at:at + 12])[:400] for at in range(0, min(len(words), 600), 12)]
        self.reply(code, *(f"5.7.1 {line}" for line in lines))

    def reply(self, code, *lines):
        for line in lines[:-1]:
            self.wfile.write(f"{code}-{line}\r\n".encode())
        self.wfile.write(f"{code} {lines[-1]}\r\n".encode())


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class QuotingSmtpServer(Inbox):
    """`refusals`: {"AUTH", "MAIL", "RCPT", "DATA" or ".": the code of the refusal}."""

    def __init__(self, **refusals):
        super().__init__()
        self._server = _TcpServer(("127.0.0.1", 0), _Session)
        self._server.refusals = self.refusals = {"." if step == "END" else step: code for step, code in refusals.items()}
        self._server.codes = self.codes = []
        self._server.take = self._take
        self._messages = []
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def _take(self, message):
        self._messages.append(message)
        if holds_code(message):
            self.codes.append(code_in(message))

    def messages(self):
        return list(self._messages)

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


def secrets(code):
    """What must be nowhere, in the forms that are quoted."""
    plain = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
    found = [PASSWORD, plain, base64.b64encode(PASSWORD.encode()).decode()]
    if code:
        found += [code, f"{code[:3]} {code[3:]}", f"{code[:3]}-{code[3:]}", "-".join(code), " ".join(code)]
    return found
