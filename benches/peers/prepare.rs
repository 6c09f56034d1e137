//! What the peers need of our side to do the same work: where the network starts, and which rows its minibatches hold.

use std::path::Path;

use super::ours::Source;

/// Minibatches of an epoch, and epochs.
const EPOCH: usize = 28;
const EPOCHS: usize = 10;

/// Writes the start of the network (row 5) and the rows of all its minibatches, little-endian.
pub fn minibatches(folder: &Path) {
    let source = Source::new("digits.opt", &[]);
    let mut rows: Vec<u8> = Vec::new();
    for epoch in 0..EPOCHS {
        // The state one step into an epoch holds the order of that epoch.
        let outcome = source.with("budget", epoch * EPOCH + 1).solve(1).record.outcome;
        let place = outcome.state_names.iter().position(|name| name == "rows").unwrap();
        rows.extend(outcome.state[place].ints().iter().flat_map(|row| row.to_le_bytes()));
    }
    std::fs::write(folder.join("rows"), rows).unwrap();
    let mut session = super::ours::session(1);
    let planned = source.read(&mut session).plan(&mut session);
    let objective = planned.into_iter().find_map(|planned| planned.objective).unwrap();
    let start: Vec<u8> = objective.start.reals().iter().flat_map(|x| x.to_le_bytes()).collect();
    std::fs::write(folder.join("start"), start).unwrap();
}
