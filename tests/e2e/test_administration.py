"""The API of administrators, through a web server; on both engines."""
import itertools
import json
import time
import uuid

import pytest

from support import ports
from test_cookie_session import Browser

ADMIN = "/api/v1/admin"


@pytest.fixture
def admin(site, new_address):
    """An administrator: its login."""
    address = new_address()
    login = site.login(address)
    done = site.otpgate.run("user", "make-admin", address)
    assert done.returncode == 0, done.stderr
    return login


def pages(get, name):
    """What stands on all pages."""
    cursor = ""
    while cursor is not None:
        page = get(cursor)
        yield from page[name]
        cursor = page["next_cursor"]


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
    login, here = site.login(address), {"client_ip": "203.0.113.7"}
    changes = [("PUT", "/groups/staff", None), ("DELETE", "/groups/staff", None), ("DELETE", f"/api-keys/{login['user']['id']}", None),
               ("POST", "/test-message", {"destination": address})]
    asked = [("GET", path, None) for path in ("/users", "/events", f"/users/{login['user']['id']}", "/groups/staff/members", "/api-keys", "/findings")]
    for method, path, body in asked + changes:
        ask = lambda **options: site.request(method, ADMIN + path, json=body, **options).status_code
        assert (ask(), ask(token=login["access"], **here), ask(**here)) == (404, 403, 401)
    site.otpgate.run("user", "make-admin", address)
    assert site.get(ADMIN + "/users", token=login["access"], **here).status_code == 200
    assert site.get(ADMIN + "/users", token=login["access"], client_ip="198.51.100.7").status_code == 404
    browser = Browser(site, address)
    for method, path, body in changes:  # of another site, which has the browser send its cookie
        assert browser.send(method, ADMIN + path, json=body, **here).json()["code"] == "FORBIDDEN"
    site.sql("UPDATE sessions SET authenticated_at_us = authenticated_at_us - 1000000000")
    for method, path, body in changes:
        assert browser.send(method, ADMIN + path, json=body, csrf=browser.csrf_token, **here).json()["code"] == "SIGN_IN_TOO_OLD"
    assert site.sql("SELECT event FROM audit_events WHERE event LIKE 'GROUP%' OR event LIKE 'TEST%'") == []


def bury(site, address, otp_id):
    """As if the mail server had refused the message with this code for good."""
    message, otp = uuid.uuid4().hex, uuid.UUID(otp_id).hex
    site.sql("INSERT INTO outbox (id, otp_id, channel, purpose, destination, locale, request_id, attempts, last_error,"
             " created_at_us, expires_at_us, available_at_us, dead_at_us, leased)"
             f" SELECT x'{message}', id, channel, purpose, destination, '', 'buried', 1, '550 5.1.1 no such user',"
             " created_at_us, expires_at_us, 9223372036854775807, created_at_us, 0"
             f" FROM otp_requests WHERE id = x'{otp}' AND destination = '{address}'")
    return str(uuid.UUID(message))


def test_a_dead_letter_is_sent_again_unless_its_code_is_void(site, admin, address):
    login, token = site.login(address), admin["access"]
    otp_id, code = site.request_code(address)
    message = bury(site, address, otp_id)
    dead = site.get(f"{ADMIN}/messages?state=dead&limit=200", token=token).json()["messages"]
    [found] = [each for each in dead if each["id"] == message]
    assert (found["last_error"], found["destination"], found["state"]) == ("550 5.1.1 no such user", address, "dead")
    assert one(site, admin, login)["messages"][0]["id"] == message

    assert site.post(f"{ADMIN}/messages/{message}/send-again", token=token).status_code == 204
    assert site.mailbox.wait_for(address) == code
    ports.wait_until(lambda: site.sql(f"SELECT id FROM outbox WHERE destination = '{address}'") == [], 10, "its sending has come to an end")
    [event] = site.get(f"{ADMIN}/events?destination={address}&event=MESSAGE_SENT_AGAIN", token=token).json()["events"]
    assert event["metadata"] == {"by": admin["user"]["id"]}

    bury(site, address, otp_id)
    site.verify(otp_id, code)
    refused = site.post(f"{ADMIN}/users/{login['user']['id']}/send-again", token=token)
    assert (refused.status_code, refused.json()["reason"]) == (409, "its code has been used: it is never sent")
    done = site.otpgate.run("user", "send-again", address)
    assert (done.returncode, done.stderr) == (1, "otpgate: the message its code has been used: it is never sent\n")
    site.sql(f"DELETE FROM outbox WHERE destination = '{address}'")
    assert site.post(f"{ADMIN}/users/{login['user']['id']}/send-again", token=token).status_code == 404


def test_the_service_shows_how_it_is(site, admin, address):
    login, token = site.login(address), admin["access"]
    health = site.get(f"{ADMIN}/health", token=token).json()
    assert [check["fault"] for check in health["checks"]] == [None] * 5
    assert site.get(f"{ADMIN}/statistics", token=token).json()["by"] == "day"
    assert site.otpgate.run("stats", "--by", "hour", "--json").returncode == 0
    assert site.otpgate.run("stats", "--by", "week").returncode == 2

    export = site.get(f"{ADMIN}/users/{login['user']['id']}/export", token=token)
    assert export.json()["user"]["email"] == address and len(export.json()["sessions"]) == 1
    events = site.get(f"{ADMIN}/events?user={login['user']['id']}&event=ACCOUNT_EXPORTED", token=token).json()["events"]
    assert [event["metadata"] for event in events] == [{"by": admin["user"]["id"]}]


def test_groups_are_made_filled_and_removed(site, admin, address):
    login, token, name = site.login(address), admin["access"], f"g{uuid.uuid4().hex}"
    group, user = f"{ADMIN}/groups/{name}", login["user"]["id"]
    ask = lambda method, path: site.request(method, path, token=token)
    assert ask("GET", group + "/members").status_code == ask("DELETE", group).status_code == 404
    assert ask("PUT", f"{ADMIN}/groups/no%20name").json()["errors"][0]["field"] == "group"
    assert [ask("PUT", group).status_code for _ in range(2)] == [204, 204]
    assert ask("PUT", f"{ADMIN}/users/{user}/groups/{name}").status_code == 204
    members = ask("GET", group + "/members").json()
    assert ([each["id"] for each in members["members"]], members["next_cursor"]) == ([user], None)
    assert ask("DELETE", group).status_code == 204
    assert not one(site, admin, login)["user"].get("groups")
    events = [f"GROUP_{what}" for what in ("CREATED", "JOINED", "LEFT", "DELETED")]
    told = [entry for event in events for entry in site.get(f"{ADMIN}/events?event={event}&limit=200", token=token).json()["events"]]
    assert [entry["event"] for entry in told if entry["metadata"].get("group") == name] == events
    assert {entry["metadata"].get("by") for entry in told if entry["metadata"].get("group") == name} == {admin["user"]["id"]}


def test_everybodys_api_keys_are_shown_and_revoked(site, admin):
    token, names = admin["access"], [f"k{uuid.uuid4().hex}" for _ in range(3)]
    made = [site.post("/api/v1/api-keys", {"name": name, "scopes": ["verify"], "send_limit": "2/1h"}, token=token).json() for name in names]
    newest = lambda cursor: site.get(f"{ADMIN}/api-keys?limit=2&cursor={cursor}", token=token).json()
    found = list(itertools.islice(pages(newest, "api_keys"), 3))
    assert [key["id"] for key in found] == [key["id"] for key in reversed(made)]
    assert {(key["owner"]["email"], key["send_limit"]) for key in found} == {(admin["user"]["email"], "2/1h")}
    assert all(key["key"] not in str(found) for key in made)
    revoke = lambda key: site.request("DELETE", f"{ADMIN}/api-keys/{key['id']}", token=token).status_code
    assert [revoke(made[0]), revoke(made[0])] == [204, 404]
    assert site.post("/api/v1/verifications", {"to": "a@example.com"}, headers={"X-API-Key": made[0]["key"]}).status_code == 401
    assert [key["id"] for key in newest("")["api_keys"]] == [made[2]["id"], made[1]["id"]]
    [event] = site.get(f"{ADMIN}/events?user={admin['user']['id']}&event=API_KEY_REVOKED", token=token).json()["events"]
    assert event["metadata"] == {"by": admin["user"]["id"], "prefix": made[0]["prefix"]}


def test_the_doctor_and_a_test_message(site, admin, new_address):
    token, address = admin["access"], new_address()
    told = site.get(f"{ADMIN}/findings", token=token).json()
    known = json.loads(site.otpgate.run("doctor", "--json").stdout)["findings"]
    assert told["well"] and {finding["check"] for finding in told["findings"]} >= {"database", "login", "master key", "mail", "limits"}
    # In the words of the command; what waits to be sent may be another number by now.
    assert all(finding in known for finding in told["findings"] if finding["check"] != "outbox")

    sent = site.post(f"{ADMIN}/test-message", {"destination": address}, token=token)
    assert sent.json()["sent"] and "written to" in sent.json()["said"][-1]
    assert site.mailbox.messages_for(address)[-1]["Subject"] == "Test message of otpgate"
    [event] = site.get(f"{ADMIN}/events?destination={address}", token=token).json()["events"]
    assert (event["event"], event["metadata"]) == ("TEST_MESSAGE_REQUESTED", {"by": admin["user"]["id"]})
    refused = site.post(f"{ADMIN}/test-message", {"destination": "+4930123456"}, token=token)
    assert refused.json()["errors"][0]["field"] == "destination"
    assert [key["state"] for key in site.get(f"{ADMIN}/health", token=token).json()["signing_keys"]] == ["current", "current"]


def test_the_housekeeper_counts_what_happened(make_site, engine, address):
    site = make_site(engine)
    site.otpgate.stop()
    hour = (int(time.time()) // 3600 - 3) * 3600
    begin = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(hour))
    for number, event in enumerate(("LOGIN_FAILED", "LOGIN_FAILED", "OTP_SENT")):
        made = hour * 1000 + number + 1
        site.sql("INSERT INTO audit_events (id, event, created_at_us) VALUES"
                 f" (x'{made:012x}7{number:019x}', '{event}', {made * 1000})")
    site.otpgate.start()
    login = site.login(address)
    site.otpgate.run("user", "make-admin", address)

    def counted():
        answer = site.get(f"{ADMIN}/statistics?by=hour", token=login["access"]).json()
        # Before the housekeeper has looked, the hour that runs stands there alone.
        return answer["periods"][:1] and answer["periods"][0]["begin"] == begin and answer

    answer = ports.wait_until(counted, 10, "the hours are counted")
    assert answer["periods"][0] == {"begin": begin, "events": {"LOGIN_FAILED": 2, "OTP_SENT": 1}}
    # The hour that runs: the login of a moment ago (of the hour before, where that has just ended).
    assert answer["until"] >= answer["counted_until"] and answer["periods"][-1]["events"]["LOGIN_SUCCEEDED"] == 1
    told = site.otpgate.run("stats", "--by", "hour").stdout.splitlines()
    assert told[:2] == [f"{begin}  LOGIN_FAILED  2", f"{begin}  OTP_SENT  1"]


def test_a_key_of_an_application_has_a_limit_of_its_own(site, admin, new_address):
    fields = {"name": "shop", "scopes": ["verify:caller"]}
    made = site.post("/api/v1/api-keys", {**fields, "send_limit": "2/1h"}, token=admin["access"])
    assert (made.status_code, made.json()["send_limit"]) == (201, "2/1h")
    usual = site.post("/api/v1/api-keys", fields, token=admin["access"]).json()

    def ask(key):
        return site.post("/api/v1/verifications", {"to": new_address(), "deliver": "caller"}, headers={"X-API-Key": key})

    assert [ask(made.json()["key"]).status_code for _ in range(3)] == [201, 201, 429]
    assert ask(usual["key"]).status_code == 201
    refused = site.post("/api/v1/api-keys", {**fields, "send_limit": "0"}, token=admin["access"])
    assert refused.json()["errors"][0]["field"] == "send_limit"


def test_applications_are_registered_and_changed(site, admin, address):
    token, clients = admin["access"], f"{ADMIN}/clients"
    name = f"wiki-{uuid.uuid4().hex}"
    one, redirect = f"{clients}/{name}", "https://wiki.example.com/cb"
    ask = lambda method, path, body=None: site.request(method, path, json=body, token=token)

    refused = ask("POST", clients, {"client_id": "The Wiki", "redirect_uris": ["http://wiki/cb"]}).json()
    assert [error["field"] for error in refused["errors"]] == ["client_id", "redirect_uris"]
    assert ask("POST", clients, {"client_id": name}).json()["code"] == "MISSING_FIELDS"
    made = ask("POST", clients, {"client_id": name, "redirect_uris": [redirect], "groups": ["Staff"], "consent": "ask"})
    assert made.status_code == 201 and len(made.json()["client_secret"]) == 43, made.text
    assert ask("POST", clients, {"client_id": name, "redirect_uris": [redirect]}).status_code == 409
    shown = ask("GET", one).json()
    assert shown == {key: value for key, value in made.json().items() if key != "client_secret"}
    assert (shown["title"], shown["groups"], shown["public"], shown["disabled"]) == (name, ["staff"], False, False)
    assert shown in list(pages(lambda cursor: ask("GET", f"{clients}?limit=1&cursor={cursor}").json(), "clients"))

    changed = ask("PATCH", one, {"title": "The wiki", "groups": []})
    assert changed.status_code == 200 and changed.json() == {**shown, "title": "The wiki", "groups": []} == ask("GET", one).json()
    assert ask("PATCH", one, {"redirect_uris": []}).status_code == 400
    renewed = ask("POST", f"{one}/rotate-secret").json()["client_secret"]
    assert renewed != made.json()["client_secret"]
    sign = lambda secret: site.request("POST", "/oauth/token", data={"client_id": name, "client_secret": secret}).json()["error"]
    assert (sign(made.json()["client_secret"]), sign(renewed)) == ("invalid_client", "invalid_request")
    assert ask("POST", f"{one}/disable").status_code == 204 and ask("GET", one).json()["disabled"]
    assert sign(renewed) == "invalid_client"
    assert ask("POST", f"{one}/enable").status_code == 204 and sign(renewed) == "invalid_request"
    assert ask("DELETE", one).status_code == 204 and ask("GET", one).status_code == 404
    for method, path in (("PATCH", one), ("DELETE", one), ("POST", f"{one}/rotate-secret"), ("POST", f"{one}/disable")):
        assert ask(method, path, {} if method == "PATCH" else None).status_code == 404, path

    events = ask("GET", f"{ADMIN}/events?limit=50").json()["events"]
    mine = [event for event in events if event["metadata"].get("client") == name]
    assert [event["event"] for event in mine] == ["CLIENT_DELETED", "CLIENT_ENABLED", "CLIENT_DISABLED", "CLIENT_SECRET_ROTATED",
                                                  "CLIENT_CHANGED", "CLIENT_CREATED"]
    assert {event["metadata"]["by"] for event in mine} == {admin["user"]["id"]}
    assert site.get(clients, token=site.login(address)["access"]).status_code == 403


def test_a_public_application_has_no_secret(site, admin):
    name = f"app-{uuid.uuid4().hex}"
    body = {"client_id": name, "redirect_uris": ["com.example.app:/cb"], "public": True}
    ask = lambda path, body=None: site.request("POST", f"{ADMIN}/clients{path}", json=body, token=admin["access"])
    assert [error["field"] for error in ask("", {**body, "pkce": False}).json()["errors"]] == ["pkce"]
    made = ask("", body)
    assert made.status_code == 201 and made.json()["public"] and "client_secret" not in made.json()
    assert ask(f"/{name}/rotate-secret").status_code == 409
