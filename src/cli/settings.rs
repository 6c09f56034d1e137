//! The configuration of a run: what was given, and what was filled in.

use super::args::Options;
use super::output;
use crate::driver::{Engine, SessionOptions};
use crate::ir::Precision;
use crate::runtime::kernels::Vectors;
use crate::syntax::ast::{File, StmtKind};

/// A value, and whether the user gave it.
#[derive(Debug, Clone, Copy)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Whether it was given, on the command line or in the program.
    pub given: bool,
}

impl<T> Setting<T> {
    fn of(given: Option<T>, default: T) -> Setting<T> {
        Setting { given: given.is_some(), value: given.unwrap_or(default) }
    }
}

/// The configuration of a run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The seed of all draws.
    pub seed: Setting<i64>,
    /// The precision of reals.
    pub precision: Setting<Precision>,
    /// The most seconds of all solves together.
    pub time_limit: Setting<Option<f64>>,
    /// The most bytes.
    pub memory_limit: Setting<u64>,
    /// The most steps of elaboration.
    pub work_limit: Setting<u64>,
    /// Only rewrite rules that keep every bit.
    pub exact: Setting<bool>,
    /// How many threads may work at once.
    pub threads: Setting<usize>,
    /// The widest vectors used.
    pub vectors: Setting<Vectors>,
    /// What runs the code.
    pub engine: Setting<Engine>,
    /// How long lines of printed tables may be.
    pub width: usize,
}

impl Settings {
    /// As the command line says; a precision given there comes before that of the program.
    pub fn new(options: &Options) -> Settings {
        let default = SessionOptions::default();
        Settings {
            seed: Setting::of(options.seed, default.seed),
            precision: Setting::of(options.precision.map(Into::into), default.precision),
            time_limit: Setting::of(options.time_limit.map(Some), default.time_limit),
            memory_limit: Setting::of(
                options.memory_limit,
                memory_of_machine().unwrap_or(default.memory_limit),
            ),
            work_limit: Setting::of(options.work_limit, default.work_limit),
            exact: Setting::of(options.exact.then_some(true), default.exact),
            threads: Setting::of(options.threads, default.threads),
            vectors: Setting::of(options.vectors, default.vectors),
            engine: Setting::of(options.engine.map(Into::into), default.engine),
            width: output::width().filter(|_| !options.json).unwrap_or(default.width),
        }
    }

    /// Heeds `precision f32` in the program.
    pub fn heed(&mut self, file: &File) {
        if self.precision.given {
            return;
        }
        for item in &file.items {
            if let StmtKind::Precision(name) = &item.kind {
                let value = match &*name.name {
                    "f32" => Precision::F32,
                    _ => Precision::F64,
                };
                self.precision = Setting { value, given: true };
            }
        }
    }

    /// As a session takes them.
    pub fn session_options(&self) -> SessionOptions {
        SessionOptions {
            seed: self.seed.value,
            precision: self.precision.value,
            execute: true,
            memory_limit: self.memory_limit.value,
            data_limit: u64::MAX,
            time_limit: self.time_limit.value,
            work_limit: self.work_limit.value,
            exact: self.exact.value,
            threads: self.threads.value,
            vectors: self.vectors.value,
            engine: self.engine.value,
            width: self.width,
            ..SessionOptions::default()
        }
    }
}

/// Three quarters of the memory of the machine, or of the group of processes we are in.
fn memory_of_machine() -> Option<u64> {
    let total = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    });
    let group = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        .into_iter()
        .filter_map(|path| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok())
        .min();
    [total, group].into_iter().flatten().min().map(|bytes| bytes / 4 * 3)
}
