"""The verification service: stateless contexts, counted attempts; on both engines."""
import json
import re
import time

import pytest

from support.keys import Backend, make_key
from support.ports import wait_until
from test_concurrency import at_once, outcomes
from test_login_flow import assert_problem

START = "/api/v1/verifications"
CHECK = "/api/v1/verifications/check"


@pytest.fixture(scope="session")
def owner(site, new_session_address):
    return Backend(site, new_session_address, "verify", "verify:caller")


@pytest.fixture(scope="session")
def new_session_address():
    return "owner-of-keys@example.com"


@pytest.fixture(scope="session", autouse=True)
def aging(owner):
    """Started before all else, for the last tests: when that was, and contexts with the shortest windows."""
    begin = time.monotonic()
    return begin, [owner.start_told("late@example.com", expires_in=30, session_expires_in=60) for _ in range(2)]


def wrong(code):
    return code[:-1] + ("3" if code[-1] == "2" else "2")


def assert_refused(answer, status, code):
    problem = assert_problem(answer, status, code)
    assert problem["error_code"] == code
    assert problem["error"] == problem["detail"]
    return problem


def assert_verified(answer):
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "verified"
    return answer.json()


def test_a_mailed_code_verifies(site, owner, address):
    answer = owner.post(START, {"to": address, "purpose": "checkout", "metadata": {"cart": [1, 2.50, None], "ü": {"x": True}}})

    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert set(body) == {"message", "context", "expires_in", "session_expires_in"}
    assert (body["expires_in"], body["session_expires_in"]) == (300, 900)
    assert address not in body["message"]
    assert re.fullmatch(r"[A-Za-z0-9_-]+", body["context"])
    assert answer.headers["RateLimit"] and answer.headers["RateLimit-Policy"]
    code = site.mailbox.wait_for(address)
    assert len(code) == 6 and code.isdigit()

    found = assert_verified(owner.check(body["context"], code))

    assert found == {"status": "verified", "identifier": address, "purpose": "checkout",
                     "metadata": {"cart": [1, 2.5, None], "ü": {"x": True}}, "retry_count": 0}


def test_a_code_by_sms_verifies(sms_site, new_address, number):
    backend = Backend(sms_site, new_address(), "verify")
    context = backend.start(number, alphabet="letters", length=8)["context"]
    code = sms_site.phones.wait_for(number)
    assert re.fullmatch(r"[2-9A-HJKMNP-TV-Z]{8}", code)
    assert assert_verified(backend.check(context, code))["identifier"] == number


def test_the_caller_may_deliver_the_code_itself(owner, address):
    body = owner.start("  +15550001234 ", deliver="caller")
    assert set(body) == {"message", "context", "expires_in", "session_expires_in", "otp"}

    found = assert_verified(owner.check(body["context"], body["otp"]))

    assert found["identifier"] == "+15550001234"
    assert (found["purpose"], found["metadata"], found["retry_count"]) == ("verify", {}, 0)


def test_nothing_is_sent_or_told_where_the_caller_delivers(make_site, engine):
    site = make_site(engine)
    backend = Backend(site, "quiet@example.com", "verify:caller")
    before = site.get("/api/v1/audit/logs", token=backend.access).json()["count"]
    mails = len(site.mailbox.messages())

    for _ in range(10):  # and no limit of the destination is spent
        backend.start_told("someone@example.com")

    assert site.get("/api/v1/audit/logs", token=backend.access).json()["count"] == before
    time.sleep(0.3)
    assert len(site.mailbox.messages()) == mails


@pytest.mark.parametrize("fields, pattern", [
    ({"length": 4}, r"\d{4}"), ({"length": 10}, r"\d{10}"), ({"alphabet": "digits"}, r"\d{6}"),
    ({"alphabet": "letters"}, r"[2-9A-HJKMNP-TV-Z]{6}"), ({"alphabet": "letters", "length": 10}, r"[2-9A-HJKMNP-TV-Z]{10}"),
])
def test_codes_of_every_form_are_mailed_and_verify(owner, address, fields, pattern):
    context, code = owner.start_mailed(address, **fields)
    assert re.fullmatch(pattern, code)
    assert_verified(owner.check(context, code.lower()))


def test_a_wrong_code_costs_an_attempt_and_gives_the_next_context(owner, address):
    context, code = owner.start_told(address)

    first = assert_refused(owner.check(context, wrong(code)), 400, "INVALID_OTP")
    assert first["attempts_remaining"] == 2
    assert first["context"] != context
    second = assert_refused(owner.check(first["context"], wrong(code)), 400, "INVALID_OTP")
    assert second["attempts_remaining"] == 1
    assert len({context, first["context"], second["context"]}) == 3

    assert assert_verified(owner.check(second["context"], code))["retry_count"] == 2


def test_an_old_context_buys_back_no_attempt(owner, address):
    context, code = owner.start_told(address)
    newer = context
    for left in (2, 1, 0):
        problem = assert_refused(owner.check(newer, wrong(code)), 400, "INVALID_OTP")
        assert problem["attempts_remaining"] == left
        newer = problem["context"]

    for spent in (context, newer):
        refused = owner.check(spent, code)
        assert_refused(refused, 429, "MAX_RETRIES_EXCEEDED")
        assert int(refused.headers["Retry-After"]) > 0


def test_the_first_context_alone_has_no_more_attempts_either(owner, address):
    context, code = owner.start_told(address, max_retries=2)
    assert [owner.check(context, wrong(code)).status_code for _ in range(3)] == [400, 400, 429]
    assert_refused(owner.check(context, code), 429, "MAX_RETRIES_EXCEEDED")


def test_a_context_is_good_once(owner, address):
    context, code = owner.start_told(address)
    assert_verified(owner.check(context, code))
    assert_refused(owner.check(context, code), 400, "OTP_USED")
    assert_refused(owner.check(context, wrong(code)), 400, "OTP_USED")


def test_an_older_context_of_one_that_was_used_is_used(owner, address):
    context, code = owner.start_told(address)
    newer = owner.check(context, wrong(code)).json()["context"]
    assert_verified(owner.check(newer, code))
    assert_refused(owner.check(context, code), 400, "OTP_USED")


def test_of_16_concurrent_right_checks_one_wins(owner, address):
    context, code = owner.start_told(address)
    assert outcomes(at_once(16, lambda _: owner.check(context, code))) == {"ok": 1, "OTP_USED": 15}


def test_of_16_concurrent_wrong_checks_3_are_compared(owner, address):
    context, code = owner.start_told(address)
    answers = at_once(16, lambda _: owner.check(context, wrong(code)))
    assert outcomes(answers) == {"INVALID_OTP": 3, "MAX_RETRIES_EXCEEDED": 13}
    assert sorted(answer.json()["attempts_remaining"] for answer in answers if answer.status_code == 400) == [0, 1, 2]


def test_wrong_guesses_at_one_destination_are_10_an_hour_however_many_contexts(owner, address):
    for _ in range(10):
        context, code = owner.start_told(address, max_retries=10)
        assert_refused(owner.check(context, wrong(code)), 400, "INVALID_OTP")

    context, code = owner.start_told(address)
    refused = owner.check(context, code)
    assert_refused(refused, 429, "MAX_RETRIES_EXCEEDED")
    assert int(refused.headers["Retry-After"]) > 30
    assert "RateLimit" in refused.headers


def test_100_concurrent_guesses_are_compared_10_times(owner, address):
    told = [owner.start_told(address, max_retries=10) for _ in range(10)]
    answers = [a for ten in at_once(10, lambda n: [owner.check(told[n][0], wrong(told[n][1])) for _ in range(10)]) for a in ten]
    assert outcomes(answers) == {"INVALID_OTP": 10, "MAX_RETRIES_EXCEEDED": 90}


def test_the_budget_of_one_owner_is_not_anothers(site, owner, address, new_address):
    other = Backend(site, new_address(), "verify:caller")
    for _ in range(10):
        context, code = other.start_told(address)
        other.check(context, wrong(code))
    assert_verified(owner.check(*owner.start_told(address)))


def test_5_codes_an_hour_are_sent_to_a_destination(owner, address):
    answers = at_once(12, lambda _: owner.post(START, {"to": address}))
    assert outcomes(answers) == {"ok": 5, "RATE_LIMIT": 7}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert_refused(refused, 429, "RATE_LIMIT")
    assert int(refused.headers["Retry-After"]) > 0
    # Whoever asks and by whatever way: it is one limit.
    asked = owner.site.post("/api/v1/auth/otp/request", {"destination": address})
    assert_problem(asked, 429, "RATE_LIMIT")


def test_one_address_gets_5_codes_an_hour_from_all_ways_together(site, address, new_address):
    owners = [Backend(site, new_address(), "verify") for _ in range(3)]
    access = site.login(new_address())["access"]
    auth = "/api/v1/auth"
    ways = [
        lambda: owners[0].post(START, {"to": address}),
        lambda: owners[1].post(START, {"to": address}),
        lambda: site.post(f"{auth}/otp/request", {"destination": address}),
        lambda: site.post(f"{auth}/register", {"email": address}),
        lambda: site.post(f"{auth}/address-change/request", {"destination": address}, token=access),
        lambda: owners[2].post(START, {"to": address}),
        lambda: site.post(f"{auth}/forgot-password", {"email": address}),
        lambda: site.post("/api/auth/otp/request/", {"destination": address}),
    ]

    answers = [way() for way in ways]

    assert [answer.status_code for answer in answers] == [201, 201, 202, 201, 202, 429, 429, 429]
    wait_until(lambda: len(site.mailbox.messages_for(address)) == 5, 10, "five messages")


def test_the_applications_of_one_owner_have_a_budget_together(make_site, engine, new_address):
    site = make_site(engine, limits_verifications_per_account="20/1h")
    owner = Backend(site, new_address(), "verify", "verify:caller")
    second = make_key(site, owner.access, "verify")["key"]

    answers = at_once(24, lambda number: site.post(
        START, {"to": f"somebody-{number}@example.com"}, headers={"X-API-Key": owner.key if number % 2 else second}))

    assert outcomes(answers) == {"ok": 20, "RATE_LIMIT": 4}
    refused = owner.post(START, {"to": "another@example.com", "deliver": "caller"})
    assert_refused(refused, 429, "RATE_LIMIT")
    assert '"verifications_per_account"' in refused.headers["RateLimit"]
    assert Backend(site, new_address(), "verify").start("another@example.com")


def test_where_administrators_alone_have_keys_nobody_else_sends(make_site, engine, new_address):
    site = make_site(engine, start=False)
    del site.settings["api_keys.allowed"]
    site.otpgate.write_config()
    site.start()
    admin, user = new_address(), new_address()
    signed_in = {who: site.login(who) for who in (admin, user)}
    assert site.otpgate.run("user", "make-admin", admin).returncode == 0
    assert "api_keys.allowed = admins" in site.otpgate.run("check-config").stdout
    assert "api_keys.allowed = admins" in site.otpgate.log()

    refused = site.post("/api/v1/api-keys", {"name": "x", "scopes": ["verify"]}, token=signed_in[user]["access"])

    assert "administrators" in assert_problem(refused, 403, "FORBIDDEN")["detail"]
    key = make_key(site, signed_in[admin]["access"], "verify", "verify:caller")["key"]

    def start(**fields):
        return site.post(START, {"to": new_address(), **fields}, headers={"X-API-Key": key})

    assert start().status_code == 201
    # A key is worth what its owner is when it is used.
    assert site.otpgate.run("user", "make-user", admin).returncode == 0
    assert_refused(start(), 403, "FORBIDDEN")
    assert start(deliver="caller").status_code == 201


def test_a_context_belongs_to_its_owner(site, owner, address, new_address):
    context, code = owner.start_told(address)
    stranger = Backend(site, new_address(), "verify", "verify:caller")
    foreign = assert_refused(stranger.check(context, code), 400, "VALIDATION_ERROR")
    garbage = assert_refused(stranger.check("AAAA" * 20, code), 400, "VALIDATION_ERROR")
    assert foreign["errors"] == garbage["errors"]
    assert [error["field"] for error in foreign["errors"]] == ["context"]

    # Another key of the same owner will do.
    second = make_key(site, owner.access)["key"]
    assert_verified(site.post(CHECK, {"otp": code, "context": context}, headers={"X-API-Key": second}))


def test_a_context_that_was_changed_is_refused(owner, address):
    context, code = owner.start_told(address)
    for position in (0, 1, 5, len(context) // 2, len(context) - 2):
        changed = context[:position] + ("A" if context[position] != "A" else "B") + context[position + 1:]
        assert_refused(owner.check(changed, code), 400, "VALIDATION_ERROR")
    for bad in ("x", context[:-4], context + "AAAA", context + "=", "é", "x" * 10241):
        problem = assert_refused(owner.check(bad, code), 400, "VALIDATION_ERROR")
        assert [error["field"] for error in problem["errors"]] == ["context"]
    assert_verified(owner.check(context, code))


def test_two_contexts_do_not_take_each_others_codes(owner, address):
    first, second = owner.start_told(address, length=10), owner.start_told(address, length=10)
    assert_refused(owner.check(first[0], second[1]), 400, "INVALID_OTP")
    assert_verified(owner.check(*second))


def test_nothing_of_the_context_can_be_read_in_it(owner):
    import base64

    context, code = owner.start_told("visible@example.com", metadata={"secret": "visible"})
    plain = base64.urlsafe_b64decode(context + "=" * (-len(context) % 4))
    assert b"visible" not in plain and code.encode() not in plain


def test_the_code_signs_nobody_in(owner, site, address):
    import uuid

    site.login(address)
    _, code = owner.start_told(address)
    for reference in ({"destination": address}, {"otp_id": str(uuid.uuid4())}):
        assert site.post("/api/v1/auth/otp/verify", {**reference, "otp": code}).status_code >= 400


def test_metadata_comes_back_digit_by_digit(owner, address):
    text = '{"big":123456789012345678901234567890,"exact":0.10000000000000000001,"tiny":1e-400,"zero":-0}'
    answer = owner.site.request(
        "POST", START, data='{"to":"%s","deliver":"caller","metadata": %s }' % (address, text.replace(",", " ,\n")),
        headers={"X-API-Key": owner.key, "Content-Type": "application/json"})
    assert answer.status_code == 201, answer.text
    checked = owner.check(answer.json()["context"], answer.json()["otp"])
    assert '"metadata":' + text in checked.text


def test_metadata_may_be_5_kilobytes_and_the_context_stays_below_10(owner, address):
    def sized(count):
        return {"k": "x" * (count - len('{"k":""}'))}

    context, code = owner.start_told(f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 58}.example", metadata=sized(5120), purpose="p" * 50)
    assert len(context) <= 10240
    checked = assert_verified(owner.check(context, code))
    assert checked["metadata"] == sized(5120)
    problem = assert_refused(owner.post(START, {"to": address, "deliver": "caller", "metadata": sized(5121)}), 400, "VALIDATION_ERROR")
    assert [error["field"] for error in problem["errors"]] == ["metadata"]


@pytest.mark.parametrize("fields, named", [
    ({"to": "nobody"}, "to"), ({"to": "a@example.com\r\nBcc: b@example.com"}, "to"), ({"to": 5}, "to"),
    ({"to": "+15550001234"}, "to"),  # no SMS here
    ({"purpose": ""}, "purpose"), ({"purpose": "Login"}, "purpose"), ({"purpose": "a b"}, "purpose"), ({"purpose": "p" * 51}, "purpose"),
    ({"length": 3}, "length"), ({"length": 11}, "length"), ({"length": "6"}, "length"), ({"length": 6.5}, "length"), ({"length": 2**64}, "length"),
    ({"alphabet": "runes"}, "alphabet"), ({"metadata": []}, "metadata"), ({"metadata": "{}"}, "metadata"),
    ({"expires_in": 29}, "expires_in"), ({"expires_in": 3601}, "expires_in"), ({"expires_in": -1}, "expires_in"),
    ({"session_expires_in": 59, "expires_in": 30}, "session_expires_in"), ({"session_expires_in": 86401}, "session_expires_in"),
    ({"expires_in": 600, "session_expires_in": 599}, "session_expires_in"),
    ({"max_retries": 0}, "max_retries"), ({"max_retries": 11}, "max_retries"), ({"deliver": "pigeon"}, "deliver"),
])
def test_bad_fields_are_named(owner, fields, named):
    problem = assert_refused(owner.post(START, {"to": "a@example.com", **fields}), 400, "VALIDATION_ERROR")
    assert [error["field"] for error in problem["errors"]] == [named]


def test_the_outer_window_is_never_shorter_than_the_codes(owner, address):
    body = owner.start(address, deliver="caller", expires_in=3600)
    assert (body["expires_in"], body["session_expires_in"]) == (3600, 3600)


def test_missing_fields_and_bodies_are_refused(owner):
    assert assert_refused(owner.post(START, {}), 400, "MISSING_FIELDS")["errors"][0]["field"] == "to"
    problem = assert_refused(owner.post(CHECK, {}), 400, "MISSING_FIELDS")
    assert [error["field"] for error in problem["errors"]] == ["otp", "context"]
    headers = {"X-API-Key": owner.key}
    for path in (START, CHECK):
        assert_refused(owner.site.request("POST", path, data="{", headers={**headers, "Content-Type": "application/json"}), 400, "MALFORMED_JSON")
        assert_refused(owner.site.request("POST", path, data={"a": "b"}, headers=headers), 415, "UNSUPPORTED_MEDIA_TYPE")


def test_what_cannot_be_a_code_costs_no_attempt(owner, address):
    context, code = owner.start_told(address, max_retries=1)
    for bad in ("", "12", "1" * 11, "12.456", 123456):
        assert_refused(owner.check(context, bad), 400, "VALIDATION_ERROR")
    assert_verified(owner.check(context, code))


def test_each_scope_opens_its_own_door(site, address, new_address):
    sender = Backend(site, new_address(), "verify")
    teller = make_key(site, sender.access, "verify:caller")["key"]
    neither = make_key(site, sender.access)["key"]

    def start(key, **fields):
        return site.post(START, {"to": address, **fields}, headers={"X-API-Key": key})

    assert start(sender.key).status_code == 201
    assert "verify:caller" in assert_refused(start(sender.key, deliver="caller"), 403, "FORBIDDEN")["detail"]
    told = start(teller, deliver="caller")
    assert told.status_code == 201
    assert "verify." in assert_refused(start(teller), 403, "FORBIDDEN")["detail"]
    assert "verify" in assert_refused(start(neither), 403, "FORBIDDEN")["detail"]
    checked = site.post(CHECK, {"otp": told.json()["otp"], "context": told.json()["context"]}, headers={"X-API-Key": neither})
    assert_verified(checked)


def test_without_a_key_the_errors_speak_both_languages(site):
    for path in (START, CHECK):
        refused = site.post(path, {})
        assert_refused(refused, 401, "UNAUTHENTICATED")
        assert refused.headers["WWW-Authenticate"].startswith("Api-Key")
        assert_refused(site.post(path, {}, headers={"X-API-Key": "otpg_x"}), 401, "INVALID_TOKEN")


def test_the_audit_trail_of_the_owner_tells_of_it(site, address, new_address):
    backend = Backend(site, new_address(), "verify")
    context, code = backend.start_mailed(address)
    backend.check(context, wrong(code))
    backend.check(context, code)

    logs = site.get("/api/v1/audit/logs?page_size=50", token=backend.access).json()["results"]
    mine = [log["event"] for log in logs if log["event"].startswith("VERIFICATION")]
    assert mine == ["VERIFICATION_SUCCEEDED", "VERIFICATION_FAILED", "VERIFICATION_REQUESTED"]
    assert code not in json.dumps(logs)
    assert code not in site.otpgate.log() and context not in site.otpgate.log() and backend.key not in site.otpgate.log()


def test_a_new_master_key_voids_no_context_in_flight(make_site, engine):
    site = make_site(engine)
    backend = Backend(site, "rotation@example.com", "verify", "verify:caller")
    told = [backend.start_told("someone@example.com") for _ in range(2)]
    mailed = backend.start_mailed("other@example.com")

    key_file = site.folder / "master.key"
    key_file.write_text("otpgate1:" + "5a" * 32 + "\n" + key_file.read_text())
    site.otpgate.restart()

    assert_verified(backend.check(*told[0]))
    assert_verified(backend.check(*mailed))
    newer = assert_refused(backend.check(told[1][0], wrong(told[1][1])), 400, "INVALID_OTP")["context"]
    assert_verified(backend.check(newer, told[1][1]))
    assert_verified(backend.check(*backend.start_told("someone@example.com")))

    # Without the former key they are garbage.
    context, code = backend.start_told("someone@example.com")
    key_file.write_text("otpgate1:" + "a5" * 32 + "\n" + key_file.read_text().split("\n", 1)[1])
    site.otpgate.restart()
    assert_refused(backend.check(context, code), 400, "VALIDATION_ERROR")


def test_the_machinery_answers_for_itself(site):
    for path in ("/health/otp/", "/health/otp"):
        answer = site.get(path)
        assert answer.status_code == 200
        assert answer.json()["status"] == "healthy"
        assert 0 <= answer.json()["duration_ms"] < 100


def test_a_code_is_late_after_its_own_window(owner, aging):
    begin, [told, _] = aging
    if time.monotonic() - begin > 55:
        told = owner.start_told("late@example.com", expires_in=30, session_expires_in=60)
        begin = time.monotonic()
    time.sleep(max(0, begin + 30.5 - time.monotonic()))
    assert "attempts_remaining" not in assert_refused(owner.check(*told), 410, "OTP_EXPIRED")


def test_a_context_is_late_after_the_outer_window(owner, aging):
    begin, [_, told] = aging
    time.sleep(max(0, begin + 60.5 - time.monotonic()))
    assert_refused(owner.check(*told), 410, "SESSION_EXPIRED")
