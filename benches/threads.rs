//! What threads give: the time of a program as one piece, in parts on one thread, and on two, each
//! the median of interleaved samples. Run with `cargo bench --bench threads [NAME]`.

#![expect(clippy::unwrap_used, reason = "a measurement")]

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use minima::codegen::{self, Instance, Options};
use minima::driver::{Session, SessionOptions, compile};
use minima::lower::Lower;
use minima::run::{Event, Runner, Sink};
use minima::syntax::parse_file;

/// Samples of each kind.
const SAMPLES: usize = 15;

struct Silent;

impl Sink for Silent {
    fn event(&mut self, _: Event) {}
}

/// Expressions of `x` and `y`, arrays of n numbers.
static ARRAYS: &[(&str, &str)] = &[
    ("axpy", "[2.5*a + b for (a, b) in (x, y)]"),
    ("sigmoid of affine", "[sigmoid(1.5*a - 0.5) for a in x]"),
    ("sum", "sum(x)"),
    ("dot", "dot(x, y)"),
    ("log-sum-exp", "logsumexp(x)"),
    ("Rosenbrock, gradient", "value_and_grad(valley)(x)"),
];

const VALLEY: &str = "fn valley(x: real[n]) = sum(100*(x[i+1] - x[i]^2)^2 + (1 - x[i])^2 for i in 0..n-1)\n";

const NETWORK: &str = "fn loss(W: real[h, d], V: real[c, h], X: real[n, d], k: int[n]) {
  let logits = x -> V @ tanh(W @ x)
  mean(logsumexp(logits(x)) - logits(x)[j] for (x, j) in (X, k))
}
let W = [sin(i + 3*j)/8 for i in 0..32, j in 0..64]
let V = [cos(i + 2*j)/6 for i in 0..10, j in 0..32]
";

fn network(batch: usize) -> (String, String) {
    let data = format!(
        "let X = [abs(sin(i*j + j)) for i in 0..{batch}, j in 0..64]\nlet k = [i mod 10 for i in 0..{batch}]\n"
    );
    (format!("{NETWORK}{data}"), "value_and_grad(loss)(W, V, X, k)".to_string())
}

fn mixture(points: usize) -> (String, String) {
    let text = include_str!("../examples/adbench/gmm.opt");
    let declared = &text[..text.find("let x2").unwrap()];
    let data = format!(
        "let x = [sin(7.3*i + j) for i in 0..{points}, j in 0..10]
let p = (alpha = [sin(k) for k in 0..25], mu = [cos(3*k + j) for k in 0..25, j in 0..10],
  q = [sin(k + j)/4 for k in 0..25, j in 0..10], l = [cos(k + 5*j)/5 for k in 0..25, j in 0..45])\n"
    );
    (format!("{declared}{data}"), "value_and_grad(log_posterior)(p, x, 1.0, 0)".to_string())
}

/// What is measured: names, programs, and an expression behind each.
fn rows() -> Vec<(String, String, String)> {
    let mut rows = Vec::new();
    for (name, expression) in ARRAYS {
        for n in [1000, 100_000, 1_000_000, 10_000_000] {
            let text =
                format!("{VALLEY}let x = [sin(i) for i in 0..{n}]\nlet y = [cos(i) for i in 0..{n}]\n");
            rows.push((format!("{name}, n = {n}"), text, (*expression).to_string()));
        }
    }
    for n in [64, 512, 1024] {
        let text = format!("let A = [sin(i + 2*j) for i in 0..{n}, j in 0..{n}]\n");
        rows.push((format!("matrix product, n = {n}"), text, "A @ A".to_string()));
    }
    for points in [1000, 10_000] {
        let (text, expression) = mixture(points);
        rows.push((format!("GMM, gradient, {points} points, d = 10, K = 25"), text, expression));
    }
    for batch in [64, 4096] {
        let (text, expression) = network(batch);
        rows.push((format!("network 64-32-10, gradient, batch {batch}"), text, expression));
    }
    rows
}

/// The code of an expression behind a program: as one piece, in parts on one thread, and on two.
fn instances(text: &str, expression: &str) -> Vec<Instance> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut session = Session::new(SessionOptions::default()).unwrap();
    let text = format!("{text}\nlet measured_here = {expression}\n");
    let id = session.sources.add("bench.opt", text.as_str());
    let (tree, reports) = parse_file(id, &text);
    assert!(reports.is_empty(), "{reports:?}");
    let mut sink = Silent;
    let mut runner = Runner::new(&mut session, folder, HashMap::new(), &mut sink);
    runner.plan_only = true;
    let mut lower = Lower::new(&mut runner);
    lower.program(&Rc::new(tree));
    let reports = lower.take_reports();
    assert!(reports.is_empty(), "{reports:?}");
    drop(lower);
    let last = runner.planned.pop().unwrap();
    let code = compile(&session, &last.program).unwrap();
    let whole = Options { large: u64::MAX, ..Options::default() };
    let several = Options { threads: 2, ..Options::default() };
    let kinds = [whole, Options::default(), several].into_iter();
    kinds
        .map(|options| {
            let mut instance = codegen::compile(code.program(), &options).unwrap().instance().unwrap();
            last.inputs.iter().enumerate().for_each(|(at, input)| instance.set(at, input));
            instance
        })
        .collect()
}

/// The seconds of a run.
fn sample(instance: &mut Instance, turns: u32) -> f64 {
    let begin = Instant::now();
    (0..turns).for_each(|_| instance.run().unwrap());
    begin.elapsed().as_secs_f64() / f64::from(turns)
}

/// The median times of instances, each sample at least four milliseconds long.
fn medians(instances: &mut [Instance]) -> Vec<f64> {
    let mut turns = 1;
    while sample(&mut instances[0], turns) * f64::from(turns) < 4e-3 {
        turns *= 2;
    }
    let mut times = vec![Vec::new(); instances.len()];
    for _ in 0..SAMPLES {
        for (instance, times) in instances.iter_mut().zip(&mut times) {
            times.push(sample(instance, turns));
        }
    }
    times
        .into_iter()
        .map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[SAMPLES / 2]
        })
        .collect()
}

fn main() {
    let only = std::env::args().nth(1).filter(|name| !name.starts_with('-'));
    println!("| program | in one piece | 1 thread | 2 threads | 1 thread : piece | 2 threads : 1 |");
    println!("|---|---|---|---|---|---|");
    for (name, text, expression) in rows() {
        if only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        let mut instances = instances(&text, &expression);
        let times = medians(&mut instances);
        let micro: Vec<String> = times.iter().map(|t| format!("{:.4} us", t * 1e6)).collect();
        let [piece, one, two] = times[..] else { unreachable!("three instances") };
        let micro = micro.join(" | ");
        println!("| {name} | {micro} | {:.2} | {:.2} |", one / piece, two / one);
    }
}
