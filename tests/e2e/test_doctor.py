"""otpgate doctor: each thing that can be wrong with an installation is found and named, with what to do."""
import json
import os
import pathlib
import sqlite3
import time

import pytest

from support import ports
from support.nginx import Nginx
from support.smtp_server import SmtpServer

pytestmark = pytest.mark.one_process

# A site where nothing is wrong: who asks from this machine is not trusted to name another address.
PLAIN = {"server_trusted_proxies": ""}


def examine(site, *options):
    """(exit code, {check: [finding]})."""
    done = site.otpgate.run("doctor", "--json", *options)
    assert not done.stderr, done.stderr
    told = json.loads(done.stdout)
    assert told["well"] == (done.returncode == 0)
    findings = {}
    for finding in told["findings"]:
        assert finding["what"] and finding["level"] in ("good", "doubtful", "wrong")
        assert bool(finding["why"]) == bool(finding["todo"]) == (finding["level"] != "good"), finding
        findings.setdefault(finding["check"], []).append(finding)
    return done.returncode, findings


def level_of(findings, check):
    """The worst that is said of it."""
    return max((finding["level"] for finding in findings[check]), key=("good", "doubtful", "wrong").index)


@pytest.mark.parametrize("engine", ["sqlite", "mysql"])
@pytest.mark.parametrize("web", ["nginx", "apache"])
def test_a_good_installation_is_called_good(make_site, engine, web):
    site = make_site(engine, web=web, **PLAIN)

    code, findings = examine(site)

    assert code == 0, findings
    for check in ("settings", "database", "clock", "migrations", "keys", "login", "master key", "signing key", "outbox",
                  "dead letters", "mail", "sms", "socket", "web server", "client address", "limits"):
        assert level_of(findings, check) == "good", findings[check]
    text = site.otpgate.run("doctor")
    assert text.returncode == 0 and text.stdout.endswith("nothing is wrong\n")
    for check in findings:
        assert f" {check}: " in text.stdout


def test_what_is_wrong_comes_first_with_what_to_do(make_site):
    site = make_site(**PLAIN)
    site.web.stop()

    told = site.otpgate.run("doctor")

    assert told.returncode == 1 and told.stdout.endswith("something is wrong\n")
    lines = told.stdout.splitlines()
    assert lines[0].startswith(f"wrong     web server: nobody answers {site.url}/health/live")
    assert lines[1].startswith("          why it matters: ") and lines[2].startswith("          what to do: ")


def test_a_service_that_does_not_run(make_site):
    site = make_site(**PLAIN)
    site.otpgate.stop()

    code, findings = examine(site)

    assert code == 1
    assert level_of(findings, "socket") == level_of(findings, "web server") == "wrong"
    assert "systemctl start otpgate" in findings["socket"][0]["todo"]
    assert "does not reach otpgate" in findings["web server"][0]["what"]
    site.otpgate.start()
    site.wait_until_reached()
    assert examine(site)[0] == 0


def test_a_socket_that_the_web_server_may_not_use(make_site):
    site = make_site(**PLAIN)
    os.chmod(site.otpgate.socket, 0o600)

    code, findings = examine(site)

    # Who is not root cannot be the web server for a moment, and says so.
    if os.geteuid() == 0:
        assert (code, level_of(findings, "socket")) == (1, "wrong")
        assert "www-data may not use" in findings["socket"][0]["what"] and "socket_group" in findings["socket"][0]["todo"]
    else:
        assert "root is told" in findings["socket"][0]["what"]


def own_nginx(site, new_folder, location):
    """Another nginx before the same service, which public_url leads to from now on."""
    port = ports.free_port()
    server = Nginx(new_folder(), site.otpgate.socket, port=port, inside=(
        f'upstream otpgate {{ server "unix:{site.otpgate.socket}"; }} server {{ listen 127.0.0.1:{port}; location / {{ {location} }} }}'))
    site.otpgate.settings["server.public_url"] = server.url
    site.otpgate.write_config()
    return server.start()


def test_a_web_server_that_hides_the_clients_address(make_site, new_folder):
    site = make_site(web="nginx", **PLAIN)
    shipped = (site.web.folder / "snippets/otpgate_fastcgi.conf").read_text()
    web = own_nginx(site, new_folder, shipped.replace("$remote_addr;", "198.51.100.1;"))
    try:
        code, findings = examine(site)
    finally:
        web.stop()
    assert (code, level_of(findings, "client address")) == (1, "wrong")
    assert "seen as 198.51.100.1" in findings["client address"][0]["what"]


def test_a_site_that_is_somebody_elses(make_site, new_folder):
    site = make_site(**PLAIN)
    web = own_nginx(site, new_folder, "return 200 welcome;")
    try:
        code, findings = examine(site)
    finally:
        web.stop()
    assert (code, level_of(findings, "web server")) == (1, "wrong")
    assert "somebody else answers (200)" in findings["web server"][0]["what"]


def test_addresses_that_anybody_here_may_forge(make_site):
    code, findings = examine(make_site())
    assert (code, level_of(findings, "client address")) == (0, "doubtful")
    code, findings = examine(make_site(server_trusted_proxies="0.0.0.0/0"))
    assert (code, level_of(findings, "client address")) == (1, "wrong")
    assert "trusts everybody" in findings["client address"][0]["what"]


def test_settings_that_are_not_understood(make_site):
    site = make_site(**PLAIN, start=False, otp_lenght=6)
    code, findings = examine(site)
    assert (code, level_of(findings, "settings")) == (1, "wrong") and "otp.lenght" in findings["settings"][0]["what"]


def test_a_master_key_that_is_not_there_or_not_ours(make_site, new_folder):
    site = make_site(**PLAIN)
    key = site.folder / "master.key"
    kept = key.read_bytes()
    key.unlink()
    code, findings = examine(site)
    assert (code, level_of(findings, "settings")) == (1, "wrong") and str(key) in findings["settings"][0]["what"]
    assert site.otpgate.run("keys", "init").returncode == 0
    code, findings = examine(site)
    assert (code, level_of(findings, "keys")) == (1, "wrong") and "keys.master_file" in findings["keys"][0]["todo"]
    key.write_bytes(kept)
    assert site.otpgate.run("keys", "add").returncode == 0
    code, findings = examine(site)
    assert (code, level_of(findings, "master key")) == (0, "doubtful")
    assert "keys promote" in findings["master key"][0]["todo"]


def test_an_old_signing_key(make_site):
    site = make_site(**PLAIN)
    site.sql("UPDATE signing_keys SET created_at_us = 1")
    code, findings = examine(site)
    assert (code, level_of(findings, "signing key")) == (0, "doubtful")


def test_a_database_that_is_not_migrated(make_site):
    site = make_site(**PLAIN, start=False)
    assert site.otpgate.run("keys", "init").returncode == 0
    sqlite3.connect(site.folder / "otpgate.db").close()
    code, findings = examine(site)
    assert (code, level_of(findings, "migrations")) == (1, "wrong")
    assert "otpgate migrate" in findings["migrations"][0]["todo"]


def test_mail_that_cannot_leave_and_mail_that_can(make_site, new_address):
    server = SmtpServer()
    site = make_site(**PLAIN, mail_transport="smtp", mail_smtp_host="127.0.0.1", mail_smtp_port=server.port)
    code, findings = examine(site)
    assert (code, level_of(findings, "mail")) == (1, "wrong") and str(server.port) in findings["mail"][0]["what"]

    site.post("/api/v1/auth/otp/request", {"destination": new_address()})
    site.sql(f"UPDATE outbox SET created_at_us = {int((time.time() - 1800) * 1e6)}")
    code, findings = examine(site)
    assert (code, level_of(findings, "outbox")) == (1, "wrong") and "30 minutes" in findings["outbox"][0]["what"]
    site.sql("UPDATE outbox SET dead_at_us = created_at_us")
    site.otpgate.stop()

    server.start()
    try:
        _, findings = examine(site)
        assert level_of(findings, "mail") == "good" and not server.received
        _, findings = examine(site, "--send-mail", "ann@example.com")
        assert level_of(findings, "test mail") == "good" and len(server.received) == 1
        server.refuse_recipients("550 no such user")
        _, findings = examine(site, "--send-mail", "ann@example.com")
        assert level_of(findings, "test mail") == "wrong" and "550" in findings["test mail"][0]["what"]
    finally:
        server.stop()
    wrong = site.otpgate.run("doctor", "--send-mail", "nobody")
    assert wrong.returncode == 2 and "not an e-mail address" in wrong.stderr


def test_limits_that_are_off(make_site):
    site = make_site(**PLAIN, limits_request_per_destination="0", limits_guesses_per_destination="0")
    code, findings = examine(site)
    assert (code, level_of(findings, "limits")) == (0, "doubtful")
    assert "limits.request_per_destination, limits.guesses_per_destination are off" in findings["limits"][0]["what"]


def test_settings_that_allow_more_than_is_meant(make_site, new_folder):
    token = pathlib.Path(new_folder())
    token.write_text("0123456789abcdef\n")
    site = make_site(**PLAIN, environment="production", sms_transport="twilio", sms_twilio_account_sid="AC" + "0" * 32,
                     sms_twilio_auth_token_file=token, sms_from="+15005550006", abuse_challenge_by="turnstile",
                     abuse_challenge_site_key="0x4AAA", abuse_challenge_secret_file=token)
    _, findings = examine(site)
    told = {check: [finding["what"] for finding in findings[check] if finding["level"] == "doubtful"] for check in ("sms", "human check")}
    assert told == {"sms": ["sms.allowed_prefixes is empty: SMS go to every country"],
                    "human check": ["abuse.challenge_by is set, and abuse.challenge is off"]}


def test_development_in_public(make_site):
    site = make_site(**PLAIN, server_public_url="https://login.example.org")
    _, findings = examine(site)
    assert "environment is development" in str([finding["what"] for finding in findings["settings"] if finding["level"] == "wrong"])


def test_passkeys_that_no_browser_finds_any_more(make_site):
    site = make_site(**PLAIN)
    site.sql("INSERT INTO passkey_site (id, rp_id, since_us) VALUES (1, 'localhost', 1)")
    assert level_of(examine(site)[1], "passkeys") == "good"
    site.otpgate.settings["passkeys.enabled"] = "false"
    site.otpgate.write_config()
    assert level_of(examine(site)[1], "passkeys") == "doubtful"
    site.otpgate.settings["passkeys.enabled"] = "true"
    site.otpgate.write_config()
    site.sql("UPDATE passkey_site SET rp_id = 'login.example.org'")
    code, findings = examine(site)
    assert (code, level_of(findings, "passkeys")) == (1, "wrong")
    assert "made for login.example.org, and the settings say localhost" in findings["passkeys"][0]["what"]
    # It starts all the same, and says so.
    site.otpgate.restart()
    assert "the passkeys are lost" in site.otpgate.log()


def test_what_is_for_tests_only_is_wrong_elsewhere(make_site):
    site = make_site(**PLAIN, environment="production", sms_transport="mock")
    _, findings = examine(site)
    for check in ("mail", "sms"):
        assert level_of(findings, check) == "wrong", findings[check]
    assert level_of(findings, "settings") == "doubtful"  # a public_url of localhost
