"""Another e-mail address or telephone number for an account: who may, what it does, and who is told; on both engines."""
import uuid

import pytest
from support.mailbox import text_of
from support.triggers import failing
from test_concurrency import at_once, outcomes
from test_login_flow import assert_problem, wrong

AUTH = "/api/v1/auth"
REQUEST = f"{AUTH}/address-change/request"
VERIFY = f"{AUTH}/address-change/verify"
OTP_REQUEST = f"{AUTH}/otp/request"
OTP_VERIFY = f"{AUTH}/otp/verify"
PURPOSES = ("login", "register", "verify", "reset")
QUARTER = 15 * 60 * 1_000_000  # of an hour, in microseconds


def ask(site, new, access=None, **fields):
    return site.post(REQUEST, {"destination": new, **fields}, token=access)


def asked(site, new, access, inbox=None):
    """(otp_id, code as it was mailed)"""
    answer = ask(site, new, access)
    assert answer.status_code == 202, answer.text
    assert answer.json()["purpose"] == "change"
    return answer.json()["otp_id"], (inbox or site.mailbox).wait_for(new)


def redeem(site, otp_id, code, access=None, **fields):
    return site.post(VERIFY, {"otp_id": otp_id, "otp": code, **fields}, token=access)


def redeem_by_address(site, new, code, access=None, **fields):
    return site.post(VERIFY, {"destination": new, "otp": code, **fields}, token=access)


def left_after_a_wrong_one(site, otp_id, code, access):
    return assert_problem(redeem(site, otp_id, wrong(code), access), 400, "INVALID_OTP")["attempts_remaining"]


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
    # Who has no name is shown by the address of today: the former one may be somebody else's tomorrow.
    assert body["user"]["username"] == new
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
        assert notice["Subject"] == "The address of your account at localhost was changed"
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


@pytest.mark.parametrize("field", ["destination", "email"])
def test_the_code_is_found_by_the_new_address_too(site, ada, new_address, field):
    new = new_address()
    assert site.post(REQUEST, {field: new}, token=ada["access"]).status_code == 202
    code = site.mailbox.wait_for(new)

    refused = site.post(VERIFY, {field: new, "otp": wrong(code)}, token=ada["access"])
    assert assert_problem(refused, 400, "INVALID_OTP")["attempts_remaining"] == 2
    answer = site.post(VERIFY, {field: new.upper(), "otp": code}, token=ada["access"])

    assert answer.status_code == 200, answer.text
    assert answer.json()["user"]["email"] == new
    assert me(site, ada["access"])["email"] == new
    # What is used up is told to who knows the code.
    assert_problem(redeem_by_address(site, new, code, ada["access"]), 400, "OTP_USED")
    assert_problem(redeem_by_address(site, new, wrong(code), ada["access"]), 400, "INVALID_OTP")


def test_a_number_is_found_by_itself_too(sms_site, address, number):
    ada = sms_site.login(address)
    assert sms_site.post(REQUEST, {"phone_number": number}, token=ada["access"]).status_code == 202

    body = {"phone_number": number, "otp": sms_site.phones.wait_for(number)}
    answer = sms_site.post(VERIFY, body, token=ada["access"])

    assert answer.status_code == 200, answer.text
    assert answer.json()["user"]["phone_number"] == number


def test_a_newer_code_voids_the_older_one(site, ada, new_address):
    new = new_address()
    otp_id, older = asked(site, new, ada["access"])
    _, newer = asked(site, new, ada["access"])

    assert_problem(redeem(site, otp_id, older, ada["access"]), 410, "OTP_EXPIRED")
    assert redeem_by_address(site, new, newer, ada["access"]).status_code == 200


def test_nobody_asks_or_redeems_without_a_session(site, ada, new_address):
    new = new_address()
    assert_problem(ask(site, new), 401, "UNAUTHENTICATED")
    assert_problem(ask(site, new, "no token"), 401, "INVALID_TOKEN")
    assert site.mailbox.messages_for(new) == []
    otp_id, code = asked(site, new, ada["access"])

    for access, problem in ((None, "UNAUTHENTICATED"), ("no token", "INVALID_TOKEN")):
        assert_problem(redeem(site, otp_id, code, access), 401, problem)
        assert_problem(redeem_by_address(site, new, code, access), 401, problem)
        # Not even what is wrong with a body.
        assert_problem(site.post(VERIFY, {}, token=access), 401, problem)
    assert redeem(site, otp_id, code, ada["access"]).status_code == 200


def test_an_ended_session_asks_and_redeems_nothing(site, ada, address, new_address):
    new = new_address()
    otp_id, code = asked(site, new, ada["access"])
    assert site.post(f"{AUTH}/logout", token=ada["access"]).status_code == 204

    assert_problem(redeem(site, otp_id, code, ada["access"]), 401, "INVALID_TOKEN")
    assert_problem(ask(site, new, ada["access"]), 401, "INVALID_TOKEN")
    # By another session of the same user it is as good as before.
    assert redeem(site, otp_id, code, site.login(address)["access"]).json()["user"]["email"] == new


def test_what_is_missing_or_wrong_is_named(site, ada, address):
    def names(path, body, code):
        problem = assert_problem(site.post(path, body, token=ada["access"]), 400, code)
        return [error["field"] for error in problem["errors"]]

    assert names(REQUEST, {}, "MISSING_FIELDS") == ["destination"]
    assert names(REQUEST, {"email": "ada"}, "VALIDATION_ERROR") == ["email"]
    assert names(VERIFY, {}, "MISSING_FIELDS") == ["otp_id", "otp"]
    assert names(VERIFY, {"destination": address}, "MISSING_FIELDS") == ["otp"]
    assert names(VERIFY, {"otp_id": "42", "otp": "1"}, "VALIDATION_ERROR") == ["otp_id", "otp"]


def test_a_session_whose_sign_in_is_old_may_not_ask(site, ada, new_address):
    session = uuid.UUID(ada["session_id"]).hex
    site.sql(f"UPDATE sessions SET authenticated_at_us = authenticated_at_us - {QUARTER} WHERE id = x'{session}'")
    new = new_address()

    problem = assert_problem(ask(site, new, ada["access"]), 403, "SIGN_IN_TOO_OLD")

    assert problem["detail"] == "For this, sign in again: the sign-in of this session is more than 15 minutes ago."
    # A new token of the old session proves nothing more.
    refreshed = site.post(f"{AUTH}/token/refresh", {"refresh": ada["refresh"]}).json()["access"]
    assert_problem(ask(site, new, refreshed), 403, "SIGN_IN_TOO_OLD")
    assert site.mailbox.messages_for(new) == []


def test_one_account_asks_for_so_many_and_no_more(make_site, engine, address, new_address):
    site = make_site(engine, limits_changes_per_account="10/1h")
    access = site.login(address)["access"]

    answers = [ask(site, new_address(), access).status_code for _ in range(10)]

    assert answers == [202] * 10
    refused = ask(site, new_address(), access)
    assert_problem(refused, 429, "RATE_LIMIT")
    assert '"changes_per_account"' in refused.headers["RateLimit"]
    # It is this account's limit, and of nothing else.
    assert ask(site, new_address(), site.login(new_address())["access"]).status_code == 202
    assert site.request_code(address)


def test_what_was_asked_for_in_time_is_redeemed_later_too(site, ada, new_address):
    new = new_address()
    otp_id, code = asked(site, new, ada["access"])
    session = uuid.UUID(ada["session_id"]).hex
    site.sql(f"UPDATE sessions SET authenticated_at_us = authenticated_at_us - {QUARTER} WHERE id = x'{session}'")

    assert redeem(site, otp_id, code, ada["access"]).json()["user"]["email"] == new


def test_the_code_comes_in_the_language_of_the_request_or_the_account(site, ada, new_address):
    assert site.request("PATCH", f"{AUTH}/profile", json={"locale": "de"}, token=ada["access"]).status_code == 200

    for fields, locale in (({}, "de"), ({"locale": "fr"}, "fr")):
        new = new_address()
        assert ask(site, new, ada["access"], **fields).status_code == 202
        html = site.mailbox.wait_for_message(new).get_body(("html",)).get_content()
        assert f'<html lang="{locale}"' in html


def test_a_code_is_good_for_the_user_who_asked_only(site, ada, eve, address, new_address):
    """Or whoever tricks a session into showing it would have the account."""
    new = new_address()
    otp_id, code = asked(site, new, eve["access"])

    # More than the tries of the code, and none of them one.
    for guess in (code, wrong(code), code, wrong(code)):
        problem = assert_problem(redeem(site, otp_id, guess, ada["access"]), 400, "INVALID_OTP")
        assert problem["attempts_remaining"] == 2
    # By its address it looks like one that is tried: that there is none is not told either.
    for guess, left in ((code, 2), (wrong(code), 1), (code, 0)):
        problem = assert_problem(redeem_by_address(site, new, guess, ada["access"]), 400, "INVALID_OTP")
        assert problem["attempts_remaining"] == left
    assert_problem(redeem_by_address(site, new, code, ada["access"]), 429, "MAX_RETRIES_EXCEEDED")

    assert me(site, ada["access"])["email"] == address
    assert left_after_a_wrong_one(site, otp_id, code, eve["access"]) == 2
    assert redeem(site, otp_id, code, eve["access"]).json()["user"]["email"] == new


def test_two_who_ask_for_the_same_address_have_codes_of_their_own(site, ada, eve, new_address):
    new = new_address()
    _, of_ada = asked(site, new, ada["access"])
    _, of_eve = asked(site, new, eve["access"])

    answer = redeem_by_address(site, new, of_ada, ada["access"])
    assert answer.status_code == 200, answer.text
    assert_problem(redeem_by_address(site, new, of_eve, eve["access"]), 409, "CONFLICT")

    assert me(site, ada["access"])["email"] == new
    assert me(site, eve["access"])["email"] == eve["user"]["email"]


def test_codes_of_other_purposes_change_nothing(site, ada, address, new_address):
    new = new_address()
    for purpose in ("login", "register", "verify"):
        otp_id = site.post(OTP_REQUEST, {"destination": new, "purpose": purpose}).json()["otp_id"]
        code = site.mailbox.wait_for(new)
        assert_problem(redeem(site, otp_id, code, ada["access"]), 400, "INVALID_OTP")
        assert_problem(redeem_by_address(site, new, code, ada["access"]), 400, "INVALID_OTP")
    otp_id, code = site.request_code(address)
    assert_problem(redeem(site, otp_id, code, ada["access"]), 400, "INVALID_OTP")

    assert me(site, ada["access"])["email"] == address
    # Nothing of it was a try.
    problem = assert_problem(site.verify(otp_id, wrong(code)), 400, "INVALID_OTP")
    assert problem["attempts_remaining"] == 2


@pytest.mark.parametrize("purpose", ["change", "login", "nonsense", 42])
def test_the_routes_have_one_purpose_and_read_none(site, ada, new_address, purpose):
    new = new_address()
    answer = ask(site, new, ada["access"], purpose=purpose)
    assert (answer.status_code, answer.json()["purpose"]) == (202, "change")

    answer = redeem(site, answer.json()["otp_id"], site.mailbox.wait_for(new), ada["access"], purpose=purpose)

    assert answer.status_code == 200, answer.text
    assert me(site, ada["access"])["email"] == new


@pytest.mark.parametrize("signed_in", [True, False])
def test_the_routes_for_other_codes_know_no_such_purpose(site, ada, new_address, signed_in):
    access = ada["access"] if signed_in else None
    new = new_address()

    asked_for = site.post(OTP_REQUEST, {"destination": new, "purpose": "change"}, token=access)
    by_id = {"otp_id": str(uuid.uuid4()), "otp": "123456", "purpose": "change"}
    by_address = {"destination": new, "otp": "123456", "purpose": "change"}

    for answer in (asked_for, *(site.post(OTP_VERIFY, body, token=access) for body in (by_id, by_address))):
        problem = assert_problem(answer, 400, "VALIDATION_ERROR")
        assert [error["field"] for error in problem["errors"]] == ["purpose"]
    assert site.mailbox.messages_for(new) == []


def test_to_the_routes_for_other_codes_there_is_no_such_code(site, ada, address, new_address):
    """Neither is it spent there, nor is a try at it counted, nor does a signed-in owner change that."""
    new = new_address()
    otp_id, code = asked(site, new, ada["access"])
    unknown = str(uuid.uuid4())

    for guess, left in ((code, 2), (wrong(code), 1)):
        bodies = [{"otp_id": otp_id, "otp": guess}, *({"otp_id": otp_id, "otp": guess, "purpose": p} for p in PURPOSES)]
        answers = [site.post(OTP_VERIFY, body, token=access) for body in bodies for access in (None, ada["access"])]
        answers += [
            site.post(f"{AUTH}/login/otp-verify", {"otp_id": otp_id, "otp": guess}),
            site.post(f"{AUTH}/password-reset", {"otp_id": otp_id, "otp": guess, "password": "a long new phrase"}),
            site.post(OTP_VERIFY, {"otp_id": unknown, "otp": guess}),
        ]
        problems = [assert_problem(answer, 400, "INVALID_OTP") for answer in answers]
        assert {problem.pop("request_id") for problem in problems} == {a.headers["X-Request-Id"] for a in answers}
        assert all(problem == problems[-1] for problem in problems)
        for purpose in PURPOSES:
            answer = site.post(OTP_VERIFY, {"destination": new, "otp": guess, "purpose": purpose})
            assert assert_problem(answer, 400, "INVALID_OTP")["attempts_remaining"] == left

    assert me(site, ada["access"])["email"] == address
    assert left_after_a_wrong_one(site, otp_id, code, ada["access"]) == 2
    assert redeem(site, otp_id, code, ada["access"]).json()["user"]["email"] == new


@pytest.mark.parametrize("how", ["body", "cookie"])
@pytest.mark.parametrize("by", ["id", "address"])
def test_a_device_token_does_no_harm(site, ada, new_address, how, by):
    """The code is its user's, whatever the device; on neither engine is it looked for among the device's codes."""
    new = new_address()
    token = ada["device_token"]
    fields = {"device_token": token} if how == "body" else {}
    headers = {"Cookie": f"__Host-otpgate-device={token}"} if how == "cookie" else {}
    answer = site.post(REQUEST, {"destination": new, **fields}, headers=headers, token=ada["access"])
    assert answer.status_code == 202, answer.text
    code = site.mailbox.wait_for(new)
    which = {"otp_id": answer.json()["otp_id"]} if by == "id" else {"destination": new}

    refused = site.post(VERIFY, {**which, "otp": wrong(code), **fields}, headers=headers, token=ada["access"])
    assert assert_problem(refused, 400, "INVALID_OTP")["attempts_remaining"] == 2
    answer = site.post(VERIFY, {**which, "otp": code, **fields}, headers=headers, token=ada["access"])

    assert answer.status_code == 200, answer.text
    assert me(site, ada["access"])["email"] == new


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


# A statement of a change that comes after the one that counts the guess.
LATER_STATEMENTS = {
    "address": ("UPDATE ON users", "NEW.email <> OLD.email"),
    "sessions": ("UPDATE ON sessions", "NEW.revoked_reason = 'address_changed'"),
    "audit": ("INSERT ON audit_events", "NEW.event = 'ADDRESS_CHANGED'"),
    "notice": ("INSERT ON outbox", "NEW.kind = 'address_changed'"),
}


@pytest.mark.parametrize("fails", LATER_STATEMENTS)
def test_a_change_that_fails_halfway_leaves_no_trace_and_the_code_is_good(site, ada, address, new_address, fails):
    new = new_address()
    elsewhere = site.login(address)
    otp_id, code = asked(site, new, ada["access"])
    before = me(site, ada["access"])

    with failing(site, *LATER_STATEMENTS[fails]):
        assert_problem(redeem(site, otp_id, code, ada["access"]), 503, "UNAVAILABLE")

    assert me(site, ada["access"]) == before
    assert me(site, elsewhere["access"]) is not None
    assert left_after_a_wrong_one(site, otp_id, code, ada["access"]) == 2
    assert redeem(site, otp_id, code, ada["access"]).json()["user"]["email"] == new
    assert me(site, elsewhere["access"]) is None
    # The old one of the other sign-in as well.
    for told, count in ((address, 2), (new, 1)):
        assert len(site.mailbox.wait_for_notices(told, count)) == count


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


def test_of_four_who_want_the_same_address_at_once_one_gets_it(site, new_address):
    new = new_address()
    users = [site.login(new_address()) for _ in range(4)]
    codes = [asked(site, new, user["access"]) for user in users]

    answers = at_once(4, lambda number: redeem(site, *codes[number], users[number]["access"]))

    assert outcomes(answers) == {"ok": 1, "CONFLICT": 3}
    has_it = [me(site, user["access"])["email"] == new for user in users]
    assert has_it == [answer.status_code == 200 for answer in answers]


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
    with_token = {**headers, "X-CSRF-Token": answer.json()["csrf_token"]}
    foreign = {**with_token, "Origin": "https://evil.example"}

    for forged in (headers, {**headers, "X-CSRF-Token": "guessed"}, foreign):
        assert_problem(site.post(REQUEST, {"destination": new}, headers=forged), 403, "FORBIDDEN")
    assert site.mailbox.messages_for(new) == []
    asked_for = site.post(REQUEST, {"destination": new}, headers=with_token)
    assert asked_for.status_code == 202, asked_for.text
    body = {"destination": new, "otp": site.mailbox.wait_for(new)}
    for forged in (headers, {**headers, "X-CSRF-Token": "guessed"}, foreign):
        assert_problem(site.post(VERIFY, body, headers=forged), 403, "FORBIDDEN")
    done = site.post(VERIFY, body, headers=with_token)

    assert done.status_code == 200, done.text
    assert done.json()["user"]["email"] == new


def test_a_stale_credential_keeps_nobody_from_signing_in(site, address):
    otp_id, code = site.request_code(address)

    assert site.post(OTP_VERIFY, {"otp_id": otp_id, "otp": code}, token="no token").status_code == 200


def test_older_clients_have_no_such_purpose(site, ada, new_address):
    new = new_address()
    answer = site.post("/api/auth/otp/request/", {"destination": new, "purpose": "change"}, token=ada["access"])
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")
    otp_id, code = asked(site, new, ada["access"])

    for body, problem in (
        ({"otp_id": otp_id, "otp_code": code}, "INVALID_OTP"),
        ({"destination": new, "otp_code": code}, "INVALID_OTP"),
        ({"destination": new, "otp_code": code, "purpose": "change"}, "VALIDATION_ERROR"),
    ):
        answer = site.post("/api/auth/otp/verify/", body, token=ada["access"])
        assert (answer.status_code, answer.json()["code"]) == (400, problem)
    assert me(site, ada["access"])["email"] == ada["user"]["email"]
    assert redeem(site, otp_id, code, ada["access"]).status_code == 200
