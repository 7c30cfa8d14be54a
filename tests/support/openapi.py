"""Holds real answers to src/api/openapi.json: their status, headers and body must be what the document says."""
import functools
import json
import pathlib
import re
import urllib.parse

import jsonschema

from . import sentences

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "src/api/openapi.json"

# What a web server answers in otpgate's place, to any request.
_WEB_SERVER_ERRORS = {
    (400, "BAD_REQUEST"), (405, "METHOD_NOT_ALLOWED"), (408, "REQUEST_TIMEOUT"), (413, "PAYLOAD_TOO_LARGE"),
    (502, "UNAVAILABLE"), (503, "UNAVAILABLE"), (504, "UNAVAILABLE"),
}


@functools.cache
def document():
    return json.loads(DOCUMENT.read_text())


def resolve(node):
    """The node that a $ref leads to, or itself."""
    while "$ref" in node:
        target = document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def _standalone(node, closed):
    """The schema with the targets of its references in their places (none of ours is recursive; a resolver would not be
    safe on several threads), and each object closed if wanted: clients are told to ignore what they do not know, a test is
    not."""
    if isinstance(node, list):
        return [_standalone(item, closed) for item in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str):
        node = {**resolve({"$ref": node["$ref"]}), **{key: value for key, value in node.items() if key != "$ref"}}
    whole = {key: _standalone(value, closed) for key, value in node.items()}
    if closed and node.get("type") == "object" and "properties" in node:
        whole.setdefault("additionalProperties", False)
    return whole


_formats = jsonschema.FormatChecker(formats=())


@_formats.checks("uuid")
def _is_uuid(value):
    return not isinstance(value, str) or re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value)


@_formats.checks("date-time")
def _is_time(value):
    return not isinstance(value, str) or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value)


@_formats.checks("uri")
def _is_uri(value):
    return not isinstance(value, str) or re.fullmatch(r"(https?://|mailto:|tel:)[!-~]+", value)


@functools.cache
def _validator(schema, closed):
    return jsonschema.Draft202012Validator(_standalone(json.loads(schema), closed), format_checker=_formats)


def complaints(schema, value, closed=True):
    """What is wrong with the value, as sentences. `closed`: a member that the schema does not name is wrong."""
    errors = _validator(json.dumps(schema), closed).iter_errors(value)
    return [f"{error.json_path}: {error.message[:300]}" for error in errors]


@functools.cache
def _paths():
    """[(pattern, path item)], literal segments before names."""
    patterns = []
    for path, item in document()["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path.rstrip("/"))) + "/?"
        patterns.append((path.count("{"), re.compile(pattern), item))
    return [(pattern, item) for _, pattern, item in sorted(patterns, key=lambda entry: entry[0])]


def find_operation(method, path):
    """The operation of a request, or None where the document knows no such path or method."""
    method = "GET" if method == "HEAD" else method
    for pattern, item in _paths():
        if pattern.fullmatch(path):
            return item.get(method.lower())
    return None


def _media(operation, answer):
    """(documented response, documented media type) of an answer; AssertionError where there is none."""
    responses = operation["responses"]
    assert str(answer.status_code) in responses, "this status is not documented"
    response = resolve(responses[str(answer.status_code)])
    for name, header in response.get("headers", {}).items():
        header = resolve(header)
        if header.get("required"):
            assert name in answer.headers, f"the header {name} is missing"
        if name in answer.headers and header["schema"]["type"] == "integer":
            assert answer.headers[name].isdigit(), f"the header {name} is no number: {answer.headers[name]}"
    content = response.get("content", {})
    if not answer.content and not content:
        return response, None
    kind = answer.headers.get("Content-Type", "").split(";")[0]
    assert kind in content, f"the content type {kind} is not documented"
    return response, content[kind]


def check(method, path, answer):
    """Raises AssertionError where the answer (of requests) is not what the document says; unknown paths are none of its
    business, beyond that they are answered by a problem document."""
    if method in ("OPTIONS", "TRACE") or not path.startswith(("/api/", "/health", "/.well-known/", "/authz", "/oauth/", "/metrics")):
        return
    if path.startswith(("/api/docs", "/api/redoc")):
        return
    try:
        _check(method, urllib.parse.unquote(path.split("?")[0]), answer)
    except AssertionError as error:
        raise AssertionError(
            f"not as src/api/openapi.json has it: {method} {path} -> {answer.status_code}: {error}\n{answer.text[:1000]}"
        ) from None


def _check_sentences(answer):
    """Whatever is said to people is in the tables that translate it, and in the language that the answer names."""
    if not answer.content or not answer.headers.get("Content-Type", "").split(";")[0].endswith("json"):
        return
    found = sentences.said(answer.json())
    if not found:
        return
    language = answer.headers.get("Content-Language")
    if language is None and (answer.status_code, answer.json().get("code")) in _WEB_SERVER_ERRORS:
        return
    assert language in sentences.LANGUAGES, f"Content-Language is {language}"
    assert "accept-language" in answer.headers.get("Vary", "").lower(), "Vary does not name Accept-Language"
    unknown = [text for text in found if not sentences.is_known(text, language)]
    assert not unknown, f"etc/texts has no {language} {unknown}"


def _check(method, path, answer):
    is_problem = answer.headers.get("Content-Type", "").split(";")[0] == "application/problem+json"
    body = answer.json() if answer.content and is_problem else None
    operation = find_operation(method, path)
    if operation is None or (body and (answer.status_code, body.get("code")) in _WEB_SERVER_ERRORS
                             and str(answer.status_code) not in operation["responses"]):
        assert is_problem or not answer.content, "an answer outside of the document that is no problem document"
        if body is not None:
            found = complaints({"$ref": "#/components/schemas/Problem"}, body)
            assert not found, "; ".join(found)
        return
    if body and (answer.status_code, body.get("code")) == (400, "BAD_REQUEST"):
        return
    _check_sentences(answer)
    _, media = _media(operation, answer)
    if media is None or method == "HEAD" or not answer.headers["Content-Type"].split(";")[0].endswith("json"):
        return
    value = answer.json()
    found = complaints(media["schema"], value)
    assert not found, "; ".join(found)
    if answer.status_code >= 400 and "error_description" not in value:  # of OAuth, whose codes are the standards'
        codes = [example.get("code") for example in map(example_value, media.get("examples", {}).values())]
        assert value["code"] in codes, f"the code {value['code']} is not among those documented here: {codes}"


def example_value(example):
    return resolve(example).get("value")
