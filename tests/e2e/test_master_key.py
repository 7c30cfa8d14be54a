"""The master key is replaced while several hosts go on: none uses a key that another does not know."""
import shutil

import pytest
from support import ports
from support.otpgate import Otpgate


def keys_of(otpgate):
    return [line for line in (otpgate.folder / "master.key").read_text().splitlines() if line.startswith("otpgate1:")]


class Hosts:
    """One site and a second otpgate on the same database, as if on another host."""

    def __init__(self, site, folder):
        self.site = site
        self.first = site.otpgate
        self.second = Otpgate(folder, {name: value for name, value in self.first.settings.items()
                                       if name.startswith("database.") or name == "mail.transport"})
        self.copy_key()
        self.second.start()

    def copy_key(self):
        shutil.copy(self.first.folder / "master.key", self.second.folder / "master.key")

    def restart(self):
        self.first.restart()
        self.second.restart()
        self.await_known(2)

    def await_known(self, processes):
        ports.wait_until(lambda: self.site.sql("SELECT COUNT(*) FROM key_holders")[0][0] == str(processes), 10,
                         "each has told which keys it knows")


@pytest.fixture
def hosts(make_site, new_folder):
    made = Hosts(make_site("mysql", metrics_allowed_addresses="127.0.0.1"), new_folder())
    made.await_known(2)
    yield made
    made.second.stop()


def health_of(otpgate):
    """What it says of the keys."""
    return next(line for line in otpgate.run("health").stdout.splitlines() if line.startswith("keys: "))


def test_a_key_is_replaced_in_an_order_that_breaks_nothing(hosts, address, new_address):
    site, first, second = hosts.site, hosts.first, hosts.second
    tokens = site.login(address)
    old, = keys_of(first)

    assert first.run("keys", "add").returncode == 0
    assert keys_of(first)[0] == old and len(keys_of(first)) == 2
    early = first.run("keys", "promote")
    assert early.returncode == 1 and "does not know" in early.stderr
    assert keys_of(first)[0] == old

    hosts.copy_key()
    hosts.restart()
    assert first.run("keys", "promote").returncode == 0
    assert keys_of(first)[1] == old
    first.restart()  # the second still makes codes with the old key
    hosts.await_known(2)
    for host in (first, second):
        assert health_of(host) == "keys: ok"
    assert first.run("keys", "drop").returncode == 1  # in use at the second
    assert first.run("keys", "rotate").returncode == 0
    assert second.run("keys", "list").returncode == 0
    assert health_of(second) == "keys: ok"

    hosts.copy_key()
    hosts.restart()
    # A code of the new key, a token of the old one.
    site.login(new_address())
    assert site.post("/api/v1/auth/token/refresh", {"refresh": tokens["refresh"]}).status_code == 200
    assert first.run("keys", "drop").returncode == 0
    assert old not in keys_of(first)
    hosts.copy_key()
    hosts.restart()
    site.login(new_address())
    for host in (first, second):
        assert health_of(host) == "keys: ok"


def test_a_key_that_one_host_uses_and_another_lacks_is_named_by_both(hosts):
    first, second = hosts.first, hosts.second
    key = first.folder / "master.key"
    old = key.read_text()
    assert first.run("keys", "add").returncode == 0
    added = keys_of(first)[1]
    key.write_text(f"{added}\n{old}")  # at once, by hand

    first.restart()
    hosts.await_known(2)

    assert "does not know the master key" in health_of(first)
    problem = ports.wait_until(
        lambda: (answer := hosts.site.get("/health/ready")).status_code == 503 and answer.json(), 10, "it is not ready")
    assert problem["check"] == "keys"
    # What it seals now, the other cannot open; it says so, and goes on with what it has.
    assert first.run("keys", "rotate").returncode == 0
    assert "does not open" in health_of(second)
    second.restart()
    assert "does not open" in health_of(second)


def test_a_key_that_is_removed_too_early_is_named(hosts):
    first = hosts.first
    assert first.run("keys", "add").returncode == 0
    key = first.folder / "master.key"
    key.write_text(keys_of(first)[1] + "\n")  # the old one is gone, by hand

    assert "does not open" in health_of(first)
    assert first.run("serve", timeout=20).returncode == 2
