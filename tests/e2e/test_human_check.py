"""Turnstile and hCaptcha in place of the proof of work: only a clear yes counts, and the service's script sees nothing of ours."""
import json
import pathlib

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser import open_browser
from conftest import PATIENT
from login_page import LoginPage
from support import ports
from support.human_check_service import SECRET, SITE_KEY, HumanCheckService
from support.site import Site

REQUEST = "/api/v1/auth/otp/request"
READER = "192.0.2.9"


@pytest.fixture(scope="module", params=["turnstile", "hcaptcha"])
def service(request, new_folder):
    running = HumanCheckService(new_folder(), request.param)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def own(service, new_folder):
    folder = pathlib.Path(new_folder())
    folder.mkdir(parents=True)
    (folder / "captcha.secret").write_text(SECRET + "\n")
    settings = {**PATIENT, "abuse.challenge": "always", "abuse.challenge_by": service.kind, "abuse.challenge_site_key": SITE_KEY,
                "abuse.challenge_secret_file": folder / "captcha.secret", "abuse.challenge_verify_url": service.url,
                "metrics.allowed_addresses": READER, "mfa.required": "group:staf"}
    with Site(folder, settings=settings) as running:
        yield running


@pytest.fixture(autouse=True)
def well(service):
    service.mode = "well"


def ask(site, destination, token=None, client="192.0.2.30"):
    answer = site.post(REQUEST, {"destination": destination, **({"captcha_token": token} if token else {})}, client_ip=client)
    return answer.status_code, answer.json().get("code")


def test_a_code_is_sent_after_a_clear_yes_alone(own, service, new_address):
    address = new_address()
    refused = own.post(REQUEST, {"destination": address}, client_ip="192.0.2.30")
    assert (refused.status_code, refused.json()["code"]) == (429, "CHALLENGE_REQUIRED")
    assert refused.json()["challenge"] == {"service": service.kind, "site_key": SITE_KEY}
    asked = len(service.asked)
    token = service.new_token()

    assert ask(own, address, token) == (202, None) and own.mailbox.wait_for(address)

    (fields,) = service.asked[asked:]
    sitekey = {"sitekey": SITE_KEY} if service.kind == "hcaptcha" else {}
    assert fields == {"secret": SECRET, "response": token, "remoteip": "192.0.2.30", **sitekey}
    failed = (429, "CHALLENGE_FAILED")
    assert ask(own, new_address(), token) == failed  # says the service
    service.mode = "forgetful"
    assert ask(own, new_address(), token) == failed  # say we
    assert ask(own, new_address(), "0.made-up") == failed
    tokens = [token]
    for service.mode in ("500", "html", "elsewhere"):
        tokens.append(service.new_token())
        assert ask(own, new_address(), tokens[-1]) == failed, service.mode

    log, metrics = own.otpgate.log(), own.get("/metrics", client_ip=READER).text
    assert "a check of a visitor was not passed" in log
    assert SECRET not in log and not any(each in log for each in tokens)
    counts = [f'{{result="{name}"}} {count}' for name, count in
              (("human", 2), ("refused", 2), ("elsewhere", 1), ("wrong_answer", 2), ("no_answer", 0), ("busy", 0))]
    assert [line for line in counts if f"otpgate_human_checks_total{line}" not in metrics] == []


def test_the_page_has_the_visitor_checked_in_a_window_that_knows_of_no_other(own, service, address):
    with open_browser(arguments=service.browser_arguments) as driver:
        page = LoginPage(driver, own)
        page.open()
        page.ask_for(address)
        page.wait(lambda: driver.find_element(By.CSS_SELECTOR, "dialog[open] a").is_displayed(), "no check is asked for")
        main = driver.current_window_handle
        assert service.reached == []  # nothing was loaded yet
        page.press(Keys.ENTER)  # The way there has the focus.
        page.wait(lambda: len(driver.window_handles) == 2, "no window is opened")
        driver.switch_to.window(next(each for each in driver.window_handles if each != main))
        page.wait(lambda: driver.find_elements(By.TAG_NAME, "iframe"), "the widget is not shown")
        driver.switch_to.frame(driver.find_element(By.TAG_NAME, "iframe"))
        driver.find_element(By.ID, "human").click()
        driver.switch_to.window(main)
        page.see("code")
        page.wait(lambda: len(driver.window_handles) == 1, "its window stays")
        page.enter_code(own.mailbox.wait_for(address))
        page.see("sign-out")
        # What the service's script was kept from is complained of, and nothing else.
        complaints = [entry["message"] for entry in driver.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")]
        expected = ("/api/v1/human-check", f"https://{service.host}/", "/api/v1/auth/")
        assert [each for each in complaints if not any(part in each for part in expected)] == []
    (reached,) = service.reached
    assert reached == {"sitekey": SITE_KEY, "action": "otpgate", "opener": "null", "top": "true", "api": "TypeError", "other": "null"}


def test_the_doctor_tries_the_service(own, service):
    def findings():
        found = json.loads(own.otpgate.run("doctor", "--json").stdout)["findings"]
        return {each["check"]: (each["level"], each["what"]) for each in found}

    found = findings()
    assert found["human check"][0] == "good", found["human check"]
    assert found["second factor"] == ("wrong", "mfa.required names the group staf, which does not exist")
    for mode, said in (("html", "does not take our question"), ("500", "does not take our question"), ("generous", "says yes to anything")):
        service.mode = mode
        level, what = findings()["human check"]
        assert level == "wrong" and said in what, (mode, what)
    own.otpgate.settings["abuse.challenge_verify_url"] = f"http://127.0.0.1:{ports.free_port()}/"
    own.otpgate.write_config()
    level, what = findings()["human check"]
    assert level == "wrong" and "is not reached" in what
    own.otpgate.settings["abuse.challenge_verify_url"] = service.url
    own.otpgate.write_config()
    assert own.otpgate.run("group", "create", "staf").returncode == 0
    assert findings()["second factor"][0] == "good"
