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
    assert page["today"].find_element(By.CSS_SELECTOR, "tbody td").text == "7"

    page.click(page.driver.find_element(By.LINK_TEXT, "Events"))
    page["events-address"].send_keys(address)
    Select(page["events-kind"]).select_by_value("OTP_SENT")
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
    page["messages"].find_element(By.CSS_SELECTOR, f"[aria-label$='{address}']").click()
    page.text_of("status", "sent again")
    assert site.sql(f"SELECT id FROM outbox WHERE id = x'{uuid.UUID(message).hex}' AND dead_at_us IS NOT NULL") == []

    page.click(page.driver.find_element(By.LINK_TEXT, "Groups"))
    page.wait(lambda: page.rows("groups") and page.rows("groups")[0].startswith("staff"), "the group is not shown")
    page.click(page.driver.find_element(By.LINK_TEXT, "Health"))
    page.wait(lambda: len(page.rows("health")) == 5 and all(row.endswith("well") for row in page.rows("health")), "the checks are not shown")


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


def plant_names(site, names):
    """As many users with these names, in all the fields that are shown, and one with a session and a key for each."""
    site.login("naughty@example.com", device_name="x")
    with sqlite3.connect(site.folder / "otpgate.db", timeout=10) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(users)")]
        model = dict(zip(columns, database.execute("SELECT * FROM users WHERE email = 'naughty@example.com'").fetchone()))
        for number, name in enumerate(names):
            row = {**model, "id": uuid.uuid4().bytes, "email": f"naughty-{number:03}@example.com", "display_name": name, "first_name": name, "last_name": name}
            database.execute(f"INSERT INTO users ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", [row[each] for each in columns])
        for table, field in (("sessions", "device_name"), ("devices", "device_name")):
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            model_row = dict(zip(columns, database.execute(f"SELECT * FROM {table} WHERE user_id = ?", [model["id"]]).fetchone()))
            for name in names[:90]:
                row = {**model_row, "id": uuid.uuid4().bytes, field: name, "user_agent": name, "ip_address": name}
                used = [each for each in columns if each in row]
                database.execute(f"INSERT INTO {table} ({', '.join(used)}) VALUES ({', '.join('?' * len(used))})", [row[each] for each in used])
    database.close()
    return str(uuid.UUID(bytes=model["id"]))


def test_names_are_text_and_nothing_else(page, site, corpora):  # noqa: F811
    names = [name for name in json.loads((corpora / "naughty.json").read_text()) if name.strip() and "\0" not in name and name.isprintable()]
    assert len(names) > 350
    one = plant_names(site, names)
    before = page.driver.execute_script("return document.querySelectorAll('*').length")
    page.find("naughty-")
    page.wait(lambda: len(page.rows("people")) == 50, "the first are not shown")
    for shown in range(100, len(names) + 50, 50):
        page.click(page.button("More", "people-more"))
        page.wait(lambda: len(page.rows("people")) == min(shown, len(names)), "the next are not shown")
    told = page.driver.execute_script("return [...document.querySelectorAll('#people > li')].map((row) => [...row.querySelectorAll('bdi')].map((each) => each.textContent))")
    assert [row[1] for row in told] == names
    kinds = page.driver.execute_script("return [...new Set([...document.querySelectorAll('#people *')].map((each) => each.localName))].sort()")
    assert kinds == ["a", "bdi", "div", "li", "p"] and before < 1000
    page.driver.execute_script(f"location.hash = '#person/{one}'")
    page.text_of("person-title", "naughty@example.com")
    assert len(page.rows("person-sessions")) == 91
    kinds = page.driver.execute_script("return [...new Set([...document.querySelectorAll('#person-all ul *')].map((each) => each.localName))].sort()")
    assert set(kinds) <= {"bdi", "button", "div", "li", "p", "time"}
    page.driver.save_screenshot(str(PICTURES / "naughty.png"))
    assert_clean_console_of_admin(page.driver)
