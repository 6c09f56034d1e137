//! Loop nests: the loops, and what happens at each level.
//!
//! Every node is computed at the outermost level at which its loop variables are known. A loop
//! whose variable decides about ranges (as in padding) is cut into segments in which nothing is
//! left to decide. One variable may run in vectors: several vectors at a time, then fewer, and
//! what is left one by one.

use cranelift::codegen::ir::{InstBuilder, Value};
use cranelift::prelude::Variable;

use crate::ir::{Elem, Node, NodeId};
use crate::math::Cpu;
use crate::plan::{NestStep, Output};

use super::emit::Emitter;
use super::parts::Part;
use super::rows::{Body, Rows, Span};
use super::scalar::start;
use super::values::{Place, Source, Stream, Val};
use super::view::View;

/// Segments of a loop and of the loops inside it, at most.
const SEGMENTS: usize = 9;
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
    pub(super) bounds: Vec<(usize, usize)>,
    pub(super) accumulators: Vec<Vec<Variable>>,
    segments: usize,
    /// Rows of values computed many at a time.
    pub(super) rows: Rows,
    /// The part of the nest that is being written, if it is cut.
    pub(super) part: Option<Part>,
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
        match &nest.cut {
            Some(cut) => self.call_parts(nest, cut),
            None => self.write(nest, None),
        }
    }

    /// The loops of a nest, or of a part of it.
    pub(super) fn write(&mut self, nest: &'p NestStep, part: Option<Part>) {
        let mut writer = Writer::new(self, nest, part);
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
    fn new(e: &mut Emitter<'p, '_>, nest: &'p NestStep, part: Option<Part>) -> Writer<'p> {
        let depth = nest.loops.len();
        let mut bounds: Vec<(usize, usize)> = nest.sizes.iter().map(|size| (0, *size)).collect();
        if let Some(part) = &part {
            bounds[part.var] = part.within;
        }
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
            bounds,
            accumulators: vec![Vec::new(); nest.outputs.len()],
            segments: 1,
            rows: Rows::new(nest.nodes.len(), e.arena),
            part,
        };
        writer.prepare(e);
        writer.view = writer.look();
        writer
    }

    /// What becomes known on entering a level: pointers, then nodes.
    fn enter(&mut self, e: &mut Emitter<'p, '_>, level: usize) {
        self.point(e, level);
        self.compute(e, level);
    }

    fn point(&mut self, e: &mut Emitter<'p, '_>, level: usize) {
        self.entered = level;
        self.pointers[level] = (0..self.streams.len()).map(|at| self.pointer(e, level, at)).collect();
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
        } else if let Some(span) = self.part.as_ref().and_then(|part| part.span(self.nest.order[level])) {
            self.segment(e, level, span);
            self.entered = level;
        } else {
            let var = self.nest.order[level];
            let cuts = self.cuts(var);
            let whole = cuts.len() == 2 || self.segments * (cuts.len() - 1) > SEGMENTS;
            if whole {
                self.segment(e, level, Span { base: None, from: 0, to: self.nest.sizes[var] });
            } else {
                let (view, values, segments) = (self.view.clone(), self.values.clone(), self.segments);
                self.segments *= cuts.len() - 1;
                for ends in cuts.windows(2) {
                    self.bounds[var] = (ends[0], ends[1]);
                    self.view = self.look();
                    self.compute(e, level);
                    self.segment(e, level, Span { base: None, from: ends[0], to: ends[1] });
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

    /// One segment of a loop: by rows or in vectors if that can be.
    fn segment(&mut self, e: &mut Emitter<'p, '_>, level: usize, span: Span) {
        let (var, count) = (self.nest.order[level], span.to - span.from);
        if self.nest.lanes.is_some() && self.lanes.is_none() && self.wide(e, level, span, &Body::All) {
            return;
        }
        let vectors = self.nest.lanes == Some(var) && self.lanes.is_none() && self.fits(e, count);
        if !vectors {
            self.round(e, level, span, 1, &Body::All);
        } else if level + 1 == self.nest.loops.len() && self.calls_rows(e, count) {
            self.by_rows(e, level, span);
        } else {
            self.in_vectors(e, level, span, &Body::All);
        }
    }

    /// Several vectors at a time, then fewer, then one by one.
    pub(super) fn in_vectors(&mut self, e: &mut Emitter<'p, '_>, level: usize, span: Span, body: &Body) {
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

    fn round(&mut self, e: &mut Emitter<'p, '_>, level: usize, span: Span, step: usize, body: &Body) {
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
    fn once(&mut self, e: &mut Emitter<'p, '_>, level: usize, span: Span, i: Value, body: &Body) {
        let var = self.nest.order[level];
        self.ivs[var] = span.moved(e, i);
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
}

/// Whether a node is computed by a call.
fn calls_host(node: &Node) -> bool {
    match node {
        Node::Primitive(prim, _) => !matches!(prim.cpu(), Cpu::Instruction(_)),
        Node::Constant(_) | Node::Index(_) | Node::Read { .. } | Node::Within { .. } => false,
    }
}
