//! Instructions of AVX-512 as bytes.
//!
//! Only what loops over reals need: loads, stores, arithmetic, comparisons, masks, and the integer
//! instructions around a loop. Encodings: Intel 64 and IA-32 Architectures Software Developer's
//! Manual, volume 2, sections 2.7 (EVEX), 2.3 (VEX) and the pages of the instructions.

use crate::math::trace::Shift;

use super::build::numbered;

/// A vector register of eight reals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Vector(pub(super) u8);

/// A mask register: one bit for each lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mask(pub(super) u8);

/// An integer register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Int(pub(super) u8);

/// `rax`, `rcx`, ... by their numbers.
pub(super) const RAX: Int = Int(0);
pub(super) const RCX: Int = Int(1);
pub(super) const RDX: Int = Int(2);
pub(super) const RBX: Int = Int(3);
pub(super) const RBP: Int = Int(5);
pub(super) const RSI: Int = Int(6);
pub(super) const RDI: Int = Int(7);

/// A place in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// `base + 8*index + offset`.
    At {
        /// The base.
        base: Int,
        /// The index, counted in reals, and by how many bytes each counts: 1 or 8.
        index: Option<(Int, u8)>,
        /// In bytes.
        offset: i32,
    },
    /// A number that stands behind the code.
    Constant(usize),
}

/// The last operand of an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    /// A register.
    Register(Vector),
    /// Eight reals in memory.
    Full(Memory),
    /// One real in memory, for all lanes.
    Broadcast(Memory),
}

/// Instructions with two operands and a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    /// The second operand where one is NaN or both are zero.
    Min,
    /// The second operand where one is NaN or both are zero.
    Max,
    And,
    Or,
    Xor,
    /// Of whole numbers, wrapping.
    AddWhole,
    /// Of whole numbers, wrapping.
    SubWhole,
}

impl Binary {
    fn opcode(self) -> u8 {
        match self {
            Binary::Add => 0x58,
            Binary::Mul => 0x59,
            Binary::Sub => 0x5c,
            Binary::Min => 0x5d,
            Binary::Div => 0x5e,
            Binary::Max => 0x5f,
            Binary::And => 0x54,
            Binary::Or => 0x56,
            Binary::Xor => 0x57,
            Binary::AddWhole => 0xd4,
            Binary::SubWhole => 0xfb,
        }
    }

    /// Whether the operands may be exchanged.
    pub(super) fn commutes(self) -> bool {
        use Binary::{Add, AddWhole, And, Mul, Or, Xor};
        matches!(self, Add | Mul | And | Or | Xor | AddWhole)
    }
}

/// Comparisons; all but `Ne` and `Unordered` are false where an operand is NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Lt = 0x11,
    Le = 0x12,
    Ge = 0x1d,
    Gt = 0x1e,
    Eq = 0x00,
    Ne = 0x04,
    Unordered = 0x03,
}

/// Operations on masks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Masks {
    And = 0x41,
    Or = 0x45,
}

/// What of an instruction's code does not depend on its operands.
#[derive(Clone, Copy)]
struct Form {
    /// The table of opcodes: 1 for 0F, 2 for 0F38, 3 for 0F3A.
    map: u8,
    /// The prefix it stands for: 0 none, 1 for 66, 2 for F3, 3 for F2.
    prefix: u8,
    w: bool,
    opcode: u8,
    /// 0 for 128 bits, 1 for 256, 2 for 512.
    length: u8,
    /// The bytes that an eight-bit offset counts in.
    unit: i32,
}

/// Bytes of reals in 512 bits.
const REALS: Form = Form { map: 1, prefix: 1, w: true, opcode: 0, length: 2, unit: 64 };

/// A register or memory, as the encoding has it.
#[derive(Clone, Copy)]
enum Place {
    Register(u8),
    Memory(Memory, bool),
}

impl From<Operand> for Place {
    fn from(operand: Operand) -> Place {
        match operand {
            Operand::Register(vector) => Place::Register(vector.0),
            Operand::Full(memory) => Place::Memory(memory, false),
            Operand::Broadcast(memory) => Place::Memory(memory, true),
        }
    }
}

/// Which lanes an instruction writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lanes {
    /// All.
    All,
    /// Those of the mask; the others keep what they have.
    Kept(Mask),
    /// Those of the mask; the others become zero.
    Zeroed(Mask),
}

/// Where a loop begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Label(usize);

/// A machine function being written.
#[derive(Debug, Default)]
pub(super) struct Code {
    bytes: Vec<u8>,
    constants: Vec<u64>,
    /// Where the distance to a constant is to be put: place, end of the instruction, constant.
    distances: Vec<(usize, usize, usize)>,
}

impl Code {
    /// The place of a number behind the code.
    pub(super) fn constant(&mut self, bits: u64) -> Memory {
        Memory::Constant(numbered(&mut self.constants, bits))
    }

    /// The function with its constants behind it.
    pub(super) fn finish(mut self) -> Vec<u8> {
        while !self.bytes.len().is_multiple_of(8) {
            self.bytes.push(0xcc);
        }
        let start = self.bytes.len();
        for (place, end, constant) in std::mem::take(&mut self.distances) {
            let distance = i32::try_from(start + 8 * constant - end).expect("functions are small");
            self.bytes[place..place + 4].copy_from_slice(&distance.to_le_bytes());
        }
        for bits in &self.constants {
            self.bytes.extend(bits.to_le_bytes());
        }
        self.bytes
    }

    /// The second part of an instruction: register and memory.
    fn operands(&mut self, reg: u8, place: Place, unit: i32, immediate: Option<u8>) {
        let reg = (reg & 7) << 3;
        match place {
            Place::Register(r) => self.bytes.push(0xc0 | reg | (r & 7)),
            Place::Memory(Memory::Constant(constant), _) => {
                self.bytes.push(reg | 5);
                let at = self.bytes.len();
                let end = at + 4 + usize::from(immediate.is_some());
                self.distances.push((at, end, constant));
                self.bytes.extend([0; 4]);
            }
            Place::Memory(Memory::At { base, index, offset }, _) => {
                let short = if offset % unit == 0 { i8::try_from(offset / unit).ok() } else { None };
                let mode = match short {
                    Some(0) if base.0 & 7 != 5 => 0,
                    Some(_) => 0x40,
                    None => 0x80,
                };
                match index {
                    Some((index, scale)) => {
                        let scale = if scale == 8 { 0xc0 } else { 0 };
                        self.bytes.push(mode | reg | 4);
                        self.bytes.push(scale | (index.0 & 7) << 3 | (base.0 & 7));
                    }
                    None if base.0 & 7 == 4 => self.bytes.extend([mode | reg | 4, 0x24]),
                    None => self.bytes.push(mode | reg | (base.0 & 7)),
                }
                match (mode, short) {
                    (0, _) => {}
                    (0x40, Some(short)) => self.bytes.extend(short.to_le_bytes()),
                    (_, _) => self.bytes.extend(offset.to_le_bytes()),
                }
            }
        }
        self.bytes.extend(immediate);
    }

    /// The high bits of index and base, or of a register.
    fn high(place: Place) -> (bool, bool) {
        match place {
            Place::Register(r) => (r & 16 != 0, r & 8 != 0),
            Place::Memory(Memory::Constant(_), _) => (false, false),
            Place::Memory(Memory::At { base, index, offset: _ }, _) => {
                (index.is_some_and(|(index, _)| index.0 & 8 != 0), base.0 & 8 != 0)
            }
        }
    }

    fn evex(&mut self, form: Form, reg: u8, second: u8, place: Place, lanes: Lanes, immediate: Option<u8>) {
        let (x, b) = Code::high(place);
        let broadcast = matches!(place, Place::Memory(_, true));
        let (mask, zero) = match lanes {
            Lanes::All => (0, false),
            Lanes::Kept(mask) => (mask.0, false),
            Lanes::Zeroed(mask) => (mask.0, true),
        };
        let not = |bit: bool, at: u8| u8::from(!bit) << at;
        self.bytes.extend([
            0x62,
            not(reg & 8 != 0, 7) | not(x, 6) | not(b, 5) | not(reg & 16 != 0, 4) | form.map,
            u8::from(form.w) << 7 | (!second & 15) << 3 | 4 | form.prefix,
            u8::from(zero) << 7
                | form.length << 5
                | u8::from(broadcast) << 4
                | not(second & 16 != 0, 3)
                | mask,
            form.opcode,
        ]);
        let unit = if broadcast { 8 } else { form.unit };
        self.operands(reg, place, unit, immediate);
    }

    /// An operation on masks.
    fn vex(&mut self, length: u8, opcode: u8, reg: u8, second: u8, place: Place) {
        let (x, b) = Code::high(place);
        let not = |bit: bool, at: u8| u8::from(!bit) << at;
        self.bytes.extend([
            0xc4,
            not(reg & 8 != 0, 7) | not(x, 6) | not(b, 5) | REALS.map,
            (!second & 15) << 3 | length << 2 | REALS.prefix,
            opcode,
        ]);
        self.operands(reg, place, 1, None);
    }

    /// `to = a op b`.
    pub(super) fn binary(&mut self, op: Binary, to: Vector, a: Vector, b: Operand, lanes: Lanes) {
        let form = Form { opcode: op.opcode(), ..REALS };
        self.evex(form, to.0, a.0, b.into(), lanes, None);
    }

    /// `to += a * b`, rounded once.
    pub(super) fn multiply_add(&mut self, to: Vector, a: Vector, b: Operand, lanes: Lanes) {
        let form = Form { map: 2, opcode: 0xb8, ..REALS };
        self.evex(form, to.0, a.0, b.into(), lanes, None);
    }

    /// The square root.
    pub(super) fn sqrt(&mut self, to: Vector, a: Operand) {
        self.evex(Form { opcode: 0x51, ..REALS }, to.0, 0, a.into(), Lanes::All, None);
    }

    /// Rounds to an integer: 0 to the nearest, ties to even; 1 down; 2 up.
    pub(super) fn round(&mut self, to: Vector, a: Operand, mode: u8) {
        let form = Form { map: 3, opcode: 0x09, ..REALS };
        self.evex(form, to.0, 0, a.into(), Lanes::All, Some(8 | mode));
    }

    /// The bits of every lane shifted.
    pub(super) fn shift(&mut self, how: Shift, to: Vector, a: Operand, by: u8) {
        let (opcode, which) = match how {
            Shift::Left => (0x73, 6),
            Shift::Upper => (0x73, 2),
            Shift::Right => (0x72, 4),
        };
        self.evex(Form { opcode, ..REALS }, which, to.0, a.into(), Lanes::All, Some(by));
    }

    /// A copy, of a register or eight reals in memory, or one real in all lanes.
    pub(super) fn load(&mut self, to: Vector, from: Operand, lanes: Lanes) {
        let form = match from {
            Operand::Register(_) => Form { opcode: 0x28, ..REALS },
            Operand::Full(_) => Form { opcode: 0x10, ..REALS },
            Operand::Broadcast(memory) => {
                let form = Form { map: 2, opcode: 0x19, unit: 8, ..REALS };
                return self.evex(form, to.0, 0, Place::Memory(memory, false), lanes, None);
            }
        };
        self.evex(form, to.0, 0, from.into(), lanes, None);
    }

    /// Eight reals to memory.
    pub(super) fn store(&mut self, from: Vector, to: Memory, lanes: Lanes) {
        let form = Form { opcode: 0x11, ..REALS };
        self.evex(form, from.0, 0, Place::Memory(to, false), lanes, None);
    }

    /// The first lane to memory.
    pub(super) fn store_first(&mut self, from: Vector, to: Memory) {
        let form = Form { prefix: 3, opcode: 0x11, length: 0, unit: 8, ..REALS };
        self.evex(form, from.0, 0, Place::Memory(to, false), Lanes::All, None);
    }

    /// The upper half (of 512, 256 or 128 bits) of a vector as the lower half of another.
    pub(super) fn upper(&mut self, to: Vector, from: Vector, bits: usize) {
        let place = Place::Register(to.0);
        match bits {
            512 => self.evex(Form { map: 3, opcode: 0x1b, ..REALS }, from.0, 0, place, Lanes::All, Some(1)),
            256 => {
                let form = Form { map: 3, opcode: 0x19, length: 1, ..REALS };
                self.evex(form, from.0, 0, place, Lanes::All, Some(1));
            }
            _ => {
                let form = Form { opcode: 0x15, length: 0, ..REALS };
                self.evex(form, to.0, from.0, Place::Register(from.0), Lanes::All, None);
            }
        }
    }

    /// Lanes in which a comparison holds.
    pub(super) fn compare(&mut self, how: Compare, to: Mask, a: Vector, b: Operand) {
        let form = Form { opcode: 0xc2, ..REALS };
        self.evex(form, to.0, a.0, b.into(), Lanes::All, Some(how as u8));
    }

    /// `b` in the lanes of the mask, `a` in the others.
    pub(super) fn blend(&mut self, mask: Mask, to: Vector, a: Vector, b: Operand) {
        let form = Form { map: 2, opcode: 0x65, ..REALS };
        self.evex(form, to.0, a.0, b.into(), Lanes::Kept(mask), None);
    }

    /// Both, or one of two masks.
    pub(super) fn masks(&mut self, op: Masks, to: Mask, a: Mask, b: Mask) {
        self.vex(1, op as u8, to.0, a.0, Place::Register(b.0));
    }

    /// Where a mask is not.
    pub(super) fn not(&mut self, to: Mask, a: Mask) {
        self.vex(0, 0x44, to.0, 0, Place::Register(a.0));
    }

    /// The first `count` lanes; changes `rax`.
    pub(super) fn first_lanes(&mut self, to: Mask, count: usize) {
        let bits = (1_u32 << count) - 1;
        self.bytes.push(0xb8);
        self.bytes.extend(bits.to_le_bytes());
        self.vex(0, 0x92, to.0, 0, Place::Register(RAX.0));
    }

    /// Eight truth values in memory, a byte each, as a mask; the vector is changed.
    pub(super) fn load_truths(&mut self, to: Mask, scratch: Vector, from: Memory, lanes: Lanes) {
        let form = Form { map: 2, opcode: 0x32, w: false, unit: 8, ..REALS };
        self.evex(form, scratch.0, 0, Place::Memory(from, false), lanes, None);
        let test = Form { map: 2, opcode: 0x27, ..REALS };
        self.evex(test, to.0, scratch.0, Place::Register(scratch.0), Lanes::All, None);
    }

    /// One truth value of 64 bits, all or none, for all lanes; the vector is changed.
    pub(super) fn load_truth(&mut self, to: Mask, scratch: Vector, from: Memory) {
        self.load(scratch, Operand::Broadcast(from), Lanes::All);
        let test = Form { map: 2, opcode: 0x27, ..REALS };
        self.evex(test, to.0, scratch.0, Place::Register(scratch.0), Lanes::All, None);
    }

    /// A mask as eight truth values in memory, a byte each; the vector is changed.
    pub(super) fn store_truths(&mut self, from: Mask, scratch: Vector, to: Memory, lanes: Lanes) {
        let spread = Form { map: 2, prefix: 2, opcode: 0x38, ..REALS };
        self.evex(spread, scratch.0, 0, Place::Register(from.0), Lanes::All, None);
        let one = self.constant(1);
        self.binary(Binary::And, scratch, scratch, Operand::Broadcast(one), Lanes::All);
        let form = Form { map: 2, prefix: 2, opcode: 0x32, w: false, unit: 8, ..REALS };
        self.evex(form, scratch.0, 0, Place::Memory(to, false), lanes, None);
    }

    fn rex(&mut self, reg: u8, place: Place) {
        let (x, b) = Code::high(place);
        self.bytes.push(0x48 | u8::from(reg & 8 != 0) << 2 | u8::from(x) << 1 | u8::from(b));
    }

    /// An integer of 64 bits from memory.
    pub(super) fn load_int(&mut self, to: Int, from: Memory) {
        let place = Place::Memory(from, false);
        self.rex(to.0, place);
        self.bytes.push(0x8b);
        self.operands(to.0, place, 1, None);
    }

    /// A number in a register.
    pub(super) fn set(&mut self, to: Int, value: i32) {
        let place = Place::Register(to.0);
        self.rex(0, place);
        self.bytes.push(0xc7);
        self.operands(0, place, 1, None);
        self.bytes.extend(value.to_le_bytes());
    }

    /// `to += value`.
    pub(super) fn add(&mut self, to: Int, value: i32) {
        self.arithmetic(0, Place::Register(to.0), value);
    }

    /// `to += value`, in memory.
    pub(super) fn add_to_memory(&mut self, to: Memory, value: i32) {
        self.arithmetic(0, Place::Memory(to, false), value);
    }

    fn arithmetic(&mut self, which: u8, place: Place, value: i32) {
        self.rex(0, place);
        match i8::try_from(value) {
            Ok(short) => {
                self.bytes.push(0x83);
                self.operands(which, place, 1, None);
                self.bytes.extend(short.to_le_bytes());
            }
            Err(_) => {
                self.bytes.push(0x81);
                self.operands(which, place, 1, None);
                self.bytes.extend(value.to_le_bytes());
            }
        }
    }

    /// The place at hand.
    pub(super) fn label(&self) -> Label {
        Label(self.bytes.len())
    }

    /// Goes back while a register is below a number.
    pub(super) fn while_below(&mut self, register: Int, bound: i32, to: Label) {
        self.arithmetic(7, Place::Register(register.0), bound);
        let end = self.bytes.len() + 6;
        let distance = i32::try_from(end - to.0).expect("functions are small");
        self.bytes.extend([0x0f, 0x8c]);
        self.bytes.extend((-distance).to_le_bytes());
    }

    /// Saves a register.
    pub(super) fn push(&mut self, register: Int) {
        if register.0 & 8 != 0 {
            self.bytes.push(0x41);
        }
        self.bytes.push(0x50 | (register.0 & 7));
    }

    /// Gives a register back.
    pub(super) fn pop(&mut self, register: Int) {
        if register.0 & 8 != 0 {
            self.bytes.push(0x41);
        }
        self.bytes.push(0x58 | (register.0 & 7));
    }

    /// Leaves the function, the upper parts of registers being clean for code without AVX.
    pub(super) fn leave(&mut self) {
        self.bytes.extend([0xc5, 0xf8, 0x77, 0xc3]);
    }
}
