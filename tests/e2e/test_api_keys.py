"""API keys: made, shown once, used, revoked; on both engines."""
import datetime
import re
import time
import uuid

import pytest

from support.keys import make_key
from test_concurrency import at_once, outcomes
from test_login_flow import assert_problem
from test_passwords import AUTH, OTHER, PASSWORD, ask_for_reset, register, sign_in

KEYS = "/api/v1/api-keys"
INTROSPECT = "/api/v1/auth/token/introspect"


@pytest.fixture
def access(site, address):
    return site.login(address)["access"]


def use(site, key):
    return site.post(INTROSPECT, {"token": "any"}, headers={"X-API-Key": key})


def listed(site, access):
    answer = site.get(KEYS, token=access)
    assert answer.status_code == 200, answer.text
    return answer.json()["api_keys"]


def test_a_new_key_is_shown_in_full_this_once(site, access):
    made = make_key(site, access, "verify", "verify:caller")

    assert set(made) == {"id", "name", "prefix", "scopes", "send_limit", "created_at", "expires_at", "key"}
    assert re.fullmatch(r"otpg_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}", made["key"])
    assert made["key"].split("_")[1] == made["prefix"]
    assert made["scopes"] == ["verify", "verify:caller"]
    assert made["expires_at"] is None

    [shown] = listed(site, access)
    assert shown == {**{name: made[name] for name in made if name != "key"}, "last_used_at": None}
    assert made["key"].split("_")[2] not in site.otpgate.log()


def test_the_database_holds_no_secret(make_site, engine):
    site = make_site(engine)
    access = site.login("keys@example.com")["access"]
    secret = make_key(site, access)["key"].split("_")[2]
    if engine == "sqlite":
        stored = b"".join(path.read_bytes() for path in site.folder.glob("otpgate.db*"))
        assert secret.encode() not in stored
    assert secret not in site.otpgate.log()


def test_a_key_is_taken_by_either_header(site, access):
    key = make_key(site, access)["key"]

    assert use(site, key).json() == {"active": False}
    for scheme in ("Api-Key", "api-key"):
        assert site.post(INTROSPECT, {"token": "x"}, headers={"Authorization": f"{scheme} {key}"}).status_code == 200


def test_without_a_good_key_nothing_is_answered(site, access):
    key = make_key(site, access)["key"]
    body = {"token": "any"}

    missing = site.post(INTROSPECT, body)
    assert_problem(missing, 401, "UNAUTHENTICATED")
    assert missing.headers["WWW-Authenticate"].startswith("Api-Key")
    # A user is not an application.
    assert_problem(site.post(INTROSPECT, body, token=access), 401, "UNAUTHENTICATED")

    prefix, secret = key.split("_")[1:]
    other = "x" if secret[0] != "x" else "y"
    for bad in ("", "otpg_", key[:-1], key + "x", f"otpg_{prefix}_{other}{secret[1:]}", f"otpg_{'0' * 8}_{secret}",
                key.upper(), key.replace("_", "-"), "otpg_" + "%" * 8 + "_" + secret, "' OR 1=1 --"):
        refused = use(site, bad)
        assert_problem(refused, 401, "INVALID_TOKEN" if bad else refused.json()["code"])
        assert refused.headers["WWW-Authenticate"].startswith("Api-Key")


def test_a_key_opens_nothing_that_a_user_opens(site, access):
    key = make_key(site, access, "verify", "verify:caller")["key"]
    for headers in ({"X-API-Key": key}, {"Authorization": f"Api-Key {key}"}, {"Authorization": f"Bearer {key}"}):
        for path in ("/api/v1/auth/me", KEYS, "/api/v1/auth/sessions"):
            assert site.get(path, headers=headers).status_code == 401


def test_a_revoked_key_is_dead_at_once(site, access):
    made = make_key(site, access)
    assert use(site, made["key"]).status_code == 200

    assert site.request("DELETE", f"{KEYS}/{made['id']}", token=access).status_code == 204

    assert_problem(use(site, made["key"]), 401, "INVALID_TOKEN")
    assert listed(site, access) == []
    assert_problem(site.request("DELETE", f"{KEYS}/{made['id']}", token=access), 404, "NOT_FOUND")


def test_keys_end_with_all_that_ends_all_sessions(site, new_address):
    def reset(address, _):
        body = {"email": address, "otp": ask_for_reset(site, address), "password": OTHER}
        return site.post(f"{AUTH}/password-reset", body)

    def change_password(_, access):
        return site.post(f"{AUTH}/password-change", {"current_password": PASSWORD, "new_password": OTHER}, token=access)

    def log_out_everywhere(_, access):
        return site.post(f"{AUTH}/logout-all", {}, token=access)

    def change_address(_, access):
        new = new_address()
        otp_id = site.post(f"{AUTH}/address-change/request", {"destination": new}, token=access).json()["otp_id"]
        body = {"otp_id": otp_id, "otp": site.mailbox.wait_for(new)}
        return site.post(f"{AUTH}/address-change/verify", body, token=access)

    for end in (reset, change_password, log_out_everywhere, change_address):
        address = new_address()
        register(site, address)
        access = sign_in(site, address)["access"]
        key = make_key(site, access, "verify")["key"]
        assert use(site, key).status_code == 200

        assert end(address, access).status_code in (200, 204), end.__name__

        assert_problem(use(site, key), 401, "INVALID_TOKEN")


def test_a_key_is_made_by_a_recent_sign_in_only(site, address):
    signed_in = site.login(address)
    session = uuid.UUID(signed_in["session_id"]).hex
    site.sql(f"UPDATE sessions SET authenticated_at_us = authenticated_at_us - 900000000 WHERE id = x'{session}'")
    body = {"name": "a", "scopes": []}

    problem = assert_problem(site.post(KEYS, body, token=signed_in["access"]), 403, "SIGN_IN_TOO_OLD")

    assert "15 minutes" in problem["detail"]
    assert listed(site, signed_in["access"]) == []
    assert site.post(KEYS, body, token=site.login(address)["access"]).status_code == 201


def test_keys_are_not_made_and_revoked_without_end(site, access):
    statuses = []
    for _ in range(101):
        made = site.post(KEYS, {"name": "k", "scopes": []}, token=access)
        statuses.append(made.status_code)
        if made.status_code == 201:
            site.request("DELETE", f"{KEYS}/{made.json()['id']}", token=access)

    assert statuses == [201] * 100 + [429]


def test_the_keys_of_others_are_out_of_reach(site, access, new_address):
    made = make_key(site, access)
    stranger = site.login(new_address())["access"]

    assert listed(site, stranger) == []
    refused = site.request("DELETE", f"{KEYS}/{made['id']}", token=stranger)
    assert_problem(refused, 404, "NOT_FOUND")
    unknown = site.request("DELETE", f"{KEYS}/0197a000-0000-7000-8000-000000000000", token=stranger)
    assert unknown.json()["detail"] == refused.json()["detail"]
    assert site.request("DELETE", f"{KEYS}/nonsense", token=stranger).status_code == 404
    assert use(site, made["key"]).status_code == 200


def test_a_key_expires(site, access):
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2.5)
    made = make_key(site, access, expires_at=soon.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    assert made["expires_at"] == soon.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert use(site, made["key"]).status_code == 200

    time.sleep(2.7)

    assert_problem(use(site, made["key"]), 401, "INVALID_TOKEN")
    assert [key["id"] for key in listed(site, access)] == [made["id"]]


def test_an_offset_is_understood(site, access):
    assert make_key(site, access, expires_at="2100-01-01T02:30:00+02:30")["expires_at"] == "2100-01-01T00:00:00Z"


@pytest.mark.parametrize("fields, named", [
    ({"name": ""}, "name"), ({"name": "   "}, "name"), ({"name": "a" * 101}, "name"), ({"name": "a\nb"}, "name"), ({"name": 7}, "name"),
    ({"scopes": ["verify", "root"]}, "scopes"), ({"scopes": "verify"}, "scopes"), ({"scopes": [1]}, "scopes"),
    ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"), ({"expires_at": "tomorrow"}, "expires_at"),
    ({"expires_at": "2100-02-30T00:00:00Z"}, "expires_at"), ({"expires_at": 4102444800}, "expires_at"),
    ({"expires_at": "2100-01-01T00:00:00"}, "expires_at"),
])
def test_bad_fields_are_named(site, access, fields, named):
    problem = assert_problem(site.post(KEYS, {"name": "a", "scopes": [], **fields}, token=access), 400, "VALIDATION_ERROR")
    assert [error["field"] for error in problem["errors"]] == [named]


def test_an_unknown_scope_is_told_the_known_ones(site, access):
    problem = site.post(KEYS, {"name": "a", "scopes": ["root"]}, token=access).json()
    assert "verify" in problem["errors"][0]["message"] and "verify:caller" in problem["errors"][0]["message"]


def test_missing_fields_are_named(site, access):
    problem = assert_problem(site.post(KEYS, {}, token=access), 400, "MISSING_FIELDS")
    assert [error["field"] for error in problem["errors"]] == ["name", "scopes"]


def test_the_name_may_be_of_any_language(site, access):
    name = "Zahlungs-Dienst 支払い " + "🔑" * 80
    assert make_key(site, access, name=name)["name"] == name


def test_a_user_has_at_most_50_keys_however_fast_they_are_made(site, access):
    answers = at_once(16, lambda _: [site.post(KEYS, {"name": "k", "scopes": []}, token=access) for _ in range(4)])

    found = outcomes([answer for four in answers for answer in four])
    assert found == {"ok": 50, "CONFLICT": 14}
    keys = listed(site, access)
    assert len(keys) == 50
    site.request("DELETE", f"{KEYS}/{keys[0]['id']}", token=access)
    make_key(site, access)


def test_the_last_use_is_kept_to_the_minute(site, access):
    made = make_key(site, access)
    before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)

    use(site, made["key"])
    [first] = listed(site, access)
    time.sleep(1.1)
    use(site, made["key"])
    [second] = listed(site, access)

    used = datetime.datetime.fromisoformat(first["last_used_at"].replace("Z", "+00:00"))
    assert before <= used <= before + datetime.timedelta(seconds=5)
    assert second["last_used_at"] == first["last_used_at"]


def test_keys_are_a_matter_of_signed_in_users(site):
    assert_problem(site.get(KEYS), 401, "UNAUTHENTICATED")
    assert_problem(site.post(KEYS, {"name": "a", "scopes": []}), 401, "UNAUTHENTICATED")
    assert_problem(site.request("DELETE", f"{KEYS}/0197a000-0000-7000-8000-000000000000"), 401, "UNAUTHENTICATED")


def test_what_is_done_with_keys_is_in_the_audit_trail(site, access):
    made = make_key(site, access)
    site.request("DELETE", f"{KEYS}/{made['id']}", token=access)

    logs = site.get("/api/v1/audit/logs", token=access).json()["results"]
    events = {log["event"]: log for log in logs}
    for event in ("API_KEY_CREATED", "API_KEY_REVOKED"):
        assert events[event]["metadata"] == {"prefix": made["prefix"]}
