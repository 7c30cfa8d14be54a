"""Apache's mod_auth_openidc as Debian has it, set up by what `otpgate client create --for apache` prints: nothing is changed in it."""
import contextlib
import re
import urllib.parse

import pytest
import requests

from support import ports
from support.apache import MODULES, Apache
from support.relying_party import sign_in
from support.visitor import PAGE, Visitor

WIKI = """\
LoadModule auth_openidc_module {modules}/mod_auth_openidc.so
LoadModule authz_user_module {modules}/mod_authz_user.so
Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
    ServerName localhost
    DocumentRoot {www}
    <Directory {www}>
        Require all granted
    </Directory>
{recipe}
    # What a program there is told.
    Header set Seen-User "expr=%{{REMOTE_USER}}"
    Header set Seen-Email "%{{OIDC_CLAIM_email}}e"
    Header set Seen-Token "%{{OIDC_access_token}}e"
</VirtualHost>
"""


@contextlib.contextmanager
def wiki_of(site, folder):
    port = ports.free_port()
    url = f"http://localhost:{port}"
    done = site.otpgate.run("client", "create", f"wiki-{port}", "--redirect", f"{url}/oidc/callback", "--post-logout", f"{url}/bye",
                            "--backchannel", f"{url}/oidc/callback?logout=backchannel", "--for", "apache")
    assert done.returncode == 0, done.stderr
    apache = Apache(folder, None, port=port, inside=WIKI.format(modules=MODULES, port=port, www=folder / "www", recipe=done.stdout))
    assert apache.check() == []
    apache.start()
    try:
        yield apache
    finally:
        apache.stop()


@pytest.fixture
def wiki(site, new_folder):
    with wiki_of(site, new_folder()) as running:
        yield running


class Reader:
    """A browser with the wiki's cookies, which come over http here, and those of the sign-in."""

    def __init__(self, site, wiki):
        self.site, self.wiki, self.visitor, self.session = site, wiki, Visitor(), requests.Session()

    def at_wiki(self, url):
        assert url.startswith(self.wiki.url), url
        return self.session.get(url, headers=PAGE, allow_redirects=False, timeout=15)

    def open(self, url, address=None):
        """The page at last; signs in on the way where there is an address."""
        answer = self.at_wiki(url)
        for _ in range(6):
            if answer.status_code not in (302, 303):
                return answer
            place = urllib.parse.urljoin(answer.url, answer.headers["Location"])
            if place.startswith(self.site.url + "/?"):
                assert address, "the sign-in is asked for"
                sign_in(self.site, self.visitor, address)
                place = self.site.url + dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(place).query))["return_to"]
            answer = self.visitor.step(place) if place.startswith(self.site.url) else self.at_wiki(place)
        raise AssertionError(f"a circle, at {place}")


def test_the_printed_lines_are_all_it_takes(site, wiki, address):
    reader = Reader(site, wiki)

    page = reader.open(f"{wiki.url}/favicon.svg?x=1", address)

    assert page.status_code == 200 and page.url == f"{wiki.url}/favicon.svg?x=1"
    assert page.headers["Seen-Email"] == address and re.fullmatch(r"[0-9a-f-]{36}", page.headers["Seen-User"])
    # Once more without any way round; and a second application of the same browser asks for nothing.
    assert reader.at_wiki(f"{wiki.url}/favicon.svg").status_code == 200
    reader.session.cookies.clear()
    assert reader.open(f"{wiki.url}/favicon.svg").status_code == 200

    # Who is disabled is out at the next click, for the wiki has been told.
    assert site.otpgate.run("user", "disable", address).returncode == 0
    ports.wait_until(lambda: reader.at_wiki(f"{wiki.url}/favicon.svg").status_code == 302, 2, "the wiki lets him in no more")


def test_the_wiki_refreshes_its_tokens_until_it_signs_out(make_site, new_folder, address):
    # None of them is good for longer than the minute that the wiki wants, so it refreshes at each page.
    site = make_site(tokens_access_lifetime="60s")
    with wiki_of(site, new_folder()) as wiki:
        reader = Reader(site, wiki)
        pages = [reader.open(f"{wiki.url}/favicon.svg", address), *(reader.at_wiki(f"{wiki.url}/favicon.svg") for _ in range(3))]
        tokens = [page.headers["Seen-Token"] for page in pages]

        assert [page.status_code for page in pages] == [200] * 4 and len(set(tokens)) == 4
        assert site.get("/oauth/userinfo", token=tokens[-1]).json()["email"] == address
        # What it had has ended with it.
        assert reader.at_wiki(f"{wiki.url}/oidc/callback?logout={urllib.parse.quote(wiki.url + '/bye', safe='')}").status_code == 302
        assert site.get("/oauth/userinfo", token=tokens[-1]).status_code == 401
        assert reader.at_wiki(f"{wiki.url}/favicon.svg").status_code == 302


def test_signing_out_at_the_wiki_signs_out_here(site, wiki, address):
    reader = Reader(site, wiki)
    assert reader.open(f"{wiki.url}/favicon.svg", address).status_code == 200

    out = reader.at_wiki(f"{wiki.url}/oidc/callback?logout={urllib.parse.quote(wiki.url + '/bye', safe='')}")
    assert out.status_code == 302 and out.headers["Location"].startswith(f"{site.url}/oauth/logout?")
    back = reader.visitor.step(out.headers["Location"])

    assert (back.status_code, back.headers["Location"]) == (303, f"{wiki.url}/bye")
    assert not reader.visitor.cookie("localhost", "__Host-otpgate")
    with pytest.raises(AssertionError, match="the sign-in is asked for"):
        reader.open(f"{wiki.url}/favicon.svg")
