//! A row, measured: values first, then times in turn.

use super::ours;
use super::peer::Peer;
use super::rows::{Kind, Row};

/// A column of a row: seconds, and the greatest difference of our values from its.
#[derive(Debug, Clone)]
pub struct Beside {
    /// What it is called.
    pub name: &'static str,
    /// Seconds, the median of all rounds.
    pub seconds: f64,
    /// The greatest difference of values.
    pub difference: f64,
}

/// What was found of a row.
#[derive(Debug, Clone)]
pub struct Found {
    /// The row.
    pub row: Row,
    /// Our seconds, the median of all rounds.
    pub ours: f64,
    /// The columns, but for those that are not there or do not have the workload.
    pub beside: Vec<Beside>,
}

impl Found {
    /// The peer that the bars are for.
    pub fn peer(&self) -> Option<&Beside> {
        self.beside.iter().find(|beside| beside.name == self.row.beside[0])
    }
}

/// A sample should take about so long.
const SAMPLE: f64 = 0.03;

/// The values that are compared.
fn values(row: &Row, threads: usize) -> Vec<f64> {
    match row.kind {
        Kind::Steps { short } => {
            let outcome = row.source.with("budget", short).solve(threads).record.outcome;
            assert_eq!(outcome.steps, i64::try_from(short).unwrap(), "{}", row.what);
            outcome.params.iter().flat_map(|tensor| tensor.to_reals()).collect()
        }
        Kind::Solves => {
            let each = row.source.solves(threads).into_iter().flat_map(|solved| {
                let outcome = solved.record.outcome;
                let columns = &outcome.trace.columns;
                [columns[1][0], columns[2][0], outcome.loss]
            });
            each.collect()
        }
        Kind::Code { short } => {
            let source = short.map_or(row.source.clone(), |short| row.source.with("turns", short));
            ours::results(&mut source.code(threads))
        }
    }
}

/// The greatest difference of two values, by the measure of ADBench: relative to the values, or absolute where they
/// are small.
fn difference(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len(), "as many values");
    let each = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs() / (a.abs() + b.abs()).max(1.0));
    each.fold(0.0, |most, x| if x.is_nan() { f64::INFINITY } else { most.max(x) })
}

/// The median.
pub fn median(times: &mut [f64]) -> f64 {
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
fn ours(row: &Row, threads: usize) -> Timed<'_> {
    if matches!(row.kind, Kind::Code { .. }) {
        let mut code = row.source.code(threads);
        let times = repeats(ours::timed(&mut code, 1));
        return Box::new(move || ours::timed(&mut code, times));
    }
    Box::new(move || row.source.solves(threads).iter().map(|solved| solved.seconds).sum())
}

/// Compares the values with those of every peer that has the row, then times all in turn, so many rounds.
pub fn measure(row: &Row, peers: &mut [Peer], rounds: usize, threads: usize) -> Found {
    let own = values(row, threads);
    let mut beside = Vec::new();
    let mut timed: Vec<Timed<'_>> = vec![ours(row, threads)];
    for peer in peers.iter_mut().filter(|peer| row.beside.contains(&peer.name)) {
        if peer.setup(row.workload, &row.args).is_none() {
            continue;
        }
        let (name, difference) = (peer.name, difference(&own, &peer.values()));
        let (number, most) = (row.number, row.tolerance);
        assert!(
            difference <= most,
            "row {number}: the values of {name} differ by {difference:e}, more than {most:e}"
        );
        beside.push(Beside { name, seconds: f64::NAN, difference });
        let times = repeats(peer.run(1));
        timed.push(Box::new(move || peer.run(times)));
    }
    let mut samples: Vec<Vec<f64>> = vec![Vec::new(); timed.len()];
    timed[0]();
    for _ in 0..rounds {
        for (timed, samples) in timed.iter_mut().zip(&mut samples) {
            samples.push(timed());
        }
    }
    for (beside, samples) in beside.iter_mut().zip(&mut samples[1..]) {
        beside.seconds = median(samples);
    }
    Found { row: row.clone(), ours: median(&mut samples[0]), beside }
}
