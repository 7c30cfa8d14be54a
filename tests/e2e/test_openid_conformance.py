"""The modules of the OpenID Foundation's conformance suite for providers, by their own names, written anew: Basic OP (38), Config OP
(1), RP-initiated logout (11), back-channel logout (2). Ported, not certified."""
import base64
import itertools
import json
import urllib.parse

import pytest

from support import ports
from support.relying_party import Receiver, RelyingParty, parameters_of, sign_in, signed_in
from support.visitor import Visitor

BYE = "https://wiki.example.com/bye"
_names = itertools.count(1)

MODULES = {}


def module(name):
    def remember(function):
        assert name not in MODULES
        MODULES[name] = function
        return function
    return remember


class Run:
    """What a module has: a client, and a browser whose user is signed in."""

    def __init__(self, site, address):
        self.site, self.address = site, address
        self.client = RelyingParty(site, f"suite-{next(_names)}", "--post-logout", BYE, "--no-pkce")
        self.visitor = Visitor()
        self.user = sign_in(site, self.visitor, address)["user"]

    def tokens(self, **more):
        return self.client.tokens(self.visitor, **more)

    def claims(self, **more):
        return self.client.read(self.tokens(**more)["id_token"])

    def age(self, seconds):
        """As if the sign-in were so long ago."""
        self.site.sql(f"UPDATE sessions SET authenticated_at_us = authenticated_at_us - {seconds}000000"
                      f" WHERE user_id = (SELECT id FROM users WHERE email = '{self.address}')")

    def sign_in_again(self, answer):
        told = parameters_of(answer)
        assert answer.status_code == 303 and told["sign_in"] == "again", answer.headers
        sign_in(self.site, self.visitor, self.address)
        return self.client.redeem(parameters_of(self.visitor.step(self.site.url + told["return_to"]))["code"]).json()

    def leave(self, **parameters):
        return self.visitor.step(f"{self.site.url}/oauth/logout?{urllib.parse.urlencode(parameters)}")

    def is_signed_in(self):
        return "code" in self.client.ask(self.visitor, prompt="none")[1]


# Basic OP.

@module("oidcc-server")
def server(run):
    claims = run.claims()
    assert claims["sub"] == run.user["id"] and claims["nonce"] == "the nonce" and claims["aud"] == run.client.name
    assert claims["exp"] > claims["iat"] and len(claims["sub"]) <= 255


@module("oidcc-response-type-missing")
def response_type_missing(run):
    assert run.client.ask(run.visitor, response_type=None)[1]["error"] == "invalid_request"


@module("oidcc-idtoken-signature")
def idtoken_signature(run):
    run.client.read(run.tokens()["id_token"], "RS256")  # by the key that the header names


@module("oidcc-idtoken-unsigned")
def idtoken_unsigned(run):
    assert run.site.otpgate.run("client", "create", "none", "--redirect", run.client.redirect, "--alg", "none").returncode == 2


@module("oidcc-userinfo-get")
def userinfo_get(run):
    assert run.client.userinfo(run.tokens()).json()["sub"] == run.user["id"]


@module("oidcc-userinfo-post-header")
def userinfo_post_header(run):
    assert run.site.request("POST", "/oauth/userinfo", token=run.tokens()["access_token"]).json()["sub"] == run.user["id"]


@module("oidcc-userinfo-post-body")
def userinfo_post_body(run):
    answer = run.site.request("POST", "/oauth/userinfo", data={"access_token": run.tokens()["access_token"]})
    assert answer.json()["sub"] == run.user["id"]


@module("oidcc-ensure-request-without-nonce-succeeds-for-code-flow")
def without_nonce(run):
    assert "nonce" not in run.claims(nonce=None)


def scope(run, wanted, expected, unexpected=()):
    found = run.client.userinfo(run.tokens(scope=f"openid {wanted}")).json()
    assert set(expected) <= set(found) and not set(unexpected) & set(found), found


@module("oidcc-scope-profile")
def scope_profile(run):
    scope(run, "profile", ["preferred_username"], ["email", "phone_number"])


@module("oidcc-scope-email")
def scope_email(run):
    scope(run, "email", ["email", "email_verified"], ["preferred_username"])


@module("oidcc-scope-address")
def scope_address(run):
    scope(run, "address", ["sub"], ["email"])


@module("oidcc-scope-phone")
def scope_phone(run):
    scope(run, "phone", ["sub"], ["email"])


@module("oidcc-scope-all")
def scope_all(run):
    scope(run, "profile email address phone", ["preferred_username", "email"])


@module("oidcc-ensure-other-scope-order-succeeds")
def other_scope_order(run):
    assert run.claims(scope="email openid")["email"] == run.address


@module("oidcc-display-page")
def display_page(run):
    run.claims(display="page")


@module("oidcc-display-popup")
def display_popup(run):
    run.claims(display="popup")


@module("oidcc-prompt-login")
def prompt_login(run):
    first = run.claims()
    run.age(2)
    second = run.client.read(run.sign_in_again(run.client.ask(run.visitor, prompt="login")[0])["id_token"])
    assert second["auth_time"] >= first["auth_time"] and second["sub"] == first["sub"] and second["sid"] != first["sid"]


@module("oidcc-prompt-none-not-logged-in")
def prompt_none_not_logged_in(run):
    assert run.client.ask(Visitor(), prompt="none")[1]["error"] in ("login_required", "interaction_required")


@module("oidcc-prompt-none-logged-in")
def prompt_none_logged_in(run):
    first, second = run.claims(), run.claims(prompt="none")
    assert (first["sub"], first["auth_time"]) == (second["sub"], second["auth_time"])


@module("oidcc-max-age-1")
def max_age_1(run):
    first = run.claims()
    run.age(2)
    second = run.client.read(run.sign_in_again(run.client.ask(run.visitor, max_age="1")[0])["id_token"])
    assert second["auth_time"] > first["auth_time"] - 2 and second["sid"] != first["sid"]


@module("oidcc-max-age-10000")
def max_age_10000(run):
    first, second = run.claims(), run.claims(max_age="10000")
    assert first["auth_time"] == second["auth_time"]


@module("oidcc-ensure-request-with-unknown-parameter-succeeds")
def unknown_parameter(run):
    run.claims(extra="foobar")


@module("oidcc-id-token-hint")
def id_token_hint(run):
    first = run.tokens()
    assert run.claims(prompt="none", id_token_hint=first["id_token"])["sub"] == run.user["id"]


@module("oidcc-login-hint")
def login_hint(run):
    told = run.client.ask(Visitor(), login_hint="ann@example.com")[1]
    assert told["login_hint"] == "ann@example.com"
    run.claims(login_hint="ann@example.com")


@module("oidcc-ui-locales")
def ui_locales(run):
    run.claims(ui_locales="se")


@module("oidcc-claims-locales")
def claims_locales(run):
    run.claims(claims_locales="se")


@module("oidcc-ensure-request-with-acr-values-succeeds")
def acr_values(run):
    assert run.claims(acr_values="1 2")["acr"]


@module("oidcc-codereuse")
def codereuse(run):
    code = run.client.code(run.visitor)
    assert run.client.redeem(code).status_code == 200
    answer = run.client.redeem(code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@module("oidcc-codereuse-30seconds")
def codereuse_30seconds(run):
    code = run.client.code(run.visitor)
    tokens = run.client.redeem(code).json()
    run.site.sql("UPDATE oidc_grants SET created_at_us = created_at_us - 30000000, redeemed_at_us = redeemed_at_us - 30000000"
                 f" WHERE client_id = '{run.client.name}'")
    assert run.client.redeem(code).json()["error"] == "invalid_grant"
    assert run.client.userinfo(tokens).status_code == 401


@module("oidcc-ensure-registered-redirect-uri")
def registered_redirect_uri(run):
    answer, _ = run.client.ask(run.visitor, redirect_uri=run.client.redirect + "/other")
    assert answer.status_code == 400 and "Location" not in answer.headers


@module("oidcc-ensure-post-request-succeeds")
def post_request(run):
    answer = run.visitor.request("POST", f"{run.site.url}/oauth/authorize", data=run.client.request())
    back = run.visitor.step(urllib.parse.urljoin(run.site.url, answer.headers["Location"]))
    assert run.client.redeem(parameters_of(back)["code"]).status_code == 200


@module("oidcc-server-client-secret-post")
def client_secret_post(run):
    assert run.client.redeem(run.client.code(run.visitor), by="post").status_code == 200


@module("oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported")
def request_uri(run):
    assert run.client.ask(run.visitor, request_uri="https://wiki.example.com/request")[1]["error"] == "request_uri_not_supported"


def unsigned(claims):
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    return f"{part({'alg': 'none'})}.{part(claims)}."


@module("oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported")
def request_object(run):
    told = run.client.ask(run.visitor, request=unsigned({"state": "another"}))[1]
    assert (told["error"], told["state"]) == ("request_not_supported", "the state")


@module("oidcc-claims-essential")
def claims_essential(run):
    run.claims(claims=json.dumps({"userinfo": {"name": {"essential": True}}}))


@module("oidcc-ensure-request-object-with-redirect-uri")
def request_object_with_redirect_uri(run):
    answer, told = run.client.ask(run.visitor, request=unsigned({"redirect_uri": "https://evil.example/cb"}))
    assert answer.headers["Location"].startswith(run.client.redirect) and told["error"] == "request_not_supported"


@module("oidcc-refresh-token")
def refresh_token(run):
    first = run.tokens(scope="openid email offline_access")
    second = run.client.refresh(first["refresh_token"]).json()
    old, new = run.client.read(first["id_token"]), run.client.read(second["id_token"])
    for name in ("iss", "sub", "aud", "auth_time"):
        assert old[name] == new[name]
    other = RelyingParty(run.site, f"suite-{next(_names)}")
    assert other.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert second["refresh_token"] != first["refresh_token"] and run.client.userinfo(second).status_code == 200


@module("oidcc-ensure-request-with-valid-pkce-succeeds")
def valid_pkce(run):
    assert run.client.redeem(run.client.code(run.visitor)).status_code == 200


# Config OP.

@module("oidcc-discovery-endpoint-verification")
def discovery(run):
    known = run.site.get("/.well-known/openid-configuration").json()
    assert known["issuer"] == run.site.url
    for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"):
        assert known[name].startswith(run.site.url)
    assert "openid" in known["scopes_supported"] and "code" in known["response_types_supported"]
    assert "RS256" in known["id_token_signing_alg_values_supported"] and known["subject_types_supported"]
    assert run.site.get(known["jwks_uri"].removeprefix(run.site.url)).json()["keys"]


# RP-initiated logout.

@module("oidcc-rp-initiated-logout")
def rp_logout(run):
    done = run.leave(id_token_hint=run.tokens()["id_token"], post_logout_redirect_uri=BYE, state="s t")
    assert done.headers["Location"] == f"{BYE}?state=s%20t" and not run.is_signed_in()


@module("oidcc-rp-initiated-logout-bad-post-logout-redirect-uri")
def rp_logout_bad_uri(run):
    done = run.leave(id_token_hint=run.tokens()["id_token"], post_logout_redirect_uri=BYE + "/other", state="s")
    assert done.status_code == 400 and "Location" not in done.headers


@module("oidcc-rp-initiated-logout-modified-id-token-hint")
def rp_logout_modified_hint(run):
    header, _, signature = run.tokens()["id_token"].split(".")
    claims = base64.urlsafe_b64encode(json.dumps({"iss": run.site.url, "aud": run.client.name, "sub": "x", "sid": "x"}).encode()).rstrip(b"=")
    done = run.leave(id_token_hint=f"{header}.{claims.decode()}.{signature}", post_logout_redirect_uri=BYE, state="s")
    assert "Location" not in done.headers and run.is_signed_in()


@module("oidcc-rp-initiated-logout-no-id-token-hint")
def rp_logout_no_hint(run):
    done = run.leave(post_logout_redirect_uri=BYE, state="s")
    assert "Location" not in done.headers and run.is_signed_in()


@module("oidcc-rp-initiated-logout-no-params")
def rp_logout_no_params(run):
    done = run.leave()
    assert done.status_code == 200 and "Sign out?" in done.text and run.is_signed_in()


@module("oidcc-rp-initiated-logout-no-post-logout-redirect-uri")
def rp_logout_no_uri(run):
    done = run.leave(id_token_hint=run.tokens()["id_token"], state="s")
    assert done.status_code == 200 and "You are signed out" in done.text and not run.is_signed_in()


@module("oidcc-rp-initiated-logout-no-state")
def rp_logout_no_state(run):
    assert run.leave(id_token_hint=run.tokens()["id_token"], post_logout_redirect_uri=BYE).headers["Location"] == BYE


@module("oidcc-rp-initiated-logout-only-state")
def rp_logout_only_state(run):
    done = run.leave(state="s")
    assert done.status_code == 200 and "Sign out?" in done.text


@module("oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri")
def rp_logout_query_added(run):
    done = run.leave(id_token_hint=run.tokens()["id_token"], post_logout_redirect_uri=BYE + "?foo=bar")
    assert done.status_code == 400 and "Location" not in done.headers


@module("oidcc-rp-initiated-logout-bad-id-token-hint")
def rp_logout_bad_hint(run):
    done = run.leave(id_token_hint="bad", post_logout_redirect_uri=BYE)
    assert "Location" not in done.headers and run.is_signed_in()


@module("oidcc-rp-initiated-logout-discovery-endpoint-verification")
def discovery_rp_logout(run):
    assert run.site.get("/.well-known/openid-configuration").json()["end_session_endpoint"] == f"{run.site.url}/oauth/logout"


# Back-channel logout.

@module("oidcc-backchannel-rp-initiated-logout")
def backchannel(run):
    receiver = Receiver()
    try:
        run.client = RelyingParty(run.site, f"suite-{next(_names)}", "--post-logout", BYE, "--backchannel", f"{receiver.url}/out")
        tokens = run.tokens()
        claims = run.client.read(tokens["id_token"])
        run.leave(id_token_hint=tokens["id_token"], post_logout_redirect_uri=BYE)
        ports.wait_until(lambda: receiver.seen, 5, "the client is told")
        told = run.client.read(receiver.seen[0][2]["logout_token"], typ="logout+jwt")
        assert (told["sub"], told["sid"]) == (claims["sub"], claims["sid"]) and "nonce" not in told
        assert list(told["events"]) == ["http://schemas.openid.net/event/backchannel-logout"]
    finally:
        receiver.stop()


@module("oidcc-backchannel-logout-discovery-endpoint-verification")
def discovery_backchannel(run):
    known = run.site.get("/.well-known/openid-configuration").json()
    assert known["backchannel_logout_supported"] and known["backchannel_logout_session_supported"]


def test_all_of_them_are_here():
    assert len(MODULES) == 38 + 1 + 11 + 2


@pytest.mark.parametrize("name", MODULES)
def test_module(site, address, name):
    MODULES[name](Run(site, address))
