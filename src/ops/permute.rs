//! `permute`: Axes in another order: result axis k is operand axis order[k].

use super::shape;
use crate::ir::{Misfit, Ty};

/// Axes in another order: result axis k is operand axis order[k].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permute {
    /// See above.
    pub order: Vec<usize>,
}

impl crate::ir::Facts for Permute {
    fn name(&self) -> &'static str {
        "permute"
    }

    fn attributes(&self) -> Vec<(&'static str, crate::ir::Attr)> {
        unimplemented!()
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::arity(operands, 1)?;
        let operand = &operands[0];
        let (given, rank) = (self.order.len(), operand.rank());
        if given != rank {
            let text = format!("an order of {given} axes is given for {operand}, which has {rank}");
            return Err(Misfit(text));
        }
        shape::distinct_axes(&self.order, rank)?;
        let dims = self.order.iter().map(|axis| operand.dims[*axis].clone());
        Ok(Ty::new(operand.elem, dims.collect()))
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
