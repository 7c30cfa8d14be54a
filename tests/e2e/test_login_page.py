"""The login page in a real browser, against the real otpgate behind a real nginx.

Each test takes an address that nobody used before (`address`), because each may ask for five codes an hour only.
"""

import itertools
import re
import time

import pytest
from selenium.common.exceptions import JavascriptException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from browser import open_browser, set_dark, set_size, start_anew
from login_page import (  # noqa: F401
    DESKTOP, PATIENCE, PHONE, SESSION_COOKIE, LoginPage, browser, chromium, keyboard_page, page, wrong_codes,
)

REQUEST = "/api/v1/auth/otp/request"
ME = "/api/v1/auth/me"
LOGOUT = "/api/v1/auth/logout"
DEVICE_COOKIE = "__Host-otpgate-device"
STORAGE = "return JSON.stringify({...sessionStorage, ...localStorage}) + document.cookie"


def test_a_browser_that_starts_anew_knows_nothing_of_the_last_visitor(page, browser, address):
    page.sign_in(address)
    browser.execute_script("localStorage.setItem('a', 'b'); sessionStorage.setItem('c', 'd')")

    start_anew(browser, *DESKTOP)

    assert browser.get_cookies() == []
    page.open()
    assert browser.execute_script(STORAGE) == "{}"


def spend_budgets(site, address):
    """What strangers at many client addresses can do to an account: its codes for the hour are gone, and its guesses."""
    strangers = (f"198.51.100.{number}" for number in itertools.count(1))
    asked = right = None
    while (answer := site.post(REQUEST, {"destination": address}, client_ip=next(strangers))).status_code == 202:
        asked, right = answer.json()["otp_id"], site.mailbox.wait_for(address)
        for wrong in wrong_codes(right, 3):
            site.verify(asked, wrong, client_ip=next(strangers))
    assert answer.json()["code"] == "RATE_LIMIT"
    assert site.verify(asked, right, client_ip=next(strangers)).json()["code"] == "MAX_RETRIES_EXCEEDED"


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["on_a_phone", "on_a_desktop"])
def test_signs_in_stays_signed_in_over_a_reload_and_signs_out_for_good(page, site, address, size):
    set_size(page.driver, *size)
    assert page.driver.title == "Sign in"
    page.assert_fits()

    code = page.ask_for_code(address)
    assert page.driver.title == "Enter your code"
    assert page["code-destination"].text == address
    page.assert_fits()

    page.enter_code(code)
    page.see("sign-out")
    assert page.driver.title == "Signed in"
    assert page["account-name"].text == address
    assert "new" in page["account-welcome"].text
    page.assert_fits()

    page.driver.refresh()
    page.see("sign-out")
    assert page["account-name"].text == address

    cookie = page.session_cookie()
    assert site.get(ME, headers=cookie).json()["user"]["email"] == address
    page["sign-out"].click()
    page.see("address")
    assert page.text_of("status") == "You are signed out."
    assert SESSION_COOKIE not in page.cookies()
    assert site.get(ME, headers=cookie).status_code == 401

    page.driver.refresh()
    page.see("address")


def test_keeps_the_session_where_no_script_can_read_it(page, address):
    page.sign_in(address)
    for name in (SESSION_COOKIE, DEVICE_COOKIE):
        cookie = page.cookies()[name]
        assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"], cookie["path"]) == (True, True, "Lax", "/")
        assert cookie["domain"] == "localhost"  # With a Domain attribute it would begin with a dot.
        assert cookie["expiry"] > time.time() + 6 * 86400
    assert page.driver.execute_script(STORAGE) == "{}"


def test_what_changes_something_needs_more_than_the_cookie(page, site, address):
    page.sign_in(address)
    cookie = page.session_cookie()
    token = site.get(ME, headers=cookie).headers["X-CSRF-Token"]
    for headers in ({}, {"X-CSRF-Token": token[::-1]}, {"X-CSRF-Token": token, "Origin": "https://evil.example"}):
        assert site.post(LOGOUT, headers={**cookie, **headers}).status_code == 403
    page.driver.refresh()
    page.see("sign-out")
    assert site.post(LOGOUT, headers={**cookie, "X-CSRF-Token": token, "Origin": site.url}).status_code == 204


def test_a_cookie_that_is_no_longer_good_is_in_nobodys_way(page, address):
    cookie = {"name": SESSION_COOKIE, "value": "AAAA", "url": page.site.url, "secure": True, "path": "/"}
    assert page.driver.execute_cdp_cmd("Network.setCookie", cookie)["success"]
    page.driver.refresh()
    page.see("address")
    assert page["status"].text == ""
    page.sign_in(address)
    page.driver.refresh()
    page.see("sign-out")


def test_browsers_keep_the_cookies_of_their_own_machine_by_its_number_too(browser, site, address):
    page = LoginPage(browser, site)
    browser.get(site.url.replace("localhost", "127.0.0.1"))
    page.see("address")
    page.sign_in(address)
    browser.refresh()
    page.see("sign-out")


def test_says_that_it_must_be_served_over_https_where_the_browser_keeps_no_cookie(site, address):
    with open_browser(arguments=["--host-resolver-rules=MAP login.example 127.0.0.1"]) as driver:
        page = LoginPage(driver, site)
        driver.get(site.url.replace("localhost", "login.example"))
        page.see("address")
        page.text_of("status", "must be served over HTTPS")
        page.enter_code(page.ask_for_code(address))
        page.text_of("code-error", "must be served over HTTPS")
        assert not page["code"].is_displayed()


@pytest.mark.one_process
def test_says_so_while_the_server_is_away_and_goes_on_when_it_is_back(make_site, address):
    site = make_site()
    with open_browser() as driver:
        page = LoginPage(driver, site)
        page.open()
        page.sign_in(address)
        site.otpgate.stop()
        page["sign-out"].click()
        assert "You are still signed in." in page.text_of("sign-out-error", "not available")
        driver.refresh()
        page.text_of("unreachable-error", "not available")
        assert page.focused() == page["unreachable-retry"]
        site.otpgate.start()
        site.wait_until_reached()
        page["unreachable-retry"].click()
        page.see("sign-out")
        assert page["account-name"].text == address


def test_strangers_who_spent_the_accounts_budgets_do_not_lock_out_a_browser_that_signed_in_before(page, site, address):
    page.sign_in(address)
    page["sign-out"].click()
    page.see("address")
    spend_budgets(site, address)

    page.sign_in(address)
    assert "Welcome back" in page["account-welcome"].text

    with open_browser(*PHONE) as driver:
        fresh = LoginPage(driver, site)
        fresh.open()
        fresh.ask_for(address)
        said = fresh.text_of("address-error", "too many requests")
        assert re.search(r"try again in \d+ minutes\.", said)
        assert fresh.focused() == fresh["address"]


@pytest.mark.parametrize("written", ["{}", " {} ", "+1 (0)555 {} ", "+1/555.{}", "tel:+1-555-{}", "\u202a+١٥٥٥{}\u202c"],
                         ids=["plain", "spaces", "zero", "marks", "link", "arabic"])
def test_signs_in_by_a_code_sent_to_a_telephone_number(browser, sms_site, number, written):
    page = LoginPage(browser, sms_site)
    page.open()
    page.ask_for(written.format(number if written.strip() == "{}" else number.removeprefix("+1555")))
    page.see("code")
    assert page.heading() == "Check your phone"
    assert page["code-destination"].text == number
    assert page["other-address"].text == "Use another number"
    assert "spam" not in page["code-note"].text
    page.enter_code(sms_site.phones.wait_for(number))
    page.see("sign-out")
    assert page["account-name"].text == number


def test_finds_the_code_in_a_whole_sms(browser, sms_site, number):
    page = LoginPage(browser, sms_site)
    page.open()
    page.ask_for(number)
    page.see("code")
    page.paste(sms_site.phones.wait_for_message(number).text)
    page.see("sign-out")


def test_takes_codes_with_letters(browser, make_site, address):
    page = LoginPage(browser, make_site(otp_alphabet="letters", otp_length=8))
    page.open()
    code = page.ask_for_code(address)
    assert page["code"].get_attribute("inputmode") == "text"
    page.enter_code(f"{code[:4]} {code[4:]}".lower())
    page.see("sign-out")


def test_notices_when_another_tab_signs_in_or_out(page, browser, address, new_address):
    first = browser.current_window_handle
    browser.switch_to.new_window("tab")
    second = browser.current_window_handle
    page.open()
    browser.switch_to.window(first)
    page.sign_in(address)

    browser.switch_to.window(second)
    page.see("sign-out")
    assert page["account-name"].text == address
    page["sign-out"].click()
    page.see("address")

    browser.switch_to.window(first)
    page.see("address")
    assert page.text_of("status") == "Your session has ended. Please sign in again."
    other_address = new_address()
    page["address"].clear()
    page.sign_in(other_address)

    # With the token of its own session, and not with that of the one before.
    browser.switch_to.window(second)
    page.wait(lambda: page["account-name"].text == other_address, "the second tab does not show the new account")
    page["sign-out"].click()
    page.see("address")
    assert page.text_of("status") == "You are signed out."


@pytest.mark.parametrize("before,between,after", [("", " ", ""), ("", "-", ""), ("  ", "", "\n"), ("Your code: ", " ", ".")],
                         ids=["space", "dash", "surrounding_space", "sentence"])
def test_takes_a_pasted_code_however_it_is_written(page, address, before, between, after):
    code = page.ask_for_code(address)
    page.paste(before + code[:3] + between + code[3:] + after)
    page.see("sign-out")
    assert page["account-name"].text == address


def test_takes_a_code_typed_with_a_space(page, address):
    code = page.ask_for_code(address)
    page.enter_code(f"{code[:3]} {code[3:]}")
    page.see("sign-out")


@pytest.mark.parametrize("digits", ["٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९"], ids=["arabic", "hindi"])
def test_takes_a_code_in_the_visitors_own_digits(page, address, digits):
    code = page.ask_for_code(address)
    page.enter_code(code.translate(str.maketrans("0123456789", digits)))
    page.see("sign-out")


@pytest.mark.parametrize("written", ["<{}>", "Ann Example <{}>", "mailto:{}", "\u200f{}\u200b."], ids=ascii)
def test_takes_a_pasted_address_however_it_is_written(page, address, written):
    page.driver.execute_script("arguments[0].value = arguments[1]", page["address"], written.format(address))
    page["address-submit"].click()
    page.see("code")
    page.enter_code(page.site.mailbox.wait_for(address))
    page.see("sign-out")


def test_a_browser_whose_language_is_none_shows_the_page(browser, site, address):
    odd = "{get: () => ['en-US@posix', 'en_US']}"
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {
        "source": f"Object.defineProperty(navigator, 'languages', {odd});"
                  "Object.defineProperty(navigator, 'language', {get: () => 'en-US@posix'})"})
    page = LoginPage(browser, site)
    page.open()
    page.sign_in(address)


def requests_of(page, path):
    return page.driver.execute_script(
        "return performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith(arguments[0])).length", path)


def test_the_last_character_sends_a_typed_code_once(page, address):
    code = page.ask_for_code(address)
    page["code"].send_keys(code[:-1])
    assert requests_of(page, "/otp/verify") == 0
    page.press(code[-1], Keys.ENTER)
    page.see("sign-out")
    assert requests_of(page, "/otp/verify") == 1


def test_who_corrects_a_code_in_the_middle_says_when_it_is_done(page, address):
    right = page.ask_for_code(address)
    page.enter_code(wrong_codes(right, 1)[0])
    page.text_of("code-error", "2 attempts left")
    page.press(Keys.HOME, Keys.DELETE, "x", Keys.BACKSPACE, right[0])
    page.press(Keys.END, Keys.BACKSPACE, Keys.HOME, Keys.ARROW_RIGHT, "0")
    assert requests_of(page, "/otp/verify") == 1
    page.enter_code(right)
    page.see("sign-out")


def test_tells_how_many_attempts_are_left_and_keeps_the_focus_in_the_field(page, address):
    right = page.ask_for_code(address)
    page.enter_code(wrong_codes(right, 1)[0])
    assert "2 attempts left" in page.text_of("code-error")
    assert page.focused() == page["code"]
    assert page["code"].get_attribute("aria-invalid") == "true"

    # What was refused is selected: typing replaces it.
    page.press(right)
    page.see("sign-out")


def test_does_not_spend_an_attempt_on_a_code_that_was_refused_before(page, address):
    wrong = wrong_codes(page.ask_for_code(address), 2)
    page.enter_code(wrong[0])
    page.text_of("code-error", "2 attempts left")
    page.enter_code(wrong[0])
    page["code-submit"].click()
    page.text_of("code-error", "tried this code already")
    page.paste(wrong[0])
    page.enter_code(wrong[1])
    page.text_of("code-error", "1 attempt left")


def test_says_clearly_that_a_code_is_dead_after_three_wrong_ones(page, address):
    right = page.ask_for_code(address)
    for wrong, sentence in zip(wrong_codes(right, 3), ("2 attempts", "1 attempt", "too many wrong codes")):
        page.enter_code(wrong)
        page.text_of("code-error", sentence)
    assert not page["code"].is_displayed()
    assert not page["code-submit"].is_displayed()
    assert "Send a new code" in page["resend"].text
    assert page.focused().tag_name == "h1"


def test_signs_in_and_out_by_keyboard_alone(keyboard_page, site, address):
    page = keyboard_page
    assert page.focused() == page["address"]
    page.assert_focus_is_visible()
    page.press(address, Keys.TAB)
    assert page.focused() == page["address-submit"]
    page.assert_focus_is_visible()
    page.press(Keys.ENTER)

    page.see("code")
    assert page.focused() == page["code"]
    page.press(site.mailbox.wait_for(address))

    page.see("sign-out")
    assert page.focused().text == "You are signed in"
    page.press(Keys.TAB)
    assert page.focused() == page["to-account"]
    page.assert_focus_is_visible()
    page.press(Keys.TAB)
    assert page.focused() == page["sign-out"]
    page.assert_focus_is_visible()
    page.press(Keys.SPACE)
    page.see("address")
    assert page.focused() == page["address"]


def test_counts_down_to_the_moment_a_new_code_may_be_asked_for(page, address):
    page.ask_for_code(address)
    seconds = lambda: int(re.fullmatch(r"Send a new code in (\d+) secs?", page["resend"].text)[1])
    first = seconds()
    assert 0 < first <= 60
    assert not page["resend"].is_enabled()
    page.wait(lambda: seconds() < first, "the countdown stands still")


def test_says_so_when_the_code_has_expired(page, address):
    page.ask_for_code(address)
    page.driver.execute_script("""
        const pending = JSON.parse(sessionStorage.getItem("otpgate.pending"));
        pending.expires_at = Date.now() + 1500;
        sessionStorage.setItem("otpgate.pending", JSON.stringify(pending));""")
    page.driver.refresh()
    assert page.see("code-error").get_attribute("role") == "alert"
    page.text_of("code-error", "expired")
    assert not page["code"].is_displayed()
    assert page.focused().tag_name == "h1"


def test_waits_for_the_same_code_after_a_reload_and_never_stores_it(page, address):
    code = page.ask_for_code(address)
    page["code"].send_keys(code[:-1])
    assert code[:-1] not in page.driver.execute_script("return JSON.stringify({...sessionStorage, ...localStorage})")
    page.driver.refresh()
    page.see("code")
    assert page["code-destination"].text == address
    page.enter_code(code)
    page.see("sign-out")
    assert page.driver.execute_script(STORAGE) == "{}"


def test_goes_back_to_another_address(page, address):
    page.ask_for_code(address)
    page["other-address"].click()
    assert page.see("address") == page.focused()
    page.driver.refresh()
    page.see("address")


@pytest.mark.parametrize("text,says", [("", "Enter your e-mail address."), ("no-at-sign", "such as name@example.com."),
                                       ("two words@example.com", "name@example.com"), ("name@example..com", "must be an e-mail address."),
                                       ("030 123456", "such as name@example.com."), ("+49 1234567890123456", "such as name@example.com."),
                                       ("+49 30 123456", "SMS are not set up")],
                         ids=["nothing", "no_at_sign", "space", "empty_label", "no_country_code", "long_number", "no_sms"])
def test_refuses_where_no_code_can_be_sent_and_says_what_is_wrong(page, text, says):
    page["address"].send_keys(text)
    page["address-submit"].click()
    page.text_of("address-error", says)
    assert page.focused() == page["address"]
    assert page["address"].get_attribute("aria-invalid") == "true"
    assert {"address-hint", "address-error"} <= set(page["address"].get_attribute("aria-describedby").split())
    set_size(page.driver, *PHONE)
    page.assert_fits()


@pytest.mark.parametrize("text,says", [("", "e-mail address or telephone number"), ("no-at-sign", "such as +49"),
                                       ("name@example..com", "an e-mail address or"), ("030 123456", "country code"),
                                       ("+49 1234567890123456", "such as +49")],
                         ids=["nothing", "no_at_sign", "empty_label", "no_country_code", "long_number"])
def test_speaks_of_numbers_where_there_is_sms(browser, sms_site, text, says):
    page = LoginPage(browser, sms_site)
    page.open()
    page["address"].send_keys(text)
    page["address-submit"].click()
    page.text_of("address-error", says)


@pytest.mark.parametrize("text", ["12#456", "123", "12345678901"], ids=["sign", "short", "long"])
def test_refuses_what_cannot_be_a_code_without_spending_an_attempt(page, address, text):
    right = page.ask_for_code(address)
    page.driver.execute_script("arguments[0].value = arguments[1]", page["code"], text)
    page["code-submit"].click()
    page.text_of("code-error", "4 to 10 letters or digits")
    page.enter_code(wrong_codes(right, 1)[0])
    page.text_of("code-error", "2 attempts left")


def test_ends_another_session_and_that_browser_is_told_to_sign_in_again(page, site, address):
    with open_browser() as driver:
        other = LoginPage(driver, site)
        other.open()
        other.sign_in(address)

        page.sign_in(address)
        assert "Welcome back" in page["account-welcome"].text
        page["to-account"].click()
        page.see("profile-title")
        page.open_part("sessions")
        assert "This browser" in page.sessions(count=2)[0].text
        button = page.sessions()[1].find_element(By.TAG_NAME, "button")
        assert button.accessible_name.startswith("End session: ")
        button.click()
        page.sessions(count=1)
        assert "Session ended" in page.text_of("status")

        # The page asks when its tab comes to the front.
        driver.execute_script("document.dispatchEvent(new Event('visibilitychange'))")
        other.see("address")
        assert other.text_of("status") == "Your session has ended. Please sign in again."
        driver.refresh()
        other.see("address")
    page.driver.refresh()
    page.see("sign-out")


def test_every_part_has_a_name_and_a_role_for_a_screen_reader(page, address):
    def part(name):
        return page[name].aria_role, page[name].accessible_name

    assert page.driver.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"
    assert page.driver.find_element(By.TAG_NAME, "main").aria_role == "main"
    assert part("address") == ("textbox", "E-mail address")
    assert part("address-submit") == ("button", "Send me a code")
    assert page["address"].get_attribute("autocomplete") == "username webauthn"
    assert page["address-error"].aria_role == "alert"
    assert page["status"].get_attribute("role") == "status"
    assert page.heading() == "Sign in"

    code = page.ask_for_code(address)
    assert part("code") == ("textbox", "Code")
    assert page["code"].get_attribute("autocomplete") == "one-time-code"
    assert page["code"].get_attribute("inputmode") == "numeric"
    assert page["code"].get_attribute("autocapitalize") == "characters"
    assert {"code-hint", "code-error"} <= set(page["code"].get_attribute("aria-describedby").split())
    assert part("code-submit") == ("button", "Sign in")
    assert part("other-address") == ("button", "Use another address")
    assert page.heading() == "Check your inbox"

    page.enter_code(code)
    page.see("sign-out")
    assert part("sign-out") == ("button", "Sign out")
    assert part("to-account") == ("link", "Manage your account")
    page.open_part("sessions")
    assert page["sessions-part"].accessible_name == "Where you are signed in"
    assert page["sessions"].aria_role == "list"


def test_nothing_is_wider_than_a_phone_in_any_step(page, address):
    set_size(page.driver, *PHONE)
    long_address = f"a.visitor.with.quite.a.long.name.{address}"
    page["address"].send_keys("nonsense", Keys.ENTER)
    page.text_of("address-error")
    page.assert_fits()
    page["address"].clear()
    right = page.ask_for_code(long_address)
    page.assert_fits()
    page.enter_code(wrong_codes(right, 1)[0])
    page.text_of("code-error", "attempts left")
    page.assert_fits()
    page.enter_code(right)
    page.see("sign-out")
    page.assert_fits()
    page["sign-out"].click()
    page.see("address")
    page.assert_fits()


def test_is_dark_where_the_visitor_prefers_dark(page):
    colour = "return [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    light = page.driver.execute_script(colour)
    set_dark(page.driver, True)
    dark = page.driver.execute_script(colour)
    brightness = lambda rgb: sum(int(part) for part in rgb.removeprefix("rgb(").removesuffix(")").split(","))
    assert brightness(light[0]) > brightness(light[1])
    assert brightness(dark[0]) < brightness(dark[1])


INJECTIONS = {
    "inline": "const s = document.createElement('script'); s.append(\"document.title = 'injected'\"); document.head.append(s);",
    "foreign": "const s = document.createElement('script'); s.src = \"data:text/javascript,document.title='injected'\";"
               "document.head.append(s);",
    "handler": "const i = document.createElement('img'); i.setAttribute('onerror', \"document.title = 'injected'\");"
               "i.src = 'data:,'; document.body.append(i);",
    "markup": "document.body.insertAdjacentHTML('beforeend', \"<img src='data:,' onerror='document.title = `injected`'>\");",
}


@pytest.mark.parametrize("injection", INJECTIONS.values(), ids=INJECTIONS.keys())
def test_a_script_that_somebody_smuggled_in_does_not_run(site, injection):
    with open_browser() as driver:
        LoginPage(driver, site).open()
        try:
            driver.execute_script(injection)
        except JavascriptException as refused:
            assert "Trusted" in refused.msg
        else:
            WebDriverWait(driver, PATIENCE).until(
                lambda _: "security" in [entry["source"] for entry in driver.get_log("browser")])
        assert driver.title == "Sign in"
