"""The shared cases with a modem that was told to work in another way."""

import contextlib

import rig  # first: it puts the shim in place
import peer
import pytest
import target
from families import CA
from test_cases import HOST, PORTS, Virtual


class Mode(Virtual):
    """A target whose modem got `modem_args` when it was made, and `settings` by config() before it was connected."""

    def __init__(self, seed, family, modem_args=None, settings=None):
        self.rig = rig.Rig(seed, family=family, up=False, modem_args=modem_args)
        self.modem = self.rig.modem
        if settings:
            self.modem.config(**settings)
        self.modem.connect("internet")
        for kind, maker in peer.KINDS.items():
            self.rig.net.serve(HOST, PORTS[kind], maker)
        taught(self.rig)


def taught(r):
    """Let the library see how this module pushes: what is behind the bytes, if not CR LF, is loss the first time."""
    for _ in range(2 * r.modem.channel.parser.pushed * (r.family in CA)):
        with contextlib.suppress(OSError):
            r.works()
    return r


def cases(families, seeds, without=(), only=""):
    """Parameters case, family, seed: every shared case whose row is TCP, but those named."""
    for family in families:
        for name, case in target.cases():
            if getattr(case, "feature", "tcp") != "tcp" or name in without or only not in name:
                continue
            for seed in seeds:
                yield pytest.param(case, family, seed, id="%s-%s-%s" % (family, name, seed))
