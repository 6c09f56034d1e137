//! Every code has a page, made of `docs/errors/pages.txt`: the wrong program of a page has the
//! error, the mended one has none. `UPDATE=1 cargo test --test pages` writes the pages.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::thread;

use minima::diag::{Report, render};
use minima::driver::{Session, SessionOptions};
use minima::run::{Event, Program, Sink};

/// Address space for the stack of a thread that runs programs.
const STACK: usize = 256 << 20;

/// The families of codes, and what they are about.
const FAMILIES: &[(&str, &str)] = &[
    ("E01", "text, signs and brackets"),
    ("E02", "types and shapes"),
    ("E03", "names and calls"),
    ("E04", "statements, objectives, optimizers and solves"),
    ("E05", "stops at run time, and limits"),
    ("E06", "files"),
    ("E07", "the command line"),
    ("E09", "what is not built yet"),
];

/// A page as it stands in the source.
#[derive(Debug, Default)]
struct Page {
    code: String,
    title: String,
    meaning: String,
    /// What has the error, if it is not running the program: `grad`, `gradcheck` or `compare`.
    verb: &'static str,
    /// What `minima compare` is to compare.
    using: String,
    wrong: String,
    right: String,
}

fn pages() -> Vec<Page> {
    let text = std::fs::read_to_string("docs/errors/pages.txt").expect("the source of the pages");
    let mut pages: Vec<Page> = Vec::new();
    let mut part = "meaning";
    for line in text.lines() {
        let code = line.get(..5).filter(|code| is_code(code) && line.get(5..6) == Some(" "));
        if let Some(code) = code {
            let (code, title) = (code.to_string(), line[6..].to_string());
            pages.push(Page { code, title, ..Page::default() });
            part = "meaning";
        } else if let Some(page) = pages.last_mut() {
            match (line, part) {
                ("wrong:", _) => part = "wrong",
                ("wrong (grad):", _) => {
                    page.verb = "grad";
                    part = "wrong";
                }
                ("wrong (gradcheck):", _) => {
                    page.verb = "gradcheck";
                    part = "wrong";
                }
                (line, _) if line.starts_with("wrong (compare \"") => {
                    page.verb = "compare";
                    page.using = line.split('"').nth(1).expect("optimizers in quotes").to_string();
                    part = "wrong";
                }
                ("right:", _) => part = "right",
                ("", _) => {}
                (line, "wrong") => {
                    page.wrong += &format!("{}\n", line.strip_prefix("  ").expect("two spaces"))
                }
                (line, "right") => {
                    page.right += &format!("{}\n", line.strip_prefix("  ").expect("two spaces"))
                }
                (line, _) => page.meaning += &format!("{line}\n"),
            }
        }
    }
    for page in &mut pages {
        if page.wrong.is_empty() {
            page.wrong = of_case(&page.code);
        }
    }
    pages
}

fn is_code(text: &str) -> bool {
    text.len() == 5 && text.starts_with("E0") && text[1..].bytes().all(|byte| byte.is_ascii_digit())
}

/// The program of a case file, without what is expected of it.
fn of_case(code: &str) -> String {
    let text = std::fs::read_to_string(format!("tests/cases/errors/{code}.opt")).unwrap_or_default();
    let is_expectation =
        |line: &&str| line.starts_with("// run:") || line.starts_with("//") && line.contains('^');
    text.lines()
        .filter(|line| !is_expectation(line))
        .fold(String::new(), |all, line| all + line.trim_end() + "\n")
}

struct Asserted(Vec<Event>);

impl Sink for Asserted {
    fn event(&mut self, event: Event) {
        if matches!(event, Event::Assert { held: false, .. }) {
            self.0.push(event);
        }
    }
}

/// Runs a program among the bad data, or differentiates its function, or checks its derivatives; gives
/// the reports, drawn.
fn reports(text: &str, verb: &str, using: &str) -> Vec<(String, bool, String)> {
    let mut session =
        Session::new(SessionOptions::default()).expect("the standard library is without errors");
    let file = session.sources.add("example.opt", text);
    let mut program = Program::new("tests/cases/errors/bad_data");
    program.read(file, text);
    program.check(&mut session);
    let mut sink = Asserted(Vec::new());
    if verb == "gradcheck" && !program.is_wrong() {
        program.gradcheck(&mut session);
    } else if verb == "compare" && !program.is_wrong() {
        let found = compare(&program, &mut session, using);
        program.reports.extend(found.err().into_iter().flatten());
    } else if verb == "grad" && !program.is_wrong() {
        let folder = program.folder.clone();
        let found = minima::run::derivative(&mut session, &folder, &program.files[0], None);
        program.reports.extend(found.err().into_iter().flatten());
    } else if !program.is_wrong() {
        program.run(&mut session, &mut sink);
    }
    for event in sink.0 {
        if let Event::Assert { message, detail, span, .. } = event {
            let message = message.map_or(String::new(), |message| format!(": {message}"));
            let report = Report::error("E0506", span, format!("this assertion does not hold{message}"));
            let detail = detail.map_or(String::new(), |detail| format!("here {detail}"));
            program.reports.push(report.label(span, detail));
        }
    }
    program
        .reports
        .iter()
        .map(|report| (report.code.to_string(), report.is_error(), render(report, &session.sources, false)))
        .collect()
}

/// What `minima compare` says before it runs anything.
fn compare(program: &Program, session: &mut Session, using: &str) -> Result<(), Vec<Report>> {
    let site = minima::run::last_site(program).map_err(|report| vec![report])?;
    let known = minima::run::Known::new(program);
    let entrants = minima::run::entrants(session, &known, &[using.to_string()])?;
    let mut contest = minima::run::Contest { site, entrants, grid: vec![0.1], seeds: 1, steps: None };
    contest.check(program, session, &known).map(|_| ())
}

fn write(page: &Page, message: &str) -> String {
    let Page { code, title, meaning, verb, using, wrong, right } = page;
    let mut text = format!("# {code}. {title}\n\n{meaning}");
    let fence = |text: &mut String, head: &str, kind: &str, body: &str| {
        writeln!(text, "\n{head}\n\n```{kind}\n{}\n```", body.trim_end()).expect("writing to a string");
    };
    if !message.is_empty() {
        let head = match *verb {
            "" => "A program with this error:".to_string(),
            "compare" => {
                format!("A program with this error under `minima compare FILE --using \"{using}\"`:")
            }
            verb => format!("A program with this error under `minima {verb}`:"),
        };
        fence(&mut text, &head, "minima", wrong);
        fence(&mut text, "The message:", "text", message);
    }
    if !right.is_empty() {
        fence(&mut text, "Mended:", "minima", right);
    }
    text
}

/// Writes a page under `UPDATE=1`; else says whether it is out of date.
fn kept(path: &str, text: &str) -> Option<String> {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, text).expect("the page can be written");
        return None;
    }
    let same = std::fs::read_to_string(path).unwrap_or_default() == text;
    (!same).then(|| format!("{path} is not up to date: UPDATE=1 cargo test --test pages"))
}

/// The index of all pages, by the family of their codes.
fn index(pages: &[Page]) -> String {
    let mut text =
        "# The errors of Minima\n\nEach has a page with a program that has it, the message, and a mended \
                    program. `minima explain E0203`\nshows it in a terminal. This list is written by \
                    `UPDATE=1 cargo test --test pages` from `pages.txt`.\n"
            .to_string();
    for (family, about) in FAMILIES {
        writeln!(text, "\n## {family}: {about}\n\n| code | |\n|---|---|").expect("writing to a string");
        for Page { code, title, .. } in pages.iter().filter(|page| page.code.starts_with(family)) {
            writeln!(text, "| [{code}]({code}.md) | {title} |").expect("writing to a string");
        }
    }
    text
}

#[test]
fn the_index_has_every_page() {
    let (pages, index) = (pages(), index(&pages()));
    for Page { code, .. } in &pages {
        assert!(index.contains(&format!("[{code}]")), "{code} is of no family");
    }
    assert_eq!(kept("docs/errors/README.md", &index), None);
}

#[test]
fn every_page_shows_its_error_and_how_to_mend_it() {
    let check = || {
        let mut wrong = Vec::new();
        for page in pages() {
            let mut message = String::new();
            if !page.wrong.is_empty() {
                let found = reports(&page.wrong, page.verb, &page.using);
                match found.iter().find(|(code, _, _)| *code == page.code) {
                    Some((_, _, drawn)) => {
                        let lines: Vec<&str> = drawn.lines().map(str::trim_end).collect();
                        message = lines.join("\n");
                    }
                    None => wrong.push(format!("{}: the wrong program reports {found:?}", page.code)),
                }
            }
            let mended = reports(&page.right, if page.verb == "compare" { "" } else { page.verb }, "");
            if !page.right.is_empty() && mended.iter().any(|(code, error, _)| *error || *code == page.code) {
                wrong.push(format!("{}: the mended program reports {mended:?}", page.code));
            }
            wrong.extend(kept(&format!("docs/errors/{}.md", page.code), &write(&page, &message)));
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    };
    let thread = thread::Builder::new().stack_size(STACK).spawn(check).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn every_code_has_a_page() {
    let mut used = BTreeSet::new();
    codes(Path::new("src"), &mut used);
    let known: Vec<String> = pages().into_iter().map(|page| page.code).collect();
    let mut sorted = known.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(known, sorted, "the pages stand in the order of their codes");
    let known: BTreeSet<String> = known.into_iter().collect();
    let missing: Vec<&String> = used.difference(&known).collect();
    assert!(missing.is_empty(), "codes without a page: {missing:?}");
    let idle: Vec<&String> = known.difference(&used).collect();
    assert!(idle.is_empty(), "pages of codes that are not used: {idle:?}");
}

/// The codes that stand in quotes in the sources.
fn codes(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in folder.read_dir().expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            codes(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source file");
            let quoted = text.split('"').filter(|part| is_code(part));
            found.extend(quoted.map(str::to_string));
        }
    }
}
