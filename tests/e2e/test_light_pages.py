"""The pages are light: what the sign-in weighs, how soon its form is there on a slow line, and what Lighthouse says of it, of the
pages behind it and of the documentation, served as on a real host (TLS, HTTP/2)."""
import json
import os
import pathlib
import subprocess

import pytest
from selenium.webdriver.support.ui import WebDriverWait

from browser import open_browser, set_languages
from conftest import ROOMY
from login_page import LoginPage
from support import ports
from support.certificates import Authority
from support.nginx import WWW, Nginx
from support.site import WITH_SOCKET, Site

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUDGET = 60_000  # bytes, as they come over the line
SLOW_3G = {"offline": False, "latency": 400, "downloadThroughput": 400_000 / 8, "uploadThroughput": 400_000 / 8}  # milliseconds, bytes a second
TRIES = 3  # what else the machine does only adds: the best of them counts
CATEGORIES = ("performance", "accessibility", "best-practices")
# As soon as it can be typed into.
WATCH = """
new MutationObserver((_, self) => {
  const field = document.getElementById("address");
  if (!field || !field.checkVisibility()) return;
  self.disconnect();
  requestAnimationFrame(() => { window.formAt = performance.now(); });
}).observe(document, { subtree: true, childList: true, attributes: true });
"""
WEIGHT = """
return performance.getEntries().filter((entry) => ["navigation", "resource"].includes(entry.entryType))
  .map((entry) => [entry.name, entry.transferSize, entry.nextHopProtocol]);
"""


@pytest.fixture(scope="module")
def tls_site(new_folder):
    """As etc/nginx/otpgate.conf has it."""
    site = Site(new_folder(), web=WITH_SOCKET, settings=ROOMY)
    authority, port = Authority(new_folder()), ports.free_port()
    site.web = Nginx(new_folder(), None, port=port, inside=f"""
        upstream otpgate {{ server "unix:{site.otpgate.socket}"; }}
        server {{
            listen 127.0.0.1:{port} ssl http2;
            server_name localhost;
            ssl_certificate {authority.certificate_file};
            ssl_certificate_key {authority.key_file};
            root "{WWW}";
            include snippets/otpgate_locations.conf;
        }}
    """)
    site.url = f"https://localhost:{port}"
    site.otpgate.settings["server.public_url"] = site.url
    site.otpgate.write_config()
    with site:
        yield site


@pytest.fixture
def browser():
    with open_browser(arguments=["--ignore-certificate-errors"]) as driver:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        driver.execute_cdp_cmd("Network.enable", {})
        yield driver


def form_at(driver, url):
    """Opens the page: milliseconds until its form is there."""
    driver.get(url)
    return WebDriverWait(driver, 30).until(lambda _: driver.execute_script("return window.formAt"))


@pytest.mark.parametrize("languages", ["en", "hi", "ar"])
def test_the_sign_in_weighs_little(tls_site, browser, languages):
    set_languages(browser, languages)
    form_at(browser, tls_site.url)
    weights = {name: size for name, size, protocol in browser.execute_script(WEIGHT) if protocol == "h2"}
    print(languages, sum(weights.values()), "bytes in", len(weights), "requests")
    assert 5 < len(weights) < 10 and all(weights.values())
    assert sum(weights.values()) < BUDGET


@pytest.mark.alone
def test_the_form_is_there_soon_on_a_slow_line(tls_site, browser):
    form_at(browser, tls_site.url)  # what Chromium needs for its first page is not the line's
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", SLOW_3G)
    times = []
    for _ in range(TRIES):
        browser.execute_cdp_cmd("Network.clearBrowserCache", {})
        times.append(form_at(browser, tls_site.url))
    print("the form after", [round(each) for each in times], "ms")
    assert 800 < min(times) < 2000


@pytest.fixture(scope="module")
def tools():
    done = subprocess.run([ROOT / "tests/npm/install", "pages"], check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return pathlib.Path(done.stdout.strip())


@pytest.mark.alone
@pytest.mark.parametrize("rated_page", ["/", "/docs/integrate/", "/account/", "/admin/"])
def test_lighthouse_is_content(tls_site, tools, tmp_path, rated_page):
    headers = signed_in(tls_site) if rated_page in ("/account/", "/admin/") else {}
    tried = []
    for number in range(TRIES):
        tried.append(lighthouse(tools, tls_site.url + rated_page, tmp_path / f"{number}.json", headers))
        if min(tried[-1][0].values(), default=0) >= 95:
            break
    print(rated_page, [scores for scores, _ in tried])
    assert max(min(scores.values(), default=0) for scores, _ in tried) >= 95, tried


def signed_in(site):
    """What the browser of an administrator sends."""
    address = "root@example.com"
    with open_browser(arguments=["--ignore-certificate-errors"]) as driver:
        page = LoginPage(driver, site)
        page.open()
        page.sign_in(address)
        assert site.otpgate.run("user", "make-admin", address).returncode == 0
        return page.session_cookie()


def lighthouse(tools, url, report, headers):
    """({category: of 100}, audits that cost points); no category where it did not come to an end."""
    flags = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --ignore-certificate-errors"
    environment = {"PATH": os.environ["PATH"], "HOME": str(report.parent), "CHROME_PATH": "/usr/bin/chromium"}
    done = subprocess.run(
        [tools / "node_modules/.bin/lighthouse", url, f"--only-categories={','.join(CATEGORIES)}", "--output=json",
         f"--output-path={report}", f"--extra-headers={json.dumps(headers)}", "--quiet", "--no-enable-error-reporting", f"--chrome-flags={flags}"],
        capture_output=True, text=True, timeout=300, check=False, env=environment)
    if done.returncode != 0:
        return {}, [done.stderr]
    told = json.loads(report.read_text())
    lost = [audit["id"] for category in CATEGORIES for audit in told["categories"][category]["auditRefs"]
            if audit["weight"] and told["audits"][audit["id"]]["score"] not in (None, 1)]
    return {name: round(100 * told["categories"][name]["score"]) for name in CATEGORIES}, lost
