//! `reduce`: Folds axes away.

use super::shape;
use crate::ir::{Elem, Fold, Misfit, Ty};

/// Folds axes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reduce {
    /// See above.
    pub fold: Fold,
    /// See above.
    pub axes: Vec<usize>,
}

impl crate::ir::Facts for Reduce {
    fn name(&self) -> &'static str {
        "reduce"
    }

    fn attributes(&self) -> Vec<(&'static str, crate::ir::Attr)> {
        unimplemented!()
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::arity(operands, 1)?;
        let operand = &operands[0];
        match self.fold {
            Fold::Sum | Fold::Prod | Fold::Max | Fold::Min => shape::numbers(operand)?,
            Fold::All | Fold::Any => shape::elements(Elem::Bool, operand)?,
        }
        shape::distinct_axes(&self.axes, operand.rank())?;
        let dims = self.kept(operand.rank()).into_iter();
        let dims = dims.map(|axis| operand.dims[axis].clone());
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

impl Reduce {
    /// The axes that stay, in order.
    fn kept(&self, rank: usize) -> Vec<usize> {
        (0..rank).filter(|axis| !self.axes.contains(axis)).collect()
    }
}
