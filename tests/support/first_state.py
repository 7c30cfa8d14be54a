"""What the first start of a site leaves behind, made once for all sites of a process: to make an RSA key takes longer than everything
else that a small site does."""
import atexit
import contextlib
import functools
import os
import pathlib
import shutil
import sqlite3

from . import folders
from .otpgate import Otpgate

_KEY = "master.key"
_DATABASE = "otpgate.db"
_KEY_TABLES = ("signing_keys", "id_token_keys")


@functools.cache
def _made():
    """A folder with a master key, and an SQLite database with the keys that are sealed under it."""
    folder = folders.fresh("otpgate-first-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Otpgate(folder, {"mail.transport": "null"}).prepare().start().stop()
    if {each.name for each in folder.glob(f"{_DATABASE}*")} != {_DATABASE}:
        raise RuntimeError("the database of the first start is not in one file")
    return folder


def _key_rows(table):
    with contextlib.closing(sqlite3.connect(_made() / _DATABASE)) as database:
        found = database.execute(f"SELECT sequence, key_id, sealed_pem, created_at_us, active_from_us FROM {table}")
        return "".join(f"INSERT INTO {table} (sequence, key_id, sealed_pem, created_at_us, active_from_us)"
                       f" VALUES ({sequence}, '{key_id}', X'{sealed.hex()}', {made}, {active});"
                       for sequence, key_id, sealed, made, active in found)


def give(otpgate, mysql=None, database=None):
    """As otpgate.prepare(), with keys that are there already. `mysql` and `database`: where they are to be, if not in its folder."""
    key = pathlib.Path(otpgate.settings["keys.master_file"])
    own = otpgate.folder / _DATABASE
    is_usual = database or otpgate.settings["database.url"] == f"sqlite:{own}"
    if key != otpgate.folder / _KEY or key.exists() or not is_usual or own.exists():
        otpgate.prepare()
        return
    files = [shutil.copy(_made() / _KEY, key)]
    if database:
        otpgate.prepare()
        mysql.sql("".join(map(_key_rows, _KEY_TABLES)), database)
    else:
        files.append(shutil.copy(_made() / _DATABASE, own))
    owner = otpgate.folder.stat()
    for file in files:
        os.chown(file, owner.st_uid, owner.st_gid)
