"""python3-social-auth-core as Debian has it, of which Django's and Flask's sign-ins are made."""
import urllib.parse
from types import SimpleNamespace

import pytest
from social_core.backends.open_id_connect import OpenIdConnectAuth
from social_core.exceptions import AuthTokenError
from social_core.strategy import BaseStrategy

from support.relying_party import RelyingParty, sign_in
from support.visitor import Visitor

CALLBACK = "https://shop.example.com/complete/oidc/"


class Associations:
    """The nonces that it waits for."""

    def __init__(self):
        self.kept = {}

    def store(self, url, association):
        self.kept[association.handle] = SimpleNamespace(id=association.handle, url=url)

    def get(self, server_url, handle):
        return [self.kept[handle]] if handle in self.kept else []

    def remove(self, ids):
        for handle in ids:
            del self.kept[handle]


class Strategy(BaseStrategy):
    """What Django is to it."""

    def __init__(self, party, endpoint):
        super().__init__(storage=SimpleNamespace(association=Associations()))
        self.settings = {"SOCIAL_AUTH_OIDC_OIDC_ENDPOINT": endpoint, "SOCIAL_AUTH_OIDC_KEY": party.name,
                         "SOCIAL_AUTH_OIDC_SECRET": party.secret, "SOCIAL_AUTH_OIDC_SCOPE": ["groups", "offline_access"]}
        self.session, self.request = {}, {}

    def get_setting(self, name):
        return self.settings[name]

    def request_data(self, merge=True):
        return self.request

    def request_host(self):
        return "shop.example.com"

    def build_absolute_uri(self, path=None):
        return CALLBACK

    def redirect(self, url):
        return url

    def session_get(self, name, default=None):
        return self.session.get(name, default)

    def session_set(self, name, value):
        self.session[name] = value

    def session_pop(self, name):
        return self.session.pop(name, None)


def signed_in_at(party, visitor):
    """The backend after the answer, and what it found out."""
    strategy = Strategy(party, party.site.url)
    strategy.authenticate = lambda backend, response, **more: response
    backend = OpenIdConnectAuth(strategy, redirect_uri=CALLBACK)
    back = visitor.step(backend.auth_url())
    strategy.request = backend.data = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back.headers["Location"]).query))
    return backend, backend.auth_complete()


def test_it_signs_in(site, address):
    party = RelyingParty(site, f"social-{address.partition('@')[0]}", "--no-pkce", redirect=CALLBACK)
    visitor = Visitor()
    user = sign_in(site, visitor, address)["user"]

    backend, found = signed_in_at(party, visitor)

    assert (backend.id_token["sub"], found["sub"], found["email"]) == (user["id"], user["id"], address)
    assert backend.get_user_details(found)["email"] == address
    assert backend.refresh_token(found["refresh_token"])["access_token"]
    out = visitor.step(f"{site.url}/oauth/logout?id_token_hint={found['id_token']}")
    assert out.status_code == 200 and not visitor.cookie("localhost", "__Host-otpgate")


def test_it_knows_rs256_alone(site, address):
    party = RelyingParty(site, f"social-{address.partition('@')[0]}", "--no-pkce", "--alg", "ES256", redirect=CALLBACK)
    visitor = Visitor()
    sign_in(site, visitor, address)
    with pytest.raises(AuthTokenError):
        signed_in_at(party, visitor)
