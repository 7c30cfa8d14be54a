"""otpgate user: what an administrator does by hand; on both engines."""
import json
import subprocess

import pytest
from support.otpgate import BINARY
from test_passwords import AUTH, PASSWORD, login


def run(site, *arguments, stdin=""):
    return subprocess.run(
        [BINARY, "user", *arguments, "--config", site.otpgate.config], input=stdin, capture_output=True, text=True,
        env=site.otpgate.env, timeout=60, check=False,
    )


def shown(site, who):
    done = run(site, "show", who, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_create_makes_a_user_who_can_log_in(site, address):
    done = run(site, "create", "--email", address.upper(), "--admin", "--password-stdin", stdin=PASSWORD + "\n")

    assert done.returncode == 0, done.stderr
    assert address in done.stdout
    user = shown(site, address)
    assert (user["email"], user["email_verified"], user["role"], user["status"]) == (address, True, "admin", "active")
    assert login(site, address).status_code == 202


def test_create_by_telephone_number_and_for_json(site):
    done = run(site, "create", "--phone", "+15550001234", "--json")

    assert done.returncode == 0, done.stderr
    user = json.loads(done.stdout)
    assert (user["phone_number"], user["phone_verified"], user["email"]) == ("+15550001234", True, None)
    assert shown(site, "+15550001234")["id"] == user["id"]
    assert shown(site, user["id"]) == user


def test_create_refuses_a_taken_address_and_a_weak_password(site, address):
    weak = run(site, "create", "--email", address, "--password-stdin", stdin="password\n")
    assert weak.returncode == 1
    assert "password" in weak.stderr and not weak.stdout
    assert run(site, "create", "--email", address).returncode == 0

    taken = run(site, "create", "--email", address)

    assert taken.returncode == 1
    assert len(taken.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [[], ["create"], ["create", "--email"], ["create", "--email", "x"], ["create", "--phone", "1"], ["show"],
     ["show", "not an address"], ["promote", "a@example.com"], ["list", "x"], ["show", "a@example.com", "b@example.com"],
     ["disable", "a@example.com", "--admin"]],
)
def test_wrong_arguments_are_2(site, arguments):
    done = run(site, *arguments)

    assert done.returncode == 2, done
    assert "usage: otpgate user" in done.stderr


def test_who_is_not_there_is_1(site, new_address):
    for action in ("show", "disable", "enable", "make-admin", "delete"):
        done = run(site, action, new_address())
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done


def test_help_says_what_there_is(site):
    done = run(site, "--help")

    assert done.returncode == 0
    for word in ("create", "list", "show", "disable", "enable", "make-admin", "delete", "--password-stdin", "--json"):
        assert word in done.stdout


def test_disable_ends_sessions_at_once_and_enable_lets_in_again(site, address):
    tokens = site.login(address)

    assert run(site, "disable", address).returncode == 0

    assert site.get(f"{AUTH}/me", token=tokens["access"]).status_code == 401
    assert site.get("/authz", token=tokens["access"]).status_code == 401
    assert run(site, "disable", address).returncode == 0
    assert shown(site, address)["status"] == "disabled"
    assert run(site, "enable", tokens["user"]["id"]).returncode == 0
    assert site.get(f"{AUTH}/me", token=tokens["access"]).status_code == 401
    assert site.login(address)["user"]["id"] == tokens["user"]["id"]
    hex_id = tokens["user"]["id"].replace("-", "")
    events = site.sql("SELECT event FROM audit_events WHERE event IN ('USER_DISABLED', 'USER_ENABLED')"
                      f" AND HEX(user_id) = UPPER('{hex_id}') ORDER BY id")
    assert events == [["USER_DISABLED"], ["USER_ENABLED"]]


def test_make_admin_and_back(site, address):
    token = site.login(address)["access"]

    assert run(site, "make-admin", address).returncode == 0
    assert site.get(f"{AUTH}/me", token=token).json()["user"]["role"] == "admin"
    assert run(site, "make-user", address).returncode == 0
    assert site.get(f"{AUTH}/me", token=token).json()["user"]["role"] == "user"


def test_delete_removes_the_user(site, address):
    token = site.login(address)["access"]

    assert run(site, "delete", address).returncode == 0

    assert site.get(f"{AUTH}/me", token=token).status_code == 401
    assert run(site, "show", address).returncode == 1


def test_list_shows_everybody(make_site, engine):
    site = make_site(engine)
    addresses = [f"p{number}@example.com" for number in range(3)]
    for address in addresses:
        assert run(site, "create", "--email", address).returncode == 0

    plain, as_json = run(site, "list"), run(site, "list", "--json")

    assert [line.split()[4] for line in plain.stdout.splitlines()] == addresses
    assert [user["email"] for user in json.loads(as_json.stdout)] == addresses


def test_an_empty_list_is_json_too(make_site, engine):
    assert json.loads(run(make_site(engine), "list", "--json").stdout) == []
