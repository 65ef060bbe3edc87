//! Modules of a structure: gates whose events occur nowhere else (Dutuit and Rauzy, 1996).
//!
//! A module is solved on its own and stands as one variable in what contains it, which is exact
//! for probabilities, cut sets and importance alike.

use crate::structure::{Gate, Ref, Structure};

/// The gates below `top` that are modules, children before parents; `top` is the last.
pub(crate) fn find(structure: &Structure, top: Ref) -> Vec<Ref> {
    let n = top.index() + 1;
    let (mut first, mut last, mut done) = (vec![0u64; n], vec![0u64; n], vec![0u64; n]);
    let mut clock = 0u64;
    let mut stack = vec![(top, 0usize)];
    while let Some((node, child)) = stack.pop() {
        let index = node.index();
        if child == 0 {
            clock += 1;
            last[index] = clock;
            if first[index] != 0 {
                continue;
            }
            first[index] = clock;
        }
        match structure.gate(node).arguments().get(child) {
            Some(&next) => {
                stack.push((node, child + 1));
                stack.push((next, 0));
            }
            None => {
                clock += 1;
                done[index] = clock;
                last[index] = last[index].max(clock);
            }
        }
    }
    // The earliest and latest visit of anything below each node.
    let (mut low, mut high) = (vec![u64::MAX; n], vec![0u64; n]);
    let mut modules = Vec::new();
    for index in (0..n).filter(|i| first[*i] != 0) {
        let node = Ref(index as u32);
        let gate = structure.gate(node);
        for child in gate.arguments() {
            let child = child.index();
            low[index] = low[index].min(low[child]).min(first[child]);
            high[index] = high[index].max(high[child]).max(last[child]);
        }
        let is_gate = !matches!(gate, Gate::Event(_) | Gate::Constant(_));
        if is_gate && low[index] > first[index] && high[index] < done[index] {
            modules.push(node);
        }
    }
    if modules.last() != Some(&top) {
        modules.push(top);
    }
    modules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_that_shares_an_event_is_no_module() {
        let mut s = Structure::new();
        let e: Vec<Ref> = (0..5).map(|i| s.event(i)).collect();
        let own = s.and([e[0], e[1]]);
        let left = s.and([e[2], e[3]]);
        let right = s.and([e[3], e[4]]);
        let top = s.or([own, left, right]);
        assert_eq!(find(&s, top), [own, top]);
    }

    #[test]
    fn a_module_that_is_used_twice_is_one_and_its_users_are_none() {
        let mut s = Structure::new();
        let e: Vec<Ref> = (0..4).map(|i| s.event(i)).collect();
        let shared = s.or([e[0], e[1]]);
        let left = s.and([shared, e[2]]);
        let right = s.and([shared, e[3]]);
        let top = s.or([left, right]);
        assert_eq!(find(&s, top), [shared, top]);
    }
}
