"""The shipped configurations of nginx, Apache and lighttpd: the same service behind each."""
import datetime
import os
import pathlib
import re
import shutil
import socket

import pytest
import requests

from support import ports
from support.apache import Apache
from support.certificates import Authority
from support.lighttpd import Lighttpd
from support.nginx import Nginx
from support.site import WITH_SOCKET

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHUNKED_BYTES = int(os.environ.get("OTPGATE_CHUNKED_BYTES", 100_000_000))  # by hand: 1100000000


@pytest.fixture(params=["nginx", "apache", "lighttpd"])
def web(request):
    return request.param


@pytest.fixture
def web_site(make_site, web):
    return make_site("sqlite", web=web)


def test_a_login_from_the_first_request_to_the_logout(web_site, address):
    login = web_site.login(address)

    # The Authorization header arrives.
    assert web_site.get("/api/v1/auth/me", token=login["access"]).json()["user"]["email"] == address
    refreshed = web_site.post("/api/v1/auth/token/refresh", {"refresh": login["refresh"]})
    assert refreshed.status_code == 200
    assert web_site.get("/.well-known/jwks.json").json()["keys"]
    assert web_site.post("/api/v1/auth/logout", token=refreshed.json()["access"]).status_code in (200, 204)
    assert web_site.get("/api/v1/auth/me", token=refreshed.json()["access"]).status_code == 401


def test_security_txt_names_whom_the_settings_name(make_site, web_site, web):
    assert web_site.get("/.well-known/security.txt").json()["code"] == "NOT_FOUND"

    site = make_site(web=web, security_contacts="mailto:security@example.com, https://example.com/report")
    answer = site.get("/.well-known/security.txt")

    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    fields = [line.split(": ", 1) for line in answer.text.splitlines()]
    assert [value for name, value in fields if name == "Contact"] == ["mailto:security@example.com",
                                                                      "https://example.com/report"]
    assert [value for name, value in fields if name == "Canonical"] == [f"{site.url}/.well-known/security.txt"]
    [expires] = [value for name, value in fields if name == "Expires"]
    left = datetime.datetime.fromisoformat(expires.replace("Z", "+00:00")) - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(days=30) < left < datetime.timedelta(days=365)


def test_the_configuration_has_nothing_to_complain_about(web_site):
    assert web_site.web.check() == []


@pytest.mark.parametrize("web", ["nginx", "apache"])  # lighttpd knows no ids of requests
def test_the_request_id_is_the_web_servers(web_site):
    answer = web_site.get("/health/live")

    request_id = answer.headers["X-Request-Id"]
    assert request_id in web_site.otpgate.log()
    # A web server writes its line after the answer.
    ports.wait_until(lambda: request_id in web_site.web.access_log(), 5, "the line of the access log")


def test_paths_and_queries_arrive_as_they_were_sent(web_site, address):
    assert web_site.post("/api/v1/auth/%6ftp/request/?a=%2F&b", {"destination": address}).status_code == 202
    assert web_site.get("/api/v1/auth/%256de").json()["code"] == "NOT_FOUND"
    assert web_site.get("/health/ready/").status_code == 200
    assert web_site.get("/health/nothing%20here").json()["code"] == "NOT_FOUND"


def test_a_chunked_body_arrives(web_site, address):
    def chunks():
        yield b'{"destination": '
        yield f'"{address}"}}'.encode()

    answer = web_site.request("POST", "/api/v1/auth/otp/request", data=chunks(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 202


def test_of_two_content_types_a_wrong_first_one_is_refused(web_site):
    # requests joins them with a comma, as Apache does with two lines.
    answer = web_site.request(
        "POST", "/api/v1/auth/otp/request", data=b'{"destination": "a@example.com"}',
        headers={"Content-Type": "text/plain, application/json"},
    )
    assert answer.status_code == 415


def test_a_client_address_behind_a_trusted_proxy_is_shown_in_the_session(web_site, address):
    otp_id, code = web_site.request_code(address)
    login = web_site.verify(otp_id, code, client_ip="203.0.113.9").json()

    sessions = web_site.get("/api/v1/auth/sessions", token=login["access"]).json()["sessions"]

    assert [session["ip"] for session in sessions] == ["203.0.113.9"]


def test_the_pages_are_served_with_their_policy(web_site):
    answer = web_site.get("/")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    policy = answer.headers["Content-Security-Policy"]
    for directive in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
                      "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"):
        assert directive in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Permissions-Policy"]
    # A missing page too.
    missing = web_site.get("/nothing-here")
    assert missing.status_code == 404
    assert "Content-Security-Policy" in missing.headers


def test_no_answer_of_the_api_may_be_framed(web_site):
    for path in ("/api/nothing", "/api/v1/auth/me", "/health/live", "/.well-known/jwks.json", "/api/openapi.json"):
        assert "frame-ancestors 'none'" in web_site.get(path, documented=False).headers["Content-Security-Policy"], path


def test_a_preflight_allows_what_libraries_and_tracing_tools_send(make_site, web):
    site = make_site("sqlite", web=web, cors_allowed_origins="https://app.example.com")
    wanted = ["authorization", "content-type", "x-requested-with", "traceparent", "baggage", "sentry-trace"]

    answer = site.request("OPTIONS", "/api/v1/auth/otp/request", documented=False, headers={
        "Origin": "https://app.example.com", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": ",".join(wanted)})

    assert answer.status_code == 204
    allowed = {name.strip().lower() for name in answer.headers["Access-Control-Allow-Headers"].split(",")}
    assert set(wanted) <= allowed


@pytest.mark.parametrize("web", ["nginx", "apache"])  # lighttpd has no header fields for its own errors alone
def test_what_the_web_server_refuses_can_be_read_by_pages_of_the_named_origins(make_site, new_folder, web):
    site = make_site("sqlite", web=web, start=False)
    name_an_origin(site, new_folder())
    site.start()
    site.otpgate.kill()
    for origin in ("https://app.example.com", "https://evil.example.com", None):
        answer = site.get("/api/v1/auth/me", headers={"Origin": origin} if origin else {}, documented=False)
        assert answer.status_code == 503
        good = origin == "https://app.example.com"
        assert answer.headers.get("Access-Control-Allow-Origin") == (origin if good else None)
        assert answer.headers.get("Access-Control-Allow-Credentials") == ("true" if good else None)
        assert answer.headers["Vary"] == "Origin"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def name_an_origin(site, folder):
    """As the comments of the shipped files say."""
    if isinstance(site.web, Apache):
        [line] = re.findall(r"^#(Define OTPGATE_ORIGINS .*)$", (ROOT / "etc/apache/otpgate.conf").read_text(), re.MULTILINE)
        site.web.config.write_text(line + "\n" + site.web.config.read_text())
        return
    shutil.copytree(ROOT / "etc/nginx", folder)
    (folder / "otpgate_cors.conf").write_text(substituted("etc/nginx/otpgate_cors.conf", [("#if ", "if ")]))
    snippets = site.web.folder / "snippets"
    snippets.unlink()
    snippets.symlink_to(folder)


def test_every_file_of_the_pages_is_served(web_site):
    # As `make docs` makes them of www/: the documentation's have tests of their own.
    www = ROOT / "build/www"
    files = [path for each in ("css", "js", "texts", "api", "account", "account/texts", "admin", "admin/texts") for path in (www / each).rglob("*") if path.is_file()]
    files += [www / "index.html", www / "favicon.svg"]
    assert {path.name for path in files} >= {"page.css", "main.js", "de.json"}
    for path in files:
        answer = web_site.get("/" + str(path.relative_to(www)))
        assert answer.status_code == 200, path
        assert answer.content == path.read_bytes()


def test_an_otpgate_that_is_down_is_a_problem_document(web_site):
    web_site.otpgate.kill()

    answer = web_site.get("/api/v1/auth/me", documented=False)

    assert answer.status_code == 503
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "UNAVAILABLE"
    assert problem["status"] == 503 and problem["retry_after"] == 2
    if not isinstance(web_site.web, Lighttpd):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Retry-After"] == "2"
        assert problem["request_id"] == answer.headers["X-Request-Id"]

    web_site.otpgate.start()
    # lighttpd asks again after a second.
    ready = lambda: web_site.get("/health/ready", documented=False).status_code == 200  # noqa: E731
    assert ready() or (isinstance(web_site.web, Lighttpd) and ports.wait_until(ready, 5, "lighttpd asks again"))


def test_a_body_of_10_mb_is_a_problem_document(web_site):
    answer = web_site.request(
        "POST", "/api/v1/auth/otp/request", data=b"x" * 10_000_000, headers={"Content-Type": "application/json"},
        documented=not isinstance(web_site.web, Lighttpd),
    )

    assert answer.status_code == 413
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"
    assert answer.json()["code"] == "PAYLOAD_TOO_LARGE"


def test_otpgates_own_errors_pass_unchanged(web_site):
    for path, status, code in (("/api/nothing", 404, "NOT_FOUND"), ("/api/v1/auth/me", 401, "UNAUTHENTICATED")):
        answer = web_site.get(path)
        assert answer.status_code == status
        assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"
        assert answer.json()["code"] == code
        assert answer.headers["X-Request-Id"] == answer.json()["request_id"]
        assert "Content-Length" not in answer.headers.get("Vary", "")
    assert "WWW-Authenticate" in answer.headers


def spooled(process):
    """Bytes of the files, but logs, that a web server's processes hold open."""
    total = 0
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) != process.pid:
                continue
            for file in (folder / "fd").iterdir():
                if file.is_file() and not os.readlink(file).endswith(".log"):
                    total += file.stat().st_size
        except OSError:
            pass  # it has just ended
    return total


def test_headers_that_are_too_large_in_sum_are_a_bad_request(web_site):
    answer = web_site.get("/health/live", documented=False, headers={f"X-Large-{count}": "x" * 8000 for count in range(20)})

    if isinstance(web_site.web, Lighttpd):
        assert answer.status_code == 431  # before it knows whose request it is
    else:
        assert answer.status_code == 400
        assert answer.json()["code"] == "BAD_REQUEST"
        assert answer.headers["X-Request-Id"]
    assert web_site.get("/health/live").status_code == 200


def test_a_chunked_body_that_never_ends_is_not_collected(web_site):
    most = 0
    sent = 0
    with socket.create_connection(("127.0.0.1", web_site.web.port), timeout=10) as connection:
        connection.sendall(b"POST /api/v1/auth/otp/request HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            while sent < CHUNKED_BYTES:
                connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                sent += 65536
                if sent % (1 << 20) == 0:
                    most = max(most, spooled(web_site.web.process))
            connection.sendall(b"0\r\n\r\n")
        except OSError:
            pass  # it has had enough
        assert b" 413 " in first_line(connection)
    assert most <= 2_000_000
    assert web_site.get("/health/live").status_code == 200


def first_line(connection):
    """Of an answer that was sent before the connection was cut; what is cut may take it along."""
    try:
        return connection.recv(65536).split(b"\r\n")[0] or b"HTTP/1.1 413 cut off"
    except OSError:
        return b"HTTP/1.1 413 cut off"


def substituted(file, replacements):
    """The text of a shipped file for this machine: each placeholder must be there, or the test tests something else."""
    text = (ROOT / file).read_text()
    for pattern, value in replacements:
        text, count = re.subn(pattern, lambda _, value=value: value, text)
        assert count, f"{pattern} is not in {file}"
    return text


def https_login(site, url, authority, address):
    """A login at the address of the real site file, with its certificate checked."""
    def post(path, **options):
        return requests.post(url + path, verify=str(authority.ca_file), timeout=15, **options)

    asked = post("/api/v1/auth/otp/request", json={"destination": address})
    assert asked.status_code == 202, asked.text
    done = post("/api/v1/auth/otp/verify", json={"otp_id": asked.json()["otp_id"], "otp": site.mailbox.wait_for(address)})
    assert done.status_code == 200, done.text
    for path in ("/", "/health/live", "/nothing-here"):
        headers = requests.get(url + path, verify=str(authority.ca_file), timeout=15).headers
        assert headers["Content-Security-Policy"]
        assert headers["Strict-Transport-Security"].startswith("max-age=")


def assert_moves_to_https(port):
    answer = requests.get(f"http://localhost:{port}/some/page?x=1", timeout=15, allow_redirects=False)
    assert answer.status_code == 301
    assert answer.headers["Location"].endswith("/some/page?x=1")
    assert answer.headers["Location"].startswith("https://")


def test_the_shipped_nginx_site_serves_over_tls(make_site, new_folder, address):
    site = make_site("sqlite", web=WITH_SOCKET)
    authority = Authority(new_folder())
    plain, tls = ports.free_port(), ports.free_port()
    inside = substituted(
        "etc/nginx/otpgate.conf",
        [
            (r"listen \[::\]:\d+[^;]*;", ""),
            (r"listen 80;", f"listen 127.0.0.1:{plain};"),
            (r"listen 443 ssl", f"listen 127.0.0.1:{tls} ssl"),
            (r"login\.example\.com;", "localhost;"),
            (r"/etc/ssl/certs/login\.example\.com\.pem", str(authority.certificate_file)),
            (r"/etc/ssl/private/login\.example\.com\.key", str(authority.key_file)),
            (r"/run/otpgate/otpgate\.sock", str(site.otpgate.socket)),
            (r"/usr/local/share/otpgate/www", str(ROOT / "www")),
        ],
    )
    nginx = Nginx(new_folder(), None, port=tls, inside=inside)
    assert nginx.check() == []
    nginx.start()
    try:
        https_login(site, f"https://localhost:{tls}", authority, address)
        assert_moves_to_https(plain)
    finally:
        nginx.stop()


def test_the_shipped_apache_site_serves_over_tls(make_site, new_folder, address):
    site = make_site("sqlite", web=WITH_SOCKET)
    authority = Authority(new_folder())
    plain, tls = ports.free_port(), ports.free_port()
    folder = new_folder()
    shutil.copytree(ROOT / "www", folder)
    folder.chmod(0o755)
    inside = f"Listen 127.0.0.1:{plain}\nListen 127.0.0.1:{tls}\n" + substituted(
        "etc/apache/otpgate.conf",
        [
            (r"\*:80\b", f"127.0.0.1:{plain}"),
            (r"\*:443\b", f"127.0.0.1:{tls}"),
            (r"ServerName login\.example\.com", "ServerName localhost"),
            (r"/etc/ssl/certs/login\.example\.com\.pem", str(authority.certificate_file)),
            (r"/etc/ssl/private/login\.example\.com\.key", str(authority.key_file)),
            (r"/run/otpgate/otpgate\.sock", str(site.otpgate.socket)),
            (r"/usr/local/share/otpgate/www", str(folder)),
        ],
    )
    apache = Apache(new_folder(), None, port=tls, inside=inside)
    assert apache.check() == []
    apache.start()
    try:
        https_login(site, f"https://localhost:{tls}", authority, address)
        assert_moves_to_https(plain)
    finally:
        apache.stop()


def test_the_shipped_lighttpd_site_serves_over_tls(make_site, new_folder, address):
    site = make_site("sqlite", web=WITH_SOCKET)
    authority = Authority(new_folder())
    plain, tls = ports.free_port(), ports.free_port()
    folder = new_folder()
    folder.mkdir()
    inside = substituted(
        "etc/lighttpd/otpgate.conf",
        [
            (r"login\.example\.com\"", f"localhost:{tls}\""),
            (r"https://login\.example\.com", f"https://localhost:{tls}"),
            (r"/run/otpgate/otpgate\.sock", str(site.otpgate.socket)),
            (r"/usr/local/share/otpgate/www", str(ROOT / "www")),
            (r"/etc/lighttpd/otpgate-errors", str(ROOT / "etc/lighttpd/errors")),
        ],
    )
    (folder / "50-otpgate.conf").write_text(inside.replace(f'"localhost:{tls}"', '"localhost"'))
    lighttpd = Lighttpd(new_folder(), None, port=tls, inside=f"""
        server.modules = ( "mod_openssl" )
        server.port = {plain}
        server.bind = "127.0.0.1"
        server.document-root = "{ROOT}/www"
        server.errorlog = "{folder}/error.log"
        server.upload-dirs = ( "{folder}" )
        include_shell "/usr/share/lighttpd/create-mime.conf.pl"
        $SERVER["socket"] == "127.0.0.1:{tls}" {{
            ssl.engine = "enable"
            ssl.pemfile = "{authority.certificate_file}"
            ssl.privkey = "{authority.key_file}"
        }}
        include "{folder}/50-otpgate.conf"
    """)
    assert lighttpd.check() == []
    lighttpd.start()
    try:
        https_login(site, f"https://localhost:{tls}", authority, address)
        assert_moves_to_https(plain)
    finally:
        lighttpd.stop()
