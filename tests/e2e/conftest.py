import getpass
import itertools
import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import folders  # noqa: E402
from support.mariadb import Mariadb, MysqlAddress  # noqa: E402
from support.otpgate import BINARY  # noqa: E402
from support.site import FCGID, USUAL, WITH_SOCKET, Site  # noqa: E402

# So that one test does not use up what another needs; the limits themselves have tests with sites of their own.
ROOMY = {
    "server.trusted_proxies": "127.0.0.1",
    "limits.request_per_client": "1000/1h",
    "limits.passwords_per_client": "1000/1h",
    "limits.verifications_per_account": "1000/1h",
    "limits.changes_per_account": "1000/1h",
    "api_keys.allowed": "everybody",
    "sms.daily_budgets": "*:100000",
}

# The sites that most tests share have time where many tests run at once; what a database that is slow or away does is tested
# on sites of their own.
PATIENT = {**ROOMY, "database.connect_timeout": "5s", "database.answer_timeout": "5s"}

ENGINES = ("sqlite", "mysql")
# Parameters of which a test has one value at a time where OTPGATE_TEST_TURN is set.
BY_TURNS = ("engine", "web", "rated_page")
KEPT = pytest.StashKey[list]()


def pytest_addoption(parser):
    parser.addoption("--keep", action="store_true",
                     help="leave the folders of the tests (settings, logs, database, mails), and say at the end which is whose")


def pytest_terminal_summary(terminalreporter, config):
    for folder, test in config.stash.get(KEPT, []):
        terminalreporter.write_line(f"kept {folder}  {test}")


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: compares or limits times of a few milliseconds, so nothing else may run beside it (see tests/run)")
    config.addinivalue_line("markers", "one_process: is about the process that serves, of which mod_fcgid has one a request: behind another"
                                       " web server then")
    config.addinivalue_line("markers", "long: plays a failure of half a minute, or keeps a processor for ten seconds; every third turn where OTPGATE_TEST_TURN is set")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config, items):
    if turn := os.environ.get("OTPGATE_TEST_TURN"):
        others = not_this_turn(items, int(turn))
        config.hook.pytest_deselected(items=[item for item in items if item in others])
        items[:] = [item for item in items if item not in others]
    # For several workers: the tests of a file on one engine share what they start, so one worker runs them; and the large
    # files come first, so that the workers end at about the same time.
    if not hasattr(config, "workerinput"):
        return
    items.sort(key=lambda item: -item.path.stat().st_size)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}-{engine_of(item)}"))


def not_this_turn(items, turn):
    """Of the tests that are there for several engines, web servers or pages all but one; of the long ones two of three."""
    others = set()
    for name in BY_TURNS:
        kinds = {}
        for item in items:
            if value := parameter_of(item, name):
                kinds.setdefault((item.path, item.originalname), {}).setdefault(value, []).append(item)
        for (path, _), by_value in kinds.items():
            chosen = sorted(by_value)[(len(path.stem) + turn) % len(by_value)]
            others.update(item for value, several in by_value.items() if value != chosen for item in several)
    # Dealt out, so that those of one file are spread over the turns.
    long = sorted({(item.path, item.originalname) for item in items if item.get_closest_marker("long")})
    others.update(item for item in items if item.get_closest_marker("long") and (long.index((item.path, item.originalname)) + turn) % 3)
    return others


def parameter_of(item, name):
    return item.callspec.params.get(name, "") if hasattr(item, "callspec") else ""


def engine_of(item):
    return parameter_of(item, "engine")


@pytest.fixture(scope="session", autouse=True)
def binary():
    assert BINARY.exists(), f"{BINARY} is missing: build it with make"
    return BINARY


@pytest.fixture(scope="session")
def session_folder(request):
    folder = folders.fresh("otpgate-e2e-")
    yield folder
    if not request.config.getoption("keep"):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def new_folder(session_folder, request):
    """A fresh folder for each call."""
    numbers = itertools.count(1)

    def new():
        folder = session_folder / str(next(numbers))
        if request.config.getoption("keep"):
            test = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0]
            request.config.stash.setdefault(KEPT, []).append((folder, test))
        return folder

    return new


@pytest.fixture(scope="session")
def mysql(new_folder):
    """The server that all sites share: the one of tests/run, or one for this session."""
    address = MysqlAddress.from_environment()
    if address is not None:
        yield address
        return
    server = Mariadb(new_folder()).start()
    yield server.address
    server.stop()


@pytest.fixture(scope="session", params=ENGINES)
def engine(request):
    return request.param


@pytest.fixture(scope="session")
def site(engine, new_folder, request):
    """One site an engine, for tests that get along with the default settings."""
    mysql = request.getfixturevalue("mysql") if engine == "mysql" else None
    with Site(new_folder(), engine=engine, mysql=mysql, settings=PATIENT) as running:
        yield running


@pytest.fixture(scope="session")
def sms_site(engine, new_folder, request):
    """The same with codes by SMS, which land in site.phones."""
    mysql = request.getfixturevalue("mysql") if engine == "mysql" else None
    with Site(new_folder(), engine=engine, mysql=mysql, settings={**PATIENT, "sms.transport": "file"}) as running:
        yield running


@pytest.fixture
def make_site(new_folder, request):
    """make_site(engine="mysql", web="apache", otp_length=8): a site of one's own. A setting is section_name=value,
    or "section.name" where the section has an underscore."""
    running = []

    usual = WITH_SOCKET if request.node.get_closest_marker("one_process") else USUAL

    def make(engine="sqlite", *, web=usual, mysql=None, env=None, start=True, **settings):
        if engine == "mysql" and mysql is None:
            mysql = request.getfixturevalue("mysql")
        named = {key if "." in key else key.replace("_", ".", 1): value for key, value in settings.items()}
        made = Site(new_folder(), engine=engine, web=web, mysql=mysql, env=env, settings={**ROOMY, **named})
        running.append(made)
        return made.start() if start else made

    yield make
    for made in reversed(running):
        made.stop()


@pytest.fixture
def own_mariadb(new_folder):
    """A MariaDB that the test may kill."""
    # A kill must not take the last second's transactions along.
    server = Mariadb(new_folder(), flush_log_at_commit=1).start()
    yield server
    server.stop()


@pytest.fixture
def tmp_path(tmp_path, request):
    """Behind mod_fcgid the commands of a site are www-data's, who must get there."""
    if USUAL == FCGID and getpass.getuser() == "root" and {"site", "make_site"} & set(request.fixturenames):
        for folder in list(tmp_path.parents)[:4]:
            if folder.stat().st_mode & 0o055 == 0:
                folder.chmod(0o755)
        shutil.chown(tmp_path, "www-data", "www-data")
    return tmp_path


_people = itertools.count(1)


@pytest.fixture
def new_address():
    """An e-mail address that nobody used before."""
    return lambda: f"someone-{next(_people)}@example.com"


@pytest.fixture
def address(new_address):
    return new_address()


@pytest.fixture
def new_number():
    """A telephone number that nobody used before."""
    return lambda: f"+1555{next(_people):07}"


@pytest.fixture
def number(new_number):
    return new_number()
