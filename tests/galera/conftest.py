import itertools
import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.galera import Galera  # noqa: E402
from support.galera_site import GaleraSite  # noqa: E402


@pytest.fixture(scope="session")
def folder():
    # In memory: three nodes write everything three times. Short, for unix sockets have room for 107 bytes of path.
    made = pathlib.Path(tempfile.mkdtemp(prefix="og-", dir="/dev/shm"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def cluster(folder):
    with Galera(folder / "cluster") as running:
        yield running


@pytest.fixture
def nodes(cluster):
    """The cluster, all of it in step, however the last test left it."""
    cluster.heal()
    return cluster


@pytest.fixture
def make_site(nodes, folder):
    """make_site(several_hosts=False, **settings): one otpgate a node, and nginx before them."""
    made = []

    def make(**options):
        site = GaleraSite(folder / str(next(_numbers)), nodes, f"otpgate_galera_{len(made)}_{next(_numbers)}", **options)
        made.append(site)
        return site.start()

    yield make
    for site in reversed(made):
        site.stop()


_people = itertools.count(1)


@pytest.fixture
def new_address():
    return lambda: f"someone-{next(_people)}@example.com"
