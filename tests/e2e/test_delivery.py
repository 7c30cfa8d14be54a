"""What becomes of messages: mail servers that fail, processes that die, several couriers, the three modes, and the outbox by
hand."""
import collections
import json
import threading
import time

import pytest
import requests
from support import ports
from support.certificates import Authority
from support.http_gateway_server import Answer, GatewayServer
from support.keys import Backend
from support.quoting_server import QuotingSmtpServer
from support.smtp_server import MoodySmtpServer, SmtpServer, StallingServer

REQUEST = "/api/v1/auth/otp/request"
FAST_SMTP = {
    "mail_transport": "smtp", "mail_smtp_host": "127.0.0.1", "mail_smtp_connect_timeout": "1s", "mail_smtp_timeout": "1s",
    "mail_smtp_data_timeout": "1s",
}


@pytest.fixture
def server():
    running = SmtpServer().start()
    yield running
    running.stop()


@pytest.fixture
def deliverers():
    running = []
    yield running
    for one in running:
        one.stop()


def smtp_site(make_site, server, engine="sqlite", **settings):
    return make_site(engine, **{**FAST_SMTP, "mail_smtp_port": server.port, **settings})


def ask(site, address, **fields):
    return site.post(REQUEST, {"destination": address, **fields})


def alive(site):
    return int(site.sql("SELECT COUNT(*) FROM outbox WHERE dead_at_us IS NULL")[0][0])


def send_events(site, address):
    rows = site.sql(f"SELECT event, COALESCE(metadata, '') FROM audit_events WHERE destination = '{address}'"
                    " AND event LIKE '%SEN%' ORDER BY id")
    return [(event, json.loads(metadata).get("reason", "") if metadata else "") for event, metadata in rows]


def outbox(site, *arguments):
    return site.otpgate.run("outbox", *arguments)


def listed(site, *arguments):
    done = outbox(site, "list", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# Failing servers and dying processes.

LOGINS = 2000
KILLS = 5


class Crowd:
    """Clients on several threads, who ask for codes until so many requests were accepted."""

    def __init__(self, site, new_address, wanted):
        self.site = site
        self.new_address = new_address
        self.wanted = wanted
        self.accepted = {}  # address -> when its code expires
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(6)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def join(self):
        for thread in self.threads:
            thread.join()

    def _ask(self):
        session = requests.Session()
        while len(self.accepted) < self.wanted:
            with self.lock:
                address = self.new_address()
            try:
                answer = session.post(self.site.url + REQUEST, json={"destination": address}, timeout=15)
            except requests.RequestException:
                continue
            if answer.status_code == 202:
                self.accepted[address] = time.time() + answer.json()["expires_in"]
            else:
                time.sleep(0.05)


@pytest.mark.long
def test_2000_logins_reach_their_people_though_server_and_otpgate_fail(make_site, new_address, engine):
    server = MoodySmtpServer(share=0.03, seed=20261120).start()
    site = smtp_site(make_site, server, engine, limits_request_per_client="0",
                     otp_email_lifetime="110s")
    crowd = Crowd(site, new_address, LOGINS)
    try:
        crowd.start()
        for number in range(1, KILLS + 1):
            ports.wait_until(lambda at=number: len(crowd.accepted) >= at * LOGINS // (KILLS + 1), 120, "requests")
            site.otpgate.kill()
            site.otpgate.process.start()
        crowd.join()
        ports.wait_until(lambda: alive(site) == 0, 110, "an empty outbox", interval=0.2)
    finally:
        server.stop()

    arrivals = collections.defaultdict(list)
    for when, recipient, message_id in server.arrived:
        arrivals[recipient].append((when, message_id))
    duplicates = len(server.arrived) - len({message_id for _, _, message_id in server.arrived})
    print(f"{engine}: {len(crowd.accepted)} accepted, {len(server.arrived)} mails, {duplicates} of them twice; met {server.met}")

    assert len(crowd.accepted) >= LOGINS
    assert all(server.met[mood] > 0 for mood in server.MOODS), server.met
    missing = crowd.accepted.keys() - arrivals.keys()
    assert not missing, f"{len(missing)} accepted requests without a mail"
    late = [address for address, expiry in crowd.accepted.items() if any(when > expiry for when, _ in arrivals[address])]
    assert not late
    assert duplicates < 0.01 * len(server.arrived)
    assert int(site.sql("SELECT COUNT(*) FROM outbox")[0][0]) == 0
    # A mail that was sent twice is audited once.
    assert int(site.sql("SELECT COUNT(*) FROM audit_events WHERE event = 'OTP_SENT'")[0][0]) == len(arrivals)


@pytest.mark.long
@pytest.mark.one_process
def test_four_couriers_in_two_processes_send_nothing_twice(make_site, server, new_address, deliverers):
    site = smtp_site(make_site, server, "mysql", delivery_mode="outbox", mail_concurrency=2, log_level="debug",
                     limits_request_per_client="0")
    people = [new_address() for _ in range(600)]
    for person in people[:400]:
        assert ask(site, person).status_code == 202
    assert alive(site) == 400

    deliverers += [site.otpgate.deliverer("first"), site.otpgate.deliverer("second")]
    for one in deliverers:
        one.start()
    for person in people[400:]:
        assert ask(site, person).status_code == 202
    ports.wait_until(lambda: alive(site) == 0, 60, "an empty outbox", interval=0.1)

    assert sorted(received.recipients[0] for received in server.received) == sorted(people)
    shares = [one.log().count("message sent") for one in deliverers]
    assert sum(shares) == 600 and min(shares) > 0, shares
    events = site.sql("SELECT event, COUNT(*) FROM audit_events WHERE event LIKE 'OTP_SEN%' GROUP BY event")
    assert [tuple(row) for row in events] == [("OTP_SENT", "600")]


def test_serve_and_deliver_share_what_waits(make_site, server, new_address, deliverers, engine):
    site = smtp_site(make_site, server, engine)
    deliverers.append(site.otpgate.deliverer().start())
    people = [new_address() for _ in range(50)]
    for person in people:
        assert ask(site, person).status_code == 202
    ports.wait_until(lambda: alive(site) == 0, 30, "an empty outbox")
    assert sorted(received.recipients[0] for received in server.received) == sorted(people)


# delivery.mode = outbox


@pytest.mark.one_process
def test_outbox_mode_leaves_the_sending_to_deliver(make_site, server, address, deliverers, engine):
    site = smtp_site(make_site, server, engine, delivery_mode="outbox")
    answer = ask(site, address)
    assert answer.status_code == 202
    time.sleep(1.5)
    assert server.received == []
    assert [entry["state"] for entry in listed(site)] == ["waiting"]

    deliverers.append(site.otpgate.deliverer().start())

    code = server.wait_for(address, timeout=5)
    assert site.verify(answer.json()["otp_id"], code).status_code == 200
    ports.wait_until(lambda: alive(site) == 0, 5, "an empty outbox")
    assert send_events(site, address) == [("OTP_SENT", "")]


@pytest.mark.alone
def test_deliver_sends_soon_and_ends_well(make_site, server, new_address, deliverers):
    site = smtp_site(make_site, server, delivery_mode="outbox")
    one = site.otpgate.deliverer().start()
    deliverers.append(one)
    waits = []
    for _ in range(5):
        address = new_address()
        begin = time.monotonic()
        assert ask(site, address).status_code == 202
        server.wait_for_message(address, timeout=5)
        waits.append(time.monotonic() - begin)
    assert sorted(waits)[2] < 0.5, waits

    assert one.stop() == 0
    assert "stopped" in one.log()


def test_deliver_does_not_start_with_mistakes(new_folder):
    from support.otpgate import Otpgate

    otpgate = Otpgate(new_folder(), {})
    assert otpgate.run("keys", "init").returncode == 0
    not_migrated = otpgate.run("deliver", timeout=20)
    assert not_migrated.returncode == 1 and "otpgate migrate" in not_migrated.stderr
    assert otpgate.prepare().run("deliver", "now").returncode == 2
    # The first key is made, so that another master key does not fit any more.
    otpgate.start()
    otpgate.stop()
    otpgate.folder.joinpath("master.key").unlink()
    assert otpgate.run("keys", "init").returncode == 0
    assert otpgate.run("deliver", timeout=20).returncode in (1, 2)
    otpgate.settings["mail.concurrency"] = 65
    otpgate.write_config()
    wrong = otpgate.run("deliver", timeout=20)
    assert wrong.returncode == 2 and "mail.concurrency" in wrong.stderr


# delivery.mode = sync


@pytest.mark.one_process
def test_sync_mode_answers_when_the_mail_is_gone(make_site, server, new_address, engine):
    site = smtp_site(make_site, server, engine, delivery_mode="sync")
    for count in range(1, 6):
        address = new_address()
        answer = ask(site, address)
        assert answer.status_code == 202
        assert len(server.received) == count
        assert site.verify(answer.json()["otp_id"], server.wait_for(address)).status_code == 200


@pytest.mark.one_process
@pytest.mark.parametrize("refusal", ["550 5.1.1 no such user", "451 4.3.0 not now"])
def test_sync_mode_says_what_the_server_refused_and_sends_it_never(make_site, server, address, engine, refusal):
    site = smtp_site(make_site, server, engine, delivery_mode="sync")
    server.refuse_recipients(refusal)

    answer = ask(site, address)

    assert answer.status_code == 502
    assert answer.json()["code"] == "SEND_FAILED"
    [dead] = listed(site)
    assert dead["state"] == "dead" and refusal[:3] in dead["last_error"]
    [(event, reason)] = send_events(site, address)
    assert event == "OTP_SEND_FAILED" and refusal[:3] in reason
    server.refuse_recipients(None)
    time.sleep(3.5)
    assert server.received == []


@pytest.mark.one_process
def test_in_sync_mode_those_who_wait_leave_threads_to_the_others(make_site, new_address):
    stalling = StallingServer()
    site = smtp_site(make_site, stalling, delivery_mode="sync", server_threads="8", mail_concurrency="1",
                     mail_smtp_timeout="8s")
    answers = collections.Counter()
    askers = [threading.Thread(target=lambda address: answers.update([ask(site, address).status_code]), args=[new_address()])
              for _ in range(30)]
    try:
        for asker in askers:
            asker.start()
        ports.wait_until(lambda: answers[503] >= 20, 5, "whoever finds no place is told at once")
        start = time.monotonic()
        assert site.get("/health/live").status_code == 200
        assert time.monotonic() - start < 1
        # Nothing was written for those.
        assert alive(site) <= 8
    finally:
        stalling.stop()
        for asker in askers:
            asker.join()
    assert answers[503] + answers[502] == 30


@pytest.mark.one_process
def test_sync_mode_fails_everywhere_where_a_code_is_asked_for(make_site, address, new_number):
    site = make_site("sqlite", **FAST_SMTP, mail_smtp_port=ports.free_port(), delivery_mode="sync", sms_transport="mock",
                     sms_failure_rate="1")

    legacy = site.post("/api/auth/otp/request/", {"destination": address, "purpose": "login"})
    assert legacy.status_code == 500
    assert legacy.json() == {"code": "SEND_FAILED", "message": "The message could not be sent. Please try again."}
    phone = site.post("/api/auth/send-otp/", {"phone_number": new_number()})
    assert (phone.status_code, phone.json()["code"]) == (502, "SEND_FAILED")
    registration = site.post("/api/v1/auth/register", {"email": address, "password": "correct horse battery 17"})
    assert (registration.status_code, registration.json()["code"]) == (502, "SEND_FAILED")
    assert site.sql("SELECT COUNT(*) FROM users") == [["0"]]


@pytest.mark.one_process
def test_sync_mode_tells_an_application_that_nothing_was_sent(make_site, address, new_number):
    site = make_site("sqlite", delivery_mode="sync", sms_transport="mock", sms_failure_rate="1")

    answer = Backend(site, address, "verify").post("/api/v1/verifications", {"to": new_number()})

    assert answer.status_code == 502, answer.text
    problem = answer.json()
    assert (problem["code"], problem["error_code"]) == ("SEND_FAILED", "SEND_FAILED")
    assert problem["error"] == problem["detail"]
    assert "context" not in problem


def test_sync_mode_tells_nothing_of_accounts(make_site, address):
    site = make_site("sqlite", **FAST_SMTP, mail_smtp_port=ports.free_port(), delivery_mode="sync",
                     otp_auto_register="false")
    assert site.otpgate.run("user", "create", "--email", address).returncode == 0
    for who in (address, "nobody@example.com"):
        assert site.post("/api/v1/auth/forgot-password", {"email": who}).status_code == 202
        assert ask(site, who).status_code == 202


# Codes that are of no more use.


@pytest.fixture
def quoting():
    """A mail server that takes the message, and then says that it did not."""
    running = []

    def start(code):
        running.append(QuotingSmtpServer(END=code))
        return running[-1]

    yield start
    for one in running:
        one.stop()


def quoting_site(make_site, server, engine):
    return make_site(engine, **FAST_SMTP, mail_smtp_port=server.port)


def test_of_five_codes_that_had_to_wait_only_the_newest_is_sent(make_site, address, engine):
    port = ports.free_port()
    site = make_site(engine, **FAST_SMTP, mail_smtp_port=port)
    asked = [ask(site, address).json()["otp_id"] for _ in range(5)]
    # What a newer one has voided meanwhile is not even tried.
    ports.wait_until(lambda: int(site.sql("SELECT COUNT(*) FROM outbox WHERE last_error IS NOT NULL")[0][0]) > 0, 10, "a failure")
    server = SmtpServer(port=port).start()
    try:
        code = server.wait_for(address, timeout=30)
        ports.wait_until(lambda: alive(site) == 0, 30, "an empty outbox")
        assert len(server.received) == 1
    finally:
        server.stop()
    assert site.verify(asked[-1], code).status_code == 200
    void = "its code is void, because a newer one was asked for or the account has changed"
    assert sorted(send_events(site, address)) == [("OTP_SEND_FAILED", void)] * 4 + [("OTP_SENT", "")]


def test_of_five_sms_that_had_to_wait_only_the_newest_is_paid_for(make_site, new_folder, number):
    authority = Authority(new_folder())
    gateway = GatewayServer(authority).start()
    try:
        gateway.answer_with(*[Answer(503, "", (("Retry-After", "3"),))] * 2)
        site = make_site("sqlite", sms_transport="http", sms_http_url=gateway.url + "/send",
                         sms_ca_file=authority.ca_file, sms_http_body='{"to": "{to}", "text": "{text}"}')
        for _ in range(5):
            ask(site, number)
        ports.wait_until(lambda: alive(site) == 0, 30, "an empty outbox")
        events = [event for event, _ in send_events(site, number)]
    finally:
        gateway.stop()
    taken = [request for request, answer in zip(gateway.messages(), gateway.answers) if answer.status == 200]
    assert len(taken) == 1
    assert sorted(events) == ["OTP_SEND_FAILED"] * 4 + ["OTP_SENT"]


def test_a_code_that_was_used_is_not_sent_again(make_site, quoting, address, engine):
    server = quoting(451)
    site = quoting_site(make_site, server, engine)
    answer = ask(site, address)
    ports.wait_until(lambda: server.codes, 10, "the message")
    assert site.verify(answer.json()["otp_id"], server.codes[0]).status_code == 200

    ports.wait_until(lambda: alive(site) == 0, 15, "an empty outbox")

    assert len(server.messages_for(address)) == 1
    assert send_events(site, address)[-1] == ("OTP_SEND_FAILED", "its code has been used")


def test_retry_does_not_send_a_code_that_was_used(make_site, quoting, address, engine):
    server = quoting(554)
    site = quoting_site(make_site, server, engine)
    answer = ask(site, address)
    [dead] = ports.wait_until(lambda: listed(site, "--dead"), 10, "a dead letter")
    assert site.verify(answer.json()["otp_id"], server.codes[0]).status_code == 200

    by_id = outbox(site, "retry", dead["id"])

    assert by_id.returncode == 1
    assert by_id.stderr == f"otpgate: {dead['id']}: its code has been used: it is never sent\n"
    everything = outbox(site, "retry", "--all")
    assert (everything.returncode, everything.stdout) == (0, "0 to be sent now, 1 left\n")
    time.sleep(1.5)
    assert len(server.messages_for(address)) == 1


def test_retry_does_not_send_a_code_that_a_newer_one_has_voided(make_site, quoting, address, engine):
    server = quoting(554)
    site = quoting_site(make_site, server, engine)
    ask(site, address)
    [dead] = ports.wait_until(lambda: listed(site, "--dead"), 10, "a dead letter")
    ask(site, address)

    by_id = outbox(site, "retry", dead["id"])

    assert by_id.returncode == 1 and "its code is void" in by_id.stderr


# The outbox by hand.


def bury(site, server, address):
    """A message that the mail server refuses: its id."""
    server.refuse_recipients("550 5.1.1 no such user")
    assert ask(site, address).status_code == 202
    [dead] = ports.wait_until(lambda: listed(site, "--dead"), 10, "a dead letter")
    server.refuse_recipients(None)
    return dead["id"]


def test_a_refused_message_is_shown_and_can_be_tried_again(make_site, server, address, engine):
    site = smtp_site(make_site, server, engine)
    dead = bury(site, server, address)

    [entry] = listed(site)
    assert entry["kind"] == "code" and entry["purpose"] == "login" and entry["channel"] == "email"
    assert entry["attempts"] == 1 and "550" in entry["last_error"] and entry["died_at"]
    plain = outbox(site, "list", "--dead")
    assert plain.returncode == 0 and dead in plain.stdout and entry["destination_masked"] in plain.stdout
    assert address not in plain.stdout and address not in json.dumps(entry)
    assert [event for event, _ in send_events(site, address)] == ["OTP_SEND_FAILED"]

    again = outbox(site, "retry", dead)
    assert (again.returncode, again.stdout) == (0, "1 to be sent now, 0 left\n")
    server.wait_for(address)
    ports.wait_until(lambda: not listed(site), 5, "an empty outbox")
    assert [event for event, _ in send_events(site, address)] == ["OTP_SEND_FAILED", "MESSAGE_SENT_AGAIN", "OTP_SENT"]


def test_what_has_expired_is_not_tried_again(make_site, server, address):
    site = smtp_site(make_site, server, otp_email_lifetime="2s")
    dead = bury(site, server, address)
    time.sleep(2)

    by_id = outbox(site, "retry", dead)
    assert by_id.returncode == 1
    assert dead in by_id.stderr and "expired" in by_id.stderr
    everything = outbox(site, "retry", "--all")
    assert (everything.returncode, everything.stdout) == (0, "0 to be sent now, 1 left\n")
    assert dead in everything.stderr
    time.sleep(1.5)
    assert server.received == []


@pytest.mark.one_process
def test_messages_can_be_removed(make_site, server, new_address, engine):
    site = smtp_site(make_site, server, engine, delivery_mode="outbox")
    first, second, third = new_address(), new_address(), new_address()
    for person in (first, second):
        assert ask(site, person).status_code == 202
    waiting = [entry["id"] for entry in listed(site)]
    site.sql(f"UPDATE outbox SET dead_at_us = 1, available_at_us = {2 ** 63 - 1} WHERE destination = '{second}'")

    not_dead = outbox(site, "purge", "--dead", waiting[0])
    assert (not_dead.returncode, not_dead.stdout) == (1, "0 removed, 1 left\n")
    assert "is not dead" in not_dead.stderr
    one = outbox(site, "purge", waiting[0], "00000000-0000-7000-8000-000000000000")
    assert (one.returncode, one.stdout) == (1, "1 removed, 1 left\n")
    assert "no such message" in one.stderr
    assert send_events(site, first) == [("OTP_SEND_FAILED", "purged by an administrator")]
    assert ask(site, third).status_code == 202
    assert outbox(site, "purge", "--older-than", "1h").stdout == "0 removed, 0 left\n"
    assert outbox(site, "purge", "--dead").stdout == "1 removed, 0 left\n"
    assert send_events(site, second) == []  # told when it was given up
    assert outbox(site, "purge", "--older-than", "0s").stdout == "1 removed, 0 left\n"
    assert listed(site) == []


@pytest.mark.parametrize("arguments", [
    [], ["show"], ["list", "--all"], ["retry"], ["retry", "1"], ["purge"], ["purge", "--older-than"],
    ["purge", "--older-than", "soon"], ["purge", "--all"],
], ids=" ".join)
def test_a_mistake_at_the_outbox_is_a_usage_error(new_folder, arguments):
    from support.otpgate import Otpgate

    otpgate = Otpgate(new_folder(), {})
    done = otpgate.run("outbox", *arguments)
    assert done.returncode == 2
    assert "usage: otpgate outbox" in done.stderr
