//! The command line: verbs, options, and what their help says.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::driver::Engine;
use crate::ir::Precision;
use crate::runtime::kernels::Vectors;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "minima",
    version,
    about = "Objectives and optimizers: differentiated by rewriting, run as native code",
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// Options of every verb.
    #[command(flatten)]
    pub options: Options,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run a program
    #[command(after_help = "Example: minima run fit.opt lr=0.01 steps=500 --report fit.html\n\
        `name=value` sets an `input` of the program.")]
    Run {
        /// The program; `-` reads it from standard input
        file: PathBuf,
        /// Values of the program's inputs
        #[arg(value_name = "NAME=VALUE")]
        inputs: Vec<String>,
        /// Time and bytes by line of the source, on standard error
        #[arg(long)]
        profile: bool,
        /// Write every step of every solve here, as JSON Lines (minima.trace/v1)
        #[arg(long, value_name = "FILE")]
        trace: Option<PathBuf>,
        /// Write a page with program, results and pictures, also if it fails or is interrupted
        #[arg(long, value_name = "PAGE.html")]
        report: Option<PathBuf>,
    },
    /// Report the errors of a program without running it
    #[command(after_help = "Example: minima check fit.opt")]
    Check {
        /// The program; `-` reads it from standard input
        file: PathBuf,
        /// Values of the program's inputs
        #[arg(value_name = "NAME=VALUE")]
        inputs: Vec<String>,
    },
    /// Run the `test` blocks of programs
    #[command(after_help = "Example: minima test stdlib/problems\n\
        A folder stands for all `.opt` files in it. The last line counts: 7 passed, 0 failed")]
    Test {
        /// Programs, or folders of programs
        #[arg(value_name = "FILE|DIR", required = true)]
        paths: Vec<PathBuf>,
    },
    /// Print the intermediate code of a program
    #[command(after_help = "Example: minima ir fit.opt --after expand --solve fit\n\
        Without --solve: the step loops of all solves, or all code if there is no solve.\n\
        Passes, in order: lower simplify expand inline simplify hoist simplify; then plan, code.\n\
        `simplify:2` is the second time it runs, `all` shows every pass and the plan.")]
    Ir {
        /// The program; `-` reads it from standard input
        file: PathBuf,
        /// Values of the program's inputs
        #[arg(value_name = "NAME=VALUE")]
        inputs: Vec<String>,
        /// Show the code after this pass (the last time it ran) instead of after all
        #[arg(long, value_name = "PASS")]
        after: Option<String>,
        /// Show what takes memory, and what reverse mode keeps and computes again
        #[arg(long, conflicts_with = "after")]
        memory: bool,
        /// Only the solve bound to this name
        #[arg(long, value_name = "NAME")]
        solve: Option<String>,
    },
    /// Run a solve with several optimizers, learning rates and seeds
    #[command(after_help = "Example: minima compare examples/logistic.opt --using adam,lion,lbfgs\n\
        Times are those of the steps alone; --time-limit is for each run. See docs/compare.md.")]
    Compare {
        /// The program; `-` reads it from standard input
        file: PathBuf,
        /// Values of the program's inputs
        #[arg(value_name = "NAME=VALUE")]
        inputs: Vec<String>,
        /// The optimizers: "adam(b1 = 0.8), lbfgs" [default: gd, adam, lbfgs]
        #[arg(long, value_name = "LIST")]
        using: Vec<String>,
        /// All of a family, such as "second order"; `minima optimizers` lists them
        #[arg(long, value_name = "FAMILY")]
        family: Vec<String>,
        /// The solve bound to this name [default: the last one]
        #[arg(long, value_name = "NAME")]
        solve: Option<String>,
        /// How many seeds
        #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        seeds: i64,
        /// Learning rates to choose from, where none is given [default: 1e-4,1e-3,1e-2,1e-1,1]
        #[arg(long, value_name = "LIST", value_parser = rates)]
        grid: Option<Rates>,
        /// The loss whose time is taken [default: 99% of the way to the best]
        #[arg(long, value_name = "LOSS", value_parser = finite, allow_negative_numbers = true)]
        target: Option<f64>,
        /// The most steps of a run [default: as the program says, else 1000]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
        steps: Option<i64>,
        /// Write the trajectories (minima.trace/v1) and runs.csv here
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
        /// Print the runs as CSV instead of a table
        #[arg(long, conflicts_with = "json")]
        csv: bool,
    },
    /// Measure how long programs and their solves take, with intervals
    #[command(
        after_help = "Example: minima bench fit.opt --out before.json, then: minima bench fit.opt --compare before.json\n\
        Every round reads, checks, compiles and runs all programs, in an order drawn anew, until the\n\
        95% intervals of the medians are narrower than 2% or the seconds are over. Two reports are\n\
        compared by: minima bench --compare old.json new.json. See docs/bench.md."
    )]
    Bench {
        /// Programs or folders of programs, and values of their inputs
        #[arg(value_name = "FILE|NAME=VALUE", required = true)]
        what: Vec<String>,
        /// Write the report (minima.bench/v1) here
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Say what is faster or slower than in an earlier report
        #[arg(long, value_name = "FILE")]
        compare: Option<PathBuf>,
        /// The most seconds of all rounds together
        #[arg(long, value_name = "N", default_value_t = 5.0, value_parser = seconds)]
        seconds: f64,
    },
    /// Print the derivative of a function or objective as a program
    #[command(after_help = "Example: minima grad examples/rosenbrock.opt:rosenbrock")]
    Grad {
        /// The program, and the function if it is not the first
        #[arg(value_name = "FILE[:FN]")]
        target: String,
    },
    /// Check the derivatives of a program against differences
    #[command(after_help = "Example: minima gradcheck examples/logistic.opt\n\
        Checked are the objective of every solve at its start and near it, the Hessian-vector\n\
        products of optimizers that use them, every derivative that a function states, and those\n\
        that statements ask for: along random directions against differences of the values, and\n\
        forward against reverse. Numbers are explained in docs/gradcheck.md.\n\
        Exit codes: 0 no derivative is wrong, 3 one is wrong, 4 one is not finite.")]
    Gradcheck {
        /// The program; `-` reads it from standard input
        file: PathBuf,
        /// Values of the program's inputs
        #[arg(value_name = "NAME=VALUE")]
        inputs: Vec<String>,
    },
    /// List the optimizers of the library, or show one
    #[command(after_help = "Example: minima optimizers adamw\n\
        Without a name all are listed, by family; with a program those that it declares.")]
    Optimizers {
        /// An optimizer, to show its page; or a program
        #[arg(value_name = "NAME|FILE")]
        what: Option<String>,
        /// Only those of a family, such as `wrappers`
        #[arg(long, value_name = "FAMILY")]
        family: Option<String>,
        /// Only those with a text in name, hyper-parameters or comment
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Write the library, the documents and programs as a site
    #[command(after_help = "Example: minima doc fit.opt models/ --out site\n\
        Open site/index.html: the pages need no server and no network. A folder stands for all\n\
        `.opt` files in it; without any, the site is about the library alone. See docs/doc.md.")]
    Doc {
        /// Programs, or folders of programs
        #[arg(value_name = "FILE|DIR")]
        paths: Vec<PathBuf>,
        /// Where to write it: a folder that is new, empty, or of an earlier site
        #[arg(long, value_name = "FOLDER", default_value = "site")]
        out: PathBuf,
    },
    /// Evaluate expressions
    #[command(after_help = "Example: minima eval 'grad(x -> x^3)(2.0)'\n\
        Each argument is a statement or expression; later ones see the names of earlier ones.\n\
        What begins with a minus sign stands after `--`.")]
    Eval {
        /// Expressions or statements; `-` reads them from standard input
        #[arg(value_name = "EXPR", required = true, allow_negative_numbers = true)]
        text: Vec<String>,
    },
    /// Make a folder with a program to begin with
    #[command(after_help = "Example: minima new fit\n\
        It holds fit.opt, a small objective with data, an optimizer of your own and a test. With\n\
        --from, the program is a linear regression of the table's last column, or the one that --target\n\
        names, on the others. Example: minima new houses --from houses.csv --target price")]
    New {
        /// The folder to make; its name is the program's
        #[arg(value_name = "NAME")]
        folder: PathBuf,
        /// A table (.csv or .tsv) to copy and to fit
        #[arg(long, value_name = "TABLE")]
        from: Option<PathBuf>,
        /// The column of the table to predict [default: the last one]
        #[arg(long, value_name = "COLUMN", requires = "from")]
        target: Option<String>,
    },
    /// Run a program again whenever it, or a file it read, changes
    #[command(after_help = "Example: minima watch fit.opt lr=0.01\n\
        Imports and data are watched too. A change during a run ends it, and the program is run anew.\n\
        Options are those of the runs. Ctrl-C ends it, with exit code 0.")]
    Watch {
        /// The program
        file: PathBuf,
        /// Values of the program's inputs
        #[arg(value_name = "NAME=VALUE")]
        inputs: Vec<String>,
        /// Run its `test` blocks instead
        #[arg(long, conflicts_with = "inputs")]
        test: bool,
    },
    /// Print a script that completes the command line in a shell
    #[command(
        after_help = "Example: minima completions bash > ~/.local/share/bash-completion/completions/minima\n\
        zsh:        minima completions zsh > \"${fpath[1]}/_minima\"\n\
        fish:       minima completions fish > ~/.config/fish/completions/minima.fish\n\
        PowerShell: minima completions powershell >> $PROFILE\n\
        Elvish:     minima completions elvish >> ~/.config/elvish/rc.elv"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Put programs into their one form: spaces, indentation, long lines
    #[command(after_help = "Example: minima fmt .\n\
        A folder stands for all `.opt` files in it and below it. Comments, and the meaning, stay.\n\
        A file with errors is left alone and its errors are shown. See docs/fmt.md.\n\
        Exit codes: 0 done; 1 errors, or with --check files that would change.")]
    Fmt {
        /// Programs, or folders of programs; `-` reads standard input and writes standard output
        #[arg(value_name = "FILE|DIR", required = true)]
        paths: Vec<PathBuf>,
        /// List the files that would change, and write nothing
        #[arg(long)]
        check: bool,
    },
    /// Evaluate entries one by one, at a terminal or from standard input
    #[command(after_help = "Example: minima repl examples/rosenbrock.opt\n\
        `:help` lists its commands, Tab completes names, `:quit` or Ctrl-D ends. The history is in the\n\
        file that MINIMA_HISTORY names, else in the user's folder for state. See docs/repl.md.")]
    Repl {
        /// A program to begin with
        file: Option<PathBuf>,
        /// Values of the program's inputs
        #[arg(value_name = "NAME=VALUE")]
        inputs: Vec<String>,
    },
    /// Explain an error code
    #[command(after_help = "Example: minima explain E0203")]
    Explain {
        /// The code; without it, the list of all codes
        code: Option<String>,
    },
    /// Tell of a verb, of the options of all, or of the exit codes
    #[command(after_help = "Example: minima help options\n\
        `minima help exit-codes` tells what the process says to the shell.")]
    Help {
        /// A verb, `options` or `exit-codes`
        topic: Option<String>,
    },
    /// Serve an editor by the language server protocol
    #[command(after_help = "Example: minima lsp\n\
        Editors start it themselves: docs/editors.md has the lines for Visual Studio Code, Neovim,\n\
        Helix and Emacs. It answers from what `minima check` knows; nothing is run.")]
    Lsp {
        /// As many editors say; there is no other way
        #[arg(long, hide = true)]
        stdio: bool,
    },
    /// Print the version
    #[command(after_help = "Example: minima version --json")]
    Version,
}

impl Verb {
    /// Its name on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Verb::Run { .. } => "run",
            Verb::Check { .. } => "check",
            Verb::Test { .. } => "test",
            Verb::Ir { .. } => "ir",
            Verb::Compare { .. } => "compare",
            Verb::Bench { .. } => "bench",
            Verb::Grad { .. } => "grad",
            Verb::Gradcheck { .. } => "gradcheck",
            Verb::Optimizers { .. } => "optimizers",
            Verb::Doc { .. } => "doc",
            Verb::Eval { .. } => "eval",
            Verb::New { .. } => "new",
            Verb::Watch { .. } => "watch",
            Verb::Completions { .. } => "completions",
            Verb::Fmt { .. } => "fmt",
            Verb::Repl { .. } => "repl",
            Verb::Explain { .. } => "explain",
            Verb::Help { .. } => "help",
            Verb::Lsp { .. } => "lsp",
            Verb::Version => "version",
        }
    }
}

/// The heading of the options of every verb.
pub const EVERY_VERB: &str = "Options of every verb";

/// Options of every verb.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = EVERY_VERB)]
pub struct Options {
    /// Print one JSON report (minima.report/v1) instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// No warnings, notes and progress on standard error
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Progress of solves on standard error
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Seed of all draws [default: 0]
    #[arg(long, global = true, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<i64>,
    /// What `real` means: f32 or f64 [default: f64]
    #[arg(long, global = true, value_enum, hide_possible_values = true)]
    pub precision: Option<PrecisionArg>,
    /// End solves after so many seconds [default: none]
    #[arg(long, global = true, value_name = "SECONDS", value_parser = seconds)]
    pub time_limit: Option<f64>,
    /// Most memory of a program, such as 500MB or 4GiB [default: 3/4 of the machine's]
    #[arg(long, global = true, value_name = "BYTES", value_parser = bytes)]
    pub memory_limit: Option<u64>,
    /// Most steps of compile-time evaluation [default: 1000000]
    #[arg(long, global = true, value_name = "N")]
    pub work_limit: Option<u64>,
    /// Only rewrite rules that keep every bit, and sums from left to right
    #[arg(long, global = true)]
    pub exact: bool,
    /// How many threads may work at once; results are the same bits for any number [default: 1]
    #[arg(long, global = true, value_name = "N", value_parser = threads)]
    pub threads: Option<usize>,
    /// Widest vectors used, in bits: 128, 256 or 512 [default: what the machine has]
    #[arg(long, global = true, value_name = "BITS", value_parser = vectors)]
    pub vectors: Option<Vectors>,
    /// Colors in diagnostics: auto, always or never; NO_COLOR is heeded too
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = ColorWhen::Auto, hide_possible_values = true)]
    pub color: ColorWhen,
    /// What runs the code
    #[arg(long, global = true, value_enum, hide = true, hide_possible_values = true)]
    pub engine: Option<EngineArg>,
    /// Writes the files that the program read to this file, for `watch`
    #[arg(long, global = true, hide = true, value_name = "FILE")]
    pub read_files: Option<PathBuf>,
    /// Panics at a stage, to test how internal errors are handled
    #[arg(long, global = true, hide = true, value_name = "STAGE")]
    pub plant_panic: Option<String>,
}

/// `--precision`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PrecisionArg {
    /// IEEE binary32
    F32,
    /// IEEE binary64
    F64,
}

impl From<PrecisionArg> for Precision {
    fn from(arg: PrecisionArg) -> Precision {
        match arg {
            PrecisionArg::F32 => Precision::F32,
            PrecisionArg::F64 => Precision::F64,
        }
    }
}

/// `--color`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// `--engine`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineArg {
    /// Machine code
    Native,
    /// The interpreter
    Oracle,
}

impl From<EngineArg> for Engine {
    fn from(arg: EngineArg) -> Engine {
        match arg {
            EngineArg::Native => Engine::Native,
            EngineArg::Oracle => Engine::Oracle,
        }
    }
}

/// More threads than this would get no parts: a step is cut into at most so many.
const MOST_THREADS: usize = 64;

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x.is_finite() && x > 0.0 => Ok(x),
        _ => Err("a positive number of seconds is needed".into()),
    }
}

fn threads(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(n) if (1..=MOST_THREADS).contains(&n) => Ok(n),
        _ => Err(format!("a number of threads from 1 to {MOST_THREADS} is needed")),
    }
}

fn vectors(text: &str) -> Result<Vectors, String> {
    let vectors = Vectors::named(text).ok_or("128, 256 or 512 bits are needed")?;
    if vectors > Vectors::here() {
        return Err(format!("this machine has vectors of {} bits", Vectors::here().bits()));
    }
    Ok(vectors)
}

/// Learning rates, with commas between.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates(pub Vec<f64>);

fn rates(text: &str) -> Result<Rates, String> {
    let wrong = || "positive numbers with commas between are needed, such as 1e-3,1e-2,1e-1".to_string();
    let mut rates = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let rate = part.parse::<f64>().ok().filter(|x| x.is_finite() && *x > 0.0).ok_or_else(wrong)?;
        if !rates.contains(&rate) {
            rates.push(rate);
        }
    }
    if rates.is_empty() { Err(wrong()) } else { Ok(Rates(rates)) }
}

fn finite(text: &str) -> Result<f64, String> {
    text.parse::<f64>().ok().filter(|x| x.is_finite()).ok_or_else(|| "a number is needed".into())
}

/// `4096`, `500MB`, `1.5GiB`
fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || "a number of bytes is needed, such as 500MB or 4GiB".to_string();
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let scale: f64 = match unit.trim() {
        "" | "B" => 1.0,
        "kB" | "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        "KiB" | "k" | "K" => 1024.0,
        "MiB" | "M" => 1024.0 * 1024.0,
        "GiB" | "G" => 1024.0 * 1024.0 * 1024.0,
        "TiB" | "T" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return Err(wrong()),
    };
    let count = number.parse::<f64>().map_err(|_| wrong())? * scale;
    if !(1.0..1e18).contains(&count) {
        return Err(wrong());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "its range was checked")]
    Ok(count as u64)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{Cli, bytes, seconds};

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(bytes("4096"), Ok(4096));
        assert_eq!(bytes("500MB"), Ok(500_000_000));
        assert_eq!(bytes("1.5GiB"), Ok(1_610_612_736));
        for wrong in ["", "GiB", "-1", "4 apples", "1e30", "0"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn seconds_are_positive() {
        assert_eq!(seconds("0.5"), Ok(0.5));
        for wrong in ["0", "-1", "nan", "inf", "soon"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
