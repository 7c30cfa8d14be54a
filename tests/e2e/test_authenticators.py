"""Authenticator apps (etc/doc/authenticators.md), with oathtool as the phone."""

import concurrent.futures

from selenium.webdriver.common.by import By

from login_page import LoginPage, assert_clean_console, browser, chromium  # noqa: F401
from support.keys import Backend
from support.phone_app import PhoneApp, register
from test_passkeys import NEEDS_FACTOR, claims_of

AUTH = "/api/v1/auth"
TOTP, SECOND = AUTH + "/totp", AUTH + "/second-step"
PASSWORD = "correct horse battery 7"


def first_step(site, address, **fields):
    """A right code of ours: the token that asks for the rest."""
    refused = site.verify(*site.request_code(address, **fields))
    assert (refused.status_code, refused.json()["code"]) == (401, NEEDS_FACTOR), refused.text
    assert "access" not in refused.json() and "Set-Cookie" not in refused.headers
    return refused.json()["second_step_token"]


def sign_in(site, address, phone):
    answer = site.post(SECOND, {"second_step_token": first_step(site, address), "otp": phone.code()})
    assert answer.status_code == 200, answer.text
    return answer.json()


def again(site, address, phone):
    """Its codes are good once more, and nobody waits for the next half minute."""
    site.sql(f"UPDATE totps SET last_step = 0 WHERE user_id = (SELECT id FROM users WHERE email = '{address}')")
    phone.shown = 0


def test_kratos_4285_a_code_and_an_app_sign_in(site, address, new_address):
    tokens = site.login(address)
    phone = register(site, tokens["access"])
    assert claims_of(tokens["access"])["aal"] == 1
    assert site.get(AUTH + "/me", token=tokens["access"]).status_code == 200  # it has just shown it
    token = first_step(site, address)
    taken = phone.code_of(phone.shown)
    for wrong in (taken, "000000", "x"):  # that of the registration is spent
        answer = site.post(SECOND, {"second_step_token": token, "otp": wrong})
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_OTP"), wrong
    code = phone.code()
    for lie in ("", token[:-1], token + "A", tokens["access"]):
        assert site.post(SECOND, {"second_step_token": lie, "otp": code}).status_code == 400
    answer = site.post(SECOND, {"second_step_token": token, "otp": f"{code[:3]} {code[3:]}"})
    assert answer.status_code == 200, answer.text
    claims = claims_of(answer.json()["access"])
    assert (claims["amr"], claims["aal"], claims["acr"]) == (["otp", "totp"], 1, "urn:otpgate:aal1")
    told = Backend(site, new_address()).introspect(answer.json()["access"])
    assert (told["amr"], told["aal"]) == (["otp", "totp"], 1)
    spent = site.post(SECOND, {"second_step_token": token, "otp": code})
    assert (spent.status_code, spent.json()["code"]) == (400, "INVALID_OTP")
    # Without a password or a passkey that is all that there is, so it changes the account.
    access = answer.json()["access"]
    shown = site.get(TOTP, token=access).json()["authenticators"]
    assert [(app["name"], bool(app["last_used_at"])) for app in shown] == [("Phone", True)]
    assert site.request("DELETE", f"{TOTP}/{shown[0]['id']}", token=access).status_code == 204
    assert site.request("DELETE", f"{TOTP}/{shown[0]['id']}", token=access).status_code == 404
    assert site.login(address)["access"]
    subjects = [notice["Subject"] for notice in site.mailbox.wait_for_notices(address, 2)]
    assert any("app was added" in subject for subject in subjects) and any("app was removed" in subject for subject in subjects)


def test_a_password_and_an_app_are_two_factors(site, address):
    def code(path, **fields):
        asked = site.post(AUTH + path, fields)
        assert asked.status_code == 202, asked.text
        return {"otp_id": asked.json()["otp_id"], "otp": site.mailbox.wait_for(address)}

    site.login(address)
    reset = code("/forgot-password", email=address)
    assert site.post(AUTH + "/password-reset", {"email": address, "otp": reset["otp"], "password": PASSWORD}).status_code == 200
    phone = register(site, site.login(address)["access"])
    # By a code and the app: sure enough for the account, and not for a site that wants two factors.
    access = sign_in(site, address, phone)["access"]
    assert site.post(TOTP + "/options", token=access).status_code == 200
    assert site.get("/authz", token=access).headers["X-Auth-Aal"] == "1"
    again(site, address, phone)
    half = site.post(AUTH + "/login/otp-verify", code("/login", email=address, password=PASSWORD))
    assert half.status_code == 401
    whole = site.post(SECOND, {"second_step_token": half.json()["second_step_token"], "otp": phone.code()})
    claims = claims_of(whole.json()["access"])
    assert (claims["amr"], claims["aal"]) == (["pwd", "otp", "totp", "mfa"], 2)
    assert site.get("/authz", token=whole.json()["access"]).headers["X-Auth-Aal"] == "2"
    assert site.post(TOTP + "/options", token=whole.json()["access"]).status_code == 200


def test_takes_a_code_of_the_app_once(site, address):
    phone = register(site, site.login(address)["access"])
    tokens = [first_step(site, address) for _ in range(4)]
    code = phone.code()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda i: site.post(SECOND, {"second_step_token": tokens[i % 4], "otp": code}).status_code, range(16)))
    # The rest is wrong, until the budget of wrong ones is spent.
    assert answers.count(200) == 1 and set(answers) <= {200, 400, 429}


def test_adds_only_what_its_user_was_invited_to(site, address, new_address):
    mine = site.login(address)["access"]
    other = site.login(new_address())["access"]
    invitation = site.post(TOTP + "/options", token=mine).json()
    assert len(invitation["secret"]) == 32 and f"secret={invitation['secret']}&" in invitation["uri"]
    phone = PhoneApp(invitation["secret"])
    right = {"token": invitation["token"], "otp": phone.code(), "name": "Phone"}
    assert site.post(TOTP, {**right, "otp": "000000"}, token=mine).json()["code"] == "INVALID_OTP"
    assert site.post(TOTP, right, token=other).json()["errors"][0]["field"] == "token"
    assert site.get(TOTP, token=mine).json()["authenticators"] == []
    assert site.post(TOTP, right, token=mine).status_code == 201
    assert site.post(TOTP, right, token=mine).status_code == 409
    # An administrator lets him in again who has lost his phone.
    assert "authenticator app" in site.otpgate.run("user", "show", address).stdout
    assert site.otpgate.run("user", "reset-factors", address).returncode == 0
    assert "app was removed" in site.mailbox.wait_for_notices(address, 2)[-1]["Subject"]
    assert site.get(AUTH + "/me", token=mine).status_code == 401 and site.login(address)["access"]


def test_an_account_has_five_apps_and_no_more(site, address):
    access = site.login(address)["access"]
    phones = [register(site, access, f"Phone {number}") for number in range(5)]
    invitation = site.post(TOTP + "/options", token=access).json()
    refused = site.post(TOTP, {"token": invitation["token"], "otp": PhoneApp(invitation["secret"]).code(), "name": "One more"}, token=access)
    assert (refused.status_code, refused.json()["code"]) == (409, "CONFLICT") and "You have 5 authenticator apps" in refused.json()["detail"]
    assert len(site.get(TOTP, token=access).json()["authenticators"]) == 5
    again(site, address, phones[3])
    assert sign_in(site, address, phones[3])["access"]


def test_after_a_hundred_wrong_codes_in_a_row_no_app_counts(make_site, address):
    site = make_site(limits_guesses_per_destination="1000/1h")
    phone = register(site, site.login(address)["access"])
    again(site, address, phone)
    token = first_step(site, address)
    assert site.post(SECOND, {"second_step_token": token, "otp": "000000"}).json()["code"] == "INVALID_OTP"
    site.sql("UPDATE rate_limits SET failures = 100 WHERE failures = 1")
    locked = site.post(SECOND, {"second_step_token": token, "otp": phone.code()})
    assert (locked.status_code, locked.json()["code"]) == (429, "MAX_RETRIES_EXCEEDED")
    assert "too many wrong codes in a row" in locked.json()["detail"]


def test_a_sign_in_is_not_finished_by_whoever_was_disabled_meanwhile(site, address):
    phone = register(site, site.login(address)["access"])
    again(site, address, phone)
    token = first_step(site, address)
    assert site.otpgate.run("user", "disable", address).returncode == 0
    refused = site.post(SECOND, {"second_step_token": token, "otp": phone.code()})
    assert (refused.status_code, refused.json()["code"]) == (403, "ACCOUNT_DISABLED"), refused.text


CODES = AUTH + "/recovery-codes"


def cookie_headers(answer):
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in answer.cookies.items()), "X-CSRF-Token": answer.json()["csrf_token"]}


def test_a_recovery_code_adds_a_factor_and_opens_nothing_else(site, address):
    access = site.login(address)["access"]
    assert site.post(CODES, token=access).status_code == 409
    register(site, access)
    site.post(CODES, token=access)  # never kept
    codes = site.post(CODES, token=access).json()["codes"]
    assert len(set(codes)) == 10 and site.get(CODES, token=access).json() == {"left": 0, "created_at": None}
    assert site.post(CODES + "/confirm", {"code": "0-AAAA-AAAA-AAAA-AAAA"}, token=access).json()["code"] == "INVALID_OTP"
    assert site.post(CODES + "/confirm", {"code": codes[3]}, token=access).status_code == 204
    assert site.get(CODES, token=access).json()["left"] == 10

    token = first_step(site, address)

    def recover(code, **fields):
        return site.post(SECOND, {"second_step_token": token, "recovery_code": code, "session": "cookie", **fields})

    # Whoever verifies tokens himself would take one for more than it is.
    assert recover(codes[3], session=None).json()["errors"][0]["field"] == "session"
    for wrong in ("", "0-AAAA-AAAA-AAAA-AAAA", codes[3][:-1], "4" + codes[3][1:]):
        assert recover(wrong).status_code == 400, wrong
    answer = recover(codes[3].lower().replace("-", " "))
    assert answer.status_code == 200, answer.text
    limited = cookie_headers(answer)
    for method, path in (("GET", AUTH + "/me"), ("GET", AUTH + "/me/export"), ("DELETE", AUTH + "/me"), ("PATCH", AUTH + "/profile"),
                         ("POST", AUTH + "/address-change/request"), ("POST", AUTH + "/password-change"), ("GET", AUTH + "/sessions"),
                         ("GET", "/api/v1/api-keys"), ("POST", "/api/v1/api-keys"), ("GET", "/authz"), ("POST", CODES), ("GET", CODES)):
        refused = site.request(method, path, json={} if method != "GET" else None, headers=limited)
        assert (refused.status_code, refused.json()["code"]) == (401, NEEDS_FACTOR), path
    token = first_step(site, address)
    assert recover(codes[3]).status_code == 400  # once
    lost = site.get(TOTP, headers=limited).json()["authenticators"][0]["id"]
    assert site.request("DELETE", f"{TOTP}/{lost}", headers=limited).status_code == 401

    invitation = site.post(TOTP + "/options", headers=limited).json()
    added = site.post(TOTP, {"token": invitation["token"], "otp": PhoneApp(invitation["secret"]).code(), "name": "New"}, headers=limited)
    assert added.status_code == 201, added.text
    assert site.get(AUTH + "/me", headers=limited).status_code == 200
    assert site.request("DELETE", f"{TOTP}/{lost}", headers=limited).status_code == 204
    assert site.get(CODES, headers=limited).json()["left"] == 9
    subjects = " ".join(notice["Subject"] for notice in site.mailbox.wait_for_notices(address, 5))
    assert "Recovery codes were made" in subjects and "A recovery code of your account" in subjects


def test_nobody_has_recovery_codes_hashed_at_will(site, address):
    access = site.login(address)["access"]
    register(site, access)
    code = site.post(CODES, token=access).json()["codes"][0]
    wrong = {"code": "0-AAAA-AAAA-AAAA-AAAA"}
    assert {site.post(CODES + "/confirm", wrong, token=access).json()["code"] for _ in range(9)} == {"INVALID_OTP"}
    for answer in (site.post(CODES + "/confirm", {"code": code}, token=access), site.post(CODES, token=access)):
        assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 3000

    site.otpgate.run("user", "clear-limits", address)
    assert site.post(CODES + "/confirm", {"code": code}, token=access).status_code == 204
    guess = {"second_step_token": first_step(site, address), "recovery_code": wrong["code"], "session": "cookie"}
    assert [site.post(SECOND, guess).status_code for _ in range(11)] == [400] * 10 + [429]


def test_adds_an_app_and_signs_in_with_it_on_the_page(browser, site, address):
    page = LoginPage(browser, site)
    page.open()
    page.sign_in(address)
    page.open_part("factors")
    page.see("app-add").click()
    page.wait(lambda: page["app-secret"].text, "no key is shown")
    phone = PhoneApp(page["app-secret"].text.replace(" ", ""))
    assert browser.find_element(By.CSS_SELECTOR, "#app-qr svg").size["width"] > 100
    page["app-code"].send_keys("000000\n")
    page.text_of("app-code-error", "not right")
    page["app-code"].clear()
    page["app-code"].send_keys(phone.code() + "\n")
    page.text_of("status", "Authenticator app added")
    assert not page["app-form"].is_displayed() and not page["app-secret"].text

    page["sign-out"].click()
    page.see("address")
    page.enter_code(page.ask_for_code(address))
    page.see("second-code").send_keys("000000")
    page.text_of("second-error", "not right")
    page["second-leave"].click()
    page.see("address").clear()
    page.enter_code(page.ask_for_code(address))
    page.see("second-code").send_keys(phone.code())
    page.see("sign-out")
    page.open_part("factors")
    page.see("recovery-make").click()
    rows = lambda: [row.text for row in browser.find_elements(By.CSS_SELECTOR, "#recovery-codes li")]
    page.wait(lambda: len(rows()) == 10, "no codes are shown")
    kept = rows()[7]
    page["recovery-code"].send_keys(kept + "\n")
    page.text_of("status", "ready")
    assert not page["recovery-form"].is_displayed() and not rows()

    # The phone is lost.
    page["sign-out"].click()
    page.see("address")
    page.enter_code(page.ask_for_code(address))
    page.see("second-recover").click()
    page["second-code"].send_keys(kept + "\n")
    page.text_of("enrol-lead", "Add a passkey or an authenticator app now")
    assert not page["enrol-later"].is_displayed()
    page.see("enrol-app").click()
    page.wait(lambda: page["enrol-app-secret"].text, "no key is shown")
    page["enrol-app-code"].send_keys(PhoneApp(page["enrol-app-secret"].text.replace(" ", "")).code() + "\n")
    page.text_of("account-welcome", "Welcome back")
    page.open_part("factors")
    page.text_of("recovery-left", "9")
    # The list comes with an answer of its own.
    removers = lambda: browser.find_elements(By.CSS_SELECTOR, "#apps button[aria-label^='Remove']")
    page.wait(removers, "the app is not listed")
    removers()[0].click()
    page.text_of("status", "Authenticator app removed")
    assert_clean_console(browser)
