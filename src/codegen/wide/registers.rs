//! Registers for the values of a strip, and its machine code.
//!
//! Code is straight but for loops, so the value whose next use is furthest is the one to give its
//! register up (Belady, 1966). What is in a register when a loop begins stays there until the loop
//! ends, so that every turn finds it where the first did.

use super::evex::{
    Binary, Code, Compare, Int, Lanes, Mask, Memory, Operand, RAX, RBP, RBX, RCX, RDI, RDX, RSI, Vector,
};
use super::strip::{Arg, Inst, Name, Place, Strip, Target};
use crate::ir::Fold;

/// Registers that pointers and counters may have; the first ones need not be saved.
const INTS: [Int; 12] =
    [RDX, RSI, Int(8), Int(9), Int(10), Int(11), RBX, RBP, Int(12), Int(13), Int(14), Int(15)];
/// How many of them need not be saved.
const FREE: usize = 6;
/// Vector registers that may be taken while a loop runs.
const HELD: usize = 26;
/// The mask of the last vector.
const PART: Mask = Mask(7);

/// The machine code of a strip and the bytes of memory it is handed; `None` if its values do not
/// find registers.
pub(super) fn assemble(strip: &Strip) -> Option<(Vec<u8>, usize)> {
    let mut depth = 0;
    deepest(&strip.body, 0, &mut depth);
    let (counters, pointers) = INTS.split_at_checked(depth)?;
    let used = depth + strip.pointers.min(pointers.len());
    let mut writer = Writer {
        strip,
        code: Code::default(),
        vectors: [None; 32],
        masks: [None; 7],
        at: vec![None; strip.names],
        slots: vec![None; strip.names],
        slot_count: 0,
        held: Vec::new(),
        locked: Vec::new(),
        counters,
        pointers: &pointers[..strip.pointers.min(pointers.len())],
    };
    let saved: Vec<Int> = INTS[..used].iter().skip(FREE).copied().collect();
    saved.iter().for_each(|register| writer.code.push(*register));
    if strip.part > 0 {
        writer.code.first_lanes(PART, strip.part);
    }
    for (at, register) in writer.pointers.iter().enumerate() {
        writer.code.load_int(*register, handed(Strip::pointer(at)));
    }
    writer.block(&strip.body, 0, &vec![false; strip.names])?;
    saved.iter().rev().for_each(|register| writer.code.pop(*register));
    writer.code.leave();
    let memory = strip.slots() + 64 * writer.slot_count;
    Some((writer.code.finish(), memory))
}

/// What the caller handed over.
fn handed(offset: usize) -> Memory {
    Memory::At { base: RDI, index: None, offset: i32::try_from(offset).unwrap_or(i32::MAX) }
}

fn deepest(body: &[Inst], depth: usize, most: &mut usize) {
    *most = (*most).max(depth);
    for inst in body {
        match inst {
            Inst::Loop { body, .. } => deepest(body, depth + 1, most),
            Inst::Strips { body, .. } => deepest(body, depth, most),
            _ => {}
        }
    }
}

/// Where a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Vector(Vector),
    Mask(Mask),
    Slot,
}

struct Writer<'s> {
    strip: &'s Strip,
    code: Code,
    /// What is in each register.
    vectors: [Option<Name>; 32],
    masks: [Option<Name>; 7],
    /// Where each value is.
    at: Vec<Option<Where>>,
    /// The memory of values that gave their register up.
    slots: Vec<Option<usize>>,
    slot_count: usize,
    /// Values that keep their registers.
    held: Vec<Name>,
    /// Registers of the instruction at hand.
    locked: Vec<Vector>,
    counters: &'s [Int],
    pointers: &'s [Int],
}

/// Where the values of a block are used: for each, the places in order, and whether after it.
struct Uses<'a> {
    places: Vec<Vec<usize>>,
    after: &'a [bool],
}

impl Uses<'_> {
    /// The next use at or behind a place.
    fn next(&self, name: Name, from: usize) -> Option<usize> {
        let places = &self.places[name];
        let found = places.get(places.partition_point(|place| *place < from)).copied();
        found.or(self.after[name].then_some(usize::MAX))
    }
}

impl Writer<'_> {
    /// Instructions in order; `after` says which values are wanted behind them.
    fn block(&mut self, body: &[Inst], depth: usize, after: &[bool]) -> Option<()> {
        let mut uses = Uses { places: vec![Vec::new(); self.strip.names], after };
        for (at, inst) in body.iter().enumerate() {
            inst.reads(&mut |name| uses.places[name].push(at));
        }
        for (at, inst) in body.iter().enumerate() {
            match inst {
                Inst::Loop { count, body, moves } => {
                    let counter = self.counters[depth];
                    self.around(&uses, at, body, |writer, after| {
                        writer.code.set(counter, 0);
                        let label = writer.code.label();
                        writer.block(body, depth + 1, after)?;
                        moves.iter().for_each(|(pointer, bytes)| writer.shift(*pointer, *bytes));
                        writer.code.add(counter, 1);
                        writer.code.while_below(counter, i32::try_from(*count).ok()?, label);
                        for (pointer, bytes) in moves {
                            let back = i64::from(*bytes) * i64::try_from(*count).ok()?;
                            writer.shift(*pointer, i32::try_from(-back).ok()?);
                        }
                        Some(())
                    })?;
                }
                Inst::Strips { rounds, step, body } => {
                    self.around(&uses, at, body, |writer, after| {
                        writer.code.set(RCX, 0);
                        let label = writer.code.label();
                        writer.block(body, depth, after)?;
                        writer.code.add(RCX, i32::try_from(*step).ok()?);
                        writer.code.while_below(RCX, i32::try_from(rounds * step).ok()?, label);
                        Some(())
                    })?;
                }
                inst => {
                    self.one(inst, &uses, at)?;
                    self.locked.clear();
                }
            }
            inst.reads(&mut |name| self.release(name, &uses, at + 1));
        }
        Some(())
    }

    /// Gives up the register of a value that is not wanted any more.
    fn release(&mut self, name: Name, uses: &Uses<'_>, from: usize) {
        if uses.next(name, from).is_some() || self.held.contains(&name) {
            return;
        }
        match self.at[name].take() {
            Some(Where::Vector(vector)) => self.vectors[usize::from(vector.0)] = None,
            Some(Where::Mask(mask)) => self.masks[usize::from(mask.0)] = None,
            Some(Where::Slot) | None => {}
        }
    }

    /// A loop: what is in a register stays there.
    fn around(
        &mut self,
        uses: &Uses<'_>,
        at: usize,
        body: &[Inst],
        inside: impl FnOnce(&mut Self, &[bool]) -> Option<()>,
    ) -> Option<()> {
        let mut wanted = vec![false; self.strip.names];
        body.iter().for_each(|inst| inst.reads(&mut |name| wanted[name] = true));
        let changed = changed(body);
        // Who gives its register up: first what the loop does not read.
        let mut living: Vec<Name> = self.vectors.iter().flatten().copied().collect();
        living.sort_by_key(|name| (self.held.contains(name), changed.contains(name), wanted[*name]));
        let mut count = living.len();
        for name in living {
            if count <= HELD {
                break;
            }
            if self.held.contains(&name) || changed.contains(&name) {
                return None;
            }
            self.spill(name);
            count -= 1;
        }
        // What the loop reads of what was there before, every turn wants again.
        let again = |name: Name| wanted[name] && self.at[name].is_some();
        let after: Vec<bool> =
            (0..self.strip.names).map(|name| again(name) || uses.next(name, at + 1).is_some()).collect();
        let (vectors, masks, places) = (self.vectors, self.masks, self.at.clone());
        let held = std::mem::take(&mut self.held);
        self.held.extend(&held);
        self.held.extend(vectors.iter().chain(&masks).flatten());
        let done = inside(self, &after);
        (self.vectors, self.masks, self.at, self.held) = (vectors, masks, places, held);
        done
    }

    fn spill(&mut self, name: Name) {
        let Some(Where::Vector(vector)) = self.at[name] else { return };
        if self.slots[name].is_none() {
            self.slots[name] = Some(self.slot_count);
            self.slot_count += 1;
            let slot = self.slot(name);
            self.code.store(vector, slot, Lanes::All);
        }
        self.vectors[usize::from(vector.0)] = None;
        self.at[name] = Some(Where::Slot);
    }

    fn slot(&self, name: Name) -> Memory {
        handed(self.strip.slots() + 64 * self.slots[name].unwrap_or(0))
    }

    /// A vector register, for a value or for the instruction at hand.
    fn take(&mut self, uses: &Uses<'_>, at: usize) -> Option<Vector> {
        let numbers = 0..32_u8;
        let free = |writer: &Self, r: &u8| {
            writer.vectors[usize::from(*r)].is_none() && !writer.locked.contains(&Vector(*r))
        };
        if let Some(r) = numbers.clone().find(|r| free(self, r)) {
            self.locked.push(Vector(r));
            return Some(Vector(r));
        }
        let owned = |r: u8| self.vectors[usize::from(r)].filter(|name| !self.held.contains(name));
        let r = numbers
            .filter(|r| !self.locked.contains(&Vector(*r)))
            .filter_map(|r| owned(r).map(|name| (uses.next(name, at).unwrap_or(usize::MAX), r)))
            .max()?
            .1;
        let name = self.vectors[usize::from(r)]?;
        self.spill(name);
        self.locked.push(Vector(r));
        Some(Vector(r))
    }

    fn own(&mut self, name: Name, vector: Vector) {
        self.vectors[usize::from(vector.0)] = Some(name);
        self.at[name] = Some(Where::Vector(vector));
    }

    /// A mask register; they have no memory to wait in.
    fn take_mask(&mut self) -> Option<Mask> {
        let free = (1..7).find(|at| self.masks[*at].is_none())?;
        Some(Mask(u8::try_from(free).ok()?))
    }

    fn own_mask(&mut self, name: Name) -> Option<Mask> {
        let mask = self.take_mask()?;
        self.masks[usize::from(mask.0)] = Some(name);
        self.at[name] = Some(Where::Mask(mask));
        Some(mask)
    }

    fn mask(&self, name: Name) -> Option<Mask> {
        match self.at[name] {
            Some(Where::Mask(mask)) => Some(mask),
            Some(Where::Vector(_) | Where::Slot) | None => None,
        }
    }

    fn shift(&mut self, pointer: usize, bytes: i32) {
        match self.pointers.get(pointer) {
            Some(register) => self.code.add(*register, bytes),
            None => self.code.add_to_memory(handed(Strip::pointer(pointer)), bytes),
        }
    }

    /// A place; pointers without a register pass through `rax`.
    fn memory(&mut self, place: &Place) -> Memory {
        let base = match self.pointers.get(place.pointer) {
            Some(register) => *register,
            None => {
                self.code.load_int(RAX, handed(Strip::pointer(place.pointer)));
                RAX
            }
        };
        let index = place.indexed.then_some((RCX, place.width));
        Memory::At { base, index, offset: place.offset }
    }

    fn lanes(part: bool) -> Lanes {
        if part { Lanes::Kept(PART) } else { Lanes::All }
    }

    /// What an instruction may take as its last operand.
    fn operand(&mut self, arg: &Arg, uses: &Uses<'_>, at: usize) -> Option<Operand> {
        Some(match arg {
            Arg::Value(name) => match self.at[*name]? {
                Where::Vector(vector) => {
                    self.locked.push(vector);
                    Operand::Register(vector)
                }
                Where::Slot => Operand::Full(self.slot(*name)),
                Where::Mask(_) => return None,
            },
            Arg::Place(place) if place.part && place.width > 0 => {
                let vector = self.take(uses, at)?;
                let memory = self.memory(place);
                self.code.load(vector, Operand::Full(memory), Lanes::Zeroed(PART));
                Operand::Register(vector)
            }
            Arg::Place(place) => {
                let memory = self.memory(place);
                if place.width > 0 { Operand::Full(memory) } else { Operand::Broadcast(memory) }
            }
            Arg::Constant(bits) => Operand::Broadcast(self.code.constant(*bits)),
            Arg::Input(input) => Operand::Broadcast(handed(self.strip.input(*input))),
        })
    }

    /// A value in a register.
    fn register(&mut self, arg: &Arg, uses: &Uses<'_>, at: usize) -> Option<Vector> {
        if let Arg::Value(name) = arg
            && self.at[*name] == Some(Where::Slot)
        {
            let vector = self.take(uses, at)?;
            let slot = self.slot(*name);
            self.code.load(vector, Operand::Full(slot), Lanes::All);
            self.own(*name, vector);
            return Some(vector);
        }
        match self.operand(arg, uses, at)? {
            Operand::Register(vector) => Some(vector),
            operand => {
                let vector = self.take(uses, at)?;
                self.code.load(vector, operand, Lanes::All);
                Some(vector)
            }
        }
    }

    /// A value that is changed where it is.
    fn changed(&mut self, name: Name) -> Option<Vector> {
        match self.at[name]? {
            Where::Vector(vector) => {
                self.locked.push(vector);
                Some(vector)
            }
            Where::Mask(_) | Where::Slot => None,
        }
    }

    fn one(&mut self, inst: &Inst, uses: &Uses<'_>, at: usize) -> Option<()> {
        match inst {
            Inst::Copy { to, from } => {
                let from = self.operand(from, uses, at)?;
                let vector = self.take(uses, at + 1)?;
                self.code.load(vector, from, Lanes::All);
                self.own(*to, vector);
            }
            Inst::Binary { op, to, a, b } => {
                // Memory stands last.
                let in_memory = |arg: &Arg| !matches!(arg, Arg::Value(_));
                let (a, b) = if op.commutes() && in_memory(a) && !in_memory(b) { (b, a) } else { (a, b) };
                let a = self.register(a, uses, at)?;
                let b = self.operand(b, uses, at)?;
                let vector = self.take(uses, at + 1)?;
                self.code.binary(*op, vector, a, b, Lanes::All);
                self.own(*to, vector);
            }
            Inst::Sqrt { to, a } => {
                let a = self.operand(a, uses, at)?;
                let vector = self.take(uses, at + 1)?;
                self.code.sqrt(vector, a);
                self.own(*to, vector);
            }
            Inst::Round { to, a, mode } => {
                let a = self.operand(a, uses, at)?;
                let vector = self.take(uses, at + 1)?;
                self.code.round(vector, a, *mode);
                self.own(*to, vector);
            }
            Inst::Shift { how, to, a, by } => {
                let a = self.operand(a, uses, at)?;
                let vector = self.take(uses, at + 1)?;
                self.code.shift(*how, vector, a, *by);
                self.own(*to, vector);
            }
            Inst::Extreme { most, to, a, b } => {
                let a = self.register(a, uses, at)?;
                let b = self.register(b, uses, at)?;
                let vector = self.extreme(*most, a, b, uses, at)?;
                self.own(*to, vector);
            }
            Inst::Choose { mask, to, yes, no } => {
                let no = self.register(no, uses, at)?;
                let yes = self.operand(yes, uses, at)?;
                let mask = self.mask(*mask)?;
                let vector = self.take(uses, at + 1)?;
                self.code.blend(mask, vector, no, yes);
                self.own(*to, vector);
            }
            Inst::Store { from, to } => {
                let from = self.register(from, uses, at)?;
                let memory = self.memory(to);
                self.code.store(from, memory, Writer::lanes(to.part));
            }
            Inst::Across { fold, from, to } => self.across(*fold, from, *to, uses, at)?,
            Inst::Fold { .. } | Inst::AddProduct { .. } => self.folded(inst, uses, at)?,
            inst => self.truths(inst, uses, at)?,
        }
        Some(())
    }

    /// What is folded into a sum.
    fn folded(&mut self, inst: &Inst, uses: &Uses<'_>, at: usize) -> Option<()> {
        match inst {
            Inst::Fold { fold, into, x, part } => {
                let sum = self.changed(*into)?;
                let lanes = Writer::lanes(*part);
                match fold {
                    Fold::Sum | Fold::Prod | Fold::All | Fold::Any => {
                        let x = self.operand(x, uses, at)?;
                        self.code.binary(operation(*fold), sum, sum, x, lanes);
                    }
                    Fold::Max | Fold::Min => {
                        let x = self.register(x, uses, at)?;
                        let vector = self.extreme(*fold == Fold::Max, sum, x, uses, at)?;
                        self.code.load(sum, Operand::Register(vector), lanes);
                    }
                }
            }
            Inst::AddProduct { into, a, b, part } => {
                let sum = self.changed(*into)?;
                let in_memory = |arg: &Arg| !matches!(arg, Arg::Value(_));
                let (a, b) = if in_memory(a) && !in_memory(b) { (b, a) } else { (a, b) };
                let a = self.register(a, uses, at)?;
                let b = self.operand(b, uses, at)?;
                self.code.multiply_add(sum, a, b, Writer::lanes(*part));
            }
            _ => return None,
        }
        Some(())
    }

    /// What is done with truth values.
    fn truths(&mut self, inst: &Inst, uses: &Uses<'_>, at: usize) -> Option<()> {
        match inst {
            Inst::Compare { how, to, a, b } => {
                let a = self.register(a, uses, at)?;
                let b = self.operand(b, uses, at)?;
                let mask = self.own_mask(*to)?;
                self.code.compare(*how, mask, a, b);
            }
            Inst::Masks { op, to, a, b } => {
                let (a, b) = (self.mask(*a)?, self.mask(*b)?);
                let mask = self.own_mask(*to)?;
                self.code.masks(*op, mask, a, b);
            }
            Inst::Not { to, a } => {
                let a = self.mask(*a)?;
                let mask = self.own_mask(*to)?;
                self.code.not(mask, a);
            }
            Inst::Truths { to, from } => {
                let scratch = self.take(uses, at)?;
                let mask = self.own_mask(*to)?;
                let memory = self.memory(from);
                let lanes = if from.part { Lanes::Zeroed(PART) } else { Lanes::All };
                self.code.load_truths(mask, scratch, memory, lanes);
            }
            Inst::Truth { to, input } => {
                let scratch = self.take(uses, at)?;
                let mask = self.own_mask(*to)?;
                self.code.load_truth(mask, scratch, handed(self.strip.input(*input)));
            }
            Inst::StoreTruths { from, to } => {
                let scratch = self.take(uses, at)?;
                let from = self.mask(*from)?;
                let memory = self.memory(to);
                self.code.store_truths(from, scratch, memory, Writer::lanes(to.part));
            }
            _ => return None,
        }
        Some(())
    }

    /// The greater or less of two registers.
    fn extreme(&mut self, most: bool, a: Vector, b: Vector, uses: &Uses<'_>, at: usize) -> Option<Vector> {
        let (one, other) = (self.take(uses, at)?, self.take(uses, at)?);
        let mask = self.take_mask()?;
        // Where both are zero, each order gives its second: the signs decide. NaN is put in last.
        let (op, join) = if most { (Binary::Max, Binary::And) } else { (Binary::Min, Binary::Or) };
        self.code.binary(op, one, a, Operand::Register(b), Lanes::All);
        self.code.binary(op, other, b, Operand::Register(a), Lanes::All);
        self.code.compare(Compare::Unordered, mask, a, Operand::Register(b));
        self.code.binary(join, one, one, Operand::Register(other), Lanes::All);
        self.code.binary(Binary::Add, one, a, Operand::Register(b), Lanes::Kept(mask));
        Some(one)
    }

    /// Folds vectors in pairs, then a vector by halves.
    fn across(&mut self, fold: Fold, from: &[Name], to: Target, uses: &Uses<'_>, at: usize) -> Option<()> {
        let mut parts: Vec<Vector> = Vec::new();
        for name in from {
            parts.push(self.changed(*name)?);
        }
        // The sums are not read again: what is left of them may be anything.
        while parts.len() > 1 {
            let mut rest = Vec::new();
            for pair in parts.chunks(2) {
                if let [a, b] = pair {
                    self.combine(fold, *a, *b, uses, at)?;
                }
                rest.push(pair[0]);
            }
            parts = rest;
        }
        let sum = *parts.first()?;
        let half = self.take(uses, at)?;
        for bits in [512, 256, 128] {
            self.code.upper(half, sum, bits);
            self.combine(fold, sum, half, uses, at)?;
        }
        let memory = match to {
            Target::Place(place) => self.memory(&place),
            Target::Result(at) => handed(self.strip.result(at)),
        };
        self.code.store_first(sum, memory);
        Some(())
    }

    /// `a = a op b`.
    fn combine(&mut self, fold: Fold, a: Vector, b: Vector, uses: &Uses<'_>, at: usize) -> Option<()> {
        match fold {
            Fold::Sum | Fold::Prod | Fold::All | Fold::Any => {
                self.code.binary(operation(fold), a, a, Operand::Register(b), Lanes::All);
            }
            Fold::Max | Fold::Min => {
                let locked = self.locked.len();
                let vector = self.extreme(fold == Fold::Max, a, b, uses, at)?;
                self.code.load(a, Operand::Register(vector), Lanes::All);
                self.locked.truncate(locked);
            }
        }
        Some(())
    }
}

/// What folds two vectors; truth values are all bits or none. The extremes are several instructions.
fn operation(fold: Fold) -> Binary {
    match fold {
        Fold::Sum => Binary::Add,
        Fold::Prod => Binary::Mul,
        Fold::Max => Binary::Max,
        Fold::Min => Binary::Min,
        Fold::All => Binary::And,
        Fold::Any => Binary::Or,
    }
}

/// The values that a loop changes.
fn changed(body: &[Inst]) -> Vec<Name> {
    let mut found = Vec::new();
    for inst in body {
        match inst {
            Inst::Fold { into, .. } | Inst::AddProduct { into, .. } => found.push(*into),
            Inst::Loop { body, .. } | Inst::Strips { body, .. } => found.extend(changed(body)),
            _ => {}
        }
    }
    found
}
