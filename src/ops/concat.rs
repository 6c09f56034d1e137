//! `concat`: Values one behind the other along an axis.

use super::shape;
use crate::ir::{Misfit, Ty};

/// Values one behind the other along an axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concat {
    /// See above.
    pub axis: usize,
}

impl crate::ir::Facts for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn attributes(&self) -> Vec<(&'static str, crate::ir::Attr)> {
        unimplemented!()
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::at_least(operands, 1)?;
        let mut ty = operands[0].clone();
        let mut length = shape::axis(&ty, self.axis)?.clone();
        for operand in &operands[1..] {
            shape::elements(ty.elem, operand)?;
            if operand.rank() != ty.rank() {
                let text = format!("{ty} and {operand} have different numbers of axes");
                return Err(Misfit(text));
            }
            for axis in (0..ty.rank()).filter(|axis| *axis != self.axis) {
                ty.dims[axis] = shape::agree(&ty, axis, operand, axis)?;
            }
            length = shape::fits(length.add(&operand.dims[self.axis]))?;
        }
        ty.dims[self.axis] = length;
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
