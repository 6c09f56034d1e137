//! `iota`: 0, 1, … along an axis.

use super::shape;
use crate::ir::{Dim, Elem, Misfit, Ty};

/// 0, 1, … along an axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Iota {
    /// See above.
    pub dims: Vec<Dim>,
    /// See above.
    pub axis: usize,
}

impl crate::ir::Facts for Iota {
    fn name(&self) -> &'static str {
        "iota"
    }

    fn attributes(&self) -> Vec<(&'static str, crate::ir::Attr)> {
        unimplemented!()
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
