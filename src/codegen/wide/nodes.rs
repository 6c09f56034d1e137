//! The nodes of a nest as instructions on vectors.

use crate::ir::{Data, Elem, Fold, Node, NodeId};
use crate::math::{Cpu, Instruction, Prim, trace};
use crate::plan::Output;

use super::super::rows::Body;
use super::super::values::{Source, Val};
use super::build::{Build, Input, Pointer};
use super::evex::Binary;
use super::functions::Made;
use super::strip::{Arg, Inst, Name};

/// What is known of a node while a strip is built.
#[derive(Debug, Clone)]
pub(super) enum Known {
    /// The same in all vectors.
    One(Arg),
    /// For each vector.
    Each(Vec<Arg>),
    /// A mask, the same in all vectors or for each.
    Masks(Vec<Name>),
}
impl Known {
    pub(super) fn count(&self) -> usize {
        match self {
            Known::One(_) => 1,
            Known::Each(args) => args.len(),
            Known::Masks(names) => names.len(),
        }
    }

    pub(super) fn real(&self, copy: usize) -> Option<Arg> {
        match self {
            Known::One(arg) => Some(*arg),
            Known::Each(args) if args.len() == 1 => Some(args[0]),
            Known::Each(args) => args.get(copy).copied(),
            Known::Masks(_) => None,
        }
    }

    pub(super) fn mask(&self, copy: usize) -> Option<Name> {
        match self {
            Known::Masks(names) if names.len() == 1 => Some(names[0]),
            Known::Masks(names) => names.get(copy).copied(),
            Known::One(_) | Known::Each(_) => None,
        }
    }
}

impl Build<'_, '_> {
    /// The nodes that are known at a level.
    pub(super) fn compute(&mut self, level: usize) -> Option<()> {
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
    pub(super) fn is_product(&self, at: usize) -> bool {
        let nest = self.writer.nest;
        let view = &self.writer.view;
        let Node::Primitive(prim, _) = &nest.nodes[at] else { return false };
        let new = self.known[at].is_none() && self.writer.values[at].is_none();
        if self.ordered || !new || !matches!(prim.cpu(), Cpu::Instruction(Instruction::Mul)) {
            return false;
        }
        let is_root = |output: &Output| view.same[output.root.0].0 == at;
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
        all && count == 1 && !read
    }

    /// The value of a node, computed here if it is not known.
    pub(super) fn node(&mut self, id: NodeId) -> Option<Known> {
        let id = self.writer.view.same[id.0];
        if let Some(known) = &self.known[id.0] {
            return Some(known.clone());
        }
        let known = self.compute_node(id)?;
        self.known[id.0] = Some(known.clone());
        Some(known)
    }

    pub(super) fn compute_node(&mut self, id: NodeId) -> Option<Known> {
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

    pub(super) fn handed(&mut self, input: usize, elem: Elem) -> Known {
        if elem != Elem::Bool {
            return Known::One(Arg::Input(input));
        }
        let to = self.name();
        self.insts.push(Inst::Truth { to, input });
        Known::Masks(vec![to])
    }

    pub(super) fn read(&mut self, pointer: Pointer, stream: usize, offset: i32, elem: Elem) -> Option<Known> {
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
    pub(super) fn loaded(&mut self, places: Vec<Arg>) -> Known {
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

    pub(super) fn primitive(&mut self, prim: Prim, args: &[NodeId]) -> Option<Known> {
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

    /// The products of `math::functions::powi`.
    pub(super) fn power(&mut self, base: &Known, n: i64) -> Option<Known> {
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
    pub(super) fn innermost(&mut self) -> Option<()> {
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
                    let x = match self.node(root)? {
                        Known::Masks(masks) => {
                            let mask = if masks.len() == 1 { masks[0] } else { masks[copy] };
                            let (yes, no) = (Arg::Constant(u64::MAX), Arg::Constant(0));
                            self.real(|to| Inst::Choose { mask, to, yes, no })
                        }
                        known => known.real(copy)?,
                    };
                    self.insts.push(Inst::Fold { fold, into, x, part });
                }
            }
        }
        Some(())
    }
}
