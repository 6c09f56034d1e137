//! `scatter`: Operands value, updates, indices…: adds or puts slices at indexed places; repeated places add up (add) or the last wins.

use super::shape;
use crate::ir::{Misfit, Ty};

/// Operands value, updates, indices…: adds or puts slices at indexed places; repeated places add up (add) or the last wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scatter {
    /// See above.
    pub add: bool,
}

impl crate::ir::Facts for Scatter {
    fn name(&self) -> &'static str {
        "scatter"
    }

    fn attributes(&self) -> Vec<(&'static str, crate::ir::Attr)> {
        unimplemented!()
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::at_least(operands, 3)?;
        let (value, updates) = (&operands[0], &operands[1]);
        if self.add {
            shape::numbers(value)?;
        }
        shape::elements(value.elem, updates)?;
        let mut dims = shape::index_dims(value, &operands[2..])?;
        dims.extend_from_slice(&value.dims[operands.len() - 2..]);
        let fits = dims.len() == updates.rank()
            && dims
                .iter()
                .zip(&updates.dims)
                .all(|(a, b)| shape::may_agree(a, b));
        if !fits {
            let expected = Ty::new(value.elem, dims);
            let text = format!("expected updates of type {expected}, found {updates}");
            return Err(Misfit(text));
        }
        Ok(value.clone())
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
