//! Steps in order, loops and choices.

use cranelift::codegen::ir::{InstBuilder, Value, condcodes::IntCC, types};

use crate::math::Scalar;
use crate::plan::{Block, IfStep, ItemId, KernelStep, LoopStep, Stacked, Step};
use crate::runtime::Context;

use super::emit::Emitter;

/// Arrays of at most this many bytes are copied by instructions.
const INLINE_COPY: usize = 64;

impl<'p> Emitter<'p, '_> {
    /// The steps of a block.
    pub(super) fn block(&mut self, block: &'p Block) {
        let scalars = |a: &Step, b: &Step| matches!((a, b), (Step::Scalar(_), Step::Scalar(_)));
        for steps in block.steps.chunk_by(scalars) {
            steps.iter().for_each(|step| self.step(step));
            self.charge(steps);
        }
    }

    fn step(&mut self, step: &'p Step) {
        match step {
            Step::Scalar(step) => {
                let args: Vec<_> = step.operands.iter().map(|id| self.scalar(*id)).collect();
                let literal = |id: Option<&ItemId>| id.and_then(|id| self.plan.item(*id).literal);
                let value = match (literal(step.operands.first()), literal(step.operands.last())) {
                    (_, Some(Scalar::Int(n))) if self.as_products(step.prim, n) => self.power(args[0], n),
                    (Some(Scalar::Real(x)), _) if step.prim.name() == "powi" && args.len() == 2 => {
                        self.power_of(x, args[1])
                    }
                    (_, _) => self.primitive(step.prim, &args),
                };
                self.bind(step.item, value);
            }
            Step::Nest(step) => self.nest(step),
            Step::Kernel(step) => self.kernel(step),
            Step::Copy { from, to } => self.copy(*from, *to),
            Step::Loop(step) => self.repeat(step),
            Step::If(step) => self.choose(step),
            Step::Outlined(step) => self.outlined(step),
        }
    }

    /// A power of a known number.
    fn power_of(&mut self, x: f64, n: Value) -> Value {
        let powers = self.shared.powers(self.rounded(x));
        let powers = self.int_const(powers as i64);
        let address = super::symbols::power_of as *const () as usize;
        let power = self.call(address, &[powers, n], Some(types::F64));
        self.narrow(power)
    }

    fn kernel(&mut self, step: &'p KernelStep) {
        let (address, record) = self.shared.kernel(self.plan, step);
        let record = self.int_const(record as i64);
        let (context, arena) = (self.context, self.arena);
        self.call(address, &[context, arena, record], None);
        if self.plan.item(step.item).is_scalar() {
            self.reload(step.item);
        }
    }

    /// Copies a value; a copy to the same memory is none.
    pub(super) fn copy(&mut self, from: ItemId, to: ItemId) {
        if self.plan.item(to).is_scalar() {
            let value = self.scalar(from);
            self.bind(to, value);
            return;
        }
        let (source, target) = (self.plan.offset(from), self.plan.offset(to));
        if source == target {
            return;
        }
        let bytes = self.bytes(from);
        if bytes <= INLINE_COPY {
            self.copy_inline(source, target, bytes);
            return;
        }
        let (source, target) = (self.pointer(from), self.pointer(to));
        self.copy_bytes(source, target, bytes);
    }

    fn bytes(&self, id: ItemId) -> usize {
        let item = self.plan.item(id);
        item.count() * self.plan.width(item.elem)
    }

    fn copy_inline(&mut self, source: usize, target: usize, bytes: usize) {
        let mut values = Vec::new();
        let mut at = 0;
        while at < bytes {
            let ty = match bytes - at {
                8.. => types::I64,
                4..8 => types::I32,
                _ => types::I8,
            };
            let (base, offset) = self.address(source + at);
            values.push((at, self.b.ins().load(ty, Self::flags(), base, offset)));
            at += ty.bytes() as usize;
        }
        for (at, value) in values {
            let (base, offset) = self.address(target + at);
            self.b.ins().store(Self::flags(), value, base, offset);
        }
    }

    fn copy_bytes(&mut self, source: Value, target: Value, bytes: usize) {
        let bytes = self.int_const(i64::try_from(bytes).unwrap_or(i64::MAX));
        let address = super::symbols::copy as *const () as usize;
        self.call(address, &[target, source, bytes], None);
    }

    /// A loop of the program.
    fn repeat(&mut self, step: &'p LoopStep) {
        for carried in &step.carried {
            self.copy(carried.initial, carried.state);
        }
        let zero = self.int_const(0);
        self.bind(step.index, zero);
        if step.condition.is_some() {
            step.stacked.iter().for_each(|stacked| self.clear(stacked));
        }
        let header = self.b.create_block();
        let asked = self.b.create_block();
        let exit = self.b.create_block();
        self.b.ins().jump(header, &[]);
        self.b.switch_to_block(header);
        let i = self.scalar(step.index);
        let trip = self.int_const(i64::try_from(step.trip).unwrap_or(i64::MAX));
        let more = self.b.ins().icmp(IntCC::SignedLessThan, i, trip);
        let running = self.running();
        let more = self.b.ins().band(more, running);
        self.b.ins().brif(more, asked, &[], exit, &[]);
        self.enter(asked);
        if let Some((block, condition)) = &step.condition {
            self.block(block);
            let holds = self.scalar(*condition);
            let body = self.b.create_block();
            self.b.ins().brif(holds, body, &[], exit, &[]);
            self.enter(body);
        }
        self.block(&step.body);
        for stacked in &step.stacked {
            self.collect(step.index, stacked);
        }
        self.advance(step);
        self.charge_turn(step);
        let i = self.scalar(step.index);
        let one = self.int_const(1);
        let next = self.b.ins().iadd(i, one);
        self.bind(step.index, next);
        self.b.ins().jump(header, &[]);
        self.b.seal_block(header);
        self.enter(exit);
    }

    /// All states take their next values at once.
    fn advance(&mut self, step: &LoopStep) {
        let scalars: Vec<_> = step
            .carried
            .iter()
            .filter(|carried| self.plan.item(carried.state).is_scalar())
            .map(|carried| (carried.state, self.scalar(carried.next)))
            .collect();
        for carried in &step.carried {
            if !self.plan.item(carried.state).is_scalar() {
                self.copy(carried.next, carried.state);
            }
        }
        for (state, value) in scalars {
            self.bind(state, value);
        }
    }

    /// Whether the host wants the run to go on.
    fn running(&mut self) -> Value {
        let context = self.context;
        let flag = self.b.ins().load(types::I64, Self::flags(), context, Context::STOP);
        let stop = self.b.ins().load(types::I8, Self::flags(), flag, 0);
        let zero = self.b.ins().iconst(types::I8, 0);
        self.b.ins().icmp(IntCC::Equal, stop, zero)
    }

    fn clear(&mut self, stacked: &Stacked) {
        let bytes = self.bytes(stacked.all);
        let target = self.pointer(stacked.all);
        let bytes = self.int_const(i64::try_from(bytes).unwrap_or(i64::MAX));
        let address = super::symbols::clear as *const () as usize;
        self.call(address, &[target, bytes], None);
    }

    /// Puts the value of one iteration where it belongs.
    fn collect(&mut self, index: ItemId, stacked: &Stacked) {
        let bytes = self.bytes(stacked.row);
        let all = self.pointer(stacked.all);
        let i = self.scalar(index);
        let stride = self.int_const(i64::try_from(bytes).unwrap_or(i64::MAX));
        let offset = self.b.ins().imul(i, stride);
        let target = self.b.ins().iadd(all, offset);
        if self.plan.item(stacked.row).is_scalar() {
            let value = self.scalar(stacked.row);
            self.b.ins().store(Self::flags(), value, target, 0);
        } else if bytes > 0 {
            let source = self.pointer(stacked.row);
            self.copy_bytes(source, target, bytes);
        }
    }

    /// A choice of the program.
    fn choose(&mut self, step: &'p IfStep) {
        let condition = self.scalar(step.condition);
        let then = self.b.create_block();
        let otherwise = self.b.create_block();
        let rest = self.b.create_block();
        self.b.ins().brif(condition, then, &[], otherwise, &[]);
        self.enter(then);
        self.block(&step.then);
        for (item, from, _) in &step.results {
            self.copy(*from, *item);
        }
        self.b.ins().jump(rest, &[]);
        self.enter(otherwise);
        self.block(&step.otherwise);
        for (item, _, from) in &step.results {
            self.copy(*from, *item);
        }
        self.b.ins().jump(rest, &[]);
        self.enter(rest);
    }
}
