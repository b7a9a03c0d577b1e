"""A machine that loses power: `python -m tests.campaign.power FOLDER FULL|NORMAL ORDERS` places orders and dies.

SQLite writes through the operating system here, but after each fsync the file is copied to FOLDER/disk as it is then:
what lies there at the end is all that a disk would hold after power was lost.
"""

import ctypes
import os
import shutil
import sys
import uuid
from pathlib import Path
from typing import Any

NAME = "desk.sqlite3"
POINTER = ctypes.c_void_p
OPEN = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, POINTER, POINTER, ctypes.c_int, POINTER)
SYNC = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, ctypes.c_int)
METHODS_BYTES = 8 * 19  # sqlite3_io_methods, version 3
SYNC_AT = 8 * 5  # after the version, xClose, xRead, xWrite and xTruncate
_kept: list[Any] = []  # what C points to must not be collected


class Vfs(ctypes.Structure):
    """sqlite3_vfs, version 3, as far as xOpen; the rest is taken over as it is."""

    _fields_ = (
        ("iVersion", ctypes.c_int),
        ("szOsFile", ctypes.c_int),
        ("mxPathname", ctypes.c_int),
        ("pNext", POINTER),
        ("zName", ctypes.c_char_p),
        ("pAppData", POINTER),
        ("xOpen", POINTER),
        ("rest", POINTER * 15),
    )


def library() -> Any:
    """The SQLite that Python's own module stands on; None when it cannot be reached from outside."""
    import _sqlite3

    try:
        found = ctypes.CDLL(_sqlite3.__file__)
        found.sqlite3_vfs_find.restype = ctypes.POINTER(Vfs)
    except (AttributeError, OSError):
        return None
    return found


def copy_after_fsync(disk: Path) -> None:
    """From now on every file that SQLite opens in this process is copied to `disk` whenever it is fsynced."""
    sqlite = library()
    usual = sqlite.sqlite3_vfs_find(None).contents
    ours = Vfs.from_buffer_copy(usual)
    ours.pNext, ours.zName = None, b"power"
    usual_open = OPEN(usual.xOpen)

    def open_file(vfs: int, name: int | None, file: int, flags: int, flags_out: int) -> int:
        result: int = usual_open(vfs, name, file, flags, flags_out)
        if result or not name or ctypes.string_at(name).endswith(b"-journal"):  # WAL leaves none
            return result
        path = Path(ctypes.string_at(name).decode())
        methods = ctypes.create_string_buffer(ctypes.string_at(POINTER.from_address(file).value or 0, METHODS_BYTES))
        sync = POINTER.from_buffer(methods, SYNC_AT)
        usual_sync = SYNC(sync.value or 0)

        def sync_file(file: int, flags: int) -> int:
            result: int = usual_sync(file, flags)
            shutil.copyfile(path, disk / path.name)
            return result

        callback = SYNC(sync_file)
        sync.value = ctypes.cast(callback, POINTER).value
        POINTER.from_address(file).value = ctypes.addressof(methods)
        _kept.extend((methods, callback))
        return result

    callback = OPEN(open_file)
    ours.xOpen = ctypes.cast(callback, POINTER).value
    _kept.extend((ours, callback))
    if sqlite.sqlite3_vfs_register(ctypes.byref(ours), 1):
        raise SystemExit("SQLite does not take the file system")


def place_orders(durability: str, orders: int) -> None:
    """Says the request_id of each order once it is committed: from then on the worker might send it."""
    import django
    from django.conf import settings

    options = settings.DATABASES["default"]["OPTIONS"]
    if durability != "FULL":
        options["init_command"] = options["init_command"].replace("synchronous=FULL", f"synchronous={durability}")
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # all that came before the orders is on the disk
    from tests.makers import make_service, make_user, place_order

    by, service = make_user(), make_service()
    for number in range(orders):
        order = place_order(by=by, service=service, token=uuid.uuid4(), link=f"https://instagram.com/p/{number}")
        print(order.request_id, flush=True)


def main() -> None:
    folder, durability, orders = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    (folder / "disk").mkdir()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "panel.settings",
        "SECRET_KEY": "power",
        "DATABASE_URL": f"sqlite:///{folder / NAME}",
    }
    copy_after_fsync(folder / "disk")
    place_orders(durability, orders)
    os._exit(0)  # no connection is closed in good order, so nothing is brought to the disk at the last moment


if __name__ == "__main__":
    main()
