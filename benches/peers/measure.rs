//! A row, measured: values first, then times in turn.

use super::ours::{self, Source};
use super::peer::Peer;
use super::rows::{Kind, Row};

/// Seconds, medians of all rounds.
#[derive(Debug, Clone)]
pub struct Times {
    /// Ours.
    pub ours: f64,
    /// The peers' by column; none where a tool does not have the workload or is missing.
    pub peers: Vec<Option<f64>>,
    /// The greatest relative difference of our values from each column's.
    pub differences: Vec<Option<f64>>,
}

/// A column: a peer and the way it does the work.
pub struct Column<'p> {
    /// The process, if it started.
    pub peer: Option<&'p mut Peer>,
    /// The variant of the workload.
    pub variant: &'static str,
}

/// A sample should take about so long.
const SAMPLE: f64 = 0.03;

/// The values of a short run, as they are compared.
fn values(row: &Row, threads: usize) -> Vec<f64> {
    match row.kind {
        Kind::Solve { short, .. } => {
            let record = row.source.with("budget", short).solve(threads).record;
            assert_eq!(record.outcome.steps, i64::try_from(short).unwrap(), "{}", row.what);
            record.outcome.params.iter().flat_map(|tensor| tensor.to_reals()).collect()
        }
        Kind::Code => ours::results(&mut row.source.code(threads)),
    }
}

/// The greatest difference of two values, by the measure of ADBench: relative to the values, or absolute where they
/// are small.
fn difference(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len(), "as many values");
    let each = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs() / (a.abs() + b.abs()).max(1.0));
    each.fold(0.0, |most, x| if x.is_nan() { f64::INFINITY } else { most.max(x) })
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// How many runs make a sample.
fn repeats(seconds: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 100,000, and positive"
    )]
    let times = (SAMPLE / seconds.max(1e-9)).clamp(1.0, 1e5) as usize;
    times
}

/// Something that is timed: gives the seconds of one run.
type Timed<'t> = Box<dyn FnMut() -> f64 + 't>;

/// Our side, ready to be timed.
fn ours<'t>(row: &Row, threads: usize) -> Timed<'t> {
    match row.kind {
        Kind::Solve { .. } => {
            let source: Source = row.source.clone();
            Box::new(move || source.solve(threads).seconds)
        }
        Kind::Code => {
            let mut code = row.source.code(threads);
            let times = repeats(ours::timed(&mut code, 1));
            Box::new(move || ours::timed(&mut code, times))
        }
    }
}

/// Compares the values with those of every column, then times all in turn, `rounds` times.
pub fn measure(row: &Row, columns: &mut [Column<'_>], rounds: usize, threads: usize) -> Times {
    let own = values(row, threads);
    let mut differences = vec![None; columns.len()];
    let mut timed: Vec<(usize, Timed<'_>)> = Vec::new();
    let mut ours = ours(row, threads);
    let mut samples: Vec<Vec<f64>> = vec![Vec::new(); columns.len() + 1];
    for (at, column) in columns.iter_mut().enumerate() {
        let Some(peer) = column.peer.as_deref_mut() else { continue };
        if peer.setup(row.workload, column.variant, &row.args).is_none() {
            continue;
        }
        let found = difference(&own, &peer.values());
        assert!(
            found <= row.tolerance,
            "row {}: the values of {} differ by {found:e}, more than {:e}",
            row.number,
            peer.name,
            row.tolerance
        );
        differences[at] = Some(found);
        let times = repeats(peer.run(1));
        timed.push((at + 1, Box::new(move || peer.run(times))));
    }
    ours();
    for _ in 0..rounds {
        samples[0].push(ours());
        for (at, timed) in &mut timed {
            samples[*at].push(timed());
        }
    }
    let ours = median(&mut samples[0]);
    let peers = samples[1..].iter_mut().map(|times| (!times.is_empty()).then(|| median(times))).collect();
    Times { ours, peers, differences }
}
