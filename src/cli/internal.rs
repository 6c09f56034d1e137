//! Internal errors: a panic is a bug of Minima, and is told as one.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex};
use std::thread;

use super::exit;
use super::json;
use super::output::Output;

/// Address space for the stack of a command. Pages are taken when they are touched.
const STACK: usize = 256 << 20;

/// Runs a command; gives its exit code, or that of an internal error.
pub fn guard(output: Output, command: impl FnOnce() -> u8 + Send) -> u8 {
    let said = Arc::new(Mutex::new(String::new()));
    let heard = said.clone();
    panic::set_hook(Box::new(move |info| {
        let text = info.payload_as_str().unwrap_or("no message");
        let place = info.location().map_or(String::new(), |at| format!(" ({at})"));
        let trace = Backtrace::capture();
        let trace = match trace.status() {
            BacktraceStatus::Captured => format!("\n{trace}"),
            _ => String::new(),
        };
        if let Ok(mut heard) = heard.lock()
            && heard.is_empty()
        {
            *heard = format!("{text}{place}{trace}");
        }
    }));
    let run = || panic::catch_unwind(AssertUnwindSafe(command));
    let done = thread::scope(|scope| {
        let thread = thread::Builder::new().name("minima".into()).stack_size(STACK).spawn_scoped(scope, run);
        thread.ok().and_then(|thread| thread.join().ok()?.ok())
    });
    done.unwrap_or_else(|| {
        let said = said.lock().map(|said| said.clone()).unwrap_or_default();
        let said = if said.is_empty() { "the system gives no thread" } else { &said };
        output.error(&format!(
            "internal error, please report: {said}\n\
             This is a bug of Minima, whatever the program. Report it with the program and `minima version`."
        ));
        if output.json {
            output.report(&json::internal(said));
        }
        exit::INTERNAL
    })
}
