"""The rain gauge on a virtual module: what it does on a good day, and on bad ones."""

import machine
import pytest
from pytest_simcom import Blackhole, Broker

MINUTES = 7  # and half a minute for power-up and registration
pytestmark = pytest.mark.simcom("sim7000", pwrkey=4)


@pytest.fixture
def broker(serve):
    return serve("broker.example", 1883, Broker())


@pytest.fixture
def rain(module):
    """Two tips a minute: the switch closes for a moment."""

    def tip():
        machine.Pin(14).drive(0)
        machine.Pin(14).drive(1)
        module.after(30, tip)

    module.after(30, tip)


def sums(broker):
    return [int(payload) for topic, payload in broker.messages if topic == "rain"]


def trouble():
    return machine.Pin(12).value()


def test_publishes_each_minute(run, broker, rain):
    assert run("main.py", seconds=MINUTES * 60) == "stopped"
    assert sums(broker) == [0, 2, 4, 6, 8, 10, 12]
    assert not trouble()


def test_survives_a_lost_context(module, run, broker, rain):
    module.after(200, module.lose_context)
    run("main.py", seconds=MINUTES * 60)
    assert len(broker.connects) == 2 and sums(broker)[-1] == 13
    assert not trouble()


def test_survives_a_restart_of_the_module(module, run, broker, rain):
    module.after(200, module.restart)
    run("main.py", seconds=MINUTES * 60)
    assert len(broker.connects) == 2 and sums(broker)[-1] == 13
    assert not trouble()


def test_waits_until_the_broker_is_back(module, run, broker, serve, rain):
    serve("broker.example", 1883, Blackhole)
    module.after(300, lambda: serve("broker.example", 1883, broker))
    run("main.py", seconds=MINUTES * 60)
    assert len(sums(broker)) == 2 and not trouble()


def test_gives_a_wrong_pin_once(module, run, broker):
    module.sim("SIM PIN", pin="8642")
    run("main.py", seconds=3600)
    assert module.pins == ["1234"] and broker.connects == []
    assert trouble()
