//! Parts of nests: machine functions of context, arena and the number of the part.
//!
//! All parts of a nest are one machine function. It goes to the piece its part lies in, and from
//! there on the loop that is cut starts at a base.

use cranelift::codegen::ir::{InstBuilder, StackSlotData, StackSlotKind, Value, condcodes::IntCC, types};

use crate::plan::{Cut, NestStep, Piece};
use crate::runtime::kernels::ROW;
use crate::runtime::parts;

use super::emit::Emitter;
use super::nest::Writer;
use super::rows::Span;

/// Rows start at multiples of this.
const ALIGN: usize = 64;

/// A part, or those of the same length in a piece.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// The number of the part.
    pub(super) number: Value,
    /// The variable that is cut.
    pub(super) var: usize,
    /// The range that the variable is known to lie in.
    pub(super) within: (usize, usize),
    /// The rounds of the part.
    span: Span,
}

impl Part {
    /// The rounds of a loop, if its variable is the one that is cut.
    pub(super) fn span(&self, var: usize) -> Option<Span> {
        (var == self.var).then_some(self.span)
    }

    /// Where the part begins.
    pub(super) fn base(&self) -> Option<Value> {
        self.span.base
    }

    /// Whether the loop that is cut lies inside that of a level.
    pub(super) fn is_inside(&self, nest: &NestStep, level: usize) -> bool {
        nest.order[level + 1..].contains(&self.var)
    }
}

impl Writer<'_> {
    /// How many rounds the loop of a level has, in the part that is being written.
    pub(super) fn rounds(&self, level: usize) -> usize {
        let var = self.nest.order[level];
        let span = self.part.as_ref().and_then(|part| part.span(var));
        span.map_or(self.nest.sizes[var], |span| span.to - span.from)
    }
}

impl<'p> Emitter<'p, '_> {
    /// Has the parts of a nest run.
    pub(super) fn call_parts(&mut self, nest: &'p NestStep, cut: &'p Cut) {
        let code = self.shared.part(nest, cut, self.b.func);
        let code = self.b.ins().func_addr(types::I64, code);
        let count = self.int_const(i64::try_from(cut.parts()).unwrap_or(i64::MAX));
        let (context, arena) = (self.context, self.arena);
        self.call(parts as *const () as usize, &[context, arena, code, count], None);
    }

    /// The body of the machine function of all parts.
    pub(super) fn parts(&mut self, nest: &'p NestStep, cut: &'p Cut, number: Value) {
        cut.inputs.iter().for_each(|id| self.reload(*id));
        self.rows = self.rows_of_part(nest);
        let done = self.b.create_block();
        for run in runs(cut) {
            let end = self.size(run.first + run.count);
            let here = self.b.create_block();
            let further = self.b.create_block();
            let among = self.b.ins().icmp(IntCC::UnsignedLessThan, number, end);
            self.b.ins().brif(among, here, &[], further, &[]);
            self.enter(here);
            let first = self.size(run.first);
            let before = self.b.ins().isub(number, first);
            let length = self.size(run.length);
            let before = self.b.ins().imul(before, length);
            let from = self.size(run.from);
            let base = self.b.ins().iadd(before, from);
            let span = Span { base: Some(base), from: 0, to: run.length };
            self.write(nest, Some(Part { number, var: cut.var, within: run.within, span }));
            self.b.ins().jump(done, &[]);
            self.enter(further);
        }
        self.b.ins().jump(done, &[]);
        self.enter(done);
    }

    fn size(&mut self, n: usize) -> Value {
        self.int_const(i64::try_from(n).unwrap_or(i64::MAX))
    }

    /// Rows on the stack: parts run at once, and those of the arena are one for all.
    fn rows_of_part(&mut self, nest: &NestStep) -> Option<Value> {
        let rows = nest.rows(self.plan.precision);
        if rows == 0 {
            return None;
        }
        let bytes = u32::try_from(rows * ROW * 8 + ALIGN).ok()?;
        let slot = self.b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 3));
        let start = self.b.ins().stack_addr(types::I64, slot, 0);
        let more = self.size(ALIGN - 1);
        let start = self.b.ins().iadd(start, more);
        let mask = self.int_const(-i64::try_from(ALIGN).unwrap_or(1));
        Some(self.b.ins().band(start, mask))
    }
}

/// Parts of the same length in a row.
struct Run {
    /// The number of the first.
    first: usize,
    /// How many.
    count: usize,
    /// Where the first begins.
    from: usize,
    /// How long each is.
    length: usize,
    /// The piece they lie in.
    within: (usize, usize),
}

/// The parts of a nest: of every piece the whole ones, then what is left.
fn runs(cut: &Cut) -> Vec<Run> {
    let (mut runs, mut first) = (Vec::new(), 0);
    for Piece { from, to, part } in cut.pieces.iter().copied() {
        let (whole, rest) = ((to - from) / part, (to - from) % part);
        let within = (from, to);
        for (count, length) in [(whole, part), (1, rest)] {
            if count > 0 && length > 0 {
                let from = if length == part { from } else { to - rest };
                runs.push(Run { first, count, from, length, within });
                first += count;
            }
        }
    }
    runs
}
