//! Programs from files, from standard input and from the command line.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::exit;
use crate::data::PROGRAM as LIMIT;
use crate::diag::{Report, Sources, Span, cause, nearest};

/// The text of a program.
#[derive(Debug, Clone)]
pub struct Source {
    /// What reports call it.
    pub name: String,
    /// Its paths are relative to this folder.
    pub folder: PathBuf,
    /// Its text; bytes that are not UTF-8 are replaced.
    pub text: String,
    /// Where the first byte stands that is not UTF-8, and how many bytes are wrong there.
    wrong: Option<usize>,
}

/// A sentence and an exit code.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What to tell the user.
    pub message: String,
}

impl Failure {
    /// The command line is wrong.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure { code: exit::USAGE, message: message.into() }
    }

    /// A file that was asked for could not be written.
    pub fn unwritten(path: &Path, why: &std::io::Error) -> Failure {
        Failure { code: exit::DATA, message: format!("cannot write `{}`: {}", path.display(), cause(why)) }
    }
}

impl Source {
    /// Reads a program; `-` is standard input.
    pub fn read(path: &Path) -> Result<Source, Failure> {
        let name = path.display().to_string();
        if name == "-" {
            let bytes = bounded(std::io::stdin().lock(), "standard input")?;
            return Ok(Source::of_bytes("<stdin>", Path::new("."), bytes));
        }
        let cannot = |why: std::io::Error| Failure::usage(unreadable(path, &name, &why));
        let found = std::fs::metadata(path).map_err(cannot)?;
        if found.is_dir() {
            return Err(Failure::usage(format!("`{name}` is a folder, not a program")));
        }
        let bytes = bounded(std::fs::File::open(path).map_err(cannot)?, &name)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Ok(Source::of_bytes(&name, folder, bytes))
    }

    /// A program given as text.
    pub fn of_text(name: &str, text: &str) -> Source {
        Source::of_bytes(name, Path::new("."), text.as_bytes().to_vec())
    }

    fn of_bytes(name: &str, folder: &Path, bytes: Vec<u8>) -> Source {
        let (text, wrong) = match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some(at))
            }
        };
        Source { name: name.to_string(), folder: folder.to_path_buf(), text, wrong }
    }

    /// Whether all of it is UTF-8.
    pub fn is_text(&self) -> bool {
        self.wrong.is_none()
    }

    /// Adds the text to the sources of a session, under `name`.
    pub fn add_to(&self, sources: &mut Sources) -> (crate::diag::FileId, Option<Report>) {
        let file = sources.add(self.name.clone(), self.text.as_str());
        let report = self.wrong.map(|at| not_utf8(Span::new(file, at, at + '\u{FFFD}'.len_utf8())));
        (file, report)
    }

    /// A fingerprint of the text: FNV-1a of 64 bits.
    pub fn hash(&self) -> String {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = self.text.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, step);
        format!("fnv1a64:{hash:016x}")
    }
}

/// Why a file cannot be read; of one that is not there, which may be meant.
pub(super) fn unreadable(path: &Path, name: &str, why: &std::io::Error) -> String {
    if why.kind() != std::io::ErrorKind::NotFound {
        return format!("cannot read `{name}`: {}", cause(why));
    }
    let beside = crate::data::neighbours(path);
    let last = path.file_name().map(|last| last.to_string_lossy().into_owned()).unwrap_or_default();
    let near = nearest(&last, beside.iter().map(String::as_str));
    let near = near.map_or(String::new(), |near| {
        let near = path.with_file_name(near);
        format!("; did you mean `{}`?", near.display())
    });
    format!("there is no file `{name}`{near}")
}

/// E0121. A program that is not UTF-8.
fn not_utf8(span: Span) -> Report {
    Report::error("E0121", span, "this is not UTF-8 text").help("save the program with the encoding UTF-8")
}

fn bounded(reader: impl Read, name: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    reader
        .take(LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(|why| Failure::usage(format!("cannot read `{name}`: {}", cause(&why))))?;
    if bytes.len() as u64 > LIMIT {
        let message = format!("`{name}` is larger than 64 MiB, the limit for a program");
        return Err(Failure { code: exit::LIMIT, message });
    }
    Ok(bytes)
}

/// The `.opt` files that a path stands for: itself, or all in a folder, in the alphabet's order.
pub fn programs(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let name = path.display();
    let entries =
        path.read_dir().map_err(|why| Failure::usage(format!("cannot read `{name}`: {}", cause(&why))))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "opt"))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(Failure::usage(format!("there are no `.opt` files in `{name}`")));
    }
    Ok(files)
}

/// `name=value` pairs.
pub fn inputs(texts: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for text in texts {
        let Some((name, value)) = text.split_once('=') else {
            return Err(Failure::usage(format!("`{text}` is no input: write `name=value`")));
        };
        if pairs.iter().any(|(known, _)| known == name) {
            return Err(Failure::usage(format!("the input `{name}` is given twice")));
        }
        pairs.push((name.to_string(), value.to_string()));
    }
    Ok(pairs)
}
