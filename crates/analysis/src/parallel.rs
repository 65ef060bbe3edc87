//! Work in equal pieces on several threads; the results are in order of the pieces, whichever
//! thread made them.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Applies `work` to pieces of `size` items; each thread has a state of its own, on which no
/// result may depend.
pub(crate) fn chunks<T: Sync, R: Send, S>(
    items: &[T],
    threads: usize,
    size: usize,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &[T]) -> R + Sync,
) -> Vec<R> {
    let pieces: Vec<&[T]> = items.chunks(size.max(1)).collect();
    if threads <= 1 || pieces.len() <= 1 {
        let mut own = state();
        return pieces.into_iter().map(|p| work(&mut own, p)).collect();
    }
    let next = AtomicUsize::new(0);
    let mut made: Vec<(usize, R)> = std::thread::scope(|scope| {
        let worker = || {
            let mut mine = Vec::new();
            let mut own = state();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(piece) = pieces.get(index) else {
                    return mine;
                };
                mine.push((index, work(&mut own, piece)));
            }
        };
        let workers: Vec<_> = (0..threads.min(pieces.len()))
            .map(|_| scope.spawn(worker))
            .collect();
        // A panic of a worker is a defect, and is not hidden.
        workers
            .into_iter()
            .flat_map(|w| w.join().unwrap_or_else(|e| std::panic::resume_unwind(e)))
            .collect()
    });
    made.sort_by_key(|m| m.0);
    made.into_iter().map(|m| m.1).collect()
}
