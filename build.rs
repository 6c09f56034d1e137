//! Generates the parser from `grammar/minima.lalrpop`, and the indices of the embedded standard
//! library and of the embedded pages about error codes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=grammar");
    println!("cargo:rerun-if-changed=stdlib");
    println!("cargo:rerun-if-changed=docs/errors");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    if Path::new("grammar/minima.lalrpop").exists() {
        lalrpop::Configuration::new()
            .set_in_dir("grammar")
            .set_out_dir(&out)
            .process()
            .expect("the grammar is LR(1)");
    }
    let library = embed("FILES", "stdlib", "opt", |path| path.display().to_string().replace('\\', "/"));
    fs::write(out.join("stdlib.rs"), library).expect("OUT_DIR is writable");
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let pages = embed("PAGES", "docs/errors", "md", stem);
    fs::write(out.join("pages.rs"), pages).expect("OUT_DIR is writable");
}

/// A table of the files below a folder: their names and texts.
fn embed(table: &str, folder: &str, ending: &str, name: impl Fn(&Path) -> String) -> String {
    let mut files = Vec::new();
    collect(Path::new(folder), ending, &mut files);
    files.sort();
    let mut text = format!("pub static {table}: &[(&str, &str)] = &[\n");
    for file in &files {
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
