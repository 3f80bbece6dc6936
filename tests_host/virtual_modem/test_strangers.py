"""Other people's drivers on the virtual module: their packages as they are published, over a pseudo-terminal."""

import json
import os
import pathlib
import socketserver
import subprocess
import sys
import time

import pytest
from live import serving
from tools import strangers
from tools.system import command

HERE = pathlib.Path(__file__).parents[1]
DRIVERS = HERE / "strangers"
IMEI = "866050030000018"
QUICK = [
    "boot_ms=100",
    "boot_lines=((0, 'RDY'),)",
    "register_ms=200",
    "ciicr_ms=50",
    "sms_ms=100",
    "default_autobaud=False",
]


class Module:
    """A virtual SIM800L on its terminal."""

    def __init__(self, folder, *options):
        self.path, self.control, self.log = folder / "modem", folder / "control", folder / "log"
        words = [sys.executable, "-m", "sim", "--family", "SIM800L", "--link", self.path, "--control", self.control]
        words += [word for setting in QUICK for word in ("--set", setting)]
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([*words, *options], cwd=HERE, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout.readline()
        time.sleep(0.5)  # it boots

    def tell(self, text):
        """A line of the control channel."""
        self.control.write_text(text + "\n")

    def stop(self) -> list:
        """What it has said."""
        self.process.terminate()
        self.process.wait(60)
        return [line.removeprefix("sim: ") for line in self.log.read_text().splitlines()]


@pytest.fixture
def module(tmp_path):
    running = []

    def make(*options):
        running.append(Module(tmp_path, *options))
        return running[-1]

    yield make
    for each in running:
        each.stop()


def run(words, **environment) -> str:
    """What a program prints; it must succeed."""
    done = subprocess.run(
        list(map(str, words)), env={**os.environ, **environment}, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def run_python(name, *words) -> dict:
    """A driver in Python."""
    path = os.pathsep.join(map(str, (strangers.python(), HERE)))
    return json.loads(run([sys.executable, "-W", "ignore", DRIVERS / name, *words], PYTHONPATH=path).splitlines()[-1])


def test_adafruit_fona_downloads(module):
    body = b"HTTP/1.0 200 OK\r\n" + bytes(range(256)) * 4

    class Page(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(10)
            self.request.sendall(body)
            self.request.recv(10)  # until it closes

    with serving(Page) as server:
        driven = module("--map", "example.com:80=127.0.0.1:%d" % server.server_address[1])
        found = run_python("fona.py", driven.path, "example.com", "80")
    assert found == {
        "version": 1,  # FONA_800_L
        "imei": IMEI,
        "status": 1,
        "rssi": -74.0,
        "connected": True,
        "open": True,
        "line": "HTTP/1.0 200 OK",
        "rest": 1024,
        "closed": True,
    }


def test_gsmmodem_texts_and_calls(module):
    driven = module()
    found = run_python("gsmmodem.py", driven.path, driven.control)
    assert found == {
        "signal": 20,
        "network": "Simulated",
        "model": "SIMCOM_SIM800L",
        "imei": IMEI,
        "imsi": "001010000000018",
        "centre": "+15550001",
        "pdu": ["+15550100", "hello in PDU mode"],
        "text": ["+15550100", "hello in text mode"],
        "ussd": "Your balance is 1.65 credit",
        "caller": "+15550100",
        "answered": True,
    }
    said = driven.stop()
    assert "text to +15550123: sent in PDU mode" in said and "text to +15550123: sent in text mode" in said


def test_usim800_asks_and_texts(module):
    driven = module()
    found = run_python("sim800.py", driven.path)
    assert found == {
        "imei": IMEI,
        "operator": " Simulated",
        "version": "1418B05SIM800L24",
        "address": "10.78.245.128",
    }
    assert "text to +15550123: hello\r\n" in [line.encode().decode("unicode_escape") for line in driven.stop()]


def test_serialport_gsm_texts(module):
    node, packages = strangers.node()
    driven = module()
    words = [*node, DRIVERS / "serialport-gsm.js", driven.path, driven.control]
    assert json.loads(run(words, NODE_PATH=str(packages))) == {
        "started": "success",
        "serial": IMEI,
        "signal": "20",
        "sent": "hello",
        "message": ["15550100", "hello from afar"],
        "inbox": ["hello from afar"],
    }
    assert "text to +15550123: hello" in driven.stop()


def test_gammu_identifies_reads_and_sends(module, tmp_path):
    gammu = command("gammu")
    driven = module()
    driven.tell("sms +15550100 hello from afar")
    (tmp_path / "gammurc").write_text("[gammu]\ndevice=%s\nconnection=at115200\n" % driven.path)
    (tmp_path / "batch").write_text("identify\nnetworkinfo\ngetallsms\nsendsms TEXT +15550123 -text hello\n")
    found = run([*gammu, "--config", tmp_path / "gammurc", "--batch", tmp_path / "batch"])
    assert "SIMCOM_SIM800L" in found and IMEI in found and "001010000000018" in found
    assert "home network" in found and "LAC 1A2B, CID D4E5" in found and '"Simulated"' in found
    assert 'Remote number        : "+15550100"' in found and "hello from afar" in found
    assert "text to +15550123: hello" in driven.stop()
