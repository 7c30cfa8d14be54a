"""The table of etc/doc/security.md that says what ends a session, a device and an API key, played; on both engines."""
import pathlib
import re

import pytest

from support.keys import make_key
from test_passwords import AUTH, OTHER, PASSWORD, ask_for_reset, register, sign_in

PAGE = pathlib.Path(__file__).resolve().parents[2] / "etc/doc/security.md"
DAY = 24 * 3600 * 1_000_000


def table():
    """{what happens: [this session, its device, other sessions, their devices, API keys]}"""
    part = PAGE.read_text().split("## What ends what\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|\n").split(" | ")] for line in part.splitlines() if line.startswith("| ")]
    return {row[0]: row[1:] for row in rows[1:]}


class Played:
    """A user with two sessions, on two devices, and a key; `this` is the session that does it."""

    def __init__(self, site, address, new_address):
        self.site, self.address, self.new_address = site, address, new_address
        register(site, address)
        self.this, self.other = sign_in(site, address), sign_in(site, address)
        self.devices = [self._device(login) for login in (self.this, self.other)]
        self.key = make_key(site, self.this["access"])["key"]

    def post(self, path, body=None):
        answer = self.site.post(f"{AUTH}/{path}", body or {}, token=self.this["access"])
        assert answer.status_code in (200, 202, 204), answer.text
        return answer

    def later(self, days):
        """The clock goes on, for this session alone."""
        columns = ("created_at_us", "authenticated_at_us", "last_seen_at_us", "rotated_at_us", "expires_at_us")
        moved = ", ".join(f"{column} = {column} - {int(days * DAY)}" for column in columns)
        self.site.sql(f"UPDATE sessions SET {moved} WHERE HEX(id) = '{self._hex(self.this['session_id'])}'")

    def raise_level(self):
        """As if its user had shown two factors when it began."""
        self.site.sql(f"UPDATE sessions SET amr = 'pwd otp totp mfa' WHERE HEX(id) = '{self._hex(self.this['session_id'])}'")

    def refresh(self, token):
        return self.site.post(f"{AUTH}/token/refresh", {"refresh": token})

    def state(self):
        alive = [self.site.get(f"{AUTH}/me", token=login["access"]).status_code == 200 for login in (self.this, self.other)]
        known = [self.site.sql(f"SELECT COUNT(*) FROM devices WHERE HEX(id) = '{device}' AND revoked_at_us IS NULL") == [["1"]]
                 for device in self.devices]
        used = self.site.post(f"{AUTH}/token/introspect", {"token": "any"}, headers={"X-API-Key": self.key})
        word = {True: "known", False: "forgotten"}
        return ["stays" if alive[0] else "ends", word[known[0]], "stay" if alive[1] else "end", word[known[1]],
                "stay" if used.status_code == 200 else "end"]

    def _device(self, login):
        [[device]] = self.site.sql(f"SELECT HEX(device_id) FROM sessions WHERE HEX(id) = '{self._hex(login['session_id'])}'")
        return device

    @staticmethod
    def _hex(text):
        return text.replace("-", "").upper()


def end_another(played):
    path = f"{AUTH}/sessions/{played.other['session_id']}"
    assert played.site.request("DELETE", path, token=played.this["access"]).status_code == 204


def reset_password(played):
    played.post("password-reset", {"email": played.address, "otp": ask_for_reset(played.site, played.address), "password": OTHER})


def give_address(played, new, read):
    otp_id = played.post("address-change/request", {"destination": new}).json()["otp_id"]
    played.post("address-change/verify", {"otp_id": otp_id, "otp": read(new)})


def replace_address(played):
    give_address(played, played.new_address(), played.site.mailbox.wait_for)


def add_address(played):
    give_address(played, f"+1555{int(played.devices[0][-7:], 16) % 10 ** 7:07}", played.site.phones.wait_for)


def use_not_at_all(played):
    played.later(6.999)
    assert played.state()[0] == "stays"
    played.later(0.001)


def use_all_the_time(played):
    tokens = played.this
    for _ in range(4):
        played.later(6)
        tokens = {**tokens, **played.refresh(tokens["refresh"]).json()}
    played.later(5.999)
    last = played.refresh(tokens["refresh"])
    assert last.status_code == 200 and last.json()["expires_in"] <= 87  # no token outlives its session
    played.this = {**tokens, **last.json()}
    played.later(0.001)
    assert played.refresh(played.this["refresh"]).status_code == 401


def use_not_at_all_at_level_2(played):
    played.raise_level()
    played.later(0.999 / 24)
    assert played.state()[0] == "stays"
    played.later(0.001 / 24)


def use_all_the_time_at_level_2(played):
    played.raise_level()
    for _ in range(24):
        played.later(0.99 / 24)
        played.this = {**played.this, **played.refresh(played.this["refresh"]).json()}
    assert played.state()[0] == "stays"
    played.later(0.24 / 24)


def show_an_old_token(played):
    second = played.refresh(played.this["refresh"]).json()["refresh"]
    assert played.refresh(second).status_code == 200
    assert played.refresh(played.this["refresh"]).status_code == 401


def disable(played):
    assert played.site.otpgate.run("user", "disable", played.address).returncode == 0


def delete(played):
    assert played.site.request("DELETE", f"{AUTH}/me", token=played.this["access"]).status_code == 204


def change_what_is_told(played):
    name = "n" + played.devices[0][-12:].lower()
    body = {"first_name": "Ada", "display_name": "A", "username": name}
    assert played.site.request("PATCH", f"{AUTH}/profile", json=body, token=played.this["access"]).status_code == 200
    for arguments in (["group", "create", name], ["group", "add", name, name], ["user", "make-admin", name]):
        assert played.site.otpgate.run(*arguments).returncode == 0


PLAYS = {
    "sign-out (`logout`)": lambda played: played.post("logout"),
    "another session is ended (`DELETE sessions/{id}`)": end_another,
    "sign-out everywhere (`logout-all`)": lambda played: played.post("logout-all"),
    "the password is changed (`password-change`)":
        lambda played: played.post("password-change", {"current_password": PASSWORD, "new_password": OTHER}),
    "the password is set anew (`password-reset`)": reset_password,
    "an address is replaced (`address-change`)": replace_address,
    "an address is added (`address-change`)": add_address,
    "no use for `tokens.refresh_lifetime` (7 days)": use_not_at_all,
    "`tokens.session_lifetime` (30 days) since the sign-in, whatever the use": use_all_the_time,
    "of a session of level 2: no use for `tokens.aal2_refresh_lifetime` (1 hour)": use_not_at_all_at_level_2,
    "of a session of level 2: `tokens.aal2_session_lifetime` (24 hours) since both factors were shown": use_all_the_time_at_level_2,
    "an old refresh token is shown": show_an_old_token,
    "the account is disabled (`otpgate user disable`)": disable,
    "the account is deleted": delete,
    "a profile, a user name, a group or a role changes": change_what_is_told,
}


def test_the_table_is_whole():
    assert list(table()) == list(PLAYS)


@pytest.mark.parametrize("what", PLAYS)
def test_what_ends_what(sms_site, address, new_address, what):
    played = Played(sms_site, address, new_address)
    assert played.state() == ["stays", "known", "stay", "known", "stay"]

    PLAYS[what](played)

    assert played.state() == table()[what]


def test_a_cookie_in_use_ends_with_its_session(site, address):
    """The browser is told of the end that the server knows."""
    from test_cookie_session import Browser

    browser = Browser(site, address)
    played = type("", (), {"site": site, "this": browser.body, "_hex": staticmethod(Played._hex)})()
    ages = []
    for days in (6, 6, 6, 6, 5):
        Played.later(played, days)
        answer = browser.send("GET", f"{AUTH}/me")
        assert answer.status_code == 200, answer.text
        ages.append(int(re.search(r"__Host-otpgate=[^;]+;.*?Max-Age=(\d+)", answer.headers["Set-Cookie"])[1]))
    Played.later(played, 1)

    assert browser.send("GET", f"{AUTH}/me").status_code == 401
    assert ages[:3] == [7 * 86400] * 3
    assert 5.9 * 86400 < ages[3] <= 6 * 86400 and 0.9 * 86400 < ages[4] <= 86400
