//! `iota`: 0, 1, … along an axis.

use super::{Emit, shape};
use crate::ir::{
    Affine, Attr, Build, Derivative, Dim, Elem, Facts, Form, Misfit, Nest, Node, Tensor, Trap, Ty, Value,
};
use crate::math::Scalar;

/// 0, 1, … along an axis of an int array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Iota {
    /// The dimensions of the result.
    pub dims: Vec<Dim>,
    /// The axis along which it counts.
    pub axis: usize,
}

impl Facts for Iota {
    fn name(&self) -> &'static str {
        "iota"
    }

    fn attributes(&self) -> Vec<(&'static str, Attr)> {
        vec![("dims", Attr::Dims(self.dims.clone())), ("axis", Attr::Dim(Dim::from(self.axis)))]
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::arity(operands, 0)?;
        for dim in &self.dims {
            shape::not_negative("a dimension", dim)?;
        }
        let ty = Ty::new(Elem::Int, self.dims.clone());
        shape::axis(&ty, self.axis)?;
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
        unreachable!("iota needs no rule of its own")
    }

    fn transpose(&self, _build: &mut Build, _cotangent: Value, _operands: &[Value], _which: usize) -> Value {
        unreachable!("iota is not linear")
    }

    fn batch(&self, build: &mut Build, _operands: &[Value], _batched: &[bool], size: &Dim) -> Value {
        let once = build.iota(&self.dims, self.axis);
        shape::lead(build, once, false, size)
    }

    fn eval(&self, _operands: &[&Tensor]) -> Result<Tensor, Trap> {
        let sizes: Vec<usize> = self.dims.iter().map(Dim::size).collect();
        Tensor::tabulate(Elem::Int, &sizes, |at| Ok(Scalar::Int(shape::number(at[self.axis]))))
    }

    fn form(&self, _operands: &[Ty]) -> Form {
        Form::Nest(Nest {
            dims: self.dims.iter().map(Dim::size).collect(),
            folded: Vec::new(),
            fold: None,
            nodes: vec![Node::Index(Affine::var(self.axis))],
        })
    }
}
