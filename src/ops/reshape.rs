//! `reshape`: The same elements under other dimensions.

use super::shape;
use crate::ir::{Dim, Misfit, Ty};

/// The same elements under other dimensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reshape {
    /// See above.
    pub dims: Vec<Dim>,
}

impl crate::ir::Facts for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn attributes(&self) -> Vec<(&'static str, crate::ir::Attr)> {
        unimplemented!()
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::arity(operands, 1)?;
        let operand = &operands[0];
        let ty = Ty::new(operand.elem, self.dims.clone());
        for dim in &ty.dims {
            shape::not_negative("a dimension", dim)?;
        }
        let before = shape::fits(shape::product(&operand.dims))?;
        let after = shape::fits(shape::product(&ty.dims))?;
        if !shape::may_agree(&before, &after) {
            let text = format!("{operand} has {before} elements, but {ty} has {after}");
            return Err(Misfit(text));
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
