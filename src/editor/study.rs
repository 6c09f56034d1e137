//! A check of a text with all that elaboration learns of it on the way.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use crate::data::Loaded;
use crate::diag::{FileId, Report, Severity, Sources, Span};
use crate::driver::{Session, SessionOptions};
use crate::ir::Precision;
use crate::lower::Denoted;
use crate::run::Program;
use crate::syntax::ast::{File, StmtKind};

use super::text::Shift;

/// The most problems that are shown.
const MOST: usize = 500;

/// The most bytes that the data of a text may take, and the data that are kept.
const DATA: u64 = 1 << 30;

/// Where a text is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The text that is studied.
    Own,
    /// A file.
    File(PathBuf),
    /// A file of the standard library.
    Library(String),
}

/// A place in a text, by its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where the text is from.
    pub origin: Origin,
    /// The whole text.
    pub text: Arc<str>,
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Something found wrong, or worth a warning.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Whether it is a warning only.
    pub warning: bool,
    /// Its code.
    pub code: &'static str,
    /// First byte and end of its place.
    pub at: (usize, usize),
    /// One sentence.
    pub message: String,
    /// What to do about it, and facts worth knowing.
    pub more: Vec<String>,
    /// Further places, each with its text.
    pub related: Vec<(Place, String)>,
    /// An edit that mends it: first byte, end, new text.
    pub fix: Option<(usize, usize, String)>,
}

/// What was found of a text.
#[derive(Debug, Clone, Default)]
pub struct Study {
    /// The text.
    pub text: Arc<str>,
    /// What is wrong with it: the first five hundred.
    pub problems: Vec<Problem>,
    /// How many more there are.
    pub more: usize,
    /// Whether the text had no errors of syntax, so that all of it was looked at.
    whole: bool,
    /// What its places denote, in the order of the text.
    pub places: Vec<((usize, usize), Vec<Denoted>)>,
    /// How many edits had made the text.
    pub edits: usize,
    /// The identity that the text had.
    file: FileId,
    /// Whether it was ended before it was done.
    pub ended: bool,
}

/// What is studied.
#[derive(Debug, Clone)]
pub struct Subject {
    /// What reports call it.
    pub name: String,
    /// Its paths are relative to this folder.
    pub folder: PathBuf,
    /// Its text.
    pub text: Arc<str>,
    /// How many edits made the text.
    pub edits: usize,
    /// The texts that are open, by their paths.
    pub open: HashMap<PathBuf, Arc<str>>,
}

/// Data as a file held them at a time.
#[derive(Debug)]
struct Kept {
    stamp: (SystemTime, u64),
    loaded: Loaded,
}

/// Studies texts, and keeps the data that they load between one and the next.
#[derive(Debug, Default)]
pub struct Scholar {
    data: BTreeMap<(String, PathBuf), Kept>,
}

impl Scholar {
    /// Nothing is kept yet.
    pub fn new() -> Scholar {
        Scholar::default()
    }

    /// Checks a text, until `stop` is set.
    pub fn study(&mut self, subject: &Subject, stop: &Arc<AtomicBool>) -> Study {
        let broken = |reports: Vec<Report>| {
            let said: Vec<String> = reports.into_iter().map(|report| report.message).collect();
            panic!("the standard library has errors: {}", said.join("; "))
        };
        let mut session = Session::new(SessionOptions { data_limit: DATA, ..SessionOptions::default() })
            .unwrap_or_else(broken);
        session.stop = stop.clone();
        session.open = subject.open.clone();
        self.bring(&mut session);
        let mut program = Program::new(&subject.folder);
        let file = session.sources.add(subject.name.clone(), subject.text.clone());
        program.read(file, &subject.text);
        session.options.precision = program.files.first().map_or(Precision::F64, |tree| precision(tree));
        let places = program.study(&mut session, file);
        self.keep(&session);
        let ended = stop.load(Ordering::Relaxed);
        let about = About { sources: &session.sources, file, folder: &subject.folder, text: &subject.text };
        Study {
            text: subject.text.clone(),
            problems: program.reports.iter().take(MOST).map(|one| about.problem(one, &program)).collect(),
            more: program.reports.len().saturating_sub(MOST),
            whole: !program.reports.iter().any(|one| one.is_error() && one.code.starts_with("E01")),
            places: places
                .into_iter()
                .map(|(span, found)| ((span.start as usize, span.end as usize), found))
                .collect(),
            edits: subject.edits,
            file,
            ended,
        }
    }

    /// Data of files that have not changed need not be read again.
    fn bring(&mut self, session: &mut Session) {
        self.data.retain(|(_, path), kept| stamp(path) == Some(kept.stamp));
        for (key, kept) in &self.data {
            session.loaded.insert(key.clone(), kept.loaded.clone());
        }
    }

    fn keep(&mut self, session: &Session) {
        let mut all: Vec<_> = session.loaded.iter().collect();
        // What this text asked for stays, and of the rest as much as fits.
        all.sort_by_key(|(key, _)| (!session.files.contains_key(&key.1), *key));
        let (mut bytes, mut kept) = (0, BTreeMap::new());
        for (key, loaded) in all {
            bytes += loaded.bytes();
            let stamp = self.data.remove(key).map(|kept| kept.stamp).or_else(|| stamp(&key.1));
            if let Some(stamp) = stamp.filter(|_| bytes <= DATA) {
                kept.insert(key.clone(), Kept { stamp, loaded: loaded.clone() });
            }
        }
        self.data = kept;
    }

    /// How many files of data are kept.
    pub fn kept(&self) -> usize {
        self.data.len()
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let found = std::fs::metadata(path).ok()?;
    Some((found.modified().ok()?, found.len()))
}

/// `precision f32` at the top of a program.
fn precision(file: &File) -> Precision {
    let single = |name: &str| if name == "f32" { Precision::F32 } else { Precision::F64 };
    let stated = file.items.iter().find_map(|item| match &item.kind {
        StmtKind::Precision(name) => Some(single(&name.name)),
        _ => None,
    });
    stated.unwrap_or(Precision::F64)
}

/// What places of reports are about.
struct About<'a> {
    sources: &'a Sources,
    file: FileId,
    folder: &'a Path,
    text: &'a Arc<str>,
}

impl About<'_> {
    fn problem(&self, report: &Report, program: &Program) -> Problem {
        let mut related: Vec<(Place, String)> =
            report.labels.iter().map(|label| (self.place(label.span), label.text.clone())).collect();
        let mut message = report.message.clone();
        let at = if report.span.file == self.file {
            report.span
        } else {
            // In another file: it is shown where the program leads there.
            let name = self.sources.get(report.span.file).0;
            related.insert(0, (self.place(report.span), message.clone()));
            message = format!("in {name}: {message}");
            let here = report.labels.iter().find(|label| label.span.file == self.file);
            here.map(|label| label.span).or_else(|| import_of(program, name)).unwrap_or_default()
        };
        let (start, end) = self.clipped(at);
        let fix = report.fix.as_ref().filter(|fix| fix.span.file == self.file);
        let fix = fix.map(|fix| (fix.span.start as usize, fix.span.end as usize, fix.text.clone()));
        Problem {
            warning: report.severity == Severity::Warning,
            code: report.code,
            at: (start, end),
            message,
            more: report.help.iter().chain(&report.notes).cloned().collect(),
            related,
            fix,
        }
    }

    fn clipped(&self, span: Span) -> (usize, usize) {
        let start = (span.start as usize).min(self.text.len());
        (start, (span.end as usize).clamp(start, self.text.len()))
    }

    fn place(&self, span: Span) -> Place {
        let (name, text) = self.sources.get(span.file);
        let (origin, text) = if span.file == self.file {
            (Origin::Own, self.text.clone())
        } else if name.starts_with("stdlib/") {
            (Origin::Library(name.to_string()), Arc::from(text))
        } else {
            (Origin::File(self.folder.join(name)), Arc::from(text))
        };
        let start = (span.start as usize).min(text.len());
        let end = (span.end as usize).clamp(start, text.len());
        Place { origin, text, start, end }
    }
}

/// The `import` that names a file.
fn import_of(program: &Program, name: &str) -> Option<Span> {
    let items = program.files.iter().flat_map(|file| &file.items);
    items.into_iter().find_map(|item| match &item.kind {
        StmtKind::Import { path, path_span, .. } if **path == *name => Some(*path_span),
        _ => None,
    })
}

impl Study {
    /// Whether the text had no errors of syntax, so that all of it was looked at.
    pub fn is_whole(&self) -> bool {
        self.whole
    }
}

/// A check, seen from a later text.
#[derive(Debug, Clone)]
pub struct Studied {
    /// What was found.
    pub study: Arc<Study>,
    /// From the text of the check to the later one.
    now: Vec<Shift>,
}

impl Studied {
    /// Seen after some edits.
    pub fn after(study: Arc<Study>, edits: &[Shift]) -> Studied {
        Studied { study, now: edits.to_vec() }
    }

    /// Where a byte of the text of the check stands now.
    pub fn now(&self, at: usize) -> Option<usize> {
        self.now.iter().try_fold(at, |at, edit| edit.moved(at))
    }

    /// Where a byte of the present text stood.
    fn then(&self, at: usize) -> Option<usize> {
        self.now.iter().rev().try_fold(at, |at, edit| edit.back().moved(at))
    }

    /// What stands at the same place denotes.
    pub fn of(&self, start: usize, end: usize) -> &[Denoted] {
        let (Some(start), Some(end)) = (self.then(start), self.then(end)) else { return &[] };
        let places = &self.study.places;
        let from = places.partition_point(|(at, _)| *at < (start, end));
        places.get(from).filter(|(at, _)| *at == (start, end)).map_or(&[], |(_, found)| found)
    }

    /// The smallest expression around a place, and what it denotes.
    pub fn around(&self, at: usize) -> Option<((usize, usize), &[Denoted])> {
        let then = self.then(at)?;
        let places = &self.study.places;
        let before = places.partition_point(|((start, _), _)| *start <= then);
        let found = places[..before].iter().filter(|((_, end), _)| then < *end);
        let ((start, end), what) = found.min_by_key(|((start, end), _)| end - start)?;
        Some(((self.now(*start)?, self.now(*end)?), what))
    }

    /// Where a span that elaboration gave stands, if it is of the same file.
    pub fn own(&self, span: Span) -> Option<(usize, usize)> {
        if span.file != self.study.file {
            return None;
        }
        Some((self.now(span.start as usize)?, self.now(span.end as usize)?))
    }
}
