"""A browser that has signed in before is not locked out by strangers, and nobody gains by its token; on both engines."""
import time

import pytest
import requests

from support.ports import wait_until
from test_concurrency import at_once, outcomes
from test_login_flow import assert_problem, wrong

AUTH = "/api/v1/auth"
REQUEST = f"{AUTH}/otp/request"
VERIFY = f"{AUTH}/otp/verify"


def cookie(token):
    return {"headers": {"Cookie": f"theme=dark; __Host-otpgate-device={token}"}}


def field(token):
    return {"fields": {"device_token": token}}


def ask(site, address, *, fields=None, headers=None, client_ip=None):
    return site.post(REQUEST, {"destination": address, **(fields or {})}, headers=headers, client_ip=client_ip)


def asked(site, address, **how):
    """(otp_id, code as it was mailed)"""
    answer = ask(site, address, **how)
    assert answer.status_code == 202, answer.text
    return answer.json()["otp_id"], site.mailbox.wait_for(address)


def guess_by_address(site, address, code, *, fields=None, headers=None, client_ip=None):
    return site.post(VERIFY, {"destination": address, "otp": code, **(fields or {})}, headers=headers, client_ip=client_ip)


def spend_requests(site, address):
    """As a stranger, until the destination's budget is gone."""
    for _ in range(6):
        answer = ask(site, address, client_ip="203.0.113.66")
    assert_problem(answer, 429, "RATE_LIMIT")


@pytest.fixture
def roomy(make_site, engine):
    """Where only guesses are limited for the destination: else strangers had not enough codes to guess at."""
    return make_site(engine, limits_request_per_destination="1000/1h")


def test_every_sign_in_returns_a_token_and_sets_the_cookie(site, address):
    answer = site.verify(*site.request_code(address))

    token = answer.json()["device_token"]
    assert answer.headers["Set-Cookie"].startswith(f"__Host-otpgate-device={token}; ")
    attributes = set(answer.headers["Set-Cookie"].split("; ")[1:])
    assert attributes >= {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"}
    assert not any(attribute.startswith("Domain") for attribute in attributes)


def test_the_token_stays_the_same_for_who_shows_it(site, address):
    first = site.login(address)["device_token"]

    again = site.login(address, device_token=first)["device_token"]
    other = site.login(address)["device_token"]

    assert again == first
    assert other != first


def test_an_installation_that_names_itself_stays_one_device(site, address):
    first = site.login(address, install_id="abc")["device_token"]

    assert site.login(address, install_id="abc")["device_token"] == first
    assert site.login(address, install_id="def")["device_token"] != first


@pytest.mark.parametrize("how", [cookie, field])
def test_the_owner_signs_in_while_strangers_besiege_the_account(make_site, engine, address, how):
    site = make_site(engine, limits_request_per_client="30/1h")
    token = site.login(address)["device_token"]

    def stranger(number):
        """A request from one of 50 addresses, and three guesses at whatever code there is."""
        ip = f"203.0.113.{number % 50 + 1}"
        answers = [ask(site, address, client_ip=ip)]
        otp_id = answers[0].json().get("otp_id", "01890a5d-ac96-774b-bcce-b302099a8057")
        return answers + [site.verify(otp_id, "12345", client_ip=ip), guess_by_address(site, address, "12345", client_ip=ip)]

    answers = []
    for start in range(0, 200, 20):
        for given in at_once(20, lambda number, start=start: stranger(start + number)):
            answers += given
    requests_made, guesses = answers[0::3], answers[1::3] + answers[2::3]

    assert outcomes(requests_made)["ok"] == 4  # and the owner's own first one makes five
    assert outcomes(requests_made)["RATE_LIMIT"] == 196
    # Guesses at no code look like wrong ones, so what was really compared is counted where it is written down.
    where = f"event = 'OTP_FAILED' AND destination = '{address}'"
    [[compared]] = site.sql(f"SELECT COUNT(*) FROM audit_events WHERE {where}")
    assert int(compared) <= 10
    assert "ok" not in outcomes(guesses)

    # The owner's browser. What was sent for the strangers is out of the way first.
    # Of those that a newer one has voided in the rush, or that three guesses have spent, none is sent.
    ended = f"SELECT COUNT(*) FROM audit_events WHERE event IN ('OTP_SENT', 'OTP_SEND_FAILED') AND destination = '{address}'"
    wait_until(lambda: site.sql(ended) == [["5"]], 10, "the end of the strangers' codes")
    sent = f"SELECT COUNT(*) FROM audit_events WHERE event = 'OTP_SENT' AND destination = '{address}'"
    if site.sql(sent) != [["1"]]:
        site.mailbox.wait_for(address)
    otp_id, code = asked(site, address, **how(token))
    assert site.verify(otp_id, code).status_code == 200

    # A new one has to wait like everybody.
    refused = ask(site, address, client_ip="198.51.100.1")
    assert_problem(refused, 429, "RATE_LIMIT")
    assert 0 < int(refused.headers["Retry-After"]) <= 3600


def test_strangers_get_ten_guesses_and_the_owner_signs_in(roomy, address):
    token = roomy.login(address)["device_token"]
    answers = []
    for number in range(67):
        ip = f"203.0.113.{number % 50 + 1}"
        otp_id, code = asked(roomy, address, client_ip=ip)
        answers += [roomy.verify(otp_id, wrong(code), client_ip=ip) for _ in range(3)]

    assert outcomes(answers) == {"INVALID_OTP": 10, "MAX_RETRIES_EXCEEDED": len(answers) - 10}
    # Not even the right one is told from a wrong one to a new browser.
    otp_id, code = asked(roomy, address, client_ip="198.51.100.1")
    refused = roomy.verify(otp_id, code, client_ip="198.51.100.1")
    assert_problem(refused, 429, "MAX_RETRIES_EXCEEDED")
    assert 0 < int(refused.headers["Retry-After"]) <= 86400

    assert roomy.verify(*asked(roomy, address, **field(token))).status_code == 200


def test_a_device_has_requests_of_its_own(site, address):
    token = site.login(address)["device_token"]
    spend_requests(site, address)

    for _ in range(5):
        assert ask(site, address, **field(token)).status_code == 202
    assert_problem(ask(site, address, **field(token)), 429, "RATE_LIMIT")


def test_a_device_is_not_limited_by_others_behind_its_address(make_site, engine, new_address):
    site = make_site(engine, limits_request_per_client="3/1h")
    address = new_address()
    token = site.login(address)["device_token"]
    for _ in range(2):
        ask(site, new_address())
    assert_problem(ask(site, new_address()), 429, "RATE_LIMIT")

    assert ask(site, address, **cookie(token)).status_code == 202


def test_a_device_too_has_ten_guesses(roomy, address):
    token = roomy.login(address)["device_token"]
    answers = []
    for _ in range(5):
        otp_id, code = asked(roomy, address, **field(token))
        answers += [roomy.verify(otp_id, wrong(code)) for _ in range(3)]

    assert outcomes(answers) == {"INVALID_OTP": 10, "MAX_RETRIES_EXCEEDED": 5}
    # Strangers are another matter: their budget was not touched.
    otp_id, code = asked(roomy, address)
    assert roomy.verify(otp_id, code).status_code == 200


def test_100_guesses_of_a_device_at_once_are_compared_exactly_10_times(roomy, address):
    token = roomy.login(address)["device_token"]
    answers = []
    for _ in range(10):
        otp_id, code = asked(roomy, address, **field(token))
        answers += at_once(10, lambda _, otp_id=otp_id, code=code: roomy.verify(otp_id, wrong(code), device_token=token))

    assert outcomes(answers) == {"INVALID_OTP": 10, "MAX_RETRIES_EXCEEDED": 90}


def test_a_copy_shares_the_budget(roomy, address):
    token = roomy.login(address)["device_token"]
    otp_id, code = asked(roomy, address, **field(token))
    for _ in range(3):
        roomy.verify(otp_id, wrong(code))

    copied_id, copied = asked(roomy, address, client_ip="203.0.113.9", **cookie(token))
    for _ in range(3):
        roomy.verify(copied_id, wrong(copied), client_ip="203.0.113.9")
    answers = []
    for _ in range(2):
        otp_id, code = asked(roomy, address, **field(token))
        answers += [roomy.verify(otp_id, wrong(code)) for _ in range(3)]

    assert outcomes(answers)["INVALID_OTP"] == 4


def test_strangers_do_not_void_the_devices_code(site, address):
    token = site.login(address)["device_token"]
    otp_id, code = asked(site, address, **field(token))
    for _ in range(4):
        ask(site, address, client_ip="203.0.113.9")

    assert site.verify(otp_id, code).status_code == 200


def test_strangers_do_not_spend_its_attempts(site, address):
    token = site.login(address)["device_token"]
    otp_id, code = asked(site, address, **field(token))
    strangers = [asked(site, address, client_ip="203.0.113.9")]
    for _ in range(4):
        strangers.append(guess_by_address(site, address, "12345", client_ip="203.0.113.9"))

    problem = assert_problem(site.verify(otp_id, wrong(code)), 400, "INVALID_OTP")
    assert problem["attempts_remaining"] == 2
    answer = guess_by_address(site, address, code, **field(token))
    assert answer.status_code == 200


@pytest.mark.parametrize("how", [cookie, field])
def test_by_address_the_devices_own_code_is_meant(site, address, how):
    token = site.login(address)["device_token"]
    _, own = asked(site, address, **how(token))
    _, strangers = asked(site, address, client_ip="203.0.113.9")

    # Without the token it is the strangers' code that is asked about.
    if own != strangers:
        assert_problem(guess_by_address(site, address, own), 400, "INVALID_OTP")
    assert guess_by_address(site, address, own, **how(token)).status_code == 200


def test_a_device_without_a_code_of_its_own_may_type_the_strangers(site, address):
    # A login that began in one browser's window and ends in another's.
    token = site.login(address)["device_token"]
    _, code = asked(site, address)

    assert guess_by_address(site, address, code, **field(token)).status_code == 200


# What buys nothing.

def assert_treated_as_a_stranger(site, address, token):
    """The destination's budget of requests is spent; the token must not open another one."""
    for how in (cookie, field):
        assert_problem(ask(site, address, **how(token)), 429, "RATE_LIMIT")


@pytest.mark.parametrize("change", ["last", "first", "longer", "garbage", "empty", "access", "refresh", "not_base64"])
def test_a_forged_token(site, address, change):
    login = site.login(address)
    token = login["device_token"]
    forged = {
        "last": token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB"),
        "first": ("A" if token[0] != "A" else "B") + token[1:],
        "longer": token + "AAAA",
        "garbage": "x" * 64,
        "empty": "",
        "access": login["access"],
        "refresh": login["refresh"],
        "not_base64": "%%%%" + token[4:],
    }[change]
    spend_requests(site, address)

    assert_treated_as_a_stranger(site, address, forged)


def test_the_token_of_another_account(site, new_address):
    victim, attacker = new_address(), new_address()
    site.login(victim)
    token = site.login(attacker)["device_token"]
    spend_requests(site, victim)

    assert_treated_as_a_stranger(site, victim, token)
    assert ask(site, attacker, **field(token)).status_code == 202


def test_the_token_of_another_account_gets_no_guesses(roomy, new_address):
    victim, attacker = new_address(), new_address()
    roomy.login(victim)
    token = roomy.login(attacker)["device_token"]
    answers = []
    for _ in range(5):
        otp_id, code = asked(roomy, victim, **field(token))
        answers += [roomy.verify(otp_id, wrong(code), device_token=token) for _ in range(3)]

    assert outcomes(answers)["INVALID_OTP"] == 10
    # They were the strangers'.
    otp_id, code = asked(roomy, victim)
    assert_problem(roomy.verify(otp_id, code), 429, "MAX_RETRIES_EXCEEDED")


def test_a_token_of_another_account_does_not_find_its_code(site, new_address):
    victim, attacker = new_address(), new_address()
    owners = site.login(victim)["device_token"]
    token = site.login(attacker)["device_token"]
    _, strangers = asked(site, victim)
    _, code = asked(site, victim, **field(owners))

    if code != strangers:
        assert_problem(guess_by_address(site, victim, code, **field(token)), 400, "INVALID_OTP")


def test_a_token_of_a_session_that_the_user_ended(site, address):
    lost, kept = site.login(address), site.login(address)
    assert site.request("DELETE", f"{AUTH}/sessions/{lost['session_id']}", token=kept["access"]).status_code == 204
    spend_requests(site, address)

    assert_treated_as_a_stranger(site, address, lost["device_token"])
    assert ask(site, address, **field(kept["device_token"])).status_code == 202


def test_a_token_after_logout_all_elsewhere(site, address):
    first, second, here = site.login(address), site.login(address), site.login(address)
    assert site.post(f"{AUTH}/logout-all", token=here["access"]).status_code == 204
    spend_requests(site, address)

    for other in (first, second):
        assert_treated_as_a_stranger(site, address, other["device_token"])
    # The browser in which it was asked for stays known.
    assert ask(site, address, **field(here["device_token"])).status_code == 202


def test_a_token_of_a_disabled_account(site, address):
    token = site.login(address)["device_token"]
    assert site.otpgate.run("user", "disable", address).returncode == 0
    assert site.otpgate.run("user", "enable", address).returncode == 0
    spend_requests(site, address)

    assert_treated_as_a_stranger(site, address, token)


def test_a_token_of_a_deleted_account(site, address):
    login = site.login(address)
    assert site.request("DELETE", f"{AUTH}/me", token=login["access"]).status_code == 204
    site.login(address)  # somebody new, with the same address
    spend_requests(site, address)

    assert_treated_as_a_stranger(site, address, login["device_token"])


def test_a_token_that_is_forgotten_makes_a_new_device(site, address):
    lost, kept = site.login(address), site.login(address)
    site.request("DELETE", f"{AUTH}/sessions/{lost['session_id']}", token=kept["access"])

    again = site.login(address, device_token=lost["device_token"])

    assert again["device_token"] != lost["device_token"]
    spend_requests(site, address)
    assert ask(site, address, **field(again["device_token"])).status_code == 202


def test_a_logout_does_not_forget_the_device(site, address):
    login = site.login(address)
    assert site.post(f"{AUTH}/logout", token=login["access"]).status_code == 204
    spend_requests(site, address)

    assert ask(site, address, **cookie(login["device_token"])).status_code == 202


def test_of_two_cookies_and_a_field_any_right_one_counts(site, address):
    token = site.login(address)["device_token"]
    spend_requests(site, address)

    answer = site.post(REQUEST, {"destination": address, "device_token": "x" * 64}, **cookie(token))

    assert answer.status_code == 202


def test_a_token_of_the_wrong_type_is_named(site, address):
    problem = assert_problem(site.post(REQUEST, {"destination": address, "device_token": 42}), 400, "VALIDATION_ERROR")

    assert [error["field"] for error in problem["errors"]] == ["device_token"]


def test_a_browser_keeps_the_cookie(site, address):
    """As a browser on the site's own https address would: the cookie comes back by itself."""
    with requests.Session() as browser:
        otp_id, code = site.request_code(address)
        done = browser.post(site.url + VERIFY, json={"otp_id": otp_id, "otp": code}, timeout=15)
        assert done.status_code == 200
        [kept] = [kept for kept in browser.cookies if kept.name == "__Host-otpgate-device"]

    assert kept.secure and kept.path == "/" and not kept.domain_specified
    assert kept.expires > time.time() + 30 * 86400
