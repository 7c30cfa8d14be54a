"""Proof of work in place of a refusal, before SMS, or always: as the API asks for it and as the page does it."""
import base64
import hashlib
import json

import pytest

from browser import open_browser
from conftest import PATIENT
from login_page import LoginPage, assert_clean_console
from support.site import Site

REQUEST = "/api/v1/auth/otp/request"


def solve(challenge):
    """As ALTCHA's widget does it."""
    for number in range(challenge["maxnumber"] + 1):
        if hashlib.sha256(f"{challenge['salt']}{number}".encode()).hexdigest() == challenge["challenge"]:
            told = {name: challenge[name] for name in ("algorithm", "challenge", "salt", "signature")}
            return base64.b64encode(json.dumps({**told, "number": number}).encode()).decode()
    raise AssertionError("no number solves it")


@pytest.fixture(scope="module")
def own(engine, new_folder, request):
    mysql = request.getfixturevalue("mysql") if engine == "mysql" else None
    settings = {**PATIENT, "limits.request_per_client": "1/1h", "abuse.challenge": "sms", "abuse.challenge_steps": "1000",
                "sms.transport": "file"}
    with Site(new_folder(), engine=engine, mysql=mysql, settings=settings) as running:
        yield running


def asked(site, destination, **options):
    answer = site.post(REQUEST, {"destination": destination}, **options)
    assert (answer.status_code, answer.json()["code"]) == (429, "CHALLENGE_REQUIRED"), answer.text
    return answer.json()["challenge"]


def test_work_is_asked_for_in_place_of_a_refusal(own, new_address):
    client, address = "192.0.2.30", new_address()
    assert own.post(REQUEST, {"destination": new_address()}, client_ip=client).status_code == 202
    work = solve(asked(own, address, client_ip=client))

    def send(destination=address, ip=client, altcha=work):
        return own.post(REQUEST, {"destination": destination, "altcha": altcha}, client_ip=ip).status_code

    # Of another client, for another address, and twice it is nothing.
    own.post(REQUEST, {"destination": new_address()}, client_ip="192.0.2.31")
    assert send(ip="192.0.2.31") == send(destination=new_address()) == 429
    assert send(altcha="nonsense") == 400
    assert send() == 202 and own.mailbox.wait_for(address)
    assert send() == 429


def test_work_is_asked_for_before_an_sms(own, number):
    work = solve(asked(own, number, client_ip="192.0.2.40"))

    answer = own.post(REQUEST, {"destination": number, "altcha": work}, client_ip="192.0.2.40")

    assert answer.status_code == 202 and own.phones.wait_for(number)


def test_the_page_works_by_itself(own, address, new_address):
    own.post(REQUEST, {"destination": new_address()})
    with open_browser() as driver:
        page = LoginPage(driver, own)
        page.open()
        page.sign_in(address)
        assert_clean_console(driver)
