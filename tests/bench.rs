//! `minima bench`: what it counts, tells and writes. Never how long anything takes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Two solves, one of them in a loop of statements.
const PROGRAM: &str = "\
fn bowl(x: real[n]) = sum((x - 3)^2)
let fit = minimize bowl(x) over x = [0.0, 10.0] using gd(lr = 0.1) until steps >= 20
for k in 0..3 {
  let more = minimize bowl(x) over x = [1.0*k] using gd(lr = 0.1) until steps >= 5
  print more.loss
}
print fit.loss
";

struct Done {
    code: i32,
    out: String,
    err: String,
}

fn bench(arguments: &[&str]) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_minima"));
    command.arg("bench").args(arguments).env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    let output = command.output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Done {
        code: output.status.code().expect("it ends by itself"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

fn file(name: &str, text: &str) -> String {
    let path = folder().join(name);
    std::fs::write(&path, text).expect("the folder can be written");
    path.display().to_string()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|why| panic!("{why}:\n{text}"))
}

#[test]
fn every_part_and_solve_of_a_program_is_measured() {
    let path = file("parts.opt", PROGRAM);
    let done = bench(&[&path, "--seconds", "2", "--json"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    let report = json(&done.out);
    for (field, value) in [("schema", "minima.bench/v1"), ("verb", "bench")] {
        assert_eq!(report[field], value);
    }
    assert_eq!(report["config"]["seconds"], 2.0);
    assert_eq!(report["config"]["threads"]["value"], 1);
    let program = &report["programs"][0];
    assert_eq!(
        (&program["program"]["file"], &program["same_bits"]),
        (&Value::from(path), &Value::from(true))
    );
    let items = program["items"].as_array().expect("there are items");
    let names: Vec<&str> = items.iter().filter_map(|item| item["name"].as_str()).collect();
    assert_eq!(names, ["read and check", "compile", "run", "whole", "solve fit", "solve more"]);
    let rounds = program["rounds"].as_u64().expect("a count");
    assert!(rounds >= 1);
    for item in items {
        let seconds: Vec<f64> =
            item["seconds"].as_array().expect("a list").iter().filter_map(Value::as_f64).collect();
        assert_eq!(seconds.len() as u64, rounds, "{item}");
        let least = seconds.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!(item["min"].as_f64(), Some(least));
        let median = item["median"].as_f64().expect("a median");
        assert!(least <= median && Some(median) <= item["max"].as_f64());
        assert_eq!(item["low"].is_null(), rounds < 6, "an interval needs six rounds");
    }
    assert_eq!((&items[4]["steps"], &items[4]["evals"]["hvp"]), (&Value::from(20), &Value::from(0)));
    assert_eq!(items[5]["steps"], 15, "a solve in a loop is told once, with all its turns");
    assert!(items[0]["steps"].is_null() && items[4]["steps_per_second"].is_number());
    let whole = |k: usize| items[k]["seconds"][0].as_f64().expect("a time");
    assert!(
        (whole(0) + whole(1) + whole(2) - whole(3)).abs() <= 1e-9 + 1e-6 * whole(3),
        "the parts are the whole"
    );
}

#[test]
fn several_programs_are_measured_in_turn_and_compared() {
    let (one, two) = (file("one.opt", PROGRAM), file("two.opt", &PROGRAM.replace("gd", "momentum")));
    let out = folder().join("report.json").display().to_string();
    let done = bench(&[&one, &two, "--seconds", "1", "--out", &out]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    let against = format!("{two} against {one}");
    for part in ["results are the same bits each time", "95% interval", "solve fit", "20 steps", &against] {
        assert!(done.out.contains(part), "{part}\n{}", done.out);
    }
    let report = json(&std::fs::read_to_string(&out).expect("it was written"));
    let rounds: Vec<&Value> =
        report["programs"].as_array().expect("programs").iter().map(|p| &p["rounds"]).collect();
    assert_eq!(rounds.len(), 2);
    let compared = report["compared"].as_array().expect("a list");
    assert_eq!(compared.len(), 6);
    assert!(compared.iter().all(|one| one["in_turn"] == true && one["ratio"].is_number()));

    let against = bench(&["--compare", &out, &out, "--json"]);
    let against = json(&against.out);
    let found = against["compared"].as_array().expect("a list");
    assert_eq!(found.len(), 12);
    assert!(found.iter().all(|one| one["ratio"] == 1.0 && one["in_turn"] == false), "{against}");
    let again = bench(&[&one, "--seconds", "0.2", "--compare", &out]);
    assert!(again.out.contains(&format!("{one} against {one} in {out}")), "{}", again.out);
}

/// A report as `minima bench` writes it, of one program with one solve.
fn report(name: &str, seconds: &[f64]) -> String {
    let text = serde_json::json!({
        "schema": "minima.bench/v1",
        "programs": [{ "program": { "file": name }, "items": [{ "name": "solve fit", "seconds": seconds }] }],
    });
    file(&format!("{name}.json"), &text.to_string())
}

#[test]
fn reports_are_compared_honestly() {
    let times = |factor: f64| (0..20).map(|k| factor * (1.0 + 0.001 * f64::from(k))).collect::<Vec<f64>>();
    let (old, fast, near) =
        (report("old", &times(1.0)), report("fast", &times(0.5)), report("near", &times(1.001)));
    let said = |new: &str, old: &str| bench(&["--compare", old, new]);
    let verdict = |done: &Done| {
        let row = done
            .out
            .lines()
            .find(|line| line.trim_start().starts_with("solve fit"))
            .expect("a row")
            .to_string();
        row
    };
    let faster = said(&fast, &old);
    assert_eq!(verdict(&faster), "  solve fit  0.500  0.494 to 0.506  faster");
    assert!(faster.out.contains("measured at different times"), "{}", faster.out);
    assert!(verdict(&said(&old, &fast)).ends_with("2.000  1.974 to 2.026  slower"));
    assert!(verdict(&said(&near, &old)).ends_with("no difference seen"));
    assert!(verdict(&said(&report("few", &[1.0, 2.0]), &old)).ends_with("too few rounds to tell"));
}

#[test]
fn what_cannot_be_measured_is_told() {
    let good = file("good.opt", "print 1\n");
    for (arguments, code, told) in [
        (vec![file("wrong.opt", "print y\n")], 1, "E0301"),
        (vec![file("broken.opt", "assert 1 > 2, \"no\"\n")], 3, "this assertion does not hold: no"),
        (vec!["no/such.opt".into()], 2, "there is no file `no/such.opt`"),
        (vec!["k=3".into()], 2, "there is no program to measure"),
        (vec![good.clone(), "k=3".into()], 2, "no input `k`"),
        (vec![good.clone(), "--seconds".into(), "0".into()], 2, "a positive number of seconds"),
        (vec![good.clone(), "--compare".into(), "no.json".into()], 2, "cannot read `no.json`"),
        (vec![good.clone(), "--compare".into(), good.clone()], 2, "it is no JSON"),
        (vec![good.clone(), "--compare".into(), file("other.json", "{}")], 2, "minima.bench/v1"),
        (vec![file("some.json", "{}")], 2, "is no program; two reports are compared by"),
        (vec![good, "--out".into(), "no/such/folder/a.json".into()], 6, "cannot write"),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(["--seconds", "0.1"]).collect();
        let arguments = if arguments.contains(&"0") { &arguments[..3] } else { &arguments[..] };
        let done = bench(arguments);
        assert_eq!(done.code, code, "{arguments:?}: {}", done.err);
        assert!(done.err.contains(told), "{arguments:?}: {}", done.err);
    }
    let wrong = json(&bench(&[&file("wrong.opt", "print y\n"), "--json"]).out);
    assert_eq!(
        (&wrong["verb"], &wrong["diagnostics"][0]["code"]),
        (&Value::from("bench"), &Value::from("E0301"))
    );
}

#[test]
fn results_that_change_are_told() {
    // Every run counts one further in a file of its own.
    file("count.csv", "k\n1\n");
    let text = "let data = csv(\"count.csv\")\nlet k = data.k[0]\n\
                let fit = minimize (x - k)^2 over x = 0.0 using gd(lr = 0.1) until steps >= 3\n\
                save table(k = [k + 1]) to \"count.csv\"\n";
    let done = bench(&[&file("counts.opt", text), "--seconds", "0.1"]);
    assert_eq!((done.code, done.err.as_str()), (3, ""));
    assert!(done.out.contains("results differ from round 1 on"), "{}", done.out);
}
