//! `minima run --profile`: calls and bytes by line, and nothing where it is not asked for.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

const PROGRAM: &str = "let n = 1000
let x = [sin(i) for i in 0..n]
let y = [2*a + 1 for a in x]
print dot(x, y)
let A = [cos(i*j) for i in 0..40, j in 0..50]
let B = [sin(i + j) for i in 0..50, j in 0..30]
print max(A @ B)
let fit = minimize dot(v - x, v - x) over v = y using gd(lr = 0.1) until steps >= 7
print fit.steps
";

/// Exit code, standard output and standard error of `minima run` on a text.
fn run(text: &str, options: &[&str]) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_minima"))
        .arg("run")
        .args(options)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn profile(options: &[&str]) -> Vec<(String, u64, u64, u64)> {
    let (code, out, said) = run(PROGRAM, &[options, &["--profile", "--json"]].concat());
    assert_eq!(code, Some(0), "{said}");
    let report: Value = serde_json::from_str(&out).unwrap();
    let mut lines: Vec<_> = report["profile"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            let number = |key: &str| line[key].as_u64().unwrap();
            assert!(line["seconds"].as_f64().unwrap() >= 0.0);
            let file = line["file"].as_str().unwrap().rsplit('/').next().unwrap().to_string();
            (file, number("line"), number("calls"), number("bytes"))
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn calls_and_bytes_are_counted_by_line() {
    let own = "<stdin>".to_string();
    let array = 8 * 1000;
    let product = 8 * (40 * 50 + 50 * 30 + 40 * 30);
    let lines = profile(&[]);
    let expected = [
        (own.clone(), 2, 1, array),
        (own.clone(), 3, 1, 2 * array),
        (own.clone(), 4, 1, 2 * array),
        (own.clone(), 5, 1, 8 * 40 * 50),
        (own.clone(), 6, 1, 8 * 50 * 30),
        (own, 7, 2, product + 8 * 40 * 30),
        // Every step reads the point and the gradient, and writes the point.
        ("gd.opt".to_string(), 13, 7, 7 * 3 * array),
    ];
    for line in expected {
        assert!(lines.contains(&line), "{line:?} is not in {lines:#?}");
    }
}

#[test]
fn numbers_of_32_bits_move_half_the_bytes() {
    let bytes = |lines: Vec<(String, u64, u64, u64)>| lines.iter().find(|line| line.1 == 13).unwrap().3;
    assert_eq!(2 * bytes(profile(&["--precision", "f32"])), bytes(profile(&[])));
}

#[test]
fn the_table_stands_behind_the_results() {
    let (code, out, said) = run(PROGRAM, &["--profile", "--quiet"]);
    let (_, plain, silent) = run(PROGRAM, &["--quiet"]);
    assert_eq!((code, &out), (Some(0), &plain));
    assert_eq!(silent, "");
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("profile: ") && lines[0].contains(" in compiled code, of "), "{said}");
    assert_eq!(
        lines[1].split_whitespace().collect::<Vec<_>>(),
        ["line", "calls", "time", "%", "bytes", "GB/s", "source"]
    );
    assert!(said.contains("gd.opt:13") && said.contains("x -= lr * g"), "{said}");
    assert!(said.contains("let A = [cos(i*j) for i in 0..40, j in 0..50]"), "{said}");
}

#[test]
fn nothing_is_measured_unasked() {
    let (_, out, _) = run(PROGRAM, &["--json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report.get("profile"), None);
    let (code, _, said) = run("print 1 + 1\n", &["--profile"]);
    assert_eq!((code, said.trim()), (Some(0), "profile: no compiled code ran"));
    let (code, _, said) = run("print 1 + nothing\n", &["--profile"]);
    assert_eq!(code, Some(1));
    assert!(!said.contains("profile:"), "{said}");
}
