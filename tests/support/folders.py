"""Where the data of a test run lie: in memory where there is room, because databases that wait for a disk are slow."""
import os
import pathlib
import shutil
import tempfile

# What a run of all suites writes at most, with room to spare: a data folder of MariaDB takes 150 MB.
_NEEDED_BYTES = 3 << 30


def base():
    """/dev/shm, or /tmp where that is small or not ours to write. Both are short: a unix socket's path has 107 bytes."""
    memory = pathlib.Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK | os.X_OK) and shutil.disk_usage(memory).free >= _NEEDED_BYTES:
        return memory
    return pathlib.Path("/tmp")


def fresh(prefix):
    """A new folder that other users may look into (Apache answers as one of them). Whoever asked for it removes it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=base()))
    folder.chmod(0o755)
    return folder
