//! `pad`: zeros before, after and between the elements of every axis.

use super::{Emit, shape};
use crate::ir::{
    Affine, At, Attr, Build, Derivative, Dim, Facts, Form, Misfit, Nest, Node, NodeId, Tensor, Trap, Ty,
    Value, zero,
};
use crate::math::Prim;

/// Zeros (`false`) before, after and between the elements of every axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pad {
    /// Zeros before the first element, by axis.
    pub before: Vec<Dim>,
    /// Zeros behind the last element, by axis.
    pub after: Vec<Dim>,
    /// Zeros between any two neighbours, by axis.
    pub inner: Vec<Dim>,
}

impl Facts for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn attributes(&self) -> Vec<(&'static str, Attr)> {
        vec![
            ("before", Attr::Dims(self.before.clone())),
            ("after", Attr::Dims(self.after.clone())),
            ("inner", Attr::Dims(self.inner.clone())),
        ]
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::arity(operands, 1)?;
        let operand = &operands[0];
        shape::one_for_each_axis("before", &self.before, operand)?;
        shape::one_for_each_axis("after", &self.after, operand)?;
        shape::one_for_each_axis("inner", &self.inner, operand)?;
        for dim in self.before.iter().chain(&self.after).chain(&self.inner) {
            shape::not_negative("a count of zeros", dim)?;
        }
        let dims = (0..operand.rank())
            .map(|axis| shape::fits(self.length(axis, &operand.dims[axis])))
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
        unreachable!("pad needs no rule of its own")
    }

    fn transpose(&self, build: &mut Build, cotangent: Value, operands: &[Value], which: usize) -> Value {
        let dims = build.ty(operands[which]).dims.clone();
        let one = Dim::Known(1);
        let strides: Vec<Dim> = (self.inner.iter()).map(|inner| shape::sure(inner.add(&one))).collect();
        let limit = |axis: usize| self.inside(axis, &dims[axis])?.add(&self.before[axis]);
        let limits: Vec<Dim> = (0..dims.len()).map(|axis| shape::sure(limit(axis))).collect();
        build.slice(cotangent, &self.before, &limits, &strides)
    }

    fn batch(&self, build: &mut Build, operands: &[Value], batched: &[bool], size: &Dim) -> Value {
        let value = shape::lead(build, operands[0], batched[0], size);
        let none = Dim::Known(0);
        let before = shape::prepend(&none, &self.before);
        let after = shape::prepend(&none, &self.after);
        let inner = shape::prepend(&none, &self.inner);
        build.pad(value, &before, &after, &inner)
    }

    fn eval(&self, operands: &[&Tensor]) -> Result<Tensor, Trap> {
        let elem = operands[0].elem();
        Tensor::tabulate(elem, &self.sizes(&operands[0].sizes), |at| {
            let from: Option<Vec<usize>> = (0..at.len())
                .map(|axis| {
                    let stride = self.inner[axis].size() + 1;
                    let place = at[axis].checked_sub(self.before[axis].size())?;
                    let from = place / stride;
                    (place % stride == 0 && from < operands[0].sizes[axis]).then_some(from)
                })
                .collect();
            Ok(from.map_or(zero(elem), |from| operands[0].at(&from)))
        })
    }

    fn form(&self, operands: &[Ty]) -> Form {
        let sizes = operands[0].sizes();
        let mut nodes = vec![Node::Constant(shape::zero_of(operands[0].elem))];
        let mut ranges = Vec::new();
        let mut at = Vec::new();
        let mut on_element = Vec::new();
        for (axis, size) in sizes.iter().enumerate() {
            let before = shape::number(self.before[axis].size());
            let stride = shape::number(self.inner[axis].size() + 1);
            let place = Affine::var(axis).scaled(1, -before);
            let end = (shape::number(*size) - 1) * stride + 1;
            ranges.push((place.clone(), 0, end));
            if stride == 1 {
                at.push(At::Affine(place));
                continue;
            }
            let place = node(&mut nodes, Node::Index(place));
            let stride = node(&mut nodes, Node::Constant(Tensor::int_scalar(stride)));
            at.push(At::Computed(call(&mut nodes, "int_div", &[place, stride])));
            let rest = call(&mut nodes, "int_mod", &[place, stride]);
            let none = node(&mut nodes, Node::Constant(Tensor::int_scalar(0)));
            on_element.push(call(&mut nodes, "eq", &[rest, none]));
        }
        let mut then = node(&mut nodes, Node::Read { operand: 0, at });
        let otherwise = NodeId(0);
        for condition in on_element {
            then = call(&mut nodes, "where", &[condition, then, otherwise]);
        }
        node(&mut nodes, Node::Within { ranges, then, otherwise });
        Form::Nest(Nest { dims: self.sizes(&sizes), folded: Vec::new(), fold: None, nodes })
    }
}

impl Pad {
    /// The length of a result axis; `None` if it is too large.
    fn length(&self, axis: usize, dim: &Dim) -> Option<Dim> {
        let inside = self.inside(axis, dim)?;
        self.before[axis].add(&inside)?.add(&self.after[axis])
    }

    /// The length from the first element to the last.
    fn inside(&self, axis: usize, dim: &Dim) -> Option<Dim> {
        let gaps = match dim.known() {
            Some(0) => Dim::Known(0),
            Some(_) | None => dim.sub(&Dim::Known(1))?,
        };
        dim.add(&gaps.mul(&self.inner[axis])?)
    }
}

impl Pad {
    /// The sizes of the result; all dimensions are numbers.
    fn sizes(&self, sizes: &[usize]) -> Vec<usize> {
        (sizes.iter().enumerate())
            .map(|(axis, size)| shape::sure(self.length(axis, &Dim::from(*size))).size())
            .collect()
    }
}

/// Adds a node.
fn node(nodes: &mut Vec<Node>, node: Node) -> NodeId {
    nodes.push(node);
    NodeId(nodes.len() - 1)
}

/// Adds a primitive.
fn call(nodes: &mut Vec<Node>, name: &str, operands: &[NodeId]) -> NodeId {
    let prim = Prim::named(name).expect("the machine functions include this one");
    node(nodes, Node::Primitive(prim, operands.to_vec()))
}
