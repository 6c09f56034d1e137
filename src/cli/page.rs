//! `minima run FILE --report PAGE.html`: everything about a run on one page, which needs nothing from anywhere else.

use std::fmt::Write as _;
use std::path::Path;

use super::exit;
use super::program::Program;
use super::record::Record;
use super::settings::{Setting, Settings};
use super::source::Failure;
use crate::data;
use crate::diag::{Report, Span, render};
use crate::ir::{Precision, Tensor};
use crate::lower::Val;
use crate::picture::{self, svg};
use crate::run::{SolveRecord, course_of, number, show};
use crate::syntax::{Class, classes};

/// The style of the page, light and dark.
const STYLE: &str = include_str!("page.css");

/// Whether the page can be written at all, so that nothing is run in vain.
pub fn can_be_written(path: &Path) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let page =
        path.extension().is_some_and(|e| e.eq_ignore_ascii_case("html") || e.eq_ignore_ascii_case("htm"));
    if !page {
        return Err(Failure::usage(format!("`--report {}`: a page ends in `.html`", path.display())));
    }
    let why = if path.is_dir() {
        "it is a folder"
    } else if !folder.is_dir() {
        "its folder does not exist"
    } else {
        return Ok(());
    };
    Err(Failure { code: exit::DATA, message: format!("cannot write `{}`: {why}", path.display()) })
}

/// Writes the page of a run that ended with an exit code.
pub fn write(path: &Path, program: &Program, record: &Record, code: u8) -> Result<(), Failure> {
    let text = page(program, record, code);
    data::write(path, &path.display().to_string(), text.as_bytes())
        .map_err(|error| Failure { code: exit::DATA, message: error.report(Span::default()).message })
}

fn page(program: &Program, record: &Record, code: u8) -> String {
    let name = program.sources.first().map_or("a program", |source| source.name.as_str());
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n<title>{0}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<main>\n<h1>{0}</h1>\n<p class=\"end {1}\">{2}</p>\n",
        escaped(name),
        if code == exit::OK { "good" } else { "bad" },
        escaped(&ending(code)),
    );
    // Writing to a string cannot fail.
    let _ = writeln!(out, "<p class=\"soft\">minima {}</p>", env!("CARGO_PKG_VERSION"));
    reports(&mut out, program);
    solves(&mut out, program, record);
    said(&mut out, program, record);
    configuration(&mut out, program);
    programs(&mut out, program);
    out + "</main>\n</body>\n</html>\n"
}

/// What an exit code means.
fn ending(code: u8) -> String {
    let means = match code {
        exit::OK => "done: every solve met its condition, every assertion held",
        exit::PROGRAM => "the program is wrong",
        exit::UNMET => "a solve stopped early with a usable best-so-far, or an assertion failed",
        exit::NUMERICAL => "a solve failed numerically",
        exit::LIMIT => "a limit of memory, nesting or work was reached",
        exit::DATA => "data could not be read, or output not be written",
        130 | 143 => "interrupted; what is below was found before",
        _ => "it did not end well",
    };
    format!("exit {code}: {means}")
}

/// Errors and warnings, as the terminal shows them.
fn reports(out: &mut String, program: &Program) {
    let mut reports: Vec<&Report> = program.code.reports.iter().collect();
    if reports.is_empty() {
        return;
    }
    reports.sort_by_key(|report| (report.span.file, report.span.start));
    out.push_str("<h2>Errors and warnings</h2>\n");
    for report in reports {
        let kind = if report.is_error() { "error" } else { "warning" };
        let text = render(report, &program.session.sources, false);
        let _ = writeln!(out, "<pre class=\"{kind}\">{}</pre>", escaped(text.trim_end()));
    }
}

fn solves(out: &mut String, program: &Program, record: &Record) {
    if record.solves.is_empty() {
        return;
    }
    out.push_str("<h2>Solves</h2>\n");
    for solve in &record.solves {
        one_solve(out, program, solve);
    }
}

fn one_solve(out: &mut String, program: &Program, solve: &SolveRecord) {
    let outcome = &solve.outcome;
    let name = solve.name.as_deref().unwrap_or("solve");
    let good = if outcome.met { "good" } else { "bad" };
    let _ = write!(
        out,
        "<section class=\"card\">\n<h3>{} <span class=\"badge {good}\">{}</span></h3>\n<p>{} <span class=\"soft\">{}</span></p>\n",
        escaped(name),
        escaped(&outcome.status),
        escaped(&outcome.reason),
        escaped(&place(program, solve.span)),
    );
    let [f, grad, hvp] = outcome.evals;
    let mut rows = vec![("loss", number(outcome.loss))];
    if !outcome.grad_norm.is_nan() {
        rows.push(("grad_norm", number(outcome.grad_norm)));
    }
    rows.push(("steps", outcome.steps.to_string()));
    rows.push(("evals", format!("f {f}, grad {grad}, hvp {hvp}")));
    rows.push(("seconds", format!("{:.4}", outcome.seconds)));
    let configuration = &solve.configuration;
    rows.push(("optimizer", marked(&configuration.optimizer, &solve.optimizer, solve.why.is_none())));
    for hyper in &configuration.hyper {
        let margin = "  ".repeat(hyper.depth + 1);
        rows.push(("", format!("{margin}{} = {}", hyper.name, marked(&hyper.value, "", hyper.given))));
    }
    rows.extend(configuration.batch.clone().map(|batch| ("batch", batch)));
    rows.extend(solve.why.clone().map(|why| ("chosen", why)));
    let until = || marked(&solve.until.join(" or "), "", configuration.until_given);
    rows.extend((!solve.until.is_empty()).then(|| ("until", until())));
    let values = |tensor: &Tensor| show(&Val::Known(tensor.clone()));
    let kept = solve.params.iter().zip(&outcome.params).chain(solve.reports.iter().zip(&outcome.reports));
    rows.extend(kept.map(|(name, tensor)| (name.as_str(), format!("{}  ({})", values(tensor), tensor.ty()))));
    table(out, &rows);
    if let Some(figure) = course_of(solve) {
        let _ = writeln!(out, "<figure>{}</figure>", svg(&figure, true));
    }
    out.push_str("</section>\n");
}

/// A value, with a mark where nobody gave it; where it is empty, another stands for it.
fn marked(value: &str, other: &str, given: bool) -> String {
    let value = if value.is_empty() { other } else { value };
    if given { value.to_string() } else { format!("{value}  (default)") }
}

/// Names and values.
fn table(out: &mut String, rows: &[(&str, String)]) {
    out.push_str("<table>\n");
    for (name, value) in rows {
        let _ = writeln!(out, "<tr><th>{}</th><td><pre>{}</pre></td></tr>", escaped(name), escaped(value));
    }
    out.push_str("</table>\n");
}

/// What was printed and plotted, in order, and the assertions.
fn said(out: &mut String, program: &Program, record: &Record) {
    if !record.prints.is_empty() || !record.plots.is_empty() {
        out.push_str("<h2>Output</h2>\n");
    }
    for at in 0..=record.prints.len() {
        for plot in record.plots.iter().filter(|plot| plot.after == at) {
            let path = plot.path.as_ref().map_or(String::new(), |path| format!(": {path}"));
            let place = place(program, plot.span);
            let figure = svg(&plot.figure, true);
            let _ = writeln!(
                out,
                "<figure>{figure}<figcaption>{}{}</figcaption></figure>",
                escaped(&place),
                escaped(&path)
            );
        }
        if let Some((text, _)) = record.prints.get(at) {
            let _ = writeln!(out, "<pre>{}</pre>", escaped(text));
        }
    }
    if !record.saved.is_empty() {
        let _ = writeln!(out, "<p>Saved: {}</p>", escaped(&record.saved.join(", ")));
    }
    if !record.assertions.is_empty() {
        let held = record.assertions.iter().filter(|assertion| assertion.held).count();
        let _ = writeln!(out, "<p>Assertions: {held} of {} held</p>", record.assertions.len());
    }
}

fn configuration(out: &mut String, program: &Program) {
    out.push_str("<h2>Configuration</h2>\n<table>\n");
    for (name, value, given) in settings(&program.settings) {
        let default = if given { "" } else { " <span class=\"soft\">default</span>" };
        let _ = writeln!(out, "<tr><th>{name}</th><td>{}{default}</td></tr>", escaped(&value));
    }
    for (name, value) in &program.inputs {
        let _ = writeln!(out, "<tr><th>input {}</th><td>{}</td></tr>", escaped(name), escaped(value));
    }
    for source in &program.sources {
        let _ = writeln!(out, "<tr><th>{}</th><td>{}</td></tr>", escaped(&source.name), source.hash());
    }
    out.push_str("</table>\n");
}

/// Every setting: its name, its value, and whether it was given.
fn settings(settings: &Settings) -> Vec<(&'static str, String, bool)> {
    fn row<T: Copy>(
        name: &'static str,
        setting: Setting<T>,
        text: impl Fn(T) -> String,
    ) -> (&'static str, String, bool) {
        (name, text(setting.value), setting.given)
    }
    let precision = |precision| if precision == Precision::F32 { "f32".into() } else { "f64".into() };
    let limit = |limit: Option<f64>| limit.map_or("none".into(), |seconds| format!("{seconds} s"));
    vec![
        row("seed", settings.seed, |seed| seed.to_string()),
        row("precision", settings.precision, precision),
        row("time limit", settings.time_limit, limit),
        row("memory limit", settings.memory_limit, |bytes| {
            super::memory::bytes(usize::try_from(bytes).unwrap_or(usize::MAX))
        }),
        row("work limit", settings.work_limit, |steps| steps.to_string()),
        row("exact", settings.exact, |exact| exact.to_string()),
        row("threads", settings.threads, |threads| threads.to_string()),
        row("vectors", settings.vectors, |vectors| format!("{} bits", vectors.bits())),
        row("engine", settings.engine, |engine| format!("{engine:?}").to_lowercase()),
    ]
}

/// The texts, colored.
/// The program, then each file that it imports.
fn programs(out: &mut String, program: &Program) {
    out.push_str("<h2>Program</h2>\n");
    for source in &program.sources {
        code(out, &source.text);
    }
    let mut seen = Vec::new();
    for first in program.code.imported.iter().filter_map(|file| file.items.first()) {
        let file = first.span.file;
        let (name, text) = program.session.sources.get(file);
        if !seen.contains(&file) && !program.sources.iter().any(|source| source.name == name) {
            seen.push(file);
            let _ = writeln!(out, "<section>\n<h2>Imported: {}</h2>", escaped(name));
            code(out, text);
            out.push_str("</section>\n");
        }
    }
}

/// The text of a program, in colors, its lines counted.
fn code(out: &mut String, text: &str) {
    out.push_str("<pre class=\"code\">");
    let mut lines: Vec<String> = vec![String::new()];
    let mut at = 0;
    for (range, ink) in classes(text) {
        add(&mut lines, text.get(at..range.start).unwrap_or(""), "");
        add(&mut lines, text.get(range.clone()).unwrap_or(""), class(ink));
        at = range.end;
    }
    add(&mut lines, text.get(at..).unwrap_or("").trim_end(), "");
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    for line in lines {
        let _ = write!(out, "<span class=\"line\">{line}</span>");
    }
    out.push_str("</pre>\n");
}

/// Adds a stretch of text to the last line, or to further ones where it has several.
fn add(lines: &mut Vec<String>, text: &str, class: &str) {
    for (k, part) in text.split('\n').enumerate() {
        if k > 0 {
            lines.push(String::new());
        }
        let part = escaped(part.trim_end_matches('\r'));
        if let Some(line) = lines.last_mut().filter(|_| !part.is_empty()) {
            *line += &if class.is_empty() { part } else { format!("<span class=\"{class}\">{part}</span>") };
        }
    }
}

fn class(ink: Class) -> &'static str {
    match ink {
        Class::Keyword => "keyword",
        Class::Number => "number",
        Class::Text => "text",
        Class::Comment | Class::Doc => "comment",
        Class::Wrong => "wrong",
        Class::Name | Class::Bracket | Class::Sign => "",
    }
}

fn place(program: &Program, span: Span) -> String {
    let (file, _) = program.session.sources.get(span.file);
    format!("{file}:{}", program.session.sources.position(span).0)
}

/// Text without anything that HTML could take as its own, and without anything that cannot be seen.
fn escaped(text: &str) -> String {
    picture::escaped(&crate::diag::printable(text))
}
