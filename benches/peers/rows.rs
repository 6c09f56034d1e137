//! The rows: which program is measured beside what, and how close their values have to be.

use serde_json::{Value, json};

use super::ours::Source;

/// How a program is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Its solve, of `budget` steps. Compared are the params after `short` steps.
    Steps {
        /// Steps after which the values are compared.
        short: usize,
    },
    /// All its solves, to their ends. Compared are the loss and the norm of the gradient at each start, and the
    /// loss at each end.
    Solves,
    /// The last code that it runs, again and again. Compared is what the code computes, in `short` turns if it has
    /// turns.
    Code {
        /// Turns after which the values are compared.
        short: Option<usize>,
    },
}

/// A row of the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its number in the list of bars, with a letter if it is one of several.
    pub number: &'static str,
    /// What is measured.
    pub what: String,
    /// Our program.
    pub source: Source,
    /// How.
    pub kind: Kind,
    /// The columns beside it; the bars are for the first.
    pub beside: &'static [&'static str],
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

/// Both sides stop where the gradient is below 1e-6, relative to losses above 1; losses are then right to about that.
const ENDS: f64 = 1e-6;

const LOOPS: &[&str] = &["JAX", "JAX by steps", "PyTorch", "NumPy, SciPy"];

/// Rosenbrock's valley.
pub fn valley(number: &'static str, n: usize, budget: usize, bars: (f64, f64)) -> Row {
    let short = budget.min(200);
    Row {
        number,
        what: format!("Rosenbrock N={n}, Adam, {budget} steps"),
        source: Source::new("rosenbrock.opt", &[("n", n), ("budget", budget)]),
        kind: Kind::Steps { short },
        beside: LOOPS,
        workload: "rosenbrock",
        args: json!({ "n": n, "budget": budget, "short": short }),
        tolerance: TRAJECTORY,
        bars,
    }
}

fn logistic(data: &str) -> Row {
    let (budget, short) = (1_000, 100);
    Row {
        number: "4",
        what: format!("logistic regression 569×30, Adam, {budget} steps"),
        source: Source::new("logistic.opt", &[("budget", budget)]),
        kind: Kind::Steps { short },
        beside: LOOPS,
        workload: "logistic",
        args: json!({ "data": data, "budget": budget, "short": short }),
        tolerance: TRAJECTORY,
        bars: (0.6, 0.25),
    }
}

/// Logistic regression on so many made-up rows.
pub fn growing(n: usize, budget: usize) -> Row {
    let short = budget.min(100);
    Row {
        number: "4",
        what: format!("logistic regression {n}×30, Adam, {budget} steps"),
        source: Source::new("growing.opt", &[("n", n), ("budget", budget)]),
        args: json!({ "n": n, "budget": budget, "short": short }),
        kind: Kind::Steps { short },
        ..logistic("")
    }
}

fn network(number: &'static str, file: &'static str, what: &str, data: &str, made: &str) -> Row {
    let (budget, short) = (280, 56);
    let (start, rows) = (format!("{made}/start"), format!("{made}/rows"));
    Row {
        number,
        what: format!("network 64-32-10, digits, batch 64, Adam, {budget} steps{what}"),
        source: Source::new(file, &[("budget", budget)]),
        kind: Kind::Steps { short },
        beside: LOOPS,
        workload: "network",
        args: json!({ "data": data, "start": start, "rows": rows, "budget": budget, "short": short }),
        tolerance: TRAJECTORY,
        // What peers do not compute is not held against a bar.
        bars: if number == "5" { (1.2, 0.6) } else { (f64::INFINITY, f64::INFINITY) },
    }
}

fn gmm(number: &'static str, n: usize, d: usize, bars: (f64, f64)) -> Row {
    Row {
        number,
        what: format!("GMM gradient, {n} points, D={d}, K=25"),
        source: Source::new("gmm.opt", &[("n", n), ("d", d), ("K", 25)]),
        kind: Kind::Code { short: None },
        beside: &["JAX", "JAX, points last", "PyTorch"],
        workload: "gmm",
        args: json!({ "n": n, "d": d, "K": 25 }),
        tolerance: SUMS,
        bars,
    }
}

/// The logistic function of an affine one, on `n` numbers.
pub fn sigmoid(n: usize, turns: usize) -> Row {
    Row {
        number: "9",
        what: format!("sigmoid(affine), n={n}, {turns} times"),
        source: Source::new("sigmoid.opt", &[("n", n), ("turns", turns)]),
        // More turns come to a fixed point, where all are equal.
        kind: Kind::Code { short: Some(3) },
        beside: &["JAX", "PyTorch", "NumPy, SciPy"],
        workload: "sigmoid",
        args: json!({ "n": n, "turns": turns, "short": 3 }),
        tolerance: SUMS,
        bars: (0.8, 0.52),
    }
}

/// A vector operation beside Rust.
fn vectors(number: &'static str, workload: &'static str, n: usize, turns: usize) -> Row {
    let (what, source, args) = match workload {
        "dot" => (format!("dot, n={n}"), Source::new("dot.opt", &[("n", n)]), json!({ "n": n })),
        _ => (
            format!("axpy, n={n}, {turns} times"),
            Source::new("axpy.opt", &[("n", n), ("turns", turns)]),
            json!({ "n": n, "turns": turns }),
        ),
    };
    let (kind, beside) = (Kind::Code { short: None }, &["Rust", "NumPy, SciPy"]);
    Row { number, what, source, kind, beside, workload, args, tolerance: SUMS, bars: (1.3, 1.0) }
}

/// The rows with a peer in a loop of their own. `data` is the folder of the tables, `made` that of what is written for
/// the peers.
pub fn rows(data: &str, made: &str) -> Vec<Row> {
    vec![
        valley("1", 2, 20_000, (1.5, 1.0)),
        valley("2", 100, 20_000, (0.5, 0.22)),
        valley("3", 10_000, 2_000, (0.9, 0.6)),
        logistic(data),
        network("5", "digits_bare.opt", "", data, made),
        network("5b", "digits.opt", ", loss of all rows after each epoch", data, made),
        gmm("6", 1_000, 10, (0.5, 0.2)),
        gmm("7", 10_000, 10, (0.25, 0.09)),
        gmm("8", 1_000, 32, (0.8, 0.35)),
        sigmoid(100_000, 200),
        vectors("10a", "axpy", 100_000, 1_000),
        vectors("10b", "dot", 100_000, 1),
        Row {
            number: "11",
            what: "L-BFGS, 23 problems of Moré, Garbow and Hillstrom".into(),
            source: Source::new("mgh.opt", &[]),
            kind: Kind::Solves,
            beside: &["NumPy, SciPy"],
            workload: "mgh",
            args: json!({}),
            tolerance: ENDS,
            bars: (0.1, 0.02),
        },
    ]
}
