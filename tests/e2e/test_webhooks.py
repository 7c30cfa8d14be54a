"""Webhooks: events that are posted to other servers, signed, once they have happened. On both engines."""
import json
import os
import pathlib
import socket
import subprocess
import time

import pytest

from conftest import PATIENT
from support import ports
from support.site import FCGID, USUAL, Site
from support.webhook_receiver import WebhookReceiver, check

ROOT = pathlib.Path(__file__).resolve().parents[2]
AUTH, ADMIN = "/api/v1/auth", "/api/v1/admin/webhooks"
# By hand: OTPGATE_OUTAGE_SECONDS=3600 tests/run e2e -- -k receiver_is_down
OUTAGE = float(os.environ.get("OTPGATE_OUTAGE_SECONDS", 0))
KILLS = 3
MONITOR = "192.0.2.9"


@pytest.fixture(scope="module")
def own(engine, new_folder, request):
    """A site that may post into this machine."""
    mysql = request.getfixturevalue("mysql") if engine == "mysql" else None
    settings = {**PATIENT, "webhooks.receivers": "any", "metrics.allowed_addresses": MONITOR}
    with Site(new_folder(), engine=engine, mysql=mysql, settings=settings) as running:
        yield running


@pytest.fixture
def receiver():
    running = WebhookReceiver()
    yield running
    running.stop()


def command(site, *arguments, code=0):
    done = site.otpgate.run("webhook", *arguments)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.fixture
def hook(own, receiver):
    made = json.loads(command(own, "add", receiver.url, "--json"))
    # From then on the service knows of it.
    command(own, "test", made["id"])
    yield made
    command(own, "delete", made["id"])


def assert_signed(receiver, secret):
    for headers, body in receiver.seen:
        assert headers["content-type"] == "application/json" and check(secret, headers, body.encode()), body
        assert not check(secret, headers, body.encode() + b" ")


def test_what_happens_is_told_without_an_address(own, receiver, hook, address):
    login = own.login(address)
    user, session = login["user"]["id"], login["session_id"]
    assert own.request("PATCH", f"{AUTH}/profile", json={"display_name": "Ann"}, token=login["access"]).status_code == 200
    assert own.post(f"{AUTH}/logout", token=login["access"]).status_code in (200, 204)
    other = own.login(address)
    for action in ("disable", "enable", "delete"):
        assert own.otpgate.run("user", action, address).returncode == 0

    told = receiver.wait_for("user.created", "session.created", "session.created", "user.updated", "session.ended", "session.ended",
                             "user.disabled", "user.enabled", "user.deleted")

    assert_signed(receiver, hook["secret"])
    assert ("webhook.test", {}) in told
    assert ("user.created", {"user_id": user}) in told
    assert ("user.updated", {"user_id": user, "changed": "profile"}) in told
    ended = {data["session_id"]: data for kind, data in told if kind == "session.ended"}
    assert set(ended) == {data["session_id"] for kind, data in told if kind == "session.created"} == {session, other["session_id"]}
    assert all(data["user_id"] == user and isinstance(data["exp"], int) for data in ended.values())
    assert len(told) == 10
    assert address not in str(receiver.seen)


def test_the_verifier_of_standard_webhooks_accepts_it(own, receiver, hook, address):
    done = subprocess.run([ROOT / "tests/npm/install", "webhooks"], check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    program = pathlib.Path(done.stdout.strip()) / "verify.mjs"
    program.write_text((ROOT / "tests/npm/webhooks/verify.mjs").read_text())
    headers, body = receiver.seen[0]

    def verified(secret):
        asked = json.dumps({"secret": secret, "headers": headers, "body": body})
        return subprocess.run(["node", program], input=asked, capture_output=True, text=True, check=False)

    assert json.loads(verified(hook["secret"]).stdout)["type"] == "webhook.test"
    assert verified("whsec_" + "A" * 43 + "=").returncode != 0


def test_nothing_is_lost_while_the_receiver_is_down_and_the_service_is_killed(own, receiver, hook, new_address):
    receiver.stop()
    users = set()
    for _ in range(KILLS):
        users.update(own.login(new_address())["user"]["id"] for _ in range(2))
        time.sleep(OUTAGE / KILLS)
        own.otpgate.kill()
        own.otpgate.restart()
    receiver.start()
    command(own, "retry", hook["id"])

    told = receiver.wait_for(*["user.created"] * 6, *["session.created"] * 6)

    # Each under an id of its own, whose repetitions are one.
    assert {data["user_id"] for kind, data in told if kind == "user.created"} == users
    assert sorted(kind for kind, _ in told) == ["session.created"] * 6 + ["user.created"] * 6 + ["webhook.test"]
    assert json.loads(command(own, "list", "--json"))[0]["state"] == "active"


def test_a_failure_is_said_and_gone_is_gone(own, receiver, hook):
    receiver.status = 410
    assert "status 410" in command(own, "test", hook["id"], code=1)
    (shown,) = json.loads(command(own, "list", "--json"))
    assert (shown["state"], shown["dead"], shown["last_fault"]) == ("disabled", 1, "status 410")
    metrics = own.get("/metrics", client_ip=MONITOR).text
    if USUAL != FCGID:  # where `otpgate deliver` posts, and has no metrics of its own
        assert 'otpgate_notices_posted_total{receiver="webhook",result="gone"} 1' in metrics
    assert "otpgate_webhook_dead_notices 1\n" in metrics and "otpgate_webhook_failing_seconds 0\n" in metrics
    found = json.loads(own.otpgate.run("doctor", "--json").stdout)["findings"]
    assert [each["level"] for each in found if each["check"] == "webhooks"] == ["doubtful"]
    receiver.status = 204
    command(own, "retry", hook["id"])
    receiver.wait_for("webhook.test", "webhook.test")


def test_an_administrator_has_them_in_the_api(own, receiver, address):
    admin = own.login(address)
    assert own.otpgate.run("user", "make-admin", address).returncode == 0
    token = admin["access"]
    made = own.post(ADMIN, {"url": receiver.url, "events": ["session.ended"]}, token=token)
    assert made.status_code == 201, made.text
    path = f"{ADMIN}/{made.json()['id']}"
    event = own.post(path + "/test", token=token).json()["event_id"]
    receiver.wait_for("webhook.test")
    assert receiver.seen[0][0]["webhook-id"] == event

    # While it is changed over, either secret is right.
    secret = own.post(path + "/rotate-secret", token=token).json()["secret"]
    own.post(path + "/test", token=token)
    receiver.wait_for("webhook.test", "webhook.test")
    assert not check(secret, receiver.seen[0][0], receiver.seen[0][1].encode())
    for each in (secret, made.json()["secret"]):
        assert check(each, receiver.seen[1][0], receiver.seen[1][1].encode())
    assert own.get(path, token=token).json()["state"] == "active"
    assert own.post(path + "/retry", token=token).status_code == 204
    assert [each["id"] for each in own.get(ADMIN, token=token).json()["webhooks"]] == [made.json()["id"]]
    assert secret not in own.get(ADMIN, token=token).text
    assert own.request("DELETE", path, token=token).status_code == 204
    assert own.get(path, token=token).status_code == own.request("DELETE", path, token=token).status_code == 404
    bad = own.post(ADMIN, {"url": "https://ann@shop.example.com/", "events": ["user.created", "user.gone"]}, token=token)
    assert {error["field"] for error in bad.json()["errors"]} == {"url", "events"}
    trail = own.get("/api/v1/admin/events?event=WEBHOOK_ADDED", token=token).json()["events"][0]
    assert trail["metadata"] == {"by": admin["user"]["id"], "webhook": made.json()["id"]}
    assert own.post(ADMIN, {"url": receiver.url}, token=own.login("other-" + address)["access"]).status_code == 403


def test_the_command_makes_a_new_secret(own, receiver, hook):
    shown = dict(line.split() for line in command(own, "rotate-secret", hook["id"]).splitlines())
    assert shown["secret"].startswith("whsec_") and shown["secret"] != hook["secret"]
    assert shown["id"] == hook["id"] and shown["url"] == receiver.url
    command(own, "test", hook["id"])
    # Both sign, until whoever receives knows the new one.
    headers, body = receiver.seen[-1]
    assert check(shown["secret"], headers, body.encode()) and check(hook["secret"], headers, body.encode())


def test_the_command_names_what_is_not_there(site):
    nobody = "00000000-0000-7000-8000-000000000000"
    for action in ("test", "retry", "rotate-secret", "delete"):
        assert f"there is no such webhook: {nobody}" in command(site, action, nobody, code=1), action


def test_no_private_address_is_connected_to(site):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        made = json.loads(command(site, "add", f"https://localhost:{listener.getsockname()[1]}/", "--json"))
        assert "no public address" in command(site, "test", made["id"], code=1)
        with pytest.raises(TimeoutError):
            listener.accept()
    command(site, "delete", made["id"])
    assert "webhooks.receivers" in command(site, "add", f"http://127.0.0.1:{ports.free_port()}/", code=2)
