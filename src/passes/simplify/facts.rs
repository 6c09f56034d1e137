//! What is known of a value, from what is known of its operands: one step, no recursion.

use std::sync::Arc;

use crate::ir::{Binding, Data, Op, Tensor, Ty, Value, primitives};
use crate::math::{Prim, Scalar};
use crate::ops::{Broadcast, Iota, Permute, Reshape, Reverse, Slice};

use super::graph::Graph;

/// What is known of a value.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// The place of its binding.
    pub binding: Option<usize>,
    /// The number that all elements are.
    pub uniform: Option<Scalar>,
    /// Its affine form.
    pub form: Option<Form>,
    /// Bounds of its elements.
    pub interval: Option<Interval>,
}

/// Bounds, both included.
pub(in crate::passes) type Interval = (f64, f64);

/// An array of integers as `offset + sum of coefficient * index`, one coefficient for each axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::passes) struct Form {
    pub offset: i64,
    pub coefficients: Arc<Vec<i64>>,
}

impl Form {
    fn constant(offset: i64, rank: usize) -> Form {
        Form { offset, coefficients: Arc::new(vec![0; rank]) }
    }

    fn combine(&self, other: &Form, f: impl Fn(i64, i64) -> Option<i64>) -> Option<Form> {
        let both = self.coefficients.iter().zip(other.coefficients.iter());
        let coefficients: Option<Vec<i64>> = both.map(|(a, b)| f(*a, *b)).collect();
        Some(Form { offset: f(self.offset, other.offset)?, coefficients: Arc::new(coefficients?) })
    }

    fn scaled(&self, by: i64) -> Option<Form> {
        self.combine(self, |a, _| a.checked_mul(by))
    }

    fn is_constant(&self) -> bool {
        self.coefficients.iter().all(|k| *k == 0)
    }

    /// The least and greatest element of an array of these sizes, which are positive.
    pub fn bounds(&self, sizes: &[usize]) -> Option<(i64, i64)> {
        let (mut lo, mut hi) = (self.offset, self.offset);
        for (k, size) in self.coefficients.iter().zip(sizes) {
            let last = i64::try_from(*size).ok()?.checked_sub(1)?;
            let reach = k.checked_mul(last)?;
            lo = lo.checked_add(reach.min(0))?;
            hi = hi.checked_add(reach.max(0))?;
        }
        Some((lo, hi))
    }
}

impl Known {
    pub fn of(graph: &Graph, binding: &Binding, at: usize) -> Known {
        let ty = binding.values.first().map(|v| graph.build.ty(*v));
        let uniform = uniform(graph, binding);
        Known {
            binding: Some(at),
            uniform,
            form: ty.and_then(|ty| form(graph, binding, ty, uniform)),
            interval: interval(graph, binding, uniform),
        }
    }
}

fn uniform(graph: &Graph, binding: &Binding) -> Option<Scalar> {
    match &binding.op {
        Op::Constant(tensor) => same_everywhere(tensor),
        op if is_move(op) => graph.uniform(binding.operands[0]),
        _ => None,
    }
}

/// The ops that only move elements, and neither add any nor can stop the program.
pub(super) fn is_move(op: &Op) -> bool {
    op.downcast::<Broadcast>().is_some()
        || op.downcast::<Reshape>().is_some()
        || op.downcast::<Permute>().is_some()
        || op.downcast::<Reverse>().is_some()
        || op.downcast::<Slice>().is_some()
}

fn same_everywhere(tensor: &Tensor) -> Option<Scalar> {
    if tensor.is_empty() {
        return None;
    }
    let same = match &tensor.data {
        Data::Real(data) => data.iter().all(|x| x.to_bits() == data[0].to_bits()),
        Data::Int(data) => data.iter().all(|n| *n == data[0]),
        Data::Bool(data) => data.iter().all(|b| *b == data[0]),
    };
    same.then(|| tensor.scalar_at(0))
}

fn form(graph: &Graph, binding: &Binding, ty: &Ty, uniform: Option<Scalar>) -> Option<Form> {
    if ty.elem != crate::ir::Elem::Int || !ty.is_known() {
        return None;
    }
    if let Some(Scalar::Int(n)) = uniform {
        return Some(Form::constant(n, ty.rank()));
    }
    let of = |at: usize| graph.form(binding.operands[at]);
    match &binding.op {
        Op::Constant(tensor) => progression(tensor),
        Op::Primitive(prim) => match (prim.name(), binding.operands.len()) {
            ("add", _) => of(0)?.combine(&of(1)?, i64::checked_add),
            ("sub", _) => of(0)?.combine(&of(1)?, i64::checked_sub),
            ("neg", _) => of(0)?.scaled(-1),
            ("mul", _) => {
                let (a, b) = (of(0)?, of(1)?);
                if a.is_constant() {
                    b.scaled(a.offset)
                } else if b.is_constant() {
                    a.scaled(b.offset)
                } else {
                    None
                }
            }
            _ => None,
        },
        op => moved_form(op, ty, of),
    }
}

fn moved_form(op: &Op, ty: &Ty, of: impl Fn(usize) -> Option<Form>) -> Option<Form> {
    let mut coefficients = vec![0; ty.rank()];
    let mut offset = 0;
    if let Some(iota) = op.downcast::<Iota>() {
        coefficients[iota.axis] = 1;
    } else if let Some(broadcast) = op.downcast::<Broadcast>() {
        let inner = of(0)?;
        offset = inner.offset;
        for (axis, k) in broadcast.axes.iter().zip(inner.coefficients.iter()) {
            coefficients[*axis] = *k;
        }
    } else if let Some(permute) = op.downcast::<Permute>() {
        let inner = of(0)?;
        offset = inner.offset;
        for (k, axis) in coefficients.iter_mut().zip(&permute.order) {
            *k = inner.coefficients[*axis];
        }
    } else if let Some(slice) = op.downcast::<Slice>() {
        let inner = of(0)?;
        offset = inner.offset;
        for (axis, k) in inner.coefficients.iter().enumerate() {
            let (start, stride) = (slice.starts[axis].known()?, slice.strides[axis].known()?);
            offset = offset.checked_add(k.checked_mul(start)?)?;
            coefficients[axis] = k.checked_mul(stride)?;
        }
    } else {
        return None;
    }
    Some(Form { offset, coefficients: Arc::new(coefficients) })
}

/// A literal list of integers with equal steps.
fn progression(tensor: &Tensor) -> Option<Form> {
    let (Data::Int(data), [_]) = (&tensor.data, tensor.sizes.as_slice()) else {
        return None;
    };
    let (first, second) = (data.first()?, data.get(1)?);
    let step = second.checked_sub(*first)?;
    let steady = data.windows(2).all(|w| w[1].checked_sub(w[0]) == Some(step));
    steady.then(|| Form { offset: *first, coefficients: Arc::new(vec![step]) })
}

fn interval(graph: &Graph, binding: &Binding, uniform: Option<Scalar>) -> Option<Interval> {
    match uniform {
        Some(Scalar::Real(x)) => return (!x.is_nan()).then_some((x, x)),
        #[expect(clippy::cast_precision_loss, reason = "bounds of small integers")]
        Some(Scalar::Int(n)) => return Some((n as f64, n as f64)),
        Some(Scalar::Bool(_)) => return None,
        None => {}
    }
    let of = |at: usize| graph.interval(binding.operands[at]);
    match &binding.op {
        Op::Primitive(prim) => primitive_interval(*prim, &binding.operands, of),
        op if is_move(op) => of(0),
        _ => None,
    }
}

fn primitive_interval(
    prim: Prim,
    operands: &[Value],
    of: impl Fn(usize) -> Option<Interval>,
) -> Option<Interval> {
    let stated = primitives().of(prim).range.map(|range| (range.lo, range.hi));
    let found = match prim.name() {
        "mul" if operands[0] == operands[1] => Some((0.0, f64::INFINITY)),
        // Bounds of sums and products are widened past rounding by their sign only.
        "add" => nonnegative(&[of(0)?, of(1)?]).then_some((of(0)?.0.max(of(1)?.0), f64::INFINITY)),
        "mul" | "div" => nonnegative(&[of(0)?, of(1)?]).then_some((0.0, f64::INFINITY)),
        "where" => {
            let (a, b) = (of(1)?, of(2)?);
            Some((a.0.min(b.0), a.1.max(b.1)))
        }
        _ => None,
    };
    found.or(stated)
}

fn nonnegative(intervals: &[Interval]) -> bool {
    intervals.iter().all(|(lo, _)| *lo >= 0.0)
}
