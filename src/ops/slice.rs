//! `slice`: A strided part of every axis.

use super::shape;
use crate::ir::{Dim, Misfit, Ty};

/// A strided part of every axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// See above.
    pub starts: Vec<Dim>,
    /// See above.
    pub limits: Vec<Dim>,
    /// See above.
    pub strides: Vec<Dim>,
}

impl crate::ir::Facts for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn attributes(&self) -> Vec<(&'static str, crate::ir::Attr)> {
        unimplemented!()
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::arity(operands, 1)?;
        let operand = &operands[0];
        shape::one_for_each_axis("starts", &self.starts, operand)?;
        shape::one_for_each_axis("limits", &self.limits, operand)?;
        shape::one_for_each_axis("strides", &self.strides, operand)?;
        let dims = (0..operand.rank())
            .map(|axis| self.length(axis, operand))
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

impl Slice {
    /// The length of a result axis.
    fn length(&self, axis: usize, operand: &Ty) -> Result<Dim, Misfit> {
        let (start, limit) = (&self.starts[axis], &self.limits[axis]);
        let (dim, stride) = (&operand.dims[axis], &self.strides[axis]);
        let span = shape::fits(limit.sub(start))?;
        let rest = shape::fits(dim.sub(limit))?;
        let inside = [start, &span, &rest];
        if inside.iter().any(|dim| dim.known().is_some_and(|n| n < 0)) {
            return Err(Misfit(format!(
                "{start}..{limit} does not lie in axis {axis} of {operand}, which has {dim} elements"
            )));
        }
        match stride.known() {
            Some(step) if step >= 1 => span.div_ceil(step).ok_or_else(|| {
                Misfit(format!(
                    "{start}..{limit} in steps of {step} has no known length"
                ))
            }),
            Some(_) | None => Err(Misfit(format!(
                "the step of a slice must be a positive number, found {stride}"
            ))),
        }
    }
}
