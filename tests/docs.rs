//! The documentation is true: every block of Minima in it does what its fence says.
//!
//! - ` ```minima ` is a program: it runs without errors, every assertion holds, and where it has
//!   comments `//> text` they are what it prints, line by line.
//! - ` ```minima error E0203 ` is a program that is refused; its first error has this code.
//! - ` ```minima fragment ` parses.
//! - ` ```console ` has commands behind `$ `, each with all that it says; `…` there stands for any text.
//! - ` ```repl ` has entries behind `> `, each with all that the REPL says to it.
//! - ` ```csv data.csv ` is written to a file, and so is a program with a name, ` ```minima fit.opt `.
//! - ` ```sh ` and ` ```text ` are not looked at, nor are programs of other languages.
//!
//! Programs run in `examples/`, so that `data/…` means the data there. A document that names files has
//! a folder of its own, in which its blocks are run one after the other.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

use minima::diag::FileId;
use minima::driver::{Session, SessionOptions};
use minima::lower::Lower;
use minima::run::{Event, Runner, Sink};
use minima::syntax::{Unread, parse_entry};

/// What a fence promises.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Promise {
    Runs,
    Parses,
    Refused(String),
    /// A file for the blocks that follow.
    Written,
    /// Commands, with what they say.
    Said,
    /// A conversation with the REPL.
    Talk,
}

/// A block of a document.
struct Snippet {
    /// `docs/language.md:12`, its first line.
    place: String,
    promise: Promise,
    /// The name under which it is written to the document's folder.
    file: Option<String>,
    text: String,
}

/// What a program said.
#[derive(Default)]
struct Said {
    printed: Vec<String>,
    broken: Vec<String>,
}

impl Sink for Said {
    fn event(&mut self, event: Event) {
        if let Event::Print { text, .. } = event {
            self.printed.extend(text.lines().map(|line| line.trim_end().to_string()));
        } else if let Event::Assert { held: false, message, detail, .. } = event {
            let parts = [message, detail].into_iter().flatten().collect::<Vec<_>>();
            self.broken.push(format!("an assertion does not hold {}", parts.join(" ")));
        }
    }
}

/// The documents, with their paths.
fn documents() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![root.join("README.md")];
    let entries = std::fs::read_dir(root.join("docs")).expect("there is a folder docs");
    paths.extend(entries.flatten().map(|entry| entry.path()));
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.strip_prefix(root).expect("inside the repository").display().to_string();
        (name, std::fs::read_to_string(path).expect("documents are text"))
    };
    paths.iter().map(read).collect()
}

/// The blocks of a document.
fn snippets(name: &str, text: &str) -> Vec<Snippet> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(fence) = line.trim_start().strip_prefix("```") else { continue };
        let body: Vec<&str> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```").collect();
        let place = format!("{name}:{}", at + 2);
        let words: Vec<&str> = fence.split_whitespace().collect();
        let (promise, file) = match words.as_slice() {
            ["minima"] => (Promise::Runs, None),
            ["minima", "fragment"] => (Promise::Parses, None),
            ["minima", "error", code] => (Promise::Refused((*code).to_string()), None),
            ["minima", name] if name.ends_with(".opt") => (Promise::Runs, Some((*name).to_string())),
            ["csv", name] => (Promise::Written, Some((*name).to_string())),
            ["console"] => (Promise::Said, None),
            ["repl"] => (Promise::Talk, None),
            ["sh" | "text" | "rust" | "json" | "python" | "julia" | "stan"] => continue,
            _ => panic!("{place}: a fence says what it is, this one says `{fence}`"),
        };
        found.push(Snippet { place, promise, file, text: body.join("\n") + "\n" });
    }
    found
}

/// What a program is expected to print: the texts of its comments `//> …`.
fn expected(text: &str) -> Vec<String> {
    let after = |line: &str| Some(line.split_once("//>")?.1.to_string());
    let plain = |text: String| text.strip_prefix(' ').unwrap_or(&text).trim_end().to_string();
    text.lines().filter_map(after).map(plain).collect()
}

/// The folder in which a document's blocks are run: its own, empty at first, if it names files.
fn folder(name: &str, snippets: &[Snippet]) -> PathBuf {
    if snippets.iter().all(|snippet| snippet.file.is_none()) {
        return Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).expect("the folder of the last run can be removed");
    }
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// What is wrong with commands and what they are said to say.
fn wrong_commands(text: &str, folder: &Path) -> Option<String> {
    let command = Path::new(env!("CARGO_BIN_EXE_minima")).parent().expect("it is in a folder");
    let path = format!("{}:{}", command.display(), std::env::var("PATH").unwrap_or_default());
    let mut wrong = String::new();
    for block in format!("\n{text}").split("\n$ ").skip(1) {
        let (line, expected) = block.split_once('\n').unwrap_or((block, ""));
        let script = format!("( {line} ) 2>&1");
        let output = Command::new("sh").args(["-c", &script]).env("PATH", &path).current_dir(folder).output();
        let said = String::from_utf8_lossy(&output.expect("a shell").stdout).into_owned();
        let said: Vec<&str> = said.trim_end().lines().map(str::trim_end).collect();
        let expected: Vec<&str> = expected.trim_end().lines().collect();
        let same = said.iter().zip(&expected).all(|(said, expected)| fits(expected, said));
        if said.len() != expected.len() || !same {
            wrong += &format!("$ {line}\n{}\n", said.join("\n"));
        }
    }
    (!wrong.is_empty()).then(|| format!("the commands say\n{wrong}"))
}

/// What is wrong with a conversation. Lines after one behind `> ` belong to it until it is complete.
fn wrong_talk(text: &str, folder: &Path) -> Option<String> {
    let (mut typed, mut expected) = (String::new(), Vec::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(line) = line.strip_prefix("> ") else {
            expected.push(line);
            continue;
        };
        let mut entry = line.to_string();
        while matches!(parse_entry(FileId::default(), &entry), Err(Unread::Incomplete)) {
            entry = format!("{entry}\n{}", lines.next().unwrap_or(""));
        }
        typed += &format!("{entry}\n");
    }
    let command = format!("'{}' repl 2>&1", env!("CARGO_BIN_EXE_minima"));
    let mut child = Command::new("sh")
        .args(["-c", &command])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut input = child.stdin.take().expect("it is piped");
    let writer = std::thread::spawn(move || input.write_all(typed.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    // What is typed after `:quit` is not read.
    let _ = writer.join();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let said: Vec<&str> = said.lines().map(str::trim_end).collect();
    let same = said.iter().zip(&expected).all(|(said, expected)| fits(expected, said));
    let right = said.len() == expected.len() && same;
    (!right).then(|| format!("the REPL says\n{}", said.join("\n")))
}

/// Whether a line is as expected, where `…` stands for any text that is not empty.
fn fits(expected: &str, line: &str) -> bool {
    let Some((head, tail)) = expected.split_once('…') else { return line == expected };
    let Some(rest) = line.strip_prefix(head) else { return false };
    rest.char_indices().skip(1).any(|(at, _)| fits(tail, &rest[at..])) || tail.is_empty() && !rest.is_empty()
}

/// What is wrong with a snippet.
fn wrong(session: &mut Session, snippet: &Snippet, folder: &Path) -> Option<String> {
    if let Some(name) = &snippet.file {
        std::fs::write(folder.join(name), &snippet.text).expect("a file can be written");
    }
    match snippet.promise {
        Promise::Written => return None,
        Promise::Said => return wrong_commands(&snippet.text, folder),
        Promise::Talk => return wrong_talk(&snippet.text, folder),
        Promise::Runs | Promise::Parses | Promise::Refused(_) => {}
    }
    let id = session.sources.add(snippet.place.as_str(), snippet.text.as_str());
    let (file, mut reports) = minima::syntax::parse_file(id, &snippet.text);
    let mut said = Said::default();
    if snippet.promise != Promise::Parses {
        let mut runner = Runner::new(session, folder, HashMap::new(), &mut said);
        let mut lower = Lower::new(&mut runner);
        lower.program(&Rc::new(file));
        for test in lower.tests() {
            lower.run_test(&test);
        }
        reports.extend(lower.take_reports());
        reports.extend(runner.take_reports());
    }
    reports.retain(minima::diag::Report::is_error);
    if let Promise::Refused(code) = &snippet.promise {
        let codes: Vec<&str> = reports.iter().map(|report| report.code).collect();
        let refused = codes.first().is_some_and(|found| found == code);
        return (!refused).then(|| format!("expected {code}, found {codes:?}"));
    }
    if !reports.is_empty() {
        let shown = reports.iter().map(|report| minima::diag::render(report, &session.sources, false));
        return Some(shown.collect::<String>());
    }
    if !said.broken.is_empty() {
        return Some(said.broken.join("\n"));
    }
    let expected = expected(&snippet.text);
    if !expected.is_empty() && expected != said.printed {
        return Some(format!("expected\n{}\nprinted\n{}", expected.join("\n"), said.printed.join("\n")));
    }
    None
}

#[test]
fn what_the_documents_say_is_so() {
    let run = || {
        let documents = documents();
        let mut session = Session::new(SessionOptions::default()).unwrap_or_else(|r| panic!("{r:?}"));
        let mut found = Vec::new();
        let mut count = 0;
        for (name, text) in &documents {
            let snippets = snippets(name, text);
            let folder = folder(name, &snippets);
            count += snippets.len();
            for snippet in &snippets {
                if let Some(wrong) = wrong(&mut session, snippet, &folder) {
                    found.push(format!("{}: {wrong}", snippet.place));
                }
            }
        }
        assert!(count > 30, "the documents have examples");
        assert!(found.is_empty(), "{} of {count} blocks are not true\n{}", found.len(), found.join("\n"));
    };
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(run).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Whoever clones the project types what stands there, so exactly two commands stand there.
#[test]
fn the_readme_has_two_commands() {
    let readme = documents().into_iter().find(|(name, _)| name == "README.md").expect("there is a README").1;
    let mut commands = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            command if inside => commands.push(command),
            _ => {}
        }
    }
    assert_eq!(commands, ["cargo run --release -- run examples/logistic.opt", "cargo test"]);
}
