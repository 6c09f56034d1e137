//! What `stdlib/primitives.opt` says of the elementwise primitives: domain, derivative, facts.

use std::sync::OnceLock;

use super::Function;
use crate::math::Prim;

/// The interval a primitive's argument must lie in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Domain {
    /// Lower end.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
    /// Whether the lower end belongs to it.
    pub lo_closed: bool,
    /// Whether the upper end belongs to it.
    pub hi_closed: bool,
}

/// The facts of one primitive.
#[derive(Debug, Clone, Default)]
pub struct PrimitiveFacts {
    /// `(x…, dx…) -> dy`, scalar, with one tangent for each real argument, linear in them; `None`
    /// where the derivative is zero everywhere it exists.
    pub derivative: Option<Function>,
    /// The domain of each argument; `None` is the whole line.
    pub domains: Vec<Option<Domain>>,
    /// The range of the result.
    pub range: Option<Domain>,
    /// The words after `is`.
    pub facts: Vec<String>,
}

/// The facts of all primitives.
pub struct Primitives {
    by_prim: Vec<OnceLock<PrimitiveFacts>>,
    read: Read,
}

/// Reads the facts of a primitive.
type Read = Box<dyn Fn(Prim) -> PrimitiveFacts + Send + Sync>;

impl Primitives {
    /// Facts by primitive, in the order of `math`'s table.
    pub fn new(by_prim: Vec<PrimitiveFacts>) -> Primitives {
        Primitives::by_need(Box::new(move |prim| by_prim[prim.index()].clone()))
    }

    /// Facts that are read when they are first asked for.
    pub fn by_need(read: Read) -> Primitives {
        Primitives { by_prim: Prim::all().map(|_| OnceLock::new()).collect(), read }
    }

    /// The facts of a primitive.
    pub fn of(&self, prim: Prim) -> &PrimitiveFacts {
        self.by_prim[prim.index()].get_or_init(|| (self.read)(prim))
    }
}

static PRIMITIVES: OnceLock<Primitives> = OnceLock::new();

/// Makes the facts known; they are read once, from the embedded standard library. A second call
/// changes nothing.
pub fn set_primitives(primitives: Primitives) {
    // A second session of the same process has read the same embedded text.
    let _ = PRIMITIVES.set(primitives);
}

/// The facts of the primitives.
///
/// # Panics
/// If no session was started: the facts come from the standard library.
pub fn primitives() -> &'static Primitives {
    PRIMITIVES.get().expect("a session reads stdlib/primitives.opt first")
}
