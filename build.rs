//! Generates the parser from `grammar/minima.lalrpop` and the index of the embedded standard library.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=grammar");
    println!("cargo:rerun-if-changed=stdlib");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    if Path::new("grammar/minima.lalrpop").exists() {
        lalrpop::Configuration::new()
            .set_in_dir("grammar")
            .set_out_dir(&out)
            .process()
            .expect("the grammar is LR(1)");
    }
    let mut files = Vec::new();
    collect(Path::new("stdlib"), &mut files);
    files.sort();
    let mut text = String::from("pub static FILES: &[(&str, &str)] = &[\n");
    for file in &files {
        let name = file.display().to_string().replace('\\', "/");
        let full = fs::canonicalize(file).expect("the file was just listed");
        writeln!(
            text,
            "    ({name:?}, include_str!({:?})),",
            full.display().to_string()
        )
        .expect("writing to a string");
    }
    text.push_str("];\n");
    fs::write(out.join("stdlib.rs"), text).expect("OUT_DIR is writable");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "opt") {
            files.push(path);
        }
    }
}
