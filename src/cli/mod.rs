//! The command line: the only room that writes to the terminal and ends the process.
//!
//! A command runs on a thread with a large stack, behind a door that turns a panic into an
//! internal error with exit code 70.

mod args;
mod bench;
mod blocks;
mod check;
mod compare;
mod completions;
mod doc;
mod exit;
mod explain;
mod fmt;
mod grad;
mod gradcheck;
mod help;
mod internal;
mod ir;
mod json;
mod live;
mod log;
mod lsp;
mod memory;
mod new;
mod optimizers;
mod output;
mod outputs;
mod page;
mod profile;
mod program;
mod record;
mod repl;
mod run;
mod settings;
mod signals;
mod source;
mod standings;
mod test;
mod trace;
mod traces;
mod verbs;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;
use std::thread;

use clap::FromArgMatches;

use self::args::{Cli, Verb};
use self::output::Output;
use self::signals::Signals;
use self::source::Failure;

/// Address space for the stack of the thread that reads the arguments.
const ARGUMENTS: usize = 8 << 20;

/// Runs the command of a process, and gives its exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    crate::runtime::one_heap();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    let cli = match parsed(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, json),
    };
    let output = Output::new(&cli.options);
    let code = internal::guard(output, move || {
        let signals = Signals::listen();
        if cli.options.read_files.is_some() {
            signals.stop_with_input();
        }
        let done = perform(&cli, output, &signals);
        done.unwrap_or_else(|failure| {
            output.error(&failure.message);
            if output.json {
                output.report(&json::failure(cli.verb.name(), &failure));
            }
            failure.code
        })
    });
    ExitCode::from(code)
}

/// The arguments, read on a thread whose stack does not depend on the system's limit: so many verbs take
/// a good part of a small one.
fn parsed(arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    let read = || {
        let mut command = help::command();
        let found = command.try_get_matches_from_mut(arguments.clone());
        let found = found.and_then(|found| Cli::from_arg_matches(&found));
        found.map_err(|error| {
            verbs::no_verb(&error, &arguments, &command).unwrap_or_else(|| error.format(&mut command))
        })
    };
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(ARGUMENTS).spawn_scoped(scope, read);
        let done = thread.map(thread::ScopedJoinHandle::join);
        let failed = || clap::Error::raw(clap::error::ErrorKind::Io, "the system gives no thread\n");
        done.ok().and_then(Result::ok).unwrap_or_else(|| Err(failed()))
    })
}

/// Help and version go to standard output and are no error. In JSON mode an error is a report.
fn usage(error: &clap::Error, json: bool) -> ExitCode {
    let code = if error.use_stderr() { exit::USAGE } else { exit::OK };
    if json && error.use_stderr() {
        let message = error.to_string().trim_start_matches("error: ").trim_end().to_string();
        println!("{:#}", json::failure("", &Failure { code, message }));
        return ExitCode::from(code);
    }
    // If even this cannot be written, the exit code still tells.
    let _ = error.print();
    ExitCode::from(code)
}

fn perform(cli: &Cli, output: Output, signals: &Signals) -> Result<u8, Failure> {
    let options = &cli.options;
    match &cli.verb {
        Verb::Run { file, inputs, profile, trace, report } => {
            let asked = run::Asked { profile: *profile, trace: trace.as_deref(), report: report.as_deref() };
            run::run(file, inputs, asked, options, output, signals)
        }
        Verb::Eval { text } => run::eval(text, options, output, signals),
        Verb::Repl { file, inputs } => repl::repl(file.as_deref(), inputs, options, output, signals),
        Verb::Check { file, inputs } => check::check(file, inputs, options, output, signals),
        Verb::Test { paths } => test::test(paths, options, output, signals),
        Verb::Ir { file, inputs, after, memory, solve } => {
            let wanted = ir::Wanted { after: after.as_deref(), memory: *memory, solve: solve.as_deref() };
            ir::ir(file, inputs, wanted, options, output, signals)
        }
        Verb::Compare { file, inputs, using, family, solve, seeds, grid, target, steps, out, csv } => {
            let asked = compare::Asked {
                using: using.clone(),
                families: family.clone(),
                solve: solve.clone(),
                seeds: *seeds,
                grid: grid.as_ref().map(|rates| rates.0.clone()),
                target: *target,
                steps: *steps,
                out: out.clone(),
                csv: *csv,
            };
            compare::compare(file, inputs, &asked, options, output, signals)
        }
        Verb::Bench { what, out, compare, seconds } => {
            let (what, out, compare) = (what.clone(), out.clone(), compare.clone());
            let asked = bench::Asked { what, out, compare, seconds: *seconds };
            bench::bench(&asked, options, output, signals)
        }
        Verb::Grad { target } => grad::grad(target, options, output, signals),
        Verb::Gradcheck { file, inputs } => gradcheck::gradcheck(file, inputs, options, output, signals),
        Verb::Optimizers { what, family, search } => {
            let (what, family, search) = (what.as_deref(), family.as_deref(), search.as_deref());
            optimizers::optimizers(optimizers::Asked { what, family, search }, output)
        }
        Verb::Doc { paths, out } => doc::doc(paths, out, options, output, signals),
        Verb::New { folder, from, target } => new::new(folder, from.as_deref(), target.as_deref(), output),
        Verb::Watch { file, test, .. } => {
            let arguments: Vec<OsString> = std::env::args_os().collect();
            watch::watch(file, *test, &arguments, output, signals)
        }
        Verb::Completions { shell } => Ok(completions::completions(*shell, output)),
        Verb::Explain { code } => explain::explain(code.as_deref(), output),
        Verb::Help { topic } => told(topic.as_deref(), output),
        Verb::Fmt { paths, check } => fmt::fmt(paths, *check, output),
        Verb::Lsp { .. } => lsp::serve(options.plant_panic.as_deref()),
        Verb::Version => Ok(version(output)),
    }
}

/// `minima help`
fn told(topic: Option<&str>, output: Output) -> Result<u8, Failure> {
    let text = help::help(topic)?;
    output.result(text.trim_end());
    if output.json {
        output.report(&json::help(topic, &text));
    }
    Ok(exit::OK)
}

fn version(output: Output) -> u8 {
    output.result(&format!("minima {}", env!("CARGO_PKG_VERSION")));
    if output.json {
        output.report(&json::version());
    }
    exit::OK
}
