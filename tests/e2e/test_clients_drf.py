"""Clients of "drf-otp-auth" work unchanged, on both engines: bodies {email}, {email, otp},
{email, password} and {email, otp, password}, paths with a slash at their end, and `detail` in every answer."""
import datetime
import uuid

import pytest

from test_login_flow import assert_problem, verified_claims, wrong

AUTH = "/api/v1/auth"
PASSWORD = "correct horse battery staple"
OTHER = "quite another long phrase"
USER = {
    "id": str, "username": str, "email": str, "phone_number": type(None), "email_verified": bool, "phone_verified": bool,
    "first_name": str, "last_name": str, "locale": str, "role": str, "status": str, "date_joined": str,
    "last_login_at": (str, type(None)),
}
SENT = {"otp_id": str, "channel": str, "purpose": str, "destination_masked": str, "expires_in": int, "resend_in": int,
        "message": str, "detail": str}
SIGNED_IN = {"access": str, "refresh": str, "token_type": str, "expires_in": int, "session_id": str, "is_new_user": bool,
             "user": dict, "detail": str, "device_token": str}


def assert_body(answer, status, members):
    """Exactly these members, of these types, and a sentence as `detail`; returns the body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    body = answer.json()
    assert set(body) == set(members)
    for name, kind in members.items():
        assert isinstance(body[name], kind) and not (kind is int and isinstance(body[name], bool)), name
    if "detail" in members:
        assert body["detail"].endswith(".")
    return body


def assert_user(user, address):
    assert set(user) == set(USER)
    for name, kind in USER.items():
        assert isinstance(user[name], kind), name
    assert uuid.UUID(user["id"]).version == 7
    assert user["email"] == address
    assert (user["role"], user["status"]) == ("user", "active")
    datetime.datetime.fromisoformat(user["date_joined"].replace("Z", "+00:00"))


def register(site, address, **fields):
    """A user with a password, as it is shown before the code that came proves the address."""
    answer = site.post(f"{AUTH}/register/", {"email": address, "password": PASSWORD, **fields})
    body = assert_body(answer, 201, {"user": dict, "message": str, "detail": str, "otp_id": str, "expires_in": int,
                                     "resend_in": int})
    code = site.mailbox.wait_for(address)
    assert site.post(f"{AUTH}/otp/verify/", {"otp_id": body["otp_id"], "otp": code}).status_code == 200
    return body["user"], code


# Codes alone.

def test_a_code_by_email_alone(site, address):
    body = assert_body(site.post(f"{AUTH}/otp/request/", {"email": address}), 202, SENT)

    assert uuid.UUID(body["otp_id"]).version == 7
    assert (body["channel"], body["purpose"]) == ("email", "login")
    assert (body["expires_in"], body["resend_in"]) == (600, 30)


def test_a_login_by_email_and_otp(site, address):
    site.post(f"{AUTH}/otp/request/", {"email": address})

    answer = site.post(f"{AUTH}/otp/verify/", {"email": address, "otp": site.mailbox.wait_for(address)})

    body = assert_body(answer, 200, SIGNED_IN)
    assert (body["token_type"], body["expires_in"], body["is_new_user"]) == ("Bearer", 900, True)
    assert_user(body["user"], address)
    assert verified_claims(site, body["access"])["sub"] == body["user"]["id"]


@pytest.mark.parametrize("purpose, members", [
    ("register", {"verified_destination": str, "verification_token": str, "detail": str}),
    ("verify", {"verified": bool, "verified_destination": str, "detail": str}),
    ("reset", {"reset_token": str, "detail": str}),
])
def test_other_purposes_by_email_and_otp(site, address, purpose, members):
    site.login(address)
    assert_body(site.post(f"{AUTH}/otp/request/", {"email": address, "purpose": purpose}), 202, SENT)

    body = {"email": address, "otp": site.mailbox.wait_for(address), "purpose": purpose}

    assert_body(site.post(f"{AUTH}/otp/verify/", body), 200, members)


# Passwords.

def test_a_registration(site, address):
    user, _ = register(site, address, first_name="Ann", last_name="Lee")

    assert_user(user, address)
    assert (user["first_name"], user["last_name"], user["username"]) == ("Ann", "Lee", address)
    assert user["email_verified"] is False
    assert user["last_login_at"] is None


def test_a_registration_without_a_password(site, address):
    answer = site.post(f"{AUTH}/register/", {"email": address})

    members = {"user": dict, "message": str, "detail": str, "otp_id": str, "expires_in": int, "resend_in": int}
    assert_user(assert_body(answer, 201, members)["user"], address)


def test_a_login_by_email_and_password_then_email_and_otp(site, address):
    user, _ = register(site, address)

    sent = assert_body(site.post(f"{AUTH}/login/", {"email": address, "password": PASSWORD}), 202, SENT)
    assert sent["purpose"] == "login"
    answer = site.post(f"{AUTH}/login/otp-verify/", {"email": address, "otp": site.mailbox.wait_for(address)})

    body = assert_body(answer, 200, SIGNED_IN)
    assert body["is_new_user"] is False
    assert_user(body["user"], address)
    assert body["user"]["id"] == user["id"]
    assert body["user"]["email_verified"] is True
    assert sorted(verified_claims(site, body["access"])["amr"]) == ["otp", "pwd"]


def test_a_forgotten_password_by_email_then_email_otp_and_password(site, address):
    register(site, address)
    signed_in = site.login(address)

    assert_body(site.post(f"{AUTH}/forgot-password/", {"email": address}), 202, SENT)
    body = {"email": address, "otp": site.mailbox.wait_for(address), "password": OTHER}
    assert_body(site.post(f"{AUTH}/password-reset/", body), 200, {"message": str, "detail": str})

    assert site.get(f"{AUTH}/me/", token=signed_in["access"]).status_code == 401
    assert_problem(site.post(f"{AUTH}/login/", {"email": address, "password": PASSWORD}), 401, "INVALID_CREDENTIALS")
    assert site.post(f"{AUTH}/login/", {"email": address, "password": OTHER}).status_code == 202


def test_a_reset_by_token(site, address):
    register(site, address)
    site.post(f"{AUTH}/otp/request/", {"email": address, "purpose": "reset"})
    code = site.mailbox.wait_for(address)
    token = site.post(f"{AUTH}/otp/verify/", {"email": address, "otp": code, "purpose": "reset"}).json()["reset_token"]

    answer = site.post(f"{AUTH}/password-reset/", {"reset_token": token, "password": OTHER})

    assert_body(answer, 200, {"message": str, "detail": str})


def test_a_change_of_the_password(site, address):
    register(site, address)
    site.post(f"{AUTH}/login/", {"email": address, "password": PASSWORD})
    signed_in = site.post(f"{AUTH}/login/otp-verify/", {"email": address, "otp": site.mailbox.wait_for(address)})
    access = signed_in.json()["access"]

    body = {"current_password": PASSWORD, "new_password": OTHER}
    answer = site.post(f"{AUTH}/password-change/", body, token=access)

    assert_body(answer, 200, {"message": str, "detail": str})
    assert site.get(f"{AUTH}/me/", token=access).status_code == 200


# Their errors: a problem document has `detail` too.

@pytest.mark.parametrize("path, body, missing", [
    ("otp/request", {}, {"destination"}), ("otp/verify", {"email": "a@example.com"}, {"otp"}),
    ("otp/verify", {"otp": "123456"}, {"otp_id"}), ("register", {}, {"email"}),
    ("login", {"email": "a@example.com"}, {"password"}), ("login", {"password": PASSWORD}, {"email"}), ("login/otp-verify", {"email": "a@example.com"}, {"otp"}),
    ("forgot-password", {}, {"email"}), ("password-reset", {"email": "a@example.com", "otp": "123456"}, {"password"}),
    ("password-reset", {"email": "a@example.com", "password": OTHER}, {"otp"}),
])
def test_a_missing_field_is_named(site, path, body, missing):
    problem = assert_problem(site.post(f"{AUTH}/{path}/", body), 400, "MISSING_FIELDS")

    assert {error["field"] for error in problem["errors"]} == missing


@pytest.mark.parametrize("path, rest", [
    ("otp/request", {}), ("otp/verify", {"otp": "123456"}), ("register", {"password": PASSWORD}), ("login", {"password": PASSWORD}),
    ("login/otp-verify", {"otp": "123456"}), ("forgot-password", {}), ("password-reset", {"otp": "123456", "password": OTHER}),
])
@pytest.mark.parametrize("email", ["", "nobody", "a@b@c", 42, ["a@example.com"], "+1555000123"])
def test_a_bad_address_is_named(site, path, rest, email):
    problem = assert_problem(site.post(f"{AUTH}/{path}/", {"email": email, **rest}), 400, "VALIDATION_ERROR")

    assert problem["errors"][0]["field"] == "email"


def test_the_errors_of_a_code(site, address):
    site.post(f"{AUTH}/otp/request/", {"email": address})
    code = site.mailbox.wait_for(address)

    def verify(otp):
        return site.post(f"{AUTH}/login/otp-verify/", {"email": address, "otp": otp})

    assert assert_problem(verify(wrong(code)), 400, "INVALID_OTP")["attempts_remaining"] == 2
    assert verify(code).status_code == 200
    assert_problem(verify(code), 400, "OTP_USED")
    site.post(f"{AUTH}/otp/request/", {"email": address})
    code = site.mailbox.wait_for(address)
    for _ in range(3):
        verify(wrong(code))
    assert_problem(verify(code), 429, "MAX_RETRIES_EXCEEDED")


def test_a_wrong_password_and_an_unknown_user_are_told_the_same(site, new_address):
    known = new_address()
    register(site, known)
    answers = []
    for body in ({"email": known, "password": OTHER}, {"email": new_address(), "password": PASSWORD}):
        problem = assert_problem(site.post(f"{AUTH}/login/", body), 401, "INVALID_CREDENTIALS")
        del problem["request_id"]
        answers.append(problem)

    assert answers[0] == answers[1]


def test_too_many_requests(site, address):
    for _ in range(5):
        assert site.post(f"{AUTH}/otp/request/", {"email": address}).status_code == 202

    answer = site.post(f"{AUTH}/otp/request/", {"email": address})

    problem = assert_problem(answer, 429, "RATE_LIMIT")
    assert problem["retry_after"] == int(answer.headers["Retry-After"])


# The audit trail.

def test_the_audit_trail_in_pages(site, address):
    access = site.login(address)["access"]
    for _ in range(4):
        site.login(address)

    body = assert_body(site.get("/api/v1/audit/logs/?event=LOGIN_SUCCEEDED&page_size=2", token=access), 200,
                       {"count": int, "next": str, "previous": type(None), "results": list})

    assert body["count"] == 5
    assert len(body["results"]) == 2
    for row in body["results"]:
        assert set(row) >= {"id", "event", "user_id", "email", "destination", "ip_address", "user_agent", "request_id",
                            "metadata", "created_at"}
        assert (row["event"], row["email"]) == ("LOGIN_SUCCEEDED", address)
    second = site.get(body["next"].removeprefix(site.url), token=access).json()
    assert second["previous"] and second["next"] and len(second["results"]) == 2
    last = site.get(second["next"].removeprefix(site.url), token=access).json()
    assert last["next"] is None and len(last["results"]) == 1


def test_its_pages_hold_ten_at_first(site, address):
    logins = [site.login(address) for _ in range(5)]

    body = site.get("/api/v1/audit/logs/", token=logins[0]["access"]).json()

    assert body["count"] > 10
    assert len(body["results"]) == 10


@pytest.mark.parametrize(
    "path", ["/health/live/", "/health/ready/", "/health/otp/", "/api/openapi.json", "/api/docs/", "/api/redoc/"]
)
def test_what_operators_look_at_is_there(site, path):
    assert site.get(path).status_code == 200
