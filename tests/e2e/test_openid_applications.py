"""Applications by libraries, each as it is, in one browser: sign in by a code at the real page, refresh, sign out here and there."""
import json
import pathlib
import subprocess

import pytest
from selenium.webdriver.common.by import By

from browser import open_browser
from login_page import LoginPage
from support import ports
from support.site import Site

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Where each takes the answer, and how it is registered besides.
APPLICATIONS = {
    "next-auth": ("/api/auth/callback/otpgate", []),
    "auth-core": ("/auth/callback/otpgate", []),
    "passport-openidconnect": ("/callback", ["--no-pkce"]),
    "express-openid-connect": ("/callback", []),
    "oidc-client-ts": ("/callback", ["--public"]),
}


class Applications:
    """All of them in one process, and a browser."""

    def __init__(self, site, urls, driver):
        self.site, self.urls, self.driver = site, urls, driver
        self.page = LoginPage(driver, site)

    def go(self, name, path):
        self.driver.get(self.urls[name] + path)

    def body(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    def told(self, name, path):
        """What a page of the application says, once it does."""
        self.go(name, path)
        self.page.wait(lambda: self.body().strip(), f"{name} says nothing at {path}")
        return json.loads(self.body())

    def see_application(self, name):
        self.page.wait(lambda: self.driver.current_url == f"{self.urls[name]}/" and name in self.body(), f"nobody comes back to {name}")


@pytest.fixture(scope="module")
def urls():
    return {name: f"http://127.0.0.1:{ports.free_port()}" for name in APPLICATIONS}


@pytest.fixture(scope="module")
def applications(urls, new_folder):
    done = subprocess.run([ROOT / "tests/npm/install", "clients"], check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    folder = pathlib.Path(done.stdout.strip())
    (folder / "applications.mjs").write_text((ROOT / "tests/npm/clients/applications.mjs").read_text())
    with Site(new_folder(), settings={"cors.allowed_origins": urls["oidc-client-ts"]}) as site:
        registered = {}
        for name, (callback, options) in APPLICATIONS.items():
            done = site.otpgate.run("client", "create", name, "--redirect", urls[name] + callback, "--post-logout", f"{urls[name]}/", "--json",
                                    *options)
            assert done.returncode == 0, done.stderr
            registered[name] = {"url": urls[name], "id": name, "secret": json.loads(done.stdout).get("client_secret")}
        log = open(site.folder / "applications.log", "w")
        program = subprocess.Popen(["node", "--no-warnings", folder / "applications.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=log, text=True)
        try:
            program.stdin.write(json.dumps({"issuer": site.url, "applications": registered}))
            program.stdin.close()
            assert program.stdout.readline() == "ready\n", (site.folder / "applications.log").read_text()
            with open_browser() as driver:
                yield Applications(site, urls, driver)
        finally:
            program.kill()
            program.wait()


@pytest.mark.parametrize("name", APPLICATIONS)
def test_an_application_signs_in(applications, name, address):
    page = applications.page
    applications.go(name, "/login")
    # Auth.js asks on a page of its own which provider it may be.
    if name in ("next-auth", "auth-core"):
        applications.driver.find_element(By.CSS_SELECTOR, "form button").click()
    page.see("address")
    page.enter_code(page.ask_for_code(address))
    applications.see_application(name)

    me = applications.told(name, "/me")
    assert me["email"] == address, me
    assert applications.site.sql(f"SELECT id FROM users WHERE email = '{address}'")
    tokens = applications.told(name, "/refresh")
    assert tokens["access_token"] and tokens.get("token_type", "Bearer") == "Bearer", tokens

    applications.go(name, "/logout")
    applications.see_application(name)
    # Out here too.
    applications.driver.get(applications.site.url)
    page.see("address")
