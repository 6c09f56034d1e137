//! `broadcast`: Repeats a value: operand axis k becomes result axis axes[k]; other result axes are new.

use super::shape;
use crate::ir::{Dim, Misfit, Ty};

/// Repeats a value: operand axis k becomes result axis axes[k]; other result axes are new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broadcast {
    /// See above.
    pub dims: Vec<Dim>,
    /// See above.
    pub axes: Vec<usize>,
}

impl crate::ir::Facts for Broadcast {
    fn name(&self) -> &'static str {
        "broadcast"
    }

    fn attributes(&self) -> Vec<(&'static str, crate::ir::Attr)> {
        unimplemented!()
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::arity(operands, 1)?;
        let operand = &operands[0];
        let mut ty = Ty::new(operand.elem, self.dims.clone());
        if self.axes.len() != operand.rank() {
            let (given, rank) = (self.axes.len(), operand.rank());
            let text = format!("{given} axes are given for {operand}, which has {rank}");
            return Err(Misfit(text));
        }
        shape::distinct_axes(&self.axes, ty.rank())?;
        for (k, axis) in self.axes.iter().enumerate() {
            ty.dims[*axis] = shape::agree(&ty, *axis, operand, k)?;
        }
        for dim in &ty.dims {
            shape::not_negative("a dimension", dim)?;
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
