//! The values of a nest's nodes: one, or a vector for each of some lanes.
//!
//! Reads of one array with the same coefficients share a pointer and differ in their offsets only.

use cranelift::codegen::ir::{InstBuilder, Value, condcodes::IntCC};

use crate::ir::{Affine, At, Data, Elem, Node, NodeId, Tensor, Ty, infer_primitive};
use crate::math::{Cpu, Prim, Scalar};
use crate::plan::ItemId;

use super::emit::Emitter;
use super::nest::Writer;

/// A pointer that moves with the loops: where it starts and what each variable adds, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) start: i64,
    pub(super) coefficients: Vec<i64>,
    /// What the number of a part adds.
    pub(super) part: i64,
}

/// Where a read takes its element from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// Not a read, or one of an array without elements.
    None,
    /// A scalar item.
    Scalar(ItemId),
    /// Memory.
    Memory(Place),
}

/// An element in memory.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) stream: usize,
    pub(super) offset: i32,
    pub(super) elem: Elem,
    /// Computed indices: node, size, distance in bytes.
    pub(super) computed: Vec<(NodeId, usize, i64)>,
}

/// The value of a node.
#[derive(Debug, Clone)]
pub(super) enum Val {
    /// The same for all lanes.
    One(Value),
    /// Vectors; a truth value is a mask.
    Lanes(Vec<Value>),
}

impl Val {
    /// The value of a node that has one.
    pub(super) fn one(&self) -> Value {
        match self {
            Val::One(value) => *value,
            Val::Lanes(_) => unreachable!("outside vectors there are no lanes"),
        }
    }
}

impl<'p> Writer<'p> {
    /// Finds kinds, sources and targets.
    pub(super) fn prepare(&mut self, e: &Emitter<'p, '_>) {
        for at in 0..self.nest.nodes.len() {
            let elem = self.elem(e, at);
            self.elems.push(elem);
            let source = self.source(e, at);
            self.sources.push(source);
        }
        for output in &self.nest.outputs {
            let target = self.nest.target(e.plan, output);
            let item = e.plan.item(output.item);
            let parted = self.nest.is_parted(output);
            let place = if item.is_scalar() {
                Place { stream: 0, offset: 0, elem: item.elem, computed: Vec::new() }
            } else {
                self.place(e, output.item, &target, Vec::new(), parted)
            };
            self.targets.push(place);
        }
    }

    fn elem(&self, e: &Emitter<'p, '_>, at: usize) -> Elem {
        match &self.nest.nodes[at] {
            Node::Constant(tensor) => tensor.elem(),
            Node::Index(_) => Elem::Int,
            Node::Read { operand, at: _ } => e.plan.item(self.nest.operands[*operand]).elem,
            Node::Within { then, .. } => self.elems[then.0],
            Node::Primitive(prim, args) => {
                let types: Vec<Ty> = args.iter().map(|id| Ty::scalar(self.elems[id.0])).collect();
                infer_primitive(*prim, &types).map_or(Elem::Real, |ty| ty.elem)
            }
        }
    }

    fn source(&mut self, e: &Emitter<'p, '_>, at: usize) -> Source {
        let Some(flat) = self.nest.flat(e.plan, NodeId(at)) else {
            return Source::None;
        };
        let item = e.plan.item(flat.item);
        if item.is_scalar() {
            return Source::Scalar(flat.item);
        }
        if item.count() == 0 {
            return Source::None;
        }
        let width = e.width(item.elem);
        let computed = flat.computed.iter();
        let computed = computed.map(|(id, size, distance)| (*id, *size, distance * width));
        let computed = computed.collect();
        Source::Memory(self.place(e, flat.item, &flat.form, computed, false))
    }

    /// A place from a form in elements.
    fn place(
        &mut self,
        e: &Emitter<'p, '_>,
        id: ItemId,
        form: &Affine,
        computed: Vec<(NodeId, usize, i64)>,
        parted: bool,
    ) -> Place {
        let elem = e.plan.item(id).elem;
        let width = e.width(elem);
        let start = i64::try_from(e.plan.offset(id)).unwrap_or(i64::MAX);
        // Far offsets belong to the start.
        let (start, offset) = match i32::try_from(form.offset * width) {
            Ok(small) => (start, small),
            Err(_) => (start + form.offset * width, 0),
        };
        let coefficients = (0..self.nest.loops.len()).map(|var| match self.nest.sizes[var] {
            1 => 0,
            _ => form.coefficient(var) * width,
        });
        let part = if parted { e.plan.item(id).strides()[0] * width } else { 0 };
        let stream = Stream { start, coefficients: coefficients.collect(), part };
        let known = self.streams.iter().position(|s| *s == stream);
        let stream = known.unwrap_or_else(|| {
            self.streams.push(stream);
            self.streams.len() - 1
        });
        Place { stream, offset, elem, computed }
    }

    /// The pointer of a stream at a level.
    pub(super) fn pointer(&mut self, e: &mut Emitter<'p, '_>, level: usize, at: usize) -> Value {
        let stream = &self.streams[at];
        let Some(outer) = level.checked_sub(1) else {
            let start = e.int_const(stream.start);
            let first = e.b.ins().iadd(e.arena, start);
            let Some(part) = self.part.as_ref().filter(|_| stream.part != 0) else {
                return first;
            };
            let moved = e.times(part.number, stream.part);
            return e.b.ins().iadd(first, moved);
        };
        let before = self.pointers[outer][at];
        let var = self.nest.order[outer];
        match stream.coefficients[var] {
            0 => before,
            distance => {
                let moved = e.times(self.ivs[var], distance);
                e.b.ins().iadd(before, moved)
            }
        }
    }

    /// A value in one of the lanes.
    pub(super) fn lane(&self, e: &mut Emitter<'p, '_>, value: &Val, lane: usize) -> Value {
        match value {
            Val::Lanes(lanes) => lanes[lane],
            Val::One(value) => e.splat(*value),
        }
    }

    /// The value of a node, computed here if it is not known yet.
    pub(super) fn value(&mut self, e: &mut Emitter<'p, '_>, id: NodeId) -> Val {
        let id = self.view.same[id.0];
        if let Some(value) = &self.values[id.0] {
            return value.clone();
        }
        if let Some(value) = self.row_value(e, id) {
            self.values[id.0] = Some(value.clone());
            return value;
        }
        let nest = self.nest;
        let value = match &nest.nodes[id.0] {
            Node::Constant(tensor) => Val::One(e.literal(scalar(tensor))),
            Node::Index(form) => Val::One(self.affine(e, form)),
            Node::Primitive(prim, args) => match self.exponent(e, *prim, args) {
                Some(n) => {
                    let base = self.value(e, args[0]);
                    power(e, &base, n)
                }
                None => {
                    let args: Vec<Val> = args.iter().map(|arg| self.value(e, *arg)).collect();
                    self.primitive(e, *prim, &args)
                }
            },
            Node::Read { operand, at } => self.read(e, id, nest.operands[*operand], at),
            Node::Within { ranges, then, otherwise } => self.within(e, ranges, *then, *otherwise),
        };
        self.values[id.0] = Some(value.clone());
        value
    }

    /// The exponent of a power that is written as products.
    fn exponent(&self, e: &Emitter<'p, '_>, prim: Prim, args: &[NodeId]) -> Option<i64> {
        self.known_exponent(prim, args).filter(|n| e.as_products(prim, *n))
    }

    /// The second argument of a power, if it is known.
    pub(super) fn known_exponent(&self, prim: Prim, args: &[NodeId]) -> Option<i64> {
        let Node::Constant(tensor) = &self.nest.nodes[args.get(1)?.0] else {
            return None;
        };
        match scalar(tensor) {
            Scalar::Int(n) => (matches!(prim.cpu(), Cpu::CallInt(_)) && n.abs() <= 64).then_some(n),
            Scalar::Real(_) | Scalar::Bool(_) => None,
        }
    }

    fn primitive(&mut self, e: &mut Emitter<'p, '_>, prim: Prim, args: &[Val]) -> Val {
        let count = args.iter().find_map(|arg| match arg {
            Val::Lanes(lanes) => Some(lanes.len()),
            Val::One(_) => None,
        });
        let Some(count) = count else {
            let args: Vec<Value> = args.iter().map(Val::one).collect();
            return Val::One(e.primitive(prim, &args));
        };
        let lanes = (0..count).map(|lane| {
            let parts: Vec<(Value, bool)> = args
                .iter()
                .map(|arg| match arg {
                    Val::Lanes(lanes) => (lanes[lane], true),
                    Val::One(value) => (*value, false),
                })
                .collect();
            e.primitive_in_lanes(prim, &parts)
        });
        Val::Lanes(lanes.collect())
    }

    fn read(&mut self, e: &mut Emitter<'p, '_>, id: NodeId, item: ItemId, at: &[At]) -> Val {
        match self.sources[id.0].clone() {
            Source::Scalar(item) => Val::One(e.scalar(item)),
            Source::Memory(place) if place.computed.is_empty() => self.load(e, &place, self.entered),
            Source::Memory(place) => {
                let pointer = self.computed_pointer(e, id, self.entered);
                self.load_at(e, &place, pointer)
            }
            Source::None => {
                // An array without elements is read by an index that is out of range.
                for (at, size) in at.iter().zip(e.plan.item(item).sizes.clone()) {
                    if let At::Computed(node) = at {
                        let index = self.value(e, *node).one();
                        e.checked(index, size, self.nest.spans[id.0]);
                    }
                }
                Val::One(e.literal(zero(e.plan.item(item).elem)))
            }
        }
    }

    /// The pointer of a read with computed indices, at a level.
    pub(super) fn computed_pointer(&mut self, e: &mut Emitter<'p, '_>, read: NodeId, level: usize) -> Value {
        let Source::Memory(place) = self.sources[read.0].clone() else {
            unreachable!("only reads of memory have computed indices")
        };
        let mut pointer = self.pointers[level][place.stream];
        for (node, size, distance) in &place.computed {
            let index = self.value(e, *node).one();
            let index = e.checked(index, *size, self.nest.spans[read.0]);
            let moved = e.times(index, *distance);
            pointer = e.b.ins().iadd(pointer, moved);
        }
        pointer
    }

    /// What is at a place, with the pointers of a level.
    pub(super) fn load(&mut self, e: &mut Emitter<'p, '_>, place: &Place, level: usize) -> Val {
        let pointer = self.pointers[level][place.stream];
        self.load_at(e, place, pointer)
    }

    fn load_at(&self, e: &mut Emitter<'p, '_>, place: &Place, pointer: Value) -> Val {
        match self.moving(place) {
            Some(count) => {
                let lanes = (0..count).map(|lane| {
                    let offset = e.lane_offset(place.elem, place.offset, lane);
                    e.load_lanes(place.elem, pointer, offset)
                });
                Val::Lanes(lanes.collect())
            }
            None => {
                let ty = e.ty(place.elem);
                let flags = Emitter::flags();
                Val::One(e.b.ins().load(ty, flags, pointer, place.offset))
            }
        }
    }

    /// The number of lanes of a place that moves with them.
    fn moving(&self, place: &Place) -> Option<usize> {
        let var = self.nest.lanes?;
        let moves = self.streams[place.stream].coefficients[var] != 0;
        self.lanes.filter(|_| moves)
    }

    /// Puts the value of an output where it belongs.
    pub(super) fn store(&mut self, e: &mut Emitter<'p, '_>, at: usize, value: Val, level: usize) {
        let output = &self.nest.outputs[at];
        if e.plan.item(output.item).is_scalar() {
            e.bind(output.item, value.one());
            return;
        }
        let place = self.targets[at].clone();
        let pointer = self.pointers[level][place.stream];
        match self.moving(&place) {
            Some(count) => {
                for lane in 0..count {
                    let x = self.lane(e, &value, lane);
                    let offset = e.lane_offset(place.elem, place.offset, lane);
                    e.store_lanes(place.elem, x, pointer, offset);
                }
            }
            None => {
                let flags = Emitter::flags();
                e.b.ins().store(flags, value.one(), pointer, place.offset);
            }
        }
    }

    fn affine(&mut self, e: &mut Emitter<'p, '_>, form: &Affine) -> Value {
        let mut sum = None;
        for (var, iv) in self.ivs.clone().into_iter().enumerate() {
            let k = form.coefficient(var);
            if k != 0 && self.nest.sizes[var] != 1 {
                let term = e.times(iv, k);
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
    ) -> Val {
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
        let varies = |id: NodeId| self.view.varies[self.view.same[id.0].0];
        let lanes = self.lanes.filter(|_| varies(then) || varies(otherwise));
        let parts = |writer: &Self, e: &mut Emitter<'p, '_>, value: &Val| -> Vec<Value> {
            match lanes {
                Some(count) => (0..count).map(|k| writer.lane(e, value, k)).collect(),
                None => vec![value.one()],
            }
        };
        let others = parts(self, e, &other);
        let yes = e.b.create_block();
        let rest = e.b.create_block();
        let results: Vec<Value> = others
            .iter()
            .map(|value| {
                let ty = e.b.func.dfg.value_type(*value);
                e.b.append_block_param(rest, ty)
            })
            .collect();
        let args: Vec<_> = others.iter().map(|value| (*value).into()).collect();
        e.b.ins().brif(inside, yes, &[], rest, &args);
        e.enter(yes);
        // What is computed here is not known elsewhere.
        let known = self.values.clone();
        let value = self.value(e, then);
        self.values = known;
        let args: Vec<_> = parts(self, e, &value).into_iter().map(Into::into).collect();
        e.b.ins().jump(rest, &args);
        e.enter(rest);
        match lanes {
            Some(_) => Val::Lanes(results),
            None => Val::One(results[0]),
        }
    }
}

/// A value to a power known while compiling.
fn power(e: &mut Emitter<'_, '_>, base: &Val, n: i64) -> Val {
    match base {
        Val::One(base) => Val::One(e.power(*base, n)),
        Val::Lanes(lanes) => Val::Lanes(lanes.iter().map(|base| e.power(*base, n)).collect()),
    }
}

fn scalar(tensor: &Tensor) -> Scalar {
    match &tensor.data {
        Data::Real(data) => Scalar::Real(data[0]),
        Data::Int(data) => Scalar::Int(data[0]),
        Data::Bool(data) => Scalar::Bool(data[0]),
    }
}

/// Zero, or false.
fn zero(elem: Elem) -> Scalar {
    match elem {
        Elem::Real => Scalar::Real(0.0),
        Elem::Int => Scalar::Int(0),
        Elem::Bool => Scalar::Bool(false),
    }
}
