"""The connection to the database breaks when a right guess is being committed: its code is spent, and nobody has been told."""
import contextlib
import time

import pytest
from support.commit_losing_proxy import CommitLosingProxy

pytestmark = pytest.mark.one_process

VERIFY = "/api/v1/auth/otp/verify"


@pytest.fixture
def proxied(make_site, mysql):
    with CommitLosingProxy(mysql.port) as proxy:
        site = make_site("mysql", start=False)
        site.otpgate.settings["database.url"] = f"mysql://{mysql.user}@127.0.0.1:{proxy.port}/{site.database}"
        site.otpgate.write_config()
        site.start()
        yield site, proxy


def verify(site, otp_id, code, agent="Browser/1.0", client_ip="203.0.113.5", **fields):
    return site.post(VERIFY, {"otp_id": otp_id, "otp": code, **fields}, client_ip=client_ip, headers={"User-Agent": agent})


def sessions(site):
    return int(site.sql("SELECT COUNT(*) FROM sessions")[0][0])


def lose(site, proxy, otp_id, code, **options):
    """A guess that is committed, and answered with 503 because the database stays away for as long as anybody asks."""
    proxy.lose_next_commit(stays_away=True)
    answer = verify(site, otp_id, code, **options)
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) >= 1
    assert proxy.lost == 1 and sessions(site) == 1
    proxy.come_back()


def test_a_commit_whose_answer_is_lost_is_found_out_within_the_request(proxied, address):
    site, proxy = proxied
    otp_id, code = site.request_code(address)
    proxy.lose_next_commit()
    signed = verify(site, otp_id, code)
    assert signed.status_code == 200 and proxy.lost == 1
    assert sessions(site) == 1
    assert site.get("/api/v1/auth/me", token=signed.json()["access"]).status_code == 200
    assert verify(site, otp_id, code).json()["code"] == "OTP_USED"


def test_the_same_client_gets_its_session_when_the_database_is_back(proxied, address):
    site, proxy = proxied
    otp_id, code = site.request_code(address)
    lose(site, proxy, otp_id, code)
    signed = verify(site, otp_id, code)
    assert signed.status_code == 200
    assert signed.json()["is_new_user"] is True
    assert site.get("/api/v1/auth/me", token=signed.json()["access"]).status_code == 200
    assert site.post("/api/v1/auth/token/refresh", {"refresh": signed.json()["refresh"]}).status_code == 200
    # Once, and one session.
    assert verify(site, otp_id, code).json()["code"] == "OTP_USED"
    assert sessions(site) == 1
    assert site.sql("SELECT COUNT(*) FROM audit_events WHERE event = 'LOGIN_SUCCEEDED'") == [["1"]]


def test_a_stranger_with_the_code_gets_nothing(proxied, address):
    site, proxy = proxied
    otp_id, code = site.request_code(address)
    lose(site, proxy, otp_id, code)
    strange = [
        verify(site, otp_id, code, agent="Browser/2.0"),
        verify(site, otp_id, code, client_ip="198.51.100.9"),
        site.post(VERIFY, {"destination": address, "otp": code}, client_ip="203.0.113.5",
                  headers={"User-Agent": "Browser/1.0"}),
    ]
    assert [answer.json()["code"] for answer in strange] == ["OTP_USED"] * 3
    # And takes nothing away.
    assert verify(site, otp_id, code).status_code == 200
    assert sessions(site) == 1


def test_a_known_device_gets_its_session_wherever_it_is(proxied, address):
    site, proxy = proxied
    first = site.login(address)
    site.sql("DELETE FROM sessions")
    token = {"device_token": first["device_token"]}
    asked = site.post("/api/v1/auth/otp/request", {"destination": address, **token}).json()
    code = site.mailbox.wait_for(address)
    lose(site, proxy, asked["otp_id"], code, **token)
    moved = verify(site, asked["otp_id"], code, agent="Browser/2.0", client_ip="198.51.100.9", **token)
    assert moved.status_code == 200
    assert moved.json()["is_new_user"] is False
    with contextlib.suppress(KeyError):
        assert moved.json()["device_token"] == first["device_token"]
    assert sessions(site) == 1


def test_a_message_whose_claim_was_lost_is_sent_at_once(make_site, mysql, address):
    site = make_site("mysql", delivery_mode="outbox")
    with CommitLosingProxy(mysql.port) as proxy:
        url = f"mysql://{mysql.user}@127.0.0.1:{proxy.port}/{site.database}"
        deliverer = site.otpgate.deliverer(env={"OTPGATE_DATABASE_URL": url}).start()
        try:
            # A claim is the first transaction of a process that only delivers.
            proxy.lose_next_commit(of="")
            begin = time.monotonic()
            site.request_code(address)
            assert proxy.lost == 1
            # A lease lasts 20 s.
            assert time.monotonic() - begin < 8
            time.sleep(1)
            assert len(site.mailbox.messages_for(address)) == 1
        finally:
            deliverer.stop()
