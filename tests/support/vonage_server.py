"""A local Vonage: its SMS API, over HTTPS, as Vonage documents it."""
import json
import re
import urllib.parse

from .provider_server import ProviderHandler, ProviderServer
from .twilio_server import Sms

API_KEY = "0123abcd"
API_SECRET = "hidden-Vonage-secret"

_TO = re.compile(r"[1-9]\d{6,14}")
_FROM = re.compile(r"\d{3,15}|(?=.*[A-Za-z])[ -~]{1,11}")
_GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)
STALL = "stall"


class _Handler(ProviderHandler):
    server_version = "VonageServer"

    def do_POST(self):
        vonage = self.server.provider
        content = self.content()
        scripted = vonage.next_answer()
        if self.path != "/sms/json":
            self._reply(404, {"title": "Not Found"})
            return
        status, form = self._judge(content, vonage)
        if status == 0 and scripted is not None:
            status = scripted(form) if callable(scripted) else scripted
        vonage.note(self.client_address, status)
        if status == STALL:
            self.stall()
        elif isinstance(status, tuple):  # an HTTP status and the headers beside it
            self._reply(status[0], {}, status[1:])
        elif status == 0:
            vonage.keep(Sms("0C000000217B7F02", "+" + form["to"], form["from"], form.get("type", "text"), form["text"]))
            self._reply(200, self._answer(form, {"message-id": "0C000000217B7F02", "remaining-balance": "15.5"}, 0))
        else:
            self._reply(200, self._answer(form, {"error-text": f"about {form.get('to')}"}, status))

    def _judge(self, content, vonage):
        """(status, form): what the request deserves."""
        if self.headers.get("Content-Type") != "application/x-www-form-urlencoded":
            return 2, {}
        pairs = urllib.parse.parse_qsl(
            content.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict"
        )
        form = dict(pairs)
        if len(form) != len(pairs) or set(form) - {"type"} != {"api_key", "api_secret", "from", "to", "text"}:
            return 2, form
        if (form["api_key"], form["api_secret"]) != (API_KEY, API_SECRET):
            return 4, form
        if not _TO.fullmatch(form["to"]):
            return 3, form
        if not _FROM.fullmatch(form["from"]):
            return 15, form
        # Vonage would send question marks.
        wanted = "text" if set(form["text"]) <= _GSM else "unicode"
        return (0 if form.get("type", "text") == wanted else 3), form

    @staticmethod
    def _answer(form, more, status):
        return {"message-count": "1", "messages": [{"to": form.get("to"), "status": str(status), **more}]}

    def _reply(self, status, body, headers=()):
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class VonageServer(ProviderServer):
    """For `sms.vonage_url`. A scripted answer is a status of the API, (HTTP status, (header, value), ...), STALL,
    or a function that makes one of the form."""

    def __init__(self, authority):
        super().__init__(authority, _Handler)
