#define MICROPY_HW_BOARD_NAME "Raspberry Pi Pico, simcom"
#define MICROPY_HW_FLASH_STORAGE_BYTES (1408 * 1024) // as the stock firmware: the files stay
#define MICROPY_PY_SSL (1)
