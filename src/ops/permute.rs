//! `permute`: axes in another order.

use super::{Emit, shape};
use crate::ir::{
    Affine, At, Attr, Build, Derivative, Dim, Facts, Form, Misfit, Nest, Tensor, Trap, Ty, Value,
};

/// Axes in another order: result axis `k` is operand axis `order[k]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permute {
    /// The operand axis of each result axis.
    pub order: Vec<usize>,
}

impl Facts for Permute {
    fn name(&self) -> &'static str {
        "permute"
    }

    fn attributes(&self) -> Vec<(&'static str, Attr)> {
        vec![("order", Attr::Ints(self.order.clone()))]
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

    fn derivative(&self) -> Derivative {
        Derivative::Linear(vec![true])
    }

    fn jvp(
        &self,
        _build: &mut Build,
        _operands: &[Value],
        _result: Value,
        _tangents: &[Option<Value>],
    ) -> Option<Value> {
        unreachable!("permute needs no rule of its own")
    }

    fn transpose(&self, build: &mut Build, cotangent: Value, _operands: &[Value], _which: usize) -> Value {
        build.permute(cotangent, &self.places())
    }

    fn batch(&self, build: &mut Build, operands: &[Value], batched: &[bool], size: &Dim) -> Value {
        let value = shape::lead(build, operands[0], batched[0], size);
        let order: Vec<usize> = [0].into_iter().chain(self.order.iter().map(|axis| axis + 1)).collect();
        build.permute(value, &order)
    }

    fn eval(&self, operands: &[&Tensor]) -> Result<Tensor, Trap> {
        let sizes: Vec<usize> = self.order.iter().map(|axis| operands[0].sizes[*axis]).collect();
        let places = self.places();
        Tensor::tabulate(operands[0].elem(), &sizes, |at| {
            let from: Vec<usize> = places.iter().map(|place| at[*place]).collect();
            Ok(operands[0].at(&from))
        })
    }

    fn form(&self, operands: &[Ty]) -> Form {
        let sizes = operands[0].sizes();
        let dims = self.order.iter().map(|axis| sizes[*axis]).collect();
        let at = self.places().into_iter().map(|place| At::Affine(Affine::var(place)));
        Form::Nest(Nest::moved(dims, at.collect()))
    }
}

impl Permute {
    /// The result axis of each operand axis: the inverse order.
    fn places(&self) -> Vec<usize> {
        let mut places = vec![0; self.order.len()];
        for (place, axis) in self.order.iter().enumerate() {
            places[*axis] = place;
        }
        places
    }
}
