//! Plans as text, for people.

use std::fmt;

use crate::ir::{Affine, At, Node};

use super::steps::{Block, ItemId, NestStep, Piece, Plan, Step};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "arena of {} bytes", self.arena)?;
        let list = |items: &[ItemId]| -> String {
            let texts: Vec<String> = items.iter().map(|id| self.name(*id)).collect();
            texts.join(", ")
        };
        writeln!(f, "params {}", list(&self.params))?;
        self.block(f, &self.body, 0)?;
        writeln!(f, "results {}", list(&self.results))?;
        for (id, buffer) in self.largest() {
            writeln!(f, "buffer of {} bytes for {}", buffer.bytes, self.name(id))?;
        }
        Ok(())
    }
}

impl Plan {
    /// `%7: real[3, 4] at 128`, or the value of a literal.
    fn name(&self, id: ItemId) -> String {
        let item = self.item(id);
        if let Some(literal) = item.literal {
            return format!("{literal:?}");
        }
        let place = match self.item(self.root(id)).buffer {
            Some(_) => format!(" at {}", self.offset(id)),
            None => String::new(),
        };
        let sizes = if item.is_scalar() { String::new() } else { format!("{:?}", item.sizes) };
        let layout = item.layout.as_ref().map_or(String::new(), |layout| format!(" lying as {layout:?}"));
        format!("%{}: {}{sizes}{layout}{place}", id.0, item.elem)
    }

    fn block(&self, f: &mut fmt::Formatter<'_>, block: &Block, depth: usize) -> fmt::Result {
        block.steps.iter().try_for_each(|step| self.step(f, step, depth))
    }

    fn step(&self, f: &mut fmt::Formatter<'_>, step: &Step, depth: usize) -> fmt::Result {
        let pad = "  ".repeat(depth + 1);
        let names = |items: &[ItemId]| -> String {
            let texts: Vec<String> = items.iter().map(|id| self.name(*id)).collect();
            texts.join(", ")
        };
        match step {
            Step::Scalar(step) => {
                let (to, from) = (self.name(step.item), names(&step.operands));
                writeln!(f, "{pad}{to} = {:?}({from})", step.prim)
            }
            Step::Nest(nest) => self.nest(f, nest, &pad),
            Step::Kernel(step) => {
                let (to, from) = (self.name(step.item), names(&step.operands));
                writeln!(f, "{pad}{to} = {}({from}) {:?}", step.name, step.numbers)
            }
            Step::Copy { from, to } => {
                writeln!(f, "{pad}{} = copy {}", self.name(*to), self.name(*from))
            }
            Step::Loop(step) => {
                writeln!(f, "{pad}loop {} < {}", self.name(step.index), step.trip)?;
                for carried in &step.carried {
                    let (state, initial) = (self.name(carried.state), self.name(carried.initial));
                    writeln!(f, "{pad}  carries {state} from {initial}")?;
                }
                if let Some((block, condition)) = &step.condition {
                    self.block(f, block, depth + 1)?;
                    writeln!(f, "{pad}  while {}", self.name(*condition))?;
                }
                self.block(f, &step.body, depth + 1)?;
                for carried in &step.carried {
                    let (state, next) = (self.name(carried.state), self.name(carried.next));
                    writeln!(f, "{pad}  next {state} is {next}")?;
                }
                for stacked in &step.stacked {
                    let (all, row) = (self.name(stacked.all), self.name(stacked.row));
                    writeln!(f, "{pad}  row of {all} is {row}")?;
                }
                Ok(())
            }
            Step::If(step) => {
                writeln!(f, "{pad}if {}", self.name(step.condition))?;
                self.block(f, &step.then, depth + 1)?;
                writeln!(f, "{pad}else")?;
                self.block(f, &step.otherwise, depth + 1)?;
                for (item, then, otherwise) in &step.results {
                    let names = [item, then, otherwise].map(|id| self.name(*id));
                    writeln!(f, "{pad}{} is {} or {}", names[0], names[1], names[2])?;
                }
                Ok(())
            }
            Step::Outlined(step) => {
                writeln!(f, "{pad}chunk")?;
                self.block(f, &step.block, depth + 1)
            }
        }
    }

    fn nest(&self, f: &mut fmt::Formatter<'_>, nest: &NestStep, pad: &str) -> fmt::Result {
        writeln!(
            f,
            "{pad}nest {:?} as {:?} in order {:?}, lanes {:?}",
            nest.loops, nest.sizes, nest.order, nest.lanes
        )?;
        if let Some(cut) = &nest.cut {
            writeln!(
                f,
                "{pad}  cut into {} parts along v{}: {}",
                cut.parts(),
                cut.var,
                stretches(&cut.pieces)
            )?;
        }
        for (at, node) in nest.nodes.iter().enumerate() {
            write!(f, "{pad}  n{at} = ")?;
            match node {
                Node::Constant(tensor) => writeln!(f, "{:?}", tensor.data)?,
                Node::Index(form) => writeln!(f, "{}", text(form))?,
                Node::Primitive(prim, args) => {
                    let args: Vec<String> = args.iter().map(|id| format!("n{}", id.0)).collect();
                    writeln!(f, "{prim:?}({})", args.join(", "))?;
                }
                Node::Read { operand, at } => {
                    let at: Vec<String> = at
                        .iter()
                        .map(|at| match at {
                            At::Affine(form) => text(form),
                            At::Computed(id) => format!("n{}", id.0),
                        })
                        .collect();
                    let item = self.name(nest.operands[*operand]);
                    writeln!(f, "{item} [{}]", at.join(", "))?;
                }
                Node::Within { ranges, then, otherwise } => {
                    let ranges: Vec<String> = ranges
                        .iter()
                        .map(|(form, lo, hi)| format!("{lo} <= {} < {hi}", text(form)))
                        .collect();
                    let ranges = ranges.join(", ");
                    writeln!(f, "n{} if {ranges} else n{}", then.0, otherwise.0)?;
                }
            }
        }
        for output in &nest.outputs {
            let (item, root) = (self.name(output.item), output.root.0);
            match output.fold {
                None => writeln!(f, "{pad}  {item} = n{root}")?,
                Some(fold) => writeln!(f, "{pad}  {item} = {fold:?} n{root} from v{}", output.kept)?,
            }
        }
        Ok(())
    }
}

/// `0..1 by 1, 1..1000 by 100`.
fn stretches(pieces: &[Piece]) -> String {
    let texts: Vec<String> =
        pieces.iter().map(|piece| format!("{}..{} by {}", piece.from, piece.to, piece.part)).collect();
    texts.join(", ")
}

/// `2*v0 + v1 - 3`.
fn text(form: &Affine) -> String {
    let mut text = String::new();
    for (var, k) in form.coefficients.iter().enumerate() {
        match k {
            0 => {}
            1 => text += &format!("v{var} + "),
            k => text += &format!("{k}*v{var} + "),
        }
    }
    format!("{text}{}", form.offset)
}
