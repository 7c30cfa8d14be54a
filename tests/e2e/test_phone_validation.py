"""phone.validation: numbers that E.164 allows and the numbering plan of their country does not."""
import pytest

from conftest import ROOMY
from support.keys import Backend
from support.site import Site
from test_login_flow import assert_problem

REQUEST = "/api/v1/auth/otp/request"
VERIFY = "/api/v1/auth/otp/verify"
REAL = "+12025550123"
# Two that are too short for North America, a country that does not exist, and a second spelling of +44 20...
IMPOSSIBLE = ["+1234567890", "+1555000123", "+99912345678", "+4402079460958"]
# Of plans that are newer than Debian's libphonenumber.
NEW = ["+2290197000000", "+923701234567", "+13292345678", "+14572345678", "+18212345678", "+15551234567"]
PASSWORD = "correct horse battery staple"
# Where an account or an address is made.
NEWCOMERS = [
    (REQUEST, {"purpose": "register"}),
    ("/api/auth/otp/request/", {"purpose": "register"}),
    ("/api/v1/auth/register", {"password": PASSWORD}),
]
# Where one is found.
OWNERS = [
    (REQUEST, {}, 202),
    (REQUEST, {"purpose": "reset"}, 202),
    (REQUEST, {"purpose": "verify"}, 202),
    (VERIFY, {"otp": "123456"}, 400),
    ("/api/v1/auth/login", {"password": PASSWORD}, 401),
    ("/api/v1/auth/forgot-password", {}, 202),
    ("/api/v1/auth/password-reset", {"otp": "123456", "password": PASSWORD}, 400),
    ("/api/auth/send-otp/", {}, 200),
    ("/api/auth/verify-otp/", {"otp_code": "123456"}, 400),
]

@pytest.fixture(scope="module")
def strict(new_folder):
    settings = {**ROOMY, "sms.transport": "file", "phone.validation": "strict", "limits.request_per_destination": "100/1h"}
    with Site(new_folder(), settings=settings) as site:
        yield site


def assert_impossible(answer, field):
    problem = assert_problem(answer, 400, "VALIDATION_ERROR")
    assert problem["errors"] == [{"field": field, "message": "is not a telephone number that can exist"}]


@pytest.mark.parametrize("number", IMPOSSIBLE)
def test_any_takes_every_number_of_e164(sms_site, number):
    assert sms_site.post(REQUEST, {"phone_number": number}).status_code == 202


@pytest.mark.parametrize("path, more", NEWCOMERS)
@pytest.mark.parametrize("number", IMPOSSIBLE)
def test_strict_makes_nothing_of_what_cannot_exist(strict, number, path, more):
    answer = strict.post(path, {"phone_number": number, **more})

    if path.startswith("/api/auth/"):  # authstack clients
        assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")
    else:
        assert_impossible(answer, "phone_number")
    assert strict.sql(f"SELECT id FROM otp_requests WHERE destination = '{number}'") == []


@pytest.mark.parametrize("number", NEW)
def test_strict_takes_numbers_that_are_newer_than_its_plans(strict, number):
    assert strict.post(REQUEST, {"phone_number": number}).status_code == 202

    assert strict.phones.wait_for(number)


@pytest.fixture(scope="module")
def owner(strict):
    """An account with a number that cannot exist: made before strict was set, or imported."""
    number = "+99912345678"
    made = strict.otpgate.run("user", "create", "--phone", number)
    assert made.returncode == 0, made.stderr
    return number


@pytest.mark.parametrize("path, more, status", OWNERS)
def test_strict_never_refuses_an_account_that_exists(strict, owner, path, more, status):
    answers = [strict.post(path, {"phone_number": number, **more}) for number in (owner, "+99987654321")]

    # Nor does the answer tell that there is one.
    assert [answer.status_code for answer in answers] == [status, status], answers[0].text
    assert [answer.json().get("code") for answer in answers] == [answers[0].json().get("code")] * 2
    assert "cannot exist" not in answers[0].text + answers[1].text and "can exist" not in answers[0].text


@pytest.mark.parametrize("owner", ["+99912345679", "+4402079460959"])
def test_who_has_an_account_signs_in(strict, owner):
    assert strict.otpgate.run("user", "create", "--phone", owner).returncode == 0
    answer = strict.post(REQUEST, {"destination": owner})

    login = strict.verify(answer.json()["otp_id"], strict.phones.wait_for(owner))

    assert login.json()["user"]["phone_number"] == owner


def test_nothing_is_sent_to_a_number_that_nobody_has(strict):
    number = "+99911111111"
    assert strict.post(REQUEST, {"phone_number": number}).status_code == 202
    assert strict.post(REQUEST, {"phone_number": number, "purpose": "verify"}).status_code == 202
    assert strict.post(REQUEST, {"phone_number": REAL}).status_code == 202
    assert strict.phones.wait_for(REAL)

    assert strict.phones.messages_for(number) == []
    assert strict.sql(f"SELECT id FROM users WHERE phone_number = '{number}'") == []


def test_where_accounts_are_named_so_is_the_number(make_site):
    site = make_site(phone_validation="strict", accounts_reveal="true", **{"sms.transport": "file"})
    assert site.otpgate.run("user", "create", "--phone", "+99912345678").returncode == 0

    assert site.post(REQUEST, {"phone_number": "+99912345678"}).status_code == 202
    assert_impossible(site.post(REQUEST, {"phone_number": "+99987654321"}), "phone_number")
    assert_impossible(site.post("/api/auth/send-otp/", {"phone_number": "+99987654321"}), "phone_number")


def test_strict_holds_for_a_change_of_address(strict, address):
    token = strict.login(address)["access"]
    answer = strict.post("/api/v1/auth/address-change/request", {"phone_number": "+99912345670"}, token=token)
    assert_impossible(answer, "phone_number")


def test_strict_holds_for_verifications_whoever_delivers(strict, new_address):
    backend = Backend(strict, new_address(), "verify", "verify:caller")
    for more in ({}, {"deliver": "caller"}):
        answer = backend.post("/api/v1/verifications", {"to": "+99912345678", **more})
        assert_impossible(answer, "to")
        assert answer.json()["error_code"] == "VALIDATION_ERROR"
    assert set(backend.start(REAL, deliver="caller")) >= {"otp"}


def test_a_login_with_a_number_that_can_exist(strict):
    answer = strict.post(REQUEST, {"phone_number": f" {REAL} "})
    assert answer.status_code == 202, answer.text

    login = strict.verify(answer.json()["otp_id"], strict.phones.wait_for(REAL))

    assert login.json()["user"]["phone_number"] == REAL


def test_strict_leaves_email_addresses_alone(strict, address):
    assert strict.login(address)["user"]["email"] == address


def test_an_unknown_validation_stops_the_start(make_site):
    done = make_site(phone_validation="lax", start=False).otpgate.run("check-config")
    assert done.returncode != 0
    assert "phone.validation" in done.stderr
