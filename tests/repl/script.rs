//! Entries on standard input.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::folder;

/// What a script said: its exit code, standard output, standard error.
struct Said {
    code: i32,
    out: String,
    err: String,
}

fn script_in(folder: &Path, arguments: &[&str], text: &str) -> Said {
    let mut child = Command::new(env!("CARGO_BIN_EXE_minima"))
        .arg("repl")
        .args(arguments)
        .current_dir(folder)
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("it is piped");
    let text = text.to_string();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    // A script that ends itself does not read to its end.
    let _ = writer.join();
    Said {
        code: output.status.code().expect("no signal ends it"),
        out: String::from_utf8(output.stdout).expect("output is UTF-8"),
        err: String::from_utf8(output.stderr).expect("messages are UTF-8"),
    }
}

fn script(text: &str) -> Said {
    script_in(Path::new(env!("CARGO_MANIFEST_DIR")), &[], text)
}

/// A script that is right says just this.
#[track_caller]
fn says(text: &str, expected: &str) {
    let said = script(text);
    assert_eq!((said.out.trim_end(), said.err.as_str(), said.code), (expected.trim_end(), "", 0));
}

#[test]
fn values_are_shown_shortly() {
    says(
        "let x = 2.5\nx^2\nlet X = [[1, 2], [3, 4]]\nX\nlet s = \"text\"\nlet (a, b) = (1, true)\nvar v = 1\nv += 2\n\
         let m = adam(lr = 0.1)\nlet r = (w = 1.0, b = [1.0, 2.0])\nlet g = x -> x\n",
        "x = 2.5\n6.25\nX: int[2, 2]\n[[1, 2],\n [3, 4]]\ns = \"text\"\na = 1\nb = true\nv = 1\nv = 3\n\
         m = adam(lr = 0.1, b1 = 0.9, b2 = 0.999, eps = 1e-8)\nr = (w = 1, b = [1, 2])\ng: a function\n",
    );
}

#[test]
fn an_entry_takes_as_many_lines_as_it_needs() {
    says(
        "let x = [1,\n  2,\n\n  3]\nlet fit = minimize (p - 3)^2 over p = 1.0\n  using gd(lr = 0.5)\n  until steps >= 1\n\
         for i in 0..2 {\n  print i\n}\nfit.steps\n",
        "x = [1, 2, 3]\nfit = iteration_limit: steps 1 >= 1 (loss 0, steps 1)\n0\n1\n1\n",
    );
}

#[test]
fn what_was_made_keeps_what_it_was_made_of() {
    says(
        "let k = 2\nfn f(x: real) = k*x\nlet g = x -> k*x\nlet C = p -> (f(p) - 1)^2\n\
         objective o(t: real) { param w = 0.0\n minimize (f(w) - t)^2 }\nlet O = o(6.0)\n\
         let k = 100\nfn f(x: real) = 1 + k*x\nf(1)\ng(1)\nC(0.5)\nO((w = 3.0))\n(solve O).w\n(solve o(6.0)).w\n",
        "k = 2\nfn f(x: real)\ng: a function\nC: a function\nobjective o(t: real)\n\
         O = objective o over w: real\nk = 100\nfn f(x: real)\n101\n2\n0\n0\n3\n3\n",
    );
}

#[test]
fn a_redefined_optimizer_takes_its_place() {
    says(
        "optimizer mine(lr: real = 0.5) { step { x -= lr*g } }\nlet m = mine()\n\
         optimizer mine(lr: real = 0.25) { step { x -= 2*lr*g } }\n\
         (minimize (p - 3)^2 over p = 1.0 using mine() until steps >= 1).p\nm\n",
        "optimizer mine(lr: real = 0.5)\nm = mine(lr = 0.5)\noptimizer mine(lr: real = 0.25)\n3\nmine(lr = 0.5)\n",
    );
}

#[test]
fn entries_are_not_run_again() {
    let said = script("print \"once\"\nlet z ~ normal(0, 1)\nlet a = z\na == z\nprint \"twice\"\n");
    assert_eq!(said.out.matches("once").count(), 1);
    assert!(said.out.contains("\ntrue\ntwice\n"), "{}", said.out);
}

#[test]
fn a_wrong_entry_changes_nothing() {
    let said = script(
        "let x = 1\nvar v = [1, 2]\nv[0] = 5; let x = 2; let y = x + undefined_name\nx\nv\n\
         if true { v[1] = 7; print [1][v[1]] }\nv\ny\n",
    );
    assert_eq!(said.out, "x = 1\nv = [1, 2]\n1\n[1, 2]\n[1, 2]\n");
    assert!(
        said.err.contains("`undefined_name` is not defined") && said.err.contains("entry 3:1:"),
        "{}",
        said.err
    );
    assert!(said.err.contains("`y` is not defined"), "{}", said.err);
    assert_eq!(said.code, 1);
}

#[test]
fn exit_codes_are_those_of_the_first_that_goes_wrong() {
    assert_eq!(
        script("let fit = minimize p^2 over p = 1.0 using gd(lr = 1e-9) until loss < 1e-9 or steps >= 3\n")
            .code,
        3
    );
    assert_eq!(script("assert 1 > 2\n1 +* 2\n").code, 3);
    assert_eq!(script("csv(\"nowhere.csv\")\n").code, 6);
    assert_eq!(script(":tpye 2\n").code, 2);
    assert_eq!(script("let x =\n").code, 1);
    assert_eq!(script("").code, 0);
}

#[test]
fn commands_answer() {
    let said = script(
        "/// Twice the square.\nfn f(x: real) = 2*x^2\nlet X = [[1.0, 2.0], [3.0, 4.0]]\n:type X @ X[0]\n:type f\n:grad f\n\
         :help f\n:help X\n:help adamw\n:help mean\n:ir sum(X + 1)\n",
    );
    let expected = "fn f(x: real)\nX: real[2, 2]\nreal[2]\nfn f(x: real)\nfn f_grad(x: real) -> real = 4 * x\n\
                    fn f(x: real)\nTwice the square.\ndeclared in entry 1:2\n\
                    X: real[2, 2]\nreal[2, 2]\nbound in entry 2:1\noptimizer adamw(";
    assert!(said.out.starts_with(expected), "{}", said.out);
    assert!(said.out.contains("mean(x)\nthe mean of all entries"), "{}", said.out);
    assert!(said.out.contains("// the code of a value\n"), "{}", said.out);
    assert_eq!((said.err.as_str(), said.code), ("", 0));
}

#[test]
fn an_expression_is_timed_in_two_parts() {
    let said = script(":time 2 + 3\n:time minimize (p - 3)^2 over p = 1.0 until steps >= 2\n");
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!((lines[0], lines[2]), ("5", "run      nothing: the compiler knows the value"));
    assert!(lines[1].starts_with("compile  ") && said.out.contains("\nrun      "), "{}", said.out);
    assert_eq!(said.out.matches("compile  ").count(), 2);
}

#[test]
fn unknown_commands_and_names_suggest() {
    let said = script(":tpye 2\n:zzz\n:type\n:help adamm\n:help :load\n");
    for part in [
        "there is no command `:tpye`; did you mean `:type`?",
        "there is no command `:zzz`; `:help` lists them",
        "`:type` takes EXPR: type and shape",
        "nothing is called `adamm`; did you mean `adam`?",
    ] {
        assert!(said.err.contains(part), "{part}\n{}", said.err);
    }
    assert!(said.out.contains(":load FILE"), "{}", said.out);
}

#[test]
fn what_is_saved_runs() {
    let place = folder("saved");
    let said = script_in(
        &place,
        &["--quiet"],
        "fn f(x: real) = x\nlet a = f(1)\na + wrong\nfn f(x: real) = 2*x\nlet b = 1\nlet b = b + 1\nlet c = 5\nlet c = 6\n\
         f(a) + b\nvar v = 1\nv += 1\nprint v\n:save kept.opt\n:reset\nf(1)\n",
    );
    assert!(said.err.contains("`f` is not defined"), "{}", said.err);
    let kept = std::fs::read_to_string(place.join("kept.opt")).expect("it was written");
    let expected = "let a = f(1)\nfn f(x: real) = 2*x\nlet b = 1\nlet b = b + 1\nlet c = 6\nprint f(a) + b\n\
                    var v = 1\nv += 1\nprint v\n";
    assert_eq!(kept, expected);
    let run =
        Command::new(env!("CARGO_BIN_EXE_minima")).args(["run", "kept.opt"]).current_dir(&place).output();
    let run = run.expect("the program starts");
    assert_eq!((String::from_utf8_lossy(&run.stdout).as_ref(), run.status.code()), ("6\n2\n", Some(0)));
}

#[test]
fn a_program_is_taken_as_an_entry() {
    let place = folder("loaded");
    std::fs::create_dir(place.join("sub")).expect("a folder can be made");
    std::fs::write(place.join("sub/data.csv"), "a,b\n1,2\n3,4\n").expect("it can be written");
    let program = "let data = csv(\"data.csv\")\ninput k: real = 2\nfn f(x: real) = k*x\ntest \"not run\" { assert false }\n";
    std::fs::write(place.join("sub/first.opt"), program).expect("it can be written");
    std::fs::write(place.join("wrong.opt"), "let ok = 1\nlet x = nothing_like_it\n")
        .expect("it can be written");
    let said = script_in(
        &place,
        &["sub/first.opt", "k=5"],
        "f(2)\ndata.b\n:load wrong.opt\nok\n:load nowhere.opt\n",
    );
    assert_eq!(said.out, "sub/first.opt: data, k, f\n10\n[2, 4]\n");
    for part in ["wrong.opt:2:9", "`ok` is not defined", "nowhere.opt"] {
        assert!(said.err.contains(part), "{part}\n{}", said.err);
    }
}

#[test]
fn the_precision_is_said_first() {
    let said = script("precision f32\nlet x = 0.1\n:type x\nprecision f64\n1/3\n");
    assert!(said.err.contains("the precision cannot change after the first entry"), "{}", said.err);
    assert!(said.out.starts_with("x = 0.1\nreal\n0.3333333\n"), "{}", said.out);
}

#[test]
fn tests_run_as_they_are_entered() {
    let said = script("test \"good\" { assert 1 < 2 }\ntest \"bad\" { assert 1 > 2 }\nlet x = 1\n");
    assert_eq!(said.out, "test \"good\": passed\ntest \"bad\": failed\nx = 1\n");
    assert!(said.err.contains("[E0506]"), "{}", said.err);
    assert_eq!(said.code, 3);
}

#[test]
fn an_internal_error_leaves_the_names() {
    let arguments = ["--plant-panic", "pass:simplify"];
    let text = "let x = [1.0, 2.0]\nvar v = 3\nv = sum(x^2)\nv\nx\nv = sum(x^2)\nv\n";
    let said = script_in(Path::new("."), &arguments, text);
    assert!(
        said.err.contains("internal error, please report: a planted panic after simplify"),
        "{}",
        said.err
    );
    assert_eq!(said.out, "x = [1, 2]\nv = 3\n3\n[1, 2]\nv = 5\n5\n");
    assert_eq!(said.code, 70);
}

#[test]
fn many_entries_and_redefinitions() {
    use std::fmt::Write as _;
    let mut text = String::from("let data: real[3000] ~ uniform(0, 1)\n");
    for k in 0..300 {
        writeln!(text, "fn f(x: real) = x + {k}\nlet a{k} = max(f(x) for x in data) - {k} < 1")
            .expect("a string");
    }
    text += "a0 and a299\nf(0)\n";
    let said = script(&text);
    assert!(said.out.ends_with("true\n299\n"), "{}", said.out);
    assert_eq!(said.err, "");
}

#[test]
fn there_is_no_report_for_programs() {
    let said = script_in(Path::new("."), &["--json"], "1\n");
    assert_eq!(said.code, 2);
    assert!(said.err.is_empty() && said.out.contains("the REPL makes no JSON report"), "{}", said.out);
}

/// The memory of a process that runs, in KiB.
#[cfg(target_os = "linux")]
fn resident(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it is told");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number")
}

#[cfg(target_os = "linux")]
#[test]
fn redefinitions_leave_nothing_behind() {
    use std::fmt::Write as _;
    use std::io::{BufRead, BufReader};
    let mut child = Command::new(env!("CARGO_BIN_EXE_minima"))
        .args(["repl", "--quiet"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("it is piped");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut memory = |from: usize, to: usize| {
        let mut text = String::from("let data: real[2000] ~ uniform(0, 1)\n");
        for k in from..to {
            // The machine code of each is another.
            writeln!(text, "fn f(x: real) = x^2 + {k}\nlet s = mean(f(x) for x in data)").expect("a string");
            writeln!(text, "let g = x -> s*x\nobjective o(t: real) {{ param w = s; minimize (w - t)^2 }}")
                .expect("a string");
        }
        input.write_all((text + "print f(0)\n\n").as_bytes()).expect("it reads");
        assert_eq!(lines.next().expect("it answers").expect("it is text"), (to - 1).to_string());
        resident(child.id())
    };
    let (before, after) = (memory(0, 200), memory(200, 1500));
    assert!(after < before + 8_000, "{before} KiB became {after} KiB");
    drop(input);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn what_a_command_does_not_take_is_refused() {
    let said = script("let x = 1\n:reset x\n:quit 3\nx\n");
    for part in ["`:reset` takes no argument: forget all entries", "`:quit` takes no argument: end"] {
        assert!(said.err.contains(part), "{part}\n{}", said.err);
    }
    assert_eq!((said.out.as_str(), said.code), ("x = 1\n1\n", 2));
}

#[test]
fn help_knows_words_codes_and_what_is_built_in() {
    let said = script(":help until\n:help E0303\n:help csv\n:help matrix\n");
    for part in [
        "until: when a solve ends",
        "grad_norm",
        "# E0303",
        "csv(path: string, drop_missing = false)\na table from a file with a header",
        "matrix(data, except = …, only = …)",
    ] {
        assert!(said.out.contains(part), "{part}\n{}", said.out);
    }
    assert_eq!((said.err.as_str(), said.code), ("", 0));
}

#[test]
fn the_derivative_of_an_objective_with_data_is_that_of_the_objective() {
    let said =
        script("objective risk(t: real) { param w = 0.0; minimize (w - t)^2 }\nlet C = risk(2.0)\n:grad C\n");
    let expected = "`C` is the objective `risk` with its data; `:grad risk` gives the derivative";
    assert!(said.err.contains(expected), "{}", said.err);
}

#[test]
fn files_are_written_and_said() {
    let place = folder("written");
    let said = script_in(
        &place,
        &[],
        "let   x=[1.0,2.0]\nsave x to \"x.npy\"\nplot x to \"x.svg\"\n:save \"my file.opt\"\n:reset\n:load \"my file.opt\"\nx\n",
    );
    for part in ["note: wrote x.npy\n", "note: wrote x.svg\n", "note: wrote my file.opt, 3 lines\n"] {
        assert!(said.err.contains(part), "{part}\n{}", said.err);
    }
    assert!(said.out.ends_with("my file.opt: x\n[1, 2]\n"), "{}", said.out);
    let kept = std::fs::read_to_string(place.join("my file.opt")).expect("it was written");
    assert_eq!(kept, "let x = [1.0, 2.0]\nsave x to \"x.npy\"\nplot x to \"x.svg\"\n");
}
