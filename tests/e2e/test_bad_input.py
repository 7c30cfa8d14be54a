"""What a broken or hostile client sends: each gets its error as a problem document, and none gets a 500."""
import dataclasses
import http.client
import json
import re
import socket
import time

import pytest

from support import ports
from support.nginx import Nginx
from support.site import FCGID, USUAL

REQUEST = "/api/v1/auth/otp/request"
VERIFY = "/api/v1/auth/otp/verify"
REFRESH = "/api/v1/auth/token/refresh"
ID = "01890a5d-ac96-774b-bcce-b302099a8057"
JSON = {"Content-Type": "application/json"}


@dataclasses.dataclass
class Answer:
    status_code: int
    headers: dict
    content: bytes

    def json(self):
        return json.loads(self.content)


def raw(site, text, half_close=False):
    """Sends bytes as they are and reads one answer: for what no HTTP library would send."""
    with socket.create_connection(("127.0.0.1", site.web.port), timeout=30) as connection:
        connection.sendall(text)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(connection)
        try:
            answer.begin()
        except http.client.RemoteDisconnected:
            return None
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def assert_problem(site, answer, status, code):
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if site.refused_by_lighttpd(answer) and headers["content-type"] == "text/html":
        return None  # it could not read it
    assert answer.status_code == status, answer.content[:500]
    assert headers["content-type"].split(";")[0] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["title"] and problem["detail"] and problem["type"]
    # Apache has no id for what it cannot read, lighttpd for nothing that it refuses.
    by_lighttpd = site.refused_by_lighttpd(answer)
    if (status != 400 or isinstance(site.web, Nginx)) and not by_lighttpd:
        assert problem["request_id"]
    assert by_lighttpd or (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert problem.get("request_id") == headers.get("x-request-id")
    # Nothing from the inside.
    assert not re.search(r"exception|poco|sql|std::|\.cpp", json.dumps(problem), re.IGNORECASE)
    # Whoever refused it, there is a line to find it by.
    # nginx writes its line when it is done with the connection.
    ports.wait_until(
        lambda: problem.get("request_id", f" {status} ") in site.otpgate.log() + site.web.access_log(), 5, "a log line with the request id"
    )
    return problem


def body(site, content, path=REQUEST, headers=None):
    return site.request("POST", path, data=content, headers={**JSON, **(headers or {})})


WRONG_TYPES = [
    (REQUEST, {"destination": 42}, "destination"),
    (REQUEST, {"destination": True}, "destination"),
    (REQUEST, {"destination": ["a@example.com"]}, "destination"),
    (REQUEST, {"destination": {"email": "a@example.com"}}, "destination"),
    (REQUEST, {"email": 1.5}, "email"),
    (REQUEST, {"destination": "a@example.com", "purpose": 1}, "purpose"),
    (VERIFY, {"otp_id": ID, "otp": 123456}, "otp"),
    (VERIFY, {"otp_id": 7, "otp": "123456"}, "otp_id"),
    (VERIFY, {"otp_id": ID, "otp": "123456", "session": False}, "session"),
    (REFRESH, {"refresh": 1}, "refresh"),
]


@pytest.mark.parametrize("path,content,field", WRONG_TYPES, ids=lambda value: value if isinstance(value, str) else None)
def test_a_field_of_the_wrong_type_is_named(site, path, content, field):
    problem = assert_problem(site, site.post(path, content), 400, "VALIDATION_ERROR")

    assert [error["field"] for error in problem["errors"]] == [field]
    assert problem["errors"][0]["message"]


INVALID = [
    (REQUEST, {"destination": "not an address"}, "destination"),
    (REQUEST, {"destination": "a@b@example.com"}, "destination"),
    (REQUEST, {"destination": "a@example.com\r\nBcc: b@example.com"}, "destination"),
    (REQUEST, {"email": "a\n@example.com"}, "email"),
    (REQUEST, {"destination": "<a@example.com> <b@example.com>"}, "destination"),
    (REQUEST, {"destination": "a" * 300 + "@example.com"}, "destination"),
    (REQUEST, {"destination": "+0123456"}, "destination"),
    (REQUEST, {"destination": "a@example.com", "purpose": "dance"}, "purpose"),
    (VERIFY, {"otp_id": "7", "otp": "123456"}, "otp_id"),
    (VERIFY, {"otp_id": ID + "0", "otp": "123456"}, "otp_id"),
]


@pytest.mark.parametrize("path,content,field", INVALID, ids=range(len(INVALID)))
def test_a_field_with_an_impossible_value_is_named(site, path, content, field):
    problem = assert_problem(site, site.post(path, content), 400, "VALIDATION_ERROR")

    assert [error["field"] for error in problem["errors"]] == [field]


MISSING = [
    (REQUEST, {}),
    (REQUEST, {"destination": None}),
    (REQUEST, {"purpose": "login"}),
    (VERIFY, {"otp_id": ID}),
    (VERIFY, {"otp": "123456"}),
    (REFRESH, {}),
]


@pytest.mark.parametrize("path,content", MISSING, ids=range(len(MISSING)))
def test_a_missing_field_is_named(site, path, content):
    problem = assert_problem(site, site.post(path, content), 400, "MISSING_FIELDS")

    assert problem["errors"]


MALFORMED = {
    "nothing": b"",
    "white space": b"  \r\n ",
    "an array": b'["a@example.com"]',
    "a string": b'"a@example.com"',
    "null": b"null",
    "not JSON": b"destination=a@example.com",
    "cut off": b'{"destination": "a@exam',
    "text after the object": b'{"destination": "a@example.com"} and more',
    "two objects": b'{"destination": "a@example.com"}{"destination": "b@example.com"}',
    "a trailing comma": b'{"destination": "a@example.com",}',
    "single quotes": b"{'destination': 'a@example.com'}",
    "a comment": b'{"destination": "a@example.com" /* hello */}',
    "duplicate keys": b'{"destination": "a@example.com", "destination": "b@example.com"}',
    "a NUL byte": b'{"destination": "a\x00@example.com"}',
    "an escaped NUL": b'{"destination": "a\\u0000@example.com"}',
    "a NUL at the end": b'{"destination": "a@example.com"}\x00',
    "invalid UTF-8": b'{"destination": "a\xff\xfe@example.com"}',
    "overlong UTF-8": b'{"destination": "a\xc0\xaf@example.com"}',
    "an encoded surrogate": b'{"destination": "a\xed\xa0\x80@example.com"}',
    "depth 100": b'{"a":' * 100 + b"1" + b"}" * 100,
    "depth 9": b'{"a":' * 9 + b"1" + b"}" * 9,
    "5000 brackets": b'{"a":' + b"[" * 5000,
    "a byte order mark": b'\xef\xbb\xbf{"destination": "a@example.com"}',
    "UTF-16": '{"destination": "a@example.com"}'.encode("utf-16"),
    "NaN": b'{"destination": NaN}',
    "a raw line break in a string": b'{"destination": "a\n@example.com"}',
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_body_that_is_not_one_json_object_is_refused(site, content):
    assert_problem(site, body(site, content), 400, "MALFORMED_JSON")


@pytest.mark.parametrize(
    "number", ["1e400", "-1e400", "9" * 400, "-0.0", "1" + "0" * 5000, "1e-5000", "18446744073709551616"],
    ids=["1e400", "-1e400", "400 digits", "-0.0", "5001 digits", "1e-5000", "2^64"],
)
def test_a_huge_number_is_a_value_of_the_wrong_type(site, number):
    content = f'{{"destination": {number}}}'.encode()

    problem = assert_problem(site, body(site, content), 400, "VALIDATION_ERROR")

    assert problem["errors"][0]["field"] == "destination"


def test_a_huge_number_in_a_field_that_nobody_reads_is_ignored(site, address):
    assert body(site, f'{{"destination": "{address}", "extra": 1e400}}'.encode()).status_code == 202


def test_unknown_fields_are_ignored_and_null_is_absent(site, address):
    answer = site.post(REQUEST, {"destination": address, "purpose": None, "locale": None, "something": {"else": []}})

    assert answer.status_code == 202


def test_a_body_above_16_kib_is_too_large(site):
    content = json.dumps({"destination": "a@example.com", "extra": "x" * 20_000}).encode()

    assert_problem(site, body(site, content), 413, "PAYLOAD_TOO_LARGE")


def test_a_body_of_exactly_16_kib_is_read(site, address):
    frame = json.dumps({"destination": address, "extra": ""}).encode()
    content = frame[:-2] + b"x" * (16 * 1024 - len(frame)) + frame[-2:]
    assert len(content) == 16 * 1024

    assert body(site, content).status_code == 202
    assert_problem(site, body(site, content[:-2] + b"x" + content[-2:]), 413, "PAYLOAD_TOO_LARGE")


def test_a_body_that_no_socket_holds_is_too_large_at_once(site):
    """More than the socket between nginx and us takes, less than what nginx refuses by itself: it waits for our end."""
    begin = time.monotonic()
    assert_problem(site, body(site, b"x" * 250_000), 413, "PAYLOAD_TOO_LARGE")

    assert time.monotonic() - begin < 8  # it took 20 s, the deadline of a request


def test_a_body_of_10_mb_is_too_large(site):
    assert_problem(site, body(site, b"x" * 10_000_000), 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data", "json", ""],
)
def test_another_content_type_is_unsupported(site, content_type):
    assert_problem(
        site, body(site, b'{"destination": "a@example.com"}', headers={"Content-Type": content_type}), 415,
        "UNSUPPORTED_MEDIA_TYPE",
    )


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json ; x=y"])
def test_parameters_and_case_of_the_content_type_do_not_matter(site, address, content_type):
    content = json.dumps({"destination": address}).encode()

    assert body(site, content, headers={"Content-Type": content_type}).status_code == 202


def test_a_post_without_a_body_is_refused(site):
    answer = raw(site, f"POST {REQUEST} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\r\n".encode())

    assert_problem(site, answer, 400, "MALFORMED_JSON")


def test_of_two_content_types_a_wrong_one_that_comes_first_is_refused(site):
    content = b'{"destination": "a@example.com"}'
    answer = raw(
        site,
        f"POST {REQUEST} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n".encode() + content,
    )

    assert_problem(site, answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("length", ["abc", "-1", "1, 1", "99999999999999999999999"])
def test_a_content_length_that_is_no_length_is_a_bad_request(site, length):
    answer = raw(
        site,
        f"POST {REQUEST} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n{{}}".encode(),
    )

    assert_problem(site, answer, 400, "BAD_REQUEST")


def test_two_content_lengths_are_a_bad_request(site):
    answer = raw(
        site,
        f"POST {REQUEST} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: 2\r\nContent-Length: 30\r\n\r\n{}".encode(),
    )

    assert_problem(site, answer, 400, "BAD_REQUEST")


def test_a_content_length_below_the_body_cuts_it(site):
    answer = raw(
        site,
        f"POST {REQUEST} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        'Content-Length: 10\r\n\r\n{"destination": "a@example.com"}'.encode(),
    )

    assert_problem(site, answer, 400, "MALFORMED_JSON")


def test_a_client_that_goes_away_in_the_middle_of_its_body_disturbs_nobody(site, address):
    raw(
        site,
        f"POST {REQUEST} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f'Content-Length: 500\r\n\r\n{{"destination": "{address}"}}'.encode(),
        half_close=True,
    )

    assert site.post(REQUEST, {"destination": address}).status_code == 202


def test_a_chunked_body_is_read(site, address):
    def chunks():
        yield b'{"destination": '
        yield json.dumps(address).encode() + b"}"

    assert site.request("POST", REQUEST, data=chunks(), headers=JSON).status_code == 202


@pytest.mark.parametrize(
    "path",
    ["/api", "/api/", "/api/v1", "/api/v1/auth/otp", "/api/v1/auth/otp/request/more", "/api/v2/auth/otp/request",
     "/health", "/health/x", "/.well-known/x", "/api/v1/auth/otp/requesT", "/api/v1//auth/otp/request",
     "/api/v1/auth/otp/%2572equest", "/api/%00", "/api/%ff%fe", "/api/v1/auth/../auth/me", "/api/" + "x" * 3000],
    ids=lambda path: path[:40],
)
def test_an_unknown_path_is_not_found(site, path):
    # By hand: HTTP libraries tidy paths up.
    answer = raw(site, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    assert answer.status_code in (400, 404), answer.content
    if "%00" in path and not isinstance(site.web, Nginx):
        return  # has no path for Apache, which answers before it knows whose request it is
    assert_problem(site, answer, answer.status_code, "NOT_FOUND" if answer.status_code == 404 else "BAD_REQUEST")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "BREW", "HEAD"])
def test_a_known_path_with_another_method_says_which_it_knows(site, method):
    answer = site.request(method, REQUEST)

    if site.refused_by_lighttpd(answer):
        assert (method, answer.status_code) == ("BREW", 501)
        return
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    if method != "HEAD":
        assert_problem(site, answer, 405, "METHOD_NOT_ALLOWED")


def test_trace_is_refused(site):
    answer = site.request("TRACE", REQUEST, headers={"X-Secret": "shown-to-nobody"}, documented=USUAL != FCGID)
    assert answer.status_code == 405 and "shown-to-nobody" not in answer.text
    if USUAL != FCGID:  # where Apache refuses it by itself
        assert_problem(site, answer, 405, "METHOD_NOT_ALLOWED")


def test_a_trailing_slash_makes_no_difference(site, address):
    answer = site.post(REQUEST + "/", {"destination": address})

    assert answer.status_code == 202
    assert site.get("/health/live/").status_code == 200


def test_a_query_makes_no_difference(site, address):
    answer = site.post(REQUEST + "?destination=other@example.com&x=%00%ff", {"destination": address})
    assert answer.status_code == (400 if site.refused_by_lighttpd(answer) else 202)


def test_an_encoded_path_is_decoded_once(site, address):
    assert site.post("/api/v1/auth/%6ftp/request", {"destination": address}).status_code == 202
    assert site.post("/api/v1/auth/%256ftp/request", {"destination": address}).status_code == 404


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer ", "Bearer a b", "Basic dTpw", "Bearer " + "x" * 3000, "\xff\xfe", "Token", "Api-Key "],
    ids=lambda value: repr(value[:20]),
)
def test_an_authorization_header_that_is_no_token_is_unauthorized(site, value):
    answer = raw(
        site, b"GET /api/v1/auth/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + value.encode("latin-1") + b"\r\n\r\n"
    )

    assert answer.status_code == 401, answer.content
    assert "www-authenticate" in answer.headers
    assert_problem(site, answer, 401, answer.json()["code"])
    assert answer.json()["code"] in ("UNAUTHENTICATED", "INVALID_TOKEN")


def test_headers_that_are_too_large_are_a_bad_request(site):
    answer = raw(site, b"GET /api/v1/auth/me HTTP/1.1\r\nHost: localhost\r\nX-Large: " + b"x" * 40_000 + b"\r\n\r\n")

    assert_problem(site, answer, 400, "BAD_REQUEST")


def test_a_client_cannot_choose_the_request_id(site):
    answer = site.get("/health/live", headers={"X-Request-Id": "chosen", "Request-Id": "chosen"})

    assert answer.headers["X-Request-Id"] != "chosen"


def test_a_client_cannot_forge_a_log_line(site):
    before = len(site.otpgate.log())
    site.get("/api/%0a2026-01-01T00:00:00Z%20info%20forged", headers={"User-Agent": "x\x1b[31m"}, documented=False)

    for line in site.otpgate.log()[before:].splitlines():
        assert not line.startswith("2026-01-01T00:00:00Z info forged")
        assert "\x1b" not in line


def test_otpgate_still_answers_and_said_500_to_nobody(site, address):
    assert site.otpgate.process.is_running()
    assert site.login(address)["access"]
    assert "status=500" not in site.otpgate.log()
    # mod_fcgid has one of its own for the client that went away in the middle of its body.
    assert site.web.access_log().count('" 500 ') == (1 if USUAL == FCGID else 0)
