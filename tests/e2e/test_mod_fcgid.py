"""Apache's mod_fcgid, which starts otpgate by itself: the files of etc/apache for it, and the .htaccess of shared hosting."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from support import ports
from support.apache import MODULES, Apache
from support.certificates import Authority
from support.process import Process

ROOT = pathlib.Path(__file__).resolve().parents[2]
AS_APACHE = ["setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups"]


def modules(*names):
    return "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in names)


def fcgi(folder, site):
    """The shipped script, for this binary and these settings."""
    text, count = re.subn(r"exec /usr/local/bin/otpgate serve$", f"exec {site.otpgate.binary} serve --config {site.otpgate.config}",
                          (ROOT / "etc/apache/otpgate.fcgi").read_text(), flags=re.MULTILINE)
    assert count == 1
    script = folder / "otpgate.fcgi"
    script.write_text(text)
    script.chmod(0o755)
    return script


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


@pytest.fixture(params=[in_a_virtual_host, on_shared_hosting])
def fcgid(request, make_site, new_folder):
    """A site whose otpgate Apache starts. `otpgate deliver` runs beside it, as the same user."""
    site = make_site(start=False)
    folder, port, authority = new_folder(), ports.free_port(), Authority(new_folder())
    folder.mkdir()
    folder.chmod(0o755)
    site.web, site.url, site.verify_by = request.param(site, folder, port, authority)
    assert site.web.check() == []
    site.otpgate.settings["server.public_url"] = site.url
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
