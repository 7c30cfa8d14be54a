"""Who must have a second factor (mfa.required), and devices that stand for one (mfa.trusted_device_days): etc/doc/authenticators.md."""

import pytest
from selenium.webdriver.common.keys import Keys

from login_page import DESKTOP, LoginPage, assert_clean_console
from browser import open_browser
from support.keys import Backend
from support.phone_app import PhoneApp, register
from support.site import Site
from test_authenticators import AUTH, CODES, SECOND, TOTP, again, cookie_headers, first_step
from test_authenticators import sign_in as sign_in_with_app
from test_passkeys import NEEDS_FACTOR, claims_of

DAY = 24 * 3600 * 1_000_000


@pytest.fixture(scope="module")
def strict(new_folder):
    with Site(new_folder(), settings={"mfa.required": "group:staff", "api_keys.allowed": "everybody",
                                      "limits.request_per_client": "1000/1h"}) as running:
        assert running.otpgate.run("group", "create", "staff").returncode == 0
        yield running


def join(site, address):
    assert site.otpgate.run("group", "add", "staff", address).returncode == 0


def later(site, address, days):
    """The grace goes on, for this user alone."""
    site.sql(f"UPDATE users SET factor_wanted_since_us = factor_wanted_since_us - {days * DAY} WHERE email = '{address}'")


def test_whom_the_site_asks_for_a_factor_adds_one_and_can_put_it_off(strict, address, new_address):
    site = strict
    assert "factor_due_at" not in site.login(address)
    join(site, address)
    offered = site.login(address)
    assert site.get(AUTH + "/me", token=offered["access"]).json()["factor_due_at"] == offered["factor_due_at"]
    assert site.login(address)["factor_due_at"] == offered["factor_due_at"]  # signing in again gives no more time
    backend = Backend(site, new_address())
    assert backend.introspect(offered["access"])["active"] is True

    later(site, address, 7)
    # What was opened before is good for adding one, and nobody's else.
    for method, path in (("GET", AUTH + "/me"), ("PATCH", AUTH + "/profile"), ("GET", AUTH + "/sessions"), ("GET", "/authz"),
                         ("POST", AUTH + "/password-change"), ("POST", "/api/v1/api-keys"), ("DELETE", AUTH + "/me")):
        refused = site.request(method, path, json={} if method != "GET" else None, token=offered["access"])
        assert (refused.status_code, refused.json()["code"], refused.json()["may"]) == (401, NEEDS_FACTOR, "add_factor"), path
    assert site.post(AUTH + "/token/refresh", {"refresh": offered["refresh"]}).json()["code"] == NEEDS_FACTOR
    assert [backend.introspect(offered[kind]) for kind in ("access", "refresh")] == [{"active": False}] * 2
    # Nobody gets tokens, which whoever verifies them himself would take for more.
    half = site.verify(*site.request_code(address))
    assert (half.status_code, half.json()["code"], half.json()["second_step"]) == (401, NEEDS_FACTOR, "add_factor")
    shown = {"second_step_token": half.json()["second_step_token"], "add_factor": True}
    assert site.post(SECOND, shown).json()["errors"][0]["field"] == "session"
    limited = cookie_headers(site.post(SECOND, {**shown, "session": "cookie"}))
    assert site.post(SECOND, {**shown, "session": "cookie"}).status_code == 400  # once
    reloaded = site.get(AUTH + "/me", headers=limited)  # of a page that was loaded again
    assert (reloaded.json()["may"], reloaded.headers["X-CSRF-Token"]) == ("add_factor", limited["X-CSRF-Token"])
    assert site.get("/authz", headers=limited).json()["may"] == "add_factor"

    invitation = site.post(TOTP + "/options", headers=limited).json()
    phone = PhoneApp(invitation["secret"])
    added = site.post(TOTP, {"token": invitation["token"], "otp": phone.code(), "name": "Phone"}, headers=limited)
    assert added.status_code == 201, added.text
    assert "factor_due_at" not in site.get(AUTH + "/me", headers=limited).json()
    # Who has one shows it: nobody comes in to add another.
    token = first_step(site, address)
    assert site.post(SECOND, {"second_step_token": token, "add_factor": True, "session": "cookie"}).status_code == 400
    assert site.post(SECOND, {"second_step_token": token, "otp": phone.code()}).status_code == 200


def test_a_trusted_device_stands_for_the_app_and_for_nothing_more(site, address):
    phone = register(site, site.login(address)["access"])
    trusted = site.post(SECOND, {"second_step_token": first_step(site, address), "otp": phone.code(), "trust_device": True}).json()
    device = {"device_token": trusted["device_token"]}

    def sign_in(**fields):
        return site.verify(*site.request_code(address), **fields)

    opened = sign_in(**device)
    assert opened.status_code == 200, opened.text
    claims = claims_of(opened.json()["access"])
    assert (claims["amr"], claims["aal"]) == (["otp", "device"], 1)
    access = opened.json()["access"]
    assert site.get(AUTH + "/me", token=access).status_code == 200
    for path in (TOTP + "/options", AUTH + "/password-change", "/api/v1/api-keys", AUTH + "/recovery-codes"):
        assert site.post(path, {}, token=access).json()["code"] == NEEDS_FACTOR, path
    # Whoever reads the mail, and where a sign-in is to prove more.
    assert sign_in().json()["second_step"] == "totp"
    assert sign_in(**device, second_step="always").json()["second_step"] == "totp"
    assert site.post(AUTH + "/logout-all", token=access).status_code == 204
    assert site.otpgate.run("user", "clear-limits", address).returncode == 0
    assert sign_in(**device).json()["second_step"] == "totp"


def test_adds_an_app_signs_in_with_it_and_loses_it_by_keyboard_alone(strict, address):
    """The walk of who must have one: put off, then due; then the app at each sign-in, but not on a device that is trusted; and
    the phone is lost."""
    def go_to(page, name):
        for _ in range(12):
            if page.focused().get_attribute("id") == name:
                page.assert_focus_is_visible()
                return
            page.press(Keys.TAB)
        raise AssertionError(f"Tab does not lead to {name}")

    def sign_in(page):
        page.see("address")
        go_to(page, "address")
        page.press(Keys.CONTROL, "a")
        page.press(address, Keys.ENTER)
        page.see("code")
        go_to(page, "code")
        page.press(strict.mailbox.wait_for(address))

    def add_app(page):
        go_to(page, "enrol-app")
        page.press(Keys.SPACE)
        page.wait(lambda: page["enrol-app-secret"].text, "no key is shown")
        phone = PhoneApp(page["enrol-app-secret"].text.replace(" ", ""))
        go_to(page, "enrol-app-code")
        page.press(phone.code(), Keys.ENTER)
        return phone

    def sign_out(page):
        page.see("sign-out")
        go_to(page, "sign-out")
        page.press(Keys.ENTER)

    strict.login(address)
    join(strict, address)
    with open_browser(*DESKTOP) as driver:
        page = LoginPage(driver, strict)
        page.open()
        sign_in(page)
        page.text_of("enrol-lead", "put it off until")
        assert page.heading() == "Protect your account"
        go_to(page, "enrol-later")
        page.press(Keys.ENTER)
        sign_out(page)

        later(strict, address, 7)
        sign_in(page)
        page.text_of("enrol-lead", "until then nothing else")
        driver.refresh()  # and is there still
        page.text_of("enrol-lead", "until then nothing else")
        assert not page["enrol-later"].is_displayed()
        phone = add_app(page)
        sign_out(page)

        again(strict, address, phone)
        sign_in(page)
        page.see("second-code")
        page.press(Keys.SHIFT, Keys.TAB)
        assert page.focused().accessible_name == "Do not ask for this on this device for 30 days"
        page.press(Keys.SPACE)
        go_to(page, "second-code")
        page.press(phone.code())
        sign_out(page)
        sign_in(page)
        sign_out(page)

        again(strict, address, phone)
        access = sign_in_with_app(strict, address, phone)["access"]
        code = strict.post(CODES, token=access).json()["codes"][5]
        assert strict.post(CODES + "/confirm", {"code": code}, token=access).status_code == 204
        sign_in(page)
        page.see("second-code")
        go_to(page, "second-recover")
        page.press(Keys.ENTER)
        page.wait(lambda: page.heading() == "Enter a recovery code", "no recovery code is asked for")
        assert not page["second-trust"].is_displayed()
        page.press(code, Keys.ENTER)
        page.text_of("enrol-lead", "until then nothing else")
        add_app(page)
        page.see("sign-out")
        assert_clean_console(driver)
