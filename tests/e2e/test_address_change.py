"""Another e-mail address or telephone number for an account: who may, what it does, and who is told; on both engines."""
import uuid

import pytest
from support.mailbox import text_of
from test_concurrency import at_once, outcomes
from test_login_flow import assert_problem, wrong

AUTH = "/api/v1/auth"
REQUEST = f"{AUTH}/otp/request"
VERIFY = f"{AUTH}/otp/verify"


def ask(site, new, access=None, **fields):
    return site.post(REQUEST, {"destination": new, "purpose": "change", **fields}, token=access)


def asked(site, new, access, inbox=None):
    """(otp_id, code as it was mailed)"""
    answer = ask(site, new, access)
    assert answer.status_code == 202, answer.text
    assert answer.json()["purpose"] == "change"
    return answer.json()["otp_id"], (inbox or site.mailbox).wait_for(new)


def redeem(site, otp_id, code, access=None, **fields):
    return site.post(VERIFY, {"otp_id": otp_id, "otp": code, **fields}, token=access)


def me(site, access):
    answer = site.get(f"{AUTH}/me", token=access)
    return answer.json()["user"] if answer.status_code == 200 else None


def events(site, user_id, event):
    return site.sql(
        f"SELECT destination, metadata FROM audit_events WHERE event = '{event}' AND user_id = x'{uuid.UUID(user_id).hex}'")


@pytest.fixture
def ada(site, address):
    return site.login(address)


@pytest.fixture
def eve(site, new_address):
    return site.login(new_address())


def test_the_account_gets_the_address_that_the_code_proves(site, ada, address, new_address):
    new = new_address()

    answer = redeem(site, *asked(site, new, ada["access"]), ada["access"])

    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["verified"] is True
    assert body["verified_destination"] == new
    assert (body["user"]["email"], body["user"]["email_verified"]) == (new, True)
    assert body["user"]["username"] == address
    assert me(site, ada["access"]) == body["user"]
    [[destination, metadata]] = events(site, ada["user"]["id"], "ADDRESS_CHANGED")
    assert destination == new
    assert address not in metadata and address[0] in metadata
    # The new one signs in to it, the old one does not.
    assert site.login(new)["user"]["id"] == ada["user"]["id"]
    assert site.login(address)["is_new_user"] is True


def test_both_addresses_are_told(site, ada, address, new_address):
    new = new_address()
    redeem(site, *asked(site, new, ada["access"]), ada["access"])

    for told in (address, new):
        [notice] = site.mailbox.wait_for_notices(told, 1)
        assert notice["Subject"] == "The address of your account was changed"
        text = text_of(notice)
        assert "127.0.0.1" in text
        # Enough to recognise one's own, too little to be spelled out where an old mailbox is read by others.
        assert new not in text and new[-12:] in text


def test_a_telephone_number_is_added_beside_the_address(sms_site, address, number):
    ada = sms_site.login(address)

    answer = redeem(sms_site, *asked(sms_site, number, ada["access"], sms_site.phones), ada["access"])

    assert answer.status_code == 200, answer.text
    user = answer.json()["user"]
    assert (user["email"], user["phone_number"], user["phone_verified"]) == (address, number, True)
    # Nothing was replaced: the address that stays is told, and a telephone costs.
    [notice] = sms_site.mailbox.wait_for_notices(address, 1)
    assert "+15" in text_of(notice) and number not in text_of(notice)
    assert sms_site.phones.notices_for(number) == []


def test_the_other_sessions_end_and_what_was_sent_to_the_old_address_is_void(site, ada, address, new_address):
    elsewhere = site.login(address)
    otp_id, code = site.request_code(address)

    assert redeem(site, *asked(site, new_address(), ada["access"]), ada["access"]).status_code == 200

    assert me(site, ada["access"]) is not None
    assert me(site, elsewhere["access"]) is None
    assert_problem(site.verify(otp_id, code), 410, "OTP_EXPIRED")


def test_nobody_asks_or_redeems_without_a_session(site, ada, new_address):
    new = new_address()
    assert_problem(ask(site, new), 401, "UNAUTHENTICATED")
    assert_problem(ask(site, new, "no token"), 401, "INVALID_TOKEN")
    otp_id, code = asked(site, new, ada["access"])

    for fields in ({}, {"purpose": "change"}):
        assert_problem(redeem(site, otp_id, code, **fields), 401, "UNAUTHENTICATED")
    assert_problem(site.post(VERIFY, {"destination": new, "otp": code, "purpose": "change"}), 401, "UNAUTHENTICATED")
    assert redeem(site, otp_id, code, ada["access"]).status_code == 200


def test_a_session_whose_sign_in_is_old_may_not_ask(site, ada, new_address):
    session = uuid.UUID(ada["session_id"]).hex
    quarter = 15 * 60 * 1_000_000
    site.sql(f"UPDATE sessions SET authenticated_at_us = authenticated_at_us - {quarter} WHERE id = x'{session}'")
    new = new_address()

    problem = assert_problem(ask(site, new, ada["access"]), 403, "FORBIDDEN")

    assert problem["detail"] == (
        "To change an address, sign in again: the sign-in of this session is more than 15 minutes ago.")
    # A new token of the old session proves nothing more.
    refreshed = site.post(f"{AUTH}/token/refresh", {"refresh": ada["refresh"]}).json()["access"]
    assert_problem(ask(site, new, refreshed), 403, "FORBIDDEN")
    assert site.mailbox.messages_for(new) == []


def test_a_code_is_good_for_the_user_who_asked_only(site, ada, eve, address, new_address):
    """Or whoever tricks a session into showing it would have the account."""
    new = new_address()
    otp_id, code = asked(site, new, eve["access"])

    for fields in ({}, {"purpose": "change"}):
        assert_problem(redeem(site, otp_id, code, ada["access"], **fields), 400, "INVALID_OTP")
    by_address = {"destination": new, "otp": code, "purpose": "change"}
    assert_problem(site.post(VERIFY, by_address, token=ada["access"]), 400, "INVALID_OTP")

    assert me(site, ada["access"])["email"] == address
    assert redeem(site, otp_id, code, eve["access"]).json()["user"]["email"] == new


def test_codes_of_other_purposes_change_nothing(site, ada, address, new_address):
    new = new_address()
    for purpose in ("login", "register", "verify"):
        otp_id = site.post(REQUEST, {"destination": new, "purpose": purpose}).json()["otp_id"]
        answer = redeem(site, otp_id, site.mailbox.wait_for(new), ada["access"], purpose="change")
        assert_problem(answer, 400, "INVALID_OTP")
    otp_id, code = asked(site, new_address(), ada["access"])
    for purpose in ("login", "register", "verify", "reset"):
        assert_problem(redeem(site, otp_id, code, ada["access"], purpose=purpose), 400, "INVALID_OTP")

    assert me(site, ada["access"])["email"] == address


def test_the_address_of_another_account_is_a_conflict_only_for_who_can_read_its_mail(site, ada, eve, address):
    taken = eve["user"]["email"]
    otp_id, code = asked(site, taken, ada["access"])
    assert_problem(redeem(site, otp_id, wrong(code), ada["access"]), 400, "INVALID_OTP")

    assert_problem(redeem(site, otp_id, code, ada["access"]), 409, "CONFLICT")

    assert me(site, ada["access"])["email"] == address
    assert me(site, eve["access"])["email"] == taken
    assert_problem(redeem(site, otp_id, code, ada["access"]), 400, "OTP_USED")
    assert events(site, ada["user"]["id"], "ADDRESS_CHANGED") == []


def test_a_code_is_good_once_and_three_wrong_ones_end_it(site, ada, address, new_address):
    otp_id, code = asked(site, new_address(), ada["access"])
    for left in (2, 1, 0):
        problem = assert_problem(redeem(site, otp_id, wrong(code), ada["access"]), 400, "INVALID_OTP")
        assert problem["attempts_remaining"] == left
    assert_problem(redeem(site, otp_id, code, ada["access"]), 429, "MAX_RETRIES_EXCEEDED")

    otp_id, code = asked(site, new_address(), ada["access"])
    assert redeem(site, otp_id, code, ada["access"]).status_code == 200
    assert_problem(redeem(site, otp_id, code, ada["access"]), 400, "OTP_USED")
    assert len(events(site, ada["user"]["id"], "ADDRESS_CHANGED")) == 1


def test_of_16_at_once_one_changes_it(site, ada, address, new_address):
    new = new_address()
    otp_id, code = asked(site, new, ada["access"])

    found = outcomes(at_once(16, lambda _: redeem(site, otp_id, code, ada["access"])))

    assert found["ok"] == 1, found
    assert set(found) <= {"ok", "OTP_USED", "MAX_RETRIES_EXCEEDED"}
    assert len(events(site, ada["user"]["id"], "ADDRESS_CHANGED")) == 1
    for told in (address, new):
        site.mailbox.wait_for_notices(told, 1)
        assert len(site.mailbox.notices_for(told)) == 1


def test_the_limits_are_those_of_every_request(make_site, engine, new_address):
    site = make_site(engine, limits_guesses_per_destination="2/1h")
    access = site.login(new_address())["access"]
    new = new_address()
    for _ in range(5):
        otp_id, code = asked(site, new, access)
    assert_problem(ask(site, new, access), 429, "RATE_LIMIT")

    for _ in range(2):
        assert_problem(redeem(site, otp_id, wrong(code), access), 400, "INVALID_OTP")
    assert_problem(redeem(site, otp_id, code, access), 429, "MAX_RETRIES_EXCEEDED")


def test_a_browser_changes_it_by_its_cookie_and_the_csrf_token(site, address, new_address):
    answer = site.verify(*site.request_code(address), session="cookie")
    cookie = next(part for part in answer.headers["Set-Cookie"].split(", ") if part.startswith("__Host-otpgate="))
    headers = {"Cookie": cookie.split(";")[0]}
    new = new_address()
    body = {"destination": new, "purpose": "change"}

    assert_problem(site.post(REQUEST, body, headers=headers), 403, "FORBIDDEN")
    headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    asked_for = site.post(REQUEST, body, headers=headers)
    assert asked_for.status_code == 202, asked_for.text
    done = site.post(VERIFY, {"destination": new, "otp": site.mailbox.wait_for(new), "purpose": "change"}, headers=headers)

    assert done.status_code == 200, done.text
    assert done.json()["user"]["email"] == new


def test_a_stale_credential_keeps_nobody_from_signing_in(site, address):
    otp_id, code = site.request_code(address)

    assert redeem(site, otp_id, code, "no token").status_code == 200


def test_older_clients_have_no_such_purpose(site, ada, new_address):
    answer = site.post("/api/auth/otp/request/", {"destination": new_address(), "purpose": "change"}, token=ada["access"])

    assert answer.status_code == 400
    assert answer.json()["code"] == "VALIDATION_ERROR"
    otp_id, code = asked(site, new_address(), ada["access"])
    answer = site.post("/api/auth/otp/verify/", {"otp_id": otp_id, "otp_code": code}, token=ada["access"])
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_OTP")
    assert me(site, ada["access"])["email"] == ada["user"]["email"]
