"""What `otpgate version` says: semantic versions, from the tag where there is one."""
import pathlib
import re
import shutil
import subprocess

import pytest

from support.otpgate import BINARY

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "etc/dev/version"
# The expression that semver.org names, without what we do not use.
SEMANTIC = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?")


class Sources:
    """A folder with the script, as a clone or an archive would have it."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "etc/dev").mkdir(parents=True)
        shutil.copy(SCRIPT, folder / "etc/dev")
        self.write_changes("## Unreleased\n")

    def write_changes(self, text):
        (self.folder / "CHANGELOG.md").write_text("# Changes\n\n" + text)

    def git(self, *arguments):
        subprocess.run(["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.com", *arguments], cwd=self.folder,
                       check=True, capture_output=True)

    def commit(self):
        self.git("add", ".")
        self.git("commit", "--allow-empty", "-m", "Change a thing")

    def version(self):
        said = subprocess.run([self.folder / "etc/dev/version"], capture_output=True, text=True, check=True).stdout.strip()
        assert SEMANTIC.fullmatch(said), said
        return said


@pytest.fixture
def sources(tmp_path):
    return Sources(tmp_path)


@pytest.fixture
def clone(sources):
    sources.git("init")
    sources.commit()
    return sources


def test_the_binary_says_a_semantic_version():
    said = subprocess.run([BINARY, "version"], capture_output=True, text=True, check=True).stdout

    name, version = said.split()
    assert name == "otpgate"
    assert SEMANTIC.fullmatch(version)


def test_a_release_is_named_by_its_tag(clone):
    clone.git("tag", "v1.10.0")

    assert clone.version() == "1.10.0"


def test_a_commit_after_a_release_says_how_many_and_which(clone):
    clone.git("tag", "v1.10.0")
    clone.git("tag", "nightly")
    clone.commit()
    clone.commit()

    assert re.fullmatch(r"1\.10\.0\+2\.g[0-9a-f]{7,}", clone.version())
    clone.write_changes("## Unreleased\n\nMore.\n")
    assert re.fullmatch(r"1\.10\.0\+2\.g[0-9a-f]{7,}\.dirty", clone.version())


def test_changes_to_a_release_are_told(clone):
    clone.git("tag", "v1.10.0")
    clone.write_changes("## Unreleased\n\nMore.\n")

    assert clone.version() == "1.10.0+dirty"


def test_before_the_first_release_the_commit_is_told(clone):
    assert re.fullmatch(r"0\.0\.0\+g[0-9a-f]{7,}", clone.version())


def test_an_archive_is_after_the_newest_release_of_its_changelog(sources):
    assert sources.version() == "0.0.0+unknown"
    sources.write_changes("## Unreleased\n\n## 1.2.3 (2027-01-31)\n\n## 1.2.2 (2027-01-01)\n")
    assert sources.version() == "1.2.3+unknown"


def test_a_repository_around_an_archive_is_not_asked(clone):
    clone.git("tag", "v9.9.9")
    inner = Sources(clone.folder / "otpgate")

    assert inner.version() == "0.0.0+unknown"
