"""What the owner of an installation decides: its name and links, who may sign up, where visitors are sent back to."""
import pathlib
import shutil
import urllib.parse

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from browser import open_browser
from support.nginx import Nginx
from support.site import WITH_SOCKET
from test_login_flow import assert_problem

ROOT = pathlib.Path(__file__).resolve().parents[2]

PAGE = "/api/v1/page"
REGISTER = "/api/v1/auth/register"


@pytest.mark.parametrize("web", ["nginx", "apache"])
def test_the_pages_are_told_what_the_settings_say(make_site, web):
    site = make_site(web=web, page_name="Example", page_accent="#123456", page_logo="logo.svg", sms_transport="file",
                     otp_length="8", **{"page.privacy_url": "https://example.com/privacy"})

    told = site.get(PAGE).json()

    assert (told["name"], told["accent"], told["logo"]) == ("Example", "#123456", "page/logo.svg")
    assert told["links"] == {"privacy": "https://example.com/privacy"}
    assert told["channels"] == ["email", "sms"] and told["code"] == {"length": 8, "alphabet": "digits"}


def test_without_settings_the_host_is_the_name(site):
    told = site.get(PAGE).json()
    assert told["name"] == "localhost" and told["channels"] == ["email"] and told["links"] == {}


def test_only_who_may_be_sent_back_to_is_named(make_site):
    site = make_site(**{"page.return_to": "The wiki https://wiki.example.com"})

    def back_to(url):
        answer = site.get(f"{PAGE}?{urllib.parse.urlencode({'return_to': url})}")
        return None if site.refused_by_lighttpd(answer) else answer.json().get("return_to")

    assert back_to("https://wiki.example.com/a?b=c") == {"url": "https://wiki.example.com/a?b=c", "name": "The wiki"}
    assert back_to("/private/") == {"url": site.url + "/private/", "name": "localhost"}
    for url in ("https://evil.example", "//evil.example", "/\\evil.example", "https://wiki.example.com@evil.example",
                "https://wiki.example.com.evil.example", "javascript:alert(1)", "\t//evil.example", "https://wiki.example.com:444/"):
        assert back_to(url) is None, url


@pytest.fixture
def closed(make_site, engine):
    """Of example.org and one guest; Ann was here before the rule."""
    site = make_site(engine, **{"accounts.allowed_domains": "example.org, *.example.org",
                                "accounts.allowed_addresses": "guest@elsewhere.example"})
    assert site.otpgate.run("user", "create", "--email", "ann@example.com").returncode == 0
    return site


def test_who_is_allowed_signs_up(closed):
    for address in ("bob@example.org", "bob@deep.example.org", "Guest@elsewhere.example"):
        assert closed.login(address)["is_new_user"] is True


def test_who_has_an_account_signs_in_whatever_the_rule(closed):
    assert closed.login("ann@example.com")["is_new_user"] is False


def test_nobody_is_told_that_he_may_not_sign_up_and_nothing_is_sent(closed):
    known = closed.post("/api/v1/auth/otp/request", {"destination": "ann@example.com"})
    stranger = closed.post("/api/v1/auth/otp/request", {"destination": "eve@example.com"})

    assert (known.status_code, stranger.status_code) == (202, 202)
    assert sorted(known.json()) == sorted(stranger.json())
    closed.mailbox.wait_for("ann@example.com")
    assert closed.mailbox.messages_for("eve@example.com") == []
    for code in ("000000", "123456"):
        assert_problem(closed.verify(stranger.json()["otp_id"], code), 400, "INVALID_OTP")
    assert closed.sql("SELECT COUNT(*) FROM users WHERE email = 'eve@example.com'") == [["0"]]


def test_a_form_and_a_change_of_address_are_refused_by_name(closed):
    # The same for who has an account: the rule alone speaks.
    for address in ("eve@example.com", "ann@example.com"):
        answer = closed.post(REGISTER, {"email": address, "password": "correct horse battery"})
        assert_problem(answer, 400, "VALIDATION_ERROR")
        assert answer.json()["errors"] == [{"field": "email", "message": "may not be that of an account here"}]
    token = closed.login("bob@example.org")["access"]
    answer = closed.post("/api/v1/auth/address-change/request", {"email": "bob@example.com"}, token=token)
    assert_problem(answer, 400, "VALIDATION_ERROR")
    assert closed.post(REGISTER, {"email": "new@example.org"}).status_code == 201


# As a visitor sees it.

@pytest.fixture
def browser():
    with open_browser() as driver:
        yield driver


def test_the_page_wears_the_owners_clothes(make_site, browser, tmp_path):
    site = make_site(web=WITH_SOCKET, page_name="Example", page_accent="#ffd500", page_logo="logo.svg", page_stylesheet="own.css",
                     **{"page.privacy_url": "https://example.com/privacy", "page.support_url": "mailto:help@example.com"}, start=False)
    own = tmp_path / "www"
    shutil.copytree(ROOT / "build/www", own)
    (own / "page").mkdir()
    shutil.copy(ROOT / "www/favicon.svg", own / "page/logo.svg")
    (own / "page/own.css").write_text(".card { border-width: 7px; }")
    for folder in (tmp_path.parent, tmp_path, own):
        folder.chmod(0o755)
    site.web = Nginx(tmp_path / "nginx", site.otpgate.socket, www=own, port=site.web.port)
    site.start()
    browser.get(site.url + "/")
    wait = WebDriverWait(browser, 30)

    wait.until(lambda _: browser.find_element(By.ID, "site-name").text == "Example")
    links = browser.find_elements(By.CSS_SELECTOR, "#owner-links a")
    assert [(link.text, link.get_attribute("href")) for link in links] == \
        [("Privacy", "https://example.com/privacy"), ("Help", "mailto:help@example.com")]
    assert browser.find_element(By.ID, "logo").get_attribute("src").endswith("/page/logo.svg")
    wait.until(lambda _: browser.find_element(By.CLASS_NAME, "card").value_of_css_property("border-top-width") == "7px")
    # Yellow with black on it; as text on white it would be seen by nobody.
    button = browser.find_element(By.ID, "address-submit")
    assert button.value_of_css_property("color") == "rgba(255, 255, 255, 1)" or \
        button.value_of_css_property("color") == "rgba(0, 0, 0, 1)"
    contrast = browser.execute_script("""
        const luminance = (text) => text.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
          .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
          .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
        const style = getComputedStyle(arguments[0]);
        const [low, high] = [luminance(style.color), luminance(style.backgroundColor)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);""", button)
    assert contrast >= 4.5
    # There is no SMS here, so none is promised.
    assert browser.find_element(By.ID, "address-label").text == "E-mail address"
    assert "SMS" not in browser.find_element(By.ID, "address-view").text
    # That nobody is signed in yet is logged too.
    assert [entry for entry in browser.get_log("browser")
            if entry["level"] == "SEVERE" and "/api/v1/auth/me" not in entry["message"]] == []


def test_a_visitor_goes_on_to_where_he_came_from(make_site, browser, address):
    site = make_site(sms_transport="file", **{"page.return_to": "The wiki https://wiki.example.com"})
    wait = WebDriverWait(browser, 30)
    browser.get(site.url + "/?" + urllib.parse.urlencode({"return_to": "https://wiki.example.com/start?a=b"}))
    field = wait.until(lambda _: browser.find_element(By.ID, "address"))
    wait.until(lambda _: field.is_displayed())
    assert "or telephone number" in browser.find_element(By.ID, "address-label").text
    field.send_keys(address + "\n")
    code = site.mailbox.wait_for(address)
    wait.until(lambda _: browser.find_element(By.ID, "code").is_displayed())
    browser.find_element(By.ID, "code").send_keys(code)

    link = browser.find_element(By.ID, "continue")
    wait.until(lambda _: link.is_displayed())
    assert (link.text, link.get_attribute("href")) == ("Continue to The wiki", "https://wiki.example.com/start?a=b")
    assert browser.switch_to.active_element == link

    for target in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "https://wiki.example.com@evil.example"):
        browser.get(site.url + "/?" + urllib.parse.urlencode({"return_to": target}))
        wait.until(lambda _: browser.find_element(By.ID, "account-view").is_displayed())
        assert not browser.find_element(By.ID, "continue").is_displayed()
        assert browser.find_element(By.ID, "continue").get_attribute("href") is None
