//! The record of a kernel call, and how a kernel reads it.

use crate::ir::Elem;
use crate::runtime::{Context, Noted};

/// A part of the arena: offset in bytes, number of elements, their kind.
pub type Part = (usize, usize, Elem);

/// The record of a call: site, number of operands, result, operands, numbers.
pub fn record(site: i64, out: Part, operands: &[Part], numbers: &[i64]) -> Vec<i64> {
    let number = |size: usize| i64::try_from(size).unwrap_or(i64::MAX);
    let mut record = vec![site, number(operands.len())];
    for (offset, count, _) in [&out].into_iter().chain(operands) {
        record.extend([number(*offset), number(*count)]);
    }
    record.extend(numbers);
    record
}

/// A call in progress.
pub(super) struct Call {
    context: *mut Context,
    arena: *mut u8,
    record: *const i64,
}

impl Call {
    /// A call by compiled code.
    ///
    /// # Safety
    /// The pointers are those that compiled code got and was given: the context and the arena of
    /// the run, and a record made by [`record`] for that arena, whose result does not overlap its
    /// operands.
    pub(super) unsafe fn new(context: *mut Context, arena: *mut u8, record: *const i64) -> Call {
        Call { context, arena, record }
    }

    fn word(&self, at: usize) -> i64 {
        // SAFETY: the record is as long as its number of operands says, and callers ask for the
        // numbers their op wrote.
        unsafe { *self.record.add(at) }
    }

    fn size(&self, at: usize) -> usize {
        usize::try_from(self.word(at)).unwrap_or(0)
    }

    /// A number of the kernel.
    pub(super) fn number(&self, at: usize) -> i64 {
        self.word(4 + 2 * self.size(1) + at)
    }

    /// A number of the kernel that is a size.
    pub(super) fn sized(&self, at: usize) -> usize {
        usize::try_from(self.number(at)).unwrap_or(0)
    }

    /// The result.
    ///
    /// # Safety
    /// Its elements are of type `T`, and no other slice of it is in use.
    #[expect(clippy::mut_from_ref, reason = "the result does not overlap what is read")]
    pub(super) unsafe fn out<T>(&self) -> &mut [T] {
        // SAFETY: the record gives a part of the arena, aligned for its elements; the caller
        // promises the rest.
        unsafe { std::slice::from_raw_parts_mut(self.arena.add(self.size(2)).cast(), self.size(3)) }
    }

    /// An operand.
    ///
    /// # Safety
    /// Its elements are of type `T`.
    pub(super) unsafe fn operand<T>(&self, at: usize) -> &[T] {
        let (offset, count) = (self.size(4 + 2 * at), self.size(5 + 2 * at));
        // SAFETY: as for the result.
        unsafe { std::slice::from_raw_parts(self.arena.add(offset).cast(), count) }
    }

    /// How many threads may work.
    pub(super) fn threads(&self) -> usize {
        // SAFETY: the context is that of the run, and nothing changes it meanwhile.
        unsafe { (*self.context).threads }
    }

    /// Whether the result takes the place of an operand.
    pub(super) fn is_in_place_of(&self, at: usize) -> bool {
        self.size(2) == self.size(4 + 2 * at)
    }

    /// Notes an index out of range.
    pub(super) fn fail(&self, index: i64, size: usize) {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        // SAFETY: the context is that of the run, and nothing else refers to it meanwhile.
        unsafe { (*self.context).fail(self.word(0), index, size) };
    }
}

impl Call {
    /// Notes something worth a warning.
    pub(super) fn note(&self, concern: i64, figures: [f64; 2], times: u64) {
        let noted = Noted { site: self.word(0), concern, figures, times };
        // SAFETY: the context is that of the run, and nothing else refers to it meanwhile.
        unsafe { (*self.context).note(noted) };
    }
}

/// What a kernel computes with.
pub(super) trait Element: Copy + PartialOrd {
    /// As what sums are kept in.
    fn wide(self) -> f64;
    /// From what sums are kept in.
    fn from_wide(x: f64) -> Self;
    /// Sum; integers wrap.
    fn plus(self, other: Self) -> Self;
    /// Whether it is no number.
    fn is_nan(self) -> bool;
}

impl Element for f64 {
    fn wide(self) -> f64 {
        self
    }
    fn from_wide(x: f64) -> f64 {
        x
    }
    fn plus(self, other: f64) -> f64 {
        self + other
    }
    fn is_nan(self) -> bool {
        self.is_nan()
    }
}

impl Element for f32 {
    fn wide(self) -> f64 {
        f64::from(self)
    }
    #[expect(clippy::cast_possible_truncation, reason = "reals are rounded to the program's precision")]
    fn from_wide(x: f64) -> f32 {
        x as f32
    }
    fn plus(self, other: f32) -> f32 {
        self + other
    }
    fn is_nan(self) -> bool {
        self.is_nan()
    }
}

impl Element for i64 {
    #[expect(clippy::cast_precision_loss, reason = "integers are not summed so")]
    fn wide(self) -> f64 {
        self as f64
    }
    #[expect(clippy::cast_possible_truncation, reason = "integers are not summed so")]
    fn from_wide(x: f64) -> i64 {
        x as i64
    }
    fn plus(self, other: i64) -> i64 {
        self.wrapping_add(other)
    }
    fn is_nan(self) -> bool {
        false
    }
}
