//! Folding: in registers, in lanes, or in memory.
//!
//! A sum over the variable that runs in vectors has a part for each lane of up to eight vectors;
//! the parts are added in a fixed tree. Every other fold goes strictly from left to right.

use cranelift::codegen::ir::{InstBuilder, Value};

use crate::ir::Fold;
use crate::plan::Output;

use super::emit::Emitter;
use super::nest::Writer;
use super::values::Val;

impl<'p> Writer<'p> {
    /// The level at which the folding of an output begins; `None` without one.
    pub(super) fn fold_level(&self, output: &Output) -> Option<usize> {
        output.fold?;
        let folded = |var: &usize| *var >= output.kept;
        let at = self.nest.order.iter().position(folded);
        Some(at.unwrap_or(self.nest.order.len()))
    }

    /// Whether dimensions of an output run inside its folded loops, so that it is folded in memory.
    pub(super) fn in_memory(&self, output: &Output) -> bool {
        let Some(level) = self.fold_level(output) else {
            return false;
        };
        self.nest.order[level..].iter().any(|var| *var < output.kept)
    }

    pub(super) fn begin(&mut self, e: &mut Emitter<'p, '_>, level: usize) {
        for at in 0..self.nest.outputs.len() {
            let output = &self.nest.outputs[at];
            let (Some(fold), true) = (output.fold, self.fold_level(output) == Some(level)) else {
                continue;
            };
            let elem = e.plan.item(output.item).elem;
            let first = e.start_of(fold, elem);
            if self.in_memory(output) {
                self.clear(e, at, level, first);
                continue;
            }
            // While a dimension of the result runs in vectors, there is a sum for each lane.
            let (value, count) = match self.lanes {
                Some(count) => (e.splat(first), count),
                None => (first, 1),
            };
            self.accumulators[at] = e.variables(value, count);
        }
    }

    /// Sets the elements of an output that the loops inside a level reach.
    fn clear(&mut self, e: &mut Emitter<'p, '_>, at: usize, level: usize, first: Value) {
        let output = &self.nest.outputs[at];
        let inside: Vec<usize> =
            self.nest.order[level..].iter().copied().filter(|var| *var < output.kept).collect();
        let place = self.targets[at].clone();
        let pointer = self.pointers[level][place.stream];
        let distances = self.streams[place.stream].coefficients.clone();
        self.clear_loop(e, &inside, pointer, &distances, first, place.offset);
    }

    fn clear_loop(
        &self,
        e: &mut Emitter<'p, '_>,
        vars: &[usize],
        pointer: Value,
        distances: &[i64],
        first: Value,
        offset: i32,
    ) {
        let Some((var, rest)) = vars.split_first() else {
            e.b.ins().store(Emitter::flags(), first, pointer, offset);
            return;
        };
        e.counted(0, self.nest.sizes[*var], 1, |e, i| {
            let moved = e.times(i, distances[*var]);
            let pointer = e.b.ins().iadd(pointer, moved);
            self.clear_loop(e, rest, pointer, distances, first, offset);
        });
    }

    /// Lanes for sums over the variable that is about to run in vectors. Passes of fewer vectors
    /// use the first of them.
    pub(super) fn split(&mut self, e: &mut Emitter<'p, '_>, level: usize, count: usize) {
        let var = self.nest.order[level];
        for at in 0..self.nest.outputs.len() {
            let output = &self.nest.outputs[at];
            if let Some(fold) = output.fold
                && var >= output.kept
                && !self.in_memory(output)
            {
                let elem = e.plan.item(output.item).elem;
                let first = e.start_of(fold, elem);
                let first = e.splat(first);
                let lanes = e.variables(first, count);
                // The sum so far waits behind its lanes.
                let so_far = std::mem::replace(&mut self.accumulators[at], lanes);
                self.accumulators[at].extend(so_far);
            }
        }
    }

    /// The sums of the lanes, put to the sum so far: a fixed tree.
    pub(super) fn gather_up(&mut self, e: &mut Emitter<'p, '_>, level: usize) {
        let var = self.nest.order[level];
        for at in 0..self.nest.outputs.len() {
            let output = &self.nest.outputs[at];
            let Some(fold) = output.fold else { continue };
            if var < output.kept || self.in_memory(output) {
                continue;
            }
            let so_far = self.accumulators[at].pop();
            let mut parts: Vec<Value> = self.accumulators[at].iter().map(|lane| e.b.use_var(*lane)).collect();
            while parts.len() > 1 {
                parts = parts
                    .chunks(2)
                    .map(|pair| match pair {
                        [a, b] => e.combine_lanes(fold, *a, *b),
                        _ => pair[0],
                    })
                    .collect();
            }
            let Some(so_far) = so_far else { continue };
            let sum = e.across(fold, parts[0]);
            let before = e.b.use_var(so_far);
            let sum = e.combine(fold, before, sum);
            e.b.def_var(so_far, sum);
            self.accumulators[at] = vec![so_far];
        }
    }

    pub(super) fn innermost(&mut self, e: &mut Emitter<'p, '_>) {
        let depth = self.nest.loops.len();
        for (at, output) in self.nest.outputs.iter().enumerate() {
            let value = self.value(e, output.root);
            match output.fold {
                None => self.store(e, at, value, depth),
                Some(fold) if self.in_memory(output) => self.fold_into_memory(e, at, fold, &value),
                Some(fold) => self.accumulate(e, at, fold, &value),
            }
        }
    }

    fn accumulate(&mut self, e: &mut Emitter<'p, '_>, at: usize, fold: Fold, value: &Val) {
        let count = self.lanes.unwrap_or(1);
        for lane in 0..count {
            let variable = self.accumulators[at][lane];
            let so_far = e.b.use_var(variable);
            let sum = match self.lanes {
                Some(_) => {
                    let x = self.lane(e, value, lane);
                    e.combine_lanes(fold, so_far, x)
                }
                None => e.combine(fold, so_far, value.one()),
            };
            e.b.def_var(variable, sum);
        }
    }

    fn fold_into_memory(&mut self, e: &mut Emitter<'p, '_>, at: usize, fold: Fold, value: &Val) {
        let place = self.targets[at].clone();
        let so_far = self.load(e, &place, self.entered);
        let sum = match (&so_far, self.lanes) {
            (Val::Lanes(lanes), _) => {
                let mut sums = Vec::new();
                for (lane, so_far) in lanes.iter().enumerate() {
                    let x = self.lane(e, value, lane);
                    sums.push(e.combine_lanes(fold, *so_far, x));
                }
                Val::Lanes(sums)
            }
            (Val::One(so_far), _) => Val::One(e.combine(fold, *so_far, value.one())),
        };
        self.store(e, at, sum, self.entered);
    }

    pub(super) fn end(&mut self, e: &mut Emitter<'p, '_>, level: usize) {
        for at in 0..self.nest.outputs.len() {
            let output = &self.nest.outputs[at];
            if self.fold_level(output) != Some(level) || self.in_memory(output) {
                continue;
            }
            let sums: Vec<Value> =
                self.accumulators[at].iter().map(|variable| e.b.use_var(*variable)).collect();
            let value = match self.lanes {
                Some(_) => Val::Lanes(sums),
                None => Val::One(sums[0]),
            };
            self.store(e, at, value, level);
        }
    }
}
