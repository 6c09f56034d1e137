//! What could come next: names, fields, hyper-parameters, files, commands.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::columns::columns;
use super::commands::COMMANDS;
use crate::editor::FIGURES;
use crate::run::Interpreter;
use crate::syntax::{Class, access, classes, quoted};

/// What is shown, and what is put in.
type Word = (String, String);

/// Words of the language that begin or continue statements.
const KEYWORDS: &[&str] = &[
    "and",
    "assert",
    "bound",
    "derivative",
    "distribution",
    "div",
    "else",
    "false",
    "fn",
    "for",
    "from",
    "if",
    "import",
    "in",
    "input",
    "let",
    "maximize",
    "minimize",
    "mod",
    "not",
    "objective",
    "optimizer",
    "or",
    "over",
    "param",
    "plot",
    "precision",
    "print",
    "report",
    "save",
    "set",
    "solve",
    "state",
    "step",
    "subject to",
    "test",
    "then",
    "true",
    "type",
    "until",
    "using",
    "var",
    "while",
    "with",
];

/// Clauses of a solve.
const CLAUSES: &[&str] =
    &["over", "from", "using", "until", "with", "given", "solve", "minimize", "maximize"];

/// What could stand at a place of a line: from where it would be put in, and the words.
pub fn complete(known: &mut Interpreter, line: &str, at: usize) -> (usize, Vec<Word>) {
    let before = line.get(..at).unwrap_or(line);
    if before.trim_start().starts_with(':') {
        return command(known, before);
    }
    let tokens = classes(before);
    if let Some((range, Class::Wrong)) = tokens.last()
        && before.get(range.clone()).is_some_and(|text| text.starts_with('"'))
    {
        let start = range.start + 1;
        let head = before.get(..range.start).unwrap_or("");
        let columns = columns(known, tokens.get(..tokens.len() - 1).unwrap_or(&[]), head);
        if columns.is_empty() {
            return files(&known.folder, before, start);
        }
        let typed = before.get(start..).unwrap_or("");
        let closed = line.get(at..).is_some_and(|rest| rest.starts_with('"'));
        return (start, in_quotes(typed, columns, closed));
    }
    let typed = before.trim_end_matches(is_letter).len();
    let word = before.get(typed..).unwrap_or("");
    if word.starts_with(|c: char| c.is_ascii_digit()) || inside(&tokens, typed, Class::Comment) {
        return (at, Vec::new());
    }
    let head = before.get(..typed).unwrap_or("");
    if let Some(path) = head.strip_suffix('.') {
        return members(typed, word, fields(known, path));
    }
    if let Some(Some(word)) = tokens_before(&tokens, typed).last().map(|(range, _)| before.get(range.clone()))
        && matches!(word, "until" | "and" | "or")
        && in_condition(before, tokens_before(&tokens, typed))
    {
        let reports = known.reports();
        return (typed, once(matching(before.get(typed..).unwrap_or(""), [figures(), reports].concat())));
    }
    let mut words = arguments(known, &classes(head), head, word);
    if !words.is_empty() && !word.is_empty() {
        return (typed, words);
    }
    let after_using = head.trim_end().ends_with("using") || last_name(head) == Some("base");
    if after_using {
        words.extend(matching(word, known.optimizers()));
    } else {
        words.extend(matching(word, known.own_names()));
        if !word.is_empty() {
            words.extend(matching(word, KEYWORDS.iter().map(|word| Arc::from(*word)).collect()));
            words.extend(matching(word, known.library_names()));
        }
    }
    (typed, once(words))
}

/// The tokens that end before a place.
fn tokens_before(tokens: &[(Range<usize>, Class)], at: usize) -> &[(Range<usize>, Class)] {
    let count = tokens.iter().take_while(|(range, _)| range.end <= at).count();
    tokens.get(..count).unwrap_or(tokens)
}

/// Whether the last clause of a solve is `until`.
fn in_condition(before: &str, tokens: &[(Range<usize>, Class)]) -> bool {
    let words = tokens.iter().rev().filter_map(|(range, _)| before.get(range.clone()));
    let mut clauses = words.filter(|word| CLAUSES.contains(word));
    clauses.next() == Some("until")
}

/// The figures of a stopping condition.
fn figures() -> Vec<Arc<str>> {
    FIGURES.iter().map(|name| Arc::from(*name)).collect()
}

/// What may stand behind a dot: names, and in brackets what is no name.
fn members(start: usize, word: &str, names: Vec<Arc<str>>) -> (usize, Vec<Word>) {
    let fitting: Vec<Arc<str>> = names.into_iter().filter(|name| name.starts_with(word)).collect();
    let read: Vec<String> = fitting.iter().map(|name| access(name)).collect();
    if read.iter().all(|text| text.starts_with('.')) {
        return (start, matching(word, fitting));
    }
    // The dot goes.
    let shown = fitting.iter().map(|name| name.to_string());
    (start.saturating_sub(1), shown.zip(read).collect())
}

/// Columns in the quotes that a text has begun with.
fn in_quotes(typed: &str, columns: Vec<Arc<str>>, closed: bool) -> Vec<Word> {
    let spelled = |name: &Arc<str>| {
        let mut text = quoted(name).split_off(1);
        text.truncate(text.len() - usize::from(closed));
        (name.to_string(), text)
    };
    columns.iter().map(spelled).filter(|(_, text)| text.starts_with(typed)).collect()
}

pub(super) fn is_letter(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn inside(tokens: &[(Range<usize>, Class)], at: usize, wanted: Class) -> bool {
    tokens.iter().any(|(range, ink)| *ink == wanted && range.contains(&at))
}

/// Those that begin with what was typed.
fn matching(typed: &str, words: Vec<Arc<str>>) -> Vec<Word> {
    let begins = words.into_iter().filter(|word| word.starts_with(typed));
    begins.map(|word| (word.to_string(), word.to_string())).collect()
}

fn once(words: Vec<Word>) -> Vec<Word> {
    let mut kept: Vec<Word> = Vec::new();
    for word in words {
        if !kept.iter().any(|(known, _)| *known == word.0) {
            kept.push(word);
        }
    }
    kept
}

/// What stands behind the dot after a path such as `a.b`.
pub(super) fn fields(known: &Interpreter, head: &str) -> Vec<Arc<str>> {
    let start = head.trim_end_matches(|c: char| is_letter(c) || c == '.').len();
    let path: Vec<&str> = head.get(start..).unwrap_or("").split('.').collect();
    known.fields(&path)
}

/// The name before the last sign `=`: `base` of `lookahead(base = `.
fn last_name(head: &str) -> Option<&str> {
    let before = head.trim_end().strip_suffix('=')?.trim_end();
    let start = before.trim_end_matches(is_letter).len();
    before.get(start..)
}

/// The parameters of the call around the end of the text that were not given yet, as `lr = `.
fn arguments(known: &mut Interpreter, tokens: &[(Range<usize>, Class)], head: &str, word: &str) -> Vec<Word> {
    let text = |range: &Range<usize>| head.get(range.clone()).unwrap_or("");
    // An argument begins behind its bracket or a comma.
    let begins = tokens.last().is_some_and(|(range, _)| matches!(text(range), "(" | ","));
    let mut depth = 0usize;
    let mut open = None;
    for (at, (range, _)) in tokens.iter().enumerate().rev() {
        match text(range) {
            ")" | "]" | "}" => depth += 1,
            "(" | "[" | "{" if depth > 0 => depth -= 1,
            "(" => {
                open = Some(at);
                break;
            }
            "[" | "{" => break,
            _ => {}
        }
    }
    let Some(open) = open.filter(|_| begins) else { return Vec::new() };
    let Some((name, Class::Name)) = open.checked_sub(1).and_then(|at| tokens.get(at)) else {
        return Vec::new();
    };
    let given = |param: &Arc<str>| {
        let mut pairs = tokens[open..].windows(2);
        pairs.any(|pair| text(&pair[0].0) == &**param && text(&pair[1].0) == "=")
    };
    let params = known.parameters(text(name)).into_iter();
    let free = params.filter(|param| !given(param) && param.starts_with(word));
    free.map(|param| (format!("{param} ="), format!("{param} = "))).collect()
}

/// Commands, then what they take.
fn command(known: &mut Interpreter, before: &str) -> (usize, Vec<Word>) {
    let start = before.find(':').map_or(0, |at| at + 1);
    let typed = before.get(start..).unwrap_or("");
    let Some((name, rest)) = typed.split_once(' ') else {
        let fitting = COMMANDS.iter().filter(|command| command.name.starts_with(typed));
        return (
            start,
            fitting.map(|command| (format!(":{}", command.name), command.name.to_string())).collect(),
        );
    };
    let place = before.len() - rest.len();
    match name {
        "load" | "save" => files(&known.folder, before, place),
        _ => {
            let start = before.trim_end_matches(is_letter).len();
            let word = before.get(start..).unwrap_or("");
            if let Some(path) = before.get(place..start).and_then(|head| head.strip_suffix('.')) {
                return members(start, word, fields(known, path));
            }
            let mut words = matching(word, known.own_names());
            if !word.is_empty() {
                words.extend(matching(word, known.library_names()));
            }
            (start, once(words))
        }
    }
}

/// The files and folders whose path begins as the text does from a place on.
fn files(folder: &Path, before: &str, from: usize) -> (usize, Vec<Word>) {
    let typed = before.get(from..).unwrap_or("");
    let cut = typed.rfind('/').map_or(0, |at| at + 1);
    let (inside, start) = typed.split_at(cut);
    let Ok(entries) = std::fs::read_dir(folder.join(if inside.is_empty() { "." } else { inside })) else {
        return (from, Vec::new());
    };
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let hidden = name.starts_with('.') && !start.starts_with('.');
            let slash = if entry.path().is_dir() { "/" } else { "" };
            (name.starts_with(start) && !hidden).then(|| format!("{name}{slash}"))
        })
        .collect();
    names.sort();
    (from + cut, names.into_iter().map(|name| (name.clone(), name)).collect())
}
