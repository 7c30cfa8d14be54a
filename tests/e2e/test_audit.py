"""The audit trail as users and administrators read it, and as `otpgate audit export` writes it; on both engines."""
import csv
import datetime
import io
import json
import subprocess

import pytest

LOGS = "/api/v1/audit/logs"
EVENTS_OF_A_LOGIN = {"OTP_REQUESTED", "OTP_VERIFIED", "USER_REGISTERED", "LOGIN_SUCCEEDED"}


def read(site, token, query="", **options):
    answer = site.get(LOGS + query, token=token, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def read_csv(site, token, query="", accept="text/csv"):
    answer = site.get(LOGS + query, token=token, headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].split(";")[0] == "text/csv"
    return answer, list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


def make_admin(site, address):
    done = site.otpgate.run("user", "make-admin", address)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def admin(site, new_address):
    """The access token of an administrator."""
    address = new_address()
    token = site.login(address)["access"]
    make_admin(site, address)
    return token


def guess_wrong(site, address):
    otp_id, code = site.request_code(address)
    site.verify(otp_id, "0" * 6 if code != "0" * 6 else "1" * 6)


def test_an_event_says_what_happened_when_and_from_where(site, address):
    body = site.login(address)

    page = read(site, body["access"], "?event=LOGIN_SUCCEEDED")

    assert (page["count"], page["next"], page["previous"]) == (1, None, None)
    (event,) = page["results"]
    assert list(event) == ["id", "event", "user_id", "email", "destination", "ip_address", "user_agent", "request_id",
                           "metadata", "created_at"]
    assert event["event"] == "LOGIN_SUCCEEDED"
    assert event["user_id"] == body["user"]["id"]
    assert event["email"] == event["destination"] == address
    assert event["ip_address"] == "127.0.0.1"
    assert event["user_agent"].startswith("python-requests/")
    assert event["request_id"] in site.otpgate.log()
    assert event["metadata"] == {}
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(event["created_at"])
    assert abs(age) < datetime.timedelta(minutes=5)


def test_a_user_reads_their_own_events_alone(site, new_address):
    ann, bob = new_address(), new_address()
    bobs_id = site.login(bob)["user"]["id"]
    guess_wrong(site, ann)  # before there is an account: an event of the address
    token = site.login(ann)["access"]

    events = read(site, token, "?page_size=50")["results"]

    assert EVENTS_OF_A_LOGIN | {"OTP_FAILED"} <= {event["event"] for event in events}
    assert {event["destination"] for event in events} <= {ann, None}
    assert bobs_id not in json.dumps(events)
    assert read(site, token, f"?email={bob}")["count"] == 0
    assert [event["id"] for event in events] == sorted((event["id"] for event in events), reverse=True)


def test_nobody_reads_without_signing_in(site):
    answer = site.get(LOGS)

    assert answer.status_code == 401
    assert answer.json()["code"] == "UNAUTHENTICATED"


def test_an_admin_reads_everybodys(site, admin, address):
    site.login(address)

    page = read(site, admin, f"?email={address.upper()}&page_size=50")

    assert EVENTS_OF_A_LOGIN <= {event["event"] for event in page["results"]}
    assert page["count"] == len(page["results"])
    assert read(site, admin)["count"] > page["count"]


def test_pages_meet_and_link_each_other(site, address):
    body = site.login(address)
    token, refresh = body["access"], body["refresh"]
    # A refresh is an event where the client changes, and some minutes have passed since the last one.
    session = body["session_id"].replace("-", "")
    for number in range(12):
        site.sql(f"UPDATE sessions SET moved_at_us = 0 WHERE id = x'{session}'")
        answer = site.post("/api/v1/auth/token/refresh", {"refresh": refresh}, headers={"User-Agent": f"browser {number}"})
        refresh = answer.json()["refresh"]
    query = "?event=TOKEN_REFRESHED&page_size=5&from_date=2026-01-01&email="

    pages = [read(site, token, query)]
    while pages[-1]["next"]:
        assert pages[-1]["next"].startswith(site.url + LOGS + "?")
        pages.append(read(site, token, pages[-1]["next"].removeprefix(site.url + LOGS)))

    ids = [event["id"] for page in pages for event in page["results"]]
    assert [len(page["results"]) for page in pages] == [5, 5, 2]
    assert len(set(ids)) == 12
    assert {page["count"] for page in pages} == {12}
    assert pages[0]["previous"] is None
    assert pages[1]["next"] == f"{site.url}{LOGS}?event=TOKEN_REFRESHED&from_date=2026-01-01&page=3&page_size=5"
    assert pages[1]["previous"] == f"{site.url}{LOGS}?event=TOKEN_REFRESHED&from_date=2026-01-01&page_size=5"
    assert read(site, token, pages[1]["previous"].removeprefix(site.url + LOGS)) == pages[0]


@pytest.mark.parametrize("page", ["2000", "0", "-1", "x", "", "1.5", "99999999999999999999", "1 "])
def test_a_page_that_does_not_exist_is_not_found(site, address, page):
    answer = site.get(f"{LOGS}?page={page}", token=site.login(address)["access"])

    assert answer.status_code == 404
    assert answer.json()["code"] == "NOT_FOUND"


def test_the_size_of_a_page_is_bounded(site, admin, address):
    site.login(address)
    sizes = {size: len(read(site, admin, f"?page_size={size}")["results"]) for size in ("1000000", "50", "0", "x", "3")}

    assert sizes["1000000"] == sizes["50"] <= 50
    assert (sizes["0"], sizes["x"], sizes["3"]) == (min(10, sizes["50"]), min(10, sizes["50"]), 3)


def test_an_empty_result_is_a_page(site, address):
    page = read(site, site.login(address)["access"], "?event=PASSWORD_RESET")

    assert page == {"count": 0, "next": None, "previous": None, "results": []}


def test_dates_are_inclusive(site, address):
    token = site.login(address)["access"]
    (event,) = read(site, token, "?event=LOGIN_SUCCEEDED")["results"]
    moment = datetime.datetime.fromisoformat(event["created_at"])
    day, second = datetime.timedelta(days=1), datetime.timedelta(seconds=1)
    written = lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ")
    date = lambda time: time.strftime("%Y-%m-%d")

    def found(query):
        return read(site, token, f"?event=LOGIN_SUCCEEDED&{query}")["count"]

    assert found(f"from_date={date(moment)}&to_date={date(moment)}") == 1
    assert found(f"from_date={date(moment + day)}") == 0
    assert found(f"to_date={date(moment - day)}") == 0
    assert found(f"from_date={written(moment)}&to_date={written(moment)}") == 1
    assert found(f"from_date={written(moment + second)}") == 0
    assert found(f"to_date={written(moment - second)}") == 0
    elsewhere = moment.astimezone(datetime.timezone(datetime.timedelta(hours=5, minutes=30)))
    for plus in ("%2B", "+"):
        assert found(f"to_date={elsewhere.strftime('%Y-%m-%dT%H:%M:%S')}{plus}05:30") == 1


@pytest.mark.parametrize(
    "query,parameters",
    [("event=NONSENSE", ["event"]), ("event=login_failed", ["event"]), ("from_date=yesterday", ["from_date"]),
     ("to_date=2026-02-30", ["to_date"]), ("email=nobody", ["email"]), ("to_date=2026-11-20T05:12", ["to_date"]),
     ("email=%00&event=x&from_date=1&to_date=%27%20OR%201%3D1", ["email", "event", "from_date", "to_date"])],
)
def test_a_bad_parameter_is_named(site, address, query, parameters):
    answer = site.get(f"{LOGS}?{query}", token=site.login(address)["access"])

    assert answer.status_code == 400
    if site.refused_by_lighttpd(answer):
        assert "%00" in query
        return
    assert answer.json()["code"] == "VALIDATION_ERROR"
    assert [error["field"] for error in answer.json()["errors"]] == parameters


def test_csv_has_all_rows_and_the_same_members(site, admin, address):
    site.login(address)
    answer, rows = read_csv(site, admin, f"?email={address}")
    events = read(site, admin, f"?email={address}&page_size=50")["results"]

    assert "attachment" in answer.headers["Content-Disposition"]
    assert set(answer.headers["Vary"].split(",")) <= {"Accept", "Origin"} and "Accept" in answer.headers["Vary"]
    assert "X-Truncated" not in answer.headers
    assert answer.content.endswith(b"\r\n") and b"\n" not in answer.content.replace(b"\r\n", b"")
    assert list(rows[0]) == list(events[0])
    for row, event in zip(rows, events, strict=True):
        assert row == {name: json.dumps(value, separators=(",", ":")) if name == "metadata" else value or ""
                       for name, value in event.items()}


@pytest.mark.parametrize(
    "accept,is_csv",
    [("text/csv", True), ("TEXT/CSV; charset=utf-8", True), ("text/csv, application/json;q=0.5", True), ("*/*", False),
     ("application/json, text/csv", False), ("application/json", False), ("text/html", False)],
)
def test_csv_is_for_who_asks_for_it(site, address, accept, is_csv):
    answer = site.get(LOGS, token=site.login(address)["access"], headers={"Accept": accept})

    assert answer.headers["Content-Type"].startswith("text/csv" if is_csv else "application/json")


HOSTILE = ['=HYPERLINK("http://evil.example","x")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1,1)", 'a "quoted", word',
           "\u00e9\u20ac\U0001f511"]


@pytest.mark.parametrize("agent", HOSTILE)
def test_a_hostile_user_agent_stays_text_in_a_spreadsheet(site, address, agent):
    otp_id, code = site.request_code(address)
    answer = site.post("/api/v1/auth/otp/verify", {"otp_id": otp_id, "otp": code},
                       headers={"User-Agent": agent.encode()})
    _, rows = read_csv(site, answer.json()["access"], "?event=LOGIN_SUCCEEDED")

    (row,) = rows
    assert row["user_agent"] == ("'" + agent if agent[0] in "=+-@" else agent)
    (event,) = read(site, answer.json()["access"], "?event=LOGIN_SUCCEEDED")["results"]
    assert event["user_agent"] == agent


def test_a_telephone_number_stays_text_too(sms_site, number):
    otp_id = sms_site.post("/api/v1/auth/otp/request", {"destination": number}).json()["otp_id"]
    token = sms_site.verify(otp_id, sms_site.phones.wait_for(number)).json()["access"]
    _, rows = read_csv(sms_site, token, "?event=LOGIN_SUCCEEDED")

    assert (rows[0]["destination"], rows[0]["email"]) == ("'" + number, "")
    (event,) = read(sms_site, token, "?event=LOGIN_SUCCEEDED")["results"]
    assert (event["destination"], event["email"]) == (number, None)


def fill(site, count):
    """So many events of long ago, by SQL: no service writes them that fast. Ids as UUIDv7 of the year 2020."""
    rows = [f"(X'{1577836800000 + i:012x}7000800000000000{i:04x}', 'OTP_SENT', 'bulk@example.com', {1577836800000000 + i * 1000})"
            for i in range(count)]
    for begin in range(0, count, 2000):
        site.sql("INSERT INTO audit_events (id, event, destination, created_at_us) VALUES "
                 + ", ".join(rows[begin:begin + 2000]))


def test_large_exports(make_site, engine, address):
    site = make_site(engine)
    token = site.login(address)["access"]
    make_admin(site, address)
    fill(site, 10_300)

    answer, rows = read_csv(site, token, "?email=bulk@example.com")
    assert answer.headers["X-Truncated"] == "10000"
    assert len({row["id"] for row in rows}) == 10_000
    # The command writes them all.
    done = site.otpgate.run("audit", "export", "--email", "bulk@example.com")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 10_301
    # Pages far behind are there, and the last one knows that it is.
    last = read(site, token, "?email=bulk@example.com&page=206&page_size=50")
    assert (last["count"], len(last["results"]), last["next"]) == (10_300, 50, None)
    assert site.get(LOGS + "?email=bulk@example.com&page=207&page_size=50", token=token).status_code == 404


def test_export_writes_csv_and_json(site, address):
    site.login(address)
    as_csv = site.otpgate.run("audit", "export", "--email", address)
    as_json = site.otpgate.run("audit", "export", "--email", address, "--format", "json", "--from", "2026-01-01")

    assert as_csv.returncode == as_json.returncode == 0, as_csv.stderr + as_json.stderr
    rows, events = list(csv.DictReader(io.StringIO(as_csv.stdout))), json.loads(as_json.stdout)
    assert EVENTS_OF_A_LOGIN <= {event["event"] for event in events}
    assert [row["id"] for row in rows] == [event["id"] for event in events]
    none = site.otpgate.run("audit", "export", "--email", address, "--to", "2020-01-01", "--format", "json")
    assert json.loads(none.stdout) == []
    one = site.otpgate.run("audit", "export", "--email", address, "--event", "USER_REGISTERED", "--format", "json")
    assert [event["event"] for event in json.loads(one.stdout)] == ["USER_REGISTERED"]


@pytest.mark.parametrize(
    "arguments",
    [[], ["import"], ["export", "--from"], ["export", "--from", "x"], ["export", "--event", "x"], ["export", "--format", "xml"],
     ["export", "--nothing", "x"], ["export", "--email", "x"]],
)
def test_export_says_what_it_did_not_understand(site, arguments):
    done = site.otpgate.run("audit", *arguments)

    assert done.returncode == 2
    assert done.stderr.startswith("otpgate: ") and "usage: otpgate audit export" in done.stderr


def test_export_says_when_its_output_is_full(site, address):
    site.login(address)
    with open("/dev/full", "w") as full:
        done = subprocess.run([*site.otpgate.as_user, site.otpgate.binary, "audit", "export", "--config", site.otpgate.config],
                              stdout=full, stderr=subprocess.PIPE, env=site.otpgate.env, text=True, check=False)

    assert done.returncode == 1
    assert "could not be written" in done.stderr
