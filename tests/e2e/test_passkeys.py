"""Passkeys (etc/doc/passkeys.md): in Chromium with its virtual authenticator, and by one of our own that lies."""

import base64
import concurrent.futures
import json

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions

from browser import open_browser
from login_page import LoginPage, assert_clean_console
from support import phone_app
from support.authenticator import BACKED_UP, BACKUP_ELIGIBLE, USER_PRESENT, USER_VERIFIED, Authenticator, unb64
from support import ports
from support.keys import Backend

OPTIONS, SIGN_IN = "/api/v1/auth/passkey/options", "/api/v1/auth/passkey"
KEYS = "/api/v1/auth/passkeys"


NEEDS_FACTOR = "INSUFFICIENT_USER_AUTHENTICATION"


def claims_of(token):
    return json.loads(unb64(token.split(".")[1]))


def register(site, access, authenticator, name="Laptop", **client):
    options = site.post(KEYS + "/register/options", token=access).json()
    return site.post(KEYS + "/register", {"credential": authenticator.create(options, **client), "name": name}, token=access)


def sign_in(site, authenticator, *, options=None, **lie):
    options = options or site.post(OPTIONS).json()
    return site.post(SIGN_IN, {"credential": authenticator.get(options, **lie)})


@pytest.fixture
def owner(site, address):
    """An account with a passkey: its tokens, and the authenticator."""
    tokens = site.login(address)
    authenticator = Authenticator(site.url)
    assert register(site, tokens["access"], authenticator).status_code == 201
    return tokens["access"], authenticator


def test_signs_in_by_a_passkey_in_two_requests(site, address, owner):
    access, authenticator = owner
    before = site.get("/api/v1/auth/me", token=access).json()["user"]
    answer = sign_in(site, authenticator)
    assert answer.status_code == 200, answer.text
    assert answer.json()["user"]["id"] == before["id"] and answer.json()["refresh"]
    claims = claims_of(answer.json()["access"])
    assert (claims["amr"], claims["aal"], claims["acr"]) == (["hwk", "user", "mfa"], 2, "urn:otpgate:aal2")
    assert claims_of(access)["aal"] == 1  # kratos#4285: a code alone is never less, kratos#4317: nor ever more
    assert site.get("/authz", token=answer.json()["access"]).headers["X-Auth-Aal"] == "2"
    # Without verification of its user it is one factor, which the account wants more than.
    authenticator.flags = USER_PRESENT
    refused = sign_in(site, authenticator)
    assert (refused.status_code, refused.json()["code"]) == (401, NEEDS_FACTOR)
    # A refresh is no better than the sign-in.
    refreshed = site.post("/api/v1/auth/token/refresh", {"refresh": answer.json()["refresh"]}).json()
    assert claims_of(refreshed["access"])["aal"] == 2
    listed = site.get(KEYS, token=access).json()["passkeys"]
    assert [(key["name"], bool(key["last_used_at"]), key["synced"]) for key in listed] == [("Laptop", True, False)]
    events = site.sql(f"SELECT event FROM audit_events WHERE user_id = (SELECT id FROM users WHERE email = '{address}')")
    assert "PASSKEY_ADDED" in str(events)


def test_a_passkey_that_verifies_nobody_is_one_factor_and_protects_nothing(site, address):
    tokens = site.login(address)
    authenticator = Authenticator(site.url, flags=USER_PRESENT)
    assert register(site, tokens["access"], authenticator).status_code == 201
    claims = claims_of(sign_in(site, authenticator).json()["access"])
    assert (claims["amr"], claims["aal"]) == (["hwk", "user"], 1)
    assert site.login(address)["access"]
    # With the PIN that its owner gives it, it does.
    authenticator.flags |= USER_VERIFIED
    assert claims_of(sign_in(site, authenticator).json()["access"])["aal"] == 2
    assert site.verify(*site.request_code(address)).json()["code"] == NEEDS_FACTOR


PASSWORD, OTHER = "correct horse battery 7", "other horse battery 8"
AUTH = "/api/v1/auth"


@pytest.mark.parametrize("factor", ("passkey", "app"))
def test_mailbox_and_password_open_nothing_of_an_account_with_a_factor(site, address, new_address, factor):
    """Nine ways in, by somebody who reads the mail, knows the password, and was signed in before."""
    def code(path, **fields):
        asked = site.post(path, fields)
        assert asked.status_code == 202, asked.text
        return {"otp_id": asked.json()["otp_id"], "otp": site.mailbox.wait_for(address)}

    def refused(answer):
        assert (answer.status_code, answer.json()["code"]) == (401, NEEDS_FACTOR), answer.text
        assert 'error="insufficient_user_authentication", acr_values="urn:otpgate:aal2"' in answer.headers["WWW-Authenticate"]
        assert "access" not in answer.json() and "Set-Cookie" not in answer.headers

    site.login(address)
    reset = code(AUTH + "/forgot-password", email=address)
    assert site.post(AUTH + "/password-reset", {"email": address, "otp": reset["otp"], "password": PASSWORD}).status_code == 200
    thief, owner = site.login(address), site.login(address)
    authenticator = Authenticator(site.url)
    if factor == "passkey":
        assert register(site, owner["access"], authenticator).status_code == 201
    else:
        phone = phone_app.register(site, owner["access"])
        # Its owner's device does without the app from now on; the thief has another.
        assert site.otpgate.run("user", "clear-limits", address).returncode == 0
        half = site.verify(*site.request_code(address)).json()
        trusting = {"second_step_token": half["second_step_token"], "otp": phone.code(), "trust_device": True}
        device = site.post(AUTH + "/second-step", {**trusting, "device_token": owner["device_token"]}).json()["device_token"]
        assert site.verify(*site.request_code(address), device_token=device).status_code == 200
        site.sql(f"UPDATE totps SET last_step = 0 WHERE user_id = (SELECT id FROM users WHERE email = '{address}')")
        phone.shown = 0
    assert site.otpgate.run("user", "clear-limits", address).returncode == 0

    refused(site.post(AUTH + "/login/otp-verify", code(AUTH + "/login", email=address, password=PASSWORD)))
    refused(site.post(AUTH + "/otp/verify", code(AUTH + "/otp/request", destination=address)))
    refused(site.post(AUTH + "/otp/verify", {**code(AUTH + "/otp/request", destination=address, device_token=thief["device_token"]),
                                             "device_token": thief["device_token"]}))
    old = site.post("/api/auth/otp/verify", {"destination": address, "otp": code(AUTH + "/otp/request", destination=address)["otp"]})
    assert (old.status_code, old.json()["code"]) == (401, NEEDS_FACTOR), old.text  # to clients of another service
    assert site.otpgate.run("user", "clear-limits", address).returncode == 0
    reset = code(AUTH + "/forgot-password", email=address)
    refused(site.post(AUTH + "/password-reset", {"email": address, "otp": reset["otp"], "password": OTHER}))
    proved = site.post(AUTH + "/otp/verify", {**code(AUTH + "/forgot-password", email=address), "purpose": "reset"}).json()
    refused(site.post(AUTH + "/password-reset", {"reset_token": proved["reset_token"], "password": OTHER}))

    # The sessions from before have ended; and were one still there, it could do nothing but end.
    assert site.get(AUTH + "/me", token=thief["access"]).json()["code"] == "INVALID_TOKEN"
    who = f"(SELECT id FROM users WHERE email = '{address}')"
    site.sql(f"UPDATE sessions SET revoked_at_us = NULL WHERE user_id = {who}")
    for method, path in (("GET", AUTH + "/me"), ("GET", AUTH + "/me/export"), ("DELETE", AUTH + "/me"), ("PATCH", AUTH + "/profile"),
                         ("POST", AUTH + "/address-change/request"), ("POST", AUTH + "/address-change/verify"),
                         ("POST", AUTH + "/password-change"), ("GET", AUTH + "/sessions"), ("POST", AUTH + "/logout-all"),
                         ("GET", KEYS), ("POST", KEYS + "/register/options"), ("POST", KEYS + "/register"),
                         ("GET", AUTH + "/totp"), ("POST", AUTH + "/totp/options"), ("POST", AUTH + "/totp"),
                         ("GET", "/api/v1/api-keys"), ("POST", "/api/v1/api-keys"), ("GET", "/api/v1/audit/logs"), ("GET", "/authz")):
        refused(site.request(method, path, json={} if method != "GET" else None, token=thief["access"]))
    refused(site.post(AUTH + "/token/refresh", {"refresh": thief["refresh"]}))
    backend = Backend(site, new_address())
    assert [backend.introspect(thief[kind]) for kind in ("access", "refresh")] == [{"active": False}] * 2
    assert site.post(AUTH + "/logout", token=thief["access"]).status_code == 204

    # Its owner's session is worth the factor that it has just shown; by that he comes in, and goes.
    assert backend.introspect(owner["access"])["aal"] == (2 if factor == "passkey" else 1)
    if factor == "passkey":
        safe = sign_in(site, authenticator).json()
    else:
        half = site.post(AUTH + "/login/otp-verify", code(AUTH + "/login", email=address, password=PASSWORD)).json()
        safe = site.post(AUTH + "/second-step", {"second_step_token": half["second_step_token"], "otp": phone.code()}).json()
    told = backend.introspect(safe["access"])
    assert (told["aal"], told["acr"], told["active"]) == (2, "urn:otpgate:aal2", True)
    assert site.request("DELETE", AUTH + "/me", token=safe["access"]).status_code == 204


def test_an_administrator_lets_in_again_who_has_lost_his_passkeys(site, address, owner, new_address):
    access, authenticator = owner
    user = site.get(AUTH + "/me", token=access).json()["user"]["id"]
    assert site.verify(*site.request_code(address)).json()["code"] == NEEDS_FACTOR
    admin = site.login(new_address())
    site.otpgate.run("user", "make-admin", admin["user"]["email"])
    path = f"/api/v1/admin/users/{user}"
    assert site.get(path, token=admin["access"]).json()["has_factor"] is True
    for _ in range(2):  # what is so already is as good
        assert site.request("DELETE", path + "/factors", token=admin["access"]).status_code == 204
    assert site.get(AUTH + "/me", token=access).status_code == 401
    assert sign_in(site, authenticator).status_code == 404
    assert "A passkey was removed" in site.mailbox.wait_for_notices(address, 2)[-1]["Subject"]

    assert register(site, site.login(address)["access"], Authenticator(site.url)).status_code == 201
    done = site.otpgate.run("user", "reset-factors", address)
    assert done.returncode == 0, done.stderr
    events = [event for event in site.get(path, token=admin["access"]).json()["events"] if event["event"] == "FACTORS_RESET"]
    assert [(event["metadata"] or {}).get("by") for event in events] == [None, admin["user"]["id"]]
    assert site.login(address)["access"]


def flip(name):
    def change(response):
        response[name] = response[name][:-1] + bytes([response[name][-1] ^ 1])
    return change


def drop(name):
    return lambda response: response.pop(name)


LIES = {
    "another origin": dict(before=lambda a: setattr(a, "origin", "https://evil.example")),
    "a frame of another page": dict(lie={"crossOrigin": True}),
    "a page that has it in a frame": dict(lie={"topOrigin": "https://evil.example"}),
    "another kind of ceremony": dict(lie={"kind": "create"}),
    "another site": dict(before=lambda a: setattr(a, "rp_id", "evil.example")),
    "nobody was present": dict(before=lambda a: setattr(a, "flags", USER_VERIFIED)),
    "backed up, and cannot be": dict(before=lambda a: setattr(a, "flags", USER_PRESENT | BACKED_UP)),
    "can be copied all at once": dict(before=lambda a: setattr(a, "flags", USER_PRESENT | BACKUP_ELIGIBLE)),
    "an extension that nobody asked for": dict(before=lambda a: setattr(a, "flags", USER_PRESENT | 0x80)),
    "somebody else's handle": dict(before=lambda a: setattr(a, "handle", bytes(16))),
    "no handle": dict(lie={"change": drop("userHandle")}),
    "a changed signature": dict(lie={"change": flip("signature")}),
    "changed data": dict(lie={"change": flip("authenticatorData")}),
    "a challenge that nobody gave": dict(lie={"challenge": "AAAA"}),
}


def test_believes_no_authenticator_that_lies(site, owner):
    _, authenticator = owner
    good = dict(vars(authenticator))
    for name, case in LIES.items():
        case.get("before", lambda _: None)(authenticator)
        answer = sign_in(site, authenticator, **case.get("lie", {}))
        assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_CREDENTIALS"), name
        vars(authenticator).update(good)
    assert sign_in(site, authenticator).status_code == 200


def test_takes_a_challenge_once(site, owner):
    access, authenticator = owner
    options = site.post(OPTIONS).json()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: sign_in(site, authenticator, options=options).status_code, range(16)))
    assert sorted(answers) == [200] + [401] * 15
    # Nor one that was given for something else.
    invitation = site.post(KEYS + "/register/options", token=access).json()
    assert sign_in(site, authenticator, options=invitation).status_code == 401
    other = Authenticator(site.url)
    assert register(site, access, other, challenge=site.post(OPTIONS).json()["publicKey"]["challenge"]).status_code == 400


def test_an_account_has_twenty_passkeys_and_no_more(make_site, address):
    site = make_site(limits_passkeys_per_account="0", limits_notices_per_destination="0")
    access = site.login(address)["access"]
    keys = [Authenticator(site.url) for _ in range(21)]
    assert [register(site, access, key).status_code for key in keys[:20]] == [201] * 20
    refused = register(site, access, keys[20])
    assert (refused.status_code, refused.json()["code"]) == (409, "CONFLICT") and "You have 20 passkeys" in refused.json()["detail"]
    assert register(site, access, Authenticator(site.url), name="\x07").json()["errors"][0]["field"] == "name"
    assert sign_in(site, keys[19]).status_code == 200


def test_notices_that_there_are_two_of_a_passkey(site, address, owner):
    access, authenticator = owner
    for counter, status in ((7, 200), (7, 401), (6, 401), (0, 401), (8, 200)):
        authenticator.counter = counter
        assert sign_in(site, authenticator).status_code == status, counter


def test_adds_only_what_was_asked_for_by_its_user(site, owner, new_address):
    access, authenticator = owner
    mine = site.post(KEYS + "/register/options", token=access).json()
    assert mine["publicKey"]["excludeCredentials"][0]["transports"] == ["internal", "hybrid"]
    other = site.login(new_address())["access"]
    stranger = Authenticator(site.url)
    stolen = site.post(KEYS + "/register", {"credential": stranger.create(mine), "name": "x"}, token=other)
    assert (stolen.status_code, stolen.json()["errors"][0]["field"]) == (400, "credential")
    # The same credential, whoever's it is.
    again = register(site, other, authenticator)
    assert (again.status_code, again.json()["code"]) == (409, "CONFLICT")
    for lie in ({"crossOrigin": True}, {"tail": b"\x00"}):
        assert register(site, other, Authenticator(site.url), **lie).status_code == 400
    assert register(site, other, Authenticator(site.url, rp_id="evil.example")).status_code == 400
    assert register(site, other, Authenticator(site.url, flags=USER_VERIFIED)).status_code == 400
    # Once.
    credential = {"credential": Authenticator(site.url).create(mine), "name": "Phone"}
    assert [site.post(KEYS + "/register", credential, token=access).status_code for _ in range(2)] == [201, 400]


def test_renames_and_removes_the_own_ones_only(site, address, owner, new_address):
    access, authenticator = owner
    path = f"{KEYS}/{site.get(KEYS, token=access).json()['passkeys'][0]['id']}"
    other = site.login(new_address())["access"]
    assert site.request("PATCH", path, json={"name": "Mine"}, token=other).status_code == 404
    assert site.request("DELETE", path, token=other).status_code == 404
    for _ in range(2):  # what is so already is as good
        assert site.request("PATCH", path, json={"name": "Desk"}, token=access).status_code == 204
    assert site.get(KEYS, token=access).json()["passkeys"][0]["name"] == "Desk"
    assert site.request("DELETE", path, token=access).status_code == 204
    gone = sign_in(site, authenticator)
    assert (gone.status_code, gone.json()["code"]) == (404, "NOT_FOUND")
    kinds = site.sql("SELECT event FROM audit_events WHERE event = 'PASSKEY_REMOVED'")
    assert kinds


def test_a_disabled_account_stays_out(site, address, owner):
    _, authenticator = owner
    site.sql(f"UPDATE users SET status = 'disabled' WHERE email = '{address}'")
    answer = sign_in(site, authenticator)
    assert (answer.status_code, answer.json()["code"]) == (403, "ACCOUNT_DISABLED")


def test_sign_ins_of_an_account_are_limited_and_wrong_ones_of_a_stranger(make_site, address):
    site = make_site(limits_passkeys_per_account="3/1h", limits_passwords_per_client="2/1h", limits_notices_per_destination="2/1h")
    tokens = site.login(address)
    authenticator = Authenticator(site.url)
    assert register(site, tokens["access"], authenticator).status_code == 201

    def answers(count, **lie):
        return [sign_in(site, authenticator, **lie).status_code for _ in range(count)]

    wrong = dict(change=flip("signature"))
    assert answers(4, **wrong) == [401, 401, 429, 429]
    rows = site.sql("SELECT COUNT(*) FROM rate_limits")
    assert answers(3, **wrong) == [429] * 3 and site.sql("SELECT COUNT(*) FROM rate_limits") == rows  # challenges are left alone
    assert answers(1) == [429]  # this client's
    options = site.post(OPTIONS).json()
    known = site.post(SIGN_IN, {"credential": authenticator.get(options), "device_token": tokens["device_token"]})
    assert known.status_code == 200, "of a device that the account knows"
    for client in ("198.51.100.1", "198.51.100.2", "198.51.100.3"):
        options = site.post(OPTIONS).json()
        answer = site.post(SIGN_IN, {"credential": authenticator.get(options)}, client_ip=client)
    assert answer.status_code == 429 and "passkeys_per_account" in answer.headers["RateLimit"]
    # Of a passkey and of two new devices, and the owner is told twice an hour.
    assert len(site.mailbox.wait_for_notices(address, 2)) == 2
    ports.wait_until(lambda: site.sql("SELECT kind FROM outbox") == [], 10, "nothing more waits")


# The page.

class PasskeyPage(LoginPage):
    def plug_in(self, verifies=True):
        options = VirtualAuthenticatorOptions()
        options.protocol, options.transport = "ctap2", "internal"
        options.has_resident_key = options.has_user_verification = True
        options.is_user_verified, options.is_user_consenting = verifies, True
        self.driver.add_virtual_authenticator(options)

    def names(self):
        return [row.text for row in self.driver.find_elements(By.CSS_SELECTOR, "#passkeys .device")]


def test_from_the_first_code_to_no_code(site, address):
    with open_browser() as driver:
        page = PasskeyPage(driver, site)
        page.open()
        page.plug_in()
        page.sign_in(address)
        page.see("faster-add").click()
        page.text_of("status", "Passkey added")
        assert not page["faster"].is_displayed()

        # A code is right, and not enough: the page says so where the passkey is.
        with open_browser() as other:
            elsewhere = PasskeyPage(other, site)
            elsewhere.open()
            elsewhere.enter_code(elsewhere.ask_for_code(address))
            elsewhere.text_of("status", "protected by more than a code")
            assert elsewhere["use-passkey"].is_displayed()

        # The browser offers it in the field, and the virtual visitor takes it at once: nothing is typed.
        page["sign-out"].click()
        by_passkey = (f"SELECT s.amr FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.email = '{address}'"
                      " AND s.amr LIKE '%mfa%'")
        page.wait(lambda: site.sql(by_passkey), "nobody signed in by a passkey")
        page.see("sign-out")
        page.wait(lambda: page["account-name"].text == address, "nobody is named")

        page.open_part("factors")
        page.wait(lambda: len(page.names()) == 1, "the passkey is not in the list")
        driver.find_element(By.CSS_SELECTOR, "#passkeys button[aria-label^='Rename']").click()
        field = page.focused()
        field.clear()
        field.send_keys("My laptop\n")
        page.text_of("status", "Passkey renamed: My laptop.")
        assert page.names() == ["My laptop"]
        driver.find_element(By.CSS_SELECTOR, "#passkeys button[aria-label^='Remove']").click()
        page.text_of("status", "Passkey removed")
        assert page.names() == []

        # What is gone here is refused, says so, and the code is a step away.
        page["sign-out"].click()
        assert "not known here" in page.text_of("address-error", "You can have a code sent instead.")
        driver.remove_virtual_authenticator()
        page.plug_in(verifies=False)
        page["use-passkey"].click()
        page.text_of("address-error", "No passkey was used. You can have a code sent instead.")
        page.sign_in(address)
        page.see("faster-later").click()
        driver.refresh()
        page.see("sign-out").click()
        page.see("address")
        page.sign_in(address)
        assert not page["faster"].is_displayed()
        page.open_part("factors")
        page.see("passkey-add")
        assert_clean_console(driver)


def test_refuses_to_lose_the_passkeys(make_site, address):
    made = make_site()
    assert register(made, made.login(address)["access"], Authenticator(made.url)).status_code == 201
    made.sql("UPDATE passkey_site SET rp_id = 'old.example.org'")
    told = made.otpgate.run("check-config")
    assert told.returncode != 0 and "passkeys here were made for old.example.org" in told.stdout + told.stderr
    refused = register(made, made.login("new-" + address)["access"], Authenticator(made.url))
    assert (refused.status_code, refused.json()["code"]) == (409, "CONFLICT")
