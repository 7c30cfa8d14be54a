"""Apache's mod_fcgid, which starts otpgate by itself: the files of etc/apache for it, the .htaccess of shared hosting, and its access
checker in front of another site."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from support import ports
from support.apache import MODULES, Apache, fcgi_script
from support.certificates import Authority
from support.process import Process
from support.visitor import Visitor
from test_protect import FORGED, LOGIN, SHOW, WIKI, Hosts, recipe, token

ROOT = pathlib.Path(__file__).resolve().parents[2]
AS_APACHE = ["setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups"]


def modules(*names):
    return "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in names)


def fcgi(folder, site):
    return fcgi_script(folder, site.otpgate.binary, site.otpgate.config)


def in_a_virtual_host(site, folder, port, _):
    own = folder / "fcgi"
    own.mkdir(parents=True)
    inside = f"""
        {modules("fcgid")}
        FcgidIPCDir {folder}/web
        FcgidProcessTableFile {folder}/web/table
        Define OTPGATE_FCGI {fcgi(own, site)}
        Define OTPGATE_WWW {folder}/web/www
        Listen 127.0.0.1:{port}
        <VirtualHost 127.0.0.1:{port}>
            ServerName localhost
            Include otpgate_locations.conf
        </VirtualHost>
    """
    # Without mod_proxy: it is not needed.
    return Apache(folder / "web", None, port=port, inside=inside), f"http://localhost:{port}", True


def on_shared_hosting(site, folder, port, authority):
    root = folder / "html"
    shutil.copytree(ROOT / "build/www", root)
    shutil.copy(ROOT / "etc/apache/htaccess", root / ".htaccess")
    fcgi(root, site)
    inside = f"""
        {modules("fcgid", "rewrite")}
        FcgidIPCDir {folder}/web
        FcgidProcessTableFile {folder}/web/table
        Listen 127.0.0.1:{port}
        <VirtualHost 127.0.0.1:{port}>
            ServerName localhost
            SSLEngine on
            SSLCertificateFile {authority.certificate_file}
            SSLCertificateKeyFile {authority.key_file}
            DocumentRoot {root}
            <Directory {root}>
                Require all granted
                Options SymLinksIfOwnerMatch
                AllowOverride AuthConfig FileInfo Indexes Limit Options=ExecCGI,Indexes,MultiViews
            </Directory>
        </VirtualHost>
    """
    return Apache(folder / "web", None, port=port, inside=inside), f"https://localhost:{port}", str(authority.ca_file)


@contextlib.contextmanager
def running(site, folder):
    """A site whose otpgate Apache starts. `otpgate deliver` runs beside it, as the same user."""
    assert site.web.check() == []
    site.otpgate.write_config()
    site.otpgate.prepare()
    for path in [site.folder, *site.folder.rglob("*"), folder / "web"]:
        shutil.chown(path, "www-data", "www-data")
    deliver = Process("otpgate deliver", [*AS_APACHE, site.otpgate.binary, "deliver", "--config", site.otpgate.config],
                      site.folder / "deliver.log", site.otpgate.env)
    deliver.start()
    site.web.start()
    yield site
    site.web.stop()
    assert deliver.stop() == 0


@pytest.fixture
def folder(new_folder):
    made = new_folder()
    made.mkdir()
    made.chmod(0o755)
    return made


@pytest.fixture(params=[in_a_virtual_host, on_shared_hosting])
def fcgid(request, make_site, new_folder, folder):
    site = make_site(start=False)
    site.web, site.url, site.verify_by = request.param(site, folder, ports.free_port(), Authority(new_folder()))
    site.otpgate.settings["server.public_url"] = site.url
    with running(site, folder):
        yield site


def call(site, method, path, **options):
    return requests.request(method, site.url + path, verify=site.verify_by, timeout=30, allow_redirects=False, **options)


def processes(site):
    """Of otpgate that Apache has started."""
    found = subprocess.run(["pgrep", "-f", f"serve --config {site.otpgate.config}"], capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def sign_in(site, address):
    asked = call(site, "POST", "/api/v1/auth/otp/request", json={"destination": address})
    assert asked.status_code == 202, asked.text
    done = call(site, "POST", "/api/v1/auth/otp/verify", json={"otp_id": asked.json()["otp_id"], "otp": site.mailbox.wait_for(address)})
    assert done.status_code == 200, done.text
    return done.json()


def test_a_login_by_a_mailed_code(fcgid, address):
    assert processes(fcgid) == []
    login = sign_in(fcgid, address)

    bearer = {"Authorization": f"Bearer {login['access']}"}
    assert call(fcgid, "GET", "/api/v1/auth/me", headers=bearer).json()["user"]["email"] == address
    assert call(fcgid, "GET", "/authz", headers=bearer).headers["X-Auth-User"] == login["user"]["id"]
    assert call(fcgid, "GET", "/health/ready").status_code == 200
    assert call(fcgid, "GET", "/.well-known/jwks.json").json()["keys"]
    assert processes(fcgid)


def test_what_is_sent_arrives(fcgid, address):
    json = {"Content-Type": "application/json"}
    chunked = call(fcgid, "POST", "/api/v1/auth/otp/request", data=iter([b'{"destination": ', f'"{address}"}}'.encode()]), headers=json)
    assert chunked.status_code == 202, chunked.text
    assert call(fcgid, "POST", "/api/v1/auth/otp/request", data=b"x" * 20_000, headers=json).json()["code"] == "PAYLOAD_TOO_LARGE"
    assert call(fcgid, "POST", "/api/v1/auth/logout", headers=json).json()["code"] == "UNAUTHENTICATED"
    assert call(fcgid, "GET", "/api/v1/auth/%256de").json()["code"] == "NOT_FOUND"
    assert call(fcgid, "GET", "/api/nothing?x=%2F").headers["Content-Type"].startswith("application/problem+json")


def test_the_pages_are_served_with_their_policy(fcgid):
    page = call(fcgid, "GET", "/")
    assert "<title>Sign in</title>" in page.text
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    answer = call(fcgid, "GET", "/api/v1/page")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    for secret in ("/otpgate.fcgi", "/.htaccess"):
        assert call(fcgid, "GET", secret).status_code in (403, 404)


def test_many_at_a_time_are_served_by_several_processes(fcgid, new_address):
    addresses = [new_address() for _ in range(12)]
    with ThreadPoolExecutor(6) as many:
        logins = list(many.map(lambda address: sign_in(fcgid, address), addresses))
    assert len({login["user"]["id"] for login in logins}) == 12


def test_a_process_that_died_is_replaced(fcgid, address):
    sign_in(fcgid, address)
    for pid in processes(fcgid):
        os.kill(pid, signal.SIGKILL)

    ports.wait_until(lambda: call(fcgid, "GET", "/health/live").status_code == 200, 10, "another process")


# Another site, protected by the access checker.

HTACCESS = """\
RewriteEngine On
RewriteRule ^wiki/ /index.php [L]
"""


@pytest.fixture
def hosts(make_site, folder):
    """The login and a PHP site, by the recipe as it stands."""
    port = ports.free_port()
    site = make_site(start=False, **{"server.public_url": f"http://{LOGIN}:{port}", "page.return_to": f"Wiki http://{WIKI}:{port}",
                                     "authz.remote_user": "email"})
    root, fpm = folder / "site", folder / "php.sock"
    (root / "admin").mkdir(parents=True)
    (root / "index.php").write_text(SHOW)
    (root / ".htaccess").write_text(HTACCESS)
    (root / "admin/page.txt").write_text("for administrators")
    (folder / "fcgi").mkdir()
    script = fcgi(folder / "fcgi", site)
    define = recipe("apache", "Define OTPGATE_FCGI", [(r"/usr/local/lib/otpgate/otpgate\.fcgi", script)])
    wiki = recipe("apache", "ServerName wiki.example.com", [
        (r"Define OTPGATE_SOCKET .*\nAuthnzFcgiDefineProvider .*\n", ""),
        (r"\*:443", f"127.0.0.1:{port}"),
        (r"ServerName wiki\.example\.com", f"ServerName {WIKI}"),
        (r" +SSL\w+ .*\n", ""),
        (r"/var/www/wiki", root),
        (r"https://wiki\.example\.com", f"http://{WIKI}:{port}"),
        (r"/run/php/php8\.2-fpm\.sock", fpm),
    ])
    site.web = Apache(folder / "web", None, port=port, inside=f"""
        {modules("fcgid", "rewrite")}
        FcgidIPCDir {folder}/web
        FcgidProcessTableFile {folder}/web/table
        {define}
        Define OTPGATE_WWW {folder}/web/www
        Listen 127.0.0.1:{port}
        <VirtualHost 127.0.0.1:{port}>
            ServerName {LOGIN}
            Include otpgate_locations.conf
        </VirtualHost>
        {wiki}
        <Directory {root}>
            AllowOverride FileInfo
        </Directory>
    """)
    site.url = f"http://127.0.0.1:{port}"
    config = folder / "fpm.conf"
    config.write_text(f"[global]\nerror_log = {folder}/fpm.log\ndaemonize = no\n[www]\nuser = www-data\ngroup = www-data\n"
                      f"listen = {fpm}\nlisten.mode = 0666\npm = static\npm.max_children = 2\n")
    php = Process("php-fpm", ["/usr/sbin/php-fpm8.2", "-n", "-F", "-y", config], folder / "php.log")
    php.start()
    ports.wait_until(fpm.exists, 15, "php-fpm listens")
    with running(site, folder):
        yield Hosts(site, site.web, None)
    php.stop()


def as_administrator(site, address):
    """As the user whose database it is."""
    done = subprocess.run([*AS_APACHE, site.otpgate.binary, "user", "make-admin", address, "--config", site.otpgate.config],
                          capture_output=True, text=True, env=site.otpgate.env, check=False)
    assert done.returncode == 0, done.stderr


def test_a_site_behind_the_access_checker_knows_its_visitors(hosts, address):
    visitor = Visitor()
    assert "<title>Sign in</title>" in visitor.open(f"{hosts.wiki}/index.php?page=2").text
    user = hosts.sign_in(visitor, address)["user"]

    # The last one is sent on by Apache itself, which then does not ask again.
    for path in ("/?page=2", "/index.php?page=2", "/wiki/page?x=1"):
        answer = visitor.open(hosts.wiki + path, headers=FORGED)
        told = answer.json()
        assert told["uri"] == path
        session = told["told"].pop("HTTP_X_AUTH_SESSION")
        assert {name: value for name, value in told["told"].items() if value} == {
            "REMOTE_USER": address, "HTTP_REMOTE_USER": address, "HTTP_X_AUTH_USER": user["id"], "HTTP_X_AUTH_EMAIL": address,
            "HTTP_X_AUTH_AAL": "1"}, path
        assert session != "forged"
        # What the checker told Apache is not the browser's business.
        assert not [name for name in answer.headers if name.lower().startswith(("variable-", "x-auth", "otpgate"))]
    assert visitor.request("POST", f"{hosts.wiki}/index.php", data={"a": "b"}).json()["method"] == "POST"

    # A path has a rule of its own, and a refusal is no way to the sign-in, which would come back in a circle.
    assert visitor.open(f"{hosts.wiki}/admin/page.txt").status_code == 403 and len(visitor.seen) == 1
    as_administrator(hosts.site, address)
    assert visitor.open(f"{hosts.wiki}/admin/page.txt").text == "for administrators"

    done = visitor.request("POST", f"{hosts.wiki}/.otpgate/sign-out", headers={"Origin": hosts.wiki})
    assert (done.status_code, done.headers["Location"]) == (303, f"{hosts.login}/")
    assert "told" not in visitor.request("GET", f"{hosts.wiki}/index.php").text


def test_the_access_checker_refuses_all_others(hosts, address):
    for path in ("/", "/index.php", "/admin/page.txt", "/index.php/extra", "/nothing-here", "/wiki/page"):
        answer = Visitor().request("GET", hosts.wiki + path, headers=FORGED)
        assert answer.status_code == 401 and "told" not in answer.text and "administrators" not in answer.text, path
    for method, headers in (("GET", {"Authorization": "Bearer nonsense"}), ("POST", {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"})):
        assert Visitor().request(method, f"{hosts.wiki}/index.php", headers=headers).status_code == 401
    stranger = hosts.visitor("stranger@example.org")
    answer = stranger.open(f"{hosts.wiki}/index.php")
    assert answer.status_code == 403 and answer.json()["code"] == "FORBIDDEN"
    # What leads to the sign-in is Apache's business alone.
    assert Visitor().step(f"{hosts.wiki}/.otpgate/start").status_code == 404
    # With a token programs enter as people do.
    bearer = {"Authorization": f"Bearer {token(hosts, address)}"}
    for path in ("/", "/index.php", "/wiki/page"):
        told = Visitor().request("GET", hosts.wiki + path, headers=bearer).json()["told"]
        assert told["REMOTE_USER"] == address, path


def test_a_process_that_starts_while_the_database_is_away_refuses_and_goes_on_when_it_is_back(make_site, own_mariadb, new_address):
    site = make_site("mysql", web="mod_fcgid", mysql=own_mariadb.address)
    token = site.login(new_address())["access"]
    own_mariadb.kill()
    site.otpgate.end_served(signal.SIGKILL)

    refused = site.post("/api/v1/auth/otp/request", {"destination": new_address()})
    assert refused.status_code == 503 and refused.headers["Retry-After"] and refused.json()["code"] == "UNAVAILABLE", refused.text
    [pid] = site.otpgate.pids()
    # Without the signing keys a good token cannot be told from a bad one: its owner is not signed out for it.
    assert site.get("/api/v1/auth/me", token=token).status_code == 503
    assert site.get("/api/v1/nothing").status_code == 404
    assert site.otpgate.log().count("requests are refused until the database is there") == 1

    own_mariadb.start()
    ports.wait_until(lambda: site.get("/api/v1/auth/me", token=token).status_code == 200, 2, "the database is noticed")
    assert site.login(new_address())["access"]
    assert site.otpgate.pids() == [pid]
