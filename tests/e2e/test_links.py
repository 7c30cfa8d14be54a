"""Sign-in by the link of a message: what opens links by itself takes nothing away, other browsers need more than the link, and after
a hundred wrong guesses in a row a link is all that signs a stranger's browser in."""
import re

import pytest
from selenium.webdriver.common.keys import Keys

from browser import open_browser
from conftest import ROOMY
from login_page import SESSION_COOKIE, LoginPage, assert_clean_console, chromium  # noqa: F401
from support.mailbox import text_of
from support.ports import wait_until
from support.site import Site
from test_login_flow import assert_problem, wrong

REQUEST = "/api/v1/auth/otp/request"
LINK = "/api/v1/auth/otp/link"
DEVICE_COOKIE = "__Host-otpgate-device"
ASKER_COOKIE = "__Host-otpgate-asker"


@pytest.fixture(scope="module")
def site(new_folder):
    with Site(new_folder(), settings={**ROOMY, "otp.link": "beside"}) as running:
        yield running


def links_to(site, address):
    return [link for message in site.mailbox.messages_for(address) for link in re.findall(r"http\S+/#link=\S+", text_of(message))]


def newest_link(site, address, count=1):
    return wait_until(lambda: found[-1] if len(found := links_to(site, address)) >= count else None, 10, f"a link to {address}")


def secret_of(link):
    return link.partition("#link=")[2]


def cookies_of(answer):
    return {name: value for name, value in re.findall(r"(__Host-[\w-]+)=([^;]*)", answer.headers.get("Set-Cookie", ""))}


def test_a_scanner_takes_nothing_away_and_the_owner_signs_in(site, chromium, address):  # noqa: F811
    page = LoginPage(chromium, site)
    page.open()
    page.ask_for_code(address)
    link = newest_link(site, address)
    assert link.startswith(f"{site.url}/#link=")

    with open_browser() as other:
        scanner = LoginPage(other, site)
        for _ in range(2):
            other.get("about:blank")
            other.get(link)
            scanner.see("link-submit")
        assert scanner.cookies() == {}
        # One that presses buttons, too, gets a code that stands in the same mail.
        scanner["link-submit"].click()
        code = scanner.text_of("link-code")
        assert scanner.cookies() == {}
        assert code in text_of(site.mailbox.messages_for(address)[-1])
        assert_clean_console(other)
        for method in ("head", "get"):
            for _ in range(3):
                assert site.request(method.upper(), "/").status_code == 200

    chromium.switch_to.new_window("tab")
    chromium.get(link)
    page.see("link-submit")
    assert page.heading() == "Sign in by link"
    page["link-submit"].send_keys(Keys.ENTER)
    page.see("sign-out")
    assert page["account-name"].text == address
    assert "link=" not in chromium.current_url
    assert SESSION_COOKIE in page.cookies() and ASKER_COOKIE not in page.cookies()

    # The tab that asked knows, and the code of the same message is spent.
    chromium.close()
    chromium.switch_to.window(chromium.window_handles[0])
    page.see("sign-out")
    assert_problem(site.post("/api/v1/auth/otp/verify", {"email": address, "otp": code}), 400, "OTP_USED")


def test_another_browser_shows_the_code_and_signs_in_only_with_the_address(site, chromium, address):  # noqa: F811
    otp_id, code = site.request_code(address)
    link = newest_link(site, address)
    page = LoginPage(chromium, site)
    chromium.delete_all_cookies()
    chromium.get("about:blank")
    chromium.get(link)
    page.see("link-submit")
    page["link-submit"].click()

    assert page.text_of("link-code") == code
    assert "not the browser" in page.text_of("status")
    page["link-address"].send_keys("eve@example.com", Keys.ENTER)
    assert page.text_of("link-address-error", "not sent to this address")
    assert SESSION_COOKIE not in page.cookies()
    page["link-address"].clear()
    page["link-address"].send_keys(address, Keys.ENTER)
    page.see("sign-out")
    assert page["account-name"].text == address
    assert_problem(site.verify(otp_id, code), 400, "OTP_USED")

    chromium.get("about:blank")
    chromium.get(link)
    page.see("link-submit")
    page["link-submit"].click()
    assert page.text_of("link-error", "already used")
    page["link-new"].click()
    page.see("address")


def test_after_a_hundred_failures_in_a_row_a_stranger_gets_a_link_and_a_known_device_its_code(site, address):
    own = site.login(address)["device_token"]
    otp_id, code = site.request_code(address)
    site.verify(otp_id, wrong(code))
    # The other ninety-eight.
    site.sql("UPDATE rate_limits SET failures = 99 WHERE failures = 1")
    assert_problem(site.verify(otp_id, wrong(code)), 400, "INVALID_OTP")

    assert_problem(site.verify(otp_id, code), 429, "MAX_RETRIES_EXCEEDED")
    notice = wait_until(lambda: [m for m in site.mailbox.notices_for(address) if "Many wrong codes" in m["Subject"]], 10, "the notice")
    assert "100 wrong codes" in text_of(notice[0])

    answer = site.post(REQUEST, {"email": address})
    assert answer.json()["means"] == "link" and answer.json()["detail"].startswith("A link is on its way")
    mail = wait_until(lambda: [m for m in site.mailbox.messages_for(address) if "sign-in link" in m["Subject"]], 10, "the link")[-1]
    assert not re.search(r"^\d{6}$", text_of(mail), re.M)
    secret = secret_of(re.search(r"http\S+/#link=\S+", text_of(mail))[0])

    device = {"Cookie": f"{DEVICE_COOKIE}={own}"}
    asked = site.post(REQUEST, {"email": address}, headers=device)
    assert asked.json()["means"] == "code_and_link"
    assert site.verify(asked.json()["otp_id"], site.mailbox.wait_for(address), device_token=own).status_code == 200

    refused = site.post(LINK, {"link": secret})
    assert_problem(refused, 409, "OTHER_BROWSER")
    assert "otp" not in refused.json()
    asker = {"Cookie": f"{ASKER_COOKIE}={cookies_of(answer)[ASKER_COOKIE]}"}
    signed_in = site.post(LINK, {"link": secret}, headers=asker)
    assert signed_in.status_code == 200 and signed_in.json()["user"]["email"] == address
    assert_problem(site.post(LINK, {"link": secret}, headers=asker), 400, "OTP_USED")
    assert site.post(REQUEST, {"email": address}).json()["means"] == "code_and_link"
