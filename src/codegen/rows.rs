//! Machine functions on rows.
//!
//! Where the innermost loop runs in vectors and calls functions that the runtime has for many
//! elements at a time, it goes by rows: first the arguments of a function are computed and put in
//! a row, then the function is called once for the row, then the loop goes on with its values.

use cranelift::codegen::ir::{InstBuilder, Value};

use crate::ir::{Elem, Node, NodeId, Precision};
use crate::runtime::kernels::{self, ROW};

use super::emit::Emitter;
use super::nest::Writer;
use super::values::Val;

/// Rounds of a loop, counted from a base.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) base: Option<Value>,
    pub(super) from: usize,
    pub(super) to: usize,
}

impl Span {
    /// A round counted from the base, as a value of the loop variable.
    pub(super) fn moved(self, e: &mut Emitter<'_, '_>, i: Value) -> Value {
        match self.base {
            Some(base) => e.b.ins().iadd(base, i),
            None => i,
        }
    }
}

/// What a round does.
pub(super) enum Body {
    /// Everything.
    All,
    /// It computes the arguments of calls.
    Arguments(Vec<NodeId>),
}

/// The rows of a nest.
pub(super) struct Rows {
    /// Of every node, its row while the loop goes by rows.
    pub(super) of: Vec<Option<usize>>,
    /// Whether the row of a node holds its values.
    ready: Vec<bool>,
    /// Where the first row would hold the value for variable 0.
    base: Value,
}

impl Rows {
    pub(super) fn new(nodes: usize, base: Value) -> Rows {
        Rows { of: vec![None; nodes], ready: vec![false; nodes], base }
    }
}

impl Rows {
    /// The row of a node that holds its values.
    pub(super) fn ready(&self, id: NodeId) -> Option<usize> {
        self.of[id.0].filter(|_| self.ready[id.0])
    }

    /// Where the first row would hold the value for variable 0.
    pub(super) fn base(&self) -> Value {
        self.base
    }
}

impl<'p> Writer<'p> {
    /// The calls that a loop of `count` rounds makes by rows.
    fn row_calls(&self, e: &Emitter<'p, '_>, count: usize) -> Vec<NodeId> {
        let single = e.plan.precision == Precision::F32;
        let has_rows = |at: &usize| match &self.nest.nodes[*at] {
            Node::Primitive(prim, _) => kernels::has_block(*prim, single),
            Node::Constant(_) | Node::Index(_) | Node::Read { .. } | Node::Within { .. } => false,
        };
        if count < 2 * e.lane_count() {
            return Vec::new();
        }
        (0..self.nest.nodes.len())
            .filter(|at| self.view.eager[*at] && self.view.varies[*at])
            .filter(|at| self.view.same[*at] == NodeId(*at))
            .filter(has_rows)
            .map(NodeId)
            .collect()
    }

    /// Whether a loop of `count` rounds goes by rows.
    pub(super) fn calls_rows(&self, e: &Emitter<'p, '_>, count: usize) -> bool {
        !self.row_calls(e, count).is_empty()
    }

    /// Calls in the order of their stages: how many calls are needed for their arguments.
    fn stages(&self, calls: &[NodeId]) -> Vec<Vec<NodeId>> {
        let mut stage_of = vec![0; self.nest.nodes.len()];
        let mut stages: Vec<Vec<NodeId>> = Vec::new();
        for (at, node) in self.nest.nodes.iter().enumerate() {
            let mut stage = 0;
            node.arguments(&mut |id| {
                let id = self.view.same[id.0];
                stage = stage.max(stage_of[id.0] + usize::from(calls.contains(&id)));
            });
            stage_of[at] = stage;
            if calls.contains(&NodeId(at)) {
                if stages.len() <= stage {
                    stages.resize(stage + 1, Vec::new());
                }
                stages[stage].push(NodeId(at));
            }
        }
        stages
    }

    /// The innermost loop by rows.
    pub(super) fn by_rows(&mut self, e: &mut Emitter<'p, '_>, level: usize, span: Span) {
        let (start, end) = (span.from, span.to);
        let calls = self.row_calls(e, end - start);
        let stages = self.stages(&calls);
        for (row, id) in calls.iter().enumerate() {
            self.rows.of[id.0] = Some(row);
        }
        let whole = (end - start) / ROW;
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        if whole > 0 {
            e.counted(0, whole, 1, |e, i| {
                let moved = e.times(i, number(ROW));
                let start = e.int_const(number(start));
                let base = e.b.ins().iadd(moved, start);
                let base = span.moved(e, base);
                self.row(e, level, base, ROW, &stages);
            });
        }
        if !(end - start).is_multiple_of(ROW) {
            let base = e.int_const(number(start + whole * ROW));
            let base = span.moved(e, base);
            self.row(e, level, base, (end - start) % ROW, &stages);
        }
        self.rows.of.fill(None);
    }

    /// One row of the loop, from variable `base` on.
    fn row(
        &mut self,
        e: &mut Emitter<'p, '_>,
        level: usize,
        base: Value,
        count: usize,
        stages: &[Vec<NodeId>],
    ) {
        let first = e.first_row();
        let width = e.width(Elem::Real);
        let before = e.times(base, width);
        self.rows.base = e.b.ins().isub(first, before);
        let span = Span { base: Some(base), from: 0, to: count };
        for calls in stages {
            self.in_strips(e, level, span, &Body::Arguments(calls.clone()));
            for id in calls {
                self.call_row(e, *id, first, count);
            }
        }
        self.in_strips(e, level, span, &Body::All);
        self.rows.ready.fill(false);
    }

    /// As a strip, or else in vectors.
    fn in_strips(&mut self, e: &mut Emitter<'p, '_>, level: usize, span: Span, body: &Body) {
        if !self.wide(e, level, span, body) {
            self.in_vectors(e, level, span, body);
        }
    }

    fn call_row(&mut self, e: &mut Emitter<'p, '_>, id: NodeId, first: Value, count: usize) {
        let Node::Primitive(prim, _) = &self.nest.nodes[id.0] else {
            return;
        };
        let single = e.plan.precision == Precision::F32;
        if let (Some(function), Some(row)) =
            (kernels::block(*prim, single, e.shared.vectors), self.rows.of[id.0])
        {
            let offset = e.int_const(i64::from(row_offset(row)));
            let pointer = e.b.ins().iadd(first, offset);
            let count = e.int_const(i64::try_from(count).unwrap_or(0));
            e.call(function as usize, &[pointer, count], None);
            self.rows.ready[id.0] = true;
        }
    }

    /// The place in the rows for the variable at hand.
    fn row_pointer(&self, e: &mut Emitter<'p, '_>) -> Option<Value> {
        let iv = self.ivs[self.nest.lanes?];
        let width = e.width(Elem::Real);
        let moved = e.times(iv, width);
        Some(e.b.ins().iadd(self.rows.base, moved))
    }

    /// Puts the arguments of calls in their rows.
    pub(super) fn fill_rows(&mut self, e: &mut Emitter<'p, '_>, calls: &[NodeId]) {
        let Some(pointer) = self.row_pointer(e) else {
            return;
        };
        for id in calls {
            let (Node::Primitive(_, args), Some(row)) = (&self.nest.nodes[id.0], self.rows.of[id.0]) else {
                continue;
            };
            let value = self.value(e, args[0]);
            match self.lanes {
                Some(count) => {
                    for lane in 0..count {
                        let x = self.lane(e, &value, lane);
                        let offset = e.lane_offset(Elem::Real, row_offset(row), lane);
                        e.store_lanes(Elem::Real, x, pointer, offset);
                    }
                }
                None => {
                    let flags = Emitter::flags();
                    e.b.ins().store(flags, value.one(), pointer, row_offset(row));
                }
            }
        }
    }

    /// The value of a node that stands in a row.
    pub(super) fn row_value(&mut self, e: &mut Emitter<'p, '_>, id: NodeId) -> Option<Val> {
        let row = self.rows.ready(id)?;
        let pointer = self.row_pointer(e)?;
        let value = match self.lanes {
            Some(count) => {
                let lanes = (0..count).map(|lane| {
                    let offset = e.lane_offset(Elem::Real, row_offset(row), lane);
                    e.load_lanes(Elem::Real, pointer, offset)
                });
                Val::Lanes(lanes.collect())
            }
            None => {
                let (ty, flags) = (e.ty(Elem::Real), Emitter::flags());
                Val::One(e.b.ins().load(ty, flags, pointer, row_offset(row)))
            }
        };
        Some(value)
    }
}

/// Where a row starts.
pub(super) fn row_offset(row: usize) -> i32 {
    i32::try_from(row * ROW * 8).unwrap_or(0)
}
