//! Where every item lives: one arena, its parts used again when what they held is dead.
//!
//! Steps are numbered in order. An item lives from the first step that binds it to the last that
//! reads it; if it is bound before a loop and used inside, to the end of the loop.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::ir::Tensor;
use crate::math::Scalar;
use crate::runtime::kernels::ROW;

use super::TooLarge;
use super::steps::{Block, Buffer, BufferId, ItemId, Plan, Step};

/// Buffers start at multiples of this, so that vector loads do not cross cache lines.
const ALIGN: usize = 64;

/// Gives every array, and every scalar that has a home, its memory.
pub(super) fn assign(plan: &mut Plan) -> Result<(), TooLarge> {
    literals(plan);
    let mut lives = Lives::default();
    lives.block(plan, &plan.body);
    let mut arena = Arena::default();
    let mut homes = Arena::default();
    let all: Vec<ItemId> =
        (0..plan.items.len()).filter_map(|at| u32::try_from(at).ok().map(ItemId)).collect();
    // What lasts comes first; homes of scalars lie together, apart from the arrays.
    let mut wanted = Vec::new();
    for id in all {
        let item = plan.item(id);
        let in_memory = item.alias.is_none() && (!item.is_scalar() || item.home);
        let life = lives.of.get(&id).copied();
        if !in_memory || (life.is_none() && !item.lasting) {
            continue;
        }
        let bytes = item.sizes.iter().try_fold(plan.width(item.elem), |bytes, size| bytes.checked_mul(*size));
        let bytes = bytes.filter(|bytes| *bytes < 1 << 62).ok_or(TooLarge)?;
        let (start, end) = match life {
            Some(life) if !item.lasting => life,
            Some(_) | None => (0, usize::MAX),
        };
        wanted.push((start, end, id, bytes));
    }
    wanted.sort_unstable();
    let mut places = Vec::new();
    for (start, end, id, bytes) in wanted {
        let scalar = plan.item(id).is_scalar();
        let (part, size) =
            if scalar { (&mut homes, 8) } else { (&mut arena, bytes.max(1).next_multiple_of(ALIGN)) };
        let offset = part.take(start, end, size).ok_or(TooLarge)?;
        places.push((id, bytes, offset, scalar));
    }
    let below = homes.size.next_multiple_of(ALIGN);
    for (id, bytes, offset, scalar) in places {
        let offset = if scalar { offset } else { below + offset };
        let buffer = BufferId(u32::try_from(plan.buffers.len()).map_err(|_| TooLarge)?);
        plan.buffers.push(Buffer { bytes, offset });
        plan.item_mut(id).buffer = Some(buffer);
    }
    plan.rows = below.checked_add(arena.size).ok_or(TooLarge)?;
    let rows = rows(plan, &plan.body) * ROW * 8;
    plan.arena = plan.rows.checked_add(rows).ok_or(TooLarge)?;
    Ok(())
}

/// The most rows that a nest wants for functions of many elements.
fn rows(plan: &Plan, block: &Block) -> usize {
    let of_step = |step: &Step| {
        let own = match step {
            Step::Nest(nest) => nest.rows(plan.precision),
            Step::Scalar(_)
            | Step::Kernel(_)
            | Step::Copy { .. }
            | Step::Loop(_)
            | Step::If(_)
            | Step::Outlined(_) => 0,
        };
        let inside = step.blocks();
        let inside = inside.iter().map(|(block, _)| rows(plan, block)).max();
        own.max(inside.unwrap_or(0))
    };
    block.steps.iter().map(of_step).max().unwrap_or(0)
}

/// Scalars that are known and have a home are constants in memory.
fn literals(plan: &mut Plan) {
    for at in 0..plan.items.len() {
        let item = &mut plan.items[at];
        let Some(literal) = item.literal.filter(|_| item.home) else {
            continue;
        };
        item.lasting = true;
        let tensor = match literal {
            Scalar::Real(x) => Tensor::scalar(x),
            Scalar::Int(n) => Tensor::int_scalar(n),
            Scalar::Bool(b) => Tensor::bool_scalar(b),
        };
        let id = ItemId(u32::try_from(at).expect("the number of items is limited"));
        plan.constants.push((id, tensor));
    }
}

/// From when to when items live.
#[derive(Default)]
struct Lives {
    now: usize,
    of: HashMap<ItemId, (usize, usize)>,
    /// For each loop around, the items used in it.
    loops: Vec<Vec<ItemId>>,
}

impl Lives {
    fn touch(&mut self, plan: &Plan, id: ItemId) {
        let root = plan.root(id);
        let now = self.now;
        let life = self.of.entry(root).or_insert((now, now));
        life.1 = life.1.max(now);
        if let Some(used) = self.loops.last_mut() {
            used.push(root);
        }
    }

    fn block(&mut self, plan: &Plan, block: &Block) {
        for step in &block.steps {
            self.now += 1;
            step.reads(&mut |item| self.touch(plan, item));
            if !matches!(step, Step::If(_)) {
                // The results of a choice are bound inside its blocks.
                step.binds(&mut |item| self.touch(plan, item));
            }
            match step {
                Step::Loop(_) => self.repeated(plan, step),
                Step::If(step_if) => {
                    for (block, after) in step.blocks() {
                        self.block(plan, block);
                        self.now += 1;
                        after.into_iter().for_each(|item| self.touch(plan, item));
                        step_if.results.iter().for_each(|(item, _, _)| self.touch(plan, *item));
                    }
                }
                Step::Outlined(step) => {
                    self.block(plan, &step.block);
                }
                Step::Scalar(_) | Step::Nest(_) | Step::Kernel(_) | Step::Copy { .. } => {}
            }
        }
    }

    /// The blocks of a loop. What is bound before and used inside lives to the end, and so do
    /// the states and what is collected.
    fn repeated(&mut self, plan: &Plan, step: &Step) {
        let start = self.now;
        self.loops.push(Vec::new());
        let mut states = Vec::new();
        step.binds(&mut |item| states.push(item));
        for (block, after) in step.blocks() {
            self.block(plan, block);
            self.now += 1;
            after.into_iter().for_each(|item| self.touch(plan, item));
        }
        states.into_iter().for_each(|item| self.touch(plan, item));
        let end = self.now;
        let mut used = self.loops.pop().unwrap_or_default();
        used.sort_unstable();
        used.dedup();
        used.retain(|item| {
            let Some(life) = self.of.get_mut(item) else {
                return false;
            };
            let outer = life.0 <= start;
            if outer {
                life.1 = life.1.max(end);
            }
            outer
        });
        if let Some(around) = self.loops.last_mut() {
            around.extend(used);
        }
        self.now += 1;
    }
}

/// Offsets given out in the order of starting times.
#[derive(Default)]
struct Arena {
    size: usize,
    /// Free parts by offset, with their sizes, and the other way round.
    free: BTreeMap<usize, usize>,
    by_size: BTreeSet<(usize, usize)>,
    /// Parts in use by the time they become free: `(end, offset, size)`.
    used: BTreeSet<(usize, usize, usize)>,
}

impl Arena {
    /// A part for the time from `start` to `end`, both included.
    fn take(&mut self, start: usize, end: usize, size: usize) -> Option<usize> {
        while let Some(&(until, offset, size)) = self.used.first() {
            if until >= start {
                break;
            }
            self.used.pop_first();
            self.release(offset, size);
        }
        let fits = self.by_size.range((size, 0)..).next().copied();
        let offset = if let Some((room, offset)) = fits {
            self.remove(offset, room);
            if room > size {
                self.insert(offset + size, room - size);
            }
            offset
        } else {
            let offset = self.size;
            self.size = self.size.checked_add(size)?;
            offset
        };
        self.used.insert((end, offset, size));
        Some(offset)
    }

    fn insert(&mut self, offset: usize, size: usize) {
        self.free.insert(offset, size);
        self.by_size.insert((size, offset));
    }

    fn remove(&mut self, offset: usize, size: usize) {
        self.free.remove(&offset);
        self.by_size.remove(&(size, offset));
    }

    /// Gives a part back, joined with its free neighbours.
    fn release(&mut self, mut offset: usize, mut size: usize) {
        if let Some((&before, &room)) = self.free.range(..offset).next_back()
            && before + room == offset
        {
            self.remove(before, room);
            offset = before;
            size += room;
        }
        if let Some((&after, &room)) = self.free.range(offset + size..).next()
            && after == offset + size
        {
            self.remove(after, room);
            size += room;
        }
        self.insert(offset, size);
    }
}
