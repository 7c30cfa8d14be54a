"""The ways to a code and back to it: nothing that a visitor does, or that happens to him, takes away a code that is good."""

from browser import open_browser
from login_page import PHONE, LoginPage, browser, chromium, page  # noqa: F401

def test_a_code_that_was_asked_for_elsewhere(page, site, address):
    with open_browser(*PHONE) as driver:
        other = LoginPage(driver, site)
        other.open()
        code = other.ask_for_code(address)

    page["address"].send_keys(f" {address} ")
    page["have-code"].click()
    page.see("code")
    assert page.heading() == "Enter your code"
    assert page["code-sent"].text == f"Enter the code that we sent to {address}."
    assert not page["code-until-line"].is_displayed()
    assert page["resend"].is_enabled()
    page.enter_code(code)
    page.see("sign-out")
    assert page["account-name"].text == address


def test_a_code_without_an_address(page):
    page["have-code"].click()
    assert page.text_of("address-error") == "Enter your e-mail address."
    assert page.focused() == page["address"]


def test_a_limit_leaves_the_newest_code_good(page, site, address):
    for _ in range(5):
        _, code = site.request_code(address)
    page.ask_for(address)
    assert "If you have a code already, you can still use it." in page.text_of("address-error", "too many requests")
    page["have-code"].click()
    page.see("code")
    # Nor does the limit take the place of what the visitor is about to type.
    page["resend"].click()
    page.text_of("code-error", "too many requests")
    page.enter_code(code)
    page.see("sign-out")


def test_back_and_forward(page, address):
    code = page.ask_for_code(address)
    page.driver.back()
    assert page.see("address") == page.focused()
    assert page["address"].get_attribute("value") == address
    page.driver.forward()
    page.see("code")
    assert page["code-destination"].text == address
    page.driver.back()
    page.see("address")
    page["have-code"].click()
    page.see("code")
    assert page.heading() == "Check your inbox"
    page.enter_code(code)
    page.see("sign-out")
    page.driver.back()
    page.see("sign-out")


def test_back_then_a_reload(page, address):
    code = page.ask_for_code(address)
    page.driver.back()
    page.see("address")
    page.driver.refresh()
    page.see("code")
    page.enter_code(code)
    page.see("sign-out")


def test_a_second_tab_takes_the_code(page, browser, address):
    code = page.ask_for_code(address)
    first = browser.current_window_handle
    browser.switch_to.new_window("tab")
    browser.get(page.site.url)
    page.see("code")
    assert page["code-destination"].text == address
    page.enter_code(code)
    page.see("sign-out")
    browser.switch_to.window(first)
    page.see("sign-out")
    assert page["account-name"].text == address


def test_a_newer_code_of_another_tab_counts_in_both(page, browser, address):
    page.ask_for_code(address)
    browser.execute_script("""
        const pending = JSON.parse(sessionStorage.getItem("otpgate.pending"));
        pending.resend_at = 0;
        sessionStorage.setItem("otpgate.pending", JSON.stringify(pending));""")
    browser.refresh()
    page.see("code")
    first = browser.current_window_handle
    browser.switch_to.new_window("tab")
    browser.get(page.site.url)
    page.see("code")
    page["resend"].click()
    page.text_of("status", f"A new code is on its way to {address}.")
    newer = page.site.mailbox.wait_for(address)
    browser.switch_to.window(first)
    page.enter_code(newer)
    page.see("sign-out")


def test_a_tab_with_another_address_is_left_alone(page, browser, address, new_address):
    page["address"].send_keys(new_address())
    first = browser.current_window_handle
    browser.switch_to.new_window("tab")
    page.open()
    page.ask_for_code(address)
    browser.switch_to.window(first)
    assert page["address"].is_displayed()


def test_a_wrong_address_is_there_to_be_corrected(page, address):
    page.ask_for(address + "x")
    page.see("code")
    assert page["code-destination"].text == address + "x"
    page.driver.refresh()
    page.see("code")
    page["other-address"].click()
    assert page.see("address") == page.focused()
    assert page["address"].get_attribute("value") == address + "x"
    assert page.driver.execute_script("return getSelection().toString()") == address + "x"


def test_the_phone_fills_in_the_code_of_its_sms(browser, sms_site, number):
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": """
        window.OTPCredential = class {};
        navigator.credentials.get = (options) => new Promise((resolve) => { window.sms = { options, resolve }; });"""})
    page = LoginPage(browser, sms_site)
    page.open()
    page.ask_for(number)
    page.see("code")
    code = sms_site.phones.wait_for(number)
    assert browser.execute_script("return JSON.stringify(sms.options.otp)") == '{"transport":["sms"]}'
    browser.execute_script("sms.resolve({ code: arguments[0] })", code)
    page.see("sign-out")


def test_the_phone_is_not_asked_any_more_once_the_visitor_is_elsewhere(browser, sms_site, number):
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": """
        window.OTPCredential = class {};
        navigator.credentials.get = ({ signal }) => new Promise((_, reject) => {
            signal.addEventListener("abort", () => { window.aborted = true; reject(signal.reason); }); });"""})
    page = LoginPage(browser, sms_site)
    page.open()
    page.ask_for(number)
    page.see("code")
    page["other-address"].click()
    page.see("address")
    assert browser.execute_script("return window.aborted") is True


def test_a_browser_without_request_submit(browser, site, address):
    """Safari before 16."""
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument",
                            {"source": "delete HTMLFormElement.prototype.requestSubmit; delete window.BroadcastChannel;"})
    page = LoginPage(browser, site)
    page.open()
    page.enter_code(page.ask_for_code(address))
    page.see("sign-out")
