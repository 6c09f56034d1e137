//! `reverse`: the elements along an axis in the other order.

use super::{Emit, shape};
use crate::ir::{
    Affine, At, Attr, Build, Derivative, Dim, Facts, Form, Misfit, Nest, Tensor, Trap, Ty, Value,
};

/// The elements along an axis in the other order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reverse {
    /// The axis.
    pub axis: usize,
}

impl Facts for Reverse {
    fn name(&self) -> &'static str {
        "reverse"
    }

    fn attributes(&self) -> Vec<(&'static str, Attr)> {
        vec![("axis", Attr::Dim(Dim::from(self.axis)))]
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::arity(operands, 1)?;
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
        unreachable!("reverse needs no rule of its own")
    }

    fn transpose(&self, build: &mut Build, cotangent: Value, _operands: &[Value], _which: usize) -> Value {
        build.reverse(cotangent, self.axis)
    }

    fn batch(&self, build: &mut Build, operands: &[Value], batched: &[bool], size: &Dim) -> Value {
        let value = shape::lead(build, operands[0], batched[0], size);
        build.reverse(value, self.axis + 1)
    }

    fn eval(&self, operands: &[&Tensor]) -> Result<Tensor, Trap> {
        let sizes = &operands[0].sizes;
        Tensor::tabulate(operands[0].elem(), sizes, |at| {
            let mut from = at.to_vec();
            from[self.axis] = sizes[self.axis] - 1 - at[self.axis];
            Ok(operands[0].at(&from))
        })
    }

    fn form(&self, operands: &[Ty]) -> Form {
        let dims = operands[0].sizes();
        let last = shape::number(dims[self.axis]) - 1;
        let at = (0..dims.len()).map(|axis| match axis == self.axis {
            true => At::Affine(Affine::var(axis).scaled(-1, last)),
            false => At::Affine(Affine::var(axis)),
        });
        let at = at.collect();
        Form::Nest(Nest::moved(dims, at))
    }
}
