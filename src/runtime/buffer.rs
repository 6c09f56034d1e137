//! The memory of a compiled program.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

/// The memory could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfMemory {
    /// How many bytes were wanted.
    pub bytes: usize,
}

/// Zeroed memory of fixed size, aligned to cache lines.
#[derive(Debug)]
pub struct Arena {
    /// What was allocated.
    block: NonNull<u8>,
    layout: Layout,
    /// The first aligned byte of it.
    base: NonNull<u8>,
    size: usize,
}

/// A cache line.
const LINE: usize = 64;

impl Arena {
    /// As many bytes, or an error where there are not enough: never an abort.
    pub fn new(bytes: usize) -> Result<Arena, OutOfMemory> {
        let size = bytes.max(LINE);
        // Aligned here: what the allocator aligns it also fills, page by page, and large memory comes from the
        // system as zeros that cost nothing until they are touched.
        let layout = size.checked_add(LINE).and_then(|size| Layout::from_size_align(size, 16).ok());
        let layout = layout.ok_or(OutOfMemory { bytes })?;
        // SAFETY: the layout has a size above zero.
        let block = NonNull::new(unsafe { alloc_zeroed(layout) }).ok_or(OutOfMemory { bytes })?;
        let ahead = block.align_offset(LINE);
        // SAFETY: the block is longer than the arena by a line.
        let base = unsafe { block.add(ahead) };
        Ok(Arena { block, layout, base, size })
    }

    /// Its first byte.
    pub fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// Its size.
    pub fn size(&self) -> usize {
        self.size
    }

    /// `count` elements from `offset` on.
    ///
    /// # Panics
    /// If they do not lie inside, or are not aligned.
    pub fn slice<T: Plain>(&self, offset: usize, count: usize) -> &[T] {
        self.check::<T>(offset, count);
        // SAFETY: the range lies in the arena and is aligned; any bytes are a `Plain` value; the
        // arena is borrowed, and compiled code writes only while it is borrowed mutably.
        unsafe { std::slice::from_raw_parts(self.base().add(offset).cast::<T>(), count) }
    }

    /// `count` elements from `offset` on, to be written.
    ///
    /// # Panics
    /// If they do not lie inside, or are not aligned.
    pub fn slice_mut<T: Plain>(&mut self, offset: usize, count: usize) -> &mut [T] {
        self.check::<T>(offset, count);
        // SAFETY: as for `slice`, and the arena is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.base().add(offset).cast::<T>(), count) }
    }

    fn check<T>(&self, offset: usize, count: usize) {
        let end = count.checked_mul(size_of::<T>()).and_then(|bytes| bytes.checked_add(offset));
        assert!(
            end.is_some_and(|end| end <= self.size()) && offset.is_multiple_of(align_of::<T>()),
            "{count} elements at {offset} do not lie in an arena of {}",
            self.size()
        );
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: the memory came from the allocator with this layout, and nothing refers to it:
        // slices borrow the arena.
        unsafe { dealloc(self.block.as_ptr(), self.layout) };
    }
}

/// What any bytes are a value of.
///
/// # Safety
/// Every pattern of bits must be a valid value.
pub unsafe trait Plain: Copy + 'static {}

// SAFETY: every pattern of bits is a number.
unsafe impl Plain for f64 {}
// SAFETY: every pattern of bits is a number.
unsafe impl Plain for f32 {}
// SAFETY: every pattern of bits is a number.
unsafe impl Plain for i64 {}
// SAFETY: every pattern of bits is a number; truth values are read as bytes.
unsafe impl Plain for u8 {}
