"""Access tokens instead of passwords, a second server, and what `otpgate mail-test` says about the usual mistakes."""
import os
import pathlib
import time
import unicodedata

import pytest

from support import ports
from support.certificates import Authority
from support.dripping_tls_server import DrippingTlsServer
from support.smtp_server import OldSmtpServer, SmtpServer, StallingServer
from support.xoauth2_server import XOAuth2Server

REQUEST = "/api/v1/auth/otp/request"
USER = "login@example.com"


@pytest.fixture
def authority(new_folder):
    return Authority(new_folder())


@pytest.fixture
def start():
    """start(server): stopped at the end."""
    running = []

    def run(server):
        running.append(server)
        return server.start()

    yield run
    for server in running:
        server.stop()


@pytest.fixture
def mail_site(make_site):
    def make(port, **settings):
        chosen = {"mail_transport": "smtp", "mail_smtp_host": "localhost", "mail_smtp_port": port, "mail_from": USER}
        return make_site("sqlite", **{**chosen, **settings})

    return make


def write_token(path, token):
    """As whoever renews tokens does: a reader sees the old one or the new one."""
    new = pathlib.Path(f"{path}.new")
    new.write_text(token + "\n")
    os.replace(new, path)


def log_in(site, server, address):
    otp_id = site.post(REQUEST, {"destination": address}).json()["otp_id"]
    assert site.verify(otp_id, server.wait_for(address)).status_code == 200


def wait_for_log(site, words, count=1):
    ports.wait_until(lambda: site.otpgate.log().count(words) >= count, 15, f"the log says {words}")


def test_an_access_token_is_shown_and_renewed(mail_site, start, authority, new_address, new_folder):
    server = start(XOAuth2Server(authority, USER, "ya29.first"))
    folder = new_folder()
    folder.mkdir()
    token_file = folder / "token"
    write_token(token_file, "ya29.first")
    site = mail_site(
        server.port, mail_smtp_security="tls", mail_smtp_ca_file=authority.ca_file, mail_smtp_username=USER,
        mail_smtp_auth="xoauth2", mail_smtp_oauth_token_file=token_file,
    )
    log_in(site, server, new_address())

    server.token = "ya29.second"
    site.otpgate.restart()
    late = new_address()
    otp_id = site.post(REQUEST, {"destination": late}).json()["otp_id"]
    wait_for_log(site, "AUTH: 535 5.7.8: the server says 401 to the access token of mail.smtp_oauth_token_file")
    assert server.messages_for(late) == []
    write_token(token_file, "ya29.second")

    assert site.verify(otp_id, server.wait_for(late, timeout=20)).status_code == 200
    assert server.mistakes == []
    assert set(server.attempts) == {
        "user=login@example.com\x01auth=Bearer ya29.first\x01\x01",
        "user=login@example.com\x01auth=Bearer ya29.second\x01\x01",
    }
    assert "ya29" not in site.otpgate.log()


def test_mail_test_shows_the_status_of_a_token_and_not_the_token(mail_site, start, authority, address, new_folder):
    server = start(XOAuth2Server(authority, USER, "ya29.right"))
    folder = new_folder()
    folder.mkdir()
    write_token(folder / "token", "ya29.stale")
    site = mail_site(
        server.port, mail_smtp_security="tls", mail_smtp_ca_file=authority.ca_file, mail_smtp_username=USER,
        mail_smtp_oauth_token_file=folder / "token",
    )

    shown = site.otpgate.run("mail-test", address)

    assert shown.returncode == 1
    assert "C: AUTH XOAUTH2 ***" in shown.stdout.splitlines()
    assert "the server says 401 to the access token of mail.smtp_oauth_token_file: renew it" in shown.stdout
    assert "ya29" not in shown.stdout
    assert server.mistakes == []


def test_an_expired_certificate_is_refused_by_name(mail_site, start, new_folder, address):
    authority = Authority(new_folder(), days=-1)
    server = start(SmtpServer("starttls", authority))
    site = mail_site(server.port, mail_smtp_security="starttls", mail_smtp_ca_file=authority.ca_file)

    shown = site.otpgate.run("mail-test", address)

    assert shown.returncode == 1
    assert "TLS: the certificate of localhost expired on " in shown.stdout
    assert server.received == []


def test_a_certificate_for_another_name_is_refused_with_the_name(mail_site, start, new_folder, address):
    authority = Authority(new_folder(), hosts=("mail.example.com", "smtp.example.com"))
    server = start(SmtpServer("tls", authority))
    site = mail_site(server.port, mail_smtp_security="tls", mail_smtp_ca_file=authority.ca_file)

    shown = site.otpgate.run("mail-test", address)

    assert shown.returncode == 1
    assert (
        "TLS: the certificate of localhost is for another name (mail.example.com, smtp.example.com): "
        "set mail.smtp_host to the server's own name" in shown.stdout
    )
    assert server.received == []


def test_the_second_server_takes_over(mail_site, start, new_address):
    first_port = ports.free_port()
    second = start(SmtpServer("none"))
    site = mail_site(first_port, **{"mail_fallback.smtp_host": "localhost", "mail_fallback.smtp_port": second.port})

    for _ in range(5):
        log_in(site, second, new_address())

    assert len(second.received) == 5
    wait_for_log(site, "mail goes to the fallback server")
    assert f"localhost:{first_port}: connect: Connection refused" in site.otpgate.log()

    # During the pause the first is not even asked.
    first = start(SmtpServer("none", port=first_port))
    log_in(site, second, new_address())
    assert first.received == []


def test_a_login_that_the_first_server_refuses_goes_by_the_second(mail_site, start, authority, address):
    first = start(SmtpServer("starttls", authority, USER, "right"))
    second = start(SmtpServer("tls", authority, "other", "p4ssword"))
    site = mail_site(
        first.port, mail_smtp_security="starttls", mail_smtp_ca_file=authority.ca_file, mail_smtp_username=USER,
        mail_smtp_password="wrong",
        **{
            "mail_fallback.smtp_host": "localhost", "mail_fallback.smtp_port": second.port,
            "mail_fallback.smtp_security": "tls", "mail_fallback.smtp_ca_file": authority.ca_file,
            "mail_fallback.smtp_username": "other", "mail_fallback.smtp_password": "p4ssword",
        },
    )

    log_in(site, second, address)

    assert second.received[0].user == "other"
    assert first.received == []


def test_mail_test_tries_both_servers(mail_site, start, new_address):
    first_port, second = ports.free_port(), start(SmtpServer("none"))
    site = mail_site(first_port, **{"mail_fallback.smtp_host": "localhost", "mail_fallback.smtp_port": second.port})
    address = new_address()

    shown = site.otpgate.run("mail-test", address)

    assert shown.returncode == 1
    first_part, second_part = shown.stdout.split("\n\n")
    assert first_part.splitlines()[0] == f"[mail] localhost:{first_port}"
    assert f"failed: localhost:{first_port}: connect: Connection refused" in first_part
    assert "what to change: nobody listens there: check mail.smtp_host and mail.smtp_port" in first_part
    assert second_part.splitlines()[0] == f"[mail_fallback] localhost:{second.port}"
    assert second_part.splitlines()[-1] == "sent"
    assert second.received[0].recipients == (address,)

    start(SmtpServer("none", port=first_port))
    assert site.otpgate.run("mail-test", address).returncode == 0


def test_mistakes_of_both_servers_are_found_before_the_start(mail_site):
    site = mail_site(
        25, start=False,
        **{"mail_fallback.smtp_host": "localhost", "mail_fallback.smtp_security": "tls",
           "mail_fallback.smtp_ca_file": "/nonexistent/ca.pem"},
    )
    assert site.otpgate.run("keys", "init").returncode == 0

    for command in (["check-config"], ["mail-test", "someone@example.com"]):
        done = site.otpgate.run(*command)
        assert done.returncode == 2
        assert done.stderr == (
            "otpgate: mail_fallback.smtp_ca_file holds no certificates or cannot be read: /nonexistent/ca.pem\n"
        )


def test_a_server_from_before_the_extensions_at_an_address_in_brackets(mail_site, start, address):
    server = start(OldSmtpServer())
    site = mail_site(server.port, mail_smtp_host="[::1]")

    log_in(site, server, address)

    shown = site.otpgate.run("mail-test", address)
    assert shown.returncode == 0 and shown.stdout.splitlines()[0] == f"[mail] [::1]:{server.port}"
    impossible = mail_site(server.port, mail_smtp_host="[::1]", mail_smtp_security="starttls", start=False)
    assert impossible.otpgate.run("keys", "init").returncode == 0
    told = impossible.otpgate.run("mail-test", address)
    assert told.returncode == 1
    assert f"failed: [::1]:{server.port}: the server refuses EHLO, so it has no STARTTLS" in told.stdout


def test_mail_test_waits_no_longer_than_the_timeout(mail_site, address):
    silent = StallingServer()
    try:
        site = mail_site(silent.port, mail_smtp_timeout="1s")
        shown = site.otpgate.run("mail-test", address, timeout=10)
    finally:
        silent.stop()

    assert shown.returncode == 1
    assert f"failed: localhost:{silent.port}: greeting: timeout" in shown.stdout
    assert "what to change: a server that says nothing may be waiting for TLS" in shown.stdout


def test_an_address_with_letters_beyond_ascii(mail_site, start, new_address):
    server = start(SmtpServer())
    site = mail_site(server.port, email_validation="international")
    address = f"jörg.{new_address()}"
    users = []

    for spelling in (address, address.upper(), unicodedata.normalize("NFD", address)):
        otp = site.post(REQUEST, {"destination": spelling})
        assert otp.status_code == 202, otp.text
        users.append(site.verify(otp.json()["otp_id"], server.wait_for(address)).json()["user"])

    assert {user["id"] for user in users} == {users[0]["id"]} and users[0]["email"] == address
    assert {received.recipients for received in server.received} == {(address,)}
    assert f"To: {address}\r\n".encode() in server.received[0].content
    assert site.otpgate.run("mail-test", address).returncode == 0
    # A Cyrillic letter that looks like a Latin one.
    assert site.post(REQUEST, {"destination": address.replace("r", "\u0433")}).status_code == 400


def test_a_server_without_smtputf8_is_named_as_the_reason(mail_site, start, new_address):
    server = start(SmtpServer(utf8=False))
    site = mail_site(server.port, email_validation="international")

    assert site.post(REQUEST, {"destination": f"jörg.{new_address()}"}).status_code == 202

    wait_for_log(site, "the server offers no SMTPUTF8, without which no address with letters beyond ASCII can be reached")
    dead = site.otpgate.run("outbox", "list", "--dead").stdout.splitlines()
    assert len(dead) == 1 and "no SMTPUTF8" in dead[0]
    shown = site.otpgate.run("mail-test", f"jörg.{new_address()}")
    assert shown.returncode == 1 and "failed: the server offers no SMTPUTF8" in shown.stdout
    log_in(site, server, new_address())


@pytest.mark.parametrize(
    "drips,reason",
    [("handshake", "TLS: timeout"), ("greeting", "greeting: timeout")],
)
def test_a_server_that_drips_within_tls_is_waited_for_no_longer(mail_site, start, authority, address, drips, reason):
    server = start(DrippingTlsServer(authority, drips=drips))
    site = mail_site(
        server.port, mail_smtp_security="tls", mail_smtp_ca_file=authority.ca_file, mail_smtp_connect_timeout="1s",
        mail_smtp_timeout="1s", start=False,
    )
    assert site.otpgate.run("keys", "init").returncode == 0

    begin = time.monotonic()
    shown = site.otpgate.run("mail-test", address, timeout=20)

    assert time.monotonic() - begin < 4
    assert f"failed: localhost:{server.port}: {reason}" in shown.stdout
    assert b"EHLO" not in server.heard


def test_a_server_that_resets_the_connection_within_tls_ends_nothing_else(mail_site, start, authority, address):
    server = start(DrippingTlsServer(authority, resets=True))
    site = mail_site(
        server.port, mail_smtp_security="tls", mail_smtp_ca_file=authority.ca_file, start=False,
    )
    assert site.otpgate.run("keys", "init").returncode == 0

    shown = site.otpgate.run("mail-test", address)

    assert shown.returncode == 1  # and not by a signal
    assert f"failed: localhost:{server.port}: EHLO: " in shown.stdout


def test_mail_test_names_the_file_that_it_wrote(make_site, address):
    site = make_site("sqlite")

    shown = site.otpgate.run("mail-test", address)

    assert shown.returncode == 0
    path = pathlib.Path(shown.stdout.removeprefix("written to ").split(" (")[0])
    assert path.parent == site.folder / "mail"
    assert f"To: {address}\r\n".encode() in path.read_bytes()


def test_mail_test_says_that_nothing_is_sent(make_site, address):
    shown = make_site("sqlite", mail_transport="null").otpgate.run("mail-test", address)

    assert shown.returncode == 1
    assert shown.stdout == "nothing was sent: mail.transport = null sends nothing; set it to smtp\n"


@pytest.mark.parametrize("arguments", [[], ["a@example.com", "b@example.com"], ["nobody"], ["+15550001111"]])
def test_mail_test_wants_one_address(make_site, arguments):
    shown = make_site("sqlite", start=False).otpgate.run("mail-test", *arguments)

    assert shown.returncode == 2
    assert "usage: otpgate mail-test ADDRESS" in shown.stderr
    assert shown.stdout == ""
