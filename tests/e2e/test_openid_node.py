"""The libraries by which applications in Node sign their users in, each as it is: sign in, ask who it is, refresh, sign out."""
import itertools
import json
import pathlib
import subprocess

import pytest

from support.relying_party import RelyingParty, sign_in
from support.visitor import Visitor

ROOT = pathlib.Path(__file__).resolve().parents[2]
_names = itertools.count(1)


@pytest.fixture(scope="module")
def libraries():
    done = subprocess.run([ROOT / "tests/npm/install", "clients"], check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    folder = pathlib.Path(done.stdout.strip())
    (folder / "sign_in.mjs").write_text((ROOT / "tests/npm/clients/sign_in.mjs").read_text())
    return folder


@pytest.mark.parametrize("library, algorithm, method", [
    ("openid-client", "RS256", "post"), ("openid-client", "ES256", "basic"), ("openid-client", "RS256", "none"),
    ("openid-client-5", "RS256", "basic"), ("openid-client-5", "ES256", "post"),
    ("oauth4webapi", "RS256", "basic"), ("oauth4webapi", "ES256", "none")])
def test_a_library_signs_in(site, address, libraries, library, algorithm, method):
    redirect = "https://app.example.com/callback"
    party = RelyingParty(site, f"node-{next(_names)}", "--alg", algorithm, *(["--public"] if method == "none" else []), redirect=redirect)
    visitor = Visitor()
    user = sign_in(site, visitor, address)["user"]
    program = subprocess.Popen(["node", "--no-warnings", libraries / "sign_in.mjs", library, site.url, party.name, party.secret or "", redirect,
                                algorithm, method], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = program.stdout.readline()
        assert line, program.stderr.read()
        back = visitor.step(json.loads(line)["url"])
        assert back.status_code == 303 and back.headers["Location"].startswith(redirect), back.text
        out, complaint = program.communicate(back.headers["Location"] + "\n", timeout=30)
    finally:
        program.kill()
    assert program.returncode == 0, complaint

    told = json.loads(out)
    assert told["claims"]["sub"] == told["user"]["sub"] == user["id"] and told["user"]["email"] == address and told["active"]
    assert visitor.step(told["out"]).status_code == 200 and not visitor.cookie("localhost", "__Host-otpgate")
