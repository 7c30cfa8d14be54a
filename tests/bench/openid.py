"""Beside npm's oidc-provider, which keeps all in its memory and is asked without a web server before it, while we ask a database:
how fast what applications ask is answered, and what a whole sign-in by code costs."""
import base64
import concurrent.futures
import hashlib
import http.client
import http.cookies
import json
import pathlib
import statistics
import subprocess
import urllib.parse
import uuid

from measure import Failed, Generator
from processes import cpu_seconds
from support.ports import free_port, wait_until
from support.process import Process

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_SCRIPTS = pathlib.Path(__file__).parent / "wrk"
_REDIRECT = "https://app.example.com/callback"
_VERIFIER = "v" * 43
_CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(_VERIFIER.encode()).digest()).rstrip(b"=").decode()
_THREADS = 8
_CODES_A_USER = 250  # of ours, who are let 300 an hour
TARGETS = {"code redemption": 4, "userinfo": 2, "discovery": 2}
CPU_TARGET = 1 / 3


class _Browser:
    """One visitor: his cookies, and a connection that is kept."""

    def __init__(self, port):
        self._connection = http.client.HTTPConnection("localhost", port, timeout=30)
        self._cookies = {}

    def ask(self, method, path, body=None, headers=None):
        """(status, Location, what the answer says)"""
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        sent = {"X-Forwarded-For": f"10.{uuid.uuid4().int % 250}.{uuid.uuid4().int % 250}.7", **({"Cookie": cookies} if cookies else {}),
                **(headers or {})}
        self._connection.request(method, path, body, sent)
        answer = self._connection.getresponse()
        text = answer.read()
        for line in answer.headers.get_all("Set-Cookie") or []:
            for name, morsel in http.cookies.SimpleCookie(line).items():
                self._cookies[name] = morsel.value
        return answer.status, answer.headers["Location"] or "", text

    def post(self, path, values):
        status, _, text = self.ask("POST", path, json.dumps(values), {"Content-Type": "application/json"})
        if status >= 300:
            raise Failed(f"{path}: {status} {text[:300]}")
        return json.loads(text)

    def close(self):
        self._connection.close()


class _Party:
    """A provider, and the application that is registered there."""

    def __init__(self, name, port, secret):
        self.name, self.port, self.secret = name, port, secret
        self.paths = {}

    def look(self):
        browser = _Browser(self.port)
        metadata = json.loads(browser.ask("GET", "/.well-known/openid-configuration")[2])
        self.paths = {name: urllib.parse.urlsplit(metadata[f"{name}_endpoint"]).path for name in ("authorization", "token", "userinfo")}
        browser.close()

    def authorize(self):
        wish = {"client_id": "bench", "redirect_uri": _REDIRECT, "response_type": "code", "scope": "openid email", "state": "s", "nonce": "n",
                "code_challenge": _CHALLENGE, "code_challenge_method": "S256"}
        return f"{self.paths['authorization']}?{urllib.parse.urlencode(wish)}"

    def form(self, code):
        return urllib.parse.urlencode({"grant_type": "authorization_code", "code": code, "redirect_uri": _REDIRECT, "client_id": "bench",
                                       "client_secret": self.secret, "code_verifier": _VERIFIER})

    def code(self, browser, path=None):
        """Of a visitor who has a session."""
        _, location, text = browser.ask("GET", path or self.authorize())
        if not location.startswith(_REDIRECT):
            raise Failed(f"{self.name}: sent to {location} {text[:300]}")
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))["code"]

    def redeem(self, browser, code):
        status, _, text = browser.ask("POST", self.paths["token"], self.form(code), {"Content-Type": "application/x-www-form-urlencoded"})
        if status != 200:
            raise Failed(f"{self.name}: {status} {text[:300]}")
        return json.loads(text)


class _Ours(_Party):
    most_codes_a_second = 2500

    def __init__(self, servers, service, key):
        done = service.otpgate.run("client", "create", "bench", "--redirect", _REDIRECT, "--json")
        if done.returncode != 0:
            raise Failed(done.stderr)
        super().__init__("otpgate", service.port, json.loads(done.stdout)["client_secret"])
        self._servers, self._service, self._key = servers, service, key

    def sign_in(self, browser):
        """From where the application sends its visitor to the code; as the page does it."""
        browser.ask("GET", self.authorize())
        asked = browser.post("/api/v1/auth/otp/request", {"destination": f"{uuid.uuid4().hex}@example.com"})
        browser.post("/api/v1/auth/otp/verify", {"otp_id": asked["otp_id"], "otp": self._key.code(uuid.UUID(asked["otp_id"])),
                                                 "session": "cookie"})
        return self.code(browser)

    def cpu(self):
        pids = self._servers.pids(self._service)
        return {name: cpu_seconds(pids[name]) for name in ("otpgate", "mariadbd", "nginx") if name in pids}


class _Theirs(_Party):
    most_codes_a_second = 1000

    def __init__(self, folder):
        super().__init__("oidc-provider", free_port(), "s" * 43)
        done = subprocess.run([_ROOT / "tests/npm/install", "provider"], check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        installed = pathlib.Path(done.stdout.strip())
        (installed / "provider.mjs").write_text((_ROOT / "tests/npm/provider/provider.mjs").read_text())
        self.process = Process("oidc-provider", ["node", installed / "provider.mjs", str(self.port), "bench", self.secret, _REDIRECT],
                               folder / "oidc-provider.log")

    def sign_in(self, browser):
        _, location, text = browser.ask("GET", self.authorize())
        if not location.startswith("/interaction/"):
            raise Failed(f"oidc-provider: sent to {location} {text[:300]}")
        _, back, _ = browser.ask("POST", f"{location}/login?account={uuid.uuid4().hex}@example.com")
        return self.code(browser, urllib.parse.urlsplit(back).path)

    def cpu(self):
        return {"node": cpu_seconds([self.process.pid])}


def _wrk(party, script, connections, seconds, *arguments):
    """Requests a second, and milliseconds of CPU that each costs, by process."""
    before = party.cpu()
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s", "--timeout", "10s", "--script", script,
               f"http://localhost:{party.port}", "--", *arguments]
    generator = Generator(command, _SCRIPTS)
    try:
        result = generator.result()
        generator.end()
    finally:
        generator.stop()
    if result["bad_status"] or not result["requests"]:
        raise Failed(f"{party.name}, {script}: {result}")
    spent = {name: (now - before[name]) * 1000 / result["requests"] for name, now in party.cpu().items()}
    return result["requests"] / result["seconds"], spent


def _at_once(party, count, work):
    """`work(browser)` for so many visitors, in some threads."""
    def one(_):
        browser = _Browser(party.port)
        try:
            return work(browser)
        finally:
            browser.close()

    with concurrent.futures.ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(one, range(count)))


def _forms(party, count, file):
    """So many codes that nobody has shown yet. Ours are good for a minute."""
    codes = _at_once(party, -(-count // _CODES_A_USER),
                     lambda browser: [party.sign_in(browser), *(party.code(browser) for _ in range(_CODES_A_USER - 1))])
    file.write_text("".join(party.form(code) + "\n" for each in codes for code in each))


def _rates(party, connections, seconds, folder):
    """{what: what _wrk() says}"""
    file = folder / f"{party.name}.forms"
    token = _at_once(party, 1, lambda browser: party.redeem(browser, party.sign_in(browser)))[0]["access_token"]
    rates = {"discovery": _wrk(party, "get.lua", connections, seconds, "/.well-known/openid-configuration"),
             "userinfo": _wrk(party, "get.lua", connections, seconds, party.paths["userinfo"], token)}
    _forms(party, party.most_codes_a_second * seconds, file)
    return {**rates, "code redemption": _wrk(party, "redeem.lua", connections, seconds, party.paths["token"], str(file))}


def _flow_cpu(party, flows):
    """Milliseconds of CPU that a whole sign-in costs, by process."""
    before = party.cpu()
    _at_once(party, flows, lambda browser: party.redeem(browser, party.sign_in(browser)))
    return {name: (spent - before[name]) * 1000 / flows for name, spent in party.cpu().items()}


def measure_openid(servers, key, efforts, flows):
    """One line a round: both, one after the other. `efforts`: (connections, rounds, seconds)"""
    ours, theirs = _Ours(servers, servers.services[0], key), _Theirs(servers.folder)
    lines = []
    theirs.process.start()
    try:
        wait_until(lambda: "ready" in theirs.process.log_text(), 10, "oidc-provider is ready")
        ours.look()
        theirs.look()
        for connections, rounds, seconds in efforts:
            for number in range(rounds):
                line = {"connections": connections}
                # Whoever came first in the last round comes second in this one.
                for party in (ours, theirs) if number % 2 == 0 else (theirs, ours):
                    line[party.name] = {"rates": _rates(party, connections, seconds, servers.folder), "flow_ms": _flow_cpu(party, flows)}
                    print(".", end="", flush=True)
                lines.append(line)
    finally:
        theirs.process.stop()
    print()
    return lines


def print_openid(lines):
    for connections in dict.fromkeys(line["connections"] for line in lines):
        _print([line for line in lines if line["connections"] == connections])


def _cpu_beside(ours, theirs, target=None):
    """A line for our process alone, one with what it asks and one with what asks it; on a busy machine more to be relied upon than
    rates."""
    their_ms = statistics.median(sum(each.values()) for each in theirs)
    spent = {name: statistics.median(each[name] for each in ours) for name in ours[0]}
    told = []
    for several in (["otpgate"], ["otpgate", "mariadbd"], list(spent)):
        ms = sum(spent.get(name, 0) for name in several)
        told.append(f"{ms:.2f} ms of {'+'.join(several)} ({ms / their_ms:.2f})")
    met = "" if target is None else f" ({'met' if spent['otpgate'] <= their_ms * target else 'NOT MET'}: {target:.2f})"
    return f"{', '.join(told)} beside {their_ms:.2f} ms{met}"


def _print(lines):
    ours, theirs = ([line[name] for line in lines] for name in ("otpgate", "oidc-provider"))
    print(f"{lines[0]['connections']} connections, medians of {len(lines)}, beside oidc-provider:")
    for what, target in TARGETS.items():
        rates = [[each["rates"][what][0] for each in party] for party in (ours, theirs)]
        ratio = statistics.median(our / their for our, their in zip(*rates))
        print(f"  {what}: {statistics.median(rates[0]):.0f}/s beside {statistics.median(rates[1]):.0f}/s, {ratio:.1f} times"
              f" ({'met' if ratio >= target else 'NOT MET'}: {target})")
        print(f"    CPU: {_cpu_beside(*([each['rates'][what][1] for each in party] for party in (ours, theirs)))}")
    print(f"  a whole sign-in by code: {_cpu_beside(*([each['flow_ms'] for each in party] for party in (ours, theirs)), CPU_TARGET)}")
