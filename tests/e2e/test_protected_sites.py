"""/authz, and other sites of the login's own host, protected through nginx or Apache by the files of etc/."""
import http.server
import json
import re
import threading

import pytest
import requests

from support import ports
from support.keys import Backend
from support.apache import MODULES, Apache
from support.nginx import WWW, Nginx
from support.process import Process
from support.site import WITH_SOCKET
from test_cookie_session import Browser
from test_login_flow import assert_problem


class Application:
    """The other site: tells what it was asked and by whom."""

    def __init__(self):
        outer = self
        self.last = []  # fields of the last request

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                # As CGI and WSGI programs see them, who cannot tell underscores from dashes, and some of them no sign from another.
                told = [(re.sub("[^a-z0-9]", "-", name.lower()), value) for name, value in self.headers.items()]
                outer.last = told
                users = [value for name, value in told if name == "x-auth-user"]
                text = f"{self.command} {self.path} {len(body)} {','.join(users)}".encode()
                self.send_response(503 if self.path == "/fail" else 200)
                for name in ("email", "session", "groups"):
                    self.send_header(f"Seen-{name}", "|".join(value for other, value in told if other == f"x-auth-{name}"))
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_DELETE = answer

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def application():
    running = Application()
    yield running
    running.stop()


# /authz itself.

def test_authz_says_who_it_is_to_a_token(site, address):
    login = site.login(address)

    answer = site.get("/authz", token=login["access"])

    assert answer.status_code == 204
    assert answer.content == b""
    assert answer.headers["X-Auth-User"] == login["user"]["id"]
    assert answer.headers["X-Auth-Email"] == address
    assert answer.headers["X-Auth-Session"] == login["session_id"]


def test_authz_says_who_it_is_to_a_cookie(site, address):
    browser = Browser(site, address)

    answer = browser.send("GET", "/authz")

    assert answer.status_code == 204
    assert answer.headers["X-Auth-User"] == browser.body["user"]["id"]
    assert answer.headers["X-Auth-Session"] == browser.body["session_id"]


def test_authz_of_somebody_without_an_address(sms_site, number):
    otp_id = sms_site.post("/api/v1/auth/otp/request", {"destination": number}).json()["otp_id"]
    login = sms_site.verify(otp_id, sms_site.phones.wait_for(number)).json()

    answer = sms_site.get("/authz", token=login["access"])

    assert answer.status_code == 204
    assert answer.headers["X-Auth-User"] == login["user"]["id"]
    assert not answer.headers.get("X-Auth-Email")


def test_nobody_vouches_for_an_address_that_nobody_proved(sms_site, address, new_address, number):
    # As it comes from elsewhere: the number is the user's, the address may be anybody's.
    fields = {"username": address, "email": address, "phone_number": number, "password": "!", "is_active": True}
    dump = json.dumps([{"model": "auth.user", "pk": 1, "fields": fields}])
    assert sms_site.otpgate.run("import-django", "-", shown=dump).returncode == 0
    otp_id = sms_site.post("/api/v1/auth/otp/request", {"destination": number}).json()["otp_id"]
    login = sms_site.verify(otp_id, sms_site.phones.wait_for(number)).json()

    answer = sms_site.get("/authz", token=login["access"])

    assert answer.status_code == 204
    assert answer.headers["X-Auth-User"] == login["user"]["id"]
    assert "X-Auth-Email" not in answer.headers
    backend = Backend(sms_site, new_address())
    described = backend.introspect(login["access"])
    assert described["active"] is True and address not in json.dumps(described)
    # He himself sees what is known of him, and that it is not verified.
    me = sms_site.get("/api/v1/auth/me", token=login["access"]).json()["user"]
    assert (me["email"], me["email_verified"]) == (address, False)
    assert backend.introspect(login["access"])["username"] == number
    # A name is not a way around it.
    named = sms_site.request("PATCH", "/api/v1/auth/profile", json={"username": new_address()}, token=login["access"])
    assert named.status_code == 400
    assert backend.introspect(login["access"])["username"] == number
    # Proved, it is told.
    sms_site.login(address)
    assert sms_site.get("/authz", token=login["access"]).headers["X-Auth-Email"] == address


def test_authz_tells_the_groups_of_whoever_has_some(site, address):
    login = site.login(address)
    assert "X-Auth-Groups" not in site.get("/authz", token=login["access"]).headers
    for group in ("staff", "editors"):
        for action in (["create", group], ["add", group, address]):
            assert site.otpgate.run("group", *action).returncode == 0

    assert site.get("/authz", token=login["access"]).headers["X-Auth-Groups"] == "editors,staff"


def test_authz_refuses_everybody_else(site, address):
    ended = Browser(site, address)
    ended.send("POST", "/api/v1/auth/logout", csrf=ended.csrf_token)

    for answer, code in (
        (site.get("/authz"), "UNAUTHENTICATED"),
        (site.get("/authz", token="nonsense"), "INVALID_TOKEN"),
        (site.get("/authz", headers={"Cookie": "__Host-otpgate=nonsense"}), "INVALID_TOKEN"),
        (ended.send("GET", "/authz"), "INVALID_TOKEN"),
        (site.get("/authz", headers={"X-Auth-User": "me"}), "UNAUTHENTICATED"),
    ):
        assert_problem(answer, 401, code)
        assert "WWW-Authenticate" in answer.headers
        assert not {"X-Auth-User", "X-Auth-Email", "X-Auth-Session", "X-Auth-Groups"} & set(answer.headers)


# nginx.

@pytest.fixture
def behind_nginx(make_site, application, new_folder):
    """(otpgate's site, the address of the other one)"""
    site = make_site("sqlite", web=WITH_SOCKET)
    port = ports.free_port()
    inside = f"""
        upstream otpgate {{ server "unix:{site.otpgate.socket}"; }}
        server {{
            listen 127.0.0.1:{port};
            set $otpgate_site {site.url};
            set $otpgate_require anybody;
            include snippets/otpgate_site.conf;
            include snippets/otpgate_protect.conf;
            location / {{
                include snippets/otpgate_visitor_proxy.conf;
                proxy_pass http://127.0.0.1:{application.port};
            }}
        }}
    """
    nginx = Nginx(new_folder(), None, port=port, inside=inside)
    assert nginx.check() == []
    nginx.start()
    yield site, nginx.url
    nginx.stop()


def test_nginx_lets_nobody_pass_who_is_not_signed_in(behind_nginx):
    _, url = behind_nginx

    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Cookie": "__Host-otpgate=x"}, {"X-Auth-User": "me"}):
        answer = requests.get(f"{url}/page", headers=headers, timeout=15)
        assert answer.status_code == 401
        assert "GET /page" not in answer.text


def test_nginx_tells_the_site_who_it_is(behind_nginx, address):
    site, url = behind_nginx
    login, browser = site.login(address), Browser(site, address)
    user = login["user"]["id"]

    for headers in ({"Authorization": f"Bearer {login['access']}"}, {"Authorization": f"Token {login['access']}"},
                    {"Cookie": browser.cookie}, {"Cookie": browser.cookie, "X-Auth-User": "somebody-else"}):
        answer = requests.get(f"{url}/page?x=1", headers=headers, timeout=15)
        assert answer.status_code == 200
        assert answer.text == f"GET /page?x=1 0 {user}"


@pytest.mark.parametrize("size", [0, 5, 20_000, 500_000])
def test_nginx_hands_on_what_is_sent_and_needs_no_csrf_token_for_it(behind_nginx, address, size):
    # The other site has its own protection against forged requests; what is asked here is who it is.
    site, url = behind_nginx
    browser = Browser(site, address)

    answer = requests.post(f"{url}/form", data=b"x" * size, headers={"Cookie": browser.cookie}, timeout=15)

    assert answer.status_code == 200
    assert answer.text == f"POST /form {size} {browser.body['user']['id']}"


def test_nginx_hands_on_a_chunked_body(behind_nginx, address):
    site, url = behind_nginx
    browser = Browser(site, address)

    answer = requests.post(f"{url}/form", data=iter([b"x" * 1000, b"y" * 1000]), headers={"Cookie": browser.cookie}, timeout=15)

    assert answer.status_code == 200
    assert answer.text == f"POST /form 2000 {browser.body['user']['id']}"


FORGED = {f"X{one}Auth{other}{name}": "forged" for name in ("User", "Email", "Session", "Groups") for one in "-_" for other in "-_"}


def test_nginx_passes_on_nothing_that_a_client_says_of_itself(behind_nginx, address):
    site, url = behind_nginx
    login = site.login(address)

    answer = requests.get(f"{url}/page", headers={"Authorization": f"Bearer {login['access']}", **FORGED}, timeout=15)

    assert answer.text == f"GET /page 0 {login['user']['id']}"
    assert answer.headers["Seen-email"] == address
    assert answer.headers["Seen-session"] == login["session_id"]
    assert answer.headers["Seen-groups"] == ""


def test_nginx_tells_the_site_of_groups(behind_nginx, address):
    site, url = behind_nginx
    login = site.login(address)
    assert site.otpgate.run("group", "create", "staff").returncode == 0
    assert site.otpgate.run("group", "add", "staff", address).returncode == 0

    answer = requests.get(f"{url}/page", headers={"Authorization": f"Bearer {login['access']}", **FORGED}, timeout=15)

    assert answer.headers["Seen-groups"] == "staff"


def test_behind_nginx_a_logout_holds_at_once(behind_nginx, address):
    site, url = behind_nginx
    browser = Browser(site, address)
    assert requests.get(f"{url}/page", headers={"Cookie": browser.cookie}, timeout=15).status_code == 200

    browser.send("POST", "/api/v1/auth/logout", csrf=browser.csrf_token)

    assert requests.get(f"{url}/page", headers={"Cookie": browser.cookie}, timeout=15).status_code == 401


def test_behind_nginx_nobody_passes_while_otpgate_is_down(behind_nginx, address):
    site, url = behind_nginx
    browser = Browser(site, address)
    site.otpgate.kill()

    answer = requests.get(f"{url}/page", headers={"Cookie": browser.cookie}, timeout=15)

    assert answer.status_code >= 500
    assert "GET /page" not in answer.text


# Apache.

def protected(site, authorizer, application):
    return f"""
        AuthnzFcgiDefineProvider authn otpgate fcgi://127.0.0.1:{authorizer}/
        <Location "/private/">
            SetEnvIfExpr true OTPGATE_SITE={site.url}
            SetEnvIfExpr true OTPGATE_REQUIRE=anybody
            Include otpgate_protect.conf
            ProxyPass "http://127.0.0.1:{application.port}/"
        </Location>
    """


@pytest.fixture
def behind_apache(make_site, application, new_folder):
    """The same. mod_authnz_fcgi speaks to a TCP port only, so nginx does too."""
    fastcgi = ports.free_port()
    site = make_site("sqlite", web=WITH_SOCKET, server_listen=f"127.0.0.1:{fastcgi}", start=False)
    site.web = Nginx(new_folder(), None, port=site.web.port, inside=f"""
        upstream otpgate {{ server 127.0.0.1:{fastcgi}; }}
        server {{ listen 127.0.0.1:{site.web.port}; include snippets/otpgate_locations.conf; }}
    """)
    site.start()
    port = ports.free_port()
    protection = protected(site, fastcgi, application)
    names = ("authnz_fcgi", "authz_user", "proxy_http")
    modules = "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in names)
    apache = Apache(new_folder(), None, port=port, inside=f"{modules}\nListen 127.0.0.1:{port}\n{protection}")
    assert apache.check() == []
    apache.start()
    yield site, apache.url
    apache.stop()


def test_apache_lets_nobody_pass_who_is_not_signed_in(behind_apache):
    _, url = behind_apache

    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Cookie": "__Host-otpgate=x"}, {"X-Auth-User": "me"}):
        answer = requests.get(f"{url}/private/page", headers=headers, timeout=5)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.json()["code"] in ("UNAUTHENTICATED", "INVALID_TOKEN")


def test_apache_tells_the_site_who_it_is(behind_apache, address):
    site, url = behind_apache
    login, browser = site.login(address), Browser(site, address)
    user = login["user"]["id"]

    for headers in ({"Authorization": f"Bearer {login['access']}"}, {"Authorization": f"Token {login['access']}"},
                    {"Cookie": browser.cookie}, {"Cookie": browser.cookie, "X-Auth-User": "somebody-else"}):
        answer = requests.get(f"{url}/private/page?x=1", headers=headers, timeout=5)
        assert answer.status_code == 200
        assert answer.text == f"GET /page?x=1 0 {user}"


@pytest.mark.parametrize("size", [0, 5, 20_000, 500_000])
def test_apache_hands_on_what_is_sent(behind_apache, address, size):
    site, url = behind_apache
    browser = Browser(site, address)

    answer = requests.post(f"{url}/private/form", data=b"x" * size, headers={"Cookie": browser.cookie}, timeout=5)

    assert answer.status_code == 200
    assert answer.text == f"POST /form {size} {browser.body['user']['id']}"


def test_apache_passes_on_nothing_that_a_client_says_of_itself(behind_apache, address):
    site, url = behind_apache
    login = site.login(address)

    answer = requests.get(f"{url}/private/page", headers={"Authorization": f"Bearer {login['access']}", **FORGED}, timeout=5)

    assert answer.text == f"GET /page 0 {login['user']['id']}"
    assert answer.headers["Seen-email"] == address
    assert answer.headers["Seen-session"] == login["session_id"]
    assert answer.headers["Seen-groups"] == ""


def test_apache_tells_the_site_of_groups(behind_apache, address):
    site, url = behind_apache
    login = site.login(address)
    assert site.otpgate.run("group", "create", "staff").returncode == 0
    assert site.otpgate.run("group", "add", "staff", address).returncode == 0

    answer = requests.get(f"{url}/private/page", headers={"Authorization": f"Bearer {login['access']}", **FORGED}, timeout=5)

    assert answer.headers["Seen-groups"] == "staff"


def test_behind_apache_a_logout_holds_at_once(behind_apache, address):
    site, url = behind_apache
    browser = Browser(site, address)
    assert requests.get(f"{url}/private/page", headers={"Cookie": browser.cookie}, timeout=5).status_code == 200

    browser.send("POST", "/api/v1/auth/logout", csrf=browser.csrf_token)

    assert requests.get(f"{url}/private/page", headers={"Cookie": browser.cookie}, timeout=5).status_code == 401


def test_behind_apache_nobody_passes_while_otpgate_is_down(behind_apache, address):
    site, url = behind_apache
    browser = Browser(site, address)
    site.otpgate.kill()

    answer = requests.get(f"{url}/private/page", headers={"Cookie": browser.cookie}, timeout=15)

    assert answer.status_code >= 500
    assert "GET /page" not in answer.text


def test_the_port_of_apaches_authorizer_answers_other_requests_too(behind_apache, address):
    """The role is of the request, not of the process."""
    site, url = behind_apache
    login = site.login(address)

    assert requests.get(f"{url}/private/page", headers={"Authorization": f"Bearer {login['access']}"}, timeout=5).ok
    assert site.get("/api/v1/auth/me", token=login["access"]).status_code == 200


# In the login page's own server {} or <VirtualHost>.

def nginx_of_one_host(site, application, folder, _):
    return Nginx(folder, None, port=site.web.port, inside=f"""
        upstream otpgate {{ server "unix:{site.otpgate.socket}"; }}
        server {{
            listen 127.0.0.1:{site.web.port};
            root "{WWW}";
            include snippets/otpgate_locations.conf;
            set $otpgate_site {site.url};
            set $otpgate_require anybody;
            include snippets/otpgate_site.conf;
            location /private/ {{
                include snippets/otpgate_protect.conf;
                include snippets/otpgate_visitor_proxy.conf;
                proxy_pass http://127.0.0.1:{application.port}/;
            }}
        }}
    """)


def apache_of_one_host(site, application, folder, authorizer):
    provider, location = protected(site, authorizer, application).strip().split("\n", 1)
    names = ("authnz_fcgi", "authz_user", "proxy_http")
    modules = "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in names)
    return Apache(folder, None, port=site.web.port, inside=f"""
        {modules}
        {provider}
        Define OTPGATE_SOCKET {site.otpgate.socket}
        Define OTPGATE_WWW {folder}/www
        Listen 127.0.0.1:{site.web.port}
        <VirtualHost 127.0.0.1:{site.web.port}>
            ServerName localhost
            Include otpgate_locations.conf
            {location}
        </VirtualHost>
    """)


@pytest.fixture(params=[nginx_of_one_host, apache_of_one_host])
def one_host(request, make_site, application, new_folder):
    site = make_site("sqlite", web=WITH_SOCKET, start=False, cors_allowed_origins="https://app.example.com")
    authorizer = ports.free_port()
    site.web = request.param(site, application, new_folder(), authorizer)
    assert site.web.check() == []
    site.start()
    second = Process("otpgate", site.otpgate.process.command, site.folder / "authorizer.log",
                     {**site.otpgate.env, "OTPGATE_SERVER_LISTEN": f"127.0.0.1:{authorizer}"})
    second.start()
    ports.wait_until(lambda: ports.is_open(authorizer), 15, "the second otpgate listens")
    yield site
    assert second.stop() == 0


OTPGATES = {"Content-Type", "Content-Security-Policy", "X-Content-Type-Options", "Permissions-Policy",
            "Cross-Origin-Opener-Policy", "Referrer-Policy", "Cache-Control", "Vary", "X-Request-Id",
            "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"}


def test_a_protected_site_beside_the_login_page_is_its_own_master(one_host, application, address):
    login, browser = one_host.login(address), Browser(one_host, address)
    page = one_host.get("/")
    assert page.status_code == 200 and "script-src 'self'" in page.headers["Content-Security-Policy"]

    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"X-Auth-User": "me"}):
        refused = requests.get(f"{one_host.url}/private/page", headers=headers, timeout=15)
        assert refused.status_code == 401 and "GET /page" not in refused.text
    # PHP and others take a name from `Basic`; a token is good for the whole API (Apache keeps it, as it may ask once more).
    for headers in ({"Authorization": f"Bearer {login['access']}"}, {"Cookie": browser.cookie},
                    {"Cookie": browser.cookie, "Authorization": "Basic YWRtaW46YWRtaW4="}):
        answer = requests.get(f"{one_host.url}/private/page", timeout=15,
                              headers={**headers, **FORGED, "Origin": "https://app.example.com"})
        assert (answer.status_code, answer.text) == (200, f"GET /page 0 {login['user']['id']}")
        assert answer.headers["Seen-email"] == address
        kept = headers.get("Authorization", "").startswith("Bearer") and isinstance(one_host.web, Apache)
        assert ("authorization" in dict(application.last)) == kept
        # What it is, what it may do, who may read it and how long it is kept, it says itself.
        assert not OTPGATES & set(answer.headers)
    sent = requests.post(f"{one_host.url}/private/form", data=b"x" * 50_000, headers={"Cookie": browser.cookie}, timeout=15)
    assert sent.text == f"POST /form 50000 {login['user']['id']}"


def test_an_error_of_a_protected_site_beside_the_login_page_is_its_own(one_host, application, address):
    login = one_host.login(address)

    answer = requests.get(f"{one_host.url}/private/fail", headers={"Authorization": f"Bearer {login['access']}"}, timeout=15)

    assert (answer.status_code, answer.text.split()[:2]) == (503, ["GET", "/fail"])
