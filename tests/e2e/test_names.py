"""User names: one account's alone, for ever, whoever tries whatever way; on both engines."""
import json
import uuid

import pytest

from support.keys import Backend
from test_concurrency import at_once
from test_login_flow import assert_problem

PROFILE = "/api/v1/auth/profile"


@pytest.fixture
def new_name():
    """A name that nobody had before."""
    return lambda: f"n{uuid.uuid4().hex[:12]}"


@pytest.fixture
def backend(site, new_address):
    return Backend(site, new_address())


def choose(site, access, name, **fields):
    return site.request("PATCH", PROFILE, json={"username": name, **fields}, token=access)


def assert_refused(answer):
    assert [error["field"] for error in assert_problem(answer, 400, "VALIDATION_ERROR")["errors"]] == ["username"]


def age(site, access_holder, minutes):
    """Moves the clock of one session's sign-in."""
    hexed = access_holder["session_id"].replace("-", "").upper()
    site.sql(f"UPDATE sessions SET authenticated_at_us = authenticated_at_us - {minutes * 60_000_000} WHERE HEX(id) = '{hexed}'")


def test_a_name_is_chosen_once(site, backend, address, new_name):
    login, name = site.login(address), new_name()
    assert login["user"]["username"] == address

    chosen = choose(site, login["access"], name.upper())

    assert chosen.status_code == 200, chosen.text
    assert chosen.json()["user"]["username"] == name
    assert choose(site, login["access"], name).status_code == 200
    assert_refused(choose(site, login["access"], new_name()))
    # What somebody shows already is no wish: clients send back what they got.
    assert choose(site, login["access"], name, first_name="Ada").json()["user"]["first_name"] == "Ada"
    assert backend.introspect(login["access"])["username"] == name
    assert site.login(address)["user"]["username"] == name
    assert json.loads(site.otpgate.run("user", "show", name.upper(), "--json").stdout)["email"] == address


def test_who_has_no_name_shows_the_address_of_today(site, address, new_address):
    login = site.login(address)
    sent_back = site.request("PUT", PROFILE, json={**login["user"], "first_name": "Ada"}, token=login["access"])
    assert sent_back.status_code == 200, sent_back.text
    new = new_address()
    asked = site.post("/api/v1/auth/address-change/request", {"destination": new}, token=login["access"]).json()
    body = {"otp_id": asked["otp_id"], "otp": site.mailbox.wait_for(new)}

    changed = site.post("/api/v1/auth/address-change/verify", body, token=login["access"])

    assert changed.json()["user"]["username"] == new


def test_nobody_gets_a_name_that_somebody_has_or_had(site, new_address, new_name):
    owner, thief = (site.login(new_address()) for _ in range(2))
    name = new_name()
    assert choose(site, owner["access"], name).status_code == 200

    for spelled in (name, name.upper(), f" {name} "):
        assert_refused(choose(site, thief["access"], spelled))
    forced = site.otpgate.run("user", "set-username", thief["user"]["id"], name)
    assert forced.returncode == 1 and "somebody else's" in forced.stderr
    # Nor when its owner is gone, nor who comes with his address.
    assert site.request("DELETE", "/api/v1/auth/me", token=owner["access"]).status_code == 204
    assert_refused(choose(site, thief["access"], name))
    heir = site.login(owner["user"]["email"])
    assert_refused(choose(site, heir["access"], name))
    assert heir["user"]["username"] == owner["user"]["email"]


@pytest.mark.parametrize("name", [
    "somebody@example.com", "+4930123456", "4930123456", "019dd1b0-1111-7222-8333-444455556666", "аdmin", "ａｄｍｉｎ",
    "ſmith", "ad\u200bmin", "ad\u00admin", "adm\u0131n", "admin", "ADMIN", " Root ", "postmaster", "no-reply", "ada\u0301",
    "李", "a", ".ada", "ada-", "ada lovelace", "x" * 65, "../ada", "ada,staff",
])
def test_nobody_takes_a_name_for_somebody_else(site, address, name):
    login = site.login(address)

    assert_refused(choose(site, login["access"], name))

    assert site.get("/api/v1/auth/me", token=login["access"]).json()["user"]["username"] == address


def test_not_even_the_address_of_another(site, new_address):
    owner, thief = (site.login(new_address()) for _ in range(2))

    assert_refused(choose(site, thief["access"], owner["user"]["email"]))
    # As a display name it is nothing that anybody is told apart by.
    shown = site.request("PATCH", PROFILE, json={"display_name": owner["user"]["email"]}, token=thief["access"]).json()["user"]
    assert (shown["username"], shown["display_name"]) == (thief["user"]["email"], owner["user"]["email"])


def test_of_two_at_once_one_gets_it(site, backend, new_address, new_name):
    logins, name = [site.login(new_address()) for _ in range(8)], new_name()

    answers = at_once(8, lambda i: choose(site, logins[i]["access"], name))

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    named = [login for login in logins if backend.introspect(login["access"])["username"] == name]
    assert len(named) == 1


def test_a_name_for_ever_needs_a_fresh_sign_in(site, address, new_name):
    login = site.login(address)
    age(site, login, 16)

    assert_problem(choose(site, login["access"], new_name()), 403, "SIGN_IN_TOO_OLD")

    free = site.request("PATCH", PROFILE, json={"display_name": "Ada"}, token=login["access"])
    assert free.json()["user"]["display_name"] == "Ada"


def test_an_administrator_gives_any_name_that_is_free(site, address, new_name):
    login = site.login(address)
    for arguments, code in ((["no name"], 2), (["x@example.com"], 2), ([], 2)):
        assert site.otpgate.run("user", "set-username", address, *arguments).returncode == code

    for name in (new_name(), f"{new_name()}.b", "postmaster"):
        done = site.otpgate.run("user", "set-username", address, name)
        assert done.returncode == 0, done.stderr
        assert f"username    {name}\n" in done.stdout
    assert site.get("/api/v1/auth/me", token=login["access"]).json()["user"]["username"] == "postmaster"
    # Found by it, and by no other.
    assert address in site.otpgate.run("user", "show", "postmaster").stdout
    rows = site.sql("SELECT e.metadata FROM audit_events e JOIN users u ON u.id = e.user_id"
                    f" WHERE e.event = 'PROFILE_UPDATED' AND u.email = '{address}'")
    assert rows and all(json.loads(row[0]) == {"fields": ["username"]} for row in rows)


def test_a_migration_says_what_it_made_of_the_names_of_older_versions(make_site, engine):
    site = make_site(engine)
    first, second = site.login("first@example.com"), site.login("second@example.com")
    third = site.login("third@example.com")
    for login, old in ((first, "Ada"), (second, "ADA"), (third, "Ada L.")):
        site.sql(f"UPDATE users SET username = '{old}', display_name = NULL WHERE email = '{login['user']['email']}'")

    done = site.otpgate.run("migrate")

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert f'user {second["user"]["id"]} lost the user name "ADA" (another account\'s): it is the display name now' in lines
    assert f'user {third["user"]["id"]} lost the user name "Ada L." (does not fit): it is the display name now' in lines
    assert "user names: 1 kept, 2 are display names now, 0 were former addresses and are no more" in lines
    shown = [site.get("/api/v1/auth/me", token=login["access"]).json()["user"] for login in (first, second, third)]
    assert [(user["username"], user["display_name"]) for user in shown] == [
        ("ada", "Ada"), ("second@example.com", "ADA"), ("third@example.com", "Ada L.")]
    assert "user" not in site.otpgate.run("migrate").stdout
