"""A local Twilio: the part of its REST API that creates messages, over HTTPS, as Twilio documents it."""
import base64
import contextlib
import dataclasses
import email.utils
import http.server
import json
import re
import ssl
import threading
import urllib.parse
import uuid

from . import ports
from .mailbox import Inbox

VERSION = "2010-04-01"
ACCOUNT_SID = "ACaaaaaaaabbbbbbbbccccccccdddddddd"
AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
NUMBER = "+15005550006"

_E164 = re.compile(r"\+[1-9]\d{1,14}")
_SENDER = re.compile(r"\+[1-9]\d{1,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 +_&-]{1,11}")
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
_LAST_LINE = re.compile(r"@(\S+) #([A-Z0-9]{4,10})")
_LONGEST_BODY = 1600


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a request gets in place of what it deserves. Status 0: nothing at all, until the server stops."""

    status: int
    code: int = 0
    message: str = ""
    headers: tuple = ()


# What Twilio says; in the order of the requests, for TwilioServer.answer_with().
SUCCESS = Answer(201)
STALL = Answer(0)
UNAUTHORIZED = Answer(401, 20003, "Authenticate")
INVALID_NUMBER = Answer(400, 21211, "The 'To' number {to} is not a valid phone number.")
UNSUBSCRIBED = Answer(400, 21610, "Attempt to send to unsubscribed recipient")
SERVER_ERROR = Answer(500, 20500, "An internal server error has occurred")


def too_many_requests(retry_after=None):
    headers = () if retry_after is None else (("Retry-After", str(retry_after)),)
    return Answer(429, 20429, "Too Many Requests", headers)


@dataclasses.dataclass(frozen=True)
class Sms:
    """One accepted message."""

    sid: str
    recipient: str
    sender: str  # empty where a messaging service chooses
    messaging_service: str  # or empty
    text: str

    @property
    def last_line(self):
        """Host and code of the origin-bound last line."""
        lines = self.text.split("\n")
        found = _LAST_LINE.fullmatch(lines[-1])
        if not found or lines[-2]:
            raise AssertionError(f"an empty line and @host #code were expected at the end of:\n{self.text}")
        return found.groups()

    @property
    def code(self):
        host, code = self.last_line
        if not self.text.startswith(f"{code} is your "):
            raise AssertionError(f"the code {code} was expected at the beginning of:\n{self.text}")
        return code


class _Fault(Exception):
    def __init__(self, answer):
        super().__init__(answer.message)
        self.answer = answer


def _refuse(status, code, message):
    raise _Fault(Answer(status, code, message))


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_version = "TwilioServer"

    def log_message(self, *arguments):
        pass

    def do_POST(self):
        twilio = self.server.twilio
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        scripted = twilio.next_answer()
        form = {}
        try:
            self._authenticate(twilio)
            form = self._form(content)
            fields = self._check(form, twilio)
            if scripted is not None and scripted.status != 201:
                raise _Fault(scripted)
        except _Fault as fault:
            twilio.note(self.client_address, fault.answer)
            self._fail(fault.answer, form)
        else:
            twilio.note(self.client_address, SUCCESS)
            self._reply(201, twilio.accept(*fields))

    def do_GET(self):
        self._fail(Answer(405, 20004, "Method not allowed"), {})

    def _authenticate(self, twilio):
        right = base64.b64encode(f"{twilio.account_sid}:{twilio.auth_token}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {right}":
            _refuse(401, 20003, "Authenticate")

    def _form(self, content):
        if self.headers.get("Content-Type") != "application/x-www-form-urlencoded":
            _refuse(415, 20415, "Unsupported Media Type")
        try:
            pairs = urllib.parse.parse_qsl(
                content.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict"
            )
        except ValueError:
            _refuse(400, 20001, "The form is malformed")
        form = dict(pairs)
        if len(form) != len(pairs) or set(form) - {"To", "From", "MessagingServiceSid", "Body"}:
            _refuse(400, 20001, "A field is unknown or given twice")
        return form

    def _check(self, form, twilio):
        """The fields in the order of Sms, or what Twilio says about them."""
        if self.path != f"/{VERSION}/Accounts/{twilio.account_sid}/Messages.json":
            _refuse(404, 20404, f"The requested resource {self.path} was not found")
        recipient, sender = form.get("To", ""), form.get("From", "")
        service, text = form.get("MessagingServiceSid", ""), form.get("Body", "")
        if not recipient:
            _refuse(400, 21604, "A 'To' phone number is required.")
        if not _E164.fullmatch(recipient):
            _refuse(400, 21211, f"The 'To' number {recipient} is not a valid phone number.")
        if not sender and not service:
            _refuse(400, 21603, "A 'From' phone number is required.")
        if sender and not _SENDER.fullmatch(sender):
            _refuse(400, 21212, f"The 'From' number {sender} is not a valid phone number.")
        if service and not _SERVICE.fullmatch(service):
            _refuse(400, 21705, "The Messaging Service Sid is invalid.")
        if recipient == sender:
            _refuse(400, 21266, "'To' and 'From' number cannot be the same")
        if not text:
            _refuse(400, 21602, "Message body is required.")
        if len(text) > _LONGEST_BODY:
            _refuse(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
        return recipient, sender, service, text

    def _fail(self, answer, form):
        if answer.status == 0:
            self.server.twilio.stopping.wait()
            self.close_connection = True
            return
        body = {
            "code": answer.code,
            "message": answer.message.format(to=form.get("To", "")),
            "more_info": f"https://www.twilio.com/docs/errors/{answer.code}",
            "status": answer.status,
        }
        headers = answer.headers
        if answer.status == 401:
            headers += (("WWW-Authenticate", 'Basic realm="Twilio API"'),)
        self._reply(answer.status, body, headers)

    def _reply(self, status, body, headers=()):
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json;charset=utf-8")
        if self.server.twilio.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            middle = len(content) // 2
            for part in (content[:middle], content[middle:], b""):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        else:
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)


class _HttpsServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port, context, twilio):
        super().__init__(("127.0.0.1", port), _Handler)
        self.context = context
        self.twilio = twilio

    def finish_request(self, request, client_address):
        # Here and not around the listening socket, so that a client that fails in its handshake stops nobody else.
        with contextlib.suppress(OSError):
            with self.context.wrap_socket(request, server_side=True) as connection:
                super().finish_request(connection, client_address)


class TwilioServer(Inbox):
    """For `sms.twilio_url`; its certificate is the authority's for localhost. Each request is checked as Twilio does;
    what it is answered with can be scripted."""

    def __init__(self, authority, account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, port=None, chunked=False):
        super().__init__()
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.chunked = chunked
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._script = []
        self._messages = []
        self._answers = []
        self._connections = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(authority.certificate_file, authority.key_file)
        self._server = _HttpsServer(port or 0, context, self)
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
        ports.wait_until(lambda: len(self.answers) >= count, timeout, f"{count} requests to Twilio")

    def next_answer(self):
        with self._lock:
            return self._script.pop(0) if self._script else None

    def note(self, connection, answer):
        with self._lock:
            self._answers.append(answer)
            self._connections.append(connection)

    def accept(self, recipient, sender, service, text):
        """Keeps the message and returns the resource that Twilio makes of it."""
        sms = Sms("SM" + uuid.uuid4().hex, recipient, sender, service, text)
        with self._lock:
            self._messages.append(sms)
        path = f"/{VERSION}/Accounts/{self.account_sid}/Messages/{sms.sid}"
        now = email.utils.formatdate(usegmt=False)
        return {
            "account_sid": self.account_sid,
            "api_version": VERSION,
            "body": text,
            "date_created": now,
            "date_sent": None,
            "date_updated": now,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": sender or None,
            "messaging_service_sid": service or None,
            "num_media": "0",
            "num_segments": "0" if service else "1",
            "price": None,
            "price_unit": None if service else "USD",
            "sid": sms.sid,
            "status": "accepted" if service else "queued",
            "subresource_uris": {"media": f"{path}/Media.json"},
            "to": recipient,
            "uri": f"{path}.json",
        }
