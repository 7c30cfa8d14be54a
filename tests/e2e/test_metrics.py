"""GET /metrics: who may read it, and that it counts what happened, exactly."""
import concurrent.futures
import contextlib
import re
import sqlite3
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support import ports
from support.smtp_server import SmtpServer

pytestmark = pytest.mark.one_process

REQUEST = "/api/v1/auth/otp/request"
READER = "192.0.2.9"
COUNTED = "otpgate_http_requests_total"


class Metrics:
    """One scrape: value("name", label="x") is a sample, nothing where there is none."""

    def __init__(self, answer):
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        self.text = answer.text
        self.families = {family.name: family for family in text_string_to_metric_families(answer.text)}
        self.samples = [sample for family in self.families.values() for sample in family.samples]
        self._values = {(sample.name, *sorted(sample.labels.items())): sample.value for sample in self.samples}
        assert len(self._values) == len(self.samples), "a series twice"

    def value(self, name, **labels):
        return self._values.get((name, *sorted(labels.items())))

    def otp(self):
        """{event: how many} by e-mail for a login, without those that are none."""
        found = {}
        for sample in self.samples:
            match = re.fullmatch(r"otpgate_otp_(\w+)_total", sample.name)
            if match and sample.value and sample.labels == {"channel": "email", "purpose": "login"}:
                found[match[1]] = sample.value
        return found

    def series(self):
        return set(self._values)


def scrape(site):
    return Metrics(site.get("/metrics", client_ip=READER))


@pytest.fixture
def watched_site(make_site, engine):
    """make_site with readers: behind a proxy that tells the clients' addresses."""
    return lambda **settings: make_site(engine, metrics_allowed_addresses=READER, **settings)


def assert_unknown(answer):
    assert answer.status_code == 404
    problem = answer.json()
    assert problem["code"] == "NOT_FOUND"
    assert "Allow" not in answer.headers
    return {**problem, "request_id": None}


@pytest.mark.parametrize("web", ["nginx", "apache"])
def test_nobody_may_read_unless_it_is_set_up(make_site, web):
    site = make_site("sqlite", web=web)
    unknown = assert_unknown(site.get("/api/nothing-here"))
    for client in (None, "127.0.0.1", READER):
        assert assert_unknown(site.get("/metrics", client_ip=client)) == unknown
    for method in ("POST", "OPTIONS", "DELETE"):
        assert_unknown(site.request(method, "/metrics"))


@pytest.mark.parametrize("web", ["nginx", "apache"])
def test_an_allowed_address_may_read(make_site, web):
    site = make_site("sqlite", web=web, metrics_allowed_addresses="203.0.113.7, 192.0.2.0/24, 2001:db8::/32")
    unknown = assert_unknown(site.get("/api/nothing-here"))
    for client in ("203.0.113.7", READER, "2001:db8::1"):
        answer = site.get("/metrics", client_ip=client)
        assert Metrics(answer).value("otpgate_outbox_messages") == 0
        assert answer.headers["Cache-Control"] == "no-store"
    for client in ("203.0.113.8", "2001:db9::1", f"{READER}, 203.0.113.8"):
        assert assert_unknown(site.get("/metrics", client_ip=client)) == unknown
        assert_unknown(site.request("OPTIONS", "/metrics", client_ip=client))
    assert site.request("HEAD", "/metrics", client_ip=READER).status_code == 200
    assert site.post("/metrics", client_ip=READER).status_code == 405


def test_a_client_without_a_trusted_proxy_cannot_name_its_address(make_site):
    site = make_site("sqlite", server_trusted_proxies="", metrics_allowed_addresses=READER)
    for forged in (None, READER, f"{READER}, 127.0.0.1", f"127.0.0.1, {READER}"):
        assert_unknown(site.get("/metrics", client_ip=forged))
    for header in ("Forwarded", "X-Real-IP", "X-Client-IP", "Remote-Addr"):
        assert_unknown(site.get("/metrics", headers={header: f"for={READER}" if header == "Forwarded" else READER}))

    site.otpgate.settings["metrics.allowed_addresses"] = "127.0.0.1"
    site.otpgate.write_config()
    site.otpgate.restart()
    assert Metrics(site.get("/metrics", client_ip=READER)).value("otpgate_argon2_queue") == 0


def test_a_bad_address_stops_the_start_and_is_named(make_site):
    site = make_site("sqlite", metrics_allowed_addresses="127.0.0.1, 10.0.0.0/33", start=False)
    for command in ("check-config", "serve"):
        done = site.otpgate.prepare().run(command)
        assert done.returncode != 0
        assert "metrics.allowed_addresses: not an IP address or network: 10.0.0.0/33" in done.stderr


def test_logins_are_counted_exactly(watched_site, new_address):
    site = watched_site(otp_max_attempts=3, limits_request_per_destination="2/1h")

    for _ in range(3):
        site.login(new_address())
    otp_id, code = site.request_code(address := new_address())
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(3):
        assert site.verify(otp_id, wrong).json()["code"] == "INVALID_OTP"
    assert site.verify(otp_id, code).status_code == 429  # locked
    otp_id, code = site.request_code(address)
    assert site.verify(otp_id, code).status_code == 200
    assert site.verify(otp_id, code).json()["code"] == "OTP_USED"
    assert site.post(REQUEST, {"destination": address}).status_code == 429  # rate limited
    otp_id, code = site.request_code(new_address())
    end = 1_000_000
    site.sql(f"UPDATE otp_requests SET expires_at_us = {end} WHERE consumed_at_us IS NULL")
    assert site.verify(otp_id, code).json()["code"] == "OTP_EXPIRED"
    assert site.verify("019dd1b4-9c22-7d13-b8e9-0123456789ab", code).json()["code"] == "INVALID_OTP"
    assert site.post(REQUEST, {"destination": "nobody"}).status_code == 400
    assert site.post(REQUEST, {"destination": new_address(), "purpose": "register"}).status_code == 202

    ports.wait_until(lambda: scrape(site).value("otpgate_outbox_messages") == 0, 10, "all is sent")
    metrics = scrape(site)
    assert metrics.otp() == {
        "requested": 6, "sent": 6, "verified": 4, "failed": 4, "locked": 1, "rate_limited": 1, "expired": 1
    }
    assert metrics.value("otpgate_otp_sent_total", channel="email", purpose="register") == 1
    assert metrics.value("otpgate_otp_requested_total", channel="email", purpose="register") == 1
    assert metrics.value("otpgate_otp_failed_total", channel="unknown", purpose="unknown") == 1
    assert metrics.value("otpgate_otp_verified_total", channel="sms", purpose="login") == 0

    def requests(route, status):
        return metrics.value(COUNTED, route=route, method="POST", status=status)

    assert [requests(REQUEST, status) for status in ("202", "400", "429")] == [7, 1, 1]
    verify = "/api/v1/auth/otp/verify"
    assert [requests(verify, status) for status in ("200", "400", "410", "429")] == [4, 5, 1, 1]
    assert_histograms_agree(metrics)


def test_codes_by_sms_are_counted_apart(watched_site, number):
    site = watched_site(sms_transport="file")
    otp_id = site.post(REQUEST, {"destination": number}).json()["otp_id"]
    assert site.verify(otp_id, site.phones.wait_for(number)).status_code == 200

    ports.wait_until(lambda: scrape(site).value("otpgate_outbox_messages") == 0, 10, "it is sent")
    metrics = scrape(site)
    for event in ("requested", "sent", "verified"):
        assert metrics.value(f"otpgate_otp_{event}_total", channel="sms", purpose="login") == 1
    assert metrics.otp() == {}


def test_what_was_given_up_is_counted_and_what_is_never_sent_is_not(watched_site, new_address):
    server = SmtpServer().start()
    server.refuse_recipients("550 no such mailbox")
    try:
        site = watched_site(mail_transport="smtp", mail_smtp_host="127.0.0.1", mail_smtp_port=server.port, otp_auto_register="false")
        assert site.otpgate.run("user", "create", "--email", known := new_address()).returncode == 0
        for address in (known, new_address()):
            assert site.post(REQUEST, {"destination": address}).status_code == 202
        ports.wait_until(lambda: scrape(site).value("otpgate_outbox_messages") == 0, 10, "nothing waits")
        ports.wait_until(lambda: scrape(site).value("otpgate_outbox_dead_messages") == 1, 5, "a dead letter")
    finally:
        server.stop()
    assert scrape(site).otp() == {"requested": 2, "send_failed": 1}
    assert scrape(site).value("otpgate_outbox_oldest_age_seconds") == 0


def assert_histograms_agree(metrics):
    """As many durations as requests, for each route, and buckets that grow."""
    by_route = {}
    for sample in metrics.families["otpgate_http_requests"].samples:
        by_route[sample.labels["route"]] = by_route.get(sample.labels["route"], 0) + sample.value
    name = "otpgate_http_request_duration_seconds"
    assert {sample.labels["route"] for sample in metrics.families[name].samples} == set(by_route)
    for route, count in by_route.items():
        buckets = [s.value for s in metrics.families[name].samples if s.name == name + "_bucket" and s.labels["route"] == route]
        assert buckets == sorted(buckets) and len(buckets) == 13
        assert metrics.value(name + "_count", route=route) == buckets[-1] == count, route
        assert 0 <= metrics.value(name + "_sum", route=route) < 10 * count


def test_routes_are_named_by_their_pattern(watched_site, address):
    site = watched_site()
    token = site.login(address)["access"]
    session = "019dd1b4-9c22-7d13-b8e9-0123456789ab"
    assert site.request("DELETE", f"/api/v1/auth/sessions/{session}", token=token).status_code == 404
    assert site.request("PUT", f"/api/v1/auth/sessions/{session}").status_code == 405
    assert site.get("/health/live").status_code == 200
    assert site.request("HEAD", "/health/live/").status_code == 200

    metrics = scrape(site)
    route = "/api/v1/auth/sessions/{id}"
    assert metrics.value(COUNTED, route=route, method="DELETE", status="404") == 1
    assert metrics.value(COUNTED, route=route, method="PUT", status="405") == 1
    assert metrics.value(COUNTED, route="/health/live", method="GET", status="200") == 1
    assert metrics.value(COUNTED, route="/health/live", method="HEAD", status="200") == 1


def test_what_clients_choose_makes_no_series(watched_site):
    site = watched_site()
    scrape(site)
    for number in range(1000):
        site.get(f"/api/{number:x}/{number * 7919 % 1009}", documented=False)
    metrics = scrape(site)
    assert metrics.value(COUNTED, route="unknown", method="GET", status="404") == 1000
    before = metrics.series()
    for number in range(100):
        site.request("DELETE", f"/api/v1/auth/sessions/{number}", documented=False)
        site.get(f"/api/v1/auth/me?{number}", token=str(number), headers={"User-Agent": str(number)})
        site.request(f"M{number}", "/health/live", documented=False)
    added = scrape(site).series() - before
    # Three routes: a series of requests each, and sum, count and 13 buckets of durations.
    assert len(added) <= 3 * 16, added
    assert len(metrics.text) < 100_000


def test_nothing_of_a_person_is_told(watched_site, address):
    site = watched_site()
    otp_id, code = site.request_code(address, client_ip="203.0.113.77")
    login = site.verify(otp_id, code, client_ip="203.0.113.77").json()
    site.get(f"/api/v1/{address}/{otp_id}", documented=False)
    text = scrape(site).text
    local, _, domain = address.partition("@")
    for secret in (local, domain, otp_id, login["access"], login["refresh"], login["session_id"], login["user"]["id"],
                   "203.0.113.77", READER):
        assert secret not in text
    numbers = set(re.findall(r"\b\d{6}\b", re.sub(r"[0-9.e+]+$", "", text, flags=re.MULTILINE)))
    assert code not in numbers


def test_the_outbox_rises_while_mail_cannot_be_sent(watched_site, new_address):
    server = SmtpServer()
    site = watched_site(mail_transport="smtp", mail_smtp_host="127.0.0.1", mail_smtp_port=server.port)
    assert [scrape(site).value(f"otpgate_outbox_{name}") for name in ("messages", "dead_messages", "oldest_age_seconds")] == [
        0, 0, 0
    ]
    for _ in range(3):
        assert site.post(REQUEST, {"destination": new_address()}).status_code == 202

    ports.wait_until(lambda: scrape(site).value("otpgate_outbox_messages") == 3, 5, "three messages wait")
    ports.wait_until(lambda: scrape(site).value("otpgate_outbox_oldest_age_seconds") > 1, 5, "they get older")
    assert scrape(site).value("otpgate_outbox_oldest_age_seconds") < 60

    server.start()
    try:
        ports.wait_until(lambda: scrape(site).value("otpgate_outbox_messages") == 0, 30, "all are sent")
    finally:
        server.stop()
    assert scrape(site).value("otpgate_outbox_oldest_age_seconds") == 0


def test_an_outage_of_mariadb_is_counted_and_the_rest_is_told(make_site, own_mariadb, new_address):
    site = make_site("mysql", mysql=own_mariadb.address, metrics_allowed_addresses=READER)
    site.login(new_address())
    before = scrape(site)
    assert before.value("otpgate_database_errors_total", kind="gone") == 0
    assert before.value("otpgate_outbox_messages") == 0

    own_mariadb.kill()
    assert site.post(REQUEST, {"destination": new_address()}).status_code == 503
    time.sleep(1.1)  # as long as the outbox is not asked again

    during = scrape(site)
    assert during.value("otpgate_database_errors_total", kind="gone") >= 2  # the request's, and the scrape's
    assert during.value("otpgate_outbox_messages") is None
    assert during.value("otpgate_otp_verified_total", channel="email", purpose="login") == 1
    assert during.value(COUNTED, route=REQUEST, method="POST", status="503") == 1

    own_mariadb.start()
    ports.wait_until(lambda: scrape(site).value("otpgate_outbox_messages") == 0, 10, "the outbox is told again")


def test_a_busy_sqlite_is_counted_and_the_rest_is_told(make_site, new_address):
    site = make_site("sqlite", metrics_allowed_addresses=READER)
    assert scrape(site).value("otpgate_database_errors_total", kind="busy") == 0
    with contextlib.closing(sqlite3.connect(site.folder / "otpgate.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert site.post(REQUEST, {"destination": new_address()}).status_code == 503
        during = scrape(site)
        other.execute("ROLLBACK")
    assert during.value("otpgate_database_errors_total", kind="busy") >= 1
    assert during.value("otpgate_outbox_messages") == 0
    assert site.login(new_address())["access"]


def test_password_hashes_are_counted(make_site, new_address):
    site = make_site("sqlite", metrics_allowed_addresses=READER, passwords_slots=1, passwords_queue=0)
    metrics = scrape(site)
    assert [metrics.value(f"otpgate_argon2_{name}") for name in ("running", "queue", "rejected_total")] == [0, 0, 0]

    def login(_):
        return site.post("/api/v1/auth/login", {"email": new_address(), "password": "wrong and long"}).status_code

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(login, range(16)))
    assert set(answers) <= {401, 503} and 503 in answers
    assert scrape(site).value("otpgate_argon2_rejected_total") == answers.count(503)


def test_the_process_is_told(watched_site):
    site = watched_site()
    metrics = scrape(site)
    assert site.otpgate.run("version").stdout == f"otpgate {version_of(metrics)}\n"
    assert abs(metrics.value("process_start_time_seconds") - time.time()) < 60
    assert 0.5 < metrics.value("process_resident_memory_bytes") / site.otpgate.rss_bytes() < 2
    assert 0 < metrics.value("process_cpu_seconds_total") < 60
    assert 3 < metrics.value("process_open_fds") < metrics.value("process_max_fds")


def version_of(metrics):
    (sample,) = metrics.families["otpgate_build_info"].samples
    assert sample.value == 1
    return sample.labels["version"]
