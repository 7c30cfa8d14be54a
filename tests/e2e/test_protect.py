"""Sites under names of their own, protected as etc/doc/protect.md says: its blocks and the files of etc/, unchanged but for names and
ports of this machine."""
import pathlib
import re
import shutil
import time
import urllib.parse

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from browser import open_browser
from support import ports
from support.apache import MODULES, Apache
from support.authenticator import Authenticator
from support.certificates import Authority
from support.nginx import Nginx
from support.process import Process
from support.site import WITH_SOCKET
from support.visitor import Visitor
from test_passkeys import register
from test_protected_sites import Application

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOGIN = "login.test.localhost"
WIKI = "wiki.test.localhost"
SHOP = "shop.test.localhost"
FORGED = {name: "forged" for name in (
    "Remote-User", "Remote_User", "REMOTE_USER", "Remote-Email", "Remote-Groups", "Remote-Name", "X-Auth-User", "X_Auth_User", "X_AUTH_USER",
    "X-Auth_User", "X-Auth-Email", "X_Auth_Email", "X-Auth-Session", "X-Auth-Request-User", "X_Auth_Request_User", "X-Auth_Request-User",
    "X-Auth-Request-Email", "X-Auth-Request-Groups", "X-Auth-Request-Preferred-Username", "Otpgate-User", "Otpgate_User", "OTPGATE_SITE",
    "OTPGATE-REQUIRE", "X-Auth-Aal", "X_Auth_Aal")}


def recipe(language, words, replacements):
    """The one block of the page with these words, for this machine: each placeholder must be there."""
    text = (ROOT / "etc/doc/protect.md").read_text()
    found = [block for kind, block in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
             if kind == language and words in block]
    assert len(found) == 1, (language, words)
    block = found[0]
    for pattern, value in replacements:
        block, count = re.subn(pattern, lambda _, value=value: str(value), block)
        assert count, f"{pattern} is not in the recipe"
    return block


class Hosts:
    """The login at one name, the wiki and the shop at others, all on one web server of the given kind."""

    def __init__(self, site, web, application):
        self.site, self.web, self.application = site, web, application
        self.login = site.settings["server.public_url"]
        self.wiki = f"http://{WIKI}:{web.port}"
        self.shop = f"http://{SHOP}:{web.port}"
        # Cookies know no ports, so their names do.
        self.cookie = f"__Host-otpgate-site-{web.port}"
        self.nonce_cookie = f"__Host-otpgate-start-{web.port}"

    def sign_in(self, visitor, address):
        otp_id, code = self.ask(visitor, address)
        answer = visitor.request("POST", f"{self.login}/api/v1/auth/otp/verify", json={"otp_id": otp_id, "otp": code, "session": "cookie"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, visitor, address):
        asked = visitor.request("POST", f"{self.login}/api/v1/auth/otp/request", json={"destination": address})
        assert asked.status_code == 202, asked.text
        return asked.json()["otp_id"], self.site.mailbox.wait_for(address)

    def visitor(self, address):
        """Somebody who is signed in at the login's host, and nowhere else."""
        visitor = Visitor()
        visitor.user = self.sign_in(visitor, address)
        return visitor


def nginx_hosts(site, folder, port, application, require, _authorizer):
    def server(name, rule):
        return recipe("nginx", "proxy_pass", [
            (r"listen 443 ssl http2;", f"listen 127.0.0.1:{port};"),
            (r"server_name wiki\.example\.com", f"server_name {name}"),
            (r" +ssl_certificate\w* .*\n", ""),
            (r"https://wiki\.example\.com", f"http://{name}:{port}"),
            (r"people=example\.com", rule),
            (r"http://127\.0\.0\.1:3000", f"http://127.0.0.1:{application.port}"),
        ])
    return Nginx(folder, None, port=port, inside=f"""
        upstream otpgate {{ server "unix:{site.otpgate.socket}"; }}
        server {{
            listen 127.0.0.1:{port};
            server_name {LOGIN};
            root "{ROOT}/build/www";
            include snippets/otpgate_locations.conf;
        }}
        {server(WIKI, require)}
        {server(SHOP, "anybody")}
    """)


def apache_hosts(site, folder, port, application, require, authorizer):
    def server(name, rule):
        return recipe("apache", "ServerName wiki.example.com", [
            (r"Define OTPGATE_SOCKET .*\n", ""),
            (r"AuthnzFcgiDefineProvider .*\n", ""),
            (r"\*:443", f"127.0.0.1:{port}"),
            (r"ServerName wiki\.example\.com", f"ServerName {name}"),
            (r" +SSL\w+ .*\n", ""),
            (r" +DocumentRoot .*\n +DirectoryIndex .*\n", ""),
            (r"https://wiki\.example\.com", f"http://{name}:{port}"),
            (r"people=example\.com", rule),
            (r'(?s) +<FilesMatch "\\.php\$">.*?</FilesMatch>', 
             recipe("apache", "otpgate_visitor_proxy.conf", [(r"http://127\.0\.0\.1:3000", f"http://127.0.0.1:{application.port}")])),
        ])
    names = ("authnz_fcgi", "authz_user", "lua", "proxy_http")
    modules = "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in names)
    return Apache(folder, None, port=port, inside=f"""
        {modules}
        AuthnzFcgiDefineProvider authn otpgate fcgi://127.0.0.1:{authorizer}/
        Define OTPGATE_SOCKET {site.otpgate.socket}
        Define OTPGATE_FIELDS {folder}/otpgate_fields.lua
        Define OTPGATE_WWW {folder}/www
        Listen 127.0.0.1:{port}
        <VirtualHost 127.0.0.1:{port}>
            ServerName {LOGIN}
            Include otpgate_locations.conf
        </VirtualHost>
        {server(WIKI, require)}
        {server(SHOP, "anybody")}
    """)


@pytest.fixture(scope="module")
def application():
    running = Application()
    yield running
    running.stop()


@pytest.fixture(params=["nginx", "apache"])
def web(request):
    return request.param


@pytest.fixture
def make_hosts(make_site, new_folder, application, web):
    running = []

    def make(require="people=example.com", engine="sqlite", **settings):
        port, authorizer = ports.free_port(), ports.free_port()
        site = make_site(engine, web=WITH_SOCKET, start=False, **{
            "server.public_url": f"http://{LOGIN}:{port}",
            "page.return_to": f"Wiki http://{WIKI}:{port}, Shop http://{SHOP}:{port}", **settings})
        build = {"nginx": nginx_hosts, "apache": apache_hosts}[web]
        site.web = build(site, new_folder(), port, application, require, authorizer)
        assert site.web.check() == []
        site.url = f"http://127.0.0.1:{port}"  # the first site is the login's
        site.start()
        if web == "apache":
            second = Process("otpgate", site.otpgate.process.command, site.folder / "authorizer.log",
                             {**site.otpgate.env, "OTPGATE_SERVER_LISTEN": f"127.0.0.1:{authorizer}"})
            second.start()
            running.append(second)
            ports.wait_until(lambda: ports.is_open(authorizer), 15, "the second otpgate listens")
        return Hosts(site, site.web, application)

    yield make
    for process in running:
        assert process.stop() == 0


@pytest.fixture
def hosts(make_hosts):
    return make_hosts()


def told(visitor):
    """What the application answers, and who it was told he is."""
    return visitor.text.split()


# There and back.

def test_a_visitor_signs_in_and_is_where_he_wanted_to_be(hosts, address):
    visitor = Visitor()
    wanted = f"{hosts.wiki}/page/One%20Two?a=b%2Fc&d=%C3%A9"

    page = visitor.open(wanted)
    assert page.status_code == 200 and "<title>Sign in</title>" in page.text
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(visitor.seen[-1]).query)
    assert query["return_to"] == [wanted] and query["sign_in"] == ["here"]
    # What the page does then: it asks where to go on to, signs in, and goes there.
    known = visitor.request("GET", f"{hosts.login}/api/v1/page?{urllib.parse.urlencode({'return_to': wanted})}").json()
    assert known["return_to"] == {"url": wanted, "name": "Wiki"}
    user = hosts.sign_in(visitor, address)["user"]

    answer = visitor.open(known["return_to"]["url"])
    assert (answer.status_code, told(answer)) == (200, ["GET", wanted.removeprefix(hosts.wiki), "0", user["id"]])
    assert answer.headers["Seen-email"] == address
    # From now on without a detour, and the login's cookie was never here.
    assert visitor.open(f"{hosts.wiki}/other").status_code == 200 and len(visitor.seen) == 1
    assert visitor.cookie(WIKI, hosts.cookie) and not visitor.cookie(WIKI, "__Host-otpgate")


def test_who_is_signed_in_gets_to_the_next_site_without_being_asked(hosts, address):
    visitor = hosts.visitor(address)

    for site in (hosts.wiki, hosts.shop):
        answer = visitor.open(f"{site}/page")
        assert told(answer) == ["GET", "/page", "0", visitor.user["user"]["id"]]
        assert [urllib.parse.urlsplit(url).path for url in visitor.seen] == ["/page", "/authz/enter", "/.otpgate/enter", "/page"]
        assert all("ticket" not in url for url in visitor.seen[:2] + visitor.seen[3:])
    log = hosts.site.otpgate.log() + (hosts.site.web.access_log() if isinstance(hosts.web, Nginx) else "")
    assert "ticket=" not in log


def test_a_browser_signs_in_on_the_way(hosts, address):
    wanted = f"{hosts.wiki}/page?x=1"
    with open_browser() as driver:
        wait = WebDriverWait(driver, 20)
        driver.get(wanted)
        wait.until(lambda d: d.find_element(By.ID, "address").is_displayed())
        assert urllib.parse.urlsplit(driver.current_url).hostname == LOGIN
        driver.find_element(By.ID, "address").send_keys(address)
        driver.find_element(By.ID, "address-submit").click()
        code = hosts.site.mailbox.wait_for(address)
        wait.until(lambda d: d.find_element(By.ID, "code").is_displayed())
        driver.find_element(By.ID, "code").send_keys(code)
        wait.until(lambda d: d.current_url == wanted)
        assert driver.find_element(By.TAG_NAME, "body").text.startswith("GET /page?x=1 0 ")
        # Signed in there, the next site asks nothing.
        driver.get(f"{hosts.shop}/")
        wait.until(lambda d: d.current_url == f"{hosts.shop}/")
        assert driver.find_element(By.TAG_NAME, "body").text.startswith("GET / 0 ")


def test_two_tabs_that_are_on_their_way_both_arrive(hosts, address):
    visitor = hosts.visitor(address)
    ways = []
    for page in ("one", "two"):
        step = visitor.step(f"{hosts.wiki}/{page}")
        ways.append(visitor.step(step.headers["Location"]).headers["Location"])

    for way, page in zip(ways, ("one", "two")):
        answer = visitor.step(way)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{hosts.wiki}/{page}")
    assert told(visitor.open(f"{hosts.wiki}/one"))[0] == "GET"


def test_scripts_and_programs_are_refused_and_not_sent_elsewhere(hosts, address):
    stranger = Visitor()
    for headers in ({}, {"Accept": "application/json"}, {"Sec-Fetch-Mode": "cors", "Accept": "text/html"},
                    {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
                    {"Authorization": "Bearer nonsense", "Accept": "text/html"}):
        answer = stranger.request("GET", f"{hosts.wiki}/page", headers=headers)
        assert answer.status_code == 401 and "GET /page" not in answer.text, headers
    answer = stranger.request("POST", f"{hosts.wiki}/form", data=b"x", headers={"Accept": "text/html", "Sec-Fetch-Mode": "navigate"})
    assert answer.status_code == 401 and "POST" not in answer.text
    # With a token programs enter as people do.
    login = hosts.site.login(address)
    answer = stranger.request("GET", f"{hosts.wiki}/page", headers={"Authorization": f"Bearer {login['access']}"})
    assert told(answer) == ["GET", "/page", "0", login["user"]["id"]]


ODD_NAMES = ("X.Auth.User", "X*Auth*User", "X-Auth.User", "X!Auth_User", "X'Auth'User", "X~Auth~Email", "X.Auth.Groups", "Remote.User",
             "X.Auth-Request.User")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_no_field_is_passed_on_that_some_programs_read_as_one_of_otpgates(hosts, address, name):
    visitor = hosts.visitor(address)
    [*asked, _, user] = told(visitor.open(f"{hosts.wiki}/page"))
    assert asked == ["GET", "/page"]
    hosts.application.last = []
    answer = visitor.step(f"{hosts.wiki}/page", headers={name: "forged"})
    assert "forged" not in str(hosts.application.last)
    assert answer.status_code == 400 or told(answer)[3] == user
    # Nor where another one behind it is empty.
    answer = visitor.step(f"{hosts.wiki}/page", headers={name: "forged", "Z.z": ""})
    assert "forged" not in str(hosts.application.last)


@pytest.mark.parametrize("names", ["close, X-Auth-User, X-Auth-Email, X-Auth-Session, X-Auth-Aal", "X-Auth-User", "keep-alive,x-auth-user"])
def test_no_visitor_has_fields_taken_away_on_the_way(hosts, address, names):
    visitor = hosts.visitor(address)
    assert told(visitor.open(f"{hosts.wiki}/page"))[:2] == ["GET", "/page"]
    usual = {name for name, _ in hosts.application.last if name.startswith("x-auth-")}
    assert {"x-auth-user", "x-auth-email", "x-auth-session"} <= usual
    answer = visitor.step(f"{hosts.wiki}/page", headers={"Connection": names})
    assert answer.status_code == 200 and usual <= {name for name, _ in hosts.application.last}


# Who may enter.

def test_who_is_not_of_the_people_is_refused(hosts, new_address):
    stranger = hosts.visitor("stranger@example.org")

    answer = stranger.open(f"{hosts.wiki}/page")
    assert answer.status_code == 403 and "GET /page" not in answer.text
    # The hand-over is no way around it, and the shop lets anybody in.
    assert stranger.open(f"{hosts.shop}/page").status_code == 200
    assert hosts.visitor(new_address()).open(f"{hosts.wiki}/page").status_code == 200


@pytest.mark.parametrize("require", ["people:example.com", "peeple=example.com", "role=root", "within=15m", "people="])
def test_a_rule_that_cannot_be_understood_lets_nobody_in(make_hosts, address, require):
    hosts = make_hosts(require)

    assert hosts.visitor(address).open(f"{hosts.wiki}/page").status_code == 403
    assert "OTPGATE_REQUIRE" in hosts.site.otpgate.log() + log_of_authorizer(hosts)


def test_members_of_a_group_enter(make_hosts, address):
    hosts = make_hosts("group=staff,editors group=readers")
    for group in ("editors", "readers"):
        assert hosts.visitor(address).open(f"{hosts.wiki}/page").status_code == 403
        for action in (("create", group), ("add", group, address)):
            done = hosts.site.otpgate.run("group", *action)
            assert done.returncode == 0, done.stderr
    visitor = hosts.visitor(address)
    assert told(visitor.open(f"{hosts.wiki}/page"))[:2] == ["GET", "/page"]
    # At once, and whoever has a cookie of the site's too.
    assert hosts.site.otpgate.run("group", "remove", "readers", address).returncode == 0
    assert visitor.open(f"{hosts.wiki}/page").status_code == 403


def test_a_site_that_wants_two_factors_sends_for_a_passkey(make_hosts, address):
    hosts = make_hosts("anybody aal2")
    visitor = hosts.visitor(address)
    page = visitor.open(f"{hosts.wiki}/page")
    assert "<title>Sign in</title>" in page.text and visitor.seen[-1].endswith("&sign_in=passkey")
    authenticator = Authenticator(hosts.login, rp_id=LOGIN)
    assert register(hosts.site, hosts.site.login(address)["access"], authenticator).status_code == 201

    options = visitor.request("POST", f"{hosts.login}/api/v1/auth/passkey/options").json()
    done = visitor.request("POST", f"{hosts.login}/api/v1/auth/passkey", json={"credential": authenticator.get(options), "session": "cookie"})
    assert done.status_code == 200, done.text
    assert told(visitor.open(f"{hosts.wiki}/page"))[:2] == ["GET", "/page"]


def log_of_authorizer(hosts):
    file = hosts.site.folder / "authorizer.log"
    return file.read_text() if file.exists() else ""


def test_a_path_has_a_rule_of_its_own(hosts, address):
    visitor = hosts.visitor(address)
    assert visitor.open(f"{hosts.wiki}/page").status_code == 200
    assert visitor.open(f"{hosts.wiki}/admin/page").status_code == 403
    for disguise in ("/%61dmin/page", "//admin/page", "/x/../admin/page", "/./admin/page", "/admin//page"):
        answer = visitor.open(f"{hosts.wiki}{disguise}")
        assert answer.status_code in (403, 404) or "GET /admin" not in answer.text.replace("%61", "a"), disguise

    # The folder itself, without the slash that nginx adds to it.
    for folder in ("/admin", "/admin?x"):
        answer = visitor.step(f"{hosts.wiki}{folder}")
        assert answer.status_code == 403 or answer.headers.get("Location", "").split("?")[0].endswith("/admin/"), (folder, answer.status_code)

    assert hosts.site.otpgate.run("user", "make-admin", address).returncode == 0
    assert told(visitor.open(f"{hosts.wiki}/admin/page"))[:2] == ["GET", "/admin/page"]
    assert told(visitor.open(f"{hosts.wiki}/administrators"))[:2] == ["GET", "/administrators"]


def test_a_sign_in_that_is_too_old_is_done_once_more(hosts, address):
    visitor = hosts.visitor(address)
    assert hosts.site.otpgate.run("user", "make-admin", address).returncode == 0
    assert visitor.open(f"{hosts.wiki}/admin/page").status_code == 200
    hosts.site.sql("UPDATE sessions SET authenticated_at_us = authenticated_at_us - 900000001")

    page = visitor.open(f"{hosts.wiki}/admin/page")
    assert "<title>Sign in</title>" in page.text and visitor.seen[-1].endswith("&sign_in=again")
    assert visitor.open(f"{hosts.wiki}/page").status_code == 200
    hosts.sign_in(visitor, address)
    assert told(visitor.open(f"{hosts.wiki}/admin/page"))[:2] == ["GET", "/admin/page"]


# What the program is told.

@pytest.mark.parametrize("family", ["x-auth", "remote", "x-auth-request"])
@pytest.mark.parametrize("named_by", ["id", "email"])
def test_nobody_says_of_himself_who_he_is(make_hosts, address, family, named_by):
    hosts = make_hosts(**{"authz.headers": family, "authz.remote_user": named_by})
    visitor = hosts.visitor(address)
    user = {"id": visitor.user["user"]["id"], "email": address}

    visitor.open(f"{hosts.wiki}/page")
    answer = visitor.step(f"{hosts.wiki}/page", headers=FORGED)

    fields = hosts.application.last
    assert answer.status_code == 200
    told = {name: value for name, value in fields if re.match(r"x-auth|remote-|otpgate-user", name)}
    expected = {
        "x-auth": {"x-auth-user": user["id"], "x-auth-email": address, "x-auth-session": told.get("x-auth-session"), "x-auth-aal": "1"},
        "remote": {"remote-user": user[named_by], "remote-email": address},
        "x-auth-request": {"x-auth-request-user": user[named_by], "x-auth-request-email": address},
    }[family]
    assert told == expected
    assert "forged" not in told.values()
    # Nor does anybody get in by it.
    assert Visitor().request("GET", f"{hosts.wiki}/page", headers=FORGED).status_code == 401


# What attackers try.

def test_a_ticket_is_good_once_for_its_browser_and_its_site(hosts, address):
    visitor, thief = hosts.visitor(address), Visitor()

    def ticket():
        step = visitor.step(f"{hosts.wiki}/page")
        return visitor.step(step.headers["Location"]).headers["Location"]

    def refused(browser, link, host=WIKI):
        answer = browser.step(link)
        return answer.status_code == 303 and answer.headers["Location"].startswith(f"{hosts.login}/?return_to=") \
            and not browser.cookie(host, hosts.cookie)

    # In another browser it is nothing, with or without a nonce of its own, and then it is used up.
    for _ in range(2):
        read = ticket()
        assert refused(thief, read) and refused(visitor, read)
        thief.step(f"{hosts.wiki}/page")
    # At another site neither, though its own browser brings it.
    visitor.step(f"{hosts.shop}/page")
    assert refused(visitor, ticket().replace(WIKI, SHOP), SHOP)
    # Its own browser uses it at its own site, once.
    read = ticket()
    assert visitor.step(read).headers["Location"] == f"{hosts.wiki}/page"
    thief.jar.update({key: value for key, value in visitor.jar.items() if key[1] == hosts.nonce_cookie})
    assert refused(thief, read)
    # Whoever loads it again himself is where he was.
    assert visitor.step(read).headers["Location"] == f"{hosts.wiki}/page"


def test_nobody_is_signed_in_as_somebody_else_by_a_link(hosts, new_address):
    attacker, victim = hosts.visitor(new_address()), hosts.visitor(new_address())
    step = attacker.step(f"{hosts.wiki}/page")
    link = attacker.step(step.headers["Location"]).headers["Location"]
    for link in (link, step.headers["Location"]):
        victim.open(link)
        answer = victim.open(f"{hosts.wiki}/page")
        assert told(answer)[-1] == victim.user["user"]["id"]


def test_a_stolen_cookie_of_a_site_opens_that_site_alone(hosts, address):
    visitor = hosts.visitor(address)
    assert visitor.open(f"{hosts.shop}/page").status_code == 200
    stolen = visitor.cookie(SHOP, hosts.cookie)

    for name in ("__Host-otpgate", hosts.cookie):
        thief = Visitor()
        for host in (LOGIN, WIKI):
            thief.jar[host, name] = stolen
        for method, path in (("GET", "/api/v1/auth/me"), ("GET", "/api/v1/auth/sessions"), ("GET", "/authz"), ("POST", "/api/v1/auth/logout")):
            assert thief.request(method, hosts.login + path).status_code == 401, (name, path)
        assert thief.request("GET", f"{hosts.wiki}/page").status_code == 401
        # Neither by the Host field, nor by a field that is called like what the web server says.
        forged = {"OTPGATE_SITE": hosts.shop, "Otpgate-Site": hosts.shop, "X-Forwarded-Host": f"{SHOP}:{hosts.web.port}"}
        assert thief.request("GET", f"{hosts.wiki}/page", headers=forged).status_code == 401
        # The way to a ticket begins with the login.
        begin = thief.step(f"{hosts.wiki}/page")
        assert thief.step(begin.headers["Location"]).headers["Location"].startswith(f"{hosts.login}/?return_to=")


def test_nobody_is_sent_to_a_foreign_origin(hosts, address):
    visitor = hosts.visitor(address)
    challenge = urllib.parse.parse_qs(urllib.parse.urlsplit(visitor.step(f"{hosts.wiki}/").headers["Location"]).query)["challenge"][0]

    def enter(**fields):
        query = {"site": hosts.wiki, "to": "/", "challenge": challenge, **fields}
        return visitor.step(f"{hosts.login}/authz/enter?{urllib.parse.urlencode(query)}")

    assert enter().headers["Location"].startswith(f"{hosts.wiki}/.otpgate/enter?ticket=")
    assert enter(site=hosts.wiki.upper()).headers["Location"].startswith(f"{hosts.wiki}/.otpgate/enter?ticket=")
    port = hosts.web.port
    for site in ("https://evil.example", f"https://{WIKI}:{port}", f"http://{WIKI}", f"http://{WIKI}:{port + 1}", f"http://{WIKI}:{port}.evil.example",
                 f"http://{WIKI}:{port}@evil.example", f"http://{WIKI}.evil.example:{port}", f"{hosts.wiki}/", "", "null", "//evil.example",
                 hosts.login, f"http://evil.{WIKI}:{port}", f"http://{WIKI}.:{port}"):
        assert enter(site=site).status_code == 404, site
    for to in ("", "//", "@evil.example", ".evil.example", ":80", "\\evil.example", "/\\evil.example", "/\r\nX: y", "/\x00", "/é", "/" + "a" * 3000):
        answer = enter(to=to)
        assert answer.status_code == 404 or answer.headers["Location"].startswith(f"{hosts.wiki}/"), to
    for bad in ("", "x", challenge + "A", "A" * 22):
        assert enter(challenge=bad).status_code == 404, bad
    assert visitor.request("GET", f"{hosts.login}/authz/enter?site={hosts.wiki}&to=/&challenge={challenge}",
                           headers={"Sec-Fetch-Mode": "cors"}).status_code == 404
    # At the site itself.
    for to in ("//evil.example", "https://evil.example", "@evil.example", "/\\evil.example", "/%0d%0aX:y"):
        answer = visitor.step(f"{hosts.wiki}/.otpgate/enter?to={urllib.parse.quote(to, safe='%')}&ticket=x")
        location = answer.headers.get("Location", hosts.wiki)
        back = urllib.parse.parse_qs(urllib.parse.urlsplit(location).query).get("return_to", [hosts.wiki])[0]
        assert answer.status_code in (303, 404) and back.startswith(hosts.wiki), to
        assert location.startswith((f"{hosts.wiki}", f"{hosts.login}/?return_to="))


def test_what_the_path_says_arrives_and_nothing_else(hosts, address):
    visitor = hosts.visitor(address)
    for path in ("/?a=1&return_to=//evil.example", "//evil.example/", "/@evil.example", "/%2f%2fevil.example", "/a%0d%0aSet-Cookie:x=y"):
        begin = visitor.step(hosts.wiki + path)
        if begin.status_code != 303:
            continue  # the web server refuses it
        answer = visitor.open(hosts.wiki + path)
        assert all(urllib.parse.urlsplit(url).hostname in (WIKI, LOGIN) for url in visitor.seen), path
        assert answer.status_code in (200, 400, 404)
        visitor.jar.pop((WIKI, hosts.cookie), None)


# The end.

def test_a_sign_out_ends_the_session_of_every_site(hosts, address):
    visitor = hosts.visitor(address)
    for site in (hosts.wiki, hosts.shop):
        assert visitor.open(f"{site}/page").status_code == 200

    done = visitor.request("POST", f"{hosts.login}/api/v1/auth/logout", headers={"X-CSRF-Token": visitor.user["csrf_token"]})
    assert done.status_code == 204
    for site in (hosts.wiki, hosts.shop):
        assert visitor.request("GET", f"{site}/page").status_code == 401


def test_the_button_of_a_site_signs_out_everywhere(hosts, address):
    visitor = hosts.visitor(address)
    for site in (hosts.wiki, hosts.shop):
        assert visitor.open(f"{site}/page").status_code == 200
    out = f"{hosts.wiki}/.otpgate/sign-out"

    # Neither a link, nor a form of another site.
    assert visitor.step(out).headers["Location"] == f"{hosts.login}/"
    for origin in ({}, {"Origin": hosts.shop}, {"Origin": "null"}, {"Origin": "https://evil.example"}):
        assert visitor.request("POST", out, headers=origin).status_code == 403
    assert visitor.open(f"{hosts.wiki}/page").status_code == 200

    done = visitor.request("POST", out, headers={"Origin": hosts.wiki})
    assert (done.status_code, done.headers["Location"]) == (303, f"{hosts.login}/")
    assert not visitor.cookie(WIKI, hosts.cookie)
    assert visitor.request("GET", f"{hosts.shop}/page").status_code == 401
    assert visitor.request("GET", f"{hosts.login}/api/v1/auth/me").status_code == 401


def test_nobody_passes_while_otpgate_is_down(hosts, address):
    visitor = hosts.visitor(address)
    assert visitor.open(f"{hosts.wiki}/page").status_code == 200
    if isinstance(hosts.web, Apache):
        return  # it asks the second process: test_protected_sites.py
    hosts.site.otpgate.kill()
    answer = visitor.step(f"{hosts.wiki}/page")
    assert answer.status_code >= 500 and "GET /page" not in answer.text


# One cookie for a domain.

def test_hosts_of_one_domain_may_share_a_cookie(make_hosts, address):
    hosts = make_hosts(**{"session.cookie_domain": "test.localhost"})
    visitor = hosts.visitor(address)

    assert told(visitor.open(f"{hosts.wiki}/page"))[-1] == visitor.user["user"]["id"]
    assert "/.otpgate/enter" not in "".join(visitor.seen)
    assert told(visitor.open(f"{hosts.shop}/page"))[-1] == visitor.user["user"]["id"] and len(visitor.seen) == 1
    # It opens the sites, not the account.
    shared = visitor.cookie(".test.localhost", "__Secure-otpgate-sites")
    for name in ("__Host-otpgate", "__Secure-otpgate-sites", hosts.cookie):
        thief = Visitor()
        thief.jar[LOGIN, name] = shared
        assert thief.request("GET", f"{hosts.login}/api/v1/auth/me").status_code == 401
    visitor.request("POST", f"{hosts.login}/api/v1/auth/logout", headers={"X-CSRF-Token": visitor.user["csrf_token"]})
    assert visitor.request("GET", f"{hosts.wiki}/page").status_code == 401


def test_a_ticket_is_used_once_by_many_at_a_time(make_hosts, engine, address):
    from concurrent.futures import ThreadPoolExecutor

    hosts = make_hosts(engine=engine)
    visitor = hosts.visitor(address)
    step = visitor.step(f"{hosts.wiki}/page")
    link = visitor.step(step.headers["Location"]).headers["Location"]
    nonce = {key: value for key, value in visitor.jar.items() if key[0] == WIKI}

    def use(_):
        browser = Visitor()
        browser.jar.update(nonce)
        browser.step(link)
        return browser.cookie(WIKI, hosts.cookie) is not None

    with ThreadPoolExecutor(16) as many:
        assert sum(many.map(use, range(16))) == 1


# A PHP site, by the recipes as they stand.

SHOW = """<?php
header('Content-Type: application/json');
$told = [];
foreach ($_SERVER as $name => $value) {
    if (preg_match('/^(REMOTE_USER|HTTP_(X_AUTH|REMOTE|OTPGATE_USER|AUTHORIZATION).*|PHP_AUTH_USER)$/', $name)) $told[$name] = $value;
}
echo json_encode(['told' => $told, 'uri' => $_SERVER['REQUEST_URI'], 'method' => $_SERVER['REQUEST_METHOD']]);
"""


class Php:
    """php-fpm, and a site for it."""

    def __init__(self, folder):
        self.folder = folder
        self.root = folder / "site"
        (self.root / "admin").mkdir(parents=True)
        for file in ("index.php", "admin/users.php"):
            (self.root / file).write_text(SHOW)
        (self.root / "admin/page.txt").write_text("for administrators")
        for path in [folder, *self.root.rglob("*"), self.root]:
            path.chmod(0o755)
        self.socket = folder / "php.sock"
        config = folder / "fpm.conf"
        config.write_text(f"""[global]
pid = {folder}/fpm.pid
error_log = {folder}/fpm.log
daemonize = no
[www]
user = www-data
group = www-data
listen = {self.socket}
listen.mode = 0666
pm = static
pm.max_children = 2
""")
        self.process = Process("php-fpm", ["/usr/sbin/php-fpm8.2", "-n", "-F", "-y", config], folder / "output.log")

    def start(self):
        self.process.start()
        ports.wait_until(self.socket.exists, 15, "php-fpm listens")
        return self


@pytest.fixture
def php(new_folder):
    running = Php(new_folder())
    yield running.start()
    running.process.stop()


def php_on_nginx(site, folder, port, php, _):
    recipe_of_site = recipe("nginx", "/var/www/wiki", [
        (r"listen 443 ssl http2;", f"listen 127.0.0.1:{port};"),
        (r"server_name wiki\.example\.com", f"server_name {WIKI}"),
        (r" +ssl_certificate\w* .*\n", ""),
        (r"/var/www/wiki", php.root),
        (r"https://wiki\.example\.com", f"http://{WIKI}:{port}"),
        (r"/run/php/php8\.2-fpm\.sock", php.socket),
    ])
    return Nginx(folder, None, port=port, inside=f"""
        upstream otpgate {{ server "unix:{site.otpgate.socket}"; }}
        server {{ listen 127.0.0.1:{port}; server_name {LOGIN}; root "{ROOT}/build/www"; include snippets/otpgate_locations.conf; }}
        {recipe_of_site}
    """)


def php_on_apache(site, folder, port, php, authorizer):
    recipe_of_site = recipe("apache", "ServerName wiki.example.com", [
        (r"Define OTPGATE_SOCKET .*\n", ""),
        (r"127\.0\.0\.1:9001", f"127.0.0.1:{authorizer}"),
        (r"\*:443", f"127.0.0.1:{port}"),
        (r"ServerName wiki\.example\.com", f"ServerName {WIKI}"),
        (r" +SSL\w+ .*\n", ""),
        (r"/var/www/wiki", php.root),
        (r"https://wiki\.example\.com", f"http://{WIKI}:{port}"),
        (r"/run/php/php8\.2-fpm\.sock", php.socket),
    ])
    modules = "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in ("authnz_fcgi", "authz_user"))
    return Apache(folder, None, port=port, inside=f"""
        {modules}
        Define OTPGATE_SOCKET {site.otpgate.socket}
        Define OTPGATE_WWW {folder}/www
        Listen 127.0.0.1:{port}
        <VirtualHost 127.0.0.1:{port}>
            ServerName {LOGIN}
            Include otpgate_locations.conf
        </VirtualHost>
        {recipe_of_site}
    """)


@pytest.fixture
def php_hosts(make_site, new_folder, php, web):
    port, authorizer = ports.free_port(), ports.free_port()
    site = make_site(web=WITH_SOCKET, start=False, **{
        "server.public_url": f"http://{LOGIN}:{port}", "page.return_to": f"Wiki http://{WIKI}:{port}", "authz.remote_user": "email"})
    build = {"nginx": php_on_nginx, "apache": php_on_apache}[web]
    site.web = build(site, new_folder(), port, php, authorizer)
    assert site.web.check() == []
    site.url = f"http://127.0.0.1:{port}"
    site.start()
    second = Process("otpgate", site.otpgate.process.command, site.folder / "authorizer.log",
                     {**site.otpgate.env, "OTPGATE_SERVER_LISTEN": f"127.0.0.1:{authorizer}"})
    second.start()
    ports.wait_until(lambda: ports.is_open(authorizer), 15, "the second otpgate listens")
    yield Hosts(site, site.web, None)
    assert second.stop() == 0


def test_a_php_site_knows_its_visitors(php_hosts, address):
    visitor = Visitor()
    assert "<title>Sign in</title>" in visitor.open(f"{php_hosts.wiki}/?page=2").text
    user = php_hosts.sign_in(visitor, address)["user"]

    for path in ("/?page=2", "/index.php?page=2"):
        told = visitor.open(php_hosts.wiki + path, headers=FORGED).json()
        assert told["uri"] == path
        session = told["told"].pop("HTTP_X_AUTH_SESSION")
        assert {name: value for name, value in told["told"].items() if value} == {
            "REMOTE_USER": address, "HTTP_X_AUTH_USER": user["id"], "HTTP_X_AUTH_EMAIL": address, "HTTP_X_AUTH_AAL": "1"}
        assert session != "forged"
    assert visitor.request("POST", f"{php_hosts.wiki}/index.php", data={"a": "b"}).json()["method"] == "POST"
    # A rule of a path, for the PHP below it as for files.
    for path in ("/admin/users.php", "/admin/list.txt", "/admin/index.php?x=1"):
        assert visitor.open(php_hosts.wiki + path).status_code == 403, path
    assert php_hosts.site.otpgate.run("user", "make-admin", address).returncode == 0
    assert visitor.open(f"{php_hosts.wiki}/admin/users.php").json()["uri"] == "/admin/users.php"
    # A program, at an address that the web server has a file of another name for.
    bearer = {"Authorization": f"Bearer {token(php_hosts, address)}"}
    told = Visitor().request("GET", f"{php_hosts.wiki}/?page=2", headers=bearer).json()["told"]
    assert told["REMOTE_USER"] == address and "PHP_AUTH_USER" not in told
    assert bool(told.get("HTTP_AUTHORIZATION")) == isinstance(php_hosts.web, Apache)


def token(hosts, address):
    visitor = Visitor()
    otp_id, code = hosts.ask(visitor, address)
    return visitor.request("POST", f"{hosts.login}/api/v1/auth/otp/verify", json={"otp_id": otp_id, "otp": code}).json()["access"]


def test_a_php_site_is_closed_to_all_others(php_hosts, address):
    for path in ("/", "/index.php", "/admin/page.txt", "/admin/users.php", "/index.php/extra", "/nothing-here"):
        answer = Visitor().request("GET", php_hosts.wiki + path, headers=FORGED)
        assert answer.status_code == 401 and "told" not in answer.text and "administrators" not in answer.text, path
    stranger = php_hosts.visitor("stranger@example.org")
    assert stranger.open(f"{php_hosts.wiki}/index.php").status_code == 403
    visitor = php_hosts.visitor(address)
    assert visitor.open(f"{php_hosts.wiki}/admin/page.txt").status_code == 403
    assert php_hosts.site.otpgate.run("user", "make-admin", address).returncode == 0
    assert visitor.open(f"{php_hosts.wiki}/admin/page.txt").text == "for administrators"
