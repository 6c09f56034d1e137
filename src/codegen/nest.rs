//! Loop nests, element by element.
//!
//! Every node is computed at the outermost level at which its loop variables are known. Reads of
//! one array with the same coefficients share a pointer and differ in their offsets only.

use cranelift::codegen::ir::{InstBuilder, Type, Value, condcodes::IntCC, types};
use cranelift::prelude::Variable;

use crate::ir::{Affine, At, Elem, Node, NodeId};
use crate::math::Scalar;
use crate::plan::{ItemId, NestStep, Output};

use super::emit::Emitter;
use super::scalar::start;

/// A pointer that moves with the loops: where it starts and what each variable adds, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stream {
    start: i64,
    coefficients: Vec<i64>,
}

/// Where a read takes its element from.
#[derive(Debug, Clone)]
enum Source {
    /// Not a read, or one of an array without elements.
    None,
    /// A scalar item.
    Scalar(ItemId),
    /// Memory.
    Memory(Place),
}

/// An element in memory.
#[derive(Debug, Clone)]
struct Place {
    stream: usize,
    offset: i32,
    ty: Type,
    /// Computed indices: node, size, distance in bytes.
    computed: Vec<(NodeId, usize, i64)>,
}

/// A nest being written.
struct Writer<'p> {
    nest: &'p NestStep,
    /// Of every node, how many loops must be entered before it is known.
    levels: Vec<usize>,
    /// Whether a node is wanted wherever its loops go.
    eager: Vec<bool>,
    sources: Vec<Source>,
    streams: Vec<Stream>,
    targets: Vec<Place>,
    /// Of every level, the pointers of the streams.
    pointers: Vec<Vec<Value>>,
    values: Vec<Option<Value>>,
    /// The loop variables.
    ivs: Vec<Value>,
    accumulators: Vec<Option<Variable>>,
    /// The deepest level entered.
    entered: usize,
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
        self.counted(item.count(), |e, i| {
            let width = e.int_const(width);
            let offset = e.b.ins().imul(i, width);
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
            levels: Vec::new(),
            eager: vec![false; nest.nodes.len()],
            sources: Vec::new(),
            streams: Vec::new(),
            targets: Vec::new(),
            pointers: vec![Vec::new(); depth + 1],
            values: vec![None; nest.nodes.len()],
            ivs: vec![e.arena; depth],
            accumulators: vec![None; nest.outputs.len()],
            entered: 0,
        };
        writer.find_levels();
        writer.find_eager();
        writer.sources = nest
            .nodes
            .iter()
            .map(|node| writer.source(e, node))
            .collect();
        writer.targets = nest
            .outputs
            .iter()
            .map(|output| writer.target(e, output))
            .collect();
        writer
    }

    fn level_of(&self, form: &Affine) -> usize {
        let order = self.nest.order.iter().enumerate();
        order
            .filter(|(_, var)| form.coefficient(**var) != 0)
            .map(|(at, _)| at + 1)
            .max()
            .unwrap_or(0)
    }

    fn find_levels(&mut self) {
        for node in &self.nest.nodes {
            let of = |id: &NodeId| self.levels[id.0];
            let level = match node {
                Node::Constant(_) => 0,
                Node::Index(form) => self.level_of(form),
                Node::Primitive(_, args) => args.iter().map(of).max().unwrap_or(0),
                Node::Read { operand: _, at } => at
                    .iter()
                    .map(|at| match at {
                        At::Affine(form) => self.level_of(form),
                        At::Computed(id) => of(id),
                    })
                    .max()
                    .unwrap_or(0),
                Node::Within {
                    ranges,
                    then,
                    otherwise,
                } => ranges
                    .iter()
                    .map(|(form, _, _)| self.level_of(form))
                    .chain([of(then), of(otherwise)])
                    .max()
                    .unwrap_or(0),
            };
            self.levels.push(level);
        }
    }

    fn find_eager(&mut self) {
        for output in &self.nest.outputs {
            self.eager[output.root.0] = true;
        }
        for at in (0..self.nest.nodes.len()).rev() {
            if !self.eager[at] {
                continue;
            }
            match &self.nest.nodes[at] {
                Node::Constant(_) | Node::Index(_) => {}
                Node::Primitive(_, args) => {
                    args.iter().for_each(|id| self.eager[id.0] = true);
                }
                Node::Read { operand: _, at } => {
                    for at in at {
                        if let At::Computed(id) = at {
                            self.eager[id.0] = true;
                        }
                    }
                }
                Node::Within { otherwise, .. } => self.eager[otherwise.0] = true,
            }
        }
    }

    fn stream(&mut self, start: i64, coefficients: Vec<i64>) -> usize {
        let stream = Stream {
            start,
            coefficients,
        };
        let known = self.streams.iter().position(|s| *s == stream);
        known.unwrap_or_else(|| {
            self.streams.push(stream);
            self.streams.len() - 1
        })
    }

    /// A place from an offset in bytes and coefficients in bytes.
    fn place(
        &mut self,
        e: &Emitter<'p, '_>,
        id: ItemId,
        offset: i64,
        coefficients: Vec<i64>,
        computed: Vec<(NodeId, usize, i64)>,
    ) -> Place {
        let ty = e.ty(e.plan.item(id).elem);
        let start = i64::try_from(e.plan.offset(id)).unwrap_or(i64::MAX);
        let (start, offset) = match i32::try_from(offset) {
            Ok(small) => (start, small),
            // Far offsets belong to the start.
            Err(_) => (start + offset, 0),
        };
        Place {
            stream: self.stream(start, coefficients),
            offset,
            ty,
            computed,
        }
    }

    fn source(&mut self, e: &Emitter<'p, '_>, node: &Node) -> Source {
        let Node::Read { operand, at } = node else {
            return Source::None;
        };
        let id = self.nest.operands[*operand];
        let item = e.plan.item(id);
        if item.is_scalar() {
            return Source::Scalar(id);
        }
        if item.count() == 0 {
            return Source::None;
        }
        let width = e.width(item.elem);
        let mut coefficients = vec![0; self.nest.loops.len()];
        let mut offset = 0;
        let mut computed = Vec::new();
        for ((at, stride), size) in at.iter().zip(item.strides()).zip(&item.sizes) {
            match at {
                At::Affine(form) => {
                    offset += form.offset * stride * width;
                    for (var, sum) in coefficients.iter_mut().enumerate() {
                        *sum += form.coefficient(var) * stride * width;
                    }
                }
                At::Computed(id) => computed.push((*id, *size, stride * width)),
            }
        }
        Source::Memory(self.place(e, id, offset, coefficients, computed))
    }

    fn target(&mut self, e: &Emitter<'p, '_>, output: &Output) -> Place {
        let item = e.plan.item(output.item);
        if item.is_scalar() {
            return Place {
                stream: 0,
                offset: 0,
                ty: e.ty(item.elem),
                computed: Vec::new(),
            };
        }
        let width = e.width(item.elem);
        let mut coefficients: Vec<i64> = Vec::new();
        let mut distance = width;
        for size in self.nest.loops[..output.kept].iter().rev() {
            coefficients.push(distance);
            distance *= i64::try_from(*size).unwrap_or(i64::MAX);
        }
        coefficients.reverse();
        coefficients.resize(self.nest.loops.len(), 0);
        self.place(e, output.item, 0, coefficients, Vec::new())
    }

    /// What becomes known on entering a level: pointers, then nodes.
    fn enter(&mut self, e: &mut Emitter<'p, '_>, level: usize) {
        self.entered = level;
        self.pointers[level] = (0..self.streams.len())
            .map(|at| self.pointer(e, level, at))
            .collect();
        for at in 0..self.nest.nodes.len() {
            if self.eager[at] && self.levels[at] == level {
                self.value(e, NodeId(at));
            }
        }
    }

    fn pointer(&mut self, e: &mut Emitter<'p, '_>, level: usize, at: usize) -> Value {
        let stream = &self.streams[at];
        let Some(outer) = level.checked_sub(1) else {
            let start = e.int_const(stream.start);
            return e.b.ins().iadd(e.arena, start);
        };
        let before = self.pointers[outer][at];
        let var = self.nest.order[outer];
        match stream.coefficients[var] {
            0 => before,
            distance => {
                let moved = times(e, self.ivs[var], distance);
                e.b.ins().iadd(before, moved)
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
            e.counted(self.nest.loops[var], |e, i| {
                self.ivs[var] = i;
                self.enter(e, level + 1);
                self.level(e, level + 1);
            });
            self.entered = level;
        }
        self.end(e, level);
    }

    /// The level at which the folding of an output begins; `None` without one.
    fn fold_level(&self, output: &Output) -> Option<usize> {
        output.fold?;
        let folded = |var: &usize| *var >= output.kept;
        let at = self.nest.order.iter().position(folded);
        Some(at.unwrap_or(self.nest.order.len()))
    }

    fn begin(&mut self, e: &mut Emitter<'p, '_>, level: usize) {
        for (at, output) in self.nest.outputs.iter().enumerate() {
            if let Some(fold) = output.fold
                && self.fold_level(output) == Some(level)
            {
                let elem = e.plan.item(output.item).elem;
                let variable = e.b.declare_var(e.ty(elem));
                let first = e.start_of(fold, elem);
                e.b.def_var(variable, first);
                self.accumulators[at] = Some(variable);
            }
        }
    }

    fn innermost(&mut self, e: &mut Emitter<'p, '_>) {
        for (at, output) in self.nest.outputs.iter().enumerate() {
            let value = self.value(e, output.root);
            match (output.fold, self.accumulators[at]) {
                (Some(fold), Some(variable)) => {
                    let so_far = e.b.use_var(variable);
                    let sum = e.combine(fold, so_far, value);
                    e.b.def_var(variable, sum);
                }
                (_, _) => self.store(e, at, value, self.nest.loops.len()),
            }
        }
    }

    fn end(&mut self, e: &mut Emitter<'p, '_>, level: usize) {
        for at in 0..self.nest.outputs.len() {
            if self.fold_level(&self.nest.outputs[at]) == Some(level)
                && let Some(variable) = self.accumulators[at]
            {
                let value = e.b.use_var(variable);
                self.store(e, at, value, level);
            }
        }
    }

    fn store(&mut self, e: &mut Emitter<'p, '_>, at: usize, value: Value, level: usize) {
        let output = &self.nest.outputs[at];
        if e.plan.item(output.item).is_scalar() {
            e.bind(output.item, value);
            return;
        }
        let place = &self.targets[at];
        let pointer = self.pointers[level][place.stream];
        e.b.ins()
            .store(Emitter::flags(), value, pointer, place.offset);
    }

    /// The value of a node, computed here if it is not known yet.
    fn value(&mut self, e: &mut Emitter<'p, '_>, id: NodeId) -> Value {
        if let Some(value) = self.values[id.0] {
            return value;
        }
        let nest = self.nest;
        let value = match &nest.nodes[id.0] {
            Node::Constant(tensor) => literal(e, tensor),
            Node::Index(form) => self.affine(e, form),
            Node::Primitive(prim, args) => {
                let args: Vec<Value> = args.iter().map(|arg| self.value(e, *arg)).collect();
                e.primitive(*prim, &args)
            }
            Node::Read { operand, at: _ } => self.read(e, id, nest.operands[*operand]),
            Node::Within {
                ranges,
                then,
                otherwise,
            } => self.within(e, ranges, *then, *otherwise),
        };
        self.values[id.0] = Some(value);
        value
    }

    fn read(&mut self, e: &mut Emitter<'p, '_>, id: NodeId, item: ItemId) -> Value {
        match self.sources[id.0].clone() {
            Source::Scalar(item) => e.scalar(item),
            Source::Memory(place) => {
                let mut pointer = self.pointers[self.entered][place.stream];
                for (node, size, distance) in &place.computed {
                    let index = self.value(e, *node);
                    let index = e.checked(index, *size, self.nest.spans[id.0]);
                    let moved = times(e, index, *distance);
                    pointer = e.b.ins().iadd(pointer, moved);
                }
                e.b.ins()
                    .load(place.ty, Emitter::flags(), pointer, place.offset)
            }
            Source::None => {
                // An array without elements is read by an index that is out of range.
                if let Node::Read { operand: _, at } = &self.nest.nodes[id.0] {
                    for (at, size) in at.iter().zip(e.plan.item(item).sizes.clone()) {
                        if let At::Computed(node) = at {
                            let index = self.value(e, *node);
                            e.checked(index, size, self.nest.spans[id.0]);
                        }
                    }
                }
                e.literal(zero(e.plan.item(item).elem))
            }
        }
    }

    fn affine(&mut self, e: &mut Emitter<'p, '_>, form: &Affine) -> Value {
        let mut sum = None;
        for (var, iv) in self.ivs.clone().into_iter().enumerate() {
            let k = form.coefficient(var);
            if k != 0 {
                let term = times(e, iv, k);
                sum = Some(match sum {
                    Some(sum) => e.b.ins().iadd(sum, term),
                    None => term,
                });
            }
        }
        match sum {
            None => e.int_const(form.offset),
            Some(sum) if form.offset == 0 => sum,
            Some(sum) => {
                let offset = e.int_const(form.offset);
                e.b.ins().iadd(sum, offset)
            }
        }
    }

    fn within(
        &mut self,
        e: &mut Emitter<'p, '_>,
        ranges: &[(Affine, i64, i64)],
        then: NodeId,
        otherwise: NodeId,
    ) -> Value {
        let other = self.value(e, otherwise);
        let mut inside: Option<Value> = None;
        for (form, lo, hi) in ranges {
            let moved = self.affine(e, &form.scaled(1, -lo));
            let width = e.int_const((hi - lo).max(0));
            let holds = e.b.ins().icmp(IntCC::UnsignedLessThan, moved, width);
            inside = Some(match inside {
                Some(inside) => e.b.ins().band(inside, holds),
                None => holds,
            });
        }
        let Some(inside) = inside else {
            return self.value(e, then);
        };
        if self.values[then.0].is_some() {
            let value = self.value(e, then);
            return e.b.ins().select(inside, value, other);
        }
        let yes = e.b.create_block();
        let rest = e.b.create_block();
        let ty = e.b.func.dfg.value_type(other);
        let result = e.b.append_block_param(rest, ty);
        e.b.ins().brif(inside, yes, &[], rest, &[other.into()]);
        e.enter(yes);
        // What is computed here is not known elsewhere.
        let known = self.values.clone();
        let value = self.value(e, then);
        self.values = known;
        e.b.ins().jump(rest, &[value.into()]);
        e.enter(rest);
        result
    }
}

/// A value times a number.
fn times(e: &mut Emitter<'_, '_>, value: Value, k: i64) -> Value {
    if k == 1 {
        return value;
    }
    if k > 0 && k.count_ones() == 1 {
        let shift = e.b.ins().iconst(types::I64, i64::from(k.trailing_zeros()));
        return e.b.ins().ishl(value, shift);
    }
    let k = e.int_const(k);
    e.b.ins().imul(value, k)
}

fn literal(e: &mut Emitter<'_, '_>, tensor: &crate::ir::Tensor) -> Value {
    let scalar = match &tensor.data {
        crate::ir::Data::Real(data) => Scalar::Real(data[0]),
        crate::ir::Data::Int(data) => Scalar::Int(data[0]),
        crate::ir::Data::Bool(data) => Scalar::Bool(data[0]),
    };
    e.literal(scalar)
}

/// Zero, or false.
fn zero(elem: Elem) -> Scalar {
    match elem {
        Elem::Real => Scalar::Real(0.0),
        Elem::Int => Scalar::Int(0),
        Elem::Bool => Scalar::Bool(false),
    }
}
