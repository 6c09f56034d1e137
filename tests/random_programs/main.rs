//! Derivatives of random programs: forward against reverse, both against differences, machine code
//! against the interpreter, before against after simplification, one point against a batch, and second
//! derivatives against each other. An eighth of the programs stands at points with ties and kinks, where the
//! derivative is a stated choice: there it is compared with what is stated.
//!
//! `PROGRAMS=20000 cargo test --test random_programs` takes so many programs, `FROM` the first of them;
//! `SEED=17` takes one alone and prints it, `SHRINK=1` makes those that fail smaller, and `TIES=1` has all
//! at ties.

mod check;
mod differences;
mod expressions;
mod generator;
mod recorder;
mod shrink;
mod statements;
#[path = "../support/mod.rs"]
mod support;
mod ties;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use check::{Tally, examine, source};
use generator::{Generator, Program};
use minima::driver::{Session, SessionOptions};
use minima::ir::Precision;

/// Programs of one run, where nothing else is asked for.
const PROGRAMS: u64 = 2_000;
/// How often a construct must occur for each thousand programs.
const OCCURS: usize = 3;
/// Address space for the stack of a thread that runs programs.
const STACK: usize = 256 << 20;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Every fourth program is differentiated twice.
fn second(seed: u64) -> bool {
    seed.is_multiple_of(4)
}

/// Every eighth program is at ties, half of them differentiated twice.
fn ties(seed: u64) -> bool {
    matches!(seed % 16, 3 | 12) || number("TIES").is_some()
}

/// The program of a seed: most are small.
fn program_of(seed: u64) -> Program {
    #[expect(clippy::cast_possible_wrap, reason = "sizes are small")]
    let size = 6 + (seed % 5 * 5) as i64;
    let write = if ties(seed) { Generator::with_ties } else { Generator::program };
    write(seed, size, session_of(seed) == SINGLE)
}

/// What programs run under: with all rules, with exact ones alone, in single precision.
fn sessions() -> [Session; 3] {
    let session = |exact, precision| {
        let options = SessionOptions { exact, precision, ..SessionOptions::default() };
        Session::new(options).expect("the standard library is sound")
    };
    [session(false, Precision::F64), session(true, Precision::F64), session(false, Precision::F32)]
}

/// The place of the last.
const SINGLE: usize = 2;

/// Which of them: a tenth in single precision, a third of the others exactly.
fn session_of(seed: u64) -> usize {
    match seed % 10 {
        9 => SINGLE,
        n => usize::from(n % 3 == 1),
    }
}

/// The formatter keeps what a program is, and changes nothing the second time.
#[test]
fn random_programs_have_one_form() {
    for seed in 0..number("PROGRAMS").unwrap_or(PROGRAMS) / 10 {
        let text = source(&program_of(seed), second(seed));
        let tree = |text: &str| {
            minima::syntax::print_file(&minima::syntax::parse_file(minima::diag::FileId(0), text).0)
        };
        let formed = minima::syntax::format(&text).unwrap_or_else(|why| panic!("{seed}: {why:?}\n{text}"));
        assert_eq!(tree(&formed), tree(&text), "{seed}: another program");
        assert_eq!(minima::syntax::format(&formed).as_ref(), Ok(&formed), "{seed}: not stable");
        let long = formed.lines().find(|line| line.chars().count() > 100 && line.contains(", "));
        assert_eq!(long, None, "{seed}: a line that could be shorter\n{formed}");
    }
}

/// Checks the program of a seed; one that fails is made smaller if that is asked for.
fn check(session: &mut Session, seed: u64, tally: &mut Tally) -> Result<(), String> {
    let program = program_of(seed);
    let text = source(&program, second(seed));
    if number("SEED").is_some() {
        println!("{text}");
    }
    let mut attempt = |text: &str, tally: &mut Tally| {
        let run = || examine(session, &program, text, second(seed), tally);
        catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err("a panic".into()))
    };
    let Err(wrong) = attempt(&text, tally) else { return Ok(()) };
    let start: String = wrong.chars().take(1_000).collect();
    println!("SEED={seed}: {start}");
    if number("SHRINK").is_none() {
        return Err(start);
    }
    let kind = |wrong: &str| wrong.split(':').next().unwrap_or_default().to_string();
    let mut fails =
        |text: &str| attempt(text, &mut Tally::default()).is_err_and(|other| kind(&other) == kind(&wrong));
    let small = shrink::shrunk(&text, &mut fails);
    println!("SEED={seed}, smaller:\n{small}");
    Err(format!("{start}\n{small}"))
}

#[test]
fn derivatives_of_random_programs_agree() {
    let total = number("PROGRAMS").unwrap_or(PROGRAMS);
    let first = number("SEED").or(number("FROM")).unwrap_or(0);
    let end = if number("SEED").is_some() { first + 1 } else { first + total };
    let next = AtomicU64::new(first);
    let all = Mutex::new((Tally::default(), Vec::new()));
    let began = Instant::now();
    let work = || {
        let mut sessions = sessions();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                break;
            }
            let mut tally = Tally::default();
            let done = check(&mut sessions[session_of(seed)], seed, &mut tally);
            let mut all = all.lock().expect("no thread panics");
            all.0.add(&tally);
            all.1.extend(done.err().map(|wrong| (seed, wrong)));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, std::num::NonZero::get) {
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).expect("a thread");
        }
    });
    let (tally, failures) = all.into_inner().expect("no thread panics");
    println!("{tally}\n{:.1} seconds", began.elapsed().as_secs_f64());
    let texts: Vec<String> = failures.iter().map(|(seed, wrong)| format!("SEED={seed}: {wrong}")).collect();
    assert!(failures.is_empty(), "{} of {total} programs fail:\n{}", failures.len(), texts.join("\n\n"));
    if total >= 1_000 && number("TIES").is_none() {
        let least = OCCURS * usize::try_from(total / 1_000).expect("not so many");
        tally.demand(least);
    }
}
