//! No input makes the compiler panic, hang or overflow its stack: random and mutated programs, deep
//! nesting, long chains, and programs made to explode.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use minima::diag::Report;
use minima::driver::{Session, SessionOptions};
use minima::lower::Lower;
use minima::math::functions::threefry;
use minima::run::{Event, Runner, Sink};

/// Takes what a program says and forgets it.
struct Silent;

impl Sink for Silent {
    fn event(&mut self, _: Event) {}
}

/// Checks a program in this process, and gives its reports.
fn check(text: &str) -> Vec<Report> {
    let options = SessionOptions { execute: false, work_limit: 100_000, ..SessionOptions::default() };
    let mut session = Session::new(options).expect("the standard library is sound");
    let id = session.sources.add("program.opt", text);
    let (file, mut reports) = minima::syntax::parse_file(id, text);
    let mut sink = Silent;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut runner = Runner::new(&mut session, &folder, HashMap::new(), &mut sink);
    let mut lower = Lower::new(&mut runner);
    lower.program(&Rc::new(file));
    reports.extend(lower.take_reports());
    let length = u32::try_from(text.len()).expect("programs are short");
    for report in &reports {
        assert!(report.span.start <= report.span.end, "{report:?}");
        assert!(report.span.file != id || report.span.end <= length, "{report:?}");
    }
    reports
}

/// On a thread with the stack that the command uses.
fn with_stack(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(run).expect("a thread");
    thread.join().expect("no panic");
}

/// Pseudo-random numbers, a function of the seed.
struct Random {
    key: i64,
    count: i64,
}

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.count += 1;
        let bits = threefry(self.key, self.count).cast_unsigned() >> 16;
        usize::try_from(bits).expect("64-bit machines") % n.max(1)
    }
}

/// The programs of the project.
fn corpus() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in ["examples", "stdlib/optim", "stdlib", "tests/cases/errors", "tests/cases/values"] {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        files.extend(
            entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "opt")),
        );
    }
    files.sort();
    files
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .filter(|text| text.len() < 3_000)
        .collect()
}

#[test]
fn random_texts_are_reported() {
    with_stack(|| {
        let mut random = Random { key: 1, count: 0 };
        for _ in 0..500 {
            let bytes: Vec<u8> =
                (0..random.below(200)).map(|_| u8::try_from(random.below(256)).expect("a byte")).collect();
            check(&String::from_utf8_lossy(&bytes));
        }
    });
}

#[test]
fn mutated_programs_are_reported() {
    with_stack(|| {
        let corpus = corpus();
        assert!(corpus.len() > 50, "the programs are found");
        let mut random = Random { key: 2, count: 0 };
        for _ in 0..500 {
            let text = &corpus[random.below(corpus.len())];
            let mut words: Vec<&str> =
                text.split_inclusive([' ', '\n', '(', ')', '[', ']', ',', '=']).collect();
            for _ in 0..=random.below(3) {
                let at = random.below(words.len());
                match random.below(4) {
                    0 => drop(words.remove(at)),
                    1 => words.insert(at, words[random.below(words.len())]),
                    2 => words[at] = words[random.below(words.len())],
                    _ => words.swap(at, 0),
                }
                if words.is_empty() {
                    break;
                }
            }
            check(&words.concat());
        }
    });
}

/// Runs the command on a program under a small stack; gives its exit code and its output.
fn run(verb: &str, text: &str, limit: Duration) -> (i32, String) {
    let mut child = Command::new("bash")
        .args(["-c", "ulimit -s 256; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_minima"), verb, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bash runs the command");
    let mut input = child.stdin.take().expect("a pipe");
    let text = text.to_string();
    let writer = std::thread::spawn(move || {
        // A command that refuses early does not read to the end.
        let _ = input.write_all(text.as_bytes());
    });
    let began = Instant::now();
    let pid = child.id();
    let watcher = std::thread::spawn(move || child.wait_with_output().expect("the command ends"));
    while !watcher.is_finished() {
        if began.elapsed() > limit {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
            panic!("the command did not end within {limit:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = watcher.join().expect("the watcher ends");
    writer.join().expect("the writer ends");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
}

const MINUTES: Duration = Duration::from_secs(240);

#[test]
fn deep_nesting_is_refused_or_runs() {
    type Nest = fn(usize) -> String;
    let constructs: [(&str, Nest); 9] = [
        ("parentheses", |n| format!("print {}1{}\n", "(".repeat(n), ")".repeat(n))),
        ("brackets", |n| format!("print {}1{}\n", "[".repeat(n), "]".repeat(n))),
        ("minus", |n| format!("print {}1\n", "-".repeat(n))),
        ("power", |n| format!("print {}1\n", "1^".repeat(n))),
        ("not", |n| format!("print {}true\n", "not ".repeat(n))),
        ("lambda", |n| format!("let f = {}1\n", "x -> ".repeat(n))),
        ("if", |n| format!("print {}1\n", "if true then 1 else ".repeat(n))),
        ("calls", |n| format!("print {}1{}\n", "sin(".repeat(n), ")".repeat(n))),
        ("blocks", |n| format!("{}print 1\n{}", "if true {\n".repeat(n), "}\n".repeat(n))),
    ];
    for (name, nest) in constructs {
        for n in [100, 255, 256, 257, 10_000, 1_000_000] {
            let (code, said) = run("check", &nest(n), MINUTES);
            assert!([0, 1, 5].contains(&code), "{name} {n}: exit code {code}\n{said}");
            assert!(n < 10_000 || name == "if" || code != 0, "{name} {n} was not refused");
        }
    }
}

#[test]
fn long_chains_run() {
    let sum = format!("let x = 1.0\nprint {}x\n", "x + ".repeat(99_999));
    let (code, said) = run("run", &sum, MINUTES);
    assert_eq!((code, said.trim()), (0, "100000"), "a sum of 100000 terms");
    let lines = format!("var s = 0\n{}print s\n", "s += 1\n".repeat(2_000));
    let (code, said) = run("run", &lines, MINUTES);
    assert_eq!((code, said.trim()), (0, "2000"), "2000 statements");
}

/// Every name of the program is compared with every unknown one only as long as that is little work.
#[test]
fn thousands_of_unknown_names_are_all_told() {
    const COUNT: usize = 5_000;
    let calls: String = (0..COUNT).map(|k| format!("let a{k} = twise(1.0)\n")).collect();
    let reports = check(&format!("fn twice(x) = 2*x\n{calls}"));
    assert_eq!(reports.iter().filter(|report| report.code == "E0301").count(), COUNT);
    assert_eq!(reports[0].help, ["did you mean `twice`?"]);
    assert_eq!(reports[COUNT - 1].help, Vec::<String>::new());
    let uses: String = (0..COUNT).map(|k| format!("fn f{k}(x) = x + unknown{k}\n")).collect();
    assert_eq!(check(&uses).len(), COUNT);
}

#[test]
fn programs_made_to_explode_end() {
    type Bomb = fn(usize) -> String;
    let families: [(&str, Bomb); 10] = [
        ("call doubling", |n| {
            let calls: String =
                (0..n).map(|i| format!("fn f{}(x: real) = f{i}(x) + f{i}(x)\n", i + 1)).collect();
            format!("fn f0(x: real) = x\n{calls}print f{n}(1.0)\n")
        }),
        ("let doubling", |n| {
            let lets: String = (0..n).map(|i| format!("  let y{} = y{i} + y{i}\n", i + 1)).collect();
            format!("fn f(x: real) {{\n  let y0 = x\n{lets}  y{n}\n}}\nprint f(1.0)\n")
        }),
        ("pairs of pairs", |n| {
            let lets: String = (0..n).map(|i| format!("let p{} = (p{i}, p{i})\n", i + 1)).collect();
            format!("let p0 = 1.0\n{lets}")
        }),
        ("unrolled loops", |n| {
            format!("var s = 0\nfor a in [1, (2, 3)] {{ s += 1 }}\nlet k = [x -> x for i in 0..10^{n}]\n")
        }),
        ("nested loops", |n| {
            let loops: String = (0..n).map(|i| format!("for i{i} in 0..2 {{\n")).collect();
            format!("var s = 0\n{loops}s += 1\n{}print s\n", "}\n".repeat(n))
        }),
        ("nested derivatives", |n| {
            let grads = "grad(".repeat(n);
            format!("print {grads}x -> sin(x)*exp(x){}(0.5)\n", ")".repeat(n))
        }),
        ("wide Hessian", |n| format!("print sum(hessian(x -> sum(x^3))(ones[{}]))\n", 1_usize << n.min(9))),
        ("broadcasts", |n| {
            format!("print sum([i + j + k for i in 0..10^{n}, j in 0..10^{n}, k in 0..10^{n}])\n")
        }),
        ("recursion", |n| {
            format!(
                "fn f(x: real) = {} + g(x)\nfn g(x: real) = f(x)\nprint f(1.0)\n",
                vec!["f(x)"; n].join(" + ")
            )
        }),
        ("functions", |n| (0..n * 200).map(|i| format!("fn f{i}(x: real) = x + {i}\n")).collect()),
    ];
    for (name, bomb) in families {
        for n in [4, 8, 24] {
            let (code, said) = run("check", &bomb(n), MINUTES);
            assert!([0, 1, 5].contains(&code), "{name} {n}: exit code {code}\n{said}");
            if name == "call doubling" && n == 24 {
                assert!(said.contains("E0505"), "{said}");
            }
        }
    }
}
