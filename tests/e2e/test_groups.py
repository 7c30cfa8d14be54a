"""otpgate group, and who is told of groups; on both engines."""
import json
import uuid

import pytest

from support.keys import Backend
from support.relying_party import RelyingParty, signed_in


@pytest.fixture
def group():
    return f"g-{uuid.uuid4().hex[:8]}"


def run(site, *arguments, code=0):
    done = site.otpgate.run("group", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def groups_of(site, login):
    return site.get("/api/v1/auth/me", token=login["access"]).json()["user"].get("groups")


def test_a_member_is_told_from_the_next_request_on(site, group, address, new_address):
    login, backend = site.login(address), Backend(site, new_address())
    assert "groups" not in login["user"] and "groups" not in backend.introspect(login["access"])
    run(site, "create", group.upper())
    run(site, "create", group)

    run(site, "add", group, address)

    assert groups_of(site, login) == [group]
    assert backend.introspect(login["access"])["groups"] == [group]
    assert site.login(address)["user"]["groups"] == [group]
    run(site, "remove", group, login["user"]["id"])
    run(site, "remove", group, login["user"]["id"])
    assert groups_of(site, login) is None


def test_members_are_listed(site, group, new_address):
    logins = [site.login(new_address()) for _ in range(3)]
    run(site, "create", group)
    run(site, "add", group, *(login["user"]["email"] for login in logins))

    members = json.loads(run(site, "show", group, "--json"))

    assert sorted(user["id"] for user in members) == sorted(login["user"]["id"] for login in logins)
    assert all(user["groups"] == [group] for user in members)
    assert f"{group}  3\n" in run(site, "list")
    assert {"name": group, "members": 3}.items() <= next(
        listed.items() for listed in json.loads(run(site, "list", "--json")) if listed["name"] == group)
    assert all(login["user"]["email"] in run(site, "show", group) for login in logins)
    assert f"groups      {group}\n" in site.otpgate.run("user", "show", logins[0]["user"]["email"]).stdout


def test_a_deleted_group_is_nobodys(site, group, new_address):
    logins = [site.login(new_address()) for _ in range(2)]
    run(site, "create", group)
    run(site, "add", group, *(login["user"]["email"] for login in logins))
    site.request("DELETE", "/api/v1/auth/me", token=logins[1]["access"])

    run(site, "delete", group)
    run(site, "delete", group)

    assert groups_of(site, logins[0]) is None
    run(site, "show", group, code=1)
    assert group not in run(site, "list")


def test_what_cannot_be_done_is_said(site, group, address):
    site.login(address)
    run(site, "create", group)
    for arguments, code in (
        (["add", group], 2), (["create", "a,b"], 2), (["create", "a b"], 2), (["create", "ä"], 2), (["create", "x" * 65], 2),
        (["add", group, "not an address"], 2), (["add", group, "nobody@example.com"], 1), (["add", group + "x", address], 1),
        (["remove", group + "x", address], 1), (["rename", group], 2),
    ):
        run(site, *arguments, code=code)
    # All are found before the first is added.
    run(site, "add", group, address, "nobody@example.com", code=1)
    assert json.loads(run(site, "show", group, "--json")) == []


def test_nobody_puts_himself_into_a_group(site, group, address):
    login = site.login(address)
    run(site, "create", group)

    answer = site.request("PATCH", "/api/v1/auth/profile", json={"groups": [group], "first_name": "x"}, token=login["access"])

    assert answer.status_code == 200 and "groups" not in answer.json()["user"]


def test_the_audit_trail_tells_of_it(site, group, address):
    login = site.login(address)
    run(site, "create", group)
    run(site, "add", group, address)
    run(site, "remove", group, address)

    events = [event for event in site.get("/api/v1/audit/logs", token=login["access"]).json()["results"]
              if event["event"].startswith("GROUP_")]

    assert [event["event"] for event in events] == ["GROUP_LEFT", "GROUP_JOINED"]
    assert all(event["metadata"] == {"group": group} for event in events)


def test_only_members_of_the_allowed_groups_sign_in(make_site, engine, address, new_address):
    site = make_site(engine, **{"accounts.allowed_groups": "staff"})
    stranger, boss = new_address(), new_address()
    for command in (("user", "create", "--email", address), ("user", "create", "--email", boss, "--admin"),
                    ("group", "create", "staff")):
        assert site.otpgate.run(*command).returncode == 0
    # Neither an outsider nor a stranger is told, or sent anything.
    for who in (address, stranger):
        assert site.post("/api/v1/auth/otp/request", {"destination": who}).status_code == 202
    assert site.login(boss)["user"]["role"] == "admin"

    run(site, "add", "staff", address)
    login = site.login(address)
    assert site.get("/api/v1/auth/me", token=login["access"]).status_code == 200
    wiki = RelyingParty(site, "wiki")
    granted = wiki.tokens(signed_in(site, address), scope="openid offline_access")
    assert wiki.userinfo(granted).status_code == 200
    otp_id, code = site.request_code(address)
    run(site, "remove", "staff", address)
    assert wiki.userinfo(granted).status_code == 401 and wiki.refresh(granted["refresh_token"]).status_code == 400
    assert site.get("/api/v1/auth/me", token=login["access"]).status_code == 401
    assert site.post("/api/v1/auth/token/refresh", {"refresh": login["refresh"]}).status_code == 401
    assert site.verify(otp_id, code).json()["code"] == "ACCOUNT_DISABLED"

    run(site, "add", "staff", address)
    assert site.post("/api/v1/auth/token/refresh", {"refresh": login["refresh"]}).status_code == 200
    assert site.mailbox.messages_for(stranger) == [] and len(site.mailbox.messages_for(address)) == 4
