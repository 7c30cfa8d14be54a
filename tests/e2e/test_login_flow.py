"""The whole login, as a client library would do it, on both engines."""
import datetime
import json
import time
import uuid

import jwt
import pytest

from support import fastcgi, ports
from support.process import Process

AUTH = "/api/v1/auth"


def wrong(code):
    """Another code of the same length."""
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def assert_problem(answer, status, code):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["title"] and problem["detail"] and problem["type"]
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert answer.headers["Cache-Control"] == "no-store"
    return problem


def verified_claims(site, token):
    """The claims of an access token, checked with nothing but what is published."""
    keys = site.get("/.well-known/jwks.json").json()["keys"]
    header = jwt.get_unverified_header(token)
    assert header["alg"] == "ES256"
    key = next(key for key in keys if key["kid"] == header["kid"])
    assert (key["kty"], key["crv"]) == ("EC", "P-256")
    assert "d" not in key
    return jwt.decode(token, jwt.PyJWK.from_dict(key).key, algorithms=["ES256"], audience="otpgate", issuer=site.url)


def test_a_request_is_answered_with_what_the_client_needs_to_go_on(site, address):
    answer = site.post(f"{AUTH}/otp/request", {"destination": address})

    assert answer.status_code == 202
    body = answer.json()
    assert uuid.UUID(body["otp_id"]).version == 7
    assert body["channel"] == "email"
    assert body["purpose"] == "login"
    assert body["destination_masked"] == f"s{'*' * (len(address.split('@')[0]) - 2)}{address.split('@')[0][-1]}@example.com"
    assert body["expires_in"] == 600
    assert body["resend_in"] == 30
    # Clients of drf-otp-auth read the sentence as `detail`.
    assert body["message"] and body["detail"] == body["message"]
    assert set(body) == {
        "otp_id", "channel", "purpose", "destination_masked", "expires_in", "resend_in", "message", "detail"
    }
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-Id"]


def test_the_code_of_the_mail_logs_in_by_otp_id(site, address):
    otp_id, code = site.request_code(address)
    assert len(code) == 6 and code.isdigit()

    answer = site.verify(otp_id, code)

    assert answer.status_code == 200
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 900
    assert body["is_new_user"] is True
    assert body["access"] and body["refresh"]
    assert uuid.UUID(body["session_id"]).version == 7
    user = body["user"]
    assert set(user) >= {
        "id", "username", "email", "phone_number", "email_verified", "phone_verified", "first_name", "last_name",
        "locale", "role", "status", "date_joined", "last_login_at",
    }
    assert user["email"] == address
    assert user["email_verified"] is True
    assert user["phone_number"] is None
    assert user["phone_verified"] is False
    assert user["role"] == "user"
    assert user["status"] == "active"
    joined = datetime.datetime.fromisoformat(user["date_joined"].replace("Z", "+00:00"))
    assert user["date_joined"].endswith("Z")
    assert abs((datetime.datetime.now(datetime.timezone.utc) - joined).total_seconds()) < 60


@pytest.mark.parametrize("field", ["destination", "email"])
@pytest.mark.parametrize("code_field", ["otp", "otp_code", "code"])
def test_the_code_logs_in_by_address_under_each_name_of_the_fields(site, address, field, code_field):
    assert site.post(f"{AUTH}/otp/request", {field: address}).status_code == 202
    code = site.mailbox.wait_for(address)

    answer = site.post(f"{AUTH}/otp/verify", {field: address, code_field: code})

    assert answer.status_code == 200, answer.text
    assert answer.json()["user"]["email"] == address


def test_case_and_white_space_around_an_address_make_no_difference(site, address):
    assert site.post(f"{AUTH}/otp/request", {"destination": f"  {address.upper()} "}).status_code == 202
    code = site.mailbox.wait_for(address)

    assert site.post(f"{AUTH}/otp/verify", {"destination": address, "otp": code}).status_code == 200


def test_the_second_login_is_of_the_same_user(site, address):
    first = site.login(address)
    second = site.login(address)

    assert first["is_new_user"] is True
    assert second["is_new_user"] is False
    assert first["user"]["id"] == second["user"]["id"]
    assert first["session_id"] != second["session_id"]


def test_the_access_token_verifies_with_the_published_key(site, address):
    login = site.login(address)

    claims = verified_claims(site, login["access"])

    assert claims["sub"] == login["user"]["id"]
    assert claims["sid"] == login["session_id"]
    assert claims["token_type"] == "access"
    for name in ("exp", "iat", "nbf", "auth_time"):
        assert isinstance(claims[name], int), name
    assert claims["exp"] - claims["iat"] == 901  # iat is a second back, for verifiers whose clock is behind
    assert abs(claims["iat"] - time.time()) < 30
    assert claims["amr"] == ["otp"]
    assert claims["jti"]


def test_me_shows_the_user_of_the_token(site, address):
    login = site.login(address)

    answer = site.get(f"{AUTH}/me", token=login["access"])

    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == login["user"]["id"]
    assert answer.json()["user"]["email"] == address


def test_a_protected_route_without_a_token_says_how_to_authenticate(site):
    answer = site.get(f"{AUTH}/me")

    assert_problem(answer, 401, "UNAUTHENTICATED")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("change", ["signature", "payload", "alg_none", "garbage"])
def test_a_forged_token_is_refused(site, address, change):
    header, payload, signature = site.login(address)["access"].split(".")
    token = {
        "signature": f"{header}.{payload}.{'A' * len(signature)}",
        "payload": f"{header}.{payload[:-2]}AA.{signature}",
        "alg_none": jwt.encode(jwt.decode(f"{header}.{payload}.{signature}", options={"verify_signature": False}), None, "none"),
        "garbage": "not.a.token",
    }[change]

    answer = site.get(f"{AUTH}/me", token=token)

    assert_problem(answer, 401, "INVALID_TOKEN")
    assert "WWW-Authenticate" in answer.headers


def test_a_refresh_gives_new_tokens_for_the_same_session(site, address):
    login = site.login(address)

    answer = site.post(f"{AUTH}/token/refresh", {"refresh": login["refresh"]})

    assert answer.status_code == 200
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 900
    assert body["session_id"] == login["session_id"]
    assert body["refresh"] != login["refresh"]
    assert verified_claims(site, body["access"])["sid"] == login["session_id"]
    assert site.get(f"{AUTH}/me", token=body["access"]).status_code == 200


def test_the_predecessor_of_a_refresh_token_gets_the_same_successor_within_30_seconds(site, address):
    first = site.login(address)["refresh"]
    second = site.post(f"{AUTH}/token/refresh", {"refresh": first}).json()["refresh"]

    again = site.post(f"{AUTH}/token/refresh", {"refresh": first})

    assert again.status_code == 200
    assert again.json()["refresh"] == second
    # And the successor is as good as if nothing had been asked twice.
    assert site.post(f"{AUTH}/token/refresh", {"refresh": second}).status_code == 200


def test_a_refresh_token_older_than_the_predecessor_ends_the_session(site, address):
    login = site.login(address)
    second = site.post(f"{AUTH}/token/refresh", {"refresh": login["refresh"]}).json()["refresh"]
    third = site.post(f"{AUTH}/token/refresh", {"refresh": second}).json()

    assert_problem(site.post(f"{AUTH}/token/refresh", {"refresh": login["refresh"]}), 401, "TOKEN_REUSED")

    assert site.post(f"{AUTH}/token/refresh", {"refresh": third["refresh"]}).status_code == 401
    assert site.get(f"{AUTH}/me", token=third["access"]).status_code == 401


def test_a_refresh_token_that_was_never_issued_is_refused(site, address):
    refresh = site.login(address)["refresh"]

    for forged in ("x", refresh[:-4] + ("AAAA" if refresh[-4:] != "AAAA" else "BBBB"), refresh + "A", ""):
        assert site.post(f"{AUTH}/token/refresh", {"refresh": forged}).status_code in (400, 401), forged
    assert_problem(site.post(f"{AUTH}/token/refresh", {"refresh": "x" * 40}), 401, "INVALID_TOKEN")


def test_logout_ends_the_session_and_its_tokens(site, address):
    login = site.login(address)

    assert site.post(f"{AUTH}/logout", token=login["access"]).status_code in (200, 204)

    assert_problem(site.get(f"{AUTH}/me", token=login["access"]), 401, "INVALID_TOKEN")
    assert site.post(f"{AUTH}/token/refresh", {"refresh": login["refresh"]}).status_code == 401


def test_sessions_are_listed_and_ended_one_by_one(site, address):
    phone = site.login(address, device_name="Phone", platform="android", app_version="1.2", install_id="abc")
    laptop = site.login(address)

    listed = site.get(f"{AUTH}/sessions", token=laptop["access"])

    assert listed.status_code == 200
    sessions = listed.json()["sessions"]
    assert [session["id"] for session in sessions] == [laptop["session_id"], phone["session_id"]]
    assert [session["current"] for session in sessions] == [True, False]
    for session in sessions:
        assert set(session) >= {"id", "created_at", "last_seen_at", "ip", "user_agent", "device", "current"}
        assert session["ip"] == "127.0.0.1"
        assert session["user_agent"].startswith("python-requests/")
        assert session["created_at"].endswith("Z")

    assert site.request("DELETE", f"{AUTH}/sessions/{phone['session_id']}", token=laptop["access"]).status_code in (200, 204)

    assert site.get(f"{AUTH}/me", token=phone["access"]).status_code == 401
    left = site.get(f"{AUTH}/sessions", token=laptop["access"]).json()["sessions"]
    assert [session["id"] for session in left] == [laptop["session_id"]]


def test_nobody_ends_the_session_of_another_user(site, new_address):
    mine = site.login(new_address())
    theirs = site.login(new_address())

    answer = site.request("DELETE", f"{AUTH}/sessions/{theirs['session_id']}", token=mine["access"])

    assert_problem(answer, 404, "NOT_FOUND")
    assert site.get(f"{AUTH}/me", token=theirs["access"]).status_code == 200


def test_wrong_codes_count_down_and_then_even_the_right_one_is_refused(site, address):
    otp_id, code = site.request_code(address)

    for left in (2, 1, 0):
        problem = assert_problem(site.verify(otp_id, wrong(code)), 400, "INVALID_OTP")
        assert problem["attempts_remaining"] == left

    assert_problem(site.verify(otp_id, code), 429, "MAX_RETRIES_EXCEEDED")


def test_a_code_is_good_once(site, address):
    otp_id, code = site.request_code(address)
    assert site.verify(otp_id, code).status_code == 200

    assert_problem(site.verify(otp_id, code), 400, "OTP_USED")


def test_the_tries_that_are_left_do_not_tell_whether_there_is_a_code(site, new_address):
    asked, never = new_address(), new_address()
    code = site.request_code(asked)[1]

    def guesses(address):
        answers = [site.post(f"{AUTH}/otp/verify", {"email": address, "otp": wrong(code)}) for _ in range(5)]
        return [(a.status_code, a.json()["code"], a.json().get("attempts_remaining"), sorted(set(a.headers) - {"Date"}))
                for a in answers]

    found = guesses(asked)
    assert found == guesses(never)
    assert [left for _, _, left, _ in found] == [2, 1, 0, 0, 0]


@pytest.mark.one_process
def test_nor_do_they_where_several_processes_answer(make_site, engine, new_address):
    site = make_site(engine)
    socket = site.folder / "second.sock"
    second = Process("otpgate", site.otpgate.process.command, site.folder / "second.log",
                     {**site.otpgate.env, "OTPGATE_SERVER_LISTEN": f"unix:{socket}"})
    second.start()
    try:
        ports.wait_until(socket.exists, 15, "the second otpgate listens")
        asked, never = new_address(), new_address()
        code = site.request_code(asked)[1]

        def guesses(address):
            body = json.dumps({"email": address, "otp": wrong(code)}).encode()
            answers = [fastcgi.exchange(where, fastcgi.request("POST", f"{AUTH}/otp/verify", body))
                       for where in (site.otpgate.socket, socket) * 4]
            return [(answer.split(b"\r\n", 1)[0], json.loads(answer.rsplit(b"\r\n\r\n", 1)[1]).get("attempts_remaining"))
                    for answer in answers]

        assert guesses(asked) == guesses(never)
    finally:
        assert second.stop() == 0


def test_nor_does_a_spent_budget(make_site, engine, new_address):
    site = make_site(engine, limits_guesses_per_destination="2/1h")
    asked, never = new_address(), new_address()
    otp_id, code = site.request_code(asked)
    for _ in range(2):
        assert_problem(site.verify(otp_id, wrong(code)), 400, "INVALID_OTP")

    told = [site.post(f"{AUTH}/otp/verify", {"email": address, "otp": wrong(code)}) for address in (asked, never)]

    assert [answer.json()["attempts_remaining"] for answer in told] == [2, 2]
    # Who has the code is told why it is not taken.
    assert_problem(site.post(f"{AUTH}/otp/verify", {"email": asked, "otp": code}), 429, "MAX_RETRIES_EXCEEDED")


def test_an_unknown_otp_id_is_answered_like_a_wrong_code(site, address):
    otp_id, code = site.request_code(address)
    expected = assert_problem(site.verify(otp_id, wrong(code)), 400, "INVALID_OTP")

    unknown = assert_problem(site.verify("01890a5d-ac96-774b-bcce-b302099a8057", code), 400, "INVALID_OTP")

    del expected["request_id"], unknown["request_id"]
    assert unknown == expected


def test_an_address_that_never_asked_is_answered_like_a_wrong_code(site, new_address):
    address, code = new_address(), "123456"
    site.request_code(address)
    answers = []
    for who in (address, new_address()):
        problem = assert_problem(site.post(f"{AUTH}/otp/verify", {"destination": who, "otp": "12345"}), 400, "INVALID_OTP")
        del problem["request_id"]
        answers.append(problem)
    assert answers[0] == answers[1], code


def test_a_new_code_voids_the_older_one(site, address):
    older_id, older = site.request_code(address)
    newer_id, newer = site.request_code(address)
    assert newer_id != older_id

    refused = site.verify(older_id, older)
    assert refused.status_code in (400, 410), refused.text
    assert refused.json()["code"] in ("INVALID_OTP", "OTP_USED", "OTP_EXPIRED")

    assert site.verify(newer_id, newer).status_code == 200


def test_the_sixth_code_of_an_hour_is_refused_until_the_window_moves_on(site, address):
    for _ in range(5):
        answer = site.post(f"{AUTH}/otp/request", {"destination": address})
        assert answer.status_code == 202

    answer = site.post(f"{AUTH}/otp/request", {"destination": address})

    problem = assert_problem(answer, 429, "RATE_LIMIT")
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    assert problem["retry_after"] == int(answer.headers["Retry-After"])
    assert "r=0" in answer.headers["RateLimit"]
    assert "q=5" in answer.headers["RateLimit-Policy"] and "w=3600" in answer.headers["RateLimit-Policy"]


def test_a_client_address_gets_its_own_number_of_requests(make_site, new_address, engine):
    site = make_site(engine, limits_request_per_client="3/1h")
    for _ in range(3):
        assert site.post(f"{AUTH}/otp/request", {"destination": new_address()}, client_ip="192.0.2.1").status_code == 202

    assert_problem(
        site.post(f"{AUTH}/otp/request", {"destination": new_address()}, client_ip="192.0.2.1"), 429, "RATE_LIMIT"
    )
    assert site.post(f"{AUTH}/otp/request", {"destination": new_address()}, client_ip="192.0.2.2").status_code == 202


def test_an_expired_code_says_so(make_site, address, engine):
    site = make_site(engine, otp_email_lifetime="1s")
    otp_id, code = site.request_code(address)
    time.sleep(1.2)

    assert_problem(site.verify(otp_id, code), 410, "OTP_EXPIRED")


def test_sessions_and_users_survive_a_restart(make_site, address, engine):
    site = make_site(engine)
    login = site.login(address)

    site.otpgate.restart()

    assert site.get(f"{AUTH}/me", token=login["access"]).json()["user"]["id"] == login["user"]["id"]
    assert site.post(f"{AUTH}/token/refresh", {"refresh": login["refresh"]}).status_code == 200
    assert site.login(address)["is_new_user"] is False


def test_head_is_get_without_a_body(site):
    got, asked = site.get("/.well-known/jwks.json"), site.request("HEAD", "/.well-known/jwks.json")

    assert asked.status_code == got.status_code == 200
    assert asked.headers["Content-Type"] == got.headers["Content-Type"]
    assert asked.content == b""


def test_health_says_ready(site):
    assert site.get("/health/live").status_code == 200
    assert site.get("/health/ready").status_code == 200


def test_no_code_token_or_full_address_is_logged(site, address):
    otp_id, code = site.request_code(address)
    login = site.verify(otp_id, code).json()
    site.post(f"{AUTH}/token/refresh", {"refresh": login["refresh"]})

    log = site.otpgate.log()

    for secret in (code, login["access"], login["refresh"], address):
        assert f"={secret}" not in log and f'"{secret}' not in log and f" {secret}" not in log
    assert login["access"] not in log and login["refresh"] not in log and address not in log
