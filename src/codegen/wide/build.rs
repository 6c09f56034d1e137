//! What a strip does: the nodes of a nest as instructions on vectors.

use crate::ir::{Data, Elem, Fold, Node, NodeId};
use crate::math::trace::{self, From, Operation, Step};
use crate::math::{Cpu, Instruction, Prim, Scalar};
use crate::plan::ItemId;

use super::super::emit::Emitter;
use super::super::nest::Writer;
use super::super::rows::{Body, Span, row_offset};
use super::super::scalar::start;
use super::super::values::{Source, Val};
use super::evex::{Binary, Compare, Masks};
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

/// What is known of a node while a strip is built.
#[derive(Debug, Clone)]
enum Known {
    /// The same in all vectors.
    One(Arg),
    /// For each vector.
    Each(Vec<Arg>),
    /// A mask, the same in all vectors or for each.
    Masks(Vec<Name>),
}

struct Build<'w, 'p> {
    writer: &'w Writer<'p>,
    /// The level the strip takes over at.
    level: usize,
    /// The level of the loop that runs in vectors.
    lanes_at: usize,
    span: Span,
    body: &'w Body,
    /// The most vectors to compute at a time.
    most: usize,
    plan: Plan,
    known: Vec<Option<Known>>,
    /// Of every output, the vectors it is folded in.
    sums: Vec<Vec<Name>>,
    /// The instructions at hand.
    insts: Vec<Inst>,
    /// How many vectors are computed at a time; 1 outside of the loop over lanes.
    copies: usize,
    /// Whether the loop over lanes is entered.
    inside: bool,
    /// Whether only some lanes of the last vector are there.
    part: bool,
    /// Whether places move with the index of the strip.
    indexed: bool,
    /// Elements before the first vector at hand, beside the index.
    before: usize,
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
        let size =
            |at: usize| if at == level { span.to - span.from } else { self.nest.sizes[self.nest.order[at]] };
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
        if matches!(body, Body::All) {
            build.outputs_fit(e)?;
        }
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

impl Build<'_, '_> {
    fn size(&self, level: usize) -> usize {
        if level == self.level {
            self.span.to - self.span.from
        } else {
            self.writer.nest.sizes[self.writer.nest.order[level]]
        }
    }

    fn depth(&self) -> usize {
        self.writer.nest.loops.len()
    }

    /// Whether every output can be folded or stored by vectors.
    fn outputs_fit(&self, e: &Emitter<'_, '_>) -> Option<()> {
        let var = self.writer.nest.order[self.lanes_at];
        for (at, output) in self.writer.nest.outputs.iter().enumerate() {
            let item = e.plan.item(output.item);
            let level = self.writer.fold_level(output);
            let inside = level.is_some_and(|level| level > self.level);
            let in_memory = self.writer.in_memory(output);
            let folded = output.fold.is_some() && var >= output.kept;
            let fits = match (output.fold, item.elem) {
                (None, Elem::Real | Elem::Bool) => true,
                (Some(Fold::Sum | Fold::Max | Fold::Min), Elem::Real) => !(in_memory && inside),
                (Some(Fold::Prod), Elem::Real) => !folded && !(in_memory && inside),
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

    fn name(&mut self) -> Name {
        self.plan.strip.names += 1;
        self.plan.strip.names - 1
    }

    fn pointer(&mut self, pointer: Pointer) -> usize {
        let known = self.plan.pointers.iter().position(|other| *other == pointer);
        known.unwrap_or_else(|| {
            self.plan.pointers.push(pointer);
            self.plan.pointers.len() - 1
        })
    }

    fn input(&mut self, input: Input) -> usize {
        let known = self.plan.inputs.iter().position(|other| *other == input);
        known.unwrap_or_else(|| {
            self.plan.inputs.push(input);
            self.plan.inputs.len() - 1
        })
    }

    /// Sums that began outside and go on inside, by vectors of their own.
    fn carried_on(&mut self) {
        if matches!(self.body, Body::Arguments(_)) {
            return;
        }
        for (at, output) in self.writer.nest.outputs.iter().enumerate() {
            let began = self.writer.fold_level(output).is_some_and(|level| level <= self.level);
            if let (Some(fold), true, false) = (output.fold, began, self.writer.in_memory(output)) {
                self.begin_sum(at, fold);
            }
        }
    }

    /// Hands back what was folded.
    fn hand_back(&mut self) {
        if matches!(self.body, Body::Arguments(_)) {
            return;
        }
        for (at, output) in self.writer.nest.outputs.iter().enumerate() {
            let began = self.writer.fold_level(output).is_some_and(|level| level <= self.level);
            if let (Some(fold), true, false) = (output.fold, began, self.writer.in_memory(output)) {
                let to = Target::Result(self.plan.results.len());
                self.plan.results.push((at, fold));
                let from = self.sums[at].clone();
                self.insts.push(Inst::Across { fold, from, to });
            }
        }
    }

    fn begin_sum(&mut self, at: usize, fold: Fold) {
        let Scalar::Real(first) = start(fold, Elem::Real) else { return };
        let var = self.writer.nest.order[self.lanes_at];
        let folded = var >= self.writer.nest.outputs[at].kept;
        let count = if folded { self.most() } else { self.copies };
        self.sums[at] = (0..count).map(|_| self.name()).collect();
        for to in self.sums[at].clone() {
            self.insts.push(Inst::Copy { to, from: Arg::Constant(first.to_bits()) });
        }
    }

    /// How many vectors are computed at a time.
    fn most(&self) -> usize {
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
    fn loops(&mut self, level: usize) -> Option<()> {
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
    fn repeat(&mut self, level: usize) -> Option<()> {
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
    fn strips(&mut self, level: usize) -> Option<()> {
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

    fn begin(&mut self, level: usize) {
        if matches!(self.body, Body::Arguments(_)) {
            return;
        }
        for (at, output) in self.writer.nest.outputs.iter().enumerate() {
            if let (Some(fold), true) = (output.fold, self.writer.fold_level(output) == Some(level)) {
                self.begin_sum(at, fold);
            }
        }
    }

    fn end(&mut self, level: usize) {
        if matches!(self.body, Body::Arguments(_)) {
            return;
        }
        let lanes = self.writer.nest.order[self.lanes_at];
        for (at, output) in self.writer.nest.outputs.iter().enumerate() {
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
    fn target(&mut self, at: usize, copy: usize) -> Place {
        let place = &self.writer.targets[at];
        let (stream, offset, width) = (place.stream, place.offset, self.width(place.elem));
        self.place(Pointer::Stream(stream), stream, offset, width, copy)
    }

    fn width(&self, elem: Elem) -> u8 {
        if elem == Elem::Bool { 1 } else { 8 }
    }

    /// A place of a stream, for one of the vectors.
    fn place(&mut self, pointer: Pointer, stream: usize, offset: i32, width: u8, copy: usize) -> Place {
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
    fn row(&mut self, row: usize, copy: usize) -> Place {
        let ahead = 8 * (self.span.from + self.before + copy * LANES);
        Place {
            pointer: self.pointer(Pointer::Rows),
            offset: row_offset(row) + i32::try_from(ahead).unwrap_or(i32::MAX),
            width: 8,
            part: self.part && copy + 1 == self.copies,
            indexed: self.indexed,
        }
    }

    /// The nodes that are known at a level.
    fn compute(&mut self, level: usize) -> Option<()> {
        let view = &self.writer.view;
        if let Body::Arguments(_) = self.body {
            return Some(());
        }
        for at in 0..self.writer.nest.nodes.len() {
            let now = view.levels[at] == level || (level == self.level && view.levels[at] < level);
            let known = self.writer.values[at].is_some();
            if view.eager[at] && now && !known && view.same[at].0 == at && !self.is_product(at) {
                self.node(NodeId(at))?;
            }
        }
        Some(())
    }

    /// Whether a node is a product that only sums read.
    fn is_product(&self, at: usize) -> bool {
        let nest = self.writer.nest;
        let view = &self.writer.view;
        let Node::Primitive(prim, _) = &nest.nodes[at] else { return false };
        let multiplies = matches!(prim.cpu(), Cpu::Instruction(Instruction::Mul));
        let is_root = |output: &crate::plan::Output| view.same[output.root.0].0 == at;
        let summed = nest.outputs.iter().filter(|output| is_root(output));
        let mut count = 0;
        let all = summed.inspect(|_| count += 1).all(|output| {
            output.fold == Some(Fold::Sum)
                && !self.writer.in_memory(output)
                && view.levels[at] == self.depth()
        });
        let mut read = false;
        for (other, node) in nest.nodes.iter().enumerate() {
            if view.wanted[other] && view.same[other].0 == other {
                node.arguments(&mut |id| read |= view.same[id.0].0 == at);
            }
        }
        multiplies
            && all
            && count == 1
            && !read
            && self.known[at].is_none()
            && self.writer.values[at].is_none()
    }

    /// The value of a node, computed here if it is not known.
    fn node(&mut self, id: NodeId) -> Option<Known> {
        let id = self.writer.view.same[id.0];
        if let Some(known) = &self.known[id.0] {
            return Some(known.clone());
        }
        let known = self.compute_node(id)?;
        self.known[id.0] = Some(known.clone());
        Some(known)
    }

    fn compute_node(&mut self, id: NodeId) -> Option<Known> {
        let writer = self.writer;
        let elem = writer.elems[id.0];
        if let Some(row) = writer.rows.ready(id) {
            let places = (0..self.copies).map(|copy| Arg::Place(self.row(row, copy))).collect();
            return Some(self.loaded(places));
        }
        match &writer.nest.nodes[id.0] {
            Node::Constant(tensor) => match &tensor.data {
                Data::Real(data) => Some(Known::One(Arg::Constant(data[0].to_bits()))),
                Data::Int(_) | Data::Bool(_) => None,
            },
            _ if matches!(writer.values[id.0], Some(Val::One(_))) && elem != Elem::Int => {
                let input = self.input(Input::Node(id));
                Some(self.handed(input, elem))
            }
            Node::Index(_) | Node::Within { .. } => None,
            Node::Read { .. } => match &writer.sources[id.0] {
                Source::Scalar(item) if elem != Elem::Int => {
                    let input = self.input(Input::Scalar(*item));
                    Some(self.handed(input, elem))
                }
                Source::Memory(place) if elem != Elem::Int => {
                    let (stream, offset) = (place.stream, place.offset);
                    let pointer = if place.computed.is_empty() {
                        Pointer::Stream(stream)
                    } else {
                        let known = |(node, _, _): &(NodeId, usize, i64)| {
                            writer.values[writer.view.same[node.0].0].is_some()
                        };
                        if !place.computed.iter().all(known) {
                            return None;
                        }
                        Pointer::Computed { stream, read: id }
                    };
                    self.read(pointer, stream, offset, elem)
                }
                Source::None | Source::Scalar(_) | Source::Memory(_) => None,
            },
            Node::Primitive(prim, args) => match writer.known_exponent(*prim, args) {
                Some(n) => {
                    let base = self.node(args[0])?;
                    self.power(&base, n)
                }
                None => self.primitive(*prim, args),
            },
        }
    }

    fn handed(&mut self, input: usize, elem: Elem) -> Known {
        if elem != Elem::Bool {
            return Known::One(Arg::Input(input));
        }
        let to = self.name();
        self.insts.push(Inst::Truth { to, input });
        Known::Masks(vec![to])
    }

    fn read(&mut self, pointer: Pointer, stream: usize, offset: i32, elem: Elem) -> Option<Known> {
        let width = self.width(elem);
        let coefficients = &self.writer.streams[stream].coefficients;
        let along = coefficients[self.writer.nest.order[self.lanes_at]];
        let moves = along != 0 && self.inside;
        if moves && along != i64::from(width) {
            return None;
        }
        if elem == Elem::Bool {
            if !moves {
                return None;
            }
            let mut masks = Vec::new();
            for copy in 0..self.copies {
                let from = self.place(pointer, stream, offset, width, copy);
                let to = self.name();
                self.insts.push(Inst::Truths { to, from });
                masks.push(to);
            }
            return Some(Known::Masks(masks));
        }
        if !moves {
            let place = Arg::Place(self.place(pointer, stream, offset, width, 0));
            return Some(self.loaded(vec![place]));
        }
        let places =
            (0..self.copies).map(|copy| Arg::Place(self.place(pointer, stream, offset, width, copy)));
        let places = places.collect();
        Some(self.loaded(places))
    }

    /// Places as values in registers.
    fn loaded(&mut self, places: Vec<Arg>) -> Known {
        let mut values = Vec::new();
        for from in places {
            let to = self.name();
            self.insts.push(Inst::Copy { to, from });
            values.push(Arg::Value(to));
        }
        match values[..] {
            [one] if self.copies != 1 => Known::One(one),
            _ => Known::Each(values),
        }
    }

    fn primitive(&mut self, prim: Prim, args: &[NodeId]) -> Option<Known> {
        let steps = match prim.cpu() {
            Cpu::Instruction(_) => None,
            _ => Some(trace::steps(prim.name())?),
        };
        let args: Vec<Known> = args.iter().map(|arg| self.node(*arg)).collect::<Option<_>>()?;
        let count = args.iter().map(Known::count).max()?;
        let mut reals = Vec::new();
        let mut masks = Vec::new();
        for copy in 0..count {
            let made = match (steps, prim.cpu()) {
                (Some(steps), _) => self.function(steps, args[0].real(copy)?)?,
                (None, Cpu::Instruction(instruction)) => self.instruction(instruction, &args, copy)?,
                (None, _) => return None,
            };
            match made {
                Made::Real(arg) => reals.push(arg),
                Made::Mask(name) => masks.push(name),
            }
        }
        Some(match (count, &reals[..]) {
            (1, [one]) if self.copies != 1 => Known::One(*one),
            (_, []) => Known::Masks(masks),
            (_, _) => Known::Each(reals),
        })
    }

    fn real(&mut self, inst: impl FnOnce(Name) -> Inst) -> Arg {
        let to = self.name();
        self.insts.push(inst(to));
        Arg::Value(to)
    }

    fn truth(&mut self, inst: impl FnOnce(Name) -> Inst) -> Made {
        let to = self.name();
        self.insts.push(inst(to));
        Made::Mask(to)
    }

    fn binary(&mut self, op: Binary, a: Arg, b: Arg) -> Arg {
        self.real(|to| Inst::Binary { op, to, a, b })
    }

    /// An elementary function of one vector.
    fn function(&mut self, steps: &[Step], argument: Arg) -> Option<Made> {
        let mut values: Vec<Made> = Vec::new();
        for step in steps {
            let real = |from: &From| match from {
                From::Constant(bits) => Some(Arg::Constant(*bits)),
                From::Step(at) => values[*at].real(),
            };
            let made = match step {
                Step::Argument => Made::Real(argument),
                Step::Choose(truth, yes, no) => {
                    let (mask, yes, no) = (values[*truth].mask()?, real(yes)?, real(no)?);
                    Made::Real(self.real(|to| Inst::Choose { mask, to, yes, no }))
                }
                Step::Shift(how, a, by) => {
                    let (how, a, by) = (*how, real(a)?, *by);
                    Made::Real(self.real(|to| Inst::Shift { how, to, a, by }))
                }
                Step::Two(Operation::Both, From::Step(a), From::Step(b)) => {
                    let (a, b) = (values[*a].mask()?, values[*b].mask()?);
                    self.truth(|to| Inst::Masks { op: Masks::And, to, a, b })
                }
                Step::Two(operation, a, b) => {
                    let (a, b) = (real(a)?, real(b)?);
                    let binary = |op: Binary| Either::Binary(op);
                    let done = match operation {
                        Operation::Add => binary(Binary::Add),
                        Operation::Sub => binary(Binary::Sub),
                        Operation::Mul => binary(Binary::Mul),
                        Operation::Div => binary(Binary::Div),
                        Operation::And => binary(Binary::And),
                        Operation::Or => binary(Binary::Or),
                        Operation::Xor => binary(Binary::Xor),
                        Operation::AddBits => binary(Binary::AddWhole),
                        Operation::SubBits => binary(Binary::SubWhole),
                        Operation::Below => Either::Compare(Compare::Lt),
                        Operation::Above => Either::Compare(Compare::Gt),
                        Operation::Within => Either::Compare(Compare::Le),
                        Operation::NotBelow => Either::Compare(Compare::Ge),
                        Operation::Equals => Either::Compare(Compare::Eq),
                        Operation::Both => return None,
                    };
                    match done {
                        Either::Binary(op) => Made::Real(self.binary(op, a, b)),
                        Either::Compare(how) => self.truth(|to| Inst::Compare { how, to, a, b }),
                    }
                }
            };
            values.push(made);
        }
        values.pop()
    }

    /// A machine function on one vector.
    fn instruction(&mut self, instruction: Instruction, args: &[Known], copy: usize) -> Option<Made> {
        use Instruction as I;
        let real = |at: usize| args.get(at).and_then(|arg| arg.real(copy));
        let mask = |at: usize| args.get(at).and_then(|arg| arg.mask(copy));
        let binary = |op: Binary| Some((op, real(0)?, real(1)?));
        let number = |x: f64| Arg::Constant(x.to_bits());
        let compared = match instruction {
            I::Lt => Some(Compare::Lt),
            I::Le => Some(Compare::Le),
            I::Ge => Some(Compare::Ge),
            I::Gt => Some(Compare::Gt),
            I::Eq => Some(Compare::Eq),
            I::Ne => Some(Compare::Ne),
            _ => None,
        };
        if let Some(how) = compared {
            let (a, b) = (real(0)?, real(1)?);
            return Some(self.truth(|to| Inst::Compare { how, to, a, b }));
        }
        let op = match instruction {
            I::Add => binary(Binary::Add),
            I::Sub => binary(Binary::Sub),
            I::Mul => binary(Binary::Mul),
            I::Div => binary(Binary::Div),
            I::Neg => Some((Binary::Xor, real(0)?, number(-0.0))),
            I::Abs => Some((Binary::And, real(0)?, Arg::Constant(u64::MAX >> 1))),
            _ => None,
        };
        if let Some((op, a, b)) = op {
            return Some(Made::Real(self.binary(op, a, b)));
        }
        let made = match instruction {
            I::Sqrt => {
                let a = real(0)?;
                self.real(|to| Inst::Sqrt { to, a })
            }
            I::Floor | I::Ceil | I::Round => {
                let a = real(0)?;
                let mode = match instruction {
                    I::Floor => 1,
                    I::Ceil => 2,
                    _ => 0,
                };
                self.real(|to| Inst::Round { to, a, mode })
            }
            I::Min | I::Max => {
                let (a, b) = (real(0)?, real(1)?);
                self.real(|to| Inst::Extreme { most: instruction == I::Max, to, a, b })
            }
            I::And | I::Or => {
                let (a, b) = (mask(0)?, mask(1)?);
                let op = if instruction == I::And { Masks::And } else { Masks::Or };
                return Some(self.truth(|to| Inst::Masks { op, to, a, b }));
            }
            I::Not => {
                let a = mask(0)?;
                return Some(self.truth(|to| Inst::Not { to, a }));
            }
            I::Where => {
                let (mask, yes, no) = (mask(0)?, real(1)?, real(2)?);
                self.real(|to| Inst::Choose { mask, to, yes, no })
            }
            I::BoolToReal => {
                let mask = mask(0)?;
                self.real(|to| Inst::Choose { mask, to, yes: number(1.0), no: number(0.0) })
            }
            I::MaskedMul | I::BothMaskedMul => {
                let (a, b) = (real(0)?, real(1)?);
                let mut zero = self.is_zero(a);
                if instruction == I::BothMaskedMul {
                    let other = self.is_zero(b);
                    let (a, b) = (zero, other);
                    zero = self.name();
                    self.insts.push(Inst::Masks { op: Masks::Or, to: zero, a, b });
                }
                let product = self.binary(Binary::Mul, a, b);
                self.real(|to| Inst::Choose { mask: zero, to, yes: number(0.0), no: product })
            }
            I::IsFinite => {
                let size = self.binary(Binary::And, real(0)?, Arg::Constant(u64::MAX >> 1));
                let infinity = number(f64::INFINITY);
                return Some(self.truth(|to| Inst::Compare { how: Compare::Lt, to, a: size, b: infinity }));
            }
            _ => return None,
        };
        Some(Made::Real(made))
    }

    fn is_zero(&mut self, a: Arg) -> Name {
        let to = self.name();
        self.insts.push(Inst::Compare { how: Compare::Eq, to, a, b: Arg::Constant(0) });
        to
    }

    /// The products of `math::functions::powi`.
    fn power(&mut self, base: &Known, n: i64) -> Option<Known> {
        let count = base.count();
        let mut powers = Vec::new();
        let one = Arg::Constant(1.0_f64.to_bits());
        for copy in 0..count {
            let (mut base, mut left, mut product) = (base.real(copy)?, n.unsigned_abs(), None);
            while left > 0 {
                if left & 1 == 1 {
                    product = Some(match product {
                        None => base,
                        Some(product) => self.binary(Binary::Mul, product, base),
                    });
                }
                left >>= 1;
                if left > 0 {
                    base = self.binary(Binary::Mul, base, base);
                }
            }
            powers.push(match product {
                None => one,
                Some(product) if n < 0 => self.binary(Binary::Div, one, product),
                Some(product) => product,
            });
        }
        Some(match powers[..] {
            [one] if self.copies != 1 => Known::One(one),
            _ => Known::Each(powers),
        })
    }

    /// What is done with the values: stored, folded, or put where functions look for them.
    fn innermost(&mut self) -> Option<()> {
        if let Body::Arguments(calls) = self.body {
            for id in calls {
                let Node::Primitive(_, args) = &self.writer.nest.nodes[id.0] else { return None };
                let row = self.writer.rows.of[id.0]?;
                let value = self.node(args[0])?;
                for copy in 0..self.copies {
                    let to = self.row(row, copy);
                    let from = value.real(copy)?;
                    self.insts.push(Inst::Store { from, to });
                }
            }
            return Some(());
        }
        let outputs = &self.writer.nest.outputs;
        // All values are computed before the first is stored.
        for output in outputs {
            if !self.is_product(self.writer.view.same[output.root.0].0) {
                self.node(output.root)?;
            }
        }
        for (at, output) in outputs.iter().enumerate() {
            let root = self.writer.view.same[output.root.0];
            let Some(fold) = output.fold else {
                let value = self.node(root)?;
                for copy in 0..self.copies {
                    let to = self.target(at, copy);
                    self.insts.push(match &value {
                        Known::Masks(_) => Inst::StoreTruths { from: value.mask(copy)?, to },
                        Known::One(_) | Known::Each(_) => Inst::Store { from: value.real(copy)?, to },
                    });
                }
                continue;
            };
            if self.writer.in_memory(output) {
                let value = self.node(root)?;
                for copy in 0..self.copies {
                    let place = self.target(at, copy);
                    let so_far = self.name();
                    self.insts.push(Inst::Copy { to: so_far, from: Arg::Place(place) });
                    let x = value.real(copy)?;
                    self.insts.push(Inst::Fold { fold, into: so_far, x, part: false });
                    self.insts.push(Inst::Store { from: Arg::Value(so_far), to: place });
                }
                continue;
            }
            let lanes = self.writer.nest.order[self.lanes_at];
            let folded = lanes >= output.kept;
            let product = self.is_product(root.0);
            for copy in 0..self.copies {
                let into = self.sums[at][copy];
                let part = folded && self.part && copy + 1 == self.copies;
                if product {
                    let Node::Primitive(_, args) = &self.writer.nest.nodes[root.0] else { return None };
                    let (a, b) = (self.node(args[0])?.real(copy)?, self.node(args[1])?.real(copy)?);
                    self.insts.push(Inst::AddProduct { into, a, b, part });
                } else {
                    let x = self.node(root)?.real(copy)?;
                    self.insts.push(Inst::Fold { fold, into, x, part });
                }
            }
        }
        Some(())
    }
}

/// What a machine function gives.
#[derive(Clone, Copy)]
enum Made {
    Real(Arg),
    Mask(Name),
}

impl Made {
    fn real(self) -> Option<Arg> {
        match self {
            Made::Real(arg) => Some(arg),
            Made::Mask(_) => None,
        }
    }

    fn mask(self) -> Option<Name> {
        match self {
            Made::Mask(name) => Some(name),
            Made::Real(_) => None,
        }
    }
}

/// An operation on reals, or a comparison.
enum Either {
    Binary(Binary),
    Compare(Compare),
}

impl Known {
    fn count(&self) -> usize {
        match self {
            Known::One(_) => 1,
            Known::Each(args) => args.len(),
            Known::Masks(names) => names.len(),
        }
    }

    fn real(&self, copy: usize) -> Option<Arg> {
        match self {
            Known::One(arg) => Some(*arg),
            Known::Each(args) if args.len() == 1 => Some(args[0]),
            Known::Each(args) => args.get(copy).copied(),
            Known::Masks(_) => None,
        }
    }

    fn mask(&self, copy: usize) -> Option<Name> {
        match self {
            Known::Masks(names) if names.len() == 1 => Some(names[0]),
            Known::Masks(names) => names.get(copy).copied(),
            Known::One(_) | Known::Each(_) => None,
        }
    }
}
