//! A library that panics on some damaged workbooks: that too is an error of the file, and nothing for the screen.

use std::{
    cell::Cell,
    ops::ControlFlow,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

use super::Sink;
use crate::cell::Row;

thread_local! {
    /// Whether this thread is inside of the library.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// What the program does with a panic is asked for once, and goes on for any other.
static HOOK: Once = Once::new();

/// Reads with the library; none if it panicked. What is ours and is called from there panics as it always does.
pub(super) fn guarded<T>(sink: &mut Sink<'_>, read: impl FnOnce(&mut Sink<'_>) -> T) -> Option<T> {
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |told| {
            if !INSIDE.get() {
                before(told);
            }
        }));
    });
    let mut ours = |row: Row| -> ControlFlow<()> {
        INSIDE.set(false);
        let taken = sink(row);
        INSIDE.set(true);
        taken
    };
    INSIDE.set(true);
    let read = panic::catch_unwind(AssertUnwindSafe(|| read(&mut ours)));
    INSIDE.set(false);
    read.ok()
}
