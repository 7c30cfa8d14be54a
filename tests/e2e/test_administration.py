"""The API of administrators, through a web server; on both engines."""
import pytest

ADMIN = "/api/v1/admin"


@pytest.fixture
def admin(site, new_address):
    """An administrator: its login."""
    address = new_address()
    login = site.login(address)
    done = site.otpgate.run("user", "make-admin", address)
    assert done.returncode == 0, done.stderr
    return login


def one(site, admin, login):
    answer = site.get(f"{ADMIN}/users/{login['user']['id']}", token=admin["access"])
    assert answer.status_code == 200, answer.text
    return answer.json()


def guesses_left(shown):
    return next(limit["remaining"] for limit in shown["limits"] if limit["counted"] == "guesses")


def test_support_finds_out_why_and_helps(site, admin, address, new_address):
    login, path = site.login(address), None
    otp_id, code = site.request_code(address)
    site.verify(otp_id, "000000" if code != "000000" else "111111")
    path = f"{ADMIN}/users/{login['user']['id']}"

    found = site.get(f"{ADMIN}/users?search={address.split('@')[0].upper()}", token=admin["access"]).json()
    shown = one(site, admin, login)

    assert [user["id"] for user in found["users"]] == [login["user"]["id"]] and found["next_cursor"] is None
    left = guesses_left(shown)
    assert {"OTP_SENT", "OTP_FAILED", "LOGIN_SUCCEEDED"} <= {event["event"] for event in shown["events"]}
    assert len(shown["sessions"]) == len(shown["devices"]) == 1
    assert code not in str(shown)
    assert site.request("DELETE", path + "/limits", token=admin["access"]).status_code == 204
    assert guesses_left(one(site, admin, login)) == left + 1
    other = new_address()
    assert site.request("PUT", path + "/address", json={"email": other}, token=admin["access"]).status_code == 204
    assert site.get("/api/v1/auth/me", token=login["access"]).status_code == 401
    shown = one(site, admin, login)
    assert (shown["user"]["email"], shown["sessions"], shown["devices"]) == (other, [], [])
    by = {event["event"]: event["metadata"].get("by") for event in shown["events"]}
    assert by["LIMITS_CLEARED"] == by["ADDRESS_CHANGED"] == admin["user"]["id"]
    assert site.login(other)["user"]["id"] == login["user"]["id"]


def test_an_account_is_disabled_and_deleted(site, admin, address):
    login, token = site.login(address), admin["access"]
    path = f"{ADMIN}/users/{login['user']['id']}"
    assert site.request("DELETE", f"{path}/sessions/{login['session_id']}", token=token).status_code == 204
    assert site.get("/api/v1/auth/me", token=login["access"]).status_code == 401
    assert site.post(path + "/disable", token=token).status_code == 204
    assert one(site, admin, login)["user"]["status"] == "disabled"
    assert site.post(path + "/enable", token=token).status_code == 204
    assert site.request("DELETE", path + "/sessions", token=token).status_code == 204
    assert site.request("DELETE", path, token=token).status_code == 204
    assert site.get(path, token=token).status_code == 404
    events = site.get(f"{ADMIN}/events?user={login['user']['id']}&event=USER_DELETED", token=token).json()["events"]
    assert [event["metadata"] for event in events] == [{"by": admin["user"]["id"]}]
    assert site.post(f"{ADMIN}/users/{admin['user']['id']}/disable", token=token).status_code == 403


def test_commands_do_the_same(site, admin, address, new_address):
    login, other = site.login(address), new_address()
    for command in (("end-sessions", address), ("clear-limits", address), ("set-address", address, other)):
        done = site.otpgate.run("user", *command)
        assert done.returncode == 0, done.stderr
    shown = one(site, admin, login)
    assert (shown["user"]["email"], shown["sessions"]) == (other, [])
    assert {"LIMITS_CLEARED", "SESSION_REVOKED", "ADDRESS_CHANGED"} <= {event["event"] for event in shown["events"]}
    assert site.otpgate.run("user", "set-address", other, "nothing").returncode == 2
    assert site.otpgate.run("user", "set-address", other, admin["user"]["email"]).returncode == 1


def test_nobody_else_gets_in(make_site, address):
    site = make_site(admin_allowed_addresses="203.0.113.7", server_trusted_proxies="127.0.0.1")
    login = site.login(address)
    for path in ("/users", "/events", f"/users/{login['user']['id']}"):
        assert site.get(ADMIN + path).status_code == 404
        assert site.get(ADMIN + path, token=login["access"], client_ip="203.0.113.7").status_code == 403
        assert site.get(ADMIN + path, client_ip="203.0.113.7").status_code == 401
    site.otpgate.run("user", "make-admin", address)
    assert site.get(ADMIN + "/users", token=login["access"], client_ip="203.0.113.7").status_code == 200
    assert site.get(ADMIN + "/users", token=login["access"], client_ip="198.51.100.7").status_code == 404
