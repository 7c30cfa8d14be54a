"""Collections of difficult input that others have made: JSONTestSuite as bodies, the Big List of Naughty Strings in
every field. What is not what it should be is refused by name, what is text comes back as it was, and none gets a 500."""
import json
import pathlib
import subprocess
import unicodedata
import urllib.parse

import pytest

from support.site import Site

from conftest import ROOMY

ROOT = pathlib.Path(__file__).resolve().parents[2]
REQUEST = "/api/v1/auth/otp/request"
VERIFY = "/api/v1/auth/otp/verify"
PROFILE = "/api/v1/auth/profile"
# Valid JSON that we do not take: see JsonBody.
BEYOND_OURS = {
    "y_object_duplicated_key": "a key twice",
    "y_object_duplicated_key_and_value": "a key twice",
    "y_object_escaped_null_in_key": "a NUL",
    "y_string_null_escape": "a NUL",
}


@pytest.fixture(scope="session")
def corpora():
    subprocess.run([ROOT / "tests/corpora/install"], check=True, stdin=subprocess.DEVNULL)
    return ROOT / "build/corpora"


@pytest.fixture(scope="module")
def open_site(new_folder):
    """Without limits, which are not what is tried here, and with hashes that cost next to nothing."""
    settings = {
        **ROOMY,
        "passwords.memory_kib": 1024,
        "passwords.iterations": 1,
        **{f"limits.{name}": "0" for name in ("request_per_client", "request_per_destination", "passwords_per_client",
                                              "guesses_per_destination")},
    }
    with Site(new_folder(), settings=settings) as running:
        yield running


def code_of(answer):
    """The name of the error, of a problem as it should be; empty where there is none."""
    assert answer.status_code < 500, answer.text
    if answer.status_code < 400:
        return ""
    assert answer.headers["Content-Type"].startswith("application/problem+json"), answer.text
    return answer.json()["code"]


def post(site, path, body, **options):
    # What is sent has no schema to be held to; what comes back is looked at here.
    return site.request("POST", path, data=body, headers={"Content-Type": "application/json"}, documented=False, **options)


def test_json_is_taken_and_refused_as_the_suite_says(open_site, corpora):
    cases = json.loads((corpora / "json.json").read_text())
    assert len(cases) > 250
    wrong = []
    for case in cases:
        name = case["name"].removesuffix(".json")
        # Every one of them as a member, because our bodies are objects; the purpose is refused once the body is read.
        body = ('{"purpose":"none","x":' + case["input"] + "}").encode("utf-8", "surrogatepass")
        code = code_of(post(open_site, REQUEST, body))
        if len(body) > 16 * 1024:
            expected = {"PAYLOAD_TOO_LARGE"}
        elif name.startswith("y_") and name not in BEYOND_OURS:
            expected = {"VALIDATION_ERROR"}
        elif name.startswith("i_"):
            expected = {"VALIDATION_ERROR", "MALFORMED_JSON"}
        else:
            expected = {"MALFORMED_JSON"}
        if code not in expected:
            wrong.append(f"{name}: {code}: {case['input'][:60]!r}")
        # And as it is, where it is no object it is no body of ours.
        alone = code_of(post(open_site, REQUEST, case["input"].encode("utf-8", "surrogatepass")))
        if name.startswith("n_") and len(body) <= 16 * 1024 and alone != "MALFORMED_JSON":
            wrong.append(f"{name}, alone: {alone}: {case['input'][:60]!r}")
    assert not wrong, "\n".join(wrong)


def test_naughty_strings_are_addresses_codes_and_words_of_nobody(open_site, corpora):
    strings = json.loads((corpora / "naughty.json").read_text())
    assert len(strings) > 400
    for text in strings:
        for path, body in (
            (REQUEST, {"destination": text, "locale": text}),
            (VERIFY, {"destination": "ann@example.com", "otp": text, "device_name": text, "install_id": text}),
            ("/api/v1/auth/token/refresh", {"refresh_token": text}),
            ("/api/v1/auth/login", {"email": text, "password": text}),
        ):
            code_of(post(open_site, path, json.dumps(body).encode()))
        quoted = urllib.parse.quote(text, safe="")
        for path in (f"/api/v1/auth/sessions/{quoted}?a={quoted}", f"/{quoted}"):
            answer = open_site.request("DELETE", path, documented=False)
            assert answer.status_code < 500 or open_site.refused_by_lighttpd(answer)


def test_naughty_strings_in_headers_are_nobodys(open_site, corpora):
    for text in json.loads((corpora / "naughty.json").read_text()):
        value = text.encode("utf-8", "surrogatepass").strip()
        if any(byte < 32 or byte == 127 for byte in value):
            continue  # no HTTP client sends it
        answer = open_site.request("GET", "/api/v1/auth/me", documented=False, headers={
            "Authorization": b"Bearer " + value, "User-Agent": value, "Accept-Language": value, "X-Forwarded-For": value})
        assert code_of(answer) in ("UNAUTHENTICATED", "INVALID_TOKEN")


def test_a_name_comes_back_as_it_was(open_site, corpora):
    token = open_site.login("naughty@example.com")["access"]
    taken = 0
    for text in json.loads((corpora / "naughty.json").read_text()):
        answer = open_site.request("PATCH", PROFILE, json={"first_name": text}, token=token)
        code = code_of(answer)
        if code:
            assert code == "VALIDATION_ERROR"
            continue
        taken += 1
        name = open_site.get("/api/v1/auth/me", token=token).json()["user"]["first_name"]
        # Form C, without blanks and marks that nobody sees around; nothing is lost within.
        assert name in unicodedata.normalize("NFC", text)
    assert taken > 250
