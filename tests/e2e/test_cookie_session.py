"""Sessions of browsers: the cookie, the CSRF token, and which origins may call; on both engines."""
import re

import pytest

from support.lighttpd import Lighttpd
from test_login_flow import assert_problem

AUTH = "/api/v1/auth"
SESSION = "__Host-otpgate"
APP = "https://app.example.com"
FOREIGN = "https://evil.example.net"


def set_cookies(answer):
    """{name: (value, {attribute})} of all Set-Cookie lines."""
    found = {}
    for line in answer.raw.headers.getlist("Set-Cookie"):
        pair, *attributes = line.split("; ")
        name, _, value = pair.partition("=")
        assert name not in found
        found[name] = (value, set(attributes))
    return found


class Browser:
    """Signed in by cookie. Our own, because a library's cookie jar sends no Secure cookie over http."""

    def __init__(self, site, address):
        self.site = site
        self.signed_in = site.verify(*site.request_code(address), session="cookie")
        assert self.signed_in.status_code == 200, self.signed_in.text
        self.body = self.signed_in.json()
        self.csrf_token = self.body["csrf_token"]
        self.cookies = {name: value for name, (value, _) in set_cookies(self.signed_in).items()}

    @property
    def cookie(self):
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def send(self, method, path, *, csrf=None, origin=None, headers=None, **options):
        chosen = {"Cookie": self.cookie, **(headers or {})}
        if csrf is not None:
            chosen["X-CSRF-Token"] = csrf
        if origin is not None:
            chosen["Origin"] = origin
        return self.site.request(method, path, headers=chosen, **options)

    def change(self, **options):
        """A request that changes something."""
        return self.send("PATCH", f"{AUTH}/profile", json={"first_name": "Ann"}, **options)


@pytest.fixture
def browser(site, address):
    return Browser(site, address)


@pytest.fixture(scope="module")
def open_site(engine, new_folder, request):
    """One that lets the pages of two origins call it."""
    from conftest import ROOMY
    from support.site import Site

    mysql = request.getfixturevalue("mysql") if engine == "mysql" else None
    settings = {**ROOMY, "cors.allowed_origins": f"{APP}, http://localhost:3000"}
    with Site(new_folder(), engine=engine, mysql=mysql, settings=settings) as running:
        yield running


# The cookie.

def test_a_browser_gets_a_cookie_in_place_of_tokens(browser, address):
    body = browser.body

    assert set(body) == {"csrf_token", "expires_in", "session_id", "detail", "is_new_user", "user"}
    assert body["user"]["email"] == address
    assert body["expires_in"] == 7 * 86400
    assert set(set_cookies(browser.signed_in)) == {SESSION, "__Host-otpgate-device"}


def test_its_attributes_keep_it_from_scripts_and_other_hosts(browser):
    value, attributes = set_cookies(browser.signed_in)[SESSION]

    assert attributes == {"Path=/", "Secure", "HttpOnly", "SameSite=Lax", f"Max-Age={7 * 86400}"}
    assert re.fullmatch(r"[A-Za-z0-9_-]{64}", value)


def test_it_lasts_as_long_as_sessions_do(make_site, engine, address):
    site = make_site(engine, tokens_refresh_lifetime="2h")

    _, attributes = set_cookies(Browser(site, address).signed_in)[SESSION]

    assert "Max-Age=7200" in attributes


def test_it_is_asked_for_by_name(site, address):
    otp_id, code = site.request_code(address)

    problem = assert_problem(site.verify(otp_id, code, session="jar"), 400, "VALIDATION_ERROR")

    assert [error["field"] for error in problem["errors"]] == ["session"]
    assert SESSION not in set_cookies(site.verify(otp_id, code))


def test_by_password_and_code_too(site, address):
    password = "correct horse battery staple"
    form = site.post(f"{AUTH}/register", {"email": address, "password": password}).json()
    assert site.verify(form["otp_id"], site.mailbox.wait_for(address)).status_code == 200
    otp_id = site.post(f"{AUTH}/login", {"email": address, "password": password}).json()["otp_id"]
    code = site.mailbox.wait_for(address)

    answer = site.post(f"{AUTH}/login/otp-verify", {"otp_id": otp_id, "otp": code, "session": "cookie"})

    assert answer.status_code == 200
    assert SESSION in set_cookies(answer)
    assert "access" not in answer.json() and answer.json()["csrf_token"]


def test_safe_methods_need_nothing_else(browser, address):
    for path in (f"{AUTH}/me", f"{AUTH}/sessions", "/api/v1/audit/logs", "/api/auth/profile/"):
        assert browser.send("GET", path).status_code == 200, path
    assert browser.send("HEAD", f"{AUTH}/me").status_code == 200
    me = browser.send("GET", f"{AUTH}/me")
    assert me.json()["user"]["email"] == address
    assert me.headers["X-CSRF-Token"] == browser.csrf_token


def test_the_csrf_token_is_for_browsers_only(site, address):
    answer = site.get(f"{AUTH}/me", token=site.login(address)["access"])

    assert "X-CSRF-Token" not in answer.headers


def test_its_session_is_the_current_one(browser):
    sessions = browser.send("GET", f"{AUTH}/sessions").json()["sessions"]

    assert [(session["id"], session["current"]) for session in sessions] == [(browser.body["session_id"], True)]


@pytest.mark.parametrize("change", ["last", "first", "longer", "empty", "device", "csrf", "other_case"])
def test_a_forged_cookie_is_nobody(site, browser, change):
    value = browser.cookies[SESSION]
    forged = {
        "last": value[:-4] + ("AAAA" if value[-4:] != "AAAA" else "BBBB"),
        "first": ("A" if value[0] != "A" else "B") + value[1:],
        "longer": value + "AAAA",
        "empty": "",
        "device": browser.cookies["__Host-otpgate-device"],
        "csrf": browser.csrf_token,
        "other_case": value.swapcase(),
    }[change]

    answer = site.get(f"{AUTH}/me", headers={"Cookie": f"{SESSION}={forged}"})

    assert answer.status_code == 401
    assert answer.json()["code"] in ("INVALID_TOKEN", "UNAUTHENTICATED")
    assert "WWW-Authenticate" in answer.headers


@pytest.mark.parametrize("name", ["otpgate", "__host-otpgate", "__Host-otpgate2", "x__Host-otpgate"])
def test_a_cookie_of_another_name_is_nobody(site, browser, name):
    answer = site.get(f"{AUTH}/me", headers={"Cookie": f"{name}={browser.cookies[SESSION]}"})

    assert_problem(answer, 401, "UNAUTHENTICATED")


def test_it_is_found_among_others(site, browser):
    cookies = f"a=b; c; =; {SESSION}x=1;{SESSION}={browser.cookies[SESSION]}; z=\"q;q\""

    assert site.get(f"{AUTH}/me", headers={"Cookie": cookies}).status_code == 200


def test_it_is_no_access_token(site, browser):
    assert_problem(site.get(f"{AUTH}/me", token=browser.cookies[SESSION]), 401, "INVALID_TOKEN")
    assert_problem(site.post(f"{AUTH}/token/refresh", {"refresh": browser.cookies[SESSION]}), 401, "INVALID_TOKEN")


# Requests that change something.

def test_with_its_csrf_token_a_browser_may_do_everything(browser):
    assert browser.change(csrf=browser.csrf_token).status_code == 200
    key = browser.send("POST", "/api/v1/api-keys", json={"name": "k", "scopes": ["verify"]}, csrf=browser.csrf_token)
    assert key.status_code == 201


@pytest.mark.parametrize("method, path", [
    ("PATCH", f"{AUTH}/profile"), ("PUT", f"{AUTH}/profile"), ("POST", f"{AUTH}/logout"), ("POST", f"{AUTH}/logout-all"),
    ("DELETE", f"{AUTH}/me"), ("DELETE", f"{AUTH}/sessions/01890a5d-ac96-774b-bcce-b302099a8057"),
    ("POST", f"{AUTH}/password-change"), ("POST", "/api/v1/api-keys"),
    ("POST", f"{AUTH}/address-change/request"), ("POST", f"{AUTH}/address-change/verify"),
    ("DELETE", "/api/v1/api-keys/01890a5d-ac96-774b-bcce-b302099a8057"),
])
def test_without_it_nothing_can_be_changed(browser, method, path):
    assert_problem(browser.send(method, path, json={}), 403, "FORBIDDEN")

    assert browser.send("GET", f"{AUTH}/me").status_code == 200


@pytest.mark.parametrize("kind", ["empty", "wrong", "cookie", "other_session", "other_user", "shorter"])
def test_with_another_one_neither(site, browser, address, new_address, kind):
    token = {
        "empty": "",
        "wrong": "A" * len(browser.csrf_token),
        "cookie": browser.cookies[SESSION],
        "other_session": lambda: Browser(site, address).csrf_token,
        "other_user": lambda: Browser(site, new_address()).csrf_token,
        "shorter": browser.csrf_token[:-1],
    }[kind]

    assert_problem(browser.change(csrf=token() if callable(token) else token), 403, "FORBIDDEN")


@pytest.mark.parametrize("origin", [FOREIGN, "null", "", "http://localhost", "https://localhost"])
def test_a_foreign_origin_is_refused_even_with_the_token(site, browser, origin):
    if origin == "" and isinstance(site.web, Lighttpd):
        return  # it passes on no header without a value, as if none had been sent
    assert_problem(browser.change(csrf=browser.csrf_token, origin=origin), 403, "FORBIDDEN")


def test_the_own_origin_passes(site, browser):
    assert browser.change(csrf=browser.csrf_token, origin=site.url).status_code == 200


@pytest.mark.parametrize("origin", [APP, "http://localhost:3000"])
def test_an_allowed_origin_passes(open_site, address, origin):
    browser = Browser(open_site, address)

    assert browser.change(csrf=browser.csrf_token, origin=origin).status_code == 200
    assert_problem(browser.change(origin=origin), 403, "FORBIDDEN")


@pytest.mark.parametrize("origin", [
    FOREIGN, APP + ".evil.example.net", APP + ":8443", "http://app.example.com", "https://APP.example.com", APP + "/",
    f"{APP}, {FOREIGN}", "http://localhost:30000",
])
def test_what_only_looks_like_an_allowed_origin_does_not(open_site, address, origin):
    browser = Browser(open_site, address)

    answer = browser.change(csrf=browser.csrf_token, origin=origin)

    assert_problem(answer, 403, "FORBIDDEN")
    assert "Access-Control-Allow-Origin" not in answer.headers


# Cookie and Authorization together.

def test_authorization_wins_over_the_cookie(site, browser, new_address):
    other = new_address()
    access = site.login(other)["access"]

    me = browser.send("GET", f"{AUTH}/me", token=access)

    assert me.json()["user"]["email"] == other
    assert "X-CSRF-Token" not in me.headers
    # No page of another origin can set that header, so no CSRF token is needed beside it.
    changed = browser.change(token=access, origin=FOREIGN)
    assert changed.status_code == 200
    assert changed.json()["user"]["email"] == other


def test_a_bad_authorization_is_not_made_good_by_the_cookie(browser):
    assert_problem(browser.send("GET", f"{AUTH}/me", token="nonsense"), 401, "INVALID_TOKEN")


def test_an_authorization_for_somebody_else_leaves_the_cookie(browser):
    # The web server may want a password of its own for the whole site.
    answer = browser.send("GET", f"{AUTH}/me", headers={"Authorization": "Basic dXNlcjpwYXNz"})

    assert answer.status_code == 200


# The end.

def assert_cleared(answer):
    value, attributes = set_cookies(answer)[SESSION]
    assert value == ""
    assert attributes == {"Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=0"}


@pytest.mark.parametrize("path", ["logout", "logout-all"])
def test_a_logout_clears_the_cookie_and_ends_the_session(browser, path):
    answer = browser.send("POST", f"{AUTH}/{path}", csrf=browser.csrf_token)

    assert answer.status_code == 204
    assert_cleared(answer)
    assert_problem(browser.send("GET", f"{AUTH}/me"), 401, "INVALID_TOKEN")
    assert_problem(browser.change(csrf=browser.csrf_token), 401, "INVALID_TOKEN")


def test_a_deleted_account_takes_its_cookies_along(browser):
    answer = browser.send("DELETE", f"{AUTH}/me", csrf=browser.csrf_token)

    assert answer.status_code == 204
    assert_cleared(answer)
    assert set_cookies(answer)["__Host-otpgate-device"][0] == ""
    assert browser.send("GET", f"{AUTH}/me").status_code == 401


def test_a_session_that_was_ended_elsewhere_is_over(site, browser, address):
    access = site.login(address)["access"]
    ended = site.request("DELETE", f"{AUTH}/sessions/{browser.body['session_id']}", token=access)
    assert ended.status_code == 204

    assert_problem(browser.send("GET", f"{AUTH}/me"), 401, "INVALID_TOKEN")


def test_a_disabled_users_browser_is_signed_out(site, browser, address):
    assert site.otpgate.run("user", "disable", address).returncode == 0

    assert_problem(browser.send("GET", f"{AUTH}/me"), 401, "INVALID_TOKEN")


def test_a_stale_cookie_does_not_stand_in_the_way_of_a_new_login(site, browser, address):
    browser.send("POST", f"{AUTH}/logout", csrf=browser.csrf_token)

    asked = browser.send("POST", f"{AUTH}/otp/request", json={"destination": address})
    done = browser.send("POST", f"{AUTH}/otp/verify", json={
        "otp_id": asked.json()["otp_id"], "otp": site.mailbox.wait_for(address), "session": "cookie"})

    assert done.status_code == 200


def test_a_form_of_another_site_signs_nobody_in(site, address):
    """Login CSRF: a form cannot send JSON, and what it can send is refused."""
    otp_id, code = site.request_code(address)
    data = f'{{"otp_id": "{otp_id}", "otp": "{code}", "session": "cookie", "x": "="}}'

    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = site.request("POST", f"{AUTH}/otp/verify", data=data, headers={"Content-Type": kind, "Origin": FOREIGN})
        assert_problem(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
        assert "Set-Cookie" not in answer.headers


# CORS.

def preflight(site, origin, method="POST", path=f"{AUTH}/otp/verify"):
    headers = {"Origin": origin, "Access-Control-Request-Method": method,
               "Access-Control-Request-Headers": "content-type, x-csrf-token"}
    return site.request("OPTIONS", path, headers=headers)


def cors_headers(answer):
    return {name for name in answer.headers if name.lower().startswith("access-control-")}


@pytest.mark.parametrize("origin", [APP, "http://localhost:3000"])
def test_a_preflight_of_an_allowed_origin(open_site, origin):
    answer = preflight(open_site, origin)

    assert answer.status_code == 204
    assert answer.content == b""
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert {"POST", "PUT", "PATCH", "DELETE"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    allowed = {name.lower() for name in answer.headers["Access-Control-Allow-Headers"].split(", ")}
    assert allowed >= {"authorization", "content-type", "x-api-key", "x-csrf-token"}
    assert int(answer.headers["Access-Control-Max-Age"]) > 0
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("origin", [FOREIGN, "null", APP + ".evil.example.net", "*"])
def test_a_preflight_of_a_foreign_origin_allows_nothing(open_site, origin):
    answer = preflight(open_site, origin)

    assert cors_headers(answer) == set()
    assert "Origin" in answer.headers["Vary"]


def test_answers_to_an_allowed_origin_may_be_read(open_site, address):
    browser = Browser(open_site, address)
    for answer in (
        browser.send("GET", f"{AUTH}/me", origin=APP),
        browser.change(csrf=browser.csrf_token, origin=APP),
        # Errors too: a page has to learn why.
        browser.change(origin=APP),
        open_site.get(f"{AUTH}/me", headers={"Origin": APP}),
        open_site.post(f"{AUTH}/otp/request", {}, headers={"Origin": APP}),
        open_site.get("/api/v1/nothing", headers={"Origin": APP}),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == APP
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert "Origin" in answer.headers["Vary"]
        exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
        assert exposed >= {"X-CSRF-Token", "X-Request-Id", "Retry-After"}


def test_answers_to_others_may_not_and_no_cache_mixes_them_up(open_site, address):
    browser = Browser(open_site, address)
    for answer in (browser.send("GET", f"{AUTH}/me", origin=FOREIGN), browser.send("GET", f"{AUTH}/me"),
                   open_site.get("/.well-known/jwks.json")):
        assert answer.status_code == 200
        assert cors_headers(answer) == set()
        assert "Origin" in answer.headers["Vary"]


def test_without_allowed_origins_nobody_is_let_in(site):
    answer = preflight(site, APP)

    assert cors_headers(answer) == set()
    assert cors_headers(site.get("/.well-known/jwks.json", headers={"Origin": APP})) == set()


@pytest.mark.parametrize(
    "origins", ["*", "app.example.com", "https://app.example.com/", "https://", "https://a.example.com, *"]
)
def test_what_is_no_origin_stops_the_start(make_site, origins):
    site = make_site(cors_allowed_origins=origins, start=False)
    site.otpgate.prepare()

    done = site.otpgate.run("serve", timeout=20)

    assert done.returncode != 0
    assert "cors.allowed_origins" in done.stderr
