"""A local Twilio: the part of its REST API that creates messages, over HTTPS, as Twilio documents it."""
import base64
import dataclasses
import email.utils
import json
import re
import urllib.parse
import uuid

from .provider_server import ProviderHandler, ProviderServer

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


class _Handler(ProviderHandler):
    server_version = "TwilioServer"

    def do_POST(self):
        twilio = self.server.provider
        content = self.content()
        scripted = twilio.next_answer()
        form = {}
        try:
            self._authenticate(twilio)
            form = self._form(content)
            fields = self._check(form, twilio)
            if callable(scripted):
                scripted = scripted(form)
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
        right = base64.b64encode(":".join(twilio.login).encode()).decode()
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
            self.stall()
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
        if self.server.provider.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            middle = len(content) // 2
            for part in (content[:middle], content[middle:], b""):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        else:
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)


class TwilioServer(ProviderServer):
    """For `sms.twilio_url`. Each request is checked as Twilio does. A scripted answer is an Answer, or a function that makes one
    of the form."""

    def __init__(self, authority, account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, port=None, chunked=False, login=None):
        super().__init__(authority, _Handler, port)
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.login = login or (account_sid, auth_token)  # or an API key's SID and secret
        self.chunked = chunked

    def accept(self, recipient, sender, service, text):
        """Keeps the message and returns the resource that Twilio makes of it."""
        sms = Sms("SM" + uuid.uuid4().hex, recipient, sender, service, text)
        self.keep(sms)
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
