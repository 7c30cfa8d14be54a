"""otpgate below a path of a host that an application has (server.base_path), behind real nginx and Apache as etc/ has it for that."""
import pathlib
import re
import urllib.parse

import jwt
import pytest
import requests
from selenium.webdriver.common.by import By

from browser import open_browser
from conftest import ROOMY
from login_page import LoginPage, assert_clean_console
from support.apache import Apache, shipped_threads
from support.mailbox import text_of
from support.nginx import WWW, Nginx
from support.relying_party import RelyingParty, parameters_of, sign_in
from support.site import WITH_SOCKET, Site
from support.visitor import Visitor
from test_cookie_session import Browser

ROOT = pathlib.Path(__file__).resolve().parents[2]
PREFIX = "/login"
AUTH = "/api/v1/auth"


def nginx_below(site, folder):
    shipped = (ROOT / "etc/nginx/otpgate_prefix_locations.conf").read_text()
    inside = folder.parent / f"{folder.name}-locations.conf"
    inside.parent.mkdir(parents=True, exist_ok=True)
    assert "/usr/local/share/otpgate/www/" in shipped
    inside.write_text(shipped.replace("/usr/local/share/otpgate/www/", f"{WWW}/"))
    return Nginx(folder, None, port=site.web.port, inside=f"""
        upstream otpgate {{ server "unix:{site.otpgate.socket}"; }}
        server {{
            listen 127.0.0.1:{site.web.port};
            server_name localhost;
            default_type text/plain;
            location / {{ return 200 "the application at $uri"; }}
            set $otpgate_site http://localhost:{site.web.port};
            set $otpgate_require anybody;
            include snippets/otpgate_site.conf;
            location /private/ {{
                include snippets/otpgate_protect.conf;
                try_files /nothing @private;
            }}
            location @private {{ return 200 "private"; }}
            include {inside};
        }}
    """)


def apache_below(site, folder):
    [line] = re.findall(r"^#(Define OTPGATE_PREFIX .*)$", (ROOT / "etc/apache/otpgate.conf").read_text(), re.MULTILINE)
    assert line == f"Define OTPGATE_PREFIX {PREFIX}"
    root = folder.parent / f"{folder.name}-application"
    root.mkdir(parents=True)
    (root / "index.html").write_text("the application at /")
    (root / "api").mkdir()
    (root / "api/index.html").write_text("the application at /api/")
    for each in (root, root / "api"):
        each.chmod(0o755)
    return Apache(folder, None, port=site.web.port, inside=f"""
        {shipped_threads()}
        Define OTPGATE_SOCKET {site.otpgate.socket}
        Define OTPGATE_WWW {folder}/www
        {line}
        Listen 127.0.0.1:{site.web.port}
        <VirtualHost 127.0.0.1:{site.web.port}>
            ServerName localhost
            DocumentRoot "{root}"
            <Directory "{root}">
                Require all granted
                DirectoryIndex index.html
            </Directory>
            Include otpgate_locations.conf
        </VirtualHost>
    """)


@pytest.fixture(scope="module", params=[nginx_below, apache_below])
def below(request, new_folder, make_module_site):
    """A site whose url ends with the prefix; `host` is that of the application."""
    site = make_module_site(**{"server.base_path": PREFIX, "page.name": "Example", "page.support_url": "mailto:help@example.com",
                               "security.contacts": "mailto:security@example.com",
                               "metrics.allowed_addresses": "127.0.0.1"})
    site.web = request.param(site, new_folder())
    assert site.web.check() == []
    site.start()
    site.host, site.url = site.url, site.url + PREFIX
    yield site
    site.stop()


@pytest.fixture(scope="module")
def make_module_site(new_folder):
    return lambda **settings: Site(new_folder(), web=WITH_SOCKET, settings={**ROOMY, **settings})


def test_the_rest_of_the_host_is_the_applications(below):
    for path in ("/", "/api/"):
        answer = requests.get(below.host + path, timeout=10)
        assert answer.status_code == 200 and f"the application at {path}" in answer.text
        assert "Content-Security-Policy" not in answer.headers
    for path in ("/api/v1/page", "/.well-known/jwks.json", "/health/live", "/metrics", "/loginx/api/v1/page"):
        answer = requests.get(below.host + path, timeout=10)
        assert "X-Request-Id" not in answer.headers and "{" not in answer.text, path


def test_everything_is_below_the_prefix(below, address):
    to = requests.get(below.host + PREFIX, timeout=10, allow_redirects=False)
    assert to.status_code == 308 and urllib.parse.urljoin(below.host, to.headers["Location"]) == below.url + "/"
    page = below.get("/", documented=False)
    assert page.status_code == 200 and "script-src 'self'" in page.headers["Content-Security-Policy"]
    for path in ("/api/v1/page", "/.well-known/jwks.json", "/health/live", "/health/ready", "/metrics", "/api/openapi.json"):
        answer = below.get(path)
        assert answer.status_code == 200, path
        # The pages' policy is not the API's.
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'", path
    for path in ("/docs/", "/docs/integrate/", "/api/docs/", "/api/redoc/", "/favicon.svg", "/texts/de.json"):
        assert below.get(path, documented=False).status_code == 200, path
    for path in ("/api/docs", "/api/redoc"):
        to = below.get(path)
        assert urllib.parse.urljoin(below.host, to.headers["Location"]) == f"{below.url}{path}/"
    assert [server["url"] for server in below.get("/api/openapi.json").json()["servers"]] == [below.url]
    assert f"Canonical: {below.url}/.well-known/security.txt\n" in below.get("/.well-known/security.txt").text


def test_applications_sign_their_users_in_below_the_prefix(below, address):
    party = RelyingParty(below, "wiki")
    visitor = Visitor()
    sent, told = party.ask(visitor)
    assert sent.headers["Location"].startswith(f"{below.url}/?") and told["return_to"].startswith(f"{PREFIX}/oauth/authorize?")
    sign_in(below, visitor, address)

    code = parameters_of(visitor.step(below.host + told["return_to"]))["code"]

    assert party.read(party.redeem(code).json()["id_token"])["email"] == address
    page = visitor.step(f"{below.url}/oauth/authorize?client_id=nobody")
    assert page.status_code == 400 and f'href="{PREFIX}/css/page.css"' in page.text


def test_errors_lead_to_their_paragraphs(below):
    refused = below.post(f"{AUTH}/otp/request", {})
    assert refused.json()["type"] == f"{PREFIX}/problems/missing-fields"
    too_large = requests.post(below.url + f"{AUTH}/otp/request", data=b"x" * 1_100_000, headers={"Content-Type": "application/json"}, timeout=10)
    unknown = below.get("/api/v1/nothing")
    below.otpgate.process.kill()
    away = requests.get(below.url + "/api/v1/page", timeout=10)
    below.otpgate.start()
    for answer, status in ((refused, 400), (too_large, 413), (unknown, 404), (away, 503)):
        assert answer.status_code == status and answer.headers["Content-Type"] == "application/problem+json"
        kind = answer.json()["type"]
        assert kind.startswith(f"{PREFIX}/problems/")
        paragraph = requests.get(below.host + kind, timeout=10)
        assert paragraph.status_code == 200 and f"<h1 id=\"{kind.split('/')[-1]}\">" in paragraph.text


def test_tokens_are_issued_and_renewed_below_the_prefix(below, address):
    login = below.login(address)
    assert below.get(f"{AUTH}/me", token=login["access"]).status_code == 200
    keys = jwt.PyJWKClient(below.url + "/.well-known/jwks.json")
    payload = jwt.decode(login["access"], keys.get_signing_key_from_jwt(login["access"]).key, algorithms=["ES256"],
                         audience="otpgate", issuer=below.url)
    assert payload["sub"] == login["user"]["id"]
    again = below.post(f"{AUTH}/token/refresh", {"refresh": login["refresh"]})
    assert again.status_code == 200
    logs = below.get("/api/v1/audit/logs?page_size=1", token=again.json()["access"]).json()
    assert logs["next"].startswith(f"{below.url}/api/v1/audit/logs?")
    assert below.post(f"{AUTH}/logout", token=again.json()["access"]).status_code == 204
    assert below.get(f"{AUTH}/me", token=again.json()["access"]).status_code == 401


def test_a_cookie_is_guarded_below_the_prefix_too(below, address):
    browser = Browser(below, address)
    lines = browser.signed_in.raw.headers.getlist("Set-Cookie")
    assert lines and all(line.startswith("__Host-") and "Path=/;" in line for line in lines)
    assert browser.change().status_code == 403
    assert browser.change(csrf=browser.csrf_token).status_code == 200
    assert browser.change(csrf=browser.csrf_token, origin=below.host).status_code == 200
    assert browser.change(csrf=browser.csrf_token, origin="https://evil.example").status_code == 403


def test_a_notice_leads_to_the_pages(below, address):
    below.login(address)
    below.login(address, device_name="Elsewhere")
    [notice] = below.mailbox.wait_for_notices(address, 1)
    assert notice["Subject"] == "New sign-in to your account at Example"
    assert text_of(notice).splitlines()[-2:] == [f"Where you are signed in: {below.url}/account/#sessions", "Help: help@example.com"]


def test_a_visitor_signs_in_below_the_prefix(below, address):
    with open_browser() as driver:
        page = LoginPage(driver, below)
        driver.get(below.url + "?" + urllib.parse.urlencode({"return_to": "/private/wiki"}))
        page.see("address")
        assert urllib.parse.urlparse(driver.current_url).path == PREFIX + "/"
        page.enter_code(page.ask_for_code(address))
        page.see("sign-out")
        assert page["continue"].get_attribute("href") == below.host + "/private/wiki"
        driver.refresh()
        page.see("sign-out")
        loaded = driver.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
        assert loaded and [url for url in loaded if not url.startswith(below.url + "/")] == []
        if isinstance(below.web, Nginx):
            page["continue"].click()
            page.wait(lambda: driver.find_element(By.TAG_NAME, "body").text == "private", "the application is not shown")
            driver.back()
            page.see("sign-out")
        page["to-account"].click()
        page.see("profile-title")
        page.open_part("sessions")
        page.sessions(1)
        page["sign-out"].click()
        page.see("address")
        assert urllib.parse.urlparse(driver.current_url).path == PREFIX + "/"
        page["language"].find_element(By.CSS_SELECTOR, "option[value=de]").click()
        page.wait(lambda: page.heading() == "Anmelden", "not in German")
        if isinstance(below.web, Nginx):
            assert requests.get(below.host + "/private/wiki", timeout=10).status_code == 401
        assert_clean_console(driver)


@pytest.mark.parametrize(("below", "page"), [(nginx_below, "redoc"), (apache_below, "docs")], indirect=["below"])
def test_the_viewers_work_below_the_prefix(below, page):
    with open_browser() as driver:
        driver.get(f"{below.url}/api/{page}/")
        # Not .text: what is visible of such a page takes the browser seconds to say.
        shown = lambda: driver.execute_script("return document.body.textContent.includes('Ask for a code')")
        LoginPage(driver, below).wait(shown, "the API is not shown")
        assert driver.get_log("browser") == []


def test_the_two_files_for_nginx_refuse_alike():
    def refusals(name):
        text = (ROOT / "etc/nginx" / name).read_text().replace(PREFIX, "")
        return re.findall(r"^ *return (4\d\d|5\d\d) (.*)$", text, re.MULTILINE), re.findall(r"^ *error_page .*$", text.replace(" 494", ""), re.MULTILINE)
    ours, theirs = refusals("otpgate_prefix_locations.conf"), refusals("otpgate_locations.conf")
    assert len(ours[0]) == 5 and ours[0] == theirs[0]
    assert [line.strip() for line in ours[1]] == [line.strip() for line in theirs[1]]


def test_check_config_says_where_a_path_belongs(make_site):
    site = make_site(web=WITH_SOCKET, start=False)
    site.otpgate.prepare()
    site.otpgate.settings["server.public_url"] = site.url + PREFIX
    site.otpgate.write_config()
    told = site.otpgate.run("check-config")
    assert told.returncode != 0 and f"server.public_url: has the path {PREFIX}, which server.base_path must be" in told.stderr
    site.otpgate.settings["server.base_path"] = PREFIX + "/"
    site.otpgate.write_config()
    told = site.otpgate.run("check-config")
    assert told.returncode == 0 and f"below {site.url}{PREFIX}/" in told.stdout
