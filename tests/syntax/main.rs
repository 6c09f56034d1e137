//! The parser from outside: trees, round trips, messages, and inputs made to break it.

mod hostile;
mod tree;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use minima::diag::{FileId, Report, Sources};
use minima::syntax::{Unread, continues_entry, parse_entry, parse_expr, parse_file, print_expr, print_file};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/syntax");

fn files(ending: &str) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(CASES).expect("the folder of cases is there");
    let paths = folder.map(|entry| entry.expect("it can be listed").path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|found| found == ending)).collect();
    paths.sort();
    paths
}

/// A report on one line: code, place, message, label texts, help.
fn line(report: &Report, text: &str) -> String {
    let mut sources = Sources::default();
    sources.add("t", text);
    let (row, column) = sources.position(report.span);
    let warning = if report.is_error() { "" } else { "warning " };
    let mut line = format!("{warning}{} {row}:{column} {}", report.code, report.message);
    for label in &report.labels {
        let (row, column) = sources.position(label.span);
        write!(line, " [{row}:{column} {}]", label.text).expect("writing to a string");
    }
    for help in &report.help {
        write!(line, " | {help}").expect("writing to a string");
    }
    line
}

fn outcome(text: &str) -> String {
    let (file, reports) = parse_file(FileId(0), text);
    let mut lines = vec![tree::file(&file)];
    lines.extend(reports.iter().map(|report| line(report, text)));
    lines.join("\n")
}

/// Cases are separated by `----`; what comes out stands behind `=>`.
fn check_cases(path: &Path) -> usize {
    let text = std::fs::read_to_string(path).expect("the case file can be read");
    let cases: Vec<&str> = text.split("\n----\n").collect();
    let mut rewritten = Vec::new();
    let mut wrong = Vec::new();
    for case in &cases {
        let (source, expected) = case.split_once("\n=>\n").unwrap_or((case.trim_end(), ""));
        let found = outcome(source);
        if found.trim_end() != expected.trim_end() {
            wrong.push(format!("{source}\nexpected\n{expected}\nfound\n{found}\n"));
        }
        rewritten.push(format!("{source}\n=>\n{found}"));
    }
    if std::env::var_os("UPDATE").is_some() {
        let text = format!("{}\n", rewritten.join("\n----\n"));
        std::fs::write(path, text).expect("the case file can be written");
    } else {
        assert!(wrong.is_empty(), "{}:\n{}", path.display(), wrong.join("\n"));
    }
    cases.len()
}

#[test]
fn trees_and_messages_are_as_expected() {
    let counts: usize = files("txt").iter().map(|path| check_cases(path)).sum();
    assert!(counts >= 120, "only {counts} cases");
}

/// Prints what was parsed, parses that, and compares the trees.
fn round_trip(text: &str, place: &str) {
    let (first, reports) = parse_file(FileId(0), text);
    if reports.iter().any(Report::is_error) {
        return;
    }
    let printed = print_file(&first);
    let (second, reports) = parse_file(FileId(0), &printed);
    let lines: Vec<_> =
        reports.iter().filter(|report| report.is_error()).map(|report| line(report, &printed)).collect();
    assert!(lines.is_empty(), "{place}\n{printed}\n{}", lines.join("\n"));
    assert_eq!(tree::file(&first), tree::file(&second), "{place}\n{printed}");
    assert_eq!(printed, print_file(&second), "{place}");
}

#[test]
fn what_is_printed_parses_to_the_same_tree() {
    for path in files("txt") {
        let text = std::fs::read_to_string(&path).expect("the case file can be read");
        for case in text.split("\n----\n") {
            let source = case.split_once("\n=>\n").map_or(case, |(source, _)| source);
            round_trip(source, &path.display().to_string());
        }
    }
    for path in files("opt") {
        let text = std::fs::read_to_string(&path).expect("the file can be read");
        round_trip(&text, &path.display().to_string());
    }
}

#[test]
fn the_programs_of_the_design_parse() {
    for path in files("opt") {
        let text = std::fs::read_to_string(&path).expect("the file can be read");
        let (_, reports) = parse_file(FileId(0), &text);
        let lines: Vec<_> = reports.iter().map(|report| line(report, &text)).collect();
        assert!(lines.is_empty(), "{}: {}", path.display(), lines.join("\n"));
    }
}

#[test]
fn entries_are_complete_or_not() {
    let incomplete = [
        "let x =",
        "fn f(x) =",
        "f(1,",
        "objective p {",
        "if a then",
        "if a then b",
        "a +",
        "[1, 2",
        "solve P using",
        "minimize f(x) over x = 1 subject to {",
        "for i in 0..3 {\n x",
        "let",
        "not",
        "{",
        "fn f(x) {\n let y = (1 +",
    ];
    for text in incomplete {
        let parsed = parse_entry(FileId(0), text);
        assert!(matches!(parsed, Err(Unread::Incomplete)), "{text}: {parsed:?}");
    }
    for text in ["1 + 1", "let x = 1", "f(1)", "fn f(x) = x", "print 1; print 2", "", "\n", "// c"] {
        assert!(parse_entry(FileId(0), text).is_ok(), "{text}");
    }
    for text in ["1 +* 2", "let = 3", "f(1))", "a b", "let x = 1\nlet = 2"] {
        let parsed = parse_entry(FileId(0), text);
        assert!(matches!(parsed, Err(Unread::Wrong(_))), "{text}: {parsed:?}");
    }
}

#[test]
fn clause_words_go_on_with_an_entry() {
    for line in ["using adam()", "  until steps > 3", "subject to x > 0", "else { }", "is convex"] {
        assert!(continues_entry(line), "{line}");
    }
    for line in ["let x = 1", "-x", "is = 3", "", "solve P"] {
        assert!(!continues_entry(line), "{line}");
    }
}

#[test]
fn one_expression() {
    let show = |text| parse_expr(FileId(0), text).map(|expr| print_expr(&expr)).ok();
    assert_eq!(show("1+2 *x"), Some("1 + 2 * x".into()));
    assert_eq!(show("solve P using a()"), Some("solve P using a()".into()));
    assert_eq!(show("let x = 1"), None);
    assert_eq!(show("1\n2"), None);
    assert_eq!(show(""), None);
}
