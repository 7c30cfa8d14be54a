"""A service that checks visitors, as Turnstile and hCaptcha are to those who use them: its siteverify, and for browsers its
script and the frame that this makes, under the service's own name (`browser_arguments`)."""
import datetime
import http.server
import json
import secrets
import ssl
import threading
import urllib.parse

from .certificates import Authority

SITE_KEY, SECRET = "0x4AAAtest", "0x4AAA-the-secret"
HOSTS = {"turnstile": "challenges.cloudflare.com", "hcaptcha": "js.hcaptcha.com"}
SEEN_BEFORE = {"turnstile": "timeout-or-duplicate", "hcaptcha": "invalid-or-already-seen-response"}

# As the real ones: the widget is a frame of the service's own, which keeps something, and gives the token back by a message. And it
# tells what a script of somebody else can reach from where it stands.
SCRIPT = """
(() => {
  const began = new URL(document.currentScript.src).searchParams.get("onload");
  const tried = async (what) => { try { return String(await what()); } catch (error) { return error.name; } };
  window.SERVICE = {
    async render(box, options) {
      const reached = {
        opener: await tried(() => window.opener),
        top: await tried(() => window.top === window),
        api: await tried(async () => (await fetch("/api/v1/page")).status),
        other: await tried(() => window.open("/")),
        cookie: await tried(() => document.cookie),
      };
      const frame = document.createElement("iframe");
      frame.title = "check";
      frame.src = "https://HOST/frame?" + new URLSearchParams({ sitekey: options.sitekey, action: options.action, ...reached });
      addEventListener("message", ({ origin, data }) => origin === "https://HOST" && options.callback(data));
      box.append(frame);
    },
  };
  window[began]();
})();
"""
FRAME = """<!doctype html><title>check</title><button id="human">I am human</button><script>
localStorage.setItem("seen", "1");
document.getElementById("human").addEventListener("click", () => parent.postMessage("TOKEN", "*"));
</script>"""


class HumanCheckService:
    """`mode`: how its siteverify behaves: "well", "500", "html", "elsewhere" (the token is of another site), "forgetful" (it takes a
    token twice), "generous" (anything is a token, as with the keys that both services give for tests). `asked`: the fields that it was asked with; `reached`: what its script told."""

    def __init__(self, folder, kind):
        self.kind, self.host = kind, HOSTS[kind]
        self.mode, self.asked, self.reached = "well", [], []
        self.tokens, self.spent = set(), set()
        authority = Authority(folder, hosts=(self.host,))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.certificate_file, authority.key_file)
        self.verify, self.web = self._serve(), self._serve(context)
        self.url = f"http://127.0.0.1:{self.verify.server_address[1]}/siteverify"
        self.browser_arguments = [f"--host-resolver-rules=MAP {self.host} 127.0.0.1:{self.web.server_address[1]}",
                                  "--ignore-certificate-errors"]

    def stop(self):
        for server in (self.verify, self.web):
            server.shutdown()
            server.server_close()

    def new_token(self):
        token = f"0.{secrets.token_urlsafe(300)}"
        self.tokens.add(token)
        return token

    def answer_of(self, kind, body):
        """(status, text) of siteverify, with the errors of the real one."""
        fields = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
        self.asked.append(fields)
        refused = lambda code: (200, json.dumps({"success": False, "error-codes": [code]}))
        if self.mode == "500":
            return 500, '{"success": true}'
        if self.mode == "html":
            return 200, "<!doctype html><title>One moment, please</title>"
        if kind != "application/x-www-form-urlencoded":
            return refused("bad-request")
        if fields.get("secret") != SECRET:
            return refused("invalid-input-secret")
        if fields.get("response") not in self.tokens and self.mode != "generous":
            return refused("invalid-input-response")
        if fields["response"] in self.spent and self.mode != "forgetful":
            return refused(SEEN_BEFORE[self.kind])
        self.spent.add(fields["response"])
        told = {"success": True, "challenge_ts": datetime.datetime.now(datetime.timezone.utc).isoformat(),
                "hostname": "evil.example" if self.mode == "elsewhere" else "localhost"}
        if self.kind == "turnstile":
            return 200, json.dumps({**told, "error-codes": [], "action": "otpgate", "cdata": "", "metadata": {"interactive": False}})
        return (200, json.dumps({**told, "credit": False})) if fields.get("sitekey") == SITE_KEY else refused("sitekey-secret-mismatch")

    def _serve(self, context=None):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, text = outer.answer_of(self.headers["Content-Type"], body)
                self.say(status, "application/json", text)

            def do_GET(self):
                path, _, query = self.path.partition("?")
                if path == "/frame":
                    outer.reached.append(dict(urllib.parse.parse_qsl(query)))
                    self.say(200, "text/html", FRAME.replace("TOKEN", outer.new_token()))
                elif path.endswith("/api.js"):
                    self.say(200, "text/javascript", SCRIPT.replace("SERVICE", outer.kind).replace("HOST", outer.host))
                else:
                    self.say(404, "text/plain", "")

            def say(self, status, kind, text):
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

        server = Server(("127.0.0.1", 0), Handler)
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server
