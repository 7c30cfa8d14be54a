"""axe-core finds nothing wrong: in every state of the sign-in page, in every language, light and dark, on a phone and on a desk,
in forced colours and without JavaScript; and on the pages of the documentation."""
import itertools
import pathlib
import re
import time

import pytest

from browser import open_browser, set_dark, set_size
from login_page import LoginPage
from support import sentences
from support.mailbox import text_of
from support.phone_app import PhoneApp
from support.site import Site

ROOT = pathlib.Path(__file__).resolve().parents[2]
AXE = ROOT / "build/npm/node_modules/axe-core/axe.min.js"  # etc/dev/docs pins it, `make docs` installs it
SIZES = ((320, 640), (1280, 800))

# Everything that axe knows, best practices included.
RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ["violations"] }).then(
    ({ violations }) => done(violations.map(({ id, nodes }) => [id, nodes.map((n) => n.target.join(" ") + ": " + n.failureSummary)])),
    (error) => done([["axe failed", [String(error)]]]));
"""
# As the switch does it, with what it does in the background.
TURN = """
const [language, done] = arguments;
const choice = document.getElementById("language");
if (document.documentElement.lang === language) return done();
new MutationObserver((_, self) => { self.disconnect(); setTimeout(done); })
    .observe(document.documentElement, { attributeFilter: ["lang"] });
choice.value = language;
choice.dispatchEvent(new Event("change"));
"""
# Colours are judged as they are, not on their way to be.
STILL = """
for (const animation of document.getAnimations()) animation.finish();
"""


def findings(driver):
    if not driver.execute_script("return 'axe' in window"):
        driver.execute_script(AXE.read_text())
    driver.execute_script(STILL)
    return driver.execute_async_script(RUN)


def look_everywhere(page, state):
    """Runs axe in this state in all sizes and schemes in English, and on a phone, light or dark, in the other languages:
    what it found. Colours are the same in all of them, and where words are too long, a phone shows it."""
    found = []
    for number, language in enumerate(sentences.LANGUAGES):
        page.driver.execute_async_script(TURN, language)
        for size, dark in itertools.product(SIZES, (False, True)) if language == "en" else [(SIZES[0], number % 2 == 1)]:
            set_size(page.driver, *size)
            set_dark(page.driver, dark)
            found += [(state, language, size, dark, *finding) for finding in findings(page.driver)]
            page.assert_fits()
    page.driver.execute_async_script(TURN, "en")
    return found


def look_over(page, state):
    """The same on a phone and on a desk in English, and in a language from the right: for pages of many parts."""
    found = []
    for language, size, dark in (("en", SIZES[0], False), ("en", SIZES[1], True), ("ar", SIZES[0], True)):
        page.driver.execute_async_script(TURN, language)
        set_size(page.driver, *size)
        set_dark(page.driver, dark)
        found += [(state, language, size, dark, *finding) for finding in findings(page.driver)]
        page.assert_fits()
    page.driver.execute_async_script(TURN, "en")
    return found


@pytest.fixture(scope="module")
def site(new_folder):
    with Site(new_folder(), settings={"sms.transport": "file", "server.trusted_proxies": "127.0.0.1", "otp.link": "beside",
                                      "mfa.required": "group:staff"}) as running:
        yield running


@pytest.fixture
def page(site):
    with open_browser() as driver:
        driver.set_script_timeout(60)
        page = LoginPage(driver, site)
        page.open()
        yield page


def wrong(code):
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"


def test_before_the_code(page, address):
    found = look_everywhere(page, "address")
    page["address-submit"].click()
    page.text_of("address-error")
    found += look_everywhere(page, "no address")
    page["address"].send_keys("+4930123456")
    page.driver.execute_script("fetch = async () => new Response('{}', {status: 429, headers: {'Retry-After': '60'}})")
    page["address-submit"].click()
    page.text_of("address-error", "too many")
    found += look_everywhere(page, "limit")
    assert found == []


@pytest.mark.long
def test_the_code(page, site, address):
    code = page.ask_for_code(address)
    found = look_everywhere(page, "code")
    page.enter_code(wrong(code))
    page.text_of("code-error", "2 attempts left")
    found += look_everywhere(page, "wrong code")
    page.driver.execute_script("""
        const pending = JSON.parse(sessionStorage.getItem("otpgate.pending"));
        pending.expires_at = pending.resend_at = Date.now() - 1;
        sessionStorage.setItem("otpgate.pending", JSON.stringify(pending));""")
    page.driver.refresh()
    page.text_of("code-error", "expired")
    found += look_everywhere(page, "expired")
    assert found == []


def test_a_link_in_another_browser(page, site, address):
    site.request_code(address)
    link = re.search(r"http\S+/#link=\S+", text_of(site.mailbox.messages_for(address)[-1]))[0]
    page.driver.get("about:blank")
    page.driver.get(link)
    page.see("link-submit").click()
    page.text_of("link-code")
    page["link-here"].click()
    page.text_of("link-address-error")
    assert look_everywhere(page, "link elsewhere") == []


@pytest.mark.long
def test_signed_in_and_out(page, site, address):
    page.sign_in(address)
    found = look_everywhere(page, "account")
    page.driver.execute_script("window.real = fetch; fetch = async () => { throw new TypeError(); }")
    page["sign-out"].click()
    page.text_of("sign-out-error")
    found += look_everywhere(page, "not signed out")
    page.driver.execute_script("fetch = window.real")
    page["sign-out"].click()
    page.see("address")
    found += look_everywhere(page, "signed out")

    # With an app: adding one, the list with one in it, and the second step.
    page["address"].clear()
    page.sign_in(address)
    page.open_part("factors")
    page.see("app-add").click()
    page.wait(lambda: page["app-secret"].text, "no key is shown")
    found += look_over(page, "new app")
    phone = PhoneApp(page["app-secret"].text.replace(" ", ""))
    page["app-code"].send_keys(phone.code() + "\n")
    page.text_of("status", "added")
    page.see("recovery-make").click()
    page.wait(lambda: page["recovery-codes"].text, "no codes are shown")
    found += findings(page.driver)
    page["sign-out"].click()
    page.see("address").clear()
    page.enter_code(page.ask_for_code(address))
    page.see("second-code").send_keys("000000")
    page.text_of("second-error")
    found += look_everywhere(page, "second step")
    assert found == []


@pytest.mark.long
def test_the_account(page, site, address):
    site.login(address, device_name="Ann's phone")
    page.open_behind("/account/#sessions")
    page.enter_code(page.ask_for_code(address))
    page.sessions(2)
    page["sessions-all"].find_element("tag name", "button").click()  # asks
    found = look_over(page, "sessions")
    for part, ready in (("profile", "profile-username"), ("addresses", "addresses-new"), ("password", "reset-submit"), ("factors", "recovery-make"),
                        ("applications", "applications-none"), ("keys", "keys-none"), ("events", "events"), ("data", "data-acts")):
        page.driver.get(f"{site.url}/account/#{part}")
        page.see(ready)
        if part == "addresses":
            page["addresses-submit"].click()
            page.text_of("addresses-error")
        found += look_over(page, part)
    assert found == []


@pytest.mark.long
def test_the_administration(page, site, address):
    site.otpgate.run("user", "make-admin", site.login(address)["user"]["email"])
    hour = int(time.time()) // 3600 - 2
    site.sql(f"INSERT INTO hourly_counts (hour, event, times) VALUES ({hour}, 'LOGIN_SUCCEEDED', 7), ({hour}, 'OTP_FAILED', 3)")
    page.open_behind("/admin/")
    page.enter_code(page.ask_for_code(address))
    page.see("people-search").send_keys(address.replace("example", "exmaple") + "\n")
    page.text_of("people-found", "nearest")
    found = look_over(page, "people")
    page["people"].find_element("tag name", "a").click()
    page.see("person-cause")
    page["person-acts"].find_element("css selector", ".act button").click()  # asks
    found += look_over(page, "person")
    page.driver.get(f"{site.url}/admin/#today")
    page.wait(lambda: page["today"].find_elements("tag name", "summary"), "there is no chart")
    page["today"].find_element("tag name", "summary").click()
    found += look_over(page, "today")
    token = site.login(address)["access"]
    site.post("/api/v1/admin/clients", {"client_id": "wiki", "redirect_uris": ["https://wiki.example.com/cb"]}, token=token)
    site.post("/api/v1/admin/webhooks", {"url": "https://shop.example.com/events"}, token=token)
    site.post("/api/v1/api-keys", {"name": "Shop", "scopes": ["verify"]}, token=token)
    for arguments in (("create", "editors"), ("add", "editors", address)):
        assert site.otpgate.run("group", *arguments).returncode == 0
    for part, ready in (("events", "events"), ("messages", "messages-none"), ("clients", "clients"), ("webhooks", "webhooks"), ("keys", "keys"),
                        ("groups", "groups"), ("group/editors", "group"), ("health", "health")):
        page.driver.get(f"{site.url}/admin/#{part}")
        page.see(ready)
        if part in ("clients", "webhooks", "keys"):
            page.wait(lambda: page[ready].find_elements("css selector", ".act > button"), "there is no row")
            page[ready].find_element("css selector", ".act > button").click()  # asks
        if part == "health":
            page.text_of("health-well", "wrong")
            page["health-submit"].click()
            page.text_of("health-sent")
        found += look_over(page, part)
    assert found == []


def test_a_factor_that_is_wanted(page, site, address):
    site.login(address)
    for arguments in (("create", "staff"), ("add", "staff", address)):
        assert site.otpgate.run("group", *arguments).returncode == 0
    page.enter_code(page.ask_for_code(address))
    page.text_of("enrol-lead", "put it off")
    found = look_everywhere(page, "a factor is wanted")
    page["enrol-app"].click()
    page.wait(lambda: page["enrol-app-secret"].text, "no key is shown")
    assert found + findings(page.driver) == []


def test_the_server_is_away(page):
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/api/*"]})
    page.driver.refresh()
    page.text_of("unreachable-error")
    assert look_everywhere(page, "unreachable") == []


def test_scripts_that_do_not_start(page):
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/js/main.js"]})
    page.driver.refresh()
    for size, dark in itertools.product(SIZES, (False, True)):
        set_size(page.driver, *size)
        set_dark(page.driver, dark)
        assert findings(page.driver) == []
        page.assert_fits()


def test_forced_colours(site, address):
    with open_browser(arguments=["--force-high-contrast"]) as driver:
        page = LoginPage(driver, site)
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "forced-colors", "value": "active"}]})
        page.open()
        assert driver.execute_script("return matchMedia('(forced-colors: active)').matches")
        assert findings(driver) == []
        page.enter_code(wrong(page.ask_for_code(address)))
        page.text_of("code-error")
        # What colour alone would say is said by a border.
        assert float(page["code"].value_of_css_property("border-top-width").removesuffix("px")) >= 3
        assert findings(driver) == []


def test_four_times_as_large(page, site, address):
    """A window of 1280 by 1024 at 400 % (WCAG 2.2, 1.4.10): nothing is scrolled sideways, nothing is lost."""
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 320, "height": 256, "deviceScaleFactor": 4, "mobile": False})
    assert findings(page.driver) == []
    page.assert_fits()
    page.enter_code(wrong(page.ask_for_code(address)))
    page.text_of("code-error")
    assert findings(page.driver) == []
    page.assert_fits()
    for path in documentation():
        page.driver.get(f"{site.url}/{path}")
        page.assert_fits()


def documentation():
    return ["docs/", *(f"docs/{file.stem}/" for file in sorted((ROOT / "etc/doc").glob("*.md")) if file.stem != "README"),
            "docs/settings/", "docs/commands/", "problems/rate-limit/"]


@pytest.mark.long
def test_the_pages_of_the_documentation(page, site):
    found = []
    for path in documentation():
        page.driver.get(f"{site.url}/{path}")
        for size, dark in itertools.product(SIZES, (False, True)):
            set_size(page.driver, *size)
            set_dark(page.driver, dark)
            found += [(path, *size, dark, *finding) for finding in findings(page.driver)]
    assert found == []


def test_the_viewer_of_the_api(page, site):
    page.driver.get(f"{site.url}/api/docs/")
    shown = lambda: page.driver.find_elements("css selector", ".opblock-summary-control")
    page.wait(shown, "no operation is shown")
    found = findings(page.driver)
    shown()[1].click()
    page.wait(lambda: page.driver.find_elements("css selector", ".microlight"), "no example is shown")
    for size, dark in itertools.product(SIZES, (False, True)):
        set_size(page.driver, *size)
        set_dark(page.driver, dark)
        found += [(*size, dark, *finding) for finding in findings(page.driver)]
    assert found == []
