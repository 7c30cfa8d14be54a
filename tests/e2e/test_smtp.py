"""Codes that leave by SMTP, in each security mode, against a real server with a certificate authority of its own."""
import re
import time

import pytest

from support.certificates import Authority
from support.smtp_server import SmtpServer

REQUEST = "/api/v1/auth/otp/request"
USER, PASSWORD = "mailer", "p4ss word:with=odd;characters"


@pytest.fixture
def authority(new_folder):
    return Authority(new_folder())


@pytest.fixture
def start_server():
    running = []

    def start(*arguments, **options):
        server = SmtpServer(*arguments, **options).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


def smtp_site(make_site, server, **settings):
    return make_site(
        "sqlite", mail_transport="smtp", mail_smtp_host="localhost", mail_smtp_port=server.port,
        mail_smtp_security=server.security, mail_from="Example Login <login@example.com>", **settings,
    )


def login_over(site, server, address):
    otp_id = site.post(REQUEST, {"destination": address}).json()["otp_id"]
    answer = site.verify(otp_id, server.wait_for(address))
    assert answer.status_code == 200, answer.text
    return server.received[-1]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_login_over_an_encrypted_and_authenticated_connection(make_site, start_server, authority, address, security):
    server = start_server(security, authority, USER, PASSWORD)
    site = smtp_site(
        make_site, server, mail_smtp_ca_file=authority.ca_file, mail_smtp_username=USER, mail_smtp_password=PASSWORD
    )

    received = login_over(site, server, address)

    assert received.tls
    assert received.user == USER
    assert received.sender == "login@example.com"
    assert received.recipients == (address,)
    assert PASSWORD not in site.otpgate.log()


def test_the_password_may_stand_in_a_file(make_site, start_server, authority, address, new_folder):
    server = start_server("tls", authority, USER, PASSWORD)
    folder = new_folder()
    folder.mkdir()
    (folder / "password").write_text(PASSWORD + "\n")
    site = smtp_site(
        make_site, server, mail_smtp_ca_file=authority.ca_file, mail_smtp_username=USER,
        mail_smtp_password_file=folder / "password",
    )

    assert login_over(site, server, address).user == USER


def test_a_login_over_a_plain_connection(make_site, start_server, address):
    server = start_server("none")
    site = smtp_site(make_site, server)

    received = login_over(site, server, address)

    assert not received.tls
    assert received.user == ""


def test_the_message_is_what_mail_programs_expect(make_site, start_server, address):
    server = start_server("none")
    site = smtp_site(make_site, server)
    received = login_over(site, server, address)

    message = received.message
    assert message["From"] == "Example Login <login@example.com>"
    assert message["To"] == address
    assert message["Subject"] and not re.search(r"\d{6}", message["Subject"])
    assert message["Message-ID"] and message["Date"]
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["MIME-Version"] == "1.0"
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert not message.defects
    assert b"\n" not in received.content.replace(b"\r\n", b"")
    assert max(len(line) for line in received.content.split(b"\r\n")) <= 998


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_with_a_certificate_of_another_authority_gets_nothing(
    make_site, start_server, authority, address, new_folder, security
):
    other = Authority(new_folder(), name="somebody else's")
    server = start_server(security, authority, USER, PASSWORD)
    site = smtp_site(
        make_site, server, mail_smtp_ca_file=other.ca_file, mail_smtp_username=USER, mail_smtp_password=PASSWORD
    )

    assert site.post(REQUEST, {"destination": address}).status_code == 202

    end = time.monotonic() + 10
    while "certificate" not in site.otpgate.log().lower():
        assert time.monotonic() < end, "no word about the certificate in the log"
        time.sleep(0.1)
    assert server.received == []
    assert address not in site.otpgate.log()


def test_a_certificate_for_another_host_gets_nothing(make_site, start_server, address, new_folder):
    authority = Authority(new_folder(), hosts=("mail.example.com",))
    server = start_server("tls", authority)
    site = smtp_site(make_site, server, mail_smtp_ca_file=authority.ca_file)

    assert site.post(REQUEST, {"destination": address}).status_code == 202

    end = time.monotonic() + 10
    while "certificate" not in site.otpgate.log().lower():
        assert time.monotonic() < end, "no word about the certificate in the log"
        time.sleep(0.1)
    assert server.received == []


def test_starttls_is_not_given_up_for_a_server_that_does_not_offer_it(make_site, start_server, authority, address):
    server = start_server("none")
    site = make_site(
        "sqlite", mail_transport="smtp", mail_smtp_host="localhost", mail_smtp_port=server.port,
        mail_smtp_security="starttls", mail_smtp_ca_file=authority.ca_file,
    )

    assert site.post(REQUEST, {"destination": address}).status_code == 202

    end = time.monotonic() + 10
    while "starttls" not in site.otpgate.log().lower():
        assert time.monotonic() < end, "no word about STARTTLS in the log"
        time.sleep(0.1)
    assert server.received == []


def test_many_codes_for_many_people_all_arrive_once(make_site, start_server, new_address):
    server = start_server("none")
    site = smtp_site(make_site, server)
    people = [new_address() for _ in range(30)]

    for person in people:
        assert site.post(REQUEST, {"destination": person}).status_code == 202

    for person in people:
        assert server.wait_for(person)
    assert sorted(received.recipients[0] for received in server.received) == sorted(people)
