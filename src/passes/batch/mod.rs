//! A function for all indices of a leading dimension at once.
//!
//! Values that depend on the index get that dimension in front; the others stay as they are, and
//! are repeated only where they meet one that has it. This is how comprehensions become bulk ops.
//!
//! Where only some of the indices are *active* (a branch that was not taken, a loop that has
//! ended), everything is computed for all and chosen by `where`; indices of gathers and scatters
//! are put to 0 for the others, so that what is not taken cannot go out of range.

mod control;

use crate::diag::Span;
use crate::ir::{Binding, Build, Derivative, Dim, Elem, Facts, Fold, Function, Op, Ty, Value};
use crate::ops::Emit;

/// A batched function, and which of its results have the leading dimension.
#[derive(Debug, Clone)]
pub struct Batched {
    /// The marked parameters have the leading dimension.
    pub function: Function,
    /// Which results have it.
    pub batched: Vec<bool>,
}

/// Batches a function over a leading dimension of the marked parameters.
pub fn batch(function: &Function, batched: &[bool], size: &Dim) -> Batched {
    let mut build = Build::new(function.name.clone(), Span::default());
    let arguments: Vec<Lane> = function
        .params
        .iter()
        .zip(batched)
        .map(|(param, batched)| {
            let ty = function.ty(*param).clone();
            let ty = if *batched { with_front(&ty, size) } else { ty };
            Lane::new(build.param(ty), *batched)
        })
        .collect();
    let results = emit(&mut build, function, &arguments, size, None);
    Batched {
        function: build.finish(results.iter().map(|lane| lane.value).collect()),
        batched: results.iter().map(|lane| lane.batched).collect(),
    }
}

/// Emits `body: (i, captures…) -> results` for `i` in `0..trip`; every result gets the leading
/// dimension.
pub fn map(build: &mut Build, body: &Function, captures: &[Value], trip: &Dim) -> Vec<Value> {
    let index = build.iota(std::slice::from_ref(trip), 0);
    let mut arguments = vec![Lane::new(index, true)];
    arguments.extend(captures.iter().map(|value| Lane::new(*value, false)));
    let results = emit(build, body, &arguments, trip, None);
    results.into_iter().map(|lane| lane.in_front(build, trip)).collect()
}

/// A value, and whether it has the leading dimension.
#[derive(Debug, Clone, Copy)]
struct Lane {
    value: Value,
    batched: bool,
}

impl Lane {
    fn new(value: Value, batched: bool) -> Lane {
        Lane { value, batched }
    }

    /// The value with the leading dimension.
    fn in_front(self, build: &mut Build, size: &Dim) -> Value {
        if self.batched {
            return self.value;
        }
        let ty = build.ty(self.value).clone();
        let axes: Vec<usize> = (1..=ty.rank()).collect();
        build.broadcast(self.value, &with_front(&ty, size).dims, &axes)
    }
}

fn with_front(ty: &Ty, size: &Dim) -> Ty {
    let mut ty = ty.clone();
    ty.dims.insert(0, size.clone());
    ty
}

/// `where(mask, a, b)` for a mask `[size]` and values `[size, …]`.
fn choose(build: &mut Build, mask: Value, a: Value, b: Value) -> Value {
    let dims = build.ty(a).dims.clone();
    let wide = build.broadcast(mask, &dims, &[0]);
    build.call("where", &[wide, a, b])
}

/// Emits a function for all indices; `active` (`[size]`) marks the indices that count.
fn emit(
    build: &mut Build,
    function: &Function,
    arguments: &[Lane],
    size: &Dim,
    active: Option<Value>,
) -> Vec<Lane> {
    let mut batching = Batching { lanes: vec![None; function.types.len()], build, function, size, active };
    for (param, argument) in function.params.iter().zip(arguments) {
        batching.lanes[param.0 as usize] = Some(*argument);
    }
    let outer = batching.build.span();
    for binding in &function.bindings {
        batching.build.at(binding.span);
        let found = batching.binding(binding);
        for (value, lane) in binding.values.iter().zip(found) {
            batching.lanes[value.0 as usize] = Some(lane);
        }
    }
    batching.build.at(outer);
    batching.all(&function.results)
}

struct Batching<'a> {
    build: &'a mut Build,
    function: &'a Function,
    size: &'a Dim,
    active: Option<Value>,
    lanes: Vec<Option<Lane>>,
}

impl Batching<'_> {
    fn all(&self, values: &[Value]) -> Vec<Lane> {
        let lane =
            |value: &Value| self.lanes[value.0 as usize].expect("operands are bound before they are read");
        values.iter().map(lane).collect()
    }

    fn binding(&mut self, binding: &Binding) -> Vec<Lane> {
        let mut operands = self.all(&binding.operands);
        if let (Op::Structural(facts), Some(active)) = (&binding.op, self.active) {
            self.mask_indices(facts.as_ref(), &mut operands, active);
        }
        let plain = !operands.iter().any(|lane| lane.batched);
        match &binding.op {
            Op::Loop(op) if !plain || self.active.is_some() => self.repeat(op, &operands),
            Op::If(op) if !plain || self.active.is_some() => self.choose_branch(op, &operands),
            Op::Constant(_)
            | Op::Primitive(_)
            | Op::Structural(_)
            | Op::Custom(_)
            | Op::Loop(_)
            | Op::If(_)
                if plain =>
            {
                let operands = operands.iter().map(|lane| lane.value).collect();
                let types = binding.values.iter().map(|v| self.function.ty(*v).clone());
                let values = self.build.bind(binding.op.clone(), operands, types.collect());
                values.into_iter().map(|v| Lane::new(v, false)).collect()
            }
            Op::Primitive(prim) => {
                let operands: Vec<Value> =
                    operands.iter().map(|lane| lane.in_front(self.build, self.size)).collect();
                vec![Lane::new(self.build.primitive(*prim, &operands), true)]
            }
            Op::Structural(facts) => {
                let values: Vec<Value> = operands.iter().map(|lane| lane.value).collect();
                let marks: Vec<bool> = operands.iter().map(|lane| lane.batched).collect();
                let value = facts.batch(self.build, &values, &marks, self.size);
                vec![Lane::new(value, true)]
            }
            Op::Custom(op) => self.custom(op, &operands),
            Op::Constant(_) | Op::Loop(_) | Op::If(_) => {
                unreachable!("handled above, whatever their operands")
            }
            Op::Map(_) | Op::Jvp(_) | Op::Vjp(_) => {
                unreachable!("`expand` removes the innermost first")
            }
        }
    }

    /// Puts the indices of the inactive lanes to 0. Indices are the int operands that an op is
    /// not linear in.
    fn mask_indices(&mut self, facts: &dyn Facts, operands: &mut [Lane], active: Value) {
        let derivative = facts.derivative();
        if !matches!(derivative, Derivative::Linear(_)) {
            return;
        }
        for (at, lane) in operands.iter_mut().enumerate() {
            let ty = self.build.ty(lane.value).clone();
            if ty.elem != Elem::Int || derivative.linear_in(at) {
                continue;
            }
            let zero = self.build.zeros(&ty);
            lane.value = if lane.batched {
                choose(self.build, active, lane.value, zero)
            } else {
                let some = self.build.reduce(Fold::Any, active, &[0]);
                self.build.call("where", &[some, lane.value, zero])
            };
        }
    }
}
