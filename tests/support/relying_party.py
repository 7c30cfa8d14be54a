"""An application that signs its users in at otpgate (OpenID Connect), as its server sees it; and the server itself."""
import base64
import hashlib
import http.server
import json
import secrets
import threading
import urllib.parse

import jwt

from .visitor import Visitor


class RelyingParty:
    """Registered at the site by `otpgate client create`, whose options `options` are."""

    def __init__(self, site, name, *options, redirect="https://wiki.example.com/cb"):
        self.site, self.name, self.redirect = site, name, redirect
        done = site.otpgate.run("client", "create", name, "--redirect", redirect, "--json", *options)
        assert done.returncode == 0, done.stderr
        self.secret = json.loads(done.stdout).get("client_secret")
        self.verifier = secrets.token_urlsafe(32)

    def request(self, **more):
        """The parameters of an authorize request; None leaves one out."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        parameters = {"client_id": self.name, "redirect_uri": self.redirect, "response_type": "code", "scope": "openid email",
                      "state": "the state", "nonce": "the nonce", "code_challenge": challenge, "code_challenge_method": "S256", **more}
        return {name: value for name, value in parameters.items() if value is not None}

    def url(self, **more):
        return f"{self.site.url}/oauth/authorize?{urllib.parse.urlencode(self.request(**more))}"

    def ask(self, visitor, **more):
        """Where the visitor is sent: (the answer, the parameters of its Location)."""
        answer = visitor.step(self.url(**more))
        return answer, parameters_of(answer)

    def code(self, visitor, **more):
        answer, told = self.ask(visitor, **more)
        assert answer.status_code == 303 and answer.headers["Location"].startswith(self.redirect), (answer.text, told)
        assert told["iss"] == self.site.url and told["state"] == "the state"
        return told["code"]

    def post(self, path, *, by="basic", **form):
        """As this client, which shows itself by `basic`, `post` or not at all."""
        headers = {}
        if by == "basic":
            pair = f"{urllib.parse.quote(self.name)}:{urllib.parse.quote(self.secret or '')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form["client_id"] = self.name
            if by == "post":
                form["client_secret"] = self.secret
        return self.site.request("POST", path, data=form, headers=headers)

    def redeem(self, code, **more):
        by = more.pop("by", "basic" if self.secret else "none")
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect, "code_verifier": self.verifier, **more}
        return self.post("/oauth/token", by=by, **{name: value for name, value in form.items() if value is not None})

    def tokens(self, visitor, **more):
        answer = self.redeem(self.code(visitor, **more))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refresh(self, token):
        return self.post("/oauth/token", by="basic" if self.secret else "none", grant_type="refresh_token", refresh_token=token)

    def userinfo(self, tokens):
        return self.site.get("/oauth/userinfo", token=tokens["access_token"])

    def read(self, token, algorithm="RS256", typ="JWT"):
        """The claims of a token that is rightly signed for this client."""
        header = jwt.get_unverified_header(token)
        assert (header["alg"], header["typ"]) == (algorithm, typ)
        keys = jwt.PyJWKSet.from_dict(self.site.get("/.well-known/jwks.json").json()).keys
        key = next(key for key in keys if key.key_id == header["kid"])
        return jwt.decode(token, key.key, algorithms=[algorithm], audience=self.name, issuer=self.site.url, leeway=5)


def parameters_of(answer):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers.get("Location", "")).query))


def signed_in(site, address):
    """A visitor who has a session here."""
    visitor = Visitor()
    sign_in(site, visitor, address)
    return visitor


def sign_in(site, visitor, address):
    otp_id, code = site.request_code(address)
    answer = visitor.request("POST", f"{site.url}/api/v1/auth/otp/verify", json={"otp_id": otp_id, "otp": code, "session": "cookie"})
    assert answer.status_code == 200, answer.text
    return answer.json()


class Receiver:
    """A server of the application's: what it was sent, (method, path, form)."""

    def __init__(self):
        outer = self
        self.seen = []
        self.status = 200

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                if self.path != "/favicon.ico":
                    outer.seen.append((self.command, self.path, dict(urllib.parse.parse_qsl(body))))
                text = b"<!doctype html><title>Wiki</title><h1 id='wiki'>Wiki</h1>"
                self.send_response(outer.status)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = answer

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
