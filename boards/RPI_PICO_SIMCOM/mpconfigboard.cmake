# A Raspberry Pi Pico with what the stock firmware lacks: TLS and this library, frozen. `make firmware` builds it; with a
# MicroPython tree of your own, after `make mpy` here: make -C ports/rp2 BOARD=RPI_PICO_SIMCOM BOARD_DIR=…/boards/RPI_PICO_SIMCOM
set(PICO_BOARD "pico")
set(PICO_PLATFORM "rp2040")
set(MICROPY_BOARD_PINS "${MICROPY_PORT_DIR}/boards/RPI_PICO/pins.csv")
set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
