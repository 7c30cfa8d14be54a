"""Refresh tokens and the ends of sessions, beyond what test_login_flow.py shows; on both engines."""
import concurrent.futures
import http.client
import json
import time

import pytest
from test_concurrency import at_once
from test_login_flow import assert_problem

AUTH = "/api/v1/auth"


def refresh(site, token):
    return site.post(f"{AUTH}/token/refresh", {"refresh": token})


def assert_dead(site, login):
    assert_problem(site.get(f"{AUTH}/me", token=login["access"]), 401, "INVALID_TOKEN")
    assert refresh(site, login["refresh"]).status_code == 401


def count_rows(site):
    """{table: rows}, but for events that wait to be told, which whoever posts takes away at any time, and the processes that hold
    keys, of which mod_fcgid starts and ends some."""
    if site.engine == "mysql":
        names = site.sql(f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{site.database}'")
    else:
        names = site.sql("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return {name: int(site.sql(f"SELECT COUNT(*) FROM {name}")[0][0]) for [name] in names if name not in ("webhook_events", "key_holders")}


def test_refreshes_by_ever_another_client_leave_one_row(site, address):
    token = site.login(address)["refresh"]
    before = count_rows(site)

    for number in range(30):
        answer = site.post(f"{AUTH}/token/refresh", {"refresh": token}, headers={"User-Agent": f"Agent/{number}"})
        token = answer.json()["refresh"]

    assert count_rows(site) == {**before, "audit_events": before["audit_events"] + 1}


def test_logout_all_ends_every_session_of_the_user_and_of_nobody_else(site, new_address):
    address = new_address()
    mine, other = [site.login(address) for _ in range(3)], site.login(new_address())

    assert site.post(f"{AUTH}/logout-all", token=mine[1]["access"]).status_code == 204

    for login in mine:
        assert_dead(site, login)
    assert site.get(f"{AUTH}/me", token=other["access"]).status_code == 200
    assert refresh(site, other["refresh"]).status_code == 200
    # And a new login is as good as ever.
    [session] = site.get(f"{AUTH}/sessions", token=site.login(address)["access"]).json()["sessions"]
    assert session["current"] is True


def test_two_tabs_that_refresh_at_once_go_on_together(site, address):
    login = site.login(address)
    for _ in range(3):
        first, second = (answer.json() for answer in at_once(2, lambda _: refresh(site, login["refresh"])))
        assert first["refresh"] == second["refresh"] != login["refresh"]
        assert first["session_id"] == second["session_id"] == login["session_id"]
        for tab in (first, second):
            assert site.get(f"{AUTH}/me", token=tab["access"]).status_code == 200
        login = first


@pytest.mark.long
def test_a_refresh_token_that_comes_back_after_the_grace_ends_the_session(site, new_address):
    stolen, beside = site.login(new_address()), site.login(new_address())
    owners = refresh(site, stolen["refresh"]).json()
    assert refresh(site, stolen["refresh"]).json()["refresh"] == owners["refresh"]
    time.sleep(31)

    assert_problem(refresh(site, stolen["refresh"]), 401, "TOKEN_REUSED")

    assert_dead(site, owners)
    assert_dead(site, stolen)
    assert refresh(site, beside["refresh"]).status_code == 200
    [audited] = site.sql(f"SELECT COUNT(*) FROM audit_events e JOIN users u ON u.id = e.user_id WHERE event = 'TOKEN_REUSED'"
                         f" AND u.email = '{stolen['user']['email']}'")
    assert audited == ["1"]


@pytest.mark.long
def test_ten_thousand_refreshes_leave_no_row_behind(make_site, engine):
    site = make_site(engine)
    logins = [site.login(f"p{number}@example.com") for number in range(4)]
    # The first refresh comes from the test's other program, which is worth an audit row.
    tokens = refresh_in_a_row(site, [login["refresh"] for login in logins], 1)
    before = count_rows(site)

    tokens = refresh_in_a_row(site, tokens, 2500)

    assert count_rows(site) == before
    for login, token in zip(logins, tokens):
        assert refresh(site, token).json()["session_id"] == login["session_id"]


def refresh_in_a_row(site, tokens, count):
    """`count` refreshes of each token's session, one after the other over one connection: the last successors."""

    def run(token):
        connection = http.client.HTTPConnection("localhost", site.web.port, timeout=30)
        for _ in range(count):
            body = json.dumps({"refresh": token})
            connection.request("POST", f"{AUTH}/token/refresh", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = json.loads(answer.read())
            assert answer.status == 200, body
            token = body["refresh"]
        connection.close()
        return token

    with concurrent.futures.ThreadPoolExecutor(len(tokens)) as pool:
        return list(pool.map(run, tokens))
