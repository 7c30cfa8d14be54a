"""What people type and paste, and what their systems tell by themselves: by API as on the page; on both engines."""
import unicodedata

import pytest
from support.keys import Backend
from test_login_flow import assert_problem
from test_passwords import AUTH, login, register, sign_in

REQUEST = f"{AUTH}/otp/request"
VERIFY = f"{AUTH}/otp/verify"
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
HINDI = str.maketrans("0123456789", "०१२३४५६७८९")
FULL_WIDTH = str.maketrans("+0123456789@.", "＋０１２３４５６７８９＠．")

HINTS = ["en-US@posix", "en_US", "en_US.UTF-8", "zh-TW", "C", "?", "", " ", "x" * 300, "x" * 3000, "1", "é", 5, True, [], {}]


@pytest.mark.parametrize("locale", HINTS, ids=lambda value: repr(value)[:20])
def test_a_locale_refuses_nobody(site, address, locale):
    answer = site.post(REQUEST, {"destination": address, "locale": locale}, headers={"Accept-Language": "en_US@posix"})

    assert answer.status_code == 202, answer.text
    assert site.mailbox.wait_for(address)


@pytest.mark.parametrize("locale, word", [("de_AT.UTF-8@euro", "Anmeldecode"), ("zh-TW", "验证码"), ("pt_BR", "código"), ("tlh", "code")])
def test_a_locale_says_what_it_can(site, address, locale, word):
    assert site.post(REQUEST, {"destination": address, "locale": locale}).status_code == 202

    assert word in site.mailbox.wait_for_message(address)["Subject"]


def test_a_locale_is_a_hint_wherever_it_is_read(site, address):
    user = register(site, address, locale="en_GB@posix")
    assert user["locale"] == "en-GB"
    assert login(site, address).status_code == 202
    assert site.post(f"{AUTH}/login", {"email": address, "password": "correct horse battery staple", "locale": 7}).status_code == 202
    assert site.post(f"{AUTH}/forgot-password", {"email": address, "locale": ["?"]}).status_code == 202


def test_a_profile_keeps_its_locale_where_it_is_sent_nonsense(site, address):
    token = site.login(address)["access"]

    def locale_after(value):
        answer = site.request("PATCH", f"{AUTH}/profile", json={"locale": value}, token=token)
        assert answer.status_code == 200, answer.text
        return answer.json()["user"]["locale"]

    assert [locale_after(value) for value in ("de_AT", "?!", 5, "x" * 300, "")] == ["de-AT"] * 4 + [""]


@pytest.mark.parametrize("value", [False, 42, ["x"], {"a": 1}, "x" * 3000], ids=lambda value: repr(value)[:10])
def test_what_a_client_tells_of_its_device_refuses_nobody(site, address, value):
    otp_id, code = site.request_code(address)

    answer = site.verify(otp_id, code, install_id=value, platform=value, app_version=value, device_name=value)

    assert answer.status_code == 200, answer.text


WRAPPED = ["<{}>", "({})", "\u201c{}\u201d", "Ann Example <{}>", "mailto:{}", "\ufeff{}\u200b", "\u200f\u202a{}\u202c", "\u00a0{}\r\n",
           "- {}", "{}.", "{},"]


@pytest.mark.parametrize("pattern", WRAPPED, ids=lambda value: ascii(value))
def test_what_stands_around_a_pasted_address(site, address, pattern):
    answer = site.post(REQUEST, {"destination": pattern.format(address)})

    assert answer.status_code == 202, answer.text
    code = site.mailbox.wait_for(address)
    by_address = {"destination": pattern.format(address.translate(FULL_WIDTH)), "otp": code}
    assert site.post(VERIFY, by_address).json()["user"]["email"] == address


CODES = [lambda c: f" {c}\n", lambda c: f"{c[:3]} {c[3:]}", lambda c: f"{c[:3]}\u2013{c[3:]}", lambda c: f"<{c}>",
         lambda c: f"\u201e{c}\u201c.", lambda c: f"\u200e{c}\u200b\ufeff", lambda c: "\u00a0".join(c),
         lambda c: c.translate(ARABIC), lambda c: c.translate(HINDI), lambda c: c.translate(FULL_WIDTH)]


@pytest.mark.parametrize("typed", CODES, ids=range(len(CODES)))
def test_a_code_as_people_type_it(site, address, typed):
    otp = site.post(REQUEST, {"destination": address}).json()

    answer = site.verify(otp["otp_id"], typed(site.mailbox.wait_for(address)))

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("code", ["12.34.56", "12345678901", "Your code: 1234", "\u200b\u200b", "caf\u00e9s"], ids=ascii)
def test_what_is_no_code_costs_no_try(site, address, code):
    otp = site.post(REQUEST, {"destination": address}).json()

    assert_problem(site.verify(otp["otp_id"], code), 400, "VALIDATION_ERROR")

    assert site.verify(otp["otp_id"], site.mailbox.wait_for(address)).status_code == 200


def test_codes_of_verifications_are_read_alike(site, address, new_address):
    backend = Backend(site, new_address(), "verify")
    started = backend.post("/api/v1/verifications", {"to": f"<{address}>"})
    assert started.status_code == 201, started.text

    code = site.mailbox.wait_for(address).translate(ARABIC)

    checked = backend.post("/api/v1/verifications/check", {"context": started.json()["context"], "code": code})
    assert checked.json()["identifier"] == address


NUMBERS = ["{0} {1} {2}", "{0} ({1}) {2}", "{0}-{1}.{2}", "{0}/{1}/{2}", "tel:{0}-{1}-{2}", "\u202a{0}{1}{2}\u202c", "{0} (0){1} {2}",
           "<{0}{1}{2}>"]


@pytest.mark.parametrize("route, fields", [(REQUEST, {}), ("/api/auth/send-otp/", {}), ("/api/auth/otp/request/", {})])
def test_a_number_as_people_write_it(sms_site, new_number, route, fields):
    for pattern in NUMBERS:
        for script in ({}, ARABIC, HINDI, FULL_WIDTH):
            number = new_number()
            typed = pattern.format(number[:2], number[2:5], number[5:]).translate(script)
            answer = sms_site.post(route, {"phone_number": typed, **fields})
            assert answer.status_code in (200, 202), (typed, answer.text)
            assert sms_site.phones.wait_for(number)


def test_a_domain_of_any_script_is_one_account(site, new_address):
    local = new_address().partition("@")[0]
    spellings = [f"{local}@müller.example", f"{local}@xn--mller-kva.example", f"{local}@mu\u0308ller.example",
                 f"{local.upper()}@MÜLLER.example", f"<{local}@müller。example>"]
    users = []
    for spelling in spellings:
        otp = site.post(REQUEST, {"destination": spelling})
        assert otp.status_code == 202, otp.text
        signed_in = site.verify(otp.json()["otp_id"], site.mailbox.wait_for(f"{local}@xn--mller-kva.example"))
        users.append(signed_in.json()["user"])

    assert {user["id"] for user in users} == {users[0]["id"]}
    assert users[0]["email"] == f"{local}@xn--mller-kva.example"
    assert_problem(site.post(REQUEST, {"destination": f"{local}@m_üller.example"}), 400, "VALIDATION_ERROR")


def test_unusual_local_parts_are_a_setting(site, make_site, engine):
    unusual = ["a..b@docomo.example", "a.b.@docomo.example", '"a b"@example.com']
    for address in unusual:
        assert_problem(site.post(REQUEST, {"destination": address}), 400, "VALIDATION_ERROR")

    lenient = make_site(engine, email_validation="lenient")
    for address in unusual:
        otp = lenient.post(REQUEST, {"destination": address})
        assert otp.status_code == 202, otp.text
        local, _, domain = address.rpartition("@")
        quoted = address if local.startswith('"') else f'"{local}"@{domain}'
        message = lenient.mailbox.wait_for_message(quoted if " " in quoted else address)
        assert f"To: {quoted}\n" in message.as_string()


def test_a_password_is_the_same_on_every_keyboard(site, address):
    typed = "Müllers Brücke über den Çoruh"
    composed, decomposed = (unicodedata.normalize(form, typed) for form in ("NFC", "NFD"))
    assert composed != decomposed
    register(site, address, decomposed)

    assert sign_in(site, address, composed)["access"]
    assert sign_in(site, address, decomposed)["access"]
    assert login(site, address, typed.replace("ü", "u")).status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer  ", "bearer    ", "Token  "])
def test_blanks_behind_the_scheme(site, address, scheme):
    token = site.login(address)["access"]

    answer = site.get(f"{AUTH}/me", headers={"Authorization": scheme + token})

    assert answer.status_code == 200, answer.text


def test_an_api_key_behind_two_blanks(site, new_address, address):
    backend = Backend(site, new_address(), "verify")

    answer = site.post("/api/v1/verifications", {"to": address}, headers={"Authorization": f"Api-Key  {backend.key}"})

    assert answer.status_code == 201, answer.text
