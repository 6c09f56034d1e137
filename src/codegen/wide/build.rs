//! What a strip does: the loops of a nest, what is folded, and where vectors lie.

use crate::ir::{Elem, Fold, Node, NodeId};
use crate::math::{Scalar, trace};
use crate::plan::{ItemId, Output};

use super::super::emit::Emitter;
use super::super::nest::Writer;
use super::super::rows::{Body, Span, row_offset};
use super::super::scalar::start;
use super::nodes::Known;
use super::strip::{Arg, Inst, Name, Place, Strip, Target};

/// The lanes of a vector.
const LANES: usize = 8;
/// Strips of fewer elements in all are left to Cranelift.
const ELEMENTS: usize = 16;

/// A pointer that is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pointer {
    /// A stream of the nest.
    Stream(usize),
    /// The rows of functions of many elements.
    Rows,
    /// A stream that starts at computed indices, as a read has them.
    Computed { stream: usize, read: NodeId },
}

/// A number that is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// The value of a node.
    Node(NodeId),
    /// A scalar.
    Scalar(ItemId),
}

/// A strip, and what it is handed.
pub(super) struct Plan {
    pub(super) strip: Strip,
    pub(super) pointers: Vec<Pointer>,
    pub(super) inputs: Vec<Input>,
    /// Outputs whose fold goes on outside.
    pub(super) results: Vec<(usize, Fold)>,
}

pub(super) struct Build<'w, 'p> {
    pub(super) writer: &'w Writer<'p>,
    /// The level the strip takes over at.
    pub(super) level: usize,
    /// The level of the loop that runs in vectors.
    pub(super) lanes_at: usize,
    pub(super) span: Span,
    pub(super) body: &'w Body,
    /// The most vectors to compute at a time.
    pub(super) most: usize,
    /// Whether sums go strictly from left to right, and round every product.
    pub(super) ordered: bool,
    pub(super) plan: Plan,
    pub(super) known: Vec<Option<Known>>,
    /// Of every output, the vectors it is folded in.
    pub(super) sums: Vec<Vec<Name>>,
    /// The instructions at hand.
    pub(super) insts: Vec<Inst>,
    /// How many vectors are computed at a time; 1 outside of the loop over lanes.
    pub(super) copies: usize,
    /// Whether the loop over lanes is entered.
    pub(super) inside: bool,
    /// Whether only some lanes of the last vector are there.
    pub(super) part: bool,
    /// Whether places move with the index of the strip.
    pub(super) indexed: bool,
    /// Elements before the first vector at hand, beside the index.
    pub(super) before: usize,
}

impl<'p> Writer<'p> {
    /// The loops from a level on as a strip, if they can be.
    pub(super) fn strip(
        &self,
        e: &Emitter<'p, '_>,
        level: usize,
        span: Span,
        body: &Body,
        most: usize,
    ) -> Option<Plan> {
        let lanes = self.nest.lanes?;
        let lanes_at = self.nest.order.iter().position(|var| *var == lanes)?;
        let depth = self.nest.loops.len();
        let size = |at: usize| if at == level { span.to - span.from } else { self.rounds(at) };
        let elements: usize = (level..depth).map(size).product();
        if lanes_at < level || elements < ELEMENTS || size(lanes_at) < 4 {
            return None;
        }
        let mut build = Build {
            writer: self,
            level,
            lanes_at,
            span,
            body,
            most,
            ordered: e.plan.ordered,
            plan: Plan {
                strip: Strip::default(),
                pointers: Vec::new(),
                inputs: Vec::new(),
                results: Vec::new(),
            },
            known: vec![None; self.nest.nodes.len()],
            sums: vec![Vec::new(); self.nest.outputs.len()],
            insts: Vec::new(),
            copies: 1,
            inside: false,
            part: false,
            indexed: false,
            before: 0,
        };
        build.outputs_fit(e)?;
        build.carried_on();
        build.loops(level)?;
        build.hand_back();
        let mut plan = build.plan;
        plan.strip.body = build.insts;
        plan.strip.pointers = plan.pointers.len();
        plan.strip.inputs = plan.inputs.len();
        plan.strip.results = plan.results.len();
        Some(plan)
    }
}

impl<'w> Build<'w, '_> {
    pub(super) fn size(&self, level: usize) -> usize {
        if level == self.level { self.span.to - self.span.from } else { self.writer.rounds(level) }
    }

    pub(super) fn depth(&self) -> usize {
        self.writer.nest.loops.len()
    }

    /// Whether every output can be folded or stored by vectors.
    pub(super) fn outputs_fit(&self, e: &Emitter<'_, '_>) -> Option<()> {
        let var = self.writer.nest.order[self.lanes_at];
        for (at, output) in self.outputs().iter().enumerate() {
            let item = e.plan.item(output.item);
            let level = self.writer.fold_level(output);
            let inside = level.is_some_and(|level| level > self.level);
            let in_memory = self.writer.in_memory(output);
            let folded = output.fold.is_some() && var >= output.kept;
            let fits = match (output.fold, item.elem) {
                (None, Elem::Real | Elem::Bool) => true,
                (Some(Fold::Sum), Elem::Real) => !(in_memory && inside || folded && self.ordered),
                (Some(Fold::Max | Fold::Min), Elem::Real) => !(in_memory && inside),
                (Some(Fold::Prod), Elem::Real) => !(folded || in_memory && inside),
                // A truth value is handed back; folded inside, it would be one byte in memory.
                (Some(Fold::All | Fold::Any), Elem::Bool) => folded && !inside,
                _ => false,
            };
            let place = &self.writer.targets[at];
            let beside = item.is_scalar()
                || folded
                || self.writer.streams[place.stream].coefficients[var]
                    == i64::try_from(e.plan.width(place.elem)).ok()?;
            if !fits || !beside || (in_memory && folded) {
                return None;
            }
        }
        Some(())
    }

    pub(super) fn name(&mut self) -> Name {
        self.plan.strip.names += 1;
        self.plan.strip.names - 1
    }

    pub(super) fn pointer(&mut self, pointer: Pointer) -> usize {
        numbered(&mut self.plan.pointers, pointer)
    }

    pub(super) fn input(&mut self, input: Input) -> usize {
        numbered(&mut self.plan.inputs, input)
    }

    /// Sums that began outside and go on inside, by vectors of their own.
    pub(super) fn carried_on(&mut self) {
        for (at, fold) in self.begun_outside() {
            self.begin_sum(at, fold);
        }
    }

    /// Hands back what was folded.
    pub(super) fn hand_back(&mut self) {
        for (at, fold) in self.begun_outside() {
            let to = Target::Result(self.plan.results.len());
            self.plan.results.push((at, fold));
            let from = self.sums[at].clone();
            self.insts.push(Inst::Across { fold, from, to });
        }
    }

    /// What is folded in registers from outside the strip on.
    fn begun_outside(&self) -> Vec<(usize, Fold)> {
        let outputs = self.outputs().iter().enumerate();
        let begun = outputs.filter(|(_, output)| {
            let began = self.writer.fold_level(output).is_some_and(|level| level <= self.level);
            began && !self.writer.in_memory(output)
        });
        begun.filter_map(|(at, output)| Some((at, output.fold?))).collect()
    }

    /// The outputs: none where only arguments of functions are computed.
    fn outputs(&self) -> &'w [Output] {
        match self.body {
            Body::All => &self.writer.nest.outputs,
            Body::Arguments(_) => &[],
        }
    }

    pub(super) fn begin_sum(&mut self, at: usize, fold: Fold) {
        let first = match start(fold, Elem::Real) {
            Scalar::Real(x) => x.to_bits(),
            Scalar::Bool(true) => u64::MAX,
            Scalar::Bool(false) => 0,
            Scalar::Int(_) => return,
        };
        let var = self.writer.nest.order[self.lanes_at];
        let folded = var >= self.writer.nest.outputs[at].kept;
        let count = if folded { self.most() } else { self.copies };
        self.sums[at] = (0..count).map(|_| self.name()).collect();
        for to in self.sums[at].clone() {
            self.insts.push(Inst::Copy { to, from: Arg::Constant(first) });
        }
    }

    /// How many vectors are computed at a time.
    pub(super) fn most(&self) -> usize {
        let view = &self.writer.view;
        let nodes = self.writer.nest.nodes.iter().enumerate();
        let busy = nodes.filter(|(at, node)| {
            view.wanted[*at]
                && view.varies[*at]
                && view.same[*at].0 == *at
                && matches!(node, Node::Primitive(..))
        });
        let work = |node: &Node| match node {
            Node::Primitive(prim, _) => trace::steps(prim.name()).map_or(1, |steps| steps.len() / 4),
            _ => 0,
        };
        let count: usize = busy.map(|(_, node)| work(node)).sum();
        let around = self.lanes_at + 1 < self.depth();
        let wanted = match count {
            0..=4 => 4,
            5..=8 if around => 4,
            5..=14 => 2,
            _ => 1,
        };
        wanted.min(self.most).min(self.size(self.lanes_at).div_ceil(LANES))
    }

    /// The loops from a level on.
    pub(super) fn loops(&mut self, level: usize) -> Option<()> {
        if level > self.level {
            self.begin(level);
        }
        self.compute(level)?;
        if level == self.depth() || (self.inside && matches!(self.body, Body::Arguments(_))) {
            self.innermost()?;
        } else if level == self.lanes_at {
            self.strips(level)?;
        } else {
            self.repeat(level)?;
        }
        if level > self.level {
            self.end(level);
        }
        Some(())
    }

    /// A loop that does not run in vectors.
    pub(super) fn repeat(&mut self, level: usize) -> Option<()> {
        let var = self.writer.nest.order[level];
        let count = self.size(level);
        if self.writer.cuts(var).len() != 2 && level != self.level {
            return None;
        }
        if count == 1 {
            return self.loops(level + 1);
        }
        let around = std::mem::take(&mut self.insts);
        let known = self.known.clone();
        self.loops(level + 1)?;
        self.known = known;
        let body = std::mem::replace(&mut self.insts, around);
        let distance = |pointer: &Pointer| match pointer {
            Pointer::Stream(at) | Pointer::Computed { stream: at, read: _ } => {
                self.writer.streams[*at].coefficients[var]
            }
            Pointer::Rows => 0,
        };
        let mut moves = Vec::new();
        for (at, pointer) in self.plan.pointers.iter().enumerate() {
            let bytes = i32::try_from(distance(pointer)).ok()?;
            i32::try_from(i64::from(bytes) * i64::try_from(count).ok()?).ok()?;
            if bytes != 0 {
                moves.push((at, bytes));
            }
        }
        self.insts.push(Inst::Loop { count, body, moves });
        Some(())
    }

    /// The loop over lanes: several vectors at a time, then what is left.
    pub(super) fn strips(&mut self, level: usize) -> Option<()> {
        let count = self.size(level);
        i32::try_from(count).ok()?;
        if level != self.level && self.writer.cuts(self.writer.nest.order[level]).len() != 2 {
            return None;
        }
        let copies = self.most();
        let step = copies * LANES;
        let rounds = count / step;
        let left = count % step;
        let known = self.known.clone();
        self.inside = true;
        self.copies = copies;
        if rounds > 1 {
            let around = std::mem::take(&mut self.insts);
            self.indexed = true;
            self.loops(level + 1)?;
            let body = std::mem::replace(&mut self.insts, around);
            self.insts.push(Inst::Strips { rounds, step, body });
        } else if rounds == 1 {
            self.loops(level + 1)?;
            self.before = step;
        }
        self.known.clone_from(&known);
        if left > 0 {
            self.copies = left.div_ceil(LANES);
            self.part = !left.is_multiple_of(LANES);
            if self.part {
                self.plan.strip.part = left % LANES;
            }
            self.loops(level + 1)?;
        }
        (self.known, self.inside, self.copies, self.part) = (known, false, 1, false);
        (self.indexed, self.before) = (false, 0);
        Some(())
    }

    pub(super) fn begin(&mut self, level: usize) {
        for (at, output) in self.outputs().iter().enumerate() {
            if let (Some(fold), true) = (output.fold, self.writer.fold_level(output) == Some(level)) {
                self.begin_sum(at, fold);
            }
        }
    }

    pub(super) fn end(&mut self, level: usize) {
        let lanes = self.writer.nest.order[self.lanes_at];
        for (at, output) in self.outputs().iter().enumerate() {
            let (Some(fold), true) = (output.fold, self.writer.fold_level(output) == Some(level)) else {
                continue;
            };
            let sums = self.sums[at].clone();
            if lanes >= output.kept {
                let to = Target::Place(self.target(at, 0));
                self.insts.push(Inst::Across { fold, from: sums, to });
                continue;
            }
            for (copy, sum) in sums.into_iter().enumerate() {
                let to = self.target(at, copy);
                self.insts.push(Inst::Store { from: Arg::Value(sum), to });
            }
        }
    }

    /// Where a vector of an output goes.
    pub(super) fn target(&mut self, at: usize, copy: usize) -> Place {
        let place = &self.writer.targets[at];
        let (stream, offset, width) = (place.stream, place.offset, self.width(place.elem));
        self.place(Pointer::Stream(stream), stream, offset, width, copy)
    }

    pub(super) fn width(&self, elem: Elem) -> u8 {
        if elem == Elem::Bool { 1 } else { 8 }
    }

    /// A place of a stream, for one of the vectors.
    pub(super) fn place(
        &mut self,
        pointer: Pointer,
        stream: usize,
        offset: i32,
        width: u8,
        copy: usize,
    ) -> Place {
        let nest = self.writer.nest;
        let coefficients = &self.writer.streams[stream].coefficients;
        let moves = coefficients[nest.order[self.lanes_at]] != 0 && self.inside;
        // The first element of the outermost loop, where only a part of it is at hand.
        let first = i64::try_from(self.span.from).unwrap_or(0) * coefficients[nest.order[self.level]];
        let ahead = if moves { (self.before + copy * LANES) * usize::from(width) } else { 0 };
        let offset = i64::from(offset) + first + i64::try_from(ahead).unwrap_or(i64::MAX);
        Place {
            pointer: self.pointer(pointer),
            offset: i32::try_from(offset).unwrap_or(i32::MAX),
            width: if moves { width } else { 0 },
            part: moves && self.part && copy + 1 == self.copies,
            indexed: moves && self.indexed,
        }
    }

    /// A place in the rows of functions of many elements.
    pub(super) fn row(&mut self, row: usize, copy: usize) -> Place {
        let ahead = 8 * (self.span.from + self.before + copy * LANES);
        Place {
            pointer: self.pointer(Pointer::Rows),
            offset: row_offset(row) + i32::try_from(ahead).unwrap_or(i32::MAX),
            width: 8,
            part: self.part && copy + 1 == self.copies,
            indexed: self.indexed,
        }
    }
}

/// The place of a thing in a list, at the end if it is new.
pub(super) fn numbered<T: PartialEq>(list: &mut Vec<T>, thing: T) -> usize {
    list.iter().position(|other| *other == thing).unwrap_or_else(|| {
        list.push(thing);
        list.len() - 1
    })
}
