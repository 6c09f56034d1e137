//! `slice`: a strided part of every axis.

use super::{Emit, shape};
use crate::ir::{
    Affine, At, Attr, Build, Derivative, Dim, Facts, Form, Misfit, Nest, Tensor, Trap, Ty, Value,
};

/// A strided part of every axis: `starts[k] .. limits[k]` in steps of `strides[k]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The first index, by axis.
    pub starts: Vec<Dim>,
    /// One past the last index that may be taken, by axis.
    pub limits: Vec<Dim>,
    /// The steps, by axis: positive numbers.
    pub strides: Vec<Dim>,
}

impl Facts for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn attributes(&self) -> Vec<(&'static str, Attr)> {
        vec![
            ("starts", Attr::Dims(self.starts.clone())),
            ("limits", Attr::Dims(self.limits.clone())),
            ("strides", Attr::Dims(self.strides.clone())),
        ]
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
        unreachable!("slice needs no rule of its own")
    }

    fn transpose(&self, build: &mut Build, cotangent: Value, operands: &[Value], which: usize) -> Value {
        let dims = build.ty(operands[which]).dims.clone();
        let lengths = build.ty(cotangent).dims.clone();
        let one = Dim::Known(1);
        let mut inner = Vec::new();
        let mut after = Vec::new();
        for (axis, length) in lengths.iter().enumerate() {
            let (start, stride) = (&self.starts[axis], &self.strides[axis]);
            let taken = match length.known() {
                Some(0) => Some(Dim::Known(0)),
                Some(_) | None => {
                    (length.sub(&one)).and_then(|gaps| gaps.mul(stride)).and_then(|last| last.add(&one))
                }
            };
            let end = taken.and_then(|taken| start.add(&taken));
            after.push(shape::sure(end.and_then(|end| dims[axis].sub(&end))));
            inner.push(shape::sure(stride.sub(&one)));
        }
        build.pad(cotangent, &self.starts, &after, &inner)
    }

    fn batch(&self, build: &mut Build, operands: &[Value], batched: &[bool], size: &Dim) -> Value {
        let value = shape::lead(build, operands[0], batched[0], size);
        let starts = shape::prepend(&Dim::Known(0), &self.starts);
        let limits = shape::prepend(size, &self.limits);
        let strides = shape::prepend(&Dim::Known(1), &self.strides);
        build.slice(value, &starts, &limits, &strides)
    }

    fn eval(&self, operands: &[&Tensor]) -> Result<Tensor, Trap> {
        let sizes = self.sizes();
        Tensor::tabulate(operands[0].elem(), &sizes, |at| {
            let from = (at.iter().zip(&self.starts).zip(&self.strides))
                .map(|((i, start), stride)| start.size() + i * stride.size());
            let from: Vec<usize> = from.collect();
            Ok(operands[0].at(&from))
        })
    }

    fn form(&self, _operands: &[Ty]) -> Form {
        let number = |dim: &Dim| shape::number(dim.size());
        let at = (self.starts.iter().zip(&self.strides).enumerate()).map(|(axis, (start, stride))| {
            At::Affine(Affine::var(axis).scaled(number(stride), number(start)))
        });
        Form::Nest(Nest::moved(self.sizes(), at.collect()))
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
            Some(step) if step >= 1 => span
                .div_ceil(step)
                .ok_or_else(|| Misfit(format!("{start}..{limit} in steps of {step} has no known length"))),
            Some(_) | None => {
                Err(Misfit(format!("the step of a slice must be a positive number, found {stride}")))
            }
        }
    }
}

impl Slice {
    /// The sizes of the result; all dimensions are numbers.
    fn sizes(&self) -> Vec<usize> {
        (self.starts.iter().zip(&self.limits).zip(&self.strides))
            .map(|((start, limit), stride)| (limit.size() - start.size()).div_ceil(stride.size()))
            .collect()
    }
}
