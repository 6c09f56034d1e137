//! `pad`: Zeros before, after and between the elements of every axis.

use super::shape;
use crate::ir::{Dim, Misfit, Ty};

/// Zeros before, after and between the elements of every axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pad {
    /// See above.
    pub before: Vec<Dim>,
    /// See above.
    pub after: Vec<Dim>,
    /// See above.
    pub inner: Vec<Dim>,
}

impl crate::ir::Facts for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn attributes(&self) -> Vec<(&'static str, crate::ir::Attr)> {
        unimplemented!()
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::arity(operands, 1)?;
        let operand = &operands[0];
        shape::one_for_each_axis("before", &self.before, operand)?;
        shape::one_for_each_axis("after", &self.after, operand)?;
        shape::one_for_each_axis("inner", &self.inner, operand)?;
        for dim in self.before.iter().chain(&self.after).chain(&self.inner) {
            shape::not_negative("a count of zeros", dim)?;
        }
        let dims = (0..operand.rank())
            .map(|axis| shape::fits(self.length(axis, &operand.dims[axis])))
            .collect::<Result<Vec<Dim>, Misfit>>()?;
        Ok(Ty::new(operand.elem, dims))
    }

    fn derivative(&self) -> crate::ir::Derivative {
        unimplemented!()
    }

    fn jvp(
        &self,
        _build: &mut crate::ir::Build,
        _operands: &[crate::ir::Value],
        _result: crate::ir::Value,
        _tangents: &[Option<crate::ir::Value>],
    ) -> Option<crate::ir::Value> {
        unimplemented!()
    }

    fn transpose(
        &self,
        _build: &mut crate::ir::Build,
        _cotangent: crate::ir::Value,
        _operands: &[crate::ir::Value],
        _which: usize,
    ) -> crate::ir::Value {
        unimplemented!()
    }

    fn batch(
        &self,
        _build: &mut crate::ir::Build,
        _operands: &[crate::ir::Value],
        _batched: &[bool],
        _size: &crate::ir::Dim,
    ) -> crate::ir::Value {
        unimplemented!()
    }

    fn eval(&self, _operands: &[&crate::ir::Tensor]) -> Result<crate::ir::Tensor, crate::ir::Trap> {
        unimplemented!()
    }

    fn form(&self, _operands: &[crate::ir::Ty]) -> crate::ir::Form {
        unimplemented!()
    }
}

impl Pad {
    /// The length of a result axis; `None` if it is too large.
    fn length(&self, axis: usize, dim: &Dim) -> Option<Dim> {
        let gaps = match dim.known() {
            Some(0) => Dim::Known(0),
            Some(_) | None => dim.sub(&Dim::Known(1))?,
        };
        let inside = dim.add(&gaps.mul(&self.inner[axis])?)?;
        self.before[axis].add(&inside)?.add(&self.after[axis])
    }
}
