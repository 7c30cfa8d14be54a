"""The page of the account (/account/) in a real browser: what its owner sees and does there."""
import json

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser import open_browser
from conftest import ROOMY
from login_page import DESKTOP, LoginPage
from support.site import Site

OWNER = "owner@example.com"
PASSWORD = "a better horse, and a battery"


@pytest.fixture(scope="module")
def site(new_folder):
    with Site(new_folder(), settings={**ROOMY, "sms.transport": "file"}) as running:
        yield running


class AccountPage(LoginPage):
    def button(self, text, within):
        found = lambda: [each for each in self[within].find_elements(By.TAG_NAME, "button") if each.is_displayed() and each.text == text]
        self.wait(found, f"there is no button '{text}'")
        return found()[0]

    def rows(self, name):
        return self.driver.execute_script("return [...document.querySelectorAll(`#${arguments[0]} > li`)].map((row) => row.innerText)", name)

    def wait_for_rows(self, name, count):
        self.wait(lambda: len(self.rows(name)) == count, f"{name} does not have {count} rows")


def sign_in_at(page, address, path):
    """The sign-in takes whoever opens the page without a session back to it."""
    page.open_behind(path)
    page.enter_code(page.ask_for_code(address))


@pytest.fixture(scope="module")
def driver(site):
    with open_browser(*DESKTOP) as driver:
        page = AccountPage(driver, site)
        sign_in_at(page, OWNER, "/account/#sessions")
        page.see("sessions-title")
        yield driver


@pytest.fixture
def page(driver, site):
    yield AccountPage(driver, site)
    lines = [entry["message"] for entry in driver.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")]
    assert [line for line in lines if "status of 4" not in line] == []


def test_a_link_of_a_notice_leads_to_its_part(page):
    page.open_part("sessions")
    page.driver.refresh()
    assert page.text_of("account-name") == OWNER
    page.wait(lambda: page.focused() == page["sessions-title"], "the focus is not where the reading begins")
    assert page.driver.title == "Your account"
    page.wait_for_rows("sessions", 1)
    page.driver.find_element(By.LINK_TEXT, "Addresses").click()
    page.see("addresses-title")
    page.driver.back()
    page.see("sessions-title")


def test_the_names(page, site):
    page.open_part("profile")
    page["profile-display"].send_keys("<b>Ann</b> & Co")
    page["profile-username"].send_keys("ann.lee\n")
    page.text_of("status", "saved")
    assert page["profile-username"].get_attribute("readonly")
    assert site.sql(f"SELECT unique_name, display_name FROM users WHERE email = '{OWNER}'") == [["ann.lee", "<b>Ann</b> & Co"]]


def test_another_address_beside_the_first(page, site, number):
    page.open_part("addresses")
    page["addresses-submit"].click()
    page.text_of("addresses-error", "Enter the new address")
    page["addresses-new"].send_keys(number + "\n")
    page.see("addresses-code").send_keys("000000\n")
    page.text_of("addresses-code-error", "not right")
    page["addresses-code"].clear()
    page["addresses-code"].send_keys(site.phones.wait_for(number) + "\n")
    page.text_of("status", "Your address is changed")
    page.wait_for_rows("addresses", 2)
    assert number in page.rows("addresses")[1] and "verified" in page.rows("addresses")[1]


def test_a_password_by_a_code_and_another_one(page, site):
    page.open_part("password")
    page["reset-submit"].click()
    page.see("reset-code").send_keys(site.mailbox.wait_for(OWNER))
    page["reset-new"].send_keys(PASSWORD, Keys.ENTER)
    page.see("address")  # every session has ended
    page.enter_code(page.ask_for_code(OWNER))
    page.see("password-current").send_keys("wrong")
    page["password-new"].send_keys(PASSWORD[::-1], Keys.ENTER)
    page.text_of("password-error", "not correct")
    page["password-current"].clear()
    page["password-current"].send_keys(PASSWORD, Keys.ENTER)
    page.text_of("status", "Your password is changed")


def test_sessions_end(page, site):
    for device in ("phone", "tablet", "laptop"):
        site.login(OWNER, device_name=device)
    page.open_part("sessions")
    page.driver.refresh()
    page.wait_for_rows("sessions", 4)
    page["sessions"].find_element(By.TAG_NAME, "button").click()
    page.wait_for_rows("sessions", 3)
    page.button("End all other sessions", "sessions-all").click()
    page.button("End all other sessions", "sessions-all").click()
    page.text_of("status", "All other sessions have ended")
    page.wait_for_rows("sessions", 1)


def test_a_key_is_shown_once(page, site):
    page.open_part("keys")
    page["keys-name"].send_keys("Shop backend\n")
    key = page.text_of("keys-key", "otpg_")
    assert site.post("/api/v1/verifications", {"to": "bob@example.com"}, headers={"X-API-Key": key}).status_code == 201
    page.driver.refresh()
    page.wait_for_rows("keys", 1)
    assert page["keys-key"].text == ""
    for _ in range(2):
        page.button("Revoke", "keys").click()
    page.text_of("status", "revoked: Shop backend")
    page.wait_for_rows("keys", 0)


def test_an_application_is_shut_out(page, site):
    assert site.otpgate.run("client", "create", "wiki", "--redirect", "https://wiki.example.com/callback", "--title", "The wiki").returncode == 0
    site.sql("INSERT INTO oidc_consents (user_id, client_id, scopes, granted_at_us)"
             f" SELECT id, 'wiki', 'openid profile', 1795000000000000 FROM users WHERE email = '{OWNER}'")
    page.open_part("applications")
    page.wait_for_rows("applications", 1)
    assert page.rows("applications")[0].startswith("The wiki") and "openid, profile" in page.rows("applications")[0]
    for _ in range(2):
        page.button("Take back", "applications").click()
    page.text_of("status", "The wiki knows you no longer")
    page.wait_for_rows("applications", 0)


def test_what_happened_in_plain_words(page):
    page.open_part("events")
    page.wait(lambda: any(row.startswith("An API key was made") for row in page.rows("events")), "the events are not told")
    assert any("Chrome on Linux" in row for row in page.rows("events"))


def test_factors_have_a_part_of_their_own_and_want_a_recent_sign_in(page, site):
    page.open_part("factors")
    page.see("app-add")
    page.see("recovery-section")
    site.sql(f"UPDATE sessions SET authenticated_at_us = authenticated_at_us - 1000000000 WHERE user_id = (SELECT id FROM users WHERE email = '{OWNER}')")
    page["app-add"].click()
    page.text_of("apps-error", "sign in again")
    page["apps-error"].find_element(By.TAG_NAME, "a").click()
    page.see("address")
    page.enter_code(page.ask_for_code(OWNER))
    page.see("app-add")


def test_an_owner_is_no_administrator(page, site):
    page.open_part("profile")
    assert not page["to-admin"].is_displayed()
    page.driver.get(site.url + "/admin/")
    page.see("refused-view").find_element(By.TAG_NAME, "a").click()
    page.text_of("account-name", OWNER)


def test_by_keyboard_alone(page):
    page.open_part("data")
    page.wait(lambda: page.focused() == page["data-title"], "the focus is not where the reading begins")
    page.press(Keys.TAB)
    assert page.focused().text == "Save all my data"
    page.press(Keys.TAB)
    page.assert_focus_is_visible()
    page.press(Keys.ENTER)
    assert page.focused().text.startswith("Your account and all that belongs to it")
    page.press(Keys.TAB, Keys.TAB, Keys.ENTER)
    assert page.focused().text == "Delete my account"


def test_all_data_and_the_end_of_the_account(page, site):
    page.open_part("data")
    page.driver.execute_script("URL.createObjectURL = (blob) => { blob.text().then((text) => { window.saved = text; }); return 'data:,'; };")
    page.button("Save all my data", "data-acts").click()
    page.wait(lambda: page.driver.execute_script("return window.saved"), "no file is saved")
    assert json.loads(page.driver.execute_script("return window.saved"))["user"]["email"] == OWNER
    for _ in range(2):
        page.button("Delete my account", "data-acts").click()
    page.wait(lambda: "sign_in" in page.driver.current_url, "the page stays")
    page.see("address")
    assert site.sql(f"SELECT id FROM users WHERE email = '{OWNER}'") == []
