"""The login page as its visitors see and use it."""

import re

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from browser import open_browser, start_anew

PHONE = (320, 640)
DESKTOP = (1280, 800)
PATIENCE = 30  # seconds: several browsers may share a core
SESSION_COOKIE = "__Host-otpgate"
# Asked many times a second by who waits, so in one question each: WebDriver's own are three.
VISIBLE = """const found = document.getElementById(arguments[0]);
    return found && found.checkVisibility({visibilityProperty: true}) && found.getClientRects().length ? found : null"""
VISIBLE_TEXT = """const found = document.getElementById(arguments[0]);
    return found && found.checkVisibility({visibilityProperty: true}) ? found.innerText.trim() : "" """


class LoginPage:
    """What a visitor does and sees; ids are those of www/index.html."""

    def __init__(self, driver, site):
        self.driver, self.site = driver, site

    def open(self):
        self.driver.get(self.site.url)
        self.see("address")

    def __getitem__(self, name):
        return self.driver.find_element(By.ID, name)

    def wait(self, condition, what):
        """Some pages lead on to another by themselves, in the midst of what is asked of them."""
        wait = WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05, ignored_exceptions=[WebDriverException])
        return wait.until(lambda _: condition(), what)

    def see(self, name):
        return self.wait(lambda: self.driver.execute_script(VISIBLE, name), f"{name} is not shown")

    def open_behind(self, path):
        """A page behind the sign-in, of who is not signed in."""
        self.driver.get(self.site.url + path)
        self.see("address")

    def text_of(self, name, part=""):
        """The text of a live region once it says something that contains `part`."""
        return self.wait(lambda: (text := self.driver.execute_script(VISIBLE_TEXT, name)) and part.lower() in text.lower() and text,
                         f"{name} does not say '{part}'")

    def heading(self):
        return next(h.text for h in self.driver.find_elements(By.TAG_NAME, "h1") if h.is_displayed())

    def focused(self):
        return self.driver.switch_to.active_element

    def press(self, *keys):
        self.focused().send_keys(*keys)

    def ask_for(self, destination):
        self["address"].send_keys(destination)
        self["address-submit"].click()

    def ask_for_code(self, address):
        self.ask_for(address)
        self.see("code")
        return self.site.mailbox.wait_for(address)

    def enter_code(self, code):
        """Types it. With the last character of six digits (or eight letters) it is on its way; for others there is the button."""
        self["code"].send_keys(Keys.CONTROL, "a")
        self["code"].send_keys(code)
        if not re.fullmatch(r"\d{6}|[A-Z\d]{8}", re.sub(r"\W", "", code).upper()):
            self["code-submit"].click()

    def sign_in(self, address):
        self.enter_code(self.ask_for_code(address))
        self.see("sign-out")

    def open_part(self, name):
        """Of the page of the account."""
        self.driver.get(f"{self.site.url}/account/#{name}")
        self.see(f"{name}-title")

    def sessions(self, count=None):
        """The rows of the session list of the account's page, once it is there (and has `count` rows)."""
        rows = lambda: self.driver.find_elements(By.CSS_SELECTOR, "#sessions li")
        self.wait(lambda: rows() and count in (None, len(rows())), f"the session list does not have {count} rows")
        return rows()

    def paste(self, text):
        """Through the clipboard and Ctrl+V, as a visitor who copied it from the e-mail."""
        self.driver.execute_script(
            "const t = document.createElement('textarea'); t.id = 'mail'; t.value = arguments[0];"
            "document.body.append(t); t.select();", text)
        self["mail"].send_keys(Keys.CONTROL, "c")
        self.driver.execute_script("document.getElementById('mail').remove()")
        self["code"].send_keys(Keys.CONTROL, "v")

    def cookies(self):
        """With those that no script can read."""
        return {cookie["name"]: cookie for cookie in self.driver.get_cookies()}

    def session_cookie(self):
        """As a request's header."""
        return {"Cookie": f"{SESSION_COOKIE}={self.cookies()[SESSION_COOKIE]['value']}"}

    def assert_fits(self):
        wide, room = self.driver.execute_script(
            "const s = document.scrollingElement; return [s.scrollWidth, Math.min(s.clientWidth, innerWidth)]")
        assert wide <= room, f"'{self.heading()}' is {wide} px wide and has {room}"

    def assert_focus_is_visible(self):
        style = self.driver.execute_script("const s = getComputedStyle(document.activeElement);"
                                           "return [s.outlineStyle, parseFloat(s.outlineWidth)]")
        assert style[0] != "none" and style[1] >= 2, f"no focus ring on {self.focused().accessible_name}"


@pytest.fixture(scope="module")
def chromium():
    with open_browser(*DESKTOP) as driver:
        yield driver


def assert_clean_console(driver):
    """An answer of 400 or more to a fetch is always logged: that is no fault. Nor is what a page asks a site that has been stopped,
    because the test is over."""
    complaints = [entry["message"] for entry in driver.get_log("browser")
                  if entry["level"] in ("WARNING", "SEVERE")
                  and not (entry["source"] == "network" and "/api/v1/auth/" in entry["message"]
                           and ("status of 4" in entry["message"] or "ERR_CONNECTION_REFUSED" in entry["message"]))]
    assert not complaints, complaints


@pytest.fixture
def browser(chromium):
    start_anew(chromium, *DESKTOP)
    yield chromium
    assert_clean_console(chromium)


@pytest.fixture
def page(browser, site):
    page = LoginPage(browser, site)
    page.open()
    return page


@pytest.fixture
def keyboard_page(site):
    """In a browser of its own: one that was clicked in before shows the first focus without a ring."""
    with open_browser(*DESKTOP) as driver:
        page = LoginPage(driver, site)
        page.open()
        yield page
        assert_clean_console(driver)


def wrong_codes(right, count):
    return [f"{(int(right) + step) % 10 ** len(right):0{len(right)}d}" for step in range(1, count + 1)]
