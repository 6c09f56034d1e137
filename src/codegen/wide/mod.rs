//! Loops of nests as machine functions of our own, eight lanes at a time.
//!
//! Cranelift's vectors hold two reals. Where the machine has AVX-512, loops over reals that go
//! through memory element by element are written here instead: a [`Strip`] says what is done, and
//! [`registers`] makes machine code of it. Elementwise results have the same bits either way; sums
//! have a part for each of eight lanes, of one to four vectors, and add products with one rounding.

mod build;
mod evex;
mod functions;
mod nodes;
mod registers;
mod strip;

use cranelift::codegen::ir::{InstBuilder, StackSlot, StackSlotData, StackSlotKind, Value, types};
use cranelift::prelude::IntCC;

use crate::ir::Fold;

use super::emit::Emitter;
use super::nest::Writer;
use super::rows::{Body, Span};
use build::{Input, Pointer};

/// Bytes that strips are handed over in, and wait in.
const HANDED: usize = 4096;

impl<'p> Writer<'p> {
    /// Writes the loops from a level on as a strip, if they can be; whether they were.
    pub(super) fn wide(&mut self, e: &mut Emitter<'p, '_>, level: usize, span: Span, body: &Body) -> bool {
        if !e.shared.wide || e.real != types::F64 {
            return false;
        }
        // Where registers do not suffice, fewer vectors are computed at a time.
        let found = [4, 1].into_iter().find_map(|most| {
            let plan = self.strip(e, level, span, body, most)?;
            let (bytes, memory) = registers::assemble(&plan.strip)?;
            (memory <= HANDED).then_some((plan, bytes))
        });
        let Some((plan, bytes)) = found else {
            return false;
        };
        let slot = e.handed();
        for (at, pointer) in plan.pointers.iter().enumerate() {
            let value = self.handed_pointer(e, level, span, pointer);
            e.hand_over(slot, strip::Strip::pointer(at), value);
        }
        for (at, input) in plan.inputs.iter().enumerate() {
            let value = self.handed_input(e, input);
            e.hand_over(slot, plan.strip.input(at), value);
        }
        e.call_strip(slot, &bytes);
        for (at, (output, fold)) in plan.results.iter().enumerate() {
            let offset = i32::try_from(plan.strip.result(at)).unwrap_or(0);
            let memory = e.b.ins().stack_addr(types::I64, slot, offset);
            let truth = matches!(fold, Fold::All | Fold::Any);
            let ty = if truth { types::I64 } else { types::F64 };
            let mut result = e.b.ins().load(ty, Emitter::flags(), memory, 0);
            if truth {
                let none = e.int_const(0);
                result = e.b.ins().icmp(IntCC::NotEqual, result, none);
            }
            let variable = self.accumulators[*output][0];
            let so_far = e.b.use_var(variable);
            let sum = e.combine(*fold, so_far, result);
            e.b.def_var(variable, sum);
        }
        true
    }

    fn handed_pointer(
        &mut self,
        e: &mut Emitter<'p, '_>,
        level: usize,
        span: Span,
        pointer: &Pointer,
    ) -> Value {
        let (start, distance) = match pointer {
            Pointer::Stream(at) => {
                let var = self.nest.order[level];
                (self.pointers[level][*at], self.streams[*at].coefficients[var])
            }
            Pointer::Rows => (self.rows.base(), 8),
            Pointer::Computed { stream, read } => {
                let start = self.computed_pointer(e, *read, level);
                let var = self.nest.order[level];
                (start, self.streams[*stream].coefficients[var])
            }
        };
        let moved = |e: &mut Emitter<'p, '_>, start: Value, base: Option<Value>, distance: i64| match base {
            Some(base) if distance != 0 => {
                let moved = e.times(base, distance);
                e.b.ins().iadd(start, moved)
            }
            Some(_) | None => start,
        };
        let start = moved(e, start, span.base, distance);
        match (&self.part, pointer) {
            // The loop that is cut may lie further inside, and begins at the part.
            (Some(part), Pointer::Stream(at) | Pointer::Computed { stream: at, read: _ })
                if part.is_inside(self.nest, level) =>
            {
                moved(e, start, part.base(), self.streams[*at].coefficients[part.var])
            }
            _ => start,
        }
    }

    fn handed_input(&mut self, e: &mut Emitter<'p, '_>, input: &Input) -> Value {
        let value = match input {
            Input::Node(id) => self.value(e, *id).one(),
            Input::Scalar(item) => e.scalar(*item),
        };
        match e.b.func.dfg.value_type(value) {
            types::I8 => e.b.ins().bmask(types::I64, value),
            _ => value,
        }
    }
}

impl Emitter<'_, '_> {
    /// The memory that strips are handed over in.
    fn handed(&mut self) -> StackSlot {
        if let Some(slot) = self.handed {
            return slot;
        }
        let size = u32::try_from(HANDED).unwrap_or(u32::MAX);
        let slot = self.b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, size, 6));
        self.handed = Some(slot);
        slot
    }

    fn hand_over(&mut self, slot: StackSlot, offset: usize, value: Value) {
        let offset = i32::try_from(offset).unwrap_or(0);
        let memory = self.b.ins().stack_addr(types::I64, slot, offset);
        self.b.ins().store(Emitter::flags(), value, memory, 0);
    }

    fn call_strip(&mut self, slot: StackSlot, bytes: &[u8]) {
        let reference = self.shared.strip(bytes, self.b.func);
        let memory = self.b.ins().stack_addr(types::I64, slot, 0);
        self.b.ins().call(reference, &[memory]);
    }
}
