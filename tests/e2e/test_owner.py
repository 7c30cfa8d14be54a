"""What the owner of an installation decides: its name and links, who may sign up, where visitors are sent back to."""
import urllib.parse

import pytest

from test_login_flow import assert_problem

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
        return site.get(f"{PAGE}?{urllib.parse.urlencode({'return_to': url})}").json().get("return_to")

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
