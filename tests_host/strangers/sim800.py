"""usim800 on a terminal: `sim800.py TERMINAL`; prints what it found, as JSON, in its last line."""

import json
import sys
import time

from usim800.Communicate import communicate
from usim800.usim800 import sim800

_sleep = time.sleep
time.sleep = lambda seconds: _sleep(seconds / 10)  # it waits out every time-out
communicate.TIMMEOUT = 0.5

gsm = sim800(baudrate=115200, path=sys.argv[1])
gsm.info.getIMEI()
gsm.info.getRSSI()
gsm.info.checkSim()
gsm.info.getModuleVersion()
gsm.info.getCBC()
found = {"imei": gsm.info.IMEI, "operator": gsm.info.getoprator(), "version": gsm.info.ModuleVersion}
gsm.requests.APN = "internet"
found["address"] = gsm.requests._bearer("internet")
gsm.sms.send("+15550123", "hello")
print(json.dumps(found))
