"""phone.validation: numbers that E.164 allows and the numbering plan of their country does not."""
import pytest

from conftest import ROOMY
from support.keys import Backend
from support.site import Site
from test_login_flow import assert_problem

REQUEST = "/api/v1/auth/otp/request"
VERIFY = "/api/v1/auth/otp/verify"
REAL = "+12025550123"
# Too short for North America, an area that does not exist, a country that does not exist, and a second spelling of +44 20...
IMPOSSIBLE = ["+1234567890", "+1555000123", "+15551234567", "+99912345678", "+4402079460958"]
ROUTES = [
    (REQUEST, "destination", {}),
    (REQUEST, "phone_number", {}),
    (VERIFY, "destination", {"otp": "123456"}),
    (VERIFY, "phone_number", {"otp": "123456"}),
    ("/api/v1/auth/register", "phone_number", {"password": "correct horse battery staple"}),
    ("/api/v1/auth/login", "phone_number", {"password": "correct horse battery staple"}),
    ("/api/v1/auth/forgot-password", "phone_number", {}),
    ("/api/v1/auth/password-reset", "phone_number", {"otp": "123456", "password": "correct horse battery staple"}),
    ("/api/auth/send-otp/", "phone_number", {}),
    ("/api/auth/verify-otp/", "phone_number", {"otp_code": "123456"}),
]


@pytest.fixture(scope="module")
def strict(new_folder):
    with Site(new_folder(), settings={**ROOMY, "sms.transport": "file", "phone.validation": "strict"}) as site:
        yield site


def assert_impossible(answer, field):
    problem = assert_problem(answer, 400, "VALIDATION_ERROR")
    assert problem["errors"] == [{"field": field, "message": "is not a telephone number that can exist"}]


@pytest.mark.parametrize("number", IMPOSSIBLE)
def test_any_takes_every_number_of_e164(sms_site, number):
    assert sms_site.post(REQUEST, {"phone_number": number}).status_code == 202


@pytest.mark.parametrize("number", IMPOSSIBLE)
def test_strict_refuses_what_no_numbering_plan_has(strict, number):
    assert_impossible(strict.post(REQUEST, {"destination": number}), "destination")


@pytest.mark.parametrize("path, field, more", ROUTES)
def test_strict_holds_wherever_a_number_is_read(strict, path, field, more):
    assert_impossible(strict.post(path, {field: "+15551234567", **more}), field)


def test_strict_holds_for_authstack_clients(strict):
    answer = strict.post("/api/auth/otp/request/", {"destination": "+15551234567"})
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")


def test_strict_holds_for_verifications_whoever_delivers(strict, new_address):
    backend = Backend(strict, new_address(), "verify", "verify:caller")
    for more in ({}, {"deliver": "caller"}):
        answer = backend.post("/api/v1/verifications", {"to": "+15551234567", **more})
        assert_impossible(answer, "to")
        assert answer.json()["error_code"] == "VALIDATION_ERROR"
    assert set(backend.start(REAL, deliver="caller")) >= {"otp"}


def test_strict_refuses_without_a_trace(strict):
    strict.post(REQUEST, {"phone_number": "+15551234567"})
    for table in ("otp_requests", "audit_events"):
        assert strict.sql(f"SELECT id FROM {table} WHERE destination = '+15551234567'") == []
    assert "5551234567" not in strict.otpgate.log()


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
