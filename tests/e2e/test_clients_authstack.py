"""Clients of "authstack" work unchanged, on both engines."""
import time
import uuid

import pytest

from test_login_flow import verified_claims, wrong

REQUEST = "/api/auth/otp/request/"
VERIFY = "/api/auth/otp/verify/"


def request_code(site, destination, **fields):
    """(otp_id, code as it was sent)"""
    answer = site.post(REQUEST, {"destination": destination, **fields})
    assert answer.status_code == 200, answer.text
    inbox = site.phones if destination.startswith("+") else site.mailbox
    return answer.json()["otp_id"], inbox.wait_for(destination)


def verify(site, otp_id, code, **fields):
    return site.post(VERIFY, {"otp_id": otp_id, "otp_code": code, **fields})


def assert_error(answer, status, code, message=None):
    """{code, message} and nothing else."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    assert answer.headers["X-Request-Id"]
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert set(body) == {"code", "message"}
    assert body["code"] == code
    assert isinstance(body["message"], str) and body["message"]
    if message is not None:
        assert body["message"] == message


def test_a_request_for_an_email_code(sms_site, address):
    answer = sms_site.post(REQUEST, {"destination": address})

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    body = answer.json()
    assert set(body) == {"message", "otp_id", "expires_in", "destination_masked"}
    assert body["message"] == "OTP sent to email"
    assert uuid.UUID(body["otp_id"]).version == 7
    assert body["expires_in"] == 600
    local, domain = address.split("@")
    assert body["destination_masked"] == f"{local[0]}{'*' * (len(local) - 2)}{local[-1]}@{domain}"


def test_a_request_for_an_sms_code(sms_site):
    answer = sms_site.post(REQUEST, {"destination": "+1234567890", "purpose": "login"})
    sms_site.phones.wait_for("+1234567890")  # or the next test with this number finds it

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"message", "otp_id", "expires_in", "destination_masked"}
    assert body["message"] == "OTP sent to phone"
    assert body["expires_in"] == 300
    assert body["destination_masked"] == "+12*****890"


@pytest.mark.parametrize("number", ["+1555000123", "+12", "+999999999999999"])
def test_every_e164_number_gets_a_code_that_logs_in(sms_site, number):
    assert verify(sms_site, *request_code(sms_site, number)).status_code == 200


def test_a_login_by_email(sms_site, address):
    answer = verify(sms_site, *request_code(sms_site, address))

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"access", "refresh", "session_id", "expires_in", "user"}
    assert body["expires_in"] == 900
    assert uuid.UUID(body["session_id"]).version == 7
    user = body["user"]
    assert set(user) == {"id", "username", "email", "email_verified", "phone_verified"}
    assert uuid.UUID(user["id"]).version == 7
    assert user["username"] == address
    assert user["email"] == address
    assert user["email_verified"] is True
    assert user["phone_verified"] is False
    assert verified_claims(sms_site, body["access"])["sub"] == user["id"]
    assert sms_site.get("/api/v1/auth/me", token=body["access"]).json()["user"]["id"] == user["id"]
    assert sms_site.post("/api/v1/auth/token/refresh", {"refresh": body["refresh"]}).json()["session_id"] == body["session_id"]


def test_a_login_by_sms(sms_site, number):
    user = verify(sms_site, *request_code(sms_site, number)).json()["user"]

    assert set(user) == {"id", "username", "email", "email_verified", "phone_verified"}
    assert user["username"] == number
    assert user["email"] is None
    assert user["email_verified"] is False
    assert user["phone_verified"] is True


def test_what_a_client_tells_of_itself_is_shown_with_the_session(sms_site, address):
    device = {"install_id": "9f1c", "platform": "ios", "app_version": "4.2.0"}
    access = verify(sms_site, *request_code(sms_site, address), **device).json()["access"]

    [session] = sms_site.get("/api/v1/auth/sessions", token=access).json()["sessions"]

    assert session["device"] == {**device, "device_name": None}


def test_a_registration_gets_a_token_that_registers(sms_site, address):
    answer = verify(sms_site, *request_code(sms_site, address, purpose="register"))

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"message", "verified_destination", "verification_token"}
    assert body["message"] == "OTP verified"
    assert body["verified_destination"] == address
    made = sms_site.post(
        "/api/v1/auth/register", {"email": address, "verification_token": body["verification_token"]}
    )
    assert made.status_code == 201, made.text
    assert made.json()["user"]["email_verified"] is True


@pytest.mark.parametrize("purpose", ["verify", "reset"])
def test_other_purposes_say_that_the_code_was_right(sms_site, address, purpose):
    sms_site.login(address)

    answer = verify(sms_site, *request_code(sms_site, address, purpose=purpose))

    assert answer.status_code == 200
    assert answer.json() == {"message": "OTP verified successfully"}


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_trailing_slash_makes_no_difference(sms_site, address, slash):
    asked = sms_site.post(REQUEST.rstrip("/") + slash, {"destination": address})
    assert asked.status_code == 200

    code = sms_site.mailbox.wait_for(address)

    done = sms_site.post(VERIFY.rstrip("/") + slash, {"otp_id": asked.json()["otp_id"], "otp_code": code})
    assert done.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {}, {"destination": None}, {"destination": ""}, {"destination": "nobody"}, {"destination": "+0123456"},
        {"destination": 4912345}, {"destination": ["a@example.com"]}, {"destination": "a@example.com", "purpose": "buy"},
        {"destination": "a@example.com\r\nBcc: b@example.com"},
    ],
)
def test_a_request_that_cannot_be_understood(sms_site, body):
    assert_error(sms_site.post(REQUEST, body), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "data, kind",
    [
        (b"", "application/json"), (b"{", "application/json"), (b"[]", "application/json"),
        (b"destination=a%40example.com", "application/x-www-form-urlencoded"),
    ],
)
@pytest.mark.parametrize("path", [REQUEST, VERIFY])
def test_a_body_that_cannot_be_read(sms_site, path, data, kind):
    answer = sms_site.request("POST", path, data=data, headers={"Content-Type": kind})

    assert_error(answer, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "change",
    [{"otp_id": None}, {"otp_code": None}, {"otp_id": "42"}, {"otp_id": 42}, {"otp_code": 123456}, {"otp_code": ""}],
)
def test_an_answer_that_cannot_be_understood(sms_site, change):
    body = {"otp_id": "01890a5d-ac96-774b-bcce-b302099a8057", "otp_code": "123456", **change}

    assert_error(sms_site.post(VERIFY, body), 400, "VALIDATION_ERROR")


def test_a_wrong_code_and_too_many_of_them(sms_site, address):
    otp_id, code = request_code(sms_site, address)

    for _ in range(3):
        assert_error(verify(sms_site, otp_id, wrong(code)), 400, "INVALID_OTP", "Invalid OTP")

    assert_error(verify(sms_site, otp_id, code), 400, "INVALID_OTP", "Too many attempts")


def test_an_unknown_otp_id_is_a_wrong_code(sms_site):
    answer = verify(sms_site, "01890a5d-ac96-774b-bcce-b302099a8057", "123456")

    assert_error(answer, 400, "INVALID_OTP", "Invalid OTP")


def test_a_code_is_good_once(sms_site, address):
    otp_id, code = request_code(sms_site, address)
    assert verify(sms_site, otp_id, code).status_code == 200

    assert_error(verify(sms_site, otp_id, code), 400, "INVALID_OTP", "OTP already used")


def test_a_late_code(make_site, engine, address):
    site = make_site(engine, otp_email_lifetime="1s")
    otp_id, code = request_code(site, address)
    time.sleep(1.2)

    assert_error(verify(site, otp_id, code), 400, "INVALID_OTP", "OTP expired")


def test_a_spent_guess_budget_is_too_many_attempts(make_site, engine, address):
    site = make_site(engine, limits_guesses_per_destination="1/1h")
    otp_id, code = request_code(site, address)
    assert_error(verify(site, otp_id, wrong(code)), 400, "INVALID_OTP", "Invalid OTP")

    assert_error(verify(site, otp_id, code), 400, "INVALID_OTP", "Too many attempts")


def test_the_sixth_request_of_an_hour_is_told_when_to_come_back(sms_site, address):
    for _ in range(5):
        assert sms_site.post(REQUEST, {"destination": address}).status_code == 200

    answer = sms_site.post(REQUEST, {"destination": address})

    assert_error(answer, 429, "RATE_LIMIT")
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600


def test_unknown_and_disabled_accounts_are_named_where_that_is_wanted(make_site, engine, new_address):
    site = make_site(engine, otp_auto_register="false", accounts_reveal="true")
    unknown, disabled, active = new_address(), new_address(), new_address()
    for address in (disabled, active):
        assert site.otpgate.run("user", "create", "--email", address).returncode == 0
    assert site.otpgate.run("user", "disable", disabled).returncode == 0

    assert_error(site.post(REQUEST, {"destination": unknown}), 404, "USER_NOT_FOUND")
    assert_error(site.post(REQUEST, {"destination": disabled}), 403, "ACCOUNT_DISABLED")
    assert verify(site, *request_code(site, active)).status_code == 200
    # For a registration it is the other way round.
    assert site.post(REQUEST, {"destination": unknown, "purpose": "register"}).status_code == 200


def test_an_account_that_is_disabled_after_the_code_was_sent_is_not_signed_in(make_site, engine, address):
    site = make_site(engine, accounts_reveal="true")
    site.login(address)
    otp_id, code = request_code(site, address)
    assert site.otpgate.run("user", "disable", address).returncode == 0

    assert_error(verify(site, otp_id, code), 403, "ACCOUNT_DISABLED")


def test_unknown_and_disabled_accounts_look_like_others_by_default(make_site, engine, new_address):
    site = make_site(engine, otp_auto_register="false")
    unknown, disabled = new_address(), new_address()
    assert site.otpgate.run("user", "create", "--email", disabled).returncode == 0
    assert site.otpgate.run("user", "disable", disabled).returncode == 0

    for address in (unknown, disabled):
        answer = site.post(REQUEST, {"destination": address})
        assert answer.status_code == 200
        assert set(answer.json()) == {"message", "otp_id", "expires_in", "destination_masked"}
    time.sleep(1)
    assert site.mailbox.messages() == []
