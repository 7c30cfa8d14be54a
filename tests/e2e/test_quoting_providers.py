"""What a provider repeats of what it was told comes to nobody's eyes: not to the log, the outbox, the audit trail, the metrics
or an answer. And the dialects of older mail servers."""
import json

import pytest

from support import ports, twilio_server, vonage_server
from support.certificates import Authority
from support.http_gateway_server import Answer, GatewayServer
from support.quoting_server import PASSWORD, USER, QuotingSmtpServer, secrets

REQUEST = "/api/v1/auth/otp/request"
READER = "192.0.2.9"
GATEWAY_SECRET = "hidden-gateway-secret"


@pytest.fixture
def quoting():
    running = []

    def start(**refusals):
        running.append(QuotingSmtpServer(**refusals))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def quoting_site(make_site):
    def make(server, engine="sqlite", **settings):
        chosen = {
            "mail_transport": "smtp", "mail_smtp_host": "127.0.0.1", "mail_smtp_port": server.port,
            "mail_smtp_username": USER, "mail_smtp_password": PASSWORD, "log_level": "debug",
            "metrics_allowed_addresses": READER,
        }
        return make_site(engine, **{**chosen, **settings})

    return make


def everything_told(site, *answers):
    """All that somebody may read, by the name of the place."""
    told = {
        "log": site.otpgate.log(),
        "outbox list": site.otpgate.run("outbox", "list").stdout,
        "outbox list --json": site.otpgate.run("outbox", "list", "--json").stdout,
        "audit export": site.otpgate.run("audit", "export", "--format", "json").stdout,
        "audit rows": json.dumps(site.sql("SELECT event, COALESCE(metadata, '') FROM audit_events")),
        "outbox rows": json.dumps(site.sql("SELECT COALESCE(last_error, '') FROM outbox")),
        "metrics": site.get("/metrics", client_ip=READER).text,
    }
    told.update({f"answer {number}": answer.text for number, answer in enumerate(answers)})
    return told


def assert_untold(told, words):
    for place, text in told.items():
        for word in words:
            assert word not in text, f"{word} in {place}:\n{text[max(0, text.find(word) - 300):text.find(word) + 300]}"


def wait_for_reason(site, start):
    ports.wait_until(lambda: start in site.otpgate.log(), 15, f"{start} in the log")


@pytest.mark.parametrize("step, code, reason", [
    ("AUTH", 535, "AUTH: 535"), ("AUTH", 421, "AUTH: 421"), ("MAIL", 451, "MAIL FROM: 451"), ("MAIL", 530, "MAIL FROM: 530"),
    ("RCPT", 550, "RCPT TO: 550"), ("DATA", 451, "DATA: 451"), ("END", 554, "message: 554"), ("END", 451, "message: 451"),
    ("END", 421, "message: 421"), ("END", 250, None),
])
def test_a_mail_server_that_quotes_every_word(quoting, quoting_site, address, engine, step, code, reason):
    server = quoting(**({step: code} if reason else {}))
    site = quoting_site(server, engine)

    answer = site.post(REQUEST, {"destination": address})

    assert answer.status_code == 202
    if reason:
        wait_for_reason(site, reason)
    else:
        server.wait_for(address)
    if step == "END":
        ports.wait_until(lambda: server.codes, 10, "the message")
        assert site.verify(answer.json()["otp_id"], server.codes[0]).status_code == 200
    told = everything_told(site, answer)
    assert_untold(told, secrets(server.codes[0] if server.codes else None))
    assert address not in told["log"]


@pytest.mark.one_process
def test_what_a_mail_server_quotes_is_in_no_answer_of_sync_mode(quoting, quoting_site, address):
    server = quoting(END=554)
    site = quoting_site(server, delivery_mode="sync")

    answer = site.post(REQUEST, {"destination": address})

    assert (answer.status_code, answer.json()["code"]) == (502, "SEND_FAILED")
    assert_untold(everything_told(site, answer), secrets(server.codes[0]))


@pytest.mark.parametrize("step", ["AUTH", "MAIL", "END", "none"])
def test_mail_test_shows_no_password_that_is_quoted(quoting, quoting_site, address, step):
    server = quoting(**({} if step == "none" else {step: 550}))
    site = quoting_site(server, start=False)
    assert site.otpgate.run("keys", "init").returncode == 0

    shown = site.otpgate.run("mail-test", address)

    assert "5.7.1" in shown.stdout and "***" in shown.stdout
    assert_untold({"stdout": shown.stdout, "stderr": shown.stderr}, secrets(None))


# SMS.

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


def sms_site(make_site, authority, engine, **settings):
    return make_site(engine, sms_ca_file=authority.ca_file, log_level="debug", metrics_allowed_addresses=READER, **settings)


def code_in(text):
    return text.rsplit("#", 1)[1][:6]


@pytest.mark.parametrize("status, reason", [
    (400, "http: 400"), (503, "http: 503"), (401, "http: 401"), (200, "http: 200 without sms.http_success_body")])
def test_a_gateway_that_quotes_every_word(make_site, authority, started, number, engine, status, reason):
    gateway = started(GatewayServer)
    codes = []

    def quote(request):
        codes.append(code_in(json.loads(request.body)["text"]))
        words = f"{codes[-1]} {' '.join(codes[-1])} {request.body} {request.headers}"
        return Answer(status, words, (("X-Said", words.replace("\n", " ")), ("Retry-After", "1")))

    gateway.answer_with(quote)
    site = sms_site(
        make_site, authority, engine, sms_transport="http", sms_http_url=gateway.url + "/send", sms_http_secret=GATEWAY_SECRET,
        sms_http_headers="Authorization: Bearer {secret}", sms_http_body='{"to": "{to}", "text": "{text}"}',
        sms_http_success_body="OK:")

    answer = site.post(REQUEST, {"destination": number})

    wait_for_reason(site, reason)
    assert_untold(everything_told(site, answer), [*secrets(codes[0])[3:], GATEWAY_SECRET])
    assert number not in site.otpgate.log() and number[1:] not in site.otpgate.log()


def test_twilio_that_answers_with_the_code(make_site, authority, started, number, engine):
    twilio = started(twilio_server.TwilioServer)
    codes = []

    def quote(form):
        codes.append(code_in(form["Body"]))
        return twilio_server.Answer(400, int(codes[-1]), f"{form} {codes[-1]}".replace("{", "").replace("}", ""))

    twilio.answer_with(quote)
    site = sms_site(
        make_site, authority, engine, sms_transport="twilio", sms_from=twilio_server.NUMBER, sms_twilio_url=twilio.url,
        sms_twilio_account_sid=twilio.account_sid, sms_twilio_auth_token=twilio.auth_token)

    answer = site.post(REQUEST, {"destination": number})

    wait_for_reason(site, "status 400")
    assert_untold(everything_told(site, answer), [*secrets(codes[0])[3:], codes[0].lstrip("0"), twilio.auth_token])


def test_vonage_that_answers_with_the_code(make_site, authority, started, number):
    vonage = started(vonage_server.VonageServer)
    codes = []

    def quote(form):
        codes.append(code_in(form["text"]))
        return int(codes[-1])

    vonage.answer_with(quote)
    site = sms_site(
        make_site, authority, "sqlite", sms_transport="vonage", sms_from="My Shop", sms_vonage_url=vonage.url,
        sms_vonage_api_key=vonage_server.API_KEY, sms_vonage_api_secret=vonage_server.API_SECRET)

    answer = site.post(REQUEST, {"destination": number})

    wait_for_reason(site, ": not known")
    assert_untold(everything_told(site, answer),
                  [*secrets(codes[0])[3:], codes[0].lstrip("0"), vonage_server.API_KEY, vonage_server.API_SECRET])
