//! Times against times: of programs measured in turn, and of reports made at different times.

use super::json::Old;
use super::measure::Candidate;
use crate::run::Ratio;

/// Times of one thing as a multiple of those of another.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The program whose times are divided.
    pub file: String,
    /// What they are divided by.
    pub by: String,
    /// The part or solve.
    pub item: String,
    /// Whether both were measured in turn.
    pub in_turn: bool,
    /// The ratio.
    pub ratio: Ratio,
}

/// Every program after the first against the first: the whole, and solves of one name.
pub fn in_turn(candidates: &[Candidate]) -> Vec<Compared> {
    let Some((first, others)) = candidates.split_first() else { return Vec::new() };
    let mut found = Vec::new();
    for other in others {
        for item in &other.items {
            let same = first.items.iter().find(|old| old.name == item.name);
            let ratio = same.and_then(|old| Ratio::in_turn(&item.seconds, &old.seconds));
            found.extend(ratio.map(|ratio| Compared {
                file: other.name(),
                by: first.name(),
                item: item.name.clone(),
                in_turn: true,
                ratio,
            }));
        }
    }
    found
}

/// A new report against an old one: programs of one path, and the only ones of both whatever they are called.
pub fn reports(new: &Old, old: &Old) -> Vec<Compared> {
    let mut found = Vec::new();
    for program in &new.programs {
        let same = old.programs.iter().find(|known| known.file == program.file);
        let only = old.programs.first().filter(|_| old.programs.len() == 1 && new.programs.len() == 1);
        let Some(known) = same.or(only) else { continue };
        for (name, seconds) in &program.items {
            let before = known.items.iter().find(|(known, _)| known == name);
            let ratio = before.and_then(|(_, before)| Ratio::apart(seconds, before));
            found.extend(ratio.map(|ratio| Compared {
                file: program.file.clone(),
                by: format!("{} in {}", known.file, old.path),
                item: name.clone(),
                in_turn: false,
                ratio,
            }));
        }
    }
    found
}
