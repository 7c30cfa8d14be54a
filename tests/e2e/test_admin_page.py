"""The page of administrators (/admin/) in a real browser: why somebody cannot sign in, what can be done, and what strangers' names
cannot do."""
import json
import pathlib
import sqlite3
import time
import uuid

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from browser import open_browser
from conftest import ROOMY
from login_page import DESKTOP, LoginPage
from support.phone_app import register
from support.site import Site
from test_administration import bury
from test_authenticators import first_step
from test_corpora import corpora  # noqa: F401

PICTURES = pathlib.Path(__file__).resolve().parents[2] / "build/pictures"
ROOT = "root@example.com"


@pytest.fixture(scope="module")
def site(new_folder):
    with Site(new_folder(), settings=ROOMY) as running:
        running.login(ROOT)
        assert running.otpgate.run("user", "make-admin", ROOT).returncode == 0
        assert running.otpgate.run("group", "create", "staff").returncode == 0
        yield running


class AdminPage(LoginPage):
    """Of an administrator who is signed in. Counts the presses."""

    clicks = 0

    def open(self):
        self.driver.get(self.site.url + "/admin/")
        self.clicks = 0
        self.see("people-search")

    def click(self, target):
        self.clicks += 1
        (self.see(target) if isinstance(target, str) else target).click()

    def button(self, text, within="admin-view"):
        found = lambda: [each for each in self[within].find_elements(By.TAG_NAME, "button") if each.is_displayed() and each.text == text]
        self.wait(found, f"there is no button '{text}'")
        return found()[0]

    def find(self, text):
        self.see("people-search").clear()
        self["people-search"].send_keys(text)
        self.click("people-submit")

    def show(self, address):
        self.find(address)
        self.text_of("person-title", address)
        return self.see("person-cause").text

    def rows(self, name):
        return self.driver.execute_script("return [...document.querySelectorAll(`#${arguments[0]} > li`)].map((row) => row.innerText)", name)


@pytest.fixture(scope="module")
def driver(site):
    with open_browser(*DESKTOP) as driver:
        page = AdminPage(driver, site)
        page.open_behind("/admin/#events")  # who is not signed in does so first, and comes back
        page.enter_code(page.ask_for_code(ROOT))
        page.see("events-form")
        assert driver.current_url == site.url + "/admin/#events"
        yield driver


@pytest.fixture
def page(driver, site):
    page = AdminPage(driver, site)
    page.open()
    yield page
    driver.execute_script("history.replaceState(null, '', '/admin/')")


def spend_the_budget(site, address):
    while site.post("/api/v1/auth/otp/request", {"destination": address}).status_code == 202:
        pass


def refuse_the_mail(site, address):
    bury(site, address, site.request_code(address)[0])
    site.sql(f"DELETE FROM audit_events WHERE event = 'OTP_SENT' AND destination = '{address}'")


def lose_the_factor(site, address):
    register(site, site.login(address)["access"])
    first_step(site, address)


# What is planted, and what the screen says of it.
CAUSES = {
    "budget": (spend_the_budget, "A limit is spent until"),
    "mail": (refuse_the_mail, "The mail server refused the code for {address}: 550 5.1.1 no such user"),
    "disabled": (lambda site, address: site.otpgate.run("user", "disable", address), "The account is disabled, since"),
    "factor": (lose_the_factor, "the account wants a passkey or an authenticator app as well"),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_planted_cause_is_told_on_the_one_screen(page, site, new_address, cause):
    plant, told = CAUSES[cause]
    address = new_address()
    if cause != "factor":
        site.login(address)
    plant(site, address)

    said = page.show(address)

    assert told.format(address=address) in said
    assert page.clicks <= 4
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.driver.save_screenshot(str(PICTURES / f"cause-{cause}.png"))


def test_a_mistyped_address_leads_to_who_was_meant(page, site, new_address):
    address = new_address()
    site.login(address)
    mistyped = address.replace("example", "exmaple")
    site.request_code(mistyped)

    page.find(mistyped)

    page.text_of("people-found", "nearest")
    assert page.rows("people")[0] == address
    page.wait(lambda: any("A code was sent" in row for row in page.rows("people-events")), "what was sent there is not shown")
    page.driver.save_screenshot(str(PICTURES / "cause-mistyped.png"))
    page.click(page["people"].find_element(By.TAG_NAME, "a"))
    page.text_of("person-title", address)
    assert page.clicks <= 4


def test_what_can_be_done(page, site, new_address):
    address, other = new_address(), new_address()
    otp_id, code = site.request_code(address)
    assert site.verify(otp_id, code).status_code == 200
    bury(site, address, site.request_code(address)[0])
    page.show(address)

    page.click(page.button("Send the last message again"))
    page.text_of("status", "sent again")
    page.click(page.button("Clear the limits"))
    page.text_of("status", "limits are cleared")
    assert page.rows("person-limits") == []
    page["person-group"].send_keys("staff")
    page.click("person-group-submit")
    page.text_of("status", "groups are changed")
    assert [row.split() for row in page.rows("person-groups")] == [["staff", "Take", "out"]]
    page["person-group"].send_keys("nobodys")
    page.click("person-group-submit")
    page.text_of("person-group-error", "no such group")
    page["person-address"].clear()
    page["person-address"].send_keys(other)
    page.click("person-address-submit")
    page.text_of("person-title", other)
    page.click(page.button("Disable"))  # asks
    assert page.focused().text.startswith("Nobody signs in to this account")
    page.click(page.button("Cancel"))
    assert page.focused().text == "Disable"
    page.click(page.button("Disable"))
    page.click(page.button("Disable"))  # and does it
    assert "disabled" in page.text_of("person-cause", "disabled")
    page.click(page.button("Enable"))
    page.text_of("status", "enabled")
    page.click(page.button("Delete the account"))
    page.click(page.button("Delete the account"))
    page.text_of("status", "deleted")
    page.text_of("people-found", "No account has")
    assert site.sql(f"SELECT id FROM users WHERE email = '{other}'") == []
    assert_clean_console_of_admin(page.driver)


def assert_clean_console_of_admin(driver):
    """What was refused on purpose is a line of 400 or more."""
    lines = [entry["message"] for entry in driver.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")]
    assert [line for line in lines if "status of 4" not in line] == []


def test_the_service_as_a_whole(page, site, address):
    hour = int(time.time()) // 3600 - 2
    for event, times in (("LOGIN_SUCCEEDED", 7), ("OTP_SENT", 9), ("OTP_SENT_2S", 9)):
        site.sql(f"INSERT INTO hourly_counts (hour, event, times) VALUES ({hour}, '{event}', {times})")
    site.request_code(address)
    page.click(page.driver.find_element(By.LINK_TEXT, "Today"))
    page.wait(lambda: len(page.driver.find_elements(By.CSS_SELECTOR, "#today svg")) == 4, "there are no charts")
    page.click(page["today"].find_element(By.TAG_NAME, "summary"))
    counted = [cell.text for cell in page["today"].find_elements(By.CSS_SELECTOR, "figure:first-child tbody td")]
    assert len(counted) == 12 and counted[-3] == "7" and int(counted[-1]) > 0  # the hour that runs

    page.click(page.driver.find_element(By.LINK_TEXT, "Events"))
    page["events-address"].send_keys(address)
    Select(page["events-kind"]).select_by_value("OTP_SENT")
    sent = f"SELECT COUNT(*) FROM audit_events WHERE event = 'OTP_SENT' AND destination = '{address}'"
    page.wait(lambda: site.sql(sent) == [["1"]], "that it was sent is not written down")
    page.click("events-submit")
    page.wait(lambda: len(page.rows("events")) == 1 and page.rows("events")[0].startswith("A code was sent"), "the events are not those that were asked for")
    page.driver.execute_script("URL.createObjectURL = (blob) => { blob.text().then((text) => { window.saved = text; }); return 'data:,'; };")
    page.click("events-csv")
    page.wait(lambda: page.driver.execute_script("return window.saved"), "no file is saved")
    lines = page.driver.execute_script("return window.saved").splitlines()
    assert lines[0].startswith("id,event,") and len(lines) == 2 and address in lines[1]

    message = bury(site, address, site.request_code(address)[0])
    page.click(page.driver.find_element(By.LINK_TEXT, "Messages"))
    page.wait(lambda: any(address in row for row in page.rows("messages")), "the dead letter is not shown")
    # Who chooses again before the answer is there gets one list, and not two.
    once = len(page.rows("messages"))
    page.driver.execute_script("for (let i = 0; i < 5; ++i) document.getElementById('messages-state').dispatchEvent(new Event('change'))")
    page.wait(lambda: page.rows("messages") and page.driver.execute_script(
        "return performance.getEntriesByType('resource').filter((one) => one.name.includes('/admin/messages')).length") >= 6, "it was asked once")
    page.driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert len(page.rows("messages")) == once
    page["messages"].find_element(By.CSS_SELECTOR, f"[aria-label$='{address}']").click()
    page.text_of("status", "sent again")
    assert site.sql(f"SELECT id FROM outbox WHERE id = x'{uuid.UUID(message).hex}' AND dead_at_us IS NOT NULL") == []


def test_whether_all_is_well_and_mail_goes_out(page, site):
    site.sql("UPDATE signing_keys SET created_at_us = created_at_us - 40000000000000")
    page.driver.get(site.url + "/admin/#health")
    page.text_of("health-well", "Nothing is wrong")
    checks = {row.split("\n")[0]: row for row in page.rows("health")}
    assert checks.keys() >= {"database", "login", "master key", "outbox", "mail", "limits"} and checks["login"].endswith("well")
    assert ["ES256" in row for row in page.rows("health-keys")] == [True, False]
    assert page["health-recipient"].get_attribute("value") == ROOT
    page["health-recipient"].send_keys(Keys.ENTER)
    page.text_of("health-sent", "It was taken")
    assert "written to" in page["health-said"].text and page.focused() == page["health-told"]
    row = page.rows("health")[0]
    assert row.startswith("signing key") and "Why it matters: the longer a key is used" in row and "What to do: otpgate keys rotate" in row and row.endswith("doubtful")
    page["health-recipient"].clear()
    page["health-recipient"].send_keys("+4930123456")
    page.click("health-submit")
    page.text_of("health-form-error")


def test_a_group_from_its_beginning_to_its_end_by_keyboard(page, site, address):
    site.login(address)
    page.driver.get(site.url + "/admin/#groups")
    page.wait(lambda: page.rows("groups") and page.rows("groups")[0].startswith("staff"), "the group is not shown")
    page.see("groups-name").send_keys("no name", Keys.ENTER)
    page.text_of("groups-form-error")
    page["groups-name"].send_keys(Keys.CONTROL, "a")
    page.press("Editors", Keys.ENTER)
    page.text_of("status", "made: Editors")
    page["groups"].find_element(By.LINK_TEXT, "editors").send_keys(Keys.ENTER)
    page.text_of("group-title", "editors")
    page.see("group-who").send_keys(address[:-1], Keys.ENTER)  # whoever only begins so is not meant
    page.text_of("group-form-error", "No account has")
    page.press(address, Keys.ENTER)
    page.wait(lambda: [row.split() for row in page.rows("group")] == [[address, "Take", "out"]], "nobody is in it")
    page.wait(lambda: page["group-who"].get_attribute("value") == "" and page.focused() == page["group-who"], "the field is not ready for the next")
    page.press(Keys.TAB, Keys.TAB)
    page.assert_focus_is_visible()
    page.press(Keys.ENTER)
    assert page.focused().text.startswith("Its members are taken out")
    page.press(Keys.TAB, Keys.ENTER)
    page.text_of("status", "removed: editors")
    page.wait(lambda: not any(row.startswith("editors") for row in page.rows("groups")), "the list still has it")
    assert site.sql("SELECT group_name FROM group_members WHERE group_name = 'editors'") == []


def test_a_key_of_somebody_is_revoked_by_keyboard(page, site):
    token = site.login(ROOT)["access"]
    key = site.post("/api/v1/api-keys", {"name": "Shop", "scopes": ["verify"], "send_limit": "5/1h"}, token=token).json()
    page.driver.get(site.url + "/admin/#keys")
    page.wait(lambda: page.rows("keys"), "the key is not shown")
    assert all(part in page.rows("keys")[0] for part in ("Shop", ROOT, key["prefix"], "5/1h", "Never used"))
    page["keys"].find_element(By.CSS_SELECTOR, "[aria-label='Revoke: Shop']").send_keys(Keys.ENTER)
    page.press(Keys.TAB, Keys.ENTER)
    page.text_of("status", "revoked: Shop")
    assert page.rows("keys") == []


def test_applications_and_webhooks(page, site):
    page.driver.get(site.url + "/admin/#clients")
    page.see("clients-id").send_keys("wiki")
    page["clients-redirects"].send_keys("https://wiki.example.com/callback")
    page.click("clients-submit")
    first = page.see("clients-secret").text
    assert len(first) > 40
    page.wait(lambda: any("wiki.example.com" in row for row in page.rows("clients")), "the application is not shown")
    page.click(page.button("New secret", "clients"))
    page.click(page.button("New secret", "clients"))
    page.wait(lambda: page["clients-secret"].text not in ("", first), "there is no new secret")
    page.click(page.button("Disable", "clients"))
    page.click(page.button("Disable", "clients"))
    page.wait(lambda: any("disabled" in row for row in page.rows("clients")), "the application is not disabled")
    assert page["clients-secret"].text == ""
    page.click(page.button("Remove", "clients"))
    page.click(page.button("Remove", "clients"))
    page.wait(lambda: page.rows("clients") == [], "the application is not removed")

    page.click(page.driver.find_element(By.LINK_TEXT, "Webhooks"))
    page.see("webhooks-url").send_keys("https://shop.example.com/events")
    page["webhooks-events"].send_keys("user.deleted, session.ended", Keys.ENTER)
    assert page.see("webhooks-secret").text.startswith("whsec_")
    page.click(page.button("Send a test", "webhooks"))
    page.text_of("status", "A test is on its way")
    page.click(page.button("Remove", "webhooks"))
    page.click(page.button("Remove", "webhooks"))
    page.wait(lambda: page.rows("webhooks") == [], "the webhook is not removed")


def test_an_old_sign_in_leads_to_a_new_one_and_back(page, site, address):
    site.login(address)
    page.show(address)
    site.sql("UPDATE sessions SET authenticated_at_us = authenticated_at_us - 1000000000 WHERE user_id ="
             f" (SELECT id FROM users WHERE email = '{ROOT}')")
    where = page.driver.current_url
    page.click(page.button("Clear the limits"))
    page.text_of("person-error", "sign in again")
    page["person-error"].find_element(By.TAG_NAME, "a").click()
    page.see("address")
    page.enter_code(page.ask_for_code(ROOT))
    page.text_of("person-title", address)
    assert page.driver.current_url == where


def test_by_keyboard_alone(page, site, address):
    site.login(address)
    assert page.focused() == page["people-search"]
    page.assert_focus_is_visible()
    page.press(address, Keys.ENTER)
    page.text_of("person-title", address)
    page.wait(lambda: page.focused() == page["person-title"], "the focus is not where the reading begins")
    page.press(Keys.TAB)
    assert page.focused().text == "Clear the limits"
    page.press(Keys.TAB)
    page.assert_focus_is_visible()
    page.press(Keys.ENTER)
    assert page.focused().text.startswith("Every session")
    page.press(Keys.TAB, Keys.ENTER)
    page.text_of("status", "All sessions are ended")
    assert page.rows("person-sessions") == []


# Beside the collection: what is said in the words of these pages, in their addresses and in what draws them.
OURS = (
    "{text}", "{name} {time} {count}", "$&$1$`", "constructor", "hasOwnProperty", "toString", "null", "undefined", "NaN", "[object Object]",
    "#person/1/../..", "people-search", "status", "javascript:alert(1)//@example.com", "data:text/html,<script>alert(1)</script>",
    "</bdi></p></li></ul><h1>Signed out</h1>", "\"><a href=//evil.example onclick=alert(1)>Sign in again</a>", "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>", "<style>*{display:none}</style>", "<link rel=stylesheet href=//evil.example>",
    "\u202egpj.exe", "\u2067abc\u2069", "\u200f\u200e", "a" * 5000, "\u0301" * 50, "=HYPERLINK(\"//evil.example\")", "\r\nSet-Cookie: a=b",
)


@pytest.fixture(scope="module")
def names(corpora):  # noqa: F811
    return [name for name in [*json.loads((corpora / "naughty.json").read_text()), *OURS] if name]


@pytest.fixture(scope="module")
def planted(site, names):
    """The names in every field that the pages show: as many users, applications, webhooks, keys, groups, messages and events; and one user
    with a session and a key for each: its id."""
    signed_in = site.login("naughty@example.com", device_name="x")
    site.otpgate.run("user", "make-admin", "naughty@example.com")
    site.post("/api/v1/api-keys", {"name": "x", "scopes": ["verify"]}, token=signed_in["access"])
    bury(site, "naughty@example.com", site.request_code("naughty@example.com")[0])
    rows = lambda **fields: [{field: value(name) if callable(value) else value for field, value in fields.items()} for name in names]
    with sqlite3.connect(site.folder / "otpgate.db", timeout=10) as database:
        def insert(table, rows, like=None):
            """Each with what it does not say of a row that is there."""
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            model = dict(zip(columns, database.execute(f"SELECT * FROM {table} WHERE {like}").fetchone())) if like else {}
            for number, row in enumerate(rows):
                row = {**model, **({"id": uuid.UUID(int=(1 << 120) + number).bytes} if "id" in columns else {}), **row}
                database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))

        same = lambda name: name
        user = database.execute("SELECT id FROM users WHERE email = 'naughty@example.com'").fetchone()[0]
        its = f"user_id = x'{user.hex()}'"
        people = rows(display_name=same, first_name=same, last_name=same)
        insert("users", [{**row, "id": uuid.uuid4().bytes, "email": f"naughty-{number:03}@example.com"} for number, row in enumerate(people)],
               like=f"id = x'{user.hex()}'")
        for table in ("sessions", "devices"):
            insert(table, rows(device_name=same, **({"user_agent": same, "ip_address": same} if table == "sessions" else {})), like=its)
        insert("api_keys", [{**row, "prefix": f"k{number}"} for number, row in enumerate(rows(name=same))], like=its)
        insert("outbox", rows(last_error=same), like="destination = 'naughty@example.com' AND dead_at_us IS NOT NULL")
        insert("audit_events", rows(user_agent=same, destination=same, ip_address=same, user_id=user, metadata=lambda name: json.dumps({name: name})),
               like=its)
        insert("user_groups", [{"name": name, "created_at_us": 0} for name in dict.fromkeys(names)])
        insert("oidc_clients", [{"id": f"naughty-{number:03}", "title": name, "redirect_uris": name.replace(" ", "_"), "post_logout_uris": "",
                                 "backchannel_uri": "", "needs_pkce": 1, "algorithm": "ES256", "group_names": name.replace(",", ""),
                                 "consent": "ask", "created_at_us": 0} for number, name in enumerate(names)])
        insert("webhooks", rows(url=same, events="", secret=b"", created_at_us=0, disabled_at_us=1, failures=1, next_at_us=0, last_fault=same))
    database.close()
    return uuid.UUID(bytes=user)


def deal(site, user, names):
    """Gives them to the sessions, devices and keys of the user, in batches, because these lists show a hundred at most."""
    for begin in range(0, len(names), 90):
        batch = names[begin:begin + 90]
        with sqlite3.connect(site.folder / "otpgate.db", timeout=10) as database:
            for table, field in (("sessions", "device_name"), ("devices", "device_name"), ("api_keys", "name")):
                shown = database.execute(f"SELECT id FROM {table} WHERE user_id = ? AND id < x'0101' ORDER BY id DESC LIMIT 90", [user.bytes]).fetchall()
                database.executemany(f"UPDATE {table} SET {field} = ? WHERE id = ?", [(name, key) for name, (key,) in zip(batch, shown)])
        database.close()
        yield batch


# As many as a page may have, so that it is not pressed for the next ten times.
LARGE_PAGES = r"""
const real = window.fetch;
window.fetch = (url, options) => real(/\/admin\/\w+[^/]*\?/.test(url) ? `${url}&limit=200` : url, options);
"""
# What stands in the list, word for word; and whatever it consists of.
TEXTS = "return [...document.querySelectorAll(`#${arguments[0]} bdi`)].map((each) => each.textContent)"
KINDS = "return [...new Set([...document.querySelectorAll(`#${arguments[0]} *`)].map((each) => each.localName))].sort()"


def assert_texts(page, part, names, shown=lambda name: name):
    """All of them are in the list, as they are, and nothing was made of them."""
    def told():
        more = page.driver.find_elements(By.CSS_SELECTOR, f"#{part}-more:not([hidden]) button:not([aria-busy])")
        for button in more:
            button.click()
        return not more and {shown(name) for name in names} <= set(page.driver.execute_script(TEXTS, part))
    page.wait(told, f"{part} does not show all of them")
    assert set(page.driver.execute_script(KINDS, part)) <= {"a", "bdi", "button", "div", "li", "p", "span", "time"}, part
    assert page.driver.execute_script("return document.querySelectorAll('main script, main style, main link, main base, main meta, iframe, img:not(#logo)').length") == 0


def test_names_are_text_and_nothing_else(page, site, names, planted):
    assert len(names) >= 500
    page.driver.execute_script(LARGE_PAGES)
    page.find("naughty-")
    assert_texts(page, "people", names)
    for part, shown in (("clients", lambda name: name), ("webhooks", lambda name: name), ("keys", lambda name: name), ("groups", lambda name: name),
                        ("messages", lambda name: name), ("events", lambda name: f"{name}: {name}")):
        page.driver.execute_script("location.hash = arguments[0]", f"#{part}")
        page.see(f"{part}-title")
        assert_texts(page, part, names, shown)
    for batch in deal(site, planted, names):
        page.driver.execute_script("location.hash = 'people'")
        page.see("people-title")
        page.driver.execute_script("location.hash = arguments[0]", f"#person/{planted}")
        page.see("person-all")
        for part in ("person-sessions", "person-devices", "person-keys"):
            assert_texts(page, part, batch)
    assert_texts(page, "person-events", [])
    assert_texts(page, "person-messages", [])
    page.driver.save_screenshot(str(PICTURES / "naughty.png"))
    assert_clean_console_of_admin(page.driver)


def test_an_owners_names_are_text_and_nothing_else(site, names, planted):
    with open_browser(*DESKTOP) as driver:
        page = AdminPage(driver, site)
        page.open_behind("/account/#events")
        page.enter_code(page.ask_for_code("naughty@example.com"))
        page.see("events-title")
        driver.execute_script(LARGE_PAGES)
        assert_texts(page, "events", names, lambda name: f"{name}: {name}")
        for batch in deal(site, planted, names):
            for part in ("keys", "sessions"):
                driver.execute_script("location.hash = arguments[0]", f"#{part}")
                page.see(f"{part}-title")
                assert_texts(page, part, batch)
        assert_clean_console_of_admin(driver)
