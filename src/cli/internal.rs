//! Internal errors: a panic is a bug of Minima, and is told as one.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::thread;

use super::exit;
use super::json;
use super::output::Output;

/// Address space for the stack of a command. Pages are taken when they are touched.
const STACK: usize = 256 << 20;

/// What the first panic said that was not told yet.
static SAID: Mutex<String> = Mutex::new(String::new());

/// Runs a command; gives its exit code, or that of an internal error.
pub fn guard(output: Output, command: impl FnOnce() -> u8 + Send) -> u8 {
    listen();
    let run = || panic::catch_unwind(AssertUnwindSafe(command));
    let done = thread::scope(|scope| {
        let thread = thread::Builder::new().name("minima".into()).stack_size(STACK).spawn_scoped(scope, run);
        thread.ok().and_then(|thread| thread.join().ok()?.ok())
    });
    done.unwrap_or_else(|| {
        let said = heard();
        let said = if said.is_empty() { "the system gives no thread" } else { &said };
        output.error(&message(said));
        if output.json {
            output.report(&json::internal(said));
        }
        exit::INTERNAL
    })
}

/// Runs something after which the process goes on even if it panics; gives what the panic said.
pub fn attempt<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| heard())
}

/// How an internal error is told.
pub fn message(said: &str) -> String {
    format!(
        "internal error, please report: {said}\n\
         This is a bug of Minima, whatever the program. Report it with the program and `minima version`."
    )
}

/// Keeps what panics say in the place of printing it.
fn listen() {
    panic::set_hook(Box::new(|info| {
        let text = info.payload_as_str().unwrap_or("no message");
        let place = info.location().map_or(String::new(), |at| format!(" ({at})"));
        let trace = Backtrace::capture();
        let trace = match trace.status() {
            BacktraceStatus::Captured => format!("\n{trace}"),
            _ => String::new(),
        };
        if let Ok(mut said) = SAID.lock()
            && said.is_empty()
        {
            *said = format!("{text}{place}{trace}");
        }
    }));
}

/// Takes what the first panic said.
fn heard() -> String {
    SAID.lock().map(|mut said| std::mem::take(&mut *said)).unwrap_or_default()
}
