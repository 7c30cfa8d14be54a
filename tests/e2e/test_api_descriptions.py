"""What programs make of the API's description: linters find nothing in it, generators make clients of it that compile, its
samples do what they say, and the discovery document leads to all of it."""
import json
import pathlib
import re
import subprocess

import pytest
import requests

from conftest import ROOMY
from support import openapi
from support.keys import Backend
from support.otpgate import environment
from support.site import Site

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = "https://login.example.com"


@pytest.fixture(scope="module")
def tools():
    done = subprocess.run([ROOT / "tests/npm/install", "apis"], check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return pathlib.Path(done.stdout.strip())


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """As it is served by a host that has a name of its own."""
    file = tmp_path_factory.mktemp("api") / "openapi.json"
    file.write_text(openapi.DOCUMENT.read_text().replace(EXAMPLE, "https://login.otpgate.test"))
    return file


def run(tools, name, *arguments, folder=None, code=0):
    done = subprocess.run([tools / "node_modules/.bin" / name, *map(str, arguments)], cwd=folder, capture_output=True, text=True,
                          timeout=300, check=False, stdin=subprocess.DEVNULL,
                          env=environment({"CI": "1", "REDOCLY_TELEMETRY": "off", "NO_COLOR": "1"}))
    assert done.returncode in (0, code), f"{name} {arguments}\n{done.stdout}{done.stderr}"
    return done.stdout


def only_redirects(pointer):
    path, method = (part.replace("~1", "/") for part in pointer.removeprefix("#/paths/").split("/")[:2])
    return "303" in openapi.document()["paths"][path][method]["responses"]


def test_redocly_finds_nothing(tools, document):
    told = run(tools, "redocly", "lint", document, "--extends=recommended", "--format=json", folder=document.parent, code=1)
    found = [(problem["ruleId"], problem["location"][0]["pointer"]) for problem in json.loads(told)["problems"]]
    # It knows no answer but 2xx for good; what sends browsers on does so by 303 (RFC 9110, section 15.4.4).
    assert [(rule, where) for rule, where in found if not (rule == "operation-2xx-response" and only_redirects(where))] == []


@pytest.mark.long
def test_spectral_finds_nothing(tools, document):
    rules = document.parent / "spectral.yaml"
    rules.write_text('extends: ["spectral:oas"]\n')
    told = run(tools, "spectral", "lint", "-r", rules, "-f", "json", "--fail-severity=hint", document, folder=document.parent, code=1)
    found = json.loads(told[told.index("["):told.rindex("]") + 1])
    assert [(each["code"], each["path"]) for each in found] == []


def openapi_typescript(tools, document, folder):
    # What has a default need not be sent.
    run(tools, "openapi-typescript", document, "--default-non-nullable=false", "-o", folder / "api.d.ts")
    # As its own client types a call.
    (folder / "use.ts").write_text("""\
        import type { components, paths } from "./api";
        type Ask = paths["/api/v1/auth/otp/request"]["post"]["requestBody"]["content"]["application/json"];
        export const ask: Ask = { destination: "ann@example.com" };
        export const same: Ask = { to: "ann@example.com" };
        export const user: components["schemas"]["User"]["id"] = "019dd1b4-6f10-7a51-8c44-0d1e2f3a4b5c";
        export type Where = paths["/.well-known/otpgate"]["get"]["responses"]["200"]["content"]["application/json"]["issuer"];
        """)
    return ["use.ts"]


def hey_api(tools, document, folder):
    # Its client comes as files of their own (the bundle of its runtime), so nothing else is to be installed.
    run(tools, "openapi-ts", "-i", document, "-o", folder / "client", "-p", "@hey-api/typescript", "@hey-api/sdk", "@hey-api/client-fetch")
    (folder / "node_modules").symlink_to(tools / "node_modules")
    (folder / "use.ts").write_text("""\
        import { requestOtp, verifyOtp } from "./client";
        export async function signIn(typed: string) {
          const asked = await requestOtp({ body: { destination: "ann@example.com" } });
          return verifyOtp({ body: { otp_id: asked.data?.otp_id, otp: typed } });
        }
        """)
    return ["use.ts"]


def swagger_typescript_api(tools, document, folder):
    run(tools, "swagger-typescript-api", "-p", document, "-o", folder, "-n", "api.ts", "--silent")
    return ["api.ts"]


@pytest.mark.long
@pytest.mark.parametrize("generate", [openapi_typescript, hey_api, swagger_typescript_api])
def test_a_generated_client_compiles(tools, document, tmp_path, generate):
    files = generate(tools, document, tmp_path)
    run(tools, "tsc", "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "esnext", "--lib", "es2022,dom,dom.iterable",
        "--moduleResolution", "bundler", *files, folder=tmp_path)
    assert list(tmp_path.rglob("*.ts"))


# Samples.

def samples():
    for path, item in openapi.document()["paths"].items():
        if path.startswith(("/authz/", "/.otpgate/", "/oauth/")):
            continue  # browsers come by way of a protected site (etc/doc/protect.md), libraries by openid-configuration
        for method, operation in item.items():
            for sample in operation["x-codeSamples"]:
                yield pytest.param(method.upper(), path, operation, sample, id=f"{operation['operationId']}-{sample['label']}")


@pytest.fixture(scope="module")
def site(new_folder):
    with Site(new_folder(), settings={**ROOMY, "limits.request_per_destination": "1000/1h", "sms.transport": "file",
                                      "security.contacts": "mailto:security@example.com"}) as running:
        yield running


@pytest.fixture(scope="module")
def admin_key(site):
    site.login("admin@example.com")
    assert site.otpgate.run("user", "make-admin", "admin@example.com").returncode == 0
    return Backend(site, "admin@example.com", "verify", "verify:caller").key


@pytest.mark.parametrize("method, path, operation, sample", samples())
def test_a_sample_is_understood(site, admin_key, address, tmp_path, method, path, operation, sample):
    """It is sent to this route, with the credential and the fields that this takes; whether codes and ids are right is not its business."""
    caller = "admin@example.com" if path.startswith("/api/v1/admin/") else address
    variables = {"ACCESS": site.login(caller)["access"], "API_KEY": admin_key}
    text = sample["source"].replace(EXAMPLE, site.url)
    if sample["lang"] == "Shell":
        text = text.replace("curl -s", "curl -s -o body -w '%{method} %{url} %{http_code}'")
        done = subprocess.run(["bash", "-euc", text], cwd=tmp_path, env=environment(variables), capture_output=True, text=True, timeout=60, check=True)
        sent, url, status = done.stdout.split()
        body = (tmp_path / "body").read_text() if (tmp_path / "body").exists() else ""
        assert sent == method and re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(site.url + path)) + r"/?(\?.*)?", url)
    else:
        program = tmp_path / {"Python": "sample.py", "JavaScript": "sample.mjs"}[sample["lang"]]
        program.write_text(text)
        interpreter = {"Python": "/usr/bin/python3", "JavaScript": "node"}[sample["lang"]]
        done = subprocess.run([interpreter, program], cwd=tmp_path, env=environment(variables), capture_output=True, text=True, timeout=60, check=True)
        status, body = done.stdout.split(" ", 1)
    assert status in operation["responses"], body
    if status < "300":
        return
    for refused in ("MALFORMED_JSON", "MISSING_FIELDS", "UNSUPPORTED_MEDIA_TYPE", "METHOD_NOT_ALLOWED", "UNAUTHENTICATED", "FORBIDDEN"):
        assert refused not in body
    wrong = re.findall(r"""["']field["']: ?["'](\w+)["']""", body)
    assert set(wrong) <= {"context", "current_password", "credential", "token", "second_step_token"}, body  # what an example cannot know


# One name everywhere.

@pytest.mark.parametrize("name", ["destination", "to"])
def test_an_address_is_named_alike_everywhere(site, new_address, name):
    address = new_address()
    asked = site.post("/api/v1/auth/otp/request", {name: address})
    assert asked.status_code == 202, asked.text
    code = site.mailbox.wait_for(address)
    login = site.post("/api/v1/auth/otp/verify", {name: address, "otp": code})
    assert login.status_code == 200, login.text
    backend = Backend(site, new_address(), "verify")
    assert backend.post("/api/v1/verifications", {name: new_address()}).status_code == 201
    wrong = backend.post("/api/v1/verifications", {name: "nobody"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, name)


# Discovery.

def test_discovery_leads_to_everything(site, address):
    told = site.get("/.well-known/otpgate").json()
    assert told["issuer"] == site.url and told["channels"] == ["email", "sms"] and told["code"] == {"length": 6, "alphabet": "digits"}
    for name in ("jwks_uri", "sign_in_url", "openapi_url", "service_documentation"):
        assert requests.get(told[name], timeout=10).status_code == 200, name
    asked = requests.post(told["otp_request_endpoint"], json={"destination": address}, timeout=10)
    assert asked.status_code == 202
    login = requests.post(told["otp_verify_endpoint"], json={"otp_id": asked.json()["otp_id"], "otp": site.mailbox.wait_for(address)}, timeout=10)
    assert login.json()["expires_in"] == told["access_token"]["expires_in"]
    headers = {"Authorization": f"Bearer {login.json()['access']}"}
    assert requests.get(told["user_endpoint"], headers=headers, timeout=10).status_code == 200
    assert requests.get(told["authz_endpoint"], headers=headers, timeout=10).status_code == 204
    assert requests.post(told["token_refresh_endpoint"], json={"refresh": login.json()["refresh"]}, timeout=10).status_code == 200
    assert requests.post(told["introspection_endpoint"], json={"token": "x"}, timeout=10).status_code == 401
    assert requests.post(told["logout_endpoint"], headers=headers, timeout=10).status_code == 204


def test_discovery_speaks_of_no_keys_where_tokens_are_opaque(make_site):
    told = make_site(tokens_format="opaque").get("/.well-known/otpgate").json()
    assert told["access_token"] == {"format": "opaque", "expires_in": 900} and "jwks_uri" not in told
