//! `gather`: slices picked by index.

use super::{Emit, shape};
use crate::ir::{
    Affine, At, Attr, Build, Derivative, Dim, Facts, Form, Misfit, Nest, Node, NodeId, Tensor, Trap, Ty,
    Value,
};
use crate::math::Scalar;

/// Picks slices. Operands: a value, then one int array for each of its leading axes that are
/// indexed, all of equal dimensions `S`. The result has dimensions `S`, then those of the value
/// that are not indexed. An index out of range is a trap; negative ones are out of range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gather;

impl Facts for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn attributes(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::at_least(operands, 2)?;
        let value = &operands[0];
        let mut dims = shape::index_dims(value, &operands[1..])?;
        dims.extend_from_slice(&value.dims[operands.len() - 1..]);
        Ok(Ty::new(value.elem, dims))
    }

    fn derivative(&self) -> Derivative {
        Derivative::Linear(vec![true, false])
    }

    fn jvp(
        &self,
        _build: &mut Build,
        _operands: &[Value],
        _result: Value,
        _tangents: &[Option<Value>],
    ) -> Option<Value> {
        unreachable!("gather needs no rule of its own")
    }

    fn transpose(&self, build: &mut Build, cotangent: Value, operands: &[Value], which: usize) -> Value {
        let zeros = build.ty(operands[which]).clone();
        let zeros = build.zeros(&zeros);
        build.scatter(true, zeros, cotangent, &operands[1..])
    }

    fn batch(&self, build: &mut Build, operands: &[Value], batched: &[bool], size: &Dim) -> Value {
        let count = operands.len() - 1;
        if batched[1..].contains(&true) {
            let indices = shape::lead_all(build, &operands[1..], &batched[1..], size);
            if !batched[0] {
                return build.gather(operands[0], &indices);
            }
            let indices = shape::with_row_number(build, &indices);
            return build.gather(operands[0], &indices);
        }
        // The same slices of every row: the batch axis steps behind the indexed ones, and comes
        // out behind those of the indices.
        let value = shape::lead(build, operands[0], batched[0], size);
        let rank = build.ty(value).rank();
        let order: Vec<usize> = (1..=count).chain([0]).chain(count + 1..rank).collect();
        let value = build.permute(value, &order);
        let result = build.gather(value, &operands[1..]);
        let place = build.ty(operands[1]).rank();
        let rank = build.ty(result).rank();
        let order: Vec<usize> = [place].into_iter().chain(0..place).chain(place + 1..rank).collect();
        build.permute(result, &order)
    }

    fn eval(&self, operands: &[&Tensor]) -> Result<Tensor, Trap> {
        let (value, indices) = (operands[0], &operands[1..]);
        let picked = indices[0].sizes.len();
        let rest = &value.sizes[indices.len()..];
        let sizes: Vec<usize> = indices[0].sizes.iter().chain(rest).copied().collect();
        Tensor::tabulate(value.elem(), &sizes, |at| {
            let mut from = Vec::new();
            for (index, size) in indices.iter().zip(&value.sizes) {
                let Scalar::Int(index) = index.at(&at[..picked]) else {
                    panic!("indices are integers");
                };
                from.push(Trap::place(index, *size)?);
            }
            from.extend_from_slice(&at[picked..]);
            Ok(value.at(&from))
        })
    }

    fn form(&self, operands: &[Ty]) -> Form {
        let (value, indices) = (operands[0].sizes(), &operands[1..]);
        let picked = indices[0].rank();
        let vars = |from, to| (from..to).map(|var| At::Affine(Affine::var(var)));
        let mut nodes: Vec<Node> = (1..operands.len())
            .map(|operand| Node::Read { operand, at: vars(0, picked).collect() })
            .collect();
        let rest = &value[indices.len()..];
        let computed = (0..indices.len()).map(|node| At::Computed(NodeId(node)));
        nodes
            .push(Node::Read { operand: 0, at: computed.chain(vars(picked, picked + rest.len())).collect() });
        Form::Nest(Nest {
            dims: indices[0].sizes().iter().chain(rest).copied().collect(),
            folded: Vec::new(),
            fold: None,
            nodes,
        })
    }
}
