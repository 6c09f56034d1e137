//! What all programs of a process share.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, SystemTime};

use super::Library;
use super::compile::Known;
use crate::codegen::{Measured, Usage};
use crate::data::Loaded;
use crate::diag::{FileId, Report, Sources};
use crate::ir::{self, Note, Precision, Rule};
use crate::lower::{self, reading_rules, rewrite_rules};
use crate::passes::{self, differentiate::Tapes};
use crate::runtime::kernels::Vectors;
use crate::syntax::parse_file;

/// What runs the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engine {
    /// Machine code.
    #[default]
    Native,
    /// The interpreter of the IR, after the passes.
    Oracle,
}

/// What programs run under.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// The seed of all draws.
    pub seed: i64,
    /// The precision of reals.
    pub precision: Precision,
    /// Whether code is run at all; `false` for `check`.
    pub execute: bool,
    /// The most bytes a program may take.
    pub memory_limit: u64,
    /// The most bytes that all the data which a program loads may take.
    pub data_limit: u64,
    /// The most seconds all solves of a program may take together.
    pub time_limit: Option<f64>,
    /// The most steps of elaboration.
    pub work_limit: u64,
    /// Only rewrite rules that keep every bit.
    pub exact: bool,
    /// How many threads may work at once. The results are the same bits for any number.
    pub threads: usize,
    /// The widest vectors used.
    pub vectors: Vectors,
    /// What runs the code.
    pub engine: Engine,
    /// What loops may keep for reverse mode.
    pub tapes: Tapes,
    /// Whether code measures its steps, for `minima run --profile`.
    pub profile: bool,
    /// Whether every step of a solve is told, not only those that are recorded.
    pub every_step: bool,
    /// Whether machine code is kept as text, for `minima ir`.
    pub listing: bool,
    /// Lines of printed tables and matrices that would be longer lose columns from their middle.
    pub width: usize,
}

impl Default for SessionOptions {
    fn default() -> SessionOptions {
        SessionOptions {
            seed: 0,
            precision: Precision::F64,
            execute: true,
            memory_limit: 8 << 30,
            data_limit: u64::MAX,
            time_limit: None,
            work_limit: 1_000_000,
            exact: false,
            threads: 1,
            vectors: Vectors::here(),
            engine: Engine::Native,
            tapes: Tapes::default(),
            listing: false,
            width: WIDTH,
            profile: false,
            every_step: false,
        }
    }
}

/// How many letters a line of a printed table has at most, where no terminal is narrower or wider.
pub const WIDTH: usize = 100;

/// What tells whether a file has changed: when it was written, in nanoseconds since 1970, and how
/// many bytes it has; nothing where there is no such file.
pub type Stamp = Option<(u128, u64)>;

/// The stamp of a file.
pub fn stamp(path: &Path) -> Stamp {
    let found = path.metadata().ok()?;
    let since = found.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    Some((since.unwrap_or_default().as_nanos(), found.len()))
}

/// Called with a pass's name and the program after it.
pub type Observer = Box<dyn FnMut(&'static str, &ir::Program)>;

/// The rewrite rules of the standard library, being read.
struct Rules(Result<thread::JoinHandle<Found>, Vec<(FileId, &'static str)>>);

/// The rules, or what is wrong with them.
type Found = Result<Vec<Rule>, Vec<Report>>;

impl Rules {
    /// Reads them beside what follows: no program needs them before it is checked. Where the system gives no thread
    /// they are read when they are needed.
    fn read(sources: &mut Sources) -> Rules {
        let files = Library::files().iter().filter(|(path, _)| path.starts_with("stdlib/rules/"));
        let files: Vec<(FileId, &str)> =
            files.map(|(path, text)| (sources.add(*path, *text), *text)).collect();
        let own = files.clone();
        Rules(thread::Builder::new().spawn(move || read_rules(&own)).map_err(|_| files))
    }

    fn finish(self) -> Found {
        match self.0 {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(files) => read_rules(&files),
        }
    }
}

fn read_rules(files: &[(FileId, &str)]) -> Found {
    let (mut rules, mut reports) = (Vec::new(), Vec::new());
    for (id, text) in files {
        let (file, found) = parse_file(*id, text);
        reports.extend(found);
        match rewrite_rules(&file) {
            Ok(found) => rules.extend(found),
            Err(found) => reports.extend(found),
        }
    }
    if reports.iter().any(Report::is_error) { Err(reports) } else { Ok(rules) }
}

/// The standard library, the sources read so far, and the options.
pub struct Session {
    /// The sources, for reports.
    pub sources: Sources,
    /// The standard library.
    pub library: Library,
    /// What programs run under.
    pub options: SessionOptions,
    /// Set to end what runs.
    pub stop: Arc<AtomicBool>,
    /// Data read while a program was checked, by the function and the path, for its run.
    pub loaded: HashMap<(String, PathBuf), Loaded>,
    /// Texts of programs that an editor holds, by their paths: they count instead of the files.
    pub open: HashMap<PathBuf, Arc<str>>,
    /// The files that programs asked for, as they were then.
    pub files: BTreeMap<PathBuf, Stamp>,
    /// Sees every program after every pass, for `minima ir`.
    pub observer: Rc<RefCell<Option<Observer>>>,
    /// What code noted beside its results.
    pub notes: Rc<RefCell<Vec<Note>>>,
    /// How long programs were taken through the compiler, all together.
    pub compiling: Cell<Duration>,
    /// Programs compiled before.
    pub(super) known: RefCell<Known>,
    /// The rewrite rules, until they are first asked for.
    rules: RefCell<Option<Rules>>,
    /// What is measured of all code, where a profile is asked for.
    pub measured: Rc<RefCell<Vec<Rc<Measured>>>>,
    passes: OnceCell<passes::Options>,
}

impl Session {
    /// Begins to read what every program needs of the standard library.
    ///
    /// # Errors
    /// Reports about the standard library itself: always a bug.
    pub fn new(options: SessionOptions) -> Result<Session, Vec<Report>> {
        let mut sources = Sources::default();
        ir::set_primitives(Library::primitives(&mut sources));
        let rules = Rules::read(&mut sources);
        Ok(Session {
            sources,
            library: Library::new(),
            options,
            stop: Arc::new(AtomicBool::new(false)),
            loaded: HashMap::new(),
            open: HashMap::new(),
            files: BTreeMap::new(),
            observer: Rc::new(RefCell::new(None)),
            compiling: Cell::default(),
            known: RefCell::default(),
            rules: RefCell::new(Some(rules)),
            passes: OnceCell::new(),
            notes: Rc::default(),
            measured: Rc::default(),
        })
    }

    /// Forgets what was compiled.
    pub fn forget_code(&mut self) {
        *self.known.borrow_mut() = Known::default();
    }

    /// Notes that a program asks for a file.
    pub fn asked_for(&mut self, path: &Path) {
        self.files.entry(path.to_path_buf()).or_insert_with_key(|path| stamp(path));
    }

    /// What was measured of the code so far.
    pub fn usage(&self) -> Vec<Usage> {
        self.measured.borrow().iter().flat_map(|measured| measured.usage()).collect()
    }

    /// What the passes are told.
    ///
    /// # Panics
    /// If the rules of the standard library are wrong, which the tests would show.
    pub fn pass_options(&self) -> &passes::Options {
        self.passes.get_or_init(|| {
            let rules = self.rules.borrow_mut().take().map_or_else(|| Ok(Vec::new()), Rules::finish);
            passes::Options {
                exact: self.options.exact,
                rules: Arc::new(rules.unwrap_or_else(|reports| panic!("the rules are wrong: {reports:?}"))),
                tapes: self.options.tapes.clone(),
                ..passes::Options::default()
            }
        })
    }

    /// What the passes are told when they make a program readable: the rules of `stdlib/reading.opt`.
    ///
    /// # Panics
    /// If that file is wrong, which the tests would show.
    pub fn reading_options(&mut self) -> passes::Options {
        let (file, _) = Library::parse("stdlib/reading.opt", &mut self.sources).expect("the file exists");
        let rules = reading_rules(&file).expect("the file is right");
        passes::Options { rules: Arc::new(rules), exact: false, reading: true, ..self.pass_options().clone() }
    }

    /// The options as elaboration sees them.
    pub fn lower_options(&self) -> lower::Options {
        lower::Options {
            seed: self.options.seed,
            precision: self.options.precision,
            execute: self.options.execute,
            memory_limit: self.options.memory_limit,
            work_limit: self.options.work_limit,
        }
    }
}
