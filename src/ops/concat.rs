//! `concat`: values one behind the other along an axis.

use super::{Emit, shape};
use crate::ir::{
    Affine, At, Attr, Build, Derivative, Dim, Facts, Form, Misfit, Nest, Node, NodeId, Tensor, Trap, Ty,
    Value,
};

/// Values one behind the other along an axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concat {
    /// The axis.
    pub axis: usize,
}

impl Facts for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn attributes(&self) -> Vec<(&'static str, Attr)> {
        vec![("axis", Attr::Dim(Dim::from(self.axis)))]
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::at_least(operands, 1)?;
        let mut ty = operands[0].clone();
        let mut length = shape::axis(&ty, self.axis)?.clone();
        for operand in &operands[1..] {
            shape::elements(ty.elem, operand)?;
            if operand.rank() != ty.rank() {
                let text = format!("{ty} and {operand} have different numbers of axes");
                return Err(Misfit(text));
            }
            for axis in (0..ty.rank()).filter(|axis| *axis != self.axis) {
                ty.dims[axis] = shape::agree(&ty, axis, operand, axis)?;
            }
            length = shape::fits(length.add(&operand.dims[self.axis]))?;
        }
        ty.dims[self.axis] = length;
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
        unreachable!("concat needs no rule of its own")
    }

    fn transpose(&self, build: &mut Build, cotangent: Value, operands: &[Value], which: usize) -> Value {
        let length = |value: &Value| build.ty(*value).dims[self.axis].clone();
        let start = (operands[..which].iter().map(length))
            .fold(Dim::Known(0), |sum, length| shape::sure(sum.add(&length)));
        let limit = shape::sure(start.add(&length(&operands[which])));
        build.slice_axis(cotangent, self.axis, &start, &limit)
    }

    fn batch(&self, build: &mut Build, operands: &[Value], batched: &[bool], size: &Dim) -> Value {
        let values: Vec<Value> = (operands.iter().zip(batched))
            .map(|(value, batched)| shape::lead(build, *value, *batched, size))
            .collect();
        build.concat(&values, self.axis + 1)
    }

    fn eval(&self, operands: &[&Tensor]) -> Result<Tensor, Trap> {
        let mut sizes = operands[0].sizes.clone();
        sizes[self.axis] = operands.iter().map(|operand| operand.sizes[self.axis]).sum();
        Tensor::tabulate(operands[0].elem(), &sizes, |at| {
            let mut at = at.to_vec();
            let mut which = 0;
            while at[self.axis] >= operands[which].sizes[self.axis] {
                at[self.axis] -= operands[which].sizes[self.axis];
                which += 1;
            }
            Ok(operands[which].at(&at))
        })
    }

    fn form(&self, operands: &[Ty]) -> Form {
        let mut dims = operands[0].sizes();
        let mut nodes = vec![Node::Constant(shape::zero_of(operands[0].elem))];
        let mut chosen = NodeId(0);
        let mut start = 0;
        for (operand, ty) in operands.iter().enumerate() {
            let end = start + shape::number(ty.dims[self.axis].size());
            let mut at: Vec<Affine> = (0..dims.len()).map(Affine::var).collect();
            at[self.axis].offset = -start;
            let at = at.into_iter().map(At::Affine).collect();
            nodes.push(Node::Read { operand, at });
            nodes.push(Node::Within {
                ranges: vec![(Affine::var(self.axis), start, end)],
                then: NodeId(nodes.len() - 1),
                otherwise: chosen,
            });
            chosen = NodeId(nodes.len() - 1);
            start = end;
        }
        dims[self.axis] = operands.iter().map(|ty| ty.dims[self.axis].size()).sum();
        Form::Nest(Nest { dims, folded: Vec::new(), fold: None, nodes })
    }
}
