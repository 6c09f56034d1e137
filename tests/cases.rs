//! Runs the case files: programs with their expectations drawn in them.
//!
//! A file is one or more sections. A section begins with a header:
//!
//! ```text
//! // run: check      its reports are compared
//! // run: program    it is run as machine code and by the oracle; prints and reports are compared
//! // run: ir PASS    its code after the pass is compared
//! ```
//!
//! A file without a header is one program.
//!
//! What a statement prints stands behind it and, if it has several lines, below it. A report
//! stands below its line, with carets under its columns; what follows its code is the beginning
//! of its message. Columns that `//` would hide are drawn from the third column on.
//!
//! ```text
//! print [1, 2] + 1          //> [2, 3]
//! let x = [1, 2] + [1, 2, 3]
//! //      ^^^^^^^^^^^^^^^^^^ error E0203: cannot combine
//! ```
//!
//! Behind `in full` in a header all that a report says is drawn, also its further places, its help and
//! its notes; columns there count from 1, and lines from that of the report:
//!
//! ```text
//! // run: check in full
//! print meen([1, 2])
//! //    ^^^^ error E0301: `meen` is not defined
//! //= help: did you mean `mean`?
//! ```
//!
//! `UPDATE=1 cargo test --test cases` writes what was found into the files.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Mutex;
use std::thread;

use minima::diag::{FileId, Report, Severity};
use minima::driver::{Engine, Session, SessionOptions, compile};
use minima::ir::Precision;
use minima::run::{Event, Program, Sink};

/// Address space for the stack of a thread that runs cases.
const STACK: usize = 256 << 20;

/// What a section is for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Check,
    Run,
    Ir(String),
}

/// A line of program text with what is expected of it.
#[derive(Debug, Clone, Default)]
struct Line {
    text: String,
    prints: Vec<String>,
    reports: Vec<Drawn>,
}

/// A report as it is drawn below its line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Drawn {
    /// First column, and the one behind the last; from 0.
    columns: (usize, usize),
    severity: String,
    code: String,
    message: String,
    /// Further places, help and notes, in a section whose reports are drawn in full.
    more: Vec<String>,
}

/// A section: its header and the numbers of its lines.
#[derive(Debug, Clone)]
struct Section {
    kind: Kind,
    /// Whether its reports are drawn in full.
    full: bool,
    lines: std::ops::Range<usize>,
}

/// A case file, taken apart.
#[derive(Debug, Clone)]
struct Case {
    path: PathBuf,
    lines: Vec<Line>,
    sections: Vec<Section>,
}

/// What a section said: prints and reports by line.
type Said = BTreeMap<usize, (Vec<String>, Vec<Drawn>)>;

#[test]
fn every_case_says_what_it_expects() {
    let mut paths = Vec::new();
    collect(Path::new("tests/cases"), &mut paths);
    let only = std::env::var("CASE").unwrap_or_default();
    paths.retain(|path| path.to_string_lossy().contains(&only));
    paths.sort();
    assert!(!paths.is_empty(), "there are case files");
    let queue = Mutex::new(paths.into_iter());
    let failures = Mutex::new(Vec::new());
    let work = || {
        while let Some(path) = { queue.lock().expect("no thread panics").next() } {
            let found = catch_unwind(AssertUnwindSafe(|| run_file(&path)));
            let text = match found {
                Ok(Ok(())) => continue,
                Ok(Err(text)) => text,
                Err(panic) => {
                    let said = panic.downcast_ref::<String>().cloned();
                    format!("panicked: {}", said.unwrap_or_default())
                }
            };
            failures.lock().expect("no thread panics").push(format!("{}\n{text}", path.display()));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, std::num::NonZero::get) {
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).expect("a thread");
        }
    });
    let mut failures = failures.into_inner().expect("no thread panics");
    failures.sort();
    assert!(failures.is_empty(), "{} case files fail:\n{}", failures.len(), failures.join("\n"));
}

/// All case files, but the trees of the syntax tests.
fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            if !path.ends_with("cases/syntax") {
                collect(&path, paths);
            }
        } else if path.extension().is_some_and(|ending| ending == "opt") {
            paths.push(path);
        }
    }
}

fn run_file(path: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|why| why.to_string())?;
    let mut case = read(path, &text);
    let mut wrong = String::new();
    for section in case.sections.clone() {
        let said = match &section.kind {
            Kind::Run => {
                let native = run(&case, &section, Engine::Native);
                let oracle = run(&case, &section, Engine::Oracle);
                if native != oracle {
                    wrong += &difference("machine code", &native, "the oracle", &oracle);
                }
                native
            }
            Kind::Check | Kind::Ir(_) => run(&case, &section, Engine::Native),
        };
        if std::env::var_os("UPDATE").is_some() {
            for at in section.lines.clone() {
                let (prints, reports) = said.get(&at).cloned().unwrap_or_default();
                case.lines[at].prints = prints;
                case.lines[at].reports = reports;
            }
        } else {
            wrong += &compare(&case, &section, &said);
        }
    }
    if std::env::var_os("UPDATE").is_some() {
        let updated = write(&case);
        if updated != text {
            std::fs::write(path, updated).map_err(|why| why.to_string())?;
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

// Reading and writing

fn read(path: &Path, text: &str) -> Case {
    let mut case = Case { path: path.to_path_buf(), lines: Vec::new(), sections: Vec::new() };
    for line in text.lines() {
        let trimmed = line.trim_start();
        if let Some(print) = trimmed.strip_prefix("//>") {
            if let Some(last) = case.lines.last_mut() {
                last.prints.push(print.strip_prefix(' ').unwrap_or(print).trim_end().to_string());
            }
        } else if let Some(more) = trimmed.strip_prefix("//= ") {
            if let Some(last) = case.lines.last_mut().and_then(|line| line.reports.last_mut()) {
                last.more.push(more.trim_end().to_string());
            }
        } else if let Some(drawn) = read_report(line) {
            if let Some(last) = case.lines.last_mut() {
                last.reports.push(drawn);
            }
        } else {
            let (text, print) = match line.split_once("//>") {
                Some((text, print)) => (text.trim_end(), Some(print.trim())),
                None => (line, None),
            };
            if let Some((kind, full)) = read_header(text) {
                let at = case.lines.len();
                if let Some(last) = case.sections.last_mut() {
                    last.lines.end = at;
                }
                case.sections.push(Section { kind, full, lines: at..at });
            }
            let prints = print.map(str::to_string).into_iter().collect();
            case.lines.push(Line { text: text.to_string(), prints, reports: Vec::new() });
        }
    }
    let end = case.lines.len();
    if case.sections.is_empty() {
        case.sections.push(Section { kind: Kind::Run, full: false, lines: 0..end });
    }
    if let Some(last) = case.sections.last_mut() {
        last.lines.end = end;
    }
    case
}

fn read_header(line: &str) -> Option<(Kind, bool)> {
    let line = line.strip_prefix("// run:")?;
    let (line, full) = match line.strip_suffix(" in full") {
        Some(line) => (line, true),
        None => (line, false),
    };
    let mut words = line.split_whitespace();
    let kind = match words.next()? {
        "check" => Kind::Check,
        "program" => Kind::Run,
        "ir" => Kind::Ir(words.next()?.to_string()),
        _ => return None,
    };
    Some((kind, full))
}

/// `//   ^^^^ error E0203: message`
fn read_report(line: &str) -> Option<Drawn> {
    let rest = line.strip_prefix("//")?;
    let before = rest.len() - rest.trim_start_matches(' ').len();
    let rest = &rest[before..];
    let carets = rest.len() - rest.trim_start_matches('^').len();
    if carets == 0 {
        return None;
    }
    let (severity, rest) = rest[carets..].trim_start().split_once(' ')?;
    let (code, message) = rest.split_once(':')?;
    Some(Drawn {
        columns: (before + 2, before + 2 + carets),
        severity: severity.to_string(),
        code: code.to_string(),
        message: message.trim().to_string(),
        more: Vec::new(),
    })
}

fn write(case: &Case) -> String {
    let mut out = String::new();
    for line in &case.lines {
        let mut text = line.text.clone();
        let column = text.chars().count() + 1;
        if let [print] = line.prints.as_slice() {
            write!(text, " //> {print}").expect("writing to a string");
        }
        writeln!(out, "{}", text.trim_end()).expect("writing to a string");
        if line.prints.len() > 1 {
            let indent = if line.text.starts_with("// run: ir") { 0 } else { column.min(2) };
            for print in &line.prints {
                let text = format!("{}//> {print}", " ".repeat(indent));
                writeln!(out, "{}", text.trim_end()).expect("writing to a string");
            }
        }
        for drawn in &line.reports {
            let (from, to) = drawn.columns;
            let (gap, carets) = (" ".repeat(from - 2), "^".repeat(to - from));
            let Drawn { severity, code, message, .. } = drawn;
            writeln!(out, "//{gap}{carets} {severity} {code}: {message}").expect("writing to a string");
            for more in &drawn.more {
                writeln!(out, "//= {more}").expect("writing to a string");
            }
        }
    }
    out
}

// Running

/// The text of a section; the lines of others are empty, so that lines keep their numbers.
fn text_of(case: &Case, section: &Section) -> String {
    let line = |(at, line): (usize, &Line)| {
        let text = if section.lines.contains(&at) { line.text.as_str() } else { "" };
        format!("{text}\n")
    };
    case.lines.iter().enumerate().map(line).collect()
}

/// Keeps what is said.
#[derive(Default)]
struct Ear(Rc<RefCell<Vec<Event>>>);

impl Sink for Ear {
    fn event(&mut self, event: Event) {
        self.0.borrow_mut().push(event);
    }
}

fn run(case: &Case, section: &Section, engine: Engine) -> Said {
    let text = text_of(case, section);
    let single = text.lines().any(|line| line.trim() == "precision f32");
    let precision = if single { Precision::F32 } else { Precision::F64 };
    let options = SessionOptions { engine, precision, ..SessionOptions::default() };
    let mut session = Session::new(options).expect("the standard library is without errors");
    let name = case.path.file_name().expect("a file").to_string_lossy();
    let file = session.sources.add(&*name, text.as_str());
    let mut program = Program::new(case.path.parent().expect("a folder"));
    program.read(file, &text);
    program.check(&mut session);
    let mut said = Said::new();
    if section.kind == Kind::Run && !program.is_wrong() {
        let mut ear = Ear::default();
        program.run(&mut session, &mut ear);
        for event in ear.0.borrow().iter() {
            tell(event, file, &session, &mut said, section);
        }
    }
    if let Kind::Ir(pass) = &section.kind
        && !program.is_wrong()
    {
        let lines = code_after(pass, &mut program, &mut session);
        said.entry(section.lines.start).or_default().0 = lines;
    }
    for report in &program.reports {
        let (at, drawn) = draw(report, file, &session, section);
        said.entry(at).or_default().1.push(drawn);
    }
    for (_, reports) in said.values_mut() {
        reports.sort_by_key(|drawn| (drawn.columns, drawn.code.clone()));
    }
    said
}

/// The code of a program after a pass: the step loops of its solves, or all.
fn code_after(pass: &str, program: &mut Program, session: &mut Session) -> Vec<String> {
    let mut planned = program.plan(session);
    if planned.iter().any(|planned| planned.solve) {
        planned.retain(|planned| planned.solve);
    }
    session.options.engine = Engine::Oracle;
    let mut lines = Vec::new();
    for planned in planned {
        let seen: Rc<RefCell<String>> = Rc::default();
        let (heard, pass) = (seen.clone(), pass.to_string());
        *session.observer.borrow_mut() = Some(Box::new(move |name, program| {
            if name == pass {
                *heard.borrow_mut() = program.to_string();
            }
        }));
        drop(compile(session, &planned.program));
        session.observer.borrow_mut().take();
        lines.extend(seen.borrow().trim_end().lines().map(str::to_string));
    }
    lines
}

fn tell(event: &Event, file: FileId, session: &Session, said: &mut Said, section: &Section) {
    match event {
        Event::Print { text, span } => {
            let end = minima::diag::Span { start: span.end.saturating_sub(1).max(span.start), ..*span };
            let at =
                if span.file == file { session.sources.position(end).0 - 1 } else { section.lines.start };
            said.entry(at).or_default().0.extend(text.lines().map(|line| line.trim_end().to_string()));
        }
        Event::Plot { figure, span, .. } => {
            let at =
                if span.file == file { session.sources.position(*span).0 - 1 } else { section.lines.start };
            let text = minima::picture::terminal(figure, 80, false);
            said.entry(at).or_default().0.extend(text.lines().map(str::to_string));
        }
        Event::Assert { held: false, detail, span, message } => {
            let mut text = String::from("this assertion does not hold");
            if let Some(message) = message {
                write!(text, ": {message}").expect("writing to a string");
            }
            if let Some(detail) = detail {
                write!(text, ": {detail}").expect("writing to a string");
            }
            let report = Report::error("E0506", *span, text);
            let (at, drawn) = draw(&report, file, session, section);
            said.entry(at).or_default().1.push(drawn);
        }
        Event::Assert { .. }
        | Event::Solving(_)
        | Event::Progress(_)
        | Event::Solved(_)
        | Event::Saved { .. } => {}
    }
}

/// A report as it is drawn, and the number of its line. What is in other files stands at the header.
fn draw(report: &Report, file: FileId, session: &Session, section: &Section) -> (usize, Drawn) {
    let severity = match report.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let (line, column) = if report.span.file == file {
        session.sources.position(report.span)
    } else {
        (section.lines.start + 1, 1)
    };
    let covered = session.sources.text(report.span).lines().next().unwrap_or("");
    let start = (column - 1).max(2);
    let end = (column - 1 + covered.chars().count()).max(start + 1);
    let drawn = Drawn {
        columns: (start, end),
        severity: severity.to_string(),
        code: report.code.to_string(),
        message: report.message.replace('\n', " "),
        more: if section.full { further(report, line, session) } else { Vec::new() },
    };
    (line - 1, drawn)
}

/// What a report says beside its message, a line for each; places are lines from its own, and columns.
fn further(report: &Report, line: usize, session: &Session) -> Vec<String> {
    let mut more = Vec::new();
    for label in &report.labels {
        let (at, column) = session.sources.position(label.span);
        let place = if label.span == report.span {
            "here".to_string()
        } else if label.span.file != report.span.file {
            format!("in {}", session.sources.get(label.span.file).0)
        } else {
            let covered = session.sources.text(label.span).lines().next().unwrap_or("");
            let lines = i64::try_from(at).expect("a line") - i64::try_from(line).expect("a line");
            format!("{lines:+}:{column} `{covered}`")
        };
        more.push(format!("{place}: {}", label.text));
    }
    more.extend(report.help.iter().map(|help| format!("help: {help}")));
    more.extend(report.notes.iter().map(|note| format!("note: {note}")));
    if let Some(fix) = &report.fix {
        more.push(format!("fix: `{}` becomes `{}`", session.sources.text(fix.span), fix.text));
    }
    for line in &mut more {
        *line = line.replace('\n', " ").trim_end().to_string();
    }
    more
}

// Comparing

fn compare(case: &Case, section: &Section, said: &Said) -> String {
    let mut wrong = String::new();
    let nothing = (Vec::new(), Vec::new());
    for at in section.lines.clone() {
        let line = &case.lines[at];
        let (prints, reports) = said.get(&at).unwrap_or(&nothing);
        if *prints != line.prints {
            let _ = writeln!(wrong, "  {}", line.text);
            let _ = writeln!(wrong, "    expected //> {}", line.prints.join("\n             //> "));
            let _ = writeln!(wrong, "    printed  //> {}", prints.join("\n             //> "));
        }
        let fits = |expected: &Drawn, found: &Drawn| {
            expected.columns == found.columns
                && expected.severity == found.severity
                && expected.code == found.code
                && found.message.starts_with(&expected.message)
                && found.more == expected.more
        };
        let mut left = reports.clone();
        for expected in &line.reports {
            match left.iter().position(|found| fits(expected, found)) {
                Some(found) => drop(left.remove(found)),
                None => {
                    let _ = writeln!(wrong, "  {}\n    expected {}", line.text, shown(expected));
                }
            }
        }
        for found in left {
            let _ = writeln!(wrong, "  {}\n    reported {}", line.text, shown(&found));
        }
    }
    wrong
}

fn shown(drawn: &Drawn) -> String {
    let Drawn { columns: (from, to), severity, code, message, more } = drawn;
    let head = format!("columns {}..{}: {severity} {code}: {message}", from + 1, to + 1);
    more.iter().fold(head, |all, more| all + "\n      " + more)
}

fn difference(a: &str, said_a: &Said, b: &str, said_b: &Said) -> String {
    let mut wrong = String::new();
    let mut lines: Vec<&usize> = said_a.keys().chain(said_b.keys()).collect();
    lines.sort();
    lines.dedup();
    for at in lines {
        let (of_a, of_b) = (said_a.get(at), said_b.get(at));
        if of_a != of_b {
            let _ = writeln!(wrong, "  line {} differs:\n    {a}: {of_a:?}\n    {b}: {of_b:?}", at + 1);
        }
    }
    wrong
}
