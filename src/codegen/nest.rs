//! Loop nests: the loops, and what happens at each level.
//!
//! Every node is computed at the outermost level at which its loop variables are known. A loop
//! whose variable decides about ranges (as in padding) is cut into segments in which nothing is
//! left to decide. One variable may run in vectors: several vectors at a time, then fewer, and
//! what is left one by one.

use cranelift::codegen::ir::{InstBuilder, Value};
use cranelift::prelude::Variable;

use crate::ir::{Affine, Elem, Fold, Node, NodeId};
use crate::math::Cpu;
use crate::plan::{NestStep, Output};

use super::emit::Emitter;
use super::rows::{Body, Rows, Span};
use super::scalar::start;
use super::values::{Place, Source, Stream, Val};

/// Segments of a loop and of the loops inside it, at most.
const SEGMENTS: usize = 9;
/// Sums of fewer elements are not split among lanes.
const SPLIT: usize = 8;
/// Innermost loops of at most this many rounds are written out.
const UNROLL: usize = 4;

/// A nest being written.
pub(super) struct Writer<'p> {
    pub(super) nest: &'p NestStep,
    /// The kind of every node.
    pub(super) elems: Vec<Elem>,
    pub(super) sources: Vec<Source>,
    pub(super) streams: Vec<Stream>,
    pub(super) targets: Vec<Place>,
    /// Of every level, the pointers of the streams.
    pub(super) pointers: Vec<Vec<Value>>,
    pub(super) values: Vec<Option<Val>>,
    /// The loop variables.
    pub(super) ivs: Vec<Value>,
    /// The deepest level entered.
    pub(super) entered: usize,
    /// How many vectors are computed at a time, while a variable runs in vectors.
    pub(super) lanes: Option<usize>,
    pub(super) view: View,
    /// The part of each loop that is being written.
    bounds: Vec<(usize, usize)>,
    accumulators: Vec<Vec<Variable>>,
    segments: usize,
    /// Rows of values computed many at a time.
    pub(super) rows: Rows,
}

/// What is known of the nodes in a segment.
#[derive(Clone, Default)]
pub(super) struct View {
    /// Nodes that are another node here.
    pub(super) same: Vec<NodeId>,
    /// Of every node, how many loops must be entered before it is known.
    pub(super) levels: Vec<usize>,
    /// Whether a node is wanted wherever its loops go.
    pub(super) eager: Vec<bool>,
    /// Whether a node is wanted at all.
    pub(super) wanted: Vec<bool>,
    /// Whether a node depends on the variable that runs in vectors.
    pub(super) varies: Vec<bool>,
}

impl<'p> Emitter<'p, '_> {
    /// A loop nest.
    pub(super) fn nest(&mut self, nest: &'p NestStep) {
        let empty = |vars: &[usize]| vars.contains(&0);
        if empty(&nest.loops) {
            // Nothing is folded: the outputs are what folding starts from.
            for output in &nest.outputs {
                if !empty(&nest.loops[..output.kept]) {
                    self.fill(output);
                }
            }
            return;
        }
        let mut writer = Writer::new(self, nest);
        writer.enter(self, 0);
        writer.level(self, 0);
    }

    /// Sets every element of an output to what folding starts from.
    fn fill(&mut self, output: &'p Output) {
        let item = self.plan.item(output.item);
        let Some(fold) = output.fold else { return };
        let value = self.literal(start(fold, item.elem));
        if item.is_scalar() {
            self.bind(output.item, value);
            return;
        }
        let base = self.pointer(output.item);
        let width = self.width(item.elem);
        self.counted(0, item.count(), 1, |e, i| {
            let offset = e.times(i, width);
            let target = e.b.ins().iadd(base, offset);
            e.b.ins().store(Self::flags(), value, target, 0);
        });
    }
}

impl<'p> Writer<'p> {
    fn new(e: &mut Emitter<'p, '_>, nest: &'p NestStep) -> Writer<'p> {
        let depth = nest.loops.len();
        let mut writer = Writer {
            nest,
            elems: Vec::new(),
            sources: Vec::new(),
            streams: Vec::new(),
            targets: Vec::new(),
            pointers: vec![Vec::new(); depth + 1],
            values: vec![None; nest.nodes.len()],
            ivs: vec![e.arena; depth],
            entered: 0,
            lanes: None,
            view: View::default(),
            bounds: nest.sizes.iter().map(|size| (0, *size)).collect(),
            accumulators: vec![Vec::new(); nest.outputs.len()],
            segments: 1,
            rows: Rows::new(nest.nodes.len(), e.arena),
        };
        writer.prepare(e);
        writer.view = writer.look();
        writer
    }

    /// The level of a form: how many loops must be entered before it is known.
    fn level_of(&self, form: &Affine) -> usize {
        let order = self.nest.order.iter().enumerate();
        order
            .filter(|(_, var)| form.coefficient(**var) != 0 && self.nest.sizes[**var] != 1)
            .map(|(at, _)| at + 1)
            .max()
            .unwrap_or(0)
    }

    /// Whether a range holds, or does not, wherever the loops go in their bounds.
    fn decided(&self, (form, lo, hi): &(Affine, i64, i64)) -> Option<bool> {
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let (mut least, mut most) = (form.offset, form.offset);
        for (var, (start, end)) in self.bounds.iter().enumerate() {
            let k = form.coefficient(var);
            let ends = [k * number(*start), k * (number(*end) - 1)];
            if k != 0 && self.nest.sizes[var] != 1 {
                least += ends[0].min(ends[1]);
                most += ends[0].max(ends[1]);
            }
        }
        if *lo <= least && most < *hi {
            Some(true)
        } else if most < *lo || *hi <= least {
            Some(false)
        } else {
            None
        }
    }

    /// What is known of the nodes within the bounds.
    fn look(&self) -> View {
        let nodes = &self.nest.nodes;
        let mut view = View {
            same: (0..nodes.len()).map(NodeId).collect(),
            levels: vec![0; nodes.len()],
            eager: vec![false; nodes.len()],
            wanted: vec![false; nodes.len()],
            varies: vec![false; nodes.len()],
        };
        for (at, node) in nodes.iter().enumerate() {
            if let Node::Within {
                ranges,
                then,
                otherwise,
            } = node
            {
                let answers = || ranges.iter().map(|range| self.decided(range));
                let earlier = if answers().all(|answer| answer == Some(true)) {
                    *then
                } else if answers().any(|answer| answer == Some(false)) {
                    *otherwise
                } else {
                    continue;
                };
                view.same[at] = view.same[earlier.0];
            }
        }
        self.find_levels(&mut view);
        self.find_wanted(&mut view);
        view
    }

    fn find_levels(&self, view: &mut View) {
        for (at, node) in self.nest.nodes.iter().enumerate() {
            let mut level = 0;
            let mut varies = false;
            if view.same[at] == NodeId(at) {
                node.forms(&mut |form| {
                    level = level.max(self.level_of(form));
                    varies |= self.runs_in(form);
                });
                node.arguments(&mut |id| {
                    let id = view.same[id.0];
                    level = level.max(view.levels[id.0]);
                    varies |= view.varies[id.0];
                });
            }
            view.levels[at] = level;
            view.varies[at] = varies;
        }
    }

    /// Whether a form depends on the variable that runs in vectors.
    fn runs_in(&self, form: &Affine) -> bool {
        self.nest
            .lanes
            .is_some_and(|var| form.coefficient(var) != 0)
    }

    fn find_wanted(&self, view: &mut View) {
        for output in &self.nest.outputs {
            let root = view.same[output.root.0];
            view.eager[root.0] = true;
            view.wanted[root.0] = true;
        }
        for at in (0..self.nest.nodes.len()).rev() {
            if !view.wanted[at] {
                continue;
            }
            let eager = view.eager[at];
            let node = &self.nest.nodes[at];
            node.arguments(&mut |id| {
                let lazy = matches!(node, Node::Within { then, .. } if then == &id);
                let id = view.same[id.0];
                view.wanted[id.0] = true;
                view.eager[id.0] |= eager && !lazy;
            });
            if let (Node::Within { otherwise, .. }, true) = (node, eager) {
                let otherwise = view.same[otherwise.0];
                view.eager[otherwise.0] = true;
            }
        }
    }

    /// What becomes known on entering a level: pointers, then nodes.
    fn enter(&mut self, e: &mut Emitter<'p, '_>, level: usize) {
        self.point(e, level);
        self.compute(e, level);
    }

    fn point(&mut self, e: &mut Emitter<'p, '_>, level: usize) {
        self.entered = level;
        self.pointers[level] = (0..self.streams.len())
            .map(|at| self.pointer(e, level, at))
            .collect();
    }

    /// The nodes known at a level that are not computed yet.
    fn compute(&mut self, e: &mut Emitter<'p, '_>, level: usize) {
        for at in 0..self.nest.nodes.len() {
            if self.view.eager[at] && self.view.levels[at] <= level {
                self.value(e, NodeId(at));
            }
        }
    }

    /// The loops from a level on.
    fn level(&mut self, e: &mut Emitter<'p, '_>, level: usize) {
        let depth = self.nest.loops.len();
        self.begin(e, level);
        if level == depth {
            self.innermost(e);
        } else {
            let var = self.nest.order[level];
            let cuts = self.cuts(var);
            let whole = cuts.len() == 2 || self.segments * (cuts.len() - 1) > SEGMENTS;
            if whole {
                self.segment(e, level, 0, self.nest.sizes[var]);
            } else {
                let (view, values, segments) =
                    (self.view.clone(), self.values.clone(), self.segments);
                self.segments *= cuts.len() - 1;
                for ends in cuts.windows(2) {
                    self.bounds[var] = (ends[0], ends[1]);
                    self.view = self.look();
                    self.compute(e, level);
                    self.segment(e, level, ends[0], ends[1]);
                    self.values.clone_from(&values);
                }
                self.bounds[var] = (0, self.nest.sizes[var]);
                self.view = view;
                self.segments = segments;
            }
            self.entered = level;
        }
        self.end(e, level);
    }

    /// A form that depends on one variable only, and its coefficient.
    fn only(&self, form: &Affine, var: usize) -> Option<i64> {
        let others = (0..self.nest.loops.len())
            .filter(|other| *other != var && self.nest.sizes[*other] != 1);
        let alone = others.clone().all(|other| form.coefficient(other) == 0);
        let k = form.coefficient(var);
        (alone && k != 0).then_some(k)
    }

    /// Where a loop is cut so that ranges of its variable are decided in between.
    fn cuts(&self, var: usize) -> Vec<usize> {
        let size = self.nest.sizes[var];
        let mut cuts = vec![0, size];
        for (at, node) in self.nest.nodes.iter().enumerate() {
            let Node::Within { ranges, .. } = node else {
                continue;
            };
            if !self.view.wanted[at] || self.view.same[at] != NodeId(at) {
                continue;
            }
            for (form, lo, hi) in ranges {
                let Some(k) = self.only(form, var) else {
                    continue;
                };
                // The least variable at which the form reaches a bound.
                for bound in [*lo, *hi] {
                    let distance = bound - form.offset;
                    let first = if k > 0 {
                        div_up(distance, k)
                    } else {
                        (-distance).div_euclid(-k) + 1
                    };
                    if let Ok(first) = usize::try_from(first)
                        && first > 0
                        && first < size
                    {
                        cuts.push(first);
                    }
                }
            }
        }
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    }

    /// One segment of a loop: by rows or in vectors if that can be.
    fn segment(&mut self, e: &mut Emitter<'p, '_>, level: usize, start: usize, end: usize) {
        let var = self.nest.order[level];
        let vectors =
            self.nest.lanes == Some(var) && self.lanes.is_none() && self.fits(e, end - start);
        let span = Span {
            base: None,
            from: start,
            to: end,
        };
        if !vectors {
            self.round(e, level, span, 1, &Body::All);
        } else if level + 1 == self.nest.loops.len() && self.calls_rows(e, end - start) {
            self.by_rows(e, level, start, end);
        } else {
            self.in_vectors(e, level, span, &Body::All);
        }
    }

    /// Several vectors at a time, then fewer, then one by one.
    pub(super) fn in_vectors(
        &mut self,
        e: &mut Emitter<'p, '_>,
        level: usize,
        span: Span,
        body: &Body,
    ) {
        let width = e.lane_count();
        let most = (span.to - span.from) / width;
        let mut vectors = self.vectors(level);
        while vectors > most {
            vectors /= 2;
        }
        let mut from = span.from;
        if matches!(body, Body::All) && vectors > 0 {
            self.split(e, level, vectors);
        }
        let parts = vectors;
        while vectors > 0 {
            let step = vectors * width;
            let to = from + (span.to - from) / step * step;
            if to > from {
                self.lanes = Some(vectors);
                self.round(e, level, Span { from, to, ..span }, step, body);
                self.lanes = None;
            }
            from = to;
            vectors /= 2;
        }
        if matches!(body, Body::All) && parts > 0 {
            self.gather_up(e, level);
        }
        if from < span.to {
            self.round(e, level, Span { from, ..span }, 1, body);
        }
    }

    fn round(
        &mut self,
        e: &mut Emitter<'p, '_>,
        level: usize,
        span: Span,
        step: usize,
        body: &Body,
    ) {
        let innermost = level + 1 == self.nest.loops.len();
        let rounds = (span.to - span.from) / step;
        let values = self.values.clone();
        if innermost && rounds <= UNROLL && rounds * self.nest.nodes.len() <= 64 {
            for at in (span.from..span.to).step_by(step) {
                let i = e.int_const(i64::try_from(at).unwrap_or(i64::MAX));
                self.once(e, level, span, i, body);
                self.values.clone_from(&values);
            }
            return;
        }
        e.counted(span.from, span.to, step, |e, i| {
            self.once(e, level, span, i, body);
        });
        self.values = values;
    }

    /// The inside of a loop.
    fn once(
        &mut self,
        e: &mut Emitter<'p, '_>,
        level: usize,
        span: Span,
        i: Value,
        body: &Body,
    ) {
        let var = self.nest.order[level];
        self.ivs[var] = match span.base {
            Some(base) => e.b.ins().iadd(base, i),
            None => i,
        };
        self.point(e, level + 1);
        match body {
            Body::All => {
                self.compute(e, level + 1);
                self.level(e, level + 1);
            }
            Body::Arguments(calls) => self.fill_rows(e, calls),
        }
    }

    /// How many vectors to compute at a time.
    fn vectors(&self, level: usize) -> usize {
        let nodes = self.nest.nodes.iter().enumerate();
        let busy = nodes.filter(|(at, _)| self.view.wanted[*at] && self.view.varies[*at]);
        let (mut count, mut calls) = (0, 0);
        for (at, node) in busy {
            count += 1;
            calls += usize::from(calls_host(node) && self.rows.of[at].is_none());
        }
        let around = level + 1 < self.nest.loops.len();
        match (calls, count) {
            (1.., _) => 1,
            (0, 0..=3) if around => 8,
            (0, 0..=9) => 4,
            (0, 10..=28) => 2,
            (0, _) => 1,
        }
    }

    /// The level at which the folding of an output begins; `None` without one.
    fn fold_level(&self, output: &Output) -> Option<usize> {
        output.fold?;
        let folded = |var: &usize| *var >= output.kept;
        let at = self.nest.order.iter().position(folded);
        Some(at.unwrap_or(self.nest.order.len()))
    }

    /// Whether dimensions of an output run inside its folded loops, so that it is folded in memory.
    fn in_memory(&self, output: &Output) -> bool {
        let Some(level) = self.fold_level(output) else {
            return false;
        };
        self.nest.order[level..].iter().any(|var| *var < output.kept)
    }

    fn begin(&mut self, e: &mut Emitter<'p, '_>, level: usize) {
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
        let inside: Vec<usize> = self.nest.order[level..]
            .iter()
            .copied()
            .filter(|var| *var < output.kept)
            .collect();
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
    fn split(&mut self, e: &mut Emitter<'p, '_>, level: usize, count: usize) {
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
    fn gather_up(&mut self, e: &mut Emitter<'p, '_>, level: usize) {
        let var = self.nest.order[level];
        for at in 0..self.nest.outputs.len() {
            let output = &self.nest.outputs[at];
            let Some(fold) = output.fold else { continue };
            if var < output.kept || self.in_memory(output) {
                continue;
            }
            let so_far = self.accumulators[at].pop();
            let mut parts: Vec<Value> = self.accumulators[at]
                .iter()
                .map(|lane| e.b.use_var(*lane))
                .collect();
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

    fn innermost(&mut self, e: &mut Emitter<'p, '_>) {
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

    fn end(&mut self, e: &mut Emitter<'p, '_>, level: usize) {
        for at in 0..self.nest.outputs.len() {
            let output = &self.nest.outputs[at];
            if self.fold_level(output) != Some(level) || self.in_memory(output) {
                continue;
            }
            let sums: Vec<Value> = self.accumulators[at]
                .iter()
                .map(|variable| e.b.use_var(*variable))
                .collect();
            let value = match self.lanes {
                Some(_) => Val::Lanes(sums),
                None => Val::One(sums[0]),
            };
            self.store(e, at, value, level);
        }
    }

    /// Whether everything that varies in a segment of `count` rounds can run in vectors.
    fn fits(&self, e: &Emitter<'p, '_>, count: usize) -> bool {
        let Some(var) = self.nest.lanes else {
            return false;
        };
        if count < e.lane_count() {
            return false;
        }
        let outputs = self.nest.outputs.iter().enumerate().all(|(at, output)| {
            let elem = e.plan.item(output.item).elem;
            if output.fold.is_some() && var >= output.kept {
                let splits = match output.fold {
                    Some(Fold::Sum) => !e.plan.ordered && count >= SPLIT,
                    Some(Fold::Max | Fold::Min) => true,
                    Some(Fold::Prod | Fold::All | Fold::Any) | None => false,
                };
                return splits && elem == Elem::Real;
            }
            let folds_in_memory = self.in_memory(output);
            self.beside(e, &self.targets[at], var)
                && (elem == Elem::Real || (elem == Elem::Bool && !folds_in_memory))
        });
        outputs && (0..self.nest.nodes.len()).all(|at| self.node_fits(e, at, var))
    }

    /// Whether a place moves by one element with a variable.
    fn beside(&self, e: &Emitter<'p, '_>, place: &Place, var: usize) -> bool {
        let distance = self.streams[place.stream].coefficients[var];
        distance == e.width(place.elem)
    }

    fn node_fits(&self, e: &Emitter<'p, '_>, at: usize, var: usize) -> bool {
        if !self.view.wanted[at] || !self.view.varies[at] || self.view.same[at].0 != at {
            return true;
        }
        let varies = |id: &NodeId| self.view.varies[self.view.same[id.0].0];
        match &self.nest.nodes[at] {
            Node::Constant(_) => true,
            Node::Index(_) => false,
            Node::Primitive(prim, args) => {
                let whole = args
                    .iter()
                    .any(|arg| varies(arg) && self.elems[arg.0] == Elem::Int);
                let bools = args.iter().any(|arg| self.elems[arg.0] == Elem::Bool);
                !whole && self.elems[at] != Elem::Int && Emitter::runs_in_lanes(*prim, bools)
            }
            Node::Read { .. } => match &self.sources[at] {
                Source::Memory(place) => {
                    place.elem != Elem::Int
                        && self.beside(e, place, var)
                        && !place.computed.iter().any(|(id, _, _)| varies(id))
                }
                Source::None | Source::Scalar(_) => false,
            },
            Node::Within { ranges, .. } => {
                self.elems[at] != Elem::Int && !ranges.iter().any(|(form, _, _)| self.runs_in(form))
            }
        }
    }
}

/// Whether a node is computed by a call.
fn calls_host(node: &Node) -> bool {
    match node {
        Node::Primitive(prim, _) => !matches!(prim.cpu(), Cpu::Instruction(_)),
        Node::Constant(_) | Node::Index(_) | Node::Read { .. } | Node::Within { .. } => false,
    }
}

/// The quotient rounded up.
fn div_up(a: i64, b: i64) -> i64 {
    -(-a).div_euclid(b)
}
