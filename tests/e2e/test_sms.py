"""Codes by SMS: the file, Twilio in good and bad days, the mock, and none; on both engines where the outbox is involved."""
import json
import re
import time

import pytest

from support import twilio_server as twilio_says
from support.certificates import Authority
from support.ports import wait_until
from support.twilio_server import NUMBER, TwilioServer
from test_login_flow import assert_problem

REQUEST = "/api/v1/auth/otp/request"


def ask(site, number, **fields):
    """otp_id"""
    answer = site.post(REQUEST, {"destination": number, **fields})
    assert answer.status_code == 202, answer.text
    return answer.json()["otp_id"]


def events(site, number):
    """[(event, reason)], oldest first; what the courier did to the number's messages."""
    rows = site.sql(
        "SELECT event, COALESCE(metadata, '{}') FROM audit_events"
        f" WHERE destination = '{number}' AND event LIKE 'OTP_SEN%' ORDER BY id"
    )
    return [(event, json.loads(metadata).get("reason", "")) for event, metadata in rows]


def waiting(site):
    """[(attempts, last error)] of what is still to be sent."""
    return [(int(attempts), error) for attempts, error in
            site.sql("SELECT attempts, COALESCE(last_error, '') FROM outbox WHERE dead_at_us IS NULL")]


# The file.

def test_a_login_by_sms(sms_site, number):
    answer = sms_site.post(REQUEST, {"phone_number": number})

    assert answer.status_code == 202
    body = answer.json()
    assert body["channel"] == "sms"
    assert body["expires_in"] == 300
    assert body["destination_masked"] == number[:3] + "*" * (len(number) - 6) + number[-3:]
    login = sms_site.verify(body["otp_id"], sms_site.phones.wait_for(number))
    assert login.status_code == 200
    user = login.json()["user"]
    assert (user["phone_number"], user["phone_verified"]) == (number, True)
    assert (user["email"], user["email_verified"]) == (None, False)


@pytest.mark.parametrize("field", ["destination", "phone_number"])
def test_a_login_by_number_alone(sms_site, number, field):
    assert sms_site.post(REQUEST, {field: f" {number} "}).status_code == 202
    code = sms_site.phones.wait_for(number)

    assert sms_site.post("/api/v1/auth/otp/verify", {field: number, "otp": code}).status_code == 200


@pytest.mark.parametrize("purpose, name", [
    ("login", "sign-in code"), ("register", "registration code"), ("verify", "verification code"),
    ("reset", "password reset code"),
])
def test_the_text_says_what_it_is_for_and_ends_with_the_line_that_browsers_read(sms_site, number, purpose, name):
    # A reset needs an account.
    sms_site.verify(ask(sms_site, number), sms_site.phones.wait_for(number))
    ask(sms_site, number, purpose=purpose)

    message = sms_site.phones.wait_for_message(number)

    host, code = message.last_line
    assert host == "localhost"  # of server.public_url, without its port
    assert re.fullmatch(r"\d{6}", code)
    assert message.text == f"{code} is your {name} for localhost. It is good for 5 minutes.\n\n@localhost #{code}"
    assert len(message.text) <= 160


def test_eleven_letters_and_digits_fit_one_message_with_a_long_host(make_site, number):
    host = "login." + "a" * 60 + ".example.com"
    site = make_site(sms_transport="file", otp_length="10", otp_alphabet="letters", server_public_url=f"https://{host}")
    ask(site, number)

    message = site.phones.wait_for_message(number)

    assert message.last_line[0] == host
    assert len(message.text) <= 160


# None.

@pytest.mark.parametrize("path", [REQUEST, "/api/v1/auth/otp/verify"])
@pytest.mark.parametrize("field", ["destination", "phone_number"])
def test_without_a_provider_the_field_is_named(site, number, path, field):
    problem = assert_problem(site.post(path, {field: number, "otp": "123456"}), 400, "VALIDATION_ERROR")

    assert [error["field"] for error in problem["errors"]] == [field]
    assert "SMS" in problem["errors"][0]["message"]


def test_without_a_provider_family_a_says_so_too(site, number):
    answer = site.post("/api/auth/otp/request/", {"destination": number})

    assert answer.status_code == 400
    assert answer.json()["code"] == "VALIDATION_ERROR"


# The mock.

def test_a_mock_that_always_fails_sends_nothing_and_tells_nobody(make_site, engine, number):
    site = make_site(engine, sms_transport="mock", sms_failure_rate="1")

    ask(site, number)

    wait_until(lambda: waiting(site)[0][0] >= 1, 10, "a first attempt")
    [(_, error)] = waiting(site)
    assert "mock" in error
    assert ("OTP_SENT", "") not in events(site, number)


def test_a_mock_that_never_fails_is_done_at_once(make_site, engine, number):
    site = make_site(engine, sms_transport="mock", sms_failure_rate="0")

    ask(site, number)

    wait_until(lambda: events(site, number), 10, "the message is done")
    assert events(site, number) == [("OTP_SENT", "")]
    assert waiting(site) == []


# Twilio.

@pytest.fixture(scope="module")
def authority(new_folder):
    return Authority(new_folder())


@pytest.fixture
def twilio(authority):
    server = TwilioServer(authority).start()
    yield server
    server.stop()


@pytest.fixture
def twilio_site(make_site, engine, twilio, authority):
    def make(**settings):
        chosen = {
            "sms_transport": "twilio", "sms_from": NUMBER, "sms_twilio_account_sid": twilio.account_sid,
            "sms_twilio_auth_token": twilio.auth_token, "sms_twilio_url": twilio.url,
            "sms_ca_file": authority.ca_file, **settings,
        }
        return make_site(engine, **chosen)

    return make


def test_twilio_delivers_a_code_that_logs_in(twilio_site, twilio, number):
    site = twilio_site()
    otp_id = ask(site, number)

    message = twilio.wait_for_message(number)

    assert message.sender == NUMBER
    assert message.last_line[0] == "localhost"
    assert site.verify(otp_id, message.code).status_code == 200
    wait_until(lambda: events(site, number), 10, "the message is done")
    assert events(site, number) == [("OTP_SENT", "")]
    assert waiting(site) == []


def test_a_messaging_service_chooses_the_sender(twilio_site, twilio, number):
    service = "MG" + "0123456789abcdef" * 2
    site = twilio_site(sms_from=service)
    ask(site, number)

    message = twilio.wait_for_message(number)

    assert (message.sender, message.messaging_service) == ("", service)


def test_several_messages_share_a_connection(twilio_site, twilio, new_number):
    site = twilio_site(sms_concurrency=1)
    numbers = [new_number() for _ in range(5)]
    for number in numbers:
        ask(site, number)
    for number in numbers:
        twilio.wait_for(number)

    assert len(twilio.messages()) == 5
    assert twilio.connections <= 2


def test_too_many_requests_are_a_rest_of_the_length_that_twilio_asks_for(twilio_site, twilio, new_number):
    site = twilio_site()
    first, second = new_number(), new_number()
    twilio.answer_with(twilio_says.too_many_requests(4))
    begin = time.monotonic()
    otp_id = ask(site, first)
    twilio.wait_for_requests(1)
    ask(site, second)

    code = twilio.wait_for(first, timeout=30)

    # Nothing was asked of Twilio meanwhile, not for another number either. The wait is counted in our clock's microseconds.
    assert time.monotonic() - begin > 3.9
    assert [answer.status for answer in twilio.answers][:1] == [429]
    assert site.verify(otp_id, code).status_code == 200
    assert twilio.wait_for(second, timeout=30)
    assert [answer.status for answer in twilio.answers] == [429, 201, 201]


def test_wrong_credentials_are_said_in_the_log_and_the_message_waits(twilio_site, twilio, number):
    secret = "not-the-token-0123456789abcdef00"
    site = twilio_site(sms_twilio_auth_token=secret)
    ask(site, number)
    twilio.wait_for_requests(1)

    wait_until(lambda: waiting(site)[0][0] >= 1, 10, "the message is postponed")

    assert twilio.messages() == []
    assert "authentication" in waiting(site)[0][1]
    assert "401 authentication" in site.otpgate.log()
    assert secret not in site.otpgate.log()


def test_credentials_that_are_put_right_deliver_what_waited(twilio_site, twilio, number):
    site = twilio_site()
    twilio.answer_with(twilio_says.UNAUTHORIZED)
    otp_id = ask(site, number)

    code = twilio.wait_for(number, timeout=30)

    assert [answer.status for answer in twilio.answers] == [401, 201]
    assert site.verify(otp_id, code).status_code == 200


@pytest.mark.parametrize("answer, words", [
    (twilio_says.INVALID_NUMBER, "twilio 21211: invalid number"),
    (twilio_says.UNSUBSCRIBED, "twilio 21610: recipient has unsubscribed"),
    (twilio_says.Answer(400, 99999, "Something new about {to}"), "twilio 99999: status 400"),
])
def test_a_number_that_twilio_refuses_is_given_up_and_audited(twilio_site, twilio, number, answer, words):
    site = twilio_site()
    twilio.answer_with(answer)
    ask(site, number)

    wait_until(lambda: events(site, number), 10, "the message is given up")

    assert events(site, number) == [("OTP_SEND_FAILED", words)]
    assert waiting(site) == []
    time.sleep(3)  # longer than the first back-off
    assert len(twilio.answers) == 1
    assert words in site.otpgate.log()
    assert number not in site.otpgate.log()


def test_a_refusal_holds_up_nobody_else(twilio_site, twilio, new_number):
    site = twilio_site()
    refused, other = new_number(), new_number()
    twilio.answer_with(twilio_says.INVALID_NUMBER)
    ask(site, refused)
    twilio.wait_for_requests(1)
    ask(site, other)

    assert twilio.wait_for(other, timeout=2)


def test_an_answer_that_does_not_come_is_asked_for_again(twilio_site, twilio, number):
    site = twilio_site(sms_timeout="1s")
    twilio.answer_with(twilio_says.STALL)
    otp_id = ask(site, number)

    code = twilio.wait_for(number, timeout=30)

    assert site.verify(otp_id, code).status_code == 200
    wait_until(lambda: events(site, number), 10, "the message is done")
    assert events(site, number) == [("OTP_SENT", "")]


def test_a_server_error_is_asked_for_again(twilio_site, twilio, number):
    site = twilio_site()
    twilio.answer_with(twilio_says.SERVER_ERROR, twilio_says.SERVER_ERROR)
    otp_id = ask(site, number)

    code = twilio.wait_for(number, timeout=40)

    assert [answer.status for answer in twilio.answers] == [500, 500, 201]
    assert site.verify(otp_id, code).status_code == 200


def test_a_twilio_that_hangs_holds_up_no_mail_and_no_request(twilio_site, twilio, number, address):
    site = twilio_site(sms_timeout="5s")
    twilio.answer_with(twilio_says.STALL)
    ask(site, number)

    begin = time.monotonic()
    site.login(address)

    assert time.monotonic() - begin < 3


@pytest.mark.parametrize("kind", ["another_authority", "another_host"])
def test_a_certificate_that_does_not_prove_the_host_gets_no_message(twilio_site, twilio, new_folder, number, kind):
    others = Authority(new_folder(), hosts=("twilio.example.com",), name="somebody else")
    server = twilio if kind == "another_authority" else TwilioServer(others).start()
    try:
        site = twilio_site(sms_ca_file=others.ca_file, sms_twilio_url=server.url)
        ask(site, number)

        wait_until(lambda: waiting(site)[0][0] >= 1, 15, "the message is postponed")

        assert server.answers == []  # neither the number nor the credentials went out
        assert "certificate" in waiting(site)[0][1]
        assert twilio.auth_token not in site.otpgate.log()
    finally:
        server.stop()


def test_what_a_crash_left_is_sent_by_the_next_process(twilio_site, twilio, number):
    site = twilio_site()
    twilio.answer_with(twilio_says.SERVER_ERROR)
    otp_id = ask(site, number)
    twilio.wait_for_requests(1)
    wait_until(lambda: waiting(site)[0][0] >= 1, 10, "the message is postponed")
    site.otpgate.kill()
    site.otpgate.start()

    code = twilio.wait_for(number, timeout=40)

    assert site.verify(otp_id, code).status_code == 200


def test_nothing_secret_is_logged(twilio_site, twilio, number):
    site = twilio_site(log_level="debug")
    otp_id = ask(site, number)
    code = twilio.wait_for(number)
    site.verify(otp_id, code)

    log = site.otpgate.log()

    for secret in (number, code, twilio.auth_token, twilio.account_sid):
        assert secret not in log
