//! About how much work nests are. A unit is about a tenth of a nanosecond.

use crate::ir::{Affine, Node, Precision};
use crate::math::{Cpu, Instruction};
use crate::runtime::kernels;

use super::steps::{NestStep, Plan};

/// What the nodes of a nest cost.
pub(super) struct Costs {
    /// Of every node and output, how many loops it stands in, and its work each time.
    of: Vec<(usize, f64)>,
    /// How many rows it wants for functions of many elements.
    pub(super) rows: usize,
}

impl Costs {
    pub(super) fn of(plan: &Plan, nest: &NestStep) -> Costs {
        let single = plan.precision == Precision::F32;
        let depth = |form: &Affine| {
            let moves = |var: &usize| form.coefficient(*var) != 0 && nest.sizes[*var] != 1;
            nest.order.iter().rposition(moves).map_or(0, |at| at + 1)
        };
        // Without vectors, the same takes longer.
        let slow = if nest.lanes.is_some() { 1.0 } else { 3.0 };
        let mut costs = Costs { of: Vec::new(), rows: 0 };
        for node in &nest.nodes {
            let mut level = 0;
            node.forms(&mut |form| level = level.max(depth(form)));
            node.arguments(&mut |id| level = level.max(costs.of[id.0].0));
            let in_rows = matches!(node, Node::Primitive(prim, _) if kernels::has_block(*prim, single));
            costs.rows += usize::from(in_rows);
            costs.of.push((level, slow * cost(node, in_rows)));
        }
        costs.of.extend(nest.outputs.iter().map(|_| (nest.order.len(), slow)));
        costs
    }

    /// The work in the loops before a level.
    pub(super) fn before(&self, nest: &NestStep, level: usize) -> f64 {
        let rounds =
            |level: usize| nest.order[..level].iter().map(|var| number(nest.sizes[*var])).product::<f64>();
        let last = level == nest.order.len();
        let inside = self.of.iter().filter(|(at, _)| last || *at <= level);
        inside.map(|(at, cost)| cost * rounds(*at)).sum()
    }
}

/// The work of a node.
fn cost(node: &Node, in_rows: bool) -> f64 {
    let Node::Primitive(prim, _) = node else {
        return if matches!(node, Node::Constant(_)) { 0.0 } else { 1.0 };
    };
    match prim.cpu() {
        Cpu::Instruction(Instruction::Div | Instruction::Sqrt) => 6.0,
        Cpu::Instruction(Instruction::Hypot | Instruction::HypotSlope) => 15.0,
        Cpu::Instruction(_) => 1.0,
        Cpu::Call1(_) if in_rows => 12.0,
        Cpu::Call1(_) | Cpu::Call2(_) | Cpu::CallInt(_) | Cpu::Order(_) | Cpu::Ints(_) => 100.0,
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
pub(super) fn number(n: usize) -> f64 {
    n as f64
}

/// The work of every node of a nest.
pub fn work_of_nodes(plan: &Plan, nest: &NestStep) -> Vec<f64> {
    let costs = Costs::of(plan, nest);
    let rounds =
        |level: usize| nest.order[..level].iter().map(|var| number(nest.sizes[*var])).product::<f64>();
    (0..nest.nodes.len()).map(|at| costs.of[at].1 * rounds(costs.of[at].0)).collect()
}
