"""sms.allowed_prefixes and sms.daily_budgets: where messages may go, and how many a day."""
import collections
import json
import time

import pytest

from conftest import ROOMY
from support.keys import Backend
from support.ports import wait_until
from support.site import Site
from test_concurrency import at_once
from test_login_flow import assert_problem
from test_phone_validation import PASSWORD, REQUEST, VERIFY
from test_sms import ask, events, waiting

GERMAN, AMERICAN = "+4930123456", "+12025550123"
NOT_SENT_TO = "this server sends no messages to numbers with this country code"
SPENT = "daily SMS budget is spent"
ROUTES = [
    (REQUEST, "destination", {}),
    (REQUEST, "phone_number", {}),
    (VERIFY, "destination", {"otp": "123456"}),
    (VERIFY, "phone_number", {"otp": "123456"}),
    ("/api/v1/auth/register", "phone_number", {"password": PASSWORD}),
    ("/api/v1/auth/login", "phone_number", {"password": PASSWORD}),
    ("/api/v1/auth/forgot-password", "phone_number", {}),
    ("/api/v1/auth/password-reset", "phone_number", {"otp": "123456", "password": PASSWORD}),
    ("/api/auth/send-otp/", "phone_number", {}),
    ("/api/auth/verify-otp/", "phone_number", {"otp_code": "123456"}),
]


@pytest.fixture(scope="module")
def german(new_folder):
    settings = {**ROOMY, "sms.transport": "file", "sms.allowed_prefixes": "+49, +43"}
    with Site(new_folder(), settings=settings) as site:
        yield site


def assert_not_sent_to(answer, field):
    problem = assert_problem(answer, 400, "VALIDATION_ERROR")
    assert problem["errors"] == [{"field": field, "message": NOT_SENT_TO}]


@pytest.mark.parametrize("path, field, more", ROUTES)
def test_numbers_of_other_countries_are_refused_wherever_a_number_is_read(german, path, field, more):
    assert_not_sent_to(german.post(path, {field: AMERICAN, **more}), field)


def test_they_are_refused_for_authstack_clients(german):
    answer = german.post("/api/auth/otp/request/", {"destination": AMERICAN})
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")


def test_they_are_refused_for_verifications_that_we_deliver(german, new_address):
    backend = Backend(german, new_address(), "verify", "verify:caller")

    assert_not_sent_to(backend.post("/api/v1/verifications", {"to": AMERICAN}), "to")

    assert backend.post("/api/v1/verifications", {"to": "+431234567"}).status_code == 201
    assert set(backend.start(AMERICAN, deliver="caller")) >= {"otp"}


def test_they_are_refused_whether_or_not_there_is_an_account(german):
    assert german.otpgate.run("user", "create", "--phone", "+12025550199").returncode == 0

    for number in ("+12025550199", "+12025550198"):
        assert_not_sent_to(german.post(REQUEST, {"destination": number}), "destination")
        assert german.sql(f"SELECT id FROM otp_requests WHERE destination = '{number}'") == []


def test_a_login_with_an_allowed_number(german, address):
    otp_id = ask(german, GERMAN)
    assert german.verify(otp_id, german.phones.wait_for(GERMAN)).status_code == 200
    assert german.login(address)["user"]["email"] == address


def test_what_was_written_before_the_setting_changed_is_given_up(make_site, engine, number):
    site = make_site(engine, sms_transport="mock", sms_failure_rate="1")
    ask(site, number)
    wait_until(lambda: waiting(site)[0][0] >= 1, 10, "a first attempt")

    site.settings.update({"sms.transport": "file", "sms.allowed_prefixes": "+49"})
    site.otpgate.write_config()
    site.otpgate.restart()

    wait_until(lambda: events(site, number), 20, "the message is given up")
    assert events(site, number) == [("OTP_SEND_FAILED", "number is not covered by sms.allowed_prefixes")]
    assert site.phones.messages() == []


def finished(site):
    """How often each came of a message: {(event, reason): count}"""
    rows = site.sql("SELECT event, COALESCE(metadata, '{}') FROM audit_events WHERE event IN ('OTP_SENT', 'OTP_SEND_FAILED')")
    return collections.Counter((event, json.loads(metadata).get("reason", "")) for event, metadata in rows)


def refused(budget):
    return ("OTP_SEND_FAILED", f"daily SMS budget of {budget} is spent")


def counted(site):
    return {prefix: int(sent) for prefix, sent in site.sql("SELECT prefix, sent FROM sms_budgets")}


def test_exactly_the_budget_is_sent_of_many_requests_at_once(make_site, engine, new_number):
    site = make_site(engine, sms_transport="file", sms_daily_budgets="+1555:7, *:100")
    numbers = [new_number() for _ in range(30)]

    answers = at_once(30, lambda i: site.post(REQUEST, {"destination": numbers[i]}))

    assert {answer.status_code for answer in answers} == {202}  # who asks does not learn of the budget
    wait_until(lambda: sum(finished(site).values()) == 30, 20, "every message is done")
    assert finished(site) == {("OTP_SENT", ""): 7, refused("+1555 (7)"): 23}
    assert len(site.phones.messages()) == 7
    assert counted(site) == {"+1555": 7}
    # And other numbers have theirs.
    ask(site, GERMAN)
    assert site.phones.wait_for(GERMAN)
    assert counted(site) == {"+1555": 7, "*": 1}


def test_two_processes_share_a_budget(make_site, engine, new_number):
    first = make_site(engine, sms_transport="file", sms_daily_budgets="+1555:9")
    shared = {name.replace(".", "_", 1): first.settings[name]
              for name in ("database.url", "keys.master_file", "sms.transport", "sms.daily_budgets")}
    password = first.settings.get("database.password")
    second = make_site(start=False, **shared, **({"database_password": password} if password else {}))
    second.otpgate.start()
    second.web.start()
    numbers = [new_number() for _ in range(30)]

    at_once(30, lambda i: ask((first, second)[i % 2], numbers[i]))

    wait_until(lambda: sum(finished(first).values()) == 30, 20, "every message is done")
    assert finished(first) == {("OTP_SENT", ""): 9, refused("+1555 (9)"): 21}
    assert len(first.phones.messages()) + len(second.phones.messages()) == 9
    assert counted(first) == {"+1555": 9}


def test_a_spent_budget_is_one_line_of_the_log(make_site, new_number):
    site = make_site(sms_transport="file", sms_daily_budgets="+1555:1", log_level="info")
    numbers = [new_number() for _ in range(4)]
    for number in numbers:
        ask(site, number)
    wait_until(lambda: sum(finished(site).values()) == 4, 20, "every message is done")

    lines = [line for line in site.otpgate.log().splitlines() if SPENT in line]

    assert len(lines) == 1
    assert "warning" in lines[0] and SPENT in lines[0] and "prefix=+1555" in lines[0] and "sms.daily_budgets" in lines[0]
    assert not any(number in site.otpgate.log() for number in numbers)


def test_what_the_provider_does_not_take_costs_nothing(make_site, engine, number):
    site = make_site(engine, sms_transport="mock", sms_failure_rate="1", sms_daily_budgets="+1555:1")
    ask(site, number)
    wait_until(lambda: waiting(site)[0][0] >= 2, 20, "a second attempt")

    assert counted(site) in ({"+1555": 0}, {"+1555": 1})  # 1 while an attempt is under way
    wait_until(lambda: counted(site) == {"+1555": 0}, 5, "the place is given back")


@pytest.mark.parametrize("name, value", [("allowed_prefixes", "+49, Germany"), ("daily_budgets", "+49:many")])
def test_a_rule_that_is_none_stops_the_start(make_site, name, value):
    done = make_site(start=False, **{f"sms_{name}": value}).otpgate.run("check-config")
    assert done.returncode == 2
    assert f"sms.{name}" in done.stderr


def test_nobody_sends_without_a_budget(make_site, engine):
    site = make_site(engine, sms_transport="file", start=False)
    del site.settings["sms.daily_budgets"]
    site.otpgate.write_config()
    site.start()
    assert "sms.daily_budgets = *:100" in site.otpgate.log()
    assert "sms.daily_budgets = *:100" in site.otpgate.run("check-config").stdout

    site.sql("INSERT INTO sms_budgets (prefix, day, sent) VALUES ('*', " + str(int(time.time()) // 86400) + ", 99)")
    for number in ("+15550009001", "+4930123459"):
        assert site.post("/api/v1/auth/otp/request", {"destination": number}).status_code == 202
    wait_until(lambda: SPENT in site.otpgate.log(), 10, "the budget is spent")
    assert site.sql("SELECT sent FROM sms_budgets") == [["100"]]


def test_what_a_budget_forgets_has_the_usual_one(make_site):
    site = make_site(sms_transport="file", sms_daily_budgets="+1:1000")
    assert "sms.daily_budgets = +1:1000, *:100" in site.otpgate.log()
