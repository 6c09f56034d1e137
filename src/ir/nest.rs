//! Loop nests as data: code generation knows nests, not ops.
//!
//! A nest computes `result[i…] = fold over j… of body(i…, j…)`, where the body is a small graph of
//! scalar nodes. Loop variables are numbered: the result's dimensions first, then the folded ones.

use super::{Elem, Tensor};
use crate::math::{Prim, Scalar};

/// A loop nest.
#[derive(Debug, Clone)]
pub struct Nest {
    /// Sizes of the result.
    pub dims: Vec<usize>,
    /// Sizes of the folded loops, inside those of the result; empty without a fold.
    pub folded: Vec<usize>,
    /// How the folded loops combine, in increasing order of their indices.
    pub fold: Option<Fold>,
    /// The scalar graph; every node refers to earlier ones only. The last is the body's value.
    pub nodes: Vec<Node>,
}

/// A node of a scalar graph, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub usize);

/// How folded loops combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fold {
    /// From 0.
    Sum,
    /// From 1.
    Prod,
    /// From -inf (reals) or the least integer; NaN wins.
    Max,
    /// From +inf (reals) or the greatest integer; NaN wins.
    Min,
    /// Conjunction, from true.
    All,
    /// Disjunction, from false.
    Any,
}

impl Fold {
    /// What it starts from, for elements of a kind.
    pub fn start(self, elem: Elem) -> Scalar {
        match (self, elem) {
            (Fold::Sum, Elem::Int) => Scalar::Int(0),
            (Fold::Prod, Elem::Int) => Scalar::Int(1),
            (Fold::Max, Elem::Int) => Scalar::Int(i64::MIN),
            (Fold::Min, Elem::Int) => Scalar::Int(i64::MAX),
            (Fold::Sum, Elem::Real | Elem::Bool) => Scalar::Real(0.0),
            (Fold::Prod, Elem::Real | Elem::Bool) => Scalar::Real(1.0),
            (Fold::Max, Elem::Real | Elem::Bool) => Scalar::Real(f64::NEG_INFINITY),
            (Fold::Min, Elem::Real | Elem::Bool) => Scalar::Real(f64::INFINITY),
            (Fold::All, Elem::Real | Elem::Int | Elem::Bool) => Scalar::Bool(true),
            (Fold::Any, Elem::Real | Elem::Int | Elem::Bool) => Scalar::Bool(false),
        }
    }

    /// The machine function that combines what it has with the next element.
    pub fn step(self) -> Prim {
        let name = match self {
            Fold::Sum => "add",
            Fold::Prod => "mul",
            Fold::Max => "maximum",
            Fold::Min => "minimum",
            Fold::All => "and",
            Fold::Any => "or",
        };
        Prim::named(name).expect("the machine functions include the folds'")
    }

    /// Its name in the text form.
    pub fn name(self) -> &'static str {
        match self {
            Fold::Sum => "sum",
            Fold::Prod => "prod",
            Fold::Max => "max",
            Fold::Min => "min",
            Fold::All => "all",
            Fold::Any => "any",
        }
    }

    /// The fold of a name.
    pub fn named(name: &str) -> Option<Fold> {
        let folds = [Fold::Sum, Fold::Prod, Fold::Max, Fold::Min, Fold::All, Fold::Any];
        folds.into_iter().find(|fold| fold.name() == name)
    }
}

/// A scalar node.
#[derive(Debug, Clone)]
pub enum Node {
    /// An element of an operand, one index for each of its dimensions.
    Read {
        /// Which operand.
        operand: usize,
        /// Where.
        at: Vec<At>,
    },
    /// A scalar literal (rank 0).
    Constant(Tensor),
    /// The value of an affine form, as an integer.
    Index(Affine),
    /// A primitive on scalars.
    Primitive(Prim, Vec<NodeId>),
    /// `then` where every form lies in its half-open range, else `otherwise`. Nodes that only
    /// `then` needs are evaluated only there, so their reads need not be in range elsewhere.
    Within {
        /// Forms with their ranges `lo <= form < hi`.
        ranges: Vec<(Affine, i64, i64)>,
        /// The value inside.
        then: NodeId,
        /// The value outside.
        otherwise: NodeId,
    },
}

/// An index into one dimension.
#[derive(Debug, Clone)]
pub enum At {
    /// Affine in the loop variables; in range by construction.
    Affine(Affine),
    /// Computed; checked against the dimension's size at run time (a trap).
    Computed(NodeId),
}

/// `offset + sum of coefficient * loop variable`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Affine {
    /// By loop variable; missing ones are zero.
    pub coefficients: Vec<i64>,
    /// The constant.
    pub offset: i64,
}

impl Affine {
    /// The loop variable `at`.
    pub fn var(at: usize) -> Affine {
        let mut coefficients = vec![0; at + 1];
        coefficients[at] = 1;
        Affine { coefficients, offset: 0 }
    }

    /// A number.
    pub fn constant(offset: i64) -> Affine {
        Affine { coefficients: Vec::new(), offset }
    }

    /// `self * scale + offset`.
    #[must_use]
    pub fn scaled(&self, scale: i64, offset: i64) -> Affine {
        Affine {
            coefficients: self.coefficients.iter().map(|k| k * scale).collect(),
            offset: self.offset * scale + offset,
        }
    }

    /// The coefficient of a loop variable.
    pub fn coefficient(&self, at: usize) -> i64 {
        self.coefficients.get(at).copied().unwrap_or(0)
    }

    /// Puts affine forms of other loop variables for its own.
    #[must_use]
    pub fn compose(&self, vars: &[Affine]) -> Affine {
        let mut sum = Affine::constant(self.offset);
        for (k, var) in self.coefficients.iter().zip(vars) {
            if sum.coefficients.len() < var.coefficients.len() {
                sum.coefficients.resize(var.coefficients.len(), 0);
            }
            for (at, c) in var.coefficients.iter().enumerate() {
                sum.coefficients[at] += k * c;
            }
            sum.offset += k * var.offset;
        }
        sum
    }

    /// Its value for given loop variables.
    pub fn at(&self, vars: &[i64]) -> i64 {
        self.offset + self.coefficients.iter().zip(vars).map(|(k, v)| k * v).sum::<i64>()
    }
}

impl Nest {
    /// A nest without a fold whose body is one read of operand 0.
    pub fn moved(dims: Vec<usize>, at: Vec<At>) -> Nest {
        Nest { dims, folded: Vec::new(), fold: None, nodes: vec![Node::Read { operand: 0, at }] }
    }

    /// The number of loop variables.
    pub fn depth(&self) -> usize {
        self.dims.len() + self.folded.len()
    }
}

impl Node {
    /// The nodes it is computed from.
    pub fn arguments(&self, visit: &mut dyn FnMut(NodeId)) {
        match self {
            Node::Constant(_) | Node::Index(_) => {}
            Node::Primitive(_, args) => args.iter().copied().for_each(visit),
            Node::Read { operand: _, at } => {
                for at in at {
                    if let At::Computed(id) = at {
                        visit(*id);
                    }
                }
            }
            Node::Within { ranges: _, then, otherwise } => {
                visit(*then);
                visit(*otherwise);
            }
        }
    }

    /// The affine forms it depends on.
    pub fn forms(&self, visit: &mut dyn FnMut(&Affine)) {
        match self {
            Node::Constant(_) | Node::Primitive(..) => {}
            Node::Index(form) => visit(form),
            Node::Read { operand: _, at } => {
                for at in at {
                    if let At::Affine(form) = at {
                        visit(form);
                    }
                }
            }
            Node::Within { ranges, .. } => ranges.iter().for_each(|(form, _, _)| visit(form)),
        }
    }
}
