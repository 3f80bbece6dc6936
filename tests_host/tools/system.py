"""Finds a system program that the tests use, or fetches it into .tools/ without touching the system.

    python3 tests_host/tools/system.py gammu|micropython|micropython32|mosquitto|node|openssl|valgrind

prints the path to start, or nothing, the reason on stderr and exit status 1. From a test or tests_host/bench.py:

    from tools.system import command, micropython_command
    subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *micropython_command(), "x.py"])

A fetched program runs through the dynamic loader that was fetched with it. `micropython_command()` is that loader's
command line: valgrind must be given it, since under the wrapper script it would measure the shell.

The fetch uses apt with a configuration of its own: the mirror, proxy and credentials are those of the machine, the
suite is the one below, the signature is checked against Debian's keyring, and all state is kept in .tools/apt. It needs
no root.
"""

import contextlib
import fcntl
import glob
import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
TOOLS = TREE / ".tools"
SUITE = "trixie"  # the oldest Debian with MicroPython 1.24 or newer (Debian 12 has 1.19)
KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp")

# name: path inside the package of that name (node: nodejs), variables that hold paths inside the unpacked tree
PROGRAMS = {
    "node": ("usr/bin/node", {}),
    "gammu": ("usr/bin/gammu", {}),
    "micropython": ("usr/bin/micropython", {}),
    "micropython32": ("usr/bin/micropython", {}),  # always fetched, see below
    "mosquitto": ("usr/sbin/mosquitto", {}),
    "openssl": ("usr/bin/openssl", {"OPENSSL_CONF": "etc/ssl/openssl.cnf"}),
    "valgrind": ("usr/bin/valgrind.bin", {"VALGRIND_LIB": "usr/libexec/valgrind"}),
}

# Debian's 32-bit architecture whose programs such a machine runs too. On these MicroPython has what it has on a board:
# integers of 31 bits, heap blocks of 16 bytes.
NARROW = {"x86_64": "i386", "aarch64": "armhf"}

NEEDED_OF_MICROPYTHON = """
import asyncio, micropython, select, sys, tls
micropython.RingIO
raise SystemExit(sys.implementation.version[:2] < (1, 24))
"""

APT_CONF = """\
Dir::Etc::sourcelist "{apt}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "{apt}/state";
Dir::State::status "{apt}/status";
Dir::Cache "{apt}/cache";
APT::Sandbox::User "";
APT::Install-Recommends "0";
Acquire::GzipIndexes "1";
Acquire::Languages "none";
Acquire::Retries "2";
Debug::NoLocking "1";
#clear APT::Default-Release;
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


@contextlib.contextmanager
def locked(name):
    """One at a time: two runs of make in one tree would otherwise unpack over each other."""
    TOOLS.mkdir(exist_ok=True)
    with open(TOOLS / (name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Unavailable(unittest.SkipTest):
    """The program cannot be had on this machine; the message says why. A test that needs it is skipped."""


def mirrors(etc=Path("/etc/apt")):
    """URIs of the Debian mirrors that this machine's own apt uses, in the order of its files."""
    stanzas = []
    for path in [etc / "sources.list", *sorted(etc.glob("sources.list.d/*.list"))]:
        for line in path.read_text().splitlines() if path.exists() else ():
            match = re.match(r"\s*deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]*)", line)
            if match:
                stanzas.append(match.groups())
    for path in sorted(etc.glob("sources.list.d/*.sources")):
        text = re.sub(r"(?m)^#.*\n", "", path.read_text() + "\n")
        for stanza in re.split(r"\n\s*\n", text):
            fields = {k.lower(): v for k, v in re.findall(r"(?m)^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)", stanza)}
            if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").strip().lower() != "no":
                for uri in fields.get("uris", "").split():
                    stanzas.append((uri, fields.get("suites", ""), fields.get("components", "")))
    known = {"stable", "oldstable", "testing", SUITE, _codename()}
    found = [u for u, suites, parts in stanzas if "main" in parts.split() and known & set(suites.split())]
    return list(dict.fromkeys(u for u in found if not u.startswith("cdrom:")))


def _codename():
    with contextlib.suppress(OSError):
        match = re.search(r'(?m)^VERSION_CODENAME="?(\w+)', Path("/etc/os-release").read_text())
        return match[1] if match else ""


def run(*args, cwd=None):
    """Run a command quietly; what it complains of is the reason of Unavailable."""
    done = subprocess.run(args, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        said = re.findall(r"(?m)^E: (.*)", done.stdout) or done.stdout.strip().splitlines()[-1:]
        raise Unavailable("%s: %s" % (args[0], said[0] if said else "exit status %d" % done.returncode))


def download(packages, dependencies=True, architecture="", sources=()):
    """Downloads packages (NAME or NAME=VERSION), with what they depend on, and source packages; returns the folder."""
    for tool in ("apt-get", "dpkg"):
        if not shutil.which(tool):
            wanted = ", ".join([*packages, *sources])
            raise Unavailable("%s can only be fetched where there is apt; install it and put it on PATH" % wanted)
    keyring = next(filter(os.path.exists, KEYRINGS), None)
    if not keyring:
        raise Unavailable("Debian's archive keyring is not installed (package debian-archive-keyring)")
    apt = TOOLS / "apt"
    archives = apt / "cache/archives"
    for folder in (apt / "state/lists/partial", archives / "partial"):
        folder.mkdir(parents=True, exist_ok=True)
    (apt / "status").write_text("")  # nothing counts as installed, so that every dependency is fetched
    conf = APT_CONF.format(apt=apt)
    if architecture:
        conf += 'APT::Architecture "%s";\nAPT::Architectures { "%s"; };\n' % (architecture, architecture)
    (apt / "apt.conf").write_text(conf)
    get = ("apt-get", "-c", str(apt / "apt.conf"))
    reason = Unavailable("apt on this machine has no Debian mirror configured")
    for uri in mirrors():
        kinds = ("deb", "deb-src") if sources else ("deb",)
        lines = ["%s [signed-by=%s] %s %s main\n" % (kind, keyring, uri, SUITE) for kind in kinds]
        (apt / "sources.list").write_text("".join(lines))
        try:
            run(*get, "update", "--error-on=any")
            if packages and dependencies:
                run(*get, "install", "--download-only", "--yes", *packages)
            elif packages:
                run(*get, "download", *packages, cwd=archives)
            if sources:
                run(*get, "source", "--download-only", *sources, cwd=archives)
            return archives
        except Unavailable as failed:
            reason = failed
    raise reason


@contextlib.contextmanager
def whole(folder):
    """A folder to be filled, which appears under its name when it is complete: one that exists is whole."""
    shutil.rmtree(folder, ignore_errors=True)
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    yield part
    part.rename(folder)


def fetch(package, into, dependencies=True, architecture=""):
    """Downloads a package of the suite, with what it depends on, and unpacks it into a folder."""
    archives = download([package], dependencies, architecture)
    with whole(into) as part:
        for deb in archives.glob("*.deb"):
            run("dpkg", "-x", str(deb), str(part))
            deb.unlink()


def _fetched_command(name, root):
    """The loader's command line for a program unpacked under root, and its environment."""
    binary, variables = PROGRAMS[name]
    loader = next(iter(sorted(glob.glob("%s/usr/lib/*/ld-linux*.so.*" % root))), None)
    if not loader or not os.path.exists("%s/%s" % (root, binary)):
        raise Unavailable("%s: the unpacked package lacks its loader or %s" % (name, binary))
    env = {key: "%s/%s" % (root, path) for key, path in variables.items()}
    libraries = "%s:%s/usr/lib" % (os.path.dirname(loader), root)
    return [loader, "--library-path", libraries, "%s/%s" % (root, binary)], env


def _write_wrapper(name, root):
    words, env = _fetched_command(name, root)

    def shell(path):  # relative to the script, so that the tree can be moved
        return '"%s"' % path.replace(str(TOOLS), "$here")

    lines = ["#!/bin/sh", "# Written by tests_host/tools/system.py.", "here=${0%/*}"]
    lines += ["export %s=%s" % (key, shell(path)) for key, path in env.items()]
    lines.append("exec %s" % " ".join([*map(shell, words), '"$@"']))
    wrapper = TOOLS / name
    wrapper.write_text("\n".join(lines) + "\n")
    wrapper.chmod(0o755)
    return str(wrapper)


def _suits(name, path):
    """Whether a program on PATH is new enough."""
    if name.startswith("micropython"):
        words = ["-c", NEEDED_OF_MICROPYTHON]
    elif name == "node":
        words = ["-e", "process.exit(+(parseInt(process.versions.node) < 18))"]
    else:
        return True
    try:
        return subprocess.run([path, *words], capture_output=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def find(name):
    """Path of the program: that on PATH if it suits, else the fetched one (fetched now if need be)."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path and _suits(name, path):
        return path
    root = TOOLS / "root" / name
    wrapper = TOOLS / name
    with locked("system"):
        if not root.exists():
            print("fetching %s into .tools/" % name, file=sys.stderr)
            package, narrow, _ = name.partition("32")
            if narrow and os.uname().machine not in NARROW:
                raise Unavailable("no 32-bit programs run on %s" % os.uname().machine)
            package = {"node": "nodejs"}.get(package, package)
            fetch(package, root, architecture=NARROW[os.uname().machine] if narrow else "")
        if not wrapper.exists():
            _write_wrapper(name, root)
    if not _suits(name, str(wrapper)):
        raise Unavailable("the fetched %s does not start on this machine" % name)
    return str(wrapper)


def command(name):
    """The program's command as a list, without a shell between; raises Unavailable."""
    path = find(name)
    if path != str(TOOLS / name):
        return [path]
    words, env = _fetched_command(name, TOOLS / "root" / name)
    return ["env", *("%s=%s" % item for item in env.items()), *words] if env else words


def micropython_command(narrow=False):
    """What starts MicroPython, to be put after a measuring program or before a script; `narrow`: a 32-bit one."""
    return command("micropython32" if narrow else "micropython")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in PROGRAMS:
        sys.exit("usage: system.py %s" % "|".join(PROGRAMS))
    try:
        print(find(sys.argv[1]))
    except Unavailable as e:
        sys.exit("no %s: %s" % (sys.argv[1], e))
