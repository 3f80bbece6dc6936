"""python-gsmmodem-new on a terminal: `gsmmodem.py TERMINAL CONTROL`; prints what it found, as JSON."""

import json
import pathlib
import queue
import sys
import threading

sys.path.remove(str(pathlib.Path(__file__).parent))  # this file has the package's name
from gsmmodem.modem import GsmModem

path, control = sys.argv[1:]
came, called = queue.Queue(), queue.Queue()


def control_line(text):
    """Tell the module's control channel."""
    with open(control, "w") as channel:
        channel.write(text + "\n")


modem = GsmModem(path, 115200, incomingCallCallbackFunc=called.put, smsReceivedCallbackFunc=came.put)
modem.connect()
found = {"signal": modem.waitForNetworkCoverage(10), "network": modem.networkName, "model": modem.model}
found.update({"imei": modem.imei, "imsi": modem.imsi, "centre": modem.smsc})
for mode in (False, True):
    modem.smsTextMode = mode
    modem.sendSms("+15550123", "sent in %s mode" % ("text" if mode else "PDU"))
    control_line("sms +15550100 hello in %s mode" % ("text" if mode else "PDU"))
    message = came.get(timeout=10)
    found["text" if mode else "pdu"] = [message.number, message.text]
found["ussd"] = modem.sendUssd("*100#").message
control_line("call +15550100")
call = called.get(timeout=10)
found["caller"] = call.number
call.answer()
call.hangup()
answered = threading.Event()
modem.dial("+15550123", callStatusUpdateCallbackFunc=lambda call: call.answered and answered.set())
found["answered"] = answered.wait(10)
modem.close()
print(json.dumps(found))
