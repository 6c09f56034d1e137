//! The command line as a user meets it: the built program, its output, its exit codes.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

fn minima(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_minima"));
    command.args(arguments).env_remove("NO_COLOR").env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    command
}

/// What a command did: its exit code, standard output, standard error.
struct Done {
    code: i32,
    out: String,
    err: String,
}

fn done(output: Output) -> Done {
    Done {
        code: output.status.code().expect("no signal ends the process"),
        out: String::from_utf8(output.stdout).expect("output is UTF-8"),
        err: String::from_utf8(output.stderr).expect("messages are UTF-8"),
    }
}

fn run(arguments: &[&str]) -> Done {
    done(minima(arguments).output().expect("the program starts"))
}

/// A program with a name of its own, in a folder for these tests.
fn program(text: impl AsRef<[u8]>) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = folder().join(format!("program_{}_{count}.opt", std::process::id()));
    std::fs::write(&path, text).expect("the folder can be written");
    path.display().to_string()
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

fn json(done: &Done) -> Value {
    serde_json::from_str(&done.out).unwrap_or_else(|why| panic!("{why}:\n{}\n{}", done.out, done.err))
}

const BOWL: &str = "fn bowl(x: real[n]) = sum((x - 3)^2)\n";

/// A solve that never meets its condition, and goes on for hours.
const ENDLESS: &str = "\
fn bowl(x: real[n]) = sum((x - 3)^2)
let fit = minimize bowl(x) over x = [0.0, 10.0] using gd(lr = 1e-12) until grad_norm < 1e-8
print \"after\"
";

// Verbs

#[test]
fn run_prints_results_and_nothing_else() {
    let file = program(format!("{BOWL}print bowl([3.0, 4.0]), 1/4\nprint [1, 2]\n"));
    let done = run(&["run", &file]);
    assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (0, "1 0.25\n[1, 2]\n", ""));
}

#[test]
fn run_takes_inputs() {
    let file = program("input rate: real = 0.1\ninput name: string = \"plain\"\nprint rate, name\n");
    assert_eq!(run(&["run", &file]).out, "0.1 plain\n");
    assert_eq!(run(&["run", &file, "rate=0.5", "name=bold"]).out, "0.5 bold\n");
    let done = run(&["run", &file, "rat=0.5"]);
    assert_eq!(done.code, 2);
    assert!(done.err.contains("did you mean `rate`?"), "{}", done.err);
    assert_eq!(done.out, "");
    assert_eq!(run(&["run", &file, "rate"]).code, 2);
    assert_eq!(run(&["run", &file, "rate=1", "rate=2"]).code, 2);
}

#[test]
fn a_program_comes_from_standard_input() {
    let mut child = minima(&["run", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(b"print 6*7\nprint y\n").expect("it reads");
    let done = done(child.wait_with_output().expect("it ends"));
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    assert!(done.err.contains("<stdin>:2:7"), "{}", done.err);
}

#[test]
fn nothing_is_printed_by_a_program_with_errors() {
    let file = program("print 1\nlet x = [1.0, 2.0] + [1.0, 2.0, 3.0]\nprint lmbda\nlet (a = 1\n");
    let done = run(&["run", &file]);
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    assert!(done.err.contains("E0203"), "{}", done.err);
    let checked = run(&["check", &file]);
    assert_eq!(checked.code, 1);
    assert_eq!(checked.err, done.err, "check and run find the same");
}

#[test]
fn check_runs_nothing() {
    let file = program(format!("{BOWL}print bowl([3.0, 4.0])\nsave [1.0] to \"never.npy\"\n"));
    let done = run(&["check", &file]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert_eq!(done.out, format!("{file}: no errors\n"));
    assert!(!folder().join("never.npy").exists());
}

#[test]
fn check_does_not_doubt_what_only_a_run_can_know() {
    let file = program(
        "let n = int(sum([1.0, 2.0]))\nprint zeros[n]\nlet f = if n > 2 then sin else cos\nprint f(0.0)\n",
    );
    assert_eq!(run(&["check", &file]).code, 0);
    assert_eq!(run(&["run", &file]).out, "[0, 0, 0]\n0\n");
}

#[test]
fn test_counts_on_its_last_line() {
    let file = program(
        "print \"not shown\"\nlet a = 2\ntest \"holds\" {\n  print \"shown\"\n  assert a == 2\n}\n\
         test \"fails\" {\n  assert a == 3, \"a is three\"\n}\n",
    );
    let done = run(&["test", &file]);
    assert_eq!(done.code, 3);
    assert!(done.out.starts_with("shown\n"), "{}", done.out);
    assert!(done.out.ends_with("1 passed, 1 failed\n"), "{}", done.out);
    assert!(done.err.contains("a is three") && done.err.contains("2 == 3"), "{}", done.err);
    let report = json(&run(&["test", &file, "--json"]));
    assert_eq!(report["passed"], 1);
    assert_eq!(report["programs"][0]["tests"][1]["passed"], false);
}

#[test]
fn test_runs_the_files_of_a_folder() {
    let folder = folder().join("tests");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    for name in ["a.opt", "b.opt"] {
        std::fs::write(folder.join(name), "test \"sum\" { assert 1 + 1 == 2 }\n").expect("written");
    }
    let done = run(&["test", &folder.display().to_string()]);
    assert_eq!((done.code, done.out.as_str()), (0, "2 passed, 0 failed\n"));
}

#[test]
fn ir_shows_the_code_of_solves() {
    let file = program(format!(
        "{BOWL}let first = minimize bowl(x) over x = [1.0] using gd()\n\
         let second = minimize bowl(x) over x = [1.0, 2.0] using gd()\nprint \"not shown\"\n"
    ));
    let done = run(&["ir", &file, "--after", "lower", "--solve", "second"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("the step loop of second") && done.out.contains("vjp"), "{}", done.out);
    assert!(!done.out.contains("first") && !done.out.contains("not shown"));
    let all = run(&["ir", &file]);
    assert!(all.out.contains("first") && !all.out.contains("vjp"), "{}", all.out);
    assert_eq!(run(&["ir", &file, "--after", "lowr"]).code, 2);
    assert_eq!(run(&["ir", &file, "--solve", "third"]).code, 2);
}

#[test]
fn ir_shows_every_pass_the_plan_and_the_machine_code() {
    let file = program("fn f(x: real) = sin(x)^2\nlet x = [1.0, 2.0]\nprint sum(grad(f)(t) for t in x)\n");
    let all = run(&["ir", &file, "--after", "all"]).out;
    let passes = ["lower", "simplify", "expand", "inline", "simplify", "hoist", "simplify"];
    let shown: Vec<&str> = all.lines().filter_map(|line| line.strip_prefix("// after ")).collect();
    assert_eq!(shown, passes);
    let first = run(&["ir", &file, "--after", "simplify:1"]).out;
    let last = run(&["ir", &file, "--after", "simplify:3"]).out;
    assert!(first.contains("vjp") && !last.contains("vjp"), "{first}{last}");
    assert_eq!(run(&["ir", &file]).out, last);
    assert_eq!(run(&["ir", &file, "--after", "simplify:4"]).code, 2);
    assert_eq!(run(&["ir", &file, "--after", "simplify:x"]).code, 2);
    let plan = run(&["ir", &file, "--after", "plan"]).out;
    assert!(plan.contains("nest [2]") && plan.contains("buffer of 16 bytes for %0: real[2]"), "{plan}");
    assert!(all.contains(plan.split_once("arena of").expect("its size").1), "{all}\n{plan}");
    let code = run(&["ir", &file, "--after", "code"]).out;
    assert!(code.contains("function u0:0"), "{code}");
}

#[test]
fn ir_tells_what_reverse_mode_keeps() {
    let file = program(
        "fn f(x: real[n]) {\n  var y = x\n  for k in 0..1000 { y = y + 0.01*sin(y) }\n  sum(y)\n}\n\
         let x = [1.0, 2.0]\nlet d = grad(f)(x)\nlet e = grad(x -> checkpoint(f(x)))(x)\n",
    );
    let done = run(&["ir", &file, "--memory"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let line = format!("{file}:3: ");
    let kept: Vec<&str> =
        done.out.lines().filter_map(|l| l.trim_start().strip_prefix(line.as_str())).collect();
    assert_eq!(
        kept,
        [
            "15.6 KiB, 16 bytes of each of 1000 turns; each turn is computed once more",
            "1.0 KiB of 15.6 KiB, 1000 turns being 40 segments of 25; each turn is computed 2 times more",
        ]
    );
    let report = json(&run(&["ir", &file, "--memory", "--json"]));
    let codes = report["code"].as_array().expect("a list");
    let memory = &codes.last().expect("the last statement")["memory"];
    assert_eq!(memory["loops"][0]["sizes"], serde_json::json!([40, 25]));
    assert_eq!(memory["loops"][0]["kept_bytes"], 65 * 16);
    assert_eq!(memory["buffers"][0]["type"], "real[40, 2]");
    assert_eq!(memory["buffers"][0]["bytes"], 640);
    // The same loop may keep nothing like that.
    let tight = run(&["run", &file, "--memory-limit", "200"]);
    assert_eq!(tight.code, 5);
    assert!(tight.err.contains("E0509") && tight.err.contains("`checkpoint(e)`"), "{}", tight.err);
}

#[test]
fn grad_prints_a_program() {
    let file = program("fn f(x: real[n]) = sum(x^2)\nfn g(x: real) = sin(x)\n");
    let done = run(&["grad", &format!("{file}:g")]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("cos(x)"), "{}", done.out);
    let derivative = program(&done.out);
    assert_eq!(run(&["check", &derivative]).code, 0, "it is a program: {}", done.out);
    assert_eq!(run(&["grad", &format!("{file}:h")]).code, 1);
    assert!(json(&run(&["grad", &format!("{file}:f"), "--json"]))["derivative"].is_string());
}

#[test]
fn eval_prints_values() {
    let done = run(&["eval", "let x = [1.0, 2.0]", "sum(x^2)", "grad(t -> t^3)(2.0)"]);
    assert_eq!((done.code, done.out.as_str()), (0, "5\n12\n"));
    let wrong = run(&["eval", "sum(y)"]);
    assert_eq!((wrong.code, wrong.out.as_str()), (1, ""));
    assert_eq!(run(&["eval", "--", "-1 + 2"]).out, "1\n");
}

#[test]
fn explain_knows_every_code() {
    let done = run(&["explain", "e0203"]);
    assert_eq!(done.code, 0);
    assert!(done.out.contains("cannot combine"), "{}", done.out);
    assert_eq!(run(&["explain", "E9999"]).code, 2);
    let all = run(&["explain"]).out;
    assert!(all.lines().count() > 100 && all.contains("E0301"));
}

#[test]
fn version_is_that_of_the_crate() {
    assert_eq!(run(&["version"]).out, format!("minima {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(json(&run(&["version", "--json"]))["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn help_fits_a_screen_and_has_an_example() {
    let overview = run(&["--help"]);
    assert_eq!((overview.code, overview.err.as_str()), (0, ""));
    assert_eq!(overview.out, run(&["help"]).out);
    let verbs = overview.out.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    let verbs: Vec<&str> = verbs.collect();
    for known in ["run", "check", "eval", "optimizers", "help", "version"] {
        assert!(verbs.contains(&known), "{known}");
    }
    for verb in verbs {
        let done = run(&[verb, "--help"]);
        assert_eq!(done.code, 0);
        assert_eq!(done.out, run(&["help", verb]).out);
        let example = done.out.lines().find(|line| line.starts_with("Example: "));
        assert!(example.is_some_and(|line| line.contains("minima")), "{verb} has an example");
        assert!(done.out.lines().count() <= 30, "{verb}: {} lines", done.out.lines().count());
        assert!(done.out.contains("minima help options"), "{verb} says where the other options are");
        assert!(!done.out.contains("--memory-limit <"), "{verb} does not list them");
    }
    assert!(overview.out.lines().count() <= 30);
    assert_eq!(run(&[]).err, overview.out);
    assert_eq!(run(&[]).code, 2);
    assert_eq!(run(&["rnu", "x.opt"]).code, 2);
}

#[test]
fn help_has_pages_about_options_and_exit_codes() {
    let codes = run(&["help", "exit-codes"]).out;
    for code in ["0  done", "1  ", "2  ", "3  ", "4  ", "5  ", "6  ", "7  ", "70  ", "130  ", "143"] {
        assert!(codes.contains(code), "{code}");
    }
    let options = run(&["help", "options"]).out;
    for option in ["--json", "--quiet", "--seed", "--precision", "--memory-limit", "--threads", "--color"] {
        assert!(options.contains(option), "{option}");
    }
    assert!(!options.contains("--engine") && !options.contains("--help"), "{options}");
    assert_eq!(json(&run(&["help", "options", "--json"]))["topic"], "options");
    let wrong = run(&["help", "optoins"]);
    assert_eq!(wrong.code, 2);
    assert_eq!(wrong.err, "error: there is no help about `optoins`; did you mean `options`?\n");
}

// Exit codes

#[test]
fn exit_codes_tell_what_happened() {
    let cases: &[(i32, String)] = &[
        (0, "print 1\n".into()),
        (0, format!("{BOWL}let fit = minimize bowl(x) over x = [0.0] using gd(lr = 0.4)\n")),
        (1, "print x\n".into()),
        (1, "print zeros[10^12]\n".into()),
        (1, "fn f(k: real) = [1.0, 2.0][int(k)]\nprint f(7.0)\n".into()),
        (3, "assert 1 == 2\nprint 1\n".into()),
        (
            3,
            format!(
                "{BOWL}let fit = minimize bowl(x) over x = [0.0] using gd(lr = 1e-3) until grad_norm < 1e-8 or steps >= 5\n"
            ),
        ),
        (
            0,
            format!("{BOWL}let fit = minimize bowl(x) over x = [0.0] using gd(lr = 1e-3) until steps >= 5\n"),
        ),
        (4, "let fit = minimize x^4 - x^6 over x = 2.0 using gd(lr = 1.0) until grad_norm < 1e-8\n".into()),
        (5, format!("print {}1{}\n", "(".repeat(1000), ")".repeat(1000))),
        (6, "let data = csv(\"missing.csv\")\nprint data\n".into()),
    ];
    for (code, text) in cases {
        let file = program(text);
        let done = run(&["run", &file]);
        assert_eq!(done.code, *code, "{text}\n{}{}", done.out, done.err);
        let report = json(&run(&["run", &file, "--json"]));
        assert_eq!(report["exit"], *code, "{text}");
    }
    assert_eq!(run(&["run", "no/such/file.opt"]).code, 2);
    assert_eq!(run(&["run", &program("print zeros[1000000]\n"), "--memory-limit", "1MB"]).code, 5);
}

#[test]
fn an_unmet_solve_is_explained() {
    let file = program(format!(
        "{BOWL}let fit = minimize bowl(x) over x = [0.0] using gd(lr = 1e-3) until grad_norm < 1e-8 or steps >= 5\n"
    ));
    let done = run(&["run", &file]);
    assert!(done.err.contains("`fit`") && done.err.contains("iteration_limit"), "{}", done.err);
    assert_eq!(run(&["run", &file, "--quiet"]).err, "");
}

#[test]
fn a_failed_assertion_shows_its_sides() {
    let done = run(&["run", &program("let a = 2.5\nassert a < 1, \"a is small\"\nprint \"on\"\n")]);
    assert_eq!((done.code, done.out.as_str()), (3, "on\n"));
    for part in ["E0506", "a is small", "2.5 < 1", ":2:1"] {
        assert!(done.err.contains(part), "{part}: {}", done.err);
    }
}

#[test]
fn internal_errors_are_told_as_such() {
    for stage in ["parse", "check", "run", "pass:lower", "pass:simplify"] {
        let file = program("fn f(x: real) = x^2\nprint grad(f)(1.0)\n");
        let done = run(&["run", &file, "--plant-panic", stage]);
        assert_eq!((done.code, done.out.as_str()), (70, ""), "{stage}");
        assert!(done.err.contains("internal error, please report: a planted panic"), "{}", done.err);
        assert!(!done.err.contains("thread '"), "no raw panic: {}", done.err);
        let report = json(&run(&["run", &file, "--plant-panic", stage, "--json"]));
        assert_eq!(report["exit"], 70);
    }
}

// JSON

#[test]
fn the_report_of_a_run_has_its_fields() {
    let file = program(format!(
        "{BOWL}objective P() {{\n  param w: real[2] = 0\n  param r: (a: real, b: real[1]) = (a = 1.0, b = [2.0])\n  \
         minimize bowl(w) + r.a^2 + bowl(r.b)\n  report size = norm(w)\n}}\n\
         let fit = solve P() using gd(lr = 0.4)\nprint fit.w\nassert fit.loss < 1\nlet unused = 3\n"
    ));
    let done = run(&["run", &file, "--json", "--seed", "7"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{}", done.err);
    let report = json(&done);
    assert_eq!(report["schema"], "minima.report/v1");
    assert_eq!(report["verb"], "run");
    assert!(report["program"]["hash"].as_str().is_some_and(|hash| hash.starts_with("fnv1a64:")));
    assert_eq!(report["config"]["seed"], serde_json::json!({ "value": 7, "default": false }));
    assert_eq!(report["config"]["precision"], serde_json::json!({ "value": "f64", "default": true }));
    let solve = &report["solves"][0];
    assert_eq!(solve["name"], "fit");
    assert_eq!(solve["status"], "locally_solved");
    assert_eq!(solve["met"], true);
    for figure in ["steps", "loss", "grad_norm", "seconds", "trace_length"] {
        assert!(solve[figure].is_number(), "{figure}");
    }
    for count in ["f", "grad", "hvp"] {
        assert!(solve["evals"][count].is_u64(), "{count}");
    }
    assert!(solve["reason"].is_string());
    assert_eq!(solve["params"]["w"].as_array().map(Vec::len), Some(2));
    assert!(solve["params"]["r"]["a"].is_number());
    assert_eq!(solve["params"]["r"]["b"].as_array().map(Vec::len), Some(1));
    assert!(solve["reports"]["size"].is_number());
    assert_eq!(report["prints"][0]["text"], "[3, 3]");
    assert_eq!(report["prints"][0]["line"], 9);
    assert_eq!(report["assertions"][0]["held"], true);
    assert_eq!(report["diagnostics"], serde_json::json!([]));
}

#[test]
fn diagnostics_are_objects() {
    let done =
        run(&["check", &program("let λ = 1\nlet y = λ + lambad\nlet lambda = 2\nprint lambad\n"), "--json"]);
    assert_eq!((done.code, done.err.as_str()), (1, ""));
    let found = &json(&done)["diagnostics"][0];
    assert_eq!(found["severity"], "error");
    assert_eq!(found["code"], "E0301");
    assert_eq!((&found["line"], &found["column"]), (&2.into(), &13.into()));
    assert_eq!(found["span"], serde_json::json!([24, 30]));
    for field in ["message", "file", "labels", "help", "fix"] {
        assert!(!found[field].is_null() || field == "fix", "{field}");
    }
}

#[test]
fn numbers_that_json_lacks_are_texts() {
    let done =
        run(&["run", &program("let fit = minimize x^4 - x^6 over x = 2.0 using gd(lr = 1.0)\n"), "--json"]);
    let report = json(&done);
    assert_eq!(report["solves"][0]["status"], "numerical_error");
    assert_eq!(done.code, 4);
}

#[test]
fn failures_before_a_program_are_json_too() {
    let done = run(&["run", "no/such/file.opt", "--json"]);
    let report = json(&done);
    assert_eq!((&report["exit"], done.code), (&2.into(), 2));
    assert!(report["error"].is_string());
}

// Options

#[test]
fn colors_are_for_terminals() {
    let file = program("print x\n");
    let escape = '\u{1b}';
    assert!(!run(&["check", &file]).err.contains(escape));
    assert!(run(&["check", &file, "--color", "always"]).err.contains(escape));
    assert!(!run(&["check", &file, "--color", "never"]).err.contains(escape));
}

#[test]
fn precision_comes_from_the_file_or_the_option() {
    let text = "print 1.0 + 1e-9 == 1.0\n";
    assert_eq!(run(&["run", &program(text)]).out, "false\n");
    assert_eq!(run(&["run", &program(text), "--precision", "f32"]).out, "true\n");
    let single = program(format!("precision f32\n{text}"));
    assert_eq!(run(&["run", &single]).out, "true\n");
    assert_eq!(json(&run(&["run", &single, "--json"]))["config"]["precision"]["value"], "f32");
}

#[test]
fn equal_seeds_give_equal_draws() {
    let file = program("let z: real[3] ~ normal(0, 1)\nprint z\n");
    let draw = |seed| run(&["run", &file, "--seed", seed]).out;
    assert_eq!(draw("1"), draw("1"));
    assert_ne!(draw("1"), draw("2"));
    assert_eq!(draw("0"), run(&["run", &file]).out);
}

#[test]
fn a_time_limit_ends_a_solve_with_its_best() {
    let began = Instant::now();
    let done = run(&["run", &program(ENDLESS), "--time-limit", "0.5"]);
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!((done.code, done.out.as_str()), (3, "after\n"), "{}", done.err);
    assert!(done.err.contains("time_limit"), "{}", done.err);
}

#[test]
fn at_most_twenty_errors_are_shown() {
    let text: String = (0..50).map(|k| format!("let a{k} = [1.0, 2.0] + [1.0, 2.0, 3.0]\n")).collect();
    let done = run(&["check", &program(text)]);
    assert_eq!(done.err.matches("[E0203]").count(), 20);
    assert!(done.err.contains("and 30 more"), "{}", done.err);
}

// The world around

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    let file = program("for i in 0..100000 { print i }\n");
    let mut child = minima(&["run", &file])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut first = [0; 2];
    child.stdout.take().expect("a pipe").read_exact(&mut first).expect("a line");
    let done = done(child.wait_with_output().expect("it ends"));
    assert_eq!((done.code, done.err.as_str()), (6, ""));
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args([name, &id]).status().expect("kill starts");
    assert!(sent.success());
}

/// Starts an endless solve, and waits until it is at it.
#[cfg(unix)]
fn endless() -> Child {
    let mut child = minima(&["run", &program(ENDLESS), "--verbose"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut said = Vec::new();
    let progress = child.stderr.as_mut().expect("a pipe");
    while !String::from_utf8_lossy(&said).contains("until") {
        let mut byte = [0];
        progress.read_exact(&mut byte).expect("it goes on");
        said.push(byte[0]);
    }
    child
}

#[cfg(unix)]
#[test]
fn a_loop_that_is_interrupted_says_so() {
    let text =
        "print \"begun\"; var x = 0.0; for i in 0..1_000_000_000_000 { x += 1.0 }; print x; print \"after\"";
    let mut child = Command::new(env!("CARGO_BIN_EXE_minima"))
        .args(["eval", text])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut first = [0; 6];
    child.stdout.as_mut().expect("it is piped").read_exact(&mut first).expect("it says something");
    assert_eq!(&first, b"begun\n");
    signal(&child, "-INT");
    let done = done(child.wait_with_output().expect("it ends"));
    assert_eq!(done.code, 130, "{}", done.err);
    assert!(done.err.contains("[E0503] Error: interrupted") && !done.out.contains("after"), "{}", done.err);
}

#[cfg(unix)]
#[test]
fn an_interrupt_prints_the_best_so_far() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let child = endless();
        signal(&child, name);
        let began = Instant::now();
        let done = done(child.wait_with_output().expect("it ends"));
        assert!(began.elapsed() < Duration::from_secs(10));
        assert_eq!(done.code, code, "{}", done.err);
        assert!(done.out.contains("fit = interrupted") && done.out.contains("loss"), "{}", done.out);
        assert!(!done.out.contains("after"), "nothing more is begun: {}", done.out);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_memory_is_both_writable_and_executable() {
    let mut child = endless();
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", child.id())).expect("the maps");
    child.kill().expect("it ends");
    child.wait().expect("it ends");
    let both: Vec<&str> = maps
        .lines()
        .filter(|line| {
            line.split_whitespace().nth(1).is_some_and(|rights| rights.contains('w') && rights.contains('x'))
        })
        .collect();
    assert!(maps.contains("r-x"), "there is code");
    assert!(both.is_empty(), "{both:?}");
    // Where the system calls can be watched, none may ask for both at once either.
    let file =
        program(format!("{BOWL}let fit = minimize bowl(x) over x = [0.0] using gd(lr = 0.4)\nprint fit.x\n"));
    let traced = Command::new("strace")
        .args([
            "-f",
            "-qq",
            "-e",
            "trace=mmap,mprotect,pkey_mprotect",
            env!("CARGO_BIN_EXE_minima"),
            "run",
            &file,
        ])
        .output();
    if let Ok(traced) = traced
        && traced.status.success()
    {
        let calls = String::from_utf8_lossy(&traced.stderr).into_owned();
        assert!(calls.contains("PROT_EXEC"), "machine code was made: {calls}");
        assert!(!calls.contains("PROT_WRITE|PROT_EXEC"), "{calls}");
    }
}

// Errors are safe to show

/// Bytes that a terminal could take as a command, or that turn the text around.
fn is_raw(letter: char) -> bool {
    (letter.is_control() && letter != '\n')
        || matches!(letter,
            '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[test]
fn no_raw_control_reaches_the_terminal() {
    let bidi: Vec<String> =
        "\u{061C}\u{200E}\u{200F}\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}\u{2066}\u{2067}\u{2068}\u{2069}"
            .chars()
            .map(|mark| format!("let x = \"{mark}\" + 1\n"))
            .collect();
    let mut fixtures: Vec<Vec<u8>> = bidi.into_iter().map(String::into_bytes).collect();
    for text in [
        "let x = \u{1b}[31m red\n",
        "print \"\u{1b}]0;title\u{7}\"\n",
        "let x = \"\u{1b}[2J\" + 1\n",
        "print a\u{0}b\n",
        "let \u{8}x = 1\nprint \u{7f}\n",
        "// \u{1b}[1m\nprint x // \u{202e}\n",
        "let x = csv(\"\u{1b}[31m.csv\")\n",
        "let x = csv(\"\u{202e}vsc.elif\")\n",
        "import \"\u{1b}[31m.opt\"\n",
        "assert 1 == 2, \"\u{1b}[31m\u{202e}\"\n",
        "input \u{1b}: real\n",
        "test \"\u{1b}[31m\" { assert 1 == 2 }\nprint y\r\n",
        "print x\r\nprint y\u{85}\u{9b}31m\n",
    ] {
        fixtures.push(text.into());
    }
    fixtures.extend([
        b"print \xff\xfe\n".to_vec(),
        b"print 1\nlet x = \"\xc3\x28\"\n".to_vec(),
        b"\xef\xbb\xbfprint 1\n".to_vec(),
        b"\xe2\x80".to_vec(),
        b"\0\0\0\0".to_vec(),
        vec![0x80; 300],
    ]);
    // Every control character of ASCII, in code, in a text, and in a comment.
    for byte in (0..0x20).chain([0x7f]).filter(|byte| *byte != b'\n') {
        fixtures.push([b"print x", [byte].as_slice(), b"y\n"].concat());
        fixtures.push([b"print \"", [byte].as_slice(), b"\" + 1\n"].concat());
        fixtures.push([b"print z // ", [byte].as_slice(), b"\n"].concat());
    }
    assert!(fixtures.len() >= 100, "{}", fixtures.len());
    for fixture in fixtures {
        let file = program(&fixture);
        let shown = String::from_utf8_lossy(&fixture).into_owned();
        for verb in ["run", "test"] {
            let done = run(&[verb, &file, "--color", "never"]);
            assert!([0, 1, 2, 3, 5, 6].contains(&done.code), "{shown:?}: {}", done.code);
            for text in [&done.out, &done.err] {
                assert!(!text.contains(is_raw), "{shown:?}: {text:?}");
            }
        }
        let done = run(&["check", &file, "--json"]);
        assert!(!done.out.contains(is_raw), "{shown:?}: {:?}", done.out);
        let length = String::from_utf8_lossy(&fixture).len() as u64;
        for found in json(&done)["diagnostics"].as_array().expect("a list") {
            let span = (found["span"][0].as_u64(), found["span"][1].as_u64());
            let (Some(start), Some(end)) = span else { panic!("{found}") };
            assert!(start <= end && end <= length, "{shown:?}: {found}");
        }
    }
}

#[test]
fn file_names_are_safe_to_show() {
    let path = folder().join("\u{1b}[31m\u{202e}.opt");
    std::fs::write(&path, "print x\n").expect("written");
    for arguments in [["check", &path.display().to_string()], ["run", &path.display().to_string()]] {
        let done = run(&arguments);
        assert_eq!(done.code, 1);
        assert!(!done.err.contains(is_raw) && !done.out.contains(is_raw), "{:?}", done.err);
    }
    let done = run(&["run", "no\u{1b}[31mfile.opt"]);
    assert!(!done.err.contains(is_raw), "{:?}", done.err);
    let done = run(&["no\u{1b}[31mverb"]);
    assert!(!done.err.contains(is_raw), "{:?}", done.err);
}

#[test]
fn data_are_safe_to_show() {
    let data = folder().join("hostile.csv");
    std::fs::write(&data, "a\u{1b}[31m,b\n1,\u{202e}two\u{7}\n").expect("written");
    let file = program("let d = csv(\"hostile.csv\")\nprint d\nprint matrix(d)\nprint d.b\n");
    let done = run(&["run", &file]);
    assert!(!done.out.contains(is_raw) && !done.err.contains(is_raw), "{:?} {:?}", done.out, done.err);
    assert_eq!(done.code, 6, "{}", done.err);
}

#[test]
fn long_lines_are_cut() {
    let file = program(format!("let x = [{}] + lmbda + [{}]\n", "1.0, ".repeat(5000), "2.0, ".repeat(5000)));
    let done = run(&["check", &file]);
    assert!(done.err.contains("lmbda"), "{}", done.err);
    let widest = done.err.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    assert!(widest <= 240, "{widest}");
}

// Gradcheck

/// The program's derivatives, checked: what was said, and the report.
fn gradchecked(text: &str) -> (Done, Value) {
    let file = program(text);
    let report = json(&run(&["gradcheck", &file, "--json"]));
    let done = run(&["gradcheck", &file]);
    assert_eq!(report["exit"], done.code);
    (done, report)
}

#[test]
fn gradcheck_tells_of_every_block() {
    let (done, report) = gradchecked(
        "objective ridge(A: real[n, d], y: real[n]) {\n  param w: real[d] = 0.5\n  param b: real = 0\n  \
         minimize mean((A @ w + b - y)^2) + 0.1*dot(w, w)\n}\n\
         let fit = solve ridge([[1.0, 2.0], [3.0, 5.0], [4.0, 1.0]], [2.0, 4.0, 6.0]) using newton()\n\
         print fit.loss\n",
    );
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{}", done.out);
    assert!(done.out.starts_with("gradient of fit ("), "{}", done.out);
    assert!(done.out.contains("Hessian-vector products of fit"), "{}", done.out);
    assert!(done.out.ends_with("4 agree, 0 wrong\n"), "{}", done.out);
    assert!(!done.out.contains("differences: none"), "nothing is printed but what was checked: {}", done.out);
    let checks = report["checks"].as_array().expect("a list");
    let kinds: Vec<&Value> = checks.iter().map(|check| &check["kind"]).collect();
    assert_eq!(kinds, ["objective", "hvp"]);
    for check in checks {
        assert_eq!((&check["name"], &check["line"]), (&"fit".into(), &6.into()));
        let points = check["points"].as_array().expect("a list");
        assert_eq!(points.len(), 2);
        for block in points.iter().flat_map(|point| point["blocks"].as_array().expect("a list")) {
            assert_eq!(block["verdict"], "agrees");
            assert!(block["differences"].as_f64().expect("a number") < 1e-6, "{block}");
            assert!(block["transposed"].as_f64().expect("a number") < 1e-9, "{block}");
        }
        let names: Vec<&Value> =
            points[0]["blocks"].as_array().expect("a list").iter().map(|b| &b["block"]).collect();
        assert_eq!(names, ["w", "b"]);
    }
}

#[test]
fn gradcheck_names_a_wrong_derivative_with_its_line_and_error() {
    let (done, report) = gradchecked(
        "fn cube(t: real) -> real = t^3\n  derivative dt -> 2*t^2*dt\n\
         let fit = minimize cube(x) + x^2 over x = 1.0 using gd() until steps >= 1\n",
    );
    assert_eq!(done.code, 3, "{}{}", done.out, done.err);
    assert!(done.err.contains("[E0507]") && done.err.contains(":2:14"), "{}", done.err);
    assert!(done.err.contains("at t = 1 it gives 2 in t, differences give 3"), "{}", done.err);
    assert!(done.err.contains("relative error 0.333333"), "{}", done.err);
    // The objective follows what is stated, and is not at fault.
    assert!(done.out.ends_with("0 agree, 1 stated, 1 wrong\n"), "{}", done.out);
    let stated = &report["checks"][0];
    assert_eq!(
        (&stated["kind"], &stated["name"], &stated["line"]),
        (&"stated".into(), &"cube".into(), &2.into())
    );
    let block = &stated["points"][0]["blocks"][0];
    assert_eq!(
        (&block["verdict"], &block["place"], &block["derivative"]),
        (&"wrong".into(), &"t".into(), &2.0.into())
    );
    assert!((block["slope"].as_f64().expect("a number") - 3.0).abs() < 1e-9);
}

#[test]
fn gradcheck_finds_small_errors_and_where_they_are() {
    // One of twenty numbers is a thousandth too large.
    let (done, _) = gradchecked(
        "fn f(w: real[n]) -> real = sum(exp(w))\n  \
         derivative dw -> sum(exp(w)*dw) + 0.001*exp(w[13])*dw[13]\n\
         let w: real[20] ~ normal(0, 1)\nprint f(w)\n",
    );
    assert_eq!(done.code, 3, "{}", done.out);
    assert!(done.out.contains("w[20]") && done.out.contains("in w[13]"), "{}", done.out);
    assert!(done.err.contains("relative error 0.000999"), "{}", done.err);
    // A parameter that is forgotten, in a function that nobody calls.
    let (done, _) = gradchecked("fn f(a: real, b: real) -> real = a*b\n  derivative da, db -> b*da\n");
    assert_eq!(done.code, 3, "{}", done.out);
    assert!(
        done.out.contains("a                agrees") && done.out.contains("b                wrong"),
        "{}",
        done.out
    );
    // A hundred-thousandth in single precision is rounding, a hundredth is not.
    for (factor, code) in [("1.00001", 0), ("1.01", 3)] {
        let text =
            format!("precision f32\nfn f(a: real) -> real = exp(a)\n  derivative da -> {factor}*exp(a)*da\n");
        let (done, _) = gradchecked(&text);
        assert_eq!(done.code, code, "{}", done.out);
    }
}

#[test]
fn gradcheck_says_of_kinks_jumps_and_surrogates_what_they_are() {
    let (done, _) = gradchecked(
        "fn spike(v: real) -> real = if v > 0 then 1 else 0\n  derivative dv -> dv/(1 + v^2)\n  is surrogate\n\
         let kink = minimize abs(x) over x = 0.0 using gd() until steps >= 1\n\
         let jump = minimize floor(x) + x^2 over x = 2.0 using gd() until steps >= 1\n\
         let step = minimize spike(x) over x = 0.5 using gd() until steps >= 1\n\
         let held = minimize x*constant(x) over x = 2.0 using gd() until steps >= 1\n",
    );
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{}", done.out);
    for said in [
        "the slope is -1 on one side and 1 on the other, the derivative 0",
        "the value jumps by 1",
        "0.8 in x, differences give 0: it follows a derivative that is stated to be another",
        "2 in x, differences give 4: it follows a derivative that is stated to be another",
    ] {
        assert!(done.out.contains(said), "{said}: {}", done.out);
    }
    assert!(done.out.ends_with("0 agree, 1 kink, 1 jump, 3 stated, 0 wrong\n"), "{}", done.out);
}

#[test]
fn gradcheck_looks_at_what_statements_ask_for() {
    let (done, report) = gradchecked(
        "fn f(x: real[3]) = [sum(x^2), prod(x)]\nprint jacobian(f)([1.0, 2.0, 3.0])\n\
         print [grad(t -> abs(t))(a) for a in [0.0, 1.0]]\nlet (a, b) = (2.0, 3.0)\n\
         print hvp(x -> sum(x^3), [a, b], [1.0, 1.0])\n",
    );
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{}", done.out);
    assert!(done.out.starts_with("`jacobian(f)([1.0, 2.0, 3.0])` ("), "{}", done.out);
    assert!(done.out.contains("the slope is -1 on one side and 1 on the other"), "{}", done.out);
    assert!(done.out.ends_with("2 agree, 1 kink, 0 wrong\n"), "{}", done.out);
    let kinds: Vec<&Value> =
        report["checks"].as_array().expect("a list").iter().map(|check| &check["kind"]).collect();
    assert_eq!(kinds, ["asked", "asked", "asked"]);
}

#[test]
fn gradcheck_names_what_is_not_finite() {
    let (done, report) =
        gradchecked("let fit = minimize sum(log(x)) + 1 over x = [0.0, 2.0] using gd() until steps >= 1\n");
    assert_eq!(done.code, 4, "{}", done.out);
    assert!(done.err.contains("[E0508]") && done.err.contains("log of 0"), "{}", done.err);
    assert!(done.out.contains("the value is not finite: log of 0"), "{}", done.out);
    let points = report["checks"][0]["points"].as_array().expect("a list");
    assert_eq!(points[0]["not_finite"]["why"], "log of 0");
    assert_eq!(points[1]["blocks"][0]["verdict"], "agrees", "near the start there is a value");
    let (done, _) = gradchecked("minimize sqrt(x) over x = 0.0 using gd() until steps >= 1\n");
    assert_eq!(done.code, 4, "{}", done.out);
    assert!(done.err.contains("the derivative of the objective is not finite"), "{}", done.err);
}

#[test]
fn gradcheck_runs_no_solve_and_saves_nothing() {
    let file = program(format!("{ENDLESS}save fit.x to \"never_checked.npy\"\n"));
    let done = run(&["gradcheck", &file]);
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{}", done.out);
    assert!(!done.out.contains("after") && !folder().join("never_checked.npy").exists());
    let nothing = run(&["gradcheck", &program("print 1 + 1\n")]);
    assert_eq!((nothing.code, nothing.out.as_str()), (0, "there is no derivative to check\n"));
    let wrong = run(&["gradcheck", &program("print lmbda\n")]);
    assert_eq!((wrong.code, wrong.out.as_str()), (1, ""));
    let inputs =
        program("input a: real = 1\nlet fit = minimize (x - a)^4 over x = 3.0 using gd() until steps >= 1\n");
    let (one, other) = (run(&["gradcheck", &inputs]), run(&["gradcheck", &inputs, "a=2", "--seed", "7"]));
    assert_eq!((one.code, other.code), (0, 0));
    assert!(one.out != other.out, "other points");
}

// Optimizers

#[test]
fn optimizers_are_listed_by_family() {
    let done = run(&["optimizers"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    let adamw = "  adamw(lr = 1e-3, b1 = 0.9, b2 = 0.999, eps = 1e-8, weight_decay = 1e-4)  \
                 Loshchilov & Hutter, 2019\n      AdamW: Adam with decoupled weight decay, which lr multiplies too\n";
    assert!(done.out.contains(adamw), "{}", done.out);
    assert!(done.out.starts_with("first order: ") && done.out.contains("\n\nwrappers: "), "{}", done.out);
    assert!(done.out.lines().all(|line| line.chars().count() <= 100));
    let last = done.out.lines().last().expect("a last line");
    assert!(last.ends_with(" optimizers; `minima optimizers NAME` shows one"), "{last}");
    let report = json(&run(&["optimizers", "--json"]));
    let listed = report["optimizers"].as_array().expect("a list");
    assert!(last.starts_with(&format!("{} ", listed.len())), "{last}");
    let adam = listed.iter().find(|one| one["name"] == "adam").expect("it is there");
    assert_eq!((&adam["family"], &adam["source"]), (&"first order".into(), &"Kingma & Ba, 2015".into()));
    let b1 = serde_json::json!({ "name": "b1", "type": "real", "range": "[0, 1)", "default": "0.9" });
    assert_eq!(adam["hyper_parameters"][1], b1);
}

#[test]
fn optimizers_are_found_by_family_and_text() {
    let family = run(&["optimizers", "--family", "Second-Order", "--json"]);
    let names: Vec<Value> = json(&family)["optimizers"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["name"].clone())
        .collect();
    assert!(names.contains(&"lbfgs".into()) && !names.contains(&"adam".into()), "{names:?}");
    let found = run(&["optimizers", "--search", "hinton"]);
    assert!(found.out.contains("rmsprop(") && !found.out.contains("lion("), "{}", found.out);
    assert_eq!(run(&["optimizers", "--search", "no such words"]).out, "there are none\n");
    let wrong = run(&["optimizers", "--family", "wrapers"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("did you mean `wrappers`?"), "{}", wrong.err);
}

#[test]
fn an_optimizer_has_a_page() {
    let done = run(&["optimizers", "lbfgs"]);
    assert_eq!(done.code, 0);
    for part in [
        "family: second order; source: Liu & Nocedal, 1989",
        "m                int   [1, 1000]  10",
        "fn two_loop(",
    ] {
        assert!(done.out.contains(part), "{part}: {}", done.out);
    }
    let page = json(&run(&["optimizers", "brent", "--json"]));
    assert_eq!(page["optimizers"][0]["hyper_parameters"][0]["default"], Value::Null);
    assert!(run(&["optimizers", "brent"]).out.contains("must be given"));
    let wrong = run(&["optimizers", "adamv"]);
    assert_eq!((wrong.code, wrong.out.as_str()), (2, ""));
    assert!(wrong.err.contains("E0701") && wrong.err.contains("did you mean `adam`?"), "{}", wrong.err);
    assert_eq!(json(&run(&["optimizers", "adamv", "--json"]))["diagnostics"][0]["code"], "E0701");
}

#[test]
fn optimizers_of_a_program_are_listed() {
    let file = program(
        "/// Plain steps (Cauchy, 1847). More.\noptimizer plain(lr: real in (0, 1) = 0.1) {\n  step { x -= lr*g }\n}\n",
    );
    let done = run(&["optimizers", &file]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.out.contains("  plain(lr = 0.1)") && done.out.contains("Cauchy, 1847\n      Plain steps\n"),
        "{}",
        done.out
    );
    assert_eq!(run(&["optimizers", &program("print 1\n")]).out, "there are none\n");
    assert_eq!(run(&["optimizers", &program("optimizer (\n")]).code, 1);
    assert_eq!(run(&["optimizers", "no/such.opt"]).code, 2);
}

// Compare

/// A comparison as a table, without seconds, and as a report.
fn compared(file: &str, more: &[&str]) -> (Done, Value) {
    let arguments: Vec<&str> = ["compare", file].iter().chain(more).copied().collect();
    let report = json(&run(&[&arguments[..], &["--json"]].concat()));
    let done = run(&arguments);
    assert_eq!(report["exit"], done.code, "{}", done.err);
    (done, report)
}

const VALLEY: &str = "let start: real[2] ~ normal(0, 1)
fn valley(x: real[2]) = 20*(x[1] - x[0]^2)^2 + (1 - x[0])^2
let first = minimize valley(x) over x = [0.0, 0.0] using gd() until steps >= 1
let fit = minimize valley(x) over x = start until grad_norm < 1e-6
print \"not shown\", fit.loss
save fit.x to \"compare_never.npy\"
assert 1 == 2
";

#[test]
fn optimizers_are_compared_on_a_solve() {
    let file = program(VALLEY);
    let (done, report) = compared(&file, &["--using", "adam, lbfgs, random_search", "--grid", "0.01,0.1"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert!(
        done.out.starts_with(&format!("`fit` ({file}:4), 2 unknowns, 3 seeds\ntarget: loss ")),
        "{}",
        done.out
    );
    assert!(!done.out.contains("not shown") && !folder().join("compare_never.npy").exists());
    let ranked: Vec<&Value> =
        report["ranked"].as_array().expect("a list").iter().map(|row| &row["label"]).collect();
    assert_eq!(ranked[0], "lbfgs", "{}", done.out);
    assert_eq!(ranked.len(), 3);
    // Each rate and each seed ran, from starts of its own, all the same for each optimizer.
    let runs = report["runs"].as_array().expect("a list");
    assert_eq!(runs.len(), 3 * (2 + 1 + 1));
    let best =
        report["ranked"].as_array().expect("a list").iter().find(|row| row["label"] == "adam").expect("adam");
    let rows = report["rows"].as_array().expect("a list");
    let least = rows
        .iter()
        .filter(|row| row["label"] == "adam")
        .map(|row| row["loss"]["median"].as_f64().expect("a number"))
        .fold(f64::INFINITY, f64::min);
    assert_eq!(best["loss"]["median"], least);
    assert!(best["loss"]["min"].as_f64() < best["loss"]["max"].as_f64(), "{best}");
    for one in runs.iter().filter(|one| one["label"] == "lbfgs") {
        assert_eq!((&one["status"], &one["lr"]), (&"locally_solved".into(), &Value::Null));
        assert!(one["seconds"].as_f64() <= one["seconds_with_compilation"].as_f64(), "{one}");
        assert!(one["target"]["steps"].as_i64() <= one["steps"].as_i64(), "{one}");
    }
    for one in runs.iter().filter(|one| one["label"] == "random_search") {
        assert_eq!(
            (&one["status"], &one["steps"]),
            (&"iteration_limit".into(), &1000.into()),
            "the default limit"
        );
    }
    // All but the clock is the same again.
    let (_, again) = compared(&file, &["--using", "adam, lbfgs, random_search", "--grid", "0.01,0.1"]);
    let losses = |report: &Value| -> Vec<Value> {
        report["runs"].as_array().expect("a list").iter().map(|one| one["loss"].clone()).collect()
    };
    assert_eq!(losses(&report), losses(&again));
    // A run is what the program itself would do.
    let lbfgs = &runs.iter().find(|one| one["label"] == "lbfgs").expect("one")["loss"];
    let own = program(VALLEY.replace("start until", "start using lbfgs() until").replace("save", "// save"));
    let solves = json(&run(&["run", &own, "--json"]));
    assert_eq!(&solves["solves"][1]["loss"], lbfgs);
}

#[test]
fn a_comparison_shows_what_differs_and_what_fails() {
    let file = program(VALLEY);
    let (done, report) = compared(&file, &["--using", "gd,lbfgs", "--grid", "0.001,10", "--steps", "50"]);
    assert_eq!(done.code, 0);
    assert!(done.out.contains("at most 50 steps") && done.out.contains("±"), "{}", done.out);
    assert!(
        done.out.contains("the best lr is at the low end of the grid for gd: try 1e-4 with --grid"),
        "{}",
        done.out
    );
    let table = done.out.split_once("by learning rate").expect("the rates").1;
    assert!(table.contains("failed"), "{}", done.out);
    assert!(report["runs"].as_array().expect("a list").iter().all(|one| one["steps"].as_i64() <= Some(50)));
    let (failed, report) = compared(&file, &["--using", "gd(lr = 10)", "--seeds", "2"]);
    assert_eq!(failed.code, 4, "{}", failed.out);
    assert!(failed.out.contains("`gd(lr = 10)` failed in every run: "), "{}", failed.out);
    assert_eq!(report["ranked"][0]["statuses"], serde_json::json!({ "numerical_error": 2 }));
    let large = program("let fit = minimize sum((x - 1)^4) over x = zeros[2000] until grad_norm < 1e-3\n");
    let (done, report) = compared(
        &large,
        &["--using", "newton, adam(lr = 0.1)", "--steps", "5", "--seeds", "1", "--memory-limit", "40MB"],
    );
    assert_eq!(done.code, 0, "one of them ran");
    assert!(done.out.contains("2  newton") && done.out.contains("error E0509"), "{}", done.out);
    let failed = &report["runs"][0];
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&"error".into(), &"E0509".into()));
    let (named, report) =
        compared(&file, &["--solve", "first", "--using", "adam", "--steps", "7", "--seeds", "4"]);
    assert!(named.out.contains("nothing is drawn"), "{}", named.out);
    assert_eq!(report["runs"].as_array().expect("a list").len(), 5 * 2, "two seeds were enough");
    assert!(
        report["runs"].as_array().expect("a list").iter().all(|one| one["steps"] == 7),
        "the limit is another"
    );
}

#[test]
fn a_target_is_reached_or_not() {
    let file = program("let top = maximize 3 - (x - 1)^2 over x = 0.0 until loss > 2.9999\n");
    let (done, report) =
        compared(&file, &["--using", "gd(lr = 0.1), gd(lr = 1e-5)", "--target", "2.5", "--seeds", "1"]);
    assert!(done.out.contains("target: loss 2.5"), "{}", done.out);
    assert_eq!(report["maximize"], true);
    let [first, second] = &report["runs"].as_array().expect("a list")[..] else { panic!("{report}") };
    // 1 - x falls by a fifth in each step: (1 - x)^2 <= 1/2 after two.
    assert_eq!((&first["target"]["steps"], &first["target"]["evals"]), (&2.into(), &3.into()));
    assert_eq!(second["target"], Value::Null);
    assert_eq!(report["ranked"][0]["label"], "gd(lr = 0.1)");
}

#[test]
fn the_runs_of_a_comparison_are_written() {
    let file = program(VALLEY);
    let out = folder().join("compared");
    let path = out.display().to_string();
    let done = run(&[
        "compare",
        &file,
        "--using",
        "adam, \nlbfgs(m = 3)",
        "--grid",
        "0.1",
        "--seeds",
        "2",
        "--csv",
        "--out",
        &path,
    ]);
    assert_eq!(done.code, 0, "{}", done.err);
    let written = std::fs::read_to_string(out.join("runs.csv")).expect("the runs");
    assert_eq!(written, done.out);
    assert_eq!(written.lines().count(), 1 + 2 * 2);
    assert!(written.starts_with("optimizer,lr,seed,status,loss,"), "{written}");
    let lines = std::fs::read_to_string(out.join("1_adam_lr0.1_seed1.jsonl")).expect("a trajectory");
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((&records[0]["schema"], &records[0]["seed"]), (&"minima.trace/v1".into(), &1.into()));
    assert_eq!(records[1]["step"], 0);
    assert!(records.windows(2).skip(1).all(|two| two[0]["step"].as_i64() < two[1]["step"].as_i64()));
    let last = records.last().expect("a point");
    assert_eq!(last["loss"], records[0]["loss"]);
    assert!(out.join("2_lbfgs_seed0.jsonl").exists());
    let unwritable = run(&["compare", &file, "--out", &file]);
    assert_eq!(unwritable.code, 6, "{}", unwritable.err);
}

#[test]
fn what_cannot_be_compared_is_refused_before_anything_runs() {
    let file = program(VALLEY);
    let cases: &[(&[&str], i32, &str)] = &[
        (&["--using", "adam,lbfsg"], 2, "did you mean `lbfgs`?"),
        (&["--using", "2*adam"], 2, "E0702"),
        (&["--using", "adam(b1 = 3)"], 2, "E0424"),
        (&["--using", "adam(beta = 3)"], 2, "beta"),
        (&["--using", "adam, broyden"], 2, "E0703"),
        (&["--using", " , "], 2, "names no optimizer"),
        (&["--using", "adam("], 2, "E0105"),
        (&["--solve", "fi"], 2, "did you mean `fit`?"),
        (&["--grid", "1e-3,-1"], 2, "positive numbers"),
        (&["--grid", ","], 2, "positive numbers"),
        (&["--seeds", "0"], 2, "not in 1.."),
        (&["--steps", "many"], 2, "invalid value"),
        (&["--target", "inf"], 2, "a number is needed"),
        (&["rate=1"], 2, "no input `rate`"),
    ];
    for (arguments, code, text) in cases {
        let done = run(&[&["compare", &file], *arguments].concat());
        assert_eq!((done.code, done.out.as_str()), (*code, ""), "{arguments:?}: {}", done.err);
        assert!(done.err.contains(text), "{arguments:?}: {}", done.err);
    }
    let none =
        run(&["compare", &program("fn f(x: real) = (minimize (y - x)^2 over y = 0.0).y\nprint f(1.0)\n")]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("E0704"), "{}", none.err);
    assert_eq!(run(&["compare", &program("")]).code, 2);
    assert_eq!(run(&["compare", &program("print x\n")]).code, 1);
    assert_eq!(
        run(&["compare", &program("let d = csv(\"missing.csv\")\nlet fit = minimize x^2 over x = 1.0\n")])
            .code,
        6
    );
    let report = json(&run(&["compare", &file, "--using", "adamv", "--json"]));
    assert_eq!(report["diagnostics"][0]["code"], "E0701");
}

#[test]
fn solves_in_loops_and_of_equations_are_compared() {
    let file = program(
        "optimizer plain(lr: real = 0.1) {\n  step { x -= lr*g }\n}\n\
         for (name, optimizer) in [(\"gd\", gd()), (\"adam\", adam())] {\n  \
         let fit = minimize (x - 1)^2 over x = 0.0 using optimizer until grad_norm < 1e-6\n  print name, fit.x\n}\n\
         let root = solve z^3 == 2 over z = 1.0\n",
    );
    let (done, report) =
        compared(&file, &["--solve", "fit", "--using", "plain, cautious(base = plain)", "--grid", "0.1,0.5"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(report["ranked"][0]["lr"], 0.5);
    let runs = report["runs"].as_array().expect("a list");
    let optimizers: Vec<&Value> = runs.iter().map(|one| &one["optimizer"]).collect();
    let plain = ["plain(lr = 0.1)"; 2].into_iter().chain(["plain(lr = 0.5)"; 2]);
    let cautious =
        ["cautious(base = plain(lr = 0.1))"; 2].into_iter().chain(["cautious(base = plain(lr = 0.5))"; 2]);
    assert_eq!(optimizers, plain.chain(cautious).collect::<Vec<&str>>());
    let (done, report) = compared(&file, &["--using", "newton_raphson, brent(0, 2)", "--seeds", "1"]);
    assert!(done.out.starts_with("`root`"), "{}", done.out);
    for one in report["runs"].as_array().expect("a list") {
        assert_eq!(one["status"], "locally_solved");
    }
}

#[test]
fn a_family_takes_part_as_far_as_it_can() {
    let file = program("let root = solve z^3 == 2 over z = 1.0\n");
    let (done, report) = compared(&file, &["--family", "Equations", "--using", "bfgs", "--seeds", "1"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let labels = |what: &str| -> Vec<Value> {
        report[what].as_array().expect("a list").iter().map(|one| one["label"].clone()).collect()
    };
    for name in ["bisection", "brent"] {
        assert!(labels("left_out").contains(&name.into()), "{report}");
        assert!(done.out.contains(&format!("note: `{name}` cannot take part: ")), "{}", done.out);
    }
    for name in ["bfgs", "newton_raphson", "broyden"] {
        assert!(labels("runs").contains(&name.into()), "{report}");
    }
    assert!(done.out.lines().all(|line| line.chars().count() <= 100), "{}", done.out);
    let none =
        run(&["compare", &program("let low = minimize exp(x) - x over x = 1.0\n"), "--family", "equations"]);
    assert_eq!((none.code, none.out.as_str()), (2, ""));
    assert!(none.err.contains("no optimizer of the family can take part"), "{}", none.err);
    let wrong = run(&["compare", &file, "--family", "equation"]);
    assert!(wrong.code == 2 && wrong.err.contains("did you mean `equations`?"), "{}", wrong.err);
}

// Pages

#[test]
fn doc_writes_a_site_and_writes_it_again() {
    let out = folder().join("a site");
    drop(std::fs::remove_dir_all(&out));
    let path = out.display().to_string();
    let (one, two) = (program(BOWL), program("fn f(x: real) = x\n"));
    let first = run(&["doc", &one, &two, "--out", &path]);
    assert_eq!((first.code, first.err.as_str()), (0, ""));
    assert!(first.out.contains(" pages; open ") && out.join("index.html").is_file(), "{}", first.out);
    let page = |file: &str| {
        let stem = Path::new(file).file_stem().expect("a name").to_string_lossy().into_owned();
        out.join("files").join(stem + ".html")
    };
    assert!(page(&one).is_file() && page(&two).is_file());
    let again = json(&run(&["doc", &one, "--out", &path, "--json"]));
    assert_eq!(
        (&again["ok"], again["files"].as_array().map(Vec::len) > Some(400)),
        (&Value::Bool(true), true)
    );
    assert!(page(&one).is_file() && !page(&two).is_file(), "pages of programs that are gone are removed");
}

#[test]
fn doc_leaves_other_folders_alone() {
    let out = folder().join("not a site");
    std::fs::create_dir_all(&out).expect("a folder can be made");
    std::fs::write(out.join("mine.txt"), "mine").expect("it can be written");
    let path = out.display().to_string();
    let refused = run(&["doc", "--out", &path]);
    assert_eq!((refused.code, refused.out.as_str()), (2, ""));
    assert!(refused.err.contains("is not empty") && refused.err.contains("--out"), "{}", refused.err);
    let file = out.join("mine.txt").display().to_string();
    assert!(run(&["doc", "--out", &file]).err.contains("is a file"));
    assert_eq!(run(&["doc", "no/such.opt", "--out", &path]).code, 2);
    assert_eq!(std::fs::read_to_string(out.join("mine.txt")).expect("it is there"), "mine");
}

#[test]
fn doc_shows_wrong_programs_and_tells_of_them() {
    let out = folder().join("a wrong site");
    drop(std::fs::remove_dir_all(&out));
    let wrong = run(&["doc", &program("fn f(x = \n"), "--out", &out.display().to_string()]);
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("[E01") && out.join("index.html").is_file(), "{}", wrong.err);
}

#[test]
fn doc_tells_errors_of_meaning() {
    let out = folder().join("a site of wrong programs");
    drop(std::fs::remove_dir_all(&out));
    let out = out.display().to_string();
    let (one, two) = (program("print softplos(1)\n"), program("let a = [1, 2] + [1, 2, 3]\n"));
    let wrong = run(&["doc", &one, &two, "--out", &out]);
    assert_eq!(wrong.code, 1);
    for part in ["[E0301]", "did you mean `softplus`?", "[E0203]"] {
        assert!(wrong.err.contains(part), "{part}\n{}", wrong.err);
    }
    let report = json(&run(&["doc", &one, &two, "--out", &out, "--json"]));
    assert_eq!(report["diagnostics"].as_array().map(Vec::len), Some(2));
    // What a run is given is no error of a page.
    let open = run(&["doc", &program("input lr: real\nprint lr\n"), "--out", &out]);
    assert_eq!((open.code, open.err.as_str()), (0, ""));
}

#[test]
fn a_word_that_is_no_verb_is_answered() {
    for (arguments, said) in [
        (&["first.opt"][..], "error: `first.opt` is no verb; did you mean `minima run first.opt`?\n"),
        (
            &["my file.opt", "lr=2", "--quiet"],
            "error: `my file.opt` is no verb; did you mean `minima run 'my file.opt' lr=2 --quiet`?\n",
        ),
        (&["rn", "x.opt"], "error: `rn` is no verb; did you mean `minima run x.opt`?\n"),
        (&["--quiet", "chekc", "x.opt"], "error: `chekc` is no verb; did you mean `minima check x.opt`?\n"),
        (&["xyzzy"], "error: `xyzzy` is no verb; `minima help` lists the verbs\n"),
    ] {
        let done = run(arguments);
        assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (2, "", said));
    }
    let report = json(&run(&["first.opt", "--json"]));
    assert_eq!(report["error"], "`first.opt` is no verb; did you mean `minima run first.opt --json`?");
}

#[test]
fn explain_lists_codes_only() {
    let listed = run(&["explain"]);
    let code = |line: &str| line.starts_with('E') && line.get(1..5).is_some_and(|n| n.parse::<u32>().is_ok());
    assert!(listed.out.lines().count() > 100 && listed.out.lines().all(code), "{}", listed.out);
    assert_eq!(run(&["explain", "readme"]).code, 2);
}

#[test]
fn optimizers_of_an_import_are_compared() {
    let own = program("optimizer fixed(lr: real = 0.1) { step { x -= lr*g/norm(g) } }\n");
    let name = Path::new(&own).file_name().expect("a name").to_string_lossy().into_owned();
    let file = program(format!(
        "import \"{name}\"\nlet fit = minimize (a - 3)^2 over a = 0.0 using adam() until steps >= 40\n"
    ));
    let (done, report) = compared(&file, &["--using", "fixed"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(report["ranked"][0]["label"], "fixed");
}
