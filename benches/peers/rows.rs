//! The rows: which program is measured beside what, and how close their values have to be.

use serde_json::{Value, json};

use super::ours::Source;

/// How a program is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Its solve, of `budget` steps; checked after `short` ones.
    Solve {
        /// Steps that are timed.
        budget: usize,
        /// Steps after which the values are compared.
        short: usize,
    },
    /// The last code it runs, again and again.
    Code,
}

/// A row of the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its number in the list of bars, with a letter if it is one of several.
    pub number: &'static str,
    /// What is measured.
    pub what: &'static str,
    /// Our program.
    pub source: Source,
    /// How.
    pub kind: Kind,
    /// What the peers call it.
    pub workload: &'static str,
    /// What they are told.
    pub args: Value,
    /// The greatest difference from the peer's values.
    pub tolerance: f64,
    /// The ratio to the first peer that must be met, and the one aimed at.
    pub bars: (f64, f64),
}

/// Trajectories of both sides differ by rounding, in which Adam divides small numbers by small ones. The difference found
/// on short ones is 1e-15 to 1e-12; another algorithm, a missing row or one flipped label shows above 1e-6.
const TRAJECTORY: f64 = 1e-9;

/// Sums of 1e4 terms in another order.
const SUMS: f64 = 1e-11;

fn valley(number: &'static str, n: usize, budget: usize, bars: (f64, f64), what: &'static str) -> Row {
    let short = 200;
    Row {
        number,
        what,
        source: Source::new("rosenbrock.opt", &[("n", n), ("budget", budget)]),
        kind: Kind::Solve { budget, short },
        workload: "rosenbrock",
        args: json!({ "n": n, "budget": budget, "short": short }),
        tolerance: TRAJECTORY,
        bars,
    }
}

fn gmm(number: &'static str, n: usize, d: usize, bars: (f64, f64), what: &'static str) -> Row {
    Row {
        number,
        what,
        source: Source::new("gmm.opt", &[("n", n), ("d", d), ("K", 25)]),
        kind: Kind::Code,
        workload: "gmm",
        args: json!({ "n": n, "d": d, "K": 25 }),
        tolerance: SUMS,
        bars,
    }
}

/// The rows with a peer in a loop of their own. `data` is the folder of the tables, `made` that of what is written for the
/// peers.
pub fn rows(data: &str, made: &str) -> Vec<Row> {
    let (budget, short) = (1_000, 100);
    let logistic = Row {
        number: "4",
        what: "logistic regression 569×30, Adam, 1000 steps",
        source: Source::new("logistic.opt", &[("budget", budget)]),
        kind: Kind::Solve { budget, short },
        workload: "logistic",
        args: json!({ "data": data, "budget": budget, "short": short }),
        tolerance: TRAJECTORY,
        bars: (0.6, 0.25),
    };
    let (budget, short) = (280, 56);
    let network = Row {
        number: "5",
        what: "network 64-32-10, digits, batch 64, Adam, 280 steps",
        source: Source::new("digits.opt", &[("budget", budget)]),
        kind: Kind::Solve { budget, short },
        workload: "network",
        args: json!({ "data": data, "start": format!("{made}/start"), "rows": format!("{made}/rows"),
            "budget": budget, "short": short }),
        tolerance: TRAJECTORY,
        bars: (1.2, 0.6),
    };
    vec![
        valley("1", 2, 20_000, (1.5, 1.0), "Rosenbrock N=2, Adam, 20,000 steps"),
        valley("2", 100, 20_000, (0.5, 0.22), "Rosenbrock N=100, Adam, 20,000 steps"),
        valley("3", 10_000, 2_000, (0.9, 0.6), "Rosenbrock N=10,000, Adam, 2000 steps"),
        logistic,
        network,
        gmm("6", 1_000, 10, (0.5, 0.2), "GMM gradient, 1000 points, D=10, K=25"),
        gmm("7", 10_000, 10, (0.25, 0.09), "GMM gradient, 10,000 points, D=10, K=25"),
        gmm("8", 1_000, 32, (0.8, 0.35), "GMM gradient, 1000 points, D=32, K=25"),
    ]
}
