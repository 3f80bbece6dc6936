// Writes a faster core beside the emulator's own, of which it is made: node core.mjs cortex-m0-core.js core-fast.mjs
//
// rp2040js decodes an instruction by walking some eighty conditions. Here each of the 65,536 opcodes finds its branch
// by a table, and the branches' bodies, taken from the installed file, become the cases of one switch. What a real
// RP2040 adds is added: the cache in front of the flash (XIP), the cycles of entering and leaving an interrupt.
import fs from 'fs';

const [source, target] = process.argv.slice(2);
const lines = fs.readFileSync(source, 'utf8').split('\n');
const begin = lines.findIndex((line) => /^    executeInstruction\(\) \{/.test(line));
const end = lines.findIndex((line, i) => i > begin && /^    \}/.test(line));

// The chain `if (condition) {...} else if ...`, as [{condition, body}]
const branches = [];
let open = null;
for (const line of lines.slice(begin + 1, end)) {
  const head = line.match(/^        (?:else )?if \((.*)\) \{$/);
  if (head && /opcode/.test(head[1])) branches.push((open = { condition: head[1], body: [] }));
  else if (/^        (else \{|\})$/.test(line)) open = null;
  else if (open) open.body.push(line);
}
if (branches.length < 60) throw new Error('the installed core is written otherwise: ' + branches.length + ' branches');

for (const branch of branches) {
  branch.wide = /opcode2/.test(branch.condition);
  branch.holds = new Function('opcode', 'opcode2', 'return ' + branch.condition);
}

const WIDE = 255, UNKNOWN = 254;
const table = new Uint8Array(65536);
for (let opcode = 0; opcode < 65536; opcode++) {
  if (opcode >> 12 === 0b1111 || opcode >> 11 === 0b11101) table[opcode] = WIDE;
  else {
    const found = branches.findIndex((branch) => !branch.wide && branch.holds(opcode, 0));
    table[opcode] = found < 0 ? UNKNOWN : found;
  }
}

function body({ condition, body }) {
  let text = body.join('\n').replaceAll('this.registers', 'regs');
  if (!/this\.C \? 1 : 0/.test(text)) // with a carry the operands have 33 bits: the stock arithmetic stays
    text = text.replaceAll('this.substractUpdateFlags(', 'this.sub(').replaceAll('this.addUpdateFlags(', 'this.add(');
  if (/0b1011110$/.test(condition)) text = text.replace('deltaCycles += 2', 'deltaCycles += 3'); // POP with PC: 3 + N
  if (/0b1011010$/.test(condition)) // PUSH: LR counts too
    text = text.replace('this.writeUint32(address, regs[14]);', 'this.writeUint32(address, regs[14]); deltaCycles++;');
  if (/0b1011111101000000/.test(condition)) text = 'this.eventRegistered = true;'; // SEV
  return text;
}

const narrow = branches.map((branch, i) => (branch.wide ? '' : `case ${i}: {\n${body(branch)}\nbreak; }`));
const wide = branches.filter((branch) => branch.wide);
wide.sort((a, b) => /blTaken/.test(b.body.join()) - /blTaken/.test(a.body.join())); // BL is nearly all of them

fs.writeFileSync(target, `// Written by core.mjs
import { CortexM0Core } from './cortex-m0-core.js';
const TABLE = Uint8Array.from(Buffer.from('${Buffer.from(table).toString('base64')}', 'base64'));
const LOG_NAME = 'core', spRegister = 13, pcRegister = 15;
const signExtend8 = (v) => (v << 24) >> 24, signExtend16 = (v) => (v << 16) >> 16;
export class FastCore extends CortexM0Core {
  begin(xipMiss, entry, exit) {
    const { flash, sram, bootrom } = this.rp2040;
    this.flash8 = flash; this.flash16 = new Uint16Array(flash.buffer); this.flash32 = new Uint32Array(flash.buffer);
    this.ram8 = sram; this.ram16 = new Uint16Array(sram.buffer); this.ram32 = new Uint32Array(sram.buffer);
    this.rom16 = new Uint16Array(bootrom.buffer);
    this.deadline = 0; this.stopped = ''; this.idle = 0; this.extra = 0;
    Object.assign(this, { xipMiss, entry, exit });
    this.tags = new Int32Array(2048); this.recent = new Uint8Array(1024); this.flushCache();
  }
  flushCache() { this.tags.fill(-1); this.line = -1; }
  xip(line) { // 16 kB in two ways of 1,024 lines of 8 bytes
    const set = line & 1023, i = set << 1;
    if (this.tags[i] === line) { this.recent[set] = 1; return; }
    if (this.tags[i + 1] === line) { this.recent[set] = 0; return; }
    const way = this.recent[set]; this.tags[i + way] = line; this.recent[set] = way ^ 1; this.extra += this.xipMiss;
  }
${[[32, 3, 2], [16, 1, 1], [8, 0, 0]].map(([bits, mask, shift]) => `
  readUint${bits}(a) {
    a >>>= 0;
    if (a >= 0x20000000) { if (a < 0x20042000 && !(a & ${mask})) return this.ram${bits}[(a & 0xfffff) >>> ${shift}]; }
    else if (a >= 0x10000000 && a < 0x11000000 && !(a & ${mask})) {
      if (a >>> 3 !== this.line) this.xip(a >>> 3);
      return this.flash${bits}[(a & 0xffffff) >>> ${shift}];
    }
    return this.rp2040.readUint${bits}(a);
  }
  writeUint${bits}(a, v) {
    a >>>= 0;
    if (a >= 0x20000000 && a < 0x20042000 && !(a & ${mask})) this.ram${bits}[(a & 0xfffff) >>> ${shift}] = v;
    else this.rp2040.writeUint${bits}(a, v);
  }`).join('')}
  sub(a, b) {
    const r = (a - b) | 0;
    this.N = r < 0; this.Z = r === 0; this.C = a >>> 0 >= b >>> 0; this.V = ((a ^ b) & (a ^ r)) < 0;
    return r;
  }
  add(a, b) {
    const r = (a + b) | 0;
    this.N = r < 0; this.Z = r === 0; this.C = (a >>> 0) + (b >>> 0) > 0xffffffff; this.V = ((a ^ r) & (b ^ r)) < 0;
    return r;
  }
  exceptionEntry(n) { super.exceptionEntry(n); this.extra += this.entry; }
  exceptionReturn(x) { super.exceptionReturn(x); this.extra += this.exit; }
  run() { // until the deadline, or asleep, or stopped
    const regs = this.registers, { flash16, ram16, rom16 } = this;
    while (this.cycles < this.deadline && !this.waiting && !this.stopped) {
      if (this.interruptsUpdated && this.checkForInterrupts()) this.waiting = false;
      const opcodePC = regs[15] & ~1;
      let opcode;
      if (opcodePC >= 0x20000000)
        opcode = opcodePC < 0x20042000 ? ram16[(opcodePC & 0xfffff) >> 1] : this.rp2040.readUint16(opcodePC);
      else if (opcodePC >= 0x10000000) {
        const line = opcodePC >>> 3;
        if (line !== this.line) { this.xip(line); this.line = line; }
        opcode = flash16[(opcodePC & 0xffffff) >> 1];
      } else opcode = rom16[(opcodePC & 0x3fff) >> 1];
      regs[15] += 2;
      let deltaCycles = 1;
      switch (TABLE[opcode]) {
${narrow.join('\n')}
case ${WIDE}: {
const opcode2 = this.readUint16(opcodePC + 2);
${wide.map((branch) => `if (${branch.condition}) {\n${body(branch)}\n}`).join(' else ')}
else this.stopped = 'no such instruction: ' + opcode.toString(16) + ' ' + opcode2.toString(16);
break; }
default: this.stopped = 'no such instruction: ' + opcode.toString(16);
      }
      this.cycles += deltaCycles + this.extra; this.extra = 0;
    }
  }
}
`);
