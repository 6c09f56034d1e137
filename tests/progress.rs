//! What is told of solves while they run, and the traces that are written.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

/// A smooth problem, whose optimizer sees gradients of all data.
const SMOOTH: &str = "\
let fit = minimize (a - 3)^2 + 2*(a*b - 6)^2 over a = 1.0, b = 1.0 using gd(lr = 1e-3) until grad_norm < 1e-6
print fit.loss, fit.steps, fit.a, fit.b
";

/// Minibatches of ten rows, four steps an epoch, more epochs than a trace keeps.
const BATCHES: &str = "\
let xs = linspace(-1.0, 1.0, 40)
let ys = 2*xs + 1
objective line(x: real[n], y: real[n]) {
  param w: real = 0
  param b: real = 0
  minimize mean((w*a + b - t)^2 for (a, t) in (x, y))
}
let fit = solve line(xs, ys) using adam(lr = 0.1) until epochs >= 300 with batch = 10
print fit.loss, len(fit.trace.steps)
";

/// An optimizer that sees values only, and reports a figure of each step.
const VALUES: &str = "\
optimizer halving(width: real = 1.0) {
  state w = width
  step {
    let y = x + w
    let z = x - w
    if f(y) < f(x) { x = y } else if f(z) < f(x) { x = z } else { w = w/2 }
    report reach = w
  }
}
let fit = minimize (a - 3)^2 over a = 0.0 using halving() until steps >= 40
";

struct Done {
    code: i32,
    out: String,
    err: String,
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("progress");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

fn fresh(ending: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    folder().join(format!("{}_{count}.{ending}", std::process::id()))
}

fn run(text: &str, arguments: &[&str]) -> Done {
    let path = fresh("opt");
    std::fs::write(&path, text).expect("the folder can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_minima"));
    let output: Output = command
        .arg("run")
        .arg(&path)
        .args(arguments)
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    Done {
        code: output.status.code().expect("no signal ends the process"),
        out: String::from_utf8(output.stdout).expect("output is UTF-8"),
        err: String::from_utf8(output.stderr).expect("messages are UTF-8"),
    }
}

/// The records of a trace: those of each solve, its beginning first and its end last.
fn traced(text: &str, arguments: &[&str]) -> (Done, Vec<Vec<Value>>) {
    let path = fresh("jsonl");
    let path = path.to_str().expect("a plain path");
    let done = run(text, &[&["--trace", path], arguments].concat());
    let text = std::fs::read_to_string(path).expect("the trace is there");
    let mut solves: Vec<Vec<Value>> = Vec::new();
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).expect("every line is JSON");
        if record.get("schema").is_some() {
            assert_eq!(record["schema"], "minima.trace/v1");
            solves.push(Vec::new());
        }
        solves.last_mut().expect("a solve begins first").push(record);
    }
    (done, solves)
}

fn steps(records: &[Value]) -> Vec<i64> {
    records.iter().filter(|record| record.get("step").is_some()).map(|r| integer(&r["step"])).collect()
}

fn integer(value: &Value) -> i64 {
    value.as_i64().expect("a whole number")
}

/// The words of each row of a log, the names of its columns first.
fn rows(log: &str) -> Vec<Vec<&str>> {
    let lines = log.lines().map(|line| line.split_whitespace().collect::<Vec<&str>>());
    let is_row = |words: &Vec<&str>| {
        words.len() > 2 && words.iter().all(|word| word.parse::<f64>().is_ok() || *word == "NaN")
    };
    let is_head = |words: &Vec<&str>| words.contains(&"step") && words.contains(&"loss");
    lines.filter(|words| is_head(words) || is_row(words)).collect()
}

#[test]
fn nothing_is_told_of_a_short_solve() {
    let done = run(SMOOTH, &[]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
}

#[test]
fn columns_fit_the_kind_of_the_optimizer() {
    let log = run(SMOOTH, &["--verbose"]).err;
    assert_eq!(rows(&log)[0], ["step", "loss", "grad_norm", "evals", "seconds"], "{log}");
    let log = run(BATCHES, &["--verbose"]).err;
    assert_eq!(rows(&log)[0], ["epoch", "step", "loss", "steps/s", "seconds"], "{log}");
    let log = run(VALUES, &["--verbose"]).err;
    assert_eq!(rows(&log)[0], ["step", "loss", "best", "evals", "reach", "seconds"], "{log}");
}

#[test]
fn rows_thin_out_by_powers_of_ten_and_end_with_the_last_step() {
    let done = run(SMOOTH, &["--verbose"]);
    let count: i64 = done.out.split_whitespace().nth(1).expect("steps").parse().expect("a number");
    let rows = rows(&done.err);
    let steps: Vec<i64> = rows.iter().filter_map(|row| row[0].parse().ok()).collect();
    assert!(count > 100, "{count}");
    assert!(steps.starts_with(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30, 40]), "{steps:?}");
    assert_eq!(steps.last(), Some(&count));
    assert!(steps.len() < 60, "{steps:?}");
}

#[test]
fn the_configuration_marks_what_nobody_gave() {
    let log = run(BATCHES, &["--verbose", "--seed", "3"]).err;
    let has = |line: &str| assert!(log.lines().any(|l| l.trim() == line), "{line}\n{log}");
    has("objective    line");
    has("unknowns     2: w: real, b: real");
    has("optimizer    adam");
    has("lr         0.1");
    has("b1         0.9  (default)");
    has("until        epochs >= 300");
    has("batch        10 of 40 rows, 4 steps an epoch");
    has("seed         3");
    has("precision    f64  (default)");
    let log = run("let fit = minimize a^2 over a = 1.0\n", &["--verbose"]).err;
    assert!(log.contains("optimizer    bfgs  (default)"), "{log}");
    let wrapped = "let fit = minimize a^2 over a = 1.0 using clip(gd(lr = 0.1), norm = 2.0)\n";
    let log = run(wrapped, &["--verbose"]).err;
    let at = log.find("base").unwrap_or_else(|| panic!("{log}"));
    assert!(log[at..].contains("gd\n      lr       0.1"), "{log}");
}

#[test]
fn the_end_says_where_the_time_went() {
    let log = run(SMOOTH, &["--verbose"]).err;
    let last: Vec<&str> = log.lines().rev().take(6).collect();
    assert!(last[5].starts_with("fit: locally_solved: grad_norm"), "{log}");
    assert!(last[4].contains("54 at the start"), "{log}");
    assert!(last[0].contains("to compile and start"), "{log}");
}

#[test]
fn a_trace_has_every_step_and_changes_no_bit() {
    let plain = run(SMOOTH, &[]);
    let (done, solves) = traced(SMOOTH, &[]);
    assert_eq!(plain.out, done.out);
    let [records] = solves.as_slice() else { panic!("one solve") };
    let count: i64 = plain.out.split_whitespace().nth(1).expect("steps").parse().expect("a number");
    assert_eq!(steps(records), (0..=count).collect::<Vec<i64>>());
    let (begin, end) = (&records[0], records.last().expect("an end"));
    assert_eq!(begin["solve"], "fit");
    assert_eq!(begin["configuration"]["hyper_parameters"][0]["name"], "lr");
    assert_eq!(begin["configuration"]["hyper_parameters"][0]["default"], false);
    assert_eq!(end["status"], "locally_solved");
    assert_eq!(integer(&end["steps"]), count);
    let last = &records[records.len() - 2];
    assert_eq!((&last["loss"], &last["evals"]), (&end["loss"], &end["evals"]));
    let seconds: Vec<f64> = records.iter().filter_map(|r| r.get("step").and(r["seconds"].as_f64())).collect();
    assert!(seconds.is_sorted(), "time goes on");
}

#[test]
fn a_trace_of_minibatches_has_every_epoch() {
    let (done, solves) = traced(BATCHES, &[]);
    assert_eq!(run(BATCHES, &[]).out, done.out);
    assert_eq!(steps(&solves[0]), (0..=300).map(|epoch| 4 * epoch).collect::<Vec<i64>>());
}

#[test]
fn a_trace_has_what_steps_report() {
    let (_, solves) = traced(VALUES, &[]);
    let records = &solves[0];
    assert_eq!(steps(records).len(), 41);
    assert_eq!(records[2]["reports"]["reach"], 1.0);
    assert_eq!(records[2]["grad_norm"], Value::Null);
    assert_eq!(records.last().expect("an end")["status"], "iteration_limit");
}

#[test]
fn a_trace_has_all_solves_of_a_program() {
    let text = "for lr in [0.1, 0.2] {\n  let fit = minimize a^2 over a = 1.0 using gd(lr = lr)\n}\n";
    let (_, solves) = traced(text, &[]);
    assert_eq!(solves.len(), 2);
    assert!(solves.iter().all(|records| records.last().expect("an end")["status"] == "locally_solved"));
}

#[test]
fn a_trace_that_cannot_be_written_loses_no_result() {
    let done = run(SMOOTH, &["--trace", "/nowhere/trace.jsonl"]);
    assert_eq!((done.code, done.out.as_str()), (6, ""));
    assert!(done.err.contains("cannot write `/nowhere/trace.jsonl`"), "{}", done.err);
    if cfg!(target_os = "linux") {
        let done = run(SMOOTH, &["--trace", "/dev/full"]);
        assert_eq!(done.code, 6);
        assert!(done.out.contains(' '), "the results are there: {}", done.out);
        assert!(done.err.contains("cannot write `/dev/full`"), "{}", done.err);
    }
}

#[test]
fn a_solve_that_stands_still_says_so() {
    let text = "let fit = minimize abs(a) over a = 1.0 using gd(lr = 1e-300) until grad_norm < 1e-9 or steps >= 500\n";
    let done = run(text, &[]);
    assert_eq!(done.code, 3);
    assert!(done.err.contains("iteration_limit"), "{}", done.err);
    assert!(done.err.contains("the loss has not changed since step 0"), "{}", done.err);
}

#[test]
fn a_better_point_on_the_way_is_told() {
    let text =
        "let fit = minimize a^2 over a = 1.0 using gd(lr = 1.01) until grad_norm < 1e-9 or steps >= 20\n";
    let done = run(text, &[]);
    assert!(done.err.contains("the best loss recorded is 1, at step 0"), "{}", done.err);
}

#[test]
fn no_output_takes_the_place_of_an_input() {
    let data = fresh("csv");
    std::fs::write(&data, "a,b\n1,2\n3,4\n").expect("the folder can be written");
    let name = data.file_name().expect("a name").to_str().expect("a plain name");
    let program = format!("let d = csv(\"{name}\")\nprint len(d)\n");
    let path = fresh("opt");
    std::fs::write(&path, &program).expect("the folder can be written");
    let (path, data_path) = (path.to_str().expect("plain"), data.to_str().expect("plain"));
    let page = fresh("html");
    let page = page.to_str().expect("plain");
    let refused = |options: &[&str], why: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_minima"))
            .args([&["run", path], options].concat())
            .output()
            .expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(why), "{said}");
    };
    refused(&["--trace", path], "would write over a program");
    refused(&["--report", path], "a page ends in `.html`");
    refused(&["--trace", data_path], "would write over a file that the program reads");
    refused(&["--trace", page, "--report", page], "would write over what `--trace` writes");
    assert_eq!(std::fs::read_to_string(path).expect("it is there"), program);
    assert_eq!(std::fs::read_to_string(&data).expect("it is there"), "a,b\n1,2\n3,4\n");
}
