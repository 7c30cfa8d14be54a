"""OpenID Connect: applications that sign their users in here, from the first redirect to the end of the session. On both engines."""
import concurrent.futures
import itertools
import json
import re
import socket
import time
import urllib.parse

import pytest

from selenium.webdriver.support.ui import Select

from browser import open_browser
from login_page import LoginPage
from support import ports
from support.relying_party import Receiver, RelyingParty, parameters_of, sign_in, signed_in
from support.visitor import Visitor

_names = itertools.count(1)


@pytest.fixture
def wiki(site):
    return RelyingParty(site, f"wiki-{next(_names)}", "--post-logout", "https://wiki.example.com/bye")


@pytest.fixture
def receiver():
    running = Receiver()
    yield running
    running.stop()


def client(site, *options, **more):
    return RelyingParty(site, f"client-{next(_names)}", *options, **more)


def assert_error(answer, status, error):
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text


def assert_page(answer, status, words):
    assert answer.status_code == status and "Location" not in answer.headers
    assert answer.headers["Content-Type"].startswith("text/html") and words in answer.text
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_discovery_names_what_there_is(site):
    known = site.get("/.well-known/openid-configuration").json()

    assert site.get("/.well-known/oauth-authorization-server").json() == known
    assert known["issuer"] == site.url
    for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "end_session_endpoint", "jwks_uri"):
        assert known[name].startswith(site.url + "/"), name
    assert known["code_challenge_methods_supported"] == ["S256"] and known["response_types_supported"] == ["code"]
    keys = site.get("/.well-known/jwks.json").json()["keys"]
    assert {key["alg"] for key in keys} == set(known["id_token_signing_alg_values_supported"]) == {"RS256", "ES256"}
    assert all(key["kid"] and key["use"] == "sig" for key in keys)


def test_a_whole_sign_in(site, wiki, address):
    visitor = Visitor()
    sent, _ = wiki.ask(visitor, ui_locales="xx de-DE <b> en", login_hint=address)
    assert sent.status_code == 303 and sent.headers["Location"].startswith(site.url + "/?")
    told = parameters_of(sent)
    assert (told["sign_in"], told["lang"], told["login_hint"]) == ("here", "xx,de-DE,en", address)
    page = site.get(f"/api/v1/page?{urllib.parse.urlencode({'return_to': told['return_to']})}").json()
    user = sign_in(site, visitor, address)["user"]

    back = visitor.step(page["return_to"]["url"])
    assert back.status_code == 303 and back.headers["Referrer-Policy"] == "no-referrer"
    answer = wiki.redeem(parameters_of(back)["code"])
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    tokens = answer.json()
    claims = wiki.read(tokens["id_token"])

    assert (claims["sub"], claims["nonce"], claims["email"], claims["email_verified"]) == (user["id"], "the nonce", address, True)
    assert claims["amr"] == ["otp"] and claims["acr"] == "urn:otpgate:aal1" and claims["exp"] > claims["auth_time"]
    assert "preferred_username" not in claims and "groups" not in claims and "refresh_token" not in tokens
    assert wiki.userinfo(tokens).json() == {"sub": user["id"], "email": address, "email_verified": True}
    by_form = site.request("POST", "/oauth/userinfo", data={"access_token": tokens["access_token"]})
    assert by_form.json()["sub"] == user["id"]
    assert site.get(f"/oauth/userinfo?access_token={tokens['access_token']}").status_code == 401


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
@pytest.mark.parametrize("by", ["basic", "post", "none"])
def test_each_kind_of_client(site, address, algorithm, by):
    party = client(site, "--alg", algorithm, *(["--public"] if by == "none" else []))
    visitor = signed_in(site, address)

    answer = party.redeem(party.code(visitor, scope="openid profile"), by=by)

    assert answer.status_code == 200, answer.text
    assert party.read(answer.json()["id_token"], algorithm)["preferred_username"]


def test_a_client_must_show_who_it_is(site, wiki, address):
    visitor = signed_in(site, address)
    code = wiki.code(visitor)
    right = wiki.secret

    for wrong in (right[:-1], "", right + "x"):
        wiki.secret = wrong
        answer = wiki.redeem(code, by="post")
        assert_error(answer, 401, "invalid_client")
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert_error(wiki.redeem(code, by="none"), 401, "invalid_client")
    wiki.secret = right
    assert_error(wiki.redeem(code, client_secret=right), 400, "invalid_request")
    assert wiki.redeem(code).status_code == 200


def test_nobody_is_sent_to_an_address_that_is_not_registered(site, wiki, address):
    visitor = signed_in(site, address)
    for wrong in ({"client_id": "nobody"}, {"client_id": None}, {"redirect_uri": None}, {"redirect_uri": "https://evil.example/cb"},
                  {"redirect_uri": wiki.redirect + "/"}, {"redirect_uri": "javascript:alert(1)", "prompt": "none"},
                  {"client_id": "nobody", "prompt": "none"}):
        answer, _ = wiki.ask(visitor, **wrong)
        assert_page(answer, 400, "This sign-in cannot go on")
    twice = visitor.step(wiki.url() + "&redirect_uri=https%3A%2F%2Fevil.example")
    assert_page(twice, 400, "This sign-in cannot go on")
    german = visitor.step(wiki.url(client_id="nobody"), headers={"Accept-Language": "de"})
    assert 'lang="de"' in german.text and "nicht bekannt" in german.text
    french, _ = wiki.ask(visitor, client_id="nobody", ui_locales="xx fr-CA de")
    assert 'lang="fr"' in french.text


def test_errors_go_to_the_application(site, wiki, address):
    visitor = signed_in(site, address)
    for wrong, error in (({"response_type": "token"}, "unsupported_response_type"), ({"scope": "email"}, "invalid_scope"),
                         ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
                         ({"code_challenge_method": "plain"}, "invalid_request"), ({"request": "x"}, "request_not_supported"),
                         ({"request_uri": "https://x"}, "request_uri_not_supported"), ({"prompt": "none login"}, "invalid_request")):
        answer, told = wiki.ask(visitor, **wrong)
        assert answer.status_code == 303 and answer.headers["Location"].startswith(wiki.redirect)
        assert (told["error"], told["state"], told["iss"]) == (error, "the state", site.url), wrong
        assert "code" not in told


def test_a_code_is_good_once_for_whoever_comes_first(site, wiki, address):
    visitor = signed_in(site, address)
    code = wiki.code(visitor)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: wiki.redeem(code), range(16)))

    good = [answer for answer in answers if answer.status_code == 200]
    assert len(good) == 1 and all(answer.json()["error"] == "invalid_grant" for answer in answers if answer.status_code != 200)
    # Somebody else has had it, so nothing that came of it counts.
    assert wiki.userinfo(good[0].json()).status_code == 401


def test_nobody_fills_the_table_of_grants(site, wiki, address):
    visitor = signed_in(site, address)
    answers = [wiki.ask(visitor)[1] for _ in range(301)]
    assert all("code" in told for told in answers[:300])
    assert (answers[300]["error"], answers[300]["state"]) == ("temporarily_unavailable", "the state")


def test_a_later_use_of_a_code_ends_what_came_of_it(site, wiki, address):
    visitor = signed_in(site, address)
    code = wiki.code(visitor, scope="openid offline_access")
    tokens = wiki.redeem(code).json()
    assert wiki.userinfo(tokens).status_code == 200

    assert_error(wiki.redeem(code), 400, "invalid_grant")

    assert wiki.userinfo(tokens).status_code == 401
    assert_error(wiki.refresh(tokens["refresh_token"]), 400, "invalid_grant")


def test_a_code_of_another_flow_is_refused(site, wiki, address, new_address):
    thief, owner = signed_in(site, new_address()), signed_in(site, address)
    code = wiki.code(owner)
    other = client(site)

    assert_error(other.redeem(code), 400, "invalid_grant")
    assert_error(wiki.redeem(code, code_verifier="x" * 43), 400, "invalid_grant")
    assert_error(wiki.redeem(code, code_verifier=None), 400, "invalid_grant")
    assert_error(wiki.redeem(code, redirect_uri="https://wiki.example.com/other"), 400, "invalid_grant")
    tokens = wiki.redeem(code).json()
    # And its nonce is that of the owner's flow.
    assert wiki.read(tokens["id_token"])["nonce"] == "the nonce"
    assert wiki.read(wiki.tokens(thief, nonce="another")["id_token"])["nonce"] == "another"


def test_without_pkce_nothing_may_be_taken_out_on_the_way(site, address):
    party = client(site, "--no-pkce")
    visitor = signed_in(site, address)
    without = {"code_challenge": None, "code_challenge_method": None}

    assert_error(party.redeem(party.code(visitor, **without)), 400, "invalid_grant")  # a verifier, but no challenge any more
    assert party.redeem(party.code(visitor, **without), code_verifier=None).status_code == 200
    assert_error(party.redeem(party.code(visitor), code_verifier=None), 400, "invalid_grant")


def test_a_clients_token_opens_nothing_of_ours(site, wiki, address):
    visitor = signed_in(site, address)
    tokens = wiki.tokens(visitor, scope="openid offline_access")
    ours = site.login(address)

    for token in (tokens["access_token"], tokens["id_token"], tokens["refresh_token"]):
        assert site.get("/api/v1/auth/me", token=token).status_code == 401
        assert site.get("/authz", token=token).status_code == 401
    assert site.post("/api/v1/auth/token/refresh", {"refresh": tokens["refresh_token"]}).status_code == 401
    for token in (ours["access"], ours["refresh"], tokens["refresh_token"], tokens["id_token"]):
        assert site.get("/oauth/userinfo", token=token).status_code == 401


def test_a_token_says_nothing_to_another_client(site, wiki, address):
    tokens = wiki.tokens(signed_in(site, address), scope="openid email offline_access")
    other = client(site)

    mine = wiki.post("/oauth/introspect", token=tokens["access_token"]).json()
    assert mine["active"] and mine["client_id"] == wiki.name and mine["email"] == address and "groups" not in mine
    assert wiki.post("/oauth/introspect", token=tokens["refresh_token"]).json()["token_type"] == "refresh_token"
    assert other.post("/oauth/introspect", token=tokens["access_token"]).json() == {"active": False}
    assert wiki.post("/oauth/introspect", token="x").json() == {"active": False}
    assert_error(wiki.post("/oauth/introspect", by="none", token=tokens["access_token"]), 401, "invalid_client")

    assert other.post("/oauth/revoke", token=tokens["access_token"]).status_code == 200
    assert wiki.userinfo(tokens).status_code == 200
    assert wiki.post("/oauth/revoke", token=tokens["refresh_token"]).status_code == 200
    assert wiki.userinfo(tokens).status_code == 401
    assert wiki.post("/oauth/introspect", token=tokens["access_token"]).json() == {"active": False}


def test_a_refresh_token_is_new_after_each_use(site, wiki, address):
    first = wiki.tokens(signed_in(site, address), scope="openid offline_access")
    second = wiki.refresh(first["refresh_token"]).json()
    assert "nonce" not in wiki.read(second["id_token"])
    third = wiki.refresh(second["refresh_token"]).json()
    assert wiki.userinfo(third).status_code == 200

    assert_error(wiki.refresh(first["refresh_token"]), 400, "invalid_grant")

    assert_error(wiki.refresh(third["refresh_token"]), 400, "invalid_grant")
    assert wiki.userinfo(third).status_code == 401


def test_the_sign_in_is_as_fresh_as_the_application_wants(site, wiki, address, new_address):
    visitor = signed_in(site, address)
    first = wiki.read(wiki.tokens(visitor)["id_token"])

    for wish in ({"prompt": "login"}, {"max_age": "0"}):
        if "max_age" in wish:
            time.sleep(0.01)
        sent, told = wiki.ask(visitor, **wish)
        assert sent.status_code == 303 and told["sign_in"] == "again", wish
        sign_in(site, visitor, address)
        back = visitor.step(site.url + told["return_to"])
        assert back.headers["Location"].startswith(wiki.redirect), wish
        assert wiki.read(wiki.redeem(parameters_of(back)["code"]).json()["id_token"])["auth_time"] >= first["auth_time"]

    assert wiki.ask(Visitor(), prompt="none")[1]["error"] == "login_required"
    assert wiki.code(visitor, prompt="none") and wiki.code(visitor, max_age="60")
    assert wiki.ask(visitor, prompt="none", acr_values="urn:otpgate:aal2")[1]["error"] == "unmet_authentication_requirements"
    # A hint of somebody else.
    hint = wiki.tokens(signed_in(site, new_address()))["id_token"]
    assert wiki.ask(visitor, prompt="none", id_token_hint=hint)[1]["error"] == "login_required"
    assert wiki.ask(visitor, id_token_hint="x.y.z")[1]["error"] == "invalid_request"
    sent, told = wiki.ask(visitor, id_token_hint=hint)
    assert sent.status_code == 303 and told["sign_in"] == "again"
    sign_in(site, visitor, address)
    # Once more he who is not meant: nobody is sent in a circle.
    assert parameters_of(visitor.step(site.url + told["return_to"]))["error"] == "login_required"


def test_who_may_sign_in_there(site, address):
    party = client(site, "--groups", "editors", "--title", "The <Wiki>")
    visitor = signed_in(site, address)
    site.otpgate.run("group", "create", "editors")

    assert_page(party.ask(visitor)[0], 403, "You may not use The &lt;Wiki&gt;")
    assert party.ask(visitor, prompt="none")[1]["error"] == "access_denied"
    assert site.otpgate.run("group", "add", "editors", address).returncode == 0
    tokens = party.tokens(visitor, scope="openid groups")
    assert party.userinfo(tokens).json()["groups"] == ["editors"]
    assert site.otpgate.run("group", "remove", "editors", address).returncode == 0
    assert party.userinfo(tokens).status_code == 401


def hidden(page):
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text.replace("&amp;", "&")))


def test_a_user_is_asked_once(site, address):
    party = client(site, "--consent", "ask", "--title", "Foreign shop")
    visitor = signed_in(site, address)
    page, _ = party.ask(visitor)
    assert_page(page, 200, "Let Foreign shop know this?")
    assert "https://wiki.example.com" in page.headers["Content-Security-Policy"]
    assert party.ask(visitor, prompt="none")[1]["error"] == "consent_required"
    decide = lambda decision, form: visitor.request("POST", f"{site.url}/oauth/consent", data={**form, "decision": decision})

    assert parameters_of(decide("deny", hidden(page)))["error"] == "access_denied"
    assert decide("allow", {**hidden(page), "csrf": "x"}).status_code == 403
    answer = decide("allow", hidden(page))
    assert answer.status_code == 303 and party.redeem(parameters_of(answer)["code"]).status_code == 200
    assert party.code(visitor) and party.code(visitor, scope="openid", prompt="none")
    assert_page(party.ask(visitor, scope="openid email profile")[0], 200, "Your name and language")
    assert_page(party.ask(visitor, prompt="consent")[0], 200, "Allow")


def test_a_user_takes_back_what_an_application_was_let_in_by(site, address, receiver):
    party = client(site, "--consent", "ask", "--title", "Foreign shop", "--backchannel", f"{receiver.url}/out")
    visitor = Visitor()
    body = sign_in(site, visitor, address)
    csrf = {"X-CSRF-Token": body["csrf_token"]}
    age = lambda hours: site.sql(f"UPDATE sessions SET authenticated_at_us = authenticated_at_us - {hours * 3_600_000_000}"
                                 f" WHERE user_id = x'{body['user']['id'].replace('-', '')}'")
    mine = f"{site.url}/api/v1/auth/me/applications"
    remove = lambda name: visitor.request("DELETE", f"{mine}/{name}", headers=csrf).status_code
    assert visitor.request("GET", mine).json() == {"applications": []}
    wish = {"scope": "openid email offline_access"}
    allowed = visitor.request("POST", f"{site.url}/oauth/consent", data={**hidden(party.ask(visitor, **wish)[0]), "decision": "allow"})
    tokens = party.redeem(parameters_of(allowed)["code"]).json()

    [shop] = visitor.request("GET", mine).json()["applications"]
    assert (shop["client_id"], shop["name"], shop["scopes"]) == (party.name, "Foreign shop", wish["scope"].split())
    assert shop["since"] <= shop["last_used_at"]
    assert visitor.request("DELETE", f"{mine}/{party.name}").status_code == 403 and remove("nobody") == 404
    age(1)
    assert remove(party.name) == 403  # the sign-in is too old for what lasts
    age(-1)
    assert remove(party.name) == 204 and remove(party.name) == 404

    assert visitor.request("GET", mine).json() == {"applications": []}
    assert party.userinfo(tokens).status_code == 401
    assert_error(party.refresh(tokens["refresh_token"]), 400, "invalid_grant")
    ports.wait_until(lambda: receiver.seen, 5, "the application is told")
    told = party.read(receiver.seen[0][2]["logout_token"], typ="logout+jwt")
    assert told["sid"] == party.read(tokens["id_token"])["sid"]
    # The session goes on, and the application asks again.
    assert_page(party.ask(visitor, **wish)[0], 200, "Let Foreign shop know this?")
    events = visitor.request("GET", f"{site.url}/api/v1/audit/logs").json()["results"]
    last, *before = [event["event"] for event in events if event["metadata"].get("client") == party.name]
    assert last == "CONSENT_WITHDRAWN" and sorted(before) == ["APPLICATION_SIGNED_IN", "CONSENT_GIVEN"]  # in one millisecond


def test_a_request_by_a_form_goes_on_as_an_address(site, wiki, address):
    visitor = signed_in(site, address)
    answer = visitor.request("POST", f"{site.url}/oauth/authorize", data=wiki.request())
    assert answer.status_code == 303

    code = parameters_of(visitor.step(urllib.parse.urljoin(site.url, answer.headers["Location"])))["code"]

    assert wiki.redeem(code).status_code == 200


def test_the_end_of_the_session_ends_what_came_of_it(site, wiki, address):
    visitor = Visitor()
    body = sign_in(site, visitor, address)
    online = wiki.tokens(visitor)
    offline = wiki.tokens(visitor, scope="openid offline_access")
    code = wiki.code(visitor)

    out = visitor.request("POST", f"{site.url}/api/v1/auth/logout", headers={"X-CSRF-Token": body["csrf_token"]})
    assert out.status_code < 300, out.text

    assert wiki.userinfo(online).status_code == 401 and wiki.userinfo(offline).status_code == 200
    assert_error(wiki.redeem(code), 400, "invalid_grant")
    renewed = wiki.refresh(offline["refresh_token"]).json()
    # Whoever signs out everywhere means everywhere.
    assert site.post("/api/v1/auth/logout-all", token=site.login(address)["access"]).status_code < 300
    assert wiki.userinfo(renewed).status_code == 401


def test_an_application_signs_its_user_out(site, wiki, address):
    bye = "https://wiki.example.com/bye"
    visitor = signed_in(site, address)
    tokens = wiki.tokens(visitor)
    out = lambda **parameters: visitor.step(f"{site.url}/oauth/logout?{urllib.parse.urlencode(parameters)}")

    assert_page(out(id_token_hint=tokens["id_token"], post_logout_redirect_uri=bye + "2"), 400, "This sign-out cannot go on")
    assert_page(out(post_logout_redirect_uri=bye), 400, "This sign-out cannot go on")
    assert_page(out(id_token_hint=tokens["id_token"], client_id="other"), 400, "This sign-out cannot go on")
    # Anybody may have written the link.
    asked = out(client_id=wiki.name, post_logout_redirect_uri=bye, state="s")
    assert_page(asked, 200, "Sign out?")
    assert wiki.userinfo(tokens).status_code == 200
    done = visitor.request("POST", f"{site.url}/oauth/logout", data=hidden(asked))
    assert (done.status_code, done.headers["Location"]) == (303, f"{bye}?state=s")
    assert wiki.userinfo(tokens).status_code == 401

    sign_in(site, visitor, address)
    tokens = wiki.tokens(visitor)
    done = out(id_token_hint=tokens["id_token"], post_logout_redirect_uri=bye)
    assert (done.status_code, done.headers["Location"]) == (303, bye)
    assert wiki.userinfo(tokens).status_code == 401 and not visitor.cookie("localhost", "__Host-otpgate")
    assert_page(out(), 200, "You are signed out")


def test_who_is_disabled_is_out_of_every_application_within_two_seconds(site, address, receiver):
    party = client(site, "--backchannel", f"{receiver.url}/out")
    visitor = Visitor()
    user = sign_in(site, visitor, address)["user"]
    claims = party.read(party.tokens(visitor)["id_token"])
    offline = party.tokens(visitor, scope="openid offline_access")

    began = time.monotonic()
    assert site.otpgate.run("user", "disable", address).returncode == 0
    ports.wait_until(lambda: receiver.seen, 5, "the application is told")
    assert time.monotonic() - began < 2

    (method, path, form), = receiver.seen
    assert (method, path) == ("POST", "/out")
    told = party.read(form["logout_token"], typ="logout+jwt")
    assert (told["sub"], told["sid"]) == (user["id"], claims["sid"]) and "nonce" not in told and told["jti"]
    assert told["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert party.userinfo(offline).status_code == 401
    assert_error(party.refresh(offline["refresh_token"]), 400, "invalid_grant")


def test_an_application_that_hangs_holds_up_no_other(site, address, receiver):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        parties = [client(site, "--backchannel", f"http://127.0.0.1:{silent.getsockname()[1]}/out") for _ in range(2)]
        parties.append(client(site, "--backchannel", f"{receiver.url}/out"))
        visitor = Visitor()
        sign_in(site, visitor, address)
        for party in parties:
            party.tokens(visitor)
        began = time.monotonic()
        assert site.otpgate.run("user", "end-sessions", address).returncode == 0
        ports.wait_until(lambda: receiver.seen, 5, "the application that answers is told")
        assert time.monotonic() - began < 2
    for party in parties[:2]:
        assert site.otpgate.run("client", "delete", party.name).returncode == 0


def test_the_one_who_delivers_tells_applications_too(make_site, address, receiver):
    site = make_site(delivery_mode="outbox")
    deliverer = site.otpgate.deliverer().start()
    try:
        party = RelyingParty(site, "wiki", "--backchannel", f"{receiver.url}/out", "--alg", "ES256")
        visitor = Visitor()
        sign_in(site, visitor, address)
        party.tokens(visitor)
        assert site.otpgate.run("user", "end-sessions", address).returncode == 0
        ports.wait_until(lambda: receiver.seen, 5, "the application is told")
        assert party.read(receiver.seen[0][2]["logout_token"], "ES256", "logout+jwt")["sid"]
    finally:
        deliverer.stop()


def test_an_application_that_was_away_is_told_later(site, address, receiver):
    receiver.status = 503
    party = client(site, "--backchannel", f"{receiver.url}/out")
    visitor = Visitor()
    body = sign_in(site, visitor, address)
    party.tokens(visitor)
    visitor.request("POST", f"{site.url}/api/v1/auth/logout", headers={"X-CSRF-Token": body["csrf_token"]})
    ports.wait_until(lambda: receiver.seen, 5, "the application is told")
    receiver.status = 200

    ports.wait_until(lambda: len(receiver.seen) == 2, 10, "the application is told once more")

    ports.wait_until(lambda: site.sql(f"SELECT COUNT(*) FROM oidc_logouts WHERE client_id = '{party.name}'")[0][0] in ("0", 0), 5, "it is done")


def test_clients_by_command(site, address):
    run = lambda *words: site.otpgate.run("client", *words)
    party = client(site)
    visitor = signed_in(site, address)
    tokens = party.tokens(visitor)

    assert run("create", party.name, "--redirect", party.redirect).returncode == 1
    for wrong in (["--redirect", "http://wiki.example.com/cb"], ["--redirect", "https://*.example.com/cb"], [],
                  ["--redirect", party.redirect, "--public", "--no-pkce"], ["--redirect", party.redirect, "--for", "nothing"]):
        assert run("create", "wrong", *wrong).returncode == 2, wrong
    assert party.name in run("list").stdout
    shown = json.loads(run("show", party.name, "--json").stdout)
    assert shown["redirect_uris"] == [party.redirect] and "client_secret" not in shown

    old = party.secret
    party.secret = json.loads(run("rotate-secret", party.name, "--json").stdout)["client_secret"]
    code = party.code(visitor)
    party.secret, new = old, party.secret
    assert_error(party.redeem(code), 401, "invalid_client")
    party.secret = new
    assert party.redeem(code).status_code == 200
    assert run("change", party.name, "--alg", "ES256", "--groups", "a, b").returncode == 2
    changed = json.loads(run("change", party.name, "--alg", "ES256", "--title", "The wiki", "--json").stdout)
    assert (changed["title"], changed["redirect_uris"], changed["pkce"]) == ("The wiki", [party.redirect], True)
    assert party.read(party.tokens(visitor)["id_token"], "ES256")

    assert run("disable", party.name).returncode == 0
    ports.wait_until(lambda: party.ask(visitor)[0].status_code == 400, 3, "the client is switched off")
    assert_page(party.ask(Visitor())[0], 400, "switched off")
    assert party.userinfo(tokens).status_code == 401
    assert run("enable", party.name).returncode == 0
    ports.wait_until(lambda: party.ask(visitor)[0].status_code == 303, 3, "the client is switched on")
    assert run("delete", party.name).returncode == 0 and run("show", party.name).returncode == 1
    for application in ("apache", "nextcloud", "wordpress", "roundcube", "grafana", "gitea", "express"):
        done = run("create", f"{party.name}-{application}", "--redirect", "https://app.example.com/auth/cb", "--for", application)
        assert done.returncode == 0 and f"{party.name}-{application}" in done.stdout and "{" + "id}" not in done.stdout
        assert application in ("apache", "express") or site.url in done.stdout


def test_nothing_that_is_stored_lets_anybody_in(site, wiki, address):
    visitor = signed_in(site, address)
    tokens = wiki.tokens(visitor, scope="openid offline_access")
    code = wiki.code(visitor)
    rows = json.dumps([site.sql("SELECT id, hex(secret_hash), redirect_uris FROM oidc_clients"),
                       site.sql("SELECT hex(id), hex(redirect_hash), nonce, challenge, scopes, acr FROM oidc_grants")])

    for secret in (wiki.secret, code, tokens["refresh_token"], tokens["access_token"], wiki.verifier):
        assert secret not in rows and secret.encode().hex().upper() not in rows
    assert not any(secret in site.otpgate.log() for secret in (wiki.secret, code, tokens["refresh_token"], tokens["access_token"]))


@pytest.mark.parametrize("web", ["apache", "lighttpd"])
def test_pages_stay_pages_behind_every_web_server(make_site, web):
    site = make_site(web=web)
    assert_page(Visitor().step(f"{site.url}/oauth/authorize?client_id=nobody"), 400, "This sign-in cannot go on")
    assert site.request("POST", "/oauth/token", data={"grant_type": "x"}).json()["error"] == "invalid_client"


def test_the_page_carries_the_request_through_all_of_it(make_site, address, receiver):
    """The language is changed, a new code is asked for, and the code is typed in another tab."""
    site = make_site(otp_resend_after="1s")
    party = RelyingParty(site, "wiki", redirect=f"{receiver.url}/cb")
    with open_browser() as driver:
        page = LoginPage(driver, site)
        driver.get(party.url())
        page.see("address")
        Select(page["language"]).select_by_value("de")
        page.wait(lambda: page.heading() == "Anmelden", "the page does not speak German")
        page.ask_for_code(address)
        waiting = driver.current_window_handle
        driver.switch_to.new_window("tab")
        driver.get(site.url)
        page.see("code")  # of the other tab
        page.wait(lambda: page["resend"].is_enabled(), "no new code can be asked for")
        page["resend"].click()
        page.enter_code(site.mailbox.wait_for(address))
        page.see("sign-out")

        driver.switch_to.window(waiting)
        page.see("wiki")

        code = urllib.parse.parse_qs(urllib.parse.urlsplit(driver.current_url).query)["code"][0]
        assert party.redeem(code).status_code == 200


def test_in_a_browser(make_site, address, receiver):
    """By form_post, of whose page the policy lets the form go to the application alone; and after the page that asks."""
    site = make_site()
    party = RelyingParty(site, "wiki", "--consent", "ask", redirect=f"{receiver.url}/cb")
    with open_browser() as driver:
        page = LoginPage(driver, site)
        driver.get(party.url(response_mode="form_post", login_hint=address))
        page.see("address")
        assert page["address"].get_attribute("value") == address
        page["address-submit"].click()
        page.see("code")
        page.enter_code(site.mailbox.wait_for(address))
        page.wait(lambda: "know this?" in driver.page_source, "nobody is asked")
        driver.find_element("css selector", "button.primary").click()
        page.see("wiki")
        assert [entry for entry in driver.get_log("browser") if "auth/me" not in entry["message"]] == []

        method, path, form = receiver.seen[-1]
        assert (method, path, form["iss"], form["state"]) == ("POST", "/cb", site.url, "the state")
        assert party.redeem(form["code"]).status_code == 200

        # By an address, after the page that asks: the policy holds for what a form is sent on to, too.
        driver.get(party.url(prompt="consent"))
        driver.find_element("css selector", "button.primary").click()
        page.see("wiki")
        assert receiver.seen[-1][0] == "GET" and "code=" in receiver.seen[-1][1]
