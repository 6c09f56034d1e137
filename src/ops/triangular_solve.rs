//! `triangular_solve`: inv(L) @ b for lower triangular L.

use super::shape;
use crate::ir::{Elem, Misfit, Ty};

/// inv(L) @ b for lower triangular L.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriangularSolve {
    /// See above.
    pub transposed: bool,
}

impl crate::ir::Facts for TriangularSolve {
    fn name(&self) -> &'static str {
        "triangular_solve"
    }

    fn attributes(&self) -> Vec<(&'static str, crate::ir::Attr)> {
        unimplemented!()
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::arity(operands, 2)?;
        let (l, b) = (&operands[0], &operands[1]);
        shape::square(l)?;
        shape::elements(Elem::Real, b)?;
        if b.rank() != l.rank() {
            let text = format!("{l} and {b} have different numbers of axes");
            return Err(Misfit(text));
        }
        let mut ty = b.clone();
        for axis in 0..b.rank() - 1 {
            ty.dims[axis] = shape::agree(l, axis, b, axis)?;
        }
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
