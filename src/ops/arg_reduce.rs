//! `arg_reduce`: the index of the greatest or least element along an axis.

use super::{Emit, shape};
use crate::ir::{Attr, Build, Derivative, Dim, Elem, Facts, Form, Misfit, Tensor, Trap, Ty, Value};
use crate::math::Scalar;

/// The index of the first greatest or least element along an axis; -0 equals 0, the first NaN wins.
///
/// Kernel `arg_reduce(out, [value], [outer, n, inner, max, kind])`: the number of elements before,
/// along and behind the axis, whether the greatest (0 or 1), the kind of elements (0 real, 1 int);
/// `out` holds integers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgReduce {
    /// Whether the greatest is sought.
    pub max: bool,
    /// The axis.
    pub axis: usize,
}

impl Facts for ArgReduce {
    fn name(&self) -> &'static str {
        "arg_reduce"
    }

    fn attributes(&self) -> Vec<(&'static str, Attr)> {
        vec![("max", Attr::Flag(self.max)), ("axis", Attr::Dim(Dim::from(self.axis)))]
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::arity(operands, 1)?;
        shape::numbers(&operands[0])?;
        let mut ty = operands[0].with_elem(Elem::Int);
        if *shape::axis(&ty, self.axis)? == Dim::Known(0) {
            let text = format!("axis {} of {} has no elements", self.axis, operands[0]);
            return Err(Misfit(text));
        }
        ty.dims.remove(self.axis);
        Ok(ty)
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
        unreachable!("arg_reduce needs no rule of its own")
    }

    fn transpose(&self, _build: &mut Build, _cotangent: Value, _operands: &[Value], _which: usize) -> Value {
        unreachable!("arg_reduce is not linear")
    }

    fn batch(&self, build: &mut Build, operands: &[Value], batched: &[bool], size: &Dim) -> Value {
        let value = shape::lead(build, operands[0], batched[0], size);
        build.arg_reduce(self.max, value, self.axis + 1)
    }

    fn eval(&self, operands: &[&Tensor]) -> Result<Tensor, Trap> {
        let value = operands[0];
        let mut sizes = value.sizes.clone();
        let n = sizes.remove(self.axis);
        if n == 0 {
            return Err(Trap("no element of an empty axis is the greatest or least".to_owned()));
        }
        Tensor::tabulate(Elem::Int, &sizes, |at| {
            let element = |i: usize| {
                let mut from = at.to_vec();
                from.insert(self.axis, i);
                value.at(&from)
            };
            let best = (1..n).fold(0, |best, i| match self.beats(element(i), element(best)) {
                true => i,
                false => best,
            });
            Ok(Scalar::Int(shape::number(best)))
        })
    }

    fn form(&self, operands: &[Ty]) -> Form {
        let [outer, n, inner] = shape::around(&operands[0], self.axis);
        let kind = shape::kind(operands[0].elem);
        Form::Kernel { name: "arg_reduce", numbers: vec![outer, n, inner, i64::from(self.max), kind] }
    }
}

impl ArgReduce {
    /// Whether an element takes the place of the best so far.
    fn beats(&self, new: Scalar, best: Scalar) -> bool {
        match (new, best) {
            (Scalar::Real(_), Scalar::Real(best)) if best.is_nan() => false,
            (Scalar::Real(new), Scalar::Real(_)) if new.is_nan() => true,
            (Scalar::Real(new), Scalar::Real(best)) if self.max => new > best,
            (Scalar::Real(new), Scalar::Real(best)) => new < best,
            (Scalar::Int(new), Scalar::Int(best)) if self.max => new > best,
            (Scalar::Int(new), Scalar::Int(best)) => new < best,
            _ => panic!("{new:?} and {best:?} are not numbers of one kind"),
        }
    }
}
