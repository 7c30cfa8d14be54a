"""Databases that die and return, and an otpgate that dies between its answer and the sending."""
import concurrent.futures
import contextlib
import threading
import time

import pytest
from support import ports
from support.site import FCGID, USUAL
from support.smtp_server import SmtpServer, StallingServer

REQUEST = "/api/v1/auth/otp/request"


def ask(site, address, **options):
    """The answer to a request for a code, and how long it took."""
    begin = time.monotonic()
    answer = site.post(REQUEST, {"destination": address}, **options)
    return answer, time.monotonic() - begin


@contextlib.contextmanager
def sixteen_clients(site, new_address):
    """Who ask for codes, one after another, from addresses of their own. Yields what they have got so far: when they asked,
    the answer, and how long it took."""
    stop = threading.Event()
    found = []

    def run(number):
        while not stop.is_set():
            begin = time.monotonic()
            found.append((begin, *ask(site, new_address(), client_ip=f"203.0.113.{number}")))
            time.sleep(0.01)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        clients = [pool.submit(run, number) for number in range(16)]
        try:
            yield found
        finally:
            stop.set()
    for client in clients:
        client.result()


# mod_fcgid starts its processes one by one, and looks every second for one that is free.
LONGEST_SECONDS = 4 if USUAL == FCGID else 2


def assert_unavailable(answer, seconds):
    assert answer.status_code == 503, answer.text
    problem = answer.json()
    assert problem["code"] == "UNAVAILABLE"
    assert problem["retry_after"] == int(answer.headers["Retry-After"]) >= 1
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert seconds < LONGEST_SECONDS


def assert_well_again_within_2_seconds(site, new_address):
    begin = time.monotonic()
    while ask(site, new_address())[0].status_code != 202:
        assert time.monotonic() - begin < 2, "still unavailable 2 s after the database is back"
        time.sleep(0.05)


def test_a_killed_database_is_503_and_its_return_is_noticed(make_site, own_mariadb, new_address):
    site = make_site("mysql", mysql=own_mariadb.address)
    pid = site.otpgate.process.pid
    # Every thread has had its connection.
    for _ in range(64):
        assert ask(site, new_address())[0].status_code == 202

    own_mariadb.kill()

    for _ in range(20):
        assert_unavailable(*ask(site, new_address()))
    # Whom an application sends here is told by a page.
    page = site.get("/oauth/authorize?client_id=wiki", headers={"Accept-Language": "de"})
    assert page.status_code == 503 and page.headers["Content-Type"].startswith("text/html") and page.headers["Retry-After"]
    assert 'lang="de"' in page.text and "script" not in page.text and "database" not in page.text
    # It looks every other second.
    ports.wait_until(lambda: site.get("/health/ready").status_code == 503, 5, "it is not ready")
    assert site.get("/health/live").status_code == 200

    own_mariadb.start()

    assert_well_again_within_2_seconds(site, new_address)
    # Not one lucky thread: all of them.
    for _ in range(64):
        assert ask(site, new_address())[0].status_code == 202
    ports.wait_until(lambda: site.get("/health/ready").status_code == 200, 5, "it is ready")
    assert site.login(new_address())["access"]
    assert site.otpgate.process.pid == pid


def test_a_database_that_hangs_is_503_and_its_return_is_noticed(make_site, own_mariadb, new_address):
    site = make_site("mysql", mysql=own_mariadb.address)
    assert ask(site, new_address())[0].status_code == 202

    own_mariadb.pause()
    try:
        for _ in range(5):
            assert_unavailable(*ask(site, new_address()))
    finally:
        own_mariadb.resume()

    assert_well_again_within_2_seconds(site, new_address)
    assert site.login(new_address())["access"]


@pytest.mark.long
@pytest.mark.alone
@pytest.mark.parametrize(("go", "come_back"), [("pause", "resume"), ("kill", "start")])
def test_a_database_that_goes_fails_all_who_ask_at_once_soon(make_site, own_mariadb, new_address, go, come_back):
    site = make_site("mysql", mysql=own_mariadb.address)
    with sixteen_clients(site, new_address) as found:
        time.sleep(1)
        gone = time.monotonic()
        getattr(own_mariadb, go)()
        try:
            time.sleep(5)
            back = time.monotonic()
        finally:
            getattr(own_mariadb, come_back)()
        if come_back == "start":
            back = time.monotonic()
        time.sleep(4)

    assert {answer.status_code for begin, answer, seconds in found} == {202, 503}
    for begin, answer, seconds in found:
        if answer.status_code == 503:
            assert_unavailable(answer, seconds)
    # Those who ask between the two get nothing, and each of the sixteen has tried more than once.
    during = [answer.status_code for begin, answer, seconds in found if begin > gone + 0.5 and begin + seconds < back - 0.5]
    assert set(during) == {503} and len(during) > 32
    # Nobody asks in vain later than two seconds after its return.
    afterwards = [answer.status_code for begin, answer, seconds in found if begin > back + 2]
    assert set(afterwards) == {202} and len(afterwards) > 32


def test_otpgate_starts_while_requests_fail_and_recovers_over_tcp_too(make_site, own_mariadb, new_address):
    site = make_site("mysql", mysql=own_mariadb.address, start=False)
    site.otpgate.settings["database.url"] = own_mariadb.address.tcp_url(site.database)
    site.otpgate.write_config()
    site.start()
    assert ask(site, new_address())[0].status_code == 202

    own_mariadb.kill()
    assert_unavailable(*ask(site, new_address()))
    own_mariadb.start()

    assert_well_again_within_2_seconds(site, new_address)


def test_a_mail_that_was_not_sent_before_a_crash_is_sent_exactly_once_after_it(make_site, address, engine):
    stalling = StallingServer()
    site = make_site(engine, mail_transport="smtp", mail_smtp_host="127.0.0.1", mail_smtp_port=stalling.port)
    answer = site.post(REQUEST, {"destination": address})
    assert answer.status_code == 202
    stalling.wait_for_connection()

    # The client has its answer, the courier waits for the server's greeting, and renews its lease meanwhile.
    time.sleep(4)
    site.otpgate.kill()
    killed = time.monotonic()
    stalling.stop()
    server = SmtpServer(port=stalling.port).start()
    try:
        site.otpgate.start()
        code = server.wait_for(address, timeout=90)
        # However long the dialogue might have been.
        assert time.monotonic() - killed < 25
        assert site.verify(answer.json()["otp_id"], code).status_code == 200
        # A second one would come with the next look into the outbox.
        time.sleep(3)
        assert len(server.messages_for(address)) == 1
    finally:
        server.stop()


def test_a_mail_server_that_is_away_for_a_while_gets_the_mail_later(make_site, address):
    port = ports.free_port()
    site = make_site("sqlite", mail_transport="smtp", mail_smtp_host="127.0.0.1", mail_smtp_port=port)
    answer = site.post(REQUEST, {"destination": address})
    assert answer.status_code == 202
    time.sleep(0.5)

    server = SmtpServer(port=port).start()
    try:
        code = server.wait_for(address, timeout=60)
        assert site.verify(answer.json()["otp_id"], code).status_code == 200
    finally:
        server.stop()


@pytest.mark.one_process
def test_otpgate_killed_in_the_middle_of_logins_starts_again_and_keeps_its_promises(make_site, new_address, engine):
    site = make_site(engine)
    address = new_address()
    login = site.login(address)
    otp_id, code = site.request_code(address)

    site.otpgate.kill()
    down = site.get("/health/ready")
    assert down.status_code == 503
    assert down.json()["code"] == "UNAVAILABLE"
    assert down.headers["Retry-After"] if not site.refused_by_lighttpd(down) else down.json()["retry_after"]
    site.otpgate.start()
    site.wait_until_reached()

    assert site.get("/api/v1/auth/me", token=login["access"]).status_code == 200
    assert site.verify(otp_id, code).status_code == 200
    assert site.verify(otp_id, code).json()["code"] == "OTP_USED"
