"""Clients that know telephone numbers only work unchanged, on both engines."""
import datetime
import time
import uuid

import pytest

from test_login_flow import assert_problem, verified_claims, wrong

SEND = "/api/auth/send-otp/"
VERIFY = "/api/auth/verify-otp/"
PROFILE = "/api/auth/profile/"
USER = {"id", "phone_number", "username", "first_name", "last_name", "is_phone_verified", "date_joined"}


def send(site, number):
    """The code as it arrives."""
    answer = site.post(SEND, {"phone_number": number})
    assert answer.status_code == 200, answer.text
    return site.phones.wait_for(number)


def verify(site, number, code, **fields):
    return site.post(VERIFY, {"phone_number": number, "otp_code": code, **fields})


def test_a_request_for_a_code(sms_site, number):
    answer = sms_site.post(SEND, {"phone_number": number})

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    assert answer.json() == {"message": "OTP sent successfully", "phone_number": number, "expires_in_minutes": 5}


@pytest.mark.parametrize("number", ["+1555000123", "+1234567890"])
def test_a_first_login(sms_site, number):
    answer = verify(sms_site, number, send(sms_site, number))

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"message", "user", "tokens", "is_new_user"}
    assert body["message"] == "Authentication successful"
    # The clients' own numbers: other tests may have signed in with them before.
    assert isinstance(body["is_new_user"], bool)
    assert set(body["tokens"]) == {"access", "refresh"}
    user = body["user"]
    assert set(user) == USER
    assert uuid.UUID(user["id"]).version == 7
    assert user["phone_number"] == number
    assert user["username"] == number
    assert user["first_name"] == ""
    assert user["last_name"] == ""
    assert user["is_phone_verified"] is True
    assert user["date_joined"].endswith("Z")
    datetime.datetime.fromisoformat(user["date_joined"].replace("Z", "+00:00"))
    assert verified_claims(sms_site, body["tokens"]["access"])["sub"] == user["id"]


def test_a_second_login_is_of_the_same_user(sms_site, number):
    first = verify(sms_site, number, send(sms_site, number)).json()
    second = verify(sms_site, number, send(sms_site, number)).json()

    assert first["is_new_user"] is True
    assert second["is_new_user"] is False
    assert second["user"] == first["user"]


def test_the_tokens_work_and_are_refreshed(sms_site, number):
    tokens = verify(sms_site, number, send(sms_site, number)).json()["tokens"]

    refreshed = sms_site.post("/api/v1/auth/token/refresh/", {"refresh": tokens["refresh"]})

    assert refreshed.status_code == 200
    for access in (tokens["access"], refreshed.json()["access"]):
        assert sms_site.get("/api/v1/auth/me", token=access).json()["user"]["phone_number"] == number


def test_the_profile_is_the_user(sms_site, number):
    signed_in = verify(sms_site, number, send(sms_site, number)).json()

    answer = sms_site.get(PROFILE, token=signed_in["tokens"]["access"])

    assert answer.status_code == 200
    assert answer.json() == {"user": signed_in["user"]}


def test_the_profile_shows_what_was_changed(sms_site, number):
    access = verify(sms_site, number, send(sms_site, number)).json()["tokens"]["access"]
    changed = sms_site.request("PATCH", "/api/v1/auth/profile", json={"first_name": "Ann", "last_name": "Lee"}, token=access)
    assert changed.status_code == 200

    user = sms_site.get(PROFILE, token=access).json()["user"]

    assert (user["first_name"], user["last_name"], user["username"]) == ("Ann", "Lee", number)


def test_the_profile_needs_a_token(sms_site):
    assert_problem(sms_site.get(PROFILE), 401, "UNAUTHENTICATED")
    assert_problem(sms_site.get(PROFILE, token="nonsense"), 401, "INVALID_TOKEN")


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_trailing_slash_makes_no_difference(sms_site, number, slash):
    assert sms_site.post(SEND.rstrip("/") + slash, {"phone_number": number}).status_code == 200
    code = sms_site.phones.wait_for(number)
    done = sms_site.post(VERIFY.rstrip("/") + slash, {"phone_number": number, "otp_code": code})
    assert done.status_code == 200
    assert sms_site.get(PROFILE.rstrip("/") + slash, token=done.json()["tokens"]["access"]).status_code == 200


@pytest.mark.parametrize("path", [SEND, VERIFY])
@pytest.mark.parametrize(
    "value", ["", "1555000123", "+0155500012", "+15550001234567890", "a@example.com", 1555000123, "+1555;0123"]
)
def test_what_is_no_number_is_named(sms_site, path, value):
    problem = assert_problem(sms_site.post(path, {"phone_number": value, "otp_code": "123456"}), 400, "VALIDATION_ERROR")

    assert problem["errors"][0]["field"] == "phone_number"


@pytest.mark.parametrize("path, body, missing", [
    (SEND, {}, ["phone_number"]), (VERIFY, {"phone_number": "+1555000199"}, ["otp"]),
    (VERIFY, {"otp_code": "123456"}, ["phone_number"]), (VERIFY, {}, ["otp", "phone_number"]),
])
def test_a_missing_field_is_named(sms_site, path, body, missing):
    problem = assert_problem(sms_site.post(path, body), 400, "MISSING_FIELDS")

    assert sorted(error["field"] for error in problem["errors"]) == missing


def test_wrong_codes_count_down_and_then_even_the_right_one_is_refused(sms_site, number):
    code = send(sms_site, number)

    for left in (2, 1, 0):
        problem = assert_problem(verify(sms_site, number, wrong(code)), 400, "INVALID_OTP")
        assert problem["attempts_remaining"] == left

    answer = verify(sms_site, number, code)
    assert_problem(answer, 429, "MAX_RETRIES_EXCEEDED")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_code_is_good_once(sms_site, number):
    code = send(sms_site, number)
    assert verify(sms_site, number, code).status_code == 200

    assert_problem(verify(sms_site, number, code), 400, "OTP_USED")


def test_a_number_that_never_asked_is_answered_like_a_wrong_code(sms_site, new_number):
    number = new_number()
    code = send(sms_site, number)
    answers = []
    for who in (number, new_number()):
        problem = assert_problem(verify(sms_site, who, wrong(code)), 400, "INVALID_OTP")
        del problem["request_id"]
        answers.append(problem)

    assert answers[0] == answers[1]


def test_a_late_code(make_site, engine, number):
    site = make_site(engine, sms_transport="file", otp_sms_lifetime="1s")
    code = send(site, number)
    time.sleep(1.2)

    assert_problem(verify(site, number, code), 410, "OTP_EXPIRED")


def test_the_sixth_request_of_an_hour_is_refused(sms_site, number):
    for _ in range(5):
        assert sms_site.post(SEND, {"phone_number": number}).status_code == 200

    answer = sms_site.post(SEND, {"phone_number": number})

    assert_problem(answer, 429, "RATE_LIMIT")
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600


def test_a_new_code_voids_the_older_one(sms_site, number):
    older, newer = send(sms_site, number), send(sms_site, number)

    if older != newer:
        assert_problem(verify(sms_site, number, older), 400, "INVALID_OTP")
    assert verify(sms_site, number, newer).status_code == 200


def test_unknown_and_disabled_accounts_are_named_where_that_is_wanted(make_site, engine, new_number):
    site = make_site(engine, sms_transport="file", otp_auto_register="false", accounts_reveal="true")
    unknown, disabled, active = new_number(), new_number(), new_number()
    for number in (disabled, active):
        assert site.otpgate.run("user", "create", "--phone", number).returncode == 0
    assert site.otpgate.run("user", "disable", disabled).returncode == 0

    assert_problem(site.post(SEND, {"phone_number": unknown}), 404, "USER_NOT_FOUND")
    assert_problem(site.post(SEND, {"phone_number": disabled}), 403, "ACCOUNT_DISABLED")
    signed_in = verify(site, active, send(site, active)).json()
    assert signed_in["is_new_user"] is False


def test_without_an_sms_provider_the_field_is_named(site, number):
    for path in (SEND, VERIFY):
        problem = assert_problem(site.post(path, {"phone_number": number, "otp_code": "123456"}), 400, "VALIDATION_ERROR")
        assert [error["field"] for error in problem["errors"]] == ["phone_number"]
