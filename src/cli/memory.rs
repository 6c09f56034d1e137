//! What takes memory: the arena, what reverse mode keeps of each loop, the largest buffers.

use std::fmt;

use serde_json::{Value, json};

use crate::diag::{Sources, Span};
use crate::driver::Code;
use crate::lower::errors::human;
use crate::passes::differentiate::LoopTape;
use crate::plan::Plan;

/// The most buffers that are listed.
const BUFFERS: usize = 8;

/// What code takes of memory.
pub struct Memory {
    /// All of it, in bytes.
    arena: usize,
    /// What reverse mode keeps of each loop, with its place, and how often there is such a loop.
    loops: Vec<(String, LoopTape, usize)>,
    /// The largest buffers: bytes, type, place, and how many are alike.
    buffers: Vec<(usize, String, String, usize)>,
}

impl Memory {
    /// Of code that was compiled.
    pub fn of(code: &Code, sources: &Sources) -> Memory {
        let mut loops: Vec<(String, LoopTape, usize)> = Vec::new();
        for tape in code.tapes() {
            match loops.iter_mut().find(|(_, known, _)| known == tape) {
                Some((_, _, count)) => *count += 1,
                None => loops.push((place(sources, tape.span), tape.clone(), 1)),
            }
        }
        let compiled = code.compiled();
        let plan = compiled.as_ref().map(|compiled| compiled.plan());
        let buffers = plan.map_or(Vec::new(), |plan| buffers(plan, sources));
        Memory { arena: plan.map_or(0, |plan| plan.arena), loops, buffers }
    }

    /// For a report.
    pub fn json(&self) -> Value {
        let loops = self.loops.iter().map(|(place, tape, count)| {
            json!({
                "place": place,
                "turns": tape.turns,
                "sizes": tape.sizes,
                "turn_bytes": tape.turn,
                "state_bytes": tape.state,
                "kept_bytes": tape.bytes(),
                "whole_bytes": tape.whole(),
                "computed_again": tape.sizes.len(),
                "inside_loops": tape.depth,
                "lanes": tape.lanes,
                "checkpoint": tape.asked,
                "times": count,
            })
        });
        let buffers = self.buffers.iter().map(|(bytes, what, place, count)| {
            json!({ "bytes": bytes, "type": what, "place": place, "times": count })
        });
        let (loops, buffers): (Vec<Value>, Vec<Value>) = (loops.collect(), buffers.collect());
        json!({ "bytes": self.arena, "loops": loops, "buffers": buffers })
    }
}

/// The largest buffers, those that are alike together.
fn buffers(plan: &Plan, sources: &Sources) -> Vec<(usize, String, String, usize)> {
    let mut found: Vec<(usize, String, String, usize)> = Vec::new();
    for (id, buffer) in plan.largest() {
        let item = plan.item(id);
        let sizes = if item.is_scalar() { String::new() } else { format!("{:?}", item.sizes) };
        let (what, place) = (format!("{}{sizes}", item.elem), place(sources, item.span));
        let known = found.iter().position(|(_, w, p, _)| (w, p) == (&what, &place));
        match known {
            Some(at) => found[at].3 += 1,
            None if found.len() < BUFFERS => found.push((buffer.bytes, what, place, 1)),
            None => {}
        }
    }
    found
}

/// `fit.opt:12`; what comes from no place is given to the code.
fn place(sources: &Sources, span: Span) -> String {
    match sources.get(span.file).0 {
        _ if span == Span::default() => "given".to_string(),
        name => format!("{name}:{}", sources.position(span).0),
    }
}

/// A number of bytes in few letters.
pub fn bytes(bytes: usize) -> String {
    human(u64::try_from(bytes).unwrap_or(u64::MAX))
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "memory: {}", bytes(self.arena))?;
        if !self.loops.is_empty() {
            writeln!(f, "reverse mode keeps")?;
        }
        for (place, tape, count) in &self.loops {
            let times = if *count > 1 { format!(" ({count} times)") } else { String::new() };
            writeln!(f, "  {place}: {}{times}", kept(tape))?;
        }
        if !self.buffers.is_empty() {
            writeln!(f, "largest buffers")?;
        }
        for (size, what, place, count) in &self.buffers {
            let times = if *count > 1 { format!(" ({count} times)") } else { String::new() };
            writeln!(f, "  {:>10}  {what}  {place}{times}", bytes(*size))?;
        }
        Ok(())
    }
}

/// What is kept of a loop, and what is computed again, as a sentence.
fn kept(tape: &LoopTape) -> String {
    let mut text = match tape.sizes.as_slice() {
        _ if tape.bytes() == 0 => return format!("nothing of {} turns", tape.turns),
        [outer @ .., last] if !outer.is_empty() => {
            let outer: String = outer.iter().map(|count| format!("{count} segments of ")).collect();
            let (kept, whole) = (human(tape.bytes()), human(tape.whole()));
            format!("{kept} of {whole}, {} turns being {outer}{last}", tape.turns)
        }
        _ => format!("{}, {} of each of {} turns", human(tape.bytes()), human(tape.turn), tape.turns),
    };
    if tape.depth > 0 {
        text += ", for one turn of the loop around it at a time";
    }
    if tape.lanes > 1 {
        text += &format!(", up to {} times for a generator", tape.lanes);
    }
    match tape.sizes.len() {
        1 => text + "; each turn is computed once more",
        levels => format!("{text}; each turn is computed {levels} times more"),
    }
}
