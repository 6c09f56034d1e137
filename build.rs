//! Generates the parser from `grammar/minima.lalrpop`, and the indices of the embedded standard
//! library, of the documents with the pages about error codes, and of the examples.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=grammar");
    println!("cargo:rerun-if-changed=stdlib");
    println!("cargo:rerun-if-changed=docs");
    println!("cargo:rerun-if-changed=examples");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    if Path::new("grammar/minima.lalrpop").exists() {
        lalrpop::Configuration::new()
            .set_in_dir("grammar")
            .set_out_dir(&out)
            .process()
            .expect("the grammar is LR(1)");
    }
    let whole = |path: &Path| path.display().to_string().replace('\\', "/");
    let mut library = embed("FILES", &below("stdlib", "opt"), whole);
    library += &declarations();
    fs::write(out.join("stdlib.rs"), library).expect("OUT_DIR is writable");
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut pages = embed("PAGES", &below("docs/errors", "md"), stem);
    pages += &embed("EXAMPLES", &below("examples", "opt"), whole);
    pages += &embed("DOCUMENTS", &top("docs", "md"), stem);
    fs::write(out.join("pages.rs"), pages).expect("OUT_DIR is writable");
}

/// A table of what the library declares, by name: the file by its place in `FILES`, and where it stands there.
/// Primitives stand in it twice, by their machine function too. Declarations begin at the start of a line.
fn declarations() -> String {
    let files = below("stdlib", "opt");
    let mut found: Vec<(bool, String, usize, usize, usize)> = Vec::new();
    for (at, file) in files.iter().enumerate() {
        if file.starts_with("stdlib/rules") || file.starts_with("stdlib/problems") {
            continue;
        }
        let text = fs::read_to_string(file).expect("the file was just listed");
        let mut declared: Vec<(&str, String, usize)> = Vec::new();
        // Where the comments and blank lines before the present line begin.
        let (mut start, mut loose) = (0, None);
        let mut ends = Vec::new();
        for line in text.split_inclusive('\n') {
            if let Some((kind, name)) = declared_name(line) {
                ends.push(loose.unwrap_or(start));
                declared.push((kind, name.to_string(), start));
            }
            let comment = line.trim().is_empty() || line.starts_with("//");
            loose = comment.then(|| loose.unwrap_or(start));
            start += line.len();
        }
        ends.push(loose.unwrap_or(start));
        for ((kind, name, start), end) in declared.into_iter().zip(ends.into_iter().skip(1)) {
            if kind == "primitive" {
                let native =
                    text[start..end].split("native \"").nth(1).and_then(|rest| rest.split('"').next());
                let native = native.expect("primitives are native").to_string();
                found.push((true, native, at, start, end));
            }
            found.push((false, name, at, start, end));
        }
    }
    found.sort();
    let mut text = String::from("static DECLARED: &[Declared] = &[\n");
    for (native, name, file, start, end) in found {
        writeln!(
            text,
            "    Declared {{ native: {native}, name: {name:?}, file: {file}, place: {start}..{end} }},"
        )
        .expect("writing to a string");
    }
    text.push_str("];\n");
    text
}

/// The kind and the name of what a line declares at its start.
fn declared_name(line: &str) -> Option<(&str, &str)> {
    const WORDS: [&str; 8] =
        ["fn", "optimizer", "objective", "set", "distribution", "type", "primitive", "let"];
    let (word, rest) = line.split_once(' ')?;
    let rest = rest.trim_start();
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    (WORDS.contains(&word) && end > 0).then(|| (word, &rest[..end]))
}

/// The files below a folder with an ending, in the alphabet's order.
fn below(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(Path::new(folder), ending, &mut files);
    files.sort();
    files
}

/// Those of them that stand in no folder of it.
fn top(folder: &str, ending: &str) -> Vec<PathBuf> {
    below(folder, ending).into_iter().filter(|file| file.parent() == Some(Path::new(folder))).collect()
}

/// A table of files: their names and texts.
fn embed(table: &str, files: &[PathBuf], name: impl Fn(&Path) -> String) -> String {
    let mut text = format!("pub static {table}: &[(&str, &str)] = &[\n");
    for file in files {
        let full = fs::canonicalize(file).expect("the file was just listed");
        let (name, full) = (name(file), full.display().to_string());
        writeln!(text, "    ({name:?}, include_str!({full:?})),").expect("writing to a string");
    }
    text.push_str("];\n");
    text
}

fn collect(folder: &Path, ending: &str, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, ending, files);
        } else if path.extension().is_some_and(|e| e == ending) {
            files.push(path);
        }
    }
}
