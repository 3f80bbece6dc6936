"""The emulated Raspberry Pi Pico: real MicroPython firmware, with virtual modules at its UARTs, in simulated time."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1] / "support"))  # unless it is there already
