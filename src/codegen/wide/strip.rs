//! A machine function on vectors, before its values have registers.

use super::evex::{Binary, Compare, Masks};
use crate::ir::Fold;
use crate::math::trace::Shift;

/// A vector of reals, or a mask, by number.
pub(super) type Name = usize;

/// What an instruction takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Arg {
    /// A value.
    Value(Name),
    /// Memory.
    Place(Place),
    /// A number, by its bits.
    Constant(u64),
    /// A number that the caller hands over, in all lanes.
    Input(usize),
}

/// An element in memory, and those beside it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    /// Which of the pointers.
    pub(super) pointer: usize,
    /// How far behind it, in bytes.
    pub(super) offset: i32,
    /// The bytes of an element; 0 for an element that is the same in all lanes.
    pub(super) width: u8,
    /// Whether only the lanes of the last vector are there.
    pub(super) part: bool,
    /// Whether the index of the strip is added.
    pub(super) indexed: bool,
}

/// One thing done, in all lanes.
#[derive(Debug, Clone)]
pub(super) enum Inst {
    Copy {
        to: Name,
        from: Arg,
    },
    Binary {
        op: Binary,
        to: Name,
        a: Arg,
        b: Arg,
    },
    Sqrt {
        to: Name,
        a: Arg,
    },
    Round {
        to: Name,
        a: Arg,
        mode: u8,
    },
    Shift {
        how: Shift,
        to: Name,
        a: Arg,
        by: u8,
    },
    /// The greater or less of two; NaN wins, and zeros are ordered.
    Extreme {
        most: bool,
        to: Name,
        a: Arg,
        b: Arg,
    },
    Compare {
        how: Compare,
        to: Name,
        a: Arg,
        b: Arg,
    },
    Masks {
        op: Masks,
        to: Name,
        a: Name,
        b: Name,
    },
    Not {
        to: Name,
        a: Name,
    },
    Choose {
        mask: Name,
        to: Name,
        yes: Arg,
        no: Arg,
    },
    /// Truth values from memory.
    Truths {
        to: Name,
        from: Place,
    },
    /// A truth value that the caller hands over as 64 bits.
    Truth {
        to: Name,
        input: usize,
    },
    /// Folds a value into another; `part` says that only some lanes are.
    Fold {
        fold: Fold,
        into: Name,
        x: Arg,
        part: bool,
    },
    /// Adds a product, rounded once.
    AddProduct {
        into: Name,
        a: Arg,
        b: Arg,
        part: bool,
    },
    Store {
        from: Arg,
        to: Place,
    },
    StoreTruths {
        from: Name,
        to: Place,
    },
    /// All lanes of some vectors folded into one number, kept in memory or handed back.
    Across {
        fold: Fold,
        from: Vec<Name>,
        to: Target,
    },
    /// Instructions repeated; after each time pointers move by so many bytes, and at the end back.
    Loop {
        count: usize,
        body: Vec<Inst>,
        moves: Vec<(usize, i32)>,
    },
    /// Instructions repeated while the index of the strip grows.
    Strips {
        rounds: usize,
        step: usize,
        body: Vec<Inst>,
    },
}

/// Where a number goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// To memory.
    Place(Place),
    /// To the caller.
    Result(usize),
}

/// A machine function.
#[derive(Debug, Clone, Default)]
pub(super) struct Strip {
    pub(super) body: Vec<Inst>,
    pub(super) pointers: usize,
    pub(super) inputs: usize,
    pub(super) results: usize,
    /// How many values have names.
    pub(super) names: usize,
    /// How many lanes the last vector has; 8 or 0 if there is no such.
    pub(super) part: usize,
}

impl Strip {
    /// Where the caller puts pointer `at`, in bytes.
    pub(super) fn pointer(at: usize) -> usize {
        8 * at
    }

    /// Where the caller puts number `at`.
    pub(super) fn input(&self, at: usize) -> usize {
        8 * (self.pointers + at)
    }

    /// Where the caller finds number `at`.
    pub(super) fn result(&self, at: usize) -> usize {
        8 * (self.pointers + self.inputs + at)
    }

    /// Where values wait that have no register.
    pub(super) fn slots(&self) -> usize {
        self.result(self.results).next_multiple_of(64)
    }
}

impl Inst {
    /// The names an instruction reads; those that it changes are among them.
    pub(super) fn reads(&self, visit: &mut dyn FnMut(Name)) {
        let mut arg = |arg: &Arg| {
            if let Arg::Value(name) = arg {
                visit(*name);
            }
        };
        match self {
            Inst::Copy { to: _, from } => arg(from),
            Inst::Binary { op: _, to: _, a, b }
            | Inst::Extreme { most: _, to: _, a, b }
            | Inst::Compare { how: _, to: _, a, b } => {
                arg(a);
                arg(b);
            }
            Inst::Sqrt { to: _, a }
            | Inst::Round { to: _, a, mode: _ }
            | Inst::Shift { how: _, to: _, a, by: _ } => arg(a),
            Inst::Masks { op: _, to: _, a, b } => {
                visit(*a);
                visit(*b);
            }
            Inst::Not { to: _, a } => visit(*a),
            Inst::Choose { mask, to: _, yes, no } => {
                arg(yes);
                arg(no);
                visit(*mask);
            }
            Inst::Truths { to: _, from: _ } | Inst::Truth { to: _, input: _ } => {}
            Inst::Fold { fold: _, into, x, part: _ } => {
                arg(x);
                visit(*into);
            }
            Inst::AddProduct { into, a, b, part: _ } => {
                arg(a);
                arg(b);
                visit(*into);
            }
            Inst::Store { from, to: _ } => arg(from),
            Inst::StoreTruths { from, to: _ } => visit(*from),
            Inst::Across { fold: _, from, to: _ } => from.iter().copied().for_each(visit),
            Inst::Loop { body, count: _, moves: _ } | Inst::Strips { body, rounds: _, step: _ } => {
                body.iter().for_each(|inst| inst.reads(visit));
            }
        }
    }
}
