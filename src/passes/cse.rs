//! Binds equal computations once.
//!
//! One sweep: a binding is looked up by op, operands and result type among those before it. Ops
//! are compared by their text, which shows every attribute; large literals by identity. Control
//! forms are left alone, but for what is inside them.

use std::collections::HashMap;

use crate::ir::{Binding, Data, Function, Op, Tensor, Ty, Value};
use crate::math::Prim;

/// What two equal computations share.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    op: OpKey,
    operands: Vec<Value>,
    ty: Ty,
}

#[derive(PartialEq, Eq, Hash)]
enum OpKey {
    Primitive(Prim),
    Structural(String),
    /// The bits of a small literal.
    Small(Vec<u64>),
    /// The address of a large one, whose data are shared when it is cloned.
    Large(usize),
}

/// Literals up to this size are compared by their bits.
const SMALL: usize = 64;

/// A function in which equal computations are bound once.
pub fn cse(function: &Function) -> Function {
    let mut new = function.clone();
    let mut map: Vec<Value> = (0..function.types.len())
        .map(|at| Value(u32::try_from(at).expect("values are numbered in 32 bits")))
        .collect();
    let mut known: HashMap<Key, Value> = HashMap::new();
    new.bindings = Vec::with_capacity(function.bindings.len());
    for binding in &function.bindings {
        let mut binding = binding.clone();
        for operand in &mut binding.operands {
            *operand = map[operand.0 as usize];
        }
        let Some(op) = key_of(&binding.op) else {
            binding.op = binding.op.map_functions(cse);
            new.bindings.push(binding);
            continue;
        };
        let value = binding.values[0];
        let key = key(op, &binding, function.ty(value));
        match known.get(&key) {
            Some(same) => map[value.0 as usize] = *same,
            None => {
                known.insert(key, value);
                new.bindings.push(binding);
            }
        }
    }
    for result in &mut new.results {
        *result = map[result.0 as usize];
    }
    new
}

fn key(op: OpKey, binding: &Binding, ty: &Ty) -> Key {
    let mut operands = binding.operands.clone();
    if let OpKey::Primitive(prim) = &op
        && is_commutative(*prim)
    {
        operands.sort();
    }
    Key { op, operands, ty: ty.clone() }
}

/// Whether the order of operands does not matter, to the bit.
pub(super) fn is_commutative(prim: Prim) -> bool {
    let facts = &crate::ir::primitives().of(prim).facts;
    facts.iter().any(|fact| fact == "commutative")
}

fn key_of(op: &Op) -> Option<OpKey> {
    match op {
        Op::Primitive(prim) => Some(OpKey::Primitive(*prim)),
        Op::Structural(facts) => Some(OpKey::Structural(format!("{facts:?}"))),
        Op::Constant(tensor) => Some(literal(tensor)),
        Op::Loop(_) | Op::If(_) | Op::Map(_) | Op::Custom(_) | Op::Jvp(_) | Op::Vjp(_) => None,
    }
}

fn literal(tensor: &Tensor) -> OpKey {
    if tensor.len() <= SMALL {
        return OpKey::Small(match &tensor.data {
            Data::Real(data) => data.iter().map(|x| x.to_bits()).collect(),
            Data::Int(data) => data.iter().map(|n| n.cast_unsigned()).collect(),
            Data::Bool(data) => data.iter().map(|b| u64::from(*b)).collect(),
        });
    }
    OpKey::Large(match &tensor.data {
        Data::Real(data) => data.as_ptr() as usize,
        Data::Int(data) => data.as_ptr() as usize,
        Data::Bool(data) => data.as_ptr() as usize,
    })
}
