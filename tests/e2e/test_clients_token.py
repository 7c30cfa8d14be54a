"""Clients that send `Authorization: Token <key>`, with both forms of access tokens."""
import re
import time

import pytest

from conftest import ROOMY
from support.site import Site
from test_login_flow import assert_problem

# One of each kind: a list, a single thing, another family's, the check for web servers.
PROTECTED = ["/api/v1/auth/me", "/api/v1/auth/sessions", "/api/v1/api-keys", "/api/v1/audit/logs", "/api/auth/profile/"]


@pytest.fixture(scope="module", params=["jwt", "opaque"])
def token_format(request):
    return request.param


@pytest.fixture(scope="module")
def token_site(token_format, engine, new_folder, request):
    mysql = request.getfixturevalue("mysql") if engine == "mysql" else None
    settings = {**ROOMY, "tokens.format": token_format}
    with Site(new_folder(), engine=engine, mysql=mysql, settings=settings) as running:
        yield running


def authorization(value):
    return {"Authorization": value}


@pytest.mark.parametrize("path", PROTECTED)
@pytest.mark.parametrize("scheme", ["Token", "token", "TOKEN", "Bearer"])
def test_a_protected_route_lets_it_in(token_site, address, path, scheme):
    access = token_site.login(address)["access"]

    assert token_site.get(path, headers=authorization(f"{scheme} {access}")).status_code == 200


def test_the_form_of_the_key_is_as_set(token_site, token_format, address):
    access = token_site.login(address)["access"]

    if token_format == "jwt":
        assert access.count(".") == 2
    else:
        assert re.fullmatch(r"[A-Za-z0-9_-]{60,100}", access)


def test_unsafe_methods_work_and_need_nothing_else(token_site, address):
    access = token_site.login(address)["access"]
    headers = authorization(f"Token {access}")

    changed = token_site.request("PATCH", "/api/v1/auth/profile", json={"first_name": "Ann"}, headers=headers)
    assert changed.status_code == 200
    assert changed.json()["user"]["first_name"] == "Ann"
    assert token_site.post("/api/v1/auth/logout", headers=headers).status_code == 204
    assert_problem(token_site.get("/api/v1/auth/me", headers=headers), 401, "INVALID_TOKEN")


def test_authz_lets_it_in(token_site, address):
    signed_in = token_site.login(address)

    answer = token_site.get("/authz", headers=authorization(f"Token {signed_in['access']}"))

    assert answer.status_code == 204
    assert answer.headers["X-Auth-User"] == signed_in["user"]["id"]


def test_a_refreshed_key_works(token_site, address):
    refresh = token_site.login(address)["refresh"]
    access = token_site.post("/api/v1/auth/token/refresh", {"refresh": refresh}).json()["access"]

    assert token_site.get("/api/v1/auth/me", headers=authorization(f"Token {access}")).status_code == 200


@pytest.mark.parametrize("header", ["Token", "Token ", "Tokens {key}", "Basic {key}", "{key}"])
def test_what_names_no_key_is_nobody(token_site, address, header):
    access = token_site.login(address)["access"]

    answer = token_site.get("/api/v1/auth/me", headers=authorization(header.format(key=access)))

    assert_problem(answer, 401, "UNAUTHENTICATED")
    assert "WWW-Authenticate" in answer.headers


@pytest.mark.parametrize("change", ["last", "first", "longer", "shorter", "refresh", "device"])
def test_what_is_not_the_key_is_refused(token_site, address, change):
    signed_in = token_site.login(address)
    key = signed_in["access"]
    forged = {
        # Of the last character two bits may stand for nothing, so another one changes.
        "last": key[:-4] + ("AAAA" if key[-4:] != "AAAA" else "BBBB"),
        "first": ("A" if key[0] != "A" else "B") + key[1:],
        "longer": key + "A",
        "shorter": key[:-1],
        "refresh": signed_in["refresh"],
        "device": signed_in["device_token"],
    }[change]

    answer = token_site.get("/api/v1/auth/me", headers=authorization(f"Token {forged}"))

    assert_problem(answer, 401, "INVALID_TOKEN")


def test_a_key_runs_out(make_site, engine, address):
    running = []
    for token_format in ("jwt", "opaque"):
        site = make_site(engine, tokens_format=token_format, tokens_access_lifetime="10s")
        signed_in = site.login(address)
        assert signed_in["expires_in"] == 10
        running.append((site, authorization(f"Token {signed_in['access']}")))
        assert site.get("/api/v1/auth/me", headers=running[-1][1]).status_code == 200
    time.sleep(10.2)

    for site, headers in running:
        assert_problem(site.get("/api/v1/auth/me", headers=headers), 401, "INVALID_TOKEN")


def test_a_change_of_the_form_ends_nobodys_work(make_site, engine, token_format, address):
    site = make_site(engine, tokens_format=token_format)
    access = site.login(address)["access"]

    site.otpgate.settings["tokens.format"] = {"jwt": "opaque", "opaque": "jwt"}[token_format]
    site.otpgate.write_config()
    site.otpgate.restart()

    assert site.get("/api/v1/auth/me", headers=authorization(f"Token {access}")).status_code == 200
