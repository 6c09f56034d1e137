//! `broadcast`: repeats a value along new axes.

use super::{Emit, shape};
use crate::ir::{
    Affine, At, Attr, Build, Derivative, Dim, Facts, Fold, Form, Misfit, Nest, Tensor, Trap, Ty, Value,
};

/// Repeats a value: operand axis `k` becomes result axis `axes[k]`; the other result axes are new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broadcast {
    /// The dimensions of the result.
    pub dims: Vec<Dim>,
    /// The result axis of each operand axis.
    pub axes: Vec<usize>,
}

impl Facts for Broadcast {
    fn name(&self) -> &'static str {
        "broadcast"
    }

    fn attributes(&self) -> Vec<(&'static str, Attr)> {
        vec![("dims", Attr::Dims(self.dims.clone())), ("axes", Attr::Ints(self.axes.clone()))]
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
        unreachable!("broadcast needs no rule of its own")
    }

    fn transpose(&self, build: &mut Build, cotangent: Value, _operands: &[Value], _which: usize) -> Value {
        let rank = self.dims.len();
        let new: Vec<usize> = (0..rank).filter(|axis| !self.axes.contains(axis)).collect();
        let sum = build.reduce(Fold::Sum, cotangent, &new);
        let place = |axis: &usize| self.axes.iter().filter(|other| *other < axis).count();
        let order: Vec<usize> = self.axes.iter().map(place).collect();
        build.permute(sum, &order)
    }

    fn batch(&self, build: &mut Build, operands: &[Value], batched: &[bool], size: &Dim) -> Value {
        let dims = shape::prepend(size, &self.dims);
        let axes = self.axes.iter().map(|axis| axis + 1);
        if batched[0] {
            let axes: Vec<usize> = [0].into_iter().chain(axes).collect();
            build.broadcast(operands[0], &dims, &axes)
        } else {
            let axes: Vec<usize> = axes.collect();
            build.broadcast(operands[0], &dims, &axes)
        }
    }

    fn eval(&self, operands: &[&Tensor]) -> Result<Tensor, Trap> {
        let sizes: Vec<usize> = self.dims.iter().map(Dim::size).collect();
        Tensor::tabulate(operands[0].elem(), &sizes, |at| {
            let from: Vec<usize> = self.axes.iter().map(|axis| at[*axis]).collect();
            Ok(operands[0].at(&from))
        })
    }

    fn form(&self, _operands: &[Ty]) -> Form {
        let at = self.axes.iter().map(|axis| At::Affine(Affine::var(*axis)));
        let dims = self.dims.iter().map(Dim::size).collect();
        Form::Nest(Nest::moved(dims, at.collect()))
    }
}
