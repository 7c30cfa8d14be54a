"""Codes that leave through Postfix, as most hosts have it: STARTTLS or TLS from the first byte, and a login by SASL."""
import subprocess

import pytest

from support import ports
from support.certificates import Authority
from support.mailbox import code_in
from support.postfix import Postfix

REQUEST = "/api/v1/auth/otp/request"
USER, PASSWORD = "mailer", "p4ss word:with=odd;characters"


@pytest.fixture(scope="module")
def authority(new_folder):
    return Authority(new_folder())


@pytest.fixture(scope="module")
def postfix(new_folder, authority):
    server = Postfix(new_folder(), authority, USER, PASSWORD).start()
    yield server
    server.stop()


@pytest.fixture
def postfix_site(make_site, postfix, authority):
    """A site that sends by Postfix; settings of [mail] as keywords win."""

    def make(security="starttls", port=None, **settings):
        chosen = {
            "mail_transport": "smtp", "mail_smtp_host": "localhost", "mail_smtp_security": security,
            "mail_smtp_port": port or {"starttls": postfix.submission, "tls": postfix.submissions}[security],
            "mail_smtp_ca_file": authority.ca_file, "mail_smtp_username": USER, "mail_smtp_password": PASSWORD,
            "mail_from": "Example Login <login@example.com>",
        }
        return make_site("sqlite", **{**chosen, **settings})

    return make


def logged(site, *words):
    """Waits for a line of the log that holds all of the words."""

    def found():
        return [line for line in site.otpgate.log().splitlines() if all(word in line for word in words)]

    return ports.wait_until(found, 15, f"a line with {words} in the log")[0]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_code_arrives_and_lets_its_owner_in(postfix_site, postfix, new_address, security):
    site = postfix_site(security)
    address = new_address()

    otp_id = site.post(REQUEST, {"destination": address}).json()["otp_id"]
    message = postfix.wait_for_message(address)
    answer = site.verify(otp_id, code_in(message))

    assert answer.status_code == 200, answer.text
    assert message["Return-Path"] == "<login@example.com>"
    assert message["Delivered-To"] == address
    assert "with ESMTPSA" in message["Received"]
    assert not message.defects
    assert f"sasl_username={USER}" in postfix.log()
    assert PASSWORD not in site.otpgate.log() and address not in site.otpgate.log()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_of_an_unknown_authority_is_refused_by_name(postfix_site, new_folder, address, security):
    other = Authority(new_folder(), name="somebody else's")
    site = postfix_site(security, mail_smtp_ca_file=other.ca_file)

    assert site.post(REQUEST, {"destination": address}).status_code == 202

    line = logged(site, "message not sent")
    port = site.settings["mail.smtp_port"]
    assert f"localhost:{port}: TLS: the certificate of localhost is signed by an unknown authority" in line
    assert "mail.smtp_ca_file" in line
    shown = site.otpgate.run("mail-test", address)
    assert shown.returncode == 1
    assert "is signed by an unknown authority" in shown.stdout and "mail.smtp_ca_file" in shown.stdout
    assert "C: AUTH" not in shown.stdout and "C: MAIL" not in shown.stdout


def test_a_wrong_password_is_refused_by_name(postfix_site, address):
    site = postfix_site(mail_smtp_password="wr0ng-p4ssword")

    assert site.post(REQUEST, {"destination": address}).status_code == 202

    line = logged(site, "message not sent")
    assert "AUTH: 535 5.7.8: mail.smtp_username or its password is wrong" in line
    shown = site.otpgate.run("mail-test", address)
    assert shown.returncode == 1
    assert "AUTH: 535 5.7.8: mail.smtp_username or its password is wrong" in shown.stdout
    assert "what to change: " in shown.stdout
    assert "wr0ng-p4ssword" not in shown.stdout + site.otpgate.log()


def test_a_denied_relay_is_refused_and_explained(postfix_site, postfix):
    site = postfix_site("none", postfix.plain, mail_smtp_username="", mail_smtp_password="")

    assert site.post(REQUEST, {"destination": "someone@elsewhere.example"}).status_code == 202

    assert "Relay access denied" in logged(site, "message refused", "554 5.7.1")
    assert "someone@elsewhere.example" not in site.otpgate.log()
    shown = site.otpgate.run("mail-test", "someone@elsewhere.example")
    assert shown.returncode == 1
    assert "S: 554 5.7.1" in shown.stdout
    assert "what to change: the server takes mail for others only from whom it knows" in shown.stdout


@pytest.mark.parametrize("security,protocol", [("starttls", "C: STARTTLS"), ("tls", "-- TLSv1.3 with ")])
def test_mail_test_shows_the_dialogue_without_secrets(postfix_site, postfix, new_address, security, protocol):
    site = postfix_site(security)
    address = new_address()

    shown = site.otpgate.run("mail-test", address)

    assert shown.returncode == 0, shown.stdout + shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0] == f"[mail] localhost:{site.settings['mail.smtp_port']}"
    assert lines[1] == f"-- connected to 127.0.0.1 port {site.settings['mail.smtp_port']}"
    assert lines[-1] == "sent"
    assert any(line.startswith(protocol) for line in lines)
    assert any(line.startswith("-- certificate of CN = localhost, for localhost, issued by CN = otpgate tests authority, "
                               "valid until ") for line in lines)
    assert "C: AUTH PLAIN ***" in lines
    assert f"C: RCPT TO:<{address}>" in lines
    assert PASSWORD not in shown.stdout
    [message] = postfix.wait_for_notices(address, 1)
    assert message["Subject"] == "Test message of otpgate"
    assert message["Auto-Submitted"] == "auto-generated" and message["Message-ID"] and message["Date"]
    assert not message.defects


def test_nothing_is_left_of_a_postfix_that_was_stopped(new_folder, authority):
    server = Postfix(new_folder(), authority, USER, PASSWORD).start()
    assert server.processes()

    server.stop()

    ports.wait_until(lambda: not server.processes(), 10, "every process of Postfix ends")
    assert subprocess.run(["postfix", "-c", server.folder, "status"], capture_output=True, check=False).returncode != 0
