"""A pytest plugin: MicroPython programs that use simcom are tested on CPython, on a virtual module and virtual time.

    def test_publishes(module, serve, run):
        broker = serve("broker.example", 1883, Broker())
        module.after(60, module.restart)
        assert run("main.py", seconds=300) == "stopped"
        assert len(broker.messages) == 5

`@pytest.mark.simcom("a76xx", pwrkey=4)` says which module it is, or several (the test runs with each); further
arguments are those of Module. `simcom_family` in the settings of pytest is for all tests that say nothing.
"""

from sim import Blackhole, Blob, Drip, Echo, Peer, Refuse, Script, Sink, Slam, Stall

from .broker import Broker
from .module import Hang, Module

__all__ = ["Blackhole", "Blob", "Broker", "Drip", "Echo", "Hang", "Module", "Peer", "Refuse", "Script", "Sink", "Slam"]
__all__ += ["Stall"]
