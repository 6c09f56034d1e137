//! The embedded standard library, parsed by need.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::diag::{FileId, Report, Sources};
use crate::syntax::ast::File;
use crate::syntax::parse_file;

include!(concat!(env!("OUT_DIR"), "/stdlib.rs"));

/// The files of the standard library by the names they declare.
#[derive(Debug)]
pub struct Library {
    /// Which file declares a name.
    index: HashMap<&'static str, usize>,
    parsed: HashMap<usize, Rc<File>>,
}

/// Words that begin a declaration.
const WORDS: [&str; 8] = ["fn", "optimizer", "objective", "set", "distribution", "type", "primitive", "let"];

impl Library {
    /// Finds the declarations without parsing: they begin at the start of a line.
    pub fn new() -> Library {
        let mut index = HashMap::new();
        for (at, (name, text)) in FILES.iter().enumerate() {
            if name.starts_with("stdlib/rules") || name.starts_with("stdlib/problems") {
                continue;
            }
            for declared in text.lines().filter_map(declared_name) {
                index.entry(declared).or_insert(at);
            }
        }
        Library { index, parsed: HashMap::new() }
    }

    /// The names declared, in the alphabet's order.
    pub fn names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<&str> = self.index.keys().copied().collect();
        names.sort_unstable();
        names.into_iter().map(Arc::from).collect()
    }

    /// The parsed file that declares a name.
    pub fn file_of(&mut self, name: &str, sources: &mut Sources) -> Option<(Rc<File>, Vec<Report>)> {
        let at = *self.index.get(name)?;
        if let Some(file) = self.parsed.get(&at) {
            return Some((file.clone(), Vec::new()));
        }
        let (file, reports) = Library::parse(FILES[at].0, sources)?;
        self.parsed.insert(at, file.clone());
        Some((file, reports))
    }

    /// Parses a file by its path, such as `stdlib/primitives.opt`.
    pub fn parse(path: &str, sources: &mut Sources) -> Option<(Rc<File>, Vec<Report>)> {
        let (name, text) = FILES.iter().find(|(name, _)| *name == path)?;
        let id: FileId = sources.add(*name, *text);
        let (file, reports) = parse_file(id, text);
        Some((Rc::new(file), reports))
    }

    /// The paths and texts of all files.
    pub fn files() -> &'static [(&'static str, &'static str)] {
        FILES
    }
}

impl Default for Library {
    fn default() -> Library {
        Library::new()
    }
}

/// The name that a line declares at its start.
fn declared_name(line: &'static str) -> Option<&'static str> {
    let (word, rest) = line.split_once(' ')?;
    if !WORDS.contains(&word) {
        return None;
    }
    let rest = rest.trim_start();
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}
