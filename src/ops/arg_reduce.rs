//! `arg_reduce`: The index of the first greatest or least element along an axis; NaN wins.

use super::shape;
use crate::ir::{Dim, Elem, Misfit, Ty};

/// The index of the first greatest or least element along an axis; NaN wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgReduce {
    /// See above.
    pub max: bool,
    /// See above.
    pub axis: usize,
}

impl crate::ir::Facts for ArgReduce {
    fn name(&self) -> &'static str {
        "arg_reduce"
    }

    fn attributes(&self) -> Vec<(&'static str, crate::ir::Attr)> {
        unimplemented!()
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::arity(operands, 1)?;
        shape::numbers(&operands[0])?;
        let mut ty = operands[0].with_elem(Elem::Int);
        if *shape::axis(&ty, self.axis)? == Dim::Known(0) {
            let text = format!("axis {} of {} has no elements", self.axis, operands[0]);
            return Err(Misfit(text));
        }
        ty.dims.remove(self.axis);
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
