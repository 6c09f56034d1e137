//! `dot`: Sums of products over pairs of axes; result axes: batch pairs, free axes of a, free axes of b.

use super::shape;
use crate::ir::{Misfit, Ty};

/// Sums of products over pairs of axes; result axes: batch pairs, free axes of a, free axes of b.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dot {
    /// See above.
    pub batch: Vec<(usize, usize)>,
    /// See above.
    pub contract: Vec<(usize, usize)>,
}

impl crate::ir::Facts for Dot {
    fn name(&self) -> &'static str {
        "dot"
    }

    fn attributes(&self) -> Vec<(&'static str, crate::ir::Attr)> {
        unimplemented!()
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::arity(operands, 2)?;
        let (a, b) = (&operands[0], &operands[1]);
        shape::numbers(a)?;
        shape::elements(a.elem, b)?;
        let pairs = || self.batch.iter().chain(&self.contract);
        let of_a: Vec<usize> = pairs().map(|pair| pair.0).collect();
        let of_b: Vec<usize> = pairs().map(|pair| pair.1).collect();
        shape::distinct_axes(&of_a, a.rank())?;
        shape::distinct_axes(&of_b, b.rank())?;
        let mut dims = Vec::new();
        for (i, j) in &self.batch {
            dims.push(shape::agree(a, *i, b, *j)?);
        }
        for (i, j) in &self.contract {
            shape::agree(a, *i, b, *j)?;
        }
        dims.extend(others(&of_a, a.rank()).map(|axis| a.dims[axis].clone()));
        dims.extend(others(&of_b, b.rank()).map(|axis| b.dims[axis].clone()));
        Ok(Ty::new(a.elem, dims))
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

/// The axes below `rank` that are not in a list.
fn others(axes: &[usize], rank: usize) -> impl Iterator<Item = usize> {
    (0..rank).filter(|axis| !axes.contains(axis))
}
