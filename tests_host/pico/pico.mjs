// A Raspberry Pi Pico that runs as long as it is told: node pico.mjs FOLDER FIRMWARE [FLASH]
//
// FOLDER: .tools/pico. Everything passes through standard input and output, one line each way, so that a run depends on
// nothing but what it is given: the same lines give the same cycles on every machine.
//
//   run NS WORD...   let it run to the simulated time NS, or some 20 us beyond the first thing that it does to the
//                    outside; answers `NS WORD...`. Words in: `u1:RATE:HEX` bytes that UART 1 receives, `usb:HEX` typed
//                    at the REPL, `box:HEX` the answer to a question. Words out: `u1:RATE:HEX` bytes that it has sent,
//                    `p2=1` a pin that it drives, `usb:HEX` printed, `box:HEX` a question (see `Box`).
//   stat             answers counters as JSON
//   save FILE        writes the flash
import fs from 'fs';
import path from 'path';
import { pl011 } from './uart.mjs';

const [folder, firmware, flash] = process.argv.slice(2);
const load = (path) => import(`${fs.realpathSync(folder)}/emulator/dist/esm/${path}`);
const { RP2040 } = await load('rp2040.js');
const { RPUART } = await load('peripherals/uart.js');
const { SimulationClock } = await load('clock/simulation-clock.js');
const { USBCDC } = await load('usb/cdc.js');
const { GPIOPin } = await load('gpio-pin.js');
const { ConsoleLogger, LogLevel } = await load('utils/logging.js');
const { FastCore } = await load('core-fast.mjs');

const QUANTUM_NS = 20_000; // how late the outside may learn of something
const FLASH_SIZE = 2 * 1024 * 1024;
const XIP_MISS = 50, INTERRUPT_ENTRY = 15, INTERRUPT_EXIT = 13; // cycles
const ERASE_MS = 45, PROGRAM_US = 400; // a sector of 4 kB, a page of 256 bytes: the flash chip's typical values

// An output's level can be read back, as PWRKEY's is.
const read = Object.getOwnPropertyDescriptor(GPIOPin.prototype, 'inputValue').get;
Object.defineProperty(GPIOPin.prototype, 'inputValue', {
  get() { return this.outputEnable ? this.outputValue : read.call(this); },
});

/** Time is what the core's cycles say; alarms fire between two instructions. */
class Clock extends SimulationClock {
  base = 0; baseCycles = 0; nsPerCycle = 8; limit = 0;
  get nanos() { return this.core ? this.base + (this.core.cycles - this.baseCycles) * this.nsPerCycle : 0; }
  cyclesAt(ns) { return this.baseCycles + Math.ceil((ns - this.base) / this.nsPerCycle - 1e-6); }
  setFrequency(hz) {
    this.base = this.nanos;
    this.baseCycles = this.core.cycles;
    this.nsPerCycle = 1e9 / hz;
    this.plan();
  }
  plan() { // the core stops for the nearer of the next alarm and the end of this run
    if (this.core) this.core.deadline = this.cyclesAt(Math.min(this.limit, this.nextAlarm?.nanos ?? Infinity));
  }
  linkAlarm(ns, alarm) { super.linkAlarm(ns, alarm); this.plan(); return alarm; }
  unlinkAlarm(alarm) { const found = super.unlinkAlarm(alarm); this.plan(); return found; }
  fire() {
    for (let alarm; (alarm = this.nextAlarm) && alarm.nanos <= this.nanos + 1e-3; ) {
      this.nextAlarm = alarm.next;
      alarm.scheduled = false;
      alarm.callback();
    }
    this.plan();
  }
  pass(ns) { // the processor is held up, everything else goes on
    const end = this.nanos + ns;
    while (this.nextAlarm && this.nextAlarm.nanos <= end) {
      this.core.cycles = Math.max(this.core.cycles, this.cyclesAt(this.nextAlarm.nanos));
      this.fire();
    }
    this.core.cycles = Math.max(this.core.cycles, this.cyclesAt(end));
    this.plan();
  }
}

const clock = new Clock();
const mcu = new RP2040(clock);
const core = (mcu.core = new FastCore(mcu));
core.begin(XIP_MISS, INTERRUPT_ENTRY, INTERRUPT_EXIT);
clock.core = core;
mcu.logger = new ConsoleLogger(LogLevel.Error);
mcu.addClockListener((hz) => clock.setFrequency(hz));

console.warn = () => {}; // registers that the emulator does not know: the firmware lives without them

// What the outside must hear of soon
const out = [];
const heard = () => {
  clock.limit = Math.min(clock.limit, (Math.floor(clock.nanos / QUANTUM_NS) + 1) * QUANTUM_NS);
  clock.plan();
};
const tell = (word) => {
  out.push(word);
  heard();
};

// --- UARTs
const Uart = pl011(RPUART);
mcu.uart.forEach((old, n) => {
  const uart = new Uart(mcu, old.name, old.irq, old.dreq);
  uart.bytes = [];
  uart.onByte = (byte) => {
    uart.bytes.push(byte);
    heard();
  };
  mcu.uart[n] = mcu.peripherals[n ? 0x40038 : 0x40034] = uart;
});

// --- pins
mcu.gpio.forEach((pin, n) => pin.addListener((state) => state <= 1 && tell(`p${n}=${state}`)));

// --- USB: what the host types waits until the firmware asks for it
class Console extends USBCDC {
  typed = []; wanted = null;
  constructor(usb) {
    super(usb);
    this.onSerialData = (bytes) => bytes.length && tell('usb:' + Buffer.from(bytes).toString('hex'));
    usb.onEndpointRead = (endpoint, size) => {
      if (endpoint !== this.outEndpoint) return;
      this.wanted = size;
      this.give();
    };
  }
  type(bytes) { this.typed.push(...bytes); this.give(); }
  give() {
    if (this.wanted === null || !this.typed.length) return;
    const bytes = this.typed.splice(0, Math.min(this.wanted, 64));
    this.wanted = null;
    this.usb.endpointReadDone(this.outEndpoint, Uint8Array.from(bytes));
  }
}
const usb = new Console(mcu.usbCtrl);

// --- how often the heap is asked, also for a frame that does not fit on the stack and is given back at once;
// and how deep the C stack is at its deepest call of a Python function, as MicroPython itself checks it
let allocations = 0, lowest = 0x42000;
const { gc_alloc, mp_cstack_check } = JSON.parse(fs.readFileSync(path.join(path.dirname(firmware), 'symbols.json')));
core.blTaken = () => {
  if (core.registers[15] === gc_alloc) allocations++;
  else if (core.registers[15] === mp_cstack_check) lowest = Math.min(lowest, core.registers[13] & 0xfffff);
};

// --- the C stack, 8 kB at the end of the RAM: what is never written keeps its paint
const STACK = 0x40000, STACK_END = 0x42000, PAINT = 0x5a;
const paintStack = () => {
  mcu.sram.fill(PAINT, STACK, core.registers[13] & 0xfffff);
  lowest = STACK_END;
};
const stackUsed = () => STACK_END - STACK - mcu.sram.subarray(STACK).findIndex((byte) => byte !== PAINT);

// --- Box: counters, and questions to the outside; where a real RP2040 has nothing
const box = (mcu.peripherals[0x40070] = {
  question: [], answer: [], marks: 0,
  readUint32(offset) {
    const small = (number) => number % 2 ** 29; // what MicroPython keeps without allocating
    switch (offset) {
      case 0x00: return small(core.cycles);
      case 0x04: return small(core.idle);
      case 0x08: return small(mcu.uart[1].lost);
      case 0x0c: return small(Math.floor(core.cycles / 64));
      case 0x1c: return small(Math.floor(core.idle / 64));
      case 0x20: return stackUsed();
      case 0x24: return allocations;
      case 0x28: return STACK_END - lowest;
      case 0x14: return this.answer.length;
      case 0x18: return this.answer.shift() ?? 0;
    }
    return 0;
  },
  writeUint32Atomic(offset, value) {
    if (offset === 0x20) paintStack();
    else if (offset === 0x10) this.question.push(value & 0xff);
    else if (offset === 0x14) {
      tell('box:' + Buffer.from(this.question).toString('hex'));
      this.question = [];
    }
  },
});

// --- boot ROM; its flash functions act on the image, and take the chip's time
const rom = new Uint32Array(fs.readFileSync(`${folder}/python/bootrom.bin`).buffer.slice(0, 16384));
mcu.loadBootrom(rom);
const words = new DataView(mcu.bootrom.buffer);
const hooks = {};
function hook(code, action) {
  for (let at = words.getUint16(0x14, true); words.getUint16(at, true); at += 4) {
    if (words.getUint16(at, true) !== code.charCodeAt(0) + 256 * code.charCodeAt(1)) continue;
    const address = words.getUint16(at + 2, true) & ~1, number = Object.keys(hooks).length + 1;
    words.setUint16(address, 0xbe00 | number, true); // BKPT
    words.setUint16(address + 2, 0x4770, true); // BX LR
    hooks[number] = action;
  }
}
let erased = 0;
for (const code of ['IF', 'EX', 'CX']) hook(code, () => {});
hook('FC', () => core.flushCache());
hook('RE', () => {
  const [address, count] = core.registers;
  mcu.flash.fill(0xff, address, address + count);
  erased += count / 4096;
  clock.pass((ERASE_MS * 1e6 * count) / 4096);
});
hook('RP', () => {
  const [address, from, count] = core.registers;
  for (let i = 0; i < count; i++) mcu.flash[address + i] &= mcu.readUint8(from + i);
  clock.pass((PROGRAM_US * 1e3 * count) / 256);
});
mcu.onBreak = (number) => (hooks[number] ? hooks[number]() : (core.stopped = `breakpoint ${number}`));

if (flash) mcu.flash.set(fs.readFileSync(flash));
mcu.flash.set(fs.readFileSync(firmware));
core.PC = 0x10000000;

// --- the conversation
function run(until) {
  clock.limit = until;
  if (out.length) heard();
  clock.plan();
  while (clock.nanos < clock.limit - 1e-3 && !core.stopped) {
    if (core.waiting) {
      core.idle += Math.max(0, core.deadline - core.cycles);
      core.cycles = Math.max(core.cycles, core.deadline);
    } else core.run();
    clock.fire();
  }
  if (core.stopped) throw new Error(`${core.stopped}, pc ${core.PC.toString(16)}, lr ${core.LR.toString(16)}`);
  mcu.uart.forEach((uart, n) => {
    if (!uart.bytes.length) return;
    out.push(`u${n}:${uart.baudRate}:${Buffer.from(uart.bytes).toString('hex')}`);
    uart.bytes = [];
  });
  return [Math.round(clock.nanos), ...out.splice(0)].join(' ');
}

function given(word) {
  const [name, ...rest] = word.split(':');
  const bytes = Buffer.from(rest.at(-1), 'hex');
  if (name === 'usb') usb.type(bytes);
  else if (name === 'box') box.answer.push(...bytes);
  else mcu.uart[+name[1]].feed(bytes, +rest[0]);
}

function answer(line) {
  const [command, first, ...more] = line.split(' ');
  switch (command) {
    case 'run': more.forEach(given); return run(+first);
    case 'save': fs.writeFileSync(first, mcu.flash.subarray(0, FLASH_SIZE)); return 'ok';
    case 'stat': {
      const uarts = mcu.uart.map(({ lost, sent, levels }) => ({ lost, sent, levels }));
      return JSON.stringify({ cycles: core.cycles, idle: core.idle, ns: clock.nanos, erased, uarts });
    }
  }
  throw new Error('no such command: ' + line);
}

const buffer = Buffer.alloc(65536);
let text = '';
for (;;) {
  const end = text.indexOf('\n');
  if (end < 0) {
    const count = fs.readSync(0, buffer);
    if (!count) process.exit(0);
    text += buffer.latin1Slice(0, count);
    continue;
  }
  const reply = Buffer.from(answer(text.slice(0, end)) + '\n');
  text = text.slice(end + 1);
  for (let at = 0; at < reply.length; ) at += fs.writeSync(1, reply, at);
}
