//! The state of writing one machine function.

use std::collections::HashMap;

use cranelift::codegen::ir::{
    Block, InstBuilder, MemFlagsData, SigRef, StackSlot, Type, Value, condcodes::IntCC, types,
};
use cranelift::codegen::isa::CallConv;
use cranelift::prelude::{FunctionBuilder, Signature, Variable};

use crate::diag::Span;
use crate::ir::Elem;
use crate::plan::{ItemId, Outlined, Plan};
use crate::runtime::record;

use super::jit::Shared;

/// Writes one machine function of a plan: `(context, arena)`.
pub(super) struct Emitter<'p, 'f> {
    pub(super) plan: &'p Plan,
    pub(super) b: FunctionBuilder<'f>,
    pub(super) shared: &'f mut Shared<'p>,
    /// The type of reals.
    pub(super) real: Type,
    pub(super) convention: CallConv,
    pub(super) context: Value,
    pub(super) arena: Value,
    pub(super) signatures: HashMap<Signature, SigRef>,
    pub(super) scalars: HashMap<ItemId, Variable>,
    /// The memory that strips are handed over in, once there is one.
    pub(super) handed: Option<StackSlot>,
    /// Where the rows of a part start; outside of parts they lie in the arena.
    pub(super) rows: Option<Value>,
}

impl<'p> Emitter<'p, '_> {
    /// Loads and stores: the arena is mapped and aligned.
    pub(super) fn flags() -> MemFlagsData {
        MemFlagsData::new().with_notrap()
    }

    /// Where the memory of an item starts, with the part of the offset that fits an instruction.
    pub(super) fn address(&mut self, offset: usize) -> (Value, i32) {
        match i32::try_from(offset) {
            Ok(offset) if offset < 1 << 30 => (self.arena, offset),
            Ok(_) | Err(_) => {
                let offset = i64::try_from(offset).unwrap_or(i64::MAX);
                let far = self.int_const(offset);
                (self.b.ins().iadd(self.arena, far), 0)
            }
        }
    }

    /// The first byte of an item's memory.
    pub(super) fn pointer(&mut self, id: ItemId) -> Value {
        let offset = i64::try_from(self.plan.offset(id)).unwrap_or(i64::MAX);
        let offset = self.int_const(offset);
        self.b.ins().iadd(self.arena, offset)
    }

    /// Where rows for functions of many elements start.
    pub(super) fn first_row(&mut self) -> Value {
        if let Some(rows) = self.rows {
            return rows;
        }
        let offset = self.int_const(i64::try_from(self.plan.rows).unwrap_or(i64::MAX));
        self.b.ins().iadd(self.arena, offset)
    }

    fn variable(&mut self, id: ItemId) -> Variable {
        if let Some(variable) = self.scalars.get(&id) {
            return *variable;
        }
        let ty = self.ty(self.plan.item(id).elem);
        let variable = self.b.declare_var(ty);
        self.scalars.insert(id, variable);
        variable
    }

    /// The value of a scalar.
    pub(super) fn scalar(&mut self, id: ItemId) -> Value {
        let item = self.plan.item(id);
        if let Some(literal) = item.literal {
            return self.literal(literal);
        }
        if item.spilled {
            return self.load_home(id);
        }
        let variable = self.variable(id);
        self.b.use_var(variable)
    }

    /// Binds a scalar.
    pub(super) fn bind(&mut self, id: ItemId, value: Value) {
        let item = self.plan.item(id);
        if item.home && item.buffer.is_some() {
            let (base, offset) = self.address(self.plan.offset(id));
            self.b.ins().store(Self::flags(), value, base, offset);
        }
        if !item.spilled {
            let variable = self.variable(id);
            self.b.def_var(variable, value);
        }
    }

    fn load_home(&mut self, id: ItemId) -> Value {
        let ty = self.ty(self.plan.item(id).elem);
        let (base, offset) = self.address(self.plan.offset(id));
        self.b.ins().load(ty, Self::flags(), base, offset)
    }

    /// Takes a scalar from its home, where other code has left it.
    pub(super) fn reload(&mut self, id: ItemId) {
        if !self.plan.item(id).spilled {
            let value = self.load_home(id);
            let variable = self.variable(id);
            self.b.def_var(variable, value);
        }
    }

    /// `body` for every `step`-th `i` from `from` to below `to`; there is at least one.
    pub(super) fn counted(
        &mut self,
        from: usize,
        to: usize,
        step: usize,
        body: impl FnOnce(&mut Self, Value),
    ) {
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let first = self.int_const(number(from));
        if to - from <= step {
            body(self, first);
            return;
        }
        let block = self.b.create_block();
        let exit = self.b.create_block();
        let i = self.b.append_block_param(block, types::I64);
        self.b.ins().jump(block, &[first.into()]);
        self.b.switch_to_block(block);
        body(self, i);
        let step = self.int_const(number(step));
        let next = self.b.ins().iadd(i, step);
        let end = self.int_const(number(to));
        let more = self.b.ins().icmp(IntCC::SignedLessThan, next, end);
        self.b.ins().brif(more, block, &[next.into()], exit, &[]);
        self.b.seal_block(block);
        self.b.switch_to_block(exit);
        self.b.seal_block(exit);
    }

    /// A value times a number.
    pub(super) fn times(&mut self, value: Value, k: i64) -> Value {
        if k == 1 {
            return value;
        }
        if k > 0 && k.count_ones() == 1 {
            let shift = i64::from(k.trailing_zeros());
            let shift = self.b.ins().iconst(types::I64, shift);
            return self.b.ins().ishl(value, shift);
        }
        let k = self.int_const(k);
        self.b.ins().imul(value, k)
    }

    /// An index if it is in range, else 0 with a note in the context.
    pub(super) fn checked(&mut self, index: Value, size: usize, span: Span) -> Value {
        let size = self.int_const(i64::try_from(size).unwrap_or(i64::MAX));
        let bad = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, size);
        let cold = self.b.create_block();
        let rest = self.b.create_block();
        let good = self.b.append_block_param(rest, types::I64);
        self.b.ins().brif(bad, cold, &[], rest, &[index.into()]);
        self.b.switch_to_block(cold);
        self.b.set_cold_block(cold);
        self.b.seal_block(cold);
        let site = self.site(span);
        let context = self.context;
        self.call(record as *const () as usize, &[context, site, index, size], None);
        let zero = self.int_const(0);
        self.b.ins().jump(rest, &[zero.into()]);
        self.enter(rest);
        good
    }

    /// Goes on in a block that no other jump will reach.
    pub(super) fn enter(&mut self, block: Block) {
        self.b.switch_to_block(block);
        self.b.seal_block(block);
    }

    /// The number under which a failed check of a place is noted.
    fn site(&mut self, span: Span) -> Value {
        let site = self.shared.site(span);
        self.int_const(site)
    }

    /// The bytes of one element.
    pub(super) fn width(&self, elem: Elem) -> i64 {
        i64::try_from(self.plan.width(elem)).unwrap_or(8)
    }

    /// A call of a chunk.
    pub(super) fn outlined(&mut self, outlined: &'p Outlined) {
        let reference = self.shared.chunk(outlined, self.b.func);
        let (context, arena) = (self.context, self.arena);
        self.b.ins().call(reference, &[context, arena]);
        for id in &outlined.outputs {
            self.reload(*id);
        }
    }
}
