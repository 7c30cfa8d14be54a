"""Login by password and code, and setting a new password; on both engines."""
import concurrent.futures
import time

import pytest
from support.ports import wait_until
from support.triggers import failing, is_in_slow_statement, make_fast, make_slow
from test_concurrency import at_once, outcomes
from test_login_flow import assert_problem, verified_claims, wrong

AUTH = "/api/v1/auth"
PASSWORD = "correct horse battery staple"
OTHER = "quite another long phrase"


def register(site, address, password=PASSWORD, **fields):
    """A user with a password, who has proved his address by the code that was sent for the form."""
    answer = site.post(f"{AUTH}/register", {"email": address, "password": password, **fields})
    assert answer.status_code == 201, answer.text
    assert site.verify(answer.json()["otp_id"], site.mailbox.wait_for(address)).status_code == 200
    return answer.json()["user"]


def login(site, address, password=PASSWORD, **options):
    return site.post(f"{AUTH}/login", {"email": address, "password": password}, **options)


def sign_in(site, address, password=PASSWORD, **fields):
    """By password and code: the body of the 200."""
    assert login(site, address, password).status_code == 202
    answer = site.post(
        f"{AUTH}/login/otp-verify", {"email": address, "otp": site.mailbox.wait_for(address), **fields}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def ask_for_reset(site, address):
    """The code that came by mail."""
    answer = site.post(f"{AUTH}/forgot-password", {"email": address})
    assert answer.status_code == 202, answer.text
    return site.mailbox.wait_for(address)


def reset_token(site, address):
    code = ask_for_reset(site, address)
    answer = site.post(f"{AUTH}/otp/verify", {"email": address, "otp": code, "purpose": "reset"})
    assert answer.status_code == 200, answer.text
    return answer.json()["reset_token"]


def without_request_id(problem):
    return {name: value for name, value in problem.items() if name != "request_id"}


def count_events(site, event, address):
    where = f"event = '{event}' AND destination = '{address}'"
    return int(site.sql(f"SELECT COUNT(*) FROM audit_events WHERE {where}")[0][0])


def test_a_right_password_sends_a_code_and_the_code_signs_in(site, address):
    register(site, address)

    answer = login(site, address)

    assert answer.status_code == 202
    body = answer.json()
    assert set(body) >= {
        "otp_id", "channel", "purpose", "destination_masked", "expires_in", "resend_in", "message"
    }
    assert body["purpose"] == "login"
    code = site.mailbox.wait_for(address)
    done = site.post(f"{AUTH}/login/otp-verify", {"otp_id": body["otp_id"], "otp": code})
    assert done.status_code == 200, done.text
    assert done.json()["user"]["email"] == address
    assert done.json()["user"]["email_verified"] is True
    assert verified_claims(site, done.json()["access"])["amr"] == ["pwd", "otp"]


def test_a_code_that_was_asked_for_without_a_password_proves_no_password(site, address):
    register(site, address)

    assert verified_claims(site, site.login(address)["access"])["amr"] == ["otp"]


@pytest.mark.parametrize("field", ["email", "destination"])
def test_the_address_has_several_names(site, address, field):
    register(site, address)

    assert site.post(f"{AUTH}/login", {field: address.upper(), "password": PASSWORD}).status_code == 202


def test_wrong_unknown_without_password_and_disabled_look_the_same(site, new_address):
    known, without, disabled = new_address(), new_address(), new_address()
    register(site, known)
    site.login(without)
    register(site, disabled)
    assert site.otpgate.run("user", "disable", disabled).returncode == 0

    answers = [
        login(site, known, OTHER), login(site, new_address()), login(site, without), login(site, disabled),
    ]

    problems = [without_request_id(assert_problem(answer, 401, "INVALID_CREDENTIALS")) for answer in answers]
    assert all(problem == problems[0] for problem in problems)
    headers = [sorted(set(answer.headers) - {"Date"}) for answer in answers]
    assert all(names == headers[0] for names in headers)


def test_login_needs_both_fields(site, address):
    assert_problem(site.post(f"{AUTH}/login", {"email": address}), 400, "MISSING_FIELDS")
    assert_problem(site.post(f"{AUTH}/login", {"password": PASSWORD}), 400, "MISSING_FIELDS")


def test_ten_wrong_passwords_are_all(site, address, new_address):
    register(site, address)
    for _ in range(10):
        assert login(site, address, OTHER).status_code == 401

    refused = login(site, address, OTHER)

    problem = assert_problem(refused, 429, "MAX_RETRIES_EXCEEDED")
    assert 0 < int(refused.headers["Retry-After"]) == problem["retry_after"] <= 3600
    assert refused.headers["RateLimit"] and refused.headers["RateLimit-Policy"]
    # The right one is not told from them any more, and nobody else is concerned.
    assert login(site, address).status_code == 429
    assert login(site, new_address()).status_code == 401
    assert count_events(site, "LOGIN_FAILED", address) == 10
    # Who proves the address by code alone still gets in.
    site.login(address)


def test_after_a_hundred_wrong_passwords_in_a_row_none_counts(make_site, address, engine):
    site = make_site(engine, limits_guesses_per_destination="1000/1h", limits_passwords_per_client="0")
    register(site, address)
    assert login(site, address, OTHER).status_code == 401
    # As if it went on for days, a few an hour.
    site.sql("UPDATE rate_limits SET failures = 99 WHERE failures = 1")
    assert login(site, address, OTHER).status_code == 401
    assert "too many wrong guesses in a row" in assert_problem(login(site, address), 429, "MAX_RETRIES_EXCEEDED")["detail"]
    # The owner was told, and his mailbox opens the account as ever.
    assert site.mailbox.wait_for_notices(address, 1)
    assert site.post(f"{AUTH}/otp/request", {"email": address}).status_code == 202


def test_an_unknown_address_has_the_same_budget(site, address):
    assert [login(site, address).status_code for _ in range(11)] == [401] * 10 + [429]


def test_right_passwords_are_not_counted(make_site, address, engine):
    site = make_site(engine, limits_request_per_destination="1000/1h")
    register(site, address)
    for _ in range(9):
        assert login(site, address, OTHER).status_code == 401

    assert [login(site, address).status_code for _ in range(12)] == [202] * 12

    assert [login(site, address, OTHER).status_code for _ in range(2)] == [401, 429]


def test_one_client_guesses_at_so_many_accounts_and_no_more(make_site, new_address, engine):
    site = make_site(engine, limits_passwords_per_client="30/1h", passwords_queue="64")
    owner = new_address()
    register(site, owner)
    signed_in = sign_in(site, owner)
    answers = at_once(40, lambda _: login(site, new_address(), client_ip="198.51.100.1"))
    assert outcomes(answers) == {"INVALID_CREDENTIALS": 30, "RATE_LIMIT": 10}
    rows = site.sql("SELECT COUNT(*) FROM rate_limits")

    refused = login(site, new_address(), client_ip="198.51.100.1")

    assert_problem(refused, 429, "RATE_LIMIT")
    assert '"passwords_per_client"' in refused.headers["RateLimit"]
    # Nothing is written for it. Others are not concerned, nor is a device that its account knows.
    assert site.sql("SELECT COUNT(*) FROM rate_limits") == rows
    assert login(site, owner, client_ip="198.51.100.2").status_code == 202
    body = {"email": owner, "password": PASSWORD, "device_token": signed_in["device_token"]}
    assert site.post(f"{AUTH}/login", body, client_ip="198.51.100.1").status_code == 202


def test_right_passwords_are_not_counted_for_the_client_either(make_site, address, engine):
    site = make_site(engine, limits_passwords_per_client="3/1h", limits_request_per_destination="1000/1h")
    register(site, address)

    assert [login(site, address).status_code for _ in range(5)] == [202] * 5
    assert [login(site, address, OTHER).status_code for _ in range(4)] == [401] * 3 + [429]


def test_64_concurrent_wrong_passwords_for_one_account_are_compared_exactly_10_times(make_site, address, engine):
    site = make_site(engine, passwords_queue="64")
    register(site, address)

    answers = at_once(64, lambda number: login(site, address, OTHER, client_ip=f"203.0.113.{number}"))

    assert outcomes(answers) == {"INVALID_CREDENTIALS": 10, "MAX_RETRIES_EXCEEDED": 54}
    assert count_events(site, "LOGIN_FAILED", address) == 10


def test_a_known_device_is_not_locked_out_by_strangers(site, address):
    register(site, address)
    device = sign_in(site, address)["device_token"]
    for _ in range(10):
        assert login(site, address, OTHER).status_code == 401
    assert login(site, address).status_code == 429

    body = {"email": address, "password": PASSWORD, "device_token": device}
    assert site.post(f"{AUTH}/login", body).status_code == 202

    # It has a budget too, and another account's is of no use.
    wrong_body = {**body, "password": OTHER}
    assert [site.post(f"{AUTH}/login", wrong_body).status_code for _ in range(11)] == [401] * 10 + [429]
    stranger = {"email": f"x-{address}", "password": OTHER, "device_token": device}
    assert [site.post(f"{AUTH}/login", stranger).status_code for _ in range(11)] == [401] * 10 + [429]


def test_a_login_code_is_only_good_for_a_login(site, address):
    register(site, address)
    code = ask_for_reset(site, address)

    answer = site.post(f"{AUTH}/login/otp-verify", {"email": address, "otp": code})

    assert_problem(answer, 400, "INVALID_OTP")


def test_forgot_password_tells_nobody_who_has_an_account(site, new_address):
    known, unknown = new_address(), new_address()
    register(site, known)

    answers = [site.post(f"{AUTH}/forgot-password", {"email": address}) for address in (known, unknown)]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert set(answers[0].json()) == set(answers[1].json())
    assert site.mailbox.wait_for(known)
    assert not site.mailbox.messages_for(unknown)


def test_forgot_password_says_nothing_even_where_others_reveal(make_site, address, engine):
    site = make_site(engine, accounts_reveal="true")

    assert site.post(f"{AUTH}/forgot-password", {"email": address}).status_code == 202


def test_a_reset_by_code_ends_every_session_at_once(site, address):
    user = register(site, address)
    tokens = sign_in(site, address)
    code = ask_for_reset(site, address)

    answer = site.post(f"{AUTH}/password-reset", {"email": address, "otp": code, "password": OTHER})

    assert answer.status_code == 200
    assert answer.json()["message"]
    assert "access" not in answer.json()
    assert site.get(f"{AUTH}/me", token=tokens["access"]).status_code == 401
    assert site.get("/authz", token=tokens["access"]).status_code == 401
    assert site.post(f"{AUTH}/token/refresh", {"refresh": tokens["refresh"]}).status_code == 401
    assert login(site, address).status_code == 401
    assert sign_in(site, address, OTHER)["user"]["id"] == user["id"]
    assert count_events(site, "PASSWORD_RESET", address) == 1
    revoked = site.sql(f"SELECT COUNT(*) FROM devices WHERE id IN (SELECT device_id FROM sessions WHERE"
                       f" revoked_reason = 'password_reset') AND revoked_at_us IS NULL")
    assert revoked == [["0"]]


def test_a_reset_forgets_the_devices(site, address):
    register(site, address)
    device = sign_in(site, address)["device_token"]
    code = ask_for_reset(site, address)
    body = {"email": address, "otp": code, "password": OTHER}
    assert site.post(f"{AUTH}/password-reset", body).status_code == 200

    for _ in range(10):
        login(site, address)
    answer = site.post(f"{AUTH}/login", {"email": address, "password": OTHER, "device_token": device})

    assert answer.status_code == 429


def test_a_reset_by_token(site, address):
    register(site, address)
    token = reset_token(site, address)

    answer = site.post(f"{AUTH}/password-reset", {"reset_token": token, "password": OTHER})

    assert answer.status_code == 200, answer.text
    assert login(site, address, OTHER).status_code == 202
    again = site.post(f"{AUTH}/password-reset", {"reset_token": token, "password": PASSWORD})
    assert [error["field"] for error in assert_problem(again, 400, "VALIDATION_ERROR")["errors"]] == ["reset_token"]
    assert login(site, address).status_code == 401


def test_a_reset_token_is_spent_once_by_16_at_once(make_site, address, engine):
    site = make_site(engine, passwords_queue="64")
    register(site, address)
    token = reset_token(site, address)

    answers = at_once(
        16,
        lambda number: site.post(
            f"{AUTH}/password-reset", {"reset_token": token, "password": f"{OTHER} {number}"}
        ),
    )

    assert outcomes(answers) == {"ok": 1, "VALIDATION_ERROR": 15}
    winner = next(number for number, answer in enumerate(answers) if answer.status_code == 200)
    assert login(site, address, f"{OTHER} {winner}").status_code == 202
    assert count_events(site, "PASSWORD_RESET", address) == 1


def test_a_reset_code_is_spent_once_by_16_at_once(make_site, address, engine):
    site = make_site(engine, passwords_queue="64")
    register(site, address)
    code = ask_for_reset(site, address)

    answers = at_once(
        16,
        lambda number: site.post(
            f"{AUTH}/password-reset", {"email": address, "otp": code, "password": f"{OTHER} {number}"}
        ),
    )

    assert outcomes(answers) == {"ok": 1, "OTP_USED": 15}
    winner = next(number for number, answer in enumerate(answers) if answer.status_code == 200)
    assert login(site, address, f"{OTHER} {winner}").status_code == 202
    assert count_events(site, "PASSWORD_RESET", address) == 1


def test_a_reset_voids_what_else_could_reset(site, address):
    register(site, address)
    older = reset_token(site, address)
    newer = reset_token(site, address)
    assert site.post(f"{AUTH}/password-reset", {"reset_token": newer, "password": OTHER}).status_code == 200

    answer = site.post(f"{AUTH}/password-reset", {"reset_token": older, "password": PASSWORD})

    assert_problem(answer, 400, "VALIDATION_ERROR")


def test_a_password_that_is_refused_spends_neither_code_nor_token(site, address):
    register(site, address)
    code = ask_for_reset(site, address)
    for bad in ("short", "password1", "x" * 129, f"{address} 1"):
        answer = site.post(f"{AUTH}/password-reset", {"email": address, "otp": code, "password": bad})
        problem = assert_problem(answer, 400, "VALIDATION_ERROR")
        assert [error["field"] for error in problem["errors"]] == ["password"]
    answer = site.post(f"{AUTH}/otp/verify", {"email": address, "otp": code, "purpose": "reset"})
    token = answer.json()["reset_token"]

    for bad in ("short", "password1", f"{address} 1"):
        answer = site.post(f"{AUTH}/password-reset", {"reset_token": token, "password": bad})
        assert [e["field"] for e in assert_problem(answer, 400, "VALIDATION_ERROR")["errors"]] == ["password"]

    assert site.post(f"{AUTH}/password-reset", {"reset_token": token, "password": OTHER}).status_code == 200


def test_a_wrong_code_resets_nothing(site, address, new_address):
    register(site, address)
    code = ask_for_reset(site, address)

    for somebody in (address, new_address()):
        answer = site.post(f"{AUTH}/password-reset", {"email": somebody, "otp": wrong(code), "password": OTHER})
        assert assert_problem(answer, 400, "INVALID_OTP")["attempts_remaining"] == 2
    assert login(site, address).status_code == 202


def test_a_token_for_another_purpose_resets_nothing(site, address):
    register(site, address)
    assert site.post(f"{AUTH}/otp/request", {"email": address, "purpose": "register"}).status_code == 202
    code = site.mailbox.wait_for(address)
    verified = site.post(f"{AUTH}/otp/verify", {"email": address, "otp": code, "purpose": "register"})
    token = verified.json()["verification_token"]

    for bad in (token, token[:-2], "x", ""):
        answer = site.post(f"{AUTH}/password-reset", {"reset_token": bad, "password": OTHER})
        assert_problem(answer, 400, "VALIDATION_ERROR")
    assert login(site, address).status_code == 202


def test_a_disabled_user_cannot_reset(site, address):
    register(site, address)
    token = reset_token(site, address)
    assert site.otpgate.run("user", "disable", address).returncode == 0

    answer = site.post(f"{AUTH}/password-reset", {"reset_token": token, "password": OTHER})

    assert_problem(answer, 400, "VALIDATION_ERROR")
    assert site.otpgate.run("user", "enable", address).returncode == 0
    assert login(site, address).status_code == 202


# A reset is one transaction: it is done, or nothing of it is, and then the same code or token does it.

def reset(site, proof):
    return site.post(f"{AUTH}/password-reset", {**proof, "password": OTHER})


def by_code(site, address):
    return {"email": address, "otp": ask_for_reset(site, address)}


def by_token(site, address):
    return {"reset_token": reset_token(site, address)}


def traces(site, address):
    """What a reset changes, except for the rows of its code's message, which the sending removes."""
    return [
        site.sql(f"SELECT HEX(id), attempts, consumed_at_us, redeemed_at_us, expires_at_us FROM otp_requests"
                 f" WHERE destination = '{address}' ORDER BY id"),
        site.sql(f"SELECT password_hash, password_changed_at_us, email_verified FROM users WHERE email = '{address}'"),
        site.sql(f"SELECT HEX(s.id), s.revoked_at_us FROM sessions s JOIN users u ON u.id = s.user_id"
                 f" WHERE u.email = '{address}' ORDER BY s.id"),
        site.sql(f"SELECT event FROM audit_events WHERE destination = '{address}' ORDER BY id"),
        site.sql("SELECT HEX(id) FROM outbox WHERE kind <> 'code' ORDER BY id"),
    ]


# A statement of it that comes after the one that counts the guess.
LATER_STATEMENTS = {
    "password": ("UPDATE ON users", "NEW.password_hash <> OLD.password_hash"),
    "sessions": ("UPDATE ON sessions", "NEW.revoked_reason = 'password_reset'"),
    "audit": ("INSERT ON audit_events", "NEW.event = 'PASSWORD_RESET'"),
    "notice": ("INSERT ON outbox", "NEW.kind = 'password_changed'"),
}


@pytest.mark.parametrize("fails", LATER_STATEMENTS)
@pytest.mark.parametrize("proof", [by_code, by_token])
def test_a_reset_that_fails_halfway_leaves_no_trace_and_the_proof_is_good(site, address, proof, fails):
    register(site, address)
    tokens = sign_in(site, address)
    shown = proof(site, address)
    before = traces(site, address)

    with failing(site, *LATER_STATEMENTS[fails]):
        assert_problem(reset(site, shown), 503, "UNAVAILABLE")

    assert traces(site, address) == before
    assert site.get(f"{AUTH}/me", token=tokens["access"]).status_code == 200
    assert login(site, address, OTHER).status_code == 401
    assert login(site, address).status_code == 202
    assert reset(site, shown).status_code == 200
    assert login(site, address, OTHER).status_code == 202
    assert site.get(f"{AUTH}/me", token=tokens["access"]).status_code == 401


@pytest.mark.long
@pytest.mark.parametrize("statement", LATER_STATEMENTS)
def test_a_reset_whose_database_dies_halfway_can_be_finished(make_site, own_mariadb, address, statement):
    site = make_site("mysql", mysql=own_mariadb.address)
    register(site, address)
    sign_in(site, address)
    code = by_code(site, address)
    before = traces(site, address)
    make_slow(site, *LATER_STATEMENTS[statement])

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(reset, site, code)
        wait_until(lambda: is_in_slow_statement(site), 10, "the reset is in the statement")
        own_mariadb.kill()
        assert_problem(answer.result(), 503, "UNAVAILABLE")
    own_mariadb.start()
    make_fast(site)

    assert traces(site, address) == before
    wait_until(lambda: site.get("/health/ready").status_code == 200, 10, "the database is back")
    assert login(site, address).status_code == 202
    assert reset(site, code).status_code == 200
    assert login(site, address, OTHER).status_code == 202


@pytest.mark.long
def test_resets_while_the_database_dies_are_done_or_can_be_done(make_site, own_mariadb, new_address):
    site = make_site("mysql", mysql=own_mariadb.address, passwords_queue="64")
    addresses = [new_address() for _ in range(16)]
    codes = {}
    for address in addresses:
        register(site, address)
        codes[address] = by_code(site, address)

    with concurrent.futures.ThreadPoolExecutor(len(addresses)) as pool:
        # One after another, so that some are done, some under way and some to come.
        answers = {}
        for number, address in enumerate(addresses):
            answers[address] = pool.submit(reset, site, codes[address])
            if number == len(addresses) // 2:
                own_mariadb.kill()
            time.sleep(0.02)
        answers = {address: answer.result() for address, answer in answers.items()}
    own_mariadb.start()
    wait_until(lambda: site.get("/health/ready").status_code == 200, 10, "the database is back")

    assert "UNAVAILABLE" in outcomes(answers.values())
    for address, answer in answers.items():
        is_new = login(site, address, OTHER).status_code == 202
        assert login(site, address).status_code == (401 if is_new else 202)
        assert is_new or answer.status_code == 503
        if is_new:
            assert_problem(reset(site, codes[address]), 400, "OTP_USED")
        else:
            assert reset(site, codes[address]).status_code == 200
            assert login(site, address, OTHER).status_code == 202
        assert count_events(site, "PASSWORD_RESET", address) == 1


def test_change_keeps_this_session_and_ends_the_others(site, address):
    register(site, address)
    other, own = sign_in(site, address), sign_in(site, address)
    body = {"current_password": PASSWORD, "new_password": OTHER}

    answer = site.post(f"{AUTH}/password-change", body, token=own["access"])

    assert answer.status_code == 200
    assert answer.json()["message"]
    assert site.get(f"{AUTH}/me", token=own["access"]).status_code == 200
    assert site.get(f"{AUTH}/me", token=other["access"]).status_code == 401
    assert login(site, address).status_code == 401
    assert login(site, address, OTHER).status_code == 202
    events = site.sql("SELECT COUNT(*) FROM audit_events e JOIN users u ON u.id = e.user_id"
                      f" WHERE e.event = 'PASSWORD_CHANGED' AND u.email = '{address}'")
    assert events == [["1"]]


def test_a_password_is_not_changed_without_end(site, address):
    register(site, address)
    token = sign_in(site, address)["access"]
    words = [PASSWORD, OTHER]
    answers = []
    for number in range(11):
        body = {"current_password": words[number % 2], "new_password": words[(number + 1) % 2]}
        answers.append(site.post(f"{AUTH}/password-change", body, token=token).status_code)

    assert answers == [200] * 10 + [429]


def test_change_wants_a_caller_the_current_password_and_a_good_new_one(site, address):
    register(site, address)
    token = sign_in(site, address)["access"]
    path = f"{AUTH}/password-change"

    assert site.post(path, {"current_password": PASSWORD, "new_password": OTHER}).status_code == 401
    assert_problem(site.post(path, {"current_password": PASSWORD}, token=token), 400, "MISSING_FIELDS")
    weak = site.post(path, {"current_password": PASSWORD, "new_password": "12345678"}, token=token)
    assert [error["field"] for error in assert_problem(weak, 400, "VALIDATION_ERROR")["errors"]] == ["new_password"]
    guess = {"current_password": OTHER, "new_password": OTHER}
    found = [site.post(path, guess, token=token).status_code for _ in range(11)]
    assert found == [401] * 10 + [429]


def test_who_has_no_password_is_told_how_to_get_one(site, address):
    token = site.login(address)["access"]

    body = {"current_password": PASSWORD, "new_password": OTHER}
    answer = site.post(f"{AUTH}/password-change", body, token=token)

    problem = assert_problem(answer, 400, "VALIDATION_ERROR")
    assert [error["field"] for error in problem["errors"]] == ["current_password"]
    code = ask_for_reset(site, address)
    body = {"email": address, "otp": code, "password": OTHER}
    assert site.post(f"{AUTH}/password-reset", body).status_code == 200
    assert login(site, address, OTHER).status_code == 202


def test_no_password_reaches_the_log(site, address):
    register(site, address)
    login(site, address)
    login(site, address, OTHER)

    assert PASSWORD not in site.otpgate.log()
    assert OTHER not in site.otpgate.log()
