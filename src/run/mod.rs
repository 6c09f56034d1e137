//! Runs programs: statements, solves with status and trace, tests. Knows no terminal: what is said
//! goes to a [`Sink`].

mod asked;
mod brief;
mod compare;
mod figure;
mod gradcheck;
mod gradient;
mod interpreter;
mod kept;
mod known;
mod program;
mod recorder;
mod runner;
mod show;
mod solve;
mod statistics;

pub use asked::Timed;
pub use compare::{
    Contest, Entrant, Failed, Known, Row, Spread, Standings, Trial, entrants, family_entrants, last_site,
    sites, standings, unknown_optimizer,
};
pub use figure::course_of;
pub use gradcheck::{Checked, Finding, NotFinite, Point, Subject, Verdict, Wrong};
pub use gradient::derivative;
pub use interpreter::{Entered, Interpreter};
pub use program::{Program, Tested};
pub use runner::{Event, Only, Planned, Progress, Runner, Sink, SolveRecord, Solving};
pub use show::{number, show};
pub use statistics::{CONFIDENCE, Difference, Figures, Ratio, SURE, Shuffle};
