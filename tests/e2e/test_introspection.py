"""Token introspection (RFC 7662), on both engines and for both forms of access tokens."""
import time

import pytest

from support.keys import Backend
from test_login_flow import assert_problem

INTROSPECT = "/api/v1/auth/token/introspect"


@pytest.fixture(scope="module", params=["jwt", "opaque"])
def tokens_site(request, engine, new_folder):
    from conftest import ROOMY
    from support.site import Site

    mysql = request.getfixturevalue("mysql") if engine == "mysql" else None
    settings = {**ROOMY, "tokens.format": request.param, "tokens.access_lifetime": "600s"}
    with Site(new_folder(), engine=engine, mysql=mysql, settings=settings) as running:
        running.token_format = request.param
        yield running


@pytest.fixture
def backend(tokens_site, new_address):
    return Backend(tokens_site, new_address())


def test_an_access_token_says_whose_it_is(tokens_site, backend, address):
    signed_in = tokens_site.login(address)

    found = backend.introspect(signed_in["access"])

    assert found["active"] is True
    assert found["token_type"] == "Bearer"
    assert found["username"] == address
    assert found["sub"] == signed_in["user"]["id"]
    assert found["sid"] == signed_in["session_id"]
    assert found["iss"] == tokens_site.url
    assert found["aud"] == "otpgate"
    assert abs(found["iat"] - time.time()) < 10
    backdated = tokens_site.token_format == "jwt"  # by a second: others verify these, by clocks of their own
    assert found["exp"] - found["iat"] == 600 + backdated
    assert ("jti" in found) == (tokens_site.token_format == "jwt")


def test_a_refresh_token_is_told_from_an_access_token(tokens_site, backend, address):
    signed_in = tokens_site.login(address)

    for hint in ({}, {"token_type_hint": "refresh_token"}, {"token_type_hint": "access_token"}, {"token_type_hint": "?"}):
        found = backend.introspect(signed_in["refresh"], **hint)
        assert found["active"] is True
        assert found["token_type"] == "refresh_token"
        assert found["sid"] == signed_in["session_id"]
        assert abs(found["iat"] - time.time()) < 10
        assert abs(found["exp"] - found["iat"] - 7 * 86400) <= 1


def test_a_rotated_refresh_token_is_not_active(tokens_site, backend, address):
    first = tokens_site.login(address)["refresh"]
    second = tokens_site.post("/api/v1/auth/token/refresh", {"refresh": first}).json()["refresh"]

    assert backend.introspect(first) == {"active": False}
    assert backend.introspect(second)["active"] is True


def test_both_are_dead_at_once_when_the_session_ends(tokens_site, backend, address):
    signed_in = tokens_site.login(address)
    assert tokens_site.post("/api/v1/auth/logout", {}, token=signed_in["access"]).status_code == 204

    assert backend.introspect(signed_in["access"]) == {"active": False}
    assert backend.introspect(signed_in["refresh"]) == {"active": False}


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é", "x" * 5000, "otpg_aaaaaaaa_" + "a" * 43, "eyJhbGciOiJub25lIn0.e30."])
def test_anything_else_is_not_active_and_no_error(backend, token):
    assert backend.introspect(token) == {"active": False}


def test_keys_cookies_and_device_tokens_are_no_tokens(tokens_site, backend, address):
    signed_in = tokens_site.login(address)
    assert backend.introspect(backend.key) == {"active": False}
    assert backend.introspect(signed_in["device_token"]) == {"active": False}


def test_a_form_is_taken_as_the_standard_has_it(tokens_site, backend, address):
    access = tokens_site.login(address)["access"]
    answer = tokens_site.request("POST", INTROSPECT, data={"token": access, "token_type_hint": "access_token"},
                                 headers={"X-API-Key": backend.key})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["active"] is True and answer.json()["username"] == address

    for data in ({"tokens": "x"}, {"token_type_hint": "x"}):
        refused = tokens_site.request("POST", INTROSPECT, data=data, headers={"X-API-Key": backend.key})
        assert assert_problem(refused, 400, "MISSING_FIELDS")["errors"][0]["field"] == "token"


def test_other_bodies_are_refused(tokens_site, backend):
    assert_problem(backend.post(INTROSPECT, {}), 400, "MISSING_FIELDS")
    assert_problem(backend.post(INTROSPECT, {"token": 7}), 400, "VALIDATION_ERROR")
    text = tokens_site.request("POST", INTROSPECT, data="token=x", headers={"X-API-Key": backend.key, "Content-Type": "text/plain"})
    assert_problem(text, 415, "UNSUPPORTED_MEDIA_TYPE")
