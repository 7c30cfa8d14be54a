"""The documentation: its pages as they are served, and everything in it that can be run, run as it stands there."""
import base64
import hashlib
import hmac
import html.parser
import json
import os
import pathlib
import re
import shlex
import subprocess
import time
import urllib.parse

import pytest
import requests

from browser import open_browser
from conftest import ROOMY
from login_page import LoginPage
from support import ports
from support.keys import Backend
from support.otpgate import environment
from support.process import Process
from support.site import Site
from support.webhook_receiver import WebhookReceiver

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOC = ROOT / "etc/doc"
HOST = "https://login.example.com"
DEVELOPMENT = "http://localhost:8080"
PLAYED_LANGUAGES = ("sh", "sql", "python", "js", "php")
A_COMMAND = re.compile(r"^(otpgate|make|curl|apt|tests/\S+) ?", re.MULTILINE)


def blocks(page):
    """[(language, text)] of a page's fenced blocks."""
    return fenced((DOC / f"{page}.md").read_text())


def fenced(text):
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


played = set()


def block(page, words):
    """The one block of a page with these words in it. It counts as played."""
    found = [(language, text) for language, text in blocks(page) if words in text]
    assert len(found) == 1, f"{len(found)} blocks of {page}.md with {words}"
    played.add((page, *found[0]))
    return found[0][1]


def shell(text, folder, **variables):
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=folder, env=environment(variables), timeout=120,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    return done.stdout


# The pages.

class Links(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.ids = [], set()
        self.feed(text)

    def handle_starttag(self, _, attributes):
        for name, value in attributes:
            if name in ("href", "src"):
                self.links.append(value)
            if name == "id":
                self.ids.add(value)


@pytest.fixture(scope="module", params=["nginx", "apache"])
def docs_site(request, new_folder):
    with Site(new_folder(), web=request.param) as running:
        yield running


def test_every_link_of_every_page_leads_somewhere(docs_site):
    seen, waiting = {}, [docs_site.url + "/docs/"]
    while waiting:
        url = waiting.pop()
        if url in seen:
            continue
        answer = requests.get(url, timeout=10)
        assert answer.status_code == 200, url
        is_page = answer.headers["Content-Type"].startswith("text/html")
        seen[url] = Links(answer.text if is_page else "")
        if is_page and "/api/" not in url:
            ours = [urllib.parse.urljoin(url, link) for link in seen[url].links]
            waiting += [urllib.parse.urldefrag(link)[0] for link in ours if link.startswith(docs_site.url)]
    for url, page in seen.items():
        for link in page.links:
            target, anchor = urllib.parse.urldefrag(urllib.parse.urljoin(url, link))
            if anchor and target in seen:
                assert anchor in seen[target].ids, f"{url}: {link}"
    pages = [url for url in seen if "/docs/" in url and url.endswith("/")]
    assert len(pages) == len(list(DOC.glob("*.md"))) + 2  # settings and commands are made of what they tell


def test_the_pages_need_no_script_and_have_the_policy_of_the_others(docs_site):
    for path in ("/docs/", "/docs/integrate/", "/problems/rate-limit/"):
        answer = docs_site.get(path, documented=False)
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "<script" not in answer.text and "style=" not in answer.text and "<style" not in answer.text


def test_the_type_of_every_error_leads_to_its_paragraph(docs_site):
    document = docs_site.get("/api/openapi.json").json()
    codes = set(re.findall(r"^\| `([A-Z_]+)` \|", document["info"]["description"], re.MULTILINE))
    codes -= {"BAD_REQUEST", "REQUEST_TIMEOUT"}  # of the web server itself, of type about:blank
    described = re.findall(r"^### ([a-z-]+)$", (DOC / "errors.md").read_text(), re.MULTILINE)
    assert sorted(described) == sorted(code.lower().replace("_", "-") for code in codes)
    refusal = requests.post(docs_site.url + "/api/v1/auth/otp/request", json={}, timeout=10).json()
    for kind in [refusal["type"], *(f"/problems/{name}" for name in described)]:
        answer = requests.get(docs_site.url + kind, timeout=10)
        assert answer.status_code == 200, kind
        assert f"<h1 id=\"{kind.split('/')[-1]}\">" in answer.text


def test_every_setting_and_every_command_is_on_its_page(docs_site):
    settings = docs_site.get("/docs/settings/", documented=False).text
    for name in re.findall(r"^(\w+) =", (ROOT / "etc/otpgate.conf").read_text(), re.MULTILINE):
        assert f"<code>{name}</code>" in settings
    commands = docs_site.get("/docs/commands/", documented=False).text
    for name in re.findall(r"^  ([a-z-]+) ", docs_site.otpgate.run("--help").stdout, re.MULTILINE):
        assert f'<h2 id="{name}">' in commands


def test_every_command_and_file_that_is_named_is_there(docs_site):
    told = docs_site.otpgate.run("help", "--bash").stdout
    commands = {name: (actions.split(), options.split())
                for name, actions, options in re.findall(r"^ +([a-z-]+)\) actions='(.*)' options='(.*)' ;;$", told, re.MULTILINE)}
    targets = re.findall(r"^([a-z][a-z0-9-]*)[^=\n]*:(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = 0
    for page in (ROOT / "README.md", *DOC.glob("*.md")):
        text = page.read_text()
        said = [*re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text), *(line.strip() for _, block in fenced(text) for line in block.splitlines())]
        for words in (re.split(r" +[#>|&].*", each)[0].split() for each in said):
            if words[:1] == ["otpgate"] and len(words) > 1:
                named += 1
                assert words[1] in commands, f"{page.name}: {words}"
                actions, options = commands[words[1]]
                assert not actions or words[2:3] == [] or words[2] in actions or words[2].startswith("-"), f"{page.name}: {words}"
                assert all(word in options for word in words if word.startswith("--")), f"{page.name}: {words}"
            elif words[:1] == ["make"] and len(words) > 1 and "=" not in words[1]:
                named += 1
                assert words[1] in targets, f"{page.name}: {words}"
            elif words and re.fullmatch(r"(tests|src|etc|www|sql|\.github)/[\w./-]+\.\w+", words[0]):
                named += 1
                assert (ROOT / words[0]).exists(), f"{page.name}: {words[0]}"
    assert named > 100


def test_what_the_security_page_names_as_a_proof_exists():
    named = re.findall(r"`(test_\w+\.py)(?:::(test_\w+))?`", (DOC / "security.md").read_text())
    assert len(named) > 20
    for file, test in named:
        text = (ROOT / "tests/e2e" / file).read_text()
        assert not test or f"\ndef {test}(" in text, f"{file}::{test}"


# What can be run.

class Development:
    """`make run` as it runs, without the building."""

    def __init__(self, folder, assignments=None, options=()):
        self.port = ports.free_port()
        self.url = f"http://localhost:{self.port}"
        state = folder / "state"
        self.process = Process("make run", [ROOT / "etc/dev/run", "--port", str(self.port), "--state", state, *options],
                               folder / "console.log", environment(assignments))
        self.process.start()
        ports.wait_until(lambda: "otpgate is ready at" in self.console(), 30, "make run is ready")

    def console(self):
        self.process.require_running()
        return self.process.log_text()

    def code_for(self, address):
        pattern = rf"^code for {re.escape(address)}: (\w+)$"
        ports.wait_until(lambda: re.search(pattern, self.console(), re.MULTILINE), 15, "the code is on the console")
        return re.findall(pattern, self.console(), re.MULTILINE)[-1]

    def stop(self):
        self.process.stop()


@pytest.fixture
def development(tmp_path):
    running = []

    def start(assignments=None, options=()):
        running.append(Development(tmp_path, assignments, options))
        return running[-1]

    yield start
    for each in running:
        each.stop()


def test_what_the_readme_says_of_make_run(development):
    readme = (ROOT / "README.md").read_text()
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    commands = re.findall(r"^    ((?:[A-Z_0-9]+=\S+ )*make [^#\n]+?)\s+#", readme, re.MULTILINE)
    assert len(commands) == 4
    assignments = dict(word.split("=") for command in commands for word in command.split() if "=" in word)
    for command in commands:
        assert re.search(r"make (\w+)", command).group(1) in targets
    run = development({name: value for name, value in assignments.items() if name.startswith("OTPGATE_")},
                      ("--db", assignments["DB"]))
    assert (assignments["DB"], assignments["OTPGATE_OTP_LENGTH"]) == ("mysql", "8")
    requests.post(run.url + "/api/v1/auth/otp/request", json={"destination": "ann@example.com"}, timeout=10)
    assert len(run.code_for("ann@example.com")) == 8


def test_the_first_minute(development, tmp_path):
    run = development()

    assert block("first-minute", "make run") == "make run\n"

    def play(words, code="123456", **variables):
        text = block("first-minute", words).replace(DEVELOPMENT, run.url).replace("123456", code)
        return json.loads(shell(text, tmp_path, **variables))

    asked = play("otp/request")
    assert asked["otp_id"]
    login = play("otp/verify", run.code_for("ann@example.com"))
    assert play("auth/me", ACCESS=login["access"])["user"]["email"] == "ann@example.com"
    assert play("token/refresh", REFRESH=login["refresh"])["access"]


def assignments_of(text, command="make run"):
    assert text.rstrip().endswith(command)
    return dict(word.split("=", 1) for word in text.rstrip()[:-len(command)].split())


def test_one_code_for_all(development):
    run = development(assignments_of(block("development", "FIXED_CODE")))
    for address in ("ann@example.com", "bob@example.com"):
        requests.post(run.url + "/api/v1/auth/otp/request", json={"destination": address}, timeout=10)
        answer = requests.post(run.url + "/api/v1/auth/otp/verify", json={"destination": address, "otp": "123456"}, timeout=10)
        assert answer.status_code == 200, answer.text


def test_wide_limits_and_another_origin(development):
    run = development({**assignments_of(block("development", "LIMITS")), **assignments_of(block("development", "CORS"))})
    for _ in range(40):
        answer = requests.post(run.url + "/api/v1/auth/otp/request", json={"destination": "ann@example.com"}, timeout=10,
                               headers={"Origin": "http://localhost:3000"})
        assert answer.status_code == 202, answer.text
        assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"


def test_pages_of_ones_own_behind_the_sign_in(development, tmp_path):
    port = ports.free_port()
    own = ("localhost:8090", f"localhost:{port}")
    name, value = shlex.split(block("integrate", "OTPGATE_PAGE_RETURN_TO").replace(*own).removesuffix(" make run\n"))[0].split("=", 1)
    run = development({name: value})
    shell(block("integrate", "mkdir -p site"), tmp_path)
    config = block("integrate", "# site/nginx.conf").replace(*own).replace(DEVELOPMENT, run.url).replace("127.0.0.1:8090", f"127.0.0.1:{port}")
    socket = re.search('unix:([^"]+)"', (tmp_path / "state/nginx/nginx.conf").read_text()).group(1)
    (tmp_path / "site/nginx.conf").write_text(config.replace("unix:var/otpgate.sock", f"unix:{socket}"))
    (tmp_path / "etc").symlink_to(ROOT / "etc")
    nginx = Process("nginx", ["bash", "-c", f"cd {tmp_path} && exec {block('integrate', 'nginx -p')}"], tmp_path / "nginx.log", environment())
    nginx.start()
    try:
        ports.wait_until(lambda: ports.is_open(port), 15, "the site listens")
        with open_browser() as driver:
            page = LoginPage(driver, None)
            driver.get(f"http://localhost:{port}/private/")
            page.see("address")
            assert driver.current_url == f"{run.url}/?return_to=http://localhost:{port}/private/"
            page.ask_for("bob@example.com")
            page.see("code")
            page.enter_code(run.code_for("bob@example.com"))
            assert page.see("continue").text == "Continue to Members"
            page["continue"].click()
            page.wait(lambda: "For members." in driver.page_source, "the protected page is not shown")
        assert requests.get(f"http://localhost:{port}/private/", timeout=10, allow_redirects=False).status_code == 302
    finally:
        nginx.stop()


@pytest.fixture(scope="module")
def site(new_folder):
    with Site(new_folder(), settings={**ROOMY, "webhooks.receivers": "any"}) as running:
        yield running


PROGRAMS = [("check_token.py", ["/usr/bin/python3"]), ("check_token.mjs", ["node"]), ("check_token.php", ["php"])]


@pytest.mark.parametrize("file, interpreter", PROGRAMS, ids=[file for file, _ in PROGRAMS])
def test_a_program_checks_a_token(site, address, tmp_path, file, interpreter):
    program = tmp_path / file
    program.write_text(block("integrate", file).replace(HOST, site.url))
    login = site.login(address)

    def check(token):
        return subprocess.run([*interpreter, program, token], capture_output=True, text=True, timeout=60, check=False)

    done = check(login["access"])
    assert (done.returncode, done.stdout) == (0, login["user"]["id"] + "\n"), done.stderr
    header, payload, signature = login["access"].split(".")
    forged = signature[:10] + ("A" if signature[10] != "A" else "B") + signature[11:]
    nobody = "eyJhbGciOiJub25lIn0"  # {"alg":"none"}
    for token in (f"{header}.{payload}.{forged}", f"{nobody}.{payload}.", login["refresh"], "nonsense"):
        done = check(token)
        assert done.returncode != 0 and login["user"]["id"] not in done.stdout, token


def test_a_token_for_another_audience_is_refused(make_site, address, tmp_path):
    other = make_site(tokens_audience="another")
    login = other.login(address)
    for file, interpreter in PROGRAMS:
        program = tmp_path / file
        program.write_text(block("integrate", file).replace(HOST, other.url))
        done = subprocess.run([*interpreter, program, login["access"]], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode != 0 and login["user"]["id"] not in done.stdout, file


@pytest.mark.parametrize("file,interpreter", [(name.replace("token", "webhook"), program) for name, program in PROGRAMS],
                         ids=["python", "node", "php"])
def test_a_program_checks_a_webhook(tmp_path, file, interpreter):
    (tmp_path / file).write_text(block("webhooks", file))
    key, body, now = b"k" * 32, b'{"type":"webhook.test"}', int(time.time())
    secret = "whsec_" + base64.b64encode(key).decode()

    def verdict(time_of_it=now, signed=body, other=""):
        right = base64.b64encode(hmac.new(key, f"id-1.{time_of_it}.".encode() + signed, hashlib.sha256).digest()).decode()
        done = subprocess.run([*interpreter, tmp_path / file, secret, "id-1", str(time_of_it), f"{other}v1,{right}"], input=body,
                              capture_output=True, check=True)
        return done.stdout.decode().strip()

    assert verdict() == verdict(other="v1,AAAA ") == "good"
    assert verdict(now - 301) == verdict(signed=b"{}") == "refused"


def test_a_token_is_asked_about(site, address, tmp_path):
    backend = Backend(site, "asks-" + address)
    login = site.login(address)
    text = block("integrate", "token/introspect").replace(HOST, site.url)

    told = json.loads(shell(text, tmp_path, API_KEY=backend.key, ACCESS=login["access"]))

    assert told["active"] is True and told["sub"] == login["user"]["id"]


def test_a_session_in_a_cookie(site, tmp_path):
    _, code = site.request_code("ann-by-cookie@example.com")
    text = block("integrate", '"session":"cookie"').replace(HOST, site.url)
    text = text.replace("ann@example.com", "ann-by-cookie@example.com").replace("123456", code)
    assert json.loads(shell(text, tmp_path))["csrf_token"]
    # Without TLS, as here, curl keeps the cookie and does not send it: it is handed over by hand.
    cookies = [line.split("\t")[5:7] for line in (tmp_path / "jar").read_text().splitlines() if "\t__Host-" in line]
    sent = "-H 'Cookie: " + "; ".join(f"{name}={value}" for name, value in cookies) + "'"
    text = block("integrate", "-b jar").replace(HOST, site.url).replace("-b jar", sent)
    me = json.loads(shell(text, tmp_path))
    assert me["user"]["email"] == "ann-by-cookie@example.com"


def test_a_backend_calls_for_its_visitors(site, tmp_path, address):
    login = site.login(address)
    text = block("integrate", "X-Forwarded-For: 203").replace(HOST, site.url).replace("ann@example.com", address)

    assert json.loads(shell(text, tmp_path, DEVICE_TOKEN=login["device_token"]))["otp_id"]

    done = site.otpgate.run("audit", "export", "--format", "json", "--email", address)
    assert "203.0.113.7" in json.dumps(json.loads(done.stdout))


def test_on_a_real_host(make_site, tmp_path, own_mariadb):
    # `make test-deb` plays it.
    assert block("host", "make deb") == "make deb\napt install ./build/deb/otpgate_*.deb nginx\n"
    install = block("host", "make install")
    assert install.startswith("make && make install\n")
    done = subprocess.run(["make", "-o", "build/otpgate", "-o", "pages", "install", f"DESTDIR={tmp_path}/root"], cwd=ROOT, capture_output=True, text=True, timeout=600,
                          check=False)
    assert done.returncode == 0, done.stderr
    for file in re.findall(r"`?(/(?:etc/otpgate|usr/local)/[\w./*-]+)`?", (DOC / "host.md").read_text()):
        if file not in ("/etc/otpgate/master.key", "/etc/otpgate/database.password"):  # these are made by hand
            assert list((tmp_path / "root").glob(file[1:])), file
    assert (tmp_path / "root/usr/local/share/otpgate/www/docs/integrate/index.html").exists()
    done = subprocess.run(["make", "uninstall", f"DESTDIR={tmp_path}/root"], cwd=ROOT, capture_output=True, text=True, check=False)
    left = [str(file.relative_to(tmp_path / "root")) for file in (tmp_path / "root").rglob("*") if not file.is_dir()]
    assert (done.returncode, left) == (0, ["etc/otpgate/otpgate.conf"]), done.stderr
    # The settings that it names are a working configuration.
    site = make_site(start=False)
    config = "".join(text for language, text in blocks("host") if language == "ini" and "[server]" in text and "base_path" not in text)
    file = tmp_path / "otpgate.conf"
    file.write_text(config + f"\n[keys]\nmaster_file = {tmp_path}/master.key\n[database]\nurl = sqlite:{tmp_path}/otpgate.db\n")
    for words in (["keys", "init"], ["migrate"], ["check-config"]):
        done = subprocess.run([site.otpgate.binary, *words, "--config", file], capture_output=True, text=True, timeout=60, check=False,
                              env=environment())
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    for text in (install, block("host", "otpgate setup\n"), block("host", "check-config"), block("host", "mail-test"), block("host", "import-django")):
        for name in re.findall(r"^otpgate ([\w-]+)", text, re.MULTILINE):
            assert site.otpgate.run(name, "--help").returncode == 0, name
    # The server of the test has a user of that name already.
    for statement in block("host", "CREATE DATABASE").replace("otpgate@", "otpgate_docs@").split(";\n"):
        if statement.strip():
            own_mariadb.root.sql(statement)


def with_otpgate_in_the_path(site, folder):
    """For blocks that say `otpgate`: it has the settings of the site."""
    program = folder / "otpgate"
    program.write_text(f'#!/bin/bash\nexec {site.otpgate.binary} "$@" --config {site.otpgate.config}\n')
    program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_operations(make_site, tmp_path):
    site = make_site("mysql")
    path = with_otpgate_in_the_path(site, tmp_path)
    site.login("ann@example.com")
    told = shell(block("operations", "outbox list"), tmp_path, PATH=path)
    assert "OTP_REQUESTED" in told and "OTP_SENT" in told

    sqlite = make_site("sqlite")
    sqlite.login("ann@example.com")
    for played, of in ((site, "mysql"), (sqlite, "sqlite")):
        path = with_otpgate_in_the_path(played, tmp_path)
        told = shell(block("operations", "otpgate backup").replace("/var/backups", str(tmp_path)).replace("%F", f"%F.{of}"), tmp_path,
                     PATH=path)
        assert "the master key is not in it" in told
    [file] = tmp_path.glob("otpgate.*.sqlite")
    sqlite.otpgate.stop()
    restore = block("operations", "otpgate restore")
    shell(restore.replace("/var/backups/otpgate.2026-11-29", f"{file} --replace"), tmp_path, PATH=path)
    copy_data = block("operations", "copy-data").splitlines()[1]
    site.otpgate.stop()
    site.mysql.recreate(site.database)
    (tmp_path / "password").write_text(site.mysql.password)
    told = shell(re.sub(r"'mysql:.*'", f"'{site.settings['database.url']}'", copy_data)
                 .replace("/etc/otpgate/database.password", f"{tmp_path}/password"), tmp_path, PATH=path)
    assert "read again and found the same" in told
    (site.folder / "master.key").write_bytes((sqlite.folder / "master.key").read_bytes())
    for one in (site, sqlite):
        one.otpgate.start()

    backup = block("operations", "mariadb-dump")
    dump, copy = backup.splitlines()
    address = site.mysql
    shell(dump.replace("otpgate >", f"-h 127.0.0.1 -P {address.port} -u {address.user} {site.database} >"), tmp_path,
          MYSQL_PWD=address.password)
    assert b"CREATE TABLE `otp_requests`" in (tmp_path / "otpgate.sql").read_bytes()
    shell(copy.replace("/var/lib/otpgate/otpgate.db", str(sqlite.folder / "otpgate.db")).replace("/var/backups", str(tmp_path)), tmp_path)
    assert (tmp_path / "otpgate.db").stat().st_size > 0


def test_a_service_of_known_people(site, tmp_path):
    people = [json.dumps({"email": f"{name}@example.com", "email_verified": True}) for name in ("ann", "bob")]
    (tmp_path / "people.jsonl").write_text("\n".join(people))

    shell(block("administration", "group create staff"), tmp_path, PATH=with_otpgate_in_the_path(site, tmp_path))

    told = site.otpgate.run("group", "show", "staff").stdout
    assert "ann@example.com" in told and "bob@example.com" in told


def test_an_application_is_registered(site, tmp_path):
    told = shell(block("openid", "--for apache"), tmp_path, PATH=with_otpgate_in_the_path(site, tmp_path))
    assert "OIDCRedirectURI https://wiki.example.com/oidc/callback" in told


def test_a_webhook_is_added(site, tmp_path):
    receiver = WebhookReceiver()
    path = with_otpgate_in_the_path(site, tmp_path)
    add, test = block("webhooks", "webhook add").splitlines()
    try:
        told = shell(add.replace("https://shop.example.com/events", receiver.url), tmp_path, PATH=path)
        shell(re.sub(r"[0-9a-f-]{36}", re.search(r"[0-9a-f-]{36}", told).group(), test), tmp_path, PATH=path)
        assert receiver.wait_for("webhook.test")
    finally:
        receiver.stop()


def test_the_measurement_that_takes_hours_is_there():
    measure, draw = block("performance", "--old-rows").splitlines()
    told = shell(f"{ROOT}/tests/bench/run --help", ROOT)
    assert all(option in told for option in re.findall(r"--[a-z-]+", measure))
    assert (ROOT / draw.split()[0]).exists()


def test_the_master_key_is_replaced(make_site, tmp_path):
    site = make_site()
    path = with_otpgate_in_the_path(site, tmp_path)
    for line in block("operations", "keys add").splitlines():
        shell(line, tmp_path, PATH=path)
        site.otpgate.reload()
        assert site.login("ann@example.com")["access"]


def test_every_block_was_played():
    every = {(file.stem, *found) for file in DOC.glob("*.md") for found in blocks(file.stem)
             if found[0] in PLAYED_LANGUAGES or A_COMMAND.search(found[1])}
    # Blocks that are only indented would be overlooked.
    for file in DOC.glob("*.md"):
        assert not re.search(r"\n\n {4}", re.sub(r"^```.*?^```$", "", file.read_text(), flags=re.MULTILINE | re.DOTALL)), file.name
    # Those need a Debian of their own: `make test-recipes` and `make test-deb` carry them out.
    for page, section in (("protect", "Programs of Debian 12"), ("openid", "Webmail"), ("host", "Install the package")):
        text = (DOC / f"{page}.md").read_text().split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
        every -= {(page, *found) for found in blocks(page) if found[1] in text}
    assert [(page, text) for page, language, text in sorted(every - played)] == []
