//! `argsort`: the indices that sort an axis.

use std::cmp::Ordering;

use super::{Emit, shape};
use crate::ir::{Attr, Build, Derivative, Dim, Elem, Facts, Form, Misfit, Tensor, Trap, Ty, Value, space};
use crate::math::Scalar;

/// The indices that sort an axis: ascending, stable, -0 equal to 0, NaN last.
///
/// Kernel `argsort(out, [value], [outer, n, inner, kind])`: the number of elements before, along
/// and behind the axis, the kind of elements (0 real, 1 int); `out` holds integers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argsort {
    /// The axis.
    pub axis: usize,
}

impl Facts for Argsort {
    fn name(&self) -> &'static str {
        "argsort"
    }

    fn attributes(&self) -> Vec<(&'static str, Attr)> {
        vec![("axis", Attr::Dim(Dim::from(self.axis)))]
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::arity(operands, 1)?;
        shape::numbers(&operands[0])?;
        shape::axis(&operands[0], self.axis)?;
        Ok(operands[0].with_elem(Elem::Int))
    }

    fn derivative(&self) -> Derivative {
        Derivative::Zero
    }

    fn jvp(
        &self,
        _build: &mut Build,
        _operands: &[Value],
        _result: Value,
        _tangents: &[Option<Value>],
    ) -> Option<Value> {
        unreachable!("argsort needs no rule of its own")
    }

    fn transpose(&self, _build: &mut Build, _cotangent: Value, _operands: &[Value], _which: usize) -> Value {
        unreachable!("argsort is not linear")
    }

    fn batch(&self, build: &mut Build, operands: &[Value], batched: &[bool], size: &Dim) -> Value {
        let value = shape::lead(build, operands[0], batched[0], size);
        build.argsort(value, self.axis + 1)
    }

    fn eval(&self, operands: &[&Tensor]) -> Result<Tensor, Trap> {
        let value = operands[0];
        let n = value.sizes[self.axis];
        Tensor::tabulate(Elem::Int, &value.sizes, |at| {
            // Which element comes `at[axis]`-th, found anew for each: slow, but plain.
            let mut order: Vec<usize> = space(&[n])?;
            order.extend(0..n);
            let key = |i: &usize| {
                let mut from = at.to_vec();
                from[self.axis] = *i;
                value.at(&from)
            };
            order.sort_by(|i, j| compare(key(i), key(j)));
            Ok(Scalar::Int(shape::number(order[at[self.axis]])))
        })
    }

    fn form(&self, operands: &[Ty]) -> Form {
        let [outer, n, inner] = shape::around(&operands[0], self.axis);
        Form::Kernel { name: "argsort", numbers: vec![outer, n, inner, shape::kind(operands[0].elem)] }
    }
}

/// Ascending, NaN last.
fn compare(a: Scalar, b: Scalar) -> Ordering {
    match (a, b) {
        (Scalar::Real(a), Scalar::Real(b)) => {
            let nan_last = a.is_nan().cmp(&b.is_nan());
            a.partial_cmp(&b).unwrap_or(nan_last)
        }
        (Scalar::Int(a), Scalar::Int(b)) => a.cmp(&b),
        _ => panic!("{a:?} and {b:?} are not numbers of one kind"),
    }
}
