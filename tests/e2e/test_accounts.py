"""Registration, profile and deletion; on both engines."""
import json
import uuid

import pytest
from test_concurrency import at_once, outcomes
from test_login_flow import assert_problem
from test_passwords import AUTH, OTHER, PASSWORD, login, register, sign_in


def verification_token(site, address):
    assert site.post(f"{AUTH}/otp/request", {"email": address, "purpose": "register"}).status_code == 202
    code = site.mailbox.wait_for(address)
    answer = site.post(f"{AUTH}/otp/verify", {"email": address, "otp": code, "purpose": "register"})
    assert answer.status_code == 200, answer.text
    return answer.json()["verification_token"]


def count(site, table_and_condition):
    return int(site.sql(f"SELECT COUNT(*) FROM {table_and_condition}")[0][0])


def test_a_registration_sends_a_code_and_who_proves_the_address_by_it_has_the_account(site, address):
    body = {"email": address, "password": PASSWORD, "first_name": " Ada ", "last_name": "Lovelace", "locale": "en-GB"}

    answer = site.post(f"{AUTH}/register", body)

    assert answer.status_code == 201
    assert set(answer.json()) >= {"user", "message", "otp_id", "expires_in", "resend_in"}
    user = answer.json()["user"]
    assert uuid.UUID(user["id"]).version == 7
    assert (user["email"], user["email_verified"], user["username"]) == (address, False, address)
    assert (user["first_name"], user["last_name"], user["locale"]) == ("Ada", "Lovelace", "en-GB")
    assert (user["role"], user["status"], user["last_login_at"]) == ("user", "active", None)
    assert count(site, f"users WHERE email = '{address}'") == 0
    verified = site.verify(answer.json()["otp_id"], site.mailbox.wait_for(address))
    assert verified.json()["verified"] is True
    seen = sign_in(site, address)["user"]
    assert seen["id"] == user["id"]
    assert seen["email_verified"] is True
    assert (seen["first_name"], seen["last_name"], seen["locale"]) == ("Ada", "Lovelace", "en-GB")
    assert count(site, f"audit_events WHERE event = 'USER_REGISTERED' AND destination = '{address}'") == 1


def test_a_registration_without_a_password(site, address):
    answer = site.post(f"{AUTH}/register", {"email": address})

    assert answer.status_code == 201
    assert site.verify(answer.json()["otp_id"], site.mailbox.wait_for(address)).status_code == 200
    assert login(site, address).status_code == 401
    assert site.login(address)["is_new_user"] is False


# Who fills in the form for somebody else's address.

def test_before_the_address_is_proved_no_login_tells_whether_there_was_an_account(site, new_address):
    taken, free = new_address(), new_address()
    register(site, taken)
    problems = []
    for address in (taken, free):
        assert site.post(f"{AUTH}/register", {"email": address, "password": OTHER}).status_code == 201
        problem = assert_problem(login(site, address, OTHER), 401, "INVALID_CREDENTIALS")
        problems.append({name: value for name, value in problem.items() if name != "request_id"})

    assert problems[0] == problems[1]


@pytest.mark.parametrize("order", ["stranger first", "stranger last"])
def test_nothing_of_a_stranger_is_in_the_account_of_who_proves_the_address(site, address, order):
    def fill_in(password, name):
        answer = site.post(f"{AUTH}/register", {"email": address, "password": password, "first_name": name})
        assert answer.status_code == 201
        return answer.json(), site.mailbox.wait_for(address)

    forms = {}
    for who in (("stranger", "owner") if order == "stranger first" else ("owner", "stranger")):
        forms[who] = fill_in(*{"stranger": (OTHER, "Mallory"), "owner": (PASSWORD, "Ada")}[who])
    newest = forms["owner" if order == "stranger first" else "stranger"][1]

    if order == "stranger first":
        assert site.verify(forms["owner"][0]["otp_id"], newest).status_code == 200
    else:
        # The owner's code is void, and what the owner reads is the stranger's: by the own id it is wrong.
        assert_problem(site.verify(forms["owner"][0]["otp_id"], newest), 410, "OTP_EXPIRED")
        body = {"email": address, "otp": newest, "purpose": "verify"}
        assert site.post(f"{AUTH}/otp/verify", body).status_code == 200

    assert login(site, address, OTHER).status_code == 401
    assert login(site, address, PASSWORD).status_code == (202 if order == "stranger first" else 401)
    if order == "stranger first":
        site.mailbox.wait_for(address)
    user = site.login(address)
    assert user["is_new_user"] is False
    assert user["user"]["first_name"] == ("Ada" if order == "stranger first" else "")


def test_who_signs_in_by_code_has_nothing_of_a_strangers_form(site, address):
    form = site.post(f"{AUTH}/register", {"email": address, "password": OTHER, "first_name": "Mallory"}).json()
    code = site.mailbox.wait_for(address)

    user = site.login(address)["user"]

    assert (user["first_name"], user["id"] == form["user"]["id"]) == ("", False)
    # Even if its code is entered later.
    assert site.verify(form["otp_id"], code).status_code == 200
    assert login(site, address, OTHER).status_code == 401
    assert site.login(address)["user"]["first_name"] == ""
    assert count(site, f"audit_events WHERE event = 'REGISTRATION_REFUSED' AND destination = '{address}'") == 1


def test_the_code_of_a_form_is_repeated_to_nobody(make_site, address, engine):
    site = make_site(engine, otp_on_resend="repeat")
    stranger = site.post(f"{AUTH}/register", {"email": address, "password": OTHER}).json()
    site.mailbox.wait_for(address)

    asked = site.post(f"{AUTH}/otp/request", {"email": address, "purpose": "verify"}).json()
    mine = site.post(f"{AUTH}/register", {"email": address, "password": PASSWORD}).json()

    assert len({stranger["otp_id"], asked["otp_id"], mine["otp_id"]}) == 3


def test_a_verification_token_proves_the_address(site, address, new_address):
    token = verification_token(site, address)
    stolen = site.post(f"{AUTH}/register", {"email": new_address(), "verification_token": token})
    assert [e["field"] for e in assert_problem(stolen, 400, "VALIDATION_ERROR")["errors"]] == ["verification_token"]

    answer = site.post(f"{AUTH}/register", {"email": address, "password": PASSWORD, "verification_token": token})

    assert answer.status_code == 201, answer.text
    assert answer.json()["user"]["email_verified"] is True
    assert login(site, address).status_code == 202


def test_a_verification_token_is_good_once(site, address):
    token = verification_token(site, address)
    body = {"email": address, "verification_token": token}

    answers = at_once(8, lambda _: site.post(f"{AUTH}/register", body))

    assert outcomes(answers) == {"ok": 1, "VALIDATION_ERROR": 7}
    assert count(site, f"users WHERE email = '{address}'") == 1


@pytest.mark.parametrize("token", ["", "x", "A" * 76])
def test_a_token_that_we_did_not_make_is_refused(site, address, token):
    answer = site.post(f"{AUTH}/register", {"email": address, "verification_token": token})

    assert_problem(answer, 400, "VALIDATION_ERROR")


def test_a_taken_address_looks_like_a_free_one(site, new_address):
    taken, free = new_address(), new_address()
    owner = register(site, taken, first_name="Owner")
    body = {"password": OTHER, "first_name": "Mallory", "locale": "de"}

    answers = [site.post(f"{AUTH}/register", {"email": address, **body}) for address in (taken, free)]

    assert [answer.status_code for answer in answers] == [201, 201]
    users = [answer.json()["user"] for answer in answers]
    same = ("first_name", "last_name", "locale", "role", "status", "email_verified", "phone_verified", "last_login_at")
    assert [users[0][name] for name in same] == [users[1][name] for name in same]
    assert set(users[0]) == set(users[1])
    assert uuid.UUID(users[0]["id"]).version == 7 and users[0]["id"] != owner["id"]
    # The owner gets a code, as the other does, and stays as before.
    assert site.mailbox.wait_for(taken) and site.mailbox.wait_for(free)
    assert login(site, taken, OTHER).status_code == 401
    assert sign_in(site, taken)["user"]["first_name"] == "Owner"


def test_a_taken_address_is_a_conflict_for_who_proves_it(site, address):
    register(site, address)
    token = verification_token(site, address)

    answer = site.post(f"{AUTH}/register", {"email": address, "verification_token": token})

    assert_problem(answer, 409, "CONFLICT")


def test_a_taken_address_is_a_conflict_where_accounts_are_revealed(make_site, address, engine):
    site = make_site(engine, accounts_reveal="true")
    register(site, address)

    assert_problem(site.post(f"{AUTH}/register", {"email": address}), 409, "CONFLICT")


def test_registration_has_the_limits_of_the_code_request(make_site, new_address, engine):
    site = make_site(engine, limits_request_per_client="4/1h", limits_request_per_destination="2/1h")
    address = new_address()

    def ask(email, client, **fields):
        return site.post(f"{AUTH}/register", {"email": email, **fields}, client_ip=client)

    assert [ask(address, "192.0.2.1").status_code for _ in range(2)] == [201, 201]
    refused = ask(address, "192.0.2.1")
    assert_problem(refused, 429, "RATE_LIMIT")
    assert int(refused.headers["Retry-After"]) > 0
    assert [ask(new_address(), "192.0.2.1").status_code for _ in range(3)] == [201, 201, 429]

    # With a token too: one place for the code, one for each registration.
    proved = new_address()
    token = verification_token(site, proved)
    found = [ask(proved, "192.0.2.2", verification_token=token).status_code for _ in range(5)]
    assert found == [201, 400, 400, 400, 429]


def test_concurrent_registrations_of_one_address_make_one_user(make_site, address, engine):
    site = make_site(engine, limits_request_per_destination="1000/1h", passwords_queue="64")

    answers = at_once(16, lambda _: site.post(f"{AUTH}/register", {"email": address, "password": PASSWORD}))

    assert outcomes(answers) == {"ok": 16}
    assert count(site, f"users WHERE email = '{address}'") == 0
    assert len({answer.json()["user"]["id"] for answer in answers}) == 16


def test_bad_registrations_name_every_field(site, address):
    body = {"email": address, "password": "secret", "first_name": "x" * 151, "last_name": "a\u202eb"}
    answer = site.post(f"{AUTH}/register", body)

    fields = {error["field"] for error in assert_problem(answer, 400, "VALIDATION_ERROR")["errors"]}
    assert fields == {"password", "first_name", "last_name"}
    assert_problem(site.post(f"{AUTH}/register", {"password": PASSWORD}), 400, "MISSING_FIELDS")
    named = site.post(f"{AUTH}/register", {"email": address, "password": "Lovelace7", "last_name": "Lovelace"})
    assert_problem(named, 400, "VALIDATION_ERROR")
    assert not site.mailbox.messages_for(address)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_profile_is_changed_by_its_fields(site, address, method):
    token = site.login(address)["access"]
    path = f"{AUTH}/profile"

    changed = {"first_name": "Ada", "last_name": "Lovelace", "display_name": "  ada ", "locale": "en"}
    answer = site.request(method, path, json=changed, token=token)

    assert answer.status_code == 200, answer.text
    user = answer.json()["user"]
    assert (user["first_name"], user["last_name"], user["display_name"], user["locale"]) == ("Ada", "Lovelace", "ada", "en")
    again = site.request(method, path, json={"first_name": "Ada", "last_name": "", "locale": None}, token=token)
    assert again.json()["user"] == {**user, "last_name": ""}
    assert site.get(f"{AUTH}/me", token=token).json()["user"] == again.json()["user"]
    rows = site.sql("SELECT e.metadata FROM audit_events e JOIN users u ON u.id = e.user_id"
                    f" WHERE e.event = 'PROFILE_UPDATED' AND u.email = '{address}' ORDER BY e.id")
    assert [json.loads(row[0]) for row in rows] == [
        {"fields": ["display_name", "first_name", "last_name", "locale"]}
    ]


def test_changing_a_profile_over_and_over_leaves_few_rows(site, address):
    token = site.login(address)["access"]

    for number in range(60):
        changed = {"first_name": f"Ada {number}"} if number else {"last_name": "L"}
        answer = site.request("PATCH", f"{AUTH}/profile", json=changed, token=token, client_ip=f"198.51.100.{number}")
        assert answer.status_code == 200

    rows = site.sql("SELECT e.metadata FROM audit_events e JOIN users u ON u.id = e.user_id"
                    f" WHERE e.event = 'PROFILE_UPDATED' AND u.email = '{address}' ORDER BY e.id")
    assert [json.loads(row[0])["fields"] for row in rows] == [["last_name"]] + [["first_name"]] * 4


@pytest.mark.parametrize(
    "field, value",
    [("username", "x" * 65), ("username", ""), ("username", "  "), ("username", "a\tb"), ("first_name", "a\nb"),
     ("display_name", "x" * 151), ("display_name", "a\u202eb"),
     ("last_name", "\x7f"), ("first_name", "a\u2028b"), ("first_name", 1)],
)
def test_a_profile_refuses_what_does_not_belong_there(site, address, field, value):
    login_ = site.login(address)

    answer = site.request("PATCH", f"{AUTH}/profile", json={"last_name": "x", field: value}, token=login_["access"])

    assert field in {error["field"] for error in assert_problem(answer, 400, "VALIDATION_ERROR")["errors"]}
    assert site.get(f"{AUTH}/me", token=login_["access"]).json()["user"]["last_name"] == ""


def test_names_of_any_script_fit(site, address):
    token = site.login(address)["access"]
    name = "\U0001f511" * 150

    answer = site.request("PATCH", f"{AUTH}/profile", json={"first_name": name, "display_name": "李"}, token=token)

    assert answer.json()["user"]["first_name"] == name
    assert answer.json()["user"]["display_name"] == "李"


def test_a_profile_needs_a_caller(site):
    assert site.request("PATCH", f"{AUTH}/profile", json={"first_name": "x"}).status_code == 401
    assert site.request("DELETE", f"{AUTH}/me").status_code == 401


def test_a_deleted_account_leaves_nothing_of_the_person(site, address):
    register(site, address, first_name="Ada")
    tokens, others = sign_in(site, address), sign_in(site, address)
    site.request("PATCH", f"{AUTH}/profile", json={"last_name": "L"}, token=tokens["access"])
    login(site, address, OTHER)
    user = tokens["user"]["id"]
    hex_id = user.replace("-", "")
    before = count(site, f"audit_events WHERE HEX(user_id) = UPPER('{hex_id}')")

    answer = site.request("DELETE", f"{AUTH}/me", token=tokens["access"])

    assert answer.status_code == 204 and not answer.content
    for token in (tokens, others):
        assert site.get(f"{AUTH}/me", token=token["access"]).status_code == 401
        assert site.get("/authz", token=token["access"]).status_code == 401
        assert site.post(f"{AUTH}/token/refresh", {"refresh": token["refresh"]}).status_code == 401
    for table in ("users WHERE email", "otp_requests WHERE destination", "outbox WHERE destination",
                  "audit_events WHERE destination"):
        assert count(site, f"{table} = '{address}'") == 0, table
    for table in ("sessions", "devices", "api_keys"):
        assert count(site, f"{table} WHERE HEX(user_id) = UPPER('{hex_id}')") == 0, table
    events = f"audit_events WHERE HEX(user_id) = UPPER('{hex_id}')"
    assert count(site, events) == before + 1
    assert count(site, f"{events} AND event = 'USER_DELETED'") == 1
    assert count(site, f"{events} AND COALESCE(destination, ip_address, user_agent, metadata) IS NOT NULL") == 0
    # Somebody new.
    again = site.login(address)
    assert again["is_new_user"] is True
    assert again["user"]["id"] != user


def test_an_account_is_deleted_by_a_recent_sign_in_only(site, address):
    tokens = site.login(address)
    session = uuid.UUID(tokens["session_id"]).hex
    site.sql(f"UPDATE sessions SET authenticated_at_us = authenticated_at_us - 900000000 WHERE id = x'{session}'")
    fresh = site.post(f"{AUTH}/token/refresh", {"refresh": tokens["refresh"]}).json()["access"]

    assert_problem(site.request("DELETE", f"{AUTH}/me", token=fresh), 403, "SIGN_IN_TOO_OLD")

    assert count(site, f"users WHERE email = '{address}'") == 1
    assert site.request("DELETE", f"{AUTH}/me", token=site.login(address)["access"]).status_code == 204


def test_a_long_audit_trail_is_blanked_in_full(site, address):
    tokens = site.login(address)
    hex_id = tokens["user"]["id"].replace("-", "")
    rows = []
    for number in range(1203):
        # Both the user's own events, and those that know the address alone.
        user = f"X'{hex_id}'" if number % 2 else "NULL"
        row = f"X'018f{number:028x}', 'OTP_FAILED', {user}, '{address}', '192.0.2.1', 'x', 'r', {number}"
        rows.append(row)
    site.sql("INSERT INTO audit_events (id, event, user_id, destination, ip_address, user_agent, request_id,"
             " created_at_us) VALUES " + ", ".join(f"({row})" for row in rows))

    assert site.request("DELETE", f"{AUTH}/me", token=tokens["access"]).status_code == 204

    assert count(site, f"audit_events WHERE destination = '{address}'") == 0
    kept = count(site, f"audit_events WHERE HEX(user_id) = UPPER('{hex_id}') AND ip_address IS NULL")
    assert kept >= 601
    site.sql("DELETE FROM audit_events WHERE id < X'0190' AND id > X'018e'")


def test_a_browser_needs_its_csrf_token_to_delete(site, address):
    otp_id, code = site.request_code(address)
    answer = site.verify(otp_id, code, session="cookie")
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in answer.cookies)

    refused = site.request("DELETE", f"{AUTH}/me", headers={"Cookie": cookies})
    assert_problem(refused, 403, "FORBIDDEN")
    headers = {"Cookie": cookies, "X-CSRF-Token": answer.json()["csrf_token"]}
    done = site.request("DELETE", f"{AUTH}/me", headers=headers)

    assert done.status_code == 204
    assert "__Host-otpgate=;" in done.headers["Set-Cookie"]
