//! The house: floors, doors and measures, as `docs/style.md` states them.
//!
//! The sources are read as text. Comments and literals are blanked first, so that a brace in a
//! string closes nothing and a word in a comment breaks no rule.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The rooms of each floor. A room imports rooms of lower floors only, never a neighbour.
const FLOORS: &[&[&str]] = &[
    &["diag", "math", "picture"],
    &["syntax", "ir", "linalg"],
    &["ops", "data", "runtime"],
    &["eval", "analysis", "export"],
    &["lower", "passes", "plan"],
    &["codegen"],
    &["driver"],
    &["run"],
    &["editor"],
    &["site"],
    &["cli"],
];

/// The files of a room that other rooms may name; all others are behind its door, `mod.rs`.
const OPEN: &[(&str, &str, &str)] = &[
    ("math", "functions", "data and draws share the random bits of compiled code"),
    ("math", "elementary", "kernels run the same sources over whole blocks"),
    ("math", "trace", "machine code repeats the steps of elementary functions"),
    ("syntax", "ast", "the tree is the vocabulary of the rooms that walk it"),
    ("runtime", "kernels", "compiled code calls them by address"),
    ("passes", "batch", "tested by itself"),
    ("passes", "differentiate", "tested by itself"),
    ("lower", "errors", "the rooms above report in its words"),
];

/// Crates that one room knows, and no other.
const DEPENDENCIES: &[(&str, &[&str])] = &[
    ("ariadne", &["diag"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("cranelift", &["codegen"]),
    ("cranelift_jit", &["codegen"]),
    ("cranelift_module", &["codegen"]),
    ("cranelift_native", &["codegen"]),
    ("csv", &["data"]),
    ("flate2", &["picture"]),
    ("lalrpop_util", &["syntax"]),
    ("libm", &["math"]),
    ("logos", &["syntax"]),
    ("matrixmultiply", &["runtime"]),
    ("pulldown_cmark", &["site"]),
    ("rustyline", &["cli"]),
    ("serde_json", &["data", "cli"]),
    ("signal_hook", &["cli"]),
    ("terminal_size", &["cli"]),
    ("tiny_skia", &["picture"]),
    ("unicode_ident", &["syntax"]),
    ("zip", &["data"]),
];

/// What stands at the top of the repository.
const TOP: &[&str] = &[
    ".ci",
    ".gitignore",
    ".github",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "benches",
    "build.rs",
    "clippy.toml",
    "docs",
    "editors",
    "examples",
    "grammar",
    "python",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "src",
    "stdlib",
    "tests",
];

/// The most lines of a file without its tests.
const FILE_LINES: usize = 600;

/// Files that may be longer, up to a number, and why.
const LONG_FILES: &[(&str, usize, &str)] = &[
    ("src/math.rs", 900, "a table: one line for each machine function"),
    ("src/syntax/ast.rs", 900, "a table: the shape of every node"),
    ("src/syntax/print.rs", 1300, "one arm for each node"),
    ("src/syntax/build.rs", 900, "one action for each production"),
    ("src/lower/solve.rs", 1200, "one solve, put together in order"),
    ("src/lower/blocks.rs", 1000, "one arm for each statement, and loops"),
    ("src/lower/expr.rs", 700, "one arm for each expression"),
    ("src/lower/index.rs", 700, "reading and assigning by index mirror each other"),
    ("src/lower/generators.rs", 700, "sources and what is made of them"),
    ("src/lower/program.rs", 700, "one arm for each statement of the top level"),
    ("src/codegen/nest.rs", 900, "one nest, from its loops to its folds"),
    ("src/plan/fusion.rs", 800, "one argument, told once"),
];

/// The most lines of a function, from its signature to its closing brace.
const FUNCTION_LINES: usize = 80;

/// Functions that may be longer, and why.
const LONG_FUNCTIONS: &[(&str, &str, &str)] = &[
    ("src/syntax/print.rs", "*", "one arm for each node"),
    ("src/syntax/build.rs", "*", "one arm for each node"),
    ("src/syntax/unexpected.rs", "foreign_form", "one arm for each habit from another language"),
    ("src/lower/program.rs", "top_statement", "one arm for each statement"),
    ("src/passes/differentiate/control.rs", "backward_loop", "one argument, told once"),
];

/// A file of Rust, and its code: comments and literals blanked, the test module cut.
struct Source {
    path: String,
    text: String,
    code: String,
    lines: usize,
}

impl Source {
    /// The room that a file of `src` belongs to.
    fn room(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        let room = inside.split('/').next()?;
        Some(room.strip_suffix(".rs").unwrap_or(room))
    }

    /// How many modules deep it stands: `super` this often is the crate.
    fn depth(&self) -> usize {
        self.path.trim_end_matches("/mod.rs").matches('/').count()
    }

    /// Numbered lines of code.
    fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().map(|(at, line)| (at + 1, line))
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folders: &[&str]) -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in folders {
        collect(&root().join(folder), &mut paths);
    }
    paths.sort();
    let all: Vec<Source> = paths.iter().map(|path| read(path)).collect();
    let tests = test_files(&all);
    all.into_iter().filter(|source| !tests.contains(&source.path)).collect()
}

/// The files that are modules for tests only: `#[cfg(test)] mod hostile;`.
fn test_files(all: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in all {
        let lines: Vec<&str> = source.code.lines().collect();
        for pair in lines.windows(2) {
            let name = pair[1].strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'));
            if let (true, Some(name)) = (pair[0].starts_with("#[cfg(test)]"), name) {
                let folder = source.path.strip_suffix("mod.rs").unwrap_or("src/");
                found.push(format!("{folder}{name}.rs"));
            }
        }
    }
    found
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            paths.push(path);
        }
    }
}

fn read(path: &Path) -> Source {
    let text = std::fs::read_to_string(path).expect("sources are text");
    let short = path.strip_prefix(root()).expect("inside the repository");
    let code = without_tests(&blanked(&text));
    let lines = code.lines().count();
    Source { path: short.display().to_string().replace('\\', "/"), text, code, lines }
}

/// The text with comments, strings and characters replaced by spaces, line by line as it was.
fn blanked(text: &str) -> String {
    let bytes: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = token_end(&bytes, at);
        for c in &bytes[at..end.unwrap_or(at + 1)] {
            out.push(if end.is_some() && *c != '\n' { ' ' } else { *c });
        }
        at = end.unwrap_or(at + 1);
    }
    out
}

/// The end of the comment or literal that starts here, if one does.
fn token_end(text: &[char], at: usize) -> Option<usize> {
    let next = |k: usize| text.get(at + k).copied().unwrap_or(' ');
    let find = |from: usize, ends: &dyn Fn(usize) -> bool| {
        (from..text.len()).find(|k| ends(*k)).map_or(text.len(), |k| k + 1)
    };
    match text[at] {
        '/' if next(1) == '/' => Some(find(at, &|k| text[k] == '\n') - 1).filter(|end| *end > at),
        '/' if next(1) == '*' => Some(find(at + 3, &|k| text[k] == '/' && text[k - 1] == '*')),
        'r' if next(1) == '"' || (next(1) == '#' && (next(2) == '"' || next(2) == '#')) => {
            let hashes = text[at + 1..].iter().take_while(|c| **c == '#').count();
            let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let from = at + 2 + hashes;
            Some(find(from, &|k| text[..=k].ends_with(&close)))
        }
        '"' => {
            let mut k = at + 1;
            while k < text.len() && text[k] != '"' {
                k += if text[k] == '\\' { 2 } else { 1 };
            }
            Some((k + 1).min(text.len()))
        }
        '\'' if next(1) == '\\' => Some(find(at + 3, &|k| text[k] == '\'')),
        '\'' if next(2) == '\'' => Some(at + 3),
        _ => None,
    }
}

/// The code before the test module, which stands last.
fn without_tests(code: &str) -> String {
    let mut kept = String::new();
    let mut lines = code.lines().peekable();
    while let Some(line) = lines.next() {
        let module = |next: &&str| next.trim_start().starts_with("mod ") && next.contains('{');
        if line.starts_with("#[cfg(test)]") && lines.peek().is_some_and(module) {
            break;
        }
        kept.push_str(line);
        kept.push('\n');
    }
    kept
}

/// Where a word stands in a line by itself.
fn has_word(line: &str, word: &str) -> bool {
    let name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(name) && !line[at + word.len()..].starts_with(name))
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// Fails with all findings at once.
#[track_caller]
fn nothing_found(found: &[String], rule: &str) {
    let mut text = String::new();
    for line in found {
        writeln!(text, "  {line}").expect("a string takes all");
    }
    assert!(found.is_empty(), "{rule}:\n{text}");
}

#[test]
fn every_room_has_a_floor_and_imports_point_down() {
    let mut found = Vec::new();
    for source in sources(&["src"]) {
        let Some(room) = source.room().filter(|room| !matches!(*room, "lib" | "main")) else { continue };
        let Some(own) = floor(room) else {
            found.push(format!("{}: the room `{room}` has no floor", source.path));
            continue;
        };
        for (number, line) in source.numbered() {
            for (at, _) in line.match_indices("crate::") {
                let rest = &line[at + "crate::".len()..];
                let other: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let below = floor(&other).is_some_and(|theirs| theirs < own);
                if other != room && !below {
                    found.push(format!("{}:{number}: `{room}` imports `{other}`", source.path));
                }
            }
            let outside = room != "math" && line.contains(&"super::".repeat(source.depth()));
            if outside {
                found.push(format!("{}:{number}: a room is named `crate::…`, not `super::…`", source.path));
            }
        }
    }
    nothing_found(&found, "imports point to lower floors");
}

#[test]
fn rooms_are_entered_through_their_doors() {
    let mut found = Vec::new();
    for source in sources(&["src"]) {
        let Some(room) = source.room().filter(|room| *room != "lib") else { continue };
        for (number, line) in source.numbered() {
            let Some(name) = line.trim_start().strip_prefix("pub mod ") else { continue };
            let name = name.trim_end_matches([';', '{', ' ']);
            if !OPEN.iter().any(|(r, open, _)| *r == room && *open == name) {
                found.push(format!("{}:{number}: `{name}` is open", source.path));
            }
        }
    }
    nothing_found(&found, "files are private, and the door re-exports");
}

#[test]
fn every_dependency_has_its_room() {
    let mut found = Vec::new();
    for source in sources(&["src"]) {
        let Some(room) = source.room() else { continue };
        for (number, line) in source.numbered() {
            for (name, rooms) in DEPENDENCIES {
                let named = line.trim_start().starts_with(&format!("use {name}::"))
                    || line.match_indices(&format!("{name}::")).any(|(at, _)| {
                        !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
                            && (*name != "csv" || room != "data")
                    });
                if named && !rooms.contains(&room) {
                    found.push(format!("{}:{number}: `{name}` belongs to {rooms:?}", source.path));
                }
            }
        }
    }
    nothing_found(&found, "one dependency, one room");
}

/// The document gives a reason for each crate, and for no other.
#[test]
fn every_dependency_has_its_reason() {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).expect("the file is there");
    let manifest = read("Cargo.toml");
    let mut crates: Vec<&str> = Vec::new();
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        } else if let (true, Some((name, _))) = (inside, line.split_once(" = ")) {
            crates.push(name);
        }
    }
    let document = read("docs/architecture.md");
    let section = document.split("\n## ").find(|part| part.contains("Dependencies\n")).unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let first = rows.filter_map(|row| row.split('|').nth(1));
    let mut explained: Vec<&str> = first.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    crates.sort_unstable();
    explained.sort_unstable();
    assert_eq!(crates, explained, "docs/architecture.md, section 8, against Cargo.toml");
}

#[test]
fn every_file_says_what_it_is() {
    let all = sources(&["src", "tests", "benches"]);
    let silent = all.iter().filter(|source| !source.text.starts_with("//!"));
    let found: Vec<String> = silent.map(|source| source.path.clone()).collect();
    nothing_found(&found, "a file begins with its module documentation");
}

#[test]
fn files_are_short() {
    let mut found = Vec::new();
    for source in sources(&["src"]) {
        let longer = LONG_FILES.iter().find(|(path, _, _)| *path == source.path);
        let limit = longer.map_or(FILE_LINES, |(_, lines, _)| *lines);
        if source.lines > limit {
            found.push(format!("{}: {} lines, the limit is {limit}", source.path, source.lines));
        }
    }
    nothing_found(&found, "files are short");
}

#[test]
fn functions_are_short() {
    let mut found = Vec::new();
    for source in sources(&["src"]) {
        for (name, line, count, annotated) in functions(&source.code) {
            let known = |(path, long, _): &(&str, &str, &str)| {
                *path == source.path && (*long == "*" || *long == name)
            };
            if count > FUNCTION_LINES && !annotated && !LONG_FUNCTIONS.iter().any(known) {
                found.push(format!("{}:{line}: `{name}` has {count} lines", source.path));
            }
        }
    }
    nothing_found(&found, "functions are short");
}

/// The functions of a file: name, line, number of lines, and whether an attribute excuses them.
fn functions(code: &str) -> Vec<(String, usize, usize, bool)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(place) = line.find("fn ").filter(|place| {
            line[..*place].trim_end_matches(' ').ends_with(is_before_fn) || line[..*place].trim().is_empty()
        }) else {
            continue;
        };
        let name: String =
            line[place + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if name.is_empty() {
            continue;
        }
        let mut depth = 0;
        let mut opened = false;
        for (more, line) in lines[at..].iter().enumerate() {
            for c in line.chars() {
                match c {
                    '{' => {
                        depth += 1;
                        opened = true;
                    }
                    '}' => depth -= 1,
                    _ => {}
                }
            }
            let bodyless = !opened && line.trim_end().ends_with(';');
            if bodyless || (opened && depth <= 0) {
                let above = at.saturating_sub(6);
                let annotated = lines[above..at].iter().any(|line| line.contains("too_many_lines"));
                found.push((name.clone(), at + 1, more + 1, annotated));
                break;
            }
        }
    }
    found
}

/// What may stand before `fn`: the end of `pub`, `pub(crate)`, `const`, `unsafe`, `extern "C"`.
fn is_before_fn(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, ')' | '"')
}

#[test]
fn unsafe_stands_in_two_rooms() {
    let mut found = Vec::new();
    for source in sources(&["src"]) {
        if matches!(source.room(), Some("codegen" | "runtime")) {
            continue;
        }
        for (number, line) in source.numbered() {
            if has_word(line, "unsafe") {
                found.push(format!("{}:{number}", source.path));
            }
        }
    }
    nothing_found(&found, "`unsafe` stands in codegen and runtime only");
}

#[test]
fn lints_are_lifted_with_a_reason() {
    let mut found = Vec::new();
    for source in sources(&["src", "tests", "benches"]) {
        for (number, line) in source.numbered() {
            let start = line.trim_start();
            let lifts = ["#[allow(", "#![allow(", "#[expect(", "#![expect("];
            if lifts.iter().any(|lift| start.starts_with(lift)) {
                let rest = source.code.lines().skip(number - 1).take(12);
                let attribute: String = rest.collect::<Vec<_>>().join(" ");
                let end = attribute.find(")]").unwrap_or(attribute.len());
                if !has_word(&attribute[..end], "reason") {
                    found.push(format!("{}:{number}", source.path));
                }
            }
        }
    }
    nothing_found(&found, "a lint is lifted with a reason");
}

#[test]
fn nothing_is_unwrapped() {
    let mut found = Vec::new();
    for source in sources(&["src"]) {
        for (number, line) in source.numbered() {
            if line.contains(".unwrap()") {
                found.push(format!("{}:{number}: write `expect` with a reason", source.path));
            }
        }
    }
    nothing_found(&found, "`unwrap` stands in tests only");
}

/// The order of a hash map differs from run to run, so what comes out of one is sorted at once.
#[test]
fn hash_maps_are_not_run_over() {
    let mut found = Vec::new();
    for source in sources(&["src"]) {
        if !source.code.contains("HashMap") || source.code.contains("BTreeMap") {
            continue;
        }
        let lines: Vec<&str> = source.code.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let runs =
                [".keys()", ".values()", ".values_mut()", ".into_keys()", ".into_values()", ".drain()"];
            let near = &lines[at.saturating_sub(1)..(at + 8).min(lines.len())];
            let sorted = near
                .iter()
                .any(|line| line.contains("sort") || line.contains(".sum()") || line.contains(".all("));
            if runs.iter().any(|run| line.contains(run)) && !sorted {
                found.push(format!("{}:{}: {}", source.path, at + 1, line.trim()));
            }
        }
    }
    nothing_found(&found, "a hash map has no order");
}

/// Evaluator, folder and machine code must agree to the bit, so they call the same functions.
#[test]
fn mathematics_goes_through_math() {
    let functions = [
        "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh",
        "atanh", "exp", "exp2", "exp_m1", "ln", "ln_1p", "log2", "powf", "cbrt", "hypot",
    ];
    let mut found = Vec::new();
    for source in sources(&["src"]) {
        if source.room() == Some("math") {
            continue;
        }
        for (number, line) in source.numbered() {
            for function in functions {
                if line.contains(&format!(".{function}()")) || line.contains(&format!("f64::{function}")) {
                    found.push(format!("{}:{number}: `{function}`", source.path));
                }
            }
        }
    }
    nothing_found(&found, "nothing but `math` calls the functions of `f64`");
}

#[test]
fn the_top_level_stays_small() {
    let entries = std::fs::read_dir(root()).expect("the repository can be listed");
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let ours = |name: &String| !matches!(name.as_str(), "target" | ".git") && !name.ends_with(".tmp");
    let found: Vec<String> = names.filter(ours).filter(|name| !TOP.contains(&name.as_str())).collect();
    nothing_found(&found, "the top level holds what its list says");
}

#[test]
fn the_checks_see_what_they_should() {
    let code =
        blanked("let a = \"unsafe {\"; // unsafe\nlet b = '{'; let c: &'a str = r#\"x\"y\"#;\n/* { */ d");
    assert!(!code.contains("unsafe") && !code.contains('{') && code.lines().count() == 3);
    assert!(code.contains("&'a str") && code.ends_with('d'));
    let found = functions("fn a() {\n  b();\n}\npub(crate) fn c(x: fn(i64) -> i64) -> i64 {\n x\n}\n");
    let sizes: Vec<(&str, usize)> = found.iter().map(|(name, _, count, _)| (name.as_str(), *count)).collect();
    assert_eq!(sizes, [("a", 3), ("c", 3)]);
    assert!(has_word("let x = unsafe { y };", "unsafe") && !has_word("#![expect(unsafe_code)]", "unsafe"));
}
