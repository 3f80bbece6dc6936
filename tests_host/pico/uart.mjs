// The RP2040's UART (PL011) in simulated time: FIFOs of 32 with their levels, receive time-out, overrun, RTS, and both
// directions of the line at the pace of its rate. The emulator's own UART takes any number of bytes in no time.

const TX_LEVELS = [4, 8, 16, 24, 28], RX_LEVELS = [4, 8, 16, 24, 28];
const RX = 1 << 4, TX = 1 << 5, TIMEOUT = 1 << 6, FRAMING = 1 << 7, OVERRUN = 1 << 10; // interrupts
const DEPTH = 32, RTS_ENABLE = 1 << 14;

/** The class, over the emulator's own: its registers of rate, format and control stay as they are. */
export function pl011(RPUART) {
  return class extends RPUART {
    constructor(rp2040, name, irq, dreq) {
      super(rp2040, name, irq, dreq);
      this.received = []; // waiting for the processor: byte | error bits
      this.toSend = []; // waiting for the line
      this.line = []; // what the other side is sending: {rate, bytes, at}
      this.raw = this.mask = 0;
      this.levels = 0x12;
      this.busy = this.sending = this.overrun = this.stalled = false;
      this.rxFree = this.txFree = 0; // when each direction of the line is free, ns
      this.lost = this.sent = 0;
      this.rxAlarm = rp2040.clock.createAlarm(() => this.arrived());
      this.txAlarm = rp2040.clock.createAlarm(() => this.gone());
      this.idleAlarm = rp2040.clock.createAlarm(() => this.raise(this.received.length ? TIMEOUT : 0));
    }
    get depth() { return this.fifosEnabled ? DEPTH : 1; }
    get rxLevel() { return this.fifosEnabled ? RX_LEVELS[(this.levels >> 3) & 7] : 1; }
    get txLevel() { return this.fifosEnabled ? TX_LEVELS[this.levels & 7] : 0; }
    byteNs(rate) {
      const format = this.lineCtrlRegister;
      return (1e9 * (1 + this.wordLength + (format & 2 ? 1 : 0) + (format & 8 ? 2 : 1))) / rate;
    }
    raise(bits) {
      this.raw |= bits;
      this.checkInterrupts();
    }
    checkInterrupts() { this.rp2040.setInterrupt(this.irq, !!(this.raw & this.mask)); }

    // --- from the other side

    /** The other side sends bytes at a rate, behind what it is sending. */
    feed(bytes, rate) {
      this.line.push({ bytes, rate, at: 0 });
      this.next();
    }
    next() {
      const part = this.line[0];
      if (this.busy || !part) return;
      this.stalled = (this.ctrlRegister & RTS_ENABLE) && this.received.length >= this.rxLevel;
      if (this.stalled) return;
      const now = this.rp2040.clock.nanos;
      this.busy = true;
      this.rxFree = Math.max(this.rxFree, now) + this.byteNs(part.rate);
      this.rxAlarm.schedule(this.rxFree - now);
    }
    arrived() {
      const part = this.line[0];
      let byte = part.bytes[part.at++];
      if (part.at === part.bytes.length) this.line.shift();
      this.busy = false;
      const off = Math.abs(part.rate / this.baudRate - 1) > 0.04; // sampled at another rate: another byte
      this.take(off ? ((byte * 37 + 11) & 0xff) | (FRAMING << 1) : byte);
      this.next();
    }
    take(value) {
      if (!this.enabled || !this.rxEnabled) this.lost++;
      else if (this.received.length >= this.depth) {
        this.lost++;
        this.overrun = true;
        this.raise(OVERRUN);
      } else {
        this.received.push(value | (this.overrun ? 1 << 11 : 0));
        this.overrun = false;
        this.idleAlarm.schedule((32 * 1e9) / this.baudRate);
        this.raise((this.received.length === this.rxLevel ? RX : 0) | (value & 0x100 ? FRAMING : 0));
      }
    }

    // --- to the other side

    send() {
      if (this.sending || !this.toSend.length) return;
      const now = this.rp2040.clock.nanos;
      this.sending = true;
      this.shifting = this.toSend.shift();
      if (this.toSend.length === this.txLevel) this.raw |= TX;
      this.txFree = Math.max(this.txFree, now) + this.byteNs(this.baudRate);
      this.txAlarm.schedule(this.txFree - now);
    }
    gone() {
      this.sending = false;
      this.sent++;
      this.onByte?.(this.shifting);
      this.send();
      this.checkInterrupts();
    }

    // --- the registers

    get flags() {
      const n = this.received.length, m = this.toSend.length;
      const empty = (m ? 0 : 1 << 7) | (n ? 0 : 1 << 4);
      const full = (n >= this.depth ? 1 << 6 : 0) | (m >= this.depth ? 1 << 5 : 0);
      return empty | full | (this.sending || m ? 1 << 3 : 0) | 1; // the other side is always clear to send to
    }
    readUint32(offset) {
      switch (offset) {
        case 0x00: {
          const value = this.received.shift() ?? 0;
          if (this.received.length < this.rxLevel) this.raw &= ~RX;
          if (this.received.length) this.idleAlarm.schedule((32 * 1e9) / this.baudRate);
          else {
            this.raw &= ~TIMEOUT;
            this.idleAlarm.cancel();
          }
          this.checkInterrupts();
          if (this.stalled) this.next();
          return value;
        }
        case 0x04: case 0x48: return 0;
        case 0x18: return this.flags;
        case 0x34: return this.levels;
        case 0x38: return this.mask;
        case 0x3c: return this.raw;
        case 0x40: return this.raw & this.mask;
      }
      return super.readUint32(offset);
    }
    writeUint32(offset, value) {
      switch (offset) {
        case 0x00:
          if (this.toSend.length < this.depth) this.toSend.push(value & 0xff);
          if (this.toSend.length > this.txLevel) this.raw &= ~TX;
          this.send();
          return this.checkInterrupts();
        case 0x04: case 0x48: return;
        case 0x2c: return super.writeUint32(offset, value);
        case 0x30: {
          const before = this.enabled;
          super.writeUint32(offset, value);
          if (before && !this.enabled) {
            this.received = [];
            this.toSend = [];
            this.raw = 0;
            this.idleAlarm.cancel();
            this.checkInterrupts();
          }
          return;
        }
        case 0x34: this.levels = value & 0x3f; return;
        case 0x38: this.mask = value & 0x7ff; return this.checkInterrupts();
        case 0x44: this.raw &= ~this.rawWriteValue; return this.checkInterrupts();
      }
      super.writeUint32(offset, value);
    }
  };
}
