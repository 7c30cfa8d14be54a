"""Messages beside codes: a sign-in by a device that the account did not know, and another password; on both engines."""
import pytest
from support.mailbox import text_of
from support.smtp_server import SmtpServer
from test_concurrency import at_once, outcomes
from test_passwords import OTHER, PASSWORD, ask_for_reset, register, reset_token, sign_in

AUTH = "/api/v1/auth"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def sign_in_from(site, address, *, inbox=None, client_ip="198.51.100.7", agent=FIREFOX, **fields):
    """A login from a place: the body of its 200."""
    answer = site.post(f"{AUTH}/otp/request", {"destination": address})
    assert answer.status_code == 202, answer.text
    code = (inbox or site.mailbox).wait_for(address)
    answer = site.post(
        f"{AUTH}/otp/verify", {"otp_id": answer.json()["otp_id"], "otp": code, **fields}, client_ip=client_ip,
        headers={"User-Agent": agent},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def the_only_notice(inbox, address):
    """Its text. Notices leave in the order of what they tell, so one that should not be would have come before."""
    [notice] = inbox.wait_for_notices(address, 1)
    return notice


def test_a_second_browser_is_told_with_its_address_and_its_device(site, address):
    site.login(address, time_zone="Asia/Kathmandu")

    sign_in_from(site, address, device_name="Firefox on Linux", platform="web", time_zone="Pacific/Marquesas")

    notice = the_only_notice(site.mailbox, address)
    assert notice["Subject"] == "New sign-in to your account at localhost"
    assert notice["Auto-Submitted"] == "auto-generated"
    text = text_of(notice)
    assert "198.51.100.7" in text
    assert "Firefox on Linux" in text
    assert "UTC+5:45" in text  # as her clocks show it
    html = notice.get_body(("html",)).get_content()
    assert "198.51.100.7" in html and "Firefox on Linux" in html
    assert address not in text


def test_the_device_is_named_by_the_user_agent_where_it_names_itself_not(site, address):
    site.login(address)

    sign_in_from(site, address)

    assert "Firefox on Linux" in text_of(the_only_notice(site.mailbox, address))


def test_a_known_device_and_a_first_sign_in_are_not_told(site, address):
    token = site.login(address)["device_token"]
    site.login(address, device_token=token)
    site.login(address, install_id="abc")  # told
    site.login(address, install_id="abc")

    sign_in_from(site, address, client_ip="198.51.100.8")

    first, second = [text_of(notice) for notice in site.mailbox.wait_for_notices(address, 2)]
    assert "127.0.0.1" in first
    assert "198.51.100.8" in second


def test_a_device_that_was_revoked_is_told_again(site, address):
    token = site.login(address)["device_token"]
    elsewhere = site.login(address, device_name="Elsewhere")
    assert site.post(f"{AUTH}/logout-all", token=elsewhere["access"]).status_code == 204

    site.login(address, device_token=token, device_name="Forgotten")

    first, second = [text_of(notice) for notice in site.mailbox.wait_for_notices(address, 2)]
    assert "Elsewhere" in first and "Forgotten" in second


def test_whoever_signs_in_writes_no_lines_or_links_into_the_notice(site, address):
    site.login(address)

    sign_in_from(site, address, device_name="x\n\nCall https://evil.example/now <b>at once</b>")

    notice = the_only_notice(site.mailbox, address)
    text = text_of(notice) + notice.get_body(("html",)).get_content()
    assert "evil.example" not in text and "https:" not in text and "<b>" not in text
    assert "Call https evil example now b at once b" in text_of(notice)


def test_a_login_by_password_is_told_too(site, address):
    register(site, address)
    sign_in(site, address)

    sign_in(site, address, device_name="Another one")

    assert "Another one" in text_of(the_only_notice(site.mailbox, address))


def test_a_login_of_an_older_client_is_told_too(site, address):
    site.login(address)
    asked = site.post("/api/auth/otp/request/", {"destination": address}).json()

    answer = site.post("/api/auth/otp/verify/", {
        "otp_id": asked["otp_id"], "otp_code": site.mailbox.wait_for(address), "platform": "ios", "install_id": "old-1"
    })

    assert answer.status_code == 200, answer.text
    assert "ios" in text_of(the_only_notice(site.mailbox, address))


def test_a_login_by_the_session_cookie_is_told_too(site, address):
    site.login(address)

    assert sign_in_from(site, address, session="cookie")["csrf_token"]

    the_only_notice(site.mailbox, address)


def test_sixteen_verifications_at_once_are_told_once(site, address):
    site.login(address)
    otp_id, code = site.request_code(address)

    assert outcomes(at_once(16, lambda _: site.verify(otp_id, code)))["ok"] == 1

    sign_in_from(site, address)
    assert len(site.mailbox.wait_for_notices(address, 2)) == 2


def test_a_changed_password_is_told(site, address):
    register(site, address)
    access = sign_in(site, address, device_name="Ada's phone", platform="ios")["access"]
    body = {"current_password": PASSWORD, "new_password": OTHER}

    wrong = {**body, "current_password": "wrong"}
    assert site.post(f"{AUTH}/password-change", wrong, token=access).status_code == 401
    changed = site.post(f"{AUTH}/password-change", body, token=access, client_ip="198.51.100.9")

    assert changed.status_code == 200, changed.text
    notice = the_only_notice(site.mailbox, address)
    assert notice["Subject"] == "Your password at localhost was changed"
    text = text_of(notice)
    assert "198.51.100.9" in text and "Ada's phone (ios)" in text
    assert OTHER not in text and PASSWORD not in text


@pytest.mark.parametrize("way", ["code", "token"])
def test_a_password_that_was_set_anew_is_told(site, address, way):
    register(site, address)
    proof = {"email": address, "otp": ask_for_reset(site, address)} if way == "code" else {
        "reset_token": reset_token(site, address)
    }

    answer = site.post(f"{AUTH}/password-reset", {**proof, "password": OTHER}, headers={"User-Agent": FIREFOX})

    assert answer.status_code == 200, answer.text
    notice = the_only_notice(site.mailbox, address)
    assert notice["Subject"] == "Your password at localhost was changed"
    assert "Firefox on Linux" in text_of(notice)


def test_what_nobody_wants_to_be_told_is_not_told(make_site, engine, address):
    site = make_site(engine, notices_new_sign_in="false", notices_password_changed="false")
    register(site, address)
    sign_in(site, address)
    access = sign_in(site, address)["access"]

    body = {"current_password": PASSWORD, "new_password": OTHER}
    assert site.post(f"{AUTH}/password-change", body, token=access).status_code == 200

    assert site.sql("SELECT COUNT(*) FROM outbox WHERE kind <> 'code'") == [["0"]]
    site.login(address)  # whose code comes after whatever was written before
    assert site.mailbox.notices_for(address) == []


@pytest.mark.parametrize("by_sms", ["false", "true"])
def test_who_has_only_a_telephone_is_told_by_sms_where_that_may_cost(make_site, engine, number, by_sms):
    site = make_site(engine, sms_transport="file", notices_by_sms=by_sms)
    sign_in_from(site, number, inbox=site.phones)

    sign_in_from(site, number, inbox=site.phones)

    if by_sms == "true":
        assert text_of(the_only_notice(site.phones, number)).startswith("New sign-in to your account at localhost")
    else:
        assert site.sql("SELECT COUNT(*) FROM outbox WHERE kind <> 'code'") == [["0"]]
        sign_in_from(site, number, inbox=site.phones)
        assert site.phones.notices_for(number) == []


def test_a_notice_outlives_a_crash_while_the_mail_server_is_away(make_site, engine, address):
    server = SmtpServer().start()
    port = server.port
    site = make_site(engine, mail_transport="smtp", mail_smtp_host="127.0.0.1", mail_smtp_port=port)
    sign_in_from(site, address, inbox=server)
    asked = site.post(f"{AUTH}/otp/request", {"destination": address}).json()
    code = server.wait_for(address)
    server.stop()
    assert site.verify(asked["otp_id"], code).status_code == 200

    site.otpgate.kill()
    server = SmtpServer(port=port).start()
    try:
        site.otpgate.start()
        # The lease of the process that died is over after 10 s, unless it had another go meanwhile.
        [notice] = server.wait_for_notices(address, 1, timeout=90)
    finally:
        server.stop()
    assert notice["Subject"] == "New sign-in to your account at localhost"
