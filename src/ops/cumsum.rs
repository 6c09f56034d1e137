//! `cumsum`: running sums along an axis.

use super::{Emit, shape};
use crate::ir::{Attr, Build, Derivative, Dim, Facts, Form, Misfit, Tensor, Trap, Ty, Value, space};
use crate::math::{Prim, Scalar};

/// Running sums along an axis, from the front or the back; the first sum is the first element.
///
/// Kernel `cumsum(out, [value], [outer, n, inner, reverse, kind])`: the number of elements before,
/// along and behind the axis, whether from the back (0 or 1), the kind of elements (0 real, 1 int).
/// `out[o, i, k] = value[o, i, k] + out[o, i - 1, k]`, the sum so far being the left operand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cumsum {
    /// The axis.
    pub axis: usize,
    /// Whether the sums run from the back.
    pub reverse: bool,
}

impl Facts for Cumsum {
    fn name(&self) -> &'static str {
        "cumsum"
    }

    fn attributes(&self) -> Vec<(&'static str, Attr)> {
        vec![("axis", Attr::Dim(Dim::from(self.axis))), ("reverse", Attr::Flag(self.reverse))]
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::arity(operands, 1)?;
        shape::numbers(&operands[0])?;
        shape::axis(&operands[0], self.axis)?;
        Ok(operands[0].clone())
    }

    fn derivative(&self) -> Derivative {
        Derivative::Linear(vec![true])
    }

    fn jvp(
        &self,
        _build: &mut Build,
        _operands: &[Value],
        _result: Value,
        _tangents: &[Option<Value>],
    ) -> Option<Value> {
        unreachable!("cumsum needs no rule of its own")
    }

    fn transpose(&self, build: &mut Build, cotangent: Value, _operands: &[Value], _which: usize) -> Value {
        build.cumsum(cotangent, self.axis, !self.reverse)
    }

    fn batch(&self, build: &mut Build, operands: &[Value], batched: &[bool], size: &Dim) -> Value {
        let value = shape::lead(build, operands[0], batched[0], size);
        build.cumsum(value, self.axis + 1, self.reverse)
    }

    fn eval(&self, operands: &[&Tensor]) -> Result<Tensor, Trap> {
        let sizes = &operands[0].sizes;
        let add = Prim::named("add").expect("the machine functions include add");
        let [_, n, inner] = shape::around(&operands[0].ty(), self.axis).map(shape::size);
        let mut sums: Vec<Scalar> = space(sizes)?;
        sums.extend((0..operands[0].len()).map(|flat| operands[0].scalar_at(flat)));
        let mut places: Vec<usize> = (0..sums.len()).collect();
        if self.reverse {
            places.reverse();
        }
        for place in places {
            let i = place / inner % n;
            let before = match self.reverse {
                false if i > 0 => place - inner,
                true if i + 1 < n => place + inner,
                false | true => continue,
            };
            sums[place] = add.apply(&[sums[before], sums[place]]);
        }
        let mut sums = sums.into_iter();
        Tensor::tabulate(operands[0].elem(), sizes, |_| Ok(sums.next().expect("one element for each index")))
    }

    fn form(&self, operands: &[Ty]) -> Form {
        let [outer, n, inner] = shape::around(&operands[0], self.axis);
        let kind = shape::kind(operands[0].elem);
        Form::Kernel { name: "cumsum", numbers: vec![outer, n, inner, i64::from(self.reverse), kind] }
    }
}
