//! Meters: how often each step runs, how long it takes, and what it moves.
//!
//! Where a profile is asked for, the clock is looked at behind every step of the plan, and the step
//! is charged with the time since the last look. A step that comes from several places of the program
//! is charged to each by the work that comes from there. An array counts once for each step that
//! reads or writes it.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use crate::diag::Span;
use crate::ir::{Node, NodeId};
use crate::plan::{ItemId, KernelStep, LoopStep, NestStep, Plan, Step, work_of_nodes};
use crate::runtime::{Lap, lap};

use super::emit::Emitter;

/// What of a step comes from a place of the program.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    /// The place.
    pub span: Span,
    /// How much of its work.
    pub work: f64,
    /// The bytes it reads and writes there each time it runs.
    pub bytes: usize,
}

/// What was measured of a step.
#[derive(Debug, Clone)]
pub struct Usage {
    /// Where it comes from.
    pub shares: Vec<Share>,
    /// How often it ran.
    pub calls: u64,
    /// How long that took.
    pub seconds: f64,
}

/// What is measured of an instance, over all of its runs.
#[derive(Debug)]
pub struct Measured {
    meters: Vec<Vec<Share>>,
    pub(super) laps: RefCell<Vec<Lap>>,
}

impl Measured {
    pub(super) fn new(meters: &[Vec<Share>]) -> Rc<Measured> {
        let laps = RefCell::new(vec![Lap::default(); meters.len()]);
        Rc::new(Measured { meters: meters.to_vec(), laps })
    }

    /// The steps so far.
    pub fn usage(&self) -> Vec<Usage> {
        let laps = self.laps.borrow();
        let both = self.meters.iter().zip(laps.iter());
        let usage = |(shares, lap): (&Vec<Share>, &Lap)| Usage {
            shares: shares.clone(),
            calls: lap.calls,
            seconds: lap.seconds(),
        };
        both.map(usage).collect()
    }
}

impl<'p> Emitter<'p, '_> {
    /// Looks at the clock behind steps that are scalars in a row, or one step of another kind. What
    /// stands inside of loops, choices and chunks is charged there.
    pub(super) fn charge(&mut self, steps: &[Step]) {
        if !self.shared.profiles() {
            return;
        }
        let mut shares: Vec<Share> = Vec::new();
        for step in steps {
            match step {
                Step::Scalar(step) => {
                    let span = self.plan.item(step.item).span;
                    shares.push(Share { span, work: 1.0, bytes: 0 });
                }
                Step::Nest(nest) => shares.extend(of_nest(self.plan, nest)),
                Step::Kernel(step) => shares.push(of_kernel(self.plan, step)),
                Step::Copy { from, to } => shares.extend(of_copy(self.plan, *from, *to)),
                Step::Loop(_) | Step::If(_) | Step::Outlined(_) => {}
            }
        }
        self.look(shares);
    }

    /// Looks at the clock behind what is copied at the end of a turn.
    pub(super) fn charge_turn(&mut self, step: &LoopStep) {
        if !self.shared.profiles() {
            return;
        }
        let plan = self.plan;
        let carried = step.carried.iter().filter_map(|carried| of_copy(plan, carried.next, carried.state));
        let rows = step.stacked.iter().filter(|stacked| !plan.item(stacked.row).is_scalar());
        let rows = rows.map(|stacked| Share {
            span: plan.item(stacked.all).span,
            work: 1.0,
            bytes: 2 * bytes(plan, stacked.row),
        });
        self.look(carried.chain(rows).collect());
    }

    fn look(&mut self, shares: Vec<Share>) {
        if shares.is_empty() {
            return;
        }
        let meter = self.shared.meter(merged(shares));
        let meter = self.int_const(meter);
        let context = self.context;
        self.call(lap as *const () as usize, &[context, meter], None);
    }
}

/// One share for each place.
fn merged(mut shares: Vec<Share>) -> Vec<Share> {
    let place = |share: &Share| (share.span.file, share.span.start, share.span.end);
    shares.sort_by_key(place);
    shares.dedup_by(|next, first| {
        let same = place(next) == place(first);
        if same {
            first.work += next.work;
            first.bytes += next.bytes;
        }
        same
    });
    shares
}

/// The bytes of an array; a scalar has none.
fn bytes(plan: &Plan, id: ItemId) -> usize {
    let item = plan.item(id);
    if item.is_scalar() { 0 } else { item.count().saturating_mul(plan.width(item.elem)) }
}

fn of_nest(plan: &Plan, nest: &NestStep) -> Vec<Share> {
    let work = work_of_nodes(plan, nest);
    let points = nest.loops.iter().product::<usize>();
    let mut seen = HashSet::new();
    let mut shares = Vec::new();
    for (at, (node, work)) in nest.nodes.iter().zip(work).enumerate() {
        let mut moved = 0;
        if let (Node::Read { .. }, Some(flat)) = (node, nest.flat(plan, NodeId(at)))
            && seen.insert(plan.root(flat.item))
        {
            let width = plan.width(plan.item(flat.item).elem);
            moved = bytes(plan, flat.item).min(points.saturating_mul(width));
        }
        shares.push(Share { span: nest.spans[at], work, bytes: moved });
    }
    let written = nest.outputs.iter().map(|output| Share {
        span: nest.spans[output.root.0],
        work: 0.0,
        bytes: bytes(plan, output.item),
    });
    shares.extend(written);
    shares.retain(|share| share.work > 0.0 || share.bytes > 0);
    shares
}

fn of_kernel(plan: &Plan, step: &KernelStep) -> Share {
    let all = step.operands.iter().chain([&step.item]);
    Share { span: step.span, work: 1.0, bytes: all.map(|id| bytes(plan, *id)).sum() }
}

/// A copy of an array; a copy to the same memory is none.
fn of_copy(plan: &Plan, from: ItemId, to: ItemId) -> Option<Share> {
    let item = plan.item(to);
    let moves = !item.is_scalar() && plan.offset(from) != plan.offset(to);
    moves.then(|| Share { span: item.span, work: 1.0, bytes: 2 * bytes(plan, to) })
}
