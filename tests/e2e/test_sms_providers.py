"""Vonage, any gateway over HTTP, and otpgate sms-test."""
import json
import re
import time
import urllib.parse
import xml.etree.ElementTree

import pytest

from support import twilio_server as twilio_says
from support.certificates import Authority
from support.http_gateway_server import Answer, GatewayServer
from support.ports import wait_until
from support.twilio_server import TwilioServer
from support.vonage_server import API_KEY, API_SECRET, STALL, VonageServer
from test_sms import ask, events, waiting

SECRET = "hidden-gateway-secret"


@pytest.fixture(scope="module")
def authority(new_folder):
    return Authority(new_folder())


@pytest.fixture
def started(authority):
    servers = []

    def start(kind, **options):
        servers.append(kind(authority, **options).start())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


# Vonage.

@pytest.fixture
def vonage(started):
    return started(VonageServer)


@pytest.fixture
def vonage_site(make_site, vonage, authority):
    def make(engine="sqlite", **settings):
        chosen = {
            "sms_transport": "vonage", "sms_from": "My Shop", "sms_vonage_api_key": API_KEY,
            "sms_vonage_api_secret": API_SECRET, "sms_vonage_url": vonage.url, "sms_ca_file": authority.ca_file,
        }
        return make_site(engine, **{**chosen, **settings})

    return make


def test_vonage_delivers_a_code_that_logs_in(vonage_site, vonage, engine, number):
    site = vonage_site(engine)
    otp_id = ask(site, number)

    message = vonage.wait_for_message(number)

    assert message.sender == "My Shop"
    assert message.messaging_service == "text"
    assert message.last_line[0] == "localhost"
    assert site.verify(otp_id, message.code).status_code == 200
    wait_until(lambda: events(site, number), 10, "the message is done")
    assert events(site, number) == [("OTP_SENT", "")]


@pytest.mark.parametrize("words, kind", [("Grüße, {{code}} €", "text"), ("您的验证码 {{code}}", "unicode")])
def test_vonage_is_told_when_a_text_is_unicode(vonage_site, vonage, new_folder, number, words, kind):
    folder = new_folder()
    (folder / "en").mkdir(parents=True)
    (folder / "en" / "code.sms").write_text(words)
    ask(vonage_site(templates_directory=folder), number)

    message = vonage.wait_for_message(number)

    assert message.messaging_service == kind
    assert message.text.startswith(words[:4])
    assert message.last_line[0] == "localhost"


def test_vonage_that_is_throttled_or_fails_is_asked_again(vonage_site, vonage, number):
    site = vonage_site(sms_timeout="1s")
    vonage.answer_with(1, 5, STALL)
    otp_id = ask(site, number)

    code = vonage.wait_for_message(number, timeout=60).code

    assert vonage.answers == [1, 5, STALL, 0]
    assert site.verify(otp_id, code).status_code == 200


def test_vonage_is_left_alone_for_as_long_as_it_asks_for(vonage_site, vonage, number):
    vonage.answer_with((429, ("Retry-After", "4")))
    begin = time.monotonic()
    ask(vonage_site(), number)

    vonage.wait_for_message(number, timeout=30)

    assert time.monotonic() - begin > 3.9


@pytest.mark.parametrize("status, reason", [
    (6, "vonage 6: invalid message or number"), (7, "vonage 7: number is barred"),
    (29, "vonage 29: number is not on the list of the demo account"),
])
def test_a_number_that_vonage_refuses_is_given_up_and_audited(vonage_site, vonage, number, status, reason):
    site = vonage_site()
    vonage.answer_with(status)
    ask(site, number)

    wait_until(lambda: events(site, number), 10, "the message is given up")

    assert events(site, number) == [("OTP_SEND_FAILED", reason)]
    assert number[1:] not in site.otpgate.log()


def test_wrong_credentials_of_vonage_are_one_line_that_says_what_to_change(vonage_site, vonage, number):
    site = vonage_site(sms_vonage_api_secret="not-the-secret")
    ask(site, number)
    wait_until(lambda: waiting(site)[0][0] >= 2, 20, "a second attempt")

    assert vonage.messages() == []
    log = site.otpgate.log()
    lines = [line for line in log.splitlines() if "change=" in line]
    assert len(lines) == 1
    assert "check sms.vonage_api_key and sms.vonage_api_secret" in lines[0]
    assert "not-the-secret" not in log and API_KEY not in log


# Any gateway.

@pytest.fixture
def gateway(started):
    return started(GatewayServer)


@pytest.fixture
def gateway_site(make_site, gateway, authority):
    def make(engine="sqlite", path="/send", **settings):
        chosen = {
            "sms_transport": "http", "sms_from": "My \"Shop\" & Co", "sms_http_url": gateway.url + path,
            "sms_http_secret": SECRET, "sms_ca_file": authority.ca_file,
            "sms_http_body": '{"to": "{to}", "from": "{from}", "text": "{text}"}',
        }
        return make_site(engine, **{**chosen, **settings})

    return make


def asked(gateway, count=1):
    """The last of so many requests."""
    wait_until(lambda: len(gateway.messages()) >= count, 20, f"{count} requests to the gateway")
    return gateway.messages()[-1]


def code_of(text):
    found = re.search(r"\n\n@localhost #(\d{6})$", text)
    assert found, text
    return found.group(1)


def test_a_gateway_with_json(gateway_site, gateway, engine, number):
    site = gateway_site(engine, sms_http_headers="Authorization: Bearer {secret}, X-Tag: otp")
    otp_id = ask(site, number)

    request = asked(gateway)

    assert (request.method, request.path) == ("POST", "/send")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert request.headers["x-tag"] == "otp"
    body = json.loads(request.body)
    assert (body["to"], body["from"]) == (number, 'My "Shop" & Co')
    assert site.verify(otp_id, code_of(body["text"])).status_code == 200
    wait_until(lambda: events(site, number), 10, "the message is done")
    assert events(site, number) == [("OTP_SENT", "")]
    assert waiting(site) == []


def test_a_gateway_with_a_form(gateway_site, gateway, number):
    site = gateway_site(sms_http_content_type="application/x-www-form-urlencoded",
                        sms_http_body="key={secret}&to={to_digits}&from={from}&msg={text}")
    otp_id = ask(site, number)

    form = dict(urllib.parse.parse_qsl(asked(gateway).body, strict_parsing=True))

    assert (form["key"], form["to"], form["from"]) == (SECRET, number[1:], 'My "Shop" & Co')
    assert site.verify(otp_id, code_of(form["msg"])).status_code == 200


def test_a_gateway_with_xml(gateway_site, gateway, number):
    site = gateway_site(sms_http_content_type="text/xml", sms_http_method="PUT",
                        sms_http_body='<sms to="{to}" from="{from}">{text}</sms>')
    otp_id = ask(site, number)

    request = asked(gateway)

    assert request.method == "PUT"
    sms = xml.etree.ElementTree.fromstring(request.body)
    assert (sms.get("to"), sms.get("from")) == (number, 'My "Shop" & Co')
    assert site.verify(otp_id, code_of(sms.text)).status_code == 200


def test_a_gateway_that_reads_its_url(gateway_site, gateway, number):
    site = gateway_site(path="/{secret}?to={to}&text={text}", sms_http_method="GET", sms_http_body="")
    otp_id = ask(site, number)

    request = asked(gateway)

    assert (request.method, request.body) == ("GET", "")
    url = urllib.parse.urlsplit(request.path)
    query = dict(urllib.parse.parse_qsl(url.query, strict_parsing=True))
    assert (url.path, query["to"]) == (f"/{SECRET}", number)
    assert site.verify(otp_id, code_of(query["text"])).status_code == 200


def test_a_gateway_that_is_busy_is_asked_again_when_it_wants(gateway_site, gateway, number):
    gateway.answer_with(Answer(429, "", (("Retry-After", "4"),)), Answer(503))
    site = gateway_site()
    begin = time.monotonic()
    ask(site, number)

    asked(gateway, 3)

    assert time.monotonic() - begin > 3.9
    wait_until(lambda: events(site, number), 10, "the message is done")
    assert events(site, number) == [("OTP_SENT", "")]


def test_a_yes_without_the_text_that_makes_it_one_is_a_refusal(gateway_site, gateway, number):
    gateway.answer_with(Answer(200, "ERR 105"))
    site = gateway_site(sms_http_success_body="OK:")
    ask(site, number)

    wait_until(lambda: events(site, number), 10, "the message is given up")

    assert events(site, number) == [("OTP_SEND_FAILED", "http: 200 without sms.http_success_body")]
    assert waiting(site) == []


@pytest.mark.parametrize("body", ["OK: 17", "OK: " + 70_000 * "x"], ids=["short", "long"])
def test_a_yes_that_does_not_come_to_its_end_is_a_yes(gateway_site, gateway, number, body):
    gateway.answer_with(Answer(200, body, stalls=True))
    site = gateway_site(sms_timeout="2s", sms_http_success_body="OK:")
    begin = time.monotonic()
    ask(site, number)

    wait_until(lambda: events(site, number), 10, "the message is done")

    assert events(site, number) == [("OTP_SENT", "")]
    if len(body) > 65536:
        assert time.monotonic() - begin < 1.5
    time.sleep(2.5)
    assert len(gateway.messages()) == 1


def test_no_redirect_is_followed(gateway_site, gateway, number):
    gateway.answer_with(Answer(307, "", (("Location", gateway.url + "/elsewhere"),)))
    site = gateway_site()
    ask(site, number)

    asked(gateway)
    wait_until(lambda: waiting(site)[0][0] >= 1, 10, "the message is postponed")

    assert {request.path for request in gateway.messages()} == {"/send"}


def test_nothing_of_the_message_or_the_secret_is_logged(gateway_site, gateway, number):
    gateway.answer_with(Answer(400, f"{SECRET} {number}"))
    site = gateway_site(log_level="debug", path="/{secret}")
    ask(site, number)
    code = code_of(json.loads(asked(gateway).body)["text"])
    wait_until(lambda: events(site, number), 10, "the message is given up")

    log = site.otpgate.log()

    assert "http: 400" in log
    for secret in (SECRET, number, number[1:], code):
        assert secret not in log


@pytest.mark.parametrize("name, value, word", [
    ("url", "http://sms.example.com/send", "https://"), ("body", '{"to": "{to}", "text": "{message}"}', "{message}"),
    ("headers", "Authorization", "Name: value"), ("body", '{"to": "{to}", "text": {text}}', "JSON"),
    ("success_status", "2xx", "200-299"),
])
@pytest.mark.parametrize("command", ["check-config", "serve"])
def test_a_gateway_that_cannot_work_stops_the_start(make_site, command, name, value, word):
    settings = {
        "sms_transport": "http", "sms_http_url": "https://sms.example.com/send", "sms_http_secret": SECRET,
        "sms_http_body": '{"to": "{to}", "text": "{text}"}', f"sms_http_{name}": value,
    }
    otpgate = make_site(start=False, **settings).otpgate.prepare()

    done = otpgate.run(command)

    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert f"sms.http_{name}" in line and word in line


# sms-test.

@pytest.fixture
def twilio(started):
    return started(TwilioServer)


@pytest.fixture
def twilio_site(make_site, twilio, authority):
    """Made, not started: the command needs no service."""
    def make(**settings):
        chosen = {
            "sms_transport": "twilio", "sms_from": twilio_says.NUMBER, "sms_twilio_account_sid": twilio.account_sid,
            "sms_twilio_auth_token": twilio.auth_token, "sms_twilio_url": twilio.url, "sms_ca_file": authority.ca_file,
            "server_public_url": "https://login.example.com",
        }
        return make_site(start=False, **{**chosen, **settings})

    return make


def run_test(site, number, code=0):
    """What it printed, as {name: value}."""
    done = site.otpgate.prepare().run("sms-test", number)
    assert done.returncode == code, (done.stdout, done.stderr)
    assert done.stderr == ""
    assert number not in done.stdout and number[1:] not in done.stdout
    return dict(line.split(": ", 1) for line in done.stdout.splitlines())


def test_sms_test_says_what_became_of_the_message(twilio_site, twilio, number):
    said = run_test(twilio_site(), number)

    [message] = twilio.wait_for_notices(number, 1)
    assert said == {
        "provider": f"twilio (localhost:{twilio.port})",
        "to": number[:3] + "*" * (len(number) - 6) + number[-3:],
        "text": "A test of the SMS settings of login.example.com.",
        "length": "48 of GSM 03.38, 1 segment",
        "answer": "HTTP 201",
        "message id": message.sid,
        "result": "the provider took the message",
    }
    assert message.text == said["text"]


@pytest.mark.parametrize("answer, status, error, change", [
    (twilio_says.UNAUTHORIZED, "HTTP 401", "twilio: 401 authentication", "sms.twilio_auth_token"),
    (twilio_says.INVALID_NUMBER, "HTTP 400", "twilio 21211: invalid number", None),
    (twilio_says.Answer(400, 21408, "Permission to send an SMS has not been enabled for {to}"), "HTTP 400",
     "twilio 21408: no permission to send to this region", "Geo permissions"),
])
def test_sms_test_says_what_to_change(twilio_site, twilio, number, answer, status, error, change):
    twilio.answer_with(answer)

    said = run_test(twilio_site(), number, code=1)

    assert (said["answer"], said["error"]) == (status, error)
    assert said["result"].startswith("not sent")
    if change:
        assert change in said["change"]
    else:
        assert "change" not in said
        assert "***" in said["body"]  # the number that Twilio repeats


def test_sms_test_shows_no_secret(gateway_site, gateway, number):
    gateway.answer_with(Answer(400, f"bad key {SECRET} for {number}\n\x1b[2J"))

    said = run_test(gateway_site(), number, code=1)

    assert said["body"] == "bad key *** for ***..[2J"
    assert said["provider"] == f"http (localhost:{gateway.port})"


def test_sms_test_without_an_answer(twilio_site, twilio, number):
    site = twilio_site(sms_timeout="1s")
    twilio.answer_with(twilio_says.STALL)

    said = run_test(site, number, code=1)

    assert "answer" not in said
    assert said["error"].startswith("twilio: Operation timed out")


def test_sms_test_obeys_the_rules(twilio_site, twilio, number):
    site = twilio_site(sms_allowed_prefixes="+1555", sms_daily_budgets="+1555:1")
    site.otpgate.prepare()

    assert run_test(site, "+4930123456", code=1)["error"] == "number is not covered by sms.allowed_prefixes"
    assert run_test(site, number)["result"] == "the provider took the message"
    assert run_test(site, number, code=1)["error"] == "daily SMS budget of +1555 (1) is spent"
    assert len(twilio.messages()) == 1


@pytest.mark.parametrize("arguments", [[], ["4930123456"], ["+4930123456", "+4930123457"], ["someone@example.com"]])
def test_sms_test_wants_one_number(twilio_site, arguments):
    done = twilio_site().otpgate.run("sms-test", *arguments)

    assert done.returncode == 2
    assert "usage: otpgate sms-test NUMBER" in done.stderr


def test_sms_test_without_a_provider(make_site):
    done = make_site(start=False).otpgate.run("sms-test", "+4930123456")

    assert done.returncode == 2
    assert "sms.transport" in done.stderr


def test_twilio_takes_an_api_key_in_place_of_the_token(twilio_site, started, number):
    key, secret = "SK" + "0123456789abcdef" * 2, "hidden-Twilio-secret"
    keyed = started(TwilioServer, login=(key, secret))
    settings = {"sms_twilio_url": keyed.url, "sms_twilio_auth_token": "", "sms_twilio_api_key_sid": key}

    run_test(twilio_site(**settings, sms_twilio_api_key_secret=secret), number)
    refused = run_test(twilio_site(**settings, sms_twilio_api_key_secret="wrong"), number, code=1)

    assert len(keyed.wait_for_notices(number, 1)) == 1
    assert "sms.twilio_api_key_secret" in refused["change"]
