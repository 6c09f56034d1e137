//! What is known of a nest's nodes: at which level, whether they are wanted, and whether they may
//! run in vectors.
//!
//! In a segment of the loops, ranges that hold everywhere or nowhere are decided, and the nodes
//! that chose by them are one of their arguments.

use crate::ir::{Affine, Elem, Fold, Node, NodeId};

use super::emit::Emitter;
use super::nest::Writer;
use super::values::{Place, Source};

/// Sums of fewer elements are not split among lanes.
const SPLIT: usize = 8;

/// What is known of the nodes in a segment.
#[derive(Clone, Default)]
pub(super) struct View {
    /// Nodes that are another node here.
    pub(super) same: Vec<NodeId>,
    /// Of every node, how many loops must be entered before it is known.
    pub(super) levels: Vec<usize>,
    /// Whether a node is wanted wherever its loops go.
    pub(super) eager: Vec<bool>,
    /// Whether a node is wanted at all.
    pub(super) wanted: Vec<bool>,
    /// Whether a node depends on the variable that runs in vectors.
    pub(super) varies: Vec<bool>,
}

impl<'p> Writer<'p> {
    /// The level of a form: how many loops must be entered before it is known.
    fn level_of(&self, form: &Affine) -> usize {
        let order = self.nest.order.iter().enumerate();
        order
            .filter(|(_, var)| form.coefficient(**var) != 0 && self.nest.sizes[**var] != 1)
            .map(|(at, _)| at + 1)
            .max()
            .unwrap_or(0)
    }

    /// Whether a range holds, or does not, wherever the loops go in their bounds.
    fn decided(&self, (form, lo, hi): &(Affine, i64, i64)) -> Option<bool> {
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let (mut least, mut most) = (form.offset, form.offset);
        for (var, (start, end)) in self.bounds.iter().enumerate() {
            let k = form.coefficient(var);
            let ends = [k * number(*start), k * (number(*end) - 1)];
            if k != 0 && self.nest.sizes[var] != 1 {
                least += ends[0].min(ends[1]);
                most += ends[0].max(ends[1]);
            }
        }
        if *lo <= least && most < *hi {
            Some(true)
        } else if most < *lo || *hi <= least {
            Some(false)
        } else {
            None
        }
    }

    /// What is known of the nodes within the bounds.
    pub(super) fn look(&self) -> View {
        let nodes = &self.nest.nodes;
        let mut view = View {
            same: (0..nodes.len()).map(NodeId).collect(),
            levels: vec![0; nodes.len()],
            eager: vec![false; nodes.len()],
            wanted: vec![false; nodes.len()],
            varies: vec![false; nodes.len()],
        };
        for (at, node) in nodes.iter().enumerate() {
            if let Node::Within { ranges, then, otherwise } = node {
                let answers = || ranges.iter().map(|range| self.decided(range));
                let earlier = if answers().all(|answer| answer == Some(true)) {
                    *then
                } else if answers().any(|answer| answer == Some(false)) {
                    *otherwise
                } else {
                    continue;
                };
                view.same[at] = view.same[earlier.0];
            }
        }
        self.find_levels(&mut view);
        self.find_wanted(&mut view);
        view
    }

    fn find_levels(&self, view: &mut View) {
        for (at, node) in self.nest.nodes.iter().enumerate() {
            let mut level = 0;
            let mut varies = false;
            if view.same[at] == NodeId(at) {
                node.forms(&mut |form| {
                    level = level.max(self.level_of(form));
                    varies |= self.runs_in(form);
                });
                node.arguments(&mut |id| {
                    let id = view.same[id.0];
                    level = level.max(view.levels[id.0]);
                    varies |= view.varies[id.0];
                });
            }
            view.levels[at] = level;
            view.varies[at] = varies;
        }
    }

    /// Whether a form depends on the variable that runs in vectors.
    pub(super) fn runs_in(&self, form: &Affine) -> bool {
        self.nest.lanes.is_some_and(|var| form.coefficient(var) != 0)
    }

    fn find_wanted(&self, view: &mut View) {
        for output in &self.nest.outputs {
            let root = view.same[output.root.0];
            view.eager[root.0] = true;
            view.wanted[root.0] = true;
        }
        for at in (0..self.nest.nodes.len()).rev() {
            if !view.wanted[at] {
                continue;
            }
            let eager = view.eager[at];
            let node = &self.nest.nodes[at];
            node.arguments(&mut |id| {
                let lazy = matches!(node, Node::Within { then, .. } if then == &id);
                let id = view.same[id.0];
                view.wanted[id.0] = true;
                view.eager[id.0] |= eager && !lazy;
            });
            if let (Node::Within { otherwise, .. }, true) = (node, eager) {
                let otherwise = view.same[otherwise.0];
                view.eager[otherwise.0] = true;
            }
        }
    }

    /// Where a loop is cut so that ranges of its variable are decided in between.
    pub(super) fn cuts(&self, var: usize) -> Vec<usize> {
        let size = self.nest.sizes[var];
        let mut cuts = vec![0, size];
        for (at, node) in self.nest.nodes.iter().enumerate() {
            let Node::Within { ranges, .. } = node else {
                continue;
            };
            if !self.view.wanted[at] || self.view.same[at] != NodeId(at) {
                continue;
            }
            cuts.extend(ranges.iter().flat_map(|range| self.nest.borders(range, var)));
        }
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    }

    /// Whether everything that varies in a segment of `count` rounds can run in vectors.
    pub(super) fn fits(&self, e: &Emitter<'p, '_>, count: usize) -> bool {
        let Some(var) = self.nest.lanes else {
            return false;
        };
        if count < 2 * e.lane_count() {
            return false;
        }
        let outputs = self.nest.outputs.iter().enumerate().all(|(at, output)| {
            let elem = e.plan.item(output.item).elem;
            if output.fold.is_some() && var >= output.kept {
                let splits = match output.fold {
                    Some(Fold::Sum) => !e.plan.ordered && count >= SPLIT,
                    Some(Fold::Max | Fold::Min) => true,
                    Some(Fold::Prod | Fold::All | Fold::Any) | None => false,
                };
                return splits && elem == Elem::Real;
            }
            let folds_in_memory = self.in_memory(output);
            self.beside(e, &self.targets[at], var)
                && (elem == Elem::Real || (elem == Elem::Bool && !folds_in_memory))
        });
        outputs && (0..self.nest.nodes.len()).all(|at| self.node_fits(e, at, var))
    }

    /// Whether a place moves by one element with a variable.
    fn beside(&self, e: &Emitter<'p, '_>, place: &Place, var: usize) -> bool {
        let distance = self.streams[place.stream].coefficients[var];
        distance == e.width(place.elem)
    }

    fn node_fits(&self, e: &Emitter<'p, '_>, at: usize, var: usize) -> bool {
        if !self.view.wanted[at] || !self.view.varies[at] || self.view.same[at].0 != at {
            return true;
        }
        let varies = |id: &NodeId| self.view.varies[self.view.same[id.0].0];
        match &self.nest.nodes[at] {
            Node::Constant(_) => true,
            Node::Index(_) => false,
            Node::Primitive(prim, args) => {
                let whole = args.iter().any(|arg| varies(arg) && self.elems[arg.0] == Elem::Int);
                let bools = args.iter().any(|arg| self.elems[arg.0] == Elem::Bool);
                !whole && self.elems[at] != Elem::Int && Emitter::runs_in_lanes(*prim, bools)
            }
            Node::Read { .. } => match &self.sources[at] {
                Source::Memory(place) => {
                    place.elem != Elem::Int
                        && self.beside(e, place, var)
                        && !place.computed.iter().any(|(id, _, _)| varies(id))
                }
                Source::None | Source::Scalar(_) => false,
            },
            Node::Within { ranges, .. } => {
                self.elems[at] != Elem::Int && !ranges.iter().any(|(form, _, _)| self.runs_in(form))
            }
        }
    }
}
