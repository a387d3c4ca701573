//! Makes a plan that fails as short as it gets: delta debugging over the list.

use crate::plan::{Op, Size};
use crate::run::run;

/// The shortest list found that still fails, and how many runs that took.
pub fn shrink(seed: u64, size: &Size, ops: Vec<Op>) -> (Vec<Op>, u32) {
    let mut runs = 0;
    let list = minimise(ops, |ops| {
        runs += 1;
        run(seed, size, ops, false).violation.is_some()
    });
    (list, runs)
}

/// Leaves out ever smaller parts for as long as what is left fails.
fn minimise<T: Clone>(mut list: Vec<T>, mut fails: impl FnMut(&[T]) -> bool) -> Vec<T> {
    let mut part = list.len().div_ceil(2);
    while part > 0 && !list.is_empty() {
        let (mut at, mut shorter) = (0, false);
        while at < list.len() {
            let mut rest = list[..at].to_vec();
            rest.extend_from_slice(&list[(at + part).min(list.len())..]);
            if fails(&rest) {
                (list, shorter) = (rest, true);
            } else {
                at += part;
            }
        }
        if part > 1 {
            part = part.div_ceil(2);
        } else if !shorter {
            part = 0;
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::minimise;

    #[test]
    fn what_is_not_needed_is_left_out() {
        let fails = |list: &[u32]| [3, 40, 77].iter().all(|n| list.contains(n));
        assert_eq!(minimise((0..100).collect(), fails), [3, 40, 77]);
        assert_eq!(minimise(vec![1, 2, 3], |_: &[u32]| true), Vec::<u32>::new());
    }
}
