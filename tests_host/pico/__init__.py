"""The emulated Raspberry Pi Pico: real MicroPython firmware, with virtual modules at its UARTs, in simulated time."""
