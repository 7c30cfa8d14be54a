"""The API's document and the pages that show it. That answers are as it says is checked at each of Site.request."""
import json

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from browser import open_browser
from support import openapi

PATIENCE = 30  # seconds: the bundles are large


def operations():
    for path, item in openapi.document()["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def media_of(operation):
    """(what it is, media type object) of every body that the operation documents."""
    for media in operation.get("requestBody", {}).get("content", {}).values():
        yield "request", media
    for status, response in operation["responses"].items():
        for media in openapi.resolve(response).get("content", {}).values():
            yield status, media


def references(node):
    if isinstance(node, list):
        for item in node:
            yield from references(item)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)


def test_the_document_is_served_with_the_address_of_the_site(site):
    answer = site.get("/api/openapi.json")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    document = answer.json()
    assert document["openapi"].startswith("3.1.")
    assert [server["url"] for server in document["servers"]] == [site.url]
    assert "login.example.com" not in answer.text
    assert json.loads(answer.text.replace(site.url, "https://login.example.com")) == openapi.document()


def test_every_reference_of_the_document_leads_somewhere():
    for reference in references(openapi.document()):
        assert openapi.resolve({"$ref": reference}), reference


def test_every_component_is_used():
    used = set(references(openapi.document()))
    components = openapi.document()["components"]
    for kind in ("schemas", "responses", "headers"):
        for name in components[kind]:
            assert f"#/components/{kind}/{name}" in used, f"{kind}/{name}"


def test_every_operation_is_described_completely():
    tags = {tag["name"] for tag in openapi.document()["tags"]}
    schemes = set(openapi.document()["components"]["securitySchemes"])
    seen = set()
    for method, path, operation in operations():
        where = f"{method} {path}"
        assert operation["summary"] and set(operation["tags"]) <= tags and operation["tags"], where
        assert operation["operationId"] not in seen, where
        seen.add(operation["operationId"])
        assert {name for choice in operation["security"] for name in choice} <= schemes, where
        named = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}, where
        if operation["security"]:
            assert "401" in operation["responses"], where
        if "requestBody" in operation:
            assert {"400", "413"} <= set(operation["responses"]), where
        assert "503" in operation["responses"], where


@pytest.mark.parametrize("method,path,operation", [pytest.param(*entry, id=f"{entry[0]} {entry[1]}") for entry in operations()])
def test_the_examples_are_what_their_schemas_say(method, path, operation):
    for what, media in media_of(operation):
        examples = [openapi.example_value(example) for example in media.get("examples", {}).values()]
        examples += [media["example"]] if "example" in media else []
        for example in examples:
            assert openapi.complaints(media["schema"], example) == [], (what, example)
        if what != "request" and what < "300" and path != "/api/openapi.json":
            assert examples, f"{what} has no example"


@pytest.fixture(scope="module")
def browser():
    with open_browser() as driver:
        yield driver


def open_page(driver, url):
    driver.get("about:blank")
    driver.get_log("browser")
    driver.get(url)


def wait_for(driver, condition, what):
    return WebDriverWait(driver, PATIENCE, poll_frequency=0.1).until(lambda _: condition(), what)


def assert_undisturbed(driver, site):
    """Nothing was blocked, failed or was fetched from elsewhere."""
    assert driver.get_log("browser") == []
    fetched = driver.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert [url for url in fetched if not url.startswith((site.url, "data:", "blob:"))] == []


@pytest.fixture(params=["nginx", "apache"])
def docs_site(make_site, request):
    return make_site("sqlite", web=request.param)


@pytest.mark.parametrize("docs_site", ["nginx"], indirect=True)
def test_swagger_ui_shows_every_operation(docs_site, browser):
    open_page(browser, docs_site.url + "/api/docs/")
    count = len(list(operations())) + len(openapi.document()["webhooks"])

    wait_for(browser, lambda: len(browser.find_elements(By.CSS_SELECTOR, ".opblock")) == count, f"not {count} operations")
    assert "otpgate" in browser.find_element(By.CSS_SELECTOR, ".info .title").text
    browser.find_element(By.CSS_SELECTOR, "#operations-Codes-verifyOtp .opblock-summary-control").click()
    wait_for(browser, lambda: "SESSION" not in browser.find_element(By.CSS_SELECTOR, "#operations-Codes-verifyOtp").text
             and "INVALID_OTP" in browser.find_element(By.CSS_SELECTOR, "#operations-Codes-verifyOtp").text, "no details")
    assert_undisturbed(browser, docs_site)


@pytest.mark.parametrize("docs_site", ["apache"], indirect=True)
def test_redoc_shows_every_operation(docs_site, browser):
    open_page(browser, docs_site.url + "/api/redoc/")
    ids = [operation["operationId"] for _, _, operation in operations()]

    missing = "return arguments[0].filter((id) => !document.querySelector(`[id$='operation/${id}']`))"
    wait_for(browser, lambda: browser.execute_script(missing, ids) == [], "an operation is missing")
    search = browser.find_element(By.CSS_SELECTOR, "input[type=text]")
    search.send_keys("introspect")
    wait_for(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "[data-role='search:results'] li"), "nothing is found")
    assert_undisturbed(browser, docs_site)


def test_the_pages_may_do_no_more_than_they_need(docs_site):
    for page in ("docs", "redoc"):
        answer = docs_site.get(f"/api/{page}/")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/html")
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy and "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "<style" not in answer.text and "onload" not in answer.text
        redirect = docs_site.get(f"/api/{page}")
        assert redirect.status_code in (301, 308)
        assert redirect.headers["Location"].endswith(f"/api/{page}/")
        assert docs_site.get(f"/api/{page}/nothing-here").status_code == 404
    # The neighbours are the API's.
    assert docs_site.get("/api/docsx").headers["Content-Type"] == "application/problem+json"
